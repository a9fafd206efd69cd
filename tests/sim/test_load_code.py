"""The machine code of a drive is loaded ahead of it."""

import sys
from dataclasses import replace

import numba
import pytest

from builders import straight_road
from marque.core.jit import ENABLED
from marque.kernels.tables import map_tables
from marque.maps.field import route_length_m
from marque.maps.lookup import LaneIndex
from marque.maps.open_ground import straight_lane
from marque.maps.trips import Trip
from marque.sensing.profile import load_profile
from marque.sim import ahead
from marque.sim.ahead import CodeAhead, load_code
from marque.sim.drive import Car, Setup, begin_sensing, begin_stack, trip_route
from marque.sim.warm import warm
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


def test_what_is_compiled_does_not_depend_on_the_road():
    of_one_lane, of_two = (map_tables(road) for road in (straight_lane(80.0), straight_road(300.0)))
    assert numba.typeof(of_one_lane) == numba.typeof(of_two)


def test_a_single_lane_can_be_driven():
    setup = ahead._practice("marque", "saloon_ev", "ideal")
    road, trip = setup.road_map, setup.trip
    assert road.lane_count == 1 and road.lane_length_m[0] == ahead.LANE_M
    route, edges = trip_route(road, trip)
    assert edges == ("edge",)
    assert route_length_m(road, route, trip.start_lane, trip.start_s_m) == pytest.approx(240.0)
    truth = EmptyWorld(road).reset(Car(setup).truth())
    warm(begin_stack(setup), begin_sensing(setup), truth)


def test_code_is_made_ahead_only_where_none_is_kept(monkeypatch):
    monkeypatch.setattr(ahead, "none_kept", lambda: False)
    with CodeAhead("marque", "saloon_ev", "ideal") as one:
        one.wait()
    assert one.process is None


def test_the_process_ends_with_the_drive(monkeypatch):
    monkeypatch.setattr(ahead, "none_kept", lambda: True)
    with CodeAhead("marque", "saloon_ev", "ideal") as one:
        assert one.process.poll() is None
    assert one.process.poll() is not None
