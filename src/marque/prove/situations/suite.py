"""The suite: every class by name, one case judged, and many cases over several processes."""

import concurrent.futures
import multiprocessing
import signal
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError, unknown
from marque.metrics.arrival import goal_reached_s
from marque.prove.situations.case import Case
from marque.prove.situations.checks import Outcome
from marque.prove.situations.crosswalks import CROSSWALK
from marque.prove.situations.diary import diary
from marque.prove.situations.junctions import (
    LEFT_TURN,
    RIGHT_BEFORE_LEFT,
    ROUNDABOUT,
    SIGNALS,
    STOP_YIELD,
)
from marque.prove.situations.lanes import CYCLIST, FOLLOWING, LANE_CHANGE, MERGE
from marque.prove.situations.obstacles import BLOCKED, BUS_PARKED, QUEUE
from marque.prove.situations.play import Played, play
from marque.prove.situations.situation import Situation
from marque.prove.situations.view import View
from marque.sensing.profile import load_profile
from marque.sim.drive import load_driver
from marque.vehicle.catalog import load_platform

SCHEMA = "marque.prove.situations/1"
CASES = 20
DRAWS = 6  # of one case, until the situation truly comes about
COUNTS, NOT_POSED, VOID = "counts", "not_posed", "void"
CLASSES: tuple[Situation, ...] = (
    FOLLOWING,
    SIGNALS,
    STOP_YIELD,
    RIGHT_BEFORE_LEFT,
    LEFT_TURN,
    ROUNDABOUT,
    CROSSWALK,
    CYCLIST,
    LANE_CHANGE,
    MERGE,
    BLOCKED,
    QUEUE,
    BUS_PARKED,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One case of one class to be driven; a job is the same wherever and whenever it runs."""

    situation: str
    case: int
    seed: int
    driver: str
    car: str
    sensors: str = "ideal"
    keep: str = ""  # folder into which the files of failed cases go
    tell: bool = False  # the diary, also when it passes


def find(name: str) -> Situation:
    """A class by name. MarqueError: unknown."""
    for situation in CLASSES:
        if situation.name == name:
            return situation
    raise unknown("situation", name, [situation.name for situation in CLASSES])


def draw(situation: Situation, seed: int, case: int, attempt: int) -> Case:
    """The case that belongs to these four, always the same."""
    words = [seed, zlib.crc32(situation.name.encode()), case, attempt]
    return situation.draw(np.random.Generator(np.random.PCG64(np.random.SeedSequence(words))))


def run_job(job: Job) -> dict[str, Any]:
    """Draw until the situation comes about, judge, and tell. Plain data.

    MarqueError: SUMO missing, unknown car, sensor profile or driver.
    """
    situation = find(job.situation)
    platform = load_platform(job.car)
    passed_over: dict[str, list[dict[str, Any]]] = {"not_posed": [], "void": []}
    result: dict[str, Any] = {}
    for attempt in range(DRAWS):
        case = draw(situation, job.seed, job.case, attempt)
        with tempfile.TemporaryDirectory(prefix="marque-") as folder:
            played = play(case, Path(folder), job.driver, platform, job.seed, job.sensors)
            result, standing = judge_case(situation, played, job.tell)
            if job.keep and not result["passed"]:
                _keep(Path(folder), Path(job.keep) / f"{job.situation}-{job.case}-{attempt}")
        result = {
            "class": job.situation,
            "case": job.case,
            "attempt": attempt,
            **passed_over,
            **result,
        }
        if standing == COUNTS:
            return result
        passed_over[standing].append({"attempt": attempt, "text": case.text, "end": result["end"]})
    nothing = {"name": "posed", "value": f"did not come about in {DRAWS} draws", "t_s": None}
    return {**result, "passed": False, "failed": [nothing]}


def judge_case(
    situation: Situation, played: Played, tell: bool = False
) -> tuple[dict[str, Any], str]:
    """(what is to be told of one drive, its standing).

    Standing: "counts"; "not_posed", when the situation did not come about and nothing went wrong;
    "void", when somebody else's fault ended the drive and nothing of ours went wrong before.
    """
    view = View(played.case, played.episode, played.index, played.names)
    outcomes = [(each.name, each.judge(view)) for each in situation.criteria]
    failed = [_told(name, outcome) for name, outcome in outcomes if not outcome.ok]
    if played.error:
        failed.insert(0, {"name": "driver_failed", "value": played.error, "t_s": None})
    episode = played.episode
    numbers = view.numbers
    result = {
        "text": played.case.text,
        "passed": not failed,
        "failed": failed,
        "end": episode.end,
        "duration_s": numbers["duration_s"],
        "arrived_s": goal_reached_s(view.trace, episode.goal_lane, episode.goal_s_m),
        "limit_s": round(played.case.limit_s, 1),
        "collisions": numbers["collisions"],
        "guard_interventions": numbers["guard_interventions"],
        "comfort": numbers["comfort"],
        "reasons": numbers["reasons"],
        "planner_ms": played.timing.summary(numbers["duration_s"])["planner_ms"],
    }
    if failed or tell:
        result["diary"] = diary(view)
    ended_by_other = episode.end == "collision" and numbers["collisions_at_fault"] == 0
    if ended_by_other and {each["name"] for each in failed} <= {"in_time"}:
        return result, VOID
    return result, COUNTS if failed or situation.posed(view) else NOT_POSED


def _told(name: str, outcome: Outcome) -> dict[str, Any]:
    t_s = None if outcome.t_s is None else round(float(outcome.t_s), 1)
    return {"name": name, "value": outcome.value, "t_s": t_s}


def _keep(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in ("x.net.xml", "x.rou.xml", "x.add.xml", "x.sumocfg"):
        (target / name).write_bytes((folder / name).read_bytes())


def run(
    *,
    seed: int = 1,
    cases: int = CASES,
    only: tuple[str, ...] = (),
    driver: str = "marque",
    car: str = "saloon_ev",
    sensors: str = "ideal",
    workers: int = 1,
    keep: Path | None = None,
    case: int | None = None,
    done: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Drive `cases` cases of each class (of those in `only`) and report as one JSON object.

    `case`: that one alone, of each class; its diary is told whether it passes or not. `done` is
    called with each case's result as it comes in. The result does not depend on `workers`.
    MarqueError: unknown class, driver, car or sensor profile; SUMO missing.
    """
    if cases < 1 or workers < 1:
        raise MarqueError("cases and workers must be at least 1")
    chosen = [find(name) for name in only] if only else list(CLASSES)
    load_platform(car)
    load_profile(sensors)
    load_driver(driver)
    jobs = [
        Job(
            situation.name,
            number,
            seed,
            driver,
            car,
            sensors,
            str(keep) if keep else "",
            case is not None,
        )
        for situation in chosen
        for number in (range(cases) if case is None else [case])
    ]
    began = time.perf_counter()
    results = drive_all(run_job, jobs, workers, done)
    wall_s = time.perf_counter() - began
    return report(chosen, results, seed, len(jobs) // len(chosen), (driver, car, sensors), wall_s)


def drive_all(
    run_one: Callable[[Any], dict[str, Any]],
    jobs: Sequence[Any],
    workers: int,
    done: Callable[[dict[str, Any]], None] | None,
) -> list[dict[str, Any]]:
    """The result of each job, in order; over several processes if `workers` is above 1.

    MarqueError: a worker died.
    """
    if workers == 1:
        found = []
        for job in jobs:
            found.append(run_one(job))
            if done is not None:
                done(found[-1])
        return found
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(workers, context, _begin_worker)
    try:
        futures = [pool.submit(run_one, job) for job in jobs]
        for future in concurrent.futures.as_completed(futures):
            result = future.result()
            if done is not None:
                done(result)
        return [future.result() for future in futures]
    except concurrent.futures.process.BrokenProcessPool as error:
        raise MarqueError("a worker process died; is there enough memory?") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us in order


def report(
    chosen: list[Situation],
    results: list[dict[str, Any]],
    seed: int,
    cases: int,
    who: tuple[str, str, str],
    wall_s: float,
) -> dict[str, Any]:
    """The whole run as one JSON object. who: driver, car and sensor profile."""
    classes = [_class_report(situation, results) for situation in chosen]
    passed = sum(each["passed"] for each in classes)
    total = sum(each["cases"] for each in classes)
    return {
        "schema": SCHEMA,
        "passed": passed == total,
        "seed": seed,
        "cases": cases,
        "driver": who[0],
        "car": who[1],
        "sensors": who[2],
        "cases_total": total,
        "cases_passed": passed,
        "passed_share": round(passed / total, 4),
        "classes": classes,
        "wall_s": round(wall_s, 1),
    }


def _class_report(situation: Situation, results: list[dict[str, Any]]) -> dict[str, Any]:
    mine = sorted(
        (r for r in results if r["class"] == situation.name), key=lambda result: result["case"]
    )
    passed = sum(result["passed"] for result in mine)
    broken: dict[str, int] = {}
    for result in mine:
        for failure in result["failed"]:
            broken[failure["name"]] = broken.get(failure["name"], 0) + 1
    return {
        "class": situation.name,
        "title": situation.title,
        "criteria": [{"name": c.name, "text": c.text} for c in situation.criteria],
        "cases": len(mine),
        "passed": passed,
        "passed_share": round(passed / max(1, len(mine)), 4),
        "not_posed": sum(len(result["not_posed"]) for result in mine),
        "void": sum(len(result["void"]) for result in mine),
        "broken": dict(sorted(broken.items(), key=lambda row: (-row[1], row[0]))),
        "results": mine,
    }
