"""Gap acceptance: when somebody reaches a place, and who may cross the way of whom. SI units.

Two road users whose ways share ground are told apart by time: the first has left the shared ground,
with the whole of its body, before the second comes to it, and some seconds more.
"""

import math

from marque.core.jit import jit

NEVER_S = 1e6
CRAWL_MPS = 0.5  # of somebody who hardly moves, for saying when they will be gone at the latest


@jit
def time_to(way: float, v: float, accel: float, v_free: float) -> float:
    """Seconds for `way` with acceleration `accel` >= 0 up to `v_free`; 0 for no way at all.

    Who is faster than `v_free` already keeps their speed. NEVER_S: they stand and stay.
    """
    if way <= 0.0:
        return 0.0
    if accel <= 0.0 or v >= v_free:
        return way / v if v > 1e-3 else NEVER_S
    rise = (v_free * v_free - v * v) / (2.0 * accel)
    if way <= rise:
        return (math.sqrt(v * v + 2.0 * accel * way) - v) / accel
    return (v_free - v) / accel + (way - rise) / v_free


@jit
def latest_out(way: float, v: float) -> float:
    """Seconds after which somebody who keeps their speed has gone `way`, at the latest: they count
    as no slower than a crawl."""
    return max(0.0, way) / max(v, CRAWL_MPS)


@jit
def goes_before(out_s: float, other_in_s: float, margin_s: float) -> bool:
    """Whether who has left the shared ground after `out_s` was gone in good time."""
    return out_s + margin_s <= other_in_s


@jit
def merges_before(
    out_s: float, v_then: float, other_in_s: float, v_other: float, margin_s: float, brake: float
) -> bool:
    """The same where both ways go on as one: who comes behind must be able to fall in, too.

    Closing at dv and braking with b costs dv / (2 b) more seconds than the margin.
    """
    closing = max(0.0, v_other - v_then)
    return out_s + margin_s + closing / (2.0 * brake) <= other_in_s


@jit
def waits_longer(wait: float, index: int, other_wait: float, other_index: int) -> bool:
    """The order of those who have equal rights, or who all stand and wait for each other: who waits
    longer goes first, and of two that wait equally long the one with the lower number."""
    return wait > other_wait or (wait == other_wait and index < other_index)


@jit
def brake_way(v: float, brake: float) -> float:
    """Metres to a stop with constant braking."""
    return v * v / (2.0 * brake)


@jit
def speed_for(v_there: float, way: float, brake: float) -> float:
    """Speed from which `v_there` can be reached within `way`."""
    return math.sqrt(v_there * v_there + 2.0 * brake * max(0.0, way))
