"""An order in words becomes a drive; what repeats it means the same."""

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Lane, street_grid, tiny_map
from marque.core.errors import MarqueError
from marque.maps import store
from marque.maps.lookup import LaneIndex
from marque.maps.places import parse_place
from marque.maps.trips import Trip
from marque.metrics.arrival import time_limit_s
from marque.sim.order import (
    LIMIT_EXTRA_S,
    LIMIT_FACTOR,
    Ground,
    Order,
    checked_trip,
    limit_by_reference,
    open_ground,
    open_world,
    place_text,
    prepare,
    sumocfg_of,
    with_limit,
)
from marque.sim.reference import Reference
from marque.sim.told import command_line, drive_options
from marque.sim.worlds.empty import EmptyWorld

STREETS = street_grid(4, 4)
INDEX = LaneIndex(STREETS)
ORDER = Order(map_name="streets.marque", traffic="none", min_length_m=200.0)


@pytest.fixture
def ground(tmp_path) -> Ground:
    path = tmp_path / "streets.marque"
    store.save(STREETS, path, b"")
    return open_ground(replace(ORDER, map_name=str(path)))


def reference(arrived: bool) -> Reference:
    return Reference(100.0, 20.0, 900.0, arrived, (), 0, 0)


@given(st.data())
def test_a_place_in_words_is_the_same_place(data):
    roads = [i for i in range(STREETS.lane_count) if not STREETS.lane_connector[i]]
    lane = data.draw(st.sampled_from(roads))
    s_m = data.draw(st.floats(0.0, float(STREETS.lane_length_m[lane])))
    assert parse_place(STREETS, INDEX, place_text(STREETS, lane, s_m)) == (lane, s_m)


def test_the_same_order_is_the_same_trip_and_the_options_repeat_it(ground):
    first, second = prepare(ORDER, ground), prepare(ORDER, ground)
    assert first.setup.trip == second.setup.trip
    options = dict(drive_options(first))
    again = replace(ORDER, start=str(options["--from"]), goal=str(options["--to"]))
    assert prepare(again, ground).setup.trip == first.setup.trip
    assert prepare(replace(ORDER, seed=2), ground).setup.trip != first.setup.trip


def test_limits_follow_the_reference_when_it_arrived(ground):
    ready = prepare(ORDER, ground)
    assert ready.setup.limit_s == pytest.approx(LIMIT_FACTOR * ready.optimal_s + LIMIT_EXTRA_S)
    assert limit_by_reference(ready, reference(True)).setup.limit_s == time_limit_s(100.0) == 360.0
    assert limit_by_reference(ready, reference(False)) is ready
    assert with_limit(ready, 7.0).setup.limit_s == 7.0


def test_an_empty_road_needs_no_sumo(ground, monkeypatch):
    monkeypatch.setattr("marque.sim.order.need_sumo", lambda: pytest.fail("SUMO was asked for"))
    ready = prepare(ORDER, ground)
    assert ready.spec is None
    assert isinstance(open_world(ready), EmptyWorld)


def test_words_of_traffic(tmp_path):
    assert sumocfg_of("sumo") is None
    assert sumocfg_of("none") is None
    cfg = tmp_path / "x.sumocfg"
    cfg.write_text("<configuration/>")
    assert sumocfg_of(str(cfg)) == cfg
    with pytest.raises(MarqueError, match="did you mean 'sumo'"):
        sumocfg_of("sumoo")
    with pytest.raises(MarqueError, match="no traffic file"):
        sumocfg_of(str(tmp_path / "y.sumocfg"))


def test_a_drive_begins_and_ends_on_a_road():
    road = tiny_map(
        [
            Lane([(0, 0), (100, 0)], succ=[1], name="a"),
            Lane([(100, 0), (110, 0)], succ=[2], connector=True, name="inside"),
            Lane([(110, 0), (200, 0)], name="b"),
        ]
    )
    assert checked_trip(road, Trip(0, 1.0, 2, 5.0)) == Trip(0, 1.0, 2, 5.0)
    for trip in (Trip(1, 1.0, 2, 5.0), Trip(0, 1.0, 1, 5.0)):
        with pytest.raises(MarqueError, match="inside a junction"):
            checked_trip(road, trip)
    with pytest.raises(MarqueError, match="one-way"):
        checked_trip(road, Trip(2, 1.0, 0, 5.0))


@given(st.text(min_size=1), st.integers(), st.floats(0.1, 1000.0))
def test_a_command_line_can_be_pasted(text, whole, real):
    line = command_line(("drive",), [("--a", text), ("--b", None), ("--c", whole), ("--d", real)])
    assert shlex.split(line) == [
        "marque", "drive", "--a", text, "--c", str(whole), "--d", f"{real:g}",
    ]  # fmt: skip
