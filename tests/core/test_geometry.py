"""Laws of the plane formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lines import line
from marque.core.geometry import arc_length, boxes_overlap, project, resample, wrap_angle
from oracle import guard_twin

place = st.floats(-8.0, 8.0)
angle = st.floats(-7.0, 7.0)
size = st.floats(0.3, 9.0)
box = st.tuples(place, place, angle, size, size)


@given(angle, st.integers(-3, 3))
def test_wrapping_keeps_the_direction(a, turns):
    w = wrap_angle(a + turns * 2.0 * math.pi)
    assert -math.pi < w <= math.pi
    assert math.cos(w) == pytest.approx(math.cos(a), abs=1e-9)
    assert math.sin(w) == pytest.approx(math.sin(a), abs=1e-9)


@given(box, box)
def test_overlap_is_symmetric_and_is_that_of_polygons(one, two):
    found = boxes_overlap(*one, *two)
    assert boxes_overlap(*two, *one) == found
    grown, shrunk = ((*two[:3], two[3] + e, two[4] + e) for e in (1e-6, -1e-6))
    if boxes_overlap(*one, *grown) == boxes_overlap(*one, *shrunk):  # not a matter of rounding
        assert found == guard_twin.overlap(guard_twin.box(*one), guard_twin.box(*two))


@given(st.floats(2.0, 57.0), st.floats(-4.0, 4.0), st.floats(-0.03, 0.03))
def test_projecting_undoes_moving_along_and_aside(s, d, bend):
    path = line(0.0, 0.0, 0.3, np.full(600, bend), 0.1)
    i = round(s / 0.1)
    x = path[i, 0] - d * math.sin(path[i, 2])
    y = path[i, 1] + d * math.cos(path[i, 2])
    xy = np.ascontiguousarray(path[:, :2])
    found_s, found_d, _ = project(xy, arc_length(xy), x, y, 0, len(xy) - 1)
    assert found_s == pytest.approx(0.1 * i, abs=0.02)
    assert found_d == pytest.approx(d, abs=1e-3)


@given(st.floats(0.2, 5.0))
def test_resampling_keeps_ends_and_spacing(step):
    xy = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 7.0)])
    out = resample(xy, step)
    assert (out[0] == xy[0]).all() and out[-1] == pytest.approx(xy[-1])
    assert np.hypot(*np.diff(out, axis=0).T).max() <= step + 1e-9
