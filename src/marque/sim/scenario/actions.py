"""Actions of OpenSCENARIO as nouns, and how they are read. A kind that is not here is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from marque.core.xml_tree import Node
from marque.sim.scenario.catalogs import REFERENCE, Catalogs
from marque.sim.scenario.positions import Position, Route, position_in, read_route_child
from marque.sim.scenario.reader import Reader, element
from marque.sim.scenario.trajectories import (
    Trajectory,
    read_trajectory_child,
    read_trajectory_ref,
)

SHAPES = ("linear", "cubic", "sinusoidal", "step")
DIMENSIONS = ("time", "distance", "rate")
FRAMES = ("entity", "road", "lane")
SIDES = ("any", "leadingReferencedEntity", "trailingReferencedEntity")
LAMPS = (
    "brakeLights", "daytimeRunningLights", "fogLights", "fogLightsFront", "fogLightsRear",
    "highBeam", "indicatorLeft", "indicatorRight", "licensePlateIllumination", "lowBeam",
    "reversingLights", "specialPurposeLights", "warningLights",
)  # fmt: skip
LATERAL_SIDES = ("any", "leftToReferencedEntity", "rightToReferencedEntity")


@dataclass(frozen=True, slots=True)
class Dynamics:
    """How a value goes to its target: over a time, a distance, or at most at a rate."""

    shape: str
    dimension: str
    value: float


@dataclass(frozen=True, slots=True)
class Teleport:
    """There at once."""

    position: Position


@dataclass(frozen=True, slots=True)
class Target:
    """A speed, a lane or an offset: absolute, or relative to an entity (entity is not "")."""

    value: float
    entity: str = ""
    factor: bool = False  # relative speeds alone: value times, instead of value more
    continuous: bool = False


@dataclass(frozen=True, slots=True)
class Speed:
    """To a speed."""

    dynamics: Dynamics
    target: Target


@dataclass(frozen=True, slots=True)
class SpeedProfile:
    """Through speeds, each some seconds after the one before; relative to an entity's speed at the
    beginning, unless entity is ""."""

    entity: str
    entries: tuple[tuple[float, float], ...]  # speed, seconds


@dataclass(frozen=True, slots=True)
class Light:
    """A lamp goes on or off."""

    lamp: str
    on: bool


@dataclass(frozen=True, slots=True)
class LaneChange:
    """To a lane, offset_m from its middle at the end."""

    dynamics: Dynamics
    target: Target
    offset_m: float


@dataclass(frozen=True, slots=True)
class LaneOffset:
    """To an offset in the lane; None: at once."""

    shape: str
    max_accel_mps2: float | None
    target: Target
    continuous: bool


@dataclass(frozen=True, slots=True)
class LongitudinalDistance:
    """To a distance or a time gap from an entity, at once; continuous: kept from then on."""

    entity: str
    distance_m: float | None
    gap_s: float | None
    freespace: bool
    continuous: bool
    frame: str
    side: str


@dataclass(frozen=True, slots=True)
class LateralDistance:
    """To a distance beside an entity, at once; continuous: kept from then on."""

    entity: str
    distance_m: float
    freespace: bool
    continuous: bool
    frame: str
    side: str


@dataclass(frozen=True, slots=True)
class SteadyState:
    """The final speed is kept over the last metres or seconds."""

    distance_m: float = 0.0
    time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FinalSpeed:
    """Absolute, or relative to the master's."""

    value_mps: float
    relative: bool
    steady: SteadyState | None


@dataclass(frozen=True, slots=True)
class Synchronize:
    """Be at a place when the master is at its own."""

    master: str
    master_place: Position
    place: Position
    final: FinalSpeed | None
    master_tolerance_m: float
    tolerance_m: float


@dataclass(frozen=True, slots=True)
class Timing:
    """A trajectory's times: scaled, shifted, from the action's start (relative) or from 0."""

    relative: bool
    scale: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class FollowTrajectory:
    """Along a path; at the entity's own speed, or with `timing` at the path's times."""

    trajectory: Trajectory
    timing: Timing | None
    start_m: float


@dataclass(frozen=True, slots=True)
class AssignRoute:
    """Choose the way at junctions by this."""

    route: Route


@dataclass(frozen=True, slots=True)
class AcquirePosition:
    """Choose the way at junctions so as to get there; done on arrival."""

    position: Position


@dataclass(frozen=True, slots=True)
class Controller:
    """Who drives an entity; properties are for whoever plays it."""

    name: str


@dataclass(frozen=True, slots=True)
class AssignController:
    """Give an entity a controller, and activate it where told so. None: keep the one it has."""

    controller: Controller | None
    lateral: bool | None
    longitudinal: bool | None


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who can see an entity from here on."""

    graphics: bool
    traffic: bool
    sensors: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """Weather and the like, kept as read for those whom it concerns."""

    node: Node


@dataclass(frozen=True, slots=True)
class SetVariable:
    """A variable or parameter to a value, or changed by `+ value` or `* value`."""

    name: str
    parameter: bool
    how: str  # set | add | multiply
    text: str


@dataclass(frozen=True, slots=True)
class SetSignal:
    """A signal to a state."""

    signal: str
    state: str


@dataclass(frozen=True, slots=True)
class SetPhase:
    """A signal controller to a phase."""

    controller: str
    phase: str


@dataclass(frozen=True, slots=True)
class AddEntity:
    """An entity appears."""

    entity: str
    position: Position


@dataclass(frozen=True, slots=True)
class DeleteEntity:
    """An entity is gone."""

    entity: str


PrivateAction = (
    Teleport
    | Speed
    | SpeedProfile
    | Light
    | LaneChange
    | LaneOffset
    | LongitudinalDistance
    | LateralDistance
    | Synchronize
    | FollowTrajectory
    | AssignRoute
    | AcquirePosition
    | AssignController
    | Visibility
)
GlobalAction = Environment | SetVariable | SetSignal | SetPhase | AddEntity | DeleteEntity
Read = Callable[[Node], PrivateAction]


@element
def read_private(node: Reader, catalogs: Catalogs) -> PrivateAction:
    """A `PrivateAction`. MarqueError: a kind that is not played."""

    def routing(each: Node) -> PrivateAction:
        return _read_routing(each, catalogs)

    parsers: Mapping[str, Read] = {
        "LongitudinalAction": lambda each: _read_longitudinal(each),
        "LateralAction": _read_lateral,
        "VisibilityAction": _read_visibility,
        "AppearanceAction": _read_appearance,
        "SynchronizeAction": lambda each: _read_synchronize(each, catalogs),
        "ControllerAction": lambda each: _read_controller_action(each, catalogs),
        "ActivateControllerAction": _read_activate,
        "TeleportAction": lambda each: _read_teleport(each, catalogs),
        "RoutingAction": routing,
    }
    return node.one_of(parsers)


@element
def _read_teleport(node: Reader, catalogs: Catalogs) -> PrivateAction:
    return Teleport(position_in(node, "Position", catalogs))


@element
def _read_longitudinal(node: Reader) -> PrivateAction:
    return node.one_of(
        {
            "SpeedAction": _read_speed,
            "SpeedProfileAction": _read_profile,
            "LongitudinalDistanceAction": _read_distance,
        }
    )


@element
def _read_dynamics(node: Reader) -> Dynamics:
    node.choice("followingMode", ("position", "follow"), "position")
    shape = node.choice("dynamicsShape", SHAPES)
    dimension = node.choice("dynamicsDimension", DIMENSIONS)
    return Dynamics(shape, dimension, abs(node.number("value")))


@element
def _read_speed(node: Reader) -> PrivateAction:
    dynamics = _read_dynamics(node.child("SpeedActionDynamics"))
    return Speed(dynamics, _read_speed_target(node.child("SpeedActionTarget")))


@element
def _read_profile(node: Reader) -> PrivateAction:
    node.choice("followingMode", ("position",))
    entries = tuple(_read_entry(each) for each in node.all("SpeedProfileEntry"))
    if not entries:
        raise node.error("has no entry")
    return SpeedProfile(node.text("entityRef", ""), entries)


@element
def _read_entry(node: Reader) -> tuple[float, float]:
    return node.number("speed"), node.positive("time")


@element
def _read_appearance(node: Reader) -> PrivateAction:
    return _read_light(node.child("LightStateAction"))


@element
def _read_light(node: Reader) -> PrivateAction:
    node.positive("transitionTime", 0.0)
    lamp = _read_lamp(node.child("LightType"))
    return Light(lamp, _read_lit(node.child("LightState")))


@element
def _read_lamp(node: Reader) -> str:
    return _read_vehicle_lamp(node.child("VehicleLight"))


@element
def _read_vehicle_lamp(node: Reader) -> str:
    return node.choice("vehicleLightType", LAMPS)


@element
def _read_lit(node: Reader) -> bool:
    node.ignore("flashingOffDuration", "flashingOnDuration", "luminousIntensity")
    return node.choice("mode", ("on", "off", "flashing")) != "off"


@element
def _read_speed_target(node: Reader) -> Target:
    return node.one_of({"AbsoluteTargetSpeed": _absolute, "RelativeTargetSpeed": _relative_speed})


@element
def _absolute(node: Reader) -> Target:
    return Target(node.number("value"))


@element
def _relative_speed(node: Reader) -> Target:
    kind = node.choice("speedTargetValueType", ("delta", "factor"))
    return Target(
        node.number("value"), node.text("entityRef"), kind == "factor", node.flag("continuous")
    )


@element
def _read_distance(node: Reader) -> PrivateAction:
    distance, gap = node.maybe_number("distance"), node.maybe_number("timeGap")
    if (distance is None) == (gap is None):
        raise node.error("needs one of 'distance' and 'timeGap'")
    return LongitudinalDistance(
        node.text("entityRef"),
        distance,
        gap,
        node.flag("freespace"),
        node.flag("continuous"),
        node.choice("coordinateSystem", FRAMES, "entity"),
        node.choice("displacement", SIDES, "trailingReferencedEntity"),
    )


@element
def _read_lateral(node: Reader) -> PrivateAction:
    return node.one_of(
        {
            "LaneChangeAction": _read_lane_change,
            "LaneOffsetAction": _read_lane_offset,
            "LateralDistanceAction": _read_lateral_distance,
        }
    )


@element
def _read_lane_change(node: Reader) -> PrivateAction:
    dynamics = _read_dynamics(node.child("LaneChangeActionDynamics"))
    target = _read_lane_target(node.child("LaneChangeTarget"))
    return LaneChange(dynamics, target, node.number("targetLaneOffset", 0.0))


@element
def _read_lane_target(node: Reader) -> Target:
    return node.one_of({"AbsoluteTargetLane": _absolute_lane, "RelativeTargetLane": _relative_lane})


@element
def _absolute_lane(node: Reader) -> Target:
    return Target(float(node.integer("value")))


@element
def _relative_lane(node: Reader) -> Target:
    return Target(float(node.integer("value")), node.text("entityRef"))


@element
def _read_lane_offset(node: Reader) -> PrivateAction:
    shape, limit = _read_offset_dynamics(node.child("LaneOffsetActionDynamics"))
    target = _read_offset_target(node.child("LaneOffsetTarget"))
    return LaneOffset(shape, limit, target, node.flag("continuous"))


@element
def _read_offset_dynamics(node: Reader) -> tuple[str, float | None]:
    limit = node.maybe_number("maxLateralAcc")
    if limit is not None and limit <= 0.0:
        raise node.error("has a maxLateralAcc that is not positive")
    return node.choice("dynamicsShape", SHAPES), limit


@element
def _read_offset_target(node: Reader) -> Target:
    return node.one_of(
        {"AbsoluteTargetLaneOffset": _absolute, "RelativeTargetLaneOffset": _relative_offset}
    )


@element
def _relative_offset(node: Reader) -> Target:
    return Target(node.number("value"), node.text("entityRef"))


@element
def _read_lateral_distance(node: Reader) -> PrivateAction:
    return LateralDistance(
        node.text("entityRef"),
        node.positive("distance"),
        node.flag("freespace"),
        node.flag("continuous"),
        node.choice("coordinateSystem", FRAMES, "entity"),
        node.choice("displacement", LATERAL_SIDES, "any"),
    )


@element
def _read_synchronize(node: Reader, catalogs: Catalogs) -> PrivateAction:
    final = node.maybe("FinalSpeed")
    return Synchronize(
        node.text("masterEntityRef"),
        position_in(node, "TargetPositionMaster", catalogs),
        position_in(node, "TargetPosition", catalogs),
        None if final is None else _read_final(final),
        node.positive("targetToleranceMaster", 0.0),
        node.positive("targetTolerance", 0.0),
    )


@element
def _read_final(node: Reader) -> FinalSpeed:
    return node.one_of({"AbsoluteSpeed": _final_absolute, "RelativeSpeedToMaster": _final_relative})


@element
def _final_absolute(node: Reader) -> FinalSpeed:
    return FinalSpeed(node.number("value"), False, _steady(node))


@element
def _final_relative(node: Reader) -> FinalSpeed:
    node.choice("speedTargetValueType", ("delta",))
    return FinalSpeed(node.number("value"), True, _steady(node))


def _steady(node: Reader) -> SteadyState | None:
    held = node.maybe("TargetDistanceSteadyState", "TargetTimeSteadyState")
    return None if held is None else _read_steady(held)


@element
def _read_steady(node: Reader) -> SteadyState:
    if node.node.tag == "TargetDistanceSteadyState":
        return SteadyState(distance_m=node.positive("distance"))
    return SteadyState(time_s=node.positive("time"))


@element
def _read_routing(node: Reader, catalogs: Catalogs) -> PrivateAction:
    return node.one_of(
        {
            "AssignRouteAction": lambda each: _read_assign_route(each, catalogs),
            "FollowTrajectoryAction": lambda each: _read_follow(each, catalogs),
            "AcquirePositionAction": lambda each: _read_acquire(each, catalogs),
        }
    )


@element
def _read_assign_route(node: Reader, catalogs: Catalogs) -> PrivateAction:
    return AssignRoute(read_route_child(node, catalogs))


@element
def _read_acquire(node: Reader, catalogs: Catalogs) -> PrivateAction:
    return AcquirePosition(position_in(node, "Position", catalogs))


@element
def _read_follow(node: Reader, catalogs: Catalogs) -> PrivateAction:
    _read_following_mode(node.child("TrajectoryFollowingMode"))
    at = node.child("TrajectoryRef", "Trajectory", REFERENCE)
    if at.tag == "TrajectoryRef":
        trajectory = read_trajectory_ref(at, catalogs)
    else:
        trajectory = read_trajectory_child(at, catalogs)
    timing = _read_time_reference(node.child("TimeReference"))
    return FollowTrajectory(trajectory, timing, node.positive("initialDistanceOffset", 0.0))


@element
def _read_following_mode(node: Reader) -> str:
    """`follow` is played as `position`: without a controller of its own nobody strays."""
    return node.choice("followingMode", ("position", "follow"))


@element
def _read_time_reference(node: Reader) -> Timing | None:
    held = node.child("None", "Timing")
    return _read_timing(held) if held.tag == "Timing" else None


@element
def _read_timing(node: Reader) -> Timing:
    scale = node.number("scale")
    if scale <= 0.0:
        raise node.error("has a scale that is not positive")
    relative = node.choice("domainAbsoluteRelative", ("absolute", "relative")) == "relative"
    return Timing(relative, scale, node.number("offset"))


@element
def _read_controller_action(node: Reader, catalogs: Catalogs) -> PrivateAction:
    assign = node.maybe("AssignControllerAction")
    activate = node.maybe("ActivateControllerAction")
    if assign is None:
        return _read_activate(
            activate if activate is not None else node.child("AssignControllerAction")
        )
    given = _read_assign(assign, catalogs)
    if activate is None:
        return given
    switched = _read_activate(activate)
    assert isinstance(given, AssignController) and isinstance(switched, AssignController)
    return AssignController(given.controller, switched.lateral, switched.longitudinal)


@element
def _read_activate(node: Reader) -> PrivateAction:
    node.ignore("objectControllerRef")
    lateral = node.flag("lateral") if node.has("lateral") else None
    longitudinal = node.flag("longitudinal") if node.has("longitudinal") else None
    for name in ("animation", "lighting"):
        node.flag(name, False)
    return AssignController(None, lateral, longitudinal)


@element
def _read_assign(node: Reader, catalogs: Catalogs) -> PrivateAction:
    controller = read_controller_child(node, catalogs)
    for name in ("activateAnimation", "activateLighting"):
        node.flag(name, False)
    return AssignController(
        controller, node.flag("activateLateral", False), node.flag("activateLongitudinal", False)
    )


def read_controller_child(holder: Reader, catalogs: Catalogs) -> Controller:
    """The `Controller`, or the reference to one, inside an element."""
    node = holder.child("Controller", REFERENCE)
    if node.tag == REFERENCE:
        node = catalogs.open(node, "Controller")
    return _read_controller(node)


@element
def _read_controller(node: Reader) -> Controller:
    node.ignore("controllerType")
    return Controller(node.text("name"))


@element
def _read_visibility(node: Reader) -> PrivateAction:
    return Visibility(node.flag("graphics"), node.flag("traffic"), node.flag("sensors"))


@element
def read_global(node: Reader, catalogs: Catalogs) -> GlobalAction:
    """A `GlobalAction`. MarqueError: a kind that is not played."""
    return node.one_of(
        {
            "EnvironmentAction": lambda each: _read_environment(each, catalogs),
            "EntityAction": lambda each: _read_entity(each, catalogs),
            "InfrastructureAction": _read_infrastructure,
            "VariableAction": lambda each: _read_variable(each, "variableRef"),
            "ParameterAction": lambda each: _read_variable(each, "parameterRef"),
        }
    )


@element
def _read_environment(node: Reader, catalogs: Catalogs) -> GlobalAction:
    held = node.child("Environment", REFERENCE)
    if held.tag == REFERENCE:
        held = catalogs.open(held, "Environment")
    return Environment(held)


@element
def _read_entity(node: Reader, catalogs: Catalogs) -> GlobalAction:
    name = node.text("entityRef")
    held = node.child("AddEntityAction", "DeleteEntityAction")
    if held.tag == "DeleteEntityAction":
        return DeleteEntity(name)
    return AddEntity(name, _read_added(held, catalogs))


@element
def _read_added(node: Reader, catalogs: Catalogs) -> Position:
    return position_in(node, "Position", catalogs)


@element
def _read_infrastructure(node: Reader) -> GlobalAction:
    return _read_signal_action(node.child("TrafficSignalAction"))


@element
def _read_signal_action(node: Reader) -> GlobalAction:
    return node.one_of(
        {
            "TrafficSignalStateAction": _read_signal_state,
            "TrafficSignalControllerAction": _read_signal_phase,
        }
    )


@element
def _read_signal_state(node: Reader) -> GlobalAction:
    return SetSignal(node.text("name"), node.text("state"))


@element
def _read_signal_phase(node: Reader) -> GlobalAction:
    return SetPhase(node.text("trafficSignalControllerRef"), node.text("phase"))


@element
def _read_variable(node: Reader, ref: str) -> GlobalAction:
    name, parameter = node.text(ref), ref == "parameterRef"
    how, text = node.one_of({"SetAction": _read_set, "ModifyAction": _read_modify})
    return SetVariable(name, parameter, how, text)


@element
def _read_set(node: Reader) -> tuple[str, str]:
    return "set", node.text("value")


@element
def _read_modify(node: Reader) -> tuple[str, str]:
    return _read_rule(node.child("Rule"))


@element
def _read_rule(node: Reader) -> tuple[str, str]:
    held = node.child("AddValue", "MultiplyByValue")
    return ("add" if held.tag == "AddValue" else "multiply"), _read_operand(held)


@element
def _read_operand(node: Reader) -> str:
    node.number("value")
    return node.text("value")
