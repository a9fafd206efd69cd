"""Lanes of SUMO as lines with a point each metre, and which of them somebody drives along next.

Runs in SUMO's process.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import atan2, dist, hypot, pi
from typing import Any

STEP_M = 1.0
CHORD_M = 3.0  # on each side of a place, to tell how much a line turns there

Point = tuple[float, float]


class Lanes:
    """What is known of SUMO's lanes, looked up once each."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.lines: dict[str, list[Point]] = {}

    def line(self, lane: str) -> list[Point]:
        """Points of a lane, one for each `STEP_M` of what SUMO takes its length to be."""
        found = self.lines.get(lane)
        if found is None:
            of = self.lib.lane
            found = self.lines[lane] = resampled(list(of.getShape(lane)), of.getLength(lane))
        return found

    def onward(self, lane: str) -> list[str]:
        """Lanes that follow a lane, across a junction the one inside it."""
        return [link[4] or link[0] for link in self.lib.lane.getLinks(lane)]

    def ahead(self, name: str, way_m: float) -> Iterator[Point]:
        """Points each `STEP_M` of the way of a vehicle's front, from where it is on; it ends where
        its lanes do."""
        vehicle = self.lib.vehicle
        lane = vehicle.getLaneID(name)
        if not lane:
            return
        first = int(vehicle.getLanePosition(name) / STEP_M)
        left = int(way_m / STEP_M)
        points = self.line(lane)[first : first + left]
        yield from points
        left -= len(points)
        if left <= 0:
            return
        for link in vehicle.getNextLinks(name):
            for each in (link[4], link[0]):
                if not each or each == lane:
                    continue
                lane = each
                points = self.line(lane)[:left]
                yield from points
                left -= len(points)
                if left <= 0:
                    return


def resampled(shape: list[Point], length_m: float) -> list[Point]:
    """A line as points, one each `STEP_M` of `length_m`, whatever its own length is."""
    count = max(2, round(length_m / STEP_M) + 1)
    pieces = [(a, b, dist(a, b)) for a, b in pairwise(shape)]
    step = sum(piece for _, _, piece in pieces) / (count - 1)
    points = [shape[0]]
    left = step
    for a, b, piece in pieces:
        while left <= piece and len(points) < count - 1:
            t = left / piece
            points.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
            left += step
        left -= piece
    return [*points, shape[-1]]


def curvatures(points: list[Point]) -> list[float]:
    """1/m at each point of a line, by how much it turns over `CHORD_M` before and after; 0 near its
    ends, where that is not known."""
    reach = round(CHORD_M / STEP_M)
    out = [0.0] * len(points)
    for i in range(reach, len(points) - reach):
        a, m, b = points[i - reach], points[i], points[i + reach]
        before, after = (m[0] - a[0], m[1] - a[1]), (b[0] - m[0], b[1] - m[1])
        way = 0.5 * (hypot(*before) + hypot(*after))
        if way > 0.0:
            turn = abs(atan2(after[1], after[0]) - atan2(before[1], before[0]))
            out[i] = min(turn, 2.0 * pi - turn) / way
    return out
