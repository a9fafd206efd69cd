"""Small road maps for tests: every field of RoadMap, from lanes given as polylines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length, curvatures, headings, resample
from marque.types.codes import Allow, ConflictKind, Control, LaneKind, Turn
from marque.types.road_map import NONE, RoadMap

MOTOR = Allow.CAR | Allow.TRUCK | Allow.BUS | Allow.MOTORCYCLE
ALLOW_OF_KIND = {
    LaneKind.DRIVE: MOTOR | Allow.BICYCLE,
    LaneKind.BUS: Allow.BUS,
    LaneKind.BIKE: Allow.BICYCLE,
    LaneKind.WALK: Allow.PEDESTRIAN,
    LaneKind.SHOULDER: 0,
    LaneKind.OTHER: 0,
}
# a transverse Mercator around Berlin, as netconvert would write it
UTM33 = "+proj=utm +zone=33 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"


@dataclass
class Lane:
    """One lane: polyline, links by index into the list given to `tiny_map`, and its rules."""

    xy: Sequence[tuple[float, float]]
    succ: Sequence[int] = ()
    name: str = ""
    edge: str = ""  # lanes of one road and direction share it; "" makes an edge of its own
    kind: LaneKind = LaneKind.DRIVE
    allow: int | None = None  # None: what is usual for the kind
    width: float = 3.2
    limit: float = 13.89
    connector: bool = False
    turn: Turn = Turn.NONE
    control: Control = Control.FREE
    roundabout: bool = False
    junction: int = NONE
    left: int = NONE
    right: int = NONE
    left_ok: bool = True  # without effect where there is no neighbour
    right_ok: bool = True
    opposite: int = NONE
    opposite_ok: bool = False
    stop: float = float("nan")
    head: int = NONE
    elevation: float = 0.0


@dataclass
class Conflict:
    """Two connectors share an area; both directions are entered. `priority` is that of `a`."""

    a: int
    b: int
    a_in: float
    a_out: float
    b_in: float
    b_out: float
    kind: ConflictKind = ConflictKind.CROSS
    priority: int = 0


@dataclass
class Walk:
    """A crosswalk: its axis from kerb to kerb, and the lanes it crosses as (lane, s_in, s_out)."""

    axis: tuple[float, float, float, float]
    lanes: Sequence[tuple[int, float, float]] = ()
    width: float = 3.0
    priority: bool = True
    head: int = NONE


@dataclass
class Program:
    """One signal group: phases as (seconds, state letters); heads refer to it by link index."""

    phases: Sequence[tuple[float, str]] = field(default_factory=list)
    offset: float = 0.0


def tiny_map(
    lanes: Sequence[Lane],
    *,
    conflicts: Sequence[Conflict] = (),
    walks: Sequence[Walk] = (),
    programs: Sequence[Program] = (),
    heads: Sequence[tuple[int, int, tuple[float, float]]] = (),  # (program, link, where)
    junctions: Sequence[Sequence[tuple[float, float]]] = (),  # outlines
    stops: Sequence[tuple[int, float, float]] = (),  # bus stops: lane, s_in, s_out
    left_hand: bool = False,
    projection: str = UTM33,
    offset: tuple[float, float] = (0.0, 0.0),
    step_m: float = 1.0,
    name: str = "tiny",
) -> RoadMap:
    """A whole RoadMap. Predecessors, arc lengths, headings and curvatures are derived."""
    count = len(lanes)
    points = [resample(np.asarray(lane.xy, dtype=float), step_m) for lane in lanes]
    arcs = [arc_length(each) for each in points]
    edges: list[str] = []
    edge_of = []
    for i, lane in enumerate(lanes):
        edge = lane.edge or f"edge{i}"
        if edge not in edges:
            edges.append(edge)
        edge_of.append(edges.index(edge))
    pred: list[list[int]] = [[] for _ in lanes]
    for i, lane in enumerate(lanes):
        for after in lane.succ:
            pred[after].append(i)
    rows = _conflict_rows(conflicts, count)
    crossed: list[list[tuple[int, float, float]]] = [[] for _ in lanes]
    for w, walk in enumerate(walks):
        for lane_index, s_in, s_out in walk.lanes:
            crossed[lane_index].append((w, s_in, s_out))
    crossings = [each for row in crossed for each in sorted(row, key=lambda item: item[1])]
    conflict_rows = [each for row in rows for each in row]
    polygons = [_walk_polygon(walk) for walk in walks]
    outlines = [np.asarray(each, dtype=float).reshape(-1, 2) for each in junctions]
    phases = [each for program in programs for each in program.phases]
    allow = [int(ALLOW_OF_KIND[lane.kind] if lane.allow is None else lane.allow) for lane in lanes]
    shapes = [np.asarray(lane.xy, dtype=float).reshape(-1, 2) for lane in lanes]
    return RoadMap(
        name=name,
        source="tests",
        projection=projection,
        offset_m=np.asarray(offset, dtype=float),
        left_hand=left_hand,
        attribution="",
        lane_name=tuple(lane.name or f"lane{i}" for i, lane in enumerate(lanes)),
        lane_edge=_int32(edge_of),
        edge_name=tuple(edges),
        lane_kind=_int8([lane.kind for lane in lanes]),
        lane_allow=_int8(allow),
        lane_connector=_bool([lane.connector for lane in lanes]),
        lane_width_m=_float([lane.width for lane in lanes]),
        lane_length_m=_float([float(arc[-1]) for arc in arcs]),
        lane_limit_mps=_float([lane.limit for lane in lanes]),
        lane_limit_defaulted=np.zeros(count, dtype=bool),
        lane_turn=_int8([lane.turn for lane in lanes]),
        lane_control=_int8([lane.control for lane in lanes]),
        lane_roundabout=_bool([lane.roundabout for lane in lanes]),
        lane_junction=_int32([lane.junction for lane in lanes]),
        lane_left=_int32([lane.left for lane in lanes]),
        lane_right=_int32([lane.right for lane in lanes]),
        lane_left_ok=_bool([lane.left != NONE and lane.left_ok for lane in lanes]),
        lane_right_ok=_bool([lane.right != NONE and lane.right_ok for lane in lanes]),
        lane_opposite=_int32([lane.opposite for lane in lanes]),
        lane_opposite_ok=_bool([lane.opposite != NONE and lane.opposite_ok for lane in lanes]),
        lane_stop_m=_float([lane.stop for lane in lanes]),
        lane_head=_int32([lane.head for lane in lanes]),
        lane_elevation_m=_float([lane.elevation for lane in lanes]),
        pt_off=_offsets(points),
        pt_xy_m=_stack(points),
        pt_s_m=np.concatenate(arcs) if arcs else np.zeros(0),
        pt_heading_rad=np.concatenate([headings(each) for each in points]),
        pt_curvature_1pm=np.concatenate([curvatures(each) for each in points]),
        shape_off=_offsets(shapes),
        shape_xy_m=_stack(shapes),
        succ_off=_offsets([lane.succ for lane in lanes]),
        succ=_int32([after for lane in lanes for after in lane.succ]),
        pred_off=_offsets(pred),
        pred=_int32([before for row in pred for before in row]),
        conf_off=_offsets(rows),
        conf_lane=_int32([int(row[0]) for row in conflict_rows]),
        conf_kind=_int8([int(row[1]) for row in conflict_rows]),
        conf_priority=_int8([int(row[2]) for row in conflict_rows]),
        conf_s_in_m=_float([row[3] for row in conflict_rows]),
        conf_s_out_m=_float([row[4] for row in conflict_rows]),
        conf_other_in_m=_float([row[5] for row in conflict_rows]),
        conf_other_out_m=_float([row[6] for row in conflict_rows]),
        conf_guessed=np.zeros(len(conflict_rows), dtype=bool),
        walk_name=tuple(f"walk{i}" for i in range(len(walks))),
        walk_off=_offsets(polygons),
        walk_xy_m=_stack(polygons),
        walk_priority=_bool([walk.priority for walk in walks]),
        walk_head=_int32([walk.head for walk in walks]),
        walk_axis_m=_float([walk.axis for walk in walks]).reshape(-1, 4),
        walk_width_m=_float([walk.width for walk in walks]),
        cross_off=_offsets(crossed),
        cross_walk=_int32([each[0] for each in crossings]),
        cross_s_in_m=_float([each[1] for each in crossings]),
        cross_s_out_m=_float([each[2] for each in crossings]),
        head_group=_int32([head[0] for head in heads]),
        head_link=_int32([head[1] for head in heads]),
        head_xy_m=_float([head[2] for head in heads]).reshape(-1, 2),
        group_name=tuple(f"group{i}" for i in range(len(programs))),
        phase_off=_offsets([program.phases for program in programs]),
        phase_duration_s=_float([each[0] for each in phases]),
        phase_state=tuple(each[1] for each in phases),
        group_offset_s=_float([program.offset for program in programs]),
        junction_name=tuple(f"junction{i}" for i in range(len(junctions))),
        junction_kind=tuple("priority" for _ in junctions),
        junction_off=_offsets(outlines),
        junction_xy_m=_stack(outlines),
        stop_name=tuple(f"stop{i}" for i in range(len(stops))),
        stop_lane=_int32([each[0] for each in stops]),
        stop_s_in_m=_float([each[1] for each in stops]),
        stop_s_out_m=_float([each[2] for each in stops]),
    )


def straight_road(length_m: float = 300.0, lanes: int = 2, limit: float = 13.89) -> RoadMap:
    """One road towards east along y = 0; lane 0 is the rightmost, each next one to its left."""
    return tiny_map(
        [
            Lane(
                [(0.0, 3.2 * i), (length_m, 3.2 * i)],
                edge="road",
                limit=limit,
                left=i + 1 if i + 1 < lanes else NONE,
                right=i - 1,
            )
            for i in range(lanes)
        ]
    )


def arc(
    centre: tuple[float, float], radius: float, from_rad: float, to_rad: float, points: int = 24
) -> list[tuple[float, float]]:
    """Points on a circle, for curved lanes and connectors."""
    angle = np.linspace(from_rad, to_rad, points)
    x = centre[0] + radius * np.cos(angle)
    y = centre[1] + radius * np.sin(angle)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _conflict_rows(conflicts: Sequence[Conflict], count: int) -> list[list[tuple[float, ...]]]:
    rows: list[list[tuple[float, ...]]] = [[] for _ in range(count)]
    for c in conflicts:
        kind, priority = float(c.kind), float(c.priority)
        rows[c.a].append((c.b, kind, priority, c.a_in, c.a_out, c.b_in, c.b_out))
        rows[c.b].append((c.a, kind, -priority, c.b_in, c.b_out, c.a_in, c.a_out))
    return rows


def _walk_polygon(walk: Walk) -> FloatArray:
    x1, y1, x2, y2 = walk.axis
    length = float(np.hypot(x2 - x1, y2 - y1))
    nx, ny = -(y2 - y1) / length * walk.width / 2, (x2 - x1) / length * walk.width / 2
    return np.array(
        [(x1 + nx, y1 + ny), (x2 + nx, y2 + ny), (x2 - nx, y2 - ny), (x1 - nx, y1 - ny)]
    )


def _offsets(rows: Sequence[Sequence[object]] | Sequence[FloatArray]) -> np.ndarray:
    return np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=int))).astype(np.int32)


def _stack(rows: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate(rows).reshape(-1, 2) if rows else np.zeros((0, 2))


def _int32(values: Sequence[int]) -> np.ndarray:
    return np.asarray(values, dtype=np.int32).reshape(-1)


def _int8(values: Sequence[int]) -> np.ndarray:
    return np.asarray(values, dtype=np.int8).reshape(-1)


def _bool(values: Sequence[bool]) -> np.ndarray:
    return np.asarray(values, dtype=bool).reshape(-1)


def _float(values: Sequence[object]) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def street_grid(
    columns: int = 4, rows: int = 3, block_m: float = 120.0, limit: float = 13.89
) -> RoadMap:
    """A town of two-way streets, one lane each way, with every turn but U-turns at each corner.

    Corners stand at (i * block_m, j * block_m). Lanes are named "i,j>k,l" after the corners they
    join; a connector is named after both its lanes. Nothing yields to anything (no conflicts).
    """
    corners = [(i, j) for j in range(rows) for i in range(columns)]
    ways = [
        (a, b)
        for a in corners
        for b in ((a[0] + 1, a[1]), (a[0] - 1, a[1]), (a[0], a[1] + 1), (a[0], a[1] - 1))
        if b in corners
    ]
    lanes = [_street(a, b, block_m, limit) for a, b in ways]
    for i, (a, b) in enumerate(ways):
        follow: list[int] = []
        for j, (c, d) in enumerate(ways):
            if c == b and d != a:
                lanes.append(_corner(lanes[i], lanes[j], j, corners.index(b)))
                follow.append(len(lanes) - 1)
        lanes[i].succ = follow
    outlines = [
        [(i * block_m + dx, j * block_m + dy) for dx, dy in ((9, 9), (-9, 9), (-9, -9), (9, -9))]
        for i, j in corners
    ]
    return tiny_map(lanes, junctions=outlines, name="town")


def _street(a: tuple[int, int], b: tuple[int, int], block_m: float, limit: float) -> Lane:
    ax, ay = a[0] * block_m, a[1] * block_m
    ux, uy = b[0] - a[0], b[1] - a[1]
    right, gap = 1.6, 9.0
    begin = (ax + gap * ux + right * uy, ay + gap * uy - right * ux)
    end = (ax + (block_m - gap) * ux + right * uy, ay + (block_m - gap) * uy - right * ux)
    return Lane([begin, end], name=f"{a[0]},{a[1]}>{b[0]},{b[1]}", limit=limit)


def _corner(before: Lane, after: Lane, after_index: int, junction: int) -> Lane:
    p0, p3 = np.array(before.xy[-1]), np.array(after.xy[0])
    d0 = p0 - np.array(before.xy[0])
    d3 = np.array(after.xy[-1]) - p3
    d0, d3 = d0 / np.hypot(*d0), d3 / np.hypot(*d3)
    reach = 0.55 * float(np.hypot(*(p3 - p0)))
    t = np.linspace(0.0, 1.0, 20)[:, None]
    p1, p2 = p0 + reach * d0 * 0.7, p3 - reach * d3 * 0.7
    line = (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3
    turn = float(d0[0] * d3[1] - d0[1] * d3[0])
    return Lane(
        [(float(x), float(y)) for x, y in line],
        succ=(after_index,),
        name=f"{before.name}|{after.name}",
        connector=True,
        junction=junction,
        limit=before.limit,
        turn=Turn.STRAIGHT if abs(turn) < 0.5 else Turn.LEFT if turn > 0 else Turn.RIGHT,
    )
