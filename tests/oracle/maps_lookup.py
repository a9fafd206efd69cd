"""Slow twins of the look-up and of the cost-to-go: every lane, every segment, no grid, no heap."""

import math
from itertools import pairwise

import numpy as np

from marque.types.road_map import RoadMap


def segment_gap(x: float, y: float, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """(distance, share along the segment) of the closest point."""
    ux, uy = b - a
    length2 = ux * ux + uy * uy
    t = 0.0 if length2 == 0.0 else ((x - a[0]) * ux + (y - a[1]) * uy) / length2
    t = min(1.0, max(0.0, t))
    return math.hypot(x - a[0] - t * ux, y - a[1] - t * uy), t


def lane_costs(
    road_map: RoadMap, x: float, y: float, heading: float | None, bits: int, reach: float
) -> list[tuple[float, int, float, float]]:
    """(cost, lane, s, distance) of every lane open to `bits` within reach, best first."""
    found = []
    for lane in range(road_map.lane_count):
        if not int(road_map.lane_allow[lane]) & bits:
            continue
        points, arc = road_map.points(lane), road_map.arc(lane)
        for first in range(0, len(points) - 1, 8):  # runs of eight segments, as in the index
            rows = []
            for i in range(first, min(first + 8, len(points) - 1)):
                gap, t = segment_gap(x, y, points[i], points[i + 1])
                angle = math.atan2(*(points[i + 1] - points[i])[::-1])
                turn = 0.0 if heading is None else 2.5 * abs(2.0 * math.sin((angle - heading) / 2))
                rows.append((turn, gap, arc[i] + t * (arc[i + 1] - arc[i])))
            nearest = min(row[1] for row in rows)
            # beyond a corner both its segments are as near
            turn, gap, s = min(row for row in rows if row[1] ** 2 <= nearest**2 + 1e-9)
            if gap <= reach and not _nearer_beyond(points, x, y, first, nearest):
                found.append((gap + turn, lane, float(s), gap))
    return sorted(found)


def _nearer_beyond(points: np.ndarray, x: float, y: float, first: int, nearest: float) -> bool:
    """Whether a run's nearest point is an end of it, and the segment beyond comes nearer."""
    last = min(first + 8, len(points) - 1)
    for end, beyond in ((first, first - 1), (last, last + 1)):
        at_end = math.hypot(x - points[end][0], y - points[end][1]) <= nearest + 1e-9
        if at_end and 0 <= beyond < len(points):
            _, t = segment_gap(x, y, points[end], points[beyond])
            if t > 0.0:
                return True
    return False


def point_on_area(road_map: RoadMap, x: float, y: float, tolerance: float) -> bool:
    """Whether a point lies on a strip of a lane that is not for walking, or in a junction."""
    for lane in range(road_map.lane_count):
        if road_map.lane_kind[lane] == 3 or int(road_map.lane_allow[lane]) == 0:  # WALK, nobody
            continue
        lo, hi = road_map.shape_off[lane], road_map.shape_off[lane + 1]
        shape = road_map.shape_xy_m[lo:hi]
        reach = 0.5 * float(road_map.lane_width_m[lane]) + tolerance
        if any(segment_gap(x, y, a, b)[0] <= reach for a, b in pairwise(shape)):
            return True
    for j in range(len(road_map.junction_off) - 1):
        ring = road_map.junction_xy_m[road_map.junction_off[j] : road_map.junction_off[j + 1]]
        if _winding(x, y, ring) != 0 or any(
            segment_gap(x, y, ring[i - 1], ring[i])[0] <= tolerance for i in range(len(ring))
        ):
            return True
    return False


def _winding(x: float, y: float, ring: np.ndarray) -> int:
    total = 0.0
    for i in range(len(ring)):
        a = math.atan2(ring[i - 1][1] - y, ring[i - 1][0] - x)
        b = math.atan2(ring[i][1] - y, ring[i][0] - x)
        total += (b - a + math.pi) % (2.0 * math.pi) - math.pi
    return round(total / (2.0 * math.pi))


def cost_without_changes(road_map: RoadMap, goal: int, goal_s: float) -> np.ndarray:
    """Bellman-Ford over successors alone, seconds at the limit from each lane's start."""
    cost = np.full(road_map.lane_count, math.inf)
    cost[goal] = goal_s / road_map.lane_limit_mps[goal]
    changed = True
    while changed:
        changed = False
        for lane in range(road_map.lane_count):
            own = road_map.lane_length_m[lane] / road_map.lane_limit_mps[lane]
            for after in road_map.successors(lane):
                if own + cost[after] < cost[lane] - 1e-12:
                    cost[lane] = own + cost[after]
                    changed = True
    return cost
