"""Look beside: nobody slides sideways into our car while they stand.

SUMO's driver looks when a change of lanes begins, not while it lasts, and finishes it at 0.5 m/s
even at a standstill: a body moves sideways as no car can. Here whoever stands so, with our car or
the room right before it on that side, stays where they are until we are out of the way. Where
nobody is beside, they slide on: who stands at the end of a lane has no other way out of it.

Runs in SUMO's process.
"""

from math import cos, hypot, radians, sin
from typing import Any

from marque.sim.worlds.sumo_bodies import Box, behind, box_of, overlap
from marque.sim.worlds.sumo_lanes import Point

STANDS_MPS = 0.5  # slower than this a lane change is sliding, not driving
LOOK_M = 60.0  # who may come beside us within the next second
SLIDES_M = 1.0  # sideways, in two seconds
AHEAD_S, LEAST_AHEAD_M = 2.0, 2.0  # of our way
BESIDE_M = 0.3  # room kept on each side of us
STILL_MPS = 1e-4  # as near to zero as SUMO can divide by


class Beside:
    """Who waits for our car with the rest of a change of lanes."""

    def __init__(self, lib: Any, length_m: float, width_m: float) -> None:
        self.lib = lib
        self.length_m, self.width_m = length_m, width_m  # of our car
        self.close: list[str] = []
        self.held: dict[str, float] = {}  # and how fast they move sideways otherwise
        self.holds = 0  # how often somebody was held

    def look(self, others: dict[str, Point]) -> None:
        """Once per second, with everybody's place as seen from us: who is near our car."""
        self.close = [name for name, (x, y) in others.items() if hypot(x, y) < LOOK_M]

    def hold(self, front: tuple[float, float, float], speed: float) -> None:
        """At every step, with the middle of our front bumper (x, y, angle) and our speed."""
        vehicle = self.lib.vehicle
        gone = self.lib.TraCIException
        ours: Box | None = None
        for name in self.close:
            try:
                theirs = vehicle.getSpeed(name)
                sideways = vehicle.getLateralSpeed(name)
                slides = sideways != 0.0 and theirs < STANDS_MPS
            except gone:
                self.held.pop(name, None)
                continue
            if not slides:
                self._release(name)
                continue
            ours = ours or self._our_box(front, max(LEAST_AHEAD_M, AHEAD_S * speed))
            if overlap(ours, self._slid(name, sideways)):
                self._keep(name)
            else:
                self._release(name)

    def _our_box(self, front: tuple[float, float, float], ahead_m: float) -> Box:
        """Our body, longer ahead and wider on each side."""
        h = radians(90.0 - front[2])
        nose = front[0] + ahead_m * cos(h), front[1] + ahead_m * sin(h)
        return behind(nose, h, self.length_m + ahead_m, self.width_m + 2.0 * BESIDE_M)

    def _slid(self, name: str, sideways: float) -> Box:
        """Where its body is, and will be when it has slid on."""
        x, y, h, length, width = box_of(self.lib.vehicle, name)
        half = 0.5 * SLIDES_M if sideways > 0.0 else -0.5 * SLIDES_M  # to the left is positive
        return x - half * sin(h), y + half * cos(h), h, length, width + SLIDES_M

    def _keep(self, name: str) -> None:
        if name not in self.held:
            self.held[name] = self.lib.vehicle.getMaxSpeedLat(name)
            self.lib.vehicle.setMaxSpeedLat(name, STILL_MPS)
            self.holds += 1

    def _release(self, name: str) -> None:
        if name in self.held:
            self.lib.vehicle.setMaxSpeedLat(name, self.held.pop(name))
