"""What moves a car: laws that hold for every kind of drive, and what each kind is known for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.units import G_MPS2
from marque.types.platform import Platform, drivetrain_of
from marque.vehicle import dynamics as d
from marque.vehicle import powertrain as pt
from marque.vehicle.catalog import FOLDER, load_platform, platform_names
from marque.vehicle.measuring import measure, written
from marque.vehicle.powertrain import Conditions

DT = 0.02
EV, EREV, HYBRID, FUEL = (
    load_platform(name) for name in ("xiaomi_su7", "aito_m9_erev", "bao_5", "bmw_530li")
)
CARS = (EV, EREV, HYBRID, FUEL, load_platform("camry_hybrid"), load_platform("saloon_ev"))


def drive(
    car: Platform, speed: float, accels: list[float], conditions: Conditions = pt.NORMAL
) -> list[FloatArray]:
    p = d.parameters(car, conditions)
    memory = d.initial(car, 0.0, 0.0, 0.0, speed, conditions.charge)
    out = []
    for accel in accels:
        memory = d.step(p, memory, accel, 0.0, DT)
        out.append(memory)
    return out


def part(memory: FloatArray, slot: int) -> float:
    return float(memory[d.PARTS + slot])


conditions = st.builds(
    Conditions,
    grade=st.floats(-0.12, 0.12),
    wind_mps=st.floats(-10.0, 10.0),
    load_kg=st.floats(0.0, 500.0),
    charge=st.floats(0.05, 1.0),
    battery_c=st.floats(-20.0, 40.0),
)


@given(
    st.integers(0, len(CARS) - 1),
    st.floats(0.0, 35.0),
    st.lists(st.floats(-10.0, 4.0), min_size=1, max_size=12),
    conditions,
)
@settings(max_examples=60, deadline=None)
def test_energy_is_kept_and_no_force_is_above_its_limit(
    which: int, speed: float, accels: list[float], condition: Conditions
) -> None:
    car = CARS[which]
    train = car.drivetrain
    assert train is not None
    inertia = car.mass_kg * train.road.rotating + condition.load_kg
    grip = car.friction * G_MPS2 * (car.mass_kg + condition.load_kg)
    for m in drive(car, speed, [a for a in accels for _ in range(25)], condition):
        gained = 0.5 * inertia * (float(m[d.SPEED]) ** 2 - speed**2)
        booked = part(m, pt.DRIVE_J) - part(m, pt.REGEN_J) - part(m, pt.FRICTION_J)
        assert gained == pytest.approx(booked - part(m, pt.ROAD_J), abs=1e-3 + 1e-9 * inertia)
        pull, v = part(m, pt.PULL_N), float(m[d.SPEED])
        assert abs(pull) <= 1.2 * grip
        assert part(m, pt.FRICTION_N) <= train.brakes.most_mps2 * inertia + 1e-6
        if train.motor is not None:
            most = train.motor.power_w + (train.engine.power_w if train.engine else 0.0)
            assert pull <= train.motor.force_n + 1e-6 and pull * v <= 1.02 * most + 2e3
            assert -pull <= train.motor.regen_mps2 * car.mass_kg + 1e-6
        assert 0.0 <= part(m, pt.CHARGE) <= 1.0
        assert 0.0 <= v <= car.max_speed_mps


@pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)
def test_who_asks_for_more_gets_no_less(car: Platform) -> None:
    asked = (-6.0, -3.0, -1.0, -0.3, 0.0, 0.5, 1.0, 2.0)
    speeds = [float(drive(car, 15.0, [accel] * 100)[-1][d.SPEED]) for accel in asked]
    assert np.diff(speeds).min() > 0.1


def test_a_batch_of_cars_is_each_as_alone() -> None:
    accels = [1.5 - 0.08 * step for step in range(60)]
    rows = [d.parameters(car) for car in CARS]
    batch = [d.initial(car, 0.0, 0.0, 0.0, 10.0) for car in CARS]
    for accel in accels:
        batch = [d.step(p, m, accel, 0.0, DT) for p, m in zip(rows, batch, strict=True)]
    for car, together in zip(CARS, batch, strict=True):
        assert (drive(car, 10.0, accels)[-1] == together).all()


@pytest.mark.parametrize("car", CARS, ids=lambda c: c.name)
@pytest.mark.parametrize("grade", [0.0, 0.06, -0.06])
def test_the_same_request_brings_the_same_acceleration(car: Platform, grade: float) -> None:
    rows = drive(car, 10.0, [0.0] * 200 + [1.0] * 150 + [-1.5] * 150, Conditions(grade=grade))
    accel = np.array([m[d.ACCEL] for m in rows[100:]])
    assert accel[60:100].mean() == pytest.approx(0.0, abs=0.1)
    assert accel[190:250].mean() == pytest.approx(1.0, abs=0.15)
    assert accel[320:400].mean() == pytest.approx(-1.5, abs=0.1)


def test_load_and_wind_are_made_up_for() -> None:
    rows = drive(EREV, 15.0, [0.5] * 300, Conditions(load_kg=500.0, wind_mps=8.0))
    assert float(np.mean([m[d.ACCEL] for m in rows[-50:]])) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("charge", Conditions(), Conditions(charge=1.0)),
        ("cold", Conditions(), Conditions(battery_c=-15.0)),
    ],
)
def test_regeneration_fails_when_full_or_cold_and_friction_takes_over(
    name: str, better: Conditions, worse: Conditions
) -> None:
    last = [drive(EV, 20.0, [-1.5] * 300, c)[-1] for c in (better, worse)]
    assert part(last[0], pt.REGEN_J) > 2.0 * part(last[1], pt.REGEN_J)
    assert part(last[1], pt.FRICTION_J) > part(last[0], pt.FRICTION_J)
    assert last[0][d.X] == pytest.approx(last[1][d.X], abs=0.3)


def test_a_range_extender_has_less_power_when_its_battery_is_low() -> None:
    strong = drive(EREV, 20.0, [6.0] * 200)[-1][d.SPEED]
    weak = drive(EREV, 20.0, [6.0] * 200, Conditions(charge=0.08))
    assert weak[-1][d.SPEED] < strong - 2.0
    # its generator runs, and burns fuel
    assert part(weak[-1], pt.GENERATOR_W) > 0.0 and part(weak[-1], pt.FUEL_J) > 0.0


def test_a_hybrid_starts_its_engine_late() -> None:
    car = load_platform("camry_hybrid")
    rows = drive(car, 15.0, [2.0] * 150)
    power = np.array([part(m, pt.ENGINE_W) for m in rows])
    started = int(np.argmax(power > 1e3)) * DT
    assert car.drivetrain is not None and car.drivetrain.engine is not None
    assert started > car.drivetrain.engine.start_s
    assert power[-1] > 20e3
    assert float(drive(car, 8.0, [0.3] * 100)[-1][d.PARTS + pt.FUEL_J]) == 0.0


def test_a_fuel_car_shifts_through_its_gears_and_loses_force_in_between() -> None:
    rows = drive(FUEL, 0.0, [1.5] * 900)
    gears = np.array([part(m, pt.GEAR) for m in rows])
    assert gears.max() >= 4 and (np.diff(gears) >= 0).all()
    shifted = np.flatnonzero(np.diff(gears) > 0)
    accel = np.array([m[d.ACCEL] for m in rows])
    for at in shifted[1:]:
        assert accel[at : at + 15].min() < accel[at - 12 : at].mean() - 0.2


def test_only_a_fuel_car_creeps() -> None:
    for car in (EV, FUEL):
        speed = float(drive(car, 0.0, [0.0] * 200)[-1][d.SPEED])
        assert (speed > 0.3) == (car is FUEL)
        assert drive(car, 0.0, [-0.8] * 100)[-1][d.SPEED] == 0.0


def test_nobody_rolls_back_on_a_hill() -> None:
    for car in CARS:
        rows = drive(car, 0.0, [-0.8] * 100 + [1.0] * 100, Conditions(grade=0.06))
        assert rows[99][d.SPEED] == 0.0 and rows[-1][d.SPEED] > 1.0


def test_a_drivetrain_survives_being_written_as_plain_tables() -> None:
    from dataclasses import asdict

    for car in CARS:
        assert car.drivetrain is not None
        again = drivetrain_of(asdict(car.drivetrain))
        assert asdict(again) == asdict(car.drivetrain)


@pytest.mark.parametrize("name", ["xiaomi_su7", "bmw_530li", "camry_hybrid", "li_l9"])
def test_what_is_declared_is_what_was_measured(name: str) -> None:
    car = load_platform(name)
    found = measure(car)
    for part_name in ("steer", "drive", "brake"):
        now, told = getattr(found, part_name), getattr(car, part_name)
        assert (now.dead_s, now.lag_s) == pytest.approx((told.dead_s, told.lag_s), abs=0.012)
        assert now.rate == pytest.approx(told.rate, rel=0.05)
    assert found.max_brake_mps2 == pytest.approx(car.max_brake_mps2, abs=0.05)


def test_measuring_needs_a_drivetrain_and_changes_nothing_else() -> None:
    with pytest.raises(MarqueError, match="declares no drivetrain"):
        measure(replace(EV, drivetrain=None))
    text = (FOLDER / "xiaomi_su7.toml").read_text(encoding="utf-8")
    once = written(text, measure(EV))
    assert len(once.splitlines()) == len(text.splitlines())
    changed = sum(a != b for a, b in zip(once.splitlines(), text.splitlines(), strict=True))
    assert changed <= 11
    with pytest.raises(MarqueError, match=r"no table \[steer\]"):
        written("name = 'x'\n", measure(EV))


def test_the_fleet_is_wide() -> None:
    from marque.vehicle.catalog import platform_path, read_car_file

    files = [read_car_file(platform_path(name)) for name in platform_names()]
    made = [file for file in files if file.maker is not None]
    assert len(made) >= 33 and len({file.maker for file in made}) >= 14
    kinds = {file.powertrain for file in made}
    assert kinds == {"electric", "range_extender", "hybrid", "fuel"}
    prices = [file.price_cny for file in made if file.price_cny is not None]
    assert len(prices) == len(made) and min(prices) < 160e3 and max(prices) > 1e6
    for file in made:
        assert {one.confidence for one in file.source} >= {"estimated", "measured"}
