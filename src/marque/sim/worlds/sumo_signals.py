"""Signals that wait for a player.

Some networks come from games: every green is a phase of 1,000 s or more (in one program, or each
in a program of its own), and a player switches on. Left alone, such a junction never changes. With
our own demand the programs of a controller run in turn instead, in the order of their names, each
endless phase cut to an ordinary green; the transitions are the network's own.
"""

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

from marque.core.errors import MarqueError
from marque.types.road_map import RoadMap

ENDLESS_S = 240.0  # no real green lasts that long
GREEN_S = 25.0
PROGRAM = "marque"


def waits_for_player(road_map: RoadMap) -> bool:
    """Whether any signal of the map has an endless phase."""
    return bool((road_map.phase_duration_s >= ENDLESS_S).any())


def programs_in_turn(net: Path) -> tuple[str, int]:
    """SUMO's additional file with the programs that replace endless ones, and how many.

    MarqueError: the network cannot be read.
    """
    try:
        raw = gzip.decompress(net.read_bytes()) if net.suffix == ".gz" else net.read_bytes()
        logics = [
            ElementTree.fromstring(text)
            for text in re.findall(rb"<tlLogic\b.*?</tlLogic>", raw, re.DOTALL)
        ]
    except (OSError, EOFError, ElementTree.ParseError) as error:
        raise MarqueError(f"the network {net} cannot be read: {error}") from error
    of: dict[str, list[ElementTree.Element]] = {}
    for logic in logics:
        of.setdefault(logic.get("id", ""), []).append(logic)
    made = [
        _in_turn(name, sorted(programs, key=lambda node: node.get("programID", "")))
        for name, programs in sorted(of.items())
        if all(map(_endless, programs)) and sum(map(_endless, programs)) > 1
    ]
    text = "".join(ElementTree.tostring(node, encoding="unicode") for node in made)
    return f"<additional>{text}</additional>\n", len(made)


def _endless(program: ElementTree.Element) -> int:
    """How many phases of a program never end by themselves."""
    durations = [float(phase.get("duration", "0")) for phase in program.iter("phase")]
    return sum(duration >= ENDLESS_S for duration in durations)


def _in_turn(name: str, programs: list[ElementTree.Element]) -> ElementTree.Element:
    whole = ElementTree.Element(
        "tlLogic", {"id": name, "type": "static", "programID": PROGRAM, "offset": "0"}
    )
    for program in programs:
        for phase in program.iter("phase"):
            duration = float(phase.get("duration", "0"))
            cut = GREEN_S if duration >= ENDLESS_S else duration
            state = phase.get("state", "")
            ElementTree.SubElement(whole, "phase", {"duration": f"{cut:g}", "state": state})
    return whole
