"""Gaps on the lane beside us: who drives there, whether we fit in now, and which gap to aim for."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.maps.field import Route
from marque.types.codes import UserKind
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Tracks

BACK_M, AHEAD_M = 130.0, 160.0
ENTRY_S = 1.5  # from the start of a change to the moment when we are in the way of others there
GAP_M = 2.5  # bumper to bumper, and what speed adds:
LEAST_M = 1.0  # and never less than this, not even for a moment
AHEAD_MPS2 = 1.5  # what we would brake to fall in behind who is slower
SLOWEST_MPS2, FASTEST_MPS2 = -1.5, 1.2  # of an adaptation to a gap
SOONEST_S, LATEST_S = 1.0, 12.0
EFFORT_S = 4.0  # 1 m/s2 of adaptation is worth so much waiting


@dataclass(frozen=True, slots=True)
class Courtesy:
    """What we ask of who comes from behind, reaction time and braking, and what of ourselves."""

    behind_s: float
    brake_mps2: float
    ahead_s: float


POLITE = Courtesy(1.0, 2.0, 0.9)
PRESSING = Courtesy(0.7, 3.0, 0.6)  # near the last chance


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Those on a lane and its continuation, sorted; `s_m` counts from the lane's start."""

    track: IntArray  # [m] index into Tracks
    s_m: FloatArray
    speed_mps: FloatArray
    half_m: FloatArray


@dataclass(frozen=True, slots=True)
class Us:
    """Our car, seen along that lane."""

    s_m: float  # rear axle
    speed_mps: float
    accel_mps2: float
    front_m: float
    rear_m: float
    limit_mps: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap to aim for: behind which track (-1: behind nobody), and with which acceleration."""

    leader: int
    accel_mps2: float
    time_s: float


def row_on(road_map: RoadMap, route: Route, lane: int, tracks: Tracks) -> Row:
    """Everybody on a lane, on what leads to it, and on the way on from it."""
    begin = {lane: 0.0}
    at, end = lane, float(road_map.lane_length_m[lane])
    while end < AHEAD_M + float(road_map.lane_length_m[lane]):
        at = int(route.best_next[at])
        if at == NONE or at in begin:
            break
        begin[at] = end
        end += float(road_map.lane_length_m[at])
    todo = [lane]
    while todo:
        at = todo.pop()
        for before in road_map.predecessors(at):
            starts = begin[at] - float(road_map.lane_length_m[before])
            if begin[at] > -BACK_M and int(before) not in begin:
                begin[int(before)] = starts
                todo.append(int(before))
    found = [
        i
        for i in range(tracks.count)
        if int(tracks.lane[i]) in begin and tracks.kind[i] != UserKind.PEDESTRIAN
    ]
    track = np.array(found, dtype=np.int64)
    s = np.array([begin[int(tracks.lane[i])] + float(tracks.s_m[i]) for i in found])
    order = np.argsort(s)
    track = track[order]
    return Row(track, s[order], tracks.speed_mps[track], 0.5 * tracks.length_m[track])


def fits(row: Row, us: Us, courtesy: Courtesy) -> bool:
    """Whether we could begin to change now: as things will be when we are in their way."""
    speed = min(us.limit_mps, us.speed_mps + max(-2.0, us.accel_mps2) * ENTRY_S)
    middle = us.s_m + 0.5 * (us.front_m - us.rear_m)
    way = 0.5 * (us.speed_mps + speed) * ENTRY_S
    for i in range(len(row.track)):
        other, half = float(row.speed_mps[i]), float(row.half_m[i])
        moved = float(row.s_m[i]) + other * ENTRY_S - us.s_m - way
        if row.s_m[i] > middle:
            now = float(row.s_m[i]) - half - us.s_m - us.front_m
            ahead = moved - half - us.front_m
            if now < LEAST_M or ahead < room_ahead(speed, other, courtesy):
                return False
        else:
            now = us.s_m - us.rear_m - float(row.s_m[i]) - half
            behind = -moved - us.rear_m - half
            if now < LEAST_M or behind < room_behind(speed, other, courtesy):
                return False
    return True


def room_ahead(speed_mps: float, other_mps: float, courtesy: Courtesy) -> float:
    """Gap to who is ahead that lets us fall in without haste."""
    closing = max(0.0, speed_mps - other_mps)
    return GAP_M + courtesy.ahead_s * speed_mps + closing * closing / (2.0 * AHEAD_MPS2)


def room_behind(speed_mps: float, other_mps: float, courtesy: Courtesy) -> float:
    """Gap to who is behind: its reaction, and what its braking to our speed takes."""
    more = max(0.0, other_mps**2 - speed_mps**2) / (2.0 * courtesy.brake_mps2)
    return GAP_M + min(courtesy.behind_s * other_mps + more, 4.0 * other_mps)


def best_gap(
    row: Row, us: Us, courtesy: Courtesy, soonest_s: float, time_left_s: float
) -> Gap | None:
    """The gap that costs least time and effort to be in, None if none can be reached in time."""
    best: Gap | None = None
    least = math.inf
    times = np.arange(max(SOONEST_S, soonest_s), min(LATEST_S, time_left_s) + 0.01, 0.5)
    count = len(row.track)
    for i in range(count + 1):  # the gap behind row i, ahead of row i - 1
        found = _reach(row, us, courtesy, i, times)
        if found is None:
            continue
        time, accel = found
        cost = time + EFFORT_S * abs(accel)
        if cost < least:
            least = cost
            best = Gap(int(row.track[i]) if i < count else -1, accel, time)
    return best


def _reach(
    row: Row, us: Us, courtesy: Courtesy, i: int, times: FloatArray
) -> tuple[float, float] | None:
    """(time, acceleration) to be in the gap behind row i, None if it is too small or too far."""
    if len(times) == 0:
        return None
    lo = np.full(len(times), -math.inf)
    hi = np.full(len(times), math.inf)
    flow = us.speed_mps
    if i < len(row.track):
        flow = float(row.speed_mps[i])
        room = float(row.half_m[i]) + us.front_m + GAP_M + courtesy.ahead_s * flow
        hi = float(row.s_m[i]) + flow * times - room
    if i > 0:
        other = float(row.speed_mps[i - 1])
        room = float(row.half_m[i - 1]) + us.rear_m + room_behind(min(flow, other), other, courtesy)
        lo = float(row.s_m[i - 1]) + other * times + room
    free = us.s_m + us.speed_mps * times
    target = np.minimum(np.maximum(free, lo), hi)
    accel = 2.0 * (target - free) / (times * times)
    speed = us.speed_mps + accel * times
    good = (lo <= hi) & (accel >= SLOWEST_MPS2) & (accel <= FASTEST_MPS2)
    good &= (speed >= 0.0) & (speed <= us.limit_mps + 0.5)
    if not good.any():
        return None
    cost = np.where(good, times + EFFORT_S * np.abs(accel), math.inf)
    q = int(np.argmin(cost))
    return float(times[q]), float(accel[q])
