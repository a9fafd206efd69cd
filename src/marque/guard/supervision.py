"""Supervision: who drives now, from what cabin, car and road tell; and what that orders.

`supervise(memory, ...) -> memory`, each 20 ms: the person is noticed, locks are kept, the automaton
steps; `memory.order` is what follows. The manoeuvre is held to its purpose here: it has to slow the
car down from `ANSWERS_S` on by `LEAST_MPS2` at least; else the guard takes it over, to the end.
"""

import math
from dataclasses import dataclass, field, replace

from marque.core.time import NS_PER_S
from marque.guard import attention, domain, lockout, takeover
from marque.guard.attention import Since
from marque.guard.domain import Border
from marque.types.codes import Reaction
from marque.types.domain import OperationalDomain, Stretch
from marque.types.market import Market
from marque.types.takeover import Cabin, Cause, Domain, Failure, Mode, Order, Weather

STANDS_MPS = 0.1
ANSWERS_S, LEAST_MPS2 = 3.0, 0.7  # of the driver that plans the manoeuvre: draft values
SPARE_MPS = 0.5
INSIDE = Border(Domain.INSIDE, math.inf, "")


@dataclass(frozen=True, slots=True, eq=False)
class Supervision:
    """What supervision remembers."""

    market: Market
    odd: OperationalDomain
    automaton: takeover.Memory = field(default_factory=takeover.Memory)
    person: Since = field(default_factory=Since)
    locks: lockout.Locks = field(default_factory=lockout.Locks)
    border: Border = INSIDE
    failure: Failure = Failure.NONE
    slows_ns: int = -1  # since when the manoeuvre is on, -1: it is not
    slows_mps: float = math.inf  # and the speed at which it began
    missed: bool = False  # it was not driven as it has to be
    order: Order = field(default_factory=lambda: Order(Mode.OFF, drives=False, may_move=False))


def begin_supervision(market: Market, odd: OperationalDomain, active: bool = True) -> Supervision:
    """Before the first step: the car is switched on, and the system active or ready."""
    return Supervision(market, odd, takeover.Memory(Mode.ACTIVE if active else Mode.READY))


def informed(
    memory: Supervision,
    road: tuple[Stretch, ...],
    weather: Weather | None,
    senses: Reaction,
    speed_mps: float,
) -> Supervision:
    """What road, weather and senses are like, each 100 ms."""
    now = domain.border(memory.odd, road, weather or Weather(), speed_mps, memory.market.planned_s)
    return replace(memory, border=now, failure=domain.failure(memory.odd, senses))


def supervise(
    memory: Supervision,
    cabin: Cabin | None,
    t_ns: int,
    speed_mps: float,
    accel_mps2: float,
    held: bool,
) -> Supervision:
    """One step. `accel_mps2`: what the guard asked last; `held`: its emergency brake is latched."""
    market, was = memory.market, memory.automaton
    cabin = attention.trusted(cabin, t_ns)
    drives = takeover.system_drives(was.mode)
    person, noticed = attention.notice(memory.person, cabin, t_ns, speed_mps, drives, market)
    risk = accel_mps2 < -market.emergency_brake_mps2 or (was.emergency and held)
    now = takeover.Inputs(
        t_ns=t_ns,
        ignition=cabin.ignition,
        button=cabin.button,
        unfit=noticed.unfit,
        asked=noticed.asked,
        lapse=noticed.lapse,
        looks=cabin.eyes_on,
        hands=cabin.hands_on,
        wheel=attention.wheel_of(cabin, market),
        brake=cabin.brake,
        accelerator=cabin.accelerator,
        failure=memory.failure,
        domain=memory.border.domain,
        risk=risk,
        stands=abs(speed_mps) < STANDS_MPS,
        locked=memory.locks.locked(t_ns),
    )
    rules = takeover.rules_of(market)
    after = takeover.step(was, now, rules)
    kept = lockout.locks(memory.locks, was.mode, after.mode, after.cause, t_ns, market)
    memory = replace(memory, automaton=after, person=person, locks=kept)
    memory = _held_to_it(memory, t_ns, speed_mps)
    order = takeover.order_of(after, now, rules)
    exits = after.cause in (Cause.PLANNED_EXIT, Cause.UNPLANNED_EXIT)
    detail = memory.border.what if exits else ""
    return replace(memory, order=replace(order, most_mps=_most_mps(memory, t_ns), detail=detail))


def _held_to_it(memory: Supervision, t_ns: int, speed_mps: float) -> Supervision:
    """Watch the manoeuvre slow the car down."""
    if memory.automaton.mode != Mode.MANOEUVRE:
        return replace(memory, slows_ns=-1, slows_mps=math.inf, missed=False)
    if memory.slows_ns < 0:
        return replace(memory, slows_ns=t_ns, slows_mps=speed_mps)
    if t_ns - memory.slows_ns <= ANSWERS_S * NS_PER_S:  # who was speeding up eases off first
        return replace(memory, slows_mps=max(memory.slows_mps, speed_mps))
    if memory.missed or speed_mps <= _most_mps(memory, t_ns) + SPARE_MPS:
        return memory
    return replace(memory, missed=True)


def _most_mps(memory: Supervision, t_ns: int) -> float:
    """No faster than this now."""
    if memory.slows_ns < 0:
        return math.inf
    if memory.missed:
        return 0.0
    late_s = (t_ns - memory.slows_ns) / NS_PER_S - ANSWERS_S
    return max(0.0, memory.slows_mps - LEAST_MPS2 * max(0.0, late_s))
