"""The suite: every case of a folder played and judged, one journal line for each as it is done.

A run that was stopped goes on after the last whole line of its journal.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.draw.picture import drive_picture
from marque.prove.alks.cases import Found, Item, find_cases
from marque.prove.alks.criteria import Criteria, number_of, read_criteria
from marque.prove.alks.judge import MITIGATED, Judged, judge
from marque.prove.alks.play import Played, Who, drive
from marque.prove.city import program_hash
from marque.prove.verdicts import (
    FAILED,
    PASSED,
    UNSUPPORTED,
    Done,
    Journal,
    case_command,
    need_pictures,
    play_missing,
    slug,
)
from marque.sensing.profile import load_profile
from marque.sim.drive import load_driver
from marque.vehicle.catalog import load_platform

SCHEMA = "marque.prove.alks/1"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be proved. out: folder of the journal and the pictures; pictures: of no case, of
    concrete ones and those that have not simply passed, or of all."""

    suite: Path
    out: Path
    who: Who = field(default_factory=Who)
    everything: bool = False
    concrete: bool = False
    only: str = ""
    workers: int = 1
    pictures: str = "some"
    again: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One case for a worker."""

    item: Item
    who: Who
    out: Path
    pictures: str


def plan(order: Order, criteria: Criteria) -> Found:
    """What there is to play. MarqueError: a word that means nothing, no folder, nothing in it."""
    load_platform(order.who.car)
    load_driver(order.who.driver)
    load_profile(order.who.sensors)
    need_pictures(order.pictures)
    found = find_cases(order.suite, criteria.drawing, order.everything, order.concrete)
    if not order.only:
        return found
    kept = tuple(item for item in found.items if order.only in item.name)
    if not kept:
        raise MarqueError(f"no case of {order.suite} has '{order.only}' in its name")
    return replace(found, items=kept)


def run(order: Order, criteria: Criteria, found: Found, done: Done) -> dict[str, Any]:
    """Plays what the journal does not hold yet; the report.

    MarqueError: the journal belongs to another run, or a folder that cannot be written.
    """
    began = time.perf_counter()
    head = {"schema": SCHEMA, "program": program_hash(), **asdict(order.who)}
    jobs = {item.name: Job(item, order.who, order.out, order.pictures) for item in found.items}
    journal = Journal(order.out, head, order.again)
    rows = play_missing(journal, jobs, play_one, order.workers, done)
    wall_s = time.perf_counter() - began
    return report(order, criteria, found, rows, wall_s)


def play_one(job: Job) -> dict[str, Any]:
    """One case as a row of the report; what cannot be played is one, too."""
    item, criteria = job.item, _criteria()
    ruling = criteria.ruling(item.scenario)
    row: dict[str, Any] = {
        "case": item.name,
        "scenario": ruling.number or item.scenario.stem,
        "file": str(item.scenario),
        "variation": None if item.variation is None else str(item.variation),
        "given": dict(item.given),
        "clause": ruling.clause,
    }
    if item.refused:
        return {**row, "verdict": UNSUPPORTED, "why": item.refused}
    began = time.process_time()
    try:
        played = drive(item.scenario, dict(item.given), job.who, ruling.longest_s)
        judged = judge(played, ruling)
    except MarqueError as error:
        return {**row, "verdict": UNSUPPORTED, "why": str(error)}
    except Exception as error:  # a driver that raises is a result, not an end of the suite
        return {**row, "verdict": FAILED, "why": f"broken off: {type(error).__name__}: {error}"}
    cpu_s = round(time.process_time() - began, 2)
    return {**row, **told(judged), "picture": _picture(job, played, judged), "cpu_s": cpu_s,
            "again": case_command(item.scenario, item.given)}  # fmt: skip


@lru_cache(maxsize=1)
def _criteria() -> Criteria:
    """Read once in each process."""
    return read_criteria()


def told(judged: Judged) -> dict[str, Any]:
    """The verdict as plain data; `why` names what is not met."""
    broken = [mark for mark in judged.marks if not mark.met]
    worst = broken[0] if broken else judged.marks[0]
    return {
        "verdict": judged.verdict,
        "why": "; ".join(
            f"{m.name} ({m.clause}): {m.margin:g} {m.unit}{f', {m.words}' if m.words else ''}"
            for m in broken or [m for m in judged.marks if m.words]
        ),
        "margin": worst.margin,
        "unit": worst.unit,
        "criteria": [
            {"name": m.name, "clause": m.clause, "met": m.met, "margin": m.margin, "unit": m.unit}
            for m in judged.marks
        ],
        "worst_s": round(0.1 * judged.frame, 1),
        **judged.facts,
    }


def _picture(job: Job, played: Played, judged: Judged) -> str | None:
    plain = judged.verdict == PASSED and job.item.variation is not None
    if job.pictures == "none" or (job.pictures == "some" and plain):
        return None
    stem = job.item.scenario.stem.removesuffix("_template")
    path = job.out / f"{slug((stem, *(Path(v).stem for _, v in job.item.given)))}.png"
    drive_picture(played.episode, path, min(judged.frame, len(played.episode.ticks) - 1))
    return str(path)


# The report -------------------------------------------------------------------------------------


def report(
    order: Order,
    criteria: Criteria,
    found: Found,
    rows: Sequence[Mapping[str, Any]],
    wall_s: float,
) -> dict[str, Any]:
    """The whole run as one object."""
    counts = _counts(rows)
    return {
        "schema": SCHEMA,
        **counts,
        "suite": str(order.suite),
        **asdict(order.who),
        "market": "un_r157",
        "everything": order.everything,
        "concrete": order.concrete,
        "only": order.only,
        "criteria": {
            name: {"clause": c.clause, "text": c.text, "read": c.read, **c.values}
            for name, c in criteria.criteria.items()
        },
        "drawing": asdict(criteria.drawing),
        "scenarios": list(_groups(rows)),
        "variations": list(found.variations),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(sum(float(row.get("cpu_s", 0.0)) for row in rows), 1),
        "simulated_s": round(sum(float(row.get("duration_s", 0.0)) for row in rows), 1),
        "cases": list(rows),
    }


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Mitigated ones have passed, and are told beside."""
    tally = dict.fromkeys((PASSED, MITIGATED, FAILED, UNSUPPORTED), 0)
    for row in rows:
        tally[row["verdict"]] += 1
    return {
        "played": len(rows) - tally[UNSUPPORTED],
        "passed": tally[PASSED] + tally[MITIGATED],
        "mitigated": tally[MITIGATED],
        "failed": tally[FAILED],
        "unsupported": tally[UNSUPPORTED],
    }


def _groups(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """By scenario and whether it is a variation, in the order of the cases."""
    kinds = dict.fromkeys((row["scenario"], row["variation"]) for row in rows)
    for scenario, variation in kinds:
        mine = [r for r in rows if (r["scenario"], r["variation"]) == (scenario, variation)]
        worst = min((r for r in mine if "margin" in r), key=lambda r: r["margin"], default=None)
        yield {
            "scenario": scenario,
            "variation": None if variation is None else Path(variation).name,
            "cases": len(mine),
            **_counts(mine),
            "clause": mine[0]["clause"],
            "worst_margin": None if worst is None else worst["margin"],
            "worst_case": None if worst is None else worst["case"],
        }


def has_passed(result: Mapping[str, Any]) -> bool:
    """Whether everything was played, and nothing failed."""
    return not result["failed"] and not result["unsupported"]


def short(item_name: str) -> str:
    """A case's scenario number, for a progress bar."""
    return number_of(Path(item_name.split(":")[0])) or Path(item_name).stem
