"""Stopping without the driver: track the last verified fall-back, or brake in lane.

1. The fall-back is followed in space: at each place the speed and curvature that it has there.
2. It never accelerates: what the fall-back would gain in speed is given up.
3. Without any fall-back, or without knowing where the car is: brake with 3 m/s^2, the wheel held.
"""

import math
from dataclasses import dataclass

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.core.units import G_MPS2
from marque.guard import path as paths
from marque.types.platform import Platform
from marque.types.reading import EgoReading

IN_LANE_MPS2 = -3.0
HOLD_MPS2 = -1.0
HOLD_BELOW_MPS = 0.3
SPEED_GAIN_1PS = 1.5
REACH_S = 0.8  # length scale of the lateral loop: speed times this,
REACH_MIN_M = 4.0  # but no less
DAMPING = 0.9
OFFSET_CLIP_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """What the tracker needs of a platform."""

    brake_late_s: float
    steer_late_s: float
    yaw_late_s2pm: float  # per speed: how much later the body turns than the wheel
    tightest_1pm: float


def numbers(platform: Platform) -> Numbers:
    """The tracker's numbers of a platform."""
    p = platform
    return Numbers(
        p.brake.dead_s + p.brake.lag_s,
        p.steer.dead_s + p.steer.lag_s,
        1.0 / (p.cornering_stiffness_1prad * p.friction * G_MPS2),
        math.tan(p.max_steer_rad) / p.wheelbase_m,
    )


def stop(escape: FloatArray | None, ego: EgoReading, car: Numbers) -> tuple[float, float]:
    """(acceleration, curvature) on a fall-back's corridor; on none, braking with the wheel held."""
    if escape is None:
        return IN_LANE_MPS2, math.nan
    return _track(
        escape,
        (ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps),
        (car.brake_late_s, car.steer_late_s, car.yaw_late_s2pm, car.tightest_1pm),
    )


@jit
def _track(
    escape: FloatArray,
    ego: tuple[float, float, float, float],
    car: tuple[float, float, float, float],
) -> tuple[float, float]:
    """escape: a corridor with speeds; ego: x, y, heading, speed; car: the fields of Numbers."""
    v = ego[3]
    s, d, heading = paths.place_on(escape, ego[0], ego[1])
    reach = max(REACH_MIN_M, REACH_S * v)
    slip = car[2] * v * v * paths.column(escape, s, paths.CURVATURE)
    turn = math.sin(wrap_angle(heading + slip - ego[2]))
    ahead = paths.column(escape, s + v * (car[1] + car[2] * v), paths.CURVATURE)
    back = min(OFFSET_CLIP_M, max(-OFFSET_CLIP_M, d)) / (reach * reach)
    curvature = ahead - back + 2.0 * DAMPING * turn / reach
    curvature = min(car[3], max(-car[3], curvature))
    soon = s + v * car[0]
    wanted = paths.column(escape, soon, paths.SPEED)
    accel = paths.column(escape, soon, paths.ACCEL) + SPEED_GAIN_1PS * (wanted - v)
    if min(v, wanted) < HOLD_BELOW_MPS:
        accel = min(accel, HOLD_MPS2)
    return min(0.0, accel), curvature
