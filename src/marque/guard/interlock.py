"""The interlock: no stop line is crossed at red, no ground is entered before those who go first.

1. What is ahead is what `road_ahead` tells, of map and measured signals. Of the ways that leave a
   lane those count that the path follows as far as it is planned; where one of them is free, the
   line is.
2. Red: while the red lamp is on, and the car could still stop before the line when it was first
   seen so, the car stops STOP_M before it. Whoever could not any more drives on.
3. Priority: ground that crosses our way is not entered while somebody who goes first is on it, or
   will be while we are: both as planned and as commanded, if they keep their speed or brake on.
   Who stands lets us go; who may still turn off elsewhere, or has red, does not count.
4. Nothing is done before the last moment: when braking with less than LATE_MPS2, after the car's
   own delay and ramp, would not do. From then on the braking that is needed, until the car stands,
   the lamp goes out, or the ground is free.
5. What was seen red stays red while the signal is out of sight.
6. Without a road ahead, or with one that is older than ROAD_NS or from the future, nothing is done
   and that is noted; what holds the car goes on holding it.

Red: Convention on Road Signs and Signals (1968), article 23. Priority: Convention on Road Traffic
(1968), article 18. The numbers are draft values.
"""

import math
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array
from marque.core.geometry import project, wrap_angle
from marque.core.jit import jit
from marque.core.time import BASE_STEP_NS, NS_PER_S
from marque.guard import path as paths
from marque.guard import ways_ahead
from marque.types.codes import SignalState
from marque.types.platform import Platform
from marque.types.reading import EgoReading, RoadAhead

ROAD_NS = 200_000_000
LATE_MPS2 = 5.0
STOP_M = 0.3  # before the line, or before the ground
OVER_M = 2.0  # whoever was held and is no farther over the line is held on
RESTS_MPS, HOLD_MPS2, HELD_MPS2 = 0.3, 0.8, 0.5  # at rest: what holds, and what is enough
FOLLOW_M = 1.0  # farther from the path than the nearest way
CROSSES_M, CROSSES_RAD = 0.3, 0.5  # of somebody who drives along a way
MOVES_MPS = 1.0
MARGIN = 10.0  # the greatest that is told

RULES = ("", "red_light", "priority")
RED_LIGHT, PRIORITY = 1, 2
_RED, _RED_AMBER = int(SignalState.RED), int(SignalState.RED_AMBER)
_GREEN, _UNKNOWN = int(SignalState.GREEN), int(SignalState.UNKNOWN)


class Lock(NamedTuple):
    """What the interlock keeps: lanes by their numbers in `road_ahead`, -1 for none."""

    red: int = -1  # at the end of which a red line binds
    holds: int = 0  # the rule in RULES that brakes
    zone: int = -1  # before which the priority of others binds
    note: str = ""  # why nothing was looked at


class Ruling(NamedTuple):
    """Braking asked (0: none), its rule in RULES, and braking there is / braking needed."""

    braking_mps2: float = 0.0
    rule: int = 0
    margin: float = MARGIN


def fault(road: RoadAhead | None, t_ns: int) -> str:
    """Why the road ahead may not be used, "" if it may."""
    if road is None:
        return "road_missing"
    if road.t_ns > t_ns + BASE_STEP_NS:
        return "road_stamp_ahead"
    if t_ns - road.t_ns > ROAD_NS:
        return "road_stale"
    finite = np.isfinite(road.line_xy_m).all() and np.isfinite(road.entry_stop_m).all()
    return "" if finite else "road_not_finite"


def look(
    lock: Lock,
    road: RoadAhead | None,
    path: FloatArray,
    ego: EgoReading,
    accels: tuple[float, float],
    objects: FloatArray,
    platform: Platform,
    t_ns: int,
) -> tuple[Lock, Ruling]:
    """Rules 1 to 6. path: the corridor that the car follows; objects [n, paths.OBJECT] at `t_ns`;
    accels: what was asked for last, and what is so far."""
    wrong = fault(road, t_ns)
    if wrong or road is None:
        holds = lock.holds if ego.speed_mps < RESTS_MPS else 0
        kept = Lock(lock.red if holds else -1, holds, lock.zone if holds else -1, wrong)
        return kept, Ruling(HOLD_MPS2, holds, 1.0) if holds else Ruling()
    if not len(road.entry_line):
        return Lock(), Ruling()
    brake = platform.brake
    found = _judge(
        path,
        (ego.x_m, ego.y_m, ego.speed_mps, _soon(ego.accel_mps2, accels[0]), accels[1]),
        pose_at(ego, road.t_ns),
        (road.line_off, road.line_xy_m, road.line_s_m, road.line_half_m),
        (road.entry_line, road.entry_from, road.entry_stop_m, road.entry_signal),
        (road.zone_entry, road.zone_line, road.zone_signal),
        (road.zone_in_m, road.zone_out_m),
        (road.zone_their_in_m, road.zone_their_out_m, road.zone_sure_m),
        objects,
        (brake.dead_s + brake.lag_s, brake.rate, platform.max_brake_mps2),
        (platform.front_m, platform.length_m),
        (lock.red, lock.zone, lock.holds),
    )
    red, zone, rule, braking, need = found
    return Lock(red, rule, zone), Ruling(
        braking, rule, min(MARGIN, platform.max_brake_mps2 / max(need, 1e-9))
    )


def _soon(accel_mps2: float, last_mps2: float) -> float:
    """What the car does until the brake answers: braking that was asked for comes bit by bit."""
    return last_mps2 if last_mps2 > accel_mps2 else 0.5 * (accel_mps2 + last_mps2)


def pose_at(ego: EgoReading, t_ns: int) -> tuple[float, float, float]:
    """(x, y, heading) of the car at a stamp near that of its reading."""
    since_s = (ego.t_ns - t_ns) / NS_PER_S
    turned = ego.yaw_rate_radps * since_s
    way = ego.speed_mps * since_s
    middle = ego.heading_rad - 0.5 * turned
    return (
        ego.x_m - way * math.cos(middle),
        ego.y_m - way * math.sin(middle),
        ego.heading_rad - turned,
    )


@jit
def _judge(
    path: FloatArray,
    ego: tuple[float, float, float, float, float],
    pose: tuple[float, float, float],
    lines: tuple[Int32Array, FloatArray, FloatArray, FloatArray],
    entries: tuple[Int32Array, Int32Array, FloatArray, Int8Array],
    zones: tuple[Int32Array, Int32Array, Int8Array],
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray, FloatArray],
    objects: FloatArray,
    brake: tuple[float, float, float],
    shape: tuple[float, float],
    lock: tuple[int, int, int],
) -> tuple[int, int, int, float, float]:
    """(lane whose red line binds, zone that binds, rule, braking, braking needed).

    ego: x, y, speed, acceleration until the brake answers, asked now; pose: of the frame in which
    lines are; brake: delay before the ramp, the ramp, the most; shape: axle to front, length; lock:
    red, zone, holds of Lock.
    """
    place, _, _ = paths.place_on(path, ego[0], ego[1])
    front = place + shape[0]
    known = ways_ahead.planned(path)
    at, off = np.empty(len(entries[0])), np.empty(len(entries[0]))
    for e in range(len(at)):
        at[e], off[e] = ways_ahead.crossed(
            path, place, known, pose, lines, entries[0][e], entries[2][e]
        )
    motion = (ego[2], ego[3], ego[4])
    red, braking, need = _red((at, off), entries, front, motion, brake, lock)
    if braking > 0.0:
        return red, -1, RED_LIGHT, braking, need
    zone, braking, need = _priority(
        path, (at, off), pose, lines, entries, zones, ours, theirs,
        (front, place, known), motion, objects, brake, shape, lock,
    )  # fmt: skip
    return red, zone, PRIORITY if braking > 0.0 else 0, braking, need


@jit
def _red(
    ways: tuple[FloatArray, FloatArray],
    entries: tuple[Int32Array, Int32Array, FloatArray, Int8Array],
    front: float,
    motion: tuple[float, float, float],
    brake: tuple[float, float, float],
    lock: tuple[int, int, int],
) -> tuple[int, float, float]:
    """(lane whose red line binds, braking, braking needed) of the next red line; ways: of all
    entries what `ways_ahead.crossed` gives."""
    near = math.inf
    lane = -1
    at = ways[0]
    for e in range(len(at)):
        before = entries[1][e]
        over = OVER_M if before == lock[0] else 0.0
        if at[e] < near and at[e] > front - over and _all_red(ways, entries, e, lock[0]):
            near = at[e]
            lane = before
    if lane < 0:
        return -1, 0.0, 0.0
    speed, accel, asked = motion
    held = lock[0] == lane
    hard = ways_ahead.needed(near - front, speed, accel, brake[0], brake[1], brake[2])
    if hard > brake[2] and not held:
        return -1, 0.0, 0.0
    need = ways_ahead.needed(near - STOP_M - front, speed, accel, brake[0], brake[1], brake[2])
    soft = min(need, max(hard, LATE_MPS2 + 1.0))
    braking = _late(need, soft, (speed, asked), brake[2], held and lock[2] == RED_LIGHT)
    return lane, braking, need


@jit
def _all_red(
    ways: tuple[FloatArray, FloatArray],
    entries: tuple[Int32Array, Int32Array, FloatArray, Int8Array],
    e: int,
    bound: int,
) -> bool:
    """Whether every way that the path may take over the line of entry `e` is red."""
    for k in range(len(entries[0])):
        if not ways_ahead.goes(ways, e, k, FOLLOW_M):
            continue
        state = entries[3][k]
        seen = state in (_RED, _RED_AMBER)
        if not seen and not (state == _UNKNOWN and entries[1][k] == bound):
            return False
    return True


@jit
def _late(need: float, soft: float, motion: tuple[float, float], most: float, holds: bool) -> float:
    """Rule 4: the braking, 0 before the last moment; at rest what holds the car, if it is not held
    anyway. soft: the braking that will do; motion: speed, acceleration asked."""
    if motion[0] < RESTS_MPS:
        return HOLD_MPS2 if need >= LATE_MPS2 and motion[1] > -HELD_MPS2 else 0.0
    if need < LATE_MPS2 and not holds:
        return 0.0
    return min(most, soft)


@jit
def _priority(
    path: FloatArray,
    ways: tuple[FloatArray, FloatArray],
    pose: tuple[float, float, float],
    lines: tuple[Int32Array, FloatArray, FloatArray, FloatArray],
    entries: tuple[Int32Array, Int32Array, FloatArray, Int8Array],
    zones: tuple[Int32Array, Int32Array, Int8Array],
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray, FloatArray],
    where: tuple[float, float, float],
    motion: tuple[float, float, float],
    objects: FloatArray,
    brake: tuple[float, float, float],
    shape: tuple[float, float],
    lock: tuple[int, int, int],
) -> tuple[int, float, float]:
    """(zone that binds, braking, braking needed): the hardest of all zones; where: our front, our
    axle, and how far the path is known."""
    worst = 0.0
    need_of = 0.0
    binds = -1
    front, place, known = where
    for z in range(len(zones[0])):
        e = zones[0][z]
        at = ways[0]
        begin = at[e] + ours[0][z] - entries[2][e]
        end = at[e] + ours[1][z] - entries[2][e]
        signal = entries[3][e]
        if not front < begin <= known or signal == _GREEN or zones[2][z] == _RED:
            continue
        if not ways_ahead.goes(ways, e, e, 0.0):
            continue
        need = ways_ahead.needed(
            begin - STOP_M - front, motion[0], motion[1], brake[0], brake[1], brake[2]
        )
        hard = ways_ahead.needed(begin - front, motion[0], motion[1], brake[0], brake[1], brake[2])
        holds = lock[2] == PRIORITY and lock[1] == z
        if not holds and (need < LATE_MPS2 or hard > brake[2]):
            continue
        span = _span(path, place, (begin - front, end + shape[1] - front), motion)
        if not _taken(pose, lines, zones[1][z], (theirs[0][z], theirs[1][z], theirs[2][z]),
                      span, objects):  # fmt: skip
            continue
        soft = min(need, max(hard, LATE_MPS2 + 1.0))
        braking = _late(need, soft, (motion[0], motion[2]), brake[2], holds)
        if braking > worst:
            worst, need_of, binds = braking, need, z
    return binds, worst, need_of


@jit
def _span(
    path: FloatArray, place: float, ways: tuple[float, float], motion: tuple[float, float, float]
) -> tuple[float, float, float, float]:
    """When our front comes onto the ground and our rear off it: as planned, and as commanded.

    ways: from here until then.
    """
    return (
        ways_ahead.planned_s(path, place, ways[0]),
        ways_ahead.planned_s(path, place, ways[1]),
        ways_ahead.commanded_s(ways[0], motion[0], motion[2]),
        ways_ahead.commanded_s(ways[1], motion[0], motion[2]),
    )


@jit
def _taken(
    pose: tuple[float, float, float],
    lines: tuple[Int32Array, FloatArray, FloatArray, FloatArray],
    line: int,
    ground: tuple[float, float, float],
    span: tuple[float, float, float, float],
    objects: FloatArray,
) -> bool:
    """Whether somebody on a line is on its ground (in, out; sure: see RoadAhead) while we are."""
    first, last = lines[0][line], lines[0][line + 1]
    xy, s = lines[1][first:last], lines[2][first:last]
    c, n = math.cos(pose[2]), math.sin(pose[2])
    for i in range(len(objects)):
        o = objects[i]
        speed = o[paths.VELOCITY]
        if speed < MOVES_MPS:
            continue
        dx, dy = o[paths.X] - pose[0], o[paths.Y] - pose[1]
        x, y = c * dx + n * dy, c * dy - n * dx
        at, d, k = project(xy, s, x, y, 0, len(xy) - 1)
        if abs(d) > lines[3][line] + CROSSES_M or at <= 0.0 or at < ground[2]:
            continue
        along = math.atan2(xy[k + 1, 1] - xy[k, 1], xy[k + 1, 0] - xy[k, 0]) + pose[2]
        if abs(wrap_angle(o[paths.HEADING] - along)) > CROSSES_RAD:
            continue
        nose = ground[0] - at - o[paths.HALF_LENGTH]
        tail = ground[1] - at + o[paths.HALF_LENGTH]
        if tail <= 0.0:
            continue
        if o[paths.BRAKING] > 0.0 and speed * speed / (2.0 * o[paths.BRAKING]) < nose:
            continue  # stops before it
        comes, goes = max(0.0, nose / speed), tail / speed
        if comes < span[1] and goes > span[0] and comes < span[3] and goes > span[2]:
            return True
    return False
