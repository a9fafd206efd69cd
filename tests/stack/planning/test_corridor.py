"""The corridor: speed profile, moved and trailed paths, and what the map says along them."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builders import Lane, arc, straight_road, street_grid, tiny_map
from lines import line, smooth_bends
from marque.kernels.rollout import E_FRONT, E_LEN, E_STEER, E_TURN
from marque.maps.area import make_area
from marque.maps.field import plan_route
from marque.maps.oncoming import APART_M, CAR_HALF_M, EDGE_M
from marque.maps.path import STEP_M, build_path, trailed
from marque.stack.planning.corridor import (
    backward_pass,
    build_corridor,
    centre_line,
    follow,
    swing,
)
from marque.stack.planning.sideways import shifted
from marque.stack.planning.state import lanes_before
from marque.stack.planning.swept import SLOWEST_MPS
from marque.types.codes import Allow, Turn
from marque.types.style import Style
from oracle.corridor_twin import backward

TOWN = street_grid(4, 3)
EGO = np.zeros(E_LEN)
EGO[E_FRONT], EGO[E_STEER], EGO[E_TURN] = 3.8, 0.15, 0.24
caps = arrays(float, st.integers(2, 120), elements=st.floats(1.5, 40.0))
brakes, jerks = st.floats(0.5, 4.0), st.floats(0.3, 6.0)


def profile(cap, brake, jerk):
    out = np.empty_like(cap)
    backward_pass(cap, STEP_M, brake, jerk, out)
    return out


@given(caps, brakes, jerks)
def test_the_profile_is_the_slow_one(cap, brake, jerk):
    assert profile(cap, brake, jerk) == pytest.approx(backward(cap.tolist(), STEP_M, brake, jerk))


@given(caps, brakes, jerks)
def test_the_profile_keeps_every_cap_and_brakes_no_harder_than_asked(cap, brake, jerk):
    v = profile(cap, brake, jerk)
    assert (v <= cap + 1e-9).all()
    assert (v > 0.0).all()
    assert ((v[:-1] ** 2 - v[1:] ** 2) / (2.0 * STEP_M) <= brake + 1e-9).all()


@given(caps, brakes, jerks, st.floats(1.0, 3.0))
def test_higher_caps_never_slow_the_profile_where_it_is_flat(cap, brake, jerk, more):
    flat = np.full_like(cap, cap.min())
    assert profile(flat, brake, jerk) == pytest.approx(flat)
    assert profile(more * flat, brake, jerk) == pytest.approx(more * flat)


def curvy(seed):
    """A lane of random bends down to 12 m radius, and the path along it."""
    r = np.random.default_rng(seed)
    xy = line(0.0, 0.0, r.uniform(-3, 3), smooth_bends(r, 200, 0.08), 1.0)[:, :2]
    road = tiny_map([Lane([(float(x), float(y)) for x, y in xy])])
    return build_path(road, (0,), 0.0, 190.0)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_a_path_moved_by_nothing_is_the_same(seed):
    path = curvy(seed)
    same = shifted(path, np.zeros(len(path.xy_m)))
    for name in ("xy_m", "heading_rad", "curvature_1pm", "lane", "lane_s_m", "start_m"):
        assert np.array_equal(getattr(same, name), getattr(path, name)), name


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 3.0))
def test_a_trailed_axle_never_turns_tighter_than_its_lead_and_never_goes_back(seed, lead):
    path = trailed(curvy(seed), lead)
    assert np.abs(path.curvature_1pm).max() <= 1.0 / lead + 1e-6
    step = np.hypot(*np.diff(path.xy_m, axis=0).T)
    assert np.allclose(step, STEP_M, atol=0.02)
    station = path.lane_s_m + np.where(path.lane == path.lanes[0], 0.0, 1e6)
    assert (np.diff(station) > 0.0).all()
    # the body point ahead of the axle is on the line that was asked for
    ahead = path.xy_m + lead * np.column_stack((np.cos(path.heading_rad), np.sin(path.heading_rad)))
    wanted = curvy(seed).xy_m
    away = np.hypot(*(ahead[5:-5, None] - wanted[None]).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 0.3


@pytest.mark.parametrize("radius", [6.0, 8.0, 12.0, 25.0])
def test_what_lies_beyond_a_bend_keeps_its_place_on_the_path(radius):
    """A smoothed bend is shorter: a stop line behind it must not move along."""
    bend = arc((0.0, 0.0), radius, -math.pi / 2, 0.0)
    before = Lane([(-40.0, -radius), *bend], succ=[1])
    road = tiny_map([before, Lane([(radius, 0.0), (radius, 60.0)])])
    path = build_path(road, (0, 1), 0.0, 200.0)
    for lane_s in (12.0, 45.0):
        at = path.place_m(1, lane_s)
        y = np.interp(at, np.arange(len(path.xy_m)) * STEP_M, path.xy_m[:, 1])
        assert y == pytest.approx(lane_s, abs=0.02)
    assert path.place_m(1, 70.0) == pytest.approx(path.place_m(1, 55.0) + 15.0, abs=0.02)
    assert path.place_m(0, 20.0) == pytest.approx(20.0, abs=0.02)


def test_in_a_bend_the_outer_front_corner_reaches_out():
    left = tiny_map([Lane([(-60, -20), (0, -20), *arc((0, 0), 20, -math.pi / 2, 1.0)[1:]])])
    path = build_path(left, (0,), 0.0, 90.0)
    to_left, to_right = swing(path, 3.8)
    assert to_left.max() < 0.02
    assert to_right.max() == pytest.approx(3.8**2 / (2 * 20), rel=0.1)
    assert to_right[: int(40 / STEP_M)].max() < 0.02


@pytest.mark.parametrize("left_hand", [False, True])
@pytest.mark.parametrize("apart", [0.2, 1.7, 2.0, 3.2])
def test_where_the_oncoming_lane_lies_over_ours_the_line_keeps_aside(apart, left_hand):
    side = -1.0 if left_hand else 1.0
    ours = Lane([(0.0, 0.0), (200.0, 0.0)])
    theirs = Lane([(150.0, side * apart), (60.0, side * apart)], allow=Allow.BUS)
    road = tiny_map([ours, theirs], left_hand=left_hand)
    route = plan_route(road, 0, 190.0)
    line = centre_line(road, route, EGO, make_area(road), (), 0, 5.0, 180.0)
    beside = -side * np.interp((20.0, 105.0, 185.0), *line.path.xy_m.T)
    wanted = min(max(0.0, APART_M - apart), 1.6 - CAR_HALF_M - EDGE_M)
    assert beside == pytest.approx((0.0, wanted, 0.0), abs=0.02)
    assert np.abs(line.path.curvature_1pm).max() * 14.0**2 < 1.5


def test_following_ends_with_the_goal_a_change_or_the_horizon():
    names = {n: i for i, n in enumerate(TOWN.lane_name)}
    route = plan_route(TOWN, names["2,1>2,2"], 50.0)
    lanes, why = follow(TOWN, route, names["0,0>1,0"], 5.0, 1000.0)
    assert why == "goal" and lanes[-1] == names["2,1>2,2"]
    assert all(b in TOWN.successors(a) for a, b in pairwise(lanes))
    assert follow(TOWN, route, names["0,0>1,0"], 5.0, 40.0)[1] == "horizon"
    road = straight_road(300.0, 2)
    assert follow(road, plan_route(road, 1, 250.0), 0, 5.0, 200.0)[1] == "lane_change"


def test_a_corridor_slows_for_bends_and_knows_its_goal():
    names = {n: i for i, n in enumerate(TOWN.lane_name)}
    route = plan_route(TOWN, names["1,0>1,1"], 50.0)
    style = Style()
    one = build_corridor(
        TOWN, route, style, EGO, make_area(TOWN), (), names["0,0>1,0"], 20.0, 160.0
    )
    assert one.end_kind == "goal"
    n = len(one.path.xy_m)
    for name in ("cap_mps", "limit_mps", "v_ref_mps", "swing_left_m", "swing_right_m"):
        assert getattr(one, name).shape == (n,)
    assert (one.cap_mps <= one.limit_mps).all() and (one.v_ref_mps <= one.cap_mps).all()
    lateral = one.cap_mps**2 * np.abs(one.path.curvature_1pm)
    assert lateral.max() <= style.lateral_mps2 + 1e-6
    assert one.cap_mps.min() < 8.0  # the corner
    slow = EGO.copy()
    slow[E_STEER] *= 0.3
    slower = build_corridor(
        TOWN, route, style, slow, make_area(TOWN), (), names["0,0>1,0"], 20.0, 160.0
    )
    assert (slower.cap_mps <= one.cap_mps).all()
    turned = slower.cap_mps * np.abs(np.gradient(slower.path.curvature_1pm, STEP_M))
    assert (turned <= slow[E_STEER] + 1e-9)[slower.cap_mps > SLOWEST_MPS].all()
    at = one.path.xy_m[round(one.goal_m / STEP_M)]
    xy, s = TOWN.points(names["1,0>1,1"]), TOWN.arc(names["1,0>1,1"])
    goal = [np.interp(50.0, s, xy[:, i]) for i in range(2)]
    assert math.dist(at, goal) < 1.0


def test_nobody_is_thought_to_have_come_by_a_u_turn() -> None:
    """A way of 1.2 m radius, made wide enough for a car, would run past the first metres of the
    lane that it leads to."""

    def before(turn: Turn) -> tuple[int, ...]:
        bend = arc((0.0, 1.2), 1.2, -0.5 * math.pi, 0.5 * math.pi)
        road = tiny_map(
            [
                Lane([(-60.0, 0.0), (0.0, 0.0)], succ=[1]),
                Lane(bend, [2], connector=True, turn=turn),
                Lane([(0.0, 2.4), (-90.0, 2.4)]),
            ]
        )
        return lanes_before(road, 2)

    assert before(Turn.U_TURN) == ()
    assert before(Turn.LEFT) == (0, 1)
