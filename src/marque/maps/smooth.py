"""Drivable centre lines: heading runs on within a lane and across lane, connector and lane.

Importers deliver polylines that kink where lanes join. Two steps mend that:

1. Every join (the end of a lane with its connectors, the start of a lane with its connectors) gets
   one shared point, tangent and curvature, read off the path that runs straightest through it. The
   point moves sideways only, by at most `JOIN_SHIFT_M`.
2. Every lane becomes the curve that trades distance from the source polyline against change of
   curvature (a smoothing spline: sum of squared third differences), with both ends pinned to
   their joins. The smoothing length is the largest that keeps the lane within its allowance.

Frame: map metres. All functions are pure.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.jit import jit

STEP_M = 1.0  # between points of a lane
FINE_STEP_M = 0.5  # of a connector, and of a lane with a curve below FINE_RADIUS_M
FINE_RADIUS_M = 25.0
WINDOW_M = 6.0  # how far a join looks along the path
SHIFT_WINDOW_M = 3.0
JOIN_SHIFT_M = 0.3
THROUGH_RAD = math.radians(50.0)  # a join bends at most this much to count as running on
MIN_RADIUS_M = 5.0
LANE_MOVE_M = 0.35  # usual allowance
CONNECTOR_MOVE_M = 0.6
TIGHT_MOVE_M = 1.0  # allowance where the curve would be too tight to drive
TIGHT_CONNECTOR_MOVE_M = 1.6
LENGTHS_M = np.array([0.5, 0.8, 1.2, 1.8, 2.6, 3.6, 5.0, 7.0])  # smoothing lengths tried


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Smoothed centre lines of L lanes (fields as in RoadMap) and how they came out."""

    pt_off: Int32Array
    pt_xy_m: FloatArray
    pt_s_m: FloatArray
    pt_heading_rad: FloatArray
    pt_curvature_1pm: FloatArray
    moved_m: FloatArray  # [L] furthest that a lane's line lies from its source polyline


def smooth_lanes(
    shape_off: Int32Array,
    shape_xy_m: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    plain: BoolArray,
) -> Lines:
    """Centre lines of all lanes.

    shape_off [L+1], shape_xy_m [M, 2]: source polylines, at least two points each.
    connector_from, connector_to [L]: joined lanes of a connector, -1 for a lane.
    plain [L]: resampled only (footways).
    """
    off, xy = _without_repeats(shape_off, shape_xy_m)
    s = _arc_all(off, xy)
    is_connector = connector_from >= 0
    out_off, out = _grouped(connector_from, len(off) - 1)
    in_off, into = _grouped(connector_to, len(off) - 1)
    ahead = connector_to.astype(np.int32)  # lane -> straightest connector, connector -> lane
    behind = connector_from.astype(np.int32)
    _link_straightest(off, xy, s, out_off, out, connector_to, is_connector, True, ahead)
    _link_straightest(off, xy, s, in_off, into, connector_from, is_connector, False, behind)
    joins = _joins(off, xy, s, ahead, behind, is_connector)
    ends = _pinned_ends(off, xy, joins, connector_from, connector_to, plain)
    pt_off, pt_xy, heading, curvature, moved = _smooth_all(off, xy, s, ends, is_connector, plain)
    return Lines(pt_off, pt_xy, _arc_all(pt_off, pt_xy), heading, curvature, moved)


def _grouped(key: Int32Array, count: int) -> tuple[Int32Array, Int32Array]:
    """CSR of the indices that carry each key."""
    index = np.flatnonzero(key >= 0)
    order = index[np.argsort(key[index], kind="stable")]
    counts = np.bincount(key[index], minlength=count)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return offsets, order.astype(np.int32)


@jit
def _without_repeats(off: Int32Array, xy: FloatArray) -> tuple[Int32Array, FloatArray]:
    """Polylines without points closer than 1 cm to the one before; ends kept, 2 points at least.

    A lane of no length at all is stretched to 2 cm along +x, so that it survives.
    """
    lanes = len(off) - 1
    new_off = np.zeros(lanes + 1, dtype=np.int32)
    new_xy = np.zeros((len(xy) + lanes, 2))
    k = 0
    for lane in range(lanes):
        lo = off[lane]
        hi = off[lane + 1]
        start = k
        for i in range(lo, hi):
            if k > start:
                gap = math.hypot(xy[i, 0] - new_xy[k - 1, 0], xy[i, 1] - new_xy[k - 1, 1])
                if gap < 0.01:
                    if i == hi - 1 and k - start > 1:
                        new_xy[k - 1] = xy[i]
                    continue
            new_xy[k] = xy[i]
            k += 1
        if k - start == 1:
            new_xy[k, 0] = new_xy[k - 1, 0] + 0.02
            new_xy[k, 1] = new_xy[k - 1, 1]
            k += 1
        new_off[lane + 1] = k
    return new_off, new_xy[:k].copy()


@jit
def _arc_all(off: Int32Array, xy: FloatArray) -> FloatArray:
    """Arc length from the start of each polyline, [M]."""
    s = np.zeros(len(xy))
    for lane in range(len(off) - 1):
        for i in range(off[lane] + 1, off[lane + 1]):
            step = math.hypot(xy[i, 0] - xy[i - 1, 0], xy[i, 1] - xy[i - 1, 1])
            s[i] = s[i - 1] + step
    return s


@jit
def _at(xy: FloatArray, s: FloatArray, lo: int, hi: int, want: float) -> tuple[float, float]:
    """Point of polyline lo..hi-1 at arc length `want` (clamped)."""
    if want <= 0.0:
        return xy[lo, 0], xy[lo, 1]
    for i in range(lo + 1, hi):
        if s[i] >= want:
            t = (want - s[i - 1]) / max(s[i] - s[i - 1], 1e-12)
            return (
                xy[i - 1, 0] + t * (xy[i, 0] - xy[i - 1, 0]),
                xy[i - 1, 1] + t * (xy[i, 1] - xy[i - 1, 1]),
            )
    return xy[hi - 1, 0], xy[hi - 1, 1]


@jit
def _angle_between(ax: float, ay: float, bx: float, by: float) -> float:
    return abs(math.atan2(ax * by - ay * bx, ax * bx + ay * by))


@jit
def _link_straightest(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    via_off: Int32Array,
    via: Int32Array,
    far: Int32Array,
    is_connector: BoolArray,
    forward: bool,
    link: Int32Array,
) -> None:
    """Write into link[lane] the connector that runs on straightest at its end (or start).

    Direction is measured over WINDOW_M along connector and the lane beyond it.
    """
    for lane in range(len(off) - 1):
        if is_connector[lane]:
            continue
        lo = off[lane]
        hi = off[lane + 1]
        i = hi - 1 if forward else lo
        qx, qy = _at(xy, s, lo, hi, s[hi - 1] - WINDOW_M if forward else WINDOW_M)
        best = 1e9
        link[lane] = -1
        for k in range(via_off[lane], via_off[lane + 1]):
            c = via[k]
            fx, fy = _beyond(off, xy, s, c, far[c], forward)
            angle = _angle_between(xy[i, 0] - qx, xy[i, 1] - qy, fx - xy[i, 0], fy - xy[i, 1])
            if angle < best:
                best = angle
                link[lane] = c


@jit
def _beyond(
    off: Int32Array, xy: FloatArray, s: FloatArray, connector: int, lane: int, forward: bool
) -> tuple[float, float]:
    """Point WINDOW_M along connector, then lane (backwards when not forward)."""
    length = s[off[connector + 1] - 1]
    piece = connector
    rest = WINDOW_M
    if rest > length:
        piece = lane
        rest -= length
    total = s[off[piece + 1] - 1]
    return _at(xy, s, off[piece], off[piece + 1], rest if forward else total - rest)


@jit
def _walk(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    link: Int32Array,
    piece: int,
    want: float,
    forward: bool,
) -> tuple[float, float, float]:
    """Point `want` metres along `piece` and the pieces linked to it (backwards from its end when
    not forward), and how far it got (less than `want` where the road ends)."""
    got = 0.0
    x = 0.0
    y = 0.0
    for _ in range(12):
        lo = off[piece]
        hi = off[piece + 1]
        length = s[hi - 1]
        rest = want - got
        x, y = _at(xy, s, lo, hi, rest if forward else length - rest)
        if rest <= length:
            return x, y, want
        got += length
        if link[piece] < 0:
            break
        piece = link[piece]
    return x, y, got


@jit
def _joins(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ahead: Int32Array,
    behind: Int32Array,
    is_connector: BoolArray,
) -> FloatArray:
    """[2, L, 4] x, y, tangent angle, curvature at each lane's start (0) and end (1)."""
    lanes = len(off) - 1
    out = np.zeros((2, lanes, 4))
    for lane in range(lanes):
        if is_connector[lane]:
            continue
        for side in range(2):
            first = lane if side == 1 else behind[lane]  # before the join
            then = ahead[lane] if side == 1 else lane  # after it
            i = off[lane + 1] - 1 if side == 1 else off[lane]
            out[side, lane] = _join(
                off, xy, s, ahead, behind, first, then, xy[i, 0], xy[i, 1], lane
            )
    return out


@jit
def _join(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ahead: Int32Array,
    behind: Int32Array,
    first: int,
    then: int,
    px: float,
    py: float,
    own: int,
) -> FloatArray:
    """x, y, tangent angle, curvature where `first` (or -1) meets `then` (or -1) at (px, py)."""
    out = np.array((px, py, 0.0, 0.0))
    bx, by, back = px, py, 0.0
    if first >= 0:
        bx, by, back = _walk(off, xy, s, behind, first, WINDOW_M, False)
    fx, fy, fore = px, py, 0.0
    if then >= 0:
        fx, fy, fore = _walk(off, xy, s, ahead, then, WINDOW_M, True)
    bend = math.atan2(
        (px - bx) * (fy - py) - (py - by) * (fx - px), (px - bx) * (fx - px) + (py - by) * (fy - py)
    )
    through = back > 0.5 and fore > 0.5 and abs(bend) < THROUGH_RAD
    if not through:
        if first == own and back > 0.0:
            out[2] = math.atan2(py - by, px - bx)
        elif then == own and fore > 0.0:
            out[2] = math.atan2(fy - py, fx - px)
        return out
    # tangent of the circle through the three points, at the middle one
    h1 = math.atan2(py - by, px - bx)
    d1 = max(math.hypot(px - bx, py - by), 1e-6)
    d2 = max(math.hypot(fx - px, fy - py), 1e-6)
    out[2] = h1 + bend * d1 / (d1 + d2)
    chord = max(math.hypot(fx - bx, fy - by), 1e-6)
    out[3] = 2.0 * math.sin(bend) / chord
    _shift_join(off, xy, s, ahead, behind, first, then, out)
    return out


@jit
def _shift_join(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ahead: Int32Array,
    behind: Int32Array,
    first: int,
    then: int,
    out: FloatArray,
) -> None:
    """Move the join sideways to the inside of its own kink, as a fillet would pass."""
    px, py = out[0], out[1]
    bx, by, back = _walk(off, xy, s, behind, first, SHIFT_WINDOW_M, False)
    fx, fy, fore = _walk(off, xy, s, ahead, then, SHIFT_WINDOW_M, True)
    if back < SHIFT_WINDOW_M or fore < SHIFT_WINDOW_M:
        return
    nx, ny = -math.sin(out[2]), math.cos(out[2])
    inner = (0.5 * (bx + fx) - px) * nx + (0.5 * (by + fy) - py) * ny
    # a fillet passes half as deep as the chord of its ends
    smooth = 0.125 * (2.0 * SHIFT_WINDOW_M) ** 2 * abs(out[3]) * 0.5
    side = 0.5 * inner
    side = min(max(side, -smooth), smooth)
    side = min(max(side, -JOIN_SHIFT_M), JOIN_SHIFT_M)
    out[0] += side * nx
    out[1] += side * ny


def _pinned_ends(
    off: Int32Array,
    xy: FloatArray,
    joins: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    plain: BoolArray,
) -> FloatArray:
    """[L, 2, 4] x, y, tangent angle, curvature of each lane's start and end, shared at joins."""
    ends = joins.transpose(1, 0, 2).copy()
    connectors = np.flatnonzero(connector_from >= 0)
    ends[connectors, 0] = joins[1, connector_from[connectors]]
    ends[connectors, 1] = joins[0, connector_to[connectors]]
    for lane in np.flatnonzero(plain):
        points = xy[off[lane] : off[lane + 1]]
        first, last = points[1] - points[0], points[-1] - points[-2]
        ends[lane, 0] = (*points[0], math.atan2(first[1], first[0]), 0.0)
        ends[lane, 1] = (*points[-1], math.atan2(last[1], last[0]), 0.0)
    return ends


def _smooth_all(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ends: FloatArray,
    is_connector: BoolArray,
    plain: BoolArray,
) -> tuple[Int32Array, FloatArray, FloatArray, FloatArray, FloatArray]:
    length = s[off[1:] - 1]
    room = np.ceil(length * 1.6 / FINE_STEP_M).astype(np.int64) + 24
    out = np.zeros((int(room.sum()), 4))
    counts, moved = _smooth_each(off, xy, s, ends, is_connector, plain, LENGTHS_M, out)
    pt_off = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    flat = out[: pt_off[-1]]
    columns = (flat[:, :2], flat[:, 2], flat[:, 3])
    point, heading, curvature = (np.ascontiguousarray(column) for column in columns)
    return pt_off, point, heading, curvature, moved


@jit
def _smooth_each(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ends: FloatArray,
    is_connector: BoolArray,
    plain: BoolArray,
    lengths: FloatArray,
    out: FloatArray,
) -> tuple[Int32Array, FloatArray]:
    """Fill `out` rows (x, y, heading, curvature) lane after lane; points per lane, moves [L]."""
    lanes = len(off) - 1
    counts = np.zeros(lanes, dtype=np.int32)
    moved = np.zeros(lanes)
    k = 0
    for lane in range(lanes):
        lo = off[lane]
        hi = off[lane + 1]
        raw = xy[lo:hi]
        arc = s[lo:hi]
        if plain[lane]:
            count = max(2, math.ceil(arc[-1] / STEP_M) + 1)
            line = _sampled(raw, arc, count)
            tight = False
        else:
            line, moved[lane] = _smooth_one(raw, arc, ends[lane], is_connector[lane], lengths)
            tight = is_connector[lane] or _max_curvature(line) > 1.0 / FINE_RADIUS_M
        even = _even(line, ends[lane], FINE_STEP_M if tight else STEP_M)
        counts[lane] = len(even)
        out[k : k + len(even)] = even
        k += len(even)
    return counts, moved


@jit
def _sampled(xy: FloatArray, s: FloatArray, count: int) -> FloatArray:
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
def _smooth_one(
    xy: FloatArray, s: FloatArray, ends: FloatArray, is_connector: bool, lengths: FloatArray
) -> tuple[FloatArray, float]:
    """The curve of one lane, about FINE_STEP_M between points, and how far it lies off."""
    count = math.ceil(s[-1] / FINE_STEP_M) + 1
    if count < 8:
        line = _hermite(ends, 8)
        return line, _furthest(line, xy, s)
    raw = _sampled(xy, s, count)
    usual = CONNECTOR_MOVE_M if is_connector else LANE_MOVE_M
    most = TIGHT_CONNECTOR_MOVE_M if is_connector else TIGHT_MOVE_M
    best = raw
    best_cost = 1e18
    best_off = 0.0
    for length in lengths:
        line = band_smooth(raw, ends, (length / FINE_STEP_M) ** 6)
        moved = _furthest(line, xy, s)
        bend = max(0.0, _max_curvature(line) - 1.0 / MIN_RADIUS_M)
        if moved > most and best_cost < 1e18:
            continue
        # beyond the usual allowance only where it makes a tight curve wider
        cost = 100.0 * bend + 10.0 * max(0.0, moved - usual) - 0.01 * length
        if cost < best_cost:
            best_cost = cost
            best = line
            best_off = moved
    return best, best_off


@jit
def band_smooth(raw: FloatArray, ends: FloatArray, stiffness: float) -> FloatArray:
    """Minimise sum |p - raw|^2 + stiffness * sum |third difference of p|^2 over points p [n, 2].

    The three points at either end are pinned by `ends` [2, 4] (x, y, tangent angle, curvature).
    n >= 7. Normal equations in a band of half-width 3, Cholesky without pivoting.
    """
    n = len(raw)
    out = raw.copy()
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
        band[i, 0] = 1.0
        rhs[i] = raw[i + 3]
    weight = np.array((-1.0, 3.0, -3.0, 1.0))
    for k in range(n - 3):
        for a in range(4):
            i = k + a - 3
            if i < 0 or i >= m:
                continue
            for b in range(4):
                j = k + b - 3
                value = stiffness * weight[a] * weight[b]
                if j < 0 or j >= m:
                    rhs[i, 0] -= value * out[k + b, 0]
                    rhs[i, 1] -= value * out[k + b, 1]
                elif j <= i:
                    band[i, i - j] += value
    _solve_band(band, rhs)
    out[3 : n - 3] = rhs
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
def _hermite(ends: FloatArray, count: int) -> FloatArray:
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
def _furthest(line: FloatArray, xy: FloatArray, s: FloatArray) -> float:
    """Largest distance of the line's points from the polyline xy (walking along both)."""
    worst = 0.0
    lo = 0
    for i in range(len(line)):
        best = 1e18
        at = lo
        for j in range(lo, len(xy) - 1):
            d = _segment_distance2(xy, j, line[i, 0], line[i, 1])
            if d < best:
                best = d
                at = j
            if s[j + 1] > s[lo] + 20.0 and j > lo + 4:
                break
        lo = max(lo, at - 1)
        worst = max(worst, best)
    return math.sqrt(worst)


@jit
def _segment_distance2(xy: FloatArray, j: int, x: float, y: float) -> float:
    ux = xy[j + 1, 0] - xy[j, 0]
    uy = xy[j + 1, 1] - xy[j, 1]
    vx = x - xy[j, 0]
    vy = y - xy[j, 1]
    t = (ux * vx + uy * vy) / max(ux * ux + uy * uy, 1e-18)
    t = min(1.0, max(0.0, t))
    return float((vx - t * ux) ** 2 + (vy - t * uy) ** 2)


@jit
def _max_curvature(line: FloatArray) -> float:
    worst = 0.0
    for i in range(1, len(line) - 1):
        ax = line[i, 0] - line[i - 1, 0]
        ay = line[i, 1] - line[i - 1, 1]
        bx = line[i + 1, 0] - line[i, 0]
        by = line[i + 1, 1] - line[i, 1]
        size = 0.5 * (math.hypot(ax, ay) + math.hypot(bx, by))
        worst = max(worst, abs(math.atan2(ax * by - ay * bx, ax * bx + ay * by)) / max(size, 1e-6))
    return worst


OVERSAMPLE = 8


@jit
def _even(line: FloatArray, ends: FloatArray, step: float) -> FloatArray:
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
    dense[-1] = line[n - 1]
    arc = np.zeros(len(dense))
    for i in range(1, len(dense)):
        arc[i] = arc[i - 1] + math.hypot(
            dense[i, 0] - dense[i - 1, 0], dense[i, 1] - dense[i - 1, 1]
        )
    count = max(2, math.ceil(arc[-1] / step - 1e-9) + 1)
    point = _sampled(dense, arc, count)
    out = np.zeros((count, 4))
    out[:, :2] = point
    _fill_heading(out, ends)
    return out


@jit
def _fill_heading(out: FloatArray, ends: FloatArray) -> None:
    """Heading and curvature columns from the points and the pinned ends."""
    n = len(out)
    out[0, 2] = _wrap(ends[0, 2])
    out[n - 1, 2] = _wrap(ends[1, 2])
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
def _wrap(angle: float) -> float:
    return math.pi - (math.pi - angle) % (2.0 * math.pi)
