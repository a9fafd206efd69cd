"""The engine as a world: our car is seen in it, and the words that ask for it."""

import math

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.core.geometry import boxes_overlap
from marque.maps.lookup import LaneIndex
from marque.maps.made.draw import make_map
from marque.maps.trips import draw_trips
from marque.sim.order import ENGINE, Order, open_ground, usual_map, usual_traffic
from marque.sim.worlds.engine import EngineSpec, EngineWorld
from marque.sim.worlds.port import RoadWorld
from marque.types.world import EgoTruth

LENGTH_M, WIDTH_M, FRONT_M = 4.7, 1.9, 3.8


@pytest.fixture(scope="module")
def world_and_ego():
    road_map = make_map("grid", 3)
    trip = draw_trips(road_map, 1, 1, 400.0)[0]
    spec = EngineSpec(
        road_map, LaneIndex(road_map), 1, 120, trip.goal_lane, trip.goal_s_m, LENGTH_M, WIDTH_M,
        FRONT_M,
    )  # fmt: skip
    x, y, heading = road_map.place(trip.start_lane, trip.start_s_m)
    return EngineWorld(spec), EgoTruth(x, y, heading, 0.0, 0.0, 0.0, 0.0, 0.0)


def touches(world, ego):
    ahead = FRONT_M - 0.5 * LENGTH_M
    x, y = (
        ego.x_m + ahead * math.cos(ego.heading_rad),
        ego.y_m + ahead * math.sin(ego.heading_rad),
    )
    u = world.users
    return any(
        boxes_overlap(x, y, ego.heading_rad, LENGTH_M, WIDTH_M, u.x_m[k], u.y_m[k],
                      u.heading_rad[k], u.length_m[k], u.width_m[k])
        for k in range(len(u.uid))
    )  # fmt: skip


def test_nobody_drives_into_our_standing_car(world_and_ego):
    port, ego = world_and_ego
    assert isinstance(port, RoadWorld) and port.label.startswith("own engine")
    world = port.reset(ego)
    assert len(world.users.uid) > 60 and not touches(world, ego)
    moved = 0.0
    for _ in range(300):
        world = port.step(ego)
        moved += float(world.users.speed_mps.sum()) * 0.1
        assert not touches(world, ego)
    assert moved > 1000.0 and world.t_ns == 30_000_000_000
    assert len(set(world.users.uid.tolist())) == len(world.users.uid)
    assert set(world.users.uid.tolist()) <= set(port.names)


def test_a_reset_brings_the_same_traffic_back(world_and_ego):
    port, ego = world_and_ego
    first = port.reset(ego)
    for _ in range(20):
        port.step(ego)
    again = port.reset(ego)
    assert np.array_equal(first.users.x_m, again.users.x_m)
    assert np.array_equal(first.heads, again.heads)


def test_the_engine_drives_where_sumo_is_not_installed(monkeypatch):
    monkeypatch.setattr("marque.sim.order.find_spec", lambda name: None)
    assert usual_traffic() == ENGINE and usual_map(ENGINE) == "town"
    monkeypatch.setattr("marque.sim.order.find_spec", lambda name: object())
    assert usual_traffic() == "sumo" and usual_map("sumo") == "berlin"


def test_words_of_sumo_have_no_place_beside_the_engine():
    with pytest.raises(MarqueError, match="--begin belongs to SUMO's traffic; --traffic engine"):
        open_ground(Order(map_name="grid", traffic=ENGINE, begin_s=5.0))
