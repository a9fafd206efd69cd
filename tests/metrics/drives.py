"""Drives written by hand, as Episodes, for the tests of the judge."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from marque.types.codes import Indicator, Reason, UserKind
from marque.types.command import Command
from marque.types.episode import Episode, Tick
from marque.types.platform import Actuator, Platform
from marque.types.road_map import NONE, RoadMap
from marque.types.verdict import Verdict
from marque.types.world import EgoTruth, RoadUsers, World

STEP_S = 0.1
CAR = Platform(
    name="test",
    title="Test car",
    powertrain="electric",
    length_m=4.6,
    width_m=1.9,
    height_m=1.5,
    wheelbase_m=2.8,
    rear_overhang_m=0.9,
    mass_kg=1800.0,
    yaw_inertia_kgm2=3000.0,
    cog_to_rear_axle_m=1.4,
    cog_height_m=0.5,
    cornering_stiffness_1prad=15.0,
    friction=0.9,
    understeer_rads2pm=0.002,
    max_steer_rad=0.6,
    steer=Actuator(0.05, 0.1, 0.5),
    drive=Actuator(0.05, 0.1, 10.0),
    brake=Actuator(0.05, 0.1, 20.0),
    max_accel_mps2=3.0,
    max_power_w=150e3,
    max_brake_mps2=9.0,
    max_speed_mps=50.0,
)
FRONT_M = CAR.front_m


@dataclass
class User:
    """A road user: where it is at time t, as (x, y, heading, speed), None when it is not there."""

    uid: int
    at: Callable[[float], tuple[float, float, float, float] | None]
    kind: UserKind = UserKind.CAR
    length: float = 4.5
    width: float = 1.8
    lane: Callable[[float], int] | int = NONE


def standing(uid: int, x: float, y: float, heading: float = 0.0, **more: object) -> User:
    """A road user that stands."""
    return User(uid, lambda t: (x, y, heading, 0.0), **more)  # type: ignore[arg-type]


def moving(uid: int, x: float, y: float, heading: float, speed: float, **more: object) -> User:
    """A road user that goes straight on at constant speed."""

    def at(t: float) -> tuple[float, float, float, float]:
        far = speed * t
        return x + far * math.cos(heading), y + far * math.sin(heading), heading, speed

    return User(uid, at, **more)  # type: ignore[arg-type]


def straight(
    speeds: Sequence[float], x: float = 0.0, y: float = 0.0, heading: float = 0.0
) -> list[EgoTruth]:
    """The car on a straight line, one speed per frame, moved by the mean speed of each step."""
    poses = []
    far = 0.0
    for i, speed in enumerate(speeds):
        if i:
            far += 0.5 * (speeds[i - 1] + speed) * STEP_S
        accel = (speed - speeds[i - 1]) / STEP_S if i else 0.0
        poses.append(
            EgoTruth(
                x + far * math.cos(heading), y + far * math.sin(heading), heading,
                speed, accel, 0.0, 0.0, 0.0,
            )
        )  # fmt: skip
    return poses


def along(points: np.ndarray, speed: float, frames: int) -> list[EgoTruth]:
    """The car along a polyline at constant speed."""
    step = np.hypot(*np.diff(points, axis=0).T)
    s = np.concatenate(([0.0], np.cumsum(step)))
    angle = np.unwrap(np.arctan2(*np.diff(points, axis=0).T[::-1]))
    poses = []
    for i in range(frames):
        at = min(speed * STEP_S * i, float(s[-1]))
        k = min(int(np.searchsorted(s, at, side="right")) - 1, len(angle) - 1)
        x, y = (float(np.interp(at, s, points[:, axis])) for axis in (0, 1))
        poses.append(EgoTruth(x, y, float(angle[k]), speed, 0.0, 0.0, 0.0, 0.0))
    return poses


def drive(
    road_map: RoadMap,
    ego: Sequence[EgoTruth],
    users: Sequence[User] = (),
    heads: Callable[[float], Sequence[int]] | Sequence[int] = (),
    reason: Reason = Reason.NONE,
    verdicts: Callable[[int], tuple[Verdict, ...]] = lambda frame: (),
    goal: tuple[int, float] = (0, 0.0),
) -> Episode:
    """An Episode of these poses, 100 ms apart."""
    episode = Episode(
        road_map=road_map,
        platform=CAR,
        driver="test",
        seed=0,
        traffic="by hand",
        start_xy_m=(0.0, 0.0),
        goal_xy_m=(0.0, 0.0),
        goal_lane=goal[0],
        goal_s_m=goal[1],
        route_xy_m=np.zeros((2, 2)),
        route_length_m=0.0,
    )
    for i, pose in enumerate(ego):
        t = STEP_S * i
        t_ns = 100_000_000 * i
        state = heads(t) if callable(heads) else heads
        command = Command(t_ns, pose.accel_mps2, 0.0, Indicator.OFF)
        world = World(t_ns, pose, _users(users, t), np.asarray(state, dtype=np.int8))
        episode.ticks.append(Tick(world, None, command, verdicts(i), reason, 0.0))
    return episode


def _users(users: Sequence[User], t: float) -> RoadUsers:
    rows = [(user, user.at(t)) for user in users]
    here = [(user, row) for user, row in rows if row is not None]
    column = np.array([row for _, row in here], dtype=float).reshape(-1, 4)
    lanes = [user.lane(t) if callable(user.lane) else user.lane for user, _ in here]
    return RoadUsers(
        uid=np.array([user.uid for user, _ in here], dtype=np.int64),
        kind=np.array([user.kind for user, _ in here], dtype=np.int8),
        x_m=column[:, 0].copy(),
        y_m=column[:, 1].copy(),
        heading_rad=column[:, 2].copy(),
        speed_mps=column[:, 3].copy(),
        accel_mps2=np.zeros(len(here)),
        length_m=np.array([user.length for user, _ in here], dtype=float),
        width_m=np.array([user.width for user, _ in here], dtype=float),
        indicator=np.zeros(len(here), dtype=np.int8),
        lane=np.array(lanes, dtype=np.int32).reshape(-1),
    )
