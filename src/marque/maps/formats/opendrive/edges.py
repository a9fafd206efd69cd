"""Edges: lanes side by side that drive one way, with their limits and what their marks allow."""

from marque.maps.formats.opendrive.records import END, START, RoadRecord
from marque.maps.formats.opendrive.stretches import Stretch, lane_line
from marque.maps.formats.opendrive.strips import value
from marque.maps.formats.opendrive.uses import limit_at, mark_at, may_change
from marque.maps.formats.opendrive.work import Piece, Work, lanes_of, node_name, span
from marque.maps.formats.sumo_net import ROAD_CLASSES, NetEdge, NetLane

DEFAULTED = "default"  # mark of lanes whose limit is the region's
NOBODY: frozenset[str] = frozenset()


def add_edges(work: Work) -> None:
    """An edge for each run of lanes side by side that drive one way."""
    for stretches in work.stretches.values():
        for stretch in stretches:
            for number, run in enumerate(_runs(work, stretch)):
                ends = (node_name(work, stretch, START), node_name(work, stretch, END))
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
    for lane in sorted(lanes_of(work, stretch), reverse=True):
        piece = work.pieces.get((stretch.road_id, stretch.number, lane))
        if piece is not None and before is not None and piece.along == before.along:
            runs[-1].append(piece)
        elif piece is not None:
            runs.append([piece])
        before = piece
    return runs


def _lane(work: Work, piece: Piece, index: int) -> NetLane:
    roads, stretch = work.roads, piece.stretch
    road = roads.document.roads[stretch.road_id]
    record = road.sections[stretch.section].lanes[piece.lane]
    limit, defaulted = limit_at(road, record, piece.users, stretch.s_m, work.region)
    s_m, end_m = span(work, piece)
    left, right = _beside(work, piece, 1), _beside(work, piece, -1)
    opposite = left if left is not None and left.along != piece.along else None
    if work.net.left_hand:
        opposite = right if right is not None and right.along != piece.along else None
    return NetLane(
        name=piece.name,
        index=index,
        classes=piece.users,
        speed_mps=limit,
        width_m=work.widths[stretch.road_id, stretch.number][piece.lane],
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
    ids = sorted(lanes_of(work, piece.stretch))
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
