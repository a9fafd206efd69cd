"""Whether the car does what it is asked: brakes and steering against the platform's own model.

1. What was asked, later by the dead time, smoothed by the lag and bounded by the rate of the
   platform's actuators, is expected of the car: braking, and the angle of its road wheels.
2. Braking: while more than BRAKES_MPS2 is expected and the car brakes with less than ENOUGH of it
   for LASTS_S, the brakes or the grip are weak, by that share.
3. Steering: while the expected angle of the road wheels and the measured one differ by more than
   OFF_RAD, and by TURNS_MPS2 of lateral acceleration, for LASTS_S, the steering does not answer.
   How the body then turns is the tyres' affair.
4. Either holds for good: the car is brought to rest. The guard reckons with the braking that is
   left, and asks for more by as much.
5. Below SLOW_MPS nothing is judged: a car that comes to rest stops braking.
"""

import math
from typing import NamedTuple

from marque.core.jit import jit
from marque.core.time import NS_PER_S, nanoseconds
from marque.types.platform import Platform
from marque.types.reading import EgoReading

BRAKES_MPS2, ENOUGH, LASTS_S = 1.5, 0.7, 0.2
OFF_RAD = 0.015  # five sigmas of a sensor that stands off its zero
TURNS_MPS2, SLOW_MPS = 0.6, 2.0
LEAST_SHARE = 0.2
RING = 40  # requests kept: 0.8 s
FAULTS = ("", "brake_weak", "steering_dead")


class Answer(NamedTuple):
    """What is expected of the car, and since when it fails; ns, -1: it does not."""

    braking_mps2: float = 0.0  # positive
    steer_rad: float = math.nan  # of the road wheel; nan before the first look
    weak_ns: int = -1
    dead_ns: int = -1
    share: float = 1.0  # of the braking that is left
    fault: int = 0  # of FAULTS
    asked: tuple[tuple[int, float, float], ...] = ()  # t_ns, braking, curvature; the oldest first


def look(answer: Answer, ego: EgoReading, t_ns: int, dt_s: float, platform: Platform) -> Answer:
    """Rules 1 to 5 for one base step; the ego reading may be used."""
    brake, steer = platform.brake, platform.steer
    braking = _followed(
        answer.braking_mps2, _asked(answer.asked, t_ns - nanoseconds(brake.dead_s), 1),
        brake.lag_s, brake.rate, dt_s,
    )  # fmt: skip
    v, fault, share = ego.speed_mps, answer.fault, answer.share
    lever_m = platform.wheelbase_m + platform.understeer_rads2pm * v * v  # curvature to angle
    told = _asked(answer.asked, t_ns - nanoseconds(steer.dead_s), 2)
    angle = math.atan(told * lever_m) if answer.asked else ego.steer_rad
    before = answer.steer_rad if math.isfinite(answer.steer_rad) else ego.steer_rad
    angle = min(platform.max_steer_rad, max(-platform.max_steer_rad, angle))
    slow = platform.max_lateral_jerk_mps3 * lever_m / max(1.0, v * v)
    angle = _followed(before, angle, steer.lag_s, min(steer.rate, slow), dt_s)
    weak_ns = dead_ns = -1
    sure = min(braking, answer.braking_mps2)  # a step of time early or late is no weakness
    if v > SLOW_MPS and sure > BRAKES_MPS2 and -ego.accel_mps2 < ENOUGH * share * sure:
        weak_ns = answer.weak_ns if answer.weak_ns >= 0 else t_ns
        if t_ns - weak_ns >= LASTS_S * NS_PER_S:
            share = max(LEAST_SHARE, min(share, -ego.accel_mps2 / sure))
            fault = fault or 1
    off = abs(angle - ego.steer_rad)
    if v > SLOW_MPS and off > OFF_RAD and off * v * v > TURNS_MPS2 * lever_m:
        dead_ns = answer.dead_ns if answer.dead_ns >= 0 else t_ns
        if t_ns - dead_ns >= LASTS_S * NS_PER_S:
            fault = fault or 2
    return Answer(braking, angle, weak_ns, dead_ns, share, fault, answer.asked)


def asked(answer: Answer, t_ns: int, accel_mps2: float, curvature_1pm: float) -> Answer:
    """After a verdict."""
    told = (*answer.asked[-(RING - 1) :], (t_ns, max(0.0, -accel_mps2), curvature_1pm))
    return answer._replace(asked=told)


def _asked(told: tuple[tuple[int, float, float], ...], by_ns: int, column: int) -> float:
    """What was asked last at a time; of the beginning, what was asked first."""
    for row in reversed(told):
        if row[0] <= by_ns:
            return row[column]
    return told[0][column] if told else 0.0


@jit
def _followed(now: float, wanted: float, lag_s: float, rate: float, dt_s: float) -> float:
    """An actuator after a step: first-order lag, bounded rate."""
    share = 1.0 - math.exp(-dt_s / lag_s) if lag_s > 0.0 else 1.0
    most = rate * dt_s
    return now + min(most, max(-most, share * (wanted - now)))
