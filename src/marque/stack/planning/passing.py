"""How fast we pass who is beside our way: the nearer, the slower.

People on foot who will be beside us as both go on. Who stands in the row beside us with their nose
towards our way and indicates that they want out. And any vehicle that stands so near that the guard
allows it at a crawl alone. Those who cross our way, or stand in it, are the rollouts' business.
Nobody brakes hard for the sake of a slower passing. And where we hardly move, we stand until those
are past who walk up to us.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int32Array
from marque.kernels.overlap import FREE
from marque.kernels.rollout import E_BRAKE, E_FRONT, E_HALF_WIDTH, E_JERK, E_REAR, E_WALKERS
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor, backward_pass
from marque.stack.planning.interactions import (
    ALONG_LEAST_M,
    CRAWL_MPS,
    GRAZE_M,
    OTHER_LEAST_M,
    STANDS_MPS,
    WALKER_LEAST_M,
    Interactions,
    present_strip,
)
from marque.types.codes import Indicator, UserKind
from marque.types.road_map import NONE
from marque.types.scene import Tracks

SLOWEST_MPS, RATE_1PS = 3.0, 20.0  # at the least room, and for each metre more
NOSE_RATE_1PS = 6.0  # the same beside a nose, which comes out slower than somebody steps out
NOSE_MPS, NOSE_SIN, NOSE_COS = 0.5, 0.07, 0.7  # who stands, aslant of our way, but not across it
SQUEEZE_LOOK_M = 40.0
SPARE_M = 0.05  # how exactly a path is followed
LOOK_M, MEETS_M = 60.0, 0.75  # how far ahead; from our bumper, along our way, to who is beside it
SOFT_MPS2, DELAY_S = 1.8, 0.5  # of the braking for it
HARDLY_MPS = 0.6  # we move no faster than this, and they,
WALKS_MPS, WALKS_S, NEAR_M = 0.3, 2.0, 0.25  # faster: so soon, so near to our body


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """Whom we pass: what of them comes nearest, map frame; how they move; half their width."""

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    half_m: float
    rate_1ps: float
    least_m: float  # beside our body; who is nearer is in our way
    indicator: int  # of who wants out of a row; NONE of people on foot
    more_m: float = 0.0  # so much of the room does not count


def pass_slowly(
    it: Interactions,
    corridors: list[Corridor],
    s0: list[float],
    ego: FloatArray,
    speed_mps: float,
    tracks: Tracks,
) -> None:
    """Lower `it.v_ref` where we pass who is near our way, and name them in `it.beside`."""
    found = [*_people(tracks, float(ego[E_WALKERS])), *_noses(tracks)]
    stand = _who_stands(tracks, corridors[0], s0[0])
    if not found and len(stand) == 0:
        return
    for c, corridor in enumerate(corridors):
        n = int(it.n[c])
        cap = it.v_ref[c, :n].copy()
        for uid, one in found:
            if _lower(cap, corridor, s0[c], ego, speed_mps, one):
                it.beside[c] = uid
        for i, begin_m, end_m in _squeezed(corridor, s0[c], ego, tracks, stand):
            if slow(cap, begin_m, end_m, CRAWL_MPS, s0[c], speed_mps):
                it.beside[c] = int(tracks.uid[i])
        if it.beside[c] >= 0:
            backward_pass(cap, STEP_M, float(ego[E_BRAKE]), float(ego[E_JERK]), it.v_ref[c, :n])


def _people(tracks: Tracks, more_m: float) -> Iterator[tuple[int, Passed]]:
    for i in np.flatnonzero(tracks.kind == UserKind.PEDESTRIAN).tolist():
        yield (
            int(tracks.uid[i]),
            Passed(
                float(tracks.x_m[i]),
                float(tracks.y_m[i]),
                float(tracks.heading_rad[i]),
                float(tracks.speed_mps[i]),
                0.5 * float(tracks.width_m[i]),
                RATE_1PS,
                ALONG_LEAST_M,
                NONE,
                more_m,
            ),
        )


def _noses(tracks: Tracks) -> Iterator[tuple[int, Passed]]:
    """Of those who stand and indicate to one side, the middle of the front."""
    wants = (tracks.indicator == Indicator.LEFT) | (tracks.indicator == Indicator.RIGHT)
    for i in np.flatnonzero(wants & (tracks.speed_mps < NOSE_MPS)).tolist():
        heading, half = float(tracks.heading_rad[i]), 0.5 * float(tracks.length_m[i])
        yield (
            int(tracks.uid[i]),
            Passed(
                float(tracks.x_m[i]) + half * math.cos(heading),
                float(tracks.y_m[i]) + half * math.sin(heading),
                heading,
                0.0,
                0.5 * float(tracks.width_m[i]),
                NOSE_RATE_1PS,
                0.0,
                int(tracks.indicator[i]),
            ),
        )


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


def pass_speed(clear_m: FloatArray | float, rate_1ps: float = RATE_1PS) -> FloatArray | float:
    """Beside somebody, on foot if nothing is said, who is so far from the side of our body."""
    return np.maximum(SLOWEST_MPS, SLOWEST_MPS + rate_1ps * (np.asarray(clear_m) - WALKER_LEAST_M))


def _lower(
    cap: FloatArray,
    corridor: Corridor,
    s_m: float,
    ego: FloatArray,
    speed_mps: float,
    one: Passed,
) -> bool:
    """Lower the speeds at which we would be beside one of them, if both of us go on as now; whether
    that changes anything."""
    path = corridor.path
    begin = max(0, int(s_m / STEP_M))
    front = float(ego[E_FRONT])
    some = slice(begin, begin + int(LOOK_M / STEP_M))
    way = np.arange(len(path.xy_m[some])) * STEP_M
    met_s = np.maximum(0.0, way - front) / max(speed_mps, SLOWEST_MPS)
    v, heading = one.speed_mps, one.heading_rad
    dx = one.x_m + v * math.cos(heading) * met_s - path.xy_m[some, 0]
    dy = one.y_m + v * math.sin(heading) * met_s - path.xy_m[some, 1]
    cos, sin = np.cos(path.heading_rad[some]), np.sin(path.heading_rad[some])
    meets = np.flatnonzero(np.abs(dx * cos + dy * sin) < MEETS_M)
    if len(meets) == 0:
        return False
    left = (dy * cos - dx * sin)[meets]
    at = int(np.argmin(np.abs(left)))
    nearest = int(meets[at])
    clear = abs(float(left[at])) - float(ego[E_HALF_WIDTH]) - one.half_m
    if not _counts(one, float(left[at]), heading - float(path.heading_rad[some][nearest])):
        return False
    fastest = float(pass_speed(clear - one.more_m, one.rate_1ps))
    if clear < one.least_m or fastest > cap.max():
        return False
    place = s_m + max(front, nearest * STEP_M)
    return slow(cap, place - front, place, fastest, s_m, speed_mps)


def slow(
    cap: FloatArray, begin_m: float, end_m: float, fastest: float, s_m: float, speed_mps: float
) -> bool:
    """Lower the speeds between two path metres to `fastest`, or to what soft braking brings;
    whether that changes anything."""
    first = max(0, int(s_m / STEP_M), int(begin_m / STEP_M) - 1)
    last = min(len(cap), int(end_m / STEP_M) + 2)
    s = np.arange(first, last) * STEP_M - s_m - DELAY_S * speed_mps
    soft = np.sqrt(np.maximum(0.0, speed_mps**2 - 2.0 * SOFT_MPS2 * np.maximum(0.0, s)))
    wanted = np.maximum(soft, fastest)
    if not (wanted < cap[first:last]).any():
        return False
    cap[first:last] = np.minimum(cap[first:last], wanted)
    return True


def _who_stands(tracks: Tracks, corridor: Corridor, s_m: float) -> Int32Array:
    """Rows of the vehicles near us that stand."""
    here = corridor.path.xy_m[min(int(s_m / STEP_M), len(corridor.path.xy_m) - 1)]
    near = np.hypot(tracks.x_m - here[0], tracks.y_m - here[1]) < SQUEEZE_LOOK_M
    near &= (tracks.speed_mps < STANDS_MPS) & (tracks.kind != UserKind.PEDESTRIAN)
    return np.flatnonzero(near).astype(np.int32)


def _squeezed(
    corridor: Corridor, s_m: float, ego: FloatArray, tracks: Tracks, stand: Int32Array
) -> Iterator[tuple[int, float, float]]:
    """(row, from, to) of those of `stand` beside whom our body has less room than the guard keeps
    at speed; path metres of our rear axle between which it is beside them."""
    if len(stand) == 0:
        return
    half = float(ego[E_HALF_WIDTH])
    low, high = present_strip(corridor, half + OTHER_LEAST_M + SPARE_M, tracks, stand)
    touched, _ = present_strip(corridor, half + GRAZE_M, tracks, stand)
    for i in np.flatnonzero((low < FREE) & (touched >= FREE)).tolist():
        begin_m, end_m = float(low[i] - ego[E_FRONT]), float(high[i] + ego[E_REAR])
        if end_m > s_m:
            yield int(stand[i]), begin_m, end_m


def _counts(one: Passed, left_m: float, turn_rad: float) -> bool:
    """People always; of those in a row, who points at our way and indicates to its side. In a row
    that faces us, as a bus at its stop, too."""
    if one.indicator == NONE:
        return True
    along = math.cos(turn_rad)
    to_us = Indicator.RIGHT if left_m * along > 0.0 else Indicator.LEFT
    towards = -math.copysign(1.0, left_m) * math.sin(turn_rad)
    return one.indicator == to_us and towards > NOSE_SIN and abs(along) > NOSE_COS
