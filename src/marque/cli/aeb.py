"""`marque prove ncap` and `marque prove r152`: emergency braking in scenarios."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import (
    CarOption,
    CasesAtATimeOption,
    ConcreteOption,
    JournalOption,
    OnlyOption,
    PicturesOption,
    PlayAgainOption,
    ResultOption,
    ScenariosOption,
    SensorsOption,
)
from marque.cli.show import Bar, Waiting, close_report, counted, standard_output
from marque.core.files import need_writable_file

FAILED = 1
SHOWN = 20  # of those that failed, on the screen

WhoOption = Annotated[
    str, typer.Option(metavar="D", help="none: the file's own driving, and the guard; or a driver.")
]


def ncap(
    suite: ScenariosOption,
    concrete: ConcreteOption = False,
    only: OnlyOption = "",
    driver: WhoOption = "none",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "ideal",
    workers: CasesAtATimeOption = 1,
    pictures: PicturesOption = "some",
    out: JournalOption = None,
    again: PlayAgainOption = False,
    json_file: ResultOption = None,
) -> int:
    """Euro NCAP's scenarios: a person drives as the file says, and the guard brakes (docs/ncap.md).

    A run that was stopped goes on where it stopped. Exit 0: all played and passed; 1: not; 2: wrong
    use or bad input.
    """
    from marque.prove.aeb.play import Who
    from marque.prove.aeb.suite import Order

    who = Who(driver, car, sensors)
    order = Order(
        "ncap", suite, out or _folder("ncap", suite, who), who, concrete, only, workers, pictures,
        again,
    )  # fmt: skip
    return _carry_out(order, [("--suite", suite), ("--concrete", concrete or None)], json_file)


def r152(
    only: OnlyOption = "",
    driver: WhoOption = "none",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "ideal",
    workers: CasesAtATimeOption = 1,
    pictures: PicturesOption = "some",
    out: JournalOption = None,
    again: PlayAgainOption = False,
    json_file: ResultOption = None,
) -> int:
    """UN R152's tables for cars, pedestrians and bicycles, and its false reactions (docs/ncap.md).

    A run that was stopped goes on where it stopped. Exit 0: all played and passed; 1: not; 2: wrong
    use or bad input.
    """
    from marque.prove.aeb.play import Who
    from marque.prove.aeb.suite import R152_FOLDER, Order

    who = Who(driver, car, sensors)
    order = Order(
        "r152", R152_FOLDER, out or _folder("r152", R152_FOLDER, who), who, False, only, workers,
        pictures, again,
    )  # fmt: skip
    return _carry_out(order, [], json_file)


def _folder(name: str, suite: Path, who: Any) -> Path:
    words = (name, suite.resolve().name, who.driver, Path(who.car).stem, Path(who.sensors).stem)
    return Path("out") / "-".join(Path(word).stem for word in words)


def _carry_out(order: Any, own: list[tuple[str, object]], json_file: Path | None) -> int:
    from marque.prove.aeb.cost import guard_ms
    from marque.prove.aeb.suite import plan, run
    from marque.sim.told import command_line
    from marque.vehicle.catalog import load_platform

    if json_file is not None:
        need_writable_file(json_file)
    waiting = Waiting()
    waiting("reading the suite")
    items = plan(order)
    waiting.clear()
    console, who = standard_output(), order.who
    drives = "the file drives, the guard brakes" if who.driver == "none" else f"driver {who.driver}"
    console.print(
        f"{len(items)} cases; {drives}; car {who.car}, senses {who.sensors}; "
        f"journal and pictures in {order.out}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    with Bar(len(items), "playing") as bar:
        words = counted(bar, lambda row: f"{row['scenario']} {row['verdict']}")
        report = run(order, items, words)
    report["guard_ms"] = guard_ms(load_platform(who.car))
    options = [*own, ("--only", order.only or None), ("--driver", who.driver), ("--car", who.car)]
    options += [("--sensors", who.sensors), ("--pictures", order.pictures)]
    report["command"] = command_line(("prove", order.name), options)
    show(console, report)
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed_all"] else FAILED


def show(console: Console, report: Mapping[str, Any]) -> None:
    """The tables for people."""
    table = Table(box=None, padding=(0, 1))
    left = ("scenario", "", "colours")
    for name in (*left[:2], "cases", "passed", "failed", "unsupported", "impacts", "worst km/h"):
        table.add_column(name, justify="left" if name in left else "right")
    bands = report["colours"]["bands"]
    if bands:
        table.add_column("colours")
    for row in report["scenarios"]:
        worst = row["worst_impact_kph"]
        colours = ", ".join(f"{count} {colour}" for colour, count in row["colours"].items())
        table.add_row(
            row["scenario"], row["title"], str(row["cases"]), str(row["passed"]),
            str(row["failed"]), str(row["unsupported"]), str(row["impacts"]),
            "" if worst is None else f"{worst:.1f}", *([colours] if bands else []),
        )  # fmt: skip
    console.print(table)
    bad = [row for row in report["cases"] if row["verdict"] != "passed"]
    for row in bad[:SHOWN]:
        console.print(
            f"{row['verdict']}: {row['case']}: {row['why']}", soft_wrap=True, markup=False
        )
    if len(bad) > SHOWN:
        console.print(f"... and {len(bad) - SHOWN} more", markup=False)
    cost = report["guard_ms"]
    console.print(
        f"guard, {cost['users']} road users, CPU time of a call: p99.9 "
        f"{cost['with_plan']['p99_9']:.2f} ms with a plan, {cost['person']['p99_9']:.2f} ms with a "
        "person at the wheel",
        markup=False,
    )
    if bands:
        console.print(f"colours: {report['colours']['label']}", markup=False)
    console.print(
        f"{report['played']} of {len(report['cases'])} cases played, {report['passed']} passed, "
        f"{report['failed']} failed, {report['unsupported']} unsupported",
        markup=False,
    )
