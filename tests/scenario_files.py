"""Small scenario files and roads that tests write themselves."""

from pathlib import Path

from marque.sim.scenario.document import read_scenario
from marque.sim.scenario.player import Player

LANE_M, ROAD_M = 3.5, 500.0

CAR = """<Vehicle name="car" vehicleCategory="car">
<BoundingBox><Center x="1.4" y="0" z="0.8"/><Dimensions length="5" width="2" height="1.6"/>
</BoundingBox><Performance maxSpeed="70" maxAcceleration="8" maxDeceleration="9.5"/>
<Axles><FrontAxle maxSteering="0.5" wheelDiameter="0.7" trackWidth="1.6" positionX="2.8"
positionZ="0.35"/><RearAxle maxSteering="0" wheelDiameter="0.7" trackWidth="1.6" positionX="0"
positionZ="0.35"/></Axles></Vehicle>"""
HEADER = (
    '<FileHeader revMajor="1" revMinor="2" date="2024-01-01T00:00:00" description="" author=""/>'
)


def lane(number: int) -> str:
    """One driving lane."""
    return (
        f'<lane id="{number}" type="driving" level="false">'
        f'<width sOffset="0" a="{LANE_M}" b="0" c="0" d="0"/></lane>'
    )


def road(curvature: float = 0.0, road_id: str = "0") -> str:
    """Two lanes each way, right-hand traffic, from the origin to the east."""
    shape = f'<arc curvature="{curvature}"/>' if curvature else "<line/>"
    return (
        f'<road id="{road_id}" junction="-1" length="{ROAD_M}" rule="RHT"><planView>'
        f'<geometry s="0" x="0" y="0" hdg="0" length="{ROAD_M}">{shape}</geometry></planView>'
        f'<lanes><laneSection s="0"><left>{lane(2)}{lane(1)}</left><center><lane id="0" '
        f'type="none" level="false"/></center><right>{lane(-1)}{lane(-2)}</right></laneSection>'
        "</lanes></road>"
    )


def write_roads(folder: Path, curvature: float = 0.0) -> Path:
    """The file `road.xodr`."""
    path = folder / "road.xodr"
    path.write_text(f'<OpenDRIVE><header revMajor="1" revMinor="6"/>{road(curvature)}</OpenDRIVE>')
    return path


def at_lane(lane_id: int, s_m: float, offset_m: float = 0.0, turn: str = "") -> str:
    """A position."""
    inside = f'<Orientation type="relative" h="{turn}"/>' if turn else ""
    return (
        f'<Position><LanePosition roadId="0" laneId="{lane_id}" s="{s_m}" offset="{offset_m}">'
        f"{inside}</LanePosition></Position>"
    )


def teleport(where: str) -> str:
    """A private action."""
    return f"<PrivateAction><TeleportAction>{where}</TeleportAction></PrivateAction>"


def speed(value: float, shape: str = "step", dimension: str = "time", by: float = 0.0) -> str:
    """A private action to an absolute speed."""
    return (
        "<PrivateAction><LongitudinalAction><SpeedAction>"
        f'<SpeedActionDynamics dynamicsShape="{shape}" dynamicsDimension="{dimension}" '
        f'value="{by}"/><SpeedActionTarget><AbsoluteTargetSpeed value="{value}"/>'
        "</SpeedActionTarget></SpeedAction></LongitudinalAction></PrivateAction>"
    )


def begin(name: str, *actions: str) -> str:
    """Initial actions of an entity."""
    return f'<Private entityRef="{name}">{"".join(actions)}</Private>'


def when(condition: str, edge: str = "none", delay: float = 0.0, tag: str = "StartTrigger") -> str:
    """A trigger of one condition."""
    return (
        f'<{tag}><ConditionGroup><Condition name="c" delay="{delay}" conditionEdge="{edge}">'
        f"{condition}</Condition></ConditionGroup></{tag}>"
    )


def after(time_s: float, rule: str = "greaterOrEqual") -> str:
    """A condition on the simulation time."""
    return (
        f'<ByValueCondition><SimulationTimeCondition value="{time_s}" rule="{rule}"/>'
        "</ByValueCondition>"
    )


def of_entity(name: str, condition: str) -> str:
    """A condition on one entity."""
    return (
        '<ByEntityCondition><TriggeringEntities triggeringEntitiesRule="any">'
        f'<EntityRef entityRef="{name}"/></TriggeringEntities><EntityCondition>{condition}'
        "</EntityCondition></ByEntityCondition>"
    )


def in_state(kind: str, name: str, state: str) -> str:
    """A condition on a storyboard element."""
    return (
        f'<ByValueCondition><StoryboardElementStateCondition storyboardElementType="{kind}" '
        f'storyboardElementRef="{name}" state="{state}"/></ByValueCondition>'
    )


def event(
    name: str, action: str, trigger: str = "", priority: str = "parallel", most: int = 1
) -> str:
    """An event of one action of the same name."""
    return (
        f'<Event name="{name}" priority="{priority}" maximumExecutionCount="{most}">'
        f'<Action name="{name}">{action}</Action>{trigger}</Event>'
    )


def set_variable(name: str, value: str, how: str = "SetAction") -> str:
    """A global action."""
    inside = f'<SetAction value="{value}"/>'
    if how != "SetAction":
        inside = f'<ModifyAction><Rule><{how} value="{value}"/></Rule></ModifyAction>'
    return (
        f'<GlobalAction><VariableAction variableRef="{name}">{inside}</VariableAction>'
        "</GlobalAction>"
    )


def story(actor: str, *events: str) -> str:
    """A story of one act, group and manoeuvre."""
    return (
        '<Story name="s"><Act name="a"><ManeuverGroup name="g" maximumExecutionCount="1">'
        f'<Actors selectTriggeringEntities="false"><EntityRef entityRef="{actor}"/></Actors>'
        f'<Maneuver name="m">{"".join(events)}</Maneuver></ManeuverGroup></Act></Story>'
    )


def text(
    init: str = "",
    stories: str = "",
    stop: str = "",
    entities: tuple[str, ...] = ("Ego", "Other"),
    declared: str = "",
    catalogs: str = "",
    objects: str = "",
    variables: str = "",
    network: str = '<LogicFile filepath="road.xodr"/>',
) -> str:
    """A whole scenario."""
    listed = "".join(f'<ScenarioObject name="{name}">{CAR}</ScenarioObject>' for name in entities)
    return (
        f"<OpenSCENARIO>{HEADER}<ParameterDeclarations>{declared}</ParameterDeclarations>"
        f"<VariableDeclarations>{variables}</VariableDeclarations>"
        f"<CatalogLocations>{catalogs}</CatalogLocations><RoadNetwork>{network}</RoadNetwork>"
        f"<Entities>{listed}{objects}</Entities><Storyboard><Init><Actions>{init}</Actions></Init>"
        f"{stories}{stop or '<StopTrigger/>'}</Storyboard></OpenSCENARIO>"
    )


def write(folder: Path, content: str, name: str = "one.xosc", curvature: float = 0.0) -> Path:
    """A scenario file beside its roads."""
    write_roads(folder, curvature)
    path = folder / name
    path.write_text(content)
    return path


def playing(folder: Path, content: str, curvature: float = 0.0) -> Player:
    """A player before its first frame."""
    return Player(read_scenario(write(folder, content, curvature=curvature)))


def play_until(player: Player, time_s: float) -> Player:
    """The player at a time, or at the scenario's end."""
    if player.frames < 0:
        player.step()
    while player.t_s < time_s - 1e-9 and not player.over:
        player.step()
    return player
