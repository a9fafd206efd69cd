"""The index finds what a search through everything finds; the drivable area is its strips."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import Lane, arc, straight_road, street_grid, tiny_map
from marque.maps.lookup import MATCH_REACH_M, LaneIndex, footprint, nearest_of, on_drivable
from marque.types.codes import Allow, LaneKind, UserKind
from marque.types.road_map import NONE, RoadMap
from oracle.maps_lookup import lane_costs, point_on_area

TOWN = street_grid(3, 3)
MIXED = tiny_map(
    [
        Lane([(0, 0), (60, 0)], left=1, edge="a"),
        Lane([(0, 3.2), (60, 3.2)], right=0, edge="a"),
        Lane([(60, 6.4), (0, 6.4)]),
        Lane([(0, -3.0), (60, -3.0)], kind=LaneKind.WALK, width=2.0),
        Lane([(0, -5.0), (60, -5.0)], kind=LaneKind.BIKE, width=1.5),
        Lane(arc((60, 30), 30.0, -math.pi / 2, 0.0)),
        Lane([(0, 20), (60, 20)], kind=LaneKind.OTHER),
    ],
    junctions=[[(80, -10), (95, -10), (95, 5)], [(0, 0), (1, 1)]],
)
INDEX = {"town": LaneIndex(TOWN), "mixed": LaneIndex(MIXED)}
MAPS = {"town": TOWN, "mixed": MIXED}
coordinate = st.floats(-40.0, 260.0)
angle = st.floats(-10.0, 10.0)


@example("town", -2.0, -2.3, 3.0)  # beyond a corner
@example("mixed", 1.00001, 0.0, None)  # hardly beyond a point of a straight line
@given(st.sampled_from(["town", "mixed"]), coordinate, coordinate, st.none() | angle)
def test_nearest_is_the_best_of_all_lanes(
    which: str, x: float, y: float, heading: float | None
) -> None:
    found = INDEX[which].nearest(x, y, heading, Allow.CAR, 15.0)
    want = lane_costs(MAPS[which], x, y, heading, Allow.CAR, 15.0)
    if not want:
        assert found is None
        return
    assert found is not None
    lane, s, d = found
    best = [each for each in want if each[0] <= want[0][0] + 1e-6]
    assert any(
        each[1] == lane
        and abs(each[3] - abs(d)) < 1e-6
        # two points of one lane may be equally near
        and abs(gap_at(MAPS[which], lane, s, x, y) - gap_at(MAPS[which], lane, each[2], x, y))
        < 1e-6
        for each in best
    )


def gap_at(road_map: RoadMap, lane: int, s: float, x: float, y: float) -> float:
    """Metres from a lane's point at s to a place."""
    xy = [np.interp(s, road_map.arc(lane), road_map.points(lane)[:, i]) for i in (0, 1)]
    return float(np.hypot(xy[0] - x, xy[1] - y))


@given(st.lists(st.tuples(coordinate, coordinate, angle), min_size=1, max_size=30))
def test_match_many_agrees_with_nearest_for_cars_on_open_lanes(
    rows: list[tuple[float, float, float]],
) -> None:
    x, y, heading = (np.array(each) for each in zip(*rows, strict=True))
    kind = np.full(len(x), UserKind.CAR, dtype=np.int8)
    lane, s, d = INDEX["town"].match_many(x, y, heading, kind)
    for i in range(len(x)):
        want = INDEX["town"].nearest(x[i], y[i], heading[i], max_m=MATCH_REACH_M)
        assert (lane[i] == NONE) == (want is None)
        if want is not None:
            assert (lane[i], s[i], d[i]) == want


def test_who_is_found_where() -> None:
    x = np.array([30.0, 30.0, 30.0, 30.0, 30.0, 30.0])
    y = np.array([-3.0, -3.0, -5.0, 1.5, 20.0, 6.0])
    heading = np.array([math.pi / 2, 0.0, 0.0, 0.0, 0.0, 0.0])
    kind = np.array(
        [
            UserKind.PEDESTRIAN,
            UserKind.CAR,
            UserKind.BICYCLE,
            UserKind.PEDESTRIAN,
            UserKind.CAR,
            UserKind.CAR,
        ],
        dtype=np.int8,
    )
    lane, s, d = INDEX["mixed"].match_many(x, y, heading, kind)
    assert lane[0] == 3 and s[0] == pytest.approx(30.0)  # walking across its pavement
    assert lane[1] == 0  # a car is never on a pavement
    assert lane[2] == 4
    assert lane[3] == NONE  # a pedestrian on the road is on no lane for walking within reach...
    assert lane[4] == NONE  # ... and a lane for nobody is not in the index
    assert lane[5] == 1 and d[5] == pytest.approx(2.8)  # its own direction, though farther


def test_left_is_positive_and_s_runs_along() -> None:
    index = LaneIndex(straight_road(100.0, lanes=1))
    assert index.nearest(40.0, 1.0) == pytest.approx((0, 40.0, 1.0))
    assert index.nearest(40.0, -1.0) == pytest.approx((0, 40.0, -1.0))
    assert index.nearest(40.0, 16.0) is None
    assert index.nearest(40.0, 49.0, max_m=50.0) == pytest.approx((0, 40.0, 49.0))


def test_connectors_can_be_left_out() -> None:
    town = INDEX["town"]
    on = town.nearest(120.0, 121.6)
    off = town.nearest(120.0, 121.6, connectors=False)
    assert on is not None and TOWN.lane_connector[on[0]]
    assert off is not None and not TOWN.lane_connector[off[0]]


def test_nearest_of_given_lanes() -> None:
    lanes = np.array([2, 0], dtype=np.int32)
    assert nearest_of(MIXED, lanes, 30.0, 3.2, 0.0) == pytest.approx((0, 30.0, 3.2))
    assert nearest_of(MIXED, lanes, 30.0, 3.2, math.pi)[0] == 2


@settings(max_examples=300)
@given(st.sampled_from(["town", "mixed"]), coordinate, coordinate)
def test_area_is_strips_and_junctions(which: str, x: float, y: float) -> None:
    found = on_drivable(MAPS[which], INDEX[which], np.array([[x, y]]))
    inner = point_on_area(MAPS[which], x, y, 0.3 - 1e-6)
    outer = point_on_area(MAPS[which], x, y, 0.3 + 1e-6)
    assert inner <= found <= outer


def test_a_footprint_is_off_the_road_by_one_corner() -> None:
    road = straight_road(100.0, lanes=1)
    index = LaneIndex(road)
    y = np.array([0.0, 0.9, 1.0, 1.1])  # a 1.9 m wide car in a 3.2 m lane, 0.3 m tolerance
    boxes = footprint(np.full(4, 50.0), y, np.zeros(4), 4.6, 1.9)
    assert index.on_drivable_many(boxes).tolist() == [True, True, False, False]
    assert boxes[0, 0].tolist() == [52.3, 0.95] and boxes[0, 2].tolist() == [47.7, -0.95]


def test_inside_of_a_junction_is_road() -> None:
    index = INDEX["mixed"]
    box = footprint(np.array([91.0]), np.array([-6.0]), np.array([0.0]), 4.6, 1.9)
    assert index.on_drivable_many(box)[0]


def test_far_and_negative_coordinates() -> None:
    shift = 3.0e5
    road = tiny_map([Lane([(-shift, -shift), (-shift + 50.0, -shift)])])
    found = LaneIndex(road).nearest(-shift + 10.0, -shift + 1.0)
    assert found == pytest.approx((0, 10.0, 1.0), abs=1e-6)


@pytest.mark.parametrize("run_in_m", [float(each) for each in range(8)])
def test_on_a_hairpin_a_place_moves_as_the_car_does(run_in_m: float) -> None:
    """Outside of a bend of 4.5 m, turned into it by more than the line is, as a car there is: how
    the lane is cut into runs must not show."""
    bend = arc((0.0, 4.5), 4.5, -math.pi / 2, math.pi / 2)
    line = [(-20.0 - run_in_m, 0.0), *bend, (-20.0, 9.0)]
    road = tiny_map([Lane(line)], step_m=0.5)
    turned = np.linspace(0.3, math.pi - 0.3, 60)
    x, y = 5.5 * np.sin(turned), 4.5 - 5.5 * np.cos(turned)
    kind = np.full(len(x), UserKind.CAR, dtype=np.int8)
    _, s, d = LaneIndex(road).match_many(x, y, turned + 0.5, kind)
    assert np.all(np.diff(s) < 0.5) and np.all(np.diff(s) >= 0.0)
    np.testing.assert_allclose(d, -1.0, atol=0.05)
