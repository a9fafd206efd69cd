"""The time-optimal profile along a line: what no driver within the limits can beat."""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length, curvatures
from marque.core.jit import jit
from marque.maps.field import plan_route
from marque.maps.route_line import route_path
from marque.maps.trips import Trip
from marque.types.road_map import RoadMap

STEP_M = 1.0
SMOOTH_M = 1.5  # standard deviation of the low pass on curvature: a car cuts polyline corners
LATERAL_MPS2 = 2.5
ACCEL_MPS2 = 1.8
BRAKE_MPS2 = 2.5


def optimal_profile(
    xy_m: FloatArray,
    limit_mps: FloatArray,
    lateral_mps2: float = LATERAL_MPS2,
    accel_mps2: float = ACCEL_MPS2,
    brake_mps2: float = BRAKE_MPS2,
    start_speed_mps: float = 0.0,
    end_speed_mps: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """(s_m, speed_mps), both [m], 1 m apart: fastest speed at each place of a line [R, 2].

    `limit_mps` [R] holds from a sample to the next. Raises ValueError for a line without length.
    """
    if len(xy_m) < 2 or len(limit_mps) != len(xy_m):
        raise ValueError("a line needs at least two points and one speed limit for each")
    s = arc_length(xy_m)
    if not s[-1] > 0.0:
        raise ValueError("a line needs a length")
    at = np.linspace(0.0, s[-1], max(2, math.ceil(s[-1] / STEP_M) + 1))
    line = np.column_stack((np.interp(at, s, xy_m[:, 0]), np.interp(at, s, xy_m[:, 1])))
    bend = np.abs(_smooth(curvatures(line), at[1]))
    limit = limit_mps[np.clip(np.searchsorted(s, at, side="right") - 1, 0, len(s) - 1)]
    cap = np.minimum(limit, np.sqrt(lateral_mps2 / np.maximum(bend, 1e-9)))
    cap[0] = min(cap[0], start_speed_mps)
    cap[-1] = min(cap[-1], end_speed_mps)
    return at, _within(cap, float(at[1]), accel_mps2, brake_mps2)


def optimal_time_s(xy_m: FloatArray, limit_mps: FloatArray, **limits: float) -> float:
    """Seconds along the line with `optimal_profile`; from rest to rest unless told otherwise."""
    at, speed = optimal_profile(xy_m, limit_mps, **limits)
    return float(np.sum(2.0 * np.diff(at) / np.maximum(speed[1:] + speed[:-1], 1e-6)))


def trip_optimal_time_s(road_map: RoadMap, trip: Trip) -> float:
    """`optimal_time_s` of a trip along its route, from rest to rest, alone on the road.

    MarqueError when the goal cannot be reached.
    """
    route = plan_route(road_map, trip.goal_lane, trip.goal_s_m)
    path = route_path(road_map, route, trip.start_lane, trip.start_s_m)
    return optimal_time_s(path.xy_m, path.limit_mps)


def _smooth(values: FloatArray, step_m: float) -> FloatArray:
    reach = max(1, round(3.0 * SMOOTH_M / step_m))
    offset = np.arange(-reach, reach + 1) * step_m
    weight = np.exp(-0.5 * (offset / SMOOTH_M) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, weight / weight.sum(), mode="valid")


@jit
def _within(cap: FloatArray, step_m: float, accel: float, brake: float) -> FloatArray:
    """The greatest speeds below `cap` that speeding up and braking allow."""
    speed = cap.copy()
    for i in range(1, len(speed)):
        speed[i] = min(speed[i], math.sqrt(speed[i - 1] ** 2 + 2.0 * accel * step_m))
    for i in range(len(speed) - 2, -1, -1):
        speed[i] = min(speed[i], math.sqrt(speed[i + 1] ** 2 + 2.0 * brake * step_m))
    return speed
