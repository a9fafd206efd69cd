"""Faults of senses, laid over what they deliver: seeded, one named row of a table each.

A fault changes deliveries between sensors and stack, as a broken sensor or a broken wire would;
nothing tells the stack. Row numbers are those of the fault table in `docs/faults.md`, which also
says of which rows this base has no part.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.errors import unknown
from marque.core.time import NS_PER_S, PLAN_STEP_S, nanoseconds, seconds
from marque.sensing.equipment import Equipment, ObjectSensor
from marque.types.codes import Reaction, SensorKind, UserKind
from marque.types.platform import Platform
from marque.types.reading import Delivery, ObjectList

PARTS = ("imu", "gnss", "bus", "objects", "signals", "marks", "sightings")
WEEK_S = 604_800.0
NEVER_S = math.inf
AHEAD_DEG = 30.0  # a sensor that looks this far aside still looks ahead
TELEPORT_M = 15.0


@dataclass(frozen=True, slots=True)
class Laid:
    """`do` to the deliveries `of` somebody: a part of `Delivery`, "all", or sensors by what they
    are: "camera ahead", "cameras aside", "radar ahead", "lidar"."""

    do: str
    of: str
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table: what is laid on from when until when, and what has to come of it.

    The stack has to name it (any of `named` in the finding's words) within `within_s`, and to react
    by exactly `reaction` soon after. `quiet`: nothing may be noticed, because nothing is wrong.
    """

    name: str
    row: str  # of the table; two for a pair
    title: str
    laid: tuple[Laid, ...]
    named: tuple[str, ...]
    reaction: Reaction
    within_s: float
    from_s: float = 14.0
    lasts_s: float = NEVER_S


R0, R1, R2, R3, R4 = (Reaction(level) for level in range(5))
CAMERA, RADAR, LIDAR, ASIDE = "camera ahead", "radar ahead", "lidar", "cameras aside"

FAULTS: tuple[Fault, ...] = (
    Fault("camera_dropout", "1", "front camera silent", (Laid("drop", CAMERA),),
          ("camera ahead silent",), R2, 0.2),
    Fault("camera_frozen", "2", "front camera repeats one frame", (Laid("freeze", CAMERA),),
          ("camera ahead frozen",), R2, 0.3),
    Fault("camera_late", "3a", "front camera 150 ms late", (Laid("delay", CAMERA, 0.15),),
          ("camera ahead late",), R1, 0.3),
    Fault("camera_very_late", "3b", "front camera 300 ms late", (Laid("delay", CAMERA, 0.3),),
          ("camera ahead late", "camera ahead silent"), R2, 0.3),
    Fault("camera_black", "4", "front camera finds nothing", (Laid("empty", CAMERA),),
          ("camera ahead blind",), R2, 0.5),
    Fault("camera_dirt", "5a", "front camera blind in 30 % of its view",
          (Laid("blind_right", CAMERA, 0.3),), ("camera ahead blind",), R1, 2.0),
    Fault("camera_ice", "5b", "front camera blind in 70 % of its view",
          (Laid("blind", CAMERA, 0.7),), ("camera ahead blind",), R2, 2.0),
    Fault("camera_turned", "6", "front camera turned by 3 degrees", (Laid("turn", CAMERA, 3.0),),
          ("camera ahead turned",), R2, 5.0),
    Fault("camera_swap", "7", "left and right camera exchanged", (Laid("swap", ASIDE),),
          ("looks elsewhere",), R2, 0.5, from_s=0.0),
    Fault("frames_repeated", "8", "one frame of the front camera comes twice",
          (Laid("repeat", CAMERA),), ("repeated",), R0, 0.3, lasts_s=0.3),
    Fault("radar_dropout", "9", "front radar silent", (Laid("drop", RADAR),),
          ("radar ahead silent",), R1, 0.2),
    Fault("radar_ghost", "10a", "front radar sees a standing vehicle that is not there",
          (Laid("ghost", RADAR, 15.0),), ("sees what nobody else sees",), R0, 1.5, lasts_s=3.0),
    Fault("camera_ghost", "10b", "front camera sees a standing vehicle that is not there",
          (Laid("ghost", CAMERA, 15.0),), ("sees what nobody else sees",), R0, 1.5, lasts_s=3.0),
    Fault("radar_frozen", "11", "front radar repeats one list", (Laid("freeze", RADAR),),
          ("radar ahead frozen",), R1, 0.3),
    Fault("lidar_dropout", "12a", "lidar silent", (Laid("drop", LIDAR),),
          ("lidar around silent",), R1, 0.2),
    Fault("lidar_half", "12b", "lidar blind on half of its view", (Laid("blind_left", LIDAR, 0.5),),
          ("lidar around blind",), R1, 0.2),
    Fault("imu_step", "15a", "gyro and accelerometer off by a step", (Laid("step", "imu", 0.25),),
          ("inertia jumps", "inertia contradicts"), R2, 0.05),
    Fault("imu_nan", "15b", "inertia is not a number", (Laid("nan", "imu"),),
          ("inertia not a number",), R2, 0.05),
    Fault("wheel_wrong", "16", "one wheel reads 30 % too little", (Laid("wheel", "bus", 0.7),),
          ("wheel differs",), R1, 0.1),
    Fault("wheels_missing", "17", "no wheel speeds", (Laid("drop", "bus"),),
          ("bus silent",), R4, 0.1),
    Fault("wheels_stuck", "17b", "all wheel speeds stuck", (Laid("stick_wheels", "bus"),),
          ("inertia contradicts", "wheel", "stuck"), R2, 1.0),
    Fault("steer_offset", "18", "steering angle off by 5 degrees",
          (Laid("steer", "bus", math.radians(5.0)),), ("steering angle contradicts",), R2, 1.0),
    Fault("steer_stuck", "19", "steering angle stuck", (Laid("stick", "bus"),),
          ("steering angle stuck",), R4, 0.2),
    Fault("gnss_loss", "20", "no fixes", (Laid("drop", "gnss"),), ("satellites silent",), R0, 1.0),
    Fault("gnss_jump", "21", "fixes jump by 50 m for one second", (Laid("jump", "gnss", 50.0),),
          ("satellites jump",), R0, 0.21, lasts_s=1.0),
    Fault("gnss_drift", "22", "fixes drift away at 0.5 m/s", (Laid("drift", "gnss", 0.5),),
          ("satellites drift",), R1, 30.0),
    Fault("gnss_week", "23", "fixes are stamped a week off", (Laid("stamp", "gnss", WEEK_S),),
          ("satellites misdated", "satellites silent"), R0, 0.21),
    Fault("map_differs", "25", "marks lie half a lane aside of the map's",
          (Laid("aside", "marks", 1.6),), ("marks contradict the map",), R1, 2.0),
    Fault("objects_nan", "27", "lidar objects are not numbers", (Laid("nan", LIDAR),),
          ("lidar around not a number",), R2, 0.15),
    Fault("lists_empty", "28", "lidar lists empty on a busy road", (Laid("empty", LIDAR),),
          ("lidar around blind",), R1, 0.5),
    Fault("radar_blind", "28b", "front radar finds nothing", (Laid("empty", RADAR),),
          ("radar ahead blind",), R1, 0.5),
    Fault("all_empty", "28c", "no sensor finds any object",
          (Laid("empty", "objects"),), ("blind",), R2, 0.5),
    Fault("object_teleports", "29", "an object of the lidar jumps to and fro",
          (Laid("teleport", LIDAR, TELEPORT_M),), ("has an object that jumps",), R0, 0.5,
          lasts_s=2.0),
    Fault("message_repeated", "40", "messages come twice", (Laid("repeat", "all"),),
          ("repeated",), R0, 0.15, lasts_s=0.2),
    Fault("messages_lost_10", "41a", "10 % of all messages lost", (Laid("lose", "all", 0.1),),
          ("messages lost",), R0, 0.5),
    Fault("messages_lost_50", "41b", "50 % of all messages lost", (Laid("lose", "all", 0.5),),
          ("messages lost",), R2, 0.5),
    Fault("out_of_order", "42", "messages of the front camera change places",
          (Laid("disorder", CAMERA),), ("out of order",), R0, 0.35, lasts_s=0.5),
    Fault("time_jump", "58", "the clock of all senses jumps an hour ahead",
          (Laid("clock", "all", 3600.0),), ("clock jumps",), R4, 0.1),
    Fault("clock_drift", "59", "the front radar's clock runs 20 ms/s slow",
          (Laid("clock_drift", RADAR, 0.02),), ("radar ahead clock drifts",), R1, 2.0,
          lasts_s=2.3),
    Fault("camera_and_radar", "1+9", "front camera and front radar silent",
          (Laid("drop", CAMERA), Laid("drop", RADAR)), ("camera ahead silent",), R3, 0.2),
    Fault("gnss_and_map", "20+25", "no fixes, and marks aside of the map's",
          (Laid("drop", "gnss"), Laid("aside", "marks", 1.6)),
          ("marks contradict the map",), R2, 2.0),
)  # fmt: skip

# rows of the table that nothing here can have, and why
NO_PART: dict[str, str] = {
    "13": "lidars deliver objects, no intensities",
    "14": "no ultrasonic sensors",
    "24": "maps are checked where they are loaded",
    "26": "limits that the map has wrong are driven by `prove wrongmap`",
    "30": "no models in files",
    "31": "no models in files",
    "39": "deliveries carry no check sums",
}


def find(name: str, faults: Sequence[Fault] = FAULTS) -> Fault:
    """One of the faults, by name or by its row. MarqueError: unknown."""
    for fault in faults:
        if name in (fault.name, fault.row):
            return fault
    raise unknown("fault", name, [fault.name for fault in faults])


def sensors_of(equipment: Equipment, of: str) -> tuple[int, ...]:
    """Numbers of the sensors that are meant; empty when the car has none."""
    numbered = list(enumerate(equipment.sensor))
    if of == ASIDE:
        kept = [(i, one) for i, one in numbered if abs(abs(one.heading_deg) - 90.0) < AHEAD_DEG]
        kept = [(i, one) for i, one in kept if one.code == SensorKind.CAMERA]
        return tuple(i for i, _ in sorted(kept, key=lambda each: -each[1].heading_deg)[:2])
    if of == LIDAR:
        return tuple(i for i, one in numbered if one.code == SensorKind.LIDAR)
    kind = {CAMERA: SensorKind.CAMERA, RADAR: SensorKind.RADAR}.get(of)
    return tuple(i for i, one in numbered if one.code == kind and _ahead(one))


def _ahead(sensor: ObjectSensor) -> bool:
    return abs(sensor.heading_deg) <= AHEAD_DEG


def has_parts(fault: Fault, equipment: Equipment) -> bool:
    """Whether the car has what the fault needs."""
    needed = {CAMERA: 1, RADAR: 1, LIDAR: 1, ASIDE: 2}
    return all(len(sensors_of(equipment, laid.of)) >= needed.get(laid.of, 0) for laid in fault.laid)


@dataclass(slots=True, eq=False)
class Faulty:
    """What lies between sensors and stack. One for each drive; the same seed breaks alike."""

    fault: Fault
    equipment: Equipment
    platform: Platform
    seed: int
    draw: np.random.Generator = field(init=False)
    kept: dict[Any, Any] = field(default_factory=dict)  # of the past, by each kind of fault

    def __post_init__(self) -> None:
        self.draw = np.random.default_rng([self.seed, len(self.fault.name)])

    def lay(self, came: Delivery) -> Delivery:
        """The delivery as it reaches the stack."""
        since_s = seconds(came.t_ns) - self.fault.from_s
        on = 0.0 <= since_s < self.fault.lasts_s
        for laid in self.fault.laid:
            came = _WAYS[laid.do](self, laid, came, since_s, on)
        return came

    def sensors(self, laid: Laid) -> tuple[int, ...]:
        """Numbers of the sensors it is laid on."""
        return sensors_of(self.equipment, laid.of)

    def meant(self, laid: Laid, part: str, one: Any) -> bool:
        """Whether a message is one of those it is laid on. A camera's signals and marks are its."""
        if laid.of in ("all", part):
            return True
        if part == "objects":
            return one.sensor in self.sensors(laid)
        reads = any(self.equipment.sensor[i].signals for i in self.sensors(laid))
        return part in ("signals", "marks") and reads


def _map(
    self: Faulty, laid: Laid, came: Delivery, change: Callable[[str, Any], list[Any]]
) -> Delivery:
    """The delivery with each message that is meant replaced by any number of others."""
    new: dict[str, Any] = {}
    for part in PARTS:
        out: list[Any] = []
        for one in getattr(came, part):
            out += change(part, one) if self.meant(laid, part, one) else [one]
        new[part] = tuple(out)
    return replace(came, **new)


def _stream(part: str, one: Any) -> tuple[str, int]:
    return part, one.sensor if part == "objects" else -1


def _drop(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    return _map(self, laid, came, lambda part, one: []) if on else came


def _lose(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    if not on:
        return came
    return _map(
        self, laid, came, lambda part, one: [] if self.draw.random() < laid.amount else [one]
    )


def _freeze(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """The last content before goes on coming, with stamps of now."""

    def change(part: str, one: Any) -> list[Any]:
        key = ("freeze", *_stream(part, one))
        if not on or key not in self.kept:
            self.kept[key] = one
            return [one]
        return [replace(self.kept[key], t_ns=one.t_ns)]

    return _map(self, laid, came, change)


def _delay(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """Messages are held back, and come later with the stamps that they had."""
    queue: list[tuple[int, str, Any]] = self.kept.setdefault("delay", [])

    def change(part: str, one: Any) -> list[Any]:
        if not on:
            return [one]
        queue.append((came.t_ns + nanoseconds(laid.amount), part, one))
        return []

    out = _map(self, laid, came, change)
    due = [each for each in queue if each[0] <= came.t_ns]
    self.kept["delay"] = [each for each in queue if each[0] > came.t_ns]
    return _with(out, [(part, one) for _, part, one in due])


def _with(came: Delivery, more: list[tuple[str, Any]]) -> Delivery:
    new: dict[str, Any] = {
        p: (*getattr(came, p), *(one for part, one in more if part == p)) for p in PARTS
    }
    return replace(came, **new)


def _repeat(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    return _map(self, laid, came, lambda part, one: [one, one]) if on else came


def _disorder(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """Every other message of a stream waits until the one after it has come."""

    def change(part: str, one: Any) -> list[Any]:
        key = ("disorder", *_stream(part, one))
        held = self.kept.pop(key, None)
        if held is not None:
            return [one, held]
        if on:
            self.kept[key] = one
            return []
        return [one]

    return _map(self, laid, came, change)


def _swap(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    a, b = self.sensors(laid)

    def change(part: str, one: Any) -> list[Any]:
        return [replace(one, sensor=b if one.sensor == a else a)] if part == "objects" else [one]

    return _map(self, laid, came, change) if on else came


def _empty(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """The sensor says that it finds nothing: no objects, no marks, no signals."""

    def change(part: str, one: Any) -> list[Any]:
        if part == "signals":
            return [replace(one, state=np.zeros_like(one.state))]
        return [_rows(one, np.zeros(one.count, dtype=np.bool_))]

    return _map(self, laid, came, change) if on else came


def _blind(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """No objects in a share of the view: around its middle, or on one side of it."""

    def change(part: str, one: Any) -> list[Any]:
        if part != "objects":
            return [one]
        wide = 2.0 * math.radians(self.equipment.sensor[one.sensor].half_angle_deg) * laid.amount
        low = {"blind": -0.5 * wide, "blind_left": 0.0, "blind_right": -wide}[laid.do]
        bearing = _bearing(self, one)
        return [_rows(one, (bearing < low) | (bearing > low + wide))]

    return _map(self, laid, came, change) if on else came


def _bearing(self: Faulty, one: ObjectList) -> FloatArray:
    """[n] angle of each object from the middle of the sensor's view, left positive."""
    sensor, car = self.equipment.sensor[one.sensor], self.platform
    x = one.x_m - (sensor.along * car.length_m - car.rear_overhang_m)
    y = one.y_m - 0.5 * sensor.across * car.width_m
    angle = np.arctan2(y, x) - math.radians(sensor.heading_deg)
    wrapped: FloatArray = (angle + math.pi) % (2.0 * math.pi) - math.pi
    return wrapped


def _turn(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """Everything is seen turned by an angle, in degrees: the sensor was knocked aside."""
    c, s = math.cos(math.radians(laid.amount)), math.sin(math.radians(laid.amount))

    def change(part: str, one: Any) -> list[Any]:
        if part == "signals":
            return [one]
        x, y = c * one.x_m - s * one.y_m, s * one.x_m + c * one.y_m
        return [replace(one, x_m=x, y_m=y, heading_rad=one.heading_rad + math.radians(laid.amount))]

    return _map(self, laid, came, change) if on else came


def _ghost(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """An object stands in our way, `amount` metres ahead when it is first seen, for as long as it
    lies ahead."""
    if came.bus:
        speed = float(np.mean(came.bus[-1].wheel_mps))
        before = self.kept.get("ghost", (laid.amount, came.t_ns))
        left = before[0] - (speed * seconds(came.t_ns - before[1]) if on else 0.0)
        self.kept["ghost"] = (left, came.t_ns)

    def change(part: str, one: Any) -> list[Any]:
        if part != "objects" or self.kept["ghost"][0] < 2.0:
            return [one]
        kind = self.equipment.sensor[one.sensor].code
        return [_joined(one, _standing(self.kept["ghost"][0] + 4.0, kind, self.draw))]

    return _map(self, laid, came, change) if on else came


def _standing(x_m: float, kind: SensorKind, draw: np.random.Generator) -> dict[str, float]:
    """A car that stands ahead of ours, as a sensor of this kind would tell of it."""
    row: dict[str, float] = {
        "x_m": x_m + 0.2 * draw.standard_normal(), "y_m": 0.2 * draw.standard_normal(),
        "score": 0.9,
    }  # fmt: skip
    if kind == SensorKind.RADAR:
        return {**row, "has_rate": True, "rate_mps": 0.1 * draw.standard_normal()}
    row |= {"has_kind": True, "kind": int(UserKind.CAR), "has_box": True, "length_m": 4.5}
    return {**row, "width_m": 1.8, "has_indicator": kind == SensorKind.CAMERA}


def _teleport(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """The nearest object ahead is seen where it is and `amount` metres to its left, in turns."""

    def change(part: str, one: Any) -> list[Any]:
        ahead = np.flatnonzero((one.x_m > 5.0) & (np.abs(one.y_m) < 6.0))
        beat = round(since_s / PLAN_STEP_S) % 2 == 0
        if part != "objects" or len(ahead) == 0 or beat:
            return [one]
        y = one.y_m.copy()
        y[ahead[np.argmin(one.x_m[ahead])]] += laid.amount
        return [replace(one, y_m=y)]

    return _map(self, laid, came, change) if on else came


def _nan(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    def change(part: str, one: Any) -> list[Any]:
        if part == "imu":
            return [replace(one, gyro_radps=(math.nan,) * 3)]
        return [replace(one, x_m=np.full_like(one.x_m, math.nan))]

    return _map(self, laid, came, change) if on else came


def _step(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """The gyro reads `amount` rad/s too much, the accelerometer ten times that in m/s^2."""

    def change(part: str, one: Any) -> list[Any]:
        (ax, ay, az), (gx, gy, gz) = one.accel_mps2, one.gyro_radps
        more = laid.amount
        return [replace(one, accel_mps2=(ax + 10.0 * more, ay, az), gyro_radps=(gx, gy, gz + more))]

    return _map(self, laid, came, change) if on else came


def _wheel(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    def change(part: str, one: Any) -> list[Any]:
        fl, fr, rl, rr = one.wheel_mps
        return [replace(one, wheel_mps=(fl, fr, rl * laid.amount, rr))]

    return _map(self, laid, came, change) if on else came


def _steer(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    def change(part: str, one: Any) -> list[Any]:
        return [replace(one, steer_rad=one.steer_rad + laid.amount)]

    return _map(self, laid, came, change) if on else came


def _stick(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    def change(part: str, one: Any) -> list[Any]:
        if not on:
            self.kept["stick"] = one.steer_rad
        return [replace(one, steer_rad=self.kept.setdefault("stick", one.steer_rad))]

    return _map(self, laid, came, change)


def _stick_wheels(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    def change(part: str, one: Any) -> list[Any]:
        if not on:
            self.kept["wheels"] = one.wheel_mps
        return [replace(one, wheel_mps=self.kept.setdefault("wheels", one.wheel_mps))]

    return _map(self, laid, came, change)


def _away(self: Faulty, laid: Laid, came: Delivery, way_m: float) -> Delivery:
    """Fixes lie a distance off, in a direction that the seed chooses."""
    angle = self.kept.setdefault("away", float(self.draw.uniform(-math.pi, math.pi)))
    dx, dy = way_m * math.cos(angle), way_m * math.sin(angle)
    return _map(
        self, laid, came, lambda part, one: [replace(one, x_m=one.x_m + dx, y_m=one.y_m + dy)]
    )


def _jump(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    return _away(self, laid, came, laid.amount) if on else came


def _drift(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    return _away(self, laid, came, laid.amount * since_s) if on else came


def _stamp(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    off = nanoseconds(laid.amount)
    if not on:
        return came
    return _map(self, laid, came, lambda part, one: [replace(one, t_ns=one.t_ns + off)])


def _clock(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """The clock that stamps everything jumps, the deliveries themselves included."""
    if not on:
        return came
    return replace(_stamp(self, laid, came, since_s, on), t_ns=came.t_ns + nanoseconds(laid.amount))


def _clock_drift(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """One sensor's clock falls behind: its lists look older and older."""
    off = round(laid.amount * since_s * NS_PER_S)
    if not on:
        return came
    return _map(self, laid, came, lambda part, one: [replace(one, t_ns=one.t_ns - off)])


def _aside(self: Faulty, laid: Laid, came: Delivery, since_s: float, on: bool) -> Delivery:
    """Marks are found `amount` metres to the left: the road was painted anew."""
    if not on:
        return came
    return _map(self, laid, came, lambda part, one: [replace(one, y_m=one.y_m + laid.amount)])


def _rows(one: Any, keep: BoolArray) -> Any:
    """A list of objects or marks with some of its rows."""
    columns = {f.name: getattr(one, f.name) for f in fields(one)}
    return replace(one, **{n: c[keep] for n, c in columns.items() if isinstance(c, np.ndarray)})


def _joined(one: ObjectList, row: dict[str, float]) -> ObjectList:
    """A list with one row more; what the row does not tell is 0."""
    columns = {f.name: getattr(one, f.name) for f in fields(one)}
    longer: dict[str, Any] = {
        n: np.append(c, np.array([row.get(n, 0)], dtype=c.dtype))
        for n, c in columns.items()
        if isinstance(c, np.ndarray)
    }
    return replace(one, **longer)


_WAYS: dict[str, Callable[[Faulty, Laid, Delivery, float, bool], Delivery]] = {
    "drop": _drop, "lose": _lose, "freeze": _freeze, "delay": _delay, "repeat": _repeat,
    "disorder": _disorder, "swap": _swap, "empty": _empty, "blind": _blind,
    "blind_left": _blind, "blind_right": _blind, "turn": _turn,
    "ghost": _ghost, "teleport": _teleport, "nan": _nan, "step": _step, "wheel": _wheel,
    "steer": _steer, "stick": _stick, "stick_wheels": _stick_wheels,
    "jump": _jump, "drift": _drift, "stamp": _stamp,
    "clock": _clock, "clock_drift": _clock_drift, "aside": _aside,
}  # fmt: skip
