"""Car following: the printed formulas, and the laws that driving rests on."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marque.kernels.following import acc, idm_free, idm_interaction, stop_slope, stop_speed
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


@given(speed, speed, lead_accel, gap, accel, brake, headway, standoff)
def test_acc_is_never_harsher_than_idm(v, v_lead, a_lead, room, a, b, t, s0):
    plain = idm_interaction(v, v_lead, room, a, b, t, s0)
    assert acc(v, v_lead, a_lead, room, a, b, t, s0) >= plain - 1e-9


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


@given(st.floats(0.0, 400.0), brake, jerk)
def test_stop_speed_is_time_counted_back_from_rest(distance, b, j):
    assert stop_speed(distance, b, j) == pytest.approx(
        twin.stop_speed(distance, b, j), rel=1e-6, abs=1e-6
    )


@given(st.floats(0.01, 300.0), brake, jerk)
def test_slope_and_speed_of_a_stop_tell_the_same_story(distance, b, j):
    """a = v dv/dt along the way: -v dv/d(distance)."""
    h = 1e-5 * distance
    ease = b**3 / (6.0 * j**2)
    assume(abs(distance - ease) > 2.0 * h)  # a corner of the slope
    rise = (stop_speed(distance + h, b, j) - stop_speed(distance - h, b, j)) / (2.0 * h)
    assert stop_slope(distance, b, j) == pytest.approx(
        -stop_speed(distance, b, j) * rise, rel=1e-4, abs=1e-6
    )
    assert -b <= stop_slope(distance, b, j) <= 0.0


@given(brake, jerk, st.floats(0.5, 60.0))
def test_a_stop_ends_at_the_line_without_a_nod(b, j, distance):
    """Driving along the slope: rest at the line, and the brake goes by no more than the jerk."""
    room, a_before, dt = distance, None, 2e-3
    v = stop_speed(room, b, j)
    for _ in range(100_000):
        a = stop_slope(room, b, j)
        if a_before is not None and room > 0.01:
            assert abs(a - a_before) <= 1.2 * j * dt
        a_before = a
        room -= v * dt
        v = stop_speed(room, b, j)
        if room < 0.005:
            break
    assert room == pytest.approx(0.0, abs=0.05)
    assert v < 0.25


@pytest.mark.parametrize("distance", [0.0, -1.0, -math.inf])
def test_past_the_line_there_is_no_speed_left(distance):
    assert stop_speed(distance, 2.0, 1.0) == 0.0
    assert stop_slope(distance, 2.0, 1.0) == 0.0
