"""Plane geometry on arrays and scalars: the formulas that more than one room needs.

Frame: right-handed, x east, y north; angles counter-clockwise from +x, radians.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit


@jit
def wrap_angle(angle_rad: float) -> float:
    """The same direction in (-pi, pi]."""
    return math.pi - (math.pi - angle_rad) % (2.0 * math.pi)


def wrap_angles(angle_rad: FloatArray) -> FloatArray:
    """The same directions in [-pi, pi)."""
    turned: FloatArray = (angle_rad + math.pi) % (2.0 * math.pi) - math.pi
    return turned


@jit
def boxes_overlap(
    x1: float,
    y1: float,
    h1: float,
    len1: float,
    wid1: float,
    x2: float,
    y2: float,
    h2: float,
    len2: float,
    wid2: float,
) -> bool:
    """Whether two oriented rectangles overlap (separating axes). Centres, headings, full sizes."""
    return turned_boxes_overlap(
        x2 - x1,
        y2 - y1,
        math.cos(h1),
        math.sin(h1),
        0.5 * len1,
        0.5 * wid1,
        math.cos(h2),
        math.sin(h2),
        0.5 * len2,
        0.5 * wid2,
    )


@jit
def turned_boxes_overlap(
    dx: float,
    dy: float,
    c1: float,
    s1: float,
    a1: float,
    b1: float,
    c2: float,
    s2: float,
    a2: float,
    b2: float,
) -> bool:
    """`boxes_overlap` from cosines and sines: middle 2 minus middle 1, half sizes."""
    c = abs(c1 * c2 + s1 * s2)
    s = abs(c1 * s2 - s1 * c2)
    if abs(dx * c1 + dy * s1) > a1 + a2 * c + b2 * s:
        return False
    if abs(-dx * s1 + dy * c1) > b1 + a2 * s + b2 * c:
        return False
    if abs(dx * c2 + dy * s2) > a2 + a1 * c + b1 * s:
        return False
    return abs(-dx * s2 + dy * c2) <= b2 + a1 * s + b1 * c


def arc_length(points_m: FloatArray) -> FloatArray:
    """Cumulative length along a polyline [N, 2] -> [N], starting at 0."""
    steps = np.hypot(np.diff(points_m[:, 0]), np.diff(points_m[:, 1]))
    return np.concatenate(([0.0], np.cumsum(steps)))


def headings(points_m: FloatArray) -> FloatArray:
    """Tangent direction at each vertex of a polyline [N, 2] -> [N] (central differences)."""
    tangent = np.gradient(points_m, axis=0)
    angle: FloatArray = np.arctan2(tangent[:, 1], tangent[:, 0])
    return angle


def resample(points_m: FloatArray, step_m: float) -> FloatArray:
    """Points [M, 2] evenly spaced by arc length, ends kept; the step is at most `step_m`."""
    s = arc_length(points_m)
    count = max(2, int(np.ceil(s[-1] / step_m)) + 1)
    at = np.linspace(0.0, s[-1], count)
    return np.column_stack((np.interp(at, s, points_m[:, 0]), np.interp(at, s, points_m[:, 1])))


def curvatures(points_m: FloatArray) -> FloatArray:
    """Signed curvature [N] in 1/m of a polyline [N, 2] (left positive), from turned angle."""
    if len(points_m) < 3:
        return np.zeros(len(points_m))
    step = np.diff(points_m, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    angle = np.arctan2(step[:, 1], step[:, 0])
    turn = (np.diff(angle) + math.pi) % (2.0 * math.pi) - math.pi
    inner = turn / np.maximum(0.5 * (length[1:] + length[:-1]), 1e-6)
    return np.concatenate(([inner[0]], inner, [inner[-1]]))


@jit
def tangents(points_m: FloatArray) -> FloatArray:
    """[N, 2] unit tangents of a polyline [N, 2], from the point before to the one after."""
    n = len(points_m)
    out = np.empty((n, 2))
    for i in range(n):
        lo, hi = max(0, i - 1), min(n - 1, i + 1)
        dx, dy = points_m[hi, 0] - points_m[lo, 0], points_m[hi, 1] - points_m[lo, 1]
        size = max(1e-9, math.hypot(dx, dy))
        out[i, 0], out[i, 1] = dx / size, dy / size
    return out


@jit
def project(
    xy: FloatArray, s: FloatArray, x: float, y: float, lo: int, hi: int
) -> tuple[float, float, int]:
    """Closest point of a polyline to (x, y), among its segments lo..hi-1.

    xy [N, 2], s [N] arc length. Returns (s, d, segment): d is signed, left positive.
    """
    best = 1e300
    best_s = 0.0
    best_d = 0.0
    best_i = lo
    for i in range(lo, hi):
        ax = xy[i, 0]
        ay = xy[i, 1]
        ux = xy[i + 1, 0] - ax
        uy = xy[i + 1, 1] - ay
        length2 = ux * ux + uy * uy
        if length2 < 1e-18:
            continue
        t = ((x - ax) * ux + (y - ay) * uy) / length2
        t = min(1.0, max(0.0, t))
        px = x - ax - t * ux
        py = y - ay - t * uy
        dist2 = px * px + py * py
        if dist2 < best:
            best = dist2
            best_i = i
            best_s = s[i] + t * (s[i + 1] - s[i])
            side = ux * py - uy * px
            best_d = math.sqrt(dist2) if side >= 0.0 else -math.sqrt(dist2)
    return best_s, best_d, best_i
