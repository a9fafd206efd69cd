"""Slow twins of `kernels.following`, from the formulas as they are printed."""

import math


def idm_interaction(v, v_lead, gap, accel, brake, headway, s0):
    """Treiber 2000, eq. (3): a (1 - (s* / s)^2), s* = s0 + max(0, v T + v dv / (2 sqrt(a b)))."""
    approach = v - v_lead
    dynamic = v * headway + v * approach / (2.0 * math.sqrt(accel * brake))
    wanted = s0 + (dynamic if dynamic > 0.0 else 0.0)
    return accel * (1.0 - (wanted / (gap if gap > 0.1 else 0.1)) ** 2)


def cah(v, v_lead, a_lead, gap):
    """Kesting 2010, eq. (3): what suffices if the leader keeps its acceleration."""
    if v_lead * (v - v_lead) <= -2.0 * gap * a_lead:
        down = v_lead**2 - 2.0 * gap * a_lead
        return v**2 * a_lead / down if down > 1e-6 else None
    approach = v - v_lead if v > v_lead else 0.0
    return a_lead - approach**2 / (2.0 * gap)


def acc(v, v_lead, a_lead, gap, accel, brake, headway, s0, cool=0.99):
    """Kesting 2010, eq. (4)."""
    plain = idm_interaction(v, v_lead, gap, accel, brake, headway, s0)
    lazy = cah(v, v_lead, min(a_lead, accel), max(gap, 0.1))
    if lazy is None or plain >= lazy:
        return plain
    return (1.0 - cool) * plain + cool * (lazy + brake * math.tanh((plain - lazy) / brake))


def stop_speed(distance, brake, jerk):
    """Time back from rest by bisection: braking grows by `jerk` up to `brake`, then stays."""
    ease = brake / jerk

    def way(t):
        if t <= ease:
            return jerk * t**3 / 6.0
        rest = t - ease
        return jerk * ease**3 / 6.0 + 0.5 * jerk * ease**2 * rest + 0.5 * brake * rest**2

    lo, hi = 0.0, 1000.0
    for _ in range(200):
        middle = 0.5 * (lo + hi)
        lo, hi = (middle, hi) if way(middle) < distance else (lo, middle)
    t = lo
    return 0.5 * jerk * t**2 if t <= ease else 0.5 * jerk * ease**2 + brake * (t - ease)
