"""Drives on roads that are not as the map says."""

import json

import numpy as np
import pytest

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove.situations.case import set_stage
from marque.prove.wrong_map import suite
from marque.prove.wrong_map.cases import KINDS, OFF_M, OFF_RAD
from marque.sim.misled import same_heads
from marque.types.road_map import NONE


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_the_same_whenever_it_is_drawn_and_every_other_case_is_astray(kind):
    job = suite.Job(kind, 0, 3, "marque", "saloon_ev", "standard")
    first, off = suite.draw(job)
    again, _ = suite.draw(job)
    assert (first.case.text, first.case.cast) == (again.case.text, again.case.cast)
    assert off == (0.0, 0.0)
    _, off = suite.draw(suite.Job(kind, 1, 3, "marque", "saloon_ev", "standard"))
    assert [abs(each) for each in off] == [OFF_M, OFF_RAD]


@pytest.mark.sumo
@pytest.mark.parametrize("kind", ["one_way", "signal"])
def test_the_car_trusts_its_eyes_and_says_where(kind):
    result = suite.run_job(suite.Job(kind, 0, 4, "marque", "saloon_ev", "ideal"))
    assert result["passed"], result["failed"]
    assert result["noticed"]


@pytest.mark.sumo
def test_without_eyes_for_it_the_same_case_fails(monkeypatch):
    """The suite would notice: nothing that is seen changes what is believed."""
    monkeypatch.setattr("marque.stack.perception.direct.watch_chart", lambda memory, *_: memory)
    result = suite.run_job(suite.Job("one_way", 0, 4, "marque", "saloon_ev", "ideal"))
    assert not result["noticed"]
    assert {"stays_out"} <= {each["name"] for each in result["failed"]}


@pytest.mark.prove
@pytest.mark.sumo
def test_all_kinds():
    report = suite.run(cases=2, sensors="standard")
    assert report["collisions_at_fault"] == 0
    assert report["noticed_share"] >= 0.9


@pytest.mark.sumo
def test_heads_are_known_by_place_and_turn(tmp_path):
    wrong, _ = suite.draw(suite.Job("signal", 0, 1, "marque", "saloon_ev", "ideal"))
    true = set_stage(wrong.case, tmp_path).road_map
    used = np.unique(true.lane_head[true.lane_head != NONE])
    same = same_heads(true, true)
    assert len(used) > 3
    assert all(true.head_xy_m[same[h]].tolist() == true.head_xy_m[h].tolist() for h in used)
    assert (same_heads(true, wrong.belief(true)) == NONE).all()  # a map without them


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "hole"], "hole"),
        (["--driver", "nobody"], "nobody"),
        (["--car", "cart"], "cart"),
        (["--sensors", "nose"], "nose"),
        (["--cases", "0"], "--cases"),
        (["--json", "/proc/none/x.json"], "/proc/none"),
    ],
)
def test_bad_words_are_one_sentence(words, said, capsys):
    assert main(["prove", "wrongmap", *words]) == 2
    assert said in capsys.readouterr().err


def test_nothing_is_driven_for_no_cases():
    with pytest.raises(MarqueError, match="at least 1"):
        suite.run(cases=0)


@pytest.mark.sumo
def test_the_report_is_json_and_repeats_itself(tmp_path, capsys):
    file = tmp_path / "r.json"
    words = ["prove", "wrongmap", "--only", "added_lane", "--cases", "1", "--sensors", "ideal"]
    code = main([*words, "--json", str(file)])
    report = json.loads(file.read_text())
    assert code == (0 if report["passed"] else 1)
    assert report["command"].startswith("marque prove wrongmap --only added_lane --cases 1")
    assert report["noticed_share"] == 1.0
    assert "added_lane" in capsys.readouterr().out
