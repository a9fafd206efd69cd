"""World: the truth of one instant. The stack and the guard never see it."""

from dataclasses import dataclass

from marque.core.arrays import FloatArray, Int8Array, Int32Array, IntArray, freeze_arrays


@dataclass(frozen=True, slots=True, eq=False)
class RoadUsers:
    """Every road user but the ego, n of them. x, y: middle of the box on the ground, map frame."""

    uid: IntArray  # [n] stable over a drive
    kind: Int8Array  # [n] UserKind
    x_m: FloatArray  # [n]
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray  # along the heading
    accel_mps2: FloatArray
    length_m: FloatArray
    width_m: FloatArray
    indicator: Int8Array  # [n] Indicator
    lane: Int32Array  # [n] lane of the RoadMap the user is on, NONE if on none

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class EgoTruth:
    """Our car. x, y: rear axle centre, map frame."""

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float  # longitudinal
    lat_accel_mps2: float  # of the centre of gravity, left positive
    yaw_rate_radps: float
    steer_rad: float  # road wheel


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Truth at `t_ns`."""

    t_ns: int
    ego: EgoTruth
    users: RoadUsers
    heads: Int8Array  # [H] SignalState of each signal head of the RoadMap

    def __post_init__(self) -> None:
        freeze_arrays(self)
