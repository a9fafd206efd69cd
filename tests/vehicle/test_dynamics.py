"""How a car moves: laws, limits, and the slow twin."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cars import random_car
from marque.core.arrays import FloatArray
from marque.core.units import G_MPS2
from marque.types.platform import Platform
from marque.vehicle import dynamics as d
from marque.vehicle.catalog import load_platform
from oracle.single_track import simulate

CARS = [load_platform("saloon_ev"), load_platform("suv_erev"), *(random_car(i) for i in range(4))]
DT = 0.02


def drive(
    car: Platform, speed: float, commands: list[tuple[float, float]], dt: float = DT
) -> list[FloatArray]:
    p = d.parameters(car)
    memory = d.initial(car, 0.0, 0.0, 0.0, speed)
    out = []
    for accel, curvature in commands:
        memory = d.step(p, memory, accel, curvature, dt)
        out.append(memory)
    return out


@pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)
@pytest.mark.parametrize("speed", [1.0, 3.5, 5.0, 8.0, 15.0, 30.0])
@pytest.mark.parametrize("lateral", [0.5, 2.5, -2.5])
def test_steady_curvature_is_what_was_asked(car: Platform, speed: float, lateral: float) -> None:
    asked = math.copysign(min(abs(lateral) / speed**2, 0.12), lateral)
    last = drive(car, speed, [(0.0, asked)] * 400)[-1]
    assert last[d.YAW_RATE] / last[d.SPEED] == pytest.approx(asked, rel=0.01)
    assert last[d.LAT_ACCEL] == pytest.approx(asked * speed**2, rel=0.01)
    # and the path of the rear axle is that circle: a full turn comes back
    turns = 2.0 * math.pi / abs(asked) / speed / DT
    end = drive(car, speed, [(0.0, asked)] * (400 + round(turns)))[-1]
    assert math.hypot(*(end[:2] - last[:2])) < 0.02 / abs(asked)


@pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)
def test_nothing_happens_within_the_dead_time_then_the_lag_sets_in(car: Platform) -> None:
    after = drive(car, 10.0, [(-3.0, 0.0)] * 100)
    accel = [m[d.ACCEL] for m in after]
    dead = int(car.brake.dead_s / DT + 1e-9)
    assert all(a == 0.0 for a in accel[:dead])
    assert accel[dead + 1] < 0.0
    at = round((car.brake.dead_s + 4.0 * car.brake.lag_s + 3.0 / car.brake.rate) / DT)
    assert accel[at] == pytest.approx(-3.0, abs=0.1)
    assert np.diff(accel).min() >= -car.brake.rate * DT - 1e-9


def test_a_dead_time_between_two_steps_is_kept() -> None:
    """Speed lost to the brake: -a (t - dead - lag) to first order, for any dead time."""
    from dataclasses import replace

    from marque.types.platform import Actuator

    for dead in (0.0, 0.005, 0.013, 0.02, 0.037, 0.1, 0.6):
        car = replace(CARS[0], brake=Actuator(dead, 0.1, 100.0), drivetrain=None)
        last = drive(car, 20.0, [(-2.0, 0.0)] * 100)[-1]
        lost = 2.0 * (100 * DT - dead - 0.1)
        assert 20.0 - last[d.SPEED] == pytest.approx(lost, abs=0.012)


@given(
    st.integers(0, 5),
    st.floats(0.0, 40.0),
    st.lists(st.tuples(st.floats(-12.0, 6.0), st.floats(-0.3, 0.3)), min_size=1, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_laws_of_motion(which: int, speed: float, commands: list[tuple[float, float]]) -> None:
    car = CARS[which]
    grip = car.friction * G_MPS2
    before = d.initial(car, 0.0, 0.0, 0.0, speed)
    for m in drive(car, speed, [c for c in commands for _ in range(10)]):
        assert np.isfinite(m).all()
        assert 0.0 <= m[d.SPEED] <= car.max_speed_mps
        assert abs(m[d.STEER]) <= car.max_steer_rad + 1e-12
        assert abs(m[d.STEER] - before[d.STEER]) <= car.steer.rate * DT + 1e-12
        assert abs(m[d.ACCEL]) <= grip
        if m[d.ACCEL] > 0.0:
            power = car.mass_kg * m[d.ACCEL] * m[d.SPEED]
            assert power <= 1.02 * car.max_power_w
            assert m[d.ACCEL] <= car.max_accel_mps2
        moved = math.hypot(m[d.X] - before[d.X], m[d.Y] - before[d.Y])
        assert moved <= DT * (max(m[d.SPEED], before[d.SPEED]) + abs(m[d.LATERAL])) + 0.1
        before = m


@given(st.integers(0, 5), st.floats(6.0, 40.0), st.floats(-0.2, 0.2), st.floats(-9.0, 3.0))
@settings(max_examples=60, deadline=None)
def test_tyres_never_give_more_than_the_friction_circle(
    which: int, speed: float, curvature: float, accel: float
) -> None:
    car = CARS[which]
    grip = car.friction * G_MPS2
    for m in drive(car, speed, [(accel, curvature)] * 150):
        if m[d.SPEED] < d.BLEND_HIGH_MPS:
            break
        assert math.hypot(m[d.ACCEL], m[d.LAT_ACCEL]) <= 1.05 * grip


@pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)
def test_a_braked_car_stands_still_and_never_creeps_back(car: Platform) -> None:
    after = drive(car, 5.0, [(-3.0, 0.02)] * 300)
    stood = next(i for i, m in enumerate(after) if m[d.SPEED] == 0.0)
    assert stood < 150
    for m in after[stood + 1 :]:
        assert m[d.SPEED] == 0.0 and m[d.ACCEL] == 0.0
        assert m[: d.HEADING + 1] == pytest.approx(after[-1][: d.HEADING + 1], abs=1e-9)


def test_launch_from_a_hold_waits_for_nothing_but_the_actuators() -> None:
    car = CARS[0]
    after = drive(car, 0.0, [(-0.8, 0.0)] * 50 + [(1.5, 0.0)] * 100)
    speeds = [m[d.SPEED] for m in after]
    assert max(speeds[:50]) == 0.0
    assert speeds[50 + round(0.6 / DT)] > 0.4
    assert speeds[-1] == pytest.approx(1.5 * (2.0 - car.drive.dead_s - car.drive.lag_s), abs=0.1)


def test_stopping_distance_is_the_text_book_one() -> None:
    car = CARS[0]
    x = drive(car, 20.0, [(-8.0, 0.0)] * 250)[-1][d.X]
    ramp = 8.0 / car.brake.rate
    late = car.brake.dead_s + car.brake.lag_s
    assert 20.0 * late + 200.0 / 8.0 <= x <= 20.0 * (late + 0.5 * ramp) + 200.0 / 8.0 + 0.3


def test_input_is_never_changed_and_the_same_comes_of_the_same() -> None:
    car = CARS[1]
    p = d.parameters(car)
    memory = d.initial(car, 3.0, 4.0, 1.0, 9.0)
    kept = memory.copy()
    one = d.step(p, memory, 1.0, 0.03, DT)
    two = d.step(p, memory, 1.0, 0.03, DT)
    assert (memory == kept).all() and (one == two).all()
    with pytest.raises(ValueError, match="read-only"):
        p[0] = 1.0


def test_what_is_not_a_number_brakes_and_holds_the_wheel() -> None:
    car = CARS[0]
    p = d.parameters(car)
    memory = drive(car, 10.0, [(0.0, 0.02)] * 50)[-1]
    for _ in range(100):
        memory = d.step(p, memory, math.nan, math.inf, DT)
        assert np.isfinite(memory).all()
    assert memory[d.SPEED] == 0.0
    assert memory[d.STEER] == pytest.approx(d.steer_for(p, 0.02, 0.0), rel=0.05)


def test_too_short_a_step_for_the_dead_time_says_so() -> None:
    car = CARS[0]
    memory = d.step(
        d.parameters(car), d.initial(car, 0, 0, 0, 5.0), 1.0, 0.0, car.brake.dead_s / 80
    )
    assert np.isnan(memory).all()


def test_motion_has_the_fields_of_the_truth() -> None:
    from dataclasses import fields

    from marque.types.world import EgoTruth

    assert tuple(f.name for f in fields(EgoTruth)) == d.Motion._fields
    memory = d.initial(CARS[0], 1.0, 2.0, 0.5, 7.0)
    assert d.ego_truth(memory) == (1.0, 2.0, 0.5, 7.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)
@pytest.mark.parametrize("speed", [2.0, 5.0, 12.0, 25.0])
def test_slow_twin(car: Platform, speed: float) -> None:
    r = np.random.default_rng(round(speed))
    most = min(0.12, 4.0 / speed**2)
    pieces = [(float(r.uniform(-4, 2)), float(r.uniform(-most, most))) for _ in range(4)]
    commands = [piece for piece in pieces for _ in range(25)]
    fast = drive(car, speed, commands)
    slow = simulate(car, speed, commands, DT)
    for m, z in zip(fast, slow, strict=True):
        assert m[d.SPEED] == pytest.approx(z["v"], abs=0.03)
        # the fast one knows when a delayed command changes to half a substep
        assert m[d.STEER] == pytest.approx(z["steer"], abs=car.steer.rate * d.SUBSTEP_S)
        assert m[d.YAW_RATE] == pytest.approx(z["r"], abs=0.04)
    assert fast[-1][d.X] == pytest.approx(slow[-1]["x"], abs=0.08)
    assert fast[-1][d.Y] == pytest.approx(slow[-1]["y"], abs=0.08)
