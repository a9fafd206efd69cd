"""The cut-in suite: its cases, its reference models, bad tables, and the tick doing the same."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove.cut_in import driven, models, play
from marque.prove.cut_in.grid import drawn, drawn_up, load_cases, read_published
from marque.prove.cut_in.play import REFERENCE
from marque.prove.cut_in.ticked import compare, platform_of

PUBLISHED = Path("r157") / "cut_in_reference.csv.gz"
HEAD = "grid,ego_speed_kph,cutin_speed_kph,gap_m,lateral_speed_mps\n"


def plain(function: Any) -> Any:
    """A compiled function as plain Python; what it calls stays compiled."""
    return getattr(function, "py_func", function)


def test_the_grid_from_its_description() -> None:
    cases = drawn_up()
    assert cases.count == 29970 and int(cases.high.sum()) == 14040
    assert load_cases_alone("low").count == 15930
    assert (cases.fields[:, 0] > cases.fields[:, 1]).all()


def load_cases_alone(grid: str) -> Any:
    here = Path.cwd()
    try:
        os.chdir("/")  # no shared folder beside it
        return load_cases(grid, None)
    finally:
        os.chdir(here)


@pytest.mark.data
def test_the_grid_drawn_up_is_the_published_one(shared_data: Path) -> None:
    published = read_published(shared_data / PUBLISHED)
    ours = drawn_up()
    assert published.published is not None and published.published.shape == (29970, 4)
    for high in (False, True):
        one, two = (
            np.unique(np.round(c.fields[c.high == high], 6), axis=0) for c in (published, ours)
        )
        assert np.array_equal(one, two)


@pytest.mark.data
def test_reference_models_agree_with_the_published_outcomes(shared_data: Path) -> None:
    cases = read_published(shared_data / PUBLISHED)
    some = slice(0, None, 331)
    told = np.array(
        [
            [plain(models.collides)(model, tuple(row[:4].tolist())) for model in range(4)]
            for row in cases.rows()[some]
        ]
    )
    assert cases.published is not None
    assert ((told == cases.published[some]).mean(axis=0) > 0.95).all()
    assert told.any(axis=0).all()


def test_cases_drawn_between_lie_in_the_ranges_and_are_the_same_again() -> None:
    one, two = drawn(500, 3), drawn(500, 3)
    assert np.array_equal(one.fields, two.fields)
    assert not np.array_equal(one.fields, drawn(500, 4).fields)
    ego, other, gap, lateral = one.fields.T
    assert (ego - other >= 10.0 - 1e-9).all() and (other >= 10.0).all()
    assert ego.max() <= 130.0 and gap.min() >= 1.0 and lateral.max() <= 1.7


def test_the_other_car_is_where_the_grid_says() -> None:
    assert play.other_at(0.0, 1.5) == pytest.approx((3.5, 1.5))
    assert play.other_at(-1.0, 1.5) == pytest.approx((4.25, 0.0))
    assert play.other_at(-0.5, 1.5) == pytest.approx((4.25 - 0.1875, 0.75))
    assert play.other_at(2.0, 1.5) == pytest.approx((0.5, 1.5))
    assert play.other_at(9.0, 1.5) == (0.0, 0.0)
    assert play.first_step(1.5, 0.1) == -10 and play.first_step(0.0, 0.1) == 0


def test_who_meets_if_nobody_brakes() -> None:
    assert play.meets((20.0, 10.0, 15.0, 1.0)) and not play.meets((20.0, 10.0, 15.0, 0.1))
    assert not play.meets((20.0, 10.0, 5.0, 1.0))  # we pass ahead
    assert not play.meets((20.0, 20.0, 15.0, 1.0))
    touching = (20.0, 10.0, 7.5, 1.0)  # its side is at ours in the last step of our rear
    assert play.meets(touching) and not play.meets(touching, -play.TOUCH_M)


def test_the_platform_is_as_late_as_it_says() -> None:
    """30 m ahead, 60 against 20 km/h: from the first decision to the first braking 0.3 s."""
    trace = np.zeros((200, 2))
    from marque.guard import path as paths

    straight = paths.arc(0.0, 0.0, 0.0, 0.0)
    case = (60 / 3.6, 20 / 3.6, 30.0, 1.2)
    got = plain(play.play)(case, REFERENCE.numbers(), (0.1, 1), (0.0,) * 4, straight, trace)
    assert got[0] == play.NO_CONTACT
    wanted, does = trace.T
    first, acts = np.flatnonzero(wanted < 0.0)[0], np.flatnonzero(does < 0.0)[0]
    assert acts - first == 3
    assert np.abs(np.diff(does)).max() <= 2.0 + 1e-9 and does.min() >= -8.3
    assert first >= 20  # nothing before it moves


CASES = [
    (60, 20, 25, 1.2), (130, 70, 40, 0.6), (20, 10, 3, 0.5), (90, 40, 9, 1.7), (40, 30, 1, 1.1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_tick_does_what_the_grid_says(case: tuple[float, ...]) -> None:
    v, f, gap, lateral = case
    row = np.array([v / 3.6, f / 3.6, gap, lateral, 0.0])
    got = compare(row, REFERENCE, plain(play.play))
    assert got.grid == got.tick
    assert got.worst_mps2 <= 1e-6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column grid"),
        ("grid,gap_m\nlow,3\n", "no column ego_speed_kph"),
        (HEAD, "holds no case"),
        (HEAD + "low,60,20,nan,1\n", "gap_m is 'nan'"),
        (HEAD + "low,60,20,,1\n", "gap_m is ''"),
        (HEAD + "low,60,20\n", "gap_m is 'None'"),
        (HEAD + "low,60,20,-3,1\n", "gap_m is '-3'"),
        (HEAD + "low,60,20,5,99\n", "lateral_speed_mps is '99'"),
        (HEAD + "mid,60,20,5,1\n", "line 2: grid is 'mid'"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(text)
    with pytest.raises(MarqueError, match=says):
        load_cases("all", file)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="cannot read the cut-in cases"):
        load_cases("all", tmp_path / "none.csv")
    for name, content in (("x.csv.gz", b"no gzip"), ("y.csv", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MarqueError, match="cannot read"):
            load_cases("all", tmp_path / name)
    short = gzip.compress((HEAD + "low,60,20,5,1\n").encode())[:-12]
    (tmp_path / "z.csv.gz").write_bytes(short)
    with pytest.raises(MarqueError, match="cannot read"):
        load_cases("all", tmp_path / "z.csv.gz")


def test_a_grid_that_the_table_lacks(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(HEAD + "low,60,20,5,1\n")
    assert load_cases("low", file).count == 1
    with pytest.raises(MarqueError, match="no case of the grid 'high'"):
        load_cases("high", file)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--grid", "middle"], "no grid 'middle'"),
        (["--driver", "nobody"], "driver"),
        (["--driver", "marque", "--sensors", "standard"], "--driver none"),
        (["--seeds", "2"], "--sensors PROFILE"),
        (["--car", "none"], "car"),
        (["--sensors", "eyes"], "sensor profile"),
        (["--reference", "gone.csv"], "gone.csv"),
    ],
)
def test_wrong_words(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "cut-in", "--workers", "1", "--check-tick", "0", *words]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("marque: ") and says in said and "\n" not in said


def test_the_command_on_a_small_table(tmp_path: Path) -> None:
    """In plain Python, so that nothing is compiled for three cases."""
    file, out, told = (tmp_path / name for name in ("in.csv", "out.csv", "out.json"))
    file.write_text(HEAD + "low,60,20,25,1.2\nhigh,70,10,1,0\nlow,30,10,40,1\n")
    words = ["--reference", file, "--workers", "1", "--check-tick", "1", "--cases", out]
    program = "import sys; from marque.cli.main import main; sys.exit(main(sys.argv[1:]))"
    got = subprocess.run(
        [sys.executable, "-c", program, "prove", "cut-in", *map(str, words), "--json", str(told)],
        env={**os.environ, "MARQUE_NO_JIT": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert got.returncode == 0, got.stdout + got.stderr
    assert "passed" in got.stdout and "marque prove cut-in" in got.stdout
    assert '"schema": "marque.prove.cut_in/1"' in told.read_text()
    lines = out.read_text().splitlines()
    assert lines[0].startswith(
        "grid,ego_speed_kph,cutin_speed_kph,gap_m,lateral_speed_mps,collides,"
    )
    assert len(lines) == 4 and all(line.split(",")[5] == "0" for line in lines[1:])


@pytest.mark.prove
@pytest.mark.data
def test_the_whole_grid(shared_data: Path) -> None:
    from marque.prove.cut_in.suite import Order, run

    cases = load_cases("all", shared_data / PUBLISHED)
    report = run(Order(between=3000, fine=True), cases, None, lambda share, words: None)
    assert report["preventable"] == 27535
    assert report["preventable_collisions"] <= 150
    assert report["collisions"] <= 1200
    assert report["hard_share"] <= 0.20
    assert len(report["remaining"]) == report["preventable_collisions"]
    assert all(row["off"] <= 0.003 for row in report["models"])
    assert report["ticked"]["cases"] == 300 and report["ticked"]["differ"] == []
    assert report["fine"]["preventable_collisions"] <= 2 * 150
    assert report["between"]["preventable_collisions"] <= 0.01 * report["between"]["preventable"]
    assert report["passed"]


def test_cases_for_a_driver_are_drawn_once_and_counted() -> None:
    assert driven.chosen(5, 100, 1) == driven.chosen(5, 100, 1) == sorted(driven.chosen(5, 100, 1))
    assert driven.chosen(5, 100, 1) != driven.chosen(5, 100, 2)
    assert driven.chosen(9, 3, 1) == [0, 1, 2]
    found = [(True, 8.0), (True, 1.0), (False, 4.0), (False, 0.0)]
    got = driven.told(found, np.array([True, False, True, True]), 4.0)
    assert (got["collisions"], got["preventable"], got["preventable_collisions"]) == (2, 3, 1)
    assert got["hard_share"] == 0.25


@pytest.mark.prove
def test_our_driver_meets_nobody_who_comes_in_far_ahead() -> None:
    row = np.array([[60 / 3.6, 50 / 3.6, 40.0, 0.8, 0.0]])
    ((hit, peak),) = driven.drive_all(row, "marque", platform_of(REFERENCE), 1, lambda _: None)
    assert not hit and peak < 4.0
