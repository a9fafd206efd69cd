"""The plane that touches the globe, against PROJ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Proj, Transformer

from marque.core.geodesy import Origin, ecef, ecef_to_enu, turn_to_enu

LAT = st.floats(-89.0, 89.0)
LON = st.floats(-180.0, 180.0)
HEIGHT = st.floats(-400.0, 9000.0)


@given(LAT, LON, HEIGHT)
def test_ecef_is_projs(lat, lon, height):
    there = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    ours = ecef(np.array([lat]), np.array([lon]), np.array([height]))[0]
    assert ours == pytest.approx(there.transform(lon, lat, height), abs=1e-6)


@given(LAT, LON, HEIGHT, st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_enu_is_projs_topocentric(lat, lon, height, up_north, to_east):
    proj = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        "+step +proj=cart +ellps=WGS84 "
        f"+step +proj=topocentric +ellps=WGS84 +lon_0={lon!r} +lat_0={lat!r} +h_0={height!r}"
    )
    globe = ecef(np.array([lat + up_north]), np.array([lon + to_east]), np.array([height + 5.0]))
    ours = ecef_to_enu(globe, Origin(lat, lon, height))[0]
    theirs = proj.transform(lon + to_east, lat + up_north, height + 5.0)
    assert ours == pytest.approx(theirs, abs=1e-5)


def test_the_turn_is_a_rotation():
    turn = turn_to_enu(Origin(37.7, -122.5, 30.0))
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_its_projection_says_the_same_place():
    origin = Origin(37.72, -122.47, 33.0)
    globe = ecef(np.array([37.73]), np.array([-122.46]), np.array([33.0]))
    east, north, _ = ecef_to_enu(globe, origin)[0]
    lon, lat = Proj(origin.projection)(east, north, inverse=True)
    assert (lat, lon) == (pytest.approx(37.73, abs=1e-6), pytest.approx(-122.46, abs=1e-6))
