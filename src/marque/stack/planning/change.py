"""Lane changes: those that the route needs or that pay, how long they take, and the way back."""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import project, wrap_angle
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_REAR, E_STEER
from marque.maps.field import side_at
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor, centre_line, corridor_beside
from marque.stack.planning.gaps import (
    AHEAD_M,
    CLOSE,
    HOPED,
    LAST,
    POLITE,
    PRESSING,
    REGAINS_S,
    SETS_OUT_MPS2,
    SLOW_MPS,
    URGENT,
    Courtesy,
    Entry,
    Gap,
    Row,
    Us,
    best_gap,
    entry,
    fits,
    room_ahead,
    row_on,
    with_the_row,
)
from marque.stack.planning.locate import settle_on
from marque.stack.planning.overtake import FAST_MPS, SPARE_S, fast, room_needed_m, worth
from marque.stack.planning.sideways import (
    FIRM_MPS2,
    GENTLE_MPS2,
    MOST_MPS2,
    Beside,
    Leg,
    Pose,
    beside,
    leg_length,
    pose_at,
)
from marque.stack.planning.state import (
    Memory,
    Option,
    Start,
    ahead_m,
    finite,
    lane_at,
    lanes_before,
    neighbour,
    room_beside,
    route_for,
    sample_at,
)
from marque.types.codes import UserKind
from marque.types.road_map import NONE
from marque.types.scene import Scene, Tracks

CHANGE_PAUSE_S = 3.0
AHEAD_OF_TIME_S = 16.0  # how long before the last chance we begin to look for a gap, and
DENSE_S, LONGEST_S = 4.0, 40.0  # how much longer for each one who drives there; at most so long
LEAST_END_M = 2.0  # a change is over so long before the lanes part
BRAKE_MPS2, ONSET_S, CREEP_MPS = 1.8, 0.5, 1.5  # how we would slow down on the way
MOSTLY_OURS = 0.35  # of a lane's width: no farther away, we may still go back
WORTH_M = 150.0  # an unneeded change needs so much road before it would have to be undone
WORTH_S = 6.0  # and, on a fast road, so many seconds more
RETURN_COST, ABORT_COST = 2.0, 4.0  # a change that has begun is given up for need
BACK_M = 30.0  # who drives farther behind us is no part of the crowd
SWINGS_MPS, HARDLY_MOVES_MPS, SWING_CLEAR_M = 3.0, 1.0, 0.3  # of changes that begin slowly
ENTERS_SHARE = 0.35  # of a change's length, after which our side is over the line
LEAST_SPEED2 = 0.25  # (m/s)^2, so that who sets out from rest gets there at all
# nearer to the last chance than this and a soft stop, we press; and are urgent within
PATIENT_M, PATIENT_S = 25.0, 3.0
PATIENCE_S = 6.0  # for a gap in which we ask less of others
ALIGNED_RAD = 0.2  # nobody changes lanes in the middle of a turn
BRISK_MPS2 = 1.3  # of who sets out from rest onto a fast road, on average
SLOW_S = 1.0  # of waiting is each m/s worth that we slow down below those whom we join, there
# on a fast road: what is asked of others, its cost, and how long before the last chance it may be
ASKED = (
    ((POLITE, 0.0), math.inf),
    ((CLOSE, 0.5), math.inf),
    ((PRESSING, 1.5), 25.0),
    ((URGENT, 3.0), 16.0),
    ((LAST, 8.0), 7.0),
)
HOPED_COST_S = 6.0  # of a gap at the speed of the others that has yet to be opened for us
URGENT_M, URGENT_S, URGENT_MPS2 = 10.0, 1.0, 2.3


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """A lane change that the route needs and that is not possible now: the gap to aim for."""

    gap: Gap
    leader_m: float  # path metres of the leader's middle on our corridor
    behind: bool  # we are well behind the leader already
    headway_s: float  # behind the leader, with which we would fall in
    side: int = 0  # where we need to go: +1 left, -1 right; 0 on a lane that is not beside us yet


@dataclass(frozen=True, slots=True)
class Ramp:
    """How fast we may be until our lane is beside the other, and whether that is a fast road."""

    most_mps: float
    fast: bool


ON_THE_LEVEL = Ramp(math.inf, False)


def changes(
    memory: Memory, scene: Scene, corridor: Corridor, start: Start, blocked: bool
) -> tuple[list[Option], Wish | None]:
    """Lane changes that can begin now; and what to do for one that cannot."""
    pause = scene.t_ns - memory.changed_ns < CHANGE_PAUSE_S * 1e9
    options: list[Option] = []
    wish: Wish | None = None
    road_map = memory.context.mission.road_map
    lane, lane_s = _place(memory, corridor, start)
    wanted = side_at(road_map, route_for(memory), lane, max(0.0, lane_s))
    if wanted != 0 and _far_off(memory, scene, corridor, start, lane, lane_s, wanted):
        wanted = 0
    free = fast(corridor, start.s_m)
    for side in (1, -1):
        needed = wanted == side
        unneeded = free or blocked or _held_up(corridor, start)
        if not needed and (pause or wanted == -side or not unneeded):
            continue
        option, aim = _change(memory, scene, corridor, start, side, needed, blocked)
        if option is not None:
            options.append(option)
        wish = replace(aim, side=side) if needed and aim is not None else wish
    if wanted == 0:
        wish = look_ahead(memory, scene, corridor, start)
    return options, wish


def _change(
    memory: Memory,
    scene: Scene,
    corridor: Corridor,
    start: Start,
    side: int,
    needed: bool,
    blocked: bool,
) -> tuple[Option | None, Wish | None]:
    """The change to one side: a corridor if it can begin now, and the gap to aim for until it has
    begun."""
    context = memory.context
    road_map, route = context.mission.road_map, route_for(memory)
    lane, lane_s = _place(memory, corridor, start)
    other, legal = neighbour(road_map, lane, side)
    if other == NONE or not legal or not finite(float(route.cost_s[other])):
        return None, None
    pose = pose_at(corridor.path, start.s_m)
    other_s = along_lane(memory, other, pose)
    us = _us(memory, corridor, start, other_s)
    row = row_on(road_map, route, other, scene.tracks)
    cost = 0.0 if needed or blocked else context.style.lane_change_cost
    if not needed and fast(corridor, start.s_m) and not blocked:
        pays = _pays(memory, scene, corridor, start, row, us, side)
        if pays is None:
            return None, None
        cost = -pays
    elif not needed and not _worth(memory, other, other_s, blocked):
        return None, None
    left = float(route.last_chance_m[lane]) - lane_s if needed else math.inf
    courtesy = _courtesy(left, us, row)
    if needed:
        courtesy = gentlest(row, us, courtesy, left)
    if context.style.gap_s and courtesy in (POLITE, CLOSE):
        courtesy = replace(courtesy, behind_s=courtesy.behind_s + context.style.gap_s)
    hurried = needed and fast(corridor, start.s_m)
    if hurried:
        courtesy = _hurried(row, us, left)
    option: Option | None = None
    opens = fits(row, us, courtesy, entry(us))
    if opens and not leads_behind_block(row.track, row.s_m, us, scene.tracks):
        room = room_beside(road_map, route, lane, side) - lane_s - LEAST_END_M
        built = change_to(memory, corridor, start, pose, other, other_s, room, side)
        opens = built is not None and fits(row, us, courtesy, entry_on(*built))
        if built is not None and opens and swings_clear(*built, context.ego, scene.tracks):
            option = Option(built[0], built[1], cost)
    if not needed or left > looks_from_m(row, us):
        return option, None
    ramp = Ramp(math.inf, hurried)
    wish = _aim(row, us, courtesy, 0.0, left, start.s_m, _kept(memory, scene.tracks), ramp)
    return option, wish


def _far_off(
    memory: Memory,
    scene: Scene,
    corridor: Corridor,
    start: Start,
    lane: int,
    lane_s: float,
    side: int,
) -> bool:
    """Whether, on a fast road, there is time yet before the route has to leave this lane."""
    if not fast(corridor, start.s_m):
        return False
    road_map, route = memory.context.mission.road_map, route_for(memory)
    other, _ = neighbour(road_map, lane, side)
    if other == NONE:
        return False
    us = _us(memory, corridor, start, along_lane(memory, other, pose_at(corridor.path, start.s_m)))
    looks_m = looks_from_m(row_on(road_map, route, other, scene.tracks), us)
    left = float(route.last_chance_m[lane]) - lane_s
    return left > room_needed_m(road_map, route, lane, start.speed_mps, looks_m)


def _pays(
    memory: Memory,
    scene: Scene,
    corridor: Corridor,
    start: Start,
    row: Row,
    us: Us,
    side: int,
) -> float | None:
    """What a change is worth on a fast road that the route does not need, None: nothing. It has to
    leave time to come back for the route."""
    road_map, route = memory.context.mission.road_map, route_for(memory)
    lane, lane_s = _place(memory, corridor, start)
    other, _ = neighbour(road_map, lane, side)
    v = start.speed_mps
    if route.best_side[other] != 0:
        left = float(route.last_chance_m[other]) - us.s_m
        looks_m = looks_from_m(row, us)
        if left < room_needed_m(road_map, route, other, v, looks_m) + SPARE_S * v:
            return None
    if not _leads_on(memory, other, us.s_m, v):
        return None
    ours = replace(us, s_m=lane_s)
    own = row_on(road_map, route, lane, scene.tracks)
    return worth(memory, corridor, start, own, row, ours, us, side)


def _leads_on(memory: Memory, lane: int, s_m: float, v: float) -> bool:
    """Whether a lane goes on for a while, and is none that leaves or ends soon."""
    road_map, route = memory.context.mission.road_map, route_for(memory)
    left, need = float(road_map.lane_length_m[lane]) - s_m, WORTH_M + WORTH_S * v
    while left < need:
        over = int(route.best_next[lane])
        if over == NONE or not finite(float(route.cost_s[over])):
            return False
        left += float(road_map.lane_length_m[over])
        lane = over
        if lane == route.goal_lane:
            return True
    return True


def _place(memory: Memory, corridor: Corridor, start: Start) -> tuple[int, float]:
    """(lane, s along it) from which we change: that of our rear axle; or, with our bumper on it and
    the axle still before it (s negative), the one that we must leave: it may be shorter than we."""
    lane, lane_s = lane_at(corridor, start.s_m)
    path = corridor.path
    begin = float(path.start_m[len(path.lanes) - 1]) - start.s_m
    if corridor.end_kind == "lane_change" and 0.0 < begin < memory.context.ego[E_FRONT]:
        ahead = pose_at(path, start.s_m + begin).heading_rad
        if abs(wrap_angle(ahead - pose_at(path, start.s_m).heading_rad)) < ALIGNED_RAD:
            return path.lanes[-1], -begin
    return lane, lane_s


def _courtesy(left_m: float, us: Us, row: Row) -> Courtesy:
    """We press where we, or those whom we join, would soon have to slow down for the end of our
    lane, and more so where we would stop."""
    v = us.speed_mps
    if left_m < URGENT_M + URGENT_S * v + v * v / (2.0 * URGENT_MPS2):
        return URGENT
    v = max(v, float(row.speed_mps[_crowd(row, us)].max(initial=0.0)))
    near = left_m < PATIENT_M + PATIENT_S * v + v * v / (2.0 * BRAKE_MPS2)
    return PRESSING if near else POLITE


def gentlest(row: Row, us: Us, courtesy: Courtesy, left_m: float) -> Courtesy:
    """`courtesy`, or as much gentler as a gap allows that we can be in soon: nobody is made to
    brake where a little patience, or going on a little nearer to who is ahead, does it. Patience
    does nothing for who is slower than those who come, and who is slow takes what comes."""
    behind = np.flatnonzero(row.s_m < us.s_m)
    comes = float(row.speed_mps[behind[-1]]) if len(behind) else 0.0
    if us.speed_mps < max(SLOW_MPS, comes):
        return courtesy
    for gentler in (POLITE, CLOSE, PRESSING):
        if gentler is courtesy:
            break
        gap = best_gap(row, us, gentler, 0.0, left_m)
        if gap is not None and gap.time_s <= PATIENCE_S:
            return gentler
    return courtesy


def _crowd(row: Row, us: Us) -> BoolArray:
    """[m] those near us."""
    near: BoolArray = (row.s_m > us.s_m - BACK_M) & (row.s_m < us.s_m + AHEAD_M)
    return near


def _kept(memory: Memory, tracks: Tracks) -> int | None:
    """Track of who leads the gap that we aimed for, -1 if nobody does, None if we did not."""
    if memory.aimed is None or memory.aimed < 0:
        return memory.aimed
    found = np.flatnonzero(tracks.uid == memory.aimed)
    return int(found[0]) if len(found) else None


def _aim(
    row: Row,
    us: Us,
    courtesy: Courtesy,
    begin_m: float,
    left_m: float,
    here_m: float,
    kept: int | None,
    ramp: Ramp = ON_THE_LEVEL,
) -> Wish | None:
    """The best gap of a row between `begin_m` and `left_m` metres from here; a tighter one where no
    wide one can be reached, and one for which we let others by and catch up where there is none."""
    gap: Gap | None = None
    if ramp.fast:
        asked = (*_asked(left_m, us), (HOPED, HOPED_COST_S))
        courtesy, gap = _least(row, us, asked, begin_m, left_m, kept, ramp.most_mps)
    else:
        found = ((c, s) for s in ((0.0,), REGAINS_S) for c in dict.fromkeys((courtesy, URGENT)))
        for courtesy, regains_s in found:
            gap = best_gap(row, us, courtesy, begin_m, left_m, kept, regains_s)
            if gap is not None:
                break
    if gap is None and ramp.fast:
        gap = with_the_row(row, us, left_m)
    if gap is None:
        return None
    at = np.flatnonzero(row.track == gap.leader)
    if len(at) == 0:
        return Wish(gap, math.inf, False, courtesy.ahead_s)
    ahead = float(row.s_m[at[0]]) - us.s_m
    room = ahead - float(row.half_m[at[0]]) - us.front_m
    behind = room > room_ahead(us.speed_mps, float(row.speed_mps[at[0]]), courtesy)
    return Wish(gap, here_m + ahead, bool(behind), courtesy.ahead_s)


def _asked(left_m: float, us: Us) -> tuple[tuple[Courtesy, float], ...]:
    """What may be asked of others on a fast road, and what that costs in seconds of waiting: even
    the most keeps them from braking hard, and who comes slowly for courtesy asks more of them."""
    time_s = left_m / max(us.speed_mps, 1.0)
    return tuple(row for row, within_s in ASKED if time_s < within_s)


def _hurried(row: Row, us: Us, left_m: float) -> Courtesy:
    """What to ask of others on a fast road: as little as the best gap does; and where no gap can be
    aimed for any more, the gentlest that lets us in now."""
    asked = _asked(left_m, us)
    courtesy, gap = _least(row, us, asked, 0.0, left_m, None, math.inf)
    if gap is None:
        now = entry(us)
        courtesy = next((each for each, _ in asked if fits(row, us, each, now)), courtesy)
    return courtesy


def _least(
    row: Row,
    us: Us,
    asked: tuple[tuple[Courtesy, float], ...],
    begin_m: float,
    left_m: float,
    kept: int | None,
    most_mps: float,
) -> tuple[Courtesy, Gap | None]:
    """The gap that costs least, whatever it asks of others, and what it asks."""
    best: tuple[Courtesy, Gap | None] = (asked[-1][0], None)
    least = math.inf
    for courtesy, cost_s in asked:
        gap = best_gap(
            row, us, courtesy, begin_m, left_m, kept, (0.0, *REGAINS_S), most_mps, SLOW_S
        )
        if gap is not None and gap.cost_s + cost_s < least:
            best, least = (courtesy, gap), gap.cost_s + cost_s
    return best


def looks_from_m(row: Row, us: Us) -> float:
    """How far before the last chance we begin to look for a gap: where many drive, a gap that we
    pass by may have been the last one."""
    time = min(LONGEST_S, AHEAD_OF_TIME_S + DENSE_S * int(_crowd(row, us).sum()))
    return time * max(us.speed_mps, 2.0)


def look_ahead(memory: Memory, scene: Scene, corridor: Corridor, start: Start) -> Wish | None:
    """The gap to aim for on a lane that will be beside us only later, as on a ramp."""
    road_map, route = memory.context.mission.road_map, route_for(memory)
    if corridor.end_kind != "lane_change":
        return None
    lane = corridor.path.lanes[-1]
    begin = float(corridor.path.start_m[-1]) - start.s_m
    left = corridor.end_m - start.s_m
    side = int(route.best_side[lane])
    other, legal = neighbour(road_map, lane, side)
    near = left < AHEAD_OF_TIME_S * max(start.speed_mps, 2.0)
    if begin <= 0.0 or not near or other == NONE or not legal or start.speed_mps < 5.0:
        return None
    us = _us(memory, corridor, start, -begin)
    there = float(
        corridor.limit_mps[sample_at(corridor, float(corridor.path.start_m[-1]) + STEP_M)]
    )
    ramp = Ramp(us.limit_mps, there >= FAST_MPS)
    us = replace(us, limit_mps=max(us.limit_mps, there) if ramp.fast else us.limit_mps)
    row = row_on(road_map, route, other, scene.tracks)
    kept = _kept(memory, scene.tracks)
    return _aim(row, us, PRESSING, begin, left, start.s_m, kept, ramp)


def _us(memory: Memory, corridor: Corridor, start: Start, s_m: float) -> Us:
    ego = memory.context.ego
    limit = float(corridor.limit_mps[sample_at(corridor, start.s_m)])
    accel = _sets_out(corridor, start)
    return Us(s_m, start.speed_mps, accel, float(ego[E_FRONT]), float(ego[E_REAR]), limit)


def _sets_out(corridor: Corridor, start: Start) -> float:
    """Our acceleration on the way to another lane; onto a fast road nobody sets out slowly."""
    slow = start.speed_mps < SLOW_MPS and fast(corridor, start.s_m)
    return max(start.accel_mps2, BRISK_MPS2) if slow else start.accel_mps2


def change_to(
    memory: Memory,
    corridor: Corridor,
    start: Start,
    pose: Pose,
    lane: int,
    lane_s: float,
    room_m: float,
    side: int,
) -> tuple[Corridor, Start] | None:
    """Corridor of a change to a lane that begins now, None where it cannot be driven."""
    context = memory.context
    road_map, route = context.mission.road_map, route_for(memory)
    # it has to show road enough until it is settled: before that it does not grow
    wide = ahead_m(float(corridor.limit_mps[sample_at(corridor, start.s_m)]))
    wide += max(20.0, 1.5 * context.style.lane_change_s * start.speed_mps)
    head = lanes_before(road_map, lane)
    line = centre_line(road_map, route, context.ego, context.area, head, lane, lane_s, wide)
    state = beside(line.path, pose, line.here_m)
    pace_s, wheel_1pms = context.style.lane_change_s, float(context.ego[E_STEER])
    length = change_length(state, start, pace_s, wheel_1pms, room_m)
    if length is None:
        return None
    name = "change_left" if side > 0 else "change_right"
    legs = (Leg(0.0, length, 0.0),)
    built, here = corridor_beside(
        road_map, route, context.style, context.ego, line, state, legs, name, pose
    )
    begun = Start(here, start.speed_mps, start.accel_mps2)
    return (built, begun) if drivable(built, begun, built.settled_m) else None


def entry_on(corridor: Corridor, start: Start) -> Entry:
    """When we would be in the way of others on the other lane, on the path of a change."""
    way = max(STEP_M, ENTERS_SHARE * (corridor.settled_m - start.s_m))
    i, j = sample_at(corridor, start.s_m), sample_at(corridor, start.s_m + way)
    gone = np.arange(j - i + 1) * STEP_M
    accel = max(_sets_out(corridor, start), SETS_OUT_MPS2) if start.speed_mps < SLOW_MPS else 0.0
    speed = np.sqrt(start.speed_mps**2 + 2.0 * accel * gone + LEAST_SPEED2)
    speed = np.minimum(speed, corridor.v_ref_mps[i : j + 1])
    return Entry(float((STEP_M / speed).sum()), len(gone) * STEP_M, float(speed[-1]))


def change_length(
    state: Beside, start: Start, pace_s: float, wheel_1pms: float, room_m: float
) -> float | None:
    """At leisure where there is room, firmly where there is little; slower, if that helps. Who
    speeds up is faster on the way: where there is room, the wheel keeps up with that too."""
    begin = (state.d_m, state.slope, state.bend_1pm)
    least = leg_length(begin, 0.0, CREEP_MPS, FIRM_MPS2)
    if room_m < least:
        return None
    speed = start.speed_mps + 0.5 * pace_s * max(0.0, start.accel_mps2)
    gentle = leg_length(begin, 0.0, speed, GENTLE_MPS2, wheel_1pms)
    return min(room_m, max(gentle, pace_s * speed))


def drivable(corridor: Corridor, start: Start, until_m: float) -> bool:
    """Whether we could follow the path up to there, if we braked softly from now on."""
    i, j = sample_at(corridor, start.s_m), sample_at(corridor, until_m)
    gone = np.arange(j - i + 1) * STEP_M
    braked = np.maximum(0.0, gone - ONSET_S * start.speed_mps)
    speed2 = np.maximum(CREEP_MPS**2, start.speed_mps**2 - 2.0 * BRAKE_MPS2 * braked)
    speed2 = np.minimum(speed2, max(start.speed_mps, CREEP_MPS) ** 2)
    lateral = speed2 * np.abs(corridor.path.curvature_1pm[i : j + 1])
    return bool((lateral <= MOST_MPS2).all())


def swings_clear(corridor: Corridor, start: Start, ego: FloatArray, tracks: Tracks) -> bool:
    """Whether our front corners stay off everybody who hardly moves, on a change that begins
    slowly: one who is expected to drive on may not."""
    if start.speed_mps > SWINGS_MPS:
        return True
    path = corridor.path
    ahead = slice(sample_at(corridor, start.s_m), sample_at(corridor, corridor.settled_m) + 1)
    xy, psi = path.xy_m[ahead], path.heading_rad[ahead]
    along = np.column_stack((np.cos(psi), np.sin(psi)))
    left = float(ego[E_HALF_WIDTH]) * np.column_stack((-along[:, 1], along[:, 0]))
    front = xy + float(ego[E_FRONT]) * along
    corners = np.vstack((front + left, front - left))
    slow = (tracks.speed_mps < HARDLY_MOVES_MPS) & (tracks.kind != UserKind.PEDESTRIAN)
    for i in np.flatnonzero(slow).tolist():
        dx, dy = corners[:, 0] - tracks.x_m[i], corners[:, 1] - tracks.y_m[i]
        c, s = math.cos(tracks.heading_rad[i]), math.sin(tracks.heading_rad[i])
        inside = np.abs(dx * c + dy * s) < 0.5 * tracks.length_m[i] + SWING_CLEAR_M
        inside &= np.abs(dy * c - dx * s) < 0.5 * tracks.width_m[i] + SWING_CLEAR_M
        if inside.any():
            return False
    return True


def along_lane(memory: Memory, lane: int, pose: Pose) -> float:
    """Metres along a lane of the point next to a pose."""
    road_map = memory.context.mission.road_map
    xy = road_map.points(lane)
    s, _, _ = project(xy, road_map.arc(lane), pose.x_m, pose.y_m, 0, len(xy) - 1)
    return s


def leads_behind_block(track: np.ndarray, s_m: np.ndarray, us: Us, tracks: Tracks) -> bool:
    """Whether the next one there has stood for a while: we would only wait behind it."""
    ahead = np.flatnonzero(s_m > us.s_m + us.front_m)
    if len(ahead) == 0:
        return False
    one = int(track[ahead[0]])
    near = float(s_m[ahead[0]]) - us.s_m < 40.0
    return near and float(tracks.still_s[one]) > 6.0 and us.speed_mps > 1.0


def _held_up(corridor: Corridor, start: Start) -> bool:
    """Well below what the road allows."""
    return start.speed_mps < 0.7 * float(corridor.v_ref_mps[sample_at(corridor, start.s_m)])


def _worth(memory: Memory, other: int, other_s: float, blocked: bool) -> bool:
    """Whether the other lane goes on for a while from there without forcing us back at once."""
    route = memory.context.route
    chance = float(route.last_chance_m[other]) - other_s
    if blocked:
        return not math.isfinite(chance) or chance > 60.0
    return (not math.isfinite(chance) or chance > WORTH_M) and route.best_side[other] == 0


def abort(memory: Memory, corridor: Corridor, start: Start) -> Option | None:
    """Back to the lane we came from, while we are still mostly in it."""
    if corridor.manoeuvre not in ("change_left", "change_right"):
        return None
    context = memory.context
    road_map = context.mission.road_map
    lane, _ = lane_at(corridor, start.s_m)
    side = -1 if corridor.manoeuvre == "change_left" else 1
    origin, _ = neighbour(road_map, lane, side)
    if origin == NONE or not finite(float(context.route.cost_s[origin])):
        return None
    pose = pose_at(corridor.path, start.s_m)
    xy = road_map.points(origin)
    s, d, _ = project(xy, road_map.arc(origin), pose.x_m, pose.y_m, 0, len(xy) - 1)
    width = 0.5 * float(road_map.lane_width_m[origin] + road_map.lane_width_m[lane])
    if abs(d) > MOSTLY_OURS * width:
        return None
    limit = float(corridor.limit_mps[sample_at(corridor, start.s_m)])
    back = settle_on(memory, origin, s, pose, start, limit)
    given_up: frozenset[int] = frozenset()
    if back.corridor.settled_m > back.corridor.end_m:  # then past the last chance, and round
        given_up = frozenset(back.corridor.path.lanes)
        memory = replace(memory, detour=memory.detour | given_up)
        back = settle_on(memory, origin, s, pose, start, limit)
    if back.corridor.settled_m > back.corridor.end_m:
        return None
    if not drivable(back.corridor, back.start, back.corridor.settled_m):
        return None
    return Option(back.corridor, back.start, ABORT_COST, given_up)
