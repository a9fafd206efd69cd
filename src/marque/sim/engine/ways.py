"""Ways: for each of D goals and every lane, where to go on. Made once for a map and a seed.

A road user keeps the number of its goal alone. Who misses a turn reads on in the same table from
where they are; nothing is computed anew.
"""

from typing import Any, NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, Int32Array
from marque.core.errors import MarqueError
from marque.maps.field import open_lanes, plan_route
from marque.sim.engine.network import CONNECTOR, LENGTH, Network, Shape
from marque.types.codes import Allow
from marque.types.road_map import NONE, RoadMap

END_ROOM_M = 5.0
LEAST_LANE_M = 12.0
LEAST_ORIGINS = 3
TRIES = 40  # lanes looked at for one goal before the map is called too small


GOAL_LANE, GOAL_CYCLE = 0, 1  # rows of `Ways.goals`; GOAL_CYCLE: for bicycles
ONWARD, SIDE = 0, 1  # of `table`: connector to take at the lane's end, NONE; neighbour that
#   leads on better: -1 right, +1 left
ROOM, COST = 0, 1  # of `values`: metres from the lane's start in which to change; seconds to the
#   goal from a lane's start, inf where it cannot be reached

Field = tuple[Any, Any, Any, Any]
Goal = tuple[int, float]


class Ways(NamedTuple):
    """D goals, E engine lanes."""

    goals: Int32Array  # [2, D]
    goal_s: FloatArray  # [D]
    table: Int32Array  # [2, D, E]
    values: FloatArray  # [2, D, E] float32
    first_cycle: int  # goals from here on are for bicycles


class Starts(NamedTuple):
    """Where trips begin: O lanes, cars' first."""

    lane: Int32Array  # [O]
    until: FloatArray  # [O] cumulative metres, from 0 for each of the two classes
    first_cycle: int


def ways_of(
    road_map: RoadMap,
    net: Network,
    shape: Shape,
    seed: int,
    first_goal: Goal | None = None,
    goals: int = 80,
    cycle_goals: int = 16,
) -> tuple[Ways, Starts]:
    """Goals drawn over the metres of the lanes, with their fields.

    MarqueError: no lane from which anything can be reached.
    """
    draw = np.random.Generator(np.random.PCG64([seed, 5]))
    lanes, fields = _drawn(road_map, net, shape, Allow.CAR, goals, draw)
    if first_goal is not None:
        lane, s = first_goal
        usable = open_lanes(road_map, Allow.CAR)
        fields.insert(0, _field(road_map, net, shape, lane, s, Allow.CAR, usable))
        lanes.insert(0, (int(shape.engine_of[lane]), s))
    cycle_lanes, cycle_fields = _drawn(road_map, net, shape, Allow.BICYCLE, cycle_goals, draw)
    if not lanes:
        raise MarqueError(f"map '{road_map.name}' has no lane from which a car reaches another")
    return stacked(road_map, net, shape, lanes, fields, cycle_lanes, cycle_fields)


def ways_to(
    road_map: RoadMap, net: Network, shape: Shape, goals: list[Goal]
) -> tuple[Ways, Starts]:
    """Fields to given goals (lane of the map, s) for cars. MarqueError: as `plan_route`."""
    usable = open_lanes(road_map, Allow.CAR)
    fields = [_field(road_map, net, shape, lane, s, Allow.CAR, usable) for lane, s in goals]
    lanes = [(int(shape.engine_of[lane]), s) for lane, s in goals]
    return stacked(road_map, net, shape, lanes, fields, [], [])


def stacked(
    road_map: RoadMap,
    net: Network,
    shape: Shape,
    lanes: list[Goal],
    fields: list[Field],
    cycle_lanes: list[Goal],
    cycle_fields: list[Field],
) -> tuple[Ways, Starts]:
    """One table of all."""
    goals, rows = [*lanes, *cycle_lanes], [*fields, *cycle_fields]
    cars, cars_until = _starts(road_map, net, shape, fields, Allow.CAR)
    cycles, cycles_until = _starts(road_map, net, shape, cycle_fields, Allow.BICYCLE)
    ways = Ways(
        goals=np.array(
            [[lane for lane, _ in goals], [0] * len(lanes) + [1] * len(cycle_lanes)],
            dtype=np.int32,
        ),
        goal_s=np.array([s for _, s in goals]),
        table=np.array([[row[0] for row in rows], [row[1] for row in rows]], dtype=np.int32),
        values=np.array([[row[2] for row in rows], [row[3] for row in rows]], dtype=np.float32),
        first_cycle=len(lanes),
    )
    lane = np.concatenate((cars, cycles)).astype(np.int32)
    return ways, Starts(lane, np.concatenate((cars_until, cycles_until)), len(cars))


def _roads(road_map: RoadMap, net: Network, shape: Shape, allow: int) -> Any:
    """Engine lanes on which a trip may begin or end."""
    lanes = shape.lane_of
    fits = (road_map.lane_allow[lanes] & int(allow)) != 0
    return np.flatnonzero(
        fits & (net.whole[CONNECTOR, :-1] == 0) & (net.real[LENGTH, : len(lanes)] > LEAST_LANE_M)
    )


def _drawn(
    road_map: RoadMap, net: Network, shape: Shape, allow: int, count: int, draw: np.random.Generator
) -> tuple[list[Goal], list[Field]]:
    roads = _roads(road_map, net, shape, allow)
    if len(roads) == 0:
        return [], []
    usable = open_lanes(road_map, allow)
    weight = np.sqrt(net.real[LENGTH, roads])
    order = draw.choice(roads, size=len(roads), replace=False, p=weight / weight.sum())
    goals: list[Goal] = []
    fields: list[Field] = []
    least = max(LEAST_ORIGINS, len(roads) // 20) if len(roads) > LEAST_ORIGINS else 1
    for lane in order[: TRIES + count]:
        if len(goals) == count:
            break
        s = max(0.5 * float(net.real[LENGTH, lane]), float(net.real[LENGTH, lane]) - END_ROOM_M)
        field = _field(road_map, net, shape, int(shape.lane_of[lane]), s, allow, usable)
        if np.isfinite(field[3][roads]).sum() >= least:
            goals.append((int(lane), s))
            fields.append(field)
    return goals, fields


def _field(
    road_map: RoadMap, net: Network, shape: Shape, lane: int, s: float, allow: int, usable: Any
) -> Field:
    route = plan_route(road_map, lane, s, allow, usable=usable)
    kept = shape.lane_of
    after = np.where(route.best_next[kept] >= 0, shape.engine_of[route.best_next[kept]], NONE)
    stay = net.real[LENGTH, : len(kept)] / route.limit_mps[kept] + route.next_cost_s[kept]
    better = (route.best_side[kept] != 0) & (route.cost_s[kept] < stay - 1e-6)
    side = np.where(better, route.best_side[kept], 0)
    return after, side, route.change_room_m[kept], route.cost_s[kept]


def _starts(
    road_map: RoadMap, net: Network, shape: Shape, fields: list[Field], allow: int
) -> tuple[Any, FloatArray]:
    """Lanes from which at least half of the goals are reached, and their cumulative metres."""
    if not fields:
        return np.zeros(0, dtype=np.int32), np.zeros(0)
    roads = _roads(road_map, net, shape, allow)
    reached = np.mean([np.isfinite(field[3][roads]) for field in fields], axis=0)
    good = roads[reached >= min(0.5, float(reached.max()))]
    return good, np.cumsum(net.real[LENGTH, good])
