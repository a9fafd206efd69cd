"""Which corridor we are on, and the state on it from which the new plan goes on.

A corridor stays as it was built for as long as the car is on it. Where the car is off it, a new one
begins at the car's own pose and leads back to the lanes that we meant to take.
"""

import math
from dataclasses import replace

from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import (
    SHOULDER,
    Corridor,
    build_corridor,
    centre_line,
    corridor_beside,
)
from marque.stack.planning.passage import wide_enough
from marque.stack.planning.sideways import (
    FIRM_MPS2,
    GENTLE_MPS2,
    Beside,
    Leg,
    Pose,
    beside,
    leg_length,
    on_path,
    pose_at,
)
from marque.stack.planning.state import (
    Memory,
    Option,
    Start,
    ahead_m,
    lane_at,
    lanes_before,
    route_for,
    sample_at,
)
from marque.types.plan import STEPS
from marque.types.road_map import NONE
from marque.types.scene import EgoBelief, Scene

NEAR_M = 2.5  # still on the corridor, if beside its line
LOST_SIDE_M = 0.6  # off the planned line by more than this: plan from where the car is
LOST_ALONG_M = 0.6
LOST_MPS = 0.8
SPARE_M = 40.0  # of road, as a corridor beside the line does not grow before it is settled
# a way back that begins so far from the car, or turned so far, winds too much behind it
ASTRAY_M, ASTRAY_RAD = 0.5, 0.25
# manoeuvres that may come to stand at the end of a lane before they are settled on it
UNSETTLED = ("change_left", "change_right", "return")
STRAIGHT_M, STRAIGHT_SLOPE = 0.15, 0.05  # nearer to the line than this, we are on it


def locate(memory: Memory, scene: Scene) -> tuple[Memory, Corridor, Start]:
    """The corridor under the car and the state on it when the new plan takes effect."""
    if memory.corridor is None or memory.plan is None:
        return _fresh(memory, scene)
    corridor, plan, ego = memory.corridor, memory.plan, scene.ego
    step = round((scene.t_ns - plan.t_ns) / PLAN_STEP_NS)
    if not 0 <= step < STEPS - 1:
        return _fresh(memory, scene)
    now_s = memory.plan_s_m + float(plan.trajectory.s_m[step])
    s_m, d_m = on_path(corridor.path, ego.x_m, ego.y_m, now_s)
    if abs(d_m) > LOST_SIDE_M:
        return _fresh(memory, scene)
    lost = (
        abs(s_m - now_s) > LOST_ALONG_M
        or abs(ego.speed_mps - float(plan.trajectory.speed_mps[step])) > LOST_MPS
    )
    if lost:
        v = ego.speed_mps
        start = Start(s_m + v * PLAN_STEP_S, v, min(0.0, ego.accel_mps2))
    else:
        start = Start(
            memory.plan_s_m + float(plan.trajectory.s_m[step + 1]),
            float(plan.trajectory.speed_mps[step + 1]),
            float(plan.trajectory.accel_mps2[step + 1]),
        )
    if corridor.manoeuvre not in ("keep", SHOULDER) and start.s_m > corridor.settled_m:
        if corridor.manoeuvre.startswith("change"):
            memory = replace(memory, changed_ns=scene.t_ns)
        corridor = replace(corridor, manoeuvre="keep")
    return _extended(memory, corridor, start)


def seen_pose(memory: Memory, ego: EgoBelief) -> Pose:
    """Where the car will be when the plan takes effect, as far as it knows itself."""
    way = ego.speed_mps * PLAN_STEP_S
    wheelbase = memory.context.mission.platform.wheelbase_m
    curvature = math.tan(ego.steer_rad) / wheelbase
    angle = ego.heading_rad + 0.5 * way * curvature
    return Pose(
        ego.x_m + way * math.cos(angle),
        ego.y_m + way * math.sin(angle),
        ego.heading_rad + way * curvature,
        curvature,
    )


def _fresh(memory: Memory, scene: Scene) -> tuple[Memory, Corridor, Start]:
    """A corridor from where the car believes to be, easing back to the centre line.

    The lanes we meant to take win over the nearest ones: inside a junction many lie close by.
    """
    ego = scene.ego
    road_map = memory.context.mission.road_map
    lane, lane_s, before = _where(memory, scene)
    if not memory.looked:
        memory = wide_enough(memory, lane, lane_s)
    v = ego.speed_mps
    option = settle_on(
        memory,
        lane,
        lane_s,
        seen_pose(memory, ego),
        Start(0.0, v, min(0.0, ego.accel_mps2)),
        min(float(road_map.lane_limit_mps[lane]), memory.context.style.top_mps),
        before,
    )
    return memory, option.corridor, option.start


def settle_on(
    memory: Memory,
    lane: int,
    lane_s: float,
    pose: Pose,
    start: Start,
    limit_mps: float,
    before: tuple[int, ...] | None = None,
    manoeuvre: str = "return",
) -> Option:
    """From a pose to the centre line of the way on from (lane, s), as gently as there is time."""
    straight = lanes_before(memory.context.mission.road_map, lane)
    head = straight if before is None else before
    option = _settled(memory, lane, lane_s, pose, start, limit_mps, head, manoeuvre)
    if head != straight and _astray(pose_at(option.corridor.path, option.start.s_m), pose):
        option = _settled(memory, lane, lane_s, pose, start, limit_mps, straight, manoeuvre)
    return option


def _astray(found: Pose, pose: Pose) -> bool:
    """Whether a corridor begins elsewhere than at the car."""
    turn = math.remainder(found.heading_rad - pose.heading_rad, 2.0 * math.pi)
    apart = math.hypot(found.x_m - pose.x_m, found.y_m - pose.y_m)
    return apart > ASTRAY_M or abs(turn) > ASTRAY_RAD


def _settled(
    memory: Memory,
    lane: int,
    lane_s: float,
    pose: Pose,
    start: Start,
    limit_mps: float,
    head: tuple[int, ...],
    manoeuvre: str,
) -> Option:
    context = memory.context
    road_map, route = context.mission.road_map, route_for(memory)
    line = centre_line(
        road_map, route, context.ego, context.area, head, lane, lane_s,
        ahead_m(limit_mps) + SPARE_M, memory.rescue,
    )  # fmt: skip
    state = beside(line.path, pose, line.here_m)
    if abs(state.d_m) < STRAIGHT_M and abs(state.slope) < STRAIGHT_SLOPE:
        manoeuvre, legs = "keep", (_straight(state),)
    else:
        legs = (Leg(0.0, easing_m(state, start.speed_mps), 0.0),)
    corridor, here = corridor_beside(
        road_map, route, context.style, context.ego, line, state, legs, manoeuvre, pose
    )
    corridor = replace(corridor, rescue=memory.rescue)
    return Option(corridor, Start(here, start.speed_mps, start.accel_mps2))


def easing_m(state: Beside, speed_mps: float) -> float:
    """Length of a way back to the line: three seconds if they suffice, at most what is gentle."""
    begin = (state.d_m, state.slope, state.bend_1pm)
    firm = leg_length(begin, 0.0, speed_mps, FIRM_MPS2)
    gentle = leg_length(begin, 0.0, speed_mps, GENTLE_MPS2)
    return max(firm, min(gentle, max(8.0, 3.0 * speed_mps)))


def _straight(state: Beside) -> Leg:
    return Leg(0.0, max(8.0, easing_m(state, 8.0)), 0.0)


def _where(memory: Memory, scene: Scene) -> tuple[int, float, tuple[int, ...] | None]:
    """(lane, s, lanes before) to plan from: on our corridor while it is near, else the map's."""
    ego = scene.ego
    corridor = memory.corridor
    if corridor is not None and memory.plan is not None:
        path = corridor.path
        s_m, d_m = on_path(path, ego.x_m, ego.y_m, memory.plan_s_m, 12.0)
        turn = math.remainder(
            ego.heading_rad - float(path.heading_rad[sample_at(corridor, s_m)]), 2.0 * math.pi
        )
        if abs(d_m) < NEAR_M and abs(turn) < 0.8:
            lane, lane_s = lane_at(corridor, s_m)
            at = path.lanes.index(lane)
            return lane, lane_s, path.lanes[max(0, at - 3) : at] or None
    if ego.lane == NONE:
        raise MarqueError("our car is on no lane that it may drive on")
    return ego.lane, ego.s_m, None


def _extended(memory: Memory, corridor: Corridor, start: Start) -> tuple[Memory, Corridor, Start]:
    """The same corridor, grown when the road ahead runs out or its end is no longer the end."""
    i = sample_at(corridor, start.s_m)
    wide = ahead_m(float(corridor.limit_mps[i]))
    short = corridor.end_kind == "horizon" and corridor.path.length_m - start.s_m < 0.75 * wide
    given_up = corridor.end_kind == "lane_change" and corridor.path.lanes[-1] in memory.detour
    stale = bool(memory.closed) and not _leads_on(memory, corridor, start)
    moves = corridor.manoeuvre == "keep" and corridor.rescue != memory.rescue
    if moves or (given_up and corridor.manoeuvre in UNSETTLED):
        limit = float(corridor.limit_mps[i])
        pose = pose_at(corridor.path, start.s_m)
        option = settle_on(memory, *lane_at(corridor, start.s_m), pose, start, limit)
        return memory, option.corridor, option.start
    if corridor.manoeuvre != "keep" or not (short or given_up or stale):
        return memory, corridor, start
    lane, lane_s = lane_at(corridor, start.s_m)
    position = corridor.path.lanes.index(lane)
    context = memory.context
    grown = build_corridor(
        context.mission.road_map,
        route_for(memory),
        context.style,
        context.ego,
        context.area,
        corridor.path.lanes[max(0, position - 3) : position],
        lane,
        lane_s,
        wide,
        memory.rescue,
    )
    here = corridor.path.xy_m[i]
    back = grown.path.place_m(grown.path.lanes.index(lane), lane_s)
    s_m, _ = on_path(grown.path, float(here[0]), float(here[1]), back)
    return memory, grown, Start(s_m + start.s_m - i * STEP_M, start.speed_mps, start.accel_mps2)


def _leads_on(memory: Memory, corridor: Corridor, start: Start) -> bool:
    """Whether no closed lane lies ahead on the corridor."""
    at = corridor.path.lanes.index(lane_at(corridor, start.s_m)[0])
    return not memory.closed & frozenset(corridor.path.lanes[at + 1 :])
