"""A slow twin of the contact search: polygons clipped against each other, no prefilter."""

import math

import numpy as np

from marque.metrics.trace import Trace

Box = tuple[float, float, float, float, float]


def corners(box: Box) -> np.ndarray:
    """Corners [4, 2] of (x, y, heading, length, width), counter-clockwise."""
    x, y, h, length, width = box
    c, s = math.cos(h), math.sin(h)
    signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    half = [(0.5 * length * a, 0.5 * width * b) for a, b in signs]
    return np.array([(x + u * c - v * s, y + u * s + v * c) for u, v in half])


def overlap_area(a: Box, b: Box) -> float:
    """Area of the intersection of two boxes (Sutherland and Hodgman)."""
    ring = [tuple(p) for p in corners(a)]
    clip = corners(b)
    for i in range(4):
        p, q = clip[i], clip[(i + 1) % 4]
        edge = q - p
        side = [edge[0] * (r[1] - p[1]) - edge[1] * (r[0] - p[0]) for r in ring]
        cut = []
        for j in range(len(ring)):
            k = (j + 1) % len(ring)
            if side[j] >= 0:
                cut.append(ring[j])
            if (side[j] >= 0) != (side[k] >= 0):
                t = side[j] / (side[j] - side[k])
                cut.append(tuple(np.add(ring[j], np.multiply(t, np.subtract(ring[k], ring[j])))))
        ring = cut
        if not ring:
            return 0.0
    x, y = np.array(ring).T
    return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def greatest_overlap(trace: Trace, uid: int, substeps: int = 5) -> dict[int, float]:
    """Greatest overlap area with one road user in each frame's step, by frame."""
    areas: dict[int, float] = {}
    for k in range(trace.count):
        row, after = trace.row_of(k, uid), -1
        if k + 1 < trace.count:
            after = trace.row_of(k + 1, uid)
        if row < 0:
            continue
        best = 0.0
        for i in range(substeps if after >= 0 else 1):
            f = i / substeps
            own = _pose(trace, k, f)
            other = _user(trace, row, after if after >= 0 else row, f)
            best = max(best, overlap_area(own, other))
        areas[k] = best
    return areas


def _turn(a: float, b: float, f: float) -> float:
    return a + f * ((b - a + math.pi) % (2 * math.pi) - math.pi)


def _pose(trace: Trace, k: int, f: float) -> Box:
    n = min(k + 1, trace.count - 1)
    x = trace.middle_x_m[k] + f * (trace.middle_x_m[n] - trace.middle_x_m[k])
    y = trace.middle_y_m[k] + f * (trace.middle_y_m[n] - trace.middle_y_m[k])
    h = _turn(trace.heading_rad[k], trace.heading_rad[n], f)
    return float(x), float(y), float(h), trace.platform.length_m, trace.platform.width_m


def _user(trace: Trace, row: int, after: int, f: float) -> Box:
    x = trace.user_x_m[row] + f * (trace.user_x_m[after] - trace.user_x_m[row])
    y = trace.user_y_m[row] + f * (trace.user_y_m[after] - trace.user_y_m[row])
    h = _turn(trace.user_heading_rad[row], trace.user_heading_rad[after], f)
    length, width = trace.user_length_m[row], trace.user_width_m[row]
    return float(x), float(y), float(h), float(length), float(width)
