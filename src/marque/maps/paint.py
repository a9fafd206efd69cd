"""Finding the line of the map that a lane mark belongs to."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array, IntArray, freeze_arrays
from marque.core.jit import jit
from marque.kernels.paint import APART_M, lane_paint
from marque.maps.grid import make_grid, slot_of
from marque.types.road_map import RoadMap

REACH_M = 1.2  # across the line; lanes lie farther apart than twice this
TURNED = math.cos(math.radians(12.0))  # a mark that is turned more belongs to another line


@dataclass(frozen=True, slots=True, eq=False)
class Paint:
    """Pieces of lines of one map, and a grid to find them by."""

    piece: FloatArray  # [P, 4] of `lane_paint`
    key: IntArray
    start: Int32Array
    item: Int32Array

    def __post_init__(self) -> None:
        freeze_arrays(self)


def paint_of(road_map: RoadMap) -> Paint:
    """The paint of a map, to be looked for in."""
    piece = lane_paint(road_map)
    reach = 0.5 * APART_M + REACH_M
    grid = make_grid(np.hstack((piece[:, :2] - reach, piece[:, :2] + reach)))
    return Paint(piece, grid.key, grid.start, grid.item)


@jit
def match_marks(
    piece: FloatArray,
    key: IntArray,
    start: Int32Array,
    item: Int32Array,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    across: FloatArray,
    normal: FloatArray,
    found: BoolArray,
) -> None:
    """For each of n marks on the map (x, y, direction modulo pi): whether a line lies within
    `REACH_M` of it, `normal` [n, 2] to that line, and how far the line lies along the normal."""
    for i in range(len(x)):
        at = slot_of(key, x[i], y[i])
        best = REACH_M
        found[i] = False
        for k in range(start[at], start[at + 1]):
            row = item[k]
            c = math.cos(piece[row, 2])
            s = math.sin(piece[row, 2])
            dx = piece[row, 0] - x[i]
            dy = piece[row, 1] - y[i]
            if abs(dx * c + dy * s) > 0.5 * APART_M + 0.2:
                continue
            off = -dx * s + dy * c
            if abs(off) >= best or abs(math.cos(heading[i] - piece[row, 2])) < TURNED:
                continue
            best = abs(off)
            found[i] = True
            across[i] = off
            normal[i, 0] = -s
            normal[i, 1] = c
