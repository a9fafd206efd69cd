"""Whole drives from the command line: what they print, leave behind and can repeat."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from marque.cli.main import main
from marque.maps import store
from marque.record.hashing import episode_hash
from marque.record.reader import read_episode, read_records

pytestmark = pytest.mark.usefixtures("cache")

KEYS = {  # of the issue
    "arrived", "distance_m", "duration_s", "reference_duration_s", "collisions_at_fault",
    "collisions_other", "red_light", "off_road_s", "wrong_way_s", "stuck", "guard_interventions",
    "comfort", "planner_ms", "realtime_factor", "reasons", "road_users_100m_mean",
}  # fmt: skip
COMFORT = {"accel_p95_mps2", "decel_p99_mps2", "lat_accel_p99_mps2", "jerk_rms_mps3"}


def drive(*words: object) -> int:
    return main(["drive", *(str(word) for word in words)])


def summary_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def in_town(town: Path, out: Path, *words: object) -> int:
    """Ten seconds among ten vehicles."""
    return drive(
        "--map", town, "--density", 10, "--min-length-m", 300, "--minutes", 0.17, "--out", out,
        *words,
    )  # fmt: skip


def test_an_empty_road_is_driven_to_the_end(streets, tmp_path, capsys):
    out, again = tmp_path / "first", tmp_path / "again"
    extra = tmp_path / "numbers.json"
    code = drive(
        "--map", streets, "--traffic", "none", "--min-length-m", 400, "--out", out, "--json", extra
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("map town, traffic: none (empty road")
    summary = summary_of(out)
    assert code == (0 if summary["arrived"] else 1)
    assert json.loads(extra.read_text()) == summary
    assert next(iter(summary)) == "schema"
    assert summary["schema"] == "marque.drive/1"
    assert summary.keys() >= KEYS
    assert summary["comfort"].keys() >= COMFORT
    assert summary["planner_ms"].keys() >= {"p50", "p99", "max"}
    assert summary["end"] == "arrived"
    assert summary["distance_m"] == pytest.approx(summary["route_length_m"], abs=25.0)
    assert summary["duration_s"] > summary["optimal_s"]
    assert sum(summary["reasons"].values()) == pytest.approx(summary["duration_s"] + 0.1, abs=0.2)
    for name in ("drive.mcap", "summary.json", "report.html", "picture.png"):
        assert (out / name).stat().st_size > 500
        assert any(str(out / name) in line for line in lines)

    # the log is the drive: read back, it has the same hash
    records = read_records(out / "drive.mcap")
    assert records.scan.whole
    episode = read_episode(out / "drive.mcap", store.load(streets))
    assert episode_hash(episode) == summary["episode_hash"]
    assert records.metadata["marque.end"]["episode_hash"] == summary["episode_hash"]

    # the line that repeats it repeats it
    line = shlex.split(summary["command"])
    assert line[0] == "marque"
    assert lines[-1] == f"again: {summary['command']}"
    main([*line[1:], "--out", str(again)])
    assert summary_of(again)["episode_hash"] == summary["episode_hash"]


def test_minutes_end_a_drive_that_then_is_no_failure(streets, tmp_path):
    words = ("--map", streets, "--traffic", "none", "--min-length-m", 700, "--minutes", 0.1)
    assert drive(*words, "--out", tmp_path) == 0
    summary = summary_of(tmp_path)
    assert summary["end"] == "the minutes are up"
    assert summary["duration_s"] == pytest.approx(6.0)
    assert not summary["arrived"]


def test_another_seed_is_another_trip(streets, tmp_path):
    hashes = set()
    for seed in (1, 2, 3):
        out = tmp_path / str(seed)
        words = ("--map", streets, "--traffic", "none", "--min-length-m", 300, "--seed", seed)
        assert drive(*words, "--minutes", 0.05, "--out", out) == 0
        hashes.add(summary_of(out)["episode_hash"])
    assert len(hashes) == 3


def test_places_are_taken_as_they_are(streets, tmp_path):
    words = ("--map", streets, "--traffic", "none", "--minutes", 0.05)
    road_map = store.load(streets)
    lane = next(i for i in range(road_map.lane_count) if not road_map.lane_connector[i])
    name = road_map.lane_name[lane]
    places = ("--from", f"lane:{name}@5", "--to", f"lane:{name}@60")
    assert drive(*words, *places, "--out", tmp_path) == 0
    assert summary_of(tmp_path)["route_length_m"] == pytest.approx(55.0)


@pytest.mark.sumo
def test_the_same_seed_in_foreign_traffic_is_the_same_drive(town, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert in_town(town, tmp_path / name, "--seed", seed) in (0, 1)
        found.append(summary_of(tmp_path / name))
    assert found[0]["episode_hash"] == found[1]["episode_hash"]
    assert found[0]["episode_hash"] != found[2]["episode_hash"]
    assert found[0]["reasons"] == found[1]["reasons"]
    facts = found[0]["traffic_facts"]
    for name in ("step", "lane changes", "collision check", "deadlocks", "teleports"):
        assert facts[name]


@pytest.mark.sumo
def test_the_reference_is_driven_on_request(town, tmp_path, capsys):
    in_town(town, tmp_path, "--reference")
    summary = summary_of(tmp_path)
    assert summary["reference"]["arrived"]
    assert summary["reference_duration_s"] == pytest.approx(summary["reference"]["duration_s"])
    assert "--reference" in summary["command"]
    assert "not driven" not in capsys.readouterr().out


@pytest.mark.sumo
def test_a_sumocfg_brings_its_own_demand_and_map(town, tmp_path, capsys):
    cfg = town.with_name("town.sumocfg")
    words = ("--traffic", cfg, "--begin", 60, "--min-length-m", 300, "--minutes", 0.1)
    report = tmp_path / "crashes.xml"
    code = drive(*words, "--sumo-args", f"--collision-output {report}", "--out", tmp_path / "x")
    assert code in (0, 1)
    summary = summary_of(tmp_path / "x")
    assert "its own demand" in summary["traffic"]
    assert summary["map"] == "town"
    assert "town.sumocfg" in summary["command"]
    assert "<collisions" in report.read_text()
    assert "its own, of town.sumocfg" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.sumo
def test_traffic_of_another_network_is_refused(streets, town, tmp_path, capsys):
    cfg = town.with_name("town.sumocfg")
    words = ("--map", streets, "--traffic", cfg, "--min-length-m", 300, "--minutes", 0.1)
    assert drive(*words, "--out", tmp_path) == 2
    assert "different networks" in capsys.readouterr().err


@pytest.mark.sumo
@pytest.mark.data
@pytest.mark.prove
def test_bologna_in_its_busy_hour(shared_data, tmp_path, capsys):
    """Its own demand and signals; the map is the one that its configuration names."""
    cfg = shared_data / "sumo" / "bologna" / "run.sumocfg"
    code = drive("--traffic", cfg, "--minutes", 0.2, "--out", tmp_path, "--begin", 900)
    assert code in (0, 1)
    summary = summary_of(tmp_path)
    assert "its own demand" in summary["traffic"]
    assert "(the configuration's own 1 s is overridden)" in summary["traffic_facts"]["step"]
    assert summary["duration_s"] == pytest.approx(12.0)
