"""People on foot beside our way: passed slowly where they are near, and never braked hard for."""

import math
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import straight_road
from episodes import SIZES
from marque.guard.rss import SIDE_FULL_MPS, SIDE_LEAST_M, SIDE_M
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_LEN, E_REAR
from marque.maps.path import STEP_M
from marque.stack.planning.driver import Marque
from marque.stack.planning.passing import (
    SLOWEST_MPS,
    WALKER_LEAST_M,
    _lower,
    _people,
    pass_speed,
    walks_into_us,
)
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.scene import Tracks
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
    frames = passed(lambda t: (64.0, y if t > 2.0 else -30.0, 0.5 * math.pi, 0.0))
    assert not any(f.touching for f in frames)
    assert min(f.accel_mps2 for f in frames) > -3.2
    assert min(f.speed_mps for f in beside(frames, 64.0)) < 12.5


def test_who_walks_towards_us_along_the_edge_is_met_slowly():
    frames = passed(steady(160.0, -(HALF_M + 0.45), math.pi, 1.3))
    assert not any(f.touching for f in frames)
    assert min(f.accel_mps2 for f in frames) > -2.6
    assert min(f.speed_mps for f in frames if 60.0 < f.x_m < 160.0) < 10.0


def test_who_will_be_near_our_way_when_we_are_there_is_met_slowly():
    """They walk off our way, and are beside it when we come; long before that, they slow nobody."""
    frames = passed(steady(60.0, 0.4, -0.5 * math.pi, 0.5))
    assert not any(f.touching for f in frames)
    assert min(f.speed_mps for f in beside(frames, 60.0)) < 12.0
    assert min(f.accel_mps2 for f in frames) > -3.0
    gone = passed(steady(120.0, -(HALF_M - 0.6), -0.5 * math.pi, 1.4))
    assert min(f.speed_mps for f in beside(gone, 120.0)) > 13.0


@given(st.floats(WALKER_LEAST_M, 3.0), st.floats(0.0, 1.0))
def test_more_room_is_more_speed(clear, more):
    assert pass_speed(WALKER_LEAST_M) == SLOWEST_MPS
    assert pass_speed(clear + more) >= pass_speed(clear)
    assert np.all(pass_speed(np.array([clear])) == pass_speed(clear))


def test_nobody_sets_off_into_who_walks_up_to_the_car():
    """Somebody walks up from our right, stops at our side, and then goes on behind us."""

    def comes(t):
        if t < 1.4:
            return 6.0, -3.4 + 1.2 * t, 0.5 * math.pi, 1.2
        return 6.0 - 1.3 * max(0.0, t - 5.0), -1.72, math.pi, 1.3 * (t > 5.0)

    road = straight_road(400.0, 1)
    walker = Actor(comes, UserKind.PEDESTRIAN)
    frames = Stage(road, Marque(), (0, 390.0), (0, 5.0), 0.0, [walker]).play(20)
    assert not any(f.touching for f in frames)
    assert max(f.speed_mps for f in frames if f.t_s < 1.4) == 0.0
    assert frames[0].plan.reason == Reason.PEDESTRIAN
    assert frames[-1].x_m > 40.0


TILT_RAD = 0.15


@pytest.mark.parametrize("faces_us", [False, True])
@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(
    ("away_m", "tilt", "indicates", "slower"),
    [
        (2.7, TILT_RAD, True, True),
        (2.7, TILT_RAD, False, False),  # stands aslant, for whatever reason
        (2.7, 0.0, True, False),  # wants out some day
        (2.7, -TILT_RAD, True, False),  # points away
        (5.5, 1.4, True, False),  # waits in a side street
    ],
)
def test_who_noses_out_of_a_row_beside_us_is_passed_slowly(
    faces_us, side, away_m, tilt, indicates, slower
):
    to_us = Indicator.RIGHT if (side > 0) != faces_us else Indicator.LEFT
    lane = 0 if side > 0 else 1
    heading = math.pi + side * tilt if faces_us else -side * tilt
    nose = Actor(
        standing(120.0, 3.2 * lane + side * away_m, heading),
        indicator=to_us if indicates else Indicator.OFF,
    )
    stage = Stage(straight_road(400.0, 2), Marque(), (lane, 390.0), (lane, 5.0), 13.0, [nose])
    frames = stage.play(16.0)
    assert not any(f.touching for f in frames)
    slowest = min(f.speed_mps for f in beside(frames, 120.0))
    assert slowest < 9.0 if slower else slowest > 12.0
    assert min(f.accel_mps2 for f in frames) > -2.6


@pytest.mark.parametrize("room_m", [0.21, 0.23, 0.25, 0.3, 0.4])
def test_who_stands_close_beside_us_as_we_set_off_is_passed_as_the_guard_allows(room_m):
    """Our bumper is beside them already. The guard wants more room beside us the faster we are."""
    y = -(0.5 * CAR.width_m + 0.5 * SIZES[UserKind.CAR][1] + room_m)
    close = Actor(standing(10.0, y))
    road = straight_road(400.0, 1)
    frames = Stage(road, Marque(), (0, 390.0), (0, 5.0), 0.0, [close]).play(14.0)
    assert not any(f.touching for f in frames)
    length = SIZES[UserKind.CAR][0]
    next_to_it = [
        f
        for f in frames
        if f.front_m[0] > 10.0 - 0.5 * length and f.front_m[0] - CAR.length_m < 10.0 + 0.5 * length
    ]
    assert next_to_it
    for f in next_to_it:
        room = f.y_m - 0.5 * CAR.width_m - y - 0.5 * SIZES[UserKind.CAR][1]
        wants = SIDE_LEAST_M + (SIDE_M - SIDE_LEAST_M) * min(1.0, f.speed_mps / SIDE_FULL_MPS)
        assert room > wants - 0.01, (f.t_s, f.speed_mps, room)
    assert frames[-1].x_m > 25.0


EGO = np.zeros(E_LEN)
EGO[E_FRONT], EGO[E_REAR], EGO[E_HALF_WIDTH] = 3.7, 0.9, 0.9


def one_on_foot(x, y, heading, speed):
    n, whole = np.array([0.5]), np.array([7])
    values = {each.name: n for each in fields(Tracks)}
    values |= {"uid": whole, "kind": np.array([UserKind.PEDESTRIAN]), "x_m": np.array([x])}
    values |= {"y_m": np.array([y]), "heading_rad": np.array([heading])}
    return Tracks(**(values | {"speed_mps": np.array([speed])}))


@pytest.mark.parametrize(
    ("y", "heading", "speed", "slower"),
    [
        (0.4, -0.5 * math.pi, 0.5, True),  # in our way now, and right beside it when we come
        (0.4, -0.5 * math.pi, 1.4, False),  # long gone by then
        (-3.6, 0.5 * math.pi, 0.5, True),  # walks up to it
        (-1.6, -0.5 * math.pi, 1.0, False),  # beside it now, and off
    ],
)
def test_what_counts_is_where_they_will_be_when_we_are_there(y, heading, speed, slower):
    xy = np.column_stack((np.arange(0.0, 200.0, STEP_M), np.zeros(400)))
    path = SimpleNamespace(xy_m=xy, heading_rad=np.zeros(400))
    cap = np.full(400, 13.9)
    seen = one_on_foot(60.0, y, heading, speed)
    ((_, person),) = _people(seen, 0.0)
    assert _lower(cap, SimpleNamespace(path=path), 5.0, EGO, 13.0, person) == slower
    assert (cap[: int(45.0 / STEP_M)] == 13.9).all() and (cap[int(70.0 / STEP_M) :] == 13.9).all()
    assert (cap.min() < 13.0) == slower


@given(st.floats(-math.pi, math.pi), st.floats(0.4, 2.0))
def test_who_walks_away_from_us_is_nobody_to_stand_for(bearing, speed):
    x, y = 1.4 + 4.5 * math.cos(bearing), 4.5 * math.sin(bearing)
    assert walks_into_us(EGO, 0.0, 0.0, 0.0, 0.0, one_on_foot(x, y, bearing, speed)) == -1
    comes = one_on_foot(x, y, bearing + math.pi, 1.9)
    assert walks_into_us(EGO, 0.0, 0.0, 0.0, 0.0, comes) == 7
    assert walks_into_us(EGO, 0.0, 0.0, 0.0, 2.0, comes) == -1  # we drive: the rollouts' business
