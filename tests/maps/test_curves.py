"""The curve kernels against their slow twins, and the laws a drivable line must keep."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length
from marque.maps.closeness import furthest
from marque.maps.conflicts import lines_cross, shared_span, span_in_polygon
from marque.maps.curves import (
    band_smooth,
    even,
    hermite,
    max_curvature,
    sampled,
    tangent_legs,
    transition_curve,
    transition_length,
)
from oracle import maps_curves as twin

angle = st.floats(-3.0, 3.0)
near = st.floats(-20.0, 20.0)


def bent_line(seed: int, count: int = 30) -> FloatArray:
    """A line of unit steps whose direction wanders."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0.0, 0.25, count)) + rng.uniform(-math.pi, math.pi)
    steps = np.column_stack((np.cos(heading), np.sin(heading)))
    return np.vstack(((0.0, 0.0), np.cumsum(steps, axis=0)))


@given(seed=st.integers(0, 10_000), stiffness=st.floats(0.0, 1e4), uneven=st.floats(0.0, 4.0))
@settings(max_examples=60)
def test_band_smoothing_is_the_dense_least_squares_solution(
    seed: int, stiffness: float, uneven: float
) -> None:
    line = bent_line(seed)
    raw = sampled(line, arc_length(line), 40)
    ends = np.array([[*raw[0], 0.3, 0.02], [*raw[-1], 0.7, -0.01]])
    pull = np.exp(np.random.default_rng(seed).uniform(0.0, uneven, len(raw)))
    got = band_smooth(raw, ends, stiffness, pull)
    assert np.allclose(got, twin.band_smooth(raw, ends, stiffness, pull), atol=1e-5)


@given(heading=angle, length=st.floats(5.0, 200.0), stiffness=st.floats(0.0, 1e6))
def test_a_straight_line_stays_straight(heading: float, length: float, stiffness: float) -> None:
    t = np.linspace(0.0, length, 50)
    raw = np.column_stack((t * math.cos(heading), t * math.sin(heading)))
    ends = np.array([[*raw[0], heading, 0.0], [*raw[-1], heading, 0.0]])
    assert furthest(band_smooth(raw, ends, stiffness, np.ones(50)), raw, arc_length(raw)) < 1e-6


@given(
    heading=angle,
    turn=st.floats(0.35, 2.6),
    left=st.booleans(),
    first=st.floats(3.0, 40.0),
    second=st.floats(3.0, 40.0),
    share=st.floats(0.5, 0.95),
)
def test_a_transition_curve_joins_its_ends_within_its_radius(
    heading: float, turn: float, left: bool, first: float, second: float, share: float
) -> None:
    turn = turn if left else -turn
    after = heading + turn
    end = first * np.array((math.cos(heading), math.sin(heading)))
    end = end + second * np.array((math.cos(after), math.sin(after)))
    ends = np.array([[0.0, 0.0, heading, 0.0], [*end, after, 0.0]])
    legs = tangent_legs(ends)
    assert legs[0] == pytest.approx(first, rel=1e-6)
    assert legs[1] == pytest.approx(second, rel=1e-6)
    line = transition_curve(ends, share)
    assert np.allclose(line[0], ends[0, :2])
    assert np.allclose(line[-1], ends[1, :2], atol=1e-9)
    radius = share * min(first, second) / math.tan(0.5 * abs(turn))
    assert max_curvature(line) <= 1.05 / radius + 1e-3
    steps = np.diff(line, axis=0)
    directions = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    bends = np.diff(directions) * math.copysign(1.0, turn)
    assert bends.min() > -1e-3  # never turns the other way


@given(radius=st.floats(3.0, 200.0), turn=st.floats(0.1, 2.8))
def test_without_ramps_the_tangent_length_is_that_of_an_arc(radius: float, turn: float) -> None:
    assert transition_length(radius, 0.0, turn) == pytest.approx(radius * math.tan(0.5 * turn))


def test_no_transition_curve_where_tangents_do_not_meet_ahead() -> None:
    apart = np.array([[0.0, 0.0, 0.0, 0.0], [10.0, 3.0, 0.0, 0.0]])
    behind = np.array([[0.0, 0.0, 0.0, 0.0], [-5.0, 5.0, math.pi / 2, 0.0]])
    assert len(transition_curve(apart, 0.9)) == 0
    assert len(transition_curve(behind, 0.9)) == 0


@given(seed=st.integers(0, 10_000), step=st.floats(0.3, 2.0))
def test_even_sampling_keeps_ends_and_spacing(seed: int, step: float) -> None:
    raw = bent_line(seed, 12)
    ends = np.array([[*raw[0], 0.0, 0.0], [*raw[-1], 0.0, 0.0]])
    first, last = raw[1] - raw[0], raw[-1] - raw[-2]
    ends[0, 2], ends[1, 2] = math.atan2(first[1], first[0]), math.atan2(last[1], last[0])
    rows = even(raw, ends, step)
    assert np.allclose(rows[0, :2], raw[0])
    assert np.allclose(rows[-1, :2], raw[-1])
    gaps = np.hypot(*np.diff(rows[:, :2], axis=0).T)
    assert gaps.max() <= step + 1e-6
    assert rows[0, 2] == pytest.approx(ends[0, 2])


@given(h0=angle, h1=angle, x=near, y=near)
def test_the_quintic_meets_both_ends(h0: float, h1: float, x: float, y: float) -> None:
    ends = np.array([[0.0, 0.0, h0, 0.1], [x, y, h1, -0.1]])
    line = hermite(ends, 9)
    assert np.allclose(line[0], ends[0, :2])
    assert np.allclose(line[-1], ends[1, :2], atol=1e-9)


@given(seed=st.integers(0, 10_000), room=st.floats(0.5, 4.0), dx=near, dy=near)
@settings(max_examples=40)
def test_shared_span_against_walking_it(seed: int, room: float, dx: float, dy: float) -> None:
    line = bent_line(seed, 15)
    fine = sampled(line, arc_length(line), 120)
    other = bent_line(seed + 1, 15) + 0.3 * np.array((dx, dy))
    s = arc_length(fine)
    near_m, start, end = shared_span(fine, s, other, room)
    slow_near, slow_start, slow_end = twin.shared_span(fine, s, other, room)
    assert near_m == pytest.approx(slow_near, abs=1e-9)
    if near_m < room - 0.05:
        assert start == pytest.approx(slow_start, abs=0.1)
        assert end == pytest.approx(slow_end, abs=0.1)
    assert lines_cross(fine, other) == twin.lines_cross(fine, other)


def test_a_strip_touches_a_polygon_where_its_edge_does() -> None:
    line = np.array([[0.0, 0.0], [10.0, 0.0]])
    s = np.array([0.0, 10.0])
    square = np.array([[4.0, 0.8], [6.0, 0.8], [6.0, 3.0], [4.0, 3.0]])
    start, end = span_in_polygon(line, s, square, 1.0)
    assert start == pytest.approx(4.0, abs=0.3)
    assert end == pytest.approx(6.0, abs=0.3)
    assert math.isnan(span_in_polygon(line, s, square, 0.5)[0])
