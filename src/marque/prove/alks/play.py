"""One case: our whole stack drives, from where the file activates its own controller on.

Roads are read once for all cases on them. Nothing is logged or drawn here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from marque.core.errors import MarqueError
from marque.core.geometry import boxes_overlap, wrap_angle
from marque.maps.formats.opendrive import Roads, read_opendrive
from marque.maps.formats.opendrive.road_map import road_map as make_road_map
from marque.maps.lookup import LaneIndex
from marque.sensing.profile import load_profile
from marque.sim.drive import (
    Asked,
    Car,
    Setup,
    Timing,
    begin_episode,
    begin_sensing,
    begin_stack,
    frame,
    trip_route,
)
from marque.sim.scenario.document import read_scenario
from marque.sim.scenario.play import Play
from marque.sim.worlds.scenario import ScenarioWorld
from marque.stack.tick import StackMemory
from marque.types.episode import Episode
from marque.types.platform import Platform
from marque.types.reading import Delivery, Reading
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform
from marque.vehicle.market import load_market

LAW = "un_r157"
SEED = 1
CONTACT, TIME_LIMIT, NO_WAY = "contact", "time limit", "the road ends"
END_M = 15.0  # before the end of all roads nobody is judged any more
SAME_M = 3.0  # a track so near is the road user
LEAST_WAY_M = 20.0  # of road ahead, or there is none
GROUNDS = 16  # road files that are kept


@dataclass(frozen=True, slots=True)
class Who:
    """Who drives what, and how it sees."""

    driver: str = "marque"
    car: str = "saloon_ev"
    sensors: str = "ideal"


@dataclass(slots=True, eq=False)
class Played:
    """One case as it truly happened. known: uid -> frames in which the stack believed in it."""

    play: Play
    setup: Setup
    episode: Episode
    names: Mapping[int, str]
    begin_s: float  # of the scenario, when our car was handed over
    turned: bool = False  # the roads are driven on the other side than their file says
    contact: tuple[int, int] | None = None  # frame, uid
    known: dict[int, list[int]] = field(default_factory=dict)


@lru_cache(maxsize=GROUNDS)
def _ground(file: Path, stamp_ns: int, turned: bool) -> tuple[Roads, RoadMap, LaneIndex]:
    roads = read_opendrive(file)
    if turned:
        roads = read_opendrive(file, left_hand=not roads.left_hand)
    road_map = make_road_map(roads)
    return roads, road_map, LaneIndex(road_map)


def open_case(path: Path, given: Mapping[str, str], platform: Platform) -> tuple[Play, bool]:
    """A scenario with its roads, and whether they are driven on the other side than their file
    says: so they are where our car would otherwise have no road ahead. A suite that puts its ego on
    the other side expects that ("the road needs to be adjusted to left hand traffic").

    MarqueError: as `read_case`.
    """
    play = read_case(path, given)
    if _has_way(play.world(platform)):
        return play, False
    turned = read_case(path, given, turned=True)
    return (turned, True) if _has_way(turned.world(platform)) else (play, False)


def _has_way(world: ScenarioWorld) -> bool:
    return bool(np.hypot(*np.subtract(world.goal[:2], world.start_pose[:2])) > LEAST_WAY_M)


def read_case(path: Path, given: Mapping[str, str], turned: bool = False) -> Play:
    """A scenario with its roads. MarqueError: as `read_scenario`, or it has no roads."""
    scenario = read_scenario(path, given)
    file = scenario.network.roads
    if file is None:
        raise MarqueError(f"{path} names no road file, so our car has nothing to drive on")
    file = file.resolve()
    stamp = file.stat().st_mtime_ns if file.is_file() else 0
    return Play(scenario, file, *_ground(file, stamp, turned))


def drive(path: Path, given: Mapping[str, str], who: Who, longest_s: float) -> Played:
    """Play a case until the file ends it, somebody is touched, or it has lasted too long.

    MarqueError: it cannot be read, or cannot be carried out.
    """
    platform = load_platform(who.car)
    play, turned = open_case(path, given, platform)
    world = play.world(platform)
    setup = set_up(play, world, platform, who, longest_s)
    route, _ = trip_route(setup.road_map, setup.trip)
    played = Played(
        play, setup, begin_episode(setup, route, world), dict(world.names), world.begin_s, turned
    )
    _run(played, world)
    return played


def set_up(
    play: Play, world: ScenarioWorld, platform: Platform, who: Who, longest_s: float
) -> Setup:
    """Our car keeps its lane at the speed with which it is handed over. MarqueError: no way, or
    words that mean nothing."""
    return Setup(
        road_map=play.road_map,
        index=play.index,
        platform=platform,
        driver=who.driver,
        trip=play.trip(world),
        seed=SEED,
        profile=load_profile(who.sensors),
        limit_s=longest_s,
        begin=world.start,
        asked=Asked(world.start.speed_mps, True, load_market(LAW)),
    )


def _run(played: Played, world: ScenarioWorld) -> None:
    setup, episode = played.setup, played.episode
    stack, car, senses = begin_stack(setup), Car(setup), begin_sensing(setup)
    timing = Timing()
    truth = world.reset(car.truth())

    def look(seen: World, _: StackMemory, __: Reading | Delivery, after: StackMemory) -> None:
        _note_known(played, len(episode.ticks), seen, after)

    while not episode.end:
        senses.observe(truth)
        stack, tick = frame(stack, car, truth, senses, timing, look)
        episode.ticks.append(tick)
        before, truth = truth, world.step(car.truth(), tick.command.indicator)
        uid = touched(before, truth, setup.platform)
        if uid is not None:
            episode.ticks.append(replace(tick, world=truth))
            played.contact = (len(episode.ticks) - 1, uid)
            episode.end = CONTACT
        elif world.over:
            episode.end = world.over
        elif truth.t_ns >= setup.limit_s * 1e9:
            episode.end = TIME_LIMIT
        elif _at_end(episode, truth.ego):
            episode.end = NO_WAY


def touched(before: World, now: World, platform: Platform) -> int | None:
    """Who is touched at the end of a frame, or in the middle of it, everybody moving evenly."""
    for part in (0.5, 1.0):
        ego = _between(before.ego, now.ego, part)
        x = ego[0] + platform.centre_m * np.cos(ego[2])
        y = ego[1] + platform.centre_m * np.sin(ego[2])
        rows = {int(uid): row for row, uid in enumerate(before.users.uid)}
        for row, uid in enumerate(now.users.uid.tolist()):
            pose = _pose(now.users, row)
            if part < 1.0 and uid in rows:
                pose = _halfway(_pose(before.users, rows[uid]), pose, part)
            length, width = float(now.users.length_m[row]), float(now.users.width_m[row])
            if boxes_overlap(
                x, y, ego[2], platform.length_m, platform.width_m, *pose, length, width
            ):
                return int(uid)
    return None


Pose = tuple[float, float, float]


def _pose(users: RoadUsers, row: int) -> Pose:
    return float(users.x_m[row]), float(users.y_m[row]), float(users.heading_rad[row])


def _between(a: EgoTruth, b: EgoTruth, part: float) -> Pose:
    return _halfway((a.x_m, a.y_m, a.heading_rad), (b.x_m, b.y_m, b.heading_rad), part)


def _halfway(a: Pose, b: Pose, part: float) -> Pose:
    turn = float(wrap_angle(b[2] - a[2]))
    return a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]), a[2] + part * turn


def _at_end(episode: Episode, ego: EgoTruth) -> bool:
    x, y = episode.goal_xy_m
    return bool(np.hypot(ego.x_m - x, ego.y_m - y) < END_M)


def _note_known(played: Played, frame_number: int, seen: World, after: StackMemory) -> None:
    scene = after.perception.scene
    if scene is None:
        return
    users, tracks = seen.users, scene.tracks
    for row, uid in enumerate(users.uid.tolist()):
        away = np.hypot(tracks.x_m - users.x_m[row], tracks.y_m - users.y_m[row])
        if len(away) and float(away.min()) < SAME_M:
            played.known.setdefault(int(uid), []).append(frame_number)
