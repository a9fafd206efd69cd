"""Drivable lines stay within 5 cm of their source away from joins and kinks, and only there."""

import gzip
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import straight_road
from marque.core.arrays import FloatArray
from marque.core.geometry import arc_length
from marque.maps.check import MINOR, car_lanes, check_map
from marque.maps.closeness import (
    CLOSE_M,
    FOLLOW_MPS2,
    REACH_M,
    REACH_S,
    held,
    held_points,
    offsets,
    sharpest_kink,
)
from marque.maps.formats.sumo_net import read_net
from marque.maps.library import open_map
from marque.maps.smooth import smooth_lanes
from marque.maps.store import load_net
from oracle import maps_curves as twin

FOREIGN = {"bologna": "sumo/bologna/joined_buslanes.net.xml", "monaco": "maps/monaco.osm"}


def bent(angle: float, arm_m: float = 80.0) -> FloatArray:
    end = (arm_m + arm_m * math.cos(angle), arm_m * math.sin(angle))
    return np.array([(0.0, 0.0), (arm_m, 0.0), end])


def smoothed(line: FloatArray, limit_mps: float) -> FloatArray:
    """The drivable line of one lone lane."""
    alone = np.full(1, -1, dtype=np.int32)
    no = np.zeros(1, dtype=np.bool_)
    off = np.array([0, len(line)], dtype=np.int32)
    return smooth_lanes(off, line, alone, alone, no, no, np.array([limit_mps])).pt_xy_m


@given(seed=st.integers(0, 10_000))
def test_offsets_are_the_least_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.uniform(-0.3, 0.3, 12))
    steps = 3.0 * np.column_stack((np.cos(heading), np.sin(heading)))
    source = np.vstack(((0.0, 0.0), np.cumsum(steps, axis=0)))
    line = source[:-1] + 0.5 * np.diff(source, axis=0) + rng.normal(0.0, 0.2, (12, 2))
    s = arc_length(source)
    found = offsets(line, source, s)
    for point, (away, along) in zip(line, found, strict=True):
        assert away == pytest.approx(twin.distance(source, point), abs=1e-9)
        foot = [np.interp(along, s, source[:, i]) for i in (0, 1)]
        assert math.hypot(*(point - foot)) == pytest.approx(away, abs=1e-9)


def test_a_kink_at_the_edge_of_what_can_be_followed_is_followed_within_five_centimetres() -> None:
    limit_mps = 50.0 / 3.6
    sharp = sharpest_kink(limit_mps)
    # the arc that passes CLOSE_M inside the corner, at the limit, pulls FOLLOW_MPS2 to the side
    radius_m = CLOSE_M / (1.0 / math.cos(0.5 * sharp) - 1.0)
    assert limit_mps**2 / radius_m == pytest.approx(FOLLOW_MPS2, rel=0.01)
    line = bent(0.95 * sharp)
    away = offsets(smoothed(line, limit_mps), line, arc_length(line))[:, 0]
    assert away.max() <= CLOSE_M


def test_a_sharper_kink_is_rounded_and_the_arms_are_held() -> None:
    limit_mps = 50.0 / 3.6
    line = bent(math.radians(20.0))
    s = arc_length(line)
    away, at = offsets(smoothed(line, limit_mps), line, s).T
    keeps = held(at, line, s, REACH_M, s[-1] - REACH_M, limit_mps)
    assert away.max() > 2.0 * CLOSE_M
    assert away[keeps].max() <= CLOSE_M
    assert not keeps[np.abs(at - 80.0) < REACH_S * limit_mps].any()
    assert keeps[np.abs(at - 80.0) > 20.0][30:-30].all()


def test_a_line_that_strays_is_named() -> None:
    road = straight_road()
    assert not [d for d in check_map(road) if d.kind == "strays from source"]
    aside = road.pt_xy_m + np.array((0.0, 0.1))
    found = [d for d in check_map(replace(road, pt_xy_m=aside)) if d.kind == "strays from source"]
    assert [(d.severity, d.where) for d in found] == [(MINOR, "lane0"), (MINOR, "lane1")]


@pytest.mark.sumo
@pytest.mark.data
@pytest.mark.parametrize("name", ["berlin", "bologna", "monaco"])
def test_real_maps_keep_the_importers_own_lines(name: str, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    if name in FOREIGN:
        name = str(request.getfixturevalue("shared_data") / FOREIGN[name])
    m, path = open_map(name)
    net = read_net(gzip.decompress(load_net(path)), name)
    lanes = {lane.name: lane for edge in net.edges for lane in edge.lanes}
    for i in np.flatnonzero(~m.lane_connector).tolist():
        kept = m.shape_xy_m[m.shape_off[i] : m.shape_off[i + 1]]
        assert np.array_equal(kept, lanes[m.lane_name[i]].shape_m)
    found = held_points(m, car_lanes(m))
    assert found.away_m[found.held].max() <= CLOSE_M + 0.01
    assert (found.away_m[found.held] <= CLOSE_M).mean() > 0.9999
    assert found.length_m[found.held].sum() > 0.2 * found.length_m.sum()
    # Monaco's hairpins are swung out until a car can drive them
    assert np.percentile(found.away_m, 95) < (0.3 if m.name == "monaco" else 0.2)
