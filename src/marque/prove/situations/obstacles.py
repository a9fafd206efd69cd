"""Situations with somebody in the way: blocked lanes, full exits, bus stops, parked vehicles."""

import math
from dataclasses import replace

import numpy as np

from marque.prove.roads import Edge, Node, Roads, Signal
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import (
    SORTS,
    Actor,
    Cast,
    Parked,
    Rng,
    Stop,
    mixed_gaps,
    reach_s,
    stream,
)
from marque.prove.situations.checks import (
    BOX_CLEAR,
    NOBODY_FORCED,
    NOBODY_FORCED_BEHIND,
    line_room_m,
)
from marque.prove.situations.passing import (
    ONCOMING_FREE,
    ONCOMING_NOT_FORCED,
    PASSES_STANDING,
    STANDS_CLEAR,
)
from marque.prove.situations.shapes import AHEAD, LEFT, OURS, RIGHT, any_turn, crossroads
from marque.prove.situations.situation import Situation
from marque.prove.situations.view import View
from marque.types.codes import SignalState

BEGIN_S = 20
QUEUE_GAP_M = 2.05  # SUMO's drivers keep 2 m, and do not come into being nearer
FOREVER_S = 100_000.0
GOAL_M = 40.0  # from the end of the road


def straight(
    rng: Rng, length_m: float, limit_mps: float, lanes: int, back_lanes: int, width_m: float
) -> Roads:
    """One straight edge `e0`, and `b0` back."""
    nodes = (Node("n0", 0.0, 0.0), Node("n1", length_m, 0.0))
    edges = [Edge("e0", "n0", "n1", limit_mps, lanes, width_m)]
    if back_lanes:
        edges.append(Edge("b0", "n1", "n0", limit_mps, back_lanes, width_m))
    return Roads(nodes, tuple(edges), turn_rad=any_turn(rng))


# ------------------------------------------------------------------ a blocked lane


def draw_blocked(rng: Rng) -> Case:
    """Somebody stands in our lane, partly or wholly, for good or for a while."""
    manner = str(rng.choice(("nudge", "oncoming", "oncoming", "change", "wait", "reroute")))
    return _BLOCKS[manner](rng)


def _block_nudge(rng: Rng) -> Case:
    """A vehicle at the kerb leaves too little of our lane, but enough of the road."""
    limit = float(rng.choice((8.33, 11.11, 13.89)))
    width = float(rng.uniform(3.2, 4.0))
    roads = straight(rng, 280.0, limit, 1, 1, width)
    parked = []
    at = float(rng.uniform(110.0, 150.0))
    for i in range(int(rng.integers(1, 3))):
        sort = str(rng.choice(("car", "van", "truck", "suv")))
        into = float(rng.uniform(0.4, 1.0))  # of its body in our lane
        left = -width - 0.5 * SORTS[sort].width_m + into
        parked.append(Parked(f"block{i}", sort, "e0", at, left))
        at += float(rng.uniform(14.0, 30.0))
    gaps = mixed_gaps(rng, (3.0, 6.0), (9.0, 16.0), 0.5)
    actors = stream(rng, "oncoming", ("b0",), 0.0, BEGIN_S + 50.0, gaps)
    return _blocked_case(roads, actors, parked, limit, 20.0, "nudge", "block0")


def _block_oncoming(rng: Rng) -> Case:
    """A vehicle stands in the middle of the only lane; oncoming traffic leaves gaps."""
    limit = float(rng.choice((8.33, 13.89)))
    roads = straight(rng, 320.0, limit, 1, 1, float(rng.uniform(3.0, 3.6)))
    sort = str(rng.choice(("car", "van", "truck", "bus")))
    at = float(rng.uniform(130.0, 180.0))
    block = Actor("block0", sort, 0.0, ("e0",), 0, at - 20.0, 0.0, (Stop("e0", at, FOREVER_S),))
    gaps = mixed_gaps(rng, (2.0, 5.0), (16.0, 22.0), 0.4)
    actors = [block, *stream(rng, "oncoming", ("b0",), 1.0, BEGIN_S + 80.0, gaps)]
    return _blocked_case(roads, actors, [], limit, 50.0, "oncoming lane", "block0")


def _block_change(rng: Rng) -> Case:
    """A vehicle stands in our lane; the lane beside it is busy."""
    limit = float(rng.choice((13.89, 16.67)))
    lanes = int(rng.choice((2, 3)))
    roads = straight(rng, 340.0, limit, lanes, 0, 3.25)
    at = float(rng.uniform(140.0, 200.0))
    ours = int(rng.integers(0, lanes))
    sort = str(rng.choice(("car", "van", "truck")))
    block = Actor(
        "block0", sort, 0.0, ("e0",), ours, at - 20.0, 0.0, (Stop("e0", at, FOREVER_S, ours),)
    )
    actors = [block]
    for lane in range(lanes):
        if lane != ours:
            gaps = mixed_gaps(rng, (1.8, 3.5), (5.0, 9.0), 0.4)
            name = f"lane{lane}_"
            actors += stream(rng, name, ("e0",), 1.0, BEGIN_S + 50.0, gaps, lane=lane)
    return _blocked_case(roads, actors, [], limit, 35.0, "change lanes", "block0", ours)


def _block_wait(rng: Rng) -> Case:
    """A vehicle stands in the only lane for a while, then drives on; nothing else is legal."""
    one_way = rng.random() < 0.5
    limit = 13.89 if one_way else 19.44  # beyond 50 km/h the oncoming lane is not for passing
    roads = straight(rng, 320.0, limit, 1, 0 if one_way else 1, 3.25)
    at = float(rng.uniform(130.0, 180.0))
    stay = BEGIN_S + float(rng.uniform(25.0, 40.0)) - 8.0
    sort = str(rng.choice(("car", "van", "truck")))
    block = Actor("block0", sort, 0.0, ("e0",), 0, at - 20.0, 0.0, (Stop("e0", at, stay),))
    actors = [block]
    if not one_way:
        gaps = mixed_gaps(rng, (3.0, 8.0), (10.0, 20.0), 0.5)
        actors += stream(rng, "oncoming", ("b0",), 1.0, BEGIN_S + 60.0, gaps)
    slow = SORTS[sort].accel_mps2
    wait = stay + 8.0 - BEGIN_S + math.sqrt(2.0 * 150.0 / slow)
    return _blocked_case(roads, actors, [], limit, wait, "wait", "block0")


def _block_reroute(rng: Rng) -> Case:
    """The street that we need is blocked for good right behind a corner; another way exists."""
    limit = 13.89
    side = float(rng.choice((-1.0, 1.0)))
    nodes = (
        Node("n0", -150.0, 0.0),
        Node("n1", 0.0, 0.0),
        Node("n2", 120.0, 0.0),
        Node("n3", 60.0, side * 75.0),
        Node("n4", 240.0, 0.0),
    )
    edges = (
        Edge("e0", "n0", "n1", limit),
        Edge("e1", "n1", "n2", limit),
        Edge("d0", "n1", "n3", limit),
        Edge("d1", "n3", "n2", limit),
        Edge("e2", "n2", "n4", limit),
    )
    roads = Roads(nodes, edges, turn_rad=any_turn(rng))
    sort = str(rng.choice(("truck", "bus", "van")))
    length = SORTS[sort].length_m
    # so near behind the corner that we do not fit in between
    front = length + float(rng.uniform(0.5, 2.5))
    actors = [
        Actor("block0", sort, 0.0, ("e1",), 0, front, 0.0, (Stop("e1", front + 0.3, FOREVER_S),)),
    ]
    for i in range(2):  # and more of them
        more = front + (i + 1) * 14.0
        actors.append(
            Actor(
                f"block{i + 1}", "van", 0.0, ("e1",), 0, more, 0.0,
                (Stop("e1", more + 0.3, FOREVER_S),),
            )
        )  # fmt: skip
    return Case(
        "blocked for good behind the corner: the other way",
        roads,
        Cast(tuple(actors)),
        Place("e0", 8.0),
        Place("e2", 70.0),
        reach_s(420.0, 9.0) + 50.0,
        facts={"block": "block0"},
    )


def _blocked_case(
    roads: Roads,
    actors: list[Actor],
    parked: list[Parked],
    limit: float,
    wait_s: float,
    what: str,
    block: str,
    lane: int = 0,
) -> Case:
    end = roads.node("n1").x_m
    actors.sort(key=lambda actor: actor.depart_s)
    return Case(
        f"blocked lane: {what}, {3.6 * limit:.0f} km/h",
        roads,
        Cast(tuple(actors), tuple(parked)),
        Place("e0", 8.0, lane),
        Place("e0", -GOAL_M, lane),
        1.4 * reach_s(end - GOAL_M, limit) + wait_s + 8.0,
        facts={"block": block},
    )


_BLOCKS = {
    "nudge": _block_nudge,
    "oncoming": _block_oncoming,
    "change": _block_change,
    "wait": _block_wait,
    "reroute": _block_reroute,
}


def posed_blocked(view: View) -> bool:
    """We came near the blocking vehicle while it stood."""
    uid = view.uids.get(view.case.facts["block"])
    if uid is None:
        return False
    frames, rows = view.rows_of(uid)
    gap = np.hypot(
        view.trace.user_x_m[rows] - view.trace.middle_x_m[frames],
        view.trace.user_y_m[rows] - view.trace.middle_y_m[frames],
    )
    return bool(((gap < 45.0) & (view.trace.user_speed_mps[rows] < 0.3)).any())


BLOCKED = Situation(
    "blocked_lane",
    "a blocked lane",
    draw_blocked,
    posed_blocked,
    (
        PASSES_STANDING,
        STANDS_CLEAR,
        ONCOMING_FREE,
        ONCOMING_NOT_FORCED,
        NOBODY_FORCED_BEHIND,
    ),
)


# ------------------------------------------------------------------ queues before a junction


def draw_queue(rng: Rng) -> Case:
    """The road beyond a junction is full; whoever drives on stands in the way of the others."""
    limit = float(rng.choice((11.11, 13.89)))
    signal = rng.random() < 0.75
    kind = "traffic_light" if signal else "priority"
    roads = crossroads(rng, kind, limit, 13.89, (OURS, AHEAD), others_m=160.0)
    there = BEGIN_S + reach_s(_arm_m(roads, OURS) - 15.0, limit)
    lasts = float(rng.uniform(22.0, 40.0))
    # those in line, from the last one on; behind it there is some room, but not enough for us
    front = float(rng.uniform(0.3, 3.5))
    row: list[Actor] = []
    count = int(rng.integers(2, 6))
    for i in range(count):
        sort = str(rng.choice(("car", "small", "suv", "van")))
        front += SORTS[sort].length_m
        leaves = there - 2.0 + lasts + 2.0 * (count - 1 - i)
        # there already: who has still to close up to the place of its halt, and cannot for who is
        # ahead, begins to halt only when that one has left
        stop = Stop("out2", front, leaves - 1.0)
        row.append(Actor(f"queue{i}", sort, 1.0, ("out2",), 0, front - 0.1, 0.0, (stop,)))
        front += float(rng.uniform(QUEUE_GAP_M, 3.2))
    row.reverse()  # the first in line is set first
    actors = list(row)
    gaps = mixed_gaps(rng, (2.0, 4.0), (5.0, 9.0), 0.3)
    for arm, to in ((RIGHT, "out3"), (LEFT, "out1")):
        actors += stream(rng, f"a{arm}_", (f"in{arm}", to), 0.0, BEGIN_S + 75.0, gaps)
    if signal:
        greens = (float(rng.uniform(14.0, 22.0)), float(rng.uniform(12.0, 18.0)))
        at = there - float(rng.uniform(1.0, 6.0))
        roads = replace(roads, signals=(Signal("c", "in0", "out2", "green", at, greens, 3.0),))
    actors.sort(key=lambda actor: actor.depart_s)
    free = reach_s(_arm_m(roads, OURS) + 70.0, limit)
    return Case(
        f"full beyond {'signals' if signal else 'a junction'}, {len(row)} in line, "
        f"for {lasts:.0f} s",
        roads,
        Cast(tuple(actors)),
        Place("in0", 8.0),
        Place("out2", 70.0),
        1.4 * free + lasts + 60.0,
        facts={"signal": signal},
    )


def _arm_m(roads: Roads, arm: int) -> float:
    node = roads.node(f"n{arm}")
    return math.hypot(node.x_m, node.y_m)


def posed_queue(view: View) -> bool:
    """We could have driven on to the junction, with green or priority, and there was no room."""
    trace, road_map = view.trace, view.road_map
    for connector in view.connectors_between("in0", "out2"):
        room = line_room_m(view, connector)
        after = int(road_map.successors(connector)[0])
        head = int(road_map.lane_head[connector])
        need = trace.platform.length_m + 1.0
        for k in np.flatnonzero((room > -1.0) & (room < 20.0)).tolist():
            if head >= 0 and trace.heads[k, head] not in (
                SignalState.GREEN,
                SignalState.GREEN_YIELD,
            ):
                continue
            rows = trace.users(k)
            on = (trace.user_lane[rows] == after) & (trace.user_speed_mps[rows] < 0.5)
            x, y = road_map.points(after)[0]
            far = np.hypot(trace.user_x_m[rows] - x, trace.user_y_m[rows] - y)
            rear = far - 0.5 * trace.user_length_m[rows]
            if bool((on & (rear < need)).any()):
                return True
    return False


QUEUE = Situation(
    "queue",
    "queues before a junction",
    draw_queue,
    posed_queue,
    (BOX_CLEAR, STANDS_CLEAR, NOBODY_FORCED),
)


# ------------------------------------------------------------------ bus stops, parked vehicles


def draw_bus_parked(rng: Rng) -> Case:
    """A bus that stops in the lane or leaves its bay; parked cars, one of which pulls out."""
    manner = str(rng.choice(("bus_in_lane", "bus_bay", "parked_row", "pull_out")))
    return _BUSES[manner](rng)


def _bus_in_lane(rng: Rng) -> Case:
    limit = float(rng.choice((8.33, 13.89)))
    length = 330.0
    roads = straight(rng, length, limit, 1, 1, float(rng.uniform(3.0, 3.5)))
    stay = float(rng.uniform(8.0, 20.0))
    at = float(rng.uniform(110.0, 170.0))
    start = 32.0 + float(rng.uniform(0.0, 20.0))
    bus = Actor(
        "bus0", "bus", BEGIN_S - 0.5, ("e0",), 0, start, 0.0, (Stop("e0", at, stay),),
        top_mps=0.8 * limit,
    )  # fmt: skip
    gaps = mixed_gaps(rng, (3.0, 6.0), (14.0, 22.0), 0.35)
    actors = [bus, *stream(rng, "oncoming", ("b0",), 1.0, BEGIN_S + 60.0, gaps)]
    wait = stay + 30.0
    return _bus_case(roads, actors, [], limit, wait, "a bus stops in the lane", "bus0")


def _bus_bay(rng: Rng) -> Case:
    """A bus in its bay leaves just when we come."""
    limit = float(rng.choice((8.33, 13.89)))
    roads = straight(rng, 330.0, limit, 1, 1, 3.4)
    at = float(rng.uniform(110.0, 160.0))
    there = BEGIN_S + reach_s(at - 25.0, limit)
    stay = there + float(rng.uniform(-6.0, 3.0)) - 5.0
    bus = Actor("bus0", "bus", 0.0, ("e0",), 0, at - 15.0, 0.0, (Stop("e0", at, stay, 0, True),))
    gaps = mixed_gaps(rng, (4.0, 8.0), (10.0, 16.0), 0.4)
    actors = [bus, *stream(rng, "oncoming", ("b0",), 1.0, BEGIN_S + 50.0, gaps)]
    return _bus_case(roads, actors, [], limit, 32.0, "a bus leaves its bay", "bus0")


def _parked_row(rng: Rng) -> Case:
    """A row of parked vehicles beside our lane, some of them a little in it."""
    limit = float(rng.choice((8.33, 13.89)))
    width = float(rng.uniform(3.2, 3.7))
    roads = straight(rng, 300.0, limit, 1, 1, width)
    parked: list[Parked] = []
    at = 90.0
    while at < 210.0:
        sort = str(rng.choice(("car", "small", "suv", "van")))
        at += SORTS[sort].length_m + float(rng.uniform(0.8, 6.0))
        into = float(rng.uniform(-0.5, 0.35))
        left = -width - 0.5 * SORTS[sort].width_m + into
        askew = math.radians(float(rng.uniform(-2.0, 2.0)))
        parked.append(Parked(f"parked{len(parked)}", sort, "e0", at, left, askew))
    gaps = mixed_gaps(rng, (3.0, 6.0), (8.0, 14.0), 0.4)
    actors = stream(rng, "oncoming", ("b0",), 1.0, BEGIN_S + 50.0, gaps)
    return _bus_case(roads, actors, parked, limit, 22.0, "a row of parked cars", "parked2")


def _pull_out(rng: Rng) -> Case:
    """One of the parked cars pulls out before us."""
    limit = float(rng.choice((8.33, 13.89)))
    roads = straight(rng, 320.0, limit, 1, 1, 3.4)
    at = float(rng.uniform(110.0, 160.0))
    there = BEGIN_S + reach_s(at - 20.0, limit)
    stay = there + float(rng.uniform(-6.0, 1.0)) - 4.0
    sort = str(rng.choice(("car", "small", "van")))
    block = Actor("puller", sort, 0.0, ("e0",), 0, at - 12.0, 0.0, (Stop("e0", at, stay, 0, True),))
    actors = [block]
    for i in range(3):
        place = at - 16.0 - 8.0 * i
        stop = Stop("e0", place, FOREVER_S, 0, True)
        actors.append(Actor(f"parked{i}", "car", 0.0, ("e0",), 0, place - 10.0, 0.0, (stop,)))
    gaps = mixed_gaps(rng, (3.0, 6.0), (10.0, 16.0), 0.4)
    actors += stream(rng, "oncoming", ("b0",), 1.0, BEGIN_S + 50.0, gaps)
    return _bus_case(roads, actors, [], limit, 25.0, "a parked car pulls out", "puller")


def _bus_case(
    roads: Roads,
    actors: list[Actor],
    parked: list[Parked],
    limit: float,
    wait_s: float,
    what: str,
    block: str,
) -> Case:
    end = roads.node("n1").x_m
    actors.sort(key=lambda actor: actor.depart_s)
    return Case(
        f"{what}, {3.6 * limit:.0f} km/h",
        roads,
        Cast(tuple(actors), tuple(parked)),
        Place("e0", 8.0),
        Place("e0", -GOAL_M),
        1.4 * reach_s(end - GOAL_M, limit) + wait_s,
        facts={"block": block},
    )


_BUSES = {
    "bus_in_lane": _bus_in_lane,
    "bus_bay": _bus_bay,
    "parked_row": _parked_row,
    "pull_out": _pull_out,
}


def posed_bus_parked(view: View) -> bool:
    """We came near the vehicle while it stood, or it moved off before us."""
    if posed_blocked(view):
        return True
    uid = view.uids.get(view.case.facts["block"])
    if uid is None:
        return False
    frames, rows = view.rows_of(uid)
    speed = view.trace.user_speed_mps[rows]
    for i in np.flatnonzero((speed[1:] > 0.3) & (speed[:-1] <= 0.3)).tolist():
        gap, left, _ = view.between(int(frames[i]), int(rows[i]))
        if 0.0 < gap < 80.0 and abs(left) < 8.0:
            return True
    return False


BUS_PARKED = Situation(
    "bus_parked",
    "bus stops and parked vehicles",
    draw_bus_parked,
    posed_bus_parked,
    (
        PASSES_STANDING,
        STANDS_CLEAR,
        ONCOMING_FREE,
        ONCOMING_NOT_FORCED,
    ),
)
