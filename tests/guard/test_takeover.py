"""The automaton of takeover: every order of events, and the laws tested by breaking the automaton."""

import types
from pathlib import Path
from types import ModuleType

import automaton
import pytest

from marque.core.time import NS_PER_S
from marque.guard import takeover
from marque.types.takeover import Mode

RULES = takeover.Rules(
    escalates_ns=4 * NS_PER_S, manoeuvre_ns=10 * NS_PER_S, resumes=True, brake_cap_mps2=4.0
)
STEP_NS = 2 * NS_PER_S  # divides both clocks: every order of events against both is met

# (what stands in the automaton, what a slip makes of it)
MUTANTS = (
    ("now.t_ns - memory.demand_ns >= rules.manoeuvre_ns", "now.t_ns - memory.demand_ns >= rules.escalates_ns"),
    ("now.t_ns - memory.demand_ns >= rules.manoeuvre_ns", "now.t_ns - memory.demand_ns > rules.manoeuvre_ns"),
    ("now.t_ns - memory.demand_ns >= rules.manoeuvre_ns", "False"),
    ("since_ns >= rules.escalates_ns", "since_ns > rules.escalates_ns"),
    ("late = demand and", "late = demand and not memory.released and"),
    ("ready = now.button and may_activate(now)", "ready = now.button"),
    ("ready = now.button and may_activate(now)", "ready = may_activate(now)"),
    ("and now.domain == Domain.INSIDE and not now.locked", "and now.domain == Domain.INSIDE"),
    ("and now.domain == Domain.INSIDE and not now.locked", "and now.domain != Domain.OUTSIDE and not now.locked"),
    ("now.unfit == Cause.NONE and now.asked == Cause.NONE and now.looks", "now.unfit == Cause.NONE and now.looks"),
    ("now.unfit == Cause.NONE and now.asked == Cause.NONE and now.looks", "now.asked == Cause.NONE and now.looks"),
    ("now.unfit == Cause.NONE and now.asked == Cause.NONE and now.looks", "now.unfit == Cause.NONE and now.asked == Cause.NONE"),
    ("now.ignition and now.failure == Failure.NONE and not now.risk", "now.ignition and not now.risk"),
    ("now.ignition and now.failure == Failure.NONE and not now.risk", "now.ignition and now.failure == Failure.NONE"),
    ("idle = now.wheel == Wheel.FREE and not (now.brake or now.accelerator)", "idle = now.wheel == Wheel.FREE and not now.brake"),
    ("    if now.risk:\n        return memory\n    if memory.mode == Mode.ACTIVE", "    if memory.mode == Mode.ACTIVE"),
    ("if memory.mode == Mode.ACTIVE and now.stands:", "if False:"),
    ("return memory._replace(emergency=True) if moves and now.risk", "return memory._replace(emergency=True) if memory.mode == Mode.ACTIVE and now.risk"),
    ("return memory._replace(emergency=True) if moves and now.risk", "return memory._replace(emergency=True) if moves and now.risk and not now.stands"),
    ("    if memory.emergency:\n        now = _deaf(now)\n", ""),
    ("wheel = now.wheel if now.wheel == Wheel.FIRM else Wheel.FREE", "wheel = Wheel.FREE"),
    ("wheel = now.wheel if now.wheel == Wheel.FIRM else Wheel.FREE", "wheel = now.wheel"),
    ("    if memory.emergency:\n        return False\n", ""),
    ("return now.stands or not system_drives(memory.mode)", "return True"),
    ("return now.stands or not system_drives(memory.mode)", "return now.stands"),
    ("if now.wheel == Wheel.FIRM or (now.wheel == Wheel.LIGHT and now.looks):", "if now.wheel == Wheel.LIGHT and now.looks:"),
    ("if now.wheel == Wheel.FIRM or (now.wheel == Wheel.LIGHT and now.looks):", "if now.wheel != Wheel.FREE:"),
    ("if now.brake and now.hands:", "if now.brake:"),
    ("if now.brake and now.hands:", "if now.brake and now.hands and now.looks:"),
    ("if now.accelerator and now.hands and now.looks:", "if now.accelerator and now.looks:"),
    ("if now.accelerator and now.hands and now.looks:", "if now.accelerator and now.hands:"),
    ("return now.hands and now.looks and (memory.released or now.button)", "return now.hands and now.looks"),
    ("return now.hands and now.looks and (memory.released or now.button)", "return now.hands and (memory.released or now.button)"),
    ("return now.hands and now.looks and (memory.released or now.button)", "return now.looks and (memory.released or now.button)"),
    ("    if not memory.emergency and _takes(memory, now):", "    if _takes(memory, now):"),
    ("released=memory.released or not now.hands)\n    if not", "released=True)\n    if not"),
    ("if now.button and now.hands and now.looks:\n        return Memory(Mode.READY", "if now.button:\n        return Memory(Mode.READY"),
    ("if now.button and now.hands and now.looks:\n        return Memory(Mode.READY", "if now.button and now.looks:\n        return Memory(Mode.READY"),
    ("    if now.failure != Failure.NONE:\n        return Cause.MINOR_FAILURE\n", ""),
    ("    if now.domain == Domain.OUTSIDE:\n        return Cause.UNPLANNED_EXIT\n", ""),
    ("    if now.unfit != Cause.NONE:\n        return now.unfit\n", ""),
    ("    if not now.ignition:\n        return Cause.IGNITION\n", ""),
    ("    if now.domain == Domain.NEAR_EXIT:\n        return Cause.PLANNED_EXIT\n", ""),
    ("return Cause.PLANNED_EXIT\n    return now.lapse", "return Cause.PLANNED_EXIT\n    return Cause.NONE"),
    ("def _active(memory: Memory, now: Inputs) -> Memory:\n    if now.failure == Failure.SEVERE:", "def _active(memory: Memory, now: Inputs) -> Memory:\n    if False:"),
    ("def _demand(memory: Memory, now: Inputs, rules: Rules) -> Memory:\n    if now.failure == Failure.SEVERE:", "def _demand(memory: Memory, now: Inputs, rules: Rules) -> Memory:\n    if False:"),
    ("    if memory.cause not in (Cause.EYES_OFF, Cause.HANDS_OFF):\n        return memory\n", ""),
    ("    if cause != Cause.NONE:\n        return memory._replace(cause=cause)\n", ""),
    ("if mode == Mode.MANOEUVRE and now.stands and not memory.emergency:", "if False:"),
    ("if mode == Mode.MANOEUVRE and now.stands and not memory.emergency:", "if mode == Mode.MANOEUVRE and not memory.emergency:"),
    ("resumes = mode == Mode.ACTIVE and alone and rules.resumes", "resumes = alone and rules.resumes"),
    ("resumes = mode == Mode.ACTIVE and alone and rules.resumes", "resumes = mode == Mode.ACTIVE and rules.resumes"),
    ("if memory.resumes and not now.button and by in (Cause.ACCELERATOR, Cause.NONE):", "if memory.resumes:"),
    ("if memory.resumes and not now.button and by in", "if memory.resumes and by in"),
    ("if memory.resumes and not now.button and by in", "if not now.button and by in"),
    ("else _active(goes_on, now)", "else goes_on"),
    ("if held else Memory(Mode.READY, memory.cause)", "if True else Memory(Mode.READY, memory.cause)"),
    ("return memory._replace(resumes=False) if held", "return memory if held"),
    ("hazard=manoeuvre or rests or", "hazard=rests or"),
    ("hazard=manoeuvre or rests or", "hazard=manoeuvre or"),
    ("(drives and memory.emergency and now.stands)", "False"),
    ("may_move=memory.mode in (Mode.ACTIVE, Mode.DEMAND)", "may_move=drives"),
    ("and memory.cause != Cause.EMERGENCY_STOP,", "and True,"),
    ("brake_cap_mps2=rules.brake_cap_mps2 if manoeuvre and not memory.emergency", "brake_cap_mps2=rules.brake_cap_mps2 if manoeuvre"),
    ("brake_cap_mps2=rules.brake_cap_mps2 if manoeuvre and not memory.emergency", "brake_cap_mps2=rules.brake_cap_mps2 if False"),
    ("may_activate=memory.mode == Mode.READY and", "may_activate="),
    ("visual=asked or demand or rests or loud", "visual=asked or rests or loud"),
    ("or demand or loud,\n        haptic", "or late or loud,\n        haptic"),
    ("haptic=late or loud", "haptic=late"),
    ("drives=drives,", "drives=True,"),
)  # fmt: skip


def mutant(old: str, new: str) -> ModuleType:
    """The automaton with one slip in it."""
    source = Path(takeover.__file__).read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    made = types.ModuleType("mutant")
    exec(compile(source.replace(old, new), "mutant", "exec"), made.__dict__)
    return made


def exploration(inputs: list, step_ns: int = STEP_NS, **more: object) -> automaton.Explored:
    return automaton.explore(takeover, RULES, lambda memory: inputs, step_ns, **more)


@pytest.fixture(scope="module")
def explored() -> automaton.Explored:
    """Every state, under up to one deviation from a calm drive at a time."""
    return exploration(automaton.some_inputs(takeover, most=1))


def test_every_law_holds_in_every_state(explored):
    assert explored.broken == {}
    assert {state.witness.mode for state in explored.states} == set(Mode)


def test_no_state_is_stuck(explored):
    for mode in (Mode.OFF, Mode.READY, Mode.ACTIVE):
        assert automaton.leads_to(explored, (mode,)) == explored.states


def test_a_demand_ends(explored):
    steps = automaton.longest_stay(explored, Mode.DEMAND)
    assert steps * STEP_NS == RULES.manoeuvre_ns


def test_finer_clocks_find_no_other_states(explored):
    finer = exploration(automaton.some_inputs(takeover, most=1), NS_PER_S)
    assert finer.broken == {}
    assert set(automaton.modes_of(finer)) == set(automaton.modes_of(explored))


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_the_laws_catch_a_slip(old, new):
    module = mutant(old, new)
    for most in (1, 2):
        inputs = automaton.some_inputs(module, most)
        found = automaton.explore(module, RULES, lambda memory, i=inputs: i, STEP_NS, True)
        if found.broken:
            return
        stuck = any(
            automaton.leads_to(found, (mode,)) != found.states
            for mode in (Mode.OFF, Mode.READY, Mode.ACTIVE)
        )
        if stuck:
            return
    raise AssertionError("nothing broke")


@pytest.mark.prove
def test_every_law_holds_under_every_combination_of_events():
    """While a person drives, every input that there is; while the system does, all that it looks at
    then."""
    everything = automaton.all_inputs(takeover)
    driven = automaton.all_inputs(
        takeover,
        attention=((0, 0), (automaton.Cause.EYES_OFF, automaton.Cause.EYES_OFF)),
        domain=(automaton.Domain.INSIDE, automaton.Domain.OUTSIDE),
        locked=(False,),
    )
    found = automaton.explore(
        takeover,
        RULES,
        lambda memory: driven if takeover.system_drives(memory.mode) else everything,
        STEP_NS,
    )
    print(f"{len(found.states)} states, {found.steps} steps, closed at depth {found.depth}")
    assert found.broken == {}
    for mode in (Mode.OFF, Mode.READY, Mode.ACTIVE):
        assert automaton.leads_to(found, (mode,)) == found.states


@pytest.mark.prove
def test_every_law_holds_under_pairs_of_events_with_a_finer_clock():
    inputs = automaton.some_inputs(takeover, most=2)
    found = exploration(inputs, NS_PER_S)
    print(f"{len(found.states)} states, {found.steps} steps, closed at depth {found.depth}")
    assert found.broken == {}
