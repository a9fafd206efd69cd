"""Reading: what sensors and buses deliver. Everything in it carries its own stamp."""

from dataclasses import dataclass

from marque.core.arrays import FloatArray, Int8Array, IntArray, freeze_arrays


@dataclass(frozen=True, slots=True, eq=False)
class EgoReading:
    """Own motion as measured. x, y: rear axle centre, map frame."""

    t_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    yaw_rate_radps: float
    steer_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Road users in range and line of sight, n of them. x, y: middle of the box, map frame."""

    t_ns: int
    uid: IntArray  # [n] the sensor's own track id
    kind: Int8Array  # [n] UserKind
    x_m: FloatArray  # [n]
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    accel_mps2: FloatArray
    length_m: FloatArray
    width_m: FloatArray
    indicator: Int8Array  # [n] Indicator

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.uid)


@dataclass(frozen=True, slots=True, eq=False)
class SignalReading:
    """Signal heads in view. `state[h]` is UNKNOWN for a head that is not seen."""

    t_ns: int
    state: Int8Array  # [H] SignalState, by head of the RoadMap

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One delivery to the stack: the newest of each part, each with its own stamp."""

    t_ns: int
    ego: EgoReading
    detections: Detections
    signals: SignalReading


def finite(reading: Reading) -> bool:
    """Whether every number in the reading is finite."""
    ego = reading.ego
    total = (
        ego.x_m
        + ego.y_m
        + ego.heading_rad
        + ego.speed_mps
        + ego.accel_mps2
        + ego.yaw_rate_radps
        + ego.steer_rad
    )
    if total - total != 0.0:
        return False
    found = reading.detections
    total = float(
        found.x_m.sum()
        + found.y_m.sum()
        + found.heading_rad.sum()
        + found.speed_mps.sum()
        + found.accel_mps2.sum()
        + found.length_m.sum()
        + found.width_m.sum()
    )
    return total - total == 0.0
