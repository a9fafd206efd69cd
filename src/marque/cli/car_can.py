"""`marque car conform`, `record` and `replay`: real cars on their own buses."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from marque.cli.options import ResultOption
from marque.cli.show import Bar, close_report, counted, standard_output
from marque.core.errors import MarqueError
from marque.core.files import need_writable_file

FAILED = 1


def conform(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="One of opendbc's cars, with or without 'opendbc:'."),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Every car that opendbc knows.")] = False,
    commands: Annotated[
        int, typer.Option(min=0, metavar="N", help="Fuzzed commands for each brand family.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of the fuzzed commands.")] = 1,
    json_file: ResultOption = None,
) -> None:
    """Does a real car's simulated twin conform, on its own frames and under opendbc's own judge?

    Exit 0: every car that can be driven conforms, no illegal frame passed; 1: not; 2: bad input.
    """
    from marque.prove.can import suite
    from marque.sim.told import command_line
    from marque.vehicle.can.real_car import real_names

    if every == bool(name):
        raise MarqueError("give one car's name, or --all")
    if json_file is not None:
        need_writable_file(json_file)
    console = standard_output()
    total = len(real_names()) if every else 1
    with Bar(total) as bar:
        tell = counted(bar, lambda car: f"{car['name']}: {car['verdict']}")
        report = suite.run([] if every else [name], commands, seed, tell)
    options: list[tuple[str, Any]] = [("--commands", commands), ("--seed", seed)]
    options += [("--all", True)] if every else []
    verb = ("car", "conform") if every else ("car", "conform", name)
    report["command"] = command_line(verb, options)
    _show(console, report)
    close_report(console, report, json_file, indent=1)
    if not report["passed"]:
        raise typer.Exit(FAILED)


def _show(console: Any, report: dict[str, Any]) -> None:
    table = Table(box=None, padding=(0, 1))
    for head in ("family", "conform", "not conform", "unsupported"):
        table.add_column(head, justify="left" if head == "family" else "right")
    for family, count in report["families"].items():
        shown = (str(count.get(kind, 0)) for kind in ("conform", "not_conform", "unsupported"))
        table.add_row(family, *shown)
    console.print(table)
    for car in report["cars"]:
        if car["verdict"] == "not_conform":
            console.print(f"{car['name']}: {'; '.join(car['reasons'])}", markup=False,
                          soft_wrap=True)  # fmt: skip
    for one in report["fuzzed"]:
        console.print(
            f"{one['family']}: {one['commands']} commands, {one['illegal']} illegal, "
            f"{one['illegal_passed']} of these passed", markup=False, soft_wrap=True,
        )  # fmt: skip
        for line in one["shown"]:
            console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(
        f"{report['conform']} conform, {report['not_conform']} do not, {report['unsupported']} "
        f"unsupported; {report['illegal_frames_passed']} illegal frames passed", markup=False,
    )  # fmt: skip
    console.print(report["note"], markup=False, soft_wrap=True)


CarName = Annotated[str, typer.Argument(metavar="NAME", help="One of opendbc's cars.")]


def record(
    name: CarName,
    path: Annotated[Path, typer.Argument(metavar="FILE", help=".log (candump), .blf or .asc.")],
) -> None:
    """Drive a real car's twin for some seconds, and write every frame of both directions."""
    from marque.prove.can.logs import record as recorded
    from marque.vehicle.can.logs import kind_of

    kind_of(path)
    need_writable_file(path)
    made = recorded(name, path)
    standard_output().print(
        f"wrote {path}: {made['frames']} frames of {made['car']} in {made['duration_s']:.1f} s",
        soft_wrap=True, markup=False,
    )  # fmt: skip


def replay(
    name: CarName,
    path: Annotated[Path, typer.Argument(metavar="FILE", help=".log (candump), .blf or .asc.")],
    json_file: ResultOption = None,
) -> None:
    """Read a CAN log through opendbc: what it says of the car, and what its judge says of us."""
    import json

    from marque.cli.show import facts_table
    from marque.core.files import write_text
    from marque.prove.can.logs import replay as replayed

    found = replayed(name, path)
    rows = [(key, str(value)) for key, value in found.items()]
    standard_output().print(facts_table(str(path), rows))
    if json_file is not None:
        write_text(json_file, json.dumps({"schema": "marque.car.replay/1", **found}) + "\n")
