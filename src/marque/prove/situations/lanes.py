"""Situations along a road: following, cyclists, lane changes that the route needs, merges."""

import math
from dataclasses import replace

import numpy as np

from marque.prove.roads import Edge, Link, Node, Roads
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import (
    Actor,
    Cast,
    Rng,
    Stop,
    mixed_gaps,
    platoons,
    reach_s,
    rests,
    stream,
)
from marque.prove.situations.checks import (
    LEAVES_ROOM,
    NOBODY_FORCED,
    NOBODY_FORCED_BEHIND,
    STOPS_AT_LINE,
    Criterion,
    Outcome,
    lane_entries,
    met_priority,
)
from marque.prove.situations.passing import (
    BRAKES_FOR_CAUSE,
    KEEPS_DISTANCE,
    ONCOMING_FREE,
    ONCOMING_NOT_FORCED,
    PASSES_CYCLISTS,
    STANDS_CLEAR,
)
from marque.prove.situations.shapes import LEFT, OURS, RIGHT, Arm, any_turn, arm_angles, junction
from marque.prove.situations.situation import Situation
from marque.prove.situations.view import View
from marque.types.codes import UserKind

BEGIN_S = 20


def winding(
    rng: Rng,
    length_m: float,
    limit_mps: float,
    lanes: int = 1,
    back_lanes: int = 1,
    width_m: float = 3.25,
    bend_1pm: float = 0.004,
) -> Roads:
    """One edge `e0` (and `b0` back) with gentle bends, so that lanes have no joins in between."""
    bends = rng.uniform(-bend_1pm, bend_1pm, max(2, int(length_m / 80.0)))
    step = 10.0
    x, y, angle = 0.0, 0.0, 0.0
    points = [(x, y)]
    for i in range(int(length_m / step)):
        bend = float(np.interp(i * step, np.linspace(0.0, length_m, len(bends)), bends))
        angle += bend * step
        x, y = x + step * math.cos(angle), y + step * math.sin(angle)
        points.append((x, y))
    nodes = (Node("n0", 0.0, 0.0), Node("n1", x, y))
    edges = [
        Edge("e0", "n0", "n1", limit_mps, lanes, width_m, shape_m=tuple(points)),
    ]
    if back_lanes:
        back = tuple(reversed(points))
        edges.append(Edge("b0", "n1", "n0", limit_mps, back_lanes, width_m, shape_m=back))
    return Roads(nodes, tuple(edges), turn_rad=any_turn(rng))


# ------------------------------------------------------------------ following


def draw_following(rng: Rng) -> Case:
    """Behind slow, stopping, hard braking or cutting-in vehicles."""
    manner = str(rng.choice(("slow", "stop_and_go", "hard_brake", "cut_in")))
    limit = float(rng.choice((8.33, 13.89, 16.67, 22.22, 27.78)))
    if manner == "cut_in":
        limit = float(rng.choice((13.89, 16.67, 22.22)))
    length = {8.33: 330.0, 13.89: 480.0, 16.67: 560.0, 22.22: 700.0, 27.78: 850.0}[limit]
    roads = winding(rng, length, limit, 2 if manner == "cut_in" else 1)
    actors, cost = _MANNERS[manner](rng, length, limit)
    if rng.random() < 0.5:
        gaps = mixed_gaps(rng, (2.0, 5.0), (6.0, 10.0), 0.3)
        actors += stream(rng, "oncoming", ("b0",), 0.0, BEGIN_S + 40.0, gaps)
    goal = length - 40.0
    return Case(
        f"{manner.replace('_', ' ')} ahead, {3.6 * limit:.0f} km/h",
        roads,
        Cast(tuple(sorted(actors, key=lambda actor: actor.depart_s))),
        Place("e0", 8.0),
        Place("e0", goal),
        1.15 * (reach_s(goal, limit) + cost) + 10.0,
        facts={"manner": manner},
    )


def _slow(rng: Rng, length: float, limit: float) -> tuple[list[Actor], float]:
    """A row of slow vehicles. Returns the cast and the time that it costs us."""
    top = float(rng.uniform(0.45, 0.75)) * limit
    found = []
    at = 26.0 + float(rng.uniform(0.0, 25.0))
    for i in range(int(rng.integers(1, 4))):
        sort = str(rng.choice(("truck", "van", "car", "motorcycle")))
        found.append(Actor(f"lead{i}", sort, BEGIN_S - 0.5, ("e0",), 0, at, 0.0, top_mps=top))
        at += 16.0 + float(rng.uniform(0.0, 15.0))
    return found, length / top - length / limit + 6.0


def _stop_and_go(rng: Rng, length: float, limit: float) -> tuple[list[Actor], float]:
    """The first of a row stops several times; all move off and stand again."""
    at = 26.0 + float(rng.uniform(0.0, 20.0))
    count = int(rng.integers(1, 4))
    places = np.sort(rng.uniform(120.0, length - 110.0, int(rng.integers(2, 4))))
    stops = tuple(
        Stop("e0", float(p), float(rng.uniform(1.0, 7.0)))
        for i, p in enumerate(places)
        if i == 0 or p - places[i - 1] > 25.0
    )
    found = []
    for i in range(count):
        first = i == count - 1
        sort = str(rng.choice(("car", "suv", "van", "bus")))
        found.append(
            Actor(f"lead{i}", sort, BEGIN_S - 0.5, ("e0",), 0, at, 0.0, stops if first else ())
        )
        at += 20.0 + float(rng.uniform(0.0, 10.0))
    return found, sum(stop.duration_s + 0.8 * limit for stop in stops) + 4.0 * count


def _hard_brake(rng: Rng, length: float, limit: float) -> tuple[list[Actor], float]:
    """One ahead brakes at 5 to 7 m/s^2 to a stop, once we follow."""
    at = 28.0 + float(rng.uniform(0.0, 12.0))
    place = float(rng.uniform(0.45, 0.8)) * length
    stop = Stop("e0", place, float(rng.uniform(2.0, 6.0)))
    lead = Actor(
        "lead0", str(rng.choice(("car", "small", "suv"))), BEGIN_S - 0.5, ("e0",), 0, at, 0.0,
        (stop,), decel_mps2=float(rng.uniform(5.0, 7.0)), top_mps=0.85 * limit,
    )  # fmt: skip
    return [lead], stop.duration_s + limit + 0.2 * length / limit + 4.0


def _cut_in(rng: Rng, length: float, limit: float) -> tuple[list[Actor], float]:
    """Some on the lane beside us come over, right before us, and stop for a moment."""
    found: list[Actor] = []
    cost = 6.0
    for i in range(int(rng.integers(1, 3))):
        place = float(rng.uniform(0.4, 0.75)) * length + 40.0 * i
        place = min(place, length - 90.0)
        wait = float(rng.uniform(1.0, 5.0))
        cost += wait + 0.8 * limit
        found.append(
            Actor(
                f"cutter{i}", str(rng.choice(("car", "van", "suv"))),
                BEGIN_S + float(rng.uniform(-0.5, 6.0)), ("e0",), 1, 2.0 + 7.0 * i, None,
                (Stop("e0", place, wait),), factor=float(rng.uniform(0.85, 1.05)), calm=False,
            )
        )  # fmt: skip
    if rng.random() < 0.7:
        more, extra = _slow(rng, length, limit)
        found += [replace(each, name=f"slow{i}") for i, each in enumerate(more)]
        cost += extra
    return found, cost


_MANNERS = {
    "slow": _slow,
    "stop_and_go": _stop_and_go,
    "hard_brake": _hard_brake,
    "cut_in": _cut_in,
}


def posed_following(view: View) -> bool:
    """We followed somebody within 4 s of driving, or 12 m, for at least 4 s."""
    gap, uid = view.leaders
    speed = view.trace.speed_mps
    near = (uid >= 0) & (gap < np.maximum(4.0 * speed, 12.0)) & (view.trace.t_s > 3.0)
    return int(np.count_nonzero(near)) >= 40


FOLLOWING = Situation(
    "following",
    "following",
    draw_following,
    posed_following,
    (KEEPS_DISTANCE, STANDS_CLEAR, BRAKES_FOR_CAUSE),
)


# ------------------------------------------------------------------ cyclists


def draw_cyclist(rng: Rng) -> Case:
    """A cyclist ahead on our lane, straight on beside our right turn, or across our way."""
    manner = str(rng.choice(("ahead", "ahead", "two_lanes", "right_hook", "crossing")))
    return _CYCLISTS[manner](rng)


def _cyclist_ahead(rng: Rng) -> Case:
    """One lane each way; oncoming traffic that sometimes leaves room to overtake."""
    return _on_a_road(rng, 1)


def _cyclist_two_lanes(rng: Rng) -> Case:
    return _on_a_road(rng, 2)


def _on_a_road(rng: Rng, lanes: int) -> Case:
    limit = float(rng.choice((8.33, 13.89)))
    length = float(rng.uniform(260.0, 330.0))
    roads = winding(rng, length, limit, lanes, width_m=float(rng.uniform(3.0, 3.6)), bend_1pm=0.002)
    actors: list[Actor] = []
    pace = float(rng.uniform(3.6, 6.0))
    at = 30.0 + float(rng.uniform(0.0, 30.0))
    for i in range(int(rng.integers(1, 4))):
        actors.append(
            Actor(f"rider{i}", "bicycle", BEGIN_S - 1.0, ("e0",), 0, at, 0.0, top_mps=pace)
        )
        at += float(rng.uniform(4.0, 25.0))
    gaps = mixed_gaps(rng, (2.0, 6.0), (12.0, 20.0), 0.35)
    actors += stream(rng, "oncoming", ("b0",), 0.0, BEGIN_S + 70.0, gaps)
    if lanes == 2:
        gaps = mixed_gaps(rng, (2.5, 5.0), (7.0, 10.0), 0.4)
        actors += stream(rng, "beside", ("e0",), BEGIN_S + 2.0, BEGIN_S + 50.0, gaps, lane=1)
    actors.sort(key=lambda actor: actor.depart_s)
    goal = length - 40.0
    return Case(
        f"cyclist ahead, {lanes} lane{'s' if lanes > 1 else ''}, {3.6 * limit:.0f} km/h",
        roads,
        Cast(tuple(actors)),
        Place("e0", 8.0),
        Place("e0", goal),
        goal / pace + 22.0,
        facts={"manner": "ahead"},
    )


def _right_hook(rng: Rng) -> Case:
    """We turn right across a bicycle lane on which somebody goes straight on."""
    limit = float(rng.choice((8.33, 13.89)))
    kind = str(rng.choice(("priority", "traffic_light")))
    angles = arm_angles(rng)
    arms = {
        i: Arm(
            angles[i], float(rng.uniform(110.0, 140.0)) if i == OURS else 150.0, limit,
            priority=9 if i in (0, 2) else 3, bike_m=1.7 if i in (0, 2) else 0.0,
        )
        for i in range(4)
    }  # fmt: skip
    roads = junction(arms, kind, any_turn(rng), float(rng.uniform(5.0, 8.0)))
    there = BEGIN_S + reach_s(arms[OURS].length_m - 10.0, limit)
    actors = []
    for i in range(int(rng.integers(1, 4))):
        pace = float(rng.uniform(4.0, 6.0))
        # beside us at the corner, give or take
        start = (
            there + float(rng.uniform(-2.5, 3.0)) + 1.5 * i - (arms[OURS].length_m - 12.0) / pace
        )
        at = 1.0
        if start < 1.0:
            at, start = (1.0 - start) * pace, 1.0
        actors.append(
            Actor(f"rider{i}", "bicycle", start, ("in0", "out2"), None, at, 0.0, top_mps=pace)
        )
    actors.sort(key=lambda actor: actor.depart_s)
    free = reach_s(arms[OURS].length_m + 60.0, limit)
    return Case(
        f"right turn beside a bicycle lane, {3.6 * limit:.0f} km/h, {kind.replace('_', ' ')}",
        roads,
        Cast(tuple(actors)),
        Place("in0", 8.0),
        Place("out1", 60.0),
        1.4 * free + (75.0 if kind == "traffic_light" else 22.0),
        facts={"manner": "right_hook"},
    )


def _crossing_cyclists(rng: Rng) -> Case:
    """Out of a side road onto a main road on which cyclists, and cars between them, come."""
    limit = float(rng.choice((8.33, 13.89)))
    angles = arm_angles(rng)
    sign = str(rng.choice(("priority", "priority_stop")))
    arms = {
        i: Arm(
            angles[i], float(rng.uniform(90.0, 120.0)) if i == OURS else 170.0, limit,
            priority=9 if i in (RIGHT, LEFT) else 3,
        )
        for i in (OURS, RIGHT, LEFT)
    }  # fmt: skip
    roads = junction(arms, sign, any_turn(rng), float(rng.uniform(5.0, 8.0)))
    out = str(rng.choice(("out1", "out3")))
    actors: list[Actor] = []
    times = rests(rng, 0.0, BEGIN_S + 70.0, (6.0, 14.0), (11.0, 15.0))
    for arm, to in ((RIGHT, "out3"), (LEFT, "out1")):
        riders = platoons(
            rng, f"rider{arm}_", (f"in{arm}", to), 165.0 / 5.0, times, BEGIN_S + 70.0,
            mixed_gaps(rng, (2.5, 5.0), (5.0, 8.0), 0.4), "bicycle",
        )  # fmt: skip
        actors += [replace(rider, top_mps=5.0, factor=1.0) for rider in riders]
    actors.sort(key=lambda actor: actor.depart_s)
    free = reach_s(arms[OURS].length_m + 60.0, limit)
    return Case(
        f"cyclists on the main road, {'left' if out == 'out3' else 'right'} turn",
        roads,
        Cast(tuple(actors)),
        Place("in0", 8.0),
        Place(out, 60.0),
        1.4 * free + 45.0,
        facts={"manner": "crossing"},
    )


_CYCLISTS = {
    "ahead": _cyclist_ahead,
    "two_lanes": _cyclist_two_lanes,
    "right_hook": _right_hook,
    "crossing": _crossing_cyclists,
}


def posed_cyclist(view: View) -> bool:
    """A cyclist was ahead of us within 40 m, or met us at the junction with priority."""
    if view.case.facts["manner"] != "ahead":
        return met_priority(view)
    gap, uid = view.leaders
    bikes = set(view.trace.uid[view.trace.kind == UserKind.BICYCLE].tolist())
    near = np.isin(uid, list(bikes)) & (gap < 40.0) & (view.trace.speed_mps > 3.0)
    return int(np.count_nonzero(near)) >= 10


CYCLIST = Situation(
    "cyclist",
    "cyclists",
    draw_cyclist,
    posed_cyclist,
    (
        PASSES_CYCLISTS,
        LEAVES_ROOM,
        NOBODY_FORCED,
        NOBODY_FORCED_BEHIND,
        STOPS_AT_LINE,
        ONCOMING_FREE,
        ONCOMING_NOT_FORCED,
    ),
)


# ------------------------------------------------------------------ lane changes


def draw_lane_change(rng: Rng) -> Case:
    """We are on the wrong lane before a fork; the lane that we need is busy."""
    lanes = int(rng.choice((2, 2, 3)))
    limit = float(rng.choice((13.89, 16.67, 19.44)))
    side = str(rng.choice(("left", "right")))
    changes = lanes - 1 if rng.random() < 0.6 else 1
    length = float(rng.uniform(150.0, 240.0)) * (0.6 + 0.5 * changes) * limit / 13.89
    roads = _fork(rng, lanes, limit, length, side)
    target = lanes - 1 if side == "left" else 0
    start = target - changes if side == "left" else target + changes
    actors: list[Actor] = []
    slow = float(rng.uniform(0.75, 1.0))
    for lane in range(lanes):
        if lane == start:
            continue
        out = "aside" if lane == target else "ahead"
        gaps = mixed_gaps(rng, (1.6, 3.2), (4.5, 8.0), 0.35)
        row = stream(
            rng, f"lane{lane}_", ("feed", "main", out), 0.0, BEGIN_S + 40.0, gaps, lane=lane
        )
        actors += [replace(a, factor=slow * a.factor) for a in row]
    actors.sort(key=lambda actor: actor.depart_s)
    free = reach_s(length + 80.0, limit)
    return Case(
        f"{changes} lane{'s' if changes > 1 else ''} to the {side} within {length:.0f} m, "
        f"{3.6 * limit:.0f} km/h",
        roads,
        Cast(tuple(actors)),
        Place("main", 8.0, start),
        Place("aside", 60.0),
        1.5 * free + 15.0 + 10.0 * changes,
    )


def swerve(
    begin_m: tuple[float, float], end_m: tuple[float, float], straight_m: float = 0.0
) -> tuple[tuple[float, float], ...]:
    """A line between two points that is parallel to x at both, and straight before the end."""
    (x0, y0), (x1, y1) = begin_m, end_m
    points = []
    for f in np.linspace(0.0, 1.0, 16).tolist():
        rise = f * f * f * (10.0 - 15.0 * f + 6.0 * f * f)
        points.append((x0 + f * (x1 - straight_m - x0), y0 + rise * (y1 - y0)))
    return (*points, end_m) if straight_m > 0.0 else tuple(points)


LANE_M = 3.25


def _fork(rng: Rng, lanes: int, limit: float, length: float, side: str) -> Roads:
    """`feed` then `main` with several lanes; the outermost one on a side leads to `aside`."""
    # a road's lanes lie to the right of its axis: lanes that go on must meet
    left = side == "left"
    ahead_y = -LANE_M if left else 0.0
    aside_y = 0.0 if left else -(lanes - 1) * LANE_M
    away = float(rng.uniform(18.0, 26.0)) * (1.0 if left else -1.0)
    out = (length + 190.0, aside_y + away)
    nodes = (
        Node("n0", -170.0, 0.0),
        Node("n1", 0.0, 0.0),
        Node("n2", length, 0.0),
        Node("n3", length + 200.0, ahead_y),
        Node("n4", *out),
    )
    edges = (
        Edge("feed", "n0", "n1", limit, lanes),
        Edge("main", "n1", "n2", limit, lanes),
        Edge(
            "ahead", "n2", "n3", limit, lanes - 1,
            shape_m=((length, ahead_y), (length + 200.0, ahead_y)),
        ),
        Edge("aside", "n2", "n4", limit, 1, shape_m=swerve((length, aside_y), out)),
    )  # fmt: skip
    target = lanes - 1 if side == "left" else 0
    through = [lane for lane in range(lanes) if lane != target]
    links = [Link("feed", "main", lane, lane) for lane in range(lanes)]
    links += [Link("main", "ahead", lane, i) for i, lane in enumerate(through)]
    links.append(Link("main", "aside", target, 0))
    return Roads(nodes, edges, tuple(links), turn_rad=any_turn(rng))


def posed_lane_change(view: View) -> bool:
    """Somebody was near on the lane that we came into, from 5 s before to the change."""
    entered = lane_entries(view)
    return any(_near_on_entered(view, t) for t in entered)


def _near_on_entered(view: View, t_s: float, reach_m: float = 35.0) -> bool:
    trace = view.trace
    k = round((t_s - float(trace.t_s[0])) * 10.0)
    lane = int(view.way.lane[min(k, trace.count - 1)])
    for frame in range(max(0, k - 50), min(k + 1, trace.count), 5):
        rows = trace.users(frame)
        gap = np.hypot(
            trace.user_x_m[rows] - trace.middle_x_m[frame],
            trace.user_y_m[rows] - trace.middle_y_m[frame],
        )
        if bool(((trace.user_lane[rows] == lane) & (gap < reach_m)).any()):
            return True
    return False


STRADDLE_S = 8.0


def decides(view: View) -> Outcome:
    """Does not drive along on two lanes."""
    road_map, trace, way = view.road_map, view.trace, view.way
    lane = np.where(way.lane == -1, 0, way.lane)
    over = np.abs(way.d_m) + 0.5 * trace.platform.width_m > 0.5 * road_map.lane_width_m[lane] + 0.15
    over &= (way.lane != -1) & ~road_map.lane_connector[lane]
    edges = np.diff(over.astype(np.int8), prepend=0, append=0)
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if len(begins) == 0:
        return Outcome(True, "never")
    k = int(np.argmax(ends - begins))
    longest = 0.1 * float(ends[k] - begins[k])
    return Outcome(longest <= STRADDLE_S, f"{longest:.1f} s", float(trace.t_s[begins[k]]))


DECIDES = Criterion("decides", f"never on two lanes for more than {STRADDLE_S:g} s", decides)

LANE_CHANGE = Situation(
    "lane_change",
    "lane changes the route needs",
    draw_lane_change,
    posed_lane_change,
    (NOBODY_FORCED_BEHIND, KEEPS_DISTANCE, DECIDES),
)


# ------------------------------------------------------------------ merges


def draw_merge(rng: Rng) -> Case:
    """Up a ramp onto a busy motorway, or out of a lane that ends."""
    if rng.random() < 0.55:
        return _ramp(rng)
    return _lane_ends(rng)


def _ramp(rng: Rng) -> Case:
    limit = float(rng.choice((22.22, 25.0, 27.78)))
    before, join = float(rng.uniform(190.0, 240.0)), float(rng.uniform(190.0, 260.0))
    wide = 3.6
    begin = (-before, -2.0 * wide - float(rng.uniform(14.0, 20.0)))
    ramp = swerve(begin, (0.0, -2.0 * wide), 40.0)  # its lane meets the one that is added
    nodes = (
        Node("m0", -320.0, 0.0),
        Node("m1", 0.0, 0.0),
        Node("m2", join, 0.0),
        Node("m3", join + 320.0, 0.0),
        Node("r0", *begin),
    )
    edges = (
        Edge("main0", "m0", "m1", limit, 2, wide, priority=9),
        Edge("main1", "m1", "m2", limit, 3, wide, priority=9),
        Edge("main2", "m2", "m3", limit, 2, wide, priority=9),
        Edge("ramp", "r0", "m1", limit, 1, wide, priority=3, shape_m=ramp),
    )
    links = (
        Link("main0", "main1", 0, 1),
        Link("main0", "main1", 1, 2),
        Link("ramp", "main1", 0, 0),
        Link("main1", "main2", 1, 0),
        Link("main1", "main2", 2, 1),
    )
    roads = Roads(nodes, edges, links, turn_rad=any_turn(rng))
    way = ("main0", "main1", "main2")
    actors: list[Actor] = []
    pace = float(rng.uniform(0.75, 0.95))
    for lane, gaps in (
        (0, mixed_gaps(rng, (1.8, 3.2), (4.0, 6.0), 0.35)),
        (1, mixed_gaps(rng, (1.8, 4.0), (4.0, 8.0), 0.3)),
    ):
        for a in stream(rng, f"main{lane}_", way, 0.0, BEGIN_S + 45.0, gaps, lane=lane):
            sort = "truck" if lane == 0 and rng.random() < 0.2 else a.sort
            actors.append(replace(a, sort=sort, factor=pace if lane == 0 else 1.0))
    actors.sort(key=lambda actor: actor.depart_s)
    return Case(
        f"onto a motorway at {3.6 * limit:.0f} km/h, {join:.0f} m to merge",
        roads,
        Cast(tuple(actors)),
        Place("ramp", 8.0),
        Place("main2", 250.0, 0),
        1.3 * reach_s(before + join + 250.0, 0.8 * limit) + 15.0,
    )


def _lane_ends(rng: Rng) -> Case:
    """Two lanes become one; ours ends, or both go on as one (zipper)."""
    zipper = rng.random() < 0.4
    limit = float(rng.choice((13.89, 16.67, 22.22)))
    length = float(rng.uniform(170.0, 280.0)) * limit / 13.89
    ours = int(rng.integers(0, 2))
    y = 0.0 if ours == 0 else -LANE_M  # the lane that goes on meets the one after
    nodes = (
        Node("n0", -200.0, 0.0),
        Node("n1", 0.0, 0.0),
        Node("n2", length, 0.0, "zipper" if zipper else "priority"),
        Node("n3", length + 250.0, y),
    )
    edges = (
        Edge("feed", "n0", "n1", limit, 2),
        Edge("main", "n1", "n2", limit, 2),
        Edge("after", "n2", "n3", limit, 1, shape_m=((length, y), (length + 250.0, y))),
    )
    links = [Link("feed", "main", lane, lane) for lane in range(2)]
    links.append(Link("main", "after", 1 - ours, 0))
    if zipper:
        links.append(Link("main", "after", ours, 0))
    roads = Roads(nodes, edges, tuple(links), turn_rad=any_turn(rng))
    gaps = mixed_gaps(rng, (1.8, 3.2), (4.5, 7.0), 0.4)
    way = ("feed", "main", "after")
    pace = float(rng.uniform(0.7, 0.95))
    row = stream(rng, "main_", way, 0.0, BEGIN_S + 45.0, gaps, lane=1 - ours)
    actors = [replace(a, factor=pace * a.factor) for a in row]
    return Case(
        f"{'zipper' if zipper else 'our lane ends'} within {length:.0f} m, {3.6 * limit:.0f} km/h",
        roads,
        Cast(tuple(actors)),
        Place("main", 8.0, ours),
        Place("after", 120.0),
        1.5 * reach_s(length + 120.0, 0.8 * limit) + 25.0,
    )


def posed_merge(view: View) -> bool:
    """Somebody was near on the lane that we merged into."""
    entered = lane_entries(view)
    if any(_near_on_entered(view, t, 50.0) for t in entered):
        return True
    return met_priority(view) or _near_at_join(view)


def _near_at_join(view: View) -> bool:
    """Somebody within 30 m when we crossed the join of two lanes into one."""
    trace = view.trace
    for connector in view.connectors:
        enter, _ = view.our_stay(connector, 0.0, 0.0)
        if not math.isfinite(enter):
            continue
        k = min(int(enter * 10.0), trace.count - 1)
        rows = trace.users(k)
        gap = np.hypot(
            trace.user_x_m[rows] - trace.middle_x_m[k], trace.user_y_m[rows] - trace.middle_y_m[k]
        )
        if bool((gap < 30.0).any()):
            return True
    return False


def keeps_rolling(view: View) -> Outcome:
    """Does not stand at the end of the lane while the others flow."""
    trace = view.trace
    rolling = np.flatnonzero(trace.speed_mps > 5.0)
    if len(rolling) == 0:
        return Outcome(False, "never got going", 0.0)
    for k in np.flatnonzero(view.stands).tolist():
        if k < rolling[0]:
            continue
        goal = math.hypot(
            float(trace.x_m[k]) - view.episode.goal_xy_m[0],
            float(trace.y_m[k]) - view.episode.goal_xy_m[1],
        )
        rows = trace.users(k)
        if goal > 30.0 and (
            rows.stop == rows.start or float(np.median(trace.user_speed_mps[rows])) > 5.0
        ):
            return Outcome(False, "stood while the others drove", float(trace.t_s[k]))
    return Outcome(True)


MERGE = Situation(
    "merge",
    "merges",
    draw_merge,
    posed_merge,
    (
        NOBODY_FORCED_BEHIND,
        NOBODY_FORCED,
        KEEPS_DISTANCE,
        Criterion(
            "keeps_rolling",
            "does not stand while the others within sight drive at more than 5 m/s (median)",
            keeps_rolling,
        ),
    ),
)
