"""A small stage for drivers: real perception and prediction, a car that follows its plan exactly.

No dynamics, no controller, no guard, no simulator: what happens here the driver alone decided.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from episodes import SIZES
from marque.core.geometry import boxes_overlap
from marque.core.time import PLAN_STEP_NS
from marque.guard.freshness import STAND_MPS
from marque.kernels.tables import map_tables
from marque.maps.lookup import LaneIndex
from marque.sensing.occlusion import HIDES, TALL, visible_shares
from marque.stack.perception.direct import PerceptionMemory, perceive
from marque.stack.perception.unseen import begin_unseen, watch_unseen
from marque.stack.perception.view import Eyes
from marque.stack.planning.contract import Driver
from marque.stack.prediction.lanes import predict
from marque.types.codes import Indicator, SignalState, UserKind
from marque.types.mission import Mission
from marque.types.plan import Plan
from marque.types.reading import Detections, EgoReading, Reading, SignalReading
from marque.types.road_map import RoadMap
from marque.types.takeover import DRIVES, Order
from marque.vehicle.catalog import load_platform

CAR = load_platform("saloon_ev")
Motion = Callable[[float], tuple[float, float, float, float] | None]  # t -> x, y, heading, speed


@dataclass
class Actor:
    """Another road user whose motion is given; None: not there (any more)."""

    motion: Motion
    kind: UserKind = UserKind.CAR
    indicator: Indicator = Indicator.OFF


def standing(x: float, y: float, heading: float = 0.0) -> Motion:
    return lambda t: (x, y, heading, 0.0)


def steady(x: float, y: float, heading: float, speed: float, from_s: float = 0.0) -> Motion:
    """Straight on at a steady speed; stands before `from_s`."""

    def motion(t: float) -> tuple[float, float, float, float]:
        way = speed * max(0.0, t - from_s)
        now = speed if t >= from_s else 0.0
        return x + way * math.cos(heading), y + way * math.sin(heading), heading, now

    return motion


@dataclass
class Frame:
    """What was so at one instant, and what the driver then planned. `box`: middle of our body."""

    t_s: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    front_m: tuple[float, float]
    plan: Plan
    touching: list[int]


@dataclass
class Stage:
    """A road, a mission, others, signals (by time), and a driver."""

    road_map: RoadMap
    driver: Driver
    goal: tuple[int, float]
    start: tuple[int, float]
    speed_mps: float = 0.0
    actors: Sequence[Actor] = ()
    signals: Callable[[float], Sequence[int]] = lambda t: ()
    order: Callable[[float], Order] = lambda t: DRIVES  # of who watches over us
    eyes: Eyes | None = None  # with them, who is hidden is not seen, and may be anywhere hidden
    frames: list[Frame] = field(default_factory=list)
    memory: Any = None

    def play(self, seconds: float) -> list[Frame]:
        """Drive for so long; every plan is checked on the way."""
        mission = Mission(self.road_map, CAR, self.goal[0], self.goal[1], 0)
        self.memory = self.driver.start(mission)
        tables = map_tables(self.road_map)
        seen = PerceptionMemory(self.road_map, LaneIndex(self.road_map))
        hidden = begin_unseen(self.road_map, self.eyes) if self.eyes is not None else None
        x, y, heading = _place(self.road_map, *self.start)
        v, a = self.speed_mps, 0.0
        for step in range(round(seconds * 10)):
            t = step * 0.1
            ego = EgoReading(step * PLAN_STEP_NS, x, y, heading, v, a, 0.0, 0.0)
            seen, scene = perceive(seen, _reading(self, ego, t))
            if hidden is not None:
                hidden = watch_unseen(hidden, ego, scene.tracks, frozenset(), scene.t_ns)
                scene = replace(scene, unseen=hidden.unseen)
            scene = replace(scene, order=self.order(t))
            self.memory, plan = self.driver.drive(self.memory, scene, predict(tables, scene))
            assert_sound(plan, scene.t_ns)
            front = (x + CAR.front_m * math.cos(heading), y + CAR.front_m * math.sin(heading))
            touching = _touching(self.actors, t, x, y, heading)
            self.frames.append(Frame(t, x, y, heading, v, a, front, plan, touching))
            ahead = plan.trajectory
            x, y, heading = float(ahead.x_m[0]), float(ahead.y_m[0]), float(ahead.heading_rad[0])
            v, a = float(ahead.speed_mps[0]), float(ahead.accel_mps2[0])
        return self.frames


def assert_sound(plan: Plan, now_ns: int) -> None:
    """What every plan of every driver has to be."""
    assert plan.made_ns == now_ns
    assert plan.t_ns == now_ns + PLAN_STEP_NS
    assert plan.valid_until_ns > plan.t_ns
    for line in (plan.trajectory, plan.fallback):
        for name in line.__dataclass_fields__:
            values = getattr(line, name)
            assert values.shape == (81,), name
            assert np.isfinite(values).all(), name
        assert (np.diff(line.s_m) >= -1e-9).all()
        assert (line.speed_mps >= 0.0).all()
        assert line.s_m[0] == 0.0
        # positions, speed and travelled way tell the same story
        moved = np.hypot(np.diff(line.x_m), np.diff(line.y_m))
        assert np.allclose(moved, np.diff(line.s_m), atol=0.06)
        middle = 0.05 * (line.speed_mps[1:] + line.speed_mps[:-1])
        assert np.allclose(middle, np.diff(line.s_m), atol=1e-6)
    assert plan.fallback.speed_mps[-1] < STAND_MPS
    same = ("x_m", "y_m", "speed_mps")
    assert all(getattr(plan.trajectory, n)[0] == getattr(plan.fallback, n)[0] for n in same)


def _place(road_map: RoadMap, lane: int, s_m: float) -> tuple[float, float, float]:
    s, xy = road_map.arc(lane), road_map.points(lane)
    heading = road_map.pt_heading_rad[road_map.pt_off[lane] : road_map.pt_off[lane + 1]]
    return (
        float(np.interp(s_m, s, xy[:, 0])),
        float(np.interp(s_m, s, xy[:, 1])),
        float(np.interp(s_m, s, np.unwrap(heading))),
    )


def _reading(stage: Stage, ego: EgoReading, t: float) -> Reading:
    there = [(i, one, one.motion(t)) for i, one in enumerate(stage.actors)]
    rows = [(i, one, state) for i, one, state in there if state is not None]
    sizes = [SIZES[one.kind] for _, one, _ in rows]
    column = [np.array([state[c] for _, _, state in rows], dtype=float) for c in range(4)]
    heads = np.full(len(stage.road_map.head_group), int(SignalState.UNKNOWN), np.int8)
    given = stage.signals(t)
    heads[: len(given)] = given
    if stage.eyes is not None:
        rows, sizes, column = _in_sight(stage.eyes, ego, rows, sizes, column)
    found = Detections(
        t_ns=ego.t_ns,
        uid=np.array([i for i, _, _ in rows], np.int64),
        kind=np.array([one.kind for _, one, _ in rows], np.int8),
        x_m=column[0],
        y_m=column[1],
        heading_rad=column[2],
        speed_mps=column[3],
        accel_mps2=np.zeros(len(rows)),
        length_m=np.array([size[0] for size in sizes], dtype=float),
        width_m=np.array([size[1] for size in sizes], dtype=float),
        indicator=np.array([one.indicator for _, one, _ in rows], np.int8),
    )
    return Reading(ego.t_ns, ego, found, SignalReading(ego.t_ns, heads))


def _in_sight(eyes: Eyes, ego: EgoReading, rows: list, sizes: list, column: list) -> tuple:
    """Those of whom the first eye sees anything."""
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    mx, my = eyes.mount[0, :2]
    eye = ego.x_m + c * mx - s * my, ego.y_m + s * mx + c * my
    size = np.array(sizes, dtype=float).reshape(-1, 2)
    box = np.column_stack((column[0], column[1], np.cos(column[2]), np.sin(column[2]), 0.5 * size))
    kind = np.array([one.kind for _, one, _ in rows], dtype=np.int64)
    share, _ = visible_shares(*eye, box, HIDES[kind], TALL[kind], np.ones(len(rows), bool), 16)
    seen = np.flatnonzero(share > 0.1)
    return (
        [rows[i] for i in seen], [sizes[i] for i in seen], [each[seen] for each in column]
    )  # fmt: skip


def _touching(actors: Sequence[Actor], t: float, x: float, y: float, heading: float) -> list[int]:
    cx, cy = x + CAR.centre_m * math.cos(heading), y + CAR.centre_m * math.sin(heading)
    found = []
    for i, one in enumerate(actors):
        state = one.motion(t)
        if state is None:
            continue
        long, wide = SIZES[one.kind]
        if boxes_overlap(cx, cy, heading, CAR.length_m, CAR.width_m, *state[:3], long, wide):
            found.append(i)
    return found
