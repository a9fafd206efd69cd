"""Who goes first where SUMO's drivers block each other. A stand-in for libsumo, laws on top."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, hypot, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.sim.worlds.sumo_deadlock import (
    AHEAD_M,
    BY_THE_BOOK,
    GOES_AFTER_S,
    GOES_FIRST,
    Courtesy,
    _gap,
    _reached,
    _sample,
)
from marque.sim.worlds.sumo_read import EGO

LINES = {  # a crossing of two lanes at the origin, and the road after it
    ":c_0": [(0.0, -10.0), (0.0, 10.0)],  # northward
    ":c_1": [(-10.0, 0.0), (10.0, 0.0)],  # eastward
    "road": [(0.0, 10.0), (0.0, 50.0)],
}


@dataclass
class Car:
    lane: str
    pos: float
    waited: float = 0.0
    speed: float = 0.0
    mode: int = BY_THE_BOOK
    stopped: int = 0


@dataclass
class Vehicles:
    cars: dict[str, Car] = field(default_factory=dict)

    def getIDList(self):
        return tuple(self.cars)

    def getWaitingTime(self, name):
        return self.cars[name].waited

    def getLaneID(self, name):
        return self.cars[name].lane

    def getLanePosition(self, name):
        return self.cars[name].pos

    def getStopState(self, name):
        return self.cars[name].stopped

    def getSpeed(self, name):
        return self.cars[name].speed

    def getSpeedMode(self, name):
        return self.cars[name].mode

    def setSpeedMode(self, name, mode):
        self.cars[name].mode = mode

    def getLength(self, name):
        return 4.0

    def getWidth(self, name):
        return 1.8

    def getAngle(self, name):
        return 90.0 if self.cars[name].lane == ":c_1" else 0.0

    def getNextLinks(self, name):
        return ()

    def getPosition(self, name):
        (ax, ay), (bx, by) = LINES[self.cars[name].lane]
        t = self.cars[name].pos / hypot(bx - ax, by - ay)
        return ax + t * (bx - ax), ay + t * (by - ay)


class Nobody(Vehicles):
    pass


class Lanes:
    def getShape(self, lane):
        return LINES[lane]


class Lib:
    def __init__(self, **cars):
        self.vehicle, self.person, self.lane = Vehicles(cars), Nobody(), Lanes()


def met(**cars):
    lib = Lib(**cars)
    return Courtesy(lib), lib.vehicle.cars


def test_who_has_a_free_way_goes_first_until_he_is_out():
    courtesy, cars = met(
        a=Car(":c_0", 12.0, waited=GOES_AFTER_S),
        b=Car(":c_1", 8.0, waited=GOES_AFTER_S + 1),  # has stood longer, but `a` is in the way
    )
    courtesy.choose()
    assert (cars["a"].mode, cars["b"].mode) == (GOES_FIRST, BY_THE_BOOK)
    cars["a"].lane, cars["a"].pos = "road", 5.0
    courtesy.watch()
    assert cars["a"].mode == BY_THE_BOOK
    courtesy.choose()
    assert cars["b"].mode == GOES_FIRST
    assert courtesy.went_first == 2


@pytest.mark.parametrize(
    "car",
    [
        Car(":c_0", 13.0, waited=GOES_AFTER_S - 1.0),  # not long enough
        Car("road", 5.0, waited=60.0),  # not inside a junction
        Car(":c_0", 13.0, waited=60.0, stopped=1),  # at a stop of its own
    ],
)
def test_nobody_else_is_told_to_go(car):
    courtesy, cars = met(a=car)
    courtesy.choose()
    assert cars["a"].mode == BY_THE_BOOK


def test_our_car_is_seen_and_never_told():
    courtesy, cars = met(
        **{EGO: Car(":c_0", 13.0, waited=60.0), "b": Car(":c_1", 8.0, waited=50.0)}
    )
    courtesy.choose()
    assert cars[EGO].mode == BY_THE_BOOK
    assert cars["b"].mode == BY_THE_BOOK  # our car stands in its way


def test_who_meets_a_moving_car_goes_by_the_book_again():
    courtesy, cars = met(a=Car(":c_0", 5.0, waited=60.0))
    courtesy.choose()
    assert cars["a"].mode == GOES_FIRST
    cars["b"] = Car(":c_1", 1.0, speed=5.0)  # arrives within the time that is looked ahead
    courtesy.watch()
    assert cars["a"].mode == BY_THE_BOOK
    courtesy.choose()
    assert cars["a"].mode == BY_THE_BOOK
    cars["b"].pos, cars["b"].speed = 19.0, 5.0  # past
    courtesy.choose()
    assert cars["a"].mode == GOES_FIRST


def test_one_at_a_time_and_the_longest_waiting_first():
    courtesy, cars = met(
        a=Car(":c_0", 12.0, waited=20.0),
        b=Car(":c_0", 18.0, waited=30.0),
    )
    courtesy.choose()
    assert (cars["a"].mode, cars["b"].mode) == (BY_THE_BOOK, GOES_FIRST)


def test_who_is_gone_is_forgotten():
    courtesy, cars = met(a=Car(":c_0", 13.0, waited=60.0))
    courtesy.choose()
    del cars["a"]
    courtesy.watch()
    assert courtesy.going == set()


def test_locked_are_those_in_each_others_way_alone():
    courtesy, cars = met(
        a=Car(":c_0", 12.0, waited=70.0),  # its tail lies on the lane of `b` ...
        b=Car(":c_1", 8.0, waited=90.0),
    )
    assert courtesy.locked(60.0) is None  # ... but its own way is free
    cars["a"].pos, cars["b"].pos = 9.5, 9.5  # each with its bumper in the other's way
    assert courtesy.locked(60.0) == "b"
    assert courtesy.locked(80.0) is None  # `a` has not stood that long
    cars[EGO] = cars.pop("a")
    assert courtesy.locked(60.0) is None  # nobody is removed to make way for our car


@given(
    st.lists(
        st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=6, unique=True
    ),
    st.floats(0.0, 30.0),
)
def test_samples_lie_on_the_line_ahead(line, start_m):
    points = _sample(line, start_m)
    total = sum(hypot(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(line))
    wanted = min(total, start_m + AHEAD_M) - start_m
    assert len(points) == pytest.approx(max(0.0, wanted / 0.5 + 0.5), abs=1.0)
    for p, q in pairwise(points):
        assert hypot(q[0] - p[0], q[1] - p[1]) <= 0.5 + 1e-6


@given(st.floats(-pi, pi), st.floats(-30, 30), st.floats(-30, 30))
def test_gap_to_a_body_is_zero_inside_and_turns_with_it(heading, x, y):
    body = (1.0, 2.0, heading, 4.0, 1.8)
    still = (1.0, 2.0, 0.0, 4.0, 1.8)
    dx, dy = x - 1.0, y - 2.0
    c, s = cos(heading), sin(heading)
    turned = (1.0 + dx * c + dy * s, 2.0 - dx * s + dy * c)
    assert _gap((x, y), body) == pytest.approx(_gap(turned, still), abs=1e-6)
    middle = (1.0 - 2.0 * c, 2.0 - 2.0 * s)
    assert _gap(middle, body) == 0.0
    assert _gap((x, y), body) >= hypot(x - middle[0], y - middle[1]) - hypot(2.0, 0.9) - 1e-6


def test_reached_follows_every_way():
    onward = {"a": {"b"}, "b": {"c"}, "c": {"b"}}
    assert _reached("a", onward) == {"b", "c"}
    assert "a" not in _reached("a", onward)
    assert "b" in _reached("b", onward)
