"""The road ahead along our route, as far as an operational domain asks what it is like."""

from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import BoolArray, IntArray
from marque.core.errors import MarqueError
from marque.maps.field import Route, plan_route, route_lanes
from marque.types.codes import Allow, ConflictKind
from marque.types.domain import Stretch, Trait
from marque.types.road_map import NONE, RoadMap

LOOK_M = 3000.0


@dataclass(frozen=True, slots=True, eq=False)
class RoadMemory:
    """The route, what each lane is like [L], and the lanes that lie ahead as we last knew."""

    road_map: RoadMap
    route: Route | None  # None: there is no map
    traits: IntArray
    lanes: tuple[int, ...] = ()
    road: tuple[Stretch, ...] = ()


def begin_road(road_map: RoadMap, goal_lane: int, goal_s_m: float) -> RoadMemory:
    """Before the first look. MarqueError when the goal lane is not for cars."""
    if not road_map.lane_count:
        return RoadMemory(road_map, None, np.zeros(0, np.int64))
    return RoadMemory(road_map, plan_route(road_map, goal_lane, goal_s_m), traits_of(road_map))


def look_ahead(memory: RoadMemory, lane: int, s_m: float) -> RoadMemory:
    """The stretches from a place on. Off every lane, what was known last stays so."""
    if memory.route is None or lane == NONE:
        return memory
    lanes = memory.lanes
    if lane in lanes:
        lanes = lanes[lanes.index(lane) :]
    else:
        try:
            lanes = tuple(route_lanes(memory.road_map, memory.route, lane, s_m))
        except MarqueError:  # no way to the goal from here: the lane itself is known
            lanes = (lane,)
    return replace(memory, lanes=lanes, road=_stretches(memory, lanes, s_m))


def _stretches(memory: RoadMemory, lanes: tuple[int, ...], s_m: float) -> tuple[Stretch, ...]:
    """Equal neighbours are one. Lanes beside each other, where the route changes, count once."""
    road_map = memory.road_map
    found: list[Stretch] = []
    begin, edge, length = -s_m, NONE, 0.0
    for lane in lanes:
        if int(road_map.lane_edge[lane]) == edge:
            continue
        begin += length
        edge, length = int(road_map.lane_edge[lane]), float(road_map.lane_length_m[lane])
        if begin > LOOK_M:
            break
        limit, traits = float(road_map.lane_limit_mps[lane]), Trait(int(memory.traits[lane]))
        if not found or (found[-1].limit_mps, found[-1].traits) != (limit, traits):
            found.append(Stretch(begin, limit, traits))
    return tuple(found)


def traits_of(road_map: RoadMap) -> IntArray:
    """[L] bits of Trait. What lies beside a lane on the same road counts for it; a connector is
    separated if the lanes that it joins are."""
    traits = np.full(road_map.lane_count, int(Trait.MAPPED), np.int64)
    slow = (road_map.lane_allow & (Allow.BICYCLE | Allow.PEDESTRIAN)) != 0
    traits[~_on_edge(road_map, slow)] |= Trait.MOTOR_ONLY
    separated = ~_on_edge(road_map, road_map.lane_opposite != NONE)
    for lane in np.flatnonzero(road_map.lane_connector).tolist():
        ends = (*road_map.predecessors(lane).tolist(), *road_map.successors(lane).tolist())
        separated[lane] = all(separated[each] for each in ends)
    traits[separated] |= Trait.SEPARATED
    traits[road_map.lane_head != NONE] |= Trait.SIGNALS
    traits[np.diff(road_map.cross_off) > 0] |= Trait.CROSSWALKS
    traits[road_map.lane_roundabout] |= Trait.ROUNDABOUT
    crossed = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.conf_off))
    traits[crossed[road_map.conf_kind == ConflictKind.CROSS]] |= Trait.CROSSINGS
    return traits


def _on_edge(road_map: RoadMap, lanes: BoolArray) -> BoolArray:
    """[L] whether any lane of the same edge is one of these."""
    edges = np.zeros(len(road_map.edge_name), dtype=np.bool_)
    edges[road_map.lane_edge[lanes]] = True
    found: BoolArray = edges[road_map.lane_edge]
    return found
