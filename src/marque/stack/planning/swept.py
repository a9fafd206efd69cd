"""What our body sweeps along a line, and the line on which it stays on the road.

A turn's line fits most cars. Where our corners would leave the drivable area, the line moves as a
driver would: outwards before the bend, so that the rear wheels clear its inside, as little as it
takes and no tighter than the car turns. The line is the least-squares compromise of those wishes.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.core.geometry import curvatures, tangents
from marque.core.jit import jit
from marque.kernels.band import WIDTH, add_square, solve_band
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_REAR, E_STEER, E_TURN
from marque.maps.area import AreaTables, DrivableArea, on_area
from marque.maps.path import STEP_M, Path, relaid

OUT_M = 0.1  # beyond the edge of the road by more than this, a corner asks for another line,
EDGE_M = 0.0  # and then to be no farther out than this
REACH_M = 18.0  # from such a corner, over which the line may move
MOST_M = 2.5  # farther than this no corner is moved
SEARCH_M = 0.1  # steps in which the road is looked for
ROUNDS = 16
PART_M = 0.6  # of the way, at most, in one round
SMOOTH_M = 2.5  # over which the line moves aside, or back
# weights: of an offset of 1 m; of a corner beyond the edge; of a bend or change of bend beyond
# what the car can do, both as metres over one step
OFFSET, EDGE, BEND, CHANGE = 1.0, 1e3, 1e8, 1e7
STIFF = OFFSET * (SMOOTH_M / STEP_M) ** 6
FIXED = 3  # samples at either end that stay
SETS = 10  # tries to find which limits bind
DONE_M = 0.02
SLOWEST_MPS = 0.8  # no bend asks for less: the wheel keeps up with the sharpest line at this speed


def off_area(path: Path, ego: FloatArray, area: DrivableArea, beyond_m: float) -> BoolArray:
    """[n] whether a corner of our body, its rear axle on the path there, lies more than `beyond_m`
    outside the drivable area. Not where our bumper is beyond the end of the path."""
    out = _off(path.xy_m, path.heading_rad, _points(ego), area.tables, beyond_m)
    out[max(0, len(out) - math.ceil(float(ego[E_FRONT]) / STEP_M)) :] = False
    return out


def fitted(path: Path, ego: FloatArray, area: DrivableArea) -> Path:
    """The path of our rear axle, moved so that our body stays on the area, as far as that goes."""
    out = off_area(path, ego, area, OUT_M)
    out |= np.abs(curvatures(path.xy_m)) > float(ego[E_TURN])
    if not out.any():
        return path
    change = float(ego[E_STEER]) / SLOWEST_MPS
    xy = path.xy_m.copy()
    for lo, hi in _windows(out):
        xy[lo:hi] = _fit(xy[lo:hi], _points(ego), float(ego[E_TURN]), change, area.tables)
    return relaid(xy, path.lanes, path.lane, path.lane_s_m, path.start_m)


def ready(ego: FloatArray, area: DrivableArea) -> None:
    """Load the machine code for bends too tight for the plain line: the first may be far on."""
    line = np.column_stack((np.arange(4 * WIDTH) * STEP_M, np.zeros(4 * WIDTH)))
    change = float(ego[E_STEER]) / SLOWEST_MPS
    _fit(line, _points(ego), float(ego[E_TURN]), change, area.tables)


def _points(ego: FloatArray) -> FloatArray:
    """[K, 2] (ahead, left) of the rear axle: corners, and the sides at the axle, m."""
    front, rear, half = float(ego[E_FRONT]), float(ego[E_REAR]), float(ego[E_HALF_WIDTH])
    return np.array(
        [(front, half), (front, -half), (-rear, half), (-rear, -half), (0.0, half), (0.0, -half)]
    )


def _windows(out: BoolArray) -> list[tuple[int, int]]:
    """Stretches of samples around those that are out, `REACH_M` to either side, merged."""
    reach = int(REACH_M / STEP_M)
    found: list[tuple[int, int]] = []
    for i in np.flatnonzero(out).tolist():
        lo, hi = max(0, i - reach), min(len(out), i + reach + 1)
        if found and lo <= found[-1][1]:
            found[-1] = (found[-1][0], hi)
        else:
            found.append((lo, hi))
    return [(lo, hi) for lo, hi in found if hi - lo > 2 * WIDTH]


@jit
def _off(
    xy: FloatArray, heading: FloatArray, points: FloatArray, tables: AreaTables, beyond: float
) -> BoolArray:
    out = np.zeros(len(xy), dtype=np.bool_)
    for i in range(len(xy)):
        cos, sin = math.cos(heading[i]), math.sin(heading[i])
        for c in range(4):
            x = xy[i, 0] + points[c, 0] * cos - points[c, 1] * sin
            y = xy[i, 1] + points[c, 0] * sin + points[c, 1] * cos
            if not on_area(x, y, tables, beyond):
                out[i] = True
                break
    return out


@jit
def _fit(
    line: FloatArray, points: FloatArray, most: float, change: float, tables: AreaTables
) -> FloatArray:
    """The line [n, 2] moved sideways: Gauss-Newton rounds over the offsets of its samples.

    most: curvature, change: its change per metre, that the car can follow. Both ends stay.
    """
    n = len(line)
    k = len(points)
    xy = line.copy()
    best, least = xy, math.inf
    edge = np.zeros((n, k, 4))  # where each corner should be, and the way inwards from there
    known = np.zeros((n, k), dtype=np.bool_)
    for _ in range(ROUNDS):
        tangent = tangents(xy)
        _find_edges(xy, tangent, points, tables, edge, known)
        rows, at = _limits(xy, tangent, _bends(xy), points, most, change, edge, known)
        harm = 0.0
        for r in range(len(at)):
            harm += rows[r, 5] * max(0.0, rows[r, 4]) ** 2
        if harm < least:
            best, least = xy, harm
        move = _moves(line, xy, tangent, rows, at)
        far = np.abs(move).max()
        if far < DONE_M:
            break
        share = min(1.0, PART_M / far)
        xy = xy.copy()
        for i in range(n):
            xy[i, 0] -= share * move[i] * tangent[i, 1]
            xy[i, 1] += share * move[i] * tangent[i, 0]
    return best


@jit
def _bends(xy: FloatArray) -> FloatArray:
    """[n] curvature at each sample, left positive; that of an end is its neighbour's."""
    n = len(xy)
    out = np.zeros(n)
    for i in range(1, n - 1):
        ax, ay = xy[i, 0] - xy[i - 1, 0], xy[i, 1] - xy[i - 1, 1]
        bx, by = xy[i + 1, 0] - xy[i, 0], xy[i + 1, 1] - xy[i, 1]
        size = 0.5 * (math.hypot(ax, ay) + math.hypot(bx, by))
        out[i] = math.atan2(ax * by - ay * bx, ax * bx + ay * by) / max(1e-9, size)
    out[0], out[n - 1] = out[1], out[n - 2]
    return out


@jit
def _find_edges(
    xy: FloatArray,
    tangent: FloatArray,
    points: FloatArray,
    tables: AreaTables,
    edge: FloatArray,
    known: BoolArray,
) -> None:
    """Note the edge of the road for corners that are out."""
    for i in range(len(xy)):
        tx, ty = tangent[i, 0], tangent[i, 1]
        for c in range(len(points)):
            x = xy[i, 0] + points[c, 0] * tx - points[c, 1] * ty
            y = xy[i, 1] + points[c, 0] * ty + points[c, 1] * tx
            if known[i, c]:
                e = edge[i, c]
                if (e[0] - x) * e[2] + (e[1] - y) * e[3] > 0.0:
                    continue
            if on_area(x, y, tables, EDGE_M):
                continue
            side = -1.0 if points[c, 1] > 0.0 else 1.0
            nx, ny = -side * ty, side * tx
            far = SEARCH_M
            while far <= MOST_M and not on_area(x + far * nx, y + far * ny, tables, EDGE_M):
                far += SEARCH_M
            if far > MOST_M:
                continue
            known[i, c] = True
            edge[i, c, 0], edge[i, c, 1] = x + far * nx, y + far * ny
            edge[i, c, 2], edge[i, c, 3] = nx, ny


@jit
def _moves(
    line: FloatArray,
    xy: FloatArray,
    tangent: FloatArray,
    rows: FloatArray,
    at: IntArray,
) -> FloatArray:
    """[n] how far each sample moves to the left in this round. The three at either end stay."""
    n = len(xy)
    away = np.empty(n)
    for i in range(n):
        dx, dy = xy[i, 0] - line[i, 0], xy[i, 1] - line[i, 1]
        away[i] = dy * tangent[i, 0] - dx * tangent[i, 1]
    inner = n - 2 * FIXED
    free, pull = np.zeros((inner, WIDTH)), np.zeros(inner)
    one, third = np.ones(1), np.array([-1.0, 3.0, -3.0, 1.0])
    for i in range(inner):
        add_square(free, pull, i, one, -away[i + FIXED], OFFSET)
    for i in range(n - 3):
        jump = away[i + 3] - 3.0 * away[i + 2] + 3.0 * away[i + 1] - away[i]
        add_square(free, pull, i - FIXED, third, -jump, STIFF)
    move = np.zeros(n)
    binds = np.zeros(len(at), dtype=np.bool_)
    for _ in range(SETS):
        changed = False
        for r in range(len(at)):
            value = 0.0
            for a in range(4):
                if at[r] + a < n:
                    value += rows[r, a] * move[at[r] + a]
            broken = value < rows[r, 4]
            changed |= broken != binds[r]
            binds[r] = broken
        if not changed:
            break
        band, rhs = free.copy(), pull.copy()
        for r in range(len(at)):
            if binds[r]:
                add_square(band, rhs, at[r] - FIXED, rows[r, :4], rows[r, 4], rows[r, 5])
        solve_band(band, rhs)
        for i in range(inner):  # a slice would take Numba three seconds more to compile
            move[i + FIXED] = rhs[i]
    return move


@jit
def _limits(
    xy: FloatArray,
    tangent: FloatArray,
    bend: FloatArray,
    points: FloatArray,
    most: float,
    change: float,
    edge: FloatArray,
    known: BoolArray,
) -> tuple[FloatArray, IntArray]:
    """What may not be broken, as rows: factors [4] of the moves from sample `at` on, the least
    that they must add up to, and the weight of what is missing."""
    n = len(xy)
    rows = np.zeros((2 * n + np.sum(known), 6))
    at = np.zeros(len(rows), dtype=np.int64)
    step = np.empty(n)
    for i in range(n):
        lo, hi = max(0, i - 1), min(n - 1, i + 1)
        step[i] = math.hypot(xy[hi, 0] - xy[lo, 0], xy[hi, 1] - xy[lo, 1]) / (hi - lo)
    r = 0
    for i in range(1, n - 1):
        side = -1.0 if bend[i] > 0.0 else 1.0
        rows[r, 0], rows[r, 1], rows[r, 2] = side, -2.0 * side, side
        rows[r, 4], rows[r, 5] = (abs(bend[i]) - most) * step[i] ** 2, BEND
        at[r] = i - 1
        r += 1
    for i in range(1, n - 3):
        size = 0.5 * (step[i + 1] + step[i + 2])
        turn = (bend[i + 2] - bend[i + 1]) / size
        side = -1.0 if turn > 0.0 else 1.0
        rows[r, 0], rows[r, 1] = -side, 3.0 * side
        rows[r, 2], rows[r, 3] = -3.0 * side, side
        rows[r, 4], rows[r, 5] = (abs(turn) - change) * size**3, CHANGE
        at[r] = i
        r += 1
    for i in range(1, n - 1):
        tx, ty = tangent[i, 0], tangent[i, 1]
        for c in range(len(points)):
            if not known[i, c]:
                continue
            e = edge[i, c]
            x = xy[i, 0] + points[c, 0] * tx - points[c, 1] * ty
            y = xy[i, 1] + points[c, 0] * ty + points[c, 1] * tx
            across = e[3] * tx - e[2] * ty
            arm = 0.5 * points[c, 0] / step[i]
            rows[r, 0], rows[r, 1], rows[r, 2] = -arm * across, across, arm * across
            rows[r, 4], rows[r, 5] = (e[0] - x) * e[2] + (e[1] - y) * e[3], EDGE
            at[r] = i - 1
            r += 1
    return rows[:r], at[:r]
