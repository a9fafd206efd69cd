"""`marque prove string`: whether a disturbance grows along a string of our own cars."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import CarOption, DriverOption, ResultOption, SensorsOption
from marque.cli.show import Bar, close_report, minutes
from marque.core.files import need_writable_file

FAILED = 1


def string(
    cars: Annotated[int, typer.Option(min=2, metavar="N", help="Of ours, in one lane.")] = 10,
    cases: Annotated[int, typer.Option(min=1, metavar="K", help="Brakings of the leader.")] = 3,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of everything drawn.")] = 1,
    driver: DriverOption = "marque",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "standard",
    json_file: ResultOption = None,
) -> int:
    """A string of our own cars behind a leader that brakes: the disturbance of the last car over
    that of the leader.

    Exit 0: at most 1, and nobody touched; 1: not; 2: wrong use or bad input.
    """
    from marque.prove import string as suite
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    console = Console(highlight=False)
    console.print(
        f"{cars} cars {car}, driver {driver}, senses {sensors}, {cases} brakings, seed {seed}",
        soft_wrap=True, markup=False,
    )  # fmt: skip
    steps = 100
    with Bar(steps) as bar:
        report = suite.run(
            seed=seed, cases=cases, cars=cars, driver=driver, car=car, sensors=sensors,
            done=lambda share, words: bar.show(int(share * steps), words),
        )  # fmt: skip
    options = [
        ("--cars", cars), ("--cases", cases), ("--seed", seed), ("--driver", driver),
        ("--car", car), ("--sensors", sensors),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "string"), options)
    show(console, report)
    close_report(console, report, json_file, indent=1)
    return 0 if report["passed"] else FAILED


def show(console: Console, report: dict[str, Any]) -> None:
    """The table for people."""
    table = Table(box=None, padding=(0, 1))
    for name in ("leader", "brakes", "by", "last", "gain", "worst pair", "contacts"):
        table.add_column(name, justify="right")
    for row in report["cases"]:
        table.add_row(
            f"{row['speed_mps']:.1f} m/s", f"{row['brake_mps2']:.1f} m/s²",
            f"{row['drop_mps']:.1f} m/s", f"{row['drops_mps'][-1]:.1f} m/s",
            f"{row['gain']:.3f}", f"{row['worst_pair']:.3f}", str(row["contacts"]),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"gain {report['gain']:.3f}, must be at most {report['bar']:g}; computed in "
        f"{minutes(report['wall_s'])}",
        markup=False,
    )
