"""A finished drive as its judge sees it: the truth in columns, and our way through junctions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import project
from marque.maps.lookup import LaneIndex
from marque.metrics.summary import judge
from marque.metrics.trace import Trace, make_trace, with_lanes
from marque.metrics.way import Way, driven_way
from marque.prove.situations.case import Case
from marque.types.episode import Episode
from marque.types.road_map import NONE, RoadMap

FRAME_S = 0.1


@dataclass(frozen=True, slots=True)
class Pass:
    """One road user's stay in a conflict area, times in s of the drive; inf: never left."""

    uid: int
    connector: int
    enter_s: float
    leave_s: float


class View:
    """Everything that criteria may ask of one drive. All from the truth."""

    def __init__(
        self, case: Case, episode: Episode, index: LaneIndex, names: dict[int, str]
    ) -> None:
        self.case = case
        self.episode = episode
        self.index = index
        self.names = names  # uid -> name of the cast
        self.uids = {name: uid for uid, name in names.items()}
        self.road_map: RoadMap = episode.road_map
        self.trace: Trace = with_lanes(make_trace(episode), index)
        self.way: Way = driven_way(self.trace, index)

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """The judgement that every drive gets."""
        return judge(self.episode, self.index).numbers

    def lane(self, name: str) -> int:
        """Index of a lane by SUMO's name."""
        return self.road_map.lane_name.index(name)

    @cached_property
    def connectors(self) -> list[int]:
        """Connectors that we drove, in order."""
        lanes = [int(lane) for lane in dict.fromkeys(self.way.lane.tolist()) if lane != NONE]
        return [lane for lane in lanes if self.road_map.lane_connector[lane]]

    def connectors_between(self, start: str, end: str) -> list[int]:
        """All connectors from one edge to another."""
        road_map = self.road_map
        found = []
        for c in np.flatnonzero(road_map.lane_connector).tolist():
            before = [int(each) for each in road_map.predecessors(c)]
            after = [int(each) for each in road_map.successors(c)]
            ends = [self.edge_of(each[0]) for each in (before, after) if each]
            if ends == [start, end]:
                found.append(c)
        return found

    def edge_of(self, lane: int) -> str:
        """Name of the edge of a lane."""
        return self.road_map.edge_name[int(self.road_map.lane_edge[lane])]

    def along(self, connector: int) -> FloatArray:
        """[n] our rear axle's metres from the start of a connector, on it and on the lanes right
        before and after; nan elsewhere."""
        road_map, way = self.road_map, self.way
        out = np.full(self.trace.count, np.nan)
        length = float(road_map.lane_length_m[connector])
        for before in road_map.predecessors(connector).tolist():
            on = way.lane == before
            out[on] = way.s_m[on] - float(road_map.lane_length_m[before])
        on = way.lane == connector
        out[on] = way.s_m[on]
        for after in road_map.successors(connector).tolist():
            on = way.lane == after
            out[on] = way.s_m[on] + length
        return out

    @cached_property
    def half_body(self) -> tuple[float, float]:
        """(front, rear) of our body from the rear axle, both forward positive."""
        car = self.trace.platform
        return car.front_m, car.front_m - car.length_m

    def our_stay(self, connector: int, s_in_m: float, s_out_m: float) -> tuple[float, float]:
        """When our body enters and leaves a stretch of a connector; inf when it never does."""
        s = self.along(connector)
        front, rear = self.half_body
        with np.errstate(invalid="ignore"):
            begun = np.flatnonzero(s + front >= s_in_m)
            ended = np.flatnonzero(s + rear > s_out_m)
        t = self.trace.t_s
        enter = float(t[begun[0]]) if len(begun) else np.inf
        after = ended[ended >= begun[0]] if len(begun) else ended
        return enter, float(t[after[0]]) if len(after) else np.inf

    def user_stays(self, connector: int, s_in_m: float, s_out_m: float) -> list[Pass]:
        """Who else was in a stretch of a connector, and when."""
        trace, road_map = self.trace, self.road_map
        rows = np.flatnonzero(trace.user_lane == connector)
        points, arc = road_map.points(connector), road_map.arc(connector)
        frame = self.frame_of_row
        stay: dict[int, list[float]] = {}
        for row in rows.tolist():
            x, y = float(trace.user_x_m[row]), float(trace.user_y_m[row])
            s, _, _ = project(points, arc, x, y, 0, len(points) - 1)
            half = 0.5 * float(trace.user_length_m[row])
            if s + half >= s_in_m and s - half <= s_out_m:
                t = float(trace.t_s[frame[row]])
                span = stay.setdefault(int(trace.uid[row]), [t, t])
                span[1] = t
        return [Pass(uid, connector, span[0], span[1]) for uid, span in sorted(stay.items())]

    @cached_property
    def drives_set(self) -> frozenset[int]:
        """Every lane that we drove."""
        return frozenset(int(lane) for lane in np.unique(self.way.lane) if lane != NONE)

    @cached_property
    def leaders(self) -> tuple[FloatArray, FloatArray]:
        """[n] gap to who is ahead on our lane, and its uid; inf and -1 where nobody is."""
        from marque.prove.situations.passing import leaders

        return leaders(self)

    @cached_property
    def frame_of_row(self) -> Any:
        """[U] frame of each row of the trace."""
        return np.repeat(np.arange(self.trace.count), np.diff(self.trace.off))

    def rows_of(self, uid: int) -> tuple[Any, Any]:
        """(frames, rows) of one road user, in order of time."""
        rows = np.flatnonzero(self.trace.uid == uid)
        return self.frame_of_row[rows], rows

    def between(self, frame: int, row: int) -> tuple[float, float, float]:
        """From our front bumper to the nearest end of a road user: (gap ahead, offset to the left
        of its middle, cosine of the headings)."""
        trace = self.trace
        c, s = np.cos(trace.heading_rad[frame]), np.sin(trace.heading_rad[frame])
        dx = float(trace.user_x_m[row] - trace.x_m[frame])
        dy = float(trace.user_y_m[row] - trace.y_m[frame])
        turn = float(trace.user_heading_rad[row] - trace.heading_rad[frame])
        half = 0.5 * abs(float(trace.user_length_m[row]) * np.cos(turn)) + 0.5 * abs(
            float(trace.user_width_m[row]) * np.sin(turn)
        )
        gap = dx * c + dy * s - trace.platform.front_m - half
        return float(gap), float(dy * c - dx * s), float(np.cos(turn))

    @cached_property
    def stands(self) -> BoolArray:
        """[n] whether we stand."""
        return np.asarray(self.trace.speed_mps < 0.2)
