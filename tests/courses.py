"""Courses to drive: a smooth path by its curvature, and a jerk-limited speed over time."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.stack.control.tracking import ControlMemory, control
from marque.types.codes import Indicator, Reason
from marque.types.plan import STEP_S, STEPS, Plan, Trajectory
from marque.types.platform import Platform
from marque.types.reading import EgoReading
from marque.vehicle import dynamics

FINE_S = 0.02
SPACING_M = 0.05


@dataclass(frozen=True)
class Course:
    """Speed over time [N] each FINE_S; path by arc length [M] each SPACING_M."""

    t_s: FloatArray
    s_m: FloatArray
    speed_mps: FloatArray
    accel_mps2: FloatArray
    path_s_m: FloatArray
    path: FloatArray  # [M, 4] x, y, heading, curvature

    @property
    def duration_s(self) -> float:
        return float(self.t_s[-1])


def course(jerk_mps3: FloatArray, start_mps: float, curvature_1pm: FloatArray) -> Course:
    """From a jerk [N] each FINE_S and a curvature [M] each SPACING_M."""
    accel = np.concatenate(([0.0], np.cumsum(jerk_mps3) * FINE_S))
    speed = start_mps + _integral(accel, FINE_S)
    speed = np.maximum(0.0, np.where(np.abs(speed) < 1e-9, 0.0, speed))
    s = _integral(speed, FINE_S)
    heading = _integral(curvature_1pm, SPACING_M)
    x = _integral(np.cos(heading), SPACING_M)
    y = _integral(np.sin(heading), SPACING_M)
    return Course(
        t_s=np.arange(len(accel)) * FINE_S,
        s_m=s,
        speed_mps=speed,
        accel_mps2=accel,
        path_s_m=np.arange(len(x)) * SPACING_M,
        path=np.column_stack((x, y, heading, curvature_1pm)),
    )


def _integral(values: FloatArray, step: float) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(0.5 * step * (values[1:] + values[:-1]))))


def ramp(pieces: list[tuple[float, float]], step: float) -> FloatArray:
    """A profile that is constant by pieces of (length, value)."""
    return np.concatenate([np.full(round(length / step), value) for length, value in pieces])


def smooth_curvature(pieces: list[tuple[float, float]]) -> FloatArray:
    """Linear between knots of (distance to the next knot, curvature there)."""
    at = np.concatenate(([0.0], np.cumsum([length for length, _ in pieces])))
    knots = np.array([value for _, value in pieces] + [pieces[-1][1]])
    grid = np.arange(0.0, at[-1], SPACING_M)
    return np.asarray(np.interp(grid, at, knots))


def trapezoid(change_mps: float, accel_mps2: float, jerk_mps3: float) -> list[tuple[float, float]]:
    """Pieces of jerk that change the speed by `change_mps` and end without acceleration."""
    sign = 1.0 if change_mps >= 0.0 else -1.0
    peak = min(accel_mps2, math.sqrt(abs(change_mps) * jerk_mps3))
    rise = round(peak / jerk_mps3 / FINE_S) * FINE_S
    peak = rise * jerk_mps3
    flat = round(max(0.0, abs(change_mps) / peak - rise) / FINE_S) * FINE_S
    fix = abs(change_mps) / (peak * (rise + flat))  # what rounding took
    j = sign * jerk_mps3 * fix
    return [(rise, j), (flat, 0.0), (rise, -j)]


def sample(course: Course, t_s: FloatArray) -> Trajectory:
    """The course at given times (held at its end) as a trajectory."""
    s = np.interp(t_s, course.t_s, course.s_m)
    columns = [np.interp(s, course.path_s_m, course.path[:, i]) for i in range(4)]
    return Trajectory(
        x_m=columns[0],
        y_m=columns[1],
        heading_rad=(columns[2] + math.pi) % (2.0 * math.pi) - math.pi,
        curvature_1pm=columns[3],
        s_m=s - s[0],
        speed_mps=np.interp(t_s, course.t_s, course.speed_mps, right=0.0),
        accel_mps2=np.interp(t_s, course.t_s, course.accel_mps2, right=0.0),
    )


def plan_at(course: Course, t_s: float) -> Plan:
    """The plan whose sample 0 is the course at `t_s`; the fall-back is the same path."""
    trajectory = sample(course, t_s + STEP_S * np.arange(STEPS))
    t_ns = round(t_s * 1e9)
    return Plan(
        made_ns=t_ns - 100_000_000,
        t_ns=t_ns,
        trajectory=trajectory,
        fallback=trajectory,
        valid_until_ns=t_ns + 500_000_000,
        manoeuvre="keep",
        reason=Reason.NONE,
        reason_uid=-1,
        indicator=Indicator.OFF,
        margins=(),
    )


def reading_of(memory: FloatArray, t_ns: int) -> EgoReading:
    """What a perfect sensor tells of a car."""
    m = dynamics.ego_truth(memory)
    return EgoReading(
        t_ns=t_ns,
        x_m=m.x_m,
        y_m=m.y_m,
        heading_rad=m.heading_rad,
        speed_mps=m.speed_mps,
        accel_mps2=m.accel_mps2,
        yaw_rate_radps=m.yaw_rate_radps,
        steer_rad=m.steer_rad,
    )


@dataclass(frozen=True)
class Drive:
    """What came of a course, one row each 20 ms: [N] arrays."""

    t_s: FloatArray
    offset_m: FloatArray  # left of the path
    lag_m: FloatArray  # planned place minus driven place
    speed_error_mps: FloatArray
    speed_mps: FloatArray
    accel_mps2: FloatArray
    lat_accel_mps2: FloatArray
    accel_cmd_mps2: FloatArray
    curvature_cmd_1pm: FloatArray

    def jerk_rms_mps3(self) -> float:
        """From acceleration at 10 Hz."""
        return rms(np.diff(self.accel_mps2[::5]) / 0.1)


def rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values * values)))


def drive(platform: Platform, course: Course, *, extra_s: float = 3.0, start: float = 0.0) -> Drive:
    """Track a course from its start, with a plan each 100 ms; `start`: offset to the left."""
    p = dynamics.parameters(platform)
    car = dynamics.initial(platform, 0.0, start, 0.0, float(course.speed_mps[0]))
    memory = ControlMemory()
    rows = []
    plan = plan_at(course, 0.0)
    for i in range(round((course.duration_s + extra_s) / FINE_S)):
        t_s = i * FINE_S
        if i % 5 == 0:
            plan = plan_at(course, t_s)
        memory, command = control(
            memory, reading_of(car, round(t_s * 1e9)), plan, platform, round(t_s * 1e9)
        )
        car = dynamics.step(p, car, command.accel_mps2, command.curvature_1pm, FINE_S)
        rows.append(
            (*_errors(course, car, t_s + FINE_S), command.accel_mps2, command.curvature_1pm)
        )
    return Drive(*np.array(rows).T.copy())


def _errors(course: Course, car: FloatArray, t_s: float) -> tuple[float, ...]:
    m = dynamics.ego_truth(car)
    planned = float(np.interp(t_s, course.t_s, course.s_m))
    near = max(0, int((planned - 5.0) / SPACING_M))
    window = course.path[near : near + int(10.0 / SPACING_M)]
    i = int(np.argmin((window[:, 0] - m.x_m) ** 2 + (window[:, 1] - m.y_m) ** 2))
    x, y, heading, _ = window[i]
    along = (m.x_m - x) * math.cos(heading) + (m.y_m - y) * math.sin(heading)
    left = (m.y_m - y) * math.cos(heading) - (m.x_m - x) * math.sin(heading)
    speed = float(np.interp(t_s, course.t_s, course.speed_mps, right=0.0))
    place = (near + i) * SPACING_M + along
    return (
        t_s,
        left,
        planned - place,
        speed - m.speed_mps,
        m.speed_mps,
        m.accel_mps2,
        m.lat_accel_mps2,
    )
