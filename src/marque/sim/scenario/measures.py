"""Distances between entities, and from entities to places, as conditions ask for them."""

import math
from dataclasses import dataclass

from marque.core.geometry import boxes_overlap
from marque.maps.formats.opendrive import RoadPlace
from marque.sim.scenario.conditions import Measure
from marque.sim.scenario.positions import Position, TrajectoryPosition
from marque.sim.scenario.stage import Body, Stage, own_lane, resolve
from marque.sim.scenario.track import Pose, lay_track
from marque.sim.scenario.ways import ahead_m

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is measured to: a box, or a point (no size)."""

    pose: Pose
    length_m: float
    width_m: float
    centre_x_m: float
    centre_y_m: float
    place: RoadPlace | None

    @property
    def centre(self) -> Corner:
        """Middle of the box, map frame."""
        x, y, heading = self.pose
        c, s = math.cos(heading), math.sin(heading)
        return (
            x + c * self.centre_x_m - s * self.centre_y_m,
            y + s * self.centre_x_m + c * self.centre_y_m,
        )

    def extent(self, turn_rad: float) -> tuple[float, float]:
        """Along an axis that the heading leads by `turn_rad`: from the origin back and ahead."""
        c, s = math.cos(turn_rad), math.sin(turn_rad)
        middle = c * self.centre_x_m - s * self.centre_y_m
        half = 0.5 * (abs(c) * self.length_m + abs(s) * self.width_m)
        return middle - half, middle + half

    def corners(self) -> tuple[Corner, ...]:
        """Four of them, in turn."""
        (x, y), heading = self.centre, self.pose[2]
        c, s = math.cos(heading), math.sin(heading)
        a, b = 0.5 * self.length_m, 0.5 * self.width_m
        return tuple(
            (x + c * u - s * v, y + s * u + c * v) for u, v in ((a, b), (-a, b), (-a, -b), (a, -b))
        )


def mark_of(body: Body) -> Mark:
    """An entity as a mark."""
    b = body.build
    return Mark(body.pose, b.length_m, b.width_m, b.centre_x_m, b.centre_y_m, body.place)


def mark_at(stage: Stage, position: Position) -> Mark:
    """A position as a mark. MarqueError as `resolve`."""
    pose, place = resolve(stage, position)
    if place is None and stage.roads is not None:
        place = stage.roads.locate(*pose)
    return Mark(pose, 0.0, 0.0, 0.0, 0.0, place)


def touch(a: Mark, b: Mark) -> bool:
    """Whether two boxes overlap."""
    return bool(
        boxes_overlap(
            *a.centre, a.pose[2], a.length_m, a.width_m,
            *b.centre, b.pose[2], b.length_m, b.width_m,
        )
    )  # fmt: skip


def distance(stage: Stage, body: Body, to: Mark, measure: Measure) -> tuple[float, bool]:
    """(metres, not negative; whether it lies ahead of the body's origin)."""
    own = mark_of(body)
    if measure.kind in ("euclidianDistance", "cartesianDistance"):
        return _straight(own, to, measure.freespace), _along(own, to, 0.0) > 0.0
    if measure.frame != "entity":
        found = _on_road(stage, body, own, to, measure)
        if found is not None:
            return found
    axis = 0.0 if measure.kind == "longitudinal" else 0.5 * math.pi
    away = _along(own, to, axis)
    turn = to.pose[2] - own.pose[2] - axis
    return _gap(away, own.extent(-axis), to.extent(turn), measure.freespace), away > 0.0


def _along(own: Mark, to: Mark, axis_rad: float) -> float:
    """From origin to origin along an axis turned by `axis_rad` from our heading."""
    x, y, heading = own.pose
    c, s = math.cos(heading + axis_rad), math.sin(heading + axis_rad)
    return c * (to.pose[0] - x) + s * (to.pose[1] - y)


def _gap(
    away: float, own: tuple[float, float], other: tuple[float, float], freespace: bool
) -> float:
    if not freespace:
        return abs(away)
    return max(0.0, away + other[0] - own[1], own[0] - away - other[1])


def _on_road(
    stage: Stage, body: Body, own: Mark, to: Mark, measure: Measure
) -> tuple[float, bool] | None:
    """Along s or t; None where the two are on no common way."""
    roads = body.roads
    if roads is None or own.place is None or to.place is None:
        return None
    base = own.place.relative_heading_rad or 0.0
    turn = to.pose[2] - own.pose[2]
    if measure.kind == "longitudinal":
        facing = math.cos(base) >= 0.0
        road, s_m = to.place.road_id, to.place.s_m
        away = ahead_m(roads, own.place, facing, road, s_m)
        if away is None:
            behind = ahead_m(roads, own.place, not facing, road, s_m)
            away = None if behind is None else -behind
        if away is None:
            return None
        return _gap(away, own.extent(0.0), to.extent(turn), measure.freespace), away > 0.0
    if own.place.road_id != to.place.road_id:
        return None
    away = to.place.t_m - own.place.t_m
    half = 0.5 * math.pi
    gap = _gap(away, own.extent(base - half), to.extent(base + turn - half), measure.freespace)
    return gap, _along(own, to, 0.0) > 0.0


def _straight(a: Mark, b: Mark, freespace: bool) -> float:
    if not freespace:
        return math.hypot(b.pose[0] - a.pose[0], b.pose[1] - a.pose[1])
    if touch(a, b):
        return 0.0
    pairs = ((a.corners(), b.corners()), (b.corners(), a.corners()))
    return min(
        _to_edge(point, edges[i - 1], edges[i])
        for points, edges in pairs
        for point in points
        for i in range(4)
    )


def _to_edge(point: Corner, a: Corner, b: Corner) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    part = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / square if square > 0.0 else 0.0
    part = min(max(part, 0.0), 1.0)
    return math.hypot(point[0] - a[0] - part * dx, point[1] - a[1] - part * dy)


def way_to(stage: Stage, body: Body, position: Position, mark: Mark) -> float:
    """Metres that a body has to go to a place: along its track, its road, or straight ahead.

    mark: the place itself. Negative: it lies behind.
    """
    if isinstance(position, TrajectoryPosition):
        return _along_track(stage, body, position)
    place = body.place
    if body.track is None and place is not None and mark.place is not None and body.roads:
        facing = math.cos(place.relative_heading_rad or 0.0) >= 0.0
        forward = facing == (body.speed_mps >= 0.0)
        found = ahead_m(body.roads, place, forward, mark.place.road_id, mark.place.s_m)
        if found is not None:
            return found
    away = _along(mark_of(body), mark, 0.0)
    straight = math.hypot(mark.pose[0] - body.x_m, mark.pose[1] - body.y_m)
    return math.copysign(straight, away if body.speed_mps >= 0.0 else -away)


def _along_track(stage: Stage, body: Body, position: TrajectoryPosition) -> float:
    trajectory = position.trajectory
    if body.track is not None and body.track.name == trajectory.name:
        return position.s_m - body.track_s_m
    track = lay_track(trajectory, lambda at: resolve(stage, at)[0], body.pose)
    return position.s_m - track.nearest(body.x_m, body.y_m)


def outside_m(body: Body) -> float:
    """How far the body's origin lies off every lane; 0 on one."""
    if body.place is None or body.roads is None:
        return math.inf
    place = own_lane(body.roads, body.place)
    width = body.roads.lane_width(place.road_id, place.lane_id, place.s_m)
    return max(0.0, abs(place.lane_offset_m) - 0.5 * width)
