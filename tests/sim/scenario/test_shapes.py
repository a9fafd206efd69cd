import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.sim.scenario.shapes import share, slope, time_by_bend, time_by_rate

MOVING = st.sampled_from(("linear", "cubic", "sinusoidal"))
PART = st.floats(0.0, 1.0)


@given(MOVING, PART, PART)
def test_a_shape_goes_from_nothing_to_all_and_never_back(
    shape: str, one: float, other: float
) -> None:
    assert share(shape, 0.0) == 0.0
    assert share(shape, 1.0) == pytest.approx(1.0, abs=1e-15)
    low, high = sorted((one, other))
    assert share(shape, low) <= share(shape, high) + 1e-15
    assert share(shape, -low) == 0.0 and share(shape, 1.0 + high) == share(shape, 1.0)


@given(MOVING, PART)
def test_what_is_left_mirrors_what_is_done(shape: str, part: float) -> None:
    assert share(shape, part) + share(shape, 1.0 - part) == pytest.approx(1.0, abs=1e-12)


@given(MOVING, st.floats(0.01, 0.99))
def test_the_slope_is_the_derivative(shape: str, part: float) -> None:
    h = 1e-6
    numeric = (share(shape, part + h) - share(shape, part - h)) / (2.0 * h)
    assert slope(shape, part) == pytest.approx(numeric, abs=1e-6)


# metres or m/s: below a micrometre the quotients run into the smallest numbers there are
CHANGES = st.just(0.0) | st.floats(1e-6, 50.0) | st.floats(-50.0, -1e-6)


@given(MOVING, CHANGES, st.floats(0.1, 10.0))
def test_a_rate_is_reached_and_not_passed(shape: str, change: float, rate: float) -> None:
    time = time_by_rate(shape, change, rate)
    if time == 0.0:
        assert change == 0.0
        return
    steepest = max(abs(change) * slope(shape, i / 200) / time for i in range(201))
    assert steepest == pytest.approx(rate, rel=1e-9)


@given(st.sampled_from(("cubic", "sinusoidal")), st.floats(0.1, 5.0), st.floats(0.1, 5.0))
def test_a_sideways_acceleration_is_reached_and_not_passed(
    shape: str, change: float, accel: float
) -> None:
    time = time_by_bend(shape, change, accel)
    h = 1e-5
    bends = [
        abs(change) * (slope(shape, x + h) - slope(shape, x)) / h / time**2
        for x in (i * (1.0 - h) / 400 for i in range(401))
    ]
    assert max(abs(each) for each in bends) == pytest.approx(accel, rel=1e-3)


def test_a_step_takes_no_time() -> None:
    assert share("step", 0.0) == 1.0
    assert slope("step", 0.5) == 0.0
    assert time_by_rate("step", 3.0, 1.0) == 0.0
    assert time_by_rate("linear", 3.0, 0.0) == 0.0
    assert time_by_bend("sinusoidal", 3.0, None) == 0.0
