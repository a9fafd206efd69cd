"""The driver: enumerate policies, roll the scene forward for each, choose, verify, hand over.

One tick: where will we be when the plan takes effect -> which corridors -> rules and others along
them -> policies -> rollouts -> lexicographic choice -> trajectory with a verified fall-back.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array, IntArray
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.kernels.following import stop_distance
from marque.kernels.rollout import (
    E_BRAKE,
    E_FRONT,
    E_GAP,
    E_HALF_WIDTH,
    E_HEADWAY,
    E_JERK,
    E_REAR,
    R_COLLISION_S,
    R_LEN,
    R_MARGIN_S,
    VIRTUAL_SHARE,
    roll_all,
    trace,
)
from marque.maps.field import side_at
from marque.maps.path import STEP_M
from marque.stack.planning.aside import PASS_STILL_S, PEEK_WAIT_M, WAIT_M, Block, asides, tight
from marque.stack.planning.box import SPARE_M
from marque.stack.planning.change import RETURN_COST, Wish, abort, changes
from marque.stack.planning.charted import hold_others, limits
from marque.stack.planning.corridor import Corridor, backward_pass
from marque.stack.planning.detours import keep_out, patient, stretch, way_round
from marque.stack.planning.doubtful import roomier
from marque.stack.planning.explain import explain, indicate
from marque.stack.planning.gaps import GAP_M, brakes_from_m
from marque.stack.planning.impaired import coming_to_rest, halt, halts, slow_down, wary
from marque.stack.planning.interactions import Interactions, interactions
from marque.stack.planning.jam import for_rescue, jam_tail, warned
from marque.stack.planning.locate import locate, settle_on
from marque.stack.planning.overtake import announced, stay_behind
from marque.stack.planning.passing import pass_slowly, walks_into_us
from marque.stack.planning.propose import (
    BRISK_STOP,
    COMFORT_STOP,
    EMERGENCY_STOP,
    NORMAL,
    Policy,
    propose,
    table,
)
from marque.stack.planning.rules import LINE_MARGIN_M, Rules, Stop, apply_rules
from marque.stack.planning.score import Scores, choose, courtesy_cost
from marque.stack.planning.shoulder import beyond, on_shoulder
from marque.stack.planning.sideways import pose_at
from marque.stack.planning.standoff import granted, let_out
from marque.stack.planning.state import (
    Memory,
    Option,
    Start,
    lane_at,
    make_context,
    neighbour,
    route_for,
    sample_at,
)
from marque.stack.planning.trajectory import along
from marque.stack.planning.unseen import look_first, slow_past_unseen
from marque.types.codes import Indicator, Reason, SignalState
from marque.types.forecast import Forecast
from marque.types.mission import Mission
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Scene, Tracks
from marque.types.style import Style

BEHIND = ("keep", "return", "peek")  # manoeuvres that pass nobody who is in our way
CREEP_MPS = 1.5
SAME_WAY = 0.5  # cosine of headings
STOPS = (COMFORT_STOP, BRISK_STOP, EMERGENCY_STOP)
LIGHTS = (Reason.RED_LIGHT, Reason.AMBER_LIGHT, Reason.SIGNAL_UNKNOWN)
TIGHT_COST = 0.8  # passing somebody closely where there is a way with more room
LIGHT_M = 60.0  # a light farther away is none that the row beside us waits for
WELL_IN_M = 1.0  # more than the least room to who is ahead, where we wait for that behind us
IN_S, OPENS_SPS = 0.8, 0.1  # headway on a change, and how fast it grows again
FALLS_IN_S = 0.4  # behind us, of those whose lane we come into: `gaps.fits` has asked for more
SLOWEST_SHARE, SLOWEST_MPS = 0.1, 1.4  # of what the road allows, or this, on the way to a gap
# of the body may stand in the lane; in a row each comes into sight only right before we pass it
PARKED_S, PARKED_SHARE = 1.0, 0.55
STAY_COST, STAY_M, STAY_S = 1.5, 30.0, 4.0  # staying in a lane that we must leave, near its end
STANDS_STILL_M = 0.1  # from our bumper to where we stand still
GAP_BONUS = 3.0  # aiming for a gap outranks getting on in a lane that we must leave


class Marque:
    """The driver named `marque`."""

    def __init__(self, style: Style | None = None) -> None:
        self.style = style if style is not None else Style()

    def start(self, mission: Mission) -> Memory:
        """Plan the route. MarqueError when the goal lane is not for cars."""
        return Memory(make_context(mission, mission.style or self.style))

    def asked(self, memory: Any, set_mps: float | None, headway_s: float | None) -> Memory:
        """Another set speed, or another gap, while it drives."""
        context = memory.context
        ego = context.ego
        if headway_s is not None:
            ego = ego.copy()
            ego[E_HEADWAY] = headway_s
        mission = replace(context.mission, set_speed_mps=set_mps)
        kept: Memory = replace(memory, context=replace(context, mission=mission, ego=ego))
        return kept

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[Memory, Plan]:
        """One tick of planning."""
        scene = roomier(scene)
        memory = for_rescue(keep_out(patient(memory), scene), scene)
        memory, corridor, start = locate(memory, scene)
        options, wish, block = alternatives(memory, scene, forecast, corridor, start)
        if halts(scene):
            options, wish = [on_shoulder(memory, scene, options[0])], None
        side = wish.side if wish is not None else 0
        options, asks, asked_ns = announced(memory, scene.t_ns, options, side)
        ego = wary(scene, lawful(memory, falling_in(memory, scene, corridor), start.speed_mps))
        looked = [_look(memory, scene, one) for one in options]
        rules = [each for _, each in looked]
        for one, each in zip(options, rules, strict=True):
            if one.corridor.manoeuvre in BEHIND:
                wait_behind(each, block, one.corridor, one.start, ego)
        stand_for(scene, ego, options, rules)
        peek = look_first(memory, scene, ego, options, rules)
        place = beyond(coming_to_rest(scene, ego, start, memory.halt), options[0])
        halt(scene, place, ego, options, rules)
        let_us_go = granted(memory, scene)
        it = _others(memory, scene, forecast, options, rules, let_us_go)
        road_map = memory.context.mission.road_map
        for c, (one, each) in enumerate(zip(options, rules, strict=True)):
            if one.corridor.manoeuvre not in BEHIND:
                continue
            wait = let_out(it, c, one, ego, road_map, scene.tracks, forecast.track)
            if wait is not None:
                each.binding.append(wait)
        policies = propose(
            [one.corridor for one in options],
            rules,
            it,
            [one.start.s_m + ego[E_FRONT] for one in options],
            start.speed_mps,
            start.accel_mps2,
            scene.tracks,
            forecast,
            float(ego[E_FRONT] + ego[E_REAR]),
        )
        extra = np.zeros(len(policies))
        if wish is not None:
            aimed = aim(ego, policies, it, wish, options[0], forecast.track)
            policies += aimed
            begins = any(one.corridor.manoeuvre.startswith("change") for one in options[1:])
            extra = np.append(extra, [0.0 if begins else -GAP_BONUS] * len(aimed))
        result = evaluate(ego, policies, it, start)
        key = [(options[p.corridor].corridor.manoeuvre, not p.binding) for p in policies]
        extra += courtesy_cost(result, memory.context.style)
        value = corridor_costs(memory, options)
        scores = choose(
            policies,
            result,
            value,
            memory.previous,
            key,
            start.speed_mps,
            memory.doubts,
            extra,
            ways_m(options),
            (it.first == 0) & (it.behind == 0) & (it.cosr[:, :, 0] > SAME_WAY),
        )
        plan = hand_over(scene, forecast, ego, options, policies, it, result, scores, asks)
        winner = policies[scores.best]
        chosen = options[winner.corridor]
        memory = replace(
            memory,
            corridor=chosen.corridor,
            plan=plan,
            plan_s_m=chosen.start.s_m,
            rules=looked[winner.corridor][0],
            previous=key[scores.best],
            doubts=scores.doubts,
            detour=memory.detour | chosen.given_up,
            aimed=_aimed(wish, scene.tracks),
            waiting_s=_waited(memory, plan, start, scene),
            stood_s=_stood(memory, plan, scene.ego.speed_mps),
            granted=let_us_go,
            peek=peek,
            halt=place,
            shown=plan.indicator,
            shown_ns=memory.shown_ns if plan.indicator == memory.shown else scene.t_ns,
            asked_ns=asked_ns,
            jam_ns=scene.t_ns if jam_tail(memory, scene, corridor, start) else memory.jam_ns,
        )
        return way_round(memory, block, start), warned(memory, scene.t_ns, plan)


def falling_in(memory: Memory, scene: Scene, corridor: Corridor) -> FloatArray:
    """Our parameters: on a change and for a while after it with less headway, so that the gap to
    who is ahead opens slowly, and whoever is behind need not brake for that."""
    ego = memory.context.ego
    since_s = 0.0
    if not corridor.manoeuvre.startswith("change"):
        since_s = (scene.t_ns - memory.changed_ns) * 1e-9
    headway = IN_S + OPENS_SPS * since_s
    if headway >= ego[E_HEADWAY]:
        return ego
    ego = ego.copy()
    ego[E_HEADWAY] = headway
    return ego


def lawful(memory: Memory, ego: FloatArray, speed_mps: float) -> FloatArray:
    """Our parameters, with at least the headway that law sets to who drives eyes off."""
    law = memory.context.market
    if not law.eyes_off:
        return ego
    least = float(np.interp(speed_mps, law.headway_mps, law.headway_s))
    if least <= ego[E_HEADWAY]:
        return ego
    ego = ego.copy()
    ego[E_HEADWAY] = least
    return ego


# ---------------------------------------------------------------- what could we do


def alternatives(
    memory: Memory, scene: Scene, forecast: Forecast, corridor: Corridor, start: Start
) -> tuple[list[Option], Wish | None, Block | None]:
    """The present corridor first, then what else we could take; the gap that we should aim for,
    and who is in our way."""
    options = [Option(corridor, start)]
    if corridor.manoeuvre.startswith("change"):
        back = abort(memory, corridor, start)
        return options + ([back] if back is not None else []), None, None
    if corridor.committed(start.s_m + float(memory.context.ego[E_FRONT])):
        return options, None, None
    around, block = asides(memory, scene, forecast, corridor, start)
    if around and tight(memory, scene, corridor, start):
        options = [Option(corridor, start, TIGHT_COST)]
    if corridor.manoeuvre in ("nudge", "peek"):
        lane, lane_s = lane_at(corridor, start.s_m)
        limit = float(corridor.limit_mps[sample_at(corridor, start.s_m)])
        back = settle_on(memory, lane, lane_s, pose_at(corridor.path, start.s_m), start, limit)
        if corridor.manoeuvre == "peek":
            if block is None:  # nothing hides the road any more
                return [Option(corridor, start, RETURN_COST), back], None, None
            return [*options, *around], None, block
        back = replace(back, cost=RETURN_COST)
        return [*options, back, *around], None, block
    if memory.context.mission.keeps_lane:
        return options + around, None, block
    found, wish = changes(memory, scene, corridor, start, block is not None and block.obstacle)
    return options + found + around, wish, block


def aim(
    ego: FloatArray,
    policies: list[Policy],
    it: Interactions,
    wish: Wish,
    here: Option,
    tracks: Int32Array,
) -> list[Policy]:
    """Our lane, at the speed that brings us to the gap, and, once we are behind the one who leads
    it, as if it already drove ahead of us; on for as long as we could still stop before our lane
    ends."""
    stop = policies[0].stop  # of our corridor: the one that binds
    v = here.start.speed_mps
    if stop is not None and stop.reason == Reason.LANE_CHANGE:
        room = stop.at_m - here.start.s_m - ego[E_FRONT]
        if room > float(brakes_from_m(v)):
            stop = None
    may = float(here.corridor.v_ref_mps[sample_at(here.corridor, here.start.s_m)])
    slowest = min(SLOWEST_SHARE, SLOWEST_MPS / may)
    scale = min(1.0, max(slowest, wish.gap.speed_mps / may))
    rows = np.flatnonzero(tracks == wish.gap.leader)
    if not wish.behind or len(rows) == 0:
        return [Policy(0, scale, stop, -1, NORMAL, True)]
    k = int(rows[0])
    active = it.active[0]
    if k not in active[: it.n_active[0]]:
        active[it.n_active[0]] = k
        it.n_active[0] += 1
    # followed with the headway that we fall in with: who hangs back crowds who comes behind
    ours = float(ego[E_GAP]) + VIRTUAL_SHARE * float(ego[E_HEADWAY]) * v
    spare = max(0.0, ours - GAP_M - wish.headway_s * v - WELL_IN_M)
    it.k_off[0, k] = -(wish.leader_m + spare)
    return [Policy(0, scale, stop, k, NORMAL, True)]


def corridor_costs(memory: Memory, options: list[Option]) -> FloatArray:
    """Route value of each corridor, and what it has to earn."""
    cost = np.array([one.cost for one in options])
    for c, one in enumerate(options):
        if one.corridor.end_kind in ("lane_change", "dead_end"):
            room = max(1.0, one.corridor.end_m - one.start.s_m)
            pressing = 20.0 + 6.0 * one.start.speed_mps
            cost[c] += 4.0 * min(1.0, pressing / room)
    first = options[0]
    lane, lane_s = lane_at(first.corridor, first.start.s_m)
    route = route_for(memory)
    road_map = memory.context.mission.road_map
    if first.corridor.manoeuvre == "keep" and side_at(road_map, route, lane, lane_s) != 0:
        left = max(1.0, float(route.last_chance_m[lane]) - lane_s)
        cost[0] += STAY_COST * min(1.0, (STAY_M + STAY_S * first.start.speed_mps) / left)
    return cost


def ways_m(options: list[Option]) -> FloatArray:
    """[C] how far each corridor leads: who stops at the goal has got on as far as can be."""
    return np.array(
        [
            max(1.0, one.corridor.goal_m - one.start.s_m)
            if one.corridor.end_kind == "goal"
            else math.inf
            for one in options
        ]
    )


def wait_behind(
    rules: Rules, block: Block | None, corridor: Corridor, start: Start, ego: FloatArray
) -> None:
    """Behind an obstacle we stand back, so that there is room to swing out; but never inside a
    junction, which we then do not enter."""
    if block is None or not block.stays:
        return
    front = start.s_m + ego[E_FRONT]
    edge = start.s_m + block.ahead_m
    least = stop_distance(start.speed_mps, start.accel_mps2, ego[E_BRAKE], ego[E_JERK])
    away = PEEK_WAIT_M if corridor.manoeuvre == "peek" else WAIT_M
    place = max(edge - away, front + least)  # nobody brakes hard to stand back
    for junction in corridor.junctions:
        beyond = junction.clear_m + ego[E_FRONT] + ego[E_REAR] + SPARE_M
        if junction.s_in_m < place < beyond:
            before = beyond if beyond < edge - 2.0 else junction.stop_m - LINE_MARGIN_M
            if before < front - 0.5:
                break  # we are in it already, and going nearer would only take the room to pass
            place = before
    if place < edge - 2.0:
        rules.binding.append(Stop(place, Reason.BLOCKED_LANE, block.uid))


def stand_for(scene: Scene, ego: FloatArray, options: list[Option], rules: list[Rules]) -> None:
    """We do not set off, nor creep on, while somebody walks up to our body."""
    us = scene.ego
    uid = walks_into_us(ego, us.x_m, us.y_m, us.heading_rad, us.speed_mps, scene.tracks)
    if uid < 0:
        return
    for one, each in zip(options, rules, strict=True):
        at = one.start.s_m + float(ego[E_FRONT])
        each.binding.append(Stop(at + STANDS_STILL_M, Reason.PEDESTRIAN, uid))


# ---------------------------------------------------------------- what comes of it


def _look(memory: Memory, scene: Scene, option: Option) -> tuple[Any, Rules]:
    ego = memory.context.ego
    return apply_rules(
        memory.rules,
        memory.context.mission.road_map,
        option.corridor,
        scene,
        option.start.s_m + ego[E_FRONT],
        option.start.speed_mps,
        ego[E_FRONT],
        ego[E_FRONT] + ego[E_REAR],
    )


def _others(
    memory: Memory,
    scene: Scene,
    forecast: Forecast,
    options: list[Option],
    rules: list[Rules],
    let_us_go: IntArray,
) -> Interactions:
    ego = memory.context.ego
    corridors, s0 = [one.corridor for one in options], [one.start.s_m for one in options]
    it = interactions(
        memory.context.tables,
        corridors,
        s0,
        ego[E_FRONT],
        ego[E_REAR],
        ego[E_HALF_WIDTH],
        scene.tracks,
        forecast,
        options[0].start.speed_mps,
        [each.quiet for each in rules],
        [each.crossed for each in rules],
        let_us_go,
    )
    v = options[0].start.speed_mps
    pass_slowly(it, corridors, s0, ego, v, scene.tracks)
    slow_past_unseen(it, corridors, s0, ego, v, scene, [each.walks for each in rules])
    for c, one in enumerate(options):
        if one.corridor.manoeuvre in BEHIND:
            stay_behind(memory, it, c, one.corridor, one.start, ego, scene.tracks)
    slow_down(scene, it)
    obey_signs(memory, scene, it, corridors, s0)
    if (set_mps := memory.context.mission.set_speed_mps) is not None:
        it.v_ref = np.minimum(it.v_ref, set_mps)
    for c, corridor in enumerate(corridors):
        front_m = s0[c] + float(ego[E_FRONT])
        hold_others(it, c, corridor, scene, forecast, memory.context.mission.road_map, front_m)
    stays = parked(memory.context.mission.road_map, scene.tracks)
    for one in options:
        if one.corridor.manoeuvre == "nudge":
            stays |= passed(one.corridor, scene.tracks)
        if one.corridor.manoeuvre.startswith("change"):
            there = np.isin(scene.tracks.lane, one.corridor.path.lanes)[forecast.track]
            it.rear_margin = np.where(there, FALLS_IN_S, it.rear_margin)
    rows = stays[forecast.track]
    it.limit = np.where(rows, 0.0, it.limit)
    it.stop = np.where(rows, np.minimum(it.stop, 0.0), it.stop)  # not even a crawl into our way
    return it


def obey_signs(
    memory: Memory, scene: Scene, it: Interactions, corridors: list[Corridor], s0: list[float]
) -> None:
    """Lower `it.v_ref` to limits that have been seen and the map does not have."""
    ego, road_map = memory.context.ego, memory.context.mission.road_map
    for c, corridor in enumerate(corridors):
        seen = limits(corridor, scene.chart, road_map, s0[c])
        if seen is not None:
            n = int(it.n[c])
            cap = np.minimum(it.v_ref[c, :n], seen)
            backward_pass(cap, STEP_M, float(ego[E_BRAKE]), float(ego[E_JERK]), it.v_ref[c, :n])


def parked(road_map: RoadMap, tracks: Tracks) -> BoolArray:
    """[n] those who stand mostly off the lanes and do not indicate."""
    known = np.where(tracks.lane == NONE, 0, tracks.lane)
    edge = 0.5 * road_map.lane_width_m[known]
    inside = edge - (np.abs(tracks.d_m) - 0.5 * tracks.width_m)
    off = (tracks.lane == NONE) | (inside < PARKED_SHARE * tracks.width_m)
    quiet = (tracks.still_s > PARKED_S) & (tracks.indicator == Indicator.OFF)
    found: BoolArray = off & quiet
    return found


def passed(corridor: Corridor, tracks: Tracks) -> BoolArray:
    """[n] those on the lanes of a way around somebody who have stood for long: who lets us swing
    out beside them does not drive off now."""
    long = (tracks.still_s > PASS_STILL_S) & (tracks.indicator == Indicator.OFF)
    found: BoolArray = long & np.isin(tracks.lane, corridor.path.lanes)
    return found


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
        it.entry,
        it.enters,
        it.speed,
        it.accel,
        it.length,
        it.limit,
        it.stop,
        it.lead,
        it.lead_gap,
        it.walker,
        it.doubt,
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
        it.doubt,
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
    options: list[Option],
    policies: list[Policy],
    it: Interactions,
    result: FloatArray,
    scores: Scores,
    asks: Indicator = Indicator.OFF,
) -> Plan:
    """The winner as a Plan with its fall-back and its reason."""
    p = scores.best
    policy = policies[p]
    corridor, start = options[policy.corridor].corridor, options[policy.corridor].start
    s_m = start.s_m
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
        indicator=indicate(corridor, s_m, trajectory) or asks,
        margins=margins,
    )


def _fallback_policy(policies: list[Policy], result: FloatArray, winner: Policy) -> int:
    """Comfortable, else brisk, firm, or emergency stop: the first that touches nobody; else the one
    that touches latest."""
    rows = [
        p
        for p, policy in enumerate(policies)
        if policy.corridor == winner.corridor and policy.mode in STOPS
    ]
    contact = [float(result[p, :, R_COLLISION_S].min()) for p in rows]
    free = [p for p, t in zip(rows, contact, strict=True) if math.isinf(t)]
    return free[0] if free else rows[int(np.argmax(contact))]


def _stood(memory: Memory, plan: Plan, speed_mps: float) -> float:
    """How long we have stood for others. Creeping neither adds to the time nor ends it: else two
    would wait and creep in turns. Before a light we, and those opposite, wait for nobody."""
    if plan.reason in LIGHTS:
        return 0.0
    if speed_mps < 0.2:
        return memory.stood_s + PLAN_STEP_S
    return memory.stood_s if speed_mps < CREEP_MPS else 0.0


def _waited(memory: Memory, plan: Plan, start: Start, scene: Scene) -> float:
    """While the light of the lane beside is red nobody there moves either, and we lose nothing."""
    corridor = memory.corridor
    if start.speed_mps > 0.3 or corridor is None:
        return 0.0
    if plan.reason != Reason.LANE_CHANGE:
        return memory.waiting_s  # who stands for something else for a moment has not got on
    road_map = memory.context.mission.road_map
    here = corridor.path.lanes[-1]
    beside, _ = neighbour(road_map, here, corridor.leaves)
    for lane in stretch(memory, beside if beside != NONE else here, LIGHT_M):
        head = int(road_map.lane_head[lane])
        if head != NONE:
            red = int(scene.signal_state[head]) == SignalState.RED
            return memory.waiting_s + (0.0 if red else PLAN_STEP_S)
    return memory.waiting_s + PLAN_STEP_S


def _aimed(wish: Wish | None, tracks: Tracks) -> int | None:
    if wish is None:
        return None
    return int(tracks.uid[wish.gap.leader]) if wish.gap.leader >= 0 else -1
