"""The automaton of takeover as a picture: its modes, and which event leads from one to which.

The arrows are not drawn by hand: each event is tried in each state that they lead to.
"""

import math
from html import escape

from marque.core.time import NS_PER_S
from marque.guard.takeover import Inputs, Memory, Rules, shown, step
from marque.types.market import Market
from marque.types.takeover import Cause, Domain, Failure, Mode, Wheel

WIDTH, HEIGHT, LINE = 1000.0, 480.0, 17.0
BOX = (118.0, 40.0)
PLACES: dict[Mode, tuple[float, float]] = {
    Mode.OFF: (90.0, 250.0),
    Mode.READY: (280.0, 250.0),
    Mode.ACTIVE: (470.0, 250.0),
    Mode.EMERGENCY: (620.0, 70.0),
    Mode.DEMAND: (680.0, 360.0),
    Mode.MANOEUVRE: (880.0, 190.0),
    Mode.STANDSTILL: (880.0, 400.0),
    Mode.OVERRIDE: (330.0, 425.0),
}
# what holds for many modes alike is told below the picture, and drawn for one of them
DRAWN_ONCE = {Mode.OFF: Mode.READY, Mode.OVERRIDE: Mode.ACTIVE}
NOT_DRAWN = (
    (Mode.EMERGENCY, Mode.READY),
    (Mode.EMERGENCY, Mode.STANDSTILL),
    (Mode.MANOEUVRE, Mode.READY),
    (Mode.STANDSTILL, Mode.READY),
    (Mode.OVERRIDE, Mode.DEMAND),
    (Mode.OVERRIDE, Mode.MANOEUVRE),
)
# what happens by itself, or by the hands alone, in a calm drive,
CALM: tuple[tuple[str, dict[str, object]], ...] = (
    ("ignition on", {}),
    ("hands taken to the wheel", {"hands": True}),
    ("attention back", {}),
    ("time is up", {}),
    ("released", {}),
    ("risk over", {}),
)
# and one event each beside it
EVENTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("button", {"button": True}),
    ("at rest", {"stands": True}),
    ("ignition off, at rest", {"ignition": False, "stands": True}),
    ("ignition off", {"ignition": False}),
    ("wheel firmly", {"wheel": Wheel.FIRM}),
    ("wheel lightly, looking", {"wheel": Wheel.LIGHT}),
    ("brake pedal", {"brake": True}),
    ("accelerator", {"accelerator": True}),
    ("attention asked back in vain", {"lapse": Cause.EYES_OFF, "looks": False}),
    ("seat, belt, door, or not available", {"unfit": Cause.SEAT}),
    ("minor failure", {"failure": Failure.MINOR}),
    ("severe failure", {"failure": Failure.SEVERE}),
    ("border ahead, or domain left", {"domain": Domain.OUTSIDE}),
    ("imminent collision", {"risk": True}),
)
BEGIN_NS = 10**12

Arrows = dict[tuple[Mode, Mode], list[str]]


def arrows(market: Market) -> Arrows:
    """From mode to mode, by which events. Time passes in demands alone."""
    rules = Rules(
        round(market.escalates_s * NS_PER_S), round(market.manoeuvre_s * NS_PER_S),
        market.resumes, market.manoeuvre_brake_mps2,
    )  # fmt: skip
    found: Arrows = {}
    seen, frontier = {Memory()}, [Memory()]
    while frontier:
        memory = frontier.pop()
        for words, event in (*CALM, *EVENTS):
            for hands in (True, False):
                now = _now(words, {"hands": hands} | event, rules, memory)
                after = step(memory, now, rules)
                way = (shown(memory), shown(after))
                if way[0] != way[1] and _brings(words, way, memory, hands, rules):
                    told = found.setdefault(way, [])
                    told += [words] if words not in told else []
                if after not in seen:
                    seen.add(after)
                    frontier.append(after)
    return found


def _now(words: str, event: dict[str, object], rules: Rules, memory: Memory) -> Inputs:
    late = memory.demand_ns + rules.manoeuvre_ns if words == "time is up" else BEGIN_NS
    return Inputs(t_ns=max(BEGIN_NS, late))._replace(**event)  # type: ignore[arg-type]


def _brings(words: str, way: tuple[Mode, Mode], memory: Memory, hands: bool, rules: Rules) -> bool:
    """Whether it is this that leads there: an event, if a calm drive would not; or the name that
    belongs to what a calm drive brings."""
    was, becomes = way
    if was == Mode.EMERGENCY and words not in ("risk over", "at rest", "wheel firmly"):
        return False  # while the risk lasts nothing else counts
    if words not in dict(CALM):
        calm = step(memory, Inputs(t_ns=BEGIN_NS, hands=hands), rules)
        return shown(calm) != becomes
    if was == Mode.EMERGENCY:
        return words == "risk over"
    if was == Mode.DEMAND:
        belongs = {Mode.READY: "hands taken to the wheel", Mode.ACTIVE: "attention back"}
        return words == belongs.get(becomes, "time is up")
    names = {Mode.OFF: "ignition on", Mode.OVERRIDE: "released"}
    return words == names.get(was, "hands taken to the wheel")


def automaton_picture(market: Market) -> str:
    """The whole picture as SVG text, with its legend."""
    found = sorted(arrows(market).items())
    rows = [
        f"{number}  {was.name.lower()} → {becomes.name.lower()}: {', '.join(words)}"
        for number, ((was, becomes), words) in enumerate(found, 1)
    ]
    height = HEIGHT + LINE * (len(rows) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" '
        'font-family="sans-serif" role="img">',
        f"<title>The automaton of takeover ({escape(market.name)})</title>",
        f'<rect width="{WIDTH:g}" height="{height:g}" fill="#fff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z" fill="#555"/></marker></defs>',
    ]
    for number, ((was, becomes), _) in enumerate(found, 1):
        if DRAWN_ONCE.get(becomes, was) != was or (was, becomes) in NOT_DRAWN:
            continue
        parts += _arrow(PLACES[was], PLACES[becomes], number)
    parts += [_box(mode) for mode in PLACES]
    parts += [
        f'<text x="24" y="{HEIGHT + LINE * i:g}" font-size="12" fill="#222">{escape(row)}</text>'
        for i, row in enumerate(rows)
    ]
    return "\n".join((*parts, "</svg>")) + "\n"


def _box(mode: Mode) -> str:
    x, y = PLACES[mode]
    person = mode in (Mode.OFF, Mode.READY, Mode.OVERRIDE)
    fill = "#e8edf2" if person else "#fbe3d6" if mode != Mode.ACTIVE else "#dcefdc"
    name = mode.name.lower()
    return (
        f'<rect x="{x - 0.5 * BOX[0]:g}" y="{y - 0.5 * BOX[1]:g}" width="{BOX[0]:g}" '
        f'height="{BOX[1]:g}" rx="8" fill="{fill}" stroke="#333"/>'
        f'<text x="{x:g}" y="{y + 5:g}" font-size="15" text-anchor="middle">{name}</text>'
    )


def _arrow(begin: tuple[float, float], end: tuple[float, float], number: int) -> list[str]:
    """A bow to its own right, so that two that run against each other do not cover each other."""
    ax, ay = begin
    bx, by = end
    length = math.hypot(bx - ax, by - ay)
    bow = 14.0 + 0.11 * length
    mx = 0.5 * (ax + bx) - bow * (by - ay) / length
    my = 0.5 * (ay + by) + bow * (bx - ax) / length
    ax, ay = _edge(ax, ay, mx, my)
    bx, by = _edge(bx, by, mx, my)
    tx, ty = 0.25 * ax + 0.5 * mx + 0.25 * bx, 0.25 * ay + 0.5 * my + 0.25 * by
    return [
        f'<path d="M{ax:.1f} {ay:.1f}Q{mx:.1f} {my:.1f} {bx:.1f} {by:.1f}" fill="none" '
        'stroke="#888" stroke-width="1.2" marker-end="url(#tip)"/>',
        f'<circle cx="{tx:.1f}" cy="{ty:.1f}" r="8.5" fill="#fff" stroke="#bbb"/>'
        f'<text x="{tx:.1f}" y="{ty + 3.8:.1f}" font-size="10.5" text-anchor="middle">'
        f"{number}</text>",
    ]


def _edge(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where the way from a box's middle leaves the box."""
    dx, dy = to_x - x, to_y - y
    share = min(0.5 * BOX[0] / max(abs(dx), 1e-9), 0.5 * BOX[1] / max(abs(dy), 1e-9), 1.0)
    return x + share * dx, y + share * dy
