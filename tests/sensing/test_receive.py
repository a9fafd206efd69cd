"""What the senses deliver: the truth without errors, errors of the size that is said, in time."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import straight_road
from marque.core.time import BASE_STEP_NS, PLAN_STEP_NS
from marque.sensing.equipment import ObjectSensor
from marque.sensing.motion import drawn, measure_bus, measure_inertia, measure_satellites
from marque.sensing.objects import find, in_sight, mounted
from marque.sensing.occlusion import boxes, head_headings
from marque.sensing.profile import load_equipment
from marque.sensing.receive import Senses, begin, observe, receive
from marque.sensing.signals import read_signals
from marque.types.codes import SignalState, UserKind
from marque.types.reading import ObjectList
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

CAR = load_platform("saloon_ev")
EGO = EgoTruth(100.0, 50.0, 0.5, 8.0, 0.3, 0.16, 0.02, 0.007)
ROAD = straight_road()


def stream(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def users(places: list[tuple[float, float, float, float]], ego: EgoTruth = EGO) -> RoadUsers:
    """Cars at (ahead, left, heading against ours, speed)."""
    n = len(places)
    ahead, left, turned, speed = np.array(places, dtype=float).reshape(n, 4).T
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    return RoadUsers(
        uid=np.arange(n, dtype=np.int64),
        kind=np.full(n, UserKind.CAR, dtype=np.int8),
        x_m=ego.x_m + c * ahead - s * left,
        y_m=ego.y_m + s * ahead + c * left,
        heading_rad=ego.heading_rad + turned,
        speed_mps=speed,
        accel_mps2=np.zeros(n),
        length_m=np.full(n, 4.5),
        width_m=np.full(n, 1.8),
        indicator=np.zeros(n, dtype=np.int8),
        lane=np.zeros(n, dtype=np.int32),
    )


def sensor(kind: str, **changes: object) -> ObjectSensor:
    profile = load_equipment("standard")
    return next(each for each in profile.sensor if each.kind == kind).model_copy(update=changes)


CLEAN = {
    "along_sigma_m": 0.0,
    "along_growth": 0.0,
    "across_sigma_m": 0.0,
    "across_growth": 0.0,
    "speed_sigma_mps": 0.0,
    "speed_growth_1ps": 0.0,
    "heading_sigma_deg": 0.0,
    "size_sigma_m": 0.0,
    "missed": 0.0,
    "false_per_scan": 0.0,
    "kind_error": 0.0,
    "indicator_error": 0.0,
}


@given(
    ahead=st.floats(-70.0, 70.0),
    left=st.floats(-40.0, 40.0),
    turned=st.floats(-3.1, 3.1),
    speed=st.floats(0.0, 30.0),
    heading=st.floats(-3.1, 3.1),
)
@settings(max_examples=60)
def test_without_errors_it_is_the_truth_in_the_cars_frame(ahead, left, turned, speed, heading):
    ego = replace(EGO, heading_rad=heading)
    if abs(ahead - CAR.centre_m) < 6.0 and abs(left) < 4.0:
        return
    there = users([(ahead, left, turned, speed)], ego)
    found = find(mounted(0, sensor("lidar", **CLEAN), CAR), ego, there, 7, stream())
    assert found.count == 1 and found.t_ns == 7
    assert [found.x_m[0], found.y_m[0]] == pytest.approx([ahead, left], abs=1e-6)
    assert math.remainder(found.heading_rad[0] - turned, 2 * math.pi) == pytest.approx(0, abs=1e-6)
    there_v = speed * math.cos(turned), speed * math.sin(turned)
    assert [found.vx_mps[0], found.vy_mps[0]] == pytest.approx(there_v, abs=1e-6)
    assert [found.length_m[0], found.width_m[0]] == pytest.approx([4.5, 1.8])


def test_each_kind_tells_what_it_can_and_no_more():
    there = users([(30.0, 2.0, 0.1, 9.0)])
    for kind, tells in (
        ("camera", {"kind", "box", "indicator"}),
        ("radar", {"rate"}),
        ("lidar", {"kind", "box", "velocity"}),
    ):
        found = find(mounted(0, sensor(kind, **CLEAN), CAR), EGO, there, 0, stream())
        for part in ("kind", "box", "velocity", "rate", "indicator"):
            assert getattr(found, f"has_{part}").tolist() == [part in tells]


def test_a_radar_tells_the_near_side_and_the_speed_along_the_ray():
    there = users([(40.0, 0.0, 0.0, 9.0)])
    found = find(mounted(0, sensor("radar", **CLEAN), CAR), EGO, there, 0, stream())
    assert [found.x_m[0], found.y_m[0]] == pytest.approx([40.0 - 2.25, 0.0], abs=1e-6)
    assert found.rate_mps[0] == pytest.approx(9.0)
    across = users([(40.0, 0.0, 0.5 * math.pi, 9.0)])
    assert find(mounted(0, sensor("radar", **CLEAN), CAR), EGO, across, 0, stream()).rate_mps[
        0
    ] == pytest.approx(0.0, abs=1e-6)


def test_errors_have_the_size_that_is_said_and_grow_with_range():
    lidar = sensor("lidar", missed=0.0, false_per_scan=0.0, range_m=400.0, across_growth=0.01)
    mount = mounted(0, lidar, CAR)
    for ahead in (20.0, 150.0):
        there = users([(ahead, 0.0, 0.0, 9.0)])
        scans = [find(mount, EGO, there, 0, stream(i)) for i in range(2000)]
        away = ahead - mount.x_m
        y = np.array([scan.y_m[0] for scan in scans])
        x = np.array([scan.x_m[0] for scan in scans])
        v = np.array([scan.vx_mps[0] for scan in scans])
        assert x.mean() == pytest.approx(ahead, abs=0.03)
        assert y.std() == pytest.approx(0.15 + 0.01 * away, rel=0.08)
        assert x.std() == pytest.approx(0.15 + 0.001 * away, rel=0.08)
        assert v.std() == pytest.approx(0.2 + 0.002 * away, rel=0.08)


def test_misses_and_ghosts_are_as_common_as_said():
    mount = mounted(0, sensor("lidar", missed=0.1, false_per_scan=0.5), CAR)
    there = users([(5.0 + 9.0 * i, 8.0 * (-1) ** i, 0.0, 0.0) for i in range(4)])
    scans = [find(mount, EGO, there, 0, stream(i)) for i in range(1500)]
    ghosts = np.mean([(scan.score < 0.62).sum() for scan in scans])
    assert ghosts == pytest.approx(0.5, abs=0.08)
    true = np.mean([scan.count for scan in scans]) - 0.5
    away = np.hypot(there.x_m - mount.pose(EGO)[0], there.y_m - mount.pose(EGO)[1])
    expected = (1.0 - 0.1 * (1.0 + (away / mount.sensor.range_m) ** 2)).sum()
    assert true == pytest.approx(expected, abs=0.08)


def test_field_of_view_range_and_sight():
    front = mounted(0, sensor("camera", **CLEAN), CAR)
    there = users(
        [
            (30.0, 0.0, 0.0, 0.0),
            (-30.0, 0.0, 0.0, 0.0),
            (200.0, 30.0, 0.0, 0.0),
            (60.0, 0.0, 0.0, 0.0),
            (0.0, 30.0, 0.0, 0.0),
        ]
    )
    assert in_sight(front, EGO, there, boxes(there)).tolist() == [True, False, False, False, False]
    radar = mounted(0, sensor("radar", **CLEAN), CAR)
    assert in_sight(radar, EGO, there, boxes(there)).tolist() == [True, False, False, True, False]


def standard(seed: int = 3, **changes: object) -> Senses:
    profile = load_equipment("standard").model_copy(update=changes)
    return begin(profile, CAR, ROAD, seed)


def world(t_ns: int, ego: EgoTruth = EGO) -> World:
    rows = [(12.0, 0.0, 0.0, 8.0), (30.0, 3.5, 0.0, 9.0), (-20.0, 0.0, 0.0, 8.0)]
    return World(t_ns, ego, users(rows, ego), np.zeros(0, dtype=np.int8))


def same(a: ObjectList, b: ObjectList) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__
    )


def test_the_same_seed_gives_the_same_and_another_another():
    def drive(seed: int) -> list[ObjectList]:
        senses = observe(standard(seed), world(PLAN_STEP_NS))
        return list(receive(senses, EGO, 3 * PLAN_STEP_NS)[1].objects)

    assert all(same(a, b) for a, b in zip(drive(3), drive(3), strict=True))
    assert not all(same(a, b) for a, b in zip(drive(3), drive(4), strict=True))


def test_a_sensor_less_changes_nothing_for_those_before_it():
    whole = standard()
    fewer = standard(sensor=whole.equipment.sensor[:-1])
    for senses in (whole, fewer):
        assert senses.mounts[0].sensor.name == "front camera"
    one = receive(observe(whole, world(0)), EGO, 2 * PLAN_STEP_NS)[1].objects
    two = receive(observe(fewer, world(0)), EGO, 2 * PLAN_STEP_NS)[1].objects
    by_sensor = {each.sensor: each for each in one}
    assert len(one) == len(two) + 1
    assert all(same(by_sensor[each.sensor], each) for each in two)


def test_nothing_comes_before_its_time_and_stamps_tell_when_it_was_true():
    senses = standard()
    came: dict[int, int] = {}
    for step in range(100):
        t_ns = step * BASE_STEP_NS
        if t_ns % PLAN_STEP_NS == 0:
            senses = observe(senses, world(t_ns))
        senses, reading = receive(senses, EGO, t_ns)
        for each in reading.objects:
            late = (t_ns - each.t_ns) / 1e9
            assert 0.06 - 1e-9 <= late <= 0.1 + 0.02 + 1e-9
            assert each.t_ns > came.get(each.sensor, -1)
            came[each.sensor] = each.t_ns
        for fix in reading.gnss:
            assert 0 <= t_ns - fix.t_ns - 100_000_000 < BASE_STEP_NS
    assert len(came) == len(senses.mounts)
    assert len(senses.coming) < 40


def test_flawless_inertia_and_wheels_say_how_the_car_moves():
    ideal = load_equipment(str(Path(__file__).parent / "flawless.toml"))
    errors = drawn(ideal, stream())
    imu = measure_inertia(ideal.inertia, errors, EGO, 0, stream())
    assert imu.accel_mps2 == pytest.approx((0.3, 8.0 * 0.02, 9.80665))
    assert imu.gyro_radps == pytest.approx((0.0, 0.0, 0.02))
    bus = measure_bus(ideal.bus, errors, EGO, CAR, 0, stream())
    fl, fr, rl, rr = bus.wheel_mps
    assert 0.5 * (rl + rr) == pytest.approx(8.0)
    assert (rr - rl) / (0.85 * CAR.width_m) == pytest.approx(0.02)
    assert fl > rl and fr > rr
    assert bus.steer_rad == EGO.steer_rad
    stands = replace(EGO, speed_mps=0.0, yaw_rate_radps=0.0)
    noisy = load_equipment("rain_night")
    assert measure_bus(noisy.bus, errors, stands, CAR, 0, stream()).wheel_mps == (0, 0, 0, 0)


def test_satellites_drift_slowly_around_the_truth():
    sky = load_equipment("standard").satellites.model_copy(update={"dropout": 0.1})
    errors, draw, off, none = drawn(load_equipment("standard"), stream()), stream(5), [], 0
    for i in range(20000):
        errors, fix = measure_satellites(sky, errors, EGO, i * PLAN_STEP_NS, draw)
        if fix is None:
            none += 1
        else:
            off.append((fix.x_m - EGO.x_m, fix.y_m - EGO.y_m))
    assert none / 20000 == pytest.approx(0.1, abs=0.01)
    errs = np.array(off)
    assert errs.std() == pytest.approx(math.hypot(0.3, 0.6), rel=0.2)
    jumps = np.diff(errs, axis=0).std()
    assert jumps == pytest.approx(0.3 * math.sqrt(2.0), rel=0.1)  # the drift hardly shows
    _, between = measure_satellites(sky, errors, EGO, errors.next_fix_ns - 1, draw)
    assert between is None


def test_signals_are_missed_and_misread_as_often_as_said():
    road = replace(
        ROAD,
        head_group=np.zeros(1, dtype=np.int32),
        head_link=np.zeros(1, dtype=np.int32),
        head_xy_m=np.array([[150.0, 0.0]]),
        lane_head=np.zeros(ROAD.lane_count, dtype=np.int32),
        group_name=("one",),
    )
    ego = EgoTruth(100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    profile = load_equipment("standard")
    rules = profile.signals.model_copy(update={"missed": 0.2, "wrong": 0.1})
    mount = mounted(0, profile.sensor[0], CAR)
    green = World(0, ego, users([], ego), np.array([SignalState.GREEN], dtype=np.int8))
    draw = stream()
    read = [
        int(read_signals(mount, rules, road, head_headings(road), green, draw).state[0])
        for _ in range(4000)
    ]
    assert read.count(SignalState.UNKNOWN) / 4000 == pytest.approx(0.2, abs=0.02)
    wrong = 4000 - read.count(SignalState.UNKNOWN) - read.count(SignalState.GREEN)
    assert wrong / 4000 == pytest.approx(0.8 * 0.1 * 0.75, abs=0.015)
