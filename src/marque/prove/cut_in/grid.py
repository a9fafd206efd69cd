"""The cut-ins to be played: the published grid with its reference columns, the same grid drawn up
here, or cases drawn between its points."""

import csv
import gzip
import io
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, freeze_arrays
from marque.core.errors import MarqueError, unknown
from marque.core.units import to_kph
from marque.prove.cut_in.models import COLUMNS

GRIDS = ("low", "high")
FIELDS = ("ego_speed_kph", "cutin_speed_kph", "gap_m", "lateral_speed_mps")
MOST = (250.0, 250.0, 1000.0, 10.0)  # of each field; more is a slip
PUBLISHED = Path("..") / "shared" / "data" / "r157" / "cut_in_reference.csv.gz"


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """n cut-ins. `published`: whether each of the four models collided, where the file says so."""

    source: str
    high: BoolArray  # [n] of the grid "high", else "low"
    fields: FloatArray  # [n, 4] FIELDS as they are written
    number: FloatArray  # [n] in the whole grid
    published: BoolArray | None  # [n, 4] by models.COLUMNS

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def count(self) -> int:
        """n."""
        return len(self.number)

    def rows(self) -> FloatArray:
        """[n, 5] for `play_all`: speeds in m/s, gap, lateral speed, number."""
        kph = self.fields[:, :2]
        return np.column_stack((kph / to_kph(1.0), self.fields[:, 2:], self.number))

    def of(self, which: BoolArray) -> "Cases":
        """Some of them."""
        published = None if self.published is None else self.published[which]
        return Cases(
            self.source, self.high[which], self.fields[which], self.number[which], published
        )


def load_cases(grid: str, file: Path | None) -> Cases:
    """The grid `low`, `high` or `all`; from the published file if it is there, else drawn up here.

    MarqueError: unknown grid, a file that is named and missing, or that is not such a table.
    """
    if grid not in (*GRIDS, "all"):
        raise unknown("grid", grid, (*GRIDS, "all"))
    if file is None and not PUBLISHED.exists():
        cases = drawn_up()
    else:
        cases = read_published(file or PUBLISHED)
    if grid == "all":
        return cases
    chosen = cases.of(cases.high == (grid == "high"))
    if chosen.count == 0:
        raise MarqueError(f"{cases.source} has no case of the grid '{grid}'")
    return chosen


def drawn_up() -> Cases:
    """The grid as it was published, from its description."""
    rows = []
    for ego in range(20, 61, 10):
        for other in range(10, ego, 10):
            rows += _block(0, ego, other, range(1, 60))
    for ego in range(70, 131, 20):
        for other in range(10, min(ego, 101), 30):
            rows += _block(1, ego, other, range(1, 120, 2))
    table = np.array([row for row in rows if row[1] > row[2]], dtype=float)
    numbers = np.arange(len(table), dtype=float)
    return Cases("drawn up here", table[:, 0] > 0.5, table[:, 1:], numbers, None)


def _block(high: int, ego: int, other: int, gaps: range) -> list[tuple[float, ...]]:
    return [(high, ego, other, gap, 0.1 * k) for gap in gaps for k in range(18)]


def drawn(count: int, seed: int) -> Cases:
    """Cases drawn evenly from the ranges of both grids, between their points; always the same."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, count, 157])))
    high = rng.uniform(size=count) < 0.47  # their shares in the grid
    ego = np.where(high, rng.uniform(70.0, 130.0, count), rng.uniform(20.0, 60.0, count))
    most = np.where(high, np.minimum(100.0, ego - 10.0), ego - 10.0)
    other = 10.0 + rng.uniform(size=count) * (most - 10.0)
    gap = np.where(high, rng.uniform(1.0, 119.0, count), rng.uniform(1.0, 59.0, count))
    lateral = rng.uniform(0.0, 1.7, count)
    fields = np.column_stack((ego, other, gap, lateral))
    return Cases(f"drawn with seed {seed}", high, fields, np.arange(count, dtype=float), None)


def read_published(path: Path) -> Cases:
    """A table of cases, CSV, packed with gzip or not. MarqueError: as `load_cases`."""
    try:
        text = path.read_bytes()
        if path.suffix == ".gz":
            text = gzip.decompress(text)
        with io.StringIO(text.decode("utf-8")) as file:
            reader = csv.DictReader(file)
            have = reader.fieldnames or []
            lacks = [name for name in ("grid", *FIELDS) if name not in have]
            if lacks:
                raise MarqueError(f"{path} has no column {', '.join(lacks)}; has {list(have)}")
            told = [name for name in COLUMNS if name in have]
            names = (*FIELDS, *told)
            rows = [_row(path, reader.line_num, row, names) for row in reader]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise MarqueError(f"cannot read the cut-in cases {path}: {reason}") from error
    if not rows:
        raise MarqueError(f"{path} holds no case")
    table = np.array(rows)
    published = table[:, 5:] > 0.5 if len(told) == len(COLUMNS) else None
    numbers = np.arange(len(table), dtype=float)
    return Cases(str(path), table[:, 0] > 0.5, table[:, 1:5], numbers, published)


def _row(path: Path, line: int, row: dict[str, str], names: tuple[str, ...]) -> list[float]:
    if row["grid"] not in GRIDS:
        raise MarqueError(f"{path}, line {line}: grid is '{row['grid']}'; have {list(GRIDS)}")
    values = [1.0 if row["grid"] == "high" else 0.0]
    for name, most in zip(names, (*MOST, 1.0, 1.0, 1.0, 1.0), strict=False):
        try:
            value = float(row[name])
        except (TypeError, ValueError):
            value = math.nan
        if not 0.0 <= value <= most:
            raise MarqueError(
                f"{path}, line {line}: {name} is '{row[name]}'; takes a number from 0 to {most:g}"
            )
        values.append(value)
    return values
