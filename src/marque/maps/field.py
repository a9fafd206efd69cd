"""Routing as a field: for every lane, what it costs to reach the goal from there.

The field is computed once per goal by a search backward from it, so that after a missed turn
nothing is computed anew: the new lane has a cost as well. Costs are seconds at the limit, plus
what lane changes cost; a lane change costs more the less room is left for it.
"""

import heapq
import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, IntArray, freeze_arrays
from marque.core.errors import MarqueError
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.types.codes import Allow, Turn
from marque.types.road_map import NONE, RoadMap

CHANGE_S = 2.0  # what a lane change costs with all the room in the world
CHANGE_SM = 150.0  # and, divided by the room in metres, what haste adds
CHANGE_ROOM_M = 12.0  # needed for one change at walking pace: the last chance to begin
LEAST_ROOM_M = 5.0  # from a lane shorter than this no car gets into the one beside
# where that is missing, the change mostly fails: taken if hardly another way leads to the goal
HASTE_S, HASTE_SPM = 120.0, 10.0  # and seconds per metre that is missing
SHARED_ROOM_M = 30.0  # left for the next change, where several follow each other
U_TURN_S = 10.0
U_TURN_RADIUS_M = 5.0  # a U-turn connector tighter than this no car can follow in one go
MIN_LIMIT_MPS = 1.0  # a lane without a sensible limit still has a cost


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """Cost-to-go to one goal, for all L lanes. Infinite where the goal cannot be reached.

    `cost_s` holds at the START of each lane; `cost_at` gives it anywhere. `next_cost_s` is the
    least cost at the start of a successor: what staying on the lane leads to.
    """

    goal_lane: int
    goal_s_m: float
    cost_s: FloatArray  # [L]
    next_cost_s: FloatArray  # [L]
    best_next: Int32Array  # [L] successor to take, NONE if none leads to the goal
    best_side: Int8Array  # [L] neighbour to change to: -1 right, +1 left, 0 stay
    change_room_m: FloatArray  # [L] from the lane's start to where the chance to change ends
    last_chance_m: FloatArray  # [L] s by which a change must have begun; inf without `best_side`
    limit_mps: FloatArray  # [L] the speed that the cost counts with

    def __post_init__(self) -> None:
        freeze_arrays(self)


def open_lanes(road_map: RoadMap, allow: int = Allow.CAR) -> BoolArray:
    """[L] lanes that may be driven on: open to `allow`, and no U-turn tighter than a car's."""
    usable = (road_map.lane_allow & int(allow)) != 0
    turning = np.flatnonzero(usable & (road_map.lane_turn == Turn.U_TURN))
    bend = _bends(turning, road_map.pt_off, road_map.pt_s_m, road_map.pt_heading_rad)
    usable[turning] = bend * U_TURN_RADIUS_M <= 1.0
    return np.asarray(usable)


@jit
def _bends(lanes: IntArray, off: Int32Array, arc: FloatArray, heading: FloatArray) -> FloatArray:
    """Greatest mean curvature of each lane over any 4 m of it (points alone are too noisy)."""
    most = np.zeros(len(lanes))
    for k in range(len(lanes)):
        j = off[lanes[k]]
        end = off[lanes[k] + 1]
        turned = 0.0
        for i in range(off[lanes[k]], end - 1):
            while j < end - 1 and (arc[j] - arc[i] < 4.0 or j == i):
                turned += wrap_angle(heading[j + 1] - heading[j])
                j += 1
            most[k] = max(most[k], abs(turned) / max(arc[j] - arc[i], 1e-3))
            if j == end - 1:
                break
            turned -= wrap_angle(heading[i + 1] - heading[i])
    return most


def plan_route(
    road_map: RoadMap,
    goal_lane: int,
    goal_s_m: float,
    allow: int = Allow.CAR,
    avoid: frozenset[int] = frozenset(),
    usable: BoolArray | None = None,
) -> Route:
    """The cost-to-go field to a goal. Lanes in `avoid` may be left but not entered.

    `usable` is `open_lanes` of the map, for callers that plan often.
    Raises MarqueError when the goal is no lane of the map, lies beyond the lane's end, or the
    lane is closed to `allow`.
    """
    _check_goal(road_map, goal_lane, goal_s_m, allow)
    enterable = open_lanes(road_map, allow) if usable is None else usable.copy()
    enterable[list(avoid)] = False
    limit = np.maximum(road_map.lane_limit_mps, MIN_LIMIT_MPS)
    cost, side, room = _spread(
        goal_lane, goal_s_m, enterable, limit,
        road_map.lane_length_m, road_map.lane_turn == Turn.U_TURN, road_map.lane_connector,
        road_map.lane_left, road_map.lane_right,
        road_map.lane_left_ok, road_map.lane_right_ok,
        road_map.succ_off, road_map.succ, road_map.pred_off, road_map.pred,
    )  # fmt: skip
    next_cost, best_next = _best_successors(cost, enterable, road_map.succ_off, road_map.succ)
    last = np.where(side != 0, np.maximum(0.0, room - CHANGE_ROOM_M), math.inf)
    return Route(goal_lane, float(goal_s_m), cost, next_cost, best_next, side, room, last, limit)


def cost_at(road_map: RoadMap, route: Route, lane: int, s_m: float) -> float:
    """Seconds to the goal from a place; beyond the goal on its own lane this is the way round."""
    return min(_stay_cost(road_map, route, lane, s_m), _change_cost(road_map, route, lane, s_m))


def side_at(road_map: RoadMap, route: Route, lane: int, s_m: float) -> int:
    """Where to change to from a place: -1 right, +1 left, 0 stay."""
    change = _change_cost(road_map, route, lane, s_m)
    return int(route.best_side[lane]) if change < _stay_cost(road_map, route, lane, s_m) else 0


def _stay_cost(road_map: RoadMap, route: Route, lane: int, s_m: float) -> float:
    speed = float(route.limit_mps[lane])
    if lane == route.goal_lane and s_m <= route.goal_s_m:
        return (route.goal_s_m - s_m) / speed
    ahead = max(0.0, float(road_map.lane_length_m[lane]) - s_m)
    return ahead / speed + float(route.next_cost_s[lane])


def _change_cost(road_map: RoadMap, route: Route, lane: int, s_m: float) -> float:
    side = int(route.best_side[lane])
    if side == 0:
        return math.inf
    if s_m > route.last_chance_m[lane] and math.isfinite(route.next_cost_s[lane]):
        return math.inf  # missed; where the lane leads nowhere, the change stays the only way
    other = int((road_map.lane_left if side > 0 else road_map.lane_right)[lane])
    share = s_m / max(float(road_map.lane_length_m[lane]), 1e-6)
    there = share * float(road_map.lane_length_m[other])
    room = float(route.change_room_m[lane]) - s_m
    return change_cost_s(room) + cost_at(road_map, route, other, there)


def _check_goal(road_map: RoadMap, lane: int, s_m: float, allow: int) -> None:
    if not 0 <= lane < road_map.lane_count:
        raise MarqueError(
            f"goal lane {lane} is not on map '{road_map.name}'; it has {road_map.lane_count} lanes"
        )
    length = float(road_map.lane_length_m[lane])
    if not -1e-6 <= s_m <= length + 1e-6:
        raise MarqueError(
            f"goal at {s_m:.1f} m lies beyond lane '{road_map.lane_name[lane]}'; "
            f"it is {length:.1f} m long"
        )
    if not int(road_map.lane_allow[lane]) & int(allow):
        raise MarqueError(
            f"goal lane '{road_map.lane_name[lane]}' is closed to {Allow(allow).name}"
        )


@jit
def change_cost_s(room_m: float) -> float:
    """What a lane change costs, in seconds, with `room_m` left for it."""
    missing = CHANGE_ROOM_M - room_m
    haste = HASTE_S + HASTE_SPM * missing if missing > 0.0 else 0.0
    return CHANGE_S + CHANGE_SM / max(room_m, 5.0) + haste


@jit
def _spread(
    goal: int,
    goal_s: float,
    enterable: BoolArray,
    limit: FloatArray,
    length: FloatArray,
    u_turn: BoolArray,
    connector: BoolArray,
    left: Int32Array,
    right: Int32Array,
    left_ok: BoolArray,
    right_ok: BoolArray,
    succ_off: Int32Array,
    succ: Int32Array,
    pred_off: Int32Array,
    pred: Int32Array,
) -> tuple[FloatArray, Int8Array, FloatArray]:
    """Dijkstra backward from the goal: cost at lane starts, side to change to, room for it."""
    count = len(limit)
    cost = np.full(count, np.inf)
    side = np.zeros(count, dtype=np.int8)
    room = np.zeros(count)
    via = np.full(count, -1, dtype=np.int32)  # successor or neighbour on the best way
    done = np.zeros(count, dtype=np.bool_)
    cost[goal] = goal_s / limit[goal]
    heap = [(cost[goal], np.int64(goal))]
    while len(heap) > 0:
        lane = int(heapq.heappop(heap)[1])
        if done[lane]:
            continue
        done[lane] = True
        if not enterable[lane] and lane != goal:
            continue
        for e in range(pred_off[lane], pred_off[lane + 1]):
            before = pred[e]
            through = cost[lane] + length[before] / limit[before]
            if u_turn[before]:
                through += U_TURN_S
            if not done[before] and through < cost[before]:
                cost[before] = through
                side[before] = 0
                via[before] = lane
                heapq.heappush(heap, (through, np.int64(before)))
        for way in (1, -1):  # the lane that would change towards its `way` to reach this one
            other = right[lane] if way == 1 else left[lane]
            if other < 0 or done[other] or length[other] < LEAST_ROOM_M:
                continue
            may = left_ok[other] if way == 1 else right_ok[other]
            back = left[other] if way == 1 else right[other]
            if not may or back != lane:
                continue
            space = _room(
                int(lane), int(other), goal, goal_s, side, room, via, length, connector,
                right if way == 1 else left, left_ok if way == 1 else right_ok, succ_off, succ,
            )  # fmt: skip
            change = cost[lane] + change_cost_s(space)
            if change < cost[other]:
                cost[other] = change
                side[other] = way
                room[other] = space
                via[other] = lane
                heapq.heappush(heap, (change, np.int64(other)))
    return cost, side, room


@jit
def _room(
    lane: int,
    other: int,
    goal: int,
    goal_s: float,
    side: Int8Array,
    room: FloatArray,
    via: Int32Array,
    length: FloatArray,
    connector: BoolArray,
    besides: Int32Array,
    may: BoolArray,
    succ_off: Int32Array,
    succ: Int32Array,
) -> float:
    """How far from the start of `other` one may still change to `lane` and go on as `lane` does.

    Both lanes are followed for as long as they run beside each other and the change is legal.
    besides: each lane's neighbour on the side of `other`; may: whether it may be left towards us.
    """
    total = 0.0
    for _ in range(64):
        if lane == goal:
            return total + goal_s
        if side[lane] != 0:  # the next change needs room as well
            return total + max(0.0, float(room[lane]) - SHARED_ROOM_M)
        total += float(length[lane])
        over = via[lane]
        if over < 0 or not connector[over] or side[over] != 0 or via[over] < 0:
            return total
        after = via[over]
        beside = besides[after]
        link = _link(other, beside, succ_off, succ)
        if link < 0 or not may[beside]:
            return total
        total += float(length[over])
        lane = after
        other = beside
    return total


@jit
def _link(lane: int, target: int, succ_off: Int32Array, succ: Int32Array) -> int:
    """The connector that leads from one lane to another, -1 if there is none."""
    if target < 0:
        return -1
    for e in range(succ_off[lane], succ_off[lane + 1]):
        over = succ[e]
        for f in range(succ_off[over], succ_off[over + 1]):
            if succ[f] == target:
                return int(over)
    return -1


def _best_successors(
    cost: FloatArray, enterable: BoolArray, off: Int32Array, succ: Int32Array
) -> tuple[FloatArray, Int32Array]:
    lane = np.repeat(np.arange(len(cost)), np.diff(off))
    ahead = np.where(enterable[succ], cost[succ], math.inf)
    order = np.lexsort((succ, ahead, lane))
    lane, ahead, after = lane[order], ahead[order], succ[order]
    first = np.flatnonzero(np.diff(lane, prepend=-1) != 0)
    next_cost = np.full(len(cost), math.inf)
    best = np.full(len(cost), NONE, dtype=np.int32)
    next_cost[lane[first]] = ahead[first]
    best[lane[first]] = np.where(np.isfinite(ahead[first]), after[first], NONE)
    return next_cost, best


def route_lanes(road_map: RoadMap, route: Route, lane: int, s_m: float) -> list[int]:
    """The lanes from a place to the goal. Neighbours follow each other where a change is due.

    Raises MarqueError when the goal cannot be reached from there (`explain` says why).
    """
    return [each for run in route_runs(road_map, route, lane, s_m) for each in run]


def route_length_m(road_map: RoadMap, route: Route, lane: int, s_m: float) -> float:
    """Metres along the lanes from a place to the goal. Raises as `route_lanes`."""
    runs = route_runs(road_map, route, lane, s_m)
    length = road_map.lane_length_m
    total = sum(float(length[run[-1]]) for run in runs)
    first = s_m / max(float(length[lane]), 1e-6) * float(length[runs[0][-1]])
    return total - first - (float(length[route.goal_lane]) - route.goal_s_m)


def route_runs(road_map: RoadMap, route: Route, lane: int, s_m: float) -> list[list[int]]:
    """Lanes to the goal, in runs of neighbours that are crossed on one stretch of road."""
    if not math.isfinite(cost_at(road_map, route, lane, s_m)):
        raise MarqueError(
            f"no way from lane '{road_map.lane_name[lane]}' to "
            f"lane '{road_map.lane_name[route.goal_lane]}' on map '{road_map.name}'"
        )
    runs = [[lane]]
    for _ in range(4 * road_map.lane_count):
        if lane == route.goal_lane and s_m <= route.goal_s_m + 1e-9:
            return runs
        side = side_at(road_map, route, lane, s_m)
        if side == 0:
            lane, s_m = int(route.best_next[lane]), 0.0
            runs.append([lane])
            continue
        other = int((road_map.lane_left if side > 0 else road_map.lane_right)[lane])
        share = s_m / max(float(road_map.lane_length_m[lane]), 1e-6)
        lane, s_m = other, share * float(road_map.lane_length_m[other])
        runs[-1].append(lane)
    raise MarqueError(f"the route field on map '{road_map.name}' runs in a circle")
