"""OpenStreetMap files: XML and PBF alike, and regional limits where no sign is mapped."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maps_networks import crossroads
from marque.core.errors import MarqueError
from marque.maps.formats.osm import Osm, OsmRelation, OsmWay, read_osm, write_xml
from marque.maps.formats.region import fill_limits, normalise, region_at, region_of
from oracle.osm_pbf import write_pbf

names = st.integers(-(2**40), 2**40)
words = st.text(alphabet="abz:=_&<\"'éß 0", min_size=1, max_size=8)
tags = st.dictionaries(words, words, max_size=3)


@st.composite
def files(draw: st.DrawFn) -> Osm:
    osm = Osm()
    nodes = draw(st.lists(names, min_size=2, max_size=8, unique=True))
    for node in nodes:
        lon, lat = (
            draw(st.integers(-1_799_999_999, 1_799_999_999)),
            draw(st.integers(-9 * 10**8, 9 * 10**8)),
        )
        osm.place[node] = (lon * 1e-7, lat * 1e-7)
        if found := draw(tags):
            osm.node_tags[node] = found
    for way in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        chain = draw(st.lists(st.sampled_from(nodes), min_size=2, max_size=6))
        osm.ways.append(OsmWay(way, chain, {"highway": "residential", **draw(tags)}))
    used = {node for way in osm.ways for node in way.nodes}
    osm.place = {node: xy for node, xy in osm.place.items() if node in used}
    osm.node_tags = {node: t for node, t in osm.node_tags.items() if node in used}
    members = [("way", osm.ways[0].name, "from"), ("node", osm.ways[0].nodes[-1], "via")]
    osm.relations.append(OsmRelation(7, members, {"type": "restriction", **draw(tags)}))
    osm.relations[0].tags["type"] = "restriction"
    return osm


def same(a: Osm, b: Osm) -> bool:
    places = a.place.keys() == b.place.keys() and all(
        a.place[n] == pytest.approx(b.place[n], abs=2e-9) for n in a.place
    )
    return (
        places
        and a.node_tags == b.node_tags
        and [(w.name, w.nodes, w.tags) for w in a.ways]
        == [(w.name, w.nodes, w.tags) for w in b.ways]
        and [(r.name, r.members, r.tags) for r in a.relations]
        == [(r.name, r.members, r.tags) for r in b.relations]
    )


@given(osm=files())
@settings(max_examples=50)
def test_what_is_written_as_xml_is_read_back(osm: Osm) -> None:
    assert same(read_osm(write_xml(osm), "x.osm"), osm)
    assert same(read_osm(gzip.compress(write_xml(osm)), "x.osm.gz"), osm)


@given(osm=files(), dense=st.booleans(), packed=st.booleans())
@settings(max_examples=50)
def test_pbf_says_the_same_as_xml(osm: Osm, dense: bool, packed: bool) -> None:
    assert same(read_osm(write_pbf(osm, dense, packed), "x.osm.pbf"), osm)


def limits(data: bytes) -> dict[int, str]:
    osm = read_osm(data, "x.osm")
    fill_limits(osm, region_of(osm))
    return {way.name: way.tags["maxspeed"] for way in osm.ways}


def test_a_street_in_a_town_gets_the_urban_limit_and_is_marked() -> None:
    osm = read_osm(crossroads(), "x.osm")
    filled = fill_limits(osm, region_of(osm))
    assert filled == {"10", "11", "12"}
    assert {way.tags["maxspeed"] for way in osm.ways} == {"50"}  # a residential street is near


def test_a_sign_is_never_replaced() -> None:
    osm = read_osm(crossroads(extra='<tag k="maxspeed" v="30 mph"/>'), "x.osm")
    assert fill_limits(osm, region_of(osm)) == {"11", "12"}
    assert osm.ways[0].tags["maxspeed"] == "30 mph"


@pytest.mark.parametrize(
    ("word", "kph", "marked"),
    [("DE:rural", "100", False), ("none", "130", False), ("signals", "50", True)],
)
def test_limits_given_as_words(word: str, kph: str, marked: bool) -> None:
    osm = read_osm(crossroads(extra=f'<tag k="maxspeed" v="{word}"/>'), "x.osm")
    filled = fill_limits(osm, region_of(osm))
    assert osm.ways[0].tags["maxspeed"] == kph
    assert ("10" in filled) is marked


def test_far_from_any_street_the_rural_limit_holds() -> None:
    lonely = crossroads().replace(b'v="residential"', b'v="secondary"')
    assert set(limits(lonely).values()) == {"100"}
    told = crossroads(extra='<tag k="zone:traffic" v="DE:urban"/>')
    assert limits(told.replace(b'v="residential"', b'v="tertiary"')) == {
        10: "50",
        11: "100",
        12: "100",
    }


def test_signs_around_tell_a_town() -> None:
    slow = crossroads(extra='<tag k="maxspeed" v="50"/>').replace(b"residential", b"tertiary")
    assert limits(slow)[11] == "50"


def test_regions() -> None:
    assert region_at(7.42, 43.74).code == "MC"  # inside France's box, but smaller
    assert region_at(13.4, 52.5).code == "DE"
    assert region_at(-0.1, 51.5).left_hand
    assert region_at(-30.0, 0.0).title == "no country known"


def test_exported_kinds_with_suffixes_are_roads_again() -> None:
    data = crossroads().replace(b'v="secondary"', b'v="secondary_tunnel"')
    osm = read_osm(data, "x.osm")
    normalise(osm)
    assert osm.ways[0].tags["highway"] == "secondary"
    assert osm.ways[0].tags["tunnel"] == "yes"


ROAD_AT = b"""<osm><node id="1" lat="%s" lon="13"/><node id="2" lat="1" lon="1"/>
<way id="5"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way></osm>"""


@pytest.mark.parametrize(
    ("data", "words_said"),
    [
        (crossroads()[:300], "not a whole"),
        (gzip.compress(crossroads())[:-20], "not a whole"),
        (b"<net></net>", "root is <net>"),
        (b'<osm><way id="x"><tag k="highway" v="a"/></way></osm>', "damaged"),
        (b"<osm></osm>", "no roads"),
        (ROAD_AT % b"nan", "node 1 lies at latitude nan"),
        (ROAD_AT % b"91", "node 1 lies at latitude 91"),
        (write_pbf(read_osm(crossroads(), "x"))[:-9], "not a whole"),
        (b"\0\0\0\x0eOSMHeader" + b"\xff" * 40, "x.osm"),
    ],
)
def test_bad_files_are_named(data: bytes, words_said: str) -> None:
    with pytest.raises(MarqueError, match=words_said):
        read_osm(data, "x.osm")


def test_cut_extracts_lose_only_what_is_missing() -> None:
    cut = crossroads().replace(b'<nd ref="5"/>', b'<nd ref="99"/>')
    assert read_osm(cut, "x.osm").ways[1].nodes == [4, 1]


def test_pbf_features_that_would_change_the_meaning_are_refused() -> None:
    data = write_pbf(read_osm(crossroads(), "x"), packed=False)
    data = data.replace(b"OsmSchema-V0.6", b"Historical-X.9")
    with pytest.raises(MarqueError, match="Historical"):
        read_osm(data, "x.osm.pbf")


def test_monaco_is_urban_throughout(shared_data: Path) -> None:
    osm = read_osm((shared_data / "maps" / "monaco.osm").read_bytes(), "monaco")
    normalise(osm)
    region = region_of(osm)
    filled = fill_limits(osm, region)
    town = [w for w in osm.ways if str(w.name) in filled and w.tags["highway"] != "motorway"]
    assert region.code == "MC"
    assert len(town) > 900
    assert {w.tags["maxspeed"] for w in town if w.tags["highway"] != "service"} == {"50"}
