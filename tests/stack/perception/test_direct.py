"""Perception: who is lost is carried on for a moment; standing and red are remembered."""

from dataclasses import replace

import numpy as np
import pytest

from builders import Lane, straight_road, tiny_map
from marque.maps.lookup import LaneIndex
from marque.stack.perception.direct import KEEP_S, TOLD_S, PerceptionMemory, perceive
from marque.types.codes import Indicator, UserKind
from marque.types.reading import Detections, EgoReading, Reading, SignalReading

ROAD = straight_road(300.0, 1)


def reading(t_s, users):
    """users: uid -> (x, speed)."""
    n, t = len(users), round(t_s * 1e9)
    real = np.array([list(u) for u in users.values()], float).reshape(n, 2)
    found = Detections(
        t_ns=t,
        uid=np.array(list(users), np.int64),
        kind=np.full(n, UserKind.CAR, np.int8),
        x_m=real[:, 0].copy(),
        y_m=np.zeros(n),
        heading_rad=np.zeros(n),
        speed_mps=real[:, 1].copy(),
        accel_mps2=np.zeros(n),
        length_m=np.full(n, 4.5),
        width_m=np.full(n, 1.8),
        indicator=np.full(n, Indicator.OFF, np.int8),
    )
    ego = EgoReading(t, 10.0, 0.5, 0.0, 5.0, 0.0, 0.0, 0.0)
    return Reading(t, ego, found, SignalReading(t, np.zeros(0, np.int8)))


def scenes(steps):
    memory = PerceptionMemory(ROAD, LaneIndex(ROAD))
    for t_s, users in steps:
        memory, scene = perceive(memory, reading(t_s, users))
        yield scene


def test_the_ego_and_others_are_placed_on_lanes():
    (scene,) = scenes([(0.0, {7: (60.0, 3.0)})])
    assert (scene.ego.lane, scene.tracks.lane[0]) == (0, 0)
    assert scene.ego.s_m == pytest.approx(10.0)
    assert scene.ego.d_m == pytest.approx(0.5)
    assert scene.tracks.s_m[0] == pytest.approx(60.0)


def test_who_is_lost_goes_on_for_a_moment_and_then_is_forgotten():
    steps = [(0.0, {7: (60.0, 4.0)}), *((0.1 * i, {}) for i in range(1, 20))]
    for i, scene in enumerate(scenes(steps)):
        if 0.1 * i < KEEP_S - 0.01:
            assert scene.tracks.uid.tolist() == [7]
            assert scene.tracks.x_m[0] == pytest.approx(60.0 + 0.4 * i)
            assert scene.tracks.age_s[0] == pytest.approx(0.1 * i)
    assert scene.tracks.count == 0


def test_standing_time_grows_only_while_standing():
    steps = [(0.1 * i, {7: (60.0, 5.0 if i == 6 else 0.0)}) for i in range(10)]
    still = [float(s.tracks.still_s[0]) for s in scenes(steps)]
    assert still[:6] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert still[6:] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_who_turns_inside_a_junction_is_still_known_to_have_indicated():
    town = tiny_map(
        [
            Lane([(0.0, 0.0), (50.0, 0.0)], succ=[1]),
            Lane([(50.0, 0.0), (62.0, 0.0)], succ=[2], connector=True),
            Lane([(62.0, 0.0), (120.0, 0.0)]),
        ]
    )
    memory = PerceptionMemory(town, LaneIndex(town))
    shown = []
    places = ((45.0, Indicator.LEFT), (52.0, Indicator.LEFT), (55.0, Indicator.OFF))
    for i, (x, indicator) in enumerate((*places, (70.0, Indicator.OFF))):
        given = reading(0.1 * i, {7: (x, 3.0)})
        found = replace(given.detections, indicator=np.array([indicator], np.int8))
        memory, scene = perceive(memory, replace(given, detections=found))
        shown.append(int(scene.tracks.indicator[0]))
    assert shown == [Indicator.LEFT, Indicator.LEFT, Indicator.LEFT, Indicator.OFF]


@pytest.mark.parametrize(("away_s", "known"), [(3.0, True), (TOLD_S + 1.0, False)])
def test_who_was_out_of_sight_in_a_junction_is_still_about_what_they_indicated(away_s, known):
    """Others pass between us and somebody who waits in the middle to turn left."""
    town = tiny_map(
        [
            Lane([(0.0, 0.0), (50.0, 0.0)], succ=[1]),
            Lane([(50.0, 0.0), (62.0, 0.0)], succ=[2], connector=True),
            Lane([(62.0, 0.0), (120.0, 0.0)]),
        ]
    )
    memory = PerceptionMemory(town, LaneIndex(town))
    given = reading(0.0, {7: (45.0, 3.0)})
    found = replace(given.detections, indicator=np.array([Indicator.LEFT], np.int8))
    memory, _ = perceive(memory, replace(given, detections=found))
    for i in range(1, round(10 * away_s)):
        memory, scene = perceive(memory, reading(0.1 * i, {}))
    assert scene.tracks.count == 0
    _, scene = perceive(memory, reading(away_s, {7: (55.0, 0.0)}))
    assert int(scene.tracks.indicator[0]) == (Indicator.LEFT if known else Indicator.OFF)
