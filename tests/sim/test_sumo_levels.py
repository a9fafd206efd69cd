"""Who is on a bridge above us or in a tunnel below. A stand-in for libsumo."""

from types import SimpleNamespace

import pytest

from marque.sim.worlds.sumo_levels import Levels, _crossing

EDGES = {  # our road eastward in two edges, a bridge over the first, a side road into the second
    "a": ("j0", "j1", [(0.0, 0.0), (100.0, 0.0)]),
    "b": ("j1", "j2", [(110.0, 0.0), (200.0, 0.0)]),
    "bridge": ("k0", "k1", [(50.0, -80.0), (50.0, 80.0)]),
    "ramp": ("k1", "k2", [(50.0, 80.0), (0.0, 120.0)]),
    "side": ("s0", "j1", [(60.0, -40.0), (105.0, 5.0)]),
    "beside": ("k3", "k4", [(0.0, -3.0), (100.0, 3.0)]),
}
INSIDE = {":j1_0_0": [(100.0, 0.0), (110.0, 0.0)], ":k1_0_0": [(50.0, 20.0), (60.0, -20.0)]}


class Gone(Exception):
    pass


def levels(at: int = 0) -> Levels:
    def shape(lane: str):
        return INSIDE[lane] if lane in INSIDE else EDGES[lane[:-2]][2]

    lane = SimpleNamespace(
        getIDList=lambda: [*(f"{edge}_0" for edge in EDGES), *INSIDE],
        getShape=shape,
        getLength=lambda name: 100.0,
        getLinks=lambda name: [("b_0", True, True, False, ":j1_0_0")] if name == "a_0" else [],
    )
    edge = SimpleNamespace(
        getLaneNumber=lambda name: 1,
        getFromJunction=lambda name: EDGES[name][0],
        getToJunction=lambda name: EDGES[name][1],
    )
    vehicle = SimpleNamespace(getRoute=lambda name: ("a", "b"), getRouteIndex=lambda name: at)
    made = Levels(SimpleNamespace(lane=lane, edge=edge, vehicle=vehicle, TraCIException=Gone), "us")
    made.look()
    return made


@pytest.mark.parametrize(
    ("x", "y", "lane", "hidden"),
    [
        (50.0, -10.0, "bridge_0", True),
        (50.0, -70.0, "bridge_0", False),  # far from where it crosses
        (52.0, 5.0, ":k1_0_0", True),  # a junction over our road
        (50.0, 0.0, "a_0", False),
        (80.0, -20.0, "side_0", False),  # it meets us at the next junction
        (105.0, 0.0, ":j1_0_0", False),
        (50.0, 0.0, "", False),  # on no lane
    ],
)
def test_who_is_on_another_level_near_our_way(x, y, lane, hidden) -> None:
    assert levels().hides(x, y, lane) is hidden


def test_lanes_that_lie_beside_each_other_are_on_one_level() -> None:
    assert _crossing((0.0, 0.0), (100.0, 0.0), (0.0, -3.0), (100.0, 3.0)) is None
    assert _crossing((0.0, 0.0), (9.0, 0.0), (4.0, -3.0), (4.0, 3.0)) == (4.0, 0.0)
    assert _crossing((0.0, 0.0), (9.0, 0.0), (12.0, -3.0), (12.0, 3.0)) is None


def test_without_our_car_nobody_is_hidden() -> None:
    made = levels()

    def gone(name: str):
        raise Gone

    made = Levels(made.lib, "us")
    made.lib.vehicle.getRoute = gone
    made.look()
    assert not made.hides(50.0, 0.0, "bridge_0")
