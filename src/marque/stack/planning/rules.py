"""Rules of the road as stop targets: those that bind now, and those that a policy may choose.

Positions are path metres of the front bumper. A binding stop enters every policy; an optional one
is a place to wait at if the rollout finds that going on is not safe.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from marque.kernels.following import stop_distance
from marque.maps.path import STEP_M
from marque.stack.planning import charted
from marque.stack.planning.corridor import CLEAR_M, Corridor, Crossing, Junction, Way
from marque.types.codes import Control, Reason, SignalState, Turn, UserKind
from marque.types.road_map import RoadMap
from marque.types.scene import Scene, Tracks

LINE_MARGIN_M = 0.7  # front bumper before a stop line
WALK_MARGIN_M = 1.2
ZONE_MARGIN_M = 1.0
SEEN_WITHIN_M = 45.0  # a signal that is still unknown here is treated as out of order
AMBER_S = 2.8  # how long amber lasts at least, with something to spare
LATE_MPS2, LATE_MPS3 = 3.4, 4.0
HELD_UP_S = 0.4  # who goes on and would come so late over the line decides again
AMBER_BRAKE_MPS2, AMBER_JERK_MPS3 = 2.9, 2.5
WALK_BRAKE_MPS2 = 3.2  # for somebody at a crosswalk; beyond, the rollouts decide
CHANGE_FROM_REST_M = 15.0  # rear axle to the lane's end where a change begins at rest
BUMPER_M = 0.5  # to the end of the lane that the goal is on
END_BRAKE_MPS2, END_JERK_MPS3, END_M = 2.0, 1.0, 20.0  # before the end of all that is known
STOOD_MPS = 0.2
CREEP_MPS, OVER_MOST_M = 1.0, 2.0
STEP_OUT_M = 2.0  # a pedestrian this near to the kerb of a crosswalk may step on it
WALK_NEAR_M, AT_LINE_M = 5.0, 0.3  # from a stop line to the crosswalk behind it; at the line
WAITS_S = 3.0  # somebody who has stood for longer is waiting, not walking

_STOPPING = (SignalState.RED, SignalState.RED_AMBER)


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to stand, why, and for whom."""

    at_m: float
    reason: Reason
    uid: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class RuleMemory:
    """What has been decided at junctions ahead, and before which connectors we have stood."""

    amber_go: frozenset[int] = frozenset()
    amber_stop: frozenset[int] = frozenset()
    stood: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Rules:
    """Result of one look at the corridor. `quiet`: crosswalks that nobody may step on now; `walks`:
    those on which people go first; `ways`: on which others may come who go first; `coming`: those
    of them that no light holds as far as we know, each with its junction."""

    ways: list[Way] = field(default_factory=list)
    coming: list[tuple[Junction, Way]] = field(default_factory=list)
    quiet: set[int] = field(default_factory=set)
    walks: set[int] = field(default_factory=set)
    binding: list[Stop] = field(default_factory=list)
    optional: list[Stop] = field(default_factory=list)

    @property
    def crossed(self) -> list[Way]:
        """Ways of `coming` that cross ours."""
        return [way for _, way in self.coming if way.crosses]


def apply_rules(
    memory: RuleMemory,
    road_map: RoadMap,
    corridor: Corridor,
    scene: Scene,
    front_m: float,
    speed_mps: float,
    rear_axle_to_front_m: float,
    length_m: float,
) -> tuple[RuleMemory, Rules]:
    """Every stop target between the front bumper (path metres) and the end of the corridor."""
    rules = Rules()
    ahead = frozenset(junction.lane for junction in corridor.junctions)
    memory = RuleMemory(memory.amber_go, memory.amber_stop, memory.stood & ahead)
    state = _Ahead(memory, road_map, corridor, front_m, speed_mps)
    for junction in charted.junctions(corridor, scene.chart):
        if junction.s_out_m < front_m:
            continue
        _junction(state, rules, scene, junction)
        rules.ways += [way for way in junction.ways if not _is_red(scene, way.head)]
        over = front_m > junction.stop_m
        rules.coming += [
            (junction, way) for way in junction.ways if _may_come(scene, junction, way, over)
        ]
    for crossing in corridor.crossings:
        if crossing.s_out_m > front_m:
            line = _before_walk(road_map, corridor, scene, crossing, front_m, speed_mps, length_m)
            _crosswalk(rules, road_map, corridor, scene, crossing, line, front_m, speed_mps)
    rules.binding += _charted(corridor, scene, front_m, speed_mps)
    _end(rules, corridor, rear_axle_to_front_m)
    _nowhere(rules, corridor, front_m, speed_mps)
    return state.memory, rules


def _charted(corridor: Corridor, scene: Scene, front_m: float, speed_mps: float) -> list[Stop]:
    """Before what the map does not have."""
    seen = charted.signal_stops(corridor, scene.chart, front_m, speed_mps, LINE_MARGIN_M)
    stops = [Stop(at_m, reason) for at_m, reason in seen]
    shut = charted.shut_stop(corridor, scene.chart, front_m, LINE_MARGIN_M)
    return [*stops, Stop(shut, Reason.NO_ROUTE)] if math.isfinite(shut) else stops


@dataclass(slots=True, eq=False)
class _Ahead:
    memory: RuleMemory
    road_map: RoadMap
    corridor: Corridor
    front_m: float
    speed_mps: float


def _is_red(scene: Scene, head: int) -> bool:
    return head >= 0 and int(scene.signal_state[head]) == SignalState.RED


def _may_come(scene: Scene, junction: Junction, way: Way, over: bool) -> bool:
    """Whether no light holds those on a way. Where theirs is not seen: they who come towards us
    mostly have green when we have; but not to go first where ours protects us. `over`: we are
    over our line, so that ours was green when it went out of sight."""
    theirs = int(scene.signal_state[way.head]) if way.head >= 0 else SignalState.OFF
    if theirs != SignalState.UNKNOWN:
        return theirs != SignalState.RED
    ours = int(scene.signal_state[junction.head]) if junction.head >= 0 else SignalState.OFF
    if ours == SignalState.GREEN:
        return way.towards and way.equal
    may = ours == SignalState.GREEN_YIELD or (over and ours == SignalState.UNKNOWN)
    return way.towards and may


def _junction(state: _Ahead, rules: Rules, scene: Scene, junction: Junction) -> None:
    line = junction.stop_m - LINE_MARGIN_M
    over = state.front_m - junction.stop_m
    # a car that creeps over its line at red has not begun to cross: the red still binds
    crossed = over > (OVER_MOST_M if state.speed_mps < CREEP_MPS else 0.2)
    reason = _reason(junction)
    if not crossed:
        signal = (
            SignalState(int(scene.signal_state[junction.head]))
            if junction.head >= 0
            else SignalState.OFF
        )
        since_s = float(scene.signal_since_s[junction.head]) if junction.head >= 0 else 0.0
        must = _must_stop(state, junction, signal, since_s)
        if must is not None:
            rules.binding.append(Stop(line, must))
            return
        if junction.yields or signal in (SignalState.GREEN_YIELD, SignalState.STOP_THEN_GO):
            rules.optional.append(Stop(line, reason))
    wait = junction.wait_m - ZONE_MARGIN_M
    if math.isfinite(junction.wait_m) and wait > max(line + 1.0, state.front_m - 0.5):
        rules.optional.append(Stop(wait, reason))


def _must_stop(
    state: _Ahead, junction: Junction, signal: SignalState, since_s: float
) -> Reason | None:
    place = int(state.road_map.lane_junction[junction.lane])
    memory = state.memory
    room = junction.stop_m - LINE_MARGIN_M - state.front_m
    if junction.head >= 0:
        if signal in _STOPPING:
            return Reason.RED_LIGHT
        if signal == SignalState.AMBER:
            return _amber(state, junction, room, AMBER_S - since_s)
        if signal == SignalState.UNKNOWN and room < SEEN_WITHIN_M:
            return None if _stood(state, junction, room) else Reason.SIGNAL_UNKNOWN
        if signal == SignalState.STOP_THEN_GO:
            return None if _stood(state, junction, room) else Reason.STOP_SIGN
        if place in memory.amber_go or place in memory.amber_stop:
            state.memory = RuleMemory(
                memory.amber_go - {place}, memory.amber_stop - {place}, memory.stood
            )
    if junction.control in (Control.STOP, Control.ALL_WAY_STOP) and signal == SignalState.OFF:
        return None if _stood(state, junction, room) else Reason.STOP_SIGN
    return None


def _amber(state: _Ahead, junction: Junction, room: float, left_s: float) -> Reason | None:
    """Decided at onset: stop if comfortable braking suffices, or firm braking where we would not
    be over the line before it is red. Who goes on, and is then held up, decides again; who stops,
    stops. It holds for the lanes beside, too: who changes lanes does not change their mind."""
    place = int(state.road_map.lane_junction[junction.lane])
    memory = state.memory
    if place in memory.amber_stop:
        return Reason.AMBER_LIGHT
    at_line = float(state.corridor.v_ref_mps[int(junction.stop_m / STEP_M)])  # a bend may lie there
    pace = 0.5 * (state.speed_mps + min(state.speed_mps, at_line))
    late = room + LINE_MARGIN_M > pace * left_s
    if place in memory.amber_go and room + LINE_MARGIN_M <= pace * (left_s + HELD_UP_S):
        return None
    brake, jerk = (LATE_MPS2, LATE_MPS3) if late else (AMBER_BRAKE_MPS2, AMBER_JERK_MPS3)
    need = stop_distance(state.speed_mps, 0.0, brake, jerk)
    if need <= room + LINE_MARGIN_M:
        state.memory = RuleMemory(
            memory.amber_go - {place}, memory.amber_stop | {place}, memory.stood
        )
        return Reason.AMBER_LIGHT
    state.memory = RuleMemory(memory.amber_go | {place}, memory.amber_stop, memory.stood)
    return None


def _stood(state: _Ahead, junction: Junction, room: float) -> bool:
    memory = state.memory
    if junction.lane in memory.stood:
        return True
    if room < 2.0 and state.speed_mps < STOOD_MPS:
        state.memory = RuleMemory(
            memory.amber_go, memory.amber_stop, memory.stood | {junction.lane}
        )
        return True
    return False


def _reason(junction: Junction) -> Reason:
    if junction.control == Control.ROUNDABOUT:
        return Reason.ROUNDABOUT
    if junction.control == Control.RIGHT_BEFORE_LEFT:
        return Reason.RIGHT_BEFORE_LEFT
    if junction.control in (Control.STOP, Control.ALL_WAY_STOP):
        return Reason.STOP_SIGN
    if junction.turn in (Turn.LEFT, Turn.U_TURN) and junction.control in (
        Control.SIGNAL,
        Control.FREE,
    ):
        return Reason.ONCOMING
    return Reason.YIELD


def _crosswalk(
    rules: Rules,
    road_map: RoadMap,
    corridor: Corridor,
    scene: Scene,
    crossing: Crossing,
    line: float,
    front_m: float,
    speed_mps: float,
) -> None:
    if line < front_m - 0.5:
        return
    if not _has_priority(road_map, corridor, scene, crossing):
        if road_map.walk_head[crossing.walk] >= 0:
            rules.quiet.add(crossing.walk)
        rules.optional.append(Stop(line, Reason.CROSSWALK))
        return
    rules.walks.add(crossing.walk)
    uid, waits = _who_crosses(road_map, corridor, scene.tracks, crossing)
    if uid is None:
        if waits:  # who lets us go, and may stand in our way: it is not on the stripes that we wait
            rules.optional.append(Stop(line, Reason.CROSSWALK))
        return
    if not _stops_for_people(line - front_m, speed_mps):
        return  # too late to stop before it: the rollouts decide
    rules.binding.append(Stop(line, Reason.CROSSWALK, uid))


def _before_walk(
    road_map: RoadMap,
    corridor: Corridor,
    scene: Scene,
    crossing: Crossing,
    front_m: float,
    speed_mps: float,
    length_m: float,
) -> float:
    """Where we wait for people on a crosswalk: right before it; or, if we can stop there, before
    another on which we would stand in people's way, and at the stop line of the junction whose
    first it is: between them we would stand in others' way."""
    line = crossing.s_in_m - WALK_MARGIN_M
    for other in sorted(corridor.crossings, key=lambda one: -one.s_in_m):
        at = other.s_in_m - WALK_MARGIN_M
        over = at < line < other.s_out_m + length_m
        if not over or not _has_priority(road_map, corridor, scene, other):
            continue
        if front_m < at + AT_LINE_M and _stops_for_people(at - front_m, speed_mps):
            line = at
    for junction in corridor.junctions:
        at = junction.stop_m - LINE_MARGIN_M
        near = front_m < at + AT_LINE_M and at < line < at + WALK_NEAR_M
        if near and _stops_for_people(at - front_m, speed_mps):
            return at
    return line


def _stops_for_people(room_m: float, speed_mps: float) -> bool:
    return speed_mps * speed_mps <= 2.0 * WALK_BRAKE_MPS2 * max(room_m, 0.1)


def _has_priority(road_map: RoadMap, corridor: Corridor, scene: Scene, crossing: Crossing) -> bool:
    """Zebra, or pedestrians who have green. Where their signal cannot be seen from here: traffic
    that goes straight on at green crosses nobody's green, turning traffic may."""
    head = int(road_map.walk_head[crossing.walk])
    if head < 0:
        return bool(road_map.walk_priority[crossing.walk])
    state = int(scene.signal_state[head])
    if state != SignalState.UNKNOWN:
        return state in (SignalState.GREEN, SignalState.GREEN_YIELD)
    for junction in corridor.junctions:
        near = junction.stop_m - 8.0 < crossing.s_in_m < junction.s_out_m + 8.0
        if near and junction.head >= 0:
            return junction.turn != Turn.STRAIGHT and crossing.s_in_m > junction.s_in_m
    return True


def _who_crosses(
    road_map: RoadMap, corridor: Corridor, tracks: Tracks, crossing: Crossing
) -> tuple[int | None, bool]:
    """uid of a pedestrian or cyclist on the crosswalk who has not yet passed our path, or about
    to step on it, None if there is nobody; and whether one of those looked at waits there."""
    x1, y1, x2, y2 = road_map.walk_axis_m[crossing.walk]
    length = math.hypot(x2 - x1, y2 - y1)
    if length < 0.5:
        return None, False
    waits = False
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    width = float(road_map.walk_width_m[crossing.walk])
    middle = min(len(corridor.path.xy_m) - 1, int((crossing.s_in_m + crossing.s_out_m) / 2.0 / 0.5))
    mx, my = corridor.path.xy_m[middle]
    ours = (mx - x1) * ux + (my - y1) * uy  # where our path cuts the axis
    near = np.flatnonzero(
        ((tracks.kind == UserKind.PEDESTRIAN) | (tracks.kind == UserKind.BICYCLE))
        & (np.hypot(tracks.x_m - mx, tracks.y_m - my) < length + 8.0)
    )
    for i in near:
        dx, dy = tracks.x_m[i] - x1, tracks.y_m[i] - y1
        along = dx * ux + dy * uy
        across = -dx * uy + dy * ux
        if abs(across) > 0.5 * width + 1.0:
            continue
        v = float(tracks.speed_mps[i])
        if v < 0.1 and float(tracks.still_s[i]) > WAITS_S:
            waits |= -1.0 < along < length + 1.0
            continue
        heading = float(tracks.heading_rad[i])
        toward = v * (math.cos(heading) * ux + math.sin(heading) * uy)
        reach = STEP_OUT_M if v > 0.1 else 0.6
        if -0.1 <= along <= length + 0.1:
            gap = along - ours
            if abs(gap) < 2.2 or gap * toward < 0.0 or v < 0.1:
                return int(tracks.uid[i]), waits
            continue
        steps_on = -reach <= along < 0.0 and toward > 0.3 * v + 0.05
        if steps_on or (length < along <= length + reach and toward < -0.3 * v - 0.05):
            return int(tracks.uid[i]), waits
    return None, waits


def _end(rules: Rules, corridor: Corridor, front_m: float) -> None:
    if corridor.end_kind == "goal" and math.isfinite(corridor.goal_m):
        # the rear axle at the goal, but no bumper beyond the end of the lane
        end = corridor.lanes_end_m - BUMPER_M
        rules.binding.append(Stop(min(corridor.goal_m + front_m, end), Reason.GOAL))
    elif corridor.end_kind == "lane_change":
        # a change from rest has to fit from there; but nobody waits in the junction before
        last = corridor.end_m - 1.0
        fits = min(last, corridor.lanes_end_m - CHANGE_FROM_REST_M + front_m)
        first = float(corridor.path.start_m[len(corridor.path.lanes) - 1]) + front_m + CLEAR_M
        rules.binding.append(Stop(max(fits, min(first, last)), Reason.LANE_CHANGE))
    elif corridor.end_kind == "dead_end":
        rules.binding.append(Stop(corridor.end_m - 1.0, Reason.NO_ROUTE))


def _nowhere(rules: Rules, corridor: Corridor, front_m: float, speed_mps: float) -> None:
    """Nobody drives beyond the path that has been looked at, however it came to end there."""
    if corridor.end_kind == "goal":
        return  # which lies on it
    left = corridor.path.length_m - 1.0 - front_m
    if left < stop_distance(speed_mps, 0.0, END_BRAKE_MPS2, END_JERK_MPS3) + END_M:
        rules.binding.append(Stop(corridor.path.length_m - 1.0, Reason.NO_ROUTE))
