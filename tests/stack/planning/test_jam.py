"""Hazard lights, judged by what the car shows on small roads."""

import pytest

from builders import Lane, straight_road, tiny_map
from marque.stack.planning.driver import Marque
from marque.types.codes import Indicator
from stage import Actor, Stage, steady

CRAWLS_MPS = 3.0


def shown(others, limit=27.78, speed=25.0, seconds=9.0):
    road = straight_road(1500.0, 1, limit)
    stage = Stage(road, Marque(), (0, 1400.0), (0, 100.0), speed, others)
    frames = stage.play(seconds)
    assert not any(frame.touching for frame in frames)
    return frames


def tail(count, x=270.0, speed=CRAWLS_MPS):
    return [Actor(steady(x + 12.0 * i, 0.0, 0.0, speed)) for i in range(count)]


def test_who_comes_up_to_a_jam_warns_those_behind_until_they_crawl_too():
    frames = shown(tail(4), seconds=30.0)
    warns = [frame.plan.indicator == Indicator.HAZARD for frame in frames]
    assert any(warns[:20])
    first = warns.index(True)
    assert frames[first].speed_mps > 18.0
    last = len(warns) - 1 - warns[::-1].index(True)
    assert all(warns[first : last + 1])
    assert frames[-1].plan.indicator == Indicator.OFF
    assert frames[-1].speed_mps < 8.0


@pytest.mark.parametrize(
    ("others", "limit", "speed"),
    [
        (tail(1), 27.78, 25.0),  # one slow car is no jam
        (tail(4, speed=20.0), 27.78, 25.0),  # dense, but it flows
        (tail(4), 13.89, 12.0),  # in town everybody expects it
        ([], 27.78, 25.0),
    ],
)
def test_nobody_is_warned_of_less(others, limit, speed):
    frames = shown(others, limit, speed)
    assert all(frame.plan.indicator == Indicator.OFF for frame in frames)


WIDE = 3.75


def two_lanes(left_hand=False, limit=27.78):
    """To the east; lane 1 lies on the left of lane 0."""
    return tiny_map(
        [
            Lane([(0, 0), (900, 0)], edge="m", left=1, width=WIDE, limit=limit),
            Lane([(0, WIDE), (900, WIDE)], edge="m", right=0, width=WIDE, limit=limit),
        ],
        step_m=2.0,
        left_hand=left_hand,
    )


def crawling(y, until_s, beside=0):
    """Four who crawl 20 m before us, and `beside` more behind them, and drive on later."""

    def motion(x):
        def at(t):
            speeds = 1.5 if t < until_s else min(16.0, 1.5 + 1.5 * (t - until_s))
            later = max(0.0, t - until_s)
            way = 1.5 * min(t, until_s) + 1.5 * later + 0.75 * min(later, 9.667) ** 2
            return x + way + 14.5 * max(0.0, later - 9.667), y, 0.0, speeds

        return at

    return [Actor(motion(80.0 + 10.0 * i)) for i in range(-beside, 4)]


@pytest.mark.parametrize("left_hand", [False, True])
@pytest.mark.parametrize("lane", [0, 1])
def test_in_a_jam_room_is_made_for_rescue_vehicles_until_it_flows(lane, left_hand):
    y = lane * WIDE
    others = crawling(y, 25.0) + crawling(WIDE - y, 25.0, beside=8)
    stage = Stage(two_lanes(left_hand), Marque(), (lane, 880.0), (lane, 50.0), 2.0, others)
    frames = stage.play(48.0)
    assert not any(frame.touching for frame in frames)
    aside = [frame.y_m - y for frame in frames]
    away = 1.0 if lane == 1 else -1.0  # from the other lane: the room is between the two
    least, most = 0.3, 0.5 * WIDE - 0.9
    assert least < away * aside[240] < most
    assert abs(aside[-1]) < 0.15
    assert all(abs(each) < most for each in aside)


def test_on_one_lane_and_in_town_we_stay_in_the_middle():
    for road in (straight_road(900.0, 1, 27.78), two_lanes(limit=13.89)):
        stage = Stage(road, Marque(), (0, 880.0), (0, 50.0), 2.0, crawling(0.0, 25.0))
        assert all(abs(frame.y_m) < 0.1 for frame in stage.play(20.0))
