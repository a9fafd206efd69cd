"""The driver named `marks`: keeps the lane that its painted marks show, and follows who is in it.

For motorways without a map. It changes no lanes and knows no goal. Its path is the middle of the
own lane as believed now; ahead of it are the speed that holds there, the leader, and one stop:
where the lane ends, or where the car comes to rest because its senses, or its lane, are not to be
relied on. Car following, stops and fall-back are those of the driver `lane`.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.core.units import KPH
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_HALF_WIDTH, E_REAR, E_STEER
from marque.kernels.strip import Strip, strip, strip_of
from marque.kernels.tables import MapTables, map_tables
from marque.maps.path import STEP_M, Path
from marque.stack.planning.corridor import Corridor, backward_pass, swing
from marque.stack.planning.impaired import (
    FASTEST_MPS,
    SPEED_SHARE,
    coming_to_rest,
    degraded,
    halt,
    halts,
    wary,
)
from marque.stack.planning.interactions import interactions
from marque.stack.planning.lane import View, plan_on
from marque.stack.planning.propose import NORMAL, Policy
from marque.stack.planning.rules import Rules, Stop
from marque.stack.planning.sideways import on_path
from marque.stack.planning.state import NOBODY, Halt, Option, Start, ahead_m, ego_vector
from marque.stack.planning.swept import SLOWEST_MPS
from marque.types.codes import Indicator, Integrity, Reason
from marque.types.forecast import Forecast
from marque.types.market import Market
from marque.types.mission import Mission
from marque.types.own_lane import OwnLane
from marque.types.plan import STEPS, Plan
from marque.types.road_map import NONE
from marque.types.scene import EgoBelief, Scene
from marque.types.style import Style
from marque.vehicle.market import load_market

SET_SPEED_MPS = 100.0 * KPH  # until a sign is seen
BACK_M = 150.0  # of path behind us: who follows on it is known to follow
SEES_S = 1.5  # the lane ahead is known for at least so long, or we drive slower
END_MPS2, END_ROOM_M = 5.0, 2.0  # where the lane ends, harder braking would be the worse
LOST_ALONG_M, LOST_MPS = 0.6, 0.8  # off the plan by more: plan from where the car is


@dataclass(frozen=True, slots=True, eq=False)
class MarksMemory:
    """What the driver remembers."""

    ego: FloatArray  # parameter vector of `kernels.rollout`
    style: Style
    tables: MapTables  # of nothing
    set_mps: float | None  # what the person has set, None: nothing
    market: Market
    plan: Plan | None = None
    halt: Halt | None = None


class Marks:
    """The driver named `marks`."""

    drives_without_map = True

    def __init__(self, style: Style | None = None) -> None:
        self.style = style if style is not None else Style()

    def start(self, mission: Mission) -> MarksMemory:
        """MarqueError when there is a map: then a driver that reads it is the better one."""
        if mission.road_map.lane_count:
            raise MarqueError("driver 'marks' drives without a map; give --no-map as well")
        return MarksMemory(
            ego_vector(mission, mission.style or self.style),
            mission.style or self.style,
            map_tables(mission.road_map),
            mission.set_speed_mps,
            mission.market or load_market(),
        )

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[MarksMemory, Plan]:
        """One tick: the lane as it is seen now, who is in it, one motion."""
        ego = _braking(wary(scene, memory.ego), scene, memory.market.manoeuvre_brake_mps2)
        path = _path(scene, _speed_mps(memory, scene.own_lane))
        start = _start(memory, scene, path)
        corridor = _corridor(memory, scene, path, start, ego)
        rules = Rules(binding=_lane_end(scene.own_lane, corridor, start, ego))
        rest = coming_to_rest(scene, ego, start, memory.halt)
        halt(scene, rest, ego, [Option(corridor, start)], [rules])
        it = interactions(
            memory.tables, [corridor], [start.s_m], ego[E_FRONT], ego[E_REAR], ego[E_HALF_WIDTH],
            scene.tracks, forecast, start.speed_mps, [rules.quiet], [rules.crossed], NOBODY,
        )  # fmt: skip
        stop = min(rules.binding, key=lambda one: one.at_m, default=None)
        view = View(corridor, 0, start, rules, it)
        plan = plan_on(ego, view, Policy(0, 1.0, stop, -1, NORMAL, True), scene, forecast)
        plan = replace(plan, indicator=Indicator.HAZARD if halts(scene) else Indicator.OFF)
        if plan.reason == Reason.CURVE and _short_of_sight(scene):
            plan = replace(plan, reason=Reason.SENSES)
        return replace(memory, plan=plan, halt=rest), plan


# The way ----------------------------------------------------------------------------------------


def _path(scene: Scene, speed_mps: float) -> Path:
    """The middle of the lane from well behind us on, map frame; straight on where none has been
    found yet."""
    span = (-BACK_M, ahead_m(max(speed_mps, scene.ego.speed_mps)))
    lane, ego = scene.own_lane, scene.ego
    line = strip(0.0, 0.0, 0.0, 0.0, span, STEP_M) if lane is None else strip_of(lane, span, STEP_M)
    return _on_map(line, ego)


def _on_map(line: Strip, ego: EgoBelief) -> Path:
    n = len(line.s_m)
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    xy = np.column_stack(
        (ego.x_m + c * line.x_m - s * line.y_m, ego.y_m + s * line.x_m + c * line.y_m)
    )
    return Path(
        lanes=(NONE,),
        xy_m=xy,
        heading_rad=line.heading_rad + ego.heading_rad,
        curvature_1pm=line.curvature_1pm,
        lane=np.full(n, NONE, np.int32),
        lane_s_m=line.s_m - line.s_m[0],
        start_m=np.zeros(1),
    )


def _start(memory: MarksMemory, scene: Scene, path: Path) -> Start:
    """The state on the path when the new plan takes effect: as was planned, while we are there."""
    ego, plan = scene.ego, memory.plan
    here, _ = on_path(path, ego.x_m, ego.y_m, BACK_M, 12.0)
    v = ego.speed_mps
    fresh = Start(here + v * PLAN_STEP_S, v, min(0.0, ego.accel_mps2))
    if plan is None:
        return fresh
    step = round((scene.t_ns - plan.t_ns) / PLAN_STEP_NS)
    if not 0 <= step < STEPS - 1:
        return fresh
    was = plan.trajectory
    now, _ = on_path(path, float(was.x_m[step]), float(was.y_m[step]), here, 12.0)
    if abs(now - here) > LOST_ALONG_M or abs(v - float(was.speed_mps[step])) > LOST_MPS:
        return fresh
    gone = float(was.s_m[step + 1] - was.s_m[step])
    return Start(now + gone, float(was.speed_mps[step + 1]), float(was.accel_mps2[step + 1]))


# How fast ---------------------------------------------------------------------------------------


def _speed_mps(memory: MarksMemory, lane: OwnLane | None) -> float:
    """What holds here: the last sign, never above what the person has set; without a sign, what is
    set, or 100 km/h."""
    top = memory.style.top_mps
    if lane is not None and math.isfinite(lane.limit_mps):
        top = min(top, lane.limit_mps * memory.style.limit_share)
        return top if memory.set_mps is None else min(top, memory.set_mps)
    return min(top, SET_SPEED_MPS if memory.set_mps is None else memory.set_mps)


def _limits(memory: MarksMemory, scene: Scene, path: Path) -> FloatArray:
    """[n] what signs and person allow along the path."""
    lane = scene.own_lane
    out = np.full(len(path.xy_m), _speed_mps(memory, lane))
    if lane is None:
        out[:] = min(out[0], max(scene.ego.speed_mps, SLOWEST_MPS))  # no faster until it is found
        return out
    for one in sorted(lane.signs, key=lambda each: each.s_m):
        from_here = replace(lane, limit_mps=one.limit_mps)
        out[int((BACK_M + one.s_m) / STEP_M) :] = _speed_mps(memory, from_here)
    return out


def _corridor(
    memory: MarksMemory, scene: Scene, path: Path, start: Start, ego: FloatArray
) -> Corridor:
    """The path with its speeds. For bends we brake as they need; for signs, sight and impaired
    senses no harder than is comfortable."""
    style = memory.style
    limit = _limits(memory, scene, path)
    soft: FloatArray = np.minimum(limit, _sight_mps(scene))
    if degraded(scene):
        soft = np.minimum(SPEED_SHARE * soft, FASTEST_MPS)
    curve = np.sqrt(style.lateral_mps2 / np.maximum(np.abs(path.curvature_1pm), 1e-5))
    bend = np.abs(np.gradient(path.curvature_1pm, STEP_M))
    hard = np.minimum(curve, ego[E_STEER] / np.maximum(bend, 1e-5))
    cap = np.maximum(SLOWEST_MPS, np.minimum(soft, hard))
    v_ref, gently = np.empty_like(cap), np.empty_like(cap)
    backward_pass(np.maximum(SLOWEST_MPS, hard), STEP_M, style.brake_mps2, style.jerk_mps3, v_ref)
    soft = np.maximum(SLOWEST_MPS, soft)
    backward_pass(soft, STEP_M, style.brake_mps2, style.jerk_mps3, gently)
    on = np.maximum(0.0, STEP_M * np.arange(len(cap)) - start.s_m)
    easing = np.sqrt(np.maximum(0.0, start.speed_mps**2 - 2.0 * style.brake_mps2 * on))
    v_ref = np.minimum(v_ref, np.maximum(gently, easing))
    left, right = swing(path, float(ego[E_FRONT]))
    return Corridor(
        path=path,
        cap_mps=cap,
        limit_mps=limit,
        v_ref_mps=v_ref,
        junctions=(),
        crossings=(),
        keep_clear_m=np.empty((0, 2)),
        end_m=path.length_m,
        end_kind="horizon",
        goal_m=math.inf,
        lanes_end_m=path.length_m,
        swing_left_m=left,
        swing_right_m=right,
        manoeuvre="keep",
        settled_m=0.0,
    )


def _sight_mps(scene: Scene) -> float:
    lane = scene.own_lane
    return math.inf if lane is None else lane.ahead_m / SEES_S


def _short_of_sight(scene: Scene) -> bool:
    return degraded(scene) or _sight_mps(scene) < scene.ego.speed_mps + 1.0


# Where to stop ----------------------------------------------------------------------------------


def _braking(ego: FloatArray, scene: Scene, firm_mps2: float) -> FloatArray:
    """Our parameters; who stops on a lane that is only a guess stops sooner: as hard
    as a minimal risk manoeuvre may plan."""
    lane = scene.own_lane
    if not halts(scene) or (lane is not None and lane.integrity == Integrity.KNOWN):
        return ego
    ego = ego.copy()
    ego[E_BRAKE] = max(firm_mps2, float(ego[E_BRAKE]))
    return ego


def _lane_end(
    lane: OwnLane | None, corridor: Corridor, start: Start, ego: FloatArray
) -> list[Stop]:
    """Before the place where the lane ends, or as near to it as firm braking brings us."""
    if lane is None or not math.isfinite(lane.ends_m):
        return []
    soonest = start.s_m + float(ego[E_FRONT]) + start.speed_mps**2 / (2.0 * END_MPS2)
    at = max(BACK_M + lane.ends_m - END_ROOM_M, soonest)
    return [Stop(min(at, corridor.path.length_m), Reason.BLOCKED_LANE)]
