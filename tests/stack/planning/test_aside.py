"""Ways around who stands in our way, judged by where the car goes on small roads."""

import numpy as np
import pytest

from builders import Lane, straight_road, tiny_map
from marque.stack.planning.change import gentlest
from marque.stack.planning.driver import Marque
from marque.stack.planning.gaps import (
    CLOSE,
    FIRM_MPS2,
    POLITE,
    PRESSING,
    REGAINS_S,
    URGENT,
    Row,
    Us,
    adapted,
    best_gap,
    entry,
    fits,
    room_behind,
)
from stage import CAR, Actor, Stage, standing, steady

NAMES = ("s_m", "speed_mps", "lets_in")


def row(*others, lets_in=False):
    s, v = (np.array([o[i] for o in others], dtype=float) for i in (0, 1))
    track = np.argsort(s)  # a row is sorted
    lets_in, half = np.full(len(others), lets_in), np.full(len(others), 2.3)
    return Row(track, s[track], v[track], half, lets_in)


def us(speed=15.0, accel=0.0):
    return Us(0.0, speed, accel, 3.85, 1.05, 20.0)


def opens(others, ours, courtesy):
    return fits(others, ours, courtesy, entry(ours))


def test_a_gap_is_judged_as_it_will_be_when_we_are_in_the_way():
    assert opens(row((60.0, 15.0), (-40.0, 15.0)), us(), POLITE)
    assert not opens(row((60.0, 15.0), (-40.0, 22.0)), us(), POLITE)  # it comes up fast
    assert not opens(row((18.0, 8.0), (-60.0, 15.0)), us(), POLITE)  # we come up fast
    assert not opens(row((1.0, 15.0)), us(), PRESSING)  # beside us


def test_who_stands_behind_us_may_set_off_unless_they_let_us_in():
    behind = row((-7.0, 0.0))
    assert not opens(behind, us(0.0), PRESSING)
    assert opens(row((-7.0, 0.0), lets_in=True), us(0.0), PRESSING)
    assert opens(row((-3.5, 0.0), lets_in=True), us(0.0), PRESSING)  # close, and left behind
    assert not opens(row((-3.5, 0.3), lets_in=False), us(0.0), PRESSING)  # they may drive on
    assert not opens(row((-0.5, 0.0), lets_in=True), us(0.0), PRESSING)  # beside us


@pytest.mark.parametrize("gap", [0.2, 1.5])
def test_at_the_end_of_our_lane_we_fall_in_before_who_stands_to_let_us_in(gap):
    """However close they have driven up, and others behind them: else all would wait for ever."""
    road = tiny_map(
        [
            Lane([(0.0, 0.0), (100.0, 0.0)], edge="road", left=1),
            Lane([(0.0, 3.2), (100.0, 3.2)], succ=[2], edge="road", right=0),
            Lane([(100.0, 3.2), (220.0, 3.2)]),
        ]
    )
    begin = 84.0
    rear = begin + CAR.front_m - CAR.length_m
    queue = [Actor(standing(rear - gap - 2.3 - 6.5 * i, 3.2)) for i in range(3)]
    frames = Stage(road, Marque(), (2, 60.0), (0, begin), 0.0, queue).play(40.0)
    assert frames[-1].x_m > 150.0
    assert not any(f.touching for f in frames)


def test_who_stands_to_let_us_in_holds_those_behind_them_on_that_lane():
    def behind(begin):
        first, last = row((begin - 3.9, 0.0), lets_in=True), row((begin - 12.0, 2.0))
        s, v, lets = (np.append(getattr(last, n), getattr(first, n)) for n in NAMES)
        return Row(np.arange(2), s, v, np.full(2, 2.3), lets), Us(begin, 0.0, 0.0, 3.85, 1.05, 20.0)

    assert opens(*behind(100.0), PRESSING)
    assert not opens(*behind(0.0), PRESSING)  # where several lanes lead to this one
    alone = Row(np.arange(1), np.array([88.0]), np.array([2.0]), np.array([2.3]), np.array([False]))
    assert not opens(alone, Us(100.0, 0.0, 0.0, 3.85, 1.05, 20.0), PRESSING)


def test_who_is_behind_us_could_stop_softly_if_we_had_to_brake():
    room = float(room_behind(22.0, 22.0, POLITE))
    theirs, ours = 22.0**2 / (2.0 * POLITE.stop_mps2), 22.0**2 / (2.0 * FIRM_MPS2)
    assert room + ours > theirs
    assert room_behind(25.0, 22.0, POLITE) < room < room_behind(19.0, 22.0, POLITE)


@pytest.mark.parametrize("shift", [-20.0, 0.0, 20.0])
def test_the_gap_aimed_for_is_one_that_we_fit_in_when_there(shift):
    others = [(-80.0 + shift, 15.0), (-55.0 + shift, 15.0), (35.0 + shift, 15.0)]
    gap = best_gap(row(*others), us(), POLITE, 0.0, 180.0)
    assert gap is not None and gap.leader == 2
    way, speed = adapted(15.0, np.array([gap.speed_mps]), np.array([gap.time_s]))
    then = row(*[(s + 15.0 * gap.time_s - float(way[0, 0]), v) for s, v in others])
    assert opens(then, us(float(speed[0, 0])), PRESSING)


def test_a_gap_lies_on_the_road_that_there_is():
    others = row((-80.0, 15.0), (-15.0, 15.0), (75.0, 15.0))
    gap = best_gap(others, us(), POLITE, 0.0, 300.0)
    assert gap is not None and gap.time_s > 2.0
    assert best_gap(others, us(), POLITE, 0.0, 15.0 * gap.time_s - 10.0) is None
    later = best_gap(others, us(), POLITE, 100.0, 300.0)
    assert later is not None and later.time_s > 4.0


def test_no_gap_is_aimed_for_in_a_closed_row():
    closed = row(*[(x, 15.0) for x in range(-300, 160, 12)])
    assert best_gap(closed, us(), POLITE, 0.0, 120.0) is None


def test_where_no_gap_can_be_reached_at_one_speed_others_are_let_by_and_caught_up_with():
    closed = [(x, 19.0) for x in range(-405, -105, 15)]
    others = row(*closed, (-105.0, 19.0), (-42.0, 19.0), (-10.0, 19.0), (20.0, 19.0))
    assert best_gap(others, us(19.0), PRESSING, 0.0, 200.0) is None
    gap = best_gap(others, us(19.0), PRESSING, 0.0, 200.0, regains_s=REGAINS_S)
    assert gap is not None and gap.leader == len(closed) + 1
    assert gap.speed_mps < 15.0  # first they have to come by
    assert best_gap(others, us(19.0), PRESSING, 0.0, 60.0, regains_s=REGAINS_S) is None


def test_no_more_is_asked_of_who_comes_behind_than_a_reachable_gap_needs():
    wide = row((-70.0, 15.0), (60.0, 15.0))
    small = row((-33.0, 15.0), (17.0, 15.0))
    closed = row((-12.0, 15.0), (16.0, 15.0))
    assert gentlest(wide, us(), URGENT, 150.0) is POLITE
    assert gentlest(small, us(), URGENT, 150.0) is CLOSE
    assert gentlest(closed, us(), URGENT, 150.0) is URGENT
    assert gentlest(wide, us(), URGENT, 30.0) is URGENT  # we would have to brake before
    assert gentlest(wide, us(2.0), URGENT, 150.0) is URGENT  # slow already
    assert gentlest(wide, us(14.0), URGENT, 150.0) is URGENT  # and here they come nearer


def play(y_m, seconds=25.0):
    road = straight_road(300.0, 1)
    block = Actor(standing(100.0, y_m))
    return Stage(road, Marque(), (0, 250.0), (0, 5.0), 8.0, [block]).play(seconds)


def test_who_stands_a_little_in_our_lane_is_passed_with_room_within_it():
    frames = play(-2.2)
    assert not any(f.touching for f in frames)
    assert frames[-1].x_m > 130.0
    beside = [f.y_m for f in frames if 93.0 < f.x_m < 103.0]
    assert min(beside) > 0.02


def test_who_fills_the_only_lane_is_waited_for_with_room_to_swing_out():
    frames = play(0.0)
    assert not any(f.touching for f in frames)
    assert frames[-1].speed_mps < 0.3
    assert 88.0 < frames[-1].front_m[0] + 8.0 < 100.0


def pass_over_the_oncoming_lane(others, seconds):
    road = tiny_map(
        [
            Lane([(0.0, 0.0), (300.0, 0.0)], limit=8.33, opposite=1, opposite_ok=True),
            Lane([(300.0, 3.4), (0.0, 3.4)], limit=8.33, opposite=0, opposite_ok=True),
        ]
    )
    actors = [Actor(standing(100.0, 0.0)), *others]
    return Stage(road, Marque(), (0, 250.0), (0, 5.0), 8.0, actors).play(seconds)


def test_who_may_pass_over_the_oncoming_lane_looks_past_the_obstacle_first():
    row = [Actor(steady(60.0 + 30.0 * i, 3.4, np.pi, 8.0)) for i in range(8)]
    frames = pass_over_the_oncoming_lane(row, 20.0)
    assert not any(f.touching for f in frames)
    assert frames[-1].speed_mps < 0.3
    assert 0.3 < frames[-1].y_m < 0.8  # at the edge of our lane, and not over it
    assert frames[-1].plan.manoeuvre == "peek"


def test_the_oncoming_lane_is_left_swiftly_again():
    frames = pass_over_the_oncoming_lane([], 30.0)
    assert not any(f.touching for f in frames)
    assert frames[-1].x_m > 150.0
    assert sum(f.y_m > 0.9 for f in frames) * 0.1 < 8.0


def test_a_lane_change_on_the_road_is_felt_little():
    beside = [Actor(steady(x, 3.2, 0.0, 13.0)) for x in (-60.0, 60.0)]
    frames = Stage(straight_road(400.0, 2), Marque(), (1, 390.0), (0, 5.0), 13.0, beside).play(20)
    lateral = [f.speed_mps**2 * abs(float(f.plan.trajectory.curvature_1pm[0])) for f in frames]
    assert max(lateral) < 2.0
    assert frames[-1].y_m > 2.0


@pytest.mark.parametrize(("gap_m", "speed"), [(3.0, 0.4), (3.0, 0.0), (30.0, 0.0)])
def test_a_change_from_rest_does_not_graze_who_is_ahead(gap_m, speed):
    """Whoever hardly moves may stand again before we are past."""
    road = straight_road(200.0, 2)
    x = 40.0 + CAR.front_m + gap_m + 2.2
    ahead = Actor(lambda t: (x + speed * min(t, 3.0), 0.0, 0.0, speed if t < 3.0 else 0.0))
    frames = Stage(road, Marque(), (1, 190.0), (0, 40.0), 0.0, [ahead]).play(25.0)
    assert not any(f.touching for f in frames)
