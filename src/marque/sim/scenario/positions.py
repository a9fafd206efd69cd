"""Positions of OpenSCENARIO as nouns, and how they are read."""

from dataclasses import dataclass

from marque.core.xml_tree import Node
from marque.sim.scenario.catalogs import REFERENCE, Catalogs
from marque.sim.scenario.reader import Reader, element
from marque.sim.scenario.trajectories import Trajectory, read_trajectory_ref


@dataclass(frozen=True, slots=True)
class Orientation:
    """A heading: absolute in the world, or relative to what the position refers to."""

    relative: bool
    h_rad: float


ALONG = Orientation(relative=True, h_rad=0.0)  # what holds where the file says nothing


@dataclass(frozen=True, slots=True)
class WorldPosition:
    """x, y in map metres."""

    x_m: float
    y_m: float
    h_rad: float


@dataclass(frozen=True, slots=True)
class LanePosition:
    """offset_m to the left of a lane's middle; heading along the lane's traffic."""

    road_id: str
    lane_id: int
    s_m: float
    offset_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class RoadPosition:
    """t_m to the left of the reference line; heading along s."""

    road_id: str
    s_m: float
    t_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class RelativeWorldPosition:
    """dx, dy from an entity along the world's axes."""

    entity: str
    dx_m: float
    dy_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class RelativeObjectPosition:
    """dx ahead and dy to the left of an entity."""

    entity: str
    dx_m: float
    dy_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class RelativeLanePosition:
    """ds along the entity's lane, then d_lane lanes over; in_lane: ds is metres driven."""

    entity: str
    d_lane: int
    ds_m: float
    in_lane: bool
    offset_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class RelativeRoadPosition:
    """ds and dt from an entity in road coordinates."""

    entity: str
    ds_m: float
    dt_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class RoutePosition:
    """s along a route. lane_id None: t_m from the reference line; else offset from that lane."""

    route: "Route"
    s_m: float
    lane_id: int | None
    t_m: float
    orientation: Orientation


@dataclass(frozen=True, slots=True)
class TrajectoryPosition:
    """s along a trajectory, t to its left."""

    trajectory: Trajectory
    s_m: float
    t_m: float
    orientation: Orientation


Position = (
    WorldPosition
    | LanePosition
    | RoadPosition
    | RelativeWorldPosition
    | RelativeObjectPosition
    | RelativeLanePosition
    | RelativeRoadPosition
    | RoutePosition
    | TrajectoryPosition
)


@dataclass(frozen=True, slots=True)
class Route:
    """Places to go through, in order."""

    name: str
    closed: bool
    waypoints: tuple[Position, ...]


@element
def read_position(position: Reader, catalogs: Catalogs) -> Position:
    """A `<Position>` or what has its content. MarqueError: a kind that is not played."""
    return position.one_of(
        {
            "WorldPosition": _world,
            "LanePosition": _lane,
            "RoadPosition": _road,
            "RelativeWorldPosition": _relative_world,
            "RelativeObjectPosition": _relative_object,
            "RelativeLanePosition": _relative_lane,
            "RelativeRoadPosition": _relative_road,
            "RoutePosition": lambda node: _route_position(node, catalogs),
            "TrajectoryPosition": lambda node: _trajectory_position(node, catalogs),
        }
    )


def _orientation(position: Reader) -> Orientation:
    node = position.maybe("Orientation")
    return ALONG if node is None else _read_orientation(node)


@element
def _read_orientation(node: Reader) -> Orientation:
    """The world is a plane: pitch and roll have to be 0."""
    for name in ("p", "r"):
        if node.number(name, 0.0) != 0.0:
            raise node.error(f"has {name}={node.number(name)}; only headings are played")
    relative = node.choice("type", ("relative", "absolute"), "absolute") == "relative"
    return Orientation(relative, node.number("h", 0.0))


@element
def _world(node: Reader) -> Position:
    for name in ("p", "r"):
        if node.number(name, 0.0) != 0.0:
            raise node.error(f"has {name}={node.number(name)}; only headings are played")
    node.ignore("z")  # the world is a plane
    return WorldPosition(node.number("x"), node.number("y"), node.number("h", 0.0))


@element
def _lane(node: Reader) -> Position:
    return LanePosition(
        node.text("roadId"),
        node.integer("laneId"),
        node.number("s"),
        node.number("offset", 0.0),
        _orientation(node),
    )


@element
def _road(node: Reader) -> Position:
    return RoadPosition(node.text("roadId"), node.number("s"), node.number("t"), _orientation(node))


@element
def _relative_world(node: Reader) -> Position:
    node.ignore("dz")
    return RelativeWorldPosition(
        node.text("entityRef"), node.number("dx"), node.number("dy"), _orientation(node)
    )


@element
def _relative_object(node: Reader) -> Position:
    node.ignore("dz")
    return RelativeObjectPosition(
        node.text("entityRef"), node.number("dx"), node.number("dy"), _orientation(node)
    )


@element
def _relative_lane(node: Reader) -> Position:
    in_lane = node.has("dsLane")
    if in_lane == node.has("ds"):
        raise node.error("needs one of 'ds' and 'dsLane'")
    return RelativeLanePosition(
        node.text("entityRef"),
        node.integer("dLane"),
        node.number("dsLane" if in_lane else "ds"),
        in_lane,
        node.number("offset", 0.0),
        _orientation(node),
    )


@element
def _relative_road(node: Reader) -> Position:
    return RelativeRoadPosition(
        node.text("entityRef"), node.number("ds"), node.number("dt"), _orientation(node)
    )


@element
def _trajectory_position(node: Reader, catalogs: Catalogs) -> Position:
    trajectory = read_trajectory_ref(node.child("TrajectoryRef"), catalogs)
    return TrajectoryPosition(
        trajectory, node.number("s"), node.number("t", 0.0), _orientation(node)
    )


@element
def _route_position(node: Reader, catalogs: Catalogs) -> Position:
    route = _read_route_ref(node.child("RouteRef"), catalogs)
    lane_id, s_m, t_m = _in_route(node.child("InRoutePosition"))
    return RoutePosition(route, s_m, lane_id, t_m, _orientation(node))


@element
def _in_route(node: Reader) -> tuple[int | None, float, float]:
    return node.one_of({"FromLaneCoordinates": _from_lane, "FromRoadCoordinates": _from_road})


@element
def _from_lane(node: Reader) -> tuple[int | None, float, float]:
    return node.integer("laneId"), node.number("pathS"), node.number("laneOffset", 0.0)


@element
def _from_road(node: Reader) -> tuple[int | None, float, float]:
    return None, node.number("pathS"), node.number("t")


@element
def _read_route_ref(node: Reader, catalogs: Catalogs) -> Route:
    return read_route_child(node, catalogs)


def read_route_child(holder: Reader, catalogs: Catalogs) -> Route:
    """The `Route`, or the reference to one, inside an element."""
    node = holder.child("Route", REFERENCE)
    if node.tag == "Route":
        return _read_route(node, catalogs)
    catalogs.enter(node)
    route = _read_route(catalogs.open(node, "Route"), catalogs)
    catalogs.leave()
    return route


@element
def _read_route(node: Reader, catalogs: Catalogs) -> Route:
    points = tuple(_read_waypoint(each, catalogs) for each in node.all("Waypoint"))
    if len(points) < 2:
        raise node.error("has fewer than two waypoints")
    return Route(node.text("name"), node.flag("closed"), points)


@element
def _read_waypoint(node: Reader, catalogs: Catalogs) -> Position:
    node.choice("routeStrategy", ("shortest", "fastest", "leastIntersections", "random"))
    return read_position(node.child("Position"), catalogs)


def position_in(holder: Reader, tag: str, catalogs: Catalogs) -> Position:
    """The position that the child `tag` of an element holds."""
    node: Node = holder.child(tag)
    return read_position(node, catalogs)
