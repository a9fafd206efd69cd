"""A drive in one picture: a telling moment, the way it took, and how fast it went."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.files import write_whole
from marque.core.units import to_kph
from marque.draw.map import GROUND, draw_road_map
from marque.draw.route_map import speed_class
from marque.draw.scene import EGO, FALLBACK, PLAN, USERS, draw_scene
from marque.draw.story import WORDS, Curves, curves, limits
from marque.draw.svg import clock, clock_step
from marque.types.codes import Reason, UserKind
from marque.types.episode import Episode
from marque.types.road_map import RoadMap

INK, SOFT, PAPER = "#1d2127", "#5d6570", "#fbfaf7"
SPEED_COLOURS = (  # as v0..v7 in report.css
    "#b8274c",
    "#d9573f",
    "#ea8f3c",
    "#d9b53c",
    "#86b553",
    "#35a37f",
    "#2a86b8",
    "#4158c4",
)
RADIUS_M = 30.0
_SIZE_IN, _DPI = (12.0, 6.4), 150
_TELLING = {
    Reason.YIELD: 3.0,
    Reason.RIGHT_BEFORE_LEFT: 3.0,
    Reason.ONCOMING: 4.0,
    Reason.CROSSWALK: 3.0,
    Reason.PEDESTRIAN: 3.0,
    Reason.CYCLIST: 3.0,
    Reason.MERGE: 2.0,
    Reason.ROUNDABOUT: 3.0,
    Reason.LANE_CHANGE: 2.0,
    Reason.RED_LIGHT: 1.0,
    Reason.LEAD: 0.5,
}


def drive_picture(episode: Episode, path: Path, k: int | None = None) -> None:
    """Write a PNG of the drive, 1800 × 960 pixels; `k` chooses the tick, else a telling one.

    Raises MarqueError when the drive has no ticks or the file cannot be written.
    """
    if not episode.ticks:
        raise MarqueError(f"cannot draw {path}: the drive ended before its first tick")
    line = curves(episode)
    at = telling_moment(episode, line) if k is None else k
    figure = Figure(figsize=_SIZE_IN, facecolor=PAPER)
    FigureCanvasAgg(figure)
    scene = figure.add_axes((0.0, 0.0, 0.66, 1.0))
    draw_scene(scene, episode, at, episode.road_map, RADIUS_M, ahead_m=12.0)
    _caption(scene, episode, at)
    _heading(figure, episode, line)
    _overview(figure.add_axes((0.675, 0.275, 0.31, 0.55)), episode, line, at)
    _strip(figure.add_axes((0.705, 0.075, 0.28, 0.15)), episode.road_map, line, at)
    write_whole(
        path,
        lambda aside: figure.savefig(
            aside, format="png", dpi=_DPI, facecolor=PAPER, metadata={"Software": "marque"}
        ),
    )


def telling_moment(episode: Episode, line: Curves) -> int:
    """The tick that shows most: a junction, others about, a plan that goes somewhere."""
    best, best_score = 0, -1.0
    junctions = _junction_middles(episode.road_map)
    for k in range(0, len(episode.ticks), 5):
        score = _score(episode, line, k, junctions)
        if score > best_score:
            best, best_score = k, score
    return best


def _score(episode: Episode, line: Curves, k: int, junctions: FloatArray) -> float:
    tick = episode.ticks[k]
    if tick.plan is None:
        return 0.0
    ego, users = tick.world.ego, tick.world.users
    near = np.hypot(users.x_m - ego.x_m, users.y_m - ego.y_m) < 1.1 * RADIUS_M
    soft = near & np.isin(users.kind, (UserKind.PEDESTRIAN, UserKind.BICYCLE))
    moving = near & (users.speed_mps > 0.5)
    crowd = min(float(near.sum() + moving.sum()), 16.0) + 1.5 * min(float(soft.sum()), 6.0)
    junction = 0.0
    if len(junctions):
        gap = np.hypot(junctions[:, 0] - ego.x_m, junctions[:, 1] - ego.y_m).min()
        junction = 6.0 if gap < 25.0 else 0.0
    path = tick.plan.trajectory
    length = float(path.s_m[-1])
    turn = abs(float(path.heading_rad[-1] - path.heading_rad[0]))
    going = min(length, 30.0) / 4.0 + min(turn, 1.5) * 4.0
    going += 5.0 if ego.speed_mps > 2.0 else 0.0
    return crowd + junction + going + _TELLING.get(tick.reason, 0.0)


def _junction_middles(road_map: RoadMap) -> FloatArray:
    """Middles [n, 2] of junctions where somebody has to wait for somebody."""
    outlines = [
        road_map.junction_xy_m[a:b].mean(axis=0)
        for a, b in zip(road_map.junction_off[:-1], road_map.junction_off[1:], strict=True)
        if b - a > 6
    ]
    return np.array(outlines).reshape(-1, 2)


def _caption(ax: Axes, episode: Episode, k: int) -> None:
    tick = episode.ticks[k]
    speed = f"{to_kph(tick.world.ego.speed_mps):.0f} km/h"
    words = f"{speed}  ·  {WORDS[tick.reason]}"
    box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "none", "alpha": 0.94}
    ax.text(
        0.02, 0.965, words, transform=ax.transAxes, va="top", fontsize=12, fontweight="bold",
        color=INK, bbox=box, zorder=30,
    )  # fmt: skip
    users = tick.world.users
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    seen = (users.x_m > x0) & (users.x_m < x1) & (users.y_m > y0) & (users.y_m < y1)
    present = [kind for kind in UserKind if (users.kind[seen] == kind).any()]
    handles: list[Any] = [
        Line2D([], [], color=EGO, linewidth=6),
        Line2D([], [], color=PLAN, linewidth=6),
        Line2D([], [], color=FALLBACK, linewidth=2, dashes=(2, 1.2)),
        *(Line2D([], [], color=USERS[kind], linewidth=6) for kind in present),
    ]
    names = ["our car", "its plan", "its way to stop", *(k.name.lower() for k in present)]
    legend = ax.legend(
        handles, names, loc="lower left", ncols=1, fontsize=8, framealpha=0.94, edgecolor="none",
        facecolor="#d5d8dc", handlelength=1.2, borderpad=0.8, bbox_to_anchor=(0.012, 0.015),
    )  # fmt: skip
    legend.set_zorder(30)


def _heading(figure: Figure, episode: Episode, line: Curves) -> None:
    name = episode.road_map.name
    title = f"{name[:1].upper()}{name[1:]}"
    took = line.t_s[-1]
    mean = to_kph(line.s_m[-1] / max(took, 0.1))
    figure.text(0.68, 0.945, title, fontsize=20, fontweight="bold", color=INK, va="center")
    figure.text(
        0.68, 0.893, f"{line.s_m[-1] / 1000:.1f} km in {clock(took)} min, mean {mean:.0f} km/h",
        fontsize=10.5, color=INK, va="center",
    )  # fmt: skip
    figure.text(
        0.68, 0.858, f"{episode.platform.title} among {episode.traffic.split(' (')[0]} traffic",
        fontsize=9, color=SOFT, va="center",
    )  # fmt: skip


def _overview(ax: Axes, episode: Episode, line: Curves, k: int) -> None:
    driven = np.column_stack((line.x_m, line.y_m))
    ends = np.array([episode.start_xy_m, episode.goal_xy_m])
    route = np.asarray(episode.route_xy_m, dtype=np.float64).reshape(-1, 2)
    everything = np.vstack((driven, ends, route))
    low, high = everything.min(axis=0), everything.max(axis=0)
    cx, cy = 0.5 * (low + high)
    half = 0.5 * max(*(high - low).tolist(), 80.0) + 70.0
    aspect = 0.31 * _SIZE_IN[0] / (0.55 * _SIZE_IN[1])
    box = (cx - half * aspect, cx + half * aspect, cy - half, cy + half)
    draw_road_map(ax, episode.road_map, box, detail=False)
    ax.add_patch(Rectangle((box[0], box[2]), box[1] - box[0], box[3] - box[2], color=GROUND))
    for text in ax.texts:
        text.set_visible(False)  # the attribution stands in the big picture
    ax.plot(*route.T, color="#9fb8e0", linewidth=5, solid_capstyle="round", zorder=15)
    ax.plot(*driven.T, color="white", linewidth=4.4, zorder=16)
    ax.add_collection(
        LineCollection(
            list(np.stack((driven[:-1], driven[1:]), axis=1)),
            colors=[SPEED_COLOURS[c] for c in _classes(line.speed_mps[1:])],
            linewidths=2.8,
            capstyle="round",
            zorder=17,
        )
    )
    (start,) = ax.plot(*episode.start_xy_m, "o", color="white", zorder=19)
    start.set_markeredgecolor(EGO)
    start.set_markeredgewidth(2.4)
    ax.plot(*episode.goal_xy_m, "s", color=INK, markeredgecolor="white", zorder=19)
    _here(ax, line.x_m[k], line.y_m[k], 10.0)


def _strip(ax: Axes, road_map: RoadMap, line: Curves, k: int) -> None:
    kph = 3.6 * line.speed_mps
    points = np.column_stack((line.t_s, kph))
    ax.step(line.t_s, 3.6 * limits(road_map, line), where="post", color="#b9bec6", linewidth=1.1)
    ax.fill_between(line.t_s, kph, color="#2463c5", alpha=0.08, linewidth=0)
    ax.add_collection(
        LineCollection(
            list(np.stack((points[:-1], points[1:]), axis=1)),
            colors=[SPEED_COLOURS[c] for c in _classes(line.speed_mps[1:])],
            linewidths=1.8,
        )
    )
    _here(ax, line.t_s[k], kph[k], 8.0)
    ax.set_xlim(0.0, max(line.t_s[-1], 1.0))
    ax.set_ylim(0.0, 1.12 * max(float(np.nanmax(kph)), 20.0))
    ax.set_facecolor(PAPER)
    ax.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    ax.set_xticks(np.arange(0.0, line.t_s[-1] + 0.1, clock_step(line.t_s[-1] / 7.0)))
    ax.xaxis.set_major_formatter(lambda t, _: clock(t))
    ax.set_ylabel("km/h", fontsize=8, color=SOFT)
    ax.grid(axis="y", color="#e6e4dd", linewidth=0.8)
    ax.set_axisbelow(True)
    for name in ("top", "right", "left"):
        ax.spines[name].set_visible(False)
    ax.spines["bottom"].set_color("#c9c5b8")


def _here(ax: Axes, x: float, y: float, size_pt: float) -> None:
    """Where the big picture was taken."""
    ax.plot([x], [y], "o", color=EGO, markeredgecolor="white", markersize=size_pt, zorder=20)


def _classes(speed_mps: FloatArray) -> list[int]:
    return [int(c) for c in speed_class(speed_mps)]
