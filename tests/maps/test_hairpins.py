"""Hairpins: what no car can drive is swung out, and nothing else is touched."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.maps.hairpins import MOST_M, RADIUS_M, widened


def bend(radius_m, angle_rad, legs_m=30.0):
    """A straight, an arc and a straight, sampled each half metre."""
    arc = np.arange(0.0, angle_rad + 1e-9, min(0.5 / radius_m, angle_rad / 4.0))
    turn = np.column_stack((radius_m * np.sin(arc), radius_m * (1.0 - np.cos(arc))))
    way = np.arange(0.5, legs_m, 0.5)
    before = np.column_stack((-way[::-1], np.zeros(len(way))))
    ahead = turn[-1] + way[:, None] * np.array([math.cos(arc[-1]), math.sin(arc[-1])])
    return np.concatenate((before, turn, ahead))


def least_radius_m(line):
    """Over 2 m, from the turn of the chords."""
    steps = np.diff(line, axis=0)
    heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    arc = np.cumsum(np.hypot(*steps.T))
    turns = [
        abs(np.interp(s + 2.0, arc, heading) - np.interp(s, arc, heading)) / 2.0
        for s in np.arange(3.0, arc[-1] - 5.0, 0.5)
    ]
    return 1.0 / max(max(turns), 1e-9)


@pytest.mark.parametrize("radius_m", [1.7, 2.5, 3.5])
@pytest.mark.parametrize("angle_deg", [120.0, 150.0, 175.0])
def test_a_hairpin_becomes_drivable(radius_m, angle_deg):
    line = bend(radius_m, math.radians(angle_deg))
    found = widened(line)
    assert least_radius_m(found) > 4.0  # saloon and SUV turn tighter than that
    assert np.hypot(*(found - line).T).max() <= MOST_M
    assert np.array_equal(found[[0, -1]], line[[0, -1]])
    far = np.abs(np.arange(len(line)) - len(line) // 2) > 45
    assert np.allclose(found[far], line[far], atol=0.1)


@given(st.floats(RADIUS_M * 1.1, 200.0), st.floats(0.3, 2.5))
def test_what_a_car_can_drive_stays(radius_m, angle_rad):
    line = bend(radius_m, angle_rad)
    assert np.array_equal(widened(line), line)


def test_left_and_right_are_alike():
    line = bend(2.5, 2.6)
    mirror = line * np.array([1.0, -1.0])
    assert np.allclose(widened(mirror), widened(line) * np.array([1.0, -1.0]), atol=1e-9)
