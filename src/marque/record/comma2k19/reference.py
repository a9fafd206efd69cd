"""The reference of a segment in our frame. Judges read it; localisation never does.

The poses are the camera's. Its yaw against the car is the mean difference between where it looks
and where it moves; its place is taken as `camera_forward_m()` ahead of the rear axle centre.
"""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.geodesy import Origin, ecef_to_enu, turn_to_enu
from marque.record.comma2k19.files import PoseFiles
from marque.record.comma2k19.sensors import camera_forward_m


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Motion of the car, [p] each; x, y: rear axle centre, map frame."""

    t_s: FloatArray  # of the drive
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray  # not wrapped
    speed_mps: FloatArray  # forwards, horizontal
    yaw_rate_radps: FloatArray
    camera_yaw_rad: float  # of the camera's axis against the car's, left positive

    def __post_init__(self) -> None:
        freeze_arrays(self)


def reference_of(pose: PoseFiles, origin: Origin, begin_s: float) -> Reference:
    """Exact turn of ECEF into the map's plane, then from the camera to the rear axle."""
    arm = camera_forward_m()
    camera = ecef_to_enu(pose.position_m, origin)
    velocity = pose.velocity_mps @ turn_to_enu(origin).T
    ahead = forward_axis(pose.quaternion) @ turn_to_enu(origin).T
    look = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    spin = np.gradient(look, pose.t_s)
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    course = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0]))
    course -= np.arctan2(spin * arm, np.maximum(speed, 1.0))  # a turn moves the camera sideways
    moving = speed > 2.0
    offset = look - course
    yaw = float(np.median(offset[moving])) if moving.any() else 0.0
    heading = look - yaw
    c, s = np.cos(heading), np.sin(heading)
    return Reference(
        pose.t_s - begin_s, camera[:, 0] - arm * c, camera[:, 1] - arm * s, heading,
        velocity[:, 0] * c + velocity[:, 1] * s, spin, yaw,
    )  # fmt: skip


def forward_axis(quaternion: FloatArray) -> FloatArray:
    """First column [n, 3] of the rotations camera to ECEF that the quaternions (w, x, y, z) are."""
    w, x, y, z = quaternion.T
    return np.column_stack(
        (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y))
    )
