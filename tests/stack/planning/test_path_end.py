"""Nobody drives beyond the path that has been looked at."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.kernels.following import stop_distance
from marque.stack.planning.rules import RuleMemory, apply_rules
from marque.types.codes import Reason
from marque.types.scene import AS_MAPPED

SEEN = SimpleNamespace(chart=AS_MAPPED)


def stops(length_m, front_m, speed_mps, end_kind="horizon"):
    corridor = SimpleNamespace(
        junctions=(), crossings=(), end_kind=end_kind, end_m=length_m,
        path=SimpleNamespace(length_m=length_m),
    )  # fmt: skip
    return apply_rules(RuleMemory(), None, corridor, SEEN, front_m, speed_mps, 3.85, 4.9)[1].binding


@given(st.floats(0.0, 40.0), st.floats(1.0, 300.0))
def test_the_end_of_a_path_binds_while_a_gentle_stop_is_still_possible(speed_mps, left_m):
    found = stops(30.0 + left_m, 30.0, speed_mps)
    if not found:
        assert left_m > stop_distance(speed_mps, 0.0, 2.3, 1.3) + 5.0
        return
    assert found[0].reason == Reason.NO_ROUTE
    assert found[0].at_m < 30.0 + left_m


@pytest.mark.parametrize("speed_mps", [0.0, 8.0, 13.9])
def test_far_ahead_it_means_nothing(speed_mps):
    assert stops(150.0, 30.0, speed_mps) == []


@pytest.mark.parametrize(
    ("goal_m", "lane_end_m", "at_m"), [(100.0, 140.0, 103.85), (100.0, 102.0, 101.5)]
)
def test_the_goal_is_reached_with_the_rear_axle_but_no_bumper_leaves_the_lane(
    goal_m, lane_end_m, at_m
):
    corridor = SimpleNamespace(
        junctions=(), crossings=(), end_kind="goal", end_m=goal_m, goal_m=goal_m,
        lanes_end_m=lane_end_m, path=SimpleNamespace(length_m=105.0),
    )  # fmt: skip
    found = apply_rules(RuleMemory(), None, corridor, SEEN, 60.0, 8.0, 3.85, 4.9)[1].binding
    assert [(stop.reason, stop.at_m) for stop in found] == [(Reason.GOAL, pytest.approx(at_m))]
