"""`marque prove alks`: the scenarios of UN R157 with the whole stack."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import (
    CarOption,
    CasesAtATimeOption,
    ConcreteOption,
    DriverOption,
    JournalOption,
    OnlyOption,
    PicturesOption,
    PlayAgainOption,
    ResultOption,
    ScenariosOption,
    SensorsOption,
)
from marque.cli.show import Bar, Waiting, close_report, counted, minutes, standard_output
from marque.core.errors import MarqueError
from marque.core.files import need_writable_file

FAILED = 1
SHOWN = 20  # of those that failed, on the screen


def alks(
    suite: ScenariosOption,
    everything: Annotated[
        bool, typer.Option("--all", help="Large variations whole, not drawn from.")
    ] = False,
    concrete: ConcreteOption = False,
    cases: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Drawn from each larger variation.")
    ] = None,
    only: OnlyOption = "",
    driver: DriverOption = "marque",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "ideal",
    workers: CasesAtATimeOption = 1,
    pictures: PicturesOption = "some",
    out: JournalOption = None,
    again: PlayAgainOption = False,
    json_file: ResultOption = None,
) -> int:
    """The scenarios of UN R157: our car in the ego's place from the activation on.

    It keeps its lane and the speed it is handed over with. A run that was stopped goes on where it
    stopped. Exit 0: all played and passed; 1: not; 2: wrong use or bad input.
    """
    from marque.prove.alks.criteria import read_criteria
    from marque.prove.alks.play import Who
    from marque.prove.alks.suite import Order, has_passed, plan, run, short
    from marque.sim.told import command_line

    if sum((everything, concrete, cases is not None)) > 1:
        raise MarqueError("--all, --concrete and --cases exclude each other; give one of them")
    if json_file is not None:
        need_writable_file(json_file)
    kind = "all" if everything else "concrete" if concrete else f"drawn{cases or ''}"
    named = f"alks-{suite.resolve().name}-{Path(driver).stem}-{Path(car).stem}-{kind}"
    folder = out or Path("out") / named
    order = Order(
        suite, folder, Who(driver, car, sensors), everything, concrete, only, workers, pictures,
        again,
    )  # fmt: skip
    criteria = read_criteria()
    if cases is not None:
        drawing = replace(criteria.drawing, most=cases, cases=cases)
        criteria = replace(criteria, drawing=drawing)
    waiting = Waiting()
    waiting("reading the suite")
    found = plan(order, criteria)
    waiting.clear()
    console = standard_output()
    console.print(
        f"{len(found.items)} cases of {found.scenarios} scenarios and {len(found.variations)} "
        f"variations in {suite}; driver {driver}, car {car}, senses {sensors}; journal and "
        f"pictures in {folder}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    with Bar(len(found.items), "playing") as bar:
        report = run(
            order, criteria, found,
            counted(bar, lambda row: f"{short(row['case'])} {row['verdict']}"),
        )  # fmt: skip
    options: list[tuple[str, object]] = [("--suite", suite), ("--all", everything or None)]
    options += [("--concrete", concrete or None), ("--cases", cases), ("--only", only)]
    options += [("--driver", driver), ("--car", car), ("--sensors", sensors)]
    report["command"] = command_line(("prove", "alks"), options)
    show(console, report)
    console.print(f"journal {folder / 'journal.jsonl'}", soft_wrap=True, markup=False)
    close_report(console, report, json_file, indent=1)
    return 0 if has_passed(report) else FAILED


def show(console: Console, report: Mapping[str, Any]) -> None:
    """The tables for people."""
    table = Table(box=None, padding=(0, 1))
    for name in ("scenario", "cases", "passed", "mitigated", "failed", "unsupported"):
        table.add_column(name, justify="left" if name == "scenario" else "right")
    table.add_column("clause")
    table.add_column("worst margin", justify="right")
    for row in report["scenarios"]:
        kind = "" if row["variation"] is None else " variation"
        if row["variation"] is not None and "reference" in row["variation"]:
            kind = " reference variation"
        worst = "" if row["worst_margin"] is None else f"{row['worst_margin']:g}"
        table.add_row(
            f"{row['scenario']}{kind}", str(row["cases"]), str(row["passed"]),
            str(row["mitigated"]), str(row["failed"]), str(row["unsupported"]), row["clause"],
            worst,
        )  # fmt: skip
    console.print(table)
    bad = [row for row in report["cases"] if row["verdict"] in ("failed", "unsupported")]
    for row in bad[:SHOWN]:
        console.print(
            f"{row['verdict']}: {row['case']}: {row['why']}", soft_wrap=True, markup=False
        )
    if len(bad) > SHOWN:
        console.print(f"and {len(bad) - SHOWN} more, in --json and in the journal", markup=False)
    console.print(
        f"{report['played']} played, {report['passed']} passed (of them {report['mitigated']} by "
        f"mitigation), {report['failed']} failed, {report['unsupported']} unsupported; "
        f"{report['simulated_s']:.0f} s driven in {minutes(report['cpu_s'])} of CPU",
        markup=False,
    )
