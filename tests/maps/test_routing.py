"""Laws of the cost-to-go field, and trips drawn by seed."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Lane, arc, straight_road, street_grid, tiny_map
from marque.core.errors import MarqueError
from marque.core.geometry import curvatures
from marque.maps.field import (
    change_cost_s,
    cost_at,
    plan_route,
    route_lanes,
    route_length_m,
    side_at,
)
from marque.maps.reach import explain
from marque.maps.route_line import route_line, route_path
from marque.maps.trips import draw_trips
from marque.types.codes import Allow, LaneKind, Turn
from marque.types.road_map import RoadMap
from oracle.maps_lookup import cost_without_changes

TOWN = street_grid(4, 3)


def two_lane_exit(first_m: float = 200.0) -> RoadMap:
    """Two lanes, a junction, two lanes; then the left one alone leads on to lane 9."""
    a, b, c = first_m, first_m + 10.0, first_m + 200.0
    return tiny_map(
        [
            Lane([(0, 0), (a, 0)], succ=[2], left=1, edge="a"),
            Lane([(0, 3.2), (a, 3.2)], succ=[3], right=0, edge="a"),
            Lane([(a, 0), (b, 0)], connector=True, succ=[4]),
            Lane([(a, 3.2), (b, 3.2)], connector=True, succ=[5]),
            Lane([(b, 0), (c, 0)], left=5, edge="b", succ=[6]),
            Lane([(b, 3.2), (c, 3.2)], right=4, edge="b", succ=[7]),
            Lane([(c, 0), (c + 10, -5)], connector=True, succ=[8]),
            Lane([(c, 3.2), (c + 10, 3.2)], connector=True, succ=[9]),
            Lane([(c + 10, -5), (c + 100, -50)]),
            Lane([(c + 10, 3.2), (c + 100, 3.2)]),
        ]
    )


@settings(max_examples=30)
@given(st.data())
def test_cost_equals_the_slow_twin_without_neighbours(data: st.DataObject) -> None:
    goal = data.draw(st.sampled_from(np.flatnonzero(~TOWN.lane_connector).tolist()))
    s_m = data.draw(st.floats(0.0, float(TOWN.lane_length_m[goal])))
    route = plan_route(TOWN, goal, s_m)
    np.testing.assert_allclose(route.cost_s, cost_without_changes(TOWN, goal, s_m), rtol=1e-12)
    assert not route.best_side.any() and np.isinf(route.last_chance_m).all()


@settings(max_examples=30)
@given(st.data())
def test_cost_falls_along_the_route_by_the_time_driven(data: st.DataObject) -> None:
    lanes = np.flatnonzero(~TOWN.lane_connector).tolist()
    goal, start = data.draw(st.sampled_from(lanes)), data.draw(st.sampled_from(lanes))
    s_m = data.draw(st.floats(0.0, float(TOWN.lane_length_m[start])))
    route = plan_route(TOWN, goal, 50.0)
    ways = route_lanes(TOWN, route, start, s_m)
    assert ways[0] == start and ways[-1] == goal
    for lane, after in pairwise(ways):
        assert after in TOWN.successors(lane)
    length = route_length_m(TOWN, route, start, s_m)
    assert cost_at(TOWN, route, start, s_m) == pytest.approx(length / 13.89)
    path = route_path(TOWN, route, start, s_m)
    assert path.s_m[-1] == pytest.approx(length, abs=0.05)
    np.testing.assert_allclose(
        path.xy_m[-1], [np.interp(50.0, TOWN.arc(goal), TOWN.points(goal)[:, i]) for i in (0, 1)]
    )


def test_a_missed_turn_needs_no_new_search() -> None:
    goal = TOWN.lane_name.index("2,2>1,2")
    route = plan_route(TOWN, goal, 50.0)
    start = TOWN.lane_name.index("0,0>1,0")
    ways = route_lanes(TOWN, route, start, 10.0)
    missed = next(each for each in TOWN.successors(start) if each != ways[1])
    again = route_lanes(TOWN, route, int(missed), 0.0)
    assert again[-1] == goal and again[0] == missed
    assert cost_at(TOWN, route, int(missed), 0.0) > cost_at(TOWN, route, ways[1], 0.0)


def test_a_start_beyond_the_goal_on_its_lane_goes_round() -> None:
    goal = TOWN.lane_name.index("1,1>2,1")
    route = plan_route(TOWN, goal, 40.0)
    assert route_lanes(TOWN, route, goal, 39.0) == [goal]
    assert route_length_m(TOWN, route, goal, 39.0) == pytest.approx(1.0)
    round_again = route_lanes(TOWN, route, goal, 41.0)
    assert round_again[0] == round_again[-1] == goal and len(round_again) > 4
    assert route_length_m(TOWN, route, goal, 41.0) > 300.0


def test_lane_changes_are_wanted_early_and_cost_more_with_less_room() -> None:
    road = two_lane_exit()
    route = plan_route(road, 9, 50.0)
    assert route.best_side.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert route.change_room_m[[0, 4]].tolist() == pytest.approx([400.0, 190.0])
    assert route.last_chance_m[4] == pytest.approx(178.0)
    assert route_lanes(road, route, 0, 0.0) == [0, 1, 3, 5, 7, 9]
    gain = [cost_at(road, route, 0, s) - cost_at(road, route, 1, s) for s in (0.0, 100.0, 199.0)]
    assert 0.0 < gain[0] < gain[1] < gain[2]
    later = [cost_at(road, route, 4, s) - cost_at(road, route, 5, s) for s in (0.0, 170.0, 189.0)]
    assert gain[2] < later[0] < later[1] <= later[2]
    assert math.isfinite(later[2])  # lane 4 leads nowhere: the change stays the only way


def test_the_cost_of_a_change_falls_with_room() -> None:
    costs = [change_cost_s(room) for room in (1.0, 10.0, 50.0, 400.0)]
    assert costs == sorted(costs, reverse=True) and costs[-1] > 2.0


def test_two_changes_in_a_row_share_the_room() -> None:
    lanes = [
        Lane([(0, 3.2 * i), (300, 3.2 * i)], edge="a", left=i + 1 if i < 2 else -1, right=i - 1)
        for i in range(3)
    ]
    lanes[2].succ = [3]
    lanes += [
        Lane([(300, 6.4), (310, 6.4)], connector=True, succ=[4]),
        Lane([(310, 6.4), (400, 6.4)]),
    ]
    road = tiny_map(lanes)
    route = plan_route(road, 4, 10.0)
    assert route.best_side.tolist() == [1, 1, 0, 0, 0]
    assert route.last_chance_m[0] < route.last_chance_m[1] < 300.0
    assert route.cost_s[0] > route.cost_s[1] > route.cost_s[2]
    path = route_path(road, route, 0, 0.0)
    assert path.xy_m[0].tolist() == pytest.approx([0.0, 0.0])
    assert path.xy_m[-1].tolist() == pytest.approx([320.0, 6.4])
    assert np.abs(curvatures(path.xy_m)[2:-2]).max() < 0.02


@pytest.mark.parametrize("legal", [True, False])
def test_a_change_across_a_solid_line_is_no_way(legal: bool) -> None:
    lanes = [
        Lane([(0, 0), (100, 0)], left=1, left_ok=legal, edge="a"),
        Lane([(0, 3.2), (100, 3.2)], right=0, edge="a"),
    ]
    road = tiny_map(lanes)
    route = plan_route(road, 1, 90.0)
    assert math.isfinite(route.cost_s[0]) == legal
    assert side_at(road, route, 0, 0.0) == (1 if legal else 0)


def test_a_goal_on_the_neighbour_must_be_reached_before_it() -> None:
    road = straight_road(200.0, lanes=2)
    route = plan_route(road, 1, 100.0)
    assert route_lanes(road, route, 0, 20.0) == [0, 1]
    assert route.last_chance_m[0] == pytest.approx(88.0)
    assert math.isinf(cost_at(road, route, 1, 150.0))
    with pytest.raises(MarqueError, match="no way from lane"):
        route_lanes(road, route, 1, 150.0)


def test_closed_lanes_and_avoided_lanes_are_left_but_not_entered() -> None:
    goal = TOWN.lane_name.index("2,0>3,0")
    start = TOWN.lane_name.index("0,0>1,0")
    straight = TOWN.lane_name.index("1,0>2,0")
    free = plan_route(TOWN, goal, 50.0)
    assert straight in route_lanes(TOWN, free, start, 0.0)
    avoided = plan_route(TOWN, goal, 50.0, avoid=frozenset({straight}))
    assert straight not in route_lanes(TOWN, avoided, start, 0.0)
    assert route_lanes(TOWN, avoided, straight, 10.0)[0] == straight
    assert avoided.cost_s[start] > free.cost_s[start]


def test_tight_u_turns_are_no_way_and_wide_ones_are() -> None:
    for radius, open_ in ((1.6, False), (6.0, True)):
        road = tiny_map(
            [
                Lane([(0, 0), (100, 0)], succ=[1]),
                Lane(
                    arc((100, radius), radius, -math.pi / 2, math.pi / 2),
                    succ=[2],
                    connector=True,
                    turn=Turn.U_TURN,
                ),
                Lane([(100, 2 * radius), (0, 2 * radius)]),
            ],
            step_m=0.5,
        )
        assert math.isfinite(plan_route(road, 2, 50.0).cost_s[0]) == open_


def test_bad_goals_are_named() -> None:
    with pytest.raises(MarqueError, match="goal lane 999 is not on map 'town'"):
        plan_route(TOWN, 999, 0.0)
    with pytest.raises(MarqueError, match=r"beyond lane '0,0>1,0'; it is 102\.0 m long"):
        plan_route(TOWN, 0, 500.0)
    walk = tiny_map([Lane([(0, 0), (10, 0)], kind=LaneKind.WALK)])
    with pytest.raises(MarqueError, match="closed to CAR"):
        plan_route(walk, 0, 5.0)


def test_why_there_is_no_route() -> None:
    road = tiny_map(
        [
            Lane([(0, 0), (100, 0)], succ=[1], name="a"),
            Lane([(100, 0), (110, 0)], connector=True, succ=[2]),
            Lane([(110, 0), (200, 0)], name="b"),
            Lane([(500, 0), (600, 0)], name="island"),
            Lane([(200, 0), (210, 0)], connector=True, kind=LaneKind.BUS, succ=[5]),
            Lane([(210, 0), (300, 0)], name="behind"),
            Lane([(0, 9), (100, 9)], kind=LaneKind.WALK, name="path"),
        ]
    )
    assert explain(road, 0, 0.0, 2) == ""
    assert explain(road, 2, 0.0, 0).startswith("one-way: no way from lane 'b' to lane 'a'")
    assert explain(road, 0, 0.0, 6).startswith("wrong kind: goal lane 'path' (walk) is closed")
    text = explain(road, 0, 0.0, 3)
    assert text.startswith("unreachable") and "xy:200.0,0.0" in text and "lane 'b'" in text
    links = tiny_map(
        [
            Lane([(0, 0), (100, 0)], succ=[1]),
            Lane([(100, 0), (110, 0)], connector=True, kind=LaneKind.BUS, succ=[2]),
            Lane([(110, 0), (200, 0)]),
        ],
        projection="",
    )
    assert explain(links, 0, 0.0, 2).startswith("wrong kind: every way from lane 'lane0'")


def test_trips_are_the_same_for_a_seed_and_keep_their_promises() -> None:
    trips = draw_trips(TOWN, 7, 40, 250.0)
    assert trips == draw_trips(TOWN, 7, 40, 250.0)
    assert trips[:5] == draw_trips(TOWN, 7, 5, 250.0)
    assert trips != draw_trips(TOWN, 8, 40, 250.0)
    for trip in trips:
        route = plan_route(TOWN, trip.goal_lane, trip.goal_s_m)
        assert route_length_m(TOWN, route, trip.start_lane, trip.start_s_m) >= 250.0
        for lane, s_m in ((trip.start_lane, trip.start_s_m), (trip.goal_lane, trip.goal_s_m)):
            assert not TOWN.lane_connector[lane]
            assert 5.0 <= s_m <= TOWN.lane_length_m[lane] - 15.0


def test_starts_are_spread_by_length_of_lane() -> None:
    road = tiny_map(
        [
            Lane([(0, 0), (300, 0)], succ=[1]),
            Lane([(300, 0), (301, 0)], connector=True, succ=[2]),
            Lane([(301, 0), (401, 0)], succ=[3]),
            Lane([(401, 0), (402, 0)], connector=True, succ=[0]),
        ]
    )
    trips = draw_trips(road, 1, 400, 0.0)
    share = sum(trip.start_lane == 0 for trip in trips) / len(trips)
    assert 0.68 < share < 0.82  # 300 of 400 m


def test_too_small_a_map_says_how_far_it_goes() -> None:
    with pytest.raises(MarqueError, match="0 of 2 trips of at least 5000 m"):
        draw_trips(straight_road(200.0), 1, 2, 5000.0)
    walk = tiny_map([Lane([(0, 0), (10, 0)], kind=LaneKind.WALK)])
    with pytest.raises(MarqueError, match="no lane open to CAR"):
        draw_trips(walk, 1, 1, 10.0)


def test_the_line_is_for_drawing() -> None:
    route = plan_route(TOWN, 3, 50.0, Allow.CAR)
    line = route_line(TOWN, route, 0, 10.0)
    assert line.shape[1] == 2 and np.isfinite(line).all()
    assert np.hypot(*np.diff(line, axis=0).T).max() < 1.5
