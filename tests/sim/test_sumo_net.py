"""Networks as SUMO's drivers get them: flat, and along the map's lines."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo_net import fitted, has_heights
from marque.sim.worlds.sumo_spec import _net_path

STEEP = b"""<net>
<edge id="walk" function="walkingarea">
 <lane id="walk_0" allow="pedestrian" length="4.0" shape="0,0,5 9,0,5 9,9,5"/>
</edge>
<edge id="ramp">
 <lane id="ramp_0" allow="pedestrian" length="13.9" shape="0.0,2.0,0.0 11.0,2.0,9.0"/>
 <lane id="ramp_1" disallow="tram" length="13.9" shape="0.0,0.0,0.0 7.0,0.0,9.0"/>
</edge>
<junction id="j" x="1" y="2" z="3" shape="0,0,5 1,1,5"/>
</net>"""
PLANE = b'<net><edge id="a"><lane id="a_0" length="8.0" shape="0,0 7,0"/></edge></net>'


def lanes(net: bytes) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(gzip.decompress(net))
    return {lane.get("id", ""): lane for lane in root.iter("lane")}


def test_who_is_asked_for() -> None:
    assert has_heights(STEEP)
    assert has_heights(gzip.compress(STEEP))
    assert not has_heights(PLANE)


def test_an_edge_is_as_long_as_what_is_driven_of_it() -> None:
    found = lanes(fitted(STEEP, {}))
    assert float(found["ramp_1"].get("length", "")) == pytest.approx(7.0)
    assert found["ramp_0"].get("length") == found["ramp_1"].get("length")
    assert found["walk_0"].get("length") == "4.0"


def test_no_height_is_left_and_the_plane_stays() -> None:
    made = fitted(STEEP, {})
    assert not has_heights(made)
    assert b'z="' not in gzip.decompress(made)
    assert lanes(made)["ramp_1"].get("shape") == "0.000,0.000 7.000,0.000"


def test_the_same_network_gives_the_same_bytes() -> None:
    assert fitted(STEEP, {}) == fitted(gzip.compress(STEEP), {})


HAIRPIN = b"""<net>
<edge id=":j" function="internal"><lane id=":j_0" length="9.0" shape="0,0 9,0"/></edge>
<edge id="b"><lane id="b_0" length="40.0" shape="0,0 20,0 20,1 0,1"/></edge>
<edge id="s"><lane id="s_0" length="30.1" shape="0,9 30,9"/></edge>
</net>"""
WIDE = np.array([(0.0, 0.0), (1.0, 0.0), (18.0, -3.0), (24.0, 0.5), (18.0, 4.0), (0.0, 1.0)])
STRAIGHT = np.array([(0.0, 9.0), (10.0, 9.4), (30.0, 9.0)])


def test_who_follows_a_hairpin_takes_the_line_of_the_map() -> None:
    found = lanes(fitted(HAIRPIN, {"b_0": WIDE, "s_0": STRAIGHT}))
    shape = found["b_0"].get("shape", "").split()
    assert shape[0] == "0.000,0.000"
    assert shape[-1] == "0.000,1.000"
    assert "24.000,0.500" in shape
    assert float(found["b_0"].get("length", "")) > 45.0
    assert found["s_0"].get("length") == "30.1"  # near enough: it stays as it is
    assert found[":j_0"].get("shape") == "0,0 9,0"


def test_a_network_that_fits_stays_as_it_is() -> None:
    assert fitted(PLANE, {"a_0": np.array([(0.0, 0.1), (7.0, 0.0)])}) is PLANE


def road_map(name: str, points: np.ndarray) -> SimpleNamespace:
    return SimpleNamespace(
        lane_connector=np.array([False]), lane_name=[name], points=lambda row: points
    )


def test_sumo_gets_a_fitted_network_or_the_file_as_it_is(tmp_path: Path) -> None:
    steep, plane = tmp_path / "steep.net.xml", tmp_path / "plane.net.xml"
    steep.write_bytes(STEEP)
    plane.write_bytes(PLANE)
    fits = road_map("a_0", np.array([(0.0, 0.0), (7.0, 0.0)]))
    for _ in range(2):  # made, and found again
        assert _net_path(plane, fits, tmp_path) == plane
        for given in (steep, STEEP, gzip.compress(STEEP)):
            assert not has_heights(_net_path(given, fits, tmp_path).read_bytes())
    assert lanes(_net_path(HAIRPIN, road_map("b_0", WIDE), tmp_path).read_bytes())
    with pytest.raises(MarqueError, match="cannot read"):
        _net_path(tmp_path / "none.net.xml", fits, tmp_path)
