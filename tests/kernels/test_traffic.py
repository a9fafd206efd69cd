"""The kernels of traffic: gaps, lane changes, signals, crosswalks, against their slow twins."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from marque.kernels.crossing import AFTER_S, may_step_out, must_wait, strip_along
from marque.kernels.following import idm, krauss
from marque.kernels.gaps import (
    brake_way,
    goes_before,
    latest_out,
    merges_before,
    speed_for,
    time_to,
    waits_longer,
)
from marque.kernels.lane_change import gain, is_safe, route_need, worth_it
from marque.kernels.signals import lets_pass, must_stand, phase_at, standing_priority
from marque.types.codes import Control, SignalState
from oracle import traffic_twin as twin

speed = st.floats(0.0, 40.0)
way = st.floats(0.0, 200.0)
accel = st.floats(0.3, 3.0)
brake = st.floats(1.0, 4.0)


@given(st.floats(0.0, 14.0), speed, st.floats(1.0, 150.0), accel, brake, st.floats(0.5, 2.5))
def test_idm_below_the_free_speed_is_the_printed_formula(v, v_lead, gap, a, b, headway):
    wanted = twin.idm(v, v_lead, gap, 14.0, a, b, headway, 2.0)
    assert idm(v, v_lead, gap, 14.0, a, b, headway, 2.0) == pytest.approx(wanted, rel=1e-9)


@given(speed, speed, st.floats(0.0, 150.0), accel, brake, st.floats(0.5, 2.0))
def test_krauss_is_the_greatest_speed_from_which_one_stops_in_time(v, v_lead, gap, a, b, tau):
    safe = twin.krauss_speed(v_lead, gap, b, tau)
    wanted = (min(50.0, safe, v + a * tau) - v) / tau
    assert krauss(v, v_lead, gap, 50.0, a, b, tau) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=20)
@given(st.floats(0.5, 60.0), st.floats(0.0, 15.0), accel, st.floats(5.0, 15.0))
def test_time_to_is_what_driving_it_takes(distance, v, a, top):
    assert time_to(distance, v, a, top) == pytest.approx(
        twin.time_to(distance, v, a, top), abs=5e-3
    )


@given(way, way, speed, accel, speed)
def test_a_longer_way_never_takes_less_time(distance, more, v, a, top):
    assume(top > 0.5)
    assert time_to(distance + more, v, a, top) >= time_to(distance, v, a, top) - 1e-9


@given(way, speed)
def test_who_keeps_their_speed_is_out_no_later_than_said(distance, v):
    assume(v > 0.5)
    assert latest_out(distance, v) == pytest.approx(distance / v)


@given(st.floats(0.0, 20.0), speed, st.floats(0.0, 20.0), speed, brake)
def test_a_merge_asks_for_no_less_time_than_a_crossing(out_s, then, in_s, v_other, b):
    if merges_before(out_s, then, in_s, v_other, 1.0, b):
        assert goes_before(out_s, in_s, 1.0)


@given(st.floats(0.0, 99.0), st.integers(0, 50), st.floats(0.0, 99.0), st.integers(0, 50))
def test_of_two_who_wait_exactly_one_goes(wait, i, other_wait, j):
    assume(i != j)
    assert waits_longer(wait, i, other_wait, j) != waits_longer(other_wait, j, wait, i)


@given(st.floats(0.0, 20.0), way, brake)
def test_the_speed_for_a_lower_one_ahead_reaches_it_by_that_braking(there, distance, b):
    v = speed_for(there, distance, b)
    assert brake_way(v, b) - brake_way(there, b) == pytest.approx(distance, abs=1e-6)


@given(st.lists(st.floats(1.0, 60.0), min_size=1, max_size=6), st.floats(-50.0, 50.0),
       st.floats(0.0, 500.0))  # fmt: skip
def test_the_phase_is_that_of_walking_through_the_cycle(durations, offset, t):
    ends = np.cumsum(durations)
    at = (t - offset) % ends[-1]
    assume(np.abs(ends - at).min() > 1e-6 and at > 1e-6)
    assert phase_at(ends, 0, len(ends), offset, t) == twin.phase_at(durations, offset, t)


def test_what_a_state_of_a_signal_lets_one_do():
    closed = (SignalState.RED, SignalState.RED_AMBER, SignalState.UNKNOWN)
    assert not any(lets_pass(int(state), False) for state in closed)
    assert lets_pass(int(SignalState.AMBER), False) and not lets_pass(int(SignalState.AMBER), True)
    assert lets_pass(int(SignalState.GREEN_YIELD), True) and lets_pass(int(SignalState.OFF), True)
    assert must_stand(int(Control.STOP), int(SignalState.OFF))
    assert must_stand(int(Control.SIGNAL), int(SignalState.STOP_THEN_GO))
    assert not must_stand(int(Control.YIELD), int(SignalState.OFF))


def test_priority_by_signals_never_gives_it_to_both():
    for a, b, order in itertools.product(SignalState, SignalState, (-1, 0, 1)):
        ours = standing_priority(order, int(a), int(b))
        theirs = standing_priority(-order, int(b), int(a))
        assert ours == -theirs


@given(st.floats(-100.0, 500.0), speed)
def test_the_need_to_change_grows_towards_the_last_chance(room, v):
    assert 0.0 <= route_need(room, v, 1) <= 1.0
    assert route_need(room - 20.0, v, 1) >= route_need(room, v, 1)
    assert route_need(room, v, 0) == 0.0


@given(st.floats(-8.0, 2.0), st.floats(-8.0, 2.0), st.floats(0.5, 4.0), st.floats(0.0, 1.0))
def test_need_never_makes_a_change_less_safe_than_twice_the_limit(follower, ours, safe, need):
    assert is_safe(follower, ours, safe, need) == (min(follower, ours) >= -safe * (1.0 + need))


def test_mobil_counts_what_others_lose():
    assert gain(1.0, 0.0, -1.0, 0.0, 0.5, 0.0, 0.2) == pytest.approx(1.0 + 0.2 * (-1.0 + 0.5))
    assert worth_it(0.5, 0.3, 0.0, False, False) and not worth_it(0.2, 0.3, 0.0, False, False)
    assert worth_it(-1.0, 0.3, 0.6, True, False) and not worth_it(9.0, 0.3, 0.0, False, True)


@settings(max_examples=60)
@given(st.floats(0.0, 12.0), st.floats(0.5, 2.0), st.floats(0.0, 6.0), st.floats(1.0, 4.0),
       st.floats(0.0, 8.0), st.floats(0.5, 5.0))  # fmt: skip
def test_a_driver_waits_for_exactly_those_who_would_be_in_the_strip(at, pace, lo, wide, in_s, more):
    hi, out_s = lo + wide, in_s + more
    enters, leaves = (lo - at) / pace, (hi - at) / pace
    assume(abs(enters - out_s - AFTER_S) > 0.05 and abs(leaves + AFTER_S - in_s) > 0.05)
    assume(abs(at - hi) > 0.05)
    wanted = twin.meets(at, pace, lo, hi, in_s, out_s, AFTER_S)
    assert must_wait(at, pace, lo, hi, in_s, out_s) == wanted


def test_who_steps_out_and_when():
    assert strip_along(1.0, 4.0, 10.0, True) == (1.0, 4.0)
    assert strip_along(1.0, 4.0, 10.0, False) == (6.0, 9.0)
    assert not may_step_out(True, True, 99.0, 6.0, 1.2, 99.0)  # somebody can no longer stop
    assert may_step_out(True, False, 0.0, 6.0, 1.2, 0.0)
    assert not may_step_out(False, False, 5.0, 6.0, 1.2, 0.0)
    assert may_step_out(False, False, 7.0, 6.0, 1.2, 0.0)
    assert may_step_out(False, False, 0.0, 6.0, 1.2, 31.0)
