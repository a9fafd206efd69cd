"""Crosswalks: people on foot and those who drive over them. SI units.

A crosswalk has an axis from kerb to kerb. A lane takes the span lo..hi of it. Somebody on foot is
`at` metres from the kerb they came from; below 0 they wait.
"""

from marque.core.jit import jit

AFTER_S = 1.0  # between a body and somebody on foot


@jit
def strip_along(lo: float, hi: float, length: float, forward: bool) -> tuple[float, float]:
    """The span that a lane takes, as seen by who walks with the axis or against it."""
    if forward:
        return lo, hi
    return length - hi, length - lo


@jit
def must_wait(at: float, pace: float, lo: float, hi: float, in_s: float, out_s: float) -> bool:
    """Whether a driver, who would be on the crosswalk from `in_s` to `out_s`, waits for somebody
    who is on it: they will be in the driver's strip at some time in between."""
    if at >= hi:
        return False
    if pace <= 0.0:
        return at > lo
    enters = (lo - at) / pace
    leaves = (hi - at) / pace
    return enters < out_s + AFTER_S and leaves + AFTER_S > in_s


@jit
def may_step_out(
    priority: bool, blocked: bool, next_s: float, length: float, pace: float, waited: float
) -> bool:
    """Whether somebody at the kerb steps out: nobody who can no longer stop is on their way, and
    they have priority, or a gap that will do, or have waited long enough for drivers to yield."""
    if blocked:
        return False
    return priority or next_s > length / pace + AFTER_S or waited > 30.0
