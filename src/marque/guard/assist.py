"""While a person drives: nothing of what they do is limited, and only an emergency is braked for.

1. There is no plan. The path is the arc that the car drives now, backwards if it rolls backwards.
2. Distance (RSS) and cut-ins are the person's affair. The emergency brake (`aeb`) looks at all
   others: it warns, brakes partially, brakes fully.
3. It warns WARNS_S before it would begin to brake (draft value for UN R152, 5.2.1.1), or at once
   where there is less time. Such an early warning is no reason to brake.
4. A person may be about to steer: into a bend, round who stands, past who is slower. Who does not
   come into our path from aside (nor towards us) is braked for only if going straight on ends in
   contact as well as the arc does. And who could still be passed by steering with SWERVE_MPS2, only
   at the last moment, when all but LAST_MPS2 of the brake's force is needed; then fully.
5. Braking, once begun, is held as the guard's is, and so is law 5 of the guard.
6. Inputs that are stale, run backwards or are no numbers are not acted on: the person drives on and
   is told (the verdict names the fault).
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.guard import aeb, cut_in, freshness, watch
from marque.guard import path as paths
from marque.types.command import Command
from marque.types.platform import Platform
from marque.types.reading import EgoReading, Reading
from marque.types.verdict import Action, Verdict

ROLLS_MPS = 0.1  # slower says nothing about forwards or backwards
TURNS_MPS = 2.0  # from here on the yaw rate tells more of the arc than the wheel
WARNS_S = 0.8
SWERVE_MPS2, LAST_MPS2 = 3.0, 1.0
COMES_MPS = 0.5  # sideways; slower is not coming from aside
AHEAD_S = 2.5  # the arc driven now is expected to last that long


@dataclass(frozen=True, slots=True, eq=False)
class AssistMemory:
    """What is kept from call to call."""

    stamps: freshness.Stamps = field(default_factory=freshness.Stamps)
    eyes: watch.Eyes = field(default_factory=watch.Eyes)
    warned_ns: int = -1  # the delivery in which a threat was first seen, -1 while there is none
    braking_mps2: float = 0.0  # last asked
    latched: int = 0  # the rule whose braking is held, of watch.RULES; 0: none
    clear_ns: int = -1
    rear: bool = False  # it rolls backwards


def assist(
    memory: AssistMemory, reading: Reading, command: Command, platform: Platform
) -> tuple[AssistMemory, Verdict]:
    """The verdict on what a person's pedals and wheel ask for, each 20 ms. Acceleration counts
    along the car, so that braking of a car that rolls backwards is positive."""
    fault = freshness.ego_fault(memory.stamps, reading)
    fault = fault or freshness.objects_fault(memory.stamps, reading)
    fault = fault or freshness.command_fault(reading, command)
    stamps = freshness.seen(memory.stamps, reading)
    if fault:
        told = Verdict(reading.t_ns, Action.PASS, command, fault, 0.0, True)
        return AssistMemory(stamps, rear=memory.rear), told
    eyes = watch.look_again(memory.eyes, reading.detections)
    sure = bool(memory.latched) or 0 <= memory.warned_ns < reading.detections.t_ns
    rear = rolls_back(memory.rear, reading.ego.speed_mps)
    way = -1.0 if rear else 1.0
    ego = backwards(reading.ego) if rear else reading.ego
    braking, rule, margin, warn, early = _look(
        ego, way, way * command.accel_mps2, reading, eyes, sure, bool(memory.latched), platform
    )
    warned_ns = -1
    if warn:
        warned_ns = memory.warned_ns if memory.warned_ns >= 0 else reading.detections.t_ns
    braking, rule, latched, clear_ns = watch.settle(
        braking, rule, margin, memory.latched, memory.clear_ns, reading.t_ns,
        -memory.braking_mps2, ego.speed_mps, platform.brake.dead_s + platform.brake.lag_s,
    )  # fmt: skip
    action, asked = Action.PASS, command
    if rule and -braking < way * command.accel_mps2:
        action, asked = Action.BRAKE, replace(command, accel_mps2=-way * braking)
    braking = braking if action == Action.BRAKE else 0.0
    name = watch.RULES[rule] if action == Action.BRAKE else ""
    told = Verdict(reading.t_ns, action, asked, name, margin, early or action == Action.BRAKE)
    return AssistMemory(stamps, eyes, warned_ns, braking, latched, clear_ns, rear), told


def rolls_back(before: bool, speed_mps: float) -> bool:
    """Whether the car rolls backwards; at rest, as before."""
    return speed_mps < (ROLLS_MPS if before else -ROLLS_MPS)


def backwards(ego: EgoReading) -> EgoReading:
    """The same motion as that of a car which looks where it rolls."""
    return replace(
        ego,
        heading_rad=float(wrap_angle(ego.heading_rad + math.pi)),
        speed_mps=-ego.speed_mps,
        accel_mps2=-ego.accel_mps2,
        steer_rad=-ego.steer_rad,
    )


def curvature_of(ego: EgoReading, platform: Platform) -> float:
    """Of the arc that is driven now."""
    if ego.speed_mps >= TURNS_MPS:
        return ego.yaw_rate_radps / ego.speed_mps
    return math.tan(ego.steer_rad) / platform.wheelbase_m


def _look(
    ego: EgoReading,
    way: float,
    wanted: float,
    reading: Reading,
    eyes: watch.Eyes,
    sure: bool,
    held: bool,
    platform: Platform,
) -> tuple[float, int, float, bool, bool]:
    found = reading.detections
    waits = watch.unsure(found, eyes) if not sure else np.zeros(len(found.uid), np.bool_)
    fade_m = max(paths.FADE_M, AHEAD_S * ego.speed_mps)
    path = paths.arc(ego.x_m, ego.y_m, ego.heading_rad, curvature_of(ego, platform), fade_m)
    return judge(
        path,
        (ego.speed_mps, ego.accel_mps2, wanted),
        watch.now_at(found, reading.t_ns, eyes.yaw_rate_radps),
        waits,
        watch.numbers(platform),
        (way * platform.centre_m, platform.length_m, platform.width_m),
        held,
    )


@jit
def judge(
    path: FloatArray,
    motion: tuple[float, float, float],
    objects: FloatArray,
    waits: BoolArray,
    car: tuple[float, float, float, float, float],
    shape: tuple[float, float, float],
    held: bool,
) -> tuple[float, int, float, bool, bool]:
    """(braking, rule, margin, warning, early or other warning) of the emergency brake alone, from
    the path's beginning.

    motion: speed, acceleration now, asked now; waits [n], car and shape as for `watch.judge`;
    held: braking has begun, and is gone on with by need alone.
    """
    notes = np.zeros((len(objects), cut_in.NOTE))
    need, stage, warn = watch.emergency(
        path, (0.0, 0.0), motion, objects, notes, waits, (car[1], car[4]), shape
    )
    if stage >= aeb.PARTIAL:
        early = need < car[4] - LAST_MPS2 and not held
        leaves = waits | unclear(path, motion, objects, (car[1], car[4]), shape, early)
        need, stage, _ = watch.emergency(
            path, (0.0, 0.0), motion, objects, notes, leaves, (car[1], car[4]), shape
        )
    told = warn
    if not told:
        soon, _ = aeb.assess(path, 0.0, 0.0, motion, objects, car[1] + WARNS_S, car[4], shape)
        told = aeb.stage(soon) >= aeb.PARTIAL
    margin = watch.FAR if need <= 0.0 else min(watch.FAR, (aeb.CALM_MPS2 + 1.0) / need)
    if stage < aeb.PARTIAL:
        return 0.0, 0, margin, warn, told
    if stage == aeb.FULL:
        return car[4], watch.AEB_FULL, margin, True, True
    return aeb.PARTIAL_MPS2, watch.AEB_PARTIAL, margin, True, True


@jit
def unclear(
    path: FloatArray,
    motion: tuple[float, float, float],
    objects: FloatArray,
    car: tuple[float, float],
    shape: tuple[float, float, float],
    early: bool,
) -> BoolArray:
    """[n] who does not come from aside and is not in the way straight on; or, `early`, could still
    be passed by steering to one side. car: as for `watch.emergency`."""
    out = np.zeros(len(objects), np.bool_)
    bodies = np.empty((aeb.STEPS + 1, 4))
    ahead = np.empty((aeb.STEPS + 1, 4))
    speed, accel, asked = motion
    straight = paths.arc(path[0, paths.X], path[0, paths.Y], path[0, paths.HEADING], 0.0)
    ahead_s = car[0] + speed / (2.0 * aeb.CALM_MPS2) + aeb.LATE_S
    start = (0.0, 0.0, shape[0])
    count = aeb.drive_on(bodies, path, start, speed, accel, asked, car[0], ahead_s)
    aeb.drive_on(ahead, straight, start, speed, accel, asked, car[0], ahead_s)
    left = aeb.swing(bodies, count, SWERVE_MPS2)
    right = aeb.swing(bodies, count, -SWERVE_MPS2)
    for i in range(len(objects)):
        o = objects[i]
        _, _, heading = paths.place_on(path, o[paths.X], o[paths.Y])
        across = o[paths.VELOCITY] * math.sin(o[paths.HEADING] - heading)
        oncoming = o[paths.VELOCITY] * math.cos(o[paths.HEADING] - heading) < -COMES_MPS
        if oncoming or abs(across) > COMES_MPS:
            continue
        out[i] = aeb.contact(ahead, count, straight, 0.0, o, shape) < 0
        if early and not out[i]:
            out[i] = (
                aeb.contact(left, count, path, 0.0, o, shape) < 0
                or aeb.contact(right, count, path, 0.0, o, shape) < 0
            )
    return out
