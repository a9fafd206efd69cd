"""Who drives on another level than our car: on the bridge above it, or in the tunnel below.

A world in the plane knows no heights. Where two lanes cross at an angle, and have no junction in
common, one of them passes over the other: nobody can come from there into our way, and nobody sees
them from here. They are told of again where they could meet us.

Runs in SUMO's process.
"""

import contextlib
from itertools import pairwise
from math import hypot
from typing import Any

AHEAD_M = 150.0  # of our way, beside the edge that we are on and the one before
NEAR_M = 40.0  # to the place where lanes cross
CELL_M = 50.0
LEAST_SINE = 0.4  # of the angle between the lanes: lines drawn beside each other may touch

Point = tuple[float, float]
Part = tuple[str, Point, Point]  # lane, and one straight part of it


class Levels:
    """Where our way passes over or under others, and who is on those."""

    def __init__(self, lib: Any, ego: str) -> None:
        self.lib = lib
        self.ego = ego
        self.parts: dict[tuple[int, int], list[Part]] = {}
        self.known: dict[str, list[Point]] = {}  # of lanes: where they cross others so
        self.ends: dict[str, frozenset[str]] = {}  # of edges: their junctions
        self.places: list[Point] = []
        self.junctions: frozenset[str] = frozenset()  # on our way

    def look(self) -> None:
        """Once per second: the places on the way ahead."""
        with contextlib.suppress(self.lib.TraCIException):
            edges = self._way()
            self.junctions = frozenset().union(*(self.junctions_of(edge) for edge in edges))
            count = self.lib.edge.getLaneNumber
            lanes = [f"{edge}_{i}" for edge in edges for i in range(count(edge))]
            known = set(lanes)
            links = [link for lane in lanes for link in self.lib.lane.getLinks(lane)]
            lanes += [link[4] for link in links if link[4] and link[0] in known]
            self.places = [at for lane in lanes for at in self._crossed(lane)]

    def hides(self, x: float, y: float, lane: str) -> bool:
        """Whether somebody there, on that lane of SUMO's, is on another level than our way."""
        if not lane or not any(hypot(x - u, y - v) < NEAR_M for u, v in self.places):
            return False
        return self.junctions_of(lane.rpartition("_")[0]).isdisjoint(self.junctions)

    def junctions_of(self, edge: str) -> frozenset[str]:
        """The junctions that an edge joins, or the one that it lies in."""
        found = self.ends.get(edge)
        if found is None:
            if edge[:1] == ":":
                found = frozenset((edge[1:].rpartition("_")[0],))
            else:
                of = self.lib.edge
                found = frozenset((of.getFromJunction(edge), of.getToJunction(edge)))
            self.ends[edge] = found
        return found

    def _way(self) -> list[str]:
        """Edges of our route: the one before ours, ours, and those within `AHEAD_M`."""
        vehicle = self.lib.vehicle
        route = vehicle.getRoute(self.ego)
        at = max(0, vehicle.getRouteIndex(self.ego))
        edges = list(route[max(0, at - 1) : at + 1])
        left = AHEAD_M
        for edge in route[at + 1 :]:
            if left <= 0.0:
                break
            edges.append(edge)
            left -= self.lib.lane.getLength(f"{edge}_0")
        return edges

    def _crossed(self, lane: str) -> list[Point]:
        found = self.known.get(lane)
        if found is None:
            found = self.known[lane] = self._find(lane)
        return found

    def _find(self, lane: str) -> list[Point]:
        self.sort_in()
        ours = self.junctions_of(lane.rpartition("_")[0])
        found: list[Point] = []
        for a, b in pairwise(self.lib.lane.getShape(lane)):
            near = {part for cell in _cells(a, b) for part in self.parts.get(cell, ())}
            for other, c, d in sorted(near):
                at = _crossing(a, b, c, d)
                if at is not None and ours.isdisjoint(self.junctions_of(other.rpartition("_")[0])):
                    found.append(at)
        return found

    def sort_in(self) -> None:
        """All lanes that are lines, by the cells that they pass; once."""
        if self.parts:
            return
        for lane in self.lib.lane.getIDList():
            if lane[:1] == ":" and lane.rpartition("_")[0].rpartition("_")[2][:1] in ("w", "c"):
                continue
            for a, b in pairwise(self.lib.lane.getShape(lane)):
                for cell in _cells(a, b):
                    self.parts.setdefault(cell, []).append((lane, a, b))


def _cells(a: Point, b: Point) -> set[tuple[int, int]]:
    """Cells of a box around a straight part."""
    x = sorted((int(a[0] // CELL_M), int(b[0] // CELL_M)))
    y = sorted((int(a[1] // CELL_M), int(b[1] // CELL_M)))
    return {(i, j) for i in range(x[0], x[1] + 1) for j in range(y[0], y[1] + 1)}


def _crossing(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    """Where two straight parts cross, at more than a sharp angle."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    cross = ux * vy - uy * vx
    if abs(cross) <= LEAST_SINE * hypot(ux, uy) * hypot(vx, vy):
        return None
    wx, wy = c[0] - a[0], c[1] - a[1]
    s, t = (wx * vy - wy * vx) / cross, (wx * uy - wy * ux) / cross
    if not (0.0 <= s <= 1.0 and 0.0 <= t <= 1.0):
        return None
    return a[0] + s * ux, a[1] + s * uy
