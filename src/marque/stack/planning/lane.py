"""The plain driver `lane`: keep the lane along the route, follow the leader, stop where one must.

The baseline in every table, and the proof that a driver is a plug-in: it imagines nothing. Ahead of
it are the speed profile of its corridor, the leader by IDM, and one stop target: a red light, a
stop line, the goal, or the last place before others who come at the same time and need not yield.
It changes lanes only where the route does, into a gap that is free now.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.kernels.overlap import FREE
from marque.kernels.rollout import E_ACCEL, E_FRONT, E_HALF_WIDTH, E_REAR, R_CAUSE, R_LEN
from marque.maps.field import side_at
from marque.stack.planning.corridor import Corridor
from marque.stack.planning.detours import patient
from marque.stack.planning.driver import alternatives, motion
from marque.stack.planning.explain import explain, indicate
from marque.stack.planning.interactions import Interactions, interactions
from marque.stack.planning.locate import locate
from marque.stack.planning.propose import (
    COMFORT_STOP,
    EMERGENCY_STOP,
    NORMAL,
    Policy,
    soft_stop_mps2,
)
from marque.stack.planning.rules import ZONE_MARGIN_M, Rules, Stop, apply_rules
from marque.stack.planning.state import (
    NOBODY,
    Memory,
    Start,
    lane_at,
    make_context,
    route_for,
)
from marque.types.codes import Reason, UserKind
from marque.types.forecast import Forecast
from marque.types.mission import Mission
from marque.types.plan import STEP_S, Plan, Trajectory
from marque.types.scene import Scene
from marque.types.style import Style

APART_S = 1.2  # between us and others on the same spot, whoever comes first
MOVES_MPS = 0.3  # who stands does not come
GAP_M = 3.0  # to either side in a lane change, and what speed adds:
GAP_AHEAD_S, GAP_BEHIND_S, CLOSING_S = 0.4, 0.5, 2.5
CHANGES = {"change_left": 1, "change_right": -1}


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One corridor and everything that counts along it; `c` is its row in `it`."""

    corridor: Corridor
    c: int
    start: Start
    rules: Rules
    it: Interactions


class Lane:
    """The driver named `lane`. It shares the noun `Memory` with the driver `marque`."""

    def __init__(self, style: Style | None = None) -> None:
        self.style = style if style is not None else Style()

    def start(self, mission: Mission) -> Memory:
        """Plan the route. MarqueError when the goal lane is not for cars."""
        return Memory(make_context(mission, mission.style or self.style))

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[Memory, Plan]:
        """One tick: where we are, what holds there, one motion. MarqueError when off the road."""
        memory, corridor, start = locate(patient(memory), scene)
        corridors, starts = _options(memory, scene, forecast, corridor, start)
        ego = memory.context.ego
        looked = [
            apply_rules(
                memory.rules,
                memory.context.mission.road_map,
                one,
                scene,
                starts[c].s_m + ego[E_FRONT],
                start.speed_mps,
                ego[E_FRONT],
                ego[E_FRONT] + ego[E_REAR],
            )
            for c, one in enumerate(corridors)
        ]
        it = interactions(
            memory.context.tables,
            corridors,
            [one.s_m for one in starts],
            ego[E_FRONT],
            ego[E_REAR],
            ego[E_HALF_WIDTH],
            scene.tracks,
            forecast,
            start.speed_mps,
            [found.quiet for _, found in looked],
            [found.crossed for _, found in looked],
            NOBODY,
        )
        views = [View(corridors[c], c, starts[c], looked[c][1], it) for c in range(len(corridors))]
        view = views[0]
        if len(views) > 1 and gap_is_free(ego, views[1]):
            view = views[1]
        stops = view.rules.binding + stops_for_others(ego, view, scene, forecast)
        stop = min(stops, key=lambda one: one.at_m, default=None)
        policy = Policy(view.c, 1.0, stop, -1, NORMAL, True)
        plan = plan_on(ego, view, policy, scene, forecast)
        stuck = plan.reason == Reason.LANE_CHANGE and start.speed_mps < MOVES_MPS
        memory = replace(
            memory,
            corridor=view.corridor,
            plan=plan,
            plan_s_m=view.start.s_m,
            rules=looked[0][0] if view.c == 0 else memory.rules,
            waiting_s=memory.waiting_s + PLAN_STEP_S if stuck else 0.0,
        )
        return memory, plan


def _options(
    memory: Memory, scene: Scene, forecast: Forecast, corridor: Corridor, start: Start
) -> tuple[list[Corridor], list[Start]]:
    """Our corridor, and the lane change that the route wants here, if it wants one."""
    options, _, _ = alternatives(memory, scene, forecast, corridor, start)
    corridors = [one.corridor for one in options]
    starts = [one.start for one in options]
    lane, lane_s = lane_at(corridor, start.s_m)
    road_map = memory.context.mission.road_map
    side = side_at(road_map, route_for(memory), lane, lane_s)
    wanted = [c for c in range(1, len(corridors)) if _side(corridors[c]) == side != 0]
    keep = [0, *wanted[:1]]
    return [corridors[c] for c in keep], [starts[c] for c in keep]


def _side(corridor: Corridor) -> int:
    return CHANGES.get(corridor.manoeuvre, 0)


def gap_is_free(ego: FloatArray, view: View) -> bool:
    """Whether nobody is beside us in the other lane, nor comes too near from ahead or behind."""
    it, c, v = view.it, view.c, view.start.speed_mps
    front, rear = view.start.s_m + ego[E_FRONT], view.start.s_m - ego[E_REAR]
    for k in it.active[c, : it.n_active[c]]:
        if it.first[c, k] < 0 or it.k_off[c, k] < -1e8:
            continue  # it never drives along with us
        # who is beside us is not in our corridor yet: where it would be on our path counts
        middle, half = -float(it.k_off[c, k]), 0.5 * float(it.length[k])
        lo, hi, other = middle - half, middle + half, float(it.speed[k])
        if lo > 0.5 * (front + rear):
            need = GAP_M + GAP_AHEAD_S * v + CLOSING_S * max(0.0, v - other)
            if lo - front < need:
                return False
        elif rear - hi < GAP_M + GAP_BEHIND_S * other + CLOSING_S * max(0.0, other - v):
            return False
    return True


def stops_for_others(ego: FloatArray, view: View, scene: Scene, forecast: Forecast) -> list[Stop]:
    """Places to wait at before each who crosses or merges at our time and need not yield to us."""
    it, c = view.it, view.c
    front, rear = view.start.s_m + ego[E_FRONT], view.start.s_m - ego[E_REAR]
    found: list[Stop] = []
    for k in it.active[c, : it.n_active[c]]:
        j, speed = int(it.first[c, k]), float(it.speed[k])
        merges = it.k_off[c, k] > -1e8
        if j < 0 or it.behind[c, k] or it.relation[c, k] > 0 or speed < MOVES_MPS:
            continue
        if it.stop[k] < j or (merges and (j == 0 or it.relation[c, k] == 0)):
            continue  # held by a red light; ahead of us in our lane; only perhaps coming over
        last = j if merges else int(it.last[c, k])
        blocked = it.lo[c, k, j : last + 1]
        edge = float(blocked.min())
        beyond = float(it.hi[c, k, j : last + 1].max())
        if edge < front:
            continue  # we are on that spot: the sooner away the better
        comes, goes = j / speed - APART_S, (last + 1) / speed + APART_S
        arrive = _soonest(edge - front, view.start.speed_mps, ego[E_ACCEL])
        leave = _soonest(beyond - rear, view.start.speed_mps, ego[E_ACCEL])
        if comes < leave and arrive < goes:
            found.append(_place(view, edge, front, scene, int(forecast.track[k])))
    return found


def _soonest(way_m: float, speed_mps: float, accel_mps2: float) -> float:
    """Seconds to cover a way under steady acceleration."""
    root = math.sqrt(speed_mps * speed_mps + 2.0 * accel_mps2 * max(0.0, way_m))
    return (root - speed_mps) / accel_mps2


def _place(view: View, edge: float, front: float, scene: Scene, track: int) -> Stop:
    """The last line of the rules before `edge` that is still ahead, else right before it."""
    uid, kind = int(scene.tracks.uid[track]), int(scene.tracks.kind[track])
    lines = [s for s in view.rules.optional if front - 0.3 <= s.at_m <= edge]
    if lines:
        return replace(max(lines, key=lambda one: one.at_m), uid=uid)
    reason = {UserKind.PEDESTRIAN: Reason.PEDESTRIAN, UserKind.BICYCLE: Reason.CYCLIST}
    return Stop(edge - ZONE_MARGIN_M, reason.get(UserKind(kind), Reason.YIELD), uid)


def plan_on(ego: FloatArray, view: View, policy: Policy, scene: Scene, forecast: Forecast) -> Plan:
    """A policy's motion as a Plan: with the softest stop that touches nobody as its fall-back, and
    its reason."""
    s_m = view.start.s_m
    trajectory = motion(ego, view.corridor, policy, view.it, view.start, s_m)
    soft = soft_stop_mps2(view.start.speed_mps, view.start.accel_mps2)
    fallback = trajectory
    contact = 0.0
    for scale, mode in ((soft, COMFORT_STOP), (1.0, EMERGENCY_STOP)):
        row = Policy(view.c, scale, None, -1, mode, False)
        fallback = motion(ego, view.corridor, row, view.it, view.start, s_m)
        contact = first_contact_s(ego, view, fallback)
        if math.isinf(contact):
            break
    why = np.full((1, R_LEN), -1.0)
    why[0, R_CAUSE] = leader(ego, view)
    reason, uid = explain(scene, forecast, view.corridor, policy, view.it, why, trajectory, s_m)
    t_ns = scene.t_ns + PLAN_STEP_NS
    return Plan(
        made_ns=scene.t_ns,
        t_ns=t_ns,
        trajectory=trajectory,
        fallback=fallback,
        valid_until_ns=t_ns + 2 * PLAN_STEP_NS,
        manoeuvre=view.corridor.manoeuvre,
        reason=reason,
        reason_uid=uid,
        indicator=indicate(view.corridor, s_m, trajectory),
        margins=(("fallback_contact_s", contact),),
    )


def leader(ego: FloatArray, view: View) -> int:
    """Path of the nearest who drives or stands ahead in our corridor, -1 if it is free."""
    it, c = view.it, view.c
    if it.n_active[c] == 0:
        return -1
    rows = it.active[c, : it.n_active[c]]
    lo = np.where(it.first[c, rows] == 0, it.lo[c, rows, 0], FREE)
    follows = (it.cosr[c, rows, 0] > 0.5) | (it.speed[rows] < MOVES_MPS)
    lo = np.where(follows & (lo > view.start.s_m), lo, FREE)
    nearest = int(np.argmin(lo))
    return int(rows[nearest]) if lo[nearest] < FREE else -1


def first_contact_s(ego: FloatArray, view: View, motion: Trajectory) -> float:
    """When that motion first touches somebody who keeps path and speed; inf if nobody."""
    it, c = view.it, view.c
    time = np.arange(len(motion.s_m)) * STEP_S
    front = view.start.s_m + motion.s_m + ego[E_FRONT]
    rear = view.start.s_m + motion.s_m - ego[E_REAR]
    first = math.inf
    for k in it.active[c, : it.n_active[c]]:
        if it.first[c, k] < 0 or it.behind[c, k]:
            continue
        at = (it.speed[k] * time + 0.5).astype(np.int64)
        within = at < it.samples[k]
        at = np.minimum(at, it.samples[k] - 1)
        touches = within & (it.lo[c, k, at] < front) & (it.hi[c, k, at] > rear)
        touches &= motion.speed_mps > 0.1
        if touches.any():
            first = min(first, float(time[int(np.argmax(touches))]))
    return first
