"""The automaton of takeover: who drives, and what is asked of whom.

`step(memory, now, rules) -> memory`, each 20 ms; `order_of` says what follows from it. Laws:

1. Active: only by the button, with everything that activation needs. From then on the system
   drives until a person has taken over, or the car stands.
2. Whoever turns the wheel firmly has the car, from any mode; who brakes, accelerates or turns it
   lightly, with the hands on it (and the eyes on the road). A pedal or a button that is pressed
   with the hands off is answered by a demand: the wheel is never let go of with nobody at it.
3. Whatever the system cannot go on with (person, domain, minor failure) is answered by a demand.
   It becomes stronger after `escalates_ns`, and after `manoeuvre_ns` the manoeuvre begins; after a
   severe failure it begins at once. A demand for attention ends when attention is back.
4. The manoeuvre ends when somebody takes over, or at rest. At rest it stays at rest.
5. An emergency lies over the other modes, whose clocks run on. It ends when the risk does, or by
   the wheel turned firmly; until then buttons and pedals wait.
6. The ignition switches off a car that stands, or that a person drives.

Numbers come from the market (`types/market.py`), none stands here. Plain functions of plain
numbers, so that a proof can go through all of them.
"""

from typing import NamedTuple

from marque.core.time import NS_PER_S, nanoseconds
from marque.types.market import Market
from marque.types.takeover import Cause, Domain, Failure, Mode, Order, Wheel

INF = float("inf")


class Rules(NamedTuple):
    """What the automaton needs of a market."""

    escalates_ns: int
    manoeuvre_ns: int
    resumes: bool
    brake_cap_mps2: float


class Memory(NamedTuple):
    """What the automaton remembers. `mode` is never EMERGENCY: that lies over it."""

    mode: int = Mode.OFF
    cause: int = Cause.NONE
    emergency: bool = False
    demand_ns: int = -1  # since when the person is asked to take over, -1: not asked
    released: bool = False  # the hands have been off the wheel since then
    resumes: bool = False  # in an override: the system goes on when the accelerator is released


class Inputs(NamedTuple):
    """What is so now."""

    t_ns: int
    ignition: bool = True
    button: bool = False  # pressed now
    unfit: int = Cause.NONE  # SEAT, BELT, DOOR or UNAVAILABLE: what the person lacks
    asked: int = Cause.NONE  # what the person is warned of,
    lapse: int = Cause.NONE  # EYES_OFF or HANDS_OFF: and has not heeded
    looks: bool = True  # eyes on the road
    hands: bool = True  # on the wheel
    wheel: int = Wheel.FREE
    brake: bool = False
    accelerator: bool = False
    failure: int = Failure.NONE
    domain: int = Domain.INSIDE
    risk: bool = False  # of a collision that only an emergency manoeuvre can avoid
    stands: bool = False
    locked: bool = False  # out, for what happened before


def rules_of(market: Market) -> Rules:
    """The automaton's share of a market."""
    return Rules(
        nanoseconds(market.escalates_s),
        nanoseconds(market.manoeuvre_s),
        market.resumes,
        market.manoeuvre_brake_mps2,
    )


def step(memory: Memory, now: Inputs, rules: Rules) -> Memory:
    """The mode from now on."""
    memory = _with_emergency(memory, now)
    if memory.emergency:
        now = _deaf(now)
    if not now.ignition and _may_switch_off(memory, now):
        return Memory()
    mode = memory.mode
    if mode == Mode.OFF:
        return Memory(Mode.READY, Cause.IGNITION) if now.ignition else memory
    if mode == Mode.READY:
        ready = now.button and may_activate(now)
        return Memory(Mode.ACTIVE, Cause.BUTTON) if ready else memory
    if mode == Mode.OVERRIDE:
        return _override(memory, now)
    cause = _overrides(now)
    if cause != Cause.NONE:
        alone = cause == Cause.ACCELERATOR and not now.button
        resumes = mode == Mode.ACTIVE and alone and rules.resumes
        return Memory(Mode.OVERRIDE, cause, resumes=resumes)
    if mode == Mode.ACTIVE:
        return _active(memory, now)
    memory = memory._replace(released=memory.released or not now.hands)
    if not memory.emergency and _takes(memory, now):
        return Memory(Mode.READY, Cause.BUTTON if now.button else Cause.HANDS_TAKEN)
    if mode == Mode.DEMAND:
        return _demand(memory, now, rules)
    if mode == Mode.MANOEUVRE and now.stands and not memory.emergency:
        return memory._replace(mode=Mode.STANDSTILL)
    return memory


def may_activate(now: Inputs) -> bool:
    """Whether pressing the button activates."""
    person = now.unfit == Cause.NONE and now.asked == Cause.NONE and now.looks
    idle = now.wheel == Wheel.FREE and not (now.brake or now.accelerator)
    car = now.ignition and now.failure == Failure.NONE and not now.risk
    return person and idle and car and now.domain == Domain.INSIDE and not now.locked


def system_drives(mode: int) -> bool:
    """Whether the system's commands go to the car."""
    return mode != Mode.OFF and mode != Mode.READY and mode != Mode.OVERRIDE


def shown(memory: Memory) -> Mode:
    """The mode, an emergency included."""
    return Mode.EMERGENCY if memory.emergency else Mode(memory.mode)


def _with_emergency(memory: Memory, now: Inputs) -> Memory:
    """An emergency begins while the system moves the car, and ends with the risk. One that ends at
    rest asks for somebody to drive on."""
    if not memory.emergency:
        moves = memory.mode in (Mode.ACTIVE, Mode.DEMAND, Mode.MANOEUVRE)
        return memory._replace(emergency=True) if moves and now.risk else memory
    if now.risk:
        return memory
    if memory.mode == Mode.ACTIVE and now.stands:
        return Memory(Mode.DEMAND, Cause.EMERGENCY_STOP, False, now.t_ns, not now.hands)
    return memory._replace(emergency=False)


def _deaf(now: Inputs) -> Inputs:
    """In an emergency only the wheel, turned firmly, is listened to."""
    wheel = now.wheel if now.wheel == Wheel.FIRM else Wheel.FREE
    return now._replace(button=False, brake=False, accelerator=False, wheel=wheel)


def _may_switch_off(memory: Memory, now: Inputs) -> bool:
    if memory.emergency:
        return False
    return now.stands or not system_drives(memory.mode)


def _overrides(now: Inputs) -> Cause:
    """The input by which a person has the car now, NONE if there is none."""
    if now.wheel == Wheel.FIRM or (now.wheel == Wheel.LIGHT and now.looks):
        return Cause.WHEEL
    if now.brake and now.hands:
        return Cause.BRAKE_PEDAL
    if now.accelerator and now.hands and now.looks:
        return Cause.ACCELERATOR
    return Cause.NONE


def _takes(memory: Memory, now: Inputs) -> bool:
    """Whether the person takes over when asked to: the hands come onto the wheel, or are there and
    the button is pressed; with the eyes on the road."""
    return now.hands and now.looks and (memory.released or now.button)


def _reason_to_demand(now: Inputs) -> int:
    """What the system cannot go on with, the most pressing first; NONE if it can."""
    if now.failure != Failure.NONE:
        return Cause.MINOR_FAILURE
    if now.domain == Domain.OUTSIDE:
        return Cause.UNPLANNED_EXIT
    if now.unfit != Cause.NONE:
        return now.unfit
    if not now.ignition:
        return Cause.IGNITION
    if now.domain == Domain.NEAR_EXIT:
        return Cause.PLANNED_EXIT
    return now.lapse


def _pressed_away(now: Inputs) -> int:
    """What was pressed with nobody at the wheel, or looking elsewhere: a demand answers it."""
    if now.button:
        return Cause.BUTTON
    if now.brake:
        return Cause.BRAKE_PEDAL
    return Cause.ACCELERATOR if now.accelerator else Cause.NONE


def _active(memory: Memory, now: Inputs) -> Memory:
    if now.failure == Failure.SEVERE:
        return _manoeuvre(memory, now, Cause.SEVERE_FAILURE)
    if now.button and now.hands and now.looks:
        return Memory(Mode.READY, Cause.BUTTON)
    cause = _reason_to_demand(now)
    if cause == Cause.NONE:
        cause = _pressed_away(now)
    if cause == Cause.NONE:
        return memory
    return Memory(Mode.DEMAND, cause, memory.emergency, now.t_ns, not now.hands)


def _demand(memory: Memory, now: Inputs, rules: Rules) -> Memory:
    if now.failure == Failure.SEVERE:
        return _manoeuvre(memory, now, Cause.SEVERE_FAILURE)
    if now.t_ns - memory.demand_ns >= rules.manoeuvre_ns:
        return _manoeuvre(memory, now, memory.cause)
    if memory.cause not in (Cause.EYES_OFF, Cause.HANDS_OFF):
        return memory
    cause = _reason_to_demand(now)
    if cause != Cause.NONE:
        return memory._replace(cause=cause)
    return Memory(Mode.ACTIVE, Cause.ATTENTION_BACK, memory.emergency)


def _manoeuvre(memory: Memory, now: Inputs, cause: int) -> Memory:
    released = memory.released or not now.hands
    return Memory(Mode.MANOEUVRE, cause, memory.emergency, memory.demand_ns, released)


def _override(memory: Memory, now: Inputs) -> Memory:
    """The person drives. Where only the accelerator was pressed, the system goes on afterwards."""
    by = _overrides(now)
    if memory.resumes and not now.button and by in (Cause.ACCELERATOR, Cause.NONE):
        goes_on = Memory(Mode.ACTIVE, Cause.RELEASED)
        return memory if by == Cause.ACCELERATOR else _active(goes_on, now)
    held = now.wheel != Wheel.FREE or now.brake or now.accelerator
    return memory._replace(resumes=False) if held else Memory(Mode.READY, memory.cause)


def order_of(memory: Memory, now: Inputs, rules: Rules) -> Order:
    """What is ordered: warnings by stages, the countdown, hazard lights, what the car may do."""
    mode = shown(memory)
    drives = system_drives(memory.mode)
    asked = drives and now.asked != Cause.NONE
    demand = memory.mode == Mode.DEMAND
    since_ns = now.t_ns - memory.demand_ns
    late = demand and since_ns >= rules.escalates_ns
    manoeuvre = memory.mode == Mode.MANOEUVRE
    rests = memory.mode == Mode.STANDSTILL
    loud = memory.emergency or manoeuvre
    hands_alone = asked and now.asked == Cause.HANDS_OFF  # to begin with, the law asks for a lamp
    return Order(
        mode=mode,
        cause=Cause(memory.cause),
        visual=asked or demand or rests or loud,
        acoustic=(asked and not hands_alone) or demand or loud,
        haptic=late or loud,
        countdown_s=max(0, rules.manoeuvre_ns - since_ns) / NS_PER_S if demand else INF,
        hazard=manoeuvre or rests or (drives and memory.emergency and now.stands),
        drives=drives,
        may_move=memory.mode in (Mode.ACTIVE, Mode.DEMAND) and memory.cause != Cause.EMERGENCY_STOP,
        brake_cap_mps2=rules.brake_cap_mps2 if manoeuvre and not memory.emergency else INF,
        may_activate=memory.mode == Mode.READY and may_activate(now),
        suppressed=memory.emergency and (now.button or now.brake or now.accelerator),
    )
