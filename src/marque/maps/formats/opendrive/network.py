"""From `Roads` to the records that `sumo_build` makes a RoadMap of.

Lanes are named ROAD.STRETCH.LANE, e.g. `0.0.-3`; a stretch is a part of a road along which lanes,
limits and marks stay the same (`stretches`). A connector through a junction is named after the
lane of the connecting road; one between stretches after what it joins.
"""

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from pyproj import Proj
from pyproj.exceptions import CRSError

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.crosswalks import Crossing, crossings_of
from marque.maps.formats.opendrive.links import LaneEnd
from marque.maps.formats.opendrive.priority import Way, foes, yields
from marque.maps.formats.opendrive.records import END, START, RoadRecord
from marque.maps.formats.opendrive.roads import Roads
from marque.maps.formats.opendrive.signs import Approach, Signs
from marque.maps.formats.opendrive.stretches import (
    JOIN_M,
    Stretch,
    lane_line,
    lane_outline,
    lane_width,
    stretches_of,
)
from marque.maps.formats.opendrive.strips import value
from marque.maps.formats.opendrive.uses import (
    limit_at,
    mark_at,
    may_change,
    users_of,
)
from marque.maps.formats.region import Region, fallback_region, region_at, region_named
from marque.maps.formats.sumo_net import (
    ROAD_CLASSES,
    Net,
    NetConnection,
    NetEdge,
    NetJunction,
    NetLane,
    NetProgram,
)
from marque.types.codes import Control

DEFAULTED = "default"  # mark of lanes whose limit is the region's
NO_LANE_M = 0.3  # a lane with a lesser median width is left out
DEEPEST = 64  # lanes of connecting roads that one path may pass
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Piece:
    """A lane of a stretch on its way into the network."""

    stretch: Stretch
    lane: int
    along: bool
    users: frozenset[str]
    name: str


@dataclass(slots=True)
class Work:
    """What is being built."""

    roads: Roads
    region: Region
    signs: Signs
    net: Net
    crossings: list[Crossing]
    stretches: dict[str, list[Stretch]] = field(default_factory=dict)
    pieces: dict[tuple[str, int, int], Piece] = field(default_factory=dict)
    lanes: dict[str, NetLane] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # of ways through junctions
    node_of_end: dict[tuple[str, int], str] = field(default_factory=dict)
    ways: dict[str, list[Way]] = field(default_factory=dict)  # by node
    joins: dict[str, list[tuple[Piece, Piece]]] = field(default_factory=dict)
    outlines: dict[str, list[FloatArray]] = field(default_factory=dict)
    stop_s: dict[str, float] = field(default_factory=dict)  # metres before the lane's end


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """net: for `sumo_build.build`. stops: painted stop lines, metres before the end of a lane."""

    net: Net
    stops: dict[str, float]


def network_of(roads: Roads) -> Network:
    """The network of all roads. MarqueError: what no map is made of, with file and line."""
    net = Net(left_hand=roads.left_hand)
    _georeference(roads, net)
    work = Work(roads, _region(roads), Signs(roads.document), net, crossings_of(roads))
    _cut(work)
    _name_nodes(work)
    _add_edges(work)
    _find_ways(work)
    _add_joins(work)
    _add_junctions(work)
    _add_crossings(work)
    net.programs += [NetProgram(name, "0", 0.0, [], []) for name in work.signs.groups]
    return Network(net, work.stop_s)


def _georeference(roads: Roads, net: Net) -> None:
    x, y, turned = roads.document.offset
    if usable_projection(roads.document.geo_reference) and turned == 0.0:
        net.projection = roads.document.geo_reference
        net.offset_m = (-x, -y)


def usable_projection(text: str) -> bool:
    """Whether a geo-reference is one that this program can compute with."""
    if "+proj" not in text:
        return False
    try:
        Proj(text)
    except CRSError:
        return False
    return True


def _region(roads: Roads) -> Region:
    """By the country that most roads name, else by the geo-reference, else none."""
    named = Counter(
        one.country for road in roads.document.roads.values() for one in road.types if one.country
    )
    for country, _ in named.most_common():
        found = region_named(country)
        if found is not None:
            return found
    x, y, turned = roads.document.offset
    text = roads.document.geo_reference
    if usable_projection(text) and turned == 0.0:
        boxes = np.array([course.box for course in roads.courses.values()])
        at = 0.5 * (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0))
        lon, lat = Proj(text)(at[0] + x, at[1] + y, inverse=True)
        if math.isfinite(lon) and math.isfinite(lat):
            return region_at(lon, lat)
    return fallback_region()


def _outside(work: Work) -> list[RoadRecord]:
    """Roads that are not inside a junction."""
    return [road for road in work.roads.document.roads.values() if not road.junction]


def _cut(work: Work) -> None:
    for road in _outside(work):
        at = [one.s_m for one in work.crossings if one.road_id == road.road_id]
        work.stretches[road.road_id] = stretches_of(road, at)
    for stretches in work.stretches.values():
        for stretch in stretches:
            _take_lanes(work, stretch)


def _take_lanes(work: Work, stretch: Stretch) -> None:
    road = work.roads.document.roads[stretch.road_id]
    section = road.sections[stretch.section]
    for lane in section.lanes.values():
        users = users_of(work.roads.document, road, section, lane)
        if not users or lane_width(work.roads, stretch, lane.lane_id) < NO_LANE_M:
            continue
        work.pieces[road.road_id, stretch.number, lane.lane_id] = Piece(
            stretch=stretch,
            lane=lane.lane_id,
            along=work.roads.along(road, stretch.section, lane.lane_id),
            users=users,
            name=f"{road.road_id}.{stretch.number}.{lane.lane_id}",
        )


# --- nodes ----------------------------------------------------------------------------------------


def _name_nodes(work: Work) -> None:
    """A node for each end of a road: its junction, or what it shares with the road it touches."""
    doc = work.roads.document
    for road in _outside(work):
        for end, link in ((START, road.predecessor), (END, road.successor)):
            here = (road.road_id, end)
            if link is None:
                work.node_of_end.setdefault(here, _end_name(here))
            elif link.is_junction:
                work.node_of_end[here] = link.target
            elif doc.roads[link.target].junction:
                work.node_of_end[here] = doc.roads[link.target].junction
            else:
                there = (link.target, link.contact)
                node = work.node_of_end.get(there) or min(_end_name(here), _end_name(there))
                work.node_of_end[here] = node
                work.node_of_end.setdefault(there, node)


def _end_name(end: tuple[str, int]) -> str:
    return f"{end[0]}:{'start' if end[1] == START else 'end'}"


def _node(work: Work, stretch: Stretch, end: int) -> str:
    """Name of the node at a stretch's start or end along s."""
    outer = stretch.first if end == START else stretch.last
    if outer:
        return work.node_of_end[stretch.road_id, end]
    return f"{stretch.road_id}@{stretch.number + end}"


# --- edges ----------------------------------------------------------------------------------------


def _add_edges(work: Work) -> None:
    """An edge for each run of lanes side by side that drive one way."""
    for stretches in work.stretches.values():
        for stretch in stretches:
            for number, run in enumerate(_runs(work, stretch)):
                ends = (_node(work, stretch, START), _node(work, stretch, END))
                start, end = ends if run[0].along else ends[::-1]
                # index 0 lies at the kerb, and runs are from left to right along s
                inward = run if run[0].along == work.net.left_hand else run[::-1]
                lanes = [_lane(work, one, index) for index, one in enumerate(inward)]
                work.lanes.update((lane.name, lane) for lane in lanes)
                name = f"{stretch.road_id}.{stretch.number}.{number}"
                work.net.edges.append(NetEdge(name, "", start, end, "", lanes))


def _runs(work: Work, stretch: Stretch) -> list[list[Piece]]:
    """Lanes of a stretch from left to right, parted where nothing is shared."""
    runs: list[list[Piece]] = []
    before: Piece | None = None
    for lane in sorted(_lanes(work, stretch), reverse=True):
        piece = work.pieces.get((stretch.road_id, stretch.number, lane))
        if piece is not None and before is not None and piece.along == before.along:
            runs[-1].append(piece)
        elif piece is not None:
            runs.append([piece])
        before = piece
    return runs


def _lanes(work: Work, stretch: Stretch) -> list[int]:
    """Ids of lanes that have a width there."""
    road = work.roads.document.roads[stretch.road_id]
    return [
        lane
        for lane in road.sections[stretch.section].lanes
        if lane_width(work.roads, stretch, lane) > NO_LANE_M / 10.0
    ]


def _lane(work: Work, piece: Piece, index: int) -> NetLane:
    roads, stretch = work.roads, piece.stretch
    road = roads.document.roads[stretch.road_id]
    record = road.sections[stretch.section].lanes[piece.lane]
    limit, defaulted = limit_at(road, record, piece.users, stretch.s_m, work.region)
    s_m, end_m = _span(work, piece)
    left, right = _beside(work, piece, 1), _beside(work, piece, -1)
    opposite = left if left is not None and left.along != piece.along else None
    if work.net.left_hand:
        opposite = right if right is not None and right.along != piece.along else None
    return NetLane(
        name=piece.name,
        index=index,
        classes=piece.users,
        speed_mps=limit,
        width_m=lane_width(roads, stretch, piece.lane),
        shape_m=lane_line(roads, stretch.road_id, stretch.section, piece.lane, s_m, end_m),
        elevation_m=_height(road, 0.5 * (s_m + end_m)),
        change_left=_change(work, piece, left),
        change_right=_change(work, piece, right),
        opposite="" if opposite is None else opposite.name,
        ways=DEFAULTED if defaulted else "",
        opposite_ok=None if opposite is None else bool(_change(work, piece, opposite)),
    )


def _beside(work: Work, piece: Piece, side: int) -> Piece | None:
    """The lane at the left (side 1) or right (-1) of a lane, seen in its driving direction."""
    step = side if piece.along else -side
    ids = sorted(_lanes(work, piece.stretch))
    at = ids.index(piece.lane) + step
    if not 0 <= at < len(ids):
        return None
    return work.pieces.get((piece.stretch.road_id, piece.stretch.number, ids[at]))


def _change(work: Work, piece: Piece, to: Piece | None) -> frozenset[str]:
    """Who may change from a lane to the one beside it: all, or nobody."""
    if to is None:
        return NOBODY
    road = work.roads.document.roads[piece.stretch.road_id]
    section = road.sections[piece.stretch.section]
    s = piece.stretch.s_m
    if piece.lane * to.lane < 0:  # over the middle; the mark is named from left to right
        pair = (piece.lane, to.lane) if piece.lane > 0 else (to.lane, piece.lane)
        free = may_change(mark_at(section.centre, s), *pair, outwards=piece.lane > 0)
    else:
        inner, outer = sorted((piece.lane, to.lane), key=abs)
        mark = mark_at(section.lanes[inner], s)
        free = may_change(mark, inner, outer, outwards=piece.lane == inner)
    return ROAD_CLASSES if free else NOBODY


def _height(road: RoadRecord, s: float) -> float:
    found = [one for one in road.elevations if one.s_m <= s + 1e-6]
    return value(found[-1].cubic, s - found[-1].s_m) if found else 0.0


def _span(work: Work, piece: Piece) -> tuple[float, float]:
    """s where a lane starts and ends, in its driving direction: short of nodes that are no
    junction, for which a connector needs some ground."""
    stretch = piece.stretch
    cut = min(JOIN_M, 0.25 * (stretch.end_m - stretch.s_m))
    low = stretch.s_m + (cut if _is_join(work, stretch, START) else 0.0)
    high = stretch.end_m - (cut if _is_join(work, stretch, END) else 0.0)
    return (low, high) if piece.along else (high, low)


def _is_join(work: Work, stretch: Stretch, end: int) -> bool:
    outer = stretch.first if end == START else stretch.last
    if not outer:
        return True
    node = work.node_of_end[stretch.road_id, end]
    road = work.roads.document.roads[stretch.road_id]
    link = road.predecessor if end == START else road.successor
    return node not in work.roads.document.junctions and link is not None


# --- connectors -----------------------------------------------------------------------------------


def _find_ways(work: Work) -> None:
    """Every path from lane to lane: through junctions as ways, else as joins."""
    for piece in work.pieces.values():
        stretch = piece.stretch
        end = END if piece.along else START
        node = _node(work, stretch, end)
        if not (stretch.last if end == END else stretch.first):
            _join_within(work, piece, node, end)
            continue
        here = (stretch.road_id, stretch.section, piece.lane, end)
        for target in work.roads.links.get(here, ()):
            if work.roads.document.roads[target[0]].junction:
                _walk(work, piece, node, target)
            else:
                _join(work, piece, node, target)


def _join_within(work: Work, piece: Piece, node: str, end: int) -> None:
    """To the next stretch of the same road."""
    stretch = piece.stretch
    other = work.stretches[stretch.road_id][stretch.number + (1 if end == END else -1)]
    if other.section == stretch.section:
        beyond = work.pieces.get((stretch.road_id, other.number, piece.lane))
        if beyond is not None:
            work.joins.setdefault(node, []).append((piece, beyond))
        return
    here = (stretch.road_id, stretch.section, piece.lane, end)
    for target in work.roads.links.get(here, ()):
        _join(work, piece, node, target)


def _join(work: Work, piece: Piece, node: str, target: LaneEnd) -> None:
    beyond = _entered(work, target)
    if beyond is not None and piece.users & beyond.users:
        work.joins.setdefault(node, []).append((piece, beyond))


def _entered(work: Work, target: LaneEnd) -> Piece | None:
    """The lane that traffic enters at a lane end; None where there is none, or traffic leaves."""
    road_id, section, lane, end = target
    inside = [one for one in work.stretches[road_id] if one.section == section]
    stretch = inside[0 if end == START else -1]
    piece = work.pieces.get((road_id, stretch.number, lane))
    return piece if piece is not None and piece.along == (end == START) else None


def _walk(work: Work, piece: Piece, node: str, target: LaneEnd) -> None:
    """Follow connecting roads from a lane end to the lanes behind the junction."""
    open_paths: list[list[LaneEnd]] = [[target]]
    while open_paths:
        path = open_paths.pop()
        road_id, section, lane, end = path[-1]
        road = work.roads.document.roads[road_id]
        record = road.sections[section].lanes[lane]
        users = users_of(work.roads.document, road, road.sections[section], record)
        runs_with = work.roads.along(road, section, lane) == (end == START)
        if not runs_with or not users & piece.users or len(path) > DEEPEST:
            continue
        for onward in work.roads.links.get((road_id, section, lane, 1 - end), ()):
            if work.roads.document.roads[onward[0]].junction:
                if onward not in path:
                    open_paths.append([*path, onward])
                continue
            beyond = _entered(work, onward)
            if beyond is not None and piece.users & beyond.users:
                _add_way(work, piece, node, path, beyond)


def _add_way(work: Work, piece: Piece, node: str, path: list[LaneEnd], beyond: Piece) -> None:
    lines: list[FloatArray] = []
    outlines: list[FloatArray] = []
    for road_id, section, lane, end in path:
        part = work.roads.document.roads[road_id].sections[section]
        s, to = (part.s_m, part.end_m) if end == START else (part.end_m, part.s_m)
        line = lane_line(work.roads, road_id, section, lane, s, to)
        lines.append(line if not lines else line[1:])
        outlines.append(lane_outline(work.roads, road_id, section, lane, s, to))
    road_id, section, lane, end = path[0]
    name = f"{road_id}.{section}.{lane}"
    if name in work.names:
        name = f"{name}:{piece.name}>{beyond.name}"
    work.names.add(name)
    s_from, s_end = _span(work, piece)
    here = (
        piece.stretch.road_id, piece.stretch.section, piece.lane, END if piece.along else START
    )  # fmt: skip
    before = work.signs.at(here, s_from)
    inside = work.signs.inside(road_id, lane, end == START)
    approach = Approach(
        control=max(before.control, inside.control, key=_strength),
        priority=before.priority or inside.priority,
        light=inside.light or before.light,
        stop_s_m=before.stop_s_m,
    )
    if before.stop_s_m is not None:
        work.stop_s[piece.name] = abs(s_end - before.stop_s_m)
    work.ways.setdefault(node, []).append(
        Way(
            name=name,
            start=piece.name,
            end=beyond.name,
            incoming=piece.stretch.road_id,
            connecting=road_id,
            line_m=np.vstack(lines),
            approach=approach,
        )
    )
    work.outlines.setdefault(node, []).extend(outlines)


def _strength(control: Control) -> int:
    return {Control.YIELD: 1, Control.STOP: 2}.get(control, 0)


def _add_joins(work: Work) -> None:
    """Connectors over the ground that lanes left at cuts and between roads."""
    for node, pairs in work.joins.items():
        for piece, beyond in pairs:
            lines = [_left_at_end(work, piece), _left_at_start(work, beyond)]
            work.ways.setdefault(node, []).append(
                Way(
                    name=f"{piece.name}>{beyond.name}",
                    start=piece.name,
                    end=beyond.name,
                    incoming=piece.stretch.road_id,
                    connecting="",
                    line_m=np.vstack((lines[0], lines[1][1:])),
                    approach=Approach(),
                )
            )


def _left_at_end(work: Work, piece: Piece) -> FloatArray:
    _, end = _span(work, piece)
    border = piece.stretch.end_m if piece.along else piece.stretch.s_m
    return lane_line(
        work.roads, piece.stretch.road_id, piece.stretch.section, piece.lane, end, border
    )


def _left_at_start(work: Work, piece: Piece) -> FloatArray:
    start, _ = _span(work, piece)
    border = piece.stretch.s_m if piece.along else piece.stretch.end_m
    return lane_line(
        work.roads, piece.stretch.road_id, piece.stretch.section, piece.lane, border, start
    )


# --- junctions ------------------------------------------------------------------------------------


def _add_junctions(work: Work) -> None:
    nodes = sorted({name for edge in work.net.edges for name in (edge.start, edge.end)})
    for node in nodes:
        ways = sorted(work.ways.get(node, []), key=lambda way: way.name)
        junction = work.roads.document.junctions.get(node)
        against = foes(ways)
        ranks = () if junction is None else junction.priorities
        waits = yields(ways, against, ranks, work.net.left_hand)
        kind = "priority" if junction is None else _kind(ways, ranks)
        outline = _hull(work.outlines.get(node, [way.line_m for way in ways]))
        middle = outline.mean(axis=0) if len(outline) else np.zeros(2)
        work.net.junctions.append(
            NetJunction(
                name=node,
                kind=kind,
                xy_m=(float(middle[0]), float(middle[1])),
                inner=[way.name for way in ways],
                shape_m=outline,
                yields=waits,
                foes=against,
            )
        )
        for index, way in enumerate(ways):
            _add_way_records(work, node, way, kind, bool(waits[index]))


def _kind(ways: list[Way], ranks: tuple[tuple[str, str], ...]) -> str:
    if any(way.approach.light for way in ways):
        return "traffic_light"
    signed = any(way.approach.priority or way.approach.control != Control.FREE for way in ways)
    return "priority" if signed or ranks else "right_before_left"


def _add_way_records(work: Work, node: str, way: Way, kind: str, waits: bool) -> None:
    start, end = work.lanes[way.start], work.lanes[way.end]
    signal, link = way.approach.light or ("", -1)
    state = "m" if waits else "M"
    if way.approach.control == Control.STOP:
        state = "s"
    elif kind == "right_before_left":
        state = "="
    work.net.connections.append(
        NetConnection(
            start=way.start, end=way.end, via=way.name, signal=signal, link=link,
            turn=way.letter, state=state,
        )
    )  # fmt: skip
    inner = NetLane(
        name=way.name,
        index=0,
        classes=start.classes & end.classes,
        speed_mps=start.speed_mps,
        width_m=min(start.width_m, end.width_m),
        shape_m=way.line_m,
        elevation_m=0.5 * (start.elevation_m + end.elevation_m),
        change_left=NOBODY,
        change_right=NOBODY,
        opposite="",
        ways="",
    )
    work.net.edges.append(NetEdge(f":{way.name}", "internal", node, node, "", [inner]))


def _hull(parts: list[FloatArray]) -> FloatArray:
    """Corners of the convex hull of points (monotone chain), counter-clockwise."""
    if not parts:
        return np.zeros((0, 2))
    points = sorted(set(map(tuple, np.round(np.vstack(parts), 3).tolist())))
    half: list[tuple[float, float]] = []
    for run in (points, points[::-1]):
        chain: list[tuple[float, float]] = []
        for x, y in run:
            while len(chain) > 1 and _turns_right(chain[-2], chain[-1], (x, y)):
                chain.pop()
            chain.append((x, y))
        half += chain[:-1]
    return np.array(half).reshape(-1, 2)


def _turns_right(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) <= 0.0


# --- crosswalks -----------------------------------------------------------------------------------


def _add_crossings(work: Work) -> None:
    """Crosswalks as SUMO writes them: an edge `:NODE_cK`, and a row that leads on to it."""
    numbers: Counter[str] = Counter()
    for crossing in work.crossings:
        node = _crossing_node(work, crossing)
        name = f":{node}_c{numbers[node]}"
        numbers[node] += 1
        lane = NetLane(
            name=f"{name}_0",
            index=0,
            classes=frozenset(("pedestrian",)),
            speed_mps=1.0,
            width_m=crossing.width_m,
            shape_m=crossing.axis_m,
            elevation_m=0.0,
            change_left=NOBODY,
            change_right=NOBODY,
            opposite="",
            ways="",
        )
        work.net.edges.append(NetEdge(name, "crossing", node, node, "", [lane]))
        work.net.connections.append(NetConnection(f":{node}_w0_0", lane.name, "", "", -1, "s", "M"))


def _crossing_node(work: Work, crossing: Crossing) -> str:
    road = work.roads.document.roads[crossing.road_id]
    if road.junction:
        return road.junction
    nodes = [
        (abs(s - crossing.s_m), _node(work, stretch, end))
        for stretch in work.stretches[crossing.road_id]
        for end, s in ((START, stretch.s_m), (END, stretch.end_m))
    ]
    return min(nodes)[1]
