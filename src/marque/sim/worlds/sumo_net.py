"""A network as SUMO's drivers can use it: flat, and with the lines of the map that all others use.

With heights SUMO measures lanes along their slope, but places a car that is moved from outside by
its place in the plane, and gives all lanes of an edge, sidewalks too, their mean length. Where
heights jump, at ramps and under bridges, a lane of 7 m then counts as 14: drivers there are metres
farther from our car than they know, and drive into it. Nothing in the plane needs heights.

Where the map's lines leave those of its source, in hairpins above all, SUMO's drivers would cut
through as they were drawn there, metres beside the lane that our car sees them on.
"""

import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import dist
from typing import Any
from xml.etree import ElementTree

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length
from marque.maps.closeness import furthest

SHAPES = ("shape", "outlineShape", "customShape")
DRAWN = ("walkingarea", "crossing")  # their length is not that of their shape
ON_FOOT = "pedestrian"
STRAYS_M, ENDS_M = 1.5, 2.0

Point = tuple[float, float]


def has_heights(net: bytes) -> bool:
    """Whether the shapes of a network (.net.xml, gzipped or not) carry heights."""
    with _opened(net) as stream:
        for _, node in ElementTree.iterparse(stream):
            if node.tag == "lane":
                return node.get("shape", "").split(" ", 1)[0].count(",") == 2
    return False


def fitted(net: bytes, lines: Mapping[str, FloatArray]) -> bytes:
    """The network for SUMO, gzipped, as it is where there is nothing to change: without heights,
    and along the map's lines (name of the lane, points [n, 2]) where it leaves them by `STRAYS_M`.
    """
    with _opened(net) as stream:
        tree = ElementTree.parse(stream)
    flat = has_heights(net)
    strays = _follow(tree, lines)
    if not flat and not strays:
        return net
    for node in tree.iter():
        if flat:
            _flatten(node)
        if node.tag == "edge" and node.get("function") not in DRAWN:
            lanes = node.findall("lane")
            if flat or any(lane.get("id") in strays for lane in lanes):
                _measure(lanes)
    out = io.BytesIO()
    tree.write(out, encoding="UTF-8", xml_declaration=True)
    return gzip.compress(out.getvalue(), compresslevel=6, mtime=0)


def _follow(tree: "ElementTree.ElementTree[Any]", lines: Mapping[str, FloatArray]) -> set[str]:
    """Lanes that are put onto the map's lines; their ends stay where junctions take them up."""
    moved: set[str] = set()
    for lane in tree.iter("lane"):
        name = lane.get("id", "")
        if name not in lines:
            continue
        drawn = np.array(_points(lane.get("shape", "")))
        if len(drawn) < 2 or furthest(lines[name], drawn, arc_length(drawn)) < STRAYS_M:
            continue
        ends = drawn[[0, -1]]
        gone = np.hypot(*(lines[name][:, None] - ends[None]).transpose(2, 0, 1)).min(axis=1)
        lane.set("shape", _text([ends[0], *lines[name][gone > ENDS_M], ends[1]]))
        moved.add(name)
    return moved


def _flatten(node: ElementTree.Element) -> None:
    node.attrib.pop("z", None)
    for name in SHAPES:
        if name in node.attrib:
            node.set(name, _text(_points(node.get(name, ""))))


def _text(points: Iterable[Sequence[float]]) -> str:
    return " ".join(f"{x:.3f},{y:.3f}" for x, y in points)


def _measure(lanes: list[ElementTree.Element]) -> None:
    """One length for all lanes of an edge, as SUMO wants it: the mean of those that are driven."""
    driven = [lane for lane in lanes if lane.get("allow") != ON_FOOT] or lanes
    mean = sum(_length(_points(lane.get("shape", ""))) for lane in driven) / max(1, len(driven))
    for lane in lanes:
        lane.set("length", f"{max(mean, 0.1):.3f}")


def _points(shape: str) -> list[Point]:
    rows = (text.split(",") for text in shape.split())
    return [(float(row[0]), float(row[1])) for row in rows]


def _length(points: Iterable[Point]) -> float:
    return sum(dist(a, b) for a, b in pairwise(points))


def _opened(net: bytes) -> io.BufferedIOBase | gzip.GzipFile:
    stream = io.BytesIO(net)
    return gzip.GzipFile(fileobj=stream) if net[:2] == b"\x1f\x8b" else stream
