"""The line of a lane that is known by offset, slope, bend and twist alone, and places along it.

One formula for perception, prediction and planning. Frame: the car's (x forward, y left).
"""

from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.types.own_lane import OwnLane


class Strip(NamedTuple):
    """n points of a lane's middle, evenly spaced; s is 0 beside our rear axle."""

    s_m: FloatArray  # [n]
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    curvature_1pm: FloatArray


def strip(
    offset_m: float,
    slope_rad: float,
    bend_1pm: float,
    twist_1pm2: float,
    span_m: tuple[float, float],
    step_m: float,
    held_m: float = np.inf,
) -> Strip:
    """The middle from `span_m[0]` (at most 0) to `span_m[1]`; its bend is held beyond `held_m` and
    behind the car."""
    behind = -int(-span_m[0] / step_m)
    s = step_m * np.arange(behind, int(span_m[1] / step_m) + 1, dtype=np.float64)
    curvature: FloatArray = bend_1pm + twist_1pm2 * np.clip(s, 0.0, held_m)
    # each step is an arc of its mean bend: exact where the bend is constant
    turn = 0.5 * step_m * (curvature[1:] + curvature[:-1])
    heading = np.concatenate(([0.0], np.cumsum(turn)))
    heading += slope_rad - heading[-behind]
    middle = heading[:-1] + 0.5 * turn
    chord = step_m * np.sinc(0.5 * turn / np.pi)
    x = np.concatenate(([0.0], np.cumsum(chord * np.cos(middle))))
    y = np.concatenate(([0.0], np.cumsum(chord * np.sin(middle))))
    # the point beside the car lies square to the lane's direction
    x += -offset_m * np.sin(slope_rad) - x[-behind]
    y += offset_m * np.cos(slope_rad) - y[-behind]
    return Strip(s, x, y, heading, curvature)


def strip_of(lane: OwnLane, span_m: tuple[float, float], step_m: float) -> Strip:
    """The middle of a lane as believed; what its marks do not show goes on as it bends there."""
    return strip(
        lane.offset_m, lane.slope_rad, lane.bend_1pm, lane.twist_1pm2, span_m, step_m, lane.ahead_m
    )


def beside(
    line: Strip, x_m: FloatArray, y_m: FloatArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """(s, d, nearest point) [k] of places in the line's frame, d left positive; beyond its ends it
    goes on straight."""
    away = (line.x_m[None, :] - x_m[:, None]) ** 2 + (line.y_m[None, :] - y_m[:, None]) ** 2
    at: IntArray = np.argmin(away, axis=1)
    dx, dy = x_m - line.x_m[at], y_m - line.y_m[at]
    c, s = np.cos(line.heading_rad[at]), np.sin(line.heading_rad[at])
    along, across = c * dx + s * dy, -s * dx + c * dy
    step = float(line.s_m[1] - line.s_m[0])
    bend = np.where(np.abs(along) <= step, line.curvature_1pm[at], 0.0)
    return line.s_m[at] + along, across - 0.5 * bend * along * along, at
