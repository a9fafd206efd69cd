"""Slow twins of the guard's loops: every path point, every 5 cm, every 20 ms, polygons by hand."""

import math
from collections.abc import Callable, Sequence

Point = tuple[float, float]
Pose = tuple[float, float, float]


def box(x: float, y: float, heading: float, length: float, width: float) -> list[Point]:
    """Corners of a rectangle."""
    c, s = math.cos(heading), math.sin(heading)
    out = []
    for a, b in ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)):
        out.append((x + a * length * c - b * width * s, y + a * length * s + b * width * c))
    return out


def overlap(one: Sequence[Point], two: Sequence[Point]) -> bool:
    """Whether two convex polygons overlap: no edge of either separates them."""
    for polygon in (one, two):
        for i, (ax, ay) in enumerate(polygon):
            bx, by = polygon[(i + 1) % len(polygon)]
            nx, ny = by - ay, ax - bx
            left = [nx * px + ny * py for px, py in one]
            right = [nx * px + ny * py for px, py in two]
            if max(left) < min(right) or max(right) < min(left):
                return False
    return True


def car_box(pose: Pose, centre: float, length: float, width: float) -> list[Point]:
    """The car's corners; pose of its rear axle."""
    x, y, h = pose
    return box(x + centre * math.cos(h), y + centre * math.sin(h), h, length, width)


def free_way(
    path: Callable[[float], Pose],
    shape: tuple[float, float, float],
    other: Sequence[Point],
    reach: float,
) -> float:
    """How far the car goes along a path before its box touches a polygon, to 5 cm; inf if not."""
    for i in range(round(reach / 0.05) + 1):
        if overlap(car_box(path(0.05 * i), *shape), other):
            return 0.05 * i
    return math.inf


def least_braking(
    path: Callable[[float], Pose],
    shape: tuple[float, float, float],
    other: Callable[[float], Sequence[Point]],
    speed: float,
    asked: float,
    late: float,
    brake: float,
) -> float:
    """Rule 1 and 3 of `guard.aeb` for one road user whose forecast is given; 99: none avoids."""

    def hits(accel: float, seconds: float) -> bool:
        for i in range(round(seconds / 0.02)):
            t = i * 0.02
            braked = max(0.0, t - late)
            stop = speed / -accel if accel < 0.0 else math.inf
            b = min(braked, stop)
            went = speed * (min(t, late) + b) + 0.5 * accel * b * b
            if overlap(car_box(path(went), *shape), other(t)):
                return True
            if braked >= stop:
                return False
        return False

    if not hits(asked, late + speed / 6.0 + 0.3):
        return 0.0
    levels = [3.0 + i for i in range(20) if 3.0 + i < brake] + [brake]
    return next((b for b in levels if not hits(-b, late + speed / b + 0.1)), 99.0)
