"""Car following and stopping, one vehicle at a time. SI units; gaps are bumper to bumper.

Sources: IDM, Treiber, Hennecke, Helbing, Phys. Rev. E 62 (2000); the constant-acceleration
heuristic that keeps a cut-in from ending in hard braking, Kesting, Treiber, Helbing, Phil. Trans.
R. Soc. A 368 (2010).
"""

import math

from marque.core.jit import jit

FIRM_JERK_MPS3 = 4.0  # of a stop that would be missed otherwise
# of the braking that a stop needs, when it has to be made up for: first the one, never more than
FIRM_SHARE, FIRM_LEAST = 1.15, 1.03  # the hard braking HARD_MPS2 unless the other needs it
HARD_MPS2 = 2.85
EASE_SHARE = 0.7  # of the jerk limit, for letting the brake go: actuators are late
LEAST_M = 0.05  # places to stand are no finer
HARDEST_MPS2 = 8.0  # no car brakes harder
LOOK_S = 0.5  # a leader is followed as fast as it will be then: so late is what we do about it
SURE_MPS2 = 0.3  # less of a leader's acceleration is mostly the noise of tracking


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
def following(
    v: float, v_lead: float, gap: float, accel: float, brake: float, headway: float, s0: float
) -> float:
    """IDM's interaction, with an approach term that makes no jams out of nothing.

    Near the equilibrium s = s0 + v T, IDM is dv/dt = f (gap - s0 - v T) + k (v_l - v) with
    f = 2 a / s and k = sqrt(a / b) v / s. Speeds pass from car to car by
    H(p) = (k p + f) / (p^2 + (k + f T) p + f), and |H(iw)| <= 1 at every w if and only if
    f T^2 + 2 k T >= 2. With IDM's k that is a T^2 - s0 >= (1 - sqrt(a / b)) v T, which where a < b
    fails from some speed on (8 m/s by our style). With k = v / s, as if b were a, it is
    a T^2 >= s0, at any speed.

    So the approach term is that of b = a for the leader's own speed, and IDM's for how much faster
    we are: v_l dv / (2 a) + dv^2 / (2 sqrt(a b)). What stands is come up to as by IDM, and so is
    who comes towards us; b counts as no less than a and no more than 4 a.
    """
    soft = math.sqrt(accel * brake)
    more = min(1.0, max(0.0, soft / accel - 1.0)) * max(0.0, v_lead)
    approach = (v - v_lead) * (v + more) / (2.0 * soft)
    wanted = s0 + max(0.0, v * headway + approach)
    ratio = wanted / max(gap, 0.1)
    return accel * (1.0 - ratio * ratio)


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
    """`following` softened by the constant-acceleration heuristic (coolness 0.99).

    The leader counts as fast as it will be in `LOOK_S`, by what its acceleration is beyond noise:
    to the law above that adds up to q = k LOOK_S of it. f T^2 + 2 k T >= 2 (1 - q) will then do,
    and the rest is for the lateness of our senses and pedals. Nobody is expected to reverse.

    IDM counts for no more than a car can brake: the hundredth of it that is left would else be an
    emergency wherever somebody as fast as we are comes in with next to no gap.
    """
    sure = math.copysign(max(0.0, abs(a_lead) - SURE_MPS2), a_lead)
    soon = max(min(v_lead, 0.0), v_lead + LOOK_S * sure)
    idm = max(-HARDEST_MPS2, following(v, soon, gap, accel, brake, headway, s0))
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
def stop_distance(v: float, a: float, brake: float, jerk: float) -> float:
    """Way to a stop from speed `v` and acceleration `a` at limited jerk: down to -brake (or less,
    if the speed is too low for it), hold, ease off to rest.
    """
    if v <= 0.0:
        return 0.0
    ease = EASE_SHARE * jerk
    if a < 0.0 and v <= a * a / (2.0 * ease):  # already more than the ease-off needs
        return -2.0 / 3.0 * v * v / a
    most = math.sqrt((2.0 * v + a * a / jerk) / (1.0 / jerk + 1.0 / ease))
    most = min(max(brake, -a), most)
    t1 = (a + most) / jerk
    d1 = v * t1 + 0.5 * a * t1 * t1 - jerk * t1 * t1 * t1 / 6.0
    v1 = v + 0.5 * (a * a - most * most) / jerk
    v3 = 0.5 * most * most / ease
    d2 = max(0.0, v1 * v1 - v3 * v3) / (2.0 * most)
    return d1 + d2 + most * most * most / (6.0 * ease * ease)


@jit
def stop_accel(
    v: float, a: float, room: float, free: float, brake: float, jerk: float, dt: float
) -> float:
    """Acceleration for the next `dt`: `free`, or as much less as it takes to come to rest within
    `room` at limited braking and jerk. Where that is no longer possible: what is needed now, which
    is then less than a - jerk dt.
    """
    low = a - jerk * dt
    high = max(low, min(free, a + jerk * dt))
    if can_stop(v, high, room, brake, jerk, dt):
        return free
    if not can_stop(v, low, room, brake, jerk, dt):
        must = v * v / (2.0 * max(room, LEAST_M))
        easing = 4.0 / 3.0 * must  # what v = j t^2 / 2 and d = j t^3 / 6 have in common here
        if room > LEAST_M and easing <= math.sqrt(2.0 * FIRM_JERK_MPS3 * v):
            return min(free, -easing)
        firm = max(-low, FIRM_SHARE * must)
        return min(free, -min(firm, max(HARD_MPS2, FIRM_LEAST * must)))
    for _ in range(7):
        middle = 0.5 * (low + high)
        if can_stop(v, middle, room, brake, jerk, dt):
            low = middle
        else:
            high = middle
    return low


@jit
def can_stop(v: float, a_new: float, room: float, brake: float, jerk: float, dt: float) -> bool:
    """Whether a car that drives with `a_new` for `dt` can still come to rest within `room`."""
    v_new = v + a_new * dt
    if v_new <= 0.0:
        return 0.5 * v * dt <= max(room, 0.0) + LEAST_M
    way = 0.5 * (v + v_new) * dt
    return way + stop_distance(v_new, a_new, brake, jerk) <= room


@jit
def idm(
    v: float,
    v_lead: float,
    gap: float,
    v_free: float,
    accel: float,
    brake: float,
    headway: float,
    s0: float,
) -> float:
    """The whole of IDM, a (1 - (v / v0)^4 - (s* / s)^2): free road and leader at once. An infinite
    `gap` is a free road."""
    interaction = idm_interaction(v, v_lead, gap, accel, brake, headway, s0)
    return idm_free(v, v_free, accel) + interaction - accel


@jit
def krauss(
    v: float, v_lead: float, gap: float, v_free: float, accel: float, brake: float, headway: float
) -> float:
    """Krauss' rule as an acceleration for the next `headway` seconds (his reaction time): as fast
    as one may be to come to rest behind a leader that brakes as hard as we can.

    Source: Krauss, Microscopic Modeling of Traffic Flow (1998), eq. (4.16), without dawdling. `gap`
    is beyond the distance at which one stands.
    """
    room = max(0.0, gap)
    back = brake * headway
    safe = math.sqrt(back * back + v_lead * v_lead + 2.0 * brake * room) - back
    wanted = min(v_free, safe, v + accel * headway)
    return (max(0.0, wanted) - v) / headway
