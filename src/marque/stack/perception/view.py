"""The free space around our car: how far each sensor looks along the rays of its field.

`look(eyes, ...) -> View`, each 100 ms. A ray ends where it enters the box of somebody who hides
what is behind, or where the sensor's range does. What nobody sees is not free.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, IntArray, freeze_arrays
from marque.core.jit import jit
from marque.stack.perception.noise import HIDES, SensorModel, kind_table
from marque.stack.perception.sight import bearings, enters
from marque.types.scene import Tracks

RAY_RAD = math.radians(1.5)  # 1.6 m apart where 60 m away: no car fits between two of them
STEADY_S = 0.5  # whoever has been out of sight for longer hides nothing for certain
EDGE = 1e-9

_HIDES = kind_table()[:, HIDES] == 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """S sensors in the car's frame (rear axle, x forward)."""

    mount: FloatArray  # [S, 3] x, y, where its middle looks
    half_rad: FloatArray  # [S] half of its field
    range_m: FloatArray  # [S]

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What S sensors look over, R rays each, map frame. Ray r of sensor s points to
    `from_rad[s] + r * step_rad[s]` and is free for `reach_m[s, r]`."""

    eye_m: FloatArray  # [S, 2]
    from_rad: FloatArray  # [S]
    step_rad: FloatArray  # [S]
    reach_m: FloatArray  # [S, R]; 0 where a sensor has fewer rays

    def __post_init__(self) -> None:
        freeze_arrays(self)


def eyes_of(sensors: tuple[SensorModel, ...]) -> Eyes:
    """The eyes that perception has been told of."""
    mounts = [(one.mount_x_m, one.mount_y_m, one.yaw_rad) for one in sensors]
    return Eyes(
        np.array(mounts, dtype=np.float64).reshape(-1, 3),
        np.array([one.half_angle_rad for one in sensors]),
        np.array([one.range_m for one in sensors]),
    )


def look(eyes: Eyes, x_m: float, y_m: float, heading_rad: float, tracks: Tracks) -> View:
    """The free space now. Pose: our rear axle, map frame."""
    c, s = math.cos(heading_rad), math.sin(heading_rad)
    eye = eyes.mount[:, :2] @ np.array([[c, s], [-s, c]]) + np.array([x_m, y_m])
    rays = np.ceil(2.0 * eyes.half_rad / RAY_RAD).astype(np.int64) + 1
    step = 2.0 * eyes.half_rad / (rays - 1)
    start = heading_rad + eyes.mount[:, 2] - eyes.half_rad
    in_field = np.arange(int(rays.max(initial=0))) < rays[:, None]
    reach = np.where(in_field, eyes.range_m[:, None], 0.0)
    hides = _HIDES[tracks.kind] & (tracks.age_s < STEADY_S)
    cast(eye, start, step, rays, bodies(tracks)[hides], reach)
    return View(eye, start, step, reach)


def bodies(tracks: Tracks) -> FloatArray:
    """[n, 6] everybody that is known, as in `sight.bearings`."""
    return np.column_stack(
        (
            tracks.x_m,
            tracks.y_m,
            np.cos(tracks.heading_rad),
            np.sin(tracks.heading_rad),
            0.5 * tracks.length_m,
            0.5 * tracks.width_m,
        )
    )


@jit
def cast(
    eye: FloatArray,
    start: FloatArray,
    step: FloatArray,
    rays: IntArray,
    box: FloatArray,
    reach: FloatArray,
) -> None:
    """Shorten the rays `reach` [S, R] that meet a box [n, 6]. Who stands around an eye hides
    nothing from it."""
    for s in range(len(eye)):
        ex, ey = eye[s, 0], eye[s, 1]
        turn = 2.0 * math.pi / step[s]
        for b in range(len(box)):
            middle, right, left = bearings(ex, ey, box[b])
            if right >= math.pi:
                continue
            # rays that the box covers, counted from the sensor's first one; and those of a box
            # that lies across the bearing at which the field begins
            first = (middle - right - start[s]) % (2.0 * math.pi) / step[s]
            last = first + (right + left) / step[s]
            for lap in range(2):
                low = max(0, math.ceil(first - lap * turn - EDGE))
                high = min(rays[s] - 1, math.floor(last - lap * turn + EDGE))
                for r in range(low, high + 1):
                    angle = start[s] + r * step[s]
                    way = enters(ex, ey, math.cos(angle), math.sin(angle), box[b])
                    reach[s, r] = min(reach[s, r], way)


@jit
def sees(
    eye: FloatArray, start: FloatArray, step: FloatArray, reach: FloatArray, x: float, y: float
) -> bool:
    """Whether some sensor looks over a point: both rays beside it are free that far."""
    for s in range(len(eye)):
        dx, dy = x - eye[s, 0], y - eye[s, 1]
        away = math.hypot(dx, dy)
        off = (math.atan2(dy, dx) - start[s]) % (2.0 * math.pi) / step[s]
        r = int(off)
        if r + 1 < reach.shape[1] and min(reach[s, r], reach[s, r + 1]) >= away:
            return True
    return False
