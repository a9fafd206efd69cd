"""The machine code of a drive is loaded ahead of it."""

import sys
from dataclasses import replace

import pytest

from builders import straight_road
from marque.core.jit import ENABLED
from marque.maps.lookup import LaneIndex
from marque.maps.trips import Trip
from marque.sensing.profile import load_profile
from marque.sim.drive import Car, Setup, begin_sensing, begin_stack, load_code, warm
from marque.sim.worlds.empty import EmptyWorld
from marque.vehicle.catalog import load_platform


def setup_of(sensors="standard"):
    road = straight_road()
    return Setup(
        road_map=road,
        index=LaneIndex(road),
        platform=load_platform("saloon_ev"),
        driver="marque",
        trip=Trip(0, 20.0, 0, 250.0),
        seed=1,
        profile=load_profile(sensors),
        limit_s=60.0,
    )


def compiled():
    """How many times each function of ours has been compiled, or loaded."""
    modules = [module for name, module in sys.modules.items() if name.startswith("marque.")]
    found = {}
    for module in modules:
        for each in vars(module).values():
            signatures = getattr(each, "signatures", None)
            if isinstance(signatures, list):
                found[f"{each.__module__}.{each.__name__}"] = len(signatures)
    return found


@pytest.mark.skipif(not ENABLED, reason="nothing is compiled")
@pytest.mark.parametrize("sensors", ["ideal", "standard"])
def test_after_it_the_first_tick_of_a_drive_compiles_nothing(sensors):
    setup = setup_of(sensors)
    load_code(setup)
    before = compiled()
    world = EmptyWorld(setup.road_map)
    truth = world.reset(Car(setup).truth())
    warm(begin_stack(setup), begin_sensing(setup), truth)
    assert len(before) > 20 and sum(before.values()) > 20
    assert compiled() == before


def test_what_fails_in_it_is_told_by_the_drive_alone():
    wrong = replace(setup_of(), driver="nobody")
    load_code(wrong)
    with pytest.raises(Exception, match="nobody"):
        begin_stack(wrong)
