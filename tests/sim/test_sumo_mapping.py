"""How our car is put onto SUMO's lanes: kept on its own, unless it has truly left the route."""

from types import SimpleNamespace

import pytest

from marque.sim.worlds.sumo_run import Sumo

NOWHERE = -1073741824.0  # what SUMO says of a place beside its lanes


def placed(aside, at=(0.0, 0.0), beside=False, free=False, wanted=None):
    """Our car's mapping after a step; `at`: where SUMO has put it, and we are at the origin."""
    vehicle = SimpleNamespace(
        getLateralLanePosition=lambda name: aside, getPosition=lambda name: at
    )
    sumo = Sumo.__new__(Sumo)
    sumo.lib = SimpleNamespace(vehicle=vehicle, TraCIException=ValueError)
    sumo.front, sumo.beside, sumo.free_map, sumo.route_wanted = (
        (0.0, 0.0, 0.0),
        beside,
        free,
        wanted,
    )
    sumo._check_mapping()
    return "free" if sumo.free_map else "beside" if sumo.beside else "on"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("on", placed(0.3)),
        ("on", placed(-2.4)),
        ("beside", placed(NOWHERE)),  # swung out: from now on we are put onto the lane,
        ("beside", placed(0.0, (2.6, 0.0), beside=True)),  # for as long as we are beside it,
        ("on", placed(0.0, (1.2, 0.0), beside=True)),  # and no longer
        ("free", placed(0.0, (9.0, 0.0), beside=True)),  # a turn is missed
        ("free", placed(NOWHERE, beside=True)),  # not even so on a lane
        ("free", placed(8.5)),
        ("free", placed(0.0, free=True, wanted=("elsewhere",))),  # until the new route is known
        ("on", placed(0.0, free=True)),
    ],
)
def test_our_car_stays_on_its_lane_unless_it_has_left_the_route(wanted, found):
    assert found == wanted
