"""`marque prove engine`: whether the engine's traffic flows as SUMO's does."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import ResultOption
from marque.cli.show import Waiting, standard_output
from marque.core.files import need_writable_file, write_text

FAILED = 1


def engine(
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of all that is drawn.")] = 1,
    json_file: ResultOption = None,
) -> int:
    """Our own engine beside SUMO: flow against density on a ring and on a motorway, and how many
    cross a junction in an hour, with the same networks, numbers of cars and parameters.

    Exit 0: flows within 10 %, throughput within 15 %, nobody hit; 1: not; 2: wrong use.
    """
    from marque.prove.engine_suite import run_engine_suite
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    waiting = Waiting()
    result = run_engine_suite(seed, waiting)
    waiting.clear()
    result["command"] = command_line(("prove", "engine"), [("--seed", seed)])
    console = standard_output()
    show(console, result)
    if json_file is not None:
        write_text(json_file, json.dumps(result, indent=2) + "\n")
        console.print(f"wrote {json_file}", markup=False)
    console.print(f"again: {result['command']}", soft_wrap=True, markup=False)
    return 0 if result["passed"] else FAILED


def show(console: Console, result: dict[str, Any]) -> None:
    """The table for people."""
    table = Table(title="own engine beside SUMO", title_justify="left")
    for name in ("what", "own engine", "SUMO", "off", "may be", "hits", "verdict"):
        table.add_column(name, justify="left" if name in ("what", "verdict") else "right")
    for row in result["rows"]:
        table.add_row(
            row["name"], f"{row['engine']:.0f} {row['unit']}", f"{row['sumo']:.0f} {row['unit']}",
            f"{100 * row['off']:+.1f} %", f"{100 * row['limit']:.0f} %", str(row["collisions"]),
            "passed" if row["passed"] else "failed",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{result['collisions']} collisions among the engine's own in {result['km']:.0f} km",
        markup=False,
    )
