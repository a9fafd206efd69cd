"""Lanes across a road as cubics: a strip is a stretch in which every lane border is one cubic of s.

A section's widths and the road's lane offset are piecewise cubics with borders of their own; the
strips are cut at all of them, so that a lane's middle at s is one search and one cubic.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.records import Cubic, Document, Poly, RoadRecord, Section

SAME_M = 1e-6  # borders closer than this are one
NARROW_M = -0.05  # a width below this is a mistake in the file
ZERO: Cubic = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Lanes of a road between s_m and end_m; cubics are in (s - s_m).

    lanes: ids from left to right; borders[i] and borders[i + 1] are the left and the right border
    of lanes[i]. middle: t of a lane's centre line, as array [4]. width: of a lane.
    """

    s_m: float
    end_m: float
    section: int
    lanes: tuple[int, ...]
    borders: tuple[Cubic, ...]
    middle: dict[int, FloatArray]
    width: dict[int, Cubic]


def value(poly: Cubic, x: float) -> float:
    """a + b x + c x^2 + d x^3."""
    a, b, c, d = poly
    return a + x * (b + x * (c + x * d))


def slope(poly: Cubic, x: float) -> float:
    """Its derivative."""
    _, b, c, d = poly
    return b + x * (2.0 * c + x * 3.0 * d)


def at(polys: tuple[Poly, ...], s: float) -> Cubic:
    """The cubic in force at s, in (x - s); zero before the first."""
    index = bisect_right(polys, s + SAME_M, key=lambda poly: poly.s_m) - 1
    return ZERO if index < 0 else shifted(polys[index].cubic, s - polys[index].s_m)


def shifted(poly: Cubic, by: float) -> Cubic:
    """The same cubic, of a variable that is smaller by `by`."""
    a, b, c, d = poly
    return (
        a + by * (b + by * (c + by * d)),
        b + by * (2.0 * c + 3.0 * by * d),
        c + 3.0 * by * d,
        d,
    )


def strips_of(road: RoadRecord, file: Document | None = None) -> tuple[Strip, ...]:
    """All strips of a road in order of s. MarqueError: a lane whose width is negative."""
    out: list[Strip] = []
    for index, section in enumerate(road.sections):
        cuts = {section.s_m, *(poly.s_m for poly in road.lane_offsets)}
        for lane in section.lanes.values():
            cuts |= {poly.s_m for poly in lane.widths + lane.borders}
        starts = _within(sorted(cuts), section)
        for s, end in zip(starts, [*starts[1:], section.end_m], strict=True):
            out.append(_strip(road, section, index, s, end, file))
    return tuple(out)


def _within(cuts: list[float], section: Section) -> list[float]:
    starts = [section.s_m]
    for s in cuts:
        if s > starts[-1] + SAME_M and s < section.end_m - SAME_M:
            starts.append(s)
    return starts


def _strip(
    road: RoadRecord, section: Section, index: int, s: float, end: float, file: Document | None
) -> Strip:
    centre = at(road.lane_offsets, s)
    left = _side(section, 1, s)
    right = _side(section, -1, s)
    borders = [_sum(centre, edge, 1.0) for edge in reversed(left)]
    borders += [centre, *(_sum(centre, edge, -1.0) for edge in right)]
    lanes = tuple(range(len(left), 0, -1)) + tuple(range(-1, -len(right) - 1, -1))
    width = {lane: _sum(borders[i], borders[i + 1], -1.0) for i, lane in enumerate(lanes)}
    middle = {}
    for i, lane in enumerate(lanes):
        both = _sum(borders[i], borders[i + 1], 1.0)
        middle[lane] = np.array([0.5 * part for part in both])
        middle[lane].flags.writeable = False
        if file is not None:
            _need_width(width[lane], s, end, section, lane, file)
    return Strip(s, end, index, lanes, tuple(borders), middle, width)


def _side(section: Section, sign: int, s: float) -> list[Cubic]:
    """Distance of the outer border of each lane of one side from lane 0, from inside out."""
    edges: list[Cubic] = []
    inner = ZERO
    for k in range(1, 1 + max((sign * i for i in section.lanes), default=0)):
        lane = section.lanes[sign * k]
        if lane.borders:
            border = at(lane.borders, s)
            inner = border if sign > 0 else _sum(ZERO, border, -1.0)
        else:
            inner = _sum(inner, at(lane.widths, s), 1.0)
        edges.append(inner)
    return edges


def _need_width(
    width: Cubic, s: float, end: float, section: Section, lane: int, file: Document
) -> None:
    for part in range(9):
        at_s = (end - s) * part / 8.0
        if value(width, at_s) < NARROW_M:
            raise file.error(
                section.lanes[lane].line,
                f"lane {lane} is {value(width, at_s):.2f} m wide at s={s + at_s:g}",
            )


def _sum(one: Cubic, other: Cubic, factor: float) -> Cubic:
    return (
        one[0] + factor * other[0],
        one[1] + factor * other[1],
        one[2] + factor * other[2],
        one[3] + factor * other[3],
    )
