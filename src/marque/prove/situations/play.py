"""One case driven in SUMO's traffic by the normal closed loop."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.maps.lookup import LaneIndex
from marque.prove.situations.case import Case, Stage, set_stage
from marque.sensing.faults import Fault
from marque.sensing.profile import load_profile
from marque.sim.drive import Believed, Setup, Timing, begin_episode, run_drive, trip_route
from marque.sim.reference import Reference, reference_run
from marque.sim.worlds.sumo import SumoSpec, SumoWorld
from marque.types.episode import Episode
from marque.types.platform import Platform
from marque.types.world import EgoTruth

OVERTIME_S = 5.0  # a drive goes on for this long after its time is over


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A drive and who was in it. `error`: what broke it off, "" if nothing did."""

    case: Case
    episode: Episode
    index: LaneIndex
    names: dict[int, str]
    timing: Timing
    error: str


def play(
    case: Case,
    folder: Path,
    driver: str,
    platform: Platform,
    seed: int,
    sensors: str = "ideal",
    fault: Fault | None = None,
    watch: Callable[[Episode], None] | None = None,
    mislead: Callable[[Stage, Path], tuple[Stage, Believed]] | None = None,
) -> Played:
    """Set the stage in `folder` and drive. A driver that raises is a result, not an error here.
    `watch` is called after each frame, and ends the drive by setting `episode.end`. `mislead` sets
    the true stage anew, and says what our car believes of it.

    MarqueError: SUMO missing, or the case itself cannot be set up.
    """
    stage = set_stage(case, folder)
    believed = None
    if mislead is not None:
        stage, believed = mislead(stage, folder)
    index = LaneIndex(stage.road_map)
    route, edges = trip_route(stage.road_map, stage.trip)
    setup = Setup(
        road_map=stage.road_map,
        index=index,
        platform=platform,
        driver=driver,
        trip=stage.trip,
        seed=seed,
        profile=load_profile(sensors),
        limit_s=case.limit_s + OVERTIME_S,
        fault=fault,
        believed=believed,
    )
    world = SumoWorld(_spec(stage, edges, platform, folder, seed))
    timing = Timing()
    error = ""
    try:
        episode = begin_episode(setup, route, world)
        try:
            timing = run_drive(setup, world, episode, lambda _: watch(episode) if watch else None)
        except MarqueError as broken:
            error = str(broken)
        except Exception as broken:
            error = f"{type(broken).__name__}: {broken}"
        names = dict(world.names)
    finally:
        world.close()
    if error:
        if not episode.ticks:
            raise MarqueError(f"a case could not be started: {error}")
        episode.end = error
    return Played(case, episode, index, names, timing, error)


def reference(case: Case, folder: Path, platform: Platform, seed: int) -> Reference:
    """SUMO's own driver in the same case: whether it can be solved, and how fast."""
    stage = set_stage(case, folder)
    _, edges = trip_route(stage.road_map, stage.trip)
    trip = stage.trip
    x, y, heading = stage.road_map.place(trip.start_lane, trip.start_s_m)
    start = EgoTruth(x, y, heading, 0.0, 0.0, 0.0, 0.0, 0.0)
    spec = _spec(stage, edges, platform, folder, seed)
    return reference_run(spec, start, trip.goal_lane, trip.goal_s_m, max_s=2.0 * case.limit_s)


def _spec(
    stage: Stage, edges: tuple[str, ...], platform: Platform, folder: Path, seed: int
) -> SumoSpec:
    more: dict[str, Any] = {"sumocfg": stage.sumocfg, "begin_s": float(stage.case.begin_s)}
    return SumoSpec(
        road_map=stage.road_map,
        net=None,
        route_edges=edges,
        ego_length_m=platform.length_m,
        ego_width_m=platform.width_m,
        ego_front_m=platform.front_m,
        seed=seed,
        cache=folder / "cache",
        **more,
    )
