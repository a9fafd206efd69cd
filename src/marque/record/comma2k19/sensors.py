"""A segment's sensors as our readings, calibrated on the sensors alone.

Nothing here looks at the reference. Three things are not known of a recording and are estimated
from the whole of it, as a workshop would from a drive:

- how the device is tilted: the mean specific force, less what wheels and gyroscope say of the car's
  own acceleration, is gravity;
- when a fix was true: the receiver's own time gives even spacing; how far its positions lag is
  where the way between fixes agrees best with the way that the wheels rolled, and how far its
  speeds lag, which is more, is where they agree best with the wheels' speed;
- how the clock of the receiver lies to that of the device: by the median of the fixes' arrival.

The dataset tells no accuracy of fixes. What u-blox publishes for its M8 receivers stands in:
2.5 m (50 %, horizontal) and 0.05 m/s, here 0.10, so that its course keeps the published 0.3°.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.geodesy import Origin, ecef, ecef_to_enu
from marque.core.time import BASE_STEP_S, nanoseconds
from marque.record.comma2k19.files import Segment
from marque.types.reading import Bus, Delivery, Gnss, Imu, ObjectList
from marque.vehicle.can import toyota
from marque.vehicle.can.toyota import Motion, RadarPoints

FIX_SIGMA_M = 2.5 / 1.1774  # per axis, of a circle that holds half of all fixes
FIX_SPEED_SIGMA_MPS = 0.10
# openpilot puts the radar 1.52 m before the camera; the receiver's antenna sits at the device
RADAR_TO_CAMERA_M = 1.52
USUAL_LAG_S, USUAL_SPEED_LAG_S = 0.10, 0.15  # where the drive is too even to tell
LAG_GRID_S = np.arange(0.0, 0.4001, 0.005)
LAG_CONTRAST = 1.3  # a lag is believed when any other within the grid fits so much worse
RADAR = 0  # number of the one sensor that finds objects


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What was estimated from the sensors."""

    tilt: FloatArray  # [3, 3] device axes (forward, left, up) to the car's
    fix_lag_s: float  # from the instant of a position to its arrival
    speed_lag_s: float  # of the speed and course that come with it
    lag_told: bool  # whether the drive told both; else the usual values
    clock_s: float  # device time less UTC, at arrival

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def tilt_rad(self) -> float:
        """How far the device's up is from the car's."""
        return math.acos(max(-1.0, min(1.0, float(self.tilt[2, 2]))))


def camera_forward_m() -> float:
    """Camera and antenna, ahead of the rear axle centre."""
    return toyota.platform().front_m - RADAR_TO_CAMERA_M


def begin_s(segment: Segment) -> float:
    """Time 0 of the drive, on the device's clock."""
    return segment.begin_s


def origin_of(segment: Segment) -> Origin:
    """Where the plane of the map touches the globe: at the first fix."""
    return Origin(
        float(segment.fix_lat_deg[0]), float(segment.fix_lon_deg[0]), float(segment.fix_height_m[0])
    )


def calibrate(segment: Segment, motion: Motion, fixes_m: FloatArray) -> Calibration:
    """The whole segment's own calibration; fixes_m [k, 2] in the map frame."""
    clock = float(np.median(segment.fix_t_s - segment.fix_utc_s))
    even = segment.fix_utc_s + clock
    rolled = motion.wheel_mps.mean(axis=1)
    steps = 0.5 * (rolled[1:] + rolled[:-1]) * np.diff(motion.t_s)
    way = np.concatenate(([0.0], np.cumsum(steps)))
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(fixes_m, axis=0).T))))
    lag = lag_behind(even, along, motion.t_s, way)
    speed_lag = lag_behind(even, segment.fix_speed_mps, motion.t_s, rolled)
    tilt = level(segment, motion)
    if lag is None or speed_lag is None:
        return Calibration(tilt, USUAL_LAG_S, USUAL_SPEED_LAG_S, False, clock)
    return Calibration(tilt, lag, speed_lag, True, clock)


def level(segment: Segment, motion: Motion) -> FloatArray:
    """The smallest rotation [3, 3] that stands the device's mean gravity upright."""
    t = segment.imu_t_s
    force, spin = to_left_up(segment.accel_mps2), to_left_up(segment.gyro_radps)
    rolled = motion.wheel_mps.mean(axis=1)
    inside = (t >= motion.t_s[0]) & (t <= motion.t_s[-1])
    v = np.interp(t, motion.t_s, rolled)
    gained = (rolled[-1] - rolled[0]) / (motion.t_s[-1] - motion.t_s[0])
    mean = force[inside].mean(axis=0)
    mean -= (gained, float(np.mean(v[inside] * spin[inside, 2])), 0.0)
    return upright(mean)


def upright(gravity: FloatArray) -> FloatArray:
    """The smallest rotation [3, 3] that takes the direction `gravity` [3] to (0, 0, 1)."""
    g = gravity / np.linalg.norm(gravity)
    axis = np.array([g[1], -g[0], 0.0])
    cross = np.array([[0.0, 0.0, axis[1]], [0.0, 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
    turn: FloatArray = np.eye(3) + cross + cross @ cross / (1.0 + g[2])
    return turn


def to_left_up(vectors: FloatArray) -> FloatArray:
    """Forward, right, down [n, 3] to forward, left, up."""
    turned: FloatArray = vectors * np.array([1.0, -1.0, -1.0])
    return turned


def lag_behind(
    t_s: FloatArray, told: FloatArray, wheel_t_s: FloatArray, wheels: FloatArray
) -> float | None:
    """By how much `told` [n] at `t_s` [n] lags behind what the wheels tell, scale and start free:
    the lag with the least scatter, refined by a parabola. None where the drive is too even to
    tell: only changes of speed do."""
    inside = (t_s - LAG_GRID_S[-1] >= wheel_t_s[0]) & (t_s <= wheel_t_s[-1])
    scatter = np.array(
        [
            _scatter(np.interp(t_s[inside] - lag, wheel_t_s, wheels), told[inside])
            for lag in LAG_GRID_S
        ]
    )
    best = int(scatter.argmin())
    ends = max(scatter[0], scatter[-1])
    if not 0 < best < len(scatter) - 1 or ends < LAG_CONTRAST * scatter[best]:
        return None
    a, b, c = scatter[best - 1 : best + 2] ** 2
    shift = 0.5 * (a - c) / (a - 2.0 * b + c)
    return float(LAG_GRID_S[best] + shift * (LAG_GRID_S[1] - LAG_GRID_S[0]))


def _scatter(x: FloatArray, y: FloatArray) -> float:
    """Standard deviation of y about its best line over x."""
    dx, dy = x - x.mean(), y - y.mean()
    return float(np.std(dy - dx * (dx @ dy) / max(dx @ dx, 1e-9)))


# Readings --------------------------------------------------------------------------------------


def fixes_in_map(segment: Segment, origin: Origin) -> FloatArray:
    """Positions of the fixes [k, 2], map frame."""
    globe = ecef(segment.fix_lat_deg, segment.fix_lon_deg, segment.fix_height_m)
    flat: FloatArray = ecef_to_enu(globe, origin)[:, :2].copy()
    return flat


def deliveries(segment: Segment) -> tuple[tuple[Delivery, ...], Calibration]:
    """Everything that the sensors delivered, by base steps of 20 ms, each part in the step in
    which it came. MarqueError: another car's CAN log."""
    motion = toyota.decode_motion(segment.frames)
    radar = toyota.decode_radar(segment.frames)
    fixes_m = fixes_in_map(segment, origin_of(segment))
    found = calibrate(segment, motion, fixes_m)
    fixes = _fixes(segment, found, fixes_m)
    start = begin_s(segment)
    count = int((segment.end_s - start) / BASE_STEP_S)
    steps: FloatArray = start + BASE_STEP_S * np.arange(1, count + 1, dtype=np.float64)
    inertia = _inertia(segment, found, steps)
    newest = np.searchsorted(motion.t_s, steps, side="right") - 1
    satellites = _by_step(segment.fix_t_s[1:], steps)
    cycles = radar_cycles(radar, motion)
    seen = _by_step(np.array([t for t, _ in cycles]), steps)
    out = []
    for i, t in enumerate(steps):
        new_bus = newest[i] >= 0 and (i == 0 or newest[i] != newest[i - 1])
        out.append(
            Delivery(
                nanoseconds(t - start),
                (inertia[i],),
                tuple(fixes[k] for k in satellites.get(i, ())),
                (_bus(motion, int(newest[i]), start),) if new_bus else (),
                tuple(_objects(cycles[k][1], start) for k in seen.get(i, ())),
            )
        )
    return tuple(out), found


def _by_step(t_s: FloatArray, steps: FloatArray) -> dict[int, list[int]]:
    """Which entries came in which step."""
    found: dict[int, list[int]] = {}
    for k, i in enumerate(np.searchsorted(steps, t_s).tolist()):
        if t_s[k] > steps[0] - BASE_STEP_S:
            found.setdefault(i, []).append(k)
    return found


def _inertia(segment: Segment, found: Calibration, steps: FloatArray) -> list[Imu]:
    """Means over each base step, in the car's axes."""
    t = segment.imu_t_s
    means = []
    for raw in (segment.accel_mps2, segment.gyro_radps):
        car = to_left_up(raw) @ found.tilt.T
        way = np.zeros_like(car)
        way[1:] = np.cumsum(0.5 * (car[1:] + car[:-1]) * np.diff(t)[:, None], axis=0)
        ends = np.column_stack([np.interp(steps, t, column) for column in way.T])
        begins = np.column_stack([np.interp(steps - BASE_STEP_S, t, column) for column in way.T])
        means.append((ends - begins) / BASE_STEP_S)
    start = begin_s(segment)
    return [
        Imu(nanoseconds(t_s - start), tuple(accel), tuple(gyro))
        for t_s, accel, gyro in zip(steps, means[0].tolist(), means[1].tolist(), strict=True)
    ]


def _bus(motion: Motion, row: int, start_s: float) -> Bus:
    fl, fr, rl, rr = motion.wheel_mps[row].tolist()
    return Bus(
        nanoseconds(motion.t_s[row] - start_s), (fl, fr, rl, rr), float(motion.steer_rad[row])
    )


def _fixes(segment: Segment, found: Calibration, fixes_m: FloatArray) -> list[Gnss]:
    """Each fix with the speed and course of the same instant; fix k is whole when k + 1 comes."""
    even = segment.fix_utc_s + found.clock_s
    later = even + (found.speed_lag_s - found.fix_lag_s)
    speed = np.interp(later, even, segment.fix_speed_mps)
    bearing = np.unwrap(np.radians(segment.fix_bearing_deg))
    course = 0.5 * math.pi - np.interp(later, even, bearing)
    stamps = even - found.fix_lag_s - begin_s(segment)
    return [
        Gnss(
            nanoseconds(stamps[k]), float(fixes_m[k, 0]), float(fixes_m[k, 1]), float(speed[k]),
            math.remainder(float(course[k]), math.tau), FIX_SIGMA_M, FIX_SPEED_SIGMA_MPS,
        )
        for k in range(len(even) - 1)
    ]  # fmt: skip


def radar_cycles(radar: RadarPoints, motion: Motion) -> list[tuple[float, FloatArray]]:
    """Time and targets of each cycle of the radar. Targets [n, 5]: time, then x, y of the side
    that reflects (rear axle frame), speed over ground along the ray, score."""
    front = toyota.platform().front_m
    speed = np.interp(radar.t_s, motion.t_s, motion.wheel_mps.mean(axis=1))
    away = radar.ahead_m / np.maximum(np.hypot(radar.ahead_m, radar.left_m), 1e-3)
    rate = radar.closing_mps + speed * away
    table = np.column_stack((radar.t_s, front + radar.ahead_m, radar.left_m, rate, radar.score))
    if not len(table):
        return []
    parts = np.split(table, np.flatnonzero(np.diff(radar.cycle)) + 1)
    return [(float(part[-1, 0]), part) for part in parts]


def _objects(targets: FloatArray, start_s: float) -> ObjectList:
    n = len(targets)
    none, zero = np.zeros(n, dtype=np.bool_), np.zeros(n)
    code = np.zeros(n, dtype=np.int8)
    return ObjectList(
        sensor=RADAR, t_ns=nanoseconds(targets[-1, 0] - start_s),
        x_m=targets[:, 1].copy(), y_m=targets[:, 2].copy(), score=targets[:, 4].copy(),
        has_kind=none, kind=code, has_box=none, heading_rad=zero, length_m=zero.copy(),
        width_m=zero.copy(), has_velocity=none, vx_mps=zero.copy(), vy_mps=zero.copy(),
        has_rate=np.ones(n, dtype=np.bool_), rate_mps=targets[:, 3].copy(),
        has_indicator=none, indicator=code.copy(),
    )  # fmt: skip
