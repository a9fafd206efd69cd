"""Nobody takes a bend faster than it can be driven: a stand-in for libsumo."""

from itertools import pairwise
from math import cos, dist, pi, sin, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.sim.worlds.sumo_bends import (
    BRAKING_MPS2,
    LATERAL_MPS2,
    LONG_LATERAL_MPS2,
    SLOWEST_MPS,
    Bends,
)
from marque.sim.worlds.sumo_lanes import Lanes, curvatures, resampled
from marque.sim.worlds.sumo_read import EGO

RADIUS_M, OWN_MPS = 8.0, 40.0


def arc(radius, turn, at=(0.0, 0.0)):
    """From `at`, heading east, to the left."""
    n = max(8, int(radius * turn))
    return [
        (at[0] + radius * sin(turn * i / n), at[1] + radius * (1.0 - cos(turn * i / n)))
        for i in range(n + 1)
    ]


class Road:
    """A straight lane, a hairpin, and one that goes straight on."""

    class TraCIException(Exception):
        pass

    def __init__(self, length=4.5):
        self.vehicle = self.lane = self
        self.length = length
        self.place, self.speed, self.most = ("before", 0.0), 13.9, OWN_MPS
        self.shapes = {
            "before": [(-100.0, 0.0), (0.0, 0.0)],
            "hairpin": [
                (0.0, 0.0),
                (20.0, 0.0),
                *arc(RADIUS_M, pi, (20.0, 0.0))[1:],
                (-50.0, 16.0),
            ],
            "on": [(0.0, 0.0), (100.0, 0.0)],
            ":turn": arc(4.0, pi / 2),
        }
        self.links = {"before": ["hairpin"]}

    def getIDList(self):
        return (EGO, "other")

    def getPosition(self, name):
        return (0.0, 0.0)

    def getLength(self, what):
        line = self.shapes.get(what)
        return self.length if line is None else sum(dist(a, b) for a, b in pairwise(line))

    def getShape(self, lane):
        return tuple(self.shapes[lane])

    def getLinks(self, lane):
        return [(each, True, True, False, "", "M", "s", 0.0) for each in self.links.get(lane, [])]

    def getLaneID(self, name):
        return self.place[0]

    def getLanePosition(self, name):
        return self.place[1]

    def getSpeed(self, name):
        return self.speed

    def getMaxSpeed(self, name):
        return self.most

    def setMaxSpeed(self, name, value):
        assert name == "other"
        self.most = value


def most(road, lane, at):
    bends = Bends(road, Lanes(road))
    bends.look({"other": (0.0, 0.0)})
    road.place = lane, at
    bends.hold()
    return road.most


def test_in_the_hairpin_they_are_as_fast_as_it_allows():
    assert most(Road(), "hairpin", 30.0) == pytest.approx(sqrt(LATERAL_MPS2 * RADIUS_M), rel=0.1)
    long = sqrt(LONG_LATERAL_MPS2 * RADIUS_M)
    assert most(Road(length=12.0), "hairpin", 30.0) == pytest.approx(long, rel=0.1)


def test_they_brake_softly_before_it_on_the_lane_that_leads_there_too():
    speeds = [most(Road(), "before", at) for at in (60.0, 80.0, 95.0)]
    speeds.append(most(Road(), "hairpin", 15.0))
    assert speeds == sorted(speeds, reverse=True)
    for a, b, way in zip(speeds, speeds[1:], (20.0, 15.0, 20.0), strict=False):
        assert a * a - b * b <= 2.0 * BRAKING_MPS2 * (way + 2.0)


def test_nobody_brakes_for_a_bend_that_others_take():
    road = Road()
    road.links = {"before": ["hairpin", "on"]}
    assert most(road, "before", 99.0) == OWN_MPS


def test_across_junctions_sumos_own_limit_holds():
    assert most(Road(), ":turn", 3.0) == OWN_MPS


def test_behind_the_bend_and_away_from_us_they_drive_as_before():
    road = Road()
    bends = Bends(road, Lanes(road))
    bends.look({"other": (0.0, 0.0)})
    for lane, at, slow in (
        ("hairpin", 30.0, True),
        ("hairpin", 80.0, False),
        ("hairpin", 30.0, True),
    ):
        road.place = lane, at
        bends.hold()
        assert (road.most < OWN_MPS) == slow
    bends.look({"other": (1000.0, 0.0)})
    assert road.most == OWN_MPS and not bends.held


def test_a_ring_has_an_end():
    road = Road()
    road.links = {"before": ["hairpin"], "hairpin": ["before"]}
    assert most(road, "before", 0.0) > SLOWEST_MPS


@given(st.floats(5.0, 60.0), st.floats(1.0, 6.0))
def test_the_curvature_of_an_arc_is_that_of_its_circle(radius, turn):
    line = resampled(arc(radius, turn), radius * turn)
    inner = curvatures(line)[4:-4]
    assert len(line) == max(2, round(radius * turn) + 1)
    assert inner == pytest.approx([1.0 / radius] * len(inner), rel=0.15)


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=9, unique=True)
)
def test_points_of_a_line_are_evenly_apart_and_begin_and_end_with_it(shape):
    length = sum(dist(a, b) for a, b in pairwise(shape))
    points = resampled(shape, length)
    assert (points[0], points[-1]) == (shape[0], shape[-1])
    step = length / (len(points) - 1)
    assert all(dist(a, b) <= step + 1e-6 for a, b in pairwise(points))
