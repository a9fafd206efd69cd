"""People on foot beside our way: passed slowly where they are near, and never braked hard for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import straight_road
from marque.stack.planning.driver import Marque
from marque.stack.planning.walkers import SLOWEST_MPS, WALKER_LEAST_M, pass_speed
from marque.types.codes import Reason, UserKind
from stage import CAR, Actor, Stage, standing, steady

HALF_M = 0.5 * CAR.width_m + 0.25  # of our body, and of somebody on foot as staged below


def passed(motion, seconds=22.0):
    walker = Actor(motion, UserKind.PEDESTRIAN)
    road = straight_road(400.0, 1)
    return Stage(road, Marque(), (0, 390.0), (0, 5.0), 13.0, [walker]).play(seconds)


def beside(frames, x):
    return [f for f in frames if abs(f.front_m[0] - x) < 2.0]


@pytest.mark.parametrize("clear_m", [0.35, 0.5, 0.65])
def test_who_stands_near_our_way_is_passed_slowly_and_softly(clear_m):
    y = -(HALF_M + clear_m)
    frames = passed(standing(120.0, y, 0.5 * math.pi))
    assert not any(f.touching for f in frames)
    assert beside(frames, 120.0)
    for frame in beside(frames, 120.0):  # we may have moved over a little
        room = frame.front_m[1] - HALF_M - y
        assert SLOWEST_MPS - 1.0 < frame.speed_mps < pass_speed(room) + 1.0
    assert min(f.accel_mps2 for f in frames) > -2.6
    assert any(f.plan.reason == Reason.PEDESTRIAN for f in frames)


def test_who_stands_well_aside_slows_nobody():
    frames = passed(standing(120.0, -(HALF_M + 1.2), 0.5 * math.pi))
    assert min(f.speed_mps for f in beside(frames, 120.0)) > 13.0


def test_who_appears_late_is_passed_as_slowly_as_soft_braking_allows():
    y = -(HALF_M + 0.4)
    frames = passed(lambda t: (60.0, y if t > 2.0 else -30.0, 0.5 * math.pi, 0.0))
    assert not any(f.touching for f in frames)
    assert min(f.accel_mps2 for f in frames) > -3.2
    assert min(f.speed_mps for f in beside(frames, 60.0)) < 12.5


def test_who_walks_towards_us_along_the_edge_is_met_slowly():
    frames = passed(steady(160.0, -(HALF_M + 0.45), math.pi, 1.3))
    assert not any(f.touching for f in frames)
    assert min(f.accel_mps2 for f in frames) > -2.6
    assert min(f.speed_mps for f in frames if 60.0 < f.x_m < 160.0) < 10.0


@given(st.floats(WALKER_LEAST_M, 3.0), st.floats(0.0, 1.0))
def test_more_room_is_more_speed(clear, more):
    assert pass_speed(WALKER_LEAST_M) == SLOWEST_MPS
    assert pass_speed(clear + more) >= pass_speed(clear)
    assert np.all(pass_speed(np.array([clear])) == pass_speed(clear))
