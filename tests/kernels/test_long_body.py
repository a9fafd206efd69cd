"""Long bodies cut the inside of bends."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.kernels.long_body import LONG_M, lay_long_bodies


def laid(path, length, heading0=None):
    """One path [n, 3] x, y, heading, as it is laid for a body of that length."""
    x, y, heading = (np.array(column) for column in np.asarray(path, dtype=float).T)
    first = heading[0] if heading0 is None else heading0
    lay_long_bodies(
        1, np.zeros(1, np.int32), np.array([0, len(x)], np.int32), x, y, heading,
        np.array([x[0]]), np.array([y[0]]), np.array([first]), np.array([length]),
    )  # fmt: skip
    return np.column_stack((x, y, heading))


def bend(radius, turn, straight=20):
    """Straight on to the east, then to the left, one sample each metre."""
    lead = [(float(i), 0.0, 0.0) for i in range(straight)]
    count = int(radius * turn)
    angles = [i / radius for i in range(count)]
    return lead + [
        (straight + radius * math.sin(a), radius * (1.0 - math.cos(a)), a) for a in angles
    ]


@given(st.floats(10.0, 60.0), st.floats(LONG_M, 18.0))
def test_in_a_bend_it_lies_the_height_of_its_chord_inside(radius, length):
    path = bend(radius, 3.0)
    out = laid(path, length)
    half = int(0.5 * length + 0.5)
    middle = 20 + int(radius * 1.5)
    if middle + half < len(path) - 1 and middle - half > 20:
        inside = radius - math.hypot(out[middle, 0] - 20.0, out[middle, 1] - radius)
        # its ends lie on the lane, a whole number of metres apart
        sagitta = radius * (1.0 - math.cos(half / radius))
        assert inside == pytest.approx(sagitta, abs=0.02)
        assert out[middle, 2] == pytest.approx(path[middle][2], abs=0.01)


@given(st.floats(0.0, 3.0), st.floats(LONG_M, 18.0))
def test_straight_on_nothing_changes_nor_where_it_is_now(angle, length):
    c, s = math.cos(angle), math.sin(angle)
    path = [(i * c, i * s, angle) for i in range(60)]
    assert laid(path, length) == pytest.approx(np.array(path), abs=1e-9)
    turned = laid(bend(12.0, 2.0), length)
    assert turned[0] == pytest.approx(np.array([0.0, 0.0, 0.0]))


def test_a_car_stays_on_the_middle_of_its_lane():
    path = bend(8.0, 3.0)
    assert laid(path, 5.0) == pytest.approx(np.array(path))


def test_before_the_bend_its_front_is_in_it_already():
    out = laid(bend(12.0, 2.5), 12.0)
    assert out[16, 1] > 0.05 and out[16, 2] > 0.01
    assert out[5] == pytest.approx(np.array([5.0, 0.0, 0.0]))


@given(st.integers(1, 4), st.floats(-3.0, 3.0))
def test_short_paths_and_bodies_that_stand_askew_are_laid_too(n, heading):
    path = [(float(i), 0.0, 0.0) for i in range(n)]
    out = laid(path, 12.0, heading)
    assert np.isfinite(out).all()
    assert out[0] == pytest.approx(np.array(path[0]))
