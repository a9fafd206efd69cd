"""The process in which SUMO lives: `python -m marque.sim.worlds.sumo_child FD`.

Serves frames (see `sumo_link`) until the wire closes. Imports nothing heavy, so that it starts
fast. SUMO's own frame: x east, y north, angle clockwise from north in degrees, a vehicle's point
is the middle of its front bumper.
"""

import contextlib
import ctypes
import json
import os
import pickle
import signal
import socket
import struct
import sys
from array import array
from math import cos, hypot, pi, radians, sin
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.sim.worlds import sumo_link as link
from marque.sim.worlds.sumo_demand import CYCLIST_PREFIX, Demand, Wanted, read_network

EGO = "ego"
NEAR_M = 150.0  # the truth is told within this distance
SENSOR_M = 120.0
LOOK_M = 220.0  # candidates for NEAR_M during the next second
WAKE_M, DOZE_M = 220.0, 270.0  # nearer than this drivers decide every 0.1 s; beyond, less often
LIFT_CLEAR_M = 200.0  # a deadlock is lifted at once only beyond this
NEAR_LIFT_FACTOR = 2.0  # nearer, it is given that much longer
EGO_STEP = struct.Struct("<6d")  # front x, y, angle (deg), speed, accel at the end of the step; pad
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


class Sumo:
    """One run of SUMO: warmed, with or without our car, read out step by step."""

    def __init__(self, lib: Any, setup: dict[str, Any]) -> None:
        self.lib = lib
        self.setup = setup
        self.demand: Demand | None = None
        self.lanes: dict[str, int] = setup["lanes"]
        self.groups: list[str] = setup["groups"]
        self.head_group: list[int] = setup["head_group"]
        self.head_link: list[int] = setup["head_link"]
        self.heads_of: list[list[tuple[int, int]]] = [[] for _ in self.groups]
        for head, (group, index) in enumerate(zip(self.head_group, self.head_link, strict=True)):
            if group >= 0:
                self.heads_of[group].append((head, index))
        self.heads = array("b", bytes(len(self.head_group)))
        self.group_state: list[str] = [""] * len(self.groups)
        self.group_near = list(range(len(self.groups)))
        self.uid: dict[str, int] = {}
        self.fixed: dict[str, tuple[int, int, float, float]] = {}  # uid, kind, length, width
        self.new: list[tuple[int, str]] = []
        self.near: list[str] = []
        self.near_walkers: list[str] = []
        self.walker_speed: dict[str, float] = {}
        self.awake: set[str] = set()  # drivers near the ego, who decide at every step
        self.front = (0.0, 0.0, 0.0)  # x, y, angle
        self.speed = 0.0
        self.accel = 0.0
        self.tick = 0
        self.has_ego = False
        self.driven = True  # the ego is placed by us, not by SUMO's driver
        self.route: tuple[str, ...] = ()
        self.route_wanted: tuple[str, ...] | None = None
        self.free_map = False
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

    # -- traffic without us ------------------------------------------------------------------

    def route_between(self, start: str, end: str, kind: str) -> tuple[tuple[str, ...], float]:
        found = self.lib.simulation.findRoute(start, end, kind)
        return tuple(found.edges), float(found.length)

    def present(self) -> tuple[int, int, int]:
        """Vehicles, cyclists and walkers present or waiting to enter, without the ego."""
        vehicle = self.lib.vehicle
        names = list(vehicle.getIDList())
        names.extend(self.lib.simulation.getPendingVehicles())
        cyclists = sum(1 for name in names if name[0] == CYCLIST_PREFIX)
        ego = 1 if self.has_ego else 0
        return len(names) - cyclists - ego, cyclists, self.lib.person.getIDCount()

    def tend(self, walkers: bool) -> None:
        """Once per second: replace arrivals, lift deadlocks."""
        if self.demand is not None:
            vehicles, cyclists, on_foot = self.present()
            ego = self.front[:2] if self.has_ego else None
            if not walkers:
                on_foot = self.demand.target.walkers
            waits = self.lib.vehicle.getWaitingTime
            standing = sum(1 for name in self.lib.vehicle.getIDList() if waits(name) > 0.0)
            self.demand.tend(_Verbs(self), (vehicles, cyclists, on_foot), standing, ego)
        self.lift_deadlocks()
        if self.has_ego and self.setup["far_s"] > 0.0:
            self.wake_near()

    def wake_near(self) -> None:
        """Let drivers near the ego decide at every step, and those far away less often."""
        x0, y0, _ = self.front
        vehicle, awake = self.lib.vehicle, self.awake
        for name in vehicle.getIDList():
            x, y = vehicle.getPosition(name)
            away = max(abs(x - x0), abs(y - y0))
            if away < WAKE_M:
                if name not in awake and name != EGO:
                    self._decide_every(name, self.setup["far_s"], 0.1)
                    awake.add(name)
            elif away > DOZE_M and name in awake:
                self._decide_every(name, 0.1, self.setup["far_s"])
                awake.discard(name)

    def _decide_every(self, name: str, old_s: float, new_s: float) -> None:
        vehicle = self.lib.vehicle
        if abs(vehicle.getActionStepLength(name) - old_s) < 1e-6:  # else the demand chose its own
            vehicle.setActionStepLength(name, new_s)

    def lift_deadlocks(self) -> None:
        """Remove who heads its lane and has stood too long; SUMO's own teleports are off."""
        limit = self.setup["deadlock_s"]
        if limit <= 0.0:
            return
        vehicle = self.lib.vehicle
        for name in vehicle.getIDList():
            waited = vehicle.getWaitingTime(name)
            if waited < limit or name == EGO or vehicle.getStopState(name) != 0:
                continue
            on = self.lib.lane.getLastStepVehicleIDs(vehicle.getLaneID(name))
            if not on or on[-1] != name:
                continue
            away = self._from_ego(name)
            if away < LIFT_CLEAR_M and waited < NEAR_LIFT_FACTOR * limit:
                continue
            self._count_teleport(name, away)
            vehicle.remove(name)

    def _from_ego(self, name: str) -> float:
        if not self.has_ego:
            return 1e9
        x, y = self.lib.vehicle.getPosition(name)
        return hypot(x - self.front[0], y - self.front[1])

    def _count_teleport(self, name: str, away: float) -> None:
        self.counts["teleports"] += 1
        if away < SENSOR_M:
            self.counts["teleports_near_ego"] += 1
            x, y = self.lib.vehicle.getPosition(name)
            self.news.append(["teleport", name, x, y])

    # -- our car -------------------------------------------------------------------------------

    def insert_ego(self, x: float, y: float, angle: float) -> None:
        """Put the ego at rest where it starts; whoever overlaps or could not stop is removed."""
        lib = self.lib
        ego = self.setup["ego"]
        self._ego_type(ego)
        self.front = (x, y, angle)
        self.route = tuple(ego["route"])
        self._clear_room()
        try:
            lib.route.add("marque_route", self.route)
            lib.vehicle.add(EGO, "marque_route", "marque_ego")
            lib.vehicle.setLaneChangeMode(EGO, 0)
            lib.vehicle.moveToXY(EGO, self.route[0], 0, x, y, angle, 3)
            lib.simulationStep()
        except lib.TraCIException as error:
            raise MarqueError(f"SUMO cannot take our car in at its start: {error}") from error
        if EGO not in lib.vehicle.getIDList():
            raise MarqueError("SUMO did not take our car in at its start")
        self.has_ego = True
        lib.vehicle.setActionStepLength(EGO, 0.1)
        if self.setup["far_s"] > 0.0:
            self.wake_near()
        self._clear_room()  # once more: the others moved in this step and had not seen us
        self._clear_followers()
        self.counts = dict.fromkeys(self.counts, 0) | {
            "removed_for_ego": self.counts["removed_for_ego"]
        }
        self.pairs.clear()
        self.ego_pairs.clear()
        self.news.clear()

    def _ego_type(self, ego: dict[str, Any]) -> None:
        types = self.lib.vehicletype
        types.copy("DEFAULT_VEHTYPE", "marque_ego")
        types.setVehicleClass("marque_ego", "passenger")
        types.setLength("marque_ego", ego["length"])
        types.setWidth("marque_ego", ego["width"])
        types.setMinGap("marque_ego", 2.5)
        types.setAccel("marque_ego", 2.6)
        types.setDecel("marque_ego", 4.5)
        types.setEmergencyDecel("marque_ego", 9.0)
        types.setTau("marque_ego", 1.0)
        types.setImperfection("marque_ego", 0.5)
        types.setMaxSpeed("marque_ego", 69.4)
        types.setSpeedFactor("marque_ego", 1.0)
        types.setSpeedDeviation("marque_ego", 0.0)

    def _clear_room(self) -> None:
        """Remove who stands within 2.5 m before or behind the ego or 0.3 m beside it, and who is
        changing lanes right beside it: SUMO's driver looks when he begins to change, not after.
        """
        x, y, angle = self.front
        length, width = self.setup["ego"]["length"], self.setup["ego"]["width"]
        h = radians(90.0 - angle)
        mx, my = x - 0.5 * length * cos(h), y - 0.5 * length * sin(h)
        vehicle = self.lib.vehicle
        for name in vehicle.getIDList():
            px, py = vehicle.getPosition(name)
            if name == EGO or not hypot(px - mx, py - my) < 40.0:
                continue
            oh = radians(90.0 - vehicle.getAngle(name))
            long, wide = vehicle.getLength(name), vehicle.getWidth(name)
            box = (px - 0.5 * long * cos(oh), py - 0.5 * long * sin(oh), oh, long, wide)
            changing = abs(vehicle.getLateralLanePosition(name)) > 0.02
            beside = 4.0 if changing else 0.6
            if _overlap((mx, my, h, length + 5.0, width + beside), box):
                vehicle.remove(name)
                self.counts["removed_for_ego"] += 1

    def _clear_followers(self) -> None:
        """Remove who follows so fast and close that it could not stop for a car at rest."""
        vehicle = self.lib.vehicle
        again = True
        while again:
            again = False
            for name in vehicle.getIDList():
                if name == EGO or self._from_ego(name) > NEAR_M:
                    continue
                leader = vehicle.getLeader(name, 150.0)
                if not leader or leader[0] != EGO:
                    continue
                v = vehicle.getSpeed(name)
                if leader[1] < 0.5 * v + v * v / 7.0 + 0.5:  # 0.5 s, then 3.5 m/s^2
                    vehicle.remove(name)
                    self.counts["removed_for_ego"] += 1
                    again = True

    def move_ego(self, x: float, y: float, angle: float, speed: float, accel: float) -> None:
        """Announce where the ego is at the end of the next step."""
        lib = self.lib
        vehicle = lib.vehicle
        self._apply_route()
        try:
            vehicle.setPreviousSpeed(EGO, max(0.0, self.speed), self.accel)
            hint = vehicle.getRoadID(EGO)
            lane = max(0, vehicle.getLaneIndex(EGO))
            vehicle.moveToXY(EGO, hint, lane, x, y, angle, 2 if self.free_map else 3)
        except lib.TraCIException:
            self._move_anyhow(x, y, angle)
        self.front, self.speed, self.accel = (x, y, angle), speed, accel

    def _move_anyhow(self, x: float, y: float, angle: float) -> None:
        """Off its route, off its permissions, or removed by SUMO at the end of its route."""
        lib = self.lib
        vehicle = lib.vehicle
        try:
            if EGO not in vehicle.getIDList():
                name = f"marque_route_{self.tick}"
                lib.route.add(name, self.route[-1:])
                vehicle.add(EGO, name, "marque_ego")
                vehicle.setLaneChangeMode(EGO, 0)
            vehicle.moveToXY(EGO, "", 0, x, y, angle, 6)
        except lib.TraCIException:
            self.counts["unmapped_steps"] += 1

    def _apply_route(self) -> None:
        if self.route_wanted is None:
            return
        vehicle = self.lib.vehicle
        with contextlib.suppress(self.lib.TraCIException):
            here = vehicle.getRoute(EGO)[max(0, vehicle.getRouteIndex(EGO))]
            if here in self.route_wanted:
                onward = self.route_wanted[self.route_wanted.index(here) :]
                vehicle.setRoute(EGO, onward)
                self.route, self.route_wanted, self.free_map = onward, None, False

    def _check_mapping(self) -> None:
        """After a missed turn the position fits no lane of the route: map freely, then re-route."""
        with contextlib.suppress(self.lib.TraCIException):
            aside = self.lib.vehicle.getLateralLanePosition(EGO)
            self.free_map = abs(aside) > 3.5 or (self.free_map and self.route_wanted is not None)

    # -- stepping --------------------------------------------------------------------------------

    def advance(self) -> None:
        """One step of 0.1 s, and what happened in it."""
        lib = self.lib
        lib.simulationStep()
        self.tick += 1
        self._take_events()
        if self.has_ego and self.driven:
            self._check_mapping()
        if self.tick % 10 == 0:
            self.tend(walkers=True)

    def _take_events(self) -> None:
        simulation = self.lib.simulation
        entered = simulation.getDepartedIDList()
        if entered:
            self.counts["inserted"] += len(entered)
            self.near.extend(name for name in entered if name != EGO)
        self.near_walkers.extend(simulation.getDepartedPersonIDList())
        for name in simulation.getStartingTeleportIDList():  # only if switched on by the user
            self._count_teleport(name, self._from_ego(name))
        for crash in simulation.getCollisions():
            self._take_collision(crash)

    def _take_collision(self, crash: Any) -> None:
        a, b = crash.collider, crash.victim
        if EGO in (a, b):
            other = b if a == EGO else a
            if other not in self.ego_pairs:
                at = (self.tick * 0.1, self.front[0], self.front[1])
                self.ego_pairs[other] = at
                self.news.append(["collision", other, at[1], at[2]])
            return
        self.pairs.add((a, b) if a < b else (b, a))

    # -- reading ---------------------------------------------------------------------------------

    def frame(self) -> bytes:
        """The truth within 150 m of the ego, packed."""
        if self.tick % 10 == 0:
            self._find_near()
        rows = self._read_vehicles()
        self._read_walkers(rows)
        self._read_signals()
        return self._pack(rows)

    def _find_near(self) -> None:
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
            self._find_near_groups(x0, y0)

    def _find_near_groups(self, x0: float, y0: float) -> None:
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

    def _read_vehicles(self) -> list[tuple[Any, ...]]:
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
            signals = vehicle.getSignals(name)
            hand = 3 if signals & 4 or signals & 3 == 3 else (0, 2, 1)[signals & 3]
            lane = self.lanes.get(vehicle.getLaneID(name), -1)
            speed, accel = vehicle.getSpeed(name), vehicle.getAcceleration(name)
            rows.append((uid, kind, x, y, _wrap(h), speed, accel, length, width, hand, lane))
        for name in left:
            self.near.remove(name)
        return rows

    def _read_walkers(self, rows: list[tuple[Any, ...]]) -> None:
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
            key = "\n" + name  # people and vehicles may share a name
            uid, kind, length, width = self.fixed.get(key) or self._meet(key, person)
            h = radians(90.0 - person.getAngle(name))
            speed = person.getSpeed(name)
            accel = (speed - self.walker_speed.get(name, speed)) / 0.1
            self.walker_speed[name] = speed
            lane = self.lanes.get(person.getLaneID(name), -1)
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


class _Verbs:
    """SUMO's verbs as `sumo_demand.Traffic` names them."""

    def __init__(self, sumo: Sumo) -> None:
        self.sumo = sumo

    def route(self, start: str, end: str, kind: str) -> tuple[tuple[str, ...], float]:
        return self.sumo.route_between(start, end, kind)

    def add_vehicle(self, name: str, kind: str, route: tuple[str, ...]) -> None:
        lib = self.sumo.lib
        lib.route.add(f"r_{name}", route)
        lib.vehicle.add(
            name, f"r_{name}", kind, departLane="best", departPos="random_free", departSpeed="max"
        )

    def add_walker(self, name: str, at_m: float, route: tuple[str, ...]) -> None:
        person = self.sumo.lib.person
        person.add(name, route[0], at_m, typeID="marque_walker")
        person.appendWalkingStage(name, route, -1.0)


def _wrap(angle: float) -> float:
    return pi - (pi - angle) % (2.0 * pi)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Two oriented boxes (x, y, heading, length, width): separating axes."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    c, s = abs(cos(a[2] - b[2])), abs(sin(a[2] - b[2]))
    for p, q in ((a, b), (b, a)):
        along = abs(dx * cos(p[2]) + dy * sin(p[2]))
        across = abs(-dx * sin(p[2]) + dy * cos(p[2]))
        if along > 0.5 * (p[3] + q[3] * c + q[4] * s):
            return False
        if across > 0.5 * (p[4] + q[3] * s + q[4] * c):
            return False
    return True


class Server:
    """What the wire can ask for."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.lib: Any = None
        self.sumo: Sumo | None = None
        self.closed = False

    def progress(self, text: str) -> None:
        link.send(self.wire, link.PROGRESS, text.encode())

    def open(self, setup: dict[str, Any]) -> dict[str, Any]:
        """Start SUMO from a warmed state (made here when it is missing)."""
        import libsumo

        self.lib = libsumo
        state, kept = Path(setup["state"]), Path(setup["state"] + ".json")
        made = not (state.exists() and kept.exists())
        if made:
            self._warm(setup, state, kept)
        try:
            data = self._load(setup, state, kept)
        except (MarqueError, OSError, ValueError):
            if made:
                raise
            self._warm(setup, state, kept)  # a damaged state is made again
            data, made = self._load(setup, state, kept), True
        self.sumo = sumo = Sumo(libsumo, setup)
        self._check_map(sumo)
        if setup["demand"] is not None:
            sumo.demand = Demand(
                read_network(Path(setup["net"])), Wanted(*setup["demand"]), setup["seed"]
            )
            sumo.demand.load(data)
        for second in range(setup["settle_s"]):
            sumo.tend(walkers=True)
            for _ in range(10):
                libsumo.simulationStep()
            if second == 0 and sumo.demand is not None and sumo.demand.starts.edges:
                self._need_walkers()
        return {
            "version": libsumo.getVersion()[1],
            "time_s": libsumo.simulation.getTime(),
            "vehicles": libsumo.vehicle.getIDCount(),
            "walkers": libsumo.person.getIDCount(),
            "refused": sumo.demand.refused if sumo.demand is not None else 0,
            "made": made,
            "delta_s": libsumo.simulation.getDeltaT(),
        }

    def _load(self, setup: dict[str, Any], state: Path, kept: Path) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(kept.read_text())
        self._start([*setup["args"], "--load-state", str(state)])
        return data

    def _need_walkers(self) -> None:
        if self.lib.person.getIDCount() == 0 and self.sumo and self.sumo.demand:
            wanted = self.sumo.demand.target.walkers
            if wanted:
                raise MarqueError("SUMO took in none of the people on foot")

    def _start(self, args: list[str]) -> None:
        lib = self.lib
        if lib.isLoaded():
            lib.close()
        try:
            lib.start(["sumo", *args])
        except Exception as error:
            text = " ".join(str(error).split())
            raise MarqueError(f"SUMO cannot start: {text}") from error

    def _warm(self, setup: dict[str, Any], state: Path, kept: Path) -> None:
        """Fill the roads: coarse steps first, then 0.1 s, and keep the state."""
        lib = self.lib
        state.parent.mkdir(parents=True, exist_ok=True)
        aside = state.with_name(f".{os.getpid()}.{state.name}")
        demand: Demand | None = None
        begin = setup["begin"]
        saved: str | None = None
        try:
            for step, until in setup["warm"]:
                more = ["--load-state", saved] if saved else ["--begin", str(begin)]
                self._start([*setup["warm_args"], "--step-length", str(step), *more])
                sumo = Sumo(lib, setup)
                if setup["demand"] is not None:
                    if demand is None:
                        network = read_network(Path(setup["net"]))
                        demand = Demand(network, Wanted(*setup["demand"]), setup["seed"])
                    sumo.demand = demand
                per_second = round(1.0 / step)
                while lib.simulation.getTime() < until - 1e-6:
                    sumo.tend(walkers=False)
                    for _ in range(per_second):
                        lib.simulationStep()
                    now = lib.simulation.getTime()
                    if round(now) % 30 == 0:
                        self.progress(f"warming the traffic up: {now:.0f} s of {until:.0f} s")
                saved = str(aside)
                lib.simulation.saveState(saved)
            data = demand.save() if demand is not None else {}
            write_text(kept, json.dumps(data))
            os.replace(aside, state)
        finally:
            aside.unlink(missing_ok=True)

    def _check_map(self, sumo: Sumo) -> None:
        """The map and SUMO's network must be the same roads."""
        have = set(self.lib.trafficlight.getIDList())
        for group in sumo.groups:
            if group not in have:
                raise MarqueError(
                    f"the map has a signal group '{group}' that SUMO's network lacks; "
                    "map and traffic are of different networks"
                )
        edges = set(self.lib.edge.getIDList())
        for edge in sumo.setup["ego"]["route"]:
            if edge not in edges:
                raise MarqueError(
                    f"the route uses edge '{edge}' that SUMO's network lacks; "
                    "map and traffic are of different networks"
                )

    def reset(self, x: float, y: float, angle: float, speed: float, accel: float) -> bytes:
        """Insert the ego; the first frame."""
        sumo = self._sumo()
        sumo.insert_ego(x, y, angle)
        sumo.speed, sumo.accel = speed, accel
        return sumo.frame()

    def set_route(self, edges: tuple[str, ...]) -> None:
        """The ego's way from here on."""
        self._sumo().route_wanted = edges

    def facts(self) -> dict[str, Any]:
        sumo = self._sumo()
        return {
            **sumo.counts,
            "collisions_among_others": len(sumo.pairs),
            "collisions_with_ego": [[k, *v] for k, v in sumo.ego_pairs.items()],
            "vehicles": self.lib.vehicle.getIDCount(),
            "walkers": self.lib.person.getIDCount(),
        }

    def routes(self) -> dict[str, tuple[str, ...]]:
        """Who is on the road, and the edges of each one's route."""
        vehicle = self.lib.vehicle
        return {name: tuple(vehicle.getRoute(name)) for name in vehicle.getIDList()}

    def close(self) -> None:
        """Finish SUMO's own files."""
        self.closed = True
        if self.lib is not None and self.lib.isLoaded():
            self.lib.close()

    def step(self, payload: bytearray) -> bytes:
        """Move the ego, advance 0.1 s, the next frame."""
        sumo = self._sumo()
        x, y, angle, speed, accel, _ = EGO_STEP.unpack(payload)
        sumo.move_ego(x, y, angle, speed, accel)
        sumo.advance()
        return sumo.frame()

    def reference(self, task: dict[str, Any]) -> dict[str, Any]:
        """SUMO's own driver on the ego's route."""
        from marque.sim.worlds.sumo_driver import drive

        return drive(self._sumo(), task)

    def _sumo(self) -> Sumo:
        if self.sumo is None:
            raise MarqueError("SUMO has not been started")
        return self.sumo

    def serve(self) -> None:
        """Until the wire closes, or `close` was asked for."""
        while not self.closed:
            try:
                kind, payload = link.receive(self.wire)
            except (EOFError, OSError):
                return
            try:
                self._answer(kind, payload)
            except MarqueError as error:
                link.send(self.wire, link.ERROR, str(error).encode())
            except Exception as error:  # libsumo raises several kinds
                text = f"SUMO failed: {type(error).__name__}: {error}"
                print(text, file=sys.stderr, flush=True)
                link.send(self.wire, link.ERROR, text.encode())

    def _answer(self, kind: bytes, payload: bytearray) -> None:
        if kind == link.STEP:
            link.send(self.wire, link.FRAME, self.step(payload))
            return
        verb, args = pickle.loads(payload)
        answer = getattr(self, verb)(*args)
        if isinstance(answer, bytes):
            link.send(self.wire, link.FRAME, answer)
            return
        link.send(self.wire, link.ANSWER, pickle.dumps(answer, protocol=5))


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; Linux alone


def main() -> None:
    """Entry point."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    server = Server(socket.socket(fileno=int(sys.argv[1])))
    try:
        server.serve()
    finally:
        server.close()


if __name__ == "__main__":
    main()
