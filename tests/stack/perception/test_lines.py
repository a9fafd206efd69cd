"""Lane marks against the map: a car that is off is moved back across the lines."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Lane, straight_road, tiny_map
from marque.maps.paint import paint_of
from marque.stack.perception.lines import LEAST, shift_from_marks
from marque.types.reading import LaneMarks

PAINT = paint_of(straight_road(300.0, 2))  # lines at y = -1.6, 1.6, 4.8


def marks_from(y_m: float, heading_rad: float, count: int = 14) -> LaneMarks:
    """What an eye at (100, y) with this heading sees of the three lines."""
    ahead = np.linspace(4.0, 40.0, count)
    x = np.concatenate([100.0 + ahead] * 3) - 100.0
    y = np.repeat([-1.6, 1.6, 4.8], count) - y_m
    c, s = math.cos(heading_rad), math.sin(heading_rad)
    turned = np.full(3 * count, -heading_rad)
    return LaneMarks(0, c * x + s * y, -s * x + c * y, turned, np.zeros(3 * count, dtype=bool))


def solved(found) -> np.ndarray:
    """Weighted least squares of the corrections: (y, heading); x stays open."""
    rows = np.array([row[1:] for row, _, _ in found])
    weight = np.array([1.0 / variance for _, _, variance in found])
    off = np.array([residual for _, residual, _ in found])
    return np.linalg.solve((rows.T * weight) @ rows, (rows.T * weight) @ off)


@given(st.floats(-0.6, 0.6), st.floats(-0.03, 0.03))
def test_a_car_that_is_off_learns_how_far(off_m, turned_rad):
    marks = marks_from(off_m, turned_rad)
    shift, turn = solved(shift_from_marks(PAINT, marks, 100.0, 0.0, 0.0))
    assert shift == pytest.approx(off_m, abs=0.03)
    assert turn == pytest.approx(turned_rad, abs=0.003)


def test_a_car_that_is_right_is_left_where_it_is():
    found = shift_from_marks(PAINT, marks_from(0.3, 0.01), 100.0, 0.3, 0.01)
    assert found
    assert all(abs(residual) < 1e-9 for _, residual, _ in found)


def test_along_a_straight_road_nothing_is_learnt():
    for row, _, variance in shift_from_marks(PAINT, marks_from(0.2, 0.0), 100.0, 0.0, 0.0):
        assert abs(row[0]) < 1e-6 and variance > 0.0


def test_too_few_marks_and_marks_of_no_line_say_nothing():
    few = marks_from(0.0, 0.0, 1)
    assert few.count < LEAST
    assert shift_from_marks(PAINT, few, 100.0, 0.0, 0.0) == []
    assert shift_from_marks(PAINT, marks_from(0.0, 0.0), 100.0, 60.0, 0.0) == []


def test_a_few_marks_of_something_else_pull_little():
    marks = marks_from(0.2, 0.0)
    y = marks.y_m.copy()
    y[::8] += 0.9
    shift, _ = solved(
        shift_from_marks(
            PAINT, LaneMarks(0, marks.x_m, y, marks.heading_rad, marks.solid), 100.0, 0.0, 0.0
        )
    )
    assert shift == pytest.approx(0.2, abs=0.12)


def test_a_bend_tells_also_how_far_along():
    angle = np.linspace(0.0, math.pi / 2, 60)
    bend = tiny_map([Lane(list(zip(40 * np.sin(angle), 40 - 40 * np.cos(angle), strict=True)))])
    paint = paint_of(bend)
    piece = paint.piece
    marks = LaneMarks(
        0, piece[:, 0] - 0.3, piece[:, 1], piece[:, 2], np.zeros(len(piece), dtype=bool)
    )
    found = shift_from_marks(paint, marks, 0.0, 0.0, 0.0)
    assert max(abs(row[0]) for row, _, _ in found) > 0.2
    for row, residual, _ in found:
        assert residual == pytest.approx(0.3 * row[0], abs=0.02)
