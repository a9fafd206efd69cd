"""`marque prove cut-in`: 29,970 cut-ins with the guard alone, beside four reference models."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import ResultOption
from marque.cli.show import Bar, close_report, facts_table, standard_output
from marque.core.files import need_writable_file

FAILED = 1
LISTED = 150  # the bar


def cut_in(
    grid: Annotated[str, typer.Option(metavar="G", help="low | high | all.")] = "all",
    driver: Annotated[
        str,
        typer.Option(
            metavar="D", help="none: the guard alone. A driver: drives some cases as well."
        ),
    ] = "none",
    car: Annotated[
        str, typer.Option(metavar="C", help="Whose brakes: reference, a car or a TOML file.")
    ] = "reference",
    sensors: Annotated[
        str, typer.Option(metavar="PROFILE", help="Noise of these senses. Default: none.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Table of cases. Default: the published one, if there."),
    ] = None,
    check_tick: Annotated[
        int, typer.Option("--check-tick", min=0, metavar="N", help="Random cases through the tick.")
    ] = 300,
    between: Annotated[
        int, typer.Option(min=0, metavar="N", help="Also N cases between the grid's points.")
    ] = 0,
    fine: Annotated[
        bool, typer.Option("--fine", help="Also in steps of 20 ms, looking each 100 ms.")
    ] = False,
    drives: Annotated[
        int, typer.Option(min=1, metavar="N", help="Cases that a driver named drives.")
    ] = 60,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --sensors: noise drawn so often.")
    ] = 1,
    workers: Annotated[int, typer.Option(min=1, metavar="K", help="Processes.")] = 2,
    cases_file: Annotated[
        Path | None, typer.Option("--cases", metavar="CSV", help="One line per case.")
    ] = None,
    json_file: ResultOption = None,
) -> int:
    """Every cut-in of the grid that UN R157's reference models are compared on (docs/cut_in.md).

    Exit 0: the bars are met, our reference models give the published counts, and the tick does
    what the grid says; 1: not; 2: wrong use or bad input.
    """
    from marque.prove.cut_in.grid import load_cases
    from marque.prove.cut_in.suite import Order, run
    from marque.sim.told import command_line

    for path in (json_file, cases_file):
        if path is not None:
            need_writable_file(path)
    cases = load_cases(grid, reference)
    order = Order(driver, car, sensors, seed, workers, check_tick, between, fine, drives, seeds)
    console = standard_output()
    console.print(
        f"{cases.count:,} cut-ins ({cases.source}), driver {driver}, car {car}, "
        f"senses {sensors or 'exact'}, seed {seed}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    steps = 100
    with Bar(steps) as bar:
        report = run(order, cases, cases_file, lambda p, words: bar.show(int(p * steps), words))
    report["grid"] = grid
    options = [
        ("--grid", grid), ("--driver", driver), ("--car", car), ("--sensors", sensors or None),
        ("--seed", seed), ("--reference", reference), ("--check-tick", check_tick),
        ("--between", between or None), ("--fine", fine or None),
        ("--seeds", seeds if seeds > 1 else None),
        ("--drives", drives if driver != "none" else None),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "cut-in"), options)
    show(console, report)
    if cases_file is not None:
        console.print(facts_table("Files", [("cases", str(cases_file))]))
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed"] else FAILED


def show(console: Console, report: dict[str, Any]) -> None:
    """The tables for people."""
    table = Table(box=None, padding=(0, 1))
    for name in ("", "cases", "collide", "preventable", "of these collide", "brake hard"):
        table.add_column(name, justify="left" if name == "" else "right")
    rows = [("the guard", report)]
    rows += [(f"  {name}", row) for name, row in report["grids"].items()]
    if "fine" in report:
        rows.append(("  in 20 ms steps", report["fine"]))
    if "between" in report:
        rows.append(("  between the points", report["between"]))
    rows += [(f"  seed {row['seed']}", row) for row in report.get("seeds", [])]
    if "driven" in report:
        rows.append((f"  driven by {report['driver']}", report["driven"]))
    for name, row in rows:
        table.add_row(
            name, f"{row['cases']:,}", f"{row['collisions']:,}", f"{row['preventable']:,}",
            str(row["preventable_collisions"]), f"{100 * row['hard_share']:.1f} %",
        )  # fmt: skip
    for row in report["models"]:
        told = f" (published {row['published']:,})" if "published" in row else ""
        table.add_row(row["model"] + told, f"{report['cases']:,}", f"{row['collisions']:,}")
    console.print(table)
    _show_remaining(console, report["remaining"])
    hits = ", ".join(f"{count} {kind}" for kind, count in report["contacts"].items())
    console.print(f"contacts: {hits}; played in {report['played_s']:.0f} s", markup=False)
    ticked = report["ticked"]
    if ticked is not None:
        console.print(
            f"through the tick: {ticked['cases']} cases, {len(ticked['differ'])} differ; "
            f"accelerations within {ticked['worst_mps2']:.1e} m/s²",
            markup=False,
        )
    console.print("passed" if report["passed"] else "not passed", markup=False)


def _show_remaining(console: Console, rows: list[dict[str, Any]]) -> None:
    """The preventable collisions one by one; with many, the first of them."""
    if not rows:
        return
    table = Table(box=None, padding=(0, 1))
    names = ("km/h", "other", "gap m", "m/s aside", "contact", "brakes m/s²", "from s", "why")
    for name in names:
        table.add_column(name, justify="left" if name in ("contact", "why") else "right")
    for row in rows[:LISTED]:
        first = row["first_braking_s"]
        table.add_row(
            f"{row['ego_speed_kph']:g}", f"{row['cutin_speed_kph']:g}", f"{row['gap_m']:g}",
            f"{row['lateral_speed_mps']:g}", row["contact"], f"{row['peak_brake_mps2']:.1f}",
            "" if first is None else f"{first:.1f}", row["reason"],
        )  # fmt: skip
    console.print("Preventable cases that end in contact:", markup=False)
    console.print(table)
    if len(rows) > LISTED:
        console.print(f"and {len(rows) - LISTED} more (--json has them all)", markup=False)
