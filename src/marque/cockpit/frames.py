"""One frame of the page for each tick: `frame(stage, memory, tick, events) -> (memory, frame)`.

A frame is plain values for JSON: everything that the page shows of one instant and nothing else.
Places are metres relative to the stage's origin. It is built from the tick alone, so a drive and
its log show the same.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marque.cockpit.energy import wheel_power_w
from marque.cockpit.ways import ahead_on_lane
from marque.cockpit.why import NO_REASON, Why, why_of
from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.geometry import project
from marque.core.time import NS_PER_S, PLAN_STEP_S, seconds
from marque.maps.field import Route, cost_at, plan_route
from marque.maps.lookup import LaneIndex
from marque.types.codes import Reason
from marque.types.episode import Episode, Event, Tick
from marque.types.plan import Plan
from marque.types.road_map import NONE
from marque.types.takeover import DRIVES, Mode, Order
from marque.types.verdict import Action
from marque.types.world import RoadUsers, World

SCHEMA = "marque.cockpit.frame/1"
NEAR_M = 120.0  # others and signals farther from us are not shown
MOST_USERS = 80  # the nearest
GUARD_SHOWN_NS = 3 * NS_PER_S  # an intervention stays on the page for so long
ON_LANE_M = 5.0
STANDS_MPS = 0.1
PACE = (1.0, 4.0)  # how much slower than at the limits a trip may be taken to be


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What frames are relative to; made once for a drive."""

    episode: Episode  # its header alone is read
    index: LaneIndex
    origin: FloatArray  # [2]
    route: Route | None  # None: no goal
    cost_s: float  # of the whole way at the limits


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the page has been told so far."""

    way_m: float = 0.0
    energy_j: float = 0.0
    order: Order = DRIVES
    order_ns: int = 0
    supervised: bool = False
    why: Why = NO_REASON
    guard: tuple[int, str, str, float, bool] | None = None  # t_ns, action, rule, margin, warning
    interventions: int = 0
    senses: str = ""
    worst: tuple[float, float, float] = (0.0, 0.0, 0.0)  # braking, sideways, jerk, so far
    stops: int = 0
    stood: bool = True


def begin_stage(episode: Episode, origin: FloatArray) -> Stage:
    """Before the first frame."""
    road_map = episode.road_map
    route: Route | None = None
    cost = 0.0
    index = LaneIndex(road_map)
    if episode.goal_lane != NONE:
        try:
            route = plan_route(road_map, episode.goal_lane, episode.goal_s_m)
            start = index.nearest(*episode.start_xy_m, max_m=ON_LANE_M)
            cost = cost_at(road_map, route, start[0], start[1]) if start else 0.0
        except MarqueError:  # a goal that cars cannot reach: no arrival is shown
            route = None
    return Stage(episode, index, origin, route, cost if math.isfinite(cost) else 0.0)


def frame(
    stage: Stage, shown: Shown, tick: Tick, events: list[Event]
) -> tuple[Shown, dict[str, Any]]:
    """The next frame. `events`: those that are new."""
    ego = tick.world.ego
    place = stage.index.nearest(ego.x_m, ego.y_m, ego.heading_rad, max_m=ON_LANE_M)
    shown = _carried_on(stage, shown, tick, events)
    return shown, {
        "t": round(seconds(tick.world.t_ns), 2),
        "ego": _ego(stage, tick),
        "speed": _speed(stage, tick, place),
        "mode": _mode(shown, tick.world.t_ns),
        "why": _why(stage, shown, tick),
        "plan": _plan(stage, tick.plan),
        "users": _users(stage, tick.world),
        "heads": _heads(stage, tick.world),
        "guard": _guard(shown, tick.world.t_ns),
        "trip": _trip(stage, shown, tick.world, place),
        "senses": shown.senses,
        "events": [_event(stage, each) for each in events],
    }


def _carried_on(stage: Stage, shown: Shown, tick: Tick, events: list[Event]) -> Shown:
    """What this tick adds to what is remembered."""
    ego, t_ns = tick.world.ego, tick.world.t_ns
    power = wheel_power_w(stage.episode.platform, ego.speed_mps, ego.accel_mps2)
    stands = abs(ego.speed_mps) < STANDS_MPS
    worst = (
        max(shown.worst[0], -ego.accel_mps2),
        max(shown.worst[1], abs(ego.lat_accel_mps2)),
        max(shown.worst[2], abs(tick.ego_jerk_mps3)),
    )
    shown = replace(
        shown,
        way_m=shown.way_m + PLAN_STEP_S * abs(ego.speed_mps),
        energy_j=shown.energy_j + PLAN_STEP_S * power,
        why=why_of(shown.why, tick),
        worst=worst,
        stops=shown.stops + (stands and not shown.stood),
        stood=stands or (shown.stood and abs(ego.speed_mps) < 1.0),
    )
    for at_ns, order in tick.orders:
        shown = replace(shown, order=order, order_ns=at_ns, supervised=True)
    for event in events:
        if event.kind == "senses":
            shown = replace(shown, senses=event.text)
    if tick.verdicts:
        verdict = max(tick.verdicts, key=lambda each: each.action)
        if verdict.action != Action.PASS:
            guard = (t_ns, verdict.action.name, verdict.rule, verdict.margin, verdict.warning)
            before = shown.guard
            new = before is None or before[2] != verdict.rule or t_ns - before[0] > GUARD_SHOWN_NS
            shown = replace(shown, guard=guard, interventions=shown.interventions + new)
    return shown


def _ego(stage: Stage, tick: Tick) -> dict[str, Any]:
    ego = tick.world.ego
    return {
        "x": _east(stage, ego.x_m),
        "y": _north(stage, ego.y_m),
        "h": round(ego.heading_rad, 4),
        "steer": round(ego.steer_rad, 4),
        "accel": round(ego.accel_mps2, 3),
        "lat": round(ego.lat_accel_mps2, 3),
        "yaw": round(ego.yaw_rate_radps, 4),
        "jerk": round(tick.ego_jerk_mps3, 3),
        "indicator": int(tick.command.indicator),
    }


def _speed(stage: Stage, tick: Tick, place: tuple[int, float, float] | None) -> dict[str, Any]:
    ego, car = tick.world.ego, stage.episode.platform
    limit = None
    if place is not None:
        limit = round(float(stage.episode.road_map.lane_limit_mps[place[0]]), 2)
    power = wheel_power_w(car, ego.speed_mps, ego.accel_mps2)
    return {
        "mps": round(ego.speed_mps, 3),
        "limit_mps": limit,
        "power_kw": round(power / 1000.0, 1),
    }


def _mode(shown: Shown, t_ns: int) -> dict[str, Any]:
    order = shown.order
    left = order.countdown_s - seconds(t_ns - shown.order_ns)
    return {
        "name": order.mode.name,
        "supervised": shown.supervised,
        "cause": order.cause.name,
        "detail": order.detail,
        "drives": order.drives,
        "visual": order.visual,
        "acoustic": order.acoustic,
        "haptic": order.haptic,
        "hazard": order.hazard,
        "may_activate": order.may_activate,
        "countdown_s": round(max(0.0, left), 1) if math.isfinite(left) else None,
        "asks": _asks(order),
    }


def _asks(order: Order) -> str:
    """What the person is asked for, "" for nothing. A lamp alone asks for the hands."""
    if order.mode in (Mode.DEMAND, Mode.MANOEUVRE):
        return "takeover"
    if order.mode == Mode.ACTIVE and order.visual:
        return "eyes" if order.acoustic else "hands"
    return ""


def _why(stage: Stage, shown: Shown, tick: Tick) -> dict[str, Any]:
    why, world = shown.why, tick.world
    told: dict[str, Any] = {"code": why.code, "since_s": round(seconds(world.t_ns - why.t_ns), 1)}
    if why.uid >= 0:
        row = np.flatnonzero(world.users.uid == why.uid)
        if len(row):
            users, i = world.users, int(row[0])
            gap = _gap_m(stage, world, i)
            told |= {
                "uid": int(why.uid),
                "kind": int(users.kind[i]),
                "gap_m": round(gap, 1),
                "speed_mps": round(float(users.speed_mps[i]), 2),
            }
            if tick.reason == Reason.LEAD and world.ego.speed_mps > 3.0:
                told["headway_s"] = round(gap / world.ego.speed_mps, 2)
    if why.rule:
        told["rule"] = why.rule
    stop = _stop_place(stage, tick.plan)
    if stop is not None and why.holds:
        told["stop"] = stop
    return told


def _gap_m(stage: Stage, world: World, i: int) -> float:
    """Between the bodies, along the line that joins their middles."""
    car, ego, users = stage.episode.platform, world.ego, world.users
    x = ego.x_m + car.centre_m * math.cos(ego.heading_rad)
    y = ego.y_m + car.centre_m * math.sin(ego.heading_rad)
    apart = math.hypot(float(users.x_m[i]) - x, float(users.y_m[i]) - y)
    return max(0.0, apart - 0.5 * car.length_m - 0.5 * float(users.length_m[i]))


def _stop_place(stage: Stage, plan: Plan | None) -> list[float] | None:
    """[x, y, heading, distance] of our front bumper where the plan comes to rest."""
    if plan is None or float(plan.trajectory.speed_mps[-1]) > 0.3:
        return None
    path, front = plan.trajectory, stage.episode.platform.front_m
    heading = float(path.heading_rad[-1])
    x = float(path.x_m[-1]) + front * math.cos(heading)
    y = float(path.y_m[-1]) + front * math.sin(heading)
    way = float(path.s_m[-1] - path.s_m[0])
    return [_east(stage, x), _north(stage, y), round(heading, 3), round(way, 1)]


def _plan(stage: Stage, plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    path, back = plan.trajectory, plan.fallback
    end = float(back.heading_rad[-1])
    return {
        "line": _path(stage, path.x_m[::2], path.y_m[::2]),
        "v": np.round(path.speed_mps[::4], 1).tolist(),
        "fallback": _path(stage, back.x_m[::4], back.y_m[::4]),
        "fallback_end": [_east(stage, back.x_m[-1]), _north(stage, back.y_m[-1]), round(end, 3)],
        "manoeuvre": plan.manoeuvre,
        "indicator": int(plan.indicator),
        "margins": {name: round(v, 2) for name, v in plan.margins if math.isfinite(v)},
    }


def _path(stage: Stage, x_m: FloatArray, y_m: FloatArray) -> list[float]:
    xy = np.column_stack((x_m, y_m)) - stage.origin
    flat: list[float] = np.round(xy, 2).ravel().tolist()
    return flat


def _users(stage: Stage, world: World) -> list[list[Any]]:
    """[uid, kind, x, y, heading, speed, accel, length, width, indicator, ahead...]: the nearest;
    `ahead` are x, y of places where it will be if it keeps its speed and lane."""
    users, ego = world.users, world.ego
    apart = np.hypot(users.x_m - ego.x_m, users.y_m - ego.y_m)
    near = np.flatnonzero(apart <= NEAR_M)
    near = near[np.argsort(apart[near], kind="stable")][:MOST_USERS]
    return [_user(stage, users, int(i)) for i in near]


def _user(stage: Stage, users: RoadUsers, i: int) -> list[Any]:
    ahead = ahead_on_lane(stage.episode.road_map, users, i)
    return [
        int(users.uid[i]),
        int(users.kind[i]),
        _east(stage, users.x_m[i]),
        _north(stage, users.y_m[i]),
        round(float(users.heading_rad[i]), 3),
        round(float(users.speed_mps[i]), 2),
        round(float(users.accel_mps2[i]), 2),
        round(float(users.length_m[i]), 2),
        round(float(users.width_m[i]), 2),
        int(users.indicator[i]),
        *(_path(stage, ahead[:, 0], ahead[:, 1]) if len(ahead) else ()),
    ]


def _heads(stage: Stage, world: World) -> list[int]:
    """index, state, index, state, ... of signal heads nearby."""
    xy = np.asarray(stage.episode.road_map.head_xy_m, dtype=np.float64).reshape(-1, 2)
    if not len(xy):
        return []
    near = np.flatnonzero(np.hypot(*(xy - [world.ego.x_m, world.ego.y_m]).T) <= NEAR_M)
    pairs: list[int] = np.column_stack((near, world.heads[near])).astype(np.int64).ravel().tolist()
    return pairs


def _guard(shown: Shown, t_ns: int) -> dict[str, Any] | None:
    if shown.guard is None or t_ns - shown.guard[0] > GUARD_SHOWN_NS:
        return None
    at_ns, action, rule, margin, warning = shown.guard
    return {
        "now": at_ns == t_ns,
        "action": action,
        "rule": rule,
        "margin": round(margin, 2) if math.isfinite(margin) else None,
        "warning": warning,
    }


def _trip(
    stage: Stage, shown: Shown, world: World, place: tuple[int, float, float] | None
) -> dict[str, Any]:
    left_s = math.inf
    if stage.route is not None and place is not None:
        left_s = cost_at(stage.episode.road_map, stage.route, place[0], place[1])
    t_s = seconds(world.t_ns)
    arrives = None
    if math.isfinite(left_s):
        done = max(stage.cost_s - left_s, 1.0)
        pace = min(max(t_s / done, PACE[0]), PACE[1]) if done > 20.0 else 1.3
        arrives = round(pace * left_s, 0)
    braking, sideways, jerk = shown.worst
    return {
        "way_m": round(shown.way_m, 1),
        "left_m": _left_m(stage, world),
        "left_s": arrives,
        "energy_kwh": round(shown.energy_j / 3.6e6, 3),
        "stops": shown.stops,
        "interventions": shown.interventions,
        "braking_mps2": round(braking, 2),
        "sideways_mps2": round(sideways, 2),
        "jerk_mps3": round(jerk, 2),
    }


def _left_m(stage: Stage, world: World) -> float | None:
    """Along the planned way, from the place on it that is nearest."""
    line = np.asarray(stage.episode.route_xy_m, dtype=np.float64).reshape(-1, 2)
    if len(line) < 2:
        return None
    arc = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
    s_m, _, _ = project(line, arc, world.ego.x_m, world.ego.y_m, 0, len(line) - 1)
    return round(float(arc[-1] - s_m), 1)


def _event(stage: Stage, event: Event) -> dict[str, Any]:
    return {
        "t": round(seconds(event.t_ns), 2),
        "kind": event.kind,
        "text": event.text,
        "x": _east(stage, event.x_m),
        "y": _north(stage, event.y_m),
    }


def _east(stage: Stage, x_m: float) -> float:
    return round(float(x_m) - float(stage.origin[0]), 2)


def _north(stage: Stage, y_m: float) -> float:
    return round(float(y_m) - float(stage.origin[1]), 2)
