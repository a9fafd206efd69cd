"""Lanes painted for tests: marks of a lane as a car on it would be shown them."""

import math

import numpy as np

from marque.core.time import PLAN_STEP_NS
from marque.stack.perception.own_lane import LaneMemory, begin_lane, watch_lane
from marque.types.codes import UserKind
from marque.types.reading import (
    Detections,
    EgoReading,
    LaneMarks,
    Reading,
    Sightings,
    SignalReading,
)
from marque.types.scene import Tracks
from marque.vehicle.catalog import load_platform

WIDTH_M, APART_M = 3.75, 3.0


class Road:
    """An endless lane of one bend. The car drives beside its middle, turned against it."""

    def __init__(
        self,
        bend_1pm: float = 0.0,
        offset_m: float = 0.0,
        turn_rad: float = 0.0,
        width_m: float = WIDTH_M,
        reach_m: float = 60.0,
    ) -> None:
        self.bend, self.offset, self.turn = bend_1pm, offset_m, turn_rad
        self.width, self.reach = width_m, reach_m

    def marks(self, t_ns: int, sides: str = "lr", lanes: int = 1, sigma_m: float = 0.0,
              draw: np.random.Generator | None = None) -> LaneMarks:  # fmt: skip
        """All pieces ahead, of `lanes` lanes to either side; `offset` is that of the middle from
        our axle and `turn` the direction of the lane against ours."""
        s = np.arange(3.0, self.reach, APART_M)
        xs, ys, hs, solid = [], [], [], []
        for row in range(-lanes, lanes):
            for side in sides:
                if lanes > 1 and side == "r" and row > -lanes:
                    continue  # the line between two lanes stands once
                d = (row + 0.5) * self.width if lanes > 1 else 0.0
                d += (0.5 if side == "l" else -0.5) * self.width
                x, y, h = self.place(s, d)
                xs.append(x), ys.append(y), hs.append(h)
                solid.append(np.full(len(s), side == "r"))
        x, y, h = np.concatenate(xs), np.concatenate(ys), np.concatenate(hs)
        if draw is not None:
            off = sigma_m * draw.standard_normal(len(x))
            x, y = x - off * np.sin(h), y + off * np.cos(h)
        return LaneMarks(t_ns, x, y, h, np.concatenate(solid))

    def place(self, s: np.ndarray, d: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places beside the middle, exact arcs, in the car's frame."""
        h = self.turn + self.bend * s
        if self.bend:
            x = (np.sin(h) - math.sin(self.turn)) / self.bend
            y = (math.cos(self.turn) - np.cos(h)) / self.bend
        else:
            x, y = s * math.cos(self.turn), s * math.sin(self.turn)
        x0, y0 = -self.offset * math.sin(self.turn), self.offset * math.cos(self.turn)
        return x0 + x - d * np.sin(h), y0 + y + d * np.cos(h), h


def nobody() -> Tracks:
    """No tracks."""
    return users()


def users(*rows: tuple[UserKind, float, float, float, float]) -> Tracks:
    """Tracks of (kind, x, y, heading, speed)."""
    n = len(rows)
    kind, x, y, h, v = (
        (np.array(c, dtype=float) for c in zip(*rows, strict=True)) if n else (np.zeros(0),) * 5
    )
    return Tracks(
        uid=np.arange(n), kind=kind.astype(np.int8), x_m=x, y_m=y, heading_rad=h, speed_mps=v,
        accel_mps2=np.zeros(n), length_m=np.full(n, 4.6), width_m=np.full(n, 1.85),
        indicator=np.zeros(n, np.int8), lane=np.full(n, -1, np.int32), s_m=np.zeros(n),
        d_m=np.zeros(n), still_s=np.zeros(n), age_s=np.zeros(n),
    )  # fmt: skip


def reading(
    t_ns: int,
    speed_mps: float = 0.0,
    yaw_radps: float = 0.0,
    marks: LaneMarks | None = None,
    sightings: Sightings | None = None,
) -> Reading:
    """What comes at `t_ns`; the car stands at the origin of the map, pointing east."""
    empty = np.zeros(0)
    none = np.zeros(0, np.int8)
    found = Detections(
        t_ns, np.zeros(0, np.int64), none, *(empty,) * 7, none
    )  # fmt: skip
    ego = EgoReading(t_ns, 0.0, 0.0, 0.0, speed_mps, 0.0, yaw_radps, 0.0)
    return Reading(t_ns, ego, found, SignalReading(t_ns, none), sightings, marks)


def watched(
    road: Road,
    frames: int,
    speed_mps: float = 25.0,
    memory: LaneMemory | None = None,
    **how: object,
) -> LaneMemory:
    """The belief after so many frames on a road; the car keeps its place on it."""
    memory = begin_lane(load_platform("saloon_ev")) if memory is None else memory
    yaw = speed_mps * road.bend / (1.0 + road.offset * road.bend)
    for _ in range(frames):
        t_ns = max(memory.t_ns, 0) + PLAN_STEP_NS
        memory = watch_lane(
            memory, reading(t_ns, speed_mps, yaw, road.marks(t_ns, **how)), nobody()
        )
    return memory


def unwatched(memory: LaneMemory, seconds: float, speed_mps: float = 25.0, yaw: float = 0.0
              ) -> LaneMemory:  # fmt: skip
    """The belief after a time without marks."""
    for _ in range(round(10.0 * seconds)):
        t_ns = memory.t_ns + PLAN_STEP_NS
        memory = watch_lane(memory, reading(t_ns, speed_mps, yaw), nobody())
    return memory
