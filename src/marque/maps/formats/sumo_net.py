"""SUMO's network file (.net.xml, .net.xml.gz) read into plain records, in one streaming pass.

Only what a RoadMap needs is kept. Coordinates stay in the network's own frame (metres, ENU), which
is the map frame. Nothing is judged here; `sumo_build` makes the RoadMap.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.types.codes import Allow, LaneKind

GZIP_MAGIC = b"\x1f\x8b"

_ROAD = (
    "private emergency authority army vip passenger hov taxi bus coach delivery truck trailer "
    "motorcycle moped bicycle pedestrian evehicle wheelchair scooter custom1 custom2"
)
_RAIL = (
    "tram rail_urban rail rail_electric rail_fast subway cable_car ship aircraft drone container"
)
ROAD_CLASSES = frozenset(_ROAD.split())
RAIL_CLASSES = frozenset(_RAIL.split())
ALL_CLASSES = ROAD_CLASSES | RAIL_CLASSES


@dataclass(slots=True)
class NetLane:
    """One `<lane>` of an edge."""

    name: str
    index: int
    classes: frozenset[str]
    speed_mps: float
    width_m: float
    shape_m: FloatArray  # [n, 2]
    elevation_m: float
    change_left: frozenset[str]
    change_right: frozenset[str]
    opposite: str  # name of the `<neigh>` lane, "" if none
    ways: str  # ids of the OSM ways behind it, space separated, "" if unknown
    opposite_ok: bool | None = None  # its marks let one pass on `opposite`; None: not known


@dataclass(slots=True)
class NetEdge:
    """One `<edge>`; `function` is "" for a road."""

    name: str
    function: str
    start: str
    end: str
    kind: str
    lanes: list[NetLane]


@dataclass(slots=True)
class NetJunction:
    """One `<junction>`; `yields[i]` has bit j set when link i yields to link j."""

    name: str
    kind: str
    xy_m: tuple[float, float]
    inner: list[str]
    shape_m: FloatArray
    yields: dict[int, int]
    foes: dict[int, int]


@dataclass(slots=True)
class NetConnection:
    """One `<connection>`; `link` is -1 without a traffic light."""

    start: str  # lane name
    end: str  # lane name
    via: str
    signal: str
    link: int
    turn: str
    state: str


@dataclass(slots=True)
class NetProgram:
    """One `<tlLogic>`."""

    signal: str
    program: str
    offset_s: float
    durations_s: list[float]
    states: list[str]


@dataclass(slots=True)
class Net:
    """The whole file."""

    projection: str = ""
    offset_m: tuple[float, float] = (0.0, 0.0)
    left_hand: bool = False
    from_osm: bool = False
    edges: list[NetEdge] = field(default_factory=list)
    junctions: list[NetJunction] = field(default_factory=list)
    connections: list[NetConnection] = field(default_factory=list)
    programs: list[NetProgram] = field(default_factory=list)
    roundabout_edges: set[str] = field(default_factory=set)


def read_net(data: bytes, label: str) -> Net:
    """Parse a network given as bytes, gzipped or not. MarqueError names what is wrong with it."""
    try:
        with _open(data) as stream:
            return _read(stream, label)
    except ElementTree.ParseError as error:
        raise MarqueError(f"{label} is not a whole SUMO network: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise MarqueError(f"{label} is not a whole gzip file: {error}") from error
    except (KeyError, ValueError, IndexError) as error:
        raise MarqueError(f"{label} is a damaged SUMO network: bad or missing {error}") from error


def read_bytes(path: Path) -> bytes:
    """The file's content. MarqueError: missing, a folder, unreadable, empty."""
    if not path.exists():
        raise MarqueError(f"no file {path}")
    if path.is_dir():
        raise MarqueError(f"{path} is a folder; a map file is needed")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    if not data:
        raise MarqueError(f"{path} is empty")
    return data


def packed(data: bytes) -> bytes:
    """The network gzipped (as it is when it already was)."""
    return data if data[:2] == GZIP_MAGIC else gzip.compress(data, compresslevel=6, mtime=0)


def _open(data: bytes) -> IO[bytes]:
    stream = io.BytesIO(data)
    if data[:2] != GZIP_MAGIC:
        return stream
    return io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 20)


def _read(stream: IO[bytes], label: str) -> Net:
    net = Net()
    root: ElementTree.Element | None = None
    for event, element in _events(stream):
        if event == "start":
            if root is None:
                root = element
                _check_root(element, label)
                net.left_hand = element.get("lefthand", "false") in ("true", "1")
            continue
        _take(net, element)
        if element.tag in _TOP and root is not None:
            root.clear()
    return net


def _events(stream: IO[bytes]) -> Iterator[tuple[str, ElementTree.Element]]:
    return ElementTree.iterparse(stream, events=("start", "end"))


def _check_root(root: ElementTree.Element, label: str) -> None:
    if root.tag != "net":
        raise MarqueError(f"{label} is not a SUMO network: its root is <{root.tag}>, not <net>")


_TOP = frozenset(("edge", "junction", "connection", "tlLogic", "roundabout", "location", "type"))


def _take(net: Net, element: ElementTree.Element) -> None:
    match element.tag:
        case "edge":
            edge = _edge(element)
            net.edges.append(edge)
            net.from_osm = net.from_osm or edge.kind.startswith("highway.")
        case "connection":
            net.connections.append(_connection(element))
        case "junction":
            if element.get("type") != "internal":
                net.junctions.append(_junction(element))
        case "tlLogic":
            net.programs.append(_program(element))
        case "roundabout":
            net.roundabout_edges.update(element.get("edges", "").split())
        case "location":
            x, y = element.get("netOffset", "0,0").split(",")[:2]
            net.offset_m = (float(x), float(y))
            projection = element.get("projParameter", "!")
            net.projection = "" if projection in ("!", "-", ".") else projection
        case _:
            pass


def _edge(element: ElementTree.Element) -> NetEdge:
    ways = _param(element, "origId")
    return NetEdge(
        name=element.attrib["id"],
        function=element.get("function", "").replace("normal", ""),
        start=element.get("from", ""),
        end=element.get("to", ""),
        kind=element.get("type", ""),
        lanes=[_lane(lane, ways) for lane in element.findall("lane")],
    )


def _lane(element: ElementTree.Element, ways: str) -> NetLane:
    shape, elevation_m = parse_shape(element.get("shape", ""))
    if len(shape) == 0:
        raise ValueError(f"shape of lane '{element.attrib['id']}'")
    neighbour = element.find("neigh")
    return NetLane(
        name=element.attrib["id"],
        index=int(element.get("index", "0")),
        classes=classes_of(element.get("allow"), element.get("disallow")),
        speed_mps=float(element.get("speed", "13.89")),
        width_m=float(element.get("width", "3.2")),
        shape_m=shape,
        elevation_m=elevation_m,
        change_left=classes_of(element.get("changeLeft"), None),
        change_right=classes_of(element.get("changeRight"), None),
        opposite="" if neighbour is None else neighbour.get("lane", ""),
        ways=_param(element, "origId") or ways,
    )


def _param(element: ElementTree.Element, key: str) -> str:
    for param in element.findall("param"):
        if param.get("key") == key:
            return param.get("value", "")
    return ""


def _junction(element: ElementTree.Element) -> NetJunction:
    shape, _ = parse_shape(element.get("shape", ""))
    requests = element.findall("request")
    return NetJunction(
        name=element.attrib["id"],
        kind=element.get("type", ""),
        xy_m=(float(element.get("x", "0")), float(element.get("y", "0"))),
        inner=element.get("intLanes", "").split(),
        shape_m=shape,
        yields={int(r.attrib["index"]): int(r.get("response") or "0", 2) for r in requests},
        foes={int(r.attrib["index"]): int(r.get("foes") or "0", 2) for r in requests},
    )


def _connection(element: ElementTree.Element) -> NetConnection:
    get = element.attrib
    return NetConnection(
        start=f"{get['from']}_{get.get('fromLane', '0')}",
        end=f"{get['to']}_{get.get('toLane', '0')}",
        via=get.get("via", ""),
        signal=get.get("tl", ""),
        link=int(get.get("linkIndex", "-1")),
        turn=get.get("dir", "s"),
        state=get.get("state", "M"),
    )


def _program(element: ElementTree.Element) -> NetProgram:
    phases = element.findall("phase")
    return NetProgram(
        signal=element.attrib["id"],
        program=element.get("programID", "0"),
        offset_s=_seconds(element.get("offset", "0")),
        durations_s=[float(phase.get("duration", "0")) for phase in phases],
        states=[phase.get("state", "") for phase in phases],
    )


def _seconds(text: str) -> float:
    return 0.0 if text == "begin" else float(text)


def parse_shape(text: str) -> tuple[FloatArray, float]:
    """`x,y x,y,z ...` -> points [n, 2] and mean z (0 without z)."""
    rows = [part.split(",") for part in text.split()]
    if not rows:
        return np.zeros((0, 2)), 0.0
    xy = np.array([(float(row[0]), float(row[1])) for row in rows])
    if not np.isfinite(xy).all():
        raise ValueError(f"number in shape '{text[:60]}'")
    heights = [float(row[2]) for row in rows if len(row) > 2]
    return xy, float(np.mean(heights)) if heights else 0.0


@lru_cache(maxsize=4096)
def classes_of(allow: str | None, disallow: str | None) -> frozenset[str]:
    """Vehicle classes from SUMO's allow / disallow lists; neither given means all."""
    if allow is not None and allow != "":
        return ALL_CLASSES if allow == "all" else frozenset(allow.split())
    if disallow is not None and disallow != "":
        return frozenset() if disallow == "all" else ALL_CLASSES - frozenset(disallow.split())
    return ALL_CLASSES


@lru_cache(maxsize=4096)
def allow_bits(classes: frozenset[str]) -> int:
    """Bits of `Allow`."""
    bits = 0
    for bit, names in _BITS:
        if classes & names:
            bits |= bit
    return bits


_BITS = (
    (Allow.CAR, frozenset(("passenger",))),
    (Allow.TRUCK, frozenset(("truck",))),
    (Allow.BUS, frozenset(("bus", "coach"))),
    (Allow.BICYCLE, frozenset(("bicycle",))),
    (Allow.PEDESTRIAN, frozenset(("pedestrian",))),
    (Allow.MOTORCYCLE, frozenset(("motorcycle",))),
)


@lru_cache(maxsize=4096)
def kind_of(classes: frozenset[str]) -> LaneKind:
    """What a lane with these users is for."""
    if "passenger" in classes:
        return LaneKind.DRIVE
    if classes & {"bus", "coach", "taxi"}:
        return LaneKind.BUS
    if "bicycle" in classes:
        return LaneKind.BIKE
    if "pedestrian" in classes:
        return LaneKind.WALK
    if classes and classes <= {"emergency", "authority", "custom1", "custom2"}:
        return LaneKind.SHOULDER
    return LaneKind.OTHER
