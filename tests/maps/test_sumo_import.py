"""SUMO networks become RoadMaps: the laws every imported map keeps, and each rule by example."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from maps_networks import KINDS, generated
from marque.core.errors import MarqueError
from marque.maps.check import check_map, smoothness
from marque.maps.formats import import_map
from marque.maps.formats.sumo_build import build
from marque.maps.formats.sumo_net import Net, read_net
from marque.maps.library import NAMED, open_map
from marque.types.codes import Allow, ConflictKind, Control, LaneKind, Turn
from marque.types.road_map import NONE, RoadMap

pytest.importorskip("sumo", reason="needs the extra `sumo`")
pytestmark = [pytest.mark.sumo]
REAL = [*sorted(NAMED), "bologna"]


def made(kind: str) -> tuple[Net, RoadMap]:
    net = read_net(generated(kind), kind)
    return net, build(net, kind, f"{kind}.net.xml", frozenset())


@pytest.fixture(scope="module", params=[*KINDS, *REAL])
def road_map(request: pytest.FixtureRequest) -> RoadMap:
    name = str(request.param)
    if name in KINDS:
        return made(name)[1]
    if name == "bologna":
        shared: Path = request.getfixturevalue("shared_data")
        name = str(shared / "sumo" / "bologna" / "joined_buslanes.net.xml")
    return open_map(name)[0]


def connectors(m: RoadMap) -> list[int]:
    return np.flatnonzero(m.lane_connector).tolist()


def test_between_two_lanes_stands_one_connector(road_map: RoadMap) -> None:
    m = road_map
    assert len(connectors(m)) > 0
    for c in connectors(m):
        (a,), (b,) = m.predecessors(c), m.successors(c)
        assert not m.lane_connector[a]
        assert not m.lane_connector[b]
    for i in np.flatnonzero(~m.lane_connector):
        assert m.lane_connector[m.successors(i)].all()
        assert m.lane_connector[m.predecessors(i)].all()


def test_lines_are_sampled_evenly_by_arc_length(road_map: RoadMap) -> None:
    m = road_map
    for i in range(m.lane_count):
        s, xy = m.arc(i), m.points(i)
        gaps = np.hypot(*np.diff(xy, axis=0).T)
        assert len(s) >= 2
        assert s[0] == 0.0
        assert np.allclose(np.diff(s), gaps)
        assert s[-1] == pytest.approx(m.lane_length_m[i])
        assert gaps.max() <= 2.0 + 1e-6
        worst = np.abs(m.pt_curvature_1pm[m.pt_off[i] : m.pt_off[i + 1]]).max()
        if m.lane_kind[i] != LaneKind.WALK and worst < 0.25:
            assert gaps.max() <= 1.03 * gaps.min() + 1e-3


def test_position_and_heading_run_on_across_joins(road_map: RoadMap) -> None:
    m = road_map
    tail = np.repeat(np.arange(m.lane_count), np.diff(m.succ_off))
    moving = (m.lane_kind[tail] != LaneKind.WALK) & (m.lane_kind[m.succ] != LaneKind.WALK)
    end, start = m.pt_off[tail[moving] + 1] - 1, m.pt_off[m.succ[moving]]
    assert np.allclose(m.pt_xy_m[end], m.pt_xy_m[start], atol=1e-6)
    turned = m.pt_heading_rad[end] - m.pt_heading_rad[start]
    assert np.abs(np.arctan2(np.sin(turned), np.cos(turned))).max() < 1e-6
    smooth = smoothness(m)
    assert smooth.kink_after_p95_deg <= 3.0
    assert smooth.kink_after_p95_deg <= smooth.kink_before_p95_deg + 0.5


def test_conflicts_have_two_sides_that_agree(road_map: RoadMap) -> None:
    m = road_map
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.conf_off))
    rows = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(lane, m.conf_lane, strict=True))}
    assert len(rows) == len(lane)  # no pair twice
    assert m.lane_connector[lane].all()
    assert (m.lane_junction[lane] == m.lane_junction[m.conf_lane]).all()
    for (a, b), k in rows.items():
        other = rows[b, a]
        assert m.conf_priority[k] == -m.conf_priority[other]
        assert m.conf_kind[k] == m.conf_kind[other]
        assert m.conf_s_in_m[k] == m.conf_other_in_m[other]
        assert m.conf_s_out_m[k] == m.conf_other_out_m[other]
    assert (m.conf_s_in_m <= m.conf_s_out_m).all()
    assert (m.conf_s_in_m >= 0.0).all()
    assert (m.conf_s_out_m <= m.lane_length_m[lane] + 1e-9).all()


def test_paths_that_share_a_lane_are_conflicts_of_that_kind(road_map: RoadMap) -> None:
    m = road_map
    cars = [c for c in connectors(m) if m.lane_kind[c] != LaneKind.WALK and m.lane_junction[c] >= 0]
    into: dict[int, list[int]] = {}
    for c in cars:
        into.setdefault(int(m.successors(c)[0]), []).append(c)
    for group in into.values():
        for a in group:
            rows = slice(m.conf_off[a], m.conf_off[a + 1])
            merging = set(m.conf_lane[rows][m.conf_kind[rows] == ConflictKind.MERGE].tolist())
            assert set(group) - {a} <= merging


def test_neighbours_see_each_other(road_map: RoadMap) -> None:
    m = road_map
    for i in np.flatnonzero(m.lane_left != NONE):
        assert m.lane_right[m.lane_left[i]] == i
        assert m.lane_edge[m.lane_left[i]] == m.lane_edge[i]
    assert not m.lane_left_ok[m.lane_left == NONE].any()
    assert not m.lane_right_ok[m.lane_right == NONE].any()
    for i in np.flatnonzero(m.lane_opposite != NONE):
        other = m.lane_opposite[i]
        a, b = m.points(i), m.points(other)
        cosine = (a[-1] - a[0]) @ (b[-1] - b[0])
        assert cosine < 0.0


def test_stop_lines_and_heads_lie_on_their_lanes(road_map: RoadMap) -> None:
    m = road_map
    has = ~np.isnan(m.lane_stop_m)
    assert not m.lane_connector[has].any()
    assert (m.lane_stop_m[has] <= m.lane_length_m[has]).all()
    assert (m.lane_stop_m[has] >= 0.0).all()
    for c in connectors(m):
        if m.lane_control[c] == Control.SIGNAL:
            assert m.lane_head[c] != NONE
            assert has[m.predecessors(c)[0]]
    pairs = list(zip(m.head_group.tolist(), m.head_link.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert np.isfinite(m.head_xy_m).all()


def test_crosswalks_are_crossed_inside_their_lanes(road_map: RoadMap) -> None:
    m = road_map
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.cross_off))
    assert (m.cross_s_in_m < m.cross_s_out_m).all()
    assert (m.cross_s_out_m <= m.lane_length_m[lane] + 1e-9).all()
    assert (m.cross_s_in_m >= 0.0).all()


def test_check_names_no_structural_fault(road_map: RoadMap) -> None:
    kinds = {defect.kind for defect in check_map(road_map)}
    assert not kinds & {
        "broken geometry", "unsymmetrical conflict", "gap at join", "kink at join",
        "signal without state", "no road",
    }  # fmt: skip


def test_source_polylines_are_the_source_exactly() -> None:
    net, m = made("grid")
    for edge in net.edges:
        for lane in edge.lanes:
            if lane.name in m.lane_name and edge.function == "":
                i = m.lane_name.index(lane.name)
                shape = m.shape_xy_m[m.shape_off[i] : m.shape_off[i + 1]]
                assert np.array_equal(shape, lane.shape_m)


def test_every_internal_lane_is_found_by_name() -> None:
    for kind in ("grid", "priority", "spider", "random"):
        net, m = made(kind)
        known = set(m.lane_name) | set(m.alias_name)
        inner = {lane.name for e in net.edges if e.function == "internal" for lane in e.lanes}
        assert inner <= known
        assert len(m.alias_name) == len(m.alias_lane)
        assert m.lane_connector[m.alias_lane].all()


def test_chains_broken_by_waiting_places_are_one_connector() -> None:
    net, m = made("priority")
    assert len(m.alias_name) > 0
    vias = {row.via: row for row in net.connections if not row.start.startswith(":") and row.via}
    for name, lane in zip(m.alias_name, m.alias_lane.tolist(), strict=True):
        first = m.lane_name[lane]
        assert name not in vias  # only first parts are named by connections from lanes
        shape = m.shape_xy_m[m.shape_off[lane] : m.shape_off[lane + 1]]
        parts = [part.shape_m for e in net.edges for part in e.lanes if part.name in (first, name)]
        assert np.allclose(shape[0], parts[0][0])
        assert np.allclose(shape[-1], parts[-1][-1])


def turn_pairs(m: RoadMap) -> list[tuple[int, int, int]]:
    """(priority of a, a, b) of each crossing row."""
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.conf_off))
    cross = m.conf_kind == ConflictKind.CROSS
    return list(zip(m.conf_priority[cross].tolist(), lane[cross], m.conf_lane[cross], strict=True))


def entry_heading(m: RoadMap, connector: int) -> float:
    return float(m.pt_heading_rad[m.pt_off[connector]])


def test_right_before_left() -> None:
    _, m = made("rbl")
    seen = 0
    for priority, a, b in turn_pairs(m):
        bend = entry_heading(m, b) - entry_heading(m, a)
        bend = math.atan2(math.sin(bend), math.cos(bend))
        straight = m.lane_turn[a] == Turn.STRAIGHT and m.lane_turn[b] == Turn.STRAIGHT
        if straight and 1.2 < bend < 1.9:  # b heads to a's left: it comes from a's right
            assert priority == -1
            seen += 1
    assert seen > 0
    controls = set(m.lane_control[m.lane_connector].tolist())
    assert Control.RIGHT_BEFORE_LEFT in controls


def test_a_left_turn_yields_to_oncoming_traffic() -> None:
    for kind in ("priority", "grid", "rbl"):
        _, m = made(kind)
        seen = 0
        for priority, a, b in turn_pairs(m):
            bend = abs(entry_heading(m, b) - entry_heading(m, a))
            oncoming = abs(bend - math.pi) < 0.3
            if oncoming and m.lane_turn[a] == Turn.LEFT and m.lane_turn[b] == Turn.STRAIGHT:
                assert priority == -1
                seen += 1
        assert seen > 0, kind


def test_all_way_stops_are_equal_by_arrival() -> None:
    _, m = made("allway")
    assert Control.ALL_WAY_STOP in m.lane_control[m.lane_connector]
    lane = np.repeat(np.arange(m.lane_count), np.diff(m.conf_off))
    inner = m.lane_control[lane] == Control.ALL_WAY_STOP
    both = inner & (m.lane_control[m.conf_lane] == Control.ALL_WAY_STOP)
    assert both.any()
    assert (m.conf_priority[both] == 0).all()


def test_signals_programs_and_crosswalks() -> None:
    _, m = made("grid")
    assert len(m.group_name) == 9
    for group in range(len(m.group_name)):
        states = m.phase_state[m.phase_off[group] : m.phase_off[group + 1]]
        links = m.head_link[m.head_group == group]
        assert len(states) > 0
        assert all(len(state) > links.max() for state in states)
    assert (m.phase_duration_s > 0.0).all()
    assert len(m.walk_name) > 0
    assert m.walk_priority.all()  # at signals turning traffic yields to those on foot
    assert (m.walk_head != NONE).any()
    assert len(m.cross_walk) > 0
    assert (m.walk_width_m > 1.0).all()


def test_left_hand_networks_mirror_the_sides() -> None:
    _, m = made("lefthand")
    assert m.left_hand
    _, other = made("grid")
    for road_map, inner_side in ((m, m.lane_right), (other, other.lane_left)):
        lanes = np.flatnonzero((inner_side != NONE) & (road_map.lane_kind == LaneKind.DRIVE))
        assert len(lanes) > 0
        for i in lanes[:20]:
            j = int(inner_side[i])
            p, q = road_map.points(int(i)), road_map.points(j)
            k = len(p) // 2
            h = road_map.pt_heading_rad[road_map.pt_off[i] + k]
            gap = q[np.hypot(*(q - p[k]).T).argmin()] - p[k]
            side = -math.sin(h) * gap[0] + math.cos(h) * gap[1]
            assert bool(side > 0.0) is (road_map is other)


def test_networks_without_internal_lanes_get_connectors() -> None:
    _, m = made("bare")
    assert all("->" in m.lane_name[c] for c in connectors(m))
    assert (m.lane_length_m > 0.0).all()


def test_limits_of_a_junction_are_those_of_the_road_before_it() -> None:
    _, m = made("grid")
    for c in connectors(m):
        assert m.lane_limit_mps[c] == m.lane_limit_mps[m.predecessors(c)[0]]


def test_gzip_makes_no_difference(tmp_path: Path) -> None:
    data = generated("rbl")
    plain, packed = tmp_path / "a.net.xml", tmp_path / "a.net.xml.gz"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data))
    one, net = import_map(plain)
    two, same_net = import_map(packed)
    assert one.lane_name == two.lane_name
    assert np.array_equal(one.pt_xy_m, two.pt_xy_m)
    assert gzip.decompress(net) == gzip.decompress(same_net) == data


def test_import_is_deterministic() -> None:
    (_, one), (_, two) = made("random"), made("random")
    assert np.array_equal(one.pt_xy_m, two.pt_xy_m)
    assert np.array_equal(one.conf_priority, two.conf_priority)


BAD = {
    "empty.net.xml": (b"", "is empty"),
    "text.net.xml": (b"hello", "does not start as XML"),
    "binary.net.xml": (bytes(range(128, 256)) * 9, "does not start as XML"),
    "other.net.xml": (b"<routes/>", "root is <routes>"),
    "half.net.xml": (b'<net version="1"><edge id="a" from="', "not a whole"),
    "half.net.xml.gz": (gzip.compress(b"<net/>" * 99)[:-12], "not a whole"),
    "damaged.net.xml": (b'<net><edge id="a"><lane index="0"/></edge></net>', "damaged"),
    "nan.net.xml": (
        b'<net><edge id="a"><lane id="a_0" shape="0,nan 1,1"/></edge></net>',
        "damaged",
    ),
    "none.net.xml": (b"<net></net>", "no lane that a car may use"),
    "walk.net.xml": (
        b'<net><edge id="a" from="x" to="y"><lane id="a_0" index="0" allow="pedestrian" '
        b'shape="0,0 9,0"/></edge></net>',
        "no lane that a car may use",
    ),
    "map.shp": (b"x", "cannot tell the map format"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_networks_are_named(tmp_path: Path, name: str) -> None:
    data, said = BAD[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MarqueError, match=said):
        import_map(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.995])
def test_truncated_networks_are_named(tmp_path: Path, share: float) -> None:
    data = generated("grid")
    path = tmp_path / "cut.net.xml"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(MarqueError, match=r"cut\.net\.xml"):
        import_map(path)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no file"):
        import_map(tmp_path / "absent.net.xml")
    with pytest.raises(MarqueError, match="is a folder"):
        import_map(tmp_path)


def test_one_lonely_road(tmp_path: Path) -> None:
    path = tmp_path / "one.net.xml"
    path.write_bytes(
        b'<net><edge id="a" from="x" to="y"><lane id="a_0" index="0" speed="13.9" '
        b'shape="0,0 50,0 90,30"/></edge></net>'
    )
    m, _ = import_map(path)
    assert m.lane_count == 1
    assert m.lane_allow[0] & Allow.CAR
    assert m.lane_length_m[0] == pytest.approx(100.0, abs=0.5)
