"""The cut-in suite: every case of the grid with the guard alone, beside four reference models."""

import csv
import io
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.guard import path as paths
from marque.guard import watch
from marque.prove.cut_in import driven, models
from marque.prove.cut_in.grid import FIELDS, GRIDS, Cases, drawn
from marque.prove.cut_in.play import KINDS, REFERENCE, STEP_S, TOUCH_M, Platform, meets, play_all
from marque.prove.cut_in.ticked import Compared, compare, platform_of
from marque.sensing.equipment import Equipment
from marque.sensing.profile import load_profile
from marque.sim.drive import load_driver
from marque.vehicle.catalog import load_platform

SCHEMA = "marque.prove.cut_in/1"
HARD_MPS2 = 4.0
PREVENTABLE, ALL = 27535, 29970
MUST = {"preventable": 150 / PREVENTABLE, "all": 1200 / ALL, "hard": 0.20}
NOISY = 1.5  # with a sensor profile, the bars are so much higher
NEAR_SHARE = 0.003  # our reference models are that close to the published counts
FINE_S = 0.02
TRACKED = 0.5  # what a tracker leaves of the errors of one scan of its best sensor
REFERENCE_NAME = "reference"
PARTS = 64


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    driver: str = "none"
    car: str = REFERENCE_NAME
    sensors: str = ""
    seed: int = 1
    workers: int = 2
    ticked: int = 300
    between: int = 0  # cases drawn between the points of the grid
    fine: bool = False
    drives: int = 60  # cases that a driver meets, if one is named
    seeds: int = 1  # how often noise is drawn, from `seed` on


def run(
    order: Order, cases: Cases, cases_file: Path | None, done: Callable[[float, str], None]
) -> dict[str, Any]:
    """The report. MarqueError: unknown driver, car or profile, or what cannot be combined."""
    car, noise = _car(order), _noise(order)
    if order.driver != "none":
        load_driver(order.driver)
        if order.sensors:
            raise MarqueError("--sensors is for the guard alone: with it, --driver none")
    if order.seeds > 1 and not order.sensors:
        raise MarqueError("--seeds draws noise again: it takes --sensors PROFILE")
    began = time.perf_counter()
    step_s = STEP_S if order.car == REFERENCE_NAME else FINE_S
    rows = cases.rows()
    with _pool(order.workers) as each:
        got = _played(
            each, rows, car, step_s, noise, order.seed, lambda p: done(0.5 * p, "cut-ins")
        )
        played_s = time.perf_counter() - began
        told = np.concatenate(each(models.collide_all, np.array_split(rows, 8)))
        told_b: BoolArray = told > 0.5
        preventable = _preventable(cases, told_b)
        report = {
            "schema": SCHEMA,
            "driver": order.driver,
            "car": order.car,
            "platform": car._asdict(),
            "sensors": order.sensors,
            "seed": order.seed,
            "source": cases.source,
            "step_s": step_s,
            **_counts(cases, got, preventable),
            "grids": {
                name: _counts(cases.of(part), got[part], preventable[part])
                for name, part in _parts(cases)
            },
            "models": _models(cases, told_b),
        }
        if order.fine and order.car == REFERENCE_NAME:
            fine = _played(each, rows, car, FINE_S, noise, order.seed, lambda p: None)
            report["fine"] = {"step_s": FINE_S, **_counts(cases, fine, preventable)}
        if order.between > 0:
            report["between"] = _between(each, order, car, step_s, noise)
        if order.seeds > 1:
            report["seeds"] = [{"seed": order.seed, **_counts(cases, got, preventable)}]
            for seed in range(order.seed + 1, order.seed + order.seeds):
                again = _played(each, rows, car, step_s, noise, seed, lambda p: None)
                report["seeds"].append({"seed": seed, **_counts(cases, again, preventable)})
    if order.driver != "none":
        report["driven"] = _driven(order, cases, preventable, lambda p: done(0.5, "driven"))
    report["remaining"] = _remaining(cases, got, preventable)
    report["ticked"] = _ticked(order, rows, car, lambda p: done(0.5 + 0.5 * p, "through the tick"))
    report["passed"] = passed(report)
    report["played_s"] = round(played_s, 1)
    report["wall_s"] = round(time.perf_counter() - began, 1)
    if cases_file is not None:
        write_text(cases_file, table_of(cases, got))
    return report


def passed(report: dict[str, Any]) -> bool:
    """Whether the bars are met, as shares, so that they hold for a part of the grid, too."""
    more = NOISY if report["sensors"] else 1.0
    met = all(_met(row, more) for row in report.get("seeds", [report]))
    whole = report["cases"] == ALL  # the published counts are of the whole grid
    models_hold = not whole or all(r.get("off", 0.0) <= NEAR_SHARE for r in report["models"])
    ticked = report["ticked"]
    if "driven" in report:
        few = MUST["preventable"] * report["driven"]["preventable"]
        met = met and report["driven"]["preventable_collisions"] <= few
    return met and models_hold and (ticked is None or not ticked["differ"])


def _met(row: dict[str, Any], more: float) -> bool:
    """Whether counts are within the bars, which are `more` times as high."""
    return bool(
        row["preventable_collisions"] <= more * MUST["preventable"] * row["preventable"]
        and row["collisions"] <= more * MUST["all"] * row["cases"]
        and row["hard_share"] <= more * MUST["hard"]
    )


def _car(order: Order) -> Platform:
    if order.car == REFERENCE_NAME:
        return REFERENCE
    p = load_platform(order.car)
    late_s = p.brake.dead_s + p.brake.lag_s
    steps = np.ceil(late_s / FINE_S - 1e-6)
    if steps >= watch.ASKED:
        raise MarqueError(f"car '{order.car}' brakes {late_s:.2f} s late; the suite takes 0.6 s")
    return Platform(float(steps * FINE_S), p.brake.rate, p.max_brake_mps2)


def _noise(order: Order) -> tuple[float, float, float, float]:
    """Sigmas of object states: those of the profile's best sensor with speeds, tracked."""
    if not order.sensors:
        return (0.0, 0.0, 0.0, 0.0)
    profile = load_profile(order.sensors)
    if not isinstance(profile, Equipment):
        return (0.0, 0.0, 0.0, 0.0)
    lidars = [s for s in profile.sensor if s.kind == "lidar"]
    best = min(lidars or profile.sensor, key=lambda s: s.along_sigma_m)
    speed = best.speed_sigma_mps
    return (
        TRACKED * best.along_sigma_m, TRACKED * best.across_sigma_m,
        TRACKED * speed, TRACKED * speed,
    )  # fmt: skip


def _parts(cases: Cases) -> list[tuple[str, BoolArray]]:
    parts = [(name, cases.high == (name == "high")) for name in GRIDS]
    return [(name, part) for name, part in parts if part.any()]


def _preventable(cases: Cases, told: BoolArray) -> BoolArray:
    """[n] what the careful human or the fuzzy model avoids: as published, else as computed."""
    by = told if cases.published is None else cases.published
    out: BoolArray = ~(by[:, models.HUMAN] & by[:, models.FUZZY])
    return out


Each = Callable[..., list[Any]]


class _pool:
    """`each(function, items)` over processes; in this one if there is only one."""

    def __init__(self, workers: int) -> None:
        self.pool: ProcessPoolExecutor | None = None
        if workers > 1:
            fresh = multiprocessing.get_context("spawn")
            self.pool = ProcessPoolExecutor(workers, mp_context=fresh)

    def __enter__(self) -> Each:
        def each(function: Callable[..., Any], items: Any) -> list[Any]:
            return list(self.pool.map(function, items) if self.pool else map(function, items))

        return each

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Part:
    rows: FloatArray
    car: Platform
    step_s: float
    noise: tuple[float, float, float, float]
    seed: int


def _play(part: _Part) -> FloatArray:
    straight = paths.arc(0.0, 0.0, 0.0, 0.0)
    timing = (part.step_s, round(STEP_S / part.step_s))
    return play_all(part.rows, part.car.numbers(), timing, part.noise, part.seed, straight)


def _played(
    each: Each,
    rows: FloatArray,
    car: Platform,
    step_s: float,
    noise: tuple[float, float, float, float],
    seed: int,
    done: Callable[[float], None],
) -> FloatArray:
    """[n, 5] of `play` for all rows; every PARTS-th case is one part, so parts last alike."""
    count = min(PARTS, len(rows))
    _play(_Part(rows[:1], car, step_s, noise, seed))  # compiles before the workers look for it
    out = np.empty((len(rows), 5))
    whole = [_Part(rows[k::count], car, step_s, noise, seed) for k in range(count)]
    for k, part in enumerate(each(_play, whole)):
        out[k::count] = part
        done((k + 1) / count)
    return out


def _counts(cases: Cases, got: FloatArray, preventable: BoolArray) -> dict[str, Any]:
    hits: BoolArray = got[:, 0] > 0.5
    return {
        "cases": cases.count,
        "preventable": int(preventable.sum()),
        "collisions": int(hits.sum()),
        "preventable_collisions": int((hits & preventable).sum()),
        "hard_share": float((got[:, 1] > HARD_MPS2 + 1e-9).mean()),
        "braked_share": float(np.isfinite(got[:, 2]).mean()),
        "contacts": {KINDS[k]: int((got[:, 0] == k).sum()) for k in range(1, len(KINDS))},
    }


def _models(cases: Cases, told: BoolArray) -> list[dict[str, Any]]:
    out = []
    for k, name in enumerate(models.NAMES):
        row: dict[str, Any] = {"model": name, "collisions": int(told[:, k].sum())}
        if cases.published is not None:
            published = cases.published[:, k]
            row["published"] = int(published.sum())
            row["off"] = abs(row["collisions"] - row["published"]) / cases.count
            row["agree"] = float((published == told[:, k]).mean())
        out.append(row)
    return out


def _between(
    each: Each,
    order: Order,
    car: Platform,
    step_s: float,
    noise: tuple[float, float, float, float],
) -> dict[str, Any]:
    """Cases between the points of the grid, preventable by our own models."""
    cases = drawn(order.between, order.seed)
    rows = cases.rows()
    got = _played(each, rows, car, step_s, noise, order.seed, lambda p: None)
    told = models.collide_all(rows) > 0.5
    return {"source": cases.source, **_counts(cases, got, _preventable(cases, told))}


def _driven(
    order: Order, cases: Cases, preventable: BoolArray, done: Callable[[float], None]
) -> dict[str, Any]:
    """Some cases with a driver at the wheel, and those of them that end in contact."""
    some = driven.chosen(order.drives, cases.count, order.seed)
    rows = cases.rows()[some]
    own = order.car == REFERENCE_NAME
    platform = platform_of(REFERENCE) if own else load_platform(order.car)
    found = driven.drive_all(rows, order.driver, platform, order.seed, done)
    hits = [
        dict(zip(FIELDS, cases.fields[i].tolist(), strict=True))
        | {"preventable": bool(preventable[i]), "peak_brake_mps2": round(peak, 3)}
        for i, (hit, peak) in zip(some, found, strict=True)
        if hit
    ]
    return {**driven.told(found, preventable[some], HARD_MPS2), "hits": hits}


def _remaining(cases: Cases, got: FloatArray, preventable: BoolArray) -> list[dict[str, Any]]:
    """The preventable collisions, each with what is known of it."""
    out = []
    for i in np.flatnonzero((got[:, 0] > 0.5) & preventable).tolist():
        row: dict[str, Any] = dict(zip(FIELDS, cases.fields[i].tolist(), strict=True))
        out.append(row | _outcome(got[i]) | {"reason": _reason(cases.rows()[i], got[i])})
    return out


def _reason(case: FloatArray, got: FloatArray) -> str:
    """Why a preventable case ended in contact, from what constant speed would have done."""
    braked = bool(np.isfinite(got[2]))
    v, f, gap, lateral = case[:4].tolist()
    if not meets((v, f, gap, lateral), -TOUCH_M):
        return "braked; going on would have passed" if braked else "not braked; touches by rounding"
    return "braked too late or too little" if braked else "not braked; going on does not pass"


def _outcome(got: FloatArray) -> dict[str, Any]:
    first, least = float(got[2]), float(got[3])
    return {
        "contact": KINDS[int(got[0])],
        "peak_brake_mps2": round(float(got[1]), 3),
        "first_braking_s": round(first, 3) if np.isfinite(first) else None,
        "least_gap_m": round(least, 3) if np.isfinite(least) else None,
        "rule": watch.RULES[int(got[4])],
    }


def table_of(cases: Cases, got: FloatArray) -> str:
    """One line per case, CSV."""
    text = io.StringIO()
    extra = ("peak_brake_mps2", "first_braking_s", "least_gap_m", "contact", "rule")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("grid", *FIELDS, "collides", *extra))
    for i in range(cases.count):
        told = _outcome(got[i])
        values = ["" if told[name] is None else told[name] for name in extra]
        grid = GRIDS[int(cases.high[i])]
        fields = [f"{value:g}" for value in cases.fields[i].tolist()]
        writer.writerow((grid, *fields, int(got[i, 0] > 0.5), *values))
    return text.getvalue()


def _ticked(
    order: Order, rows: FloatArray, car: Platform, done: Callable[[float], None]
) -> dict[str, Any] | None:
    """Random cases through the tick; None where none is asked for, or the steps differ."""
    if order.ticked == 0 or order.car != REFERENCE_NAME or order.sensors:
        return None
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([order.seed, 300])))
    chosen = rng.choice(len(rows), min(order.ticked, len(rows)), replace=False)
    found: list[Compared] = []
    for k, i in enumerate(chosen.tolist()):
        found.append(compare(rows[i], car))
        done((k + 1) / len(chosen))
    return {
        "cases": len(found),
        "worst_mps2": max((each.worst_mps2 for each in found), default=0.0),
        "differ": [
            {"case": each.number, "grid": each.grid, "tick": each.tick, "mps2": each.worst_mps2}
            for each in found
            if not each.same
        ],
    }
