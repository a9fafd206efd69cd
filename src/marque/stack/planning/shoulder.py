"""Onto the shoulder, where a minimal risk manoeuvre can end there: it lies beside our lane for as
far as we need, is as wide as we are, and nobody is on it.
"""

import math
from dataclasses import replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.kernels.following import stop_distance
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_HALF_WIDTH, E_JERK, E_REAR
from marque.maps.path import STEP_M, Path
from marque.stack.planning.aside import on_the_road
from marque.stack.planning.change import drivable
from marque.stack.planning.corridor import SHOULDER, Corridor, centre_line, corridor_beside
from marque.stack.planning.impaired import brought_to_rest
from marque.stack.planning.sideways import GENTLE_MPS2, Leg, beside, leg_length, on_path, pose_at
from marque.stack.planning.state import (
    Halt,
    Memory,
    Option,
    Start,
    ahead_m,
    lane_at,
    lanes_before,
    route_for,
    sample_at,
)
from marque.types.codes import LaneKind
from marque.types.road_map import NONE
from marque.types.scene import Scene, Tracks

ROOM_M = 0.1  # to either side of our body
BEYOND_M = 3.0  # we stand so far beyond the place where we are over
LATEST_S = 3.0  # of rolling on so that we come to rest there, and not before
BEHIND_M = 40.0  # nobody comes on it from behind, within this


def on_shoulder(memory: Memory, scene: Scene, option: Option) -> Option:
    """The way onto the shoulder in place of our lane, if we are to be at rest and it is free."""
    if not brought_to_rest(scene) or option.corridor.manoeuvre != "keep" or memory.halt is not None:
        return option
    found = _way(memory, scene, option.corridor, option.start)
    return option if found is None else found


def beyond(place: Halt | None, option: Option) -> Halt | None:
    """Where we come to rest: not before we are over on the shoulder."""
    if place is None or option.corridor.manoeuvre != SHOULDER:
        return place
    over_m = option.corridor.settled_m - option.start.s_m + BEYOND_M
    return Halt(max(place.left_m, over_m), place.speed_mps)


def _way(memory: Memory, scene: Scene, corridor: Corridor, start: Start) -> Option | None:
    context = memory.context
    road_map, ego = context.mission.road_map, context.ego
    lane, lane_s = lane_at(corridor, start.s_m)
    aside = _aside_m(memory, lane)
    if aside == 0.0:
        return None
    wide = ahead_m(float(corridor.limit_mps[sample_at(corridor, start.s_m)]))
    head = lanes_before(road_map, lane)
    line = centre_line(road_map, route_for(memory), ego, context.area, head, lane, lane_s, wide)
    pose = pose_at(corridor.path, start.s_m)
    state = beside(line.path, pose, line.here_m)
    begin = (state.d_m, state.slope, state.bend_1pm)
    length = leg_length(begin, aside, start.speed_mps, GENTLE_MPS2)
    soft = stop_distance(start.speed_mps, max(0.0, start.accel_mps2), ego[E_BRAKE], ego[E_JERK])
    rests = max(soft, length + BEYOND_M)
    until = state.s_m + rests + float(ego[E_FRONT])
    if rests > soft + LATEST_S * start.speed_mps or until > line.path.length_m:
        return None
    stretch = line.path.lane[int(state.s_m / STEP_M) : int(until / STEP_M) + 1]
    if any(_aside_m(memory, each) == 0.0 for each in np.unique(stretch).tolist()):
        return None
    if not _free(scene.tracks, line.path, state.s_m, until, aside, ego):
        return None
    built, here = corridor_beside(
        road_map, route_for(memory), context.style, ego, line, state,
        (Leg(0.0, length, aside),), SHOULDER, pose,
    )  # fmt: skip
    begun = Start(here, start.speed_mps, start.accel_mps2)
    stays = replace(built, settled_m=here + rests)
    if not drivable(built, begun, built.settled_m) or not on_the_road(memory, stays, here):
        return None
    return Option(built, begun)


def _aside_m(memory: Memory, lane: int) -> float:
    """How far beside a lane's middle the shoulder's is, left positive; 0: there is none for us."""
    road_map = memory.context.mission.road_map
    left = road_map.left_hand
    other = int((road_map.lane_left if left else road_map.lane_right)[lane])
    if other == NONE or road_map.lane_connector[lane]:
        return 0.0
    width = float(road_map.lane_width_m[other])
    if road_map.lane_kind[other] != LaneKind.SHOULDER:
        return 0.0
    if width < 2.0 * (float(memory.context.ego[E_HALF_WIDTH]) + ROOM_M):
        return 0.0
    away = 0.5 * (float(road_map.lane_width_m[lane]) + width)
    return away if left else -away


def _free(
    tracks: Tracks, path: Path, from_m: float, until_m: float, aside: float, ego: FloatArray
) -> bool:
    """Whether nobody is on the strip that we would stand on, nor comes along it behind us."""
    half = float(ego[E_HALF_WIDTH]) + ROOM_M
    for i in range(tracks.count):
        s, d = on_path(path, float(tracks.x_m[i]), float(tracks.y_m[i]), from_m, until_m)
        body = 0.5 * math.hypot(float(tracks.length_m[i]), float(tracks.width_m[i]))
        inside = from_m - float(ego[E_REAR]) - BEHIND_M - body < s < until_m + body
        if inside and abs(d - aside) < half + 0.5 * float(tracks.width_m[i]):
            return False
    return True
