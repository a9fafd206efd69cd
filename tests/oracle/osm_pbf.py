"""A writer of OSM PBF, as the format's specification has it; the reader is tested against it."""

import struct
import zlib
from collections.abc import Iterable

from marque.maps.formats.osm import Osm

GRID = 100  # nanodegrees


def write_pbf(osm: Osm, dense: bool = True, packed: bool = True) -> bytes:
    """All records in one block, after a header."""
    words: list[bytes] = [b""]
    group = _nodes(osm, words) if dense else b"".join(_plain(osm, words))
    for way in osm.ways:
        body = _number(1, way.name) + _tags(way.tags, words)
        body += _bytes(8, _packed(_zigzag(d) for d in _steps(way.nodes)))
        group += _bytes(3, body)
    for relation in osm.relations:
        body = _number(1, relation.name) + _tags(relation.tags, words)
        body += _bytes(8, _packed(_word(role, words) for _, _, role in relation.members))
        refs = [ref for _, ref, _ in relation.members]
        body += _bytes(9, _packed(_zigzag(d) for d in _steps(refs)))
        kinds = ("node", "way", "relation")
        body += _bytes(10, _packed(kinds.index(kind) for kind, _, _ in relation.members))
        group += _bytes(4, body)
    table = b"".join(_bytes(1, word) for word in words)
    block = _bytes(1, table) + _bytes(2, group) + _number(17, GRID)
    head = _bytes(4, b"OsmSchema-V0.6") + (_bytes(4, b"DenseNodes") if dense else b"")
    return _blob(b"OSMHeader", head, packed) + _blob(b"OSMData", block, packed)


def _nodes(osm: Osm, words: list[bytes]) -> bytes:
    names = sorted(osm.place)
    body = _bytes(1, _packed(_zigzag(d) for d in _steps(names)))
    pairs: list[int] = []
    for name in names:
        for key, value in osm.node_tags.get(name, {}).items():
            pairs += [_word(key, words), _word(value, words)]
        pairs.append(0)
    lat = [round(osm.place[name][1] * 1e9 / GRID) for name in names]
    lon = [round(osm.place[name][0] * 1e9 / GRID) for name in names]
    body += _bytes(8, _packed(_zigzag(d) for d in _steps(lat)))
    body += _bytes(9, _packed(_zigzag(d) for d in _steps(lon)))
    return _bytes(2, body + _bytes(10, _packed(pairs)))


def _plain(osm: Osm, words: list[bytes]) -> Iterable[bytes]:
    for name, (lon, lat) in osm.place.items():
        body = _number(1, _zigzag(name)) + _tags(osm.node_tags.get(name, {}), words)
        body += _number(8, _zigzag(round(lat * 1e9 / GRID)))
        yield _bytes(1, body + _number(9, _zigzag(round(lon * 1e9 / GRID))))


def _tags(tags: dict[str, str], words: list[bytes]) -> bytes:
    keys = _packed(_word(key, words) for key in tags)
    return _bytes(2, keys) + _bytes(3, _packed(_word(value, words) for value in tags.values()))


def _word(text: str, words: list[bytes]) -> int:
    raw = text.encode()
    if raw not in words[1:]:
        words.append(raw)
    return words.index(raw, 1)


def _steps(values: list[int]) -> list[int]:
    return [b - a for a, b in zip([0, *values[:-1]], values, strict=True)]


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def _packed(values: Iterable[int]) -> bytes:
    return b"".join(_varint(value) for value in values)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _blob(kind: bytes, content: bytes, packed: bool) -> bytes:
    body = _number(2, len(content)) + _bytes(3, zlib.compress(content))
    if not packed:
        body = _bytes(1, content)
    head = _bytes(1, kind) + _number(3, len(body))
    return struct.pack(">I", len(head)) + head + body
