"""The six ways in which a map is wrong here, each drawn from a seed.

A case holds the true roads, and how to make of them what the car believes: other attributes of the
same lanes, or lanes of another network that was drawn beside it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.prove.roads import Roads, Signal, build_roads
from marque.prove.situations.case import Case, Place, Stage, find_place
from marque.prove.situations.cast import (
    Actor,
    Cast,
    Parked,
    Rng,
    mixed_gaps,
    reach_s,
    stream,
)
from marque.prove.situations.checks import COMMON, Criterion, Outcome
from marque.prove.situations.shapes import AHEAD, LEFT, OURS, RIGHT, any_turn, crossroads, road
from marque.prove.situations.view import View
from marque.sim.drive import Believed
from marque.types.codes import Control
from marque.types.road_map import NONE, RoadMap

BEGIN_S = 20
START_M = 8.0
ARM_M = (150.0, 200.0)
LIMIT_MPS = 13.89
AMBER_S = 3.0
OFF_M, OFF_RAD = 0.5, math.radians(1.0)
TIDY = tuple(each for each in COMMON if each.name not in ("in_time", "not_stuck"))
SLOWER_MPS, SIGN_ROOM_M = 1.0, 20.0  # above a limit; after its sign, to be as slow
EDGE_M = 2.0  # least distance of a place from the ends of a lane

Alter = Callable[[RoadMap], RoadMap]


def as_it_is(road_map: RoadMap) -> RoadMap:
    """No change."""
    return road_map


@dataclass(frozen=True, slots=True, eq=False)
class WrongMap:
    """A case: the true roads (`case`), what is truly otherwise there than they were imported
    (`truth`), and the map that our car has: `belief` of the same lanes, or other `roads` with
    another goal. `named`: a word of the finding that has to come."""

    case: Case
    named: str
    criteria: tuple[Criterion, ...]
    truth: Alter = as_it_is
    belief: Alter = as_it_is
    roads: Roads | None = None
    start: Place | None = None  # on those
    goal: Place | None = None

    def mislead(
        self, stage: Stage, folder: Path, off: tuple[float, float]
    ) -> tuple[Stage, Believed]:
        """The stage as it truly is, and what our car believes of it."""
        true = replace(stage, road_map=self.truth(stage.road_map))
        if self.roads is None:
            own = self.belief(stage.road_map)
            return true, Believed(own, LaneIndex(own), stage.trip, off)
        beside = folder / "believed"
        beside.mkdir()
        own = self.belief(build_roads(self.roads, beside)[0])
        case = replace(self.case, roads=self.roads)
        start = find_place(case, own, self.start or self.case.start)
        goal = find_place(case, own, self.goal or self.case.goal)
        return true, Believed(own, LaneIndex(own), Trip(*start, *goal), off)


# ---------------------------------------------------------------- signals


def _lights(rng: Rng) -> tuple[Roads, tuple[Actor, ...], float]:
    """Crossroads with signals that turn red for us on our way; traffic from the sides; our limit
    of time."""
    roads = crossroads(rng, "traffic_light", LIMIT_MPS, ours_m=float(rng.uniform(*ARM_M)))
    node = roads.node(f"n{OURS}")
    line_m = math.hypot(node.x_m, node.y_m) - 9.0
    comes_s = BEGIN_S + reach_s(line_m - START_M - 40.0, LIMIT_MPS)
    red_s = comes_s - float(rng.uniform(1.0, 6.0)) - AMBER_S
    greens = (40.0, float(rng.uniform(12.0, 18.0)))
    roads = replace(roads, signals=(Signal("c", "in0", "out2", "amber", red_s, greens, AMBER_S),))
    gaps = mixed_gaps(rng, (2.0, 4.0), (6.0, 10.0), 0.3)
    actors: list[Actor] = []
    for arm, to in ((RIGHT, "out3"), (LEFT, "out1"), (AHEAD, "out0")):
        actors += stream(rng, f"a{arm}_", (f"in{arm}", to), 0.0, BEGIN_S + 70.0, gaps)
    limit_s = reach_s(line_m + 80.0, LIMIT_MPS) * 1.25 + greens[1] + 2.0 * AMBER_S + 20.0
    return roads, tuple(actors), limit_s


def draw_stop_line(rng: Rng) -> WrongMap:
    """The line lies some metres before the place that the map has."""
    roads, actors, limit_s = _lights(rng)
    moved = float(rng.uniform(4.0, 12.0))

    def truth(road_map: RoadMap) -> RoadMap:
        line = road_map.lane_stop_m.copy()
        for lane in _of_edge(road_map, "in0"):
            line[lane] -= moved
        return replace(road_map, lane_stop_m=line)

    case = _case(f"stop line {moved:.1f} m earlier", roads, actors, "out2", limit_s)
    return WrongMap(case, "stop line", COMMON, truth=truth)


def draw_signal(rng: Rng) -> WrongMap:
    """The map knows of no signals at a junction."""
    roads, actors, limit_s = _lights(rng)

    def belief(road_map: RoadMap) -> RoadMap:
        control = road_map.lane_control.copy()
        control[control == Control.SIGNAL] = Control.FREE
        none = np.full(road_map.lane_count, NONE, np.int32)
        return replace(road_map, lane_head=none, lane_control=control)

    case = _case("signals that the map lacks", roads, actors, "out2", limit_s)
    return WrongMap(case, "signal", COMMON, belief=belief)


# ---------------------------------------------------------------- limits


def draw_limit(rng: Rng) -> WrongMap:
    """Works: a lower limit on a stretch."""
    lanes = int(rng.integers(1, 3))
    limit = float(rng.choice((13.89, 19.44)))
    works = float(rng.choice((8.33, 5.56) if limit < 14.0 else (8.33, 13.89)))
    ends = np.cumsum([0.0, rng.uniform(180.0, 260.0), rng.uniform(120.0, 200.0), 200.0])
    roads = road([(float(x), 0.0) for x in ends], limit, lanes, 1, turn_rad=any_turn(rng))
    slow = tuple(
        replace(edge, limit_mps=works) if edge.name == "e1" else edge for edge in roads.edges
    )
    roads = replace(roads, edges=slow)
    gaps = mixed_gaps(rng, (4.0, 8.0), (9.0, 14.0), 0.4)
    actors: list[Actor] = []
    for lane in range(lanes):
        actors += stream(rng, f"l{lane}_", ("e0", "e1", "e2"), 4.0, BEGIN_S + 50.0, gaps, lane=lane)
    actors += stream(rng, "back", ("b2", "b1", "b0"), 0.0, BEGIN_S + 50.0, gaps)

    def belief(road_map: RoadMap) -> RoadMap:
        mps = road_map.lane_limit_mps.copy()
        mps[np.isclose(mps, works, atol=0.1)] = limit
        return replace(road_map, lane_limit_mps=mps)

    limit_s = 1.4 * (reach_s(float(ends[-1]), limit) + (ends[2] - ends[1]) / works) + 25.0
    text = f"works, {3.6 * works:.0f} instead of {3.6 * limit:.0f} km/h"
    case = Case(
        text, roads, Cast(_sorted(actors)), Place("e0", 30.0), Place("e2", 150.0), float(limit_s)
    )
    return WrongMap(case, "limit", (*COMMON, OBEYS), belief=belief)


def _obeys(view: View) -> Outcome:
    """Not faster than a sign allows."""
    road_map, trace = view.road_map, view.trace
    on = np.where(view.way.lane != NONE, view.way.lane, 0)
    name = np.array(road_map.edge_name)[road_map.lane_edge[on]]
    inside = (view.way.lane != NONE) & (name == "e1") & (view.way.s_m > SIGN_ROOM_M)
    if not inside.any():
        return Outcome(False, "never there")
    over = trace.speed_mps[inside] - road_map.lane_limit_mps[on[inside]]
    k = int(np.argmax(over))
    when = float(trace.t_s[inside][k])
    return Outcome(bool(over[k] <= SLOWER_MPS), f"{over[k]:+.1f} m/s against the sign", when)


OBEYS = Criterion("obeys", f"at most {SLOWER_MPS:g} m/s above the limit of a sign", _obeys)


# ---------------------------------------------------------------- lanes


def draw_one_way(rng: Rng) -> WrongMap:
    """The road ahead has become one-way, towards us."""
    roads = crossroads(rng, "priority", LIMIT_MPS, ours_m=float(rng.uniform(*ARM_M)), main=(0, 2))
    true = replace(roads, edges=tuple(edge for edge in roads.edges if edge.name != "out2"))
    gaps = mixed_gaps(rng, (2.5, 5.0), (6.0, 10.0), 0.4)
    actors: list[Actor] = []
    actors += stream(rng, "a2_", ("in2", "out0"), 0.0, BEGIN_S + 50.0, gaps)
    actors += stream(rng, "a1_", ("in1", "out3"), 0.0, BEGIN_S + 50.0, gaps)
    case = _case("one-way towards us", true, actors, "out1", 50.0)
    criteria = (*TIDY, STAYS_OUT)
    return WrongMap(case, "one-way", criteria, roads=roads, goal=Place("out2", 70.0))


def _stays_out(view: View) -> Outcome:
    """Never past the end of the road that leads towards us."""
    road_map = view.road_map
    lane = view.lane("in2_0")
    end, angle = road_map.points(lane)[-1], float(road_map.pt_heading_rad[_last(road_map, lane)])
    ego: FloatArray = np.column_stack((view.trace.x_m, view.trace.y_m)) - end
    front = view.episode.platform.front_m
    ahead = ego + front * np.column_stack(
        (np.cos(view.trace.heading_rad), np.sin(view.trace.heading_rad))
    )
    into = -(ahead[:, 0] * math.cos(angle) + ahead[:, 1] * math.sin(angle))
    deep = float(into.max())
    return Outcome(deep < 0.5, f"{deep:.1f} m into it")


STAYS_OUT = Criterion("stays_out", "never into a road that is closed to us", _stays_out)


def draw_closed(rng: Rng) -> WrongMap:
    """Barriers across our lane of two."""
    limit = float(rng.choice((11.11, 13.89)))
    at = float(rng.uniform(170.0, 230.0))
    roads = road([(0.0, 0.0), (420.0, 0.0)], limit, 2, 1, turn_rad=any_turn(rng))
    ours = int(rng.integers(0, 2))
    middle = -3.25 * (1.5 - ours)
    barriers = tuple(
        Parked(f"barrier{i}", "barrier", "e0", at + 1.5 * i, middle + float(rng.uniform(-0.6, 0.6)))
        for i in range(int(rng.integers(3, 7)))
    )
    gaps = mixed_gaps(rng, (2.5, 5.0), (7.0, 11.0), 0.4)
    actors = stream(rng, "beside", ("e0",), 2.0, BEGIN_S + 50.0, gaps, lane=1 - ours)
    actors += stream(rng, "back", ("b0",), 0.0, BEGIN_S + 50.0, gaps)
    case = Case(
        "barriers across our lane",
        roads,
        Cast(_sorted(actors), barriers),
        Place("e0", START_M, ours),
        Place("e0", 395.0, ours),
        2.0 * reach_s(420.0, limit) + 40.0,
    )
    return WrongMap(case, "closed", COMMON)


def draw_added(rng: Rng) -> WrongMap:
    """One lane more than the map has, to the right of ours, with traffic on it."""
    limit = float(rng.choice((11.11, 13.89, 16.67)))
    points = [(0.0, 0.0), (500.0, 0.0)]
    turn = any_turn(rng)
    roads = road(points, limit, 2, 1, turn_rad=turn)
    gaps = mixed_gaps(rng, (2.0, 4.0), (5.0, 8.0), 0.3)
    actors: list[Actor] = []
    for lane in (0, 1):
        # calm: they keep to the lane that they are on
        actors += stream(rng, f"l{lane}_", ("e0",), 2.0, BEGIN_S + 45.0, gaps, lane=lane)
    actors += stream(rng, "back", ("b0",), 0.0, BEGIN_S + 45.0, gaps)
    case = Case(
        "a lane that the map lacks",
        roads,
        Cast(_sorted(actors)),
        Place("e0", 40.0, 1),
        Place("e0", 460.0, 1),
        1.6 * reach_s(500.0, limit) + 30.0,
    )
    own = road(points, limit, 1, 1, turn_rad=turn)
    return WrongMap(
        case, "lacks a lane", COMMON, roads=own, start=Place("e0", 40.0), goal=Place("e0", 460.0)
    )


KINDS: dict[str, Callable[[Rng], WrongMap]] = {
    "stop_line": draw_stop_line,
    "signal": draw_signal,
    "limit": draw_limit,
    "one_way": draw_one_way,
    "closed_lane": draw_closed,
    "added_lane": draw_added,
}


def _case(
    text: str, roads: Roads, actors: list[Actor] | tuple[Actor, ...], to: str, limit_s: float
) -> Case:
    return Case(
        text, roads, Cast(_sorted(actors)), Place("in0", START_M), Place(to, 70.0), limit_s, BEGIN_S
    )


def _sorted(actors: list[Actor] | tuple[Actor, ...]) -> tuple[Actor, ...]:
    return tuple(sorted(actors, key=lambda one: one.depart_s))


def _of_edge(road_map: RoadMap, name: str) -> list[int]:
    edge = road_map.edge_name.index(name)
    return np.flatnonzero((road_map.lane_edge == edge) & ~road_map.lane_connector).tolist()


def _last(road_map: RoadMap, lane: int) -> int:
    return int(road_map.pt_off[lane + 1]) - 1
