"""The empty road: nobody but our car, and signals that run by the map's own programs."""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from marque.core.arrays import FloatArray, Int8Array
from marque.core.time import NS_PER_S, PLAN_STEP_NS
from marque.sim.worlds.port import TrafficCounts
from marque.types.codes import Indicator, SignalState
from marque.types.episode import Event
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, RoadUsers, World

LETTERS: Mapping[str, SignalState] = MappingProxyType(
    {
        "r": SignalState.RED,
        "y": SignalState.AMBER,
        "Y": SignalState.AMBER,
        "G": SignalState.GREEN,
        "g": SignalState.GREEN_YIELD,
        "u": SignalState.RED_AMBER,
        "o": SignalState.OFF,
        "O": SignalState.OFF,
        "s": SignalState.STOP_THEN_GO,
    }
)


class EmptyWorld:
    """No traffic at all. A `RoadWorld`."""

    label = "none (empty road, signals by the map's programs)"

    def __init__(self, road_map: RoadMap) -> None:
        self._programs = Programs(road_map)
        self._users = nobody()
        self._t_ns = 0
        self.names: dict[int, str] = {}
        self.events: list[Event] = []

    def reset(self, ego: EgoTruth) -> World:
        """The truth at t = 0."""
        self._t_ns = 0
        return self._world(ego)

    def step(self, ego: EgoTruth, indicator: Indicator = Indicator.OFF) -> World:
        """100 ms later."""
        self._t_ns += PLAN_STEP_NS
        return self._world(ego)

    def counts(self) -> TrafficCounts:
        """Nothing ever happens here."""
        return TrafficCounts(0, 0, 0, 0)

    def set_route(self, edges: tuple[str, ...]) -> None:
        """Nobody is there to be told."""

    def facts(self) -> dict[str, str]:
        """For printing."""
        return {"simulator": "none", "signals": "the map's own programs, from their beginning"}

    def close(self) -> None:
        """Nothing to end."""

    def _world(self, ego: EgoTruth) -> World:
        heads = self._programs.heads(self._t_ns / NS_PER_S)
        return World(t_ns=self._t_ns, ego=ego, users=self._users, heads=heads)


class Programs:
    """Fixed-time signal programs of a map: the state of every head at any time."""

    def __init__(self, road_map: RoadMap) -> None:
        self._group = road_map.head_group
        self._offset_s = road_map.group_offset_s
        off = road_map.phase_off
        self._ends_s: list[FloatArray] = [
            np.cumsum(road_map.phase_duration_s[a:b]) for a, b in pairwise(off.tolist())
        ]
        self._states = [
            _states_of(road_map, group) for group in range(len(road_map.group_name))
        ]  # per group: [phases, heads of the group]
        self._heads_of = [np.flatnonzero(self._group == g) for g in range(len(self._states))]

    def heads(self, t_s: float) -> Int8Array:
        """[H] states. A positive offset delays a program; a head without a program is dark."""
        heads = np.full(len(self._group), int(SignalState.OFF), dtype=np.int8)
        for group, states in enumerate(self._states):
            if len(states):
                heads[self._heads_of[group]] = states[self._phase(group, t_s)]
        return heads

    def _phase(self, group: int, t_s: float) -> int:
        ends = self._ends_s[group]
        at = (t_s - float(self._offset_s[group])) % float(ends[-1])
        return min(int(np.searchsorted(ends, at + 1e-9, side="right")), len(ends) - 1)


def nobody() -> RoadUsers:
    """No road users."""
    real, whole, small = np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int8)
    return RoadUsers(
        uid=whole,
        kind=small,
        x_m=real,
        y_m=real,
        heading_rad=real,
        speed_mps=real,
        accel_mps2=real,
        length_m=real,
        width_m=real,
        indicator=small,
        lane=np.zeros(0, np.int32),
    )


def _states_of(road_map: RoadMap, group: int) -> Int8Array:
    phases = range(int(road_map.phase_off[group]), int(road_map.phase_off[group + 1]))
    links = road_map.head_link[road_map.head_group == group].tolist()
    rows = [[letter_state(road_map.phase_state[phase], link) for link in links] for phase in phases]
    total_s = float(road_map.phase_duration_s[phases.start : phases.stop].sum())
    if total_s <= 0.0:
        return np.zeros((0, len(links)), dtype=np.int8)
    return np.array(rows, dtype=np.int8).reshape(len(rows), len(links))


def letter_state(letters: str, link: int) -> int:
    """SignalState of one link by a phase's letters; OFF where the phase has none for it."""
    if not 0 <= link < len(letters):
        return int(SignalState.OFF)
    return int(LETTERS.get(letters[link], SignalState.UNKNOWN))
