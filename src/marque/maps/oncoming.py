"""Where lanes of opposite directions lie over one another: how far aside to keep on each.

Maps drawn from one line per road have such places: bus lanes beside a widened road, and bends
whose inner lane falls onto the outer one. Nobody can keep to the middle there when others come.
"""

from functools import lru_cache

import numpy as np

from marque.core.arrays import FloatArray, Int32Array
from marque.maps.lookup import LaneIndex
from marque.types.codes import Allow, UserKind
from marque.types.road_map import NONE, RoadMap

CAR_HALF_M = 0.95
APART_M = 2.0 * CAR_HALF_M + 0.35  # between our line and theirs
EDGE_M = 0.1  # our side stays so far within our lane
SAME_M = 0.5  # lines nearer than this are the same: everybody keeps to the side of the traffic
OPPOSITE_COS = 0.7
SMOOTH_M = 16.0  # half of the length over which the line moves aside, or back


@lru_cache(maxsize=2)
def keeps_aside(road_map: RoadMap) -> FloatArray:
    """[points] how far beside each point of a car's lane our line should lie, left positive.

    0 in junctions and where nobody comes too near. Never so far that a car leaves its lane.
    """
    aside = np.zeros(len(road_map.pt_heading_rad))
    lane = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))
    ours = (road_map.lane_allow & int(Allow.CAR)) != 0
    rows = np.flatnonzero((ours & ~road_map.lane_connector)[lane])
    if len(rows) == 0:
        return aside
    x, y = road_map.pt_xy_m[rows].T.copy()
    # a bus may use every lane that others may
    kind = np.full(len(rows), UserKind.BUS, dtype=np.int8)
    against = road_map.pt_heading_rad[rows] + np.pi
    other, s, d = LaneIndex(road_map).match_many(x, y, against, kind)
    known = np.where(other == NONE, 0, other)
    motor = int(Allow.CAR) | int(Allow.TRUCK) | int(Allow.BUS)
    near = (other != NONE) & ((road_map.lane_allow[known] & motor) != 0)
    near &= ~road_map.lane_connector[known] & (np.abs(d) < APART_M)
    share = np.clip(s / road_map.lane_length_m[known], 0.0, 1.0)
    there = road_map.pt_off[known] + share * (np.diff(road_map.pt_off)[known] - 1)
    near &= np.cos(road_map.pt_heading_rad[there.astype(np.int64)] - against) > OPPOSITE_COS
    room = 0.5 * road_map.lane_width_m[lane[rows]] - CAR_HALF_M - EDGE_M
    # they see us on their left by d: they come on our left by as much
    keep = 1.0 if road_map.left_hand else -1.0
    away = np.where(np.abs(d) < SAME_M, keep, -np.sign(d))
    aside[rows] = np.where(near, away * np.clip(APART_M - np.abs(d), 0.0, room), 0.0)
    return aside


def aside_along(
    road_map: RoadMap, lane: Int32Array, lane_s_m: FloatArray, step_m: float
) -> FloatArray:
    """[n] how far to keep aside at samples of a path, `step_m` apart; it begins and ends softly."""
    aside = keeps_aside(road_map)
    out = np.zeros(len(lane))
    for each in np.unique(lane).tolist():
        values = aside[road_map.pt_off[each] : road_map.pt_off[each + 1]]
        if values.any():
            rows = lane == each
            out[rows] = np.interp(lane_s_m[rows], road_map.arc(each), values)
    return softly(out, step_m)


def softly(out: FloatArray, step_m: float) -> FloatArray:
    """[n] the same offsets of samples `step_m` apart, without steps."""
    if not out.any():
        return out
    reach = int(SMOOTH_M / step_m)
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(out, reach, mode="edge")
    return np.convolve(padded, window / window.sum(), "valid")
