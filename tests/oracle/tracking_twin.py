"""Slow twin of `stack.control.tracking`: the same law with numpy's own interpolation."""

import math

import numpy as np

from marque.stack.control import tracking as t
from marque.types.plan import STEP_S, Trajectory
from marque.types.platform import Platform


def locate(path: Trajectory, x: float, y: float) -> tuple[float, float, float]:
    """Closest point by trying 50 points on every segment, then the ends' straight extensions."""
    best = (math.inf, 0.0, 0.0, 0.0)
    count = len(path.s_m)
    headings = np.unwrap(path.heading_rad).tolist()
    xs, ys, ss = path.x_m.tolist(), path.y_m.tolist(), path.s_m.tolist()
    for i in range(count - 1):
        if math.hypot(xs[i + 1] - xs[i], ys[i + 1] - ys[i]) < 1e-4:
            continue
        for w in (k / 50 for k in range(51)):
            px = (1 - w) * xs[i] + w * xs[i + 1]
            py = (1 - w) * ys[i] + w * ys[i + 1]
            h = (1 - w) * headings[i] + w * headings[i + 1]
            s = (1 - w) * ss[i] + w * ss[i + 1]
            away = math.hypot(x - px, y - py)
            if away < best[0] - 1e-12:
                left = (y - py) * math.cos(h) - (x - px) * math.sin(h)
                along = (x - px) * math.cos(h) + (y - py) * math.sin(h)
                end = (i == 0 and w == 0.0) or w == 1.0
                best = (away, s + (along if end else 0.0), left, h)
    if best[0] < math.inf:
        return best[1:]
    h = headings[0]  # a standing trajectory: one point with a direction
    along = (x - xs[0]) * math.cos(h) + (y - ys[0]) * math.sin(h)
    return ss[0] + along, (y - ys[0]) * math.cos(h) - (x - xs[0]) * math.sin(h), h


def command(
    path: Trajectory,
    at_s: float,
    pose: tuple[float, float, float, float],
    last: tuple[float, float],
    p: Platform,
    dt_s: float,
) -> tuple[float, float]:
    """(acceleration, curvature); pose: x, y, heading, speed; last: acceleration, curvature."""
    times = STEP_S * np.arange(len(path.s_m))
    end = times[-1]

    def column(values: np.ndarray, t_s: float, after: float | None = None) -> float:
        if after is not None and t_s > end:
            return after
        return float(np.interp(t_s, times, values))

    s, d, heading = locate(path, pose[0], pose[1])
    v = pose[3]
    soft = 1.0 / (p.cornering_stiffness_1prad * p.friction * 9.80665)
    late = p.steer.dead_s + p.steer.lag_s + soft * v
    curvature = last[1]
    if path.s_m[-1] - s >= t.NEED_PATH_M:
        grid, bends = path.s_m, path.curvature_1pm
        here = float(np.interp(s, grid, bends))
        reach = max(t.REACH_MIN_M, t.REACH_S * v)
        slip = (soft - 0.5 * p.understeer_rads2pm) * v * v * here
        turn = math.sin(heading + slip - pose[2])
        feedback = -np.clip(d, -t.OFFSET_CLIP_M, t.OFFSET_CLIP_M) / reach**2
        feedback += 2.0 * t.DAMPING * turn / reach
        most = t.FEEDBACK_LATERAL_MPS2 / max(1.0, v * v)
        flexed = p.wheelbase_m + p.understeer_rads2pm * v * v
        tight = math.tan(p.max_steer_rad) / flexed
        wheel = p.steer.rate / (math.cos(math.atan(last[1] * flexed)) ** 2 * flexed)
        rate = min(wheel, t.LATERAL_JERK_MPS3 / max(1e-3, v * v))
        soon = s + v * late
        ahead = float(np.interp(soon, grid, bends))
        beyond = grid > soon
        pace = np.maximum(path.speed_mps[beyond], t.EARLY_BELOW_MPS)
        steps = np.diff(grid[beyond], prepend=soon) / pace
        turns = np.cumsum(steps * np.minimum(wheel, t.LATERAL_JERK_MPS3 / pace**2))
        near = np.cumsum(steps) <= t.EARLY_S
        later, turns = bends[beyond][near], turns[near]
        early = max([ahead, *(later - turns)]) + min([ahead, *(later + turns)])
        wanted = 0.5 * early + np.clip(feedback, -most, most)
        rate *= dt_s
        curvature = float(np.clip(np.clip(wanted, -tight, tight), last[1] - rate, last[1] + rate))
    now = column(path.s_m, at_s)
    stands = column(path.s_m, at_s + t.STANDS_WITHIN_S) - now < t.STANDS_M
    if stands and v < t.HOLD_BELOW_MPS:
        return (t.HOLD_MPS2 if v < t.STILL_MPS else min(last[0], t.SETTLE_MPS2)), curvature
    forward = column(path.accel_mps2, at_s + p.drive.dead_s + p.drive.lag_s, 0.0)
    if forward < 0.0:
        forward = column(path.accel_mps2, at_s + p.brake.dead_s + p.brake.lag_s, 0.0)
    wanted = forward + t.SPEED_GAIN_1PS * (column(path.speed_mps, at_s, 0.0) - v)
    wanted += t.PLACE_GAIN_1PS2 * float(np.clip(now - s, -t.PLACE_CLIP_M, t.PLACE_CLIP_M))
    if stands:
        wanted = min(wanted, t.SETTLE_MPS2)
    before = 0.0 if v < t.HOLD_BELOW_MPS and last[0] < 0.0 else last[0]
    down = min(25.0, t.JERK_MPS3 + max(0.0, 14.0 * (-3.3 - wanted)))
    up = t.JERK_MPS3
    if before < t.HARD_MPS2:
        up = 12.0
    elif before < 0.0:
        up = float(np.clip(before**2 / (2.0 * max(v, 0.01)), t.JERK_MPS3, 8.0))
    wanted = float(np.clip(wanted, before - down * dt_s, before + up * dt_s))
    rest = max(0.0, v - max(0.0, -before) * (p.brake.dead_s + p.brake.lag_s))
    wanted = max(wanted, -max(0.8, (32.0 * rest) ** 0.5))
    return float(np.clip(wanted, -p.max_brake_mps2, min(t.ACCEL_MPS2, p.max_accel_mps2))), curvature
