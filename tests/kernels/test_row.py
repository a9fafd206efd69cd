"""A row of cars that follow by our law: what their leader does never grows from car to car."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.kernels import rollout
from marque.kernels.following import acc
from marque.kernels.rollout import FAST_MPS2, LED_JERK_MPS3, led_slew, next_accel, slew

DT, CARS = 0.1, 4
EGO = np.zeros(rollout.E_LEN)
EGO[rollout.E_ACCEL], EGO[rollout.E_BRAKE], EGO[rollout.E_JERK] = 1.75, 2.3, 1.0
EGO[rollout.E_LAUNCH] = EGO[rollout.E_EASE] = 1.0
EGO[rollout.E_HEADWAY], EGO[rollout.E_GAP], EGO[rollout.E_MAX_BRAKE] = 1.4, 2.0, 8.0
ROUND_MPS = 0.01  # no speed is known better
LATE_S = 0.3  # of the leader's acceleration, as tracking sees it

braking, hard_braking = st.floats(1.5, 4.0), st.floats(4.0, 5.0)
speed = st.floats(8.0, 34.0)
share = st.floats(0.2, 0.6)  # of the speed, by which it falls
hold = st.floats(1.0, 8.0)


def wishes(v, v_lead, a_lead, gap):
    law = [EGO[c] for c in (rollout.E_ACCEL, rollout.E_BRAKE, rollout.E_HEADWAY, rollout.E_GAP)]
    return acc(v, v_lead, a_lead, gap, *law)


def row(v0, brake, drop, hold_s):
    """[CARS + 1, T] speeds, the leader's first: it brakes, holds, and is back at v0 by 1 m/s2."""
    corners = np.cumsum([2.0, drop / brake, hold_s, drop, 30.0])
    t = np.arange(0.0, corners[-1], DT)
    leader = np.interp(t, corners, [v0, v0 - drop, v0 - drop, v0, v0])
    gap = np.full(CARS, EGO[rollout.E_GAP] + EGO[rollout.E_HEADWAY] * v0)
    v, a, seen = np.full(CARS + 1, v0), np.zeros(CARS + 1), np.zeros(CARS)
    out = [v.copy()]
    for before, now in pairwise(leader):
        a[0] = (now - before) / DT
        seen += (a[:-1] - seen) * DT / LATE_S
        wanted = [wishes(v[k + 1], v[k], seen[k], gap[k]) for k in range(CARS)]
        for k in range(CARS):
            a[k + 1] = next_accel(wanted[k], 1e9, v[k + 1], a[k + 1], 0, True, EGO, DT)
        moved = np.maximum(0.0, v + a * DT)
        way = 0.5 * (v + moved) * DT
        gap += way[:-1] - way[1:]
        v = moved
        out.append(v.copy())
        assert gap.min() > 1.0
    return np.array(out).T


@settings(max_examples=40)
@given(speed, braking, share, hold)
def test_what_the_leader_does_never_grows_along_the_row(v0, brake, part, hold_s):
    off = v0 - row(v0, brake, part * v0, hold_s)
    energy, drop = np.sqrt((off**2).sum(axis=1)), off.max(axis=1)
    assert (energy[1:] <= energy[:-1]).all()
    assert (drop[1:] <= drop[:-1] + ROUND_MPS).all()


@settings(max_examples=15)
@given(speed, hard_braking, share, hold)
def test_after_a_short_hard_braking_it_grows_by_no_more_than_two_percent(v0, brake, part, hold_s):
    """A dip of a second and a fifth of the speed is the one that grows: by 1.3 % at most."""
    off = v0 - row(v0, brake, part * v0, hold_s)
    energy, drop = np.sqrt((off**2).sum(axis=1)), off.max(axis=1)
    assert (energy[1:] <= 1.02 * energy[:-1]).all()
    assert (drop[1:] <= 1.02 * drop[:-1] + ROUND_MPS).all()


accel = st.floats(-6.0, 1.75)


@given(accel, st.floats(-8.0, 1.75), st.floats(0.0, 40.0))
def test_behind_a_leader_the_brake_moves_sooner_and_no_further(a, wanted, v):
    plain = slew(a, wanted, v, 1.0, 1.0, DT)
    led = led_slew(a, wanted, v, 1.0, 1.0, DT)
    assert abs(wanted - led) <= abs(wanted - plain) + 1e-12
    assert min(a, wanted) - 1e-12 <= led <= max(a, wanted) + 1e-12
    if wanted >= FAST_MPS2 and a >= -2.5:
        assert abs(led - a) <= LED_JERK_MPS3 * DT + 1e-12


@pytest.mark.parametrize("wanted", [-0.2, 0.3])
def test_small_wishes_are_followed_as_gently_as_ever(wanted):
    assert led_slew(0.0, wanted, 20.0, 1.0, 1.0, DT) == slew(0.0, wanted, 20.0, 1.0, 1.0, DT)
