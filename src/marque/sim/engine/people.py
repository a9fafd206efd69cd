"""Who is on the road: kinds of road users and the spread of their habits.

Lengths and speeds are draft values of their class; the car-following parameters of the car are
SUMO's defaults for IDM, so that the two engines can be compared.
"""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.types.codes import UserKind

CAR, TRUCK, BUS, MOTORCYCLE, BICYCLE, WALKER = range(6)


K_LENGTH, K_ACCEL, K_BRAKE, K_HEADWAY, K_STAND, K_TOP = range(6)  # rows of `KINDS`
KINDS = np.array(
    [
        [4.6, 8.0, 11.0, 2.2, 1.7, 0.5],  # length, m
        [2.0, 1.1, 1.1, 2.5, 1.0, 1.0],  # acceleration, m/s^2
        [2.5, 2.2, 2.2, 2.8, 2.0, 2.0],  # comfortable braking
        [1.2, 1.5, 1.4, 1.1, 1.0, 1.0],  # headway, s
        [2.0, 2.5, 2.5, 1.5, 1.0, 0.5],  # gap at a stand, m
        [55.0, 25.0, 23.6, 55.0, 6.0, 1.35],  # top speed, m/s
    ]
)
Kinds = FloatArray  # [6, K]
KIND_USER = np.array(
    [
        UserKind.CAR, UserKind.TRUCK, UserKind.BUS,
        UserKind.MOTORCYCLE, UserKind.BICYCLE, UserKind.PEDESTRIAN,
    ],
    dtype=np.int8,
)  # fmt: skip
KIND_WIDTH_M = np.array([1.85, 2.4, 2.5, 0.8, 0.65, 0.6])
NAMES = ("car", "truck", "bus", "motorcycle", "bicycle", "walker")


@dataclass(frozen=True, slots=True)
class Habits:
    """Which rules of the road users differ from run to run."""

    model: str = "idm"  # idm | krauss
    speed_spread: float = 0.1  # standard deviation of how a driver takes the limit
    headway_spread: float = 0.15
    inattentive: float = 0.0  # share of drivers who look away now and then
    mix: tuple[float, ...] = (0.84, 0.05, 0.01, 0.02, 0.04, 0.04)  # shares of the kinds
    lane_changes: bool = True

    def __post_init__(self) -> None:
        """MarqueError: an unknown model, or shares that are none."""
        if self.model not in ("idm", "krauss"):
            raise MarqueError(f"no car-following model '{self.model}'; have [idm, krauss]")
        if not 0.0 <= self.inattentive <= 1.0:
            raise MarqueError(f"a share of inattentive drivers is 0 to 1, not {self.inattentive:g}")
        if len(self.mix) != len(NAMES) or min(self.mix) < 0.0 or not sum(self.mix) > 0.0:
            raise MarqueError(f"a mix has a share of at least 0 for each of [{', '.join(NAMES)}]")
