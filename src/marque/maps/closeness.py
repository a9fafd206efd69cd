"""How close a drivable line stays to its source polyline, and where it has to.

A polyline with kinks cannot be driven as it is. A car that rounds a kink of angle a within CLOSE_M
turns on a radius of 8 * CLOSE_M / a^2 (a small), so at the lane's limit there is a sharpest kink
that it can follow that closely. The line is *held* to CLOSE_M of its source wherever it is more
than REACH_M, or REACH_S at the limit, away from the lane's ends and from every sharper kink, and
off tapers (see `joins`).

Polylines xy [n, 2] in map metres, s their arc length. Compiled through `core.jit`.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.geometry import arc_length
from marque.core.jit import jit
from marque.types.road_map import RoadMap

CLOSE_M = 0.05
REACH_M = 10.0
REACH_S = 1.0
REACH_PER_RAD_M = 8.0  # more for the sharpest kinks, which turn a car round a corner
FOLLOW_MPS2 = 0.8  # lateral acceleration at which a kink is followed
LEAST_LIMIT_MPS = 30.0 / 3.6  # slower lanes count as this fast
LOOK_M = 20.0  # at most between neighbouring points of a line, along the source


@jit
def sharpest_kink(limit_mps: float) -> float:
    """Largest kink, rad, that a car at the limit follows within CLOSE_M."""
    return math.sqrt(8.0 * CLOSE_M * FOLLOW_MPS2) / max(limit_mps, LEAST_LIMIT_MPS)


def reach_m(limit_mps: FloatArray) -> FloatArray:
    """How far from joins and kinks lines may leave their source."""
    reach: FloatArray = np.maximum(REACH_M, REACH_S * limit_mps)
    return reach


@jit
def offsets(line: FloatArray, xy: FloatArray, s: FloatArray) -> FloatArray:
    """[k, 2] of each point of `line`: its distance from the polyline, and the arc length of the
    nearest point there (walking along both)."""
    out = np.zeros((len(line), 2))
    lo = 0
    for i in range(len(line)):
        best = 1e18
        at = lo
        along = 0.0
        for j in range(lo, len(xy) - 1):
            d, t = _to_segment(xy, j, line[i, 0], line[i, 1])
            if d < best:
                best = d
                at = j
                along = s[j] + t * (s[j + 1] - s[j])
            if s[j + 1] > s[lo] + LOOK_M and j > lo + 4:
                break
        lo = max(lo, at - 1)
        out[i, 0] = math.sqrt(best)
        out[i, 1] = along
    return out


@jit
def furthest(line: FloatArray, xy: FloatArray, s: FloatArray) -> float:
    """Largest distance of the line's points from the polyline."""
    return float(offsets(line, xy, s)[:, 0].max())


@jit
def _to_segment(xy: FloatArray, j: int, x: float, y: float) -> tuple[float, float]:
    """Squared distance of (x, y) from segment j, and where along it (0 to 1) it is nearest."""
    ux = xy[j + 1, 0] - xy[j, 0]
    uy = xy[j + 1, 1] - xy[j, 1]
    vx = x - xy[j, 0]
    vy = y - xy[j, 1]
    t = (ux * vx + uy * vy) / max(ux * ux + uy * uy, 1e-18)
    t = min(1.0, max(0.0, t))
    return (vx - t * ux) ** 2 + (vy - t * uy) ** 2, t


@jit
def held(
    at: FloatArray, xy: FloatArray, s: FloatArray, start_m: float, end_m: float, limit_mps: float
) -> BoolArray:
    """Which arc lengths `at` (ascending) of a source polyline the line is held to.

    start_m, end_m: arc lengths between which it is away from joins and tapers.
    """
    out = np.zeros(len(at), dtype=np.bool_)
    for i in range(len(at)):
        out[i] = start_m < at[i] < end_m
    sharp = sharpest_kink(limit_mps)
    base = max(REACH_M, REACH_S * limit_mps)
    for j in range(1, len(xy) - 1):
        ax, ay = xy[j, 0] - xy[j - 1, 0], xy[j, 1] - xy[j - 1, 1]
        bx, by = xy[j + 1, 0] - xy[j, 0], xy[j + 1, 1] - xy[j, 1]
        kink = abs(math.atan2(ax * by - ay * bx, ax * bx + ay * by))
        if kink <= sharp:
            continue
        reach = base + REACH_PER_RAD_M * kink
        for i in range(np.searchsorted(at, s[j] - reach), len(at)):
            if at[i] > s[j] + reach:
                break
            out[i] = False
    return out


@dataclass(frozen=True, slots=True, eq=False)
class SourceOffsets:
    """P points of drivable lines beside their source polylines."""

    lane: Int32Array  # [P]
    length_m: FloatArray  # [P] of line that each point stands for
    away_m: FloatArray  # [P] distance from the source polyline
    held: BoolArray  # [P] away from joins, tapers and sharp kinks


def held_points(m: RoadMap, lanes: BoolArray) -> SourceOffsets:
    """Every point of the drivable lines of some lanes (mask [L]), connectors left out."""
    chosen = np.flatnonzero(lanes & ~m.lane_connector)
    taper = m.taper_m if len(m.taper_m) else np.zeros((m.lane_count, 2))
    free = np.maximum(taper, reach_m(m.lane_limit_mps)[:, None])
    sizes = np.diff(m.pt_off)[chosen]
    away, held_there = np.zeros(sizes.sum()), np.zeros(sizes.sum(), dtype=np.bool_)
    end = 0
    for lane, size in zip(chosen.tolist(), sizes.tolist(), strict=True):
        source = m.shape_xy_m[m.shape_off[lane] : m.shape_off[lane + 1]]
        s = arc_length(source)
        found = offsets(m.points(lane), source, s)
        at = np.maximum.accumulate(found[:, 1])
        part = slice(end, end + size)
        away[part] = found[:, 0]
        first, last = at[0] + free[lane, 0], at[-1] - free[lane, 1]
        held_there[part] = held(at, source, s, first, last, float(m.lane_limit_mps[lane]))
        end += size
    step = m.lane_length_m[chosen] / np.maximum(sizes - 1, 1)
    return SourceOffsets(
        lane=np.repeat(chosen, sizes).astype(np.int32),
        length_m=np.repeat(step, sizes),
        away_m=away,
        held=held_there,
    )
