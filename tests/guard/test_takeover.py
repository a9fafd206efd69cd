"""The automaton of takeover: every order of events, and its laws tested by breaking it."""

import tomllib
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

SLIPS = tomllib.loads(Path(__file__).with_name("takeover_slips.toml").read_text(encoding="utf-8"))
MUTANTS = [
    pytest.param(
        one["old"], one["new"], marks=[pytest.mark.prove] if one.get("events", 2) > 2 else []
    )
    for one in SLIPS["slip"]
]


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
    broken = explored.broken
    assert broken == {}
    assert {state.witness.mode for state in explored.states} == set(Mode)


def test_the_ignition_waits_for_the_end_of_an_emergency():
    memory = takeover.Memory(Mode.MANOEUVRE, emergency=True)
    off = takeover.Inputs(0, ignition=False, stands=True, risk=True)
    assert takeover.step(memory, off, RULES) == memory
    assert takeover.step(memory, off._replace(risk=False), RULES).mode == Mode.OFF


def test_no_state_is_stuck(explored):
    count = len(explored.states)
    for mode in (Mode.OFF, Mode.READY, Mode.ACTIVE):
        reached = automaton.leads_to(explored, (mode,))
        assert len(reached) == count


def test_a_demand_ends(explored):
    stays = automaton.longest_stay(explored, Mode.DEMAND)
    assert stays >= 0, "a demand can be stayed in for ever"
    assert (stays + 1) * STEP_NS == RULES.manoeuvre_ns


@pytest.mark.prove
def test_finer_clocks_find_no_other_states(explored):
    finer = exploration(automaton.some_inputs(takeover, most=1), NS_PER_S)
    broken = finer.broken
    assert broken == {}
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
    broken = found.broken
    assert broken == {}
    for mode in (Mode.OFF, Mode.READY, Mode.ACTIVE):
        assert len(automaton.leads_to(found, (mode,))) == len(found.states)


@pytest.mark.prove
def test_every_law_holds_under_pairs_of_events_with_a_finer_clock():
    inputs = automaton.some_inputs(takeover, most=2)
    found = exploration(inputs, NS_PER_S)
    print(f"{len(found.states)} states, {found.steps} steps, closed at depth {found.depth}")
    broken = found.broken
    assert broken == {}
