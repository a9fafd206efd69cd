"""Lane marks as a camera finds them: short pieces of the lines and kerbs that bound lanes."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.sensing.equipment import Marks
from marque.sensing.objects import Mounted
from marque.types.reading import LaneMarks
from marque.types.world import EgoTruth


@dataclass(frozen=True, slots=True, eq=False)
class Strewn:
    """Pieces of lines, and which of them lie in each square of the map."""

    piece: FloatArray  # [P, 4] of `lane_paint`
    square_m: float
    rows: dict[tuple[int, int], IntArray]

    def around(self, x_m: float, y_m: float) -> IntArray:
        """Rows of all pieces within one square's side of a place, and of some beyond."""
        i, j = math.floor(x_m / self.square_m), math.floor(y_m / self.square_m)
        near = [
            self.rows[at]
            for at in ((i + di, j + dj) for di in (-1, 0, 1) for dj in (-1, 0, 1))
            if at in self.rows
        ]
        return np.concatenate(near) if near else np.empty(0, dtype=np.int64)


def strewn(piece: FloatArray, range_m: float) -> Strewn:
    """Pieces [P, 4] sorted into squares, for eyes that see as far as `range_m`."""
    square = max(10.0, range_m)
    at = np.floor(piece[:, :2] / square).astype(np.int64)
    squares, which = np.unique(at, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    ends = np.searchsorted(which.ravel()[order], np.arange(len(squares) + 1))
    rows = {(int(i), int(j)): order[ends[k] : ends[k + 1]] for k, (i, j) in enumerate(squares)}
    return Strewn(piece, square, rows)


def find_marks(
    mount: Mounted,
    rules: Marks,
    paint: Strewn,
    ego: EgoTruth,
    t_ns: int,
    draw: np.random.Generator,
) -> LaneMarks:
    """One scan. Errors lie across the line; along it a piece says nothing."""
    ex, ey, heading = mount.pose(ego)
    near = paint.around(ex, ey)
    dx, dy = paint.piece[near, 0] - ex, paint.piece[near, 1] - ey
    away = np.hypot(dx, dy)
    ahead = np.cos(np.arctan2(dy, dx) - heading) > math.cos(
        math.radians(mount.sensor.half_angle_deg)
    )
    seen = (away <= rules.range_m) & ahead & (draw.random(len(near)) >= rules.missed)
    piece = paint.piece[near[seen]]
    n = len(piece)
    x, y, line = _in_car(piece, ego)
    sigma = rules.across_sigma_m + rules.across_growth * away[seen]
    off = sigma * draw.standard_normal(n)
    turn = math.radians(rules.turn_sigma_deg) * float(draw.standard_normal())
    line = line + turn + math.radians(rules.heading_sigma_deg) * draw.standard_normal(n)
    x, y = x - off * np.sin(line), y + off * np.cos(line)
    order = draw.permutation(n)
    return LaneMarks(
        t_ns,
        (math.cos(turn) * x - math.sin(turn) * y)[order],
        (math.sin(turn) * x + math.cos(turn) * y)[order],
        _undirected(line)[order],
        piece[order, 3] > 0.5,
    )


def exact_marks(
    paint: Strewn,
    eye: tuple[float, float, float],
    range_m: float,
    half_angle_rad: float,
    ego: EgoTruth,
    t_ns: int,
) -> LaneMarks:
    """All pieces in view, as they are. `eye`: place and direction of the camera, map frame."""
    near = paint.around(eye[0], eye[1])
    dx, dy = paint.piece[near, 0] - eye[0], paint.piece[near, 1] - eye[1]
    seen = np.hypot(dx, dy) <= range_m
    seen &= np.cos(np.arctan2(dy, dx) - eye[2]) > math.cos(half_angle_rad)
    piece = paint.piece[near[seen]]
    x, y, line = _in_car(piece, ego)
    return LaneMarks(t_ns, x, y, _undirected(line), piece[:, 3] > 0.5)


def _in_car(piece: FloatArray, ego: EgoTruth) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places and directions of pieces in the car's frame."""
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    dx, dy = piece[:, 0] - ego.x_m, piece[:, 1] - ego.y_m
    return c * dx + s * dy, -s * dx + c * dy, piece[:, 2] - ego.heading_rad


def _undirected(line_rad: FloatArray) -> FloatArray:
    """Directions of lines that have none, in [-pi/2, pi/2)."""
    out: FloatArray = (line_rad + 0.5 * math.pi) % math.pi - 0.5 * math.pi
    return out
