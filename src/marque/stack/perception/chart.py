"""Belief against map: what is seen of the road, held against what the map says.

`watch_chart(memory, ego, tracks, sightings, t_ns) -> memory`, each 100 ms; the result is in
`memory.chart`. Laws:

1. What is seen where the map has the same, about `ALONG_M` and `ACROSS_M`, says nothing new.
2. Anything else counts once it has been seen `SURE` times at about the same place of a lane.
3. Eyes are believed before the map: a line is where it is seen, a signal holds that the map does
   not have, a sign's limit holds, nobody drives past a no-entry sign.
4. A limit holds until another sign, or until we have passed a junction.
5. Where traffic drives steadily beside the lanes that the map has, there is one more; where
   things that are no road users stand in a lane, it is closed. Both are reported, no more: who
   drives or stands there is a track as anybody.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from marque.core.time import NS_PER_S, seconds
from marque.kernels.furniture import Placed, furniture_of, same_limit
from marque.maps.lookup import LaneIndex
from marque.types.codes import Control, Furniture, Reaction, SignalState, Turn, UserKind
from marque.types.health import Finding, Health
from marque.types.reading import Sightings
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import (
    AS_MAPPED,
    Chart,
    EgoBelief,
    SeenLimit,
    SeenLine,
    SeenSignal,
    Tracks,
)

ALONG_M, ACROSS_M = 2.5, 2.2  # to the same thing on the map; own place is known within a metre
SIGNAL_ALONG_M = 20.0  # a signal whose line has moved is still the same
SAME_WAY = 0.7  # cosine of headings
# beyond, it is not sure for which lane something is; a sign is for all lanes of a road
READ_M, SIGN_M = 45.0, 80.0
ON_LANE_M, ON_ROAD_M = 3.0, 6.0  # a no-entry sign is for the whole road
SURE = 3
MERGE_M = 4.0  # sightings so near on one lane are of the same thing
STATE_NS = NS_PER_S  # a light is as it was seen for so long,
FORGET_NS = 120 * NS_PER_S
BESIDE_M, BESIDE_MOST_M = 0.7, 4.5  # so far off the edge of its lane somebody drives on another
STEADY = 20  # frames
MOVES_MPS = 3.0
FRESH_S = 0.3  # since somebody was last seen
BLOCKS_S, IN_LANE_M = 1.0, 0.3
MOTOR = (UserKind.CAR, UserKind.TRUCK, UserKind.BUS)
SIGNAL, LINE, LIMIT, NO_ENTRY = (int(kind) for kind in Furniture)
ADDED, CLOSED = 10, 11  # told by traffic
WORDS = {
    LINE: "has its stop line elsewhere",
    SIGNAL: "lacks a signal",
    LIMIT: "has another limit",
    NO_ENTRY: "leads against a one-way road",
    ADDED: "lacks a lane",
    CLOSED: "has a lane that is closed",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing that the map says otherwise: mean place, how often seen, and when."""

    what: int
    lane: int
    s_m: float
    first_m: float  # where it was seen first
    value: float
    count: int
    since_ns: int
    seen_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class ChartMemory:
    """What is remembered of the road."""

    road_map: RoadMap
    index: LaneIndex
    placed: Placed
    spots: tuple[Spot, ...] = ()
    stamp_ns: int = -1
    beside: tuple[tuple[int, int], ...] = ()  # (uid, frames) of those on no lane
    limit_mps: float = math.inf
    edge: int = NONE  # under us, the last that we know of
    chart: Chart = AS_MAPPED


def begin_chart(road_map: RoadMap, index: LaneIndex) -> ChartMemory:
    """Before the first look."""
    return ChartMemory(road_map, index, furniture_of(road_map))


def with_spots(health: Health, chart: Chart) -> Health:
    """The findings about the map among those about the senses."""
    if not chart.findings:
        return health
    level = max(health.level, Reaction.LOG)
    since = health.since_ns if health.level >= Reaction.LOG else chart.findings[0].since_ns
    return Health(level, (*health.findings, *chart.findings), since)


def watch_chart(
    memory: ChartMemory, ego: EgoBelief, tracks: Tracks, seen: Sightings | None, t_ns: int
) -> ChartMemory:
    """One look."""
    found: list[Spot] = []
    if seen is not None and seen.t_ns > memory.stamp_ns:
        found += _unmapped(memory, ego, seen, t_ns)
        memory = replace(memory, stamp_ns=seen.t_ns)
    beside, more = _traffic(memory, tracks, t_ns)
    found += more
    spots = memory.spots
    if found or spots:
        spots = _merged(spots, found, t_ns)
    memory = replace(memory, spots=spots, beside=beside)
    memory = _driven(memory, ego)
    if not memory.spots and memory.chart is AS_MAPPED:
        return memory
    return replace(memory, chart=_chart(memory, t_ns))


def _unmapped(memory: ChartMemory, ego: EgoBelief, seen: Sightings, t_ns: int) -> Iterator[Spot]:
    """What of the sightings the map says otherwise."""
    x, y, heading = _in_map(ego, seen, t_ns)
    reach = np.where(np.isin(seen.kind, (LIMIT, NO_ENTRY)), SIGN_M, READ_M)
    for i in np.flatnonzero(np.hypot(seen.x_m, seen.y_m) < reach).tolist():
        kind, value = int(seen.kind[i]), float(seen.value[i])
        at = float(x[i]), float(y[i]), float(heading[i])
        if kind != LIMIT and _mapped(memory.placed, kind, *at):
            continue
        reach_m = ON_ROAD_M if kind == NO_ENTRY else ON_LANE_M
        place = memory.index.nearest(*at, max_m=reach_m, connectors=False)
        if place is None or not _runs_that_way(memory.road_map, place[0], place[1], at[2]):
            continue
        lane, s_m, _ = place
        if kind == LIMIT and not _news(memory, lane, value):
            continue
        yield Spot(kind, lane, s_m, s_m, value, 1, t_ns, t_ns)


def _in_map(
    ego: EgoBelief, seen: Sightings, t_ns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places and headings in the map frame: from where we were when they were seen."""
    late_s = seconds(t_ns - seen.t_ns)
    heading = ego.heading_rad - ego.yaw_rate_radps * late_s
    way = ego.speed_mps * late_s
    x0, y0 = ego.x_m - way * math.cos(heading), ego.y_m - way * math.sin(heading)
    c, s = math.cos(heading), math.sin(heading)
    return (
        x0 + c * seen.x_m - s * seen.y_m,
        y0 + s * seen.x_m + c * seen.y_m,
        seen.heading_rad + heading,
    )


def _mapped(placed: Placed, kind: int, x: float, y: float, heading: float) -> bool:
    """Whether the map has such a thing there."""
    dx, dy = placed.x_m - x, placed.y_m - y
    far_m = SIGNAL_ALONG_M if kind == SIGNAL else ALONG_M
    near = (placed.kind == kind) & (np.maximum(np.abs(dx), np.abs(dy)) < far_m + ACROSS_M)
    if not near.any():
        return False
    c, s = math.cos(heading), math.sin(heading)
    along, across = dx * c + dy * s, -dx * s + dy * c
    near &= (np.abs(along) < far_m) & (np.abs(across) < ACROSS_M)
    return bool((near & (np.cos(placed.heading_rad - heading) > SAME_WAY)).any())


def _runs_that_way(road_map: RoadMap, lane: int, s_m: float, heading: float) -> bool:
    return math.cos(road_map.place(lane, s_m)[2] - heading) > SAME_WAY


def _news(memory: ChartMemory, lane: int, limit_mps: float) -> bool:
    """A sign that agrees with the map is one only where another does not."""
    agrees = same_limit(float(memory.road_map.lane_limit_mps[lane]), limit_mps)
    differs = math.isfinite(memory.limit_mps) or any(
        spot.what == LIMIT and spot.count >= SURE for spot in memory.spots
    )
    return differs or not agrees


def _traffic(
    memory: ChartMemory, tracks: Tracks, t_ns: int
) -> tuple[tuple[tuple[int, int], ...], list[Spot]]:
    """Who drives beside the lanes, for how long; and what that and standing obstacles tell."""
    road_map = memory.road_map
    known = dict(memory.beside)
    on_road = (tracks.lane != NONE) & (tracks.age_s < FRESH_S)
    inside = np.where(tracks.lane != NONE, tracks.lane, 0)
    on_road &= ~road_map.lane_connector[inside]
    half = 0.5 * road_map.lane_width_m[inside]
    off = np.abs(tracks.d_m) - half
    drives = on_road & np.isin(tracks.kind, MOTOR) & (tracks.speed_mps > MOVES_MPS)
    drives &= (off > BESIDE_M) & (off < BESIDE_MOST_M)
    beside, found = [], []
    for i in np.flatnonzero(drives).tolist():
        lane, s_m = int(tracks.lane[i]), float(tracks.s_m[i])
        if not _runs_that_way(road_map, lane, s_m, float(tracks.heading_rad[i])):
            continue
        uid = int(tracks.uid[i])
        frames = known.get(uid, 0) + 1
        beside.append((uid, frames))
        if frames >= STEADY:
            found.append(_told(ADDED, lane, s_m, t_ns))
    stands = on_road & (tracks.kind == UserKind.OBSTACLE) & (tracks.still_s > BLOCKS_S)
    found += [
        _told(CLOSED, int(tracks.lane[i]), float(tracks.s_m[i]), t_ns)
        for i in np.flatnonzero(stands & (off < -IN_LANE_M)).tolist()
    ]
    return tuple(beside), found


def _told(what: int, lane: int, s_m: float, t_ns: int) -> Spot:
    return Spot(what, lane, s_m, s_m, 0.0, SURE, t_ns, t_ns)


def _merged(spots: tuple[Spot, ...], found: list[Spot], t_ns: int) -> tuple[Spot, ...]:
    """Old and new, each thing once; those out of mind are forgotten."""
    kept = [one for one in spots if t_ns - one.seen_ns < FORGET_NS]
    for new in found:
        for k, old in enumerate(kept):
            same = old.what == new.what and old.lane == new.lane
            if same and (new.what >= ADDED or abs(old.s_m - new.s_m) < MERGE_M):
                share = 1.0 / min(old.count + 1, 20)
                kept[k] = replace(
                    old,
                    s_m=old.s_m + share * (new.s_m - old.s_m),
                    value=new.value,
                    count=old.count + 1,
                    seen_ns=t_ns,
                )
                break
        else:
            kept.append(new)
    return tuple(kept)


def _driven(memory: ChartMemory, ego: EgoBelief) -> ChartMemory:
    """The limit that holds where we are: of the last sign passed, to the next junction."""
    if ego.lane == NONE:
        return memory
    road_map, limit = memory.road_map, memory.limit_mps
    edge, before = int(road_map.lane_edge[ego.lane]), memory.edge
    if edge != before:  # a sign at the very end of a road is passed with it
        limit = _passed(memory, before, math.inf, limit)
        limit = math.inf if ends_limits(road_map, ego.lane) else limit
    if not road_map.lane_connector[ego.lane]:
        limit = _passed(memory, edge, ego.s_m, limit)
    return replace(memory, limit_mps=limit, edge=edge)


def _passed(memory: ChartMemory, edge: int, s_m: float, limit_mps: float) -> float:
    """The limit after those signs of a road that stand before `s_m`."""
    road_map = memory.road_map
    for spot in sorted(memory.spots, key=lambda one: one.s_m):
        sign = spot.what == LIMIT and spot.count >= SURE
        if sign and road_map.lane_edge[spot.lane] == edge and spot.s_m < s_m:
            limit_mps = spot.value if _differs(road_map, spot) else math.inf
    return limit_mps


def ends_limits(road_map: RoadMap, lane: int) -> bool:
    """Whether a lane is a way across a true junction: limits end there."""
    if not road_map.lane_connector[lane]:
        return False
    plain = road_map.lane_turn[lane] == Turn.STRAIGHT and road_map.lane_control[lane] in (
        Control.FREE,
        Control.ZIPPER,
    )
    crossed = road_map.conf_off[lane + 1] > road_map.conf_off[lane]
    return not plain or bool(crossed)


def _chart(memory: ChartMemory, t_ns: int) -> Chart:
    sure = [spot for spot in memory.spots if spot.count >= SURE]
    lines = tuple(SeenLine(one.lane, one.s_m) for one in sure if one.what == LINE)
    return Chart(
        lines=lines,
        signals=tuple(_signal(one, lines, t_ns) for one in sure if one.what == SIGNAL),
        limits=tuple(SeenLimit(one.lane, one.s_m, one.value) for one in sure if one.what == LIMIT),
        limit_mps=memory.limit_mps,
        shut=frozenset(one.lane for one in sure if one.what == NO_ENTRY),
        findings=tuple(_finding(memory, one) for one in sure if _differs(memory.road_map, one)),
    )


def _signal(spot: Spot, lines: tuple[SeenLine, ...], t_ns: int) -> SeenSignal:
    """At the line that is seen near it, if there is one."""
    near = [one.s_m for one in lines if one.lane == spot.lane and abs(one.s_m - spot.s_m) < 15.0]
    fresh = t_ns - spot.seen_ns <= STATE_NS
    last = SignalState(int(spot.value))
    state = last if fresh else SignalState.UNKNOWN
    return SeenSignal(spot.lane, min(near, default=spot.s_m), state, last)


def _differs(road_map: RoadMap, spot: Spot) -> bool:
    """A sign that ends another limit is no news."""
    if spot.what != LIMIT:
        return True
    return not same_limit(float(road_map.lane_limit_mps[spot.lane]), spot.value)


def _finding(memory: ChartMemory, spot: Spot) -> Finding:
    x, y, _ = memory.road_map.place(spot.lane, spot.first_m)
    return Finding(f"map at xy:{x:.0f},{y:.0f}", WORDS[spot.what], Reaction.LOG, spot.since_ns)
