"""How a car moves: actuators with dead time, lag and rate; single-track body; tyres with a limit.

Input is a `Command`'s acceleration and rear-axle curvature. The car's own controllers turn them
into pedals and a road-wheel angle (the inverse of the model's steady state); road resistance is
theirs to make up for. Body: the single-track model with load transfer (CommonRoad "ST"), whose
axle stiffness is split so that the platform's understeer gradient comes out. It is singular at
standstill, so below `BLEND_LOW_MPS` the car follows its wheels (kinematic model with the same
steady state) and in between both are mixed.

Where a platform declares its drivetrain, `pedals` asks it for the acceleration, and `powertrain`
says what comes of it; otherwise the actuators are all there is.

A car's memory is one flat float array: what stands where is named below. `step` never changes its
input; the same inputs give the same output, bit for bit.
"""

import math
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, read_only
from marque.core.jit import jit
from marque.core.units import G_MPS2
from marque.types.platform import Platform
from marque.vehicle import powertrain
from marque.vehicle.pedals import slope_felt, trimmed
from marque.vehicle.powertrain import NORMAL, Conditions

BLEND_LOW_MPS = 3.0
BLEND_HIGH_MPS = 6.0
SUBSTEP_S = 0.005
GRIP_SHARE = 0.98  # of friction that braking may use: the rest steers

# memory: the state, then one ring of past commands for each of the two inputs
X, Y, HEADING, SPEED, LATERAL, YAW_RATE, STEER, DRIVE, BRAKE, ACCEL, LAT_ACCEL, HEAD = range(12)
RING = 64  # commands kept; a dead time longer than RING - 2 steps is refused
ACCEL_RING = 12
CURVATURE_RING = ACCEL_RING + RING
# of a car with a drivetrain: what its pedals were asked, what is expected of it, and its parts
ASKED_RING = CURVATURE_RING + RING
EXPECTED_DRIVE, EXPECTED_BRAKE, SLOPE, TRIM = range(ASKED_RING + RING, ASKED_RING + RING + 4)
PARTS = TRIM + 1  # where the state of `powertrain` begins
SIZE = PARTS + powertrain.STATE

# parameters, from `parameters(platform)`
(
    WHEELBASE,
    FRONT,
    REAR,
    COG_HEIGHT,
    MASS,
    INERTIA,
    STIFF_FRONT,
    STIFF_REAR,
    FRICTION,
    UNDERSTEER,
    MAX_STEER,
    STEER_DEAD,
    STEER_LAG,
    STEER_RATE,
    DRIVE_DEAD,
    DRIVE_LAG,
    DRIVE_RATE,
    BRAKE_DEAD,
    BRAKE_LAG,
    BRAKE_RATE,
    MAX_ACCEL,
    MAX_POWER,
    MAX_BRAKE,
    MAX_SPEED,
    EXPECTED,  # six: dead time, lag, rate as declared, of drive and of brake
) = range(25)
TRAIN = EXPECTED + 6  # where the parameters of `powertrain` begin
COUNT = TRAIN + powertrain.PARAMETERS


class Motion(NamedTuple):
    """How the car moves now; the fields and their order are those of the truth about the ego."""

    x_m: float  # rear axle centre
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    lat_accel_mps2: float  # of the centre of gravity, left positive
    yaw_rate_radps: float
    steer_rad: float  # of the road wheel


def parameters(platform: Platform, conditions: Conditions = NORMAL) -> FloatArray:
    """[COUNT] the platform as numbers for `step`, read-only.

    Conditions other than friction change a car with a drivetrain only.

    Each axle's stiffness: 1/C_f = 1/C + K mu g / 2, 1/C_r = 1/C - K mu g / 2, so that the mean
    is the platform's C and the difference gives its understeer gradient K.
    """
    p = platform
    friction = p.friction if conditions.friction is None else conditions.friction
    train = p.drivetrain
    split = 0.5 * p.understeer_rads2pm * p.friction * G_MPS2
    soft = 1.0 / p.cornering_stiffness_1prad
    row = [p.wheelbase_m, p.wheelbase_m - p.cog_to_rear_axle_m, p.cog_to_rear_axle_m]
    row += [p.cog_height_m, p.mass_kg, p.yaw_inertia_kgm2]
    row += [1.0 / (soft + split), 1.0 / (soft - split), friction, p.understeer_rads2pm]
    row += [p.max_steer_rad]
    own = (train.rack, train.traction, train.brakes) if train else (p.steer, p.drive, p.brake)
    for part in own:
        row += [part.dead_s, part.lag_s, part.rate]
    row += [p.max_accel_mps2, p.max_power_w, p.max_brake_mps2, p.max_speed_mps]
    for part in (p.drive, p.brake):
        row += [part.dead_s, part.lag_s, part.rate]
    return read_only(np.concatenate((row, powertrain.parameters(p, conditions))))


def initial(
    platform: Platform,
    x_m: float,
    y_m: float,
    heading_rad: float,
    speed_mps: float,
    charge: float = NORMAL.charge,
) -> FloatArray:
    """[SIZE] memory of a car that rolls straight ahead with nothing asked of it."""
    memory = np.zeros(SIZE)
    memory[X] = x_m
    memory[Y] = y_m
    memory[HEADING] = heading_rad
    memory[SPEED] = min(max(0.0, speed_mps), platform.max_speed_mps)
    memory[PARTS:] = powertrain.initial(platform, float(memory[SPEED]), charge)
    return memory


def ego_truth(memory: FloatArray) -> Motion:
    """The motion in a memory; `EgoTruth(*ego_truth(memory))` is the noun."""
    v = memory[: LAT_ACCEL + 1].tolist()
    return Motion(v[X], v[Y], v[HEADING], v[SPEED], v[ACCEL], v[LAT_ACCEL], v[YAW_RATE], v[STEER])


@jit
def step(
    parameters: FloatArray,
    memory: FloatArray,
    accel_cmd_mps2: float,
    curvature_cmd_1pm: float,
    dt_s: float,
) -> FloatArray:
    """The car `dt_s` later; all nan if a dead time is longer than RING - 2 steps.

    parameters [COUNT], memory [SIZE] -> memory [SIZE]. A command that is not finite counts as
    full braking with the wheel held.
    """
    p = parameters
    m = memory.copy()
    if max(p[STEER_DEAD], p[DRIVE_DEAD], p[BRAKE_DEAD]) > (RING - 2) * dt_s:
        m[:] = math.nan
        return m
    head = (int(m[HEAD]) + 1) % RING
    if not math.isfinite(accel_cmd_mps2):
        accel_cmd_mps2 = -p[MAX_BRAKE]
    if not math.isfinite(curvature_cmd_1pm):
        curvature_cmd_1pm = m[CURVATURE_RING + (head + RING - 1) % RING]
    m[HEAD] = head
    m[ACCEL_RING + head] = accel_cmd_mps2
    m[CURVATURE_RING + head] = curvature_cmd_1pm
    ring = ACCEL_RING
    if p[TRAIN + powertrain.KIND] != powertrain.IDEAL:
        _ask(p, m, head, accel_cmd_mps2, dt_s)
        ring = ASKED_RING
    parts = max(1, math.ceil(dt_s / SUBSTEP_S - 1e-9))
    h = dt_s / parts
    for i in range(parts):
        since = (i + 0.5) * h
        drive = _delayed(m, ring, head, (p[DRIVE_DEAD] - since) / dt_s)
        brake = _delayed(m, ring, head, (p[BRAKE_DEAD] - since) / dt_s)
        if ring != ACCEL_RING:
            _expect(p, m, head, since, dt_s, h)
        curvature = _delayed(m, CURVATURE_RING, head, (p[STEER_DEAD] - since) / dt_s)
        _substep(p, m, max(0.0, drive), max(0.0, -brake), curvature, h)
    m[HEADING] = math.pi - (math.pi - m[HEADING]) % (2.0 * math.pi)
    return m


@jit
def _ask(p: FloatArray, m: FloatArray, head: int, command: float, dt_s: float) -> None:
    """What the pedals are asked for, by what the car did so far; see `pedals`."""
    late = p[EXPECTED] + p[EXPECTED + 1]
    if command < 0.0:
        late = p[EXPECTED + 3] + p[EXPECTED + 4]
    m[SLOPE] = slope_felt(m[SLOPE], p[TRAIN + powertrain.GRADE], dt_s)
    expected = m[EXPECTED_DRIVE] - m[EXPECTED_BRAKE]
    available = m[PARTS + powertrain.AVAILABLE]
    m[TRIM] = trimmed(m[TRIM], expected, m[ACCEL], available, m[SPEED], late, dt_s)
    m[ASKED_RING + head] = command + m[SLOPE] + m[TRIM]


@jit
def _expect(p: FloatArray, m: FloatArray, head: int, since: float, dt_s: float, h: float) -> None:
    """What the declared actuators make of the commands, over a substep."""
    drive = _delayed(m, ACCEL_RING, head, (p[EXPECTED] - since) / dt_s)
    brake = _delayed(m, ACCEL_RING, head, (p[EXPECTED + 3] - since) / dt_s)
    drive = min(max(0.0, drive), p[MAX_ACCEL])
    brake = min(max(0.0, -brake), p[MAX_BRAKE])
    for slot, aim, at in ((EXPECTED_DRIVE, drive, 0), (EXPECTED_BRAKE, brake, 3)):
        lag, rate = p[EXPECTED + at + 1], p[EXPECTED + at + 2]
        m[slot] = _lagged(m[slot], aim, lag, rate, h)


@jit
def steer_for(parameters: FloatArray, curvature_1pm: float, speed_mps: float) -> float:
    """Road-wheel angle that holds a curvature at constant speed: tan(delta) = k (L + K v^2)."""
    p = parameters
    angle = math.atan(curvature_1pm * (p[WHEELBASE] + p[UNDERSTEER] * speed_mps * speed_mps))
    return float(min(p[MAX_STEER], max(-p[MAX_STEER], angle)))


@jit
def _delayed(m: FloatArray, ring: int, head: int, steps: float) -> float:
    """The command of `steps` steps before the newest was given (negative: the newest)."""
    back = max(0, math.ceil(steps))
    return float(m[ring + (head + RING - back) % RING])


@jit
def _lagged(value: float, target: float, lag_s: float, rate: float, h: float) -> float:
    """First-order lag (exact over `h`), then the rate limit."""
    gain = 1.0 - math.exp(-h / lag_s) if lag_s > 1e-6 else 1.0
    change = gain * (target - value)
    return value + min(rate * h, max(-rate * h, change))


@jit
def _substep(
    p: FloatArray, m: FloatArray, drive: float, brake: float, curvature: float, h: float
) -> None:
    """Actuators, speed, then body and pose, over `h` seconds, in place."""
    speed = m[SPEED]
    steer = steer_for(p, curvature, speed)
    m[STEER] = _lagged(m[STEER], steer, p[STEER_LAG], p[STEER_RATE], h)
    m[DRIVE] = _lagged(m[DRIVE], min(drive, p[MAX_ACCEL]), p[DRIVE_LAG], p[DRIVE_RATE], h)
    m[BRAKE] = _lagged(m[BRAKE], min(brake, p[MAX_BRAKE]), p[BRAKE_LAG], p[BRAKE_RATE], h)
    train, parts = p[TRAIN:], m[PARTS:]
    real = train[powertrain.KIND] != powertrain.IDEAL
    if real:
        grip = GRIP_SHARE * p[FRICTION]
        accel = powertrain.advance(train, parts, speed, m[DRIVE], m[BRAKE], grip, h)
    else:
        accel = _accel(p, m[DRIVE], m[BRAKE], speed)
    after = min(p[MAX_SPEED], max(0.0, speed + accel * h))
    if real:
        powertrain.book(train, parts, speed, after, accel, h)
    if after == 0.0 and accel <= 0.0:
        accel = 0.0  # it stands, and brakes do not push backwards
    m[ACCEL] = accel
    m[SPEED] = after
    _body(p, m, 0.5 * (speed + after), accel, h)


@jit
def _accel(p: FloatArray, drive: float, brake: float, speed: float) -> float:
    """What engine power, top speed and grip leave of the pedals, in m/s^2."""
    power = p[MAX_POWER] / (p[MASS] * max(speed, 0.1))
    if speed >= p[MAX_SPEED]:
        drive = 0.0
    grip = GRIP_SHARE * p[FRICTION] * G_MPS2
    return float(min(grip, max(-grip, min(drive, power) - brake)))


@jit
def _body(p: FloatArray, m: FloatArray, v: float, accel: float, h: float) -> None:
    """Yaw, sideways motion and pose over `h` seconds at mean speed `v`, in place."""
    rear = p[REAR]
    tan_steer = math.tan(m[STEER])
    yaw_low = v * tan_steer / (p[WHEELBASE] + p[UNDERSTEER] * v * v)
    lateral_low = yaw_low * (rear + _rear_slip(p, v))
    yaw = yaw_low
    lateral = lateral_low
    push = v * yaw_low
    share = min(1.0, max(0.0, (v - BLEND_LOW_MPS) / (BLEND_HIGH_MPS - BLEND_LOW_MPS)))
    if share > 0.0:
        lateral, yaw, push = _single_track(p, m[LATERAL], m[YAW_RATE], tan_steer, v, accel, h)
        share = share * share * (3.0 - 2.0 * share)
        lateral = lateral_low + share * (lateral - lateral_low)
        yaw = yaw_low + share * (yaw - yaw_low)
        push = v * yaw_low + share * (push - v * yaw_low)
    middle = m[HEADING] + 0.25 * h * (m[YAW_RATE] + yaw)
    slide = 0.5 * (m[LATERAL] + lateral) - rear * 0.5 * (m[YAW_RATE] + yaw)
    m[X] += h * (v * math.cos(middle) - slide * math.sin(middle))
    m[Y] += h * (v * math.sin(middle) + slide * math.cos(middle))
    m[HEADING] += 0.5 * h * (m[YAW_RATE] + yaw)
    m[LATERAL] = lateral
    m[YAW_RATE] = yaw
    m[LAT_ACCEL] = push


@jit
def _rear_slip(p: FloatArray, v: float) -> float:
    """Steady sideways slide of the rear axle per yaw rate, so that both models rest alike."""
    return float(-v * v / (p[FRICTION] * G_MPS2 * p[STIFF_REAR]))


@jit
def _single_track(
    p: FloatArray, lateral: float, yaw: float, tan_steer: float, v: float, accel: float, h: float
) -> tuple[float, float, float]:
    """(lateral speed, yaw rate, lateral acceleration) after `h`; implicit, so stable at any v.

    Axle loads (per unit mass) with load transfer: F_f = (g l_r - a h)/l, F_r = (g l_f + a h)/l.
    Forces: mu C F alpha, cut to the grip that acceleration leaves (friction circle) by a secant
    stiffness; then one implicit Euler step of the linear 2x2 system.
    """
    lf = p[FRONT]
    lr = p[REAR]
    wheelbase = p[WHEELBASE]
    load_f = max(0.05 * G_MPS2, (G_MPS2 * lr - accel * p[COG_HEIGHT]) / wheelbase)
    load_r = max(0.05 * G_MPS2, (G_MPS2 * lf + accel * p[COG_HEIGHT]) / wheelbase)
    used = accel / (p[FRICTION] * G_MPS2)
    grip = p[FRICTION] * math.sqrt(max(0.01, 1.0 - used * used))
    kf = p[FRICTION] * p[STIFF_FRONT] * load_f
    kr = p[FRICTION] * p[STIFF_REAR] * load_r
    slip_f = tan_steer - (lateral + lf * yaw) / v
    slip_r = -(lateral - lr * yaw) / v
    kf *= min(1.0, grip * load_f / max(1e-9, abs(kf * slip_f)))
    kr *= min(1.0, grip * load_r / max(1e-9, abs(kr * slip_r)))
    turn = p[MASS] / p[INERTIA]
    a11 = 1.0 + h * (kf + kr) / v
    a12 = h * ((kf * lf - kr * lr) / v + v)
    a21 = h * turn * (lf * kf - lr * kr) / v
    a22 = 1.0 + h * turn * (lf * lf * kf + lr * lr * kr) / v
    b1 = lateral + h * kf * tan_steer
    b2 = yaw + h * turn * lf * kf * tan_steer
    det = a11 * a22 - a12 * a21
    lateral_after = (b1 * a22 - a12 * b2) / det
    yaw_after = (a11 * b2 - b1 * a21) / det
    return lateral_after, yaw_after, (lateral_after - lateral) / h + v * yaw_after
