"""Contacts are found between frames, counted once, and judged by the words of the design."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Conflict, Lane, straight_road, tiny_map
from marque.maps.lookup import LaneIndex
from marque.metrics.contacts import contacts
from marque.metrics.fault import Collision, collisions, first_sight
from marque.metrics.trace import make_trace, with_lanes
from marque.metrics.way import driven_way
from marque.types.codes import ConflictKind, Control, Reason, SignalState, UserKind
from marque.types.episode import Episode
from marque.types.road_map import RoadMap
from metrics.drives import CAR, FRONT_M, User, drive, moving, standing, straight

ROAD = straight_road(600.0, lanes=2)


def judged(episode: Episode) -> list[Collision]:
    index = LaneIndex(episode.road_map)
    trace = with_lanes(make_trace(episode), index)
    return collisions(trace, driven_way(trace, index), index)


def crossroads(
    own_priority: int,
    head: bool = False,
    control: Control = Control.FREE,
    kind: ConflictKind = ConflictKind.CROSS,
) -> RoadMap:
    """East along y = 0 with a connector from x = 100 to 120; north along x = 110 from y = -10."""
    lanes = [
        Lane([(0, 0), (100, 0)], succ=[1], stop=100.0),
        Lane([(100, 0), (120, 0)], succ=[2], connector=True, head=0 if head else -1,
             control=control),
        Lane([(120, 0), (300, 0)]),
        Lane([(110, -200), (110, -10)], succ=[4], stop=190.0),
        Lane([(110, -10), (110, 10)], succ=[5], connector=True, head=1 if head else -1),
        Lane([(110, 10), (110, 200)]),
    ]  # fmt: skip
    return tiny_map(
        lanes,
        conflicts=[Conflict(1, 4, 8.4, 11.6, 8.4, 11.6, kind, own_priority)],
        heads=[(0, 0, (100.0, 0.0)), (0, 1, (110.0, -10.0))] if head else [],
        junctions=[[(95, -15), (125, -15), (125, 15), (95, 15)]],
    )


@given(st.floats(5.0, 30.0), st.floats(0.0, 0.3))
def test_a_thin_thing_is_not_jumped_over(speed: float, shift: float) -> None:
    pole = standing(7, 50.0 + shift, 0.0, length=0.1, width=0.1, kind=UserKind.OBSTACLE)
    episode = drive(ROAD, straight([speed] * 120), [pole])
    (hit,) = contacts(make_trace(episode))
    reach = (hit.frame + hit.share) * 0.1 * speed + FRONT_M
    assert 50.0 + shift - 0.05 <= reach <= 50.0 + shift + 0.05 + CAR.length_m


def test_a_fast_crossing_between_two_frames_is_found() -> None:
    # a small, fast thing that is on one side in a frame and on the other in the next
    bolt = moving(3, 40.0, -3.95, math.pi / 2, 60.0, length=0.3, width=0.3)
    ego = straight([0.0] * 3, x=38.6)
    (hit,) = contacts(make_trace(drive(ROAD, ego, [bolt])))
    assert hit.frame == 0 and 0.3 < hit.share < 0.7


def test_one_record_for_one_road_user_and_none_without_contact() -> None:
    wall = standing(1, 40.0, 0.0)
    beside = moving(2, 0.0, 3.2, 0.0, 10.0)
    found = judged(drive(ROAD, straight([10.0] * 100), [wall, beside]))
    assert [hit.uid for hit in found] == [1]
    assert found[0].at_fault and found[0].side == "front" and found[0].kind == "car"
    assert found[0].ego_speed_mps == 10.0 and found[0].other_speed_mps == 0.0


def test_hit_from_behind_in_our_own_lane_is_the_others() -> None:
    follower = moving(5, -30.0, 0.0, 0.0, 20.0, lane=0)
    (hit,) = judged(drive(ROAD, straight([8.0] * 80, x=40.0), [follower]))
    assert not hit.at_fault and hit.side == "rear" and "behind" in hit.reason


def test_hit_from_behind_just_after_a_lane_change_is_ours() -> None:
    ego = []
    for i, pose in enumerate(straight([8.0] * 80, x=40.0)):
        share = min(1.0, max(0.0, (i - 20) / 20.0))
        ego.append(type(pose)(pose.x_m, 3.2 * share, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0))
    follower = moving(5, -17.0, 3.2, 0.0, 20.0, lane=1)
    (hit,) = judged(drive(ROAD, ego, [follower]))
    assert hit.at_fault and "within 3 s" in hit.reason


def test_standing_cars_that_are_hit_are_judged_by_where_they_stand() -> None:
    ego = straight([0.0] * 60, x=40.0)
    (hit,) = judged(drive(ROAD, ego, [moving(1, 90.0, 0.0, math.pi, 12.0)]))
    assert not hit.at_fault and "stood" in hit.reason
    stopped = straight([5.0 - i for i in range(6)] + [0.0] * 3, x=40.0)
    (hit,) = judged(drive(ROAD, stopped, [moving(1, 52.0, 0.0, math.pi, 10.0)]))
    assert hit.at_fault  # still within 1 s after it stopped, and ... see the reference driver


@pytest.mark.parametrize(
    ("control", "priority", "x", "words"),
    [
        (Control.YIELD, -1, 97.5, "past a stop line"),
        (Control.FREE, 0, 106.0, "conflict zone"),
        (Control.FREE, 1, 106.0, ""),
        (Control.YIELD, -1, 90.0, ""),
    ],
)
def test_standing_in_a_junction(control: Control, priority: int, x: float, words: str) -> None:
    road = crossroads(priority, control=control)
    ego = straight([0.0] * 60, x=x) + straight([3.0] * 60, x=x)
    hitter = moving(1, x + 60.0, 0.5, math.pi, 15.0)
    (hit,) = judged(drive(road, ego, [hitter]))
    assert hit.at_fault == (words != "") and words in hit.reason


def test_where_another_way_leaves_our_lane_one_stands_in_nobodys_way() -> None:
    ego = straight([0.0] * 60, x=106.0) + straight([3.0] * 60, x=106.0)
    hitter = moving(1, 166.0, 0.5, math.pi, 15.0)
    (hit,) = judged(drive(crossroads(0, kind=ConflictKind.DIVERGE), ego, [hitter]))
    assert not hit.at_fault


def test_crossing_traffic_by_priority_and_by_what_could_be_avoided() -> None:
    # both meet at (110, 0); the other comes from the south
    def other(speed: float, hidden_until: float = -1.0) -> User:
        start = -speed * 7.5

        def at(t: float) -> tuple[float, float, float, float] | None:
            y = start + speed * t
            return (110.0, y, math.pi / 2, speed) if t >= hidden_until else None

        def lane(t: float) -> int:
            y = start + speed * t
            return 3 if y < -10 else 4 if y < 10 else 5

        return User(9, at, lane=lane)

    ego = straight([13.0] * 95, x=10.0)
    ours = judged(drive(crossroads(-1), ego, [other(13.0)]))
    assert [hit.at_fault for hit in ours] == [True]
    seen = judged(drive(crossroads(1), ego, [other(6.0)]))
    assert seen[0].at_fault and "would have avoided" in seen[0].reason
    sudden = judged(drive(crossroads(1), ego, [other(13.0, hidden_until=6.9)]))
    assert not sudden[0].at_fault and "lower priority" in sudden[0].reason


def test_against_red() -> None:
    road = crossroads(0, head=True)
    ego = straight([13.0] * 95, x=10.0)

    def red_runner(t: float) -> tuple[float, float, float, float] | None:
        return (110.0, -97.0 + 13.0 * t, math.pi / 2, 13.0) if t > 6.9 else None

    lane = lambda t: 3 if -97.0 + 13.0 * t < -10 else 4  # noqa: E731
    green_red = [SignalState.GREEN, SignalState.RED]
    (hit,) = judged(drive(road, ego, [User(9, red_runner, lane=lane)], heads=green_red))
    assert not hit.at_fault and "against red" in hit.reason
    red_red = [SignalState.RED, SignalState.RED]
    (hit,) = judged(drive(road, ego, [User(9, red_runner, lane=lane)], heads=red_red))
    assert hit.at_fault and "itself had entered against red" in hit.reason


def cut_in(lead_m: float, speed: float, at_s: float, duration_s: float) -> User:
    """From lane 1 in front of the car in lane 0."""

    def at(t: float) -> tuple[float, float, float, float]:
        share = min(1.0, max(0.0, (t - at_s) / duration_s))
        drift = 3.2 / duration_s if 0.0 < share < 1.0 else 0.0
        return lead_m + speed * t, 3.2 * (1.0 - share), math.atan2(-drift, speed), speed

    return User(4, at, lane=lambda t: 1 if t < at_s + 0.5 * duration_s else 0)


def test_cut_ins() -> None:
    ego = straight([15.0] * 150)
    (slow,) = judged(drive(ROAD, ego, [cut_in(40.0, 8.0, 2.0, 2.0)]))
    assert slow.at_fault and "reference driver would have avoided" in slow.reason
    (brutal,) = judged(drive(ROAD, ego, [cut_in(14.5, 5.0, 0.7, 0.4)]))
    assert not brutal.at_fault and "entered our lane" in brutal.reason


def test_pedestrians() -> None:
    ego = straight([12.0] * 60)

    def steps_out(t: float) -> tuple[float, float, float, float] | None:
        return (34.0, -3.5 + 2.0 * (t - 1.2), math.pi / 2, 2.0) if t > 1.2 else None

    walker = User(2, steps_out, kind=UserKind.PEDESTRIAN, length=0.5, width=0.5)
    (hit,) = judged(drive(ROAD, ego, [walker]))
    assert not hit.at_fault and "stepped into our lane" in hit.reason
    far = standing(3, 80.0, 0.3, kind=UserKind.PEDESTRIAN, length=0.5, width=0.5)
    (hit,) = judged(drive(ROAD, straight([12.0] * 80), [far]))
    assert hit.at_fault


def test_first_sight_ends_behind_a_van() -> None:
    van = standing(1, 30.0, 3.0, length=6.0, width=2.2)

    def steps_out(t: float) -> tuple[float, float, float, float]:
        return 34.2, min(4.5, 8.0 - 2.0 * t), -math.pi / 2, 2.0

    walker = User(2, steps_out, kind=UserKind.PEDESTRIAN, length=0.5, width=0.5)
    trace = make_trace(drive(ROAD, straight([9.0] * 60), [van, walker]))
    (hit,) = [each for each in contacts(trace) if each.uid == 2]
    alone = make_trace(drive(ROAD, straight([9.0] * 60), [walker]))
    (same,) = contacts(alone)
    assert first_sight(alone, same) == 0 < first_sight(trace, hit) < hit.frame


def test_an_empty_drive_has_no_contacts() -> None:
    assert judged(drive(ROAD, [])) == []
    assert judged(drive(ROAD, straight([5.0]), [standing(1, 100.0, 0.0)], reason=Reason.LEAD)) == []
