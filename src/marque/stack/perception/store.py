"""The tracks as arrays, and the columns in them."""

from typing import Any, NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.stack.perception.motion import SIZE
from marque.types.codes import Indicator, UserKind

# columns of `Store.slow`
(
    LOGIT,  # of existence
    LEN, WID, LEN_VAR, WID_VAR,
    FACING,  # for how long, net, its box pointed where we believe it points
    BODY,  # where the box of a walker points
    STILL_S,
    # sums, fading within `liveliness.FADE_S`, of normalised innovations and of their variances
    SURGE, SURGE_N,  # along
    SWAY, SWAY_N,  # across
) = range(12)  # fmt: skip
SLOW = 12

# columns of `Store.facts`
(
    UID,
    KIND,
    TURNING,  # 1: moves as a vehicle, 0: as a walker
    HITS,
    SURE,  # 1: was once believed to exist, and is shown
    OPEN_NS,  # when a sensor last had it in plain sight, as far as we believe
    SEEN_NS,
    BORN_NS,
) = range(8)  # fmt: skip

# columns of a detection, map frame
(
    D_X, D_Y, D_SCORE, D_HAS_KIND, D_KIND, D_HAS_BOX, D_HEADING, D_LENGTH, D_WIDTH,
    D_HAS_VELOCITY, D_VX, D_VY, D_HAS_RATE, D_RATE, D_HAS_INDICATOR, D_INDICATOR,
    D_RANGE, D_RAY_X, D_RAY_Y,
) = range(19)  # fmt: skip

UNNAMED = -1


class Store(NamedTuple):
    """n tracks, all at one time. Not to be written to but by who made the copy."""

    mean: FloatArray  # [n, 6] see motion.py
    cov: FloatArray  # [n, 6, 6]
    slow: FloatArray  # [n, 12]
    kinds: FloatArray  # [n, K] log-probability by UserKind
    lights: FloatArray  # [n, 4] log-probability by Indicator
    facts: IntArray  # [n, 8]


def empty() -> Store:
    """Nobody."""
    return Store(
        np.zeros((0, SIZE)),
        np.zeros((0, SIZE, SIZE)),
        np.zeros((0, SLOW)),
        np.zeros((0, len(UserKind))),
        np.zeros((0, len(Indicator))),
        np.zeros((0, 8), dtype=np.int64),
    )


def with_room(store: Store, more: int) -> Store:
    """A copy with `more` rows of zeros at the end."""

    def wide(column: Any) -> Any:
        out = np.zeros((len(column) + more, *column.shape[1:]), dtype=column.dtype)
        out[: len(column)] = column
        return out

    return Store._make(map(wide, store))


def take(store: Store, keep: IntArray) -> Store:
    """The rows `keep`, copied."""
    return Store._make(column[keep] for column in store)
