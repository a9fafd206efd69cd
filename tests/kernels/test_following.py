"""Car following: the printed formulas, and the laws that driving rests on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.kernels.following import (
    acc,
    following,
    idm_free,
    idm_interaction,
    stop_accel,
    stop_distance,
)
from oracle import following_twin as twin

speed = st.floats(0.0, 40.0)
gap = st.floats(-1.0, 150.0)
accel = st.floats(0.5, 3.0)
brake = st.floats(1.0, 4.0)
headway = st.floats(0.5, 2.5)
standoff = st.floats(0.5, 4.0)
jerk = st.floats(0.5, 5.0)
lead_accel = st.floats(-8.0, 4.0)


@given(speed, speed, gap, accel, brake, headway, standoff)
def test_idm_is_the_printed_formula(v, v_lead, room, a, b, t, s0):
    wanted = twin.idm_interaction(v, v_lead, room, a, b, t, s0)
    assert idm_interaction(v, v_lead, room, a, b, t, s0) == pytest.approx(wanted, rel=1e-9)


@given(speed, speed, lead_accel, gap, accel, brake, headway, standoff)
def test_acc_is_the_printed_formula(v, v_lead, a_lead, room, a, b, t, s0):
    wanted = twin.acc(v, v_lead, a_lead, room, a, b, t, s0)
    found = acc(v, v_lead, a_lead, room, a, b, t, s0)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(speed, speed, gap, st.floats(0.0, 50.0), accel, brake, headway, standoff)
def test_more_room_never_means_more_braking(v, v_lead, room, more, a, b, t, s0):
    near = idm_interaction(v, v_lead, room, a, b, t, s0)
    assert idm_interaction(v, v_lead, room + more, a, b, t, s0) >= near - 1e-9


@given(speed, speed, st.floats(0.0, 20.0), gap, accel, brake, headway, standoff)
def test_a_faster_leader_never_means_more_braking(v, v_lead, more, room, a, b, t, s0):
    slow = idm_interaction(v, v_lead, room, a, b, t, s0)
    assert idm_interaction(v, v_lead + more, room, a, b, t, s0) >= slow - 1e-9


@given(st.floats(-20.0, 40.0), speed, gap, accel, brake, headway, standoff)
def test_following_is_the_printed_formula(v_lead, v, room, a, b, t, s0):
    wanted = twin.following(v, v_lead, room, a, b, t, s0)
    assert following(v, v_lead, room, a, b, t, s0) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(speed, st.floats(-20.0, 0.0), gap, accel, brake, headway, standoff)
def test_who_stands_or_comes_towards_us_is_come_up_to_as_by_idm(v, v_lead, room, a, b, t, s0):
    wanted = idm_interaction(v, v_lead, room, a, b, t, s0)
    assert following(v, v_lead, room, a, b, t, s0) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(speed, speed, st.floats(0.0, 20.0), gap, accel, brake, headway, standoff)
def test_followed_a_faster_leader_never_means_more_braking(v, v_lead, more, room, a, b, t, s0):
    slow = following(v, v_lead, room, a, b, t, s0)
    assert following(v, v_lead + more, room, a, b, t, s0) >= slow - 1e-9


@given(speed, speed, lead_accel, gap, accel, brake, headway, standoff)
def test_acc_is_never_harsher_than_following(v, v_lead, a_lead, room, a, b, t, s0):
    plain = following(v, twin.expected(v_lead, a_lead), room, a, b, t, s0)
    assert acc(v, v_lead, a_lead, room, a, b, t, s0) >= plain - 1e-9


def passed_on(law, v, a, b, t, s0, w):
    """|H(iw)| of the law linearised about v by central differences."""
    gap, step = s0 + v * t, 1e-4
    by_gap = (law(v, v, gap + step, a, b, t, s0) - law(v, v, gap - step, a, b, t, s0)) / 2 / step
    by_us = (law(v + step, v, gap, a, b, t, s0) - law(v - step, v, gap, a, b, t, s0)) / 2 / step
    by_lead = (law(v, v + step, gap, a, b, t, s0) - law(v, v - step, gap, a, b, t, s0)) / 2 / step
    p = 1j * w
    return abs((by_lead * p + by_gap) / (p * p - by_us * p + by_gap))


@given(st.floats(2.0, 40.0), accel, st.floats(1.0, 4.0), st.floats(0.9, 2.4),
       standoff, st.floats(0.01, 10.0))  # fmt: skip
def test_what_a_leader_does_never_grows(v, a, ratio, t, s0, w):
    """At any speed and frequency, where a T^2 >= s0."""
    s0 = min(s0, a * t * t)
    assert passed_on(following, v, a, ratio * a, t, s0, w) <= 1.0 + 1e-6


def test_by_idm_it_grows_on_fast_roads():
    style = (1.75, 2.3, 1.4, 2.0)
    assert passed_on(idm_interaction, 30.0, *style, 0.1) > 1.001
    assert passed_on(following, 30.0, *style, 0.1) < 0.999


@given(st.floats(0.1, 40.0), st.floats(0.0, 20.0), gap, accel, brake, headway, standoff)
def test_who_comes_in_as_fast_as_we_are_is_made_room_for_gently(v, faster, room, a, b, t, s0):
    assert acc(v, v + faster, 0.0, room, a, b, t, s0) >= -b - 0.1


@given(st.floats(0.0, 60.0), st.floats(0.5, 40.0), accel)
def test_a_free_road_leads_to_the_free_speed(v, v_free, a):
    wanted = idm_free(v, v_free, a)
    assert -1.5 <= wanted <= a
    if v < v_free:
        assert wanted > 0.0
    elif v > v_free:
        assert wanted < 0.0
    else:
        assert wanted == 0.0


stops_from = st.tuples(st.floats(0.5, 20.0), st.floats(-2.0, 2.0))


@settings(max_examples=60)
@given(stops_from, brake, jerk)
def test_the_way_to_a_stop_is_what_small_steps_say(state, b, j):
    found = stop_distance(*state, b, j)
    assert found == pytest.approx(twin.stop_distance(*state, b, j), rel=0.01, abs=0.03)


@given(stops_from, brake, jerk, st.floats(0.0, 5.0))
def test_more_speed_never_means_less_way(state, b, j, more):
    v, a = state
    assert stop_distance(v + more, a, b, j) >= stop_distance(v, a, b, j) - 1e-9


@settings(max_examples=60)
@given(stops_from, st.floats(-1.0, 120.0), st.floats(-4.0, 2.0), brake, jerk)
def test_stop_accel_is_the_largest_that_still_stops(state, room, free, b, j):
    dt = 0.1
    found = stop_accel(*state, room, free, b, j, dt)
    wanted = twin.stop_accel(*state, room, free, b, j, dt, stop_distance)
    assert found == pytest.approx(wanted, abs=2.0 * j * dt / 64.0)


@given(st.floats(0.0, 16.0), brake, st.floats(0.8, 3.0), st.floats(0.0, 1.0))
def test_a_stop_ends_at_the_line_without_a_nod(v, b, j, spare):
    """Driven step by step with room for comfort: rest before the line, jerk within its limit."""
    dt, a, way = 0.1, 0.0, 0.0
    line = stop_distance(v, 0.0, b, j) + 1.0 + 40.0 * spare
    for _ in range(1200):
        wanted = stop_accel(v, a, line - way, 1.5, b, j, dt)
        assert wanted >= a - j * dt - 1e-9
        a = min(a + j * dt, wanted)
        after = max(0.0, v + a * dt)
        way += 0.5 * (v + after) * dt
        if after == 0.0 and v > 0.0 and way > line - 0.5:
            break
        v = after
    assert line - 0.5 <= way <= line + 0.06
    assert a > -2.0 * j * dt - 0.3


def test_too_late_for_comfort_means_firm_braking():
    """20 m at 13.9 m/s need 4.8 m/s2; comfort would be 2."""
    assert stop_accel(13.9, 0.0, 20.0, 1.5, 2.0, 1.3, 0.1) < -(13.9**2) / 40.0


@pytest.mark.parametrize("room", [0.0, -1.0, -1e9])
def test_past_the_line_the_car_brakes(room):
    assert stop_accel(5.0, 0.0, room, 1.5, 2.0, 1.0, 0.1) < -2.0
