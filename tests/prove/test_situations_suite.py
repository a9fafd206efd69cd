"""The suite of situations: what counts, what is drawn anew, what is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import straight_road
from marque.cli import situations as cli
from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.maps.lookup import LaneIndex
from marque.prove.roads import Roads
from marque.prove.situations import suite
from marque.prove.situations.case import Case, Place
from marque.prove.situations.cast import Cast
from marque.prove.situations.checks import COMMON, Criterion, Outcome
from marque.prove.situations.diary import diary, say
from marque.prove.situations.play import Played
from marque.prove.situations.situation import Situation
from marque.prove.situations.view import View
from marque.sim.drive import Timing
from metrics.drives import drive, moving, standing, straight

ROAD = straight_road(400.0, 1)
CASE = Case("by hand", Roads((), ()), Cast(), Place("e", 0.0), Place("e", 0.0), 60.0)
QUICK = ("following", "crosswalk", "lane_change")


def a_class(*, posed: bool = True, holds: bool = True) -> Situation:
    own = Criterion("own", "as told", lambda view: Outcome(holds, "measured", 1.0))
    return Situation("made_up", "made up", lambda rng: CASE, lambda view: posed, (own,))


def played(*users: Any, goal_m: float = 100.0, end: str = "arrived", error: str = "") -> Played:
    episode = drive(ROAD, straight([8.0] * 100 + [0.0] * 5, x=20.0), users, goal=(0, goal_m))
    episode.end = end
    names = {user.uid: f"user{user.uid}" for user in users}
    return Played(CASE, episode, LaneIndex(ROAD), names, Timing(), error)


def test_a_drive_counts_when_posed_or_when_something_went_wrong() -> None:
    good, standing_ = suite.judge_case(a_class(), played())
    assert (good["passed"], standing_) == (True, suite.COUNTS)
    assert "diary" not in good
    _, standing_ = suite.judge_case(a_class(posed=False), played())
    assert standing_ == suite.NOT_POSED
    bad, standing_ = suite.judge_case(a_class(posed=False, holds=False), played())
    assert (bad["passed"], standing_) == (False, suite.COUNTS)
    assert bad["failed"] == [{"name": "own", "value": "measured", "t_s": 1.0}]
    assert bad["diary"]


def test_what_somebody_else_ended_is_void_unless_we_failed_before() -> None:
    # hit from behind by somebody whose lane we never entered
    ram = moving(1, 0.0, 0.0, 0.0, 20.0, lane=0)
    ended = played(ram, goal_m=300.0, end="collision")
    result, standing_ = suite.judge_case(a_class(), ended)
    assert [hit["at_fault"] for hit in result["collisions"]] == [False]
    assert standing_ == suite.VOID
    assert suite.judge_case(a_class(holds=False), ended)[1] == suite.COUNTS
    ours = played(standing(1, 80.0, 0.0, lane=0), goal_m=300.0, end="collision")
    assert suite.judge_case(a_class(), ours)[1] == suite.COUNTS


def test_a_driver_that_raises_has_failed() -> None:
    result, standing_ = suite.judge_case(a_class(), played(error="KeyError: 7"))
    assert standing_ == suite.COUNTS
    assert result["failed"][0]["name"] == "driver_failed"
    assert "KeyError" in result["failed"][0]["value"]


def test_a_diary_has_one_line_per_lasting_state() -> None:
    done = played()
    view = View(done.case, done.episode, done.index, done.names)
    lines = diary(view)
    assert len(lines) == 1
    assert lines[0]["lane"] == ROAD.lane_name[0]
    assert "none" in say(lines[0])


def result_of(name: str, case: int, **more: Any) -> dict[str, Any]:
    base = {
        "class": name, "case": case, "attempt": 0, "text": "t", "passed": True, "failed": [],
        "not_posed": [], "void": [],
    }  # fmt: skip
    return {**base, **more}


def a_report() -> dict[str, Any]:
    chosen = [suite.find("following"), suite.find("queue")]
    failed = [{"name": "box_clear", "value": "3 s", "t_s": 2.0}]
    results = [
        result_of("queue", 1, passed=False, failed=failed, not_posed=[{"attempt": 0}]),
        result_of("following", 0),
        result_of("queue", 0, void=[{"attempt": 0}]),
        result_of("following", 1),
    ]
    return suite.report(chosen, results, 3, 2, ("marque", "saloon_ev", "ideal"), 12.0)


def test_the_report_counts_by_class_in_order_of_cases() -> None:
    report = a_report()
    assert next(iter(report)) == "schema"
    assert report["schema"] == "marque.prove.situations/1"
    assert (report["cases_total"], report["cases_passed"], report["passed"]) == (4, 3, False)
    following, queue = report["classes"]
    assert (following["passed_share"], queue["passed_share"]) == (1.0, 0.5)
    assert (queue["not_posed"], queue["void"], queue["broken"]) == (1, 1, {"box_clear": 1})
    assert [result["case"] for result in queue["results"]] == [0, 1]
    texts = [criterion["text"] for criterion in queue["criteria"]]
    assert len(texts) == len(set(texts)) > len(COMMON)
    json.dumps(report)


def test_all_thirteen_classes_say_what_they_demand() -> None:
    names = [situation.name for situation in suite.CLASSES]
    assert len(names) == len(set(names)) == 13
    for situation in suite.CLASSES:
        assert situation.criteria[: len(COMMON)] == COMMON
        assert len(situation.criteria) > len(COMMON)
        assert len({criterion.name for criterion in situation.criteria}) == len(situation.criteria)


def test_unknown_words_are_named() -> None:
    with pytest.raises(MarqueError, match=r"no situation 'folowing'.*did you mean 'following'"):
        suite.run(only=("folowing",))
    with pytest.raises(MarqueError, match="no driver 'nobody'"):
        suite.run(only=("following",), driver="nobody")
    with pytest.raises(MarqueError, match="no car 'tank'"):
        suite.run(only=("following",), car="tank")
    with pytest.raises(MarqueError, match="at least 1"):
        suite.run(cases=0)


def test_the_command_line_tells_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}

    def run(**words: Any) -> dict[str, Any]:
        asked.update(words)
        return a_report()

    monkeypatch.setattr(suite, "run", run)
    file = tmp_path / "result.json"
    words = ["prove", "situations", "--only", "following", "--only", "queue", "--cases", "2"]
    assert main([*words, "--seed", "3", "--workers", "2", "--json", str(file)]) == cli.FAILED
    assert (asked["only"], asked["cases"], asked["seed"]) == (("following", "queue"), 2, 3)
    told = capsys.readouterr().out
    assert "queue 1: t: box_clear at 2 s (3 s)" in told
    assert "2/2" in told and "1/2" in told and "3/4" in told
    again = "marque prove situations --only following --only queue --cases 2 --seed 3"
    assert again in told
    assert json.loads(file.read_text())["schema"] == "marque.prove.situations/1"
    assert json.loads(file.read_text())["command"].startswith(again)


def test_a_wrong_class_ends_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "situations", "--only", "parking"]) == 2
    assert "no situation 'parking'; have [" in capsys.readouterr().err


@pytest.mark.sumo
def test_quick_cases_pass_and_do_not_depend_on_who_drives_them() -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    seen: list[str] = []
    report = suite.run(only=QUICK, cases=1, workers=2, done=lambda each: seen.append(each["class"]))
    assert sorted(seen) == sorted(QUICK)
    assert report["passed"], [each["results"] for each in report["classes"]]
    alone = suite.run_job(suite.Job("crosswalk", 0, 1, "marque", "saloon_ev"))
    (together,) = report["classes"][1]["results"]
    for result in (alone, together):
        del result["planner_ms"]  # of the wall clock
    assert alone == together


@pytest.mark.sumo
def test_files_of_a_failed_case_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    following = suite.find("following")
    never = Criterion("never", "cannot hold", lambda view: Outcome(False))
    strict = Situation("following", "t", following.draw, following.posed, (never,))
    monkeypatch.setattr(suite, "CLASSES", (strict,))
    report = suite.run(only=("following",), cases=1, keep=tmp_path)
    assert not report["passed"]
    (folder,) = tmp_path.iterdir()
    assert {file.name for file in folder.iterdir()} == {
        "x.net.xml", "x.rou.xml", "x.add.xml", "x.sumocfg",
    }  # fmt: skip
