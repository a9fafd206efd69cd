"""How a car was driven, from its motion alone: what a passenger feels and a follower sees."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, freeze_arrays
from marque.maps.lookup import LaneIndex
from marque.metrics.trace import Trace
from marque.types.codes import UserKind
from marque.types.road_map import NONE

WINDOW_S, STRIDE_S = 60.0, 30.0
LOOK_M, BESIDE_M, SAME_WAY = 60.0, 1.5, 0.8  # of who drives ahead of us: cosine of its turn
STANDS_MPS, LAUNCH_MPS, FOLLOWS_MPS, STEADY_MPS = 0.2, 4.0, 3.0, 1.0
MOVES_SHARE = 0.3  # of a window; who stands shows no character
MIDDLE_M = 0.6  # farther beside the middle of a lane it is being left
GROUPS = ("speed", "accel", "jerk", "gap", "offset")


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """n frames at 10 Hz; nan where there is none."""

    speed_mps: FloatArray  # [n]
    accel_mps2: FloatArray
    jerk_mps3: FloatArray
    gap_m: FloatArray  # bumper to bumper to who is ahead
    closing_mps: FloatArray  # how much faster we are than who is ahead
    offset_m: FloatArray  # beside the middle of the lane, left positive; not in junctions

    def __post_init__(self) -> None:
        freeze_arrays(self)


def motion(trace: Trace, index: LaneIndex) -> Motion:
    """Of a drive."""
    step_s = np.gradient(trace.t_s) if trace.count > 1 else np.ones(trace.count)
    jerk = np.diff(trace.accel_mps2, prepend=trace.accel_mps2[:1]) / step_s
    ahead = np.array([_ahead(trace, frame) for frame in range(trace.count)]).reshape(-1, 2)
    return Motion(
        trace.speed_mps.copy(),
        trace.accel_mps2.copy(),
        jerk,
        ahead[:, 0].copy(),
        ahead[:, 1].copy(),
        _offset(trace, index),
    )


def _ahead(trace: Trace, frame: int) -> tuple[float, float]:
    """(gap, how much faster we are) to the nearest vehicle ahead in our way; nan, nan: none."""
    rows = trace.users(frame)
    cos, sin = math.cos(trace.heading_rad[frame]), math.sin(trace.heading_rad[frame])
    dx = trace.user_x_m[rows] - trace.x_m[frame]
    dy = trace.user_y_m[rows] - trace.y_m[frame]
    along, left = dx * cos + dy * sin, dy * cos - dx * sin
    turn = np.cos(trace.user_heading_rad[rows] - trace.heading_rad[frame])
    gap = along - 0.5 * trace.user_length_m[rows] - trace.platform.front_m
    ours = (gap > 0.0) & (gap < LOOK_M) & (np.abs(left) < BESIDE_M) & (turn > SAME_WAY)
    ours &= trace.kind[rows] != UserKind.PEDESTRIAN
    if not ours.any():
        return math.nan, math.nan
    best = int(np.flatnonzero(ours)[np.argmin(gap[ours])])
    return float(gap[best]), float(trace.speed_mps[frame] - trace.user_speed_mps[rows][best])


def _offset(trace: Trace, index: LaneIndex) -> FloatArray:
    kind = np.full(trace.count, UserKind.CAR, np.int8)
    lane, _, d = index.match_many(trace.x_m, trace.y_m, trace.heading_rad, kind)
    known = lane != NONE
    known[known] = ~trace.road_map.lane_connector[lane[known]]
    known &= np.abs(d) < MIDDLE_M
    return np.where(known, d, np.nan)


def windows(moved: Motion, frame_s: float = 0.1) -> list[dict[str, list[float]]]:
    """Numbers of each WINDOW_S of a drive in which the car moves, by GROUPS; nan: not to be had."""
    length, stride = round(WINDOW_S / frame_s), round(STRIDE_S / frame_s)
    found = []
    for begin in range(0, len(moved.speed_mps) - length + 1, stride):
        part = slice(begin, begin + length)
        if np.mean(moved.speed_mps[part] > STANDS_MPS) >= MOVES_SHARE:
            found.append(_numbers(moved, part))
    return found


def _numbers(moved: Motion, part: slice) -> dict[str, list[float]]:
    v, a, j = moved.speed_mps[part], moved.accel_mps2[part], moved.jerk_mps3[part]
    gap, closing, d = moved.gap_m[part], moved.closing_mps[part], moved.offset_m[part]
    moves, sets_off, stops, follows = _phases(v, a, closing)
    headway = gap[follows] / v[follows]
    return {
        "speed": [_part(v[moves], q) for q in (50, 90, 98)],
        "accel": [
            *(_part(a[moves], q) for q in (2, 10, 90, 98)),
            _part(a[a > 0.3], 75),
            _part(-a[a < -0.3], 75),
        ],
        "jerk": [
            float(np.sqrt(np.mean(j[moves] ** 2))),
            *(_part(j[moves], q) for q in (2, 98)),
            _part(np.abs(j[sets_off]), 75),
            _part(np.abs(j[stops]), 75),
        ],
        "gap": [_part(gap[~moves], 50), _part(headway, 50), _part(headway, 20)],
        "offset": [_part(d, 50), _part(d, 20), _part(d, 80)],
    }


def _phases(
    v: FloatArray, a: FloatArray, closing: FloatArray
) -> tuple[BoolArray, BoolArray, BoolArray, BoolArray]:
    """[n] whether the car moves, sets off, comes to rest, and follows at a steady distance."""
    moves = v > STANDS_MPS
    return (
        moves,
        (v < LAUNCH_MPS) & (a > 0.05),
        moves & (v < LAUNCH_MPS) & (a < -0.05),
        (v > FOLLOWS_MPS) & (np.abs(closing) < STEADY_MPS),
    )


def _part(values: FloatArray, percent: float) -> float:
    """A percentile of those that are numbers, nan of none."""
    there = values[np.isfinite(values)]
    return float(np.percentile(there, percent)) if len(there) else math.nan


def fingerprint(parts: list[Motion]) -> dict[str, float]:
    """The character of all drives together; nan where nothing shows it."""
    joined = {
        name: np.concatenate([getattr(each, name) for each in parts])
        for name in ("speed_mps", "accel_mps2", "jerk_mps3", "gap_m", "closing_mps", "offset_m")
    }
    v, a, j = joined["speed_mps"], joined["accel_mps2"], joined["jerk_mps3"]
    moves, sets_off, stops, follows = _phases(v, a, joined["closing_mps"])
    return {
        "speed_p90_mps": _part(v[moves], 90),
        "accel_p95_mps2": _part(a[moves], 95),
        "brake_p95_mps2": _part(-a[moves], 95),
        "jerk_rms_mps3": float(np.sqrt(np.mean(j[moves] ** 2))) if moves.any() else math.nan,
        "launch_jerk_p75_mps3": _part(np.abs(j[sets_off]), 75),
        "stop_jerk_p75_mps3": _part(np.abs(j[stops]), 75),
        "headway_p50_s": _part(joined["gap_m"][follows] / v[follows], 50),
        "standstill_gap_p50_m": _part(joined["gap_m"][~moves], 50),
        "lane_offset_p50_m": _part(joined["offset_m"], 50),
    }
