"""Car following and stopping, one vehicle at a time. SI units; gaps are bumper to bumper.

Sources: IDM, Treiber, Hennecke, Helbing, Phys. Rev. E 62 (2000); the constant-acceleration
heuristic that keeps a cut-in from ending in hard braking, Kesting, Treiber, Helbing, Phil. Trans.
R. Soc. A 368 (2010).
"""

import math

from marque.core.jit import jit


@jit
def idm_interaction(
    v: float, v_lead: float, gap: float, accel: float, brake: float, headway: float, s0: float
) -> float:
    """Acceleration that the leader allows (the interaction term of IDM alone)."""
    closing = v * (v - v_lead) / (2.0 * math.sqrt(accel * brake))
    wanted = s0 + max(0.0, v * headway + closing)
    ratio = wanted / max(gap, 0.1)
    return accel * (1.0 - ratio * ratio)


@jit
def idm_free(v: float, v_free: float, accel: float) -> float:
    """Acceleration on a free road (exponent 4); above the free speed it slows down gently."""
    if v <= v_free:
        ratio = v / max(v_free, 0.1)
        return accel * (1.0 - ratio * ratio * ratio * ratio)
    return max(-1.5, 0.8 * (v_free - v))


@jit
def acc(
    v: float,
    v_lead: float,
    a_lead: float,
    gap: float,
    accel: float,
    brake: float,
    headway: float,
    s0: float,
) -> float:
    """IDM softened by the constant-acceleration heuristic (coolness 0.99)."""
    idm = idm_interaction(v, v_lead, gap, accel, brake, headway, s0)
    a_l = min(a_lead, accel)
    room = max(gap, 0.1)
    if v_lead * (v - v_lead) <= -2.0 * room * a_l:
        down = v_lead * v_lead - 2.0 * room * a_l
        cah = v * v * a_l / down if down > 1e-6 else idm
    else:
        closing = max(0.0, v - v_lead)
        cah = a_l - closing * closing / (2.0 * room)
    if idm >= cah:
        return idm
    return 0.01 * idm + 0.99 * (cah + brake * math.tanh((idm - cah) / brake))


@jit
def stop_speed(distance: float, brake: float, jerk: float) -> float:
    """Speed at `distance` before a stop that brakes at `brake` and eases off with `jerk`.

    The last phase releases the brake at constant jerk, so that the car comes to rest without a
    nod: there v = j t^2 / 2 and d = j t^3 / 6, counted back from rest.
    """
    if distance <= 0.0:
        return 0.0
    v_ease = brake * brake / (2.0 * jerk)
    d_ease = brake * brake * brake / (6.0 * jerk * jerk)
    if distance >= d_ease:
        return math.sqrt(2.0 * brake * (distance - d_ease) + v_ease * v_ease)
    root: float = (6.0 * distance / jerk) ** (2.0 / 3.0)
    return 0.5 * jerk * root


@jit
def stop_slope(distance: float, brake: float, jerk: float) -> float:
    """Acceleration along `stop_speed` (negative)."""
    if distance <= 0.0:
        return 0.0
    d_ease = brake * brake * brake / (6.0 * jerk * jerk)
    if distance >= d_ease:
        return -brake
    root: float = (6.0 * distance / jerk) ** (1.0 / 3.0)
    return -jerk * root
