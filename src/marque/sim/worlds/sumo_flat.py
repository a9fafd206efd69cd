"""A network with heights as SUMO's drivers can use it: flat.

With heights SUMO measures lanes along their slope, but places a car that is moved from outside by
its place in the plane, and gives all lanes of an edge, sidewalks too, their mean length. Where
heights jump, at ramps and under bridges, a lane of 7 m then counts as 14: drivers there are metres
farther from our car than they know, and drive into it. Nothing in the plane needs heights.
"""

import gzip
import io
from collections.abc import Iterable
from itertools import pairwise
from math import dist
from xml.etree import ElementTree

SHAPES = ("shape", "outlineShape", "customShape")
DRAWN = ("walkingarea", "crossing")  # their length is not that of their shape
ON_FOOT = "pedestrian"

Point = tuple[float, float]


def has_heights(net: bytes) -> bool:
    """Whether the shapes of a network (.net.xml, gzipped or not) carry heights."""
    with _opened(net) as stream:
        for _, node in ElementTree.iterparse(stream):
            if node.tag == "lane":
                return node.get("shape", "").split(" ", 1)[0].count(",") == 2
    return False


def flat(net: bytes) -> bytes:
    """The network without heights, gzipped: each edge as long as its lanes are in the plane."""
    with _opened(net) as stream:
        tree = ElementTree.parse(stream)
    for node in tree.iter():
        node.attrib.pop("z", None)
        for name in SHAPES:
            if name in node.attrib:
                node.set(name, " ".join(f"{x:.3f},{y:.3f}" for x, y in _points(node.get(name, ""))))
        if node.tag == "edge" and node.get("function") not in DRAWN:
            _measure(node.findall("lane"))
    out = io.BytesIO()
    tree.write(out, encoding="UTF-8", xml_declaration=True)
    return gzip.compress(out.getvalue(), compresslevel=6, mtime=0)


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
