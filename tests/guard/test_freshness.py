"""What is too old, out of order or not a number."""

import math
from dataclasses import replace

import numpy as np
import pytest
from worlds import CAR, User, detections, plan, plan_of, reading, trajectory

from marque.guard import freshness as f
from marque.types.codes import Indicator
from marque.types.command import Command
from marque.types.reading import Reading
from marque.vehicle import dynamics

MS = 1_000_000
NOW = 1_000 * MS
STATE = dynamics.initial(CAR, 0.0, 0.0, 0.0, 10.0)
SEEN = f.Stamps(0, NOW - 20 * MS, NOW - 20 * MS, NOW - 100 * MS)


def got(ego_ns: int = NOW, objects_ns: int = NOW, now_ns: int = NOW) -> Reading:
    base = reading(STATE, [User(30.0, 0.0)], now_ns, objects_ns)
    return replace(base, ego=replace(base.ego, t_ns=ego_ns))


def test_fresh_is_fresh() -> None:
    assert f.ego_fault(SEEN, got()) == ""
    assert f.objects_fault(SEEN, got()) == ""
    assert f.ego_fault(SEEN, got(NOW - 20 * MS)) == ""
    assert f.objects_fault(SEEN, got(objects_ns=NOW - 100 * MS)) == ""  # again the same


@pytest.mark.parametrize(
    ("ego_ns", "now_ns", "fault"),
    [
        (NOW - 30 * MS, NOW + 5 * MS, "ego_stamp_back"),
        (NOW, NOW + 31 * MS, "ego_stale"),
        (NOW + 21 * MS, NOW, "ego_stamp_ahead"),
        (NOW, NOW - 21 * MS, "ego_stamp_back"),
    ],
)
def test_ego_stamps(ego_ns: int, now_ns: int, fault: str) -> None:
    assert f.ego_fault(SEEN, got(ego_ns, now_ns=now_ns)) == fault


@pytest.mark.parametrize(
    ("objects_ns", "now_ns", "fault"),
    [
        (NOW - 101 * MS, NOW, "objects_stamp_back"),
        (NOW - 100 * MS, NOW + 101 * MS, "objects_stale"),
        (NOW + 21 * MS, NOW, "objects_stamp_ahead"),
    ],
)
def test_object_stamps(objects_ns: int, now_ns: int, fault: str) -> None:
    assert f.objects_fault(SEEN, got(objects_ns=objects_ns, now_ns=now_ns)) == fault


EGO_FIELDS = ["x_m", "y_m", "heading_rad", "speed_mps", "accel_mps2", "yaw_rate_radps", "steer_rad"]


@pytest.mark.parametrize("field", EGO_FIELDS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_every_number_of_the_ego_must_be_one(field: str, value: float) -> None:
    bad = replace(got(), ego=replace(got().ego, **{field: value}))
    assert f.ego_fault(SEEN, bad) == "ego_not_finite"


@pytest.mark.parametrize("field", ["x_m", "y_m", "heading_rad", "speed_mps", "length_m", "width_m"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_every_number_of_an_object_must_be_one(field: str, value: float) -> None:
    many = detections([User(float(i), 0.0) for i in range(5)], NOW)
    column = getattr(many, field).copy()
    column[3] = value
    bad = replace(got(), detections=replace(many, **{field: column}))
    assert f.objects_fault(SEEN, bad) == "objects_not_finite"


def test_commands() -> None:
    ok = Command(NOW, 1.0, 0.1, Indicator.OFF)
    assert f.command_fault(got(), ok) == ""
    assert f.command_fault(got(), replace(ok, accel_mps2=math.nan)) == "command_not_finite"
    assert f.command_fault(got(), replace(ok, curvature_1pm=-math.inf)) == "command_not_finite"
    assert f.command_fault(got(), replace(ok, t_ns=NOW - 31 * MS)) == "command_stale"


def test_the_watchdog() -> None:
    adopted = plan_of(STATE, NOW)
    assert f.plan_fault(NOW + 150 * MS, adopted, 0) == ""
    assert f.plan_fault(NOW + 151 * MS, adopted, 0) == "plan_stale"
    short = replace(adopted, valid_until_ns=NOW + 50 * MS)
    assert f.plan_fault(NOW + 51 * MS, short, 0) == "plan_expired"
    assert f.plan_fault(150 * MS, None, 0) == ""
    assert f.plan_fault(151 * MS, None, 0) == "no_plan"


def offer(**change: object) -> str:
    ego = reading(STATE, [], NOW).ego
    return f.offer_fault(
        NOW, plan_of(STATE, NOW - 100 * MS), replace(plan_of(STATE, NOW), **change), ego, CAR
    )


def test_a_plan_must_be_newer_not_from_the_future_and_made_of_numbers() -> None:
    assert offer() == ""
    assert offer(t_ns=NOW + 30 * MS) == "plan_stamp_ahead"
    assert offer(t_ns=NOW - 200 * MS) == "plan_stamp_back"
    late = plan_of(STATE, NOW - 160 * MS)
    ego = reading(STATE, [], NOW).ego
    assert f.offer_fault(NOW, None, late, ego, CAR) == "plan_stale"
    assert f.offer_fault(NOW - 10 * MS, None, late, ego, CAR) == ""
    good = plan_of(STATE, NOW)
    for part in ("trajectory", "fallback"):
        for field in good.fallback.__dataclass_fields__:
            bad = getattr(getattr(good, part), field).copy()
            bad[7] = math.nan
            broken = replace(getattr(good, part), **{field: bad})
            assert offer(**{part: broken}) == "plan_not_finite"
    assert offer(fallback=replace(good.fallback, x_m=np.zeros(3))) == "plan_not_finite"
    one = {name: np.zeros(1) for name in good.fallback.__dataclass_fields__}
    assert offer(fallback=replace(good.fallback, **one)) == "plan_not_finite"


def test_a_fall_back_must_be_here_whole_possible_and_end_standing() -> None:
    assert offer(fallback=trajectory(0.0, 0.9, 0.0, 10.0, accel=-2.5)) == ""
    assert offer(fallback=trajectory(0.0, 1.2, 0.0, 10.0, accel=-2.5)) == "fallback_elsewhere"
    assert offer(fallback=trajectory(5.0, 0.0, 0.0, 10.0, accel=-2.5)) == "fallback_elsewhere"
    assert offer(fallback=trajectory(0.0, 0.0, 0.0, 10.0, accel=-0.5)) == "fallback_no_stop"
    assert offer(fallback=trajectory(0.0, 0.0, 0.0, 10.0, accel=-9.5)) == "fallback_too_hard"
    bend = trajectory(0.0, 0.0, 0.0, 10.0, accel=-2.5, curvature=0.06)
    assert offer(fallback=bend) == "fallback_too_hard"
    jump = trajectory(0.0, 0.0, 0.0, 10.0, accel=-2.5)
    x = jump.x_m.copy()
    x[9:] += 1.0
    assert offer(fallback=replace(jump, x_m=x)) == "fallback_jumps"


def test_a_standing_fall_back_is_one_for_a_standing_car() -> None:
    state = dynamics.initial(CAR, 3.0, 4.0, 1.0, 0.0)
    here = trajectory(3.0, 4.0, 1.0, 0.0)
    ego = reading(state, [], NOW).ego
    assert f.offer_fault(NOW, None, plan(here, here, NOW), ego, CAR) == ""


def test_stamps_only_grow() -> None:
    stamps = f.seen(f.Stamps(), got())
    assert (stamps.began_ns, stamps.reading_ns) == (NOW, NOW)
    later = f.seen(stamps, got(NOW - 40 * MS, NOW - 40 * MS, NOW - 40 * MS))
    assert (later.reading_ns, later.ego_ns, later.objects_ns) == (NOW, NOW, NOW)
    assert later.began_ns == NOW
