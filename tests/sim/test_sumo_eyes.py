"""Whoever would drive into our body brakes for it: a stand-in for libsumo, and SUMO itself."""

from dataclasses import dataclass, replace
from math import cos, pi, sin

import pytest
from crossing import make, on_lane, spec_of
from test_sumo_reacts import touches

from marque.sim.worlds.sumo import SumoWorld
from marque.sim.worlds.sumo_bodies import behind, overlap
from marque.sim.worlds.sumo_eyes import BRAKE_MPS2, OWN_SPEED, STEP_S, Eyes, driven
from marque.sim.worlds.sumo_lanes import Lanes
from marque.sim.worlds.sumo_read import EGO

LENGTH_M, WIDTH_M = 4.7, 1.85
LINES = {
    "east": [(-100.0, 0.0), (0.0, 0.0)],
    "on": [(0.0, 0.0), (100.0, 0.0)],
    "left": [(0.0, 0.0), (10.0, 10.0), (10.0, 60.0)],
}


@dataclass
class Car:
    """On the lane that leads east to the origin."""

    at: float
    speed: float
    turns: str = "on"
    beside: float = 0.0
    told: float = OWN_SPEED
    leader: tuple = ()


class Road:
    class TraCIException(Exception):
        pass

    def __init__(self, **cars):
        self.cars = cars
        self.vehicle = self.lane = self

    def car(self, name):
        if name not in self.cars:
            raise self.TraCIException
        return self.cars[name]

    def getShape(self, lane):
        return tuple(LINES[lane])

    def getLength(self, name):
        return {"left": 64.1, "east": 100.0, "on": 100.0}.get(name, 4.5)

    def getLaneID(self, name):
        return "east" if self.car(name).at < 100.0 else self.car(name).turns

    def getLanePosition(self, name):
        return self.car(name).at % 100.0

    def getLateralLanePosition(self, name):
        return self.car(name).beside

    def getPosition(self, name):
        car = self.car(name)
        return car.at - 100.0, car.beside

    def getAngle(self, name):
        return 90.0

    def getWidth(self, name):
        return 3.2 if name in LINES else 1.8

    def getLateralSpeed(self, name):
        return 0.0

    def setLateralLanePosition(self, name, value):
        self.car(name).beside = value

    def getSpeed(self, name):
        return self.car(name).speed

    def setSpeed(self, name, value):
        self.car(name).told = value

    def getNextLinks(self, name):
        turns = [self.car(name).turns] if self.car(name).at < 100.0 else []
        return [(lane, True, True, False, "", "M", "s", 0.0) for lane in turns]

    def getLeader(self, name, reach):
        return self.car(name).leader


def ours(x, y, heading=0.0):
    return x, y, heading, LENGTH_M, WIDTH_M


def told(car, body, speed=0.0):
    road = Road(other=car)
    eyes = Eyes(road, Lanes(road))
    eyes.hold(["other"], body, speed)
    return car.told


@pytest.mark.parametrize(
    ("car", "body", "speed"),
    [
        (Car(90.0, 8.0), ours(4.0, 0.0), 0.0),  # we stand in their way, beyond their lane
        (Car(90.0, 8.0), ours(4.0, 1.5, 0.3), 0.0),  # aslant, with the rear still in it
        (Car(99.0, 11.0, "left"), ours(10.0, 14.0, pi / 2), 0.0),  # round the corner
        (Car(90.0, 12.0), ours(5.0, 0.5), 5.0),  # we lead them, slower
        (Car(94.0, 8.0), ours(5.0, 0.5, pi), 3.0),  # we come towards them
        (Car(99.9, 2.0), ours(2.2, 0.0, pi / 2), 2.0),  # they crawl, we cross
    ],
)
def test_who_would_drive_into_us_brakes(car, body, speed):
    before = car.speed
    assert before - BRAKE_MPS2 * STEP_S - 1e-9 <= told(car, body, speed) < before


@pytest.mark.parametrize(
    ("car", "body", "speed"),
    [
        (Car(60.0, 8.0), ours(20.0, 0.0), 0.0),  # not near yet
        (Car(90.0, 8.0), ours(4.0, 2.2), 0.0),  # beside their way
        (Car(99.0, 11.0, "on"), ours(10.0, 14.0, pi / 2), 0.0),  # they go straight on
        (Car(90.0, 8.0), ours(4.0, 0.0, pi / 2), 4.0),  # we cross: that is what rules are for
        (Car(90.0, 8.0), ours(5.0, 0.0), 8.0),  # as fast as we
        (Car(90.0, 8.0, leader=(EGO, 3.0)), ours(5.0, 0.0), 5.0),  # SUMO has us as their leader
        (Car(99.0, 3.0), ours(1.0, 0.0), 0.0),  # they touch us: who is held there never parts
        (Car(90.0, 8.0), ours(-20.0, 0.0), 0.0),  # behind them
    ],
)
def test_others_drive_as_they_like(car, body, speed):
    assert told(car, body, speed) == OWN_SPEED


def in_the_hairpin(car, speed, bend, junction=False):
    road = Road(other=car)
    eyes = Eyes(road, Lanes(road))
    # north of their way, heading south, and turning towards where they come from
    eyes.hold(["other"], ours(6.0, 6.0, -pi / 2), speed, bend, junction)
    return car.told


def test_before_a_hairpin_they_wait_for_the_room_that_we_shall_need():
    for speed, junction in ((2.0, False), (2.0, True), (0.0, False)):
        assert in_the_hairpin(Car(94.0, 8.0), speed, -0.2, junction) < 8.0
    for car, speed, bend in (
        (Car(94.0, 8.0), 2.0, -0.05),  # no bend that needs their lane
        (Car(94.0, 8.0), 2.0, 0.2),  # we turn away from them
        (Car(103.0, 3.0), 2.0, -0.2),  # they are there already
    ):
        assert in_the_hairpin(car, speed, bend) == OWN_SPEED
    # inside a junction we may be waiting for them
    assert in_the_hairpin(Car(94.0, 8.0), 0.0, -0.2, junction=True) == OWN_SPEED


@pytest.mark.parametrize("bend", [0.0, 0.1, -0.25])
def test_our_way_in_the_next_metres_is_an_arc(bend):
    x, y, h, length, width = driven((1.0, 2.0, 0.3, 4.0, 2.0), 6.0, bend)
    small, at = 0.001, (1.0, 2.0, 0.3)
    for _ in range(6000):
        at = (at[0] + small * cos(at[2]), at[1] + small * sin(at[2]), at[2] + small * bend)
    assert (x, y, h) == pytest.approx(at, abs=0.6) and h == pytest.approx(at[2])
    assert (length, width) == (4.0, 2.0)


def test_they_drive_on_when_we_are_gone_and_leave_the_traffic_without_a_word():
    road = Road(other=Car(90.0, 8.0))
    eyes = Eyes(road, Lanes(road))
    eyes.hold(["other"], ours(4.0, 0.0), 0.0)
    eyes.hold(["other"], ours(4.0, 0.0), 0.0)
    assert road.cars["other"].told < 8.0 and eyes.brakes == 1
    eyes.hold(["other"], ours(4.0, 9.0), 0.0)
    assert road.cars["other"].told == OWN_SPEED and not eyes.braking
    eyes.hold(["other"], ours(4.0, 0.0), 0.0)
    assert road.cars["other"].told < 8.0
    eyes.hold([], ours(4.0, 0.0), 0.0)  # far from us by now
    assert road.cars["other"].told == OWN_SPEED and not eyes.braking
    eyes.hold(["other"], ours(4.0, 0.0), 0.0)
    del road.cars["other"]
    eyes.hold(["other"], ours(4.0, 0.0), 0.0)
    assert not eyes.braking


def test_who_brakes_so_comes_to_rest_before_our_body():
    road = Road(other=Car(60.0, 13.9))
    eyes, car = Eyes(road, Lanes(road)), road.cars["other"]
    body = ours(4.0, 0.6, 0.4)
    for _ in range(200):
        eyes.hold(["other"], body, 0.0)
        car.speed = car.speed if car.told == OWN_SPEED else car.told
        car.at += car.speed * STEP_S
    touches = 1.48  # where a nose of their width meets our rear corner
    assert car.speed == pytest.approx(0.0, abs=0.05)
    assert touches - 2.0 < car.at - 100.0 < touches - 0.1


def drive(car, body, seconds, speed=0.0):
    """(whether it ever touched our body, how far beside the middle it was at most)"""
    road = Road(other=car)
    eyes, touched, most = Eyes(road, Lanes(road)), False, 0.0
    for _ in range(round(seconds / STEP_S)):
        eyes.hold(["other"], body, speed)
        car.speed = min(6.0, car.speed + 0.2) if car.told == OWN_SPEED else car.told
        car.at += car.speed * STEP_S
        most = max(most, abs(car.beside))
        there = behind((car.at - 100.0, car.beside), 0.0, 4.5, 1.8)
        touched = touched or overlap(body, there)
    return touched, most, eyes


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("heading", [0.0, pi, 0.15])
def test_whom_our_standing_body_leaves_room_in_their_lane_steers_past_it(side, heading):
    car = Car(60.0, 6.0)
    touched, most, eyes = drive(car, ours(20.0, side * 1.7, heading), 25.0)
    assert not touched and car.at > 140.0  # past,
    assert 0.1 < most <= 0.7 + 1e-9  # within their lane,
    assert car.beside == 0.0 and not eyes.aside.want  # and back in its middle
    assert eyes.aside.passed == 1


@pytest.mark.parametrize(
    ("body", "speed"),
    [
        (ours(20.0, 1.0), 0.0),  # no room
        (ours(20.0, 0.0), 0.0),  # in the middle
        (ours(20.0, 1.7), 1.5),  # we drive: SUMO's rules
    ],
)
def test_nobody_steers_aside_without_room_or_for_who_drives(body, speed):
    _, most, eyes = drive(Car(60.0, 6.0), body, 25.0, speed)
    assert most == 0.0 and eyes.aside.passed == 0


def test_who_stands_does_not_slide_aside():
    car = Car(99.5, 0.0)
    road = Road(other=car)
    eyes = Eyes(road, Lanes(road))
    for _ in range(50):
        eyes.hold(["other"], ours(4.0, 1.7), 0.0)
    assert car.beside == 0.0
    del road.cars["other"]
    eyes.hold([], ours(4.0, 1.7), 0.0)
    assert not eyes.aside.want


def among(folder, vehicles, s_m, right_m, turn_rad, steps):
    """Our car stands on the left lane of two, aslant; (its pose, x and y of everybody, facts)."""
    spec = spec_of(make(folder, vehicles, lanes=2), ("wc", "ce"), begin_s=0)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_1", s_m)
        ego = replace(ego, y_m=ego.y_m - right_m, heading_rad=ego.heading_rad + turn_rad)
        world.reset(ego)
        x, y = [], []
        for _ in range(steps):
            seen = world.step(ego)
            assert not touches(seen)
            x += seen.users.x_m.tolist()
            y += seen.users.y_m.tolist()
        return ego, x, y, world.facts()
    finally:
        world.close()


@pytest.mark.sumo
def test_sumos_own_car_steers_past_one_that_juts_into_its_lane(tmp_path):
    passes = (
        '<trip id="passes" depart="8" departLane="0" departPos="100" departSpeed="10" '
        'from="wc" to="ce"/>'
    )
    ego, x, y, facts = among(tmp_path, passes, 200.0, 1.2, 0.15, 400)
    assert max(x) > ego.x_m + 50.0
    assert 0.1 < max(y) - min(y) < 0.71
    assert facts["steered past our standing body"] == "1"


@pytest.mark.sumo
def test_sumos_own_car_does_not_crawl_into_one_that_stands_aslant(tmp_path):
    """Our middle is on the left lane and our rear in the right one."""
    crawls = (
        '<vType id="slow" maxSpeed="2.5"/><trip id="crawls" type="slow" depart="8" '
        'departLane="0" departPos="240" departSpeed="2.5" from="wc" to="ce"/>'
    )
    _, x, _, facts = among(tmp_path, crawls, 262.0, 1.7, 0.3, 200)
    assert x[-1] - x[0] > 5.0
    assert x[-1] - x[-20] < 0.5  # it has come up to us, and stands
    assert int(facts["braked for our body, which SUMO did not show them"]) >= 1
