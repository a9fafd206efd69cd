"""A RoadMap as the engine drives on it: flat arrays, made once.

Only lanes that cars or bicycles may use are kept, numbered anew ("engine lanes", E of them).
Crosswalk w is lane E + w, so that people on foot stand in the same lists as everybody else.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, IntArray
from marque.core.errors import MarqueError
from marque.maps.field import open_lanes
from marque.sim.worlds.empty import letter_state
from marque.types.codes import Allow, ConflictKind, SignalState
from marque.types.road_map import NONE, RoadMap

LAT_ACCEL_MPS2 = 3.0  # of a driver in a bend
LEAST_LIMIT_MPS = 2.0
LONGEST_PHASE_S = 60.0  # programs on demand stay in a phase until somebody comes
CURVE_QUANTILE = 0.9  # of a connector's curvature, so that one noisy point is no bend


# rows of `Network.real`; LENGTH of a crosswalk: from kerb to kerb
LENGTH, LIMIT, WIDTH, LINE = range(4)  # LINE: metres from a lane's stop line to its end
# rows of `Network.whole`
(
    CONNECTOR,
    START,  # of a connector: the lane before it
    END,  # and the one after
    LEFT,  # where one may change to, NONE
    RIGHT,
    HEAD,
    CONTROL,
    CROSSES,  # a connector has ground in common with others than those it merges with
    PRED_OFF,  # connectors that lead to a lane
    CONF_OFF,
    OVER_OFF,  # crosswalks that a lane passes
) = range(11)
OTHER, HOW, PRIORITY = range(3)  # rows of `Network.conf_whole`
IN, OUT, OTHER_IN, OTHER_OUT = range(4)  # and of `conf_real`
OVER_IN, OVER_OUT, OVER_LO, OVER_HI = range(4)  # of `over_real`; the lane's span of the axis
WALK_PRIORITY, WALK_HEAD = 0, 1  # of `walks`


class Network(NamedTuple):
    """E lanes, C conflicts, X passages over crosswalks, W crosswalks."""

    lanes: int  # E
    real: npt.NDArray[np.float32]  # [4, E + W]
    whole: Int32Array  # [11, E + 1]
    pred: Int32Array
    conf_real: FloatArray  # [4, C] float32
    conf_whole: Int32Array  # [3, C]
    over_real: FloatArray  # [4, X] float32
    over_walk: Int32Array  # [X]
    walks: Int32Array  # [2, W]


class Lights(NamedTuple):
    """H heads in G groups, F phases."""

    head_count: int
    group_first: Int32Array  # [G + 1] phases
    group_offset: FloatArray
    phase_end: FloatArray  # [F] cumulative within its group
    group_heads_off: Int32Array  # [G + 1]
    group_heads: Int32Array  # heads of a group
    phase_head_off: Int32Array  # [F] where the states of a phase begin, for its group's heads
    phase_head_state: Int8Array


class Shape(NamedTuple):
    """Where it all lies, for pictures and bodies."""

    lane_of: Int32Array  # [E] lane of the RoadMap
    engine_of: Int32Array  # [L] engine lane, NONE if it is none
    succ_off: Int32Array  # [E + 1]
    succ: Int32Array
    pt_off: Int32Array  # [E + 1] points of the lanes' middles
    pt_xy: FloatArray
    pt_s: FloatArray
    height: FloatArray  # [E] mean elevation
    walk_axis: FloatArray  # [W, 4]


def network_of(
    road_map: RoadMap, lat_accel: float = LAT_ACCEL_MPS2
) -> tuple[Network, Lights, Shape]:
    """The network of a map. MarqueError: no lane that a car may drive on."""
    usable = open_lanes(road_map, Allow.CAR) | open_lanes(road_map, Allow.BICYCLE)
    kept = np.flatnonzero(usable)
    roads = usable & ~road_map.lane_connector & ((road_map.lane_allow & Allow.CAR) != 0)
    if not roads.any():
        raise MarqueError(f"map '{road_map.name}' has no lane that a car may drive on")
    number = np.full(road_map.lane_count + 1, NONE, dtype=np.int32)
    number[kept] = np.arange(len(kept))
    lanes = _lane_fields(road_map, kept, number, lat_accel)
    links, conflicts = _links(road_map, kept, number), _conflicts(road_map, kept, number)
    over = _passages(road_map, kept)
    axis = road_map.walk_axis_m.reshape(-1, 4).astype(np.float64)
    real = np.zeros((4, len(kept) + len(axis)), dtype=np.float32)
    real[LENGTH] = np.concatenate(
        (lanes["length"], np.hypot(axis[:, 2] - axis[:, 0], axis[:, 3] - axis[:, 1]))
    )
    for row, name in ((LIMIT, "limit"), (WIDTH, "width"), (LINE, "line")):
        real[row, : len(kept)] = lanes[name]
    whole = np.full((11, len(kept) + 1), NONE, dtype=np.int32)
    for row, values in (
        (CONNECTOR, lanes["connector"]), (START, links["start"]), (END, links["end"]),
        (LEFT, lanes["left"]), (RIGHT, lanes["right"]), (HEAD, lanes["head"]),
        (CONTROL, lanes["control"]), (CROSSES, conflicts["crosses"]),
        (PRED_OFF, links["pred_off"]), (CONF_OFF, conflicts["off"]), (OVER_OFF, over["off"]),
    ):  # fmt: skip
        whole[row, : len(values)] = values
    network = Network(
        lanes=len(kept),
        real=real,
        whole=whole,
        pred=links["pred"],
        conf_real=conflicts["real"],
        conf_whole=conflicts["whole"],
        over_real=over["real"],
        over_walk=over["walk"],
        walks=np.array([road_map.walk_priority, road_map.walk_head], dtype=np.int32),
    )
    shape = Shape(
        lane_of=kept.astype(np.int32),
        engine_of=number[:-1].copy(),
        succ_off=links["succ_off"],
        succ=links["succ"],
        height=road_map.lane_elevation_m[kept].astype(np.float64),
        walk_axis=axis,
        **_points(road_map, kept),
    )
    return network, Lights(**_signals(road_map)), shape


def _lane_fields(
    m: RoadMap, kept: IntArray, number: Int32Array, lat_accel: float
) -> dict[str, Any]:
    limit = np.array(m.lane_limit_mps[kept])
    connector = m.lane_connector[kept]
    for k in np.flatnonzero(connector):
        bend = np.abs(m.pt_curvature_1pm[m.pt_off[kept[k]] : m.pt_off[kept[k] + 1]])
        sharp = float(np.quantile(bend, CURVE_QUANTILE)) if len(bend) else 0.0
        limit[k] = min(limit[k], np.sqrt(lat_accel / max(sharp, 1e-6)))
    stop = m.lane_stop_m[kept]
    line = np.where(np.isfinite(stop), m.lane_length_m[kept] - stop, 0.0)
    return {
        "length": np.maximum(m.lane_length_m[kept], 0.1),
        "limit": np.maximum(limit, LEAST_LIMIT_MPS),
        "width": m.lane_width_m[kept],
        "connector": connector,
        "left": np.where(m.lane_left_ok[kept], number[m.lane_left[kept]], NONE),
        "right": np.where(m.lane_right_ok[kept], number[m.lane_right[kept]], NONE),
        "head": m.lane_head[kept],
        "control": m.lane_control[kept],
        "line": np.clip(line, 0.0, None),
    }


def _ragged(off: Int32Array, kept: IntArray, keep: BoolArray) -> tuple[Int32Array, IntArray]:
    """(offsets by engine lane, indices of the items kept) of a CSR list by lane."""
    rows = [np.arange(off[lane], off[lane + 1]) for lane in kept]
    rows = [row[keep[row]] for row in rows]
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    items = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32), items


def _links(m: RoadMap, kept: IntArray, number: Int32Array) -> dict[str, Any]:
    pred_off, before = _ragged(m.pred_off, kept, number[m.pred] >= 0)
    succ_off, after = _ragged(m.succ_off, kept, number[m.succ] >= 0)
    start = np.full(len(kept), NONE, dtype=np.int32)
    end = np.full(len(kept), NONE, dtype=np.int32)
    for k in np.flatnonzero(m.lane_connector[kept]):
        before_it, after_it = m.predecessors(kept[k]), m.successors(kept[k])
        start[k] = number[before_it[0]] if len(before_it) else NONE
        end[k] = number[after_it[0]] if len(after_it) else NONE
    return {
        "start": start,
        "end": end,
        "pred_off": pred_off,
        "pred": number[m.pred[before]].astype(np.int32),
        "succ_off": succ_off,
        "succ": number[m.succ[after]].astype(np.int32),
    }


def _conflicts(m: RoadMap, kept: IntArray, number: Int32Array) -> dict[str, Any]:
    off, rows = _ragged(m.conf_off, kept, number[m.conf_lane] >= 0)
    kind = m.conf_kind[rows].astype(np.int8)
    owner = np.repeat(np.arange(len(kept)), np.diff(off))
    order = np.lexsort((kind, owner))  # those that cross first
    rows, kind, owner = rows[order], kind[order], owner[order]
    crosses = np.zeros(len(kept), dtype=np.int8)
    crosses[owner[kind == ConflictKind.CROSS]] = 1
    return {
        "crosses": crosses,
        "off": off,
        "whole": np.array(
            [number[m.conf_lane[rows]], kind, m.conf_priority[rows]], dtype=np.int32
        ),
        "real": np.array(
            [
                m.conf_s_in_m[rows], m.conf_s_out_m[rows],
                m.conf_other_in_m[rows], m.conf_other_out_m[rows],
            ],
            dtype=np.float32,
        ),
    }  # fmt: skip


def _passages(m: RoadMap, kept: IntArray) -> dict[str, Any]:
    off, rows = _ragged(m.cross_off, kept, np.ones(len(m.cross_walk), dtype=np.bool_))
    owner = np.repeat(kept, np.diff(off))
    lo, hi = np.zeros(len(rows)), np.zeros(len(rows))
    for k, (lane, row) in enumerate(zip(owner, rows, strict=True)):
        x1, y1, x2, y2 = m.walk_axis_m[m.cross_walk[row]]
        way = max(1e-6, float(np.hypot(x2 - x1, y2 - y1)))
        middle = 0.5 * float(m.cross_s_in_m[row] + m.cross_s_out_m[row])
        x, y, _ = m.place(int(lane), middle)
        at = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / way
        half = 0.5 * float(m.lane_width_m[lane])
        lo[k], hi[k] = max(0.0, at - half), min(way, at + half)
    return {
        "off": off,
        "walk": m.cross_walk[rows].astype(np.int32),
        "real": np.array([m.cross_s_in_m[rows], m.cross_s_out_m[rows], lo, hi], dtype=np.float32),
    }


def _signals(m: RoadMap) -> dict[str, Any]:
    """Programs: a state for each phase and each head of its group."""
    ends: list[FloatArray] = []
    states: list[list[int]] = []
    state_off: list[int] = []
    heads: list[IntArray] = []
    heads_off = [0]
    for g in range(len(m.group_name)):
        of_group = np.flatnonzero(m.head_group == g)
        first, last = int(m.phase_off[g]), int(m.phase_off[g + 1])
        ends.append(np.cumsum(np.minimum(m.phase_duration_s[first:last], LONGEST_PHASE_S)))
        opens = _ever_open(m, first, last)
        heads.append(of_group)
        heads_off.append(heads_off[-1] + len(of_group))
        for letters in m.phase_state[first:last]:
            state_off.append(sum(len(row) for row in states))
            states.append(
                [
                    letter_state(letters, int(m.head_link[h]))
                    if int(m.head_link[h]) in opens
                    else int(SignalState.OFF)
                    for h in of_group
                ]
            )
    return {
        "head_count": len(m.head_group),
        "group_first": m.phase_off.astype(np.int32),
        "group_offset": m.group_offset_s.astype(np.float64),
        "phase_end": np.concatenate([np.zeros(0), *ends]),
        "group_heads_off": np.array(heads_off, dtype=np.int32),
        "group_heads": np.concatenate([np.zeros(0, dtype=np.int64), *heads]).astype(np.int32),
        "phase_head_off": np.array(state_off, dtype=np.int32),
        "phase_head_state": np.array([s for row in states for s in row], dtype=np.int8),
    }


def _ever_open(m: RoadMap, first: int, last: int) -> set[int]:
    """Links that some phase lets pass. Who is only let pass on demand, which the map's programs do
    not have, would wait for ever: those heads count as dark."""
    return {
        link
        for letters in m.phase_state[first:last]
        for link, letter in enumerate(letters)
        if letter in "gGoOs"
    }


def _points(m: RoadMap, kept: IntArray) -> dict[str, Any]:
    rows = [np.arange(m.pt_off[lane], m.pt_off[lane + 1]) for lane in kept]
    off = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int32)
    at = np.concatenate(rows)
    return {
        "pt_off": off,
        "pt_xy": np.ascontiguousarray(m.pt_xy_m[at]),
        "pt_s": np.ascontiguousarray(m.pt_s_m[at]),
    }
