"""What can be wrong with a drive before and while it is driven, each in one sentence."""

import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from builders import Lane, tiny_map
from marque.cli.main import main
from marque.maps import store
from marque.record.reader import read_records
from marque.sim.worlds.sumo import SumoWorld
from marque.types.codes import LaneKind
from marque.vehicle.catalog import FOLDER as CARS

pytestmark = pytest.mark.usefixtures("cache")


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Drive with these words; they must be refused in one sentence, before the first line."""
    assert main(["drive", *(str(word) for word in words)]) == 2
    shown = capsys.readouterr()
    said = shown.err.strip()
    assert said.startswith("marque: ")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def nothing_left(folder: Path) -> bool:
    """No file in a folder, not even a hidden half one."""
    return not folder.exists() or not [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "drive"


# ---------------------------------------------------------------- maps


def test_a_truncated_map(streets, tmp_path, out, capsys):
    broken = tmp_path / "broken.marque"
    content = streets.read_bytes()
    for share in (0.0, 0.01, 0.5, 0.99):
        broken.write_bytes(content[: int(share * len(content))])
        said = refused(capsys, "--map", broken, "--traffic", "none", "--out", out)
        assert str(broken) in said
        assert nothing_left(out)


@pytest.mark.parametrize("name", ["town.osm", "town.osm.pbf", "town.net.xml", "town.marque"])
def test_a_map_of_the_wrong_format(name, tmp_path, out, capsys):
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    wrong = tmp_path / name
    wrong.write_bytes(b"\x89PNG\r\n\x1a\n this is a picture of a town")
    assert str(wrong) in refused(capsys, "--map", wrong, "--traffic", "none", "--out", out)
    assert nothing_left(out)


def test_a_map_without_drivable_lanes(tmp_path, out, capsys):
    path = tmp_path / "park.marque"
    store.save(tiny_map([Lane([(0, 0), (400, 0)], kind=LaneKind.WALK)], name="park"), path, b"")
    said = refused(capsys, "--map", path, "--traffic", "none", "--out", out)
    assert "park" in said
    assert "CAR" in said


@pytest.mark.parametrize("name", ["paris", "no/such/file.osm", "."])
def test_an_unknown_map(name, out, capsys):
    said = refused(capsys, "--map", name, "--traffic", "none", "--out", out)
    assert name in said
    if name == "paris":
        assert "berlin" in said


def test_a_map_too_small_for_the_trip(streets, out, capsys):
    said = refused(
        capsys, "--map", streets, "--traffic", "none", "--min-length-m", "90000", "--out", out
    )
    assert "90000 m" in said


# ---------------------------------------------------------------- places


@pytest.fixture
def one_way(tmp_path: Path) -> Path:
    """Two roads that meet nowhere, and a third that only leads back to the first."""
    lanes = [
        Lane([(0, 0), (200, 0)], name="west", succ=[]),
        Lane([(0, 100), (200, 100)], name="north", succ=[]),
        Lane([(-200, 0), (0, 0)], name="before", succ=[0]),
        Lane([(0, 30), (200, 30)], name="path", kind=LaneKind.WALK),
    ]
    path = tmp_path / "roads.marque"
    store.save(tiny_map(lanes, name="roads"), path, b"")
    return path


@pytest.mark.parametrize(
    ("start", "goal", "named"),
    [
        ("lane:west", "lane:north", "unreachable"),
        ("lane:west", "lane:before", "one-way"),
        ("lane:west", "lane:path", "closed to CAR"),
        ("lane:west", "lane:east", "no lane 'east'"),
        ("xy:10,0", "xy:99999,0", "off map 'roads'"),
        ("xy:10,0", "somewhere", "'somewhere' is no place"),
        ("xy:10,0", "xy:1e308,1e308", "is no place"),
        ("xy:10,0", "xy:nan,0", "is no place"),
        ("lane:west@-5", "lane:west", "-5"),
        ("lane:west@150", "lane:west@20", "no way"),
        ("lane:west@20", "lane:west@20", "less than"),
    ],
)
def test_a_goal_that_cannot_be_had(start, goal, named, one_way, out, capsys):
    said = refused(
        capsys, "--map", one_way, "--traffic", "none", "--from", start, "--to", goal, "--out", out
    )
    assert named in said
    assert nothing_left(out)


def test_an_unreachable_goal_names_the_nearest_reachable_point(one_way, out, capsys):
    said = refused(
        capsys, "--map", one_way, "--traffic", "none", "--from", "lane:west", "--to", "lane:north",
        "--out", out,
    )  # fmt: skip
    assert "nearest reachable point" in said
    assert "xy:" in said


def test_from_needs_to(streets, out, capsys):
    assert "--to" in refused(
        capsys, "--map", streets, "--traffic", "none", "--from", "xy:1,1", "--out", out
    )


# ---------------------------------------------------------------- car, driver, traffic


@pytest.mark.parametrize(
    ("word", "value", "have"),
    [
        ("--car", "tractor", "saloon_ev"),
        ("--driver", "nobody", "marque"),
        ("--market", "atlantis", "un_r157"),
        ("--domain", "moon", "fast_road"),
        ("--driver-attention", "dreaming", "eyes-off"),
        ("--driver-attention", "eyes-off@-3", "S seconds from the start"),
        ("--weather", "hail", "heavy-rain"),
    ],
)
def test_an_unknown_name_says_what_exists(word, value, have, streets, out, capsys):
    said = refused(capsys, "--map", streets, "--traffic", "none", word, value, "--out", out)
    assert value in said
    assert have in said
    assert nothing_left(out)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("mass_kg", None),
        ("mass_kg", "mass_kg = -5.0"),
        ("mass_kg", "mass_kg = 'heavy'"),
        ("mass_kg", "mass_kg = nan"),
        ("wheelbase_m", "wheelbase_m = 300.0"),
        ("max_brake_mps2", "max_brake_mps2 = 0.0"),
        ("length_m", "length_m ="),
    ],
)
def test_a_car_file_with_a_missing_or_absurd_value(line, value, streets, tmp_path, out, capsys):
    rows = (CARS / "saloon_ev.toml").read_text().splitlines()
    kept = [row if not row.startswith(f"{line} ") else value for row in rows]
    car = tmp_path / "mine.toml"
    car.write_text("\n".join(row for row in kept if row is not None))
    said = refused(capsys, "--map", streets, "--traffic", "none", "--car", car, "--out", out)
    assert str(car) in said
    if value != "length_m =":
        assert line in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (", "cannot be loaded"),
        ("raise RuntimeError('boom')", "boom"),
        ("class Other: pass", "have [Other]"),
        ("Mine = 3", "not made by calling it bare"),
        ("class Mine:\n    def __init__(self, x): pass", "not made by calling it bare"),
        ("class Mine:\n    pass", "has no start() and no drive()"),
    ],
)
def test_a_driver_file_that_is_none(text, said, streets, tmp_path, out, capsys):
    (tmp_path / "mine.py").write_text(text)
    words = ("--map", streets, "--traffic", "none", "--driver", f"{tmp_path}/mine.py:Mine")
    assert said in refused(capsys, *words, "--min-length-m", "300", "--out", out)
    assert nothing_left(out)


def test_a_car_file_that_is_missing(streets, out, capsys):
    said = refused(capsys, "--map", streets, "--traffic", "none", "--car", "my.toml", "--out", out)
    assert "my.toml" in said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--traffic", "mars"), "no traffic 'mars'; have [engine, none, sumo]"),
        (("--traffic", "no/such.sumocfg"), "no/such.sumocfg"),
        (("--traffic", "none", "--density", "5"), "--density"),
        (("--traffic", "none", "--begin", "5"), "--begin"),
        (("--traffic", "none", "--sumo-args", "--quiet"), "--sumo-args"),
        (("--traffic", "none", "--reference"), "reference"),
    ],
)
def test_words_about_traffic_that_make_no_sense(words, named, streets, out, capsys):
    said = refused(capsys, "--map", streets, *words, "--out", out)
    assert named in said


@pytest.mark.sumo
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--begin", "5"), "a start time needs a .sumocfg"),
        (("--sumo-args", "--step-length 1"), "step-length"),
        (("--sumo-args", "'"), "--sumo-args"),
    ],
)
def test_words_that_sumo_may_not_hear(words, named, town, out, capsys):
    said = refused(capsys, "--map", town, *words, "--min-length-m", "300", "--out", out)
    assert named in said


def test_a_map_without_a_network_has_no_foreign_traffic(streets, out, capsys):
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    said = refused(capsys, "--map", streets, "--min-length-m", "300", "--out", out)
    assert "--traffic none" in said


@pytest.mark.parametrize("words", [("--traffic", "sumo"), ("--map", "berlin", "--traffic", "none")])
def test_sumo_missing(words, streets, out, monkeypatch, capsys):
    found = importlib.util.find_spec

    def blocked(name, *more):
        return None if name in ("libsumo", "sumo", "eclipse_sumo") else found(name, *more)

    monkeypatch.setattr("importlib.util.find_spec", blocked)
    monkeypatch.setattr("marque.maps.formats.netconvert.find_spec", blocked)
    given = words if "--map" in words else ("--map", streets, *words)
    said = refused(capsys, *given, "--out", out)
    assert "marque[sumo]" in said
    assert nothing_left(out)


# ---------------------------------------------------------------- the folder


def test_an_unwritable_folder_is_found_before_anything_else(tmp_path, monkeypatch, capsys):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    monkeypatch.setattr("marque.sim.order.open_map", lambda name: pytest.fail("too late"))
    for word, path, named in (
        ("--out", blocker / "x", blocker),
        ("--json", blocker / "x.json", blocker),
        ("--json", tmp_path, "it is a folder"),
        ("--json", "", "it is a folder"),
    ):
        said = refused(capsys, "--traffic", "none", word, path)
        assert "cannot write" in said
        assert str(named) in said
    assert blocker.read_text() == "in the way"


def run_drive(*words: object, **more: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "marque.cli.main", "drive", *(str(word) for word in words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]
    )


def finished(child: "subprocess.Popen[str]") -> str:
    """Wait; what it said on standard error, in one sentence."""
    _, said = child.communicate(timeout=300)
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line.strip()]
    assert len(lines) <= 1
    return lines[0] if lines else ""


def test_a_disk_that_fills_up(streets, out):
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    child = run_drive(
        "--map", streets, "--traffic", "none", "--min-length-m", 500, "--minutes", 2, "--out", out,
        preexec_fn=small_files,
    )  # fmt: skip
    said = finished(child)
    assert child.returncode == 2
    assert str(out / "drive.mcap") in said
    assert "File too large" in said
    assert sorted(path.name for path in out.iterdir()) == ["drive.mcap"]
    assert len(read_records(out / "drive.mcap").ticks) > 10


# ---------------------------------------------------------------- while it drives


def wait_for_log(child: "subprocess.Popen[str]", log: Path, size: int) -> None:
    for _ in range(3000):
        if child.poll() is not None or (log.exists() and log.stat().st_size > size):
            return
        time.sleep(0.05)
    pytest.fail(f"no log of {size} bytes came about")


def test_ctrl_c_closes_everything(streets, out):
    child = run_drive(
        "--map", streets, "--traffic", "none", "--min-length-m", 700,
        "--out", out,
    )  # fmt: skip
    wait_for_log(child, out / "drive.mcap", 200_000)
    child.send_signal(signal.SIGINT)
    assert finished(child) == ""
    assert child.returncode == 130
    summary = json.loads((out / "summary.json").read_text())
    assert summary["end"] == "stopped by user"
    assert not summary["arrived"]
    records = read_records(out / "drive.mcap")
    assert records.scan.whole
    assert records.metadata["marque.end"]["end"] == "stopped by user"
    assert len(records.ticks) == round(summary["duration_s"] * 10) + 1
    assert (out / "report.html").stat().st_size > 10_000
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_ctrl_c_before_the_drive_leaves_nothing(streets, out):
    child = run_drive("--map", streets, "--traffic", "none", "--min-length-m", 700, "--out", out)
    time.sleep(0.7)  # it is still loading
    child.send_signal(signal.SIGINT)
    finished(child)
    assert child.returncode in (130, -signal.SIGINT)  # the latter before the program has begun
    assert nothing_left(out) or (out / "summary.json").exists()


@pytest.mark.sumo
def test_sumo_dying_on_the_way(town, out, monkeypatch, capsys):
    step = SumoWorld.step
    steps = 0

    def dies(self, ego, indicator):
        nonlocal steps
        steps += 1
        if steps == 30:
            os.kill(self._link.process.pid, signal.SIGKILL)
        return step(self, ego, indicator)

    monkeypatch.setattr(SumoWorld, "step", dies)
    words = ["--map", str(town), "--density", "10", "--min-length-m", "300", "--out", str(out)]
    assert main(["drive", *words]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "SUMO died" in said
    assert str(out / "drive.mcap") in said
    records = read_records(out / "drive.mcap")
    assert records.scan.whole
    assert records.metadata["marque.end"]["end"] == "failed"
    assert len(records.ticks) >= 30
    assert sorted(path.name for path in out.iterdir()) == ["drive.mcap"]
