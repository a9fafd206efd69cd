"""The line of a lane that is known by a few numbers."""

import math

import numpy as np
import pytest

from marque.kernels.strip import beside, strip


@pytest.mark.parametrize("bend", [1.0 / 50.0, -1.0 / 300.0])
def test_a_steady_bend_is_a_circle(bend):
    line = strip(0.7, 0.2, bend, 0.0, (-20.0, 90.0), 0.5)
    radius = 1.0 / bend
    cx = -0.7 * math.sin(0.2) - radius * math.sin(0.2)
    cy = 0.7 * math.cos(0.2) + radius * math.cos(0.2)
    assert np.allclose(np.hypot(line.x_m - cx, line.y_m - cy), abs(radius), atol=1e-9)
    assert np.allclose(line.heading_rad, 0.2 + bend * line.s_m)


def test_it_lies_beside_the_car_at_its_offset():
    line = strip(-1.2, 0.1, 0.01, 1e-4, (-5.0, 40.0), 1.0)
    at = int(np.flatnonzero(line.s_m == 0.0)[0])
    assert (line.x_m[at], line.y_m[at]) == pytest.approx(
        (1.2 * math.sin(0.1), -1.2 * math.cos(0.1))
    )
    assert line.heading_rad[at] == pytest.approx(0.1)


def test_its_bend_is_held_where_nothing_shows_it():
    line = strip(0.0, 0.0, 0.001, 1e-4, (-10.0, 50.0), 1.0, held_m=20.0)
    assert line.curvature_1pm[line.s_m < 0.0] == pytest.approx(0.001)
    assert line.curvature_1pm[line.s_m >= 20.0] == pytest.approx(0.003)


def test_places_beside_it_are_found_again():
    """A slow twin of `beside`: walk along the line, then square to it."""
    line = strip(0.5, -0.1, 0.004, -5e-5, (-10.0, 80.0), 1.0)
    rng = np.random.default_rng(1)
    at = rng.integers(2, len(line.s_m) - 2, 40)
    d = rng.uniform(-8.0, 8.0, 40)
    x = line.x_m[at] - d * np.sin(line.heading_rad[at])
    y = line.y_m[at] + d * np.cos(line.heading_rad[at])
    s_found, d_found, _ = beside(line, x, y)
    assert np.allclose(s_found, line.s_m[at], atol=1e-6)
    assert np.allclose(d_found, d, atol=1e-6)


def test_beyond_its_ends_it_goes_straight_on():
    line = strip(0.0, 0.0, 0.0, 0.0, (-5.0, 10.0), 1.0)
    s, d, _ = beside(line, np.array([30.0, -9.0]), np.array([2.0, -1.0]))
    assert s == pytest.approx([30.0, -9.0])
    assert d == pytest.approx([2.0, -1.0])


def test_no_places_are_none():
    line = strip(0.0, 0.0, 0.0, 0.0, (-5.0, 10.0), 1.0)
    assert all(len(each) == 0 for each in beside(line, np.zeros(0), np.zeros(0)))
