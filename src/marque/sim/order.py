"""A drive as somebody orders it, and what it takes to drive it.

`prepare` answers every question that can be answered before the traffic starts, so that a wrong
word costs seconds; `open_world` then starts the traffic.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from marque.core.errors import MarqueError, unknown
from marque.core.units import KPH
from marque.maps import store
from marque.maps.field import Route, cost_at, plan_route, route_length_m
from marque.maps.library import open_map
from marque.maps.lookup import LaneIndex
from marque.maps.places import parse_place
from marque.maps.reach import explain
from marque.maps.trips import Trip, draw_trips
from marque.metrics.arrival import time_limit_s
from marque.metrics.optimal import trip_optimal_time_s
from marque.sensing.profile import SensorProfile, load_profile
from marque.sim.drive import (
    Asked,
    Blind,
    Setup,
    begin_episode,
    load_driver,
    run_drive,
    trip_route,
)
from marque.sim.no_map import (
    DEFAULT_KM,
    blind_trip,
    draw_blind_trip,
    need_blind_driver,
    need_blind_words,
)
from marque.sim.person import Attended, person_script, weather_script
from marque.sim.reference import Reference, reference_run
from marque.sim.scenario.play import Play, read_play
from marque.sim.worlds.empty import EmptyWorld
from marque.sim.worlds.engine import LABEL as ENGINE_LABEL
from marque.sim.worlds.engine import EngineSpec, EngineWorld
from marque.sim.worlds.port import RoadWorld
from marque.sim.worlds.sumo import SumoSpec, SumoWorld
from marque.sim.worlds.sumo_link import need_sumo
from marque.sim.worlds.sumo_spec import cfg_files, launch, split_args
from marque.types.episode import Episode
from marque.types.platform import Platform
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth
from marque.vehicle import domain, market
from marque.vehicle.brand import load_brand
from marque.vehicle.catalog import OPENDBC, load_platform
from marque.vehicle.domain import load_domain
from marque.vehicle.market import load_market

DEFAULT_MAP, MOTORWAY_MAP = "berlin", "autobahn"
SUMO, EMPTY, ENGINE = "sumo", "none", "engine"
OWN_MAP = "town"  # where SUMO is not installed, or the traffic is the engine's
# the time limit of a drive whose reference was not driven, from the time-optimal profile
LIMIT_FACTOR, LIMIT_EXTRA_S = 6.0, 180.0
LEAST_WAY_M = 1.0
SCENARIO_LIMIT_S = 600.0  # of a scenario that does not end of itself

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """A drive in the words of its user. Places as `maps.places` reads them."""

    map_name: str = ""  # "": Berlin, without a map a motorway, or the network that a .sumocfg names
    traffic: str = SUMO  # sumo | engine | none | path of a .sumocfg
    density: int | None = None  # vehicles present; None: by the map's size
    begin_s: float | None = None  # in the time of a .sumocfg
    sumo_args: str = ""
    driver: str = "marque"
    car: str = "saloon_ev"
    brand: str = ""  # whose character; "": the driver's own
    sensors: str = "ideal"
    seed: int = 1  # of the demand, and of the trip unless places are given
    start: str = ""
    goal: str = ""
    min_length_m: float = 2000.0
    no_map: bool = False  # our car has none; from `start` straight on for `km`
    km: float | None = None
    set_kph: float | None = None
    scenario: str = ""  # a .xosc file: its roads, its others, its start
    given: tuple[tuple[str, str], ...] = ()  # parameters of the scenario, name and value
    market: str = ""  # whose rules of takeover hold; all four empty: nobody supervises
    domain: str = ""
    attention: str = ""  # script of the person
    weather: str = ""  # and of the weather


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A map, ready to be driven on; many trips share one."""

    road_map: RoadMap
    file: Path
    index: LaneIndex
    play: Play | None = None  # the scenario that the roads are from


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A drive that can begin."""

    order: Order
    ground: Ground
    setup: Setup
    route: Route
    spec: SumoSpec | None  # None: an empty road
    optimal_s: float  # the time-optimal profile along the route, from rest to rest
    play: Play | None = None  # a scenario instead of traffic

    @property
    def traffic_title(self) -> str:
        """What traffic it will be, before it starts."""
        if self.play is not None:
            return f"OpenSCENARIO {self.play.scenario.file.name}"
        if self.order.traffic == ENGINE:
            return f"{ENGINE_LABEL}, {engine_spec(self).users} road users, seed {self.order.seed}"
        if self.spec is None:
            return EmptyWorld.label
        facts = launch(self.spec).facts
        return f"{facts['simulator']}, demand {facts['demand']}"


def open_ground(order: Order) -> Ground:
    """The order's map. MarqueError: unknown map or traffic, a damaged file, SUMO missing."""
    if order.scenario:
        _check_scenario_words(order)
        play = read_play(Path(order.scenario).expanduser(), dict(order.given))
        return Ground(play.road_map, play.file, play.index, play)
    if order.given:
        raise MarqueError("--set names a parameter of a scenario; have --scenario FILE")
    name = order.map_name
    cfg = sumocfg_of(order.traffic)
    if not name:
        named = MOTORWAY_MAP if order.no_map else usual_map(order.traffic)
        name = named if cfg is None else str(cfg_files(cfg)[0])
    _check_words(order)
    road_map, file = open_map(name)
    return Ground(road_map, file, LaneIndex(road_map))


def _check_words(order: Order) -> None:
    """Words that exclude each other."""
    _check_blind_words(order)
    if bool(order.start) != bool(order.goal) and not order.no_map:
        raise MarqueError("--from and --to belong together; or leave both for a seeded trip")
    if order.traffic not in (EMPTY, ENGINE):
        need_sumo()
        return
    for word, given in (
        ("--density", order.density is not None and order.traffic == EMPTY),
        ("--begin", order.begin_s is not None),
        ("--sumo-args", bool(order.sumo_args)),
    ):
        if given:
            raise MarqueError(
                f"{word} belongs to SUMO's traffic; --traffic {order.traffic} has none"
            )


def _check_scenario_words(order: Order) -> None:
    """A scenario says itself where, among whom and until when."""
    for word, given in (
        ("--map", bool(order.map_name)),
        ("--from", bool(order.start)),
        ("--to", bool(order.goal)),
        ("--traffic", order.traffic != SUMO),
        ("--density", order.density is not None),
        ("--begin", order.begin_s is not None),
        ("--sumo-args", bool(order.sumo_args)),
        ("--no-map", order.no_map),
        ("--km", order.km is not None),
        ("--set-speed", order.set_kph is not None),
    ):
        if given:
            raise MarqueError(f"{word} has no place beside --scenario, which says all of it itself")


def _check_blind_words(order: Order) -> None:
    """Words that belong to drives without a map, or to others."""
    if order.no_map:
        if order.goal:
            raise MarqueError("--to is a place on a map; with --no-map a drive ends after --km")
        need_blind_words(DEFAULT_KM if order.km is None else order.km, order.set_kph)
        need_blind_driver(order.driver)
        return
    for word, given in (("--km", order.km), ("--set-speed", order.set_kph)):
        if given is not None:
            raise MarqueError(f"{word} belongs to --no-map; with a map, --from and --to say where")


def usual_traffic() -> str:
    """SUMO's where it is installed, else our own engine's."""
    return SUMO if find_spec("sumo") is not None else ENGINE


def usual_map(traffic: str) -> str:
    """Berlin where SUMO, which brings its network, is installed; else the town of our making."""
    return OWN_MAP if traffic == ENGINE or find_spec("sumo") is None else DEFAULT_MAP


def engine_spec(ready: Ready) -> EngineSpec:
    """The engine's traffic of a drive."""
    trip, platform = ready.setup.trip, ready.setup.platform
    return EngineSpec(
        road_map=ready.setup.road_map,
        index=ready.ground.index,
        seed=ready.order.seed,
        density=ready.order.density,
        goal_lane=trip.goal_lane,
        goal_s_m=trip.goal_s_m,
        ego_length_m=platform.length_m,
        ego_width_m=platform.width_m,
        ego_front_m=platform.front_m,
    )


def sumocfg_of(traffic: str) -> Path | None:
    """The configuration that `traffic` names; None for `sumo`, `engine`, `none`. MarqueError
    otherwise."""
    if traffic in (SUMO, EMPTY, ENGINE):
        return None
    path = Path(traffic).expanduser()
    if path.is_file():
        return path
    if path.suffix or len(path.parts) > 1:
        raise MarqueError(
            f"no traffic file {traffic}; have [engine, none, sumo] or the path of a .sumocfg file"
        )
    raise unknown("traffic", traffic, (ENGINE, SUMO, EMPTY))


def prepare(order: Order, ground: Ground, trip: Trip | None = None) -> Ready:
    """Everything but the traffic. `trip` when it is already drawn.

    MarqueError: a place, driver, car or sensor profile that does not exist, no way to the goal,
    or words that exclude each other.
    """
    if ground.play is None:
        _check_words(order)
    platform = load_platform(order.car)
    load_driver(order.driver)
    asked = _asked(order)
    profile = load_profile(order.sensors)
    attended = _attended(order)
    road_map = ground.road_map
    if ground.play is not None:
        return _prepare_play(order, ground, ground.play, platform, profile, attended, asked)
    if trip is None:
        trip = _trip(order, ground)
    route, edges = trip_route(road_map, trip)
    if not route_length_m(road_map, route, trip.start_lane, trip.start_s_m) > LEAST_WAY_M:
        raise MarqueError(f"the goal lies less than {LEAST_WAY_M:g} m ahead of the start")
    optimal_s = trip_optimal_time_s(road_map, trip)
    setup = Setup(
        road_map=road_map,
        index=ground.index,
        platform=platform,
        driver=order.driver,
        trip=trip,
        seed=order.seed,
        profile=profile,
        limit_s=LIMIT_FACTOR * optimal_s + LIMIT_EXTRA_S,
        blind=_blind(order),
        attended=attended,
        asked=asked,
        real_car=order.car.removeprefix(OPENDBC) if order.car.startswith(OPENDBC) else "",
    )
    spec = _spec(order, ground, platform, edges)
    return Ready(order, ground, setup, route, spec, optimal_s)


def _prepare_play(
    order: Order,
    ground: Ground,
    play: Play,
    platform: Platform,
    profile: SensorProfile,
    attended: Attended | None,
    asked: Asked | None,
) -> Ready:
    """From where the scenario hands our car over to where its way ends."""
    world = play.world(platform)
    trip = play.trip(world)
    route, _ = trip_route(ground.road_map, trip)
    setup = Setup(
        road_map=ground.road_map,
        index=ground.index,
        platform=platform,
        driver=order.driver,
        trip=trip,
        seed=order.seed,
        profile=profile,
        limit_s=SCENARIO_LIMIT_S,
        begin=world.start,
        attended=attended,
        asked=asked,
    )
    optimal_s = trip_optimal_time_s(ground.road_map, trip)
    return Ready(order, ground, setup, route, None, optimal_s, play)


def _attended(order: Order) -> Attended | None:
    """MarqueError: unknown market or domain, or a script that is none."""
    if not (order.market or order.domain or order.attention or order.weather):
        return None
    return Attended(
        load_market(order.market or market.USUAL),
        load_domain(order.domain or domain.USUAL),
        person_script(order.attention),
        weather_script(order.weather),
    )


def _asked(order: Order) -> Asked | None:
    """MarqueError: unknown brand."""
    if not order.brand:
        return None
    brand = load_brand(order.brand)
    return Asked(market=load_market(order.market or brand.market), style=brand.style)


def _blind(order: Order) -> Blind | None:
    if not order.no_map:
        return None
    set_mps = None if order.set_kph is None else KPH * order.set_kph
    return Blind(_length_m(order), set_mps)


def _length_m(order: Order) -> float:
    return 1000.0 * (DEFAULT_KM if order.km is None else order.km)


def drive_out(ready: Ready) -> tuple[Episode, dict[int, str]]:
    """The whole drive, and the names that its world has for road users. MarqueError: the traffic
    refuses or dies."""
    world = open_world(ready)
    try:
        episode = begin_episode(ready.setup, ready.route, world)
        run_drive(ready.setup, world, episode)
        return episode, dict(world.names)
    finally:
        world.close()


def with_limit(ready: Ready, limit_s: float) -> Ready:
    """The same drive with another limit of simulated time."""
    return replace(ready, setup=replace(ready.setup, limit_s=limit_s))


def open_world(ready: Ready, progress: Progress | None = None) -> RoadWorld:
    """Start the traffic; the first time for a map and seed it has to be warmed up.

    MarqueError: SUMO refuses or dies.
    """
    if ready.play is not None:
        return ready.play.world(ready.setup.platform)
    if ready.order.traffic == ENGINE:
        return EngineWorld(engine_spec(ready))
    if ready.spec is None:
        return EmptyWorld(ready.setup.road_map)
    spec = replace(ready.spec, progress=progress)
    with _one_warms(spec):
        return SumoWorld(spec)


def drive_reference(ready: Ready, progress: Progress | None = None) -> Reference:
    """SUMO's own driver on the same route, at the same hour. MarqueError: there is no SUMO."""
    if ready.spec is None:
        raise MarqueError(
            "the reference driver is SUMO's own; without SUMO's traffic there is none"
        )
    spec = replace(ready.spec, progress=progress)
    trip, road_map = ready.setup.trip, ready.setup.road_map
    x, y, heading = road_map.place(trip.start_lane, trip.start_s_m)
    start = EgoTruth(x, y, heading, 0.0, 0.0, 0.0, 0.0, 0.0)
    with _one_warms(spec):
        return reference_run(spec, start, trip.goal_lane, trip.goal_s_m)


def limit_by_reference(ready: Ready, reference: Reference) -> Ready:
    """The same drive, given the time in which it counts as arrived."""
    if not reference.arrived:
        return ready
    return with_limit(ready, time_limit_s(reference.duration_s))


def place_text(road_map: RoadMap, lane: int, s_m: float) -> str:
    """A place in words that `maps.places` reads back exactly."""
    return f"lane:{road_map.lane_name[lane]}@{s_m!r}"


def _trip(order: Order, ground: Ground) -> Trip:
    if order.no_map:
        return _blind_trip(order, ground)
    if not order.start:
        return draw_trips(ground.road_map, order.seed, 1, order.min_length_m)[0]
    start = parse_place(ground.road_map, ground.index, order.start)
    goal = parse_place(ground.road_map, ground.index, order.goal)
    return checked_trip(ground.road_map, Trip(*start, *goal))


def _blind_trip(order: Order, ground: Ground) -> Trip:
    if not order.start:
        return draw_blind_trip(ground.road_map, order.seed, _length_m(order))
    start = parse_place(ground.road_map, ground.index, order.start)
    return blind_trip(ground.road_map, *start, _length_m(order))


def checked_trip(road_map: RoadMap, trip: Trip) -> Trip:
    """The trip itself. MarqueError: begins or ends inside a junction, or there is no way."""
    for lane, end in ((trip.start_lane, "start"), (trip.goal_lane, "goal")):
        if road_map.lane_connector[lane]:
            raise MarqueError(
                f"the {end} lane '{road_map.lane_name[lane]}' lies inside a junction; "
                "a drive begins and ends on a road"
            )
    route = plan_route(road_map, trip.goal_lane, trip.goal_s_m)
    if cost_at(road_map, route, trip.start_lane, trip.start_s_m) == float("inf"):
        why = explain(road_map, trip.start_lane, trip.start_s_m, trip.goal_lane)
        raise MarqueError(f"no way to the goal; {why or 'it lies behind the start'}")
    return trip


def _spec(
    order: Order, ground: Ground, platform: Platform, edges: tuple[str, ...]
) -> SumoSpec | None:
    if order.traffic in (EMPTY, ENGINE):
        return None
    cfg = sumocfg_of(order.traffic)
    net = None if cfg else store.load_net(ground.file)
    if net == b"":
        raise MarqueError(
            f"{ground.file} carries no SUMO network, so it has no traffic; have --traffic none, "
            "or a map imported by marque map import"
        )
    spec = SumoSpec(
        road_map=ground.road_map,
        net=net,
        route_edges=edges,
        ego_length_m=platform.length_m,
        ego_width_m=platform.width_m,
        ego_front_m=platform.front_m,
        seed=order.seed,
        density=order.density,
        sumocfg=cfg,
        begin_s=order.begin_s,
        sumo_args=split_args(order.sumo_args),
    )
    launch(spec)  # a wrong option is found here, not after the start
    return spec


@contextlib.contextmanager
def _one_warms(spec: SumoSpec) -> Iterator[None]:
    """Of several processes that need the same warmed traffic, one makes it and the others wait."""
    state = launch(spec).state
    if state.exists():
        yield
        return
    try:
        import fcntl

        state.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(state.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o644)
    except (ImportError, OSError):  # without locks the work is only done twice
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
