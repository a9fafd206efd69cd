"""Conditions and triggers of OpenSCENARIO as nouns, and how they are read."""

from dataclasses import dataclass

from marque.core.xml_tree import Node
from marque.sim.scenario.catalogs import Catalogs
from marque.sim.scenario.positions import Position, position_in
from marque.sim.scenario.reader import Reader, element

EDGES = ("none", "rising", "falling", "risingOrFalling")
STATES = (
    "completeState",
    "runningState",
    "standbyState",
    "endTransition",
    "skipTransition",
    "startTransition",
    "stopTransition",
)
ELEMENTS = ("story", "act", "maneuverGroup", "maneuver", "event", "action")
MEASURES = ("longitudinal", "lateral", "euclidianDistance", "cartesianDistance")
FRAMES = ("entity", "road", "lane")
DIRECTIONS = ("longitudinal", "lateral")


@dataclass(frozen=True, slots=True)
class Measure:
    """A distance between two road users, or to a place: between boxes (freespace) or origins."""

    kind: str
    frame: str
    freespace: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A comparison with a number."""

    rule: str
    value: float


@dataclass(frozen=True, slots=True)
class SimulationTime:
    """Seconds since the start."""

    limit: Limit


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Seconds since 1970, by the environment's clock."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A parameter (`parameter`) or variable by its name, against a text."""

    parameter: bool
    name: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class ElementState:
    """A storyboard element is in a state, or has just made a transition."""

    kind: str
    ref: str
    state: str


@dataclass(frozen=True, slots=True)
class SignalIs:
    """A signal (phase False) or a controller (phase True) shows something."""

    name: str
    state: str
    phase: bool


@dataclass(frozen=True, slots=True)
class Lasting:
    """endOfRoad, offroad or standStill, for at least so long."""

    what: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Collision:
    """With an entity, or with any of a kind."""

    entity: str
    kind: str


@dataclass(frozen=True, slots=True)
class Distance:
    """To an entity or a place."""

    measure: Measure
    limit: Limit
    target: str | Position


@dataclass(frozen=True, slots=True)
class TimeHeadway:
    """Distance over the own speed."""

    measure: Measure
    limit: Limit
    target: str


@dataclass(frozen=True, slots=True)
class TimeToCollision:
    """Distance over the closing speed."""

    measure: Measure
    limit: Limit
    target: str | Position


@dataclass(frozen=True, slots=True)
class Motion:
    """speed, acceleration, or speed more than the target's; direction "": the whole."""

    what: str
    limit: Limit
    direction: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Angle:
    """The heading, against the world, the lane's traffic or the target's, within a tolerance."""

    angle_rad: float
    tolerance_rad: float
    frame: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Travelled:
    """At least so far, in all."""

    distance_m: float


@dataclass(frozen=True, slots=True)
class Reached:
    """Within a tolerance of a place."""

    position: Position
    tolerance_m: float


EntityTest = (
    Lasting
    | Collision
    | Distance
    | TimeHeadway
    | TimeToCollision
    | Motion
    | Angle
    | Travelled
    | Reached
)
ValueTest = SimulationTime | TimeOfDay | Compared | ElementState | SignalIs


@dataclass(frozen=True, slots=True)
class ByEntity:
    """A test that any or all of some entities pass."""

    entities: tuple[str, ...]
    every: bool
    test: EntityTest


@dataclass(frozen=True, slots=True)
class Condition:
    """A test, seen through its edge and delay."""

    name: str
    delay_s: float
    edge: str
    test: ByEntity | ValueTest
    node: Node


@dataclass(frozen=True, slots=True)
class Trigger:
    """Any group of which all conditions hold. No group: never."""

    groups: tuple[tuple[Condition, ...], ...]


@element
def read_trigger(node: Reader, catalogs: Catalogs) -> Trigger:
    """A start or stop trigger."""
    return Trigger(tuple(_read_group(each, catalogs) for each in node.all("ConditionGroup")))


@element
def _read_group(node: Reader, catalogs: Catalogs) -> tuple[Condition, ...]:
    conditions = tuple(_read_condition(each, catalogs) for each in node.all("Condition"))
    if not conditions:
        raise node.error("has no condition")
    return conditions


@element
def _read_condition(node: Reader, catalogs: Catalogs) -> Condition:
    test: ByEntity | ValueTest = node.one_of(
        {
            "ByEntityCondition": lambda each: _read_by_entity(each, catalogs),
            "ByValueCondition": _read_by_value,
        }
    )
    return Condition(
        node.text("name", ""),
        node.positive("delay", 0.0),
        node.choice("conditionEdge", EDGES),
        test,
        node.node,
    )


@element
def _read_by_value(node: Reader) -> ByEntity | ValueTest:
    return node.one_of(
        {
            "ParameterCondition": lambda each: _read_compared(each, "parameterRef"),
            "VariableCondition": lambda each: _read_compared(each, "variableRef"),
            "TimeOfDayCondition": _read_time_of_day,
            "SimulationTimeCondition": _read_simulation_time,
            "StoryboardElementStateCondition": _read_element_state,
            "TrafficSignalCondition": _read_signal,
            "TrafficSignalControllerCondition": _read_phase,
        }
    )


@element
def _read_simulation_time(node: Reader) -> ValueTest:
    return SimulationTime(_limit(node))


def _limit(node: Reader) -> Limit:
    return Limit(node.rule(), node.number("value"))


@element
def _read_time_of_day(node: Reader) -> ValueTest:
    return TimeOfDay(node.rule(), node.text("dateTime"))


@element
def _read_compared(node: Reader, ref: str) -> ValueTest:
    return Compared(ref == "parameterRef", node.text(ref), node.rule(), node.text("value"))


@element
def _read_element_state(node: Reader) -> ValueTest:
    return ElementState(
        node.choice("storyboardElementType", ELEMENTS),
        node.text("storyboardElementRef"),
        node.choice("state", STATES),
    )


@element
def _read_signal(node: Reader) -> ValueTest:
    return SignalIs(node.text("name"), node.text("state"), False)


@element
def _read_phase(node: Reader) -> ValueTest:
    return SignalIs(node.text("trafficSignalControllerRef"), node.text("phase"), True)


@element
def _read_by_entity(node: Reader, catalogs: Catalogs) -> ByEntity:
    entities, every = _read_triggering(node.child("TriggeringEntities"))
    return ByEntity(entities, every, _read_entity_test(node.child("EntityCondition"), catalogs))


@element
def _read_triggering(node: Reader) -> tuple[tuple[str, ...], bool]:
    names = tuple(_read_ref(each) for each in node.all("EntityRef"))
    if not names:
        raise node.error("names no entity")
    return names, node.choice("triggeringEntitiesRule", ("any", "all")) == "all"


@element
def _read_ref(node: Reader) -> str:
    return node.text("entityRef")


@element
def _read_entity_test(node: Reader, catalogs: Catalogs) -> EntityTest:
    return node.one_of(
        {
            "EndOfRoadCondition": lambda each: _read_lasting(each, "endOfRoad"),
            "OffroadCondition": lambda each: _read_lasting(each, "offroad"),
            "StandStillCondition": lambda each: _read_lasting(each, "standStill"),
            "CollisionCondition": _read_collision,
            "TimeHeadwayCondition": _read_headway,
            "TimeToCollisionCondition": lambda each: _read_ttc(each, catalogs),
            "AccelerationCondition": lambda each: _read_motion(each, "acceleration"),
            "SpeedCondition": lambda each: _read_motion(each, "speed"),
            "RelativeSpeedCondition": _read_relative_speed,
            "AngleCondition": _read_angle,
            "RelativeAngleCondition": _read_relative_angle,
            "TraveledDistanceCondition": _read_travelled,
            "ReachPositionCondition": lambda each: _read_reached(each, catalogs),
            "DistanceCondition": lambda each: _read_distance(each, catalogs),
            "RelativeDistanceCondition": _read_relative_distance,
        }
    )


@element
def _read_lasting(node: Reader, what: str) -> EntityTest:
    return Lasting(what, node.positive("duration"))


@element
def _read_collision(node: Reader) -> EntityTest:
    held = node.child("EntityRef", "ByType")
    if held.tag == "EntityRef":
        return Collision(_read_ref(held), "")
    return Collision("", _read_by_type(held))


@element
def _read_by_type(node: Reader) -> str:
    return node.choice("type", ("pedestrian", "vehicle", "miscellaneous"))


def _measure(node: Reader, default: str) -> Measure:
    """`alongRoute` is the older word for a measure along the road."""
    frame = "road" if node.flag("alongRoute", False) else "entity"
    return Measure(
        node.choice("relativeDistanceType", MEASURES, default),
        node.choice("coordinateSystem", FRAMES, frame),
        node.flag("freespace"),
    )


@element
def _read_headway(node: Reader) -> EntityTest:
    return TimeHeadway(_measure(node, "euclidianDistance"), _limit(node), node.text("entityRef"))


@element
def _read_ttc(node: Reader, catalogs: Catalogs) -> EntityTest:
    measure, limit = _measure(node, "euclidianDistance"), _limit(node)
    return TimeToCollision(
        measure, limit, _read_ttc_target(node.child("TimeToCollisionConditionTarget"), catalogs)
    )


@element
def _read_ttc_target(node: Reader, catalogs: Catalogs) -> str | Position:
    held = node.child("EntityRef", "Position")
    return _read_ref(held) if held.tag == "EntityRef" else position_in(node, "Position", catalogs)


@element
def _read_motion(node: Reader, what: str) -> EntityTest:
    return Motion(what, _limit(node), _direction(node))


@element
def _read_relative_speed(node: Reader) -> EntityTest:
    return Motion("relativeSpeed", _limit(node), _direction(node), node.text("entityRef"))


@element
def _read_angle(node: Reader) -> EntityTest:
    node.choice("angleType", ("heading",))
    frame = node.choice("coordinateSystem", ("world", *FRAMES), "world")
    return Angle(node.number("angle"), node.positive("angleTolerance"), frame)


@element
def _read_relative_angle(node: Reader) -> EntityTest:
    node.choice("angleType", ("heading",))
    node.choice("coordinateSystem", ("entity",), "entity")
    tolerance = node.positive("angleTolerance")
    return Angle(node.number("angle"), tolerance, "entity", node.text("entityRef"))


def _direction(node: Reader) -> str:
    return node.choice("direction", DIRECTIONS) if node.has("direction") else ""


@element
def _read_travelled(node: Reader) -> EntityTest:
    return Travelled(node.number("value"))


@element
def _read_reached(node: Reader, catalogs: Catalogs) -> EntityTest:
    return Reached(position_in(node, "Position", catalogs), node.positive("tolerance"))


@element
def _read_distance(node: Reader, catalogs: Catalogs) -> EntityTest:
    measure, limit = _measure(node, "euclidianDistance"), _limit(node)
    return Distance(measure, limit, position_in(node, "Position", catalogs))


@element
def _read_relative_distance(node: Reader) -> EntityTest:
    node.choice("relativeDistanceType", MEASURES)
    return Distance(_measure(node, "longitudinal"), _limit(node), node.text("entityRef"))
