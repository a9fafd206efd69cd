"""From motion along a path to a Trajectory, and back."""

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.path import STEP_M, Path
from marque.types.plan import Trajectory


def along(path: Path, s_m: FloatArray, speed_mps: FloatArray, accel_mps2: FloatArray) -> Trajectory:
    """Trajectory of the rear axle at path metres s [T]; beyond the path's end it goes straight on,
    as where we mean to have changed lanes before that."""
    at = np.clip(s_m / STEP_M, 0.0, len(path.xy_m) - 1.001)
    i = at.astype(np.int64)
    t = at - i
    xy = path.xy_m[i] * (1.0 - t)[:, None] + path.xy_m[i + 1] * t[:, None]
    heading = path.heading_rad[i] * (1.0 - t) + path.heading_rad[i + 1] * t
    over = np.maximum(0.0, s_m - (len(path.xy_m) - 1) * STEP_M)
    xy += over[:, None] * np.column_stack((np.cos(heading), np.sin(heading)))
    curvature = path.curvature_1pm[i] * (1.0 - t) + path.curvature_1pm[i + 1] * t
    return Trajectory(
        x_m=xy[:, 0].copy(),
        y_m=xy[:, 1].copy(),
        heading_rad=heading,
        curvature_1pm=curvature,
        s_m=s_m - s_m[0],
        speed_mps=speed_mps,
        accel_mps2=accel_mps2,
    )
