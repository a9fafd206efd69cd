"""Lane marks against the map: how far the car is from where it believed to be.

Every mark that lies near a line of the map says how far the car has to be moved across that line.
Together they give the shift and turn that fit best, by weighted least squares; far outliers count
less. What they do not say (along a straight road) stays open. Errors of one scan hang together,
so many marks do not make it as sure as their number.
"""

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.paint import Paint, match_marks
from marque.types.reading import LaneMarks

SIGMA_M, GROWTH = 0.08, 0.004  # of a mark across its line, and per metre of range
TURN_RAD = 0.004  # of a whole scan
HUBER_M = 0.25  # farther off counts less
LIKE_SO_MANY = 6.0  # independent marks at most, whatever their number
LEAST = 4  # marks
OPEN = 1.0  # a direction whose spread would be wider than this, m, is left open


def shift_from_marks(
    paint: Paint, marks: LaneMarks, x_m: float, y_m: float, heading_rad: float
) -> list[tuple[FloatArray, float, float]]:
    """[(row over (x, y, heading), residual, variance)]: independent corrections of a pose at the
    stamp of the marks; none where too few marks fit."""
    n = marks.count
    c, s = np.cos(heading_rad), np.sin(heading_rad)
    rx, ry = c * marks.x_m - s * marks.y_m, s * marks.x_m + c * marks.y_m
    across, normal, found = np.zeros(n), np.zeros((n, 2)), np.zeros(n, dtype=np.bool_)
    match_marks(
        paint.piece, paint.key, paint.start, paint.item,
        x_m + rx, y_m + ry, heading_rad + marks.heading_rad, across, normal, found,
    )  # fmt: skip
    if int(found.sum()) < LEAST:
        return []
    rows = np.column_stack((normal, normal[:, 1] * rx - normal[:, 0] * ry))[found]
    off = across[found]
    sigma = SIGMA_M + GROWTH * np.hypot(marks.x_m, marks.y_m)[found]
    weight = np.minimum(1.0, HUBER_M / np.maximum(np.abs(off - np.median(off)), 1e-9)) / sigma**2
    weight *= min(1.0, LIKE_SO_MANY / len(off))
    info = (rows * weight[:, None]).T @ rows
    pull = (rows * weight[:, None]).T @ off
    return _independent(info, pull)


def _independent(info: FloatArray, pull: FloatArray) -> list[tuple[FloatArray, float, float]]:
    """The information as measurements of directions that do not hang together.

    The turn is weighed in metres at 20 m, so that one unit fits all three.
    """
    scale = np.array([1.0, 1.0, 1.0 / 20.0])
    value, vector = np.linalg.eigh(info * np.outer(scale, scale))
    out = []
    for k in range(3):
        if value[k] < 1.0 / OPEN**2:
            continue
        row = vector[:, k] / scale
        residual = float(vector[:, k] @ (pull * scale)) / float(value[k])
        turn = float(row[2]) * TURN_RAD
        out.append((row, residual, 1.0 / float(value[k]) + turn * turn))
    return out
