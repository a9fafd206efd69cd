"""Emergency braking: predicted contact, both outcomes compared, braking in stages.

1. Outcome "as commanded": the car goes on along its path with the acceleration that is asked,
   after the brake's delay. If that touches nobody, nothing is done. So where the car passes ahead
   of a crossing road user and braking would put it in front of them, it is let pass.
2. Others go straight on at their speed. One that goes along or against our path, with no turn
   between, is also predicted to follow the road; it counts only if both predictions end in
   contact. (Oncoming traffic in a curve points at us all the time.)
3. If there is contact: the least braking, from now and after the car's own delay, that avoids it.
   Up to 3 m/s^2 it is the driver's affair. More than 3: warn. More than 4: brake with 5.
   More than 5: brake with all there is.
4. Contact that no braking avoids: full braking if it comes from ahead; none if it comes from
   the side or from behind, where braking does not help.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.guard import path as paths
from marque.types.platform import Platform

STEP_S = 0.1
STEPS = 64
SLOWEST_MPS = 0.5
CALM_MPS2 = 3.0  # braking that is left to the driver
PARTIAL_MPS2 = 5.0
SIDE_M = 0.1
FRONT_M = 0.3
BEND_RAD = 0.7  # path turns more than this between us and another: no longer "the road"
ALONG_SINE = 0.5
LATE_S = 0.3  # looks this much further than braking with CALM_MPS2 would need
NONE, WARN, PARTIAL, FULL = range(4)


def delay_s(platform: Platform) -> float:
    """Until full braking is there: dead time, lag and half the ramp."""
    brake = platform.brake
    return brake.dead_s + brake.lag_s + platform.max_brake_mps2 / (2.0 * brake.rate)


@jit
def assess(
    path: FloatArray,
    place: float,
    offset: float,
    motion: tuple[float, float, float],
    objects: FloatArray,
    late_s: float,
    brake: float,
    shape: tuple[float, float, float],
) -> tuple[float, float]:
    """(least braking that avoids every contact, time to the first contact).

    motion: speed, acceleration now, acceleration asked. Braking 0: no contact as commanded; inf:
    contact from ahead that full braking does not avoid. objects [n, 6] now; shape as in `rss`.
    """
    need = 0.0
    first = math.inf
    speed, accel, asked = motion
    if speed < SLOWEST_MPS:
        return need, first
    horizon = min(STEPS * STEP_S, late_s + speed / (2.0 * CALM_MPS2) + LATE_S)
    poses = np.empty((STEPS + 1, 3))
    count = drive_on(poses, path, place, offset, speed, accel, asked, late_s, horizon)
    for i in range(len(objects)):
        o = objects[i]
        hit = contact(poses, count, path, place, o, shape)
        if hit < 0:
            continue
        first = min(first, hit * STEP_S)
        ahead = _from_ahead(poses[hit], o, hit * STEP_S, shape)
        need = max(
            need, _least_braking(path, place, offset, motion, o, late_s, brake, shape, ahead)
        )
    return need, first


@jit
def stage(need: float) -> int:
    """NONE, WARN, PARTIAL or FULL for the least braking that avoids contact."""
    if need <= CALM_MPS2:
        return NONE
    if need <= CALM_MPS2 + 1.0:
        return WARN
    return PARTIAL if need <= PARTIAL_MPS2 else FULL


@jit
def _least_braking(
    path: FloatArray,
    place: float,
    offset: float,
    motion: tuple[float, float, float],
    o: FloatArray,
    late_s: float,
    brake: float,
    shape: tuple[float, float, float],
    ahead: bool,
) -> float:
    """The least of 3, 4, 5, ... m/s^2 up to `brake` that avoids contact with one road user."""
    poses = np.empty((STEPS + 1, 3))
    level = CALM_MPS2
    while True:
        level = min(level, brake)
        horizon = min(STEPS * STEP_S, late_s + motion[0] / level + STEP_S)
        count = drive_on(
            poses, path, place, offset, motion[0], min(0.0, motion[1]), -level, late_s, horizon
        )
        if contact(poses, count, path, place, o, shape) < 0:
            return level
        if level >= brake:
            return math.inf if ahead else 0.0
        level += 1.0


@jit
def drive_on(
    poses: FloatArray,
    path: FloatArray,
    place: float,
    offset: float,
    speed: float,
    accel: float,
    asked: float,
    late_s: float,
    horizon_s: float,
) -> int:
    """Fill rear-axle poses each STEP_S: `accel` until `late_s`, then `asked`, until it stands.

    Returns how many poses there are.
    """
    count = int(horizon_s / STEP_S) + 1
    for k in range(count):
        t = k * STEP_S
        went, left = _motion(speed, accel, min(t, late_s))
        more, left = _motion(left, asked, max(0.0, t - late_s))
        x, y, heading = paths.pose(path, place + went + more, offset)
        poses[k, 0] = x
        poses[k, 1] = y
        poses[k, 2] = heading
        if left <= 0.0:
            return k + 1
    return count


@jit
def _motion(speed: float, accel: float, t: float) -> tuple[float, float]:
    """(way, speed) after `t` at constant acceleration, never backwards."""
    if accel < 0.0 and t > -speed / accel:
        return -0.5 * speed * speed / accel, 0.0
    return speed * t + 0.5 * accel * t * t, speed + accel * t


@jit
def contact(
    poses: FloatArray,
    count: int,
    path: FloatArray,
    place: float,
    o: FloatArray,
    shape: tuple[float, float, float],
) -> int:
    """The first pose at which the car touches a road user by rule 2, -1 if it never does."""
    straight = -1
    centre = shape[0] + 0.5 * FRONT_M
    length = shape[1] + FRONT_M
    width = shape[2] + 2.0 * SIDE_M
    vx = o[3] * math.cos(o[2])
    vy = o[3] * math.sin(o[2])
    for k in range(count):
        t = k * STEP_S
        if paths.touches(
            poses[k, 0],
            poses[k, 1],
            poses[k, 2],
            centre,
            length,
            width,
            o[0] + vx * t,
            o[1] + vy * t,
            o[2],
            o[4],
            o[5],
        ):
            straight = k
            break
    if straight <= 0:
        return _already(poses[0], o, shape) if straight == 0 else -1
    along, s, d, turn = _on_road(path, place, o)
    if not along:
        return straight
    for k in range(count):
        t = k * STEP_S
        x, y, heading = paths.pose(
            path, s + o[3] * math.cos(turn) * t, d + o[3] * math.sin(turn) * t
        )
        if paths.touches(
            poses[k, 0],
            poses[k, 1],
            poses[k, 2],
            centre,
            length,
            width,
            x,
            y,
            heading + turn,
            o[4],
            o[5],
        ):
            return max(k, straight)
    return -1


@jit
def _already(pose: FloatArray, o: FloatArray, shape: tuple[float, float, float]) -> int:
    """Touching the widened car now: 0 if it stands before us, -1 if it is beside or behind."""
    along = (o[0] - pose[0]) * math.cos(pose[2]) + (o[1] - pose[1]) * math.sin(pose[2])
    return 0 if along > shape[0] + 0.5 * shape[1] else -1


@jit
def _on_road(path: FloatArray, place: float, o: FloatArray) -> tuple[bool, float, float, float]:
    """Whether a road user goes along or against our path; its s, d and angle to the path."""
    s, d, heading = paths.place_on(path, o[0], o[1])
    turn = wrap_angle(o[2] - heading)
    here = paths.pose(path, place, 0.0)[2]
    between = abs(wrap_angle(heading - here))
    inside = 0.0 <= s <= (paths.STATIONS - 1) * paths.STATION_M
    return inside and abs(math.sin(turn)) <= ALONG_SINE and between <= BEND_RAD, s, d, turn


@jit
def _from_ahead(
    pose: FloatArray, o: FloatArray, t: float, shape: tuple[float, float, float]
) -> bool:
    """Whether a road user touches the front half of the car at time `t`."""
    dx = o[0] + o[3] * t * math.cos(o[2]) - pose[0]
    dy = o[1] + o[3] * t * math.sin(o[2]) - pose[1]
    return bool(dx * math.cos(pose[2]) + dy * math.sin(pose[2]) > shape[0] + 0.25 * shape[1])
