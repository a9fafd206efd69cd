"""A hash of square cells over the plane: which things lie near a point, without a search.

Boxes are entered into every cell they touch, already widened by the reach of the question; one
look into one cell then answers it.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, IntArray, freeze_arrays
from marque.core.jit import jit

CELL_M = 10.0
_EMPTY = -(2**62)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Items of the cell in slot i are `item[start[i]:start[i + 1]]`; slots by open addressing."""

    key: IntArray  # [2^k]
    start: Int32Array  # [2^k + 1]
    item: Int32Array  # [E] index of the box, ascending within a cell

    def __post_init__(self) -> None:
        freeze_arrays(self)


def make_grid(box_m: FloatArray) -> Grid:
    """The grid over boxes [B, 4] as (x_min, y_min, x_max, y_max), map metres."""
    box = np.ascontiguousarray(box_m, dtype=np.float64).reshape(-1, 4)
    cells = np.floor(box / CELL_M)
    span = np.maximum(cells[:, 2:] - cells[:, :2] + 1.0, 0.0)  # a box of nothing enters no cell
    entries = int(span.prod(axis=1).sum())
    size = 16
    while size < 2 * entries:
        size *= 2
    key = np.full(size, _EMPTY, dtype=np.int64)
    start = np.zeros(size + 1, dtype=np.int32)
    item = np.zeros(entries, dtype=np.int32)
    _fill(box, key, start, item)
    return Grid(key, start, item)


@jit
def slot_of(key: IntArray, x: float, y: float) -> int:
    """Slot of the cell around (x, y); an empty slot when nothing was entered there."""
    return _slot(key, math.floor(x / CELL_M), math.floor(y / CELL_M))


@jit
def _slot(key: IntArray, ix: int, iy: int) -> int:
    mask = len(key) - 1
    want = ix * 4194304 + iy
    mixed = (ix * 73856093) ^ (iy * 19349663)  # two large primes spread neighbours apart
    at = (mixed ^ (mixed >> 15)) & mask
    while key[at] != _EMPTY and key[at] != want:
        at = (at + 1) & mask
    return at


@jit
def _fill(box: FloatArray, key: IntArray, start: Int32Array, item: Int32Array) -> None:
    for turn in range(2):
        for b in range(len(box)):
            x1 = math.floor(box[b, 2] / CELL_M)
            y1 = math.floor(box[b, 3] / CELL_M)
            for ix in range(math.floor(box[b, 0] / CELL_M), x1 + 1):
                for iy in range(math.floor(box[b, 1] / CELL_M), y1 + 1):
                    at = _slot(key, ix, iy)
                    if turn == 0:
                        key[at] = ix * 4194304 + iy
                        start[at + 1] += 1
                    else:
                        item[start[at]] = b
                        start[at] += 1
        if turn == 0:
            for i in range(len(key)):
                start[i + 1] += start[i]
    # filling moved each start to the next cell's; move them back
    for i in range(len(key), 0, -1):
        start[i] = start[i - 1]
    start[0] = 0
