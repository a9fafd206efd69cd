"""Lateral motion: continuous where it begins, on its line where it ends, within its limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Lane, arc, tiny_map
from marque.maps.path import STEP_M, build_path
from marque.stack.planning.change import change_length
from marque.stack.planning.sideways import (
    BEND_MOST_1PM,
    Beside,
    Leg,
    beside,
    leg_length,
    offsets,
    pose_at,
    quickest,
    sharpest,
    shifted,
)
from marque.stack.planning.state import Start

sides = st.floats(-4.0, 4.0)
slopes = st.floats(-0.3, 0.3)
bends = st.floats(-0.05, 0.05)


@given(sides, slopes, bends, sides, st.floats(8.0, 60.0), st.floats(5.0, 40.0))
def test_a_way_beside_begins_as_the_car_is_and_ends_on_the_line(d, slope, bend, aside, l1, hold):
    h = 1e-3
    back = l1 + hold
    state = Beside(10.0, d, slope, bend)
    legs = (Leg(0.0, l1, aside), Leg(back, 20.0, 0.0))
    at = 10.0 + np.array([-h, 0.0, h, l1, l1 + hold, back + 20.0, back + 50.0])
    y = offsets(at, state, legs)
    assert y[1] == pytest.approx(d)
    assert (y[2] - y[0]) / (2 * h) == pytest.approx(slope, abs=1e-3)
    assert (y[2] - 2 * y[1] + y[0]) / h**2 == pytest.approx(bend, abs=2e-2)
    assert y[3:5] == pytest.approx(aside)
    assert y[5:] == pytest.approx(0.0, abs=1e-9)


@given(sides, slopes, bends, st.floats(0.0, 30.0), st.floats(1.0, 2.5))
def test_a_leg_keeps_to_what_passengers_and_steering_bear(d, slope, bend, speed, lateral):
    begin = (d, slope, bend)
    length = leg_length(begin, 0.0, speed, lateral)
    most = max(min(BEND_MOST_1PM, lateral / max(1.0, speed**2)), 1.05 * abs(bend))
    assert length >= 150.0 or sharpest(length, begin, 0.0) <= most + 1e-9
    if length > 4.5:  # not longer than it has to be
        assert sharpest(length / 1.13, begin, 0.0) > most * 0.999


@given(sides, slopes, bends, st.floats(1.0, 10.0), st.floats(0.05, 0.3))
def test_the_wheel_keeps_up_with_a_leg(d, slope, bend, speed, wheel):
    begin = (d, slope, bend)
    length = leg_length(begin, 0.0, speed, 1.2, wheel)
    s = np.linspace(0.0, length, 400)
    y = offsets(s, Beside(0.0, d, slope, bend), (Leg(0.0, length, 0.0),))
    turn = np.abs(np.diff(y, n=3)).max() / (s[1] - s[0]) ** 3
    assert length >= 150.0 or turn * speed <= 1.02 * wheel + 1e-3


def test_a_change_that_speeds_up_is_laid_out_for_the_speed_on_the_way():
    beside_us = Beside(0.0, -3.2, 0.0, 0.0)
    slow = change_length(beside_us, Start(0.0, 3.0, 0.0), 4.0, 0.157, 100.0)
    faster = change_length(beside_us, Start(0.0, 3.0, 1.75), 4.0, 0.157, 100.0)
    assert quickest(slow, (-3.2, 0.0, 0.0), 0.0) * 3.0 <= 0.157
    assert faster >= 4.0 * 6.5  # as long as a change is meant to take, while we speed up
    assert change_length(beside_us, Start(0.0, 3.0, 1.75), 4.0, 0.157, 15.0) == 15.0


def test_a_lane_change_at_city_speed_takes_its_known_length():
    # peak of the quintic: 5.77 d / L^2
    length = leg_length((3.25, 0.0, 0.0), 0.0, 8.3, 1.8)
    assert length == pytest.approx(8.3 * math.sqrt(5.77 * 3.25 / 1.8), rel=0.13)


def bend_left():
    road = tiny_map([Lane([(-60, -30), (0, -30), *arc((0, 0), 30, -math.pi / 2, 1.4)[1:]])])
    return build_path(road, (0,), 0.0, 100.0)


@settings(max_examples=40)
@given(st.floats(-3.0, 3.0), st.floats(10.0, 80.0))
def test_a_car_on_a_moved_line_knows_where_it_is_beside_the_first(d, at):
    path = bend_left()
    moved = shifted(path, np.full(len(path.xy_m), d))
    step = np.hypot(*np.diff(moved.xy_m, axis=0).T)
    assert np.allclose(step, STEP_M, atol=0.01)
    share = at / path.length_m * moved.length_m
    state = beside(path, pose_at(moved, share), at)
    assert state.d_m == pytest.approx(d, abs=0.05)
    assert state.slope == pytest.approx(0.0, abs=0.05)
    assert state.bend_1pm == pytest.approx(0.0, abs=0.02)
