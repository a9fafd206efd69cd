"""Criteria about keeping clear of others on the same road: ahead, beside, and in the way."""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import project
from marque.prove.situations.checks import MOTOR, Criterion, Outcome, forced
from marque.prove.situations.view import FRAME_S, View
from marque.types.codes import UserKind
from marque.types.road_map import NONE

TIME_GAP_S = 0.7
CUT_IN_S = 4.0
STANDING_GAP_M = 0.8
PASS_CYCLIST_M = 1.5
PASS_STANDING_M = 0.4
STANDS_MPS = 0.5
ONCOMING_S = 1.5


def leader(view: View, frame: int) -> tuple[int, float] | None:
    """(row, gap) of the nearest road user ahead on our lane or the lanes that follow it."""
    road_map, trace, way = view.road_map, view.trace, view.way
    lane = int(way.lane[frame])
    if lane == NONE:
        return None
    begin = {lane: 0.0}
    at, end = lane, float(road_map.lane_length_m[lane])
    for _ in range(4):
        after = [int(each) for each in road_map.successors(at)]
        drives = [each for each in after if each in view.drives_set]
        if not after:
            break
        at = drives[0] if drives else after[0]
        begin.setdefault(at, end)
        end += float(road_map.lane_length_m[at])
    front = float(way.s_m[frame]) + trace.platform.front_m
    best: tuple[int, float] | None = None
    rows = trace.users(frame)
    for row in range(rows.start, rows.stop):
        on = int(trace.user_lane[row])
        if on not in begin or trace.kind[row] == UserKind.PEDESTRIAN:
            continue
        points, arc = road_map.points(on), road_map.arc(on)
        x, y = float(trace.user_x_m[row]), float(trace.user_y_m[row])
        s, d, _ = project(points, arc, x, y, 0, len(points) - 1)
        reach = 0.5 * float(trace.user_width_m[row] + trace.platform.width_m)
        gap = begin[on] + s - 0.5 * float(trace.user_length_m[row]) - front
        if gap > -2.0 and abs(d) < reach and (best is None or gap < best[1]):
            best = row, gap
    return best


def leaders(view: View) -> tuple[FloatArray, FloatArray]:
    """[n] gap to the leader (inf without) and its uid (-1 without)."""
    gap, uid = np.full(view.trace.count, math.inf), np.full(view.trace.count, -1.0)
    for frame in range(view.trace.count):
        found = leader(view, frame)
        if found is not None:
            gap[frame], uid[frame] = found[1], float(view.trace.uid[found[0]])
    return gap, uid


def keeps_distance(view: View) -> Outcome:
    """Time gap behind whoever is ahead; new ones get a while."""
    gap, uid = view.leaders
    speed, t = view.trace.speed_mps, view.trace.t_s
    fresh = np.full(len(uid), -math.inf)
    since = -math.inf
    for k in range(len(uid)):
        if k and uid[k] != uid[k - 1] and uid[k] >= 0:
            since = float(t[k])
        fresh[k] = since
    counts = (uid >= 0) & (speed > 3.0) & (t - fresh > CUT_IN_S)
    if not counts.any():
        return Outcome(True, "nobody ahead")
    gaps = np.where(counts, gap / np.maximum(speed, 0.1), math.inf)
    k = int(np.argmin(gaps))
    return Outcome(bool(gaps[k] >= TIME_GAP_S), f"{gaps[k]:.2f} s", float(t[k]))


def stands_clear(view: View) -> Outcome:
    """Free space before us at rest."""
    gap, uid = view.leaders
    still = view.stands & (uid >= 0)
    if not still.any():
        return Outcome(True, "never stood behind anybody")
    gaps = np.where(still, gap, math.inf)
    k = int(np.argmin(gaps))
    return Outcome(bool(gaps[k] >= STANDING_GAP_M), f"{gaps[k]:.2f} m", float(view.trace.t_s[k]))


def brakes_for_cause(view: View) -> Outcome:
    """No hard braking that nothing made necessary."""
    count = view.numbers["needless_hard_braking"]
    return Outcome(count == 0, f"{count} times above 3 m/s^2 without a need")


KEEPS_DISTANCE = Criterion(
    "keeps_distance",
    f"at least {TIME_GAP_S:g} s behind who is ahead, {CUT_IN_S:g} s after it came there",
    keeps_distance,
)
STANDS_CLEAR = Criterion(
    "stands_clear", f"at rest at least {STANDING_GAP_M:g} m behind who is ahead", stands_clear
)
BRAKES_FOR_CAUSE = Criterion(
    "brakes_for_cause", "no braking above 3 m/s^2 that nothing made necessary", brakes_for_cause
)


# ------------------------------------------------------------------ beside others


def side_gaps(view: View, uid: int) -> tuple[np.ndarray, FloatArray, FloatArray, FloatArray]:
    """(frames, rows, free space to the side, speed over theirs) while our bodies overlap
    lengthwise; the side is that of our heading."""
    trace = view.trace
    frames, rows = view.rows_of(uid)
    h = trace.heading_rad[frames]
    dx = trace.user_x_m[rows] - trace.middle_x_m[frames]
    dy = trace.user_y_m[rows] - trace.middle_y_m[frames]
    turn = trace.user_heading_rad[rows] - h
    half_l, half_w = 0.5 * trace.user_length_m[rows], 0.5 * trace.user_width_m[rows]
    long = np.abs(np.cos(turn)) * half_l + np.abs(np.sin(turn)) * half_w
    wide = np.abs(np.sin(turn)) * half_l + np.abs(np.cos(turn)) * half_w
    ahead = np.abs(dx * np.cos(h) + dy * np.sin(h)) - long - 0.5 * trace.platform.length_m
    aside = np.abs(dy * np.cos(h) - dx * np.sin(h)) - wide - 0.5 * trace.platform.width_m
    over = trace.speed_mps[frames] - trace.user_speed_mps[rows] * np.cos(turn)
    beside = ahead < 0.0
    return frames[beside], rows[beside], aside[beside], over[beside]


def passes_cyclists(view: View) -> Outcome:
    """Free space beside cyclists on our own road while we overtake them."""
    trace, road_map = view.trace, view.road_map
    least, when, who = math.inf, 0.0, ""
    for uid in np.unique(trace.uid[trace.kind == UserKind.BICYCLE]).tolist():
        frames, rows, aside, over = side_gaps(view, uid)
        lane = trace.user_lane[rows]
        drives = (lane != NONE) & ~road_map.lane_connector[lane]
        drives &= (road_map.lane_allow[lane] & 1) != 0  # not on a lane of its own
        turn = np.cos(trace.user_heading_rad[rows] - trace.heading_rad[frames])
        counts = drives & (turn > 0.7) & (over > 0.5)
        for i in np.flatnonzero(counts).tolist():
            if aside[i] < least:
                least, when = float(aside[i]), float(trace.t_s[frames[i]])
                who = view.names.get(uid, str(uid))
    return Outcome(least >= PASS_CYCLIST_M, f"{least:.2f} m to '{who}'" if who else "none", when)


def passes_standing(view: View) -> Outcome:
    """Free space beside standing vehicles while we move past them."""
    trace = view.trace
    least, when, who = math.inf, 0.0, ""
    vehicles = np.isin(trace.kind, MOTOR)
    for uid in np.unique(trace.uid[vehicles & (trace.user_speed_mps < STANDS_MPS)]).tolist():
        frames, rows, aside, _ = side_gaps(view, uid)
        counts = (trace.user_speed_mps[rows] < STANDS_MPS) & (trace.speed_mps[frames] > 2.0)
        for i in np.flatnonzero(counts).tolist():
            if aside[i] < least:
                least, when = float(aside[i]), float(trace.t_s[frames[i]])
                who = view.names.get(uid, str(uid))
    return Outcome(least >= PASS_STANDING_M, f"{least:.2f} m to '{who}'" if who else "none", when)


PASSES_CYCLISTS = Criterion(
    "passes_cyclists",
    f"overtakes cyclists on the same road with at least {PASS_CYCLIST_M:g} m, or stays behind",
    passes_cyclists,
)
PASSES_STANDING = Criterion(
    "passes_standing",
    f"at least {PASS_STANDING_M:g} m beside standing vehicles when faster than 2 m/s",
    passes_standing,
)


# ------------------------------------------------------------------ on the oncoming lane


def on_opposite(view: View) -> BoolArray:
    """[n] whether part of our body is on the lane of the opposite direction."""
    trace, road_map = view.trace, view.road_map
    out = np.zeros(trace.count, dtype=np.bool_)
    for k in range(trace.count):
        lane = int(view.way.lane[k])
        if lane == NONE or road_map.lane_connector[lane] or road_map.lane_opposite[lane] == NONE:
            continue
        reach = abs(float(view.way.d_m[k])) + 0.5 * trace.platform.width_m
        left = (view.way.d_m[k] > 0.0) != road_map.left_hand
        out[k] = left and reach > 0.5 * float(road_map.lane_width_m[lane]) + 0.1
    against = _against(view)
    return out | against


def _against(view: View) -> BoolArray:
    """[n] whether our middle is on a lane that runs against us."""
    trace = view.trace
    kind = np.full(trace.count, UserKind.CAR, dtype=np.int8)
    x, y, h = trace.middle_x_m, trace.middle_y_m, trace.heading_rad
    lane, _, d = view.index.match_many(x, y, h + math.pi, kind)
    own, _, own_d = view.index.match_many(x, y, h, kind)
    found = np.zeros(trace.count, dtype=np.bool_)
    for k in range(trace.count):
        if lane[k] == NONE or view.road_map.lane_connector[lane[k]]:
            continue
        angle = _lane_angle(view, int(lane[k]), float(x[k]), float(y[k]))
        nearer = own[k] == NONE or abs(d[k]) < abs(own_d[k])
        found[k] = nearer and math.cos(angle - float(h[k])) < -0.5
    return found


def _lane_angle(view: View, lane: int, x: float, y: float) -> float:
    points, arc = view.road_map.points(lane), view.road_map.arc(lane)
    _, _, i = project(points, arc, x, y, 0, len(points) - 1)
    return float(view.road_map.pt_heading_rad[int(view.road_map.pt_off[lane]) + i])


def oncoming_free(view: View) -> Outcome:
    """While we use the oncoming lane, nobody comes near on it."""
    trace = view.trace
    worst, when, who = math.inf, 0.0, ""
    for k in np.flatnonzero(on_opposite(view) & (trace.speed_mps > 0.5)).tolist():
        rows = trace.users(k)
        for row in range(rows.start, rows.stop):
            gap, left, turn = view.between(k, row)
            if turn > -0.7 or gap < 0.0 or trace.user_speed_mps[row] < 1.0 or abs(left) > 2.5:
                continue
            wide = 0.5 * float(trace.user_width_m[row] + trace.platform.width_m)
            if abs(left) > wide + 0.3:
                continue  # passes beside us as we are
            meet = gap / float(trace.user_speed_mps[row] + trace.speed_mps[k])
            if meet < worst:
                worst, when = meet, float(trace.t_s[k])
                who = view.names.get(int(trace.uid[row]), "")
    text = f"'{who}' {worst:.1f} s away" if who else "free, or not used"
    return Outcome(worst >= ONCOMING_S, text, when)


def oncoming_not_forced(view: View) -> Outcome:
    """Nobody who comes towards us has to brake hard because of us."""
    trace = view.trace
    towards = set()
    for k in range(0, trace.count, 5):
        rows = trace.users(k)
        turn = np.cos(trace.user_heading_rad[rows] - trace.heading_rad[k])
        motor = np.isin(trace.kind[rows], [*MOTOR, UserKind.BICYCLE])
        towards |= set(trace.uid[rows][(turn < -0.7) & motor].tolist())
    used = on_opposite(view)
    soon = np.convolve(used.astype(float), np.ones(round(6.0 / FRAME_S)))[: len(used)] > 0.0
    return forced(view, towards, soon)[0]


ONCOMING_FREE = Criterion(
    "oncoming_free",
    f"nobody nearer than {ONCOMING_S:g} s on the oncoming lane while we use it",
    oncoming_free,
)
ONCOMING_NOT_FORCED = Criterion(
    "oncoming_not_forced",
    "nobody who comes towards us has to brake above 3 m/s^2 because of us",
    oncoming_not_forced,
)
