"""The closed loop: measure, tick, step, and an Episode that grows.

Simulation time only; wall-clock figures are kept beside the Episode, in `Timing`.
"""

import gc
import math
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.geometry import boxes_overlap, project
from marque.core.registry import load
from marque.core.time import BASE_STEP_NS, PLAN_STEP_NS, PLAN_STEP_S
from marque.guard.guard import GuardMemory
from marque.guard.supervision import begin_supervision
from marque.kernels.tables import map_tables
from marque.maps.ahead import begin_ahead
from marque.maps.field import Route, plan_route, route_length_m
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import open_ground
from marque.maps.route_line import route_line
from marque.maps.trips import Trip
from marque.sensing.equipment import Equipment
from marque.sensing.faults import Fault
from marque.sensing.profile import SensorProfile
from marque.sim.at_wheel import AtWheel
from marque.sim.broken import Actuators, BrokenDriver, breaks
from marque.sim.misled import Misled
from marque.sim.narrate import Narrator, edges_ahead, words_of
from marque.sim.person import Attended, Occupied
from marque.sim.senses import Senses, begin_fusing, begin_senses
from marque.sim.warm import warm, with_a_leader
from marque.sim.worlds.port import EndingWorld, RoadWorld, WorldPort
from marque.stack.control.tracking import ControlMemory
from marque.stack.perception.chart import begin_chart
from marque.stack.perception.direct import PerceptionMemory
from marque.stack.perception.own_lane import begin_lane
from marque.stack.perception.road_ahead import begin_road
from marque.stack.planning.contract import AskedDriver, Driver
from marque.stack.supervise import Watching
from marque.stack.tick import Decision, StackMemory, tick
from marque.types.codes import Reaction, Reason
from marque.types.episode import Episode, Tick
from marque.types.health import FINE
from marque.types.market import Market
from marque.types.mission import Mission
from marque.types.platform import Platform
from marque.types.reading import Delivery, Reading
from marque.types.road_map import NONE, RoadMap
from marque.types.style import Style
from marque.types.takeover import DRIVES, Mode, Order
from marque.types.verdict import Action
from marque.types.world import EgoTruth, World
from marque.vehicle import dynamics

ARRIVED_M = 10.0  # design, words of judgement
STANDS_MPS = 0.1
PASSED_M = 15.0  # the goal was reached, but the car did not stop there
STOOD_S = 1.0  # whoever has stood for longer is hit, and hits nobody
GIVES_UP_S = 5.0  # it stands so long and asks to be taken over
LENGTH_DRIVEN, HANDED_OVER = "length driven", "stopped, to be taken over"
TAKEN_OVER, BROUGHT_TO_REST = "taken over by the person", "at rest, as nobody took over"
RESTS_S = 3.0  # a drive goes on for this long after a minimal risk manoeuvre
CRASH_STOP_S = 5.0  # a drive goes on for this long after a contact, then ends


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """The map that our car has, and the trip on it; the frame is that of the true one. `off`: how
    far it believes itself beside and turned against where it is, metres to the left and radians.
    """

    road_map: RoadMap
    index: LaneIndex
    trip: Trip
    off: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Blind:
    """A drive without a map: it ends after a length, wherever that leads; and the speed that the
    person has set, None: none."""

    length_m: float
    set_speed_mps: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """How a drive is to be driven: the speed that the person has set, whether the own lane is kept,
    the law of which market holds where nobody supervises, and in which style."""

    set_speed_mps: float | None = None
    keeps_lane: bool = False
    market: Market | None = None
    style: Style | None = None  # of the brand


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """One drive to be driven."""

    road_map: RoadMap
    index: LaneIndex
    platform: Platform
    driver: str
    trip: Trip
    seed: int
    profile: SensorProfile
    limit_s: float  # of simulated time
    fault: Fault | None = None  # laid over what the senses deliver
    believed: Believed | None = None  # None: the map is true
    blind: Blind | None = None  # None: there is a map
    begin: EgoTruth | None = None  # on the way already; None: at rest where the trip starts
    attended: Attended | None = None  # None: nobody is asked to take over
    asked: Asked | None = None  # None: on to the goal as the road allows
    real_car: str = ""  # one of opendbc's cars, driven over its own buses; empty: the platform's


@dataclass(slots=True, eq=False)
class Timing:
    """Wall-clock and CPU figures, one entry per 100 ms frame unless said otherwise."""

    planner_ms: list[float] = field(default_factory=list)  # CPU time of the thread: drive + predict
    planner_wall_ms: list[float] = field(default_factory=list)
    wall_s: float = 0.0  # the whole loop
    cpu_s: float = 0.0  # of this process

    def summary(self, simulated_s: float) -> dict[str, float | dict[str, float]]:
        """Percentiles for people and files."""
        cpu = np.array(self.planner_ms or [0.0])
        return {
            "planner_ms": {
                "p50": round(float(np.percentile(cpu, 50)), 3),
                "p99": round(float(np.percentile(cpu, 99)), 3),
                "max": round(float(cpu.max()), 3),
            },
            "realtime_factor": round(simulated_s / max(self.wall_s, 1e-9), 2),
        }


Watcher = Callable[[Tick], None]
# judges of belief look into the stack each 100 ms: truth, memory before, what came, memory after
Peek = Callable[[World, StackMemory, Reading | Delivery, StackMemory], None]


def trip_route(road_map: RoadMap, trip: Trip) -> tuple[Route, tuple[str, ...]]:
    """Cost-to-go of a trip, and the edges it passes. MarqueError when there is no way."""
    route = plan_route(road_map, trip.goal_lane, trip.goal_s_m)
    return route, edges_ahead(road_map, route, trip.start_lane, trip.start_s_m)


def begin_episode(setup: Setup, route: Route, world: WorldPort) -> Episode:
    """An Episode with its header filled and no ticks."""
    road_map, trip = setup.road_map, setup.trip
    start = road_map.place(trip.start_lane, trip.start_s_m)
    goal = road_map.place(trip.goal_lane, trip.goal_s_m)
    return Episode(
        road_map=road_map,
        platform=setup.platform,
        driver=setup.driver,
        seed=setup.seed,
        traffic=world.label,
        start_xy_m=start[:2],
        goal_xy_m=goal[:2],
        goal_lane=trip.goal_lane,
        goal_s_m=trip.goal_s_m,
        route_xy_m=route_line(road_map, route, trip.start_lane, trip.start_s_m),
        route_length_m=route_length_m(road_map, route, trip.start_lane, trip.start_s_m),
    )


def load_driver(name: str) -> Driver:
    """A driver, fresh. MarqueError: unknown, or it does not offer what `Driver` asks for."""
    made = load("driver", name)
    try:
        driver: Driver = made()
    except TypeError as error:
        raise MarqueError(f"driver '{name}' is not made by calling it bare: {error}") from error
    missing = [f"{verb}()" for verb in ("start", "drive") if not callable(getattr(driver, verb, 0))]
    if missing:
        raise MarqueError(f"driver '{name}' has no {' and no '.join(missing)}; see docs/plugins.md")
    return driver


def begin_stack(setup: Setup) -> StackMemory:
    """The machine before its first tick. MarqueError: unknown driver, goal not for cars."""
    driver = load_driver(setup.driver)
    if setup.fault is not None and breaks(setup.fault):
        driver = BrokenDriver(driver, setup.fault)
    believed = believed_of(setup)
    road_map, index = believed.road_map, believed.index
    mission = mission_of(setup)
    fusing = None
    if isinstance(setup.profile, Equipment):
        start = Car(setup).truth()
        fusing = begin_fusing((setup.profile, setup.platform, road_map, index), start, setup.seed)
    return StackMemory(
        platform=setup.platform,
        tables=map_tables(road_map),
        driver=driver,
        perception=_begin_perception(setup, road_map, index),
        driving=driver.start(mission),
        control=ControlMemory(),
        guard=GuardMemory(),
        fusing=fusing,
        watching=_begin_watching(setup.attended, believed),
        road=begin_ahead(road_map, index),
    )


def mission_of(setup: Setup, set_mps: float | None = None) -> Mission:
    """What the driver is asked to do; `set_mps`: set since, over what was set at the start."""
    believed = believed_of(setup)
    road_map, trip = believed.road_map, believed.trip
    asked = setup.asked or Asked()
    first_mps = asked.set_speed_mps if setup.blind is None else setup.blind.set_speed_mps
    market = setup.attended.market if setup.attended is not None else asked.market
    return Mission(
        road_map, setup.platform, trip.goal_lane, trip.goal_s_m, setup.seed, set_mps or first_mps,
        market, asked.style, asked.keeps_lane,
    )  # fmt: skip


def _begin_watching(attended: Attended | None, believed: Believed) -> Watching | None:
    if attended is None:
        return None
    trip = believed.trip
    road = begin_road(believed.road_map, trip.goal_lane, trip.goal_s_m)
    return Watching(begin_supervision(attended.market, attended.odd), road)


def begin_sensing(setup: Setup) -> Senses:
    """The senses before their first look. MarqueError: see `begin_senses`."""
    senses = begin_senses(
        setup.profile, setup.platform, setup.road_map, setup.seed,
        None if breaks(setup.fault) else setup.fault,
        marks=setup.blind is not None,
    )  # fmt: skip
    if setup.believed is not None or setup.blind is not None:
        believed = believed_of(setup)
        senses = Misled(senses, setup.road_map, believed.road_map, believed.off)
    return senses if setup.attended is None else Occupied(senses, setup.attended)


def believed_of(setup: Setup) -> Believed:
    """The map that our car has: the true one, another one, or none, which is one without lanes."""
    if setup.blind is not None:
        nothing = open_ground("no map", "", "")
        return Believed(nothing, LaneIndex(nothing), Trip(NONE, 0.0, NONE, 0.0))
    return setup.believed or Believed(setup.road_map, setup.index, setup.trip)


def _begin_perception(setup: Setup, road_map: RoadMap, index: LaneIndex) -> PerceptionMemory:
    if setup.blind is not None:
        return PerceptionMemory(road_map, index, own=begin_lane(setup.platform))
    return PerceptionMemory(road_map, index, charting=begin_chart(road_map, index))


def run_drive(
    setup: Setup,
    world: WorldPort,
    episode: Episode,
    watch: Watcher | None = None,
    peek: Peek | None = None,
    wheel: AtWheel | None = None,
) -> Timing:
    """Drive until arrival, the time limit or a contact; fills `episode`, calls `watch` per tick.

    A watcher ends the drive by setting `episode.end`. With somebody at the wheel a drive goes on
    when they take over. Raises MarqueError when the traffic dies;
    the episode then holds what was driven.
    """
    stack = begin_stack(setup)
    car = begin_car(setup)
    timing = Timing()
    senses = begin_sensing(setup)
    if wheel is not None and isinstance(senses, Occupied):
        senses = wheel.sits_in(senses)
    truth = world.reset(car.truth())
    narrator = Narrator(episode, setup.index, world)
    ends = _End(setup, episode, narrator, wheel is not None)
    warm(stack, copy(senses), truth)
    if wheel is not None:
        _warm_wheel(stack, copy(senses), truth, wheel)
    gc.collect()
    gc.freeze()
    began, cpu = time.perf_counter(), time.process_time()
    try:
        while not episode.end:
            senses.observe(truth)
            if wheel is not None:
                stack = _as_asked(stack, setup, wheel, ends, narrator, world, truth)
            stack, tick_record = frame(stack, car, truth, senses, timing, peek, wheel)
            if tick_record.orders and isinstance(senses, Occupied):
                senses.hears(tick_record.orders[-1][1], tick_record.world.t_ns + PLAN_STEP_NS)
            episode.ticks.append(tick_record)
            narrator.look(tick_record)
            episode.end = ends.look(tick_record)
            if watch is not None:
                watch(tick_record)
            if not episode.end:
                truth = world.step(car.truth(), tick_record.command.indicator)
                episode.end = world.over if isinstance(world, EndingWorld) else ""
    finally:
        gc.unfreeze()
        timing.wall_s = time.perf_counter() - began
        timing.cpu_s = time.process_time() - cpu
    return timing


def begin_car(setup: Setup) -> "Car":
    """The car before its first step. MarqueError: a real car that cannot be driven."""
    if not setup.real_car:
        return Car(setup)
    from marque.sim.can_drive import OverCan

    return OverCan(setup)


class Car:
    """The simulated car: dynamics memory and the jerk of the last frame."""

    def __init__(self, setup: Setup) -> None:
        x, y, heading = setup.road_map.place(setup.trip.start_lane, setup.trip.start_s_m)
        speed = 0.0
        if (begin := setup.begin) is not None:
            x, y, heading, speed = begin.x_m, begin.y_m, begin.heading_rad, begin.speed_mps
        self.parameters: FloatArray = dynamics.parameters(setup.platform)
        self.memory: FloatArray = dynamics.initial(setup.platform, x, y, heading, speed)
        self.accel_mps2 = 0.0
        self.actuators = Actuators(setup.fault)

    def truth(self) -> EgoTruth:
        """Where it is and how it moves."""
        return EgoTruth(*dynamics.ego_truth(self.memory))

    def step(self, accel_mps2: float, curvature_1pm: float) -> None:
        """One base step under a command."""
        parameters, accel, bend = self.actuators.act(self.parameters, accel_mps2, curvature_1pm)
        self.memory = dynamics.step(parameters, self.memory, accel, bend, BASE_STEP_NS / 1e9)


def frame(
    stack: StackMemory,
    car: Car,
    truth: World,
    senses: Senses,
    timing: Timing,
    peek: Peek | None,
    wheel: AtWheel | None = None,
) -> tuple[StackMemory, Tick]:
    """Five base steps: the first perceives and drives, all control and guard."""
    verdicts = []
    orders = []
    decision: Decision | None = None
    health = FINE
    order = _order(stack)
    for part in range(PLAN_STEP_NS // BASE_STEP_NS):
        t_ns = truth.t_ns + part * BASE_STEP_NS
        now = senses.receive(car.truth(), t_ns)
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        before = stack
        stack, decision = tick(stack, now)
        if decision.order.news != order.news:
            orders.append((t_ns, decision.order))
        order = decision.order
        if decision.scene is not None:
            health = decision.scene.health
            timing.planner_ms.append((time.thread_time_ns() - cpu) / 1e6)
            timing.planner_wall_ms.append((time.perf_counter_ns() - wall) / 1e6)
            if peek is not None:
                peek(truth, before, now, stack)
        verdict = decision.verdict
        if wheel is not None and not order.drives and decision.reading is not None:
            verdict = wheel.driven(decision.reading, stack.platform)
        if verdict.action != Action.PASS:
            verdicts.append(verdict)
        car.step(verdict.command.accel_mps2, verdict.command.curvature_1pm)
    assert decision is not None
    plan = decision.plan
    accel = float(truth.ego.accel_mps2)
    jerk = (accel - car.accel_mps2) / PLAN_STEP_S
    car.accel_mps2 = accel
    reason = plan.reason if plan is not None else Reason.NONE
    return stack, Tick(
        world=truth,
        plan=plan,
        command=verdict.command,
        verdicts=tuple(verdicts),
        reason=Reason.GUARD if any(v.action > Action.LIMIT for v in verdicts) else reason,
        ego_jerk_mps3=jerk,
        health=health,
        orders=tuple(orders),
    )


def _warm_wheel(stack: StackMemory, senses: Senses, truth: World, wheel: AtWheel) -> None:
    """The guard beside a person is compiled before it is needed, not when somebody takes over."""
    senses.observe(with_a_leader(truth, stack.platform))
    _, decision = tick(stack, senses.receive(truth.ego, truth.t_ns))
    if decision.reading is not None:
        wheel.warm(decision.reading, stack.platform)


def _as_asked(
    stack: StackMemory,
    setup: Setup,
    wheel: AtWheel,
    ends: "_End",
    narrator: Narrator,
    world: WorldPort,
    truth: World,
) -> StackMemory:
    """What somebody at the wheel asked for since the last frame."""
    if wheel.goes is not None:
        (trip, limit_s), name = wheel.goes, wheel.driver or setup.driver
        wheel.goes = None
        ends.setup = replace(ends.setup, trip=trip, limit_s=limit_s, driver=name)
        driver = load_driver(name)
        mission = mission_of(ends.setup, wheel.set_mps)
        road_map = setup.road_map
        road = begin_road(road_map, trip.goal_lane, trip.goal_s_m)
        watching = None if stack.watching is None else replace(stack.watching, road=road)
        stack = replace(stack, driver=driver, driving=driver.start(mission), watching=watching)
        stack = replace(stack, plan=None, coming=None, next_drive_ns=truth.t_ns)
        if isinstance(world, RoadWorld):
            world.set_route(trip_route(road_map, trip)[1])
        narrator.another_goal(truth)
        wheel.asked_ns = truth.t_ns if wheel.headway_s is not None else wheel.asked_ns
    if wheel.asked_ns >= wheel.t_ns >= 0 and isinstance(stack.driver, AskedDriver):
        driving = stack.driver.asked(stack.driving, wheel.set_mps, wheel.headway_s)
        stack = replace(stack, driving=driving)
    wheel.t_ns = truth.t_ns
    return stack


def _order(stack: StackMemory) -> Order:
    """The order in force."""
    return DRIVES if stack.watching is None else stack.watching.supervision.order


class _End:
    """When a drive is over. Contacts are judged elsewhere; here they only end the drive, unless
    somebody drives into our car that has stood for a while: it may go on afterwards."""

    def __init__(
        self, setup: Setup, episode: Episode, narrator: Narrator, goes_on: bool = False
    ) -> None:
        self.setup = setup
        self.goes_on = goes_on  # when somebody takes over
        self.narrator = narrator
        self.episode = episode
        self.contact_ns = -1
        self.moved_ns = 0
        self.reached = False
        self.way_m = 0.0
        self.order = DRIVES
        self.rest_ns = -1

    def look(self, tick_record: Tick) -> str:
        """Why the drive is over, "" while it goes on."""
        if self.setup.blind is not None and (why := self._blind(self.setup.blind, tick_record)):
            return why
        if self.setup.attended is not None and (why := self._attended(tick_record)):
            return why
        ego = tick_record.world.ego
        gx, gy = self.episode.goal_xy_m
        near = self.setup.blind is None and at_goal(self.episode, ego)
        if near and ego.speed_mps < STANDS_MPS:
            return "arrived"
        if self.reached and math.hypot(ego.x_m - gx, ego.y_m - gy) > PASSED_M:
            self.narrator.passed_goal(tick_record.world)
            return "arrived"
        self.reached = self.reached or near
        t_ns = tick_record.world.t_ns
        if t_ns >= self.setup.limit_s * 1e9:
            return "timeout"
        if ego.speed_mps >= STANDS_MPS:
            self.moved_ns = t_ns
        stood = t_ns - self.moved_ns > STOOD_S * 1e9
        if self.contact_ns < 0 and not stood:
            row = touched_row(tick_record.world, self.setup.platform)
            if row >= 0:
                self.contact_ns = t_ns
                self.narrator.contact(tick_record.world, row)
        if self.contact_ns >= 0 and t_ns - self.contact_ns >= CRASH_STOP_S * 1e9:
            return "collision"
        return ""

    def _attended(self, tick_record: Tick) -> str:
        """Why it is over for who drives: somebody took over, or nobody did."""
        for t_ns, order in tick_record.orders:
            if order.mode == Mode.STANDSTILL and self.order.mode != Mode.STANDSTILL:
                self.rest_ns = t_ns
            self.order = order
        mode, cause = self.order.mode, words_of(self.order.cause)
        if mode in (Mode.READY, Mode.OFF) and not self.goes_on:
            return f"{TAKEN_OVER}: {cause}"
        rests = mode == Mode.STANDSTILL
        if rests and tick_record.world.t_ns - self.rest_ns > RESTS_S * 1e9:
            return f"{BROUGHT_TO_REST}: {cause}"
        return ""

    def _blind(self, blind: Blind, tick_record: Tick) -> str:
        """Why a drive without a map is over: its length is driven, or it stands and waits for
        somebody to take over."""
        ego, health = tick_record.world.ego, tick_record.health
        self.way_m += PLAN_STEP_S * ego.speed_mps
        if self.way_m >= blind.length_m:
            return LENGTH_DRIVEN
        stood_ns = tick_record.world.t_ns - self.moved_ns
        if health.level >= Reaction.TAKEOVER and stood_ns > GIVES_UP_S * 1e9:
            return f"{HANDED_OVER}: {health.text}"
        return ""


def at_goal(episode: Episode, ego: EgoTruth) -> bool:
    """Whether the middle of our car is within 10 m of the goal, on the goal's lane."""
    ahead = episode.platform.centre_m
    x = ego.x_m + ahead * math.cos(ego.heading_rad)
    y = ego.y_m + ahead * math.sin(ego.heading_rad)
    if math.hypot(x - episode.goal_xy_m[0], y - episode.goal_xy_m[1]) > ARRIVED_M:
        return False
    road_map, lane = episode.road_map, episode.goal_lane
    points = road_map.points(lane)
    s_m, d_m, _ = project(points, road_map.arc(lane), x, y, 0, len(points) - 1)
    aside = abs(d_m) <= 0.5 * float(road_map.lane_width_m[lane])
    return bool(aside and abs(s_m - episode.goal_s_m) <= ARRIVED_M)


def touches(truth: World, platform: Platform) -> bool:
    """Whether our car's box overlaps anybody's now."""
    return touched_row(truth, platform) >= 0


def touched_row(truth: World, platform: Platform) -> int:
    """Row of the first road user whose box overlaps our car's now, -1 if none."""
    ego, users = truth.ego, truth.users
    x = ego.x_m + platform.centre_m * math.cos(ego.heading_rad)
    y = ego.y_m + platform.centre_m * math.sin(ego.heading_rad)
    near = np.flatnonzero(
        np.hypot(users.x_m - x, users.y_m - y) < 0.5 * (users.length_m + platform.length_m) + 2.0
    )
    for i in near:
        if boxes_overlap(
            x, y, ego.heading_rad, platform.length_m, platform.width_m,
            users.x_m[i], users.y_m[i], users.heading_rad[i], users.length_m[i], users.width_m[i],
        ):  # fmt: skip
            return int(i)
    return -1
