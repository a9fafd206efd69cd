"""The road ahead for the guard: stop lines, signals and shared ground, from map and measured place.

`with_road(memory, reading, due) -> (memory, reading)`. What may be reached is gathered anew only
when the car comes onto another lane; in between, the same piece of map is turned into the car's
frame and its signals are read. Neither belief nor plan is asked: where the driver is wrong, this
is not.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array, IntArray
from marque.core.geometry import wrap_angle
from marque.maps.lookup import LaneIndex
from marque.types.codes import Allow, ConflictKind, SignalState
from marque.types.reading import Detections, EgoReading, Reading, RoadAhead, SignalReading
from marque.types.road_map import NONE, RoadMap

REACH_M = 200.0
LEAD_M, APPROACH_M = 6.0, 60.0  # of the lane before: ours, and that of others
FINE_M, COARSE_M = 1.5, 3.0  # at most so far are points apart
MATCH_M = 4.0  # farther from every lane the car is on none
LANES = 240  # no more are looked at
OWN, THEIRS = range(2)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What may be reached from a lane, map frame; the fields of RoadAhead, heads for signals."""

    off: Int32Array
    xy_m: FloatArray
    s_m: FloatArray
    half_m: FloatArray
    entry_line: Int32Array
    entry_from: Int32Array
    entry_stop_m: FloatArray
    entry_head: Int32Array
    zone_entry: Int32Array
    zone_m: FloatArray  # [5, Z] in, out, their in, their out, sure
    zone_line: Int32Array
    zone_head: Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class AheadMemory:
    """The map, the lane that the car was on last, and what may be reached from there."""

    road_map: RoadMap
    index: LaneIndex
    lane: int = NONE
    window: Window | None = None
    last: RoadAhead | None = None  # what was told last


def begin_ahead(road_map: RoadMap, index: LaneIndex) -> AheadMemory | None:
    """Before the first look; None: the map has no lanes."""
    return AheadMemory(road_map, index) if road_map.lane_count else None


def with_road(
    memory: AheadMemory | None, reading: Reading, due: bool
) -> tuple[AheadMemory | None, Reading]:
    """A reading with the road ahead of where the car was measured to be: a new one where it is
    `due`, else the last. None in it: there is no map, the place is no number, or no lane is near.
    """
    if memory is None:
        return None, reading
    if due:
        memory = _looked(memory, reading)
    return memory, replace(reading, road_ahead=memory.last)


def _looked(memory: AheadMemory, reading: Reading) -> AheadMemory:
    ego, signals = reading.ego, reading.signals
    if not math.isfinite(ego.x_m + ego.y_m + ego.heading_rad):
        return replace(memory, last=None)
    found = memory.index.nearest(ego.x_m, ego.y_m, ego.heading_rad, max_m=MATCH_M)
    if found is None:
        return replace(memory, last=None)
    window = memory.window
    if window is None or found[0] != memory.lane:
        window = reachable(memory.road_map, found[0])
    under = road_under(memory.road_map, memory.index, reading.detections)
    last = _as_seen(window, ego, signals, (reading.detections.uid, under))
    return replace(memory, lane=found[0], window=window, last=last)


def road_under(road_map: RoadMap, index: LaneIndex, found: Detections) -> FloatArray:
    """[n] how the lane under each detected road user runs, map frame; nan off the lanes, and in
    junctions, where it may go on in more than one way."""
    if not np.isfinite(found.x_m + found.y_m + found.heading_rad).all():
        return np.full(found.count, np.nan)
    lane, s, _ = index.match_many(found.x_m, found.y_m, found.heading_rad, found.kind)
    out = np.full(found.count, np.nan)
    known = lane != NONE
    known[known] = ~road_map.lane_connector[lane[known]]
    for row in np.flatnonzero(known):
        out[row] = _runs_rad(road_map, int(lane[row]), float(s[row]))
    return out


def _runs_rad(road_map: RoadMap, lane: int, s_m: float) -> float:
    """Heading of a place on a centre line; only the two points beside it are looked at."""
    first, arc = int(road_map.pt_off[lane]), road_map.arc(lane)
    k = min(max(1, int(np.searchsorted(arc, s_m))), len(arc) - 1)
    before, after = road_map.pt_heading_rad[first + k - 1 : first + k + 1].tolist()
    part = (s_m - float(arc[k - 1])) / max(1e-9, float(arc[k] - arc[k - 1]))
    return float(before + min(1.0, max(0.0, part)) * wrap_angle(after - before))


def _as_seen(
    window: Window, ego: EgoReading, signals: SignalReading, users: tuple[IntArray, FloatArray]
) -> RoadAhead:
    """The same in the car's frame, with the signals as they were read."""
    w = window
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    turn = np.array([[c, -s], [s, c]])
    return RoadAhead(
        t_ns=ego.t_ns,
        line_off=w.off,
        line_xy_m=(w.xy_m - (ego.x_m, ego.y_m)) @ turn,
        line_s_m=w.s_m,
        line_half_m=w.half_m,
        entry_line=w.entry_line,
        entry_from=w.entry_from,
        entry_stop_m=w.entry_stop_m,
        entry_signal=_states(w.entry_head, signals),
        zone_entry=w.zone_entry,
        zone_in_m=w.zone_m[0],
        zone_out_m=w.zone_m[1],
        zone_line=w.zone_line,
        zone_their_in_m=w.zone_m[2],
        zone_their_out_m=w.zone_m[3],
        zone_sure_m=w.zone_m[4],
        zone_signal=_states(w.zone_head, signals),
        user_uid=users[0],
        user_road_rad=users[1],
    )


def _states(heads: Int32Array, signals: SignalReading) -> Int8Array:
    """[n] what was read of each head: OFF where there is none, UNKNOWN where nothing was."""
    out = np.full(len(heads), np.int8(SignalState.OFF))
    has = heads != NONE
    known = has & (heads < len(signals.state))
    out[has] = np.int8(SignalState.UNKNOWN)
    out[known] = signals.state[heads[known]]
    return out


def reachable(road_map: RoadMap, lane: int) -> Window:
    """All ways into junctions from anywhere on a lane and on those beside it, REACH_M far."""
    gather = _Gathered(road_map)
    for before, connector in _entries(road_map, lane):
        gather.enter(before, connector)
    return gather.window()


def _entries(road_map: RoadMap, lane: int) -> list[tuple[int, int]]:
    """(lane before, connector), the near ones first; whoever stands on a connector is on its own,
    too."""
    found: dict[tuple[int, int], None] = {}
    if road_map.lane_connector[lane]:
        found |= {(int(before), lane): None for before in road_map.predecessors(lane)}
    away = {lane: -float(road_map.lane_length_m[lane])}
    todo = [lane]
    while todo and len(away) < LANES:
        here = todo.pop(0)
        for beside in (int(road_map.lane_left[here]), int(road_map.lane_right[here])):
            if beside != NONE and beside not in away and _for_cars(road_map, beside):
                away[beside] = away[here]
                todo.append(beside)
        end = away[here] + float(road_map.lane_length_m[here])
        for after in road_map.successors(here).tolist():
            if not _for_cars(road_map, after):
                continue
            if road_map.lane_connector[after]:
                found[here, after] = None
            if after not in away and end < REACH_M:
                away[after] = end
                todo.append(after)
    return list(found)


def _for_cars(road_map: RoadMap, lane: int) -> bool:
    return bool(road_map.lane_allow[lane] & Allow.CAR)


class _Gathered:
    """Lines, entries and zones while a window is made."""

    def __init__(self, road_map: RoadMap) -> None:
        self.road_map = road_map
        self.lines: list[tuple[FloatArray, FloatArray]] = []
        self.half: list[float] = []
        self.number: dict[tuple[int, int, int], tuple[int, float]] = {}
        self.entries: list[tuple[int, int, float, int]] = []
        self.zones: list[tuple[int, int, int, float, float, float, float, float]] = []

    def enter(self, before: int, connector: int) -> None:
        """A way into a junction, and the zones on it in which others go first."""
        road_map = self.road_map
        head = int(road_map.lane_head[connector])
        rows = range(int(road_map.conf_off[connector]), int(road_map.conf_off[connector + 1]))
        zones = [
            row
            for row in rows
            if road_map.conf_kind[row] == ConflictKind.CROSS and road_map.conf_priority[row] < 0
        ]
        if head == NONE and not zones:
            return  # nothing holds us there
        line, begin = self._line(OWN, before, connector)
        length, stop = float(road_map.lane_length_m[before]), float(road_map.lane_stop_m[before])
        gone = length - min(length, stop) if math.isfinite(stop) else 0.0
        entry = len(self.entries)
        self.entries.append((line, before, max(0.0, begin - gone), head))
        crossed = set(road_map.conf_lane[zones].tolist())
        for row in zones:
            other = int(road_map.conf_lane[row])
            before_it = road_map.predecessors(other)
            if len(before_it):
                self._zone(entry, begin, row, int(before_it[0]), crossed)

    def _zone(self, entry: int, begin: float, row: int, before: int, crossed: set[int]) -> None:
        road_map = self.road_map
        other = int(road_map.conf_lane[row])
        line, start = self._line(THEIRS, before, other)
        rivals = [
            each
            for each in road_map.successors(before).tolist()
            if each != other and each not in crossed and road_map.lane_allow[each] != 0
        ]
        sure = start + self._parted_m(other, rivals) if rivals else 0.0
        self.zones.append((
            entry, line, int(road_map.lane_head[other]),
            begin + float(road_map.conf_s_in_m[row]),
            begin + float(road_map.conf_s_out_m[row]),
            start + float(road_map.conf_other_in_m[row]),
            start + float(road_map.conf_other_out_m[row]),
            sure,
        ))  # fmt: skip

    def _parted_m(self, connector: int, rivals: list[int]) -> float:
        """How far along a connector it shares no ground any more with those that leave the same
        lane for elsewhere."""
        road_map = self.road_map
        rows = slice(int(road_map.conf_off[connector]), int(road_map.conf_off[connector + 1]))
        parts = road_map.conf_kind[rows] == ConflictKind.DIVERGE
        parts &= np.isin(road_map.conf_lane[rows], rivals)
        return float(road_map.conf_s_out_m[rows][parts].max(initial=0.0))

    def _line(self, whose: int, before: int, connector: int) -> tuple[int, float]:
        """(number of the line, where on it the connector begins)."""
        key = (whose, before, connector)
        if key not in self.number:
            lead, step = (LEAD_M, FINE_M) if whose == OWN else (APPROACH_M, COARSE_M)
            if whose == OWN and math.isfinite(stop := float(self.road_map.lane_stop_m[before])):
                lead += max(0.0, float(self.road_map.lane_length_m[before]) - stop)
            xy, s, begin = _led(self.road_map, before, connector, lead)
            keep = _thinned(s, step)
            self.number[key] = (len(self.lines), begin)
            self.lines.append((xy[keep], s[keep]))
            self.half.append(0.5 * float(self.road_map.lane_width_m[connector]))
        return self.number[key]

    def window(self) -> Window:
        """All of it as arrays."""
        entries = np.array(self.entries, np.float64).reshape(-1, 4)
        zones = np.array(self.zones, np.float64).reshape(-1, 8)
        xy = [line for line, _ in self.lines]
        return Window(
            off=np.cumsum([0, *map(len, xy)], dtype=np.int32),
            xy_m=np.concatenate(xy) if xy else np.zeros((0, 2)),
            s_m=np.concatenate([s for _, s in self.lines]) if xy else np.zeros(0),
            half_m=np.array(self.half, np.float64),
            entry_line=entries[:, 0].astype(np.int32),
            entry_from=entries[:, 1].astype(np.int32),
            entry_stop_m=entries[:, 2].copy(),
            entry_head=entries[:, 3].astype(np.int32),
            zone_entry=zones[:, 0].astype(np.int32),
            zone_line=zones[:, 1].astype(np.int32),
            zone_head=zones[:, 2].astype(np.int32),
            zone_m=zones[:, 3:].T.copy(),
        )


def _led(
    road_map: RoadMap, before: int, connector: int, lead_m: float
) -> tuple[FloatArray, FloatArray, float]:
    """Points and arc lengths of a connector with what leads there, and where it begins."""
    parts, gone = [connector], 0.0
    lane = before
    while lane not in parts:
        parts.insert(0, lane)
        gone += float(road_map.lane_length_m[lane])
        further = road_map.predecessors(lane)
        if gone >= lead_m or len(further) != 1:
            break
        lane = int(further[0])
    xy = [road_map.points(each) for each in parts]
    begin, s = 0.0, []
    for each in parts:
        s.append(begin + road_map.arc(each))
        begin = float(s[-1][-1])
    all_xy, all_s = np.concatenate(xy), np.concatenate(s)
    start = float(s[-1][0])
    keep = all_s >= start - lead_m - 1e-6
    keep[1:] &= np.diff(all_s) > 1e-9  # where two lanes join is one point
    first = float(all_s[keep][0])
    return all_xy[keep], all_s[keep] - first, start - first


def _thinned(s: FloatArray, step_m: float) -> list[int]:
    """Rows that stay: the first, the last, and between them no more than are needed."""
    keep = [0]
    for i in range(1, len(s) - 1):
        if s[i + 1] - s[keep[-1]] > step_m:
            keep.append(i)
    return [*keep, len(s) - 1]
