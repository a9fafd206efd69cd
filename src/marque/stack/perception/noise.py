"""What the tracker holds of its sensors and of how road users move: its own opinion, in numbers.

Nothing here is read from the models that make the readings; they share formulas, never
parameters. Values are standard deviations unless said otherwise, and on the safe side of what
data sheets of the three kinds of sensor promise; `gains.py` corrects them by what is measured.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.types.codes import SensorKind, UserKind


@dataclass(frozen=True, slots=True)
class SensorModel:
    """One sensor as the tracker believes it. Mount in the car's frame (rear axle, x forward).

    A position has an error along the ray from the sensor and one across it, each growing
    linearly with range.
    """

    kind: SensorKind
    mount_x_m: float = 1.6
    mount_y_m: float = 0.0
    yaw_rad: float = 0.0  # where its middle looks, against our heading
    half_angle_rad: float = math.pi
    range_m: float = 120.0
    along_m: float = 0.15
    along_per_m: float = 0.001
    across_m: float = 0.15
    across_per_m: float = 0.001
    heading_rad: float = 0.04
    heading_per_m: float = 0.0005
    velocity_mps: float = 0.25  # per axis
    rate_mps: float = 0.2
    size_share: float = 0.06  # of length and width
    found_share: float = 0.95  # of those in plain sight that one list holds
    kind_trust: float = 1.0  # weight of its word on kinds; 0 says nothing
    false_per_m2: float = 1e-4  # density of false detections in one list
    birth_logit: float = -1.0  # belief in what it alone has found once, before its score


def camera(**changes: float) -> SensorModel:
    """A camera: poor along the ray, good across it; sizes by kind; no speed."""
    values: dict[str, float] = {
        "half_angle_rad": 1.0, "along_m": 0.3, "along_per_m": 0.04, "across_m": 0.15,
        "across_per_m": 0.003, "heading_rad": 0.08, "heading_per_m": 0.001, "size_share": 0.1,
        "birth_logit": -1.5,
    }  # fmt: skip
    return SensorModel(SensorKind.CAMERA, **(values | changes))


def radar(**changes: float) -> SensorModel:
    """A radar: range and the speed along the ray; poor across it; no kind, no box."""
    values: dict[str, float] = {
        "along_m": 0.25, "across_m": 0.25, "across_per_m": 0.008, "found_share": 0.9,
        "kind_trust": 0.0, "birth_logit": -2.5, "range_m": 160.0,
    }  # fmt: skip
    return SensorModel(SensorKind.RADAR, **(values | changes))


def lidar(**changes: float) -> SensorModel:
    """A lidar: positions, boxes, speeds; kinds by their shape."""
    return SensorModel(SensorKind.LIDAR, **({"kind_trust": 0.6} | changes))


@dataclass(frozen=True, slots=True)
class KindModel:
    """How one kind of road user moves, and how large it is before anybody has measured it."""

    turning: bool  # goes where it points; else it walks, any way
    accel_mps2: float  # along; for walkers in each axis
    accel_tau_s: float  # how long an acceleration lasts
    lateral_mps2: float  # of a manoeuvre
    curvature_1pm: float  # the tightest turn
    curvature_tau_s: float
    heading_noise: float  # rad per square root of second in motion: joints in a path, slip
    slip_noise: float  # m per square root of second in motion, sideways
    length_m: float
    width_m: float
    size_share: float  # spread of both
    hides: bool
    tall: bool


_CAR = KindModel(True, 1.5, 1.0, 3.0, 0.2, 4.0, 0.02, 0.02, 4.6, 1.85, 0.12, True, False)
KIND_MODELS: dict[UserKind, KindModel] = {
    UserKind.CAR: _CAR,
    UserKind.TRUCK: KindModel(
        True, 1.0, 1.5, 1.5, 0.15, 4.0, 0.01, 0.02, 9.0, 2.5, 0.3, True, True
    ),
    UserKind.BUS: KindModel(True, 1.0, 1.5, 1.5, 0.12, 4.0, 0.01, 0.02, 12.0, 2.5, 0.2, True, True),
    UserKind.MOTORCYCLE: KindModel(
        True, 2.0, 1.0, 2.5, 0.3, 2.0, 0.03, 0.04, 2.2, 0.8, 0.15, False, False
    ),
    UserKind.BICYCLE: KindModel(
        True, 1.0, 1.0, 2.0, 0.5, 1.5, 0.05, 0.05, 1.8, 0.65, 0.15, False, False
    ),
    UserKind.PEDESTRIAN: KindModel(
        False, 0.8, 1.0, 0.8, 1.0, 1.0, 0.1, 0.05, 0.5, 0.6, 0.3, False, False
    ),
    UserKind.RAIL: KindModel(
        True, 1.0, 2.0, 1.0, 0.06, 4.0, 0.01, 0.02, 25.0, 2.6, 0.4, True, True
    ),
    UserKind.OBSTACLE: KindModel(
        False, 0.1, 1.0, 0.1, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.8, True, False
    ),
}

# how often kinds are met before anything is known; columns by UserKind
KIND_PRIOR = np.array([0.55, 0.08, 0.03, 0.04, 0.1, 0.15, 0.02, 0.03])

# columns of `sensor_table`
(
    MOUNT_X, MOUNT_Y, YAW, HALF_ANGLE, RANGE, ALONG, ALONG_PM, ACROSS, ACROSS_PM, HEADING,
    HEADING_PM, VELOCITY, RATE, SIZE, FOUND, TRUST, FALSE, BIRTH,
) = range(18)  # fmt: skip

# columns of `kind_table`
(
    TURNING, ACCEL, ACCEL_TAU, LATERAL, CURVATURE, CURVATURE_TAU, HEADING_NOISE, SLIP_NOISE,
    LENGTH, WIDTH, SIZE_SHARE, HIDES, TALL,
) = range(13)  # fmt: skip


def sensor_table(sensors: tuple[SensorModel, ...]) -> FloatArray:
    """[S, 18] the sensors as rows; ValueError for a spread, range or share that cannot be."""
    for number, one in enumerate(sensors):
        spreads = (one.along_m, one.across_m, one.heading_rad, one.velocity_mps, one.rate_mps)
        growth = (one.along_per_m, one.across_per_m, one.heading_per_m, one.kind_trust)
        shares = 0.0 < one.found_share < 1.0 and one.size_share > 0.0 and one.false_per_m2 > 0.0
        if min(spreads) <= 0.0 or min(growth) < 0.0 or one.range_m <= 0.0 or not shares:
            raise ValueError(f"sensor {number}: spreads, range and shares must be positive")
    rows = [
        (
            one.mount_x_m, one.mount_y_m, one.yaw_rad, one.half_angle_rad, one.range_m,
            one.along_m, one.along_per_m, one.across_m, one.across_per_m, one.heading_rad,
            one.heading_per_m, one.velocity_mps, one.rate_mps, one.size_share, one.found_share,
            one.kind_trust, one.false_per_m2, one.birth_logit,
        )
        for one in sensors
    ]  # fmt: skip
    return np.array(rows, dtype=np.float64).reshape(len(rows), 18)


def kind_table() -> FloatArray:
    """[K, 13] the kinds as rows, by UserKind."""
    rows = [KIND_MODELS[kind] for kind in UserKind]
    return np.array(
        [
            (
                one.turning, one.accel_mps2, one.accel_tau_s, one.lateral_mps2,
                one.curvature_1pm, one.curvature_tau_s, one.heading_noise, one.slip_noise,
                one.length_m, one.width_m, one.size_share, one.hides, one.tall,
            )
            for one in rows
        ],
        dtype=np.float64,
    )  # fmt: skip


def kind_evidence() -> FloatArray:
    """[K, K] log-likelihood of a reported kind (column) for each true kind (row).

    Kinds of one silhouette are mixed up more often than others.
    """
    alike = (
        {UserKind.CAR, UserKind.TRUCK},
        {UserKind.TRUCK, UserKind.BUS},
        {UserKind.BUS, UserKind.RAIL},
        {UserKind.MOTORCYCLE, UserKind.BICYCLE},
        {UserKind.BICYCLE, UserKind.PEDESTRIAN},
    )
    count = len(UserKind)
    share = np.full((count, count), 0.01)
    for pair in alike:
        a, b = sorted(pair)
        share[a, b] = share[b, a] = 0.05
    np.fill_diagonal(share, 0.0)
    np.fill_diagonal(share, 1.0 - share.sum(axis=1))
    evidence: FloatArray = np.log(share)
    return evidence
