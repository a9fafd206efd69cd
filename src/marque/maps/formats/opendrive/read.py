"""From the file to `Roads`: parse, cut into strips, link, and check that what is linked meets."""

import math
from dataclasses import replace
from pathlib import Path

from marque.maps.formats.opendrive.links import LaneEnd, Touch, end_point, link_lanes
from marque.maps.formats.opendrive.parse import parse
from marque.maps.formats.opendrive.plan import GAP_M
from marque.maps.formats.opendrive.records import DRIVEN, END, START, Document
from marque.maps.formats.opendrive.roads import Roads, course_of
from marque.maps.formats.opendrive.signs import unread
from marque.maps.formats.opendrive.strips import strips_of
from marque.maps.formats.sumo_net import read_bytes


def read_opendrive(path: Path, left_hand: bool | None = None) -> Roads:
    """The roads of an .xodr file. left_hand: instead of what the rules of its roads say.

    MarqueError, with file and line where there is one: a missing or empty file, malformed XML,
    another format or version, what is missing, wrong or no number, geometry that is unknown,
    a gap of more than 5 cm within a road or between roads that are linked, a link to nothing, and
    what is not supported (docs/opendrive.md).
    """
    return roads_of(read_bytes(path), str(path), left_hand)


def roads_of(data: bytes, file: str, left_hand: bool | None = None) -> Roads:
    """The same from the file's content. file: how complaints name it."""
    document = parse(data, file)
    if left_hand is not None:
        turned = {key: replace(road, left_hand=left_hand) for key, road in document.roads.items()}
        document = replace(document, roads=turned)
    courses = {
        road_id: course_of(road, strips_of(road, document))
        for road_id, road in document.roads.items()
    }
    linked = link_lanes(document)
    roads = Roads(document, courses, linked.links)
    torn = [note for touch in linked.touches for note in _need_contact(document, roads, touch)]
    notes = (*document.notes, *unread(document), *linked.notes, *torn)
    return replace(roads, notes=notes)


def _need_contact(file: Document, roads: Roads, touch: Touch) -> list[str]:
    """Linked roads meet: their reference lines do, or else all their linked lanes do.

    A gap is refused, between lanes that no vehicle uses noted.
    """
    road, end, other, other_end, line = touch
    gap = math.dist(end_point(file.roads[road], end), end_point(file.roads[other], other_end))
    if gap <= GAP_M:
        return []
    record = file.roads[road]
    section = 0 if end == START else len(record.sections) - 1
    lanes = [
        (here, there)
        for here in ((road, section, lane, end) for lane in record.sections[section].lanes)
        for there in roads.links.get(here, ())
        if there[0] == other and there[3] == other_end
    ]
    if lanes:
        gap = max(math.dist(_lane_end(roads, a), _lane_end(roads, b)) for a, b in lanes)
    if gap <= GAP_M:
        return []
    sides = ("start", "end")
    error = file.error(
        line,
        f"the {sides[end]} of road {road} and the {sides[other_end]} of road {other} are "
        f"linked but lie {gap:.3f} m apart",
    )
    if not lanes or any(_driven(file, end) for pair in lanes for end in pair):
        raise error
    return [f"torn: {error}"]


def _driven(file: Document, end: LaneEnd) -> bool:
    return file.roads[end[0]].sections[end[1]].lanes[end[2]].kind in DRIVEN


def _lane_end(roads: Roads, end: LaneEnd) -> tuple[float, float]:
    road = roads.document.roads[end[0]]
    section = road.sections[end[1]]
    s = section.end_m if end[3] == END else section.s_m
    strips = [strip for strip in roads.courses[end[0]].strips if strip.section == end[1]]
    strip = strips[-1 if end[3] == END else 0]
    a, b, c, d = strip.middle[end[2]].tolist()
    ds = s - strip.s_m
    x, y, _ = roads.pose(end[0], s, a + ds * (b + ds * (c + ds * d)))
    return x, y
