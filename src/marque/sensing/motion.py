"""What satellites, inertia and the car's bus tell of our own motion."""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.time import nanoseconds, seconds
from marque.core.units import G_MPS2
from marque.sensing.equipment import CarBus, Equipment, Inertia, Satellites
from marque.types.platform import Platform
from marque.types.reading import Bus, Gnss, Imu
from marque.types.world import EgoTruth

TRACK_SHARE = 0.85  # of the body's width: wheel to wheel


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """What stays the same over a drive, or drifts: drawn once, never told to the stack."""

    accel_bias_mps2: tuple[float, float]  # forward, left
    gyro_bias_radps: float
    wheel_scale: tuple[float, float, float, float]
    steer_offset_rad: float
    drift_m: tuple[float, float]  # of the satellites
    drift_ns: int = 0  # when it was drawn
    next_fix_ns: int = 0


def drawn(equipment: Equipment, draw: np.random.Generator) -> Errors:
    """Errors of one car on one day."""
    inertia, bus, sky = equipment.inertia, equipment.bus, equipment.satellites
    ax, ay, gyro = draw.standard_normal(3)
    wheels = 1.0 + bus.wheel_scale_sigma * draw.standard_normal(4)
    steer, dx, dy = draw.standard_normal(3)
    return Errors(
        (
            float(inertia.accel_bias_sigma_mps2 * ax),
            float(inertia.accel_bias_sigma_mps2 * ay),
        ),
        float(inertia.gyro_bias_sigma_radps * gyro),
        tuple(wheels.tolist()),
        float(bus.steer_offset_sigma_rad * steer),
        (float(sky.drift_sigma_m * dx), float(sky.drift_sigma_m * dy)),
    )


def measure_inertia(
    inertia: Inertia, errors: Errors, ego: EgoTruth, t_ns: int, draw: np.random.Generator
) -> Imu:
    """Specific force and rates at the rear axle, on level ground."""
    n = draw.standard_normal(6)
    sigma, spin = inertia.accel_sigma_mps2, inertia.gyro_sigma_radps
    return Imu(
        t_ns,
        (
            ego.accel_mps2 + errors.accel_bias_mps2[0] + sigma * n[0],
            ego.speed_mps * ego.yaw_rate_radps + errors.accel_bias_mps2[1] + sigma * n[1],
            G_MPS2 + sigma * n[2],
        ),
        (spin * n[3], spin * n[4], ego.yaw_rate_radps + errors.gyro_bias_radps + spin * n[5]),
    )


def measure_bus(
    bus: CarBus,
    errors: Errors,
    ego: EgoTruth,
    platform: Platform,
    t_ns: int,
    draw: np.random.Generator,
) -> Bus:
    """Wheel speeds and the road wheel's angle."""
    half = 0.5 * TRACK_SHARE * platform.width_m * ego.yaw_rate_radps
    ahead = platform.wheelbase_m * ego.yaw_rate_radps  # sideways speed of the front axle
    left, right = ego.speed_mps - half, ego.speed_mps + half
    rolling = (math.hypot(left, ahead), math.hypot(right, ahead), abs(left), abs(right))
    noise = bus.wheel_sigma_mps * draw.standard_normal(4)
    wheels = []
    for speed, scale, error in zip(rolling, errors.wheel_scale, noise, strict=True):
        read = max(0.0, speed * scale + error) if speed > 0.0 else 0.0
        if bus.wheel_step_mps > 0.0:
            read = round(read / bus.wheel_step_mps) * bus.wheel_step_mps
        wheels.append(float(read))
    steer = ego.steer_rad + errors.steer_offset_rad
    steer += bus.steer_sigma_rad * float(draw.standard_normal())
    return Bus(t_ns, (wheels[0], wheels[1], wheels[2], wheels[3]), steer)


def measure_satellites(
    sky: Satellites, errors: Errors, ego: EgoTruth, t_ns: int, draw: np.random.Generator
) -> tuple[Errors, Gnss | None]:
    """The fix of this instant, None between fixes and where one drops out."""
    if t_ns < errors.next_fix_ns:
        return errors, None
    kept = math.exp(-seconds(t_ns - errors.drift_ns) / sky.drift_time_s)
    fresh = sky.drift_sigma_m * math.sqrt(max(0.0, 1.0 - kept * kept))
    n = draw.standard_normal(6)
    drift = (kept * errors.drift_m[0] + fresh * n[0], kept * errors.drift_m[1] + fresh * n[1])
    errors = replace(
        errors, drift_m=drift, drift_ns=t_ns, next_fix_ns=t_ns + nanoseconds(sky.period_s)
    )
    if draw.random() < sky.dropout:
        return errors, None
    vx = ego.speed_mps * math.cos(ego.heading_rad) + sky.speed_sigma_mps * n[2]
    vy = ego.speed_mps * math.sin(ego.heading_rad) + sky.speed_sigma_mps * n[3]
    fix = Gnss(
        t_ns,
        float(ego.x_m + drift[0] + sky.white_sigma_m * n[4]),
        float(ego.y_m + drift[1] + sky.white_sigma_m * n[5]),
        math.hypot(vx, vy),
        math.atan2(vy, vx),
        math.hypot(sky.white_sigma_m, sky.drift_sigma_m),
        sky.speed_sigma_mps,
    )
    return errors, fix
