"""From SUMO's records to a RoadMap: every field, from the drafts and rules of its neighbours."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array
from marque.core.errors import MarqueError
from marque.core.units import KPH
from marque.maps.formats.sumo_draft import (
    Draft,
    connect,
    csr,
    make_draft,
    offsets,
    set_rules,
    stacked,
)
from marque.maps.formats.sumo_net import Net, NetEdge, allow_bits, kind_of
from marque.maps.formats.sumo_places import find_crosswalks, signal_fields, stop_lines
from marque.maps.formats.sumo_rules import conflict_fields
from marque.maps.smooth import Lines, smooth_lanes
from marque.types.codes import LaneKind, Turn
from marque.types.road_map import NONE, RoadMap

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
OPPOSITE_LIMIT_MPS = 50.0 * KPH + 0.1
BACK_RAD = math.radians(150.0)
BACK_RADIUS_M = 4.5
TURNS = {
    "s": Turn.STRAIGHT,
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.U_TURN,
    "T": Turn.U_TURN,
}


def build(net: Net, name: str, source: str, defaulted_ways: frozenset[str]) -> RoadMap:
    """A RoadMap from a network. defaulted_ways: OSM ways whose limit is a regional default.

    MarqueError: no lane that a car may use.
    """
    draft = make_draft(net)
    if not any("passenger" in lane.classes for lane in draft.lanes):
        raise MarqueError(f"{source} has no lane that a car may use")
    connect(draft)
    set_rules(draft)
    return _assemble(draft, name, source, defaulted_ways)


def _assemble(draft: Draft, name: str, source: str, defaulted_ways: frozenset[str]) -> RoadMap:
    net, lanes, connectors = draft.net, draft.lanes, draft.connectors
    n = len(lanes)
    total = n + len(connectors)
    classes = [lane.classes for lane in lanes]
    classes += [classes[c.start] & classes[c.end] for c in connectors]
    kind = np.array([kind_of(group) for group in classes], dtype=np.int8)
    allow = np.array([allow_bits(group) for group in classes], dtype=np.int8)
    shapes = [lane.shape_m for lane in lanes] + [c.shape_m for c in connectors]
    shapes = [s if len(s) > 1 else np.vstack((s[0], s[0])) for s in shapes]
    shape_off = offsets([len(s) for s in shapes])
    start = np.full(total, NONE, dtype=np.int32)
    end = np.full(total, NONE, dtype=np.int32)
    start[n:] = [c.start for c in connectors]
    end[n:] = [c.end for c in connectors]
    shape_xy = np.vstack(shapes)
    plain = (kind == LaneKind.WALK) & (start < 0)
    limit = np.array([lane.speed_mps for lane in lanes])
    limits = np.concatenate((limit, limit[start[n:]]))
    back = np.zeros(total, dtype=np.bool_)
    back[n:] = [c.row.turn in ("t", "T") for c in connectors]
    lines = smooth_lanes(shape_off, shape_xy, start, end, plain, back, limits)
    length = lines.pt_s_m[lines.pt_off[1:] - 1]
    circle = net.roundabout_edges
    lane_circle = [draft.edges[e].name in circle for e in draft.lane_edge]
    roundabout = np.array(lane_circle + [c.circulating for c in connectors], dtype=np.bool_)
    control = np.array([0] * n + [c.control for c in connectors], dtype=np.int8)
    by_default = np.array([_defaulted(lane.ways, defaulted_ways) for lane in lanes], dtype=np.bool_)
    conflicts = conflict_fields(draft, kind, control, roundabout, lines, start, end)
    walks = find_crosswalks(draft, kind, lines, start, end)
    stop = stop_lines(draft, control, length, walks)
    left, right, left_ok, right_ok = neighbours(draft, kind, total)
    opposite, opposite_ok = opposites(draft, kind, limit, lines, total)
    heads = signal_fields(draft, lines, stop)
    junctions = net.junctions
    width = [lane.width_m for lane in lanes]
    height = [lane.elevation_m for lane in lanes] + [c.elevation_m for c in connectors]
    aliases = [(part, n + i) for i, c in enumerate(connectors) for part in c.parts[1:]]
    insides = sorted({c.junction for c in connectors})
    inside_edge = {junction: len(draft.edges) + k for k, junction in enumerate(insides)}
    return RoadMap(
        name=name,
        source=source,
        projection=net.projection,
        offset_m=np.array(net.offset_m),
        left_hand=net.left_hand,
        attribution=OSM_ATTRIBUTION if net.from_osm else "",
        lane_name=tuple(lane.name for lane in lanes) + tuple(c.name for c in connectors),
        lane_edge=np.array(
            draft.lane_edge + [inside_edge[c.junction] for c in connectors], dtype=np.int32
        ),
        edge_name=tuple(edge.name for edge in draft.edges)
        + tuple(f":{junctions[j].name}" if j >= 0 else ":" for j in insides),
        lane_kind=kind,
        lane_allow=allow,
        lane_connector=start >= 0,
        lane_width_m=np.array(width + [min(width[c.start], width[c.end]) for c in connectors]),
        lane_length_m=length,
        lane_limit_mps=limits,
        lane_limit_defaulted=np.concatenate((by_default, by_default[start[n:]])),
        lane_turn=_turns(draft, lines),
        lane_control=control,
        lane_roundabout=roundabout,
        lane_junction=np.array([NONE] * n + [c.junction for c in connectors], dtype=np.int32),
        lane_left=left,
        lane_right=right,
        lane_left_ok=left_ok,
        lane_right_ok=right_ok,
        lane_opposite=opposite,
        lane_opposite_ok=opposite_ok,
        lane_stop_m=stop,
        lane_head=np.array(
            [NONE] * n + [draft.heads.get((c.row.signal, c.row.link), NONE) for c in connectors],
            dtype=np.int32,
        ),
        lane_elevation_m=np.array(height),
        pt_off=lines.pt_off,
        pt_xy_m=lines.pt_xy_m,
        pt_s_m=lines.pt_s_m,
        pt_heading_rad=lines.pt_heading_rad,
        pt_curvature_1pm=lines.pt_curvature_1pm,
        taper_m=lines.taper_m,
        wait_m=_waiting_places(draft, lines),
        shape_off=shape_off,
        shape_xy_m=shape_xy,
        **links(start, end),
        **conflicts,
        **walks.fields(),
        **heads,
        junction_name=tuple(junction.name for junction in junctions),
        junction_kind=tuple(junction.kind for junction in junctions),
        junction_off=offsets([len(junction.shape_m) for junction in junctions]),
        junction_xy_m=stacked([junction.shape_m for junction in junctions]),
        stop_name=(),
        stop_lane=np.zeros(0, dtype=np.int32),
        stop_s_in_m=np.zeros(0),
        stop_s_out_m=np.zeros(0),
        alias_name=tuple(part for part, _ in aliases),
        alias_lane=np.array([lane for _, lane in aliases], dtype=np.int32),
    )


def _waiting_places(draft: Draft, lines: Lines) -> FloatArray:
    """[L] arc length along each connector where those wait inside the junction, nan for none."""
    n = len(draft.lanes)
    out = np.full(n + len(draft.connectors), math.nan)
    for i, connector in enumerate(draft.connectors, start=n):
        if connector.wait_xy_m is not None:
            part = slice(lines.pt_off[i], lines.pt_off[i + 1])
            away = np.hypot(*(lines.pt_xy_m[part] - connector.wait_xy_m).T)
            out[i] = lines.pt_s_m[part][away.argmin()]
    return out


def _turns(draft: Draft, lines: Lines) -> Int8Array:
    """Turn of every lane. One that doubles back more tightly than a car can is a U-turn, whatever
    the source calls it."""
    n = len(draft.lanes)
    turn = np.zeros(n + len(draft.connectors), dtype=np.int8)
    turn[n:] = [TURNS.get(c.row.turn, Turn.STRAIGHT) for c in draft.connectors]
    for i in range(n, len(turn)):
        part = slice(lines.pt_off[i], lines.pt_off[i + 1])
        bend = np.diff(np.unwrap(lines.pt_heading_rad[part])).sum()
        worst = np.abs(lines.pt_curvature_1pm[part]).max()
        if abs(bend) > BACK_RAD and worst > 1.0 / BACK_RADIUS_M:
            turn[i] = Turn.U_TURN
    return turn


def _defaulted(ways: str, defaulted_ways: frozenset[str]) -> bool:
    return bool(defaulted_ways) and any(way in defaulted_ways for way in ways.split())


def links(start: Int32Array, end: Int32Array) -> dict[str, Any]:
    """Successor and predecessor lists: lane -> connector -> lane."""
    total = len(start)
    connector = np.flatnonzero(start >= 0).astype(np.int32)
    tail = np.concatenate((start[connector], connector))
    head = np.concatenate((connector, end[connector]))
    forward = np.lexsort((head, tail))
    backward = np.lexsort((tail, head))
    return {
        "succ_off": csr(tail, total),
        "succ": head[forward].astype(np.int32),
        "pred_off": csr(head, total),
        "pred": tail[backward].astype(np.int32),
    }


_DRIVABLE = (LaneKind.DRIVE, LaneKind.BUS, LaneKind.SHOULDER)


def neighbours(
    draft: Draft, kind: Int8Array, total: int
) -> tuple[Int32Array, Int32Array, BoolArray, BoolArray]:
    """Lanes beside in the same direction, and whether a car may cross to them."""
    left = np.full(total, NONE, dtype=np.int32)
    right = np.full(total, NONE, dtype=np.int32)
    left_ok = np.zeros(total, dtype=np.bool_)
    right_ok = np.zeros(total, dtype=np.bool_)
    for edge in draft.edges:
        # index 0 lies at the kerb: on the right, or on the left where traffic keeps left
        row = sorted(edge.lanes, key=lambda lane: lane.index, reverse=draft.net.left_hand)
        for a, b in pairwise(row):
            i, j = draft.lane_of[a.name], draft.lane_of[b.name]
            if kind[i] not in _DRIVABLE or kind[j] not in _DRIVABLE:
                continue
            left[i], right[j] = j, i
            left_ok[i] = "passenger" in a.change_left and "passenger" in b.classes
            right_ok[j] = "passenger" in b.change_right and "passenger" in a.classes
    return left, right, left_ok, right_ok


def opposites(
    draft: Draft, kind: Int8Array, limit: FloatArray, lines: Lines, total: int
) -> tuple[Int32Array, BoolArray]:
    """Adjacent lane of the opposite direction.

    Using it to pass an obstacle counts as legal on a plain road, one car lane each way, if the
    source's marks allow it; where the source has no marks, with a limit of at most 50 km/h (a draft
    value).
    """
    opposite = np.full(total, NONE, dtype=np.int32)
    legal = np.zeros(total, dtype=np.bool_)
    inner = {
        i: _inner_lane(edge, draft, kind)
        for i, edge in enumerate(draft.edges)
        if edge.start and edge.end
    }
    reverse: dict[tuple[str, str], list[int]] = {}
    for i in inner:
        reverse.setdefault((draft.edges[i].start, draft.edges[i].end), []).append(i)
    for i, lane in inner.items():
        if lane == NONE:
            continue
        named = draft.lane_of.get(draft.lanes[lane].opposite, NONE)
        others = reverse.get((draft.edges[i].end, draft.edges[i].start), [])
        found = named if named != NONE else _beside(draft, lines, lane, [inner[j] for j in others])
        if found == NONE or kind[found] not in _DRIVABLE:
            continue
        opposite[lane] = found
        far = draft.edges[draft.lane_edge[found]]
        alone = _car_lanes(draft.edges[i]) == 1 and _car_lanes(far) == 1
        slow = max(limit[lane], limit[found]) <= OPPOSITE_LIMIT_MPS
        cars = "passenger" in draft.lanes[lane].classes & draft.lanes[found].classes
        circle = draft.edges[i].name in draft.net.roundabout_edges
        marks = draft.lanes[lane].opposite_ok
        legal[lane] = alone and (slow if marks is None else marks) and cars and not circle
    return opposite, legal


def _inner_lane(edge: NetEdge, draft: Draft, kind: Int8Array) -> int:
    """The lane nearest the middle of the road, NONE when it is no lane for vehicles."""
    lane = draft.lane_of[max(edge.lanes, key=lambda item: item.index).name] if edge.lanes else NONE
    return lane if lane != NONE and kind[lane] in _DRIVABLE else NONE


def _car_lanes(edge: NetEdge) -> int:
    return sum(1 for lane in edge.lanes if kind_of(lane.classes) in _DRIVABLE)


def _beside(draft: Draft, lines: Lines, lane: int, others: list[int]) -> int:
    """The lane among `others` that runs the other way right beside the middle of `lane`."""
    points = lines.pt_xy_m[lines.pt_off[lane] : lines.pt_off[lane + 1]]
    middle = points[len(points) // 2]
    best, best_gap = NONE, math.inf
    for other in others:
        if other == NONE:
            continue
        line = lines.pt_xy_m[lines.pt_off[other] : lines.pt_off[other + 1]]
        gap = float(np.hypot(*(line - middle).T).min())
        room = 0.5 * (draft.lanes[lane].width_m + draft.lanes[other].width_m) + 0.8
        if gap < min(best_gap, room):
            best, best_gap = other, gap
    return best
