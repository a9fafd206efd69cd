"""Eyes: whoever would drive into our body brakes for it.

A driver of SUMO's looks along lanes, and knows of our car only on the lane that SUMO has put it on:
of one that stands aslant, that swings out in a hairpin, or that leads it on a lane across a
junction which ends where its own does, nothing is seen. Here it sees our body where its own way
leads, and does what it does behind anybody: it keeps the speed from which it can still stop, with
no more braking than SUMO asks of it. Who is too near for that hits us; and who crosses the way of
our car in motion keeps to SUMO's rules. In a bend as tight as a car can turn ours needs the room of
two lanes, so there it waits for the next metres of our way, too, as people do before a hairpin.
Whom our standing body leaves enough of their lane drives past it (`sumo_aside`).

Runs in SUMO's process.
"""

from contextlib import suppress
from itertools import pairwise
from math import atan2, cos, dist, hypot, radians, sin, sqrt
from typing import Any

from marque.sim.worlds.sumo_aside import Aside, needed
from marque.sim.worlds.sumo_bodies import Box, behind, box_of, overlap
from marque.sim.worlds.sumo_lanes import STEP_M, Lanes
from marque.sim.worlds.sumo_read import EGO

BRAKE_MPS2, REACTS_S = 4.5, 0.6  # as SUMO's drivers have it
GAP_M = 0.5  # before our body
LOOK_M = 12.0  # and more, for who has moved aside and may be past it
NOSE_M, BESIDE_M = 2.0, 0.15  # of their body that meets ours; room on each side
STANDS_MPS, CRAWLS_MPS = 1.0, 3.0
ALONG = 0.7  # cosine of headings: we lead them, or come towards them
TIGHT_1PM, MOVES_MPS = 0.06, 0.5  # how tight a bend is, in which we are under way,
AHEAD_M = (2.0, 4.0, 6.0, 8.0)  # so that our body will be there in a moment
OWN_SPEED = -1.0  # SUMO's word for: drive as you like
STEP_S = 0.1


class Eyes:
    """Who brakes for our body."""

    def __init__(self, lib: Any, lanes: Lanes) -> None:
        self.lib = lib
        self.lanes = lanes
        self.aside = Aside(lib)
        self.braking: set[str] = set()
        self.brakes = 0  # how often somebody began to

    def hold(
        self,
        close: list[str],
        ours: Box,
        speed: float,
        bend: float = 0.0,
        in_junction: bool = False,
    ) -> None:
        """At every step, with those near us, our body, our speed, and how we turn, 1/m. Who stands
        inside a junction may be waiting for them."""
        tight = abs(bend) > TIGHT_1PM and (speed > MOVES_MPS or not in_junction)
        soon = [driven(ours, way, bend) for way in AHEAD_M] if tight else []
        for name in self.braking.difference(close):
            self._release(name)
        for name in list(self.aside.want):
            self._past(name, ours)
        self.aside.move()
        for name in close:
            try:
                theirs = self.lib.vehicle.getSpeed(name)
                safe = self._safe(name, theirs, ours, speed, soon)
            except self.lib.TraCIException:
                self.braking.discard(name)
                continue
            if safe < theirs + BRAKE_MPS2 * STEP_S:
                if name not in self.braking:
                    self.braking.add(name)
                    self.brakes += 1
                self.lib.vehicle.setSpeed(name, max(0.0, safe, theirs - BRAKE_MPS2 * STEP_S))
            elif name in self.braking:
                self._release(name)

    def _release(self, name: str) -> None:
        self.braking.discard(name)
        with suppress(self.lib.TraCIException):  # they may have left the traffic
            self.lib.vehicle.setSpeed(name, OWN_SPEED)

    def _safe(self, name: str, theirs: float, ours: Box, speed: float, soon: list[Box]) -> float:
        """Speed from which they can stop behind us; anything where we are not in their way."""
        vehicle = self.lib.vehicle
        reach = GAP_M + stops_in(theirs) + 2.0 * STEP_M
        x, y = vehicle.getPosition(name)
        half = 0.5 * hypot(ours[3], ours[4])
        if dist((x, y), ours[:2]) > reach + half + NOSE_M + (AHEAD_M[-1] if soon else 0.0):
            return 1e3
        width = vehicle.getWidth(name)
        h = radians(90.0 - vehicle.getAngle(name))
        if overlap(ours, behind((x, y), h, NOSE_M, width)):
            return 1e3  # they touch us: let go
        wide = width + 2.0 * BESIDE_M
        beside = vehicle.getLateralLanePosition(name)
        met = self._meets(name, [ours], reach, wide, beside)
        if met is None:
            return self._waits(name, soon, reach, (x, y, h, width))
        way, heading, at = met
        if speed < STANDS_MPS and not self.aside.moves(name, beside):
            past = reach + ours[3] + width  # clear of all of our body, not of its first corner
            self.aside.seek(
                name,
                width,
                needed(ours, at, heading, beside, wide),
                lambda d: self._meets(name, [ours], past, wide, d) is None,
            )
        along = cos(heading - ours[2])
        if abs(along) < ALONG and speed > STANDS_MPS and theirs > CRAWLS_MPS:
            return 1e3
        leads = max(0.0, speed * along) if along > ALONG else 0.0
        leader = vehicle.getLeader(name, reach)
        if leader and leader[0] == EGO and leads > 0.0:
            return 1e3  # SUMO sees to it
        return stopping(way, leads)

    def _waits(
        self, name: str, soon: list[Box], reach: float, nose: tuple[float, float, float, float]
    ) -> float:
        """The same before where our body will be, unless they are there already."""
        x, y, h, width = nose
        if not soon or any(overlap(one, behind((x, y), h, NOSE_M, width)) for one in soon):
            return 1e3
        beside = self.lib.vehicle.getLateralLanePosition(name)
        met = self._meets(name, soon, reach, width, beside)
        return 1e3 if met is None else stopping(met[0], 0.0)

    def _past(self, name: str, ours: Box) -> None:
        """Who moved aside for our body goes back to the middle where it is clear of it."""
        vehicle = self.lib.vehicle
        with suppress(self.lib.TraCIException):
            body = box_of(vehicle, name)
            beside, speed = vehicle.getLateralLanePosition(name), vehicle.getSpeed(name)
            x, y, h, length, width = body
            wide = width + 2.0 * BESIDE_M
            middle = (x + beside * sin(h), y - beside * cos(h), h, length, wide)
            reach = LOOK_M + stops_in(speed)
            if not overlap(ours, middle) and self._meets(name, [ours], reach, wide, 0.0) is None:
                self.aside.back(name)

    def _meets(
        self, name: str, ours: list[Box], reach: float, width: float, beside: float
    ) -> tuple[float, float, tuple[float, float]] | None:
        """(metres until their nose touches one of the boxes, if it goes on so far `beside` the
        middle of its lanes, their heading there, the place)."""
        vehicle = self.lib.vehicle
        gone = vehicle.getLanePosition(name) % STEP_M  # since the first of the points
        half = 0.5 * hypot(ours[0][3], ours[0][4]) + NOSE_M + width
        for i, (a, b) in enumerate(pairwise(self.lanes.ahead(name, reach + STEP_M))):
            if a == b or all(dist(a, one[:2]) > half for one in ours):
                continue
            h = atan2(b[1] - a[1], b[0] - a[0])
            at = (b[0] - beside * sin(h), b[1] + beside * cos(h))
            if any(overlap(one, behind(at, h, NOSE_M, width)) for one in ours):
                return max(0.0, i * STEP_M - gone), h, at
        return None


def stops_in(speed: float) -> float:
    """Metres in which one stops: reaction and braking."""
    return REACTS_S * speed + speed**2 / (2.0 * BRAKE_MPS2)


def stopping(way: float, leads: float) -> float:
    """Speed from which one can stop within a way, behind somebody who drives with `leads`."""
    room = max(0.0, way - GAP_M)
    b = BRAKE_MPS2 * REACTS_S
    return sqrt(b * b + leads * leads + 2.0 * BRAKE_MPS2 * room) - b


def driven(body: Box, way: float, bend: float) -> Box:
    """Where a body is when it has gone on for a way, turning as now."""
    x, y, h, length, width = body
    turn = bend * way
    middle = h + 0.5 * turn
    return x + way * cos(middle), y + way * sin(middle), h + turn, length, width
