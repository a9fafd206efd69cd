"""Which cases there are: scenario files as they stand, their variations, and cells of our own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from marque.core.errors import MarqueError
from marque.prove.aeb.criteria import Criteria
from marque.prove.scenarios import find_files
from marque.sim.scenario.document import settled
from marque.sim.scenario.variations import read_variation
from marque.types.platform import Platform

IDENTITY = "Scenario_ID"  # the parameter by which files say what they are


@dataclass(frozen=True, slots=True)
class Item:
    """One case. name: unique in its suite; identity: of the scenario, for the rules; source: the
    variation file or the cells that it is from, "" for a file as it stands; refused: why it cannot
    be played."""

    name: str
    identity: str
    scenario: Path
    source: str
    given: tuple[tuple[str, str], ...]
    refused: str = ""


def find_cases(suite: Path, criteria: Criteria, platform: Platform, concrete: bool) -> list[Item]:
    """All cases of a folder, in a fixed order; concrete: no variations, no cells.

    MarqueError: no folder, or no scenario in it.
    """
    scenarios, variations = find_files(suite)
    own = tuple((key, f"{getattr(platform, field):.6g}") for key, field in criteria.ego.items())
    items = [_item(suite, path, "", (), own) for path in scenarios]
    if concrete:
        return items
    for path in variations:
        items += _varied(suite, path, own)
    files = {path.stem: path for path in scenarios}
    for cells in criteria.cells:
        if cells.file in files:
            items += [
                _item(suite, files[cells.file], cells.name, given, own) for given in cells.given
            ]
    return _once(items)


def _varied(suite: Path, path: Path, own: tuple[tuple[str, str], ...]) -> Iterator[Item]:
    source = path.relative_to(suite).as_posix()
    try:
        variation = read_variation(path)
        cases = [case for case in variation if variation.allowed(case)]
    except MarqueError as error:
        yield Item(source, path.stem, path, source, (), str(error))
        return
    for case in cases:
        yield _item(suite, variation.scenario, source, tuple(case.items()), own)


def _item(
    suite: Path,
    path: Path,
    source: str,
    given: tuple[tuple[str, str], ...],
    own: tuple[tuple[str, str], ...],
) -> Item:
    """Of what the file declares of our car, ours is given to it."""
    place = source or path.relative_to(suite).as_posix()
    words = ", ".join(f"{key}={value}" for key, value in given if key != IDENTITY)
    name = f"{place}: {words}" if words else place
    try:
        have = settled(path, dict(given))
    except MarqueError as error:
        return Item(name, path.stem, path, source, given, str(error))
    told = dict(given)
    identity = str(have[IDENTITY].text) if IDENTITY in have else path.stem
    ours = tuple((key, value) for key, value in own if key in have and key not in told)
    return Item(name, identity, path, source, (*given, *ours))


def _once(items: list[Item]) -> list[Item]:
    """Each name once."""
    out: Mapping[str, Item] = {item.name: item for item in reversed(items)}
    return list(reversed(list(out.values())))
