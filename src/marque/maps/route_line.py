"""The line along a route, with lane changes drawn out, for drawing and for measuring."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, freeze_arrays
from marque.core.geometry import arc_length, headings
from marque.maps.field import Route, route_runs
from marque.types.road_map import RoadMap

STEP_M = 1.0  # at most, between samples


@dataclass(frozen=True, slots=True, eq=False)
class RoutePath:
    """One drivable line to the goal, R evenly spaced samples; lane changes are drawn out."""

    xy_m: FloatArray  # [R, 2]
    s_m: FloatArray  # [R] along this line
    lane: Int32Array  # [R] target lane under each sample
    limit_mps: FloatArray  # [R]

    def __post_init__(self) -> None:
        freeze_arrays(self)


def route_path(road_map: RoadMap, route: Route, lane: int, s_m: float) -> RoutePath:
    """The line that a car would follow from a place to the goal. Raises as `route_lanes`."""
    runs = route_runs(road_map, route, lane, s_m)
    parts: list[FloatArray] = []
    lanes: list[int] = []
    angles: list[FloatArray] = []
    fades: list[tuple[int, float, float]] = []  # sample at which it begins, offset, length
    begin = s_m
    for run in runs:
        last = run[-1]
        share = begin / max(float(road_map.lane_length_m[run[0]]), 1e-6)
        from_m = share * float(road_map.lane_length_m[last])
        to_m = route.goal_s_m if run is runs[-1] else float(road_map.lane_length_m[last])
        part = _cut(road_map, last, from_m, to_m)
        if len(run) > 1:
            aside = _aside(road_map, run[0], begin, part)
            fades.append((len(lanes), aside, _fade_m(road_map, route, run, begin)))
        parts.append(part)
        angles.append(headings(part))
        lanes.extend([last] * len(part))
        begin = 0.0
    xy = np.concatenate(parts)
    lane_of = np.asarray(lanes, dtype=np.int32)
    if fades:
        xy = _faded(xy, np.concatenate(angles), fades)
    return _even(road_map, xy, lane_of)


def route_line(road_map: RoadMap, route: Route, lane: int, s_m: float) -> FloatArray:
    """Points [R, 2] of `route_path`, for drawing."""
    return route_path(road_map, route, lane, s_m).xy_m


def _even(road_map: RoadMap, xy: FloatArray, lane_of: Int32Array) -> RoutePath:
    """Samples evenly spaced: where lanes join, their ends may lie millimetres apart."""
    s = arc_length(xy)
    count = max(2, math.ceil(s[-1] / STEP_M) + 1)
    at = np.linspace(0.0, s[-1], count)
    lane = lane_of[np.minimum(np.searchsorted(s, at, side="left"), len(s) - 1)]
    line = np.column_stack((np.interp(at, s, xy[:, 0]), np.interp(at, s, xy[:, 1])))
    return RoutePath(line, at, lane, road_map.lane_limit_mps[lane])


def _cut(road_map: RoadMap, lane: int, from_m: float, to_m: float) -> FloatArray:
    """The centre line between two arc lengths, ends included."""
    arc, xy = road_map.arc(lane), road_map.points(lane)
    inner = arc[(arc > from_m + 1e-6) & (arc < to_m - 1e-6)]
    at = np.concatenate(([from_m], inner, [max(from_m, to_m)]))
    return np.column_stack((np.interp(at, arc, xy[:, 0]), np.interp(at, arc, xy[:, 1])))


def _aside(road_map: RoadMap, lane: int, s_m: float, part: FloatArray) -> float:
    """How far left of the target line the place on the lane left behind is."""
    arc, xy = road_map.arc(lane), road_map.points(lane)
    dx = float(np.interp(s_m, arc, xy[:, 0])) - part[0, 0]
    dy = float(np.interp(s_m, arc, xy[:, 1])) - part[0, 1]
    ux, uy = part[1] - part[0] if len(part) > 1 else (1.0, 0.0)
    return float((ux * dy - uy * dx) / max(math.hypot(ux, uy), 1e-9))


def _fade_m(road_map: RoadMap, route: Route, run: list[int], s_m: float) -> float:
    """Length over which a change is drawn out: 4 s at the limit each, as far as there is room."""
    wish = (len(run) - 1) * max(20.0, 4.0 * float(road_map.lane_limit_mps[run[0]]))
    return min(wish, max(10.0, float(route.change_room_m[run[0]]) - s_m))


def _faded(xy: FloatArray, angle: FloatArray, fades: list[tuple[int, float, float]]) -> FloatArray:
    """The line with each jump to a neighbour lane turned into a smooth shift."""
    step = np.diff(xy, axis=0)
    for begin, _, _ in fades:
        if begin > 0:
            step[begin - 1] = 0.0  # the jump itself is no way along the road
    s = np.concatenate(([0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))))
    aside = np.zeros(len(xy))
    for begin, offset, length in fades:
        t = np.clip((s[begin:] - s[begin]) / length, 0.0, 1.0)
        aside[begin:] += offset * (1.0 - t**3 * (10.0 - 15.0 * t + 6.0 * t * t))
    normal = np.column_stack((-np.sin(angle), np.cos(angle)))
    return np.asarray(xy + aside[:, None] * normal)
