"""What a network is built from: roads cut into stretches, their lanes, and the nodes between."""

from dataclasses import dataclass, field

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.crosswalks import Crossing
from marque.maps.formats.opendrive.priority import Way
from marque.maps.formats.opendrive.records import END, START, RoadRecord
from marque.maps.formats.opendrive.roads import Roads
from marque.maps.formats.opendrive.signs import Signs
from marque.maps.formats.opendrive.stretches import JOIN_M, Stretch, lane_width, stretches_of
from marque.maps.formats.opendrive.uses import users_of
from marque.maps.formats.region import Region
from marque.maps.formats.sumo_net import Net, NetLane

NO_LANE_M = 0.3  # a lane with a lesser median width is left out
NO_STRIP_M = 0.03  # nor does a narrower strip part two lanes


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
    widths: dict[tuple[str, int], dict[int, float]] = field(default_factory=dict)
    lanes: dict[str, NetLane] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # of ways through junctions
    node_of_end: dict[tuple[str, int], str] = field(default_factory=dict)
    ways: dict[str, list[Way]] = field(default_factory=dict)  # by node
    joins: dict[str, list[tuple[Piece, Piece]]] = field(default_factory=dict)
    outlines: dict[str, list[FloatArray]] = field(default_factory=dict)
    stop_s: dict[str, float] = field(default_factory=dict)  # metres before the lane's end


def _outside(work: Work) -> list[RoadRecord]:
    """Roads that are not inside a junction."""
    return [road for road in work.roads.document.roads.values() if not road.junction]


def cut(work: Work) -> None:
    for road in _outside(work):
        at = [one.s_m for one in work.crossings if one.road_id == road.road_id]
        work.stretches[road.road_id] = stretches_of(road, at)
    for stretches in work.stretches.values():
        for stretch in stretches:
            _take_lanes(work, stretch)


def _take_lanes(work: Work, stretch: Stretch) -> None:
    road = work.roads.document.roads[stretch.road_id]
    section = road.sections[stretch.section]
    widths = {lane: lane_width(work.roads, stretch, lane) for lane in section.lanes}
    work.widths[road.road_id, stretch.number] = widths
    for lane in section.lanes.values():
        users = users_of(work.roads.document, road, section, lane)
        if not users or widths[lane.lane_id] < NO_LANE_M:
            continue
        work.pieces[road.road_id, stretch.number, lane.lane_id] = Piece(
            stretch=stretch,
            lane=lane.lane_id,
            along=work.roads.along(road, stretch.section, lane.lane_id),
            users=users,
            name=f"{road.road_id}.{stretch.number}.{lane.lane_id}",
        )


def name_nodes(work: Work) -> None:
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


def node_name(work: Work, stretch: Stretch, end: int) -> str:
    """Name of the node at a stretch's start or end along s."""
    outer = stretch.first if end == START else stretch.last
    if outer:
        return work.node_of_end[stretch.road_id, end]
    return f"{stretch.road_id}@{stretch.number + end}"


def lanes_of(work: Work, stretch: Stretch) -> list[int]:
    """Ids of lanes that have a width there."""
    widths = work.widths[stretch.road_id, stretch.number]
    return [lane for lane, width in widths.items() if width > NO_STRIP_M]


def span(work: Work, piece: Piece) -> tuple[float, float]:
    """s where a lane starts and ends, in its driving direction: short of nodes that are no
    junction, for which a connector needs some ground."""
    stretch = piece.stretch
    cut = min(JOIN_M, 0.25 * (stretch.end_m - stretch.s_m))
    low = stretch.s_m + (cut if is_join(work, stretch, START) else 0.0)
    high = stretch.end_m - (cut if is_join(work, stretch, END) else 0.0)
    return (low, high) if piece.along else (high, low)


def is_join(work: Work, stretch: Stretch, end: int) -> bool:
    outer = stretch.first if end == START else stretch.last
    if not outer:
        return True
    road = work.roads.document.roads[stretch.road_id]
    link = road.predecessor if end == START else road.successor
    if link is None or link.is_junction:
        return False
    return not work.roads.document.roads[link.target].junction
