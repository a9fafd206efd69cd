"""Where a road user will be if it keeps its speed and its lane: the page's arrow, no forecast."""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import project
from marque.types.codes import UserKind
from marque.types.road_map import NONE, RoadMap
from marque.types.world import RoadUsers

AHEAD_S = (1.0, 2.0, 3.0)
MOVES_MPS = 0.5
LANES_AHEAD = 4
_FREE = (UserKind.PEDESTRIAN, UserKind.OBSTACLE)  # keep to no lane
_NOWHERE = np.zeros((0, 2))


def ahead_on_lane(road_map: RoadMap, users: RoadUsers, i: int) -> FloatArray:
    """Places [3, 2] after `AHEAD_S`, map metres; [0, 2] of who stands. Follows the lane while it
    leads on in one way only, then goes straight."""
    speed = float(users.speed_mps[i])
    if speed < MOVES_MPS:
        return _NOWHERE
    x, y, heading = float(users.x_m[i]), float(users.y_m[i]), float(users.heading_rad[i])
    lane = int(users.lane[i])
    if lane == NONE or int(users.kind[i]) in _FREE:
        return _straight(x, y, heading, [speed * t for t in AHEAD_S])
    points = road_map.points(lane)
    s_m, d_m, _ = project(points, road_map.arc(lane), x, y, 0, len(points) - 1)
    return np.array([_place(road_map, lane, s_m + speed * t, d_m) for t in AHEAD_S])


def _place(road_map: RoadMap, lane: int, s_m: float, d_m: float) -> tuple[float, float]:
    for _ in range(LANES_AHEAD):
        length = float(road_map.lane_length_m[lane])
        after = road_map.successors(lane)
        if s_m <= length or len(after) != 1:
            break
        s_m, lane = s_m - length, int(after[0])
    length = float(road_map.lane_length_m[lane])
    x, y, heading = road_map.place(lane, min(s_m, length))
    beyond = max(0.0, s_m - length)
    return (
        x + beyond * math.cos(heading) - d_m * math.sin(heading),
        y + beyond * math.sin(heading) + d_m * math.cos(heading),
    )


def _straight(x: float, y: float, heading: float, reach: list[float]) -> FloatArray:
    return np.array([(x + r * math.cos(heading), y + r * math.sin(heading)) for r in reach])
