"""Command: what is asked of the car for the next 20 ms."""

from dataclasses import dataclass

from marque.types.codes import Indicator


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """Longitudinal acceleration and path curvature of the rear axle (left positive)."""

    t_ns: int
    accel_mps2: float
    curvature_1pm: float
    indicator: Indicator
