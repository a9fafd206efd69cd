"""Prediction: every path begins at its user, follows the map, and shares out probability."""

import math
from dataclasses import replace

import numpy as np
import pytest

from builders import Conflict, Lane, Program, Walk, arc, straight_road, street_grid, tiny_map
from marque.core.time import PLAN_STEP_NS
from marque.kernels.forecast import (
    SPEEDS_UP_MPS2,
    crosses_likely,
    crosswalk_near,
    may_be_open,
)
from marque.kernels.tables import map_tables
from marque.maps.lookup import LaneIndex
from marque.stack.perception.direct import PerceptionMemory, perceive
from marque.stack.planning.driver import Marque
from marque.stack.planning.interactions import HARDLY
from marque.stack.prediction.lanes import HORIZON_S, predict
from marque.types.codes import ConflictKind, Indicator, SignalState, Turn, UserKind
from marque.types.reading import EgoReading
from stage import Actor, Stage, _reading, steady

TOWN = street_grid(3, 3)
TABLES = map_tables(TOWN)


def forecast(*actors):
    stage = Stage(TOWN, Marque(), (0, 1.0), (0, 1.0), actors=actors)
    ego = EgoReading(0, 20.0, -1.6, 0.0, 0.0, 0.0, 0.0, 0.0)
    memory = PerceptionMemory(TOWN, LaneIndex(TOWN))
    _, scene = perceive(memory, _reading(stage, ego, 0.0))
    return scene, predict(TABLES, scene)


def turns(found):
    return {Turn(int(TOWN.lane_turn[c])) for c in found.connector if c >= 0}


def test_paths_begin_where_users_are_and_are_a_metre_apart():
    users = [
        Actor(steady(60.0, -1.6, 0.0, 8.0)),
        Actor(steady(30, 8, 1.0, 1.0), UserKind.PEDESTRIAN),
    ]
    scene, found = forecast(*users)
    for k in range(found.count):
        part = slice(found.off[k], found.off[k + 1])
        i = found.track[k]
        begin = (found.x_m[part][0], found.y_m[part][0])
        assert begin == pytest.approx((scene.tracks.x_m[i], scene.tracks.y_m[i]), abs=0.6)
        step = np.hypot(np.diff(found.x_m[part]), np.diff(found.y_m[part]))
        assert np.allclose(step, 1.0, atol=0.35)
    for i in range(scene.tracks.count):
        assert found.probability[found.track == i].sum() == pytest.approx(1.0)


def test_the_indicator_chooses_the_way_at_a_fork():
    for indicator, wanted in ((Indicator.LEFT, Turn.LEFT), (Indicator.OFF, Turn.STRAIGHT)):
        _, found = forecast(Actor(steady(90.0, -1.6, 0.0, 8.0), indicator=indicator))
        assert turns(found) == {wanted}


@pytest.mark.parametrize(
    ("aside", "drift", "indicator", "sure"),
    [
        (0.3, 0.4, Indicator.OFF, False),  # drifts
        (0.1, 0.15, Indicator.LEFT, False),  # asks to be let in
        (0.3, 0.4, Indicator.LEFT, True),  # changes
        (1.0, 0.4, Indicator.OFF, True),  # is over there already
    ],
)
def test_who_only_drifts_or_only_indicates_hardly_changes_lanes(aside, drift, indicator, sure):
    road = straight_road(400.0, 2)
    right = float(road.points(0)[0, 1])
    one = Actor(steady(60.0, right + aside, math.asin(drift / 12.0), 12.0), indicator=indicator)
    stage = Stage(road, Marque(), (0, 390.0), (0, 5.0), actors=[one])
    ego = EgoReading(0, 5.0, right, 0.0, 0.0, 0.0, 0.0, 0.0)
    _, scene = perceive(PerceptionMemory(road, LaneIndex(road)), _reading(stage, ego, 0.0))
    found = predict(map_tables(road), scene)
    away = [float(found.y_m[found.off[k + 1] - 1]) > right + 1.5 for k in range(found.count)]
    share = float(found.probability[: found.count][away].sum())
    assert share == pytest.approx(0.5 if sure else 0.4 / 1.4)
    assert (share < HARDLY) != sure


@pytest.mark.parametrize(
    ("turn", "indicator", "wanted"),
    [
        (Turn.STRAIGHT, Indicator.OFF, {3}),
        (Turn.STRAIGHT, Indicator.RIGHT, {4}),
        (Turn.RIGHT, Indicator.RIGHT, {3, 4}),  # it tells of the turn that is under way
    ],
)
def test_who_is_in_a_junction_has_the_next_one_before_them(turn, indicator, wanted):
    """Round a ring the way on bends more than the way out, and is straight on by the map."""
    ring = tiny_map(
        [
            Lane([(0.0, 0.0), (20.0, 0.0)], succ=[1]),
            Lane([(20.0, 0.0), (40.0, 0.0)], succ=[2], connector=True, turn=turn),
            Lane([(40.0, 0.0), (60.0, 0.0)], succ=[3, 4]),
            Lane(arc((60.0, 20.0), 20.0, -0.5 * math.pi, 0.0), succ=[5], connector=True),
            Lane([(60.0, 0.0), (70.0, -1.0)], connector=True, turn=Turn.RIGHT, succ=[6]),
            Lane([(80.0, 20.0), (80.0, 60.0)]),
            Lane([(70.0, -1.0), (120.0, -1.0)]),
        ]
    )
    one = Actor(steady(32.0, 0.0, 0.0, 8.0), indicator=indicator)
    stage = Stage(ring, Marque(), (0, 1.0), (5, 30.0), actors=[one])
    ego = EgoReading(0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    memory = PerceptionMemory(ring, LaneIndex(ring))
    _, scene = perceive(memory, _reading(stage, ego, 0.0))
    found = predict(map_tables(ring), scene)
    assert {int(lane) for lane in found.lane} & {3, 4} == wanted


@pytest.mark.parametrize(
    ("middle", "speed", "state", "stays"),
    [
        (31.0, 0.0, SignalState.RED, True),  # the line that they keep is drawn farther on
        (31.0, 0.0, SignalState.GREEN, False),
        (31.0, 4.0, SignalState.RED, False),  # drives on
        (36.0, 0.0, SignalState.RED, False),  # stands in the junction
    ],
)
def test_who_stands_with_their_tail_at_the_line_waits_for_the_light(middle, speed, state, stays):
    town = tiny_map(
        [
            Lane([(0.0, 0.0), (30.0, 0.0)], succ=[1]),
            Lane([(30.0, 0.0), (60.0, 0.0)], succ=[2], connector=True, head=0),
            Lane([(60.0, 0.0), (90.0, 0.0)]),
        ],
        programs=[Program(((30.0, "r"),))],
        heads=[(0, 0, (30.0, 0.0))],
    )
    stage = Stage(town, Marque(), (0, 1.0), (2, 20.0), actors=[Actor(steady(middle, 0, 0, speed))])
    ego = EgoReading(0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    memory = PerceptionMemory(town, LaneIndex(town))
    _, scene = perceive(memory, _reading(stage, ego, 0.0))
    scene = replace(scene, signal_state=np.array([state], np.int8))
    found = predict(map_tables(town), scene)
    assert (float(found.stop_m[0]) == 0.0) == stays


def lights_at_a_cross():
    """We come from the west and turn left; lane 4 comes from the east, lane 7 from the south, and
    both go straight on. Heads: 0 of our left turn, 1 of lane 4's way on, 2 of lane 7's."""
    turn = arc((-10.0, 10.0), 10.0, -0.5 * math.pi, 0.0)
    return tiny_map(
        [
            Lane([(-60.0, 0.0), (-10.0, 0.0)], succ=[1]),
            Lane(turn, succ=[2], connector=True, turn=Turn.LEFT, head=0),
            Lane([(0.0, 10.0), (0.0, 60.0)]),
            Lane([(60.0, 3.2), (10.0, 3.2)], succ=[4, 9]),
            Lane([(10.0, 3.2), (-10.0, 3.2)], [5], connector=True, turn=Turn.STRAIGHT, head=1),
            Lane([(-10.0, 3.2), (-60.0, 3.2)]),
            Lane([(-3.0, -60.0), (-3.0, -10.0)], succ=[7]),
            Lane([(-3.0, -10.0), (-3.0, 10.0)], [8], connector=True, turn=Turn.STRAIGHT, head=2),
            Lane([(-3.0, 10.0), (-3.0, 60.0)]),
            Lane([(10.0, 3.2), (0.0, -10.0)], connector=True, turn=Turn.LEFT, head=1),
        ],
        conflicts=[
            Conflict(1, 4, 3.0, 9.0, 8.0, 14.0, ConflictKind.CROSS, -1),
            Conflict(1, 7, 3.0, 9.0, 10.0, 18.0, ConflictKind.CROSS, -1),
            Conflict(4, 7, 10.0, 16.0, 10.0, 16.0, ConflictKind.CROSS, 1),
        ],
        programs=[Program(((30.0, "rrr"),))],
        heads=[(0, 0, (-10.0, 0.0)), (0, 1, (10.0, 3.2)), (0, 2, (-3.0, -10.0))],
    )


EAST = (13.0, 3.2)  # before the line of lane 4
LEFT, OFF = Indicator.LEFT, Indicator.OFF
GREEN, GREEN_YIELD = SignalState.GREEN, SignalState.GREEN_YIELD
RED, UNKNOWN = SignalState.RED, SignalState.UNKNOWN


@pytest.mark.parametrize(
    ("connector", "ours", "opposite", "may"),
    [
        (4, GREEN_YIELD, UNKNOWN, True),  # it has green with us, and we yield to it
        (9, GREEN_YIELD, UNKNOWN, True),  # and so does who turns there: one light for the lane
        (4, GREEN, UNKNOWN, False),  # a protected turn: it is closed
        (9, GREEN, UNKNOWN, False),
        (4, RED, UNKNOWN, False),
        (4, UNKNOWN, UNKNOWN, False),
        (7, GREEN_YIELD, UNKNOWN, False),  # comes from the side
        (7, GREEN_YIELD, GREEN, False),
    ],
)
def test_an_unseen_light_may_be_green_where_who_comes_towards_it_has_green(
    connector, ours, opposite, may
):
    lights = np.array([ours, opposite, UNKNOWN], np.int8)
    assert may_be_open(map_tables(lights_at_a_cross()), connector, lights) == may


@pytest.mark.parametrize(
    ("ours", "at", "heading", "shows", "inside", "held"),
    [
        (GREEN_YIELD, EAST, math.pi, LEFT, False, False),  # may wait for somebody at green
        (GREEN_YIELD, EAST, math.pi, OFF, False, True),  # goes straight on: nobody to wait for
        (GREEN, EAST, math.pi, LEFT, False, True),
        (RED, EAST, math.pi, LEFT, False, True),
        (UNKNOWN, EAST, math.pi, LEFT, False, True),
        (UNKNOWN, EAST, math.pi, LEFT, True, False),  # we are over our line: it was green
        (UNKNOWN, EAST, math.pi, OFF, True, True),
        (GREEN_YIELD, (-3.0, -13.0), 0.5 * math.pi, OFF, False, True),
        (UNKNOWN, (-3.0, -13.0), 0.5 * math.pi, OFF, True, True),
    ],
)
def test_who_has_stood_at_an_unseen_light_has_red_unless_it_may_be_green(
    ours, at, heading, shows, inside, held
):
    town = lights_at_a_cross()
    other = Actor(steady(*at, heading, 0.0), indicator=shows)
    stage = Stage(town, Marque(), (0, 1.0), (2, 20.0), actors=[other])
    place = (-4.0, 2.2, 0.6) if inside else (-20.0, 0.0, 0.0)
    memory = PerceptionMemory(town, LaneIndex(town))
    for step in range(30):
        ego = EgoReading(step * PLAN_STEP_NS, *place, 0.0, 0.0, 0.0, 0.0)
        memory, scene = perceive(memory, _reading(stage, ego, 0.1 * step))
    scene = replace(scene, signal_state=np.array([ours, UNKNOWN, UNKNOWN], np.int8))
    found = predict(map_tables(town), scene)
    assert np.isfinite(found.stop_m).all() == held


@pytest.mark.parametrize(
    ("ours", "leader", "held"),
    [
        (GREEN_YIELD, (6.0, 3.2), False),  # who leads turns and waits in the middle
        (GREEN_YIELD, (-20.0, 3.2), True),  # far ahead: for the light, then
        (RED, (6.0, 3.2), True),
    ],
)
def test_who_stands_right_behind_somebody_over_the_line_waits_for_them(ours, leader, held):
    """Straight on, at a light that we cannot see."""
    town = lights_at_a_cross()
    actors = [Actor(steady(*EAST, math.pi, 0.0)), Actor(steady(*leader, math.pi, 0.0))]
    stage = Stage(town, Marque(), (0, 1.0), (2, 20.0), actors=actors)
    memory = PerceptionMemory(town, LaneIndex(town))
    for step in range(30):
        ego = EgoReading(step * PLAN_STEP_NS, -20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        memory, scene = perceive(memory, _reading(stage, ego, 0.1 * step))
    scene = replace(scene, signal_state=np.array([ours, UNKNOWN, UNKNOWN], np.int8))
    found = predict(map_tables(town), scene)
    row = int(np.argmin(np.abs(scene.tracks.x_m - EAST[0])))
    assert np.isfinite(found.stop_m[found.track == row]).all() == held


@pytest.mark.parametrize("speed", [0.0, 3.0])
def test_the_way_of_who_sets_off_is_as_long_as_they_may_drive(speed):
    """From rest one gets on 50 m in 8 s: who ends before that would vanish from the rollouts."""
    _, found = forecast(Actor(steady(30.0, -1.6, 0.0, speed)))
    least = speed * HORIZON_S + 0.5 * SPEEDS_UP_MPS2 * HORIZON_S**2 - 10.0 * speed
    assert (np.diff(found.off) > least).all()


def test_nobody_there_is_no_path():
    _, found = forecast()
    assert found.count == 0
    assert len(found.x_m) == 0


def test_no_path_begins_where_its_user_is_not():
    """Whoever has driven past a turn is not on it: a standing car would block the turn's end."""
    bend = arc((30.0, 2.0), 2.0, -math.pi / 2.0, math.pi / 2.0)
    town = tiny_map(
        [
            Lane([(0.0, 0.0), (30.0, 0.0)], succ=[1, 2]),
            Lane([(30.0, 0.0), (36.0, 0.0)], succ=[3], connector=True),
            Lane(bend, succ=[4], connector=True, turn=Turn.STRAIGHT),
            Lane([(36.0, 0.0), (80.0, 0.0)]),
            Lane([(30.0, 4.0), (0.0, 4.0)]),
        ]
    )
    stage = Stage(town, Marque(), (0, 1.0), (3, 30.0), actors=[Actor(steady(35.0, 0.0, 0.0, 0.0))])
    ego = EgoReading(0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    memory = PerceptionMemory(town, LaneIndex(town))
    _, scene = perceive(memory, _reading(stage, ego, 0.0))
    found = predict(map_tables(town), scene)
    assert scene.tracks.count == found.count == 1
    assert (found.x_m[0], found.y_m[0]) == pytest.approx((35.0, 0.0), abs=0.6)
    assert found.probability[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("turned", "likely"), [(0.0, 0.5), (0.5 * math.pi, 0.2), (-0.5 * math.pi, 0.2), (math.pi, None)]
)
def test_who_walks_along_the_kerb_hardly_crosses_and_who_turns_away_does_not(turned, likely):
    road = Lane([(0.0, 0.0), (60.0, 0.0)])
    walk = Walk((30.0, -3.0, 30.0, 3.0), [(0, 28.5, 31.5)], priority=False)
    tables = map_tables(tiny_map([road], walks=[walk]))
    psi = 0.5 * math.pi + turned  # the axis leads to the left of the road
    found, end = crosswalk_near(tables, 30.0, -3.4, psi, 1.3, np.zeros(0, np.int8))
    if likely is None:
        assert found == -1
        return
    assert (found, end) == (0, 0)
    assert crosses_likely(tables, found, end, psi) == likely


def test_on_a_zebra_whoever_is_near_may_cross():
    road = Lane([(0.0, 0.0), (60.0, 0.0)])
    tables = map_tables(tiny_map([road], walks=[Walk((30.0, -3.0, 30.0, 3.0), [(0, 28.5, 31.5)])]))
    assert crosses_likely(tables, 0, 0, 0.0) == 0.5
