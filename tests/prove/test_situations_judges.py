"""Each criterion on drives written by hand: one that keeps it, one that breaks it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from builders import Conflict, Lane, Walk, straight_road, tiny_map
from marque.maps.lookup import LaneIndex
from marque.prove.roads import Roads
from marque.prove.situations import checks, crosswalks, junctions, lanes, obstacles, passing
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import Cast
from marque.prove.situations.view import View
from marque.types.codes import Control, SignalState, UserKind
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth
from metrics.drives import CAR, FRONT_M, STEP_S, User, drive, moving, standing, straight

G, A, R = int(SignalState.GREEN), int(SignalState.AMBER), int(SignalState.RED)
CASE = Case("by hand", Roads((), ()), Cast(), Place("e", 0.0), Place("e", 0.0), 60.0)


def view_of(
    road_map: RoadMap,
    ego: Sequence[EgoTruth],
    users: Sequence[User] = (),
    heads: Callable[[float], Sequence[int]] | Sequence[int] = (),
    goal: tuple[int, float] = (0, 0.0),
    **facts: object,
) -> View:
    episode = drive(road_map, ego, users, heads, goal=goal)
    names = {user.uid: f"user{user.uid}" for user in users}
    case = Case("by hand", CASE.roads, CASE.cast, CASE.start, CASE.goal, 60.0, facts=facts)
    return View(case, episode, LaneIndex(road_map), names)


def cross(control: Control = Control.STOP, head: bool = False, priority: int = -1) -> RoadMap:
    """We go east through (100..120, 0); another road goes north through the middle of it, and
    has a way out to the right before."""
    first = 0 if head else -1
    return tiny_map(
        [
            Lane([(0, 0), (100, 0)], succ=[1], stop=100.0, edge="in0"),
            Lane(
                [(100, 0), (120, 0)], succ=[2], connector=True, control=control, junction=0,
                head=first,
            ),
            Lane([(120, 0), (300, 0)], edge="out2"),
            Lane([(110, -100), (110, -10)], succ=[4, 6]),
            Lane([(110, -10), (110, 10)], succ=[5], connector=True, junction=0, head=2 * first + 1
                 if head else -1),
            Lane([(110, 10), (110, 100)]),
            Lane([(110, -10), (120, -10)], connector=True),
        ],
        conflicts=[Conflict(1, 4, 8.0, 12.0, 8.0, 12.0, priority=priority)],
        heads=[(0, 0, (100.0, 0.0)), (0, 1, (110.0, -10.0))] if head else (),
        junctions=[[(100, -10), (120, -10), (120, 10), (100, 10)]],
    )  # fmt: skip


def crosser(uid: int, at_middle_s: float, speed: float = 10.0, **more: object) -> User:
    """Comes up the other road, its middle in the middle of the crossing at that time."""
    begin = -speed * at_middle_s

    def lane(t: float) -> int:
        y = begin + speed * t
        return 3 if y < -10.0 else 4 if y < 10.0 else 5

    return moving(uid, 110.0, begin, 0.5 * np.pi, speed, lane=lane, **more)


# ------------------------------------------------------------------ right of way


def test_leaves_room_before_who_has_priority() -> None:
    road_map = cross(Control.YIELD)
    # at 10 m/s our rear leaves the conflict (x = 112) when the rear axle is at 112.9
    ego = straight([10.0] * 100, x=60.0)
    leaves = (112.0 + CAR.rear_overhang_m - 60.0) / 10.0
    for later, ok in ((0.4, False), (2.0, True)):
        # its nose reaches y = -2 half its length and 2 m before its middle does
        foe = crosser(1, leaves + later + (2.0 + 2.25) / 10.0)
        found = checks.leaves_room(view_of(road_map, ego, [foe]))
        assert found.ok is ok, found
    assert checks.leaves_room(view_of(cross(Control.YIELD, priority=1), ego, [crosser(1, 5.5)])).ok


def test_being_in_the_way_together_is_no_room() -> None:
    ego = straight([10.0] * 100, x=60.0)
    found = checks.leaves_room(view_of(cross(Control.YIELD), ego, [crosser(1, 5.0)]))
    assert not found.ok
    assert "user1" in found.value


def braking_foe(decel: float) -> User:
    """Drives at 12 m/s up the other road and begins to brake 25 m before the crossing."""
    begin = 2.0

    def at(t: float) -> tuple[float, float, float, float]:
        late = max(0.0, min(t - begin, 12.0 / decel))
        y = -25.0 - 12.0 * begin + 12.0 * min(t, begin) + 12.0 * late - 0.5 * decel * late * late
        return 110.0, y, 0.5 * np.pi, 12.0 - decel * late

    def lane(t: float) -> int:
        return 3 if at(t)[1] < -10.0 else 4

    return User(7, at, lane=lane)


def test_whom_we_force_to_brake_is_told() -> None:
    road_map = cross(Control.YIELD)
    ego = straight([6.0] * 60, x=100.0 - FRONT_M - 10.0)  # in the junction from 1.7 s on
    for decel, ok in ((2.0, True), (4.5, False)):
        found = checks.nobody_forced(view_of(road_map, ego, [braking_foe(decel)]))
        assert found.ok is ok
    # somebody else right before it is the reason
    other = standing(9, 110.0, -1.0, 0.5 * np.pi, lane=4, width=1.8)
    assert checks.nobody_forced(view_of(road_map, ego, [braking_foe(4.5), other])).ok
    # and who must yield to us may well brake
    assert checks.nobody_forced(view_of(cross(priority=1), ego, [braking_foe(4.5)])).ok


def test_who_takes_another_way_brakes_for_something_else() -> None:
    foe = braking_foe(4.5)

    def turns_off(t: float) -> int:
        lane = int(foe.lane(t))
        return 6 if lane == 4 else lane

    ego = straight([6.0] * 60, x=100.0 - FRONT_M - 10.0)
    view = view_of(cross(Control.YIELD), ego, [replace(foe, lane=turns_off)])
    assert checks.nobody_forced(view).ok


def test_met_priority_is_about_the_time_around_our_passage() -> None:
    ego = straight([10.0] * 120, x=60.0)
    assert checks.met_priority(view_of(cross(), ego, [crosser(1, 5.0)]))
    assert checks.met_priority(view_of(cross(), ego, [crosser(1, 9.0)]))
    assert not checks.met_priority(view_of(cross(), ego, [crosser(1, 14.0)]))
    assert not checks.met_priority(view_of(cross(), ego))


# ------------------------------------------------------------------ lines and boxes


def slowing(stop_x: float, still: int = 8) -> list[EgoTruth]:
    """From 40 m before to rest with the front bumper at `stop_x`, then on through."""
    speeds = [8.0]
    far = stop_x - FRONT_M - 40.0
    while speeds[-1] > 0.0:
        left = far - sum(speeds) * STEP_S
        speeds.append(max(0.0, min(8.0, (2.0 * 1.5 * max(0.0, left)) ** 0.5)) if left > 0.05 else 0)
    return straight([*speeds, *[0.0] * still, *np.arange(0.2, 8.0, 0.2), *[8.0] * 60], x=40.0)


def test_a_stop_counts_only_right_before_the_line() -> None:
    for x, ok in ((99.5, True), (98.5, True), (96.0, False), (101.5, False)):
        assert checks.stops_at_line(view_of(cross(), slowing(x))).ok is ok, x
    rolling = straight([3.0] * 400, x=40.0)
    assert not checks.stops_at_line(view_of(cross(), rolling)).ok
    assert checks.stops_at_line(view_of(cross(Control.YIELD), rolling)).ok


def test_at_rest_in_the_box_while_others_have_green() -> None:
    road_map = cross(Control.SIGNAL, head=True)
    waits = slowing(112.0, still=40)
    for heads, ok in (((G, R), True), ((R, G), False)):
        assert checks.box_clear(view_of(road_map, waits, heads=heads)).ok is ok
    assert checks.box_clear(view_of(road_map, slowing(99.0, still=40), heads=(R, G))).ok


def lights(turns_s: float, amber_s: float = 3.0) -> Callable[[float], tuple[int, int]]:
    def state(t: float) -> tuple[int, int]:
        return (G if t < turns_s else A if t < turns_s + amber_s else R), R

    return state


def test_amber_stop_and_go() -> None:
    road_map = cross(Control.SIGNAL, head=True)
    through = straight([12.0] * 120, x=10.0)
    # at 1 s: 100 - (22 + front) m to the line, easy to stop; at 5.3 s: 12 m, impossible
    early, late = lights(1.0), lights(5.3)
    assert not junctions.amber_stop(view_of(road_map, through, heads=early)).ok
    assert junctions.amber_stop(view_of(road_map, through, heads=late)).ok
    assert junctions.amber_go(view_of(road_map, through, heads=late)).ok
    braked = straight([12.0] * 54 + list(np.arange(12.0, 0.0, -0.6)) + [0.0] * 20, x=10.0)
    assert not junctions.amber_go(view_of(road_map, braked, heads=late)).ok
    assert junctions.posed_signals(view_of(road_map, through, heads=early))
    assert not junctions.posed_signals(view_of(road_map, through, heads=(G, R)))


def test_waiting_place_at_a_red_light() -> None:
    road_map = cross(Control.SIGNAL, head=True)
    red = (R, R)
    for x, ok in ((99.0, True), (96.0, True), (90.0, False), (102.0, False)):
        ego = slowing(x, still=30)[: 40 + 60]
        assert junctions.line_kept(view_of(road_map, ego, heads=red)).ok is ok, x


# ------------------------------------------------------------------ crosswalks


def zebra() -> RoadMap:
    return tiny_map(
        [Lane([(0, 0), (200, 0)])], walks=[Walk((100, -5, 100, 5), [(0, 98.0, 102.0)], width=4.0)]
    )


def walker(uid: int, enters_s: float, speed: float = 1.2, x: float = 100.0) -> User:
    """Crosses from the right (south): on the crosswalk from `enters_s` on."""
    return moving(
        uid, x, -5.0 - speed * enters_s, 0.5 * np.pi, speed, kind=UserKind.PEDESTRIAN, length=0.4,
        width=0.5,
    )  # fmt: skip


def test_who_is_on_the_crosswalk_first_goes_first() -> None:
    ego = straight([8.0] * 200, x=20.0)  # bumper at the edge (98 m) after about 9.3 s
    at = (98.0 - 20.0 - FRONT_M) / 8.0
    for enters, ok in (
        (at - 4.0, False),  # there while we could stop, and still before our side
        (at - 0.3, True),  # too late to stop for
        (at + 1.0, True),  # after us
        (at - 9.0, True),  # across already
    ):
        found = crosswalks.yields_to_walkers(view_of(zebra(), ego, [walker(1, enters)]))
        assert found.ok is ok, (enters, found)


def test_room_beside_walkers() -> None:
    at = (100.0 - 20.0) / 8.0
    slow = straight([8.0] * 70 + [2.0] * 300, x=20.0)
    fast = straight([8.0] * 200, x=20.0)
    near = walker(1, at - (5.0 - 0.95 - 0.25 - 0.4) / 1.2)  # 0.4 m beside our right side
    assert not crosswalks.keeps_off_walkers(view_of(zebra(), fast, [near])).ok
    far = standing(2, 100.0, -4.5, 0.0, kind=UserKind.PEDESTRIAN, length=0.4, width=0.5)
    assert crosswalks.keeps_off_walkers(view_of(zebra(), fast, [far])).ok
    beside = standing(2, 100.0, -1.6, 0.0, kind=UserKind.PEDESTRIAN, length=0.4, width=0.5)
    assert crosswalks.keeps_off_walkers(view_of(zebra(), slow, [beside])).ok  # at walking pace


def test_no_walker_is_touched() -> None:
    ego = straight([8.0] * 100, x=20.0)
    hit = standing(2, 60.0, 0.5, 0.0, kind=UserKind.PEDESTRIAN, length=0.4, width=0.5)
    missed = standing(2, 60.0, 2.5, 0.0, kind=UserKind.PEDESTRIAN, length=0.4, width=0.5)
    assert not crosswalks.no_walker_touched(view_of(zebra(), ego, [hit])).ok
    assert crosswalks.no_walker_touched(view_of(zebra(), ego, [missed])).ok


# ------------------------------------------------------------------ ahead and beside

ROAD = straight_road(400.0, 2)


def test_distance_to_the_leader() -> None:
    ego = straight([10.0] * 150, x=20.0)
    for gap, ok in ((5.0, False), (9.0, True)):
        lead = moving(1, 20.0 + FRONT_M + gap + 2.25, 0.0, 0.0, 10.0, lane=0)
        assert passing.keeps_distance(view_of(ROAD, ego, [lead])).ok is ok


def test_a_cut_in_gets_a_while() -> None:
    ego = straight([10.0] * 150, x=20.0)

    def late(t: float) -> tuple[float, float, float, float] | None:
        return (20.0 + 10.0 * t + FRONT_M + 4.0 + 2.25, 0.0, 0.0, 10.0) if 5.0 < t < 8.5 else None

    assert passing.keeps_distance(view_of(ROAD, ego, [User(1, late, lane=0)])).ok


def test_room_at_rest() -> None:
    ego = straight([0.0] * 30, x=20.0)
    for gap, ok in ((0.5, False), (1.5, True)):
        lead = standing(1, 20.0 + FRONT_M + gap + 2.25, 0.0, lane=0)
        assert passing.stands_clear(view_of(ROAD, ego, [lead])).ok is ok


def test_room_beside_cyclists_and_standing_vehicles() -> None:
    ego = straight([8.0] * 150, x=20.0)
    half = 0.5 * CAR.width_m
    for free, ok in ((1.2, False), (1.6, True)):
        y = -(half + free + 0.325)
        bike = moving(1, 60.0, y, 0.0, 4.0, kind=UserKind.BICYCLE, length=1.8, width=0.65, lane=0)
        assert passing.passes_cyclists(view_of(ROAD, ego, [bike])).ok is ok
    for free, ok in ((0.2, False), (0.6, True)):
        parked = standing(1, 60.0, -(half + free + 0.9), lane=0)
        assert passing.passes_standing(view_of(ROAD, ego, [parked])).ok is ok


def two_way() -> RoadMap:
    """Ours eastwards on y = 0, the other way on y = 3.2."""
    return tiny_map(
        [
            Lane([(0, 0), (300, 0)], opposite=1, opposite_ok=True),
            Lane([(300, 3.2), (0, 3.2)], opposite=0, opposite_ok=True),
        ]
    )


def test_the_oncoming_lane_must_be_free_while_we_use_it() -> None:
    over = straight([8.0] * 80, x=20.0, y=2.0)
    own = straight([8.0] * 80, x=20.0)
    for away, ok in ((60.0, False), (400.0, True)):
        foe = moving(1, 20.0 + away, 3.2, np.pi, 8.0, lane=1)
        assert passing.oncoming_free(view_of(two_way(), over, [foe])).ok is ok
        assert passing.oncoming_free(view_of(two_way(), own, [foe])).ok


def test_on_two_lanes_for_long() -> None:
    road_map = tiny_map(
        [
            Lane([(0, 0), (900, 0)], edge="e", left=1),
            Lane([(0, 3.2), (900, 3.2)], edge="e", right=0),
        ]
    )
    assert not lanes.decides(view_of(road_map, straight([8.0] * 120, x=10.0, y=1.6))).ok
    assert lanes.decides(view_of(road_map, straight([8.0] * 120, x=10.0, y=0.3))).ok


def test_lane_entries_are_changes_only() -> None:
    road_map = tiny_map(
        [
            Lane([(0, 0), (300, 0)], edge="e", left=1),
            Lane([(0, 3.2), (300, 3.2)], edge="e", right=0),
        ]
    )
    poses = [EgoTruth(10.0 + 0.8 * k, 0.04 * k, 0.05, 8.0, 0, 0, 0, 0) for k in range(80)]
    assert len(checks.lane_entries(view_of(road_map, poses))) == 1
    assert checks.lane_entries(view_of(road_map, straight([8.0] * 80))) == []


def test_blocked_is_posed_by_a_standing_vehicle_near_us() -> None:
    ego = straight([8.0] * 80, x=20.0)
    near = view_of(ROAD, ego, [standing(1, 100.0, 0.0, lane=0)], block="user1")
    gone = view_of(ROAD, ego, [moving(1, 100.0, 0.0, 0.0, 9.0, lane=0)], block="user1")
    assert obstacles.posed_blocked(near)
    assert not obstacles.posed_blocked(gone)
    assert not obstacles.posed_blocked(view_of(ROAD, ego, [], block="user1"))


# ------------------------------------------------------------------ what every drive must hold


def test_arrival_in_time() -> None:
    in_time = next(each for each in checks.COMMON if each.name == "in_time")
    quick = [8.0] * 100 + [0.0] * 5
    assert in_time.judge(view_of(ROAD, straight(quick, x=20.0), goal=(0, 100.0))).ok
    assert not in_time.judge(view_of(ROAD, straight(quick, x=20.0), goal=(0, 300.0))).ok
    slow = [0.0] * 650 + quick
    assert not in_time.judge(view_of(ROAD, straight(slow, x=20.0), goal=(0, 100.0))).ok


def test_common_criteria_hold_on_a_plain_drive_and_name_a_collision() -> None:
    ego = straight([8.0] * 100 + [0.0] * 5, x=20.0)
    good = view_of(ROAD, ego, goal=(0, 100.0))
    assert all(each.judge(good).ok for each in checks.COMMON)
    bad = view_of(ROAD, ego, [standing(1, 80.0, 0.0, lane=0)], goal=(0, 100.0))
    broken = {each.name: each.judge(bad) for each in checks.COMMON if not each.judge(bad).ok}
    assert list(broken) == ["no_collision"]
    assert "car at 8.0 m/s" in broken["no_collision"].value
