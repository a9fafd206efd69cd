"""The way to the goal is one that our car fits through, if there is one."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from builders import Lane, arc, tiny_map
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_LEN, E_REAR, E_STEER, E_TURN
from marque.maps.area import make_area
from marque.maps.field import plan_route, route_lanes
from marque.stack.planning.passage import tight_spots, too_narrow, wide_enough
from marque.stack.planning.state import Context, Memory
from marque.types.mission import Mission
from marque.types.style import Style
from marque.vehicle.catalog import load_platform
from marque.vehicle.market import load_market


def car(turn_1pm=0.22, width_m=2.0):
    ego = np.zeros(E_LEN)
    ego[E_FRONT], ego[E_REAR], ego[E_HALF_WIDTH] = 4.1, 1.15, 0.5 * width_m
    ego[E_STEER], ego[E_TURN] = 0.12, turn_1pm
    return ego


def ways(*, wide):
    """Back along the other side of the road: through a hairpin of 2 m radius or, if `wide`, through
    a loop of 20 m."""
    hairpin = [*arc((0.0, 2.0), 2.0, -0.5 * math.pi, 0.5 * math.pi), (-16.0, 4.0)]
    lanes = [
        Lane([(-60.0, 0.0), (0.0, 0.0)], succ=[1, 3] if wide else [1]),
        Lane(hairpin, succ=[2]),
        Lane([(-16.0, 4.0), (-140.0, 4.0)]),
    ]
    if wide:
        loop = [(0.0, 0.0), *arc((60.0, 20.0), 20.0, -0.5 * math.pi, 0.5 * math.pi)]
        loop += arc((20.0, 20.0), 20.0, 0.5 * math.pi, math.pi)
        loop += arc((-16.0, 20.0), 16.0, 0.0, -0.5 * math.pi)[1:]
        lanes.append(Lane(loop, succ=[2]))
    return tiny_map(lanes, step_m=0.5)


def memory_of(road, ego, goal=2):
    mission = SimpleNamespace(road_map=road, goal_lane=goal, goal_s_m=100.0)
    route = plan_route(road, goal, 100.0)
    context = Context(mission, None, route, Style(), ego, make_area(road), load_market())
    return Memory(context)


@pytest.mark.parametrize("wide", [False, True])
def test_a_way_too_narrow_for_the_car_is_gone_round_where_there_is_another(wide):
    road = ways(wide=wide)
    before = memory_of(road, car())
    assert 1 in too_narrow(before.context, before.context.route, 0, 10.0)
    after = wide_enough(before, 0, 10.0)
    assert after.looked
    taken = route_lanes(road, after.context.route, 0, 10.0)
    assert taken == ([0, 3, 2] if wide else [0, 1, 2])
    assert after.closed == (frozenset({1}) if wide else frozenset())


def test_a_small_car_takes_the_short_way():
    road = ways(wide=True)
    ego = car(0.5, 1.2)
    ego[E_FRONT], ego[E_REAR], ego[E_STEER] = 1.8, 0.3, 0.5
    after = wide_enough(memory_of(road, ego), 0, 10.0)
    assert route_lanes(road, after.context.route, 0, 10.0) == [0, 1, 2]
    assert not after.closed


@pytest.mark.parametrize("wide", [False, True])
def test_a_way_too_narrow_that_cannot_be_gone_round_is_said(wide):
    road = ways(wide=wide)
    mission = Mission(road, load_platform("suv_erev"), 2, 100.0, 1)
    spots = tight_spots(mission, 0, 10.0)
    assert (road.lane_name[1] in spots) != wide
    assert bool(spots) != wide
