"""The map of a report, as SVG: roads, route, the driven path coloured by speed, stops, events.

Drawn in decimetres with whole numbers, so that a district of a city stays a few hundred kilobytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.draw.story import Curves, Pause
from marque.record.outline import corners_that_matter
from marque.types.codes import LaneKind
from marque.types.episode import Episode, Event
from marque.types.road_map import RoadMap

SPEED_CLASSES_KPH = (1.0, 10.0, 20.0, 30.0, 40.0, 55.0, 80.0)  # upper ends; the last is open
MARGIN_M = 60.0
FLATTEST, STEEPEST = 2.6, 1.77  # width over height
DETAIL_BELOW_M = 1800.0  # wider maps leave foot- and cycleways out
_ALARMS = {"collision", "red_light", "off_road", "wrong_way"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What is in view, map metres."""

    x0: float
    x1: float
    y0: float
    y1: float

    def grid(self, xy_m: FloatArray) -> FloatArray:
        """Map metres [n, 2] to decimetres from the upper left corner, whole numbers."""
        out: FloatArray = np.rint((xy_m - [self.x0, self.y1]) * [10.0, -10.0])
        return out


def frame_of(points_m: FloatArray) -> Frame:
    """A pleasing window around points [n, 2]."""
    low, high = points_m.min(axis=0) - MARGIN_M, points_m.max(axis=0) + MARGIN_M
    (wide, tall), (cx, cy) = high - low, 0.5 * (low + high)
    wide = max(wide, STEEPEST * tall)
    tall = max(tall, wide / FLATTEST)
    return Frame(cx - 0.5 * wide, cx + 0.5 * wide, cy - 0.5 * tall, cy + 0.5 * tall)


def route_map(episode: Episode, line: Curves, stops: Sequence[Pause]) -> str:
    """The whole picture as one <svg>."""
    driven = np.column_stack((line.x_m, line.y_m))
    ends = np.array([episode.start_xy_m, episode.goal_xy_m])
    route = np.asarray(episode.route_xy_m, dtype=np.float64).reshape(-1, 2)
    frame = frame_of(np.vstack((driven, ends, route)))
    wide, tall = 10.0 * (frame.x1 - frame.x0), 10.0 * (frame.y1 - frame.y0)
    pins = [
        *(_pin(frame, p.x_m, p.y_m, _stop_mark(p)) for p in stops if p.number),
        *(_pin(frame, e.x_m, e.y_m, _event_mark(e)) for e in episode.events if e.kind in _ALARMS),
        _pin(frame, *episode.start_xy_m, '<circle class="start" r="6"/><title>start</title>'),
        _pin(frame, *episode.goal_xy_m, _GOAL),
    ]
    return "".join(
        (
            f'<svg id="map" viewBox="0 0 {wide:.0f} {tall:.0f}" data-x0="{frame.x0:.2f}" '
            f'data-y1="{frame.y1:.2f}" style="--k:{wide / 1120:.2f}" role="img">',
            _roads(episode.road_map, frame),
            f'<path class="route" d="{_path(frame.grid(route))}"/>' if len(route) > 1 else "",
            _driven(frame, driven, line.speed_mps),
            *pins,
            '<g id="car" class="pin"><g class="fix"><path d="M9 0L-6 6L-3 0L-6 -6Z"/></g></g>',
            "</svg>",
        )
    )


def speed_class(speed_mps: FloatArray) -> IntArray:
    """Index into the speed colours [n]."""
    return np.searchsorted(np.array(SPEED_CLASSES_KPH), 3.6 * speed_mps, side="right")


def _driven(frame: Frame, xy_m: FloatArray, speed_mps: FloatArray) -> str:
    if len(xy_m) < 2:
        return ""
    grid = frame.grid(xy_m)
    group = speed_class(speed_mps)
    by_class: dict[int, list[str]] = {}
    start = 0
    for k in range(1, len(grid) + 1):
        if k < len(grid) and group[k] == group[start]:
            continue
        piece = grid[start : min(k + 1, len(grid))]
        by_class.setdefault(int(group[start]), []).append(_path(_spaced(piece)))
        start = k
    casing = f'<path class="casing" d="{_path(_spaced(grid))}"/>'
    colours = (f'<path class="driven v{c}" d="{"".join(d)}"/>' for c, d in sorted(by_class.items()))
    return casing + "".join(colours)


def _roads(road_map: RoadMap, frame: Frame) -> str:
    keep = corners_that_matter(road_map.pt_off, road_map.pt_xy_m, road_map.pt_heading_rad)
    lane_of = np.repeat(np.arange(road_map.lane_count), np.diff(road_map.pt_off))[keep]
    grid = frame.grid(road_map.pt_xy_m[keep])
    first = np.searchsorted(lane_of, np.arange(road_map.lane_count + 1))
    seen = _in_view(road_map, frame)
    parts = []
    layers: list[tuple[str, tuple[LaneKind, ...]]] = [("road", (LaneKind.DRIVE, LaneKind.BUS))]
    if frame.x1 - frame.x0 < DETAIL_BELOW_M:
        layers = [("walk", (LaneKind.WALK,)), ("bike", (LaneKind.BIKE,)), *layers]
    for css, kinds in layers:
        chosen = np.flatnonzero(seen & np.isin(road_map.lane_kind, kinds))
        width = np.rint(10.0 * road_map.lane_width_m[chosen]).astype(int)
        for size in np.unique(width).tolist():
            lanes = chosen[width == size].tolist()
            d = "".join(_path(grid[first[i] : first[i + 1]]) for i in lanes)
            parts.append(f'<path class="{css}" stroke-width="{size}" d="{d}"/>')
    return "".join(parts)


def _in_view(road_map: RoadMap, frame: Frame) -> BoolArray:
    start = road_map.pt_off[:-1]
    low = np.minimum.reduceat(road_map.pt_xy_m, start, axis=0)
    high = np.maximum.reduceat(road_map.pt_xy_m, start, axis=0)
    seen: BoolArray = (high[:, 0] >= frame.x0) & (low[:, 0] <= frame.x1)
    return seen & (high[:, 1] >= frame.y0) & (low[:, 1] <= frame.y1)


def _path(grid: FloatArray) -> str:
    """Relative line through whole-numbered points [n, 2]."""
    if len(grid) < 2:
        return ""
    step = np.diff(grid, axis=0).astype(np.int64).tolist()
    x, y = grid[0].astype(np.int64).tolist()
    return f"M{x} {y}l" + " ".join(f"{dx} {dy}" for dx, dy in step if dx or dy or len(step) == 1)


def _spaced(grid: FloatArray) -> FloatArray:
    """Drop points closer than a metre to the last kept one; keep both ends."""
    kept = [0]
    x, y = grid[0]
    for k, (nx, ny) in enumerate(grid.tolist()):
        if abs(nx - x) + abs(ny - y) >= 10.0:
            kept.append(k)
            x, y = nx, ny
    if kept[-1] != len(grid) - 1:
        kept.append(len(grid) - 1)
    return grid[kept]


_GOAL = '<path class="goal" d="M0 0V-20M0 -20H13L9 -15.5L13 -11H0"/><title>goal</title>'


def _pin(frame: Frame, x_m: float, y_m: float, mark: str) -> str:
    x, y = frame.grid(np.array([[x_m, y_m]]))[0]
    return f'<g class="pin" transform="translate({x:.0f} {y:.0f})"><g class="fix">{mark}</g></g>'


def _stop_mark(stop: Pause) -> str:
    title = f"stop {stop.number}: {stop.words}, {stop.stand_s:.0f} s"
    return (
        f'<circle class="stop" r="8"/><text class="stop" y="3.4">{stop.number}</text>'
        f"<title>{escape(title)}</title>"
    )


def _event_mark(event: Event) -> str:
    return (
        '<path class="alarm" d="M-5 -5L5 5M-5 5L5 -5"/>'
        f"<title>{escape(event.kind)}: {escape(event.text)}</title>"
    )
