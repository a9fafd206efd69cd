"""Lateral motion: from where the car is to an offset beside a centre line, within what a
passenger likes and a steering can do.

A leg is a quintic in the way along the line, so that offset, slope and curvature are continuous.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, read_only
from marque.core.geometry import project
from marque.maps.path import STEP_M, Path, relaid

GENTLE_MPS2 = 1.2  # lateral acceleration of a change at leisure
FIRM_MPS2 = 1.8  # and where there is no more room
MOST_MPS2 = 2.5  # beyond this a path cannot be driven
BEND_MOST_1PM = 0.15  # what the steering gives at walking pace, with a reserve for the road's bend
SHORTEST_M, LONGEST_M = 4.0, 160.0
TRACE_M = 4.0  # behind the car the line goes on as it came, for so long
_U = np.linspace(0.0, 1.0, 33)


@dataclass(frozen=True, slots=True)
class Pose:
    """Rear axle, map frame."""

    x_m: float
    y_m: float
    heading_rad: float
    curvature_1pm: float


@dataclass(frozen=True, slots=True)
class Beside:
    """Lateral state on a line at path metres s: offset (left positive) and its derivatives by s."""

    s_m: float
    d_m: float
    slope: float
    bend_1pm: float


@dataclass(frozen=True, slots=True)
class Leg:
    """A move to the offset `d_m`, from `begin_m` after the car's place on, `length_m` long."""

    begin_m: float
    length_m: float
    d_m: float


def pose_at(path: Path, s_m: float) -> Pose:
    """Where a car on the path is."""
    i = min(len(path.xy_m) - 2, max(0, int(s_m / STEP_M)))
    t = s_m / STEP_M - i
    x, y = path.xy_m[i] * (1.0 - t) + path.xy_m[i + 1] * t
    heading = path.heading_rad[i] * (1.0 - t) + path.heading_rad[i + 1] * t
    curvature = path.curvature_1pm[i] * (1.0 - t) + path.curvature_1pm[i + 1] * t
    return Pose(float(x), float(y), float(heading), float(curvature))


def on_path(
    path: Path, x: float, y: float, near_m: float, reach_m: float = 6.0
) -> tuple[float, float]:
    """(s, d) of a point on a path, searched within `reach_m` of path metres `near_m`."""
    n = len(path.xy_m)
    middle = int(near_m / STEP_M)
    reach = int(reach_m / STEP_M)
    lo = min(max(0, middle - reach), n - 2)
    hi = min(n - 1, middle + reach + 1)
    station = np.arange(n, dtype=np.float64) * STEP_M
    s, d, _ = project(read_only(path.xy_m), read_only(station), x, y, lo, max(hi, lo + 1))
    return s, d


def beside(path: Path, pose: Pose, near_m: float) -> Beside:
    """A pose as lateral state on a path. Slopes and bends that no car has are clipped."""
    s, d = on_path(path, pose.x_m, pose.y_m, near_m, 12.0)
    line = pose_at(path, s)
    turn = math.remainder(pose.heading_rad - line.heading_rad, 2.0 * math.pi)
    scale = max(0.3, 1.0 - line.curvature_1pm * d)
    slope = math.tan(min(0.7, max(-0.7, turn))) * scale
    bend = pose.curvature_1pm * (1.0 + slope * slope) ** 1.5 - line.curvature_1pm / scale
    return Beside(s, d, slope, min(0.2, max(-0.2, bend)))


def quintic(
    u: FloatArray, length: float, begin: tuple[float, float, float], d: float
) -> FloatArray:
    """Offset over u in [0, 1] from (offset, slope, bend) to (d, 0, 0)."""
    rise, m, b = begin[0] - d, begin[1] * length, begin[2] * length * length
    h0 = 1.0 - 10.0 * u**3 + 15.0 * u**4 - 6.0 * u**5
    h1 = u - 6.0 * u**3 + 8.0 * u**4 - 3.0 * u**5
    h2 = 0.5 * u**2 - 1.5 * u**3 + 1.5 * u**4 - 0.5 * u**5
    out: FloatArray = d + rise * h0 + m * h1 + b * h2
    return out


def sharpest(length: float, begin: tuple[float, float, float], d: float) -> float:
    """Greatest second derivative of a leg, 1/m."""
    rise, m, b = begin[0] - d, begin[1] * length, begin[2] * length * length
    u = _U
    h0 = -60.0 * u + 180.0 * u**2 - 120.0 * u**3
    h1 = -36.0 * u + 96.0 * u**2 - 60.0 * u**3
    h2 = 1.0 - 9.0 * u + 18.0 * u**2 - 10.0 * u**3
    return float(np.abs(rise * h0 + m * h1 + b * h2).max()) / (length * length)


def quickest(length: float, begin: tuple[float, float, float], d: float) -> float:
    """Greatest third derivative of a leg, 1/m^2."""
    rise, m, b = begin[0] - d, begin[1] * length, begin[2] * length * length
    u = _U
    h0 = -60.0 + 360.0 * u - 360.0 * u**2
    h1 = -36.0 + 192.0 * u - 180.0 * u**2
    h2 = -9.0 + 36.0 * u - 30.0 * u**2
    return float(np.abs(rise * h0 + m * h1 + b * h2).max()) / length**3


def leg_length(
    begin: tuple[float, float, float],
    d: float,
    speed_mps: float,
    lateral_mps2: float,
    wheel_1pms: float = math.inf,
) -> float:
    """The shortest leg that stays within the lateral acceleration and the steering: how far the
    wheel turns and, if `wheel_1pms` says so, how fast (change of curvature per second)."""
    most = min(BEND_MOST_1PM, lateral_mps2 / max(1.0, speed_mps * speed_mps))
    most = max(most, 1.05 * abs(begin[2]))
    length = SHORTEST_M
    while length < LONGEST_M and (
        sharpest(length, begin, d) > most or quickest(length, begin, d) * speed_mps > wheel_1pms
    ):
        length *= 1.12
    return length


def offsets(s: FloatArray, state: Beside, legs: tuple[Leg, ...]) -> FloatArray:
    """Offset at each path metre of s: the legs one after the other, held in between."""
    rel = s - state.s_m
    back = np.maximum(rel, -TRACE_M)
    out = state.d_m + state.slope * back + 0.5 * state.bend_1pm * back * back
    begin = (state.d_m, state.slope, state.bend_1pm)
    for leg in legs:
        u = np.clip((rel - leg.begin_m) / leg.length_m, 0.0, 1.0)
        out = np.where(rel < leg.begin_m, out, quintic(u, leg.length_m, begin, leg.d_m))
        begin = (leg.d_m, 0.0, 0.0)
    return out


def shifted(path: Path, side: FloatArray) -> Path:
    """The path moved sideways by side [n] (left positive), sampled evenly again."""
    if not side.any():
        return path
    normal = np.column_stack((-np.sin(path.heading_rad), np.cos(path.heading_rad)))
    moved = path.xy_m + side[:, None] * normal
    return relaid(moved, path.lanes, path.lane, path.lane_s_m, path.start_m)
