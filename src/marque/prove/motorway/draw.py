"""A motorway drawn from a seed: one direction of some kilometres, with everything on it that a
driver has to cope with.

The axis is the left border of the leftmost lane. All shapes are drawn beside it, in metres along
it and to its left, and laid onto its bends in the end.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.units import KPH
from marque.prove.roads import Edge, Link, Node, Roads

Rng = np.random.Generator

LANE_M = 3.75
LIMITS_KPH = (100.0, 120.0, 130.0)
UNLIMITED_MPS = 55.56  # where no limit is posted: faster than the cap of any driver here
UNLIMITED_SHARE = 0.35
WORKS_KPH, BEFORE_WORKS_KPH, RAMP_KPH = 80.0, 100.0, 80.0
RADIUS_M = 1000.0  # least radius of the axis
BEND_M = 500.0  # length over which its curvature changes
STEP_M = 5.0  # between the points of a shape: farther apart, their kinks would be bends
AXIS_M = 1.0  # between the points of the axis
LEAD_M = 900.0  # before the first ramp: traffic that enters here has found its lanes there
ASIDE_M = 24.0  # how far from the motorway a ramp begins or ends
PARALLEL_M = 60.0  # of a ramp, right before or after it is a lane of the motorway
JUNCTION_M = 8.0  # netconvert's radius at the joins of roads that meet under a small angle


@dataclass(frozen=True, slots=True)
class OnRamp:
    """A way onto the motorway: the ramp's edge, the road with the acceleration lane, the next."""

    ramp: str
    join: str
    after: str
    at_m: float


@dataclass(frozen=True, slots=True)
class OffRamp:
    """A way off: the road with the deceleration lane, the ramp, where those go who do not leave."""

    beside: str
    ramp: str
    onward: str
    at_m: float


@dataclass(frozen=True, slots=True)
class Motorway:
    """One drawn motorway; `main` are its edges in order."""

    roads: Roads
    main: tuple[str, ...]
    lanes: int  # where traffic enters
    on: tuple[OnRamp, ...]
    off: tuple[OffRamp, ...]
    text: str

    def way(self, on: OnRamp | None, off: OffRamp | None) -> tuple[str, ...]:
        """Edges from a ramp (None: the beginning) to a ramp (None: the end)."""
        first = 0 if on is None else self.main.index(on.join)
        last = len(self.main) - 1 if off is None else self.main.index(off.beside)
        head = () if on is None else (on.ramp,)
        tail = () if off is None else (off.ramp,)
        return (*head, *self.main[first : last + 1], *tail)


@dataclass(slots=True)
class _Pen:
    """What is drawn so far, and where the motorway ends now."""

    rng: Rng
    axis: "Axis"
    lanes: int
    limit_mps: float
    at_m: float = 0.0
    left_m: float = 0.0  # the axis of the next edge, beside the drawn axis
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    main: list[str] = field(default_factory=list)
    on: list[tuple[str, str, float]] = field(default_factory=list)
    off: list[tuple[str, str, float]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """A line with motorway bends, [n] points `AXIS_M` apart."""

    x_m: FloatArray
    y_m: FloatArray
    angle_rad: FloatArray

    def point(self, s_m: float, d_m: float) -> tuple[float, float]:
        """Map metres of a point `d_m` to the left of the axis."""
        last = len(self.x_m) - 1
        at = min(max(s_m / AXIS_M, 0.0), float(last))
        i = min(int(at), last - 1)
        x, y, a = (
            float(v[i] + (at - i) * (v[i + 1] - v[i])) for v in (self.x_m, self.y_m, self.angle_rad)
        )
        # before its beginning and beyond its end it goes on straight
        over = s_m - at * AXIS_M
        x, y = x + over * math.cos(a), y + over * math.sin(a)
        return x - d_m * math.sin(a), y + d_m * math.cos(a)


def draw_motorway(seed: int, number: int) -> Motorway:
    """The motorway `number` of a seed."""
    rng = np.random.Generator(np.random.PCG64([seed, number, 0x4D57]))
    length = 18_000.0
    pen = _Pen(rng, _axis(rng, length), int(rng.integers(2, 5)), _limit(rng))
    _straight_on(pen, LEAD_M)
    middle = [_knot, _weave, _works, _knot]
    rng.shuffle(middle)
    _on_ramp(pen)
    _straight_on(pen, pen.uniform(700.0, 1500.0))
    for piece in middle:
        piece(pen)
        pen.limit_mps = _limit(rng)
        _straight_on(pen, pen.uniform(700.0, 1600.0))
    _exit(pen)
    _straight_on(pen, 500.0)
    pen.nodes.append(_node(pen, f"n{len(pen.main)}"))
    return _finished(pen)


def _finished(pen: _Pen) -> Motorway:
    after = dict(zip(pen.main, pen.main[1:], strict=False))
    roads = Roads(
        tuple(pen.nodes),
        tuple(pen.edges),
        tuple(pen.links),
        turn_rad=pen.uniform(-math.pi, math.pi),
        corner_m=JUNCTION_M,
    )
    return Motorway(
        roads,
        tuple(pen.main),
        roads.edge(pen.main[0]).lanes,
        tuple(OnRamp(ramp, join, after[join], at) for ramp, join, at in pen.on),
        tuple(OffRamp(beside, ramp, after[beside], at) for beside, ramp, at in pen.off),
        f"{pen.at_m / 1000.0:.1f} km: " + ", ".join(pen.words),
    )


def _limit(rng: Rng) -> float:
    if rng.random() < UNLIMITED_SHARE:
        return UNLIMITED_MPS
    return KPH * float(rng.choice(LIMITS_KPH))


def _axis(rng: Rng, length_m: float) -> Axis:
    count = int(length_m / BEND_M) + 2
    bends = rng.uniform(-1.0, 1.0, count) / RADIUS_M
    bends[rng.random(count) < 0.3] = 0.0
    s = np.arange(0.0, length_m, AXIS_M)
    angle = np.cumsum(np.interp(s, BEND_M * np.arange(count), bends)) * AXIS_M
    x = np.concatenate(([0.0], np.cumsum(AXIS_M * np.cos(angle))[:-1]))
    y = np.concatenate(([0.0], np.cumsum(AXIS_M * np.sin(angle))[:-1]))
    return Axis(x, y, angle)


# ------------------------------------------------------------------ pieces


def _node(pen: _Pen, name: str) -> Node:
    return Node(name, *pen.axis.point(pen.at_m, pen.left_m))


def _straight_on(pen: _Pen, length_m: float) -> None:
    """The motorway, as wide as before."""
    before = pen.main[-1] if pen.main else None
    _edge(pen, length_m, pen.lanes)
    if before is not None:
        _join(pen, before, pen.main[-1], pen.lanes)


def _edge(pen: _Pen, length_m: float, lanes: int) -> None:
    """The next edge of the motorway, not yet joined to the last."""
    name = f"m{len(pen.main)}"
    pen.nodes.append(_node(pen, f"n{len(pen.main)}"))
    end = pen.at_m + length_m
    shape = [(s, pen.left_m) for s in _steps(pen.at_m, end)]
    pen.edges.append(
        Edge(
            name, f"n{len(pen.main)}", f"n{len(pen.main) + 1}", pen.limit_mps, lanes, LANE_M,
            priority=9, shape_m=tuple(pen.axis.point(*each) for each in shape),
        )
    )  # fmt: skip
    pen.main.append(name)
    pen.at_m = end


def _steps(begin_m: float, end_m: float) -> list[float]:
    return [float(s) for s in np.linspace(begin_m, end_m, max(2, int((end_m - begin_m) / STEP_M)))]


def _join(pen: _Pen, start: str, end: str, count: int, skip: int = 0, onto: int = 0) -> None:
    """Lane `skip + i` of one edge leads to lane `onto + i` of the next (0: the rightmost)."""
    pen.links += [Link(start, end, skip + i, onto + i) for i in range(count)]


def _on_ramp(pen: _Pen) -> None:
    """A ramp, its acceleration lane of 200 to 300 m, and the motorway after it."""
    before, join_m = pen.main[-1], pen.uniform(200.0, 300.0)
    ramp = _ramp_in(pen)
    _edge(pen, join_m, pen.lanes + 1)
    join = pen.main[-1]
    _join(pen, before, join, pen.lanes, onto=1)
    pen.links.append(Link(ramp, join))
    pen.on.append((ramp, join, pen.at_m))
    _edge(pen, pen.uniform(500.0, 900.0), pen.lanes)
    _join(pen, join, pen.main[-1], pen.lanes, skip=1)
    pen.words.append(f"acceleration lane {join_m:.0f} m")


def _exit(pen: _Pen) -> None:
    """A deceleration lane of 200 to 300 m, the ramp off, and the motorway after it."""
    before, beside_m = pen.main[-1], pen.uniform(200.0, 300.0)
    _edge(pen, beside_m, pen.lanes + 1)
    _join(pen, before, pen.main[-1], pen.lanes, onto=1)
    _leave(pen)
    pen.words.append(f"exit {beside_m:.0f} m")


def _leave(pen: _Pen) -> None:
    """Off the rightmost lane of the last edge, and the motorway after it without that lane."""
    beside = pen.main[-1]
    ramp = _ramp_out(pen)
    pen.links.append(Link(beside, ramp))
    pen.off.append((beside, ramp, pen.at_m))
    _edge(pen, pen.uniform(900.0, 1200.0), pen.lanes)  # the next ramp on must not cross this one
    _join(pen, beside, pen.main[-1], pen.lanes, skip=1)


def _knot(pen: _Pen) -> None:
    """An interchange: first off, then on."""
    _exit(pen)
    _on_ramp(pen)


def _weave(pen: _Pen) -> None:
    """A cloverleaf's weaving lane: the lane that comes from one ramp leads to the next."""
    before, shared_m = pen.main[-1], pen.uniform(350.0, 500.0)
    ramp = _ramp_in(pen)
    _edge(pen, shared_m, pen.lanes + 1)
    shared = pen.main[-1]
    _join(pen, before, shared, pen.lanes, onto=1)
    pen.links.append(Link(ramp, shared))
    pen.on.append((ramp, shared, pen.at_m))
    _leave(pen)
    pen.words.append(f"weaving {shared_m:.0f} m")


def _works(pen: _Pen) -> None:
    """A stretch with a limit of 80; where there are three lanes or more the left one is closed."""
    limit, length_m = pen.limit_mps, pen.uniform(700.0, 1200.0)
    pen.limit_mps = min(limit, KPH * BEFORE_WORKS_KPH)
    _straight_on(pen, 400.0)
    pen.limit_mps = KPH * WORKS_KPH
    before, closed = pen.main[-1], pen.lanes > 2
    if closed:
        pen.lanes, pen.left_m = pen.lanes - 1, pen.left_m - LANE_M
    _edge(pen, length_m, pen.lanes)
    _join(pen, before, pen.main[-1], pen.lanes)
    before, pen.limit_mps = pen.main[-1], limit
    count = pen.lanes
    if closed:
        pen.lanes, pen.left_m = pen.lanes + 1, pen.left_m + LANE_M
    _edge(pen, pen.uniform(600.0, 1000.0), pen.lanes)
    _join(pen, before, pen.main[-1], count)
    pen.words.append(f"works {length_m:.0f} m{', left lane closed' if closed else ''}")


def _ramp_in(pen: _Pen) -> str:
    """A ramp that becomes a new rightmost lane here."""
    name, length_m = f"in{len(pen.on)}", pen.uniform(320.0, 400.0)
    edge_m = pen.left_m - pen.lanes * LANE_M
    begin = (pen.at_m - length_m, edge_m - ASIDE_M)
    shape = _swerve(begin, (pen.at_m - PARALLEL_M, edge_m))
    shape += [(s, edge_m) for s in _steps(pen.at_m - PARALLEL_M, pen.at_m)[1:]]
    pen.nodes.append(Node(f"{name}a", *pen.axis.point(*begin)))
    _ramp(pen, name, f"{name}a", f"n{len(pen.main)}", shape)
    return name


def _ramp_out(pen: _Pen) -> str:
    """A ramp that goes on from the rightmost lane here."""
    name, length_m = f"out{len(pen.off)}", pen.uniform(320.0, 400.0)
    edge_m = pen.left_m - pen.lanes * LANE_M
    end = (pen.at_m + length_m, edge_m - ASIDE_M)
    shape = [(s, edge_m) for s in _steps(pen.at_m, pen.at_m + PARALLEL_M)[:-1]]
    shape += _swerve((pen.at_m + PARALLEL_M, edge_m), end)
    pen.nodes.append(Node(f"{name}b", *pen.axis.point(*end)))
    _ramp(pen, name, f"n{len(pen.main)}", f"{name}b", shape)
    return name


def _ramp(pen: _Pen, name: str, start: str, end: str, shape: list[tuple[float, float]]) -> None:
    points = tuple(pen.axis.point(*each) for each in shape)
    limit = KPH * RAMP_KPH
    pen.edges.append(Edge(name, start, end, limit, 1, LANE_M, priority=3, shape_m=points))


def _swerve(begin: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """A line beside the axis that is parallel to it at both ends."""
    found = []
    for f in np.linspace(0.0, 1.0, int((end[0] - begin[0]) / STEP_M)).tolist():
        rise = f * f * f * (10.0 - 15.0 * f + 6.0 * f * f)
        found.append((begin[0] + f * (end[0] - begin[0]), begin[1] + rise * (end[1] - begin[1])))
    return found
