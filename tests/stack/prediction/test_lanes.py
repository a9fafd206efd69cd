"""Prediction: every path begins at its user, follows the map, and shares out probability."""

import numpy as np
import pytest

from builders import street_grid
from marque.kernels.tables import map_tables
from marque.maps.lookup import LaneIndex
from marque.stack.perception.direct import PerceptionMemory, perceive
from marque.stack.planning.driver import Marque
from marque.stack.prediction.lanes import predict
from marque.types.codes import Indicator, Turn, UserKind
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


def test_nobody_there_is_no_path():
    _, found = forecast()
    assert found.count == 0
    assert len(found.x_m) == 0
