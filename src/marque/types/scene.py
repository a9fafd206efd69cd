"""Scene: what the stack believes. Never the truth."""

import math
from dataclasses import dataclass

from marque.core.arrays import FloatArray, Int8Array, Int32Array, IntArray, freeze_arrays
from marque.types.codes import SignalState
from marque.types.health import FINE, Finding, Health
from marque.types.own_lane import OwnLane
from marque.types.takeover import DRIVES, Order


@dataclass(frozen=True, slots=True, eq=False)
class EgoBelief:
    """Own state as believed. x, y: rear axle centre, map frame."""

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    yaw_rate_radps: float
    steer_rad: float
    lane: int  # NONE when off every drivable lane
    s_m: float  # along that lane
    d_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Tracked road users, n of them. x, y: middle of the box, map frame."""

    uid: IntArray  # [n]
    kind: Int8Array  # [n] UserKind
    x_m: FloatArray  # [n]
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    accel_mps2: FloatArray
    length_m: FloatArray
    width_m: FloatArray
    indicator: Int8Array  # [n] Indicator
    lane: Int32Array  # [n] lane whose centre line fits best, NONE if none
    s_m: FloatArray  # [n] along that lane
    d_m: FloatArray  # [n] left positive
    still_s: FloatArray  # [n] how long it has been standing
    age_s: FloatArray  # [n] since it was last seen

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.uid)


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """How far n tracks may be off: standard deviations, and whether they are there at all."""

    along_sigma_m: FloatArray  # [n] of the middle, along the track's heading
    across_sigma_m: FloatArray  # [n] and across it
    speed_sigma_mps: FloatArray  # [n]
    heading_sigma_rad: FloatArray  # [n]; pi / sqrt(3) where nothing is known
    existence: FloatArray  # [n] probability, 0 to 1

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Where somebody may be whom nobody can see: the foremost place of each hidden stretch of a
    lane, and places from which people on foot may step out."""

    lane: Int32Array  # [U]
    s_m: FloatArray  # [U] of the front bumper
    speed_mps: FloatArray  # [U] no faster than this
    walk: Int32Array  # [V] crosswalk, NONE beside somebody who stands at the roadside
    x_m: FloatArray  # [V] map frame
    y_m: FloatArray

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A stop line that lies elsewhere than the map says, or that the map does not have."""

    lane: int
    s_m: float


@dataclass(frozen=True, slots=True)
class SeenSignal:
    """A signal that the map does not have, at its stop line as far as that is known."""

    lane: int
    s_m: float
    state: SignalState  # UNKNOWN when it is out of sight
    last: SignalState  # as it was when last seen


@dataclass(frozen=True, slots=True)
class SeenLimit:
    """A speed limit sign, where limits are not as the map says."""

    lane: int
    s_m: float
    limit_mps: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What has been seen of the road that the map says otherwise, or not at all."""

    lines: tuple[SeenLine, ...] = ()
    signals: tuple[SeenSignal, ...] = ()
    limits: tuple[SeenLimit, ...] = ()
    limit_mps: float = math.inf  # of the last such sign that we passed, while it holds
    shut: frozenset[int] = frozenset()  # lanes that nobody may drive into
    findings: tuple[Finding, ...] = ()  # each spot, for people and logs


AS_MAPPED = Chart()


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Belief at `t_ns`."""

    t_ns: int
    ego: EgoBelief
    tracks: Tracks
    signal_state: Int8Array  # [H] SignalState, UNKNOWN where not seen
    signal_since_s: FloatArray  # [H] seconds that the state has been seen
    health: Health = FINE  # of our own senses
    chart: Chart = AS_MAPPED
    doubt: Doubt | None = None  # of the tracks, one for each; None: they are as they are told
    own_lane: OwnLane | None = None  # where no map is at hand, once its marks have shown it
    unseen: Unseen | None = None  # None: senses and map do not tell
    order: Order = DRIVES  # of who watches over us

    def __post_init__(self) -> None:
        freeze_arrays(self)
