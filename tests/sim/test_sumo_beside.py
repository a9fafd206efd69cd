"""Nobody slides into our car while they stand: a stand-in for libsumo, and SUMO itself."""

from dataclasses import dataclass

import pytest
from crossing import LENGTH_M, WIDTH_M, make, on_lane, spec_of
from hypothesis import given
from hypothesis import strategies as st
from test_sumo_reacts import shifted, touches

from marque.core.geometry import boxes_overlap
from marque.sim.worlds.sumo import SumoWorld
from marque.sim.worlds.sumo_beside import STILL_MPS, Beside
from marque.sim.worlds.sumo_bodies import overlap

EAST = (0.0, 0.0, 90.0)  # our front bumper at the origin
USUAL_MPS = 1.0


@dataclass
class Car:
    """Front bumper, angle of east; how it moves."""

    x: float
    y: float
    speed: float = 0.0
    sideways: float = -0.5
    at_most: float = USUAL_MPS


class Road:
    class TraCIException(Exception):
        pass

    def __init__(self, **cars):
        self.cars = cars
        self.vehicle = self

    def getIDList(self):
        return tuple(self.cars)

    def car(self, name):
        if name not in self.cars:
            raise self.TraCIException
        return self.cars[name]

    def getPosition(self, name):
        return self.car(name).x, self.car(name).y

    def getAngle(self, name):
        return 90.0

    def getLength(self, name):
        return 4.5

    def getWidth(self, name):
        return 1.8

    def getSpeed(self, name):
        return self.car(name).speed

    def getLateralSpeed(self, name):
        return self.car(name).sideways

    def getMaxSpeedLat(self, name):
        return self.car(name).at_most

    def setMaxSpeedLat(self, name, value):
        self.car(name).at_most = value


def looking(road, speed=0.0):
    beside = Beside(road, LENGTH_M, WIDTH_M)
    beside.look({"other": (0.0, 0.0)})
    beside.hold(EAST, speed)
    return beside


@pytest.mark.parametrize(
    ("car", "speed"),
    [
        (Car(0.0, 2.6), 0.0),  # beside us
        (Car(6.0, 2.6), 0.0),  # a corner right before our bumper
        (Car(12.0, 2.6), 5.0),  # we are about to pass
        (Car(0.0, -2.6, sideways=0.5), 0.0),  # on our other side
        (Car(-1.0, 2.6, speed=0.3), 0.0),  # crawls
    ],
)
def test_who_would_slide_into_us_or_our_way_waits(car, speed):
    looking(Road(other=car), speed)
    assert car.at_most == STILL_MPS


@pytest.mark.parametrize(
    ("car", "speed"),
    [
        (Car(0.0, 2.6, sideways=0.5), 0.0),  # away from us
        (Car(0.0, 2.6, sideways=0.0), 0.0),  # changes no lanes
        (Car(0.0, 2.6, speed=3.0), 0.0),  # drives: that is a lane change, not sliding
        (Car(12.0, 2.6), 0.0),  # we stand, and they are ahead
        (Car(-8.0, 2.6), 0.0),  # behind us
        (Car(0.0, 4.5), 0.0),  # a lane away
    ],
)
def test_others_are_left_alone(car, speed):
    looking(Road(other=car), speed)
    assert car.at_most == USUAL_MPS


def test_they_go_on_as_before_when_we_are_past_and_when_they_drive():
    road = Road(other=Car(0.0, 2.6, at_most=0.8))
    beside = looking(road)
    road.cars["other"].sideways = -STILL_MPS  # held
    beside.hold(EAST, 0.0)
    assert road.cars["other"].at_most == STILL_MPS
    beside.hold((12.0, 0.0, 90.0), 0.0)
    assert road.cars["other"].at_most == 0.8
    beside.hold(EAST, 0.0)
    road.cars["other"].speed = 2.0
    beside.hold(EAST, 0.0)
    assert road.cars["other"].at_most == 0.8
    assert beside.holds == 2


def test_somebody_who_left_the_traffic_is_forgotten():
    road = Road(other=Car(0.0, 2.6))
    beside = looking(road)
    del road.cars["other"]
    beside.hold(EAST, 0.0)
    assert not beside.held


size = st.floats(0.4, 12.0)
place = st.floats(-12.0, 12.0)


@given(
    a=st.tuples(place, place, st.floats(-3.1, 3.1), size, size),
    b=st.tuples(place, place, st.floats(-3.1, 3.1), size, size),
)
def test_the_boxes_meet_as_the_judge_says(a, b):
    assert overlap(a, b) == boxes_overlap(*a, *b)


STANDS = (
    '<vehicle id="block{lane}" depart="0" departLane="{lane}" departPos="280" departSpeed="0">'
    '<route edges="wc ce"/><stop lane="wc_{lane}" endPos="287" duration="300"/></vehicle>'
)


@pytest.mark.sumo
def test_sumos_own_car_waits_with_its_slide_until_we_are_past(tmp_path):
    """It stands behind somebody, begins to change lanes all the same, and we drive up beside it."""
    wants_left = (
        '<trip id="slides" depart="8" departLane="0" departPos="279.5" departSpeed="0" '
        'from="wc" to="cn"/>'
    )
    cfg = make(tmp_path, STANDS.format(lane=0) + STANDS.format(lane=1) + wants_left, lanes=2)
    spec = spec_of(cfg, ("wc", "ce"), begin_s=0)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_1", 255.0)
        seen = world.reset(ego)
        y, speeds, at, v = [], [], 0.0, 0.0
        for _ in range(200):
            v = min(6.0, v + 0.6) if y and y[-1] > y[0] + 0.15 and at < 15.0 else 0.0
            at += 0.1 * v
            seen = world.step(shifted(ego, at, 0.0, v))
            assert not touches(seen)
            uids = [world.names[int(uid)] for uid in seen.users.uid]
            if "slides" in uids:
                y.append(float(seen.users.y_m[uids.index("slides")]))
                speeds.append(float(seen.users.speed_mps[uids.index("slides")]))
        facts = world.facts()
    finally:
        world.close()
    assert max(speeds) < 0.1
    assert y[30] - y[0] > 0.2  # it had begun,
    assert y[-1] - y[30] < 0.01  # and waits
    assert facts["waited beside us with a change of lanes"] == "1"
