"""Belief about signals: steady against single errors, late by one scan, unsure when blind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.stack.perception.lights import Lights, no_lights, watch_lights
from marque.types.codes import SignalState
from marque.types.reading import SignalReading

STEP_NS = 100_000_000
R, G, A, U = SignalState.RED, SignalState.GREEN, SignalState.AMBER, SignalState.UNKNOWN


def run(scans: list[SignalState | None], lights: Lights | None = None) -> list[SignalState]:
    """Belief after each scan of one head; None: no scan came."""
    lights = lights or no_lights(1)
    out = []
    newest: SignalReading | None = None
    for i, state in enumerate(scans):
        if state is not None:
            newest = SignalReading(i * STEP_NS, np.array([state], dtype=np.int8))
        lights = watch_lights(lights, newest, i * STEP_NS)
        out.append(SignalState(int(lights.state[0])))
    return out


def test_two_scans_in_a_row_make_a_belief():
    assert run([G, G, G]) == [U, G, G]
    assert run([G, G, R, R]) == [U, G, G, R]


def test_one_wrong_scan_changes_nothing():
    assert run([G, G, R, G, A, G]) == [U, G, G, G, G, G]


def test_a_miss_between_two_scans_is_no_contradiction():
    assert run([G, U, G]) == [U, U, G]


def test_what_is_not_read_is_forgotten_red_last():
    blind: list[SignalState | None] = [U] * 25
    assert run([G, G, *blind]).index(U, 1) == 7  # 0.5 s after it was last read
    assert run([R, R, *blind]).index(U, 1) == 22
    none: list[SignalState | None] = [None] * 25
    assert run([R, R, *none]).index(U, 1) == 22


def test_since_counts_from_the_first_scan_that_was_believed():
    lights = no_lights(1)
    for i in range(12):
        lights = watch_lights(
            lights, SignalReading(i * STEP_NS, np.array([G], dtype=np.int8)), i * STEP_NS
        )
    assert lights.since_s(12 * STEP_NS)[0] == pytest.approx(1.1)


@given(st.lists(st.sampled_from([R, G, A, U]), min_size=1, max_size=40))
def test_belief_was_said_twice_within_the_last_two_seconds(scans):
    for i, state in enumerate(run(list(scans))):
        if state != U:
            assert list(scans[max(0, i - 21) : i + 1]).count(state) >= 1
            assert list(scans[: i + 1]).count(state) >= 2


def test_scans_from_elsewhere_are_refused_and_counted():
    lights = no_lights(2)
    good = SignalReading(5 * STEP_NS, np.array([G, R], dtype=np.int8))
    lights = watch_lights(lights, good, 6 * STEP_NS)
    for bad in (
        SignalReading(4 * STEP_NS, good.state),  # out of order
        SignalReading(9 * STEP_NS, good.state),  # from the future
        SignalReading(6 * STEP_NS, np.array([G], dtype=np.int8)),  # of another map
    ):
        after = watch_lights(lights, bad, 7 * STEP_NS)
        assert after.refused == 1
        assert after.said.tolist() == lights.said.tolist()
    old = watch_lights(no_lights(2), good, 30 * STEP_NS)
    assert old.refused == 1
