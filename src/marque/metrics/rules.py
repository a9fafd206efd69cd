"""Red lights, off-road, wrong way and needless hard braking, from truth and geometry alone."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.jit import jit
from marque.maps.lookup import LaneIndex, footprint
from marque.metrics.trace import MOVING_MPS, Trace
from marque.metrics.way import Way, mean_gap_m
from marque.types.codes import SignalState, UserKind
from marque.types.road_map import NONE, RoadMap

FRAME_S = 0.1
RED = (SignalState.RED, SignalState.RED_AMBER)  # in both the red lamp is on
STANDS_MPS = 0.5  # an obstacle that may be passed stands


@dataclass(frozen=True, slots=True)
class StopLine:
    """The end of a lane before signals: a point and the direction of travel over it."""

    lane: int
    x_m: float
    y_m: float
    cos: float
    sin: float
    half_m: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """The front bumper crossed a stop line, `share` of the step after `frame`, into `connector`."""

    frame: int
    share: float
    lane: int
    connector: int


def stop_lines(road_map: RoadMap) -> list[StopLine]:
    """Stop lines of all lanes from which a connector with a signal head leads on."""
    found = []
    for lane in np.flatnonzero(~np.isnan(road_map.lane_stop_m) & ~road_map.lane_connector).tolist():
        if not (road_map.lane_head[road_map.successors(lane)] != NONE).any():
            continue
        arc, points = road_map.arc(lane), road_map.points(lane)
        at = min(float(road_map.lane_stop_m[lane]), float(arc[-1]))
        i = int(np.clip(np.searchsorted(arc, at, side="left") - 1, 0, len(arc) - 2))
        step = points[i + 1] - points[i]
        length = float(np.hypot(step[0], step[1]))
        x, y = (float(np.interp(at, arc, points[:, axis])) for axis in (0, 1))
        half = 0.5 * float(road_map.lane_width_m[lane])
        found.append(StopLine(lane, x, y, float(step[0]) / length, float(step[1]) / length, half))
    return found


def crossings(trace: Trace, way: Way) -> list[Crossing]:
    """Every stop line before signals that the front bumper crossed, in order of time.

    Where the car straddles two lanes, the line whose middle it passed closest counts.
    """
    fx, fy = trace.front_x_m, trace.front_y_m
    cos, sin = np.cos(trace.heading_rad), np.sin(trace.heading_rad)
    found: list[tuple[int, float, float, int]] = []
    for line in stop_lines(trace.road_map):
        dx, dy = fx - line.x_m, fy - line.y_m
        ahead = dx * line.cos + dy * line.sin
        aside = np.abs(dy * line.cos - dx * line.sin)
        over = (ahead[:-1] <= 0.0) & (ahead[1:] > 0.0) & (ahead[1:] - ahead[:-1] < 10.0)
        over &= (aside[1:] <= line.half_m + 0.5) & (cos * line.cos + sin * line.sin > 0.5)[1:]
        for k in np.flatnonzero(over).tolist():
            share = float(-ahead[k] / (ahead[k + 1] - ahead[k]))
            found.append((k, share, float(aside[k + 1]), line.lane))
    picked: list[Crossing] = []
    for k, share, aside_m, lane in sorted(found):
        rivals = [
            other
            for other in found
            if abs(other[0] - k) <= 10 and other[3] != lane
            and trace.road_map.lane_edge[other[3]] == trace.road_map.lane_edge[lane]
        ]  # fmt: skip
        if any((other[2], other[3]) < (aside_m, lane) for other in rivals):
            continue
        picked.append(Crossing(k, share, lane, _taken(trace, way, lane, k)))
    return picked


def _taken(trace: Trace, way: Way, lane: int, frame: int) -> int:
    """The connector that the car then takes from a lane: where it went decides, not its aim."""
    links = [int(each) for each in trace.road_map.successors(lane)]
    end_m = trace.travelled_m[frame] + trace.platform.length_m + 40.0
    end = int(np.searchsorted(trace.travelled_m, end_m))
    for each in way.lane[frame:end].tolist():
        if each in links:
            return int(each)
    x, y = trace.x_m[frame:end], trace.y_m[frame:end]
    return min(links, key=lambda c: (mean_gap_m(trace.road_map, c, x, y), c))


def red_light_crossings(trace: Trace, way: Way) -> list[Crossing]:
    """Crossings while the head of the connector then taken had been red for more than 0 s.

    The signals of a frame hold until the next one; amber is no offence.
    """
    found = []
    for crossing in crossings(trace, way):
        head = int(trace.road_map.lane_head[crossing.connector])
        if head == NONE or trace.heads[crossing.frame, head] not in RED:
            continue
        fresh = crossing.frame == 0 or trace.heads[crossing.frame - 1, head] not in RED
        if fresh and crossing.share == 0.0:
            continue  # the light turned in the very instant: on for 0 s
        found.append(crossing)
    return found


def off_road(trace: Trace, index: LaneIndex) -> BoolArray:
    """[n] whether a corner of the body lies more than 0.3 m outside the drivable area."""
    corners = footprint(
        trace.middle_x_m, trace.middle_y_m, trace.heading_rad,
        trace.platform.length_m, trace.platform.width_m,
    )  # fmt: skip
    return np.asarray(~index.on_drivable_many(corners))


def wrong_way(trace: Trace, index: LaneIndex) -> BoolArray:
    """[n] whether the middle of the car is on a lane of the opposite direction without a reason.

    Inside junctions nothing is judged. The one reason is passing a road user or an obstacle that
    stands in our lane, where the map says that the opposite lane may be used for that.
    """
    road_map = trace.road_map
    kind = np.full(trace.count, UserKind.CAR, dtype=np.int8)
    x, y, heading = trace.middle_x_m, trace.middle_y_m, trace.heading_rad
    along = index.match_many(x, y, heading, kind)
    against = index.match_many(x, y, heading + math.pi, kind)
    on_own = _in_strip(road_map, along, heading, along_it=True)
    on_other = _in_strip(road_map, against, heading, along_it=False)
    wrong = on_other & ~on_own
    lane = np.where(against[0] == NONE, 0, against[0]).astype(np.int32)
    towards = lane_angles(
        lane, against[1], road_map.pt_off, road_map.pt_s_m, road_map.pt_heading_rad
    )
    for k in np.flatnonzero(wrong).tolist():
        ours = float(towards[k]) + math.pi
        wrong[k] = not _may_pass(trace, k, int(along[0][k]), int(against[0][k]), ours)
    return wrong


def _in_strip(
    road_map: RoadMap,
    match: tuple[np.ndarray, FloatArray, FloatArray],
    heading: FloatArray,
    *,
    along_it: bool,
) -> BoolArray:
    """Whether the matched lane runs (against) our way and we are within its edges."""
    lane, s, d = match
    known = np.where(lane == NONE, 0, lane)
    angle = lane_angles(known, s, road_map.pt_off, road_map.pt_s_m, road_map.pt_heading_rad)
    turn = np.cos(heading - angle)
    within = (lane != NONE) & (np.abs(d) <= 0.5 * road_map.lane_width_m[known])
    if along_it:
        return np.asarray(within & (turn > 0.0))
    inner = (s > 0.0) & (s < road_map.lane_length_m[known])
    return np.asarray(within & (turn < -0.5) & inner & ~road_map.lane_connector[known])


@jit
def lane_angles(
    lane: Int32Array, s: FloatArray, off: Int32Array, arc: FloatArray, heading: FloatArray
) -> FloatArray:
    """[n] heading of each lane's centre line at s."""
    angle = np.zeros(len(lane))
    for i in range(len(lane)):
        lo = off[lane[i]]
        hi = off[lane[i] + 1] - 1
        while lo < hi:
            middle = (lo + hi) // 2
            if arc[middle] < s[i]:
                lo = middle + 1
            else:
                hi = middle
        angle[i] = heading[lo]
    return angle


def _may_pass(trace: Trace, frame: int, own: int, other: int, along_rad: float) -> bool:
    """`along_rad`: of our side of the road. While the car swings, its own heading is another."""
    road_map = trace.road_map
    pairs = [each for each in (own, int(road_map.lane_opposite[other])) if each != NONE]
    if not any(
        road_map.lane_opposite[each] == other and road_map.lane_opposite_ok[each] for each in pairs
    ):
        return False
    rows = trace.users(frame)
    cos, sin = math.cos(along_rad), math.sin(along_rad)
    dx = trace.user_x_m[rows] - trace.middle_x_m[frame]
    dy = trace.user_y_m[rows] - trace.middle_y_m[frame]
    ahead, left = dx * cos + dy * sin, dy * cos - dx * sin
    side = left > 0.0 if road_map.left_hand else left < 0.0
    stands = trace.user_speed_mps[rows] < STANDS_MPS
    slow = stands | (trace.kind[rows] == UserKind.BICYCLE)
    return bool((slow & side & (ahead > -20.0) & (ahead < 40.0) & (np.abs(left) < 6.0)).any())


def needless_hard_braking(
    trace: Trace, threshold_mps2: float = 3.0, ttc_s: float = 1.5
) -> list[int]:
    """Frames in which a braking above 3 m/s^2 began that nothing made necessary.

    The drive is replayed without it: along the same way at the speed before, until 1 s after the
    braking ended, with everyone else as recorded. It was needless if that leads to no contact and
    to no time to contact under 1.5 s.
    """
    hard = trace.accel_mps2 < -threshold_mps2
    edges = np.diff(hard.astype(np.int8), prepend=0, append=0)
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    found: list[int] = []
    last_end = -100
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        joined = begin - last_end < 10  # one braking that dipped below the threshold for a moment
        last_end = end
        if joined or trace.speed_mps[begin] <= MOVING_MPS:
            continue
        if not _replay_threatens(trace, max(0, begin - 1), min(trace.count, end + 10), ttc_s):
            found.append(begin)
    return found


def _replay_threatens(trace: Trace, begin: int, end: int, ttc_s: float) -> bool:
    """Whether holding the speed of frame `begin` until `end` comes within `ttc_s` of a contact."""
    speed = float(trace.speed_mps[begin])
    front, back = trace.platform.front_m, trace.platform.front_m - trace.platform.length_m
    half = 0.5 * trace.platform.width_m
    for frame in range(begin, end):
        driven = float(trace.travelled_m[begin]) + speed * FRAME_S * (frame - begin)
        x, y, angle = _pose_at(trace, driven)
        rows = trace.users(frame)
        dx, dy = trace.user_x_m[rows] - x, trace.user_y_m[rows] - y
        ahead = dx * math.cos(angle) + dy * math.sin(angle)
        left = dy * math.cos(angle) - dx * math.sin(angle)
        turn = trace.user_heading_rad[rows] - angle
        c, n = np.cos(turn), np.sin(turn)
        long = 0.5 * (np.abs(c) * trace.user_length_m[rows] + np.abs(n) * trace.user_width_m[rows])
        wide = 0.5 * (np.abs(n) * trace.user_length_m[rows] + np.abs(c) * trace.user_width_m[rows])
        closing = speed - trace.user_speed_mps[rows] * c
        drift = trace.user_speed_mps[rows] * n
        gap = np.maximum(ahead - long - front, 0.0)
        beside = ahead + long < back  # behind us: not ours to avoid
        reach_s = gap / np.maximum(closing, 1e-6)
        leave_s = (ahead + long - back) / np.maximum(closing, 1e-6)
        side = np.abs(left) - wide - half
        towards = np.where(left > 0.0, -drift, drift)
        enter_s = np.where(side <= 0.0, 0.0, side / np.maximum(towards, 1e-6))
        meets = (closing > 0.0) & ~beside & (enter_s <= leave_s)
        if bool((meets & (np.maximum(reach_s, enter_s) < ttc_s)).any()):
            return True
    return False


def _pose_at(trace: Trace, driven_m: float) -> tuple[float, float, float]:
    """Rear axle pose after a driven length along the recorded way; straight on beyond its end."""
    s = trace.travelled_m
    x, y = float(np.interp(driven_m, s, trace.x_m)), float(np.interp(driven_m, s, trace.y_m))
    i = min(int(np.searchsorted(s, driven_m)), trace.count - 1)
    angle = float(trace.heading_rad[i])
    over = max(0.0, driven_m - float(s[-1]))
    return x + over * math.cos(angle), y + over * math.sin(angle), angle
