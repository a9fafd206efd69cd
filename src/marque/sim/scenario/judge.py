"""Whether conditions hold: tests on the stage, seen through edges and delays."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from marque.core.errors import MarqueError, unknown
from marque.core.geometry import wrap_angle
from marque.sim.scenario import conditions as c
from marque.sim.scenario.measures import Mark, distance, mark_at, mark_of, outside_m, touch
from marque.sim.scenario.parameters import RULES, Parameter, compare
from marque.sim.scenario.stage import STANDS_MPS, Body, Stage

SAME = 1e-9  # what binary fractions leave of decimal steps of time


@dataclass(slots=True, eq=False)
class Facts:
    """What conditions may ask for besides the stage."""

    stage: Stage
    t_s: float
    parameters: dict[str, Parameter]
    variables: dict[str, Parameter]
    signals: dict[str, str]
    phases: dict[str, str]
    clock: tuple[datetime, float] | None  # a time of day, and when it was set
    element: Callable[[c.ElementState, c.Condition], bool]


@dataclass(slots=True, eq=False)
class Memory:
    """Of one condition: its last plain result, and edge results that a delay still needs."""

    last: bool | None = None
    results: deque[tuple[float, bool]] = field(default_factory=deque)


def fires(trigger: c.Trigger, memories: dict[int, Memory], facts: Facts) -> bool:
    """Whether a trigger fires now. Every condition is looked at, so that none misses an edge."""
    groups = [
        [holds(each, memories.setdefault(id(each), Memory()), facts) for each in group]
        for group in trigger.groups
    ]
    return any(all(group) for group in groups)


def holds(condition: c.Condition, memory: Memory, facts: Facts) -> bool:
    """One condition now. MarqueError names the condition's line."""
    try:
        plain = _plain(condition, facts)
    except MarqueError as error:
        raise condition.node.error(f"cannot be judged: {error}") from error
    edge = _edge(condition.edge, memory.last, plain)
    memory.last = plain
    if condition.delay_s <= 0.0:
        return edge
    memory.results.append((facts.t_s, edge))
    due = facts.t_s - condition.delay_s + SAME
    while len(memory.results) > 1 and memory.results[1][0] <= due:
        memory.results.popleft()
    when, result = memory.results[0]
    return result and when <= due


def _edge(kind: str, last: bool | None, now: bool) -> bool:
    """An edge needs a look before this one."""
    if kind == "none":
        return now
    if last is None or last == now:
        return False
    return kind == "risingOrFalling" or now == (kind == "rising")


def _plain(condition: c.Condition, facts: Facts) -> bool:
    test = condition.test
    if isinstance(test, c.ByEntity):
        # who is not there yet passes no test
        bodies = [_entity(facts.stage, name) for name in test.entities]
        results = [body.present and _entity_test(test.test, body, facts) for body in bodies]
        return all(results) if test.every else any(results)
    if isinstance(test, c.SimulationTime):
        return _compared(test.limit, facts.t_s)
    if isinstance(test, c.ElementState):
        return facts.element(test, condition)
    if isinstance(test, c.SignalIs):
        return _signal(test, facts)
    if isinstance(test, c.TimeOfDay):
        return _time_of_day(test, facts)
    have = facts.parameters if test.parameter else facts.variables
    what = "parameter" if test.parameter else "variable"
    if test.name not in have:
        raise unknown(what, test.name, have)
    return compare(condition.node, test.rule, have[test.name].text, test.text)


def _entity(stage: Stage, name: str) -> Body:
    if name not in stage.bodies:
        raise unknown("entity", name, stage.bodies)
    return stage.bodies[name]


def _compared(limit: c.Limit, value: float) -> bool:
    """Equal is what rounding leaves equal."""
    near = abs(value - limit.value) <= SAME * max(1.0, abs(limit.value))
    return RULES[limit.rule](limit.value if near else value, limit.value)


def _signal(test: c.SignalIs, facts: Facts) -> bool:
    have = facts.phases if test.phase else facts.signals
    if test.phase and test.name not in have:
        raise unknown("signal controller", test.name, have)
    return have.get(test.name) == test.state


def _time_of_day(test: c.TimeOfDay, facts: Facts) -> bool:
    if facts.clock is None:
        raise MarqueError("it asks for the time of day, and no environment has set one")
    then, set_s = facts.clock
    try:
        wanted = datetime.fromisoformat(test.text)
    except ValueError:
        raise MarqueError(f"'{test.text}' is no date and time") from None
    now = then + timedelta(seconds=facts.t_s - set_s)
    gone = (now.replace(tzinfo=None) - wanted.replace(tzinfo=None)).total_seconds()
    return RULES[test.rule](gone, 0.0)


def _entity_test(test: c.EntityTest, body: Body, facts: Facts) -> bool:
    if isinstance(test, c.Lasting):
        lasted = {"endOfRoad": body.ended_s, "offroad": body.off_s, "standStill": body.stood_s}
        return lasted[test.what] > 0.0 and lasted[test.what] >= test.duration_s - SAME
    if isinstance(test, c.Travelled):
        return body.moved_m >= test.distance_m
    if isinstance(test, c.Motion):
        return _compared(test.limit, _motion(test, body, facts.stage))
    if isinstance(test, c.Angle):
        off = wrap_angle(_angle(test, body, facts.stage) - test.angle_rad)
        return abs(off) <= test.tolerance_rad + SAME
    if isinstance(test, c.Collision):
        return _collides(test, body, facts.stage)
    if isinstance(test, c.Reached):
        x, y, _ = mark_at(facts.stage, test.position).pose
        return math.hypot(x - body.x_m, y - body.y_m) <= test.tolerance_m
    mark, other = _target(test, facts.stage)
    away, ahead = distance(facts.stage, body, mark, test.measure)
    if isinstance(test, c.Distance):
        return _compared(test.limit, away)
    speed = body.speed_mps
    if isinstance(test, c.TimeToCollision) and other is not None:
        speed -= other.speed_mps * math.cos(other.heading_rad - body.heading_rad)
    coming = ahead and speed > STANDS_MPS
    return _compared(test.limit, away / speed if coming else math.inf)


def _target(
    test: c.Distance | c.TimeHeadway | c.TimeToCollision, stage: Stage
) -> tuple[Mark, Body | None]:
    if isinstance(test.target, str):
        other = stage.body(test.target)
        return mark_of(other), other
    return mark_at(stage, test.target), None


def _motion(test: c.Motion, body: Body, stage: Stage) -> float:
    """Of the body itself, everything is along its heading."""
    if test.what == "acceleration":
        return 0.0 if test.direction == "lateral" else body.accel_mps2
    if test.what == "speed":
        return 0.0 if test.direction == "lateral" else body.speed_mps
    other = stage.body(test.target)
    turn = other.heading_rad - body.heading_rad
    if test.direction == "lateral":
        return -other.speed_mps * math.sin(turn)
    if test.direction == "longitudinal":
        return body.speed_mps - other.speed_mps * math.cos(turn)
    return body.speed_mps - other.speed_mps


def _angle(test: c.Angle, body: Body, stage: Stage) -> float:
    if test.target:
        return stage.body(test.target).heading_rad - body.heading_rad
    if test.frame == "world":
        return body.heading_rad
    if test.frame == "entity":
        return 0.0
    if body.place is None:
        raise MarqueError(f"entity '{body.name}' is on no road")
    return body.place.relative_heading_rad or 0.0


def _collides(test: c.Collision, body: Body, stage: Stage) -> bool:
    if test.entity and test.entity not in stage.bodies:
        raise unknown("entity", test.entity, stage.bodies)
    others = [
        each
        for each in stage.bodies.values()
        if each is not body
        and each.present
        and (each.name == test.entity if test.entity else each.build.type_word == test.kind)
    ]
    return any(touch(mark_of(body), mark_of(each)) for each in others)


def follow_time(stage: Stage, dt_s: float) -> None:
    """Count for how long bodies have stood, been off the road or at its end."""
    for body in stage.bodies.values():
        if not body.present:
            continue
        body.stood_s = body.stood_s + dt_s if abs(body.speed_mps) < STANDS_MPS else 0.0
        body.ended_s = body.ended_s + dt_s if body.ended else 0.0


def follow_off_road(stage: Stage, dt_s: float) -> None:
    """The same for being off the road, which costs more and few files ask for."""
    for body in stage.bodies.values():
        if body.present:
            body.off_s = body.off_s + dt_s if outside_m(body) > 0.0 else 0.0
