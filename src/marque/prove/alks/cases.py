"""Which cases a folder holds: its concrete scenarios, and those of its variations.

A large variation is drawn from by Latin hypercube: along each of its axes the draws are spread
evenly. Cases that the scenario's own constraints rule out are none; further rounds replace them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from marque.core.errors import MarqueError
from marque.prove.alks.criteria import Drawing
from marque.prove.scenarios import find_files
from marque.sim.scenario.document import scenario_root
from marque.sim.scenario.parameters import OutsideConstraints, declare
from marque.sim.scenario.variations import Case, Variation, read_variation

ROUNDS = 50  # of draws, before a variation has no more to give


@dataclass(frozen=True, slots=True)
class Item:
    """One case to be played. name: of it, unique in its suite; refused: why it cannot be."""

    name: str
    scenario: Path
    variation: Path | None
    given: tuple[tuple[str, str], ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The cases of a folder, and how each variation was read: rows for the report."""

    items: tuple[Item, ...]
    scenarios: int
    variations: tuple[dict[str, object], ...]


def find_cases(suite: Path, drawing: Drawing, everything: bool, concrete: bool) -> Found:
    """All cases, in a fixed order. everything: no draws; concrete: no variations.

    MarqueError: no folder, or no scenario in it.
    """
    scenarios, variations = find_files(suite)
    if concrete and not scenarios:
        raise MarqueError(f"{suite} holds no concrete scenario; leave --concrete out")
    items = [Item(_name(suite, path, ()), path, None, ()) for path in scenarios]
    rows: list[dict[str, object]] = []
    for path in () if concrete else variations:
        more, row = _varied(suite, path, drawing, everything)
        items += more
        rows.append(row)
    return Found(tuple(items), len(scenarios), tuple(rows))


def _varied(
    suite: Path, path: Path, drawing: Drawing, everything: bool
) -> tuple[list[Item], dict[str, object]]:
    row: dict[str, object] = {"file": str(path.relative_to(suite)), "grid": 0, "cases": 0}
    try:
        variation = read_variation(path)
        drawn = len(variation) > drawing.most and not everything
        chosen = draw(variation, drawing) if drawn else allowed(variation)
        items = [
            Item(_name(suite, path, tuple(case.items())), variation.scenario, path,
                 tuple(case.items()))
            for case in chosen
        ]  # fmt: skip
    except MarqueError as error:
        return [Item(_name(suite, path, ()), path, path, (), str(error))], row
    row.update(grid=len(variation), cases=len(items), drawn=drawn)
    return items, row


def _name(suite: Path, path: Path, given: tuple[tuple[str, str], ...]) -> str:
    values = ", ".join(f"{name}={value}" for name, value in given)
    place = path.relative_to(suite).as_posix()
    return f"{place}: {values}" if values else place


class _Allows:
    """Whether a scenario's constraints allow a case; its file is read once."""

    def __init__(self, scenario: Path) -> None:
        self.file = str(scenario)
        self.root = scenario_root(scenario)

    def __call__(self, case: Case) -> bool:
        try:
            declare(self.root, {}, case, self.file)
        except OutsideConstraints:
            return False
        return True


def allowed(variation: Variation) -> Iterator[Case]:
    """All cases that the scenario's constraints allow. MarqueError: see `Variation.allowed`."""
    allows = _Allows(variation.scenario)
    return (case for case in variation if allows(case))


def draw(variation: Variation, drawing: Drawing) -> list[Case]:
    """So many different allowed cases, or all where there are fewer, in the order of the grid.

    MarqueError: see `Variation.allowed`.
    """
    allows = _Allows(variation.scenario)
    sizes = [len(axis) for axis in variation.axes]
    seen: set[int] = set()
    kept: list[int] = []
    for turn in range(ROUNDS):
        random = np.random.default_rng([drawing.seed, turn])
        for number in _hypercube(sizes, drawing.cases, random):
            if number in seen:
                continue
            seen.add(number)
            if allows(variation.case(number)):
                kept.append(number)
                if len(kept) == drawing.cases:
                    return [variation.case(each) for each in sorted(kept)]
    rest = (n for n in range(len(variation)) if n not in seen)
    kept += [n for n in rest if allows(variation.case(n))]
    return [variation.case(each) for each in sorted(kept[: drawing.cases])]


def _hypercube(sizes: list[int], count: int, random: np.random.Generator) -> Iterator[int]:
    """Numbers of cases: one in each of `count` even parts of every axis."""
    number = np.zeros(count, dtype=np.int64)
    for size in sizes:
        part = random.permutation(count) + random.random(count)
        number = number * size + np.minimum(size - 1, (part / count * size).astype(np.int64))
    return iter(number.tolist())
