"""Slow twins of the map kernels: dense algebra and brute force, from the definitions."""

import math
from itertools import pairwise

import numpy as np

from marque.core.arrays import FloatArray


def band_smooth(
    raw: FloatArray, ends: FloatArray, stiffness: float, pull: FloatArray
) -> FloatArray:
    """The same minimum through dense least squares."""
    n = len(raw)
    step = np.hypot(*np.diff(raw, axis=0).T).mean()
    pinned = np.zeros((n, 2))
    fixed = [0, 1, 2, n - 3, n - 2, n - 1]
    for i in range(3):
        pinned[i] = _parabola(ends[0], i * step)
        pinned[n - 1 - i] = _parabola(ends[1], -i * step)
    third = np.zeros((n - 3, n))
    for k in range(n - 3):
        third[k, k : k + 4] = (-1.0, 3.0, -3.0, 1.0)
    free = [i for i in range(n) if i not in fixed]
    weight = np.sqrt(pull)[free, None]
    rows = np.vstack((weight * np.eye(n)[free], math.sqrt(stiffness) * third))
    wanted = np.vstack((weight * raw[free], np.zeros((n - 3, 2)))) - rows @ pinned
    out = pinned.copy()
    out[free] = np.linalg.lstsq(rows[:, free], wanted, rcond=None)[0]
    return out


def _parabola(end: FloatArray, along: float) -> FloatArray:
    c, s = math.cos(end[2]), math.sin(end[2])
    side = 0.5 * end[3] * along * along
    return np.array((end[0] + along * c - side * s, end[1] + along * s + side * c))


def distance(line: FloatArray, point: FloatArray) -> float:
    """From a point to a polyline."""
    best = math.inf
    for a, b in pairwise(line):
        u = b - a
        t = float(np.clip((point - a) @ u / max(u @ u, 1e-18), 0.0, 1.0))
        best = min(best, float(np.hypot(*(point - a - t * u))))
    return best


def _from_segment(a: FloatArray, b: FloatArray, points: FloatArray) -> FloatArray:
    """[n] distance of each point [n, 2] from one segment."""
    u = b - a
    t = np.clip((points - a) @ u / max(u @ u, 1e-18), 0.0, 1.0)
    gaps: FloatArray = np.hypot(*(points - a - t[:, None] * u).T)
    return gaps


def shared_span(
    line: FloatArray, s: FloatArray, other: FloatArray, room: float
) -> tuple[float, float, float]:
    """Least distance, and the span nearer than `room`, by walking in millimetres."""
    at = np.arange(0.0, s[-1] + 1e-9, 0.005)
    dense = np.column_stack((np.interp(at, s, line[:, 0]), np.interp(at, s, line[:, 1])))
    gaps = np.min([_from_segment(a, b, dense) for a, b in pairwise(other)], axis=0)
    inside = at[gaps < room]
    near = float(min(distance(other, p) for p in line))
    return (
        (near, float(inside[0]), float(inside[-1])) if len(inside) else (near, math.nan, math.nan)
    )


def lines_cross(a: FloatArray, b: FloatArray) -> bool:
    """Whether any two segments share an inner point, by solving for it."""
    for p, q in pairwise(a):
        for r, s in pairwise(b):
            m = np.column_stack((q - p, r - s))
            if abs(np.linalg.det(m)) < 1e-12:
                continue
            t, u = np.linalg.solve(m, r - p)
            if 0.0 < t < 1.0 and 0.0 < u < 1.0:
                return True
    return False
