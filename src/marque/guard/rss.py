"""Keeping enough distance: RSS, longitudinal, with the platform's own delays.

1. A road user counts if its box overlaps the car's swept path (0.2 m wider on each side) within
   the distance that this rule could ever ask for.
2. It is a leader with its speed along the path if it goes about our way; else it counts as
   standing. One that crosses and will have left the path when we arrive does not count: the
   emergency brake watches those.
3. Safe distance, v ours, f the leader's:
       d(b) = STAND + v rho + a rho^2 / 2 + (v + a rho)^2 / (2 b) - f^2 / (2 max(8, b)),
   rho = dead time + lag + half the brake's ramp + one base step, a = what is accelerating us now.
   (The leader's braking must be at least ours, or the gap could be least before both stand.)
4. With b = 0.7 of the car's braking, less than d is a violation, and braking begins gently; at
   d(0.95 of the car's braking) it is full. So from every state with d(0.7) the car can stop
   behind a leader that brakes with 8 m/s^2, even if the driver ignores it.

Source: Shalev-Shwartz, Shammah, Shashua 2017, definition 1; lead braking and shares are ours.
"""

import math

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.guard import path as paths
from marque.types.platform import Platform

STAND_M = 0.3
LEAD_BRAKE_MPS2 = 8.0
SOFT_SHARE = 0.7
FULL_SHARE = 0.95
GENTLE_MPS2 = 1.0  # braking at the first violation
SIDE_M = 0.2
SAME_WAY = 0.5  # cosine between a leader and the path
SLOW_MPS = 0.5  # below, a road user stands
BASE_S = 0.02
REFINE = 4  # halvings of the station spacing: gap to about 3 cm


def response_s(platform: Platform) -> float:
    """rho for the soft distance."""
    brake = platform.brake
    ramp = SOFT_SHARE * platform.max_brake_mps2 / (2.0 * brake.rate)
    return brake.dead_s + brake.lag_s + ramp + BASE_S


@jit
def safe_distance(speed: float, lead: float, accel: float, rho_s: float, brake: float) -> float:
    """d(b) of rule 3, in metres."""
    after = speed + max(0.0, accel) * rho_s
    lead_stop = lead * lead / (2.0 * max(LEAD_BRAKE_MPS2, brake))
    reach = 0.5 * (speed + after) * rho_s + after * after / (2.0 * brake)
    return STAND_M + max(0.0, reach - lead_stop)


@jit
def demand(
    gap: float, speed: float, lead: float, accel: float, rho_s: float, brake: float
) -> float:
    """Braking (positive) that rule 4 asks at a gap; `brake`: the car's most."""
    soft = safe_distance(speed, lead, accel, rho_s, SOFT_SHARE * brake)
    if gap >= soft:
        return 0.0
    full = safe_distance(speed, lead, accel, rho_s, FULL_SHARE * brake)
    if gap <= full:
        return brake
    share = (soft - gap) / (soft - full)
    return GENTLE_MPS2 + (brake - GENTLE_MPS2) * share * share


@jit
def keep_distance(
    path: FloatArray,
    place: float,
    offset: float,
    speed: float,
    accel: float,
    objects: FloatArray,
    rho_s: float,
    brake: float,
    shape: tuple[float, float, float],
) -> tuple[float, float]:
    """(braking asked, margin = least gap / soft distance) over all road users [n, 6].

    shape: axle to middle, length, width of the car. Objects: x, y, heading, speed, length, width,
    now. Margin inf: nobody in the way.
    """
    worst = 0.0
    margin = math.inf
    if speed <= 0.0:
        return worst, margin
    reach = safe_distance(speed, 0.0, accel, rho_s, SOFT_SHARE * brake)
    wide = (shape[0], shape[1], shape[2] + 2.0 * SIDE_M)
    for i in range(len(objects)):
        o = objects[i]
        gap = free_way(path, place, offset, reach, wide, o[0], o[1], o[2], o[4], o[5])
        if gap > reach:
            continue
        heading = paths.pose(path, place + gap + shape[0] + 0.5 * shape[1], 0.0)[2]
        along = math.cos(wrap_angle(o[2] - heading))
        lead = 0.0
        if along > SAME_WAY:
            lead = o[3] * along
        elif along > -SAME_WAY and o[3] > SLOW_MPS:
            wait = gap / max(1.0, speed)
            ox = o[0] + o[3] * wait * math.cos(o[2])
            oy = o[1] + o[3] * wait * math.sin(o[2])
            if free_way(path, place, offset, reach, wide, ox, oy, o[2], o[4], o[5]) > reach:
                continue
        asked = demand(gap, speed, lead, accel, rho_s, brake)
        worst = max(worst, asked)
        soft = safe_distance(speed, lead, accel, rho_s, SOFT_SHARE * brake)
        margin = min(margin, gap / soft)
    return worst, margin


@jit
def free_way(
    path: FloatArray,
    place: float,
    offset: float,
    reach: float,
    shape: tuple[float, float, float],
    ox: float,
    oy: float,
    oh: float,
    olen: float,
    owid: float,
) -> float:
    """How far the car can go along the path before it touches a box; inf beyond `reach`.

    A box beside or behind the car (its middle not ahead of the car's front) that already
    overlaps the widened car is not in the way.
    """
    centre, length, width = shape
    x, y, heading = paths.pose(path, place, offset)
    dx = ox - x
    dy = oy - y
    far = reach + length + 0.5 * (olen + owid) + abs(offset)
    if dx * dx + dy * dy > far * far:
        return math.inf
    if paths.touches(x, y, heading, centre, length, width, ox, oy, oh, olen, owid):
        ahead = dx * math.cos(heading) + dy * math.sin(heading) > centre + 0.5 * length
        return 0.0 if ahead else math.inf
    went = 0.0
    while went < reach:
        went += paths.STATION_M
        x, y, heading = paths.pose(path, place + went, offset)
        if paths.touches(x, y, heading, centre, length, width, ox, oy, oh, olen, owid):
            return _refined(path, place, offset, went, shape, ox, oy, oh, olen, owid)
    return math.inf


@jit
def _refined(
    path: FloatArray,
    place: float,
    offset: float,
    hit: float,
    shape: tuple[float, float, float],
    ox: float,
    oy: float,
    oh: float,
    olen: float,
    owid: float,
) -> float:
    """The last free distance before `hit`, by halving."""
    low = hit - paths.STATION_M
    step = 0.5 * paths.STATION_M
    for _ in range(REFINE):
        x, y, heading = paths.pose(path, place + low + step, offset)
        if not paths.touches(x, y, heading, shape[0], shape[1], shape[2], ox, oy, oh, olen, owid):
            low += step
        step *= 0.5
    return low
