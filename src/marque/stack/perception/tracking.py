"""Track road users: lists of several sensors, late and out of order, into one belief of now.

Lists are taken in the order of their stamps, not of their arrival. What is older than every list
that may still come is settled; younger lists are taken again each cycle, on top of the settled
belief, so that one that arrives late falls into its place as if it had been in time. The result
is moved on to the present. The price is that a list is taken about twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import NS_PER_S, seconds
from marque.maps.lookup import LaneIndex
from marque.stack.perception.believed import Believed, believed
from marque.stack.perception.ego import Past, remember
from marque.stack.perception.gains import Gains, gain_rows, learn_gains, no_gains
from marque.stack.perception.intake import Dropped, Sighting, add_up, admit
from marque.stack.perception.motion import X, Y
from marque.stack.perception.noise import (
    KIND_PRIOR,
    SensorModel,
    kind_evidence,
    kind_table,
    sensor_table,
)
from marque.stack.perception.store import BORN_NS, UID, UNNAMED, Store, empty, take, with_room
from marque.stack.perception.update import CHANNELS, move_on, shares_in_sight, take_list
from marque.types.reading import EgoReading, ObjectList

LATE_NS = 160_000_000  # a list that comes later than this after its stamp is too late
NAMED_WITHIN_M = 4.0  # a birth that moved less than this when a late list came is the same

# which share of each of n tracks is in sight: (store, n, eye, table of kinds) -> [n]
Sight = Callable[[Store, int, FloatArray, FloatArray], FloatArray]


class Birth(NamedTuple):
    """A track's first moment: by it a name is found again when lists are taken again."""

    uid: int
    t_ns: int
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True, eq=False)
class TrackMemory:
    """What the tracker knows from before."""

    sensors: tuple[SensorModel, ...]
    table: FloatArray  # [S, 18] the sensors as rows
    index: LaneIndex | None  # to place tracks on lanes; None: on none
    settled: Store
    settled_ns: int  # of which instant that is
    closed_ns: int  # older lists come too late
    waiting: tuple[Sighting, ...] = ()  # younger than what is settled, by stamp
    past: Past = ()
    cradle: tuple[Birth, ...] = ()
    next_uid: int = 1
    gains: Gains = field(default_factory=no_gains)
    dropped: Dropped = field(default_factory=dict)  # what was not believed: how often, by name


_KINDS = kind_table()
_EVIDENCE = kind_evidence()
_PRIOR = np.log(KIND_PRIOR)


def start(
    sensors: tuple[SensorModel, ...], index: LaneIndex | None = None, t_ns: int = 0
) -> TrackMemory:
    """Memory before the first cycle. `ObjectList.sensor` counts into `sensors`.

    Raises ValueError: a sensor whose noise cannot be.
    """
    return TrackMemory(
        sensors, sensor_table(sensors), index, empty(), t_ns, -1, gains=no_gains(len(sensors))
    )


def track(
    memory: TrackMemory,
    ego: EgoReading,
    lists: tuple[ObjectList, ...],
    now_ns: int,
    sight: Sight = shares_in_sight,
) -> tuple[TrackMemory, Believed]:
    """Belief at `now_ns` from what came since the last cycle. Never raises on what came.

    ego: own motion at its own stamp; lists: in any order. `sight` says which tracks should be
    seen from where; by default, those that no other track hides.
    """
    past = remember(memory.past, ego)
    known = {(one.t_ns, one.sensor) for one in memory.waiting}
    new, dropped = admit(lists, memory.sensors, past, now_ns, memory.closed_ns, known)
    waiting = sorted((*memory.waiting, *new), key=lambda one: (one.t_ns, one.sensor))
    memory = replace(
        memory, past=past, dropped=add_up(memory.dropped, dropped), waiting=tuple(waiting)
    )
    memory = _settle(memory, now_ns - LATE_NS, sight)
    return _present(memory, now_ns, sight)


def _settle(memory: TrackMemory, until_ns: int, sight: Sight) -> TrackMemory:
    """Take for good what nothing can come before any more."""
    ready = [one for one in memory.waiting if one.t_ns <= until_ns]
    branch = _Branch(memory, memory.settled, memory.settled_ns)
    learnt = np.zeros((len(memory.sensors), CHANNELS, 2))
    for one in ready:
        branch.take(one, sight, learnt[one.sensor])
    return replace(
        memory,
        settled=branch.store,
        settled_ns=branch.t_ns,
        closed_ns=max(memory.closed_ns, until_ns),
        waiting=memory.waiting[len(ready) :],
        cradle=branch.births(until_ns),
        next_uid=branch.next_uid,
        gains=learn_gains(memory.gains, learnt),
    )


def _present(memory: TrackMemory, now_ns: int, sight: Sight) -> tuple[TrackMemory, Believed]:
    """Take for now what may still be preceded, and go on to the present."""
    branch = _Branch(memory, memory.settled, memory.settled_ns)
    for one in memory.waiting:
        branch.take(one, sight, np.zeros((CHANNELS, 2)))
    memory = replace(memory, cradle=branch.births(memory.settled_ns), next_uid=branch.next_uid)
    store = with_room(branch.store, 0)
    move_on(store, len(store.mean), seconds(now_ns - branch.t_ns), now_ns, _KINDS)
    return memory, believed(store, now_ns, memory.index)


class _Branch:
    """A run over lists from one belief on. Lives within one call."""

    __slots__ = ("_memory", "_rows", "_unclaimed", "_used", "next_uid", "store", "t_ns")

    def __init__(self, memory: TrackMemory, store: Store, t_ns: int) -> None:
        self._memory = memory
        self._rows = gain_rows(memory.gains)
        taken = set(store.facts[:, UID].tolist())
        self._unclaimed = [one for one in memory.cradle if one.uid not in taken]
        self._used: list[Birth] = []
        self.store = store
        self.t_ns = t_ns
        self.next_uid = memory.next_uid

    def take(self, one: Sighting, sight: Sight, learnt: FloatArray) -> None:
        """One list; `learnt` [4, 2] is added to."""
        n = len(self.store.mean)
        store = with_room(self.store, len(one.rows))
        move_on(store, n, seconds(one.t_ns - self.t_ns), one.t_ns, _KINDS)
        shares = sight(store, n, one.eye, _KINDS)
        sensor, gain = self._memory.table[one.sensor], self._rows[one.sensor]
        count, keep = take_list(
            store, n, one.rows, one.eye, sensor, gain, shares, _KINDS, _EVIDENCE, _PRIOR,
            one.t_ns, learnt,
        )  # fmt: skip
        self.store = take(store, np.flatnonzero(keep[:count]))
        self.t_ns = max(self.t_ns, one.t_ns)
        for row in np.flatnonzero(self.store.facts[:, UID] == UNNAMED):
            self.store.facts[row, UID] = self._name(int(row))

    def births(self, since_ns: int) -> tuple[Birth, ...]:
        """Names to be found again: of this run, and of runs before that may come back."""
        every = (*self._used, *self._unclaimed)
        return tuple(one for one in every if one.t_ns > since_ns - NS_PER_S)

    def _name(self, row: int) -> int:
        """The name of a newborn: that of the nearest birth of an earlier run, else a new one."""
        x, y = self.store.mean[row, X], self.store.mean[row, Y]
        t_ns = int(self.store.facts[row, BORN_NS])
        best = None
        for one in self._unclaimed:
            away = float(np.hypot(one.x_m - x, one.y_m - y))
            if abs(one.t_ns - t_ns) <= LATE_NS and away < NAMED_WITHIN_M:
                rank = (away, one.uid)
                best = min(best, (rank, one)) if best else (rank, one)
        if best is None:
            birth = Birth(self.next_uid, t_ns, float(x), float(y))
            self.next_uid += 1
        else:
            self._unclaimed.remove(best[1])
            birth = Birth(best[1].uid, t_ns, float(x), float(y))
        self._used.append(birth)
        return birth.uid
