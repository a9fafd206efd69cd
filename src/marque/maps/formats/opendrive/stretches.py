"""Roads cut where their lanes, limits or marks change: each part becomes edges of a map.

A stretch is a part of one lane section. Roads inside junctions are not cut; they become connectors.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.curves import line_points
from marque.maps.formats.opendrive.records import LaneRecord, RoadRecord
from marque.maps.formats.opendrive.roads import Roads

LEAST_M = 0.5  # cuts closer than this are one
STEP_M = 1.0  # between points of a line
FINE_STEP_M = 0.25
OUTLINE_STEP_M = 5.0
WIDTHS = 33  # samples of a lane's width
FINE_1PM = 1.0 / 50.0
JOIN_M = 1.0  # of a lane on either side of a cut that its connector takes


@dataclass(frozen=True, slots=True)
class Stretch:
    """Road from s_m to end_m within one section; number counts along the road."""

    road_id: str
    number: int
    section: int
    s_m: float
    end_m: float
    first: bool  # of its road
    last: bool


def stretches_of(road: RoadRecord, extra: list[float]) -> list[Stretch]:
    """A road's stretches in order. extra: further places to cut at."""
    out: list[Stretch] = []
    for index, section in enumerate(road.sections):
        cuts = [*extra, *(one.s_m for one in road.types)]
        for lane in (*section.lanes.values(), section.centre):
            cuts += [one.s_m for one in lane.limits]
            cuts += _mark_changes(lane)
        starts = [section.s_m]
        for s in sorted(cuts):
            if s > starts[-1] + LEAST_M and s < section.end_m - LEAST_M:
                starts.append(s)
        for s, end in zip(starts, [*starts[1:], section.end_m], strict=True):
            out.append(
                Stretch(
                    road_id=road.road_id,
                    number=len(out),
                    section=index,
                    s_m=s,
                    end_m=end,
                    first=not out,
                    last=end == road.sections[-1].end_m,
                )
            )
    return out


def _mark_changes(lane: LaneRecord) -> list[float]:
    """Where a lane's mark turns into one that allows something else."""
    told = [(mark.s_m, (mark.kind, mark.lane_change)) for mark in lane.marks]
    return [s for (_, a), (s, b) in pairwise(told) if a != b]


def lane_line(
    roads: Roads, road_id: str, section: int, lane: int, s_m: float, end_m: float
) -> FloatArray:
    """Points [n, 2] of a lane's middle from s_m to end_m (which may be less), both in `section`."""
    bends = [abs(roads.curvature(road_id, s)) for s in (s_m, 0.5 * (s_m + end_m), end_m)]
    step = FINE_STEP_M if max(bends) > FINE_1PM else STEP_M
    s = np.linspace(s_m, end_m, max(2, math.ceil(abs(end_m - s_m) / step) + 1))
    return _beside(roads, road_id, s, _middle_and_width(roads, road_id, section, lane, s)[0])


def lane_outline(
    roads: Roads, road_id: str, section: int, lane: int, s_m: float, end_m: float
) -> FloatArray:
    """Points [n, 2] of a lane's two borders."""
    s = np.linspace(s_m, end_m, max(9, math.ceil(abs(end_m - s_m) / OUTLINE_STEP_M) + 1))
    middle, width = _middle_and_width(roads, road_id, section, lane, s)
    sides = (-0.5, 0.5)
    return np.vstack([_beside(roads, road_id, s, middle + side * width) for side in sides])


def lane_width(roads: Roads, stretch: Stretch, lane: int) -> float:
    """The lane's median width on a stretch."""
    s = np.linspace(stretch.s_m, stretch.end_m, WIDTHS)
    return float(np.median(_middle_and_width(roads, stretch.road_id, stretch.section, lane, s)[1]))


def _beside(roads: Roads, road_id: str, s: FloatArray, t: FloatArray) -> FloatArray:
    road = roads.document.roads[road_id]
    points: FloatArray = line_points(road.pieces, road.knots, s, t)
    return points


def _middle_and_width(
    roads: Roads, road_id: str, section: int, lane: int, s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """t of a lane's middle [n] and its width [n] at s [n], all within one section."""
    strips = [one for one in roads.courses[road_id].strips if one.section == section]
    part = np.searchsorted([strip.s_m for strip in strips], s, side="right") - 1
    middle, width = np.empty(len(s)), np.empty(len(s))
    for i, strip in enumerate(strips):
        here = np.maximum(part, 0) == i
        for out, poly in ((middle, strip.middle[lane].tolist()), (width, strip.width[lane])):
            out[here] = np.polynomial.polynomial.polyval(s[here] - strip.s_m, poly)
    return middle, width
