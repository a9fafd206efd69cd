"""Look where our body is: nobody slides sideways into our car while they stand, or crawls into it.

SUMO's driver looks when a change of lanes begins, not while it lasts, and finishes it at 0.5 m/s
even at a standstill: a body moves sideways as no car can. Here whoever stands so, with our car or
the room right before it on that side, stays where they are until we are out of the way. Where
nobody is beside, they slide on: who stands at the end of a lane has no other way out of it.
A driver there also follows the lane alone that SUMO puts somebody on: of a car that stands aslant,
with its rear still in the way, nothing is seen. Whoever crawls up to our body stops before it.

Runs in SUMO's process.
"""

from math import cos, dist, radians, sin
from typing import Any

from marque.sim.worlds.sumo_read import EGO

STANDS_MPS = 0.5  # slower than this a lane change is sliding, not driving
LOOK_M = 60.0  # who may come beside us within the next second
SLIDES_M = 1.0  # sideways, in two seconds
AHEAD_S, LEAST_AHEAD_M = 2.0, 2.0  # of our way
BESIDE_M = 0.3  # room kept on each side of us
CRAWL_MPS, NEAR_M = 3.0, 20.0  # who drives faster keeps to SUMO's own rules
GAP_M, BRAKE_MPS2 = 0.3, 3.0
OWN_SPEED = -1.0  # SUMO's word for: drive as you like
STILL_MPS = 1e-4  # as near to zero as SUMO can divide by

Box = tuple[float, float, float, float, float]  # middle x, y, heading, length, width


class Beside:
    """Who waits for our car with the rest of a change of lanes."""

    def __init__(self, lib: Any, length_m: float, width_m: float) -> None:
        self.lib = lib
        self.length_m, self.width_m = length_m, width_m  # of our car
        self.close: list[str] = []
        self.held: dict[str, float] = {}  # and how fast they move sideways otherwise
        self.holds = 0  # how often somebody was held
        self.stopped: set[str] = set()  # who stands before our body
        self.stops = 0  # how often somebody was stopped

    def look(self, x0: float, y0: float) -> None:
        """Once per second: who is near our car."""
        vehicle = self.lib.vehicle
        self.close = [
            name
            for name in vehicle.getIDList()
            if name != EGO and dist(vehicle.getPosition(name), (x0, y0)) < LOOK_M
        ]

    def hold(self, front: tuple[float, float, float], speed: float) -> None:
        """At every step, with the middle of our front bumper (x, y, angle) and our speed."""
        vehicle = self.lib.vehicle
        gone = self.lib.TraCIException
        ours: Box | None = None
        body = self._our_box(front, 0.0, 0.0)
        for name in self.close:
            try:
                theirs = vehicle.getSpeed(name)
                self._mind(name, theirs, body)
                sideways = vehicle.getLateralSpeed(name)
                slides = sideways != 0.0 and theirs < STANDS_MPS
            except gone:
                self.held.pop(name, None)
                self.stopped.discard(name)
                continue
            if not slides:
                self._release(name)
                continue
            ours = ours or self._our_box(front, max(LEAST_AHEAD_M, AHEAD_S * speed), BESIDE_M)
            if overlap(ours, self._slid(name, sideways)):
                self._keep(name)
            else:
                self._release(name)

    def _mind(self, name: str, speed: float, body: Box) -> None:
        """Stop who is about to crawl into our body; who touches it is let go."""
        vehicle = self.lib.vehicle
        stops = False
        if speed <= CRAWL_MPS and dist(vehicle.getPosition(name), body[:2]) < NEAR_M:
            x, y, h, length, width = box_of(vehicle, name)
            way = GAP_M + speed**2 / (2.0 * BRAKE_MPS2)
            ahead = (x + 0.5 * way * cos(h), y + 0.5 * way * sin(h), h, length + way, width)
            stops = overlap(body, ahead) and not overlap(body, (x, y, h, length, width))
        if stops and name not in self.stopped:
            self.stopped.add(name)
            self.stops += 1
            vehicle.setSpeed(name, 0.0)
        elif not stops and name in self.stopped:
            self.stopped.discard(name)
            vehicle.setSpeed(name, OWN_SPEED)

    def _our_box(self, front: tuple[float, float, float], ahead_m: float, beside_m: float) -> Box:
        """Our body, longer ahead and wider on each side."""
        h = radians(90.0 - front[2])
        back = 0.5 * (self.length_m - ahead_m)  # from the front bumper to the middle
        x, y = front[0] - back * cos(h), front[1] - back * sin(h)
        return x, y, h, self.length_m + ahead_m, self.width_m + 2.0 * beside_m

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


def box_of(vehicle: Any, name: str) -> Box:
    """Of a vehicle, whose point is the middle of its front bumper."""
    x, y = vehicle.getPosition(name)
    h, length = radians(90.0 - vehicle.getAngle(name)), vehicle.getLength(name)
    return (
        x - 0.5 * length * cos(h),
        y - 0.5 * length * sin(h),
        h,
        length,
        vehicle.getWidth(name),
    )


def overlap(a: Box, b: Box) -> bool:
    """Two oriented boxes: separating axes."""
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
