"""What a generated map is drawn from: nodes, roads between them, and rules at the nodes."""

from dataclasses import dataclass, field

import numpy as np

from marque.core.arrays import FloatArray

LANE_M = 3.3
CAR_CLASSES = frozenset(
    [
        "private",
        "emergency",
        "authority",
        "army",
        "vip",
        "passenger",
        "hov",
        "taxi",
        "bus",
        "coach",
        "delivery",
        "truck",
        "trailer",
        "motorcycle",
        "moped",
        "evehicle",
    ]
)
STREET_CLASSES = CAR_CLASSES | {"bicycle"}
SIGNAL, PRIORITY, EQUAL, JOIN = "traffic_light", "priority", "right_before_left", "join"


@dataclass(slots=True)
class Node:
    """A junction, or a place where roads meet end to end (JOIN)."""

    name: str
    xy_m: FloatArray
    kind: str = PRIORITY
    radius_m: float = 11.0  # roads end so far before it
    walks: bool = False
    ring: bool = False  # of a roundabout


@dataclass(slots=True)
class Road:
    """One direction of a road. Lane 0 is at the right; lanes lie to the right of `line_m`."""

    name: str
    start: str
    end: str
    line_m: FloatArray  # [n, 2]
    lanes: int = 1
    limit_mps: float = 50.0 / 3.6
    major: bool = False  # goes first where it meets others
    ring: bool = False
    level_m: float = 0.0
    classes: frozenset[str] = STREET_CLASSES
    stops: list[float] = field(default_factory=list)  # bus stops, metres from the start


@dataclass(slots=True)
class Plan:
    """A whole map. links: (road, lane, road, lane); at a node that has any, no others are made."""

    name: str
    nodes: dict[str, Node] = field(default_factory=dict)
    roads: dict[str, Road] = field(default_factory=dict)
    links: list[tuple[str, int, str, int]] = field(default_factory=list)

    def node(self, name: str, x: float, y: float, **more: object) -> Node:
        """Add a node."""
        self.nodes[name] = Node(name, np.array([x, y]), **more)  # type: ignore[arg-type]
        return self.nodes[name]

    def road(self, start: str, end: str, **more: object) -> Road:
        """Add one direction of a road; straight, unless `line_m` says otherwise."""
        line = more.pop("line_m", None)
        if line is None:
            line = np.array([self.nodes[start].xy_m, self.nodes[end].xy_m])
        name = str(more.pop("name", f"{start}{end}"))
        self.roads[name] = Road(name, start, end, line, **more)  # type: ignore[arg-type]
        return self.roads[name]

    def street(self, a: str, b: str, **more: object) -> None:
        """Both directions."""
        self.road(a, b, **more)
        line = more.pop("line_m", None)
        back = {} if line is None else {"line_m": np.asarray(line)[::-1]}
        self.road(b, a, **more, **back)
