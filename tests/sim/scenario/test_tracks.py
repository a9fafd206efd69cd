import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.core.errors import MarqueError
from marque.core.xml_tree import Node
from marque.sim.scenario.positions import Position, WorldPosition
from marque.sim.scenario.track import Pose, Track, lay_track
from marque.sim.scenario.trajectories import (
    Bend,
    Clothoids,
    ControlPoint,
    Nurbs,
    Polyline,
    Trajectory,
    Vertex,
)

NODE = Node("Trajectory", {}, "test.xosc", 1)


def _lay(position: Position) -> Pose:
    assert isinstance(position, WorldPosition)
    return position.x_m, position.y_m, position.h_rad


def _track(shape: Polyline | Clothoids | Nurbs, here: Pose = (0.0, 0.0, 0.0)) -> Track:
    return lay_track(Trajectory("t", False, shape, NODE), _lay, here)


def _corner(
    x: float, y: float, h: float = 0.0, time: float | None = None, turned: bool = False
) -> Vertex:
    return Vertex(time, WorldPosition(x, y, h), turned)


def test_a_polyline_runs_straight_from_corner_to_corner() -> None:
    track = _track(Polyline((_corner(0, 0), _corner(3, 4), _corner(3, 10))))
    assert track.length_m == pytest.approx(11.0)
    assert track.pose(2.5) == pytest.approx((1.5, 2.0, math.atan2(4, 3)))
    assert track.pose(8.0) == pytest.approx((3.0, 7.0, math.pi / 2))
    assert track.pose(-1.0)[:2] == (0.0, 0.0) and track.pose(99.0)[:2] == (3.0, 10.0)
    assert track.pose(8.0, 2.0)[:2] == pytest.approx((1.0, 7.0))


def test_headings_that_the_file_gives_are_kept_between_corners() -> None:
    track = _track(Polyline((_corner(0, 0, 3.0, None, True), _corner(10, 0, -3.0, None, True))))
    assert track.pose(5.0)[2] == pytest.approx(math.pi)


def test_times_of_a_polyline() -> None:
    track = _track(
        Polyline((_corner(0, 0, 0, 1.0), _corner(10, 0, 0, 3.0), _corner(10, 9, 0, 6.0)))
    )
    assert [track.s_at(t) for t in (0.0, 2.0, 4.0, 9.0)] == pytest.approx([0.0, 5.0, 13.0, 19.0])
    assert [track.speed_at(t) for t in (0.5, 2.0, 6.0, 7.0)] == pytest.approx([0.0, 5.0, 3.0, 0.0])


@given(st.floats(-0.2, 0.2), st.floats(1.0, 40.0), st.floats(-3.0, 3.0))
def test_a_clothoid_of_one_curvature_is_an_arc(curvature: float, length: float, h: float) -> None:
    track = _track(Clothoids((Bend(length, curvature, curvature, None),)), (5.0, -2.0, h))
    x, y, heading = track.pose(length)
    turn = curvature * length
    chord = length * (math.sin(turn / 2) / (turn / 2) if abs(turn) > 1e-9 else 1.0)
    assert track.length_m == pytest.approx(length, abs=2e-3)
    assert x == pytest.approx(5.0 + chord * math.cos(h + turn / 2), abs=1e-6)
    assert y == pytest.approx(-2.0 + chord * math.sin(h + turn / 2), abs=1e-6)
    assert math.cos(heading - h - turn) == pytest.approx(1.0)


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(5.0, 60.0))
def test_a_clothoid_against_its_integral(start: float, end: float, length: float) -> None:
    track = _track(Clothoids((Bend(length, start, end, None),)))
    u = (np.arange(20_000) + 0.5) * length / 20_000
    angle = start * u + 0.5 * (end - start) / length * u * u
    wanted = np.cos(angle).mean() * length, np.sin(angle).mean() * length
    assert track.pose(track.length_m)[:2] == pytest.approx(wanted, abs=1e-5)


def test_splines_go_on_where_the_stretch_before_ended() -> None:
    bends = (Bend(10.0, 0.0, 0.0, WorldPosition(1.0, 2.0, math.pi / 2)), Bend(5.0, 0.1, 0.1, None))
    track = _track(Clothoids(bends))
    assert track.pose(0.0)[:2] == (1.0, 2.0)
    assert track.pose(10.0) == pytest.approx((1.0, 12.0, math.pi / 2), abs=1e-9)
    x, y, heading = track.pose(15.0)
    assert (x, y) == pytest.approx(
        (1.0 - 10.0 * (1 - math.cos(0.5)), 12.0 + 10.0 * math.sin(0.5)), abs=1e-3
    )
    assert heading == pytest.approx(math.pi / 2 + 0.5)


def test_a_rational_spline_makes_a_quarter_circle() -> None:
    weight = math.sqrt(0.5)
    points = tuple(
        ControlPoint(WorldPosition(x, y, 0.0), w, None)
        for x, y, w in ((10.0, 0.0, 1.0), (10.0, 10.0, weight), (0.0, 10.0, 1.0))
    )
    track = _track(Nurbs(3, points, (0.0, 0.0, 0.0, 1.0, 1.0, 1.0)))
    radii = np.hypot(track.points_m[:, 0], track.points_m[:, 1])
    assert np.abs(radii - 10.0).max() < 1e-9
    assert track.length_m == pytest.approx(5.0 * math.pi, abs=1e-3)


@given(st.floats(0.0, 20.0), st.floats(-3.0, 3.0))
def test_nearest_undoes_pose(s: float, t: float) -> None:
    track = _track(Clothoids((Bend(20.0, 0.0, 0.05, None),)))
    x, y, _ = track.pose(s, t)
    assert track.nearest(x, y) == pytest.approx(min(s, track.length_m), abs=0.02)


def test_a_track_without_length_is_refused() -> None:
    with pytest.raises(MarqueError, match=r"test\.xosc:1"):
        _track(Polyline((_corner(1, 1), _corner(1, 1))))
