"""Where the bodies are: boxes on the plane, and which of them overlap.

A body reaches from its front, `s` along its lane, back by its length, on to the connector and the
lane that it came over; its heading is that of the line between both ends.
"""

import math
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, IntArray
from marque.core.geometry import boxes_overlap
from marque.core.jit import jit_borrowed
from marque.sim.engine.network import LENGTH, START, Network, Shape
from marque.sim.engine.people import KIND_WIDTH_M
from marque.sim.engine.state import AT, CAME, GOAL, KIND, LANE, LAT, SIZE, World

CELL_M = 16.0  # no two bodies overlap whose middles are further apart than this
LEVEL_M = 3.0  # lanes further apart in height do not meet
BACK_LANES = 4


class Boxes(NamedTuple):
    """n bodies. x, y: their middle."""

    slot: IntArray
    x: FloatArray
    y: FloatArray
    heading: FloatArray
    length: FloatArray
    width: FloatArray
    height: FloatArray  # of their lane


@jit_borrowed
def point_at(
    off: Int32Array, xy: FloatArray, arc: FloatArray, lane: int, s: float
) -> tuple[float, float, float, float]:
    """(x, y, ux, uy) on a lane's middle; beyond its ends straight on."""
    low, high = off[lane], off[lane + 1] - 1
    first, last = low, high
    while high - low > 1:
        middle = (low + high) // 2
        if arc[middle] > s:
            high = middle
        else:
            low = middle
    low = min(max(low, first), last - 1)
    dx, dy = xy[low + 1, 0] - xy[low, 0], xy[low + 1, 1] - xy[low, 1]
    size = max(1e-9, math.hypot(dx, dy))
    t = s - arc[low]
    return xy[low, 0] + t * dx / size, xy[low, 1] + t * dy / size, dx / size, dy / size


@jit_borrowed
def fill_boxes(
    net: Network, shape: Shape, widths: FloatArray, w: World, users: int, out: FloatArray
) -> None:
    """Rows x, y, heading, length, width, height of `out` [6, users]; nan for who is not there."""
    for i in range(users):
        lane = w.whole[LANE, i]
        out[0, i] = math.nan
        if lane < 0:
            continue
        out[3, i] = w.real[SIZE, i]
        out[4, i] = widths[w.whole[KIND, i]]
        if lane >= net.lanes:
            x1, y1, x2, y2 = shape.walk_axis[lane - net.lanes]
            way = max(1e-9, math.hypot(x2 - x1, y2 - y1))
            share = w.real[AT, i] / way
            if w.whole[GOAL, i] != 1:
                share = 1.0 - share
            out[0, i] = x1 + share * (x2 - x1)
            out[1, i] = y1 + share * (y2 - y1)
            out[2, i] = math.atan2(y2 - y1, x2 - x1)
            if w.whole[GOAL, i] != 1:
                out[2, i] += math.pi
            out[5, i] = 0.0
            continue
        s = w.real[AT, i]
        fx, fy, _ux, _uy = point_at(shape.pt_off, shape.pt_xy, shape.pt_s, lane, s)
        back = s - w.real[SIZE, i]
        at = lane
        for _ in range(BACK_LANES):
            if back >= 0.0:
                break
            before = net.whole[START, at] if net.whole[START, at] >= 0 else w.whole[CAME, i]
            if before < 0 or (at != lane and net.whole[START, at] < 0):
                break
            at = before
            back += net.real[LENGTH, at]
        rx, ry, _vx, _vy = point_at(shape.pt_off, shape.pt_xy, shape.pt_s, at, back)
        heading = math.atan2(fy - ry, fx - rx)
        lat = w.real[LAT, i]
        out[0, i] = 0.5 * (fx + rx) - lat * math.sin(heading)
        out[1, i] = 0.5 * (fy + ry) + lat * math.cos(heading)
        out[2, i] = heading
        out[5, i] = shape.height[lane]


def boxes_of(net: Network, shape: Shape, w: World, users: int) -> Boxes:
    """The bodies of everybody who is on the road or at a kerb."""
    out = np.zeros((6, users))
    fill_boxes(net, shape, KIND_WIDTH_M, w, users, out)
    there = np.flatnonzero(np.isfinite(out[0]))
    return Boxes(there, *(row[there] for row in out))


def overlaps(boxes: Boxes) -> list[tuple[int, int]]:
    """Pairs of slots whose bodies overlap, on one level."""
    cells: dict[tuple[int, int], list[int]] = {}
    for k in range(len(boxes.slot)):
        key = (int(boxes.x[k] // CELL_M), int(boxes.y[k] // CELL_M))
        cells.setdefault(key, []).append(k)
    found = []
    for (cx, cy), here in cells.items():
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1), (1, -1)):
            for a in here:
                for b in cells.get((cx + dx, cy + dy), ()):
                    if (dx, dy) == (0, 0) and b <= a:
                        continue
                    if _touch(boxes, a, b):
                        found.append((int(boxes.slot[a]), int(boxes.slot[b])))
    return found


def _touch(boxes: Boxes, a: int, b: int) -> bool:
    if abs(boxes.height[a] - boxes.height[b]) > LEVEL_M:
        return False
    return bool(
        boxes_overlap(
            boxes.x[a], boxes.y[a], boxes.heading[a], boxes.length[a], boxes.width[a],
            boxes.x[b], boxes.y[b], boxes.heading[b], boxes.length[b], boxes.width[b],
        )
    )  # fmt: skip
