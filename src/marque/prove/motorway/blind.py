"""The motorway suite for a car without a map: how well it keeps its lane, at three densities.

A trip begins at rest in a lane of a drawn motorway and goes on in it for some kilometres. The lane
is drawn among those that go on for so long: this car changes none, and one that ends is for the
person to leave.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.maps.trips import Trip
from marque.prove.city import Tell, drive_jobs, named
from marque.prove.motorway.demand import DENSITIES, Density
from marque.prove.motorway.draw import LEAD_M, draw_motorway
from marque.prove.motorway.suite import (
    Planned,
    Suite,
    by_density,
    driven,
    need_km,
    plan_of,
    staged,
    words_of,
)
from marque.prove.totals import totals
from marque.prove.trip import Job
from marque.sim.drive import LENGTH_DRIVEN
from marque.sim.no_map import BEGIN_M, blind_trip, reaches
from marque.sim.order import Ground, Progress, open_ground, prepare
from marque.types.road_map import RoadMap

LEAST_KM, MOST_KM = 0.5, 5.0  # of a trip
DRAW = 0xB11D


def run_blind(
    suite: Suite, tell: Tell | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Drive what is missing and add up. The object that `--json` writes, less its command.

    MarqueError: bad words, a folder of another suite, or a folder that cannot be written.
    """
    need_km(suite.km)
    planned = plan_blind(suite, progress)
    plan = plan_of(suite) | {"schema": "marque.prove.motorway.no_map.plan/1", "km": suite.km}
    drive_jobs([p.job for p in planned], suite.out, plan, suite.workers, suite.again, tell)
    return add_up(suite, planned)


def plan_blind(suite: Suite, progress: Progress | None = None) -> list[Planned]:
    """All trips, a third of the way at each density."""
    planned: list[Planned] = []
    share = suite.km / len(DENSITIES)
    trips = max(1, round(share / MOST_KM))
    km = max(LEAST_KM, min(MOST_KM, share / trips))
    for number, density in enumerate(DENSITIES):
        for _, row in zip(range(trips), _trips(suite, number, density, km), strict=False):
            planned.append(row)
            if progress is not None:
                progress(f"drawing roads: {len(planned)} trips")
    return planned


def _trips(suite: Suite, number: int, density: Density, km: float) -> Iterator[Planned]:
    """Trips at one density, one on each motorway, without end."""
    for serial in count():
        place = len(DENSITIES) * serial + number
        motorway = draw_motorway(suite.seed, place)
        order = replace(staged(suite, motorway, density, place), no_map=True, km=km)
        ground = open_ground(order)
        trip = _trip(ground, motorway.main, suite.seed, place, 1000.0 * km)
        name = f"s{suite.seed}-{density.name}-t{serial:03d}"
        job = Job(name, place, order, trip, str(suite.out / f"{name}.json"))
        prepare(order, ground, trip)
        yield Planned(job, density.name, 1000.0 * km)


def _trip(ground: Ground, main: Sequence[str], seed: int, place: int, length_m: float) -> Trip:
    """A lane of the motorway that goes on for the length. MarqueError: there is none."""
    rng = np.random.Generator(np.random.PCG64([seed, place, DRAW]))
    starts = list(_starts(ground.road_map, main, length_m))
    if not starts:
        raise MarqueError(f"no lane of a drawn motorway goes on for {length_m / 1000.0:g} km")
    lane, s_m = starts[int(rng.integers(len(starts)))]
    return blind_trip(ground.road_map, lane, s_m, length_m)


def _starts(road_map: RoadMap, main: Sequence[str], length_m: float) -> Iterator[tuple[int, float]]:
    """Where a trip may begin: once traffic has found its lanes, so far along every lane."""
    for k, edge in enumerate(main):
        at = 0.5 * LEAD_M if k == 0 else BEGIN_M
        for lane in np.flatnonzero(road_map.lane_edge == road_map.edge_name.index(edge)).tolist():
            if float(road_map.lane_length_m[lane]) > 2.0 * at and reaches(
                road_map, lane, at, length_m
            ):
                yield lane, at


# ------------------------------------------------------------------ adding up


def add_up(suite: Suite, planned: Sequence[Planned]) -> dict[str, Any]:
    """The result object from the trip files."""
    found = driven(planned)
    records = [record for _, record in found]
    sums = totals(records)
    keeping = keeping_sums(records)
    return {
        "schema": "marque.prove.motorway.no_map/1",
        "passed": sums["collisions_at_fault"] == 0
        and keeping["driven_to_the_end"] == len(planned)
        and keeping["off_lane_s"] == 0.0,
        **words_of(suite, records, "drawn motorways, unknown to the car"),
        **sums,
        **keeping,
        "densities": by_density(found, density_sums),
        **named(records, sums, []),
    }


def keeping_sums(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lane keeping over trips: rms by time, the greatest offset, times and counts."""
    kept = [r for r in records if r.get("keeping_s")]
    time_s = sum(r["keeping_s"] for r in kept)
    squares = sum(r["keeping_s"] * (r["lateral_rms_m"] or 0.0) ** 2 for r in kept)
    off_s = sum(r["off_lane_s"] for r in kept)
    return {
        "driven_to_the_end": sum(r["end"] == LENGTH_DRIVEN for r in records),
        "lateral_rms_m": round((squares / time_s) ** 0.5, 4) if time_s else None,
        "lateral_max_m": max((r["lateral_max_m"] or 0.0 for r in kept), default=None),
        "off_lane_s": round(off_s, 3),
        "off_lane_share": round(off_s / time_s, 6) if time_s else None,
        "lanes_left": sum(r["lanes_left"] for r in kept),
        "takeovers": sum(r["takeovers"] for r in kept),
        "mean_kph": mean_kph(records),
    }


def mean_kph(records: Sequence[Mapping[str, Any]]) -> float | None:
    """Way over time, standing starts included."""
    time_s = sum(r["duration_s"] for r in records)
    return round(3.6 * sum(r["distance_m"] for r in records) / time_s, 2) if time_s else None


KEPT = (
    "routes", "distance_km", "collisions_at_fault", "stuck", "needless_hard_braking",
    "guard_interventions",
)  # fmt: skip


def density_sums(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers of one density, fresh from its own trips."""
    sums = totals(records)
    return {name: sums[name] for name in KEPT} | keeping_sums(records)
