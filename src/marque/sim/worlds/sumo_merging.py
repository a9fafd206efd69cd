"""Let our car in: SUMO's drivers leave a gap for one another, and for us when we indicate.

SUMO tells the follower on the lane beside when one of its own cars wants to change there. Of a car
that is moved from outside it knows no wish, so that nobody would ever brake for our indicator.
Here whoever drives slowly behind the place where we want in, and sees us indicate for a while,
leaves the room of our car, once; who is already beside us drives on. On a fast road the first who
comes behind us there does so too, again and again, as long as soft braking is all that it takes:
SUMO asks as much of followers for its own cars, and more.

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
REACTS_S = 1.0
FAST_MPS, FAST_LOOK_M = 22.0, 60.0  # limit of a fast road, and how far behind us who drives there
SLOWER_MPS = 5.0  # so much slower than they we may be: with more we are no part of the flow
OPENS_S = 5.0  # within this the gap must be there, and so long it is kept open


class LettingIn:
    """Who leaves a gap for our car."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.side = 0
        self.shown_s = 0.0
        self.asked: str | None = None
        self.asked_s = 0.0
        self.kept_s = ASKED_S

    def look(self, side: int, dt_s: float) -> None:
        """With the indicator of our car as it is now; call it regularly."""
        self.shown_s = self.shown_s + dt_s if side == self.side and side in (LEFT, RIGHT) else 0.0
        self.side = side
        self.asked_s += dt_s
        if self.shown_s < SEEN_S or (self.asked is not None and self.asked_s < self.kept_s):
            return
        self.asked = self._next_behind()
        self.asked_s = 0.0
        if self.asked is not None:
            slow = self.lib.vehicle.getSpeed(self.asked) <= SLOW_MPS
            self.kept_s = ASKED_S if slow else OPENS_S
            self.lib.vehicle.openGap(
                self.asked, TIME_GAP_S, ROOM_M, self.kept_s, RATE, BRAKE_MPS2, EGO
            )

    def _next_behind(self) -> str | None:
        """The first on the lane beside whose front is not yet beside us, if they let us in."""
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
            return str(name) if self._lets_in(name, rear - at) else None
        return None

    def _lets_in(self, name: str, gap_m: float) -> bool:
        """Whether somebody `gap_m` behind our rear would: near and slow, or on a fast road with
        soft braking alone."""
        vehicle = self.lib.vehicle
        theirs, ours = vehicle.getSpeed(name), vehicle.getSpeed(EGO)
        closing = max(0.0, theirs - ours)
        if gap_m < REACTS_S * closing + closing**2 / (2.0 * BRAKE_MPS2):
            return False  # would come to stand beside us, and neither could go
        if theirs <= SLOW_MPS:
            return bool(gap_m <= LOOK_M)
        fast = self.lib.lane.getMaxSpeed(vehicle.getLaneID(name)) >= FAST_MPS
        if not fast or gap_m > FAST_LOOK_M or ours < theirs - SLOWER_MPS:
            return False
        there_m = gap_m + (ours - theirs) * OPENS_S + 0.5 * BRAKE_MPS2 * OPENS_S**2
        return bool(there_m >= ROOM_M + TIME_GAP_S * ours)
