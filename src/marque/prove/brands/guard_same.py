"""Whether a brand reaches the guard: one stream of readings, plans and commands, asked anew.

The guard is the one that a drive of the brand begins with. The stream is seeded: another car that
wanders before us and beside us, commands that are harmless and commands that are not.
"""

import hashlib
import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import BASE_STEP_NS, NS_PER_S, PLAN_STEP_NS
from marque.guard.guard import guard
from marque.sim.drive import Setup, begin_stack
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.command import Command
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.reading import Detections, EgoReading, Reading, SignalReading

CALLS, SEED = 1500, 2026
STOP_MPS2 = 2.5


def guard_digest(setup: Setup) -> str:
    """Digest of all verdicts on the stream; the same for all brands of a car, or they reach it."""
    stack = begin_stack(setup)
    memory, platform = stack.guard, stack.platform
    draw = np.random.default_rng(SEED)
    digest = hashlib.sha256()
    speed, x, gap, aside = 15.0, 0.0, 30.0, 3.5
    plan = None
    for k in range(CALLS):
        t_ns = k * BASE_STEP_NS
        if t_ns % PLAN_STEP_NS == 0:
            plan = _plan(t_ns, x, speed)
            gap += float(draw.normal(0.0, 0.8))
            aside += float(draw.normal(0.0, 0.15))
        reading = _reading(t_ns, x, speed, max(1.0, gap), aside)
        wanted = float(draw.normal(0.0, 1.5)), float(draw.normal(0.0, 0.004))
        command = Command(t_ns, *wanted, Indicator.OFF)
        memory, verdict = guard(memory, reading, plan, command, platform)
        asked = verdict.command
        told = (int(verdict.action), verdict.rule, asked.accel_mps2, asked.curvature_1pm,
                verdict.margin)  # fmt: skip
        digest.update(repr(told).encode())
        speed = max(0.0, speed + asked.accel_mps2 * BASE_STEP_NS / NS_PER_S)
        speed = speed if speed > 1.0 else 15.0
        x += speed * BASE_STEP_NS / NS_PER_S
    return digest.hexdigest()


def _reading(t_ns: int, x: float, speed: float, gap: float, aside: float) -> Reading:
    def one(value: float) -> FloatArray:
        return np.array([value])

    ego = EgoReading(t_ns, x, 0.0, 0.0, speed, 0.0, 0.0, 0.0)
    found = Detections(
        t_ns, np.array([1]), np.array([UserKind.CAR], np.int8), one(x + gap), one(aside), one(0.0),
        one(0.8 * speed), one(0.0), one(4.5), one(1.9), np.array([Indicator.OFF], np.int8),
    )  # fmt: skip
    return Reading(t_ns, ego, found, SignalReading(t_ns, np.zeros(0, np.int8)))


def _plan(t_ns: int, x: float, speed: float) -> Plan:
    t: FloatArray = np.arange(STEPS, dtype=np.float64) * STEP_S
    stops_s = speed / STOP_MPS2
    braked: FloatArray = np.clip(t, 0.0, stops_s)
    falls: FloatArray = speed - STOP_MPS2 * braked
    way: FloatArray = speed * braked - 0.5 * STOP_MPS2 * braked**2
    return Plan(
        t_ns - PLAN_STEP_NS, t_ns, _straight(x, speed * t, np.full(STEPS, speed), 0.0 * t),
        _straight(
            x, way, falls,
            np.where(t < stops_s, -STOP_MPS2, 0.0),
        ),
        t_ns + 2 * PLAN_STEP_NS, "keep", Reason.NONE, -1, Indicator.OFF, (("contact_s", math.inf),),
    )  # fmt: skip


def _straight(x: float, s: FloatArray, speed: FloatArray, accel: FloatArray) -> Trajectory:
    flat: FloatArray = np.zeros(STEPS)
    return Trajectory(x + s, flat, flat, flat, s, speed, accel)
