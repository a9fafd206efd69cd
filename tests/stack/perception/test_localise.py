"""Localisation: consistent with its own model, the same in every frame, honest about faults."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.core.time import NS_PER_S
from marque.stack.perception import eskf
from marque.stack.perception.localise import Mounting, counts
from marque.types.codes import Basis, Integrity
from marque.types.reading import Delivery, Gnss
from own_motion import FIX_SIGMA_M, TUNING, blind, drive, follow, fresh

STEP_NS = 20_000_000


def test_innovations_lie_in_their_band():
    """Mean normalised innovation squared over drives of the filter's own model: chi-squared."""
    found: dict[str, list[float]] = {}
    freedom = {}
    for seed in range(6):
        _, said = follow(drive(seed, 14.0).deliveries)
        for check in (check for one in said[50:] for check in one.checks):
            found.setdefault(check.what, []).append(check.nis)
            freedom[check.what] = check.freedom
    for what in ("position", "speed", "course", "wheels"):
        n = len(found[what]) * freedom[what]
        mean = sum(found[what]) / n
        assert abs(mean - 1.0) < 1.96 * math.sqrt(2.0 / n), (what, mean, n)


def test_errors_lie_within_the_covariance():
    """Normalised estimation error squared of (x, y, heading, speed), mean over drives: 4."""
    found = []
    for seed in range(10, 30):
        run = drive(seed, 6.0)
        _, said = follow(run.deliveries)
        last = said[-1]
        error = np.array([last.x_m, last.y_m, last.heading_rad, last.speed_mps]) - run.truth[-1, :4]
        error[2] = math.remainder(error[2], math.tau)
        found.append(error @ np.linalg.solve(last.covariance, error))
    n = 4 * len(found)
    assert abs(sum(found) / n - 1.0) < 1.96 * math.sqrt(2.0 / n)


@pytest.mark.parametrize("late_s", [0.0, 0.18])
def test_without_noise_it_is_the_truth(late_s):
    run = drive(1, 8.0, noise=0.0, late_s=late_s)
    _, said = follow(run.deliveries)
    for one, true in zip(said[50:], run.truth[50:], strict=True):
        assert math.hypot(one.x_m - true[0], one.y_m - true[1]) < 0.01
        assert abs(one.speed_mps - true[3]) < 0.01
        assert abs(one.yaw_rate_radps - true[4]) < 1e-3
        assert one.integrity == Integrity.KNOWN


@settings(max_examples=6)
@given(st.floats(-math.pi, math.pi), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_turning_and_moving_the_world_turns_and_moves_the_answer(turn, east, north):
    run = drive(3, 3.0, late_s=0.1)
    c, s = math.cos(turn), math.sin(turn)

    def moved(fix: Gnss) -> Gnss:
        return replace(
            fix,
            x_m=c * fix.x_m - s * fix.y_m + east,
            y_m=s * fix.x_m + c * fix.y_m + north,
            course_rad=fix.course_rad + turn,
        )

    world = [replace(each, gnss=tuple(moved(f) for f in each.gnss)) for each in run.deliveries]
    _, here = follow(run.deliveries)
    _, there = follow(world)
    for one, other in zip(here[20:], there[20:], strict=True):
        assert other.x_m == pytest.approx(c * one.x_m - s * one.y_m + east, abs=1e-6)
        assert other.y_m == pytest.approx(s * one.x_m + c * one.y_m + north, abs=1e-6)
        assert math.remainder(other.heading_rad - one.heading_rad - turn, math.tau) == (
            pytest.approx(0.0, abs=1e-9)
        )
        assert other.speed_mps == pytest.approx(one.speed_mps, abs=1e-9)
        assert other.spread_m == pytest.approx(one.spread_m, abs=1e-6)


def test_the_covariance_stays_one():
    memory, _ = follow(drive(5, 10.0).deliveries)
    cov = memory.head.cov
    assert np.array_equal(cov, cov.T) or np.allclose(cov, cov.T, atol=1e-12)
    assert np.linalg.eigvalsh(cov).min() > 0.0


def test_compiled_arithmetic_equals_matrices():
    draw = np.random.default_rng(0)
    a = draw.standard_normal((eskf.N, eskf.N))
    cov, h, state = a @ a.T, draw.standard_normal(eskf.N), 0.1 * draw.standard_normal(eskf.N)
    gain = cov @ h / (h @ cov @ h + 0.3)
    new, left = eskf.correct(state, cov, h, 0.2, 0.3)
    assert np.allclose(new, state + 0.2 * gain)
    factor = np.eye(eskf.N) - np.outer(gain, h)
    assert np.allclose(left, factor @ cov @ factor.T + 0.3 * np.outer(gain, gain))
    assert eskf.surprise(cov, h, 0.2, 0.3) == pytest.approx(0.04 / (h @ cov @ h + 0.3))


def test_prediction_equals_its_own_linearisation():
    """The covariance's transition against finite differences of the nominal state."""
    state = np.array([3.0, -2.0, 0.4, 14.0, 0.2, 0.003, 0.1, 0.01, 0.5, -0.4])
    zero, noise = np.zeros((eskf.N, eskf.N)), np.zeros(eskf.N)
    step, dt = 1e-6, 0.02
    slope = np.zeros((eskf.N, eskf.N))
    for i in range(eskf.N):
        more, less = state.copy(), state.copy()
        more[i] += step
        less[i] -= step
        ahead, _ = eskf.predict(more, zero, 0.7, 0.1, dt, noise, 0.01)
        behind, _ = eskf.predict(less, zero, 0.7, 0.1, dt, noise, 0.01)
        slope[:, i] = (ahead - behind) / (2.0 * step)
    _, cov = eskf.predict(state, np.eye(eskf.N), 0.7, 0.1, dt, noise, 0.01)
    assert np.allclose(cov, slope @ slope.T, atol=1e-5)


# Faults ----------------------------------------------------------------------------------------


def test_before_a_heading_it_does_not_know():
    run = drive(1, 1.0)
    memory, said = follow(blind(run.deliveries))
    assert {one.integrity for one in said} == {Integrity.UNKNOWN}
    assert memory.head is None


def test_order_within_the_horizon_does_not_matter():
    """Parts that come late, in any order, end in the same filter."""
    run = drive(2, 4.0)
    late, held = [], []
    draw = np.random.default_rng(0)
    late += run.deliveries[:20]
    for each in run.deliveries[20:]:
        held.append(each.bus[0])
        ready = each.bus[:0]
        if draw.random() < 0.2 or len(held) > 5:
            ready = tuple(reversed(held))
            held = []
        late.append(replace(each, bus=ready))
    end = run.deliveries[-1].t_ns + STEP_NS
    last = Delivery(end, bus=tuple(held))
    in_order, said = follow([*run.deliveries, replace(last, bus=())])
    shuffled, other = follow([*late, last])
    assert np.allclose(in_order.head.state, shuffled.head.state, atol=1e-9)
    assert said[-1].x_m == pytest.approx(other[-1].x_m, abs=1e-9)
    assert not counts(shuffled).keys() & {"bus stale", "bus twice"}


def test_bad_parts_are_dropped_by_name_and_change_nothing():
    run = drive(4, 2.0)
    good = run.deliveries
    fix = next(each.gnss[0] for each in good[60:] if each.gnss)
    i = 75
    bad = replace(
        good[i],
        imu=(*good[i].imu, replace(good[i].imu[0], gyro_radps=(0.0, 0.0, math.nan), t_ns=1)),
        gnss=(
            *good[i].gnss,
            replace(fix, x_m=math.inf),
            replace(fix, t_ns=good[i].t_ns + NS_PER_S),
            replace(fix, t_ns=good[i].t_ns - NS_PER_S),
            replace(fix, position_sigma_m=-1.0),
        ),
        bus=(*good[i].bus, *good[i].bus),
    )
    clean, said = follow(good)
    dirty, other = follow([*good[:i], bad, *good[i + 1 :]])
    found = counts(dirty)
    assert found["imu not finite"] == 1
    assert found["gnss not finite"] == 2
    assert found["gnss from the future"] == 1
    assert found["gnss stale"] == 1
    assert found["bus twice"] == 1
    assert np.array_equal(clean.head.state, dirty.head.state)
    assert said[-1].x_m == other[-1].x_m


def test_without_satellites_it_coasts_and_then_says_that_it_does_not_know():
    run = drive(6, 40.0)
    _, said = follow([*run.deliveries[:500], *blind(run.deliveries[500:])])
    words = [one.integrity for one in said]
    spreads = [one.spread_m for one in said[560:]]
    assert words[450] == Integrity.KNOWN
    assert words[570] == Integrity.COASTING
    assert spreads == sorted(spreads)
    assert Basis.GNSS not in said[-1].basis
    assert said[-1].basis & Basis.IMU


def test_lost_inertia_is_replaced_by_the_steering():
    run = drive(7, 6.0, noise=0.0)
    deaf = [replace(each, imu=()) if i > 200 else each for i, each in enumerate(run.deliveries)]
    _, said = follow(deaf)
    assert said[-1].basis & Basis.STEER and not said[-1].basis & Basis.IMU
    assert said[-1].integrity == Integrity.KNOWN


def test_nothing_but_time_is_no_basis():
    run = drive(7, 4.0)
    silent = [Delivery(each.t_ns) for each in run.deliveries[100:]]
    _, said = follow([*run.deliveries[:100], *silent])
    assert said[-1].integrity == Integrity.UNKNOWN
    assert said[-1].basis == Basis.NONE


def test_standing_it_knows_that_it_stands():
    run = drive(8, 8.0, stands=(6.0, 99.0))
    memory, said = follow(run.deliveries)
    assert said[-1].basis & Basis.STANDSTILL
    assert abs(said[-1].speed_mps) < 0.01
    assert abs(said[-1].yaw_rate_radps - 0.0) < 0.03
    assert math.sqrt(memory.head.cov[eskf.BG, eskf.BG]) < 1e-3


def test_a_leap_of_the_fixes_is_doubted_then_believed():
    run = drive(9, 12.0)
    leap = [
        replace(each, gnss=tuple(replace(f, x_m=f.x_m + 200.0) for f in each.gnss))
        for each in run.deliveries[250:]
    ]
    memory, said = follow([*run.deliveries[:250], *leap])
    assert said[250 + 90].integrity == Integrity.UNKNOWN  # after 1.8 s of contradiction
    assert abs(said[250 + 70].x_m - run.truth[320, 0]) < 4.0 * FIX_SIGMA_M
    assert counts(memory)["begun again"] == 1
    assert said[-1].integrity == Integrity.KNOWN
    assert abs(said[-1].x_m - 200.0 - run.truth[-1, 0]) < 4.0 * FIX_SIGMA_M


@pytest.mark.parametrize("jump_s, name", [(-2.0, "time jumped back"), (5.0, "time jumped ahead")])
def test_a_jump_of_the_clock_is_named_and_begun_from_anew(jump_s, name):
    run = drive(11, 6.0)
    jump_ns = round(jump_s * NS_PER_S)

    def shifted(each: Delivery) -> Delivery:
        return Delivery(
            each.t_ns + jump_ns,
            tuple(replace(p, t_ns=p.t_ns + jump_ns) for p in each.imu),
            tuple(replace(p, t_ns=p.t_ns + jump_ns) for p in each.gnss),
            tuple(replace(p, t_ns=p.t_ns + jump_ns) for p in each.bus),
        )

    memory, said = follow([*run.deliveries[:151], *(shifted(d) for d in run.deliveries[151:])])
    assert counts(memory)[name] == 1
    assert said[151].integrity == Integrity.UNKNOWN
    assert said[-1].integrity == Integrity.KNOWN


def test_wheels_that_spin_are_contradicted():
    run = drive(12, 6.0)
    spun = list(run.deliveries)
    for i in range(200, 215):
        bus = spun[i].bus[0]
        spun[i] = replace(
            spun[i], bus=(replace(bus, wheel_mps=tuple(2 * w for w in bus.wheel_mps)),)
        )
    memory, said = follow(spun)
    assert counts(memory)["wheels contradicts"] >= 15
    assert abs(said[220].speed_mps - run.truth[220, 3]) < 0.5


def test_the_antenna_may_sit_anywhere():
    """With another mounting than the true one the answer moves by the difference."""
    run = drive(13, 4.0, noise=0.0)
    _, right = follow(run.deliveries)
    _, wrong = follow(run.deliveries, fresh(TUNING, Mounting(0.0, 0.2)))
    apart = math.hypot(right[-1].x_m - wrong[-1].x_m, right[-1].y_m - wrong[-1].y_m)
    assert apart == pytest.approx(1.3, abs=0.05)


def test_a_receiver_that_claims_to_be_perfect_is_taken_soberly():
    run = drive(14, 3.0, noise=0.0)
    proud = [
        replace(
            each,
            gnss=tuple(replace(f, position_sigma_m=0.0, speed_sigma_mps=0.0) for f in each.gnss),
        )
        for each in run.deliveries
    ]
    _, said = follow(proud)
    assert said[-1].integrity == Integrity.KNOWN
    assert math.hypot(said[-1].x_m - run.truth[-1, 0], said[-1].y_m - run.truth[-1, 1]) < 0.05
