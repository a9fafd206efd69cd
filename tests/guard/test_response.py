"""What the car makes of what it is asked: weak brakes, little grip, steering that is dead."""

import math
from dataclasses import replace

import pytest
from worlds import CAR, DT_NS, SUV, User, plan, reading, trajectory

from marque.core.arrays import FloatArray
from marque.guard import response
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.platform import Platform
from marque.types.verdict import Verdict
from marque.vehicle import dynamics


def drive(
    car: Platform,
    speed: float,
    accel: float,
    bend: float,
    seconds: float,
    *,
    brakes: float = 1.0,
    friction: float | None = None,
    frozen_s: float = math.inf,
    users: tuple[User, ...] = (),
) -> tuple[list[Verdict], FloatArray]:
    """A driver that asks for `accel` from 1 s on, on an arc; what is asked of a broken car is not
    what it does."""
    p = dynamics.parameters(car if friction is None else replace(car, friction=friction))
    state = dynamics.initial(car, 0.0, 0.0, 0.0, speed)
    memory, verdicts = GuardMemory(), []
    straight, held = None, 0.0
    for i in range(round(seconds / 0.02)):
        t_ns = i * DT_NS
        if i % 5 == 0:
            at = (state[dynamics.X], state[dynamics.Y], state[dynamics.HEADING])
            v = float(state[dynamics.SPEED])
            now = bend if i * 0.02 >= 1.0 else 0.0
            straight = plan(
                trajectory(*at, v, curvature=now), trajectory(*at, v, curvature=now, accel=-4.0),
                t_ns,
            )  # fmt: skip
        asks = (accel, bend) if i * 0.02 >= 1.0 else (0.0, 0.0)
        command = Command(t_ns, *asks, Indicator.OFF)
        memory, verdict = guard(memory, reading(state, list(users), t_ns), straight, command, car)
        verdicts.append(verdict)
        told = verdict.command
        felt = told.accel_mps2 * (brakes if told.accel_mps2 < 0.0 else 1.0)
        held = told.curvature_1pm if i * 0.02 < frozen_s else held
        state = dynamics.step(p, state, felt, held, 0.02)
    return verdicts, state


def test_quick_steering_at_speed_is_not_called_dead() -> None:
    """To and fro as fast as the guard's own tracker: the body follows late, and does follow."""
    p = dynamics.parameters(CAR)
    state = dynamics.initial(CAR, 0.0, 0.0, 0.0, 33.0)
    answer, bend = response.Answer(), 0.0
    for i in range(300):
        step = 15.0 * 0.02 / 33.0**2
        bend += step if (i // 20) % 2 == 0 else -step
        ego = reading(state, [], i * DT_NS).ego
        answer = response.look(answer, ego, i * DT_NS, 0.02, CAR)
        answer = response.asked(answer, i * DT_NS, 0.0, bend)
        state = dynamics.step(p, state, 0.0, bend, 0.02)
    assert answer.fault == 0 and answer.dead_ns < 0


def first_s(verdicts: list[Verdict], rule: str) -> float:
    return next((v.t_ns / 1e9 for v in verdicts if v.rule == rule), math.inf)


@pytest.mark.parametrize("car", [CAR, SUV], ids=lambda car: car.name)
@pytest.mark.parametrize(
    ("accel", "bend"), [(-2.0, 0.0), (-6.0, 0.0), (-8.0, 0.0), (0.5, 0.012), (-6.0, 0.012)]
)
def test_a_sound_car_is_never_called_broken(car: Platform, accel: float, bend: float) -> None:
    verdicts, _ = drive(car, 20.0 if bend == 0.0 else 14.0, accel, bend, 5.0)
    assert not {v.rule for v in verdicts} & {"brake_weak", "steering_dead"}


@pytest.mark.parametrize("accel", [-3.0, -6.0])
def test_half_of_the_brake_pressure_is_noticed_within_half_a_second(accel: float) -> None:
    verdicts, state = drive(CAR, 20.0, accel, 0.0, 12.0, brakes=0.5)
    assert 1.2 < first_s(verdicts, "brake_weak") < 1.6  # asked for from 1 s on
    assert state[dynamics.SPEED] < 0.1 and verdicts[-1].warning


def test_little_grip_is_noticed_when_more_is_asked_for() -> None:
    verdicts, state = drive(CAR, 20.0, -6.0, 0.0, 12.0, friction=0.3)
    assert first_s(verdicts, "brake_weak") < 1.7
    assert state[dynamics.SPEED] < 0.1


def test_a_car_that_begins_in_a_bend_is_not_called_broken() -> None:
    """Before anything was asked of it, its wheels are where they are."""
    state = dynamics.initial(CAR, 0.0, 0.0, 0.0, 12.0)
    state[dynamics.STEER] = 0.05
    ego = reading(state, [], 0).ego
    answer = response.Answer()
    for i in range(50):
        answer = response.look(answer, ego, i * DT_NS, 0.02, CAR)
    assert answer.steer_rad == 0.05 and answer.dead_ns < 0


def test_what_little_grip_allows_is_not_called_weak() -> None:
    verdicts, _ = drive(CAR, 20.0, -2.0, 0.0, 5.0, friction=0.3)
    assert first_s(verdicts, "brake_weak") == math.inf


def test_frozen_steering_is_noticed_and_the_car_stopped() -> None:
    verdicts, state = drive(CAR, 15.0, 0.0, 0.012, 9.0, frozen_s=1.1)
    assert first_s(verdicts, "steering_dead") < 1.9
    assert state[dynamics.SPEED] < 0.1


def test_a_guard_with_weak_brakes_begins_earlier_and_asks_for_more() -> None:
    answer = response.Answer(share=0.5, fault=1)
    wall = User(44.0, 0.0)
    got = reading(dynamics.initial(CAR, 0.0, 0.0, 0.0, 15.0), [wall], 0)
    go = trajectory(0.0, 0.0, 0.0, 15.0)
    told = plan(go, trajectory(0.0, 0.0, 0.0, 15.0, accel=-4.0), 0)
    command = Command(0, 0.0, 0.0, Indicator.OFF)
    _, sound = guard(GuardMemory(), got, told, command, CAR)
    _, weak = guard(GuardMemory(answer=answer), got, told, command, CAR)
    assert sound.command.accel_mps2 > -4.0
    assert weak.command.accel_mps2 < sound.command.accel_mps2 - 2.0


def test_at_a_crawl_and_before_the_first_request_nothing_is_judged() -> None:
    got = reading(dynamics.initial(CAR, 0.0, 0.0, 0.0, 1.0), [], 0)
    answer = response.Answer(braking_mps2=3.0, steer_rad=0.3)
    for i in range(50):
        answer = response.look(answer, got.ego, i * DT_NS, 0.02, CAR)
    assert answer.fault == 0 and answer.braking_mps2 < 0.1


def test_an_actuator_without_lag_follows_at_its_rate() -> None:
    assert response._followed(0.0, 5.0, 0.0, 10.0, 0.02) == pytest.approx(0.2)
    assert response._followed(0.0, 0.1, 0.0, 10.0, 0.02) == pytest.approx(0.1)
