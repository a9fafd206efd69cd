"""What is seen of the road, held against the map."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Lane, Program, tiny_map
from marque.kernels.furniture import furniture_of
from marque.maps.lookup import LaneIndex
from marque.stack.perception.chart import SURE, begin_chart, watch_chart, with_spots
from marque.types.codes import Control, Furniture, Reaction, SignalState, UserKind
from marque.types.health import FINE
from marque.types.reading import Sightings
from marque.types.road_map import NONE
from marque.types.scene import AS_MAPPED, EgoBelief, Tracks

EAST, OVER, AWAY = 0, 1, 2
FRAME_NS = 100_000_000
NOBODY = Tracks(**{each.name: np.empty(0, np.int64) for each in fields(Tracks)})


def road(head=0, stop=98.0, limit=13.89, control=Control.SIGNAL):
    lanes = [
        Lane([(0.0, 0.0), (100.0, 0.0)], succ=[OVER], stop=stop),
        Lane([(100.0, 0.0), (112.0, 0.0)], succ=[AWAY], connector=True, control=control, head=head),
        Lane([(112.0, 0.0), (200.0, 0.0)], limit=limit),
    ]
    return tiny_map(lanes, heads=[(0, 0, (98.0, 0.0))], programs=[Program([(30.0, "r")])])


def ego(x=70.0, y=0.0, heading=0.0, lane=EAST):
    return EgoBelief(x, y, heading, 0.0, 0.0, 0.0, 0.0, lane, x - (112.0 if lane == AWAY else 0), y)


def seen_from(true_map, at, t_ns, state=SignalState.RED, noise=(0.0, 0.0)):
    """All furniture of the true road, from where the car truly is."""
    placed = furniture_of(true_map)
    c, s = math.cos(at.heading_rad), math.sin(at.heading_rad)
    dx, dy = placed.x_m - at.x_m + noise[0], placed.y_m - at.y_m + noise[1]
    value = np.where(placed.kind == Furniture.SIGNAL, float(state), placed.value)
    return Sightings(
        t_ns, placed.kind, c * dx + s * dy, -s * dx + c * dy, placed.heading_rad - at.heading_rad,
        value,
    )  # fmt: skip


def looked(own_map, true_map, at=None, times=SURE, believed=None, **more):
    at = at if at is not None else ego()
    memory = begin_chart(own_map, LaneIndex(own_map))
    for k in range(1, times + 1):
        seen = seen_from(true_map, at, k * FRAME_NS, **more)
        memory = watch_chart(memory, believed or at, NOBODY, seen, k * FRAME_NS)
    return memory


@settings(max_examples=40)
@given(
    x=st.floats(20.0, 99.0), y=st.floats(-1.0, 1.0), heading=st.floats(-0.3, 0.3),
    off=st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2)), turn=st.floats(-0.017, 0.017),
)  # fmt: skip
def test_a_true_map_is_never_doubted(x, y, heading, off, turn):
    true = road()
    at = ego(x, y, heading)
    believed = replace(at, x_m=x + 0.3, y_m=y + 0.3, heading_rad=heading + turn)
    assert looked(true, true, at, 6, believed, noise=off).chart is AS_MAPPED


def test_it_takes_several_looks():
    assert not looked(road(), road(stop=90.0), times=SURE - 1).chart.lines
    (line,) = looked(road(), road(stop=90.0)).chart.lines
    assert (line.lane, line.s_m) == (EAST, pytest.approx(90.0, abs=0.1))


def test_the_same_sightings_twice_are_one_look():
    own, true = road(), road(stop=90.0)
    memory = begin_chart(own, LaneIndex(own))
    seen = seen_from(true, ego(), FRAME_NS)
    for k in range(1, 6):
        memory = watch_chart(memory, ego(), NOBODY, seen, k * FRAME_NS)
    assert not memory.chart.lines


def test_late_sightings_are_placed_from_where_we_were():
    own, true = road(), road(stop=90.0)
    memory = begin_chart(own, LaneIndex(own))
    for k in range(1, 4):
        then = ego(60.0 + k)
        now = replace(then, x_m=then.x_m + 1.0, speed_mps=10.0)
        memory = watch_chart(
            memory, now, NOBODY, seen_from(true, then, k * FRAME_NS), k * FRAME_NS + FRAME_NS
        )
    assert memory.chart.lines[0].s_m == pytest.approx(90.0, abs=0.1)


def test_a_signal_that_the_map_lacks_holds_at_its_line_and_is_unknown_when_lost():
    own = road(head=NONE, control=Control.FREE)
    memory = looked(own, road(stop=90.0))
    (signal,) = memory.chart.signals
    assert (signal.lane, signal.state) == (EAST, SignalState.RED)
    assert signal.s_m == pytest.approx(90.0, abs=0.1)
    green = looked(own, road(), state=SignalState.GREEN).chart.signals[0]
    assert green.state == SignalState.GREEN
    later = watch_chart(memory, ego(), NOBODY, None, 20 * FRAME_NS)
    assert later.chart.signals[0].state == SignalState.UNKNOWN


def test_what_is_far_away_is_not_believed_yet():
    own = road(head=NONE, control=Control.FREE)
    assert not looked(own, road(), ego(30.0)).chart.signals


def test_a_limit_holds_from_its_sign_on_until_one_that_the_map_has():
    own, works = road(), road(limit=8.33)
    memory = looked(own, works, ego(80.0))
    assert [one.limit_mps for one in memory.chart.limits] == [8.33]
    assert memory.chart.limit_mps == math.inf
    memory = watch_chart(memory, ego(130.0, lane=AWAY), NOBODY, None, 9 * FRAME_NS)
    assert memory.chart.limit_mps == 8.33
    back = [(Furniture.LIMIT, 20.0, 13.89)]
    for k in range(10, 10 + SURE):
        kind, x, value = (np.array(column) for column in zip(*back, strict=True))
        seen = Sightings(k * FRAME_NS, kind.astype(np.int8), x, 0.0 * x, 0.0 * x, value)
        memory = watch_chart(memory, ego(130.0, lane=AWAY), NOBODY, seen, k * FRAME_NS)
    assert memory.chart.limit_mps == 8.33  # it stands ahead
    memory = watch_chart(memory, ego(160.0, lane=AWAY), NOBODY, None, 20 * FRAME_NS)
    assert memory.chart.limit_mps == math.inf


def test_nobody_drives_past_a_no_entry_sign():
    own = road()
    at = ego(80.0)
    memory = begin_chart(own, LaneIndex(own))
    for k in range(1, 1 + SURE):
        sign = Sightings(
            k * FRAME_NS, np.array([Furniture.NO_ENTRY], np.int8), np.array([34.0]),
            np.array([3.25]), np.zeros(1), np.zeros(1),
        )  # fmt: skip
        memory = watch_chart(memory, at, NOBODY, sign, k * FRAME_NS)
    assert memory.chart.shut == {AWAY}
    assert "one-way" in memory.chart.findings[0].text


def somebody(kind=UserKind.CAR, speed=8.0, d=2.8, still=0.0, lane=EAST, age=0.0):
    one = np.array([1.0])
    values = {each.name: one for each in fields(Tracks)}
    values |= {
        "uid": np.array([5]), "kind": np.array([int(kind)]), "x_m": np.array([50.0]),
        "y_m": np.array([d]), "heading_rad": np.zeros(1), "speed_mps": np.array([speed]),
        "lane": np.array([lane], np.int32), "s_m": np.array([50.0]), "d_m": np.array([d]),
        "still_s": np.array([still]), "age_s": np.array([age]),
    }  # fmt: skip
    return Tracks(**values)


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        (somebody(), "lacks a lane"),
        (somebody(d=1.0), ""),  # on its lane, if not in the middle of it
        (somebody(d=7.0), ""),  # on another road
        (somebody(speed=0.5), ""),  # parks
        (somebody(kind=UserKind.BICYCLE), ""),
        (somebody(lane=OVER), ""),  # cuts a corner
        (somebody(age=1.0), ""),  # not in sight
        (somebody(UserKind.OBSTACLE, 0.0, 0.3, still=3.0), "closed"),
        (somebody(UserKind.OBSTACLE, 0.0, 2.4, still=3.0), ""),  # beside it
        (somebody(UserKind.CAR, 0.0, 0.3, still=3.0), ""),
    ],
)
def test_what_others_do_tells_of_lanes(tracks, words):
    own = road()
    memory = begin_chart(own, LaneIndex(own))
    for k in range(1, 40):
        memory = watch_chart(memory, ego(), tracks, None, k * FRAME_NS)
    told = " ".join(one.text for one in memory.chart.findings)
    assert (words in told) if words else not told


def test_findings_are_logged_among_those_of_the_senses_and_change_nothing_else():
    chart = looked(road(), road(stop=90.0)).chart
    health = with_spots(FINE, chart)
    assert health.level == Reaction.LOG
    assert health.text == "map at xy:90,0 has its stop line elsewhere"
    assert with_spots(FINE, AS_MAPPED) is FINE
