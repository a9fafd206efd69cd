"""Emergency braking: when it must come, and when it must not."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_rss import PLATFORMS, arc_path, shape_of
from worlds import (
    CAR,
    SUV,
    Run,
    User,
    clear_of,
    detections,
    drive_road,
    impact_mps,
    on_arc,
    on_road,
    run,
)

from marque.core.arrays import FloatArray
from marque.guard import aeb, watch
from marque.guard import path as paths
from marque.types.codes import UserKind
from marque.types.platform import Platform
from marque.types.verdict import Action
from oracle import guard_twin as twin

OWN = {"curvature_rate", "lateral_accel", "lateral_speed", "accel"}  # not about others


def need(
    users: list[User], speed: float, asked: float = 0.0, curvature: float = 0.0
) -> tuple[float, float]:
    return aeb.assess(
        arc_path(curvature),
        0.0,
        0.0,
        (speed, 0.0, asked),
        watch.now_at(detections(users, 0), 0),
        aeb.delay_s(CAR),
        CAR.max_brake_mps2,
        shape_of(CAR),
    )


def walker(x: float, y: float, heading: float, speed: float) -> User:
    return User(x, y, heading, speed, 0.5, 0.6, UserKind.PEDESTRIAN)


def about_others(got: Run) -> set[str]:
    return {v.rule for v in got.interventions} - OWN


def test_stages_come_in_order_as_the_wall_comes_nearer() -> None:
    seen = []
    for gap in np.arange(45.0, 1.0, -0.5):
        level, _ = need([User(CAR.front_m + gap + 2.25, 0.0)], 12.0)
        stage = aeb.stage(level)
        if not seen or seen[-1] != stage:
            seen.append(stage)
    assert seen == [aeb.NONE, aeb.WARN, aeb.PARTIAL, aeb.FULL]
    assert need([User(CAR.front_m + 2.0 + 2.25, 0.0)], 12.0)[0] == math.inf


def test_a_driver_who_brakes_enough_is_left_alone() -> None:
    wall = [User(CAR.front_m + 12.0 + 2.25, 0.0)]
    assert need(wall, 10.0, asked=0.0)[0] > 4.0
    assert need(wall, 10.0, asked=-6.5)[0] == 0.0


def test_passing_ahead_is_let_be_where_braking_would_meet_them() -> None:
    """A crossing car comes from the right; as commanded we are gone 0.15 s before it is there."""
    speed, other = 12.0, 10.0
    away = CAR.front_m + 10.0
    gone = (away + CAR.rear_overhang_m + 0.9) / speed + 0.15
    crossing = User(away, -(gone * other + 2.25 + 0.95), math.pi / 2, other)
    assert need([crossing], speed)[0] == 0.0
    assert not _hits(crossing, speed, 0.0)
    assert _hits(crossing, speed, -5.0)


def _hits(user: User, speed: float, accel: float) -> bool:
    late = aeb.delay_s(CAR)
    for i in range(200):
        t = 0.02 * i
        braked = min(max(0.0, t - late), speed / -accel if accel < 0.0 else math.inf)
        went = speed * (min(t, late) + braked) + 0.5 * accel * braked * braked
        u = user.after(t)
        other = twin.box(u.x, u.y, u.heading, u.length, u.width)
        if twin.overlap(twin.car_box((went, 0.0, 0.0), *shape_of(CAR)), other):
            return True
    return False


def test_what_comes_from_behind_or_the_side_is_not_braked_for_in_vain() -> None:
    behind = User(-8.0, 0.0, 0.0, 25.0)
    assert need([behind], 10.0)[0] == 0.0
    into_our_rear_half = User(0.0, -3.2, math.pi / 2, 8.0)
    assert need([into_our_rear_half], 3.0)[0] == 0.0
    ahead = User(CAR.front_m + 4.0, 0.0, math.pi, 15.0)
    assert need([ahead], 15.0)[0] == math.inf
    assert need([ahead], 0.3)[0] == 0.0  # we hardly move


@pytest.mark.parametrize("speed", [8.0, 11.0, 14.0])
def test_a_vehicle_from_the_side_is_braked_for_once_it_can_no_longer_wait(speed: float) -> None:
    """It comes to where we will be; before that it could stop with 3.5 m/s^2 for a while."""
    ours = 8.0
    found = []
    for left_s in (3.0, 2.6, 0.9):
        ahead = CAR.front_m + ours * left_s
        found.append(need([User(ahead, -speed * left_s, math.pi / 2, speed)], ours)[0])
    assert found[0] == 0.0
    assert speed**2 / 7.0 + 1.0 < speed * 2.6 - 2.0
    assert found[1] == 0.0
    assert found[2] > aeb.CALM_MPS2


def test_whoever_brakes_for_us_is_no_threat() -> None:
    coming = User(20.0, -14.0, math.pi / 2, 7.0)
    found = detections([coming], 0)
    brakes = replace(found, accel_mps2=np.array([-3.0]))
    one, other = (watch.now_at(each, 0) for each in (found, brakes))
    assert one[0, paths.BRAKING] == 0.0
    assert other[0, paths.BRAKING] == 3.0
    start = (0.0, 0.0, (8.0, 0.0, 0.0))
    car = (aeb.delay_s(CAR), CAR.max_brake_mps2, shape_of(CAR))
    assert aeb.assess(arc_path(0.0), *start, one, *car)[0] > 0.0
    assert aeb.assess(arc_path(0.0), *start, other, *car)[0] == 0.0


def _turning_out(yaw_rate: float) -> float:
    """Least braking for a car that comes out of a side street on our left, 8 m before our line."""
    coming = detections([User(16.0, 8.0, -math.pi / 2 - 0.3, 6.4)], 0)
    now = watch.now_at(coming, 0, np.array([yaw_rate]))
    start = (0.0, 0.0, (8.5, 0.0, 0.0))
    car = (aeb.delay_s(CAR), CAR.max_brake_mps2, shape_of(CAR))
    return aeb.assess(arc_path(0.0), *start, now, *car)[0]


def test_who_turns_onto_our_road_may_turn_more_tightly_than_now() -> None:
    assert _turning_out(0.0) > aeb.CALM_MPS2  # straight across our way
    assert _turning_out(0.1) > aeb.CALM_MPS2  # no turn has begun
    assert _turning_out(-0.4) == 0.0  # to its right, onto the lane of oncoming traffic
    fast = detections([User(14.0, 8.0, -math.pi / 2, 7.4)], 0)  # no tyre lets it turn before us
    now = watch.now_at(fast, 0, np.array([-0.3]))
    start = (0.0, 0.0, (8.5, 0.0, 0.0))
    car = (aeb.delay_s(CAR), CAR.max_brake_mps2, shape_of(CAR))
    assert aeb.assess(arc_path(0.0), *start, now, *car)[0] > aeb.CALM_MPS2


@given(st.floats(0.01, 0.05), st.floats(-28.0, -4.0), st.floats(1.0, 8.0), st.sampled_from([-1, 1]))
@settings(max_examples=50, deadline=None)
def test_who_drifts_towards_us_from_behind_on_the_lane_beside_mends_it(
    drift: float, s: float, faster: float, side: int
) -> None:
    user = User(s, side * 3.4, -side * drift, 9.5 + faster)
    assert need([user], 9.5, -1.9)[0] == 0.0


def test_oncoming_drift_is_expected_to_mend() -> None:
    """Five degrees askew, on its own lane, and 3 s away; the same much nearer is a threat."""
    askew = math.pi + math.radians(5.0)
    far = User(CAR.front_m + 75.0, 4.9, askew, 14.0)
    assert need([far], 13.9)[0] == 0.0
    near = User(CAR.front_m + 12.0, 2.0, math.pi + math.radians(12.0), 14.0)
    assert need([near], 13.9)[0] > aeb.CALM_MPS2
    # before a bend of theirs they point at us; once they have mended it they point along the road
    bends = User(CAR.front_m + 37.0, 4.1, math.pi + 0.2, 13.3)
    assert need([bends], 13.9)[0] == 0.0
    comes = User(CAR.front_m + 31.0, 3.4, math.pi + 0.2, 13.3)
    assert need([comes], 13.9)[0] > aeb.PARTIAL_MPS2


@given(
    st.sampled_from(PLATFORMS),
    st.floats(15.0, 100.0),
    st.sampled_from([-1.0, 1.0]),
    st.floats(0.4, 1.0),
    st.sampled_from([-3.4, 3.4]),
    st.floats(-10.0, 4.0),
    st.floats(0.9, 1.6),
)
@settings(max_examples=25, deadline=None)
def test_who_drives_beside_us_through_a_bend_is_no_threat(
    car: Platform, radius: float, side: float, share: float, d: float, s: float, faster: float
) -> None:
    k = side / radius
    v = min(16.0, math.sqrt(2.4 * radius)) * share

    def traffic(t_s: float) -> list[User]:
        at = s + faster * v / (1.0 - k * d) * t_s
        return [on_road(k, at, d, speed=faster * v)]

    assert not about_others(drive_road(car, v, k, traffic, min(5.0, 2.5 * radius / v)))


@pytest.mark.parametrize("k", [-0.03, 0.0, 0.03])
def test_who_turns_into_us_from_beside_and_behind_is_a_threat(k: float) -> None:
    """Also in a bend: it turns across the road by more than the bend does."""
    beside = on_road(k, -1.0, 3.4, speed=9.0)
    assert need([beside], 6.0, 1.0, k) == (0.0, math.inf)
    cuts_in = replace(beside, heading=beside.heading - 0.35)
    assert need([cuts_in], 6.0, 1.0, k)[1] < 1.5


def _springs_up(user: User, speed: float, threat_s: float, **what: float) -> list[float]:
    """When the guard brakes for a vehicle of another lane that turns into ours for `threat_s`."""

    def traffic(t_s: float, _car: FloatArray) -> list[User]:
        there = user.after(t_s)
        turned = 0.95 <= t_s < 0.95 + threat_s
        return [replace(there, heading=there.heading + what["turn"]) if turned else there]

    got = run(CAR, speed, lambda _t, _c: (0.0, 0.0), traffic, 2.0)
    return [v.t_ns / 1e9 for v in got.verdicts if v.action == Action.BRAKE]


def test_a_threat_out_of_the_blue_is_looked_at_twice() -> None:
    """One delivery alone is none; a second one is braked for at once."""
    oncoming = User(CAR.front_m + 49.0, 3.1, math.pi, 14.0)
    assert _springs_up(oncoming, 12.0, 0.1, turn=0.2) == []
    stays = _springs_up(oncoming, 12.0, 2.0, turn=0.2)
    assert stays
    assert min(stays) == pytest.approx(1.1)


def test_who_appears_in_our_way_is_braked_for_at_once() -> None:
    def traffic(t_s: float, _car: FloatArray) -> list[User]:
        return [User(CAR.front_m + 22.0, 0.0, math.pi, 9.0).after(t_s - 1.0)] if t_s > 0.99 else []

    got = run(CAR, 12.0, lambda _t, _c: (0.0, 0.0), traffic, 1.5)
    assert min(v.t_ns for v in got.interventions) / 1e9 == pytest.approx(1.0)


def test_beside_us_is_not_before_us() -> None:
    assert need([User(1.4, 1.95, 0.0, 10.0)], 10.0) == (0.0, math.inf)
    assert need([User(CAR.front_m + 2.3, 0.0, 0.0, 0.0)], 3.0)[1] == 0.0


@pytest.mark.parametrize("car", PLATFORMS, ids=lambda c: c.name)
@pytest.mark.parametrize("kmh", [20, 40, 60])
@pytest.mark.parametrize(
    ("speed", "length", "side"), [(1.4, 0.5, 4.0), (2.2, 0.5, 6.0), (4.2, 1.8, 17.0)]
)
def test_who_steps_out_is_not_hit(
    car: Platform, kmh: int, speed: float, length: float, side: float
) -> None:
    """Adult, running adult, bicycle from the side, timed to be hit amid the front."""
    v = kmh / 3.6
    ahead = v * side / speed + car.front_m + 0.3

    def traffic(t_s: float, _car: FloatArray) -> list[User]:
        return [User(ahead, -side + speed * t_s, math.pi / 2, speed, length, 0.6)]

    got = run(car, v, lambda _t, _c: (0.0, 0.0), traffic, side / speed + 3.0)
    assert impact_mps(car, got) < 0.0
    first = got.interventions[0]
    assert side / speed - first.t_ns / 1e9 < 2.8  # and not for something far away
    assert first.action == Action.BRAKE and first.warning and 0.0 <= first.margin < 1.0


@pytest.mark.parametrize("car", PLATFORMS, ids=lambda c: c.name)
@pytest.mark.parametrize("speed", [8.0, 14.0, 25.0])
@pytest.mark.parametrize("radius", [-60.0, 90.0, 1e6])
def test_a_blind_driver_is_stopped_before_a_standing_car_also_in_a_bend(
    car: Platform, speed: float, radius: float
) -> None:
    speed = min(speed, math.sqrt(2.4 * abs(radius)))
    wall = on_road(1.0 / radius, 15.0 + 2.2 * speed, 0.0)
    got = drive_road(car, speed, 1.0 / radius, lambda _t: [wall], 8.0)
    assert impact_mps(car, got) < 0.0
    assert got.cars[-1][3] < 0.1


@given(
    st.sampled_from(PLATFORMS),
    st.floats(15.0, 200.0),
    st.sampled_from([-1.0, 1.0]),
    st.floats(0.5, 1.0),
    st.sampled_from([-3.2, 3.2, 3.6]),
    st.floats(20.0, 90.0),
)
@settings(max_examples=25, deadline=None)
def test_oncoming_traffic_in_its_own_lane_is_no_threat(
    car: Platform, radius: float, side: float, share: float, d: float, s: float
) -> None:
    k = side / radius
    v = min(16.0, math.sqrt(2.4 * radius)) * share
    other = min(16.0, math.sqrt(3.0 * radius))

    def traffic(t_s: float) -> list[User]:
        at = s - other / (1.0 - k * d) * t_s
        return [on_road(k, at, d, True, speed=other)]

    seconds = min(5.0, 2.5 * radius / v)
    assume(clear_of(car, v, k, traffic, seconds, 0.35))
    assert not about_others(drive_road(car, v, k, traffic, seconds))


@given(
    st.sampled_from(PLATFORMS),
    st.floats(15.0, 200.0),
    st.sampled_from([-1.0, 1.0]),
    st.floats(0.4, 1.5),
    st.sampled_from([-1.0, 1.0]),
    st.booleans(),
    st.floats(-2.0, 2.0),
)
@settings(max_examples=25, deadline=None)
def test_parked_cars_and_walkers_beside_the_path_are_no_threat(
    car: Platform, radius: float, side: float, room: float, bend: float, parked: bool, pace: float
) -> None:
    k = bend / radius
    v = min(16.0, math.sqrt(2.4 * radius)) * 0.8
    d = side * (0.5 * car.width_m + room + (0.9 if parked else 0.3))

    def traffic(t_s: float) -> list[User]:
        if parked:
            return [on_road(k, s, d) for s in np.arange(8.0, 70.0, 6.0)]
        what = {"length": 0.5, "width": 0.6, "speed": abs(pace), "kind": UserKind.PEDESTRIAN}
        return [on_road(k, s + pace * t_s, d, pace < 0.0, **what) for s in (6.0, 15.0, 30.0)]

    seconds = min(5.0, 2.5 * radius / v)
    assume(clear_of(car, v, k, traffic, seconds, 0.35))
    assert not about_others(drive_road(car, v, k, traffic, seconds))


@given(
    st.sampled_from(PLATFORMS),
    st.floats(4.0, 16.0),
    st.floats(4.0, 16.0),
    st.floats(1.0, 3.0),
    st.sampled_from([-1.0, 1.0]),
)
@settings(max_examples=25, deadline=None)
def test_crossing_cars_that_will_have_passed_are_no_threat(
    car: Platform, speed: float, other: float, early: float, side: float
) -> None:
    """Its tail leaves our corridor `early` seconds before our front comes there."""
    ahead = 25.0 + speed * early
    meets = (ahead - 1.3 - car.front_m) / speed - early
    start = -side * (other * meets - 2.25 - 0.5 * car.width_m - 0.2)
    heading = side * math.pi / 2

    def traffic(t_s: float, _car: FloatArray) -> list[User]:
        return [User(ahead, start + side * other * t_s, heading, other)]

    got = run(car, speed, lambda _t, _c: (0.0, 0.0), traffic, ahead / speed)
    assert not about_others(got)


def test_a_walker_who_walks_along_the_kerb_and_one_who_stands_are_no_threat() -> None:
    people = [walker(x, -2.2, 0.0, 1.4) for x in (10.0, 20.0)] + [walker(30.0, 2.0, 1.57, 0.0)]
    got = run(SUV, 12.0, lambda _t, _c: (0.0, 0.0), lambda t, _c: [p.after(t) for p in people], 4.0)
    assert not got.interventions


@given(
    st.floats(-0.08, 0.08),
    st.floats(3.0, 18.0),
    st.floats(-4.0, 1.0),
    st.floats(6.0, 35.0),
    st.floats(-6.0, 6.0),
    st.floats(0.6, 2.4),
    st.floats(0.0, 8.0),
    st.sampled_from([-1.0, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_slow_twin(
    k: float, v: float, asked: float, s: float, d: float, turn: float, other: float, side: float
) -> None:
    """One crossing road user (so that only its straight forecast counts) against brute force."""
    x, y, heading = on_arc(k, s, d)
    user = User(x, y, heading + side * turn, other, 2.0, 0.8)
    fast, _ = need([user], v, asked, k)
    centre, length, width = shape_of(CAR)

    def polygon(t_s: float, grow: float) -> list[tuple[float, float]]:
        u = user.after(t_s)
        return twin.box(u.x, u.y, u.heading, u.length + grow, u.width + grow)

    def slow(grow: float) -> float:
        shape = (centre + 0.15, length + 0.3, width + 0.2)
        return twin.least_braking(
            lambda way: on_arc(k, way),
            shape,
            lambda t: polygon(t, grow),
            v,
            asked,
            aeb.delay_s(CAR),
            CAR.max_brake_mps2,
        )

    # the fast one looks each 0.1 s and interpolates the path: it lies between a smaller
    # and a larger road user seen each 0.02 s
    assume(not math.isinf(fast))  # contact now, or nothing avoids it: told apart by direction
    small, large = slow(-0.6), slow(0.6)
    assume(large < 99.0)
    assert min(small, large) <= fast <= max(small, large)


def test_the_poses_of_the_car_stop_where_it_stands() -> None:
    bodies = np.zeros((aeb.STEPS + 1, 4))
    count = aeb.drive_on(bodies, arc_path(0.0), (0.0, 0.0, 1.4), 5.0, 0.0, -5.0, 0.2, 60.0)
    assert bodies[count - 1, 0] == pytest.approx(1.4 + 5.0 * 0.2 + 2.5, abs=0.01)
    assert count == round(1.2 / aeb.STEP_S) + 1
    steady = aeb.drive_on(bodies, arc_path(0.0), (0.0, 0.0, 1.4), 5.0, 0.0, 0.0, 0.2, 60.0)
    assert steady == aeb.STEPS + 1  # never more than the table holds


def test_before_and_behind_the_corridor_the_path_is_straight() -> None:
    path = arc_path(0.02)
    assert paths.pose(path, -3.0, 1.0) == pytest.approx((-3.0, 1.0, 0.0))
    s, d, heading = paths.place_on(path, -3.0, 1.0)
    assert (s, d, heading) == pytest.approx((-3.0, 1.0, 0.0))


@settings(max_examples=60, deadline=None)
@given(st.floats(6.0, 20.0), st.floats(3.0, 40.0), st.floats(1.0, 8.0), st.floats(0.5, 1.0))
def test_who_brakes_ahead_of_us_is_expected_to_brake_on(
    speed: float, gap: float, braking: float, share: float
) -> None:
    """The least braking is the slow twin's for a leader that brakes to rest."""
    leader = User(CAR.front_m + gap + 2.25, 0.0, 0.0, share * speed)
    row = watch.now_at(detections([leader], 0), 0)
    row[0, paths.BRAKING] = braking
    late = aeb.delay_s(CAR)
    got, _ = aeb.assess(
        arc_path(0.0), 0.0, 0.0, (speed, 0.0, 0.0), row, late, CAR.max_brake_mps2, shape_of(CAR)
    )

    def least(grow: float) -> float:
        def other(t: float) -> list[tuple[float, float]]:
            t = min(t, leader.speed / braking)
            x = leader.x + leader.speed * t - 0.5 * braking * t * t
            return twin.box(x, 0.0, 0.0, leader.length + 2.0 * grow, leader.width)

        return twin.least_braking(
            lambda s: (s, 0.0, 0.0), shape_of(CAR), other, speed, 0.0, late, CAR.max_brake_mps2
        )

    assert min(least(-0.4), 99.0) <= min(got, 99.0) <= least(0.9)


def test_who_brakes_and_does_not_lead_may_let_us_go_first() -> None:
    """Braking of one that crosses is believed only where it and going on both end in contact."""
    ours = 8.0
    ahead = CAR.front_m + ours * 1.2
    crossing = User(ahead, -4.0 * 1.2, math.pi / 2, 4.0)
    row = watch.now_at(detections([crossing], 0), 0)
    late, shape = aeb.delay_s(CAR), shape_of(CAR)

    def asks() -> float:
        return aeb.assess(
            arc_path(0.0), 0.0, 0.0, (ours, 0.0, 0.0), row, late, CAR.max_brake_mps2, shape
        )[0]

    assert asks() > 0.0
    row[0, paths.BRAKING] = 6.0
    assert asks() == 0.0


def test_who_leads_and_brakes_is_expected_to_brake_on() -> None:
    """At our speed it is no threat; braking with 6 m/s^2, so near, it is."""
    leader = watch.now_at(detections([User(CAR.front_m + 5.0 + 2.25, 0.0, 0.0, 12.0)], 0), 0)
    for braking, threat in ((0.0, False), (6.0, True)):
        leader[0, paths.BRAKING] = braking
        least, _ = aeb.assess(
            arc_path(0.0), 0.0, 0.0, (12.0, 0.0, 0.0), leader, aeb.delay_s(CAR),
            CAR.max_brake_mps2, shape_of(CAR),
        )  # fmt: skip
        assert (least > 0.0) == threat
