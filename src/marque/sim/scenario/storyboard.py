"""The storyboard as nouns, and how it is read."""

from dataclasses import dataclass

from marque.core.xml_tree import Node
from marque.sim.scenario.actions import (
    GlobalAction,
    PrivateAction,
    read_global,
    read_private,
)
from marque.sim.scenario.catalogs import REFERENCE, Catalogs
from marque.sim.scenario.conditions import Trigger, read_trigger
from marque.sim.scenario.reader import Reader, element

PRIORITIES = ("overwrite", "override", "skip", "parallel")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. node: where it stands."""

    name: str
    what: PrivateAction | GlobalAction
    private: bool
    node: Node


@dataclass(frozen=True, slots=True)
class Event:
    """Actions that start together. start None: with the manoeuvre."""

    name: str
    priority: str
    most: int
    actions: tuple[Action, ...]
    start: Trigger | None


@dataclass(frozen=True, slots=True)
class Maneuver:
    """Events of one purpose."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Manoeuvres and who carries them out."""

    name: str
    most: int
    actors: tuple[str, ...]
    maneuvers: tuple[Maneuver, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Groups with a common start (None: at once) and stop."""

    name: str
    groups: tuple[Group, ...]
    start: Trigger | None
    stop: Trigger | None


@dataclass(frozen=True, slots=True)
class Story:
    """Acts."""

    name: str
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class InitAction:
    """What holds at the beginning. entity "": for all."""

    entity: str
    action: Action


@dataclass(frozen=True, slots=True)
class Storyboard:
    """All of it."""

    init: tuple[InitAction, ...]
    stories: tuple[Story, ...]
    stop: Trigger | None


@element
def read_storyboard(node: Reader, catalogs: Catalogs) -> Storyboard:
    """`<Storyboard>`. MarqueError: anything in it that is not played."""
    init = _read_init(node.child("Init"), catalogs)
    stories = tuple(_read_story(each, catalogs) for each in node.all("Story"))
    stop = node.maybe("StopTrigger")
    return Storyboard(init, stories, None if stop is None else read_trigger(stop, catalogs))


@element
def _read_init(node: Reader, catalogs: Catalogs) -> tuple[InitAction, ...]:
    return _read_init_actions(node.child("Actions"), catalogs)


@element
def _read_init_actions(node: Reader, catalogs: Catalogs) -> tuple[InitAction, ...]:
    out: list[InitAction] = []
    for each in node.all("GlobalAction", "Private"):
        if each.tag == "GlobalAction":
            out.append(InitAction("", Action("", read_global(each, catalogs), False, each)))
        else:
            out += _read_private_init(each, catalogs)
    return tuple(out)


@element
def _read_private_init(node: Reader, catalogs: Catalogs) -> list[InitAction]:
    name = node.text("entityRef")
    return [
        InitAction(name, Action("", read_private(each, catalogs), True, each))
        for each in node.all("PrivateAction")
    ]


@element
def _read_story(node: Reader, catalogs: Catalogs) -> Story:
    return Story(
        node.text("name", ""), tuple(_read_act(each, catalogs) for each in node.all("Act"))
    )


@element
def _read_act(node: Reader, catalogs: Catalogs) -> Act:
    start, stop = node.maybe("StartTrigger"), node.maybe("StopTrigger")
    return Act(
        node.text("name"),
        tuple(_read_group(each, catalogs) for each in node.all("ManeuverGroup")),
        None if start is None else read_trigger(start, catalogs),
        None if stop is None else read_trigger(stop, catalogs),
    )


@element
def _read_group(node: Reader, catalogs: Catalogs) -> Group:
    maneuvers = tuple(
        _read_maneuver(catalogs.open(each, "Maneuver") if each.tag == REFERENCE else each, catalogs)
        for each in node.all("Maneuver", REFERENCE)
    )
    return Group(
        node.text("name"),
        node.integer("maximumExecutionCount"),
        _read_actors(node.child("Actors")),
        maneuvers,
    )


@element
def _read_actors(node: Reader) -> tuple[str, ...]:
    if node.flag("selectTriggeringEntities"):
        raise node.error("has selectTriggeringEntities='true', which is not supported; name actors")
    return tuple(_read_ref(each) for each in node.all("EntityRef"))


@element
def _read_ref(node: Reader) -> str:
    return node.text("entityRef")


@element
def _read_maneuver(node: Reader, catalogs: Catalogs) -> Maneuver:
    events = tuple(_read_event(each, catalogs) for each in node.all("Event"))
    return Maneuver(node.text("name"), events)


@element
def _read_event(node: Reader, catalogs: Catalogs) -> Event:
    actions = tuple(_read_action(each, catalogs) for each in node.all("Action"))
    if not actions:
        raise node.error("has no action")
    start = node.maybe("StartTrigger")
    most = node.integer("maximumExecutionCount") if node.has("maximumExecutionCount") else 1
    return Event(
        node.text("name"),
        node.choice("priority", PRIORITIES),
        most,
        actions,
        None if start is None else read_trigger(start, catalogs),
    )


@element
def _read_action(node: Reader, catalogs: Catalogs) -> Action:
    held = node.child("PrivateAction", "GlobalAction")
    private = held.tag == "PrivateAction"
    what: PrivateAction | GlobalAction
    what = read_private(held, catalogs) if private else read_global(held, catalogs)
    return Action(node.text("name"), what, private, node.node)
