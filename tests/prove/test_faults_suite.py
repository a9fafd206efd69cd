"""The suite of faults: what passes, what fails, what is told."""

import json
from dataclasses import replace

import pytest

from builders import straight_road
from marque.cli import faults as cli
from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove.faults import suite
from marque.sensing.faults import find
from marque.types.codes import Reaction
from marque.types.health import FINE, Finding, Health
from metrics.drives import drive, straight

ROAD = straight_road(600.0, 1)
FAULT = replace(find("radar_dropout"), from_s=2.0)


def ticks(*health: tuple[float, Health]):
    """A drive with the health that begins at each time."""
    out = []
    for tick in drive(ROAD, straight([8.0] * 60, x=20.0)).ticks:
        now = FINE
        for since_s, each in health:
            if tick.world.t_ns >= since_s * 1e9 - 1e-3:
                now = each
        out.append(replace(tick, health=now))
    return out


def health(level: Reaction, text: str = "silent", since_s: float = 2.1) -> Health:
    since = int(since_s * 1e9)
    return Health(level, (Finding("radar ahead", text, level, since),), since)


def test_named_in_time_and_reacted_to_as_named_passes():
    drove = ticks((2.1, health(Reaction.LOG)), (2.3, health(Reaction.DEGRADE, since_s=2.12)))
    seen = suite.what_came(FAULT, drove)
    assert (seen.noticed_s, seen.level, seen.before) == (2.1, Reaction.DEGRADE, "")
    assert not suite._failed(FAULT, seen, drove)


@pytest.mark.parametrize(
    ("drove", "said"),
    [
        (ticks(), "not noticed in time"),
        (ticks((2.4, health(Reaction.DEGRADE, since_s=2.4))), "not noticed in time"),
        (ticks((2.1, health(Reaction.DEGRADE, "late"))), "not noticed in time"),
        (ticks((2.1, health(Reaction.LOG))), "no reaction in time"),
        (ticks((2.1, health(Reaction.TAKEOVER))), "reacted too strongly: R2"),
        (ticks((1.0, health(Reaction.DEGRADE, since_s=1.0))), "noticed before it was there"),
    ],
)
def test_what_fails_is_said(drove, said):
    failed = suite._failed(FAULT, suite.what_came(FAULT, drove), drove)
    assert any(said in each for each in failed)


def test_a_stop_has_to_end_standing():
    fault = replace(find("steer_stuck"), from_s=2.0)
    stop = Health(
        Reaction.HARD,
        (Finding("steering angle", "stuck", Reaction.HARD, 2_100_000_000),),
        2_100_000_000,
    )
    drove = ticks((2.1, stop))
    assert suite._failed(fault, suite.what_came(fault, drove), drove) == ["does not stand"]


def test_rows_are_chosen_by_number_and_name_and_those_without_part_are_told():
    assert [one.name for one in suite.chosen_rows(("3", "radar_dropout"))] == [
        "camera_late", "camera_very_late", "radar_dropout",
    ]  # fmt: skip
    with pytest.raises(MarqueError, match="no ultrasonic"):
        suite.chosen_rows(("14",))
    with pytest.raises(MarqueError, match="no fault"):
        suite.chosen_rows(("nonsense",))
    with pytest.raises(MarqueError, match="exact senses"):
        suite.run(sensors="ideal")


def test_the_program_prints_a_table_and_ends_as_the_rows_do(monkeypatch, tmp_path, capsys):
    def made(fault, *_):
        return {
            "fault": fault.name, "row": fault.row, "title": fault.title, "injected_s": 14.0,
            "noticed_after_s": 0.1, "within_s": fault.within_s, "reacted_after_s": None,
            "expected": "R1", "seen": "R1", "passed": fault.row == "9", "failed": ["made up"],
        }  # fmt: skip

    monkeypatch.setattr(suite, "run_fault", made)
    target = tmp_path / "faults.json"
    assert main(["prove", "faults", "--only", "9", "--json", str(target)]) == 0
    assert json.loads(target.read_text())["rows_passed"] == 1
    assert main(["prove", "faults", "--only", "1", "--only", "9"]) == cli.FAILED
    said = capsys.readouterr().out
    assert "made up" in said
    assert "row 14: no part" in said
    assert main(["prove", "faults", "--only", "nonsense"]) == 2
