"""Our car in SUMO: placed exactly, on its route and off it; signals as SUMO shows them."""

import numpy as np
import pytest
from crossing import make, on_lane, spec_of

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo import SumoWorld
from marque.types.codes import SignalState
from marque.types.world import EgoTruth

pytestmark = pytest.mark.sumo
NOBODY = '<trip id="late" depart="9000" from="wc" to="ce"/>'
CAR = '<trip id="a" depart="0" departPos="5" from="wc" to="ce"/>'


def at(x: float, y: float, heading: float, speed: float = 5.0) -> EgoTruth:
    return EgoTruth(x, y, heading, speed, 0.0, 0.0, 0.0, 0.0)


def test_two_halves_of_a_step_are_a_step(tmp_path):
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), begin_s=4)
    ego = on_lane(spec.road_map, "wc_0", 250.0)
    whole, halves = SumoWorld(spec), SumoWorld(spec)
    try:
        whole.reset(ego)
        halves.reset(ego)
        for _ in range(40):
            a = whole.step(ego)
            halves.begin_step(ego)
            b = halves.finish_step()
            assert a.t_ns == b.t_ns
            assert np.array_equal(a.users.x_m, b.users.x_m)
        with pytest.raises(MarqueError, match="no step of the traffic has begun"):
            halves.finish_step()
    finally:
        whole.close()
        halves.close()


def test_after_a_missed_turn_the_others_see_the_new_way(tmp_path):
    # planned straight on along the main road; it turns off to the north instead
    follow = '<trip id="late" depart="1" departPos="5" from="sc" to="cn"/>'
    spec = spec_of(make(tmp_path, follow), ("wc", "ce"), begin_s=2)
    world = SumoWorld(spec)
    try:
        start = on_lane(spec.road_map, "wc_0", 285.0)
        world.reset(start)
        lane_x = float(spec.road_map.points(spec.road_map.lane_name.index("cn_0"))[0, 0])
        for step in range(60):
            world.step(at(lane_x, 20.0 + 0.1 * step, 0.5 * np.pi, 1.0))
        world.set_route(("cn",))
        seen = None
        for _ in range(450):  # stands on the north road: the follower must stop behind it
            seen = world.step(at(lane_x, 26.0, 0.5 * np.pi, 0.0))
        assert seen is not None and len(seen.users.uid) == 1
        assert seen.users.speed_mps[0] < 0.1
        gap = (26.0 - 0.95) - float(seen.users.y_m[0] + 0.5 * seen.users.length_m[0])
        assert 0.5 < gap < 4.0
        assert world.routes()["ego"] == ("cn",)
        assert world.unmapped_steps == 0
    finally:
        world.close()


def test_beyond_the_end_of_its_route_and_off_the_road_the_drive_goes_on(tmp_path):
    spec = spec_of(make(tmp_path, NOBODY), ("wc", "ce"), begin_s=2)
    world = SumoWorld(spec)
    try:
        world.reset(on_lane(spec.road_map, "wc_0", 290.0))
        y = on_lane(spec.road_map, "ce_0", 10.0).y_m
        for x in np.arange(-10.0, 330.0, 5.0):  # the road ends at 300
            seen = world.step(at(float(x), y, 0.0, 14.0))
        for aside in np.arange(0.0, 250.0, 25.0):
            seen = world.step(at(100.0, y + float(aside), 0.0, 14.0))
        assert seen.ego.x_m == 100.0
        seen = world.step(at(100.0, y, 0.0, 14.0))
        assert len(seen.users.uid) == 0
    finally:
        world.close()


def test_signals_are_those_that_sumo_shows(tmp_path):
    spec = spec_of(make(tmp_path, NOBODY, kind="traffic_light"), ("wc", "ce"), begin_s=1)
    road_map = spec.road_map
    assert len(road_map.head_group) >= 2
    world = SumoWorld(spec)
    try:
        ego = on_lane(road_map, "wc_0", 100.0)
        shown = [world.reset(ego).heads]
        shown.extend(world.step(ego).heads for _ in range(1000))
        states = np.array(shown)
        assert not (states == SignalState.UNKNOWN).any()
        green = (states == SignalState.GREEN) | (states == SignalState.GREEN_YIELD)
        assert green.any(axis=0).all()
        assert (states == SignalState.RED).any(axis=0).all()
        for head in range(states.shape[1]):  # green, amber, red: never another order
            turns = states[1:, head][np.diff(states[:, head]) != 0]
            before = states[:-1, head][np.diff(states[:, head]) != 0]
            assert (before[turns == SignalState.RED] == SignalState.AMBER).all()
    finally:
        world.close()


def test_insertion_makes_room_and_nothing_touches_us_because_of_it(tmp_path):
    rows = "".join(
        f'<trip id="q{i}" depart="0" departPos="{pos}" departSpeed="13.8" departLane="{lane}" '
        'from="wc" to="ce"/>'
        for i, (pos, lane) in enumerate((p, la) for p in range(20, 260, 24) for la in (0, 1))
    )
    cfg = make(tmp_path, rows, lanes=2)
    for begin in (1, 3):
        spec = spec_of(cfg, ("wc", "ce"), begin_s=begin)
        world = SumoWorld(spec)
        try:
            ego = on_lane(spec.road_map, "wc_0", 130.0)
            world.reset(ego)
            for _ in range(150):
                world.step(ego)
            assert world.ego_collisions == 0
            assert int(world.facts()["removed to make room for our car"]) >= 1
        finally:
            world.close()


def test_the_sublane_model_can_be_asked_for(tmp_path):
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), 3, sumo_args=("--lateral-resolution", "0.8"))
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_0", 120.0)
        world.reset(ego)
        seen = world.step(ego)
        assert len(seen.users.uid) == 1
        assert "sublane" in world.facts()["lane changes"]
    finally:
        world.close()
