"""The state of W worlds with N road users each: one array for each quantity.

Slot i of a world is a road user for all of a run; when its trip ends it begins another. Lists of
who stands on a lane are woven through the slots (`nxt` ahead, `prv` behind), so nothing is ever
sorted. Slots from N on are shadows: who changes lanes casts one on the lane that its body has not
left yet, for those who come behind there.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from marque.core.arrays import FloatArray, Int32Array, IntArray
from marque.types.road_map import NONE

NOBODY = -1
RealArray = npt.NDArray[np.float32]
LEAST_SHADOWS, SHADOW_SHARE = 8, 10

# counters, one row for each world
(
    ROAD_USER_STEPS, DISTANCE, STANDING, CHANGES, CROSSINGS, ARRIVED, BEGUN, UNLAWFUL,
    HARD, REROUTED, STUCK, SPEED_SUM, WAITING_STEPS, WALKED, TRIP_SECONDS,
) = range(15)  # fmt: skip
COUNTERS = 15


# rows of `World.real`, float32
(
    AT,  # front of the body along its lane, m
    SPEED,
    SIZE,  # length of the body
    ACC,
    HEADWAY,  # s
    ACCEL,  # the most they accelerate with
    FAC,  # how they take the limit
    WAIT,  # seconds standing
    LAT,  # beside the middle, left positive, m
) = range(9)
REALS = 9
# rows of `World.whole`, int32
(
    LANE,  # engine lane; NONE: waiting to begin a trip, or a free shadow
    AHEAD,  # who is ahead on the lane
    BEHIND,
    GOAL,  # of a walker: 1 with the crosswalk's axis, 0 against it
    VIA,  # connector to take at the end of the lane
    CAME,  # the connector before
    PASS1,  # connectors that they can no longer stop before, or have decided to enter
    PASS2,
    SHADOW,  # their shadow's slot
    TRIP,  # number of the trip
    BEGAN,  # step at which it began
    CHANGED,  # step of the last change of lanes
    KIND,
    BLIND,  # looks away now and then
    OWNER,  # of the g-th shadow: whose it is
) = range(15)
WHOLES = 15
FIRST, LAST = 0, 1  # rows of `World.row`: rearmost and foremost of each lane
STEP, NEXT_SHADOW, USERS = 0, 1, 2  # in `World.clock`
CLAIMED, DUE = 0, 1  # rows of `Scratch.walks`


class World(NamedTuple):
    """One world, or with a first axis more several. N slots and G shadows, M = N + G.

    Few arrays with many rows, because a compiled call pays for each array that it passes on.
    """

    real: RealArray  # [REALS, M]
    whole: Int32Array  # [WHOLES, M]
    row: Int32Array  # [2, E + W]
    counts: FloatArray  # [COUNTERS]
    clock: IntArray  # [3]


class Scratch(NamedTuple):
    """What one thread needs while it computes one step of one world."""

    near: Int32Array  # [E] who comes to a connector next, NONE
    near_m: RealArray  # [E] metres to where it begins
    used: Int32Array  # [4N + 1] connectors with such an entry, their number last
    heads: Int32Array  # [H + 1]
    asks: Int32Array  # [E] who has to come over to a lane and cannot yet, NONE
    walks: RealArray  # [2, W + 1] somebody who can no longer stop comes; when one comes, s


@dataclass(frozen=True, slots=True, eq=False)
class Worlds:
    """W worlds: a `World` of arrays with a first axis more."""

    rows: World
    users: int  # N

    @property
    def count(self) -> int:
        """W."""
        return int(self.rows.clock.shape[0])

    @property
    def nbytes(self) -> int:
        """Of all arrays."""
        return sum(array.nbytes for array in self.rows)

    def world(self, index: int) -> World:
        """One world: views."""
        return World(*(array[index] for array in self.rows))


def new_worlds(count: int, users: int, lanes: int) -> Worlds:
    """Empty worlds. lanes: E + W, crosswalks among them."""
    shadows = max(LEAST_SHADOWS, users // SHADOW_SHARE)
    real = np.zeros((count, REALS, users + shadows), dtype=np.float32)
    whole = np.full((count, WHOLES, users + shadows), NONE, dtype=np.int32)
    real[:, [SIZE, HEADWAY, ACCEL, FAC]] = 1.0
    whole[:, [GOAL, TRIP, BEGAN, KIND, BLIND]] = 0
    whole[:, CHANGED] = -1000
    clock = np.zeros((count, 3), dtype=np.int64)
    clock[:, USERS] = users
    row = np.full((count, 2, lanes), NONE, dtype=np.int32)
    return Worlds(World(real, whole, row, np.zeros((count, COUNTERS)), clock), users)


def new_scratch(threads: int, lanes: int, users: int, heads: int, walks: int) -> Scratch:
    """Scratch for each thread (first axis)."""
    return Scratch(
        near=np.full((threads, lanes), NONE, dtype=np.int32),
        near_m=np.zeros((threads, lanes), dtype=np.float32),
        used=np.zeros((threads, 4 * users + 1), dtype=np.int32),
        heads=np.zeros((threads, heads + 1), dtype=np.int32),
        asks=np.full((threads, lanes), NONE, dtype=np.int32),
        walks=np.zeros((threads, 2, walks + 1), dtype=np.float32),
    )


def scratch_row(scratch: Scratch, thread: int) -> Scratch:
    """One thread's scratch, for callers that are not compiled: views."""
    return Scratch(*(array[thread] for array in scratch))


def snapshot(worlds: Worlds) -> World:
    """A copy of all that decides how the worlds go on."""
    return worlds.rows._replace(**{k: v.copy() for k, v in worlds.rows._asdict().items()})


def restore(worlds: Worlds, saved: World) -> None:
    """Back to a snapshot of the same worlds."""
    for name, old in saved._asdict().items():
        getattr(worlds.rows, name)[...] = old
