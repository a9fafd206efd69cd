"""OpenStreetMap files (.osm, .osm.gz, .osm.pbf) as plain records, and back to XML.

Only what road networks are made of is kept: ways with `highway` or `railway`, their nodes, and
turn restrictions. The PBF reader is exact for what the format requires (dense and plain nodes,
zlib or raw blobs) and refuses anything else by name.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np

from marque.core.arrays import IntArray
from marque.core.errors import MarqueError

Tags = dict[str, str]
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(slots=True)
class OsmWay:
    """nodes: ids in driving order."""

    name: int
    nodes: list[int]
    tags: Tags


@dataclass(slots=True)
class OsmRelation:
    """members: (type, id, role)."""

    name: int
    members: list[tuple[str, int, str]]
    tags: Tags


@dataclass(slots=True)
class Osm:
    """place[id] = (lon, lat), degrees."""

    place: dict[int, tuple[float, float]] = field(default_factory=dict)
    node_tags: dict[int, Tags] = field(default_factory=dict)
    ways: list[OsmWay] = field(default_factory=list)
    relations: list[OsmRelation] = field(default_factory=list)


def read_osm(data: bytes, label: str) -> Osm:
    """Parse .osm, .osm.gz or .osm.pbf content. MarqueError: damaged, or without roads."""
    try:
        osm = _read_pbf(data) if _is_pbf(data) else _read_xml(data, label)
    except ElementTree.ParseError as error:
        raise MarqueError(f"{label} is not a whole OpenStreetMap file: {error}") from error
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise MarqueError(f"{label} is not a whole compressed file: {error}") from error
    except (KeyError, ValueError, IndexError) as error:
        raise MarqueError(f"{label} is a damaged OpenStreetMap file: {error}") from error
    if not any("highway" in way.tags for way in osm.ways):
        raise MarqueError(f"{label} holds no roads (no way with a highway tag)")
    for name, (lon, lat) in osm.place.items():
        if not (abs(lon) < 180.001 and abs(lat) < 90.001):
            raise MarqueError(f"{label} is damaged: node {name} lies at latitude {lat}, {lon} east")
    return osm


def write_xml(osm: Osm) -> bytes:
    """The records as OSM XML."""
    out = io.StringIO()
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n')
    for name, (lon, lat) in osm.place.items():
        tags = osm.node_tags.get(name)
        head = f'<node id="{name}" lat="{lat:.9f}" lon="{lon:.9f}" version="1"'
        out.write(f"{head}>{_tags_xml(tags)}</node>\n" if tags else f"{head}/>\n")
    for way in osm.ways:
        refs = "".join(f'<nd ref="{node}"/>' for node in way.nodes)
        out.write(f'<way id="{way.name}" version="1">{refs}{_tags_xml(way.tags)}</way>\n')
    for relation in osm.relations:
        members = "".join(
            f'<member type="{kind}" ref="{ref}" role={quoteattr(role)}/>'
            for kind, ref, role in relation.members
        )
        out.write(
            f'<relation id="{relation.name}" version="1">{members}'
            f"{_tags_xml(relation.tags)}</relation>\n"
        )
    out.write("</osm>\n")
    return out.getvalue().encode()


def _tags_xml(tags: Tags) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


def _wanted(tags: Tags) -> bool:
    return "highway" in tags or "railway" in tags


def _is_restriction(tags: Tags) -> bool:
    return tags.get("type", "").startswith("restriction")


# --- XML ------------------------------------------------------------------------------------------


def _read_xml(data: bytes, label: str) -> Osm:
    osm = Osm()
    place: dict[int, tuple[float, float]] = {}
    root: ElementTree.Element | None = None
    with _open(data) as stream:
        for event, element in ElementTree.iterparse(stream, events=("start", "end")):
            if event == "start":
                if root is None:
                    root = element
                    if root.tag != "osm":
                        raise MarqueError(
                            f"{label} is not an OpenStreetMap file: its root is <{root.tag}>"
                        )
                continue
            if element.tag in ("node", "way", "relation") and root is not None:
                _take_xml(osm, place, element)
                root.clear()
    _keep_used(osm, place)
    return osm


def _open(data: bytes) -> IO[bytes]:
    stream = io.BytesIO(data)
    if data[:2] != GZIP_MAGIC:
        return stream
    return io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 20)


def _take_xml(
    osm: Osm, place: dict[int, tuple[float, float]], element: ElementTree.Element
) -> None:
    name = int(element.attrib["id"])
    if element.tag == "node":
        place[name] = (float(element.attrib["lon"]), float(element.attrib["lat"]))
        if len(element):
            osm.node_tags[name] = _xml_tags(element)
        return
    tags = _xml_tags(element)
    if element.tag == "way" and _wanted(tags):
        nodes = [int(nd.attrib["ref"]) for nd in element.iterfind("nd")]
        osm.ways.append(OsmWay(name, nodes, tags))
    elif element.tag == "relation" and _is_restriction(tags):
        members = [
            (m.get("type", ""), int(m.attrib["ref"]), m.get("role", ""))
            for m in element.iterfind("member")
        ]
        osm.relations.append(OsmRelation(name, members, tags))


def _xml_tags(element: ElementTree.Element) -> Tags:
    return {tag.attrib["k"]: tag.attrib["v"] for tag in element.iterfind("tag")}


def _keep_used(osm: Osm, place: dict[int, tuple[float, float]]) -> None:
    """Only nodes of kept ways; node references that lead nowhere are dropped (cut extracts)."""
    for way in osm.ways:
        way.nodes = [node for node in way.nodes if node in place]
    osm.ways = [way for way in osm.ways if len(way.nodes) >= 2]
    used = {node for way in osm.ways for node in way.nodes}
    osm.place = {node: xy for node, xy in place.items() if node in used}
    osm.node_tags = {node: tags for node, tags in osm.node_tags.items() if node in used and tags}


# --- PBF ------------------------------------------------------------------------------------------

_FEATURES = {b"OsmSchema-V0.6", b"DenseNodes"}
Fields = list[tuple[int, Any]]


def _is_pbf(data: bytes) -> bool:
    return len(data) > 16 and data[:3] == b"\0\0\0" and b"OSMHeader" in data[:64]


def _read_pbf(data: bytes) -> Osm:
    osm = Osm()
    place: dict[int, tuple[float, float]] = {}
    for kind, block in _pbf_blocks(data):
        if kind == b"OSMHeader":
            needs = {value for number, value in _fields(block) if number == 4}
            if needs - _FEATURES:
                names = ", ".join(sorted(n.decode(errors="replace") for n in needs - _FEATURES))
                raise ValueError(f"PBF feature not supported: {names}")
        elif kind == b"OSMData":
            _take_block(osm, place, block)
    _keep_used(osm, place)
    return osm


def _pbf_blocks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        head = dict(_fields(_part(data, at + 4, size)))
        at += 4 + size
        blob = dict(_fields(_part(data, at, head[3])))
        at += head[3]
        if 3 in blob:
            yield head[1], zlib.decompress(blob[3])
        elif 1 in blob:
            yield head[1], blob[1]
        else:
            raise ValueError("PBF blob is neither raw nor zlib; convert it with zlib compression")


def _part(data: bytes, start: int, size: int) -> bytes:
    if start + size > len(data):
        raise EOFError(f"{start + size - len(data)} bytes are missing")
    return data[start : start + size]


def _fields(message: bytes) -> Fields:
    """(field number, value) of one protobuf message; value is int (varint) or bytes."""
    out: Fields = []
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            out.append((key >> 3, value))
        elif kind == 2:
            size, at = _varint(message, at)
            out.append((key >> 3, _part(message, at, size)))
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"PBF wire type {kind}")
    return out


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _packed(message: bytes) -> IntArray:
    """All varints of a packed field, as signed 64 bit."""
    raw = np.frombuffer(message, dtype=np.uint8)
    ends = np.flatnonzero(raw < 128)
    if len(ends) == 0:
        return np.zeros(0, dtype=np.int64)
    raw = raw[: ends[-1] + 1]
    starts = np.concatenate(([0], ends[:-1] + 1))
    index = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    bits = (raw & 127).astype(np.uint64) << (7 * index).astype(np.uint64)
    return np.add.reduceat(bits, starts).astype(np.int64)


def _signed(values: IntArray) -> IntArray:
    """Zig-zag to signed."""
    plain = values.astype(np.uint64)
    half: IntArray = (plain >> np.uint64(1)).astype(np.int64) ^ -(values & 1)
    return half


def _deltas(message: bytes) -> IntArray:
    return np.cumsum(_signed(_packed(message)))


def _take_block(osm: Osm, place: dict[int, tuple[float, float]], block: bytes) -> None:
    fields = _fields(block)
    plain = dict(fields)
    words = [w.decode() for number, w in _fields(plain[1]) if number == 1]
    grid = plain.get(17, 100) * 1e-9
    offsets = (_int64(plain.get(20, 0)) * 1e-9, _int64(plain.get(19, 0)) * 1e-9)
    for number, group in fields:
        if number != 2:
            continue
        for kind, item in _fields(group):
            if kind == 1:
                _plain_node(osm, place, dict(_fields(item)), words, grid, offsets)
            elif kind == 2:
                _dense_nodes(osm, place, dict(_fields(item)), words, grid, offsets)
            elif kind == 3:
                _pbf_way(osm, dict(_fields(item)), words)
            elif kind == 4:
                _pbf_relation(osm, dict(_fields(item)), words)


def _int64(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _pbf_tags(item: dict[int, Any], words: list[str]) -> Tags:
    keys, values = _packed(item.get(2, b"")), _packed(item.get(3, b""))
    return {words[k]: words[v] for k, v in zip(keys, values, strict=True)}


def _unzig(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _plain_node(
    osm: Osm,
    place: dict[int, tuple[float, float]],
    item: dict[int, Any],
    words: list[str],
    grid: float,
    offsets: tuple[float, float],
) -> None:
    name = _unzig(item[1])
    place[name] = (offsets[0] + grid * _unzig(item[9]), offsets[1] + grid * _unzig(item[8]))
    tags = _pbf_tags(item, words)
    if tags:
        osm.node_tags[name] = tags


def _dense_nodes(
    osm: Osm,
    place: dict[int, tuple[float, float]],
    item: dict[int, Any],
    words: list[str],
    grid: float,
    offsets: tuple[float, float],
) -> None:
    names = _deltas(item[1]).tolist()
    lat = (offsets[1] + grid * _deltas(item[8])).tolist()
    lon = (offsets[0] + grid * _deltas(item[9])).tolist()
    place.update(zip(names, zip(lon, lat, strict=True), strict=True))
    pairs = _packed(item.get(10, b"")).tolist()
    at = 0
    for name in names if pairs else []:
        tags: Tags = {}
        while pairs[at] != 0:
            tags[words[pairs[at]]] = words[pairs[at + 1]]
            at += 2
        at += 1
        if tags:
            osm.node_tags[name] = tags


def _pbf_way(osm: Osm, item: dict[int, Any], words: list[str]) -> None:
    tags = _pbf_tags(item, words)
    if _wanted(tags):
        osm.ways.append(OsmWay(_int64(item[1]), _deltas(item.get(8, b"")).tolist(), tags))


_MEMBER = ("node", "way", "relation")


def _pbf_relation(osm: Osm, item: dict[int, Any], words: list[str]) -> None:
    tags = _pbf_tags(item, words)
    if not _is_restriction(tags):
        return
    roles = _packed(item.get(8, b"")).tolist()
    names = _deltas(item.get(9, b"")).tolist()
    kinds = _packed(item.get(10, b"")).tolist()
    members = [
        (_MEMBER[kind], name, words[role])
        for kind, name, role in zip(kinds, names, roles, strict=True)
    ]
    osm.relations.append(OsmRelation(_int64(item[1]), members, tags))
