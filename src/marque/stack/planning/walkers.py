"""How fast we pass people on foot who will be beside us as both go on: the nearer, the slower.

Those who cross it are the rollouts' business. Nobody brakes hard for the sake of a slower passing.
And where we hardly move, we stand until those are past who walk up to us.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_HALF_WIDTH, E_JERK, E_REAR
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor, backward_pass
from marque.stack.planning.interactions import ALONG_LEAST_M, WALKER_LEAST_M, Interactions
from marque.types.codes import UserKind
from marque.types.scene import Tracks

SLOWEST_MPS, RATE_1PS = 3.0, 20.0  # at the least room, and for each metre more
LOOK_M, MEETS_M = 60.0, 0.75  # how far ahead; from our bumper, along our way, to who is beside it
SOFT_MPS2, DELAY_S = 1.8, 0.5  # of the braking for it
HARDLY_MPS = 0.6  # we move no faster than this, and they,
WALKS_MPS, WALKS_S, NEAR_M = 0.3, 2.0, 0.25  # faster: so soon, so near to our body


def pass_people_slowly(
    it: Interactions,
    corridors: list[Corridor],
    s0: list[float],
    ego: FloatArray,
    speed_mps: float,
    tracks: Tracks,
) -> None:
    """Lower `it.v_ref` beside people on foot, and name them in `it.beside`."""
    rows = np.flatnonzero(tracks.kind == UserKind.PEDESTRIAN)
    if len(rows) == 0:
        return
    for c, corridor in enumerate(corridors):
        n = int(it.n[c])
        cap = it.v_ref[c, :n].copy()
        for i in rows.tolist():
            if _lower(cap, corridor, s0[c], ego, speed_mps, tracks, i):
                it.beside[c] = tracks.uid[i]
        if it.beside[c] >= 0:
            backward_pass(cap, STEP_M, float(ego[E_BRAKE]), float(ego[E_JERK]), it.v_ref[c, :n])


def walks_into_us(
    ego: FloatArray, x_m: float, y_m: float, heading_rad: float, v: float, tracks: Tracks
) -> int:
    """uid of somebody on foot who comes to our body if both of us do as we do now and we hardly
    move, -1 if there is nobody. Pose: of our rear axle."""
    if v > HARDLY_MPS:
        return -1
    walks = (tracks.kind == UserKind.PEDESTRIAN) & (tracks.speed_mps > WALKS_MPS)
    c, s = math.cos(heading_rad), math.sin(heading_rad)
    for i in np.flatnonzero(walks).tolist():
        dx, dy = tracks.x_m[i] - x_m, tracks.y_m[i] - y_m
        turn = float(tracks.heading_rad[i]) - heading_rad
        way = float(tracks.speed_mps[i]) * np.linspace(0.0, WALKS_S, 9)
        along = dx * c + dy * s + way * math.cos(turn)
        aside = dy * c - dx * s + way * math.sin(turn)
        room = NEAR_M + 0.5 * float(tracks.width_m[i])
        touches = (along < ego[E_FRONT] + room) & (along > -ego[E_REAR] - room)
        touches &= np.abs(aside) < ego[E_HALF_WIDTH] + room
        if touches.any():
            return int(tracks.uid[i])
    return -1


def pass_speed(clear_m: FloatArray | float) -> FloatArray | float:
    """Beside somebody who is so far from the side of our body."""
    return np.maximum(SLOWEST_MPS, SLOWEST_MPS + RATE_1PS * (np.asarray(clear_m) - WALKER_LEAST_M))


def _lower(
    cap: FloatArray,
    corridor: Corridor,
    s_m: float,
    ego: FloatArray,
    speed_mps: float,
    tracks: Tracks,
    i: int,
) -> bool:
    """Lower the speeds at which we would be beside one of them, if both of us go on as now; whether
    that changes anything."""
    path = corridor.path
    begin = max(0, int(s_m / STEP_M))
    front = float(ego[E_FRONT])
    some = slice(begin, begin + int(LOOK_M / STEP_M))
    way = np.arange(len(path.xy_m[some])) * STEP_M
    met_s = np.maximum(0.0, way - front) / max(speed_mps, SLOWEST_MPS)
    v, heading = float(tracks.speed_mps[i]), float(tracks.heading_rad[i])
    dx = tracks.x_m[i] + v * math.cos(heading) * met_s - path.xy_m[some, 0]
    dy = tracks.y_m[i] + v * math.sin(heading) * met_s - path.xy_m[some, 1]
    cos, sin = np.cos(path.heading_rad[some]), np.sin(path.heading_rad[some])
    meets = np.flatnonzero(np.abs(dx * cos + dy * sin) < MEETS_M)
    if len(meets) == 0:
        return False
    aside = np.abs(dy * cos - dx * sin)[meets]
    nearest = int(meets[np.argmin(aside)])
    clear = float(aside.min() - ego[E_HALF_WIDTH]) - 0.5 * float(tracks.width_m[i])
    fastest = float(pass_speed(clear))
    if clear < ALONG_LEAST_M or fastest > cap.max():
        return False
    place = s_m + max(front, nearest * STEP_M)
    first = max(begin, int((place - front) / STEP_M) - 1)
    last = min(len(cap), int(place / STEP_M) + 2)
    s = np.arange(first, last) * STEP_M - s_m - DELAY_S * speed_mps
    soft = np.sqrt(np.maximum(0.0, speed_mps**2 - 2.0 * SOFT_MPS2 * np.maximum(0.0, s)))
    wanted = np.maximum(soft, fastest)
    if not (wanted < cap[first:last]).any():
        return False
    cap[first:last] = np.minimum(cap[first:last], wanted)
    return True
