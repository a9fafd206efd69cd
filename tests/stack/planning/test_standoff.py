"""Who waits for whom, and where: what ends a stand-off, and what keeps us from standing in one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.stack.planning.propose import _out_of_the_way
from marque.stack.planning.rules import ZONE_MARGIN_M, Stop
from marque.stack.planning.standoff import wait_for_traffic
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


ways = st.lists(
    st.tuples(st.floats(0.0, 60.0), st.floats(0.1, 12.0)).map(lambda w: (w[0], w[0] + w[1])),
    max_size=6,
)


@given(st.floats(0.0, 60.0), ways, st.floats(-10.0, 50.0), st.floats(3.0, 6.0))
def test_whoever_waits_stands_on_nobodys_way_or_where_they_would_have(at, ways, front, length):
    stop = Stop(at, Reason.YIELD, 7)
    found = _out_of_the_way(stop, ways, front, length)
    assert (found.reason, found.uid) == (Reason.YIELD, 7)
    assert found.at_m <= at
    if found.at_m == at:
        return
    assert found.at_m > front
    for begin, end in ways:
        clear = found.at_m <= begin - ZONE_MARGIN_M + 1e-9 or found.at_m >= end + length - 1e-9
        assert clear
