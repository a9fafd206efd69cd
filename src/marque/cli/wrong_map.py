"""`marque prove wrongmap`: seeded drives on roads that are not as the car's map says."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import CarOption, DriverOption, ResultOption, SensorsOption
from marque.cli.show import Bar, close_report, counted, minutes
from marque.core.files import need_writable_file

FAILED = 1


def wrongmap(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="KIND", help="This kind alone; may be repeated."),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, metavar="N", help="Cases of each kind.")] = 10,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    driver: DriverOption = "marque",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "standard",
    workers: Annotated[int, typer.Option(min=1, metavar="K", help="Processes.")] = 1,
    json_file: ResultOption = None,
) -> int:
    """Give the car a map that is wrong in one of six ways (docs/wrong_map.md), and judge by the
    truth how it drives and whether it says where.

    Exit 0: all passed, and 90 % noticed; 1: not; 2: wrong use or bad input.
    """
    from marque.prove.wrong_map import suite
    from marque.prove.wrong_map.cases import KINDS
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    chosen = tuple(only or ())
    total = (len(chosen) or len(KINDS)) * cases
    console = Console(highlight=False)
    console.print(
        f"{total} cases, driver {driver}, car {car}, senses {sensors}, seed {seed}, "
        "traffic: SUMO's, drawn per case",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    with Bar(total) as bar:
        report = suite.run(
            seed=seed, cases=cases, only=chosen, driver=driver, car=car, sensors=sensors,
            workers=workers, done=counted(bar, lambda one: f"{one['kind']} {one['case']}"),
        )  # fmt: skip
    options = [
        *(("--only", name) for name in chosen), ("--cases", cases), ("--seed", seed),
        ("--driver", driver), ("--car", car), ("--sensors", sensors), ("--workers", workers),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "wrongmap"), options)
    show(console, report)
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed"] else FAILED


def show(console: Console, report: dict[str, Any]) -> None:
    """The tables for people: kinds, then what went wrong."""
    table = Table(box=None, padding=(0, 1))
    for name in ("kind", "cases", "passed", "noticed"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for kind, row in report["kinds"].items():
        table.add_row(kind, str(row["cases"]), str(row["passed"]), str(row["noticed"]))
    console.print(table)
    for one in report["results"]:
        why = [f"{each['name']}: {each['value']}" for each in one["failed"]]
        why += [] if one["noticed"] else ["not noticed"]
        if why:
            console.print(
                f"{one['kind']} {one['case']} ({one['text']}): {'; '.join(why)}",
                soft_wrap=True, markup=False,
            )  # fmt: skip
    console.print(
        f"{report['cases_passed']} of {report['cases_total']} passed, {report['noticed']} noticed, "
        f"{report['collisions_at_fault']} at fault; computed in {minutes(report['wall_s'])}",
        markup=False,
    )
