"""Smooth lines by their curvature, for paths of ours and of others."""

import math

import numpy as np

from marque.core.arrays import FloatArray


def line(x: float, y: float, heading: float, bends: FloatArray, step: float) -> FloatArray:
    """Samples [n, 3]: x, y, heading along a path whose curvature is given for each step."""
    out = [(x, y, heading)]
    for bend in bends:
        middle = heading + 0.5 * bend * step
        x, y = x + step * math.cos(middle), y + step * math.sin(middle)
        heading += bend * step
        out.append((x, y, heading))
    return np.array(out)


def smooth_bends(r: np.random.Generator, count: int, most: float) -> FloatArray:
    """Random curvature [count], linear between knots 16 samples apart."""
    knots = r.uniform(-most, most, max(2, count // 16 + 2))
    return np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)
