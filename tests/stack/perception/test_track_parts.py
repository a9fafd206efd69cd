"""The tracker's parts against their slow twins."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.stack.perception.assign import NOBODY, pair
from marque.stack.perception.ego import pose_at, remember
from marque.stack.perception.motion import (
    correct,
    predict_vehicle,
    predict_walker,
    to_vehicle,
    to_walker,
)
from marque.stack.perception.noise import SensorModel, kind_evidence, kind_table, sensor_table
from marque.stack.perception.sight import BEFORE_M, RAYS, in_sight
from marque.types.codes import SensorKind, UserKind
from marque.types.reading import EgoReading
from oracle.tracks_twin import best_pairs, drive, jacobian, kalman, share

CAR = kind_table()[UserKind.CAR]
speeds = st.floats(-3.0, 40.0)
small = st.floats(-1.0, 1.0)


def spread(seed, scale):
    a = np.random.default_rng(seed).normal(size=(6, 6)) * np.array(scale)[:, None]
    return a @ a.T


@settings(max_examples=60, deadline=None)
@given(small, small, st.floats(-3, 3), speeds, st.floats(-6, 3), st.floats(-0.15, 0.15))
def test_a_vehicle_goes_where_small_steps_go(x, y, h, v, a, k):
    state = np.array([x, y, h, v, a, k])
    moved, cov = state.copy(), np.zeros((6, 6))
    predict_vehicle(moved, cov, 0.1, CAR, 1.0, 1.0)
    sx, sy, sh, sv = drive(state, 0.1)
    way = abs(v) * 0.1 + 0.01
    assert math.hypot(moved[0] - sx, moved[1] - sy) < 0.05 * way * abs(k * way) + 1e-3 * way
    assert math.remainder(moved[2] - sh, 2 * math.pi) == pytest.approx(0.0, abs=1e-6)
    assert moved[3] == pytest.approx(sv, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-3, 3), st.floats(1, 40), st.floats(-2, 2), st.floats(-0.1, 0.1), st.integers(0, 9)
)
def test_spread_goes_along_by_the_jacobian(h, v, a, k, seed):
    def move(state):
        out = np.array(state)
        predict_vehicle(out, np.zeros((6, 6)), 0.1, CAR, 1.0, 1.0)
        return out

    state = np.array([0.0, 0.0, h, v, a, k])
    before = spread(seed, (0.3, 0.3, 0.02, 0.5, 0.5, 0.005))
    noise, after = np.zeros((6, 6)), before.copy()
    predict_vehicle(state.copy(), noise, 0.1, CAR, 1.0, 1.0)
    predict_vehicle(state.copy(), after, 0.1, CAR, 1.0, 1.0)
    f = jacobian(move, state)
    np.testing.assert_allclose(after - noise, f @ before @ f.T, rtol=1e-4, atol=1e-6)


def test_who_stands_does_not_turn_or_wander():
    m = np.array([5.0, 2.0, 1.0, 0.0, 0.0, 0.0])
    cov = np.zeros((6, 6))
    cov[2, 2] = 0.01
    for _ in range(100):
        predict_vehicle(m, cov, 0.1, CAR, 0.2, 0.2)
        m[4] = 0.0
    assert m[:3].tolist() == [5.0, 2.0, 1.0]
    assert cov[2, 2] == pytest.approx(0.01, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), small, st.floats(0.01, 4.0))
def test_one_number_is_learnt_as_in_the_books(seed, off, var):
    rng = np.random.default_rng(seed)
    m, p, h = rng.normal(size=6), spread(seed, np.ones(6)), rng.normal(size=6)
    slow_m, slow_p, slow_fit = kalman(m, p, h, off, var)
    fit = correct(m, p, h, off, var)
    np.testing.assert_allclose(m, slow_m, atol=1e-9)
    np.testing.assert_allclose(p, slow_p, atol=1e-8)
    assert fit == pytest.approx(slow_fit)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 5), st.integers(0, 4), st.integers(0, 10_000))
def test_pairs_cost_least(n, m, seed):
    cost = np.random.default_rng(seed).uniform(0.0, 15.0, (n, m))
    found = pair(cost, 10.0)
    used = found[found != NOBODY]
    assert len(set(used.tolist())) == len(used)
    total = sum(cost[i, c] if c != NOBODY else 10.0 for i, c in enumerate(found))
    assert total == pytest.approx(best_pairs(cost, 10.0))
    assert all(cost[i, c] < 10.0 for i, c in enumerate(found) if c != NOBODY)


def test_a_nearest_pair_is_given_up_for_the_whole():
    cost = np.array([[1.0, 2.0], [1.5, 9.0]])
    assert pair(cost, 10.0).tolist() == [1, 0]


place = st.floats(-50.0, 50.0)
box = st.tuples(place, place, st.floats(-3, 3), st.floats(0.5, 15), st.floats(0.4, 2.6))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(box, st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_sight_is_that_of_the_slow_twin(rows):
    boxes = [row[0] for row in rows]
    hides = np.array([row[1] for row in rows])
    tall = np.array([row[2] for row in rows])
    packed = np.array(
        [(x, y, math.cos(h), math.sin(h), le / 2, wi / 2) for x, y, h, le, wi in boxes]
    )
    found = in_sight(0.0371, -0.0513, packed, hides, tall)
    for i in range(len(boxes)):
        slow = share(0.0371, -0.0513, i, boxes, hides, tall, RAYS, BEFORE_M)
        assert abs(found[i] - slow) <= 1.0 / RAYS + 1e-9  # a ray along an edge may fall either way


def test_a_walker_that_becomes_a_vehicle_keeps_its_motion():
    m = np.array([1.0, 2.0, 3.0, 4.0, 0.0, 0.0])
    p = spread(1, (0.2, 0.2, 0.3, 0.3, 0.0, 0.0))
    to_vehicle(m, p, 0.0, CAR)
    assert m[2:4] == pytest.approx([math.atan2(4, 3), 5.0])
    to_walker(m, p)
    assert m[:4] == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert np.linalg.eigvalsh(p[:4, :4])[0] > -1e-12


def test_a_walker_goes_straight_on():
    m = np.array([0.0, 0.0, 1.0, -2.0, 0.0, 0.0])
    p = np.zeros((6, 6))
    predict_walker(m, p, 0.5, kind_table()[UserKind.PEDESTRIAN])
    assert m[:2] == pytest.approx([0.5, -1.0])
    assert p[2, 2] > 0.0


def ego(t_s, x, y, h, v, w):
    return EgoReading(round(t_s * 1e9), x, y, h, v, 0.0, w, 0.0)


def test_our_own_pose_is_found_between_and_beyond_readings():
    def at(t):  # 10 m/s on a circle of 20 m
        return 20 * math.sin(0.5 * t), 20 - 20 * math.cos(0.5 * t), 0.5 * t

    past = ()
    for t in (0.2, 0.0, 0.1):
        past = remember(past, ego(t, *at(t), 10.0, 0.5))
    for t in (-0.05, 0.0, 0.03, 0.15, 0.2, 0.26):
        pose = pose_at(past, round(t * 1e9))
        assert pose == pytest.approx(at(t), abs=2e-3)
    assert pose_at(past, 2_000_000_000) is None
    assert pose_at((), 0) is None
    assert remember(past, ego(0.3, math.nan, 0, 0, 0, 0)) == past


def test_models_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="sensor 0"):
        sensor_table((SensorModel(SensorKind.LIDAR, along_m=-0.1),))
    np.testing.assert_allclose(np.exp(kind_evidence()).sum(axis=1), 1.0)
