"""Slow twins of `kernels.following`, from the formulas as they are printed."""

import math


def idm_interaction(v, v_lead, gap, accel, brake, headway, s0):
    """Treiber 2000, eq. (3): a (1 - (s* / s)^2), s* = s0 + max(0, v T + v dv / (2 sqrt(a b)))."""
    approach = v - v_lead
    dynamic = v * headway + v * approach / (2.0 * math.sqrt(accel * brake))
    wanted = s0 + (dynamic if dynamic > 0.0 else 0.0)
    return accel * (1.0 - (wanted / (gap if gap > 0.1 else 0.1)) ** 2)


def following(v, v_lead, gap, accel, brake, headway, s0):
    """IDM with s* = s0 + max(0, v T + v_l dv / (2 a) + dv^2 / (2 sqrt(a b))), for a <= b <= 4 a."""
    dv, ahead = v - v_lead, max(v_lead, 0.0)
    b = min(max(brake, accel), 4.0 * accel)
    like_idm = (v - ahead) * dv / (2.0 * math.sqrt(accel * brake))
    both = ahead * dv * math.sqrt(b / brake) / (2.0 * accel)
    dynamic = v * headway + like_idm + both
    return accel * (1.0 - ((s0 + max(0.0, dynamic)) / max(gap, 0.1)) ** 2)


def cah(v, v_lead, a_lead, gap):
    """Kesting 2010, eq. (3): what suffices if the leader keeps its acceleration."""
    if v_lead * (v - v_lead) <= -2.0 * gap * a_lead:
        down = v_lead**2 - 2.0 * gap * a_lead
        return v**2 * a_lead / down if down > 1e-6 else None
    approach = v - v_lead if v > v_lead else 0.0
    return a_lead - approach**2 / (2.0 * gap)


def expected(v_lead, a_lead):
    """The leader's speed in 0.5 s, but for 0.3 m/s2 of its acceleration; it never reverses."""
    if a_lead > 0.3:
        return max(min(v_lead, 0.0), v_lead + 0.5 * (a_lead - 0.3))
    if a_lead < -0.3:
        return v_lead if v_lead < 0.0 else max(0.0, v_lead + 0.5 * (a_lead + 0.3))
    return v_lead


def acc(v, v_lead, a_lead, gap, accel, brake, headway, s0, cool=0.99):
    """Kesting 2010, eq. (4), with a following law that no car's brakes exceed, and a leader as
    fast as it will be in 0.5 s, though it never reverses."""
    soon = expected(v_lead, a_lead)
    plain = max(-8.0, following(v, soon, gap, accel, brake, headway, s0))
    lazy = cah(v, v_lead, min(a_lead, accel), max(gap, 0.1))
    if lazy is None or plain >= lazy:
        return plain
    return (1.0 - cool) * plain + cool * (lazy + brake * math.tanh((plain - lazy) / brake))


def stop_distance(v, a, brake, jerk, dt=1e-3):
    """Small steps: ease off to rest as soon as that is what the speed needs, else more brake up to
    the most allowed."""
    way = 0.0
    while v > 0.0:
        if a < 0.0 and v <= a * a / (1.4 * jerk):
            return way - 2.0 / 3.0 * v * v / a
        a = max(a - jerk * dt, min(-brake, a))
        after = v + a * dt
        way += 0.5 * (v + max(after, 0.0)) * dt
        v = after
    return way


def stops(v, a_new, room, brake, jerk, dt, distance=stop_distance):
    """Whether driving with `a_new` for `dt` leaves enough way to stop."""
    after = v + a_new * dt
    if after <= 0.0:
        return 0.5 * v * dt <= max(room, 0.0) + 0.05
    return 0.5 * (v + after) * dt + distance(after, a_new, brake, jerk) <= room


def firm(v, room, free, low):
    """What a stop needs that has to be made up for: eased off at 4 m/s3 once that suffices."""
    must = v * v / (2.0 * max(room, 0.05))
    if room > 0.05 and (4.0 / 3.0 * must) ** 2 <= 8.0 * v:
        return min(free, -4.0 / 3.0 * must)
    return min(free, max(min(low, -1.15 * must), -max(2.85, 1.03 * must)))


def stop_accel(v, a, room, free, brake, jerk, dt, distance=stop_distance):
    """The largest of 129 accelerations within the jerk limit that still stops in time."""
    low, high = a - jerk * dt, min(free, a + jerk * dt)
    if high <= low:
        high = low
    fits = [
        each
        for each in [low + (high - low) * k / 128.0 for k in range(128)] + [high]
        if stops(v, each, room, brake, jerk, dt, distance)
    ]
    if not fits:
        return firm(v, room, free, low)
    return free if high in fits else max(fits)
