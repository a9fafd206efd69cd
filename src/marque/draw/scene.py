"""One moment of a drive as a picture: the road, who is on it, and what the car means to do."""

from math import cos, sin

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Rectangle

from marque.core.arrays import FloatArray, IntArray
from marque.draw.map import GROUND, Extent, draw_road_map
from marque.types.codes import Indicator, SignalState, Turn, UserKind
from marque.types.episode import Episode, Tick
from marque.types.plan import Trajectory
from marque.types.road_map import RoadMap
from marque.types.world import RoadUsers

EGO = "#1f6fe5"
PLAN = "#17b890"
FALLBACK = "#f2a33a"
DARK = "#14181d"
BRAKE_LIGHT, BLINKER = "#ff3b30", "#ffb000"
USERS = {
    UserKind.CAR: "#eef1f5",
    UserKind.TRUCK: "#d8c7ab",
    UserKind.BUS: "#f2cf52",
    UserKind.MOTORCYCLE: "#d08be0",
    UserKind.BICYCLE: "#7ddb6f",
    UserKind.PEDESTRIAN: "#ff8a65",
    UserKind.RAIL: "#c98b8b",
    UserKind.OBSTACLE: "#e5484d",
}
LAMPS = {
    SignalState.UNKNOWN: "#8d939b",
    SignalState.RED: "#ff4d42",
    SignalState.AMBER: "#ffc233",
    SignalState.GREEN: "#4be36d",
    SignalState.GREEN_YIELD: "#a6e05a",
    SignalState.RED_AMBER: "#ff8a2b",
    SignalState.OFF: "#8d939b",
    SignalState.STOP_THEN_GO: "#d8d35a",
}
_LEFT_FIRST = {Turn.U_TURN: 0, Turn.LEFT: 1, Turn.STRAIGHT: 2, Turn.NONE: 2, Turn.RIGHT: 3}
_BRAKES_MPS2 = -0.6
_VEHICLES = (UserKind.CAR, UserKind.TRUCK, UserKind.BUS, UserKind.RAIL)


def draw_scene(
    ax: Axes,
    episode: Episode,
    k: int,
    road_map: RoadMap,
    radius_m: float,
    ahead_m: float = 0.0,
) -> None:
    """Paint tick `k` into `ax`: map metres, the ego in the middle, at least `radius_m` in view.

    `ahead_m` moves the middle forward along the ego's heading. The view fills the axes' shape.
    """
    tick = episode.ticks[k]
    ego = tick.world.ego
    x = ego.x_m + ahead_m * cos(ego.heading_rad)
    y = ego.y_m + ahead_m * sin(ego.heading_rad)
    box = _view(ax, x, y, radius_m)
    draw_road_map(ax, road_map, box, detail=True, signals=False)
    ax.add_patch(Rectangle((box[0], box[2]), box[1] - box[0], box[3] - box[2], color=GROUND))
    _signals(ax, road_map, tick, box)
    if tick.plan is not None:
        _fallback(ax, tick.plan.fallback)
        _plan(ax, tick.plan.trajectory, episode.platform.width_m, episode.platform.front_m)
    _crowd(ax, tick.world.users, box)
    _ego(ax, episode, k)


def car_outline(
    x_m: float, y_m: float, heading_rad: float, length_m: float, width_m: float
) -> FloatArray:
    """Corners [8, 2] of a box with chamfered ends, middle at (x, y); the front is narrower."""
    a, b = 0.5 * length_m, 0.5 * width_m
    cut = min(0.22 * width_m, 0.2 * length_m)
    shape = np.array(
        [
            (a, 0.55 * b),
            (a - cut, b),
            (-a + 0.6 * cut, b),
            (-a, 0.75 * b),
            (-a, -0.75 * b),
            (-a + 0.6 * cut, -b),
            (a - cut, -b),
            (a, -0.55 * b),
        ]
    )
    return _placed(shape, x_m, y_m, heading_rad)


def _placed(shape: FloatArray, x_m: float, y_m: float, heading_rad: float) -> FloatArray:
    c, s = cos(heading_rad), sin(heading_rad)
    placed: FloatArray = shape @ np.array([[c, s], [-s, c]]) + np.array([x_m, y_m])
    return placed


def _view(ax: Axes, x_m: float, y_m: float, radius_m: float) -> Extent:
    area = ax.get_window_extent()
    wide, tall = area.width, area.height
    half_x = radius_m * max(1.0, wide / tall)
    half_y = radius_m * max(1.0, tall / wide)
    return x_m - half_x, x_m + half_x, y_m - half_y, y_m + half_y


def _signals(ax: Axes, road_map: RoadMap, tick: Tick, box: Extent) -> None:
    """The stop line of each lane in the colour that it shows; by turn where colours differ."""
    bars: dict[str, list[FloatArray]] = {}
    for lane in _signalled_lanes(road_map, box):
        after = road_map.successors(lane)
        after = after[road_map.lane_head[after] >= 0]
        order = sorted(after.tolist(), key=lambda c: _LEFT_FIRST[Turn(int(road_map.lane_turn[c]))])
        states = [SignalState(int(tick.world.heads[road_map.lane_head[c]])) for c in order]
        if len(set(states)) == 1:
            states = states[:1]
        left, right = _stop_line(road_map, lane)
        for n, state in enumerate(states):
            span = np.array([[n / len(states)], [(n + 1) / len(states)]])
            bars.setdefault(LAMPS[state], []).append(left + span * (right - left))
    size = 72.0 * _inches_per_m(ax, box)
    everything = [bar for group in bars.values() for bar in group]
    for lines, colour, width_m in (
        (everything, DARK, 1.5),
        *((v, c, 0.95) for c, v in bars.items()),
    ):
        ax.add_collection(
            LineCollection(
                lines,
                colors=colour,
                linewidths=max(width_m * size, 1.5),
                capstyle="butt",
                zorder=8.0 if colour == DARK else 8.1,
            )
        )


def _signalled_lanes(road_map: RoadMap, box: Extent) -> list[int]:
    connectors = np.flatnonzero(road_map.lane_head >= 0)
    before = {int(p) for c in connectors for p in road_map.predecessors(int(c))}
    ends = {lane: road_map.points(lane)[-1] for lane in before}
    return sorted(
        lane
        for lane, (x, y) in ends.items()
        if box[0] - 5 <= x <= box[1] + 5 and box[2] - 5 <= y <= box[3] + 5
    )


def _stop_line(road_map: RoadMap, lane: int) -> tuple[FloatArray, FloatArray]:
    """Its left and right end."""
    s = float(road_map.lane_stop_m[lane])
    arc, xy = road_map.arc(lane), road_map.points(lane)
    s = float(arc[-1]) if np.isnan(s) else s
    part = slice(road_map.pt_off[lane], road_map.pt_off[lane + 1])
    heading = float(np.interp(s, arc, np.unwrap(road_map.pt_heading_rad[part])))
    middle = np.array((np.interp(s, arc, xy[:, 0]), np.interp(s, arc, xy[:, 1])))
    aside = 0.5 * float(road_map.lane_width_m[lane]) * np.array((-sin(heading), cos(heading)))
    return middle + aside, middle - aside


def _inches_per_m(ax: Axes, box: Extent) -> float:
    inches = ax.get_window_extent().width / ax.figure.dpi
    return float(inches / (box[1] - box[0]))


def _plan(ax: Axes, path: Trajectory, width_m: float, front_m: float) -> None:
    """The lane that the body will sweep, paler towards the end of the plan."""
    moved = np.concatenate(([True], np.diff(path.s_m) > 0.02))
    heading = path.heading_rad[moved]
    xy = np.column_stack((path.x_m[moved], path.y_m[moved]))
    xy = xy + front_m * np.column_stack((np.cos(heading), np.sin(heading)))
    if len(xy) < 2:
        return
    side = 0.42 * width_m * np.column_stack((-np.sin(heading), np.cos(heading)))
    left, right = xy + side, xy - side
    quads = np.stack((left[:-1], left[1:], right[1:], right[:-1]), axis=1)
    alpha = np.linspace(0.85, 0.12, len(quads))
    rgb = np.array([int(PLAN[i : i + 2], 16) / 255.0 for i in (1, 3, 5)])
    colours = np.column_stack((np.tile(rgb, (len(quads), 1)), alpha))
    ax.add_collection(
        PolyCollection(list(quads), facecolors=colours, edgecolors="none", zorder=9.0)
    )


def _fallback(ax: Axes, path: Trajectory) -> None:
    """Where it would stop if nothing better came: a dashed line with a bar at its end."""
    xy = np.column_stack((path.x_m, path.y_m))
    ax.plot(xy[:, 0], xy[:, 1], color=FALLBACK, linewidth=1.6, dashes=(3, 2), zorder=9.3)
    heading = float(path.heading_rad[-1])
    aside = 1.1 * np.array([-sin(heading), cos(heading)])
    bar = np.vstack((xy[-1] + aside, xy[-1] - aside))
    ax.plot(bar[:, 0], bar[:, 1], color=FALLBACK, linewidth=2.6, zorder=9.3)


def _crowd(ax: Axes, users: RoadUsers, box: Extent) -> None:
    seen = np.flatnonzero(
        (users.x_m >= box[0] - 10.0)
        & (users.x_m <= box[1] + 10.0)
        & (users.y_m >= box[2] - 10.0)
        & (users.y_m <= box[3] + 10.0)
    )
    _ways(ax, users, seen)
    outlines, colours = [], []
    for i in seen.tolist():
        kind = UserKind(int(users.kind[i]))
        length, width = float(users.length_m[i]), float(users.width_m[i])
        if kind in (UserKind.PEDESTRIAN, UserKind.BICYCLE, UserKind.MOTORCYCLE):
            length, width = max(length, 0.8), max(width, 0.8)  # else too small to see
        outlines.append(
            car_outline(
                float(users.x_m[i]), float(users.y_m[i]), float(users.heading_rad[i]), length, width
            )
        )
        colours.append(USERS[kind])
    ax.add_collection(
        PolyCollection(outlines, facecolors=colours, edgecolors=DARK, linewidths=0.7, zorder=11.0)
    )
    vehicles = [i for i in seen.tolist() if UserKind(int(users.kind[i])) in _VEHICLES]
    for i in vehicles:
        _glass_and_lights(
            ax,
            float(users.x_m[i]),
            float(users.y_m[i]),
            float(users.heading_rad[i]),
            float(users.length_m[i]),
            float(users.width_m[i]),
            brakes=bool(users.accel_mps2[i] < _BRAKES_MPS2),
            indicator=Indicator(int(users.indicator[i])),
        )


def _ways(ax: Axes, users: RoadUsers, seen: IntArray) -> None:
    """A line out of the front of each moving user: where it will be in one second."""
    lines = []
    for i in seen[users.speed_mps[seen] > 0.5].tolist():
        h = float(users.heading_rad[i])
        front = 0.5 * float(users.length_m[i])
        ends = np.array([front, front + float(users.speed_mps[i])])[:, None]
        lines.append(ends * [cos(h), sin(h)] + [float(users.x_m[i]), float(users.y_m[i])])
    ax.add_collection(
        LineCollection(lines, colors="#ffffff", linewidths=1.4, alpha=0.75, zorder=10.0)
    )


def _glass_and_lights(
    ax: Axes,
    x_m: float,
    y_m: float,
    heading_rad: float,
    length_m: float,
    width_m: float,
    *,
    brakes: bool,
    indicator: Indicator,
    zorder: float = 12.0,
) -> None:
    a, b = 0.5 * length_m, 0.5 * width_m
    cab = min(0.45 * length_m, 2.0)  # from the front bumper to the windscreen's foot
    glass = np.array(
        [
            (a - 0.55 * cab, 0.70 * b),
            (a - 0.55 * cab, -0.70 * b),
            (a - 0.9 * cab, -0.78 * b),
            (a - 0.9 * cab, 0.78 * b),
        ]
    )
    shapes = [(glass, "#2a323b")]
    for side in (1.0, -1.0):
        at = np.array([(-a, 0.9 * side * b), (-a, 0.45 * side * b)])
        if brakes:
            thick = np.vstack((at, at[::-1] + np.array((0.45, 0.0))))
            shapes.append((thick, BRAKE_LIGHT))
        blinks = {Indicator.LEFT: side > 0, Indicator.RIGHT: side < 0, Indicator.HAZARD: True}
        if blinks.get(indicator, False):
            for end in (a - 0.7, -a + 0.1):
                corner = np.array([(end, 1.12 * side * b), (end + 0.6, 1.12 * side * b)])
                shapes.append((np.vstack((corner, corner[::-1] - [0.0, 0.5 * side * b])), BLINKER))
    ax.add_collection(
        PolyCollection(
            [_placed(shape, x_m, y_m, heading_rad) for shape, _ in shapes],
            facecolors=[colour for _, colour in shapes],
            edgecolors="none",
            zorder=zorder,
        )
    )


def _ego(ax: Axes, episode: Episode, k: int) -> None:
    car, ego = episode.platform, episode.ticks[k].world.ego
    x = ego.x_m + car.centre_m * cos(ego.heading_rad)
    y = ego.y_m + car.centre_m * sin(ego.heading_rad)
    halo = car_outline(x, y, ego.heading_rad, car.length_m + 1.2, car.width_m + 1.2)
    body = car_outline(x, y, ego.heading_rad, car.length_m, car.width_m)
    ax.add_collection(
        PolyCollection([halo], facecolors=EGO, edgecolors="none", alpha=0.35, zorder=12.4)
    )
    ax.add_collection(
        PolyCollection([body], facecolors=EGO, edgecolors="white", linewidths=1.2, zorder=12.5)
    )
    _glass_and_lights(
        ax,
        x,
        y,
        ego.heading_rad,
        car.length_m,
        car.width_m,
        brakes=ego.accel_mps2 < _BRAKES_MPS2,
        indicator=episode.ticks[k].command.indicator,
        zorder=12.6,
    )
