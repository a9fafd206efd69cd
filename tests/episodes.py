"""Made-up drives for tests of the record and the pictures: valid in every field, seeded.

The ego drives east through three crossings with signals and slows down for stated reasons; others
wander about it. Physics is only as good as pictures and plots need.
"""

from dataclasses import dataclass

import numpy as np

from builders import Lane, Program, Walk, tiny_map
from marque.core.time import PLAN_STEP_NS, PLAN_STEP_S
from marque.types.codes import Control, Indicator, LaneKind, Reason, SignalState, Turn, UserKind
from marque.types.command import Command
from marque.types.episode import Episode, Event, Tick
from marque.types.plan import STEPS, Plan, Trajectory
from marque.types.platform import Actuator, Platform
from marque.types.road_map import RoadMap
from marque.types.verdict import Action, Verdict
from marque.types.world import EgoTruth, RoadUsers, World

BLOCK_M = 200.0
SIZES = {
    UserKind.CAR: (4.5, 1.8),
    UserKind.TRUCK: (9.0, 2.5),
    UserKind.BUS: (12.0, 2.5),
    UserKind.MOTORCYCLE: (2.2, 0.8),
    UserKind.BICYCLE: (1.8, 0.6),
    UserKind.PEDESTRIAN: (0.5, 0.5),
    UserKind.RAIL: (30.0, 2.6),
    UserKind.OBSTACLE: (1.0, 1.0),
}


def car() -> Platform:
    """A mid-size car."""
    return Platform(
        name="testcar",
        title="Test car",
        powertrain="electric",
        length_m=4.7,
        width_m=1.85,
        height_m=1.45,
        wheelbase_m=2.85,
        rear_overhang_m=0.95,
        mass_kg=1900.0,
        yaw_inertia_kgm2=3000.0,
        cog_to_rear_axle_m=1.4,
        cog_height_m=0.5,
        cornering_stiffness_1prad=20.0,
        friction=0.9,
        understeer_rads2pm=0.002,
        max_steer_rad=0.6,
        steer=Actuator(0.05, 0.08, 0.8),
        drive=Actuator(0.05, 0.15, 8.0),
        brake=Actuator(0.05, 0.1, 20.0),
        max_accel_mps2=4.0,
        max_power_w=150e3,
        max_brake_mps2=9.0,
        max_speed_mps=50.0,
    )


def town(blocks: int = 4) -> RoadMap:
    """A road east along y = 0 and its opposite, crossed by roads north, signals at crossings."""
    lanes: list[Lane] = []
    walks: list[Walk] = []
    heads: list[tuple[int, int, tuple[float, float]]] = []
    programs: list[Program] = []
    outlines: list[list[tuple[float, float]]] = []
    for b in range(blocks):
        x = b * (BLOCK_M + 20.0)
        east, across, west = 6 * b, 6 * b + 1, 6 * b + 2
        following = [across] if b + 1 < blocks else []
        lanes.append(Lane([(x, -1.6), (x + BLOCK_M, -1.6)], succ=following, stop=BLOCK_M - 1.0))
        gap = [(x + BLOCK_M, -1.6), (x + BLOCK_M + 20.0, -1.6)]
        lanes.append(
            Lane(
                gap,
                succ=[east + 6] if following else [],
                connector=True,
                turn=Turn.STRAIGHT,
                control=Control.SIGNAL,
                junction=b,
                head=b,
            )
        )
        lanes.append(Lane([(x + BLOCK_M, 1.6), (x, 1.6)], limit=8.33))
        mid = x + BLOCK_M + 10.0
        lanes.append(Lane([(mid + 1.6, -90.0), (mid + 1.6, 90.0)]))
        lanes.append(Lane([(x, -4.5), (x + BLOCK_M, -4.5)], kind=LaneKind.WALK, width=2.0))
        lanes.append(Lane([(x, 4.3), (x + BLOCK_M, 4.3)], kind=LaneKind.BIKE, width=1.5))
        axis = (x + BLOCK_M - 5.0, -3.2, x + BLOCK_M - 5.0, 3.2)
        walks.append(Walk(axis, lanes=[(east, BLOCK_M - 6.5, BLOCK_M - 3.5)]))
        heads.append((b, 0, (x + BLOCK_M, -1.6)))
        y, far = 3.2, x + BLOCK_M + 20.0
        outlines.append(
            [
                (x + BLOCK_M, -y),
                (mid, -8.0),
                (far, -y),
                (far, y),
                (mid, 8.0),
                (mid, 8.1),
                (x + BLOCK_M, y),
            ]
        )
        programs.append(Program([(20.0, "G"), (3.0, "y"), (20.0, "r")]))
        assert (east, across, west) == (6 * b, 6 * b + 1, 6 * b + 2)
    return tiny_map(lanes, walks=walks, heads=heads, programs=programs, junctions=outlines)


@dataclass
class Motion:
    """What the made-up ego is doing."""

    x_m: float = 5.0
    speed_mps: float = 0.0
    accel_mps2: float = 0.0


def drive(
    duration_s: float = 20.0, users: int = 30, seed: int = 1, road_map: RoadMap | None = None
) -> Episode:
    """A whole drive of `duration_s` with `users` others."""
    episode = empty_episode(seed, road_map)
    for tick in ticks(episode, round(duration_s / PLAN_STEP_S), users, seed):
        episode.ticks.append(tick)
    last = episode.ticks[-1].world
    episode.events.append(Event(last.t_ns // 2, "guard", "guard braked: rss", 100.0, -1.6))
    episode.events.append(Event(last.t_ns, "arrived", "arrived", last.ego.x_m, last.ego.y_m))
    episode.end = "arrived"
    return episode


def empty_episode(seed: int = 1, road_map: RoadMap | None = None) -> Episode:
    """A drive before its first tick."""
    road_map = road_map or town()
    length = 4 * BLOCK_M + 60.0
    route = np.column_stack((np.arange(5.0, length), np.full(round(length - 5.0), -1.6)))
    return Episode(
        road_map=road_map,
        platform=car(),
        driver="marque",
        seed=seed,
        traffic="made up",
        start_xy_m=(5.0, -1.6),
        goal_xy_m=(length - 10.0, -1.6),
        goal_lane=18,
        goal_s_m=BLOCK_M - 10.0,
        route_xy_m=route,
        route_length_m=length - 15.0,
    )


def ticks(episode: Episode, count: int, users: int, seed: int):
    """Valid ticks, one after another."""
    rng = np.random.default_rng(seed)
    crowd = _crowd(rng, users)
    motion = Motion()
    before = 0.0
    for k in range(count):
        reason, target = _aim(k * PLAN_STEP_S)
        want = float(np.clip(1.2 * (target - motion.speed_mps), -2.5, 1.6))
        motion.accel_mps2 += float(np.clip(want - motion.accel_mps2, -0.12, 0.12))
        speed = max(0.0, motion.speed_mps + motion.accel_mps2 * PLAN_STEP_S)
        if speed == 0.0:
            motion.accel_mps2 = max(0.0, motion.accel_mps2)
        motion.x_m += 0.5 * (speed + motion.speed_mps) * PLAN_STEP_S
        motion.speed_mps = speed
        yield _tick(episode, k, motion, before, reason, crowd, rng)
        before = motion.accel_mps2


def _aim(t_s: float) -> tuple[Reason, float]:
    """A round of reasons: free, light, free, crosswalk, lead, free."""
    phase = t_s % 75.0
    if phase < 18.0:
        return (Reason.SPEED_UP if phase < 9.0 else Reason.NONE), 13.5
    if phase < 34.0:
        return Reason.RED_LIGHT, 0.0
    if phase < 46.0:
        return Reason.SPEED_UP, 13.5
    if phase < 53.0:
        return Reason.CROSSWALK, 0.0
    if phase < 66.0:
        return Reason.LEAD, 7.0
    return Reason.NONE, 13.5


def _crowd(rng: np.random.Generator, users: int) -> RoadUsers:
    kind = rng.choice(list(UserKind), size=users, p=[0.55, 0.05, 0.05, 0.05, 0.1, 0.15, 0.02, 0.03])
    size = np.array([SIZES[UserKind(k)] for k in kind]).reshape(-1, 2)
    return RoadUsers(
        uid=np.arange(100, 100 + users, dtype=np.int64),
        kind=kind.astype(np.int8),
        x_m=rng.uniform(0.0, 880.0, users),
        y_m=rng.choice([-1.6, 1.6, -4.5, 4.3], users) + rng.normal(0.0, 0.2, users),
        heading_rad=rng.choice([0.0, np.pi], users) + rng.normal(0.0, 0.02, users),
        speed_mps=rng.uniform(0.0, 12.0, users) * (rng.random(users) < 0.8),
        accel_mps2=rng.normal(0.0, 0.5, users),
        length_m=size[:, 0],
        width_m=size[:, 1],
        indicator=rng.integers(0, 4, users).astype(np.int8),
        lane=rng.integers(-1, 24, users).astype(np.int32),
    )


def _tick(
    episode: Episode,
    k: int,
    motion: Motion,
    accel_before: float,
    reason: Reason,
    crowd: RoadUsers,
    rng: np.random.Generator,
) -> Tick:
    t_ns = k * PLAN_STEP_NS
    users = RoadUsers(
        uid=crowd.uid,
        kind=crowd.kind,
        x_m=crowd.x_m + crowd.speed_mps * np.cos(crowd.heading_rad) * k * PLAN_STEP_S,
        y_m=crowd.y_m + 0.001 * rng.normal(size=len(crowd.uid)),
        heading_rad=crowd.heading_rad,
        speed_mps=crowd.speed_mps,
        accel_mps2=crowd.accel_mps2 + 0.1 * rng.normal(size=len(crowd.uid)),
        length_m=crowd.length_m,
        width_m=crowd.width_m,
        indicator=crowd.indicator,
        lane=crowd.lane,
    )
    ego = EgoTruth(
        x_m=motion.x_m,
        y_m=-1.6 + 0.05 * float(np.sin(0.05 * k)),
        heading_rad=0.01 * float(np.cos(0.05 * k)),
        speed_mps=motion.speed_mps,
        accel_mps2=motion.accel_mps2,
        lat_accel_mps2=0.3 * float(np.sin(0.11 * k)),
        yaw_rate_radps=0.01 * float(np.sin(0.11 * k)),
        steer_rad=0.02 * float(np.sin(0.11 * k)),
    )
    heads = len(episode.road_map.head_group)
    phase = (np.arange(heads) + k // 150) % 3
    states = np.array([SignalState.GREEN, SignalState.AMBER, SignalState.RED], dtype=np.int8)
    command = Command(t_ns + 80_000_000, motion.accel_mps2, 0.001, Indicator.OFF)
    guarded = k % 97 == 50
    return Tick(
        world=World(t_ns=t_ns, ego=ego, users=users, heads=states[phase]),
        plan=_plan(t_ns, ego, reason) if k > 0 else None,
        command=command,
        verdicts=((Verdict(t_ns, Action.BRAKE, command, "rss", -0.25, True),) if guarded else ()),
        reason=reason,
        ego_jerk_mps3=(motion.accel_mps2 - accel_before) / PLAN_STEP_S,
    )


def _plan(t_ns: int, ego: EgoTruth, reason: Reason) -> Plan:
    return Plan(
        made_ns=t_ns - PLAN_STEP_NS,
        t_ns=t_ns,
        trajectory=_path(ego, 0.4),
        fallback=_path(ego, -3.0),
        valid_until_ns=t_ns + 3 * PLAN_STEP_NS,
        manoeuvre="keep",
        reason=reason,
        reason_uid=-1,
        indicator=Indicator.OFF,
        margins=(("gap_m", 12.5), ("ttc_s", float("inf"))),
    )


def _path(ego: EgoTruth, accel_mps2: float) -> Trajectory:
    t = np.arange(STEPS) * PLAN_STEP_S
    speed = np.maximum(0.0, ego.speed_mps + accel_mps2 * t)
    s = np.concatenate(([0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * PLAN_STEP_S)))
    return Trajectory(
        x_m=ego.x_m + s * np.cos(ego.heading_rad),
        y_m=ego.y_m + s * np.sin(ego.heading_rad),
        heading_rad=np.full(STEPS, ego.heading_rad),
        curvature_1pm=np.zeros(STEPS),
        s_m=s,
        speed_mps=speed,
        accel_mps2=np.full(STEPS, accel_mps2),
    )
