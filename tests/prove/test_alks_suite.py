"""The suite of UN R157: which cases there are, how they are played, judged, kept and resumed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from marque.cli.prove import app
from marque.core.errors import MarqueError
from marque.kernels.rollout import E_HEADWAY
from marque.prove.alks import suite as suites
from marque.prove.alks.cases import allowed, draw, find_cases
from marque.prove.alks.criteria import Drawing, number_of, read_criteria
from marque.prove.alks.judge import JUDGES, Run, judge, run_of
from marque.prove.alks.play import CONTACT, Played, Who, drive
from marque.prove.alks.reference import Avoided, lane_path, references
from marque.sim.scenario.variations import read_variation
from marque.stack.planning.driver import Marque, lawful
from marque.types.mission import Mission
from marque.vehicle.market import load_market
from scenario_files import (
    HEADER,
    after,
    at_lane,
    begin,
    event,
    speed,
    story,
    teleport,
    text,
    when,
    write,
    write_roads,
)

CRITERIA = read_criteria()
ACTIVATE = (
    "<PrivateAction><ControllerAction><ActivateControllerAction lateral='true' "
    "longitudinal='true'/></ControllerAction></PrivateAction>"
)
STANDS = "alks_scenario_4_2_1_stands.xosc"
DECLARED = (
    '<ParameterDeclaration name="away" parameterType="double" value="60"><ConstraintGroup>'
    '<ValueConstraint rule="lessThan" value="100"/></ConstraintGroup></ParameterDeclaration>'
    '<ParameterDeclaration name="fast" parameterType="double" value="10"/>'
)


def _stands(folder: Path, away: str = "$away", stop_s: float = 4.0, name: str = STANDS) -> Path:
    """We come with $fast, somebody stands `away` metres along our lane."""
    init = begin("Ego", teleport(at_lane(-1, 5.0)), speed("$fast")) + begin(
        "Other",
        teleport(at_lane(-1, away)),
    )
    stories = story("Ego", event("on", ACTIVATE, when(after(0.2))))
    stop = when(after(stop_s), tag="StopTrigger")
    return write(folder, text(init, stories, stop, declared=DECLARED), name)


def _varies(folder: Path, away: str, fast: str, name: str = "many.xosc", of: str = STANDS) -> Path:
    def axis(parameter: str, span: str) -> str:
        low, high, step = span.split()
        return (
            f'<DeterministicSingleParameterDistribution parameterName="{parameter}">'
            f'<DistributionRange stepWidth="{step}"><Range lowerLimit="{low}" '
            f'upperLimit="{high}"/></DistributionRange></DeterministicSingleParameterDistribution>'
        )

    path = folder / name
    path.write_text(
        f'<OpenSCENARIO>{HEADER}<ParameterValueDistribution><ScenarioFile filepath="{of}"/>'
        f"<Deterministic>{axis('away', away)}{axis('fast', fast)}</Deterministic>"
        "</ParameterValueDistribution></OpenSCENARIO>"
    )
    return path


# Which cases there are --------------------------------------------------------------------------


def test_a_scenario_is_known_by_the_number_in_its_name() -> None:
    assert number_of(Path("alks_scenario_4_3_2_follow_variation.xosc")) == "4.3_2"
    assert number_of(Path("cut_in_2030_1.xosc")) == ""
    known = CRITERIA.ruling(Path("alks_scenario_4_3_1_follow.xosc"))
    assert "distance" in [c.name for c in known.criteria]
    new = CRITERIA.ruling(Path("something_new.xosc"))
    assert [c.name for c in new.criteria] == ["contact", "lane"] and new.clause


def test_every_criterion_has_a_clause_and_a_judge() -> None:
    assert set(CRITERIA.criteria) == set(JUDGES)
    for c in CRITERIA.criteria.values():
        assert c.clause and c.text and isinstance(c.read, bool)


def test_large_variations_are_drawn_evenly_and_within_their_constraints(tmp_path: Path) -> None:
    _stands(tmp_path)
    variation = read_variation(_varies(tmp_path, "1 200 1", "1 40 1"))
    assert len(variation) == 8000
    chosen = draw(variation, Drawing(100, 50, seed=3))
    assert chosen == draw(variation, Drawing(100, 50, seed=3))
    assert chosen != draw(variation, Drawing(100, 50, seed=4))
    assert len({tuple(case.items()) for case in chosen}) == 50
    away = np.array([float(case["away"]) for case in chosen])
    fast = np.array([float(case["fast"]) for case in chosen])
    assert away.max() < 100.0
    for values, most in ((away, 100.0), (fast, 41.0)):
        counts, _ = np.histogram(values, bins=5, range=(0.0, most))
        assert counts.min() >= 4, counts


def test_few_cases_are_all_taken(tmp_path: Path) -> None:
    _stands(tmp_path)
    variation = read_variation(_varies(tmp_path, "90 110 5", "1 2 1"))
    assert len(list(allowed(variation))) == 4  # 90 and 95; 100 and more are ruled out
    assert len(draw(variation, Drawing(1, 50, seed=1))) == 4


def test_cases_of_a_folder_and_what_cannot_be_read(tmp_path: Path) -> None:
    _stands(tmp_path)
    _varies(tmp_path, "60 70 10", "8 10 2")
    _varies(tmp_path, "1 2 1", "1 2 1", "lost.xosc", of="gone.xosc")
    found = find_cases(tmp_path, CRITERIA.drawing, everything=False, concrete=False)
    assert [item.name for item in found.items if not item.refused] == [
        STANDS, *(f"many.xosc: away={a}, fast={f}" for a in (60, 70) for f in (8, 10))
    ]  # fmt: skip
    (lost,) = [item for item in found.items if item.refused]
    assert "gone.xosc" in lost.refused
    alone = find_cases(tmp_path, CRITERIA.drawing, everything=False, concrete=True)
    assert [item.name for item in alone.items] == [STANDS]


@pytest.mark.data
def test_how_many_cases_the_suite_of_the_issue_has(shared_data: Path) -> None:
    found = find_cases(shared_data / "openscenario" / "alks", CRITERIA.drawing, False, False)
    assert found.scenarios == 15 and len(found.variations) == 15
    assert sum(int(str(row["grid"])) for row in found.variations) == 121_060
    drawn = {row["file"]: row["cases"] for row in found.variations if row["drawn"]}
    assert len(drawn) == 3 and set(drawn.values()) == {2000}
    for number in ("4_4_1", "4_5_1", "4_5_2"):
        assert any(number in str(name) for name in drawn)


# How they are played and judged -----------------------------------------------------------------


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Played:
    path = _stands(tmp_path_factory.mktemp("stands"))
    return drive(path, {}, Who(), 60.0)


def test_our_car_drives_from_the_activation_on_and_stops(stopped: Played) -> None:
    assert stopped.begin_s == pytest.approx(0.2, abs=0.06) and stopped.contact is None
    speeds = [tick.world.ego.speed_mps for tick in stopped.episode.ticks]
    assert speeds[0] == pytest.approx(10.0) and max(speeds) < 10.05
    assert speeds[-1] < 7.0
    judged = judge(stopped, CRITERIA.ruling(Path(STANDS)))
    assert judged.verdict == "passed" and all(mark.met for mark in judged.marks)
    assert 0.0 < judged.facts["least_gap_m"] < 50.0


def test_references_brake_where_they_can(stopped: Played, tmp_path: Path) -> None:
    told = {one.model: one.avoids for one in references(stopped)}
    assert told["fuzzy model"]
    near = drive(_stands(tmp_path, away="22"), {"fast": "16"}, Who(), 60.0)
    assert near.contact is not None and near.episode.end == CONTACT
    assert [one.avoids for one in references(near)] == [False, False]
    judged = judge(near, CRITERIA.ruling(Path(STANDS)))
    assert judged.verdict == "mitigated", judged.marks
    assert judged.facts["contact"]["speed_mps"] < 16.0


def test_contact_that_a_reference_avoids_is_a_failure(stopped: Played) -> None:
    run = run_of(stopped, lane_path(stopped))
    hit = replace_contact(stopped, frame=20)
    c = CRITERIA.criteria["contact"]
    fuzzy, human = Avoided("fuzzy model", True), Avoided("careful human", False, 3.0)
    mark = JUDGES["contact"](c, run, hit, (fuzzy, human))
    assert not mark.met and mark.margin < 0.0 and "fuzzy model" in mark.words
    gentle = replace(run, brake_mps2=np.zeros(len(run.t_s)))
    mark = JUDGES["contact"](c, gentle, hit, (human,))
    assert not mark.met and "no emergency braking" in mark.words


def replace_contact(played: Played, frame: int) -> Played:
    return Played(
        played.play, played.setup, played.episode, played.names, played.begin_s,
        False, (frame, next(iter(played.names))), played.known,
    )  # fmt: skip


def _with(run: Run, **columns: Any) -> Run:
    return replace(run, **columns)


def test_each_criterion_can_fail(stopped: Played) -> None:
    run = run_of(stopped, lane_path(stopped))
    n = len(run.t_s)
    late = run.t_s + 20.0
    near = np.full_like(run.gap_m, 3.0)
    broken = {
        "lane": _with(run, beside_m=np.full((n, 2), 1.2)),
        "calm": _with(run, brake_mps2=np.full(n, 5.1)),
        "speed": _with(run, speed_mps=np.linspace(10.0, 11.0, n)),
        "distance": _with(run, t_s=late, gap_m=near, speed_mps=np.full(n, 10.0)),
        "ahead": run,
        "beside": _with(run, gap_m=np.full_like(run.gap_m, -3.0), side_m=near),
    }
    blind = Played(stopped.play, stopped.setup, stopped.episode, stopped.names, stopped.begin_s)
    for name, arrays in broken.items():
        mark = JUDGES[name](CRITERIA.criteria[name], arrays, blind, ())
        assert not mark.met and mark.margin < 0.0, name
    for name in ("lane", "calm", "speed", "distance", "ahead", "beside"):
        mark = JUDGES[name](CRITERIA.criteria[name], run, stopped, ())
        assert mark.met and mark.margin >= 0.0, name


def test_it_stays_behind_who_is_slow_and_in_its_lane(tmp_path: Path) -> None:
    """There is room in the lane beside; without being told to keep ours, it goes there."""
    init = begin("Ego", teleport(at_lane(-2, 5.0)), speed(20.0)) + begin(
        "Other", teleport(at_lane(-2, 75.0)), speed(8.0)
    )
    stories = story("Ego", event("on", ACTIVATE, when(after(0.2))))
    path = write(tmp_path, text(init, stories, when(after(9.0), tag="StopTrigger")))
    played = drive(path, {}, Who(), 60.0)
    run = run_of(played, lane_path(played))
    assert played.contact is None and np.abs(run.beside_m).max() < 0.3
    assert run.speed_mps.max() < 20.1 and run.speed_mps[-1] < 12.0
    assert not any(tick.plan.manoeuvre.startswith("change") for tick in played.episode.ticks
                   if tick.plan is not None)  # fmt: skip


@pytest.mark.parametrize(("law", "headway_s"), [("un_r157", 1.6), ("un_r171", 1.4)])
def test_law_sets_the_least_headway_of_who_drives_eyes_off(
    stopped: Played, law: str, headway_s: float
) -> None:
    setup = stopped.setup
    mission = Mission(
        setup.road_map, setup.platform, setup.trip.goal_lane, setup.trip.goal_s_m, 1, None,
        load_market(law),
    )  # fmt: skip
    memory = Marque().start(mission)
    ego = lawful(memory, memory.context.ego, 60.0 / 3.6)
    assert ego[E_HEADWAY] == pytest.approx(headway_s, abs=1e-3)


def test_an_ego_on_the_other_side_gets_its_road_ahead(tmp_path: Path) -> None:
    """In lane 1 by the right-hand rule it would leave the road after 5 m."""
    init = begin("Ego", teleport(at_lane(1, 5.0)), speed(10.0))
    stop = when(after(0.6), tag="StopTrigger")
    path = write(tmp_path, text(init, story("Ego", event("on", ACTIVATE, when(after(0.2)))), stop))
    played = drive(path, {}, Who(), 60.0)
    ego = [tick.world.ego for tick in played.episode.ticks]
    assert played.turned and ego[-1].x_m > ego[0].x_m + 2.0 and ego[0].y_m > 0.0


# The verb ---------------------------------------------------------------------------------------


def _words(folder: Path, out: Path, *more: str) -> list[str]:
    return ["alks", "--suite", str(folder), "--out", str(out), "--json", str(out / "r.json"),
            "--pictures", "none", *more]  # fmt: skip


def _invoke(words: list[str]) -> int:
    result = CliRunner().invoke(app, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value)


def test_a_run_reports_resumes_and_tells_what_it_cannot_play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = tmp_path / "suite", tmp_path / "out"
    suite.mkdir()
    _stands(suite, stop_s=0.6)
    _varies(suite, "60 70 10", "8 8 1")
    odd = text(begin("Ego", teleport(at_lane(-1, 5.0)), "<Juggle/>"))
    (suite / "odd.xosc").write_text(odd)
    assert _invoke(_words(suite, out)) == 1
    report = json.loads((out / "r.json").read_text())
    assert next(iter(report)) == "schema" and report["schema"] == "marque.prove.alks/1"
    counts = [report[k] for k in ("played", "passed", "failed", "unsupported")]
    assert counts == [3, 3, 0, 1] and len(report["cases"]) == 4
    (refused,) = [row for row in report["cases"] if row["verdict"] == "unsupported"]
    assert "odd.xosc:1" in refused["why"] and "Juggle" in refused["why"]
    played = next(row for row in report["cases"] if row["given"].get("away") == "70")
    assert {"clause", "margin", "criteria", "worst_s", "again"} <= set(played)

    journal = out / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    assert len(lines) == 5
    journal.write_text("".join(lines[:3]) + lines[3][:20])  # killed in the midst of a line
    again: list[str] = []
    true = suites.play_one

    def noted(job: suites.Job) -> dict[str, Any]:
        again.append(job.item.name)
        return true(job)

    monkeypatch.setattr(suites, "play_one", noted)
    assert _invoke(_words(suite, out)) == 1
    assert len(again) == 2
    resumed = json.loads((out / "r.json").read_text())
    for was, now in zip(report["cases"], resumed["cases"], strict=True):
        assert {k: v for k, v in was.items() if k != "cpu_s"} == {
            k: v for k, v in now.items() if k != "cpu_s"
        }
    assert len(journal.read_text().splitlines()) == 5
    with pytest.raises(MarqueError, match=r"another car.*--again"):
        _invoke(_words(suite, out, "--car", "suv_erev"))
    (suite / "odd.xosc").unlink()
    assert _invoke(_words(suite, out, "--concrete", "--again")) == 0


BREAKS = """
class Breaks:
    def start(self, mission):
        return None
    def drive(self, memory, scene, forecast):
        raise TypeError("no idea")
"""


def test_a_driver_that_raises_has_failed(tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    _stands(suite, stop_s=0.6)
    (tmp_path / "breaks.py").write_text(BREAKS)
    words = _words(suite, tmp_path / "out", "--driver", f"{tmp_path / 'breaks.py'}:Breaks")
    assert _invoke(words) == 1
    (row,) = json.loads((tmp_path / "out" / "r.json").read_text())["cases"]
    assert row["verdict"] == "failed" and "TypeError: no idea" in row["why"]


def test_the_worst_moment_is_drawn(tmp_path: Path) -> None:
    _stands(tmp_path, stop_s=0.4)
    words = _words(tmp_path, tmp_path / "out")
    assert _invoke([*words[:-2], "--concrete"]) == 0
    (row,) = json.loads((tmp_path / "out" / "r.json").read_text())["cases"]
    assert Path(row["picture"]).read_bytes().startswith(b"\x89PNG")


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no folder"):
        _invoke(_words(tmp_path / "gone", tmp_path / "out"))
    with pytest.raises(MarqueError, match="holds no scenario file"):
        _invoke(_words(tmp_path, tmp_path / "out"))
    write_roads(tmp_path)
    _stands(tmp_path)
    for more, words in (
        (("--all", "--concrete"), "exclude each other"),
        (("--driver", "nobody"), "no driver 'nobody'"),
        (("--car", "nothing"), "no car"),
        (("--sensors", "third-eye"), "no sensor profile"),
        (("--only", "zebra"), "has 'zebra' in its name"),
        (("--pictures", "few"), "no pictures 'few'"),
    ):
        with pytest.raises(MarqueError, match=words):
            _invoke([*_words(tmp_path, tmp_path / "out"), *more])
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "journal.jsonl").write_text("not a journal\n")
    with pytest.raises(MarqueError, match="no journal of this suite"):
        _invoke(_words(tmp_path, tmp_path / "out"))
