"""What has been seen of the road that the map says otherwise, as it binds a corridor.

Lines are where they are seen; a signal that the map does not have holds; a sign's limit holds; past
a no-entry sign nobody drives (`detours.keep_out` leads round it where there is a way).
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.kernels.following import stop_distance
from marque.kernels.furniture import same_limit
from marque.maps.path import STEP_M
from marque.stack.planning.corridor import Corridor, Junction
from marque.stack.planning.interactions import Interactions
from marque.types.codes import Control, Reason, SignalState, Turn
from marque.types.forecast import Forecast
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import Chart, Scene

UNSEEN_M = 45.0  # a signal that is not seen this near is taken to hold us
AMBER_MPS2, AMBER_MPS3 = 2.9, 2.5
STOPPING = (SignalState.RED, SignalState.RED_AMBER)
GOING = (SignalState.GREEN, SignalState.GREEN_YIELD)
TOWARDS = -0.7  # cosine of headings


def junctions(corridor: Corridor, chart: Chart) -> Iterator[Junction]:
    """Those of a corridor, each with its stop line where it is seen."""
    if not chart.lines:
        yield from corridor.junctions
        return
    lanes = corridor.path.lanes
    for one in corridor.junctions:
        at = lanes.index(one.lane) - 1 if one.lane in lanes else -1
        seen = [line.s_m for line in chart.lines if at >= 0 and line.lane == lanes[at]]
        if not seen:
            yield one
            continue
        yield replace(one, stop_m=corridor.path.place_m(at, max(seen)))


def signal_stops(
    corridor: Corridor, chart: Chart, front_m: float, speed_mps: float, margin_m: float
) -> Iterator[tuple[float, Reason]]:
    """(path metres of our bumper, reason) before signals that the map does not have."""
    for one in chart.signals:
        if one.lane not in corridor.path.lanes:
            continue
        line = corridor.path.place_m(corridor.path.lanes.index(one.lane), one.s_m)
        place = line - margin_m
        if front_m > line:
            continue
        if one.state in STOPPING:
            yield place, Reason.RED_LIGHT
        elif one.state == SignalState.AMBER:
            if stop_distance(speed_mps, 0.0, AMBER_MPS2, AMBER_MPS3) <= line - front_m:
                yield place, Reason.AMBER_LIGHT
        elif one.state == SignalState.UNKNOWN and place - front_m < UNSEEN_M:
            yield place, Reason.SIGNAL_UNKNOWN


def hold_others(
    it: Interactions,
    c: int,
    corridor: Corridor,
    scene: Scene,
    forecast: Forecast,
    road_map: RoadMap,
    front_m: float,
) -> None:
    """Where a signal that the map does not have shows us green, it holds the others of that
    junction: who crosses waits at their line, and who comes towards us goes first only where ours
    says so."""
    lanes = corridor.path.lanes
    for one in scene.chart.signals:
        k = lanes.index(one.lane) + 1 if one.lane in lanes else len(lanes)
        if k >= len(lanes):
            continue
        over = front_m > corridor.path.place_m(k - 1, one.s_m)
        state = one.last if over else one.state
        if state not in GOING:
            continue
        place = int(road_map.lane_junction[lanes[k]])
        for p in np.flatnonzero(
            (it.relation[c, : forecast.count] <= 0) & (it.walker == 0)
        ).tolist():
            row = slice(forecast.off[p], forecast.off[p + 1])
            theirs = forecast.lane[row]
            if not (road_map.lane_junction[theirs[theirs != NONE]] == place).any():
                continue
            turn = float(forecast.heading_rad[row][0]) - scene.ego.heading_rad
            towards = math.cos(turn) < TOWARDS
            if towards and state == SignalState.GREEN_YIELD:
                continue
            it.relation[c, p] = 1
            line = float(forecast.connector_m[p] - 0.5 * it.length[p])
            if not towards and line > 0.0:
                it.stop[p] = min(float(it.stop[p]), line)


def shut_stop(corridor: Corridor, chart: Chart, front_m: float, margin_m: float) -> float:
    """Path metres of our bumper before the first lane that nobody may drive into; inf if none."""
    if not chart.shut:
        return math.inf
    for i, lane in enumerate(corridor.path.lanes):
        if lane not in chart.shut:
            continue
        begin = corridor.path.place_m(i, 0.0)
        lines = [one.stop_m for one in corridor.junctions if one.s_out_m <= begin + STEP_M]
        before = [line - margin_m for line in lines if line >= front_m - margin_m]
        return max(before) if before else front_m  # over the line already: no farther
    return math.inf


def limits(corridor: Corridor, chart: Chart, road_map: RoadMap, s_m: float) -> FloatArray | None:
    """[n] what seen signs allow along a corridor, inf where they say nothing; None: nowhere
    anything."""
    if not chart.limits and not math.isfinite(chart.limit_mps):
        return None
    path = corridor.path
    out = np.full(len(path.xy_m), math.inf)
    begin = int(s_m / STEP_M)
    now, at = chart.limit_mps, begin
    # a sign is for all lanes of its road
    roads = {
        int(road_map.lane_edge[lane]): k
        for k, lane in enumerate(path.lanes)
        if not road_map.lane_connector[lane]
    }
    signs = [
        (path.place_m(roads[edge], one.s_m), one.limit_mps, one.lane)
        for one in chart.limits
        if (edge := int(road_map.lane_edge[one.lane])) in roads
    ]
    ends = [
        (one.s_out_m, math.inf, NONE)
        for one in corridor.junctions
        if one.turn != Turn.STRAIGHT or one.control not in (Control.FREE, Control.ZIPPER)
    ]
    for place, limit, lane in sorted(signs + ends):
        if place <= s_m:
            continue
        to = min(len(out), int(place / STEP_M))
        out[at:to] = now
        agrees = lane != NONE and same_limit(float(road_map.lane_limit_mps[lane]), limit)
        now, at = (math.inf if agrees else limit), max(at, to)
    out[at:] = now
    return out
