"""The tick: supervise, perceive, predict, drive, control, guard. The machine on one screen.

Base step 20 ms: control and guard run each time, perceive and drive each 100 ms. A plan made in
one 100 ms frame is in force from the next on. Nothing here blocks or looks at a clock.
"""

from dataclasses import dataclass, replace
from typing import Any

from marque.core.time import PLAN_STEP_NS
from marque.guard.guard import GuardMemory, guard
from marque.kernels.tables import MapTables
from marque.maps.ahead import AheadMemory, with_road
from marque.stack.control.tracking import ControlMemory, control, hold
from marque.stack.perception.direct import PerceptionMemory, perceive
from marque.stack.perception.fuse import FuseMemory, doubt_of, sensed, unseen_by, whole_health
from marque.stack.planning.contract import Driver
from marque.stack.prediction.lanes import predict
from marque.stack.supervise import Watching, briefed, supervised
from marque.types.plan import Plan
from marque.types.platform import Platform
from marque.types.reading import Delivery, Reading
from marque.types.scene import Scene
from marque.types.takeover import DRIVES, Order
from marque.types.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class StackMemory:
    """All that the machine remembers from tick to tick."""

    platform: Platform
    tables: MapTables
    driver: Driver
    perception: PerceptionMemory
    driving: Any  # the driver's own
    control: ControlMemory
    guard: GuardMemory
    fusing: FuseMemory | None = None  # senses that err; None: exact ones
    watching: Watching | None = None  # over who drives; None: nobody does
    road: AheadMemory | None = None  # for the guard's own eyes; None: there is no map
    plan: Plan | None = None  # in force
    coming: Plan | None = None  # in force from the next 100 ms frame on
    next_drive_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What one tick decided. `scene` is None in ticks that only control."""

    verdict: Verdict
    plan: Plan | None
    scene: Scene | None
    order: Order = DRIVES
    reading: Reading | None = None  # what it was decided by


def tick(memory: StackMemory, came: Reading | Delivery) -> tuple[StackMemory, Decision]:
    """One base step: what the senses handed over in, guarded command out."""
    fusing, reading, tracks = sensed(memory.fusing, came)
    road, reading = with_road(memory.road, reading, reading.t_ns >= memory.next_drive_ns)
    watching, order = supervised(memory.watching, came, reading, memory.guard)
    plan, coming = memory.plan, memory.coming
    if coming is not None and reading.t_ns >= coming.t_ns:
        plan, coming = coming, None
    scene = None
    perception, driving, due = memory.perception, memory.driving, memory.next_drive_ns
    if reading.t_ns >= due:
        perception, scene = perceive(perception, reading, tracks)
        scene = replace(
            scene,
            health=whole_health(fusing, scene),
            doubt=doubt_of(fusing),
            unseen=unseen_by(fusing),
            order=order,
        )
        watching = briefed(watching, scene)
        driving, coming = memory.driver.drive(driving, scene, predict(memory.tables, scene))
        due = reading.t_ns + PLAN_STEP_NS
    steering, command = memory.control, hold(reading.t_ns)
    if plan is not None:
        steering, command = control(steering, reading.ego, plan, memory.platform, reading.t_ns)
    guarding, verdict = guard(memory.guard, reading, plan, command, memory.platform, order)
    memory = replace(
        memory,
        perception=perception,
        driving=driving,
        control=steering,
        guard=guarding,
        watching=watching,
        fusing=fusing,
        road=road,
        plan=plan,
        coming=coming,
        next_drive_ns=due,
    )
    return memory, Decision(verdict, plan, scene, order, reading)
