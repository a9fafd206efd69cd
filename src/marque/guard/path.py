"""The corridor: where the car's path leads, as stations of equal spacing.

Columns: x, y, heading, curvature, speed, acceleration of the rear axle centre. The guard looks
along one corridor at a time: the planned path while the car is on it, else the arc that the car
is truly driving.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import turned_boxes_overlap, wrap_angle
from marque.core.jit import jit
from marque.types.plan import Trajectory

STATION_M = 0.5
STATIONS = 257  # 128 m
NEED_AHEAD_S = 0.8  # curvature within this time counts as needed,
NEED_AHEAD_M = 2.0  # and within this distance
FADE_M = 10.0  # beyond a trajectory's end its curvature fades to zero over this length
X, Y, HEADING, CURVATURE, SPEED, ACCEL = range(6)

# a road user as the guard sees it: x, y, heading, then
COS, SIN, VELOCITY, HALF_LENGTH, HALF_WIDTH, RADIUS, YAW_RATE, BRAKING = range(3, 11)
OBJECT = 11


def corridor(trajectory: Trajectory) -> FloatArray:
    """[STATIONS, 6] of a trajectory; beyond its end the path goes on and the speed is zero."""
    t = trajectory
    return _corridor(t.x_m, t.y_m, t.heading_rad, t.curvature_1pm, t.s_m, t.speed_mps, t.accel_mps2)


@jit
def _corridor(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    curvature: FloatArray,
    s: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
) -> FloatArray:
    out = np.empty((STATIONS, 6))
    last = len(s) - 1
    i = 0
    for k in range(STATIONS):
        at = s[0] + k * STATION_M
        if at > s[last]:
            _extend(out, k, x[last], y[last], heading[last], curvature[last], at - s[last], FADE_M)
            continue
        while i < last - 1 and s[i + 1] < at:
            i += 1
        share = min(1.0, max(0.0, (at - s[i]) / max(1e-9, s[i + 1] - s[i])))
        out[k, X] = x[i] + share * (x[i + 1] - x[i])
        out[k, Y] = y[i] + share * (y[i + 1] - y[i])
        out[k, HEADING] = heading[i] + share * wrap_angle(heading[i + 1] - heading[i])
        out[k, CURVATURE] = curvature[i] + share * (curvature[i + 1] - curvature[i])
        out[k, SPEED] = speed[i] + share * (speed[i + 1] - speed[i])
        out[k, ACCEL] = accel[i] + share * (accel[i + 1] - accel[i])
    return out


@jit
def _extend(
    out: FloatArray,
    k: int,
    x: float,
    y: float,
    heading: float,
    curvature: float,
    beyond: float,
    fade_m: float,
) -> None:
    """Station k, `beyond` metres after a path's end, from the station before it or the end."""
    step = STATION_M
    if k == 0 or beyond < STATION_M:
        step = beyond
        bend = curvature
    else:
        x = out[k - 1, X]
        y = out[k - 1, Y]
        heading = out[k - 1, HEADING]
        bend = curvature * max(0.0, 1.0 - beyond / fade_m)
    middle = heading + 0.5 * step * bend
    out[k, X] = x + step * math.cos(middle)
    out[k, Y] = y + step * math.sin(middle)
    out[k, HEADING] = heading + step * bend
    out[k, CURVATURE] = bend
    out[k, SPEED] = 0.0
    out[k, ACCEL] = 0.0


@jit
def arc(x: float, y: float, heading: float, curvature: float, fade_m: float = FADE_M) -> FloatArray:
    """[STATIONS, 6] of the arc that a car drives now; its curvature fades over `fade_m`."""
    out = np.empty((STATIONS, 6))
    for k in range(STATIONS):
        _extend(out, k, x, y, heading, curvature, k * STATION_M, fade_m)
    return out


@jit
def place_on(path: FloatArray, x: float, y: float) -> tuple[float, float, float]:
    """(s, d, heading) of the closest point of a corridor to (x, y); d is left positive.

    Before the first and after the last station the path is taken as straight.
    """
    best = math.inf
    at = 0
    k = 0
    while k < STATIONS:
        away = math.hypot(x - path[k, X], y - path[k, Y])
        if away < best:
            best = away
            at = k
        # the next station that could be nearer: each is at most STATION_M nearer than the last
        k += max(1, int((away - best) / STATION_M))
    heading = path[at, HEADING]
    dx = x - path[at, X]
    dy = y - path[at, Y]
    along = dx * math.cos(heading) + dy * math.sin(heading)
    bend = path[at, CURVATURE] if abs(along) <= STATION_M else 0.0
    heading += bend * along
    d = -dx * math.sin(heading) + dy * math.cos(heading)
    return at * STATION_M + along, d + 0.5 * bend * along * along, heading


@jit
def pose(path: FloatArray, s: float, d: float) -> tuple[float, float, float]:
    """(x, y, heading) at a place along a corridor and `d` to the left of it."""
    k = min(STATIONS - 2, max(0, int(s / STATION_M)))
    rest = s - k * STATION_M
    share = rest / STATION_M
    if 0.0 <= share <= 1.0:
        heading = path[k, HEADING] + share * wrap_angle(path[k + 1, HEADING] - path[k, HEADING])
        x = path[k, X] + share * (path[k + 1, X] - path[k, X])
        y = path[k, Y] + share * (path[k + 1, Y] - path[k, Y])
    else:
        heading = path[k, HEADING]
        x = path[k, X] + rest * math.cos(heading)
        y = path[k, Y] + rest * math.sin(heading)
    return x - d * math.sin(heading), y + d * math.cos(heading), heading


@jit
def column(path: FloatArray, s: float, which: int) -> float:
    """Curvature, speed or acceleration at a place along a corridor; ends held."""
    where = min(float(STATIONS - 1), max(0.0, s / STATION_M))
    k = min(STATIONS - 2, int(where))
    return float(path[k, which] + (where - k) * (path[k + 1, which] - path[k, which]))


@jit
def body(path: FloatArray, s: float, d: float, centre: float) -> tuple[float, float, float, float]:
    """(x, y, cos, sin) of the car's middle, `centre` before its rear axle at (s, d)."""
    x, y, heading = pose(path, s, d)
    c = math.cos(heading)
    n = math.sin(heading)
    return x + centre * c, y + centre * n, c, n


@jit
def touches(
    body: FloatArray, half: tuple[float, float], front: float, o: FloatArray, ox: float, oy: float
) -> bool:
    """Whether the car's box overlaps that of road user `o` (row of `watch.now_at`) at (ox, oy).

    body: x, y, cos, sin of the car's middle; half: its half length and width; `front`: how much
    longer it is taken at the front.
    """
    grow = 0.5 * front
    dx = ox - body[0] - grow * body[2]
    dy = oy - body[1] - grow * body[3]
    reach = half[0] + grow + half[1] + o[RADIUS]
    if dx * dx + dy * dy > reach * reach:
        return False
    return turned_boxes_overlap(
        dx,
        dy,
        body[2],
        body[3],
        half[0] + grow,
        half[1],
        o[COS],
        o[SIN],
        o[HALF_LENGTH],
        o[HALF_WIDTH],
    )


@jit
def need(path: FloatArray, x: float, y: float, speed: float) -> tuple[float, float]:
    """Least and greatest curvature that a path needs from here on, 0 among them."""
    s, _, _ = place_on(path, x, y)
    first = max(0, int(s / STATION_M) - 1)
    last = int((s + NEED_AHEAD_M + NEED_AHEAD_S * speed) / STATION_M) + 2
    low = 0.0
    high = 0.0
    for k in range(first, min(STATIONS, last)):
        low = min(low, path[k, CURVATURE])
        high = max(high, path[k, CURVATURE])
    return low, high
