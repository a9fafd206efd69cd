"""Where a corridor begins: what lies behind us must not bend it away from the car."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from builders import Lane, arc, tiny_map
from marque.kernels.rollout import E_FRONT, E_HALF_WIDTH, E_LEN, E_REAR, E_STEER, E_TURN
from marque.maps.area import make_area
from marque.maps.field import plan_route
from marque.stack.planning.locate import _extended, settle_on
from marque.stack.planning.sideways import Pose, pose_at
from marque.stack.planning.state import Memory, Start, lanes_before
from marque.types.codes import Turn
from marque.types.style import Style

HOOK = [(30.0, 6.0), *arc((0.0, 3.0), 3.0, 0.5 * math.pi, 1.5 * math.pi)]
EGO = np.zeros(E_LEN)
EGO[E_FRONT], EGO[E_REAR], EGO[E_HALF_WIDTH], EGO[E_STEER], EGO[E_TURN] = 4.1, 1.1, 1.0, 0.12, 0.22


def street(turn=Turn.U_TURN):
    """A street that a straight lane leads to, and, named first, one that turns back into it."""
    return tiny_map(
        [
            Lane([tuple(p) for p in HOOK], succ=[2], connector=True, turn=turn),
            Lane([(-30.0, 0.0), (0.0, 0.0)], succ=[2], connector=True),
            Lane([(0.0, 0.0), (200.0, 0.0)]),
        ]
    )


@pytest.mark.parametrize("turn", [Turn.U_TURN, Turn.LEFT])
def test_what_lies_behind_us_comes_the_straightest_way(turn):
    assert lanes_before(street(turn), 2) == (1,)


@pytest.mark.parametrize("before", [None, (0,), (1,)])
@pytest.mark.parametrize("angle", [-0.5, 0.0])
def test_a_way_back_to_the_line_begins_at_the_car(before, angle):
    road = street()
    mission = SimpleNamespace(road_map=road)
    context = SimpleNamespace(
        mission=mission, route=plan_route(road, 2, 150.0), style=Style(), ego=EGO,
        area=make_area(road),
    )  # fmt: skip
    pose = Pose(1.0, 1.2, angle, 0.0)
    memory = Memory(context)
    option = settle_on(memory, 2, 1.0, pose, Start(0.0, 0.0, 0.0), 13.9, before)
    found = pose_at(option.corridor.path, option.start.s_m)
    assert math.hypot(found.x_m - pose.x_m, found.y_m - pose.y_m) < 0.5
    assert abs(math.remainder(found.heading_rad - angle, 2.0 * math.pi)) < 0.25


def parting():
    """Two lanes that part after 30 m: the left one leads to the goal (lane 3), the right one goes
    round to it."""
    return tiny_map(
        [
            Lane([(0.0, 0.0), (30.0, 0.0)], succ=[2], edge="on", left=1),
            Lane([(0.0, 3.2), (30.0, 3.2)], succ=[3], edge="on", right=0),
            Lane([(30.0, 0.0), (90.0, -400.0), (300.0, 3.2)], succ=[4]),
            Lane([(30.0, 3.2), (300.0, 3.2)], succ=[4]),
            Lane([(300.0, 3.2), (500.0, 3.2)]),
        ]
    )


@pytest.mark.parametrize("given_up", [False, True])
def test_who_stands_aslant_at_the_end_of_a_lane_and_gives_the_change_up_goes_on_from_there(
    given_up,
):
    road = parting()
    context = SimpleNamespace(
        mission=SimpleNamespace(road_map=road), route=plan_route(road, 4, 150.0), style=Style(),
        ego=EGO, area=make_area(road),
    )  # fmt: skip
    memory = Memory(context)
    pose = Pose(15.0, 1.0, -0.25, 0.0)
    here = settle_on(memory, 0, 15.0, pose, Start(0.0, 0.0, 0.0), 13.9, manoeuvre="change_right")
    assert here.corridor.end_kind == "lane_change"
    memory = replace(memory, detour=frozenset({0} if given_up else ()))
    _, corridor, start = _extended(memory, here.corridor, here.start)
    assert (2 in corridor.path.lanes) == given_up
    assert (corridor.end_kind == "lane_change") != given_up
    found = pose_at(corridor.path, start.s_m)
    assert math.hypot(found.x_m - pose.x_m, found.y_m - pose.y_m) < 0.5
