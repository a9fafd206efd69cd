"""Locked out: whoever does not answer is not driven again for a while, as the market says."""

from typing import NamedTuple

from marque.core.time import NS_PER_S
from marque.types.market import Market
from marque.types.takeover import Cause, Mode

FOR_GOOD_NS = 2**62  # until the next start of the car
ATTENTION = (Cause.EYES_OFF, Cause.HANDS_OFF)


class Locks(NamedTuple):
    """Since the car was started: manoeuvres, and when attention was demanded; locked until."""

    manoeuvres: int = 0
    demands_ns: tuple[int, ...] = ()
    until_ns: int = -1

    def locked(self, t_ns: int) -> bool:
        """Whether the system may not be activated now."""
        return t_ns < self.until_ns


def locks(memory: Locks, was: int, mode: int, cause: int, t_ns: int, market: Market) -> Locks:
    """After the mode went from `was` to `mode`. Switching off begins anew, unless the lock holds
    for a time."""
    if mode == Mode.OFF:
        timed = memory.until_ns < FOR_GOOD_NS
        return Locks(until_ns=memory.until_ns if timed else -1)
    if mode == was:
        return memory
    count, demands = memory.manoeuvres, memory.demands_ns
    struck = False
    if mode == Mode.MANOEUVRE:
        count += 1
        struck = 0 < market.lockout_manoeuvres <= count
    if mode == Mode.DEMAND and cause in ATTENTION and market.lockout_demands:
        window_ns = market.lockout_window_s * NS_PER_S
        demands = (*(one for one in demands if t_ns - one <= window_ns), t_ns)
        struck = len(demands) >= market.lockout_demands
    until = memory.until_ns
    if struck:
        for_ns = market.lockout_s * NS_PER_S
        until = max(until, FOR_GOOD_NS if for_ns >= FOR_GOOD_NS else t_ns + round(for_ns))
    return Locks(count, demands, until)
