"""One run: our car takes somebody's place in a saved state of dense traffic, drives well for a
moment, and then has a driver that means harm. The guard alone stands between."""

from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.core.time import BASE_STEP_NS, PLAN_STEP_NS, nanoseconds, seconds
from marque.draw.picture import drive_picture
from marque.guard.guard import GuardMemory, guard
from marque.prove.adversary.drivers import DRIVERS, Adversary
from marque.prove.adversary.judge import Hit, hits
from marque.prove.adversary.stages import State, open_state
from marque.prove.adversary.way import Way, find_way
from marque.sensing.profile import load_exact
from marque.sim.senses import Senses, begin_senses
from marque.sim.worlds.sumo_states import Place, SumoStates
from marque.types.codes import Reason
from marque.types.episode import Episode, Tick
from marque.types.plan import Plan
from marque.types.platform import Platform
from marque.types.reading import Reading
from marque.types.road_map import RoadMap
from marque.types.verdict import Action, Verdict
from marque.types.world import EgoTruth, World
from marque.vehicle import dynamics

RUN_S, AFTER_S = 20.0, 3.0  # a run, and how long it goes on after a contact
LEAST_MPS = 3.0  # whose place is taken
DRAWS = 40
STEERED_M = 0.9  # beside the line of its lane the car was steered to where it met somebody
LEAD_SHARE = 0.8  # of the front overhang's reach: the point of our body that keeps to the lane


@dataclass(frozen=True, slots=True)
class Run:
    """One run by its number."""

    number: int
    seed: int

    @property
    def kind(self) -> str:
        """Its driver."""
        return DRIVERS[self.number % len(DRIVERS)]


@dataclass(slots=True, eq=False)
class Stand:
    """A state that is open: many runs from it."""

    state: State
    platform: Platform
    road_map: RoadMap
    world: SumoStates
    senses: Senses

    def close(self) -> None:
        """End its SUMO."""
        self.world.close()


def open_stand(state: State, platform: Platform) -> Stand:
    """MarqueError: SUMO is missing or refuses."""
    road_map, spec = open_state(state, platform)
    senses = begin_senses(load_exact(), platform, road_map, 0)
    return Stand(state, platform, road_map, SumoStates(spec), senses)


def play(stand: Stand, run: Run, pictures: Path | None = None) -> dict[str, Any]:
    """The record of one run; a picture of the moment before each preventable contact."""
    began = process_time()
    seed = [run.seed, run.number]
    places = stand.world.branch()
    try:
        world, way, name = _begin(stand, places, np.random.default_rng([*seed, 1]))
        driver = Adversary(run.kind, [*seed, 2], way, stand.platform)
        episode = drive(stand, driver, world)
    finally:
        stand.world.rejoin()
    found = hits(episode)
    aside = [way.aside_m(t.world.ego.x_m, t.world.ego.y_m) for t in episode.ticks]
    record: dict[str, Any] = {
        "run": run.number, "driver": driver.words, "state": stand.state.name, "place": name,
        "turns_s": round(seconds(driver.turns_ns), 2), "begun_mps": round(_speed(episode), 1),
        "preventable": sum(hit.preventable for hit in found), "contacts": len(found),
        "steered": sum(aside[hit.frame] > STEERED_M for hit in found),
        "aside_m": round(max(aside), 2),
        "hits": [
            asdict(hit) | _cause(episode, hit) | {"aside_m": round(aside[hit.frame], 2)}
            for hit in found
        ],
        "rules": _rules(episode), "worst": _worst(episode), "pictures": [],
    }  # fmt: skip
    if pictures is not None:
        for hit in found:
            if hit.preventable or aside[hit.frame] > STEERED_M:
                path = pictures / f"r{run.number:06d}-{hit.uid}.png"
                drive_picture(episode, path, max(0, hit.frame - 5))
                record["pictures"].append(path.name)
    record["cpu_s"] = round(process_time() - began, 3)
    return record


def _begin(stand: Stand, places: list[Place], rng: np.random.Generator) -> tuple[World, Way, str]:
    """Our car in somebody's place, and its way from there."""
    moving = [place for place in places if place.speed_mps >= LEAST_MPS]
    p = stand.platform
    for _ in range(DRAWS):
        if not moving:
            break
        place = moving.pop(int(rng.integers(len(moving))))
        lane_m = float(stand.road_map.lane_length_m[place.lane])
        x, y, _ = stand.road_map.place(place.lane, max(0.0, lane_m - place.left_m))
        way = find_way(stand.road_map, place.lane, x, y, place.edges, LEAD_SHARE * p.front_m)
        if way is not None:
            world = stand.world.take(place.name, stand.state.far_m)
            stand.world.set_route(way.edges)
            return world, way, place.name
    raise MarqueError(f"nobody in {stand.state.name} drives where our car could take over")


def drive(stand: Stand, driver: Adversary, world: World) -> Episode:
    """The closed loop, as in `stack.tick`, with the driver's plan and command."""
    episode = _episode(stand, driver, world)
    p = stand.platform
    parameters = dynamics.parameters(p)
    ego = world.ego
    car = dynamics.initial(p, ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps)
    memory = GuardMemory()
    plan: Plan | None = None
    ends_ns = nanoseconds(RUN_S)
    while world.t_ns < ends_ns:
        stand.senses.observe(world)
        plan = driver.plan(world, plan)
        verdicts: list[Verdict] = []
        for part in range(PLAN_STEP_NS // BASE_STEP_NS):
            t_ns = world.t_ns + part * BASE_STEP_NS
            reading = stand.senses.receive(EgoTruth(*dynamics.ego_truth(car)), t_ns)
            assert isinstance(reading, Reading)
            command = driver.command(reading.ego, plan, t_ns)
            memory, verdict = guard(memory, reading, plan, command, p)
            asked = verdict.command
            car = dynamics.step(
                parameters, car, asked.accel_mps2, asked.curvature_1pm, BASE_STEP_NS / 1e9
            )
            if verdict.action != Action.PASS:
                verdicts.append(verdict)
        shown = memory.plan if plan is None or memory.offer_fault else plan
        episode.ticks.append(
            Tick(world, shown, verdict.command, tuple(verdicts), Reason.GUARD, 0.0)
        )
        world = stand.world.step(EgoTruth(*dynamics.ego_truth(car)))
        if any(event.kind == "traffic_collision" for event in stand.world.events):
            ends_ns = min(ends_ns, world.t_ns + nanoseconds(AFTER_S))
            stand.world.events.clear()
    return episode


def _episode(stand: Stand, driver: Adversary, world: World) -> Episode:
    xy = driver.way.path.xy_m
    return Episode(
        road_map=stand.road_map,
        platform=stand.platform,
        driver=driver.words,
        seed=0,
        traffic=stand.world.label,
        start_xy_m=(world.ego.x_m, world.ego.y_m),
        goal_xy_m=(float(xy[-1, 0]), float(xy[-1, 1])),
        goal_lane=driver.way.path.lanes[-1],
        goal_s_m=0.0,
        route_xy_m=xy,
        route_length_m=driver.way.path.length_m,
    )


def _speed(episode: Episode) -> float:
    return float(episode.ticks[0].world.ego.speed_mps)


def _rules(episode: Episode) -> dict[str, int]:
    """Base steps in which each rule of the guard decided."""
    count: dict[str, int] = {}
    for tick in episode.ticks:
        for verdict in tick.verdicts:
            count[verdict.rule] = count.get(verdict.rule, 0) + 1
    return dict(sorted(count.items()))


def _worst(episode: Episode) -> dict[str, Any]:
    """The verdict with the least margin."""
    told = [verdict for tick in episode.ticks for verdict in tick.verdicts]
    if not told:
        return {}
    least = min(told, key=lambda one: (one.margin, one.t_ns))
    return {
        "t_s": round(seconds(least.t_ns), 2), "rule": least.rule, "margin": round(least.margin, 3)
    }  # fmt: skip


def _cause(episode: Episode, hit: Hit) -> dict[str, Any]:
    """What the guard did in the two seconds before a contact: rules in the order in which they
    took over, and when braking began."""
    rules: list[str] = []
    for tick in episode.ticks[max(0, hit.frame - 20) : hit.frame + 1]:
        for verdict in tick.verdicts:
            if not rules or rules[-1] != verdict.rule:
                rules.append(verdict.rule)
    return {"rules_before": rules[-12:]}
