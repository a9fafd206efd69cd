"""Hazard lights, judged by what the car shows on small roads."""

import pytest

from builders import straight_road
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
