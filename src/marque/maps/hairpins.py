"""Bends that are tighter than a car: swing out before them, as drivers do.

Importers offset the lanes of a road by half a width each. Where a road turns back on itself the
inner lane then has a radius of a metre or two, which nobody can drive. Here its line moves to the
outside of the bend, with a run-in and a run-out, until its radius is `RADIUS_M`.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import tangents
from marque.core.jit import jit

RADIUS_M = 5.0
RUN_M = 9.0  # over which a line swings out before a bend, and back after it
MOST_M = 4.5  # further out than this nobody swings
PART_M = 0.6  # at a time
ROUNDS = 120
END_M = 3.0  # ends of a lane stay where they are


@jit
def widened(line: FloatArray) -> FloatArray:
    """[n, 2] a line whose bends have at least `RADIUS_M`, as far as `MOST_M` allows."""
    source = line
    line = line.copy()
    n = len(line)
    for _ in range(ROUNDS):
        bend, arc = _bends(line)
        tight = np.abs(bend) > 1.0 / RADIUS_M
        if not tight.any():
            break
        out = _push(bend, tight, arc)
        pushed = line + out.reshape(n, 1) * _normals(line)
        away = 0.0
        for i in range(n):
            away = max(away, math.hypot(pushed[i, 0] - source[i, 0], pushed[i, 1] - source[i, 1]))
        if away > MOST_M:
            break
        line = _settled(pushed)
    return line


@jit
def _bends(line: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Curvature over about 2 m at each point, left positive, and arc length."""
    n = len(line)
    arc = np.zeros(n)
    for i in range(1, n):
        arc[i] = arc[i - 1] + math.hypot(line[i, 0] - line[i - 1, 0], line[i, 1] - line[i - 1, 1])
    bend = np.zeros(n)
    for i in range(1, n - 1):
        lo, hi = i - 1, i + 1
        while lo > 0 and arc[i] - arc[lo] < 1.0:
            lo -= 1
        while hi < n - 1 and arc[hi] - arc[i] < 1.0:
            hi += 1
        ax, ay = line[i, 0] - line[lo, 0], line[i, 1] - line[lo, 1]
        bx, by = line[hi, 0] - line[i, 0], line[hi, 1] - line[i, 1]
        turn = math.atan2(ax * by - ay * bx, ax * bx + ay * by)
        bend[i] = turn / max(0.5 * (arc[hi] - arc[lo]), 1e-6)
    return bend, arc


@jit
def _push(bend: FloatArray, tight: BoolArray, arc: FloatArray) -> FloatArray:
    """How far each point goes outwards in this round, left positive."""
    n = len(bend)
    left = np.zeros(n)
    right = np.zeros(n)
    for j in range(n):
        if not tight[j]:
            continue
        part = min(PART_M, 0.3 * (RADIUS_M - 1.0 / abs(bend[j])))
        for i in range(n):
            u = (arc[i] - arc[j]) / RUN_M
            if abs(u) >= 1.0:
                continue
            share = (1.0 - u * u) ** 3 * part
            if bend[j] < 0.0:
                left[i] = max(left[i], share)
            else:
                right[i] = max(right[i], share)
    out = left - right
    for i in range(n):
        u = min(1.0, min(arc[i], arc[n - 1] - arc[i]) / END_M)
        out[i] *= u * u * (3.0 - 2.0 * u)
    return out


@jit
def _normals(line: FloatArray) -> FloatArray:
    along = tangents(line)
    turned = np.empty_like(along)
    turned[:, 0], turned[:, 1] = -along[:, 1], along[:, 0]
    return turned


@jit
def _settled(line: FloatArray) -> FloatArray:
    """The line a little smoother, so that what was pushed apart stays one curve."""
    out = line.copy()
    for _ in range(2):
        before = out.copy()
        for i in range(1, len(line) - 1):
            for k in range(2):
                out[i, k] = 0.25 * before[i - 1, k] + 0.5 * before[i, k] + 0.25 * before[i + 1, k]
    return out
