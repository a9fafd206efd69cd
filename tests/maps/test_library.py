"""Maps by name or path, converted once."""

from pathlib import Path

import pytest

from builders import street_grid
from maps_networks import generated
from marque.core.errors import MarqueError
from marque.maps import library, store
from marque.maps.library import NAMED, open_map


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MARQUE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_map_file_is_opened_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "town.marque"
    store.save(street_grid(), path, b"")
    road_map, where = open_map(str(path))
    assert where == path
    assert road_map.name == "town"


@pytest.mark.sumo
def test_a_source_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    path = tmp_path / "grid.net.xml"
    path.write_bytes(generated("rbl"))
    first, where = open_map(str(path))

    def never(source: Path) -> None:
        raise AssertionError(f"{source} was converted again")

    monkeypatch.setattr(library, "import_map", never)
    again, same = open_map(str(path))
    assert where == same
    assert first.lane_name == again.lane_name
    assert store.load_net(where)[:2] == b"\x1f\x8b"


@pytest.mark.sumo
def test_a_changed_source_and_a_spoilt_cache_are_converted_again(tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    path = tmp_path / "grid.net.xml"
    path.write_bytes(generated("rbl"))
    _, where = open_map(str(path))
    where.write_bytes(b"spoilt")
    assert open_map(str(path))[0].lane_count > 0
    path.write_bytes(generated("rbl") + b"\n")
    assert open_map(str(path))[1] != where


@pytest.mark.sumo
@pytest.mark.parametrize("name", sorted(NAMED))
def test_known_names(name: str) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    road_map, where = open_map(name)
    assert road_map.name == name
    assert where.exists()
    assert road_map.attribution == "© OpenStreetMap contributors"


def test_an_unknown_name_says_what_exists() -> None:
    with pytest.raises(MarqueError, match=r"no map 'berlim'; have \[autobahn, berlin"):
        open_map("berlim")


def test_paths_that_do_not_exist_are_named(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no map file"):
        open_map(str(tmp_path / "x.marque"))
    with pytest.raises(MarqueError, match="is a folder"):
        open_map(str(tmp_path))


def test_names_need_sumo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marque.maps.formats.netconvert.find_spec", lambda name: None)
    with pytest.raises(MarqueError, match=r"marque\[sumo\]"):
        open_map("berlin")


@pytest.mark.sumo
def test_an_unwritable_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    wall = tmp_path / "wall"
    wall.write_text("a file")
    monkeypatch.setenv("MARQUE_CACHE", str(wall))
    with pytest.raises(MarqueError, match="cannot write"):
        open_map("braunschweig")
