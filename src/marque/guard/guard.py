"""The guard: a second channel between the driver and the car.

It takes what the sensors deliver, the plan in force and the command, and passes the command,
limits it, brakes, or stops the car on the last verified fall-back with its own tracker. Laws:

1. It never asks for more acceleration than the command (as far as the car can brake).
2. It never leaves the corridor of the verified fall-back.
3. It limits the rate of curvature and lowers speed, but never cuts curvature below what that
   path needs.
4. Braking, once begun, is held until the margin has been above 1.2 for 0.5 s.
5. A vehicle that was no threat in the last delivery is warned of at once, and braked for when the
   next one confirms it (0.1 s later); newcomers and slow road users are braked for at once.
6. Who comes into our lane from beside is judged by a rule of its own (`cut_in`), which is not
   latched: braking that is held could put us where it goes.
7. A fall-back that runs into somebody is none (`proof`), and a command that leaves the corridor of
   the plan is not passed (`corridor`): the last verified fall-back is tracked instead.
8. A car that does not brake or steer as it is asked (`response`) is brought to rest for good.
9. No stop line is crossed at red, and no ground entered before those who go first (`interlock`).

Order of work: freshness, envelope or fall-back, distance (RSS), who cuts in, emergency brake,
latch, interlock; the strongest braking wins. Types and core alone; no code of the stack.
"""

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import BASE_STEP_S, NS_PER_S
from marque.guard import (
    clauses,
    corridor,
    envelope,
    fallback,
    freshness,
    interlock,
    manoeuvre,
    proof,
    response,
    watch,
)
from marque.guard import path as paths
from marque.types.command import Command
from marque.types.plan import Plan
from marque.types.platform import Platform
from marque.types.reading import Reading
from marque.types.takeover import DRIVES, Order
from marque.types.verdict import Action, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class GuardMemory:
    """What the guard keeps from call to call."""

    stamps: freshness.Stamps = field(default_factory=freshness.Stamps)
    offered: Plan | None = None  # the newest plan looked at,
    offer_fault: str = "no_plan"  # and why it was not adopted
    plan: Plan | None = None  # the last adopted
    path: FloatArray | None = None  # corridor of its trajectory
    escape: FloatArray | None = None  # corridor of its fall-back
    accel_mps2: float = 0.0  # last asked
    curvature_1pm: float = math.nan  # last asked, nan before the first
    eyes: watch.Eyes = field(default_factory=watch.Eyes)  # the last detections
    warned_ns: int = -1  # the delivery in which a threat was first seen, -1 while there is none
    asked: FloatArray = field(default_factory=watch.nothing_asked)  # and when
    latched: int = 0  # the rule whose braking is held, of watch.RULES; 0: none
    clear_ns: int = -1  # since when the margin is above CLEAR_MARGIN, -1 if it is not
    astray_ns: int = -1  # when a command last left the corridor, -1: never
    answer: response.Answer = field(default_factory=response.Answer)  # what the car does of it
    lock: interlock.Lock = field(default_factory=interlock.Lock)


def guard(
    memory: GuardMemory,
    reading: Reading,
    plan: Plan | None,
    command: Command,
    platform: Platform,
    order: Order = DRIVES,
) -> tuple[GuardMemory, Verdict]:
    """The verdict on a command, each 20 ms. `plan`: the one in force, None if there is none;
    `order`: of the automaton."""
    eyes = freshness.objects_fault(memory.stamps, reading)
    lost = freshness.ego_fault(memory.stamps, reading)
    stopping = manoeuvre.taken_over(order)
    if not (lost or stopping):
        memory = _adopt(memory, reading, plan, platform, not eyes)
    fault = lost or freshness.command_fault(reading, command) or eyes
    fault = fault or ("manoeuvre" if stopping else _plan_fault(memory, reading, plan))
    margin = 0.0
    if not order.drives:  # a person steers: what was asked is nothing that the car should do
        was = memory.answer
        memory = replace(memory, answer=response.Answer(share=was.share, fault=was.fault))
    elif not lost:
        memory = _answered(memory, reading, platform)
        fault = response.FAULTS[memory.answer.fault] or fault
    if not fault and (now := _aside(memory, reading, command, platform)):
        fault, margin, memory = now
    if fault:
        action, rule = Action.FALLBACK, fault
        path = memory.escape
        cap = min(platform.max_brake_mps2, order.brake_cap_mps2)
        accel, curvature = _stop(memory, reading, command, platform, bool(lost), cap)
    else:
        path = memory.path
        accel, curvature, rule, margin = _envelope(memory, reading, command, platform)
        action = Action.LIMIT if rule else Action.PASS
    threat = _Threat(seen=memory.eyes)
    if not (lost or eyes):
        threat = _look(memory, reading, path, (accel, curvature), platform)
    braking, rule_of, latched, clear_ns = watch.settle(
        threat.braking_mps2,
        threat.rule,
        threat.margin,
        memory.latched,
        memory.clear_ns,
        reading.t_ns,
        memory.accel_mps2,
        reading.ego.speed_mps,
        platform.brake.dead_s + platform.brake.lag_s,
    )
    brake_rule = watch.RULES[rule_of]
    if brake_rule and -braking < accel:
        accel = -braking
        action = Action.FALLBACK if fault else Action.BRAKE
        rule, margin = brake_rule, threat.margin
    lock, ruling = memory.lock, interlock.Ruling()
    if order.drives and not lost:
        lock, ruling = _interlocked(memory, reading, path, (accel, curvature), platform, not eyes)
    if ruling.rule and -ruling.braking_mps2 < accel:
        accel = -ruling.braking_mps2
        action = Action.FALLBACK if fault else Action.BRAKE
        rule, margin = interlock.RULES[ruling.rule], ruling.margin
    still = manoeuvre.held(order, reading.ego.speed_mps, accel)
    if still < accel:
        accel, action = still, max(action, Action.LIMIT)
        rule, margin = rule or "standstill", margin if rule else 0.0
    shown = manoeuvre.lights(order, command)
    asked = command if shown == command.indicator else replace(command, indicator=shown)
    if action != Action.PASS or accel > command.accel_mps2:  # more than the car can brake
        asked = Command(reading.t_ns, accel, curvature, shown)
    seen_now = (threat.seen, threat.warned_ns)
    memory = replace(memory, lock=lock)
    return _remember(memory, reading, accel, curvature, seen_now, latched, clear_ns), Verdict(
        reading.t_ns,
        action,
        asked,
        rule,
        margin,
        threat.warn or action >= Action.BRAKE,
        clauses.CLAUSES[rule],
        lock.note,
    )


class _Threat(NamedTuple):
    """What the others ask for, and what was noted of them."""

    seen: watch.Eyes
    braking_mps2: float = 0.0
    rule: int = 0  # of watch.RULES
    margin: float = watch.FAR
    warn: bool = False
    warned_ns: int = -1


def _look(
    memory: GuardMemory,
    reading: Reading,
    path: FloatArray | None,
    asked: tuple[float, float],
    platform: Platform,
) -> _Threat:
    """Distance, who cuts in and emergency brake, of the detections; `asked`: acceleration and
    curvature so far. A car with weak brakes is reckoned with as it is, and asked for more."""
    accel, curvature = asked
    found = reading.detections
    seen = watch.look_again(memory.eyes, found, reading.road_ahead)
    if seen is not memory.eyes:
        seen = watch.take_notes(seen, path, reading, curvature, platform)
    sure = bool(memory.latched) or 0 <= memory.warned_ns < found.t_ns
    share = memory.answer.share
    left = platform.max_brake_mps2
    car = platform if share == 1.0 else replace(platform, max_brake_mps2=share * left)
    braking, rule, margin, warn = watch.look(
        path, reading, memory.asked, accel, curvature, car, seen, sure
    )
    since_ns = memory.warned_ns if memory.warned_ns >= 0 else found.t_ns
    return _Threat(seen, min(braking / share, left), rule, margin, warn, since_ns if warn else -1)


def _interlocked(
    memory: GuardMemory,
    reading: Reading,
    path: FloatArray | None,
    asked: tuple[float, float],
    platform: Platform,
    sees: bool,
) -> tuple[interlock.Lock, interlock.Ruling]:
    """What the road ahead asks for; `asked`: acceleration and curvature so far; `sees`: the
    detections may be used."""
    ego = reading.ego
    way = watch.ego_path(path, ego.x_m, ego.y_m, ego.heading_rad, asked[1])
    road = reading.road_ahead
    asks = sees and road is not None and len(road.zone_entry) > 0
    others = watch.now_at(reading.detections, reading.t_ns) if asks else watch.NOBODY
    accels = (memory.accel_mps2, asked[0])
    lock, found = interlock.look(
        memory.lock, road, way, ego, accels, others, platform, reading.t_ns
    )
    late_s = platform.brake.dead_s + platform.brake.lag_s
    eased = envelope.eased(found.braking_mps2, ego.speed_mps, memory.accel_mps2, late_s)
    return lock, found._replace(braking_mps2=eased)


def _answered(memory: GuardMemory, reading: Reading, platform: Platform) -> GuardMemory:
    """What the car makes of what it was asked."""
    step_s = _step_s(memory, reading)
    return replace(
        memory,
        answer=response.look(memory.answer, reading.ego, reading.t_ns, step_s, platform),
    )


def _aside(
    memory: GuardMemory, reading: Reading, command: Command, platform: Platform
) -> tuple[str, float, GuardMemory] | None:
    """(rule, margin, memory) where the command leaves the corridor, or has done so just now."""
    if memory.path is None:
        return None
    ego, steer = reading.ego, platform.steer
    now, worst = corridor.aside(
        memory.path,
        (ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps),
        _last_curvature(memory, reading, platform),
        command.curvature_1pm,
        steer.dead_s + steer.lag_s,
        steer.rate / platform.wheelbase_m,
    )
    if corridor.leaves(now, worst):
        memory = replace(memory, astray_ns=reading.t_ns)
    elif memory.astray_ns < 0 or reading.t_ns - memory.astray_ns > corridor.CALM_S * NS_PER_S:
        return None
    return "corridor", corridor.WIDE_M / max(corridor.WIDE_M, worst), memory


def _adopt(
    memory: GuardMemory, reading: Reading, plan: Plan | None, platform: Platform, sees: bool
) -> GuardMemory:
    """Look at a plan once; one that passes brings the corridors of the next 100 ms. `sees`: the
    detections may be used."""
    if plan is None or plan is memory.offered:
        return memory
    fault = freshness.offer_fault(reading.t_ns, memory.plan, plan, reading.ego, platform)
    if not fault and sees and memory.escape is not None and memory.path is not None:
        ways = (memory.escape, memory.path)
        fault = _proof_fault(ways, memory.eyes, reading, plan, platform)
    if fault:
        return replace(memory, offered=plan, offer_fault=fault)
    return replace(
        memory,
        offered=plan,
        offer_fault="",
        plan=plan,
        path=paths.corridor(plan.trajectory),
        escape=paths.corridor(plan.fallback),
    )


def _proof_fault(
    ways: tuple[FloatArray, FloatArray],
    eyes: watch.Eyes,
    reading: Reading,
    plan: Plan,
    platform: Platform,
) -> str:
    """Why a fall-back proves nothing, "" if it is one, or no worse than the last; `ways`: of the
    last one, and of its plan."""
    escape, road = ways
    found, ego = reading.detections, reading.ego
    yaw_rate = watch.look_again(eyes, found).yaw_rate_radps
    objects = watch.now_at(found, reading.t_ns, yaw_rate)
    shape = (platform.centre_m, platform.length_m, platform.width_m)
    if not proof.hits(plan.fallback, road, objects, shape):
        return ""
    late_s = platform.brake.dead_s + platform.brake.lag_s
    here = (ego.x_m, ego.y_m, ego.speed_mps)
    clear = proof.still_clear(escape, here, late_s, road, objects, shape)
    return "fallback_hits" if clear else ""


def _plan_fault(memory: GuardMemory, reading: Reading, plan: Plan | None) -> str:
    """A plan in force that was not adopted is as bad as none; a missing one may be young."""
    if plan is not None and memory.offer_fault:
        return memory.offer_fault
    began_ns = memory.stamps.began_ns
    return freshness.plan_fault(
        reading.t_ns, memory.plan, reading.t_ns if began_ns < 0 else began_ns
    )


def _remember(
    memory: GuardMemory,
    reading: Reading,
    accel: float,
    curvature: float,
    seen: tuple[watch.Eyes, int],
    latched: int,
    clear_ns: int,
) -> GuardMemory:
    asked = np.concatenate((memory.asked[1:], [[reading.t_ns / NS_PER_S, accel]]))
    return GuardMemory(
        freshness.seen(memory.stamps, reading),
        memory.offered,
        memory.offer_fault,
        memory.plan,
        memory.path,
        memory.escape,
        accel,
        curvature,
        *seen,
        asked,
        latched,
        clear_ns,
        memory.astray_ns,
        response.asked(memory.answer, reading.t_ns, accel, curvature),
        memory.lock,
    )


def _last_curvature(memory: GuardMemory, reading: Reading, platform: Platform) -> float:
    """What was asked last; before the first verdict, what the wheel does now."""
    if math.isfinite(memory.curvature_1pm):
        return memory.curvature_1pm
    now = math.tan(reading.ego.steer_rad) / platform.wheelbase_m
    return now if math.isfinite(now) else 0.0


def _step_s(memory: GuardMemory, reading: Reading) -> float:
    if memory.stamps.reading_ns < 0:
        return BASE_STEP_S
    since = (reading.t_ns - memory.stamps.reading_ns) / NS_PER_S
    return min(5.0 * BASE_STEP_S, max(0.0, since))


def _need(path: FloatArray | None, reading: Reading) -> tuple[float, float]:
    """Least and greatest curvature that a corridor needs from here on; without one, none."""
    ego = reading.ego
    return (0.0, 0.0) if path is None else paths.need(path, ego.x_m, ego.y_m, ego.speed_mps)


def _envelope(
    memory: GuardMemory, reading: Reading, command: Command, platform: Platform
) -> tuple[float, float, str, float]:
    """(acceleration, curvature, rule, margin) of the command within the envelope."""
    accel, curvature, rule, margin = envelope.limit(
        command.accel_mps2,
        command.curvature_1pm,
        _last_curvature(memory, reading, platform),
        reading.ego.speed_mps,
        _step_s(memory, reading),
        _need(memory.path, reading),
        (platform.steer.rate, platform.wheelbase_m),
        (platform.max_brake_mps2, platform.max_speed_mps),
    )
    return accel, curvature, envelope.RULES[rule], margin


def _stop(
    memory: GuardMemory,
    reading: Reading,
    command: Command,
    platform: Platform,
    lost: bool,
    cap_mps2: float,
) -> tuple[float, float]:
    """(acceleration, curvature) of the stop, braking with no more than the cap; never more than a
    command that is a number."""
    held = _last_curvature(memory, reading, platform)
    escape = None if lost else memory.escape
    accel, curvature = fallback.stop(escape, reading.ego, fallback.numbers(platform))
    if escape is None:
        curvature = held
    else:
        _, curvature, _, _ = envelope.limit(
            accel,
            curvature,
            held,
            reading.ego.speed_mps,
            _step_s(memory, reading),
            _need(escape, reading),
            (platform.steer.rate, platform.wheelbase_m),
            (platform.max_brake_mps2, platform.max_speed_mps),
            corridor.TRACK_MPS3,
        )
    accel = max(accel, -cap_mps2)
    if math.isfinite(command.accel_mps2):
        accel = min(accel, command.accel_mps2)
    return max(accel, -platform.max_brake_mps2), curvature
