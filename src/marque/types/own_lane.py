"""Own lane: the lane under our car as its painted marks alone show it. No map stands behind it."""

import math
from dataclasses import dataclass

from marque.core.arrays import FloatArray, freeze_arrays
from marque.types.codes import Integrity

OFFSET, SLOPE, BEND, TWIST, WIDTH = range(5)  # rows of the covariance


@dataclass(frozen=True, slots=True)
class Mark:
    """The line on one side: when it was last seen (-1: never), and whether it is solid."""

    seen_ns: int = -1
    solid: bool = False


@dataclass(frozen=True, slots=True)
class LimitSign:
    """A speed limit sign that holds for our lane, `s_m` ahead along it."""

    s_m: float
    limit_mps: float


@dataclass(frozen=True, slots=True, eq=False)
class OwnLane:
    """Belief at `t_ns`, in the car's frame (rear axle, x forward, y left).

    Its middle begins `offset_m` to the left of our rear axle in the direction `slope_rad`, and
    bends with `bend_1pm` + `twist_1pm2` * s. The covariance is that of these four and the width,
    in this order. `ahead_m`: how far marks show it; beyond, it is a guess. When integrity is
    UNKNOWN, the numbers are only the best guess that is left.
    """

    t_ns: int
    offset_m: float
    slope_rad: float
    bend_1pm: float
    twist_1pm2: float
    width_m: float
    covariance: FloatArray  # [5, 5]
    integrity: Integrity
    ahead_m: float
    left: Mark
    right: Mark
    ends_m: float = math.inf  # where one of its lines ends and the other goes on
    limit_mps: float = math.inf  # of the last sign passed; inf: none was seen
    signs: tuple[LimitSign, ...] = ()  # ahead

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def spread_m(self, s_m: float) -> float:
        """One sigma of where the middle lies sideways, `s_m` ahead."""
        row = (1.0, s_m, s_m * s_m / 2.0, s_m**3 / 6.0)
        p = self.covariance
        var = sum(row[i] * row[j] * float(p[i, j]) for i in range(4) for j in range(4))
        return math.sqrt(max(0.0, var))
