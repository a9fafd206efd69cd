"""Drivers who block each other, and what ends that.

SUMO's drivers give way by the book: two who stand in a junction, each waiting for the other, wait
for ever, and soon the crossroads is full. People look at each other, and one goes. So does here
whoever has stood inside a junction for a while and sees nobody in the way or on the way to it: he
disregards priority until he is out, or until somebody moves into his way. Our car is seen like
anybody, and never told what to do. Who stand so that each has the other's bumper in the way cannot
do that, and SUMO's cars do not reverse: one of them is removed after a longer while, and counted.

Runs in SUMO's process.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import cos, hypot, radians, sin
from typing import Any

from marque.sim.worlds.sumo_read import EGO

GOES_AFTER_S = 15.0  # standing inside a junction
LOCKED_SHARE = 1.0 / 3.0  # who are in each other's way are lifted after so much of the time
AHEAD_M = 12.0  # way that must be free
LOOK_S = 4.0  # who moves is taken to go straight on for so long
STEP_M = 0.5
BESIDE_M = 0.1  # room kept on each side
APART_M = 50.0  # one at a time within this
BY_THE_BOOK, GOES_FIRST = 31, 55  # SUMO's speed modes: with and without priority at junctions

Body = tuple[float, float, float, float, float]  # front x, y, heading, length, width


class Courtesy:
    """Who goes first where all stand inside a junction."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.spared = {EGO}  # never told to go: driven by us, not by SUMO's driver
        self.going: set[str] = set()
        self.went_first = 0  # how often somebody did

    def choose(self) -> None:
        """Once per second: let the longest waiting go whose way is free."""
        self.watch()
        vehicle = self.lib.vehicle
        waiting = [(-vehicle.getWaitingTime(name), name) for name in vehicle.getIDList()]
        taken = [vehicle.getPosition(name) for name in self.going]
        for waited, name in sorted(waiting):
            if -waited < GOES_AFTER_S:
                return
            if name in self.spared or name in self.going or vehicle.getStopState(name) != 0:
                continue
            x, y = vehicle.getPosition(name)
            if not self._inside(name) or any(hypot(x - u, y - v) < APART_M for u, v in taken):
                continue
            if self._way_is_free(name):
                vehicle.setSpeedMode(name, GOES_FIRST)
                self.going.add(name)
                self.went_first += 1
                taken.append((x, y))

    def locked(self, least_s: float) -> str | None:
        """Somebody who has stood that long inside a junction, in the way of who are in his way."""
        vehicle = self.lib.vehicle
        waits: dict[str, float]
        waits = {name: vehicle.getWaitingTime(name) for name in vehicle.getIDList() if name != EGO}
        long = [name for name, s in waits.items() if s >= least_s and self._inside(name)]
        blockers = {name: self._blockers(name) & set(long) for name in long}
        for name in sorted(long, key=lambda n: (-waits[n], n)):
            if name in _reached(name, blockers):
                return name
        return None

    def watch(self) -> None:
        """At every step: who is out, or meets somebody, goes by the book again."""
        if not self.going:
            return
        vehicle = self.lib.vehicle
        for name in sorted(self.going):
            here = name in vehicle.getIDList()
            if here and self._inside(name) and self._way_is_free(name):
                continue
            self.going.discard(name)
            if here:
                vehicle.setSpeedMode(name, BY_THE_BOOK)

    def _inside(self, name: str) -> bool:
        return bool(self.lib.vehicle.getLaneID(name)[:1] == ":")

    def _way_is_free(self, name: str) -> bool:
        return not self._blockers(name)

    def _blockers(self, name: str) -> set[str]:
        way = self._way(name)
        room = 0.5 * self.lib.vehicle.getWidth(name) + BESIDE_M
        return {
            other
            for other, body in self._others(name, way[0])
            if any(_gap(at, body) < room for at in way[1:])
        }

    def _way(self, name: str) -> list[tuple[float, float]]:
        """Where its front bumper is, and points of its lanes from there on."""
        vehicle, lane = self.lib.vehicle, self.lib.lane
        onward = [link[4] for link in vehicle.getNextLinks(name)[:2] if link[4]]
        line: list[tuple[float, float]] = []
        for each in dict.fromkeys([vehicle.getLaneID(name), *onward]):
            line.extend(lane.getShape(each))
        front = vehicle.getPosition(name)
        return [front, *_sample(line, vehicle.getLanePosition(name) + 0.5 * STEP_M)]

    def _others(self, name: str, front: tuple[float, float]) -> Iterable[tuple[str, Body]]:
        """What the others near take up until `LOOK_S` from now."""
        for domain in (self.lib.vehicle, self.lib.person):
            for other in domain.getIDList():
                x, y = domain.getPosition(other)
                away = hypot(x - front[0], y - front[1])
                if away > 100.0 or (other == name and domain is self.lib.vehicle):
                    continue
                length, on = domain.getLength(other), LOOK_S * domain.getSpeed(other)
                if away > AHEAD_M + length + on:
                    continue
                h = radians(90.0 - domain.getAngle(other))
                body = x + on * cos(h), y + on * sin(h), h, length + on, domain.getWidth(other)
                yield other, body


def _reached(start: str, onward: dict[str, set[str]]) -> set[str]:
    """All that one comes to from `start`."""
    found: set[str] = set()
    todo = [start]
    while todo:
        new = onward[todo.pop()] - found
        found |= new
        todo.extend(new)
    return found


def _sample(line: list[tuple[float, float]], start_m: float) -> list[tuple[float, float]]:
    """Points every STEP_M of a polyline from `start_m` on, for AHEAD_M or as far as it goes."""
    points: list[tuple[float, float]] = []
    passed, wanted = 0.0, start_m
    for (ax, ay), (bx, by) in pairwise(line):
        long = hypot(bx - ax, by - ay)
        while wanted <= min(passed + long, start_m + AHEAD_M):
            t = (wanted - passed) / long if long > 0.0 else 0.0
            points.append((ax + t * (bx - ax), ay + t * (by - ay)))
            wanted += STEP_M
        passed += long
    return points


def _gap(at: tuple[float, float], body: Body) -> float:
    """Distance of a point to a body; 0 inside."""
    x, y, h, length, width = body
    dx, dy = at[0] - x, at[1] - y
    along = dx * cos(h) + dy * sin(h)
    across = abs(-dx * sin(h) + dy * cos(h)) - 0.5 * width
    return hypot(max(0.0, across), max(0.0, along, -length - along))
