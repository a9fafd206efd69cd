"""An episode as flat arrays, so that a metric is a few lines over columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array, IntArray, freeze_arrays
from marque.core.time import NS_PER_S
from marque.maps.lookup import LaneIndex
from marque.types.codes import UserKind
from marque.types.episode import Episode
from marque.types.platform import Platform
from marque.types.road_map import NONE, RoadMap
from marque.types.world import RoadUsers

MOVING_MPS = 0.1  # the ego moves above this speed


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """n frames of truth. Road users of frame k are rows off[k]:off[k + 1].

    x, y of the ego: rear axle centre; `middle_*`: middle of its body; map frame.
    """

    road_map: RoadMap
    platform: Platform
    t_s: FloatArray  # [n]
    x_m: FloatArray  # [n]
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    accel_mps2: FloatArray
    lat_accel_mps2: FloatArray
    middle_x_m: FloatArray  # [n]
    middle_y_m: FloatArray
    travelled_m: FloatArray  # [n] along the driven way
    reason: Int8Array  # [n]
    heads: Int8Array  # [n, H] SignalState
    off: Int32Array  # [n+1]
    uid: IntArray  # [U] and so on: one row per road user and frame
    kind: Int8Array
    user_x_m: FloatArray
    user_y_m: FloatArray
    user_heading_rad: FloatArray
    user_speed_mps: FloatArray
    user_length_m: FloatArray
    user_width_m: FloatArray
    user_lane: Int32Array

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.t_s)

    @property
    def front_x_m(self) -> FloatArray:
        """[n] middle of the front bumper."""
        return np.asarray(self.x_m + self.platform.front_m * np.cos(self.heading_rad))

    @property
    def front_y_m(self) -> FloatArray:
        """[n] middle of the front bumper."""
        return np.asarray(self.y_m + self.platform.front_m * np.sin(self.heading_rad))

    def users(self, frame: int) -> slice:
        """Rows of the road users of one frame."""
        return slice(int(self.off[frame]), int(self.off[frame + 1]))

    def row_of(self, frame: int, uid: int) -> int:
        """Row of one road user in one frame, -1 when it is not there."""
        rows = self.users(frame)
        found = np.flatnonzero(self.uid[rows] == uid)
        return int(found[0]) + rows.start if len(found) else -1


def make_trace(episode: Episode) -> Trace:
    """The episode's truth as arrays; zero frames give empty arrays."""
    ticks = episode.ticks
    ego = np.array(
        [
            (e.x_m, e.y_m, e.heading_rad, e.speed_mps, e.accel_mps2, e.lat_accel_mps2)
            for e in (tick.world.ego for tick in ticks)
        ]
    ).reshape(-1, 6)
    x, y, heading = ego[:, 0], ego[:, 1], ego[:, 2]
    shift = episode.platform.centre_m
    users = [tick.world.users for tick in ticks]
    off = np.concatenate(([0], np.cumsum([len(each.uid) for each in users], dtype=np.int64)))
    steps = np.hypot(np.diff(x), np.diff(y))
    heads = [tick.world.heads for tick in ticks]
    return Trace(
        road_map=episode.road_map,
        platform=episode.platform,
        t_s=np.array([tick.world.t_ns for tick in ticks], dtype=np.int64) / NS_PER_S,
        x_m=x.copy(),
        y_m=y.copy(),
        heading_rad=heading.copy(),
        speed_mps=ego[:, 3].copy(),
        accel_mps2=ego[:, 4].copy(),
        lat_accel_mps2=ego[:, 5].copy(),
        middle_x_m=x + shift * np.cos(heading),
        middle_y_m=y + shift * np.sin(heading),
        travelled_m=np.concatenate(([0.0], np.cumsum(steps)))[: len(ticks)],
        reason=np.array([int(tick.reason) for tick in ticks], dtype=np.int8),
        heads=np.array(heads, dtype=np.int8).reshape(len(ticks), len(episode.road_map.head_group)),
        off=off.astype(np.int32),
        uid=_column(users, "uid", np.int64),
        kind=_column(users, "kind", np.int8),
        user_x_m=_column(users, "x_m", np.float64),
        user_y_m=_column(users, "y_m", np.float64),
        user_heading_rad=_column(users, "heading_rad", np.float64),
        user_speed_mps=_column(users, "speed_mps", np.float64),
        user_length_m=_column(users, "length_m", np.float64),
        user_width_m=_column(users, "width_m", np.float64),
        user_lane=_column(users, "lane", np.int32),
    )


def with_lanes(trace: Trace, index: LaneIndex, reach_m: float = 100.0) -> Trace:
    """Finds the lane, by position, of vehicles near us for which the world named none."""
    per_frame = np.diff(trace.off)
    gap = np.hypot(
        trace.user_x_m - np.repeat(trace.middle_x_m, per_frame),
        trace.user_y_m - np.repeat(trace.middle_y_m, per_frame),
    )
    walks = np.isin(trace.kind, (UserKind.PEDESTRIAN, UserKind.OBSTACLE))
    rows = np.flatnonzero((trace.user_lane == NONE) & (gap <= reach_m) & ~walks)
    if len(rows) == 0:
        return trace
    lane = trace.user_lane.copy()
    lane[rows], _, _ = index.match_many(
        trace.user_x_m[rows], trace.user_y_m[rows], trace.user_heading_rad[rows], trace.kind[rows]
    )
    return replace(trace, user_lane=lane)


def _column(users: Sequence[RoadUsers], name: str, dtype: type) -> Any:
    parts = [getattr(each, name) for each in users]
    return np.concatenate([np.zeros(0, dtype=dtype), *parts]).astype(dtype)
