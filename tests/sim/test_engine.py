"""The engine: rules kept, nobody hit, the same seed the same traffic, and what it refuses."""

import numpy as np
import pytest

from builders import Lane, tiny_map
from marque.core.errors import MarqueError
from marque.maps.made.draw import make_map
from marque.prove.engine_bench import Bench, need_device, need_peers, run_bench
from marque.sim.engine import state as at
from marque.sim.engine.bodies import boxes_of, overlaps
from marque.sim.engine.engine import open_engine
from marque.sim.engine.network import CONNECTOR, LENGTH
from marque.sim.engine.people import Habits
from marque.types.codes import LaneKind


@pytest.fixture(scope="module")
def grid():
    return make_map("grid", 3)


def users_of(engine, world):
    return engine.worlds.world(world), engine.worlds.users


def test_the_same_seed_gives_the_same_traffic_on_any_number_of_threads(grid):
    one = open_engine(grid, 3, 80, seed=5)
    two = open_engine(grid, 3, 80, seed=5, threads=2)
    other = open_engine(grid, 3, 80, seed=6)
    one.step(200)
    for _ in range(4):
        two.step(50)
    other.step(200)
    for a, b in zip(one.worlds.rows, two.worlds.rows, strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(one.worlds.rows.real, other.worlds.rows.real)
    assert not np.array_equal(one.worlds.rows.real[0], one.worlds.rows.real[1])


def test_a_snapshot_brings_everything_back(grid):
    engine = open_engine(grid, 1, 60, seed=2)
    engine.step(50)
    saved = engine.snapshot()
    engine.step(100)
    later = engine.snapshot()
    engine.restore(saved)
    engine.step(100)
    for a, b in zip(engine.worlds.rows, later, strict=True):
        assert np.array_equal(a, b)


def test_attentive_drivers_hit_nobody_and_pass_no_line_undecided(grid):
    engine = open_engine(grid, 1, 120, seed=1)
    w, users = users_of(engine, 0)
    hits = set()
    for _ in range(300):
        engine.step(5)
        pairs = overlaps(boxes_of(engine.network, engine.shape, w, users))
        hits |= {p for p in pairs if not all(w.whole[at.KIND, i] == 5 for i in p)}
    done = engine.totals()
    assert done[at.UNLAWFUL] == 0
    assert done[at.DISTANCE] > 60_000.0 and done[at.ARRIVED] > 50
    assert hits == set()


def test_the_lists_of_who_stands_on_a_lane_hold_everybody_in_order(grid):
    engine = open_engine(grid, 1, 120, seed=4)
    engine.step(300)
    w, users = users_of(engine, 0)
    seen = 0
    for lane in range(w.row.shape[1]):
        i, last = w.row[0, lane], -np.inf
        while i >= 0:
            assert w.whole[at.LANE, i] == lane
            if lane < engine.network.lanes:
                assert w.real[at.AT, i] >= last
                last = w.real[at.AT, i]
                assert w.real[at.AT, i] <= engine.network.real[LENGTH, lane] + 1e-3
            seen += i < users
            i = w.whole[at.AHEAD, i]
    assert seen == np.count_nonzero(w.whole[at.LANE, :users] >= 0)


def test_inattentive_drivers_are_an_option(grid):
    engine = open_engine(grid, 1, 100, seed=1, habits=Habits(inattentive=0.5))
    assert 0.3 < (engine.worlds.rows.whole[0, at.BLIND, :100] == 1).mean() < 0.7
    engine.step(20)


def test_arrays_are_views_of_one_block(grid):
    engine = open_engine(grid, 2, 30)
    speed = engine.worlds.rows.real[:, at.SPEED]
    engine.step(30)
    assert speed.base is not None and speed.max() > 1.0
    assert engine.bytes_per_user() <= 400.0 or engine.worlds.users < 100
    assert engine.network.whole[CONNECTOR].max() == 1


def test_what_the_engine_refuses(grid):
    with pytest.raises(MarqueError, match="at least one world"):
        open_engine(grid, 0, 10)
    with pytest.raises(MarqueError, match="at least one world and one road user, not 1 and -3"):
        open_engine(grid, 1, -3)
    with pytest.raises(MarqueError, match=r"no room for 9000 road users in one world; \d+ fit"):
        open_engine(grid, 1, 9000)
    with pytest.raises(MarqueError, match=r"no car-following model 'acc'; have \[idm, krauss\]"):
        Habits(model="acc")
    with pytest.raises(MarqueError, match="share of inattentive"):
        Habits(inattentive=1.5)
    walk = tiny_map([Lane([(0, 0), (50, 0)], kind=LaneKind.WALK)], name="park")
    with pytest.raises(MarqueError, match="map 'park' has no lane that a car may drive on"):
        open_engine(walk, 1, 1)


def test_what_the_bench_refuses():
    with pytest.raises(MarqueError, match=r"no device 'tpu'; have \[cpu, cuda\]"):
        need_device("tpu")
    with pytest.raises(MarqueError, match="--device cuda"):
        need_device("cuda")
    with pytest.raises(MarqueError, match=r"no peer 'carla'; have \[highway-env, sumo\]"):
        need_peers(("carla",))
    with pytest.raises(MarqueError, match="--steps is a number of at least 1"):
        run_bench(Bench("grid", 1, 10, 0), lambda text: None)
