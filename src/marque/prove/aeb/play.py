"""One case driven: by the file with the guard beside it, or by the whole stack."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from marque.core.time import NS_PER_S
from marque.prove.aeb.judge import FAR, Driven
from marque.sensing.profile import load_profile
from marque.sim.drive import Setup, begin_episode, run_drive, trip_route
from marque.sim.guarded import NOBODY, course_of, drive_guarded
from marque.sim.scenario.play import Play, read_play
from marque.sim.worlds.scenario import EGO, ScenarioWorld
from marque.types.episode import Episode
from marque.types.platform import Platform
from marque.types.verdict import Action
from marque.vehicle.catalog import load_platform

SEED = 1
LONGER_S = 5.0  # the whole stack drives on for so long after the file's own end


@dataclass(frozen=True, slots=True)
class Who:
    """Who drives what, and how it sees. driver: none for the file's own driving."""

    driver: str = NOBODY
    car: str = "saloon_ev"
    sensors: str = "ideal"


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A drive, as the judge and the painter want it; by: who truly drove."""

    driven: Driven
    episode: Episode
    by: str


def drive(path: Path, given: Mapping[str, str], who: Who) -> Played:
    """Play a case. A car that a file drives backwards is driven by the file, whoever was asked for:
    no driver of ours drives backwards.

    MarqueError: it cannot be read or carried out.
    """
    play, platform = read_play(path, given), load_platform(who.car)
    if who.driver != NOBODY:
        endless = replace(play.scenario, storyboard=replace(play.scenario.storyboard, stop=None))
        world = ScenarioWorld(
            endless, play.roads, play.road_map, play.index, platform, EGO, backwards=True
        )
        if world.start.speed_mps >= 0.0:
            return _stack(play, world, platform, who)
    got = drive_guarded(play, platform, load_profile(who.sensors), SEED)
    worlds = tuple(tick.world for tick in got.episode.ticks)
    return Played(Driven(worlds, got.names, got.asked, platform), got.episode, NOBODY)


def _stack(play: Play, world: ScenarioWorld, platform: Platform, who: Who) -> Played:
    trip = play.trip(world)
    setup = Setup(
        road_map=play.road_map,
        index=play.index,
        platform=platform,
        driver=who.driver,
        trip=trip,
        seed=SEED,
        profile=load_profile(who.sensors),
        limit_s=float(course_of(play, world.begin_s).t_s[-1]) + LONGER_S,
        begin=world.start,
    )
    route, _ = trip_route(play.road_map, trip)
    episode = begin_episode(setup, route, world)
    run_drive(setup, world, episode)
    ticks = episode.ticks
    asked = np.array([(tick.world.t_ns / NS_PER_S, 0.0, math.nan, FAR) for tick in ticks])
    for row, tick in enumerate(ticks):
        urgent = [v for v in tick.verdicts if v.action >= Action.BRAKE and v.rule.startswith("aeb")]
        if urgent:
            asked[row, 1] = max(0.0, *(-v.command.accel_mps2 for v in urgent))
            asked[row, 3] = min(v.margin for v in urgent)
    worlds = tuple(tick.world for tick in ticks)
    return Played(Driven(worlds, dict(world.names), asked, platform), episode, who.driver)
