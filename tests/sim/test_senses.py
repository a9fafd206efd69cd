"""Senses in the loop: what is fused from late and noisy parts stays near the truth, and says so
when it cannot know."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from builders import straight_road
from marque.core.errors import MarqueError
from marque.core.time import BASE_STEP_NS, PLAN_STEP_NS, seconds
from marque.maps.lookup import LaneIndex
from marque.sensing.profile import load_equipment, load_profile
from marque.sim.senses import begin_fusing, begin_senses
from marque.stack.perception.fuse import FRESH_NS, fuse, sensed
from marque.types.codes import UserKind
from marque.types.reading import Delivery, Reading
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

ROAD = straight_road(900.0, 2)  # centre lines at y = 0 and 3.2
INDEX = LaneIndex(ROAD)
CAR = load_platform("saloon_ev")
STANDARD = load_equipment("standard")
SPEED = 12.0


def ego_at(t_ns: int) -> EgoTruth:
    """Sets off from rest, then goes on at a steady speed."""
    t, pull = seconds(t_ns), 2.0
    full = SPEED / pull
    speed = min(SPEED, pull * t)
    way = 0.5 * pull * min(t, full) ** 2 + SPEED * max(0.0, t - full)
    accel = pull if t < full else 0.0
    return EgoTruth(60.0 + way, 0.1, 0.0, speed, accel, 0.0, 0.0, 0.0)


def world_at(t_ns: int, heads: int = 0) -> World:
    """One car 30 m ahead of us in our lane, one beside it in the next, both as fast as we are."""
    ego = ego_at(t_ns)
    n = 2
    users = RoadUsers(
        uid=np.array([5, 9]), kind=np.full(n, UserKind.CAR, dtype=np.int8),
        x_m=ego.x_m + np.array([30.0, 34.0]), y_m=np.array([0.0, 3.2]), heading_rad=np.zeros(n),
        speed_mps=np.full(n, ego.speed_mps), accel_mps2=np.full(n, ego.accel_mps2),
        length_m=np.full(n, 4.6), width_m=np.full(n, 1.85), indicator=np.zeros(n, dtype=np.int8),
        lane=np.zeros(n, dtype=np.int32),
    )  # fmt: skip
    return World(t_ns, ego, users, np.zeros(heads, dtype=np.int8))


def deliveries(seconds_long: float, seed: int = 1, profile=STANDARD) -> list[Delivery]:
    senses = begin_senses(profile, CAR, ROAD, seed)
    out = []
    for step in range(int(seconds_long * 50)):
        t_ns = step * BASE_STEP_NS
        if t_ns % PLAN_STEP_NS == 0:
            senses.observe(world_at(t_ns, len(ROAD.head_group)))
        out.append(senses.receive(ego_at(t_ns), t_ns))
    return out


def begun():
    return begin_fusing((STANDARD, CAR, ROAD, INDEX), ego_at(0), 1)


def fused(came: list[Delivery]) -> list[Reading]:
    memory, out = begun(), []
    for each in came:
        memory, reading = fuse(memory, each)
        out.append(reading)
    return out


def test_own_motion_is_known_within_what_a_lane_needs():
    readings = fused(deliveries(20.0))
    off = [(r.ego.y_m - 0.1, r.ego.speed_mps - ego_at(r.t_ns).speed_mps) for r in readings[200:]]
    across, speed = np.array(off).T
    assert np.sqrt(np.mean(across**2)) < 0.25
    assert np.sqrt(np.mean(speed**2)) < 0.1
    assert all(r.ego.t_ns == r.t_ns for r in readings)


def test_road_users_are_found_moved_on_to_now_and_keep_their_names():
    readings = fused(deliveries(12.0))
    late = [r for r in readings if r.t_ns > 4e9 and r.t_ns % PLAN_STEP_NS == 0]
    names = set()
    for reading in late:
        found = reading.detections
        truth = world_at(reading.t_ns).users
        assert found.t_ns == reading.t_ns
        for i in range(2):
            gap = np.hypot(found.x_m - truth.x_m[i], found.y_m - truth.y_m[i])
            nearest = int(gap.argmin())
            assert gap[nearest] < 1.2
            assert abs(found.speed_mps[nearest] - truth.speed_mps[i]) < 1.0
            names.add((i, int(found.uid[nearest])))
    assert len(names) == 2


def test_the_same_seed_gives_the_same_readings_and_another_gives_others():
    first, again, other = (fused(deliveries(3.0, seed)) for seed in (1, 1, 2))
    assert [r.ego.x_m for r in first] == [r.ego.x_m for r in again]
    assert first[-1].detections.x_m.tolist() == again[-1].detections.x_m.tolist()
    assert [r.ego.x_m for r in first] != [r.ego.x_m for r in other]


def test_when_no_list_comes_any_more_the_stamp_of_the_objects_stops():
    came = deliveries(6.0)
    blind = [replace(each, objects=()) if each.t_ns > 4e9 else each for each in came]
    stamps = [r.detections.t_ns for r in fused(blind)]
    assert all(a <= b for a, b in pairwise(stamps))
    assert stamps[-1] <= 4e9 + FRESH_NS + PLAN_STEP_NS
    last = blind[-1].t_ns
    assert last - stamps[-1] > 1e9


def test_without_anything_to_reckon_from_own_motion_is_said_to_be_of_no_use():
    came = deliveries(6.0)
    deaf = [Delivery(each.t_ns, objects=each.objects) if each.t_ns > 3e9 else each for each in came]
    readings = fused(deaf)
    assert readings[100].ego.t_ns == readings[100].t_ns
    assert readings[-1].ego.t_ns == -1


def test_parts_that_are_no_numbers_change_nothing():
    came = deliveries(5.0)
    bad = []
    for each in came:
        broken = tuple(replace(one, x_m=np.full(one.count, math.nan)) for one in each.objects[:1])
        wheels = tuple(replace(one, wheel_mps=(math.nan,) * 4) for one in each.bus)
        bad.append(replace(each, objects=(*each.objects, *broken), bus=(*each.bus, *wheels)))
    for good, worse in zip(fused(came), fused(bad), strict=True):
        assert good.ego.x_m == worse.ego.x_m
        assert good.detections.x_m.tolist() == worse.detections.x_m.tolist()


def test_exact_readings_pass_unchanged():
    senses = begin_senses(load_profile("ideal"), CAR, ROAD, 1)
    senses.observe(world_at(0, len(ROAD.head_group)))
    reading = senses.receive(ego_at(0), 0)
    assert isinstance(reading, Reading)
    assert sensed(None, reading) == (None, reading, None)


def test_a_profile_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(MarqueError, match=r"no sensor profile 'standart'.*standard"):
        load_profile("standart")
