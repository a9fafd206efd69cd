"""Whether to change lanes: MOBIL, with the need of the route. SI units.

Source: Kesting, Treiber, Helbing, General Lane-Changing Model MOBIL, Transp. Res. Record 1999
(2007): a change is safe if the new follower need not brake by more than `safe`, and worth it if our
gain outweighs, by a politeness, what the followers lose.
"""

from marque.core.jit import jit

URGE_MPS2 = 4.0  # what a change that the route cannot do without is worth
HARD_SHARE = 2.0  # how much more the new follower may have to brake for it


@jit
def route_need(room: float, v: float, changes: int) -> float:
    """0..1: how pressing a change that the route asks for is, `room` metres before the last chance.

    The way that is usually needed for it is 10 s of driving for each of the `changes`, and at least
    60 m.
    """
    if changes <= 0:
        return 0.0
    usual = changes * max(60.0, 10.0 * v)
    return min(1.0, max(0.0, 1.0 - room / (2.0 * usual)))


@jit
def is_safe(follower: float, ours: float, safe: float, need: float) -> bool:
    """Whether neither the new follower nor we would have to brake too hard (accelerations after
    the change)."""
    limit = -safe * (1.0 + (HARD_SHARE - 1.0) * need)
    return follower >= limit and ours >= limit


@jit
def gain(
    ours_after: float,
    ours_now: float,
    new_follower_after: float,
    new_follower_now: float,
    old_follower_after: float,
    old_follower_now: float,
    politeness: float,
) -> float:
    """MOBIL's incentive, m/s^2."""
    others = (new_follower_after - new_follower_now) + (old_follower_after - old_follower_now)
    return ours_after - ours_now + politeness * others


@jit
def worth_it(incentive: float, threshold: float, need: float, towards: bool, away: bool) -> bool:
    """Whether to change: by incentive where the route does not mind, else with its need.

    towards, away: the route asks for this side, or for the other (or forbids to leave the lane).
    """
    if away:
        return False
    if towards:
        return incentive + URGE_MPS2 * need > 0.0 or need > 0.5
    return incentive > threshold
