"""A whole reading from a world."""

import math
from dataclasses import replace

import numpy as np
import pytest

from builders import straight_road
from marque.core.errors import MarqueError
from marque.sensing.measure import measure, measure_ego, start
from marque.sensing.profile import FOLDER, load_exact, profile_names
from marque.types.codes import SignalState, UserKind
from marque.types.reading import finite
from marque.types.world import EgoTruth, RoadUsers, World

EGO = EgoTruth(10.0, 0.0, 0.0, 8.0, 0.3, 0.1, 0.02, 0.01)


def users(rows):
    """Rows (uid, kind, x, y, heading, length, width)."""
    n = len(rows)
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 7
    uid, kind, x, y, heading, length, width = columns
    return RoadUsers(
        uid=np.array(uid, dtype=np.int64),
        kind=np.array(kind, dtype=np.int8),
        x_m=np.array(x, dtype=float),
        y_m=np.array(y, dtype=float),
        heading_rad=np.array(heading, dtype=float),
        speed_mps=np.full(n, 3.0),
        accel_mps2=np.zeros(n),
        length_m=np.array(length, dtype=float),
        width_m=np.array(width, dtype=float),
        indicator=np.zeros(n, dtype=np.int8),
        lane=np.zeros(n, dtype=np.int32),
    )


def world(rows, heads=0, ego=EGO):
    return World(500_000_000, ego, users(rows), np.full(heads, SignalState.GREEN, dtype=np.int8))


def uids(rows, ego=EGO):
    road = straight_road()
    _, reading = measure(start(road), world(rows, ego=ego), load_exact(), road)
    return reading.detections.uid.tolist()


def test_what_is_in_range_and_in_sight_is_delivered_as_it_is():
    rows = [
        (7, UserKind.CAR, 60.0, 0.5, 0.1, 4.4, 1.8),
        (9, UserKind.PEDESTRIAN, 20.0, 6.0, 1.5, 0.4, 0.5),
    ]
    road = straight_road()
    memory, reading = measure(start(road), world(rows), load_exact(), road)
    found = reading.detections
    assert found.uid.tolist() == [7, 9]
    assert found.kind.tolist() == [UserKind.CAR, UserKind.PEDESTRIAN]
    assert found.x_m.tolist() == [60.0, 20.0]
    assert found.t_ns == reading.t_ns == reading.signals.t_ns == 500_000_000
    assert finite(reading)
    assert memory.head_heading_rad.shape == (0,)


def test_beyond_the_range_nothing_is_delivered():
    assert uids([(1, UserKind.CAR, 10.0 + 1.6 + 119.0, 0.0, 0.0, 4.4, 1.8)]) == [1]
    assert uids([(1, UserKind.CAR, 10.0 + 1.6 + 121.0, 0.0, 0.0, 4.4, 1.8)]) == []


@pytest.mark.parametrize(
    ("kind", "hidden"),
    [
        (UserKind.CAR, True),
        (UserKind.TRUCK, True),
        (UserKind.PEDESTRIAN, False),
        (UserKind.BICYCLE, False),
        (UserKind.MOTORCYCLE, False),
    ],
)
def test_who_hides_whom(kind, hidden):
    rows = [
        (1, kind, 30.0, 0.0, 0.5 * math.pi, 6.0, 2.0),
        (2, UserKind.CAR, 60.0, 0.0, 0.0, 4.4, 1.8),
    ]
    assert uids(rows) == ([1] if hidden else [1, 2])


def row(kinds, heading=0.0, step=8.0, begin=25.0):
    """Vehicles that stand one behind the other on the x axis, 1 the nearest."""
    return [(i + 1, kind, begin + step * i, 0.0, heading, 4.4, 1.8) for i, kind in enumerate(kinds)]


def test_radar_shows_the_second_of_a_row_and_no_third():
    assert uids(row([UserKind.CAR] * 4)) == [1, 2]
    assert uids(row([UserKind.BUS, UserKind.CAR, UserKind.CAR])) == [1, 2]


def test_radar_shows_nobody_who_crosses_comes_towards_us_or_is_on_foot():
    van = (1, UserKind.TRUCK, 25.0, 0.0, 0.0, 6.0, 2.2)
    assert uids([van, (2, UserKind.CAR, 33.0, 0.0, 0.5 * math.pi, 4.4, 1.8)]) == [1]
    assert uids([van, (2, UserKind.CAR, 33.0, 0.0, math.pi, 4.4, 1.8)]) == [1]
    assert uids([van, (2, UserKind.PEDESTRIAN, 30.0, 0.0, 0.0, 0.4, 0.4)]) == [1]
    crossing = (1, UserKind.CAR, 25.0, 0.0, 0.5 * math.pi, 4.4, 1.8)
    assert uids([crossing, (2, UserKind.CAR, 33.0, 0.0, 0.0, 4.4, 1.8)]) == [1]


def test_radar_ends_with_its_range():
    assert uids(row([UserKind.CAR] * 2, step=40.0)) == [1, 2]
    assert uids(row([UserKind.CAR] * 2, step=80.0)) == [1]


def test_an_empty_road_gives_an_empty_reading():
    assert uids([]) == []


def test_the_ego_part_is_the_truth_with_its_stamp():
    reading = measure_ego(EGO, 20_000_000)
    assert (reading.t_ns, reading.x_m, reading.steer_rad) == (20_000_000, 10.0, 0.01)
    assert reading.accel_mps2 == EGO.accel_mps2


def test_signals_are_known_only_where_they_are_seen():
    road = straight_road(300.0, 1)
    signalled = replace(
        road,
        head_group=np.zeros(1, dtype=np.int32),
        head_link=np.zeros(1, dtype=np.int32),
        head_xy_m=np.array([[150.0, 0.0]]),
        lane_head=np.zeros(road.lane_count, dtype=np.int32),
        group_name=("one",),
    )
    memory = start(signalled)
    profile = load_exact()

    def state(x, heading=0.0, rows=()):
        here = world(rows, 1, replace(EGO, x_m=x, heading_rad=heading))
        return int(measure(memory, here, profile, signalled)[1].signals.state[0])

    assert state(100.0) == SignalState.GREEN
    assert state(100.0, math.pi) == SignalState.UNKNOWN
    assert state(-90.0) == SignalState.UNKNOWN
    assert state(147.0) == SignalState.GREEN  # front bumper past the line
    bus = [(1, UserKind.BUS, 125.0, 0.0, 0.0, 12.0, 2.5)]
    assert state(100.0, rows=bus) == SignalState.UNKNOWN
    car = [(1, UserKind.CAR, 125.0, 0.0, 0.0, 4.5, 1.8)]
    assert state(100.0, rows=car) == SignalState.GREEN


def test_unknown_and_broken_profiles_are_named(tmp_path):
    assert "ideal" in profile_names()
    with pytest.raises(MarqueError, match=r"no sensor profile 'idael'.*did you mean 'ideal'"):
        load_exact("idael")
    with pytest.raises(MarqueError, match="cannot read"):
        load_exact(str(tmp_path / "none.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("range_m = ")
    with pytest.raises(MarqueError, match="no TOML"):
        load_exact(str(broken))
    absurd = tmp_path / "absurd.toml"
    text = (FOLDER / "ideal.toml").read_text()
    absurd.write_text(text.replace("range_m = 120.0 ", "range_m = -3.0 ", 1))
    with pytest.raises(MarqueError, match=r"range_m: .*greater than 0"):
        load_exact(str(absurd))
