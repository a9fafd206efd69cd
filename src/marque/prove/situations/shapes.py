"""The few shapes of road that situations are drawn on."""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.prove.roads import Crossing, Edge, Link, Node, Roads
from marque.prove.situations.cast import Rng

OURS, RIGHT, AHEAD, LEFT = 0, 1, 2, 3
LIMITS_MPS = (8.33, 11.11, 13.89, 16.67)


@dataclass(frozen=True, slots=True)
class Arm:
    """One road into a junction: `in{i}` leads there, `out{i}` away from it."""

    angle_rad: float
    length_m: float
    limit_mps: float
    priority: int = 5
    lanes_in: int = 1
    lanes_out: int = 1
    width_m: float = 3.25
    sidewalk_m: float = 0.0
    bike_m: float = 0.0


def arm_angles(rng: Rng, jitter_deg: float = 14.0) -> tuple[float, float, float, float]:
    """Directions of the four arms: ours from the south, then right, ahead and left."""
    angles = np.radians(rng.uniform(-jitter_deg, jitter_deg, 4)) + np.radians([-90, 0, 90, 180])
    a, b, c, d = (float(each) for each in angles)
    return a, b, c, d


def any_turn(rng: Rng) -> float:
    """How the whole network lies."""
    return float(rng.uniform(-math.pi, math.pi))


def junction(
    arms: dict[int, Arm],
    kind: str,
    turn_rad: float,
    corner_m: float,
    links: tuple[Link, ...] = (),
    crossings: tuple[tuple[int, ...], ...] = (),
) -> Roads:
    """Arms around a centre node `c`. `crossings`: arms that a crosswalk leads over."""
    nodes = [Node("c", 0.0, 0.0, kind)]
    edges: list[Edge] = []
    for i, arm in arms.items():
        x, y = arm.length_m * math.cos(arm.angle_rad), arm.length_m * math.sin(arm.angle_rad)
        nodes.append(Node(f"n{i}", x, y))
        common = {
            "limit_mps": arm.limit_mps,
            "width_m": arm.width_m,
            "sidewalk_m": arm.sidewalk_m,
            "bike_m": arm.bike_m,
            "priority": arm.priority,
        }
        if arm.lanes_in:
            edges.append(Edge(f"in{i}", f"n{i}", "c", lanes=arm.lanes_in, **common))  # type: ignore[arg-type]
        if arm.lanes_out:
            edges.append(Edge(f"out{i}", "c", f"n{i}", lanes=arm.lanes_out, **common))  # type: ignore[arg-type]
    walks = tuple(
        Crossing("c", tuple(e.name for e in edges if e.name in (f"in{i}", f"out{i}")))
        for each in crossings
        for i in each
    )
    return Roads(tuple(nodes), tuple(edges), links, walks, turn_rad=turn_rad, corner_m=corner_m)


def crossroads(
    rng: Rng,
    kind: str,
    limit_mps: float,
    others_mps: float | None = None,
    main: tuple[int, ...] = (),
    missing: tuple[int, ...] = (),
    ours_m: float | None = None,
    others_m: float = 230.0,
    jitter_deg: float = 14.0,
    sidewalk_m: float = 0.0,
    crossings: tuple[int, ...] = (),
) -> Roads:
    """Four arms (less those `missing`), one lane each way. Arms in `main` have priority."""
    angles = arm_angles(rng, jitter_deg)
    length = float(rng.uniform(110.0, 160.0)) if ours_m is None else ours_m
    width = float(rng.uniform(3.0, 3.6))
    arms = {
        i: Arm(
            angle_rad=angles[i],
            length_m=length if i == OURS else others_m,
            limit_mps=limit_mps if i in (OURS, AHEAD) or others_mps is None else others_mps,
            priority=9 if i in main else 3,
            width_m=width,
            sidewalk_m=sidewalk_m,
        )
        for i in range(4)
        if i not in missing
    }
    corner = float(rng.uniform(5.0, 9.0))
    return junction(arms, kind, any_turn(rng), corner, crossings=tuple((i,) for i in crossings))


def ring(
    rng: Rng, radius_m: float, angles_rad: list[float], lengths_m: list[float], limit_mps: float
) -> Roads:
    """A roundabout of one lane with an arm at each angle; circulation counter-clockwise.

    `in{i}` and `out{i}` belong to arm i, `ring{i}` leads from the node of arm i to the next.
    """
    count = len(angles_rad)
    nodes: list[Node] = []
    edges: list[Edge] = []
    slow = min(limit_mps, 8.33)
    for i, (angle, length) in enumerate(zip(angles_rad, lengths_m, strict=True)):
        c, s = math.cos(angle), math.sin(angle)
        nodes.append(Node(f"r{i}", radius_m * c, radius_m * s))
        nodes.append(Node(f"n{i}", (radius_m + length) * c, (radius_m + length) * s))
        edges.append(Edge(f"in{i}", f"n{i}", f"r{i}", limit_mps, priority=3))
        edges.append(Edge(f"out{i}", f"r{i}", f"n{i}", limit_mps, priority=3))
    for i in range(count):
        j = (i + 1) % count
        begin = angles_rad[i]
        sweep = (angles_rad[j] - begin) % (2.0 * math.pi)
        points = tuple(
            (radius_m * math.cos(begin + sweep * f), radius_m * math.sin(begin + sweep * f))
            for f in np.linspace(0.0, 1.0, max(5, int(sweep * radius_m / 3.0)))
        )
        edges.append(
            Edge(f"ring{i}", f"r{i}", f"r{j}", slow, width_m=4.0, priority=9, shape_m=points)
        )
    rings = ((tuple(f"r{i}" for i in range(count)), tuple(f"ring{i}" for i in range(count))),)
    return Roads(tuple(nodes), tuple(edges), rings=rings, turn_rad=any_turn(rng), corner_m=6.0)


def road(
    points_m: list[tuple[float, float]],
    limit_mps: float,
    lanes: int = 1,
    back_lanes: int = 1,
    width_m: float = 3.25,
    sidewalk_m: float = 0.0,
    turn_rad: float = 0.0,
) -> Roads:
    """A road through points: edges `e0`, `e1`, ... forward and `b0`, `b1`, ... back."""
    last = len(points_m) - 1
    nodes = tuple(Node(f"n{i}", x, y) for i, (x, y) in enumerate(points_m))
    edges: list[Edge] = []
    for i in range(last):
        here = Edge(
            f"e{i}", f"n{i}", f"n{i + 1}", limit_mps, lanes, width_m, sidewalk_m, priority=5
        )
        edges.append(here)
        if back_lanes:
            back = replace(here, name=f"b{i}", start=f"n{i + 1}", end=f"n{i}", lanes=back_lanes)
            edges.append(back)
    return Roads(nodes, tuple(edges), turn_rad=turn_rad)
