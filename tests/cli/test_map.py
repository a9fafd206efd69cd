"""`marque map` as people and machines use it."""

import json
from pathlib import Path

import pytest

from builders import street_grid
from maps_networks import generated
from marque.cli.main import main
from marque.maps import store


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def town(tmp_path: Path) -> Path:
    path = tmp_path / "town.marque"
    store.save(street_grid(5, 5), path, b"")
    return path


@pytest.mark.sumo
def test_import_check_draw_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    source, out = tmp_path / "grid.net.xml", tmp_path / "grid.marque"
    source.write_bytes(generated("grid"))
    assert main(["map", "import", str(source), "-o", str(out)]) == 0
    facts_file, check_file = tmp_path / "info.json", tmp_path / "check.json"
    assert main(["map", "info", str(out), "--json", str(facts_file)]) == 0
    facts = json.loads(facts_file.read_text())
    assert next(iter(facts)) == "schema"
    assert facts["schema"] == "marque.map.info/1"
    assert facts["signal_heads"] > 0
    assert facts["crosswalks"] > 0
    assert facts["car_lane_km"] == pytest.approx(facts["lane_km"]["drive"])
    assert main(["map", "check", str(out), "--json", str(check_file)]) == 0
    report = json.loads(check_file.read_text())
    assert report["schema"] == "marque.map.check/1"
    assert report["passed"]
    assert report["serious"] == 0
    picture = tmp_path / "grid.png"
    drawn = ["map", "draw", str(out), "-o", str(picture), "--around", "xy:0,0", "--radius-m", "40"]
    assert main(drawn) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    said = capsys.readouterr().out
    for path in (out, facts_file, check_file, picture):
        assert f"wrote {path}" in said


def test_a_map_with_a_serious_defect_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from builders import Lane, tiny_map

    path = tmp_path / "slit.marque"
    store.save(tiny_map([Lane([(0, 0), (50, 0)], width=1.5, name="slit")]), path, b"")
    assert main(["map", "check", str(path)]) == 1
    assert "serious: too narrow: slit" in capsys.readouterr().out


def test_a_sound_map_passes(town: Path) -> None:
    assert main(["map", "check", str(town)]) == 0


BAD: list[tuple[list[str], str]] = [
    (["map", "info", "berlim"], "no map 'berlim'"),
    (["map", "info", "absent.marque"], "no map file absent.marque"),
    (["map", "check", "{tmp}"], "is a folder"),
    (["map", "draw", "{town}", "-o", "{tmp}/x.gif"], ".png, .svg"),
    (["map", "draw", "{town}", "-o", "{town}/x.png"], "cannot write"),
    (["map", "draw", "{town}", "-o", "{tmp}/x.png", "--around", "here"], "no place 'here'"),
    (["map", "draw", "{town}", "-o", "{tmp}/x.png", "--around", "lane:z"], "no lane 'z'"),
    (["map", "import", "{tmp}/absent.osm", "-o", "{tmp}/x.marque"], "no file"),
    (["map", "import", "{town}", "-o", "{tmp}/x.marque"], "cannot tell the map format"),
    (["map", "import", "{tmp}/bad.osm", "-o", "{tmp}/x.marque"], "not a whole OpenStreetMap"),
    (["map", "info", "{tmp}/bad.marque"], "no whole marque map"),
    (["map", "info", "{town}", "--json", "{tmp}"], "it is a folder"),
    (["map", "draw", "{town}", "-o", "{tmp}/x.png", "--around", "xy:nan,0"], "no place"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[said for _, said in BAD])
def test_wrong_use_is_one_sentence_and_exit_2(
    town: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.osm").write_bytes(b"<osm><node")
    (tmp_path / "bad.marque").write_bytes(b"PK\x03\x04 and no more")
    before = sorted(p.name for p in tmp_path.iterdir())
    filled = [word.format(tmp=tmp_path, town=town) for word in words]
    assert main(filled) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("marque: ")
    assert "Traceback" not in error
    assert sorted(p.name for p in tmp_path.iterdir()) == before
