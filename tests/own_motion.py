"""Drives drawn from localisation's own model: truth and what its sensors would deliver of it."""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.time import BASE_STEP_S, nanoseconds
from marque.stack.perception.localise import LocaliseMemory, Located, Mounting, Tuning, localise
from marque.types.reading import Bus, Delivery, Gnss, Imu
from marque.vehicle.catalog import load_platform

CAR = load_platform("saloon_ev")
ANTENNA = Mounting(1.3, 0.2)
FIX_SIGMA_M, SPEED_SIGMA_MPS = 1.5, 0.1
STEPS_PER_FIX = 5
BRAKES_S = 4.0
# nothing slides here: a constraint that is always met exactly has no noise to be consistent with
TUNING = Tuning(slip_mps=1e-3, slip_walk_mps=1e-5)


@dataclass(frozen=True)
class Drive:
    """One row of `truth` for each delivery: x, y, heading, speed, yaw rate."""

    deliveries: list[Delivery]
    truth: np.ndarray


def drive(
    seed: int,
    duration_s: float,
    noise: float = 1.0,
    tuning: Tuning = TUNING,
    late_s: float = 0.0,
    stands: tuple[float, float] | None = None,
) -> Drive:
    """Weaving at about 12 m/s, with every error of the model times `noise`. Fixes come `late_s`
    after they were true. `stands`: from and to when the car is at rest, having braked before."""
    draw = np.random.default_rng(seed)
    n = round(duration_s / BASE_STEP_S)
    dt = BASE_STEP_S
    white = math.sqrt(tuning.white_share) * FIX_SIGMA_M * noise
    slow = math.sqrt(1.0 - tuning.white_share) * FIX_SIGMA_M * noise
    keep = math.exp(-dt / tuning.wander_s)
    gyro_bias = noise * tuning.gyro_bias_radps * draw.standard_normal()
    accel_bias = noise * tuning.accel_bias_mps2 * draw.standard_normal()
    scale = noise * tuning.wheel_scale * draw.standard_normal()
    offset = slow * draw.standard_normal(2)
    x, y, heading, v = 100.0, -50.0, 0.7, 12.0
    truth, parts, fixes = [], [], []
    for i in range(1, n + 1):
        t = i * dt
        accel = 1.5 * math.sin(0.4 * t + 0.3)
        spin = 0.12 * math.sin(0.25 * t + seed)
        if stands is not None and stands[0] - BRAKES_S <= t - dt < stands[0] - 0.5 * dt:
            accel, spin = -v / (stands[0] - t + dt), 0.0
        elif stands is not None and stands[0] <= t < stands[1]:
            v, accel, spin = 0.0, 0.0, 0.0
        middle = heading + 0.5 * spin * dt
        x += (v + 0.5 * accel * dt) * math.cos(middle) * dt
        y += (v + 0.5 * accel * dt) * math.sin(middle) * dt
        heading += spin * dt
        v += accel * dt
        w = noise * draw.standard_normal(12)
        root = math.sqrt(dt)
        imu = Imu(
            nanoseconds(t),
            (accel + accel_bias + tuning.accel_mps2 / root * w[0], v * spin, 9.81),
            (0.0, 0.0, spin + gyro_bias + tuning.gyro_radps / root * w[1]),
        )
        rolled = max(0.0, (1.0 + scale) * v + tuning.wheel_mps * w[2]) if v > 0.0 else 0.0
        parts.append((imu, Bus(nanoseconds(t), (rolled,) * 4, 0.0)))
        truth.append((x, y, heading, v, spin))
        if i % STEPS_PER_FIX == 0:
            c, s = math.cos(heading), math.sin(heading)
            fx = x + ANTENNA.forward_m * c - ANTENNA.left_m * s + offset[0] + white * w[3]
            fy = y + ANTENNA.forward_m * s + ANTENNA.left_m * c + offset[1] + white * w[4]
            vx, vy = v - spin * ANTENNA.left_m, spin * ANTENNA.forward_m
            speed = math.hypot(vx, vy) + SPEED_SIGMA_MPS * w[5]
            course = heading + math.atan2(vy, max(vx, 1e-9))
            course += SPEED_SIGMA_MPS / max(v, 1.0) * w[6]
            fixes.append(
                Gnss(nanoseconds(t), fx, fy, abs(speed), course, FIX_SIGMA_M, SPEED_SIGMA_MPS)
            )
        offset = keep * offset + slow * math.sqrt(1.0 - keep * keep) * draw.standard_normal(2)
        gyro_bias += tuning.gyro_walk_radps * root * w[7]
        accel_bias += tuning.accel_walk_mps2 * root * w[8]
        scale += tuning.wheel_scale_walk * root * w[9]
    late_ns = nanoseconds(late_s)
    deliveries = []
    for imu, bus in parts:
        before = imu.t_ns - nanoseconds(dt)
        come = tuple(fix for fix in fixes if before < fix.t_ns + late_ns <= imu.t_ns)
        deliveries.append(Delivery(imu.t_ns, (imu,), come, (bus,)))
    return Drive(deliveries, np.array(truth))


def fresh(tuning: Tuning = TUNING, mounting: Mounting = ANTENNA) -> LocaliseMemory:
    return LocaliseMemory(CAR, mounting, tuning)


def follow(
    deliveries: list[Delivery], memory: LocaliseMemory | None = None
) -> tuple[LocaliseMemory, list[Located]]:
    memory = memory or fresh()
    said = []
    for delivery in deliveries:
        memory, located = localise(memory, delivery)
        said.append(located)
    return memory, said


def blind(deliveries: list[Delivery]) -> list[Delivery]:
    """The same without satellites."""
    return [replace(each, gnss=()) for each in deliveries]
