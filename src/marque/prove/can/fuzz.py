"""Illegal commands: does any reach an actuator?

Real frames of opendbc's controller are the seed. Signals that an actuator reads, bits anywhere, and
addresses are drawn anew, while the car drives engaged, not engaged, or with the driver's foot on a
pedal. What each frame would make the car do is decoded by our own actuators and held against
`limits.toml`; an illegal one that the safety model passes is counted, and shown.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from marque.prove.can.conform import _roll
from marque.sim.can_car import CanCar, Hands
from marque.vehicle.can.bench import Frame, Told
from marque.vehicle.can.real_car import RealCar, brand_of, load_real, real_names, why_not

TABLE = Path(__file__).with_name("limits.toml")
SPEED_MPS = 20.0
DIGIT = 0.02  # m/s^2: half a digit of the coarsest acceleration signal
SITUATIONS = {"engaged": Hands(), "not engaged": Hands(), "gas pressed": Hands(gas=True)}
SHOWN = 5


@dataclass(slots=True)
class Fuzzed:
    """Of one family."""

    commands: int = 0
    illegal: int = 0
    illegal_passed: int = 0
    foreign_passed: int = (
        0  # frames that no actuator reads, at addresses that our side does not use
    )
    legal_passed: int = 0
    shown: list[str] = field(default_factory=list)


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def cars_of(family: str) -> list[str]:
    """One car for each safety model and parameter of a family."""
    found: dict[tuple[str, int], str] = {}
    for name in real_names():
        if brand_of(name) == family and not why_not(name):
            config = load_real(name).params.safetyConfigs[-1]
            found.setdefault((str(config.safetyModel), int(config.safetyParam)), name)
    return list(found.values())


def fuzz(
    family: str, commands: int, seed: int, done: Callable[[int], None] = lambda _n: None
) -> dict[str, Any]:
    """So many commands over the family's kinds of car and three situations."""
    cars = cars_of(family)
    total = Fuzzed()
    share = commands // (len(cars) * len(SITUATIONS))
    for number, name in enumerate(cars):
        for kind, (situation, hands) in enumerate(SITUATIONS.items()):
            rng = np.random.default_rng([seed, number, kind])
            left = commands - total.commands
            last = number == len(cars) - 1 and kind == len(SITUATIONS) - 1
            _fuzz_car(load_real(name), situation, hands, left if last else share, rng, total)
            done(total.commands)
    return {
        "family": family, "cars": cars, "commands": total.commands, "illegal": total.illegal,
        "illegal_passed": total.illegal_passed, "foreign_passed": total.foreign_passed,
        "legal_passed": total.legal_passed,
        "shown": total.shown,
    }  # fmt: skip


def _fuzz_car(
    car: RealCar, situation: str, hands: Hands, count: int, rng: np.random.Generator, total: Fuzzed
) -> None:
    bench = CanCar(car, (0.0, 0.0, 0.0), SPEED_MPS)
    seeds: dict[int, Frame] = {}
    bench.log = lambda _t, frame, ours: None if ours else seeds.update({frame.address: frame})
    _roll(bench, 1.0)
    _roll(bench, 0.3, hands=Hands(button="set"))
    _roll(bench, 0.8, lambda _t: (0.3, 0.3))
    if situation == "not engaged":
        _roll(bench, 0.3, hands=Hands(button="cancel"))
    _roll(bench, 0.3, hands=hands)
    frames = list(seeds.values())
    acting = [frame for frame in frames if frame.address in bench.bench.listens]
    limits = _table()[str(car.params.safetyConfigs[-1].safetyModel)]
    last = bench.told  # what it was told while it drove
    for _ in range(count):
        frame = _drawn(bench, acting, frames, rng)
        told = bench.bench.read(Told(), frame, SPEED_MPS)
        fault = _illegal(told, last, situation, limits)
        passed = bench.safety.may_send(*frame)
        total.commands += 1
        total.illegal += bool(fault)
        total.foreign_passed += passed and frame.address not in seeds
        if passed and not fault:
            total.legal_passed += 1
            last = told if told.way or told.said_torque else last
        if passed and fault:
            total.illegal_passed += 1
            if len(total.shown) < SHOWN:
                shown = f"{frame.address:#x} {frame.data.hex()} on bus {frame.bus}"
                total.shown.append(f"{car.name}, {situation}: {shown}: {fault}")


def _drawn(
    bench: CanCar, acting: list[Frame], frames: list[Frame], rng: np.random.Generator
) -> Frame:
    """A command: mostly an actuator's signal anew, sometimes bits, sometimes the address."""
    way = rng.random()
    if way < 0.8 and acting:
        frame = acting[rng.integers(len(acting))]
        return bench.bench.with_signal(frame, rng)
    frame = frames[rng.integers(len(frames))]
    data = bytearray(frame.data)
    if way < 0.95:
        for _ in range(rng.integers(1, 5)):
            bit = int(rng.integers(8 * len(data)))
            data[bit // 8] ^= 1 << (bit % 8)
        return Frame(frame.address, bytes(data), frame.bus)
    return Frame(int(rng.integers(0x800)), bytes(data), int(rng.integers(3)))


def _illegal(told: Told, last: Told, situation: str, limits: Any) -> str:
    """Why a command is illegal by the table; empty: it is not."""
    accel = told.accel_mps2
    if situation == "not engaged":
        torque = told.way == "torque"
        least = limits.get("digit", 1e-9)
        if told.lateral is not None and (not torque or abs(told.raw_torque) >= least):
            return "steers without permission"
        if accel is not None and abs(accel) > DIGIT:
            return "accelerates or brakes without permission"
    if situation == "gas pressed" and accel is not None and abs(accel) > DIGIT:
        return "accelerates or brakes while the driver does"
    low, high = limits["accel"]
    if accel is not None and not low - DIGIT <= accel <= high + DIGIT:
        return f"acceleration {accel:.2f}"
    return _illegal_steering(told, last, limits)


def _illegal_steering(told: Told, last: Told, limits: Any) -> str:
    if told.lateral is None:
        return ""
    if told.way == "torque" and "torque" in limits:
        raw = abs(told.raw_torque)
        before = abs(last.said_torque) if last.said_torque * told.raw_torque > 0.0 else 0.0
        if raw > limits["torque"] + limits.get("digit", 0.0):
            return f"torque {raw:.0f}"
        if raw > before + limits["up"] + limits.get("digit", 0.0):
            return f"torque from {before:.0f} to {raw:.0f} in one frame"
    if told.way == "curvature_1pm" and abs(told.lateral) > limits.get("curvature", 1e9) + 1e-5:
        return f"curvature {told.lateral:.4f}"
    if told.way == "angle_deg" and "angle" in limits and abs(told.lateral) > limits["angle"]:
        return f"angle {told.lateral:.0f}"
    return ""
