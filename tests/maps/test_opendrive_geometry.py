"""OpenDRIVE's reference lines and lanes, against brute force, netconvert, and their own laws."""

import math
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.core.errors import MarqueError
from marque.core.geometry import wrap_angle
from marque.maps.formats.netconvert import sumo_folder
from marque.maps.formats.opendrive import RoadPlace, Roads, read_opendrive
from marque.maps.formats.opendrive.read import roads_of
from oracle.opendrive_twin import Twin
from road_files import (
    LINE,
    Road,
    Shape,
    document,
    lane,
    section,
    t_junction,
    to_road,
)

ALL_SHAPES = ("line", "arc", "spiral", "poly3", "paramPoly3")


def made(*roads: Road, more: str = "") -> Roads:
    return roads_of(document(roads, more), "made.xodr")


def arc_length_of(u: list[float], v: list[float], end: float) -> float:
    p = np.linspace(0.0, end, 4001)
    x, y = (c[0] + c[1] * p + c[2] * p**2 + c[3] * p**3 for c in (u, v))
    return float(np.hypot(np.diff(x), np.diff(y)).sum())


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    kind = draw(st.sampled_from(ALL_SHAPES))
    length = draw(st.floats(5.0, 80.0))
    bend = draw(st.floats(-0.03, 0.03))
    other = draw(st.floats(-0.03, 0.03))
    if kind == "line":
        return "line", length, {}
    if kind == "arc":
        return "arc", length, {"curvature": bend}
    if kind == "spiral":
        return "spiral", length, {"curvStart": bend, "curvEnd": other}
    if kind == "poly3":
        return "poly3", length, {"a": 0.0, "b": 0.0, "c": 0.3 * bend, "d": 0.2 * other / length}
    normalised = draw(st.booleans())
    end = 1.0 if normalised else length
    # a cubic whose parameter is not its arc length
    stretch = draw(st.floats(-0.2, 0.2))
    u = [0.0, length / end, stretch * length / end**2, -stretch * length / end**3]
    v = [0.0, 0.0, 0.5 * bend * length**2 / end**2, 0.1 * other * length**2 / end**3]
    told = dict(zip(("aU", "bU", "cU", "dU"), u, strict=True))
    told |= dict(zip(("aV", "bV", "cV", "dV"), v, strict=True))
    size = arc_length_of(u, v, end)
    if not normalised:  # p runs to the length that the file states: scale until both agree
        scale = length / size
        told = {name: value * scale for name, value in told.items()}
        size = length
    return "paramPoly3", size, {**told, "pRange": "normalized" if normalised else "arcLength"}


@st.composite
def winding_roads(draw: st.DrawFn) -> Road:
    width = (
        '<width sOffset="0" a="3" b="0" c="0.003" d="-0.0001"/>'
        '<width sOffset="15" a="3.3375" b="0.01" c="0" d="0"/>'
    )
    right = [lane(-1), lane(-2, width=width)]
    offset = '<laneOffset s="0" a="0" b="0" c="0.001" d="0"/>'
    offset += '<laneOffset s="20" a="0.4" b="0" c="0" d="0"/>'
    start = tuple(draw(st.floats(-500.0, 500.0)) for _ in range(2))
    heading = draw(st.floats(-math.pi, math.pi))
    return Road(
        "7",
        draw(st.lists(shapes(), min_size=1, max_size=4)),
        [section([lane(1)], right)],
        start=(*start, heading),
        offsets=offset,
    )


SOME = settings(max_examples=20, derandomize=True)


@SOME
@given(winding_roads(), st.floats(0.0, 1.0))
def test_lanes_lie_where_brute_force_finds_them(road: Road, share: float) -> None:
    data = document([road])
    roads, twin = roads_of(data, "made"), Twin(data)
    s = share * roads.length("7")
    x, y, heading = roads.pose("7", s)
    assert math.dist((x, y), twin.pose("7", s)[:2]) < 2e-3
    assert abs(wrap_angle(heading - twin.pose("7", s)[2])) < 2e-4
    for one in (1, -1, -2):
        assert math.dist(roads.lane_pose("7", one, s)[:2], twin.lane_centre("7", one, s)) < 2e-3
        assert roads.lane_centre_t("7", one, s) == pytest.approx(twin.lane_t("7", one, s))


@SOME
@given(winding_roads(), st.floats(0.001, 0.999), st.sampled_from((1, -1, -2)))
def test_s_is_arc_length_and_headings_follow_the_line(road: Road, share: float, one: int) -> None:
    roads = made(road)
    s, step = share * roads.length("7"), 1e-4
    if s + step > roads.length("7"):
        return
    before, after = roads.pose("7", s), roads.pose("7", s + step)
    assert math.dist(before[:2], after[:2]) == pytest.approx(step, abs=2e-3 * step + 1e-5)
    a, b = roads.lane_pose("7", one, s), roads.lane_pose("7", one, s + step)
    ahead = math.atan2(b[1] - a[1], b[0] - a[0]) + (math.pi if one > 0 else 0.0)
    joins = np.cumsum([length for _, length, _ in road.shapes])
    if np.abs(joins - s).min() > 0.01 and min(abs(s - 15.0), abs(s - 20.0)) > 0.01:
        assert abs(wrap_angle(ahead - a[2])) < 1e-4


@SOME
@given(winding_roads(), st.floats(0.0, 1.0), st.floats(-9.0, 4.0), st.floats(-3.0, 3.0))
def test_a_pose_is_found_again(road: Road, share: float, t: float, turned: float) -> None:
    roads = made(road)
    s = share * roads.length("7")
    x, y, heading = roads.pose("7", s, t)
    found = roads.locate(x, y, heading + turned)
    assert found is not None
    again = roads.pose("7", found.s_m, found.t_m)
    assert math.dist((x, y), again[:2]) < 1e-6
    assert abs(found.t_m) <= abs(t) + 1e-6  # the line may come nearer elsewhere
    if abs(found.s_m - s) < 1.0:
        assert found.s_m == pytest.approx(s, abs=1e-6)
        assert found.t_m == pytest.approx(t, abs=1e-6)
        middle = roads.lane_centre_t("7", found.lane_id, found.s_m)
        assert found.lane_offset_m == pytest.approx(t - middle, abs=1e-6)
        lane_heading = roads.lane_pose("7", found.lane_id, s, found.lane_offset_m)[2]
        assert found.relative_heading_rad is not None
        assert abs(wrap_angle(lane_heading + found.relative_heading_rad - heading - turned)) < 1e-6


@SOME
@given(
    winding_roads(),
    st.floats(0.2, 0.8),
    st.floats(-40.0, 40.0),
    st.sampled_from((1, -1, -2)),
    st.floats(-1.0, 1.0),
)
def test_following_forward_and_back_ends_where_it_began(
    road: Road, share: float, ds: float, one: int, offset: float
) -> None:
    roads = made(road)
    s = share * roads.length("7")
    start = RoadPlace("7", one, s, roads.lane_centre_t("7", one, s) + offset, offset, 0.1)
    there = roads.follow(start, ds)
    if there is None:
        return
    sign = 1.0 if (ds >= 0.0) == (one < 0) else -1.0
    assert sign * (there.s_m - s) >= 0.0
    back = roads.follow(there, -ds)
    assert back is not None
    assert back.s_m == pytest.approx(s, abs=1e-6)
    assert back.t_m == pytest.approx(start.t_m, abs=1e-6)
    at = np.linspace(s, there.s_m, 801)
    line = np.array([roads.lane_pose("7", one, float(k), offset)[:2] for k in at])
    gone = float(np.hypot(*np.diff(line, axis=0).T).sum())
    assert gone == pytest.approx(abs(ds), abs=1e-3)


def test_spirals_are_fresnel_integrals() -> None:
    special = pytest.importorskip("scipy.special")
    length, end = 200.0, 0.03
    roads = made(Road("0", [("spiral", length, {"curvStart": 0.0, "curvEnd": end})]))
    scale = math.sqrt(math.pi * length / end)
    for s in np.linspace(0.0, length, 41).tolist():
        sine, cosine = special.fresnel(s / scale)
        x, y, heading = roads.pose("0", s)
        assert (x, y) == pytest.approx((scale * cosine, scale * sine), abs=1e-9)
        assert heading == pytest.approx(wrap_angle(0.5 * end / length * s * s), abs=1e-12)


def test_offsets_are_in_the_direction_of_t_on_both_sides() -> None:
    roads = made(Road("0", [LINE]))
    assert roads.lane_pose("0", -1, 10.0, 0.5) == pytest.approx((10.0, -1.25, 0.0))
    assert roads.lane_pose("0", 1, 10.0, 0.5) == pytest.approx((10.0, 2.25, math.pi))
    right = roads.locate(10.0, -1.25, 0.0)
    left = roads.locate(10.0, 2.25, math.pi)
    assert right is not None
    assert left is not None
    assert (right.lane_id, left.lane_id) == (-1, 1)
    assert (right.lane_offset_m, left.lane_offset_m) == pytest.approx((0.5, 0.5))
    assert (right.relative_heading_rad, left.relative_heading_rad) == pytest.approx((0.0, 0.0))


def test_where_traffic_keeps_left_lanes_drive_the_other_way() -> None:
    roads = made(Road("0", [LINE], rule="LHT"))
    assert roads.left_hand
    assert roads.lane_pose("0", -1, 10.0)[2] == pytest.approx(math.pi)
    assert roads.lane_pose("0", 1, 10.0)[2] == pytest.approx(0.0)
    start = roads.locate(10.0, 1.75, 0.0)
    assert start is not None
    assert roads.follow(start, 5.0) == RoadPlace("0", 1, 15.0, 1.75, 0.0, 0.0)


def test_a_reversed_lane_drives_against_its_side() -> None:
    turned = lane(-1).replace('type="driving"', 'type="driving" direction="reversed"')
    roads = made(Road("0", [LINE], [section([], [turned, lane(-2)])]))
    assert [one.along_s for one in roads.lanes_at("0", 5.0)] == [False, True]
    assert roads.lane_pose("0", -1, 5.0)[2] == pytest.approx(math.pi)


def test_borders_are_widths_told_otherwise() -> None:
    def border(a: float, b: float) -> str:
        return f'<border sOffset="0" a="{a}" b="{b}" c="0" d="0"/>'

    roads = made(
        Road(
            "0",
            [LINE],
            [
                section(
                    [lane(1, width=border(3.0, 0.01)), lane(2, width=border(6.0, 0.02))],
                    [lane(-1, width=border(-4.0, 0.0))],
                )
            ],
        )
    )
    assert roads.lane_width("0", 1, 10.0) == pytest.approx(3.1)
    assert roads.lane_width("0", 2, 10.0) == pytest.approx(3.1)
    assert roads.lane_width("0", -1, 10.0) == pytest.approx(4.0)
    assert roads.lane_centre_t("0", 2, 10.0) == pytest.approx(3.1 + 1.55)
    assert roads.lane_centre_t("0", -1, 10.0) == pytest.approx(-2.0)


def test_what_is_no_place_is_refused() -> None:
    roads = made(Road("0", [LINE]))
    for ask in (
        lambda: roads.pose("9", 1.0),
        lambda: roads.pose("0", 50.1),
        lambda: roads.pose("0", -0.1),
        lambda: roads.lane_pose("0", 3, 1.0),
        lambda: roads.lane_width("0", 0, 1.0),
        lambda: roads.locate(0.0, 0.0, None, near="9"),
        lambda: roads.follow(RoadPlace("0", 5, 1.0, 0.0, 0.0), 1.0),
    ):
        with pytest.raises(MarqueError, match=r"no (road|lane|s=)"):
            ask()


# --- from road to road ----------------------------------------------------------------------------


def linked_roads() -> Roads:
    """Road 0 east for 50 m, then road 1 laid from its far end back to the end of road 0."""
    far: Road = Road(
        "1",
        [LINE],
        [section([lane(1, after=-1)], [lane(-1, after=1)])],
        start=(100.0, 0.0, math.pi),
        successor=to_road("0", "end"),
    )
    near = Road(
        "0",
        [LINE],
        [section([lane(1, after=-1)], [lane(-1, after=1)])],
        successor=to_road("1", "end"),
    )
    return made(near, far)


def test_offsets_keep_their_side_where_t_turns_over() -> None:
    roads = linked_roads()
    start = roads.locate(45.0, -1.25, 0.2)
    assert start is not None
    there = roads.follow(start, 20.0)
    assert there is not None
    assert (there.road_id, there.lane_id) == ("1", 1)
    assert there.s_m == pytest.approx(35.0)
    assert there.lane_offset_m == pytest.approx(-0.5)
    assert there.relative_heading_rad == pytest.approx(0.2)
    assert roads.pose("1", there.s_m, there.t_m)[:2] == pytest.approx((65.0, -1.25))
    back = roads.follow(there, -20.0)
    assert back is not None
    assert (back.road_id, back.lane_id) == ("0", -1)
    assert (back.s_m, back.lane_offset_m) == pytest.approx((45.0, 0.5))
    assert roads.follow(start, 60.0) is None
    assert roads.follow(start, -46.0) is None


def test_distance_along_a_bend_is_the_lane_s_or_the_road_s() -> None:
    roads = made(Road("0", [("arc", 60.0, {"curvature": 0.02})]))
    start = RoadPlace("0", -1, 10.0, -1.75, 0.0)
    outside, along = roads.follow(start, 20.0), roads.follow(start, 20.0, by_road_s=True)
    assert outside is not None
    assert along is not None
    assert outside.s_m == pytest.approx(10.0 + 20.0 / (1.0 + 0.02 * 1.75))
    assert along.s_m == pytest.approx(30.0)
    moved = roads.follow(start, 20.0, lane_offset_m=1.0)
    assert moved is not None
    assert moved.t_m == pytest.approx(-0.75)
    assert moved.s_m == pytest.approx(10.0 + 20.0 / (1.0 + 0.02 * 0.75))


def test_straight_on_is_what_is_followed_through_a_junction() -> None:
    roads = roads_of(t_junction(), "tee.xodr")
    start = roads.locate(-15.0, -1.75, 0.0)
    assert start is not None
    inside, beyond = roads.follow(start, 10.0), roads.follow(start, 30.0)
    assert inside is not None
    assert beyond is not None
    assert (inside.road_id, inside.lane_id) == ("10", -1)
    assert (beyond.road_id, beyond.lane_id) == ("1", -1)
    assert beyond.s_m == pytest.approx(5.0)
    # from the south the ways to both sides turn alike, so the one of the least id is taken: 11
    south = roads.locate(1.75, -20.0, math.pi / 2)
    assert south is not None
    turned = roads.follow(south, 15.0)
    assert turned is not None
    assert (turned.road_id, turned.lane_id) == ("11", 1)
    assert turned.relative_heading_rad == pytest.approx(0.0)


def test_where_roads_overlap_heading_and_history_decide() -> None:
    roads = roads_of(t_junction(), "tee.xodr")
    x, y, heading = roads.lane_pose("10", -1, 3.0)
    straight = roads.locate(x, y, heading)
    assert straight is not None
    assert straight.road_id == "10"
    turning = roads.locate(x, y, heading, near="11")
    assert turning is not None
    assert turning.road_id == "11"
    against = roads.locate(x, y, heading + math.pi)
    assert against is not None
    assert abs(against.relative_heading_rad or 0.0) < math.pi / 2 or against.lane_id == -1


# --- the suites' own roads ------------------------------------------------------------------------


@pytest.mark.data
def test_the_suites_lanes_lie_where_brute_force_finds_them(shared_data: Path) -> None:
    files = sorted(shared_data.joinpath("openscenario").rglob("*.xodr"))
    assert len(files) >= 12
    worst = 0.0
    for file in files:
        roads, twin = read_opendrive(file), Twin(file.read_bytes().lstrip(b"\xef\xbb\xbf"))
        for road_id in roads.road_ids:
            for s in np.linspace(0.0, roads.length(road_id), 60).tolist():
                for one in roads.lanes_at(road_id, s):
                    ours = roads.lane_pose(road_id, one.lane_id, s)[:2]
                    away = math.dist(ours, twin.lane_centre(road_id, one.lane_id, s))
                    worst = max(worst, away)
    assert worst < 1e-3


@pytest.mark.data
@pytest.mark.sumo
def test_the_suites_lanes_lie_where_netconvert_puts_them(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    for file in sorted(shared_data.joinpath("openscenario").rglob("*.xodr")):
        roads, seen = read_opendrive(file), 0
        for name, points in converted(file, tmp_path / "out.net.xml").items():
            road_id, _, lane_id = name.rpartition("_")
            for x, y in points[:: max(1, len(points) // 50)]:
                found = roads.locate(x, y, None, near=road_id)
                assert found is not None
                if found.road_id != road_id or not 1.0 < found.s_m < roads.length(road_id) - 1.0:
                    continue
                middle = roads.lane_centre_t(road_id, int(lane_id), found.s_m)
                assert abs(found.t_m - middle) < 0.03, (file.name, name, x, y)
                seen += 1
        assert seen > 0 or roads.curvature(roads.road_ids[0], 1.0) == 0.0


def converted(file: Path, out: Path) -> dict[str, np.ndarray]:
    """Shapes of netconvert's lanes by `ROAD_LANE`."""
    home = sumo_folder()
    words = "--opendrive.import-all-lanes --opendrive.lane-shapes --opendrive.internal-shapes "
    words += "--opendrive.curve-resolution 1 --offset.disable-normalization --precision 5 "
    words += "--output.original-names --no-turnarounds --no-warnings"
    subprocess.run(
        [str(home / "bin" / "netconvert"), "--opendrive-files", str(file), *words.split(),
         "-o", str(out)],
        check=True,
        capture_output=True,
        env={**os.environ, "SUMO_HOME": str(home)},
    )  # fmt: skip
    shapes: dict[str, np.ndarray] = {}
    for one in ElementTree.parse(out).iter("lane"):
        told = one.find("param[@key='origId']")
        if told is not None:
            rows = [part.split(",")[:2] for part in one.attrib["shape"].split()]
            shapes[told.attrib["value"]] = np.array(rows, dtype=np.float64)
    return shapes
