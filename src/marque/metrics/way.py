"""The lanes that the car truly drove, with hindsight: a connector is known by where it led."""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, freeze_arrays
from marque.core.geometry import project
from marque.maps.lookup import LaneIndex
from marque.metrics.trace import Trace
from marque.types.codes import UserKind
from marque.types.road_map import NONE, RoadMap


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Lane under the rear axle in each frame; NONE where no lane runs that way."""

    lane: Int32Array  # [n]
    s_m: FloatArray  # [n]
    d_m: FloatArray  # [n]

    def __post_init__(self) -> None:
        freeze_arrays(self)


def driven_way(trace: Trace, index: LaneIndex) -> Way:
    """Matches each frame, then settles each crossing of a junction by what came before and after.

    Connectors of one junction overlap at their ends; what lane the car came from and what lane it
    left to says which one it took.
    """
    kind = np.full(trace.count, UserKind.CAR, dtype=np.int8)
    lane, s, d = index.match_many(trace.x_m, trace.y_m, trace.heading_rad, kind)
    road_map = trace.road_map
    on_road = np.zeros(trace.count, dtype=np.bool_)
    known = lane != NONE
    on_road[known] = ~road_map.lane_connector[lane[known]]
    for begin, end in _gaps(on_road):
        before = int(lane[begin - 1]) if begin > 0 else NONE
        after = int(lane[end]) if end < trace.count else NONE
        x, y = trace.x_m[begin:end], trace.y_m[begin:end]
        best = _connector(road_map, before, after, x, y)
        if best != NONE:
            _put(road_map, best, x, y, lane[begin:end], s[begin:end], d[begin:end])
    return Way(lane, s, d)


def mean_gap_m(road_map: RoadMap, lane: int, x_m: FloatArray, y_m: FloatArray) -> float:
    """Mean distance of points to the centre line of a lane."""
    points, arc = road_map.points(lane), road_map.arc(lane)
    last = len(points) - 1
    total = 0.0
    for x, y in zip(x_m.tolist(), y_m.tolist(), strict=True):
        total += abs(project(points, arc, x, y, 0, last)[1])
    return total / max(1, len(x_m))


def _gaps(on_road: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of frames [begin, end) that are not on a road lane."""
    edges = np.diff(on_road.astype(np.int8), prepend=1, append=1)
    begins, ends = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _connector(road_map: RoadMap, before: int, after: int, x: FloatArray, y: FloatArray) -> int:
    """The connector from one lane to another that fits best; neighbours of both are tried too."""
    starts, ends = _edge_lanes(road_map, before), _edge_lanes(road_map, after)
    links: list[int] = []
    for lane in starts:
        links += [int(c) for c in road_map.successors(lane)]
    if ends:
        links = [c for c in links if any(int(e) in ends for e in road_map.successors(c))]
    if not starts:
        links = [int(c) for lane in ends for c in road_map.predecessors(lane)]
    links = [c for c in dict.fromkeys(links) if road_map.lane_connector[c]]
    if len(links) <= 1:
        return links[0] if links else NONE
    return min(links, key=lambda c: (mean_gap_m(road_map, c, x, y), c))


def _edge_lanes(road_map: RoadMap, lane: int) -> list[int]:
    if lane == NONE:
        return []
    return [int(each) for each in np.flatnonzero(road_map.lane_edge == road_map.lane_edge[lane])]


def _put(
    road_map: RoadMap,
    best: int,
    x: FloatArray,
    y: FloatArray,
    lane: Int32Array,
    s: FloatArray,
    d: FloatArray,
) -> None:
    points, arc = road_map.points(best), road_map.arc(best)
    for i in range(len(x)):
        lane[i] = best
        s[i], d[i], _ = project(points, arc, float(x[i]), float(y[i]), 0, len(points) - 1)
