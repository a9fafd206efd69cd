"""A RoadMap as a picture: surface, marks, crosswalks, stop lines, signals, conflicts.

`draw_road_map` paints into any matplotlib axes, in map metres; `save_map_picture` makes a file.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PatchCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch

from marque.core.arrays import FloatArray, Int32Array
from marque.core.errors import MarqueError
from marque.core.files import write_whole
from marque.types.codes import ConflictKind, LaneKind
from marque.types.road_map import RoadMap

GROUND = "#f3f1ea"
ASPHALT = "#5b6069"
ASPHALT_DARK = "#50555d"
KERB = "#c9c5b8"
FOOTWAY = "#dcd7c9"
SURFACES = {
    LaneKind.DRIVE: ASPHALT,
    LaneKind.BUS: "#6d6a75",
    LaneKind.BIKE: "#9c6f66",
    LaneKind.WALK: FOOTWAY,
    LaneKind.SHOULDER: "#6a6f76",
    LaneKind.OTHER: "#b9b3a4",
}
MARK = "#f4f4f0"
GREY_MARK = "#8d939b"
CONFLICT_COLOURS = {
    "crossing, this path yields": "#e5484d",
    "merging, this path yields": "#f0a020",
    "equal, by arrival": "#a86bdb",
}
DETAIL_BELOW_M = 1200.0  # wider pictures leave marks and conflicts out
DASH_M, GAP_M = 3.0, 6.0
Extent = tuple[float, float, float, float]  # x0, x1, y0, y1


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Axes, what is in view, and points per metre on paper."""

    ax: Axes
    road_map: RoadMap
    lanes: Int32Array
    points_per_m: float

    def line_width(self, width_m: float, least_pt: float = 0.25) -> float:
        return max(width_m * self.points_per_m, least_pt)


def draw_road_map(
    ax: Axes,
    road_map: RoadMap,
    extent: Extent | None = None,
    detail: bool = True,
    signals: bool = True,
) -> None:
    """Paint the map into `ax` (map metres, equal aspect), cut to `extent` (x0, x1, y0, y1).

    detail: lane marks, stop lines, zebra stripes and signals; conflicts are a separate call,
    `draw_conflicts`. `signals=False` leaves the signals to a caller who knows their states. The
    attribution is always painted.
    """
    box = extent or whole_extent(road_map)
    canvas = _canvas(ax, road_map, box)
    _surfaces(canvas)
    if detail:
        _crosswalks(canvas)
        _marks(canvas)
        _stop_lines(canvas)
        if signals:
            _signals(canvas)
    _attribution(ax, road_map)


def draw_conflicts(ax: Axes, road_map: RoadMap, extent: Extent | None = None) -> None:
    """Paint paths across junctions, and on each the stretches where it yields to another."""
    canvas = _canvas(ax, road_map, extent or whole_extent(road_map))
    paths = [i for i in canvas.lanes if road_map.lane_connector[i] and _for_vehicles(road_map, i)]
    lines = [road_map.points(i) for i in paths]
    width = canvas.line_width(0.12)
    ax.add_collection(
        LineCollection(lines, colors="#d9dde2", linewidths=width, alpha=0.55, zorder=6)
    )
    for label, spans in _conflict_spans(road_map, paths).items():
        style = LineCollection(
            spans,
            colors=CONFLICT_COLOURS[label],
            linewidths=canvas.line_width(0.5, 0.5),
            alpha=0.8,
            capstyle="round",
            zorder=7,
        )
        ax.add_collection(style)
    handles = [Line2D([], [], color=c, linewidth=3.0) for c in CONFLICT_COLOURS.values()]
    ax.legend(handles, list(CONFLICT_COLOURS), loc="upper right", fontsize=7, framealpha=0.92)


def save_map_picture(
    road_map: RoadMap, path: Path, extent: Extent | None = None, conflicts: bool = True
) -> None:
    """Draw the map into a .png or .svg file. MarqueError: other endings, unwritable folder."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise MarqueError(f"cannot draw into {path}: have [.png, .svg]")
    box = extent or whole_extent(road_map)
    figure = Figure(figsize=_figure_size(box), facecolor=GROUND)
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    small = max(box[1] - box[0], box[3] - box[2]) <= DETAIL_BELOW_M
    draw_road_map(ax, road_map, box, detail=small)
    if conflicts and small:
        draw_conflicts(ax, road_map, box)
    _scale_bar(ax, box)
    metadata = {"Software": "marque"} if kind == "png" else {"Creator": "marque", "Date": None}
    with rc_context({"svg.hashsalt": "marque"}):  # the same map, the same bytes
        write_whole(
            path,
            lambda aside: figure.savefig(aside, format=kind, dpi=160, metadata=metadata),
        )


def whole_extent(road_map: RoadMap, margin_m: float = 15.0) -> Extent:
    """x0, x1, y0, y1 around every road (every lane, where there is no road)."""
    roads = np.isin(road_map.lane_kind, (LaneKind.DRIVE, LaneKind.BUS))
    chosen = np.repeat(roads if roads.any() else ~roads, np.diff(road_map.pt_off))
    low = road_map.pt_xy_m[chosen].min(axis=0) - margin_m
    high = road_map.pt_xy_m[chosen].max(axis=0) + margin_m
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def _figure_size(box: Extent) -> tuple[float, float]:
    wide, high = max(box[1] - box[0], 1.0), max(box[3] - box[2], 1.0)
    scale = 11.0 / max(wide, high)
    return max(wide * scale, 3.0), max(high * scale, 3.0)


def _canvas(ax: Axes, road_map: RoadMap, box: Extent) -> _Canvas:
    ax.set_xlim(box[0], box[1])
    ax.set_ylim(box[2], box[3])
    ax.set_aspect("equal", adjustable="box")
    ax.set_axis_off()
    ax.set_facecolor(GROUND)
    figure = ax.get_figure(root=True)
    inches = figure.get_size_inches() if figure else (9.7, 9.7)
    size = ax.get_position()
    wide_pt, high_pt = inches[0] * size.width * 72.0, inches[1] * size.height * 72.0
    per_m = min(wide_pt / max(box[1] - box[0], 1e-6), high_pt / max(box[3] - box[2], 1e-6))
    return _Canvas(ax, road_map, lanes_within(road_map, box), per_m)


def lanes_within(road_map: RoadMap, box: Extent, margin_m: float = 10.0) -> Int32Array:
    """Lanes whose bounding box touches the extent."""
    start = road_map.pt_off[:-1]
    low = np.minimum.reduceat(road_map.pt_xy_m, start, axis=0) - margin_m
    high = np.maximum.reduceat(road_map.pt_xy_m, start, axis=0) + margin_m
    seen = (high[:, 0] >= box[0]) & (low[:, 0] <= box[1])
    seen &= (high[:, 1] >= box[2]) & (low[:, 1] <= box[3])
    return np.flatnonzero(seen).astype(np.int32)


def _for_vehicles(road_map: RoadMap, lane: int) -> bool:
    return int(road_map.lane_kind[lane]) in (LaneKind.DRIVE, LaneKind.BUS)


def _beside(road_map: RoadMap, lane: int, offset_m: float) -> FloatArray:
    """The lane's centre line, moved sideways (left positive)."""
    part = slice(road_map.pt_off[lane], road_map.pt_off[lane + 1])
    heading = road_map.pt_heading_rad[part]
    normal = np.column_stack((-np.sin(heading), np.cos(heading)))
    moved: FloatArray = road_map.pt_xy_m[part] + offset_m * normal
    return moved


def _ribbon(road_map: RoadMap, lane: int, half_m: float) -> FloatArray:
    return np.vstack((_beside(road_map, lane, half_m), _beside(road_map, lane, -half_m)[::-1]))


def _surfaces(canvas: _Canvas) -> None:
    m = canvas.road_map
    order = (
        LaneKind.OTHER,
        LaneKind.WALK,
        LaneKind.SHOULDER,
        LaneKind.BIKE,
        LaneKind.BUS,
        LaneKind.DRIVE,
    )
    paved = [i for i in canvas.lanes if int(m.lane_kind[i]) not in (LaneKind.WALK, LaneKind.OTHER)]
    kerb = [_ribbon(m, i, 0.5 * m.lane_width_m[i] + 0.35) for i in paved]
    _fill(canvas, kerb, KERB, 1.0)
    _junction_ground(canvas)
    for k, kind in enumerate(order):
        chosen = [i for i in canvas.lanes if m.lane_kind[i] == kind]
        for joint, colour in ((False, SURFACES[kind]), (True, _joint_colour(kind))):
            part = [i for i in chosen if bool(m.lane_connector[i]) is joint]
            shapes = [_ribbon(m, i, 0.5 * m.lane_width_m[i]) for i in part]
            _fill(canvas, shapes, colour, 2.0 + 0.1 * k + (0.05 if joint else 0.0))


def _joint_colour(kind: LaneKind) -> str:
    return ASPHALT if kind in (LaneKind.DRIVE, LaneKind.BUS) else SURFACES[kind]


def _junction_ground(canvas: _Canvas) -> None:
    """Asphalt under the junctions that vehicles cross."""
    m = canvas.road_map
    used = {int(m.lane_junction[i]) for i in canvas.lanes if _for_vehicles(m, int(i))} - {-1}
    shapes = []
    for j in sorted(used):
        shape = m.junction_xy_m[m.junction_off[j] : m.junction_off[j + 1]]
        if len(shape) > 2:
            shapes.append(shape)
    _fill(canvas, shapes, ASPHALT, 1.5)


def _fill(canvas: _Canvas, shapes: list[FloatArray], colour: str, zorder: float) -> None:
    canvas.ax.add_collection(
        PolyCollection(shapes, facecolors=colour, edgecolors=colour, linewidths=0.2, zorder=zorder)
    )


def _crosswalks(canvas: _Canvas) -> None:
    m = canvas.road_map
    shapes = []
    for w in range(len(m.walk_name)):
        on_road = np.any(m.cross_walk == w)
        if on_road and _in_view(canvas, m.walk_axis_m[w, :2]):
            shapes += _stripes(m.walk_axis_m[w], float(m.walk_width_m[w]))
    _fill(canvas, shapes, MARK, 3.2)


def _in_view(canvas: _Canvas, xy: FloatArray) -> bool:
    (x0, x1), (y0, y1) = canvas.ax.get_xlim(), canvas.ax.get_ylim()
    return bool(x0 - 20 <= xy[0] <= x1 + 20 and y0 - 20 <= xy[1] <= y1 + 20)


def _stripes(axis: FloatArray, width_m: float) -> list[FloatArray]:
    """Zebra stripes: bars of half a metre along the axis, as wide as the crosswalk."""
    start, end = axis[:2], axis[2:]
    length = math.hypot(*(end - start))
    along = (end - start) / max(length, 1e-6)
    side = 0.5 * width_m * np.array((-along[1], along[0]))
    count = max(1, round(length / 1.0))
    bars = []
    for k in range(count):
        near = start + along * (length * (k + 0.25) / count)
        far = start + along * (length * (k + 0.75) / count)
        bars.append(np.vstack((near + side, far + side, far - side, near - side)))
    return bars


def _marks(canvas: _Canvas) -> None:
    """Dashes between lanes, solid where crossing is not allowed; edge lines."""
    m = canvas.road_map
    dashed: list[FloatArray] = []
    solid: list[FloatArray] = []
    edge: list[FloatArray] = []
    for i in canvas.lanes.tolist():
        if m.lane_connector[i] or not _for_vehicles(m, i):
            continue
        half = 0.5 * float(m.lane_width_m[i])
        left, right, facing = int(m.lane_left[i]), int(m.lane_right[i]), int(m.lane_opposite[i])
        if left >= 0:
            free = bool(m.lane_left_ok[i] or m.lane_right_ok[left])
            _border(_beside(m, i, half), free, dashed, solid)
        elif facing < 0 or m.left_hand:
            edge.append(_beside(m, i, half - 0.1))
        if right < 0 and (facing < 0 or not m.left_hand):
            edge.append(_beside(m, i, 0.1 - half))
        if facing > i:
            line = _beside(m, i, -half if m.left_hand else half)
            _border(line, bool(m.lane_opposite_ok[i]), dashed, solid)
    width = canvas.line_width(0.13)
    for lines, colour in ((dashed, MARK), (solid, MARK), (edge, GREY_MARK)):
        canvas.ax.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, capstyle="butt", zorder=3.0)
        )


def _border(
    line: FloatArray, free: bool, dashed: list[FloatArray], solid: list[FloatArray]
) -> None:
    """File a border under dashes where it may be crossed, under solid lines otherwise."""
    if free:
        dashed += _dashes(line)
    else:
        solid.append(line)


def _dashes(line: FloatArray) -> list[FloatArray]:
    step = np.diff(line, axis=0)
    s = np.concatenate(([0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))))
    out = []
    for start in np.arange(0.5 * GAP_M, s[-1] - DASH_M, DASH_M + GAP_M):
        at = np.linspace(start, start + DASH_M, 4)
        out.append(np.column_stack((np.interp(at, s, line[:, 0]), np.interp(at, s, line[:, 1]))))
    return out


def _stop_lines(canvas: _Canvas) -> None:
    m = canvas.road_map
    bars = []
    for i in canvas.lanes.tolist():
        at = float(m.lane_stop_m[i])
        if math.isnan(at) or not _for_vehicles(m, i):
            continue
        part = slice(m.pt_off[i], m.pt_off[i + 1])
        centre = np.array([np.interp(at, m.pt_s_m[part], m.pt_xy_m[part, k]) for k in (0, 1)])
        heading = float(np.interp(at, m.pt_s_m[part], np.unwrap(m.pt_heading_rad[part])))
        half = 0.46 * float(m.lane_width_m[i])
        across = np.array((-math.sin(heading), math.cos(heading))) * half
        bars.append(np.vstack((centre + across, centre - across)))
    canvas.ax.add_collection(
        LineCollection(
            bars, colors=MARK, linewidths=canvas.line_width(0.4), capstyle="butt", zorder=3.3
        )
    )


def _signals(canvas: _Canvas) -> None:
    """A small signal at every head that governs vehicles."""
    m = canvas.road_map
    heads = np.unique(m.lane_head[m.lane_head >= 0])
    cases, lamps = [], {"#e5484d": [], "#f0b429": [], "#3fb950": []}  # type: ignore[var-annotated]
    for head in heads.tolist():
        x, y = m.head_xy_m[head]
        if not _in_view(canvas, m.head_xy_m[head]):
            continue
        cases.append(
            FancyBboxPatch((x - 0.45, y - 1.25), 0.9, 2.5, boxstyle="round,pad=0,rounding_size=0.3")
        )
        for colour, dy in zip(lamps, (0.78, 0.0, -0.78), strict=True):
            lamps[colour].append(Circle((x, y + dy), 0.3))
    canvas.ax.add_collection(
        PatchCollection(cases, facecolor="#1d2024", edgecolor="#f4f4f0", linewidth=0.3, zorder=8)
    )
    for colour, circles in lamps.items():
        canvas.ax.add_collection(
            PatchCollection(circles, facecolor=colour, edgecolor="none", zorder=8.1)
        )


def _conflict_spans(road_map: RoadMap, paths: list[int]) -> dict[str, list[FloatArray]]:
    crossing, merging, equal = CONFLICT_COLOURS
    spans: dict[str, list[FloatArray]] = {crossing: [], merging: [], equal: []}
    for i in paths:
        for k in range(road_map.conf_off[i], road_map.conf_off[i + 1]):
            kind, priority = road_map.conf_kind[k], road_map.conf_priority[k]
            if kind == ConflictKind.DIVERGE or priority > 0:
                continue
            label = equal if priority == 0 else merging if kind == ConflictKind.MERGE else crossing
            spans[label].append(
                _span(road_map, i, road_map.conf_s_in_m[k], road_map.conf_s_out_m[k])
            )
    return spans


def _span(road_map: RoadMap, lane: int, s_in: float, s_out: float) -> FloatArray:
    s, xy = road_map.arc(lane), road_map.points(lane)
    inside = s[(s > s_in) & (s < s_out)]
    at = np.concatenate(([s_in], inside, [s_out]))
    return np.column_stack((np.interp(at, s, xy[:, 0]), np.interp(at, s, xy[:, 1])))


def _attribution(ax: Axes, road_map: RoadMap) -> None:
    if not road_map.attribution:
        return
    ax.text(
        0.995,
        0.006,
        road_map.attribution,
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=7,
        color="#3c4046",
        zorder=20,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.6},
    )


def _scale_bar(ax: Axes, box: Extent) -> None:
    wide = box[1] - box[0]
    size = max(
        s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if s <= max(wide / 5, 1)
    )
    x = box[0] + 0.025 * wide
    y = box[2] + 0.03 * (box[3] - box[2])
    ax.plot([x, x + size], [y, y], color="#3c4046", linewidth=2.2, zorder=20)
    label = f"{size} m" if size < 1000 else f"{size // 1000} km"
    ax.text(
        x + 0.5 * size, y, label, ha="center", va="bottom", fontsize=7, color="#3c4046", zorder=20
    )
