"""Another way than the one we meant to take: where a lane change is given up, where somebody blocks
a lane for good, and where nobody may drive.
"""

import math
from dataclasses import replace

from marque.core.time import PLAN_STEP_S
from marque.maps.field import cost_at, plan_route
from marque.stack.planning.aside import Block
from marque.stack.planning.standoff import STANDOFF_S
from marque.stack.planning.state import Context, Memory, Start, lane_at
from marque.types.road_map import NONE
from marque.types.scene import Scene

BLOCKED_S = 30.0
# waiting for a gap for longer than a share of what the way round costs: take the way round instead
PATIENCE_SHARE, PATIENCE_S, PATIENCE_MOST_S = 1.5, 15.0, 60.0


def patient(memory: Memory) -> Memory:
    """Give a lane change up after a while at its last chance, where another way leads on; and
    forget that once those lanes lie behind us, for we may come there again."""
    corridor = memory.corridor
    if corridor is None:
        return memory
    if memory.detour and memory.detour.isdisjoint(corridor.path.lanes):
        memory = replace(memory, detour=frozenset())
    if memory.closed and corridor.end_kind == "dead_end" and memory.stood_s > STANDOFF_S:
        return reopened(memory)
    if memory.waiting_s < PATIENCE_S:
        return memory
    lane = corridor.path.lanes[-1]
    route = memory.context.route
    round_s = float(route.next_cost_s[lane] - route.cost_s[lane])
    if not math.isfinite(round_s) or memory.waiting_s < min(
        PATIENCE_MOST_S, PATIENCE_SHARE * round_s
    ):
        return memory
    # not to stand again, and in vain, where the same change could begin a little later
    given_up = stretch(memory, lane, float(route.change_room_m[lane]))
    return replace(memory, detour=memory.detour | frozenset(given_up), waiting_s=0.0)


def reopened(memory: Memory) -> Memory:
    """The way round led nowhere: every lane counts again, and whoever blocks one is waited for."""
    every: frozenset[int] = frozenset()
    return replace(memory, context=_routed(memory, every), closed=every, corridor=None, plan=None)


def way_round(memory: Memory, block: Block | None, start: Start) -> Memory:
    """After `BLOCKED_S` behind an obstacle, or a row that no light holds, on a lane further on: the
    route around that lane."""
    corridor = memory.corridor
    stands = block is not None and block.stays and start.speed_mps < 0.3
    if not stands or block is None or corridor is None:
        return replace(memory, blocked_s=0.0)
    memory = replace(memory, blocked_s=memory.blocked_s + PLAN_STEP_S)
    lane, lane_s = lane_at(corridor, start.s_m)
    ahead = corridor.path.lanes[corridor.path.lanes.index(lane) + 1 :]
    if memory.blocked_s < BLOCKED_S or block.lane not in ahead or block.lane in memory.closed:
        return memory
    mission = memory.context.mission
    if block.lane == mission.goal_lane:
        return memory  # there is no way round to where it stands
    closed = memory.closed | {block.lane}
    around = _routed(memory, closed)
    if not math.isfinite(cost_at(mission.road_map, around.route, lane, lane_s)):
        return replace(memory, blocked_s=0.0)
    return replace(memory, context=around, closed=closed, blocked_s=0.0)


def keep_out(memory: Memory, scene: Scene) -> Memory:
    """The route around lanes that nobody may drive into, where there is one."""
    new = scene.chart.shut - memory.closed
    if not new:
        return memory
    mission = memory.context.mission
    closed = memory.closed | new
    memory = replace(memory, closed=closed)
    lane = scene.ego.lane
    if mission.goal_lane in new or lane == NONE:
        return memory
    around = _routed(memory, closed)
    if not math.isfinite(cost_at(mission.road_map, around.route, lane, scene.ego.s_m)):
        return memory
    return replace(memory, context=around, corridor=None, plan=None)


def _routed(memory: Memory, closed: frozenset[int]) -> Context:
    """The context with the route to the goal that leaves out some lanes."""
    mission = memory.context.mission
    route = plan_route(mission.road_map, mission.goal_lane, mission.goal_s_m, avoid=closed)
    return replace(memory.context, route=route)


def stretch(memory: Memory, lane: int, length_m: float) -> list[int]:
    """A lane and those that it leads on to, until they make up a length."""
    road_map, route = memory.context.mission.road_map, memory.context.route
    lanes, way = [lane], float(road_map.lane_length_m[lane])
    while way < length_m and route.best_next[lanes[-1]] != NONE:
        lanes.append(int(route.best_next[lanes[-1]]))
        way += float(road_map.lane_length_m[lanes[-1]])
    return lanes
