"""Gaps on the lane beside us: who drives there, whether we fit in now, and which gap to aim for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.maps.field import Route
from marque.types.codes import UserKind
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Tracks

BACK_M, AHEAD_M = 130.0, 160.0
# from the start of a change to when we are in the way of others there, who see it and react
ENTRY_S, ENTRY_M = 1.5, 5.0
SLOW_MPS, SETS_OUT_MPS2, FOLLOWS_MPS2 = 5.0, 0.8, 1.2  # how we, and they, may speed up from here
GAP_M = 2.5  # bumper to bumper, and what speed adds:
COMING_RAD, COMING_M = 0.07, 0.2  # who points so much to a side, and is beside its line there
LEAST_M = 1.0  # and never less than this, not even for a moment
AHEAD_MPS2 = 1.5  # what we would brake to fall in behind who is slower
SLOWEST_MPS2, FASTEST_MPS2 = -1.5, 1.2  # of an adaptation to a gap
SOONEST_S, LATEST_S = 1.0, 12.0
EFFORT_S = 4.0  # 1 m/s2 of adaptation is worth so much waiting
KEPT_S = 3.0  # what a change of mind has to gain
UNSEEN_S = 3.0  # ahead of everybody whom we see there may be others
STANDS_MPS, LETS_IN_S, LETS_IN_M = 0.3, 2.0, 8.0  # who stands so long before so much free road
SLOW_SHARE, ROW_M = 0.6, 30.0  # of our speed, and the distance within which two are a slow row


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
    lets_in: BoolArray  # stands for a while though its way is free


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
    found, at_m = [], []
    for i in range(tracks.count):
        on = coming_to(road_map, tracks, i, begin)
        if on != NONE and tracks.kind[i] != UserKind.PEDESTRIAN:
            found.append(i)
            at_m.append(begin[on] + float(tracks.s_m[i]))
    track, s = np.array(found, dtype=np.int64), np.array(at_m)
    order = np.argsort(s)
    track = track[order]
    s, half = s[order], 0.5 * tracks.length_m[track]
    free = np.append(np.diff(s) - half[1:] - half[:-1], math.inf)[: len(s)] > LETS_IN_M
    lets_in = free & (tracks.speed_mps[track] < STANDS_MPS) & (tracks.still_s[track] > LETS_IN_S)
    return Row(track, s, tracks.speed_mps[track], half, lets_in)


def coming_to(road_map: RoadMap, tracks: Tracks, i: int, lanes: Mapping[int, float]) -> int:
    """The lane of `lanes` that a track is on or just changing to, NONE if there is none."""
    lane = int(tracks.lane[i])
    if lane == NONE or lane in lanes:
        return lane
    xy, arc = road_map.points(lane), road_map.arc(lane)
    at = min(len(arc) - 2, int(np.searchsorted(arc, tracks.s_m[i])))
    dx, dy = xy[at + 1] - xy[at]
    turn = math.remainder(float(tracks.heading_rad[i]) - math.atan2(dy, dx), 2.0 * math.pi)
    beside = math.copysign(float(tracks.d_m[i]), turn * tracks.d_m[i])
    if abs(turn) < COMING_RAD or beside < COMING_M:
        return NONE
    other = int((road_map.lane_left if turn > 0.0 else road_map.lane_right)[lane])
    return other if other in lanes else NONE


def fits(row: Row, us: Us, courtesy: Courtesy) -> bool:
    """Whether we could begin to change now: as things will be when we are in their way. Slowly we
    take longer to get there, and whoever is as slow behind us may speed up, if they do not let us
    in."""
    time = max(ENTRY_S, travel_s(ENTRY_M, us.speed_mps, SETS_OUT_MPS2))
    accel = max(us.accel_mps2, SETS_OUT_MPS2) if us.speed_mps < SLOW_MPS else us.accel_mps2
    speed = min(us.limit_mps, us.speed_mps + max(-2.0, accel) * time)
    middle = us.s_m + 0.5 * (us.front_m - us.rear_m)
    way = 0.5 * (us.speed_mps + speed) * time
    for i in range(len(row.track)):
        other, half = float(row.speed_mps[i]), float(row.half_m[i])
        if row.s_m[i] > middle:
            now = float(row.s_m[i]) - half - us.s_m - us.front_m
            ahead = now + other * time - way
            if now < LEAST_M or ahead < room_ahead(speed, other, courtesy):
                return False
        else:
            now = us.s_m - us.rear_m - float(row.s_m[i]) - half
            follows = other < SLOW_MPS and not row.lets_in[i]
            faster = other + (FOLLOWS_MPS2 * time if follows else 0.0)
            behind = now + way - 0.5 * (other + faster) * time
            if now < LEAST_M or behind < room_behind(speed, faster, courtesy):
                return False
    return True


def travel_s(way_m: float, speed_mps: float, accel_mps2: float) -> float:
    """Seconds for a way at constant acceleration."""
    return (math.sqrt(speed_mps**2 + 2.0 * accel_mps2 * way_m) - speed_mps) / accel_mps2


def room_ahead(speed_mps: float, other_mps: float, courtesy: Courtesy) -> float:
    """Gap to who is ahead that lets us fall in without haste."""
    closing = max(0.0, speed_mps - other_mps)
    return GAP_M + courtesy.ahead_s * speed_mps + closing * closing / (2.0 * AHEAD_MPS2)


def room_behind(
    speed_mps: FloatArray | float, other_mps: FloatArray | float, courtesy: Courtesy
) -> FloatArray:
    """Gap to who is behind: its reaction, and what its braking to our speed takes."""
    more = np.maximum(0.0, np.square(other_mps) - np.square(speed_mps)) / (
        2.0 * courtesy.brake_mps2
    )
    return np.asarray(
        GAP_M + np.minimum(courtesy.behind_s * other_mps + more, 4.0 * np.asarray(other_mps))
    )


def best_gap(
    row: Row,
    us: Us,
    courtesy: Courtesy,
    soonest_s: float,
    time_left_s: float,
    kept: int | None = None,
) -> Gap | None:
    """The gap that costs least time and effort to be in, None if none can be reached in time.

    `kept` is the leader that we aimed for before: to change our mind has to pay.
    """
    best: Gap | None = None
    least = math.inf
    times = np.arange(max(SOONEST_S, soonest_s), min(LATEST_S, time_left_s) + 0.01, 0.5)
    flow = flowing(row, times)
    for i in range(_queue_tail(row, us) + 1):  # the gap behind row i, ahead of row i - 1
        found = _reach(row, us, courtesy, i, times, flow)
        if found is None:
            continue
        time, accel = found
        leader = int(row.track[i]) if i < len(row.track) else -1
        cost = time + EFFORT_S * abs(accel)
        cost += UNSEEN_S if leader < 0 < len(row.track) else 0.0
        cost -= KEPT_S if leader == kept else 0.0
        if cost < least:
            least = cost
            best = Gap(leader, accel, time)
    return best


def flowing(row: Row, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(s_m, speed_mps), each [m, T]: everybody drives on as now, but not into who is ahead."""
    count = len(row.track)
    at = row.s_m[:, None] + row.speed_mps[:, None] * times
    speed = np.repeat(row.speed_mps[:, None], len(times), axis=1)
    for i in range(count - 2, -1, -1):
        closest = at[i + 1] - row.half_m[i + 1] - row.half_m[i] - GAP_M
        held = at[i] > closest
        speed[i] = np.where(held, np.minimum(speed[i], speed[i + 1]), speed[i])
        at[i] = np.maximum(row.s_m[i], np.minimum(at[i], closest))
    return at, speed


def _queue_tail(row: Row, us: Us) -> int:
    """Row index of the last one of a slow row ahead of us, else the row's length: what gap there
    is farther ahead cannot be seen from here, and whoever passes a queue does not get in."""
    slow = (row.speed_mps < SLOW_SHARE * us.speed_mps) & (row.s_m > us.s_m)
    for i in range(len(row.track) - 1):
        if slow[i] and slow[i + 1] and row.s_m[i + 1] - row.s_m[i] < ROW_M:
            return i
    return len(row.track)


def _reach(
    row: Row,
    us: Us,
    courtesy: Courtesy,
    i: int,
    times: FloatArray,
    flow: tuple[FloatArray, FloatArray],
) -> tuple[float, float] | None:
    """(time, acceleration) to be in the gap behind row i, None if it is too small or too far."""
    if len(times) == 0:
        return None
    lo = np.full(len(times), -math.inf)
    hi = np.full(len(times), math.inf)
    pace = np.full(len(times), us.speed_mps)
    at, speed = flow
    if i < len(row.track):
        pace = speed[i]
        hi = at[i] - (float(row.half_m[i]) + us.front_m + GAP_M + courtesy.ahead_s * pace)
    if i > 0:
        behind = room_behind(np.minimum(pace, speed[i - 1]), speed[i - 1], courtesy)
        lo = at[i - 1] + float(row.half_m[i - 1]) + us.rear_m + behind
    free = us.s_m + us.speed_mps * times
    target = np.minimum(np.maximum(free, lo), hi)
    accel = 2.0 * (target - free) / (times * times)
    ours = us.speed_mps + accel * times
    good = (lo <= hi) & (accel >= SLOWEST_MPS2) & (accel <= FASTEST_MPS2)
    good &= (ours >= 0.0) & (ours <= us.limit_mps + 0.5)
    if not good.any():
        return None
    cost = np.where(good, times + EFFORT_S * np.abs(accel), math.inf)
    q = int(np.argmin(cost))
    return float(times[q]), float(accel[q])
