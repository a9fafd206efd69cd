"""Slow twins of the traffic kernels: step by step, or from the words of the rule."""

import math


def idm(v, v_lead, gap, v_free, accel, brake, headway, s0):
    """Treiber 2000, eq. (2): a (1 - (v / v0)^4 - (s* / s)^2), below the free speed."""
    dynamic = v * headway + v * (v - v_lead) / (2.0 * math.sqrt(accel * brake))
    wanted = s0 + max(0.0, dynamic)
    return accel * (1.0 - (v / v_free) ** 4 - (wanted / gap) ** 2)


def krauss_speed(v_lead, gap, brake, headway):
    """The greatest speed from which one stops behind a leader who brakes alike: by bisection."""
    low, high = 0.0, 200.0
    for _ in range(60):
        v = 0.5 * (low + high)
        fits = v * headway + v * v / (2.0 * brake) <= gap + v_lead * v_lead / (2.0 * brake)
        low, high = (v, high) if fits else (low, v)
    return low


def time_to(way, v, accel, v_free, dt=1e-3):
    """Drive it in steps of a millisecond."""
    s, t = 0.0, 0.0
    while s < way and t < 1000.0:
        new = v if v >= v_free else min(v_free, v + accel * dt)
        s += 0.5 * (v + new) * dt
        v = new
        t += dt
    return t


def phase_at(durations, offset, t):
    """Walk through the cycle second by second of its own time."""
    at = math.fmod(t - offset, sum(durations))
    at = at + sum(durations) if at < 0.0 else at
    for k, length in enumerate(durations):
        if at + 1e-9 < length:
            return k
        at -= length
    return len(durations) - 1


def meets(at, pace, lo, hi, in_s, out_s, after, dt=0.01):
    """Whether somebody on foot is in lo..hi at some instant of in_s - after .. out_s + after."""
    t = 0.0
    while t <= out_s + after:
        place = at + pace * t
        if t >= in_s - after and lo < place < hi:
            return True
        t += dt
    return False
