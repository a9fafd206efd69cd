"""A scenario with a person at the wheel who does what the file says, and the guard beside them.

Until the guard brakes, our car is where the file has it. From then on the person's foot is off the
accelerator, the car keeps to the file's path, and goes along it as its own brakes let it. A file
may drive it backwards. The file's own end ends the play only as long as nothing was braked for:
some files end while there is still danger.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.time import BASE_STEP_NS, BASE_STEP_S, NS_PER_S, PLAN_STEP_NS, PLAN_STEP_S
from marque.guard.assist import AssistMemory, assist
from marque.sensing.equipment import Equipment
from marque.sensing.profile import SensorProfile
from marque.sim.scenario.play import Play
from marque.sim.scenario.player import Player
from marque.sim.senses import begin_fusing, begin_senses
from marque.sim.worlds.scenario import EGO, ScenarioWorld
from marque.stack.perception.fuse import sensed
from marque.types.codes import Indicator, Reason
from marque.types.command import Command
from marque.types.episode import Episode, Tick
from marque.types.platform import Platform
from marque.types.road_map import NONE
from marque.types.verdict import Action
from marque.types.world import EgoTruth
from marque.vehicle import dynamics

LONGER_S = 15.0  # a play goes on for so long after the file's own end, at most
CALM_S = 3.0  # after the last braking,
STANDS_S, STANDS_MPS = 1.0, 0.05  # or at rest
ROLLS_MPS = 1e-6
LET_GO, RESTS, WAY_OVER = "the guard let go", "at rest", "the file's way is over"
NOBODY = "none"  # instead of a driver


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How a file drives our car by itself, from the hand-over on, n states."""

    t_s: FloatArray  # [n] since the hand-over
    way_m: FloatArray  # [n] gone, never falling
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray  # [n] without jumps
    speed_mps: FloatArray  # [n] backwards negative
    curvature_1pm: FloatArray  # [n] of the arc, left positive for who drives forwards

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def gone(self, t_s: float) -> tuple[float, float, float]:
        """(way, speed, acceleration along the car) at a time; as at the end, later."""
        way = float(np.interp(t_s, self.t_s, self.way_m))
        speed = float(np.interp(t_s, self.t_s, self.speed_mps))
        k = min(max(1, int(np.searchsorted(self.t_s, t_s, side="right"))), len(self.t_s) - 1)
        accel = (self.speed_mps[k] - self.speed_mps[k - 1]) / (self.t_s[k] - self.t_s[k - 1])
        return way, speed, float(accel) if t_s < self.t_s[-1] else 0.0

    def pose(self, way_m: float) -> tuple[float, float, float, float]:
        """(x, y, heading, curvature) after a way; straight on beyond the end."""
        x, y, heading, curvature = (
            float(np.interp(way_m, self.way_m, column))
            for column in (self.x_m, self.y_m, self.heading_rad, self.curvature_1pm)
        )
        beyond = way_m - float(self.way_m[-1])
        if beyond > 0.0:
            moved = self.speed_mps[np.abs(self.speed_mps) > ROLLS_MPS]
            beyond *= 1.0 if not len(moved) or moved[-1] > 0.0 else -1.0
            return x + beyond * math.cos(heading), y + beyond * math.sin(heading), heading, 0.0
        return x, y, heading, curvature


def course_of(play: Play, begin_s: float, ego: str = EGO) -> Course:
    """The file's own driving from `begin_s` on. MarqueError: something cannot be carried out."""
    player = Player(play.scenario, play.roads)
    rows = []
    while not player.over and player.t_s < begin_s + 600.0:
        player.step()
        body = player.bodies[ego]
        if player.t_s >= begin_s - 1e-9 and not player.over:
            rows.append((player.t_s - begin_s, *body.pose, body.speed_mps))
    t_s, x, y, heading, speed = np.array(rows or [(0.0, *player.bodies[ego].pose, 0.0)]).T
    heading = np.unwrap(heading)
    way = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    moved = np.diff(way) > ROLLS_MPS
    bend = np.zeros(len(t_s))
    sign = np.where(speed[1:] < 0.0, -1.0, 1.0)
    bend[1:][moved] = (sign * np.diff(heading))[moved] / np.diff(way)[moved]
    if len(bend) > 1:
        bend[0] = bend[1]
    return Course(t_s, way, x, y, heading, speed, bend)


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """A drive with the guard alone: what happened, and what it asked for each 20 ms."""

    episode: Episode
    names: dict[int, str]
    asked: FloatArray  # [k, 4] time in s, braking asked in m/s^2, 1 where it warns, its margin
    rules: tuple[str, ...]  # [k]


def drive_guarded(
    play: Play, platform: Platform, profile: SensorProfile, seed: int = 1, ego: str = EGO
) -> Guarded:
    """Play a scenario to its end with the guard alone.

    MarqueError: the file never hands the ego over, or something in it cannot be carried out.
    """
    endless = replace(play.scenario, storyboard=replace(play.scenario.storyboard, stop=None))
    world = ScenarioWorld(
        endless, play.roads, play.road_map, play.index, platform, ego, backwards=True
    )
    car = _Car(course_of(play, world.begin_s, ego), platform)
    truth = world.reset(car.truth())
    episode = _episode(play, platform, world.label, car)
    senses = begin_senses(profile, platform, play.road_map, seed)
    fusing = None
    if isinstance(profile, Equipment):
        fusing = begin_fusing((profile, platform, play.road_map, play.index), truth.ego, seed)
    memory = AssistMemory()
    asked: list[tuple[float, float, float, float]] = []
    rules: list[str] = []
    last_accel = 0.0
    while not episode.end:
        senses.observe(truth)
        verdicts = []
        for part in range(PLAN_STEP_NS // BASE_STEP_NS):
            t_ns = truth.t_ns + part * BASE_STEP_NS
            fusing, reading, _ = sensed(fusing, senses.receive(car.truth(), t_ns))
            memory, verdict = assist(memory, reading, car.command(t_ns), platform)
            if verdict.action != Action.PASS:
                verdicts.append(verdict)
            brakes = verdict.action == Action.BRAKE
            asked.append(
                (t_ns / NS_PER_S, memory.braking_mps2, float(verdict.warning), verdict.margin)
            )
            rules.append(verdict.rule if brakes else "")
            car.step(verdict.command.accel_mps2, brakes)
        jerk = (truth.ego.accel_mps2 - last_accel) / PLAN_STEP_S
        last_accel = truth.ego.accel_mps2
        reason = Reason.GUARD if verdicts else Reason.NONE
        episode.ticks.append(Tick(truth, None, verdict.command, tuple(verdicts), reason, jerk))
        truth = world.step(car.truth())
        episode.end = world.over or car.over(truth.t_ns / NS_PER_S)
    return Guarded(episode, world.names, np.array(asked), tuple(rules))


class _Car:
    """Our car on the file's path: by the file's clock, and once braked, by its own brakes."""

    def __init__(self, course: Course, platform: Platform) -> None:
        self.course, self.platform = course, platform
        self.parameters = dynamics.parameters(platform)
        self.t_s = 0.0
        self.rolling: FloatArray | None = None  # of `dynamics`, straight ahead, once braked
        self.begin_m = 0.0
        self.sign = 1.0
        self.braked_s = 0.0
        self.rests_s = 0.0

    def _motion(self) -> tuple[float, float, float]:
        """(way, speed, acceleration), the last two along the car."""
        if self.rolling is None:
            return self.course.gone(self.t_s)
        m = self.rolling
        speed, accel = float(m[dynamics.SPEED]), float(m[dynamics.ACCEL])
        return self.begin_m + float(m[dynamics.X]), self.sign * speed, self.sign * accel

    def truth(self) -> EgoTruth:
        way, speed, accel = self._motion()
        x, y, heading, bend = self.course.pose(way)
        steer = math.atan(bend * self.platform.wheelbase_m)
        heading = math.remainder(heading, 2.0 * math.pi)
        return EgoTruth(x, y, heading, speed, accel, speed * speed * bend, speed * bend, steer)

    def command(self, t_ns: int) -> Command:
        """What the person asks for: the file's way; once braked, nothing."""
        way, _, accel = self._motion()
        wanted = accel if self.rolling is None else 0.0
        return Command(t_ns, wanted, self.course.pose(way)[3], Indicator.OFF)

    def step(self, accel_mps2: float, braked: bool) -> None:
        """One base step under a command."""
        if braked and self.rolling is None:
            self.begin_m, speed, _ = self._motion()
            self.sign = -1.0 if speed < 0.0 else 1.0
            self.rolling = dynamics.initial(self.platform, 0.0, 0.0, 0.0, abs(speed))
        if self.rolling is not None:
            pushed = min(0.0, self.sign * accel_mps2)
            self.rolling = dynamics.step(self.parameters, self.rolling, pushed, 0.0, BASE_STEP_S)
            stands = self.rolling[dynamics.SPEED] < STANDS_MPS
            self.rests_s = self.rests_s + BASE_STEP_S if stands else 0.0
        self.t_s += BASE_STEP_S
        self.braked_s = self.t_s if braked else self.braked_s

    def over(self, now_s: float) -> str:
        """Why there is nothing more to see, "" if there is."""
        if self.rolling is None:
            return WAY_OVER if now_s >= self.course.t_s[-1] else ""
        if self.rests_s >= STANDS_S:
            return RESTS
        calm = now_s - self.braked_s > CALM_S
        late = now_s > self.course.t_s[-1] + LONGER_S
        return LET_GO if calm or late else ""


def _episode(play: Play, platform: Platform, label: str, car: _Car) -> Episode:
    course = car.course
    line = np.column_stack((course.x_m, course.y_m))
    begin, end = line[0].tolist(), line[-1].tolist()
    return Episode(
        road_map=play.road_map, platform=platform, driver=NOBODY, seed=0, traffic=label,
        start_xy_m=(begin[0], begin[1]), goal_xy_m=(end[0], end[1]), goal_lane=NONE, goal_s_m=0.0,
        route_xy_m=line, route_length_m=float(course.way_m[-1]),
    )  # fmt: skip
