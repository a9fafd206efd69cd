"""What cases are judged by, as `ncap.toml` and `r152.toml` have it."""

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError, unknown

FOLDER = Path(__file__).parent
SUITES = ("ncap", "r152")
IMPACT, QUIET = "impact", "quiet"


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a scenario is judged.

    most_kph: rows (test speed up to, impact speed at most); faster, it has to be slower than
    without the guard. all_or_nothing: coloured green or red. warns_ttc_s: a warning must come with
    so much time to collision left; warns_before_s: so long before emergency braking.
    """

    name: str
    title: str
    clause: str
    read: bool
    kind: str = IMPACT
    obstructed: bool = False
    most_kph: tuple[tuple[float, float], ...] = ()
    all_or_nothing: bool = False
    warns_ttc_s: float | None = None
    warns_before_s: float | None = None
    demand_mps2: float | None = None

    def allowed_kph(self, test_kph: float) -> float | None:
        """The most impact speed at a test speed; None: no number is asked for."""
        for up_to, most in self.most_kph:
            if test_kph <= up_to + 1e-6:
                return most
        return None


@dataclass(frozen=True, slots=True)
class Band:
    """A colour: impact speeds up to, and its share of the points."""

    colour: str
    up_to_kph: float
    share: float


@dataclass(frozen=True, slots=True)
class Cells:
    """Cases of a scenario file that no variation file lists."""

    name: str
    file: str
    given: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """All of a file. ego: parameters of scenarios that speak of our car, and the platform's field
    that stands for each; colours: label, tolerance in km/h, and the bands ([] where there are none)
    """

    schema: str
    title: str
    ego: Mapping[str, str]
    colours: tuple[str, float, tuple[Band, ...]]
    rulings: tuple[tuple[re.Pattern[str], Ruling], ...]
    cells: tuple[Cells, ...]

    def ruling(self, name: str) -> Ruling:
        """By the scenario's identity. One that no rule names is judged by the last rule."""
        for pattern, ruling in self.rulings:
            if pattern.fullmatch(name):
                return ruling
        return self.rulings[-1][1]

    def colour(self, impact_kph: float, ruling: Ruling) -> Band | None:
        """The band of an impact speed; None: this suite has no colours, or none for this kind."""
        _, tolerance, bands = self.colours
        if not bands or ruling.kind != IMPACT:
            return None
        for band in bands:
            if impact_kph <= band.up_to_kph + (tolerance if band.up_to_kph > 0.0 else 0.0):
                return bands[-1] if ruling.all_or_nothing and band.up_to_kph > 0.0 else band
        return bands[-1]


def read_criteria(suite: str) -> Criteria:
    """The criteria of one of SUITES. MarqueError: there is no such suite."""
    if suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    fields = tomllib.loads((FOLDER / f"{suite}.toml").read_text(encoding="utf-8"))
    colours = fields.get("colours", {})
    bands = tuple(Band(*row) for row in colours.get("bands", ()))
    return Criteria(
        fields["schema"],
        fields["title"],
        fields["ego"],
        (colours.get("label", ""), colours.get("tolerance_kph", 0.0), bands),
        tuple((re.compile(row["match"]), _ruling(row)) for row in fields["scenario"]),
        tuple(_cells(row) for row in fields.get("cells", ())),
    )


def _ruling(row: Mapping[str, Any]) -> Ruling:
    known = {key: value for key, value in row.items() if key not in ("match", "most_kph")}
    most = tuple((float(a), float(b)) for a, b in row.get("most_kph", ()))
    return Ruling(most_kph=most, **known)


def _cells(row: Mapping[str, Any]) -> Cells:
    """`rows` times every combination of `each`, with what is `fixed` for all."""
    fixed = row.get("fixed", {})
    names = list(row.get("each", {}))
    products = itertools.product(*(row["each"][name] for name in names))
    given = [
        {**fixed, **each, **dict(zip(names, values, strict=True))}
        for values in products
        for each in row.get("rows", ({},))
    ]
    if not given:
        raise MarqueError(f"cells '{row['name']}' have no row")
    texts = tuple(tuple((key, f"{value}") for key, value in one.items()) for one in given)
    return Cells(row["name"], row["file"], texts)
