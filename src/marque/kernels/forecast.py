"""Possible paths of road users along the lanes, and who drives behind whom.

A path is sampled each metre from the middle of the user's box. A user off the lanes, and every
pedestrian, goes straight on. A user on a lane follows it; where the next junction offers several
connectors, each that the indicator does not rule out becomes a path of its own; the indicator of
one who is turning tells of that turn alone. A user that moves
sideways towards its neighbour lane, or indicates so, may also end up there.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.kernels.tables import MapTables
from marque.types.codes import ConflictKind, Indicator, SignalState, Turn, UserKind

MAX_BRANCH = 3  # paths through the first junction
MAX_PATHS = 5  # per road user, lane changes included
DRIFT_MPS = 0.25  # sideways speed that announces a lane change
# Who only drifts, or only indicates, and is nearer to the middle of their lane than this, mostly
# stays, or waits for a gap: the share of the other ways that a change then weighs (less than 0.3
# in all).
OVER_M, DRIFT_SHARE = 0.9, 0.4

U_TURNS = 0.1  # as common as other turns; nobody brakes hard for one that is only possible
UNLIKELY = 0.01  # of the likeliest way: the others then are none
JUST_M, ENTERED_M, UNLIKE = 3.0, 7.0, 0.1  # from just inside to as far as anybody waits
ALIKE_M, ALIKE_RAD = 0.5, 0.15  # off a lane by so much, somebody looks like driving elsewhere
WAITS_S = 2.0
# Whoever is slow now may have sped up by then: as fast as in the rollouts, to the limit of their
# lane and what those who assert themselves exceed it by; and so much farther than that
SPEEDS_UP_MPS2, LIMIT_SHARE = 1.6, 1.15
BEYOND_M, LEAST_M, MOST_M = 10.0, 12.0, 130.0
RIDES_MPS = 6.0  # how fast bicycles go
OPPOSITE = -0.5  # cosine between the ways of those who come towards each other
STANDS_MPS, TAIL_M = 0.5, 1.0  # how far the tail may be over the line of who still waits at it
FACES_IT = 0.7  # cosine between the heading of somebody on foot and the crosswalk: turned to it
COMES_BACK = -0.35  # and turned away from it, as after crossing

_UNKNOWN = int(SignalState.UNKNOWN)
_GREEN = int(SignalState.GREEN)
_GREEN_YIELD = int(SignalState.GREEN_YIELD)
_DIVERGE = int(ConflictKind.DIVERGE)
_RED = int(SignalState.RED)
_AMBER = int(SignalState.AMBER)
_RED_AMBER = int(SignalState.RED_AMBER)
_LEFT = int(Indicator.LEFT)
_RIGHT = int(Indicator.RIGHT)
_TURN_LEFT = int(Turn.LEFT)
_TURN_RIGHT = int(Turn.RIGHT)
_TURN_U = int(Turn.U_TURN)
_STRAIGHT = int(Turn.STRAIGHT)
_PEDESTRIAN = int(UserKind.PEDESTRIAN)
_BICYCLE = int(UserKind.BICYCLE)
_OBSTACLE = int(UserKind.OBSTACLE)


@jit
def turn_matches(turn: int, indicator: int) -> bool:
    """Whether a connector's direction fits the indicator."""
    if indicator == _LEFT:
        return turn in (_TURN_LEFT, _TURN_U)
    if indicator == _RIGHT:
        return turn == _TURN_RIGHT
    return turn not in (_TURN_LEFT, _TURN_RIGHT, _TURN_U)


@jit
def is_open(tables: MapTables, lane: int, kind: int) -> bool:
    """Whether somebody of a kind may take a lane."""
    if kind == _BICYCLE and tables.lane_ride[lane]:
        return True
    return bool(tables.lane_drive[lane])


@jit
def straightest(tables: MapTables, lane: int) -> int:
    """The successor that needs the least turning, of those that the map calls straight on if there
    is one (round a ring, and not out of it); one for bicycles alone only where there is no other;
    -1 at a dead end."""
    best = -1
    best_turn = 1e9
    motor = False
    lane_end = tables.pt_heading_rad[tables.pt_off[lane + 1] - 1]
    for j in range(tables.succ_off[lane], tables.succ_off[lane + 1]):
        other = tables.succ[j]
        drive = tables.lane_drive[other]
        if not drive and (motor or not tables.lane_ride[other]):
            continue
        if drive and not motor:
            motor = True
            best_turn = 1e9
        far = tables.pt_heading_rad[tables.pt_off[other + 1] - 1]
        turn = abs(wrap_angle(far - lane_end))
        if tables.lane_turn[other] != _STRAIGHT:
            turn += 2.0 * math.pi
        if turn < best_turn:
            best_turn = turn
            best = other
    return best


@jit
def walk_lanes(
    tables: MapTables,
    lane: int,
    s: float,
    d: float,
    settle: float,
    first_choice: int,
    reach: float,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    on_lane: Int32Array,
    base: int,
    room: int,
) -> int:
    """Write samples 1 m apart from (lane, s), beside the centre line by d, which fades to 0 over
    `settle` metres (inf: kept). At the first fork take `first_choice`. Returns how many."""
    count = 0
    gone = 0.0
    index = tables.pt_off[lane]
    while count < room and gone <= reach:
        last = tables.pt_off[lane + 1] - 1
        while s > tables.pt_s_m[last]:
            s -= tables.pt_s_m[last]
            following = -1
            for j in range(tables.succ_off[lane], tables.succ_off[lane + 1]):
                if tables.succ[j] == first_choice:
                    following = first_choice
            lane = following if following >= 0 else straightest(tables, lane)
            if lane < 0:
                return count
            index = tables.pt_off[lane]
            last = tables.pt_off[lane + 1] - 1
        while index < last - 1 and tables.pt_s_m[index + 1] < s:
            index += 1
        span = tables.pt_s_m[index + 1] - tables.pt_s_m[index]
        t = (s - tables.pt_s_m[index]) / span if span > 1e-9 else 0.0
        psi = tables.pt_heading_rad[index]
        turn = wrap_angle(tables.pt_heading_rad[index + 1] - psi)
        psi += t * turn
        side = d * max(0.0, 1.0 - gone / settle) if settle < 1e9 else d
        px = tables.pt_xy_m[index, 0] * (1.0 - t) + tables.pt_xy_m[index + 1, 0] * t
        py = tables.pt_xy_m[index, 1] * (1.0 - t) + tables.pt_xy_m[index + 1, 1] * t
        x[base + count] = px - side * math.sin(psi)
        y[base + count] = py + side * math.cos(psi)
        heading[base + count] = psi
        on_lane[base + count] = lane
        count += 1
        gone += 1.0
        s += 1.0
    return count


@jit
def straight_on(
    px: float,
    py: float,
    psi: float,
    reach: float,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    on_lane: Int32Array,
    base: int,
    room: int,
) -> int:
    """Samples 1 m apart along a heading. Returns how many (at least one)."""
    count = 0
    while count < room and (count == 0 or count <= reach):
        x[base + count] = px + count * math.cos(psi)
        y[base + count] = py + count * math.sin(psi)
        heading[base + count] = psi
        on_lane[base + count] = -1
        count += 1
    return count


@jit
def crosswalk_near(
    tables: MapTables, px: float, py: float, psi: float, v: float, head_state: Int8Array
) -> tuple[int, int]:
    """The crosswalk that somebody on foot may be about to use, and the end (0, 1) to step on.

    (-1, 0) if none. Somebody already between the kerbs is not asked: the heading tells.
    """
    best = -1
    best_end = 0
    best_m = 2.0 + 3.0 * v
    for w in range(tables.walk_axis_m.shape[0]):
        for end in range(2):
            ex = tables.walk_axis_m[w, 2 * end]
            ey = tables.walk_axis_m[w, 2 * end + 1]
            dx = ex - px
            dy = ey - py
            if abs(dx) > 8.0 or abs(dy) > 8.0:
                continue
            fx = tables.walk_axis_m[w, 2 - 2 * end]
            fy = tables.walk_axis_m[w, 3 - 2 * end]
            length = math.hypot(fx - ex, fy - ey)
            if length < 0.5:
                continue
            ux = (fx - ex) / length
            uy = (fy - ey) / length
            along = -(dx * ux + dy * uy)  # negative: still before the kerb
            across = abs(-dx * uy + dy * ux)
            if along > 0.3:
                continue
            away = max(-along, across - 0.5 * tables.walk_width_m[w])
            if away > best_m:
                continue
            head = tables.walk_head[w]
            if head >= 0 and head_state[head] in (_RED, _AMBER):
                continue
            if ux * math.cos(psi) + uy * math.sin(psi) < COMES_BACK:
                continue
            # walking away from the kerb point
            if away > 1.0 and dx * math.cos(psi) + dy * math.sin(psi) < -0.3 * math.hypot(dx, dy):
                continue
            if head < 0 and not tables.walk_priority[w] and away > 1.0:
                continue
            best_m = away
            best = w
            best_end = end
    return best, best_end


@jit
def crosses_likely(tables: MapTables, walk: int, end: int, psi: float) -> float:
    """How likely somebody near the kerb of a crosswalk steps on it. Where those on foot have no
    priority, who walks along the kerb mostly walks on: one in five turns.
    """
    if tables.walk_head[walk] >= 0 or tables.walk_priority[walk]:
        return 0.5
    dx = tables.walk_axis_m[walk, 2 - 2 * end] - tables.walk_axis_m[walk, 2 * end]
    dy = tables.walk_axis_m[walk, 3 - 2 * end] - tables.walk_axis_m[walk, 2 * end + 1]
    towards = (dx * math.cos(psi) + dy * math.sin(psi)) / math.hypot(dx, dy)
    return 0.5 if towards > FACES_IT else 0.2


@jit
def cross_over(
    tables: MapTables,
    walk: int,
    end: int,
    px: float,
    py: float,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    on_lane: Int32Array,
    base: int,
    room: int,
) -> int:
    """Samples 1 m apart to the kerb of a crosswalk and over it. Returns how many."""
    ex = tables.walk_axis_m[walk, 2 * end]
    ey = tables.walk_axis_m[walk, 2 * end + 1]
    fx = tables.walk_axis_m[walk, 2 - 2 * end]
    fy = tables.walk_axis_m[walk, 3 - 2 * end]
    length = math.hypot(fx - ex, fy - ey)
    ux = (fx - ex) / length
    uy = (fy - ey) / length
    across = -(px - ex) * uy + (py - ey) * ux
    half = max(0.0, 0.5 * tables.walk_width_m[walk] - 0.3)
    side = min(half, max(-half, across))
    ex -= side * uy
    ey += side * ux
    reach = math.hypot(ex - px, ey - py)
    turn = math.atan2(uy, ux)
    count = 0
    while count < room and count <= reach + length:
        if count < reach:
            t = count / reach
            x[base + count] = px + t * (ex - px)
            y[base + count] = py + t * (ey - py)
            heading[base + count] = math.atan2(ey - py, ex - px)
        else:
            x[base + count] = ex + (count - reach) * ux
            y[base + count] = ey + (count - reach) * uy
            heading[base + count] = turn
        on_lane[base + count] = -1
        count += 1
    return count


@jit
def along_sidewalk(
    tables: MapTables,
    lane: int,
    s: float,
    d: float,
    psi: float,
    reach: float,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    on_lane: Int32Array,
    base: int,
    room: int,
) -> int:
    """Samples 1 m apart along a sidewalk, whichever way somebody walks on it, then straight on.

    0 when the heading cuts across the sidewalk: then the straight line is the better guess.
    """
    first = tables.pt_off[lane]
    last = tables.pt_off[lane + 1] - 1
    index = first
    while index < last - 1 and tables.pt_s_m[index + 1] < s:
        index += 1
    way = math.cos(psi - tables.pt_heading_rad[index])
    if abs(way) < 0.85 or abs(d) > 0.5 * tables.lane_width_m[lane] + 0.3:
        return 0
    step = 1.0 if way > 0.0 else -1.0
    count = 0
    while count < room and (count == 0 or count <= reach):
        if 0.0 <= s <= tables.pt_s_m[last]:
            while index < last - 1 and tables.pt_s_m[index + 1] < s:
                index += 1
            while index > first and tables.pt_s_m[index] > s:
                index -= 1
            span = tables.pt_s_m[index + 1] - tables.pt_s_m[index]
            t = (s - tables.pt_s_m[index]) / span if span > 1e-9 else 0.0
            turn = tables.pt_heading_rad[index]
            px = tables.pt_xy_m[index, 0] * (1.0 - t) + tables.pt_xy_m[index + 1, 0] * t
            py = tables.pt_xy_m[index, 1] * (1.0 - t) + tables.pt_xy_m[index + 1, 1] * t
            x[base + count] = px - d * math.sin(turn)
            y[base + count] = py + d * math.cos(turn)
            heading[base + count] = turn if step > 0.0 else turn + math.pi
        elif count == 0:
            return 0
        else:
            h = heading[base + count - 1]
            x[base + count] = x[base + count - 1] + math.cos(h)
            y[base + count] = y[base + count - 1] + math.sin(h)
            heading[base + count] = h
        on_lane[base + count] = -1
        count += 1
        s += step
    return count


@jit
def fork_ahead(tables: MapTables, lane: int, s: float, reach: float) -> tuple[int, float]:
    """The first lane ahead (or this one) that ends at a junction, and the distance to its end.

    (-1, inf) when none lies within reach, or when the way is inside a connector.
    """
    gone = -s
    for _ in range(20):
        gone += tables.lane_length_m[lane]
        if gone > reach:
            return -1, math.inf
        first = tables.succ_off[lane]
        if tables.succ_off[lane + 1] == first:
            return -1, math.inf
        if tables.lane_connector[tables.succ[first]]:
            return lane, gone
        lane = straightest(tables, lane)
        if lane < 0:
            return -1, math.inf
    return -1, math.inf


@jit
def how_common(tables: MapTables, connector: int) -> float:
    """Weight of a way through a junction against others that fit the indicator."""
    return U_TURNS if tables.lane_turn[connector] == _TURN_U else 1.0


@jit
def likeness(tables: MapTables, lane: int, s: float, x: float, y: float, psi: float) -> float:
    """How much somebody at a pose looks like one who drives at `s` of a lane, in (0, 1]."""
    first = tables.pt_off[lane]
    last = tables.pt_off[lane + 1] - 1
    index = first
    while index < last and tables.pt_s_m[index + 1] <= s:
        index += 1
    turn = tables.pt_heading_rad[index]
    aside = (y - tables.pt_xy_m[index, 1]) * math.cos(turn)
    aside -= (x - tables.pt_xy_m[index, 0]) * math.sin(turn)
    off = 2.0 * math.sin(0.5 * (psi - turn))
    return math.exp(-((aside / ALIKE_M) ** 2) - (off / ALIKE_RAD) ** 2) + 1e-3


@jit
def way_ahead(v: float, limit: float, horizon_s: float) -> float:
    """Metres that somebody may get on within a horizon, and some to spare."""
    most = max(v, LIMIT_SHARE * limit)
    until = min(horizon_s, (most - v) / SPEEDS_UP_MPS2)
    way = v * horizon_s + SPEEDS_UP_MPS2 * until * (horizon_s - 0.5 * until)
    return min(MOST_M, max(LEAST_M, way + BEYOND_M))


@jit
def told_by_others(tables: MapTables, connector: int, head_state: Int8Array) -> int:
    """What the lights of others tell of one that is not seen: -1 closed, for somebody who else
    yields has a green that protects; +1 maybe open, for those who come towards each other mostly
    have green together; 0 nothing."""
    told = 0
    psi = tables.pt_heading_rad[tables.pt_off[connector]]
    for j in range(tables.conf_off[connector], tables.conf_off[connector + 1]):
        other = tables.conf_lane[j]
        head = tables.lane_head[other]
        if head < 0 or tables.conf_kind[j] == _DIVERGE:
            continue
        if head_state[head] == _GREEN and tables.conf_priority[j] > 0:
            return -1
        towards = math.cos(tables.pt_heading_rad[tables.pt_off[other]] - psi) < OPPOSITE
        if towards and head_state[head] in (_GREEN, _GREEN_YIELD):
            told = 1
    return told


@jit
def may_be_open(tables: MapTables, connector: int, head_state: Int8Array) -> bool:
    """Whether a connector whose light is not seen may have green, by what is seen of the others;
    one light mostly holds for all ways from a lane."""
    told = told_by_others(tables, connector, head_state)
    if told != 0 or tables.pred_off[connector + 1] == tables.pred_off[connector]:
        return told > 0
    before = tables.pred[tables.pred_off[connector]]
    for j in range(tables.succ_off[before], tables.succ_off[before + 1]):
        if told_by_others(tables, tables.succ[j], head_state) > 0:
            return True
    return False


@jit
def forecast_paths(
    tables: MapTables,
    kind: Int8Array,
    px: FloatArray,
    py: FloatArray,
    psi: FloatArray,
    v: FloatArray,
    length: FloatArray,
    indicator: Int8Array,
    lane_of: Int32Array,
    s_of: FloatArray,
    d_of: FloatArray,
    still_s: FloatArray,
    head_state: Int8Array,
    horizon_s: float,
    out_track: Int32Array,
    out_prob: FloatArray,
    out_off: Int32Array,
    out_limit: FloatArray,
    out_stop: FloatArray,
    out_conn: Int32Array,
    out_conn_m: FloatArray,
    out_walk: Int32Array,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    on_lane: Int32Array,
) -> int:
    """Fill the arrays of a Forecast; returns the number of paths K.

    All inputs are per track [n]; outputs are buffers with room for MAX_PATHS per track.
    """
    k = 0
    used = int(np.int64(0))  # a bare 0 is a type of its own: what it calls is compiled twice
    room_all = x.shape[0]
    lanes = [0] * MAX_PATHS
    starts = [0.0] * MAX_PATHS
    sides = [0.0] * MAX_PATHS
    settles = [0.0] * MAX_PATHS
    choices = [0] * MAX_PATHS
    weights = [1.0] * MAX_PATHS
    for i in range(px.shape[0]):
        walker = kind[i] == _PEDESTRIAN or kind[i] == _OBSTACLE
        if walker or lane_of[i] < 0:
            if k >= out_track.shape[0]:
                return k
            far = v[i] * horizon_s + 1.0
            count = 0
            if kind[i] == _PEDESTRIAN and lane_of[i] >= 0:
                count = along_sidewalk(
                    tables,
                    lane_of[i],
                    s_of[i],
                    d_of[i],
                    psi[i],
                    far,
                    x,
                    y,
                    heading,
                    on_lane,
                    used,
                    room_all - used,
                )
            if count == 0:
                count = straight_on(
                    px[i], py[i], psi[i], far, x, y, heading, on_lane, used, room_all - used
                )
            out_track[k] = i
            out_prob[k] = 1.0
            out_off[k] = used
            out_limit[k] = max(v[i], 1.4) if walker else max(v[i], 3.0)
            out_stop[k] = math.inf
            out_conn[k] = -1
            out_conn_m[k] = math.inf
            used += count
            k += 1
            out_off[k] = used
            if kind[i] != _PEDESTRIAN:
                continue
            walk, end = crosswalk_near(tables, px[i], py[i], psi[i], v[i], head_state)
            if walk < 0 or v[i] < 0.3 or k >= out_track.shape[0] or room_all - used < 40:
                continue
            count = cross_over(
                tables, walk, end, px[i], py[i], x, y, heading, on_lane, used, room_all - used
            )
            out_track[k] = i
            out_prob[k] = crosses_likely(tables, walk, end, psi[i])
            out_prob[k - 1] = 1.0 - out_prob[k]
            out_walk[k] = walk
            out_off[k] = used
            out_limit[k] = max(v[i], 1.4)
            out_stop[k] = math.inf
            out_conn[k] = -1
            out_conn_m[k] = math.inf
            used += count
            k += 1
            out_off[k] = used
            continue
        lane = int(np.int64(lane_of[i]))  # as fork_ahead's, or that is compiled twice
        s = s_of[i]
        d = d_of[i]
        limit = tables.lane_limit_mps[lane]
        reach = way_ahead(v[i], min(limit, RIDES_MPS) if kind[i] == _BICYCLE else limit, horizon_s)
        settle = 1e18 if kind[i] == _BICYCLE else max(15.0, 2.0 * v[i])
        n = 0
        for h in range(MAX_PATHS):
            weights[h] = 1.0
        # a connector just entered looks like its siblings, up to where one waits: consider them
        if tables.lane_connector[lane] and s < 0.5 * length[i] + ENTERED_M:
            before = (
                tables.pred[tables.pred_off[lane]]
                if tables.pred_off[lane + 1] > tables.pred_off[lane]
                else -1
            )
            if before >= 0:
                for j in range(tables.succ_off[before], tables.succ_off[before + 1]):
                    other = tables.succ[j]
                    if n >= MAX_BRANCH or not is_open(tables, other, kind[i]):
                        continue
                    if other != lane and not turn_matches(tables.lane_turn[other], indicator[i]):
                        continue
                    alike = likeness(tables, other, s, px[i], py[i], psi[i])
                    if other != lane and alike < UNLIKE and s >= 0.5 * length[i] + JUST_M:
                        continue
                    lanes[n] = other
                    starts[n] = s
                    sides[n] = d if other == lane else 0.0
                    settles[n] = settle
                    choices[n] = -1
                    weights[n] = alike * how_common(tables, other)
                    n += 1
        if n == 1:
            n = 0  # it looks like nothing but itself: what counts is where it goes next
        if n == 0:
            fork, _ = fork_ahead(tables, lane, s, reach)
            if fork >= 0:
                turning = tables.lane_connector[lane] and tables.lane_turn[lane] != _STRAIGHT
                told = not turning or not turn_matches(tables.lane_turn[lane], indicator[i])
                fits = 0
                for j in range(tables.succ_off[fork], tables.succ_off[fork + 1]):
                    other = tables.succ[j]
                    if is_open(tables, other, kind[i]) and turn_matches(
                        tables.lane_turn[other], indicator[i]
                    ):
                        fits += 1
                for j in range(tables.succ_off[fork], tables.succ_off[fork + 1]):
                    other = tables.succ[j]
                    if n >= MAX_BRANCH or not is_open(tables, other, kind[i]):
                        continue
                    matches = turn_matches(tables.lane_turn[other], indicator[i])
                    if told and fits > 0 and not matches:
                        continue
                    lanes[n] = lane
                    starts[n] = s
                    sides[n] = d
                    settles[n] = settle
                    choices[n] = other
                    weights[n] = how_common(tables, other)
                    n += 1
        if n == 0:
            lanes[0] = lane
            starts[0] = s
            sides[0] = d
            settles[0] = settle
            choices[0] = -1
            n = 1
        # lane changes: sideways motion away from the centre line, or the indicator
        if not tables.lane_connector[lane] and v[i] > 1.0:
            first = tables.pt_off[lane]
            last = tables.pt_off[lane + 1] - 1
            span = max(tables.pt_s_m[last], 1e-6)
            at = first + int((last - first) * min(1.0, max(0.0, s / span)))
            drift = v[i] * math.sin(psi[i] - tables.pt_heading_rad[at])
            goes_left = (drift > DRIFT_MPS and d > 0.2) or (indicator[i] == _LEFT and drift > 0.1)
            goes_right = (drift < -DRIFT_MPS and d < -0.2) or (
                indicator[i] == _RIGHT and drift < -0.1
            )
            beside = -1
            sign = 0.0
            if goes_left:
                beside = tables.lane_left[lane]
                sign = -1.0
            elif goes_right:
                beside = tables.lane_right[lane]
                sign = 1.0
            if beside >= 0 and n < MAX_PATHS and tables.lane_drive[beside]:
                moves = abs(drift) > DRIFT_MPS and -sign * d > 0.2
                asks = indicator[i] == _LEFT or indicator[i] == _RIGHT
                if not (moves and asks) and -sign * d < OVER_M:
                    weights[n] = 0.0
                    for h in range(n):
                        weights[n] += DRIFT_SHARE * weights[h]
                gap = 0.5 * (tables.lane_width_m[lane] + tables.lane_width_m[beside])
                lanes[n] = beside
                starts[n] = min(s, tables.lane_length_m[beside])
                sides[n] = d + sign * gap
                settles[n] = max(10.0, 3.0 * v[i])
                choices[n] = -1
                n += 1
        likeliest = max(weights[:n])
        total = 0.0
        for h in range(n):
            if weights[h] < UNLIKELY * likeliest:
                weights[h] = 0.0  # it has left the others: where it would be there, it is not
            total += weights[h]
        for h in range(n):
            if weights[h] == 0.0:
                continue
            if k >= out_track.shape[0] or room_all - used < 2:
                return k
            count = walk_lanes(
                tables,
                lanes[h],
                starts[h],
                sides[h],
                settles[h],
                choices[h],
                reach,
                x,
                y,
                heading,
                on_lane,
                used,
                room_all - used,
            )
            if count == 0:
                count = straight_on(
                    px[i], py[i], psi[i], 3.0, x, y, heading, on_lane, used, room_all - used
                )
            out_track[k] = i
            out_prob[k] = weights[h] / total
            out_off[k] = used
            limit = tables.lane_limit_mps[lanes[h]]
            out_limit[k] = min(limit, RIDES_MPS) if kind[i] == _BICYCLE else limit
            out_stop[k] = math.inf
            out_conn[k] = -1
            out_conn_m[k] = math.inf
            for j in range(count):
                on = on_lane[used + j]
                if on >= 0 and tables.lane_connector[on]:
                    out_conn[k] = on
                    if j > 0:
                        out_conn_m[k] = float(j)
                    else:
                        out_conn_m[k] = -starts[h]
                    head = tables.lane_head[on]
                    # a signal not seen from here is red for whoever stands before it, unless they
                    # turn: they may have green together with those whose green is seen, and wait
                    # for somebody
                    waits = (
                        head >= 0
                        and head_state[head] == _UNKNOWN
                        and still_s[i] > WAITS_S
                        and j < 12
                        and not (
                            tables.lane_turn[on] != _STRAIGHT
                            and may_be_open(tables, on, head_state)
                        )
                    )
                    held = head >= 0 and (waits or head_state[head] in (_RED, _AMBER, _RED_AMBER))
                    if held and j == 0:
                        # who stands with their tail at the line waits there: the source may draw
                        # it farther on than our lane goes
                        over = starts[h] - 0.5 * length[i]
                        if v[i] < STANDS_MPS and over < TAIL_M:
                            out_stop[k] = 0.0
                    elif held:
                        back = 0.0
                        from_lane = on_lane[used + j - 1]
                        if tables.lane_stop_m[from_lane] >= 0.0:
                            back = tables.lane_length_m[from_lane] - tables.lane_stop_m[from_lane]
                        out_stop[k] = max(0.0, j - back - 0.5 * length[i] - 0.5)
                    break
            used += count
            k += 1
            out_off[k] = used
    return k


@jit
def find_leaders(
    count: int,
    track: Int32Array,
    off: Int32Array,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    px: FloatArray,
    py: FloatArray,
    psi: FloatArray,
    length: FloatArray,
    width: FloatArray,
    lead: Int32Array,
    lead_at: FloatArray,
) -> None:
    """For each path: the first other track standing in it, and where (path metres of its middle).

    `lead[k]` is a track index, -1 if the path is free.
    """
    n = px.shape[0]
    for k in range(count):
        lead[k] = -1
        lead_at[k] = math.inf
        i = track[k]
        first = off[k]
        last = off[k + 1]
        far = float(last - first) + 5.0
        for j in range(n):
            if j == i:
                continue
            dx = px[j] - px[i]
            dy = py[j] - py[i]
            if dx * dx + dy * dy > far * far:
                continue
            best = 1e18
            at = -1
            wide = 0.5 * (length[j] + width[j] + width[i]) + 1.0
            p = first
            while p < last:
                ex = px[j] - x[p]
                ey = py[j] - y[p]
                dist2 = ex * ex + ey * ey
                if dist2 < best:
                    best = dist2
                    at = p
                # samples are 1 m apart, and from beyond `wide` it does not stand in the path; the
                # last one counts in any case, for those who stand beyond it
                step = max(1, int(math.sqrt(dist2) - wide))
                p = last - 1 if p < last - 1 < p + step else p + step
            if at < 0 or at - first < 1:
                continue
            if at - first >= lead_at[k]:
                continue
            c = math.cos(heading[at])
            s = math.sin(heading[at])
            lateral = -s * (px[j] - x[at]) + c * (py[j] - y[at])
            turn = psi[j] - heading[at]
            half = 0.5 * (
                abs(length[j] * math.sin(turn)) + abs(width[j] * math.cos(turn)) + width[i]
            )
            if abs(lateral) < half + 0.1:
                lead[k] = j
                lead_at[k] = float(at - first)


@jit
def priority_between(tables: MapTables, ours: int, other: int) -> int:
    """+1 our connector goes first, -1 it yields, 0 equal, 2 no conflict."""
    for j in range(tables.conf_off[ours], tables.conf_off[ours + 1]):
        if tables.conf_lane[j] == other:
            return int(tables.conf_priority[j])
    return 2
