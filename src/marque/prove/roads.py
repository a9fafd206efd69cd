"""Small road networks drawn from a seed: plain nouns here, SUMO's netconvert makes them roads.

Local frame: metres, x east, y north; the whole network is turned by `Roads.turn_rad` when it is
written, so that no situation depends on a compass direction.
"""

import math
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.maps.formats import import_map
from marque.maps.formats.netconvert import sumo_folder
from marque.types.road_map import RoadMap

NETCONVERT = {
    "no-turnarounds": "true",
    "offset.disable-normalization": "true",
    "junctions.internal-link-detail": "8",
    "junctions.corner-detail": "5",
    "junctions.limit-turn-speed": "5.5",
    "tls.default-type": "static",
    "tls.left-green.time": "0",
    "no-warnings": "true",
    "precision": "3",
}
TIME_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Node:
    """A junction or an end. `kind` is netconvert's node type."""

    name: str
    x_m: float
    y_m: float
    kind: str = "priority"
    radius_m: float | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A road, one direction, straight unless `shape_m` gives points in between (ends included).

    Lanes for cars count from the kerb, 0 first; a bicycle lane and a sidewalk lie outside of them.
    """

    name: str
    start: str
    end: str
    limit_mps: float
    lanes: int = 1
    width_m: float = 3.25
    sidewalk_m: float = 0.0
    bike_m: float = 0.0
    priority: int = 5
    shape_m: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A connection between car lanes (counted from the kerb)."""

    start: str
    end: str
    start_lane: int = 0
    end_lane: int = 0


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crosswalk at a node over some of its edges."""

    node: str
    edges: tuple[str, ...]
    width_m: float = 4.0
    priority: bool = True


@dataclass(frozen=True, slots=True)
class Signal:
    """Durations of the program at a node, and one event of it that is pinned to a time.

    The first green from the edge `start` to the edge `end` begins (`event` "green") or ends in
    amber ("amber") at `at_s`, in the traffic's own time. `greens_s`: duration of that green, and
    of every other green of the program.
    """

    node: str
    start: str
    end: str
    event: str
    at_s: float
    greens_s: tuple[float, float]
    amber_s: float
    all_red_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Roads:
    """One network."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    links: tuple[Link, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    rings: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()  # nodes, edges of roundabouts
    signals: tuple[Signal, ...] = ()
    turn_rad: float = 0.0
    corner_m: float = 5.0  # kerb radius at junctions

    def edge(self, name: str) -> Edge:
        """By name."""
        return next(each for each in self.edges if each.name == name)

    def node(self, name: str) -> Node:
        """By name."""
        return next(each for each in self.nodes if each.name == name)

    def turned(self, x_m: float, y_m: float) -> tuple[float, float]:
        """A point of the local frame as it is written."""
        c, s = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return c * x_m - s * y_m, s * x_m + c * y_m


def lane_name(roads: Roads, edge: str, lane: int) -> str:
    """SUMO's name of the car lane `lane` (0 at the kerb) of an edge."""
    of = roads.edge(edge)
    outside = (of.sidewalk_m > 0.0) + (of.bike_m > 0.0)
    return f"{edge}_{lane + outside}"


def build_roads(roads: Roads, folder: Path) -> tuple[RoadMap, Path]:
    """Write the plain files into `folder`, convert and import: the map, and SUMO's network.

    MarqueError: SUMO missing, or netconvert refuses the network.
    """
    made = build_net(roads, folder, "x")
    return import_map(made)[0], made


def build_net(roads: Roads, folder: Path, name: str) -> Path:
    """Write the plain files into `folder` and convert them: SUMO's network `name`.net.xml.

    MarqueError: SUMO missing, or netconvert refuses the network.
    """
    write_text(folder / "x.nod.xml", _nodes(roads))
    write_text(folder / "x.edg.xml", _edges(roads))
    write_text(folder / "x.con.xml", _connections(roads))
    made = folder / f"{name}.net.xml"
    _convert(roads, folder, made)
    if roads.signals:
        _time_signals(roads, made)
    return made


def _convert(roads: Roads, folder: Path, made: Path) -> None:
    home = sumo_folder()
    command = [str(home / "bin" / ("netconvert.exe" if os.name == "nt" else "netconvert"))]
    for option, suffix in (("node", "nod"), ("edge", "edg"), ("connection", "con")):
        command += [f"--{option}-files", str(folder / f"x.{suffix}.xml")]
    options = {**NETCONVERT, "default.junctions.radius": f"{roads.corner_m:g}"}
    if any(edge.sidewalk_m > 0.0 for edge in roads.edges):
        options["walkingareas"] = "true"
    for name, value in options.items():
        command += [f"--{name}", value]
    command += ["--output-file", str(made)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "SUMO_HOME": str(home)},
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MarqueError(f"cannot run netconvert: {error}") from error
    if done.returncode != 0 or not made.exists():
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise MarqueError(f"netconvert refuses a drawn network: {(words or ['no message'])[0]}")


def _row(tag: str, **values: object) -> str:
    text = " ".join(f"{name.rstrip('_')}={quoteattr(str(value))}" for name, value in values.items())
    return f"<{tag} {text}/>"


def _nodes(roads: Roads) -> str:
    rows = []
    for node in roads.nodes:
        x, y = roads.turned(node.x_m, node.y_m)
        more: dict[str, object] = {} if node.radius_m is None else {"radius": f"{node.radius_m:g}"}
        rows.append(_row("node", id=node.name, x=f"{x:.3f}", y=f"{y:.3f}", type=node.kind, **more))
    return "<nodes>\n" + "\n".join(rows) + "\n</nodes>\n"


def _edges(roads: Roads) -> str:
    rows = []
    for edge in roads.edges:
        more: dict[str, object] = {}
        if edge.sidewalk_m > 0.0:
            more["sidewalkWidth"] = f"{edge.sidewalk_m:g}"
        if edge.bike_m > 0.0:
            more["bikeLaneWidth"] = f"{edge.bike_m:g}"
        if edge.shape_m:
            points = [roads.turned(x, y) for x, y in edge.shape_m]
            more["shape"] = " ".join(f"{x:.3f},{y:.3f}" for x, y in points)
        rows.append(
            _row(
                "edge", id=edge.name, from_=edge.start, to=edge.end, numLanes=edge.lanes,
                speed=f"{edge.limit_mps:.3f}", width=f"{edge.width_m:g}", priority=edge.priority,
                disallow="tram rail rail_urban rail_electric pedestrian", **more,
            )
        )  # fmt: skip
    rows += [
        _row("roundabout", nodes=" ".join(nodes), edges=" ".join(edges))
        for nodes, edges in roads.rings
    ]
    return "<edges>\n" + "\n".join(rows) + "\n</edges>\n"


def _connections(roads: Roads) -> str:
    rows = []
    for link in roads.links:
        start, end = (
            lane_name(roads, edge, lane).rsplit("_", 1)[1]
            for edge, lane in ((link.start, link.start_lane), (link.end, link.end_lane))
        )
        rows.append(_row("connection", from_=link.start, to=link.end, fromLane=start, toLane=end))
    rows += [
        _row(
            "crossing", node=crossing.node, edges=" ".join(crossing.edges),
            priority="true" if crossing.priority else "false", width=f"{crossing.width_m:g}",
        )
        for crossing in roads.crossings
    ]  # fmt: skip
    return "<connections>\n" + "\n".join(rows) + "\n</connections>\n"


def _time_signals(roads: Roads, made: Path) -> None:
    """Durations and offsets of the converted programs, as the signals ask."""
    tree = ElementTree.parse(made)
    root = tree.getroot()
    for signal in roads.signals:
        program = root.find(f"tlLogic[@id='{signal.node}']")
        if program is None:
            raise MarqueError(f"netconvert made no signal program at node '{signal.node}'")
        links = [
            int(row.get("linkIndex", "-1"))
            for row in root.iter("connection")
            if row.get("tl") == signal.node
            and row.get("from") == signal.start
            and row.get("to") == signal.end
        ]
        if not links:
            raise MarqueError(f"no signal from '{signal.start}' to '{signal.end}'")
        _set_phases(program, min(links), signal)
    tree.write(made, encoding="utf-8", xml_declaration=True)


def _set_phases(program: ElementTree.Element, link: int, signal: Signal) -> None:
    phases = program.findall("phase")
    states = [phase.get("state", "") for phase in phases]
    ours = [i for i, state in enumerate(states) if state[link] in "Gg"]
    for i, (phase, state) in enumerate(zip(phases, states, strict=True)):
        if "y" in state.lower():
            duration = signal.amber_s
        elif "g" not in state.lower():
            duration = signal.all_red_s
        elif i == ours[0]:
            duration = signal.greens_s[0]
        elif i in ours:  # the tail of our green, in which crosswalks are cleared already
            duration = 4.0
        else:
            # a green of others that is split for crosswalks, too, keeps its total
            first = i == 0 or "g" not in states[i - 1].lower()
            tail = i + 1 < len(states) and "g" in states[i + 1].lower() and "y" not in states[i + 1]
            duration = (signal.greens_s[1] - 4.0 * tail) if first else 4.0
        phase.set("duration", f"{max(3.0, duration):.1f}")
    durations = [float(phase.get("duration", "0")) for phase in phases]
    at = sum(durations[: ours[0]])
    if signal.event == "amber":
        at = sum(durations[: ours[-1] + 1])
    cycle = sum(durations)
    program.set("offset", f"{(signal.at_s - at) % cycle:.1f}")
