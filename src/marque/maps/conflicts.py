"""Where connectors of one junction share ground, and who goes first there.

Two connectors conflict where the strips that vehicles sweep along them overlap. Geometry comes from
the drivable centre lines; priority from the source's own right-of-way matrix, and where that is
silent or contradicts itself, from general rules (and the row is marked as guessed).
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array
from marque.core.jit import jit
from marque.types.codes import ConflictKind

VEHICLE_WIDTH_M = 1.9
SIDE_MARGIN_M = 0.2
GRAZE_M = 0.1  # vehicles that pass closer than this touch, whatever the source says


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """P pairs of connectors that share ground; s is arc length along a or b, metres."""

    a: Int32Array
    b: Int32Array
    kind: Int8Array  # ConflictKind
    a_in_m: FloatArray
    a_out_m: FloatArray
    b_in_m: FloatArray
    b_out_m: FloatArray


def find_overlaps(
    pairs: Int32Array,
    listed: BoolArray,
    abreast: BoolArray,
    half_width_m: FloatArray,
    pt_off: Int32Array,
    pt_xy_m: FloatArray,
    pt_s_m: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
) -> Overlaps:
    """Overlaps among candidate pairs [P, 2] of connectors.

    listed [P]: the source names the pair as foes; an unlisted pair that does not cross counts
    only when vehicles would touch. abreast [P]: both come from one road; unlisted and uncrossed,
    they are lanes side by side and no conflict. half_width_m [L]: half of the strip swept along
    each lane.
    """
    low = np.minimum.reduceat(pt_xy_m, pt_off[:-1], axis=0)
    high = np.maximum.reduceat(pt_xy_m, pt_off[:-1], axis=0)
    box = np.column_stack((low[:, 0], high[:, 0], low[:, 1], high[:, 1]))
    found = _measure_pairs(pairs, box, half_width_m, pt_off, pt_xy_m, pt_s_m)
    a, b = pairs[:, 0], pairs[:, 1]
    merge = connector_to[a] == connector_to[b]
    diverge = (connector_from[a] == connector_from[b]) & ~merge
    near, crossing = found[:, 0], found[:, 5] > 0.5
    room = half_width_m[a] + half_width_m[b]
    touch = near < room - 2.0 * SIDE_MARGIN_M + GRAZE_M
    keep = merge | diverge | ((near < room) & (crossing | listed | (touch & ~abreast)))
    kind = np.full(len(a), ConflictKind.CROSS, dtype=np.int8)
    kind[merge] = ConflictKind.MERGE
    kind[diverge] = ConflictKind.DIVERGE
    ends = pt_s_m[pt_off[1:] - 1]
    found[merge, 2], found[merge, 4] = ends[a[merge]], ends[b[merge]]
    found[diverge, 1], found[diverge, 3] = 0.0, 0.0
    found = found[keep]
    return Overlaps(
        a[keep].astype(np.int32),
        b[keep].astype(np.int32),
        kind[keep],
        found[:, 1],
        found[:, 2],
        found[:, 3],
        found[:, 4],
    )


@jit
def _measure_pairs(
    pairs: Int32Array,
    box: FloatArray,
    half_width: FloatArray,
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
) -> FloatArray:
    """[P, 6]: least distance of the centre lines, a in, a out, b in, b out, they cross (0, 1).

    box [L, 4]: low x, high x, low y, high y of each lane.
    """
    out = np.zeros((len(pairs), 6))
    for p in range(len(pairs)):
        a = pairs[p, 0]
        b = pairs[p, 1]
        room = half_width[a] + half_width[b]
        out[p, 0] = np.inf
        if (
            box[a, 0] - room > box[b, 1]
            or box[b, 0] - room > box[a, 1]
            or box[a, 2] - room > box[b, 3]
            or box[b, 2] - room > box[a, 3]
        ):
            continue
        a_lo, a_hi, b_lo, b_hi = off[a], off[a + 1], off[b], off[b + 1]
        near, out[p, 1], out[p, 2] = shared_span(xy[a_lo:a_hi], s[a_lo:a_hi], xy[b_lo:b_hi], room)
        out[p, 0] = near
        near, out[p, 3], out[p, 4] = shared_span(xy[b_lo:b_hi], s[b_lo:b_hi], xy[a_lo:a_hi], room)
        out[p, 5] = 1.0 if lines_cross(xy[a_lo:a_hi], xy[b_lo:b_hi]) else 0.0
    return out


@jit
def shared_span(
    line: FloatArray, s: FloatArray, other: FloatArray, room: float
) -> tuple[float, float, float]:
    """Least distance of `line` [n, 2] (arc length s [n]) to polyline `other`, and the span of s in
    which it is below `room` (nan, nan if nowhere). Borders are interpolated between points."""
    near = np.inf
    start = np.nan
    end = np.nan
    last = np.inf
    for i in range(len(line)):
        d = _distance(other, line[i, 0], line[i, 1])
        near = min(near, d)
        if d < room:
            if math.isnan(start):
                start = s[i]
                if i > 0:
                    start = s[i - 1] + (s[i] - s[i - 1]) * (last - room) / (last - d)
            end = s[i]
        elif last < room:
            end = s[i - 1] + (s[i] - s[i - 1]) * (room - last) / (d - last)
        last = d
    return near, start, end


@jit
def _distance(line: FloatArray, x: float, y: float) -> float:
    best = np.inf
    for j in range(len(line) - 1):
        ux = line[j + 1, 0] - line[j, 0]
        uy = line[j + 1, 1] - line[j, 1]
        vx = x - line[j, 0]
        vy = y - line[j, 1]
        t = (ux * vx + uy * vy) / max(ux * ux + uy * uy, 1e-18)
        t = min(1.0, max(0.0, t))
        best = min(best, (vx - t * ux) ** 2 + (vy - t * uy) ** 2)
    return math.sqrt(best)


@jit
def lines_cross(a: FloatArray, b: FloatArray) -> bool:
    """Whether one polyline changes sides of the other (a vertex on it counts as its left)."""
    for i in range(len(a) - 1):
        for j in range(len(b) - 1):
            d1 = _side(a, i, b[j, 0], b[j, 1])
            d2 = _side(a, i, b[j + 1, 0], b[j + 1, 1])
            d3 = _side(b, j, a[i, 0], a[i, 1])
            d4 = _side(b, j, a[i + 1, 0], a[i + 1, 1])
            if (d1 >= 0.0) != (d2 >= 0.0) and (d3 >= 0.0) != (d4 >= 0.0):
                return True
    return False


@jit
def _side(line: FloatArray, i: int, x: float, y: float) -> float:
    ux = line[i + 1, 0] - line[i, 0]
    uy = line[i + 1, 1] - line[i, 1]
    return float(ux * (y - line[i, 1]) - uy * (x - line[i, 0]))


@jit
def _inside(polygon: FloatArray, x: float, y: float) -> bool:
    inside = False
    j = len(polygon) - 1
    for i in range(len(polygon)):
        yi = polygon[i, 1]
        yj = polygon[j, 1]
        if (yi > y) != (yj > y):
            at = (polygon[j, 0] - polygon[i, 0]) * (y - yi) / (yj - yi) + polygon[i, 0]
            if x < at:
                inside = not inside
        j = i
    return inside


@jit
def span_in_polygon(
    line: FloatArray, s: FloatArray, polygon: FloatArray, half_width: float
) -> tuple[float, float]:
    """Span of s in which a strip of +-half_width along `line` touches the polygon; nan if never.

    The strip is probed at its middle and both sides, every 0.25 m.
    """
    start = np.nan
    end = np.nan
    for i in range(len(line) - 1):
        dx = line[i + 1, 0] - line[i, 0]
        dy = line[i + 1, 1] - line[i, 1]
        size = math.hypot(dx, dy)
        if size < 1e-9:
            continue
        probes = max(1, math.ceil(size / 0.25))
        nx = -dy / size * half_width
        ny = dx / size * half_width
        for k in range(probes + 1):
            t = k / probes
            x = line[i, 0] + t * dx
            y = line[i, 1] + t * dy
            if (
                _inside(polygon, x, y)
                or _inside(polygon, x + nx, y + ny)
                or _inside(polygon, x - nx, y - ny)
            ):
                at = s[i] + t * (s[i + 1] - s[i])
                if math.isnan(start):
                    start = at
                end = at
    return start, end
