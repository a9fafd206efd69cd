"""One run of SUMO: its traffic tended, our car placed in it, step by step.

Runs in SUMO's process.
"""

import contextlib
from math import hypot, radians
from typing import Any

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo_bends import Bends
from marque.sim.worlds.sumo_beside import Beside
from marque.sim.worlds.sumo_bodies import Box, behind, box_of, overlap
from marque.sim.worlds.sumo_deadlock import LOCKED_SHARE, Courtesy
from marque.sim.worlds.sumo_demand import CYCLIST_PREFIX, Demand
from marque.sim.worlds.sumo_eyes import Eyes
from marque.sim.worlds.sumo_lanes import Lanes, Point
from marque.sim.worlds.sumo_merging import LettingIn
from marque.sim.worlds.sumo_read import EGO, NEAR_M, Readout

SENSOR_M = 120.0
WAKE_M, DOZE_M = 220.0, 270.0  # nearer than this drivers decide every 0.1 s; beyond, less often
LIFT_CLEAR_M = 200.0  # a deadlock is lifted at once only beyond this
# So far beside every lane of our route we have missed a turn. Less may be a hairpin that we swing
# out in, where SUMO's lanes cut the corner, and theirs that come towards us may be nearer.
AWAY_M, ON_LANE_M = 8.0, 1.8
OFF_NETWORK_M = 1e6  # SUMO's word for a place beside its lanes
BEND_KNOWN_M = 0.03  # in a step
NEAR_LIFT_FACTOR = 2.0  # nearer, it is given that much longer


class Sumo(Readout):
    """One run of SUMO: warmed, with or without our car, read out step by step."""

    def __init__(self, lib: Any, setup: dict[str, Any]) -> None:
        super().__init__(lib, setup)
        self.demand: Demand | None = None
        self.courtesy = Courtesy(lib)
        self.letting_in = LettingIn(lib)
        lines = Lanes(lib)
        self.bends = Bends(lib, lines)
        self.eyes = Eyes(lib, lines)
        self.beside_us = Beside(lib, setup["ego"]["length"], setup["ego"]["width"])
        self.indicator = 0  # of the ego
        self.awake: set[str] = set()  # drivers near the ego, who decide at every step
        self.speed = 0.0
        self.accel = 0.0
        self.bend = 0.0  # of our way, 1/m
        self.has_ego = False
        self.driven = True  # the ego is placed by us, not by SUMO's driver
        self.route: tuple[str, ...] = ()
        self.route_wanted: tuple[str, ...] | None = None
        self.free_map = False
        self.beside = False  # of our lane, farther than SUMO takes for being on it

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
        """Once per second: replace arrivals, end deadlocks."""
        if self.demand is not None:
            vehicles, cyclists, on_foot = self.present()
            ego = self.front[:2] if self.has_ego else None
            if not walkers:
                on_foot = self.demand.target.walkers
            waits = self.lib.vehicle.getWaitingTime
            standing = sum(1 for name in self.lib.vehicle.getIDList() if waits(name) > 0.0)
            self.demand.tend(_Verbs(self), (vehicles, cyclists, on_foot), standing, ego)
        self.courtesy.choose()
        self.lift_deadlocks()
        if not self.has_ego:
            return
        others = self.others()
        self.beside_us.look(others)
        self.bends.look(others)
        if self.driven:
            self.letting_in.look(self.indicator, 1.0)
        if self.setup["far_s"] > 0.0:
            self.wake_near(others)

    def others(self) -> dict[str, Point]:
        """Everybody on wheels but the ego, by its place as seen from the ego's front, m."""
        x0, y0, _ = self.front
        place = self.lib.vehicle.getPosition
        found = {name: place(name) for name in self.lib.vehicle.getIDList() if name != EGO}
        return {name: (x - x0, y - y0) for name, (x, y) in found.items()}

    def wake_near(self, others: dict[str, Point]) -> None:
        """Let drivers near the ego decide at every step, and those far away less often."""
        awake = self.awake
        for name, (x, y) in others.items():
            away = max(abs(x), abs(y))
            if away < WAKE_M:
                if name not in awake:
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
        """Remove who heads its lane and has stood too long, and sooner who is locked in a
        junction; SUMO's own teleports are off.
        """
        limit = self.setup["deadlock_s"]
        if limit <= 0.0:
            return
        locked = self.courtesy.locked(LOCKED_SHARE * limit)
        if locked is not None:
            self._lift(locked, LOCKED_SHARE * limit)
        vehicle = self.lib.vehicle
        for name in vehicle.getIDList():
            waited = vehicle.getWaitingTime(name)
            if waited < limit or name == EGO or vehicle.getStopState(name) != 0:
                continue
            on = self.lib.lane.getLastStepVehicleIDs(vehicle.getLaneID(name))
            if on and on[-1] == name:
                self._lift(name, limit)

    def _lift(self, name: str, limit_s: float) -> None:
        """Remove somebody, but for a while not where our car would see it."""
        vehicle = self.lib.vehicle
        away = self._from_ego(name)
        if away < LIFT_CLEAR_M and vehicle.getWaitingTime(name) < NEAR_LIFT_FACTOR * limit_s:
            return
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
            self.wake_near(self.others())
        self._clear_room()  # once more: the others moved in this step and had not seen us
        self._clear_followers()
        self.counts = dict.fromkeys(self.counts, 0) | {
            "removed_for_ego": self.counts["removed_for_ego"]
        }
        self.pairs.clear()
        self.ego_pairs.clear()
        self.news.clear()

    def _body(self) -> Box:
        x, y, angle = self.front
        ego = self.setup["ego"]
        return behind((x, y), radians(90.0 - angle), ego["length"], ego["width"])

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
        mx, my, h, length, width = self._body()
        vehicle = self.lib.vehicle
        for name in vehicle.getIDList():
            px, py = vehicle.getPosition(name)
            if name == EGO or not hypot(px - mx, py - my) < 40.0:
                continue
            changing = abs(vehicle.getLateralLanePosition(name)) > 0.02
            beside = 4.0 if changing else 0.6
            if overlap((mx, my, h, length + 5.0, width + beside), box_of(vehicle, name)):
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
            keep = 2 if self.free_map else (1 if self.beside else 3)
            vehicle.moveToXY(EGO, hint, lane, x, y, angle, keep)
        except lib.TraCIException:
            self._move_anyhow(x, y, angle)
        self._note_bend(x, y, angle)
        self.front, self.speed, self.accel = (x, y, angle), speed, accel

    def _note_bend(self, x: float, y: float, angle: float) -> None:
        """How we turn, left positive; while we stand, as before."""
        way = hypot(x - self.front[0], y - self.front[1])
        if way > BEND_KNOWN_M:
            turn = (self.front[2] - angle + 180.0) % 360.0 - 180.0
            self.bend = radians(turn) / way

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
        """After a missed turn the position fits no lane of the route: map freely, then re-route.
        Where we only swing out, we stay on our lane, or those behind would not see us."""
        with contextlib.suppress(self.lib.TraCIException):
            aside = abs(self.lib.vehicle.getLateralLanePosition(EGO))
            off = aside > OFF_NETWORK_M
            if self.beside and not off:  # SUMO has put us onto the lane
                x, y = self.lib.vehicle.getPosition(EGO)
                aside = hypot(x - self.front[0], y - self.front[1])
            lost = self.free_map and self.route_wanted is not None
            self.free_map = lost or (aside > AWAY_M and (self.beside or not off))
            self.beside = off or (self.beside and aside > ON_LANE_M)

    # -- stepping --------------------------------------------------------------------------------

    def advance(self) -> None:
        """One step of 0.1 s, and what happened in it."""
        lib = self.lib
        lib.simulationStep()
        self.tick += 1
        self._take_events()
        self.courtesy.watch()
        if self.has_ego:
            self.beside_us.hold(self.front, self.speed)
            self.bends.hold()
            inside = self._in_junction()
            self.eyes.hold(self.beside_us.close, self._body(), self.speed, self.bend, inside)
        if self.has_ego and self.driven:
            self._check_mapping()
        if self.tick % 10 == 0:
            self.tend(walkers=True)

    def _in_junction(self) -> bool:
        with contextlib.suppress(self.lib.TraCIException):
            return bool(self.lib.vehicle.getRoadID(EGO)[:1] == ":")
        return False

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
