"""Where traffic stands on a road of several lanes, a lane between them is kept free for rescue
vehicles: the fastest lane moves to its outer edge, all others to the other side."""

import numpy as np

from marque.core.arrays import FloatArray, Int32Array
from marque.maps.oncoming import softly
from marque.types.codes import Allow
from marque.types.road_map import NONE, RoadMap

EDGE_M = 0.3  # our side stays so far within our lane


def rescue_along(road_map: RoadMap, lane: Int32Array, step_m: float, half_m: float) -> FloatArray:
    """[n] how far beside the middle to keep at samples of a path, `step_m` apart, left positive.

    `half_m`: half our width. 0 in junctions and where there is one lane for our way. It begins and
    ends softly. Source: German StVO 11 (2), a draft value elsewhere.
    """
    out = np.zeros(len(lane))
    for each in np.unique(lane).tolist():
        out[lane == each] = _beside(road_map, each, half_m)
    return softly(out, step_m)


def _beside(road_map: RoadMap, lane: int, half_m: float) -> float:
    faster, slower = road_map.lane_left, road_map.lane_right
    out = 1.0
    if road_map.left_hand:
        faster, slower, out = slower, faster, -1.0
    if road_map.lane_connector[lane]:
        return 0.0
    has_faster, has_slower = _cars(road_map, int(faster[lane])), _cars(road_map, int(slower[lane]))
    if not has_faster and not has_slower:
        return 0.0
    room = max(0.0, 0.5 * float(road_map.lane_width_m[lane]) - half_m - EDGE_M)
    return -out * room if has_faster else out * room


def _cars(road_map: RoadMap, lane: int) -> bool:
    return lane != NONE and bool(road_map.lane_allow[lane] & int(Allow.CAR))
