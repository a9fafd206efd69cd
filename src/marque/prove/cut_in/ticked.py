"""Cut-ins played once more through `stack.tick`: does the product's guard do what the grid says?

The whole machine runs, with the reference platform, a driver that only keeps the speed which the
car has, and exact object states each 100 ms; the grid's own recurrence moves the cars. Contact and
every acceleration that the guard asks for are compared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import PLAN_STEP_NS
from marque.guard import path as paths
from marque.guard.guard import GuardMemory
from marque.kernels.tables import map_tables
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import open_ground
from marque.prove.cut_in import play as played
from marque.prove.cut_in.play import CAR_LENGTH_M, CAR_WIDTH_M, STEP_S, Platform
from marque.stack.control.tracking import ControlMemory
from marque.stack.perception.direct import PerceptionMemory
from marque.stack.tick import StackMemory, tick
from marque.types import platform as cars
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.forecast import Forecast
from marque.types.plan import STEP_S as PLAN_S
from marque.types.plan import STEPS, Plan, Trajectory
from marque.types.reading import Detections, EgoReading, Reading, SignalReading
from marque.types.scene import Scene
from marque.types.verdict import Action

SAME_MPS2 = 1e-6
LONGEST = 400  # steps


@dataclass(frozen=True, slots=True)
class Compared:
    """One case both ways."""

    number: int
    grid: str  # kind of contact, "" for none
    tick: str
    worst_mps2: float  # between what the guard asked for

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.grid == self.tick and self.worst_mps2 <= SAME_MPS2


def compare(row: FloatArray, car: Platform, play: Callable[..., Any] = played.play) -> Compared:
    """A case [5] of `Cases.rows` both ways; play: `play`, compiled or not."""
    trace = np.zeros((LONGEST, 2))
    v, f, gap, lateral, number = row.tolist()
    silent = (0.0, 0.0, 0.0, 0.0)
    straight = paths.arc(0.0, 0.0, 0.0, 0.0)
    case = (v, f, gap, lateral)
    kind, *_ = play(case, car.numbers(), (STEP_S, 1), silent, straight, trace)
    other, asked = through_tick(case, car)
    away = np.abs(asked - trace[: len(asked), 0])
    away[np.isneginf(asked)] = 0.0
    worst = float(away.max(initial=0.0))
    return Compared(int(number), played.KINDS[kind], played.KINDS[other], worst)


def through_tick(case: tuple[float, float, float, float], car: Platform) -> tuple[int, FloatArray]:
    """(kind of contact, what the guard let through [T] each step) of one case; -inf where the car
    stands and its own driver holds it."""
    v, f, gap, lateral = case
    late = round(car.brake_late_s / STEP_S)
    began = played.first_step(lateral, STEP_S)
    start = began - round(played.BEFORE_S / STEP_S)
    ahead = gap + CAR_LENGTH_M + (v - f) * -start * STEP_S
    x, a = 0.0, 0.0
    asked: list[float] = []
    rests: list[bool] = []  # the car stands and its driver holds it: no affair of the guard
    foot = _Foot()
    stack = _stack(car, foot, _keep(0, 0.0, v))
    before = (float("inf"), ahead)
    for k in range(start, round(played.AFTER_S / STEP_S)):
        n = k - start
        aside, drift = played.other_at(k * STEP_S, lateral)
        if played.overlaps(ahead, aside):
            return played.kind_of(ahead, *before), np.where(rests, -np.inf, asked)
        if k > began and (played.over(aside, v, f) or (ahead <= -CAR_LENGTH_M and v >= f)):
            break
        acts = asked[n - late] if n >= late > 0 else 0.0
        after = played.towards(a, acts, car.ramp_mps3 * STEP_S, car.brake_mps2)
        soon = max(0.0, v + after * STEP_S)
        foot.soon = (x + soon * STEP_S, soon)
        stack, decision = tick(
            stack, _reading(n * PLAN_STEP_NS, (x, v, a), (ahead, aside, f, drift))
        )
        asked.append(decision.verdict.command.accel_mps2)
        rests.append(v == 0.0 and decision.verdict.action == Action.PASS)
        before = (aside, ahead)
        a, v = after, soon
        x += v * STEP_S
        ahead += (f - v) * STEP_S
    return played.NO_CONTACT, np.where(rests, -np.inf, asked)


@dataclass(slots=True)
class _Foot:
    """A driver that keeps whatever speed the car will have when the plan comes into force."""

    soon: tuple[float, float] = field(default=(0.0, 0.0))  # place and speed

    def start(self, mission: object) -> None:
        """It needs none."""

    def drive(self, memory: Any, scene: Scene, forecast: Forecast) -> tuple[Any, Plan]:
        """Straight on."""
        return memory, _keep(scene.t_ns + PLAN_STEP_NS, *self.soon)


def _keep(t_ns: int, x: float, speed: float) -> Plan:
    t = np.linspace(0.0, PLAN_S * (STEPS - 1), STEPS)
    hard = max(2.5, speed / (0.9 * t[-1]))
    stops = np.minimum(t, speed / hard)
    return Plan(
        made_ns=t_ns - PLAN_STEP_NS,
        t_ns=t_ns,
        trajectory=_straight(x, speed * t, np.full(STEPS, speed), np.zeros(STEPS)),
        fallback=_straight(
            x, speed * stops - 0.5 * hard * stops * stops, speed - hard * stops,
            np.where(t < speed / hard, -hard, 0.0),
        ),
        valid_until_ns=t_ns + 5 * PLAN_STEP_NS,
        manoeuvre="keep",
        reason=Reason.NONE,
        reason_uid=-1,
        indicator=Indicator.OFF,
        margins=(),
    )  # fmt: skip


def _straight(x: float, s: FloatArray, speed: FloatArray, accel: FloatArray) -> Trajectory:
    nothing = np.zeros(STEPS)
    return Trajectory(x + s, nothing, nothing.copy(), nothing.copy(), s, speed, accel)


def _stack(car: Platform, foot: _Foot, plan: Plan) -> StackMemory:
    ground = open_ground("no map", "", "")
    return StackMemory(
        platform=platform_of(car),
        tables=map_tables(ground),
        driver=foot,
        perception=PerceptionMemory(ground, LaneIndex(ground)),
        driving=None,
        control=ControlMemory(),
        guard=GuardMemory(),
        plan=plan,
    )


def platform_of(car: Platform) -> cars.Platform:
    """A car of the grid's size, its ego point in the middle, with these brakes."""
    wheel, drive = cars.Actuator(0.04, 0.08, 0.5), cars.Actuator(0.04, 0.08, 15.0)
    return cars.Platform(
        name="cut_in_reference",
        title="reference platform of the cut-in grid",
        powertrain="electric",
        length_m=CAR_LENGTH_M,
        width_m=CAR_WIDTH_M,
        height_m=1.5,
        wheelbase_m=2.7,
        rear_overhang_m=0.5 * CAR_LENGTH_M,
        mass_kg=1500.0,
        yaw_inertia_kgm2=2500.0,
        cog_to_rear_axle_m=1.35,
        cog_height_m=0.5,
        cornering_stiffness_1prad=18.0,
        friction=1.0,
        understeer_rads2pm=0.002,
        max_steer_rad=0.6,
        steer=wheel,
        drive=drive,
        brake=cars.Actuator(car.brake_late_s, 0.0, car.ramp_mps3),
        max_accel_mps2=3.0,
        max_power_w=1e5,
        max_brake_mps2=car.brake_mps2,
        max_speed_mps=70.0,
    )


def _reading(
    t_ns: int, own: tuple[float, float, float], other: tuple[float, float, float, float]
) -> Reading:
    seen = np.zeros(4)
    played.see(seen, own[0] + other[0], other[1], other[2], other[3])
    found = Detections(
        t_ns=t_ns,
        uid=np.array([1]),
        kind=np.array([UserKind.CAR], np.int8),
        x_m=seen[:1].copy(),
        y_m=seen[1:2].copy(),
        heading_rad=seen[2:3].copy(),
        speed_mps=seen[3:].copy(),
        accel_mps2=np.zeros(1),
        length_m=np.array([CAR_LENGTH_M]),
        width_m=np.array([CAR_WIDTH_M]),
        indicator=np.array([Indicator.OFF], np.int8),
    )
    ego = EgoReading(t_ns, own[0], 0.0, 0.0, own[1], own[2], 0.0, 0.0)
    return Reading(t_ns, ego, found, SignalReading(t_ns, np.zeros(0, np.int8)))
