"""Tracking: how close, how smooth, how it stands and starts; and the slow twin."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cars import random_car
from courses import (
    FINE_S,
    Course,
    course,
    drive,
    plan_at,
    ramp,
    reading_of,
    rms,
    sample,
    smooth_curvature,
    trapezoid,
)
from marque.stack.control import tracking
from marque.stack.control.tracking import ControlMemory, control, hold, locate
from marque.types.plan import STEP_S, STEPS, Plan
from marque.types.platform import Platform
from marque.vehicle import dynamics
from marque.vehicle.catalog import load_platform
from oracle import tracking_twin

CARS = [load_platform("saloon_ev"), load_platform("suv_erev"), *(random_car(i) for i in range(4))]
SALOON = CARS[0]
each_car = pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)


def s_bend(speed: float) -> Course:
    """Left, right and straight again at 2.5 m/s^2, a second and a half from one to the other."""
    k = 2.5 / speed**2
    d = max(8.0, 1.6 * speed)
    pieces = [(3 * speed, 0), (d, 0), (3 * speed, k), (2 * d, k), (3 * speed, -k), (d, -k)]
    pieces += [(3 * speed, 0), (10 * speed, 0)]
    seconds = 3 + 3 + 3 + 4 * d / speed + 6
    return course(ramp([(seconds, 0.0)], FINE_S), speed, smooth_curvature(pieces))


def stop_and_go() -> Course:
    """Launch, cruise, stop, stand, creep on, stop, once more."""
    pieces = [(2.0, 0.0), *trapezoid(12, 1.6, 1.2), (3.0, 0.0), *trapezoid(-12, 2.2, 1.2)]
    pieces += [(4.0, 0.0), *trapezoid(3, 1.5, 1.2), (1.0, 0.0), *trapezoid(-3, 1.5, 1.2)]
    pieces += [(3.0, 0.0), *trapezoid(8, 1.8, 1.2), *trapezoid(-8, 2.4, 1.2), (2.0, 0.0)]
    return course(ramp(pieces, FINE_S), 0.0, np.zeros(6000))


@each_car
@pytest.mark.parametrize("speed", [4.0, 8.0, 14.0, 20.0, 30.0])
def test_curves_at_two_and_a_half(car: Platform, speed: float) -> None:
    got = drive(car, s_bend(speed), extra_s=-1.0)
    assert np.abs(got.lat_accel_mps2).max() > 2.4
    assert np.abs(got.offset_m).max() <= 0.2
    assert np.abs(got.speed_error_mps).max() <= 0.1


@each_car
def test_stop_and_go(car: Platform) -> None:
    road = stop_and_go()
    got = drive(car, road)
    assert np.abs(got.lag_m).max() <= 0.2
    assert -got.lag_m.min() <= 0.3  # no overshoot past a stop
    assert np.abs(got.speed_error_mps).max() <= 0.1
    assert np.abs(got.offset_m).max() <= 0.01
    planned = rms(np.diff(road.accel_mps2[::5]) / 0.1)
    assert got.jerk_rms_mps3() <= 1.3 * planned


@each_car
def test_a_turn_with_a_stop_in_it(car: Platform) -> None:
    """Brakes into a bend of 12 m radius, stands in it, goes on."""
    pieces = [(1.0, 0.0), *trapezoid(-8.0, 2.0, 1.2), (3.0, 0.0), *trapezoid(4.0, 1.5, 1.2)]
    road = course(
        ramp([*pieces, (1.0, 0.0)], FINE_S),
        8.0,
        smooth_curvature([(14, 0), (8, 0), (30, 1 / 12), (8, 1 / 12), (60, 0)]),
    )
    got = drive(car, road, extra_s=0.0)
    assert np.abs(got.offset_m).max() <= 0.2
    assert np.abs(got.speed_error_mps).max() <= 0.1
    stands = got.speed_mps == 0.0
    assert stands.sum() > 50
    wheel = got.curvature_cmd_1pm[stands]
    assert wheel.max() - wheel.min() < 0.02  # no steering to and fro where it stands


@pytest.mark.parametrize("car", CARS[:2], ids=lambda c: c.name)
def test_a_turn_that_sets_in_faster_than_the_wheel_is_begun_early(car: Platform) -> None:
    """A city lane: from straight to 4.8 m radius within 2.5 m at 3 m/s, and out again."""
    bend = smooth_curvature([(15, 0), (2.5, 0), (4.0, 0.208), (2.5, 0.208), (40, 0.0)])
    road = course(ramp([(14.0, 0.0)], FINE_S), 3.0, bend)
    got = drive(car, road, extra_s=0.0)
    assert np.abs(np.diff(got.curvature_cmd_1pm)).max() / FINE_S < 0.27  # the wheel's own pace
    assert np.abs(got.offset_m).max() <= 0.2


@each_car
@pytest.mark.parametrize("start", [-0.8, 0.5])
def test_an_offset_is_brought_back_without_swinging_over(car: Platform, start: float) -> None:
    road = course(ramp([(14.0, 0.0)], FINE_S), 10.0, np.zeros(4000))
    got = drive(car, road, extra_s=0.0, start=start)
    side = got.offset_m * math.copysign(1.0, start)
    assert side.min() > -0.12 * abs(start)
    assert np.abs(got.offset_m[-100:]).max() < 0.02
    assert np.abs(got.lat_accel_mps2).max() < 2.0


ROADS = (s_bend(8.0), stop_and_go(), s_bend(5.0), course(np.zeros(9), 0.0, np.zeros(400)))


def standing_plan(t_ns: int = 0) -> Plan:
    return plan_at(course(np.zeros(100), 0.0, np.zeros(400)), t_ns / 1e9)


@pytest.mark.parametrize("heading", [0.0, 0.3])
def test_a_standing_car_with_a_standing_plan_holds_still(heading: float) -> None:
    car = dynamics.initial(SALOON, 0.4, -0.6, heading, 0.0)
    memory = ControlMemory()
    for i in range(50):
        t_ns = i * 20_000_000
        memory, command = control(memory, reading_of(car, t_ns), standing_plan(), SALOON, t_ns)
        assert command.accel_mps2 == tracking.HOLD_MPS2
        assert command.curvature_1pm == 0.0


def test_a_late_car_steers_by_where_it_is_not_by_when() -> None:
    """Standing 15 m behind its plan, before a bend: the wheel stays straight, the car goes."""
    road = course(
        ramp([(6.0, 0.0)], FINE_S), 5.0, smooth_curvature([(20, 0), (3, 0), (30, 0.1), (30, 0.1)])
    )
    plan = plan_at(road, 0.0)
    car = dynamics.initial(SALOON, 0.0, 0.0, 0.0, 0.0)
    _, command = control(
        ControlMemory(), reading_of(car, 3_000_000_000), plan, SALOON, 3_000_000_000
    )
    assert command.accel_mps2 > 0.0 and abs(command.curvature_1pm) < 1e-6


def test_a_plan_that_always_starts_anew_from_the_car_still_gets_it_going() -> None:
    """A planner that begins each plan at the car's own state must not be held for ever."""
    launch = course(ramp([*trapezoid(8.0, 1.5, 1.2), (9.0, 0.0)], FINE_S), 0.0, np.zeros(4000))
    p = dynamics.parameters(SALOON)
    car = dynamics.initial(SALOON, 0.0, 0.0, 0.0, 0.0)
    memory = ControlMemory()
    plan = plan_at(launch, 0.0)
    for i in range(300):
        t_ns = i * 20_000_000
        if i % 5 == 0:
            at = float(np.interp(car[dynamics.SPEED], launch.speed_mps[:300], launch.t_s[:300]))
            plan = plan_at(launch, at)
            shift = car[dynamics.X] - plan.trajectory.x_m[0]
            moved = replace(plan.trajectory, x_m=plan.trajectory.x_m + shift)
            plan = replace(plan, t_ns=t_ns, trajectory=moved)
        memory, command = control(memory, reading_of(car, t_ns), plan, SALOON, t_ns)
        car = dynamics.step(p, car, command.accel_mps2, command.curvature_1pm, FINE_S)
    assert car[dynamics.SPEED] > 3.0


def test_an_emergency_plan_is_braked_at_once() -> None:
    road = course(ramp([(0.3, -25.0), (1.6, 0.0)], FINE_S), 14.0, np.zeros(2000))
    got = drive(SALOON, road, extra_s=1.0)
    late = SALOON.brake.dead_s + SALOON.brake.lag_s
    first = np.argmax(got.accel_mps2 < -6.0) * FINE_S
    assert first <= 0.3 + late + 0.1
    assert got.speed_mps[-1] == 0.0
    assert got.lag_m[-1] > -1.0


def test_beyond_its_end_a_plan_means_standing() -> None:
    road = course(ramp([(30.0, 0.0)], FINE_S), 10.0, np.zeros(20000))
    plan = plan_at(road, 0.0)
    t_ns = round((STEP_S * (STEPS - 1) + 0.5) * 1e9)
    car = dynamics.initial(SALOON, 85.0, 0.0, 0.0, 10.0)
    memory = ControlMemory(t_ns - 20_000_000, 0.0, 0.0)
    for i in range(40):
        now = t_ns + i * 20_000_000
        memory, command = control(memory, reading_of(car, now), plan, SALOON, now)
    assert command.accel_mps2 < -4.0


def test_before_the_first_plan_it_stays() -> None:
    command = hold(40)
    assert (command.t_ns, command.accel_mps2, command.curvature_1pm) == (40, -0.8, 0.0)


def test_the_first_command_starts_from_what_the_car_does() -> None:
    road = course(ramp([(10.0, 0.0)], FINE_S), 10.0, np.full(3000, 0.02))
    car = dynamics.initial(SALOON, 0.0, 0.0, 0.0, 10.0)
    car[dynamics.STEER] = math.atan(0.02 * SALOON.wheelbase_m)
    car[dynamics.ACCEL] = 0.7
    _, command = control(ControlMemory(), reading_of(car, 0), plan_at(road, 0.0), SALOON, 0)
    assert command.curvature_1pm == pytest.approx(0.02, abs=0.002)
    assert 0.6 < command.accel_mps2 < 0.8


@given(
    st.integers(0, 5),
    st.floats(0.0, 9.0),
    st.floats(-3.0, 60.0),
    st.floats(-2.0, 2.0),
    st.floats(-0.4, 0.4),
    st.floats(0.0, 20.0),
    st.tuples(st.floats(-8.0, 3.0), st.floats(-0.15, 0.15)),
    st.integers(0, 3),
)
@settings(max_examples=25, deadline=None)
def test_slow_twin(
    which: int,
    at_s: float,
    along: float,
    left: float,
    turned: float,
    speed: float,
    last: tuple[float, float],
    kind: int,
) -> None:
    car = CARS[which]
    road = ROADS[kind]
    path = sample(road, 2.3 * kind + STEP_S * np.arange(STEPS))
    heading = float(path.heading_rad[0]) + turned
    x = float(path.x_m[0]) + along * math.cos(heading) - left * math.sin(heading)
    y = float(path.y_m[0]) + along * math.sin(heading) + left * math.cos(heading)
    plan = replace(plan_at(road, 1.0), trajectory=path)
    t_ns = round(at_s * 1e9) + 1_000_000_000
    state = dynamics.initial(car, x, y, heading, speed)
    memory = ControlMemory(t_ns - 20_000_000, *last)
    _, command = control(memory, reading_of(state, t_ns), plan, car, t_ns)
    slow = tracking_twin.command(path, at_s, (x, y, heading, speed), last, car, 0.02)
    assert command.accel_mps2 == pytest.approx(slow[0], abs=0.02)
    assert command.curvature_1pm == pytest.approx(slow[1], abs=0.002)


@given(st.floats(-30.0, 80.0), st.floats(-3.0, 3.0))
@settings(max_examples=60, deadline=None)
def test_place_on_a_straight_path_is_the_place(along: float, left: float) -> None:
    path = sample(course(np.zeros(500), 6.0, np.zeros(2000)), STEP_S * np.arange(STEPS))
    s, d, heading = locate(path.x_m, path.y_m, path.heading_rad, path.s_m, along, left)
    assert (s, d, heading) == pytest.approx((along, left, 0.0), abs=1e-9)
