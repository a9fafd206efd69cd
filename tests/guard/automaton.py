"""All orders of events through the automaton of takeover, and the laws that each step has to keep.

What is explored is a graph: the automaton's memory with its clocks counted in steps, beside a
witness that keeps its own clock and its own books, so that no law rests on what the automaton says
of itself. Every input is tried in every state until no new state is found; then longer orders of
events bring nothing that has not been tried.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from types import ModuleType
from typing import Any, NamedTuple

from marque.types.takeover import Cause, Domain, Failure, Mode, Wheel

NOW_NS = 10**15  # states are compared at this instant: clocks count back from it
CALM: dict[str, Any] = {}
CHOICES: dict[str, tuple[Any, ...]] = {
    "ignition": (True, False),
    "button": (False, True),
    "unfit": (Cause.NONE, Cause.SEAT),
    "attention": ((0, 0), (Cause.EYES_OFF, 0), (Cause.EYES_OFF, Cause.EYES_OFF)),
    "looks": (True, False),
    "hands": (True, False),
    "wheel": (Wheel.FREE, Wheel.LIGHT, Wheel.FIRM),
    "brake": (False, True),
    "accelerator": (False, True),
    "failure": (Failure.NONE, Failure.MINOR, Failure.SEVERE),
    "domain": (Domain.INSIDE, Domain.NEAR_EXIT, Domain.OUTSIDE),
    "risk": (False, True),
    "stands": (False, True),
    "locked": (False, True),
}


class Witness(NamedTuple):
    """What somebody outside has seen. Steps; -1: not so."""

    mode: int = Mode.OFF
    demanded: int = -1  # since a demand began
    hands_off: bool = False  # since it, or the manoeuvre, began
    lasting: bool = False  # the demand was once for more than attention
    pressed_alone: bool = False  # in an override: by the accelerator alone, out of active
    began_at_rest: bool = False  # the demand followed on an emergency that ended at rest


class State(NamedTuple):
    """Automaton and witness."""

    memory: Any
    witness: Witness


@dataclass
class Explored:
    """What was found. `paths`: one order of events that leads to each broken law."""

    states: set[State] = field(default_factory=set)
    edges: dict[State, set[State]] = field(default_factory=dict)
    steps: int = 0
    depth: int = 0
    broken: dict[str, tuple[State, Any, State]] = field(default_factory=dict)


def all_inputs(module: ModuleType, **choices: tuple[Any, ...]) -> list[Any]:
    """Every combination of every choice, or of those that are given instead."""
    names = CHOICES | choices
    return [_inputs(module, dict(zip(names, row, strict=True))) for row in product(*names.values())]


def some_inputs(module: ModuleType, most: int = 2) -> list[Any]:
    """At most so many choices away from a calm drive, with the hands on the wheel or off it, at
    rest or not."""
    free = [(name, each) for name, row in CHOICES.items() for each in row[1:]]
    free = [one for one in free if one[0] not in ("hands", "stands")]
    rows: list[dict[str, Any]] = []
    for count in range(most + 1):
        for chosen in combinations(free, count):
            if len({name for name, _ in chosen}) == count:
                rows += [
                    dict(chosen) | {"hands": hands, "stands": stands}
                    for hands in (True, False)
                    for stands in (False, True)
                ]
    return [_inputs(module, row) for row in rows]


def _inputs(module: ModuleType, row: dict[str, Any]) -> Any:
    row = dict(row)
    asked, lapse = row.pop("attention", (0, 0))
    return module.Inputs(t_ns=NOW_NS, asked=asked, lapse=lapse, **row)


def explore(
    module: ModuleType,
    rules: Any,
    inputs: Callable[[Any], list[Any]],
    step_ns: int,
    stop_at_first: bool = False,
) -> Explored:
    """Breadth first, until nothing new is found."""
    found = Explored()
    first = State(module.Memory(), Witness())
    frontier, found.states = [first], {first}
    while frontier:
        later: list[State] = []
        for state in frontier:
            nexts: set[State] = set()
            for now in inputs(state.memory):
                after = module.step(state.memory, now, rules)
                witness, laws = watched(module, state, now, after, rules, step_ns)
                found.steps += 1
                for law in laws:
                    found.broken.setdefault(law, (state, now, State(after, witness)))
                    if stop_at_first:
                        return found
                nexts.add(State(_aged(after, rules, step_ns), witness))
            found.edges[state] = nexts
            new = nexts - found.states
            found.states |= new
            later += sorted(new)
        frontier = later
        found.depth += bool(later)
    return found


def _aged(memory: Any, rules: Any, step_ns: int) -> Any:
    """The memory as it is one step later, seen from `NOW_NS`. A demand older than it can get, plus
    a step, gets no older here."""
    if memory.demand_ns < 0:
        return memory
    oldest = NOW_NS - rules.manoeuvre_ns - step_ns
    return memory._replace(demand_ns=max(oldest, memory.demand_ns - step_ns))


# The laws -----------------------------------------------------------------------------------------

PERSON = (Mode.OFF, Mode.READY, Mode.OVERRIDE)
MOVES = (Mode.ACTIVE, Mode.DEMAND, Mode.MANOEUVRE)


def needs_somebody(now: Any) -> bool:
    """Whether something is so that the system must not simply go on with."""
    return bool(
        now.failure or now.domain or now.unfit or now.lapse or not now.ignition
    )  # each is 0 when all is well


def watched(
    module: ModuleType, state: State, now: Any, after: Any, rules: Any, step_ns: int
) -> tuple[Witness, list[str]]:
    """The witness after one step, and the names of the laws that it broke."""
    was, seen = state.witness, state.memory
    mode, base = module.shown(after), after.mode
    drove, drives = was.mode not in PERSON, base not in PERSON
    base_was = seen.mode
    age_ns = (was.demanded + 1) * step_ns if was.demanded >= 0 else -1
    order = module.order_of(after, now, rules)
    firm = now.wheel == Wheel.FIRM
    broken: list[str] = []

    def law(name: str, holds: bool) -> None:
        if not holds:
            broken.append(name)

    witness = _witness(was, now, after.cause, mode, base, base_was)

    # how it comes to drive
    if was.mode in (Mode.OFF, Mode.READY) and drives:
        law("activated by the button", now.button and was.mode == Mode.READY)
        law("activated with its preconditions", _may(now) and base == Mode.ACTIVE)
    if base == Mode.ACTIVE:
        law("active only with what it needs", not needs_somebody(now))
    if was.mode == Mode.OVERRIDE and drives:
        law("goes on after the accelerator alone", was.pressed_alone)
    if was.mode == Mode.OVERRIDE and not (now.wheel or now.brake or now.accelerator):
        law("an override ends when it is released", base != Mode.OVERRIDE)
    # how it ceases to
    if drove and not drives:
        law("let go of only to somebody", _somebody(was, now, base_was))
        by_hand = now.hands or now.wheel != Wheel.FREE or (not now.ignition and now.stands)
        law("never let go of with nobody at the wheel", by_hand)
    if drove and firm:
        law("the firm wheel always has the car", not drives)
    if drove and was.mode != Mode.EMERGENCY and not now.risk and now.brake and now.hands:
        law("braking has the car", not drives)
    if drove and was.mode != Mode.EMERGENCY and not now.risk and now.accelerator:
        law("accelerating has the car", not (now.hands and now.looks) or not drives)
    # demands
    if base_was == Mode.ACTIVE and was.mode != Mode.OVERRIDE and needs_somebody(now) and drives:
        law("what it cannot go on with is demanded", base in (Mode.DEMAND, Mode.MANOEUVRE))
    if base_was == Mode.DEMAND and drives and base == Mode.ACTIVE:
        law("only attention ends a demand by itself", not was.lasting)
    if base == Mode.MANOEUVRE and base_was in (Mode.ACTIVE, Mode.DEMAND):
        severe = now.failure == Failure.SEVERE
        law("no manoeuvre before its time", severe or age_ns >= rules.manoeuvre_ns)
    if base == Mode.DEMAND:
        law("no demand beyond its time", witness.demanded * step_ns < rules.manoeuvre_ns)
        law("a demand is seen and heard", order.visual and order.acoustic)
        late = witness.demanded * step_ns >= rules.escalates_ns
        law("a demand becomes stronger in time", order.haptic or not late)
        left_s = (rules.manoeuvre_ns - witness.demanded * step_ns) / 1e9
        law("the countdown is true", abs(order.countdown_s - left_s) < 1e-9)
    if base_was in (Mode.ACTIVE, Mode.DEMAND) and now.failure == Failure.SEVERE and drives:
        law("a severe failure begins the manoeuvre at once", base == Mode.MANOEUVRE)
    # manoeuvre and rest
    if base_was == Mode.MANOEUVRE and drives:
        law("a manoeuvre is not given up", base in (Mode.MANOEUVRE, Mode.STANDSTILL))
        if now.stands and mode != Mode.EMERGENCY:
            law("a manoeuvre ends at rest", base == Mode.STANDSTILL)
    if base == Mode.STANDSTILL:
        law("rest is rest", now.stands or base_was == Mode.STANDSTILL)
    if base_was == Mode.STANDSTILL and drives:
        law("at rest it stays at rest", base == Mode.STANDSTILL)
    if base in (Mode.MANOEUVRE, Mode.STANDSTILL):
        law("it does not move off", not order.may_move)
        law("hazard lights", order.hazard)
    if base == Mode.MANOEUVRE and mode != Mode.EMERGENCY:
        law("braking is capped", order.brake_cap_mps2 == rules.brake_cap_mps2)
    if base == Mode.DEMAND and witness.began_at_rest:
        law("nobody is moved off after an emergency stop", not order.may_move)
    # emergencies
    if was.mode == Mode.EMERGENCY and now.risk and not firm:
        law("an emergency lasts as long as its risk", mode == Mode.EMERGENCY)
    if was.mode in MOVES and now.risk and drives:
        law("a risk is an emergency", mode == Mode.EMERGENCY)
    if mode == Mode.EMERGENCY:
        law("an emergency needs a risk", now.risk)
        law("an emergency is warned of", order.visual and order.acoustic and order.haptic)
        law("an emergency may brake as it must", order.brake_cap_mps2 == float("inf"))
        law("an emergency at rest shows hazard lights", order.hazard or not now.stands)
    if was.mode == Mode.EMERGENCY and base_was == Mode.ACTIVE and not now.risk and now.stands:
        law("an emergency stop demands somebody", base != Mode.ACTIVE)
    # off
    if not now.ignition and not drove:
        law("the ignition switches off", base == Mode.OFF)
    if not now.ignition and now.stands and mode != Mode.EMERGENCY and not firm:
        law("the ignition switches off", base == Mode.OFF)
    if was.mode == Mode.OFF:
        law("off is off", base in (Mode.OFF, Mode.READY))
    # what is ordered belongs to the mode
    law("the order names the mode", order.mode == mode and order.cause == after.cause)
    law("commands belong to the mode", order.drives == drives)
    can = base == Mode.READY and _may(now)
    law("what the button would do is told truly", order.may_activate == can)
    if not drives:
        quiet = not (order.hazard or order.acoustic or order.haptic or order.visual)
        law("a person who drives is left alone", quiet and not order.may_move)
    return witness, broken


def _witness(was: Witness, now: Any, cause: int, mode: int, base: int, base_was: int) -> Witness:
    demand, goes_on = base == Mode.DEMAND, base == base_was == Mode.DEMAND
    asked = base in (Mode.DEMAND, Mode.MANOEUVRE, Mode.STANDSTILL)
    attention = cause in (Cause.EYES_OFF, Cause.HANDS_OFF)
    alone = now.accelerator and not now.brake and not now.button and now.wheel == Wheel.FREE
    stopped = was.mode == Mode.EMERGENCY and now.stands and not now.risk
    return Witness(
        mode,
        (was.demanded + 1 if goes_on else 0) if demand else -1,
        asked and (was.hands_off or not now.hands),
        demand and ((goes_on and was.lasting) or not attention),
        base == Mode.OVERRIDE and alone and (base_was == Mode.ACTIVE or was.pressed_alone),
        demand and (was.began_at_rest if goes_on else stopped and base_was == Mode.ACTIVE),
    )


def _may(now: Any) -> bool:
    person = now.looks and not now.asked and not now.unfit
    idle = now.wheel == Wheel.FREE and not now.brake and not now.accelerator
    fit = now.ignition and not now.failure and not now.domain and not now.risk
    return bool(person and idle and fit and not now.locked)


def _somebody(was: Witness, now: Any, base_was: int) -> bool:
    """Whether one of the ways to end it was taken."""
    if now.wheel == Wheel.FIRM:
        return True
    if was.mode == Mode.EMERGENCY and now.risk:
        return False
    if not now.ignition and now.stands:
        return True
    attentive = now.hands and now.looks
    if now.wheel == Wheel.LIGHT and now.looks:
        return True
    if now.brake and now.hands:
        return True
    if attentive and (now.accelerator or now.button):
        return True
    asked = base_was in (Mode.DEMAND, Mode.MANOEUVRE, Mode.STANDSTILL)
    return bool(attentive and asked and was.hands_off)


# The graph ----------------------------------------------------------------------------------------


def leads_to(found: Explored, modes: Iterable[int]) -> set[State]:
    """The states from which some order of events leads to one of these modes."""
    back: dict[State, list[State]] = {}
    for state, nexts in found.edges.items():
        for one in nexts:
            back.setdefault(one, []).append(state)
    wanted = tuple(modes)
    reached = {one for one in found.states if one.memory.mode in wanted}
    frontier = list(reached)
    while frontier:
        for one in back.get(frontier.pop(), ()):
            if one not in reached:
                reached.add(one)
                frontier.append(one)
    return reached


def longest_stay(found: Explored, mode: int) -> int:
    """Most steps that can be stayed in a mode without leaving it; -1: for ever."""
    inside = {one for one in found.states if one.memory.mode == mode}
    left = {one: {each for each in found.edges[one] if each in inside} for one in inside}
    for length in range(len(inside) + 1):
        ends = {one for one, nexts in left.items() if not nexts}
        if not ends:
            return -1 if left else length - 1
        left = {one: nexts - ends for one, nexts in left.items() if one not in ends}
        if not left:
            return length
    return -1


def modes_of(found: Explored) -> Iterator[tuple[int, int, bool]]:
    """(mode, cause, emergency) of every state."""
    yield from {(one.memory.mode, one.memory.cause, one.memory.emergency) for one in found.states}
