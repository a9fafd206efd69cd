"""Our own demand: what is drawn, and that a drive in it repeats bit for bit."""

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from crossing import FRONT_M, LENGTH_M, WIDTH_M, on_lane

from marque.core.errors import MarqueError
from marque.maps.field import plan_route, route_lanes
from marque.maps.library import open_map
from marque.maps.store import load_net
from marque.maps.trips import Trip, draw_trips
from marque.sim.reference import reference_run, speed_caps
from marque.sim.worlds.sumo import SumoSpec, SumoWorld
from marque.sim.worlds.sumo_demand import (
    Demand,
    Network,
    Places,
    Wanted,
    read_network,
    type_file,
    wanted,
)
from marque.sim.worlds.sumo_spec import lane_km, launch
from marque.types.codes import UserKind
from marque.types.road_map import RoadMap

pytestmark = pytest.mark.sumo


class Berlin:
    """The district, one trip through it, and a folder of warmed states."""

    def __init__(self, cache: Path) -> None:
        self.road_map, path = open_map("berlin")
        self.net = load_net(path)
        self.cache = cache
        self.trip: Trip = draw_trips(self.road_map, 4, 1, 900.0)[0]
        route = plan_route(self.road_map, self.trip.goal_lane, self.trip.goal_s_m)
        lanes = route_lanes(self.road_map, route, self.trip.start_lane, self.trip.start_s_m)
        names = [
            self.road_map.edge_name[self.road_map.lane_edge[lane]]
            for lane in lanes
            if not self.road_map.lane_connector[lane]
        ]
        self.edges = tuple(n for i, n in enumerate(names) if i == 0 or n != names[i - 1])
        name = self.road_map.lane_name[self.trip.start_lane]
        self.start = on_lane(self.road_map, name, self.trip.start_s_m)

    def spec(self, seed: int = 1, density: int | None = 60, cache: Path | None = None) -> SumoSpec:
        return SumoSpec(
            road_map=self.road_map,
            net=self.net,
            route_edges=self.edges,
            ego_length_m=LENGTH_M,
            ego_width_m=WIDTH_M,
            ego_front_m=FRONT_M,
            seed=seed,
            density=density,
            cache=cache or self.cache,
        )


@pytest.fixture(scope="module")
def berlin(tmp_path_factory) -> Berlin:
    return Berlin(tmp_path_factory.mktemp("traffic"))


def digest(spec: SumoSpec, berlin: Berlin, steps: int = 120) -> tuple[str, str]:
    """All the truth of a drive in which our car stands, and whether the state was kept."""
    world = SumoWorld(spec)
    try:
        found = hashlib.sha256()
        seen = world.reset(berlin.start)
        for _ in range(steps):
            users = seen.users
            for column in users.__dataclass_fields__:
                found.update(getattr(users, column).tobytes())
            found.update(seen.heads.tobytes())
            seen = world.step(berlin.start)
        return found.hexdigest(), world.facts()["warmed state"]
    finally:
        world.close()


def test_the_same_seed_gives_the_same_truth_cached_or_not(berlin, tmp_path):
    first, made = digest(berlin.spec(cache=tmp_path), berlin)
    again, kept = digest(berlin.spec(cache=tmp_path), berlin)
    elsewhere, _ = digest(berlin.spec(cache=tmp_path / "other"), berlin)
    other_seed, _ = digest(berlin.spec(seed=2, cache=tmp_path), berlin)
    assert (made, kept) == ("made now", "from the cache")
    assert first == again == elsewhere
    assert first != other_seed


def test_a_second_reset_starts_the_same_drive_again(berlin):
    world = SumoWorld(berlin.spec())
    try:
        first = world.reset(berlin.start)
        for _ in range(30):
            last = world.step(berlin.start)
        again = world.reset(berlin.start)
        assert again.t_ns == 0
        assert np.array_equal(first.users.x_m, again.users.x_m)
        for _ in range(30):
            seen = world.step(berlin.start)
        assert np.array_equal(last.users.x_m, seen.users.x_m)
    finally:
        world.close()


def test_berlin_has_cars_cyclists_and_people_on_foot_and_no_u_turns(berlin):
    world = SumoWorld(berlin.spec(density=None))
    try:
        seen = world.reset(berlin.start)
        kinds: set[int] = set()
        for step in range(200):
            seen = world.step(berlin.start)
            kinds.update(seen.users.kind.tolist())
            if step % 20 == 0:
                on_foot = seen.users.kind == UserKind.PEDESTRIAN
                assert (seen.users.indicator[on_foot] == 0).all()
                assert (seen.users.length_m > 0.1).all() and (seen.users.width_m > 0.1).all()
                away = np.hypot(seen.users.x_m - seen.ego.x_m, seen.users.y_m - seen.ego.y_m)
                assert (away < 160.0).all()
                assert len(set(seen.users.uid.tolist())) == len(seen.users.uid)
        routes = world.routes()
    finally:
        world.close()
    assert {UserKind.CAR, UserKind.PEDESTRIAN} <= kinds
    names = [name for name in routes if name != "ego"]
    target = wanted(lane_km(berlin.road_map), None)
    assert 180 <= target.vehicles <= 220  # about 200 by the rule
    assert sum(name[0] == "c" for name in names) >= 0.8 * target.cyclists
    assert sum(name[0] == "m" for name in names) >= 0.9 * target.vehicles
    network = read_network(launch(berlin.spec()).net)
    assert network.turnarounds
    for name in names:
        assert not any(pair in network.turnarounds for pair in pairwise(routes[name])), name


class Recorder:
    """Stands for SUMO: hands out a given route and notes what was added."""

    def __init__(self, routes) -> None:
        self.routes = routes
        self.asked = 0
        self.vehicles: list[tuple[str, ...]] = []
        self.walks: list[tuple[str, ...]] = []

    def route(self, start, end, kind):
        self.asked += 1
        return self.routes[self.asked % len(self.routes)], 800.0

    def add_vehicle(self, name, kind, route):
        self.vehicles.append(route)

    def add_walker(self, name, at_m, route):
        self.walks.append(route)


def small_network() -> Network:
    places = Places(("a", "b", "c"), (10.0, 20.0, 30.0))
    ends = dict.fromkeys("abc", (0.0, 0.0, 10.0, 0.0))
    ends |= {name: (x, 900.0, x + 50.0, 900.0) for name, x in zip("pqr", (0, 50, 100), strict=True)}
    classes = ("passenger", "truck", "bus", "motorcycle", "bicycle")
    return Network(
        places=dict.fromkeys(classes, places),
        turnarounds=frozenset({("a", "-a")}),
        walk_ends={"p": (0,), "q": (0, 1), "r": (1,)},
        corners=(("p", "q"), ("q", "r")),
        walk_starts=Places(("p", "q", "r"), (50.0, 100.0, 150.0)),
        length_m=dict.fromkeys("abcpqr", 50.0),
        ends=ends,
    )


def test_a_route_with_a_u_turn_is_dropped_and_drawn_again():
    sumo = Recorder([("b", "a", "-a", "c"), ("b", "c")])
    demand = Demand(small_network(), Wanted(10, 2, 0), seed=1)
    demand.tend(sumo, (0, 0, 0), 0, None)
    assert len(sumo.vehicles) == 12
    assert set(sumo.vehicles) == {("b", "c")}
    assert demand.refused > 0


def test_nobody_appears_within_sight_of_our_car():
    sumo = Recorder([("b", "c")])
    demand = Demand(small_network(), Wanted(10, 2, 5), seed=1)
    demand.tend(sumo, (0, 0, 0), 0, (50.0, 100.0))
    assert not sumo.vehicles  # all roads start within 200 m
    assert len(sumo.walks) == 5  # the sidewalks are far away


def test_nobody_enters_while_too_many_stand_unless_the_density_was_asked_for():
    sumo = Recorder([("b", "c")])
    for fluid, entered in ((True, 0), (False, 10)):
        demand = Demand(small_network(), Wanted(40, 0, 0, fluid), seed=1)
        sumo.vehicles.clear()
        demand.tend(sumo, (30, 0, 0), 15, None)
        assert len(sumo.vehicles) == entered
    demand = Demand(small_network(), Wanted(40, 0, 0, True), seed=1)
    demand.tend(sumo, (30, 0, 0), 5, None)
    assert len(sumo.vehicles) == 20


def test_walks_lead_through_each_sidewalk_and_out_at_its_other_end():
    sumo = Recorder([("b", "c")])
    demand = Demand(small_network(), Wanted(0, 0, 40), seed=3)
    demand.tend(sumo, (0, 0, 0), 0, None)
    legal = {("p", "q"), ("q", "p"), ("q", "r"), ("r", "q"), ("p", "q", "r"), ("r", "q", "p")}
    assert len(sumo.walks) == 40
    assert set(sumo.walks) <= legal


def test_demand_continues_from_where_it_was_saved():
    a = Recorder([("b", "c")])
    first = Demand(small_network(), Wanted(5, 0, 0), seed=9)
    first.tend(a, (0, 0, 0), 0, None)
    second = Demand(small_network(), Wanted(5, 0, 0), seed=1)
    second.load(first.save())
    assert second.random.random() == first.random.random()
    assert second.serial == first.serial == 5


def test_density_by_rule_and_by_wish():
    assert wanted(10.0, None).vehicles == 42 and wanted(10.0, None).fluid
    assert not wanted(10.0, 42).fluid
    assert wanted(0.1, None).vehicles == 20
    assert wanted(5000.0, None).vehicles == 600
    assert wanted(10.0, 0).vehicles == 0
    with pytest.raises(MarqueError, match="density is -3"):
        wanted(10.0, -3)


def test_a_network_without_roads_for_cars_has_no_demand(tmp_path):
    net = tmp_path / "x.net.xml"
    net.write_text(
        '<net><edge id="a" from="x" to="y"><lane id="a_0" index="0" allow="pedestrian" '
        'length="50" shape="0,0 50,0"/></edge></net>'
    )
    with pytest.raises(MarqueError, match="no road for cars"):
        Demand(read_network(net), Wanted(5, 0, 0), 1)
    net.write_text("<net><edge")
    with pytest.raises(MarqueError, match="cannot be read"):
        read_network(net)


def test_the_types_are_whole_xml():
    from xml.etree import ElementTree

    shares = {node.get("id"): node for node in ElementTree.fromstring(type_file())}
    assert len(shares) == 10


def check_caps(road_map: RoadMap, caps: dict[int, np.ndarray], limit: float) -> None:
    for lane, cap in caps.items():
        first, last = road_map.pt_off[lane], road_map.pt_off[lane + 1]
        bend = np.abs(road_map.pt_curvature_1pm[first:last])
        assert (cap**2 * bend <= limit * 1.000001).all()
        braking = (cap[:-1] ** 2 - cap[1:] ** 2) / (2.0 * np.diff(road_map.arc(lane)))
        assert (braking <= 2.5 + 1e-6).all()


def test_speed_caps_keep_the_lateral_limit_and_can_be_braked_for(berlin):
    caps = speed_caps(berlin.road_map, berlin.edges, 2.5)
    check_caps(berlin.road_map, caps, 2.5)
    insides = [lane for lane in caps if berlin.road_map.lane_connector[lane]]
    assert len(insides) >= len(berlin.edges) - 1
    with pytest.raises(MarqueError, match="edge 'none' that the map lacks"):
        speed_caps(berlin.road_map, ("none",), 2.5)


def test_sumos_own_driver_arrives_and_repeats(berlin):
    spec, trip = berlin.spec(), berlin.trip
    first = reference_run(spec, berlin.start, trip.goal_lane, trip.goal_s_m)
    kept = reference_run(spec, berlin.start, trip.goal_lane, trip.goal_s_m)
    (file,) = berlin.cache.glob("reference-*.json")
    file.write_text("cut o")  # driven anew when what was kept cannot be read
    again = reference_run(spec, berlin.start, trip.goal_lane, trip.goal_s_m)
    assert first == kept == again
    assert first.arrived
    assert 850.0 < first.distance_m < 3000.0
    assert 3.0 < first.mean_speed_mps < 20.0
    assert 0.0 <= first.waiting_s < first.duration_s


def test_a_goal_off_the_route_is_refused(berlin):
    with pytest.raises(MarqueError, match="not on the last edge of the route"):
        reference_run(berlin.spec(), berlin.start, berlin.trip.start_lane, 1.0)
