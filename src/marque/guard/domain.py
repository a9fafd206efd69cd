"""The monitor of the operational domain: are we inside, and when would we leave it?

1. Road: every stretch has the traits that the domain needs, none that it bars, and a limit that is
   high enough. The first one ahead that has not is the border; it is near when we would be there
   within `planned_s` at the speed that we drive now.
2. Weather and speed are as they are now: beyond the bounds is outside, at once.
3. No road at all is known: outside, if the domain needs a map. So are numbers that are none.
4. Senses that are worse than the domain allows are a failure, not a border.
"""

import math
from typing import NamedTuple

from marque.types.codes import Reaction
from marque.types.domain import OperationalDomain, Stretch, Trait
from marque.types.takeover import Domain, Failure, Weather

SLOWEST_MPS = 1.0  # at which a border ahead counts as coming nearer
SPEED_SHARE = 1.05  # over the domain's own: a moment of overshoot leaves nothing
NEAR_M = 5.0  # a border so near is left


class Border(NamedTuple):
    """Where we are, how far it is to the border, and what lies beyond or is too much."""

    domain: Domain
    ahead_m: float
    what: str


def border(
    odd: OperationalDomain,
    road: tuple[Stretch, ...],
    weather: Weather,
    speed_mps: float,
    planned_s: float,
) -> Border:
    """Where we are with respect to the domain. `road`: from where we are on, in order."""
    wrong = _now(odd, weather, speed_mps)
    if wrong:
        return Border(Domain.OUTSIDE, 0.0, wrong)
    if not road:
        unknown = Trait.MAPPED in odd.needs
        return (
            Border(Domain.OUTSIDE, 0.0, "no map")
            if unknown
            else Border(Domain.INSIDE, math.inf, "")
        )
    for stretch in road:
        what = _bars(odd, stretch)
        if not what:
            continue
        ahead = max(0.0, stretch.begin_m)
        if ahead <= NEAR_M:
            return Border(Domain.OUTSIDE, ahead, what)
        near = speed_mps > SLOWEST_MPS and ahead < speed_mps * planned_s
        return Border(Domain.NEAR_EXIT if near else Domain.INSIDE, ahead, what)
    return Border(Domain.INSIDE, math.inf, "")


def failure(odd: OperationalDomain, senses: Reaction) -> Failure:
    """What the senses' health is to the automaton."""
    if senses >= Reaction.STOP:
        return Failure.SEVERE
    return Failure.MINOR if senses > odd.worst_senses else Failure.NONE


def _now(odd: OperationalDomain, weather: Weather, speed_mps: float) -> str:
    """What is beyond the domain's bounds now, "" if nothing is."""
    if not speed_mps <= SPEED_SHARE * odd.most_speed_mps:
        return f"faster than {3.6 * odd.most_speed_mps:.0f} km/h"
    if not weather.visibility_m >= odd.least_visibility_m:
        return f"visibility below {odd.least_visibility_m:g} m"
    if not weather.rain_mmph <= odd.most_rain_mmph:
        return f"rain above {odd.most_rain_mmph:g} mm/h"
    if not weather.friction >= odd.least_friction:
        return f"grip below {odd.least_friction:g}"
    return ""


def _bars(odd: OperationalDomain, stretch: Stretch) -> str:
    """What a stretch has that the domain does not, "" if it belongs to it."""
    if not stretch.limit_mps >= odd.least_limit_mps:
        return f"a limit of {3.6 * stretch.limit_mps:.0f} km/h"
    has = [each for each in Trait if each in odd.bars and each in stretch.traits]
    lacks = [each for each in Trait if each in odd.needs and each not in stretch.traits]
    words = [_HAS[each] for each in has] + [_LACKS[each] for each in lacks]
    return ", ".join(words)


_HAS = {
    Trait.SEPARATED: "no oncoming traffic",
    Trait.MOTOR_ONLY: "motor vehicles alone",
    Trait.SIGNALS: "signals",
    Trait.CROSSWALKS: "crosswalks",
    Trait.CROSSINGS: "crossing traffic",
    Trait.ROUNDABOUT: "a roundabout",
    Trait.MAPPED: "a map",
}
_LACKS = {
    Trait.SEPARATED: "oncoming traffic",
    Trait.MOTOR_ONLY: "people on foot or bicycles",
    Trait.SIGNALS: "no signals",
    Trait.CROSSWALKS: "no crosswalks",
    Trait.CROSSINGS: "no crossing traffic",
    Trait.ROUNDABOUT: "no roundabout",
    Trait.MAPPED: "no map",
}
