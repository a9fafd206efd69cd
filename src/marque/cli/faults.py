"""`marque prove faults`: each fault of the senses in one seeded drive, noticed and reacted to."""

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.show import Bar, minutes
from marque.core.files import need_writable_file, write_text

FAILED = 1


def faults(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ROW", help="This row or name alone; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    driver: Annotated[str, typer.Option(metavar="D", help="Who drives.")] = "marque",
    car: Annotated[str, typer.Option(metavar="C", help="A name or a TOML file.")] = "saloon_ev",
    sensors: Annotated[
        str, typer.Option(metavar="PROFILE", help="standard | ... or a TOML file.")
    ] = "standard",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="The result as one object.")
    ] = None,
) -> int:
    """Break the senses in each way of the fault table (docs/faults.md), and print what was noticed
    and done.

    Exit 0: all passed; 1: some failed; 2: wrong use or bad input.
    """
    from marque.prove.faults import suite

    if json_file is not None:
        need_writable_file(json_file)
    chosen = tuple(only or ())
    total = len(suite.chosen_rows(chosen))
    console = Console(highlight=False)
    console.print(
        f"{total} faults, driver {driver}, car {car}, senses {sensors}, seed {seed}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    with Bar(total) as bar:
        count = 0

        def done(row: dict[str, Any]) -> None:
            nonlocal count
            count += 1
            bar.show(count, row["fault"])

        report = suite.run(
            seed=seed, only=chosen, driver=driver, car=car, sensors=sensors, done=done
        )
    words = ["marque", "prove", "faults", *(word for name in chosen for word in ("--only", name))]
    words += ["--seed", str(seed), "--driver", driver, "--car", car, "--sensors", sensors]
    report["command"] = shlex.join(words)
    show(console, report)
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1) + "\n")
        console.print(f"wrote {json_file}", soft_wrap=True, markup=False)
    console.print(f"again: {report['command']}", soft_wrap=True, markup=False)
    return 0 if report["passed"] else FAILED


def show(console: Console, report: dict[str, Any]) -> None:
    """The table for people."""
    table = Table(box=None, padding=(0, 1))
    for name, side in (
        ("row", "left"), ("fault", "left"), ("injected", "right"), ("noticed", "right"),
        ("bar", "right"), ("reacted", "right"), ("expected", "left"), ("seen", "left"),
        ("", "left"),
    ):  # fmt: skip
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for row in report["rows"]:
        table.add_row(
            row["row"], row["title"], f"{row['injected_s']:g} s", _after(row["noticed_after_s"]),
            f"{row['within_s']:g} s", _after(row["reacted_after_s"]), row["expected"], row["seen"],
            "passed" if row["passed"] else "; ".join(row["failed"]),
        )  # fmt: skip
    console.print(table)
    console.print(f"{report['rows_passed']} of {report['rows_total']} passed", markup=False)
    for name, why in report["no_part"].items():
        console.print(f"row {name}: no part ({why})", soft_wrap=True, markup=False)
    console.print(f"computed in {minutes(report['wall_s'])}", markup=False)


def _after(value: float | None) -> str:
    return "never" if value is None else f"+{value:.2f} s"
