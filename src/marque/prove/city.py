"""The city suite: seeded trips in foreign traffic, each against SUMO's own driver.

Trips are drawn before routing and none is skipped or drawn again; one that cannot be driven
counts as failed, with its reason. Each finished trip is a file, so a run that was killed goes on
where it stopped.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any

import marque
from marque.core.errors import MarqueError
from marque.core.files import need_writable_folder, write_text
from marque.maps.check import check_map, faulty_junctions
from marque.maps.trips import draw_trips
from marque.prove.totals import totals
from marque.prove.trip import SCHEMA, Job, failed_record, job_to_json
from marque.record.hashing import road_map_hash
from marque.sim.judged import FAULTS
from marque.sim.order import EMPTY, Ground, Order, prepare
from marque.sim.worlds.sumo_spec import sumo_version
from marque.vehicle.catalog import load_platform

PASS_SHARE = 0.95
WALL_LIMIT_S = 3600.0  # a trip that takes longer than this has hung
POLL_S = 0.05
PLAN_FILE = "plan.json"


@dataclass(frozen=True, slots=True)
class Suite:
    """What is to be proved. `order` holds everything but seed and places."""

    order: Order
    seeds: tuple[int, ...]
    routes: int  # per seed
    workers: int
    out: Path
    again: bool = False  # drive every trip anew, whatever the folder holds


Tell = Callable[[Mapping[str, Any], int, int], None]  # record, trips done, trips in all


@dataclass(slots=True)
class _Running:
    job: Job
    process: "subprocess.Popen[bytes]"
    words: IO[bytes]
    began_s: float = field(default_factory=monotonic)


def run_city(suite: Suite, ground: Ground, tell: Tell | None = None) -> dict[str, Any]:
    """Drive what is missing and add up. The object that `--json` writes, less its command.

    MarqueError: bad words, a folder of another suite, or a folder that cannot be written.
    """
    if suite.order.traffic == EMPTY:
        raise MarqueError("the judge needs foreign traffic; have [sumo] or a .sumocfg file")
    jobs = city_jobs(suite, ground)
    prepare(jobs[0].order, ground, jobs[0].trip)  # a wrong word fails here, not fifty times
    drive_jobs(jobs, suite.out, plan_of(suite, ground), suite.workers, suite.again, tell)
    return add_up(suite, ground, jobs)


def drive_jobs(
    jobs: list[Job],
    out: Path,
    plan: Mapping[str, Any],
    workers: int,
    again: bool = False,
    tell: Tell | None = None,
) -> None:
    """Drive those of a suite's jobs that `out` does not hold yet, `workers` at a time.

    `plan` is what two runs must share to share trips. MarqueError: a folder of another suite, or
    one that cannot be written.
    """
    _claim(out, plan, again)
    done = 0
    missing = []
    for job in jobs:
        kept = read_trip(Path(job.file))
        if kept is None:
            missing.append(job)
            continue
        done += 1
        if tell is not None:
            tell(kept, done, len(jobs))
    for job in _drive_all(missing, workers):
        done += 1
        record = read_trip(Path(job.file))
        if tell is not None and record is not None:
            tell(record, done, len(jobs))


def city_jobs(suite: Suite, ground: Ground) -> list[Job]:
    """All trips of a suite, in order. MarqueError: the map is too small for them."""
    jobs = []
    for seed in suite.seeds:
        order = replace(suite.order, seed=seed)
        trips = draw_trips(ground.road_map, seed, suite.routes, order.min_length_m)
        for number, trip in enumerate(trips):
            name = f"s{seed}-t{number:02d}"
            jobs.append(Job(name, number, order, trip, str(suite.out / f"{name}.json")))
    return jobs


def add_up(suite: Suite, ground: Ground, jobs: list[Job]) -> dict[str, Any]:
    """The result object from the trip files."""
    records = [record for job in jobs if (record := read_trip(Path(job.file))) is not None]
    sums = totals(records)
    return {
        "schema": "marque.prove.city/1",
        "passed": passed(sums),
        "map": ground.road_map.name,
        "traffic": traffic_of(records, suite.order),
        "driver": suite.order.driver,
        "car": suite.order.car,
        "brand": suite.order.brand,
        "sensors": suite.order.sensors,
        "seeds": list(suite.seeds),
        "min_length_m": suite.order.min_length_m,
        **sums,
        **named(records, sums, faulty_junctions(check_map(ground.road_map))),
    }


def traffic_of(records: Sequence[Mapping[str, Any]], order: Order) -> str:
    """What traffic a suite's trips were driven in."""
    return next((str(r["traffic"]) for r in records if "traffic" in r), order.traffic)


def named(
    records: Sequence[Mapping[str, Any]], sums: Mapping[str, Any], faulty: Sequence[str]
) -> dict[str, Any]:
    """What has to be named beside the totals: who failed and why, and the trips themselves."""
    hits = sums["collisions"]
    return {
        "failed": {r["trip"]: r["failed"] or r["end"] for r in records if not r["arrived"]},
        "reference_failed": {
            r["trip"]: r.get("reference_failed") or "did not arrive"
            for r in records
            if not (r.get("reference") or {}).get("arrived", False)
        },
        "reference_collides_at_the_same_place": sorted(
            {hit["trip"] for hit in hits if hit["reference_collides_there"]}
        ),
        "faulty_junctions": faulty,
        "contacts_at_faulty_junctions": sorted(
            {f"{hit['trip']} at {hit['junction']}" for hit in hits if hit["junction"] in faulty}
        ),
        "trips": [_row(record) for record in records],
    }


def passed(sums: Mapping[str, Any]) -> bool:
    """Nothing at fault on any trip, and enough of them arrived."""
    return sums["arrived_share"] >= PASS_SHARE and not any(sums[key] for key in FAULTS)


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    """A trip in the result: everything but the samples that were pooled."""
    left_out = ("samples", "traffic_facts", "schema")
    return {name: value for name, value in record.items() if name not in left_out}


def read_trip(path: Path) -> dict[str, Any] | None:
    """A finished trip's record, None when there is none. MarqueError: it cannot be read."""
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MarqueError(f"{path} is no trip record: {error}; remove it to drive again") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise MarqueError(f"{path} is no trip record of this program; remove it to drive again")
    return record


# ---------------------------------------------------------------- the folder


def plan_of(suite: Suite, ground: Ground) -> dict[str, Any]:
    """Everything that two runs must share to share trips."""
    order = asdict(replace(suite.order, seed=0))
    order.pop("start")
    order.pop("goal")
    return {
        "schema": "marque.prove.city.plan/1",
        **order,
        "platform": asdict(load_platform(suite.order.car)),
        "map_hash": road_map_hash(ground.road_map),
        "sumo": sumo_version(),
        "program": program_hash(),
    }


def program_hash() -> str:
    """Hex digest of every file of the program that could change a drive."""
    root = Path(marque.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml") and not {"cli", "draw"} & set(path.parts):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _claim(out: Path, plan: Mapping[str, Any], again: bool) -> None:
    """Make the folder ours, or find that it is; clear it when everything is to be driven again."""
    need_writable_folder(out)
    path = out / PLAN_FILE
    if path.exists() and not again:
        _need_same(path, plan)
        return
    for old in [*out.glob("s*-t*.json"), *out.glob("s*-t*.mcap")]:
        if path.exists():
            with contextlib.suppress(OSError):
                old.unlink()
            continue
        raise MarqueError(f"{out} holds trips of an unknown suite; choose another --out")
    write_text(path, json.dumps(plan, indent=2) + "\n")


def _need_same(path: Path, plan: Mapping[str, Any]) -> None:
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MarqueError(f"{path} cannot be read: {error}; choose another --out") from error
    plan = json.loads(json.dumps(plan))  # as the file tells it: a tuple comes back as a list
    other = [
        name for name in plan if not isinstance(before, dict) or before.get(name) != plan[name]
    ]
    if not other:
        return
    name = other[0]
    if name == "program":
        what = "another state of the program"
    else:
        old = before.get(name) if isinstance(before, dict) else None
        what = f"{name} = {old!r}, not {plan[name]!r}"
    raise MarqueError(
        f"the trips in {path.parent} were driven with {what}; "
        "choose another --out, or --again to drive all of them anew"
    )


# ---------------------------------------------------------------- the processes


def _drive_all(jobs: list[Job], workers: int) -> Iterator[Job]:
    """Each job in a process of its own, `workers` at a time; yields jobs as they finish."""
    waiting = list(reversed(jobs))
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_start(waiting.pop()))
            ended = [each for each in running if _ended(each)]
            for each in ended:
                running.remove(each)
                _settle(each)
                yield each.job
            if not ended:
                sleep(POLL_S)
    finally:
        for each in running:
            _kill(each)


def _start(job: Job) -> _Running:
    root = str(Path(marque.__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    words = tempfile.TemporaryFile()  # noqa: SIM115 (lives with the process)
    process = subprocess.Popen(
        [sys.executable, "-m", "marque.prove.trip"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=words,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
        },
        start_new_session=True,  # Ctrl-C is for the suite, which then ends its trips
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died at once: `_settle` says why
        process.stdin.write(job_to_json(job).encode() + b"\n")
        process.stdin.flush()
    return _Running(job, process, words)


def _ended(each: _Running) -> bool:
    if each.process.poll() is not None:
        return True
    if monotonic() - each.began_s < WALL_LIMIT_S:
        return False
    each.process.kill()
    each.process.wait()
    return True


def _settle(each: _Running) -> None:
    """A process that left no record is that trip's failure, by name."""
    code = each.process.returncode
    path = Path(each.job.file)
    if code != 0 or not path.exists():
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit {code}"
        if monotonic() - each.began_s >= WALL_LIMIT_S:
            how = f"took longer than {WALL_LIMIT_S:.0f} s"
        record = failed_record(each.job, f"the trip's process {how}{_last_words(each.words)}")
        write_text(path, json.dumps(record) + "\n")
    _close(each)


def _last_words(words: IO[bytes]) -> str:
    size = os.fstat(words.fileno()).st_size
    tail = os.pread(words.fileno(), 4096, max(0, size - 4096)).decode(errors="replace")
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""


def _kill(each: _Running) -> None:
    with contextlib.suppress(OSError):
        each.process.kill()
    each.process.wait()
    _close(each)


def _close(each: _Running) -> None:
    with contextlib.suppress(OSError):
        if each.process.stdin is not None:
            each.process.stdin.close()
    each.words.close()
