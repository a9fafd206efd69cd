"""Where others go where no map says it: along our own lane, as far beside it as they are now.

Who drives our way keeps beside the line of our lane and bends with it. Who moves sideways clearly
goes on doing so for a while, and who indicates towards our lane comes into it. All others go
straight on.
"""

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.kernels.strip import Strip, beside, strip_of
from marque.types.codes import Indicator
from marque.types.forecast import STEP_M, Forecast
from marque.types.own_lane import OwnLane
from marque.types.road_map import NONE
from marque.types.scene import EgoBelief, Scene, Tracks

HORIZON_S, LEAST_M = 8.0, 10.0
BEHIND_M, FAR_M = -200.0, 460.0
SAME_WAY, WITHIN_M = 0.9, 20.0  # cosine of headings; so far beside our lane it still says something
SIDEWAYS_MPS, SIDEWAYS_S = 0.35, 2.0  # slower is noise; nobody moves sideways for longer
COMES_MPS = 0.9  # sideways, of who indicates
ALONGSIDE = (0.6, 1.6)  # lane widths off our middle at which somebody drives beside us


def along_own_lane(scene: Scene) -> Forecast:
    """One path of every track."""
    tracks, n = scene.tracks, scene.tracks.count
    count = np.maximum(LEAST_M, HORIZON_S * np.maximum(tracks.speed_mps, 0.0)) / STEP_M
    samples = count.astype(np.int64) + 1
    off = np.concatenate(([0], np.cumsum(samples))).astype(np.int32)
    x, y, heading = (np.empty(int(off[-1])) for _ in range(3))
    line = None if scene.own_lane is None else _line(scene.own_lane, scene.ego)
    s, d = np.zeros(n), np.zeros(n)
    follows = np.zeros(n, np.bool_)
    if line is not None and scene.own_lane is not None:
        s, d, at = beside(line, tracks.x_m, tracks.y_m)
        follows = np.cos(tracks.heading_rad - line.heading_rad[at]) > SAME_WAY
        follows &= (np.abs(d) < WITHIN_M) & (s > BEHIND_M) & (s < FAR_M)
        aside = _aside(scene.own_lane, tracks, line.heading_rad[at], d)
    for i in range(n):
        rows = slice(int(off[i]), int(off[i + 1]))
        way = STEP_M * np.arange(samples[i])
        if line is not None and follows[i]:
            speed = max(float(tracks.speed_mps[i]), 1.0)
            moved = np.minimum(way / speed, SIDEWAYS_S) * float(aside[i])
            x[rows], y[rows], heading[rows] = _beside(line, float(s[i]) + way, float(d[i]) + moved)
        else:
            a = float(tracks.heading_rad[i])
            x[rows] = float(tracks.x_m[i]) + way * np.cos(a)
            y[rows] = float(tracks.y_m[i]) + way * np.sin(a)
            heading[rows] = a
    lead, lead_m = _leaders(tracks, s, d, follows)
    nothing = np.full(n, NONE, np.int32)
    return Forecast(
        track=np.arange(n, dtype=np.int32),
        probability=np.ones(n),
        off=off,
        x_m=x,
        y_m=y,
        heading_rad=heading,
        lane=np.full(len(x), NONE, np.int32),
        limit_mps=np.maximum(tracks.speed_mps, 1.0),
        stop_m=np.full(n, np.inf),
        connector=nothing,
        connector_m=np.full(n, np.inf),
        walk=nothing.copy(),
        lead=lead,
        lead_m=lead_m,
    )


def _line(lane: OwnLane, ego: EgoBelief) -> Strip:
    """The middle of our lane in the map frame."""
    line = strip_of(lane, (BEHIND_M, FAR_M), STEP_M)
    c, s = np.cos(ego.heading_rad), np.sin(ego.heading_rad)
    return Strip(
        line.s_m,
        ego.x_m + c * line.x_m - s * line.y_m,
        ego.y_m + s * line.x_m + c * line.y_m,
        line.heading_rad + ego.heading_rad,
        line.curvature_1pm,
    )


def _beside(line: Strip, s: FloatArray, d: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Map places beside the line; straight on beyond its ends."""
    at = np.clip(s, line.s_m[0], line.s_m[-1])
    x, y, heading = (np.interp(at, line.s_m, v) for v in (line.x_m, line.y_m, line.heading_rad))
    over = s - at
    c, n = np.cos(heading), np.sin(heading)
    return x + over * c - d * n, y + over * n + d * c, heading


def _aside(lane: OwnLane, tracks: Tracks, heading: FloatArray, d: FloatArray) -> FloatArray:
    """[n] speed sideways, left positive, of who moves or means to."""
    moves = tracks.speed_mps * np.sin(tracks.heading_rad - heading)
    out = np.where(np.abs(moves) > SIDEWAYS_MPS, moves, 0.0)
    shows = np.where(tracks.indicator == Indicator.LEFT, 1.0, 0.0)
    shows -= np.where(tracks.indicator == Indicator.RIGHT, 1.0, 0.0)
    off = np.abs(d) / lane.width_m
    comes: BoolArray = (shows * d < 0.0) & (off > ALONGSIDE[0]) & (off < ALONGSIDE[1])
    side: FloatArray = np.where(comes & (np.abs(out) < COMES_MPS), shows * COMES_MPS, out)
    return side


def _leaders(
    tracks: Tracks, s: FloatArray, d: FloatArray, follows: BoolArray
) -> tuple[np.ndarray, FloatArray]:
    """[n] who drives next ahead in the same row, -1 nobody, and how far."""
    n = tracks.count
    lead, lead_m = np.full(n, -1, np.int32), np.full(n, np.inf)
    for i in np.flatnonzero(follows).tolist():
        reach = 0.5 * (tracks.width_m + tracks.width_m[i])
        row = follows & (np.abs(d - d[i]) < reach) & (s > s[i] + 0.1)
        if row.any():
            ahead = np.where(row, s - s[i], np.inf)
            lead[i] = int(np.argmin(ahead))
            lead_m[i] = float(ahead[lead[i]])
    return lead, lead_m
