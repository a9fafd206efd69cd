"""The motorway suite: K kilometres on drawn motorways, a third at each density, each trip beside
SUMO's own driver on the same way at the same hour.

A trip begins at rest on a ramp, merges, drives some kilometres and leaves at a given exit. Roads,
demand and trips follow from the seed; a longer run holds the trips of a shorter one.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.maps.check import check_map, faulty_junctions
from marque.maps.field import route_length_m
from marque.maps.trips import Trip
from marque.prove.city import (
    Tell,
    drive_jobs,
    named,
    passed,
    program_hash,
    read_trip,
    traffic_of,
)
from marque.prove.motorway.demand import DENSITIES, Density, stage_motorway
from marque.prove.motorway.draw import Motorway, OffRamp, OnRamp, draw_motorway
from marque.prove.roads import lane_name
from marque.prove.totals import totals
from marque.prove.trip import Job
from marque.sim.order import Order, Progress, open_ground, prepare
from marque.sim.worlds.sumo_spec import sumo_version
from marque.types.road_map import RoadMap
from marque.vehicle.catalog import load_platform

MOST_KM = 100_000.0
TRIPS_PER_ROAD = 3
LEAST_M, MOST_M = 2500.0, 9000.0  # between the ramps of a trip
START_M, GOAL_SHARE = 25.0, 0.75  # on the ramp where a trip begins; of the ramp where it ends


@dataclass(frozen=True, slots=True)
class Suite:
    """What is to be proved. `order` holds driver, car and sensors alone."""

    order: Order
    km: float
    seed: int
    workers: int
    out: Path
    again: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A trip, its density, and how far it is."""

    job: Job
    density: str
    length_m: float


def run_motorway(
    suite: Suite, tell: Tell | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Drive what is missing and add up. The object that `--json` writes, less its command.

    MarqueError: bad words, a folder of another suite, or a folder that cannot be written.
    """
    need_km(suite.km)
    plan = plan_of(suite)
    planned, faulty = plan_trips(suite, progress)
    drive_jobs([p.job for p in planned], suite.out, plan, suite.workers, suite.again, tell)
    return add_up(suite, planned, faulty)


def need_km(km: float) -> None:
    """MarqueError unless it is a length to drive."""
    if not 0.0 < km <= MOST_KM:
        raise MarqueError(f"--km is {km:g}; it must be more than 0 and at most {MOST_KM:g}")


def plan_trips(suite: Suite, progress: Progress | None = None) -> tuple[list[Planned], list[str]]:
    """All trips, the densities in turn, and the faulty junctions of their roads."""
    planned: list[Planned] = []
    faulty: list[str] = []
    for number, density in enumerate(DENSITIES):
        left = 1000.0 * suite.km / len(DENSITIES)
        for row, bad in _trips(suite, number, density):
            planned.append(row)
            faulty += bad
            left -= row.length_m
            if progress is not None:
                progress(f"drawing roads: {len(planned)} trips")
            if left <= 0.0:
                break
    return planned, sorted(set(faulty))


def _trips(suite: Suite, number: int, density: Density) -> Iterator[tuple[Planned, list[str]]]:
    """Trips at one density, without end."""
    serial = count()
    for road in count():
        place = len(DENSITIES) * road + number
        motorway = draw_motorway(suite.seed, place)
        order = staged(suite, motorway, density, place)
        ground = open_ground(order)
        bad = [f"{place}:{name}" for name in faulty_junctions(check_map(ground.road_map))]
        for on, off in _ways(motorway, suite.seed, place):
            trip = _trip(motorway, ground.road_map, on, off)
            name = f"s{suite.seed}-{density.name}-t{next(serial):03d}"
            job = Job(
                name, place, order, trip, str(suite.out / f"{name}.json"),
                ((on.ramp, on.join, on.after),), ((off.beside, off.ramp, off.onward),),
            )  # fmt: skip
            ready = prepare(order, ground, trip)  # a wrong word fails here, not fifty times
            length = route_length_m(ground.road_map, ready.route, trip.start_lane, trip.start_s_m)
            yield Planned(job, density.name, length), bad


def staged(suite: Suite, motorway: Motorway, density: Density, place: int) -> Order:
    """What is driven on a motorway at a density."""
    return replace(
        suite.order,
        traffic=str(stage_motorway(motorway, density)),
        begin_s=density.begin_s,
        seed=1000 * suite.seed + place,
    )


def _ways(motorway: Motorway, seed: int, place: int) -> list[tuple[OnRamp, OffRamp]]:
    """Pairs of ramps for the trips on one motorway."""
    pairs = [
        (on, off)
        for on in motorway.on
        for off in motorway.off
        if LEAST_M <= off.at_m - on.at_m <= MOST_M
    ]
    draw = np.random.Generator(np.random.PCG64([seed, place, 0x7219]))
    chosen = draw.permutation(len(pairs))[:TRIPS_PER_ROAD]
    return [pairs[k] for k in chosen.tolist()]


def _trip(motorway: Motorway, road_map: RoadMap, on: OnRamp, off: OffRamp) -> Trip:
    start = road_map.lane_name.index(lane_name(motorway.roads, on.ramp, 0))
    goal = road_map.lane_name.index(lane_name(motorway.roads, off.ramp, 0))
    return Trip(start, START_M, goal, GOAL_SHARE * float(road_map.lane_length_m[goal]))


def plan_of(suite: Suite) -> dict[str, Any]:
    """Everything that two runs must share to share trips; a longer run goes on where this ended."""
    return {
        "schema": "marque.prove.motorway.plan/1",
        "seed": suite.seed,
        "driver": suite.order.driver,
        "car": suite.order.car,
        "sensors": suite.order.sensors,
        "platform": asdict(load_platform(suite.order.car)),
        "sumo": sumo_version(),
        "program": program_hash(),
    }


# ------------------------------------------------------------------ adding up


def add_up(suite: Suite, planned: Sequence[Planned], faulty: Sequence[str]) -> dict[str, Any]:
    """The result object from the trip files."""
    found = driven(planned)
    records = [record for _, record in found]
    sums = totals(records)
    motorway = motorway_sums(records)
    return {
        "schema": "marque.prove.motorway/1",
        "passed": passed(sums) and motorway_passed(motorway),
        **words_of(suite, records, "drawn motorways"),
        **sums,
        **motorway,
        "densities": by_density(found, density_sums),
        **named(records, sums, faulty),
    }


def driven(planned: Sequence[Planned]) -> list[tuple[Planned, dict[str, Any]]]:
    """Those that are finished, and their records."""
    return [(p, record) for p in planned if (record := read_trip(Path(p.job.file))) is not None]


def words_of(suite: Suite, records: Sequence[Mapping[str, Any]], map_words: str) -> dict[str, Any]:
    """What was driven by whom, in what."""
    return {
        "km": suite.km,
        "map": map_words,
        "traffic": traffic_of(records, suite.order),
        "driver": suite.order.driver,
        "car": suite.order.car,
        "sensors": suite.order.sensors,
        "seeds": [suite.seed],
    }


def by_density(
    found: Sequence[tuple[Planned, dict[str, Any]]],
    sums_of: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]],
) -> dict[str, Any]:
    """The sums of each density's own trips."""
    return {
        density.name: sums_of([r for p, r in found if p.density == density.name])
        for density in DENSITIES
    }


MERGES_LEAST, EXITS_MISSED_MOST, SPEED_LEAST = 0.98, 0.01, 0.90


def motorway_passed(sums: Mapping[str, Any]) -> bool:
    """The bars of a motorway, beyond those of a city."""
    return (
        (sums["merges_passed_share"] or 0.0) >= MERGES_LEAST
        and (sums["missed_exits_share"] or 0.0) <= EXITS_MISSED_MOST
        and sums["followers_braked"] == 0
    )


def motorway_sums(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merges, exits and lane changes of trip records. A share of nothing is None."""
    # of a trip that could not be driven at all, its merge counts as not passed
    merges = sum(int(r.get("merges", 1)) for r in records)
    merged = sum(int(r.get("merges_passed", 0)) for r in records)
    exits = sum(int(r.get("exits", 0)) for r in records)
    missed = sum(int(r.get("exits_missed", 0)) for r in records)
    braked = [
        {"trip": r["trip"], **each} for r in records for each in r.get("followers_braked", ())
    ]
    return {
        "merges": merges,
        "merges_passed": merged,
        "merges_passed_share": _share(merged, merges),
        "exits": exits,
        "exits_missed": missed,
        "missed_exits_share": _share(missed, exits),
        "lane_changes": sum(int(r.get("lane_changes", 0)) for r in records),
        "followers_braked": len(braked),
        "followers_braked_where": braked,
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


KEPT = (
    "routes", "arrived", "arrived_share", "distance_km", "collisions_at_fault", "stuck",
    "needless_hard_braking", "guard_interventions", "trips_compared", "mean_speed_mps",
    "reference_mean_speed_mps", "speed_ratio", "speed_ratio_to_goal",
)  # fmt: skip


def density_sums(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers of one density, fresh from its own trips."""
    sums, motorway = totals(records), motorway_sums(records)
    motorway.pop("followers_braked_where")
    return {name: sums[name] for name in KEPT} | motorway


def finite_km(text: str) -> float:
    """The number of `--km`. MarqueError: it is none."""
    try:
        km = float(text)
    except ValueError:
        km = math.nan
    if not math.isfinite(km):
        raise MarqueError(f"--km is a number of kilometres like 30, not '{text}'")
    need_km(km)
    return km
