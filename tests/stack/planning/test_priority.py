"""Who goes first, where a body reaches farther than its middle."""

import numpy as np
import pytest

from builders import Conflict, Lane, tiny_map
from marque.kernels.tables import map_tables
from marque.stack.planning.interactions import meets_on, pass_beside

OURS, BEFORE, THEIRS, ASIDE = range(4)


@pytest.fixture(scope="module")
def tables():
    """We go round a ring; they come from a road, over a connector that yields to ours."""
    lanes = [
        Lane([(0.0, -20.0), (0.0, 20.0)], connector=True),
        Lane([(40.0, 0.0), (8.0, 0.0)], succ=[THEIRS]),
        Lane([(8.0, 0.0), (0.0, 2.0)], connector=True),
        Lane([(8.0, 0.0), (12.0, 9.0)], connector=True),
    ]
    return map_tables(tiny_map(lanes, conflicts=[Conflict(OURS, THEIRS, 15.0, 25.0, 2.0, 8.0)]))


def path(*stretches):
    return np.concatenate([np.full(n, lane, np.int32) for lane, n in stretches])


def test_a_long_one_that_waits_at_its_line_touches_our_way_before_its_middle_is_over_it(tables):
    bus = path((BEFORE, 8), (THEIRS, 10))
    assert bus[meets_on(tables, bus, OURS, 5, 6)] == THEIRS
    assert meets_on(tables, bus, OURS, 1, 2) == -1  # a short one does not get there so soon


def test_whose_middle_is_on_a_connector_that_meets_ours_is_on_that_one(tables):
    car = path((BEFORE, 8), (THEIRS, 10))
    assert meets_on(tables, car, OURS, 9, 2) == 9
    gone = path((THEIRS, 10), (BEFORE, 8))
    assert meets_on(tables, gone, OURS, 12, 2) == 9  # touched from the lane behind it


@pytest.mark.parametrize("lane", [BEFORE, ASIDE, OURS])
def test_elsewhere_no_connector_decides(tables, lane):
    assert meets_on(tables, path((lane, 20)), OURS, 5, 6) == -1
    assert meets_on(tables, path((THEIRS, 20)), -1, 5, 6) == -1


BODY = np.array([0.0, 0.0, 1.0, 0.0, 2.3, 0.92])  # at the origin, to the east
LONG_M, WIDE_M = 4.5, 1.8
BESIDE_M = 0.5 * WIDE_M + 0.92 + 0.3


def passes(*points, heading=0.0, stops_m=0.0):
    xy = np.array(points, float)
    out = np.zeros(1, np.bool_)
    n = len(xy)
    size = np.array([LONG_M]), np.array([WIDE_M])
    path = np.zeros(1, np.int32), np.array([0, n], np.int32), xy[:, 0], xy[:, 1]
    pass_beside(BODY, *path, np.full(n, heading), *size, np.array([stops_m]), out)
    return bool(out[0])


def along(y, *xs):
    return [(x, y) for x in xs]


def test_who_comes_from_behind_passes_beside_us_or_brakes_for_our_tail():
    way = range(-15, 10)
    assert passes(*along(BESIDE_M, *way)) and passes(*along(-BESIDE_M, *way))
    assert not passes(*along(0.0, *way))  # into our tail
    assert not passes(*along(BESIDE_M - 0.35, *way))  # would scrape along our side
    assert not passes(*along(BESIDE_M, -15, -14, -13))  # goes nowhere: nothing is known
    assert not passes(*along(BESIDE_M, *range(1, 10)))  # beside us, not behind
    assert not passes(*reversed(along(BESIDE_M, *way)), heading=np.pi)  # comes towards us
    swings = [(x, BESIDE_M - 1.2 * (x < -10)) for x in way]
    assert passes(*swings)  # aslant behind us at the moment, as round a bend
    out = [(x, BESIDE_M - 1.0 * (x > 4)) for x in way]
    assert passes(*out)  # and comes into our way ahead of us
    into = along(0.0, *way)  # as lines have it, into our tail; the gap is 10.45 m
    assert not passes(*into, stops_m=10.0)
    assert passes(*into, stops_m=11.0)  # who drives on past every place to stop means to pass
