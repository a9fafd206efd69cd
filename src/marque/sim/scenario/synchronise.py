"""Being somewhere when the master is somewhere else: which speed that asks for now.

Everything is decided anew in each step from what is left to go, d, and what time is left, T, until
the steady state, with the final speed v1:
1. The master's time is its way left over the speed at which that way has shrunk since the step
   before. Before anything has been seen of it, or while it stands, there is no end of time.
2. Too much time: stand and wait. Whoever has waited goes off with the speed profile v = 2 d/T - v1,
   which is linear in time and ends at v1.
3. Else first speed up (or down), then back with the same acceleration:
   d = (v + v1) T/2 + a T^2/4 - (v1 - v)^2/(4 a). Past its turning point this is the linear one.
   Where it asks for more than the vehicle can, the linear one is taken at once. The v of this
   formula is the speed of a step before, as in the reference player.
"""

import math
from dataclasses import dataclass

TINY = 1e-6
NONE, WAITING, FASTER, SLOWER, LINEAR = "", "waiting", "faster", "slower", "linear"


@dataclass(frozen=True, slots=True)
class Need:
    """What has to be done: metres, seconds (inf: no end), final speed; what the vehicle can."""

    way_m: float
    time_s: float
    speed_mps: float
    earlier_mps: float  # a step before
    final_mps: float
    max_accel_mps2: float
    max_decel_mps2: float


def speed_now(mode: str, need: Need, dt_s: float) -> tuple[str, float]:
    """(mode from now on, speed for the next step)."""
    if need.way_m <= 0.0 or need.time_s <= 0.0:
        return mode, need.final_mps
    if mode == NONE:
        mode = first_mode(need)
    linear = 2.0 * need.way_m / need.time_s - need.final_mps
    if mode == WAITING:
        if linear < 0.0:
            return WAITING, 0.0
        mode = LINEAR
    if mode in (FASTER, SLOWER):
        accel = bent_accel(need)
        if (accel > 0.0) == (mode == FASTER) and _before_turning(need, accel, dt_s):
            return mode, max(0.0, need.speed_mps + accel * min(dt_s, need.time_s))
        mode = LINEAR
    return mode, max(0.0, linear)


def first_mode(need: Need) -> str:
    """By which of the three to begin."""
    if math.isinf(need.time_s):
        return WAITING
    accel = bent_accel(need)
    turning = 0.5 * (need.earlier_mps + need.final_mps) + 0.5 * accel * need.time_s
    if turning < -TINY:
        return WAITING
    most = need.max_accel_mps2 if accel > 0.0 else need.max_decel_mps2
    if abs(accel) > most:
        return LINEAR
    return FASTER if accel > 0.0 else SLOWER


def _before_turning(need: Need, accel: float, dt_s: float) -> bool:
    """Whether more than a step is left of the first of the two parts."""
    if accel == 0.0:
        return False
    return 0.5 * (need.time_s + (need.final_mps - need.earlier_mps) / accel) > dt_s


def bent_accel(need: Need) -> float:
    """a of the profile that speeds up by a and then down by it, or the other way round."""
    change = need.final_mps - need.earlier_mps
    excess = 4.0 * need.way_m - 2.0 * (need.earlier_mps + need.final_mps) * need.time_s
    root = math.hypot(excess, 2.0 * need.time_s * change)
    return (excess + math.copysign(root, excess)) / (2.0 * need.time_s**2)
