"""Does a real car conform: a fixed course of 24 s on its simulated buses.

1. It stands on its parsers' feet: the state that is parsed equals the state that was sent.
2. Set is pressed: it engages. It follows lateral and longitudinal requests. No frame is refused.
3. The person brakes: it lets go at once, and what we send meanwhile is not refused either. The same
   for cancel. A hand on the wheel that is strong enough ends steering.
4. A bit is flipped in each frame that carries a checksum: no such frame is believed.
5. Its speed frames are lost, then all of them (bus-off): it lets go.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.sim.can_car import CanCar, Hands, Spoil
from marque.vehicle import dynamics
from marque.vehicle.can.bench import CYCLE_S, Frame
from marque.vehicle.can.real_car import RealCar, brand_of, load_real, real_names, why_not

SPEED_MPS = 20.0
LATERAL_MPS2, LATERAL_HZ = 0.8, 0.25
RAMP_MPS3 = 2.5
LATERAL_RMS, LONGITUDINAL_RMS = 0.15, 0.30  # m/s^2
SPEED_OFF_MPS, ANGLE_OFF_DEG = 0.15, 0.6  # what a signal's digits and opendbc's filters may hide
LATE_STEPS = 70  # the delay of a request is looked for up to here
LETS_GO_S = 0.1
BUS_OFF_S, LOST_S = 1.2, 2.6  # the safety model looks once a second, for a second's silence
BEGIN_S = 1.0
BY_HAND_1PM = 0.0005
DRIVES_S = 8.0


@dataclass(slots=True)
class Found:
    """Of one car."""

    name: str
    family: str
    faults: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    refused: int = 0

    def check(self, good: bool, fault: str) -> None:
        """Note a fault."""
        if not good and fault not in self.faults:
            self.faults.append(fault)


def conform(name: str) -> dict[str, Any]:
    """One car's verdict: `conform`, `not_conform` or `unsupported`, and why."""
    family = brand_of(name)
    if reason := why_not(name):
        return {"name": name, "family": family, "verdict": "unsupported", "reasons": [reason]}
    try:
        found = _course(load_real(name), Found(name, family))
    except MarqueError as error:
        found = Found(name, family, [str(error)])
    return {
        "name": name,
        "family": family,
        "verdict": "not_conform" if found.faults else "conform",
        "reasons": found.faults,
        "frames_refused": found.refused,
        **{key: round(value, 4) for key, value in found.numbers.items()},
    }


def every_name() -> list[str]:
    """All of opendbc's platforms."""
    return real_names()


def _course(car: RealCar, found: Found) -> Found:
    bench = CanCar(car, (0.0, 0.0, 0.0), SPEED_MPS)
    by_hand = Hands(curvature_1pm=BY_HAND_1PM)
    _roll(bench, BEGIN_S, hands=by_hand)
    _same_state(bench, found)
    _engage(bench, found, "engage")
    _follow(bench, found)
    for what, hands in (("brake", Hands(brake=True)), ("cancel", Hands(button="cancel"))):
        _let_go(bench, found, what, hands)
        _engage(bench, found, f"engage after {what}")
    _wheel(bench, found)
    found.refused = len(bench.count.refused)
    found.check(not bench.safety.relay_malfunction, "the safety model heard our own frames")
    if found.refused:
        kinds = Counter(hex(frame.address) for _, frame in bench.count.refused)
        shown = ", ".join(f"{count} of {address}" for address, count in kinds.most_common(3))
        found.check(False, f"frames refused in normal driving: {shown}")
    _flipped(bench, found)
    _silent(bench, found)
    return found


def _roll(
    bench: CanCar,
    lasts_s: float,
    ask: Callable[[float], tuple[float, float]] = lambda _t: (0.0, 0.0),
    hands: Hands | None = None,
    spoil: Spoil | None = None,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Cycles with what `ask` (time since the beginning) wants: acceleration, lateral one."""
    person = hands if hands is not None else Hands()
    for step in range(round(lasts_s / CYCLE_S)):
        accel, lateral = ask(step * CYCLE_S)
        v = max(1.0, float(bench.memory[dynamics.SPEED]))
        bench.cycle(accel, lateral / (v * v), person, spoil)
        look()


def _same_state(bench: CanCar, found: Found) -> None:
    """What opendbc parsed is what was sent."""
    state, body = bench.parsed, bench.body(Hands())
    off = abs(float(state.vEgoRaw) - body.speed_mps)
    found.check(off < SPEED_OFF_MPS, f"speed is parsed {off:.2f} m/s off")
    off = abs(float(state.steeringAngleDeg) - body.steer_deg)
    found.check(off < ANGLE_OFF_DEG, f"steering is parsed {off:.1f} degrees off")
    found.check(bool(state.canValid), "opendbc calls the bus invalid")
    found.check(str(state.gearShifter) == "drive", f"gear is parsed as {state.gearShifter}")
    for flag in (
        "doorOpen", "seatbeltUnlatched", "gasPressed", "brakePressed", "steeringPressed",
        "steerFaultTemporary", "steerFaultPermanent", "accFaulted", "parkingBrake", "espDisabled",
        "standstill", "vehicleSensorsInvalid",
    ):  # fmt: skip
        found.check(not getattr(state, flag), f"{flag} is parsed as true")
    for number, bits in enumerate(bench.safety.states()):
        good = bits & 15 == 15
        address = bench.safety.checked()[number][0][0]
        found.check(good, f"the safety model does not accept frame {hex(address)}")


def _engage(bench: CanCar, found: Found, what: str) -> None:
    if bench.cruise and not bench.ours:
        _roll(bench, 0.3, hands=Hands(button="cancel"))
        _roll(bench, 0.3)
    _roll(bench, 0.3, hands=Hands(button="set"))
    _roll(bench, 0.5)
    found.check(bench.ours, f"{what}: it does not")


def _ramped(t: float, begin_s: float, end_s: float, value: float) -> float:
    """A plateau with ramps of RAMP_MPS3."""
    rise = min((t - begin_s), (end_s - t)) * RAMP_MPS3
    return math.copysign(min(abs(value), max(0.0, rise)), value)


def _request(t: float) -> tuple[float, float]:
    accel = _ramped(t, 0.5, 2.5, 0.8) + _ramped(t, 3.0, 5.0, -1.5) + _ramped(t, 5.5, 7.0, 0.5)
    return accel, LATERAL_MPS2 * math.sin(2.0 * math.pi * LATERAL_HZ * t)


def _follow(bench: CanCar, found: Found) -> None:
    """Tracking, against the request shifted by the delay that fits best."""
    rows: list[tuple[float, float]] = []
    angle: list[float] = []
    speed: list[float] = []

    def look() -> None:
        m = bench.memory
        rows.append((float(m[dynamics.ACCEL]), float(m[dynamics.YAW_RATE] * m[dynamics.SPEED])))
        body = bench.truth()
        sent = math.degrees(body.steer_rad) * bench.car.steer_ratio
        angle.append(float(bench.parsed.steeringAngleDeg) - sent)
        speed.append(float(bench.parsed.vEgo) - body.speed_mps)

    asked = np.array([_request(i * CYCLE_S) for i in range(round(DRIVES_S / CYCLE_S))])
    _roll(bench, DRIVES_S, _request, look=look)
    got = np.array(rows)
    for column, name, most in (
        (0, "longitudinal_rms_mps2", LONGITUDINAL_RMS), (1, "lateral_rms_mps2", LATERAL_RMS),
    ):  # fmt: skip
        rms, late = _best(got[:, column], asked[:, column])
        found.numbers[name] = rms
        found.numbers[name.replace("rms_mps2", "late_s")] = late * CYCLE_S
        found.check(rms <= most, f"{name} = {rms:.2f}, above {most}")
    off = float(np.abs(speed).max())
    found.check(off < 5.0 * SPEED_OFF_MPS, f"speed is parsed up to {off:.2f} m/s off while driving")
    off = float(np.abs(angle).max())
    found.check(off < 5.0 * ANGLE_OFF_DEG, f"steering is parsed up to {off:.1f} degrees off")
    found.check(bench.ours, "it let go while it was driving")


def _best(got: FloatArray, asked: FloatArray) -> tuple[float, int]:
    """(rms, delay in steps)."""
    errors = [
        float(np.sqrt(np.mean((got[late:] - asked[: len(asked) - late]) ** 2)))
        for late in range(LATE_STEPS)
    ]
    late = int(np.argmin(errors))
    return errors[late], late


def _let_go(bench: CanCar, found: Found, what: str, hands: Hands) -> None:
    """The person ends it: neither the model nor our side drives on, and nothing acts."""
    _roll(bench, 0.5, _gentle)
    _roll(bench, LETS_GO_S, _gentle, hands)
    found.check(not bench.safety.allowed, f"{what}: the safety model still lets us drive")
    found.check(not bench.ours, f"{what}: our side still drives")
    _roll(bench, 0.4, _gentle, hands)
    still = bench.told.lateral
    torque = bench.told.way == "torque"
    found.check(still is None or (torque and still == 0.0), f"{what}: we still steer, by {still}")
    _roll(bench, 0.5)


def _gentle(_t: float) -> tuple[float, float]:
    return 0.5, 0.3


def _wheel(bench: CanCar, found: Found) -> None:
    """A hand on the wheel is noticed."""
    _roll(bench, 0.5, hands=Hands(torque=1.0))
    found.check(bool(bench.parsed.steeringPressed), "a hand on the wheel is not noticed")
    _roll(bench, 1.0)
    if not bench.ours:  # a strong hand ends it on some cars
        _engage(bench, found, "engage after a hand on the wheel")


def _flipped(bench: CanCar, found: Found) -> None:
    """One bit in each frame that carries a checksum."""
    marked = set(bench.bench.checksummed())
    summed = bench.safety.summed()
    sent = [f for f in bench.bench.publish(bench.body(Hands())) if (f.bus, f.address) in marked]
    parsers = [p for p in bench.car.interface.can_parsers.values() if p is not None]
    believed = 0
    for frame in sent:
        bad = bench.bench.flipped(frame)
        if (frame.bus, frame.address) in summed:
            believed += bench.safety.heard(*bad)
        believed += sum(_parsed(p, bench.t_ns, bad) for p in parsers if p.bus == bad.bus)
    found.numbers["checksummed_frames"] = float(len(sent))
    found.numbers["flipped_believed"] = float(believed)
    found.check(believed == 0, f"{believed} frames with a flipped bit were believed")


def _parsed(parser: Any, t_ns: int, frame: Frame) -> bool:
    """Whether opendbc's parser takes a frame whose checksum its DBC knows."""
    state = parser.message_states.get(frame.address)
    if state is None or all(s.calc_checksum is None for s in state.signals):
        return False
    return frame.address in parser.update([(t_ns, [tuple(frame)])])


def _silent(bench: CanCar, found: Found) -> None:
    """Frames are lost, then all."""
    gone = {(bus, a) for row in bench.safety.checked()[:1] for a, bus, _ in row}
    _roll(bench, 1.0)
    _roll(
        bench, LOST_S,
        spoil=lambda _t, frames: [f for f in frames if (f.bus, f.address) not in gone],
    )  # fmt: skip
    found.check(not bench.safety.allowed, "lost frames: the safety model still lets us drive")
    _roll(bench, 1.5)
    _engage(bench, found, "engage after lost frames")
    _roll(bench, BUS_OFF_S, spoil=lambda _t, _frames: [])
    found.check(not bench.ours, "bus-off: our side still drives")
    found.check(bool(bench.parsed.canTimeout) or not bench.parsed.canValid,
                "bus-off: opendbc does not notice")  # fmt: skip
