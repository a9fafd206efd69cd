"""The empty road: nobody there, and signals exactly as the map's programs say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Lane, Program, tiny_map
from marque.sim.worlds.empty import EmptyWorld, Programs
from marque.sim.worlds.port import RoadWorld
from marque.types.codes import SignalState
from marque.types.world import EgoTruth

LETTERS = "ryGguOos"
EGO = EgoTruth(1.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0)


def slow_state(phases, offset_s: float, link: int, t_s: float) -> int:
    """Twin: walk through the cycle phase by phase."""
    meaning = {
        "r": SignalState.RED, "y": SignalState.AMBER, "G": SignalState.GREEN,
        "g": SignalState.GREEN_YIELD, "u": SignalState.RED_AMBER, "O": SignalState.OFF,
        "o": SignalState.OFF, "s": SignalState.STOP_THEN_GO,
    }  # fmt: skip
    cycle = sum(duration for duration, _ in phases)
    at = math.fmod(t_s - offset_s, cycle)
    at = at + cycle if at < 0.0 else at
    for duration, state in phases:
        if at < duration:
            return int(meaning[state[link]])
        at -= duration
    return int(meaning[phases[0][1][link]])


programs = st.lists(
    st.tuples(st.integers(1, 40), st.text(LETTERS, min_size=3, max_size=3)), min_size=1, max_size=6
)


@given(programs, programs, st.integers(-50, 90), st.integers(0, 4000))
def test_heads_follow_their_programs(first, second, offset, ticks):
    road = tiny_map(
        [Lane([(0, 0), (50, 0)])],
        programs=[
            Program([(float(d), s) for d, s in first], float(offset)),
            Program([(float(d), s) for d, s in second]),
        ],
        heads=[(0, 2, (0, 0)), (1, 0, (0, 0)), (0, 0, (0, 0)), (1, 1, (0, 0))],
    )
    t_s = 0.1 * ticks + 0.05  # between switching times, where rounding cannot matter
    found = Programs(road).heads(t_s)
    for head, (program, link, off) in enumerate(
        [(first, 2, offset), (second, 0, 0), (first, 0, offset), (second, 1, 0)]
    ):
        assert found[head] == slow_state(program, off, link, t_s)


def test_a_head_without_a_letter_or_a_program_is_dark():
    road = tiny_map(
        [Lane([(0, 0), (50, 0)])],
        programs=[Program([(10.0, "rG")]), Program()],
        heads=[(0, 1, (0, 0)), (0, 5, (0, 0)), (1, 0, (0, 0))],
    )
    off = int(SignalState.OFF)
    assert Programs(road).heads(3.0).tolist() == [int(SignalState.GREEN), off, off]


def test_it_is_a_world_in_which_nothing_happens():
    world = EmptyWorld(tiny_map([Lane([(0, 0), (50, 0)])], programs=[], heads=[]))
    assert isinstance(world, RoadWorld)
    first = world.reset(EGO)
    assert first.t_ns == 0
    later = world.step(EGO)
    assert later.t_ns == 100_000_000
    assert later.ego is EGO
    assert len(later.users.uid) == 0
    assert world.counts().inserted == 0
    world.set_route(("a",))
    world.close()
    world.close()
    assert world.reset(EGO).t_ns == 0
    assert world.facts()["simulator"] == "none"


def test_its_truth_cannot_be_changed():
    world = EmptyWorld(tiny_map([Lane([(0, 0), (50, 0)])], programs=[], heads=[]))
    seen = world.reset(EGO)
    for values in (seen.heads, seen.users.x_m, seen.users.uid):
        with pytest.raises(ValueError, match="read-only"):
            values[...] = np.zeros(1, dtype=values.dtype)[0]
