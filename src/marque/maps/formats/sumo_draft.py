"""SUMO's records with indices: lanes, connectors with their chains and rules, signal heads.

What SUMO calls internal lanes becomes one connector per connection: a chain broken by an internal
junction (where left-turners wait) is merged and named after its first part.
"""

from dataclasses import dataclass, field

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, IntArray
from marque.maps.formats.sumo_net import Net, NetConnection, NetEdge, NetJunction, NetLane
from marque.types.codes import Control
from marque.types.road_map import NONE


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
    wait_xy_m: FloatArray | None = None  # [2] where the first part of its chain ends


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


def make_draft(net: Net) -> Draft:
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


def connect(draft: Draft) -> None:
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
        connector = Connector(name, parts, start, end, junction, row, shape, height)
        if len(parts) > 1:
            connector.wait_xy_m = inner[parts[0]].shape_m[-1]
        draft.connectors.append(connector)
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


def set_rules(draft: Draft) -> None:
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


def offsets(counts: list[int] | IntArray) -> Int32Array:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def stacked(parts: list[FloatArray]) -> FloatArray:
    return np.vstack([np.zeros((0, 2)), *parts])


def csr(key: Int32Array, count: int) -> Int32Array:
    return offsets(np.bincount(key, minlength=count).astype(np.int64))
