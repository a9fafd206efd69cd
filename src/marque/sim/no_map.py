"""A drive without a map: where in the true world it may begin, and what judges it.

All of this is the judge's. The stack gets a map without lanes (`sim.drive.believed_of`).
"""

import math

import numpy as np

from marque.core.errors import MarqueError
from marque.core.registry import load, names
from marque.core.units import KPH, to_kph
from marque.maps.trips import Trip
from marque.types.codes import Allow, ConflictKind
from marque.types.road_map import NONE, RoadMap

SLOWEST_MPS = 60.0 * KPH  # no motorway, ramp or works has a lower limit
FAST_MPS = 80.0 * KPH  # where a seeded drive begins
MOST_KM, MOST_KPH, LEAST_KPH = 1000.0, 130.0, 30.0
DEFAULT_KM = 2.0
DRIVER = "marks"
TRIES = 200
BEGIN_M, SPARE_M = 30.0, 60.0  # of the first lane behind the car; of the way beyond the goal
DRAW = 0x0A0


def usual_driver(no_map: bool) -> str:
    """Who drives where nobody is named."""
    return DRIVER if no_map else "marque"


def need_blind_driver(name: str) -> None:
    """MarqueError unless a driver drives without a map."""
    if getattr(load("driver", name), "drives_without_map", False):
        return
    able = [
        each for each in names("driver") if getattr(load("driver", each), "drives_without_map", 0)
    ]
    raise MarqueError(f"driver '{name}' needs a map; without one, have [{', '.join(able)}]")


def need_blind_words(km: float, set_kph: float | None) -> None:
    """MarqueError unless length and set speed are ones to drive."""
    if not 0.05 <= km <= MOST_KM:
        raise MarqueError(f"--km is {km:g}; it must be from 0.05 to {MOST_KM:g}")
    if set_kph is not None and not LEAST_KPH <= set_kph <= MOST_KPH:
        raise MarqueError(
            f"--set-speed is {set_kph:g} km/h; it must be from {LEAST_KPH:g} to {MOST_KPH:g}"
        )


def straight_way(road_map: RoadMap, lane: int, s_m: float, length_m: float) -> list[int]:
    """Lanes (connectors among them) on which somebody drives who changes none and turns least, for
    `length_m` or until the lane ends."""
    way, left = [lane], length_m - (float(road_map.lane_length_m[lane]) - s_m)
    while left > 0.0:
        following = [int(each) for each in road_map.successors(way[-1]) if int(each) not in way]
        if not following:
            break
        way.append(min(following, key=lambda each: (_turn(road_map, each), each)))
        left -= float(road_map.lane_length_m[way[-1]])
    return way


def blind_trip(road_map: RoadMap, lane: int, s_m: float, length_m: float) -> Trip:
    """From a place on a motorway straight on for a length, as far as the lane goes.

    MarqueError: the place lies in a junction, or that way is no motorway.
    """
    if road_map.lane_connector[lane]:
        raise MarqueError(
            f"the start lane '{road_map.lane_name[lane]}' lies inside a junction; "
            "a drive begins on a road"
        )
    way = straight_way(road_map, lane, s_m, length_m)
    for each in way:
        why = no_motorway(road_map, each)
        if why:
            name = road_map.lane_name[each]
            raise MarqueError(f"--no-map is for motorways; lane '{name}' of {road_map.name} {why}")
    gone = -s_m
    for each in way:
        here = float(road_map.lane_length_m[each])
        if gone + here >= length_m and not road_map.lane_connector[each]:
            return Trip(lane, s_m, each, max(length_m - gone, 0.0))
        gone += here
    last = next(each for each in reversed(way) if not road_map.lane_connector[each])
    return Trip(lane, s_m, last, float(road_map.lane_length_m[last]) - 1.0)


def draw_blind_trip(road_map: RoadMap, seed: int, length_m: float) -> Trip:
    """A seeded start on a motorway lane that goes on for the length. MarqueError: there is none."""
    roads = ~road_map.lane_connector & (road_map.lane_limit_mps >= FAST_MPS)
    roads &= (road_map.lane_allow & Allow.CAR) != 0
    lanes = np.flatnonzero(roads & (road_map.lane_length_m > 2.0 * BEGIN_M))
    rng = np.random.Generator(np.random.PCG64([seed, DRAW]))
    for lane in rng.permutation(lanes)[:TRIES].tolist():
        if reaches(road_map, lane, BEGIN_M, length_m):
            return blind_trip(road_map, lane, BEGIN_M, length_m)
    raise MarqueError(
        f"--no-map is for motorways; {road_map.name} has none of {length_m / 1000.0:g} km on which "
        "one lane goes on (--from and a shorter --km choose another)"
    )


def reaches(road_map: RoadMap, lane: int, s_m: float, length_m: float) -> bool:
    """Whether one lane goes on for that long, all of it a motorway."""
    way = straight_way(road_map, lane, s_m, length_m + SPARE_M)
    total = sum(float(road_map.lane_length_m[each]) for each in way) - s_m
    return total >= length_m + SPARE_M and not any(no_motorway(road_map, one) for one in way)


def no_motorway(road_map: RoadMap, lane: int) -> str:
    """Why a lane is none of a motorway, "" if it is one."""
    limit = float(road_map.lane_limit_mps[lane])
    if limit < SLOWEST_MPS - 0.1 and not road_map.lane_connector[lane]:
        return f"has a limit of {to_kph(limit):.0f} km/h"
    if road_map.lane_head[lane] != NONE:
        return "has a signal"
    if road_map.lane_opposite[lane] != NONE:
        return "has oncoming traffic beside it"
    if road_map.cross_off[lane + 1] > road_map.cross_off[lane]:
        return "has a crosswalk"
    rows = slice(int(road_map.conf_off[lane]), int(road_map.conf_off[lane + 1]))
    if (road_map.conf_kind[rows] == ConflictKind.CROSS).any():
        return "crosses another road"
    return ""


def _turn(road_map: RoadMap, lane: int) -> float:
    """How far a lane turns from its start to its end, rad."""
    angle = road_map.pt_heading_rad
    first, last = int(road_map.pt_off[lane]), int(road_map.pt_off[lane + 1]) - 1
    return abs(math.remainder(float(angle[last]) - float(angle[first]), 2.0 * math.pi))
