"""The checker finds each defect that is put into a map, and none that is not there."""

from dataclasses import replace

import numpy as np
import pytest

from builders import Conflict, Lane, Program, straight_road, street_grid, tiny_map
from marque.maps.check import (
    MINOR,
    NOTE,
    SERIOUS,
    check_map,
    faulty_junctions,
    smoothness,
    strongly_connected,
)
from marque.maps.library import open_map
from marque.types.codes import Turn
from marque.types.road_map import RoadMap


def found(road_map: RoadMap) -> set[tuple[str, str, str]]:
    return {(d.severity, d.kind, d.where) for d in check_map(road_map)}


def test_a_sound_town_has_no_serious_defect() -> None:
    town = street_grid(5, 5)
    assert not [d for d in check_map(town) if d.severity == SERIOUS]
    assert not [d for d in check_map(town) if d.kind in ("dead end", "unreachable")]


def test_checking_twice_says_the_same() -> None:
    town = street_grid()
    assert check_map(town) == check_map(town)


def test_a_road_at_the_border_is_only_noted() -> None:
    assert {(NOTE, "dead end", "road")} <= found(straight_road())


def test_a_dead_end_inside_is_a_defect() -> None:
    spur = Lane([(300.0, 300.0), (320.0, 300.0)], name="spur", edge="spur")
    far = [
        Lane([(x, y), (x + 20.0, y)])
        for x, y in ((0.0, 0.0), (600.0, 600.0), (0.0, 600.0), (600.0, 0.0))
    ]
    m = tiny_map([spur, *far])
    assert (MINOR, "dead end", "spur") in found(m)


def test_a_trap_is_unreachable() -> None:
    ring = [
        Lane([(0, 0), (50, 0)], succ=[1], name="a"),
        Lane([(50, 0), (50, 5)], succ=[2], connector=True, name="ab"),
        Lane([(50, 5), (0, 5)], succ=[3, 4], name="b"),
        Lane([(0, 5), (0, 0)], succ=[0], connector=True, name="ba"),
        Lane([(0, 5), (-5, 5)], succ=[5], connector=True, name="bt"),
        Lane([(-5, 5), (-50, 5)], name="trap"),
    ]
    m = tiny_map(ring)
    part = strongly_connected(m)
    assert part[0] == part[1] == part[2] == part[3]
    assert part[5] != part[0]
    assert (MINOR, "unreachable", "trap") in found(m)
    assert not any(where == "a" and kind == "unreachable" for _, kind, where in found(m))


@pytest.mark.parametrize("seed", range(20))
def test_strong_components_are_mutual_reachability(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 14
    lanes = [
        Lane([(i, 0.0), (i + 0.5, 1.0)], succ=sorted({int(j) for j in rng.integers(0, count, 2)}))
        for i in range(count)
    ]
    part = strongly_connected(tiny_map(lanes))
    reach = np.eye(count, dtype=bool)
    for i, lane in enumerate(lanes):
        reach[i, list(lane.succ)] = True
    for _ in range(count):
        reach = reach | ((reach.astype(int) @ reach.astype(int)) > 0)
    assert ((part[:, None] == part[None, :]) == (reach & reach.T)).all()


def test_a_lane_that_no_car_fits() -> None:
    m = tiny_map([Lane([(0, 0), (50, 0)], width=1.7, name="slit")])
    assert (SERIOUS, "too narrow", "slit") in found(m)


def test_zero_length_and_broken_numbers() -> None:
    m = tiny_map([Lane([(0, 0), (0.01, 0)], name="dot"), Lane([(0, 5), (9, 5)], name="nan")])
    assert (MINOR, "zero length", "dot") in found(m)
    xy = m.pt_xy_m.copy()
    xy[-1] = np.nan
    assert (SERIOUS, "broken geometry", "nan") in {
        (d.severity, d.kind, d.where) for d in check_map(replace(m, pt_xy_m=xy))
    }


@pytest.mark.parametrize(("radius", "severity"), [(1.5, SERIOUS), (3.5, MINOR), (8.0, None)])
def test_curves_too_tight(radius: float, severity: str | None) -> None:
    angle = np.linspace(0.0, 1.6, 2000)
    bow = [(radius * np.sin(a), radius * (1.0 - np.cos(a))) for a in angle]
    m = tiny_map([Lane(bow, name="bow")], step_m=0.2)
    tight = {s for s, kind, _ in found(m) if kind == "too tight"}
    assert tight == ({severity} if severity else set())
    back = tiny_map([Lane(bow, connector=True, turn=Turn.U_TURN)], step_m=0.1)
    assert not any(kind == "too tight" for _, kind, _ in found(back))


def test_badly_joined_lanes() -> None:
    gap = tiny_map(
        [
            Lane([(0, 0), (50, 0)], succ=[1], name="a"),
            Lane([(50, 0.8), (60, 0.8)], succ=[2], connector=True),
            Lane([(60, 0.8), (90, 0.8)]),
        ]
    )
    assert (SERIOUS, "gap at join", "a") in found(gap)
    kink = tiny_map(
        [
            Lane([(0, 0), (50, 0)], succ=[1], name="a"),
            Lane([(50, 0), (57, 7)], succ=[2], connector=True),
            Lane([(57, 7), (70, 20)]),
        ]
    )
    assert (SERIOUS, "kink at join", "a") in found(kink)
    assert smoothness(kink).kink_after_max_deg == pytest.approx(45.0, abs=0.1)


def crossing(heads: tuple[int, int] = (-1, -1), states: str = "", priority: int = 1) -> RoadMap:
    """Two connectors that cross at right angles in one junction."""
    lanes = [
        Lane([(-50, 0), (-8, 0)], succ=[2], name="west"),
        Lane([(0, -50), (0, -8)], succ=[3], name="south"),
        Lane([(-8, 0), (8, 0)], succ=[4], connector=True, junction=0, head=heads[0], name="we"),
        Lane([(0, -8), (0, 8)], succ=[5], connector=True, junction=0, head=heads[1], name="sn"),
        Lane([(8, 0), (50, 0)]),
        Lane([(0, 8), (0, 50)]),
    ]
    signals = {}
    if states:
        signals = {
            "programs": [Program([(10.0, states)])],
            "heads": [(0, 0, (-8.0, 0.0)), (0, 1, (0.0, -8.0))],
        }
    return tiny_map(
        lanes,
        conflicts=[Conflict(2, 3, 6.0, 10.0, 6.0, 10.0, priority=priority)],
        junctions=[[(-8, -8), (8, -8), (8, 8), (-8, 8)]],
        **signals,
    )


def test_a_settled_crossing_is_no_defect() -> None:
    assert not faulty_junctions(check_map(crossing()))


def test_a_guessed_priority_is_a_missing_right_of_way() -> None:
    m = crossing()
    m = replace(m, conf_guessed=np.ones(len(m.conf_lane), dtype=bool))
    assert (SERIOUS, "missing right of way", "junction0") in found(m)
    assert faulty_junctions(check_map(m)) == ["junction0"]


@pytest.mark.parametrize(("states", "faulty"), [("GG", True), ("Gg", False), ("Gr", False)])
def test_greens_that_meet(states: str, faulty: bool) -> None:
    kinds = {kind for _, kind, _ in found(crossing((0, 1), states))}
    assert ("conflicting greens" in kinds) is faulty


def test_a_signal_without_a_letter() -> None:
    assert (SERIOUS, "signal without state", "group0") in found(crossing((0, 1), "G"))


def test_one_sided_conflicts_are_found() -> None:
    m = crossing()
    priority = m.conf_priority.copy()
    priority[0] = 1
    priority[1] = 1
    kinds = {kind for _, kind, _ in found(replace(m, conf_priority=priority))}
    assert "unsymmetrical conflict" in kinds


def test_a_line_inside_anothers_path() -> None:
    m = crossing()
    s_in = m.conf_s_in_m.copy()
    other = m.conf_other_in_m.copy()
    s_in[0] = other[1] = 0.0
    kinds = found(replace(m, conf_s_in_m=s_in, conf_other_in_m=other))
    assert (MINOR, "line in conflict", "west") in kinds


WAIT_BEFORE_M, WAIT_INSIDE_M = 6.5, 9.0  # the paths of `crossing` meet at 8 m


@pytest.mark.parametrize(
    ("waits", "states", "kind"),
    [
        ((WAIT_INSIDE_M, WAIT_INSIDE_M), "", "waiting places block each other"),
        ((WAIT_INSIDE_M, WAIT_INSIDE_M), "gg", "waiting places block each other"),
        ((WAIT_INSIDE_M, WAIT_INSIDE_M), "Gr", None),  # never there together
        ((WAIT_INSIDE_M, WAIT_BEFORE_M), "", None),  # it goes first: the other waits at its place
        ((WAIT_BEFORE_M, WAIT_INSIDE_M), "", "waits in the way"),
        ((WAIT_BEFORE_M, WAIT_BEFORE_M), "", None),
        ((np.nan, np.nan), "", None),
    ],
)
def test_who_waits_in_anothers_path(
    waits: tuple[float, float], states: str, kind: str | None
) -> None:
    m = crossing((0, 1) if states else (-1, -1), states)
    m = replace(m, wait_m=np.array([np.nan, np.nan, *waits, np.nan, np.nan]))
    names = {name for _, name, _ in found(m) if name.startswith(("waits", "waiting"))}
    assert names == ({kind} if kind else set())
    both = kind == "waiting places block each other"
    assert faulty_junctions(check_map(m)) == (["junction0"] if both else [])


@pytest.mark.sumo
def test_the_junction_where_sumo_locks_is_named() -> None:
    """In an hour of random trips, 214 of SUMO's 270 collisions on this map happened at this one."""
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    blocking = [d for d in check_map(open_map("berlin")[0]) if d.kind.startswith("waiting places")]
    assert len(blocking) < 5
    assert any(d.where.startswith("cluster_1704693650_") for d in blocking)
