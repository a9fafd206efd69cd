"""From the plan in force to the next command, at 50 Hz.

Along: the planned acceleration, read ahead by what the actuator is late, plus feedback on speed
and place. Sideways: the planned curvature, read ahead by the distance that passes while the wheel
follows, plus feedback on offset and heading. Place on the path is found in space, never by time,
so a late or standing car does not swerve. The plan may be replaced between any two calls.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.core.time import BASE_STEP_S, NS_PER_S
from marque.core.units import G_MPS2
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.plan import STEP_S, Plan
from marque.types.platform import Platform
from marque.types.reading import EgoReading
from marque.types.scene import EgoBelief

SPEED_GAIN_1PS = 1.2
PLACE_GAIN_1PS2 = 0.35
PLACE_CLIP_M = 2.0  # a larger lag than this is the next plan's affair
ACCEL_MPS2 = 1.95  # of the command, just below what the guard lets through
JERK_MPS3 = 4.0  # of the command, up and down, in ordinary driving
HARD_JERK_MPS3 = 25.0  # at most, and the more, the harder the plan brakes beyond HARD_MPS2
HARD_MPS2, HARDER_1PS = -3.3, 14.0
RELEASE_JERK_MPS3 = 12.0  # hard braking is let go as soon as the plan lets it go,
RELEASE_MOST_MPS3 = 8.0  # and near rest any braking, in time not to end in a needless stop
EASE_MPS3 = 16.0  # how fast the last braking before rest is let go: some centimetres for no jolt
HOLD_MPS2 = -0.8  # keeps a standing car where it is
HOLD_BELOW_MPS, STILL_MPS = 0.08, 0.005  # rolling out, and at rest
STANDS_WITHIN_S = 1.0  # a plan stands if it moves less than STANDS_M within this time
STANDS_M = 0.02
SETTLE_MPS2 = -0.25  # at least this, once the plan stands and the car still rolls

REACH_S = 0.75  # the lateral loop's length scale is speed times this,
REACH_MIN_M = 3.5  # but no less
DAMPING = 0.9
OFFSET_CLIP_M = 1.0
FEEDBACK_LATERAL_MPS2 = 1.5  # most that feedback may add to the path's own
LATERAL_JERK_MPS3 = 4.5  # below what the guard lets through
EARLY_S = 2.0  # how far ahead the wheel looks for turns that are faster than it
EARLY_BELOW_MPS = 1.0
NEED_PATH_M = 0.3  # with less path ahead, the wheel stays where it is


@dataclass(frozen=True, slots=True, eq=False)
class ControlMemory:
    """The last command; `t_ns` is -1 before the first."""

    t_ns: int = -1
    accel_mps2: float = 0.0
    curvature_1pm: float = 0.0


def control(
    memory: ControlMemory,
    ego: EgoReading | EgoBelief,
    plan: Plan,
    platform: Platform,
    t_ns: int,
) -> tuple[ControlMemory, Command]:
    """The command at `t_ns` that tracks `plan.trajectory`; before `plan.t_ns`, its sample 0."""
    first = memory.t_ns < 0
    dt_s = BASE_STEP_S if first else min(0.1, max(0.0, (t_ns - memory.t_ns) / NS_PER_S))
    path = plan.trajectory
    p = platform
    accel, curvature = _track(
        path.x_m,
        path.y_m,
        path.heading_rad,
        path.curvature_1pm,
        path.s_m,
        path.speed_mps,
        path.accel_mps2,
        max(0.0, (t_ns - plan.t_ns) / NS_PER_S),
        dt_s,
        (ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps),
        ego.accel_mps2 if first else memory.accel_mps2,
        math.tan(ego.steer_rad) / p.wheelbase_m if first else memory.curvature_1pm,
        (p.drive.dead_s + p.drive.lag_s, p.brake.dead_s + p.brake.lag_s),
        (p.steer.dead_s + p.steer.lag_s, p.steer.rate, p.max_steer_rad),
        (p.wheelbase_m, p.understeer_rads2pm, *_tyres(p)),
        (p.max_accel_mps2, p.max_brake_mps2),
    )
    if p.max_lateral_jerk_mps3 < LATERAL_JERK_MPS3 and not first:
        room = p.max_lateral_jerk_mps3 * dt_s / max(1.0, ego.speed_mps * ego.speed_mps)
        last = memory.curvature_1pm
        curvature = min(last + room, max(last - room, curvature))
    return ControlMemory(t_ns, accel, curvature), Command(t_ns, accel, curvature, plan.indicator)


def hold(t_ns: int) -> Command:
    """The command before the first plan is in force: stay where you are."""
    return Command(t_ns, HOLD_MPS2, 0.0, Indicator.OFF)


def _tyres(platform: Platform) -> tuple[float, float]:
    """What tyres do to a path, both in rad s^2/m.

    First: angle between body and path at the rear axle, per lateral acceleration. Second: how much
    later the body turns than the wheel, per speed (1 / (C mu g), the single-track model's yaw lag).
    """
    soft = 1.0 / (platform.cornering_stiffness_1prad * platform.friction * G_MPS2)
    return soft - 0.5 * platform.understeer_rads2pm, soft


@jit
def _track(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    curvature: FloatArray,
    s: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
    at_s: float,
    dt_s: float,
    ego: tuple[float, float, float, float],
    last_accel: float,
    last_curvature: float,
    pedal_late_s: tuple[float, float],
    steer: tuple[float, float, float],
    body: tuple[float, float, float, float],
    pedal_limit: tuple[float, float],
) -> tuple[float, float]:
    """(acceleration, curvature) of the command. ego: x, y, heading, speed.

    pedal_late_s: drive, brake; steer: late_s, rate, max angle; body: wheelbase, understeer, then
    `_tyres`; pedal_limit: most acceleration and braking, both positive.
    """
    place, offset, angle = locate(x, y, heading, s, ego[0], ego[1])
    out_curvature = _steering(
        (curvature, s, speed),
        place,
        offset,
        angle,
        ego[2],
        ego[3],
        dt_s,
        last_curvature,
        steer,
        body,
    )
    out_accel = _pedals(
        s, speed, accel, at_s, dt_s, place, ego[3], last_accel, pedal_late_s, pedal_limit
    )
    return out_accel, out_curvature


@jit
def locate(
    x: FloatArray, y: FloatArray, heading: FloatArray, s: FloatArray, px: float, py: float
) -> tuple[float, float, float]:
    """(s, d, heading) of the closest point of a trajectory; its ends go on straight.

    d is left positive. Samples that lie on one another (a standing car) are one point.
    """
    last = len(s) - 1
    best = 1e300
    at = 0
    share = 0.0
    for i in range(last):
        ux = x[i + 1] - x[i]
        uy = y[i + 1] - y[i]
        length2 = ux * ux + uy * uy
        if length2 < 1e-8:
            continue
        t = min(1.0, max(0.0, ((px - x[i]) * ux + (py - y[i]) * uy) / length2))
        dx = px - x[i] - t * ux
        dy = py - y[i] - t * uy
        dist2 = dx * dx + dy * dy
        if dist2 < best:
            best = dist2
            at = i
            share = t
    angle = heading[at] + share * wrap_angle(heading[at + 1] - heading[at])
    qx = x[at] + share * (x[at + 1] - x[at])
    qy = y[at] + share * (y[at + 1] - y[at])
    along = (px - qx) * math.cos(angle) + (py - qy) * math.sin(angle)
    offset = (py - qy) * math.cos(angle) - (px - qx) * math.sin(angle)
    place = s[at] + share * (s[at + 1] - s[at])
    if (at == 0 and share == 0.0) or share == 1.0:
        place += along
    return place, offset, angle


@jit
def over_time(values: FloatArray, at_s: float) -> float:
    """A trajectory's column at a time after its start, linear between samples, ends held."""
    last = len(values) - 1
    where = min(max(0.0, at_s / STEP_S), float(last))
    i = min(int(where), last - 1)
    return float(values[i] + (where - i) * (values[i + 1] - values[i]))


@jit
def _ahead(values: FloatArray, at_s: float) -> float:
    """Speed or acceleration at a time after the start; zero beyond the end: there it stands."""
    return over_time(values, at_s) if at_s <= STEP_S * (len(values) - 1) else 0.0


@jit
def over_path(values: FloatArray, s: FloatArray, place: float) -> float:
    """A trajectory's column at a distance along it, linear between samples, ends held."""
    if place <= s[0]:
        return float(values[0])
    last = len(s) - 1
    if place >= s[last]:
        return float(values[last])
    i = int(np.searchsorted(s, place, side="right")) - 1
    share = (place - s[i]) / max(1e-9, s[i + 1] - s[i])
    return float(values[i] + share * (values[i + 1] - values[i]))


@jit
def _steering(
    plan: tuple[FloatArray, FloatArray, FloatArray],
    place: float,
    offset: float,
    angle: float,
    heading: float,
    v: float,
    dt_s: float,
    last: float,
    steer: tuple[float, float, float],
    body: tuple[float, float, float, float],
) -> float:
    """Curvature: the path's, a little ahead, plus what brings offset and heading back to zero.

    In space, offset'' = -offset / l^2 - 2 zeta offset' / l with l the reach. plan: curvature, s
    and speed of its samples.
    """
    curvature, s, speed = plan
    if s[len(s) - 1] - place < NEED_PATH_M:
        return last  # too little path to steer by
    late_s, steer_rate, max_steer = steer
    wheelbase, understeer, rear_slip, yaw_late = body
    flexed = wheelbase + understeer * v * v
    wheel_rate = steer_rate * (1.0 + (flexed * last) ** 2) / flexed
    rate = min(wheel_rate, LATERAL_JERK_MPS3 / max(1e-3, v * v))
    soon = place + v * (late_s + yaw_late * v)
    ahead = over_path(curvature, s, soon) + _early(curvature, s, speed, soon, wheel_rate)
    here = over_path(curvature, s, place)
    reach = max(REACH_MIN_M, v * REACH_S)
    slip = rear_slip * v * v * here
    turn = wrap_angle(angle + slip - heading)
    back = -min(OFFSET_CLIP_M, max(-OFFSET_CLIP_M, offset)) / (reach * reach)
    feedback = back + 2.0 * DAMPING * math.sin(turn) / reach
    most = FEEDBACK_LATERAL_MPS2 / max(1.0, v * v)
    wanted = ahead + min(most, max(-most, feedback))
    tightest = math.tan(max_steer) / flexed
    wanted = min(tightest, max(-tightest, wanted))
    return float(min(last + rate * dt_s, max(last - rate * dt_s, wanted)))


@jit
def _early(
    curvature: FloatArray, s: FloatArray, speed: FloatArray, soon: float, wheel_rate: float
) -> float:
    """What to add to the path's curvature at `soon` where it later turns faster than the wheel.

    Half of what would be needed to be there in time: the wheel is then early by as much as it
    will be late. How much the wheel can turn until then goes by the speeds that are planned.
    """
    here = over_path(curvature, s, soon)
    most = here
    least = here
    i = int(np.searchsorted(s, soon, side="right"))
    waits = 0.0
    turns = 0.0
    before = soon
    while i < len(s):
        v = max(speed[i], EARLY_BELOW_MPS)
        step = (s[i] - before) / v
        waits += step
        if waits > EARLY_S:
            break
        turns += step * min(wheel_rate, LATERAL_JERK_MPS3 / (v * v))
        most = max(most, curvature[i] - turns)
        least = min(least, curvature[i] + turns)
        before = s[i]
        i += 1
    return float(0.5 * (most + least) - here)


@jit
def _release(last: float, v: float) -> float:
    """How fast the command may rise: braking that is held too long stops the car."""
    if last >= 0.0:
        return JERK_MPS3
    if last < HARD_MPS2:
        return RELEASE_JERK_MPS3
    return max(JERK_MPS3, min(RELEASE_MOST_MPS3, last * last / (2.0 * max(v, 0.01))))


@jit
def _pedals(
    s: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
    at_s: float,
    dt_s: float,
    place: float,
    v: float,
    last: float,
    late_s: tuple[float, float],
    limit: tuple[float, float],
) -> float:
    """Acceleration: the plan's, read ahead, plus speed and place feedback; hold at a stand."""
    now = over_time(s, at_s)
    stands = over_time(s, at_s + STANDS_WITHIN_S) - now < STANDS_M
    if stands and v < HOLD_BELOW_MPS:
        return HOLD_MPS2 if v < STILL_MPS else min(last, SETTLE_MPS2)
    forward = _ahead(accel, at_s + late_s[0])
    if forward < 0.0:
        forward = _ahead(accel, at_s + late_s[1])
    lag = min(PLACE_CLIP_M, max(-PLACE_CLIP_M, now - place))
    wanted = forward + SPEED_GAIN_1PS * (_ahead(speed, at_s) - v) + PLACE_GAIN_1PS2 * lag
    if stands:
        wanted = min(wanted, SETTLE_MPS2)
    if v < HOLD_BELOW_MPS and last < 0.0:
        last = 0.0  # a standing car feels no step in the brake
    down = min(HARD_JERK_MPS3, JERK_MPS3 + HARDER_1PS * max(0.0, HARD_MPS2 - wanted))
    wanted = min(last + _release(last, v) * dt_s, max(last - down * dt_s, wanted))
    soon = max(0.0, v + min(0.0, last) * late_s[1])
    wanted = max(wanted, min(HOLD_MPS2, -math.sqrt(2.0 * EASE_MPS3 * soon)))
    return float(min(ACCEL_MPS2, limit[0], max(-limit[1], wanted)))
