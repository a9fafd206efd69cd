"""Driving where somebody may come whom nobody can see."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Conflict, Lane, Walk, tiny_map
from marque.kernels.tables import map_tables
from marque.stack.perception.noise import lidar
from marque.stack.perception.view import eyes_of
from marque.stack.planning.driver import Marque
from marque.stack.planning.unseen import (
    ROADSIDE_LEAST_MPS,
    STRIPES_LEAST_MPS,
    braking_of_hidden,
    time_to,
    unseen_speed,
)
from marque.types.codes import Control, Reason, Turn, UserKind
from stage import Actor, Stage, standing, steady

EYES = eyes_of((lidar(mount_x_m=2.0, range_m=100.0),))
LINE_M = 99.0


def crossing(control=Control.YIELD):
    """East through a junction at 100 to 120 m; a priority road comes from the south, x = 110."""
    lanes = [
        Lane([(0, 0), (100, 0)], succ=(1,), stop=LINE_M),
        Lane([(100, 0), (120, 0)], succ=(2,), connector=True, junction=0, control=control,
             turn=Turn.STRAIGHT),
        Lane([(120, 0), (320, 0)]),
        Lane([(110, -210), (110, -10)], succ=(4,), stop=199.0),
        Lane([(110, -10), (110, 10)], succ=(5,), connector=True, junction=0, turn=Turn.STRAIGHT),
        Lane([(110, 10), (110, 220)]),
    ]  # fmt: skip
    return tiny_map(
        lanes,
        conflicts=[Conflict(1, 4, 8.0, 12.0, 8.0, 12.0, priority=-1)],
        junctions=[[(100, -10), (120, -10), (120, 10), (100, 10)]],
    )


def drive(actors=(), eyes=EYES, seconds=25.0, speed=10.0, road=None):
    stage = Stage(
        road if road is not None else crossing(), Marque(), (2, 150.0), (0, 30.0), speed, actors,
        eyes=eyes,
    )  # fmt: skip
    return stage.play(seconds)


# a row of trucks beside our lane, up to the corner
WALL = [
    Actor(standing(x, -4.5), UserKind.TRUCK) for x in (36.0, 46.0, 56.0, 66.0, 76.0, 86.0, 96.0)
]


def slowest_before(frames, x_m=LINE_M):
    return min(f.speed_mps for f in frames if f.front_m[0] < x_m)


def through_s(frames, x_m=120.0):
    return next(f.t_s for f in frames if f.front_m[0] > x_m)


def test_an_open_view_costs_nothing():
    free, blind = drive(), drive(eyes=None)
    assert through_s(free) == pytest.approx(through_s(blind), abs=1.5)
    assert not any(f.plan.reason == Reason.OCCLUSION and f.speed_mps < 5.0 for f in free)


def test_where_the_view_is_blocked_we_slow_down_and_look_before_we_go():
    frames = drive(WALL, seconds=40.0)
    assert slowest_before(frames, 108.0) < 3.0 < slowest_before(drive(WALL, eyes=None))
    assert any(f.plan.reason == Reason.OCCLUSION for f in frames)
    assert through_s(frames) < 20.0  # with its nose out it sees enough, and goes
    assert min(f.accel_mps2 for f in frames) > -3.0


@pytest.mark.parametrize("late_s", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
def test_who_comes_out_of_hiding_is_let_go_first(late_s):
    """At the limit on the priority road, out of sight until we are near."""
    speed = 13.0
    comes = Actor(steady(110.0, -150.0 + speed * late_s, math.pi / 2, speed))
    frames = drive([*WALL, comes], seconds=40.0)
    assert not any(f.touching for f in frames)
    assert min(f.accel_mps2 for f in frames) > -4.5
    assert through_s(frames) < 35.0


@given(st.floats(0.0, 80.0), st.floats(0.0, 15.0), st.floats(1.0, 15.0), st.floats(0.5, 3.0))
def test_time_over_a_way_is_that_of_a_car_that_speeds_up(way, v, top, accel):
    took, then = time_to(way, v, top, accel)
    gone, now, t = 0.0, v, 0.0
    highest = max(top, v, 1.0)
    while t < took - 1e-9:
        dt = min(1e-2, took - t)
        faster = min(highest, now + accel * dt)
        gone += 0.5 * (now + faster) * dt
        now, t = faster, t + dt
    assert gone == pytest.approx(way, abs=0.05)
    assert now == pytest.approx(then, abs=0.05)


def asked(lane, s, enters=1.0, leaves=4.0, pace=0.0, speed=13.9):
    tables = map_tables(crossing())
    return braking_of_hidden(
        tables, np.array([lane], np.int32), np.array([s]), np.array([speed]), 4, 8.0,
        enters, leaves, pace,
    )  # fmt: skip


def test_who_is_hidden_far_off_is_asked_for_nothing_and_who_is_near_for_too_much():
    assert asked(3, 100.0) == 0.0  # 108 m away: we are gone
    assert asked(3, 180.0) == math.inf  # 28 m
    assert asked(4, 9.0) == 0.0  # past the place where our ways meet
    assert asked(5, 10.0) == 0.0  # on a lane that does not lead there


def test_the_nearer_they_may_be_the_more_is_asked():
    need = [asked(3, s, leaves=20.0) for s in (100.0, 120.0, 140.0, 160.0)]
    assert need == sorted(need) and 0.0 < need[0] < need[2] < math.inf


def test_of_who_follows_us_less_is_asked_than_of_whom_we_cross():
    assert asked(3, 140.0, leaves=math.inf, pace=10.0) < asked(3, 140.0, leaves=math.inf)
    assert asked(3, 140.0, leaves=math.inf, pace=13.9) == 0.0


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0), st.booleans())
def test_with_more_room_we_pass_faster(one, two, stripes):
    a, b = sorted((one, two))
    least = STRIPES_LEAST_MPS if stripes else ROADSIDE_LEAST_MPS
    assert least <= unseen_speed(a, stripes) <= unseen_speed(b, stripes)


def test_over_stripes_that_somebody_hides_we_drive_slowly():
    lanes = [
        Lane([(0, 0), (100, 0)], succ=(1,), left=3, edge="a"),
        Lane([(100, 0), (200, 0)], succ=(2,)),
        Lane([(200, 0), (400, 0)]),
        Lane([(0, 3.2), (100, 3.2)], right=0, edge="a"),
    ]
    stripes = [(0, 58.5, 61.5), (3, 58.5, 61.5)]
    road = tiny_map(lanes, walks=[Walk((60.0, -8.0, 60.0, 8.0), lanes=stripes)])
    stands = Actor(standing(53.0, 3.2), UserKind.CAR)
    slow = drive([stands], road=road, seconds=14.0)
    fast = drive([stands], road=road, seconds=14.0, eyes=None)
    there = [max(f.speed_mps for f in each if 57.0 < f.front_m[0] < 61.0) for each in (slow, fast)]
    assert there[0] < 0.75 * there[1]
    assert slow[-1].front_m[0] > 70.0
