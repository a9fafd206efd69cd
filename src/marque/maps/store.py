"""A RoadMap on disk: one file, whole or not there, quick to load.

The file is a zip archive of three stored members: `map.json` (format, names, and where each array
lies), `map.bin` (all arrays back to back, little-endian, each at a multiple of 8) and `net.xml.gz`
(the SUMO network, read only by those who run traffic on the map). Every member has the archive's
own checksum, so that a damaged file is told from a good one.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.core.files import write_whole
from marque.types.road_map import RoadMap

FORMAT = "marque.map"
VERSION = 5
SUFFIX = ".marque"
_ALIGN = 8
_DTYPES = ("<f8", "<i4", "|i1", "|b1")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(road_map: RoadMap, path: Path, net: bytes) -> None:
    """Write the map and its gzipped SUMO network; the same map gives the same bytes."""
    head, blob = _packed(road_map)
    write_whole(path, _writer({"map.json": head, "map.bin": blob, "net.xml.gz": net}))


def load(path: Path) -> RoadMap:
    """Read a map. MarqueError: missing, a folder, truncated, or no marque map."""
    head, blob = _members(path, "map.json", "map.bin")
    try:
        return _unpacked(json.loads(head), blob, path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MarqueError(f"{path} is a damaged marque map: {error}") from error


def load_net(path: Path) -> bytes:
    """The gzipped SUMO network (.net.xml.gz) kept in the map file."""
    (net,) = _members(path, "net.xml.gz")
    return net


def is_map(path: Path) -> bool:
    """Whether the file claims to be a marque map."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "map.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _writer(members: dict[str, bytes]) -> Callable[[Path], None]:
    def write(aside: Path) -> None:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)

    return write


def _members(path: Path, *names: str) -> list[bytes]:
    if not path.exists():
        raise MarqueError(f"no map file {path}")
    if path.is_dir():
        raise MarqueError(f"{path} is a folder; a marque map file is needed")
    try:
        with zipfile.ZipFile(path) as archive:
            return [archive.read(name) for name in names]
    except KeyError as error:
        raise MarqueError(f"{path} is no marque map: {error.args[0]}") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise MarqueError(f"{path} is no whole marque map: {error}") from error
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error


def _packed(road_map: RoadMap) -> tuple[bytes, bytes]:
    values: dict[str, Any] = {}
    arrays: dict[str, tuple[str, list[int], int]] = {}
    parts: list[bytes] = []
    size = 0
    for item in fields(RoadMap):
        value = getattr(road_map, item.name)
        if not isinstance(value, np.ndarray):
            values[item.name] = list(value) if isinstance(value, tuple) else value
            continue
        data = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
        arrays[item.name] = (data.dtype.str, list(data.shape), size)
        raw = data.tobytes()
        parts.append(raw + b"\0" * (-len(raw) % _ALIGN))
        size += len(parts[-1])
    head = {"format": FORMAT, "version": VERSION, "values": values, "arrays": arrays}
    return json.dumps(head, ensure_ascii=False).encode(), b"".join(parts)


def _unpacked(head: dict[str, Any], blob: bytes, path: Path) -> RoadMap:
    if head.get("format") != FORMAT:
        raise MarqueError(f"{path} is no marque map")
    if head.get("version") != VERSION:
        raise MarqueError(
            f"{path} is a marque map of version {head.get('version')}; this program reads "
            f"version {VERSION}: import it again from its source"
        )
    content: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in head["values"].items()
    }
    for name, (dtype, shape, start) in head["arrays"].items():
        if dtype not in _DTYPES:
            raise ValueError(f"field {name} has type {dtype}")
        count = int(np.prod(shape))
        content[name] = np.frombuffer(blob, dtype, count, start).reshape(shape)
    road_map = RoadMap(**content)
    _check_shapes(road_map)
    return road_map


def _check_shapes(road_map: RoadMap) -> None:
    """Lengths and index ranges that every reader relies on; ValueError names the field."""
    lanes = road_map.lane_count
    for item in fields(RoadMap):
        value = getattr(road_map, item.name)
        if item.name.startswith("lane_") and len(value) != lanes:
            raise ValueError(f"field {item.name} has {len(value)} entries for {lanes} lanes")
    for name in ("taper_m", "wait_m"):
        if len(getattr(road_map, name)) not in (0, lanes):
            raise ValueError(f"field {name} is not given for {lanes} lanes")
    for offsets, owners, items in _CSR:
        off, owned = getattr(road_map, offsets), len(getattr(road_map, items))
        wanted = len(getattr(road_map, owners)) + 1
        if len(off) != wanted or off[0] != 0 or off[-1] != owned or (np.diff(off) < 0).any():
            raise ValueError(f"field {offsets} does not divide {items}")
    for name, target in _INDICES:
        value, size = getattr(road_map, name), len(getattr(road_map, target))
        if len(value) and (value.min() < -1 or value.max() >= size):
            raise ValueError(f"field {name} points outside {target}")


_CSR = (
    ("pt_off", "lane_name", "pt_xy_m"),
    ("shape_off", "lane_name", "shape_xy_m"),
    ("succ_off", "lane_name", "succ"),
    ("pred_off", "lane_name", "pred"),
    ("conf_off", "lane_name", "conf_lane"),
    ("cross_off", "lane_name", "cross_walk"),
    ("walk_off", "walk_name", "walk_xy_m"),
    ("phase_off", "group_name", "phase_state"),
    ("junction_off", "junction_name", "junction_xy_m"),
)
_INDICES = (
    ("lane_edge", "edge_name"),
    ("lane_left", "lane_name"),
    ("lane_right", "lane_name"),
    ("lane_opposite", "lane_name"),
    ("lane_junction", "junction_name"),
    ("lane_head", "head_group"),
    ("succ", "lane_name"),
    ("pred", "lane_name"),
    ("conf_lane", "lane_name"),
    ("cross_walk", "walk_name"),
    ("walk_head", "head_group"),
    ("head_group", "group_name"),
    ("stop_lane", "lane_name"),
    ("alias_lane", "lane_name"),
)
