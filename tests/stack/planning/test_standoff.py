"""Who waits for whom, and where: what ends a stand-off, and what keeps us from standing in one."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.stack.planning.corridor import Way
from marque.stack.planning.propose import HERE_M, _out_of_the_way
from marque.stack.planning.rules import ZONE_MARGIN_M, Rules, Stop
from marque.stack.planning.standoff import granted, wait_for_traffic
from marque.types.codes import Reason, UserKind
from marque.types.scene import Tracks

WAITS = (0.0, 0.0, 0.0, 0.0)  # x, y, heading, speed: it stands and faces east


def tracks(*rows, kind=UserKind.CAR):
    x, y, heading, speed = np.array(rows).T
    n = len(rows)
    return Tracks(
        uid=np.arange(n),
        kind=np.full(n, kind, np.int8),
        x_m=x,
        y_m=y,
        heading_rad=heading,
        speed_mps=speed,
        accel_mps2=np.zeros(n),
        length_m=np.full(n, 4.5),
        width_m=np.full(n, 1.8),
        indicator=np.zeros(n, np.int8),
        lane=np.full(n, -1, np.int32),
        s_m=np.zeros(n),
        d_m=np.zeros(n),
        still_s=np.zeros(n),
        age_s=np.zeros(n),
    )


@pytest.mark.parametrize(
    ("other", "waits"),
    [
        ((20.0, 0.0, math.pi, 8.0), True),  # comes towards it
        ((10.0, -20.0, 0.5 * math.pi, 8.0), True),  # crosses before it
        ((-20.0, 0.0, 0.0, 8.0), False),  # comes up behind it
        ((20.0, 0.0, 0.0, 8.0), False),  # drives away
        ((20.0, 0.0, math.pi, 1.0), False),  # hardly moves
        ((70.0, 0.0, math.pi, 8.0), False),  # far
    ],
)
def test_somebody_who_stands_may_wait_for_traffic_but_not_for_a_follower(other, waits):
    found = wait_for_traffic(tracks(WAITS, other), np.array([True, False]))
    assert found.tolist() == [waits, False]


def way(begin, length):
    return Way(begin, begin + length, -1, True)


ways = st.lists(st.builds(way, st.floats(0.0, 60.0), st.floats(0.1, 12.0)), max_size=6)


@given(st.floats(0.0, 60.0), ways, st.floats(-10.0, 50.0), st.floats(3.0, 6.0))
def test_whoever_waits_stands_on_nobodys_way_or_where_they_would_have(at, ways, front, length):
    stop = Stop(at, Reason.YIELD, 7)
    found = _out_of_the_way(stop, Rules(ways, crossed=ways), front, length, 0.0)
    assert (found.reason, found.uid) == (Reason.YIELD, 7)
    assert found.at_m <= at
    if found.at_m == at or found.at_m == front + HERE_M:
        return
    assert found.at_m > front
    for one in ways:
        before = found.at_m <= one.begin_m - ZONE_MARGIN_M + 1e-9
        assert before or found.at_m >= one.end_m + length - 1e-9


def test_whoever_is_in_the_way_already_does_not_wait_deeper_in():
    stop, over = Stop(15.0, Reason.YIELD, 7), [way(10.0, 8.0)]
    both = Rules(over, crossed=over)
    assert _out_of_the_way(stop, both, 12.0, 4.5, 0.0).at_m == pytest.approx(12.0 + HERE_M)
    assert 12.0 < _out_of_the_way(stop, both, 12.0, 4.5, 2.0).at_m < 15.0  # but stops softly
    assert _out_of_the_way(stop, both, 12.0, 4.5, 8.0).at_m == 15.0
    beyond = Stop(20.0, Reason.YIELD, 7)  # only our tail is in their way there
    assert _out_of_the_way(beyond, both, 12.0, 4.5, 0.0) == beyond
    assert _out_of_the_way(stop, Rules(over), 12.0, 4.5, 0.0) == stop  # nobody seen to come


@pytest.mark.parametrize(("speed", "kept"), [(0.0, False), (2.0, True)])
def test_whom_we_were_to_go_before_waits_while_we_are_under_way(speed, kept):
    """Somebody stands before us, and somebody else comes for whom they may wait as well."""
    seen = tracks((20.0, 0.0, math.pi, 0.0), (0.0, 0.0, 0.0, 8.0))
    scene = SimpleNamespace(tracks=seen, ego=SimpleNamespace(x_m=0.0, y_m=-20.0, speed_mps=speed))
    context = SimpleNamespace(ego=np.full(9, 3.8))
    memory = SimpleNamespace(granted=np.array([0]), stood_s=0.0, context=context)
    assert (0 in granted(memory, scene)) == kept
