"""Look-up and routing on real road networks."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.maps.field import cost_at, open_lanes, plan_route, route_lanes, route_length_m
from marque.maps.library import open_map
from marque.maps.lookup import LaneIndex, footprint
from marque.maps.places import parse_place, to_latlon
from marque.maps.reach import explain, reachable
from marque.maps.route_line import route_path
from marque.maps.trips import draw_trips
from marque.types.codes import UserKind
from marque.types.road_map import RoadMap


@pytest.fixture(scope="module", params=["berlin", "autobahn", "braunschweig", "bologna"])
def road_map(request: pytest.FixtureRequest) -> RoadMap:
    name = str(request.param)
    if name == "bologna":
        shared: Path = request.getfixturevalue("shared_data")
        name = str(shared / "sumo" / "bologna" / "joined_buslanes.net.xml")
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    return open_map(name)[0]


pytestmark = [pytest.mark.sumo, pytest.mark.data]


def test_the_field_is_its_own_fixed_point(road_map: RoadMap) -> None:
    lanes = np.flatnonzero(open_lanes(road_map) & ~road_map.lane_connector)
    for goal in lanes[:: max(1, len(lanes) // 5)].tolist():
        route = plan_route(road_map, goal, 0.5 * float(road_map.lane_length_m[goal]))
        for lane in lanes[:: max(1, len(lanes) // 60)].tolist():
            want = cost_at(road_map, route, lane, 0.0)
            assert route.cost_s[lane] == pytest.approx(want, rel=1e-9)


def test_reach_and_cost_agree(road_map: RoadMap) -> None:
    lanes = np.flatnonzero(open_lanes(road_map) & ~road_map.lane_connector)
    for start in lanes[:: max(1, len(lanes) // 4)].tolist():
        found = reachable(road_map, start)
        for goal in lanes[:: max(1, len(lanes) // 12)].tolist():
            route = plan_route(road_map, goal, 0.9 * float(road_map.lane_length_m[goal]))
            assert np.isfinite(route.cost_s[start]) == found[goal]
            text = explain(road_map, start, 0.0, goal)
            assert (text == "") == found[goal]
            assert text == "" or "nearest reachable point: " in text


def test_trips_lead_along_linked_lanes(road_map: RoadMap) -> None:
    for trip in draw_trips(road_map, 3, 6, 1200.0):
        route = plan_route(road_map, trip.goal_lane, trip.goal_s_m)
        lanes = route_lanes(road_map, route, trip.start_lane, trip.start_s_m)
        for lane, after in itertools.pairwise(lanes):
            beside = (road_map.lane_left[lane], road_map.lane_right[lane])
            assert after in road_map.successors(lane) or after in beside
        length = route_length_m(road_map, route, trip.start_lane, trip.start_s_m)
        path = route_path(road_map, route, trip.start_lane, trip.start_s_m)
        assert length >= 1200.0 and path.s_m[-1] == pytest.approx(length, rel=0.01)
        assert np.diff(path.s_m).max() <= 1.0 + 1e-9


def test_points_of_lanes_are_found_on_lanes_that_run_there(road_map: RoadMap) -> None:
    index = LaneIndex(road_map)
    lane_of = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))
    usable = open_lanes(road_map)
    rows = np.flatnonzero(usable[lane_of])[::97]
    xy, heading = road_map.pt_xy_m[rows], road_map.pt_heading_rad[rows]
    kind = np.full(len(rows), UserKind.CAR, dtype=np.int8)
    lane, _, d = index.match_many(xy[:, 0].copy(), xy[:, 1].copy(), heading, kind)
    assert (lane >= 0).all() and np.abs(d).max() < 1.0
    assert (lane == lane_of[rows]).mean() > 0.9  # the rest are overlapping connectors


def test_the_middle_of_every_lane_is_road(road_map: RoadMap) -> None:
    index = LaneIndex(road_map)
    lane_of = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))
    rows = np.flatnonzero(open_lanes(road_map)[lane_of])[::13]
    x, y = road_map.pt_xy_m[rows].T
    axle = footprint(x, y, road_map.pt_heading_rad[rows], 0.2, 1.9)
    assert index.on_drivable_many(axle).all()


def test_places_go_there_and_back(road_map: RoadMap) -> None:
    index = LaneIndex(road_map)
    trip = draw_trips(road_map, 1, 1, 500.0)[0]
    points, arc = road_map.points(trip.goal_lane), road_map.arc(trip.goal_lane)
    x, y = (float(np.interp(trip.goal_s_m, arc, points[:, i])) for i in (0, 1))
    found = parse_place(road_map, index, f"xy:{x},{y}")
    assert found is not None
    if not road_map.projection or "proj=" not in road_map.projection:
        with pytest.raises(MarqueError, match="no geo-reference"):
            to_latlon(road_map, x, y)
        return
    lat, lon = to_latlon(road_map, x, y)
    assert 35.0 < lat < 60.0 and 5.0 < lon < 20.0  # all these maps lie in Europe
    lane, s_m = parse_place(road_map, index, f"{lat:.8f},{lon:.8f}")
    assert (lane, s_m) == pytest.approx(found, abs=0.1)
