"""What stands and lies along the lanes of a map for drivers to read: signals, stop lines, signs.

Senses find what truly stands there; perception holds that against what its own map says. Where the
source names no signs, they stand where the law puts them: a limit where it changes, no entry at the
open end of a road that only leads out of a junction's reach.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array, freeze_arrays
from marque.types.codes import Allow, Control, Furniture
from marque.types.road_map import NONE, RoadMap

SAME_LIMIT_MPS = 0.3
ARM_M, FACES = 14.0, -0.7  # who drives out of a road that begins so near its end, and against it


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """n pieces, map frame: each in the middle of the lane that it is for."""

    kind: Int8Array  # [n] Furniture
    x_m: FloatArray  # [n]
    y_m: FloatArray
    heading_rad: FloatArray  # [n] of the traffic that it is for
    value: FloatArray  # [n] head of a signal, m/s of a limit, else 0
    lane: Int32Array  # [n] that it governs; of a no-entry sign NONE

    def __post_init__(self) -> None:
        freeze_arrays(self)


Row = tuple[int, float, float, float, float, int]


def furniture_of(road_map: RoadMap) -> Placed:
    """All of a map."""
    rows: list[Row] = [
        *_signals(road_map),
        *_stop_lines(road_map),
        *_limits(road_map),
        *_no_entries(road_map),
    ]
    kind, x, y, heading, value, lane = zip(*rows, strict=True) if rows else ([],) * 6
    return Placed(
        np.array(kind, np.int8),
        np.array(x, np.float64),
        np.array(y, np.float64),
        np.array(heading, np.float64),
        np.array(value, np.float64),
        np.array(lane, np.int32),
    )


def same_limit(a_mps: float, b_mps: float) -> bool:
    """Whether two limits are one, but for rounding."""
    return abs(a_mps - b_mps) < SAME_LIMIT_MPS


def roads(road_map: RoadMap) -> list[int]:
    """Lanes for cars outside of junctions."""
    cars = (road_map.lane_allow & Allow.CAR) != 0
    return np.flatnonzero(cars & ~road_map.lane_connector).tolist()


def _signals(road_map: RoadMap) -> list[Row]:
    """One for each lane that a head holds, at its stop line."""
    rows: dict[tuple[int, int], Row] = {}
    for lane in roads(road_map):
        s_m = float(road_map.lane_stop_m[lane])
        for connector in road_map.successors(lane).tolist():
            head = int(road_map.lane_head[connector])
            if head == NONE or (lane, head) in rows:
                continue
            at = s_m if math.isfinite(s_m) else float(road_map.lane_length_m[lane])
            rows[lane, head] = (
                Furniture.SIGNAL,
                *road_map.place(lane, at),
                float(head),
                lane,
            )
    return list(rows.values())


def _stop_lines(road_map: RoadMap) -> list[Row]:
    """Where a signal or a stop sign holds."""
    stops = np.isin(road_map.lane_control, (Control.STOP, Control.ALL_WAY_STOP))
    held = stops | (road_map.lane_head != NONE)
    rows: list[Row] = []
    for lane in roads(road_map):
        s_m = float(road_map.lane_stop_m[lane])
        if math.isfinite(s_m) and held[road_map.successors(lane)].any():
            rows.append((Furniture.STOP_LINE, *road_map.place(lane, s_m), 0.0, lane))
    return rows


def _limits(road_map: RoadMap) -> list[Row]:
    """At the beginning of each lane whose limit is not that of every road that leads there."""
    rows: list[Row] = []
    for lane in roads(road_map):
        limit = float(road_map.lane_limit_mps[lane])
        before = _before(road_map, lane)
        same = [same_limit(limit, float(road_map.lane_limit_mps[b])) for b in before]
        if not same or not all(same):
            rows.append((Furniture.LIMIT, *road_map.place(lane, 0.0), limit, lane))
    return rows


def _before(road_map: RoadMap, lane: int) -> list[int]:
    """Roads that lead to a lane, over connectors or directly."""
    found = []
    for each in road_map.predecessors(lane).tolist():
        if road_map.lane_connector[each]:
            found += road_map.predecessors(each).tolist()
        else:
            found.append(each)
    return found


def _no_entries(road_map: RoadMap) -> list[Row]:
    """At the end of each lane beside which no road leads back from the junction: for those who
    would drive in there, against its traffic."""
    lanes = roads(road_map)
    first = np.array([road_map.points(lane)[0] for lane in lanes]).reshape(-1, 2)
    away = np.array([float(road_map.pt_heading_rad[road_map.pt_off[lane]]) for lane in lanes])
    order = np.argsort(first[:, 0])  # so that each end looks at the few that begin about it
    first, away = first[order], away[order]
    rows: list[Row] = []
    for lane in lanes:
        if not road_map.lane_connector[road_map.successors(lane)].any():
            continue  # it ends at no junction
        x, y = road_map.points(lane)[-1]
        heading = float(road_map.pt_heading_rad[road_map.pt_off[lane + 1] - 1])
        some = slice(*np.searchsorted(first[:, 0], (x - ARM_M, x + ARM_M)))
        near = np.hypot(first[some, 0] - x, first[some, 1] - y) < ARM_M
        if (near & (np.cos(away[some] - heading) < FACES)).any():
            continue
        rows.append((Furniture.NO_ENTRY, x, y, heading + math.pi, 0.0, NONE))
    return rows
