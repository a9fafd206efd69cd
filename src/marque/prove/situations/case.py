"""One case of a situation: roads, who else is there, our way, and what is asked of us."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.maps.trips import Trip
from marque.prove.roads import Roads, build_roads, lane_name
from marque.prove.situations.cast import Cast, demand_xml, places_xml
from marque.types.road_map import RoadMap

SETTLED_M = 1.0  # least distance of a place from the ends of its lane


@dataclass(frozen=True, slots=True)
class Place:
    """`at_m` along a car lane (0 at the kerb) of an edge; negative: before its end."""

    edge: str
    at_m: float
    lane: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Drawn from a seed; `facts` are what the judge of its class needs to know beyond the truth."""

    text: str
    roads: Roads
    cast: Cast
    start: Place
    goal: Place
    limit_s: float
    begin_s: int = 20
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A case made of real files: ready to be driven."""

    case: Case
    road_map: RoadMap
    sumocfg: Path
    trip: Trip


def set_stage(case: Case, folder: Path) -> Stage:
    """Write network, demand and configuration into `folder`, import the map, place the trip.

    MarqueError: SUMO missing or refusing, or a place that the roads do not have.
    """
    road_map, net = build_roads(case.roads, folder)
    write_text(folder / "x.rou.xml", demand_xml(case.roads, case.cast))
    write_text(folder / "x.add.xml", places_xml(case.roads, case.cast))
    write_text(folder / "x.sumocfg", _configuration(net))
    start = find_place(case, road_map, case.start)
    goal = find_place(case, road_map, case.goal)
    return Stage(case, road_map, folder / "x.sumocfg", Trip(*start, *goal))


def find_place(case: Case, road_map: RoadMap, place: Place) -> tuple[int, float]:
    """(lane, s_m) on the map. MarqueError: no such lane."""
    name = lane_name(case.roads, place.edge, place.lane)
    if name not in road_map.lane_name:
        raise MarqueError(f"the drawn network has no lane '{name}'")
    lane = road_map.lane_name.index(name)
    length = float(road_map.lane_length_m[lane])
    at = place.at_m if place.at_m >= 0.0 else length + place.at_m
    return lane, min(max(SETTLED_M, at), length - SETTLED_M)


def _configuration(net: Path) -> str:
    return (
        f'<configuration><input><net-file value="{net.name}"/><route-files value="x.rou.xml"/>'
        '<additional-files value="x.add.xml"/></input><time><begin value="0"/></time>'
        "</configuration>\n"
    )
