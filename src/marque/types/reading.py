"""Reading: what sensors and buses deliver. Everything in it carries its own stamp."""

from dataclasses import dataclass

from marque.core.arrays import (
    BoolArray,
    FloatArray,
    Int8Array,
    Int32Array,
    IntArray,
    freeze_arrays,
)
from marque.types.takeover import Cabin, Weather


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
class Imu:
    """Inertial measurement, the mean over the base step that ends at `t_ns`, in car axes
    (x forward, y left, z up; the mounting is calibrated away)."""

    t_ns: int
    accel_mps2: tuple[float, float, float]  # specific force: at rest on level ground (0, 0, g)
    gyro_radps: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Gnss:
    """One satellite fix. x, y: antenna, map frame; course: direction of motion, from east,
    counter-clockwise, of no use at rest. The sigmas are the receiver's own opinion."""

    t_ns: int  # when it was true, not when it came
    x_m: float
    y_m: float
    speed_mps: float
    course_rad: float
    position_sigma_m: float  # per axis
    speed_sigma_mps: float


@dataclass(frozen=True, slots=True, eq=False)
class Bus:
    """What the car's own bus tells of its motion."""

    t_ns: int
    wheel_mps: tuple[float, float, float, float]  # front left, front right, rear left, rear right
    steer_rad: float  # road wheel, from the steering wheel's angle and the ratio


@dataclass(frozen=True, slots=True, eq=False)
class ObjectList:
    """What one sensor found at one instant, n objects, in the car's frame at `t_ns` (rear axle,
    x forward, y left). A column says nothing where its mask is False; its value there is 0.

    A camera gives kinds, boxes and indicators, and positions that are poor along the ray; a radar
    gives positions and the speed along the ray, no kinds and no boxes; a lidar gives positions,
    boxes and speeds, kinds by their shape. Nobody gives identities.
    """

    sensor: int  # which of the car's sensors
    t_ns: int  # when it was true, not when it came
    x_m: FloatArray  # [n] middle of the box; where there is no box, of the side that reflects
    y_m: FloatArray
    score: FloatArray  # [n] how sure the sensor is that something is there, 0 to 1
    has_kind: BoolArray  # [n]
    kind: Int8Array  # [n] UserKind
    has_box: BoolArray  # [n]
    heading_rad: FloatArray  # [n] against our own
    length_m: FloatArray
    width_m: FloatArray
    has_velocity: BoolArray  # [n] over ground, in the axes of our car
    vx_mps: FloatArray
    vy_mps: FloatArray
    has_rate: BoolArray  # [n] speed over ground along the ray from the sensor, away positive
    rate_mps: FloatArray
    has_indicator: BoolArray  # [n]
    indicator: Int8Array  # [n] Indicator

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.x_m)


@dataclass(frozen=True, slots=True, eq=False)
class LaneMarks:
    """Pieces of painted lines and kerbs along lanes, n of them, as a camera finds them: places and
    directions in the car's frame at `t_ns` (rear axle, x forward, y left)."""

    t_ns: int  # when it was true, not when it came
    x_m: FloatArray  # [n]
    y_m: FloatArray
    heading_rad: FloatArray  # [n] of the line, against our own, in [-pi/2, pi/2)
    solid: BoolArray  # [n] not to be crossed: a solid line or a kerb

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.x_m)


@dataclass(frozen=True, slots=True, eq=False)
class SignalReading:
    """Signal heads in view. `state[h]` is UNKNOWN for a head that is not seen."""

    t_ns: int
    state: Int8Array  # [H] SignalState, by head of the RoadMap

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Signals, stop lines and signs as a camera finds them, n of them: places and the direction of
    the traffic that they are for, in the car's frame at `t_ns` (rear axle, x forward, y left)."""

    t_ns: int  # when it was true, not when it came
    kind: Int8Array  # [n] Furniture
    x_m: FloatArray  # [n] in the middle of the lane that it is for
    y_m: FloatArray
    heading_rad: FloatArray  # [n]
    value: FloatArray  # [n] SignalState of a signal, m/s of a limit, else 0

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class RoadAhead:
    """The road within about 200 m, of the map, the measured place and the measured signals alone,
    in the car's frame at `t_ns` (rear axle, x forward, y left). The guard's own eyes: nothing of it
    comes from what the stack believes or plans.

    L lines: centre lines over junctions, with the piece of lane that leads there. E entries: ways
    into junctions that we may take. Z zones: ground that an entry shares with a way of others who
    go first. Places are arc lengths along lines.
    """

    t_ns: int
    line_off: Int32Array  # [L+1]
    line_xy_m: FloatArray  # [P, 2]
    line_s_m: FloatArray  # [P] from the start of its line
    line_half_m: FloatArray  # [L] half the width of its lane
    entry_line: Int32Array  # [E]
    entry_from: Int32Array  # [E] number of the lane before, the same for all that leave it
    entry_stop_m: FloatArray  # [E] stop line
    entry_signal: Int8Array  # [E] SignalState: OFF where none governs, UNKNOWN where it is not seen
    zone_entry: Int32Array  # [Z]
    zone_in_m: FloatArray  # [Z] along the entry's line
    zone_out_m: FloatArray
    zone_line: Int32Array  # [Z] the others' line
    zone_their_in_m: FloatArray  # [Z] along it
    zone_their_out_m: FloatArray
    zone_sure_m: FloatArray  # [Z] who is farther along than this goes this way and no other
    zone_signal: Int8Array  # [Z] theirs
    user_uid: IntArray  # [U] road users as they were detected,
    user_road_rad: FloatArray  # [U] and how the lane under each runs, map frame; nan: none known

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def line(self, number: int) -> FloatArray:
        """Points [n, 2] of one line (a view)."""
        return self.line_xy_m[self.line_off[number] : self.line_off[number + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """What sensors and bus handed over up to `t_ns` and after the delivery before it, each part
    with the stamp of when it was true. Parts may be late, missing, doubled or out of order."""

    t_ns: int
    imu: tuple[Imu, ...] = ()
    gnss: tuple[Gnss, ...] = ()
    bus: tuple[Bus, ...] = ()
    objects: tuple[ObjectList, ...] = ()
    signals: tuple[SignalReading, ...] = ()
    marks: tuple[LaneMarks, ...] = ()
    sightings: tuple[Sightings, ...] = ()
    cabin: Cabin | None = None  # where somebody watches over the person
    weather: Weather | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One delivery to the stack: the newest of each part, each with its own stamp."""

    t_ns: int
    ego: EgoReading
    detections: Detections
    signals: SignalReading
    sightings: Sightings | None = None  # the newest
    marks: LaneMarks | None = None  # the newest
    cabin: Cabin | None = None  # where somebody watches over the person
    weather: Weather | None = None
    road_ahead: RoadAhead | None = None  # None: there is no map


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
