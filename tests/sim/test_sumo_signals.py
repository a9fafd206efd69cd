"""Endless signal programs of game networks run in turn."""

import gzip
from xml.etree import ElementTree

import pytest

from marque.core.errors import MarqueError
from marque.maps.library import sumo_folder
from marque.sim.worlds.sumo_signals import ENDLESS_S, GREEN_S, programs_in_turn

pytestmark = pytest.mark.sumo


def phases(text: str) -> dict[str, list[tuple[float, str]]]:
    return {
        logic.get("id", ""): [
            (float(phase.get("duration", "0")), phase.get("state", ""))
            for phase in logic.iter("phase")
        ]
        for logic in ElementTree.fromstring(text)
    }


def check(programs: dict[str, list[tuple[float, str]]]) -> None:
    """Every link gets green, and never loses it but through amber."""
    for rows in programs.values():
        assert all(0.0 < duration < ENDLESS_S for duration, _ in rows)
        assert sum(duration == GREEN_S for duration, _ in rows) >= 2
        states = [state for _, state in rows]
        for link in range(len(states[0])):
            letters = [state[link] for state in states]
            for now, after in zip(letters, letters[1:] + letters[:1], strict=True):
                assert (now, after) not in {("G", "r"), ("g", "r")}


@pytest.mark.parametrize(
    ("net", "count"), [("A10KW/osm.net.xml", 2), ("bs3d/bs.net.xml", 1), ("DRT/osm.net.xml", 0)]
)
def test_the_wheels_networks(net, count, tmp_path):
    path = sumo_folder() / "tools" / "game" / net
    text, made = programs_in_turn(path)
    assert made == count == len(phases(text))
    check(phases(text))
    packed = tmp_path / "x.net.xml.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert programs_in_turn(packed) == (text, made)


def test_a_program_with_one_endless_phase_is_left_alone(tmp_path):
    net = tmp_path / "x.net.xml"
    net.write_text(
        '<net><tlLogic id="a" type="static" programID="0" offset="0">'
        '<phase duration="1000" state="G"/></tlLogic></net>'
    )
    assert programs_in_turn(net)[1] == 0


def test_an_unreadable_network_is_named(tmp_path):
    with pytest.raises(MarqueError, match="cannot be read"):
        programs_in_turn(tmp_path / "none.net.xml")
    broken = tmp_path / "x.net.xml.gz"
    broken.write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(MarqueError, match="cannot be read"):
        programs_in_turn(broken)
