"""Step responses on a car's model: what its platform declares to the stack and the guard.

Everything is read off the motion alone, as on a proving ground; the trim of the pedals' controller
is held at zero, because it works with what is still to be measured.

1. Brake: from 25 m/s, a step to as much as there is. Most deceleration: the median while it
   holds. Rate: the steepest 40 ms. Dead time: until 2 % are there, in a step to -3 m/s^2. Lag: what
   makes the declared actuator lose as much speed in that step as the car does. Of a full and an
   ordinary battery, the later.
2. Drive: the same with steps to 1.5 m/s^2 from 5, 12 and 20 m/s, the mean of the three; most
   acceleration: over half a second from 2 m/s on.
3. Steering: the road wheel's angle in a step of curvature; its rate at the full stop.
"""

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.types.platform import Actuator, Platform
from marque.vehicle import dynamics
from marque.vehicle.car_file import MAX_DEAD_S
from marque.vehicle.powertrain import NORMAL, Conditions

STEP_S = 0.01
BRAKE_FROM_MPS, BRAKES_MPS2 = 25.0, 3.0
DRIVE_FROM_MPS, DRIVES_MPS2 = (5.0, 12.0, 20.0), 1.5
FULL_MPS2 = 12.0
FELT = 0.02  # share of a step from which on it counts as begun
FULL_BATTERY = Conditions(charge=0.98)
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What a car does, as its platform declares it."""

    steer: Actuator
    drive: Actuator
    brake: Actuator
    max_accel_mps2: float
    max_brake_mps2: float


def measure(platform: Platform) -> Measured:
    """All of it. MarqueError: the file declares no drivetrain, so there is nothing to measure."""
    if platform.drivetrain is None:
        raise MarqueError(
            f"car '{platform.name}' declares no drivetrain, so there is nothing to measure; "
            "see docs/cars.md"
        )
    car = replace(platform, max_accel_mps2=FULL_MPS2, max_brake_mps2=FULL_MPS2)
    brake, most = _brake(car)
    drive, accel = _drive(car)
    steer = _steer(car)
    grip = math.floor(100.0 * platform.friction * 9.80665) / 100.0
    return Measured(steer, drive, brake, accel, min(most, grip))


def _brake(car: Platform) -> tuple[Actuator, float]:
    found, most = [], []
    for condition in (NORMAL, FULL_BATTERY):
        full = -_response(car, BRAKE_FROM_MPS, -FULL_MPS2, 1.6, condition)
        soft = -_response(car, BRAKE_FROM_MPS, -BRAKES_MPS2, 2.0, condition)
        most.append(float(np.median(full[80:])))
        found.append(_fitted(soft, BRAKES_MPS2, _steepest(full)))
    late = max(found, key=lambda one: one.dead_s + one.lag_s)
    return replace(late, rate=min(one.rate for one in found)), round(min(most), 2)


def _drive(car: Platform) -> tuple[Actuator, float]:
    rows = [_response(car, v, DRIVES_MPS2, 2.5) for v in DRIVE_FROM_MPS]
    full = _response(car, 2.0, FULL_MPS2, 1.6)
    rate = _steepest(full)
    found = [_fitted(row, DRIVES_MPS2, rate) for row in rows]
    dead = float(np.mean([one.dead_s for one in found]))
    lag = float(np.mean([one.lag_s for one in found]))
    most = float(np.convolve(full, np.ones(50) / 50.0, mode="valid").max())
    return Actuator(round(dead, 3), round(lag, 3), rate), round(most, 2)


def _steer(car: Platform) -> Actuator:
    """Angle of the road wheel: a small step at 10 m/s, and to the stop at 1 m/s."""
    p = dynamics.parameters(car)
    small = _motion(p, car, 10.0, 0.0, 0.004, 1.0, dynamics.STEER)
    aim = float(small[-1])
    large = _motion(p, car, 1.0, 0.0, 1.0, 3.0, dynamics.STEER)
    return _fitted(small, aim, round(min(3.0, _steepest(large, 1e9)), 3))


def _response(
    car: Platform, speed: float, accel: float, lasts_s: float, condition: Conditions = NORMAL
) -> FloatArray:
    """Acceleration after a step, each 10 ms, from steady rolling."""
    p = dynamics.parameters(car, condition)
    return _motion(p, car, speed, accel, 0.0, lasts_s, dynamics.ACCEL, condition.charge)


def _motion(
    p: FloatArray,
    car: Platform,
    speed: float,
    accel: float,
    curvature: float,
    lasts_s: float,
    what: int,
    charge: float = NORMAL.charge,
) -> FloatArray:
    memory = dynamics.initial(car, 0.0, 0.0, 0.0, speed, charge)
    out = []
    for step in range(round((SETTLE_S + lasts_s) / STEP_S)):
        on = step >= SETTLE_S / STEP_S
        memory[dynamics.TRIM] = 0.0
        memory = dynamics.step(p, memory, accel if on else 0.0, curvature if on else 0.0, STEP_S)
        if on:
            out.append(memory[what])
    return np.array(out)


def _steepest(row: FloatArray, most: float = 100.0) -> float:
    """Greatest rise over 40 ms, per second."""
    wide = 4
    rise = float(np.max(row[wide:] - row[:-wide])) / (wide * STEP_S)
    return float(f"{min(most, max(1.0 if most < 1e9 else 0.05, rise)):.3g}")


def _fitted(row: FloatArray, aim: float, rate: float) -> Actuator:
    """Dead time by the first answer, lag by what was missed in all."""
    began = int(np.argmax(row > FELT * aim))
    dead = min(MAX_DEAD_S, began * STEP_S)
    missed = float(np.sum(aim - np.clip(row, 0.0, aim))) * STEP_S
    low, high = 0.0, 1.0
    for _ in range(30):
        lag = 0.5 * (low + high)
        if _missed(aim, len(row), Actuator(dead, lag, rate)) < missed:
            low = lag
        else:
            high = lag
    return Actuator(round(dead, 3), round(0.5 * (low + high), 3), rate)


def _missed(aim: float, count: int, actuator: Actuator) -> float:
    """What the declared actuator misses of a step."""
    now, missed = 0.0, 0.0
    gain = 1.0 - math.exp(-STEP_S / actuator.lag_s) if actuator.lag_s > 1e-6 else 1.0
    for step in range(count):
        if (step + 0.5) * STEP_S >= actuator.dead_s:
            change = gain * (aim - now)
            now += min(actuator.rate * STEP_S, change)
        missed += (aim - now) * STEP_S
    return missed


def written(text: str, measured: Measured) -> str:
    """The TOML of a car with the measured numbers in place of its own; all else as it was."""
    for part in ("steer", "drive", "brake"):
        actuator: Actuator = getattr(measured, part)
        for field in ("dead_s", "lag_s", "rate"):
            text = _put(text, part, field, getattr(actuator, field))
    text = _put(text, "", "max_accel_mps2", measured.max_accel_mps2)
    return _put(text, "", "max_brake_mps2", measured.max_brake_mps2)


def _put(text: str, table: str, field: str, value: float) -> str:
    """One number of a table (empty: before the first)."""
    begin = re.search(rf"^\[{table}\]", text, re.M) if table else re.search(r"", text)
    if begin is None:
        raise MarqueError(f"this car file has no table [{table}]")
    after = re.search(r"^\[", text[begin.end() :], re.M)
    end = begin.end() + after.start() if after else len(text)
    part = text[begin.end() : end]
    shown = f"{value:g}" if "." in f"{value:g}" else f"{value:.1f}"
    part, count = re.subn(rf"^({field} = )[^\s#]+", rf"\g<1>{shown}", part, count=1, flags=re.M)
    if count == 0:
        raise MarqueError(f"this car file has no {field} in [{table or 'its head'}]")
    return text[: begin.end()] + part + text[end:]


def write_measured(path: Path, out: Path, measured: Measured) -> None:
    """The file of a car with what was measured, at `out`."""
    write_text(out, written(path.read_text(encoding="utf-8"), measured))
