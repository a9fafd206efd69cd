"""Situations at junctions: signals, stop and yield lines, right before left, left turns,
roundabouts, and queues beyond a junction."""

import math
from dataclasses import replace

import numpy as np

from marque.prove.roads import Roads, Signal
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import (
    Actor,
    Cast,
    Parked,
    Rng,
    mixed_gaps,
    platoons,
    reach_s,
    rests,
    stream,
)
from marque.prove.situations.checks import (
    BOX_CLEAR,
    LEAVES_ROOM,
    NOBODY_FORCED,
    STOPS_AT_LINE,
    Criterion,
    Outcome,
    line_room_m,
    meetings,
    met_priority,
)
from marque.prove.situations.shapes import AHEAD, LEFT, OURS, RIGHT, crossroads, ring
from marque.prove.situations.situation import Situation
from marque.prove.situations.view import View
from marque.types.codes import SignalState

BEGIN_S = 20
START_M = 8.0
GOAL_BEYOND_M = 70.0
HORIZON_S = 75.0  # streams of others go on for this long after our start


def _goal(edge: str) -> Place:
    return Place(edge, GOAL_BEYOND_M)


def _line_m(roads: Roads) -> float:
    """About where the line of our arm is, from the start of our lane."""
    node = roads.node(f"n{OURS}")
    return math.hypot(node.x_m, node.y_m) - 9.0


# ------------------------------------------------------------------ signals, amber

AMBER_S = {8.33: 3.0, 11.11: 3.0, 13.89: 3.0, 16.67: 4.0, 19.44: 5.0}  # draft values
EASY_MPS2 = 2.2  # who could have stopped with this, after the reaction, must stop
TOO_HARD_MPS2 = 4.0  # who would have needed more than this must not brake for it
REACTION_S = 0.7


def draw_signals(rng: Rng) -> Case:
    """A signal turns amber while we are coming."""
    limit = float(rng.choice(list(AMBER_S)))
    need = float(rng.uniform(0.9, 6.0))  # braking that a stop at the line will need
    room = limit * REACTION_S + limit * limit / (2.0 * need)
    ramp = limit * limit / 3.1
    roads = crossroads(
        rng, "traffic_light", limit, ours_m=ramp + room + float(rng.uniform(30.0, 60.0))
    )
    at = BEGIN_S + reach_s(_line_m(roads) - room - START_M - 3.8, limit)
    signal = Signal(
        "c", "in0", "out2", "amber", at, (40.0, float(rng.uniform(12.0, 20.0))), AMBER_S[limit],
        float(rng.uniform(1.0, 3.0)),
    )  # fmt: skip
    roads = _with_signal(roads, signal)
    actors: list[Actor] = []
    gaps = mixed_gaps(rng, (2.0, 4.0), (6.0, 12.0), 0.3)
    for arm, to in ((RIGHT, "out3"), (LEFT, "out1"), (AHEAD, "out0")):
        actors += stream(rng, f"a{arm}_", (f"in{arm}", to), 0.0, BEGIN_S + HORIZON_S, gaps)
    if rng.random() < 0.5:  # somebody close behind us
        actors += stream(
            rng, "behind", ("in0", "out2"), BEGIN_S + 3.0, BEGIN_S + 20.0,
            mixed_gaps(rng, (2.0, 4.0), (4.0, 6.0), 0.3),
        )  # fmt: skip
    wait = signal.greens_s[1] + 2.0 * signal.amber_s + 2.0 * signal.all_red_s
    free = reach_s(_line_m(roads) + GOAL_BEYOND_M, limit)
    return Case(
        f"amber at {3.6 * limit:.0f} km/h, a stop needs {need:.1f} m/s^2",
        roads, Cast(tuple(actors)), Place("in0", START_M), _goal("out2"),
        1.25 * free + wait + 12.0,
    )  # fmt: skip


def _with_signal(roads: Roads, signal: Signal) -> Roads:
    return replace(roads, signals=(signal,))


def _amber_onset(view: View) -> tuple[int, float, float] | None:
    """(frame, metres to the line, speed) at the amber that came while we were before the line."""
    for connector in view.connectors_between("in0", "out2"):
        head = int(view.road_map.lane_head[connector])
        room = line_room_m(view, connector)
        state = view.trace.heads[:, head]
        amber = (state[1:] == SignalState.AMBER) & (state[:-1] != SignalState.AMBER)
        for k in (np.flatnonzero(amber) + 1).tolist():
            if room[k] > 0.0:
                return k, float(room[k]), float(view.trace.speed_mps[k])
    return None


def _need_mps2(room_m: float, speed_mps: float) -> float:
    """Braking that a stop at the line needed when the light turned."""
    left = room_m - REACTION_S * speed_mps
    return math.inf if left <= 0.1 else speed_mps * speed_mps / (2.0 * left)


def posed_signals(view: View) -> bool:
    """Amber came on while we drove towards it and had to decide."""
    found = _amber_onset(view)
    return found is not None and found[2] > 4.0 and _need_mps2(found[1], found[2]) > 0.6


def amber_stop(view: View) -> Outcome:
    """Stops where stopping was easy."""
    found = _amber_onset(view)
    if found is None:
        return Outcome(True, "no amber")
    frame, room, speed = found
    need = _need_mps2(room, speed)
    t = float(view.trace.t_s[frame])
    if need > EASY_MPS2:
        return Outcome(True, f"a stop needed {need:.1f} m/s^2", t)
    connector = view.connectors_between("in0", "out2")[0]
    entered = view.our_stay(connector, 0.0, 0.0)[0]
    text = f"a stop needed only {need:.1f} m/s^2"
    if not math.isfinite(entered):
        return Outcome(True, text, t)
    k = int(np.searchsorted(view.trace.t_s, entered))
    state = view.trace.heads[k, int(view.road_map.lane_head[connector])]
    return Outcome(state in (SignalState.GREEN, SignalState.GREEN_YIELD), text, t)


def amber_go(view: View) -> Outcome:
    """Does not brake hard for an amber that it can only pass."""
    found = _amber_onset(view)
    if found is None:
        return Outcome(True, "no amber")
    frame, room, speed = found
    need = _need_mps2(room, speed)
    hardest = -float(view.trace.accel_mps2[frame : frame + 40].min())
    ok = need <= TOO_HARD_MPS2 or hardest <= 3.0
    return Outcome(
        ok, f"a stop needed {need:.1f} m/s^2, braked at {hardest:.1f}", float(view.trace.t_s[frame])
    )


def line_kept(view: View) -> Outcome:
    """Whoever waits, waits before the line."""
    for connector in view.connectors_between("in0", "out2"):
        room = line_room_m(view, connector)
        head = view.trace.heads[:, int(view.road_map.lane_head[connector])]
        waits = view.stands & (head != SignalState.GREEN) & (head != SignalState.GREEN_YIELD)
        with np.errstate(invalid="ignore"):
            over = waits & (room < 0.0) & (room > -8.0)
            far = waits & (room > 5.0) & (room < 20.0)
        if over.any():
            k = int(np.flatnonzero(over)[0])
            return Outcome(False, f"{-room[k]:.1f} m past the line", float(view.trace.t_s[k]))
        if far.any() and not (waits & (room <= 5.0)).any():
            k = int(np.flatnonzero(far)[0])
            return Outcome(
                False, f"stands {room[k]:.1f} m before the line", float(view.trace.t_s[k])
            )
    return Outcome(True)


SIGNALS = Situation(
    "signals",
    "signals with an amber decision",
    draw_signals,
    posed_signals,
    (
        Criterion(
            "amber_stop",
            f"stops where {EASY_MPS2:g} m/s^2 after {REACTION_S:g} s is enough",
            amber_stop,
        ),
        Criterion(
            "amber_go",
            f"does not brake above 3 m/s^2 where a stop needs more than {TOO_HARD_MPS2:g}",
            amber_go,
        ),
        Criterion("line_kept", "waits before the line, at most 5 m from it", line_kept),
        BOX_CLEAR,
    ),
)


# ------------------------------------------------------------------ stop and yield lines


def draw_stop_yield(rng: Rng) -> Case:
    """From a side road onto or across a road with priority, in dense traffic with gaps."""
    sign = "priority_stop" if rng.random() < 0.5 else "priority"
    main_mps = float(rng.choice((11.11, 13.89, 16.67)))
    turn = str(rng.choice(("right", "straight", "left")))
    missing = (AHEAD,) if turn != "straight" and rng.random() < 0.5 else ()
    roads = crossroads(rng, sign, 13.89, main_mps, (RIGHT, LEFT), missing)
    out = {"right": "out1", "straight": "out2", "left": "out3"}[turn]
    actors: list[Actor] = []
    quiet = {"right": (8.0, 11.0), "straight": (9.5, 12.0), "left": (11.0, 14.0)}[turn]
    times = rests(rng, 0.0, BEGIN_S + HORIZON_S, (9.0, 20.0), quiet)
    gaps = mixed_gaps(rng, (1.6, 3.5), (3.5, 5.0), 0.3)
    for arm, to in ((RIGHT, "out3"), (LEFT, "out1")):
        travel = roads_arm_m(roads, arm) / main_mps
        end = BEGIN_S + HORIZON_S
        actors += platoons(rng, f"a{arm}_", (f"in{arm}", to), travel, times, end, gaps)
    actors.sort(key=lambda actor: actor.depart_s)
    if AHEAD not in missing and rng.random() < 0.5:
        gaps = mixed_gaps(rng, (8.0, 12.0), (15.0, 20.0), 0.5)
        actors += stream(rng, "facing", ("in2", "out0"), BEGIN_S, BEGIN_S + 50.0, gaps)
    parked: list[Parked] = []
    if rng.random() < 0.4:  # a parked truck takes the view
        along = roads_arm_m(roads, LEFT) - float(rng.uniform(26.0, 36.0))
        width = roads.edge("in3").width_m
        parked.append(Parked("hides", "truck", "in3", along, -width - 1.6))
    free = reach_s(_line_m(roads) + GOAL_BEYOND_M, 13.89)
    text = f"{'stop' if sign == 'priority_stop' else 'yield'} line, {turn}"
    text += f", {3.6 * main_mps:.0f} km/h on the main road" + (", view hidden" if parked else "")
    return Case(
        text, roads, Cast(tuple(actors), tuple(parked)), Place("in0", START_M), _goal(out),
        1.4 * free + 42.0,
    )  # fmt: skip


def roads_arm_m(roads: Roads, arm: int) -> float:
    """Length of an arm from its end to the centre."""
    node = roads.node(f"n{arm}")
    return math.hypot(node.x_m, node.y_m)


STOP_YIELD = Situation(
    "stop_yield",
    "stop and yield lines",
    draw_stop_yield,
    met_priority,
    (STOPS_AT_LINE, LEAVES_ROOM, NOBODY_FORCED),
)


# ------------------------------------------------------------------ right before left


def draw_right_before_left(rng: Rng) -> Case:
    """Equal roads: who comes from the right goes first."""
    limit = float(rng.choice((8.33, 8.33, 11.11, 13.89)))
    missing = tuple(int(a) for a in rng.choice((AHEAD, LEFT), size=int(rng.integers(0, 2))))
    roads = crossroads(rng, "right_before_left", limit, missing=missing)
    turns = [t for t, arm in (("straight", AHEAD), ("left", LEFT)) if arm not in missing]
    turn = str(rng.choice(turns))
    out = {"straight": "out2", "left": "out3"}[turn]
    there = BEGIN_S + reach_s(_line_m(roads) - START_M, limit)
    foe = reach_s(20.0, limit) + (roads_arm_m(roads, RIGHT) - 30.0) / limit
    first = there - foe + float(rng.uniform(-2.0, 1.5))
    to = [e.name for e in roads.edges if e.name in ("out0", "out2", "out3")]
    actors: list[Actor] = []
    t = max(1.0, first)
    for i in range(int(rng.integers(1, 5))):
        actors.append(
            Actor(
                f"right{i}", str(rng.choice(("car", "small", "suv", "van"))), t,
                ("in1", str(rng.choice(to))), 0,
            )
        )  # fmt: skip
        t += float(rng.uniform(2.0, 5.0))
    if LEFT not in missing and rng.random() < 0.6:  # must wait for us
        start = max(1.0, there - foe + float(rng.uniform(0.0, 3.0)))
        actors.append(Actor("left0", "car", start, ("in3", "out1"), 0))
    parked: tuple[Parked, ...] = ()
    if rng.random() < 0.4:
        along = roads_arm_m(roads, RIGHT) - float(rng.uniform(22.0, 30.0))
        parked = (Parked("hides", "van", "in1", along, -roads.edge("in1").width_m - 1.3),)
    free = reach_s(_line_m(roads) + GOAL_BEYOND_M, limit)
    return Case(
        f"right before left, {turn}, {3.6 * limit:.0f} km/h, {len(actors)} others",
        roads, Cast(tuple(actors), parked), Place("in0", START_M), _goal(out), 1.5 * free + 25.0,
    )  # fmt: skip


RIGHT_BEFORE_LEFT = Situation(
    "right_before_left",
    "right before left",
    draw_right_before_left,
    met_priority,
    (LEAVES_ROOM, NOBODY_FORCED),
)


# ------------------------------------------------------------------ unprotected left turns


def draw_left_turn(rng: Rng) -> Case:
    """A left turn across oncoming traffic that goes first, with or without signals."""
    signal = rng.random() < 0.5
    limit = float(rng.choice((11.11, 13.89, 16.67)))
    missing = (RIGHT,) if rng.random() < 0.3 else ()
    kind = "traffic_light" if signal else "priority"
    roads = crossroads(rng, kind, limit, 13.89, (OURS, AHEAD), missing)
    gaps = mixed_gaps(rng, (1.8, 4.5), (8.0, 13.0), 0.33)
    actors = stream(rng, "oncoming", ("in2", "out0"), 0.0, BEGIN_S + HORIZON_S, gaps)
    if RIGHT not in missing and rng.random() < 0.35:
        gaps = mixed_gaps(rng, (7.0, 12.0), (15.0, 20.0), 0.5)
        actors += stream(rng, "facing_left", ("in2", "out1"), BEGIN_S, BEGIN_S + 50.0, gaps)
    if rng.random() < 0.5:
        gaps = mixed_gaps(rng, (3.0, 6.0), (8.0, 12.0), 0.5)
        actors += stream(rng, "behind", ("in0", "out2"), BEGIN_S + 4.0, BEGIN_S + 40.0, gaps)
    free = reach_s(_line_m(roads) + GOAL_BEYOND_M, limit)
    wait = 42.0
    if signal:
        at = BEGIN_S + reach_s(_line_m(roads) - START_M, limit) - float(rng.uniform(-4.0, 8.0))
        greens = (float(rng.uniform(28.0, 40.0)), float(rng.uniform(12.0, 18.0)))
        roads = _with_signal(roads, Signal("c", "in0", "out3", "green", at, greens, 3.0))
        wait += greens[1] + 10.0
    actors.sort(key=lambda actor: actor.depart_s)
    return Case(
        f"left turn {'on a permissive green' if signal else 'off a main road'}, "
        f"{3.6 * limit:.0f} km/h",
        roads, Cast(tuple(actors)), Place("in0", START_M), _goal("out3"), 1.4 * free + wait,
    )  # fmt: skip


LEFT_TURN = Situation(
    "left_turn",
    "unprotected left turns",
    draw_left_turn,
    met_priority,
    (LEAVES_ROOM, NOBODY_FORCED),
)


# ------------------------------------------------------------------ roundabouts


def draw_roundabout(rng: Rng) -> Case:
    """Entering a roundabout of one lane in which others circulate, leaving it where we must."""
    count = int(rng.choice((3, 4, 4, 5)))
    radius = float(rng.uniform(12.0, 24.0)) + 2.0 * (count - 4)
    limit = float(rng.choice((11.11, 13.89)))
    base = np.arange(count) * 2.0 * math.pi / count - 0.5 * math.pi
    angles = [float(a) for a in base + np.radians(rng.uniform(-9.0, 9.0, count))]
    lengths = [float(rng.uniform(110.0, 150.0))] + [200.0] * (count - 1)
    roads = ring(rng, radius, angles, lengths, limit)
    exit_arm = int(rng.integers(1, count))
    actors: list[Actor] = []
    for arm in range(1, count):
        gaps = mixed_gaps(rng, (3.5, 7.0), (11.0, 16.0), 0.35)
        for actor in stream(rng, f"a{arm}_", (), 0.0, BEGIN_S + HORIZON_S, gaps):
            to = int(rng.integers(1, count + 1)) if arm != count - 1 else int(rng.integers(1, 3))
            actors.append(_around(actor, arm, (arm + to) % count, count))
    if rng.random() < 0.5:  # one circulating bicycle
        there = BEGIN_S + reach_s(lengths[0], limit) - 200.0 / 5.0
        rider = Actor("rider", "bicycle", max(1.0, there), (), 0)
        actors.append(_around(rider, count - 1, 1, count))
    actors = [each for each in actors if len(each.edges) > 2]
    actors.sort(key=lambda actor: actor.depart_s)
    free = reach_s(lengths[0] + 2.0 * math.pi * radius + GOAL_BEYOND_M, 9.0)
    return Case(
        f"roundabout of {count} arms, radius {radius:.0f} m, exit {exit_arm}",
        roads, Cast(tuple(actors)), Place("in0", START_M), _goal(f"out{exit_arm}"),
        1.4 * free + 35.0,
    )  # fmt: skip


def _around(actor: Actor, start: int, end: int, count: int) -> Actor:
    """The same with its way from arm to arm round the ring; no way when both are the same."""
    if start == end:
        return replace(actor, edges=())
    ring_edges = []
    arm = start
    while arm != end:
        ring_edges.append(f"ring{arm}")
        arm = (arm + 1) % count
    return replace(actor, edges=(f"in{start}", *ring_edges, f"out{end}"))


def posed_roundabout(view: View) -> bool:
    """Somebody circulated past our entry while we came or waited."""
    return met_priority(view) and bool(meetings(view))


ROUNDABOUT = Situation(
    "roundabout",
    "roundabouts",
    draw_roundabout,
    posed_roundabout,
    (LEAVES_ROOM, NOBODY_FORCED),
)
