"""What a motorway asks beyond a city: merges passed, exits taken, followers not forced to brake.

All of it is read from the truth of one Episode; where merges and exits are, the caller says by
names of edges (roads, one direction).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.maps.lookup import LaneIndex
from marque.metrics.forced import HARD_MPS2, because_of_us, braking
from marque.metrics.trace import Trace, make_trace, with_lanes
from marque.metrics.way import Way, driven_way
from marque.types.codes import UserKind
from marque.types.episode import Episode
from marque.types.road_map import NONE, RoadMap

Triple = tuple[str, str, str]

STOOD_MPS = 0.5  # slower than this at the end of an acceleration lane is standing,
FLOWS_MPS = 5.0  # while the others near us drive on faster than this (median)
NEAR_M = 100.0
# who came into a lane answers for who brakes behind it: from when its side comes near the line
BEFORE_S, AFTER_S = 1.5, 5.0
_NO_DRIVER = (UserKind.PEDESTRIAN, UserKind.BICYCLE, UserKind.OBSTACLE)


@dataclass(frozen=True, slots=True)
class Change:
    """One of our lane changes: the first frame with our rear axle in the new lane."""

    frame: int
    lane: int
    braked_mps2: float  # hardest braking of who drove behind us there, because of us
    uid: int  # of whom, -1 nobody

    @property
    def forced(self) -> bool:
        """Whether somebody had to brake harder than nobody may be made to."""
        return self.braked_mps2 > HARD_MPS2


def motorway_numbers(
    episode: Episode,
    index: LaneIndex,
    merges: Sequence[Triple],
    exits: Sequence[Triple],
    names: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Counts of one drive.

    merges: (ramp, road with the acceleration lane, road after it); exits: (road with the
    deceleration lane, ramp, road on which those drive on who miss it); names: the traffic's own of
    road users.
    """
    trace = with_lanes(make_trace(episode), index)
    way = driven_way(trace, index)
    roads = driven_roads(episode.road_map, way)
    begun = [each for each in merges if each[1] in roads]
    passed = [each for each in begun if merge_passed(trace, way, roads, each)]
    taken = [exit_taken(roads, each) for each in exits]
    changes = lane_changes(trace, way)
    return {
        "merges": len(begun),
        "merges_passed": len(passed),
        "exits": sum(each is not None for each in taken),
        "exits_missed": sum(each is False for each in taken),
        "lane_changes": len(changes),
        "followers_braked": [_told(trace, each, names or {}) for each in changes if each.forced],
        "follower_braking_most_mps2": round(max((c.braked_mps2 for c in changes), default=0.0), 3),
    }


def driven_roads(road_map: RoadMap, way: Way) -> list[str]:
    """Names of the edges driven, connectors left out, each as often as we came onto it."""
    lane = way.lane[way.lane != NONE]
    lane = lane[~road_map.lane_connector[lane]]
    edges = road_map.lane_edge[lane]
    first = np.flatnonzero(np.diff(edges, prepend=-1) != 0)
    return [road_map.edge_name[edge] for edge in edges[first].tolist()]


def merge_passed(trace: Trace, way: Way, roads: Sequence[str], merge: Triple) -> bool:
    """Whether we got from the acceleration lane onto the road after it, and never stood on it
    while those beside us drove."""
    _, join, after = merge
    if after not in roads[roads.index(join) :]:
        return False
    road_map = trace.road_map
    known = np.where(way.lane == NONE, 0, way.lane)
    edge = road_map.edge_name.index(join)
    on = (way.lane != NONE) & (road_map.lane_edge[known] == edge) & ~road_map.lane_connector[known]
    on &= road_map.lane_right[known] == NONE
    stood = np.flatnonzero(on & (trace.speed_mps < STOOD_MPS))
    return not any(_flows(trace, edge, int(way.lane[k]), int(k)) for k in stood)


def _flows(trace: Trace, edge: int, ours: int, frame: int) -> bool:
    """Whether those near us on the other lanes of a road drive on."""
    rows = trace.users(frame)
    lane = np.asarray(trace.user_lane[rows])
    there = (lane != NONE) & (lane != ours)
    there &= trace.road_map.lane_edge[np.where(lane == NONE, 0, lane)] == edge
    gap = np.hypot(
        trace.user_x_m[rows] - trace.middle_x_m[frame],
        trace.user_y_m[rows] - trace.middle_y_m[frame],
    )
    speed = trace.user_speed_mps[rows][there & (gap <= NEAR_M)]
    return len(speed) == 0 or bool(np.median(speed) > FLOWS_MPS)


def exit_taken(roads: Sequence[str], exit_: Triple) -> bool | None:
    """Whether we left where we should have; None when we did not come that far."""
    beside, ramp, onward = exit_
    if beside not in roads:
        return None
    for road in roads[roads.index(beside) :]:
        if road == ramp:
            return True
        if road == onward:
            return False
    return None


def lane_changes(trace: Trace, way: Way) -> list[Change]:
    """Our lane changes, and how hard who drove behind us there braked because of us."""
    entered = _entries(trace.road_map, way)
    if not entered:
        return []
    frame_of_row = np.repeat(np.arange(trace.count), np.diff(trace.off))
    brake = _braking_rows(trace, frame_of_row)
    return [_judged(trace, frame, lane, brake, frame_of_row) for frame, lane in entered]


def _entries(road_map: RoadMap, way: Way) -> list[tuple[int, int]]:
    """(frame, lane) of each lane that we came into sideways; also where a road's end, where lanes
    are joined one by one, came in the middle of it."""
    found = []
    before = NONE
    for frame, lane in enumerate(way.lane.tolist()):
        if lane == NONE:
            before = NONE
            continue
        if road_map.lane_connector[lane] or lane == before:
            continue
        if before != NONE and not _leads_to(road_map, before, lane):
            found.append((frame, lane))
        before = lane
    return found


def _leads_to(road_map: RoadMap, lane: int, after: int) -> bool:
    """Whether one lane leads on to another, straight or through one connector. Lanes of two
    roads that nothing joins are no change of lanes either."""
    if road_map.lane_edge[lane] == road_map.lane_edge[after]:
        return False
    edge = road_map.lane_edge[after]
    beside = np.flatnonzero((road_map.lane_edge == edge) & ~road_map.lane_connector)
    home = np.flatnonzero(
        (road_map.lane_edge == road_map.lane_edge[lane]) & ~road_map.lane_connector
    )
    joined = {pair for each in home.tolist() for pair in _onward(road_map, each)}
    if not any((a, b) in joined for a in home.tolist() for b in beside.tolist()):
        return True
    return (lane, after) in joined


def _onward(road_map: RoadMap, lane: int) -> list[tuple[int, int]]:
    found = []
    for step in road_map.successors(lane).tolist():
        ends = road_map.successors(step).tolist() if road_map.lane_connector[step] else [step]
        found += [(lane, int(end)) for end in ends]
    return found


def _braking_rows(trace: Trace, frame_of_row: IntArray) -> FloatArray:
    """[U] deceleration of each road user in each frame over the next 0.3 s."""
    out = np.zeros(len(trace.uid))
    order = np.lexsort((frame_of_row, trace.uid))
    cuts = np.flatnonzero(np.diff(trace.uid[order])) + 1
    for rows in np.split(order, cuts):
        out[rows] = braking(trace.user_speed_mps[rows], frame_of_row[rows])
    return out


def _judged(
    trace: Trace, frame: int, lane: int, brake: FloatArray, frame_of_row: IntArray
) -> Change:
    t_s = float(trace.t_s[frame])
    first = int(np.searchsorted(trace.t_s, t_s - BEFORE_S - 1e-6))
    last = int(np.searchsorted(trace.t_s, t_s + AFTER_S + 1e-6))
    rows = np.arange(trace.off[first], trace.off[last])
    drives: BoolArray = ~np.isin(trace.kind[rows], _NO_DRIVER)
    hard = rows[drives & (brake[rows] > 0.5)]
    for row in hard[np.argsort(-brake[hard])].tolist():
        if because_of_us(trace, int(frame_of_row[row]), row):
            return Change(frame, lane, float(brake[row]), int(trace.uid[row]))
    return Change(frame, lane, 0.0, -1)


def _told(trace: Trace, change: Change, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "t_s": round(float(trace.t_s[change.frame]), 3),
        "x_m": round(float(trace.x_m[change.frame]), 2),
        "y_m": round(float(trace.y_m[change.frame]), 2),
        "lane": trace.road_map.lane_name[change.lane],
        "who": names.get(change.uid, str(change.uid)),
        "braked_mps2": round(change.braked_mps2, 3),
    }
