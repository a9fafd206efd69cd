"""While a person drives: warned in time, braked for in an emergency, and left alone otherwise."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rss import arc_path, shape_of
from worlds import CAR, DT_NS, SUV, User, detections

from marque.core.time import BASE_STEP_S, NS_PER_S
from marque.guard import aeb, assist, watch
from marque.guard import path as paths
from marque.guard.assist import AssistMemory
from marque.types.codes import Indicator, UserKind
from marque.types.command import Command
from marque.types.platform import Platform
from marque.types.reading import EgoReading, Reading, SignalReading
from marque.types.verdict import Action, Verdict
from marque.vehicle import dynamics
from oracle import guard_twin as twin

FULL = CAR.max_brake_mps2


def reading(
    users: list[User], t_ns: int, speed: float, accel: float = 0.0, x: float = 0.0, bend: float = 0
) -> Reading:
    """Our car at (x, 0) and whoever else, at a time."""
    steer = math.atan(bend * CAR.wheelbase_m)
    ego = EgoReading(t_ns, x, 0.0, 0.0, speed, accel, speed * bend, steer)
    return Reading(t_ns, ego, detections(users, t_ns), SignalReading(t_ns, np.zeros(0, np.int8)))


def foot(t_ns: int, accel: float = 0.0) -> Command:
    return Command(t_ns, accel, 0.0, Indicator.OFF)


def approach(
    user: User, speed: float, platform: Platform = CAR, lasts_s: float = 8.0, way: float = 1.0
) -> tuple[list[Verdict], float, float]:
    """(verdicts, way gone, speed at the end) straight towards somebody; way -1: backwards. The
    person keeps the speed until the guard brakes, and then does nothing more."""
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, 0.0, 0.0, speed)
    memory, told = AssistMemory(), []
    for k in range(round(lasts_s / BASE_STEP_S)):
        t_ns = k * DT_NS
        there = [user.after(k // 5 * 5 * DT_NS / NS_PER_S)]
        v, a = way * float(car[dynamics.SPEED]), way * float(car[dynamics.ACCEL])
        now = reading(there, t_ns, v, a, way * float(car[dynamics.X]))
        now = replace(now, detections=detections(there, k // 5 * 5 * DT_NS))
        memory, verdict = assist.assist(memory, now, foot(t_ns), platform)
        told.append(verdict)
        car = dynamics.step(p, car, min(0.0, way * verdict.command.accel_mps2), 0.0, BASE_STEP_S)
    return told, float(car[dynamics.X]), float(car[dynamics.SPEED])


def first(told: list[Verdict], action: bool) -> float:
    """When it first brakes, or warns, in s."""
    hits = [v.t_ns for v in told if (v.action == Action.BRAKE if action else v.warning)]
    return hits[0] / NS_PER_S if hits else math.inf


@pytest.mark.parametrize("platform", [CAR, SUV])
@pytest.mark.parametrize("speed", [3.0, 9.0, 14.0, 22.0])
def test_warned_then_braked_and_at_rest_before_who_stands(speed: float, platform: Platform) -> None:
    gap = 6.0 * speed
    wall = User(platform.front_m + gap + 2.25, 0.0)
    told, gone, left = approach(wall, speed, platform, 12.0)
    assert left < 0.1 and gone < gap
    assert first(told, False) <= first(told, True) - assist.WARNS_S
    assert {v.rule for v in told} <= {"", "aeb_partial", "aeb_full"}
    late = gap / speed - first(told, True)
    assert late < 0.34 + speed / 8.0 + 0.5  # no earlier than partial braking is needed


def test_backwards_is_the_same_as_forwards() -> None:
    """A car whose ego point is its middle, so that both ends are alike."""
    middle = replace(CAR, rear_overhang_m=0.5 * CAR.length_m)
    walker = User(middle.front_m + 6.0, 0.0, 0.0, 0.0, 0.5, 0.6, UserKind.PEDESTRIAN)
    behind = replace(walker, x=-walker.x)
    ahead, gone, _ = approach(walker, 2.2, middle)
    back, back_gone, _ = approach(behind, 2.2, middle, way=-1.0)
    assert [v.action for v in back] == [v.action for v in ahead]
    assert [v.command.accel_mps2 for v in back] == pytest.approx(
        [-v.command.accel_mps2 for v in ahead]
    )
    assert back_gone == pytest.approx(gone) and Action.BRAKE in {v.action for v in back}


def test_who_stands_is_braked_for_late_where_steering_would_do_and_early_where_not() -> None:
    """At 14 m/s there is time to steer when 5 m/s^2 would be needed; at 5 m/s there is none."""
    for speed, late in ((14.0, True), (5.0, False)):
        car = User(CAR.front_m + 8.0 * speed, 0.0)
        told, *_ = approach(car, speed, lasts_s=9.0)
        rule = next(v.rule for v in told if v.action == Action.BRAKE)
        assert rule == ("aeb_full" if late else "aeb_partial")


def test_nobody_in_the_way_and_the_person_drives_on() -> None:
    """Beside, behind, coming towards us in the other lane; in a bend, who stands outside of it."""
    for user in (
        User(10.0, 3.2), User(-9.0, 0.0, 0.0, 10.0), User(40.0, 3.5, math.pi, 12.0),
    ):  # fmt: skip
        memory = AssistMemory()
        for k in range(20):
            t_ns = k * DT_NS
            asked = foot(t_ns, 1.5)
            memory, verdict = assist.assist(memory, reading([user], t_ns, 10.0), asked, CAR)
            assert verdict.action == Action.PASS and verdict.command is asked
            assert not verdict.warning and verdict.rule == ""


@settings(max_examples=40, deadline=None)
@given(st.floats(0.008, 0.03), st.floats(-0.4, 0.4))
def test_a_bend_is_driven_past_who_stands_straight_ahead(bend: float, aside: float) -> None:
    """From where the arc is clear of them by half a metre, going straight on is not braked for."""
    speed = math.sqrt(2.0 / bend)
    away = math.sqrt(2.0 * 4.0 / bend)
    stands = User(away, aside, 0.0, 0.0)
    memory = AssistMemory()
    for k in range(10):
        t_ns = k * DT_NS
        now = reading([stands], t_ns, speed, bend=bend)
        memory, verdict = assist.assist(memory, now, foot(t_ns), CAR)
        assert verdict.action == Action.PASS


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-10.0, 50.0), st.floats(-8.0, 8.0), st.floats(-3.1, 3.1),
            st.floats(0.0, 15.0),
        ),
        max_size=5,
    ),
    st.floats(-4.0, 20.0),
    st.floats(-3.0, 3.0),
)  # fmt: skip
def test_never_more_than_the_person_asks_for(
    spots: list[tuple[float, float, float, float]], speed: float, asked: float
) -> None:
    """Braking only, no harder than the car can; along the car's motion, forwards or backwards."""
    users = [User(*spot) for spot in spots]
    memory = AssistMemory()
    way = -1.0 if assist.rolls_back(False, speed) else 1.0
    for k in range(12):
        t_ns = k * DT_NS
        there = [user.after(t_ns / NS_PER_S) for user in users]
        memory, verdict = assist.assist(memory, reading(there, t_ns, speed), foot(t_ns, asked), CAR)
        got = way * verdict.command.accel_mps2
        assert got <= way * asked + 1e-12
        assert got >= min(way * asked, -FULL) - 1e-12
        assert (verdict.action == Action.PASS) == (verdict.command.accel_mps2 == asked)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(2.0, 60.0), st.floats(-4.0, 4.0), st.floats(-0.4, 0.4), st.floats(4.0, 20.0),
    st.floats(-0.03, 0.03),
)  # fmt: skip
def test_unclear_is_what_the_slow_twin_does_not_hit_straight_on(
    x: float, y: float, heading: float, speed: float, bend: float
) -> None:
    stands = User(CAR.front_m + x, y, heading)
    found = _unclear([stands], speed, bend, False)[0]
    late = aeb.delay_s(CAR)
    until = late + speed / (2.0 * aeb.CALM_MPS2) + aeb.LATE_S

    def hits(grow: float) -> bool:
        own = (CAR.centre_m, CAR.length_m + grow, CAR.width_m + grow)
        other = twin.box(stands.x, stands.y, stands.heading, stands.length, stands.width)
        steps = np.arange(0.0, until + 0.02, 0.02)
        return any(twin.overlap(twin.car_box((speed * t, 0.0, 0.0), *own), other) for t in steps)

    if hits(-0.5):
        assert not found
    if not hits(2.5):
        assert found


def _unclear(users: list[User], speed: float, bend: float, early: bool) -> list[bool]:
    got = assist.unclear(
        arc_path(bend), (speed, 0.0, 0.0), watch.now_at(detections(users, 0), 0),
        (aeb.delay_s(CAR), FULL), shape_of(CAR), early,
    )  # fmt: skip
    return [bool(each) for each in got]


def test_who_comes_from_aside_or_towards_us_is_never_unclear() -> None:
    crossing = User(20.0, -3.0, math.pi / 2, 1.4, 0.5, 0.6, UserKind.PEDESTRIAN)
    oncoming = User(60.0, 0.0, math.pi, 10.0)
    assert _unclear([crossing, oncoming], 10.0, 0.0, True) == [False, False]
    assert _unclear([User(30.0, 0.0)], 14.0, 0.0, True) == [True]
    assert _unclear([User(30.0, 0.0)], 14.0, 0.0, False) == [False]


@settings(max_examples=30, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-0.05, 0.05), st.floats(1.0, 20.0))
def test_swinging_aside_is_half_the_acceleration_times_time_squared(
    lateral: float, bend: float, speed: float
) -> None:
    bodies = np.empty((aeb.STEPS + 1, 4))
    count = aeb.drive_on(bodies, arc_path(bend), (0.0, 0.0, 1.0), speed, 0.0, 0.0, 0.3, 2.0)
    swung = aeb.swing(bodies, count, lateral)
    for k in range(count):
        t = k * aeb.STEP_S
        left = np.array([-bodies[k, 3], bodies[k, 2]])
        assert swung[k, :2] == pytest.approx(bodies[k, :2] + 0.5 * lateral * t * t * left)
        assert swung[k, 2:].tolist() == bodies[k, 2:].tolist()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"ego": {"speed_mps": math.nan}}, "ego_not_finite"),
        ({"ego": {"t_ns": -50_000_000}}, "ego_stamp_back"),
        ({"detections": {"x_m": np.array([math.nan])}}, "objects_not_finite"),
        ({"detections": {"t_ns": -10}}, "objects_stamp_back"),
    ],
)
def test_what_is_no_number_or_out_of_order_is_told_and_not_acted_on(
    change: dict[str, dict[str, object]], fault: str
) -> None:
    wall = [User(CAR.front_m + 6.0, 0.0)]
    memory, verdict = assist.assist(AssistMemory(), reading(wall, 0, 10.0), foot(0), CAR)
    assert verdict.action == Action.BRAKE
    now = reading(wall, 0, 10.0)
    for part, fields in change.items():
        now = replace(now, **{part: replace(getattr(now, part), **fields)})
    asked = foot(0, 0.5)
    _, verdict = assist.assist(memory, now, asked, CAR)
    assert (verdict.action, verdict.rule, verdict.warning) == (Action.PASS, fault, True)
    assert verdict.command is asked


def test_backwards_is_not_forgotten_at_rest() -> None:
    assert assist.rolls_back(False, -0.2) and not assist.rolls_back(False, -0.05)
    assert assist.rolls_back(True, -0.05) and not assist.rolls_back(True, 0.2)


def test_a_command_that_is_old_is_passed_and_told() -> None:
    asked = foot(0)
    _, verdict = assist.assist(AssistMemory(), reading([], 100_000_000, 10.0), asked, CAR)
    assert (verdict.action, verdict.rule) == (Action.PASS, "command_stale")


def test_the_arc_is_told_by_the_yaw_rate_and_at_a_crawl_by_the_wheel() -> None:
    ego = EgoReading(0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.5, 0.3)
    assert assist.curvature_of(ego, CAR) == pytest.approx(0.05)
    slow = replace(ego, speed_mps=1.0)
    assert assist.curvature_of(slow, CAR) == pytest.approx(math.tan(0.3) / CAR.wheelbase_m)
    back = assist.backwards(replace(ego, speed_mps=-3.0, yaw_rate_radps=-0.15))
    assert back.speed_mps == 3.0 and abs(back.heading_rad) == pytest.approx(math.pi)
    assert assist.curvature_of(back, CAR) == pytest.approx(-0.05)


def test_an_arc_that_lasts_bends_for_longer() -> None:
    short, long = paths.arc(0.0, 0.0, 0.0, 0.02), paths.arc(0.0, 0.0, 0.0, 0.02, 40.0)
    assert short[60, paths.CURVATURE] == 0.0 and long[60, paths.CURVATURE] == pytest.approx(0.005)
    assert long[60, paths.HEADING] > 2.0 * short[60, paths.HEADING]
