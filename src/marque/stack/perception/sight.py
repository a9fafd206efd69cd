"""Who can be seen from where: the share of each believed box that nobody else stands before.

A fan of rays over the bearings that a box covers; each ray is free if it meets no occluder before
the box. What stands higher than a car is hidden by the tall alone.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.jit import jit

RAYS = 8
FAR = 1e300
BEFORE_M = 0.3  # nearer than this two beliefs touch rather than hide each other


@jit
def reach(px: float, py: float, ux: float, uy: float, half_l: float, half_w: float) -> float:
    """Where the ray from p along the unit vector u enters a box around the origin; FAR if never.

    All in the box's own axes. A ray that starts inside enters at 0.
    """
    near = 0.0
    far = FAR
    for axis in range(2):
        p = px if axis == 0 else py
        u = ux if axis == 0 else uy
        half = half_l if axis == 0 else half_w
        if abs(u) < 1e-12:
            if abs(p) > half:
                return FAR
            continue
        one = (-half - p) / u
        two = (half - p) / u
        near = max(near, min(one, two))
        far = min(far, max(one, two))
    return near if near <= far else FAR


@jit
def bearings(ex: float, ey: float, box: FloatArray) -> tuple[float, float, float]:
    """Bearing of a box's middle from e, and how far it reaches to the right and to the left.

    box [6]: x, y, cos and sin of the heading, half length, half width. Around e: all round.
    """
    dx = box[0] - ex
    dy = box[1] - ey
    along = dx * box[2] + dy * box[3]
    aside = -dx * box[3] + dy * box[2]
    if abs(along) <= box[4] and abs(aside) <= box[5]:
        return 0.0, math.pi, math.pi
    right = 0.0
    left = 0.0
    for corner in range(4):
        a = box[4] if corner < 2 else -box[4]
        b = box[5] if corner % 2 == 0 else -box[5]
        cx = dx + a * box[2] - b * box[3]
        cy = dy + a * box[3] + b * box[2]
        turn = math.atan2(dx * cy - dy * cx, dx * cx + dy * cy)
        left = max(left, turn)
        right = max(right, -turn)
    return math.atan2(dy, dx), right, left


@jit
def enters(ex: float, ey: float, ux: float, uy: float, box: FloatArray) -> float:
    """Where the ray from e along the unit vector u enters a box as in `bearings`; FAR if never."""
    dx = ex - box[0]
    dy = ey - box[1]
    return reach(
        dx * box[2] + dy * box[3],
        -dx * box[3] + dy * box[2],
        ux * box[2] + uy * box[3],
        -ux * box[3] + uy * box[2],
        box[4],
        box[5],
    )


@jit
def _meet(one: FloatArray, two: FloatArray) -> bool:
    """Whether two ranges of bearings (middle, right, left) have a direction in common."""
    off = (two[0] - one[0] + math.pi) % (2.0 * math.pi) - math.pi
    return bool(off - two[1] <= one[2] and off + two[2] >= -one[1])


@jit
def in_sight(
    ex: float, ey: float, box: FloatArray, hides: BoolArray, tall: BoolArray
) -> FloatArray:
    """[n] share of each box that is in line of sight from e, 0 to 1.

    box [n, 6] as in `bearings`; `hides` [n] stands before others, `tall` [n] is hidden by the
    tall alone. A box around e is seen whole and hides nothing.
    """
    n = len(box)
    span = np.empty((n, 3))
    for i in range(n):
        span[i, 0], span[i, 1], span[i, 2] = bearings(ex, ey, box[i])
    share = np.ones(n)
    before = np.empty(n, dtype=np.int64)
    for i in range(n):
        if span[i, 1] >= math.pi:
            continue
        count = 0
        for j in range(n):
            can = hides[j] and j != i and span[j, 1] < math.pi and (tall[j] or not tall[i])
            if can and _meet(span[i], span[j]):
                before[count] = j
                count += 1
        if count == 0:
            continue
        free = 0
        for ray in range(RAYS):
            part = (ray + 0.5) / RAYS
            angle = span[i, 0] - span[i, 1] + part * (span[i, 1] + span[i, 2])
            ux = math.cos(angle)
            uy = math.sin(angle)
            until = enters(ex, ey, ux, uy, box[i]) - BEFORE_M
            met = False
            for place in range(count):
                if enters(ex, ey, ux, uy, box[before[place]]) < until:
                    met = True
                    break
            free += 0 if met else 1
        share[i] = free / RAYS
    return share
