"""A closed-form world for senses: a winding road of two lanes, we and others on it by formula."""

import math

import numpy as np

from builders import Lane, tiny_map
from marque.core.time import BASE_STEP_NS, PLAN_STEP_NS, seconds
from marque.maps.lookup import LaneIndex
from marque.sensing.profile import load_equipment
from marque.sim.senses import begin_fusing, begin_senses
from marque.stack.perception.fuse import fuse
from marque.types.codes import UserKind
from marque.types.road_map import NONE
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

CAR = load_platform("saloon_ev")
STANDARD = load_equipment("standard")
LANE_M, LONG_M = 3.4, 9000.0
SWAY_M, WAVE_1PM = 8.0, 2.0 * math.pi / 260.0
OURS = 0.0, -LANE_M, LANE_M  # ours, the one to the right, the oncoming one to the left
PACE, SWING, BEAT = 12.0, 4.0, 0.25  # speed: PACE + SWING sin(BEAT t), from standstill
SET_OFF_S, PULL_S = 1.0, 8.0


def middle(x, d=0.0):
    """(x, y, heading) `d` to the left of the road's axis at x."""
    y = SWAY_M * np.sin(WAVE_1PM * x)
    slope = SWAY_M * WAVE_1PM * np.cos(WAVE_1PM * x)
    heading = np.arctan(slope)
    return x - d * np.sin(heading), y + d * np.cos(heading), heading


def make_road():
    """Lane 0 to the right of ours, lane 1 ours, lane 2 oncoming."""
    x = np.arange(0.0, LONG_M, 5.0)
    lines = [np.column_stack(middle(x, d)[:2]) for d in (-LANE_M, 0.0, LANE_M)]
    return tiny_map(
        [
            Lane(lines[0].tolist(), edge="road", left=1, right=NONE, width=LANE_M),
            Lane(lines[1].tolist(), edge="road", left=NONE, right=0, width=LANE_M),
            Lane(lines[2][::-1].tolist(), edge="back", width=LANE_M),
        ],
        step_m=2.0,
    )


ROAD = make_road()
INDEX = LaneIndex(ROAD)


def pace(t):
    """Speed at t."""
    soft = np.clip((t - SET_OFF_S) / PULL_S, 0.0, 1.0)
    rise = soft * soft * (3.0 - 2.0 * soft)
    return rise * (PACE + SWING * math.sin(BEAT * (t - SET_OFF_S)))


class Run:
    """Our car's motion, integrated finely once and looked up."""

    def __init__(self, seconds_long: float) -> None:
        dt = BASE_STEP_NS / 1e9 / 4.0
        t = np.arange(0.0, seconds_long + 2.0, dt)
        v = np.array([pace(each) for each in t])
        slope = 0.0
        x = np.empty_like(t)
        at = 60.0
        for i in range(len(t)):
            x[i] = at
            slope = SWAY_M * WAVE_1PM * math.cos(WAVE_1PM * at)
            at += v[i] * dt / math.sqrt(1.0 + slope * slope)
        self.t, self.x, self.v = t, x, v

    def ego(self, t_ns: int) -> EgoTruth:
        """The truth of our own motion."""
        t = seconds(t_ns)
        x, v = float(np.interp(t, self.t, self.x)), float(np.interp(t, self.t, self.v))
        accel = (np.interp(t + 0.01, self.t, self.v) - np.interp(t - 0.01, self.t, self.v)) / 0.02
        px, py, heading = (float(each) for each in middle(np.float64(x)))
        slope = SWAY_M * WAVE_1PM * math.cos(WAVE_1PM * x)
        bend = -SWAY_M * WAVE_1PM**2 * math.sin(WAVE_1PM * x) / (1.0 + slope * slope) ** 1.5
        spin = bend * v
        flexed = CAR.wheelbase_m + CAR.understeer_rads2pm * v * v
        return EgoTruth(px, py, heading, v, float(accel), v * spin, spin, math.atan(bend * flexed))

    def world(self, t_ns: int) -> World:
        """Those ahead and behind at our pace, those beside a little slower, those who come."""
        ego, t = self.ego(t_ns), seconds(t_ns)
        x = float(np.interp(t, self.t, self.x))
        same = x + np.array([28.0, 62.0, -24.0])
        spaced = 36.0
        beside = x - 60.0 + (np.arange(6) * 30.0 - 0.15 * (x - 60.0)) % 180.0
        come = x - 70.0 + (np.arange(7) * spaced - (x - 60.0) - 11.0 * t) % (7 * spaced)
        xs = np.concatenate((same, beside, come))
        ds = np.concatenate((np.zeros(3), np.full(6, -LANE_M), np.full(7, LANE_M)))
        ux, uy, uh = middle(xs, ds)
        n, v = len(xs), ego.speed_mps
        speed = np.concatenate((np.full(3, v), np.full(6, 0.85 * v), np.full(7, 11.0)))
        turn = np.concatenate((np.zeros(9), np.full(7, math.pi)))
        kind = np.full(n, UserKind.CAR, dtype=np.int8)
        return World(
            t_ns, ego,
            RoadUsers(
                uid=self._names(xs, x, t), kind=kind, x_m=ux, y_m=uy, heading_rad=uh + turn,
                speed_mps=speed, accel_mps2=np.zeros(n), length_m=np.full(n, 4.6),
                width_m=np.full(n, 1.85), indicator=np.zeros(n, dtype=np.int8),
                lane=np.zeros(n, dtype=np.int32),
            ),
            np.zeros(len(ROAD.head_group), dtype=np.int8),
        )  # fmt: skip

    def _names(self, xs, x, t):
        return np.arange(len(xs)) + 1


def drive(seconds_long: float, seed: int = 1, fault=None, profile=STANDARD):
    """Yields (t_ns, memory of fusing, reading) for each delivery."""
    run = Run(seconds_long)
    senses = begin_senses(profile, CAR, ROAD, seed, fault)
    memory = begin_fusing((profile, CAR, ROAD, INDEX), run.ego(0), seed)
    for step in range(int(seconds_long * 50)):
        t_ns = step * BASE_STEP_NS
        if t_ns % PLAN_STEP_NS == 0:
            senses.observe(run.world(t_ns))
        memory, reading = fuse(memory, senses.receive(run.ego(t_ns), t_ns))
        yield t_ns, memory, reading
