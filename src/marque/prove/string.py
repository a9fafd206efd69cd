"""A string of our own cars behind a leader that brakes: does the disturbance grow from car to car?

Every car is the whole machine with its own senses; the world is the others. They set off from a
queue, settle behind a leader at a steady speed, and then the leader brakes, holds, and speeds up
again as drawn from the seed. A car's disturbance is its deviation from its settled speed: the root
of the summed squares, and the largest drop. The gain is that of the last car over the leader's, the
larger of the two: above 1 the string makes jams out of nothing. What each car adds to the one
ahead of it is told beside it.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.prove.roads import build_roads, lane_name
from marque.prove.situations.shapes import road
from marque.sensing.profile import load_profile
from marque.sim.drive import Car, Setup, Timing, begin_stack, frame, load_driver, touches
from marque.sim.senses import begin_senses
from marque.stack.tick import StackMemory
from marque.types.codes import Indicator, UserKind
from marque.types.platform import Platform
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

SCHEMA = "marque.prove.string/1"
ROAD_M, LIMIT_MPS = 6000.0, 36.11
FIRST_M, QUEUE_M = 60.0, 3.0  # the last car's place; gaps in the queue at first
LEADER_MPS2 = 1.0  # how the leader speeds up
SETTLE_S, AFTER_S = 45.0, 45.0  # at a steady speed before it brakes; and after it is back at it
BAR = 1.0
NOISE_MPS = 0.1  # a drop of a tenth says nothing


@dataclass(frozen=True, slots=True)
class Braking:
    """What the leader does."""

    speed_mps: float
    brake_mps2: float
    drop_mps: float
    hold_s: float

    def speeds(self) -> FloatArray:
        """[T] its speed each 100 ms, from rest."""
        low = self.speed_mps - self.drop_mps
        corners = np.cumsum(
            [
                0.0,
                self.speed_mps / LEADER_MPS2,
                SETTLE_S,
                self.drop_mps / self.brake_mps2,
                self.hold_s,
                self.drop_mps / LEADER_MPS2,
                AFTER_S,
            ]
        )
        values = [0.0, self.speed_mps, self.speed_mps, low, low, self.speed_mps, self.speed_mps]
        out: FloatArray = np.interp(np.arange(0.0, corners[-1], PLAN_STEP_S), corners, values)
        return out

    @property
    def brakes_s(self) -> float:
        """When it begins to brake."""
        return self.speed_mps / LEADER_MPS2 + SETTLE_S


def draw(seed: int, case: int) -> Braking:
    """One of them, always the same."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, case, 9])))
    speed = float(rng.uniform(14.0, 30.0))
    return Braking(
        speed, float(rng.uniform(1.0, 3.5)), float(rng.uniform(0.2, 0.6)) * speed,
        float(rng.uniform(1.0, 8.0)),
    )  # fmt: skip


def run(
    *,
    seed: int = 1,
    cases: int = 3,
    cars: int = 10,
    driver: str = "marque",
    car: str = "saloon_ev",
    sensors: str = "standard",
    done: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:
    """All cases as one JSON object. `done(share, words)` as it goes on.

    MarqueError: unknown driver, car or profile; SUMO's netconvert missing.
    """
    if cases < 1 or cars < 2:
        raise MarqueError("a string takes at least one case and two cars")
    load_driver(driver)
    platform, profile = load_platform(car), load_profile(sensors)
    began = time.perf_counter()
    rows = []
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        ground = road([(0.0, 0.0), (ROAD_M, 0.0)], LIMIT_MPS, 1, 0)
        road_map = build_roads(ground, Path(folder))[0]
        lane = road_map.lane_name.index(lane_name(ground, "e0", 0))
        index = LaneIndex(road_map)
        for case in range(cases):
            braking = draw(seed, case)
            setups = [
                Setup(
                    road_map=road_map, index=index, platform=platform, driver=driver,
                    trip=Trip(lane, _place(platform, cars, k), lane, ROAD_M - 20.0),
                    seed=seed + k, profile=profile, limit_s=1e9,
                )
                for k in range(1, cars + 1)
            ]  # fmt: skip

            def tell(share: float, number: int = case) -> None:
                if done is not None:
                    done((number + share) / cases, f"case {number + 1} of {cases}")

            speeds, hits = follow(braking, setups, lane, _place(platform, cars, 0), tell)
            rows.append(judge(braking, speeds) | {"case": case, "contacts": hits})
    worst = max(row["gain"] for row in rows)
    return {
        "schema": SCHEMA,
        "passed": worst <= BAR and not any(row["contacts"] for row in rows),
        "gain": worst,
        "worst_pair": max(row["worst_pair"] for row in rows),
        "bar": BAR,
        "seed": seed,
        "cars": cars,
        "driver": driver,
        "car": car,
        "sensors": sensors,
        "cases": rows,
        "wall_s": round(time.perf_counter() - began, 1),
    }


def _place(platform: Platform, cars: int, k: int) -> float:
    """Where the rear axle of car k of the queue is at first; 0 leads."""
    return FIRST_M + (cars - k) * (platform.length_m + QUEUE_M)


def judge(braking: Braking, speed_mps: FloatArray) -> dict[str, Any]:
    """One case from all speeds [cars + 1, T], the leader's first."""
    at = int(braking.brakes_s / PLAN_STEP_S)
    settled = speed_mps[:, at - 20 : at].mean(axis=1, keepdims=True)
    off = speed_mps[:, at:] - settled
    energy = np.sqrt((off**2).sum(axis=1) * PLAN_STEP_S)
    drop = np.maximum(-off.min(axis=1), NOISE_MPS)
    pairs = np.maximum(energy[1:] / energy[:-1], drop[1:] / drop[:-1])
    gain = max(float(energy[-1] / energy[0]), float(drop[-1] / drop[0]))
    return {
        "speed_mps": round(braking.speed_mps, 2),
        "brake_mps2": round(braking.brake_mps2, 2),
        "drop_mps": round(braking.drop_mps, 2),
        "gain": round(gain, 4),
        "worst_pair": round(float(pairs.max()), 4),
        "pairs": [round(float(each), 4) for each in pairs],
        "drops_mps": [round(float(each), 2) for each in drop],
    }


def follow(
    braking: Braking,
    setups: list[Setup],
    lane: int,
    leads_m: float,
    tell: Callable[[float], None],
) -> tuple[FloatArray, int]:
    """(speeds [cars + 1, T] with the leader's first, contacts)."""
    leader = braking.speeds()
    string = [_Member(setup) for setup in setups]
    length = setups[0].platform.length_m
    road_map, platform = setups[0].road_map, setups[0].platform
    out = np.zeros((len(string) + 1, len(leader)))
    at_m, hits = leads_m, 0
    for step, v in enumerate(leader.tolist()):
        x, y, heading = road_map.place(lane, at_m)
        before = 0.0 if step == 0 else float(leader[step - 1])
        accel = (v - before) / PLAN_STEP_S
        truths = [EgoTruth(x, y, heading, v, accel, 0.0, 0.0, 0.0)]
        truths += [each.car.truth() for each in string]
        out[:, step] = [each.speed_mps for each in truths]
        for k, each in enumerate(string, 1):
            world = _world(road_map, lane, truths, k, step, platform)
            hits += touches(world, platform)
            each.step(world)
        at_m += v * PLAN_STEP_S
        if step % 20 == 0:
            tell(step / len(leader))
        if at_m > ROAD_M - length - 60.0:
            raise MarqueError("the road of the string is too short for what its leader does")
    return out, hits


class _Member:
    """One car of the string: the machine, its senses and the body that it moves."""

    def __init__(self, setup: Setup) -> None:
        self.stack: StackMemory = begin_stack(setup)
        self.car = Car(setup)
        self.senses = begin_senses(
            setup.profile, setup.platform, setup.road_map, setup.seed, setup.fault
        )
        self.timing = Timing()

    def step(self, world: World) -> None:
        """100 ms."""
        self.senses.observe(world)
        self.stack, _ = frame(self.stack, self.car, world, self.senses, self.timing, None)


def _world(
    road_map: RoadMap,
    lane: int,
    truths: list[EgoTruth],
    k: int,
    step: int,
    platform: Platform,
) -> World:
    """The truth as car k is in it: all the others are road users."""
    others = [i for i in range(len(truths)) if i != k]
    n = len(others)
    ahead = platform.centre_m
    x = [truths[i].x_m + ahead * np.cos(truths[i].heading_rad) for i in others]
    y = [truths[i].y_m + ahead * np.sin(truths[i].heading_rad) for i in others]
    users = RoadUsers(
        uid=np.array(others, np.int64) + 1,
        kind=np.full(n, np.int8(UserKind.CAR)),
        x_m=np.array(x),
        y_m=np.array(y),
        heading_rad=np.array([truths[i].heading_rad for i in others]),
        speed_mps=np.array([truths[i].speed_mps for i in others]),
        accel_mps2=np.array([truths[i].accel_mps2 for i in others]),
        length_m=np.full(n, platform.length_m),
        width_m=np.full(n, platform.width_m),
        indicator=np.full(n, np.int8(Indicator.OFF)),
        lane=np.full(n, lane, np.int32),
    )
    heads = np.zeros(len(road_map.head_group), np.int8)
    return World(step * PLAN_STEP_NS, truths[k], users, heads)
