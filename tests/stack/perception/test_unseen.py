"""What nobody can see: the free space, hidden stretches of lanes, people hidden from us."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Lane, Walk, straight_road, tiny_map
from marque.core.time import PLAN_STEP_NS
from marque.maps.open_ground import open_ground
from marque.stack.perception.noise import camera, lidar, radar
from marque.stack.perception.unseen import (
    CELL_M,
    SLOWEST_MPS,
    begin_unseen,
    watch_unseen,
)
from marque.stack.perception.view import RAY_RAD, bodies, eyes_of, look, sees
from marque.types.codes import UserKind
from marque.types.reading import EgoReading
from marque.types.road_map import NONE
from marque.types.scene import Tracks

RANGE_M = 60.0
ROUND = eyes_of((lidar(mount_x_m=0.0, range_m=RANGE_M),))
EGO = EgoReading(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
place = st.floats(-40.0, 40.0)
box = st.tuples(place, place, st.floats(-3.1, 3.1), st.floats(0.5, 12.0), st.floats(0.5, 3.0))


def tracks_of(*rows, kind=UserKind.CAR, still_s=0.0, age_s=0.0):
    """Rows: x, y, heading, length, width."""
    n = len(rows)
    column = np.array(rows, dtype=float).reshape(n, 5).T
    return Tracks(
        uid=np.arange(n),
        kind=np.full(n, kind, np.int8),
        x_m=column[0].copy(),
        y_m=column[1].copy(),
        heading_rad=column[2].copy(),
        speed_mps=np.zeros(n),
        accel_mps2=np.zeros(n),
        length_m=column[3].copy(),
        width_m=column[4].copy(),
        indicator=np.zeros(n, np.int8),
        lane=np.full(n, NONE, np.int32),
        s_m=np.zeros(n),
        d_m=np.zeros(n),
        still_s=np.full(n, still_s),
        age_s=np.full(n, age_s),
    )


NOBODY = tracks_of()


def view_of(*rows, eyes=ROUND, heading=0.0, **more):
    return look(eyes, 0.0, 0.0, heading, tracks_of(*rows, **more))


def rays(view):
    return view.eye_m, view.from_rad, view.step_rad, view.reach_m


def slow_reach(view, boxes, ray):
    """Where one ray of the first sensor enters the first box, step by step."""
    angle = view.from_rad[0] + ray * view.step_rad[0]
    way = np.arange(0.0, RANGE_M, 0.01)
    x, y = way * math.cos(angle), way * math.sin(angle)
    found = RANGE_M
    for b in boxes:
        along = (x - b[0]) * b[2] + (y - b[1]) * b[3]
        aside = (y - b[1]) * b[2] - (x - b[0]) * b[3]
        inside = (np.abs(along) <= b[4]) & (np.abs(aside) <= b[5])
        if not inside[0] and inside.any():
            found = min(found, float(way[np.argmax(inside)]))
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(box, max_size=4), st.integers(0, 240))
def test_a_ray_ends_where_it_enters_the_first_box(rows, ray):
    view = view_of(*rows)
    assert view.reach_m[0, ray] == pytest.approx(
        slow_reach(view, bodies(tracks_of(*rows)), ray), abs=0.3
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(box, max_size=4), box, place, place)
def test_one_more_box_never_shows_more(rows, one, x, y):
    if sees(*rays(view_of(*rows, one)), x, y):
        assert sees(*rays(view_of(*rows)), x, y)


def test_nothing_is_seen_behind_somebody_nor_beyond_range_and_field():
    view = view_of((20.0, 0.0, 0.0, 5.0, 2.0))
    assert sees(*rays(view), 15.0, 0.0) and sees(*rays(view), 40.0, 8.0)
    assert not sees(*rays(view), 30.0, 0.0)
    assert not sees(*rays(view), 0.0, RANGE_M + 1.0)
    ahead = eyes_of((camera(mount_x_m=2.0, range_m=RANGE_M, half_angle_rad=0.5),))
    view = view_of(eyes=ahead, heading=math.pi / 2)
    assert sees(*rays(view), 0.0, 30.0)
    assert not sees(*rays(view), 0.0, -30.0) and not sees(*rays(view), 30.0, 30.0)


def test_a_second_eye_looks_past_what_hides_from_the_first():
    left = (
        lidar(mount_x_m=0.0, range_m=RANGE_M),
        radar(mount_x_m=0.0, mount_y_m=3.0, range_m=RANGE_M),
    )
    rows = ((10.0, 0.0, 0.0, 4.0, 2.0),)
    assert not sees(*rays(view_of(*rows)), 25.0, 0.8)
    assert sees(*rays(view_of(*rows, eyes=eyes_of(left))), 25.0, 0.8)


@pytest.mark.parametrize(
    "more", [{"kind": UserKind.PEDESTRIAN}, {"kind": UserKind.BICYCLE}, {"age_s": 2.0}]
)
def test_people_and_who_has_been_lost_hide_nobody(more):
    assert sees(*rays(view_of((20.0, 0.0, 0.0, 2.0, 2.0), **more)), 30.0, 0.0)


def test_between_two_rays_no_car_is_lost():
    assert RAY_RAD * RANGE_M < 1.8


# Hidden stretches of lanes ----------------------------------------------------------------------


def watched(road, steps, eyes=ROUND, x=0.0, y=0.0, out=frozenset()):
    """The memory after each of `steps`: tracks, 100 ms apart."""
    memory, found = begin_unseen(road, eyes), []
    ego = replace(EGO, x_m=x, y_m=y)
    for i, tracks in enumerate(steps):
        memory = watch_unseen(memory, ego, tracks, out, i * PLAN_STEP_NS)
        found.append(memory)
    return found


def crossing_road(y=20.0, limit=13.89, length=300.0):
    """A road from left to right, `y` ahead of us to the left."""
    return tiny_map([Lane([(-0.5 * length, y), (0.5 * length, y)], limit=limit)])


def test_a_free_road_is_seen_as_far_as_senses_reach_and_beyond_may_be_somebody():
    road = crossing_road()
    memory = watched(road, [NOBODY])[0]
    edge = 150.0 - math.sqrt(RANGE_M**2 - 20.0**2)
    unseen = memory.unseen
    assert unseen.lane.tolist() == [0, 0]
    assert unseen.s_m[0] == pytest.approx(edge, abs=CELL_M)
    assert unseen.s_m[1] == pytest.approx(300.0, abs=CELL_M)
    assert unseen.speed_mps == pytest.approx([13.89, 13.89])


def test_behind_who_stands_somebody_may_be_but_not_for_ever():
    """A truck stands between us and the road: its shadow is hidden from the beginning on."""
    road = crossing_road()
    truck = tracks_of((0.0, 10.0, 0.0, 9.0, 2.5), kind=UserKind.TRUCK)
    seen = watched(road, [truck] * 250)
    shadow = [s for s in seen[0].unseen.s_m.tolist() if 130.0 < s < 175.0]
    assert len(shadow) == 1
    wide = 2.0 * (shadow[0] - 150.0)
    gone = [k for k, m in enumerate(seen) if not any(130.0 < s < 175.0 for s in m.unseen.s_m)]
    # who drove in there, at least so fast, would have come out: nobody has
    assert gone[0] * 0.1 == pytest.approx(wide / SLOWEST_MPS, abs=3.0)
    assert gone == list(range(gone[0], 250))


def test_who_comes_hidden_comes_no_faster_than_the_limit_and_never_through_what_is_seen():
    road = crossing_road(limit=10.0)
    truck = tracks_of((-14.0, 10.0, 0.0, 24.0, 2.5), kind=UserKind.TRUCK)
    steps = watched(road, [NOBODY] * 5 + [truck] * 60)
    edge = steps[4].unseen.s_m[0]
    fronts = [min(m.unseen.s_m.tolist()) for m in steps]
    assert min(fronts[:5]) == pytest.approx(edge)
    # the truck hides what joins the hidden part: somebody may come on there, as fast as allowed
    far = [max(s for s in m.unseen.s_m.tolist() if s < 200.0) for m in steps]
    for k in range(5, 64):
        assert far[k + 1] - far[k] <= 2.0 * CELL_M + 1e-9
    speed = (far[45] - far[5]) / 4.0
    assert far[5] == pytest.approx(edge, abs=2.0 * CELL_M)
    assert speed <= 10.0 * 1.05 + 2.0 * CELL_M / 4.0
    assert far[60] > far[5] + 8.0
    # where we see between them, nobody comes through
    gap = tracks_of((-4.0, 10.0, 0.0, 3.0, 2.5), kind=UserKind.TRUCK)
    for m in watched(road, [NOBODY] * 5 + [gap] * 60):
        assert not any(edge + CELL_M < s < 200.0 for s in m.unseen.s_m.tolist())


def test_where_a_known_road_user_stands_nobody_else_is():
    road = crossing_road()
    there = tracks_of((0.0, 20.0, 0.0, 9.0, 2.5), kind=UserKind.TRUCK)
    fronts = watched(road, [there])[0].unseen.s_m
    assert not any(140.0 < s < 160.0 for s in fronts.tolist())


def test_a_sensor_that_is_out_sees_nothing():
    road = crossing_road()
    memory = watched(road, [NOBODY], out=frozenset({0}))[0]
    assert memory.unseen.s_m.tolist() == [300.0]


def test_lanes_that_come_near_are_new_and_those_that_leave_are_forgotten():
    road = crossing_road()
    near = watched(road, [NOBODY])[0]
    away = watch_unseen(near, replace(EGO, y_m=-500.0), NOBODY, frozenset(), PLAN_STEP_NS)
    assert len(near.cells.lane) == 1 and len(away.cells.lane) == 0
    back = watch_unseen(away, EGO, NOBODY, frozenset(), 2 * PLAN_STEP_NS)
    assert back.unseen.s_m.tolist() == near.unseen.s_m.tolist()


def test_without_lanes_there_is_nothing_to_tell():
    assert begin_unseen(open_ground("no map", "", ""), ROUND) is None


def test_the_twins_of_a_lane_that_parts_are_told_by_what_leads_there():
    """Somebody hidden at the end of a lane may come onto each that follows."""
    road = tiny_map(
        [
            Lane([(-60.0, 10.0), (-10.0, 10.0)], succ=(1,)),
            Lane([(-10.0, 10.0), (40.0, 10.0)]),
        ]
    )
    wall = tracks_of((-20.0, 5.0, 0.0, 60.0, 1.0), kind=UserKind.TRUCK)
    first = watched(road, [wall])[0].unseen
    assert set(first.lane.tolist()) == {0, 1}
    late = watched(road, [wall] * 400)[-1].unseen
    # beyond the beginning of the first lane nobody knows, so that somebody may always follow
    assert 0 in late.lane.tolist()


# People on foot ---------------------------------------------------------------------------------


def test_people_may_be_hidden_on_a_crosswalk_behind_who_stands_before_it():
    walk = Walk((30.0, -6.0, 30.0, 6.0), lanes=[(0, 28.5, 31.5)])
    road = tiny_map([Lane([(0.0, 0.0), (100.0, 0.0)])], walks=[walk])
    assert len(watched(road, [NOBODY])[0].unseen.walk) == 0
    beside = tracks_of((25.0, 3.2, 0.0, 5.0, 1.9))
    unseen = watched(road, [beside])[0].unseen
    assert set(unseen.walk.tolist()) == {0}
    assert unseen.y_m.min() > 1.5 and unseen.x_m == pytest.approx(30.0)


@pytest.mark.parametrize(("still_s", "count"), [(0.0, 0), (10.0, 2)])
def test_people_may_step_out_before_who_stands_at_the_roadside(still_s, count):
    road = straight_road()
    parked = tracks_of((20.0, -5.0, 0.0, 5.0, 1.9), kind=UserKind.BUS, still_s=still_s)
    unseen = watched(road, [parked])[0].unseen
    assert len(unseen.walk) == count and (unseen.walk == NONE).all()
    if count:
        assert (unseen.x_m > 22.5).all()
