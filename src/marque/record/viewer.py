"""What a viewer shows of a drive: Foxglove messages, built from ticks in the log's own process.

Frame `map` is the map frame, frame `ego` sits at the rear axle centre. Boxes stand on the ground.
Everything on a topic stands in each of its messages, so that jumping in time shows a whole scene.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, IntArray
from marque.record.outline import corners_that_matter
from marque.record.proto import (
    Stencil,
    block,
    doubles,
    interleave,
    join,
    nest,
    real,
    tag,
    text,
    varint,
    vector,
    whole,
)
from marque.types.codes import LaneKind, SignalState, UserKind
from marque.types.episode import Event, Tick
from marque.types.plan import Trajectory
from marque.types.road_map import RoadMap
from marque.types.world import RoadUsers

Color = tuple[float, float, float, float]
NEAR_M = 200.0  # others and signals farther from the ego are left to the full tick

_ASPHALT: Color = (0.20, 0.21, 0.23, 1.0)
_CONNECTOR: Color = (0.23, 0.24, 0.26, 1.0)
_BIKE: Color = (0.38, 0.22, 0.20, 1.0)
_WALK: Color = (0.30, 0.31, 0.33, 1.0)
_MARKING: Color = (0.62, 0.63, 0.65, 1.0)
_STOP: Color = (0.92, 0.92, 0.92, 1.0)
_ROUTE: Color = (0.25, 0.45, 0.85, 0.35)
_EGO: Color = (0.16, 0.55, 1.00, 1.0)
_PLAN: Color = (0.16, 0.85, 0.62, 0.75)
_FALLBACK: Color = (0.98, 0.64, 0.18, 0.55)
_USER: dict[UserKind, Color] = {
    UserKind.CAR: (0.72, 0.74, 0.78, 1.0),
    UserKind.TRUCK: (0.64, 0.58, 0.50, 1.0),
    UserKind.BUS: (0.87, 0.73, 0.28, 1.0),
    UserKind.MOTORCYCLE: (0.80, 0.47, 0.80, 1.0),
    UserKind.BICYCLE: (0.45, 0.80, 0.42, 1.0),
    UserKind.PEDESTRIAN: (0.96, 0.50, 0.36, 1.0),
    UserKind.RAIL: (0.62, 0.36, 0.36, 1.0),
    UserKind.OBSTACLE: (0.85, 0.22, 0.22, 1.0),
}
_HEIGHT_M: dict[UserKind, float] = {
    UserKind.CAR: 1.5,
    UserKind.TRUCK: 3.2,
    UserKind.BUS: 3.1,
    UserKind.MOTORCYCLE: 1.5,
    UserKind.BICYCLE: 1.7,
    UserKind.PEDESTRIAN: 1.75,
    UserKind.RAIL: 3.4,
    UserKind.OBSTACLE: 1.0,
}
_SIGNAL: dict[SignalState, Color] = {
    SignalState.UNKNOWN: (0.5, 0.5, 0.5, 0.6),
    SignalState.RED: (0.93, 0.16, 0.16, 1.0),
    SignalState.AMBER: (1.00, 0.74, 0.10, 1.0),
    SignalState.GREEN: (0.15, 0.80, 0.30, 1.0),
    SignalState.GREEN_YIELD: (0.45, 0.80, 0.45, 1.0),
    SignalState.RED_AMBER: (1.00, 0.45, 0.10, 1.0),
    SignalState.OFF: (0.35, 0.35, 0.35, 1.0),
    SignalState.STOP_THEN_GO: (0.75, 0.80, 0.25, 1.0),
}
_SIGNAL_RGBA = np.array([_SIGNAL[state] for state in SignalState])

_XYZ, _RGBA = ("x", "y", "z"), ("r", "g", "b", "a")
_POSE = vector(1, _XYZ) + vector(2, ("qz", "qw"), skip=2)
_CUBE = Stencil(*join(nest(8, nest(1, _POSE) + vector(2, ("l", "w", "h")) + vector(3, _RGBA))))
_POINT = Stencil(*join(vector(5, ("x", "y", "z"))))
_CORNER = Stencil(*join(vector(2, ("x", "y", "z"))))
_COLOR4 = doubles(4)
_STATE = doubles(7)
_HERE = block(1, b"") + block(2, real(4, 1.0))  # an identity Pose


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """The part of a RoadMap that a viewer shows; arrays as in RoadMap."""

    lane_kind: Int8Array
    lane_connector: BoolArray
    lane_width_m: FloatArray
    lane_length_m: FloatArray
    lane_stop_m: FloatArray
    lane_head: Int32Array
    pt_off: Int32Array
    pt_xy_m: FloatArray
    pt_heading_rad: FloatArray
    walk_off: Int32Array
    walk_xy_m: FloatArray
    walk_axis_m: FloatArray
    walk_width_m: FloatArray
    head_xy_m: FloatArray
    projection: str
    offset_m: FloatArray
    route_xy_m: FloatArray


def sketch(road_map: RoadMap, route_xy_m: FloatArray) -> Sketch:
    """Only what a viewer needs of the map."""
    fields = [name for name in Sketch.__dataclass_fields__ if name != "route_xy_m"]
    return Sketch(
        **{name: getattr(road_map, name) for name in fields},
        route_xy_m=np.asarray(route_xy_m, dtype=np.float64).reshape(-1, 2),
    )


def stamp(number: int, t_ns: int) -> bytes:
    """A google.protobuf.Timestamp field."""
    return block(number, whole(1, t_ns // 1_000_000_000) + whole(2, t_ns % 1_000_000_000))


def entity(t_ns: int, name: str, body: bytes, frame: str = "map", locked: bool = False) -> bytes:
    """One SceneEntity as a field of a SceneUpdate."""
    head = stamp(1, t_ns) + text(2, frame) + text(3, name) + whole(5, int(locked))
    return block(2, head + body)


def transform(t_ns: int, tick: Tick) -> bytes:
    """foxglove.FrameTransform map -> ego."""
    ego = tick.world.ego
    half = 0.5 * ego.heading_rad
    return b"".join(
        (
            stamp(1, t_ns),
            text(2, "map"),
            text(3, "ego"),
            block(4, real(1, ego.x_m) + real(2, ego.y_m) + real(3, 0.0)),
            block(5, real(3, math.sin(half)) + real(4, math.cos(half))),
        )
    )


def scene(tick: Tick, ego_box: bytes) -> bytes:
    """foxglove.SceneUpdate: the ego, others within `NEAR_M`, plan and fall-back."""
    world = tick.world
    t_ns = world.t_ns
    users = world.users
    near = np.hypot(users.x_m - world.ego.x_m, users.y_m - world.ego.y_m) <= NEAR_M
    parts = [entity(t_ns, "ego", ego_box, frame="ego", locked=True)]
    parts += _crowd(t_ns, users, np.flatnonzero(near))
    plan = tick.plan
    if plan is not None:
        parts.append(entity(t_ns, "fallback", _ribbon(plan.fallback, _FALLBACK_STYLE, 0.12)))
        parts.append(entity(t_ns, "plan", _ribbon(plan.trajectory, _PLAN_STYLE, 0.16)))
    return b"".join(parts)


def ego_box(length_m: float, width_m: float, height_m: float, centre_m: float) -> bytes:
    """The car in its own frame, with a wedge that shows the front."""
    body = _CUBE.fill(
        1, x=centre_m, y=0.0, z=0.5 * height_m, qz=0.0, qw=1.0,
        l=length_m, w=width_m, h=height_m, **_rgba(_EGO),
    )  # fmt: skip
    front = centre_m + 0.5 * length_m
    nose = np.array([[front, 0.5 * width_m], [front + 0.9, 0.0], [front, -0.5 * width_m]])
    return body + _triangles(nose, _EGO, 0.3)


def _crowd(t_ns: int, users: RoadUsers, near: IntArray) -> list[bytes]:
    """One entity per kind: boxes, and a line from the middle out of the front of each."""
    near = near[np.argsort(users.kind[near], kind="stable")]
    kind = users.kind[near]
    x, y, heading = users.x_m[near], users.y_m[near], users.heading_rad[near]
    length = users.length_m[near]
    height, rgba = _USER_HEIGHT[kind], _USER_RGBA[kind]
    boxes = _CUBE.fill(
        len(near), x=x, y=y, z=0.5 * height, qz=np.sin(0.5 * heading), qw=np.cos(0.5 * heading),
        l=length, w=users.width_m[near], h=height,
        r=rgba[:, 0], g=rgba[:, 1], b=rgba[:, 2], a=rgba[:, 3],
    )  # fmt: skip
    reach = 0.5 * length + 0.8
    ends = np.empty((2 * len(near), 2))
    ends[0::2, 0], ends[0::2, 1] = x, y
    ends[1::2, 0] = x + reach * np.cos(heading)
    ends[1::2, 1] = y + reach * np.sin(heading)
    points = _POINT.fill(len(ends), x=ends[:, 0], y=ends[:, 1], z=0.3)
    first = np.searchsorted(kind, _KINDS).tolist()
    last = np.searchsorted(kind, _KINDS, side="right").tolist()
    cube, point = _CUBE.size, 2 * _POINT.size
    return [
        entity(
            t_ns,
            _USER_NAME[k],
            boxes[cube * i : cube * j] + _line(points[point * i : point * j], _USER_LINE[k])
            if j > i
            else b"",
        )
        for k, (i, j) in enumerate(zip(first, last, strict=True))
    ]


def _ribbon(path: Trajectory, style: bytes, z_m: float) -> bytes:
    x, y = path.x_m[::2], path.y_m[::2]
    return _line(_POINT.fill(len(x), x=x, y=y, z=z_m), style) if len(x) > 1 else b""


def signals(t_ns: int, heads: Int8Array, bars: "SignalBars", x_m: float, y_m: float) -> bytes:
    """foxglove.SceneUpdate: each signal head within `NEAR_M` as a coloured bar on its stop line."""
    near = np.flatnonzero(np.hypot(bars.x_m - x_m, bars.y_m - y_m) <= NEAR_M)
    if not len(near):
        return entity(t_ns, "signals", b"")
    rgba = _SIGNAL_RGBA[heads[near]]
    cubes = _CUBE.fill(
        len(near), x=bars.x_m[near], y=bars.y_m[near], z=0.15, qz=bars.qz[near], qw=bars.qw[near],
        l=0.45, w=bars.width_m[near], h=0.3, r=rgba[:, 0], g=rgba[:, 1], b=rgba[:, 2], a=rgba[:, 3],
    )  # fmt: skip
    return entity(t_ns, "signals", cubes)


@dataclass(frozen=True, slots=True, eq=False)
class SignalBars:
    """Where each signal head [H] is shown: across the start of the connector it governs."""

    x_m: FloatArray
    y_m: FloatArray
    qz: FloatArray
    qw: FloatArray
    width_m: FloatArray


def signal_bars(road: Sketch) -> SignalBars:
    """Heads that govern no lane (pedestrians') stay at their own place."""
    count = len(road.head_xy_m)
    heading = np.zeros(count)
    width = np.full(count, 1.5)
    lanes = np.flatnonzero(road.lane_head >= 0)
    head = road.lane_head[lanes]
    heading[head] = road.pt_heading_rad[road.pt_off[lanes]]
    width[head] = road.lane_width_m[lanes]
    xy = np.asarray(road.head_xy_m, dtype=np.float64).reshape(-1, 2)
    half = 0.5 * heading
    return SignalBars(xy[:, 0], xy[:, 1], np.sin(half), np.cos(half), width)


def map_scene(road: Sketch) -> bytes:
    """foxglove.SceneUpdate: surfaces, borders, stop lines, crosswalks and the route, once."""
    keep = corners_that_matter(road.pt_off, road.pt_xy_m, road.pt_heading_rad)
    lane = np.repeat(np.arange(len(road.pt_off) - 1), np.diff(road.pt_off))[keep]
    xy, heading = road.pt_xy_m[keep], road.pt_heading_rad[keep]
    aside = 0.5 * road.lane_width_m[lane][:, None]
    normal = np.column_stack((-np.sin(heading), np.cos(heading)))
    left, right = xy + aside * normal, xy - aside * normal
    joined = np.flatnonzero(lane[1:] == lane[:-1])  # segment i: kept point i to i + 1
    kind = road.lane_kind[lane[joined]]
    connector = road.lane_connector[lane[joined]]
    parts = []
    layers: tuple[tuple[str, Any, Color, float], ...] = (
        ("walk", kind == LaneKind.WALK, _WALK, -0.03),
        ("bike", kind == LaneKind.BIKE, _BIKE, -0.01),
        ("road", (kind <= LaneKind.BUS) & ~connector, _ASPHALT, 0.0),
        ("junction", (kind <= LaneKind.BUS) & connector, _CONNECTOR, -0.02),
    )
    for name, chosen, color, z_m in layers:
        surface = _strips(left, right, joined[chosen], color, z_m)
        parts.append(entity(0, f"map {name}", surface))
    drive = joined[(kind <= LaneKind.BUS) & ~connector]
    for side, name in ((left, "left"), (right, "right")):
        ends = np.stack((side[drive], side[drive + 1]), axis=1).reshape(-1, 2)
        parts.append(entity(0, f"map border {name}", _lines(ends, _MARKING, 0.08, 0.02, kind=2)))
    parts.append(entity(0, "map stop lines", _stop_lines(road)))
    parts.append(entity(0, "map crosswalks", _crosswalks(road)))
    if len(road.route_xy_m) > 1:
        parts.append(entity(0, "route", _lines(road.route_xy_m[::3], _ROUTE, 1.2, 0.04)))
    return b"".join(parts)


def _strips(left: FloatArray, right: FloatArray, segment: Any, color: Color, z_m: float) -> bytes:
    """Two triangles per segment between a left and a right border."""
    if not len(segment):
        return b""
    a, b, c, d = left[segment], right[segment], right[segment + 1], left[segment + 1]
    corners = np.stack((a, b, c, a, c, d), axis=1).reshape(-1, 2)
    return _triangles(corners, color, z_m)


def _stop_lines(road: Sketch) -> bytes:
    lanes = np.flatnonzero(np.isfinite(road.lane_stop_m) & (road.lane_kind <= LaneKind.BUS))
    lanes = lanes[~road.lane_connector[lanes]]
    last = road.pt_off[lanes + 1] - 1
    heading = road.pt_heading_rad[last]
    back = (road.lane_length_m[lanes] - road.lane_stop_m[lanes])[:, None]
    along = np.column_stack((np.cos(heading), np.sin(heading)))
    at = road.pt_xy_m[last] - back * along
    aside = 0.5 * road.lane_width_m[lanes][:, None] * np.column_stack((-along[:, 1], along[:, 0]))
    ends = np.stack((at + aside, at - aside), axis=1).reshape(-1, 2)
    return _lines(ends, _STOP, 0.3, 0.03, kind=2)


def _crosswalks(road: Sketch) -> bytes:
    """Stripes of 0.5 m every 1 m along the axis of each crosswalk."""
    corners = []
    for (x1, y1, x2, y2), width in zip(road.walk_axis_m, road.walk_width_m, strict=True):
        length = math.hypot(x2 - x1, y2 - y1)
        if length < 1.0:
            continue
        u = np.array([x2 - x1, y2 - y1]) / length
        n = 0.5 * width * np.array([-u[1], u[0]])
        s = np.arange(0.25, length - 0.5, 1.0)[:, None]
        start, end = np.array([x1, y1]) + s * u, np.array([x1, y1]) + (s + 0.5) * u
        quad = (start + n, start - n, end - n, start + n, end - n, end + n)
        corners.append(np.stack(quad, axis=1).reshape(-1, 2))
    if not corners:
        return b""
    xy = np.concatenate(corners)
    return _triangles(xy, _STOP, 0.03)


def log_line(event: Event) -> bytes:
    """foxglove.Log: collisions are errors, what the guard did is a warning."""
    level = {"collision": 4, "red_light": 4, "off_road": 4, "guard": 3}.get(event.kind, 2)
    return b"".join(
        (stamp(1, event.t_ns), whole(2, level), text(3, event.text), text(4, event.kind))
    )


def location(t_ns: int, latitude_deg: float, longitude_deg: float) -> bytes:
    """foxglove.LocationFix."""
    return b"".join(
        (
            real(1, latitude_deg),
            real(2, longitude_deg),
            stamp(6, t_ns),
            text(7, "map"),
        )
    )


def state(tick: Tick) -> bytes:
    """marque.State: the scalars that one plots."""
    world = tick.world
    ego = world.ego
    users = world.users
    near = int((np.hypot(users.x_m - ego.x_m, users.y_m - ego.y_m) <= 100.0).sum())
    values = (
        ego.speed_mps,
        ego.accel_mps2,
        ego.lat_accel_mps2,
        tick.ego_jerk_mps3,
        ego.yaw_rate_radps,
        ego.steer_rad,
        tick.command.accel_mps2,
    )
    guard = tick.verdicts[-1] if tick.verdicts else None
    return b"".join(
        (
            _STATE.pack(*interleave(values)),
            whole(8, near),
            text(9, tick.reason.name),
            text(10, tick.plan.manoeuvre if tick.plan is not None else ""),
            text(11, f"{guard.action.name} {guard.rule}" if guard is not None else ""),
        )
    )


def _lines(points: FloatArray, color: Color, width_m: float, z_m: float, kind: int = 0) -> bytes:
    """A LinePrimitive field: 0 strip, 1 loop, 2 pairs."""
    if not len(points):
        return b""
    body = _POINT.fill(len(points), x=points[:, 0], y=points[:, 1], z=z_m)
    return _line(body, _line_style(color, width_m, kind))


def _line(points: bytes, style: bytes) -> bytes:
    return block(11, style + points)


def _line_style(color: Color, width_m: float, kind: int) -> bytes:
    """Everything of a LinePrimitive but its points."""
    return whole(1, kind) + block(2, _HERE) + real(3, width_m) + _color(6, color)


def _triangles(corners: FloatArray, color: Color, z_m: float) -> bytes:
    """A TriangleListPrimitive field: three corners each."""
    points = _CORNER.fill(len(corners), x=corners[:, 0], y=corners[:, 1], z=z_m)
    return block(12, block(1, _HERE) + points + _color(3, color))


def _color(number: int, color: Color) -> bytes:
    data = _COLOR4.pack(*interleave(color))
    return tag(number, 2) + varint(len(data)) + data


def _rgba(color: Color) -> dict[str, float]:
    return dict(zip(_RGBA, color, strict=True))


_KINDS = np.array(list(UserKind), dtype=np.int8)
_USER_NAME = [kind.name.lower() for kind in UserKind]
_USER_HEIGHT = np.array([_HEIGHT_M[kind] for kind in UserKind])
_USER_RGBA = np.array([_USER[kind] for kind in UserKind])
_USER_LINE = [_line_style(_USER[kind], 0.12, 2) for kind in UserKind]
_PLAN_STYLE = _line_style(_PLAN, 0.9, 0)
_FALLBACK_STYLE = _line_style(_FALLBACK, 0.5, 0)
