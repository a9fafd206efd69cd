"""Aside: who would only brush our standing body steers past it, within their lane.

A driver of SUMO's keeps to the middle of its lane, whatever juts into it by a hand's breadth: where
our car waits before a narrow bend, both would stand for good. Here it moves aside while it drives,
as far as its lane has room, and back to the middle when it is past.

Runs in SUMO's process.
"""

from collections.abc import Callable
from contextlib import suppress
from math import cos, sin
from typing import Any

from marque.sim.worlds.sumo_bodies import Box

SLOPE, MOST_MPS = 0.15, 0.5  # sideways per metre driven; and per second
MORE_M = (0.02, 0.1, 0.2)  # on top of what the corners need, where the way bends
THERE_M = 0.01
STEP_S = 0.1


class Aside:
    """Who drives beside the middle of its lane because of our car."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.want: dict[str, float] = {}  # metres from the middle, left positive
        self.passed = 0  # how often somebody began to

    def seek(
        self, name: str, width: float, needs: list[float], clear: Callable[[float], bool]
    ) -> bool:
        """Whether a vehicle as wide as `width`, with room on each side, gets past; it then does."""
        lane = self.lib.vehicle.getLaneID(name)
        room = 0.5 * (self.lib.lane.getWidth(lane) - width) if lane else 0.0
        for need in sorted(needs, key=abs):
            for more in MORE_M:
                aside = need + more if need > 0.0 else need - more
                if abs(aside) <= room and clear(aside):
                    self.passed += name not in self.want
                    self.want[name] = aside
                    return True
        return False

    def moves(self, name: str, now: float) -> bool:
        """Whether it is on its way aside."""
        return abs(self.want.get(name, now) - now) > THERE_M

    def back(self, name: str) -> None:
        """To the middle again."""
        self.want[name] = 0.0

    def move(self) -> None:
        """At every step: sideways, as far as who drives gets in it."""
        vehicle = self.lib.vehicle
        for name, want in list(self.want.items()):
            try:
                now, sideways = vehicle.getLateralLanePosition(name), vehicle.getLateralSpeed(name)
                most = STEP_S * min(MOST_MPS, SLOPE * vehicle.getSpeed(name))
            except self.lib.TraCIException:
                del self.want[name]
                continue
            if sideways != 0.0:
                continue  # SUMO changes lanes with them
            if want == 0.0 and abs(now) <= most:
                del self.want[name]
            with suppress(self.lib.TraCIException):
                vehicle.setLateralLanePosition(name, now + max(-most, min(most, want - now)))


def needed(
    ours: Box, at: tuple[float, float], heading: float, beside: float, width: float
) -> list[float]:
    """How far to the left and to the right of their lane's middle one as wide as `width` clears our
    body, who meets it `beside` the middle, with the nose `at` a place."""
    across = (ours[1] - at[1]) * cos(heading) - (ours[0] - at[0]) * sin(heading)
    turn = ours[2] - heading
    half = 0.5 * (ours[3] * abs(sin(turn)) + ours[4] * abs(cos(turn)) + width)
    return [beside + across + half, beside + across - half]
