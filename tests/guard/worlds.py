"""A car with the guard in the loop, on a given path, among road users that are given by rules."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from courses import reading_of
from marque.core.arrays import FloatArray
from marque.core.geometry import boxes_overlap
from marque.guard.guard import GuardMemory, guard
from marque.stack.control.tracking import ControlMemory, control
from marque.types.codes import Indicator, Reason, UserKind
from marque.types.command import Command
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.platform import Platform
from marque.types.reading import Detections, Reading, SignalReading
from marque.types.verdict import Action, Verdict
from marque.vehicle import dynamics
from marque.vehicle.catalog import load_platform

CAR = load_platform("saloon_ev")
SUV = load_platform("suv_erev")
DT_NS = 20_000_000


@dataclass(frozen=True)
class User:
    """A road user: middle of its box."""

    x: float
    y: float
    heading: float = 0.0
    speed: float = 0.0
    length: float = 4.5
    width: float = 1.8
    kind: UserKind = UserKind.CAR

    def after(self, t_s: float) -> "User":
        """The same, `t_s` later, straight on."""
        return replace(
            self,
            x=self.x + self.speed * t_s * math.cos(self.heading),
            y=self.y + self.speed * t_s * math.sin(self.heading),
        )


def detections(users: list[User], t_ns: int) -> Detections:
    """A sensor's list."""

    def column(name: str) -> FloatArray:
        return np.array([float(getattr(u, name)) for u in users])

    return Detections(
        t_ns=t_ns,
        uid=np.arange(len(users)),
        kind=np.array([u.kind for u in users], dtype=np.int8),
        x_m=column("x"),
        y_m=column("y"),
        heading_rad=column("heading"),
        speed_mps=column("speed"),
        accel_mps2=np.zeros(len(users)),
        length_m=column("length"),
        width_m=column("width"),
        indicator=np.zeros(len(users), dtype=np.int8),
    )


def reading(
    car: FloatArray, users: list[User], t_ns: int, objects_ns: int | None = None
) -> Reading:
    """Everything that is delivered at `t_ns`."""
    return Reading(
        t_ns=t_ns,
        ego=reading_of(car, t_ns),
        detections=detections(users, t_ns if objects_ns is None else objects_ns),
        signals=SignalReading(t_ns=t_ns, state=np.zeros(0, dtype=np.int8)),
    )


def trajectory(
    x: float,
    y: float,
    heading: float,
    speed: float,
    *,
    curvature: float = 0.0,
    accel: float = 0.0,
    roll_s: float = 0.0,
) -> Trajectory:
    """An arc at constant acceleration (after `roll_s` at constant speed) until it stands."""
    t = STEP_S * np.arange(STEPS)
    fine = np.linspace(0.0, t[-1], 100 * (STEPS - 1) + 1)
    pushed = np.maximum(0.0, speed + accel * np.maximum(0.0, fine - roll_s))
    s = np.concatenate(([0.0], np.cumsum(0.5 * (pushed[1:] + pushed[:-1]) * np.diff(fine))))
    s, v = s[::100], pushed[::100]
    turned = heading + curvature * s
    if abs(curvature) < 1e-9:
        xs, ys = x + s * math.cos(heading), y + s * math.sin(heading)
    else:
        xs = x + (np.sin(turned) - math.sin(heading)) / curvature
        ys = y - (np.cos(turned) - math.cos(heading)) / curvature
    return Trajectory(
        x_m=xs,
        y_m=ys,
        heading_rad=turned,
        curvature_1pm=np.full(STEPS, curvature),
        s_m=s,
        speed_mps=v,
        accel_mps2=np.where((v > 0.0) & (t >= roll_s), accel, 0.0),
    )


def plan(go: Trajectory, stop: Trajectory, t_ns: int) -> Plan:
    """A plan in force from `t_ns`."""
    return Plan(
        made_ns=t_ns - 100_000_000,
        t_ns=t_ns,
        trajectory=go,
        fallback=stop,
        valid_until_ns=t_ns + 500_000_000,
        manoeuvre="keep",
        reason=Reason.NONE,
        reason_uid=-1,
        indicator=Indicator.OFF,
        margins=(),
    )


def plan_of(car: FloatArray, t_ns: int, curvature: float = 0.0) -> Plan:
    """Keep the speed on an arc from where the car is; the fall-back brakes with 2.5 m/s^2."""
    m = dynamics.ego_truth(car)
    here = (m.x_m, m.y_m, m.heading_rad, m.speed_mps)
    hard = max(2.5, m.speed_mps / 7.5)
    return plan(
        trajectory(*here, curvature=curvature),
        trajectory(*here, curvature=curvature, accel=-hard),
        t_ns,
    )


def on_arc(curvature: float, s: float, d: float = 0.0) -> tuple[float, float, float]:
    """(x, y, heading) at a place along and `d` left of the arc that starts at the origin."""
    turned = curvature * s
    x, y = s, 0.0
    if abs(curvature) > 1e-9:
        x, y = math.sin(turned) / curvature, (1.0 - math.cos(turned)) / curvature
    return x - d * math.sin(turned), y + d * math.cos(turned), turned


def along_arc(curvature: float, x: float, y: float) -> float:
    """How far along the arc from the origin the place nearest to (x, y) is."""
    if abs(curvature) < 1e-9:
        return x
    return math.atan2(curvature * x, 1.0 - curvature * y) / curvature


def plan_on_road(car: FloatArray, t_ns: int, curvature: float, speed: float) -> Plan:
    """Keep a speed along the arc road; the fall-back brakes on it."""
    m = dynamics.ego_truth(car)
    x, y, heading = on_arc(curvature, along_arc(curvature, m.x_m, m.y_m))
    hard = max(2.5, m.speed_mps / 7.5)
    return plan(
        trajectory(x, y, heading, speed, curvature=curvature),
        trajectory(x, y, heading, m.speed_mps, curvature=curvature, accel=-hard),
        t_ns,
    )


def clear_of(
    platform: Platform,
    speed: float,
    curvature: float,
    traffic: Callable[[float], list[User]],
    seconds: float,
    room: float,
) -> bool:
    """Whether a car that keeps its speed on the arc stays `room` metres clear of everybody."""
    for i in range(round(seconds / 0.1)):
        x, y, h = on_arc(curvature, speed * i * 0.1)
        x, y = x + platform.centre_m * math.cos(h), y + platform.centre_m * math.sin(h)
        size = (platform.length_m + 2.0 * room, platform.width_m + 2.0 * room)
        for u in traffic(i * 0.1):
            if boxes_overlap(x, y, h, *size, u.x, u.y, u.heading, u.length, u.width):
                return False
    return True


@dataclass(frozen=True)
class Run:
    """What came of a run, one entry each 20 ms."""

    cars: list[FloatArray]
    users: list[list[User]]
    verdicts: list[Verdict]

    @property
    def interventions(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.action != Action.PASS]


def run(
    platform: Platform,
    speed: float,
    driver: Callable[[float, FloatArray], tuple[float, float]],
    traffic: Callable[[float, FloatArray], list[User]],
    seconds: float,
    *,
    curvature: float = 0.0,
    planned: Callable[[float], bool] = lambda _t: True,
) -> Run:
    """Drive: `driver(t, car)` commands, `traffic(t, car)` is seen each 100 ms, the guard decides.

    A plan (arc of `curvature`) comes each 100 ms while `planned(t)`.
    """
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, 0.0, 0.0, speed)
    memory = GuardMemory()
    out = Run([], [], [])
    now_plan: Plan | None = None
    seen: list[User] = []
    for i in range(round(seconds / 0.02)):
        t_ns = i * DT_NS
        t_s = i * 0.02
        users = traffic(t_s, car)
        if i % 5 == 0:
            seen = users
            now_plan = plan_of(car, t_ns, curvature) if planned(t_s) else now_plan
        got = reading(car, seen, t_ns, (i - i % 5) * DT_NS)
        accel, bend = driver(t_s, car)
        memory, verdict = guard(
            memory, got, now_plan, Command(t_ns, accel, bend, Indicator.OFF), platform
        )
        out.cars.append(car)
        out.users.append(users)
        out.verdicts.append(verdict)
        car = dynamics.step(p, car, verdict.command.accel_mps2, verdict.command.curvature_1pm, 0.02)
    return out


def drive_road(
    platform: Platform,
    speed: float,
    curvature: float,
    traffic: Callable[[float], list[User]],
    seconds: float,
) -> Run:
    """Drive an arc road with the project's own controller, at constant speed, among others."""
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, 0.0, 0.0, speed)
    car[dynamics.STEER] = dynamics.steer_for(p, curvature, speed)
    car[dynamics.YAW_RATE] = speed * curvature
    ring = slice(dynamics.CURVATURE_RING, dynamics.CURVATURE_RING + dynamics.RING)
    car[ring] = curvature
    watching, steering = GuardMemory(), ControlMemory()
    out = Run([], [], [])
    for i in range(round(seconds / 0.02)):
        t_ns = i * DT_NS
        users = traffic(i * 0.02)
        if i % 5 == 0:
            seen, now_plan = users, plan_on_road(car, t_ns, curvature, speed)
        got = reading(car, seen, t_ns, (i - i % 5) * DT_NS)
        steering, command = control(steering, got.ego, now_plan, platform, t_ns)
        watching, verdict = guard(watching, got, now_plan, command, platform)
        out.cars.append(car)
        out.users.append(users)
        out.verdicts.append(verdict)
        asked = verdict.command
        car = dynamics.step(p, car, asked.accel_mps2, asked.curvature_1pm, 0.02)
    return out


def on_road(curvature: float, s: float, d: float, back: bool = False, **what: Any) -> User:
    """A road user at a place of the arc road, along it or (`back`) against it."""
    x, y, heading = on_arc(curvature, s, d)
    return User(x, y, heading + (math.pi if back else 0.0), **what)


def impact_mps(platform: Platform, got: Run) -> float:
    """Speed at the first contact of a run, -1 if there is none."""
    for car, users in zip(got.cars, got.users, strict=True):
        m = dynamics.ego_truth(car)
        x = m.x_m + platform.centre_m * math.cos(m.heading_rad)
        y = m.y_m + platform.centre_m * math.sin(m.heading_rad)
        size = (platform.length_m, platform.width_m)
        for u in users:
            if boxes_overlap(x, y, m.heading_rad, *size, u.x, u.y, u.heading, u.length, u.width):
                return m.speed_mps
    return -1.0
