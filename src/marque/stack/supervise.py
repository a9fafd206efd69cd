"""Supervision inside the tick: what the guard's automaton asks for, gathered from the stack.

A stack without supervision drives on as if somebody else watched over it.
"""

from dataclasses import dataclass, replace

from marque.guard.guard import GuardMemory
from marque.guard.supervision import Supervision, informed, supervise
from marque.guard.watch import AEB_PARTIAL
from marque.stack.perception.road_ahead import RoadMemory, look_ahead
from marque.types.reading import Delivery, Reading
from marque.types.scene import Scene
from marque.types.takeover import DRIVES, Order, Weather


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """The automaton and what it rests on."""

    supervision: Supervision
    road: RoadMemory
    weather: Weather | None = None  # as told last


def supervised(
    memory: Watching | None, came: Reading | Delivery, reading: Reading, guard: GuardMemory
) -> tuple[Watching | None, Order]:
    """Each 20 ms: one step of the automaton."""
    if memory is None:
        return None, DRIVES
    after = supervise(
        memory.supervision,
        came.cabin,
        reading.t_ns,
        reading.ego.speed_mps,
        guard.accel_mps2,
        guard.latched >= AEB_PARTIAL,
    )
    weather = came.weather or memory.weather
    return replace(memory, supervision=after, weather=weather), after.order


def briefed(memory: Watching | None, scene: Scene) -> Watching | None:
    """Each 100 ms: the road ahead, the weather and the senses, for the next steps."""
    if memory is None:
        return None
    ego = scene.ego
    road = look_ahead(memory.road, ego.lane, ego.s_m)
    after = informed(
        memory.supervision, road.road, memory.weather, scene.health.level, ego.speed_mps
    )
    return replace(memory, supervision=after, road=road)
