"""What is seen and not mapped, as it binds a corridor."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from builders import Lane, tiny_map
from marque.maps.path import STEP_M, build_path
from marque.stack.planning import charted
from marque.stack.planning.corridor import Junction
from marque.types.codes import Control, Reason, SignalState, Turn
from marque.types.scene import AS_MAPPED, SeenLimit, SeenLine, SeenSignal

BEFORE, OVER, AFTER = 0, 1, 2
MARGIN_M = 0.7


@pytest.fixture(scope="module")
def road():
    return tiny_map(
        [
            Lane([(0.0, 0.0), (100.0, 0.0)], succ=[OVER], stop=98.0),
            Lane([(100.0, 0.0), (112.0, 0.0)], succ=[AFTER], connector=True, junction=0),
            Lane([(112.0, 0.0), (200.0, 0.0)]),
            Lane([(106.0, -60.0), (106.0, -8.0)], succ=[4]),
            Lane([(106.0, -8.0), (106.0, 8.0)], connector=True, junction=0),
        ],
        junctions=[[(100.0, -8.0), (112.0, -8.0), (112.0, 8.0), (100.0, 8.0)]],
    )


def corridor(road, control=Control.FREE, turn=Turn.STRAIGHT):
    path = build_path(road, (BEFORE, OVER, AFTER), 0.0, 200.0)
    one = Junction(OVER, 100.0, 112.0, 98.0, -1, control, True, math.inf, int(turn))
    return SimpleNamespace(path=path, junctions=(one,))


def test_a_line_is_where_it_is_seen(road):
    (one,) = charted.junctions(corridor(road), AS_MAPPED)
    assert one.stop_m == 98.0
    (one,) = charted.junctions(corridor(road), replace(AS_MAPPED, lines=(SeenLine(BEFORE, 91.0),)))
    assert one.stop_m == pytest.approx(91.0)
    elsewhere = replace(AS_MAPPED, lines=(SeenLine(AFTER, 40.0),))
    (one,) = charted.junctions(corridor(road), elsewhere)
    assert one.stop_m == 98.0


@pytest.mark.parametrize(
    ("state", "front", "speed", "reason"),
    [
        (SignalState.RED, 60.0, 10.0, Reason.RED_LIGHT),
        (SignalState.RED_AMBER, 60.0, 10.0, Reason.RED_LIGHT),
        (SignalState.AMBER, 60.0, 8.0, Reason.AMBER_LIGHT),
        (SignalState.AMBER, 90.0, 10.0, None),  # too late to stop
        (SignalState.UNKNOWN, 70.0, 10.0, Reason.SIGNAL_UNKNOWN),
        (SignalState.UNKNOWN, 20.0, 10.0, None),
        (SignalState.GREEN, 60.0, 10.0, None),
        (SignalState.RED, 99.0, 3.0, None),  # over the line
    ],
)
def test_a_signal_that_is_not_mapped_holds_as_any(road, state, front, speed, reason):
    chart = replace(AS_MAPPED, signals=(SeenSignal(BEFORE, 98.0, state, state),))
    found = list(charted.signal_stops(corridor(road), chart, front, speed, MARGIN_M))
    assert [each for _, each in found] == ([] if reason is None else [reason])
    assert all(at == pytest.approx(98.0 - MARGIN_M) for at, _ in found)


def test_nobody_drives_into_a_road_that_is_shut(road):
    shut = replace(AS_MAPPED, shut=frozenset({AFTER}))
    assert charted.shut_stop(corridor(road), AS_MAPPED, 10.0, MARGIN_M) == math.inf
    assert charted.shut_stop(corridor(road), shut, 10.0, MARGIN_M) == pytest.approx(97.3)
    assert charted.shut_stop(corridor(road), shut, 103.0, MARGIN_M) == 103.0  # no farther


def at(values, s_m):
    return float(values[int(s_m / STEP_M)])


def test_a_limit_holds_from_its_sign_to_the_next_one_or_a_junction(road):
    assert charted.limits(corridor(road), AS_MAPPED, road, 10.0) is None
    works = replace(AS_MAPPED, limits=(SeenLimit(BEFORE, 40.0, 5.0),))
    seen = charted.limits(corridor(road), works, road, 10.0)
    assert at(seen, 30.0) == math.inf and at(seen, 60.0) == at(seen, 150.0) == 5.0
    crossed = charted.limits(corridor(road, Control.YIELD), works, road, 10.0)
    assert at(crossed, 90.0) == 5.0 and at(crossed, 150.0) == math.inf
    ended = replace(works, limits=(*works.limits, SeenLimit(BEFORE, 70.0, 13.89)))
    seen = charted.limits(corridor(road), ended, road, 10.0)
    assert at(seen, 60.0) == 5.0 and at(seen, 80.0) == math.inf  # as the map has it again
    here = replace(AS_MAPPED, limit_mps=7.0)  # the sign lies behind us
    assert at(charted.limits(corridor(road), here, road, 10.0), 50.0) == 7.0


@pytest.mark.parametrize(
    ("state", "last", "front", "heading", "held"),
    [
        (SignalState.GREEN, SignalState.GREEN, 90.0, 0.5 * math.pi, True),
        (SignalState.GREEN_YIELD, SignalState.GREEN_YIELD, 90.0, 0.5 * math.pi, True),
        (SignalState.GREEN_YIELD, SignalState.GREEN_YIELD, 90.0, math.pi, False),  # oncoming
        (SignalState.RED, SignalState.RED, 90.0, 0.5 * math.pi, False),
        (SignalState.UNKNOWN, SignalState.GREEN, 90.0, 0.5 * math.pi, False),  # it may be red now
        (SignalState.UNKNOWN, SignalState.GREEN, 105.0, 0.5 * math.pi, True),  # over its line
    ],
)
def test_green_for_us_is_red_for_who_crosses(road, state, last, front, heading, held):
    signal = SeenSignal(BEFORE, 98.0, state, last)
    scene = SimpleNamespace(
        chart=replace(AS_MAPPED, signals=(signal,)), ego=SimpleNamespace(heading_rad=0.0)
    )
    it = SimpleNamespace(
        relation=np.array([[-1]], np.int8),
        walker=np.zeros(1, np.int8),
        length=np.array([4.0]),
        stop=np.array([math.inf]),
    )
    forecast = SimpleNamespace(
        count=1,
        off=np.array([0, 3]),
        lane=np.array([3, 3, 4]),
        heading_rad=np.full(3, heading),
        connector_m=np.array([2.5]),
    )
    charted.hold_others(it, 0, corridor(road), scene, forecast, road, front)
    assert int(it.relation[0, 0]) == (1 if held else -1)
    assert float(it.stop[0]) == (0.5 if held else math.inf)
