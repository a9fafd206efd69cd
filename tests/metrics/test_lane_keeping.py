"""Lane keeping of made-up drives whose numbers are plain."""

import math

import numpy as np
import pytest

from builders import straight_road
from marque.core.time import PLAN_STEP_NS
from marque.maps.lookup import LaneIndex
from marque.metrics.lane_keeping import lane_keeping
from marque.prove.motorway.blind import keeping_sums
from marque.sim.worlds.empty import nobody
from marque.types.codes import Indicator, Reaction, Reason
from marque.types.command import Command
from marque.types.episode import Episode, Tick
from marque.types.health import FINE, Health
from marque.types.world import EgoTruth, World
from marque.vehicle.catalog import load_platform

ROAD = straight_road(2000.0, 2)  # 3.2 m wide
CAR = load_platform("saloon_ev")
ASKS = Health(Reaction.TAKEOVER)


def drive(offsets_m: np.ndarray, speed_mps: float = 20.0, asks: tuple[int, ...] = ()) -> Episode:
    """East along lane 0, so far to its left in each frame; frames at which somebody is asked."""
    episode = Episode(ROAD, CAR, "x", 1, "none", (0.0, 0.0), (1.0, 0.0), 0, 1.0, np.zeros((2, 2)),
                      1.0)  # fmt: skip
    for k, d in enumerate(offsets_m.tolist()):
        ego = EgoTruth(30.0 + 0.1 * speed_mps * k, d, 0.0, speed_mps, 0.0, 0.0, 0.0, 0.0)
        world = World(k * PLAN_STEP_NS, ego, nobody(), np.zeros(0, np.int8))
        command = Command(world.t_ns, 0.0, 0.0, Indicator.OFF)
        health = ASKS if k in asks else FINE
        episode.ticks.append(Tick(world, None, command, (), Reason.NONE, 0.0, health))
    return episode


def kept(*args, **more):
    return lane_keeping(drive(*args, **more), LaneIndex(ROAD))


def test_a_steady_offset():
    found = kept(np.full(100, -0.25))
    assert found["lateral_rms_m"] == pytest.approx(0.25, abs=1e-3)
    assert found["lateral_max_m"] == pytest.approx(0.25, abs=1e-3)
    assert found["off_lane_s"] == 0.0
    assert found["lanes_left"] == 0
    assert found["keeping_s"] == pytest.approx(10.0)


def test_a_side_over_the_line_is_off_the_lane():
    room = 0.5 * (3.2 - CAR.width_m)
    assert kept(np.full(50, room - 0.05))["off_lane_s"] == 0.0
    assert kept(np.full(50, -room - 0.05))["off_lane_s"] == pytest.approx(5.0)


def test_into_the_next_lane_and_back():
    d = np.concatenate((np.zeros(30), np.linspace(0.0, 3.2, 30), np.linspace(3.2, 0.0, 30)))
    assert kept(d)["lanes_left"] == 2


def test_standing_counts_for_nothing():
    found = kept(np.full(50, 0.3), speed_mps=0.0)
    assert found["lateral_rms_m"] is None
    assert found["keeping_s"] == 0.0


def test_demands_are_counted_once_each_and_not_before_it_first_drove():
    assert kept(np.zeros(60), asks=(0, 1, 2, 20, 21, 40))["takeovers"] == 2
    assert kept(np.zeros(3), asks=(0, 1, 2))["takeovers"] == 1


def test_sums_weigh_by_time():
    one = {"keeping_s": 10.0, "lateral_rms_m": 0.1, "lateral_max_m": 0.4, "off_lane_s": 0.0,
           "lanes_left": 0, "takeovers": 1, "end": "length driven", "duration_s": 10.0,
           "distance_m": 200.0}  # fmt: skip
    other = one | {"keeping_s": 30.0, "lateral_rms_m": 0.3, "off_lane_s": 4.0, "end": "timeout"}
    sums = keeping_sums([one, other])
    assert sums["lateral_rms_m"] == pytest.approx(math.sqrt((0.1 + 2.7) / 40.0), abs=1e-4)
    assert sums["off_lane_share"] == pytest.approx(0.1)
    assert sums["driven_to_the_end"] == 1
    assert sums["takeovers"] == 2
    assert sums["mean_kph"] == pytest.approx(72.0)
    assert keeping_sums([])["lateral_rms_m"] is None
