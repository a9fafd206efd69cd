"""Whoever is known less well is given more room."""

from dataclasses import fields, replace

import numpy as np
import pytest

from builders import straight_road
from marque.kernels.tables import map_tables
from marque.maps.lookup import LaneIndex
from marque.stack.perception.direct import PerceptionMemory, perceive
from marque.stack.planning.doubtful import MOST_ACROSS_M, MOST_ALONG_M, USUAL_M, roomier
from marque.stack.planning.driver import Marque
from marque.stack.prediction.lanes import predict
from marque.types.mission import Mission
from marque.types.reading import Detections, EgoReading, Reading, SignalReading
from marque.types.scene import Doubt
from stage import CAR


def scene_with(x_m=60.0, speed_mps=0.0):
    """Our car at 10 m/s, and one more ahead of it."""
    one = {
        "uid": np.array([7]), "kind": np.zeros(1, np.int8), "x_m": np.array([x_m]),
        "y_m": np.zeros(1), "heading_rad": np.zeros(1), "speed_mps": np.array([speed_mps]),
        "accel_mps2": np.zeros(1), "length_m": np.array([4.5]), "width_m": np.array([1.8]),
        "indicator": np.zeros(1, np.int8),
    }  # fmt: skip
    road = straight_road()
    ego = EgoReading(0, 20.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0)
    none = SignalReading(0, np.zeros(0, np.int8))
    seen = PerceptionMemory(road, LaneIndex(road))
    return road, perceive(seen, Reading(0, ego, Detections(0, **one), none))[1]


def doubt(along, across):
    one = np.ones(1)
    return Doubt(along * one, across * one, 0.2 * one, 0.05 * one, one)


def test_exact_and_usual_tracks_stay_as_they_are():
    _, scene = scene_with()
    assert roomier(scene) is scene
    usual = roomier(replace(scene, doubt=doubt(USUAL_M, 0.5 * USUAL_M)))
    for each in fields(scene.tracks):
        assert np.array_equal(getattr(usual.tracks, each.name), getattr(scene.tracks, each.name))


@pytest.mark.parametrize(("along", "across"), [(0.4, 0.2), (5.0, 5.0)])
def test_more_doubt_is_a_larger_body_up_to_a_bound(along, across):
    _, scene = scene_with()
    grown = roomier(replace(scene, doubt=doubt(along, across))).tracks
    more = float((grown.length_m - scene.tracks.length_m)[0])
    wider = float((grown.width_m - scene.tracks.width_m)[0])
    assert more == pytest.approx(2.0 * min(along - USUAL_M, MOST_ALONG_M))
    assert wider == pytest.approx(2.0 * min(across - USUAL_M, MOST_ACROSS_M))
    assert np.array_equal(grown.x_m, scene.tracks.x_m)


def test_we_stop_earlier_behind_whom_we_know_less_well():
    road, scene = scene_with()
    ends = []
    for each in (None, doubt(0.1, 0.1), doubt(1.0, 0.3)):
        driver = Marque()
        memory = driver.start(Mission(road, CAR, 0, 280.0, 0))
        seen = replace(scene, doubt=each)
        _, plan = driver.drive(memory, seen, predict(map_tables(road), seen))
        ends.append(float(plan.trajectory.x_m[-1]))
    assert ends[0] == ends[1]
    assert ends[2] < ends[0] - 0.2
