"""Fast roads of several lanes, judged by where the car goes, how fast and what it indicates."""

import numpy as np
import pytest

from builders import Lane, tiny_map
from marque.stack.planning.driver import Marque
from marque.stack.planning.gaps import LAST, URGENT, Row, Us, best_gap, room_behind
from marque.stack.planning.overtake import pace
from marque.types.codes import Indicator, UserKind
from stage import Actor, Stage, steady

WIDE, LONG_M = 3.75, 2600.0
RIGHT, LEFT = 0, 1


def motorway(limit=27.78):
    """Two lanes to the east; the goal lies far ahead on the right one."""
    return tiny_map(
        [
            Lane([(0, 0), (LONG_M, 0)], edge="m", left=LEFT, width=WIDE, limit=limit),
            Lane([(0, WIDE), (LONG_M, WIDE)], edge="m", right=RIGHT, width=WIDE, limit=limit),
        ],
        step_m=2.0,
    )


def play(seconds, actors, lane=RIGHT, speed=25.0, limit=27.78, goal=LONG_M - 10.0, x=60.0):
    stage = Stage(motorway(limit), Marque(), (RIGHT, goal), (lane, x), speed, actors)
    frames = stage.play(seconds)
    assert not any(frame.touching for frame in frames)
    return frames


def truck(x, speed, y=0.0):
    return Actor(steady(x, y, 0.0, speed), UserKind.TRUCK)


def test_a_truck_is_overtaken_on_the_left_and_then_we_go_back():
    frames = play(36.0, [truck(150.0, 17.0)])
    beside = next(frame for frame in frames if frame.x_m > 150.0 + 17.0 * frame.t_s)
    assert beside.y_m == pytest.approx(WIDE, abs=0.4)
    assert frames[-1].x_m > 160.0 + 17.0 * frames[-1].t_s
    assert frames[-1].y_m == pytest.approx(0.0, abs=0.4)
    # each change is indicated for three seconds before it begins, and done within five
    side = {Indicator.LEFT: "change_left", Indicator.RIGHT: "change_right"}
    begun = [
        k for k in range(1, len(frames))
        if frames[k].plan.manoeuvre.startswith("change")
        and not frames[k - 1].plan.manoeuvre.startswith("change")
    ]  # fmt: skip
    assert len(begun) == 2
    for k in begun:
        before = frames[k - 29 : k + 1]
        assert {side.get(each.plan.indicator) for each in before} == {frames[k].plan.manoeuvre}
        done = next(j for j in range(k, len(frames)) if frames[j].plan.manoeuvre == "keep")
        moved = [j for j in range(k, done) if 0.2 < frames[j].y_m < WIDE - 0.2]
        assert len(moved) < 50


def test_nobody_is_overtaken_for_a_little_gain():
    frames = play(25.0, [truck(110.0, 24.5)], speed=25.0, limit=25.5)
    assert all(abs(frame.y_m) < 0.3 for frame in frames)


def test_on_a_slower_road_the_lane_is_kept_behind_who_is_a_little_slower():
    frames = play(25.0, [truck(60.0, 13.0)], speed=13.0, limit=16.7, x=20.0)
    assert all(abs(frame.y_m) < 0.3 for frame in frames)


def test_who_comes_fast_from_behind_is_let_by_first():
    fast = Actor(steady(-20.0, WIDE, 0.0, 36.0))
    frames = play(16.0, [truck(140.0, 17.0), fast])
    for frame in frames:
        behind = frame.x_m - (-20.0 + 36.0 * frame.t_s)
        if frame.y_m > 1.0:
            assert behind < -5.0


def test_nobody_is_passed_on_the_right():
    slow = Actor(steady(150.0, WIDE, 0.0, 20.0))
    frames = play(25.0, [slow])
    assert all(frame.front_m[0] < 150.0 + 20.0 * frame.t_s + 2.0 for frame in frames)
    assert frames[-1].speed_mps == pytest.approx(20.0, abs=1.0)
    assert min(frame.accel_mps2 for frame in frames) > -2.5


def test_a_slow_row_on_the_left_is_passed_on_the_right_by_no_more_than_20_kph():
    row = [Actor(steady(90.0 + 25.0 * i, WIDE, 0.0, 8.0)) for i in range(20)]
    frames = play(22.0, row, speed=14.0)
    assert frames[-1].x_m > 90.0 + 8.0 * 22.0
    passing = [f.speed_mps for f in frames if f.t_s > 8.0]
    assert max(passing) < 8.0 + 20.0 / 3.6 + 0.5
    assert min(passing) > 8.0 + 2.0


def test_without_a_limit_we_drive_no_faster_than_130_kph():
    frames = play(20.0, [], speed=34.0, limit=55.6)
    assert max(frame.speed_mps for frame in frames) == pytest.approx(36.1, abs=0.2)


def test_before_the_goal_on_the_right_lane_we_are_over_in_time():
    """However full that lane is."""
    row = [truck(-60.0 + 75.0 * i, 22.0) for i in range(8)]
    frames = play(48.0, row, lane=LEFT, speed=25.0, goal=1500.0)
    over = next(frame for frame in frames if abs(frame.y_m) < 0.4)
    assert over.x_m < 1350.0


def from_a_ramp(row, seconds, x=20.0):
    """An acceleration lane of 250 m up to x = 250 m, and everybody who drives on the road."""
    lanes = [
        Lane([(-300, 0), (0, 0)], succ=[1], edge="ramp", width=WIDE, limit=22.2),
        Lane([(0, 0), (250, 0)], edge="m0", left=2, width=WIDE, limit=33.3),
        Lane([(0, WIDE), (250, WIDE)], succ=[3], edge="m0", right=1, width=WIDE, limit=33.3),
        Lane([(250, WIDE), (2000, WIDE)], edge="m1", width=WIDE, limit=33.3),
        Lane([(-800, WIDE), (0, WIDE)], succ=[2], edge="m", width=WIDE, limit=33.3),
    ]
    stage = Stage(tiny_map(lanes, step_m=2.0), Marque(), (3, 1700.0), (0, x), 18.0, row)
    frames = stage.play(seconds)
    assert not any(frame.touching for frame in frames)
    return frames


@pytest.mark.parametrize("shift", [0.0, 40.0])
def test_from_a_ramp_we_merge_at_speed(shift):
    row = [Actor(steady(-1500.0 + shift + 75.0 * i, WIDE, 0.0, 24.5)) for i in range(14, 30)]
    frames = from_a_ramp(row, 26.0)
    entered = next(frame for frame in frames if frame.y_m > 0.5 * WIDE)
    assert entered.x_m < 235.0
    assert entered.speed_mps > 19.0


def gives_way(x, speed, from_s, by_mps):
    """Drives steadily, and from `from_s` on for 4 s brakes softly until it is `by_mps` slower."""

    def motion(t):
        braked = min(max(0.0, t - from_s), 4.0)
        rate = by_mps / 4.0
        way = speed * t - 0.5 * rate * braked**2 - by_mps * max(0.0, t - from_s - 4.0)
        return x + way, WIDE, 0.0, speed - rate * braked

    return motion


@pytest.mark.parametrize("shift", [0.0, 18.0])
def test_in_a_row_with_no_gap_we_keep_its_pace_until_one_is_opened(shift):
    """Cars at 29 m from each other: whoever slows down for them finds no gap later either."""
    begin = [-1500.0 + shift + 29.0 * i for i in range(12, 80)]
    closed = [Actor(steady(x, WIDE, 0.0, 24.0)) for x in begin]
    frames = from_a_ramp(closed, 18.0)
    assert min(f.speed_mps for f in frames if f.x_m < 80.0) > 17.0  # beside a gap, for a while
    assert not any(f.y_m > 0.3 * WIDE for f in frames)  # nobody has opened it
    beside = next(f.t_s for f in frames if f.x_m > 40.0)
    first = max(x for x in begin if x + 24.0 * beside < 40.0)
    opened = [
        Actor(gives_way(x, 24.0, beside - 3.0, 3.0))
        if x <= first
        else Actor(steady(x, WIDE, 0.0, 24.0))
        for x in begin
    ]
    merged = next(f for f in from_a_ramp(opened, 26.0) if f.y_m > 0.5 * WIDE)
    assert merged.speed_mps > 17.0


def test_beside_a_crawling_row_we_slow_down_to_its_pace():
    row = [Actor(steady(-200.0 + 9.0 * i, WIDE, 0.0, 3.0)) for i in range(120)]
    frames = from_a_ramp(row, 24.0)
    late = [f.speed_mps for f in frames if f.x_m > 150.0]
    assert max(late, default=0.0) < 9.0
    assert frames[-1].x_m < 245.0


def test_the_pace_of_a_lane_is_that_of_whom_we_come_up_to():
    us = Us(0.0, 30.0, 0.0, 3.8, 1.0, 36.0)

    def row(*others):
        s, v = (np.array([o[i] for o in others], dtype=float) for i in (0, 1))
        return Row(np.arange(len(s)), s, v, np.full(len(s), 2.3), np.zeros(len(s), bool))

    assert pace(row(), us, 33.0, 9.0) == 33.0
    assert pace(row((60.0, 24.0)), us, 33.0, 9.0) == 24.0
    assert pace(row((-20.0, 24.0)), us, 33.0, 9.0) == 33.0  # behind us
    assert pace(row((400.0, 24.0)), us, 33.0, 9.0) == 33.0  # far ahead
    assert pace(row((60.0, 30.0), (110.0, 22.0)), us, 33.0, 9.0) == 22.0
    assert pace(row((60.0, 36.0)), us, 33.0, 9.0) == 33.0


def test_what_is_asked_of_a_follower_leaves_it_braking_softly():
    """As the law has it for who comes faster: reaction, then no more than 3 m/s²."""
    for theirs in (24.0, 30.0, 36.0):
        for ours in (20.0, 26.0, 32.0):
            if ours <= theirs:
                closing = theirs - ours
                lawful = 0.4 * closing + closing**2 / 6.0 + ours
                assert float(room_behind(ours, theirs, URGENT)) > lawful
                assert float(room_behind(ours, theirs, LAST)) > lawful


def test_to_slow_down_for_a_gap_costs_where_that_is_asked():
    s = np.array([-150.0, -95.0, -12.0, 40.0])
    row = Row(np.arange(4), s, np.full(4, 24.0), np.full(4, 2.3), np.zeros(4, bool))
    us = Us(0.0, 22.0, 0.0, 3.8, 1.0, 33.0)
    regains = (0.0, 2.0, 4.0, 6.0)
    keen = best_gap(row, us, URGENT, 0.0, 260.0, None, regains, slow_s=1.0)
    assert keen is not None
    assert keen.speed_mps > 18.0
