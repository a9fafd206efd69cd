"""Roads cut where their lanes, limits or marks change: each part becomes edges of a map.

A stretch is a part of one lane section. Roads inside junctions are not cut; they become connectors.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.curves import line_pose
from marque.maps.formats.opendrive.records import START, LaneRecord, RoadRecord
from marque.maps.formats.opendrive.roads import Roads
from marque.maps.formats.opendrive.strips import value

LEAST_M = 0.5  # cuts closer than this are one
STEP_M = 1.0  # between points of a line
FINE_STEP_M = 0.25
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
    return _line(roads, road_id, section, lane, s_m, end_m, 0.0)


def lane_outline(
    roads: Roads, road_id: str, section: int, lane: int, s_m: float, end_m: float
) -> FloatArray:
    """Points [n, 2] of a lane's two borders."""
    sides = (-0.5, 0.5)
    return np.vstack([_line(roads, road_id, section, lane, s_m, end_m, side) for side in sides])


def _line(
    roads: Roads, road_id: str, section: int, lane: int, s_m: float, end_m: float, side: float
) -> FloatArray:
    """The line `side` widths left of a lane's middle."""
    road = roads.document.roads[road_id]
    strips = [one for one in roads.courses[road_id].strips if one.section == section]
    middle = 0.5 * (s_m + end_m)
    bends = [abs(roads.curvature(road_id, s)) for s in (s_m, middle, end_m)]
    step = FINE_STEP_M if max(bends) > FINE_1PM else STEP_M
    count = max(2, int(np.ceil(abs(end_m - s_m) / step)) + 1)
    out = np.empty((count, 2))
    starts = [strip.s_m for strip in strips]
    for row, s in zip(out, np.linspace(s_m, end_m, count).tolist(), strict=True):
        strip = strips[max(0, bisect_right(starts, s) - 1)]
        a, b, c, d = strip.middle[lane].tolist()
        ds = s - strip.s_m
        t = a + ds * (b + ds * (c + ds * d)) + side * value(strip.width[lane], ds)
        row[:] = line_pose(road.pieces, road.knots, s, t)[:2]
    return out


def lane_width(roads: Roads, stretch: Stretch, lane: int) -> float:
    """The lane's median width on a stretch; 0 where it is nowhere wide."""
    widths = []
    for strip in roads.courses[stretch.road_id].strips:
        low, high = max(strip.s_m, stretch.s_m), min(strip.end_m, stretch.end_m)
        if strip.section == stretch.section and high > low:
            at = np.linspace(low, high, max(3, int((high - low) / STEP_M)))
            widths += [value(strip.width[lane], s - strip.s_m) for s in at.tolist()]
    return float(np.median(widths)) if widths else 0.0


def end_of(stretch: Stretch, end: int) -> float:
    """s of a stretch's start or end."""
    return stretch.s_m if end == START else stretch.end_m
