"""The truth around the ego, read from SUMO and packed into one frame.

Runs in SUMO's process. SUMO's own frame: x east, y north, angle clockwise from north in degrees;
a vehicle's point is the middle of its front bumper. A frame tells of everybody whose box middle
lies within 150 m of the ego's front bumper, unless they are on another level there (see
`sumo_levels`), and of every signal head.
"""

import json
import struct
from array import array
from math import cos, hypot, pi, radians, sin
from typing import Any

from marque.sim.worlds.sumo_levels import Levels

EGO = "ego"
NEAR_M = 150.0  # the truth is told within this distance
LOOK_M = 220.0  # candidates for NEAR_M during the next second
FRAME = struct.Struct("<10q")


CAR, TRUCK, BUS, MOTORCYCLE, BICYCLE, PEDESTRIAN, RAIL, OBSTACLE = range(8)
CLASSES = {
    "truck": TRUCK,
    "trailer": TRUCK,
    "bus": BUS,
    "coach": BUS,
    "motorcycle": MOTORCYCLE,
    "moped": MOTORCYCLE,
    "bicycle": BICYCLE,
    "scooter": BICYCLE,
    "pedestrian": PEDESTRIAN,
    "wheelchair": PEDESTRIAN,
    "tram": RAIL,
    "rail_urban": RAIL,
    "rail": RAIL,
    "rail_electric": RAIL,
    "rail_fast": RAIL,
    "subway": RAIL,
    "cable_car": RAIL,
    "ship": OBSTACLE,
    "container": OBSTACLE,
    "drone": OBSTACLE,
    "aircraft": OBSTACLE,
}
# letters of a signal program -> SignalState
LETTERS = {"r": 1, "y": 2, "Y": 2, "G": 3, "g": 4, "u": 5, "o": 6, "O": 6, "s": 7}


class Readout:
    """What a frame is made of, and what is kept from one frame to the next."""

    def __init__(self, lib: Any, setup: dict[str, Any]) -> None:
        self.lib = lib
        self.setup = setup
        self.lanes: dict[str, int] = setup["lanes"]
        self.groups: list[str] = setup["groups"]
        self.heads_of: list[list[tuple[int, int]]] = [[] for _ in self.groups]
        heads = zip(setup["head_group"], setup["head_link"], strict=True)
        for head, (group, index) in enumerate(heads):
            if group >= 0:
                self.heads_of[group].append((head, index))
        self.heads = array("b", bytes(len(setup["head_group"])))
        self.group_state: list[str] = [""] * len(self.groups)
        self.group_near = list(range(len(self.groups)))
        self.uid: dict[str, int] = {}
        self.fixed: dict[str, tuple[int, int, float, float]] = {}  # uid, kind, length, width
        self.new: list[tuple[int, str]] = []
        self.near: list[str] = []
        self.near_walkers: list[str] = []
        self.walker_speed: dict[str, float] = {}
        self.levels = Levels(lib, EGO)
        self.front = (0.0, 0.0, 0.0)  # of the ego: x, y, angle
        self.tick = 0
        self.counts = {
            "inserted": 0,
            "teleports": 0,
            "teleports_near_ego": 0,
            "removed_for_ego": 0,
            "unmapped_steps": 0,
        }
        self.pairs: set[tuple[str, str]] = set()
        self.ego_pairs: dict[str, tuple[float, float, float]] = {}
        self.news: list[list[Any]] = []  # events since the last frame

    def frame(self) -> bytes:
        """The truth within 150 m of the ego, packed."""
        if self.tick % 10 == 0:
            self.find_near()
            self.levels.look()
        rows = self.read_vehicles()
        self.read_walkers(rows)
        self._read_signals()
        return self._pack(rows)

    def find_near(self) -> None:
        x0, y0, _ = self.front
        vehicle, person = self.lib.vehicle, self.lib.person
        self.near = []
        for name in vehicle.getIDList():
            x, y = vehicle.getPosition(name)
            if abs(x - x0) < LOOK_M and abs(y - y0) < LOOK_M and name != EGO:
                self.near.append(name)
        self.near_walkers = []
        for name in person.getIDList():
            x, y = person.getPosition(name)
            if abs(x - x0) < LOOK_M and abs(y - y0) < LOOK_M:
                self.near_walkers.append(name)
        if len(self.groups) > 64:
            self.find_near_groups(x0, y0)

    def find_near_groups(self, x0: float, y0: float) -> None:
        at = self.setup["group_xy"]
        self.group_near = [
            group for group, (x, y) in enumerate(at) if hypot(x - x0, y - y0) < 400.0
        ]
        near = set(self.group_near)
        for group in range(len(self.groups)):
            if group not in near and self.group_state[group]:
                self.group_state[group] = ""
                for head, _ in self.heads_of[group]:
                    self.heads[head] = 0

    def read_vehicles(self) -> list[tuple[Any, ...]]:
        x0, y0, _ = self.front
        vehicle = self.lib.vehicle
        gone = self.lib.TraCIException
        rows: list[tuple[Any, ...]] = []
        left: list[str] = []
        for name in self.near:
            try:
                x, y = vehicle.getPosition(name)
            except gone:
                left.append(name)
                continue
            if not (x - x0) ** 2 + (y - y0) ** 2 < (NEAR_M + 10.0) ** 2:
                continue
            uid, kind, length, width = self.fixed.get(name) or self._meet(name, vehicle)
            h = radians(90.0 - vehicle.getAngle(name))
            x -= 0.5 * length * cos(h)
            y -= 0.5 * length * sin(h)
            if (x - x0) ** 2 + (y - y0) ** 2 > NEAR_M**2:
                continue
            on = vehicle.getLaneID(name)
            if self.levels.hides(x, y, on):
                continue
            signals = vehicle.getSignals(name)
            hand = 3 if signals & 4 or signals & 3 == 3 else (0, 2, 1)[signals & 3]
            lane = self.lanes.get(on, -1)
            speed, accel = vehicle.getSpeed(name), vehicle.getAcceleration(name)
            rows.append((uid, kind, x, y, _wrap(h), speed, accel, length, width, hand, lane))
        for name in left:
            self.near.remove(name)
        return rows

    def read_walkers(self, rows: list[tuple[Any, ...]]) -> None:
        x0, y0, _ = self.front
        person = self.lib.person
        gone = self.lib.TraCIException
        left: list[str] = []
        for name in self.near_walkers:
            try:
                x, y = person.getPosition(name)
                if person.getVehicle(name):  # riding: part of the vehicle
                    continue
            except gone:
                left.append(name)
                continue
            if not (x - x0) ** 2 + (y - y0) ** 2 < NEAR_M**2:
                continue
            on = person.getLaneID(name)
            if self.levels.hides(x, y, on):
                continue
            key = "\n" + name  # people and vehicles may share a name
            uid, kind, length, width = self.fixed.get(key) or self._meet(key, person)
            h = radians(90.0 - person.getAngle(name))
            speed = person.getSpeed(name)
            accel = (speed - self.walker_speed.get(name, speed)) / 0.1
            self.walker_speed[name] = speed
            lane = self.lanes.get(on, -1)
            rows.append((uid, kind, x, y, _wrap(h), speed, accel, length, width, 0, lane))
        for name in left:
            self.near_walkers.remove(name)
            self.walker_speed.pop(name, None)

    def _meet(self, key: str, domain: Any) -> tuple[int, int, float, float]:
        name = key[1:] if key[0] == "\n" else key
        uid = len(self.uid) + 1
        self.uid[key] = uid
        self.new.append((uid, name))
        of = CLASSES.get(domain.getVehicleClass(name), CAR) if key is name else PEDESTRIAN
        length, width = domain.getLength(name), domain.getWidth(name)
        if of == PEDESTRIAN:
            length, width = max(length, 0.4), max(width, 0.4)
        self.fixed[key] = found = (uid, of, length, width)
        return found

    def _read_signals(self) -> None:
        state_of = self.lib.trafficlight.getRedYellowGreenState
        for group in self.group_near:
            state = state_of(self.groups[group])
            if state == self.group_state[group]:
                continue
            self.group_state[group] = state
            for head, index in self.heads_of[group]:
                self.heads[head] = LETTERS.get(state[index], 0) if index < len(state) else 0

    def _pack(self, rows: list[tuple[Any, ...]]) -> bytes:
        columns = list(zip(*rows, strict=True)) if rows else [()] * 11
        uid, kind, x, y, h, speed, accel, length, width, hand, lane = columns
        extra = b""
        if self.new or self.news:
            extra = json.dumps({"new": self.new, "events": self.news}).encode()
            self.new = []
            self.news = []
        counts = self.counts
        head = FRAME.pack(
            self.tick,
            len(rows),
            len(self.heads),
            counts["inserted"],
            counts["teleports"],
            counts["teleports_near_ego"],
            len(self.pairs),
            len(self.ego_pairs),
            counts["unmapped_steps"],
            len(extra),
        )
        parts = [head]
        parts.extend(
            array("d", column).tobytes() for column in (x, y, h, speed, accel, length, width)
        )
        parts.append(array("q", uid).tobytes())
        parts.append(array("i", lane).tobytes())
        parts.append(array("b", kind).tobytes())
        parts.append(array("b", hand).tobytes())
        parts.append(self.heads.tobytes())
        parts.append(extra)
        return b"".join(parts)


def _wrap(angle: float) -> float:
    return pi - (pi - angle) % (2.0 * pi)
