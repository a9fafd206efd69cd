"""Everybody of a played case along the middle of our lane."""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import project
from marque.core.jit import jit
from marque.metrics import fuzzy


@jit
def along_path(
    path_xy: FloatArray,
    path_s: FloatArray,
    path_heading: FloatArray,
    own: FloatArray,
    rows: FloatArray,
    car: tuple[float, float, float],
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """(beside [n, 2], gap, side, length, speed along [n, m]), as `judge.Run` has them.

    own [n, 3]: rear axle and heading; rows [n, m, 6]: x, y, heading, speed, length, width; car:
    rear axle to front, width, wheelbase.
    """
    n, m = rows.shape[0], rows.shape[1]
    beside = np.empty((n, 2))
    out = np.full((4, n, m), np.nan)
    end = len(path_s) - 1
    for k in range(n):
        x, y, turn = own[k]
        at, beside[k, 0], _ = project(path_xy, path_s, x, y, 0, end)
        ahead_x, ahead_y = x + car[2] * math.cos(turn), y + car[2] * math.sin(turn)
        _, beside[k, 1], _ = project(path_xy, path_s, ahead_x, ahead_y, 0, end)
        for j in range(m):
            r = rows[k, j]
            if math.isnan(r[0]):
                continue
            s, d, along, across, lead, _ = fuzzy.place(
                path_xy, path_s, path_heading, r[0], r[1], r[2], r[3], r[4], r[5]
            )
            out[0, k, j] = s - along - at - car[0]
            out[1, k, j] = abs(d) - across - 0.5 * car[1]
            out[2, k, j] = 2.0 * along
            out[3, k, j] = lead
    return beside, out[0], out[1], out[2], out[3]
