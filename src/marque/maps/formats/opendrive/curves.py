"""Plan view geometry of OpenDRIVE: pose, curvature and distance along a road's reference line.

A road's reference line is a table of pieces, one row each (columns below). A line, an arc and a
spiral have curvature k0 + dk * ds; a spiral's Fresnel integrals are taken by Gauss-Legendre panels
of at most one radian, which is exact to rounding. poly3 and paramPoly3 are the curve
(u(p), v(p)), two cubics in the piece's own frame; s is arc length along it, so p is found from s
through a table of arc lengths at evenly spaced p (`knots`).

Frame: map metres, ENU, headings counter-clockwise from east. A point beside the line at t (left
positive) is R(s) + t n(s).
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit

S, LENGTH, X, Y, HEADING, BEND, RAMP, IS_CUBIC, U, V, P_END = 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16
COLUMNS = 17
KNOTS = 33  # arc lengths kept of a cubic piece
PANEL_RAD = 1.0
TRAVEL_STEP_M = 5.0
SAME_M = 1e-9  # closer along s is the same place
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES = 0.5 * (NODES + 1.0)  # on [0, 1]
WEIGHTS = 0.5 * WEIGHTS


@jit
def clothoid(bend: float, ramp: float, ds: float) -> tuple[float, float, float]:
    """(u, v, turned angle) after ds metres of curvature bend + ramp * s, from the origin."""
    turn = (bend + 0.5 * ramp * ds) * ds
    if ramp == 0.0:
        half = 0.5 * turn
        chord = ds * (math.sin(half) / half if abs(half) > 1e-4 else 1.0 - half * half / 6.0)
        return chord * math.cos(half), chord * math.sin(half), turn
    swept = abs(bend * ds) + abs(0.5 * ramp * ds * ds)
    panels = math.ceil(swept / PANEL_RAD) + 1
    u = 0.0
    v = 0.0
    step = ds / panels
    for panel in range(panels):
        for i in range(len(NODES)):
            at = (panel + NODES[i]) * step
            angle = (bend + 0.5 * ramp * at) * at
            u += WEIGHTS[i] * math.cos(angle)
            v += WEIGHTS[i] * math.sin(angle)
    return u * step, v * step, turn


@jit
def cubic(a: float, b: float, c: float, d: float, x: float) -> float:
    """a + b x + c x^2 + d x^3."""
    return a + x * (b + x * (c + x * d))


@jit
def slope(b: float, c: float, d: float, x: float) -> float:
    """Derivative of a cubic."""
    return b + x * (2.0 * c + x * 3.0 * d)


@jit
def speed(row: FloatArray, p: float) -> float:
    """|d(u, v)/dp| of a cubic piece."""
    du = slope(row[U + 1], row[U + 2], row[U + 3], p)
    dv = slope(row[V + 1], row[V + 2], row[V + 3], p)
    return math.hypot(du, dv)


@jit
def arc_between(row: FloatArray, p0: float, p1: float) -> float:
    """Arc length of a cubic piece from p0 to p1 (one Gauss-Legendre panel)."""
    total = 0.0
    for i in range(len(NODES)):
        total += WEIGHTS[i] * speed(row, p0 + NODES[i] * (p1 - p0))
    return float(total * (p1 - p0))


@jit
def parameter(row: FloatArray, knots: FloatArray, ds: float) -> float:
    """p of a cubic piece at arc length ds. knots [KNOTS]: arc length at evenly spaced p."""
    gap = row[P_END] / (KNOTS - 1)
    lo = 0
    hi = KNOTS - 1
    while hi - lo > 1:
        middle = (lo + hi) // 2
        if knots[middle] <= ds:
            lo = middle
        else:
            hi = middle
    p0 = lo * gap
    p = p0 + gap * (ds - knots[lo]) / max(knots[hi] - knots[lo], 1e-12)
    for _ in range(12):
        miss = ds - knots[lo] - arc_between(row, p0, p)
        p += miss / max(speed(row, p), 1e-9)
        if abs(miss) < 1e-12:
            break
    return float(p)


@jit
def piece_pose(row: FloatArray, knots: FloatArray, ds: float) -> tuple[float, float, float, float]:
    """(x, y, heading, curvature) ds metres into a piece."""
    if row[IS_CUBIC] > 0.5:
        p = parameter(row, knots, ds * knots[KNOTS - 1] / row[LENGTH])
        u = cubic(row[U], row[U + 1], row[U + 2], row[U + 3], p)
        v = cubic(row[V], row[V + 1], row[V + 2], row[V + 3], p)
        du = slope(row[U + 1], row[U + 2], row[U + 3], p)
        dv = slope(row[V + 1], row[V + 2], row[V + 3], p)
        ddu = 2.0 * row[U + 2] + 6.0 * row[U + 3] * p
        ddv = 2.0 * row[V + 2] + 6.0 * row[V + 3] * p
        size = max(math.hypot(du, dv), 1e-9)
        turn = math.atan2(dv, du)
        bend = (du * ddv - dv * ddu) / (size * size * size)
    else:
        u, v, turn = clothoid(row[BEND], row[RAMP], ds)
        bend = row[BEND] + row[RAMP] * ds
    c = math.cos(row[HEADING])
    s = math.sin(row[HEADING])
    x = row[X] + c * u - s * v
    y = row[Y] + s * u + c * v
    return x, y, row[HEADING] + turn, bend


@jit
def piece_at(pieces: FloatArray, s: float) -> int:
    """Index of the piece that holds s; at a border, the later one."""
    lo = 0
    hi = len(pieces)
    while hi - lo > 1:
        middle = (lo + hi) // 2
        if pieces[middle, S] <= s:
            lo = middle
        else:
            hi = middle
    return lo


@jit
def line_pose(
    pieces: FloatArray, knots: FloatArray, s: float, t: float
) -> tuple[float, float, float, float]:
    """(x, y, heading of the reference line, its curvature) at s, t metres left of the line.

    pieces [n, COLUMNS], knots [n, KNOTS] of one road.
    """
    i = piece_at(pieces, s)
    x, y, heading, bend = piece_pose(pieces[i], knots[i], s - pieces[i, S])
    return x - t * math.sin(heading), y + t * math.cos(heading), wrap_angle(heading), bend


@jit
def line_points(pieces: FloatArray, knots: FloatArray, s: FloatArray, t: FloatArray) -> FloatArray:
    """Points [n, 2] at s [n] and t [n] of a road."""
    out = np.empty((len(s), 2))
    for i in range(len(s)):
        out[i, 0], out[i, 1], _, _ = line_pose(pieces, knots, s[i], t[i])
    return out


@jit
def line_nearest(
    pieces: FloatArray, knots: FloatArray, samples: FloatArray, x: float, y: float
) -> tuple[float, float, float, float]:
    """Foot of a point on a road's reference line: (s, t, heading there, beyond).

    samples [m, 3]: s, x, y along the line. t is the offset to the left. beyond: metres by which the
    point lies before the start (negative) or past the end, along the line; 0 beside it.
    """
    best = 1e300
    k = 0
    for i in range(len(samples)):
        away = (samples[i, 1] - x) ** 2 + (samples[i, 2] - y) ** 2
        if away < best:
            best = away
            k = i
    lo = samples[max(0, k - 1), 0]
    hi = samples[min(len(samples) - 1, k + 1), 0]
    s = samples[k, 0]
    for _ in range(60):  # Newton, kept between lo, behind the foot, and hi, beyond it
        along, aside, _, bend = _seen_from(pieces, knots, s, x, y)
        step = along / max(1.0 - bend * aside, 0.2)
        if abs(step) < 1e-10:
            break
        if along > 0.0:
            lo = s
        else:
            hi = s
        if hi - lo < 1e-10:
            break
        s += step
        if s < lo or s > hi:
            at_end = (hi == samples[-1, 0] and s > hi) or (lo == samples[0, 0] and s < lo)
            s = (hi if s > hi else lo) if at_end else 0.5 * (lo + hi)
    along, aside, heading, _ = _seen_from(pieces, knots, s, x, y)
    beyond = 0.0
    if (s <= samples[0, 0] and along < 0.0) or (s >= samples[-1, 0] and along > 0.0):
        beyond = along
    return s, aside, heading, beyond


@jit
def _seen_from(
    pieces: FloatArray, knots: FloatArray, s: float, x: float, y: float
) -> tuple[float, float, float, float]:
    """A point as (ahead, left) of the line at s; heading and curvature of the line there."""
    rx, ry, heading, bend = line_pose(pieces, knots, s, 0.0)
    c = math.cos(heading)
    d = math.sin(heading)
    return (x - rx) * c + (y - ry) * d, (y - ry) * c - (x - rx) * d, heading, bend


@jit
def path_rate(
    row: FloatArray, knots: FloatArray, t: FloatArray, t_from: float, aside: float, s: float
) -> float:
    """Metres of path per metre of s, of the path at t(s) = cubic t [4] in (s - t_from), plus
    `aside`, beside the piece `row`."""
    _, _, _, bend = piece_pose(row, knots, s - row[S])
    side = cubic(t[0], t[1], t[2], t[3], s - t_from) + aside
    return math.hypot(1.0 - bend * side, slope(t[1], t[2], t[3], s - t_from))


@jit
def path_length(
    row: FloatArray,
    knots: FloatArray,
    t: FloatArray,
    t_from: float,
    aside: float,
    s0: float,
    s1: float,
) -> float:
    """Length of the path of `path_rate` from s0 to s1 (one Gauss-Legendre panel)."""
    total = 0.0
    for n in range(len(NODES)):
        at = s0 + NODES[n] * (s1 - s0)
        total += WEIGHTS[n] * path_rate(row, knots, t, t_from, aside, at)
    return total * abs(s1 - s0)


@jit
def travel(
    pieces: FloatArray,
    knots: FloatArray,
    t: FloatArray,
    t_from: float,
    aside: float,
    s: float,
    limit: float,
    distance: float,
) -> tuple[float, float]:
    """Go `distance` (>= 0) metres along the path of `path_length` from s towards `limit`.

    Returns (s reached, metres that are left because the limit came first).
    """
    sign = 1.0 if limit >= s else -1.0
    left = distance
    while left > 0.0 and sign * (limit - s) > SAME_M:
        i = piece_at(pieces, s + sign * SAME_M)
        row = pieces[i]
        border = row[S] + row[LENGTH] if sign > 0.0 else row[S]
        step = min(TRAVEL_STEP_M, sign * (limit - s), max(sign * (border - s), SAME_M))
        gone = path_length(row, knots[i], t, t_from, aside, s, s + sign * step)
        if gone <= left:
            left -= gone
            s += sign * step
            continue
        part = step * left / gone
        for _ in range(20):
            to = s + sign * part
            miss = left - path_length(row, knots[i], t, t_from, aside, s, to)
            rate = path_rate(row, knots[i], t, t_from, aside, to)
            part = min(step, max(0.0, part + miss / max(rate, 1e-6)))
            if abs(miss) < 1e-11:
                break
        s += sign * part
        left = 0.0
    return (limit if sign * (limit - s) <= SAME_M else s), left
