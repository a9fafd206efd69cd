"""Let our car in: SUMO's drivers leave a gap for one another, and for us when we indicate.

SUMO tells the follower on the lane beside when one of its own cars wants to change there. Of a car
that is moved from outside it knows no wish, so that nobody would ever brake for our indicator.
Here whoever drives slowly behind the place where we want in, and sees us indicate for a while,
leaves the room of our car, once; who is already beside us drives on.

Runs in SUMO's process.
"""

from typing import Any

from marque.sim.worlds.sumo_read import EGO

LEFT, RIGHT = 1, 2  # as `types.codes.Indicator`
SEEN_S = 2.0  # so long we have indicated before anybody reacts
SLOW_MPS = 8.0  # who drives faster is past before it matters
LOOK_M = 25.0  # behind our rear bumper
ASKED_S = 12.0  # how long the gap is kept open
TIME_GAP_S, ROOM_M = 1.0, 3.0  # to our car, as if it were in that lane already
RATE, BRAKE_MPS2 = 0.5, 1.5  # opened gently


class LettingIn:
    """Who leaves a gap for our car."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.side = 0
        self.shown_s = 0.0
        self.asked: str | None = None
        self.asked_s = 0.0

    def look(self, side: int, dt_s: float) -> None:
        """With the indicator of our car as it is now; call it regularly."""
        self.shown_s = self.shown_s + dt_s if side == self.side and side in (LEFT, RIGHT) else 0.0
        self.side = side
        self.asked_s += dt_s
        if self.shown_s < SEEN_S or (self.asked is not None and self.asked_s < ASKED_S):
            return
        self.asked = self._next_behind()
        self.asked_s = 0.0
        if self.asked is not None:
            self.lib.vehicle.openGap(self.asked, TIME_GAP_S, ROOM_M, ASKED_S, RATE, BRAKE_MPS2, EGO)

    def _next_behind(self) -> str | None:
        """The first on the lane beside whose front is not yet beside us, near and slow."""
        vehicle, lane = self.lib.vehicle, self.lib.lane
        on, index = vehicle.getLaneID(EGO), vehicle.getLaneIndex(EGO)
        edge = vehicle.getRoadID(EGO)
        beside = index + (1 if self.side == LEFT else -1)
        if on[:1] == ":" or not 0 <= beside < self.lib.edge.getLaneNumber(edge):
            return None
        rear = vehicle.getLanePosition(EGO) - vehicle.getLength(EGO)
        for name in reversed(lane.getLastStepVehicleIDs(f"{edge}_{beside}")):
            at = vehicle.getLanePosition(name)
            if at >= rear or name == EGO:
                continue
            if at < rear - LOOK_M or vehicle.getSpeed(name) > SLOW_MPS:
                return None
            return str(name)
        return None
