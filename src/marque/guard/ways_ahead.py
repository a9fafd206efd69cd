"""What of the road ahead the car's path takes: stop lines it crosses, ways it follows, how long
until it is there, and the braking that stops it before.

Lines are those of `RoadAhead`, as arrays: where each begins, points, arc lengths, half widths.
"""

import math

from marque.core.arrays import FloatArray, Int32Array
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.guard import path as paths

SAME_M, WIDER_M, TURNED_RAD = 1.0, 0.3, 0.6  # of a path that crosses a line
PROBE_M, SPREAD_M = 2.0, 30.0  # a way is probed so often, so far
SLOWEST_MPS, LITTLE_MPS2, AGES_S = 0.1, 1e-3, 1e3
REACH_M = (paths.STATIONS - 1) * paths.STATION_M


@jit
def planned(path: FloatArray) -> float:
    """How far along the path somebody means to drive; beyond it is only drawn on."""
    last = 0
    for k in range(paths.STATIONS):
        if path[k, paths.SPEED] > 0.0:
            last = k
    return last * paths.STATION_M


@jit
def crossed(
    path: FloatArray,
    place: float,
    known: float,
    pose: tuple[float, float, float],
    lines: tuple[Int32Array, FloatArray, FloatArray, FloatArray],
    line: int,
    stop: float,
) -> tuple[float, float]:
    """Where along the path an entry's stop line is, inf if the path does not cross it; and how far
    the entry's way then is from the path as it is planned."""
    x, y, heading = on_line(lines, line, stop, pose)
    if math.hypot(x - path[0, 0], y - path[0, 1]) > REACH_M + place:
        return math.inf, 0.0
    s, d, along = paths.place_on(path, x, y)
    if abs(d) > lines[3][line] + WIDER_M or abs(wrap_angle(heading - along)) > TURNED_RAD:
        return math.inf, 0.0
    off = 0.0
    end = min(lines[2][lines[0][line + 1] - 1], stop + SPREAD_M)
    probe = stop + PROBE_M
    while probe < end:
        x, y, _ = on_line(lines, line, probe, pose)
        where, aside, _ = paths.place_on(path, x, y)
        if where > known:
            break
        off = max(off, abs(aside - d))
        probe += PROBE_M
    return s, off


@jit
def goes(ways: tuple[FloatArray, FloatArray], e: int, k: int, spare: float) -> bool:
    """Whether entry `k` leaves over the line of entry `e`, and as near to the path, but for
    `spare`, as any that does."""
    at, off = ways
    if not abs(at[k] - at[e]) <= SAME_M:
        return False
    for j in range(len(at)):
        if abs(at[j] - at[e]) <= SAME_M and off[k] > off[j] + spare:
            return False
    return True


@jit
def on_line(
    lines: tuple[Int32Array, FloatArray, FloatArray, FloatArray],
    line: int,
    s: float,
    pose: tuple[float, float, float],
) -> tuple[float, float, float]:
    """(x, y, heading) in the map frame of a place on a line."""
    first = lines[0][line]
    last = lines[0][line + 1] - 2
    i = first
    while i < last and lines[2][i + 1] < s:
        i += 1
    step = lines[2][i + 1] - lines[2][i]
    share = (s - lines[2][i]) / max(1e-9, step)
    dx = lines[1][i + 1, 0] - lines[1][i, 0]
    dy = lines[1][i + 1, 1] - lines[1][i, 1]
    x = lines[1][i, 0] + share * dx
    y = lines[1][i, 1] + share * dy
    c = math.cos(pose[2])
    n = math.sin(pose[2])
    return pose[0] + c * x - n * y, pose[1] + n * x + c * y, pose[2] + math.atan2(dy, dx)


@jit
def needed(
    room: float, speed: float, accel: float, late_s: float, rate: float, most: float
) -> float:
    """Least braking that stops the car within `room`, after its delay and its ramp; inf: none does.

    accel: what the car does until the brake answers.
    """
    t = late_s if accel >= 0.0 else min(late_s, -speed / accel)
    v = max(0.0, speed + accel * t)
    left = room - speed * t - 0.5 * accel * t * t
    if v <= 0.0:
        return 0.0 if left >= 0.0 else math.inf
    braking = 0.0
    for _ in range(4):  # half of the time that the ramp takes is lost
        ramp_s = max(0.0, min(braking, most) + min(0.0, accel)) / rate
        shorter = left - 0.5 * v * ramp_s
        if shorter <= 0.0:
            return math.inf
        braking = v * v / (2.0 * shorter)
    return braking


@jit
def planned_s(path: FloatArray, place: float, way: float) -> float:
    """How long the path's own speeds take for a way from `place` on."""
    total = 0.0
    gone = 0.0
    while gone < way:
        step = min(paths.STATION_M, way - gone)
        total += step / max(SLOWEST_MPS, paths.column(path, place + gone + 0.5 * step, paths.SPEED))
        gone += step
    return total


@jit
def commanded_s(way: float, speed: float, accel: float) -> float:
    """How long a way takes at constant acceleration; AGES_S if the car stands before."""
    if abs(accel) < LITTLE_MPS2:
        return min(AGES_S, way / max(speed, 1e-9))
    reach = speed * speed + 2.0 * accel * way
    return (math.sqrt(reach) - speed) / accel if reach >= 0.0 else AGES_S
