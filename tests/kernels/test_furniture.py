"""What stands along the lanes of a map."""

import math

import numpy as np
import pytest

from builders import Lane, Program, tiny_map
from marque.kernels.furniture import furniture_of
from marque.types.codes import Control, Furniture
from marque.types.road_map import NONE

EAST, OVER, AWAY, BACK, IN = range(5)


def road(control=Control.SIGNAL, head=0, after=8.33, back=True):
    """A road to the east over a junction, where its limit changes; one back beside it, and one that
    comes in from the north with no way out there."""
    lanes = [
        Lane([(0.0, 0.0), (100.0, 0.0)], succ=[OVER], stop=98.0),
        Lane([(100.0, 0.0), (112.0, 0.0)], succ=[AWAY], connector=True, control=control, head=head),
        Lane([(112.0, 0.0), (200.0, 0.0)], limit=after),
        Lane([(100.0, 3.2), (0.0, 3.2)] if back else [(300.0, 90.0), (200.0, 90.0)]),
        Lane([(106.0, 80.0), (106.0, 12.0)], succ=[5]),
        Lane([(106.0, 12.0), (112.0, 0.0)], succ=[AWAY], connector=True, control=Control.YIELD),
    ]
    return tiny_map(lanes, heads=[(0, 0, (98.0, 0.0))], programs=[Program([(30.0, "r")])])


def of(placed, kind):
    rows = np.flatnonzero(placed.kind == kind)
    return [
        (round(float(placed.x_m[i]), 1), round(float(placed.y_m[i]), 1), float(placed.value[i]))
        for i in rows
    ]


def test_a_signal_and_its_line_stand_on_the_lane_that_they_hold():
    placed = furniture_of(road())
    assert of(placed, Furniture.SIGNAL) == [(98.0, 0.0, 0.0)]
    assert of(placed, Furniture.STOP_LINE) == [(98.0, 0.0, 0.0)]
    row = int(np.flatnonzero(placed.kind == Furniture.SIGNAL)[0])
    assert placed.heading_rad[row] == pytest.approx(0.0) and placed.lane[row] == EAST


@pytest.mark.parametrize(
    ("control", "line"), [(Control.STOP, True), (Control.YIELD, False), (Control.FREE, False)]
)
def test_without_signal_only_a_stop_sign_has_a_line(control, line):
    placed = furniture_of(road(control, NONE))
    assert not of(placed, Furniture.SIGNAL)
    assert bool(of(placed, Furniture.STOP_LINE)) == line


def test_a_limit_stands_where_it_changes_and_where_a_road_begins():
    placed = furniture_of(road())
    assert (112.0, 0.0, 8.33) in of(placed, Furniture.LIMIT)
    assert (0.0, 0.0, 13.89) in of(placed, Furniture.LIMIT)
    same = furniture_of(road(after=13.89))
    assert not [row for row in of(same, Furniture.LIMIT) if row[0] == 112.0]


def test_no_entry_stands_where_no_road_leads_back():
    placed = furniture_of(road())
    assert of(placed, Furniture.NO_ENTRY) == [(106.0, 12.0, 0.0)]
    row = int(np.flatnonzero(placed.kind == Furniture.NO_ENTRY)[0])
    assert math.sin(placed.heading_rad[row]) == pytest.approx(1.0)  # for who comes from the south
    alone = of(furniture_of(road(back=False)), Furniture.NO_ENTRY)
    assert (100.0, 0.0, 0.0) in alone
