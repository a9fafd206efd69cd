"""Freshness: what is too old, out of order or not a number is not driven on.

1. The command, the ego reading and every detection are finite numbers.
2. Stamps never run backwards and are never later than now by more than one base step.
3. The command and the ego reading are at most 30 ms old, the detections at most 200 ms.
4. The plan in force began at most 150 ms ago and has not expired. Plans begin 100 ms apart, so
   one lost plan is noticed 50 ms after its successor should have begun. Before the first plan the
   150 ms count from the first reading.
5. A plan is adopted only if it is not too old yet, begins not before its predecessor, is finite,
   and its fall-back starts where the car is, has no jumps, asks nothing the car cannot do, and
   ends standing.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.core.time import BASE_STEP_NS
from marque.types.command import Command
from marque.types.plan import STEP_S, Plan, Trajectory
from marque.types.platform import Platform
from marque.types.reading import EgoReading, Reading

MS = 1_000_000
COMMAND_NS = 30 * MS
EGO_NS = 30 * MS
OBJECTS_NS = 200 * MS
PLAN_NS = 150 * MS

START_OFFSET_M = 1.0  # a fall-back further off than this is not for this car
STAND_MPS = 0.3  # last speed of a fall-back that counts as standing
JUMP_M = 0.3  # beyond what its speed explains, between two samples
LATERAL_MPS2 = 5.0  # most that a fall-back may ask


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """The newest stamps seen, and the first reading's; -1 before the first."""

    began_ns: int = -1
    reading_ns: int = -1
    ego_ns: int = -1
    objects_ns: int = -1


def seen(stamps: Stamps, reading: Reading) -> Stamps:
    """The stamps after a reading; they only grow."""
    return Stamps(
        stamps.began_ns if stamps.began_ns >= 0 else reading.t_ns,
        max(stamps.reading_ns, reading.t_ns),
        max(stamps.ego_ns, reading.ego.t_ns),
        max(stamps.objects_ns, reading.detections.t_ns),
    )


def ego_fault(stamps: Stamps, reading: Reading) -> str:
    """Why the ego reading may not be used, "" if it may."""
    ego = reading.ego
    if not math.isfinite(_ego_sum(ego)):
        return "ego_not_finite"
    if reading.t_ns < stamps.reading_ns or ego.t_ns < stamps.ego_ns:
        return "ego_stamp_back"
    if ego.t_ns > reading.t_ns + BASE_STEP_NS:
        return "ego_stamp_ahead"
    return "ego_stale" if reading.t_ns - ego.t_ns > EGO_NS else ""


def objects_fault(stamps: Stamps, reading: Reading) -> str:
    """Why the detections may not be used, "" if they may."""
    found = reading.detections
    if not _objects_finite(
        found.x_m, found.y_m, found.heading_rad, found.speed_mps, found.length_m, found.width_m
    ):
        return "objects_not_finite"
    if found.t_ns < stamps.objects_ns:
        return "objects_stamp_back"
    if found.t_ns > reading.t_ns + BASE_STEP_NS:
        return "objects_stamp_ahead"
    return "objects_stale" if reading.t_ns - found.t_ns > OBJECTS_NS else ""


def command_fault(reading: Reading, command: Command) -> str:
    """Why the command may not be passed on, "" if it may."""
    if not math.isfinite(command.accel_mps2 + command.curvature_1pm):
        return "command_not_finite"
    return "command_stale" if abs(reading.t_ns - command.t_ns) > COMMAND_NS else ""


def plan_fault(now_ns: int, adopted: Plan | None, began_ns: int) -> str:
    """Why there is no plan that may be driven, "" if there is, or if it is too early to say.

    began_ns: the first reading's stamp, from which the first plan is waited for.
    """
    since_ns = began_ns if adopted is None else adopted.t_ns
    if now_ns - since_ns > PLAN_NS:
        return "no_plan" if adopted is None else "plan_stale"
    return "plan_expired" if adopted is not None and now_ns > adopted.valid_until_ns else ""


def offer_fault(
    now_ns: int, adopted: Plan | None, offered: Plan, ego: EgoReading, platform: Platform
) -> str:
    """Why an offered plan is not adopted, "" if it is."""
    if offered.t_ns > now_ns + BASE_STEP_NS:
        return "plan_stamp_ahead"
    if adopted is not None and offered.t_ns < adopted.t_ns:
        return "plan_stamp_back"
    if now_ns - offered.t_ns > PLAN_NS:  # else the stop would begin anew with each late plan
        return "plan_stale"
    if not (_sound(offered.trajectory) and _sound(offered.fallback)):
        return "plan_not_finite"
    return fallback_fault(offered.fallback, ego, platform)


def fallback_fault(fallback: Trajectory, ego: EgoReading, platform: Platform) -> str:
    """Why a finite fall-back cannot be driven from here, "" if it can."""
    f = fallback
    code = _drivable(
        f.x_m,
        f.y_m,
        f.curvature_1pm,
        f.speed_mps,
        f.accel_mps2,
        ego.x_m,
        ego.y_m,
        platform.max_brake_mps2,
    )
    return ("", "fallback_elsewhere", "fallback_jumps", "fallback_too_hard", "fallback_no_stop")[
        code
    ]


def _ego_sum(ego: EgoReading) -> float:
    return (
        ego.x_m
        + ego.y_m
        + ego.heading_rad
        + ego.speed_mps
        + ego.accel_mps2
        + ego.yaw_rate_radps
        + ego.steer_rad
    )


def _sound(t: Trajectory) -> bool:
    """Whether all columns of a trajectory are finite and equally long (two samples at least)."""
    columns = (t.x_m, t.y_m, t.heading_rad, t.curvature_1pm, t.s_m, t.speed_mps, t.accel_mps2)
    count = len(t.s_m)
    if count < 2 or any(column.shape != (count,) for column in columns):
        return False
    return all(bool(np.isfinite(column).all()) for column in columns)


@jit
def _objects_finite(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    speed: FloatArray,
    length: FloatArray,
    width: FloatArray,
) -> bool:
    total = 0.0
    for i in range(len(x)):
        total += x[i] + y[i] + heading[i] + speed[i] + length[i] + width[i]
    return math.isfinite(total)


@jit
def _drivable(
    x: FloatArray,
    y: FloatArray,
    curvature: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
    ego_x: float,
    ego_y: float,
    max_brake: float,
) -> int:
    """0 if a fall-back can be driven, else the number of its fault."""
    last = len(x) - 1
    near = np.inf
    fault = 0
    for i in range(last):
        near = min(near, _distance(x[i], y[i], x[i + 1], y[i + 1], ego_x, ego_y))
        step = math.hypot(x[i + 1] - x[i], y[i + 1] - y[i])
        if step > max(speed[i], speed[i + 1]) * STEP_S + JUMP_M:
            fault = 2
        lateral = speed[i] * speed[i] * abs(curvature[i])
        if accel[i] < -max_brake - 1e-6 or lateral > LATERAL_MPS2:
            fault = max(fault, 3)
    if near > START_OFFSET_M:
        return 1
    if fault == 0 and speed[last] > STAND_MPS:
        return 4
    return fault


@jit
def _distance(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> float:
    """From (x, y) to the segment a-b."""
    ux = bx - ax
    uy = by - ay
    t = ((x - ax) * ux + (y - ay) * uy) / max(1e-12, ux * ux + uy * uy)
    t = min(1.0, max(0.0, t))
    return math.hypot(x - ax - t * ux, y - ay - t * uy)
