"""Brands side by side: the same trips and seeds, driven by each, and how alike they are.

Each trip of a brand is one line of a journal; a run that was stopped goes on there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.maps.trips import Trip, draw_trips
from marque.metrics.character import GROUPS, Motion, fingerprint, motion, windows
from marque.metrics.trace import make_trace
from marque.prove.brands.guard_same import guard_digest
from marque.prove.brands.told_apart import accuracy, need_classifier
from marque.prove.city import program_hash
from marque.prove.verdicts import Done, Journal, play_missing
from marque.sim.judged import judged
from marque.sim.order import Order, drive_out, open_ground, prepare
from marque.vehicle.brand import load_brand
from marque.vehicle.catalog import load_platform

SCHEMA = "marque.brand.compare/1"
COLUMNS = ("speed_mps", "accel_mps2", "jerk_mps3", "gap_m", "closing_mps", "offset_m")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be compared: `routes` trips on each map, with each car, by each brand."""

    order: Order
    brands: tuple[str, ...]
    maps: tuple[str, ...]
    cars: tuple[str, ...]
    routes: int
    out: Path
    workers: int = 1
    again: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One trip of one brand, for a worker."""

    name: str
    order: Order
    trip: Trip


def check(asked: Comparison) -> None:
    """MarqueError: fewer than two brands, one twice, an unknown one, an unknown car, no
    classifier."""
    if len(asked.brands) < 2 or len(set(asked.brands)) < len(asked.brands):
        raise MarqueError("a comparison takes two or more brands, each once")
    for name in asked.brands:
        load_brand(name)
    for car in asked.cars:
        load_platform(car)
    need_classifier()


def jobs_of(asked: Comparison) -> dict[str, Job]:
    """All trips by name; the same trips for each brand."""
    found = {}
    for place in asked.maps:
        order = replace(asked.order, map_name=place)
        ground = open_ground(order)
        trips = draw_trips(ground.road_map, order.seed, asked.routes, order.min_length_m)
        for car in asked.cars:
            for number, trip in enumerate(trips):
                for brand in asked.brands:
                    name = "/".join((Path(place).stem, Path(car).stem, f"t{number:02d}", brand))
                    found[name] = Job(name, replace(order, car=car, brand=brand), trip)
    return found


def play(job: Job) -> dict[str, Any]:
    """One trip as a row of the journal."""
    place, car, trip, brand = job.name.split("/")
    row: dict[str, Any] = {"case": job.name, "map": place, "car": car, "trip": trip, "brand": brand}
    try:
        ready = prepare(job.order, open_ground(job.order), job.trip)
        episode, names = drive_out(ready)
    except MarqueError as error:
        return {**row, "failed": str(error)}
    moved = motion(make_trace(episode), ready.setup.index)
    numbers = judged(episode, ready.setup.index, None, names).numbers
    return {
        **row,
        "failed": "",
        "arrived": numbers["arrived"],
        "collisions_at_fault": numbers["collisions_at_fault"],
        "duration_s": numbers["duration_s"],
        "distance_m": numbers["distance_m"],
        "comfort": numbers["comfort"],
        "motion": {name: _short(getattr(moved, name)) for name in COLUMNS},
        "guard": guard_digest(ready.setup),
    }


def run(asked: Comparison, done: Done) -> dict[str, Any]:
    """All trips, and what they say. MarqueError: as in `check`; the journal is of another run."""
    check(asked)
    jobs = jobs_of(asked)
    head = {
        "schema": SCHEMA, "program": program_hash(), "order": asdict(asked.order),
        "brands": list(asked.brands), "maps": list(asked.maps), "cars": list(asked.cars),
        "routes": asked.routes,
    }  # fmt: skip
    journal = Journal(asked.out, head, asked.again)
    return report(asked, play_missing(journal, jobs, play, asked.workers, done))


def report(asked: Comparison, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result object."""
    driven = [row for row in rows if not row["failed"]]
    seen, brand, trip, car, place = [], [], [], [], []
    moved = [moved_of(row) for row in driven]
    for row, motion_of in zip(driven, moved, strict=True):
        for part in windows(motion_of):
            seen.append(part)
            brand.append(row["brand"])
            trip.append(f"{row['map']}/{row['trip']}")
            car.append(row["car"])
            place.append(row["map"])
    prints = {
        name: fingerprint(
            [m for row, m in zip(driven, moved, strict=True) if row["brand"] == name] or [NOTHING]
        )
        for name in asked.brands
    }
    offsets = [each["lane_offset_p50_m"] for each in prints.values()]
    return {
        "schema": SCHEMA,
        "classifier_accuracy": _told(accuracy(seen, brand, trip)),
        "classifier_accuracy_by_car": _told(accuracy(seen, brand, car)),
        "classifier_accuracy_by_map": _told(accuracy(seen, brand, place)),
        "classifier_without": {
            group: _told(accuracy(seen, brand, trip, group)) for group in GROUPS
        },
        "chance": round(1.0 / len(asked.brands), 4),
        "windows": len(seen),
        "lane_bias_apart_m": _told(max(offsets) - min(offsets)),
        "guard_identical": bool(driven) and _guard_identical(driven),
        "fingerprints": {
            name: {key: _told(value) for key, value in each.items()}
            for name, each in prints.items()
        },
        "trips": [
            {key: value for key, value in row.items() if key not in ("motion", "guard")}
            for row in rows
        ],
    }


def _guard_identical(driven: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each car's guard said the same under all brands."""
    told: dict[str, set[str]] = {}
    for row in driven:
        told.setdefault(row["car"], set()).add(row["guard"])
    return all(len(each) == 1 for each in told.values())


def moved_of(row: Mapping[str, Any]) -> Motion:
    """The motion that a row of the journal keeps."""
    kept = row["motion"]
    return Motion(*(
        np.array([math.nan if v is None else v for v in kept[name]], np.float64) for name in COLUMNS
    ))  # fmt: skip


NOTHING = Motion(*(np.zeros(0) for _ in COLUMNS))


def _short(values: Any) -> list[float | None]:
    return [None if math.isnan(v) else round(v, 3) for v in values.tolist()]


def _told(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
