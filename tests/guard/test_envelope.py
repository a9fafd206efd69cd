"""The envelope's rules, one by one, and its laws for any command."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.guard import envelope

STEER = (0.5, 2.95)
CAR = (9.0, 50.0)
DT = 0.02


def limit(
    accel: float = 0.0,
    curvature: float = 0.0,
    last: float = 0.0,
    speed: float = 10.0,
    need: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float, str, float]:
    a, k, rule, margin = envelope.limit(accel, curvature, last, speed, DT, need, STEER, CAR)
    return a, k, envelope.RULES[rule], margin


def test_what_is_inside_passes_untouched() -> None:
    assert limit(1.9, 0.02, 0.0201) == (1.9, 0.02, "", 1.0)
    assert limit(-3.5, -0.02, -0.0201) == (-3.5, -0.02, "", 1.0)


def test_acceleration_is_cut_and_hard_braking_is_let_through() -> None:
    assert limit(3.0) == (2.0, 0.0, "accel", pytest.approx(2.0 / 3.0))
    assert limit(-7.5)[0] == -7.5
    assert limit(-20.0) == (-9.0, 0.0, "", 1.0)  # the car can no more: nothing was taken away


def test_no_acceleration_above_top_speed() -> None:
    assert limit(1.0, speed=51.0)[:3] == (0.0, 0.0, "speed")
    assert limit(-1.0, speed=51.0)[0] == -1.0


def test_lateral_jerk_and_the_steering_bound_the_change() -> None:
    _, k, rule, _ = limit(curvature=0.01, speed=20.0)
    assert rule == "curvature_rate" and k == pytest.approx(5.0 / 400.0 * DT)
    _, k, rule, _ = limit(curvature=-0.1, speed=1.0)
    assert rule == "curvature_rate" and k == pytest.approx(-0.5 / 2.95 * DT)


def test_curvature_beyond_three_is_cut_unless_the_path_needs_it() -> None:
    # far too much already: back at the rate that is allowed, and slower until it is enough
    accel, k, rule, _ = limit(curvature=0.05, last=0.05, speed=10.0)
    assert k == pytest.approx(0.05 - 5.0 / 100.0 * DT)
    assert rule == "lateral_speed" and accel == -3.5
    _, k, rule, _ = limit(curvature=0.0305, last=0.0302, speed=10.0)
    assert rule == "lateral_accel" and k == pytest.approx(0.03)
    accel, k, rule, margin = limit(0.5, 0.04, 0.04, need=(0.0, 0.04))
    assert k == 0.04 and rule == "lateral_speed" and accel == pytest.approx(-2.0)
    assert margin == pytest.approx(0.75)
    assert limit(0.5, -0.06, -0.06, need=(-0.06, 0.0))[0] == -3.5
    assert limit(-5.0, 0.04, 0.04, need=(0.0, 0.04))[0] == -5.0


@given(
    st.floats(-20, 20),
    st.floats(-0.5, 0.5),
    st.floats(-0.22, 0.22),
    st.floats(0, 60),
    st.floats(0, 0.2),
    st.floats(0, 0.2),
)
def test_laws(
    accel: float, curvature: float, last: float, speed: float, left: float, right: float
) -> None:
    a, k, rule, margin = limit(accel, curvature, last, speed, (-right, left))
    assert a <= max(accel, -CAR[0])
    assert a <= 2.0 and math.isfinite(margin)
    step = DT * min(5.0 / max(1e-6, speed**2), 0.5 * (1 + (2.95 * last) ** 2) / 2.95)
    assert abs(k - last) <= step + 1e-9
    # never below what the path needs: a command within the need goes as far as the rate allows
    if -right <= curvature <= left:
        reached = min(last + step, max(last - step, curvature))
        assert k == pytest.approx(reached, abs=1e-9)
    if speed**2 * abs(k) > 3.001:
        assert a <= -1.0
    if not rule:
        assert (a, k) == (max(accel, -CAR[0]), curvature)


@given(st.floats(0, 9), st.floats(0, 40), st.floats(-9, 2))
def test_braking_is_eased_only_right_before_rest(asked: float, speed: float, last: float) -> None:
    late = 0.2
    got = envelope.eased(asked, speed, last, late)
    assert min(asked, 0.8) <= got <= asked
    if speed + min(0.0, last) * late >= asked**2 / 32.0:
        assert got == pytest.approx(asked)
    assert envelope.eased(asked, 0.0, last, late) == min(asked, 0.8)
