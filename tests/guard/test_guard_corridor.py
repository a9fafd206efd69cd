"""Laws about drivers that mean harm: nobody leaves the corridor, no fall-back into others."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import CAR, DT_NS, SUV, User, on_arc, plan, reading, trajectory

from marque.guard import corridor, proof, watch
from marque.guard import path as paths
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.platform import Platform
from marque.types.verdict import Action
from marque.vehicle import dynamics

SHAPE = (CAR.centre_m, CAR.length_m, CAR.width_m)
ROAD = paths.corridor(trajectory(0.0, 0.0, 0.0, 10.0))


def straight(car: np.ndarray, t_ns: int):
    """A plan along the x axis from where the car is."""
    x, v = float(car[dynamics.X]), float(car[dynamics.SPEED])
    return plan(trajectory(x, 0.0, 0.0, v), trajectory(x, 0.0, 0.0, v, accel=-4.0), t_ns)


def steered(platform: Platform, speed: float, bends: list[float], accel: float) -> list[float]:
    """Metres beside the plan in each base step of 6 s, if the commands are these curvatures, each
    for 0.3 s."""
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, 0.0, 0.0, speed)
    memory, aside = GuardMemory(), []
    offered = straight(car, 0)
    for i in range(300):
        t_ns = i * DT_NS
        if i % 5 == 0:
            offered = straight(car, t_ns)
        bend = bends[(i // 15) % len(bends)]
        told = Command(t_ns, accel, bend, Indicator.OFF)
        memory, verdict = guard(memory, reading(car, [], t_ns), offered, told, platform)
        asked = verdict.command
        car = dynamics.step(p, car, asked.accel_mps2, asked.curvature_1pm, 0.02)
        aside.append(abs(float(car[dynamics.Y])))
    return aside


@pytest.mark.parametrize("platform", [CAR, SUV], ids=lambda one: one.name)
@pytest.mark.parametrize("speed", [5.0, 15.0, 35.0])
def test_no_command_takes_the_car_out_of_the_corridor(platform: Platform, speed: float) -> None:
    most = 0.15 if speed < 10.0 else 3.0 / speed**2
    assert max(steered(platform, speed, [most], 1.0)) < corridor.WIDE_M + 0.15


@given(
    st.floats(4.0, 40.0),
    st.lists(st.floats(-0.15, 0.15), min_size=1, max_size=8),
    st.floats(-3.0, 2.0),
)
@settings(max_examples=8, deadline=None)
def test_whatever_is_steered(speed: float, bends: list[float], accel: float) -> None:
    assert max(steered(CAR, speed, bends, accel)) < corridor.WIDE_M + 0.15


def test_who_steers_away_is_stopped_on_the_fall_back_and_let_go_when_calm() -> None:
    car = dynamics.initial(CAR, 0.0, 0.0, 0.0, 20.0)
    memory, p, seen = GuardMemory(), dynamics.parameters(CAR), []
    offered = straight(car, 0)
    for i in range(250):
        t_ns = i * DT_NS
        if i % 5 == 0:
            offered = straight(car, t_ns)
        bend = 0.0075 if 25 <= i < 75 else 0.0
        told = Command(t_ns, 0.0, bend, Indicator.OFF)
        memory, verdict = guard(memory, reading(car, [], t_ns), offered, told, CAR)
        seen.append((verdict.action, verdict.rule))
        asked = verdict.command
        car = dynamics.step(p, car, asked.accel_mps2, asked.curvature_1pm, 0.02)
    held = [i for i, one in enumerate(seen) if one == (Action.FALLBACK, "corridor")]
    assert held and 25 < held[0] < 60 and held[-1] >= max(75, held[0] + 50)
    assert seen[-1][1] != "corridor"


def test_at_a_stand_and_outside_already_one_may_go_on_as_it_is() -> None:
    path = paths.corridor(trajectory(0.0, 0.0, 0.0, 10.0))
    assert corridor.aside(path, (1.0, 3.0, 0.0, 0.0), 0.1, 0.1, 0.2, 0.2) == pytest.approx(
        (3.0, 3.0)
    )
    now, worst = corridor.aside(path, (1.0, 3.0, 0.0, 10.0), 0.0, 0.0, 0.2, 0.2)
    assert (now, worst) == pytest.approx((3.0, 3.0)) and not corridor.leaves(now, worst)
    assert corridor.leaves(*corridor.aside(path, (1.0, 3.0, 0.1, 10.0), 0.0, 0.0, 0.2, 0.2))


def seen(users: list[User]) -> np.ndarray:
    got = reading(dynamics.initial(CAR, 0.0, 0.0, 0.0, 10.0), users, 0)
    return watch.now_at(got.detections, 0)


@pytest.mark.parametrize(
    ("user", "hit"),
    [
        (User(15.0, 0.0), True),  # stands in the way
        (User(30.0, 0.0), False),  # behind where the fall-back ends
        (User(15.0, 3.5), False),  # beside the way
        (User(20.0, -8.0, math.pi / 2, 4.5), True),  # crosses as we come
        (User(-9.0, 0.0, 0.0, 16.0), False),  # comes up from behind
        (User(0.0, 3.0, 0.0, 10.0), False),  # drives beside us
    ],
)
def test_what_a_fall_back_meets(user: User, hit: bool) -> None:
    stop = trajectory(0.0, 0.0, 0.0, 10.0, accel=-3.0)
    assert proof.hits(stop, ROAD, seen([user]), SHAPE) is hit


def test_a_fall_back_that_swerves_into_a_neighbour_hits_it() -> None:
    stop = trajectory(0.0, 0.0, 0.0, 10.0, curvature=0.03, accel=-2.0)
    assert proof.hits(stop, ROAD, seen([User(0.0, 3.2, 0.0, 10.0)]), SHAPE)
    assert not proof.hits(stop, ROAD, seen([]), SHAPE)


def test_a_neighbour_that_turns_with_us_is_not_hit() -> None:
    """Both drive round the same bend."""
    stop = trajectory(0.0, 0.0, 0.0, 10.0, curvature=0.02, accel=-1.0)
    objects = seen([User(0.0, 3.2, 0.0, 10.0)])
    assert proof.hits(stop, ROAD, objects, SHAPE)
    objects[0, paths.YAW_RATE] = 0.25
    assert not proof.hits(stop, ROAD, objects, SHAPE)


@pytest.mark.parametrize("curvature", [0.0, 0.02, -0.03])
@pytest.mark.parametrize("faster_mps", [1.0, 6.0])
def test_who_follows_us_is_no_reason(curvature: float, faster_mps: float) -> None:
    """From 15 to 30 m behind, round a bend as on a straight road, however fast."""
    stop = trajectory(0.0, 0.0, 0.0, 10.0, curvature=curvature, accel=-1.5)
    road = paths.corridor(trajectory(0.0, 0.0, 0.0, 10.0, curvature=curvature))
    for back_m in (15.0, 20.0, 30.0):
        at = on_arc(curvature, -back_m) if curvature else (-back_m, 0.0, 0.0)
        objects = seen([User(*at, 10.0 + faster_mps)])
        objects[0, paths.YAW_RATE] = curvature * (10.0 + faster_mps)
        assert not proof.hits(stop, road, objects, SHAPE)


def test_a_plan_whose_fall_back_runs_into_somebody_is_refused() -> None:
    """The last one stops before the wall, the new one turns into the neighbour."""
    car = dynamics.initial(CAR, 0.0, 0.0, 0.0, 10.0)
    beside = [User(1.0, 3.2, 0.0, 10.0)]
    good = plan(trajectory(0, 0, 0, 10.0), trajectory(0, 0, 0, 10.0, accel=-4.0), 0)
    bad = plan(
        trajectory(0, 0, 0, 10.0, curvature=0.03),
        trajectory(0, 0, 0, 10.0, curvature=0.03, accel=-2.0),
        DT_NS,
    )
    memory, first = guard(
        GuardMemory(), reading(car, beside, 0), good, Command(0, 0.0, 0.0, Indicator.OFF), CAR
    )
    assert first.action == Action.PASS
    told = Command(DT_NS, 0.0, 0.0, Indicator.OFF)
    memory, verdict = guard(memory, reading(car, beside, DT_NS), bad, told, CAR)
    assert (verdict.action, verdict.rule) == (Action.FALLBACK, "fallback_hits")
    assert memory.plan is good
    first_of_all, verdict = guard(GuardMemory(), reading(car, beside, DT_NS), bad, told, CAR)
    assert first_of_all.plan is bad  # with no other there is nothing better


def test_where_the_last_fall_back_hits_too_the_newer_one_is_taken() -> None:
    car = dynamics.initial(CAR, 0.0, 0.0, 0.0, 15.0)
    wall = [User(22.0, 0.0)]
    told = Command(0, 0.0, 0.0, Indicator.OFF)
    soft = plan(trajectory(0, 0, 0, 15.0), trajectory(0, 0, 0, 15.0, accel=-3.0), 0)
    memory, _ = guard(GuardMemory(), reading(car, [], 0), soft, told, CAR)
    again = plan(trajectory(0, 0, 0, 15.0), trajectory(0, 0, 0, 15.0, accel=-3.5), DT_NS)
    told = Command(DT_NS, 0.0, 0.0, Indicator.OFF)
    memory, verdict = guard(memory, reading(car, wall, DT_NS), again, told, CAR)
    assert memory.plan is again and verdict.command.accel_mps2 < -5.0
