"""The stops that every corridor carries."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.kernels.rollout import FALLBACK_JERK_MPS3, slew
from marque.stack.planning.propose import (
    SOFT_MPS2,
    _before_hairpin,
    _past_line,
    soft_stop_mps2,
)
from marque.stack.planning.rules import Stop
from marque.types.codes import Control, Reason
from marque.types.plan import STEP_S, STEPS


@given(st.floats(0.0, 38.0), st.floats(-3.0, 1.9))
def test_the_soft_stop_stands_within_the_plan_also_while_we_speed_up(speed, accel):
    brake = soft_stop_mps2(speed, accel)
    v, a = speed, accel
    for _ in range(STEPS - 1):
        a = slew(a, -brake, v, FALLBACK_JERK_MPS3, FALLBACK_JERK_MPS3, STEP_S)
        v = max(0.0, v + a * STEP_S)
    assert v == 0.0


@given(st.floats(0.0, 14.0))
def test_in_town_it_is_a_comfortable_one(speed):
    assert soft_stop_mps2(speed, 0.0) == SOFT_MPS2
    assert np.isclose(soft_stop_mps2(speed, -2.0), soft_stop_mps2(speed, 0.0))


@pytest.mark.parametrize(
    ("manoeuvre", "front", "at", "past"),
    [
        ("keep", 29.0, 34.0, False),  # between the ways of others, where the map knows them
        ("nudge", 29.0, 34.0, True),  # beside the middle of our lane it does not
        ("nudge", 29.0, 28.9, False),  # the place to wait inside the junction
        ("nudge", 31.0, 34.0, False),  # we are past that
        ("nudge", 29.0, 60.0, False),  # beyond the junction
    ],
)
def test_who_swings_out_waits_no_deeper_in_a_junction_than_its_waiting_place(
    manoeuvre, front, at, past
):
    junction = SimpleNamespace(
        yields=True, control=Control.SIGNAL, stop_m=20.0, entry_m=29.4, s_out_m=53.0
    )
    corridor = SimpleNamespace(manoeuvre=manoeuvre, junctions=[junction])
    assert _past_line(corridor, Stop(at, Reason.YIELD, 7), front) == past


def line(curvatures):
    """A corridor of which nothing but the path's curvature, each half metre, counts."""
    return SimpleNamespace(path=SimpleNamespace(curvature_1pm=np.array(curvatures)))


@pytest.mark.parametrize(
    ("at_m", "front_m", "place_m"),
    [
        (35.0, 5.0, 30.0),  # the hairpin begins at 40 m: a bus gets round
        (45.0, 5.0, 30.0),  # in it: before it
        (28.0, 5.0, 28.0),  # far enough before it already
        (10.0, 5.0, 10.0),  # no hairpin near
        (38.0, 33.0, 38.0),  # too near it to wait farther back
    ],
)
def test_before_a_hairpin_we_wait_where_a_bus_gets_round(at_m, front_m, place_m):
    hairpin = line([0.0] * 80 + [-0.2] * 30 + [0.0] * 80)
    assert _before_hairpin(hairpin, at_m, front_m) == pytest.approx(place_m)
    open_bend = line([0.0] * 80 + [0.08] * 30 + [0.0] * 80)
    assert _before_hairpin(open_bend, at_m, front_m) == at_m
