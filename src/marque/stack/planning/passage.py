"""Is the way wide enough for our car? Asked once, before we set off: the lanes on which our body
would leave the road even on the line that suits it best are gone round, if there is another way."""

import math
from dataclasses import replace

import numpy as np

from marque.maps.area import TOLERANCE_M
from marque.maps.field import Route, cost_at, plan_route, route_runs
from marque.stack.planning.corridor import centre_line
from marque.stack.planning.state import Context, Memory, make_context
from marque.stack.planning.swept import off_area
from marque.types.mission import Mission
from marque.types.style import Style

PIECE_M, AHEAD_M = 80.0, 140.0  # of the way, looked at in one go; and how far beyond its start
BEHIND = 3  # lanes, for what follows behind
TRIES = 8  # ways looked at, at most
ROUND_SHARE, ROUND_S = 2.0, 60.0  # longer than this many times the way, and so much, is no way


def wide_enough(memory: Memory, lane: int, s_m: float) -> Memory:
    """The same with a route that our car fits through, and what is closed for that; with the
    shortest one where there is none, or none that is worth it."""
    memory = replace(memory, looked=True)
    context, mission = memory.context, memory.context.mission
    road_map = mission.road_map
    route, shut = context.route, memory.closed
    shortest_s = cost_at(road_map, route, lane, s_m)
    for _ in range(TRIES):
        cost_s = cost_at(road_map, route, lane, s_m)
        if not math.isfinite(cost_s) or cost_s > ROUND_SHARE * shortest_s + ROUND_S:
            return memory
        narrow = too_narrow(context, route, lane, s_m) - {lane, mission.goal_lane}
        if narrow <= shut:
            return replace(memory, context=replace(context, route=route), closed=shut)
        shut = shut | narrow
        route = plan_route(road_map, mission.goal_lane, mission.goal_s_m, avoid=shut)
    return memory


def too_narrow(context: Context, route: Route, lane: int, s_m: float) -> frozenset[int]:
    """Lanes of the way from a place to the goal on which our body leaves the drivable area."""
    road_map = context.mission.road_map
    lanes = [run[-1] for run in route_runs(road_map, route, lane, s_m)]
    found: set[int] = set()
    i = 0
    while i < len(lanes):
        before = tuple(lanes[max(0, i - BEHIND) : i])
        line = centre_line(
            road_map, route, context.ego, context.area, before, lanes[i], 0.0, AHEAD_M
        )
        out = off_area(line.path, context.ego, context.area, TOLERANCE_M)
        found.update(line.path.lane[np.flatnonzero(out)].tolist())
        gone = 0.0
        while i < len(lanes) and gone < PIECE_M:
            gone += float(road_map.lane_length_m[lanes[i]])
            i += 1
    return frozenset(found & set(lanes))


def tight_spots(mission: Mission, lane: int, s_m: float) -> tuple[str, ...]:
    """Names of the lanes on which our body will leave the road, for there is no way round them that
    is worth it. Empty when there is no way at all."""
    memory = wide_enough(Memory(make_context(mission, Style())), lane, s_m)
    route, road_map = memory.context.route, mission.road_map
    if not math.isfinite(cost_at(road_map, route, lane, s_m)):
        return ()
    found = too_narrow(memory.context, route, lane, s_m)
    return tuple(road_map.lane_name[each] for each in sorted(found))
