"""`marque prove faults`: each fault of the senses in one seeded drive, noticed and reacted to."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import CarOption, DriverOption, ResultOption
from marque.cli.show import Bar, close_report, counted, minutes
from marque.core.files import need_writable_file

FAILED = 1


def faults(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ROW", help="This row or name alone; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    driver: DriverOption = "marque",
    car: CarOption = "saloon_ev",
    sensors: Annotated[
        str, typer.Option(metavar="PROFILE", help="standard | ... or a TOML file.")
    ] = "standard",
    json_file: ResultOption = None,
) -> int:
    """Break the senses in each way of the fault table (docs/faults.md), and print what was noticed
    and done.

    Exit 0: all passed; 1: some failed; 2: wrong use or bad input.
    """
    from marque.prove.faults import suite
    from marque.sim.told import command_line

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
        report = suite.run(
            seed=seed, only=chosen, driver=driver, car=car, sensors=sensors,
            done=counted(bar, lambda row: str(row["fault"])),
        )  # fmt: skip
    options = [
        *(("--only", name) for name in chosen), ("--seed", seed), ("--driver", driver),
        ("--car", car), ("--sensors", sensors),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "faults"), options)
    show(console, report)
    close_report(console, report, json_file, indent=1)
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
