"""The drivable area: strips of lanes with their width, and the inside of junctions.

It is made of the importer's own geometry, so that smoothing does not widen the road that it is
judged by. One exception: where the importer's lanes jump sideways from one to the next, or kink,
no car can stay within their strips; there the strip around the smoothed centre line counts too.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array, IntArray, freeze_arrays
from marque.core.jit import jit
from marque.maps.grid import CELL_M, Grid, make_grid, slot_of
from marque.types.codes import LaneKind
from marque.types.road_map import RoadMap

TOLERANCE_M = 0.3
DETOUR_M = 0.1  # a smoothed line farther off than this has its own strip
_THIN = 3  # every third point of a smoothed line is enough: 1.5 m
_PIECE_M = 10.0  # long straight strips are cut, so that their boxes stay small

AreaTables = tuple[IntArray, Int32Array, Int32Array, FloatArray, Int32Array, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class DrivableArea:
    """P pieces of strips and J junction outlines, and the grid over both (P first)."""

    grid: Grid
    piece_m: FloatArray  # [P, 5] x1, y1, x2, y2, half width
    outline_off: Int32Array  # [J+1]
    outline_m: FloatArray  # [Q, 2]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def tables(self) -> AreaTables:
        """The arrays as `on_area` reads them."""
        grid = self.grid
        return grid.key, grid.start, grid.item, self.piece_m, self.outline_off, self.outline_m


def make_area(road_map: RoadMap) -> DrivableArea:
    """The drivable area of a map: every lane but those for walking alone or for no road user."""
    piece = _pieces(road_map)
    reach = (piece[:, 4] + TOLERANCE_M)[:, None]
    low = np.minimum(piece[:, 0:2], piece[:, 2:4]) - reach
    high = np.maximum(piece[:, 0:2], piece[:, 2:4]) + reach
    boxes = [np.hstack((low, high))]
    off, outline = road_map.junction_off, road_map.junction_xy_m
    for j in range(len(off) - 1):
        ring = outline[off[j] : off[j + 1]]
        if len(ring) < 3:  # no area; a box of nothing keeps the numbering
            boxes.append(np.array([[CELL_M, CELL_M, -CELL_M, -CELL_M]]))
            continue
        grown = (ring.min(axis=0) - TOLERANCE_M, ring.max(axis=0) + TOLERANCE_M)
        boxes.append(np.hstack(grown)[None])
    return DrivableArea(make_grid(np.concatenate(boxes)), piece, off.copy(), outline.copy())


def covers(area: DrivableArea, corners_m: FloatArray) -> BoolArray:
    """Whether every corner of each footprint [n, k, 2] lies on the area, with its tolerance."""
    flat = np.ascontiguousarray(corners_m, dtype=np.float64).reshape(-1, 2)
    inside = np.empty(len(flat), dtype=np.bool_)
    _inside(flat, area.tables, inside)
    return np.asarray(inside.reshape(corners_m.shape[:2]).all(axis=1))


def _pieces(road_map: RoadMap) -> FloatArray:
    kind, allow = road_map.lane_kind, road_map.lane_allow
    drivable = (kind != LaneKind.WALK) & ((kind != LaneKind.OTHER) | (allow != 0))
    away = _detours(
        road_map.pt_off, road_map.pt_xy_m, road_map.shape_off, road_map.shape_xy_m, DETOUR_M
    )
    shape_lane = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.shape_off))
    strips = _strips(road_map, road_map.shape_xy_m, shape_lane, shape_lane, drivable)
    lane = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))
    begins = np.diff(lane, prepend=-1) != 0
    begins[1:] |= away[1:] != away[:-1]
    stretch = np.cumsum(begins)  # one number per run of points that are all away, or all not
    ends = begins | np.append(begins[1:], True)
    kept = np.flatnonzero(away & (ends | (np.arange(len(lane)) % _THIN == 0)))
    detours = _strips(road_map, road_map.pt_xy_m[kept], lane[kept], stretch[kept], drivable)
    return np.concatenate((strips, detours))


@jit
def _detours(
    pt_off: Int32Array, pt: FloatArray, shape_off: Int32Array, shape: FloatArray, least: float
) -> BoolArray:
    """[N] points of smoothed lines that lie apart from the importer's line of the same lane."""
    away = np.zeros(len(pt), dtype=np.bool_)
    for lane in range(len(pt_off) - 1):
        k = shape_off[lane]
        end = shape_off[lane + 1] - 1
        for i in range(pt_off[lane], pt_off[lane + 1]):
            best = math.inf
            first = max(shape_off[lane], k - 2)  # both lines run alike: look near the last hit
            for j in range(first, min(end, k + 12)):
                gap2 = gap2_to_segment(
                    pt[i, 0], pt[i, 1], shape[j, 0], shape[j, 1], shape[j + 1, 0], shape[j + 1, 1]
                )
                if gap2 < best:
                    best = gap2
                    k = j
            away[i] = best > least * least
    return away


def _strips(
    road_map: RoadMap, xy: FloatArray, lane_of: IntArray, run: IntArray, drivable: BoolArray
) -> FloatArray:
    """Pieces of strips along points [n, 2]; only points of the same run are joined."""
    same = (run[1:] == run[:-1]) & (lane_of[1:] == lane_of[:-1]) & drivable[lane_of[1:]]
    a, b = xy[:-1][same], xy[1:][same]
    half = 0.5 * road_map.lane_width_m[lane_of[1:][same]]
    parts = np.maximum(1, np.ceil(np.hypot(*(b - a).T) / _PIECE_M)).astype(np.int64)
    row = np.repeat(np.arange(len(a)), parts)
    part = np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
    begin = (part / parts[row])[:, None]
    end = ((part + 1) / parts[row])[:, None]
    step = (b - a)[row]
    return np.hstack((a[row] + begin * step, a[row] + end * step, half[row][:, None]))


@jit
def _inside(xy: FloatArray, tables: AreaTables, inside: BoolArray) -> None:
    for i in range(len(xy)):
        inside[i] = on_area(xy[i, 0], xy[i, 1], tables, TOLERANCE_M)


@jit
def on_area(x: float, y: float, tables: AreaTables, tolerance: float) -> bool:
    """Whether a point lies on the area, or beyond its edge by `tolerance`, TOLERANCE_M at most."""
    key, start, item, piece, off, outline = tables
    at = slot_of(key, x, y)
    for e in range(start[at], start[at + 1]):
        p = item[e]
        if p < len(piece):
            reach = piece[p, 4] + tolerance
            gap2 = gap2_to_segment(x, y, piece[p, 0], piece[p, 1], piece[p, 2], piece[p, 3])
            if gap2 <= reach * reach:
                return True
        else:
            j = p - len(piece)
            if in_ring(x, y, outline, off[j], off[j + 1], tolerance):
                return True
    return False


@jit
def gap2_to_segment(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """Squared distance from a point to a segment."""
    ux = x2 - x1
    uy = y2 - y1
    length2 = ux * ux + uy * uy
    t = 0.0
    if length2 > 0.0:
        t = min(1.0, max(0.0, ((x - x1) * ux + (y - y1) * uy) / length2))
    dx = x - x1 - t * ux
    dy = y - y1 - t * uy
    return dx * dx + dy * dy


@jit
def in_ring(x: float, y: float, ring: FloatArray, lo: int, hi: int, tolerance: float) -> bool:
    """Whether a point lies in the closed polygon ring[lo:hi], or within `tolerance` of its edge."""
    inside = False
    j = hi - 1
    for i in range(lo, hi):
        xi = ring[i, 0]
        yi = ring[i, 1]
        xj = ring[j, 0]
        yj = ring[j, 1]
        if gap2_to_segment(x, y, xj, yj, xi, yi) <= tolerance * tolerance:
            return True
        if (yi > y) != (yj > y) and x < (xj - xi) * (y - yi) / (yj - yi) + xi:
            inside = not inside
        j = i
    return inside
