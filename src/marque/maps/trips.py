"""Seeded trips: where they begin and end is drawn from the road graph alone."""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.errors import MarqueError
from marque.maps.field import cost_at, open_lanes, plan_route, route_length_m
from marque.types.codes import Allow, LaneKind
from marque.types.road_map import RoadMap

END_ROOM_M = 15.0  # between a start or a goal and the end of its lane, where the lane has it
BEGIN_ROOM_M = 5.0
_DRAWS_PER_TRIP = 400  # pairs looked at before a map is called too small


@dataclass(frozen=True, slots=True)
class Trip:
    """From where to where: lanes of one RoadMap and metres along them."""

    start_lane: int
    start_s_m: float
    goal_lane: int
    goal_s_m: float


def draw_trips(
    road_map: RoadMap, seed: int, count: int, min_length_m: float, allow: int = Allow.CAR
) -> list[Trip]:
    """`count` trips of at least `min_length_m` by road, the same for the same seed and map.

    Starts and goals are uniform over the metres of lanes open to `allow`, connectors left out;
    a pair is kept when the goal is reachable and far enough by road. Nothing else is asked.
    Raises MarqueError when the map has no such lanes or hardly any such pair.
    """
    usable = open_lanes(road_map, allow)
    lanes, weight = _lanes_to_draw(road_map, usable, allow)
    draw = np.random.Generator(np.random.PCG64(seed))
    trips: list[Trip] = []
    longest = 0.0
    for _ in range(_DRAWS_PER_TRIP * max(1, count)):
        if len(trips) == count:
            return trips
        trip = _draw(road_map, lanes, weight, draw)
        length = _length_m(road_map, trip, usable, allow)
        longest = max(longest, length)
        if length >= min_length_m:
            trips.append(trip)
    if len(trips) == count:
        return trips
    raise MarqueError(
        f"map '{road_map.name}' gave {len(trips)} of {count} trips of at least "
        f"{min_length_m:.0f} m; the longest way found by chance is {longest:.0f} m"
    )


def _lanes_to_draw(
    road_map: RoadMap, usable: BoolArray, allow: int
) -> tuple[Int32Array, FloatArray]:
    drawn = (
        usable
        & ~road_map.lane_connector
        & (road_map.lane_kind != LaneKind.SHOULDER)
        & (road_map.lane_length_m > 0.0)
    )
    lanes = np.flatnonzero(drawn).astype(np.int32)
    if len(lanes) == 0:
        raise MarqueError(f"map '{road_map.name}' has no lane open to {Allow(allow).name}")
    length = road_map.lane_length_m[lanes]
    return lanes, np.cumsum(length) / float(length.sum())


def _draw(
    road_map: RoadMap, lanes: Int32Array, weight: FloatArray, draw: np.random.Generator
) -> Trip:
    u = draw.random(4)
    start, goal = lanes[np.minimum(np.searchsorted(weight, u[:2], side="right"), len(lanes) - 1)]
    return Trip(
        int(start),
        _place_m(float(road_map.lane_length_m[start]), float(u[2])),
        int(goal),
        _place_m(float(road_map.lane_length_m[goal]), float(u[3])),
    )


def _place_m(length_m: float, share: float) -> float:
    """A place on a lane, with room before and behind as far as the lane has it."""
    low = min(BEGIN_ROOM_M, 0.5 * length_m)
    high = max(low, length_m - END_ROOM_M)
    return low + share * (high - low)


def _length_m(road_map: RoadMap, trip: Trip, usable: BoolArray, allow: int) -> float:
    route = plan_route(road_map, trip.goal_lane, trip.goal_s_m, allow, usable=usable)
    if not np.isfinite(cost_at(road_map, route, trip.start_lane, trip.start_s_m)):
        return 0.0
    return route_length_m(road_map, route, trip.start_lane, trip.start_s_m)
