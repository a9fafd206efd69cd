"""Which lane ends touch: through lane sections, from road to road, and through junctions.

A lane end is (road id, index of the section, lane id, START or END of the section along s). Links
are mutual; which way traffic runs through them is the lanes' own matter.
"""

import math
from dataclasses import dataclass

from marque.maps.formats.opendrive.curves import LENGTH, X, Y, piece_pose
from marque.maps.formats.opendrive.records import (
    DRIVEN,
    END,
    START,
    Connection,
    Document,
    JunctionRecord,
    LaneRecord,
    RoadLink,
    RoadRecord,
)

LaneEnd = tuple[str, int, int, int]
Links = dict[LaneEnd, list[LaneEnd]]
Touch = tuple[str, int, str, int, int]  # road, its end, road, its end, line of the file


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """Lane ends by lane end; ends of roads that touch; what was left out, for people."""

    links: dict[LaneEnd, tuple[LaneEnd, ...]]
    touches: tuple[Touch, ...]
    notes: tuple[str, ...]


def link_lanes(file: Document) -> Linked:
    """All links of a file.

    MarqueError: a link to a road that does not exist, or from a lane for vehicles to a lane that
    does not. Such a link of another lane (a kerb, a verge), or to no junction, is left out and
    noted.
    """
    links: Links = {}
    touches: list[Touch] = []
    notes: list[str] = []
    for road in file.roads.values():
        _within(file, links, road)
        for end, link in ((START, road.predecessor), (END, road.successor)):
            if link is None:
                continue
            if link.is_junction:
                notes += _missing_junction(file, link)
            else:
                _to_road(file, links, touches, road, end, link)
    for junction in file.junctions.values():
        for connection in junction.connections:
            notes += _through(file, links, touches, junction, connection)
    return Linked(
        links={end: tuple(sorted(others, key=_order)) for end, others in links.items()},
        touches=tuple(touches),
        notes=tuple(notes),
    )


def _order(end: LaneEnd) -> tuple[int, str, int, int, int]:
    """Roads by number where their ids are numbers."""
    road, section, lane, side = end
    return (int(road) if road.isdecimal() else 0, road, section, lane, side)


def _join(links: Links, one: LaneEnd, other: LaneEnd) -> None:
    for a, b in ((one, other), (other, one)):
        known = links.setdefault(a, [])
        if b not in known:
            known.append(b)


def _within(file: Document, links: Links, road: RoadRecord) -> None:
    """Between the sections of one road."""
    for k in range(len(road.sections) - 1):
        for lane in road.sections[k].lanes.values():
            for target in lane.successors:
                _need_lane(file, road, k + 1, target, lane)
                _join(
                    links,
                    (road.road_id, k, lane.lane_id, END),
                    (road.road_id, k + 1, target, START),
                )
        for lane in road.sections[k + 1].lanes.values():
            for target in lane.predecessors:
                _need_lane(file, road, k, target, lane)
                _join(
                    links,
                    (road.road_id, k, target, END),
                    (road.road_id, k + 1, lane.lane_id, START),
                )


def _to_road(
    file: Document, links: Links, touches: list[Touch], road: RoadRecord, end: int, link: RoadLink
) -> None:
    other = _need_road(file, link.target, link.line)
    touches.append((road.road_id, end, other.road_id, link.contact, link.line))
    section, far = _outer(road, end), _outer(other, link.contact)
    for lane in road.sections[section].lanes.values():
        for target in lane.successors if end == END else lane.predecessors:
            _need_lane(file, other, far, target, lane)
            _join(
                links,
                (road.road_id, section, lane.lane_id, end),
                (other.road_id, far, target, link.contact),
            )


def _through(
    file: Document,
    links: Links,
    touches: list[Touch],
    junction: JunctionRecord,
    connection: Connection,
) -> list[str]:
    """Links of one connection; notes on those that were left out."""
    road = _need_road(file, connection.incoming, connection.line)
    inner = _need_road(file, connection.connecting, connection.line)
    end = incoming_end(file, junction, connection)
    touches.append((road.road_id, end, inner.road_id, connection.contact, connection.line))
    section, far = _outer(road, end), _outer(inner, connection.contact)
    left_out = []
    for start, target in connection.lane_links:
        wrong = _missing(file, connection, (road, section, start), (inner, far, target))
        if wrong:
            left_out.append(wrong)
            continue
        _join(
            links,
            (road.road_id, section, start, end),
            (inner.road_id, far, target, connection.contact),
        )
    return left_out


def _missing(
    file: Document,
    connection: Connection,
    start: tuple[RoadRecord, int, int],
    target: tuple[RoadRecord, int, int],
) -> str:
    """What is said of a lane link that leads to no lane; "" for a good one."""
    pair = [road.sections[section].lanes.get(lane) for road, section, lane in (start, target)]
    if None not in pair:
        return ""
    road, section, lane = start if pair[0] is None else target
    error = file.error(
        connection.line,
        f"<laneLink> names lane {lane} of road {road.road_id}, which has "
        f"{sorted(road.sections[section].lanes)} there",
    )
    if all(one is None or one.kind in DRIVEN for one in pair):
        raise error
    return f"left out: {error}"


def incoming_end(file: Document, junction: JunctionRecord, connection: Connection) -> int:
    """Which end of its incoming road a connection touches. MarqueError: neither."""
    road = file.roads[connection.incoming]
    ends = [
        end
        for end, link in ((START, road.predecessor), (END, road.successor))
        if link is not None and link.is_junction and link.target == junction.junction_id
    ]
    if not ends:
        raise file.error(
            connection.line,
            f"road {road.road_id} comes into junction {junction.junction_id}, but neither of its "
            f"ends links to it",
        )
    inner = end_point(file.roads[connection.connecting], connection.contact)
    return min(ends, key=lambda end: math.dist(end_point(road, end), inner))


def end_point(road: RoadRecord, end: int) -> tuple[float, float]:
    """Where a road's reference line starts or ends."""
    if end == START:
        return float(road.pieces[0, X]), float(road.pieces[0, Y])
    x, y, _, _ = piece_pose(road.pieces[-1], road.knots[-1], road.pieces[-1, LENGTH])
    return float(x), float(y)


def _outer(road: RoadRecord, end: int) -> int:
    return 0 if end == START else len(road.sections) - 1


def _need_road(file: Document, road_id: str, line: int) -> RoadRecord:
    if road_id not in file.roads:
        raise file.error(line, f"links to road '{road_id}', which the file does not have")
    return file.roads[road_id]


def _missing_junction(file: Document, link: RoadLink) -> list[str]:
    """A road that leads to a junction which the file does not have ends there, as where writers
    number their dead ends; noted."""
    if link.target in file.junctions:
        return []
    wrong = file.error(link.line, f"no junction '{link.target}': the road ends here")
    return [f"left out: {wrong}"]


def _need_lane(file: Document, road: RoadRecord, section: int, lane: int, by: LaneRecord) -> None:
    if lane not in road.sections[section].lanes:
        raise file.error(
            by.line,
            f"lane {by.lane_id} links to lane {lane} of road {road.road_id}, which has "
            f"{sorted(road.sections[section].lanes)} there",
        )
