"""Which lane a point is on, and whether a footprint stands on the road.

Both questions are answered from one cell of a grid, so that a whole scene is matched in a fraction
of a millisecond. All coordinates are map metres, headings counter-clockwise from east.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, IntArray, read_only
from marque.core.jit import jit
from marque.maps.area import covers, make_area
from marque.maps.grid import CELL_M, make_grid, slot_of
from marque.types.codes import Allow, LaneKind, UserKind
from marque.types.road_map import NONE, RoadMap

MATCH_REACH_M = 4.0  # farther from a centre line, a road user is on no lane
_BLOCK = 8  # segments that are looked at, or skipped, together
_HEADING_M = 2.5  # a heading error of 1 rad weighs as much as this distance
_AS_NEAR, _AS_NEAR_M2 = 1e-9, 1e-12  # of squared distances: share, and rounding
_SAME_M = 1e-9
_CLOSED_M = 2.0  # and so does a lane that is closed to the road user

_WALK = int(LaneKind.WALK)
_PEDESTRIAN = int(UserKind.PEDESTRIAN)
_OBSTACLE = int(UserKind.OBSTACLE)
_BITS_OF_KIND = np.zeros(len(UserKind), dtype=np.int64)  # 0: welcome nowhere, found anywhere
_BITS_OF_KIND[UserKind.CAR] = Allow.CAR
_BITS_OF_KIND[UserKind.TRUCK] = Allow.TRUCK
_BITS_OF_KIND[UserKind.BUS] = Allow.BUS
_BITS_OF_KIND[UserKind.MOTORCYCLE] = Allow.MOTORCYCLE
_BITS_OF_KIND[UserKind.BICYCLE] = Allow.BICYCLE
_BITS_OF_KIND[UserKind.PEDESTRIAN] = Allow.PEDESTRIAN


class LaneIndex:
    """Grid over the lanes of one map. Lanes for no road user (kind OTHER, e.g. rail) are out."""

    __slots__ = ("_allow", "_allow_roads", "_area", "_geometry")

    def __init__(self, road_map: RoadMap) -> None:
        lane, first, last = _blocks(road_map)
        xy = road_map.pt_xy_m
        middle = 0.5 * (xy[first] + xy[last])
        radius = _block_radius(xy, middle, first, last)
        reach = (radius + MATCH_REACH_M)[:, None]
        grid = make_grid(np.hstack((middle - reach, middle + reach)))
        ball = np.column_stack((middle, radius))
        self._geometry = (
            grid.key, grid.start, grid.item, ball, lane, first, last, xy, road_map.pt_s_m,
            road_map.lane_kind,
        )  # fmt: skip
        self._allow = road_map.lane_allow
        roads = np.where(road_map.lane_connector, 0, self._allow).astype(np.int8)
        self._allow_roads = read_only(roads)
        self._area = make_area(road_map)

    def nearest(
        self,
        x_m: float,
        y_m: float,
        heading_rad: float | None = None,
        allow: int = Allow.CAR,
        max_m: float = 15.0,
        connectors: bool = True,
    ) -> tuple[int, float, float] | None:
        """(lane, s_m, d_m) of the best lane open for `allow` within `max_m`, d left positive.

        With a heading, a lane that runs that way wins over a nearer one that does not.
        `connectors=False` leaves lanes across junctions out.
        """
        angle = 0.0 if heading_rad is None else heading_rad
        weight = 0.0 if heading_rad is None else _HEADING_M
        rings = max(0, math.ceil((max_m - MATCH_REACH_M) / CELL_M))
        lane, s, d = _best_lane(
            float(x_m), float(y_m), math.cos(angle), math.sin(angle), weight,
            int(allow), True, float(max_m), rings,
            self._allow if connectors else self._allow_roads, *self._geometry,
        )  # fmt: skip
        return None if lane == NONE else (int(lane), float(s), float(d))

    def match_many(
        self, x_m: FloatArray, y_m: FloatArray, heading_rad: FloatArray, kind: Int8Array
    ) -> tuple[Int32Array, FloatArray, FloatArray]:
        """(lane, s_m, d_m) of n road users; lane NONE where no centre line is within reach.

        Vehicles prefer lanes open to them but are found on others too; pedestrians match lanes
        open for walking, whatever their heading; obstacles any lane, whatever their heading.
        """
        count = len(x_m)
        lane = np.empty(count, dtype=np.int32)
        s = np.empty(count)
        d = np.empty(count)
        _match_many(
            read_only(x_m), read_only(y_m), read_only(heading_rad), read_only(kind),
            lane, s, d, _BITS_OF_KIND, self._allow, *self._geometry,
        )  # fmt: skip
        return lane, s, d

    def on_drivable_many(self, corners_m: FloatArray) -> BoolArray:
        """Whether each footprint [n, k, 2] lies on the drivable area (every corner does)."""
        return covers(self._area, corners_m)


def on_drivable(road_map: RoadMap, index: LaneIndex, corners_m: FloatArray) -> bool:
    """Whether a footprint polygon [k, 2] lies on the drivable area, 0.3 m tolerance.

    Drivable are the strips of all lanes but those for walking, and the inside of junctions.
    `index` must be that of `road_map`.
    """
    return bool(index.on_drivable_many(corners_m[None])[0])


def nearest_of(
    road_map: RoadMap, lanes: Int32Array, x_m: float, y_m: float, heading_rad: float
) -> tuple[int, float, float]:
    """(lane, s_m, d_m) of the best of the given lanes (e.g. those of a route), at any range.

    Lanes early in the list win a tie. `lanes` must not be empty.
    """
    lane, s, d = _best_of(
        lanes, float(x_m), float(y_m), math.cos(heading_rad), math.sin(heading_rad),
        road_map.pt_off, road_map.pt_xy_m, road_map.pt_s_m,
    )  # fmt: skip
    return int(lane), float(s), float(d)


def footprint(
    x_m: FloatArray, y_m: FloatArray, heading_rad: FloatArray, length_m: float, width_m: float
) -> FloatArray:
    """Corners [n, 4, 2] of n boxes by their middles: front left, rear left, rear right, front."""
    along = 0.5 * length_m * np.column_stack((np.cos(heading_rad), np.sin(heading_rad)))
    aside = 0.5 * width_m * np.column_stack((-np.sin(heading_rad), np.cos(heading_rad)))
    middle = np.column_stack((x_m, y_m))
    return np.stack(
        (middle + along + aside, middle - along + aside, middle - along - aside,
         middle + along - aside),
        axis=1,
    )  # fmt: skip


def _blocks(road_map: RoadMap) -> tuple[Int32Array, Int32Array, Int32Array]:
    """Lane, first and last point of each run of up to `_BLOCK` segments."""
    use = (road_map.lane_allow != 0) | (road_map.lane_kind != LaneKind.OTHER)
    off = road_map.pt_off.astype(np.int64)
    segments = np.where(use, np.diff(off) - 1, 0)
    parts = -(-np.maximum(segments, 0) // _BLOCK)
    lane = np.repeat(np.arange(road_map.lane_count), parts)
    part = np.arange(len(lane)) - np.repeat(np.cumsum(parts) - parts, parts)
    first = off[lane] + part * _BLOCK
    last = np.minimum(first + _BLOCK, off[lane + 1] - 1)
    return lane.astype(np.int32), first.astype(np.int32), last.astype(np.int32)


@jit
def _block_radius(
    xy: FloatArray, middle: FloatArray, first: Int32Array, last: Int32Array
) -> FloatArray:
    radius = np.zeros(len(first))
    for b in range(len(first)):
        for i in range(first[b], last[b] + 1):
            gap = math.hypot(xy[i, 0] - middle[b, 0], xy[i, 1] - middle[b, 1])
            radius[b] = max(radius[b], gap)
    return radius


@jit
def _match_many(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    kind: Int8Array,
    lane: Int32Array,
    s: FloatArray,
    d: FloatArray,
    bits_of_kind: IntArray,
    allow: Int8Array,
    key: IntArray,
    start: Int32Array,
    item: Int32Array,
    ball: FloatArray,
    block_lane: Int32Array,
    first: Int32Array,
    last: Int32Array,
    xy: FloatArray,
    arc: FloatArray,
    lane_kind: Int8Array,
) -> None:
    for i in range(len(x)):
        only_open = kind[i] == _PEDESTRIAN
        weight = 0.0 if only_open or kind[i] == _OBSTACLE else _HEADING_M
        lane[i], s[i], d[i] = _best_lane(
            x[i], y[i], math.cos(heading[i]), math.sin(heading[i]), weight,
            bits_of_kind[kind[i]], only_open, MATCH_REACH_M, 0, allow,
            key, start, item, ball, block_lane, first, last, xy, arc, lane_kind,
        )  # fmt: skip


@jit
def _best_lane(
    x: float,
    y: float,
    cos_h: float,
    sin_h: float,
    weight: float,
    bits: int,
    only_open: bool,
    max_m: float,
    rings: int,
    allow: Int8Array,
    key: IntArray,
    start: Int32Array,
    item: Int32Array,
    ball: FloatArray,
    block_lane: Int32Array,
    first: Int32Array,
    last: Int32Array,
    xy: FloatArray,
    arc: FloatArray,
    lane_kind: Int8Array,
) -> tuple[int, float, float]:
    best = 1e300
    best_lane = -1
    best_s = 0.0
    best_d = 0.0
    for jx in range(-rings, rings + 1):
        for jy in range(-rings, rings + 1):
            at = slot_of(key, x + jx * CELL_M, y + jy * CELL_M)
            for e in range(start[at], start[at + 1]):
                b = item[e]
                lane = block_lane[b]
                extra = 0.0
                if allow[lane] & bits == 0:
                    if only_open or lane_kind[lane] == _WALK:
                        continue
                    extra = _CLOSED_M
                away = math.hypot(x - ball[b, 0], y - ball[b, 1]) - ball[b, 2]
                if away > max_m or away + extra >= best:
                    continue
                cost, gap, s, d = _fit(x, y, cos_h, sin_h, weight, xy, arc, first[b], last[b])
                if gap > max_m or cost + extra >= best:
                    continue
                if not _nearer_next(x, y, s, b, block_lane, first, last, xy, arc):
                    best = cost + extra
                    best_lane = lane
                    best_s = s
                    best_d = d
    return best_lane, best_s, best_d


@jit
def _nearer_next(
    x: float,
    y: float,
    s: float,
    b: int,
    block_lane: Int32Array,
    first: Int32Array,
    last: Int32Array,
    xy: FloatArray,
    arc: FloatArray,
) -> bool:
    """Whether the place found on a block is its end, and the same lane comes nearer beyond. Where
    a lane is cut into blocks must not decide where on a sharp bend somebody is."""
    after = b + 1 < len(first) and block_lane[b + 1] == block_lane[b]
    if after and s >= arc[last[b]] - _SAME_M:
        return _comes_nearer(x, y, xy, last[b], last[b] + 1)
    before = b > 0 and block_lane[b - 1] == block_lane[b]
    if before and s <= arc[first[b]] + _SAME_M:
        return _comes_nearer(x, y, xy, first[b], first[b] - 1)
    return False


@jit
def _comes_nearer(x: float, y: float, xy: FloatArray, i: int, j: int) -> bool:
    ux, uy = xy[j, 0] - xy[i, 0], xy[j, 1] - xy[i, 1]
    return bool(ux * (x - xy[i, 0]) + uy * (y - xy[i, 1]) > 0.0)


@jit
def _best_of(
    lanes: Int32Array,
    x: float,
    y: float,
    cos_h: float,
    sin_h: float,
    off: Int32Array,
    xy: FloatArray,
    arc: FloatArray,
) -> tuple[int, float, float]:
    best = 1e300
    best_lane = lanes[0]
    best_s = 0.0
    best_d = 0.0
    for i in range(len(lanes)):
        lane = lanes[i]
        cost, _, s, d = _fit(x, y, cos_h, sin_h, _HEADING_M, xy, arc, off[lane], off[lane + 1] - 1)
        if cost < best - 1e-9:
            best = cost
            best_lane = lane
            best_s = s
            best_d = d
    return best_lane, best_s, best_d


@jit
def _fit(
    x: float,
    y: float,
    cos_h: float,
    sin_h: float,
    weight: float,
    xy: FloatArray,
    arc: FloatArray,
    first: int,
    last: int,
) -> tuple[float, float, float, float]:
    """(cost, distance, s, d) of the nearest point of xy[first:last + 1], heading included. Beyond a
    corner both its segments are as near; then the one that runs more our way counts."""
    best = 1e300
    best_s = 0.0
    side = 1.0
    turn = -2.0
    for i in range(first, last):
        ux = xy[i + 1, 0] - xy[i, 0]
        uy = xy[i + 1, 1] - xy[i, 1]
        px = x - xy[i, 0]
        py = y - xy[i, 1]
        length2 = ux * ux + uy * uy
        if length2 <= 0.0:
            continue
        t = min(1.0, max(0.0, (px * ux + py * uy) / length2))
        dx = px - t * ux
        dy = py - t * uy
        gap2 = dx * dx + dy * dy
        slack = _AS_NEAR * best + _AS_NEAR_M2
        if gap2 > best + slack:
            continue
        along = (cos_h * ux + sin_h * uy) / math.sqrt(length2)
        if gap2 < best - slack or along > turn:
            best = gap2
            best_s = arc[i] + t * (arc[i + 1] - arc[i])
            side = 1.0 if ux * py - uy * px >= 0.0 else -1.0
            turn = along
    gap = math.sqrt(best)
    cost = gap + weight * math.sqrt(max(0.0, 2.0 - 2.0 * turn))
    return cost, gap, best_s, side * gap
