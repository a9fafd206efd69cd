"""Crosswalks, stop lines and signals of a SUMO network: where people and vehicles wait."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array
from marque.core.geometry import arc_length
from marque.maps.conflicts import span_in_polygon
from marque.maps.formats.sumo_draft import Draft, csr, offsets, stacked
from marque.maps.formats.sumo_net import NetConnection, NetProgram
from marque.maps.formats.sumo_rules import HALF_WIDTHS_M
from marque.maps.smooth import Lines
from marque.types.codes import Control, LaneKind
from marque.types.road_map import NONE

STOP_BEFORE_CROSSWALK_M = 0.5
LEAST_PASS_M = 0.25  # a crosswalk that merely touches a lane's end is not on it
STOPPING = (
    Control.SIGNAL,
    Control.YIELD,
    Control.STOP,
    Control.ALL_WAY_STOP,
    Control.RIGHT_BEFORE_LEFT,
    Control.ROUNDABOUT,
    Control.ZIPPER,
)


@dataclass(slots=True)
class Crosswalks:
    """Crosswalks and the lanes that pass them."""

    name: list[str]
    polygon: list[FloatArray]
    priority: list[bool]
    head: list[int]
    axis: list[tuple[float, float, float, float]]
    width: list[float]
    passes: list[tuple[int, float, float, int]]  # lane, s_in, s_out, walk
    total: int

    def fields(self) -> dict[str, Any]:
        """As RoadMap fields."""
        passes = sorted(self.passes)
        lane = np.array([p[0] for p in passes], dtype=np.int32)
        return {
            "walk_name": tuple(self.name),
            "walk_off": offsets([len(p) for p in self.polygon]),
            "walk_xy_m": stacked(self.polygon),
            "walk_priority": np.array(self.priority, dtype=np.bool_),
            "walk_head": np.array(self.head, dtype=np.int32),
            "walk_axis_m": np.array(self.axis, dtype=np.float64).reshape(-1, 4),
            "walk_width_m": np.array(self.width, dtype=np.float64),
            "cross_off": csr(lane, self.total),
            "cross_walk": np.array([p[3] for p in passes], dtype=np.int32),
            "cross_s_in_m": np.array([p[1] for p in passes], dtype=np.float64),
            "cross_s_out_m": np.array([p[2] for p in passes], dtype=np.float64),
        }


def find_crosswalks(
    draft: Draft, kind: Int8Array, lines: Lines, start: Int32Array, end: Int32Array
) -> Crosswalks:
    n = len(draft.lanes)
    walks = Crosswalks([], [], [], [], [], [], [], len(kind))
    access = {
        row.end: row
        for row in draft.net.connections
        if row.end.startswith(":") and row.start.startswith(":")
    }
    at_junction: dict[int, list[int]] = {}
    for i, c in enumerate(draft.connectors):
        if kind[n + i] != LaneKind.WALK:
            at_junction.setdefault(c.junction, []).append(n + i)
    for edge in draft.net.edges:
        if edge.function != "crossing" or not edge.lanes:
            continue
        lane = edge.lanes[0]
        if len(lane.shape_m) < 2 or arc_length(lane.shape_m)[-1] < 0.1:
            continue
        row = access.get(lane.name)
        walk = len(walks.name)
        walks.name.append(lane.name)
        walks.polygon.append(_ribbon(lane.shape_m, lane.width_m))
        walks.axis.append((*lane.shape_m[0], *lane.shape_m[-1]))
        walks.width.append(lane.width_m)
        walks.head.append(_walk_head(draft, row))
        walks.priority.append(row is not None and (bool(row.signal) or row.state == "M"))
        near = at_junction.get(draft.junction_of.get(_junction_name(edge.name), NONE), [])
        near_lanes = {int(start[c]) for c in near} | {int(end[c]) for c in near}
        _passes(walks, walk, [*near, *sorted(near_lanes)], kind, lines)
    return walks


def _junction_name(crossing: str) -> str:
    """`:J_c0` -> `J`."""
    return crossing[1:].rsplit("_", 1)[0]


def _walk_head(draft: Draft, row: NetConnection | None) -> int:
    if row is None or not row.signal or row.link < 0:
        return NONE
    return draft.heads.setdefault((row.signal, row.link), len(draft.heads))


def _ribbon(shape: FloatArray, width_m: float) -> FloatArray:
    """Outline of a polyline with a width."""
    step = np.diff(shape, axis=0)
    size = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)
    normal = np.column_stack((-step[:, 1], step[:, 0])) / size[:, None]
    mitre = np.vstack((normal[:1], normal[:-1] + normal[1:], normal[-1:]))
    mitre /= np.maximum(np.hypot(mitre[:, 0], mitre[:, 1]), 1e-9)[:, None]
    side = 0.5 * width_m * mitre
    return np.vstack((shape + side, (shape - side)[::-1]))


def _passes(walks: Crosswalks, walk: int, lanes: list[int], kind: Int8Array, lines: Lines) -> None:
    polygon = walks.polygon[walk]
    low, high = polygon.min(axis=0) - 2.0, polygon.max(axis=0) + 2.0
    for lane in lanes:
        if kind[lane] == LaneKind.WALK:
            continue
        part = slice(lines.pt_off[lane], lines.pt_off[lane + 1])
        xy = lines.pt_xy_m[part]
        if (xy.max(axis=0) < low).any() or (xy.min(axis=0) > high).any():
            continue
        half = HALF_WIDTHS_M[LaneKind(kind[lane])]
        s_in, s_out = span_in_polygon(xy, lines.pt_s_m[part], polygon, half)
        if s_out - s_in > LEAST_PASS_M:
            walks.passes.append((lane, s_in, s_out, walk))


def stop_lines(
    draft: Draft, control: Int8Array, length: FloatArray, walks: Crosswalks
) -> FloatArray:
    """s of the stop line of each lane: its end, or before a crosswalk that lies on it."""
    n = len(draft.lanes)
    stop = np.full(len(length), np.nan)
    for i, c in enumerate(draft.connectors):
        if control[n + i] in STOPPING:
            stop[c.start] = length[c.start]
    for lane, s_in, _, _ in walks.passes:
        if lane >= n:  # just inside the junction
            c = draft.connectors[lane - n]
            lane, at = c.start, length[c.start] + s_in
        elif s_in > 0.5 * length[lane]:
            at = s_in
        else:
            continue
        if not math.isnan(stop[lane]):
            stop[lane] = min(stop[lane], max(0.0, at - STOP_BEFORE_CROSSWALK_M))
    return stop


def signal_fields(draft: Draft, lines: Lines, stop: FloatArray) -> dict[str, Any]:
    """Heads, groups and programs; a head is one (signal, link)."""
    programs: dict[str, NetProgram] = {}
    for program in draft.net.programs:
        known = programs.get(program.signal)
        if known is None or (program.program == "0" and known.program != "0"):
            programs[program.signal] = program
    groups = sorted({signal for signal, _ in draft.heads} | set(programs))
    index = {signal: i for i, signal in enumerate(groups)}
    where = _head_places(draft, lines, stop)
    states = [list(programs[g].states) if g in programs else [] for g in groups]
    durations = [list(programs[g].durations_s) if g in programs else [] for g in groups]
    return {
        "head_group": np.array([index[signal] for signal, _ in draft.heads], dtype=np.int32),
        "head_link": np.array([link for _, link in draft.heads], dtype=np.int32),
        "head_xy_m": where,
        "group_name": tuple(groups),
        "phase_off": offsets([len(s) for s in states]),
        "phase_duration_s": np.array([d for group in durations for d in group], dtype=np.float64),
        "phase_state": tuple(state for group in states for state in group),
        "group_offset_s": np.array(
            [programs[g].offset_s if g in programs else 0.0 for g in groups], dtype=np.float64
        ),
    }


def _head_places(draft: Draft, lines: Lines, stop: FloatArray) -> FloatArray:
    where = np.full((len(draft.heads), 2), np.nan)
    for c in draft.connectors:
        head = draft.heads.get((c.row.signal, c.row.link), NONE)
        if head >= 0 and math.isnan(where[head, 0]):
            part = slice(lines.pt_off[c.start], lines.pt_off[c.start + 1])
            for axis in range(2):
                where[head, axis] = np.interp(
                    stop[c.start], lines.pt_s_m[part], lines.pt_xy_m[part, axis]
                )
    crossing = {
        edge.lanes[0].name: edge.lanes[0].shape_m[0]
        for edge in draft.net.edges
        if edge.function == "crossing" and edge.lanes
    }
    for row in draft.net.connections:
        head = draft.heads.get((row.signal, row.link), NONE)
        if head >= 0 and row.end in crossing and math.isnan(where[head, 0]):
            where[head] = crossing[row.end]
    return where
