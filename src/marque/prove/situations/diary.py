"""What the driver believed, in the few lines that matter: one per change of reason or manoeuvre."""

from typing import Any

from marque.prove.situations.view import View
from marque.types.verdict import Action

SETTLED_S = 0.5  # shorter states are left out


def diary(view: View) -> list[dict[str, Any]]:
    """Lines of a drive, in order of time. `other`: whom the reason names."""
    lines: list[dict[str, Any]] = []
    before: tuple[str, str, str] | None = None
    since = 0
    last = len(view.episode.ticks) - 1
    for k in range(last + 1):
        state = _state(view, k)
        if state != before:
            before, since = state, k
        lasting = (k - since) * 0.1 >= SETTLED_S or k == last
        if lasting and (not lines or lines[-1]["_state"] != state):
            lines.append(_line(view, since, state))
    for line in lines:
        del line["_state"]
    return lines


def _state(view: View, frame: int) -> tuple[str, str, str]:
    tick = view.episode.ticks[frame]
    plan = tick.plan
    guard = max((v.action for v in tick.verdicts), default=Action.PASS)
    words = guard.name.lower() if guard > Action.LIMIT else ""
    return tick.reason.name.lower(), plan.manoeuvre if plan is not None else "", words


def _line(view: View, frame: int, state: tuple[str, str, str]) -> dict[str, Any]:
    tick = view.episode.ticks[frame]
    plan, ego = tick.plan, tick.world.ego
    lane = int(view.way.lane[frame])
    other = plan.reason_uid if plan is not None else -1
    line: dict[str, Any] = {
        "_state": state,
        "t_s": round(float(view.trace.t_s[frame]), 1),
        "lane": view.road_map.lane_name[lane] if lane >= 0 else "",
        "s_m": round(float(view.way.s_m[frame]), 1),
        "speed_mps": round(ego.speed_mps, 1),
        "accel_mps2": round(ego.accel_mps2, 1),
        "reason": state[0],
        "other": view.names.get(other, "") if other >= 0 else "",
        "manoeuvre": state[1],
        "guard": state[2],
    }
    if plan is not None:
        line["margins"] = {
            name: value if abs(value) != float("inf") else None
            for name, value in ((n, round(float(v), 2)) for n, v in plan.margins)
        }
    return line


def say(line: dict[str, Any]) -> str:
    """One line of a diary as text."""
    parts = [
        f"{line['t_s']:6.1f} s",
        f"{line['lane']}@{line['s_m']:.0f}",
        f"{line['speed_mps']:.1f} m/s",
        line["reason"],
    ]
    if line["other"]:
        parts.append(f"'{line['other']}'")
    parts.append(line["manoeuvre"])
    if line["guard"]:
        parts.append(f"guard: {line['guard']}")
    margins = line.get("margins") or {}
    told = [f"{name} {value:g}" for name, value in margins.items() if value is not None]
    return "  ".join([*parts, ", ".join(told)])
