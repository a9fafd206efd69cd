"""The city suite as it runs: resumes, refuses foreign folders, names what crashed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove import city
from marque.prove.city import Suite, city_jobs, read_trip, run_city
from marque.prove.trip import drive_trip, job_from_json, job_to_json
from marque.sim.order import Ground, Order, open_ground

pytestmark = [pytest.mark.sumo, pytest.mark.usefixtures("cache")]


def order_for(town: Path) -> Order:
    return Order(map_name=str(town), density=6, min_length_m=150.0)


@pytest.fixture
def ground(town: Path, cache: Path) -> Ground:
    return open_ground(order_for(town))


def suite_in(folder: Path, town: Path, routes: int = 2, **more: Any) -> Suite:
    return Suite(order_for(town), (1,), routes, 2, folder, **more)


def test_trips_are_drawn_before_routing_and_grow_without_changing(town, ground, tmp_path):
    few = city_jobs(suite_in(tmp_path, town, 2), ground)
    many = city_jobs(suite_in(tmp_path, town, 5), ground)
    assert [job.trip for job in few] == [job.trip for job in many[:2]]
    assert len({job.file for job in many}) == 5
    for job in many:
        assert job_from_json(job_to_json(job)) == job
    seeds = replace(suite_in(tmp_path, town, 3), seeds=(1, 2))
    names = [job.name for job in city_jobs(seeds, ground)]
    assert names == ["s1-t00", "s1-t01", "s1-t02", "s2-t00", "s2-t01", "s2-t02"]


def test_a_suite_runs_resumes_and_adds_up(town, ground, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(city, "program_hash", lambda: "as it stands")  # others may be writing it
    first = run_city(suite_in(tmp_path, town, 1), ground)
    assert first["routes"] == 1
    kept = tmp_path / "s1-t00.json"
    before = kept.stat().st_mtime_ns
    told: list[tuple[str, int, int]] = []
    both = run_city(
        suite_in(tmp_path, town, 2), ground, lambda r, k, n: told.append((r["trip"], k, n))
    )
    assert kept.stat().st_mtime_ns == before
    assert told == [("s1-t00", 1, 2), ("s1-t01", 2, 2)]
    assert both["schema"] == "marque.prove.city/1"
    assert both["routes"] == 2
    assert both["passed"] is city.passed(both)
    records = [read_trip(tmp_path / f"s1-t0{k}.json") for k in range(2)]
    assert both["distance_m"] == pytest.approx(sum(r["distance_m"] for r in records if r))
    for record in records:
        assert record is not None
        assert record["schema"] == "marque.prove.trip/1"
        assert record["reference"] is not None or record["reference_failed"]
        assert record["command"].startswith("marque drive --map")
        assert len(record["samples"]["planner_ms"]) == len(record["samples"]["users_100m"])
    # other words in the same folder are refused, and the same words on the command line go on
    other = replace(suite_in(tmp_path, town), order=replace(order_for(town), car="suv_erev"))
    with pytest.raises(MarqueError, match="car = 'saloon_ev', not 'suv_erev'"):
        run_city(other, ground)
    words = ["--map", str(town), "--density", "6", "--min-length-m", "150", "--routes", "2"]
    words += ["--sensors", "ideal"]
    result = tmp_path / "x" / "result.json"
    code = main(["prove", "city", *words, "--out", str(tmp_path), "--json", str(result)])
    assert code == (0 if both["passed"] else 1)
    assert kept.stat().st_mtime_ns == before
    shown = capsys.readouterr().out
    assert "Beside the result" in shown
    again = json.loads(result.read_text())
    assert next(iter(again)) == "schema"
    assert again["arrived"] == both["arrived"]
    assert again["command"].startswith("marque prove city --map")


def test_trips_of_another_state_of_the_program_are_not_mixed_in(
    town, ground, tmp_path, monkeypatch
):
    monkeypatch.setattr(city, "program_hash", lambda: "old")
    monkeypatch.setattr(city, "_drive_all", lambda jobs, workers: iter(()))
    run_city(suite_in(tmp_path, town), ground)
    old = tmp_path / "s1-t00.json"
    old.write_text(json.dumps({"schema": "marque.prove.trip/1", "trip": "s1-t00"}))
    monkeypatch.setattr(city, "program_hash", lambda: "new")
    with pytest.raises(MarqueError, match="another state of the program"):
        run_city(suite_in(tmp_path, town), ground)
    assert old.exists()
    run_city(suite_in(tmp_path, town, again=True), ground)  # asked for: the old ones go
    assert not old.exists()


def test_the_program_hash_is_stable_and_covers_the_drive():
    assert city.program_hash() == city.program_hash()
    assert len(city.program_hash()) == 64


def test_a_folder_of_somebody_else_is_refused(town, ground, tmp_path):
    (tmp_path / "s1-t00.json").write_text("{}")
    with pytest.raises(MarqueError, match="unknown suite"):
        run_city(suite_in(tmp_path, town), ground)
    assert (tmp_path / "s1-t00.json").read_text() == "{}"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "other"}'])
def test_a_damaged_trip_file_is_named(content, tmp_path):
    path = tmp_path / "s1-t00.json"
    path.write_text(content)
    with pytest.raises(MarqueError, match=r"s1-t00\.json"):
        read_trip(path)


def test_an_empty_road_is_no_judge(town, ground, tmp_path):
    empty = Suite(Order(map_name=str(town), traffic="none"), (1,), 1, 1, tmp_path)
    with pytest.raises(MarqueError, match="foreign traffic"):
        run_city(empty, ground)


def test_a_worker_that_is_killed_is_that_trips_failure(town, ground, tmp_path, monkeypatch):
    start = city._start

    def doomed(job):
        running = start(job)
        if job.number == 0:
            os.kill(running.process.pid, signal.SIGKILL)
        return running

    monkeypatch.setattr(city, "_start", doomed)
    result = run_city(suite_in(tmp_path, town, 1), ground)
    assert result["arrived"] == 0
    assert not result["passed"]
    assert "killed by signal 9" in result["failed"]["s1-t00"]
    assert result["trips"][0]["end"] == "failed"


def test_a_trip_that_cannot_be_driven_says_why(town, ground, tmp_path):
    job = city_jobs(suite_in(tmp_path, town, 1), ground)[0]
    lost = replace(job, order=replace(job.order, map_name=str(tmp_path / "gone.marque")))
    record = drive_trip(lost)
    assert record["arrived"] is False
    assert "gone.marque" in record["failed"]


def test_ctrl_c_ends_the_trips_and_leaves_no_half_record(town, cache, tmp_path):
    out = tmp_path / "suite"
    words = ["--map", str(town), "--density", "6", "--min-length-m", "600", "--out", str(out)]
    child = subprocess.Popen(
        [sys.executable, "-m", "marque.cli.main", "prove", "city", "--routes", "2", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(1200):
        if (out / "plan.json").exists() or child.poll() is not None:
            break
        time.sleep(0.05)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130
    assert "Traceback" not in said
    for path in out.glob("s1-t*.json"):
        assert read_trip(path) is not None
    assert not [path for path in out.iterdir() if path.suffix == ".part"]
