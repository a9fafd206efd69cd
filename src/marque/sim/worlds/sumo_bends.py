"""Bends: nobody near our car takes one faster than a vehicle on wheels can.

SUMO's drivers know the limit of a lane, and of lanes across junctions one that suits the turn; of a
bend between junctions they know nothing, and go round a hairpin of 6 m at 50 km/h. Here each of
those near our car is held to the speed that a bend allows, braking softly before it. What SUMO
itself allows across junctions stays.

Runs in SUMO's process.
"""

from math import hypot, sqrt
from typing import Any

from marque.sim.worlds.sumo_lanes import STEP_M, Lanes, Point, curvatures

LOOK_M = 150.0  # around our car
LATERAL_MPS2, LONG_LATERAL_MPS2, LONG_M = 4.0, 2.5, 7.0  # as people drive; and of long vehicles
BRAKING_MPS2 = 2.0  # before a bend
FREE_MPS = 60.0  # nobody is held above this
SLOWEST_MPS = 2.0
DEPTH = 4  # lanes ahead, for the braking
STEP_S = 0.1


class Bends:
    """Who near our car is held to what the bends allow."""

    def __init__(self, lib: Any, lanes: Lanes) -> None:
        self.lib = lib
        self.lanes = lanes
        self.allowed: dict[str, list[float]] = {}  # of a lane: speed of a car at each `STEP_M`
        self.caps: dict[str, list[float]] = {}  # the same, with braking for what follows
        self.close: list[tuple[str, float]] = []  # name, share of a car's speed
        self.held: dict[str, float] = {}  # and how fast they are else

    def look(self, others: dict[str, Point]) -> None:
        """Once per second, with everybody's place as seen from us: who is near our car."""
        near = [name for name, (x, y) in others.items() if hypot(x, y) < LOOK_M]
        self.close = [(name, self._share(name)) for name in near]
        for name in set(self.held).difference(near):
            self._release(name)

    def hold(self) -> None:
        """At every step."""
        vehicle, gone = self.lib.vehicle, self.lib.TraCIException
        for name, share in self.close:
            try:
                lane = vehicle.getLaneID(name)
                way = vehicle.getLanePosition(name) + vehicle.getSpeed(name) * STEP_S
            except gone:
                self.held.pop(name, None)
                continue
            cap = share * self._cap(lane, way)
            own = self.held[name] if name in self.held else vehicle.getMaxSpeed(name)
            if cap < own:
                self.held[name] = own
                vehicle.setMaxSpeed(name, max(SLOWEST_MPS, cap))
            elif name in self.held:
                self._release(name)

    def _release(self, name: str) -> None:
        own = self.held.pop(name)
        if name in self.lib.vehicle.getIDList():
            self.lib.vehicle.setMaxSpeed(name, own)

    def _share(self, name: str) -> float:
        long = self.lib.vehicle.getLength(name) > LONG_M
        return sqrt(LONG_LATERAL_MPS2 / LATERAL_MPS2) if long else 1.0

    def _cap(self, lane: str, way_m: float) -> float:
        if not lane:
            return FREE_MPS
        caps = self.caps.get(lane)
        if caps is None:
            caps = self.caps[lane] = self._profile(lane, DEPTH)
        return caps[min(len(caps) - 1, max(0, int(way_m / STEP_M)))]

    def _profile(self, lane: str, depth: int) -> list[float]:
        """Speeds along a lane that its bends allow, and braking for those that follow."""
        caps = list(self._allowed(lane))
        end = FREE_MPS
        if depth > 0:
            onward = self.lanes.onward(lane)
            # the fastest way on: nobody brakes for a bend that is not theirs
            end = max((self._profile(each, depth - 1)[0] for each in onward), default=FREE_MPS)
        for i in range(len(caps) - 1, -1, -1):
            caps[i] = min(caps[i], sqrt(end * end + 2.0 * BRAKING_MPS2 * STEP_M))
            end = caps[i]
        return caps

    def _allowed(self, lane: str) -> list[float]:
        """What the bends of a lane allow, place by place."""
        found = self.allowed.get(lane)
        if found is None:
            bends = curvatures(self.lanes.line(lane))
            if lane[:1] == ":":
                bends = [0.0] * len(bends)  # across a junction SUMO has its own limit for the turn
            found = [min(FREE_MPS, sqrt(LATERAL_MPS2 / max(k, 1e-6))) for k in bends]
            self.allowed[lane] = found
        return found
