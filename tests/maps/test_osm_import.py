"""OpenStreetMap through netconvert: limits, side of the road, crossings, failures."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from maps_networks import crossroads
from marque.core.errors import MarqueError
from marque.maps.formats import import_map, netconvert
from marque.maps.formats.osm import read_osm
from marque.maps.library import open_map
from marque.types.codes import LaneKind, Turn
from marque.types.road_map import RoadMap
from oracle.osm_pbf import write_pbf

pytest.importorskip("sumo", reason="needs the extra `sumo`")
pytestmark = [pytest.mark.sumo]


def imported(folder: Path, data: bytes, name: str = "x.osm") -> tuple[RoadMap, bytes]:
    path = folder / name
    path.write_bytes(data)
    return import_map(path)


def car_lanes(m: RoadMap) -> np.ndarray:
    return np.flatnonzero((m.lane_kind == LaneKind.DRIVE) & ~m.lane_connector)


def test_missing_limits_are_filled_and_marked(tmp_path: Path) -> None:
    m, _ = imported(tmp_path, crossroads(extra='<tag k="maxspeed" v="70"/>'))
    lanes = car_lanes(m)
    signed = np.array([m.lane_name[i].lstrip("-").startswith("10") for i in lanes])
    assert signed.any()
    assert not signed.all()
    assert (m.lane_limit_defaulted[lanes] == ~signed).all()
    assert np.allclose(m.lane_limit_mps[lanes[signed]], 70.0 / 3.6, atol=0.01)
    assert np.allclose(m.lane_limit_mps[lanes[~signed]], 50.0 / 3.6, atol=0.01)
    assert m.attribution == "© OpenStreetMap contributors"
    assert m.projection.startswith("+proj=utm")


def test_people_on_foot_have_places(tmp_path: Path) -> None:
    m, _ = imported(tmp_path, crossroads())
    assert (m.lane_kind == LaneKind.WALK).any()
    assert len(m.cross_walk) > 0


def test_britain_keeps_left(tmp_path: Path) -> None:
    m, _ = imported(tmp_path, crossroads(lat=52.0, lon=-1.0))
    assert m.left_hand
    assert np.allclose(m.lane_limit_mps[car_lanes(m)], 48.0 / 3.6, atol=0.01)
    for i in np.flatnonzero(m.lane_opposite >= 0):
        p, q = m.points(int(i)), m.points(int(m.lane_opposite[i]))
        k = len(p) // 2
        h = m.pt_heading_rad[m.pt_off[i] + k]
        gap = q[np.hypot(*(q - p[k]).T).argmin()] - p[k]
        assert -np.sin(h) * gap[0] + np.cos(h) * gap[1] < 0.0  # oncoming traffic on the right
    assert (m.lane_opposite >= 0).any()


def test_germany_keeps_right(tmp_path: Path) -> None:
    assert not imported(tmp_path, crossroads())[0].left_hand


def test_nobody_turns_back(tmp_path: Path) -> None:
    m, _ = imported(tmp_path, crossroads())
    assert not (m.lane_turn == Turn.U_TURN).any()


def test_the_same_roads_in_every_packing(tmp_path: Path) -> None:
    data = crossroads()
    one, net = imported(tmp_path, data)
    two, same_net = imported(tmp_path, gzip.compress(data), "x.osm.gz")
    three, _ = imported(tmp_path, write_pbf(read_osm(data, "x")), "x.osm.pbf")
    assert net == same_net  # equal input, equal bytes: no date, no folder inside
    assert one.lane_name == two.lane_name == three.lane_name
    assert np.array_equal(one.pt_xy_m, two.pt_xy_m)
    assert np.allclose(one.pt_xy_m, three.pt_xy_m, atol=0.02)


def test_roads_for_nobody_with_a_car(tmp_path: Path) -> None:
    walks = crossroads().replace(b'v="secondary"', b'v="footway"')
    with pytest.raises(MarqueError, match="no lane that a car may use"):
        imported(tmp_path, walks.replace(b'v="residential"', b'v="footway"'))


def test_without_sumo_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netconvert, "find_spec", lambda name: None)
    with pytest.raises(MarqueError, match=r"pip install 'marque\[sumo\]'"):
        imported(tmp_path, crossroads())


def test_what_netconvert_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(netconvert.OPTIONS, "no-such-option", "true")
    with pytest.raises(MarqueError, match="netconvert cannot convert"):
        imported(tmp_path, crossroads())


def test_monaco(shared_data: Path) -> None:
    m, _ = open_map(str(shared_data / "maps" / "monaco.osm"))
    lanes = car_lanes(m)
    kph = np.round(m.lane_limit_mps[lanes] * 3.6)
    assert len(lanes) > 3000
    assert m.lane_limit_defaulted[lanes].mean() > 0.95
    assert set(kph.astype(int).tolist()) <= {20, 50, 60, 110}  # a motorway crosses the hills
    assert (kph == 50).mean() > 0.85
    assert m.lane_roundabout.any()
    assert len(m.walk_name) > 100
    assert np.ptp(m.lane_elevation_m) > 100.0
