"""The motorway suite: what is drawn, what is added up, and that it drives."""

import copy
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove import city
from marque.prove.city import named
from marque.prove.motorway import suite as motorway
from marque.prove.motorway.demand import DENSITIES, flows_xml, stage_motorway, streams
from marque.prove.motorway.draw import LANE_M, RADIUS_M, draw_motorway
from marque.prove.motorway.suite import (
    LEAST_M,
    Suite,
    add_up,
    finite_km,
    motorway_passed,
    motorway_sums,
    plan_trips,
    run_motorway,
)
from marque.prove.trip import NO_NUMBERS, job_from_json, job_to_json
from marque.sim.order import Order, open_ground

pytestmark = pytest.mark.usefixtures("cache")


def test_the_same_seed_draws_the_same_motorway_and_others_differ():
    again = [draw_motorway(3, 1).roads for _ in range(2)]
    assert again[0] == again[1]
    assert draw_motorway(3, 2).roads != again[0]
    assert draw_motorway(4, 1).roads != again[0]


@pytest.mark.parametrize("number", range(6))
def test_a_motorway_has_every_part(number):
    drawn = draw_motorway(7, number)
    edges = {edge.name: edge for edge in drawn.roads.edges}
    limits = {round(3.6 * edge.limit_mps) for edge in edges.values()}
    assert {80, 100} <= limits <= {80, 100, 120, 130, 200}
    assert all(2 <= edges[name].lanes <= 5 for name in drawn.main if edges[name].limit_mps > 23)
    assert len(drawn.on) == len(drawn.off) == 4
    length = {
        name: float(np.hypot(*np.diff(np.array(edge.shape_m), axis=0).T).sum())
        for name, edge in edges.items()
    }
    weaving = {on.join for on in drawn.on} & {off.beside for off in drawn.off}
    assert len(weaving) == 1
    for ramp in drawn.on:
        assert 190.0 < length[ramp.join] < (510.0 if ramp.join in weaving else 310.0)
        assert edges[ramp.join].lanes == edges[ramp.after].lanes + 1
    for off in drawn.off:
        assert edges[off.beside].lanes == edges[off.onward].lanes + 1
    # roads follow on one another along the way, and bend as motorways do
    for name, after in pairwise(drawn.main):
        assert edges[name].end == edges[after].start
        gap = np.hypot(*(np.array(edges[name].shape_m[-1]) - edges[after].shape_m[0]))
        assert gap == pytest.approx(0.0, abs=0.1) or gap == pytest.approx(LANE_M, abs=0.1)
    for name in drawn.main:
        heading = np.unwrap(np.arctan2(*np.diff(np.array(edges[name].shape_m), axis=0).T[::-1]))
        assert np.abs(heading[-1] - heading[0]) < 1.1 * length[name] / RADIUS_M


def test_flows_lead_along_the_road_and_grow_with_the_density():
    drawn = draw_motorway(7, 0)
    totals = []
    for density in DENSITIES:
        found = streams(drawn, density)
        totals.append(sum(vph for _, _, vph in found))
        entries = drawn.lanes * density.lane_vph + len(drawn.on) * density.ramp_vph
        assert totals[-1] == pytest.approx(entries)
        pairs = {(link.start, link.end) for link in drawn.roads.links}
        for _, edges, vph in found:
            assert vph > 0.0
            assert set(pairwise(edges)) <= pairs
        root = ElementTree.fromstring(flows_xml(drawn, density))
        assert len(root.findall("flow")) == len(found)
        shares = [float(row.get("probability", "0")) for row in root.iter("vType")]
        assert sum(shares) == pytest.approx(1.0)
    assert totals == sorted(totals)
    assert totals[2] > 2.0 * totals[0]


@pytest.mark.parametrize("text", ["0", "-3", "nan", "inf", "much", "", "1e9"])
def test_a_length_that_is_none(text):
    with pytest.raises(MarqueError, match="--km is"):
        finite_km(text)


def record(name: str, **more: object) -> dict[str, object]:
    return copy.deepcopy(NO_NUMBERS) | {"trip": name, "end": "arrived"} | more


def test_merges_and_exits_are_added_up_and_judged():
    records = [
        record("a", merges=1, merges_passed=1, exits=1, exits_missed=0, lane_changes=4),
        record("b", merges=1, merges_passed=0, exits=0, exits_missed=0, lane_changes=0),
        record(
            "c", merges=1, merges_passed=1, exits=1, exits_missed=1, lane_changes=3,
            followers_braked=[{"t_s": 3.0, "braked_mps2": 4.0}],
        ),
    ]  # fmt: skip
    sums = motorway_sums(records)
    assert (sums["merges"], sums["merges_passed"], sums["merges_passed_share"]) == (3, 2, 0.6667)
    assert (sums["exits"], sums["exits_missed"], sums["missed_exits_share"]) == (2, 1, 0.5)
    assert (sums["lane_changes"], sums["followers_braked"]) == (7, 1)
    assert sums["followers_braked_where"][0]["trip"] == "c"
    assert not motorway_passed(sums)
    assert motorway_passed(motorway_sums(records[:1]))
    # a trip that could not be driven has not merged
    assert motorway_sums([record("d", end="failed")])["merges_passed_share"] == 0.0
    assert motorway_sums([])["merges_passed_share"] is None
    assert named([], {"collisions": []}, [])["trips"] == []


@pytest.fixture
def small(tmp_path: Path) -> Suite:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    return Suite(Order(sensors="ideal"), 0.3, 5, 1, tmp_path)


@pytest.mark.sumo
def test_trips_are_planned_at_each_density_and_a_longer_run_holds_them(small):
    few, faulty = plan_trips(small)
    assert [each.density for each in few] == [density.name for density in DENSITIES]
    assert faulty == []
    for each in few:
        assert each.length_m > LEAST_M
        assert job_from_json(job_to_json(each.job)) == each.job
    more, _ = plan_trips(replace(small, km=16.0))
    assert sum(each.length_m for each in more) >= 16_000.0
    assert {each.job.name: each.job for each in few}.items() <= {
        each.job.name: each.job for each in more
    }.items()


@pytest.mark.sumo
def test_the_roads_can_be_driven_at_speed(small):
    cfg = stage_motorway(draw_motorway(small.seed, 0), DENSITIES[0])
    road_map = open_ground(Order(traffic=str(cfg))).road_map
    fast = road_map.lane_limit_mps[:] > 27.0
    for lane in np.flatnonzero(fast & (road_map.lane_length_m > 5.0)).tolist():
        bend = np.abs(road_map.pt_curvature_1pm[road_map.pt_off[lane] : road_map.pt_off[lane + 1]])
        assert float(bend.max()) * 36.1**2 < 3.0, road_map.lane_name[lane]


@pytest.mark.sumo
def test_a_run_adds_up_what_its_folder_holds(small, monkeypatch, capsys):
    """The trips themselves take minutes; here they are records in the folder."""
    monkeypatch.setattr(city, "_drive_all", lambda jobs, workers: iter(_written(jobs)))
    monkeypatch.setattr(motorway, "program_hash", lambda: "as it stands")

    def _written(jobs):
        for job in jobs:
            row = record(
                job.name, schema="marque.prove.trip/1", arrived=True, failed="", optimal_s=90.0,
                merges=1, merges_passed=1, exits=1, exits_missed=0, lane_changes=2,
                followers_braked=[], distance_m=4000.0, duration_s=150.0,
                reference={"arrived": True, "duration_s": 150.0, "waiting_s": 0.0,
                           "distance_m": 3990.0, "collisions": []},
            )  # fmt: skip
            Path(job.file).write_text(json.dumps(row))
            yield job

    result = run_motorway(small)
    assert result["schema"] == "marque.prove.motorway/1"
    assert result["passed"]
    assert result["merges_passed_share"] == 1.0
    assert result["missed_exits_share"] == 0.0
    assert result["speed_ratio"] == pytest.approx(4000 / 3990, abs=1e-3)
    assert result["followers_braked"] == 0
    assert set(result["densities"]) == {"free", "dense", "breakdown"}
    assert all(each["routes"] == 1 for each in result["densities"].values())
    assert add_up(small, plan_trips(small)[0], [])["distance_km"] == pytest.approx(12.0)
    # the same words on the command line find the trips, and say it in a table
    words = ["--km", "0.3", "--seed", "5", "--sensors", "ideal", "--out", str(small.out)]
    file = small.out / "x" / "result.json"
    assert main(["prove", "motorway", *words, "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "merges passed" in shown
    assert "again: marque prove motorway --km 0.3" in shown
    assert json.loads(file.read_text())["distance_km"] == result["distance_km"]
    with pytest.raises(MarqueError, match="seed = 5, not 6"):
        run_motorway(replace(small, seed=6))
