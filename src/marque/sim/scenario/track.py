"""A trajectory laid on the ground: where it runs, metre by metre.

A track is a polyline fine enough to be the curve (it cuts corners by less than `SAGITTA_M`), with
the heading of whoever follows it, and times where the file gives some.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.geometry import arc_length, wrap_angle
from marque.maps.formats.opendrive.curves import clothoid
from marque.sim.scenario.positions import Position
from marque.sim.scenario.trajectories import Clothoids, Nurbs, Polyline, Trajectory

SAGITTA_M = 2e-4
LONGEST_M = 5.0  # of a step on a curve
NURBS_STEPS = 200  # between two knots
SAME_M = 1e-9

Pose = tuple[float, float, float]  # x, y, heading
Lay = Callable[[Position], Pose]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A path of n points. heading_rad: of whoever follows; may differ from the direction."""

    name: str
    points_m: FloatArray  # [n, 2]
    s_m: FloatArray  # [n]
    heading_rad: FloatArray  # [n] continuous; on corners, see `stepwise`
    time_s: FloatArray | None  # [n] never falls
    stepwise: bool  # heading is that of the piece, not interpolated

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def length_m(self) -> float:
        """From end to end."""
        return float(self.s_m[-1])

    def pose(self, s_m: float, t_m: float = 0.0) -> Pose:
        """Where s is, t to the left of the direction there; s outside is taken to the ends."""
        s = min(max(s_m, 0.0), self.length_m)
        i, part = self._piece(s)
        (ax, ay), (bx, by) = self.points_m[i].tolist(), self.points_m[i + 1].tolist()
        x, y = ax + part * (bx - ax), ay + part * (by - ay)
        heading = float(self.heading_rad[i])
        if not self.stepwise:
            heading += part * (float(self.heading_rad[i + 1]) - heading)
        if t_m:
            size = math.hypot(bx - ax, by - ay)
            x, y = x - t_m * (by - ay) / size, y + t_m * (bx - ax) / size
        return x, y, float(wrap_angle(heading))

    def s_at(self, time_s: float) -> float:
        """How far along one is at a time. The track has times."""
        assert self.time_s is not None
        return float(np.interp(time_s, self.time_s, self.s_m))

    def speed_at(self, time_s: float) -> float:
        """The speed that the times ask for just before a time; 0 outside of them."""
        assert self.time_s is not None
        i = int(np.searchsorted(self.time_s, time_s, side="left"))
        if i <= 0 or i >= len(self.time_s):
            return 0.0
        span = float(self.time_s[i] - self.time_s[i - 1])
        return float(self.s_m[i] - self.s_m[i - 1]) / span if span > 0.0 else 0.0

    def nearest(self, x_m: float, y_m: float) -> float:
        """s of the point that is nearest to (x, y)."""
        start, step = self.points_m[:-1], np.diff(self.points_m, axis=0)
        square = np.einsum("ij,ij->i", step, step)
        away = np.array((x_m, y_m)) - start
        part = np.clip(np.einsum("ij,ij->i", away, step) / square, 0.0, 1.0)
        gap = away - part[:, None] * step
        i = int(np.argmin(np.einsum("ij,ij->i", gap, gap)))
        return float(self.s_m[i] + part[i] * (self.s_m[i + 1] - self.s_m[i]))

    def _piece(self, s: float) -> tuple[int, float]:
        i = int(np.searchsorted(self.s_m, s, side="right")) - 1
        i = min(max(i, 0), len(self.s_m) - 2)
        return i, (s - float(self.s_m[i])) / float(self.s_m[i + 1] - self.s_m[i])


def lay_track(trajectory: Trajectory, lay: Lay, here: Pose) -> Track:
    """The track of a trajectory. lay: where a position is; here: where the follower is now.

    MarqueError: a position that does not exist, or a track without length.
    """
    shape = trajectory.shape
    if isinstance(shape, Polyline):
        parts = _polyline(shape, lay)
    elif isinstance(shape, Clothoids):
        parts = _clothoids(shape, lay, here)
    else:
        parts = _nurbs(shape, lay)
    points, heading, times, stepwise = parts
    if trajectory.closed and np.hypot(*(points[0] - points[-1])) > SAME_M:
        points = np.vstack((points, points[:1]))
        heading = np.append(heading, heading[0])
        times = None
    keep = np.append(True, np.hypot(*np.diff(points, axis=0).T) > SAME_M)
    if keep.sum() < 2:
        raise trajectory.node.error("has no length")
    points, heading = points[keep], np.unwrap(heading[keep])
    if stepwise:
        step = np.diff(points, axis=0)
        heading = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        heading = np.append(heading, heading[-1])
    time = None if times is None else times[keep]
    return Track(trajectory.name, points, arc_length(points), heading, time, stepwise)


Parts = tuple[FloatArray, FloatArray, FloatArray | None, bool]


def _polyline(shape: Polyline, lay: Lay) -> Parts:
    poses = np.array([lay(vertex.position) for vertex in shape.vertices])
    stepwise = not all(vertex.oriented for vertex in shape.vertices)
    known = [vertex.time_s for vertex in shape.vertices if vertex.time_s is not None]
    times = np.array(known) if len(known) == len(shape.vertices) else None
    return poses[:, :2], poses[:, 2], times, stepwise


def _clothoids(shape: Clothoids, lay: Lay, here: Pose) -> Parts:
    at = here
    rows = [at]
    for number, bend in enumerate(shape.bends):
        x, y, heading = at if bend.start is None else lay(bend.start)
        if number == 0:
            rows = [(x, y, heading + bend.turn_rad)]
        heading += bend.turn_rad
        ramp = (bend.end_1pm - bend.start_1pm) / bend.length_m if bend.length_m > 0.0 else 0.0
        c, d = math.cos(heading), math.sin(heading)
        sharpest = max(abs(bend.start_1pm), abs(bend.end_1pm))
        for ds in _steps(bend.length_m, sharpest):
            u, v, turn = clothoid(bend.start_1pm, ramp, ds)
            rows.append((x + c * u - d * v, y + d * u + c * v, heading + turn))
        at = rows[-1]
    table = np.array(rows)
    times = None
    first, last = shape.start_time_s, shape.bends[-1].end_time_s
    if last is not None:
        times = np.interp(
            arc_length(table[:, :2]),
            (0.0, sum(b.length_m for b in shape.bends)),
            (first or 0.0, last),
        )
    return table[:, :2], table[:, 2], times, False


def _steps(length_m: float, sharpest_1pm: float) -> list[float]:
    step = min(LONGEST_M, math.sqrt(8.0 * SAGITTA_M / max(sharpest_1pm, 1e-9)))
    count = 1 if sharpest_1pm < SAME_M else max(1, math.ceil(length_m / step))
    return [length_m * (i + 1) / count for i in range(count)] if length_m > 0.0 else []


def _nurbs(shape: Nurbs, lay: Lay) -> Parts:
    """Homogeneous control points through de Boor's recurrence, evenly between the knots."""
    control = np.array([[*lay(p.position)[:2], 1.0] for p in shape.points]) * np.array(
        [[p.weight] for p in shape.points]
    )
    low, high = shape.order - 1, len(shape.points)
    spans = [
        (a, b)
        for a, b in zip(shape.knots[low:high], shape.knots[low + 1 : high + 1], strict=True)
        if b > a
    ]
    at = [a + (b - a) * i / NURBS_STEPS for a, b in spans for i in range(NURBS_STEPS)]
    at.append(shape.knots[high])
    curve = np.array([de_boor(shape.order, shape.knots, control, u) for u in at])
    points = curve[:, :2] / curve[:, 2:]
    step = np.gradient(points, axis=0)
    times = None
    given = [p.time_s for p in shape.points if p.time_s is not None]
    if len(given) == len(shape.points):
        timed = np.array(given)[:, None] * np.array([[p.weight] for p in shape.points])
        times = np.maximum.accumulate(
            np.array([de_boor(shape.order, shape.knots, timed, u)[0] for u in at]) / curve[:, 2]
        )
    return points, np.unwrap(np.arctan2(step[:, 1], step[:, 0])), times, False


def de_boor(order: int, knots: tuple[float, ...], control: FloatArray, u: float) -> FloatArray:
    """A B-spline of control points [m, k] at u -> [k]."""
    degree = order - 1
    k = min(max(int(np.searchsorted(knots, u, side="right")) - 1, degree), len(control) - 1)
    d = [control[j + k - degree].copy() for j in range(order)]
    for r in range(1, order):
        for j in range(degree, r - 1, -1):
            left, right = knots[j + k - degree], knots[j + 1 + k - r]
            part = (u - left) / (right - left) if right > left else 0.0
            d[j] = (1.0 - part) * d[j - 1] + part * d[j]
    out: FloatArray = d[degree]
    return out
