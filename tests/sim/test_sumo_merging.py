"""Who lets our car in. A stand-in for libsumo."""

import pytest

from marque.sim.worlds.sumo_merging import (
    ASKED_S,
    LEFT,
    OPENS_S,
    RIGHT,
    SEEN_S,
    SLOW_MPS,
    LettingIn,
)
from marque.sim.worlds.sumo_read import EGO


class Road:
    """One edge of three lanes; our car in the middle one, 100 m along it, 4.5 m long."""

    def __init__(self, **others):
        self.at = {EGO: (1, 100.0, 2.0)} | others  # lane, front, speed
        self.asked = []
        self.inside = False
        self.limit = 13.9
        self.vehicle = self.lane = self.edge = self

    def getLaneID(self, name):
        return ":inside_0" if self.inside else f"road_{self.at[name][0]}"

    def getLaneIndex(self, name):
        return self.at[name][0]

    def getRoadID(self, name):
        return "road"

    def getLaneNumber(self, edge):
        return 3

    def getLanePosition(self, name):
        return self.at[name][1]

    def getSpeed(self, name):
        return self.at[name][2]

    def getMaxSpeed(self, lane):
        return self.limit

    def getLength(self, name):
        return 4.5

    def getLastStepVehicleIDs(self, lane):
        index = int(lane[-1])
        on = [name for name in self.at if self.at[name][0] == index]
        return sorted(on, key=lambda name: self.at[name][1])

    def openGap(self, name, time_gap, room, duration, rate, brake, reference):
        slow = self.at[name][2] <= SLOW_MPS
        assert (duration, reference) == (ASKED_S if slow else OPENS_S, EGO)
        self.asked.append(name)


def shown(road, side, seconds):
    letting_in = LettingIn(road)
    for _ in range(round(seconds)):
        letting_in.look(side, 1.0)
    return letting_in


QUEUE = {
    "ahead": (0, 112.0, 1.0),
    "beside": (0, 99.0, 1.0),
    "behind": (0, 92.0, 1.0),
    "last": (0, 84.0, 1.0),
    "left": (2, 90.0, 1.0),
}


@pytest.mark.parametrize(("side", "who"), [(RIGHT, "behind"), (LEFT, "left")])
def test_the_first_who_is_not_beside_us_lets_us_in(side, who):
    road = Road(**QUEUE)
    shown(road, side, SEEN_S + 2)
    assert road.asked == [who]  # once, while the gap is open


def test_nobody_reacts_at_once_nor_without_an_indicator():
    road = Road(**QUEUE)
    shown(road, RIGHT, SEEN_S)
    shown(road, 0, 60.0)
    shown(road, 3, 60.0)  # hazard lights ask for nothing
    assert road.asked == []


def test_after_a_while_the_next_one_is_asked():
    road = Road(**QUEUE)
    letting_in = shown(road, RIGHT, SEEN_S + 2)
    road.at["behind"] = (0, 99.0, 1.0)  # has driven on all the same
    for _ in range(round(ASKED_S)):
        letting_in.look(RIGHT, 1.0)
    assert road.asked == ["behind", "last"]


@pytest.mark.parametrize(
    "others",
    [
        {"fast": (0, 90.0, 12.0)},
        {"far": (0, 60.0, 1.0)},
        {"beside": (0, 99.0, 1.0)},
        {"would come to stand beside us": (0, 94.0, 7.0)},
        {},
    ],
)
def test_who_is_fast_far_or_beside_us_drives_on(others):
    road = Road(**others)
    shown(road, RIGHT, 30.0)
    assert road.asked == []


def test_where_there_is_no_lane_nobody_is_asked():
    road = Road(**QUEUE)
    road.at[EGO] = (0, 100.0, 2.0)
    shown(road, RIGHT, 30.0)
    road.inside = True
    shown(road, LEFT, 30.0)
    assert road.asked == []


def on_a_motorway(gap_m, theirs_mps, ours_mps, limit_mps=36.0):
    road = Road(comes=(2, 95.5 - gap_m, theirs_mps))
    road.at[EGO] = (1, 100.0, ours_mps)
    road.limit = limit_mps
    shown(road, LEFT, SEEN_S + 2)
    return road.asked


def test_on_a_fast_road_who_can_brake_softly_lets_us_in():
    assert on_a_motorway(25.0, 25.0, 24.0) == ["comes"]
    assert on_a_motorway(25.0, 25.0, 24.0, limit_mps=19.4) == []  # no fast road
    assert on_a_motorway(2.0, 25.0, 24.0) == []  # the gap would open too late
    assert on_a_motorway(80.0, 25.0, 24.0) == []  # too far to matter
    assert on_a_motorway(50.0, 25.0, 18.0) == []  # we are too slow for it to be soft


def test_on_a_fast_road_the_gap_is_asked_for_as_long_as_we_indicate():
    road = Road(comes=(2, 70.0, 25.0))
    road.at[EGO] = (1, 100.0, 24.0)
    road.limit = 36.0
    shown(road, LEFT, SEEN_S + 2 * OPENS_S + 1)
    assert road.asked == ["comes"] * 3
