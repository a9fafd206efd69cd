"""A replayed minute in one picture: speed, yaw rate, position error, car ahead, acceleration."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.files import write_whole
from marque.draw.picture import INK, PAPER, SOFT

_OURS, _TRUE, _RAW, _WARM, _FADED = "#2a86b8", "#1d2127", "#b9bec6", "#d9573f", "#c9a27a"
_SIZE_IN, _DPI = (12.0, 13.0), 130


@dataclass(frozen=True, slots=True, eq=False)
class ReplayCurves:
    """What the picture shows. Times in seconds of the drive; nan: nothing there."""

    title: str
    attribution: str
    t_s: FloatArray  # [n]
    speed_mps: FloatArray  # [n] ours
    true_speed_mps: FloatArray  # [n] the reference
    yaw_rate_radps: FloatArray
    true_yaw_rate_radps: FloatArray
    error_m: FloatArray  # [n] with satellites
    spread_m: FloatArray  # [n] one sigma, as believed
    outages: tuple[tuple[FloatArray, FloatArray], ...]  # times and errors without satellites
    radar_t_s: FloatArray  # [m] every target of the radar
    radar_x_m: FloatArray
    lead_x_m: FloatArray  # [n] the car ahead, from our front bumper
    lead_speed_mps: FloatArray
    accel_mps2: FloatArray  # [n] what the human's car did
    asked_mps2: FloatArray  # [n] what our following would have asked for

    def __post_init__(self) -> None:
        freeze_arrays(self)


def replay_picture(curves: ReplayCurves, path: Path) -> None:
    """Write a PNG. MarqueError when it cannot be written."""
    figure = Figure(figsize=_SIZE_IN, dpi=_DPI, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(5, 1, sharex=True, height_ratios=(1.0, 1.0, 1.2, 1.3, 1.2))
    for axes, draw in zip(rows, (_speed, _yaw_rate, _error, _lead, _accel), strict=True):
        draw(axes, curves)
        axes.set_facecolor(PAPER)
        axes.grid(color="#e4e2dc", linewidth=0.8)
        axes.tick_params(colors=SOFT, labelsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper right", ncols=4, fontsize=8.5, frameon=False, labelcolor=INK)
    rows[-1].set_xlabel("seconds of the drive", color=SOFT)
    rows[-1].set_xlim(float(curves.t_s[0]), float(curves.t_s[-1]))
    figure.suptitle(curves.title, color=INK, fontsize=13, x=0.01, ha="left")
    figure.supxlabel(curves.attribution, color=SOFT, fontsize=8, x=0.99, ha="right")
    write_whole(path, lambda aside: figure.savefig(aside, format="png", facecolor=PAPER))


def _name(axes: Axes, text: str) -> None:
    axes.set_ylabel(text, color=SOFT)


def _speed(axes: Axes, curves: ReplayCurves) -> None:
    axes.plot(curves.t_s, curves.true_speed_mps, color=_TRUE, lw=2.4, label="reference")
    axes.plot(curves.t_s, curves.speed_mps, color=_OURS, lw=1.2, label="localisation")
    _name(axes, "speed, m/s")


def _yaw_rate(axes: Axes, curves: ReplayCurves) -> None:
    axes.plot(curves.t_s, curves.true_yaw_rate_radps, color=_TRUE, lw=2.0, label="reference")
    axes.plot(curves.t_s, curves.yaw_rate_radps, color=_OURS, lw=0.9, label="localisation")
    _name(axes, "yaw rate, rad/s")


def _error(axes: Axes, curves: ReplayCurves) -> None:
    for i, (t_s, error_m) in enumerate(curves.outages):
        label = "satellites lost, from several moments" if i == 0 else None
        axes.plot(t_s, error_m, color=_FADED, lw=0.9, label=label)
    axes.plot(curves.t_s, curves.spread_m, color=_OURS, lw=1.0, ls=":", label="believed, one sigma")
    axes.plot(curves.t_s, curves.error_m, color=_WARM, lw=1.8, label="with satellites")
    most = [float(np.nanmax(error_m)) for _, error_m in (*curves.outages, (0.0, curves.error_m))]
    axes.set_ylim(0.0, 1.25 * max(3.0, *most))
    _name(axes, "position error, m")


def _lead(axes: Axes, curves: ReplayCurves) -> None:
    axes.plot(
        curves.radar_t_s, curves.radar_x_m, ".", ms=1.4, color=_RAW, label="every radar target"
    )
    axes.plot(curves.t_s, curves.lead_x_m, color=_WARM, lw=2.0, label="gap to the car ahead, m")
    axes.plot(
        curves.t_s, curves.lead_speed_mps, color=_OURS, lw=1.2, label="its speed over ground, m/s"
    )
    axes.set_ylim(0.0, max(60.0, float(np.nanmax(curves.lead_x_m, initial=0.0)) * 1.15))
    _name(axes, "radar")


def _accel(axes: Axes, curves: ReplayCurves) -> None:
    axes.plot(curves.t_s, curves.accel_mps2, color=_TRUE, lw=1.6, label="what the human did")
    axes.plot(curves.t_s, curves.asked_mps2, color=_OURS, lw=1.3, label="what ours would ask for")
    _name(axes, "acceleration, m/s²")
