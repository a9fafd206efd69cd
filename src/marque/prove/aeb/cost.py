"""What a call of the guard costs among many road users: CPU time of the thread."""

import gc
import time
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import BASE_STEP_NS, PLAN_STEP_NS
from marque.guard.assist import AssistMemory, assist
from marque.guard.guard import GuardMemory, guard
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.command import Command
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.platform import Platform
from marque.types.reading import Detections, EgoReading, Reading, SignalReading

USERS, CALLS, WARM = 64, 3000, 50
SPEED_MPS = 12.0


def guard_ms(platform: Platform, seed: int = 1, calls: int = 0) -> dict[str, Any]:
    """Percentiles in milliseconds per call, with a plan and with a person at the wheel. 64 road
    users of all kinds drive and walk about within 80 m, new ones each 100 ms as half of them are,
    so that some are braked for."""
    calls = calls or CALLS
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, USERS])))
    readings = [_reading(step, random) for step in range((calls + WARM) // 5 + 1)]
    with_plan, alone = GuardMemory(), AssistMemory()
    plan = _straight(0)
    taken: list[tuple[int, int]] = []
    gc.collect()
    gc.disable()
    try:
        for call in range(calls + WARM):
            t_ns = call * BASE_STEP_NS
            reading = _now(readings[call // 5], t_ns)
            if call % 5 == 0:
                plan = _straight(t_ns)
            command = Command(t_ns, 0.0, 0.0, Indicator.OFF)
            a = time.thread_time_ns()
            with_plan, _ = guard(with_plan, reading, plan, command, platform)
            b = time.thread_time_ns()
            alone, _ = assist(alone, reading, command, platform)
            taken.append((b - a, time.thread_time_ns() - b))
    finally:
        gc.enable()
    ms = np.array(taken[WARM:]) / 1e6
    return {
        "users": USERS,
        "calls": calls,
        "with_plan": _percentiles(ms[:, 0]),
        "person": _percentiles(ms[:, 1]),
    }


def _percentiles(ms: FloatArray) -> dict[str, float]:
    marks = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9}
    return {name: round(float(np.percentile(ms, mark)), 3) for name, mark in marks.items()}


def _reading(step: int, random: np.random.Generator) -> Reading:
    kinds = random.choice([int(UserKind.CAR), int(UserKind.PEDESTRIAN), int(UserKind.BICYCLE)], 64)
    small = kinds != int(UserKind.CAR)
    t_ns = step * PLAN_STEP_NS
    uid = np.arange(USERS)
    uid[USERS // 2 :] += step * USERS  # newcomers
    found = Detections(
        t_ns=t_ns,
        uid=uid,
        kind=kinds.astype(np.int8),
        x_m=random.uniform(-30.0, 80.0, USERS),
        y_m=random.uniform(-30.0, 30.0, USERS),
        heading_rad=random.uniform(-np.pi, np.pi, USERS),
        speed_mps=np.where(small, 0.2, 1.0) * random.uniform(0.0, 14.0, USERS),
        accel_mps2=random.uniform(-4.0, 2.0, USERS),
        length_m=np.where(small, 1.2, 4.5),
        width_m=np.where(small, 0.6, 1.8),
        indicator=np.full(USERS, int(Indicator.OFF), np.int8),
    )
    ego = EgoReading(t_ns, 0.0, 0.0, 0.0, SPEED_MPS, 0.0, 0.0, 0.0)
    return Reading(t_ns, ego, found, SignalReading(t_ns, np.zeros(0, np.int8)))


def _now(seen: Reading, t_ns: int) -> Reading:
    ego = EgoReading(t_ns, 0.0, 0.0, 0.0, SPEED_MPS, 0.0, 0.0, 0.0)
    return Reading(t_ns, ego, seen.detections, seen.signals)


def _straight(t_ns: int) -> Plan:
    """On at our speed, with a stop as the fall-back."""
    t = np.linspace(0.0, STEP_S * (STEPS - 1), STEPS)
    hard = 4.0
    stops = np.minimum(t, SPEED_MPS / hard)

    def line(s: FloatArray, speed: FloatArray, accel: FloatArray) -> Trajectory:
        nothing = np.zeros(STEPS)
        return Trajectory(s, nothing, nothing.copy(), nothing.copy(), s.copy(), speed, accel)

    return Plan(
        made_ns=t_ns - PLAN_STEP_NS,
        t_ns=t_ns,
        trajectory=line(SPEED_MPS * t, np.full(STEPS, SPEED_MPS), np.zeros(STEPS)),
        fallback=line(
            SPEED_MPS * stops - 0.5 * hard * stops * stops,
            SPEED_MPS - hard * stops,
            np.where(t < SPEED_MPS / hard, -hard, 0.0),
        ),
        valid_until_ns=t_ns + 5 * PLAN_STEP_NS,
        manoeuvre="keep",
        reason=Reason.NONE,
        reason_uid=-1,
        indicator=Indicator.OFF,
        margins=(),
    )
