"""Many short drives from one saved state of SUMO's traffic, each in the place of one of its cars.

The state is loaded once; each drive runs in a copy of SUMO's process (see `sumo_child.branch`), so
that it costs no loading, begins with exactly that state, and leaves it as it was.
"""

from dataclasses import dataclass
from math import cos, pi, radians, sin
from typing import Any

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo import SumoSpec, SumoWorld, pickled
from marque.sim.worlds.sumo_link import ASK
from marque.sim.worlds.sumo_taken import PLACE
from marque.types.world import EgoTruth, World

__all__ = ["Place", "SumoStates"]


@dataclass(frozen=True, slots=True)
class Place:
    """One of SUMO's cars whose place may be taken: its lane of the map, how far from its end."""

    name: str
    lane: int
    left_m: float
    speed_mps: float
    edges: tuple[str, ...]  # of its route, from its own on


class SumoStates(SumoWorld):
    """SUMO's traffic at one instant, to which one may come back. A `WorldPort` once begun."""

    def __init__(self, spec: SumoSpec) -> None:
        super().__init__(spec)
        self._away = False

    def branch(self) -> list[Place]:
        """Begin a drive; whose place may be taken."""
        self.rejoin()
        rows: list[tuple[Any, ...]] = self._link.ask("branch")
        self._away = True
        return [Place(*row) for row in rows]

    def take(self, name: str, far_m: float) -> World:
        """Our car in the place of somebody; the truth at t = 0. MarqueError: SUMO refuses, or
        nothing was branched."""
        if not self._away:
            raise MarqueError("a drive from a state begins with branch()")
        self._t_ns = 0
        self.names.clear()
        self.events.clear()
        self._link.send(ASK, pickled("take", name, far_m))
        data = self._link.receive()
        x, y, angle, speed = PLACE.unpack_from(data)
        h = pi - (pi - radians(90.0 - angle)) % (2.0 * pi)
        front = self._spec.ego_front_m
        ego = EgoTruth(x - front * cos(h), y - front * sin(h), h, speed, 0.0, 0.0, 0.0, 0.0)
        return self._world(ego, data[PLACE.size :])

    def rejoin(self) -> None:
        """Back to the state; may be called at any time."""
        if self._away:
            self._away = False
            self._link.ask("rejoin")

    def close(self) -> None:
        """End it; may be called twice."""
        if not self._closed and self._away:
            self.rejoin()
        super().close()
