"""What the driver carries from tick to tick, and the few questions that all its parts ask."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.kernels.rollout import (
    E_ACCEL,
    E_BIAS,
    E_BRAKE,
    E_EASE,
    E_FRONT,
    E_GAP,
    E_HALF_WIDTH,
    E_HEADWAY,
    E_JERK,
    E_LAUNCH,
    E_LEN,
    E_MAX_BRAKE,
    E_REAR,
    E_STEER,
    E_TURN,
    E_WALKERS,
)
from marque.kernels.tables import MapTables, map_tables
from marque.maps.area import DrivableArea, make_area
from marque.maps.field import Route, plan_route
from marque.maps.oncoming import keeps_aside
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor
from marque.stack.planning.rules import RuleMemory
from marque.stack.planning.swept import ready
from marque.types.codes import Indicator, Turn
from marque.types.market import Market
from marque.types.mission import Mission
from marque.types.plan import Plan
from marque.types.road_map import NONE, RoadMap
from marque.types.style import Style, able
from marque.vehicle.market import load_market

# of the rate at which the wheel can be turned, and of how far: the rest is for tracking
STEER_SHARE, TURN_SHARE = 0.93, 0.97
TURN_M = 25.0  # of a lane that leads to ours: so much of it may lie behind us
NOBODY: IntArray = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What stays the same over a mission."""

    mission: Mission
    tables: MapTables
    route: Route
    style: Style
    ego: FloatArray  # parameter vector of `kernels.rollout`
    area: DrivableArea
    market: Market


@dataclass(frozen=True, slots=True)
class Halt:
    """A soft stop under way: what is left of it, and how fast we were when that was so."""

    left_m: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class Peek:
    """At a junction, by its connector, where a way of others is hidden: how long we have stood
    there for that, and whether we have looked and go."""

    lane: int
    stood_s: float = 0.0
    goes: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Everything that the driver remembers."""

    context: Context
    corridor: Corridor | None = None
    plan: Plan | None = None
    plan_s_m: float = 0.0  # path metres of the plan's sample 0
    rules: RuleMemory = field(default_factory=RuleMemory)
    previous: tuple[str, bool] | None = None
    doubts: int = 0  # see `score.Scores`
    changed_ns: int = -(10**18)  # when the last lane change was settled
    stood_s: float = 0.0  # standing, for whatever reason but a light
    granted: IntArray = field(default_factory=lambda: NOBODY)  # uids of those who wait for us
    aimed: int | None = None  # uid of who leads the gap that we aim for, -1: nobody does
    waiting_s: float = 0.0  # standing for a lane change while the light ahead is not red
    blocked_s: float = 0.0  # standing behind somebody who is no queue
    detour: frozenset[int] = frozenset()  # lanes on which we gave up changing
    closed: frozenset[int] = frozenset()  # lanes that somebody blocks for good, or too narrow ones
    looked: bool = False  # whether the way is wide enough
    peek: Peek | None = None  # at the junction where we look for those whom we cannot see
    halt: Halt | None = None  # for senses that are impaired
    shown: Indicator = Indicator.OFF  # what we indicate, since when, and when it last was for a
    shown_ns: int = 0  # change of lanes that could begin
    asked_ns: int = -(10**18)
    rescue: bool = False  # we keep beside the middle of our lane for rescue vehicles
    jam_ns: int = -(10**18)  # when we last came up to the tail of a jam


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """State on the corridor at the instant from which the new plan is in force."""

    s_m: float
    speed_mps: float
    accel_mps2: float


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """A corridor that we could take, and where we are on it."""

    corridor: Corridor
    start: Start
    cost: float = 0.0  # what it has to earn
    given_up: frozenset[int] = frozenset()  # lanes on which we then no longer try to change


def make_context(mission: Mission, style: Style) -> Context:
    """Plan the route. MarqueError when the goal lane is not for cars."""
    style = able(style, mission.platform)
    ego, area = ego_vector(mission, style), make_area(mission.road_map)
    keeps_aside(mission.road_map)  # takes its time once, and not in the first tick,
    ready(ego, area)  # nor in a later one
    return Context(
        mission=mission,
        tables=map_tables(mission.road_map),
        route=plan_route(mission.road_map, mission.goal_lane, mission.goal_s_m),
        style=style,
        ego=ego,
        area=area,
        market=mission.market or load_market(),
    )


def ego_vector(mission: Mission, style: Style) -> FloatArray:
    """Parameters of our car and style as the rollout reads them."""
    car = mission.platform
    ego = np.zeros(E_LEN)
    ego[E_FRONT] = car.front_m
    ego[E_REAR] = car.rear_overhang_m
    ego[E_ACCEL] = min(style.accel_mps2, car.max_accel_mps2)
    ego[E_BRAKE] = style.brake_mps2
    ego[E_JERK] = style.jerk_mps3
    ego[E_HEADWAY] = style.headway_s
    ego[E_GAP] = style.standstill_gap_m
    ego[E_MAX_BRAKE] = 0.9 * car.max_brake_mps2
    ego[E_HALF_WIDTH] = 0.5 * car.width_m
    ego[E_TURN] = TURN_SHARE * math.tan(car.max_steer_rad) / car.wheelbase_m
    ego[E_LAUNCH] = style.launch_jerk_mps3
    ego[E_EASE] = style.stop_jerk_mps3
    ego[E_BIAS] = style.lane_bias_m
    ego[E_WALKERS] = style.walkers_m
    ego[E_STEER] = STEER_SHARE * car.steer.rate / car.wheelbase_m
    return ego


def route_for(memory: Memory) -> Route:
    """The route, with lane changes that were given up taken off it."""
    route = memory.context.route
    if not memory.detour:
        return route
    side = route.best_side.copy()
    side[list(memory.detour)] = 0
    return replace(route, best_side=side)


def sample_at(corridor: Corridor, s_m: float) -> int:
    """Index of the path sample at or right before path metres s."""
    return min(len(corridor.path.lane) - 1, max(0, int(s_m / STEP_M)))


def lane_at(corridor: Corridor, s_m: float) -> tuple[int, float]:
    """(lane, s along it) at path metres s."""
    i = sample_at(corridor, s_m)
    lane_s = float(corridor.path.lane_s_m[i]) + s_m - i * STEP_M
    return int(corridor.path.lane[i]), max(0.0, lane_s)


def ahead_m(limit_mps: float) -> float:
    """How much road a corridor should show: on fast roads so much that there is time to choose a
    gap before our lane joins theirs."""
    return max(110.0, 9.0 * limit_mps + 40.0, 16.0 * limit_mps - 60.0)


def lanes_before(road_map: RoadMap, lane: int) -> tuple[int, ...]:
    """The straightest way that leads to a lane, for what comes from behind. No U-turn: hardly
    anybody comes by one, and none that is wide enough for a car runs where its lane does."""
    out: list[int] = []
    for _ in range(2):
        first = lane if not out else out[0]
        previous = [
            each
            for each in road_map.predecessors(first).tolist()
            if each not in out and road_map.lane_turn[each] != Turn.U_TURN
        ]
        if not previous:
            break
        out.insert(0, min(previous, key=lambda each: (_turned(road_map, each, first), each)))
    return tuple(out)


def _turned(road_map: RoadMap, before: int, lane: int) -> float:
    """How far a lane turns on its last `TURN_M` and into the next one, rad."""
    arc = road_map.arc(before)
    angle = road_map.pt_heading_rad
    at = int(np.searchsorted(arc, float(arc[-1]) - TURN_M))
    entry = float(angle[road_map.pt_off[before] + at])
    return abs(math.remainder(float(angle[road_map.pt_off[lane]]) - entry, 2.0 * math.pi))


def neighbour(road_map: RoadMap, lane: int, side: int) -> tuple[int, bool]:
    """(lane beside on the left (+1) or right (-1), whether one may cross to it)."""
    if side > 0:
        return int(road_map.lane_left[lane]), bool(road_map.lane_left_ok[lane])
    return int(road_map.lane_right[lane]), bool(road_map.lane_right_ok[lane])


def room_beside(road_map: RoadMap, route: Route, lane: int, side: int) -> float:
    """Metres from the start of `lane` for which its neighbour on that side runs along with it."""
    room = 0.0
    for _ in range(12):
        beside, legal = neighbour(road_map, lane, side)
        if beside == NONE or not legal:
            return room
        room += float(road_map.lane_length_m[lane])
        if room > 300.0:
            return room
        over, beyond = int(route.best_next[lane]), int(route.best_next[beside])
        if over == NONE or beyond == NONE:
            return room
        lane, after = int(route.best_next[over]), int(route.best_next[beyond])
        if lane == NONE or after == NONE or neighbour(road_map, lane, side)[0] != after:
            return room
        room += float(road_map.lane_length_m[over])
    return room


def finite(value: float) -> bool:
    """Whether a cost or a distance is one at all."""
    return math.isfinite(value)
