"""Where runs begin: dense states of SUMO's traffic, made once and kept in the user's cache."""

from dataclasses import dataclass
from pathlib import Path

from marque.core.errors import unknown
from marque.maps import store
from marque.maps.library import open_map
from marque.prove.motorway.demand import DENSITIES, stage_motorway
from marque.prove.motorway.draw import draw_motorway
from marque.sim.worlds.sumo_spec import SumoSpec, cfg_files
from marque.types.platform import Platform
from marque.types.road_map import RoadMap

CITY_VEHICLES = 320  # in Berlin's inner city; by the rule of `prove city` about 200 are there
DENSE = DENSITIES[1]
CITY, MOTORWAY = "city", "motorway"
STATES = 4  # of each sort


@dataclass(frozen=True, slots=True)
class State:
    """One saved state, by sort and number; `far_m`: farther from our car nobody is needed."""

    sort: str
    number: int

    @property
    def far_m(self) -> float:
        """20 s at the speed of the road, and what the senses see."""
        return 350.0 if self.sort == CITY else 700.0

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.sort}{self.number}"


def states(roads: str) -> tuple[State, ...]:
    """The states of some roads: city, motorway or all. MarqueError: neither."""
    sorts = {"all": (CITY, MOTORWAY), CITY: (CITY,), MOTORWAY: (MOTORWAY,)}
    if roads not in sorts:
        raise unknown("roads", roads, sorts)
    return tuple(State(sort, number) for number in range(STATES) for sort in sorts[roads])


def open_state(state: State, platform: Platform) -> tuple[RoadMap, SumoSpec]:
    """The map, and what SUMO needs. MarqueError: SUMO is missing or refuses."""
    if state.sort == CITY:
        road_map, file = open_map("berlin")
        net, cfg, begin_s, density = store.load_net(file), None, None, CITY_VEHICLES
    else:
        cfg = stage_motorway(draw_motorway(1, state.number), DENSE)
        road_map, _ = open_map(str(cfg_files(cfg)[0]))
        net, begin_s, density = None, DENSE.begin_s, None
    return road_map, SumoSpec(
        road_map=road_map,
        net=net,
        route_edges=(),
        ego_length_m=platform.length_m,
        ego_width_m=platform.width_m,
        ego_front_m=platform.front_m,
        seed=1000 + state.number,
        density=density,
        sumocfg=Path(cfg) if cfg is not None else None,
        begin_s=begin_s,
    )
