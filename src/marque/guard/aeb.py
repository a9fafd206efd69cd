"""Emergency braking: predicted contact, both outcomes compared, braking in stages.

1. Outcome "as commanded": the car goes on along its path with the acceleration that is asked,
   after the brake's delay. If that touches nobody, nothing is done. So where the car passes ahead
   of a crossing road user and braking would put it in front of them, it is let pass.
2. Others go straight on at their speed. One that goes along or against our path, with no turn
   between, is also predicted to follow the road; it counts only if both predictions end in
   contact. (Oncoming traffic in a curve points at us all the time, and so does who drives beside
   and a little behind us on the outer side of a bend.) Somebody oncoming who drifts across the
   road is expected to mend that within DRIFT_S, and so is who drives beside us or behind us. The
   same holds for one that is turning or braking: straight on at its speed, and as it moves now,
   must both end in contact. But who is ahead, goes our way and brakes is expected to brake on.
3. A vehicle that crosses our path and can still stop gently before it is expected to; one that
   is turning onto our road may still turn as tightly as its tyres and its length let it.
4. If there is contact: the least braking, from now and after the car's own delay, that avoids it.
   Up to 3 m/s^2 it is the driver's affair. More than 3: warn. More than 4: brake with 5.
   More than 5: brake with all there is.
5. Contact that no braking avoids: full braking if it comes from ahead; none if it comes from
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
SLOW_MPS = 7.5  # cyclists and people on foot
TURNS_RADPS = 0.06  # slower is straight on
TIGHT_RADPS = 0.15  # from here on somebody has begun a turn that may become as tight as:
TIGHT_MPS2, TIGHT_LENGTHS = 6.0, 1.1  # lateral acceleration; least radius
CALM_MPS2 = 3.0  # braking that is left to the driver
PARTIAL_MPS2 = 5.0
SIDE_M = 0.1
FRONT_M = 0.3
# Goes along the road: sine of the angle to our path, and how far the path may turn between us.
# One that is nearly tangent to our path far round a bend drives on that bend.
ALONG = ((0.5, 0.7), (0.15, 1.6))
DRIFT_S = 0.7
# Beside us and so far behind our axle, where the road turns this much within this distance: who
# only swings out, as for a lane change, ends as it began. On a straight road, farther behind.
BEHIND_M, BEND_M, BEND_RAD = 12.0, 30.0, 0.15
FOLLOWS_M = 30.0
WAITS_MPS2, WAITS_M = 3.5, 1.0  # one who crosses and can still wait so gently, so far away
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
    contact from ahead that full braking does not avoid. objects [n, 10] now; shape as in `rss`.
    """
    need = 0.0
    first = math.inf
    speed, accel, asked = motion
    if speed < SLOWEST_MPS or len(objects) == 0:
        return need, first
    bodies = np.empty((STEPS + 1, 4))
    horizon = late_s + speed / (2.0 * CALM_MPS2) + LATE_S
    start = (place, offset, shape[0])
    count = drive_on(bodies, path, start, speed, accel, asked, late_s, horizon)
    threats = np.empty(len(objects), dtype=np.int64)
    ahead = np.empty(len(objects), dtype=np.bool_)
    left = 0
    for i in range(len(objects)):
        hit = contact(bodies, count, path, place, objects[i], shape)
        if hit < 0:
            continue
        first = min(first, hit * STEP_S)
        threats[left] = i
        ahead[left] = _from_ahead(bodies[hit], objects[i], hit * STEP_S, shape[1])
        left += 1
    level = CALM_MPS2
    while left > 0 and level <= brake:
        horizon = late_s + speed / level + STEP_S
        count = drive_on(bodies, path, start, speed, min(0.0, accel), -level, late_s, horizon)
        still = 0
        for j in range(left):
            if contact(bodies, count, path, place, objects[threats[j]], shape) < 0:
                need = max(need, level)
                continue
            threats[still] = threats[j]
            ahead[still] = ahead[j]
            still += 1
        left = still
        level = level + 1.0 if level + 1.0 <= brake or level == brake else brake
    for j in range(left):
        if ahead[j]:
            need = math.inf
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
def drive_on(
    bodies: FloatArray,
    path: FloatArray,
    start: tuple[float, float, float],
    speed: float,
    accel: float,
    asked: float,
    late_s: float,
    horizon_s: float,
) -> int:
    """Fill the car's bodies each STEP_S: `accel` until `late_s`, then `asked`, until it stands.

    start: place, offset, axle to middle. Returns how many there are.
    """
    count = min(STEPS, int(horizon_s / STEP_S)) + 1
    for k in range(count):
        t = k * STEP_S
        went, left = _motion(speed, accel, min(t, late_s))
        more, left = _motion(left, asked, max(0.0, t - late_s))
        bodies[k] = paths.body(path, start[0] + went + more, start[1], start[2])
        if left <= 0.0:
            return k + 1
    return count


@jit
def swing(bodies: FloatArray, count: int, lateral_mps2: float) -> FloatArray:
    """The bodies of a car that steers so hard to its left (positive) from now on."""
    out = bodies.copy()
    for k in range(count):
        aside = 0.5 * lateral_mps2 * (k * STEP_S) ** 2
        out[k, 0] -= aside * bodies[k, 3]
        out[k, 1] += aside * bodies[k, 2]
    return out


@jit
def _motion(speed: float, accel: float, t: float) -> tuple[float, float]:
    """(way, speed) after `t` at constant acceleration, never backwards."""
    if accel < 0.0 and t > -speed / accel:
        return -0.5 * speed * speed / accel, 0.0
    return speed * t + 0.5 * accel * t * t, speed + accel * t


@jit
def contact(
    bodies: FloatArray,
    count: int,
    path: FloatArray,
    place: float,
    o: FloatArray,
    shape: tuple[float, float, float],
) -> int:
    """The first of `count` bodies that touches a road user by rule 2, -1 if none does."""
    straight = straight_on(bodies, count, o, shape, 0.0)
    if straight == 0:
        return 0 if _from_ahead(bodies[0], o, 0.0, 2.0 * shape[1]) else -1
    braking = straight
    if o[paths.BRAKING] > 0.0:
        braking = straight_on(bodies, count, o, shape, o[paths.BRAKING])
    if braking < 0:
        return -1
    along, s, d, turn = _on_road(path, place, o)
    leads = along and math.cos(turn) > 0.0 and s > place + shape[0] + 0.5 * shape[1]
    if leads:
        straight = braking
    if straight < 0:
        return -1
    straight = max(straight, braking)
    if abs(o[paths.YAW_RATE]) > TURNS_RADPS:
        turning = arc_on(bodies, count, o, shape, o[paths.YAW_RATE], math.inf)
        if turning < 0:
            return -1
        straight = max(straight, turning)
    if not along:
        waits = _can_wait(o, straight) or _can_turn(bodies, count, turn, o, shape)
        return -1 if waits else straight
    mends = math.cos(turn) < 0.0 or s - o[paths.HALF_LENGTH] < place + shape[0] + 0.5 * shape[1]
    drifts_s = DRIFT_S if mends else math.inf
    slows = o[paths.BRAKING] if leads else 0.0
    on_road = _on_the_road(bodies, count, path, (s, d, turn), (drifts_s, slows), o, shape)
    return max(on_road, straight) if on_road >= 0 else -1


@jit
def _can_wait(o: FloatArray, hit: int) -> bool:
    """Whether a vehicle that crosses can still stop gently before it touches us at step `hit`."""
    speed = o[paths.VELOCITY]
    if speed < SLOW_MPS:  # they are not expected to
        return False
    return bool(speed * speed / (2.0 * WAITS_MPS2) + WAITS_M < speed * hit * STEP_S)


@jit
def _can_turn(
    bodies: FloatArray, count: int, turn: float, o: FloatArray, shape: tuple[float, float, float]
) -> bool:
    """Whether one who has begun to turn onto our road passes if it turns tightly; `turn`: its
    angle to our path."""
    speed, yaw_rate = o[paths.VELOCITY], o[paths.YAW_RATE]
    if abs(yaw_rate) < TIGHT_RADPS:
        return False
    radius = max(speed * speed / TIGHT_MPS2, 2.0 * TIGHT_LENGTHS * o[paths.HALF_LENGTH])
    side = 1.0 if yaw_rate > 0.0 else -1.0
    left = (-side * turn) % math.pi  # until it drives along our path or against it
    return arc_on(bodies, count, o, shape, side * speed / radius, left) < 0


@jit
def straight_on(
    bodies: FloatArray,
    count: int,
    o: FloatArray,
    shape: tuple[float, float, float],
    braking: float,
) -> int:
    """First touch if the road user goes straight on and brakes so much, -1 if none."""
    half = (0.5 * shape[1], 0.5 * shape[2] + SIDE_M)
    for k in range(count):
        way, _ = _motion(o[paths.VELOCITY], -braking, k * STEP_S)
        ox = o[paths.X] + way * o[paths.COS]
        oy = o[paths.Y] + way * o[paths.SIN]
        if paths.touches(bodies[k], half, FRONT_M, o, ox, oy):
            return k
    return -1


@jit
def arc_on(
    bodies: FloatArray,
    count: int,
    o: FloatArray,
    shape: tuple[float, float, float],
    yaw_rate: float,
    angle: float,
) -> int:
    """First touch if the road user turns by `angle` (positive) and then goes straight on; -1 if
    none."""
    half = (0.5 * shape[1], 0.5 * shape[2] + SIDE_M)
    there = o.copy()
    reach = o[paths.VELOCITY] / yaw_rate
    turns_s = angle / abs(yaw_rate)
    for k in range(count):
        t = min(k * STEP_S, turns_s)
        heading = o[paths.HEADING] + yaw_rate * t
        there[paths.COS] = math.cos(heading)
        there[paths.SIN] = math.sin(heading)
        on = o[paths.VELOCITY] * (k * STEP_S - t)
        ox = o[paths.X] + reach * (math.sin(heading) - o[paths.SIN]) + on * there[paths.COS]
        oy = o[paths.Y] - reach * (math.cos(heading) - o[paths.COS]) + on * there[paths.SIN]
        if paths.touches(bodies[k], half, FRONT_M, there, ox, oy):
            return k
    return -1


@jit
def _on_the_road(
    bodies: FloatArray,
    count: int,
    path: FloatArray,
    course: tuple[float, float, float],
    drifts: tuple[float, float],
    o: FloatArray,
    shape: tuple[float, float, float],
) -> int:
    """First touch if the road user drifts for a time, then keeps its place across the road, and
    points along it; -1 if none.

    course: its s, d and angle to the path; drifts: how long, and its braking.
    """
    half = (0.5 * shape[1], 0.5 * shape[2] + SIDE_M)
    there = o.copy()
    bend = paths.column(path, course[0], paths.CURVATURE)
    shorter = min(2.0, max(0.5, 1.0 - bend * course[1]))  # the inner side of a bend
    vs, vd = math.cos(course[2]) / shorter, math.sin(course[2])
    along = 0.0 if math.cos(course[2]) > 0.0 else math.pi
    for k in range(count):
        t = k * STEP_S
        way, _ = _motion(o[paths.VELOCITY], -drifts[1], t)
        aside, _ = _motion(o[paths.VELOCITY], -drifts[1], min(t, drifts[0]))
        ox, oy, heading = paths.pose(path, course[0] + vs * way, course[1] + vd * aside)
        turn = course[2] if t < drifts[0] else along
        there[paths.COS] = math.cos(heading + turn)
        there[paths.SIN] = math.sin(heading + turn)
        if paths.touches(bodies[k], half, FRONT_M, there, ox, oy):
            return k
    return -1


@jit
def _on_road(path: FloatArray, place: float, o: FloatArray) -> tuple[bool, float, float, float]:
    """Whether a road user goes along or against our path; its s, d and angle to the path."""
    s, d, heading = paths.place_on(path, o[paths.X], o[paths.Y])
    _, _, here = paths.pose(path, place, 0.0)
    between = abs(wrap_angle(heading - here))
    inside = 0.0 <= s <= (paths.STATIONS - 1) * paths.STATION_M
    if -FOLLOWS_M <= s < 0.0:
        _, _, there = paths.pose(path, place + BEND_M, 0.0)
        bends = abs(wrap_angle(there - here)) > BEND_RAD
        inside = s >= -BEHIND_M or not bends
        if bends:  # the bend that we are in began behind us
            bend = paths.column(path, 0.0, paths.CURVATURE)
            heading += bend * s
            d -= 0.5 * bend * s * s
    turn = wrap_angle(o[paths.HEADING] - heading)
    sine = abs(math.sin(turn))
    loose = sine <= ALONG[0][0] and between <= ALONG[0][1]
    close = sine <= ALONG[1][0] and between <= ALONG[1][1]
    return inside and (loose or close), s, d, turn


@jit
def _from_ahead(body: FloatArray, o: FloatArray, t: float, length: float) -> bool:
    """Whether a road user's middle is, at time `t`, further ahead than a quarter of `length`."""
    dx = o[paths.X] + o[paths.VELOCITY] * o[paths.COS] * t - body[0]
    dy = o[paths.Y] + o[paths.VELOCITY] * o[paths.SIN] * t - body[1]
    return bool(dx * body[2] + dy * body[3] > 0.25 * length)
