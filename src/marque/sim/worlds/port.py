"""What any world of traffic offers to the closed loop."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from marque.types.codes import Indicator
from marque.types.episode import Event
from marque.types.world import EgoTruth, World


@dataclass(frozen=True, slots=True, eq=False)
class TrafficCounts:
    """What the traffic itself did, for the printed summary."""

    inserted: int
    teleports: int
    teleports_near_ego: int  # within sensor range
    collisions_among_others: int  # as reported by the traffic simulator, without the ego


class WorldPort(Protocol):
    """A world in which our car is one road user among others it did not write."""

    label: str  # printed and stored, e.g. "SUMO 1.28.0"

    def reset(self, ego: EgoTruth) -> World:
        """Bring the traffic to the start of the drive, with the ego in it; the truth at t = 0."""
        ...

    def step(self, ego: EgoTruth, indicator: Indicator = Indicator.OFF) -> World:
        """Put the ego where it is at the end of the step, showing what it shows, advance 100 ms,
        return the truth.

        Raises MarqueError when the simulator behind it died.
        """
        ...

    def counts(self) -> TrafficCounts:
        """Totals since `reset`."""
        ...

    def close(self) -> None:
        """End it; may be called twice."""
        ...


@runtime_checkable
class RoadWorld(WorldPort, Protocol):
    """A world that people drive in: it can be told our way, and says what it is and what it saw."""

    names: dict[int, str]  # uid -> the traffic simulator's own name
    events: list[Event]  # news since `reset`, in the order of time

    def set_route(self, edges: tuple[str, ...]) -> None:
        """Tell the others where we are going from here on."""
        ...

    def facts(self) -> dict[str, str]:
        """How the traffic was set up and what it did, for printing."""
        ...


WORLD_OVER = "scenario over"


@runtime_checkable
class EndingWorld(WorldPort, Protocol):
    """A world that comes to an end of its own."""

    over: str  # why, "" while it goes on
