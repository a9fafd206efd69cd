"""Who may be where nobody can see: hidden stretches of lanes, and people hidden from us.

`watch_unseen(memory, ...) -> memory`, each 100 ms; the result is in `memory.unseen`. Set-based, as
in Orzechowski, Meyer, Lauer, "Tackling occlusions and limited sensor range with set-based safety
verification" (2018), in one dimension along each lane. Laws:

1. Where a sensor looks and nobody is, nobody is. Where a known road user stands, nobody else is.
2. What has never been looked at may hold somebody.
3. From there they come on unseen, no faster than the limit, into what is hidden next; never through
   a place that is seen.
4. A hidden stretch that nobody can have entered is empty once the slowest would have left it.
5. On a crosswalk, and beside somebody who stands at the roadside, what is hidden now may hold
   somebody on foot.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array, IntArray, freeze_arrays
from marque.core.jit import jit
from marque.core.time import NS_PER_S
from marque.kernels.tables import MapTables, map_tables
from marque.stack.perception.view import Eyes, View, bodies, look, sees
from marque.types.codes import UserKind
from marque.types.reading import EgoReading
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Tracks, Unseen

NEAR_M, WALKS_NEAR_M = 80.0, 45.0  # from our car
CELL_M = 2.0
RIDES_MPS = 7.0  # on lanes for bicycles alone
SLOWEST_MPS, RIDES_SLOWEST_MPS = 3.0, 1.5  # of somebody who drives, and does not wait
APART_M, BESIDE_M = 0.75, 1.5  # along a crosswalk; where people stand before it
STANDS_S, AROUND_M, INSET_M = 3.0, 0.5, 0.4  # somebody at the roadside; where people step out
OFF_SHARE = 0.45  # of the body may stand in the lane
NEVER = math.inf

_NOBODY = Unseen(
    np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros(0, np.int32), np.zeros(0), np.zeros(0)
)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Pieces of `CELL_M` of the m lanes near us; of lane i those from `off[i]` to `off[i + 1]`."""

    lane: Int32Array  # [m] ascending
    off: IntArray  # [m + 1]
    since_s: FloatArray  # [P] from when on somebody may be there, `NEVER` if nobody
    until_s: FloatArray  # [P] and until when, if nobody follows

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class UnseenMemory:
    """What is remembered of what could not be seen."""

    tables: MapTables
    ball: FloatArray  # [L, 3] x, y, radius around a lane; radius -inf of those nobody drives on
    eyes: Eyes
    cells: Cells
    view: View | None = None
    unseen: Unseen = _NOBODY

    def __post_init__(self) -> None:
        freeze_arrays(self)


def begin_unseen(road_map: RoadMap, eyes: Eyes) -> UnseenMemory | None:
    """Before the first look; None without lanes."""
    if road_map.lane_count == 0:
        return None
    tables = map_tables(road_map)
    first = road_map.pt_off[:-1].astype(np.int64)
    low = np.minimum.reduceat(road_map.pt_xy_m, first)
    high = np.maximum.reduceat(road_map.pt_xy_m, first)
    radius = np.hypot(*(high - low).T) * 0.5
    radius[~(tables.lane_drive | tables.lane_ride)] = -np.inf
    nothing = Cells(np.zeros(0, np.int32), np.zeros(1, np.int64), np.zeros(0), np.zeros(0))
    return UnseenMemory(tables, np.column_stack((0.5 * (low + high), radius)), eyes, nothing)


def watch_unseen(
    memory: UnseenMemory, ego: EgoReading, tracks: Tracks, out: frozenset[int], t_ns: int
) -> UnseenMemory:
    """One look; `out`: sensors that are not to be relied on."""
    eyes = memory.eyes
    if out:
        works = np.array([i not in out for i in range(len(eyes.range_m))])
        eyes = Eyes(eyes.mount[works], eyes.half_rad[works], eyes.range_m[works])
    view = look(eyes, ego.x_m, ego.y_m, ego.heading_rad, tracks)
    rays = (view.eye_m, view.from_rad, view.step_rad, view.reach_m)
    body = bodies(tracks)
    now_s = t_ns / NS_PER_S
    near = np.hypot(memory.ball[:, 0] - ego.x_m, memory.ball[:, 1] - ego.y_m) - memory.ball[:, 2]
    lanes = np.flatnonzero(near < NEAR_M).astype(np.int32)
    count = np.maximum(1, np.ceil(memory.tables.lane_length_m[lanes] / CELL_M)).astype(np.int64)
    off = np.concatenate((np.zeros(1, np.int64), np.cumsum(count)))
    since, until = np.full(off[-1], np.nan), np.full(off[-1], NEVER)
    old = memory.cells
    carry(old.lane, old.off, old.since_s, old.until_s, lanes, off, since, until)
    spread(memory.tables, lanes, off, since, until, rays, body, now_s)
    cells = Cells(lanes, off, since, until)
    unseen = _unseen(memory, cells, rays, body, ego, tracks, now_s)
    return replace(memory, cells=cells, view=view, unseen=unseen)


Rays = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


@jit
def carry(
    old_lane: Int32Array,
    old_off: IntArray,
    old_since: FloatArray,
    old_until: FloatArray,
    lane: Int32Array,
    off: IntArray,
    since: FloatArray,
    until: FloatArray,
) -> None:
    """What was known of lanes that are still near; both lists of lanes ascend."""
    j = 0
    for i in range(len(lane)):
        while j < len(old_lane) and old_lane[j] < lane[i]:
            j += 1
        if j < len(old_lane) and old_lane[j] == lane[i]:
            for c in range(off[i + 1] - off[i]):
                since[off[i] + c] = old_since[old_off[j] + c]
                until[off[i] + c] = old_until[old_off[j] + c]


@jit
def within(body: FloatArray, x: float, y: float) -> bool:
    """Whether a point lies in one of the boxes [n, 6]."""
    for b in range(len(body)):
        dx, dy = x - body[b, 0], y - body[b, 1]
        reach = body[b, 4] + body[b, 5]
        if abs(dx) > reach or abs(dy) > reach:
            continue
        along = dx * body[b, 2] + dy * body[b, 3]
        aside = dy * body[b, 2] - dx * body[b, 3]
        if abs(along) <= body[b, 4] and abs(aside) <= body[b, 5]:
            return True
    return False


@jit
def mark_hidden(rays: Rays, body: FloatArray, x: FloatArray, y: FloatArray, out: BoolArray) -> None:
    """Which places nobody looks over, and no known road user stands on. Fills `out` [n]."""
    eye, start, step, reach = rays
    for i in range(len(x)):
        seen = sees(eye, start, step, reach, x[i], y[i])
        out[i] = not (seen or within(body, x[i], y[i]))


@jit
def row_of(lanes: Int32Array, lane: int) -> int:
    """Where a lane stands in an ascending list, -1 if nowhere."""
    i = np.searchsorted(lanes, lane)
    return int(i) if i < len(lanes) and lanes[i] == lane else -1


@jit
def may_enter(
    tables: MapTables, lanes: Int32Array, off: IntArray, since: FloatArray, lane: int, now: float
) -> bool:
    """Whether somebody may come onto a lane from behind it unseen; from beyond what is near, and
    where a lane begins from nothing, they may."""
    first, last = tables.pred_off[lane], tables.pred_off[lane + 1]
    if first == last:
        return True
    for j in range(first, last):
        i = row_of(lanes, tables.pred[j])
        if i < 0:
            if tables.lane_drive[tables.pred[j]] or tables.lane_ride[tables.pred[j]]:
                return True
        elif since[off[i + 1] - 1] <= now:  # a number that is none, not yet looked at, is no answer
            return True
    return False


@jit
def spread(
    tables: MapTables,
    lanes: Int32Array,
    off: IntArray,
    since: FloatArray,
    until: FloatArray,
    rays: Rays,
    body: FloatArray,
    now: float,
) -> None:
    """Laws 1 to 4, in place; `since` is not a number where nobody has looked yet."""
    eye, start, step, reach = rays
    for i in range(len(lanes)):
        lane = lanes[i]
        fastest = tables.lane_limit_mps[lane] if tables.lane_drive[lane] else RIDES_MPS
        slowest = SLOWEST_MPS if tables.lane_drive[lane] else RIDES_SLOWEST_MPS
        follows = may_enter(tables, lanes, off, since, lane, now)
        point = tables.pt_off[lane]
        end = tables.pt_off[lane + 1] - 1
        for c in range(off[i], off[i + 1]):
            s = min((c - off[i] + 0.5) * CELL_M, 0.5 * (tables.pt_s_m[end] + (c - off[i]) * CELL_M))
            while point < end - 1 and tables.pt_s_m[point + 1] < s:
                point += 1
            gap = tables.pt_s_m[point + 1] - tables.pt_s_m[point]
            part = (s - tables.pt_s_m[point]) / gap if gap > 0.0 else 0.0
            x = tables.pt_xy_m[point, 0]
            y = tables.pt_xy_m[point, 1]
            x += part * (tables.pt_xy_m[point + 1, 0] - x)
            y += part * (tables.pt_xy_m[point + 1, 1] - y)
            if sees(eye, start, step, reach, x, y) or within(body, x, y):
                since[c] = NEVER
                until[c] = -NEVER
            else:
                if math.isnan(since[c]):
                    since[c] = -NEVER
                    until[c] = now + CELL_M / slowest
                if follows:
                    since[c] = min(since[c], now + CELL_M / fastest)
                    until[c] = now + CELL_M / slowest
                elif now > until[c]:
                    since[c] = NEVER
            follows = since[c] <= now


@jit
def fronts(
    tables: MapTables,
    lanes: Int32Array,
    off: IntArray,
    since: FloatArray,
    now: float,
    out_lane: Int32Array,
    out_s: FloatArray,
    out_v: FloatArray,
) -> int:
    """The foremost place of each stretch on which somebody may be; how many."""
    count = 0
    for i in range(len(lanes)):
        lane = lanes[i]
        for c in range(off[i], off[i + 1]):
            last = c + 1 == off[i + 1] or since[c + 1] > now
            if since[c] <= now and last and count < len(out_lane):
                out_lane[count] = lane
                out_s[count] = min((c + 1 - off[i]) * CELL_M, tables.lane_length_m[lane])
                out_v[count] = tables.lane_limit_mps[lane] if tables.lane_drive[lane] else RIDES_MPS
                count += 1
    return count


def _unseen(
    memory: UnseenMemory,
    cells: Cells,
    rays: Rays,
    body: FloatArray,
    ego: EgoReading,
    tracks: Tracks,
    now_s: float,
) -> Unseen:
    room = len(cells.since_s)
    lane, s, v = np.empty(room, np.int32), np.empty(room), np.empty(room)
    n = fronts(memory.tables, cells.lane, cells.off, cells.since_s, now_s, lane, s, v)
    walk, x, y = _walkers(memory.tables, ego)
    more_x, more_y = _around(memory.tables, tracks)
    walk = np.concatenate((walk, np.full(len(more_x), NONE, np.int32)))
    x, y = np.concatenate((x, more_x)), np.concatenate((y, more_y))
    hidden = np.zeros(len(x), np.bool_)
    mark_hidden(rays, body, x, y, hidden)
    return Unseen(lane[:n], s[:n], v[:n], walk[hidden], x[hidden], y[hidden])


def _walkers(tables: MapTables, ego: EgoReading) -> tuple[Int32Array, FloatArray, FloatArray]:
    """Places along the crosswalks near us: (crosswalk, x, y)."""
    axis = tables.walk_axis_m
    middle = 0.5 * (axis[:, :2] + axis[:, 2:])
    near = np.flatnonzero(np.hypot(*(middle - (ego.x_m, ego.y_m)).T) < WALKS_NEAR_M)
    walk, xs, ys = [], [np.zeros(0)], [np.zeros(0)]
    for w in near.tolist():
        x1, y1, x2, y2 = axis[w]
        length = math.hypot(x2 - x1, y2 - y1)
        if length < APART_M:
            continue
        along = np.arange(-BESIDE_M, length + BESIDE_M, APART_M) / length
        walk.append(np.full(len(along), w, np.int32))
        xs.append(x1 + along * (x2 - x1))
        ys.append(y1 + along * (y2 - y1))
    return np.concatenate((np.zeros(0, np.int32), *walk)), np.concatenate(xs), np.concatenate(ys)


def _around(tables: MapTables, tracks: Tracks) -> tuple[FloatArray, FloatArray]:
    """Places before and behind those who stand at the roadside, and buses: (x, y)."""
    known = np.where(tracks.lane == NONE, 0, tracks.lane)
    inside = 0.5 * (tables.lane_width_m[known] + tracks.width_m) - np.abs(tracks.d_m)
    off = (tracks.lane == NONE) | (inside < OFF_SHARE * tracks.width_m)
    at_side = off | (tracks.kind == UserKind.BUS)
    some = at_side & (tracks.still_s > STANDS_S) & (tracks.kind <= UserKind.BUS)
    c, s = np.cos(tracks.heading_rad[some]), np.sin(tracks.heading_rad[some])
    half = 0.5 * tracks.length_m[some] + AROUND_M
    wide = np.maximum(0.0, 0.5 * tracks.width_m[some] - INSET_M)
    xs, ys = [], []
    for end in (-1.0, 1.0):
        for side in (-1.0, 1.0):
            xs.append(tracks.x_m[some] + end * half * c - side * wide * s)
            ys.append(tracks.y_m[some] + end * half * s + side * wide * c)
    return np.concatenate(xs), np.concatenate(ys)
