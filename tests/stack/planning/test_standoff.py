"""Who waits for whom, and where: what ends a stand-off, and what keeps us from standing in one."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.kernels.following import stop_distance
from marque.kernels.rollout import (
    E_ACCEL,
    E_BRAKE,
    E_EASE,
    E_FRONT,
    E_JERK,
    E_LAUNCH,
    E_LEN,
    E_MAX_BRAKE,
    FALLBACK_JERK_MPS3,
    next_accel,
)
from marque.stack.planning.corridor import Way
from marque.stack.planning.driver import _stood
from marque.stack.planning.interactions import _before_waiting_place, _sets_off
from marque.stack.planning.propose import SOFT_MPS2, _out_of_the_way
from marque.stack.planning.rules import LINE_MARGIN_M, ZONE_MARGIN_M, Rules, Stop, _may_come
from marque.stack.planning.standoff import granted, let_out, wait_for_traffic
from marque.stack.planning.state import Start
from marque.types.codes import Reason, SignalState, UserKind
from marque.types.road_map import NONE
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


def rules_of(ways):
    """No light holds those on them."""
    return Rules(ways, coming=[(None, each) for each in ways])


def soonest(speed, accel=0.0):
    return stop_distance(speed, accel, SOFT_MPS2, FALLBACK_JERK_MPS3)


ways = st.lists(st.builds(way, st.floats(0.0, 60.0), st.floats(0.1, 12.0)), max_size=6)


@given(st.floats(0.0, 60.0), ways, st.floats(-10.0, 50.0), st.floats(3.0, 6.0))
def test_whoever_waits_stands_on_nobodys_way_or_where_they_would_have(at, ways, front, length):
    stop = Stop(at, Reason.YIELD, 7)
    found = _out_of_the_way(stop, rules_of(ways), front, length, 0.0)
    assert (found.reason, found.uid) == (Reason.YIELD, 7)
    assert found.at_m <= at
    if found.at_m == at or found.at_m == front:
        return
    assert found.at_m > front
    for one in ways:
        before = found.at_m <= one.begin_m - ZONE_MARGIN_M + 1e-9
        assert before or found.at_m >= one.end_m + length - 1e-9


def test_whoever_is_in_the_way_already_does_not_wait_deeper_in():
    stop, over = Stop(15.0, Reason.YIELD, 7), [way(10.0, 8.0)]
    both = rules_of(over)
    assert _out_of_the_way(stop, both, 12.0, 4.5, 0.0).at_m == pytest.approx(12.0)
    assert (
        12.0 < _out_of_the_way(stop, both, 12.0, 4.5, soonest(2.0)).at_m < 15.0
    )  # but stops softly
    assert _out_of_the_way(stop, both, 12.0, 4.5, soonest(8.0)).at_m == 15.0
    beyond = Stop(20.0, Reason.YIELD, 7)  # only our tail is in their way there
    assert _out_of_the_way(beyond, both, 12.0, 4.5, 0.0) == beyond
    assert _out_of_the_way(stop, Rules(over), 12.0, 4.5, 0.0) == stop  # nobody seen to come


@pytest.mark.parametrize(("speed", "accel"), [(1.2, 1.1), (0.6, 0.0), (2.5, -0.5), (4.0, 1.0)])
def test_whoever_is_in_the_way_comes_to_rest_and_does_not_creep_on(speed, accel):
    """The place is looked for anew in every tick; it must not move on before us."""
    ego = np.zeros(E_LEN)
    ego[[E_ACCEL, E_BRAKE, E_JERK, E_MAX_BRAKE]] = 1.8, 1.8, 1.0, 9.0
    ego[[E_LAUNCH, E_EASE]] = 1.0
    stop, over = Stop(40.0, Reason.YIELD, 7), [way(8.0, 40.0)]
    first = soonest(speed, accel)
    front = at = 10.0
    for _ in range(40):
        at = _out_of_the_way(stop, rules_of(over), front, 4.5, soonest(speed, accel)).at_m
        accel = next_accel(ego[E_ACCEL], at - front, speed, accel, 0, False, ego, 0.1)
        now = max(0.0, speed + 0.1 * accel)
        front += 0.05 * (speed + now)
        speed = now
    assert speed == 0.0
    assert front - 10.0 < first + 0.3


@pytest.mark.parametrize(("speed", "kept"), [(0.0, False), (2.0, True)])
def test_whom_we_were_to_go_before_waits_while_we_are_under_way(speed, kept):
    """Somebody stands before us, and somebody else comes for whom they may wait as well."""
    seen = tracks((20.0, 0.0, math.pi, 0.0), (0.0, 0.0, 0.0, 8.0))
    scene = SimpleNamespace(tracks=seen, ego=SimpleNamespace(x_m=0.0, y_m=-20.0, speed_mps=speed))
    context = SimpleNamespace(ego=np.full(E_LEN, 3.8))
    memory = SimpleNamespace(granted=np.array([0]), stood_s=0.0, context=context)
    assert (0 in granted(memory, scene)) == kept


@pytest.mark.parametrize(
    ("away", "theirs", "kept"), [(20.0, 0.0, True), (20.0, 0.6, False), (40.0, 0.0, False)]
)
def test_a_grant_holds_until_they_move_however_fast_we_have_become(away, theirs, kept):
    """Who is in the middle of a crossing does not stop there because of somebody who stands."""
    seen = tracks((away, 0.0, math.pi, theirs), (10.0, 5.0, math.pi, 0.0))
    scene = SimpleNamespace(tracks=seen, ego=SimpleNamespace(x_m=0.0, y_m=0.0, speed_mps=6.0))
    context = SimpleNamespace(ego=np.full(E_LEN, 3.8))
    memory = SimpleNamespace(granted=np.array([0]), stood_s=9.0, context=context)
    assert granted(memory, scene).tolist() == ([0] if kept else [])


@pytest.mark.parametrize(
    ("reason", "speed", "stood"),
    [
        (Reason.ONCOMING, 0.0, 4.1),
        (Reason.ONCOMING, 0.8, 4.0),
        (Reason.ONCOMING, 2.0, 0.0),
        (Reason.RED_LIGHT, 0.0, 0.0),  # who stands at a light waits for nobody
    ],
)
def test_only_who_stands_for_others_waits_for_them(reason, speed, stood):
    found = _stood(SimpleNamespace(stood_s=4.0), SimpleNamespace(reason=reason), speed)
    assert found == pytest.approx(stood)


def across(*, speed=0.0, cosine=-0.6, k_off=-1e9, way=(30.0, 27.0, 24.0), walker=0):
    """Somebody whose body begins 30 m along our way and who leaves it towards us."""
    one = np.array([[way]])
    return SimpleNamespace(
        first=np.zeros((1, 1), np.int32),
        lo=one,
        cosr=np.full(one.shape, cosine),
        k_off=np.array([[k_off]]),
        speed=np.array([speed]),
        limit=np.array([13.9]),
        walker=np.array([walker]),
        doubt=np.array([0]),
    )


def waiting(it, *, front=10.0, speed=0.0, junctions=(), inside=True):
    ego = make_ego()
    option = SimpleNamespace(
        start=Start(front - float(ego[E_FRONT]), speed, 0.0),
        corridor=SimpleNamespace(junctions=junctions),
    )
    road_map = SimpleNamespace(lane_connector=np.array([inside]))
    seen = tracks((30.0, 0.0, math.pi, float(it.speed[0])))
    seen = replace(seen, lane=np.zeros(1, np.int32))
    return let_out(it, 0, option, ego, road_map, seen, np.zeros(1, np.int32))


def make_ego():
    ego = np.zeros(E_LEN)
    ego[[E_FRONT, E_BRAKE, E_JERK]] = 3.8, 2.3, 1.15
    return ego


def test_who_stands_across_our_way_gets_all_of_the_way_that_they_need():
    assert waiting(across()).at_m == pytest.approx(24.0 - ZONE_MARGIN_M)
    assert waiting(across(speed=1.5)) is not None  # sets off


@pytest.mark.parametrize(
    "it",
    [
        across(speed=5.0),
        across(cosine=0.9),  # drives our way
        across(k_off=3.0),  # turns onto our way
        across(walker=1),
        across(way=(30.0, 30.0, 29.0)),  # leaves it where they stand: we wait behind them
        across(way=(8.0, 4.0)),  # beside us
    ],
)
def test_others_are_not_let_out(it):
    assert waiting(it) is None


def test_on_a_road_they_are_not_let_out():
    assert waiting(across(), inside=False) is None


def test_we_wait_before_the_junction_or_no_deeper_in_it():
    junction = SimpleNamespace(stop_m=15.0, s_out_m=40.0)
    assert waiting(across(), junctions=(junction,)).at_m == pytest.approx(15.0 - LINE_MARGIN_M)
    assert waiting(across(), front=18.0, junctions=(junction,)).at_m == pytest.approx(18.0, abs=0.2)
    assert waiting(across(), front=18.0, speed=2.0, junctions=(junction,)).at_m < 24.0


@pytest.mark.parametrize(
    ("speed", "accel", "to_junction", "goes"),
    [(2.0, 0.8, 1.0, True), (2.0, 0.0, 1.0, False), (0.5, 0.8, 1.0, False), (2.0, 0.8, 9.0, False)],
)
def test_who_sets_off_in_a_junction_does_not_stop_again(speed, accel, to_junction, goes):
    it = SimpleNamespace(speed=np.array([speed]), accel=np.array([accel]), length=np.array([4.5]))
    forecast = SimpleNamespace(connector_m=np.array([to_junction]))
    assert _sets_off(it, forecast).tolist() == [goes]


@pytest.mark.parametrize(
    ("lane", "front", "speed", "may"),
    [(0, 5.0, 6.0, True), (0, 5.0, 12.0, False), (0, 21.0, 1.0, False), (1, 5.0, 1.0, False)],
)
def test_who_drives_up_to_where_one_waits_in_a_junction_may_still_wait(lane, front, speed, may):
    """Lane 0 has a place to wait 20 m from its start, lane 1 has none; nobody is off the lanes."""
    it = SimpleNamespace(speed=np.array([speed] * 2), length=np.array([4.0] * 2))
    seen = SimpleNamespace(lane=np.array([lane, NONE]), s_m=np.array([front - 2.0] * 2))
    tables = SimpleNamespace(lane_wait_m=np.array([20.0, np.nan]))
    found = _before_waiting_place(it, tables, seen, np.array([0, 1], np.int32))
    assert found.tolist() == [may, False]


@pytest.mark.parametrize(
    ("theirs", "ours", "over", "come"),
    [
        (None, SignalState.UNKNOWN, False, "all"),  # no light
        (SignalState.RED, SignalState.GREEN_YIELD, False, "none"),
        (SignalState.GREEN, SignalState.GREEN_YIELD, False, "all"),
        (SignalState.UNKNOWN, SignalState.GREEN_YIELD, False, "towards"),
        (SignalState.UNKNOWN, SignalState.GREEN, False, "equal"),  # both turn left at an arrow
        (SignalState.UNKNOWN, SignalState.RED, False, "none"),
        (SignalState.UNKNOWN, SignalState.UNKNOWN, False, "none"),
        (SignalState.UNKNOWN, SignalState.UNKNOWN, True, "towards"),  # it was green
    ],
)
def test_those_who_come_towards_us_may_have_green_when_we_have(theirs, ours, over, come):
    scene = SimpleNamespace(signal_state=np.array([ours, theirs or 0], np.int8))
    junction = SimpleNamespace(head=0)
    head = -1 if theirs is None else 1
    first, side = Way(0.0, 3.0, head, True, True), Way(0.0, 3.0, head, True)
    equal = Way(0.0, 3.0, head, True, True, True)
    found = [_may_come(scene, junction, way, over) for way in (first, equal, side)]
    wanted = {"all": (1, 1, 1), "towards": (1, 1, 0), "equal": (0, 1, 0), "none": (0, 0, 0)}
    assert found == [bool(may) for may in wanted[come]]


@pytest.mark.parametrize(
    ("front", "speed", "stays"), [(9.0, 0.0, True), (9.3, 0.5, True), (9.8, 2.0, False)]
)
def test_who_stands_where_one_waits_does_not_go_on_to_wait_in_the_way(front, speed, stays):
    """Those who may come go over 10 m to 18 m; whoever we wait for comes at 15 m."""
    stop, rules = Stop(14.0, Reason.YIELD, 7), Rules([way(10.0, 8.0)])
    found = _out_of_the_way(stop, rules, front, 4.5, soonest(speed))
    assert (found.at_m < 10.0) == stays
