"""Comfort, traffic, arrival, rates and the time-optimal profile."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import arc, straight_road, street_grid
from marque.maps.field import cost_at, plan_route
from marque.maps.trips import Trip, draw_trips
from marque.metrics.arrival import arrived, goal_reached_s, time_limit_s
from marque.metrics.comfort import comfort, comfort_samples, from_json, pooled, to_json
from marque.metrics.optimal import optimal_profile, optimal_time_s, trip_optimal_time_s
from marque.metrics.rates import (
    beta_share,
    gamma_share,
    poisson_interval,
    share_interval,
    wilson_interval,
)
from marque.metrics.trace import make_trace
from marque.metrics.traffic import traffic
from marque.types.codes import UserKind
from metrics.drives import CAR, drive, moving, standing, straight

ROAD = straight_road(600.0, lanes=1)


def test_comfort_of_a_known_drive() -> None:
    # 2 m/s^2 for 5 s, 50 s level, -3 m/s^2 to rest, then 100 s of standing that do not count
    up, down = [0.2 * i for i in range(51)], [10.0 - 0.3 * i for i in range(34)]
    episode = drive(ROAD, straight([*up, *[10.0] * 500, *down, 0.0, *[0.0] * 1000]))
    samples = comfort_samples(make_trace(episode))
    numbers = comfort(samples)
    assert numbers["moving_s"] == pytest.approx(58.8, abs=0.2)
    assert numbers["accel_p95_mps2"] == pytest.approx(2.0, abs=1e-3)
    assert numbers["decel_p99_mps2"] == pytest.approx(3.0, abs=1e-3)
    assert numbers["lat_accel_p99_mps2"] == 0.0
    # jumps of the acceleration: 2 (up), -2, -3, and the end of braking
    assert samples.hard_jerks == 4
    assert numbers["jerk_over_5_per_100km"] == pytest.approx(4 / samples.distance_m * 1e5)


def test_a_car_that_never_moved() -> None:
    numbers = comfort(comfort_samples(make_trace(drive(ROAD, straight([0.0] * 30)))))
    assert set(numbers.values()) == {0.0}
    assert comfort(comfort_samples(make_trace(drive(ROAD, []))))["moving_s"] == 0.0


speeds = st.lists(st.floats(0.0, 30.0), min_size=2, max_size=40)


@given(st.lists(speeds, min_size=1, max_size=4))
def test_pooling_is_exact_through_storage(trips: list[list[float]]) -> None:
    samples = [comfort_samples(make_trace(drive(ROAD, straight(each)))) for each in trips]
    stored = [from_json(to_json(each)) for each in samples]
    for a, b in zip(samples, stored, strict=True):
        np.testing.assert_array_equal(a.accel_mps2, b.accel_mps2)
        np.testing.assert_array_equal(a.jerk_mps3, b.jerk_mps3)
    assert comfort(pooled(samples)) == comfort(pooled(stored))
    every = np.concatenate([each.accel_mps2 for each in samples])
    if len(every):
        want = float(np.percentile(every, 95))
        assert comfort(pooled(stored))["accel_p95_mps2"] == want


def test_damaged_samples_are_refused() -> None:
    stored = to_json(comfort_samples(make_trace(drive(ROAD, straight([1.0, 2.0])))))
    with pytest.raises(ValueError, match="damaged comfort samples"):
        from_json({**stored, "accel": "AAAA"})


def test_traffic_counts_who_moves_within_100_m() -> None:
    users = [
        moving(1, 50.0, 3.0, 0.0, 10.0),
        moving(2, 20.0, -3.0, 0.0, 1.5, kind=UserKind.PEDESTRIAN),
        moving(3, 0.0, 200.0, 0.0, 10.0),
        standing(4, 30.0, 3.0),
    ]
    met = traffic(make_trace(drive(ROAD, straight([10.0] * 20), users)))
    assert met == {"all": 2.0, "motor": 1.0, "foot_or_bicycle": 1.0}
    assert traffic(make_trace(drive(ROAD, []))) == {
        "all": 0.0,
        "motor": 0.0,
        "foot_or_bicycle": 0.0,
    }


def test_arrival() -> None:
    trace = make_trace(drive(ROAD, straight([10.0] * 200)))
    reached = goal_reached_s(trace, 0, 100.0)
    assert reached == pytest.approx((90.0 - CAR.centre_m) / 10.0, abs=0.1)
    assert arrived(trace, 0, 100.0, 0.0, None)
    assert not arrived(trace, 0, 100.0, 0.1, None)  # over the grass is no arrival
    assert not arrived(trace, 0, 400.0, 0.0, None)
    assert time_limit_s(100.0) == 360.0 and time_limit_s(None) == math.inf
    late = make_trace(drive(ROAD, straight([0.0] * 700 + [10.0] * 200)))
    assert not arrived(late, 0, 100.0, 0.0, 5.0) and arrived(late, 0, 100.0, 0.0, 10.0)
    beside = make_trace(drive(ROAD, straight([10.0] * 200, y=2.0)))
    assert goal_reached_s(beside, 0, 100.0) is None


@pytest.mark.parametrize(
    ("count", "km", "low", "high"),
    [
        (0, 1_000, 0.0, 3.689),
        (0, 1_000_000, 0.0, 0.0037),
        (3, 10_000, 0.0619, 0.8767),
        (10, 10_000, 0.4795, 1.839),
        (100, 100_000, 0.8136, 1.2163),
        (572, 246_833, 2.1313, 2.5153),
    ],
)
def test_poisson_intervals(count: int, km: float, low: float, high: float) -> None:
    found = poisson_interval(count, km / 1000.0)
    assert found == pytest.approx((low, high), abs=6e-4 if high > 2 else 6e-5)


def test_share_intervals() -> None:
    assert share_interval(146, 150) == pytest.approx((0.93313212, 0.99268745), abs=1e-7)
    assert share_interval(0, 10) == pytest.approx((0.0, 0.30849711), abs=1e-7)
    assert share_interval(10, 10) == pytest.approx((0.69150289, 1.0), abs=1e-7)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.27753280), abs=1e-7)
    for bad in ((-1, 5), (6, 5), (0, 0)):
        with pytest.raises(ValueError, match="a rate needs"):
            share_interval(*bad)
    with pytest.raises(ValueError, match="a rate needs"):
        poisson_interval(1, 0.0)


@given(st.integers(0, 400), st.floats(0.5, 0.999))
def test_poisson_interval_has_its_tails(count: int, level: float) -> None:
    low, high = poisson_interval(count, 1.0, level)
    tail = 0.5 * (1.0 - level)
    assert low <= count <= high
    assert 1.0 - gamma_share(count + 1.0, high) == pytest.approx(tail, abs=1e-9)
    if count:
        assert gamma_share(float(count), low) == pytest.approx(tail, abs=1e-9)


@given(st.integers(1, 60), st.data())
def test_beta_share_is_the_binomial_tail(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n))
    p = data.draw(st.floats(0.001, 0.999))
    tail = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert beta_share(k, n - k + 1, p) == pytest.approx(tail, abs=1e-9)


def test_optimal_time_on_a_straight_is_the_formula() -> None:
    line = np.array([[0.0, 0.0], [500.0, 0.0]])
    v = 13.89
    want = v / 1.8 + v / 2.5 + (500.0 - v * v / 3.6 - v * v / 5.0) / v
    assert optimal_time_s(line, np.full(2, v)) == pytest.approx(want, abs=0.05)
    peak = math.sqrt(2 * 20.0 / (1 / 1.8 + 1 / 2.5))
    short = optimal_time_s(np.array([[0.0, 0.0], [20.0, 0.0]]), np.full(2, v))
    assert short == pytest.approx(peak / 1.8 + peak / 2.5, rel=0.02)


def test_optimal_speed_in_a_curve_and_below_limits() -> None:
    bend = np.array([(-100.0, -20.0), *arc((0, 0), 20.0, -math.pi / 2, 0.0, 60), (20.0, 100.0)])
    limit = np.full(len(bend), 15.0)
    at, speed = optimal_profile(bend, limit)
    inside = (at > 105.0) & (at < 126.0)
    np.testing.assert_allclose(speed[inside].min(), math.sqrt(2.5 * 20.0), rtol=0.03)
    assert (speed <= 15.0 + 1e-9).all() and speed[0] == speed[-1] == 0.0
    gain = np.diff(speed**2) / (2 * np.diff(at))
    assert gain.max() <= 1.8 + 1e-6 and gain.min() >= -2.5 - 1e-6
    assert optimal_time_s(bend, limit) > optimal_time_s(bend, limit, lateral_mps2=4.0)


def test_optimal_time_of_a_trip() -> None:
    trip = Trip(0, 10.0, 0, 510.0)
    want = optimal_time_s(np.array([[0.0, 0.0], [500.0, 0.0]]), np.full(2, 13.89))
    assert trip_optimal_time_s(ROAD, trip) == pytest.approx(want, abs=0.05)
    town = street_grid(4, 3)
    for trip in draw_trips(town, 1, 5, 300.0):
        route = plan_route(town, trip.goal_lane, trip.goal_s_m)
        free_s = cost_at(town, route, trip.start_lane, trip.start_s_m)
        assert free_s < trip_optimal_time_s(town, trip) < 3.0 * free_s


def test_a_line_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a length"):
        optimal_time_s(np.zeros((3, 2)), np.ones(3))
    with pytest.raises(ValueError, match="at least two points"):
        optimal_time_s(np.zeros((1, 2)), np.ones(1))
