"""What impaired senses do to the plan: parameters, places to stop, and when."""

from dataclasses import fields

import numpy as np
import pytest

from marque.kernels.rollout import E_BRAKE, E_FRONT, E_HEADWAY, E_JERK, E_LEN
from marque.stack.planning.impaired import coming_to_rest, degraded, halts, wary
from marque.stack.planning.state import Start
from marque.types.codes import Reaction
from marque.types.health import FINE, Health
from marque.types.scene import EgoBelief, Scene, Tracks


def ego_parameters():
    ego = np.zeros(E_LEN)
    ego[E_BRAKE], ego[E_JERK], ego[E_HEADWAY], ego[E_FRONT] = 2.3, 1.0, 1.4, 3.8
    return ego


def scene(level: Reaction, speed_mps: float) -> Scene:
    ego = EgoBelief(0.0, 0.0, 0.0, speed_mps, 0.0, 0.0, 0.0, 0, 0.0, 0.0)
    nobody = Tracks(*(np.zeros(0) for _ in range(len(fields(Tracks)))))
    return Scene(0, ego, nobody, np.zeros(0), np.zeros(0), FINE if level < 0 else Health(level))


@pytest.mark.parametrize("level", list(Reaction))
def test_headway_grows_from_the_first_degree_on(level):
    ego = wary(scene(level, 10.0), ego_parameters())
    grown = level >= Reaction.DEGRADE
    assert degraded(scene(level, 10.0)) == grown
    assert ego[E_HEADWAY] == pytest.approx(1.4 * (1.5 if grown else 1.0))


def test_a_takeover_goes_on_driving_but_does_not_set_off():
    assert not halts(scene(Reaction.TAKEOVER, 10.0))
    assert halts(scene(Reaction.TAKEOVER, 0.0))
    assert halts(scene(Reaction.STOP, 10.0))
    assert not halts(scene(Reaction.DEGRADE, 0.0))


def test_the_place_of_a_stop_stays_where_it_is_while_we_drive_up_to_it():
    ego, v, s = ego_parameters(), 10.0, 0.0
    place = coming_to_rest(scene(Reaction.STOP, v), ego, Start(s, v, 0.0), None)
    first = s + place.left_m
    assert v * v / (2.0 * 3.0) < place.left_m < v * v / (2.0 * 1.4)
    for _ in range(40):
        s, v = s + 0.1 * v - 0.5 * 2.0 * 0.01, v - 0.2
        place = coming_to_rest(scene(Reaction.STOP, v), ego, Start(s, v, -2.0), place)
        assert s + place.left_m == pytest.approx(first, abs=1e-6)
    assert coming_to_rest(scene(Reaction.DEGRADE, v), ego, Start(s, v, 0.0), place) is None
