"""A string of our own cars."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_S
from marque.prove import string
from marque.prove.string import Braking, judge

BRAKING = Braking(20.0, 2.0, 6.0, 4.0)


def speeds(*shares):
    """The leader's, and cars that do the same by a share of it, a second later each."""
    leader = BRAKING.speeds()
    rows = [leader]
    for k, share in enumerate(shares, 1):
        late = round(k / PLAN_STEP_S)
        off = np.concatenate((np.zeros(late), (leader - 20.0)[:-late]))
        start = off < -6.5  # setting off is no disturbance
        rows.append(20.0 + np.where(start, 0.0, share * off))
    return np.array(rows)


@given(st.integers(0, 9999), st.integers(0, 20))
def test_a_leader_is_the_same_whenever_it_is_drawn_and_comes_back_to_its_speed(seed, case):
    braking = string.draw(seed, case)
    assert braking == string.draw(seed, case)
    v = braking.speeds()
    assert v.min() == 0.0 and v[-1] == pytest.approx(braking.speed_mps)
    at = round(braking.brakes_s / PLAN_STEP_S)
    assert v[at - 5] == pytest.approx(braking.speed_mps)
    low = v[at:].min()
    assert low == pytest.approx(braking.speed_mps - braking.drop_mps, abs=0.3)
    assert np.diff(v).min() > -braking.brake_mps2 * PLAN_STEP_S - 1e-9


@pytest.mark.parametrize(
    ("shares", "gain"), [((0.9, 0.8), 0.8), ((1.0, 1.0), 1.0), ((1.1, 1.25), 1.25)]
)
def test_the_gain_is_the_last_cars_over_the_leaders(shares, gain):
    row = judge(BRAKING, speeds(*shares))
    assert row["gain"] == pytest.approx(gain, abs=0.01)
    assert row["worst_pair"] == pytest.approx(max(shares[0], shares[1] / shares[0]), abs=0.01)


@pytest.mark.sumo
def test_two_cars_follow_softly_and_touch_nobody(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(string, "SETTLE_S", 12.0)
    monkeypatch.setattr(string, "AFTER_S", 8.0)
    file = tmp_path / "string.json"
    words = ["prove", "string", "--cars", "2", "--cases", "1", "--sensors", "ideal"]
    code = main([*words, "--json", str(file)])
    report = json.loads(file.read_text())
    assert code == (0 if report["passed"] else 1)
    (row,) = report["cases"]
    assert row["contacts"] == 0
    assert 0.5 < row["gain"] < 1.2
    assert "worst pair" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--cars", "1"], "--cars"), (["--driver", "nobody"], "nobody"), (["--car", "cart"], "cart")],
)
def test_bad_words_are_one_sentence(words, said, capsys):
    assert main(["prove", "string", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_string_takes_two():
    with pytest.raises(MarqueError, match="two cars"):
        string.run(cars=1)
