"""Red lights, off-road, wrong way, stuck and needless braking, judged from the truth."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Conflict, Lane, arc, straight_road, tiny_map
from marque.maps.lookup import LaneIndex
from marque.metrics.rules import (
    crossings,
    needless_hard_braking,
    off_road,
    red_light_crossings,
    wrong_way,
)
from marque.metrics.stuck import stuck
from marque.metrics.trace import Trace, make_trace
from marque.metrics.way import Way, driven_way
from marque.types.codes import Reason, SignalState, UserKind
from marque.types.episode import Episode
from marque.types.road_map import RoadMap
from metrics.drives import FRONT_M, User, along, drive, moving, standing, straight

R, G, A, RA = SignalState.RED, SignalState.GREEN, SignalState.AMBER, SignalState.RED_AMBER


def fork() -> RoadMap:
    """One lane to a stop line at x = 100; straight on by head 0, left by head 1."""
    lanes = [
        Lane([(0, 0), (100, 0)], succ=[1, 3], stop=99.0),
        Lane([(100, 0), (120, 0)], succ=[2], connector=True, head=0),
        Lane([(120, 0), (300, 0)]),
        Lane(arc((100, 15), 15.0, -math.pi / 2, 0.0), succ=[4], connector=True, head=1),
        Lane([(115, 15), (115, 200)]),
    ]
    return tiny_map(lanes, heads=[(0, 0, (99.0, 0.0)), (0, 1, (99.0, 0.0))])


FORK = fork()
LEFT_WAY = np.vstack(
    ([(60.0, 0.0)], np.array(arc((100, 15), 15.0, -math.pi / 2, 0.0, 40)), [(115.0, 100.0)])
)


def seen(episode: Episode) -> tuple[Trace, Way, LaneIndex]:
    index = LaneIndex(episode.road_map)
    trace = make_trace(episode)
    return trace, driven_way(trace, index), index


def test_red_is_that_of_the_connector_then_taken() -> None:
    for heads, straight_on, left in (((R, G), 1, 0), ((G, R), 0, 1), ((A, RA), 0, 1)):
        trace, way, _ = seen(drive(FORK, straight([10.0] * 80, x=60.0), heads=heads))
        assert len(red_light_crossings(trace, way)) == straight_on
        trace, way, _ = seen(drive(FORK, along(LEFT_WAY, 8.0, 120), heads=heads))
        assert len(red_light_crossings(trace, way)) == left
        assert [each.connector for each in crossings(trace, way)] == [3]


@given(st.floats(0.0, 0.99), st.floats(4.0, 20.0))
def test_the_bumper_decides_and_the_moment_is_interpolated(share: float, speed: float) -> None:
    # the bumper stands on the line `share` of a step after frame 10
    x = 99.0 - FRONT_M - speed * 0.1 * (10 + share)
    for turns_red, offence in ((1.0, share > 1e-6), (1.1, False), (0.9, True)):
        if abs(turns_red - 1.0) < 1e-9 and share <= 1e-6:
            continue
        heads = lambda t, at=turns_red: (R if t >= at - 1e-9 else A, G)  # noqa: E731
        trace, way, _ = seen(drive(FORK, straight([speed] * 60, x=x), heads=heads))
        found = red_light_crossings(trace, way)
        assert len(found) == offence


def test_stopping_at_the_line_is_no_offence() -> None:
    speeds = [max(0.0, 10.0 - 0.25 * i) for i in range(100)]
    far = sum(0.05 * (a + b) for a, b in pairwise(speeds))
    heads = (R, R)
    for beyond, offence in ((-0.1, 0), (0.1, 1)):
        ego = straight(speeds, x=99.0 - FRONT_M - far + beyond)
        trace, way, _ = seen(drive(FORK, ego, heads=heads))
        assert len(red_light_crossings(trace, way)) == offence


def test_off_road_by_a_corner() -> None:
    road = straight_road(200.0, lanes=1)
    for y, off in ((0.9, 0), (1.0, 50)):
        trace, _, index = seen(drive(road, straight([2.0] * 50, x=20.0, y=y)))
        assert np.count_nonzero(off_road(trace, index)) == off


def two_way(passing: bool) -> RoadMap:
    return tiny_map(
        [
            Lane([(0, 0), (200, 0)], opposite=1, opposite_ok=passing),
            Lane([(200, 3.2), (0, 3.2)], opposite=0, opposite_ok=passing),
        ]
    )


def test_wrong_way_and_its_one_reason() -> None:
    parked = standing(1, 60.0, 0.0)
    for passing, users, wrong in ((False, [parked], 10), (True, [parked], 0), (True, [], 10)):
        ego = straight([2.0] * 10, x=50.0, y=3.2)
        trace, _, index = seen(drive(two_way(passing), ego, users))
        assert np.count_nonzero(wrong_way(trace, index)) == wrong
    swinging = straight([2.0] * 5, x=82.0, y=2.8, heading=-0.3)  # back, past who stood there
    trace, _, index = seen(drive(two_way(True), swinging, [standing(1, 68.0, -0.5)]))
    assert not wrong_way(trace, index).any()
    trace, _, index = seen(drive(two_way(False), straight([2.0] * 10, x=50.0, y=1.5)))
    assert not wrong_way(trace, index).any()  # over the middle with one side alone
    ego = straight([2.0] * 10, x=100.0, y=0.0, heading=math.pi)
    trace, _, index = seen(drive(two_way(False), ego))
    assert wrong_way(trace, index).all()


def waits(reason: Reason, users: list[User], heads: tuple[int, int], seconds: int) -> int:
    ego = straight([0.0] * (10 * seconds), x=99.0 - FRONT_M - 1.0)
    trace, way, _ = seen(drive(FORK, ego, users, heads=heads, reason=reason))
    return len(stuck(trace, way))


def test_stuck_is_standing_without_an_excuse() -> None:
    assert waits(Reason.NONE, [], (G, G), 59) == 0
    assert waits(Reason.NONE, [], (G, G), 62) == 1
    assert waits(Reason.NONE, [], (R, G), 120) == 0
    ahead = standing(1, 106.0, 0.0)
    assert waits(Reason.LEAD, [ahead], (G, G), 70) == 0
    assert waits(Reason.NONE, [ahead], (G, G), 70) == 1  # nobody said that we wait for it
    assert waits(Reason.LEAD, [], (G, G), 70) == 1  # said, but not true
    walker = standing(2, 104.0, 3.0, kind=UserKind.PEDESTRIAN, length=0.5, width=0.5)
    assert waits(Reason.CROSSWALK, [walker], (G, G), 70) == 0
    assert waits(Reason.CROSSWALK, [], (G, G), 70) == 1
    assert waits(Reason.YIELD, [], (G, G), 70) == 1


def test_a_queue_up_to_a_red_light_is_an_excuse() -> None:
    queue = [standing(i, 96.0 - 7.0 * i, 0.0) for i in range(1, 8)]
    ego = straight([0.0] * 700, x=40.0 - FRONT_M - 1.0)
    for heads, found in (((R, R), 0), ((G, G), 1)):
        trace, way, _ = seen(drive(FORK, ego, queue, heads=heads))
        assert len(stuck(trace, way)) == found


def test_waiting_for_traffic_is_confirmed_by_foes_on_conflicting_lanes() -> None:
    lanes = [
        Lane([(0, 0), (100, 0)], succ=[1], stop=100.0),
        Lane([(100, 0), (120, 0)], succ=[2], connector=True),
        Lane([(120, 0), (300, 0)]),
        Lane([(110, -200), (110, -10)], succ=[4]),
        Lane([(110, -10), (110, 10)], succ=[5], connector=True),
        Lane([(110, 10), (110, 200)]),
    ]
    road = tiny_map(lanes, conflicts=[Conflict(1, 4, 8, 12, 8, 12, priority=-1)])

    def stream(t: float) -> tuple[float, float, float, float]:
        return 110.0, -60.0 + 8.0 * (t % 6.0), math.pi / 2, 8.0

    ego = straight([0.0] * 800, x=90.0)
    foe = User(1, stream, lane=3)
    gone = moving(1, 110.0, 20.0, math.pi / 2, 8.0, lane=5)
    for users, found in (([foe], 0), ([gone], 1)):
        trace, way, _ = seen(drive(road, ego, users, reason=Reason.YIELD))
        assert len(stuck(trace, way)) == found


def braking(users: list[User], decel: float) -> int:
    road = straight_road(600.0, lanes=1)
    speeds = [15.0] * 20 + [max(0.0, 15.0 - 0.1 * decel * i) for i in range(1, 20)]
    speeds += [speeds[-1]] * 10
    trace, _, _ = seen(drive(road, straight(speeds), users))
    return len(needless_hard_braking(trace))


def test_needless_hard_braking() -> None:
    assert braking([], 5.0) == 1
    assert braking([], 2.9) == 0
    assert braking([standing(1, 62.0, 0.0)], 5.0) == 0
    assert braking([standing(1, 250.0, 0.0)], 5.0) == 1
    crossing = moving(2, 60.0, -8.0, math.pi / 2, 2.0, kind=UserKind.PEDESTRIAN, length=0.5)
    assert braking([crossing], 5.0) == 0
    behind = moving(3, -20.0, 0.0, 0.0, 15.0)
    assert braking([behind], 5.0) == 1


@pytest.mark.parametrize("frames", [0, 1])
def test_hardly_any_frames(frames: int) -> None:
    trace, way, index = seen(drive(FORK, straight([5.0] * frames), heads=(R, R)))
    assert red_light_crossings(trace, way) == [] and stuck(trace, way) == []
    assert not off_road(trace, index).any() and not wrong_way(trace, index).any()
    assert needless_hard_braking(trace) == []
