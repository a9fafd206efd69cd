"""Why a place cannot be reached, and what can."""

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.jit import jit
from marque.maps.field import LEAST_ROOM_M, open_lanes
from marque.maps.places import to_latlon
from marque.types.codes import Allow, LaneKind
from marque.types.road_map import NONE, RoadMap


def reachable(road_map: RoadMap, lane: int, allow: int = Allow.CAR) -> BoolArray:
    """[L] lanes that can be entered from (the start of) a lane, itself included."""
    return _reach(road_map, lane, open_lanes(road_map, allow), backward=False)


def explain(
    road_map: RoadMap, start_lane: int, start_s_m: float, goal_lane: int, allow: int = Allow.CAR
) -> str:
    """Why no route leads from a place to a lane, and the nearest point that one leads to.

    One sentence on the reason (wrong kind, one-way, closed to this kind of road user, or not
    connected) and one that names the point as lat,lon and xy. "" when the lane is reachable.
    """
    usable = open_lanes(road_map, allow)
    found = _reach(road_map, start_lane, usable, backward=False)
    if found[goal_lane] and usable[goal_lane]:
        return ""
    why = _why(road_map, start_lane, goal_lane, usable, Allow(allow).name or "CAR")
    return f"{why}; {_nearest_text(road_map, found, start_lane, start_s_m, goal_lane)}"


def _why(road_map: RoadMap, start: int, goal: int, usable: BoolArray, who: str) -> str:
    names = road_map.lane_name
    for lane, end in ((goal, "goal"), (start, "start")):
        if not usable[lane]:
            kind = LaneKind(int(road_map.lane_kind[lane])).name.lower()
            return f"wrong kind: {end} lane '{names[lane]}' ({kind}) is closed to {who}"
    way = f"from lane '{names[start]}' to lane '{names[goal]}'"
    if _reach(road_map, start, usable, backward=True)[goal]:
        return f"one-way: no way {way}, only the way back exists"
    anyone = np.ones(road_map.lane_count, dtype=np.bool_)
    if _reach(road_map, start, anyone, backward=False)[goal]:
        return f"wrong kind: every way {way} uses lanes closed to {who}"
    return f"unreachable: no way {way}, the two are not connected for {who}"


def _nearest_text(
    road_map: RoadMap, found: BoolArray, start: int, start_s_m: float, goal: int
) -> str:
    goal_xy = road_map.points(goal)[-1]
    lane_of = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))
    ahead = (lane_of != start) | (road_map.pt_s_m >= start_s_m)
    pick = np.flatnonzero(found[lane_of] & ~road_map.lane_connector[lane_of] & ahead)
    if len(pick) == 0:
        return "nothing can be reached from there"
    gap = np.hypot(*(road_map.pt_xy_m[pick] - goal_xy).T)
    best = int(pick[np.argmin(gap)])
    x, y = (float(each) for each in road_map.pt_xy_m[best])
    where = f"xy:{x:.1f},{y:.1f}"
    if road_map.projection:
        lat, lon = to_latlon(road_map, x, y)
        where = f"{lat:.6f},{lon:.6f} ({where})"
    name = road_map.lane_name[lane_of[best]]
    return f"nearest reachable point: {where} on lane '{name}', {float(gap.min()):.0f} m away"


def _reach(road_map: RoadMap, lane: int, usable: BoolArray, *, backward: bool) -> BoolArray:
    off, link = road_map.succ_off, road_map.succ
    if backward:
        off, link = road_map.pred_off, road_map.pred
    return _flood(
        lane, usable, off, link, road_map.lane_left, road_map.lane_right,
        road_map.lane_left_ok, road_map.lane_right_ok, road_map.lane_length_m, backward,
    )  # fmt: skip


@jit
def _flood(
    begin: int,
    usable: BoolArray,
    off: Int32Array,
    link: Int32Array,
    left: Int32Array,
    right: Int32Array,
    left_ok: BoolArray,
    right_ok: BoolArray,
    length: FloatArray,
    backward: bool,
) -> BoolArray:
    found = np.zeros(len(usable), dtype=np.bool_)
    found[begin] = True
    stack = [np.int64(begin)]
    while len(stack) > 0:
        lane = stack.pop()
        for e in range(off[lane], off[lane + 1]):
            other = link[e]
            if usable[other] and not found[other]:
                found[other] = True
                stack.append(np.int64(other))
        for way in range(2):
            other = left[lane] if way == 0 else right[lane]
            if other == NONE or found[other] or not usable[other]:
                continue
            if backward:  # from the neighbour back to this lane
                may = right_ok[other] if way == 0 else left_ok[other]
            else:
                may = left_ok[lane] if way == 0 else right_ok[lane]
            leaves = other if backward else lane
            if may and length[leaves] >= LEAST_ROOM_M:
                found[other] = True
                stack.append(np.int64(other))
    return found
