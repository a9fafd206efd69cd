"""A path: the drivable centre line through a sequence of lanes, evenly sampled.

Sampling is `STEP_M`; sample i lies at s = i * STEP_M from the path's own start.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, freeze_arrays
from marque.core.geometry import arc_length, curvatures, headings
from marque.core.jit import jit
from marque.types.road_map import RoadMap

STEP_M = 0.5
SMOOTH_M = 2.2  # standard deviation of the low pass that makes curvature continuous


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """n samples, `STEP_M` apart, map frame."""

    lanes: tuple[int, ...]
    xy_m: FloatArray  # [n, 2]
    heading_rad: FloatArray  # [n], unwrapped
    curvature_1pm: FloatArray  # [n]
    lane: Int32Array  # [n] lane under each sample
    lane_s_m: FloatArray  # [n] arc length along that lane
    start_m: FloatArray  # [len(lanes)] path s where each lane begins (may be negative)

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def length_m(self) -> float:
        """Path length."""
        return (len(self.xy_m) - 1) * STEP_M

    def place_m(self, k: int, s_m: float) -> float:
        """Path metres of a place on the k-th of its lanes; straight on beyond the samples on it."""
        rows = np.flatnonzero(self.lane == self.lanes[k])
        if len(rows) == 0:
            return float(self.start_m[k]) + s_m
        on = self.lane_s_m[rows]
        beyond = s_m - min(float(on[-1]), max(float(on[0]), s_m))
        return STEP_M * float(np.interp(s_m, on, rows)) + beyond


def build_path(
    road_map: RoadMap, lanes: tuple[int, ...], start_s_m: float, length_m: float
) -> Path:
    """Centre line along consecutive `lanes` (each a successor of the one before).

    Starts at `start_s_m` of the first lane and ends after `length_m` or with the last lane.
    """
    points: list[FloatArray] = []
    lane_of = []
    s_of = []
    for lane in lanes:
        xy = road_map.points(lane)
        s = road_map.arc(lane)
        keep = slice(0, None) if not points else slice(1, None)
        points.append(xy[keep])
        lane_of.append(np.full(len(xy[keep]), lane, dtype=np.int32))
        s_of.append(s[keep])
    xy = np.concatenate(points)
    s = arc_length(xy)
    first = float(np.interp(start_s_m, road_map.arc(lanes[0]), s[: len(points[0])]))
    last = min(first + length_m, float(s[-1]))
    count = max(3, int((last - first) / STEP_M) + 1)
    at = first + np.arange(count) * STEP_M
    at = np.minimum(at, s[-1])
    raw = np.column_stack((np.interp(at, s, xy[:, 0]), np.interp(at, s, xy[:, 1])))
    begin = np.cumsum([0.0] + [len(p) for p in points])[:-1].astype(int)
    index = np.searchsorted(s, at, side="right") - 1
    lane = np.concatenate(lane_of)[np.clip(index + 1, 0, len(s) - 1)]
    starts = s[np.maximum(begin - 1, 0)] - first
    starts[0] = -first
    lane_s = at - first - starts[_position(lane, lanes)]
    return relaid(smoothed(raw), lanes, lane, lane_s, starts)


def relaid(
    xy_m: FloatArray,
    lanes: tuple[int, ...],
    lane: Int32Array,
    lane_s_m: FloatArray,
    start_m: FloatArray,
    reach: int = 2,
) -> Path:
    """The path along a line [n, 2] that was moved away from an evenly spaced one, point by point.

    `lane`, `lane_s_m` [n] and `start_m` are those of the line before. It is spaced evenly again,
    and what lay on it keeps its place, not its distance: a smoothed bend is shorter. `reach` of
    the moving average over curvature, samples.
    """
    s = arc_length(xy_m)
    station = np.arange(len(s)) * STEP_M
    count = max(3, int(s[-1] / STEP_M) + 1)
    at = np.minimum(np.arange(count) * STEP_M, s[-1])
    line = np.column_stack((np.interp(at, s, xy_m[:, 0]), np.interp(at, s, xy_m[:, 1])))
    where = np.interp(at, s, station)
    index = np.minimum((where / STEP_M).astype(np.int64), len(lane) - 1)
    start = start_m.copy()
    inside = (start > 0.0) & (start <= station[-1])
    start[inside] = np.interp(start[inside], station, s)
    beyond = start > station[-1]
    start[beyond] += s[-1] - station[-1]
    lane_s = lane_s_m[index] + where - index * STEP_M
    return from_line(line, lanes, lane[index], lane_s, start, reach)


def from_line(
    xy_m: FloatArray,
    lanes: tuple[int, ...],
    lane: Int32Array,
    lane_s_m: FloatArray,
    start_m: FloatArray,
    reach: int = 2,
) -> Path:
    """A path along any evenly spaced line [n, 2], with the lane bookkeeping of another one.

    `reach` of the moving average over curvature, samples.
    """
    return Path(
        lanes=lanes,
        xy_m=xy_m,
        heading_rad=np.unwrap(headings(xy_m)),
        curvature_1pm=_low_pass(curvatures(xy_m), reach),
        lane=lane,
        lane_s_m=lane_s_m,
        start_m=start_m,
    )


def trailed(path: Path, lead_m: float) -> Path:
    """The line of a rear axle whose body point `lead_m` ahead follows `path`.

    A body that is led by a point ahead of its axle cuts corners as a trailer does: its curvature
    is bounded by 1 / lead_m and changes smoothly, and the body, not the axle, keeps to the middle.
    """
    xy = path.xy_m
    rear = _tractrix(xy, path.heading_rad[0], lead_m)
    ahead = round(lead_m / STEP_M)
    rear = rear[ahead:]  # sample j leads from j + ahead: the axle itself is then near sample j
    return relaid(rear, path.lanes, path.lane, path.lane_s_m, path.start_m, reach=1)


@jit
def _tractrix(xy: FloatArray, heading: float, lead: float) -> FloatArray:
    """Where the axle is when its lead point is at each sample of xy [n, 2]."""
    out = np.empty_like(xy)
    rx = xy[0, 0] - lead * math.cos(heading)
    ry = xy[0, 1] - lead * math.sin(heading)
    for i in range(xy.shape[0]):
        dx = xy[i, 0] - rx
        dy = xy[i, 1] - ry
        length = math.hypot(dx, dy)
        rx = xy[i, 0] - lead * dx / length
        ry = xy[i, 1] - lead * dy / length
        out[i, 0] = rx
        out[i, 1] = ry
    return out


def _position(lane: Int32Array, lanes: tuple[int, ...]) -> Int32Array:
    """Position of each sample's lane in the sequence (a lane may not occur twice)."""
    order = np.argsort(lanes)
    return order[np.searchsorted(np.asarray(lanes)[order], lane)].astype(np.int32)


def smoothed(xy_m: FloatArray) -> FloatArray:
    """Gaussian low pass along an evenly spaced line [n, 2]; ends stay where they are."""
    reach = int(3.0 * SMOOTH_M / STEP_M)
    if len(xy_m) < 3:
        return xy_m
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP_M / SMOOTH_M) ** 2)
    kernel /= kernel.sum()
    head = 2.0 * xy_m[0] - xy_m[1 : min(reach, len(xy_m) - 1) + 1][::-1]
    tail = 2.0 * xy_m[-1] - xy_m[-min(reach, len(xy_m) - 1) - 1 : -1][::-1]
    padded = np.concatenate((head, xy_m, tail))
    missing_head = reach - len(head)
    missing_tail = reach - len(tail)
    padded = np.pad(padded, ((missing_head, missing_tail), (0, 0)), mode="edge")
    return np.column_stack(
        (np.convolve(padded[:, 0], kernel, "valid"), np.convolve(padded[:, 1], kernel, "valid"))
    )


def _low_pass(values: FloatArray, reach: int) -> FloatArray:
    """Moving average over 2 * reach + 1 samples, ends repeated."""
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1.0 / (2 * reach + 1)), "valid")
