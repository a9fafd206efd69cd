"""Merges, exits and forced followers, on drives written by hand."""

import numpy as np
import pytest
from drives import STEP_S, User, along, drive, moving, straight

from builders import Lane, tiny_map
from marque.maps.lookup import LaneIndex
from marque.metrics.motorway import lane_changes, motorway_numbers
from marque.metrics.trace import make_trace, with_lanes
from marque.metrics.way import driven_way
from marque.types.road_map import RoadMap

WIDE = 3.75
# a ramp becomes the right lane of three; the right lane then leads off, or ends
RAMP, JOIN_R, JOIN_L, AFTER, OFF = range(5)
MERGE = (("ramp", "join", "after"),)
EXIT = (("join", "off", "after"),)


def road() -> RoadMap:
    """The ramp (y = 0) goes on as `join`'s right lane; its left lane goes on as `after`; the right
    one leads to `off`."""
    lanes = [
        Lane([(-200, 0), (0, 0)], succ=[JOIN_R], edge="ramp", width=WIDE),
        Lane([(0, 0), (300, 0)], succ=[OFF], edge="join", left=JOIN_L, width=WIDE),
        Lane([(0, WIDE), (300, WIDE)], succ=[AFTER], edge="join", right=JOIN_R, width=WIDE),
        Lane([(300, WIDE), (900, WIDE)], edge="after", width=WIDE),
        Lane([(300, 0), (600, -30)], edge="off", width=WIDE),
    ]
    return tiny_map(lanes)


def merging(begin_x: float = 60.0) -> np.ndarray:
    """From the ramp to the left lane."""
    return np.array([(-200, 0), (begin_x, 0), (begin_x + 100, WIDE), (900, WIDE)], dtype=float)


def braking_behind(uid: int, x: float, speed: float, hard: float, from_s: float) -> User:
    """On the left lane at constant speed, then braking for a second."""

    def at(t: float) -> tuple[float, float, float, float]:
        s = min(max(t - from_s, 0.0), 1.0)
        v = speed - hard * s
        return (
            x + speed * t - 0.5 * hard * s * s - hard * s * max(0.0, t - from_s - s),
            WIDE,
            0.0,
            v,
        )

    return User(uid, at, lane=JOIN_L)


def numbers(episode, merges=MERGE, exits=EXIT):
    return motorway_numbers(episode, LaneIndex(episode.road_map), merges, exits)


def test_a_merge_at_speed_passes():
    found = numbers(drive(road(), along(merging(), 25.0, 300)), exits=())
    assert (found["merges"], found["merges_passed"], found["exits"]) == (1, 1, 0)
    assert found["lane_changes"] == 1
    assert found["followers_braked"] == []


def test_who_is_led_off_by_the_ramp_lane_has_not_merged():
    line = np.array([(-200, 0), (300, 0), (600, -30)], dtype=float)
    found = numbers(drive(road(), along(line, 25.0, 260)))
    assert (found["merges"], found["merges_passed"]) == (1, 0)
    assert (found["exits"], found["exits_missed"]) == (1, 0)
    assert found["lane_changes"] == 0


def test_who_never_comes_to_the_acceleration_lane_has_no_merge():
    found = numbers(drive(road(), straight([10.0] * 50, x=-190.0)))
    assert (found["merges"], found["exits"]) == (0, 0)


@pytest.mark.parametrize(("beside_mps", "passed"), [(20.0, 0), (1.0, 1)])
def test_standing_at_the_end_while_the_others_drive_is_no_merge(beside_mps, passed):
    there = [20.0] * 220 + [0.0] * 30 + [10.0] * 10
    ego = straight(there, x=-180.0)
    start = ego[-1].x_m
    line = np.array([(start, 0), (start + 20, WIDE), (900, WIDE)], dtype=float)
    beside = User(
        7, lambda t: (250.0 - beside_mps * (23.0 - t), WIDE, 0.0, beside_mps), lane=JOIN_L
    )
    found = numbers(drive(road(), [*ego, *along(line, 10.0, 100)], [beside]), exits=())
    assert (found["merges"], found["merges_passed"]) == (1, passed)


def test_driving_on_past_the_exit_is_a_missed_exit():
    line = np.array([(10, WIDE), (900, WIDE)], dtype=float)
    found = numbers(drive(road(), along(line, 30.0, 250)), merges=())
    assert (found["exits"], found["exits_missed"]) == (1, 1)


@pytest.mark.parametrize(("hard", "count"), [(2.0, 0), (4.5, 1)])
def test_a_follower_that_brakes_hard_because_of_us_counts_once(hard, count):
    # we are over the line at x = 110 m, after 12.4 s; the follower is 25 m behind us by then
    begin = 110.0 - 25.0 - 30.0 * 12.4
    behind = braking_behind(5, begin, 30.0, hard, 12.8)
    found = numbers(drive(road(), along(merging(), 25.0, 300), [behind]), exits=())
    assert found["lane_changes"] == 1
    assert len(found["followers_braked"]) == count
    assert found["follower_braking_most_mps2"] == pytest.approx(hard, abs=0.3)
    if count:
        row = found["followers_braked"][0]
        assert row["who"] == "5"
        assert row["braked_mps2"] == pytest.approx(hard, abs=0.3)
        assert row["t_s"] == pytest.approx(12.4, abs=0.5)


def test_who_brakes_for_somebody_between_us_is_not_forced_by_us():
    begin = 110.0 - 50.0 - 30.0 * 12.4
    behind = braking_behind(5, begin, 30.0, 4.5, 12.8)
    between = moving(6, 110.0 - 20.0 - 25.0 * 12.4, WIDE, 0.0, 25.0, lane=JOIN_L)
    found = numbers(drive(road(), along(merging(), 25.0, 300), [behind, between]), exits=())
    assert found["followers_braked"] == []


def test_who_brakes_long_after_is_not_forced_by_the_change():
    begin = 110.0 - 60.0 - 26.0 * 12.4
    behind = braking_behind(5, begin, 26.0, 4.5, 12.4 + 6.0)
    found = numbers(drive(road(), along(merging(), 25.0, 300), [behind]), exits=())
    assert found["followers_braked"] == []


def test_a_change_across_the_join_of_two_roads_counts():
    lanes = [
        Lane([(0, 0), (100, 0)], succ=[2], edge="a", left=1, width=WIDE),
        Lane([(0, WIDE), (100, WIDE)], succ=[3], edge="a", right=0, width=WIDE),
        Lane([(100, 0), (300, 0)], edge="b", left=3, width=WIDE),
        Lane([(100, WIDE), (300, WIDE)], edge="b", right=2, width=WIDE),
    ]
    road_map = tiny_map(lanes)
    line = np.array([(0, 0), (90, 0), (110, WIDE), (300, WIDE)], dtype=float)
    episode = drive(road_map, along(line, 20.0, 150))
    index = LaneIndex(road_map)
    trace = with_lanes(make_trace(episode), index)
    changes = lane_changes(trace, driven_way(trace, index))
    assert [round(each.frame * STEP_S) for each in changes] == [5]
    kept = drive(road_map, straight([20.0] * 140))
    trace = with_lanes(make_trace(kept), index)
    assert lane_changes(trace, driven_way(trace, index)) == []
