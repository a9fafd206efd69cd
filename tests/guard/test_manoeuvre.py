"""What the guard does for the automaton's order, whatever the driver does."""

from dataclasses import replace

import pytest
from worlds import CAR, DT_NS, SUV, plan_of, reading

from marque.guard import manoeuvre
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.platform import Platform
from marque.types.takeover import DRIVES, Mode, Order
from marque.types.verdict import Action
from marque.vehicle import dynamics

MANOEUVRE = Order(Mode.MANOEUVRE, hazard=True, may_move=False, brake_cap_mps2=4.0)
MISSED = replace(MANOEUVRE, most_mps=0.0)  # by the driver
RESTS = Order(Mode.STANDSTILL, hazard=True, may_move=False)
CAP_MPS2 = 4.0


@pytest.mark.parametrize("platform", [CAR, SUV], ids=["saloon", "suv"])
@pytest.mark.parametrize("curvature", [0.0, 0.01])
def test_a_manoeuvre_that_is_not_driven_is_driven_by_the_guard(platform: Platform, curvature):
    """The driver keeps its speed and goes on making plans; the guard follows the fall-back of the
    last one that it looked at before."""
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, 0.0, 0.0, 16.0)
    car[dynamics.STEER] = dynamics.steer_for(p, curvature, 16.0)
    memory, hardest, planned = GuardMemory(), 0.0, None
    for i in range(700):
        t_ns = i * DT_NS
        order = DRIVES if i < 50 else MISSED
        if i % 5 == 0:
            planned = plan_of(car, t_ns, curvature)
        command = Command(t_ns, 0.5, curvature, Indicator.OFF)
        got = reading(car, [], t_ns, (i - i % 5) * DT_NS)
        memory, verdict = guard(memory, got, planned, command, platform, order)
        if i >= 50:
            assert verdict.action == Action.FALLBACK and verdict.rule == "manoeuvre"
            assert verdict.command.accel_mps2 <= command.accel_mps2
            assert verdict.command.indicator == Indicator.HAZARD and verdict.warning
        asked = verdict.command
        car = dynamics.step(p, car, asked.accel_mps2, asked.curvature_1pm, 0.02)
        hardest = max(hardest, -dynamics.ego_truth(car).accel_mps2)
    assert dynamics.ego_truth(car).speed_mps < 0.05
    assert 1.0 < hardest <= CAP_MPS2 + 0.05  # the car's own lag and drag


@pytest.mark.parametrize("order", [MANOEUVRE, RESTS])
def test_at_rest_it_stays_at_rest(order):
    car = dynamics.initial(CAR, 0.0, 0.0, 0.0, 0.0)
    command = Command(0, 1.0, 0.0, Indicator.OFF)
    _, verdict = guard(GuardMemory(), reading(car, [], 0), plan_of(car, 0), command, CAR, order)
    assert verdict.command.accel_mps2 <= -1.0
    assert (verdict.action, verdict.rule) == (Action.LIMIT, "standstill")


def test_a_driver_that_does_as_ordered_is_let_through_with_hazard_lights():
    car = dynamics.initial(CAR, 0.0, 0.0, 0.0, 10.0)
    for shown, seen in (
        (Indicator.OFF, Indicator.HAZARD), (Indicator.RIGHT, Indicator.RIGHT),
    ):  # fmt: skip
        command = Command(0, -1.5, 0.0, shown)
        got = reading(car, [], 0)
        _, verdict = guard(GuardMemory(), got, plan_of(car, 0), command, CAR, MANOEUVRE)
        assert verdict.action == Action.PASS
        assert verdict.command.accel_mps2 == -1.5 and verdict.command.indicator == seen


def test_who_is_driven_by_a_person_is_not_held():
    car = dynamics.initial(CAR, 0.0, 0.0, 0.0, 0.0)
    person = Order(Mode.READY, drives=False, may_move=False)
    command = Command(0, 1.0, 0.0, Indicator.OFF)
    _, verdict = guard(GuardMemory(), reading(car, [], 0), plan_of(car, 0), command, CAR, person)
    assert verdict.command is command


# to the number, with modes and indicators as plain numbers


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("most", "over"), [(-1.0, True), (0.0, True), (0.1, False), (1.0, False)])
def test_who_is_taken_over(mode, most, over):
    order = Order(int(mode), most_mps=most)
    taken = over and mode in (Mode.MANOEUVRE, Mode.EMERGENCY)
    assert manoeuvre.taken_over(order) == taken


@pytest.mark.parametrize(
    ("speed", "asked", "held"),
    [(0.0, 1.0, -1.0), (0.29, 1.0, -1.0), (0.3, 1.0, -1.0), (0.31, 1.0, 1.0), (0.0, -1.5, -1.5),
     (0.0, -1.0, -1.0), (0.0, -0.9, -1.0), (1.2, 0.5, 0.5), (-0.1, 0.5, -1.0)],
)  # fmt: skip
def test_who_is_held(speed, asked, held):
    assert manoeuvre.held(RESTS, speed, asked) == held
    assert manoeuvre.held(replace(RESTS, may_move=True), speed, asked) == asked
    assert manoeuvre.held(replace(RESTS, drives=False), speed, asked) == asked


@pytest.mark.parametrize("shown", list(Indicator))
def test_lights(shown):
    command = Command(0, 0.0, 0.0, int(shown))
    off = shown == Indicator.OFF
    assert manoeuvre.lights(RESTS, command) == (Indicator.HAZARD if off else shown)
    assert manoeuvre.lights(replace(RESTS, hazard=False), command) == shown
