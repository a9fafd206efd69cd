"""Cut-ins that a driver meets: the whole machine on a straight road of two lanes, instead of our
car at constant speed.

The limit is the speed at which our car comes; the other drives as the grid says, in the lane to
our left at first. The car is a body with its own dynamics, so it may steer, too; senses are exact.
Cases are drawn from those that are asked for.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.time import PLAN_STEP_NS
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.prove.cut_in import play as played
from marque.prove.cut_in.play import CAR_LENGTH_M, CAR_WIDTH_M, STEP_S
from marque.prove.roads import build_roads, lane_name
from marque.prove.situations.shapes import road
from marque.sensing.profile import load_profile
from marque.sim.drive import Car, Setup, Timing, begin_sensing, begin_stack, frame, touches
from marque.types.codes import Indicator, UserKind
from marque.types.platform import Platform
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, RoadUsers, World

ROAD_M, FIRST_M, GOAL_M = 4000.0, 100.0, 100.0
MOST_S = 20.0  # after the sideways motion began; who has not met by then does not


def drive_all(
    rows: FloatArray,
    driver: str,
    platform: Platform,
    seed: int,
    done: Callable[[float], None],
) -> list[tuple[bool, float]]:
    """(contact, peak deceleration in m/s^2) for cases [n, 5] of `Cases.rows`, in their order.

    MarqueError: unknown driver; netconvert missing.
    """
    out: list[tuple[bool, float]] = [(False, 0.0)] * len(rows)
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        count = 0
        for speed in np.unique(rows[:, 0]).tolist():
            ground = road([(0.0, 0.0), (ROAD_M, 0.0)], speed, 2, 0)
            road_map = build_roads(ground, Path(folder))[0]
            lane = road_map.lane_name.index(lane_name(ground, "e0", 0))
            trip = Trip(lane, FIRST_M, lane, ROAD_M - GOAL_M)
            index = LaneIndex(road_map)
            for i in np.flatnonzero(rows[:, 0] == speed).tolist():
                x, y, heading = road_map.place(lane, FIRST_M)
                setup = Setup(
                    road_map=road_map, index=index, platform=platform, driver=driver, trip=trip,
                    seed=seed + int(rows[i, 4]), profile=load_profile("ideal"), limit_s=1e9,
                    begin=EgoTruth(x, y, heading, speed, 0.0, 0.0, 0.0, 0.0),
                )  # fmt: skip
                v, f, gap, lateral = rows[i, :4].tolist()
                out[i] = drive(setup, (v, f, gap, lateral))
                count += 1
                done(count / len(rows))
    return out


def drive(setup: Setup, case: tuple[float, float, float, float]) -> tuple[bool, float]:
    """(contact, peak deceleration) of one case: our speed, its speed, gap, lateral speed."""
    v, f, gap, lateral = case
    began = played.first_step(lateral, STEP_S)
    start = began - round(played.BEFORE_S / STEP_S)
    stack, car, senses = begin_stack(setup), Car(setup), begin_sensing(setup)
    middle = car.truth().x_m + setup.platform.centre_m
    length = 0.5 * (CAR_LENGTH_M + setup.platform.length_m)
    first = middle + gap + length + (v - f) * -start * STEP_S
    peak = 0.0
    for n in range(round((played.BEFORE_S + MOST_S) / STEP_S)):
        aside, drift = played.other_at((start + n) * STEP_S, lateral)
        truth = _world(setup, n, car.truth(), (first + f * n * STEP_S, aside, f, drift))
        peak = max(peak, -truth.ego.accel_mps2)
        if touches(truth, setup.platform):
            return True, peak
        senses.observe(truth)
        stack, _ = frame(stack, car, truth, senses, Timing(), None)
    return False, peak


def _world(setup: Setup, n: int, ego: EgoTruth, other: tuple[float, float, float, float]) -> World:
    """The truth in step n; other: place along the road, distance to the left of our lane's middle,
    speed along and towards us."""
    road_map, lane = setup.road_map, setup.trip.start_lane
    x, aside, speed, drift = other
    users = RoadUsers(
        uid=np.ones(1, np.int64),
        kind=np.full(1, np.int8(UserKind.CAR)),
        x_m=np.array([x]),
        y_m=np.array([road_map.place(lane, FIRST_M)[1] + aside]),
        heading_rad=np.array([np.arctan2(-drift, speed)]),
        speed_mps=np.array([np.hypot(speed, drift)]),
        accel_mps2=np.zeros(1),
        length_m=np.array([CAR_LENGTH_M]),
        width_m=np.array([CAR_WIDTH_M]),
        indicator=np.full(1, np.int8(Indicator.OFF)),
        lane=np.full(1, _lane_of(road_map, lane, aside), np.int32),
    )
    return World(n * PLAN_STEP_NS, ego, users, np.zeros(len(road_map.head_group), np.int8))


def _lane_of(road_map: RoadMap, lane: int, aside: float) -> int:
    """The lane that the middle of the other car is in: ours, or the one to the left of it."""
    left = int(road_map.lane_left[lane])
    return left if aside > 0.5 * float(road_map.lane_width_m[lane]) and left >= 0 else lane


def chosen(count: int, of: int, seed: int) -> list[int]:
    """`count` of so many rows, in their order, always the same for a seed."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 57])))
    return sorted(rng.choice(of, min(count, of), replace=False).tolist())


def told(
    found: list[tuple[bool, float]], preventable: BoolArray, hard_mps2: float
) -> dict[str, Any]:
    """The counts of the suite for those driven."""
    hits: BoolArray = np.array([hit for hit, _ in found], np.bool_)
    peaks = np.array([peak for _, peak in found])
    return {
        "cases": len(found),
        "preventable": int(preventable.sum()),
        "collisions": int(hits.sum()),
        "preventable_collisions": int((hits & preventable).sum()),
        "hard_share": float((peaks > hard_mps2 + 1e-9).mean()),
    }
