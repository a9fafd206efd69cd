"""How well a car kept to its lane, by the truth: what a drive without a map is judged by."""

from typing import Any

import numpy as np

from marque.core.arrays import BoolArray
from marque.maps.lookup import LaneIndex
from marque.metrics.trace import make_trace
from marque.metrics.way import Way, driven_way
from marque.types.codes import Reaction
from marque.types.episode import Episode
from marque.types.road_map import NONE, RoadMap

MOVES_MPS = 1.0  # slower, nothing is kept
ASIDE_SHARE = 0.3  # of a lane's width beside its middle: on the way out of it


def lane_keeping(episode: Episode, index: LaneIndex) -> dict[str, Any]:
    """Numbers of one drive.

    `lateral_rms_m`, `lateral_max_m`: of the rear axle from the middle of the lane under it;
    `off_lane_s`: time with a side of the body over a line of that lane, or on none; `lanes_left`:
    how often the axle came into another lane sideways; `takeovers`: how often somebody was asked
    to take over, before the first lane was found aside; `keeping_s`: time that counts, which is
    that in motion, but for where a lane that opens lies over another.
    """
    trace = make_trace(episode)
    way = driven_way(trace, index)
    road_map = episode.road_map
    moves = (trace.speed_mps > MOVES_MPS) & ~_opening(road_map, way)
    on = (way.lane != NONE) & moves
    lane = np.where(way.lane == NONE, 0, way.lane)
    room = 0.5 * (road_map.lane_width_m[lane] - episode.platform.width_m)
    off = moves & ((way.lane == NONE) | (np.abs(way.d_m) > room))
    d = way.d_m[on]
    step_s = float(np.median(np.diff(trace.t_s))) if trace.count > 1 else 0.0
    return {
        "lateral_rms_m": round(float(np.sqrt((d * d).mean())), 4) if len(d) else None,
        "lateral_max_m": round(float(np.abs(d).max()), 4) if len(d) else None,
        "off_lane_s": round(step_s * int(off.sum()), 3),
        "lanes_left": _left(episode, way),
        "takeovers": _asked(episode),
        "keeping_s": round(step_s * int(moves.sum()), 3),
    }


def _opening(road_map: RoadMap, way: Way) -> BoolArray:
    """[n] where a lane opens or ends sideways, so that it lies over the one beside it."""
    out = np.zeros(len(way.lane), np.bool_)
    if len(road_map.taper_m) == 0:
        return out
    known = np.flatnonzero(way.lane != NONE)
    lane = way.lane[known]
    begin, end = road_map.taper_m[lane, 0], road_map.taper_m[lane, 1]
    left_m = road_map.lane_length_m[lane] - way.s_m[known]
    out[known] = (way.s_m[known] < begin) | (left_m < end)
    return out


def _left(episode: Episode, way: Way) -> int:
    """Changes to another lane of the same road, sideways: where a lane opens beside ours, the two
    begin as one. Junctions are left out."""
    road_map = episode.road_map
    rows = np.flatnonzero(way.lane != NONE)
    rows = rows[~road_map.lane_connector[way.lane[rows]]]
    before, after = way.lane[rows[:-1]], way.lane[rows[1:]]
    aside = np.abs(way.d_m[rows[:-1]]) > ASIDE_SHARE * road_map.lane_width_m[before]
    same = road_map.lane_edge[before] == road_map.lane_edge[after]
    return int(((before != after) & same & aside).sum())


def _asked(episode: Episode) -> int:
    """Beginnings of a demand to take over, once the car has driven without one."""
    levels = np.array([int(tick.health.level) for tick in episode.ticks])
    asks = levels >= Reaction.TAKEOVER
    free = np.flatnonzero(~asks)
    if len(free) == 0:
        return int(asks.any())
    asks = asks[int(free[0]) :]
    return int((asks[1:] & ~asks[:-1]).sum())
