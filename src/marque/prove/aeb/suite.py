"""The suite: every case played and judged, one journal line for each as it is done."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.draw.picture import drive_picture
from marque.prove.aeb.cases import Item, find_cases
from marque.prove.aeb.criteria import FOLDER, Criteria, read_criteria
from marque.prove.aeb.judge import Judged, judge
from marque.prove.aeb.play import Played, Who, drive
from marque.prove.city import program_hash
from marque.prove.verdicts import (
    FAILED,
    PASSED,
    UNSUPPORTED,
    Done,
    Journal,
    case_command,
    counts,
    digest_of,
    need_pictures,
    play_missing,
    slug,
)
from marque.sensing.profile import load_profile
from marque.sim.drive import load_driver
from marque.sim.guarded import NOBODY
from marque.vehicle.catalog import load_platform

R152_FOLDER = FOLDER / "r152"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be proved. name: of the criteria; out: folder of the journal and the pictures;
    pictures: of no case, of files as they stand and what failed, or all."""

    name: str
    suite: Path
    out: Path
    who: Who
    concrete: bool = False
    only: str = ""
    workers: int = 1
    pictures: str = "some"
    again: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One case for a worker."""

    suite: str
    item: Item
    who: Who
    out: Path
    pictures: str


def plan(order: Order) -> list[Item]:
    """What there is to play. MarqueError: a word that means nothing, no folder, nothing in it."""
    platform = load_platform(order.who.car)
    load_profile(order.who.sensors)
    if order.who.driver != NOBODY:
        load_driver(order.who.driver)
    need_pictures(order.pictures)
    items = find_cases(order.suite, _criteria(order.name), platform, order.concrete)
    kept = [item for item in items if order.only in item.name or order.only in item.identity]
    if not kept:
        raise MarqueError(f"no case of {order.suite} has '{order.only}' in its name")
    return kept


def run(order: Order, items: Sequence[Item], done: Done) -> dict[str, Any]:
    """Plays what the journal does not hold yet; the report.

    MarqueError: the journal belongs to another run, or a folder that cannot be written.
    """
    began = time.perf_counter()
    head = {
        "schema": _criteria(order.name).schema,
        "program": program_hash(),
        "files": digest_of(order.suite),
        **asdict(order.who),
    }
    jobs = {
        item.name: Job(order.name, item, order.who, order.out, order.pictures) for item in items
    }
    journal = Journal(order.out, head, order.again)
    rows = play_missing(journal, jobs, play_one, order.workers, done)
    return report(order, rows, time.perf_counter() - began)


def play_one(job: Job) -> dict[str, Any]:
    """One case as a row of the report; what cannot be played is one, too."""
    item, criteria = job.item, _criteria(job.suite)
    ruling = criteria.ruling(item.identity)
    row: dict[str, Any] = {
        "case": item.name,
        "scenario": ruling.name,
        "identity": item.identity,
        "file": str(item.scenario),
        "source": item.source,
        "given": dict(item.given),
        "clause": ruling.clause,
        "obstructed": ruling.obstructed,
    }
    if item.refused:
        return {**row, "verdict": UNSUPPORTED, "why": item.refused}
    began = time.process_time()
    try:
        played = drive(item.scenario, dict(item.given), job.who)
        judged = judge(played.driven, ruling, criteria)
    except MarqueError as error:
        return {**row, "verdict": UNSUPPORTED, "why": str(error)}
    except (ArithmeticError, LookupError, ValueError) as error:  # a driver's own fault
        return {**row, "verdict": FAILED, "why": f"broken off: {type(error).__name__}: {error}"}
    told_ = told(judged)
    return {
        **row, **told_, "by": played.by, "end": played.episode.end,
        "picture": _picture(job, played, judged),
        "cpu_s": round(time.process_time() - began, 2),
        "again": case_command(item.scenario, item.given),
    }  # fmt: skip


def told(judged: Judged) -> dict[str, Any]:
    """The verdict as plain data; `why` names what is not met."""
    broken = [mark for mark in judged.marks if not mark.met]
    first = (broken or judged.marks)[0]
    return {
        "verdict": judged.verdict,
        "why": "; ".join(
            f"{m.name}: {m.margin:g} {m.unit}{f', {m.words}' if m.words else ''}" for m in broken
        ),
        "margin": first.margin,
        "unit": first.unit,
        "criteria": [asdict(mark) for mark in judged.marks],
        "worst_s": round(0.1 * judged.frame, 1),
        **judged.facts,
    }


def _picture(job: Job, played: Played, judged: Judged) -> str | None:
    plain = judged.verdict == PASSED and job.item.source != ""
    if job.pictures == "none" or (job.pictures == "some" and plain):
        return None
    words = [job.item.identity, job.item.scenario.stem, *(value for _, value in job.item.given)]
    path = job.out / f"{slug(words)}.png"
    drive_picture(played.episode, path, min(judged.frame, len(played.episode.ticks) - 1))
    return str(path)


@lru_cache(maxsize=4)
def _criteria(name: str) -> Criteria:
    """Read once in each process."""
    return read_criteria(name)


def report(order: Order, rows: Sequence[Mapping[str, Any]], wall_s: float) -> dict[str, Any]:
    """The whole run as one object."""
    criteria = _criteria(order.name)
    tally = counts(rows)
    label, tolerance, bands = criteria.colours
    return {
        "schema": criteria.schema,
        **tally,
        "title": criteria.title,
        "suite": str(order.suite),
        **asdict(order.who),
        "concrete": order.concrete,
        "only": order.only,
        "passed_all": not tally[FAILED] and not tally[UNSUPPORTED],
        "colours": {
            "label": label,
            "tolerance_kph": tolerance,
            "bands": [asdict(band) for band in bands],
        },
        "scenarios": list(_groups(rows, criteria)),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(sum(float(row.get("cpu_s", 0.0)) for row in rows), 1),
        "cases": list(rows),
    }


def _groups(rows: Sequence[Mapping[str, Any]], criteria: Criteria) -> Iterator[dict[str, Any]]:
    """By scenario, in the order of the cases."""
    for name in dict.fromkeys(row["scenario"] for row in rows):
        mine = [row for row in rows if row["scenario"] == name]
        ruling = criteria.ruling(mine[0]["identity"])
        played = [row for row in mine if row["verdict"] != UNSUPPORTED and "margin" in row]
        worst = min(played, key=lambda row: row["margin"], default=None)
        colours = [row["colour"] for row in played if row["colour"] is not None]
        yield {
            "scenario": name,
            "title": ruling.title,
            "clause": ruling.clause,
            "read": ruling.read,
            "cases": len(mine),
            **counts(mine),
            "impacts": sum(row["impact_speed_kph"] > 0.0 for row in played),
            "worst_impact_kph": max((row["impact_speed_kph"] for row in played), default=None),
            "worst_margin": None if worst is None else worst["margin"],
            "worst_case": None if worst is None else worst["case"],
            "colours": {colour: colours.count(colour) for colour in dict.fromkeys(colours)},
        }
