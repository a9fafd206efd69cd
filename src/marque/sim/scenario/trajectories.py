"""Trajectories of OpenSCENARIO as nouns, and how they are read."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marque.core.xml_tree import Node
from marque.sim.scenario.catalogs import REFERENCE, Catalogs
from marque.sim.scenario.reader import Reader, element

if TYPE_CHECKING:
    from marque.sim.scenario.positions import Position


@dataclass(frozen=True, slots=True)
class Vertex:
    """A corner of a polyline; oriented: the file gives its heading."""

    time_s: float | None
    position: "Position"
    oriented: bool


@dataclass(frozen=True, slots=True)
class Polyline:
    """Straight from corner to corner."""

    vertices: tuple[Vertex, ...]


@dataclass(frozen=True, slots=True)
class Bend:
    """A stretch of linearly changing curvature. start None: where the stretch before ended."""

    length_m: float
    start_1pm: float
    end_1pm: float
    start: "Position | None"
    turn_rad: float = 0.0  # against the end of the stretch before
    end_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class Clothoids:
    """One clothoid, or a spline of them. start None: where the entity is when it begins."""

    bends: tuple[Bend, ...]
    start_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """Of a NURBS."""

    position: "Position"
    weight: float
    time_s: float | None


@dataclass(frozen=True, slots=True)
class Nurbs:
    """A rational B-spline: degree is order - 1."""

    order: int
    points: tuple[ControlPoint, ...]
    knots: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A path, with times where its shape has them."""

    name: str
    closed: bool
    shape: Polyline | Clothoids | Nurbs
    node: Node  # for complaints that come when it is laid on the road


@element
def read_trajectory_ref(node: Reader, catalogs: Catalogs) -> Trajectory:
    """The trajectory, or the reference to one, in a `TrajectoryRef`."""
    return read_trajectory_child(node.child("Trajectory", REFERENCE), catalogs)


def read_trajectory_child(node: Node, catalogs: Catalogs) -> Trajectory:
    """A `Trajectory`, or a reference to one."""
    if node.tag == "Trajectory":
        return _read_trajectory(node, catalogs)
    catalogs.enter(node)
    trajectory = _read_trajectory(catalogs.open(node, "Trajectory"), catalogs)
    catalogs.leave()
    return trajectory


@element
def _read_trajectory(node: Reader, catalogs: Catalogs) -> Trajectory:
    shape = _read_shape(node.child("Shape"), catalogs)
    return Trajectory(node.text("name"), node.flag("closed"), shape, node.node)


@element
def _read_shape(node: Reader, catalogs: Catalogs) -> Polyline | Clothoids | Nurbs:
    return node.one_of(
        {
            "Polyline": lambda each: _read_polyline(each, catalogs),
            "Clothoid": lambda each: _read_clothoid(each, catalogs),
            "ClothoidSpline": lambda each: _read_spline(each, catalogs),
            "Nurbs": lambda each: _read_nurbs(each, catalogs),
        }
    )


def _place(node: Node, catalogs: Catalogs) -> "Position":
    from marque.sim.scenario.positions import read_position  # the two kinds hold each other

    return read_position(node, catalogs)


@element
def _read_polyline(node: Reader, catalogs: Catalogs) -> Polyline | Clothoids | Nurbs:
    vertices = tuple(_read_vertex(each, catalogs) for each in node.all("Vertex"))
    if len(vertices) < 2:
        raise node.error("has fewer than two vertices")
    times = [each.time_s for each in vertices]
    known = [time for time in times if time is not None]
    if any(late < early for early, late in itertools.pairwise(known)):
        raise node.error("has times that run backwards")
    return Polyline(vertices)


@element
def _read_vertex(node: Reader, catalogs: Catalogs) -> Vertex:
    at = node.child("Position")
    oriented = any(
        child.tag == "Orientation" or "h" in child.attributes
        for kind in at.children
        for child in (kind, *kind.children)
    )
    return Vertex(node.maybe_number("time"), _place(at, catalogs), oriented)


@element
def _read_clothoid(node: Reader, catalogs: Catalogs) -> Polyline | Clothoids | Nurbs:
    prime = "curvaturePrime" if node.has("curvaturePrime") else "curvatureDot"
    length, start = node.positive("length"), node.number("curvature")
    end = start + length * node.number(prime)
    at = _place(node.child("Position"), catalogs)
    bend = Bend(length, start, end, at, end_time_s=node.maybe_number("stopTime"))
    return Clothoids((bend,), node.maybe_number("startTime"))


@element
def _read_spline(node: Reader, catalogs: Catalogs) -> Polyline | Clothoids | Nurbs:
    end = node.maybe_number("timeEnd")
    bends = [_read_segment(each, catalogs) for each in node.all("ClothoidSplineSegment")]
    if not bends:
        raise node.error("has no segment")
    last = bends[-1]
    if end is not None:
        bends[-1] = Bend(
            last.length_m, last.start_1pm, last.end_1pm, last.start, last.turn_rad, end
        )
    return Clothoids(tuple(bends))


@element
def _read_segment(node: Reader, catalogs: Catalogs) -> Bend:
    at = node.maybe("PositionStart")
    start_time = node.maybe_number("timeStart")
    if start_time is not None:
        raise node.error("has timeStart, which is not supported; have timeEnd of the spline")
    return Bend(
        node.positive("length"),
        node.number("curvatureStart"),
        node.number("curvatureEnd"),
        None if at is None else _place(at, catalogs),
        node.number("hOffset", 0.0),
    )


@element
def _read_nurbs(node: Reader, catalogs: Catalogs) -> Polyline | Clothoids | Nurbs:
    order = node.integer("order")
    points = tuple(_read_control(each, catalogs) for each in node.all("ControlPoint"))
    knots = tuple(_read_knot(each) for each in node.all("Knot"))
    if not 2 <= order <= len(points):
        raise node.error(f"has order {order}; it lies between 2 and the number of control points")
    if len(knots) != len(points) + order:
        raise node.error(f"has {len(knots)} knots; {len(points)} points need {len(points) + order}")
    if any(b < a for a, b in itertools.pairwise(knots)):
        raise node.error("has knots that run backwards")
    if not knots[order - 1] < knots[len(points)]:
        raise node.error("has knots that span nothing")
    return Nurbs(order, points, knots)


@element
def _read_control(node: Reader, catalogs: Catalogs) -> ControlPoint:
    weight = node.number("weight", 1.0)
    if weight <= 0.0:
        raise node.error("has a weight that is not positive")
    at = _place(node.child("Position"), catalogs)
    return ControlPoint(at, weight, node.maybe_number("time"))


@element
def _read_knot(node: Reader) -> float:
    return node.number("value")
