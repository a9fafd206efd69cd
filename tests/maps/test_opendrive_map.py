"""OpenDRIVE files become road maps: lanes, links, limits, marks, right of way, furniture."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from marque.cli.main import main
from marque.maps.check import check_map
from marque.maps.formats import import_map
from marque.maps.formats.netconvert import sumo_folder
from marque.maps.formats.opendrive import road_map
from marque.maps.formats.opendrive.read import roads_of
from marque.maps.library import open_map
from marque.maps.store import load_net
from marque.types.codes import Allow, ConflictKind, Control, LaneKind, Turn
from marque.types.road_map import NONE, RoadMap
from road_files import LINE, RIGHT, Road, document, lane, section, t_junction, to_road, two_ways

KPH = 1.0 / 3.6


def mapped(data: bytes) -> RoadMap:
    made = road_map(roads_of(data, "made.xodr"))
    serious = [defect for defect in check_map(made) if defect.severity == "serious"]
    assert serious == []
    return made


def index(m: RoadMap, name: str) -> int:
    return m.lane_name.index(name)


def after(m: RoadMap, name: str) -> set[str]:
    """Names of the lanes behind the connectors of a lane."""
    connectors = m.successors(index(m, name)).tolist()
    return {m.lane_name[int(m.successors(c)[0])] for c in connectors}


def priority(m: RoadMap, one: str, other: str) -> int | None:
    """+1: the connector `one` goes before `other`; None: they have no conflict."""
    i, j = index(m, one), index(m, other)
    for k in range(m.conf_off[i], m.conf_off[i + 1]):
        if m.conf_lane[k] == j and m.conf_kind[k] != ConflictKind.DIVERGE:
            return int(m.conf_priority[k])
    return None


def test_lanes_of_all_kinds() -> None:
    kinds = ("driving", "bus", "border", "biking", "sidewalk", "stop", "parking", "median")
    right = [lane(-1 - i, kind, 3.0) for i, kind in enumerate(kinds)]
    m = mapped(document([Road("0", [LINE], [section([lane(1)], right)])]))
    found = {m.lane_name[i]: LaneKind(m.lane_kind[i]) for i in range(m.lane_count)}
    assert found == {
        "0.0.1": LaneKind.DRIVE,
        "0.0.-1": LaneKind.DRIVE,
        "0.0.-2": LaneKind.BUS,
        "0.0.-4": LaneKind.BIKE,
        "0.0.-5": LaneKind.WALK,
        "0.0.-6": LaneKind.SHOULDER,
    }
    assert m.lane_allow[index(m, "0.0.-5")] == Allow.PEDESTRIAN
    points = m.points(index(m, "0.0.-2"))
    assert points[0] == pytest.approx((0.0, -4.5), abs=1e-6)
    assert points[-1] == pytest.approx((50.0, -4.5), abs=1e-6)
    assert m.points(index(m, "0.0.1"))[0] == pytest.approx((50.0, 1.75), abs=1e-6)
    assert m.lane_width_m[index(m, "0.0.-1")] == pytest.approx(3.0)


def test_access_takes_users_away() -> None:
    deny = '<access sOffset="0" rule="deny" restriction="truck"/>'
    allow = '<access sOffset="0" rule="allow"><restriction type="bus"/></access>'
    m = mapped(
        document([Road("0", [LINE], [section([], [lane(-1, more=deny), lane(-2, more=allow)])])])
    )
    assert m.lane_allow[index(m, "0.0.-1")] & (Allow.CAR | Allow.TRUCK) == Allow.CAR
    assert m.lane_allow[index(m, "0.0.-2")] == Allow.BUS
    assert m.lane_kind[index(m, "0.0.-2")] == LaneKind.BUS


@pytest.mark.parametrize(
    ("mark", "out", "back"),
    [
        ("", True, True),
        ("none", True, True),
        ("broken", True, True),
        ("solid", False, False),
        ("solid solid", False, False),
        ("solid broken", False, True),
        ("broken solid", True, False),
        ("curb", False, False),
    ],
)
def test_marks_say_who_may_change(mark: str, out: bool, back: bool) -> None:
    m = mapped(document([Road("0", [LINE], [section([], [lane(-1, mark=mark), lane(-2)])])]))
    inner, outer = index(m, "0.0.-1"), index(m, "0.0.-2")
    assert m.lane_right[inner] == outer
    assert m.lane_left[outer] == inner
    assert bool(m.lane_right_ok[inner]) is out
    assert bool(m.lane_left_ok[outer]) is back
    assert m.lane_left[inner] == NONE


def test_lane_change_told_by_name_goes_before_the_mark() -> None:
    told = lane(-1, mark="solid").replace('type="solid"', 'type="solid" laneChange="decrease"')
    m = mapped(document([Road("0", [LINE], [section([], [told, lane(-2)])])]))
    assert m.lane_right_ok[index(m, "0.0.-1")]  # from -1 to -2
    assert not m.lane_left_ok[index(m, "0.0.-2")]


@pytest.mark.parametrize(("middle", "legal"), [("broken", True), ("solid", False), ("", True)])
def test_the_middle_mark_says_whether_the_other_side_may_be_used(middle: str, legal: bool) -> None:
    m = mapped(document([Road("0", [LINE], [two_ways(middle=middle)])]))
    right, left = index(m, "0.0.-1"), index(m, "0.0.1")
    assert m.lane_opposite[right] == left
    assert m.lane_opposite[left] == right
    assert bool(m.lane_opposite_ok[right]) is legal


def test_a_strip_between_lanes_parts_them() -> None:
    right = [lane(-1), lane(-2, "median", 1.0), lane(-3)]
    m = mapped(document([Road("0", [LINE], [section([], right)])]))
    assert m.lane_right[index(m, "0.0.-1")] == NONE
    assert m.lane_left[index(m, "0.0.-3")] == NONE


def test_limits_come_from_the_lane_then_the_road_then_the_region() -> None:
    own = '<speed sOffset="0" max="20" unit="mph"/>'
    road_type = (
        '<type s="0" type="rural" country="DE"><speed max="70" unit="km/h"/></type>'
        '<type s="20" type="town"/><type s="35" type="motorway"><speed max="no limit"/></type>'
    )
    m = mapped(
        document([Road("0", [LINE], [section([], [lane(-1), lane(-2, more=own)])], more=road_type)])
    )
    told = [
        (round(float(m.lane_limit_mps[i]) * 3.6, 2), bool(m.lane_limit_defaulted[i]))
        for i in (index(m, name) for name in ("0.0.-1", "0.1.-1", "0.2.-1", "0.0.-2"))
    ]
    assert told == [(70.0, False), (50.0, True), (130.0, False), (32.19, False)]
    assert after(m, "0.0.-1") == {"0.1.-1"}
    assert after(m, "0.1.-1") == {"0.2.-1"}


def test_sections_become_lanes_that_follow() -> None:
    opening = (
        '<width sOffset="0" a="0" b="0" c="0.021" d="-0.00056"/>'
        '<width sOffset="25" a="3.5" b="0" c="0" d="0"/>'
    )
    sections = [
        section([lane(1, after=1)], [lane(-1, after=-1)]),
        section([lane(1, before=1)], [lane(-1, before=-1), lane(-2, width=opening)], s=60.0),
    ]
    m = mapped(document([Road("0", [("line", 160.0, {})], sections)]))
    assert after(m, "0.0.-1") == {"0.1.-1"}
    assert after(m, "0.1.1") == {"0.0.1"}
    assert len(m.predecessors(index(m, "0.1.-2"))) == 0
    first, second = m.points(index(m, "0.0.-1")), m.points(index(m, "0.1.-1"))
    assert first[-1] == pytest.approx((59.0, -1.75), abs=1e-6)
    assert second[0] == pytest.approx((61.0, -1.75), abs=1e-6)
    assert m.lane_right[index(m, "0.1.-1")] == index(m, "0.1.-2")
    wide = m.points(index(m, "0.1.-2"))
    assert wide[0, 1] > -3.8
    assert wide[-1, 1] == pytest.approx(-5.25, abs=0.01)


def test_a_road_that_lies_the_other_way_round_follows() -> None:
    turned = [section([lane(1, after=-1)], [lane(-1, after=1)])]
    m = mapped(
        document(
            [
                Road("0", [LINE], turned, successor=to_road("1", "end")),
                Road("1", [LINE], turned, (100.0, 0.0, np.pi), successor=to_road("0", "end")),
            ]
        )
    )
    assert after(m, "0.0.-1") == {"1.0.1"}
    assert after(m, "1.0.-1") == {"0.0.1"}


# --- junctions ------------------------------------------------------------------------------------

YIELD = '<signals><signal id="1" s="45" t="-5" type="205" country="DE" orientation="+"/></signals>'
STOP = YIELD.replace('"205"', '"206"')
EAST, WEST = "10.0.-1", "10.0.1"  # straight through the tee
OUT_OF, INTO = "12.0.-1", "11.0.-1"  # right out of and into the south
LEFT_OUT, LEFT_IN = "11.0.1", "12.0.1"  # left out of and into the south


def test_a_junction_without_a_sign_goes_right_before_left() -> None:
    m = mapped(t_junction())
    assert after(m, "0.0.-1") == {"1.0.-1", "2.0.1"}
    assert m.lane_turn[index(m, INTO)] == Turn.RIGHT
    assert m.lane_turn[index(m, EAST)] == Turn.STRAIGHT
    assert m.lane_control[index(m, EAST)] == Control.RIGHT_BEFORE_LEFT
    # who comes from the south is on the right of who comes from the west
    assert priority(m, OUT_OF, EAST) == 1
    assert priority(m, LEFT_OUT, EAST) == 1
    assert priority(m, LEFT_OUT, WEST) == -1
    assert priority(m, LEFT_IN, EAST) == -1  # a left turn lets the oncoming pass
    assert priority(m, WEST, LEFT_OUT) == 1
    assert not m.conf_guessed.any()
    assert np.isfinite(m.lane_stop_m[index(m, "0.0.-1")])


def test_where_traffic_keeps_left_it_goes_left_before_right() -> None:
    m = mapped(t_junction(rule="LHT"))
    assert m.left_hand
    # lanes drive on the other side: from the west on lane 1, from the south on lane 1
    assert after(m, "0.0.1") == {"1.0.1", "2.0.-1"}
    assert priority(m, "12.0.1", "10.0.1") == -1  # out of the south, left of whom comes from east
    assert priority(m, "10.0.-1", "11.0.-1") == -1


@pytest.mark.parametrize(("sign", "control"), [(YIELD, Control.YIELD), (STOP, Control.STOP)])
def test_signs_decide_who_waits(sign: str, control: Control) -> None:
    m = mapped(t_junction(sign))
    for name in (OUT_OF, LEFT_OUT):
        assert m.lane_control[index(m, name)] == control
        assert priority(m, name, EAST) == -1
    assert priority(m, LEFT_OUT, WEST) == -1
    assert m.lane_control[index(m, EAST)] == Control.FREE
    assert priority(m, LEFT_IN, EAST) == -1
    assert np.isnan(m.lane_stop_m[index(m, "0.0.-1")])
    assert m.lane_stop_m[index(m, "2.0.-1")] == pytest.approx(m.lane_length_m[index(m, "2.0.-1")])


def test_a_sign_for_the_other_direction_is_not_for_us() -> None:
    m = mapped(t_junction(YIELD.replace('"+"', '"-"')))
    assert m.lane_control[index(m, OUT_OF)] != Control.YIELD


def test_a_sign_for_some_lanes_holds_for_them() -> None:
    other = YIELD.replace("/></signals>", '><validity fromLane="1" toLane="1"/></signal></signals>')
    m = mapped(t_junction(other))
    assert m.lane_control[index(m, OUT_OF)] == Control.RIGHT_BEFORE_LEFT
    assert priority(m, OUT_OF, EAST) == 1


def test_priority_records_decide_before_the_law() -> None:
    m = mapped(t_junction(priority='<priority high="10" low="12"/><priority high="10" low="11"/>'))
    assert priority(m, EAST, OUT_OF) == 1
    assert priority(m, LEFT_OUT, EAST) == -1


def test_lights_by_controller_and_a_painted_line() -> None:
    lights = (
        '<signals><signal id="7" s="49" t="-5" type="1000001" dynamic="yes" orientation="+"/>'
        '<signal id="8" s="46" t="-1.75" type="294" country="DE" orientation="+"/></signals>'
    )
    controller = '<controller id="3"><control signalId="7"/></controller>'
    m = mapped(t_junction(lights, more=controller))
    assert m.group_name == ("3",)
    heads = [int(m.lane_head[index(m, name)]) for name in (OUT_OF, LEFT_OUT, EAST)]
    assert heads == [0, 0, NONE]
    assert m.lane_control[index(m, OUT_OF)] == Control.SIGNAL
    assert m.junction_kind[m.junction_name.index("5")] == "traffic_light"
    assert m.lane_stop_m[index(m, "2.0.-1")] == pytest.approx(46.0, abs=0.01)
    assert m.head_xy_m[0] == pytest.approx((1.75, -10.0), abs=0.05)


def test_crosswalks_cross_the_lanes_beside_them() -> None:
    walk = (
        '<objects><object id="1" type="crosswalk" s="25" t="0" hdg="0" zOffset="0"><outlines>'
        "<outline><cornerLocal u='-2' v='-4' z='0'/><cornerLocal u='2' v='-4' z='0'/>"
        "<cornerLocal u='2' v='4' z='0'/><cornerLocal u='-2' v='4' z='0'/></outline></outlines>"
        "</object></objects>"
    )
    m = mapped(document([Road("0", [LINE], more=walk)]))
    assert len(m.walk_name) == 1
    assert m.walk_priority[0]
    assert m.walk_width_m[0] == pytest.approx(4.0)
    axis = m.walk_axis_m[0].reshape(2, 2)
    assert sorted(axis[:, 1].tolist()) == pytest.approx([-4.0, 4.0])
    assert axis[:, 0] == pytest.approx([25.0, 25.0])
    passing = np.repeat(np.arange(m.lane_count), np.diff(m.cross_off))
    met = {m.lane_name[i].split(">")[0] for i in passing.tolist()}
    assert {"0.0.-1", "0.1.-1", "0.1.1", "0.0.1"} <= met


def test_a_geo_reference_is_kept() -> None:
    header = "<geoReference><![CDATA[+proj=utm +zone=32 +ellps=WGS84]]></geoReference>"
    header += '<offset x="690000" y="5330000" z="0" hdg="0"/>'
    m = mapped(document([Road("0", [LINE])], header=header))
    assert m.projection.startswith("+proj=utm")
    assert m.offset_m.tolist() == [-690000.0, -5330000.0]
    assert m.lane_limit_mps[0] == pytest.approx(50.0 * KPH)  # Munich lies in Germany
    other = mapped(document([Road("0", [LINE])], header="<geoReference>LocalCS</geoReference>"))
    assert other.projection == ""


def test_roads_over_each_other_never_conflict_in_height() -> None:
    bridge = '<elevationProfile><elevation s="0" a="6" b="0" c="0" d="0"/></elevationProfile>'
    m = mapped(
        document([Road("0", [LINE]), Road("1", [LINE], start=(25.0, -25.0, 1.57), more=bridge)])
    )
    assert m.lane_elevation_m[index(m, "1.0.-1")] == pytest.approx(6.0)
    assert m.lane_elevation_m[index(m, "0.0.-1")] == pytest.approx(0.0)


# --- the command line -----------------------------------------------------------------------------


def test_import_check_draw_and_info(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARQUE_CACHE", str(tmp_path / "cache"))
    source, out = tmp_path / "tee.xodr", tmp_path / "tee.marque"
    source.write_bytes(t_junction(YIELD.replace("</signals>", "</signals><objects/>")))
    facts_file = tmp_path / "facts.json"
    assert main(["map", "import", str(source), "-o", str(out), "--json", str(facts_file)]) == 0
    facts = json.loads(facts_file.read_text())
    assert facts["car_lanes"] == 6
    assert facts["entries"]["yield"] == 2
    assert load_net(out) == b""
    assert main(["map", "check", str(out)]) == 0
    assert main(["map", "draw", str(out), "-o", str(tmp_path / "tee.png")]) == 0
    assert (tmp_path / "tee.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["map", "info", str(source)]) == 0  # by way of the cache
    assert "the file's speed records" in capsys.readouterr().out.replace("\n", " ")
    assert open_map(str(source))[0].lane_name == open_map(str(out))[0].lane_name
    source.write_bytes(b"<OpenDRIVE>")
    assert main(["map", "import", str(source), "-o", str(out)]) == 2
    assert "tee.xodr:1: not well-formed XML" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.data
def test_the_suites_roads_become_maps(shared_data: Path) -> None:
    names = {
        "X-Intersection_NCAP.xodr": (8, 12),
        "alks_road_right_radius_250m.xodr": (8, 0),
        "StraightRoad_NCAP_noRoadmarks_Streetlights.xodr": (2, 0),
    }
    found = {path.name: path for path in shared_data.joinpath("openscenario").rglob("*.xodr")}
    for name, (lanes, connectors) in names.items():
        m = mapped(found[name].read_bytes())
        assert int((~m.lane_connector).sum()) == lanes
        assert int(m.lane_connector.sum()) == connectors
        assert not m.conf_guessed.any()


def test_a_bend_keeps_to_the_file() -> None:
    m = mapped(document([Road("0", [LINE, RIGHT, LINE])]))
    radius = np.hypot(*(m.points(index(m, "0.0.-1")) - (50.0, -10.0)).T)
    assert radius.min() > 8.25 - 0.05


@pytest.mark.sumo
def test_a_network_that_netconvert_wrote_as_opendrive_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    home = sumo_folder()
    net, source = tmp_path / "grid.net.xml", tmp_path / "grid.xodr"
    words = "--grid --grid.number 2 --grid.length 90 --default.lanenumber 2 --no-turnarounds "
    words += "--grid.attach-length 60 --default-junction-type priority"
    for program, rest in (
        ("netgenerate", [*words.split(), "-o", str(net)]),
        ("netconvert", ["-s", str(net), "--opendrive-output", str(source)]),
    ):
        subprocess.run(
            [str(home / "bin" / program), *rest],
            check=True,
            capture_output=True,
            env={**os.environ, "SUMO_HOME": str(home)},
        )
    ours, theirs = import_map(source)[0], import_map(net)[0]
    for inside in (False, True):
        middles = [
            np.array([m.place(i, 0.5 * m.lane_length_m[i])[:2] for i in lanes.tolist()])
            for m in (ours, theirs)
            for lanes in (np.flatnonzero(m.lane_connector == inside),)
        ]
        assert len(middles[0]) == len(middles[1])
        away = np.hypot(*(middles[0][:, None] - middles[1][None]).transpose(2, 0, 1))
        assert away.min(axis=0).max() < (0.6 if inside else 0.05)  # their curves are their own
