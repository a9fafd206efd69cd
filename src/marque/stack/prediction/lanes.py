"""Predict: where each tracked road user may go. Paths only; the rollout decides how fast."""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, read_only
from marque.kernels.forecast import (
    MAX_PATHS,
    STANDS_MPS,
    find_leaders,
    forecast_paths,
    may_be_open,
)
from marque.kernels.long_body import lay_long_bodies
from marque.kernels.tables import MapTables
from marque.stack.prediction.strip import along_own_lane
from marque.types.codes import SignalState
from marque.types.forecast import Forecast
from marque.types.road_map import NONE
from marque.types.scene import Scene

HORIZON_S = 8.0
SAMPLES_PER_TRACK = 140
CLOSE_M = 6.0  # bumper to bumper, to whom one stands behind


@dataclass(frozen=True, slots=True, eq=False)
class Queued:
    """K paths: whose, their first connector and its metres, who stands in them and where."""

    track: Int32Array
    connector: Int32Array
    connector_m: FloatArray
    lead: Int32Array
    lead_m: FloatArray


def _lights(tables: MapTables, scene: Scene) -> Int8Array:
    """The lights seen; and that over whose line we have come, so that it is not seen any more: we
    came with green, and who comes towards us may have it still."""
    lane = scene.ego.lane
    head = int(tables.lane_head[lane]) if lane != NONE else NONE
    if head == NONE or scene.signal_state[head] != SignalState.UNKNOWN:
        return scene.signal_state
    lights = scene.signal_state.copy()
    lights[head] = SignalState.GREEN_YIELD
    return read_only(lights)


def behind_who_waits(
    tables: MapTables, scene: Scene, lights: Int8Array, paths: Queued
) -> BoolArray:
    """[K] those who stand at a light that we cannot see and that may be green, right behind
    somebody who stands beyond its line: it is for them that they wait."""
    tracks = scene.tracks
    found = np.zeros(len(paths.track), dtype=np.bool_)
    for k in np.flatnonzero((paths.lead >= 0) & (paths.connector != NONE)).tolist():
        i, ahead, on = int(paths.track[k]), int(paths.lead[k]), int(paths.connector[k])
        head = int(tables.lane_head[on])
        if head < 0 or lights[head] != SignalState.UNKNOWN or paths.connector_m[k] <= 0.0:
            continue
        over = paths.lead_m[k] > paths.connector_m[k]
        gap = paths.lead_m[k] - 0.5 * (tracks.length_m[i] + tracks.length_m[ahead])
        stands = tracks.speed_mps[ahead] < STANDS_MPS
        found[k] = over and stands and gap < CLOSE_M and may_be_open(tables, on, lights)
    return found


def predict(tables: MapTables, scene: Scene) -> Forecast:
    """Every possible path of every track in the scene (see `kernels.forecast`); without a map, one
    along our own lane (`strip.py`)."""
    if len(tables.lane_length_m) == 0:
        return along_own_lane(scene)
    tracks = scene.tracks
    n = tracks.count
    rows = max(1, n * MAX_PATHS)
    room = max(2, n * SAMPLES_PER_TRACK * 2)
    track = np.empty(rows, np.int32)
    probability = np.empty(rows)
    off = np.zeros(rows + 1, np.int32)
    limit = np.empty(rows)
    stop = np.empty(rows)
    connector = np.empty(rows, np.int32)
    connector_m = np.empty(rows)
    walk = np.full(rows, NONE, np.int32)
    x, y, heading = np.empty(room), np.empty(room), np.empty(room)
    lane = np.empty(room, np.int32)
    lights = _lights(tables, scene)
    count = forecast_paths(
        tables,
        tracks.kind,
        tracks.x_m,
        tracks.y_m,
        tracks.heading_rad,
        tracks.speed_mps,
        tracks.length_m,
        tracks.indicator,
        tracks.lane,
        tracks.s_m,
        tracks.d_m,
        tracks.still_s,
        lights,
        HORIZON_S,
        track,
        probability,
        off,
        limit,
        stop,
        connector,
        connector_m,
        walk,
        x,
        y,
        heading,
        lane,
    )
    lead = np.empty(rows, np.int32)
    lead_m = np.empty(rows)
    ways = (count, track, off, x, y, heading)
    now = (tracks.x_m, tracks.y_m, tracks.heading_rad, tracks.length_m)
    find_leaders(*ways, *now, tracks.width_m, lead, lead_m)
    lay_long_bodies(*ways, *now)
    queued = Queued(
        track[:count], connector[:count], connector_m[:count], lead[:count], lead_m[:count]
    )
    stop[:count][behind_who_waits(tables, scene, lights, queued)] = np.inf
    used = int(off[count])
    return Forecast(
        track=track[:count],
        probability=probability[:count],
        off=off[: count + 1],
        x_m=x[:used],
        y_m=y[:used],
        heading_rad=heading[:used],
        lane=lane[:used],
        limit_mps=limit[:count],
        stop_m=stop[:count],
        connector=connector[:count],
        connector_m=connector_m[:count],
        walk=walk[:count],
        lead=lead[:count],
        lead_m=lead_m[:count],
    )
