"""The criteria of the suite, as `criteria.toml` has them."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("criteria.toml")
NUMBER = re.compile(r"(?<!\d)(\d+)_(\d+)_(\d+)(?!\d)")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: its clause, what it asks, whether its numbers were read, and those numbers."""

    name: str
    clause: str
    text: str
    read: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ruling:
    """How one scenario is judged. number: "4.3_1", "" where the file's name has none."""

    number: str
    title: str
    clause: str
    criteria: tuple[Criterion, ...]
    longest_s: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Variations with more than `most` cases are drawn from, so many of them."""

    most: int
    cases: int
    seed: int


@dataclass(frozen=True, slots=True)
class Criteria:
    """All of the file."""

    title: str
    drawing: Drawing
    criteria: Mapping[str, Criterion]
    fields: Mapping[str, Any]

    def ruling(self, scenario: Path) -> Ruling:
        """The criteria for a scenario file, by its name."""
        number = number_of(scenario)
        row = self.fields["scenario"].get(number, {})
        names = row.get("criteria", self.fields["usual"])
        return Ruling(
            number,
            row.get("title", "a scenario that the criteria do not name"),
            row.get("clause", "Annex 5"),
            tuple(self.criteria[name] for name in names),
            float(row.get("longest_s", self.fields["longest_s"])),
        )


def number_of(scenario: Path) -> str:
    """`alks_scenario_4_3_1_follow.xosc` is "4.3_1"; "" where there is no such number."""
    found = NUMBER.search(scenario.stem)
    return "" if found is None else f"{found[1]}.{found[2]}_{found[3]}"


def read_criteria(path: Path = FILE) -> Criteria:
    """The criteria that come with the program."""
    fields = tomllib.loads(path.read_text(encoding="utf-8"))
    known = ("clause", "text", "read")
    criteria = {
        name: Criterion(
            name, row["clause"], row["text"], row["read"],
            {key: value for key, value in row.items() if key not in known},
        )
        for name, row in fields["criterion"].items()
    }  # fmt: skip
    drawing = Drawing(**fields["drawing"])
    return Criteria(fields["title"], drawing, criteria, fields)
