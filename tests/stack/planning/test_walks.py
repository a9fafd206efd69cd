"""Where the car waits for people: never on a crosswalk where others may walk."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.stack.planning.rules import AT_LINE_M, WALK_MARGIN_M, _before_walk
from marque.types.road_map import NONE

LENGTH_M = 4.9


def walk(i, s_in, wide=4.0):
    return SimpleNamespace(walk=i, s_in_m=s_in, s_out_m=s_in + wide)


def place(walks, front, speed, free=(True, True)):
    road_map = SimpleNamespace(walk_head=np.array([NONE, NONE]), walk_priority=np.array(free))
    corridor = SimpleNamespace(junctions=(), crossings=walks)
    return _before_walk(road_map, corridor, None, walks[-1], front, speed, LENGTH_M)


def test_before_two_crosswalks_close_by_one_waits_before_the_first():
    near, beyond = walk(0, 30.0), walk(1, 40.0)
    assert place([near, beyond], 10.0, 5.0) == 30.0 - WALK_MARGIN_M
    assert place([near, walk(1, 60.0)], 10.0, 5.0) == 60.0 - WALK_MARGIN_M  # room between them
    assert place([near, beyond], 10.0, 5.0, (False, True)) == 40.0 - WALK_MARGIN_M  # nobody walks
    assert place([near, beyond], 32.0, 2.0) == 40.0 - WALK_MARGIN_M  # we are on it already
    assert place([near, beyond], 27.0, 9.0) == 40.0 - WALK_MARGIN_M  # too late for it


@given(st.floats(0.0, 60.0), st.floats(0.0, 14.0), st.floats(5.0, 40.0))
def test_who_can_stop_before_it_stands_on_no_crosswalk(front, speed, apart):
    first, second = walk(0, 30.0), walk(1, 30.0 + apart)
    at = place([first, second], front, speed)
    assert at in (first.s_in_m - WALK_MARGIN_M, second.s_in_m - WALK_MARGIN_M)
    could = front < first.s_in_m - WALK_MARGIN_M + AT_LINE_M and speed < 1.0
    if could and front < first.s_in_m - WALK_MARGIN_M - 1.0:
        assert at <= first.s_in_m or at - LENGTH_M >= first.s_out_m - 1e-9


def test_the_waiting_place_of_one_crosswalk_alone_is_right_before_it():
    assert place([walk(0, 30.0)], 0.0, 13.0) == pytest.approx(30.0 - WALK_MARGIN_M)
