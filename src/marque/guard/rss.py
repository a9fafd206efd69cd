"""Keeping enough distance: RSS, longitudinal, with the platform's own delays.

1. A road user counts if its box overlaps the car's swept path within the distance that this rule
   could ever ask for. The path is 0.2 m wider than the car on each side; beside who stands, less
   below 3 m/s, down to 10 cm: else two who stopped close beside each other would never part.
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
5. Who has just come in from beside is given room with no more than `cut_in.RESTORE_MPS2`; while it
   is still beside us, `cut_in` alone watches it.
6. A car that hardly moves needs no full braking: at most 2 m/s^2 at a stand, all from 1 m/s on.

Source: Shalev-Shwartz, Shammah, Shashua 2017, definition 1; lead braking and shares are ours.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.guard import path as paths
from marque.types.platform import Platform

STAND_M = 0.3
LEAD_BRAKE_MPS2 = 8.0
SOFT_SHARE = 0.7
FULL_SHARE = 0.95
GENTLE_MPS2 = 1.0  # braking at the first violation
CRAWL_MPS2 = 2.0
CRAWL_GAIN_1PS = 8.0
SIDE_M, SIDE_LEAST_M, SIDE_FULL_MPS = 0.2, 0.1, 3.0
SAME_WAY = 0.5  # cosine between a leader and the path
SLOW_MPS, STANDS_MPS = 0.5, 0.1  # below, a road user crosses too slowly to be gone; stands
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
    """Braking (positive) that rules 4 and 6 ask at a gap; `brake`: the car's most."""
    soft = safe_distance(speed, lead, accel, rho_s, SOFT_SHARE * brake)
    if gap >= soft:
        return 0.0
    full = safe_distance(speed, lead, accel, rho_s, FULL_SHARE * brake)
    share = min(1.0, (soft - gap) / max(1e-9, soft - full))
    asked = GENTLE_MPS2 + (brake - GENTLE_MPS2) * share * share
    return min(asked, CRAWL_MPS2 + CRAWL_GAIN_1PS * speed)


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
    most: FloatArray,
) -> tuple[float, float]:
    """(braking asked, margin = least gap / soft distance) over all road users [n, paths.OBJECT].

    shape: axle to middle, length, width of the car; most [n]: braking that each may cause, 0: it
    is not looked at. Margin inf: nobody in the way.
    """
    worst = 0.0
    margin = math.inf
    if speed <= 0.0 or not np.any(most > 0.0):
        return worst, margin
    reach = safe_distance(speed, 0.0, accel, rho_s, SOFT_SHARE * brake)
    slowly = SIDE_LEAST_M + (SIDE_M - SIDE_LEAST_M) * min(1.0, speed / SIDE_FULL_MPS)
    count = int(reach / paths.STATION_M) + 2
    bodies = np.empty((count, 4))
    for k in range(count):
        x, y, cos, sin = paths.body(path, place + k * paths.STATION_M, offset, shape[0])
        bodies[k, 0], bodies[k, 1], bodies[k, 2], bodies[k, 3] = x, y, cos, sin
    for i in range(len(objects)):
        o = objects[i]
        if most[i] <= 0.0:
            continue
        side = slowly if abs(o[paths.VELOCITY]) < STANDS_MPS else SIDE_M
        half = (0.5 * shape[1], 0.5 * shape[2] + side)
        gap = free_way(bodies, half, o, o[paths.X], o[paths.Y])
        if gap > reach:
            continue
        _, _, heading = paths.pose(path, place + gap + shape[0] + half[0], 0.0)
        along = math.cos(o[paths.HEADING] - heading)
        lead = 0.0
        if along > SAME_WAY:
            lead = o[paths.VELOCITY] * along
        elif along > -SAME_WAY and o[paths.VELOCITY] > SLOW_MPS:
            went = o[paths.VELOCITY] * gap / max(1.0, speed)
            if o[paths.BRAKING] > 0.0:
                went = min(went, o[paths.VELOCITY] ** 2 / (2.0 * o[paths.BRAKING]))
            x = o[paths.X] + went * o[paths.COS]
            y = o[paths.Y] + went * o[paths.SIN]
            if free_way(bodies, half, o, x, y) > reach:
                continue
        worst = max(worst, min(most[i], demand(gap, speed, lead, accel, rho_s, brake)))
        soft = safe_distance(speed, lead, accel, rho_s, SOFT_SHARE * brake)
        margin = min(margin, gap / soft)
    return worst, margin


@jit
def free_way(
    bodies: FloatArray, half: tuple[float, float], o: FloatArray, ox: float, oy: float
) -> float:
    """How far the car can go before it touches road user `o` at (ox, oy); inf if it never does.

    bodies [K, 4]: the car's middle, cosine and sine, a station apart, the first now; half: its
    half length and width. A road user that overlaps the car now, beside or behind it (its middle
    not ahead of the car's front), is not in the way.
    """
    if paths.touches(bodies[0], half, 0.0, o, ox, oy):
        dx = ox - bodies[0, 0]
        dy = oy - bodies[0, 1]
        ahead = dx * bodies[0, 2] + dy * bodies[0, 3] > half[0]
        return 0.0 if ahead else math.inf
    reach = half[0] + half[1] + o[paths.RADIUS]
    k = 1
    while k < len(bodies):
        away = math.hypot(ox - bodies[k, 0], oy - bodies[k, 1]) - reach
        if away > paths.STATION_M:  # no touch within so many stations
            k += int(away / paths.STATION_M)
            continue
        if paths.touches(bodies[k], half, 0.0, o, ox, oy):
            return _refined(bodies, k, half, o, ox, oy)
        k += 1
    return math.inf


@jit
def _refined(
    bodies: FloatArray, hit: int, half: tuple[float, float], o: FloatArray, ox: float, oy: float
) -> float:
    """The last free distance before station `hit`, by halving between it and the one before."""
    low = 0.0
    step = 0.5
    before = bodies[hit - 1]
    for _ in range(REFINE):
        share = low + step
        between = before + share * (bodies[hit] - before)
        if not paths.touches(between, half, 0.0, o, ox, oy):
            low += step
        step *= 0.5
    return (hit - 1 + low) * paths.STATION_M
