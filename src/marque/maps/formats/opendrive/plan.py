"""`<planView>` to the table of pieces that `curves` computes with."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from marque.core.arrays import FloatArray, read_only
from marque.core.xml_tree import Node
from marque.maps.formats.opendrive.curves import (
    BEND,
    COLUMNS,
    HEADING,
    IS_CUBIC,
    KNOTS,
    LENGTH,
    P_END,
    RAMP,
    S,
    U,
    V,
    X,
    Y,
    arc_between,
    piece_pose,
    speed,
)

GAP_M = 0.05  # two places that should be one may lie this far apart
ROUGH_M = 0.2  # a road's length may differ from that of its geometries by this; s runs on
LENGTH_SHARE = 0.01  # of a cubic's own length, by which the file may state another


def read_plan(plan: Node, road_length: float) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """Pieces [n, COLUMNS], knots [n, KNOTS] and the line of each piece.

    MarqueError: unknown geometry, a gap of more than GAP_M in the plane or along s, a piece of no
    length, a length that a cubic does not have.
    """
    nodes = plan.all("geometry")
    if not nodes:
        raise plan.error("has no <geometry>")
    read = [(node, *_piece(node)) for node in nodes]
    for (a, row, knots), (b, after, _) in pairwise(read):
        if abs(row[S] + row[LENGTH] - after[S]) > GAP_M:
            raise b.error(
                f"starts at s={after[S]:g}; the one at line {a.line} ends at "
                f"s={row[S] + row[LENGTH]:g}"
            )
        x, y, _, _ = piece_pose(row, knots, row[LENGTH])
        gap = math.hypot(x - after[X], y - after[Y])
        if gap > GAP_M:
            raise b.error(f"starts {gap:.3f} m from the end of the one at line {a.line}")
    first, (last, row, _) = read[0][1], read[-1]
    if abs(first[S]) > GAP_M:
        raise nodes[0].error(f"starts at s={first[S]:g}; the first one has to start at 0")
    if abs(row[S] + row[LENGTH] - road_length) > ROUGH_M:
        raise last.error(
            f"ends at s={row[S] + row[LENGTH]:g}, but the road is {road_length:g} m long"
        )
    pieces = np.array([row for _, row, _ in read])
    knots = np.array([row for _, _, row in read])
    pieces.flags.writeable = knots.flags.writeable = False
    return pieces, knots, tuple(node.line for node in nodes)


def _piece(node: Node) -> tuple[FloatArray, FloatArray]:
    row = np.zeros(COLUMNS)
    for column, name in ((S, "s"), (LENGTH, "length"), (X, "x"), (Y, "y"), (HEADING, "hdg")):
        row[column] = node.number(name)
    if row[LENGTH] <= 0.0:
        raise node.error(f"has length='{node.get('length')}'")
    shapes = [child for child in node.children if child.tag != "userData"]
    if len(shapes) != 1 or shapes[0].tag not in _SHAPES:
        told = ", ".join(f"<{shape.tag}>" for shape in shapes) or "nothing"
        raise node.error(f"holds {told}; have one of [{', '.join(_SHAPES)}]")
    knots = np.zeros(KNOTS)
    _SHAPES[shapes[0].tag](shapes[0], row)
    if row[IS_CUBIC]:
        knots = _knots(shapes[0], row)
    return read_only(row), read_only(knots)


def _line(_node: Node, _row: FloatArray) -> None:
    """Curvature is 0."""


def _arc(node: Node, row: FloatArray) -> None:
    row[BEND] = node.number("curvature")


def _spiral(node: Node, row: FloatArray) -> None:
    row[BEND] = node.number("curvStart")
    row[RAMP] = (node.number("curvEnd") - row[BEND]) / row[LENGTH]


def _poly3(node: Node, row: FloatArray) -> None:
    row[IS_CUBIC] = 1.0
    row[U + 1] = 1.0
    row[V : V + 4] = [node.number(name) for name in "abcd"]
    row[P_END] = _reach(row)


def _param_poly3(node: Node, row: FloatArray) -> None:
    row[IS_CUBIC] = 1.0
    row[U : U + 4] = [node.number(f"{name}U") for name in "abcd"]
    row[V : V + 4] = [node.number(f"{name}V") for name in "abcd"]
    kind = node.get("pRange", "normalized")
    if kind not in ("arcLength", "normalized"):
        raise node.error(f"has pRange='{kind}'; have [arcLength, normalized]")
    row[P_END] = 1.0 if kind == "normalized" else row[LENGTH]


_SHAPES: dict[str, Callable[[Node, FloatArray], None]] = {
    "line": _line,
    "arc": _arc,
    "spiral": _spiral,
    "poly3": _poly3,
    "paramPoly3": _param_poly3,
}


def _reach(own_row: FloatArray) -> float:
    """The u at which the arc length of v(u) is the piece's length."""
    row = read_only(own_row)
    step = row[LENGTH] / (KNOTS - 1)
    u, gone = 0.0, 0.0
    while gone < row[LENGTH]:
        ahead = min(step / speed(row, u), step)
        more = arc_between(row, u, u + ahead)
        if gone + more >= row[LENGTH]:
            break
        u, gone = u + ahead, gone + more
    to = u
    for _ in range(30):
        to += (row[LENGTH] - gone - arc_between(row, u, to)) / speed(row, to)
    return to


def _knots(node: Node, own_row: FloatArray) -> FloatArray:
    """Arc length at evenly spaced p."""
    row = read_only(own_row)
    p = np.linspace(0.0, row[P_END], KNOTS)
    if min(speed(row, float(one)) for one in p) < 1e-6 * row[LENGTH] / row[P_END]:
        raise node.error("stands still somewhere: its derivative is 0")
    knots = np.concatenate(([0.0], np.cumsum([arc_between(row, a, b) for a, b in pairwise(p)])))
    if abs(knots[-1] - row[LENGTH]) > max(GAP_M, LENGTH_SHARE * row[LENGTH]):
        raise node.error(f"is {knots[-1]:.3f} m long; its <geometry> says {row[LENGTH]:g} m")
    return knots
