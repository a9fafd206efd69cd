"""An OpenDRIVE file (1.4 to 1.8) read into records; what is wrong or not supported is named with
its line."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from marque.core.errors import MarqueError
from marque.core.units import KPH
from marque.core.xml_tree import Node, parse_xml
from marque.maps.formats.opendrive.plan import read_plan
from marque.maps.formats.opendrive.records import (
    END,
    START,
    Access,
    Connection,
    Document,
    JunctionRecord,
    LaneRecord,
    Limit,
    Mark,
    Poly,
    RoadLink,
    RoadObject,
    RoadRecord,
    RoadType,
    Section,
    Signal,
)
from marque.maps.formats.opendrive.uses import KINDS

MPH_MPS = 0.44704
UNITS = {"": 1.0, "m/s": 1.0, "km/h": KPH, "mph": MPH_MPS}
NO_LIMIT = ("no limit", "undefined")
CONTACTS = {"start": START, "end": END}
PLACED = TypeVar("PLACED", Poly, Mark, Limit, Access, RoadType)


def parse(data: bytes, file: str) -> Document:
    """All records of a file. file: how complaints name it.

    MarqueError with file and line: malformed XML, another format, an element or attribute that is
    missing or wrong, geometry that is unknown or torn, a junction that is not read.
    """
    root = parse_xml(data, file)
    if root.tag != "OpenDRIVE":
        raise MarqueError(f"{file} is no OpenDRIVE file: its root is <{root.tag}>")
    header = root.first("header")
    if header is None:
        raise root.error("lacks <header>")
    _check_version(header)
    included = next((node for node in root.walk() if node.tag == "include"), None)
    if included is not None:
        raise included.error("is not supported: put the content into one file")
    roads = _named((_road(node) for node in root.all("road")), lambda road: road.road_id, root)
    if not roads:
        raise root.error("has no <road>")
    junctions = _named(
        (_junction(node) for node in root.all("junction")), lambda one: one.junction_id, root
    )
    reference = header.first("geoReference")
    return Document(
        file=file,
        name=header.get("name"),
        geo_reference="" if reference is None else reference.text.strip(),
        offset=_offset(header),
        roads=roads,
        junctions=junctions,
        controllers={
            node.need("id"): tuple(one.need("signalId") for one in node.all("control"))
            for node in root.all("controller")
        },
        notes=_notes(root),
    )


def _check_version(header: Node) -> None:
    major, minor = header.integer("revMajor"), header.integer("revMinor")
    if major != 1 or not 4 <= minor <= 8:
        raise header.error(f"says version {major}.{minor}; this program reads 1.4 to 1.8")


ITEM = TypeVar("ITEM", RoadRecord, JunctionRecord)


def _named(items: Iterable[ITEM], name: Callable[[ITEM], str], root: Node) -> dict[str, ITEM]:
    out: dict[str, ITEM] = {}
    for item in items:
        if name(item) in out:
            raise MarqueError(
                f"{root.file}:{item.line}: id '{name(item)}' stands at line "
                f"{out[name(item)].line} already"
            )
        out[name(item)] = item
    return out


def _offset(header: Node) -> tuple[float, float, float]:
    node = header.first("offset")
    if node is None:
        return 0.0, 0.0, 0.0
    return node.number("x", 0.0), node.number("y", 0.0), node.number("hdg", 0.0)


def _notes(root: Node) -> tuple[str, ...]:
    """What the file says and nobody here uses."""
    counts = {
        "elevation": "heights are projected away: the world is a plane",
        "superelevation": "the roads' cross slope is projected away",
        "shape": "the roads' cross profile is projected away",
        "railroad": "railways are not read",
        "station": "stations are not read",
        "junctionGroup": "junction groups are not read",
        "bridge": "bridges are not read",
        "tunnel": "tunnels are not read",
        "surface": "road surfaces are not read",
        "object": "objects are read only if they are crosswalks",
    }
    found: dict[str, int] = dict.fromkeys(counts, 0)
    for node in root.walk():
        if node.tag in counts and (node.children or node.attributes):
            level = node.tag in ("elevation", "superelevation")
            flat = level and not any(node.number(k, 0.0) for k in "abcd")
            found[node.tag] += not flat
    return tuple(f"{counts[tag]} ({count} <{tag}>)" for tag, count in found.items() if count)


def _road(node: Node) -> RoadRecord:
    length = node.number("length")
    junction = node.get("junction", "-1")
    rule = node.get("rule", "RHT")
    if rule not in ("RHT", "LHT"):
        raise node.error(f"has rule='{rule}'; have [RHT, LHT]")
    plan = node.first("planView")
    if plan is None:
        raise node.error("lacks <planView>")
    pieces, knots, piece_lines = read_plan(plan, length)
    lanes = node.first("lanes")
    if lanes is None:
        raise node.error("lacks <lanes>")
    profile = node.first("elevationProfile")
    link = node.first("link")
    return RoadRecord(
        road_id=node.need("id"),
        name=node.get("name"),
        length_m=length,
        junction="" if junction == "-1" else junction,
        left_hand=rule == "LHT",
        types=_sorted(_road_type(one) for one in node.all("type")),
        predecessor=_road_link(link, "predecessor"),
        successor=_road_link(link, "successor"),
        pieces=pieces,
        knots=knots,
        piece_lines=piece_lines,
        lane_offsets=_sorted(_poly(one, "s", 0.0) for one in lanes.all("laneOffset")),
        elevations=()
        if profile is None
        else _sorted(_poly(one, "s", 0.0) for one in profile.all("elevation")),
        sections=_sections(lanes, length),
        signals=_signals(node),
        objects=_objects(node),
        line=node.line,
    )


def _sorted(items: Iterable[PLACED]) -> tuple[PLACED, ...]:
    return tuple(sorted(items, key=lambda item: item.s_m))


def _road_type(node: Node) -> RoadType:
    s = node.number("s")
    speed = node.first("speed")
    limit = None if speed is None else _limit(speed, s)
    return RoadType(s, node.need("type"), node.get("country"), limit)


def _limit(node: Node, s: float) -> Limit:
    if node.need("max") in NO_LIMIT:
        return Limit(s, None)
    unit = node.get("unit")
    if unit not in UNITS:
        raise node.error(f"has unit='{unit}'; have [{', '.join(u for u in UNITS if u)}]")
    speed = node.number("max") * UNITS[unit]
    if speed <= 0.0:
        raise node.error(f"has max='{node.get('max')}', which is no speed to drive at")
    return Limit(s, speed)


def _road_link(link: Node | None, tag: str) -> RoadLink | None:
    node = None if link is None else link.first(tag)
    if node is None:
        return None
    kind = node.need("elementType")
    if kind == "junction":
        return RoadLink(True, node.need("elementId"), START, node.line)
    if kind != "road":
        raise node.error(f"has elementType='{kind}'; have [junction, road]")
    if "elementS" in node.attributes:
        raise node.error("joins a road in its middle (elementS), which is not supported")
    return RoadLink(False, node.need("elementId"), _contact(node), node.line)


def _contact(node: Node) -> int:
    text = node.need("contactPoint")
    if text not in CONTACTS:
        raise node.error(f"has contactPoint='{text}'; have [end, start]")
    return CONTACTS[text]


def _poly(node: Node, name: str, start: float) -> Poly:
    a, b, c, d = (node.number(k) for k in "abcd")
    s = node.number(name)
    if s < -1e-6:
        raise node.error(f"has {name}='{node.get(name)}', which lies before its start")
    return Poly(start + s, (a, b, c, d))


def _sections(lanes: Node, length: float) -> tuple[Section, ...]:
    nodes = lanes.all("laneSection")
    if not nodes:
        raise lanes.error("has no <laneSection>")
    starts = [node.number("s") for node in nodes]
    if abs(starts[0]) > 1e-3:
        raise nodes[0].error(f"starts at s={starts[0]:g}; the first one has to start at 0")
    starts[0] = 0.0
    out = []
    for node, s, end in zip(nodes, starts, [*starts[1:], length], strict=True):
        if node.get("singleSide") in ("true", "1"):
            raise node.error("is of one side only (singleSide), which is not supported")
        if not end > s:
            raise node.error(f"starts at s={s:g} and ends at s={end:g}")
        out.append(_section(node, s, end))
    return tuple(out)


def _section(node: Node, s: float, end: float) -> Section:
    centre = node.first("center")
    middle = None if centre is None else centre.first("lane")
    if middle is None:
        raise node.error("lacks <center> with lane 0")
    found: dict[int, LaneRecord] = {}
    for side, sign in (("left", 1), ("right", -1)):
        part = node.first(side)
        for one in [] if part is None else part.all("lane"):
            lane = _lane(one, s)
            if lane.lane_id * sign <= 0:
                raise one.error(f"has id {lane.lane_id} on the {side} side")
            if lane.lane_id in found:
                raise one.error(f"has the id {lane.lane_id}, which its section has already")
            found[lane.lane_id] = lane
        ids = sorted(abs(i) for i in found if i * sign > 0)
        if ids != list(range(1, len(ids) + 1)):
            raise node.error(f"has lanes {ids} on its {side} side; ids have no gaps and begin at 1")
    return Section(s, end, found, _lane(middle, s), node.line)


def _lane(node: Node, s: float) -> LaneRecord:
    lane_id = node.integer("id")
    widths = _sorted(_poly(one, "sOffset", s) for one in node.all("width"))
    borders = _sorted(_poly(one, "sOffset", s) for one in node.all("border"))
    first = (widths or borders)[:1]
    if lane_id and not first:
        raise node.error(f"(id {lane_id}) has neither <width> nor <border>")
    if first and abs(first[0].s_m - s) > 1e-3:
        raise node.error(f"(id {lane_id}) has no width at the start of its section")
    if node.need("type") not in KINDS:
        raise node.error(f"has type='{node.get('type')}'; have [{', '.join(sorted(KINDS))}]")
    direction = node.get("direction", "standard")
    if direction not in ("standard", "reversed", "both"):
        raise node.error(f"has direction='{direction}'; have [both, reversed, standard]")
    link = node.first("link")
    return LaneRecord(
        lane_id=lane_id,
        kind=node.get("type"),
        direction=direction,
        predecessors=_lane_links(link, "predecessor"),
        successors=_lane_links(link, "successor"),
        widths=widths,
        borders=() if widths else borders,
        marks=_sorted(
            Mark(s + one.number("sOffset", 0.0), one.need("type"), one.get("laneChange"))
            for one in node.all("roadMark")
        ),
        limits=_sorted(_limit(one, s + one.number("sOffset")) for one in node.all("speed")),
        access=_sorted(_access(one, s) for one in node.all("access")),
        line=node.line,
    )


def _access(node: Node, s: float) -> Access:
    rule = node.get("rule", "deny")
    if rule not in ("allow", "deny"):
        raise node.error(f"has rule='{rule}'; have [allow, deny]")
    users = [one.need("type") for one in node.all("restriction")]
    users += [node.get("restriction")] if "restriction" in node.attributes else []
    return Access(s + node.number("sOffset"), rule == "allow", tuple(users))


def _lane_links(link: Node | None, tag: str) -> tuple[int, ...]:
    return () if link is None else tuple(one.integer("id") for one in link.all(tag))


def _signals(road: Node) -> tuple[Signal, ...]:
    group = road.first("signals")
    if group is None:
        return ()
    own = [_signal(one, road) for one in group.all("signal")]
    return tuple(own + [_signal(one, road) for one in group.all("signalReference")])


def _signal(node: Node, road: Node) -> Signal:
    """A `<signal>`, or a `<signalReference>`, whose kind stands with the signal it names."""
    value = node.number("value") if node.get("value") else None
    return Signal(
        signal_id=node.need("id"),
        road_id=road.need("id"),
        s_m=node.number("s"),
        t_m=node.number("t"),
        kind=node.get("type") if node.tag == "signalReference" else node.need("type"),
        subtype=node.get("subtype"),
        country=node.get("country"),
        dynamic=node.get("dynamic") == "yes",
        orientation=node.get("orientation", "none"),
        lanes=tuple(
            (one.integer("fromLane"), one.integer("toLane")) for one in node.all("validity")
        ),
        value=value,
        unit=node.get("unit"),
        line=node.line,
    )


def _objects(road: Node) -> tuple[RoadObject, ...]:
    group = road.first("objects")
    return () if group is None else tuple(_object(one) for one in group.all("object"))


def _object(node: Node) -> RoadObject:
    outlines = [one for one in node.walk() if one.tag == "outline"]
    corners = outlines[0].all("cornerLocal") if outlines else []
    return RoadObject(
        object_id=node.get("id"),
        kind=node.get("type"),
        s_m=node.number("s"),
        t_m=node.number("t"),
        heading_rad=node.number("hdg", 0.0),
        length_m=node.number("length", 0.0),
        width_m=node.number("width", 0.0),
        outline=tuple((one.number("u"), one.number("v")) for one in corners),
        line=node.line,
    )


def _junction(node: Node) -> JunctionRecord:
    kind = node.get("type", "default")
    if kind != "default":
        raise node.error(f"is of type '{kind}', which is not supported; have [default]")
    return JunctionRecord(
        junction_id=node.need("id"),
        name=node.get("name"),
        connections=tuple(_connection(one) for one in node.all("connection")),
        priorities=tuple(
            (one.get("high"), one.get("low"))
            for one in node.all("priority")
            if one.get("high") and one.get("low")
        ),
        controllers=tuple(one.need("id") for one in node.all("controller")),
        line=node.line,
    )


def _connection(node: Node) -> Connection:
    if "linkedRoad" in node.attributes or node.get("type", "default") != "default":
        raise node.error("is no connection by a connecting road, which is not supported")
    return Connection(
        incoming=node.need("incomingRoad"),
        connecting=node.need("connectingRoad"),
        contact=_contact(node),
        lane_links=tuple((one.integer("from"), one.integer("to")) for one in node.all("laneLink")),
        line=node.line,
    )
