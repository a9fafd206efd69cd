"""The road ahead for the guard: stop lines, signals and shared ground, from map and measured place.

`with_road(memory, reading, due) -> (memory, reading)`. What may be reached is gathered anew only
when the car comes onto another lane; in between, the same piece of map is turned into the car's
frame and its signals are read. Neither belief nor plan is asked: where the driver is wrong, this
is not.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array, IntArray
from marque.core.geometry import wrap_angle
from marque.maps.lookup import LaneIndex
from marque.types.codes import Allow, ConflictKind, SignalState
from marque.types.reading import Detections, EgoReading, Reading, RoadAhead, SignalReading
from marque.types.road_map import NONE, RoadMap

CAR, CROSS, DIVERGE = int(Allow.CAR), int(ConflictKind.CROSS), int(ConflictKind.DIVERGE)
OFF, UNSEEN = int(SignalState.OFF), int(SignalState.UNKNOWN)
REACH_M = 200.0
LEAD_M, APPROACH_M = 6.0, 60.0  # of the lane before: ours, and that of others
FINE_M, COARSE_M = 1.5, 3.0  # at most so far are points apart
MATCH_M = 4.0  # farther from every lane the car is on none
LANES = 240  # no more are looked at


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
    entry_head: "Heads"
    zone_entry: Int32Array
    zone_m: FloatArray  # [5, Z] in, out, their in, their out, sure
    zone_line: Int32Array
    zone_head: "Heads"


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Signal heads [n]: what is known of each before anything is read, and those that can be."""

    unread: Int8Array
    rows: IntArray
    head: Int32Array
    least: int  # heads that a reading has to have

    def read(self, signals: SignalReading) -> Int8Array:
        """[n] OFF where there is none, UNKNOWN where nothing was read, or of another map."""
        out = self.unread.copy()
        if len(self.rows) and len(signals.state) >= self.least:
            out[self.rows] = signals.state[self.head]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class AheadMemory:
    """The map, the lane that the car was on last, and what may be reached from there."""

    index: LaneIndex
    around: "Around"
    lane: int = NONE
    window: Window | None = None
    last: RoadAhead | None = None  # what was told last


def begin_ahead(road_map: RoadMap, index: LaneIndex) -> AheadMemory | None:
    """Before the first look; None: the map has no lanes."""
    return AheadMemory(index, Around(road_map)) if road_map.lane_count else None


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
        window = memory.around.reachable(found[0])
    under = road_under(memory.around.road_map, memory.index, reading.detections)
    last = _as_seen(window, ego, signals, (reading.detections.uid, under))
    return replace(memory, lane=found[0], window=window, last=last)


def road_under(road_map: RoadMap, index: LaneIndex, found: Detections) -> FloatArray:
    """[n] how the lane under each detected road user runs, map frame; nan off the lanes, and in
    junctions, where it may go on in more than one way."""
    out = np.full(found.count, np.nan)
    if not (found.count and np.isfinite(found.x_m + found.y_m + found.heading_rad).all()):
        return out
    lane, s, _ = index.match_many(found.x_m, found.y_m, found.heading_rad, found.kind)
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
        entry_signal=w.entry_head.read(signals),
        zone_entry=w.zone_entry,
        zone_in_m=w.zone_m[0],
        zone_out_m=w.zone_m[1],
        zone_line=w.zone_line,
        zone_their_in_m=w.zone_m[2],
        zone_their_out_m=w.zone_m[3],
        zone_sure_m=w.zone_m[4],
        zone_signal=w.zone_head.read(signals),
        user_uid=users[0],
        user_road_rad=users[1],
    )


Entry = tuple[int, int, float, int]  # line, lane before, stop line, head
Zone = tuple[int, int, int, list[float]]  # entry, line, head, the places of Window
Line = tuple[FloatArray, FloatArray, float, float]  # points, arc lengths, begin, half its width
Crossed = tuple[tuple[int, int], int, tuple[float, float, float, float, float]]


class Around:
    """What may be reached from any lane of a map. Pieces that were asked for once are kept."""

    def __init__(self, road_map: RoadMap) -> None:
        self.road_map = road_map
        self._cars: list[bool] = ((road_map.lane_allow & CAR) != 0).tolist()
        self._length: list[float] = road_map.lane_length_m.tolist()
        self._beside = list(zip(road_map.lane_left.tolist(), road_map.lane_right.tolist(),
                                strict=True))  # fmt: skip
        self._connector: list[bool] = road_map.lane_connector.tolist()
        self._after: list[int] = road_map.succ.tolist()
        self._after_off: list[int] = road_map.succ_off.tolist()
        self._lines: dict[tuple[int, int, bool], Line] = {}
        self._crossed: dict[int, tuple[Crossed, ...]] = {}

    def reachable(self, lane: int) -> Window:
        """All ways into junctions from anywhere on a lane and on those beside it, REACH_M far."""
        entries: list[Entry] = []
        number: dict[tuple[int, int, bool], int] = {}
        zones: list[Zone] = []
        for before, connector in self._entries(lane):
            crossed = self.crossed(connector)
            head = int(self.road_map.lane_head[connector])
            if head == NONE and not crossed:
                continue  # nothing holds us there
            own = (before, connector, True)
            _, _, begin, _ = self.line(own)
            at = number.setdefault(own, len(number))
            for way, their_head, along in crossed:
                theirs = (*way, False)
                start = self.line(theirs)[2]
                line = number.setdefault(theirs, len(number))
                places = (np.add(along, (begin, begin, start, start, start))).tolist()
                if along[4] <= 0.0:
                    places[4] = 0.0
                zones.append((len(entries), line, their_head, places))
            entries.append((at, before, self._stop_m(before, begin), head))
        return _window([self.line(each) for each in number], entries, zones)

    def _entries(self, lane: int) -> list[tuple[int, int]]:
        """(lane before, connector), the near ones first; whoever stands on a connector is on its
        own, too."""
        found: dict[tuple[int, int], None] = {}
        if self._connector[lane]:
            found |= {(int(one), lane): None for one in self.road_map.predecessors(lane)}
        away = {lane: -self._length[lane]}
        todo = [lane]
        for here in todo:
            if len(todo) > LANES:
                break
            for beside in self._beside[here]:
                if beside != NONE and beside not in away and self._cars[beside]:
                    away[beside] = away[here]
                    todo.append(beside)
            end = away[here] + self._length[here]
            for after in self._after[self._after_off[here] : self._after_off[here + 1]]:
                if not self._cars[after]:
                    continue
                if self._connector[after]:
                    found[here, after] = None
                if after not in away and end < REACH_M:
                    away[after] = end
                    todo.append(after)
        return list(found)

    def _stop_m(self, before: int, begin: float) -> float:
        stop, length = float(self.road_map.lane_stop_m[before]), self._length[before]
        return max(0.0, begin - (length - min(length, stop))) if math.isfinite(stop) else begin

    def crossed(self, connector: int) -> tuple[Crossed, ...]:
        """Ways of those who go first over a connector: (lane before, theirs), their head, and where
        along ours and theirs the ground is and from where on theirs they cannot turn off."""
        if connector not in self._crossed:
            self._crossed[connector] = tuple(self._crossing(connector))
        return self._crossed[connector]

    def _crossing(self, connector: int) -> Iterator[Crossed]:
        m = self.road_map
        rows = np.arange(m.conf_off[connector], m.conf_off[connector + 1])
        rows = rows[(m.conf_kind[rows] == CROSS) & (m.conf_priority[rows] < 0)]
        others = set(m.conf_lane[rows].tolist())
        for row in rows.tolist():
            other = int(m.conf_lane[row])
            before = m.predecessors(other)
            if not len(before):
                continue
            rivals = [
                each
                for each in m.successors(int(before[0])).tolist()
                if each not in others and m.lane_allow[each] != 0
            ]
            places = (
                float(m.conf_s_in_m[row]), float(m.conf_s_out_m[row]),
                float(m.conf_other_in_m[row]), float(m.conf_other_out_m[row]),
                self._parted_m(other, rivals),
            )  # fmt: skip
            yield (int(before[0]), other), int(m.lane_head[other]), places

    def _parted_m(self, connector: int, rivals: list[int]) -> float:
        """How far along a connector it shares no ground any more with those that leave the same
        lane for elsewhere; 0 where there are none, inf where that is not known."""
        if not rivals:
            return 0.0
        m = self.road_map
        rows = np.arange(m.conf_off[connector], m.conf_off[connector + 1])
        parts = (m.conf_kind[rows] == DIVERGE) & np.isin(m.conf_lane[rows], rivals)
        return float(m.conf_s_out_m[rows][parts].max(initial=0.0)) if parts.any() else math.inf

    def line(self, key: tuple[int, int, bool]) -> Line:
        """Of (lane before, connector, whether it is ours)."""
        if key not in self._lines:
            before, connector, ours = key
            lead, step = (LEAD_M, FINE_M) if ours else (APPROACH_M, COARSE_M)
            if ours and math.isfinite(stop := float(self.road_map.lane_stop_m[before])):
                lead += max(0.0, self._length[before] - stop)
            xy, s, begin = _led(self.road_map, before, connector, lead)
            keep = _thinned(s, step)
            half = 0.5 * float(self.road_map.lane_width_m[connector])
            self._lines[key] = xy[keep], s[keep], begin, half
        return self._lines[key]


def _window(
    lines: list[Line],
    entries: list[Entry],
    zones: list[Zone],
) -> Window:
    """All of it as arrays."""
    ours = np.array(entries, np.float64).reshape(-1, 4)
    theirs = np.array([zone[:3] for zone in zones], np.int32).reshape(-1, 3)
    return Window(
        off=np.cumsum([0, *(len(line[1]) for line in lines)], dtype=np.int32),
        xy_m=np.concatenate([np.zeros((0, 2)), *(line[0] for line in lines)]),
        s_m=np.concatenate([np.zeros(0), *(line[1] for line in lines)]),
        half_m=np.array([line[3] for line in lines], np.float64),
        entry_line=ours[:, 0].astype(np.int32),
        entry_from=ours[:, 1].astype(np.int32),
        entry_stop_m=ours[:, 2].copy(),
        entry_head=_heads(ours[:, 3].astype(np.int32)),
        zone_entry=theirs[:, 0].copy(),
        zone_line=theirs[:, 1].copy(),
        zone_head=_heads(theirs[:, 2]),
        zone_m=np.array([zone[3] for zone in zones], np.float64).reshape(-1, 5).T.copy(),
    )


def _heads(heads: Int32Array) -> Heads:
    rows = np.flatnonzero(heads != NONE)
    unread = np.full(len(heads), np.int8(OFF))
    unread[rows] = UNSEEN
    return Heads(unread, rows, heads[rows], int(heads.max(initial=NONE)) + 1)


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
