"""The buses of a simulated real car: what it publishes, and what its actuators read.

The car's state leaves as bytes alone, and what it is told comes as bytes alone. All messages that
opendbc's interface and safety model listen for are sent, each packed by the DBC.
"""

import math
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any, NamedTuple

import numpy as np

from marque.core.errors import MarqueError
from marque.vehicle.can.checksums import KINDS
from marque.vehicle.can.family import Actuation, Button, Linear
from marque.vehicle.can.real_car import RealCar
from marque.vehicle.can.safety import Safety

CYCLE_S = 0.01  # of opendbc's controllers
LOOPBACK = 128  # what we sent, as opendbc's harness hears it again
G_MPS2 = 9.81
NIDEC_BRAKE_MPS2 = 4.8  # of opendbc's mapping for Honda Nidec, which leaves to the air
NIDEC_AIR = ((0.0, 2.3, 35.0), (0.001, 0.002, 0.15))  # this share by speed


class Frame(NamedTuple):
    """As opendbc takes it."""

    address: int
    data: bytes
    bus: int


@dataclass(frozen=True, slots=True)
class Body:
    """What the car does, and what is done to it."""

    speed_mps: float = 0.0
    accel_mps2: float = 0.0
    steer_deg: float = 0.0  # of the steering wheel, left positive
    steer_rate_degps: float = 0.0
    yaw_rate_radps: float = 0.0
    engaged: bool = False
    gas: bool = False
    brake: bool = False
    button: str = "none"  # none | set | cancel
    driver_torque: float = 0.0  # 1: as strong as the car can feel it, left positive
    eps_torque: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the actuators read so far. lateral: torque (-1 to 1), angle in degrees, or curvature,
    left positive; None: nobody steers."""

    way: str = ""
    lateral: float | None = None
    parts: dict[int, float] = field(default_factory=dict)  # acceleration by actuation
    raw_torque: float = 0.0
    said_torque: float = 0.0  # raw, of the newest frame, whether it switches the torque on or not

    @property
    def accel_mps2(self) -> float | None:
        """None: nobody asks for any."""
        return sum(self.parts.values()) if self.parts else None


class Bench:
    """Publisher and actuators of one car."""

    def __init__(self, car: RealCar, safety: Safety) -> None:
        from opendbc.can import CANPacker

        self.car = car
        self._limits = _limits(car)
        self._counts: dict[str, int] = {}
        self._packers: dict[str, Any] = {}
        self._messages: list[tuple[int, Any, Any, list[tuple[str, Any]]]] = []
        car.interface.update([])  # opendbc's parsers learn what they need by reading
        parsers = [p for p in car.interface.can_parsers.values() if p is not None]
        dbcs = {p.bus: p.dbc_name for p in parsers}
        wanted: dict[tuple[int, int], str] = {}
        for parser in parsers:
            for address, state in parser.message_states.items():
                if not state.ignore_alive and parser.bus < LOOPBACK:
                    wanted[parser.bus, address] = parser.dbc_name
        for choices in safety.checked():
            if not any((bus, address) in wanted for address, bus, _ in choices):
                address, bus, _ = self._pick(choices, dbcs)
                wanted[bus, address] = dbcs.get(bus, next(iter(dbcs.values())))
        for (bus, address), dbc in sorted(wanted.items()):
            packer = self._packers.setdefault(f"{dbc}/{bus}", CANPacker(dbc))
            message = packer.dbc.addr_to_msg[address]
            self._messages.append((bus, packer, message, self._values(packer, message)))
        self._dbc = next(iter(self._packers.values())).dbc
        self._check_family()
        self._listeners = self._listen()

    def _pick(
        self, choices: list[tuple[int, int, int]], dbcs: dict[int, str]
    ) -> tuple[int, int, int]:
        """The alternative of a watched message that the car's DBC knows with that length."""
        from opendbc.can.dbc import DBC

        for address, bus, length in choices:
            name = dbcs.get(bus, next(iter(dbcs.values())))
            message = DBC(name).addr_to_msg.get(address)
            if message is not None and message.size == length:
                return address, bus, length
        shown = ", ".join(hex(address) for address, _, _ in choices)
        raise MarqueError(f"{self.car.name}: its DBC lacks message {shown}, which safety watches")

    def _values(self, packer: Any, message: Any) -> list[tuple[str, Any]]:
        """(signal, what it says) of a message; what is not said is 0."""
        out = []
        for name, value in self.car.family.publish.items():
            which, what = name.removesuffix("?").split(".", 1)
            if not fnmatch(message.name, which):
                continue
            for signal, made in message.sigs.items():
                if made.calc_checksum is None and fnmatch(signal, what) and _plain(signal):
                    out.append((signal, self._gear(packer, message, signal, value)))
        return out

    def _gear(self, packer: Any, message: Any, signal: str, value: Any) -> Any:
        """`gear` becomes the number that opendbc reads as drive."""
        if value != "gear":
            return value
        from opendbc.car import structs
        from opendbc.car.interfaces import CarStateBase

        drive = structs.CarState.GearShifter.drive
        for found in packer.dbc.vals:
            if found.address != message.address or found.name != signal:
                continue
            parts = found.def_val.split()
            for number, word in zip(parts[::2], parts[1::2], strict=True):
                if CarStateBase.parse_gear_shifter(word) == drive:
                    return float(int(number))
        raise MarqueError(
            f"{self.car.name}: the DBC does not say which value of {message.name}.{signal} is drive"
        )

    def _check_family(self) -> None:
        """The DBC has what the family's file speaks of, where the message is sent at all."""
        sent = {message.name: message for _, _, message, _ in self._messages}
        family = self.car.family
        needed = [name.split(".", 1) for name in (*family.publish, *family.counter)]
        for name, rule in family.checksum.items():
            needed += [[name, signal] for signal in rule.signals]
        for name, signal in needed:
            if name not in sent or signal.endswith("?"):
                continue
            if not any(fnmatch(one, signal) for one in sent[name].sigs):
                raise MarqueError(
                    f"{self.car.name}: its DBC has no signal {name}.{signal}; {name} has "
                    f"[{', '.join(sent[name].sigs)}]"
                )

    def publish(self, body: Body) -> list[Frame]:
        """All frames of one cycle."""
        now = quantities(body, self.car)
        out = []
        for bus, packer, message, values in self._messages:
            said = {signal: _said(value, now, body) for signal, value in values}
            count = self._counts.get(f"{bus}/{message.name}", 0)
            self._counts[f"{bus}/{message.name}"] = count + 1
            for name in message.sigs:
                counter = self.car.family.counter.get(f"{message.name}.{name}")
                if counter is not None:
                    said[name] = (count % counter.size) >> counter.shift
            data = bytes(packer.pack(message.address, said))
            out.append(Frame(message.address, self._summed(packer, message, data), bus))
        return out

    def _summed(self, packer: Any, message: Any, data: bytes) -> bytes:
        rule = self.car.family.checksum.get(message.name)
        if rule is None:
            return data
        from opendbc.can.packer import set_value

        value, made = KINDS[rule.kind](data), bytearray(data)
        for name in rule.signals:
            signal = message.sigs[name]
            set_value(made, signal, value & ((1 << signal.size) - 1))
            value >>= signal.size
        return bytes(made)

    def checksummed(self) -> list[tuple[int, int]]:
        """(bus, address) of the messages that carry a checksum."""
        return [
            (bus, message.address)
            for bus, _, message, _ in self._messages
            if message.name in self.car.family.checksum
            or any(s.calc_checksum is not None for s in message.sigs.values())
        ]

    def flipped(self, frame: Frame) -> Frame:
        """A published frame with one bit of what it says flipped, the checksum as it was."""
        data = bytearray(frame.data)
        at = 8 * (len(data) // 2)
        for bus, _, message, values in self._messages:
            if (bus, message.address) == (frame.bus, frame.address) and values:
                at = message.sigs[values[0][0]].lsb
        data[at // 8] ^= 1 << (at % 8)
        return Frame(frame.address, bytes(data), frame.bus)

    def _listen(self) -> dict[int, list[tuple[Any, int, Actuation]]]:
        """Which actuations read a frame, by address."""
        out: dict[int, list[tuple[Any, int, Actuation]]] = {}
        rows = [*self.car.family.steer, *self.car.family.accel]
        for number, one in enumerate(rows):
            message = self._dbc.name_to_msg.get(one.message)
            mine = not one.only or self.car.name in one.only
            if message is None or not mine or self.car.name in one.others:
                continue
            for name in (one.signal, *one.when, *([one.signed_by] if one.signed_by else [])):
                if name not in message.sigs:
                    raise MarqueError(
                        f"{self.car.name}: its DBC has no signal {one.message}.{name}; "
                        f"{one.message} has [{', '.join(message.sigs)}]"
                    )
            out.setdefault(message.address, []).append((message, number, one))
        return out

    @property
    def listens(self) -> set[int]:
        """Addresses that some actuator reads."""
        return set(self._listeners)

    def with_signal(self, frame: Frame, rng: np.random.Generator) -> Frame:
        """A frame with one or two of the signals that its actuators read drawn anew, over all
        their bits or near where they are; counter and checksum as the DBC makes them."""
        from opendbc.can.packer import set_value
        from opendbc.can.parser import get_raw_value

        message, _, _ = self._listeners[frame.address][0]
        names = {n for _, _, one in self._listeners[frame.address]
                 for n in (one.signal, one.signed_by, *one.when) if n}  # fmt: skip
        data = bytearray(frame.data)
        for name in rng.permutation(sorted(names))[: rng.integers(1, 3)]:
            signal = message.sigs[str(name)]
            value = int(rng.integers(1 << signal.size))
            if rng.random() < 0.5:
                value = get_raw_value(bytes(data), signal) + int(rng.integers(-40, 41))
            set_value(data, signal, value & ((1 << signal.size) - 1))
        for signal in message.sigs.values():
            if signal.calc_checksum is not None:
                set_value(data, signal, signal.calc_checksum(frame.address, signal, data))
        return Frame(frame.address, bytes(data), frame.bus)

    def read(self, told: Told, frame: Frame, speed_mps: float) -> Told:
        """What the actuators make of a frame."""
        from opendbc.can.parser import get_raw_value

        for message, number, one in self._listeners.get(frame.address, ()):
            values = {}
            for name in (one.signal, one.signed_by, *one.when):
                if name:
                    signal = message.sigs[name]
                    raw = get_raw_value(frame.data, signal)
                    if signal.is_signed:
                        raw -= ((raw >> (signal.size - 1)) & 1) << signal.size
                    values[name] = raw * signal.factor + signal.offset
            on = all(values[name] == want for name, want in one.when.items())
            if one.none is not None and abs(values[one.signal] - one.none) < 1e-6:
                on = False
            value = one.sign * values[one.signal]
            if one.signed_by and values[one.signed_by]:
                value = -value
            if number < len(self.car.family.steer):
                told = self._steered(told, one, value, on, speed_mps)
            else:
                told = self._paced(told, number, one, value, on, speed_mps)
        return told

    def _steered(self, told: Told, one: Actuation, value: float, on: bool, v: float) -> Told:
        said = value if one.as_ == "torque" else told.said_torque
        if not on:
            off = told.way in ("", one.as_)
            way, lateral = ("", None) if off else (told.way, told.lateral)
            return Told(way, lateral, told.parts, 0.0 if off else told.raw_torque, said)
        raw = value
        if one.as_ == "torque":
            value = self._scaled(one, value, v)
        return Told(one.as_, value, told.parts, raw, said)

    def _scaled(self, one: Actuation, value: float, v: float) -> float:
        """Torque of -1 to 1."""
        value = self._looked_up(one, value)
        most = self._limits[one.scale]
        if isinstance(most, tuple):  # over speed
            most = float(np.interp(v, most[0], most[1]))
        return value / float(most)

    def _looked_up(self, one: Actuation, value: float) -> float:
        if not one.from_:
            return value
        pairs = sorted(zip(self._limits[one.from_], self._limits[one.to], strict=True))
        return float(np.interp(value, [p[0] for p in pairs], [p[1] for p in pairs]))

    def _paced(
        self, told: Told, number: int, one: Actuation, value: float, on: bool, v: float
    ) -> Told:
        parts = dict(told.parts)
        if not one.add:
            steers = len(self.car.family.steer)
            same = [
                n for n in parts
                if self.car.family.accel[n - steers].as_ == one.as_ == "accel_mps2"
            ]  # fmt: skip
            for n in same if on else ():
                del parts[n]
        if not on:
            parts.pop(number, None)
        elif one.as_ == "nidec_brake":
            share = value / self._limits["NIDEC_BRAKE_MAX"]
            air = float(np.interp(v, *NIDEC_AIR)) if value > 0.0 else 0.0
            parts[number] = -NIDEC_BRAKE_MPS2 * (share + air)
        elif one.as_ == "nidec_speed":  # 5 m/s more than now stands for half of its pedal
            parts[number] = NIDEC_BRAKE_MPS2 * max(0.0, value / 3.6 - v) / 10.0
        elif one.as_ == "nidec_gas":
            most = np.interp(
                v, self._limits["NIDEC_MAX_ACCEL_BP"], self._limits["NIDEC_MAX_ACCEL_V"]
            )
            parts[number] = 1.44 * float(most) * value / self._limits["NIDEC_GAS_MAX"]
        else:
            parts[number] = self._looked_up(one, value)
        return Told(told.way, told.lateral, parts, told.raw_torque, told.said_torque)


def _plain(signal: str) -> bool:
    """Neither counter nor checksum."""
    upper = signal.upper()
    return upper not in ("COUNTER", "CHECKSUM", "_CHECKSUM")


def _said(value: Any, now: dict[str, float], body: Body) -> float:
    if isinstance(value, Linear):
        return now[value.of] * value.gain + value.add
    if isinstance(value, Button):
        return float(getattr(value, body.button))
    return now[value] if isinstance(value, str) else float(value)


def quantities(body: Body, car: RealCar) -> dict[str, float]:
    """What a family's file may speak of."""
    coarse = math.copysign(math.floor(abs(body.steer_deg) / 1.5) * 1.5, body.steer_deg)
    factor = (int(car.params.safetyConfigs[-1].safetyParam) & 0xFF) / 100.0 or 1.0
    return {
        "speed_kph": body.speed_mps * 3.6,
        "wheel_kph": body.speed_mps * 3.6 / float(car.params.wheelSpeedFactor),
        "accel_mps2": body.accel_mps2,
        "steer_deg": body.steer_deg,
        "steer_abs_deg": abs(body.steer_deg),
        "steer_right": float(body.steer_deg < 0.0),
        "steer_coarse_deg": coarse,
        "steer_fine_deg": body.steer_deg - coarse,
        "steer_rate_degps": body.steer_rate_degps,
        "steer_rate_abs_degps": abs(body.steer_rate_degps),
        "steer_rate_right": float(body.steer_rate_degps < 0.0),
        "yaw_rate_radps": body.yaw_rate_radps,
        "standstill": float(body.speed_mps < 0.01),
        "engaged": float(body.engaged),
        "gas": float(body.gas),
        "brake": float(body.brake),
        "driver_torque": body.driver_torque,
        "driver_torque_abs": abs(body.driver_torque),
        "driver_torque_right": float(body.driver_torque < 0.0),
        "eps_torque": body.eps_torque / factor,
    }


def _limits(car: RealCar) -> dict[str, Any]:
    """Tables and full scales of opendbc's controller for this car."""
    controller = car.interface.CC
    held = next(
        (getattr(controller, n) for n in ("params", "p", "CCP") if hasattr(controller, n)), None
    )
    if held is None:
        module = __import__(
            f"opendbc.car.{car.family_name}.values", fromlist=["CarControllerParams"]
        )
        held = module.CarControllerParams
        if held.__init__ is not object.__init__:
            held = held(car.params)
    return {name: getattr(held, name) for name in dir(held) if name[:1].isupper()}
