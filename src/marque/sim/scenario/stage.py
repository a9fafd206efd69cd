"""The stage: the roads, and every entity with where it is and how it moves.

Bodies are moved in steps. Whoever follows no track keeps to its lane offset and its heading against
the lane and goes along the lane at its speed: with it if it looks that way, else against it.
"""

import math
from dataclasses import dataclass, field, replace

from marque.core.errors import MarqueError, unknown
from marque.core.geometry import wrap_angle
from marque.maps.formats.opendrive import RoadPlace, Roads
from marque.sim.scenario.entities import Build, Entity
from marque.sim.scenario.positions import (
    LanePosition,
    Orientation,
    Position,
    RelativeLanePosition,
    RelativeObjectPosition,
    RelativeRoadPosition,
    RelativeWorldPosition,
    RoadPosition,
    RoutePosition,
    TrajectoryPosition,
    WorldPosition,
)
from marque.sim.scenario.track import Pose, Track, lay_track
from marque.sim.scenario.ways import along_route

NARROWEST_M = 0.05  # a narrower lane is not there
STANDS_MPS = 1e-3


@dataclass(slots=True, eq=False)
class Body:
    """One entity as it is now. x, y: its origin, map frame. speed is along the heading."""

    name: str
    build: Build
    roads: Roads | None  # with its own route, where it has one
    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    speed_mps: float = 0.0
    accel_mps2: float = 0.0
    place: RoadPlace | None = None  # None: on no road
    track: Track | None = None
    track_s_m: float = 0.0
    left_m: float | None = None  # where a lateral action wants it, left of the lane's traffic
    swerve_rad: float = 0.0  # and how it turns against the lane while it goes there
    slowed: bool = False  # going sideways takes from the way along the lane
    present: bool = False
    seen: bool = True
    given: bool = False  # somebody else moves it
    file_mps: float = 0.0  # of a given one: its speed when it was handed over
    ended: bool = False  # its road is at an end
    moved_m: float = 0.0
    seen_mps: float = 0.0  # how fast it was seen to move over the last step
    stood_s: float = 0.0
    ended_s: float = 0.0
    off_s: float = 0.0
    lamps: frozenset[str] = frozenset()  # that are on
    controller: str = ""
    active: set[str] = field(default_factory=set)  # lateral, longitudinal

    @property
    def pose(self) -> Pose:
        """x, y, heading."""
        return self.x_m, self.y_m, self.heading_rad

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        c, s = math.cos(self.heading_rad), math.sin(self.heading_rad)
        x, y = self.build.centre_x_m, self.build.centre_y_m
        return self.x_m + c * x - s * y, self.y_m + s * x + c * y


@dataclass(slots=True, eq=False)
class Stage:
    """Everything that moves, and what it moves on."""

    roads: Roads | None
    bodies: dict[str, Body]
    like_reference: bool = False

    def body(self, name: str) -> Body:
        """An entity. MarqueError: there is none of that name, or it has no place yet."""
        if name not in self.bodies:
            raise unknown("entity", name, self.bodies)
        if not self.bodies[name].present:
            raise MarqueError(f"entity '{name}' has no place yet")
        return self.bodies[name]

    def need_roads(self) -> Roads:
        """MarqueError: the scenario has no road file."""
        if self.roads is None:
            raise MarqueError("it needs roads, and the scenario has no <LogicFile>")
        return self.roads


def make_stage(roads: Roads | None, entities: tuple[Entity, ...], like_reference: bool) -> Stage:
    """Everybody off stage."""
    bodies = {each.name: Body(each.name, each.build, roads) for each in entities}
    for each in entities:
        if each.controller is not None:
            bodies[each.name].controller = each.controller.name
    return Stage(roads, bodies, like_reference)


def put(stage: Stage, body: Body, pose: Pose, place: RoadPlace | None) -> None:
    """A body to a place, at once. place None: found on the roads."""
    body.x_m, body.y_m, body.heading_rad = pose
    body.present, body.ended, body.left_m, body.swerve_rad = True, False, None, 0.0
    if place is None and stage.roads is not None:
        near = body.place.road_id if body.place is not None else None
        place = stage.roads.locate(*pose, near=near)
    body.place = place


def move(stage: Stage, body: Body, dt_s: float) -> None:
    """One step at the speed that it has now."""
    if not body.present or body.given or body.track is not None or dt_s <= 0.0:
        return
    way = abs(body.speed_mps) * dt_s
    if body.place is not None and body.roads is not None:
        _move_on_road(body, body.roads, body.speed_mps * dt_s)
    else:
        body.x_m += body.speed_mps * dt_s * math.cos(body.heading_rad)
        body.y_m += body.speed_mps * dt_s * math.sin(body.heading_rad)
    body.moved_m += way


def put_on_track(stage: Stage, body: Body) -> None:
    """To where `track_s_m` is."""
    assert body.track is not None
    x, y, heading = body.track.pose(body.track_s_m)
    if body.speed_mps < 0.0:
        heading = float(wrap_angle(heading + math.pi))
    put(stage, body, (x, y, heading), None)


def _move_on_road(body: Body, roads: Roads, way_m: float) -> None:
    place = body.place
    assert place is not None
    base = place.relative_heading_rad or 0.0
    facing = 1.0 if math.cos(base) >= 0.0 else -1.0
    offset = place.lane_offset_m
    if body.left_m is not None:
        along = roads.drives_along_s(place.road_id, place.lane_id, place.s_m)
        wanted = body.left_m if along else -body.left_m
        if body.slowed:
            way_m = math.copysign(math.sqrt(max(0.0, way_m**2 - (wanted - offset) ** 2)), way_m)
        offset = wanted
        base = 0.0 if facing > 0.0 else math.pi
    after = roads.follow(place, facing * way_m, lane_offset_m=offset)
    if after is None:
        body.ended, body.speed_mps = True, 0.0
        return
    settle(body, roads, replace(after, relative_heading_rad=base), facing)


def settle(body: Body, roads: Roads, place: RoadPlace, facing: float) -> None:
    """Pose of a body from its place in a lane."""
    x, y, heading = roads.lane_pose(place.road_id, place.lane_id, place.s_m, place.lane_offset_m)
    turn = (place.relative_heading_rad or 0.0) + facing * body.swerve_rad
    body.x_m, body.y_m, body.heading_rad = x, y, float(wrap_angle(heading + turn))
    body.place = place


def lane_beside(roads: Roads, road_id: str, s_m: float, t_m: float) -> int:
    """The lane that holds t at s of a road, or the nearest. MarqueError: no lane there."""
    best, least = 0, math.inf
    for lane in roads.lanes_at(road_id, s_m):
        if lane.width_m >= NARROWEST_M:
            centre = roads.lane_centre_t(road_id, lane.lane_id, s_m)
            outside = max(0.0, abs(t_m - centre) - 0.5 * lane.width_m)
            if outside < least:
                best, least = lane.lane_id, outside
    if math.isinf(least):
        raise MarqueError(f"no lane on road {road_id} at s={s_m:g}")
    return best


def lanes_over(lane_id: int, count: int) -> int:
    """The id `count` lanes up; there is no lane 0."""
    over = lane_id + count
    return over + (1 if count > 0 else -1) if over == 0 or (over > 0) != (lane_id > 0) else over


def in_lane(roads: Roads, place: RoadPlace, lane_id: int) -> RoadPlace:
    """The same place, told from the middle of another lane. MarqueError: no such lane there."""
    centre = roads.lane_centre_t(place.road_id, lane_id, place.s_m)
    along = roads.drives_along_s(place.road_id, place.lane_id, place.s_m)
    turned = along != roads.drives_along_s(place.road_id, lane_id, place.s_m)
    heading = place.relative_heading_rad
    if heading is not None and turned:
        heading = float(wrap_angle(heading + math.pi))
    return replace(
        place, lane_id=lane_id, lane_offset_m=place.t_m - centre, relative_heading_rad=heading
    )


def own_lane(roads: Roads, place: RoadPlace) -> RoadPlace:
    """The same place, told from the lane that it lies in."""
    return in_lane(roads, place, lane_beside(roads, place.road_id, place.s_m, place.t_m))


def resolve(stage: Stage, position: Position) -> tuple[Pose, RoadPlace | None]:
    """Where a position is now. place None: to be found on the roads, or not on any.

    MarqueError: an entity, road, lane or s that does not exist.
    """
    if isinstance(position, WorldPosition):
        return (position.x_m, position.y_m, position.h_rad), None
    if isinstance(position, RelativeWorldPosition):
        body = stage.body(position.entity)
        heading = turned(position.orientation, body.heading_rad)
        return (body.x_m + position.dx_m, body.y_m + position.dy_m, heading), None
    if isinstance(position, RelativeObjectPosition):
        return _beside(stage.body(position.entity), position), None
    if isinstance(position, TrajectoryPosition):
        track = lay_track(position.trajectory, lambda at: resolve(stage, at)[0], (0.0, 0.0, 0.0))
        x, y, heading = track.pose(position.s_m, position.t_m)
        return (x, y, turned(position.orientation, heading)), None
    return _on_roads(stage, stage.need_roads(), position)


def turned(orientation: Orientation, base_rad: float) -> float:
    """A heading by its orientation."""
    return float(wrap_angle(orientation.h_rad + (base_rad if orientation.relative else 0.0)))


def _beside(body: Body, position: RelativeObjectPosition) -> Pose:
    c, s = math.cos(body.heading_rad), math.sin(body.heading_rad)
    x = body.x_m + c * position.dx_m - s * position.dy_m
    y = body.y_m + s * position.dx_m + c * position.dy_m
    return x, y, turned(position.orientation, body.heading_rad)


def _on_roads(
    stage: Stage,
    roads: Roads,
    position: LanePosition
    | RoadPosition
    | RelativeLanePosition
    | RelativeRoadPosition
    | RoutePosition,
) -> tuple[Pose, RoadPlace | None]:
    if isinstance(position, LanePosition):
        place = lane_place(
            roads, position.road_id, position.lane_id, position.s_m, position.offset_m
        )
    elif isinstance(position, RoadPosition):
        return _beside_line(
            roads, position.road_id, position.s_m, position.t_m, position.orientation
        )
    elif isinstance(position, RelativeLanePosition):
        place = _relative_lane(stage, roads, position)
    elif isinstance(position, RelativeRoadPosition):
        at = _place_of(stage.body(position.entity))
        s_m, t_m = at.s_m + position.ds_m, at.t_m + position.dt_m
        return _beside_line(roads, at.road_id, s_m, t_m, position.orientation)
    else:
        place = _in_route(stage, roads, position)
    orientation = position.orientation
    if stage.like_reference and isinstance(position, RoutePosition):
        orientation = Orientation(True, 0.0)  # the reference player does not look at it
    return _posed(roads, place, orientation)


def lane_place(roads: Roads, road_id: str, lane_id: int, s_m: float, offset_m: float) -> RoadPlace:
    """A place in a lane. MarqueError: no such road, lane or s."""
    t_m = roads.lane_centre_t(road_id, lane_id, s_m) + offset_m
    return RoadPlace(road_id, lane_id, s_m, t_m, offset_m, 0.0)


def _posed(roads: Roads, place: RoadPlace, orientation: Orientation) -> tuple[Pose, RoadPlace]:
    x, y, base = roads.lane_pose(place.road_id, place.lane_id, place.s_m, place.lane_offset_m)
    heading = turned(orientation, base)
    relative = float(wrap_angle(heading - base))
    return (x, y, heading), replace(place, relative_heading_rad=relative)


def _beside_line(
    roads: Roads, road_id: str, s_m: float, t_m: float, orientation: Orientation
) -> tuple[Pose, RoadPlace]:
    """A place by s and t, told from the lane that it lies in."""
    x, y, line = roads.pose(road_id, s_m, t_m)
    lane_id = lane_beside(roads, road_id, s_m, t_m)
    heading = turned(orientation, line)
    offset = t_m - roads.lane_centre_t(road_id, lane_id, s_m)
    base = roads.lane_pose(road_id, lane_id, s_m, offset)[2]
    relative = float(wrap_angle(heading - base))
    return (x, y, heading), RoadPlace(road_id, lane_id, s_m, t_m, offset, relative)


def _place_of(body: Body) -> RoadPlace:
    if body.place is None:
        raise MarqueError(f"entity '{body.name}' is on no road")
    return body.place


def _relative_lane(stage: Stage, roads: Roads, position: RelativeLanePosition) -> RoadPlace:
    """First along the entity's own lane, then over; the offset is that from the lane reached."""
    body = stage.body(position.entity)
    at = _place_of(body)
    lane_offset = at.lane_offset_m if position.in_lane else 0.0
    on = (body.roads or roads).follow(
        at, position.ds_m, lane_offset_m=lane_offset, by_road_s=not position.in_lane
    )
    if on is None:
        raise MarqueError(f"the road ends before {position.ds_m:g} m from '{position.entity}'")
    lane_id = lanes_over(on.lane_id, position.d_lane)
    return lane_place(roads, on.road_id, lane_id, on.s_m, position.offset_m)


def _in_route(stage: Stage, roads: Roads, position: RoutePosition) -> RoadPlace:
    places = tuple(_waypoint(stage, each) for each in position.route.waypoints)
    routed, forward = along_route(roads, places)
    on = routed.follow(places[0], position.s_m if forward else -position.s_m, by_road_s=True)
    if on is None:
        raise MarqueError(f"route '{position.route.name}' ends before {position.s_m:g} m")
    if position.lane_id is not None:
        return lane_place(roads, on.road_id, position.lane_id, on.s_m, position.t_m)
    lane_id = lane_beside(roads, on.road_id, on.s_m, position.t_m)
    offset = position.t_m - roads.lane_centre_t(on.road_id, lane_id, on.s_m)
    return lane_place(roads, on.road_id, lane_id, on.s_m, offset)


def _waypoint(stage: Stage, position: Position) -> RoadPlace:
    pose, place = resolve(stage, position)
    found = place if place is not None else stage.need_roads().locate(*pose)
    if found is None:
        raise MarqueError("a waypoint lies on no road")
    return found


def routed_roads(stage: Stage, body: Body, waypoints: tuple[Position, ...]) -> Roads:
    """The roads with the ways that a body's route takes, from where it is."""
    places = tuple(_waypoint(stage, each) for each in waypoints)
    at = _place_of(body)
    if all(each.road_id != at.road_id for each in places):
        places = (at, *places)
    return along_route(stage.need_roads(), places)[0]
