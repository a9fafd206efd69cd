"""Moments of a drive as pictures, one file each: at given times, or at each of its events."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from marque.core.errors import MarqueError
from marque.core.time import seconds
from marque.draw.picture import drive_picture
from marque.types.episode import Episode

MOST = 200  # pictures in one go

Progress = Callable[[int, int], None]


def tick_at(episode: Episode, at_s: float) -> int:
    """The tick nearest to a time. MarqueError: the drive has none, or lasted less long."""
    if not episode.ticks:
        raise MarqueError("the drive ended before its first tick; there is nothing to draw")
    t_s = np.array([seconds(tick.world.t_ns) for tick in episode.ticks])
    if not t_s[0] - 0.05 <= at_s <= t_s[-1] + 0.05:
        raise MarqueError(
            f"there is nothing at {at_s:g} s; the drive runs from {t_s[0]:.1f} to {t_s[-1]:.1f} s"
        )
    return int(np.argmin(np.abs(t_s - at_s)))


def draw_times(
    episode: Episode, times_s: list[float], folder: Path, told: Progress | None = None
) -> list[Path]:
    """One picture for each time. MarqueError as `tick_at`, or a file cannot be written."""
    moments = [(tick_at(episode, at_s), "") for at_s in times_s]
    return _draw(episode, moments, folder, told)


def draw_events(episode: Episode, folder: Path, told: Progress | None = None) -> list[Path]:
    """One picture for each event, those of one tick and kind once. MarqueError: it has none."""
    moments = sorted(
        {(tick_at(episode, _within(episode, seconds(e.t_ns))), e.kind) for e in episode.events}
    )
    if not moments:
        raise MarqueError("nothing noteworthy happened on this drive; draw a time with --at T")
    if len(moments) > MOST:
        raise MarqueError(f"the drive has {len(moments)} events; more than {MOST} are not drawn")
    return _draw(episode, moments, folder, told)


def _within(episode: Episode, at_s: float) -> float:
    """Events may stand a few steps behind the last tick."""
    ticks = episode.ticks
    if not ticks:
        return at_s
    return min(max(at_s, seconds(ticks[0].world.t_ns)), seconds(ticks[-1].world.t_ns))


def _draw(
    episode: Episode, moments: list[tuple[int, str]], folder: Path, told: Progress | None
) -> list[Path]:
    files = []
    for n, (k, kind) in enumerate(moments, start=1):
        at_s = seconds(episode.ticks[k].world.t_ns)
        label = "-" + re.sub(r"[^a-z0-9]+", "_", kind.lower()).strip("_") if kind else ""
        path = folder / f"t{at_s:07.1f}{label}.png"
        drive_picture(episode, path, k)
        files.append(path)
        if told is not None:
            told(n, len(moments))
    return files
