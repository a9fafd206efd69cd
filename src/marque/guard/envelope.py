"""The envelope: what a command may ask in ordinary driving.

1. Acceleration: at most 2.0 m/s^2, and not above the car's top speed. Braking harder than the
   comfort channel's 3.5 m/s^2 is let through down to what the car can do: a guard never asks for
   more acceleration than the command.
2. Curvature changes no faster than 5.0 m/s^3 of lateral jerk (ISO 11270), nor than the steering
   can follow.
3. Curvature beyond 3.0 m/s^2 of lateral acceleration is cut, but never below what the path ahead
   needs: where the path itself asks for more, the speed is lowered instead.
4. The guard's own braking is let go at 16 m/s^3 right before rest, down to what holds the car: a
   full stop takes 10 cm more and ends without a jolt.
"""

import math

from marque.core.jit import jit

MAX_ACCEL_MPS2 = 2.0
LATERAL_MPS2 = 3.0
LATERAL_JERK_MPS3 = 5.0
NEED_SHARE = 1.15  # feedback needs some room around the path's own curvature
SLOW_MPS2 = (1.0, 3.5)  # braking for lateral acceleration: least and most
SLOW_GAIN = 2.0  # m/s^2 of braking per m/s^2 too much
EASE_MPS3, HOLD_MPS2 = 16.0, 0.8
TINY = 1e-9

RULES = ("", "accel", "speed", "curvature_rate", "lateral_accel", "lateral_speed")


@jit
def limit(
    accel: float,
    curvature: float,
    last_curvature: float,
    speed: float,
    dt_s: float,
    need: tuple[float, float],
    steer: tuple[float, float],
    car: tuple[float, float],
    jerk_mps3: float = LATERAL_JERK_MPS3,
) -> tuple[float, float, int, float]:
    """(acceleration, curvature, rule, margin) that the envelope lets through.

    need: least and greatest curvature of the path just ahead; steer: rate of the road wheel and
    wheelbase; car: most braking (positive) and top speed. The rule is an index of RULES, the last
    that cut; the margin is bound / asked of that rule, 1 where none cut.
    """
    rule = 0
    margin = 1.0
    if accel > MAX_ACCEL_MPS2:
        rule, margin = 1, MAX_ACCEL_MPS2 / accel
        accel = MAX_ACCEL_MPS2
    accel = max(accel, -car[0])
    if speed > car[1] and accel > 0.0:
        rule, margin = 2, car[1] / speed
        accel = 0.0
    v2 = max(1e-6, speed * speed)
    room = LATERAL_MPS2 / v2
    most = max(room, NEED_SHARE * need[1])
    least = min(-room, NEED_SHARE * need[0])
    if curvature > most + TINY or curvature < least - TINY:
        rule, margin = 4, room / abs(curvature)
        curvature = min(most, max(least, curvature))
    flex = 1.0 + (steer[1] * last_curvature) ** 2
    step = dt_s * min(jerk_mps3 / v2, steer[0] * flex / steer[1])
    change = curvature - last_curvature
    if abs(change) > step + TINY:
        rule, margin = 3, step / abs(change)
        curvature = last_curvature + math.copysign(step, change)
    lateral = v2 * abs(curvature)
    if lateral > LATERAL_MPS2 * 1.0001:
        slow = SLOW_GAIN * (lateral - LATERAL_MPS2)
        slow = -min(SLOW_MPS2[1], max(SLOW_MPS2[0], slow))
        if slow < accel:
            rule, margin = 5, LATERAL_MPS2 / lateral
            accel = slow
    return accel, curvature, rule, margin


@jit
def eased(braking: float, speed: float, last_accel: float, late_s: float) -> float:
    """Braking (positive), less where the car will be at rest before long. `late_s`: how late the
    brake follows."""
    soon = max(0.0, speed + min(0.0, last_accel) * late_s)
    return min(braking, max(HOLD_MPS2, math.sqrt(2.0 * EASE_MPS3 * soon)))
