"""Where the paths of others cross the corridor that our car would sweep.

The ego path is sampled each 0.5 m, paths of others each 1 m. For each sample of another's path,
the box standing there either leaves the corridor free, or blocks the ego path from lo to hi
(path metres). With these tables the whole scene becomes one-dimensional.
"""

import math

from marque.core.arrays import FloatArray, Int32Array
from marque.core.jit import jit
from marque.kernels.tables import MapTables

EGO_STEP_M = 0.5
FREE = 1e9  # lo of a sample that leaves the corridor free; hi is -FREE
_NEAR_M = 7.0  # beyond this no box can reach the corridor


@jit
def nearest_sample(ex: FloatArray, ey: FloatArray, n: int, x: float, y: float, hint: int) -> int:
    """Index of the ego path sample closest to (x, y); -1 if none is within reach.

    With a hint (>= 0) only its neighbourhood is searched, which is right along a smooth path.
    """
    best = 1e18
    at = -1
    if hint >= 0:
        lo = max(0, hint - 8)
        hi = min(n, hint + 9)
        for p in range(lo, hi):
            dx = x - ex[p]
            dy = y - ey[p]
            dist2 = dx * dx + dy * dy
            if dist2 < best:
                best = dist2
                at = p
        return at if best < _NEAR_M * _NEAR_M else -1
    p = 0
    while p < n:
        dx = x - ex[p]
        dy = y - ey[p]
        dist2 = dx * dx + dy * dy
        if dist2 < best:
            best = dist2
            at = p
        if dist2 > 4.0 * _NEAR_M * _NEAR_M:
            p += int((math.sqrt(dist2) - _NEAR_M) / EGO_STEP_M)
        else:
            p += 1
    return at if best < _NEAR_M * _NEAR_M else -1


@jit
def blocked_interval(
    ex: FloatArray,
    ey: FloatArray,
    eh: FloatArray,
    n: int,
    at: int,
    x: float,
    y: float,
    psi: float,
    length: float,
    width: float,
    half_left: float,
    half_right: float,
) -> tuple[float, float, float]:
    """(lo, hi, cos of relative heading) for a box near ego path sample `at`."""
    c = math.cos(eh[at])
    s = math.sin(eh[at])
    dx = x - ex[at]
    dy = y - ey[at]
    along = c * dx + s * dy
    across = -s * dx + c * dy
    turn = psi - eh[at]
    ct = math.cos(turn)
    st = abs(math.sin(turn))
    half_across = 0.5 * (length * st + width * abs(ct))
    half_along = 0.5 * (length * abs(ct) + width * st)
    if (at == 0 and along < -half_along - 1.0) or (at == n - 1 and along > half_along + 1.0):
        return FREE, -FREE, ct
    if across >= half_across + half_left or -across >= half_across + half_right:
        return FREE, -FREE, ct
    middle = at * EGO_STEP_M + along
    return middle - half_along, middle + half_along, ct


@jit
def fill_overlap(
    ex: FloatArray,
    ey: FloatArray,
    eh: FloatArray,
    n: int,
    swing_left: FloatArray,
    swing_right: FloatArray,
    half_corridor: FloatArray,
    count: int,
    track: Int32Array,
    off: Int32Array,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    length: FloatArray,
    width: FloatArray,
    psi: FloatArray,
    lo: FloatArray,
    hi: FloatArray,
    cosr: FloatArray,
    first: Int32Array,
    last: Int32Array,
) -> None:
    """Tables [K, J] for one ego path; `half_corridor[k]` includes the lateral margin, swing_*
    [n] is what our front corners need beyond it in bends.

    first/last [K]: range of samples that block the corridor, first = -1 if none ever does.
    `psi` [K]: present heading of the user, used at sample 0 (it may stand askew).
    """
    x_min = 1e18
    x_max = -1e18
    y_min = 1e18
    y_max = -1e18
    for p in range(n):
        x_min = min(x_min, ex[p])
        x_max = max(x_max, ex[p])
        y_min = min(y_min, ey[p])
        y_max = max(y_max, ey[p])
    room = lo.shape[1]
    for k in range(count):
        first[k] = -1
        last[k] = -1
        i = track[k]
        samples = min(off[k + 1] - off[k], room)
        hint = -1
        for j in range(samples):
            lo[k, j] = FREE
            hi[k, j] = -FREE
            cosr[k, j] = 1.0
        j = 0
        while j < samples:
            a = off[k] + j
            outside = max(max(x_min - x[a], x[a] - x_max), max(y_min - y[a], y[a] - y_max))
            if outside > _NEAR_M + 1.0:
                j += max(1, int(outside - _NEAR_M))
                hint = -1
                continue
            at = nearest_sample(ex, ey, n, x[a], y[a], hint)
            hint = at
            if at >= 0:
                angle = psi[k] if j == 0 else heading[a]
                b_lo, b_hi, ct = blocked_interval(
                    ex,
                    ey,
                    eh,
                    n,
                    at,
                    x[a],
                    y[a],
                    angle,
                    length[i],
                    width[i],
                    half_corridor[k] + swing_left[at],
                    half_corridor[k] + swing_right[at],
                )
                lo[k, j] = b_lo
                hi[k, j] = b_hi
                cosr[k, j] = ct
                if b_lo < FREE:
                    if first[k] < 0:
                        first[k] = j
                    last[k] = j
            j += 1


@jit
def connector_at(tables: MapTables, lanes: Int32Array, at: int, back: int) -> int:
    """The connector under sample `at` of a path, or the last one within `back` samples before."""
    p = at
    while p >= 0 and p >= at - back:
        lane = lanes[p]
        if lane >= 0 and tables.lane_connector[lane]:
            return int(lane)
        p -= 1
    return -1
