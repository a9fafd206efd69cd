"""SUMO's people see our car: they brake behind it, yield to it, and stop for it."""

import numpy as np
import pytest
from crossing import FRONT_M, LENGTH_M, make, on_lane, spec_of

from marque.core.geometry import boxes_overlap
from marque.sim.worlds.sumo import SumoWorld
from marque.types.codes import UserKind
from marque.types.world import EgoTruth, World

pytestmark = pytest.mark.sumo


def shifted(ego: EgoTruth, along_m: float, aside_m: float, speed: float) -> EgoTruth:
    c, s = np.cos(ego.heading_rad), np.sin(ego.heading_rad)
    return EgoTruth(
        float(ego.x_m + along_m * c - aside_m * s),
        float(ego.y_m + along_m * s + aside_m * c),
        ego.heading_rad,
        speed,
        *(0.0, 0.0, 0.0, 0.0),
    )


def touches(world: World) -> bool:
    """Whether any box overlaps the ego's."""
    ego, users = world.ego, world.users
    ahead = FRONT_M - 0.5 * LENGTH_M
    x = ego.x_m + ahead * np.cos(ego.heading_rad)
    y = ego.y_m + ahead * np.sin(ego.heading_rad)
    return any(
        boxes_overlap(x, y, ego.heading_rad, LENGTH_M, 1.85, *(float(v) for v in row))
        for row in zip(
            users.x_m, users.y_m, users.heading_rad, users.length_m, users.width_m, strict=True
        )
    )


def test_a_follower_brakes_for_our_car_at_rest_and_for_its_sudden_stop(tmp_path):
    cfg = make(tmp_path, '<trip id="behind" depart="2" departSpeed="max" from="wc" to="ce"/>')
    spec = spec_of(cfg, ("wc", "ce"), begin_s=8)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_0", 150.0)
        seen = world.reset(ego)
        assert world.names[int(seen.users.uid[0])] == "behind"
        speeds = []
        at = 0.0
        for step in range(250):
            v = 12.0 if 130 <= step < 190 else 0.0  # stands, drives on, stops at once
            at += 0.1 * v
            seen = world.step(shifted(ego, at, 0.0, v))
            assert not touches(seen)
            if len(seen.users.uid):
                speeds.append(float(seen.users.speed_mps[0]))
        assert max(speeds[:20]) > 8.0
        assert speeds[125] < 0.3
        assert max(speeds[140:195]) > 3.0
        assert speeds[-1] < 0.3
        assert world.ego_collisions == 0
    finally:
        world.close()


def test_a_follower_in_the_next_lane_brakes_for_our_cut_in(tmp_path):
    car = '<trip id="other" depart="1" departLane="1" departSpeed="max" from="wc" to="ce"/>'
    lane = '<vType id="DEFAULT_VEHTYPE" lcStrategic="-1" lcKeepRight="0" lcSpeedGain="0"/>'
    cfg = make(tmp_path, lane + car, lanes=2)
    spec = spec_of(cfg, ("wc", "ce"), begin_s=6)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_0", 100.0)
        seen = world.reset(ego)
        at, aside, speeds = 0.0, 0.0, []
        for step in range(100):
            at += 0.6
            aside = min(3.2, aside + 0.2) if step >= 3 else 0.0
            seen = world.step(shifted(ego, at, aside, 6.0))
            assert not touches(seen)
            speeds.append(float(seen.users.speed_mps[0]))
        assert speeds[0] > 11.0
        assert 5.0 < speeds[-1] < 7.5
    finally:
        world.close()


def crossing_run(tmp_path, ego_lane, ego_route, foe, ego_from, ego_speed, stop_at=None):
    """Drive straight; returns (time foe enters the crossing, time ego does, any contact)."""
    cfg = make(tmp_path, foe)
    spec = spec_of(cfg, ego_route, begin_s=10)
    world = SumoWorld(spec)
    try:
        start = on_lane(spec.road_map, ego_lane, ego_from)
        world.reset(start)
        at, foe_in, ego_in, contact = 0.0, None, None, False
        for step in range(300):
            v = 0.0 if stop_at is not None and at >= stop_at else ego_speed
            at += 0.1 * v
            seen = world.step(shifted(start, at, 0.0, v))
            contact = contact or touches(seen)
            users = seen.users
            inside = np.hypot(users.x_m, users.y_m) < 5.0
            if foe_in is None and inside.any():
                foe_in = 0.1 * step
            if ego_in is None and np.hypot(seen.ego.x_m, seen.ego.y_m) < 5.0:
                ego_in = 0.1 * step
        return foe_in, ego_in, contact
    finally:
        world.close()


def test_who_must_yield_waits_for_our_car(tmp_path):
    # both would reach the crossing at about the same time; the side road gives way
    foe = '<trip id="side" depart="0" departPos="40" departSpeed="max" from="sc" to="cn"/>'
    foe_in, ego_in, contact = crossing_run(
        tmp_path, "wc_0", ("wc", "ce"), foe, ego_from=185.0, ego_speed=11.0
    )
    assert not contact
    assert foe_in is not None and ego_in is not None
    assert foe_in > ego_in


def test_who_has_priority_does_not_wait_for_our_car_that_stands_at_the_line(tmp_path):
    foe = '<trip id="main" depart="0" departPos="40" departSpeed="max" from="wc" to="ce"/>'
    foe_in, ego_in, contact = crossing_run(
        tmp_path, "sc_0", ("sc", "cn"), foe, ego_from=230.0, ego_speed=8.0, stop_at=48.0
    )
    assert not contact
    assert foe_in is not None and foe_in < 15.0
    assert ego_in is None


def test_cross_traffic_stops_for_our_car_that_stands_inside_the_junction(tmp_path):
    foe = '<trip id="main" depart="6" departSpeed="max" from="wc" to="ce"/>'
    foe_in, ego_in, contact = crossing_run(
        tmp_path, "sc_0", ("sc", "cn"), foe, ego_from=260.0, ego_speed=8.0, stop_at=38.0
    )
    assert ego_in is not None
    assert foe_in is None
    assert not contact


def test_the_truth_has_sizes_places_and_kinds(tmp_path):
    rows = (
        '<vType id="lorry" vClass="truck" length="10" width="2.4"/>'
        '<vType id="rider" vClass="bicycle" length="1.7" width="0.6"/>'
        '<trip id="t" type="lorry" depart="0" departPos="150" departSpeed="0" from="wc" to="ce">'
        '<stop lane="wc_0" endPos="160" duration="900"/></trip>'
        '<trip id="b" type="rider" depart="0" departPos="200" from="sc" to="cn"/>'
    )
    cfg = make(tmp_path, rows)
    spec = spec_of(cfg, ("wc", "ce"), begin_s=12)
    world = SumoWorld(spec)
    try:
        seen = world.reset(on_lane(spec.road_map, "wc_0", 250.0))
        for _ in range(5):
            seen = world.step(on_lane(spec.road_map, "wc_0", 250.0))
        users = seen.users
        by_name = {world.names[int(uid)]: i for i, uid in enumerate(users.uid)}
        lorry, rider = by_name["t"], by_name["b"]
        assert users.kind[lorry] == UserKind.TRUCK
        assert users.kind[rider] == UserKind.BICYCLE
        assert users.length_m[lorry] == 10.0
        assert users.x_m[lorry] == pytest.approx(-300.0 + 160.0 - 5.0, abs=0.2)  # its middle
        assert users.heading_rad[lorry] == pytest.approx(0.0, abs=1e-6)
        assert users.speed_mps[lorry] == 0.0
        assert users.heading_rad[rider] == pytest.approx(0.5 * np.pi, abs=1e-6)
        assert users.speed_mps[rider] > 2.0
        lanes = [spec.road_map.lane_name[lane] for lane in users.lane]
        assert lanes[lorry] == "wc_0"
        assert seen.t_ns == 500_000_000
    finally:
        world.close()
