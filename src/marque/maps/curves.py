"""Curve kernels behind `smooth`: splines in a band, transition curves, even sampling.

Points are [n, 2] in map metres; an end is [4]: x, y, tangent angle, curvature. Compiled through
`core.jit`; slow twins stand in the tests.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit

OVERSAMPLE = 8
_WEIGHTS = (-1.0, 3.0, -3.0, 1.0)  # of a third difference
SERIES_STEP_M = 0.25  # between points of a transition curve


@jit
def sampled(xy: FloatArray, s: FloatArray, count: int) -> FloatArray:
    """`count` points evenly along a polyline."""
    out = np.zeros((count, 2))
    j = 1
    for i in range(count):
        want = s[-1] * i / (count - 1)
        while j < len(s) - 1 and s[j] < want:
            j += 1
        t = min(1.0, max(0.0, (want - s[j - 1]) / max(s[j] - s[j - 1], 1e-12)))
        out[i, 0] = xy[j - 1, 0] + t * (xy[j, 0] - xy[j - 1, 0])
        out[i, 1] = xy[j - 1, 1] + t * (xy[j, 1] - xy[j - 1, 1])
    return out


@jit
def band_smooth(
    raw: FloatArray, ends: FloatArray, stiffness: float, pull: FloatArray
) -> FloatArray:
    """Minimise sum pull |p - raw|^2 + stiffness * sum |third difference of p|^2 over points p
    [n, 2]; pull [n].

    The three points at either end are pinned by `ends` [2, 4] (x, y, tangent angle, curvature).
    n >= 7. Normal equations in a band of half-width 3, Cholesky without pivoting.
    """
    n = len(raw)
    out = np.zeros((n, 2))
    step = 0.0
    for i in range(1, n):
        step += math.hypot(raw[i, 0] - raw[i - 1, 0], raw[i, 1] - raw[i - 1, 1])
    step /= n - 1
    for i in range(3):
        _pin(out, i, ends[0], i * step)
        _pin(out, n - 1 - i, ends[1], -i * step)
    m = n - 6
    band = np.zeros((m, 4))  # band[i, d]: entry (i, i - d)
    rhs = np.zeros((m, 2))
    for i in range(m):
        band[i, 0] = pull[i + 3]
        rhs[i, 0], rhs[i, 1] = pull[i + 3] * raw[i + 3, 0], pull[i + 3] * raw[i + 3, 1]
    for k in range(n - 3):
        for a in range(4):
            i = k + a - 3
            if i < 0 or i >= m:
                continue
            for b in range(4):
                j = k + b - 3
                value = stiffness * _WEIGHTS[a] * _WEIGHTS[b]
                if j < 0 or j >= m:
                    rhs[i, 0] -= value * out[k + b, 0]
                    rhs[i, 1] -= value * out[k + b, 1]
                elif j <= i:
                    band[i, i - j] += value
    _solve_band(band, rhs)
    for i in range(m):
        out[i + 3, 0], out[i + 3, 1] = rhs[i, 0], rhs[i, 1]
    return out


@jit
def _pin(out: FloatArray, i: int, end: FloatArray, along: float) -> None:
    c = math.cos(end[2])
    s = math.sin(end[2])
    side = 0.5 * end[3] * along * along
    out[i, 0] = end[0] + along * c - side * s
    out[i, 1] = end[1] + along * s + side * c


@jit
def _solve_band(band: FloatArray, rhs: FloatArray) -> None:
    """Solve in place; band [m, 4] holds the lower half of a symmetric matrix, rhs [m, 2]."""
    m = len(band)
    for i in range(m):
        for d in range(min(3, i), -1, -1):
            j = i - d
            total = band[i, d]
            for k in range(max(0, i - 3, j - 3), j):
                total -= band[i, i - k] * band[j, j - k]
            band[i, d] = math.sqrt(max(total, 1e-12)) if d == 0 else total / band[j, 0]
    for i in range(m):
        for j in range(max(0, i - 3), i):
            rhs[i, 0] -= band[i, i - j] * rhs[j, 0]
            rhs[i, 1] -= band[i, i - j] * rhs[j, 1]
        rhs[i, 0] /= band[i, 0]
        rhs[i, 1] /= band[i, 0]
    for i in range(m - 1, -1, -1):
        for j in range(i + 1, min(m, i + 4)):
            rhs[i, 0] -= band[j, j - i] * rhs[j, 0]
            rhs[i, 1] -= band[j, j - i] * rhs[j, 1]
        rhs[i, 0] /= band[i, 0]
        rhs[i, 1] /= band[i, 0]


@jit
def hermite(ends: FloatArray, count: int) -> FloatArray:
    """Quintic between two pinned ends (position, tangent, curvature), for the shortest lanes."""
    out = np.zeros((count, 2))
    x0, y0, h0, k0 = ends[0, 0], ends[0, 1], ends[0, 2], ends[0, 3]
    x1, y1, h1, k1 = ends[1, 0], ends[1, 1], ends[1, 2], ends[1, 3]
    v = max(math.hypot(x1 - x0, y1 - y0), 0.01)
    c0, s0, c1, s1 = math.cos(h0), math.sin(h0), math.cos(h1), math.sin(h1)
    a0 = k0 * v * v
    a1 = k1 * v * v
    for i in range(count):
        t = i / (count - 1)
        t3 = t * t * t
        p1 = t3 * (10.0 - 15.0 * t + 6.0 * t * t)
        q0 = t - t3 * (6.0 - 8.0 * t + 3.0 * t * t)
        q1 = t3 * (-4.0 + 7.0 * t - 3.0 * t * t)
        r0 = 0.5 * t * t - t3 * (1.5 - 1.5 * t + 0.5 * t * t)
        r1 = t3 * (0.5 - t + 0.5 * t * t)
        out[i, 0] = (
            x0 * (1.0 - p1) + x1 * p1 + v * (q0 * c0 + q1 * c1) - r0 * a0 * s0 - r1 * a1 * s1
        )
        out[i, 1] = (
            y0 * (1.0 - p1) + y1 * p1 + v * (q0 * s0 + q1 * s1) + r0 * a0 * c0 + r1 * a1 * c1
        )
    return out


@jit
def max_curvature(line: FloatArray) -> float:
    worst = 0.0
    for i in range(1, len(line) - 1):
        ax = line[i, 0] - line[i - 1, 0]
        ay = line[i, 1] - line[i - 1, 1]
        bx = line[i + 1, 0] - line[i, 0]
        by = line[i + 1, 1] - line[i, 1]
        size = 0.5 * (math.hypot(ax, ay) + math.hypot(bx, by))
        worst = max(worst, abs(math.atan2(ax * by - ay * bx, ax * bx + ay * by)) / max(size, 1e-6))
    return worst


@jit
def even(line: FloatArray, ends: FloatArray, step: float) -> FloatArray:
    """The curve through `line` sampled evenly by arc length: rows x, y, heading, curvature.

    Between points a cubic (Catmull-Rom with the pinned end tangents) is followed, so that sampling
    adds no kinks.
    """
    n = len(line)
    tangent = np.zeros((n, 2))
    for i in range(n):
        lo = max(i - 1, 0)
        hi = min(i + 1, n - 1)
        tangent[i, 0] = (line[hi, 0] - line[lo, 0]) / (hi - lo)
        tangent[i, 1] = (line[hi, 1] - line[lo, 1]) / (hi - lo)
    first = math.hypot(line[1, 0] - line[0, 0], line[1, 1] - line[0, 1])
    last = math.hypot(line[n - 1, 0] - line[n - 2, 0], line[n - 1, 1] - line[n - 2, 1])
    tangent[0, 0], tangent[0, 1] = first * math.cos(ends[0, 2]), first * math.sin(ends[0, 2])
    tangent[n - 1, 0] = last * math.cos(ends[1, 2])
    tangent[n - 1, 1] = last * math.sin(ends[1, 2])
    dense = np.zeros(((n - 1) * OVERSAMPLE + 1, 2))
    for i in range(n - 1):
        for j in range(OVERSAMPLE):
            t = j / OVERSAMPLE
            b = t * t * (3.0 - 2.0 * t)
            c0 = t * (1.0 - t) * (1.0 - t)
            c1 = t * t * (t - 1.0)
            for d in range(2):
                dense[i * OVERSAMPLE + j, d] = (line[i, d] * (1.0 - b) + line[i + 1, d] * b) + (
                    c0 * tangent[i, d] + c1 * tangent[i + 1, d]
                )
    dense[len(dense) - 1, 0], dense[len(dense) - 1, 1] = line[n - 1, 0], line[n - 1, 1]
    arc = np.zeros(len(dense))
    for i in range(1, len(dense)):
        arc[i] = arc[i - 1] + math.hypot(
            dense[i, 0] - dense[i - 1, 0], dense[i, 1] - dense[i - 1, 1]
        )
    count = max(2, math.ceil(arc[-1] / step - 1e-9) + 1)
    point = sampled(dense, arc, count)
    out = np.zeros((count, 4))
    for i in range(count):
        out[i, 0], out[i, 1] = point[i, 0], point[i, 1]
    _fill_heading(out, ends)
    return out


@jit
def _fill_heading(out: FloatArray, ends: FloatArray) -> None:
    """Heading and curvature columns from the points and the pinned ends."""
    n = len(out)
    out[0, 2] = wrap_angle(ends[0, 2])
    out[n - 1, 2] = wrap_angle(ends[1, 2])
    out[0, 3] = ends[0, 3]
    out[n - 1, 3] = ends[1, 3]
    for i in range(1, n - 1):
        ax = out[i, 0] - out[i - 1, 0]
        ay = out[i, 1] - out[i - 1, 1]
        bx = out[i + 1, 0] - out[i, 0]
        by = out[i + 1, 1] - out[i, 1]
        out[i, 2] = math.atan2(ay + by, ax + bx)
        size = max(0.5 * (math.hypot(ax, ay) + math.hypot(bx, by)), 1e-6)
        out[i, 3] = math.atan2(ax * by - ay * bx, ax * bx + ay * by) / size


@jit
def transition_length(radius: float, ramp: float, turn: float) -> float:
    """Tangent length of ramp, arc, ramp: from the start of the curve to where its tangents meet.

    ramp: length of each clothoid; turn: total change of heading, positive, below pi.
    """
    bend = 0.5 * ramp / radius
    x = ramp * (1.0 - bend * bend / 10.0 + bend**4 / 216.0)
    y = ramp * (bend / 3.0 - bend**3 / 42.0 + bend**5 / 1320.0)
    shift = y - radius * (1.0 - math.cos(bend))
    return (radius + shift) * math.tan(0.5 * turn) + x - radius * math.sin(bend)


@jit
def tangent_legs(ends: FloatArray) -> tuple[float, float, float]:
    """How far the two end tangents run to where they meet, and the turn between them (signed).

    (nan, nan, turn) where they are nearly parallel.
    """
    h0, h1 = ends[0, 2], ends[1, 2]
    turn = math.atan2(math.sin(h1 - h0), math.cos(h1 - h0))
    cross = math.sin(turn)
    if abs(cross) < 0.3:
        return math.nan, math.nan, turn
    dx = ends[1, 0] - ends[0, 0]
    dy = ends[1, 1] - ends[0, 1]
    first = (dx * math.sin(h1) - dy * math.cos(h1)) / cross
    second = (math.cos(h0) * dy - math.sin(h0) * dx) / cross
    return first, second, turn


@jit
def transition_curve(ends: FloatArray, share: float) -> FloatArray:
    """Straight, clothoid, arc, clothoid, straight between two ends, as roads are laid out.

    share: radius of the arc as a part of the largest that fits; what that leaves becomes ramps.
    No points where the end tangents do not meet ahead of the one and behind the other.
    """
    first, second, turn = tangent_legs(ends)
    size = abs(turn)
    leg = min(first, second)
    if not leg > 0.3 or size > 2.8:
        return np.zeros((0, 2))
    radius = share * leg / math.tan(0.5 * size)
    low = 0.0
    high = size * radius
    if transition_length(radius, high, size) < leg:
        low = high
    for _ in range(30):
        ramp = 0.5 * (low + high)
        if transition_length(radius, ramp, size) < leg:
            low = ramp
        else:
            high = ramp
    ramp = low
    used = transition_length(radius, ramp, size)
    arc = max(size * radius - ramp, 0.0)
    straight = max(first - used, 0.0)
    total = straight + 2.0 * ramp + arc + max(second - used, 0.0)
    count = max(8, math.ceil(total / SERIES_STEP_M) + 1)
    line = np.zeros((count, 2))
    line[0, 0], line[0, 1] = ends[0, 0], ends[0, 1]
    heading = ends[0, 2]
    fine = 8
    step = total / ((count - 1) * fine)
    x, y = ends[0, 0], ends[0, 1]
    for i in range(1, count):
        for k in range(fine):
            at = ((i - 1) * fine + k + 0.5) * step - straight
            bend = 0.0
            if 0.0 < at < 2.0 * ramp + arc:
                edge = min(at, 2.0 * ramp + arc - at)
                bend = 1.0 / radius if edge >= ramp else edge / (ramp * radius)
            bend = math.copysign(bend, turn)
            heading += 0.5 * bend * step
            x += step * math.cos(heading)
            y += step * math.sin(heading)
            heading += 0.5 * bend * step
        line[i, 0] = x
        line[i, 1] = y
    gap_x, gap_y = ends[1, 0] - x, ends[1, 1] - y
    for i in range(count):  # what integration left over, spread along the curve
        part = i / (count - 1)
        weight = part * part * (3.0 - 2.0 * part)
        line[i, 0] += weight * gap_x
        line[i, 1] += weight * gap_y
    return line
