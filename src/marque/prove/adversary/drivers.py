"""Five drivers that mean harm. Each drives its lane for a while, blind to others, and then turns.

They hand a plan to the guard each 100 ms and a command each 20 ms, as the stack does, and may know
the truth. Nothing of what they say can be relied on: a fall-back may lead into others.
"""

import math
from dataclasses import replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.time import PLAN_STEP_NS, nanoseconds
from marque.prove.adversary.way import Way
from marque.stack.control.tracking import ControlMemory, control
from marque.types.codes import Indicator, Reason
from marque.types.command import Command
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.platform import Platform
from marque.types.reading import EgoReading
from marque.types.world import World

DRIVERS = ("random", "accelerate", "steer", "frozen", "nan")
SANE_S = (0.5, 3.0)  # it drives well for so long
STOPS_MPS2, STOPS_S = 4.5, 7.0  # braking of its fall-backs, and the longest they take
GAIN_MPS2, FULL_MPS2 = 1.0, 4.0
VALID_NS = 8_000_000_000
LATERAL_MPS2 = 2.9  # steers as hard as the envelope lets it
TURNS_1PM = 0.15
TARGET_M = 60.0
REDRAW_S = (0.1, 1.0)


class Adversary:
    """One driver on one drive; everything drawn comes from its seed."""

    def __init__(self, kind: str, seed: list[int], way: Way, platform: Platform) -> None:
        self.kind, self.way, self.platform = kind, way, platform
        self.rng = np.random.default_rng(seed)
        self.turns_ns = nanoseconds(float(self.rng.uniform(*SANE_S)))
        self.mode = int(self.rng.integers(3))  # how it does what it does
        self.steering = ControlMemory()
        self.target = -1  # the uid that it steers at
        self.until_ns, self.drawn = -1, (0.0, 0.0, 0)
        self.kept: tuple[Plan | None, Command | None] = (None, None)
        self.bend = 0.0

    @property
    def words(self) -> str:
        """What it does, in words."""
        how = {
            "random": ("plans well", "plans at random", "plans now and then"),
            "accelerate": ("and follows bends", "and follows bends", "and goes straight on"),
            "steer": ("by its plans", "by its commands", "by both, and speeds up"),
            "frozen": ("says nothing new", "repeats one command", "repeats plan and command"),
            "nan": ("in commands", "in plans", "now and then"),
        }
        return f"{self.kind}, {how[self.kind][self.mode]}"

    def plan(self, world: World, before: Plan | None) -> Plan | None:
        """The plan in force from now on; None: none comes."""
        t_ns = world.t_ns
        sane = self._sane(world, GAIN_MPS2, False)
        if t_ns < self.turns_ns:
            return sane
        if self.kept[0] is None:
            self.kept = (before, self.kept[1])
        return getattr(self, f"_plan_{self.kind}")(world, sane)  # type: ignore[no-any-return]

    def command(self, ego: EgoReading, plan: Plan | None, t_ns: int) -> Command:
        """What it asks of the car for 20 ms."""
        told = Command(t_ns, 0.0, 0.0, Indicator.OFF)
        if plan is not None and np.isfinite(plan.trajectory.speed_mps).all():
            self.steering, told = control(self.steering, ego, plan, self.platform, t_ns)
        if t_ns < self.turns_ns:
            self.kept = (None, told)
            return told
        made: Command = getattr(self, f"_command_{self.kind}")(ego, told, t_ns)
        return made

    # -- plans

    def _sane(self, world: World, gain: float, free: bool) -> Plan:
        ego = world.ego
        s_m = self.way.place_m(ego.x_m, ego.y_m)
        go = self.way.roll(s_m, ego.speed_mps, gain, 0.0, free)
        braking = max(STOPS_MPS2, ego.speed_mps / STOPS_S)
        stop = self.way.roll(s_m, ego.speed_mps, 0.0, braking, False)
        return plan_of(go, stop, world.t_ns)

    def _plan_accelerate(self, world: World, sane: Plan) -> Plan | None:
        return self._sane(world, FULL_MPS2, True)

    def _plan_random(self, world: World, sane: Plan) -> Plan | None:
        self._draw(world.t_ns)
        if self.mode == 0 or (self.mode == 2 and self.drawn[2] == 0):
            return sane
        if self.drawn[2] == 1:
            return None
        return self._bent(world, self.drawn[1], self.drawn[0])

    def _plan_steer(self, world: World, sane: Plan) -> Plan | None:
        self.bend = self._towards(world)
        if self.mode == 1:
            return sane
        return self._bent(world, self.bend, 2.0 if self.mode == 2 else 0.0)

    def _plan_frozen(self, world: World, sane: Plan) -> Plan | None:
        kept = self.kept[0]
        if self.mode < 2 or kept is None:
            return kept
        return replace(kept, t_ns=world.t_ns, valid_until_ns=world.t_ns + VALID_NS)

    def _plan_nan(self, world: World, sane: Plan) -> Plan | None:
        if self.mode == 0 or (self.mode == 2 and self.rng.random() < 0.5):
            return sane
        broken = sane.trajectory.x_m.copy()
        broken[int(self.rng.integers(len(broken)))] = np.nan
        return replace(sane, trajectory=replace(sane.trajectory, x_m=broken))

    def _bent(self, world: World, bend: float, gain: float) -> Plan:
        """An arc from where the car is, and a fall-back that brakes on the same arc."""
        ego = world.ego
        at = (ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps)
        braking = max(STOPS_MPS2, ego.speed_mps / STOPS_S)
        return plan_of(arc(at, bend, gain), arc(at, bend, -braking), world.t_ns)

    def _towards(self, world: World) -> float:
        """Curvature of the arc to whom it steers at, where he will be; as hard as it may."""
        ego, users = world.ego, world.users
        away = np.hypot(users.x_m - ego.x_m, users.y_m - ego.y_m)
        near = np.flatnonzero(away < TARGET_M)
        if self.target not in users.uid[near] and len(near):
            self.target = int(users.uid[near[int(self.rng.integers(len(near)))]])
        found = np.flatnonzero(users.uid == self.target)
        if not len(found):
            return 0.0
        i = int(found[0])
        soon_s = float(away[i]) / max(3.0, ego.speed_mps + float(users.speed_mps[i]))
        x = users.x_m[i] + soon_s * users.speed_mps[i] * math.cos(users.heading_rad[i]) - ego.x_m
        y = users.y_m[i] + soon_s * users.speed_mps[i] * math.sin(users.heading_rad[i]) - ego.y_m
        angle = wrap_angle(math.atan2(y, x) - ego.heading_rad)
        bend = 2.0 * math.sin(angle) / max(3.0, math.hypot(x, y))
        most = min(TURNS_1PM, LATERAL_MPS2 / max(1.0, ego.speed_mps**2))
        return float(min(most, max(-most, bend)))

    # -- commands

    def _command_accelerate(self, ego: EgoReading, told: Command, t_ns: int) -> Command:
        bend = 0.0 if self.mode == 2 else told.curvature_1pm
        return replace(told, accel_mps2=FULL_MPS2, curvature_1pm=bend)

    def _command_random(self, ego: EgoReading, told: Command, t_ns: int) -> Command:
        self._draw(t_ns)
        return replace(told, accel_mps2=self.drawn[0], curvature_1pm=self.drawn[1])

    def _command_steer(self, ego: EgoReading, told: Command, t_ns: int) -> Command:
        if self.mode == 0:
            return told
        return replace(told, accel_mps2=2.0 * (self.mode - 1), curvature_1pm=self.bend)

    def _command_frozen(self, ego: EgoReading, told: Command, t_ns: int) -> Command:
        kept = self.kept[1]
        if kept is None:
            return told
        return kept if self.mode == 0 else replace(kept, t_ns=t_ns)

    def _command_nan(self, ego: EgoReading, told: Command, t_ns: int) -> Command:
        if self.mode == 1 or (self.mode == 2 and self.rng.random() < 0.5):
            return told
        return replace(told, curvature_1pm=math.nan)

    def _draw(self, t_ns: int) -> None:
        """Something else, every now and then."""
        if t_ns >= self.until_ns:
            rng = self.rng
            self.until_ns = t_ns + nanoseconds(float(rng.uniform(*REDRAW_S)))
            bend = float(rng.normal(0.0, 0.05))
            self.drawn = (float(rng.uniform(-9.0, 6.0)), bend, int(rng.integers(3)))


def arc(at: tuple[float, float, float, float], bend: float, accel: float) -> Trajectory:
    """An arc at constant acceleration, to rest; at: x, y, heading, speed."""
    x, y, heading, speed = at
    t = STEP_S * np.arange(STEPS)
    ends_s = speed / -accel if accel < 0.0 else math.inf
    run = np.minimum(t, ends_s)
    s: FloatArray = speed * run + 0.5 * accel * run * run
    v = np.maximum(0.0, speed + accel * run)
    turned = heading + bend * s
    chord = s * np.sinc(0.5 * bend * s / math.pi)
    middle = heading + 0.5 * bend * s
    return Trajectory(
        x_m=x + chord * np.cos(middle),
        y_m=y + chord * np.sin(middle),
        heading_rad=turned,
        curvature_1pm=np.full(STEPS, bend),
        s_m=s,
        speed_mps=v,
        accel_mps2=np.where(t < ends_s, accel, 0.0),
    )


def plan_of(go: Trajectory, stop: Trajectory, t_ns: int) -> Plan:
    """A plan in force from now."""
    return Plan(
        made_ns=t_ns - PLAN_STEP_NS, t_ns=t_ns, trajectory=go, fallback=stop,
        valid_until_ns=t_ns + VALID_NS, manoeuvre="keep", reason=Reason.NONE, reason_uid=-1,
        indicator=Indicator.OFF, margins=(),
    )  # fmt: skip
