"""Arrived: within 10 m of the goal on its lane, in time, without leaving the drivable area."""

import math

import numpy as np

from marque.core.geometry import project
from marque.metrics.trace import Trace

GOAL_M = 10.0
TIME_FACTOR = 3.0
TIME_EXTRA_S = 60.0


def time_limit_s(reference_duration_s: float | None) -> float:
    """What the reference driver needs three times, plus 60 s; no limit without a reference."""
    if reference_duration_s is None:
        return math.inf
    return TIME_FACTOR * reference_duration_s + TIME_EXTRA_S


def goal_reached_s(trace: Trace, goal_lane: int, goal_s_m: float) -> float | None:
    """Time at which the middle of the car first is within 10 m of the goal, on the goal's lane.

    None when it never is. "On the lane": not farther from its centre line than half its width.
    """
    road_map = trace.road_map
    points, arc = road_map.points(goal_lane), road_map.arc(goal_lane)
    goal_x = float(np.interp(goal_s_m, arc, points[:, 0]))
    goal_y = float(np.interp(goal_s_m, arc, points[:, 1]))
    half = 0.5 * float(road_map.lane_width_m[goal_lane])
    x, y = trace.middle_x_m, trace.middle_y_m
    for i in np.flatnonzero(np.hypot(x - goal_x, y - goal_y) <= GOAL_M):
        s_m, d_m, _ = project(points, arc, float(x[i]), float(y[i]), 0, len(points) - 1)
        if abs(d_m) <= half and abs(s_m - goal_s_m) <= GOAL_M:
            return float(trace.t_s[i] - trace.t_s[0])
    return None


def arrived(
    trace: Trace,
    goal_lane: int,
    goal_s_m: float,
    off_road_s: float,
    reference_duration_s: float | None,
) -> bool:
    """The whole word, by section 9 of the design."""
    reached = goal_reached_s(trace, goal_lane, goal_s_m)
    in_time = reached is not None and reached <= time_limit_s(reference_duration_s)
    return in_time and off_road_s == 0.0
