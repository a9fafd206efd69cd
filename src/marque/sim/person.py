"""A simulated person at the wheel, and the weather, as the cabin's and the car's sensors tell them.

The person does not drive: there is no model of how people do. They are attentive, or not, from the
seconds on that a script says; and one who can hears a demand and takes over after a while. That
ends a drive.
"""

import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from marque.core.errors import MarqueError, unknown
from marque.core.time import BASE_STEP_NS, nanoseconds
from marque.sim.senses import Senses
from marque.types.domain import OperationalDomain
from marque.types.market import Market
from marque.types.reading import Delivery, Reading
from marque.types.takeover import Cabin, Mode, Order, Weather
from marque.types.world import EgoTruth, World

ATTENTIVE = "attentive"
# how somebody is, until they are otherwise
STATES: dict[str, dict[str, Any]] = {
    ATTENTIVE: {},
    "eyes-off": {"eyes_on": False},
    "hands-off": {"hands_on": False},
    "asleep": {"eyes_on": False, "hands_on": False, "available": False},
    "out-of-seat": {"seated": False, "belted": False, "eyes_on": False, "hands_on": False},
    "unbelted": {"belted": False},
    "door-open": {"doors_shut": False},
}
# what somebody does for a moment, with the hands on the wheel
ACTS: dict[str, dict[str, Any]] = {
    "button": {"button": True},
    "brake": {"brake": True, "hands_on": True},
    "accelerator": {"accelerator": True, "hands_on": True},
    "wheel": {"wheel_n": 80.0, "hands_on": True},
}
ACT_S = 0.5
REACTS_S = 4.0  # from a demand to the hands on the wheel: own choice
WEATHERS = {
    "clear": Weather(),
    "rain": Weather(visibility_m=2000.0, rain_mmph=3.0, friction=0.8),
    "heavy-rain": Weather(visibility_m=300.0, rain_mmph=20.0, friction=0.6),
    "fog": Weather(visibility_m=80.0),
    "ice": Weather(friction=0.2),
}


@dataclass(frozen=True, slots=True)
class Cue:
    """One line of a script: what, and from when."""

    word: str
    at_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Attended:
    """How a drive is supervised: by which market's rules, in which domain, with whom, in what
    weather."""

    market: Market
    odd: OperationalDomain
    person: tuple[Cue, ...] = ()
    weather: tuple[Cue, ...] = ()


def script(option: str, text: str, words: dict[str, object]) -> tuple[Cue, ...]:
    """`WORD@S,WORD@S`: in the order of time. MarqueError: unknown word, no time, a negative one."""
    cues = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        word, sign, at = part.partition("@")
        if word not in words:
            raise unknown(f"word of {option}", word, words)
        try:
            at_s = float(at) if sign else 0.0
        except ValueError:
            at_s = math.nan
        if not 0.0 <= at_s < math.inf:
            raise MarqueError(
                f"{option} {part}: '{at}' is no time; it is WORD@S with S seconds from the start"
            )
        cues.append(Cue(word, nanoseconds(at_s)))
    return tuple(sorted(cues, key=lambda cue: cue.at_ns))


def person_script(text: str) -> tuple[Cue, ...]:
    """The script of a person. MarqueError as `script`."""
    return script("--driver-attention", text, {**STATES, **ACTS})


def weather_script(text: str) -> tuple[Cue, ...]:
    """The script of the weather. MarqueError as `script`."""
    return script("--weather", text, dict(WEATHERS))


@dataclass(frozen=True, slots=True)
class Mind:
    """What the person has in mind: since when they hear a demand, -1: they hear none."""

    hears_ns: int = -1


def heard(mind: Mind, order: Order, t_ns: int) -> Mind:
    """A new demand, or that there is none any more."""
    asked = order.mode in (Mode.DEMAND, Mode.MANOEUVRE, Mode.STANDSTILL)
    if not asked:
        return replace(mind, hears_ns=-1)
    return mind if mind.hears_ns >= 0 else replace(mind, hears_ns=t_ns)


def cabin(cues: tuple[Cue, ...], mind: Mind, market: Market, t_ns: int) -> Cabin:
    """What the cabin tells at `t_ns`."""
    state = ATTENTIVE
    told: dict[str, Any] = {"hands_on": not market.eyes_off}
    done: dict[str, Any] = {}
    for cue in cues:
        if cue.at_ns > t_ns:
            break
        if cue.word in STATES:
            state = cue.word
        elif t_ns < cue.at_ns + (1 if cue.word == "button" else nanoseconds(ACT_S)):
            done |= ACTS[cue.word]
    told |= STATES[state]
    if _can_hear(state, market) and _takes(mind, t_ns):
        pressed = not market.eyes_off and t_ns < _acts_ns(mind) + BASE_STEP_NS
        told |= {"hands_on": True, "eyes_on": True, "button": pressed}
    return Cabin(t_ns, **(told | done))


def _can_hear(state: str, market: Market) -> bool:
    """Who need not watch hears a demand, whatever they look at; of the others, who is attentive."""
    return state == ATTENTIVE or (market.eyes_off and state in ("eyes-off", "hands-off"))


def _takes(mind: Mind, t_ns: int) -> bool:
    return mind.hears_ns >= 0 and t_ns >= _acts_ns(mind)


def _acts_ns(mind: Mind) -> int:
    return mind.hears_ns + nanoseconds(REACTS_S)


class Occupied:
    """Senses of a car with somebody in it."""

    def __init__(self, senses: Senses, attended: Attended) -> None:
        self.senses = senses
        self.attended = attended
        self.mind = Mind()

    def __copy__(self) -> "Occupied":
        """With senses of its own: what the one sees is nothing to the other."""
        return Occupied(copy(self.senses), self.attended)

    def observe(self, world: World) -> None:
        """See the world as it is now."""
        self.senses.observe(world)

    def hears(self, order: Order, t_ns: int) -> None:
        """The person notices what is asked of them."""
        self.mind = heard(self.mind, order, t_ns)

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading | Delivery:
        """What has arrived by `t_ns`."""
        came = self.senses.receive(ego, t_ns)
        told = cabin(self.attended.person, self.mind, self.attended.market, t_ns)
        return replace(came, cabin=told, weather=weather_at(self.attended.weather, t_ns))


def weather_at(cues: tuple[Cue, ...], t_ns: int) -> Weather:
    """The weather now."""
    words = [cue.word for cue in cues if cue.at_ns <= t_ns]
    return WEATHERS[words[-1]] if words else WEATHERS["clear"]
