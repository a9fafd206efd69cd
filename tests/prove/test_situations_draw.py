"""Cases of situations: drawn by seed alone, on roads that the importer takes whole."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marque.core.errors import MarqueError
from marque.maps.check import SERIOUS, check_map
from marque.prove.roads import Roads, Signal, build_roads
from marque.prove.situations import suite
from marque.prove.situations.case import Case, Place, find_place, set_stage
from marque.prove.situations.cast import (
    SORTS,
    Cast,
    Parked,
    beside,
    demand_xml,
    mixed_gaps,
    places_xml,
    platoons,
    reach_s,
    rests,
)
from marque.prove.situations.obstacles import straight
from marque.prove.situations.shapes import crossroads
from marque.sim.drive import trip_route
from marque.sim.worlds.sumo import SumoSpec, SumoWorld
from marque.types.world import EgoTruth

NAMES = [situation.name for situation in suite.CLASSES]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_depends_on_class_seed_number_and_attempt_alone(name: str) -> None:
    situation = suite.find(name)

    def text(seed: int, case: int, attempt: int) -> str:
        drawn = suite.draw(situation, seed, case, attempt)
        return demand_xml(drawn.roads, drawn.cast) + places_xml(drawn.roads, drawn.cast)

    once, again = (suite.draw(situation, 5, 3, 0) for _ in range(2))
    assert once.roads == again.roads
    assert once.cast == again.cast
    assert (once.start, once.goal, once.limit_s, once.text) == (
        again.start, again.goal, again.limit_s, again.text,
    )  # fmt: skip
    assert len({text(5, 3, 0), text(6, 3, 0), text(5, 4, 0), text(5, 3, 1)}) == 4


def test_who_halts_beside_the_road_decides_at_every_step() -> None:
    """SUMO counts such a halt down by the time between decisions, and at every step."""
    situation = suite.find("bus_parked")
    drawn = [suite.draw(situation, 1, case, 0) for case in range(20)]
    found = 0
    for case in drawn:
        lines = demand_xml(case.roads, case.cast).splitlines()
        for actor in case.cast.actors:
            bay = any(stop.bay for stop in actor.stops)
            of = next(line for line in lines if f'id="t_{actor.name}"' in line)
            assert bay == ('actionStepLength="0.1"' in of)
            found += bay
    assert found > 0


def test_queues_halt_where_they_are_set() -> None:
    """Nearer than SUMO's drivers come, and within its reach of the place of the halt."""
    situation = suite.find("queue")
    for number in range(20):
        row = [a for a in suite.draw(situation, 1, number, 0).cast.actors if a.stops]
        for actor in row:
            assert actor.at_m is not None
            assert 0.0 < actor.stops[0].end_m - actor.at_m < 0.2
        at = sorted((a.at_m or 0.0, SORTS[a.sort].length_m) for a in row)
        gaps = [b - length - a for (a, _), (b, length) in pairwise(at)]
        assert min(gaps, default=3.0) > 2.0


@pytest.mark.parametrize("name", NAMES)
def test_every_draw_is_sound(name: str) -> None:
    situation = suite.find(name)
    for case in range(60):
        drawn = suite.draw(situation, 9, case, 0)
        edges = {edge.name for edge in drawn.roads.edges}
        names = [each.name for each in (*drawn.cast.actors, *drawn.cast.parked)]
        assert len(set(names)) == len(names)
        assert all(set(actor.edges) <= edges and actor.depart_s >= 0 for actor in drawn.cast.actors)
        assert all(stop.edge in edges for actor in drawn.cast.actors for stop in actor.stops)
        assert {drawn.start.edge, drawn.goal.edge} <= edges
        assert 25.0 < drawn.limit_s < 200.0
        assert drawn.text


@pytest.mark.sumo
@pytest.mark.parametrize("name", NAMES)
def test_roads_become_maps_with_a_way_and_no_serious_defect(name: str, tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    situation = suite.find(name)
    for case in range(3):
        folder = tmp_path / str(case)
        stage = set_stage(suite.draw(situation, 11, case, 0), folder)
        _, edges = trip_route(stage.road_map, stage.trip)
        assert edges[0] == stage.case.start.edge
        assert edges[-1] == stage.case.goal.edge
        # the ends of these little roads are dead ends: there is no way on from them
        serious = [
            defect
            for defect in check_map(stage.road_map)
            if defect.severity == SERIOUS and defect.kind not in ("dead end", "unreachable")
        ]
        assert serious == []


@pytest.mark.sumo
def test_a_signal_event_is_pinned_to_its_time(tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for event in ("amber", "green"):
            signal = Signal("c", "in0", "out2", event, 31.0, (20.0, 14.0), 4.0, 1.5)
            roads = replace(crossroads(rng, "traffic_light", 13.89), signals=(signal,))
            road_map, _ = build_roads(roads, tmp_path / f"{seed}{event}")
            before, after = (_letter(road_map, roads, t) for t in (30.8, 31.2))
            assert (
                (before in "Gg", after) == (True, "y")
                if event == "amber"
                else (before not in "Gg" and after in "Gg")
            )


def _letter(road_map, roads: Roads, at_s: float) -> str:  # type: ignore[no-untyped-def]
    """What the signal shows from in0 to out2, by program and offset."""
    start = road_map.lane_name.index("in0_0")
    for connector in road_map.successors(start):
        after = int(road_map.successors(int(connector))[0])
        if road_map.edge_name[road_map.lane_edge[after]] == "out2":
            link = int(road_map.head_link[road_map.lane_head[connector]])
    durations = road_map.phase_duration_s
    into = (at_s - float(road_map.group_offset_s[0])) % float(durations.sum())
    phase = int(np.searchsorted(np.cumsum(durations), into, side="right"))
    return road_map.phase_state[phase][link]


@pytest.mark.sumo
@pytest.mark.parametrize("turn_rad", [0.0, 0.7, -2.0])
def test_parked_vehicles_stand_where_they_are_put(turn_rad: float, tmp_path: Path) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    roads = replace(straight(np.random.default_rng(1), 200.0, 10.0, 1, 1, 3.5), turn_rad=turn_rad)
    parked = (
        Parked("a", "car", "e0", 60.0, -4.5),
        Parked("b", "truck", "e0", 100.0, -5.0),
        Parked("c", "van", "e0", 130.0, -4.5, 0.1),
    )
    case = Case("parked", roads, Cast((), parked), Place("e0", 8.0), Place("e0", 90.0), 1.0)
    stage = set_stage(case, tmp_path)
    spec = SumoSpec(
        stage.road_map, None, ("e0",), 4.6, 1.9, 3.7, sumocfg=stage.sumocfg, begin_s=5.0,
        cache=tmp_path,
    )  # fmt: skip
    world = SumoWorld(spec)
    try:
        x, y, heading = stage.road_map.place(stage.trip.start_lane, stage.trip.start_s_m)
        users = world.reset(EgoTruth(x, y, heading, 0.0, 0.0, 0.0, 0.0, 0.0)).users
    finally:
        world.close()
    assert len(users.uid) == 3
    for i, uid in enumerate(users.uid):
        want = next(each for each in parked if each.name == world.names[int(uid)])
        half = 0.5 * SORTS[want.sort].length_m
        x, y, along = beside(roads, want.edge, want.along_m - half, want.left_m)
        assert (users.x_m[i], users.y_m[i]) == pytest.approx(roads.turned(x, y), abs=0.02)
        turn = users.heading_rad[i] - along - turn_rad - want.angle_rad
        assert abs(np.remainder(turn + np.pi, 2.0 * np.pi) - np.pi) < 1e-3


def test_a_place_that_the_roads_do_not_have_is_named(tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    drawn = suite.draw(suite.find("following"), 1, 0, 0)
    road_map, _ = build_roads(drawn.roads, tmp_path)
    with pytest.raises(MarqueError, match="no lane 'e0_7'"):
        find_place(drawn, road_map, Place("e0", 5.0, 7))


def test_roads_that_netconvert_refuses_are_an_error(tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="needs the extra `sumo`")
    drawn = suite.draw(suite.find("following"), 1, 0, 0)
    broken = replace(drawn.roads, nodes=drawn.roads.nodes[:1])
    with pytest.raises(MarqueError, match="netconvert refuses"):
        build_roads(broken, tmp_path)


@given(st.floats(0.0, 500.0), st.floats(5.0, 30.0))
def test_time_to_reach_grows_with_distance(distance: float, limit: float) -> None:
    assert reach_s(distance, limit) >= distance / limit
    assert reach_s(distance + 1.0, limit) > reach_s(distance, limit)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_platoons_leave_the_place_free_during_rests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = rests(rng, 0.0, 90.0, (8.0, 15.0), (9.0, 12.0))
    row = platoons(rng, "p", ("e0",), 12.0, times, 90.0, mixed_gaps(rng, (2, 4), (4, 6), 0.3))
    at = [actor.depart_s + 12.0 for actor in row]
    assert not any(begin <= t < end for t in at for begin, end in times)
    assert all(b - a >= 1.9 for a, b in pairwise(at))
