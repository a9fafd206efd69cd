"""Maps of our own making: whole, the same for the same seed, and with what they promise."""

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.maps.check import SERIOUS, check_map
from marque.maps.made.draw import make_map
from marque.maps.trips import draw_trips
from marque.types.codes import Control


@pytest.mark.parametrize("kind", ["town", "motorway", "grid"])
def test_a_map_is_free_of_serious_defects_and_has_ways(kind):
    made = make_map(kind, 2)
    assert [d for d in check_map(made) if d.severity == SERIOUS] == []
    assert len(draw_trips(made, 1, 3, 500.0)) == 3


def test_the_same_seed_makes_the_same_town_and_another_another():
    one, two, other = make_map("town", 4), make_map("town", 4), make_map("town", 5)
    assert np.array_equal(one.pt_xy_m, two.pt_xy_m) and one.lane_name == two.lane_name
    assert one.pt_xy_m.shape != other.pt_xy_m.shape or not np.allclose(one.pt_xy_m, other.pt_xy_m)


def test_the_town_has_what_a_town_has():
    made = make_map("town", 1)
    assert len(made.group_name) >= 4 and len(made.phase_state) == 6 * len(made.group_name)
    assert made.lane_roundabout.any() and (made.lane_control == Control.ROUNDABOUT).any()
    assert len(made.walk_name) > 10 and (made.walk_head >= 0).any()
    assert len(made.stop_name) > 3
    both = {name[:3] + name[3:6] for name in made.edge_name if name.startswith("n")}
    assert any(name[3:] + name[:3] not in both for name in both)  # a one-way street


def test_the_motorway_has_ramps_at_two_interchanges():
    made = make_map("motorway", 1)
    names = set(made.edge_name)
    assert {"eoff0", "eon0", "woff1", "won1"} <= names
    assert made.lane_limit_mps.max() > 30.0


def test_an_unknown_kind_is_named():
    with pytest.raises(MarqueError, match=r"no kind of map 'city'; have \[grid, motorway, town\]"):
        make_map("city", 1)
