"""What is wrong with an OpenDRIVE file, or not read, is said by name, with file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from marque.core.errors import MarqueError
from marque.maps.formats import import_map, import_noted
from marque.maps.formats.opendrive import read_opendrive
from marque.maps.formats.opendrive.read import roads_of
from road_files import LINE, RIGHT, Road, document, lane, section, t_junction, to_road, two_ways

PLAIN = document([Road("0", [LINE, RIGHT])])


def lines_of(data: bytes, part: str) -> int:
    """The line on which a text first stands, from 1."""
    return data.decode()[: data.decode().index(part)].count("\n") + 1


def changed(old: str, new: str, count: int = 1) -> Callable[[], bytes]:
    def make() -> bytes:
        assert old in PLAIN.decode()
        return PLAIN.decode().replace(old, new, count).encode()

    return make


SPLIT = document([Road("0", [LINE]), Road("1", [LINE], start=(50.0, 0.0, 0.0))])
WRONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "no XML": (lambda: PLAIN[:-20], r"made.xodr:\d+: not well-formed XML"),
    "another format": (lambda: b"<net/>", "made.xodr is no OpenDRIVE file: its root is <net>"),
    "no header": (lambda: b"<OpenDRIVE/>", "made.xodr:1: <OpenDRIVE> lacks <header>"),
    "another version": (changed('revMinor="6"', 'revMinor="2"'), r":3: <header> says version 1.2"),
    "no road": (lambda: document([]), "<OpenDRIVE> has no <road>"),
    "two of one name": (lambda: document([Road("0", [LINE])] * 2), "id '0' stands at line 4"),
    "entities": (
        lambda: b'<!DOCTYPE x [<!ENTITY a "b">]><OpenDRIVE/>',
        "made.xodr:1: XML that defines entities",
    ),
    "include": (
        lambda: document([Road("0", [LINE])], '<include file="x"/>'),
        "<include> is not supported",
    ),
    "missing attribute": (changed(' hdg="0.0"', ""), r":7: <geometry> lacks 'hdg'"),
    "not a number": (changed('x="0.0"', 'x="nan"'), r":7: <geometry> has x='nan'"),
    "infinite": (changed('length="50.0"', 'length="inf"'), r"<geometry> has length='inf'"),
    "words": (changed('y="0.0"', 'y="north"'), r":7: <geometry> has y='north'"),
    "no length": (changed('length="50.0"', 'length="0"'), r":7: <geometry> has length='0'"),
    "endless": (
        changed('<road id="0" length="65.7', '<road id="0" length="9e9" was="65.7'),
        r"<road> has length='9e9'; have 0 to 1e\+06 m",
    ),
    "far away": (changed('x="0.0"', 'x="1e20"'), "x='1e20', which is out of this world"),
    "unknown geometry": (
        changed("<line />", "<clothoid/>"),
        r":7: <geometry> holds <clothoid>; have one of \[line, arc, spiral, poly3, paramPoly3\]",
    ),
    "no geometry in it": (changed("<line />", ""), r":7: <geometry> holds nothing"),
    "gap in the plane": (
        changed('x="50.0', 'x="50.06'),
        r":8: <geometry> starts 0.060 m from the end of the one at line 7",
    ),
    "gap along s": (changed('s="50.0"', 's="50.2"'), r":8: <geometry> starts at s=50.2"),
    "late start": (changed('s="0.0" x', 's="0.1" x'), r"<geometry> starts at s="),
    "another length": (
        changed('<road id="0" length="65.7', '<road id="0" length="66.7'),
        r":8: <geometry> ends at s=65.708, but the road is 66.708 m long",
    ),
    "no lanes": (changed("<laneSection", "<other"), "not well-formed|has no <laneSection>"),
    "rule": (changed('rule="RHT"', 'rule="left"'), r"<road> has rule='left'; have \[RHT, LHT\]"),
    "side": (changed('<lane id="1"', '<lane id="-1"'), r"<lane> has id -1 on the left side"),
    "gap in ids": (changed('<lane id="1"', '<lane id="2"'), r"has lanes \[2\] on its left side"),
    "id": (changed('<lane id="1"', '<lane id="a"'), "id='a', which is no whole number"),
    "no width": (
        changed('<width sOffset="0" a="3.5" b="0" c="0" d="0"/>', ""),
        r"<lane> \(id 1\) has neither <width> nor <border>",
    ),
    "late width": (
        changed('<width sOffset="0"', '<width sOffset="3"'),
        r"<lane> \(id 1\) has no width at the start",
    ),
    "negative width": (
        changed('a="3.5" b="0"', 'a="3.5" b="-0.1"'),
        r"made.xodr:11: lane 1 is -0.61 m wide at s=41.0675",
    ),
    "wide": (
        changed('a="3.5" b="0" c="0" d="0"', 'a="3.5" b="0" c="0" d="10"'),
        r"made.xodr:11: lane 1 lies \d+ m from its road's reference line; have at most 1000 m",
    ),
    "lane type": (changed('type="driving"', 'type="canal"'), "<lane> has type='canal'"),
    "both sides": (
        changed('type="driving"', 'type="driving" direction="sideways"'),
        r"<lane> has direction='sideways'; have \[both, reversed, standard\]",
    ),
    "polynomial too long": (
        lambda: document(
            [Road("0", [("paramPoly3", 20.0, curve("normalized", 30.0)), LINE])]
        ),
        r":7: <paramPoly3> is 30.000 m long; its <geometry> says 20 m",
    ),
    "range": (
        lambda: document([Road("0", [("paramPoly3", 20.0, curve("degrees", 20.0))])]),
        r"<paramPoly3> has pRange='degrees'; have \[arcLength, normalized\]",
    ),
    "stands still": (
        lambda: document([Road("0", [("paramPoly3", 20.0, curve("normalized", 0.0))])]),
        r"<paramPoly3> stands still",
    ),
    "gap between roads": (
        lambda: document(
            [
                Road("0", [LINE], successor=to_road("1", "start")),
                Road("1", [LINE], start=(50.0, 0.06, 0.0)),
            ]
        ),
        r":5: the end of road 0 and the start of road 1 are linked but lie 0.060 m apart",
    ),
    "no such road": (
        lambda: document([Road("0", [LINE], successor=to_road("9", "start"))]),
        r":5: links to road '9', which the file does not have",
    ),
    "contact": (
        lambda: document([Road("0", [LINE], successor=to_road("0", "middle"))]),
        r":5: <successor> has contactPoint='middle'; have \[end, start\]",
    ),
    "no such lane": (
        lambda: document(
            [Road("0", [LINE], [two_ways(), section([], [lane(-1, before=-3)], s=20.0)])]
        ),
        r"lane -1 links to lane -3 of road 0, which has \[-1, 1\] there",
    ),
    "sections": (
        lambda: document([Road("0", [LINE], [section([], [lane(-1)], s=5.0)])]),
        "<laneSection> starts at s=5; the first one has to start at 0",
    ),
    "section past the end": (
        lambda: document([Road("0", [LINE], [two_ways(), section([], [lane(-1)], s=60.0)])]),
        "<laneSection> starts at s=60 and ends at s=50",
    ),
    "junction type": (
        lambda: t_junction().replace(b'name="tee"', b'name="tee" type="virtual"'),
        r"<junction> is of type 'virtual', which is not supported; have \[default\]",
    ),
    "direct connection": (
        lambda: t_junction().replace(b'connectingRoad="10"', b'linkedRoad="10"'),
        "<connection> is no connection by a connecting road",
    ),
    "connection to no lane": (
        lambda: t_junction().replace(b'from="-1" to="-1"', b'from="-1" to="-4"'),
        r"<laneLink> names lane -4 of road 10, which has \[-1, 1\] there",
    ),
    "connection of a stranger": (
        lambda: t_junction().replace(
            b'<link><successor elementType="junction" elementId="5"/></link>', b"<link/>"
        ),
        "comes into junction 5, but neither of its ends links to it",
    ),
    "speed": (
        changed("</lane>", '<speed sOffset="0" max="50" unit="knots"/></lane>'),
        r"<speed> has unit='knots'; have \[m/s, km/h, mph\]",
    ),
    "no speed": (
        changed("</lane>", '<speed sOffset="0" max="-5" unit="mph"/></lane>'),
        "<speed> has max='-5', which is no speed to drive at",
    ),
}  # fmt: skip


def curve(p_range: str, length: float) -> dict[str, float | str]:
    zero = dict.fromkeys(("aU", "cU", "dU", "aV", "bV", "cV", "dV"), 0.0)
    return {**zero, "bU": length, "pRange": p_range}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_with_its_place(what: str) -> None:
    make, said = WRONG[what]
    with pytest.raises(MarqueError, match=said):
        roads_of(make(), "made.xodr")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no file"):
        read_opendrive(tmp_path / "absent.xodr")
    empty = tmp_path / "empty.xodr"
    empty.write_bytes(b"")
    with pytest.raises(MarqueError, match=r"empty\.xodr is empty"):
        read_opendrive(empty)


# what has a geometry but no place in a map that cars drive by
UNMAPPED = {
    "both ways": ('type="driving"', 'type="bidirectional"', "is for both directions"),
    "both directions": (
        'type="driving"', 'type="driving" direction="both"', "is for both directions"
    ),
    "access": (
        "</lane>", '<access sOffset="0" rule="deny" restriction="elephants"/></lane>', "elephants"
    ),
    "access within": (
        "</lane>",
        '<access sOffset="9" rule="deny" restriction="bus"/></lane>',
        "begins within its lane section",
    ),
    "no lane for cars": ('type="driving"', 'type="sidewalk"', "no lane that a car may use"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNMAPPED)
def test_what_no_map_is_made_of_still_has_a_geometry(what: str, tmp_path: Path) -> None:
    old, new, said = UNMAPPED[what]
    path = tmp_path / "x.xodr"
    path.write_bytes(PLAIN.replace(old.encode(), new.encode()))
    assert read_opendrive(path).length("0") == pytest.approx(65.708, abs=1e-3)
    with pytest.raises(MarqueError, match=said):
        import_map(path)


def test_no_map_is_made_of_two_traffic_rules(tmp_path: Path) -> None:
    path = tmp_path / "x.xodr"
    roads = [Road(str(i), [LINE], start=(0.0, 90.0 * i, 0.0)) for i in range(3)]
    roads[2].rule = "LHT"
    path.write_bytes(document(roads))
    assert not read_opendrive(path).left_hand
    with pytest.raises(MarqueError, match=r":\d+: traffic keeps left on road 2 but right on most"):
        import_map(path)


def test_what_is_left_out_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "x.xodr"
    more = (
        '<elevationProfile><elevation s="0" a="1" b="0.1" c="0" d="0"/></elevationProfile>'
        '<objects><object id="1" type="tree" s="3" t="9" zOffset="0"/></objects>'
        '<signals><signal id="1" s="3" t="-4" type="274" subtype="50"/></signals>'
    )
    road = Road("0", [LINE], successor='elementType="junction" elementId="44"', more=more)
    path.write_bytes(document([road]))
    notes = "\n".join(import_noted(path)[2])
    assert "heights are projected away" in notes
    assert "objects are read only if they are crosswalks" in notes
    assert "signals that are not read: 1 of type '274'" in notes
    assert "no junction '44': the road ends here" in notes
    path.write_bytes(PLAIN)
    assert import_noted(path)[2] == ()
