"""Health: what is wrong with our senses, by what the stack itself can know, and what is done.

`watch(memory, delivery, around, located, ...) -> (memory, health)`, each 20 ms, before the delivery
is fused. Every finding is named, calls for a reaction by itself, and is held for a while after its
last evidence. All together:

1. The strongest reaction of any finding.
2. Camera and radar ahead both out: one kind of eye is left, so a stop at once.
3. Marks contradict the map and no fix says where we are: takeover.
4. A takeover that nobody has answered for as long as the market gives becomes a stop.
5. A stop in motion is for good: who was asked to take over has to say when we drive again.

What is known to be wrong is not fused any more (`trusted`).
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from marque.core.time import NS_PER_S, nanoseconds
from marque.maps.paint import Paint, match_marks
from marque.stack.perception import watch_lists, watch_motion
from marque.stack.perception.localise import Located
from marque.stack.perception.noise import SensorModel
from marque.stack.perception.watch_lists import Around, ListWatch, Note
from marque.stack.perception.watch_motion import WHEELS, MotionWatch
from marque.types.codes import Integrity, Reaction, SensorKind
from marque.types.health import FINE, Finding, Health
from marque.types.platform import Platform
from marque.types.reading import Bus, Delivery, LaneMarks, ObjectList
from marque.vehicle.market import load_market

HOLD_NS = NS_PER_S  # a finding is held for so long after its last evidence,
HOLD_LONG_NS = 10 * NS_PER_S  # or so long, where evidence comes only now and then
LONG = ("blind", "drift", "contradict the map", "turned", "looks elsewhere")
MOVES_MPS = 0.5
MARKS_LEAST, MARKS_SHARE, MARKS_TIMES = 10, 0.3, 5  # lists in a row that the map does not explain
OUT = ("silent", "frozen", "blind", "late", "not a number", "turned", "looks elsewhere")


@dataclass(frozen=True, slots=True)
class _Kept:
    reaction: Reaction
    since_ns: int
    last_ns: int


class HealthMemory(NamedTuple):
    """What is remembered of the senses."""

    platform: Platform
    sensors: tuple[SensorModel, ...]
    paint: Paint | None
    lists: tuple[ListWatch, ...]
    takeover_ns: int  # to take over in
    motion: MotionWatch = MotionWatch()
    marks: int = 0  # in the last list of them
    astray: int = 0  # lists of marks in a row that the map does not explain
    kept: tuple[tuple[tuple[str, str], _Kept], ...] = ()
    asked_ns: int = -1  # since when somebody is asked to take over
    latched: Reaction = Reaction.NONE
    health: Health = FINE


def begin_health(
    platform: Platform,
    sensors: tuple[SensorModel, ...],
    paint: Paint | None,
    hears: bool = True,
) -> HealthMemory:
    """Before the first delivery. `hears`: satellites are listened to."""
    lists = tuple(watch_lists.begun(each) for each in sensors)
    takeover_ns = nanoseconds(load_market().manoeuvre_s)
    return HealthMemory(platform, sensors, paint, lists, takeover_ns, MotionWatch(hears=hears))


def watch(
    memory: HealthMemory, came: Delivery, around: Around, located: Located | None
) -> HealthMemory:
    """One delivery, held against the belief before it. The verdict is in `health`."""
    motion, notes = watch_motion.watch_motion(memory.motion, came, memory.platform, located)
    lists = _begun(memory.lists, came.t_ns) if _clock_is_new(memory, motion) else memory.lists
    memory = memory._replace(motion=motion, lists=lists)
    for one in came.objects:
        memory, more = _list(memory, one, around, came.t_ns)
        notes += more
    lossy = motion.lossy
    for each, sensor in zip(memory.lists, memory.sensors, strict=True):
        notes += watch_lists.silent(each, sensor, came.t_ns, lossy)
    if came.objects:
        notes += watch_lists.turned(memory.lists, memory.sensors)
    for marks in came.marks:
        memory, more = _marks(memory, marks, located)
        notes += more
    lost = located is not None and located.integrity == Integrity.UNKNOWN
    if lost and motion.speeds and motion.speeds[-1][0] > MOVES_MPS:
        notes.append(("place", "unknown", Reaction.HARD))
    moves = bool(motion.speeds) and motion.speeds[-1][0] > MOVES_MPS
    return judged(memory, notes, came.t_ns, moves)


def _clock_is_new(memory: HealthMemory, motion: MotionWatch) -> bool:
    return memory.motion.t_ns < 0 or abs(motion.t_ns - memory.motion.t_ns) > NS_PER_S


def _begun(lists: tuple[ListWatch, ...], now_ns: int) -> tuple[ListWatch, ...]:
    """From the first delivery of a clock on, every sensor is waited for."""
    return tuple(each._replace(came_ns=now_ns, stamp_ns=-1) for each in lists)


def _list(
    memory: HealthMemory, one: ObjectList, around: Around, now_ns: int
) -> tuple[HealthMemory, list[Note]]:
    i = one.sensor
    if not 0 <= i < len(memory.lists):
        return memory, [("link", "message of an unknown sensor", Reaction.LOG)]
    each, notes = watch_lists.take(memory.lists[i], one, memory.sensors[i], around, now_ns)
    lists = (*memory.lists[:i], each, *memory.lists[i + 1 :])
    return memory._replace(lists=lists), notes


def _marks(
    memory: HealthMemory, marks: LaneMarks, located: Located | None
) -> tuple[HealthMemory, list[Note]]:
    """Marks against the map, and a camera that all of a sudden finds none."""
    notes: list[Note] = []
    main = next((k for k, each in enumerate(memory.lists) if _main(memory, k)), None)
    if main is not None and watch_lists.went_black(memory.marks, marks.count, memory.lists[main]):
        notes.append((memory.lists[main].name, "blind", Reaction.TAKEOVER))
        return memory, notes  # and so it stays until it finds one again
    memory = memory._replace(marks=marks.count)
    if memory.paint is None or located is None or marks.count < MARKS_LEAST:
        return memory, notes
    if located.integrity == Integrity.UNKNOWN:
        return memory, notes
    astray = memory.astray + 1 if _explained(memory.paint, marks, located) < MARKS_SHARE else 0
    if astray >= MARKS_TIMES:
        notes.append(("marks", "contradict the map", Reaction.DEGRADE))
    return memory._replace(astray=astray), notes


def _explained(paint: Paint, marks: LaneMarks, located: Located) -> float:
    """Share of marks that lie near a line of the map. Marks are a tenth of a second old: along the
    lines that changes nothing."""
    n = marks.count
    c, s = math.cos(located.heading_rad), math.sin(located.heading_rad)
    across, normal, found = np.zeros(n), np.zeros((n, 2)), np.zeros(n, dtype=np.bool_)
    match_marks(
        paint.piece, paint.key, paint.start, paint.item,
        located.x_m + c * marks.x_m - s * marks.y_m, located.y_m + s * marks.x_m + c * marks.y_m,
        located.heading_rad + marks.heading_rad, across, normal, found,
    )  # fmt: skip
    return float(found.mean())


def _main(memory: HealthMemory, k: int) -> bool:
    return memory.sensors[k].kind == SensorKind.CAMERA and memory.lists[k].ahead


# From findings to a level ----------------------------------------------------------------------


def judged(memory: HealthMemory, notes: list[Note], now_ns: int, moves: bool) -> HealthMemory:
    """The verdict on what was found now, and before; `moves`: whether our car does."""
    kept = _held(memory.kept, notes, now_ns)
    if not kept and memory.latched == Reaction.NONE:
        health = memory.health if memory.health.level == Reaction.NONE else Health(since_ns=now_ns)
        return memory._replace(kept=(), asked_ns=-1, health=health)
    findings = tuple(
        Finding(part, fault, one.reaction, one.since_ns) for (part, fault), one in kept
    )
    level = max((one.reaction for one in findings), default=Reaction.NONE)
    level = max(level, _together(memory, findings))
    asked = -1
    if level == Reaction.TAKEOVER:
        asked = memory.asked_ns if memory.asked_ns >= 0 else now_ns
        if now_ns - asked >= memory.takeover_ns:
            level = Reaction.STOP
    lasts = level == Reaction.HARD or (level == Reaction.STOP and moves)
    latched = max(memory.latched, level) if lasts else memory.latched
    level = max(level, latched)
    before = memory.health
    since = before.since_ns if level == before.level else now_ns
    same = level == before.level and findings == before.findings
    health = before if same else Health(level, findings, since)
    return memory._replace(kept=kept, asked_ns=asked, latched=latched, health=health)


def _held(
    kept: tuple[tuple[tuple[str, str], _Kept], ...], notes: list[Note], now_ns: int
) -> tuple[tuple[tuple[str, str], _Kept], ...]:
    """Findings with their new evidence, without those that have had none for long."""
    if not kept and not notes:
        return ()
    now: dict[tuple[str, str], Reaction] = {}
    for part, fault, reaction in notes:
        now[part, fault] = max(reaction, now.get((part, fault), Reaction.NONE))
    out = dict(kept)
    for name, reaction in now.items():
        old = out.get(name)
        since = old.since_ns if old is not None else now_ns
        strong = reaction if old is None else max(reaction, _faded(old, name[1], now_ns))
        out[name] = _Kept(strong, since, now_ns if old is None or reaction >= old.reaction
                          else old.last_ns)  # fmt: skip
    return tuple(
        (name, one) for name, one in out.items()
        if name in now or now_ns - one.last_ns < _hold_ns(name[1])
    )  # fmt: skip


def _faded(old: _Kept, fault: str, now_ns: int) -> Reaction:
    """A stronger reaction of before is held only as long as any."""
    return old.reaction if now_ns - old.last_ns < _hold_ns(fault) else Reaction.NONE


def _hold_ns(fault: str) -> int:
    return HOLD_LONG_NS if fault in LONG else HOLD_NS


def _together(memory: HealthMemory, findings: tuple[Finding, ...]) -> Reaction:
    """What findings call for that would each be less by itself."""
    out = _out(findings)
    if {"camera ahead", "radar ahead"} <= out:
        return Reaction.STOP
    said = {one.text for one in findings}
    if {"satellites silent", "marks contradict the map"} <= said:
        return Reaction.TAKEOVER
    return Reaction.NONE


def _out(findings: tuple[Finding, ...]) -> set[str]:
    """Parts that tell nothing any more."""
    return {one.part for one in findings if one.fault in OUT and one.reaction > Reaction.LOG}


def sensors_out(memory: HealthMemory) -> frozenset[int]:
    """Sensors that see nothing, or nothing to be relied on."""
    out = _out(memory.health.findings)
    return frozenset(i for i, one in enumerate(memory.lists) if one.name in out)


# What is still fused ---------------------------------------------------------------------------


def trusted(memory: HealthMemory, came: Delivery) -> Delivery:
    """The delivery without what is known to be wrong; a wheel that differs says what the others
    say."""
    health = memory.health
    if not health.findings:
        return came
    said = {(one.part, one.fault) for one in health.findings}
    if {("inertia", "jumps"), ("inertia", "contradicts")} & said:
        came = replace(came, imu=())
    wheel = next((k for k, name in enumerate(WHEELS) if (name, "wheel differs") in said), -1)
    if wheel >= 0:
        came = replace(came, bus=tuple(_without(one, wheel) for one in came.bus))
    if not fixes_hold(memory):
        came = replace(came, gnss=())
    bad = {part for part, fault in said if fault in ("frozen", "turned", "looks elsewhere")}
    if bad:
        keep = [one for one in came.objects if _name(memory, one.sensor) not in bad]
        came = replace(came, objects=tuple(keep))
    return came


def fixes_hold(memory: HealthMemory) -> bool:
    """Whether nothing speaks against the fixes of the satellites."""
    wrong = ("drift", "misdated", "jump")
    return not any(
        one.part == "satellites" and one.fault in wrong for one in memory.health.findings
    )


def _without(bus: Bus, wheel: int) -> Bus:
    """One wheel takes the speed of its neighbour on the same axle."""
    speeds = list(bus.wheel_mps)
    speeds[wheel] = speeds[wheel ^ 1]
    return replace(bus, wheel_mps=(speeds[0], speeds[1], speeds[2], speeds[3]))


def _name(memory: HealthMemory, sensor: int) -> str:
    return memory.lists[sensor].name if 0 <= sensor < len(memory.lists) else ""
