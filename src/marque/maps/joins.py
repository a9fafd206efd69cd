"""Where lanes meet: tapers, the reach of connectors, and one shared point and tangent per join.

The steps 0 to 2 of `smooth`. Polylines are CSR: points of lane i are xy[off[i]:off[i + 1]], s their
arc length. Kernels return arrays that may be longer than `off` says; the wrappers cut them.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.maps.curves import sampled, tangent_legs

TAPER_STEP_M = 1.0
WINDOW_M = 6.0  # how far a join looks along the path
SHIFT_WINDOW_M = 3.0
JOIN_SHIFT_M = 0.3
TAPER_MPS2 = 2.0  # lateral acceleration of a taper at TAPER_SPEED of the limit
TAPER_SPEED = 0.6
TAPER_RADIUS_M = (30.0, 300.0)  # bounds of a taper's radius
DRIFT_RADIUS_M = 20.0  # least radius of a connector's own drift; else half a taper's
S_SHAPE = 5.77  # peak curvature of a quintic shift to the side: this * shift / length^2
SHORT_M = 2.0  # a lane this short has no direction of its own
TAPER_MOST_M = 4.0
LEAST_SHIFT_M = 0.02  # smaller ones are left to the smoothing
LEAST_TAPER_M = 8.0
TAPER_SHARE = 0.08  # of a lane's length; a short lane cannot be moved far
CUT_M = 2.5  # at most this much of a lane's end goes to its connectors, to widen tight turns
BEND_CUT_M = 7.0  # the same where the road merely bends at a join and nothing branches off
LEAST_RUN_M = 0.5  # of a connector, along the lanes it joins
LEG_M = 3.0  # end tangents may meet this far behind a join, and the turn is still plain
CUT_SHARE = 0.25  # and at most this part of the lane
CUT_RADIUS_M = 5.5
TAPER_RAD = math.radians(30.0)  # lanes this parallel may jump
THROUGH_RAD = math.radians(50.0)  # a join bends at most this much to count as running on


def grouped(key: Int32Array, count: int) -> tuple[Int32Array, Int32Array]:
    """CSR of the indices that carry each key."""
    index = np.flatnonzero(key >= 0)
    order = index[np.argsort(key[index], kind="stable")]
    counts = np.bincount(key[index], minlength=count)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return offsets, order.astype(np.int32)


def without_repeats(off: Int32Array, xy: FloatArray) -> tuple[Int32Array, FloatArray]:
    """Polylines without points closer than 1 cm to the one before; ends kept, 2 points at least.

    A lane of no length at all is stretched to 2 cm along +x, so that it survives.
    """
    return _cut_to_size(*_without_repeats(off, xy))


def _cut_to_size(off: Int32Array, xy: FloatArray) -> tuple[Int32Array, FloatArray]:
    return off, np.ascontiguousarray(xy[: off[-1]])


@jit
def _without_repeats(off: Int32Array, xy: FloatArray) -> tuple[Int32Array, FloatArray]:
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
                        new_xy[k - 1, 0], new_xy[k - 1, 1] = xy[i, 0], xy[i, 1]
                    continue
            new_xy[k, 0], new_xy[k, 1] = xy[i, 0], xy[i, 1]
            k += 1
        if k - start == 1:
            new_xy[k, 0] = new_xy[k - 1, 0] + 0.02
            new_xy[k, 1] = new_xy[k - 1, 1]
            k += 1
        new_off[lane + 1] = k
    return new_off, new_xy


@jit
def arc_all(off: Int32Array, xy: FloatArray) -> FloatArray:
    """Arc length from the start of each polyline, [M]."""
    s = np.zeros(len(xy))
    for lane in range(len(off) - 1):
        for i in range(off[lane] + 1, off[lane + 1]):
            step = math.hypot(xy[i, 0] - xy[i - 1, 0], xy[i, 1] - xy[i - 1, 1])
            s[i] = s[i - 1] + step
    return s


@jit
def jumps(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    limit_mps: FloatArray,
) -> FloatArray:
    """[L, 2, 2] by how much (x, y) each lane's start and end should stand elsewhere, so that its
    connector does not jump sideways."""
    lanes = len(off) - 1
    ways_on = np.zeros(lanes, dtype=np.int32)
    ways_off = np.zeros(lanes, dtype=np.int32)
    for c in range(lanes):
        if connector_from[c] >= 0:
            ways_off[connector_from[c]] += 1
            ways_on[connector_to[c]] += 1
    shift = np.zeros((lanes, 2, 2))
    for c in range(lanes):
        a = connector_from[c]
        b = connector_to[c]
        if a < 0 or (ways_off[a] > 1 and ways_on[b] > 1):
            continue
        ax, ay = xy[off[a + 1] - 1, 0], xy[off[a + 1] - 1, 1]
        bx, by = xy[off[b], 0], xy[off[b], 1]
        qx, qy = _at(xy, s, off[a], off[a + 1], s[off[a + 1] - 1] - 2.0 * WINDOW_M)
        rx, ry = _at(xy, s, off[b], off[b + 1], 2.0 * WINDOW_M)
        if _angle_between(ax - qx, ay - qy, rx - bx, ry - by) > TAPER_RAD:
            continue
        h1 = math.atan2(ay - qy, ax - qx)
        h2 = math.atan2(ry - by, rx - bx)
        middle = h1 + 0.5 * math.atan2(math.sin(h2 - h1), math.cos(h2 - h1))
        tx, ty = math.cos(middle), math.sin(middle)
        along = (bx - ax) * tx + (by - ay) * ty
        aside = (by - ay) * tx - (bx - ax) * ty
        radius = max(0.5 * _taper_radius(limit_mps[a]), DRIFT_RADIUS_M)
        drift = max(along, 0.0) ** 2 / (S_SHAPE * radius)
        rest = max(abs(aside) - drift, 0.0)
        rest = math.copysign(min(rest, TAPER_MOST_M), aside)
        share = 0.5
        if ways_off[a] > 1:
            share = 0.0
        elif ways_on[b] > 1:
            share = 1.0
        move_a = share * rest
        move_b = (1.0 - share) * rest
        room_a = TAPER_SHARE * s[off[a + 1] - 1]
        room_b = TAPER_SHARE * s[off[b + 1] - 1]
        move_a = min(max(move_a, -room_a), room_a)
        move_b = min(max(move_b, -room_b), room_b)
        shift[a, 1, 0] -= move_a * ty
        shift[a, 1, 1] += move_a * tx
        shift[b, 0, 0] += move_b * ty
        shift[b, 0, 1] -= move_b * tx
    return shift


@jit
def _taper_radius(limit_mps: float) -> float:
    """How tight the S of a taper may be."""
    radius = (TAPER_SPEED * limit_mps) ** 2 / TAPER_MPS2
    return min(max(radius, TAPER_RADIUS_M[0]), TAPER_RADIUS_M[1])


@jit
def taper_lengths(
    off: Int32Array, s: FloatArray, shift: FloatArray, limit_mps: FloatArray
) -> FloatArray:
    """[L, 2] over how many metres each lane's shifted start and end ease back; 0: not shifted."""
    out = np.zeros((len(off) - 1, 2))
    for lane in range(len(off) - 1):
        length = s[off[lane + 1] - 1]
        size = np.hypot(shift[lane, :, 0], shift[lane, :, 1])
        if size.sum() < LEAST_SHIFT_M:
            continue
        most = length * (0.5 if size.min() > 0.01 else 0.9)
        for side in range(2):
            if size[side] > 0.01:
                want = math.sqrt(S_SHAPE * size[side] * _taper_radius(limit_mps[lane]))
                out[lane, side] = min(max(want, LEAST_TAPER_M), most)
    return out


def tapered(
    off: Int32Array,
    xy: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    shift: FloatArray,
    taper: FloatArray,
) -> tuple[Int32Array, FloatArray]:
    """Polylines with shifted ends eased back into their source; connectors follow.

    taper: as from `taper_lengths`.
    """
    return _cut_to_size(*_tapered(off, xy, connector_from, connector_to, shift, taper))


@jit
def _tapered(
    off: Int32Array,
    xy: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    shift: FloatArray,
    taper: FloatArray,
) -> tuple[Int32Array, FloatArray]:
    s = arc_all(off, xy)
    lanes = len(off) - 1
    room = len(xy)
    for lane in range(lanes):
        room += math.ceil(s[off[lane + 1] - 1] / TAPER_STEP_M) + 2
    out = np.zeros((room, 2))
    new_off = np.zeros(lanes + 1, dtype=np.int32)
    k = 0
    for lane in range(lanes):
        lo = off[lane]
        hi = off[lane + 1]
        length = s[hi - 1]
        a = connector_from[lane]
        b = connector_to[lane]
        head = shift[lane, 0] if a < 0 else shift[a, 1]
        tail = shift[lane, 1] if a < 0 else shift[b, 0]
        size = math.hypot(head[0], head[1]) + math.hypot(tail[0], tail[1])
        if size < LEAST_SHIFT_M:
            for i in range(lo, hi):
                out[k, 0], out[k, 1] = xy[i, 0], xy[i, 1]
                k += 1
            new_off[lane + 1] = k
            continue
        count = max(2, math.ceil(length / TAPER_STEP_M) + 1)
        line = sampled(xy[lo:hi], s[lo:hi], count)
        for i in range(count):
            at = length * i / (count - 1)
            if a >= 0:
                f = at / length
                g = 1.0 - f
            else:
                f = _ease(length - at, taper[lane, 1])
                g = _ease(at, taper[lane, 0])
            out[k, 0] = line[i, 0] + g * head[0] + f * tail[0]
            out[k, 1] = line[i, 1] + g * head[1] + f * tail[1]
            k += 1
        new_off[lane + 1] = k
    return new_off, out


@jit
def _ease(at: float, length: float) -> float:
    """1 at the shifted end, 0 once the taper is over; smooth to the second derivative."""
    if length <= 0.0:
        return 0.0
    t = min(1.0, at / max(length, 1e-6))
    return 1.0 - t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)


@jit
def cuts(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    branching: BoolArray,
) -> FloatArray:
    """[L, 2] how much of each lane's start and end its connectors take over, metres."""
    cut = np.zeros((len(off) - 1, 2))
    ends = np.zeros((2, 4))
    for c in range(len(off) - 1):
        a = connector_from[c]
        b = connector_to[c]
        if a < 0:
            continue
        for side in range(2):
            lane = a if side == 0 else b
            length = s[off[lane + 1] - 1]
            near = length if side == 0 else 0.0
            reach = min(WINDOW_M, length)
            far = length - reach if side == 0 else reach
            px, py = _at(xy, s, off[lane], off[lane + 1], near)
            qx, qy = _at(xy, s, off[lane], off[lane + 1], far)
            ends[side, 0], ends[side, 1] = px, py
            ends[side, 2] = math.atan2(py - qy, px - qx) + (math.pi if side == 1 else 0.0)
        middle = ends[0, 2] + 0.5 * wrap_angle(ends[1, 2] - ends[0, 2])
        along = (ends[1, 0] - ends[0, 0]) * math.cos(middle)
        along += (ends[1, 1] - ends[0, 1]) * math.sin(middle)
        if along < LEAST_RUN_M:  # the lanes overlap, or leave no room to join them
            cut[a, 1] = max(cut[a, 1], min(0.5 * (LEAST_RUN_M - along), CUT_M))
            cut[b, 0] = max(cut[b, 0], min(0.5 * (LEAST_RUN_M - along), CUT_M))
        first, second, turn = tangent_legs(ends)
        if not (first > -LEG_M and second > -LEG_M) or abs(turn) < 0.6 or abs(turn) > 2.3:
            continue
        want = CUT_RADIUS_M * math.tan(0.5 * abs(turn))
        alone = not branching[a, 1] and not branching[b, 0]
        most = BEND_CUT_M if alone else CUT_M
        cut[a, 1] = max(cut[a, 1], min(want - first, most))
        cut[b, 0] = max(cut[b, 0], min(want - second, most))
    for lane in range(len(off) - 1):
        most = CUT_SHARE * s[off[lane + 1] - 1]
        cut[lane, 0] = min(cut[lane, 0], most)
        cut[lane, 1] = min(cut[lane, 1], most)
    return cut


def move_joins(
    off: Int32Array,
    xy: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    cut: FloatArray,
) -> tuple[Int32Array, FloatArray]:
    """Polylines with the cut parts of lanes given to their connectors."""
    return _cut_to_size(*_move_joins(off, xy, connector_from, connector_to, cut))


@jit
def _move_joins(
    off: Int32Array,
    xy: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    cut: FloatArray,
) -> tuple[Int32Array, FloatArray]:
    s = arc_all(off, xy)
    lanes = len(off) - 1
    room = len(xy) + 4 * lanes
    for c in range(lanes):
        a, b = connector_from[c], connector_to[c]
        if a >= 0:
            room += off[a + 1] - off[a] + off[b + 1] - off[b]
    out = np.zeros((room, 2))
    new_off = np.zeros(lanes + 1, dtype=np.int32)
    k = 0
    for lane in range(lanes):
        a, b = connector_from[lane], connector_to[lane]
        if a < 0:
            total = s[off[lane + 1] - 1]
            k = _copy_part(off, xy, s, lane, cut[lane, 0], total - cut[lane, 1], out, k)
        else:
            total = s[off[a + 1] - 1]
            if cut[a, 1] > 0.0:
                k = _copy_part(off, xy, s, a, total - cut[a, 1], total, out, k)
            k = _copy_part(off, xy, s, lane, 0.0, s[off[lane + 1] - 1], out, k)
            if cut[b, 0] > 0.0:
                k = _copy_part(off, xy, s, b, 0.0, cut[b, 0], out, k)
        new_off[lane + 1] = k
    return new_off, out


@jit
def _copy_part(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    lane: int,
    start: float,
    end: float,
    out: FloatArray,
    k: int,
) -> int:
    """Append the part of a polyline between two arc lengths to out[k:]; the next free row."""
    lo = off[lane]
    hi = off[lane + 1]
    out[k, 0], out[k, 1] = _at(xy, s, lo, hi, start)
    k += 1
    for i in range(lo, hi):
        if start < s[i] < end:
            out[k, 0], out[k, 1] = xy[i, 0], xy[i, 1]
            k += 1
    out[k, 0], out[k, 1] = _at(xy, s, lo, hi, end)
    return k + 1


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
def link_straightest(
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

    Direction is measured over WINDOW_M along connector and the lane beyond it, and at that lane;
    -1 where nothing runs on within THROUGH_RAD.
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
            ux, uy = xy[i, 0] - qx, xy[i, 1] - qy
            angle = _angle_between(ux, uy, fx - xy[i, 0], fy - xy[i, 1])
            vx, vy, length = _lane_direction(off, xy, s, far[c], forward)
            if length > SHORT_M:
                angle = max(angle, _angle_between(ux, uy, vx, vy))
            if angle < min(best, THROUGH_RAD):
                best = angle
                link[lane] = c


@jit
def _lane_direction(
    off: Int32Array, xy: FloatArray, s: FloatArray, lane: int, forward: bool
) -> tuple[float, float, float]:
    """Chord over the first WINDOW_M of a lane (over the last, turned round, when not forward), and
    its length."""
    lo, hi = off[lane], off[lane + 1]
    total = s[hi - 1]
    ax, ay = _at(xy, s, lo, hi, 0.0 if forward else total)
    bx, by = _at(xy, s, lo, hi, WINDOW_M if forward else total - WINDOW_M)
    return bx - ax, by - ay, min(WINDOW_M, total)


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
def find_joins(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ahead: Int32Array,
    behind: Int32Array,
    is_connector: BoolArray,
    branching: BoolArray,
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
            out[side, lane, 0], out[side, lane, 1] = xy[i, 0], xy[i, 1]
            _join(off, xy, s, ahead, behind, first, then, lane, out[side, lane])
            if branching[lane, side]:
                # where paths part, only a lane that is itself curved keeps its curvature
                own = _own_bend(xy, s, off[lane], off[lane + 1], side == 1)
                bend = out[side, lane, 3]
                out[side, lane, 3] = (
                    0.0
                    if own * bend <= 0.0
                    else min(abs(own), abs(bend)) * (1.0 if bend > 0.0 else -1.0)
                )
    return out


@jit
def _own_bend(xy: FloatArray, s: FloatArray, lo: int, hi: int, at_end: bool) -> float:
    """Curvature of the circle through three points of a lane's last (or first) 2 WINDOW_M."""
    length = s[hi - 1]
    reach = min(WINDOW_M, 0.5 * length)
    base = length if at_end else 0.0
    sign = -1.0 if at_end else 1.0
    x0, y0 = _at(xy, s, lo, hi, base)
    x1, y1 = _at(xy, s, lo, hi, base + sign * reach)
    x2, y2 = _at(xy, s, lo, hi, base + sign * 2.0 * reach)
    ux, uy, vx, vy = x1 - x0, y1 - y0, x2 - x1, y2 - y1
    bend = math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)
    return sign * 2.0 * math.sin(bend) / max(math.hypot(x2 - x0, y2 - y0), 1.0)


@jit
def _join(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ahead: Int32Array,
    behind: Int32Array,
    first: int,
    then: int,
    own: int,
    out: FloatArray,
) -> None:
    """Tangent angle and curvature (out[2:4]) where `first` (or -1) meets `then` (or -1) at out[:2];
    the point may move sideways."""
    px, py = out[0], out[1]
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
        return
    # tangent of the circle through the three points, at the middle one
    h1 = math.atan2(py - by, px - bx)
    d1 = max(math.hypot(px - bx, py - by), 1e-6)
    d2 = max(math.hypot(fx - px, fy - py), 1e-6)
    out[2] = h1 + bend * d1 / (d1 + d2)
    chord = max(math.hypot(fx - bx, fy - by), 1e-6)
    out[3] = 2.0 * math.sin(bend) / chord
    _shift_join(off, xy, s, ahead, behind, first, then, out)


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
    # the other join of a short connector or lane moves by its own rule: leave no step between
    most = min(JOIN_SHIFT_M, 0.1 * min(s[off[first + 1] - 1], s[off[then + 1] - 1]))
    side = min(max(side, -most), most)
    out[0] += side * nx
    out[1] += side * ny


def pinned_ends(
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
