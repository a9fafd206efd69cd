"""Maps on disk: whole, the same, and refused by name when they are not."""

import json
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from builders import street_grid
from marque.core.errors import MarqueError
from marque.maps import store
from marque.types.road_map import RoadMap

NET = b"\x1f\x8bnot parsed here"


def same(a: RoadMap, b: RoadMap) -> bool:
    for item in fields(RoadMap):
        x, y = getattr(a, item.name), getattr(b, item.name)
        if isinstance(x, np.ndarray):
            if x.dtype != y.dtype or not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
                return False
        elif x != y:
            return False
    return True


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "town.marque"
    store.save(street_grid(), path, NET)
    return path


def test_a_map_comes_back_as_it_was(stored: Path) -> None:
    assert same(store.load(stored), street_grid())
    assert store.load_net(stored) == NET
    assert store.is_map(stored)


def test_loaded_arrays_cannot_be_changed(stored: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        store.load(stored).lane_limit_mps[0] = 1.0


def test_the_same_map_gives_the_same_bytes(stored: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.marque"
    store.save(street_grid(), again, NET)
    assert again.read_bytes() == stored.read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_map_is_refused(stored: Path, share: float) -> None:
    data = stored.read_bytes()
    stored.write_bytes(data[: int(share * len(data))])
    with pytest.raises(MarqueError, match=r"town\.marque"):
        store.load(stored)


def test_a_flipped_byte_is_noticed(stored: Path) -> None:
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 0xFF
    stored.write_bytes(bytes(data))
    with pytest.raises(MarqueError, match=r"town\.marque"):
        store.load(stored)


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"<net/>", bytes(range(256)) * 20])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.marque"
    path.write_bytes(content)
    with pytest.raises(MarqueError, match="no whole marque map"):
        store.load(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no map file"):
        store.load(tmp_path / "absent.marque")
    with pytest.raises(MarqueError, match="is a folder"):
        store.load(tmp_path)


def rewritten(path: Path, change: dict[str, object]) -> None:
    """The same archive with its head changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(members["map.json"])
    head.update(change)
    members["map.json"] = json.dumps(head).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_another_version_is_named(stored: Path) -> None:
    rewritten(stored, {"version": 99})
    with pytest.raises(MarqueError, match="version 99"):
        store.load(stored)


@pytest.mark.parametrize("change", [{"arrays": {}}, {"values": {}}, {"arrays": {"x": 3}}])
def test_a_map_with_missing_fields_is_refused(stored: Path, change: dict[str, object]) -> None:
    rewritten(stored, change)
    with pytest.raises(MarqueError, match="damaged"):
        store.load(stored)


def test_lanes_that_point_nowhere_are_refused(stored: Path) -> None:
    with zipfile.ZipFile(stored) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    _, _, start = json.loads(members["map.json"])["arrays"]["succ"]
    blob = bytearray(members["map.bin"])
    blob[start : start + 4] = (1 << 30).to_bytes(4, "little")
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("map.json", members["map.json"])
        archive.writestr("map.bin", bytes(blob))
    with pytest.raises(MarqueError, match="succ"):
        store.load(stored)


def test_an_unwritable_place_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    wall = tmp_path / "wall"
    wall.write_text("a file, where a folder is wanted")
    with pytest.raises(MarqueError, match="cannot write"):
        store.save(street_grid(), wall / "town.marque", NET)
    assert [p.name for p in tmp_path.iterdir()] == ["wall"]
