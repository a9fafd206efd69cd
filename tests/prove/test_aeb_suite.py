"""Emergency braking in scenarios: cases, judges, colours, a journal that resumes, bad words."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove.aeb import cost
from marque.prove.aeb import criteria as rules
from marque.prove.aeb.cases import find_cases
from marque.prove.aeb.criteria import read_criteria
from marque.prove.aeb.judge import Driven, clearance, judge
from marque.prove.aeb.play import Who, drive
from marque.prove.aeb.suite import R152_FOLDER, Order, plan, run
from marque.prove.verdicts import Journal, counts, slug
from marque.sim.guarded import LET_GO, RESTS
from marque.types.codes import UserKind
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.catalog import load_platform

CAR = load_platform("saloon_ev")
NCAP = read_criteria("ncap")


def world(t_s: float, x: float, speed: float, other_x: float, other_mps: float = 0.0) -> World:
    """Our car on the x axis, somebody ahead on it."""
    users = RoadUsers(
        uid=np.array([7]), kind=np.array([UserKind.CAR], np.int8), x_m=np.array([other_x]),
        y_m=np.zeros(1), heading_rad=np.zeros(1), speed_mps=np.array([other_mps]),
        accel_mps2=np.zeros(1), length_m=np.array([4.0]), width_m=np.array([1.8]),
        indicator=np.zeros(1, np.int8), lane=np.array([-1], np.int32),
    )  # fmt: skip
    ego = EgoTruth(x, 0.0, 0.0, speed, 0.0, 0.0, 0.0, 0.0)
    return World(round(t_s * 1e9), ego, users, np.zeros(0, np.int8))


def driven(speeds: list[float], gap: float, asked: list[tuple[float, float, float]]) -> Driven:
    """Frames of 100 ms at these speeds towards who stands; asked: braking, warning, margin."""
    x, worlds = 0.0, []
    for k, speed in enumerate(speeds):
        worlds.append(world(0.1 * k, x, speed, CAR.front_m + gap + 2.0))
        x += 0.1 * speed
    rows = np.array([(0.1 * k, *row) for k, row in enumerate(asked)])
    return Driven(tuple(worlds), {7: "Target"}, rows, CAR)


def test_impact_speed_is_that_of_the_first_touch() -> None:
    got = judge(driven([10.0] * 6, 2.5, [(0.0, 0.0, 10.0)] * 6), NCAP.ruling("CCRs"), NCAP)
    assert got.verdict == "failed" and got.facts["contact"] == "Target"
    assert got.facts["impact_speed_kph"] == pytest.approx(36.0)
    assert got.facts["contact_s"] == pytest.approx(0.26, abs=0.021)
    assert (got.facts["colour"], got.facts["share"]) == ("red", 0.0)
    assert got.marks[0].margin == pytest.approx(-36.0)


def test_no_touch_is_green_and_its_clearance_is_told() -> None:
    got = judge(
        driven([10.0, 5.0, 0.0, 0.0], 2.5, [(9.0, 1.0, 0.4)] * 4), NCAP.ruling("CCRb"), NCAP
    )
    assert got.verdict == "passed" and got.facts["colour"] == "green"
    assert got.facts["clearance_m"] == pytest.approx(1.0)
    assert got.facts["braked_s"] == 0.0 and got.facts["peak_braking_mps2"] == 9.0


def test_touched_at_rest_is_no_impact() -> None:
    worlds = tuple(world(0.1 * k, 0.0, 0.0, CAR.front_m + 2.4 - 0.3 * k, -3.0) for k in range(4))
    got = judge(
        Driven(worlds, {7: "GVT"}, np.array([(0.0, 5.0, 1.0, 0.5)]), CAR),
        NCAP.ruling("CCFhos"), NCAP,
    )  # fmt: skip
    assert got.facts["contact"] == "GVT" and got.facts["impact_speed_kph"] == 0.0


@pytest.mark.parametrize(
    ("kph", "name", "colour"),
    [
        (0.0, "CCRs", "green"), (0.5, "CCRs", "yellow"), (12.0, "CCRs", "yellow"),
        (12.1, "CCRs", "orange"), (31.0, "CCRs", "brown"), (33.0, "CCRs", "red"),
        (0.0, "CCFtap", "green"), (3.0, "CCFtap", "red"),
    ],
)  # fmt: skip
def test_colours(kph: float, name: str, colour: str) -> None:
    band = NCAP.colour(kph, NCAP.ruling(name))
    assert band is not None and band.colour == colour


@pytest.mark.parametrize(
    ("name", "ruling", "kph", "most"),
    [
        ("CCRs", "CCRs", 50.0, 0.0), ("CCRs_FCW", "CCRs FCW", 60.0, None),
        ("CPNCO-50", "CPNCO", 40.0, 10.0), ("CPNCO-50", "CPNCO", 45.0, None),
        ("CBNA-50", "CBNA", 60.0, 0.0), ("CBNAO-50", "CBNAO", 40.0, 10.0),
        ("CPFA-50", "CPNA, CPFA", 60.0, 0.0), ("nothing", "other", 10.0, None),
    ],
)  # fmt: skip
def test_rules_are_found_by_identity(name: str, ruling: str, kph: float, most: float) -> None:
    found = NCAP.ruling(name)
    assert (found.name, found.allowed_kph(kph)) == (ruling, most)


def test_quiet_fails_where_anything_was_braked_for() -> None:
    r152 = read_criteria("r152")
    still = [(0.0, 1.0, 1.2)] * 3
    ruling = r152.ruling("false: bend")
    assert judge(driven([5.0] * 3, 30.0, still), ruling, r152).verdict == "passed"
    braked = [*still[:2], (5.0, 1.0, 0.8)]
    got = judge(driven([5.0] * 3, 30.0, braked), ruling, r152)
    assert got.verdict == "failed" and got.marks[1].margin == pytest.approx(-0.2)
    assert got.facts["colour"] is None


def test_warnings_must_come_in_time() -> None:
    r152 = read_criteria("r152")
    ruling = r152.ruling("car standing")
    late = [(0.0, 0.0, 10.0)] * 9 + [(5.0, 1.0, 0.8)] * 3
    got = judge(driven([5.0] * 12, 30.0, late), ruling, r152)
    assert {m.name for m in got.marks if not m.met} == {"warned before"}
    soon = [(0.0, 1.0, 2.0)] * 9 + [(5.0, 1.0, 0.8)] * 3
    assert judge(driven([5.0] * 12, 30.0, soon), ruling, r152).verdict == "passed"
    fcw = judge(driven([20.0] * 12, 60.0, soon), NCAP.ruling("CCRs_FCW"), NCAP)
    assert fcw.facts["warned_ttc_s"] == pytest.approx(3.0) and fcw.verdict == "passed"


def test_clearance_of_turned_rectangles() -> None:
    assert clearance((0, 0, 0, 4, 2), (5, 0, 0, 4, 2)) == pytest.approx(1.0)
    assert clearance((0, 0, 0, 4, 2), (3, 0, 0, 4, 2)) == 0.0
    assert clearance((0, 0, 0, 4, 2), (5, 4, 0, 4, 2)) == pytest.approx(np.hypot(1, 2))
    assert clearance((0, 0, 0, 2, 2), (3, 0, np.pi / 4, 2, 2)) == pytest.approx(2 - np.sqrt(2))


def test_every_case_of_r152_is_one_of_its_tables() -> None:
    items = find_cases(R152_FOLDER, read_criteria("r152"), CAR, False)
    assert len({item.name for item in items}) == len(items) and not any(i.refused for i in items)
    speeds = {dict(i.given).get("Ego_speed_kph") for i in items if i.identity == "car standing"}
    assert {"20", "40", "42", "60"} <= speeds
    assert all(("Ego_length", "4.9") in item.given for item in items)


@pytest.mark.parametrize(
    ("file", "given", "braked"),
    [
        ("pedestrian", {"Ego_speed_kph": "45"}, True),
        ("false_turn_left", {"Ego_speed_kph": "15"}, False),
        ("false_parked_car", {"Ego_speed_kph": "40"}, False),
    ],
)
def test_scenarios_of_our_own(file: str, given: dict[str, str], braked: bool) -> None:
    played = drive(R152_FOLDER / f"{file}.xosc", given, Who())
    asked = played.driven.asked
    assert (asked[:, 1].max() > 0.0) == braked
    if braked:
        k = int(np.flatnonzero(asked[:, 1])[0])
        assert (asked[: k - 1, 1] == 0.0).all() and played.episode.end in (RESTS, LET_GO)
        assert judge(played.driven, NCAP.ruling("CPNA"), NCAP).facts["contact"] is None
    else:
        path = np.array([(w.ego.x_m, w.ego.y_m) for w in played.driven.worlds])
        assert np.hypot(*np.diff(path, axis=0).T).min() > 0.3  # nothing slowed it down


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    order = Order("r152", R152_FOLDER, tmp_path / "out", Who(), only="pedestrian: Ego_speed_kph=2",
                  pictures="none")  # fmt: skip
    items = plan(order)
    assert [item.name[-2:] for item in items] == ["20", "25"]
    whole = run(order, items, lambda row: None)
    journal = order.out / "journal.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([*lines[:2], lines[2][:40]]))  # killed in the middle of a line
    told: list[Any] = []
    again = run(order, items, told.append)
    assert [row["case"] for row in again["cases"]] == [row["case"] for row in whole["cases"]]
    assert again["passed"] == again["played"] == 2 and len(told) == 2
    assert len(journal.read_text().splitlines()) == 3
    assert again["scenarios"][0]["worst_impact_kph"] == 0.0
    with pytest.raises(MarqueError, match=r"another car.*choose another --out"):
        run(Order("r152", R152_FOLDER, order.out, Who(car="suv_erev"), only="pedestrian"), [],
            told.append)  # fmt: skip


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("nonsense\n")
    with pytest.raises(MarqueError, match="no journal of this suite"):
        Journal(tmp_path, {"schema": "x"})
    with Journal(tmp_path, {"schema": "x"}, again=True) as journal:
        journal.add({"case": "a", "verdict": "passed"})
    with Journal(tmp_path, {"schema": "x"}) as journal:
        assert journal.rows == {"a": {"case": "a", "verdict": "passed"}}
    assert counts([{"verdict": "passed"}, {"verdict": "unsupported"}]) == {
        "played": 1, "passed": 1, "failed": 0, "unsupported": 1,
    }  # fmt: skip
    assert slug(("a b", "c/d.x")) == "a_b-c_d.x"


def test_what_cannot_be_played_is_a_row_and_fails_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "CALLS", 40)
    suite = tmp_path / "suite"
    suite.mkdir()
    for name in ("car.xosc", "straight.xodr"):
        shutil.copy(R152_FOLDER / name, suite / name)
    (suite / "broken.xosc").write_text("<OpenSCENARIO>")
    text = (suite / "car.xosc").read_text()
    (suite / "odd.xosc").write_text(text.replace("</Init>", "<Strange/></Init>"))
    out = tmp_path / "result.json"
    words = ["prove", "ncap", "--suite", str(suite), "--out", str(tmp_path / "out")]
    assert main([*words, "--pictures", "none", "--json", str(out)]) == 1
    report = json.loads(out.read_text())
    assert next(iter(report)) == "schema" and report["schema"] == "marque.prove.ncap/1"
    assert report["guard_ms"]["users"] == 64 and report["guard_ms"]["calls"] == 40
    assert (report["played"], report["passed"], report["unsupported"]) == (1, 1, 2)
    refused = {Path(r["file"]).name: r["why"] for r in report["cases"] if r["verdict"] != "passed"}
    assert "broken.xosc" in refused["broken.xosc"] and "Strange" in refused["odd.xosc"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ncap", "--suite", "nowhere"], "no folder nowhere"),
        (["r152", "--driver", "nobody"], "no driver 'nobody'"),
        (["r152", "--car", "nothing"], "nothing"),
        (["r152", "--sensors", "none"], "no sensor profile 'none'"),
        (["r152", "--pictures", "few"], "no pictures 'few'"),
        (["r152", "--only", "zebra"], "no case"),
    ],
)
def test_bad_words(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", *words]) == 2
    assert says in capsys.readouterr().err


def test_criteria_of_no_suite_and_cells_without_rows() -> None:
    with pytest.raises(MarqueError, match="no suite 'c-ncap'"):
        read_criteria("c-ncap")
    with pytest.raises(MarqueError, match="have no row"):
        rules._cells({"name": "empty", "file": "x", "rows": []})


def test_euro_ncap_files_that_reverse_are_played(shared_data: Path) -> None:
    folder = shared_data / "openscenario" / "ncap2023"
    file = next(folder.rglob("NCAP_AEB_VRU_CPRA_Cs_2023.xosc"))
    for who in (Who(), Who(driver="marque")):  # no driver of ours drives backwards
        played = drive(file, {}, who)
        assert played.by == "none" and played.driven.worlds[0].ego.speed_mps < 0.0
        assert judge(played.driven, NCAP.ruling("CPRA"), NCAP).verdict == "passed"
        assert played.driven.asked[:, 1].max() > 0.0
