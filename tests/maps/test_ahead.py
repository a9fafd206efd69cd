"""The road ahead, as it is made of a map and a measured place."""

import math
from dataclasses import replace

import numpy as np
import pytest

from builders import Conflict, Lane, street_grid, tiny_map
from marque.maps.ahead import begin_ahead, with_road
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import open_ground
from marque.types.codes import ConflictKind, SignalState
from marque.types.reading import Detections, EgoReading, Reading, RoadAhead, SignalReading
from marque.types.road_map import RoadMap

RED, GREEN, OFF, UNKNOWN = (
    SignalState.RED, SignalState.GREEN, SignalState.OFF, SignalState.UNKNOWN,
)  # fmt: skip


def crossing(stop: float = 98.0, rival: bool = False) -> RoadMap:
    """Ours (lanes 0, 1, 2) from west to east with a signal; theirs (3, 4, 5) from south to north
    goes first. `rival`: theirs may also turn right before our way."""
    lanes = [
        Lane([(0, 0), (100, 0)], succ=(1,), name="in", stop=stop),
        Lane([(100, 0), (120, 0)], succ=(2,), name="over", connector=True, junction=0, head=0),
        Lane([(120, 0), (220, 0)], name="out"),
        Lane([(110, -110), (110, -10)], succ=(4, 6) if rival else (4,), name="south"),
        Lane([(110, -10), (110, 10)], succ=(5,), name="north", connector=True, junction=0, head=1),
        Lane([(110, 10), (110, 110)], name="away"),
    ]
    conflicts = [Conflict(1, 4, 8.0, 12.0, 8.0, 12.0, priority=-1)]
    if rival:
        lanes.append(
            Lane([(110, -10), (112, -7), (120, -6)], succ=(), name="right", connector=True,
                 junction=0)
        )  # fmt: skip
        conflicts.append(Conflict(4, 6, 0.0, 3.0, 0.0, 3.0, kind=ConflictKind.DIVERGE))
    heads = [(0, 0, (98.0, 0.0)), (0, 1, (110.0, -10.0))]
    return tiny_map(lanes, conflicts=conflicts, heads=heads)


def measured(x: float, y: float, heading: float, states=(RED, GREEN), t_ns: int = 7) -> Reading:
    ego = EgoReading(t_ns, x, y, heading, 10.0, 0.0, 0.0, 0.0)
    none = np.zeros(0)
    seen = Detections(t_ns, none, none, none, none, none, none, none, none, none, none)
    return Reading(t_ns, ego, seen, SignalReading(t_ns, np.array(states, np.int8)))


def seen(road_map: RoadMap, *where: float, **what) -> RoadAhead | None:
    memory = begin_ahead(road_map, LaneIndex(road_map))
    return with_road(memory, measured(*where, **what), True)[1].road_ahead


def place(road: RoadAhead, line: int, s: float) -> tuple[float, float]:
    rows = slice(int(road.line_off[line]), int(road.line_off[line + 1]))
    arc, xy = road.line_s_m[rows], road.line_xy_m[rows]
    return tuple(float(np.interp(s, arc, xy[:, axis])) for axis in (0, 1))


@pytest.mark.parametrize("turned", [0.0, 0.3, -0.5])
def test_stop_line_signal_and_ground_in_the_frame_of_the_car(turned):
    road = seen(crossing(), 40.0, 0.5, turned)
    assert road.t_ns == 7
    assert road.entry_signal.tolist() == [RED] and road.zone_signal.tolist() == [GREEN]
    assert road.entry_from.tolist() == [0] and road.line_half_m.tolist() == [1.6, 1.6]

    def told(x: float, y: float) -> tuple[float, float]:
        dx, dy = x - 40.0, y - 0.5
        c, s = math.cos(turned), math.sin(turned)
        return pytest.approx((c * dx + s * dy, c * dy - s * dx), abs=1e-9)

    assert place(road, 0, road.entry_stop_m[0]) == told(98.0, 0.0)
    assert place(road, 0, road.zone_in_m[0]) == told(108.0, 0.0)
    assert place(road, 0, road.zone_out_m[0]) == told(112.0, 0.0)
    theirs = int(road.zone_line[0])
    assert place(road, theirs, road.zone_their_in_m[0]) == told(110.0, -2.0)
    assert place(road, theirs, road.zone_their_out_m[0]) == told(110.0, 2.0)
    assert place(road, theirs, 0.0) == told(110.0, -70.0)
    assert road.zone_sure_m.tolist() == [0.0]


def test_who_can_still_turn_off_is_sure_only_once_the_ways_have_parted():
    road = seen(crossing(rival=True), 40.0, 0.0, 0.0)
    assert road.zone_sure_m.tolist() == [60.0 + 3.0]


def test_without_a_stop_line_it_is_where_the_junction_begins():
    road = seen(crossing(stop=math.nan), 40.0, 0.0, 0.0)
    assert place(road, 0, road.entry_stop_m[0]) == pytest.approx((60.0, 0.0))


def test_signals_that_were_not_read_are_unknown_and_of_another_map_too():
    road_map = crossing()
    assert seen(road_map, 40.0, 0.0, 0.0, states=(UNKNOWN, RED)).entry_signal.tolist() == [UNKNOWN]
    assert seen(road_map, 40.0, 0.0, 0.0, states=()).entry_signal.tolist() == [UNKNOWN]


def test_whoever_goes_first_and_has_no_signal_is_held_by_nothing():
    """From the south: a signal of its own, nobody before whom to wait."""
    road = seen(crossing(), 110.0, -60.0, math.pi / 2.0)
    assert road.entry_from.tolist() == [3] and len(road.zone_line) == 0
    behind = seen(crossing(), 150.0, 0.0, 0.0)
    assert len(behind.entry_line) == 0 and len(behind.line_xy_m) == 0


def test_inside_a_junction_its_own_entry_is_told_still():
    assert seen(crossing(), 105.0, 0.0, 0.0).entry_from.tolist() == [0]


def test_where_there_is_no_map_no_lane_or_no_place_there_is_no_road():
    road_map = crossing()
    assert seen(road_map, 40.0, 60.0, 0.0) is None
    assert seen(road_map, math.nan, 0.0, 0.0) is None
    nothing = open_ground("no map", "", "")
    assert begin_ahead(nothing, LaneIndex(nothing)) is None
    came = measured(0.0, 0.0, 0.0)
    assert with_road(None, came, True) == (None, came)


def test_between_two_looks_the_last_one_is_told_again_with_its_stamp():
    road_map = crossing()
    memory, first = with_road(begin_ahead(road_map, LaneIndex(road_map)),
                              measured(40.0, 0.0, 0.0), True)  # fmt: skip
    memory, again = with_road(memory, measured(41.0, 0.0, 0.0, t_ns=9), False)
    assert again.road_ahead is first.road_ahead and again.t_ns == 9
    memory, new = with_road(memory, measured(41.0, 0.0, 0.0, t_ns=9), True)
    assert new.road_ahead.t_ns == 9
    assert new.road_ahead.line_off is first.road_ahead.line_off  # the same piece of map
    assert with_road(memory, measured(200.0, 0.0, 0.0), True)[0].lane == 2


def test_lines_of_a_town_are_thinned_and_run_on(street_town: RoadMap):
    around = begin_ahead(street_town, LaneIndex(street_town)).around
    for lane in range(0, street_town.lane_count, 7):
        window = around.reachable(lane)
        assert (np.diff(window.off) >= 2).all()
        for first, last in zip(window.off[:-1], window.off[1:], strict=True):
            assert (np.diff(window.s_m[first:last]) > 0.0).all()
            chords = np.hypot(*np.diff(window.xy_m[first:last], axis=0).T)
            assert (chords <= np.diff(window.s_m[first:last]) + 1e-6).all()


@pytest.fixture(scope="module")
def street_town() -> RoadMap:
    town = street_grid(3, 3)
    heads = np.where(town.lane_connector, 0, -1).astype(np.int32)
    return replace(town, lane_head=heads)
