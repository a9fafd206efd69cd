"""Plan: where the car will be, and what it does if nothing better comes."""

from dataclasses import dataclass

from marque.core.arrays import FloatArray, freeze_arrays
from marque.types.codes import Indicator, Reason

STEP_S = 0.1
STEPS = 81  # 0..8 s


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Rear axle centre over time, `STEP_S` apart, map frame. After the end the car stands."""

    x_m: FloatArray  # [T]
    y_m: FloatArray
    heading_rad: FloatArray
    curvature_1pm: FloatArray
    s_m: FloatArray  # travelled along the path since sample 0
    speed_mps: FloatArray
    accel_mps2: FloatArray

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Sample 0 of both trajectories is at `t_ns`: the instant from which the plan is in force.

    `fallback` comes to a stop within the same corridor and was verified against the scene that
    the plan was made from; the guard tracks it when the plan may not be followed.
    `margins` are the numbers the proof rests on, by name.
    """

    made_ns: int
    t_ns: int
    trajectory: Trajectory
    fallback: Trajectory
    valid_until_ns: int
    manoeuvre: str  # e.g. "keep", "change_left", "nudge", "stop"
    reason: Reason
    reason_uid: int  # the road user behind the reason, -1 if none
    indicator: Indicator
    margins: tuple[tuple[str, float], ...]
