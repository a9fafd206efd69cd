"""Fewer points for the same line: what pictures and viewers need of a map."""

import math

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, IntArray

TURN_RAD = math.radians(3.0)
STEP_M = 30.0


def corners_that_matter(
    pt_off: Int32Array, pt_xy_m: FloatArray, pt_heading_rad: FloatArray
) -> IntArray:
    """Indices of points after each `TURN_RAD` of turn or `STEP_M`, and both ends of every lane.

    Arrays as in RoadMap. The line through the kept points stays within centimetres of a lane.
    """
    count = len(pt_xy_m)
    if not count:
        return np.zeros(0, dtype=np.int64)
    turn = np.abs(np.diff(np.unwrap(pt_heading_rad), prepend=pt_heading_rad[0])).cumsum()
    step = np.hypot(*np.diff(pt_xy_m, axis=0, prepend=pt_xy_m[:1]).T).cumsum()
    keep = np.zeros(count, dtype=bool)
    for measure, size in ((turn, TURN_RAD), (step, STEP_M)):
        cell = np.floor(measure / size)
        keep[1:] |= cell[1:] != cell[:-1]
    filled = np.flatnonzero(np.diff(pt_off))
    keep[pt_off[filled]] = True
    keep[pt_off[filled + 1] - 1] = True
    return np.flatnonzero(keep)
