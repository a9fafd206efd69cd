"""Criteria: each one a name, a sentence, and a function of the truth. All numbers stand here.

Numbers that stand for the law of a country are draft values.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.metrics.arrival import goal_reached_s
from marque.metrics.forced import HARD_MPS2, because_of_us, braking
from marque.prove.situations.view import FRAME_S, Pass, View
from marque.types.codes import ConflictKind, Control, SignalState, UserKind

ROOM_S = 1.0  # least time between our leaving a conflict area and the other's entry
STOOD_MPS = 0.2
STOP_LINE_M = 2.0  # a stop counts within this distance before its line
AFTER_ENTRY_S = 5.0  # who came into a lane answers for who brakes behind it for so long
BEFORE_ENTRY_S = 2.0  # others brake for who is about to come into their way
IN_THE_WAY_M = 0.5
MOTOR = (UserKind.CAR, UserKind.TRUCK, UserKind.BUS, UserKind.MOTORCYCLE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a criterion holds; what was measured, in words; when it broke (s of the drive)."""

    ok: bool
    value: str = ""
    t_s: float | None = None


Judge = Callable[[View], Outcome]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One demand on a drive."""

    name: str
    text: str
    judge: Judge


# ------------------------------------------------------------------ what every drive must hold


def _no_collision(view: View) -> Outcome:
    hits = [hit for hit in view.numbers["collisions"] if hit["at_fault"]]
    if not hits:
        return Outcome(True)
    first = hits[0]
    words = f"{first['kind']} at {first['ego_speed_mps']:.1f} m/s, our {first['side']}"
    return Outcome(False, f"{words}: {first['reason']}", first["t_s"])


def _no_red_light(view: View) -> Outcome:
    count = view.numbers["red_light"]
    return Outcome(count == 0, f"{count} crossed on red")


def _on_the_road(view: View) -> Outcome:
    seconds = view.numbers["off_road_s"]
    return Outcome(seconds == 0.0, f"{seconds:.1f} s off the road")


def _right_way(view: View) -> Outcome:
    seconds = view.numbers["wrong_way_s"]
    return Outcome(seconds == 0.0, f"{seconds:.1f} s against the traffic without a reason")


def _in_time(view: View) -> Outcome:
    reached = goal_reached_s(view.trace, view.episode.goal_lane, view.episode.goal_s_m)
    limit = view.case.limit_s
    if reached is None:
        return Outcome(False, f"not arrived; ended: {view.episode.end}", float(view.trace.t_s[-1]))
    return Outcome(reached <= limit, f"{reached:.1f} s of {limit:.0f} s", reached)


def _not_stuck(view: View) -> Outcome:
    count = view.numbers["stuck"]
    return Outcome(count == 0, f"stuck {count} times")


COMMON: tuple[Criterion, ...] = (
    Criterion("no_collision", "no collision at fault", _no_collision),
    Criterion("no_red_light", "no stop line crossed on red", _no_red_light),
    Criterion("on_the_road", "never off the drivable area", _on_the_road),
    Criterion(
        "right_way", "never against the traffic, but to pass who stands, where legal", _right_way
    ),
    Criterion("in_time", "at its goal within the case's time", _in_time),
    Criterion("not_stuck", "never stuck", _not_stuck),
)


# ------------------------------------------------------------------ right of way


@dataclass(frozen=True, slots=True)
class Meeting:
    """We and one who goes first, at one conflict of a connector that we drove."""

    foe: Pass
    kind: ConflictKind
    enter_s: float  # of ours
    leave_s: float


def meetings(view: View) -> list[Meeting]:
    """Everybody with priority over us at the junctions that we drove through."""
    road_map = view.road_map
    found: list[Meeting] = []
    for connector in view.connectors:
        for e in range(road_map.conf_off[connector], road_map.conf_off[connector + 1]):
            if road_map.conf_priority[e] >= 0 or road_map.conf_kind[e] == ConflictKind.DIVERGE:
                continue
            ours = view.our_stay(
                connector, float(road_map.conf_s_in_m[e]), float(road_map.conf_s_out_m[e])
            )
            foes = view.user_stays(
                int(road_map.conf_lane[e]),
                float(road_map.conf_other_in_m[e]),
                float(road_map.conf_other_out_m[e]),
            )
            kind = ConflictKind(int(road_map.conf_kind[e]))
            found += [Meeting(foe, kind, *ours) for foe in foes]
    return found


def met_priority(view: View, before_s: float = 4.0, after_s: float = 6.0) -> bool:
    """Whether somebody with priority passed while we came near, waited, or soon after us."""
    near = _time_near_conflict(view)
    return any(
        near - before_s <= meeting.foe.enter_s <= meeting.enter_s + after_s
        for meeting in meetings(view)
        if math.isfinite(meeting.enter_s)
    )


def _time_near_conflict(view: View, reach_m: float = 15.0) -> float:
    """When our bumper first was within `reach_m` of a connector on which we must yield."""
    road_map = view.road_map
    times = []
    for connector in view.connectors:
        rows = slice(road_map.conf_off[connector], road_map.conf_off[connector + 1])
        if (road_map.conf_priority[rows] < 0).any():
            times.append(view.our_stay(connector, -reach_m, math.inf)[0])
    return min(times, default=math.inf)


def leaves_room(view: View) -> Outcome:
    """Where ways cross: we are out of the way in time, and never in it with the other."""
    worst, text, when = math.inf, "", None
    for meeting in meetings(view):
        if meeting.kind != ConflictKind.CROSS or not math.isfinite(meeting.enter_s):
            continue
        foe = meeting.foe
        if foe.enter_s >= meeting.enter_s:
            room = foe.enter_s - meeting.leave_s
        elif foe.leave_s >= meeting.enter_s + 0.3:
            room = meeting.enter_s - foe.leave_s
        else:
            continue
        if room < worst:
            worst, when = room, meeting.enter_s
            text = f"{room:.1f} s to '{view.names.get(foe.uid, foe.uid)}'"
    return Outcome(worst >= ROOM_S, text or "nobody crossed after us", when)


def nobody_forced(view: View) -> Outcome:
    """Nobody with priority over us had to brake hard because of us."""
    road_map, trace = view.road_map, view.trace
    worst = Outcome(True, "nobody")
    most = HARD_MPS2
    for connector in view.connectors:
        for e in range(road_map.conf_off[connector], road_map.conf_off[connector + 1]):
            kind = ConflictKind(int(road_map.conf_kind[e]))
            if road_map.conf_priority[e] >= 0 or kind == ConflictKind.DIVERGE:
                continue
            theirs = int(road_map.conf_lane[e])
            foes = _bound_for(view, theirs)
            s_in, s_out = float(road_map.conf_s_in_m[e]), float(road_map.conf_s_out_m[e])
            over_line = view.our_stay(connector, 0.0, s_out)[0]
            enter, leave = view.our_stay(connector, s_in - IN_THE_WAY_M, s_out)
            late = leave + (AFTER_ENTRY_S if kind == ConflictKind.MERGE else 0.0)
            since = min(over_line, enter - BEFORE_ENTRY_S)
            ours = (trace.t_s >= since) & (trace.t_s <= late)
            found, braked = forced(view, foes, ours & _may_go(view, theirs))
            if not found.ok and braked > most:
                worst, most = found, braked
    return worst


def _bound_for(view: View, connector: int) -> set[int]:
    """Users on a connector or on what leads to it, but for those who then take another one: what
    they brake for is on their own way."""
    road_map, trace = view.road_map, view.trace
    before = road_map.predecessors(connector).tolist()
    others = {int(c) for lane in before for c in road_map.successors(lane)} - {connector}

    def seen_on(lanes: list[int]) -> set[int]:
        return set(trace.uid[np.isin(trace.user_lane, lanes)].tolist())

    here = seen_on([connector])
    return here | (seen_on(before) - seen_on(sorted(others)))


def nobody_forced_behind(view: View) -> Outcome:
    """Nobody behind us in a lane that we came into had to brake hard because of us."""
    entered = lane_entries(view)

    ours = np.zeros(view.trace.count, dtype=np.bool_)
    for begin in entered:
        ours |= (view.trace.t_s >= begin - 1.5) & (view.trace.t_s <= begin + AFTER_ENTRY_S)
    motor = np.isin(view.trace.kind, [*MOTOR, UserKind.BICYCLE])
    return forced(view, set(view.trace.uid[motor].tolist()), ours)[0]


def lane_entries(view: View) -> list[float]:
    """Times at which our middle came into another lane of the same road."""
    way, road_map = view.way, view.road_map
    found = []
    for k in range(1, view.trace.count):
        a, b = int(way.lane[k - 1]), int(way.lane[k])
        if a == b or a < 0 or b < 0:
            continue
        if b in (int(road_map.lane_left[a]), int(road_map.lane_right[a])):
            found.append(float(view.trace.t_s[k]))
    return found


def forced(view: View, foes: set[int], ours: BoolArray) -> tuple[Outcome, float]:
    """Whether one of `foes` braked hard because of us in a frame that we answer for, `ours` [n];
    and how hard."""
    trace = view.trace
    worst = Outcome(True, "nobody")
    most = HARD_MPS2
    for uid in sorted(foes):
        frames, rows = view.rows_of(uid)
        accel = braking(trace.user_speed_mps[rows], frames)
        for i in np.flatnonzero((accel > most) & ours[frames]).tolist():
            frame, row = int(frames[i]), int(rows[i])
            if not because_of_us(trace, frame, row):
                continue
            most = float(accel[i])
            who = view.names.get(uid, str(uid))
            worst = Outcome(False, f"'{who}' braked at {most:.1f} m/s^2", float(trace.t_s[frame]))
    return worst, most


LEAVES_ROOM = Criterion(
    "leaves_room",
    f"out of the way at least {ROOM_S:g} s before who has priority, and never in it together",
    leaves_room,
)
NOBODY_FORCED = Criterion(
    "nobody_forced",
    f"nobody with priority has to brake above {HARD_MPS2:g} m/s^2 because of us",
    nobody_forced,
)
NOBODY_FORCED_BEHIND = Criterion(
    "nobody_forced_behind",
    f"nobody in the lane that we come into has to brake above {HARD_MPS2:g} m/s^2 because of us",
    nobody_forced_behind,
)


# ------------------------------------------------------------------ stop lines


def stops_at_line(view: View) -> Outcome:
    """At every stop sign that we pass: slower than 0.2 m/s within 2 m before its line."""
    road_map, trace = view.road_map, view.trace
    signs = [
        c
        for c in view.connectors
        if road_map.lane_control[c] in (Control.STOP, Control.ALL_WAY_STOP)
    ]
    for connector in signs:
        room = line_room_m(view, connector)
        with np.errstate(invalid="ignore"):
            stood = (room >= 0.0) & (room <= STOP_LINE_M) & (trace.speed_mps < STOOD_MPS)
        if not stood.any():
            near = np.flatnonzero((room >= -1.0) & (room <= 4.0))
            slowest = float(trace.speed_mps[near].min()) if len(near) else math.nan
            return Outcome(False, f"{slowest:.1f} m/s at least", view.our_stay(connector, 0, 0)[0])
    return Outcome(True, f"{len(signs)} stop lines")


def line_room_m(view: View, connector: int) -> FloatArray:
    """[n] from our front bumper to the stop line before a connector, nan elsewhere."""
    road_map = view.road_map
    before = int(road_map.predecessors(connector)[0])
    line = float(road_map.lane_stop_m[before])
    length = float(road_map.lane_length_m[before])
    line = length if math.isnan(line) else min(line, length)
    return line - length - (view.along(connector) + view.half_body[0])


STOPS_AT_LINE = Criterion(
    "stops_at_line",
    f"slower than {STOOD_MPS:g} m/s within {STOP_LINE_M:g} m before the line of a stop sign",
    stops_at_line,
)


# ------------------------------------------------------------------ the inside of junctions

STANDS_IN_BOX_S = 1.0


def box_clear(view: View) -> Outcome:
    """Never at rest where ways cross while those who cross there have green or priority."""
    road_map, trace = view.road_map, view.trace
    for connector in view.connectors:
        s = view.along(connector)
        front, rear = view.half_body
        for e in range(road_map.conf_off[connector], road_map.conf_off[connector + 1]):
            if road_map.conf_kind[e] != ConflictKind.CROSS:
                continue
            with np.errstate(invalid="ignore"):
                inside = (s + front > road_map.conf_s_in_m[e]) & (
                    s + rear < road_map.conf_s_out_m[e]
                )
            blocks = inside & view.stands & _may_go(view, int(road_map.conf_lane[e]))
            run = _longest_run(blocks)
            if run[1] * FRAME_S > STANDS_IN_BOX_S:
                name = road_map.lane_name[int(road_map.conf_lane[e])]
                return Outcome(
                    False, f"{run[1] * FRAME_S:.1f} s across '{name}'", float(trace.t_s[run[0]])
                )
    return Outcome(True)


def _may_go(view: View, connector: int) -> np.ndarray:
    """[n] whether the signals let those on a connector go; without signals they may."""
    head = int(view.road_map.lane_head[connector])
    if head < 0:
        return np.ones(view.trace.count, dtype=np.bool_)
    return np.isin(view.trace.heads[:, head], (SignalState.GREEN, SignalState.GREEN_YIELD))


def _longest_run(flags: np.ndarray) -> tuple[int, int]:
    """(first frame, length) of the longest unbroken stretch."""
    edges = np.diff(flags.astype(np.int8), prepend=0, append=0)
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if len(begins) == 0:
        return 0, 0
    k = int(np.argmax(ends - begins))
    return int(begins[k]), int(ends[k] - begins[k])


BOX_CLEAR = Criterion(
    "box_clear",
    f"never at rest for more than {STANDS_IN_BOX_S:g} s across a way that others may use",
    box_clear,
)
