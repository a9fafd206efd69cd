"""Lane marks as a camera finds them: short pieces of the lines and kerbs that bound lanes."""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.sensing.equipment import Marks
from marque.sensing.objects import Mounted
from marque.types.reading import LaneMarks
from marque.types.world import EgoTruth


def find_marks(
    mount: Mounted,
    rules: Marks,
    paint: FloatArray,
    ego: EgoTruth,
    t_ns: int,
    draw: np.random.Generator,
) -> LaneMarks:
    """One scan. Errors lie across the line; along it a piece says nothing."""
    ex, ey, heading = mount.pose(ego)
    dx, dy = paint[:, 0] - ex, paint[:, 1] - ey
    near = np.flatnonzero(np.abs(dx) + np.abs(dy) < 1.5 * rules.range_m)
    dx, dy = dx[near], dy[near]
    away = np.hypot(dx, dy)
    ahead = np.cos(np.arctan2(dy, dx) - heading) > math.cos(
        math.radians(mount.sensor.half_angle_deg)
    )
    seen = (away <= rules.range_m) & ahead & (draw.random(len(near)) >= rules.missed)
    piece = paint[near[seen]]
    n = len(piece)
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    dx, dy = piece[:, 0] - ego.x_m, piece[:, 1] - ego.y_m
    x, y = c * dx + s * dy, -s * dx + c * dy
    line = piece[:, 2] - ego.heading_rad
    sigma = rules.across_sigma_m + rules.across_growth * away[seen]
    off = sigma * draw.standard_normal(n)
    turn = math.radians(rules.turn_sigma_deg) * float(draw.standard_normal())
    line = line + turn + math.radians(rules.heading_sigma_deg) * draw.standard_normal(n)
    x, y = x - off * np.sin(line), y + off * np.cos(line)
    order = draw.permutation(n)
    return LaneMarks(
        t_ns,
        (math.cos(turn) * x - math.sin(turn) * y)[order],
        (math.sin(turn) * x + math.cos(turn) * y)[order],
        ((line + 0.5 * math.pi) % math.pi - 0.5 * math.pi)[order],
        piece[order, 3] > 0.5,
    )
