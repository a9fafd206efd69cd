"""The picture of the automaton is drawn from the automaton, and the one in the docs is of today."""

from pathlib import Path

from marque.draw.automaton import arrows, automaton_picture
from marque.types.takeover import Mode
from marque.vehicle.market import load_market

PICTURE = Path(__file__).parents[2] / "docs" / "img" / "takeover.svg"


def test_the_docs_show_the_automaton_of_today():
    assert PICTURE.read_text(encoding="utf-8") == automaton_picture(load_market("un_r171"))


def test_events_are_named_for_what_they_bring():
    found = arrows(load_market("un_r171"))
    assert {mode for way in found for mode in way} == set(Mode)
    assert found[Mode.READY, Mode.ACTIVE] == ["button"]
    assert found[Mode.ACTIVE, Mode.MANOEUVRE] == ["severe failure"]
    assert found[Mode.DEMAND, Mode.MANOEUVRE] == ["time is up", "severe failure"]
    assert found[Mode.EMERGENCY, Mode.OVERRIDE] == ["wheel firmly"]
    assert (Mode.STANDSTILL, Mode.ACTIVE) not in found


def test_a_market_that_does_not_resume_has_no_way_back_from_an_override():
    found = arrows(load_market("un_r157"))
    assert {becomes for was, becomes in found if was == Mode.OVERRIDE} == {Mode.READY, Mode.OFF}
