"""The verdict on one case, from what truly happened in it.

Each criterion says whether it is met, with which margin (positive: met), and in which frame it was
worst. A case has passed if all are met. Contact that neither reference driver avoids is judged by
how it was mitigated.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.time import NS_PER_S, PLAN_STEP_S
from marque.core.units import KPH
from marque.prove.alks.along import along_path
from marque.prove.alks.criteria import Criterion, Ruling
from marque.prove.alks.play import Played
from marque.prove.alks.reference import Avoided, Path, lane_path, references
from marque.prove.verdicts import FAILED, PASSED

MITIGATED = "mitigated"
STANDS_MPS = 0.1
FAR_S, FAR_M = 99.0, 999.0  # margins are cut there


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A case as arrays: n frames, m road users.

    gap, side: from our front to their rear, and between the sides, along the middle of our lane;
    negative where they overlap; nan where they are not there.
    """

    t_s: FloatArray  # [n] since the activation
    speed_mps: FloatArray  # [n]
    brake_mps2: FloatArray  # [n] asked, after the guard
    beside_m: FloatArray  # [n, 2] rear and front axle beside the middle of the lane
    gap_m: FloatArray  # [n, m]
    side_m: FloatArray  # [n, m]
    length_m: FloatArray  # [n, m] their extent along the lane
    lead_mps: FloatArray  # [n, m] their speed along it
    uid: tuple[int, ...]
    lane_m: float  # width of our lane

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def ttc_s(self) -> FloatArray:
        """[n, m] time to collision with who is in our way, inf where there is none."""
        closing = self.speed_mps[:, None] - self.lead_mps
        ahead = (self.side_m <= 0.0) & (self.gap_m > 0.0) & (closing > 0.0)
        out: FloatArray = np.where(ahead, self.gap_m / np.where(ahead, closing, 1.0), math.inf)
        return out


@dataclass(frozen=True, slots=True)
class Mark:
    """One criterion's verdict. margin: in `unit`, positive where it is met; frame: the worst."""

    name: str
    clause: str
    met: bool
    margin: float
    unit: str
    frame: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on a case, its criteria, and the frame of the worst moment."""

    verdict: str
    marks: tuple[Mark, ...]
    frame: int
    facts: Mapping[str, Any]


def judge(played: Played, ruling: Ruling) -> Judged:
    """The verdict. MarqueError: the file cannot be played with a reference driver."""
    run = run_of(played, lane_path(played))
    told = references(played) if played.contact is not None else ()
    marks = tuple(JUDGES[c.name](c, run, played, told) for c in ruling.criteria)
    broken = [mark for mark in marks if not mark.met]
    verdict = FAILED if broken else PASSED if played.contact is None else MITIGATED
    worst = broken[0] if broken else marks[0]
    return Judged(verdict, marks, worst.frame, _facts(run, played, told))


def run_of(played: Played, path: Path) -> Run:
    """The arrays."""
    episode, platform = played.episode, played.setup.platform
    ticks = episode.ticks
    uids = tuple(sorted(played.names))
    column = {uid: i for i, uid in enumerate(uids)}
    own = np.array([(k.world.ego.x_m, k.world.ego.y_m, k.world.ego.heading_rad) for k in ticks])
    rows = np.full((len(ticks), len(uids), 6), math.nan)
    for n, tick in enumerate(ticks):
        users = tick.world.users
        for row, uid in enumerate(users.uid.tolist()):
            rows[n, column[uid]] = (
                users.x_m[row], users.y_m[row], users.heading_rad[row], users.speed_mps[row],
                users.length_m[row], users.width_m[row],
            )  # fmt: skip
    car = (platform.front_m, platform.width_m, platform.wheelbase_m)
    beside, gap, side, length, lead = along_path(
        path.xy_m, path.s_m, path.heading_rad, own, rows, car
    )
    asked = [
        min(k.command.accel_mps2, *(v.command.accel_mps2 for v in k.verdicts), 0.0) for k in ticks
    ]
    lane = played.setup.trip.start_lane
    return Run(
        np.array([k.world.t_ns / NS_PER_S for k in ticks]),
        np.array([k.world.ego.speed_mps for k in ticks]),
        np.maximum(0.0, -np.array(asked)),
        beside, gap, side, length, lead, uids,
        float(played.setup.road_map.lane_width_m[lane]),
    )  # fmt: skip


def _facts(run: Run, played: Played, told: tuple[Avoided, ...]) -> dict[str, Any]:
    ticks, contact = played.episode.ticks, None
    if played.contact is not None:
        frame, uid = played.contact
        contact = {
            "t_s": round(float(run.t_s[frame]), 2),
            "with": played.names[uid],
            "speed_mps": round(float(run.speed_mps[frame]), 2),
        }
    way = np.where((run.side_m <= 0.0) & (run.gap_m > 0.0), run.gap_m, math.inf)
    return {
        "end": played.episode.end,
        "begin_s": round(played.begin_s, 2),
        "other_side": played.turned,
        "duration_s": round(float(run.t_s[-1]), 2),
        "speed_mps": [round(float(run.speed_mps[i]), 2) for i in (0, -1)],
        "hardest_brake_mps2": round(float(run.brake_mps2.max()), 2),
        "least_gap_m": _cut(float(way.min(initial=math.inf)), FAR_M),
        "least_ttc_s": _cut(float(run.ttc_s.min(initial=math.inf)), FAR_S),
        "guard": sorted({v.rule for tick in ticks for v in tick.verdicts if v.action > 1}),
        "contact": contact,
        "references": [
            {"model": one.model, "avoids": one.avoids, "contact_mps": one.contact_mps}
            for one in told
        ],
    }


def _cut(value: float, most: float) -> float:
    return round(min(most, value), 3)


# The criteria -----------------------------------------------------------------------------------


def contact(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """No contact where a reference avoids it; else mitigated."""
    if played.contact is None:
        ttc = run.ttc_s
        least = float(ttc.min(initial=math.inf))
        frame = int(np.argmin(ttc.min(axis=1))) if least < math.inf else _nearest(run)
        return Mark(c.name, c.clause, True, _cut(least, FAR_S), "s", frame)
    frame, _ = played.contact
    speed = float(run.speed_mps[frame])
    avoided = [one.model for one in told if one.avoids]
    if avoided:
        words = f"avoided by the {' and the '.join(avoided)}"
        return Mark(c.name, c.clause, False, -round(speed, 2), "m/s", frame, words)
    lost = float(run.speed_mps[: frame + 1].max()) - speed - c.values["slower_mps"]
    hard = np.flatnonzero(run.brake_mps2[:frame] >= c.values["emergency_mps2"])
    began = len(hard) > 0
    soon = began and float(run.t_s[frame] - run.t_s[hard[0]]) <= c.values["within_s"]
    met = speed < STANDS_MPS or (began and (lost >= 0.0 or soon))
    words = "no reference driver avoids it"
    if not met:
        words += "; but not slowed down" if began else "; but no emergency braking before it"
    return Mark(c.name, c.clause, met, round(lost, 2), "m/s", frame, words)


def _nearest(run: Run) -> int:
    """The frame in which somebody is nearest; the first where there is nobody."""
    behind = -(run.gap_m + run.length_m)
    away = np.fmax(np.fmax(run.gap_m, behind), run.side_m)
    if not np.isfinite(away).any():
        return 0
    return int(np.nanargmin(np.where(np.isnan(away), math.inf, away).min(axis=1)))


def lane(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """Both sides within our lane, at both axles."""
    room = 0.5 * (run.lane_m - played.setup.platform.width_m) - np.abs(run.beside_m).max(axis=1)
    frame = int(np.argmin(room))
    margin = round(float(room[frame]), 3)
    return Mark(c.name, c.clause, margin >= 0.0, margin, "m", frame)


def calm(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """No emergency manoeuvre."""
    frame = int(np.argmax(run.brake_mps2))
    margin = round(c.values["most_mps2"] - float(run.brake_mps2[frame]), 3)
    return Mark(c.name, c.clause, margin >= 0.0, margin, "m/s2", frame)


def speed(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """No faster than allowed, nor than was set."""
    frame = int(np.argmax(run.speed_mps))
    set_mps = float(run.speed_mps[0]) + c.values["over_kph"] * KPH
    most = min(c.values["most_kph"] * KPH, set_mps)
    margin = round((most - float(run.speed_mps[frame])) / KPH, 2)
    return Mark(c.name, c.clause, margin >= 0.0, margin, "km/h", frame)


def distance(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """Speed times t_front to the nearest ahead in our way."""
    row = c.values
    front_s = np.interp(run.speed_mps / KPH, row["speed_kph"], row["front_s"])
    least = np.maximum(row["least_m"], run.speed_mps * front_s)
    way = np.where((run.side_m <= 0.0) & (run.gap_m > 0.0), run.gap_m, math.inf)
    room = way.min(axis=1, initial=math.inf) - least
    room = np.where(run.t_s >= row["from_s"], room, math.inf)
    frame = int(np.argmin(room))
    margin = _cut(float(room[frame]), FAR_M)
    return Mark(c.name, c.clause, margin >= 0.0, margin, "m", frame)


def ahead(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """Known from so far on; who is nearer at the activation, at once."""
    worst, at = FAR_M, 0
    for column, uid in enumerate(run.uid):
        gap = run.gap_m[:, column]
        if not gap[0] > 0.0:
            continue
        known = played.known.get(uid, [])
        frame = known[0] if known else len(gap) - 1
        asked = min(c.values["least_m"], float(gap[min(1, len(gap) - 1)]))
        margin = float(gap[frame]) - asked if known else -asked
        if margin < worst:
            worst, at = margin, frame
    return Mark(c.name, c.clause, worst >= 0.0, _cut(worst, FAR_M), "m", at)


def beside(c: Criterion, run: Run, played: Played, told: tuple[Avoided, ...]) -> Mark:
    """Known while it is in the lane beside, next to us."""
    car, far = played.setup.platform, c.values["beside_m"]
    worst, at = 0, 0
    for column, uid in enumerate(run.uid):
        gap, length = run.gap_m[:, column], run.length_m[:, column]
        near = (gap < far) & (gap > -(car.length_m + length + far))
        inner = run.side_m[:, column] + 0.5 * car.width_m
        missed = near & (inner < 1.5 * run.lane_m)
        missed[[k for k in played.known.get(uid, []) if k < len(missed)]] = False
        streak = 0
        for frame, lost in enumerate(missed.tolist()):
            streak = streak + 1 if lost else 0
            if streak > worst:
                worst, at = streak, frame
    margin = round(c.values["late_s"] - worst * PLAN_STEP_S, 2)
    return Mark(c.name, c.clause, margin >= 0.0, margin, "s", at)


Judge = Callable[[Criterion, Run, Played, tuple[Avoided, ...]], Mark]
JUDGES: Mapping[str, Judge] = {
    "contact": contact,
    "lane": lane,
    "calm": calm,
    "speed": speed,
    "distance": distance,
    "ahead": ahead,
    "beside": beside,
}
