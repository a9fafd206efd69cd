"""Networks with heights, flattened for SUMO's drivers."""

import gzip
from pathlib import Path
from xml.etree import ElementTree

import pytest

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo_flat import flat, has_heights
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
    found = lanes(flat(STEEP))
    assert float(found["ramp_1"].get("length", "")) == pytest.approx(7.0)
    assert found["ramp_0"].get("length") == found["ramp_1"].get("length")
    assert found["walk_0"].get("length") == "4.0"


def test_no_height_is_left_and_the_plane_stays() -> None:
    made = flat(STEEP)
    assert not has_heights(made)
    assert b'z="' not in gzip.decompress(made)
    assert lanes(made)["ramp_1"].get("shape") == "0.000,0.000 7.000,0.000"


def test_the_same_network_gives_the_same_bytes() -> None:
    assert flat(STEEP) == flat(gzip.compress(STEEP))


def test_sumo_gets_a_flat_network_and_a_plane_one_as_it_is(tmp_path: Path) -> None:
    steep, plane = tmp_path / "steep.net.xml", tmp_path / "plane.net.xml"
    steep.write_bytes(STEEP)
    plane.write_bytes(PLANE)
    assert _net_path(plane, tmp_path) == plane
    for given in (steep, STEEP, gzip.compress(STEEP)):
        assert not has_heights(_net_path(given, tmp_path).read_bytes())
    with pytest.raises(MarqueError, match="cannot read"):
        _net_path(tmp_path / "none.net.xml", tmp_path)
