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
# the most that is asked for so that a follower could stop softly: this, or beyond reaction so much
SOFT_MOST_M, FOLLOWS_S = 45.0, 0.5
LEAST_M = 1.0  # and never less than this, not even for a moment
AHEAD_MPS2 = 1.5  # what we would brake to fall in behind who is slower
FIRM_MPS2 = 4.5  # what we may have to brake for others, after we have changed
SLOWEST_MPS2, FASTEST_MPS2 = -1.5, 1.2  # of an adaptation to a gap
SPEED_STEP_MPS = 1.0  # between the speeds that we consider for it
SOONEST_S, LATEST_S = 1.5, 15.0
SPARE_S = 1.0  # before the end of our lane we have entered the gap
LATE_MPS2, REACTS_S = 3.5, 1.0  # braking before it, if the gap that we aim for closes
EFFORT_S = 0.5  # 1 m/s of adaptation is worth so much waiting,
SLOWER_S = 0.5  # and so is each that we are slower than those who drive there
KEPT_S = 3.0  # what a change of mind has to gain
REGAINS_S = (2.0, 4.0, 6.0, 8.0)  # of speeding up again, after we have let somebody by
UNSEEN_S = 3.0  # ahead of everybody whom we see there may be others
STANDS_MPS, LETS_IN_S, LETS_IN_M = 0.3, 2.0, 8.0  # who stands so long before so much free road
WITH_LEAST_MPS, WITH_MORE_MPS, WITH_MORE_M = 1.5, 3.0, 100.0  # beside a slow row
CRAWLS_MPS, SETS_OFF_MPS2, CRAWLS_M = 1.4, 0.3, 15.0  # or crawls before so much, and sets off not
SLOW_SHARE, ROW_M = 0.6, 30.0  # of our speed, and the distance within which two are a slow row


@dataclass(frozen=True, slots=True)
class Courtesy:
    """What we ask of who comes from behind, reaction time and braking, to our speed and if we had
    to stop; and what of ourselves."""

    behind_s: float
    brake_mps2: float
    stop_mps2: float
    ahead_s: float


POLITE = Courtesy(1.0, 2.0, 2.5, 0.9)
CLOSE = Courtesy(1.0, 2.0, 2.5, 0.6)  # as polite to who is behind, and nearer to who is ahead
PRESSING = Courtesy(0.7, 3.0, 2.75, 0.6)  # near the last chance, and where else we would stop:
URGENT = Courtesy(0.6, 3.0, 3.25, 0.5)
# rather than to stop on a fast road: a second, and twice what UN R79 leaves who comes faster
LAST = Courtesy(1.0, 8.0, 8.0, 0.4)
# for a gap to drive beside, indicating: nobody changes into one before who follows has opened it
HOPED = Courtesy(0.3, 8.0, 8.0, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Those on a lane and its continuation, sorted; `s_m` counts from the lane's start."""

    track: IntArray  # [m] index into Tracks
    s_m: FloatArray
    speed_mps: FloatArray
    half_m: FloatArray
    lets_in: BoolArray  # stands for a while, or crawls, though its way is free


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
    """A gap to aim for: behind which track (-1: behind nobody), at which speed, and when."""

    leader: int
    speed_mps: float
    time_s: float
    cost_s: float = 0.0  # time and effort


@dataclass(frozen=True, slots=True)
class Entry:
    """When, how far on and how fast we come into the way of others on the other lane."""

    time_s: float
    way_m: float
    speed_mps: float


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
    free_m = np.append(np.diff(s) - half[1:] - half[:-1], math.inf)[: len(s)]
    v = tracks.speed_mps[track]
    lets_in = (free_m > LETS_IN_M) & (v < STANDS_MPS) & (tracks.still_s[track] > LETS_IN_S)
    crawls = (v < CRAWLS_MPS) & (tracks.accel_mps2[track] < SETS_OFF_MPS2)
    lets_in |= crawls & (free_m > CRAWLS_M)
    return Row(track, s, v, half, lets_in)


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


def entry(us: Us) -> Entry:
    """When we would be in the way of others there on a change of the usual length. Slowly we take
    longer to get there."""
    time = max(ENTRY_S, travel_s(ENTRY_M, us.speed_mps, SETS_OUT_MPS2))
    accel = max(us.accel_mps2, SETS_OUT_MPS2 if us.speed_mps < SLOW_MPS else 0.0)
    speed = min(us.limit_mps, us.speed_mps + accel * time)
    return Entry(time, 0.5 * (us.speed_mps + speed) * time, speed)


def fits(row: Row, us: Us, courtesy: Courtesy, come: Entry) -> bool:
    """Whether we could begin to change now: as things will be when we are in their way. Whoever is
    slow behind us may speed up, if they do not let us in; who does may have driven up close, and
    stays behind as we drive on: two who wait for each other there would wait for ever. On this lane
    those behind them are held by them."""
    middle = us.s_m + 0.5 * (us.front_m - us.rear_m)
    first = int(np.searchsorted(row.s_m, middle, side="right"))  # of those ahead of us
    for i in range(first, len(row.track)):
        other, half = float(row.speed_mps[i]), float(row.half_m[i])
        now = float(row.s_m[i]) - half - us.s_m - us.front_m
        ahead = now + other * come.time_s - come.way_m
        if now < LEAST_M or ahead < room_ahead(come.speed_mps, other, courtesy):
            return False
    rear, held = us.s_m - us.rear_m, (math.inf, math.inf)
    for i in range(first - 1, -1, -1):
        half = float(row.half_m[i])
        bumper, speed = _comes(row, i, come.time_s, held)
        behind = rear + come.way_m - bumper
        if rear - float(row.s_m[i]) - half < LEAST_M and not row.lets_in[i]:
            return False
        if behind < room_behind(come.speed_mps, speed, courtesy):
            return False
        if row.s_m[i] >= 0.0:  # several lanes may lead here: who is on one holds none on another
            held = (bumper - 2.0 * half - GAP_M, speed)
    return True


def _comes(row: Row, i: int, time_s: float, held: tuple[float, float]) -> tuple[float, float]:
    """(front bumper, speed) of one behind us a while on. Who is slow speeds up if they do not let
    us in; nobody comes farther, nor then faster, than `held` by who drives ahead of them."""
    other = float(row.speed_mps[i])
    faster = other
    if other < SLOW_MPS and not row.lets_in[i]:
        faster += FOLLOWS_MPS2 * time_s
    now = float(row.s_m[i]) + float(row.half_m[i])
    at = now + 0.5 * (other + faster) * time_s
    if at <= held[0]:
        return at, faster
    return max(now, held[0]), min(faster, held[1])


def travel_s(way_m: float, speed_mps: float, accel_mps2: float) -> float:
    """Seconds for a way at constant acceleration."""
    return (math.sqrt(speed_mps**2 + 2.0 * accel_mps2 * way_m) - speed_mps) / accel_mps2


def room_ahead(
    speed_mps: FloatArray | float, other_mps: FloatArray | float, courtesy: Courtesy
) -> FloatArray:
    """Gap to who is ahead that lets us fall in without haste."""
    closing = np.maximum(0.0, np.subtract(speed_mps, other_mps))
    return np.asarray(
        GAP_M + courtesy.ahead_s * np.asarray(speed_mps) + closing**2 / (2.0 * AHEAD_MPS2)
    )


def room_behind(
    speed_mps: FloatArray | float, other_mps: FloatArray | float, courtesy: Courtesy
) -> FloatArray:
    """Gap to who is behind: its reaction, and what its braking to our speed takes; and no less than
    lets it stop softly behind us if we had to brake firmly; which on fast roads nobody keeps, who
    follows at a distance that the law asks for."""
    ours2, theirs2 = np.square(speed_mps), np.square(other_mps)
    more = np.maximum(0.0, theirs2 - ours2) / (2.0 * courtesy.brake_mps2)
    wanted = np.minimum(courtesy.behind_s * other_mps + more, 4.0 * np.asarray(other_mps))
    safe = theirs2 / (2.0 * courtesy.stop_mps2) - ours2 / (2.0 * FIRM_MPS2)
    least = (courtesy.behind_s + FOLLOWS_S) * np.asarray(other_mps) + more
    safe = np.minimum(safe, np.maximum(least, SOFT_MOST_M))
    return np.asarray(GAP_M + np.maximum(wanted, safe))


def best_gap(
    row: Row,
    us: Us,
    courtesy: Courtesy,
    begin_m: float,
    left_m: float,
    kept: int | None = None,
    regains_s: tuple[float, ...] = (0.0,),
    most_mps: float = math.inf,
    slow_s: float = 0.0,
) -> Gap | None:
    """The gap that costs least time and effort to be in, None if none can be reached on the road
    from `begin_m` to `left_m` metres ahead.

    We change our speed and hold it; for the last of one of the times `regains_s` we speed up, so
    as not to be slow where the others are fast. `kept` is the leader that we aimed for before: to
    change our mind has to pay.
    """
    best: Gap | None = None
    least = math.inf
    times = np.arange(SOONEST_S, LATEST_S + 0.01, 0.5)
    most = min(us.limit_mps, max(most_mps, us.speed_mps))
    steps = np.append(np.arange(0.0, most + 0.5, SPEED_STEP_MPS), us.speed_mps)
    speeds = np.tile(steps, len(regains_s))
    way, ours = _regained(us, steps, times, regains_s)
    there = (way >= begin_m) & (way + SPARE_S * ours <= left_m)
    there &= way - ENTRY_S * ours + brakes_from_m(ours) <= left_m
    effort = np.abs(speeds - us.speed_mps)[:, None] + ours - speeds[:, None]
    effort = times + EFFORT_S * effort
    flow = flowing(row, times)
    for i in range(_queue_tail(row, us) + 1):  # the gap behind row i, ahead of row i - 1
        lo, hi, pace = _window(row, us, courtesy, i, ours, flow)
        at = us.s_m + way
        good = there & (lo <= at) & (at <= hi)
        if not good.any():
            continue
        slower = SLOWER_S * np.maximum(0.0, pace - ours)
        slower = slower + slow_s * np.maximum(0.0, pace - speeds[:, None])
        cost = np.where(good, effort + slower, math.inf)
        u, q = np.unravel_index(int(np.argmin(cost)), cost.shape)
        leader = int(row.track[i]) if i < len(row.track) else -1
        total = float(cost[u, q])
        total += UNSEEN_S if leader < 0 < len(row.track) else 0.0
        total -= KEPT_S if leader == kept else 0.0
        if total < least:
            least = total
            best = Gap(leader, float(speeds[u]), float(times[q]), total)
    return best


def with_the_row(row: Row, us: Us, left_m: float) -> Gap | None:
    """No gap but a speed: a little faster than those beside us who are slower, and no faster at
    the end of our lane. Who passes a slow row up to there has to stop, and gets in last."""
    near = np.abs(row.s_m - us.s_m) < ROW_M + row.half_m
    if not near.any():
        return None
    more = WITH_MORE_MPS * min(1.0, max(0.0, left_m) / WITH_MORE_M)
    pace = max(WITH_LEAST_MPS, float(row.speed_mps[near].mean()) + more)
    return Gap(-1, pace, LATEST_S) if pace < us.speed_mps else None


def adapted(
    speed_mps: float, speeds_mps: FloatArray, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(way_m, speed_mps), each [U, T]: from our speed steadily to each of `speeds_mps`, then on."""
    change = (speeds_mps - speed_mps)[:, None]
    accel = np.where(change < 0.0, SLOWEST_MPS2, FASTEST_MPS2)
    until = np.minimum(times, change / accel)
    ours = speed_mps + accel * until
    way = 0.5 * (speed_mps + ours) * until + ours * (times - until)
    return way, ours


def brakes_from_m(speed_mps: FloatArray | float) -> FloatArray:
    """How far before the end of our lane we brake for it, whatever gap we aim for."""
    return np.asarray(np.square(speed_mps) / (2.0 * LATE_MPS2) + REACTS_S * np.asarray(speed_mps))


def _regained(
    us: Us, steps: FloatArray, times: FloatArray, regains_s: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """(way_m, speed_mps), each [R U, T], as `adapted`, and speeding up from each of `regains_s`
    before the end; speed nan where there is no time for that."""
    ways, speeds = [], []
    for regain in regains_s:
        way, speed = adapted(us.speed_mps, steps, np.maximum(times - regain, 0.0))
        there = np.minimum(us.limit_mps, speed + FASTEST_MPS2 * regain)
        there = np.maximum(speed, there)
        ways.append(way + 0.5 * (speed + there) * regain)
        speeds.append(np.where(times < regain, math.nan, there))
    return np.vstack(ways), np.vstack(speeds)


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


def _window(
    row: Row,
    us: Us,
    courtesy: Courtesy,
    i: int,
    ours: FloatArray,
    flow: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[U, T] between which places of our rear axle we are well in the gap behind row i at the
    speeds `ours`; and how fast those drive between whom we are."""
    lo = np.full(ours.shape, -math.inf)
    hi = np.full(ours.shape, math.inf)
    pace = ours
    at, speed = flow
    if i > 0:
        lo = at[i - 1] + float(row.half_m[i - 1]) + us.rear_m
        lo = lo + room_behind(ours, speed[i - 1], courtesy)
        pace = np.broadcast_to(speed[i - 1], ours.shape)
    if i < len(row.track):
        hi = at[i] - float(row.half_m[i]) - us.front_m - room_ahead(ours, speed[i], courtesy)
        pace = np.minimum(pace, speed[i]) if i > 0 else np.broadcast_to(speed[i], ours.shape)
    return lo, hi, pace
