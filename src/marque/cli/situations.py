"""`marque prove situations`: seeded cases of every class of situation, judged by the truth."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import CarOption, DriverOption, ResultOption, SensorsOption
from marque.cli.show import Bar, close_report, counted, minutes
from marque.core.files import need_writable_file, need_writable_folder

FAILED = 1


def situations(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CLASS", help="This class alone; may be repeated."),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, metavar="N", help="Cases of each class.")] = 20,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    driver: DriverOption = "marque",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "standard",
    workers: Annotated[int, typer.Option(min=1, metavar="K", help="Processes.")] = 1,
    case: Annotated[
        int | None, typer.Option(min=0, metavar="I", help="One case alone, with its diary.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="SUMO's files of failed cases go there."),
    ] = None,
    json_file: ResultOption = None,
) -> int:
    """Drive seeded cases of every class of situation in SUMO's traffic, and print the share passed.

    A case in which the situation truly did not come about is drawn anew and counted as not posed;
    so is one that somebody else's fault ended, counted as void.
    Exit 0: all passed; 1: some failed; 2: wrong use or bad input.
    """
    from marque.prove.situations import suite
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    if keep is not None:
        need_writable_folder(keep)
    chosen = tuple(only or ())
    total = (len(chosen) or len(suite.CLASSES)) * (cases if case is None else 1)
    console = Console(highlight=False)
    console.print(
        f"{total} cases, driver {driver}, car {car}, senses {sensors}, seed {seed}, "
        "traffic: SUMO's, drawn per case",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    with Bar(total) as bar:
        report = suite.run(
            seed=seed, cases=cases, only=chosen, driver=driver, car=car, sensors=sensors,
            workers=workers,
            keep=keep, case=case,
            done=counted(bar, lambda one: f"{one['class']} {one['case']}"),
        )  # fmt: skip
    options = [
        *(("--only", name) for name in chosen),
        ("--cases", cases) if case is None else ("--case", case),
        ("--seed", seed), ("--driver", driver), ("--car", car), ("--sensors", sensors),
        ("--workers", workers),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "situations"), options)
    show(console, report)
    if case is not None:
        _show_diaries(console, report)
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed"] else FAILED


def show(console: Console, report: dict[str, Any]) -> None:
    """The table for people, and one line for each case that failed."""
    table = Table(box=None, padding=(0, 2))
    for name, side in (
        ("situation", "left"), ("passed", "right"), ("share", "right"), ("not posed", "right"),
        ("void", "right"), ("what failed", "left"),
    ):  # fmt: skip
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for each in report["classes"]:
        broken = ", ".join(f"{name} {count}" for name, count in each["broken"].items())
        table.add_row(
            each["title"], f"{each['passed']}/{each['cases']}",
            f"{100.0 * each['passed_share']:.0f} %", str(each["not_posed"]), str(each["void"]),
            broken,
        )  # fmt: skip
    table.add_row(
        "all", f"{report['cases_passed']}/{report['cases_total']}",
        f"{100.0 * report['passed_share']:.0f} %",
        str(sum(each["not_posed"] for each in report["classes"])),
        str(sum(each["void"] for each in report["classes"])), "",
    )  # fmt: skip
    console.print(table)
    for each in report["classes"]:
        for result in each["results"]:
            if not result["passed"]:
                console.print(_failure(each["class"], result), soft_wrap=True, markup=False)
    console.print(f"computed in {minutes(report['wall_s'])}", markup=False)


def _failure(name: str, result: dict[str, Any]) -> str:
    parts = []
    for failed in result["failed"]:
        at = "" if failed["t_s"] is None else f" at {failed['t_s']:g} s"
        parts.append(f"{failed['name']}{at} ({failed['value']})")
    return f"{name} {result['case']}: {result['text']}: {'; '.join(parts)}"


def _show_diaries(console: Console, report: dict[str, Any]) -> None:
    from marque.prove.situations.diary import say

    for each in report["classes"]:
        for result in each["results"]:
            console.print(f"{each['class']} {result['case']}: {result['text']}", markup=False)
            for line in result["diary"]:
                console.print(say(line), soft_wrap=True, markup=False)
