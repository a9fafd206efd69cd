"""From SUMO's records to a RoadMap: lanes, connectors, rules, signals, crosswalks.

What SUMO calls internal lanes becomes one connector per connection: a chain broken by an internal
junction (where left-turners wait) is merged and named after its first part; the other parts stand
in `alias_name`.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, IntArray
from marque.core.errors import MarqueError
from marque.core.geometry import arc_length
from marque.core.units import KPH
from marque.maps.conflicts import (
    SIDE_MARGIN_M,
    VEHICLE_WIDTH_M,
    Overlaps,
    find_overlaps,
    span_in_polygon,
)
from marque.maps.formats.sumo_net import (
    Net,
    NetConnection,
    NetEdge,
    NetJunction,
    NetLane,
    NetProgram,
    allow_bits,
    kind_of,
)
from marque.maps.smooth import Lines, smooth_lanes
from marque.types.codes import ConflictKind, Control, LaneKind, Turn
from marque.types.road_map import NONE, RoadMap

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
OPPOSITE_LIMIT_MPS = 50.0 * KPH + 0.1
BACK_RAD = math.radians(150.0)
BACK_RADIUS_M = 4.5
STOP_BEFORE_CROSSWALK_M = 0.5
LEAST_PASS_M = 0.25  # a crosswalk that merely touches a lane's end is not on it
TURNS = {
    "s": Turn.STRAIGHT,
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.U_TURN,
    "T": Turn.U_TURN,
}
STOPPING = (
    Control.SIGNAL,
    Control.YIELD,
    Control.STOP,
    Control.ALL_WAY_STOP,
    Control.RIGHT_BEFORE_LEFT,
    Control.ROUNDABOUT,
    Control.ZIPPER,
)
# half of the strip that the usual vehicle of a lane sweeps, without margin
HALF_WIDTHS_M = {
    LaneKind.DRIVE: 0.5 * VEHICLE_WIDTH_M,
    LaneKind.BUS: 1.3,
    LaneKind.BIKE: 0.4,
    LaneKind.OTHER: 1.3,
    LaneKind.SHOULDER: 0.5 * VEHICLE_WIDTH_M,
    LaneKind.WALK: 0.4,
}


@dataclass(slots=True)
class Connector:
    """One connection from lane to lane, with its chain of internal lanes."""

    name: str
    parts: list[str]
    start: int
    end: int
    junction: int
    row: NetConnection
    shape_m: FloatArray
    elevation_m: float
    index: int = NONE  # row in its junction's right-of-way matrix
    control: Control = Control.FREE
    circulating: bool = False


@dataclass(slots=True)
class Draft:
    """Records with indices, on the way to a RoadMap."""

    net: Net
    edges: list[NetEdge]
    lanes: list[NetLane]
    lane_edge: list[int]
    lane_of: dict[str, int]
    junction_of: dict[str, int]
    connectors: list[Connector] = field(default_factory=list)
    heads: dict[tuple[str, int], int] = field(default_factory=dict)


def build(net: Net, name: str, source: str, defaulted_ways: frozenset[str]) -> RoadMap:
    """A RoadMap from a network. defaulted_ways: OSM ways whose limit is a regional default.

    MarqueError: no lane that a car may use.
    """
    draft = _draft(net)
    if not any("passenger" in lane.classes for lane in draft.lanes):
        raise MarqueError(f"{source} has no lane that a car may use")
    _connect(draft)
    _rule(draft)
    return _assemble(draft, name, source, defaulted_ways)


def _draft(net: Net) -> Draft:
    edges = [edge for edge in net.edges if edge.function in ("", "connector")]
    lanes = [lane for edge in edges for lane in edge.lanes]
    lane_edge = [i for i, edge in enumerate(edges) for _ in edge.lanes]
    return Draft(
        net=net,
        edges=edges,
        lanes=lanes,
        lane_edge=lane_edge,
        lane_of={lane.name: i for i, lane in enumerate(lanes)},
        junction_of={junction.name: i for i, junction in enumerate(net.junctions)},
    )


def _connect(draft: Draft) -> None:
    """Connectors from connections, chains merged; rows of the right-of-way matrix."""
    inner = {
        lane.name: lane
        for edge in draft.net.edges
        if edge.function == "internal"
        for lane in edge.lanes
    }
    follow = {
        row.start: row.via for row in draft.net.connections if row.start.startswith(":") and row.via
    }
    for row in draft.net.connections:
        start, end = draft.lane_of.get(row.start), draft.lane_of.get(row.end)
        if start is None or end is None:
            continue
        parts = _chain(row.via, follow, inner)
        junction = draft.junction_of.get(draft.edges[draft.lane_edge[start]].end, NONE)
        shape, height = _joined_shape(draft.lanes[start], draft.lanes[end], parts, inner)
        name = parts[0] if parts else f"{row.start}->{row.end}"
        draft.connectors.append(Connector(name, parts, start, end, junction, row, shape, height))
    draft.connectors.sort(key=lambda c: (c.junction, _link_number(c.name), c.start, c.end))
    of_part = {part: c for c in draft.connectors for part in c.parts}
    for node in draft.net.junctions:
        for index, part in enumerate(node.inner):
            if part in of_part:
                of_part[part].index = index


def _chain(via: str, follow: dict[str, str], inner: dict[str, NetLane]) -> list[str]:
    parts: list[str] = []
    while via and via in inner and via not in parts:
        parts.append(via)
        via = follow.get(via, "")
    return parts


def _link_number(name: str) -> int:
    pieces = name.rsplit("_", 2)
    return int(pieces[-2]) if len(pieces) == 3 and pieces[-2].isdigit() else 0


def _joined_shape(
    start: NetLane, end: NetLane, parts: list[str], inner: dict[str, NetLane]
) -> tuple[FloatArray, float]:
    """Polyline of a connector (a straight one where the source has none) and its mean height."""
    if not parts:
        shape = np.vstack((start.shape_m[-1], end.shape_m[0]))
        return shape, 0.5 * (start.elevation_m + end.elevation_m)
    shapes = [inner[part].shape_m for part in parts]
    joined = [shapes[0]]
    for shape in shapes[1:]:
        same = np.allclose(joined[-1][-1], shape[0], atol=1e-9)
        joined.append(shape[1:] if same else shape)
    return np.vstack(joined), float(np.mean([inner[part].elevation_m for part in parts]))


def _rule(draft: Draft) -> None:
    """Control and roundabout membership of every connector; signal heads in order of use."""
    net = draft.net
    circle = net.roundabout_edges
    major_edges = {
        draft.lane_edge[c.start]
        for c in draft.connectors
        if c.row.state == "M" and c.row.turn.lower() != "t"
    }
    for c in draft.connectors:
        start, end = (draft.edges[draft.lane_edge[i]].name for i in (c.start, c.end))
        c.circulating = start in circle and end in circle
        junction = net.junctions[c.junction] if c.junction >= 0 else None
        entering = end in circle and start not in circle
        major = draft.lane_edge[c.start] in major_edges
        c.control = _control(c, junction, entering, major)
        if c.row.signal and c.row.link >= 0:
            draft.heads.setdefault((c.row.signal, c.row.link), len(draft.heads))


def _control(c: Connector, junction: NetJunction | None, entering: bool, major: bool) -> Control:
    """Rule at the entry of a connector.

    A minor link of an approach that also has a major one is a turn off the priority road: nothing
    stands at its entry, its conflicts decide.
    """
    if c.row.signal and c.row.link >= 0:
        return Control.SIGNAL
    kind = junction.kind if junction else ""
    foes = junction.foes.get(c.index, 0) if junction else 0
    state = c.row.state
    if kind == "allway_stop" or state == "w":
        return Control.ALL_WAY_STOP if foes else Control.FREE
    if state == "s":
        return Control.STOP
    if kind == "zipper" or state == "Z":
        return Control.ZIPPER
    if entering and foes:
        return Control.ROUNDABOUT
    if kind in ("right_before_left", "left_before_right") or state == "=":
        return Control.RIGHT_BEFORE_LEFT if foes else Control.FREE
    if kind == "unregulated":
        return Control.FREE
    if state == "m":
        yields = junction.yields.get(c.index, 0) if junction else 0
        return Control.YIELD if yields and not major else Control.FREE
    return Control.FREE


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
    shape_off = _offsets([len(s) for s in shapes])
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
    conflicts = _conflicts(draft, kind, control, roundabout, lines, start, end)
    walks = _crosswalks(draft, kind, lines, start, end)
    stop = _stop_lines(draft, control, length, walks)
    left, right, left_ok, right_ok = _neighbours(draft, kind, total)
    opposite, opposite_ok = _opposites(draft, kind, limit, lines, total)
    heads = _heads(draft, lines, stop)
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
        shape_off=shape_off,
        shape_xy_m=shape_xy,
        **_links(start, end),
        **conflicts,
        **walks.fields(),
        **heads,
        junction_name=tuple(junction.name for junction in junctions),
        junction_kind=tuple(junction.kind for junction in junctions),
        junction_off=_offsets([len(junction.shape_m) for junction in junctions]),
        junction_xy_m=_stacked([junction.shape_m for junction in junctions]),
        stop_name=(),
        stop_lane=np.zeros(0, dtype=np.int32),
        stop_s_in_m=np.zeros(0),
        stop_s_out_m=np.zeros(0),
        alias_name=tuple(part for part, _ in aliases),
        alias_lane=np.array([lane for _, lane in aliases], dtype=np.int32),
    )


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


def _offsets(counts: list[int] | IntArray) -> Int32Array:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def _stacked(parts: list[FloatArray]) -> FloatArray:
    return np.vstack([np.zeros((0, 2)), *parts])


def _csr(key: Int32Array, count: int) -> Int32Array:
    return _offsets(np.bincount(key, minlength=count).astype(np.int64))


def _links(start: Int32Array, end: Int32Array) -> dict[str, Any]:
    """Successor and predecessor lists: lane -> connector -> lane."""
    total = len(start)
    connector = np.flatnonzero(start >= 0).astype(np.int32)
    tail = np.concatenate((start[connector], connector))
    head = np.concatenate((connector, end[connector]))
    forward = np.lexsort((head, tail))
    backward = np.lexsort((tail, head))
    return {
        "succ_off": _csr(tail, total),
        "succ": head[forward].astype(np.int32),
        "pred_off": _csr(head, total),
        "pred": tail[backward].astype(np.int32),
    }


# --- conflicts ------------------------------------------------------------------------------------


def _conflicts(
    draft: Draft,
    kind: Int8Array,
    control: Int8Array,
    roundabout: BoolArray,
    lines: Lines,
    start: Int32Array,
    end: Int32Array,
) -> dict[str, Any]:
    pairs, listed = _candidate_pairs(draft, kind)
    half = np.array([HALF_WIDTHS_M[LaneKind(k)] + SIDE_MARGIN_M for k in kind])
    edge = np.array(draft.lane_edge, dtype=np.int32)
    abreast = edge[start[pairs[:, 0]]] == edge[start[pairs[:, 1]]]
    found = find_overlaps(
        pairs, listed, abreast, half, lines.pt_off, lines.pt_xy_m, lines.pt_s_m, start, end
    )
    priority, guessed = _priorities(draft, found, lines, roundabout)
    return _both_sides(found, priority, guessed, len(kind))


def _candidate_pairs(draft: Draft, kind: Int8Array) -> tuple[Int32Array, BoolArray]:
    """Pairs of connectors of one junction, and whether the source lists them as foes."""
    n = len(draft.lanes)
    groups: dict[int, list[int]] = {}
    for i, c in enumerate(draft.connectors):
        if c.junction >= 0 and kind[n + i] != LaneKind.WALK:
            groups.setdefault(c.junction, []).append(i)
    pairs: list[tuple[int, int]] = []
    listed: list[bool] = []
    for junction, members in groups.items():
        foes = draft.net.junctions[junction].foes
        for k, i in enumerate(members):
            row = foes.get(draft.connectors[i].index, 0)
            for j in members[k + 1 :]:
                other = draft.connectors[j].index
                pairs.append((n + i, n + j))
                listed.append(other >= 0 and bool(row >> other & 1))
    return (
        np.array(pairs, dtype=np.int32).reshape(-1, 2),
        np.array(listed, dtype=np.bool_),
    )


def _priorities(
    draft: Draft, found: Overlaps, lines: Lines, roundabout: BoolArray
) -> tuple[Int8Array, BoolArray]:
    """Priority of a over b for every overlap, and whether it had to be guessed."""
    n = len(draft.lanes)
    priority = np.zeros(len(found.a), dtype=np.int8)
    guessed = np.zeros(len(found.a), dtype=np.bool_)
    for k, (a, b) in enumerate(zip(found.a.tolist(), found.b.tolist(), strict=True)):
        if found.kind[k] == ConflictKind.DIVERGE:
            continue
        first, second = draft.connectors[a - n], draft.connectors[b - n]
        junction = draft.net.junctions[first.junction]
        if junction.kind == "allway_stop":
            continue
        if Control.ZIPPER in (first.control, second.control):
            continue
        a_yields = _yields(junction, first.index, second.index)
        b_yields = _yields(junction, second.index, first.index)
        if a_yields != b_yields:
            priority[k] = -1 if a_yields else 1
            continue
        guessed[k] = True
        priority[k] = _general_rule(draft, lines, a, b)
    return priority, guessed


def _yields(junction: NetJunction, index: int, other: int) -> bool:
    if index < 0 or other < 0:
        return False
    return bool(junction.yields.get(index, 0) >> other & 1)


_RANK = {
    Control.FREE: 0,
    Control.SIGNAL: 0,
    Control.RIGHT_BEFORE_LEFT: 0,
    Control.ZIPPER: 0,
    Control.ALL_WAY_STOP: 0,
    Control.ROUNDABOUT: 1,
    Control.YIELD: 1,
    Control.STOP: 2,
}
_TURN_RANK = {"s": 0, "r": 1, "R": 1, "l": 2, "L": 2, "t": 3, "T": 3}


def _general_rule(draft: Draft, lines: Lines, a: int, b: int) -> int:
    """Priority of a over b where the source does not say.

    In this order: circulating traffic first; fewer signs first; a turn yields to the less turning
    of the same or the opposite approach; right before left (left before right where traffic keeps
    left); otherwise the straighter path. Draft values: a region's law may differ.
    """
    n = len(draft.lanes)
    first, second = draft.connectors[a - n], draft.connectors[b - n]
    if first.circulating != second.circulating:
        return 1 if first.circulating else -1
    rank = _RANK[second.control] - _RANK[first.control]
    if rank:
        return 1 if rank > 0 else -1
    bend = _bend(lines, first.start, second.start)
    turn = _TURN_RANK.get(second.row.turn, 0) - _TURN_RANK.get(first.row.turn, 0)
    facing = abs(bend) < math.radians(45.0) or abs(bend) > math.radians(135.0)
    if facing and turn:
        return 1 if turn > 0 else -1
    if not facing:
        # b heads to the left of a (bend > 0): b comes from a's right
        from_right = bend > 0.0
        return -1 if from_right != draft.net.left_hand else 1
    return 0


def _bend(lines: Lines, a: int, b: int) -> float:
    """Heading of lane b's end relative to lane a's end, in (-pi, pi]."""
    turned = lines.pt_heading_rad[lines.pt_off[b + 1] - 1]
    turned = turned - lines.pt_heading_rad[lines.pt_off[a + 1] - 1]
    return math.atan2(math.sin(turned), math.cos(turned))


def _both_sides(
    found: Overlaps, priority: Int8Array, guessed: BoolArray, total: int
) -> dict[str, Any]:
    """Every overlap as a row of a and a row of b, grouped by lane, in order of s."""
    lane = np.concatenate((found.a, found.b))
    other = np.concatenate((found.b, found.a))
    s_in = np.concatenate((found.a_in_m, found.b_in_m))
    order = np.lexsort((other, s_in, lane))
    return {
        "conf_off": _csr(lane, total),
        "conf_lane": other[order].astype(np.int32),
        "conf_kind": np.concatenate((found.kind, found.kind))[order],
        "conf_priority": np.concatenate((priority, -priority))[order].astype(np.int8),
        "conf_s_in_m": s_in[order],
        "conf_s_out_m": np.concatenate((found.a_out_m, found.b_out_m))[order],
        "conf_other_in_m": np.concatenate((found.b_in_m, found.a_in_m))[order],
        "conf_other_out_m": np.concatenate((found.b_out_m, found.a_out_m))[order],
        "conf_guessed": np.concatenate((guessed, guessed))[order],
    }


# --- crosswalks -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Crosswalks:
    """Crosswalks and the lanes that pass them."""

    name: list[str]
    polygon: list[FloatArray]
    priority: list[bool]
    head: list[int]
    axis: list[tuple[float, float, float, float]]
    width: list[float]
    passes: list[tuple[int, float, float, int]]  # lane, s_in, s_out, walk
    total: int

    def fields(self) -> dict[str, Any]:
        """As RoadMap fields."""
        passes = sorted(self.passes)
        lane = np.array([p[0] for p in passes], dtype=np.int32)
        return {
            "walk_name": tuple(self.name),
            "walk_off": _offsets([len(p) for p in self.polygon]),
            "walk_xy_m": _stacked(self.polygon),
            "walk_priority": np.array(self.priority, dtype=np.bool_),
            "walk_head": np.array(self.head, dtype=np.int32),
            "walk_axis_m": np.array(self.axis, dtype=np.float64).reshape(-1, 4),
            "walk_width_m": np.array(self.width, dtype=np.float64),
            "cross_off": _csr(lane, self.total),
            "cross_walk": np.array([p[3] for p in passes], dtype=np.int32),
            "cross_s_in_m": np.array([p[1] for p in passes], dtype=np.float64),
            "cross_s_out_m": np.array([p[2] for p in passes], dtype=np.float64),
        }


def _crosswalks(
    draft: Draft, kind: Int8Array, lines: Lines, start: Int32Array, end: Int32Array
) -> Crosswalks:
    n = len(draft.lanes)
    walks = Crosswalks([], [], [], [], [], [], [], len(kind))
    access = {
        row.end: row
        for row in draft.net.connections
        if row.end.startswith(":") and row.start.startswith(":")
    }
    at_junction: dict[int, list[int]] = {}
    for i, c in enumerate(draft.connectors):
        if kind[n + i] != LaneKind.WALK:
            at_junction.setdefault(c.junction, []).append(n + i)
    for edge in draft.net.edges:
        if edge.function != "crossing" or not edge.lanes:
            continue
        lane = edge.lanes[0]
        if len(lane.shape_m) < 2 or arc_length(lane.shape_m)[-1] < 0.1:
            continue
        row = access.get(lane.name)
        walk = len(walks.name)
        walks.name.append(lane.name)
        walks.polygon.append(_ribbon(lane.shape_m, lane.width_m))
        walks.axis.append((*lane.shape_m[0], *lane.shape_m[-1]))
        walks.width.append(lane.width_m)
        walks.head.append(_walk_head(draft, row))
        walks.priority.append(row is not None and (bool(row.signal) or row.state == "M"))
        near = at_junction.get(draft.junction_of.get(_junction_name(edge.name), NONE), [])
        near_lanes = {int(start[c]) for c in near} | {int(end[c]) for c in near}
        _passes(walks, walk, [*near, *sorted(near_lanes)], kind, lines)
    return walks


def _junction_name(crossing: str) -> str:
    """`:J_c0` -> `J`."""
    return crossing[1:].rsplit("_", 1)[0]


def _walk_head(draft: Draft, row: NetConnection | None) -> int:
    if row is None or not row.signal or row.link < 0:
        return NONE
    return draft.heads.setdefault((row.signal, row.link), len(draft.heads))


def _ribbon(shape: FloatArray, width_m: float) -> FloatArray:
    """Outline of a polyline with a width."""
    step = np.diff(shape, axis=0)
    size = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)
    normal = np.column_stack((-step[:, 1], step[:, 0])) / size[:, None]
    mitre = np.vstack((normal[:1], normal[:-1] + normal[1:], normal[-1:]))
    mitre /= np.maximum(np.hypot(mitre[:, 0], mitre[:, 1]), 1e-9)[:, None]
    side = 0.5 * width_m * mitre
    return np.vstack((shape + side, (shape - side)[::-1]))


def _passes(walks: Crosswalks, walk: int, lanes: list[int], kind: Int8Array, lines: Lines) -> None:
    polygon = walks.polygon[walk]
    low, high = polygon.min(axis=0) - 2.0, polygon.max(axis=0) + 2.0
    for lane in lanes:
        if kind[lane] == LaneKind.WALK:
            continue
        part = slice(lines.pt_off[lane], lines.pt_off[lane + 1])
        xy = lines.pt_xy_m[part]
        if (xy.max(axis=0) < low).any() or (xy.min(axis=0) > high).any():
            continue
        half = HALF_WIDTHS_M[LaneKind(kind[lane])]
        s_in, s_out = span_in_polygon(xy, lines.pt_s_m[part], polygon, half)
        if s_out - s_in > LEAST_PASS_M:
            walks.passes.append((lane, s_in, s_out, walk))


def _stop_lines(
    draft: Draft, control: Int8Array, length: FloatArray, walks: Crosswalks
) -> FloatArray:
    """s of the stop line of each lane: its end, or before a crosswalk that lies on it."""
    n = len(draft.lanes)
    stop = np.full(len(length), np.nan)
    for i, c in enumerate(draft.connectors):
        if control[n + i] in STOPPING:
            stop[c.start] = length[c.start]
    for lane, s_in, _, _ in walks.passes:
        if lane >= n:  # just inside the junction
            c = draft.connectors[lane - n]
            lane, at = c.start, length[c.start] + s_in
        elif s_in > 0.5 * length[lane]:
            at = s_in
        else:
            continue
        if not math.isnan(stop[lane]):
            stop[lane] = min(stop[lane], max(0.0, at - STOP_BEFORE_CROSSWALK_M))
    return stop


# --- signals --------------------------------------------------------------------------------------


def _heads(draft: Draft, lines: Lines, stop: FloatArray) -> dict[str, Any]:
    """Heads, groups and programs; a head is one (signal, link)."""
    programs: dict[str, NetProgram] = {}
    for program in draft.net.programs:
        known = programs.get(program.signal)
        if known is None or (program.program == "0" and known.program != "0"):
            programs[program.signal] = program
    groups = sorted({signal for signal, _ in draft.heads} | set(programs))
    index = {signal: i for i, signal in enumerate(groups)}
    where = _head_places(draft, lines, stop)
    states = [list(programs[g].states) if g in programs else [] for g in groups]
    durations = [list(programs[g].durations_s) if g in programs else [] for g in groups]
    return {
        "head_group": np.array([index[signal] for signal, _ in draft.heads], dtype=np.int32),
        "head_link": np.array([link for _, link in draft.heads], dtype=np.int32),
        "head_xy_m": where,
        "group_name": tuple(groups),
        "phase_off": _offsets([len(s) for s in states]),
        "phase_duration_s": np.array([d for group in durations for d in group], dtype=np.float64),
        "phase_state": tuple(state for group in states for state in group),
        "group_offset_s": np.array(
            [programs[g].offset_s if g in programs else 0.0 for g in groups], dtype=np.float64
        ),
    }


def _head_places(draft: Draft, lines: Lines, stop: FloatArray) -> FloatArray:
    where = np.full((len(draft.heads), 2), np.nan)
    for c in draft.connectors:
        head = draft.heads.get((c.row.signal, c.row.link), NONE)
        if head >= 0 and math.isnan(where[head, 0]):
            part = slice(lines.pt_off[c.start], lines.pt_off[c.start + 1])
            for axis in range(2):
                where[head, axis] = np.interp(
                    stop[c.start], lines.pt_s_m[part], lines.pt_xy_m[part, axis]
                )
    crossing = {
        edge.lanes[0].name: edge.lanes[0].shape_m[0]
        for edge in draft.net.edges
        if edge.function == "crossing" and edge.lanes
    }
    for row in draft.net.connections:
        head = draft.heads.get((row.signal, row.link), NONE)
        if head >= 0 and row.end in crossing and math.isnan(where[head, 0]):
            where[head] = crossing[row.end]
    return where


# --- neighbours -----------------------------------------------------------------------------------

_DRIVABLE = (LaneKind.DRIVE, LaneKind.BUS, LaneKind.SHOULDER)


def _neighbours(
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


def _opposites(
    draft: Draft, kind: Int8Array, limit: FloatArray, lines: Lines, total: int
) -> tuple[Int32Array, BoolArray]:
    """Adjacent lane of the opposite direction.

    Using it to pass an obstacle counts as legal on a plain road, one car lane each way, with a
    limit of at most 50 km/h (a draft value: road markings are not in the source).
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
        legal[lane] = alone and slow and cars and not circle
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
