"""What of a drive does not change: roads, way, car, as one object that the page draws from.

Plain values for JSON. Places are metres relative to `origin_m` of the map frame, in centimetres
where a list would be long: east, north.
"""

import math
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array, IntArray
from marque.core.errors import MarqueError
from marque.maps.field import Route, cost_at, plan_route, route_lanes, route_length_m
from marque.maps.places import to_latlon
from marque.maps.route_line import route_line
from marque.record.outline import corners_that_matter
from marque.record.viewer import signal_bars, sketch
from marque.types.codes import Allow, LaneKind
from marque.types.episode import Episode
from marque.types.road_map import NONE, RoadMap

SCHEMA = "marque.cockpit.road/1"
ALL_LANES = 20_000  # of larger maps only what lies near the way is sent
NEAR_WAY_M = 800.0
OTHER_WAYS = 2
AVOIDED = (0.3, 0.7)  # the stretch of the way that another way has to leave out
NEW_SHARE = 0.2  # of its length that another way has to differ in


def road_scene(episode: Episode) -> dict[str, Any]:
    """The drive's stage. The route may be empty (a drive without a goal)."""
    road_map = episode.road_map
    route = np.asarray(episode.route_xy_m, dtype=np.float64).reshape(-1, 2)
    way = np.vstack((route, [episode.start_xy_m], [episode.goal_xy_m]))
    origin = np.round(way.mean(axis=0))
    lanes = _shown_lanes(road_map, way)
    car = episode.platform
    return {
        "schema": SCHEMA,
        "map": road_map.name,
        "attribution": road_map.attribution,
        "left_hand": bool(road_map.left_hand),
        "traffic": episode.traffic,
        "driver": episode.driver,
        "seed": int(episode.seed),
        "origin_m": origin.tolist(),
        "globe": _globe(road_map, origin),
        "car": {
            "title": car.title,
            "powertrain": car.powertrain,
            "length_m": car.length_m,
            "width_m": car.width_m,
            "height_m": car.height_m,
            "centre_m": car.centre_m,
            "wheelbase_m": car.wheelbase_m,
        },
        "start": _metres(np.array([episode.start_xy_m]), origin)[0],
        "goal": _metres(np.array([episode.goal_xy_m]), origin)[0],
        "route": _flat(_thin(route), origin),
        "route_length_m": round(float(episode.route_length_m), 1),
        "lanes": _lanes(road_map, lanes, origin),
        "stops": _stop_lines(road_map, lanes, origin),
        "walks": _crosswalks(road_map, way, origin, len(lanes) < road_map.lane_count),
        "heads": _heads(episode, origin),
    }


def other_ways(road_map: RoadMap, route: Route, lane: int, s_m: float) -> list[dict[str, Any]]:
    """Up to two other ways to the goal that leave out the middle of the best one. Map metres."""
    best = route_lanes(road_map, route, lane, s_m)
    base_m = route_length_m(road_map, route, lane, s_m)
    found: list[dict[str, Any]] = []
    banned: set[int] = set()
    used = [set(best)]
    for _ in range(OTHER_WAYS):
        begin, end = (round(share * len(best)) for share in AVOIDED)
        banned |= _whole_roads(road_map, best[begin:end], {lane, route.goal_lane})
        try:
            other = plan_route(road_map, route.goal_lane, route.goal_s_m, avoid=frozenset(banned))
            best = route_lanes(road_map, other, lane, s_m)
            length = route_length_m(road_map, other, lane, s_m)
        except MarqueError:
            break
        fresh = sum(each not in seen for each in best for seen in used[:1]) / len(best)
        if fresh < NEW_SHARE or length > 4.0 * base_m:
            continue
        used.append(set(best))
        found.append(
            {
                "xy": route_line(road_map, other, lane, s_m),
                "length_m": length,
                "time_s": cost_at(road_map, other, lane, s_m),
            }
        )
    return found


def ways_json(ways: list[dict[str, Any]], origin: FloatArray) -> list[dict[str, Any]]:
    """`other_ways` for the page."""
    return [
        {
            "line": _flat(_thin(way["xy"]), origin),
            "length_m": round(way["length_m"], 1),
            "time_s": round(way["time_s"], 1),
        }
        for way in ways
    ]


def flat_line(xy_m: FloatArray, origin: FloatArray) -> list[int]:
    """A line [n, 2] of map metres as the page wants it: thinned, centimetres."""
    return _flat(_thin(xy_m), origin)


def _whole_roads(road_map: RoadMap, lanes: list[int], keep: set[int]) -> set[int]:
    """All lanes of the roads that these are on, but the ones to keep."""
    edges = {int(road_map.lane_edge[each]) for each in lanes if not road_map.lane_connector[each]}
    on = np.isin(road_map.lane_edge, list(edges)) & ~road_map.lane_connector
    kept = {int(road_map.lane_edge[each]) for each in keep}
    return {int(each) for each in np.flatnonzero(on) if int(road_map.lane_edge[each]) not in kept}


def _shown_lanes(road_map: RoadMap, way: FloatArray) -> IntArray:
    count = road_map.lane_count
    if count <= ALL_LANES:
        return np.arange(count)
    low, high = way.min(axis=0) - NEAR_WAY_M, way.max(axis=0) + NEAR_WAY_M
    inside = ((road_map.pt_xy_m >= low) & (road_map.pt_xy_m <= high)).all(axis=1)
    lane = np.repeat(np.arange(count), np.diff(road_map.pt_off))
    return np.unique(lane[inside])


def _lanes(road_map: RoadMap, lanes: IntArray, origin: FloatArray) -> list[list[Any]]:
    """[kind, flags, width in cm, x, y, ...]; flags: 1 connector, 2 a lane to its left runs the
    same way, 4 one to its right does, 8 beside the opposite direction, 16 cars may use it."""
    keep = corners_that_matter(road_map.pt_off, road_map.pt_xy_m, road_map.pt_heading_rad)
    lane_of = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))[keep]
    xy = np.round(100.0 * (road_map.pt_xy_m[keep] - origin)).astype(np.int64)
    first = np.searchsorted(lane_of, lanes)
    last = np.searchsorted(lane_of, lanes, side="right")
    flags = road_map.lane_connector.astype(np.int64)
    flags += 2 * _drives(road_map, road_map.lane_left)
    flags += 4 * _drives(road_map, road_map.lane_right)
    flags += 8 * (road_map.lane_opposite != NONE)
    flags += 16 * ((road_map.lane_allow & int(Allow.CAR)) != 0)
    width = np.round(100.0 * road_map.lane_width_m).astype(np.int64)
    return [
        [int(road_map.lane_kind[k]), int(flags[k]), int(width[k]), *xy[a:b].ravel().tolist()]
        for k, a, b in zip(lanes.tolist(), first.tolist(), last.tolist(), strict=True)
    ]


def _drives(road_map: RoadMap, beside: Int32Array) -> BoolArray:
    """Whether the neighbour exists and is a lane for vehicles."""
    kind = road_map.lane_kind[np.maximum(beside, 0)]
    return np.asarray((beside != NONE) & (kind <= LaneKind.BUS))


def _stop_lines(road_map: RoadMap, lanes: IntArray, origin: FloatArray) -> list[list[int]]:
    """[x1, y1, x2, y2] in cm of each, left end first."""
    drive = np.isfinite(road_map.lane_stop_m) & (road_map.lane_kind <= LaneKind.BUS)
    found = []
    for lane in lanes[(drive & ~road_map.lane_connector)[lanes]].tolist():
        x, y, heading = road_map.place(lane, float(road_map.lane_stop_m[lane]))
        half = 0.5 * float(road_map.lane_width_m[lane])
        dx, dy = -half * math.sin(heading), half * math.cos(heading)
        ends = np.array([x + dx, y + dy, x - dx, y - dy]) - np.tile(origin, 2)
        found.append(np.round(100.0 * ends).astype(np.int64).tolist())
    return found


def _crosswalks(
    road_map: RoadMap, way: FloatArray, origin: FloatArray, near_only: bool
) -> list[list[int]]:
    """[x1, y1, x2, y2, width] in cm of each: its axis from kerb to kerb."""
    axis = np.asarray(road_map.walk_axis_m, dtype=np.float64).reshape(-1, 4)
    width = road_map.walk_width_m
    if near_only:
        low, high = way.min(axis=0) - NEAR_WAY_M, way.max(axis=0) + NEAR_WAY_M
        kept = ((axis[:, :2] >= low) & (axis[:, :2] <= high)).all(axis=1)
        axis, width = axis[kept], width[kept]
    rows = np.column_stack((axis - np.tile(origin, 2), width))
    return [[int(v) for v in row] for row in np.round(100.0 * rows).astype(np.int64)]


def _heads(episode: Episode, origin: FloatArray) -> list[list[float]]:
    """[x, y in cm, heading in rad, width in cm] of every signal head, by its index in frames."""
    bars = signal_bars(sketch(episode.road_map, np.zeros((0, 2))))
    heading = 2.0 * np.arctan2(bars.qz, bars.qw)
    x, y = 100.0 * (bars.x_m - origin[0]), 100.0 * (bars.y_m - origin[1])
    rows = zip(x.tolist(), y.tolist(), heading.tolist(), bars.width_m.tolist(), strict=True)
    return [[round(a), round(b), round(c, 3), round(100.0 * d)] for a, b, c, d in rows]


def _globe(road_map: RoadMap, origin: FloatArray) -> list[float] | None:
    """Latitude and longitude of the origin, None on a map that is not geo-referenced."""
    try:
        latitude, longitude = to_latlon(road_map, float(origin[0]), float(origin[1]))
    except MarqueError:
        return None
    return [round(latitude, 7), round(longitude, 7)]


def _thin(xy: FloatArray) -> FloatArray:
    """Every fourth point and the last: drawn lines need no more."""
    return xy if len(xy) < 8 else np.vstack((xy[:-1:4], xy[-1:]))


def _flat(xy: FloatArray, origin: FloatArray) -> list[int]:
    flat: list[int] = np.round(100.0 * (xy - origin)).astype(np.int64).ravel().tolist()
    return flat


def _metres(xy: FloatArray, origin: FloatArray) -> list[list[float]]:
    moved: list[list[float]] = np.round(xy - origin, 2).tolist()
    return moved
