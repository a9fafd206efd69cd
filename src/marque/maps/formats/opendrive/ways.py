"""Paths from lane to lane: through connecting roads, and over the ground at cuts between lanes."""

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.links import LaneEnd
from marque.maps.formats.opendrive.priority import Way
from marque.maps.formats.opendrive.records import END, START
from marque.maps.formats.opendrive.signs import Approach
from marque.maps.formats.opendrive.stretches import lane_line, lane_outline
from marque.maps.formats.opendrive.uses import users_of
from marque.maps.formats.opendrive.work import Piece, Work, node_name, span
from marque.types.codes import Control

DEEPEST = 64  # lanes of connecting roads that one path may pass


def find_ways(work: Work) -> None:
    """Every path from lane to lane: through junctions as ways, else as joins."""
    for piece in work.pieces.values():
        stretch = piece.stretch
        end = END if piece.along else START
        node = node_name(work, stretch, end)
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
    s_from, s_end = span(work, piece)
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


def add_joins(work: Work) -> None:
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
    _, end = span(work, piece)
    border = piece.stretch.end_m if piece.along else piece.stretch.s_m
    return lane_line(
        work.roads, piece.stretch.road_id, piece.stretch.section, piece.lane, end, border
    )


def _left_at_start(work: Work, piece: Piece) -> FloatArray:
    start, _ = span(work, piece)
    border = piece.stretch.s_m if piece.along else piece.stretch.end_m
    return lane_line(
        work.roads, piece.stretch.road_id, piece.stretch.section, piece.lane, border, start
    )
