"""A driver that takes every signal for green, in a town of signalled crossings: the guard has eyes
of its own, and stops it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from marque.sim import drive
from marque.sim.drive import begin_episode, run_drive, trip_route
from marque.sim.judged import judged
from marque.sim.order import Order, open_ground, prepare
from marque.sim.worlds.empty import EmptyWorld
from marque.stack.planning.driver import Marque
from marque.types.codes import SignalState
from marque.types.episode import Episode
from towns import save_town

pytestmark = [pytest.mark.sumo, pytest.mark.prove]  # 16 s of CPU time each


class Colourblind(Marque):
    """Ours, but all that it sees is green."""

    def drive(self, memory, scene, forecast):
        green = np.full(len(scene.signal_state), np.int8(SignalState.GREEN))
        return super().drive(memory, replace(scene, signal_state=green), forecast)


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    return save_town(tmp_path_factory.mktemp("town"))


def driven(town: Path, sensors: str, seed: int = 4) -> tuple[Episode, dict]:
    order = Order(
        map_name=str(town), traffic="none", seed=seed, min_length_m=450.0, sensors=sensors
    )
    ready = prepare(order, open_ground(order))
    setup = replace(ready.setup, limit_s=150.0)
    world = EmptyWorld(setup.road_map)
    episode = begin_episode(setup, trip_route(setup.road_map, setup.trip)[0], world)
    run_drive(setup, world, episode)
    return episode, judged(episode, setup.index, None, world.names).numbers


def rules(episode: Episode) -> Counter:
    return Counter(v.rule for tick in episode.ticks for v in tick.verdicts)


@pytest.mark.parametrize("sensors", ["ideal", "standard"])
def test_who_takes_red_for_green_is_stopped_and_arrives(town, monkeypatch, sensors):
    monkeypatch.setattr(drive, "load_driver", lambda name: Colourblind())
    episode, numbers = driven(town, sensors)
    assert rules(episode)["red_light"] > 0
    assert numbers["red_light"] == 0
    assert episode.end == "arrived"


def test_without_its_eyes_reds_are_crossed(town, monkeypatch):
    monkeypatch.setattr(drive, "load_driver", lambda name: Colourblind())
    monkeypatch.setattr(drive, "begin_ahead", lambda road_map, index: None)
    episode, numbers = driven(town, "ideal")
    assert numbers["red_light"] > 0
    assert rules(episode)["red_light"] == 0


@pytest.mark.parametrize("sensors", ["ideal", "standard"])
def test_our_own_driver_never_meets_the_interlock(town, sensors):
    episode, numbers = driven(town, sensors)
    assert not {"red_light", "priority"} & set(rules(episode))
    assert numbers["red_light"] == 0 and episode.end == "arrived"
