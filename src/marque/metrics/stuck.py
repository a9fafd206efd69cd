"""Stuck: standing for more than 60 s with nothing in the truth to wait for."""

import math

import numpy as np

from marque.core.arrays import BoolArray, Int32Array
from marque.metrics.rules import RED
from marque.metrics.trace import MOVING_MPS, Trace
from marque.metrics.way import Way
from marque.types.codes import Reason, UserKind
from marque.types.road_map import NONE, RoadMap

LIMIT_S = 60.0
LOOK_M = 150.0  # along lanes, for a red light at the head of a queue
AT_LINE_M = 15.0
BLOCKED_M = 40.0
FOE_M = 80.0
STANDS_MPS = 0.5

_BEHIND_SOMEONE = frozenset(
    {Reason.LEAD, Reason.BLOCKED_LANE, Reason.EXIT_BLOCKED, Reason.BUS_STOP, Reason.LANE_CHANGE,
     Reason.MERGE}
)  # fmt: skip
_FOR_TRAFFIC = frozenset(
    {Reason.YIELD, Reason.STOP_SIGN, Reason.RIGHT_BEFORE_LEFT, Reason.ONCOMING, Reason.ROUNDABOUT,
     Reason.MERGE, Reason.LANE_CHANGE, Reason.OCCLUSION}
)  # fmt: skip
_FOR_LIGHT_USERS = frozenset({Reason.CROSSWALK, Reason.PEDESTRIAN, Reason.CYCLIST})


def stuck(trace: Trace, way: Way) -> list[float]:
    """Times at which each standing began that had more than 60 s without an excuse.

    Excused is a second in which a red light, or a queue that reaches up to one, is ahead; or in
    which the stated reason is one of waiting and the truth confirms that its cause is there.
    """
    stands = trace.speed_mps <= MOVING_MPS
    edges = np.diff(stands.astype(np.int8), prepend=0, append=0)
    found: list[float] = []
    spans = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    for begin, end in spans:
        if (end - begin) * 0.1 <= LIMIT_S:
            continue
        frames = range(int(begin), int(end), 10)  # once a second
        idle_s = sum(1.0 for frame in frames if not excused(trace, way, frame))
        if idle_s > LIMIT_S:
            found.append(float(trace.t_s[begin]))
    return found


def excused(trace: Trace, way: Way, frame: int) -> bool:
    """Whether the truth of a frame holds something to wait for."""
    if at_red(trace, way, frame):
        return True
    reason = Reason(int(trace.reason[frame]))
    if reason in _BEHIND_SOMEONE and _someone_ahead(trace, frame, BLOCKED_M):
        return True
    if reason in _FOR_LIGHT_USERS:
        return _light_user_near(trace, frame)
    if reason == Reason.RAIL_CROSSING:
        return _kind_within(trace, frame, (UserKind.RAIL,), LOOK_M)
    return reason in _FOR_TRAFFIC and _foe_near(trace, way, frame)


def at_red(trace: Trace, way: Way, frame: int) -> bool:
    """Whether a red light is ahead on our lanes, at our bumper or with a queue up to us."""
    lane = int(way.lane[frame])
    if lane == NONE:
        return False
    gap = _red_ahead_m(trace, lane, float(way.s_m[frame]) + trace.platform.front_m, frame)
    return gap <= AT_LINE_M or (gap < math.inf and _someone_ahead(trace, frame, AT_LINE_M))


def _red_ahead_m(trace: Trace, lane: int, s_m: float, frame: int) -> float:
    """Metres from the bumper to the first stop line with a red head ahead, inf if none."""
    road_map = trace.road_map
    todo = [(lane, -s_m)]
    seen = {lane}
    while todo:
        lane, begin = todo.pop()
        end = begin + float(road_map.lane_length_m[lane])
        for after in road_map.successors(lane).tolist():
            head = int(road_map.lane_head[after])
            if head != NONE and trace.heads[frame, head] in RED:
                return max(0.0, end)
            if after not in seen and end < LOOK_M:
                seen.add(after)
                todo.append((after, end))
    return math.inf


def _ahead(trace: Trace, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance from our bumper to the rear of each road user, and its offset to the left."""
    rows = trace.users(frame)
    cos, sin = math.cos(trace.heading_rad[frame]), math.sin(trace.heading_rad[frame])
    dx = trace.user_x_m[rows] - trace.front_x_m[frame]
    dy = trace.user_y_m[rows] - trace.front_y_m[frame]
    return dx * cos + dy * sin - 0.5 * trace.user_length_m[rows], dy * cos - dx * sin


def _someone_ahead(trace: Trace, frame: int, reach_m: float) -> bool:
    """A standing road user ahead, within a corridor that widens with distance."""
    gap, left = _ahead(trace, frame)
    stands = trace.user_speed_mps[trace.users(frame)] <= STANDS_MPS
    near = (gap > -2.0) & (gap <= reach_m) & (np.abs(left) <= 2.5 + 0.2 * np.maximum(gap, 0.0))
    return bool((stands & near).any())


def _light_user_near(trace: Trace, frame: int) -> bool:
    begin = max(0, frame - 50)
    kinds = (UserKind.PEDESTRIAN, UserKind.BICYCLE)
    return any(_kind_within(trace, each, kinds, 25.0) for each in range(begin, frame + 1, 10))


def _kind_within(trace: Trace, frame: int, kinds: tuple[UserKind, ...], reach_m: float) -> bool:
    rows = trace.users(frame)
    gap = np.hypot(
        trace.user_x_m[rows] - trace.front_x_m[frame],
        trace.user_y_m[rows] - trace.front_y_m[frame],
    )
    return bool((np.isin(trace.kind[rows], kinds) & (gap <= reach_m)).any())


def _foe_near(trace: Trace, way: Way, frame: int) -> bool:
    """A moving road user, within the last 10 s, on a lane that conflicts with our way ahead."""
    lane = int(way.lane[frame])
    if lane == NONE:
        return False
    foes = foe_lanes(trace.road_map, lane)
    for each in range(max(0, frame - 100), frame + 1, 10):
        rows = trace.users(each)
        gap = np.hypot(
            trace.user_x_m[rows] - trace.front_x_m[each],
            trace.user_y_m[rows] - trace.front_y_m[each],
        )
        on_foe = foes[trace.user_lane[rows]] & (trace.user_lane[rows] != NONE)
        moves = trace.user_speed_mps[rows] > STANDS_MPS
        if bool((on_foe & moves & (gap <= FOE_M)).any()):
            return True
    return False


def foe_lanes(road_map: RoadMap, lane: int) -> BoolArray:
    """[L] connectors that conflict with those ahead of a lane, lanes up to two before them, and
    the lane's own neighbours (for changes and merges)."""
    mark = np.zeros(road_map.lane_count, dtype=np.bool_)
    ahead = [lane] if road_map.lane_connector[lane] else road_map.successors(lane).tolist()
    for connector in ahead:
        lo, hi = road_map.conf_off[connector], road_map.conf_off[connector + 1]
        front: Int32Array = road_map.conf_lane[lo:hi]
        for _ in range(4):
            mark[front] = True
            parts = [road_map.predecessors(int(each)) for each in front]
            front = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *parts]))
    mark[ahead] = False
    for side in (road_map.lane_left[lane], road_map.lane_right[lane]):
        if side != NONE:
            mark[side] = True
    mark[lane] = False
    return mark
