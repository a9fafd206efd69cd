"""A scenario with its roads, ready for our car to drive in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marque.core.errors import MarqueError
from marque.maps.formats.opendrive import Roads, read_opendrive
from marque.maps.formats.opendrive.road_map import road_map as make_road_map
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.sim.scenario.document import Scenario, read_scenario
from marque.sim.worlds.scenario import ScenarioWorld
from marque.types.platform import Platform
from marque.types.road_map import RoadMap

END_M = 1.0  # a goal keeps so far from the end of its lane
LEAST_WAY_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Play:
    """A scenario, the exact roads that it speaks of, and the map that our car drives by."""

    scenario: Scenario
    file: Path  # of the roads
    roads: Roads
    road_map: RoadMap
    index: LaneIndex

    def world(self, platform: Platform | None = None) -> ScenarioWorld:
        """A fresh play of it, up to where our car is handed over. MarqueError: it never is."""
        return ScenarioWorld(self.scenario, self.roads, self.road_map, self.index, platform)

    def trip(self, world: ScenarioWorld) -> Trip:
        """From the hand-over to the end of the way that the file means for our car.

        MarqueError: one of the two is on no lane for cars, or inside a junction.
        """
        start = self._lane_at(*world.start_pose, "starts")
        goal = self._lane_at(*world.goal, "ends")
        length = float(self.road_map.lane_length_m[goal[0]])
        trip = Trip(*start, goal[0], min(goal[1], length - END_M))
        if start[0] == goal[0] and trip.goal_s_m - trip.start_s_m < LEAST_WAY_M:
            raise MarqueError(f"the way of {self.scenario.file} ends where it begins")
        return trip

    def _lane_at(self, x_m: float, y_m: float, heading_rad: float, what: str) -> tuple[int, float]:
        found = self.index.nearest(x_m, y_m, heading_rad, connectors=False)
        if found is None:
            raise MarqueError(
                f"the way of {self.scenario.file} {what} at x={x_m:.1f}, y={y_m:.1f}, "
                "where no lane for cars is"
            )
        return found[0], found[1]


def read_play(path: Path, given: Mapping[str, str] | None = None) -> Play:
    """A scenario file and its roads. MarqueError as `read_scenario`, or it has no roads."""
    scenario = read_scenario(path, given)
    if scenario.network.roads is None:
        raise MarqueError(f"{path} names no road file, so our car has nothing to drive on")
    roads = read_opendrive(scenario.network.roads)
    road_map = make_road_map(roads)
    return Play(scenario, scenario.network.roads, roads, road_map, LaneIndex(road_map))
