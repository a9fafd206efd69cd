"""What is known of the person, and what is asked of them, from the cabin's readings.

1. Whoever is out of the seat for longer than `away_s`, unbelted, or with a door open cannot be
   driven on with. Nor can who is not available: that is warned of at once, and demanded after
   `unavailable_s`.
2. Where the person has to watch (eyes on): eyes off for `eyes_request_s` are asked back, and
   `eyes_demand_s` later that is a demand; hands likewise where they have to be on the wheel.
   Slower than `watched_from_mps` nothing new is asked.
3. Eyes are back when they have been on the road for `eyes_back_s`; shorter glances do not count.
4. Cabin readings that are late, from the future or no numbers say nothing: then nobody is known to
   be there, and nothing overrides.
"""

import math
from typing import NamedTuple

from marque.core.time import BASE_STEP_NS, nanoseconds
from marque.types.market import Market
from marque.types.takeover import Cabin, Cause, Wheel

FRESH_NS = 200_000_000


class Since(NamedTuple):
    """Since when, in ns; -1: not so."""

    away_ns: int = -1
    unsure_ns: int = -1
    eyes_ns: int = -1  # off the road
    back_ns: int = -1  # on it again
    hands_ns: int = -1  # off the wheel


class Noticed(NamedTuple):
    """What the person lacks, what they are warned of, and what they did not heed."""

    unfit: Cause = Cause.NONE
    asked: Cause = Cause.NONE
    lapse: Cause = Cause.NONE


def trusted(cabin: Cabin | None, t_ns: int) -> Cabin:
    """The cabin as far as it may be relied on."""
    late = cabin is None or not -BASE_STEP_NS <= t_ns - cabin.t_ns <= FRESH_NS
    if late or cabin is None:
        return Cabin(t_ns, available=False, eyes_on=False, hands_on=False)
    return cabin


def wheel_of(cabin: Cabin, market: Market) -> Wheel:
    """How hard the wheel is turned; a force that is no number is none."""
    force = abs(cabin.wheel_n)
    if not math.isfinite(force) or force < market.wheel_light_n:
        return Wheel.FREE
    return Wheel.FIRM if force >= market.wheel_firm_n else Wheel.LIGHT


def notice(
    since: Since, cabin: Cabin, t_ns: int, speed_mps: float, drives: bool, market: Market
) -> tuple[Since, Noticed]:
    """One reading. `drives`: the system does; a person who drives is asked for nothing."""
    away = _begun(since.away_ns, not cabin.seated, t_ns)
    unsure = _begun(since.unsure_ns, not cabin.available, t_ns)
    eyes, back = since.eyes_ns, since.back_ns
    hands = since.hands_ns
    if not drives or market.eyes_off:
        eyes = back = hands = -1
    else:
        watched = speed_mps >= market.watched_from_mps
        eyes, back = _eyes(since, cabin.eyes_on, t_ns, watched, market)
        off = market.hands_on and not cabin.hands_on
        hands = (
            _begun(hands, off, t_ns) if watched or _is(hands, market.hands_request_s, t_ns) else -1
        )
    now = Since(away, unsure, eyes, back, hands)
    return now, Noticed(_unfit(now, cabin, t_ns, market), *_asked(now, t_ns, market))


def _begun(since_ns: int, so: bool, t_ns: int) -> int:
    if not so:
        return -1
    return since_ns if since_ns >= 0 else t_ns


def _is(since_ns: int, for_s: float, t_ns: int) -> bool:
    """Whether it has been so for so long."""
    return since_ns >= 0 and t_ns - since_ns >= nanoseconds(for_s)


def _eyes(since: Since, eyes_on: bool, t_ns: int, watched: bool, market: Market) -> tuple[int, int]:
    """(off since, on again since)."""
    asked = _is(since.eyes_ns, market.eyes_request_s, t_ns)
    if not watched and not asked:
        return -1, -1
    if not eyes_on:
        return _begun(since.eyes_ns, True, t_ns), -1
    if since.eyes_ns < 0:
        return -1, -1
    back = _begun(since.back_ns, True, t_ns)
    return (-1, -1) if _is(back, market.eyes_back_s, t_ns) else (since.eyes_ns, back)


def _unfit(since: Since, cabin: Cabin, t_ns: int, market: Market) -> Cause:
    if since.away_ns >= 0 and t_ns - since.away_ns > nanoseconds(market.away_s):
        return Cause.SEAT
    if not cabin.belted:
        return Cause.BELT
    if not cabin.doors_shut:
        return Cause.DOOR
    return Cause.UNAVAILABLE if _is(since.unsure_ns, market.unavailable_s, t_ns) else Cause.NONE


def _asked(since: Since, t_ns: int, market: Market) -> tuple[Cause, Cause]:
    """(what is asked, what was asked in vain): eyes before hands."""
    eyes_s, hands_s = market.eyes_request_s, market.hands_request_s
    asked = Cause.UNAVAILABLE if since.unsure_ns >= 0 else Cause.NONE
    if _is(since.hands_ns, hands_s, t_ns):
        asked = Cause.HANDS_OFF
    if _is(since.eyes_ns, eyes_s, t_ns):
        asked = Cause.EYES_OFF
    lapse = Cause.NONE
    if _is(since.hands_ns, hands_s + market.hands_demand_s, t_ns):
        lapse = Cause.HANDS_OFF
    if _is(since.eyes_ns, eyes_s + market.eyes_demand_s, t_ns):
        lapse = Cause.EYES_OFF
    return asked, lapse
