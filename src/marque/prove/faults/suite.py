"""The suite of faults: each row of the table laid over the senses of one seeded drive on a busy,
winding road, and judged: nothing noticed before, named in time, the reaction as named and no
stronger, nobody hit.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_S, seconds
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import Actor, Cast, mixed_gaps, stream
from marque.prove.situations.lanes import BEGIN_S, winding
from marque.prove.situations.play import Played, play
from marque.prove.situations.view import View
from marque.sensing.equipment import Equipment
from marque.sensing.faults import FAULTS, NO_PART, Fault, has_parts
from marque.sensing.profile import load_profile
from marque.sim import broken
from marque.sim.broken import BROKEN, breaks, find
from marque.sim.drive import load_driver
from marque.types.codes import Reaction
from marque.types.episode import Episode, Tick
from marque.types.verdict import Action
from marque.vehicle.catalog import load_platform
from marque.vehicle.market import load_market

ALL, ABSENT = (*FAULTS, *BROKEN), NO_PART | broken.NO_PART
SCHEMA = "marque.prove.faults/1"
ROAD_M, LIMIT_MPS, START_M = 900.0, 13.89, 70.0
TRAFFIC_S = 70.0
# who sets off with us, ahead and, on the lane to our right, beside us
AHEAD_M, SLOW_MPS = (74.0, 96.0, 92.0, 120.0, 112.0, 150.0), 10.5
REACTS_S = 0.5  # after the bar of noticing: to tell a moment from a loss
AFTER_S = 2.5  # a drive goes on for so long after the reaction is due,
STOPS_S = 9.0  # or until the car stands, at most so long
STANDS_MPS = 0.1
SOFTEST_MPS2 = 4.0  # a stop in lane brakes no harder
GHOST_MPS2 = 3.0  # nor does anybody for what only one sensor sees


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a fault. Times in s of the drive; inf: never."""

    noticed_s: float
    reacted_s: float
    level: Reaction  # the strongest
    before: str  # what was noticed before the fault began


def draw(seed: int) -> Case:
    """A winding road with dense traffic on our side, behind and ahead, and in the other direction;
    the same for each fault."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 4])))
    roads = winding(rng, ROAD_M, LIMIT_MPS, 2, 1, bend_1pm=0.003)
    actors: list[Actor] = []
    for lane in (0, 1):
        gaps = mixed_gaps(rng, (2.5, 4.5), (6.0, 8.0), 0.2)
        actors += stream(rng, f"ours{lane}x", ("e0",), 0.0, TRAFFIC_S, gaps, lane)
    for i, at_m in enumerate(AHEAD_M):
        actors.append(
            Actor(f"lead{i}", "car", BEGIN_S - 0.5, ("e0",), i % 2, at_m, 0.0, top_mps=SLOW_MPS)
        )
    gaps = mixed_gaps(rng, (2.0, 4.0), (5.0, 8.0), 0.2)
    actors += stream(rng, "oncoming", ("b0",), 0.0, TRAFFIC_S, gaps)
    return Case(
        "busy winding road", roads, Cast(tuple(sorted(actors, key=lambda one: one.depart_s))),
        Place("e0", START_M, 1), Place("e0", ROAD_M - 20.0, 1), 60.0, BEGIN_S,
    )  # fmt: skip


def escalates(fault: Fault) -> bool:
    """Row 1 is driven to its end: a takeover that nobody answers becomes a stop."""
    return fault.row == "1"


class _Watch:
    """Ends a drive when there is nothing more to see."""

    def __init__(self, fault: Fault) -> None:
        stops = fault.reaction >= Reaction.STOP or escalates(fault)
        late = load_market().manoeuvre_s if escalates(fault) else 0.0
        least = fault.within_s + REACTS_S + late
        self.stops = stops
        self.least_s = fault.from_s + least + (0.0 if stops else AFTER_S)
        self.most_s = self.least_s + (STOPS_S if stops else 0.0)
        if np.isfinite(fault.lasts_s) and not stops:
            self.most_s = max(self.most_s, fault.from_s + fault.lasts_s)
        self.slow = fault.name == "gnss_drift"

    def __call__(self, episode: Episode) -> None:
        last = episode.ticks[-1]
        t_s = seconds(last.world.t_ns)
        done = t_s >= self.most_s
        done |= self.stops and t_s >= self.least_s and last.world.ego.speed_mps < STANDS_MPS
        done |= self.slow and last.health.level >= Reaction.DEGRADE
        if done:
            episode.end = "seen"


def what_came(fault: Fault, ticks: list[Tick]) -> Seen:
    """When it was named, when reacted to, and how strongly."""
    noticed, reacted, level, before = np.inf, np.inf, Reaction.NONE, ""
    for tick in ticks:
        health = tick.health
        if health.level > level:
            level = health.level
        for one in health.findings:
            since_s = _within(tick, one.since_ns)
            if since_s < fault.from_s and not before:
                before = one.text
            if any(name in one.text for name in fault.named):
                noticed = min(noticed, since_s)
        for verdict in tick.verdicts:
            if verdict.rule in fault.named and breaks(fault):
                at_s = seconds(verdict.t_ns)
                if at_s < fault.from_s and not before:
                    before = verdict.rule
                noticed = min(noticed, at_s)
                if verdict.action == Action.FALLBACK:
                    level, reacted = max(level, fault.reaction), min(reacted, at_s)
        if health.level >= fault.reaction and not np.isfinite(reacted):
            reacted = _within(tick, health.since_ns)
    return Seen(float(noticed), float(reacted), level, before)


def _within(tick: Tick, since_ns: int) -> float:
    """A stamp of the stack in s of the drive; one from a clock that has jumped is not later than
    the end of the frame that tells of it."""
    return min(seconds(since_ns), seconds(tick.world.t_ns) + PLAN_STEP_S)


def judge(fault: Fault, played: Played) -> dict[str, Any]:
    """One row of the table, as plain data."""
    ticks = played.episode.ticks
    seen = what_came(fault, ticks)
    view = View(played.case, played.episode, played.index, played.names)
    failed = _failed(fault, seen, ticks)
    if played.error:
        failed.insert(0, f"driver failed: {played.error}")
    if view.numbers["collisions_at_fault"]:
        failed.append("contact at fault")
    return {
        "fault": fault.name, "row": fault.row, "title": fault.title,
        "injected_s": fault.from_s, "noticed_s": _number(seen.noticed_s),
        "noticed_after_s": _number(seen.noticed_s - fault.from_s), "within_s": fault.within_s,
        "reacted_after_s": _number(seen.reacted_s - fault.from_s),
        "expected": f"R{fault.reaction}", "seen": f"R{seen.level}" if seen.level >= 0 else "none",
        "hardest_mps2": round(_hardest(fault, ticks), 2),
        "events": [event.text for event in played.episode.events if event.kind == "senses"],
        "passed": not failed, "failed": failed,
    }  # fmt: skip


def _failed(fault: Fault, seen: Seen, ticks: list[Tick]) -> list[str]:
    failed = []
    most = Reaction.STOP if escalates(fault) else fault.reaction
    if seen.before:
        failed.append(f"noticed before it was there: {seen.before}")
    if seen.noticed_s > fault.from_s + fault.within_s + 1e-6:
        failed.append("not noticed in time")
    if seen.reacted_s > fault.from_s + fault.within_s + REACTS_S:
        failed.append("no reaction in time")
    if seen.level > most:
        failed.append(f"reacted too strongly: R{seen.level}")
    if most == Reaction.STOP and seen.level < most:
        failed.append("no stop when nobody took over")
    hardest = _hardest(fault, ticks)
    if most >= Reaction.STOP:
        if ticks[-1].world.ego.speed_mps >= STANDS_MPS:
            failed.append("does not stand")
        if hardest > SOFTEST_MPS2 and not breaks(fault):
            failed.append(f"brakes with {hardest:.1f} m/s^2")
    if "ghost" in fault.name and hardest > GHOST_MPS2:
        failed.append(f"brakes with {hardest:.1f} m/s^2 for nothing")
    return failed


def _hardest(fault: Fault, ticks: list[Tick]) -> float:
    """Hardest braking since the fault began."""
    after = [t for t in ticks if seconds(t.world.t_ns) >= fault.from_s]
    return max((-float(t.world.ego.accel_mps2) for t in after), default=0.0)


def _number(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None


def run_fault(fault: Fault, seed: int, driver: str, car: str, sensors: str) -> dict[str, Any]:
    """Drive and judge one row. MarqueError: SUMO missing, or wrong names."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        played = play(
            draw(seed), Path(folder), driver, load_platform(car), seed, sensors, fault,
            _Watch(fault),
        )  # fmt: skip
        return {**judge(fault, played), "wall_s": round(time.perf_counter() - began, 1)}


def run(
    *,
    seed: int = 1,
    only: tuple[str, ...] = (),
    driver: str = "marque",
    car: str = "saloon_ev",
    sensors: str = "standard",
    done: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """All rows, or those in `only` (names, or numbers of the table), as one JSON object.

    MarqueError: unknown row, driver, car or profile; exact senses; SUMO missing.
    """
    chosen = chosen_rows(only)
    equipment = load_profile(sensors)
    if not isinstance(equipment, Equipment):
        raise MarqueError(f"'{sensors}' are exact senses: they have no faults; take 'standard'")
    load_platform(car)
    load_driver(driver)
    began = time.perf_counter()
    rows, missing = [], dict(ABSENT)
    for fault in chosen:
        if not breaks(fault) and not has_parts(fault, equipment):
            missing[fault.row] = f"'{sensors}' has no such sensor"
            continue
        rows.append(run_fault(fault, seed, driver, car, sensors))
        if done is not None:
            done(rows[-1])
    return {
        "schema": SCHEMA, "seed": seed, "driver": driver, "car": car, "sensors": sensors,
        "rows": rows, "rows_total": len(rows), "rows_passed": sum(row["passed"] for row in rows),
        "passed": bool(rows) and all(row["passed"] for row in rows), "no_part": missing,
        "wall_s": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def chosen_rows(only: tuple[str, ...]) -> tuple[Fault, ...]:
    """The faults meant by names, rows ("3a") or numbers ("3": all that begin so).

    MarqueError: unknown, or a row that this base has no part for.
    """
    found: list[Fault] = []
    for name in only:
        if name in ABSENT:
            raise MarqueError(f"row {name} has no part here: {ABSENT[name]}")
        several = [one for one in ALL if one.row.rstrip("abc") == name]
        found += several or [find(name)]
    return tuple(dict.fromkeys(found)) if only else ALL
