"""Around somebody who stands or creeps in our way: by decimetres within our road, or, where it is
legal and clear, over the lane of the oncoming traffic.

1. Who is in the way, and is it a queue that we belong to, or an obstacle?
2. To which side is there room, and how much? Our swept body stays on the drivable area, on lanes
   of our direction; on the oncoming lane only where that is legal, nobody comes for the whole time
   and 2.5 s more, and whoever is not in sight yet could stop comfortably.
3. Out before the obstacle, along it, and back behind it.
4. Whoever blocks our lane hides the oncoming one too. Before we go out we look past it, from the
   edge of our own lane.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_REAR
from marque.maps.area import covers
from marque.maps.path import STEP_M
from marque.stack.planning.change import drivable
from marque.stack.planning.corridor import Corridor, Line, centre_line, corridor_beside
from marque.stack.planning.sideways import (
    FIRM_MPS2,
    GENTLE_MPS2,
    Beside,
    Leg,
    Pose,
    beside,
    leg_length,
    offsets,
    on_path,
    pose_at,
    quintic,
)
from marque.stack.planning.state import (
    Memory,
    Option,
    Start,
    ahead_m,
    lane_at,
    route_for,
    sample_at,
)
from marque.types.codes import UserKind
from marque.types.forecast import Forecast
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Scene, Tracks

LOOK_M = 70.0
STILL_MPS, STILL_S = 0.5, 1.5
RECEDES_M = 0.3
PAST_M = 0.5  # between our rear and them, when we begin to come back
SLICE_M, ACROSS = 2.5, 0.07  # of the sine of the angle to our line
SLOW_SHARE = 0.7  # a cyclist slower than this share of the limit is worth overtaking
ROOM_M, LEAST_ROOM_M = 0.7, 0.45  # beside who stands
CYCLIST_ROOM_M, CYCLIST_LEAST_M = 1.75, 1.6
TIGHT_M, TIGHT_AHEAD_M = 0.44, 40.0
CLUSTER_M = 15.0  # those who stand closer than this are passed in one go
GROUP_M = 45.0  # and a longer row piece by piece
STOOD_S = 3.0
ROOMS = (1.0, LEAST_ROOM_M, 0.25)  # all that we want, the least, and after a while at a crawl
SWING_M = 0.15
EARLY_SHARE = 0.2  # of the way back costs a quintic next to nothing of the room beside who stands
SWING_MPS = 4.7  # a swing from rest is laid out for this speed: the sharpest one takes longest
WALKER_STILL_S = 1.0
SMALL_M = 1.3  # a move aside that even a queue does not forbid
PASS_STILL_S = 4.0  # who stands for so long, and not in a queue, is passed
QUEUE_M = 12.0  # who stands nearer than this to a junction or to who stands there waits for it
FULL_GAP_M = 12.0  # those who stand nearer behind each other are a row
PARKED_M = 1.0  # whoever stands so far beside the middle of the lane is in no queue
WAIT_M = 9.5  # where we wait behind an obstacle: there must be room to swing out
PEEK_WAIT_M = 14.0  # and where we look past it: the nearer, the more it hides
PEEK_SPARE_M, PEEK_LEAST_M = 0.1, 0.2  # to the edge of our lane; a smaller move shows nothing
EYE_M, LOOKS_AT_M = 1.6, 0.5  # our eyes before the rear axle; the far half of who comes shows them
CLEAR_S = 2.5
BESIDE_M = 3.0  # whose front is no farther ahead of our rear axle, is past before we are out
SETS_OUT_MPS, THEIR_BRAKE_MPS2 = 2.5, 2.0
SIGHT_M = 115.0
PASS_ACCEL_MPS2 = 1.3
OVER_LINE_M, INTO_NEXT_M = 0.1, 0.7
KEEPS_M = 0.1  # from our side to the line that is never crossed
IN_THE_WAY_M = 0.4  # so far over the middle of the road, oncoming traffic does not get by
NUDGE_COST, ONCOMING_COST = 0.3, 1.0
PEEK_GAIN = 1.0  # a look at the road ahead is worth the metres that we wait farther back


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Those in the way, on our centre line: extents along and across, m. Sorted along."""

    track: IntArray
    lo_m: FloatArray
    hi_m: FloatArray
    right_m: FloatArray
    left_m: FloatArray
    speed_mps: FloatArray
    room_m: FloatArray  # wanted beside it
    least_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What is in our way next: its nearest edge, metres ahead of our rear axle; who, and how."""

    ahead_m: float
    uid: int
    lane: int
    obstacle: bool  # it is no queue
    row: bool  # it is one, which stands beyond a junction and before no light

    @property
    def stays(self) -> bool:
        """Whether it may stand there for good."""
        return self.obstacle or self.row


def asides(
    memory: Memory, scene: Scene, forecast: Forecast, corridor: Corridor, start: Start
) -> tuple[list[Option], Block | None]:
    """Ways around whoever is in our way, and who that is."""
    rows = _near(scene.tracks, corridor, start)
    if len(rows) == 0:
        return [], None
    line, state, pose = _line(memory, corridor, start)
    half = float(memory.context.ego[E_HALF_WIDTH])
    limit = float(corridor.limit_mps[sample_at(corridor, start.s_m)])
    boxes = _boxes(scene.tracks, rows, line, state.s_m, limit)
    blocking = (boxes.right_m < half + boxes.least_m) & (boxes.left_m > -half - boxes.least_m)
    blocking &= boxes.hi_m > state.s_m - memory.context.ego[E_REAR]
    if not blocking.any():
        return [], None
    first = int(np.argmax(blocking))
    track = int(boxes.track[first])
    middle = 0.5 * float(boxes.right_m[first] + boxes.left_m[first])
    turn = (
        float(scene.tracks.heading_rad[track]) - pose_at(line.path, boxes.lo_m[first]).heading_rad
    )
    queue = abs(middle) < PARKED_M and math.cos(turn) > 0.0
    queue = queue and in_queue(scene.tracks, forecast, track)
    stays = float(scene.tracks.still_s[track]) > PASS_STILL_S
    cyclist = scene.tracks.kind[track] == UserKind.BICYCLE
    walker = scene.tracks.kind[track] == UserKind.PEDESTRIAN
    obstacle = (stays and not queue and not walker) or bool(cyclist)
    block = Block(
        float(boxes.lo_m[first]) - state.s_m,
        int(scene.tracks.uid[track]),
        int(scene.tracks.lane[track]),
        obstacle and not cyclist,
        queue
        and stays
        and waits_for_no_light(memory, corridor, start, int(scene.tracks.lane[track])),
    )
    group = _cluster(boxes, blocking)
    found: list[Option] = []
    for side in (1, -1):
        for least in ROOMS if memory.stood_s > STOOD_S else ROOMS[:2]:
            option = _around(
                memory, scene, corridor, start, line, state, pose, boxes, group, side, least,
                obstacle,
            )  # fmt: skip
            if option is not None:
                found.append(option)
                break
    if block.obstacle and not found and corridor.manoeuvre != "peek":
        found += _peek(memory, corridor, start, line, state, pose, block.ahead_m)
    return found, block


def tight(memory: Memory, scene: Scene, corridor: Corridor, start: Start) -> bool:
    """Whether our corridor passes closely by somebody who stands, or is blocked by one."""
    rows = _near(scene.tracks, corridor, start)
    if len(rows) == 0:
        return False
    half = float(memory.context.ego[E_HALF_WIDTH])
    line = Line(corridor.path, start.s_m, corridor.end_kind)
    limit = float(corridor.limit_mps[sample_at(corridor, start.s_m)])
    boxes = _boxes(scene.tracks, rows, line, start.s_m, limit)
    close = (boxes.right_m < half + TIGHT_M) & (boxes.left_m > -half - TIGHT_M)
    close &= (boxes.hi_m > start.s_m) & (boxes.lo_m < start.s_m + TIGHT_AHEAD_M)
    return bool(close.any())


def _near(tracks: Tracks, corridor: Corridor, start: Start) -> IntArray:
    """Those who stand, and slow cyclists, near the next stretch of the corridor. Of those on foot,
    who waits at a corner that our turn cuts."""
    here = pose_at(corridor.path, start.s_m)
    away = np.hypot(tracks.x_m - here.x_m, tracks.y_m - here.y_m)
    slow = (tracks.speed_mps < STILL_MPS) & (tracks.still_s > STILL_S)
    slow |= (tracks.kind == UserKind.BICYCLE) & (tracks.speed_mps > STILL_MPS)
    slow &= (tracks.kind != UserKind.PEDESTRIAN) | (tracks.still_s > WALKER_STILL_S)
    return np.flatnonzero(slow & (away < LOOK_M))


def _line(memory: Memory, corridor: Corridor, start: Start) -> tuple[Line, Beside, Pose]:
    """The centre line of our lanes, and our place beside it."""
    pose = pose_at(corridor.path, start.s_m)
    if corridor.manoeuvre == "keep" and corridor.end_kind != "horizon":
        line = Line(corridor.path, start.s_m, corridor.end_kind)
        return line, Beside(start.s_m, 0.0, 0.0, 0.0), pose
    context = memory.context
    lane, lane_s = lane_at(corridor, start.s_m)
    at = corridor.path.lanes.index(lane)
    line = centre_line(
        context.mission.road_map,
        route_for(memory),
        context.ego,
        context.area,
        corridor.path.lanes[max(0, at - 3) : at],
        lane,
        lane_s,
        ahead_m(float(corridor.limit_mps[sample_at(corridor, start.s_m)])) + 70.0,
    )
    return line, beside(line.path, pose, line.here_m), pose


def _boxes(tracks: Tracks, rows: IntArray, line: Line, here_m: float, limit: float) -> Boxes:
    """Those of `rows` who are near the line, as extents along and across it."""
    path = line.path
    ahead = slice(sample_at_path(path.length_m, here_m - 6.0), None)
    xy = path.xy_m[ahead]
    kept, lo, hi, right, left = [], [], [], [], []
    for i in rows.tolist():
        dist = np.hypot(xy[:, 0] - tracks.x_m[i], xy[:, 1] - tracks.y_m[i])
        at = int(np.argmin(dist))
        if dist[at] > 9.0 or at in (0, len(xy) - 1):
            continue
        s, d = on_path(path, tracks.x_m[i], tracks.y_m[i], (at + ahead.start) * STEP_M)
        turn = float(tracks.heading_rad[i]) - pose_at(path, s).heading_rad
        rides = tracks.kind[i] == UserKind.BICYCLE and tracks.speed_mps[i] > STILL_MPS
        if rides and (math.cos(turn) < 0.7 or tracks.speed_mps[i] > SLOW_SHARE * limit):
            continue
        c, q = abs(math.cos(turn)), abs(math.sin(turn))
        length, width = float(tracks.length_m[i]), float(tracks.width_m[i])
        # who stands across takes less room, slice by slice, than one box around it would
        slices = math.ceil(length / SLICE_M) if q > ACROSS else 1
        long = 0.5 * (length / slices * c + width * q)
        wide = 0.5 * (length / slices * q + width * c)
        for k in range(slices):
            ahead_m = ((k + 0.5) / slices - 0.5) * length
            at_s, at_d = s + ahead_m * math.cos(turn), d + ahead_m * math.sin(turn)
            kept.append(i)
            lo.append(at_s - long)
            hi.append(at_s + long)
            right.append(at_d - wide)
            left.append(at_d + wide)
    order = np.argsort(lo)
    track = np.array(kept, dtype=np.int64)[order]
    bike = (tracks.kind[track] == UserKind.BICYCLE) & (tracks.speed_mps[track] > STILL_MPS)
    return Boxes(
        track,
        np.array(lo)[order],
        np.array(hi)[order],
        np.array(right)[order],
        np.array(left)[order],
        np.where(bike, tracks.speed_mps[track], 0.0),
        np.where(bike, CYCLIST_ROOM_M, ROOM_M),
        np.where(bike, CYCLIST_LEAST_M, LEAST_ROOM_M),
    )


def sample_at_path(length_m: float, s_m: float) -> int:
    """Index of the path sample at or right before path metres s."""
    return min(int(length_m / STEP_M) - 1, max(0, int(s_m / STEP_M)))


def in_queue(tracks: Tracks, forecast: Forecast, track: int) -> bool:
    """Whether somebody stands in a row, or where one waits for a junction (or has only just
    stopped). Two in a row are one: whatever it waits for may be hidden from us. Things wait for
    nothing, nor does anybody behind them.
    """
    for behind in range(8):
        if tracks.kind[track] == UserKind.OBSTACLE:
            return False
        rows = np.flatnonzero(forecast.track == track)
        if len(rows) == 0:
            return behind > 0
        k = int(rows[np.argmax(forecast.probability[rows])])
        half = 0.5 * float(tracks.length_m[track])
        held = float(min(forecast.stop_m[k], forecast.connector_m[k])) - half
        if forecast.connector[k] != NONE and held < QUEUE_M:
            return True
        lead = int(forecast.lead[k])
        if lead < 0:
            return behind > 0
        gap = float(forecast.lead_m[k]) - half - 0.5 * float(tracks.length_m[lead])
        if gap > FULL_GAP_M:
            return behind > 0
        if tracks.speed_mps[lead] > STILL_MPS:
            return True
        track = lead
    return True


def waits_for_no_light(memory: Memory, corridor: Corridor, start: Start, lane: int) -> bool:
    """Whether a lane lies beyond the next junction on our way, and no signal on the way on from it:
    who stands there may stand for good."""
    ahead = corridor.path.lanes[corridor.path.lanes.index(lane_at(corridor, start.s_m)[0]) + 1 :]
    if lane not in ahead:
        return False
    head = memory.context.mission.road_map.lane_head
    return all(head[one] == NONE for one in ahead[ahead.index(lane) :])


def _cluster(boxes: Boxes, blocking: BoolArray) -> IntArray:
    """The first one in the way and all who stand close behind each other from there on."""
    rows = np.flatnonzero(blocking)
    group = [int(rows[0])]
    end = float(boxes.hi_m[rows[0]])
    for row in rows[1:].tolist():
        if boxes.lo_m[row] - end > CLUSTER_M or boxes.lo_m[row] - boxes.lo_m[rows[0]] > GROUP_M:
            break
        group.append(row)
        end = max(end, float(boxes.hi_m[row]))
    return np.array(group)


def _around(
    memory: Memory,
    scene: Scene,
    corridor: Corridor,
    start: Start,
    line: Line,
    state: Beside,
    pose: Pose,
    boxes: Boxes,
    group: IntArray,
    side: int,
    least: float,
    obstacle: bool,
) -> Option | None:
    """The way around a group on one side, None where there is none now."""
    context = memory.context
    ego = context.ego
    half = float(ego[E_HALF_WIDTH])
    room = boxes.room_m[group]
    if least < 1.0:
        bike = boxes.speed_mps[group] > 0.0
        room = np.where(bike, boxes.least_m[group], least)
    if side > 0:
        aside = float((boxes.left_m[group] + room).max()) + half
    else:
        aside = float((boxes.right_m[group] - room).min()) - half
    if aside * side <= 0.0 or not (obstacle or abs(aside) < SMALL_M):
        return None
    group = _nearest_part(boxes, group, side)
    plan = _legs(state, start.speed_mps, boxes, group, aside, ego, corridor)
    if plan is None:
        return None
    legs, until = plan
    if until + 5.0 > line.path.length_m:
        return None
    built, here = corridor_beside(
        context.mission.road_map, route_for(memory), context.style, ego, line, state,
        legs, "nudge", pose,
    )  # fmt: skip
    begun = Start(here, start.speed_mps, start.accel_mps2)
    if not drivable(built, begun, built.settled_m):
        return None
    keeps = context.mission.keeps_lane
    over = _over_the_line(context.mission.road_map, line, state, legs, until, side, half, keeps)
    if over is None or not on_the_road(memory, built, here):
        return None
    if over:
        time = pass_time_s(built, begun)
        sight, looked = _sight_m(memory, corridor, start, state, boxes, group)
        if not obstacle or not _clear(
            scene.tracks, line, state.s_m, until, time, corridor, start, sight, looked
        ):
            return None
        edge = 0.5 * float(context.mission.road_map.lane_width_m[lane_at(corridor, start.s_m)[0]])
        built = replace(built, out_m=here + _until_out_m(state, legs, side, edge, ego))
    return Option(built, begun, ONCOMING_COST if over else NUDGE_COST)


def _peek(
    memory: Memory,
    corridor: Corridor,
    start: Start,
    line: Line,
    state: Beside,
    pose: Pose,
    ahead_m: float,
) -> list[Option]:
    """To the edge of our lane on the side of the oncoming one, for as long as we wait behind
    somebody whom we can only pass over there."""
    context = memory.context
    side, aside = _peeking(memory, corridor, start)
    if aside < PEEK_LEAST_M:
        return []
    begin = (state.d_m, state.slope, state.bend_1pm)
    room = ahead_m - PEEK_WAIT_M - float(context.ego[E_FRONT])
    speed = start.speed_mps
    out = max(leg_length(begin, side * aside, speed, GENTLE_MPS2), 2.5 * speed)
    if out > room:
        return []
    back = max(leg_length((side * aside, 0.0, 0.0), 0.0, 5.0, GENTLE_MPS2), 10.0)
    wait = room - out
    legs: tuple[Leg, ...] = (Leg(0.0, out, side * aside), Leg(ahead_m, back, 0.0))
    if wait > 6.0:
        legs = (Leg(0.0, wait, 0.0), Leg(wait, out, side * aside), legs[1])
    if state.s_m + ahead_m + back + 5.0 > line.path.length_m:
        return []
    built, here = corridor_beside(
        context.mission.road_map, route_for(memory), context.style, context.ego, line,
        state, legs, "peek", pose,
    )  # fmt: skip
    begun = Start(here, speed, start.accel_mps2)
    return [Option(built, begun, -PEEK_GAIN)] if drivable(built, begun, here + room) else []


def _peeking(memory: Memory, corridor: Corridor, start: Start) -> tuple[int, float]:
    """(side of the oncoming lane, how far over there our own lane lets us go); 0 where the lane
    beside ours is not the oncoming one, or not for passing."""
    road_map = memory.context.mission.road_map
    lane, _ = lane_at(corridor, start.s_m)
    side = -1 if road_map.left_hand else 1
    beside_us = (road_map.lane_left if side > 0 else road_map.lane_right)[lane]
    if road_map.lane_connector[lane] or beside_us != NONE or not road_map.lane_opposite_ok[lane]:
        return side, 0.0
    half = 0.5 * float(road_map.lane_width_m[lane])
    return side, max(0.0, half - float(memory.context.ego[E_HALF_WIDTH]) - PEEK_SPARE_M)


def _sight_m(
    memory: Memory, corridor: Corridor, start: Start, state: Beside, boxes: Boxes, group: IntArray
) -> tuple[float, bool]:
    """How far we see along the oncoming lane past those in the way, and whether we have looked as
    well as can be: from the edge of our lane. Going out from there, we see more with each metre and
    can still wait where somebody comes."""
    side, aside = _peeking(memory, corridor, start)
    ours = side * state.d_m
    if aside < PEEK_LEAST_M or ours > aside - 2.0 * PEEK_SPARE_M:
        return SIGHT_M, True
    lane, _ = lane_at(corridor, start.s_m)
    far = float(memory.context.mission.road_map.lane_width_m[lane]) + LOOKS_AT_M - ours
    hides = (boxes.left_m if side > 0 else -boxes.right_m)[group] - ours
    ahead = boxes.lo_m[group] - state.s_m - EYE_M
    rows = (hides > 0.0) & (ahead > 0.0)
    seen = far * ahead[rows] / hides[rows]
    return min(SIGHT_M, float(seen.min(initial=SIGHT_M)) + EYE_M), False


def _legs(
    state: Beside,
    speed: float,
    boxes: Boxes,
    group: IntArray,
    aside: float,
    ego: FloatArray,
    corridor: Corridor,
) -> tuple[tuple[Leg, ...], float] | None:
    """Out, along and back; and path metres of the line where we are back on it."""
    lo, hi = float(boxes.lo_m[group].min()), float(boxes.hi_m[group].max())
    pace = float(boxes.speed_mps[group].max())
    if pace > 0.0:  # they ride on while we overtake
        ours = max(speed, 0.9 * float(corridor.limit_mps[sample_at(corridor, state.s_m)]))
        if ours - pace < 2.0:
            return None
        hi += pace * (hi + 4.0 - state.s_m) / (ours - pace)
        lo += pace * max(0.0, lo - 8.0 - state.s_m) / (ours - pace)
    begin = (state.d_m, state.slope, state.bend_1pm)
    room = lo - state.s_m - 0.6 * float(ego[E_FRONT])
    firm = leg_length(begin, aside, speed, FIRM_MPS2)
    least = leg_length(begin, aside, 1.5, FIRM_MPS2)
    brisk = max(speed, SWING_MPS)
    gentle = max(leg_length(begin, aside, brisk, GENTLE_MPS2), 2.5 * speed, 6.0)
    out = max(least, min(gentle, room)) if room < firm else min(room, gentle)
    if not _swings_past(begin, out, aside, lo - state.s_m - max(0.0, room - out), ego):
        out = max(least, min(firm, room))
        if not _swings_past(begin, out, aside, lo - state.s_m - max(0.0, room - out), ego):
            return None
    wait = room - out
    legs: tuple[Leg, ...] = (Leg(0.0, out, aside),)
    if wait > 6.0:
        hold = state.d_m if 0.0 < state.d_m / aside < 1.0 else 0.0
        legs = (Leg(0.0, wait, hold), Leg(wait, out, aside))
    passed = max(hi + float(ego[E_REAR]) + PAST_M - state.s_m, legs[-1].begin_m + out)
    swift = max(speed, 5.0)
    back = max(leg_length((aside, 0.0, 0.0), 0.0, swift, GENTLE_MPS2), 2.0 * swift)
    side = math.copysign(1.0, aside)
    edge = boxes.left_m[group] if aside > 0.0 else -boxes.right_m[group]
    if pace == 0.0 and side * aside - float(ego[E_HALF_WIDTH]) - float(edge.max()) > 0.9 * ROOM_M:
        passed = max(passed - EARLY_SHARE * back, legs[-1].begin_m + out)
    legs += (Leg(passed, back, 0.0),)
    return legs, state.s_m + passed + back


def _swings_past(
    begin: tuple[float, float, float], out: float, aside: float, lo: float, ego: FloatArray
) -> bool:
    """Whether our side, from axle to front corner, is far enough out where it passes the nearest
    edge, `lo` metres ahead: the front leads the axle by the slope of the path."""
    u = np.linspace(0.0, 1.0, 33)
    side = quintic(u, out, begin, aside)
    lead = lo - u * out
    reached = side + lead * np.gradient(side, u * out)
    short = (aside - reached) * math.copysign(1.0, aside - begin[0])
    passing = (lead >= 0.0) & (lead <= float(ego[E_FRONT]))
    return bool((short[passing] <= SWING_M).all()) and lo > float(ego[E_FRONT]) - 0.5


def _until_out_m(
    state: Beside, legs: tuple[Leg, ...], side: int, edge_m: float, ego: FloatArray
) -> float:
    """How far ahead of the rear axle our bumper will be when our front corner is so far over the
    middle of the road that nobody gets by."""
    s = state.s_m + np.arange(0.0, legs[-1].begin_m, STEP_M)
    aside = side * offsets(s, state, legs)
    corner = aside + float(ego[E_FRONT]) * np.gradient(aside, s) + float(ego[E_HALF_WIDTH])
    out = np.flatnonzero(corner > edge_m + IN_THE_WAY_M)
    return float(s[out[0]] - state.s_m + ego[E_FRONT]) if len(out) else math.inf


def _nearest_part(boxes: Boxes, group: IntArray, side: int) -> IntArray:
    """The group without those slices of whom we pass closest that stand farther off our line:
    who stands across gives way as fast as we come back."""
    edge = boxes.left_m[group] if side > 0 else -boxes.right_m[group]
    closest = int(boxes.track[group[int(np.argmax(edge))]])
    recedes = (boxes.track[group] == closest) & (edge < edge.max() - RECEDES_M)
    kept: IntArray = group[~recedes]
    return kept


def _over_the_line(
    road_map: RoadMap,
    line: Line,
    state: Beside,
    legs: tuple[Leg, ...],
    until_m: float,
    side: int,
    half: float,
    keeps_lane: bool,
) -> bool | None:
    """Whether the way aside uses the oncoming lane; None where it must not go at all."""
    lo, hi = int(state.s_m / STEP_M), int(until_m / STEP_M)
    over = inside = False
    towards_oncoming = (side > 0) != road_map.left_hand
    lanes = line.path.lane[lo : hi + 1]
    along = STEP_M * np.arange(lo, lo + len(lanes)).astype(np.float64)
    offset = side * offsets(along, state, legs)
    for lane in np.unique(lanes).tolist():
        if road_map.lane_connector[lane]:
            inside = True  # judged by its area
            continue
        edge = 0.5 * float(road_map.lane_width_m[lane])
        beyond = float(offset[lanes == lane].max()) + half - edge
        if beyond <= (-KEEPS_M if keeps_lane else OVER_LINE_M):
            continue
        if keeps_lane:
            return None
        left = side > 0
        other = int((road_map.lane_left if left else road_map.lane_right)[lane])
        legal = bool((road_map.lane_left_ok if left else road_map.lane_right_ok)[lane])
        if other != NONE and legal and beyond <= INTO_NEXT_M:  # more is a lane change
            continue
        if not towards_oncoming or not road_map.lane_opposite_ok[lane]:
            return None
        over = True
    return None if over and inside else over  # nobody passes through a junction on the wrong side


def on_the_road(memory: Memory, corridor: Corridor, here_m: float) -> bool:
    """Whether our body stays on the drivable area until it is back on the line."""
    ego = memory.context.ego
    i, j = sample_at(corridor, here_m), sample_at(corridor, corridor.settled_m)
    rows = slice(i, j + 1, 2)
    xy, angle = corridor.path.xy_m[rows], corridor.path.heading_rad[rows]
    ahead = np.column_stack((np.cos(angle), np.sin(angle)))
    left = np.column_stack((-ahead[:, 1], ahead[:, 0])) * ego[E_HALF_WIDTH]
    front, rear = xy + ahead * ego[E_FRONT], xy - ahead * ego[E_REAR]
    corners = np.stack((front + left, front - left, rear + left, rear - left), axis=1)
    return bool(covers(memory.context.area, corners).all())


def pass_time_s(corridor: Corridor, start: Start) -> float:
    """Seconds until the corridor is settled, speeding up softly within its speed profile."""
    i, j = sample_at(corridor, start.s_m), sample_at(corridor, corridor.settled_m)
    gone = np.arange(j - i + 1) * STEP_M
    speed = np.sqrt(start.speed_mps**2 + 2.0 * PASS_ACCEL_MPS2 * gone + 0.25)
    speed = np.minimum(speed, corridor.v_ref_mps[i : j + 1])
    return float((STEP_M / np.maximum(speed, 0.5)).sum())


def _clear(
    tracks: Tracks,
    line: Line,
    from_m: float,
    until_m: float,
    time_s: float,
    corridor: Corridor,
    start: Start,
    sight_m: float,
    looked: bool,
) -> bool:
    """Whether nobody comes towards us for the whole pass and a while more, as far as we see."""
    limit = float(corridor.limit_mps[sample_at(corridor, start.s_m)])
    unseen = limit * time_s
    if (
        looked and start.speed_mps < SETS_OUT_MPS
    ):  # at walking pace whoever comes into sight can still stop
        unseen = min(unseen, limit + limit * limit / (2.0 * THEIR_BRAKE_MPS2))
    if until_m - from_m + unseen > sight_m:
        return False
    path = line.path
    for i in range(tracks.count):
        if tracks.kind[i] == UserKind.PEDESTRIAN or tracks.speed_mps[i] < STILL_MPS:
            continue
        here = pose_at(path, from_m)
        dx, dy = float(tracks.x_m[i]) - here.x_m, float(tracks.y_m[i]) - here.y_m
        way = math.hypot(dx, dy)
        dist = np.hypot(path.xy_m[:, 0] - tracks.x_m[i], path.xy_m[:, 1] - tracks.y_m[i])
        at = int(np.argmin(dist))
        beside_us = at * STEP_M - 0.5 * float(tracks.length_m[i]) < from_m + BESIDE_M
        if beside_us or dist[at] > 7.0:
            continue
        if math.cos(float(tracks.heading_rad[i]) - float(path.heading_rad[at])) > -0.5:
            continue
        place = at * STEP_M if at < len(path.xy_m) - 2 else from_m + way
        speed = float(tracks.speed_mps[i]) + 0.5
        if place - 0.5 * float(tracks.length_m[i]) - speed * (time_s + CLEAR_S) < until_m:
            return False
    return True
