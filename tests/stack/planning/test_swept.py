"""Our body on the road: lines that corners would leave are moved as drivers move them."""

import math

import numpy as np
import pytest

from builders import Lane, arc, tiny_map
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_LEN, E_REAR, E_STEER, E_TURN
from marque.maps.area import TOLERANCE_M, make_area
from marque.maps.path import STEP_M, build_path, trailed
from marque.stack.planning.corridor import LEAD_SHARE
from marque.stack.planning.swept import SLOWEST_MPS, fitted, off_area


def car(front_m=4.1, rear_m=1.15, width_m=2.0, turn_1pm=0.22, steer=0.12):
    ego = np.zeros(E_LEN)
    ego[E_FRONT], ego[E_REAR], ego[E_HALF_WIDTH] = front_m, rear_m, 0.5 * width_m
    ego[E_TURN], ego[E_STEER] = turn_1pm, steer
    return ego


def corner(radius_m, *, side=1.0, outline=True):
    """A turn of 90 degrees from one street into another, within a junction."""
    bend = [(x, side * y) for x, y in arc((0.0, radius_m), radius_m, -0.5 * math.pi, 0.0)]
    end = radius_m
    lanes = [
        Lane([(-40.0, 0.0), (0.0, 0.0)], succ=[1]),
        Lane(bend, succ=[2], connector=True),
        Lane([(end, side * end), (end, side * (end + 40.0))]),
    ]
    low, high, inner = -5.0, end + 5.0, end - 1.6
    square = [(-2.0, low), (high, low), (high, end + 2.0), (inner, end + 2.0), (inner, 1.6),
              (-2.0, 1.6)]  # fmt: skip
    square = [(x, side * y) for x, y in square]
    return tiny_map(lanes, junctions=[square] if outline else [])


def axle(road, ego):
    path = build_path(road, tuple(range(road.lane_count)), 0.0, 300.0)
    return trailed(path, LEAD_SHARE * float(ego[E_FRONT]))


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("radius_m", [3.0, 3.5])
def test_before_a_tight_corner_the_line_swings_out_and_the_body_stays_on_the_road(side, radius_m):
    ego, road = car(), corner(radius_m, side=side)
    area, before = make_area(road), axle(road, car())
    after = fitted(before, ego, area)
    assert off_area(before, ego, area, TOLERANCE_M).any()
    assert not off_area(after, ego, area, TOLERANCE_M).any()
    assert np.abs(after.curvature_1pm).max() < 1.03 * ego[E_TURN]
    change = np.abs(np.diff(after.curvature_1pm)).max() / STEP_M
    assert change * SLOWEST_MPS < 1.05 * ego[E_STEER]
    outwards = -side * after.xy_m[after.xy_m[:, 0] < 2.0, 1]
    assert 0.3 < outwards.max() < 3.0
    assert np.abs(outwards[:20]).max() < 0.05  # and far before the corner it stays
    assert after.lanes == before.lanes
    assert after.lane_s_m[-1] == pytest.approx(before.lane_s_m[-1], abs=STEP_M)


def test_a_longer_car_swings_out_further():
    road = corner(4.5)
    area = make_area(road)
    short, long = car(3.4, 0.8, 1.7, 0.26), car(4.3, 1.3, 2.05, 0.21)
    low = [fitted(axle(road, ego), ego, area).xy_m[:, 1].min() for ego in (short, long)]
    assert low[1] < low[0] - 0.2


def test_where_the_body_fits_the_line_stays_as_it_is():
    ego, road = car(), corner(12.0)
    path = axle(road, ego)
    assert fitted(path, ego, make_area(road)) is path


def test_where_nothing_fits_the_line_is_no_worse_than_before():
    ego, road = car(turn_1pm=0.12), corner(3.0, outline=False)
    area, before = make_area(road), axle(road, ego)
    after = fitted(before, ego, area)
    assert off_area(after, ego, area, TOLERANCE_M).sum() <= 20
    assert np.abs(after.curvature_1pm).max() <= np.abs(before.curvature_1pm).max() + 1e-3
    step = np.hypot(*np.diff(after.xy_m, axis=0).T)
    assert step[:-1] == pytest.approx(STEP_M, abs=0.05)


@pytest.mark.parametrize("radius_m", [2.5, 3.2, 8.0])
def test_a_bend_tighter_than_the_car_turns_is_cut_and_others_are_left_alone(radius_m):
    ego = car(3.8, 1.0, 1.8, 0.24, 0.15)
    bend = arc((0.0, radius_m), radius_m, -0.5 * math.pi, 0.0)
    points = np.vstack(([[-20.0, 0.0]], bend, [[radius_m, radius_m + 20.0]]))
    road = tiny_map([Lane([tuple(p) for p in points], width=9.0)])
    path = build_path(road, (0,), 0.0, 40.0)
    cut = fitted(path, ego, make_area(road))
    if radius_m > 5.0:
        assert cut is path
        return
    assert np.abs(path.curvature_1pm).max() > 0.25
    assert np.abs(cut.curvature_1pm).max() < 0.25
    apart = np.hypot(*(cut.xy_m[:, None] - path.xy_m[None]).transpose(2, 0, 1)).min(axis=1)
    assert 0.05 < apart.max() < 1.5
    assert apart[0] < 1e-6 and apart[-1] < 0.3  # where it is straight it stays
