"""Small vector pictures for the report: curves, bands, bars and a map, as SVG text.

Colours come from the page's style sheet through class names, so that light and dark need no second
drawing. Curves are thinned to the extremes within each pixel: nothing that stands out is lost.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from marque.core.arrays import FloatArray, IntArray

WIDTH = 1120.0
LEFT, RIGHT = 46.0, 12.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart. `values` [n] against the chart's x; not-a-number breaks it."""

    name: str
    values: FloatArray
    css: str
    step: bool = False
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Data to pixels, along one axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.start + (value - self.low) / (span or 1.0) * (self.end - self.start)

    def many(self, values: FloatArray) -> FloatArray:
        """The same for an array."""
        span = self.high - self.low
        return self.start + (values - self.low) / (span or 1.0) * (self.end - self.start)


def x_scale(x: FloatArray) -> Scale:
    """The x axis that all charts of a page share."""
    return Scale(float(x[0]), float(max(x[-1], x[0] + 1e-6)), LEFT, WIDTH - RIGHT)


def line_chart(
    x: FloatArray,
    lines: Sequence[Curve],
    unit: str,
    *,
    height: float = 150.0,
    low: float | None = None,
    high: float | None = None,
    labels: bool = False,
    x_unit: str = "s",
    guides: Sequence[float] = (),
) -> str:
    """Curves over a common x, with a light grid; `guides` are dashed marks on the y axis."""
    bottom = height - (22.0 if labels else 6.0)
    finite = np.concatenate([line.values[np.isfinite(line.values)] for line in lines])
    lo = float(finite.min()) if low is None and len(finite) else (low or 0.0)
    hi = float(finite.max()) if high is None and len(finite) else (high or 1.0)
    lo, hi = (lo, hi) if hi - lo > 1e-9 else (lo - 0.5, hi + 0.5)
    marks = ticks(lo, hi, 4)
    sx, sy = x_scale(x), Scale(min(lo, marks[0]), max(hi, marks[-1]), bottom, 10.0)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH:g} {height:g}" role="img">']
    for mark in marks:
        y = sy(mark)
        css = "zero" if mark == 0.0 and lo < 0.0 else "grid"
        parts.append(f'<path class="{css}" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>')
        parts.append(f'<text class="tick y" x="{LEFT - 8:g}" y="{y + 3.5:.1f}">{mark:g}</text>')
    parts.extend(
        f'<path class="guide" d="M{LEFT:g} {sy(g):.1f}H{WIDTH - RIGHT:g}"/>' for g in guides
    )
    if labels:
        parts.append(_x_labels(sx, bottom, x_unit))
    px = sx.many(x)
    for line in lines:
        d = curve_path(px, sy.many(line.values), line.step)
        if line.filled:
            parts.append(f'<path class="area {line.css}" d="{_closed(d, px, sy(max(lo, 0.0)))}"/>')
        parts.append(f'<path class="line {line.css}" d="{d}"/>')
    parts.append(f'<text class="unit" x="{LEFT:g}" y="8">{escape(unit)}</text>')
    parts.append(f'<path class="cursor" d="M0 4V{bottom:g}"/></svg>')
    return "".join(parts)


def bands(x: FloatArray, spans: Sequence[tuple[int, int, str, str]]) -> str:
    """A strip of coloured stretches: (first sample, sample after the last, class, title)."""
    sx = x_scale(x)
    last = len(x) - 1
    parts = [f'<svg class="bands" viewBox="0 0 {WIDTH:g} 16" role="img">']
    for a, b, css, title in spans:
        start, end = sx(float(x[a])), sx(float(x[min(b, last)]))
        if end - start < 0.05:
            continue
        parts.append(
            f'<rect class="{css}" x="{start:.1f}" y="1" width="{end - start:.1f}" height="12">'
            f"<title>{escape(title)}</title></rect>"
        )
    return "".join((*parts, '<path class="cursor" d="M0 0V16"/></svg>'))


def histogram(values: FloatArray, unit: str, marks: Sequence[tuple[str, float]]) -> str:
    """Bars of how often; the last bar holds everything beyond. `marks` are named lines."""
    width, height, left, bottom = 540.0, 170.0, 40.0, 140.0
    top = nice_ceiling(float(np.percentile(values, 99.5)) * 1.15)
    edges = np.linspace(0.0, top, 41)
    counts, _ = np.histogram(np.minimum(values, top), edges)
    sx = Scale(0.0, top, left, width - 10.0)
    sy = Scale(0.0, float(counts.max() or 1), bottom, 26.0)
    parts = [f'<svg class="chart small" viewBox="0 0 {width:g} {height:g}" role="img">']
    for a, b, count in zip(edges[:-1], edges[1:], counts, strict=True):
        y = sy(float(count))
        if count:
            parts.append(
                f'<rect class="bar" x="{sx(a) + 0.5:.1f}" y="{y:.1f}" '
                f'width="{sx(b) - sx(a) - 1:.1f}" height="{max(bottom - y, 0.8):.1f}">'
                f"<title>{count} of {len(values)} between {a:.3g} and {b:.3g} {unit}</title></rect>"
            )
    parts.extend(
        f'<text class="tick" x="{sx(mark):.1f}" y="{bottom + 15:g}">{mark:g}</text>'
        for mark in ticks(0.0, top, 6)
    )
    for level, (name, value) in enumerate(marks):
        at = sx(min(value, top))
        anchor = "end" if at > 0.75 * width else "start"
        shift = -4.0 if anchor == "end" else 4.0
        y = 12.0 + 13.0 * level
        parts.append(
            f'<path class="guide" d="M{at:.1f} {y:g}V{bottom:g}"/>'
            f'<text class="mark" text-anchor="{anchor}" x="{at + shift:.1f}" y="{y + 3:g}">'
            f"{escape(name)}</text>"
        )
    parts.append(f'<path class="zero" d="M{left:g} {bottom:g}H{width - 10:g}"/>')
    parts.append(f'<text class="tick" x="{width - 10:g}" y="{bottom + 28:g}">{unit}</text></svg>')
    return "".join(parts)


def curve_path(px: FloatArray, py: FloatArray, step: bool = False) -> str:
    """SVG path data; gaps where py is not finite."""
    keep = thin(px, py)
    out: list[str] = []
    pen = "M"
    before = ""
    for x, y in zip(px[keep].tolist(), py[keep].tolist(), strict=True):
        if not math.isfinite(y):
            pen = "M"
            continue
        here = f"{y:.1f}"
        if pen == "L" and step:
            if here == before:
                continue
            out.append(f"H{x:.1f}V{here}")
        else:
            out.append(f"{pen}{x:.1f} {here}")
        pen, before = "L", here
    if step and out:
        out.append(f"H{px[-1]:.1f}")
    return "".join(out)


def thin(px: FloatArray, py: FloatArray) -> IntArray:
    """Indices of the first, lowest, highest and last sample within each pixel."""
    count = len(px)
    if count < 2 * WIDTH:
        return np.arange(count)
    cell = np.floor(px).astype(np.int64)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(cell)) + 1))
    ends = np.concatenate((starts[1:], [count])) - 1
    keep = [starts, ends]
    safe = np.where(np.isfinite(py), py, 0.0)
    for sign in (1.0, -1.0):
        order = np.lexsort((sign * safe, cell))
        keep.append(order[np.searchsorted(cell[order], cell[starts])])
    return np.unique(np.concatenate(keep))


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers that cover low..high in about `count` steps."""
    step = nice_ceiling((high - low) / max(count, 1))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if value <= 0.0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(n * power for n in (1.0, 2.0, 2.5, 5.0, 10.0) if n * power >= value * (1 - 1e-9))


def _x_labels(sx: Scale, bottom: float, unit: str) -> str:
    rough = (sx.high - sx.low) / 8
    step = nice_ceiling(rough) if unit != "s" else clock_step(rough)
    parts = []
    for k in range(math.ceil(sx.low / step), math.floor(sx.high / step) + 1):
        value = k * step
        label = clock(value) if unit == "s" else f"{value / 1000:g} km"
        parts.append(f'<text class="tick" x="{sx(value):.1f}" y="{bottom + 16:g}">{label}</text>')
    return "".join(parts)


def clock_step(rough_s: float) -> float:
    """The next span that people count time in."""
    steps = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0)
    return next((step for step in steps if step >= rough_s), 3600.0)


def clock(t_s: float) -> str:
    """Minutes and seconds."""
    whole = round(t_s)
    return f"{whole // 60}:{whole % 60:02d}"


def _closed(d: str, px: FloatArray, y: float) -> str:
    return f"{d}L{px[-1]:.1f} {y:.1f}L{px[0]:.1f} {y:.1f}Z" if d else ""
