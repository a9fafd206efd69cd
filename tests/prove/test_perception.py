"""Judging belief: exact beliefs score full marks, each kind of error shows in its own number."""

from dataclasses import replace

import numpy as np
import pytest

from builders import straight_road
from marque.core.errors import MarqueError
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.metrics.tracking import TrackScore
from marque.prove.perception import BARS, Seen, Suite, _report, held, run
from marque.sensing.objects import mounted
from marque.sensing.profile import load_equipment
from marque.sim.drive import Setup, begin_stack
from marque.sim.order import Ground, Order
from marque.sim.senses import begin_senses
from marque.stack.tick import tick
from marque.types.codes import UserKind
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

pytest.importorskip("trackeval", reason="needs the extra `tracking`")

ROAD = straight_road(600.0, 2)
CAR = load_platform("saloon_ev")
STANDARD = load_equipment("standard")
SETUP = Setup(ROAD, LaneIndex(ROAD), CAR, "lane", Trip(0, 50.0, 0, 580.0), 1, STANDARD, 100.0)


SPEEDS_UP_S, ACCEL_MPS2 = 5.0, 2.0


def ego_at(t_s: float) -> EgoTruth:
    """From rest to 10 m/s, and on at that."""
    up_s = min(t_s, SPEEDS_UP_S)
    v = ACCEL_MPS2 * up_s
    x = 50.0 + 0.5 * ACCEL_MPS2 * up_s**2 + v * (t_s - up_s)
    return EgoTruth(x, 0.0, 0.0, v, ACCEL_MPS2 if t_s < SPEEDS_UP_S else 0.0, 0.0, 0.0, 0.0)


def world_at(k: int) -> World:
    """We, and a car 30 m ahead of us as fast as we are."""
    ego = ego_at(0.1 * k)
    x = ego.x_m
    users = RoadUsers(
        uid=np.array([5]), kind=np.array([UserKind.CAR], dtype=np.int8), x_m=np.array([x + 30.0]),
        y_m=np.zeros(1), heading_rad=np.zeros(1), speed_mps=np.array([ego.speed_mps]),
        accel_mps2=np.array([ego.accel_mps2]), length_m=np.array([4.6]), width_m=np.array([1.85]),
        indicator=np.zeros(1, dtype=np.int8), lane=np.zeros(1, dtype=np.int32),
    )  # fmt: skip
    return World(k * 100_000_000, ego, users, np.zeros(len(ROAD.head_group), dtype=np.int8))


def driven(frames: int = 80) -> Seen:
    """Belief along a drive in closed form."""
    seen = Seen(tuple(mounted(i, one, CAR) for i, one in enumerate(STANDARD.sensor)))
    stack = begin_stack(SETUP)
    senses = begin_senses(STANDARD, CAR, ROAD, 1)
    for k in range(frames):
        truth = world_at(k)
        senses.observe(truth)
        for part in range(5):
            t_ns = truth.t_ns + part * 20_000_000
            came, before = senses.receive(ego_at(t_ns / 1e9), t_ns), stack
            stack, decision = tick(stack, came)
            if decision.scene is not None:
                seen.look(truth, before, came, stack)
    return seen


def test_a_drive_is_scored_frame_by_frame():
    seen = driven()
    assert len(seen.frames) == 80 and len(seen.times_ms) == 80
    assert all(frame.judged.tolist() == [True] for frame in seen.frames)
    assert seen.way_m == pytest.approx(54.5)
    assert len(seen.lateral) > 60
    assert np.sqrt(np.mean(np.array(seen.lateral[20:]) ** 2)) < 0.2
    along, across, turned, speed = np.array(seen.place[30:]).T
    assert np.abs(across).max() < 0.5 and np.abs(turned).max() < 0.02
    assert np.abs(speed).max() < 0.3 and np.abs(along).max() < 1.5
    assert len(seen.place) + seen.unknown == 80 and seen.unknown == 0


def score(**changes: float) -> TrackScore:
    even = TrackScore(0.95, 0.9, 0.9, 0.9, 1, 1.0, 10, 5, 1000, 0.2)
    return replace(even, **changes)


def test_trips_are_pooled_by_their_counts():
    one, two = Seen(()), Seen(())
    one.way_m, two.way_m = 1000.0, 3000.0
    scores = [(score(), one), (score(switches=3, missed=90, judged=3000, hota=0.7), two)]
    report = _report(
        Suite(Order(sensors="standard"), 2, 1.0),
        Ground(ROAD, None, LaneIndex(ROAD)),  # type: ignore[arg-type]
        [],
        scores,
        [1.0, 2.0],
    )
    assert report["switches_per_km"] == 1.0
    assert report["mota"] == pytest.approx(1.0 - (4 + 100 + 10) / 4000, abs=1e-4)
    assert report["hota"] == pytest.approx(0.75)
    assert report["lead_lateral_rms_mps"] is None
    assert not report["passed"]  # what was not measured is not held


def test_bars_have_a_direction():
    assert held("mota", BARS["mota"]) and not held("mota", BARS["mota"] - 0.01)
    assert held("switches_per_km", 1.0) and not held("switches_per_km", 1.1)
    assert not held("hota", None)


def test_exact_senses_are_refused(monkeypatch):
    ground = Ground(ROAD, None, LaneIndex(ROAD))  # type: ignore[arg-type]
    monkeypatch.setattr("marque.prove.perception.draw_trips", lambda *_: [SETUP.trip])
    order = Order(sensors="ideal", traffic="none")
    with pytest.raises(MarqueError, match="'ideal' is exact: there is nothing to judge"):
        run(Suite(order, 1, 0.1), ground)
