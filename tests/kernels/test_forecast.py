"""Paths of others along the lanes, and who stands in them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Lane, arc, street_grid, tiny_map
from lines import line, smooth_bends
from marque.kernels.following import idm_free
from marque.kernels.forecast import (
    LIMIT_SHARE,
    SPEEDS_UP_MPS2,
    find_leaders,
    fork_ahead,
    is_open,
    likeness,
    straight_on,
    walk_lanes,
    way_ahead,
)
from marque.kernels.rollout import DT_S, STEPS
from marque.kernels.tables import map_tables
from marque.types.codes import Allow, UserKind
from oracle import forecast_twin as twin

TOWN = street_grid(4, 3)
TABLES = map_tables(TOWN)
SURE_M = 3.9  # the search skips samples from which nobody can stand in the path


def walked(tables, lane, s, d, settle, choice, reach, room=400):
    x, y, heading = (np.empty(room) for _ in range(3))
    on = np.empty(room, np.int32)
    count = walk_lanes(tables, lane, s, d, settle, choice, reach, x, y, heading, on, 0, room)
    return np.column_stack((x, y, heading))[:count], on[:count]


@settings(max_examples=80)
@given(st.data())
def test_walking_the_lanes_is_reading_the_map_metre_by_metre(data):
    lane = data.draw(st.integers(0, TOWN.lane_count - 1))
    s = data.draw(st.floats(0.0, float(TOWN.lane_length_m[lane])))
    d = data.draw(st.floats(-3.0, 3.0))
    settle = data.draw(st.floats(10.0, 60.0) | st.just(math.inf))
    choice = data.draw(st.sampled_from([-1, *TOWN.successors(lane).tolist()]))
    reach = data.draw(st.floats(1.0, 200.0))
    found, on = walked(TABLES, lane, s, d, settle, choice, reach)
    wanted = twin.walk(TOWN, lane, s, d, settle, choice, reach)
    assert len(found) == len(wanted)
    for (x, y, psi), at, (wx, wy, wpsi, wlane) in zip(found, on, wanted, strict=True):
        assert (x, y) == pytest.approx((wx, wy), abs=1e-6)
        assert math.remainder(psi - wpsi, 2.0 * math.pi) == pytest.approx(0.0, abs=1e-9)
        assert at == wlane


@given(st.data())
def test_likeness_is_two_bells(data):
    lane = data.draw(st.integers(0, TOWN.lane_count - 1))
    s = data.draw(st.floats(0.0, float(TOWN.lane_length_m[lane])))
    x, y = TOWN.points(lane)[0] + np.array([data.draw(st.floats(-3.0, 3.0)) for _ in range(2)])
    psi = data.draw(st.floats(-3.2, 3.2))
    found = likeness(TABLES, lane, s, x, y, psi)
    assert found == pytest.approx(twin.likeness(TOWN, lane, s, x, y, psi), rel=1e-9)
    assert 0.0 < found <= 1.001


def test_a_walk_ends_where_the_road_does():
    road = tiny_map([Lane([(0.0, 0.0), (30.0, 0.0)])])
    found, _ = walked(map_tables(road), 0, 10.0, 0.0, math.inf, -1, 100.0)
    assert found[-1, 0] == pytest.approx(30.0)
    assert len(found) == 21


def test_a_walk_never_writes_beyond_its_room():
    found, _ = walked(TABLES, 0, 0.0, 0.0, math.inf, -1, 300.0, room=17)
    assert len(found) == 17


@given(st.floats(-3, 3), st.floats(0.0, 40.0))
def test_straight_on_is_straight(psi, reach):
    x, y, heading = (np.empty(60) for _ in range(3))
    on = np.empty(60, np.int32)
    count = straight_on(1.0, 2.0, psi, reach, x, y, heading, on, 0, 60)
    assert count == int(reach) + 1
    way = np.hypot(x[:count] - 1.0, y[:count] - 2.0)
    assert np.allclose(way, np.arange(count))
    assert (on[:count] == -1).all()


@given(st.floats(0.0, 40.0), st.floats(1.0, 40.0))
def test_the_way_ahead_holds_whatever_the_rollouts_drive(v, limit):
    reach = way_ahead(v, limit, 8.0)
    assert 12.0 <= reach <= 130.0
    way, speed = 0.0, v
    for _ in range(STEPS):
        accel = idm_free(speed, LIMIT_SHARE * limit, SPEEDS_UP_MPS2)
        way += max(0.0, (speed + 0.5 * accel * DT_S) * DT_S)
        speed = max(0.0, speed + accel * DT_S)
    assert reach == 130.0 or reach > way + 5.0


def test_the_fork_ahead_is_the_end_of_the_first_lane_with_connectors():
    lanes = [
        Lane([(0, 0), (40, 0)], succ=(1,)),
        Lane([(40, 0), (90, 0)], succ=(2, 3)),
        Lane([(90, 0), (110, 0)], connector=True, succ=(4,)),
        Lane(arc((90, 20), 20, -math.pi / 2, 0.0), connector=True),
        Lane([(110, 0), (160, 0)]),
    ]
    tables = map_tables(tiny_map(lanes))
    lane, away = fork_ahead(tables, 0, 10.0, 200.0)
    assert lane == 1
    assert away == pytest.approx(80.0)
    assert fork_ahead(tables, 0, 10.0, 79.0)[0] == -1
    assert fork_ahead(tables, 4, 10.0, 200.0)[0] == -1


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1))
def test_leaders_are_those_that_brute_force_finds(seed):
    r = np.random.default_rng(seed)
    tracks, paths = [], []
    for _ in range(5):
        x, y, psi = *r.uniform(-25, 25, 2), r.uniform(-3, 3)
        tracks.append((x, y, psi + r.normal(0, 0.1), r.uniform(1, 5), r.uniform(0.5, 2.0)))
        paths.append(line(x, y, psi, smooth_bends(r, int(r.integers(2, 60)), 0.05), 1.0))
    off = np.concatenate(([0], np.cumsum([len(p) for p in paths]))).astype(np.int32)
    flat, column = np.concatenate(paths), np.array(tracks)
    lead, lead_m = np.empty(5, np.int32), np.empty(5)
    find_leaders(
        5,
        np.arange(5, dtype=np.int32),
        off,
        *(np.ascontiguousarray(flat[:, i]) for i in range(3)),
        *(np.ascontiguousarray(column[:, i]) for i in range(5)),
        lead,
        lead_m,
    )
    for k, path in enumerate(paths):
        found = (int(lead[k]), float(lead_m[k]))
        wanted = twin.leader(path.tolist(), k, tracks, within=SURE_M)
        if found != wanted:
            # one who stands near nothing but the path's end may be seen, never instead of a nearer
            assert found[1] <= wanted[1]
            own, other = tracks[k], tracks[found[0]]
            assert twin.leader(path.tolist(), 0, [own, other]) == (1, found[1])
            assert twin.leader(path.tolist(), 0, [own, other], within=SURE_M)[0] == -1


def test_a_bicycle_lane_is_ridden_on_across_the_junction():
    bike = int(Allow.BICYCLE)
    road = tiny_map(
        [
            Lane([(0.0, 0.0), (30.0, 0.0)], allow=bike, succ=[1]),
            Lane([(30.0, 0.0), (45.0, 0.0)], allow=bike, connector=True, succ=[2]),
            Lane([(45.0, 0.0), (90.0, 0.0)], allow=bike),
        ]
    )
    tables = map_tables(road)
    found, _ = walked(tables, 0, 10.0, 0.0, math.inf, -1, 60.0)
    assert found[-1, 0] == pytest.approx(70.0)
    assert is_open(tables, 1, UserKind.BICYCLE) and not is_open(tables, 1, UserKind.CAR)
