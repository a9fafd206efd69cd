"""Whose fault a contact was, in the words of section 9 of the design.

At fault: any contact while the car moves faster than 0.1 m/s or within 1 s after it stopped, and
any contact while it stands in a conflict zone without right of way or past a stop line. Not at
fault: hit from behind by a road user whose lane the car did not enter within the last 3 s; or the
other entered against red, against a lower priority or into our lane, and the reference driver, on
our path from the first moment of visibility, could not have avoided it. In doubt: at fault.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import project, wrap_angle
from marque.maps.area import in_ring
from marque.maps.lookup import LaneIndex
from marque.metrics.contacts import Contact, contacts
from marque.metrics.fuzzy import STEP_S, avoids
from marque.metrics.rules import RED
from marque.metrics.trace import MOVING_MPS, Trace
from marque.metrics.way import Way
from marque.types.codes import ConflictKind, Control, SignalState, Turn, UserKind
from marque.types.road_map import NONE, RoadMap

STOPPED_S = 1.0
ENTERED_FRAMES = 30  # 3 s
SIGHT_M = 100.0
SIGHT_FRAMES = 100  # the reference driver starts at most 10 s before
AFTER_FRAMES = 40
_TALL = (UserKind.CAR, UserKind.TRUCK, UserKind.BUS, UserKind.RAIL)  # they hide what is behind


@dataclass(frozen=True, slots=True)
class Collision:
    """One contact with its verdict; `side` is where on our car, `angle_deg` the other's heading
    against ours (left positive)."""

    t_s: float
    frame: int
    uid: int
    kind: str
    ego_speed_mps: float
    other_speed_mps: float
    angle_deg: float
    side: str
    x_m: float
    y_m: float
    at_fault: bool
    reason: str


def collisions(trace: Trace, way: Way, index: LaneIndex) -> list[Collision]:
    """All contacts of a drive, one for each road user, judged."""
    return [_judged(trace, way, index, hit) for hit in contacts(trace)]


def _judged(trace: Trace, way: Way, index: LaneIndex, hit: Contact) -> Collision:
    at_fault, reason = verdict(trace, way, index, hit)
    k, row = hit.frame, hit.row
    angle = wrap_angle(float(trace.user_heading_rad[row] - trace.heading_rad[k]))
    x, y = _touch_point(trace, k, row)
    return Collision(
        t_s=float(trace.t_s[k]) + 0.1 * hit.share,
        frame=k,
        uid=hit.uid,
        kind=UserKind(int(trace.kind[row])).name.lower(),
        ego_speed_mps=float(trace.speed_mps[k]),
        other_speed_mps=float(trace.user_speed_mps[row]),
        angle_deg=math.degrees(angle),
        side=_side(trace, k, x, y),
        x_m=x,
        y_m=y,
        at_fault=at_fault,
        reason=reason,
    )


def verdict(trace: Trace, way: Way, index: LaneIndex, hit: Contact) -> tuple[bool, str]:
    """(at fault, why in words) of one contact."""
    k = hit.frame
    if not _active(trace, k):
        wrong = _stands_wrongly(trace, way, k)
        if wrong:
            return True, f"the car stood {wrong}"
        return False, "the car had stood for more than 1 s where it may stand"
    if _from_behind(trace, hit):
        if not _entered_lane_of(trace, way, hit):
            return False, "hit from behind by a road user whose lane the car did not enter"
        return True, "hit from behind within 3 s after the car entered the other's lane"
    if _ran_red(trace, way, k):
        return True, "the car itself had entered against red"
    cause = _others_fault(trace, way, index, hit)
    if not cause:
        return True, "the car moved into contact and the other broke no rule"
    if reference_avoids(trace, hit):
        return True, f"the other {cause}, but the reference driver would have avoided it"
    return False, f"the other {cause}, and the reference driver could not have avoided it"


def _active(trace: Trace, frame: int) -> bool:
    recent = trace.t_s[: frame + 1] >= trace.t_s[frame] - STOPPED_S - 1e-9
    return bool((trace.speed_mps[: frame + 1][recent] > MOVING_MPS).any())


def _stands_wrongly(trace: Trace, way: Way, frame: int) -> str:
    """Where the standing car has no business to stand, "" if nowhere."""
    road_map = trace.road_map
    lane = int(way.lane[frame])
    if lane == NONE:
        return "off every lane"
    front = float(way.s_m[frame]) + trace.platform.front_m
    rear = float(way.s_m[frame]) - (trace.platform.length_m - trace.platform.front_m)
    connector = lane
    if not road_map.lane_connector[lane]:
        connector = _next_connector(way, frame)
        if connector == NONE or not road_map.lane_connector[connector]:
            return ""
        stop, end = float(road_map.lane_stop_m[lane]), float(road_map.lane_length_m[lane])
        if front > stop and road_map.lane_control[connector] != Control.FREE:
            return "past a stop line"
        front, rear = front - end, rear - end
        if front <= 0.0:
            return ""
    elif road_map.lane_control[connector] != Control.FREE:
        before = road_map.predecessors(connector)
        if len(before) and not np.isnan(road_map.lane_stop_m[before]).all():
            return "past a stop line"
    for e in range(road_map.conf_off[connector], road_map.conf_off[connector + 1]):
        inside = road_map.conf_s_in_m[e] <= front and road_map.conf_s_out_m[e] >= rear
        # those who turn off the same lane elsewhere come from behind: nobody goes first there
        meets = road_map.conf_kind[e] != ConflictKind.DIVERGE
        if inside and meets and road_map.conf_priority[e] <= 0:
            return "in a conflict zone without right of way"
    return ""


def _next_connector(way: Way, frame: int) -> int:
    """The first lane that the car drives after its present one."""
    later = way.lane[frame:]
    other = later[later != way.lane[frame]]
    return int(other[0]) if len(other) else NONE


def _from_behind(trace: Trace, hit: Contact) -> bool:
    """Whether the other, running our way, was wholly behind our bumper 0.3 s before."""
    k = max(0, hit.frame - 3)
    row = trace.row_of(k, hit.uid)
    if row < 0:
        return False
    turn = float(trace.user_heading_rad[row] - trace.heading_rad[k])
    if math.cos(turn) < 0.5 or trace.kind[row] == UserKind.PEDESTRIAN:
        return False
    dx = trace.user_x_m[row] - trace.middle_x_m[k]
    dy = trace.user_y_m[row] - trace.middle_y_m[k]
    angle = trace.heading_rad[k]
    ahead = dx * math.cos(angle) + dy * math.sin(angle)
    nose = ahead + 0.5 * trace.user_length_m[row] * math.cos(turn)
    return bool(nose <= -0.5 * trace.platform.length_m + 0.3)


def _entered_lane_of(trace: Trace, way: Way, hit: Contact) -> bool:
    """Whether within the last 3 s the car was ever off the stream of lanes that the other runs."""
    begin = max(0, hit.frame - ENTERED_FRAMES)
    own = {int(each) for each in way.lane[begin : hit.frame + 1]}
    if NONE in own:
        return True
    stream = _stream(trace.road_map, _lanes_of(trace, hit.uid, hit.frame - 60, hit.frame))
    return not own <= stream


def _lanes_of(trace: Trace, uid: int, begin: int, end: int) -> list[int]:
    """Lanes of one road user over frames, in order, without repeats."""
    lanes: list[int] = []
    for frame in range(max(0, begin), end + 1):
        row = trace.row_of(frame, uid)
        lane = int(trace.user_lane[row]) if row >= 0 else NONE
        if lane != NONE and (not lanes or lanes[-1] != lane):
            lanes.append(lane)
    return lanes


def _stream(road_map: RoadMap, lanes: list[int], ahead_m: float = 200.0) -> set[int]:
    """Lanes a road user came along and may run on to without a change.

    If it changed lanes, the neighbours on that side of where it came from count as its own:
    whoever was there all along did not enter its lane.
    """
    came = list(lanes)
    for i in range(1, len(lanes)):
        for links in (road_map.lane_left, road_map.lane_right):
            if int(links[lanes[i - 1]]) == lanes[i]:
                came += [int(links[each]) for each in lanes[:i] if links[each] != NONE]
    stream = set(came)
    todo = [(each, 0.0) for each in came]
    while todo:
        lane, far = todo.pop()
        for after in road_map.successors(lane).tolist():
            if after not in stream and far < ahead_m:
                stream.add(after)
                todo.append((after, far + float(road_map.lane_length_m[after])))
    return stream


def _ran_red(trace: Trace, way: Way, frame: int) -> bool:
    """Whether the connector that the car is on was entered while its head was red."""
    lane = int(way.lane[frame])
    if lane == NONE or not trace.road_map.lane_connector[lane]:
        return False
    head = int(trace.road_map.lane_head[lane])
    entry = frame
    while entry > 0 and way.lane[entry - 1] == lane:
        entry -= 1
    front_s = trace.travelled_m[entry] - trace.platform.front_m  # the bumper crosses before
    entry = int(np.searchsorted(trace.travelled_m, front_s))
    return head != NONE and trace.heads[entry, head] in RED


def _others_fault(trace: Trace, way: Way, index: LaneIndex, hit: Contact) -> str:
    """The rule that the other broke, in words; "" if none that is known of."""
    if trace.kind[hit.row] == UserKind.PEDESTRIAN:
        return _walkers_fault(trace, hit)
    if _entered_against_red(trace, hit):
        return "entered against red"
    if _entered_against_priority(trace, way, hit):
        return "entered against a lower priority"
    if _entered_our_lane(trace, way, hit):
        return "entered our lane"
    return ""


def _walkers_fault(trace: Trace, hit: Contact) -> str:
    road_map = trace.road_map
    x, y = float(trace.user_x_m[hit.row]), float(trace.user_y_m[hit.row])
    for walk in range(len(road_map.walk_name)):
        lo, hi = int(road_map.walk_off[walk]), int(road_map.walk_off[walk + 1])
        if not in_ring(x, y, road_map.walk_xy_m, lo, hi, 0.5):
            continue
        head = int(road_map.walk_head[walk])
        if head != NONE and _red_for(trace, head, hit.frame - 50, hit.frame):
            return "walked against red"
        if head != NONE or road_map.walk_priority[walk]:
            return ""
    return "stepped into our lane"


def _red_for(trace: Trace, head: int, begin: int, end: int) -> bool:
    """Whether a head was red in all frames from `begin` (or the first) to `end`."""
    return bool(np.isin(trace.heads[max(0, begin) : end + 1, head], RED).all())


def _entered_against_red(trace: Trace, hit: Contact) -> bool:
    road_map = trace.road_map
    before = NONE
    for frame in range(max(0, hit.frame - 100), hit.frame + 1):
        row = trace.row_of(frame, hit.uid)
        lane = int(trace.user_lane[row]) if row >= 0 else NONE
        if lane not in (NONE, before) and road_map.lane_connector[lane]:
            head = int(road_map.lane_head[lane])
            # its bumper crossed the line up to a second before its middle did
            if head != NONE and _red_for(trace, head, frame - 10, frame):
                return True
        before = lane if lane != NONE else before
    return False


def _entered_against_priority(trace: Trace, way: Way, hit: Contact) -> bool:
    road_map = trace.road_map
    begin = max(0, hit.frame - ENTERED_FRAMES)
    own = {int(e) for e in way.lane[begin : hit.frame + 1] if e != NONE}
    own = {e for e in own if road_map.lane_connector[e]} | {_next_connector(way, hit.frame)}
    other = set(_lanes_of(trace, hit.uid, begin, hit.frame))
    for connector in own - {NONE}:
        for e in range(road_map.conf_off[connector], road_map.conf_off[connector + 1]):
            if int(road_map.conf_lane[e]) in other and _goes_first(trace, hit.frame, connector, e):
                return True
    return False


def _goes_first(trace: Trace, frame: int, connector: int, conflict: int) -> bool:
    """Whether we go first by rank, and by our signal if there is one."""
    road_map = trace.road_map
    head = int(road_map.lane_head[connector])
    if head != NONE and trace.heads[frame, head] in (*RED, SignalState.STOP_THEN_GO):
        return False
    return bool(road_map.conf_priority[conflict] > 0)


def _entered_our_lane(trace: Trace, way: Way, hit: Contact) -> bool:
    """Whether the other came into the lane that we had kept to for 3 s.

    Judged on roads, and on connectors that go straight on; elsewhere priority decides.
    """
    road_map = trace.road_map
    begin = max(0, hit.frame - ENTERED_FRAMES)
    lanes = [int(each) for each in dict.fromkeys(way.lane[begin : hit.frame + 1].tolist())]
    if NONE in lanes or any(road_map.lane_turn[e] not in (Turn.NONE, Turn.STRAIGHT) for e in lanes):
        return False
    if any(after not in road_map.successors(lane) for lane, after in pairwise(lanes)):
        return False  # we changed lanes ourselves
    width = road_map.lane_width_m[way.lane[begin : hit.frame + 1]]
    own_reach = np.abs(way.d_m[begin : hit.frame + 1]) + 0.5 * trace.platform.width_m
    if bool((own_reach > 0.5 * width + 0.3).any()):
        return False  # we left our lane ourselves
    return any(_beside(trace, way, frame, hit.uid) for frame in range(begin, hit.frame + 1))


def _beside(trace: Trace, way: Way, frame: int, uid: int) -> bool:
    """Whether a road user is wholly outside the strip of the lanes that we drive."""
    row = trace.row_of(frame, uid)
    if row < 0:
        return False
    road_map = trace.road_map
    begin, end = max(0, frame - 30), min(trace.count, frame + 80)
    lanes = [e for e in dict.fromkeys(way.lane[begin:end].tolist()) if e != NONE]
    x, y = float(trace.user_x_m[row]), float(trace.user_y_m[row])
    for lane in lanes:
        points, arc = road_map.points(lane), road_map.arc(lane)
        s, d, i = project(points, arc, x, y, 0, len(points) - 1)
        angle = road_map.pt_heading_rad[int(road_map.pt_off[lane]) + i]
        turn = float(trace.user_heading_rad[row] - angle)
        reach = 0.5 * (
            abs(math.sin(turn)) * trace.user_length_m[row]
            + abs(math.cos(turn)) * trace.user_width_m[row]
        )
        inner = 0.0 < s < float(arc[-1])
        if inner and abs(d) - reach < 0.5 * road_map.lane_width_m[lane]:
            return False
    return True


def reference_avoids(trace: Trace, hit: Contact, begin: int | None = None) -> bool:
    """Whether the reference driver, from a frame on (the first sight of the other), stays clear
    of it on our path."""
    begin = first_sight(trace, hit) if begin is None else begin
    end = min(trace.count - 1, hit.frame + AFTER_FRAMES)
    t = np.arange(trace.t_s[begin], trace.t_s[end] + 1e-9, STEP_S)
    there, other = _track(trace, hit, begin, end, t)
    path_xy, path_s, path_heading = _path(trace, begin)
    clear = avoids(
        path_xy, path_s, path_heading,
        np.interp(t, trace.t_s, trace.travelled_m),
        np.interp(t, trace.t_s, trace.speed_mps),
        trace.platform.front_m, trace.platform.length_m, trace.platform.width_m,
        other, there,
        float(trace.user_length_m[hit.row]), float(trace.user_width_m[hit.row]),
    )  # fmt: skip
    return bool(clear)


def _path(trace: Trace, begin: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Our rear axle's way from a frame on, and straight on for 100 m beyond its end."""
    s = trace.travelled_m[begin:]
    keep = np.concatenate(([True], np.diff(s) > 1e-6))
    xy = np.column_stack((trace.x_m[begin:], trace.y_m[begin:]))[keep]
    heading = trace.heading_rad[begin:][keep]
    angle = float(heading[-1])
    end = xy[-1] + 100.0 * np.array([math.cos(angle), math.sin(angle)])
    return (
        np.vstack((xy, end)),
        np.append(s[keep], float(s[-1]) + 100.0),
        np.append(heading, angle),
    )


def _track(
    trace: Trace, hit: Contact, begin: int, end: int, t: FloatArray
) -> tuple[np.ndarray, FloatArray]:
    """(there, [k, 4] x, y, heading, speed) of the other at times t, as recorded."""
    rows = [(f, trace.row_of(f, hit.uid)) for f in range(begin, end + 1)]
    frames = np.array([f for f, row in rows if row >= 0])
    row = np.array([row for _, row in rows if row >= 0])
    at = trace.t_s[frames]
    columns = [
        trace.user_x_m[row],
        trace.user_y_m[row],
        np.unwrap(trace.user_heading_rad[row]),
        trace.user_speed_mps[row],
    ]
    other = np.column_stack([np.interp(t, at, column) for column in columns])
    there = np.interp(t, trace.t_s[begin : end + 1], [float(r >= 0) for _, r in rows]) > 0.999
    return there, other


def first_sight(trace: Trace, hit: Contact) -> int:
    """First frame of the last 10 s from which on the other is within 100 m and not hidden."""
    first = hit.frame
    for frame in range(hit.frame, max(0, hit.frame - SIGHT_FRAMES) - 1, -1):
        row = trace.row_of(frame, hit.uid)
        if row < 0:
            break
        if _visible(trace, frame, row):
            first = frame
    return first


def _visible(trace: Trace, frame: int, row: int) -> bool:
    """Within range, and no tall vehicle on the line from the middle of our car to its middle."""
    x0, y0 = float(trace.middle_x_m[frame]), float(trace.middle_y_m[frame])
    dx, dy = float(trace.user_x_m[row]) - x0, float(trace.user_y_m[row]) - y0
    far = math.hypot(dx, dy)
    if far > SIGHT_M:
        return False
    rows = trace.users(frame)
    tall = np.isin(trace.kind[rows], _TALL)
    tall[row - rows.start] = False
    rx, ry = trace.user_x_m[rows] - x0, trace.user_y_m[rows] - y0
    cos, sin = np.cos(trace.user_heading_rad[rows]), np.sin(trace.user_heading_rad[rows])
    # the line of sight in each one's own frame: from p to p + u, against its box
    px, py = -(rx * cos + ry * sin), -(ry * cos - rx * sin)
    ux, uy = dx * cos + dy * sin, dy * cos - dx * sin
    near_x, far_x = _slab(px, ux, 0.5 * trace.user_length_m[rows])
    near_y, far_y = _slab(py, uy, 0.5 * trace.user_width_m[rows])
    begin, end = np.maximum(near_x, near_y), np.minimum(far_x, far_y)
    hides = tall & (begin < end) & (begin > 0.0) & (end < 1.0)
    return not bool(hides.any())


def _slab(p: FloatArray, u: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    safe = np.where(np.abs(u) < 1e-9, 1e-9, u)
    a, b = (-half - p) / safe, (half - p) / safe
    return np.minimum(a, b), np.maximum(a, b)


def _touch_point(trace: Trace, frame: int, row: int) -> tuple[float, float]:
    """The point of the other's box that is closest to the middle of ours."""
    c = math.cos(trace.user_heading_rad[row])
    n = math.sin(trace.user_heading_rad[row])
    dx = float(trace.middle_x_m[frame] - trace.user_x_m[row])
    dy = float(trace.middle_y_m[frame] - trace.user_y_m[row])
    half_l, half_w = 0.5 * trace.user_length_m[row], 0.5 * trace.user_width_m[row]
    along = float(np.clip(dx * c + dy * n, -half_l, half_l))
    left = float(np.clip(dy * c - dx * n, -half_w, half_w))
    x = float(trace.user_x_m[row]) + along * c - left * n
    return x, float(trace.user_y_m[row]) + along * n + left * c


def _side(trace: Trace, frame: int, x: float, y: float) -> str:
    c, n = math.cos(trace.heading_rad[frame]), math.sin(trace.heading_rad[frame])
    dx, dy = x - trace.middle_x_m[frame], y - trace.middle_y_m[frame]
    along = (dx * c + dy * n) / (0.5 * trace.platform.length_m)
    left = (dy * c - dx * n) / (0.5 * trace.platform.width_m)
    if abs(along) >= abs(left):
        return "front" if along > 0.0 else "rear"
    return "left" if left > 0.0 else "right"
