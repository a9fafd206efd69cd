"""The adversary suite: N runs over saved states and five drivers, resumable run by run.

Each finished run is one line of `runs.jsonl` in the folder; a run of the suite that was killed goes
on with those that are missing. A longer suite holds the runs of a shorter one.
"""

import contextlib
import ctypes
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.files import need_writable_folder, write_text
from marque.metrics.rates import poisson_interval
from marque.prove.adversary.drivers import DRIVERS
from marque.prove.adversary.play import Run, open_stand, play
from marque.prove.adversary.stages import State, open_state, states
from marque.prove.city import program_hash
from marque.sim.worlds.sumo_link import need_sumo
from marque.sim.worlds.sumo_spec import sumo_version
from marque.vehicle.catalog import load_platform

SCHEMA, PLAN_SCHEMA = "marque.prove.adversary/1", "marque.prove.adversary.plan/1"
PLAN_FILE, RUNS_FILE = "plan.json", "runs.jsonl"
MOST_RUNS = 10_000_000
PART = 20  # runs of one state in one go


@dataclass(frozen=True, slots=True)
class Suite:
    """What is to be proved."""

    runs: int
    seed: int
    workers: int
    out: Path
    car: str = "saloon_ev"
    roads: str = "all"
    again: bool = False
    only: int | None = None  # this run alone


Tell = Callable[[Mapping[str, Any], int, int], None]  # record, runs done, runs in all


def run_adversary(suite: Suite, tell: Tell | None = None) -> dict[str, Any]:
    """Play what is missing and add up. The object that `--json` writes, less its command.

    MarqueError: bad words, SUMO missing, a folder of another suite or one that cannot be written.
    """
    need_sumo()
    if not 0 < suite.runs <= MOST_RUNS:
        raise MarqueError(f"--runs is {suite.runs}; it must be from 1 to {MOST_RUNS}")
    if suite.only is not None and not 0 <= suite.only < suite.runs:
        raise MarqueError(
            f"--only is {suite.only}; the runs are numbered from 0 to {suite.runs - 1}"
        )
    load_platform(suite.car)
    places = states(suite.roads)
    plan = plan_of(suite)
    claim(suite.out, plan, suite.again)
    began = time.perf_counter()
    numbers = range(suite.runs) if suite.only is None else range(suite.only, suite.only + 1)
    kept = {
        number: record for number, record in read_runs(suite.out / RUNS_FILE) if number in numbers
    }
    if suite.only is not None:
        kept.clear()
    missing = [number for number in numbers if number not in kept]
    done = len(kept)
    with (suite.out / RUNS_FILE).open("a", encoding="utf-8") as lines:
        for record in _played(suite, places, missing):
            kept[record["run"]] = record
            lines.write(json.dumps(record) + "\n")
            lines.flush()
            done += 1
            if tell is not None:
                tell(record, done, len(numbers))
    report = add_up(suite, [kept[number] for number in sorted(kept)])
    report["wall_s"] = round(time.perf_counter() - began, 1)
    return report


def plan_of(suite: Suite) -> dict[str, Any]:
    """Everything that two suites must share to share runs."""
    return {
        "schema": PLAN_SCHEMA, "seed": suite.seed, "roads": suite.roads,
        "platform": asdict(load_platform(suite.car)), "sumo": sumo_version(),
        "program": program_hash(),
    }  # fmt: skip


def claim(out: Path, plan: Mapping[str, Any], again: bool) -> None:
    """Make the folder ours, or find that it is. MarqueError: it is another suite's."""
    need_writable_folder(out)
    path, runs = out / PLAN_FILE, out / RUNS_FILE
    if path.exists() and not again:
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MarqueError(f"{path} cannot be read: {error}; choose another --out") from error
        other = [
            key for key in plan if not isinstance(before, dict) or before.get(key) != plan[key]
        ]
        if other:
            raise MarqueError(
                f"the runs in {out} were made with another {other[0]}; choose another --out, or "
                "--again to make all of them anew"
            )
        return
    if runs.exists() and not path.exists():
        raise MarqueError(f"{out} holds runs of an unknown suite; choose another --out")
    with contextlib.suppress(OSError):
        runs.unlink(missing_ok=True)
    write_text(path, json.dumps(plan, indent=2) + "\n")


def read_runs(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Finished runs by number. A last line that was cut off is dropped, and cut off the file.
    MarqueError: another line is no record."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    for at, line in enumerate(whole.splitlines(), 1):
        try:
            record = json.loads(line)
            number = int(record["run"])
        except (ValueError, KeyError, TypeError) as error:
            raise MarqueError(
                f"{path}, line {at}: no record of a run ({error}); remove the line, or --again"
            ) from error
        yield number, record


# ------------------------------------------------------------------ playing


def _played(suite: Suite, places: Sequence[State], missing: list[int]) -> Iterator[dict[str, Any]]:
    """Records as they come. Runs of one state are played one after the other by one process."""
    parts: list[tuple[State, list[int]]] = []
    for k, state in enumerate(places):
        of = [number for number in missing if number // len(DRIVERS) % len(places) == k]
        parts += [(state, of[i : i + PART]) for i in range(0, len(of), PART)]
    if not parts:
        return
    parts.sort(key=lambda part: part[1][0])
    for state in places:  # maps and networks are made by one
        if any(part[0] == state for part in parts):
            open_state(state, load_platform(suite.car))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(suite.workers, context, _begin_worker) as pool:
        waiting = list(reversed(parts))
        running: set[Future[list[dict[str, Any]]]] = set()
        try:
            while waiting or running:
                while waiting and len(running) < suite.workers:
                    state, numbers = waiting.pop()
                    running.add(
                        pool.submit(_part, state, numbers, suite.seed, suite.car, str(suite.out))
                    )
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for each in ended:
                    yield from each.result()
        finally:
            for each in running:
                each.cancel()


def _begin_worker() -> None:
    """Ctrl-C is for the suite; a worker ends with it, even where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; Linux alone
    os.environ["OMP_NUM_THREADS"] = "1"


def _part(state: State, numbers: list[int], seed: int, car: str, out: str) -> list[dict[str, Any]]:
    """Some runs from one state, in a process of its own. What SUMO breaks off is a record, too."""
    platform = load_platform(car)
    records = []
    stand = open_stand(state, platform)
    try:
        for number in numbers:
            run = Run(number, seed)
            try:
                records.append(play(stand, run, Path(out)))
            except MarqueError as error:
                records.append(
                    {"run": number, "driver": run.kind, "state": state.name, "failed": str(error)}
                )
                stand.close()
                stand = open_stand(state, platform)
    finally:
        stand.close()
    return records


# ------------------------------------------------------------------ adding up


def add_up(suite: Suite, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result object from the records."""
    played = [record for record in records if "failed" not in record]
    found = [record for record in played if record["preventable"] or record["steered"]]
    preventable = sum(bool(record["preventable"]) for record in played)
    hits = [hit for record in played for hit in record["hits"]]
    low, high = poisson_interval(preventable, max(1, len(played)))
    cpu_s = sum(record["cpu_s"] for record in played)
    return {
        "schema": SCHEMA,
        "passed": bool(played) and not found and len(played) == len(records),
        "seed": suite.seed, "car": suite.car, "roads": suite.roads,
        "traffic": f"SUMO {sumo_version()}, saved dense states",
        "runs": len(records), "played": len(played),
        "unplayed": {str(r["run"]): r["failed"] for r in records if "failed" in r},
        "preventable": preventable,
        "steered": sum(bool(record["steered"]) for record in played),
        "preventable_per_1000": [round(1000.0 * low, 4), round(1000.0 * high, 4)],
        "contacts": len(hits),
        "contacts_not_preventable": sum(not hit["preventable"] for hit in hits),
        "drivers": {kind: _counts(played, kind) for kind in DRIVERS},
        "rules": _rules(played),
        "failed": found,
        "cpu_s_per_run": round(cpu_s / max(1, len(played)), 3),
    }  # fmt: skip


def _counts(played: Sequence[Mapping[str, Any]], kind: str) -> dict[str, int]:
    rows = [record for record in played if record["driver"].split(",")[0] == kind]
    return {
        "runs": len(rows),
        "preventable": sum(bool(record["preventable"]) for record in rows),
        "steered": sum(bool(record["steered"]) for record in rows),
        "contacts": sum(record["contacts"] for record in rows),
    }


def _rules(played: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """In how many runs each rule of the guard acted."""
    count: dict[str, int] = {}
    for record in played:
        for rule in record["rules"]:
            count[rule] = count.get(rule, 0) + 1
    return dict(sorted(count.items()))
