"""Plays a folder of scenario files with their own driving, and holds them against traces.

What is proved: every file is read whole and played to its end, or refused by name; and road users
are where a reference player has them. Nothing here judges a driver.
"""

import csv
import gzip
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from marque.core.errors import MarqueError
from marque.core.geometry import wrap_angle
from marque.sim.scenario.catalogs import read_root
from marque.sim.scenario.document import CATALOG, VARIATION, read_scenario
from marque.sim.scenario.measures import mark_of, touch
from marque.sim.scenario.player import STEP_S, Player
from marque.sim.scenario.variations import Case, Variation, read_variation
from marque.sim.worlds.scenario import EGO, activates_ego

SCHEMA = "marque.prove.scenarios/1"
WITHIN_M, WITHIN_MPS = 0.1, 0.1
SAMPLE_STEPS = 2  # of the player between two rows of a trace, which are 100 ms apart
LIMIT_S = 600.0
OVER = "scenario over"
COLUMNS = ("file", "t_s", "name", "x_m", "y_m", "heading_rad", "speed_mps")

Row = tuple[float, float, float, float]  # x, y, heading, speed
Rows = dict[int, Row]  # by number of 100 ms
Traces = dict[str, dict[str, Rows]]  # file, entity
Tell = Callable[[str], None]


@dataclass(slots=True, eq=False)
class Played:
    """One play: rows of every entity each 100 ms, why it ended, and who touched the ego first."""

    end: str = ""
    duration_s: float = 0.0
    rows: dict[str, Rows] = field(default_factory=dict)
    given: str = ""  # whose trace was played, not the file
    contact: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class Worst:
    """How far an entity is from its trace, at most; and when."""

    name: str
    away_m: float
    at_s: float
    speed_mps: float
    speed_at_s: float
    heading_rad: float


def read_traces(path: Path) -> Traces:
    """Traces of a reference player. MarqueError: not there, or not such a table."""
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        table = csv.DictReader(io.StringIO(text.decode("utf-8")))
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise MarqueError(f"{path} lacks the columns [{', '.join(missing)}]")
        traces: Traces = {}
        for row in table:
            rows = traces.setdefault(row["file"], {}).setdefault(row["name"], {})
            x, y, h, v = (float(row[name]) for name in COLUMNS[3:])
            rows[round(10.0 * float(row["t_s"]))] = (x, y, h, v)
    except (OSError, EOFError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise MarqueError(f"{path} is no table of traces: {error}") from error
    return traces


def find_files(suite: Path) -> tuple[list[Path], list[Path]]:
    """(scenarios, variations) below a folder. What is neither nor a catalog counts as a scenario,
    and is refused when it is played. MarqueError: no folder, or no such file in it."""
    if not suite.is_dir():
        raise MarqueError(f"no folder {suite}")
    scenarios, variations = [], []
    for path in sorted(suite.rglob("*.xosc")):
        try:
            root = read_root(path)
        except MarqueError:
            scenarios.append(path)
            continue
        if root.first(VARIATION) is not None:
            variations.append(path)
        elif root.first(CATALOG) is None:
            scenarios.append(path)
    if not scenarios and not variations:
        raise MarqueError(f"{suite} holds no scenario file (.xosc)")
    return scenarios, variations


def play(
    path: Path,
    given: Case | None = None,
    traces: dict[str, Rows] | None = None,
    like_reference: bool = False,
    ego: str = EGO,
) -> Played:
    """One scenario to its end. traces: of a reference player; an ego whose controller the file
    activates is then moved by its trace, for the others go by what it does.

    MarqueError: see `read_scenario`; or something cannot be carried out.
    """
    scenario = read_scenario(path, given)
    player = Player(scenario, like_reference=like_reference)
    own = traces[ego] if traces and ego in traces and activates_ego(scenario, ego) else None
    last = max(own) if own else math.inf
    played = Played()
    if own:
        player.give(ego)
        played.given = ego
    player.step()
    while True:
        if own:
            player.place(ego, *_between(own, player.frames))
        _look(player, played, ego)
        frames = player.frames
        if frames >= SAMPLE_STEPS * last:
            played.end = "trace over"
            break
        if player.t_s >= LIMIT_S:
            played.end = "time limit"
            break
        player.step()
        if player.over:
            played.end = OVER
            break
    played.duration_s = player.t_s
    return played


def _between(rows: Rows, frame: int) -> Row:
    """The row of a frame; between two of them, the mean."""
    number, odd = divmod(frame, SAMPLE_STEPS)
    a = rows[min(number, max(rows))]
    if not odd or number + 1 not in rows:
        return a
    b = rows[number + 1]
    turn = float(wrap_angle(b[2] - a[2]))
    return 0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1]), a[2] + 0.5 * turn, 0.5 * (a[3] + b[3])


def _look(player: Player, played: Played, ego: str) -> None:
    number, odd = divmod(player.frames, SAMPLE_STEPS)
    for name, body in player.bodies.items():
        if body.present:
            rows = played.rows.setdefault(name, {})
            if not odd:
                rows[number] = (body.x_m, body.y_m, body.heading_rad, body.speed_mps)
    if played.contact is None and ego in player.bodies and player.bodies[ego].present:
        own = mark_of(player.bodies[ego])
        for name, body in player.bodies.items():
            if name != ego and body.present and touch(own, mark_of(body)):
                played.contact = (player.t_s, name)
                return


def compare(played: Played, traces: dict[str, Rows]) -> list[Worst]:
    """Every entity that the file moves against its trace, over the rows that both have.

    Without the last row of a scenario that ends of itself: the reference player writes that one in
    the middle of its last frame, some entities moved and others not.
    MarqueError: the trace has somebody whom the scenario has not.
    """
    out = []
    for name, rows in traces.items():
        if name not in played.rows:
            raise MarqueError(f"the trace has '{name}'; the scenario has {sorted(played.rows)}")
        if name == played.given:
            continue
        mine, last = played.rows[name], max(rows) if played.end == OVER else math.inf
        pairs = [
            (number, rows[number], mine[number])
            for number in rows
            if number in mine and number < last
        ]
        away = max((math.hypot(a[0] - b[0], a[1] - b[1]), n) for n, a, b in pairs)
        speed = max((abs(a[3] - b[3]), n) for n, a, b in pairs)
        turn = max(abs(float(wrap_angle(a[2] - b[2]))) for _, a, b in pairs)
        out.append(Worst(name, away[0], 0.1 * away[1], speed[0], 0.1 * speed[1], turn))
    return out


@dataclass(frozen=True, slots=True)
class Order:
    """What to play: a folder, traces, how many cases of each variation, and whether to play what
    the reference player leaves out."""

    suite: Path
    references: tuple[Path, ...] = ()
    cases: int = 0
    strict: bool = False


def run(order: Order, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Plays everything; the report. MarqueError: no suite, or traces that are none."""
    scenarios, variations = find_files(order.suite)
    traces: Traces = {}
    for path in order.references:
        traces.update(read_traces(path))
    files = []
    for path in scenarios:
        tell(path.stem)
        files.append(_one(path, None, traces.get(path.name), order.strict))
    varied = []
    for path in variations:
        tell(path.stem)
        varied.append(_varied(path, order.cases))
    return _report(order, files, varied)


def _one(
    path: Path, case: Case | None, traces: dict[str, Rows] | None, strict: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {"file": str(path), "played": False, "refused": "", "case": case or {}}
    try:
        played = play(path, case, traces, like_reference=bool(traces) and not strict)
        worst = compare(played, traces) if traces else []
    except MarqueError as error:
        return {**row, "refused": str(error)}
    contact = played.contact
    return {
        **row,
        "played": True,
        "end": played.end,
        "duration_s": round(played.duration_s, 3),
        "entities": len(played.rows),
        "contact": None if contact is None else {"t_s": round(contact[0], 3), "with": contact[1]},
        "within": all(w.away_m <= WITHIN_M and w.speed_mps <= WITHIN_MPS for w in worst),
        "worst": [
            {
                "name": w.name,
                "away_m": round(w.away_m, 4),
                "at_s": round(w.at_s, 1),
                "speed_mps": round(w.speed_mps, 4),
                "speed_at_s": round(w.speed_at_s, 1),
                "heading_rad": round(w.heading_rad, 4),
            }
            for w in worst
        ],
    }


def _varied(path: Path, cases: int) -> dict[str, Any]:
    row: dict[str, Any] = {"file": str(path), "cases": 0, "played": 0, "refused": ""}
    try:
        variation = read_variation(path)
        row["cases"] = len(variation)
        for case in islice(spread(variation, cases), cases):
            found = _one(variation.scenario, case, None, False)
            if found["refused"]:
                return {**row, "refused": f"{case}: {found['refused']}"}
            row["played"] += 1
    except MarqueError as error:
        return {**row, "refused": str(error)}
    return row


def spread(variation: Variation, wanted: int) -> Iterator[Case]:
    """Cases that the scenario allows, `wanted` of them evenly spread over all where there are so
    many; else more of them, from near the same places."""
    total = len(variation)
    step = max(1, total // max(1, wanted))
    for first in range(step):
        for number in range(first, total, step):
            case = variation.case(number)
            if variation.allowed(case):
                yield case


def _report(
    order: Order, files: list[dict[str, Any]], varied: list[dict[str, Any]]
) -> dict[str, Any]:
    compared = [row for row in files if row.get("worst")]
    worst = [each for row in compared for each in row["worst"]]
    refused = [row for row in (*files, *varied) if row["refused"]]
    return {
        "schema": SCHEMA,
        "suite": str(order.suite),
        "step_s": STEP_S,
        "like_reference": not order.strict,
        "played": sum(row["played"] for row in files),
        "unsupported": len(refused),
        "variations": len(varied),
        "variation_cases": sum(row["cases"] for row in varied),
        "variation_cases_played": sum(row["played"] for row in varied),
        "compared": len(compared),
        "worst_m": max((each["away_m"] for each in worst), default=None),
        "worst_mps": max((each["speed_mps"] for each in worst), default=None),
        "passed": not refused and all(row["within"] for row in compared),
        "files": files,
        "varied": varied,
    }
