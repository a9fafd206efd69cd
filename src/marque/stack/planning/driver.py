"""The driver: enumerate policies, roll the scene forward for each, choose, verify, hand over.

One tick: where will we be when the plan takes effect -> which corridors -> rules and others along
them -> policies -> rollouts -> lexicographic choice -> trajectory with a verified fall-back.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.core.errors import MarqueError
from marque.core.geometry import project
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.kernels.overlap import EGO_STEP_M
from marque.kernels.rollout import (
    E_ACCEL,
    E_BRAKE,
    E_FRONT,
    E_GAP,
    E_HALF_WIDTH,
    E_HEADWAY,
    E_JERK,
    E_LEN,
    E_MAX_BRAKE,
    E_REAR,
    R_CAUSE,
    R_COLLISION_S,
    R_LEN,
    R_MARGIN_S,
    roll_all,
    trace,
)
from marque.kernels.tables import MapTables, map_tables
from marque.maps.field import Route, plan_route, side_at
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor, build_corridor
from marque.stack.planning.interactions import Interactions, interactions
from marque.stack.planning.propose import (
    COMFORT_STOP,
    EMERGENCY_STOP,
    NORMAL,
    Policy,
    propose,
    table,
)
from marque.stack.planning.rules import RuleMemory, Rules, apply_rules
from marque.stack.planning.score import Scores, choose
from marque.stack.planning.style import Style
from marque.stack.planning.trajectory import along
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.forecast import Forecast
from marque.types.mission import Mission
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Scene

NEAR_M = 2.5  # still on the corridor, if beside its line
LOST_SIDE_M = 0.6  # off the planned line by more than this: plan from where the car is
LOST_ALONG_M = 0.6
LOST_MPS = 0.8
STANDOFF_S = 3.0  # two who have both stood for so long may wait for each other for ever
CHANGE_PAUSE_S = 3.0
CREEP_MPS = 1.5
PATIENCE_S = 15.0  # waiting for a gap longer than this: take the way round instead


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What stays the same over a mission."""

    mission: Mission
    tables: MapTables
    route: Route
    style: Style
    ego: FloatArray  # parameter vector of `kernels.rollout`


NOBODY: IntArray = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Everything that the driver remembers."""

    context: Context
    corridor: Corridor | None = None
    plan: Plan | None = None
    plan_s_m: float = 0.0  # path metres of the plan's sample 0
    rules: RuleMemory = field(default_factory=RuleMemory)
    previous: tuple[str, bool] | None = None
    changed_ns: int = -(10**18)  # when the last lane change was settled
    stood_s: float = 0.0  # standing, for whatever reason
    granted: IntArray = field(default_factory=lambda: NOBODY)  # uids of those who wait for us
    waiting_s: float = 0.0  # standing for a lane change
    detour: frozenset[int] = frozenset()  # lanes on which we gave up changing


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """State on the corridor at the instant from which the new plan is in force."""

    s_m: float
    speed_mps: float
    accel_mps2: float


class Marque:
    """The driver named `marque`."""

    def __init__(self, style: Style | None = None) -> None:
        self.style = style if style is not None else Style()

    def start(self, mission: Mission) -> Memory:
        """Plan the route. MarqueError when the goal lane is not for cars."""
        route = plan_route(mission.road_map, mission.goal_lane, mission.goal_s_m)
        context = Context(
            mission=mission,
            tables=map_tables(mission.road_map),
            route=route,
            style=self.style,
            ego=ego_vector(mission, self.style),
        )
        return Memory(context)

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[Memory, Plan]:
        """One tick of planning."""
        memory, corridor, start = locate(patient(memory), scene)
        corridors, starts = alternatives(memory, scene, corridor, start)
        context = memory.context
        ego = context.ego
        rule_memory = memory.rules
        rules: list[Rules] = []
        for c, one in enumerate(corridors):
            after, found = apply_rules(
                memory.rules,
                context.mission.road_map,
                one,
                scene,
                starts[c].s_m + ego[E_FRONT],
                start.speed_mps,
                ego[E_FRONT],
            )
            rules.append(found)
            if c == 0:
                rule_memory = after
        it = interactions(
            context.tables,
            corridors,
            [s.s_m for s in starts],
            ego[E_FRONT],
            ego[E_REAR],
            ego[E_HALF_WIDTH],
            scene.tracks,
            forecast,
            start.speed_mps,
            [r.quiet for r in rules],
            granted(memory, scene),
        )
        fronts = [s.s_m + ego[E_FRONT] for s in starts]
        length_m = float(ego[E_FRONT] + ego[E_REAR])
        policies = propose(
            corridors, rules, it, fronts, start.speed_mps, scene.tracks, forecast, length_m
        )
        result = evaluate(ego, policies, it, start)
        key = [(corridors[p.corridor].manoeuvre, not p.binding) for p in policies]
        value = corridor_costs(memory, corridors, starts)
        scores = choose(policies, result, value, memory.previous, key, start.speed_mps)
        plan = hand_over(
            scene, forecast, ego, corridors, starts, policies, it, result, scores, start
        )
        winner = policies[scores.best]
        chosen = corridors[winner.corridor]
        if chosen is not corridor:
            rule_memory = memory.rules
        memory = replace(
            memory,
            corridor=chosen,
            plan=plan,
            plan_s_m=starts[winner.corridor].s_m,
            rules=rule_memory,
            previous=key[scores.best],
            waiting_s=_waited(memory, plan, start),
            stood_s=_stood(memory, scene.ego.speed_mps),
            granted=granted(memory, scene),
        )
        return memory, plan


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
    return ego


def patient(memory: Memory) -> Memory:
    """Give a lane change up after `PATIENCE_S` at its last chance, where another way leads on."""
    if memory.waiting_s < PATIENCE_S or memory.corridor is None:
        return memory
    lane = memory.corridor.path.lanes[-1]
    if not math.isfinite(memory.context.route.next_cost_s[lane]):
        return memory
    return replace(memory, detour=memory.detour | {lane}, waiting_s=0.0)


# ---------------------------------------------------------------- where are we


def locate(memory: Memory, scene: Scene) -> tuple[Memory, Corridor, Start]:
    """The corridor under the car and the state on it when the new plan takes effect."""
    if memory.corridor is None or memory.plan is None:
        return _fresh(memory, scene)
    corridor, plan, ego = memory.corridor, memory.plan, scene.ego
    step = round((scene.t_ns - plan.t_ns) / PLAN_STEP_NS)
    if not 0 <= step < STEPS - 1:
        return _fresh(memory, scene)
    now_s = memory.plan_s_m + float(plan.trajectory.s_m[step])
    s_m, d_m = _on_path(corridor, ego.x_m, ego.y_m, now_s)
    lost = (
        abs(d_m) > LOST_SIDE_M
        or abs(s_m - now_s) > LOST_ALONG_M
        or abs(ego.speed_mps - float(plan.trajectory.speed_mps[step])) > LOST_MPS
    )
    if abs(d_m) > LOST_SIDE_M:
        return _fresh(memory, scene)
    if lost:
        v = ego.speed_mps
        start = Start(s_m + v * PLAN_STEP_S, v, min(0.0, ego.accel_mps2))
    else:
        start = Start(
            memory.plan_s_m + float(plan.trajectory.s_m[step + 1]),
            float(plan.trajectory.speed_mps[step + 1]),
            float(plan.trajectory.accel_mps2[step + 1]),
        )
    if corridor.manoeuvre != "keep" and start.s_m > corridor.settled_m:
        corridor = replace(corridor, manoeuvre="keep")
        memory = replace(memory, changed_ns=scene.t_ns)
    return _extended(memory, scene, corridor, start)


def _on_path(corridor: Corridor, x: float, y: float, near_m: float) -> tuple[float, float]:
    xy = corridor.path.xy_m
    middle = int(near_m / STEP_M)
    lo = max(0, middle - 12)
    hi = min(len(xy) - 1, middle + 13)
    station = np.arange(len(xy), dtype=np.float64) * STEP_M
    s, d, _ = project(xy, station, x, y, lo, max(hi, lo + 1))
    return s, d


def _ahead_m(memory: Memory, limit_mps: float) -> float:
    return max(110.0, 9.0 * limit_mps + 40.0)


def _fresh(memory: Memory, scene: Scene) -> tuple[Memory, Corridor, Start]:
    """A corridor from where the car believes to be, easing back to the centre line.

    The lanes we meant to take win over the nearest ones: inside a junction many lie close by.
    """
    ego = scene.ego
    context = memory.context
    road_map = context.mission.road_map
    lane, lane_s, d_m, slope = _where(memory, scene)
    offset = None
    if abs(d_m) > 0.15 or abs(slope) > 0.05:
        offset = (d_m, slope, 0.0, max(8.0, 3.0 * ego.speed_mps))
    corridor = build_corridor(
        road_map,
        route_for(memory),
        context.style,
        context.ego[E_FRONT],
        _before(road_map, lane),
        lane,
        lane_s,
        _ahead_m(memory, float(road_map.lane_limit_mps[lane])),
        offset,
    )
    here = float(corridor.path.start_m[corridor.path.lanes.index(lane)]) + lane_s
    s_m, _ = _on_path(corridor, ego.x_m, ego.y_m, here)
    v = ego.speed_mps
    return memory, corridor, Start(s_m + v * PLAN_STEP_S, v, min(0.0, ego.accel_mps2))


def _where(memory: Memory, scene: Scene) -> tuple[int, float, float, float]:
    """(lane, s, d, slope) to plan from: on our own corridor while it is near, else on the map."""
    ego = scene.ego
    corridor = memory.corridor
    if corridor is not None and memory.plan is not None:
        s_m, d_m = _on_path(corridor, ego.x_m, ego.y_m, memory.plan_s_m)
        i = min(len(corridor.path.lane) - 1, max(0, int(s_m / STEP_M)))
        turn = math.remainder(ego.heading_rad - float(corridor.path.heading_rad[i]), 2.0 * math.pi)
        if abs(d_m) < NEAR_M and abs(turn) < 0.8:
            lane_s = max(0.0, float(corridor.path.lane_s_m[i]) + s_m - i * STEP_M)
            return int(corridor.path.lane[i]), lane_s, d_m, math.tan(turn)
    if ego.lane == NONE:
        raise MarqueError("our car is on no lane that it may drive on")
    return ego.lane, ego.s_m, ego.d_m, 0.0


def _extended(
    memory: Memory, scene: Scene, corridor: Corridor, start: Start
) -> tuple[Memory, Corridor, Start]:
    """The same corridor, grown when the road ahead runs out or its end is no longer the end."""
    i = min(len(corridor.path.lane) - 1, max(0, int(start.s_m / STEP_M)))
    need = 0.75 * _ahead_m(memory, float(corridor.limit_mps[i]))
    short = corridor.end_kind == "horizon" and corridor.path.length_m - start.s_m < need
    given_up = corridor.end_kind == "lane_change" and corridor.path.lanes[-1] in memory.detour
    if corridor.manoeuvre != "keep" or not (short or given_up):
        return memory, corridor, start
    lane = int(corridor.path.lane[i])
    lane_s = float(corridor.path.lane_s_m[i]) + start.s_m - i * STEP_M
    position = corridor.path.lanes.index(lane)
    context = memory.context
    grown = build_corridor(
        context.mission.road_map,
        route_for(memory),
        context.style,
        context.ego[E_FRONT],
        corridor.path.lanes[max(0, position - 3) : position],
        lane,
        max(0.0, lane_s),
        _ahead_m(memory, float(corridor.limit_mps[i])),
    )
    here = corridor.path.xy_m[i]
    back = grown.path.start_m[grown.path.lanes.index(lane)] + lane_s
    s_m, _ = _on_path(grown, float(here[0]), float(here[1]), float(back))
    return memory, grown, Start(s_m + start.s_m - i * STEP_M, start.speed_mps, start.accel_mps2)


def route_for(memory: Memory) -> Route:
    """The route, with lane changes that were given up taken off it."""
    route = memory.context.route
    if not memory.detour:
        return route
    side = route.best_side.copy()
    side[list(memory.detour)] = 0
    return replace(route, best_side=side)


# ---------------------------------------------------------------- what could we do


def alternatives(
    memory: Memory, scene: Scene, corridor: Corridor, start: Start
) -> tuple[list[Corridor], list[Start]]:
    """The present corridor first, then lane changes."""
    corridors = [corridor]
    starts = [start]
    if corridor.manoeuvre not in ("keep", "return"):
        back = _abort(memory, corridor, start)
        if back is not None:
            corridors.append(back[0])
            starts.append(back[1])
        return corridors, starts
    if scene.t_ns - memory.changed_ns < CHANGE_PAUSE_S * 1e9:
        return corridors, starts
    for side in (1, -1):
        aside = _change(memory, corridor, start, side)
        if aside is not None:
            corridors.append(aside[0])
            starts.append(aside[1])
    return corridors, starts


def _change(
    memory: Memory, corridor: Corridor, start: Start, side: int
) -> tuple[Corridor, Start] | None:
    """Corridor of a lane change to the left (+1) or right (-1) that begins now; None if there is
    no legal or useful one."""
    context = memory.context
    road_map = context.mission.road_map
    i = min(len(corridor.path.lane) - 1, max(0, int(start.s_m / STEP_M)))
    lane = int(corridor.path.lane[i])
    beside, legal = _neighbour(road_map, lane, side)
    if beside == NONE or not legal or not math.isfinite(context.route.cost_s[beside]):
        return None
    lane_s = max(0.0, float(corridor.path.lane_s_m[i]) + start.s_m - i * STEP_M)
    wanted = side_at(road_map, route_for(memory), lane, lane_s)
    if wanted == -side or (wanted == 0 and not _worth(memory, corridor, start, beside)):
        return None
    pose = corridor.path.xy_m[i] + (start.s_m - i * STEP_M) * np.array(
        [math.cos(corridor.path.heading_rad[i]), math.sin(corridor.path.heading_rad[i])]
    )
    xy = road_map.points(beside)
    s_b, d_b, seg = project(
        xy, road_map.arc(beside), float(pose[0]), float(pose[1]), 0, len(xy) - 1
    )
    heading = math.atan2(xy[seg + 1, 1] - xy[seg, 1], xy[seg + 1, 0] - xy[seg, 0])
    slope = math.tan(math.remainder(float(corridor.path.heading_rad[i]) - heading, 2.0 * math.pi))
    room = float(road_map.lane_length_m[beside]) - s_b - 2.0
    style = context.style
    pace = style.lane_change_s if wanted == 0 else 0.85 * style.lane_change_s
    length = min(max(16.0, pace * max(start.speed_mps, 3.0)), room)
    if length < (11.0 if start.speed_mps < 4.0 else 14.0) or abs(slope) > 0.3:
        return None
    ahead = _ahead_m(memory, float(corridor.limit_mps[i]))
    name = "change_left" if side > 0 else "change_right"
    built = build_corridor(
        road_map,
        route_for(memory),
        style,
        context.ego[E_FRONT],
        _before(road_map, beside),
        beside,
        s_b,
        ahead,
        (d_b, slope, 0.0, length),
        name,
    )
    here, _ = _on_path(
        built,
        float(pose[0]),
        float(pose[1]),
        float(built.path.start_m[built.path.lanes.index(beside)]) + s_b,
    )
    return built, Start(here, start.speed_mps, start.accel_mps2)


def _before(road_map: RoadMap, lane: int) -> tuple[int, ...]:
    """One way that leads to a lane, for what comes from behind."""
    out: list[int] = []
    for _ in range(2):
        previous = road_map.predecessors(lane if not out else out[0])
        if len(previous) == 0 or int(previous[0]) in out:
            break
        out.insert(0, int(previous[0]))
    return tuple(out)


def _neighbour(road_map: RoadMap, lane: int, side: int) -> tuple[int, bool]:
    if side > 0:
        return int(road_map.lane_left[lane]), bool(road_map.lane_left_ok[lane])
    return int(road_map.lane_right[lane]), bool(road_map.lane_right_ok[lane])


def _worth(memory: Memory, corridor: Corridor, start: Start, beside: int) -> bool:
    """Whether an unneeded change may pay: held up well below the limit, and the other lane goes
    on for a while without forcing us back."""
    context = memory.context
    i = min(len(corridor.cap_mps) - 1, max(0, int(start.s_m / STEP_M)))
    held_up = start.speed_mps < 0.7 * float(corridor.v_ref_mps[i])
    chance = float(context.route.last_chance_m[beside])
    good = not math.isfinite(chance) or chance > 150.0
    return held_up and good and context.route.best_side[beside] == 0


def _abort(memory: Memory, corridor: Corridor, start: Start) -> tuple[Corridor, Start] | None:
    """Back to the lane we came from, while we are still mostly in it."""
    if corridor.manoeuvre not in ("change_left", "change_right"):
        return None
    context = memory.context
    road_map = context.mission.road_map
    i = min(len(corridor.path.lane) - 1, max(0, int(start.s_m / STEP_M)))
    lane = int(corridor.path.lane[i])
    side = -1 if corridor.manoeuvre == "change_left" else 1
    origin, _ = _neighbour(road_map, lane, side)
    if origin == NONE or not math.isfinite(context.route.cost_s[origin]):
        return None
    pose = corridor.path.xy_m[i]
    xy = road_map.points(origin)
    s_o, d_o, seg = project(
        xy, road_map.arc(origin), float(pose[0]), float(pose[1]), 0, len(xy) - 1
    )
    width = 0.5 * float(road_map.lane_width_m[origin] + road_map.lane_width_m[lane])
    if abs(d_o) > 0.35 * width:
        return None
    heading = math.atan2(xy[seg + 1, 1] - xy[seg, 1], xy[seg + 1, 0] - xy[seg, 0])
    slope = math.tan(math.remainder(float(corridor.path.heading_rad[i]) - heading, 2.0 * math.pi))
    length = max(14.0, 2.5 * start.speed_mps)
    if length > float(road_map.lane_length_m[origin]) - s_o - 1.0:
        return None
    built = build_corridor(
        road_map,
        route_for(memory),
        context.style,
        context.ego[E_FRONT],
        _before(road_map, origin),
        origin,
        s_o,
        _ahead_m(memory, float(corridor.limit_mps[i])),
        (d_o, slope, 0.0, length),
        "return",
    )
    here, _ = _on_path(
        built,
        float(pose[0]),
        float(pose[1]),
        float(built.path.start_m[built.path.lanes.index(origin)]) + s_o,
    )
    return built, Start(here, start.speed_mps, start.accel_mps2)


def corridor_costs(memory: Memory, corridors: list[Corridor], starts: list[Start]) -> FloatArray:
    """Route value of each corridor, and what a lane change that nobody needs must earn."""
    cost = np.zeros(len(corridors))
    route = route_for(memory)
    style = memory.context.style
    for c, corridor in enumerate(corridors):
        if corridor.end_kind in ("lane_change", "dead_end"):
            room = max(1.0, corridor.end_m - starts[c].s_m)
            pressing = 20.0 + 6.0 * starts[c].speed_mps
            cost[c] += 4.0 * min(1.0, pressing / room)
        if c > 0 and corridor.manoeuvre != "return":
            i = int(starts[0].s_m / STEP_M)
            lane = int(corridors[0].path.lane[min(i, len(corridors[0].path.lane) - 1)])
            cost[c] += 0.0 if route.best_side[lane] != 0 else style.lane_change_cost
        if corridor.manoeuvre == "return":
            cost[c] += 2.0
    return cost


# ---------------------------------------------------------------- what comes of it


def evaluate(ego: FloatArray, policies: list[Policy], it: Interactions, start: Start) -> FloatArray:
    """Rollout results [P, 2, R]."""
    out = np.empty((len(policies), 2, R_LEN))
    roll_all(
        it.n,
        it.v_ref,
        table(policies),
        ego,
        it.s0,
        start.speed_mps,
        start.accel_mps2,
        it.active,
        it.n_active,
        it.samples,
        it.lo,
        it.hi,
        it.cosr,
        it.first,
        it.last,
        it.relation,
        it.behind,
        it.k_off,
        it.speed,
        it.accel,
        it.length,
        it.limit,
        it.stop,
        it.lead,
        it.lead_gap,
        it.walker,
        it.rear_margin,
        it.front_margin,
        it.keep_clear,
        out,
    )
    return out


def motion(
    ego: FloatArray, corridor: Corridor, policy: Policy, it: Interactions, start: Start, s_m: float
) -> Trajectory:
    """The policy's own motion at 0.1 s."""
    c = policy.corridor
    s, v, a = np.empty(STEPS), np.empty(STEPS), np.empty(STEPS)
    trace(
        int(it.n[c]),
        it.v_ref[c],
        np.array(policy.row()),
        ego,
        s_m,
        start.speed_mps,
        start.accel_mps2,
        it.active[c],
        int(it.n_active[c]),
        it.samples,
        it.lo[c],
        it.hi[c],
        it.cosr[c],
        it.first[c],
        it.last[c],
        it.k_off[c],
        it.speed,
        it.accel,
        it.length,
        s,
        v,
        a,
        STEP_S,
    )
    return along(corridor.path, s, v, a)


def hand_over(
    scene: Scene,
    forecast: Forecast,
    ego: FloatArray,
    corridors: list[Corridor],
    starts: list[Start],
    policies: list[Policy],
    it: Interactions,
    result: FloatArray,
    scores: Scores,
    start: Start,
) -> Plan:
    """The winner as a Plan with its fall-back and its reason."""
    p = scores.best
    policy = policies[p]
    corridor = corridors[policy.corridor]
    s_m = starts[policy.corridor].s_m
    trajectory = motion(ego, corridor, policy, it, start, s_m)
    stop = _fallback_policy(policies, result, policy)
    fallback = motion(ego, corridor, policies[stop], it, start, s_m)
    reason, uid = explain(scene, forecast, corridor, policy, it, result[p], trajectory, s_m)
    t_ns = scene.t_ns + PLAN_STEP_NS
    margins = (
        ("contact_s", float(result[p, :, R_COLLISION_S].min())),
        ("margin_s", float(result[p, :, R_MARGIN_S].min())),
        ("fallback_contact_s", float(result[stop, :, R_COLLISION_S].min())),
        ("tier", float(scores.tier[p])),
    )
    return Plan(
        made_ns=scene.t_ns,
        t_ns=t_ns,
        trajectory=trajectory,
        fallback=fallback,
        valid_until_ns=t_ns + 2 * PLAN_STEP_NS,
        manoeuvre=corridor.manoeuvre,
        reason=reason,
        reason_uid=uid,
        indicator=indicate(corridor, s_m, trajectory),
        margins=margins,
    )


def _fallback_policy(policies: list[Policy], result: FloatArray, winner: Policy) -> int:
    """Comfortable stop, else emergency stop: the first that touches nobody; else the one that
    touches latest."""
    rows = [
        p
        for p, policy in enumerate(policies)
        if policy.corridor == winner.corridor and policy.mode in (COMFORT_STOP, EMERGENCY_STOP)
    ]
    contact = [float(result[p, :, R_COLLISION_S].min()) for p in rows]
    free = [p for p, t in zip(rows, contact, strict=True) if math.isinf(t)]
    return free[0] if free else rows[int(np.argmax(contact))]


def explain(
    scene: Scene,
    forecast: Forecast,
    corridor: Corridor,
    policy: Policy,
    it: Interactions,
    result: FloatArray,
    trajectory: Trajectory,
    s_m: float,
) -> tuple[Reason, int]:
    """The one reason why the car is slower than it could be, and the road user behind it."""
    soon = slice(1, 31)
    slow = trajectory.speed_mps[soon]
    i = np.minimum((s_m + trajectory.s_m[soon]) / EGO_STEP_M, len(corridor.cap_mps) - 1).astype(int)
    gap = corridor.limit_mps[i] - slow
    if policy.mode != NORMAL:
        return Reason.FALLBACK, -1
    if float(gap.max()) < 0.6:
        return Reason.NONE, -1
    braking = float(trajectory.accel_mps2[soon].min()) < -0.15
    standing = float(slow.max()) < 0.3
    cause = int(result[0, R_CAUSE])
    held = standing or braking or float(trajectory.accel_mps2[soon].max()) < 0.4
    if policy.stop is not None and held:
        room = policy.stop.at_m - s_m - 0.5 * float(it.length[0] if len(it.length) else 0.0)
        v = float(trajectory.speed_mps[0])
        holds = cause < 0 or standing_at(policy, s_m, room, v)
        if holds and room < max(15.0, v * v / 2.0 + 3.0 * v):
            return policy.stop.reason, policy.stop.uid
    if cause >= 0 and held:
        track = int(forecast.track[cause])
        return _for_user(scene, track, policy), int(scene.tracks.uid[track])
    if policy.scale < 1.0:
        return Reason.YIELD, -1
    ref = corridor.v_ref_mps[i]
    if braking or float((ref - slow).max()) < 1.0:
        lower = corridor.limit_mps[i] - corridor.cap_mps[i]
        if float(lower.max()) > 0.5 or float(gap.max()) > 0.6:
            return Reason.CURVE, -1
    return Reason.SPEED_UP, -1


def standing_at(policy: Policy, s_m: float, room: float, v: float) -> bool:
    """Whether the stop target, not a leader, is what holds the car."""
    return policy.stop is not None and room < max(2.0, 0.5 * v)


def _for_user(scene: Scene, track: int, policy: Policy) -> Reason:
    if policy.virtual >= 0:
        return Reason.MERGE
    kind = int(scene.tracks.kind[track])
    if kind == UserKind.PEDESTRIAN:
        return Reason.PEDESTRIAN
    if kind == UserKind.BICYCLE:
        return Reason.CYCLIST
    if kind == UserKind.BUS and float(scene.tracks.still_s[track]) > 3.0:
        return Reason.BUS_STOP
    return Reason.LEAD


def indicate(corridor: Corridor, s_m: float, trajectory: Trajectory) -> Indicator:
    """What to tell the others: a lane change, or the next turn."""
    if corridor.manoeuvre == "change_left":
        return Indicator.LEFT
    if corridor.manoeuvre == "change_right":
        return Indicator.RIGHT
    reach = s_m + max(25.0, 3.0 * float(trajectory.speed_mps[0]))
    for junction in corridor.junctions:
        if junction.s_out_m > s_m and junction.s_in_m < reach:
            if junction.turn in (2, 4):
                return Indicator.LEFT
            if junction.turn == 3:
                return Indicator.RIGHT
    return Indicator.OFF


def granted(memory: Memory, scene: Scene) -> IntArray:
    """uids of users who have stood as long as we have: they wait for us, and we may go first.
    The grant holds until they move or we are well on our way."""
    if scene.ego.speed_mps > 5.0:
        return NOBODY
    tracks = scene.tracks
    keeps = np.isin(tracks.uid, memory.granted) & (tracks.speed_mps < 0.4)
    if memory.stood_s > STANDOFF_S:
        keeps |= (tracks.speed_mps < 0.1) & (tracks.still_s > STANDOFF_S)
    chosen: IntArray = tracks.uid[keeps & (tracks.kind != UserKind.PEDESTRIAN)]
    return chosen


def _stood(memory: Memory, speed_mps: float) -> float:
    """Creeping neither adds to the time nor ends it: else two would wait and creep in turns."""
    if speed_mps < 0.2:
        return memory.stood_s + PLAN_STEP_S
    return memory.stood_s if speed_mps < CREEP_MPS else 0.0


def _waited(memory: Memory, plan: Plan, start: Start) -> float:
    if plan.reason == Reason.LANE_CHANGE and start.speed_mps < 0.3:
        return memory.waiting_s + PLAN_STEP_S
    return 0.0
