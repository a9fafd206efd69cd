"""Places as people write them, and what is said about those that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import Lane, street_grid, tiny_map
from marque.core.errors import MarqueError
from marque.maps.lookup import LaneIndex
from marque.maps.places import parse_place, to_latlon, to_xy
from marque.types.codes import LaneKind

# in the middle of zone 33, as netconvert shifts it
TOWN = tiny_map(
    [
        Lane([(0, 0), (100, 0)], name="a_0"),
        Lane([(0, 9), (100, 9)], name="w@1", kind=LaneKind.WALK),
    ],
    offset=(-392000.0, -5810000.0),
)
INDEX = LaneIndex(TOWN)


@given(st.floats(-2000.0, 2000.0), st.floats(-2000.0, 2000.0))
def test_latlon_and_back(x: float, y: float) -> None:
    assert to_xy(TOWN, *to_latlon(TOWN, x, y)) == pytest.approx((x, y), abs=1e-4)


def test_every_form() -> None:
    lat, lon = to_latlon(TOWN, 30.0, 2.0)
    assert 52.0 < lat < 53.0 and 13.0 < lon < 14.0
    assert parse_place(TOWN, INDEX, f"{lat:.7f}, {lon:.7f}") == pytest.approx((0, 30.0), abs=0.05)
    assert parse_place(TOWN, INDEX, "xy:30,2") == pytest.approx((0, 30.0))
    assert parse_place(TOWN, INDEX, "lane:a_0") == pytest.approx((0, 50.0))
    assert parse_place(TOWN, INDEX, "lane:a_0@12.5") == pytest.approx((0, 12.5))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("xy:500,0", r"400 m from the nearest lane for CAR; the map spans .*xy:0,0 to xy:100,9"),
        ("0,0", "is off map 'tiny'"),
        ("north", "is no place; write lat,lon"),
        ("xy:1", "is no place"),
        ("xy:nan,1", "is no place"),
        ("xy:1e999,1", "is no place"),
        ("95,13", "no latitude,longitude"),
        ("lane:b", r"no lane 'b'; have \[a_0, w@1\]"),
        ("lane:a_0@101", r"runs from 0 to 100\.0 m; '101' is not on it"),
        ("lane:a_0@x", "'x' is not on it"),
        ("lane:w@1", "lane 'w@1' is closed to CAR"),
        ("", "is no place"),
    ],
)
def test_bad_places(text: str, says: str) -> None:
    with pytest.raises(MarqueError, match=says):
        parse_place(TOWN, INDEX, text)


def test_places_snap_to_roads_not_to_connectors() -> None:
    town = street_grid(2, 2)
    lane, _ = parse_place(town, LaneIndex(town), "xy:0,0")
    assert not town.lane_connector[lane]


def test_maps_without_geo_reference() -> None:
    bare = tiny_map([Lane([(0, 0), (100, 0)])], projection="")
    index = LaneIndex(bare)
    assert parse_place(bare, index, "xy:10,0") == pytest.approx((0, 10.0))
    with pytest.raises(MarqueError, match="no geo-reference; write xy"):
        parse_place(bare, index, "52.4,13.5")
    broken = tiny_map([Lane([(0, 0), (100, 0)])], projection="+proj=nonsense")
    with pytest.raises(MarqueError, match="projection that cannot be read"):
        parse_place(broken, index, "52.4,13.5")
