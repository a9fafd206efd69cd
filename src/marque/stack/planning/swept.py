"""What our body sweeps along a line, and the line on which it stays on the road.

A turn's line fits most cars. Where our corners would leave the drivable area, the line moves as a
driver would: outwards before the bend, so that the rear wheels clear its inside, as little as it
takes and no tighter than the car turns. The line is the least-squares compromise of those wishes.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.jit import jit
from marque.kernels.band import WIDTH, add_square, solve_band
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_REAR, E_STEER, E_TURN
from marque.maps.area import AreaTables, DrivableArea, on_area
from marque.maps.path import STEP_M, Path
from marque.stack.planning.sideways import shifted

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
OFFSET, EDGE, BEND, CHANGE = 1.0, 1e4, 1e7, 1e6
DONE_M, DONE_1PM = 0.03, 0.003
CRAWL_MPS = 1.5  # at which the wheel keeps up with the tightest line


def off_area(path: Path, ego: FloatArray, area: DrivableArea, beyond_m: float) -> BoolArray:
    """[n] whether a corner of our body, its rear axle on the path there, lies more than `beyond_m`
    outside the drivable area."""
    return _off(path.xy_m, path.heading_rad, _points(ego), area.tables, beyond_m)


def fitted(path: Path, ego: FloatArray, area: DrivableArea) -> Path:
    """The path of our rear axle, moved so that our body stays on the area, as far as that goes."""
    out = off_area(path, ego, area, OUT_M)
    if not out.any():
        return path
    change = float(ego[E_STEER]) / CRAWL_MPS
    xy = path.xy_m.copy()
    for lo, hi in _windows(out):
        xy[lo:hi] = _fit(xy[lo:hi], _points(ego), float(ego[E_TURN]), change, area.tables)
    sin, cos = np.sin(path.heading_rad), np.cos(path.heading_rad)
    dx, dy = (xy - path.xy_m).T
    return shifted(path, dy * cos - dx * sin)


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
    edge = np.zeros((n, k, 4))  # where each corner should be, and the way inwards from there
    known = np.zeros((n, k), dtype=np.bool_)
    for _ in range(ROUNDS):
        tangent = _tangents(xy)
        worst = _find_edges(xy, tangent, points, tables, edge, known)
        bend = _bends(xy)
        tight = 0.0
        for i in range(n):
            tight = max(tight, abs(bend[i]) - most)
        if worst < DONE_M and tight < DONE_1PM:
            break
        move = _moves(line, xy, tangent, bend, points, most, change, edge, known)
        share = min(1.0, PART_M / max(1e-9, np.abs(move).max()))
        for i in range(n):
            xy[i, 0] -= share * move[i] * tangent[i, 1]
            xy[i, 1] += share * move[i] * tangent[i, 0]
    return xy


@jit
def _tangents(xy: FloatArray) -> FloatArray:
    """[n, 2] unit tangents."""
    n = len(xy)
    out = np.empty((n, 2))
    for i in range(n):
        lo, hi = max(0, i - 1), min(n - 1, i + 1)
        dx, dy = xy[hi, 0] - xy[lo, 0], xy[hi, 1] - xy[lo, 1]
        size = max(1e-9, math.hypot(dx, dy))
        out[i, 0], out[i, 1] = dx / size, dy / size
    return out


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
) -> float:
    """Note the edge of the road for corners that are out; how far the worst one is."""
    worst = 0.0
    for i in range(len(xy)):
        tx, ty = tangent[i, 0], tangent[i, 1]
        for c in range(len(points)):
            x = xy[i, 0] + points[c, 0] * tx - points[c, 1] * ty
            y = xy[i, 1] + points[c, 0] * ty + points[c, 1] * tx
            if known[i, c]:
                e = edge[i, c]
                out = (e[0] - x) * e[2] + (e[1] - y) * e[3]
                if out > 0.0:
                    worst = max(worst, out)
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
            worst = max(worst, far)
    return worst


@jit
def _moves(
    line: FloatArray,
    xy: FloatArray,
    tangent: FloatArray,
    bend: FloatArray,
    points: FloatArray,
    most: float,
    change: float,
    edge: FloatArray,
    known: BoolArray,
) -> FloatArray:
    """[n] how far each sample moves to the left in this round. The three at either end stay."""
    n = len(xy)
    at = WIDTH - 1
    m = n - 2 * at
    band = np.zeros((m, WIDTH))
    rhs = np.zeros(m)
    away = np.empty(n)
    for i in range(n):
        dx, dy = xy[i, 0] - line[i, 0], xy[i, 1] - line[i, 1]
        away[i] = dy * tangent[i, 0] - dx * tangent[i, 1]
    stiff = OFFSET * (SMOOTH_M / STEP_M) ** 6
    one = np.ones(1)
    third = np.array([-1.0, 3.0, -3.0, 1.0])
    second = np.array([1.0, -2.0, 1.0])
    for i in range(m):
        add_square(band, rhs, i, one, -away[i + at], OFFSET)
    for i in range(n - 3):
        jump = away[i + 3] - 3.0 * away[i + 2] + 3.0 * away[i + 1] - away[i]
        add_square(band, rhs, i - at, third, -jump, stiff)
        turn = (bend[i + 2] - bend[i + 1]) / STEP_M
        if abs(turn) > change and 0 < i:
            over = (turn - math.copysign(change, turn)) * STEP_M**3
            add_square(band, rhs, i - at, third, -over, CHANGE)
    for i in range(1, n - 1):
        if abs(bend[i]) > most:
            over = (bend[i] - math.copysign(most, bend[i])) * STEP_M**2
            add_square(band, rhs, i - 1 - at, second, -over, BEND)
    lever = np.empty(3)
    for i in range(1, n - 1):
        tx, ty = tangent[i, 0], tangent[i, 1]
        for c in range(len(points)):
            if not known[i, c]:
                continue
            e = edge[i, c]
            x = xy[i, 0] + points[c, 0] * tx - points[c, 1] * ty
            y = xy[i, 1] + points[c, 0] * ty + points[c, 1] * tx
            out = (e[0] - x) * e[2] + (e[1] - y) * e[3]
            if out <= 0.0:
                continue
            across = e[3] * tx - e[2] * ty
            arm = 0.5 * points[c, 0] / STEP_M
            lever[0], lever[1], lever[2] = -arm * across, across, arm * across
            add_square(band, rhs, i - 1 - at, lever, out, EDGE)
    solve_band(band, rhs)
    move = np.zeros(n)
    move[at : n - at] = rhs
    return move
