"""`marque prove car`: does every car of the fleet do what the one controller asks?

1. Tracking: over the WLTC and city trips, dry and on a 6 % grade, the acceleration of the wheels
   against the request shifted by the declared delay (dead time and lag of drive or brake): rms
   while it rolls and while the power suffices.
2. Planned stops: 2.5 m/s^2, from 50 and 100 km/h: how far the way differs between the four kinds
   of drive, (longest - shortest) / mean of the kinds' means.
3. Emergency stops: all that the platform declares, from 50 and 100 km/h, against the way that its
   declared delay, ramp and braking give.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import BASE_STEP_S
from marque.core.units import KPH
from marque.prove.car.requests import Trace, asked, city, wltc
from marque.types.platform import Platform
from marque.vehicle import dynamics
from marque.vehicle.catalog import load_platform, platform_names
from marque.vehicle.powertrain import AVAILABLE, NORMAL, Conditions

SCHEMA = "marque.prove.car/1"
RMS_MPS2, SPREAD, EMERGENCY = 0.2, 0.08, 0.03
GRADES = (0.0, 0.06)
STOPS_KPH = (50.0, 100.0)
STOP_MPS2, STOP_JERK_MPS3 = 2.5, 4.0
ROLLS_MPS = 0.3


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be done: cars (none: all with a drivetrain), city trips and their seed and map."""

    cars: tuple[str, ...] = ()
    trips: int = 0
    seed: int = 1
    map_name: str = "berlin"


def run(words: Words, done: Callable[[str], None] = lambda _text: None) -> dict[str, Any]:
    """The report. MarqueError: no such car, map, or traffic that dies."""
    cars = [load_platform(name) for name in (words.cars or platform_names())]
    cars = [car for car in cars if car.drivetrain is not None]
    traces = [wltc(), *city(words.trips, words.seed, words.map_name)]
    rows = []
    for car in cars:
        rows.append(_row(car, traces))
        done(car.name)
    spread = {f"{kph:g}": _spread(rows, f"stop_{kph:g}_m") for kph in STOPS_KPH}
    worst = max(row["rms_mps2"] for row in rows)
    emergency = max(row["emergency_off"] for row in rows)
    return {
        "schema": SCHEMA,
        "cars": rows,
        "traces": [trace.name for trace in traces],
        "rms_worst_mps2": worst,
        "stop_spread": spread,
        "emergency_worst": emergency,
        "passed": worst <= RMS_MPS2 and max(spread.values()) <= SPREAD and emergency <= EMERGENCY,
    }


def _row(car: Platform, traces: list[Trace]) -> dict[str, Any]:
    tracked = {
        f"{trace.name}, {100 * grade:g} %": round(_tracked(car, trace, grade), 4)
        for trace in traces
        for grade in GRADES
    }
    row: dict[str, Any] = {"car": car.name, "powertrain": car.powertrain}
    row |= {"rms_mps2": max(tracked.values()), "tracked": tracked}
    off = []
    for kph in STOPS_KPH:
        row[f"stop_{kph:g}_m"] = round(_stop_m(car, kph * KPH, STOP_MPS2, STOP_JERK_MPS3), 2)
        got = _stop_m(car, kph * KPH, car.max_brake_mps2, 1e9)
        declared = _declared_m(car, kph * KPH)
        row[f"emergency_{kph:g}_m"] = [round(got, 2), round(declared, 2)]
        off.append(abs(got / declared - 1.0))
    return row | {"emergency_off": round(max(off), 4)}


def _tracked(car: Platform, trace: Trace, grade: float) -> float:
    """rms of acceleration against the shifted request."""
    p = dynamics.parameters(car, Conditions(grade=grade))
    memory = dynamics.initial(car, 0.0, 0.0, 0.0, float(trace.speed_mps[0]))
    count = len(trace.speed_mps)
    request, got, rolls = np.zeros(count), np.zeros(count), np.zeros(count, dtype=bool)
    last = 0.0
    for step in range(count):
        v = float(memory[dynamics.SPEED])
        last = asked(trace, step, v, last)
        if v < ROLLS_MPS and trace.speed_mps[step] < 0.05:
            memory[dynamics.PARTS + AVAILABLE] = car.max_accel_mps2
        memory = dynamics.step(p, memory, last, 0.0, BASE_STEP_S)
        request[step], got[step] = last, memory[dynamics.ACCEL]
        able = memory[dynamics.PARTS + AVAILABLE] - 9.81 * grade
        rolls[step] = v > ROLLS_MPS and last < able
    shifted = np.where(request > 0.0, _late(request, car.drive), _late(request, car.brake))
    return float(np.sqrt(np.mean((got - shifted)[rolls] ** 2)))


def _late(request: FloatArray, actuator: Any) -> FloatArray:
    steps = round((actuator.dead_s + actuator.lag_s) / BASE_STEP_S)
    return np.concatenate((np.zeros(steps), request[: len(request) - steps]))


def _stop_m(car: Platform, speed: float, braking: float, jerk: float) -> float:
    """Way from the request to rest."""
    p = dynamics.parameters(car, NORMAL)
    memory = dynamics.initial(car, 0.0, 0.0, 0.0, speed)
    for _ in range(50):
        memory = dynamics.step(p, memory, 0.0, 0.0, BASE_STEP_S)
        memory[dynamics.SPEED] = speed
    begin, last = float(memory[dynamics.X]), 0.0
    while memory[dynamics.SPEED] > 0.0:
        last = max(-braking, last - jerk * BASE_STEP_S)
        memory = dynamics.step(p, memory, last, 0.0, BASE_STEP_S)
    return float(memory[dynamics.X]) - begin


def _declared_m(car: Platform, speed: float) -> float:
    """Way that the platform's own numbers give: dead time, lag and ramp, then all of it."""
    h, x, v, a = 0.001, 0.0, speed, 0.0
    gain = 1.0 - np.exp(-h / car.brake.lag_s) if car.brake.lag_s > 1e-6 else 1.0
    t = 0.0
    while v > 0.0:
        if t >= car.brake.dead_s:
            a += min(car.brake.rate * h, float(gain) * (car.max_brake_mps2 - a))
        x += v * h
        v -= a * h
        t += h
    return x


def _spread(rows: list[dict[str, Any]], field: str) -> float:
    """Between the kinds of drive."""
    kinds = sorted({row["powertrain"] for row in rows})
    means = [np.mean([r[field] for r in rows if r["powertrain"] == kind]) for kind in kinds]
    return round(float((max(means) - min(means)) / np.mean(means)), 4)
