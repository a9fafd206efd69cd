"""The suite: each case driven once, judged by the truth, and whether the car noticed and said so.

Every other case also has the car believe itself half a metre beside and one degree turned against
where it is.
"""

import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError, unknown
from marque.core.time import seconds
from marque.prove.situations.play import Played, play
from marque.prove.situations.suite import drive_all
from marque.prove.situations.view import View
from marque.prove.wrong_map.cases import KINDS, OFF_M, OFF_RAD, WrongMap
from marque.sensing.profile import load_profile
from marque.sim.drive import load_driver
from marque.vehicle.catalog import load_platform

SCHEMA = "marque.prove.wrongmap/1"
CASES = 10  # of each kind
NOTICED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Job:
    """One case of one kind; a job is the same wherever and whenever it runs."""

    kind: str
    case: int
    seed: int
    driver: str
    car: str
    sensors: str


def draw(job: Job) -> tuple[WrongMap, tuple[float, float]]:
    """The case, and how far the car is wrong about its own place (m to the left, rad)."""
    words = [job.seed, zlib.crc32(job.kind.encode()), job.case]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))
    case = KINDS[job.kind](rng)
    if job.case % 2 == 0:
        return case, (0.0, 0.0)
    side, turn = rng.choice((-1.0, 1.0), 2)
    return case, (float(side) * OFF_M, float(turn) * OFF_RAD)


def run_job(job: Job) -> dict[str, Any]:
    """Drive and judge one case. Plain data. MarqueError: SUMO missing, unknown words."""
    wrong, off = draw(job)
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        played = play(
            wrong.case,
            Path(folder),
            job.driver,
            load_platform(job.car),
            job.seed,
            job.sensors,
            mislead=lambda stage, at: wrong.mislead(stage, at, off),
        )
        return judge(job, wrong, played, off != (0.0, 0.0))


def judge(job: Job, wrong: WrongMap, played: Played, astray: bool) -> dict[str, Any]:
    """One case as plain data."""
    view = View(played.case, played.episode, played.index, played.names)
    outcomes = [(each.name, each.judge(view)) for each in wrong.criteria]
    failed = [
        {"name": name, "value": one.value, "t_s": one.t_s} for name, one in outcomes if not one.ok
    ]
    if played.error:
        failed.insert(0, {"name": "driver_failed", "value": played.error, "t_s": None})
    numbers = view.numbers
    told = findings(played)
    noticed = [t_s for text, t_s in told if wrong.named in text]
    return {
        "kind": job.kind,
        "case": job.case,
        "text": wrong.case.text,
        "astray": astray,
        "passed": not failed,
        "failed": failed,
        "noticed": bool(noticed),
        "noticed_s": min(noticed, default=None),
        "findings": [f"{text} ({t_s:.1f} s)" for text, t_s in told],
        "end": played.episode.end,
        "duration_s": numbers["duration_s"],
        "collisions_at_fault": numbers["collisions_at_fault"],
        "red_light": numbers["red_light"],
        "off_road_s": numbers["off_road_s"],
        "wrong_way_s": numbers["wrong_way_s"],
        "collisions": numbers["collisions"],
        "reasons": numbers["reasons"],
    }


def findings(played: Played) -> list[tuple[str, float]]:
    """(what the car said of its map, when first)."""
    first: dict[str, float] = {}
    for tick in played.episode.ticks:
        for one in tick.health.findings:
            if one.part.startswith("map"):
                first.setdefault(one.text, round(seconds(tick.world.t_ns), 1))
    return list(first.items())


def run(
    *,
    seed: int = 1,
    cases: int = CASES,
    only: tuple[str, ...] = (),
    driver: str = "marque",
    car: str = "saloon_ev",
    sensors: str = "standard",
    workers: int = 1,
    done: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """`cases` of each kind (of those in `only`) as one JSON object; `done` is told each result.

    MarqueError: unknown kind, driver, car or profile; SUMO missing.
    """
    if cases < 1 or workers < 1:
        raise MarqueError("cases and workers must be at least 1")
    for name in only:
        if name not in KINDS:
            raise unknown("kind of wrong map", name, list(KINDS))
    load_platform(car)
    load_profile(sensors)
    load_driver(driver)
    jobs = [
        Job(kind, number, seed, driver, car, sensors)
        for kind in (only or tuple(KINDS))
        for number in range(cases)
    ]
    began = time.perf_counter()
    results = drive_all(run_job, jobs, workers, done)
    wall_s = round(time.perf_counter() - began, 1)
    total = len(results)
    at_fault = sum(one["collisions_at_fault"] for one in results)
    noticed = sum(one["noticed"] for one in results)
    passed = sum(one["passed"] for one in results)
    return {
        "schema": SCHEMA,
        "passed": passed == total and noticed >= NOTICED_SHARE * total,
        "seed": seed,
        "cases": cases,
        "driver": driver,
        "car": car,
        "sensors": sensors,
        "cases_total": total,
        "cases_passed": passed,
        "noticed": noticed,
        "noticed_share": round(noticed / total, 4),
        "collisions_at_fault": at_fault,
        "red_light": sum(one["red_light"] for one in results),
        "kinds": {
            kind: {
                "cases": sum(one["kind"] == kind for one in results),
                "passed": sum(one["passed"] for one in results if one["kind"] == kind),
                "noticed": sum(one["noticed"] for one in results if one["kind"] == kind),
            }
            for kind in (only or tuple(KINDS))
        },
        "results": results,
        "wall_s": wall_s,
    }
