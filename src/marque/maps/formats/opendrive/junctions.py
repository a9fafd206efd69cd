"""Junctions with their right of way, and crosswalks, as SUMO writes them."""

from collections import Counter

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.crosswalks import Crossing
from marque.maps.formats.opendrive.edges import NOBODY
from marque.maps.formats.opendrive.priority import Way, foes, yields
from marque.maps.formats.opendrive.records import END, START
from marque.maps.formats.opendrive.work import Work, node_name
from marque.maps.formats.sumo_net import NetConnection, NetEdge, NetJunction, NetLane
from marque.types.codes import Control


def add_junctions(work: Work) -> None:
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


def add_crossings(work: Work) -> None:
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
        (abs(s - crossing.s_m), node_name(work, stretch, end))
        for stretch in work.stretches[crossing.road_id]
        for end, s in ((START, stretch.s_m), (END, stretch.end_m))
    ]
    return min(nodes)[1]
