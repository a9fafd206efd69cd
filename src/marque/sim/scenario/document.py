"""A scenario file, read whole: parameters put in, catalogs opened, nothing skipped."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marque.core.errors import MarqueError
from marque.core.xml_tree import Node
from marque.sim.scenario.catalogs import Catalogs, read_root
from marque.sim.scenario.entities import Entity, read_entities
from marque.sim.scenario.parameters import (
    DECLARATIONS,
    Parameter,
    declare,
    resolved,
    resolved_with,
    typed,
    unsupported,
)
from marque.sim.scenario.reader import Reader, element
from marque.sim.scenario.storyboard import Storyboard, read_storyboard

SCENARIO = (
    "FileHeader", DECLARATIONS, "VariableDeclarations", "CatalogLocations", "RoadNetwork",
    "Entities", "Storyboard", "MonitorDeclarations",
)  # fmt: skip
VARIATION, CATALOG = "ParameterValueDistribution", "Catalog"


@dataclass(frozen=True, slots=True)
class Phase:
    """Of a signal controller."""

    name: str
    duration_s: float
    states: tuple[tuple[str, str], ...]  # signal, state


@dataclass(frozen=True, slots=True)
class SignalController:
    """Phases in turn. delay_s: after the beginning of the controller `reference`, if named."""

    name: str
    delay_s: float
    reference: str
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """The road file, None where the scenario has none; and signals."""

    roads: Path | None
    controllers: tuple[SignalController, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario with every parameter settled."""

    file: Path
    parameters: dict[str, Parameter]
    variables: dict[str, Parameter]
    network: Network
    entities: tuple[Entity, ...]
    storyboard: Storyboard


def read_scenario(path: Path, given: Mapping[str, str] | None = None) -> Scenario:
    """A concrete scenario. given: values that replace declared ones.

    MarqueError: not there, malformed, another format, an unknown parameter, a missing catalog, a
    reference that includes itself, an element that is not supported; each with file and line.
    OutsideConstraints: the file itself rules a value out.
    """
    root = scenario_root(path)
    for node in root.children:
        if node.tag not in (*SCENARIO, "Properties"):
            raise unsupported(node, SCENARIO)
    scope = declare(root, {}, given or {}, str(path))
    parts = {
        node.tag: resolved(node, scope) for node in root.children if node.tag not in DECLARATIONS
    }
    catalogs = Catalogs(parts.get("CatalogLocations"), path.parent)
    network = read_network(_need(root, parts, "RoadNetwork"), path.parent)
    entities = read_entities(_need(root, parts, "Entities"), catalogs)
    board = read_storyboard(_need(root, parts, "Storyboard"), catalogs)
    monitors = parts.get("MonitorDeclarations")
    if monitors is not None and monitors.children:
        raise unsupported(monitors.children[0], ())
    variables = _variables(parts.get("VariableDeclarations"))
    return Scenario(path, scope, variables, network, entities, board)


def scenario_root(path: Path) -> Node:
    """The root of a concrete scenario. MarqueError: it is a variation or a catalog."""
    root = read_root(path)
    for tag, what in ((VARIATION, "a variation of a scenario"), (CATALOG, "a catalog")):
        if root.first(tag) is not None:
            raise MarqueError(f"{path} is {what}, not a scenario that can be played")
    return root


def settled(path: Path, given: Mapping[str, str]) -> dict[str, Parameter]:
    """The parameters of a scenario alone, as `read_scenario` settles them."""
    return declare(scenario_root(path), {}, given, str(path))


def _need(root: Node, parts: Mapping[str, Node], tag: str) -> Node:
    if tag not in parts:
        raise root.error(f"lacks <{tag}>")
    return parts[tag]


def _variables(node: Node | None) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for each in node.children if node is not None else ():
        if each.tag != "VariableDeclaration":
            raise unsupported(each, ("VariableDeclaration",))
        name = each.need("name")
        if name in found:
            raise each.error(f"declares '{name}' a second time")
        found[name] = typed(each, name, each.need("variableType"), each.need("value"))
    return found


def read_network(node: Node, base: Path) -> Network:
    """`<RoadNetwork>`; file names are relative to `base`."""
    return _read_network(resolved_with(node, {}), base)


@element
def _read_network(node: Reader, base: Path) -> Network:
    logic, scene = node.maybe("LogicFile"), node.maybe("SceneGraphFile")
    if scene is not None:
        _read_file(scene)  # a picture of the roads; for renderers
    signals = node.maybe("TrafficSignals")
    controllers = () if signals is None else _read_signals(signals)
    roads = None if logic is None else base / _read_file(logic)
    return Network(roads, controllers)


@element
def _read_file(node: Reader) -> str:
    return node.text("filepath")


@element
def _read_signals(node: Reader) -> tuple[SignalController, ...]:
    return tuple(_read_controller(each) for each in node.all("TrafficSignalController"))


@element
def _read_controller(node: Reader) -> SignalController:
    phases = tuple(_read_phase(each) for each in node.all("Phase"))
    return SignalController(
        node.text("name"), node.positive("delay", 0.0), node.text("reference", ""), phases
    )


@element
def _read_phase(node: Reader) -> Phase:
    states = tuple(_read_state(each) for each in node.all("TrafficSignalState"))
    return Phase(node.text("name"), node.positive("duration"), states)


@element
def _read_state(node: Reader) -> tuple[str, str]:
    return node.text("trafficSignalId"), node.text("state")
