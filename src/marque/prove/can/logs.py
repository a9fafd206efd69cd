"""Record a real car's course as a CAN log, and read any such log back through opendbc."""

from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.prove.can.conform import BEGIN_S, BY_HAND_1PM, DRIVES_S, SPEED_MPS, _request, _roll
from marque.sim.can_car import CanCar, Hands, begin_safety
from marque.vehicle.can.bench import Frame
from marque.vehicle.can.logs import read_log, write_log
from marque.vehicle.can.real_car import load_real

EACH_NS = 10_000_000  # frames are parsed in bundles of so long


def record(name: str, path: Path) -> dict[str, Any]:
    """The course of `conform` up to its requests, all frames of both directions.

    MarqueError: see `load_real` and `write_log`.
    """
    bench = CanCar(load_real(name), (0.0, 0.0, 0.0), SPEED_MPS)
    frames: list[tuple[int, Frame, bool]] = []
    bench.log = lambda t_ns, frame, ours: frames.append((t_ns, frame, ours))
    _roll(bench, BEGIN_S, hands=Hands(curvature_1pm=BY_HAND_1PM))
    _roll(bench, 0.3, hands=Hands(button="set"))
    _roll(bench, 0.5)
    _roll(bench, DRIVES_S, _request)
    count = write_log(path, frames)
    return {"car": bench.car.name, "frames": count, "duration_s": bench.t_ns / 1e9}


def replay(name: str, path: Path) -> dict[str, Any]:
    """What opendbc makes of a log: its states, and what its safety model says of our frames."""
    car = load_real(name)
    safety = begin_safety(car)
    car.interface.update([])
    speeds, angles, allowed, refused, heard, sent = [], [], 0, 0, 0, 0
    bundle: list[tuple[int, bytes, int]] = []
    at_ns = EACH_NS
    for t_ns, frame, from_car in read_log(path):
        while t_ns >= at_ns:
            state = car.interface.update([(at_ns, bundle)])
            speeds.append(float(state.vEgoRaw))
            angles.append(float(state.steeringAngleDeg))
            allowed += safety.allowed
            bundle, at_ns = [], at_ns + EACH_NS
        safety.at(t_ns)
        if from_car:
            heard += 1
            safety.heard(*frame)
            bundle.append((frame.address, frame.data, frame.bus))
        else:
            sent += 1
            refused += not safety.may_send(*frame)
    if not speeds:
        raise MarqueError(f"{path} is shorter than {EACH_NS / 1e9:g} s")
    state = car.interface.update([(at_ns, bundle)])
    return {
        "car": car.name, "frames_from_car": heard, "frames_to_car": sent, "refused": refused,
        "duration_s": at_ns / 1e9, "valid": bool(state.canValid),
        "speed_mps": [round(min(speeds[50:] or speeds), 2), round(max(speeds), 2)],
        "steer_deg": [round(min(angles), 1), round(max(angles), 1)],
        "engaged_s": round(allowed * EACH_NS / 1e9, 2),
    }  # fmt: skip
