"""`marque prove car`: tracking and stops of every car of the fleet under one controller."""

from typing import Annotated, Any

import typer
from rich.table import Table

from marque.cli.options import MapOption, ResultOption
from marque.cli.show import Bar, close_report, standard_output
from marque.core.files import need_writable_file

FAILED = 1


def car(
    only: Annotated[
        list[str] | None, typer.Option("--car", metavar="C", help="One of them; may be repeated.")
    ] = None,
    trips: Annotated[
        int, typer.Option(min=0, metavar="N", help="City trips whose requests are asked, too.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of the first city trip.")] = 1,
    map_name: MapOption = "berlin",
    json_file: ResultOption = None,
) -> None:
    """Does every car do what the one controller asks: the WLTC and city requests, dry and on a 6 %
    grade; planned stops; emergency stops against its own declared delay and ramp.

    Exit 0: within the bounds; 1: not; 2: wrong use or bad input.
    """
    from marque.prove.car.suite import Words, run
    from marque.sim.told import command_line
    from marque.vehicle.catalog import platform_names

    if json_file is not None:
        need_writable_file(json_file)
    words = Words(tuple(only or ()), trips, seed, map_name)
    count = 0
    with Bar(len(words.cars or platform_names())) as bar:

        def done(name: str) -> None:
            nonlocal count
            count += 1
            bar.show(count, name)

        report = run(words, done)
    options: list[tuple[str, Any]] = [("--car", name) for name in words.cars]
    options += [("--trips", trips), ("--seed", seed), ("--map", map_name)] if trips else []
    report["command"] = command_line(("prove", "car"), options)
    console = standard_output()
    _show(console, report)
    close_report(console, report, json_file, indent=1)
    if not report["passed"]:
        raise typer.Exit(FAILED)


def _show(console: Any, report: dict[str, Any]) -> None:
    table = Table(box=None, padding=(0, 1))
    for head in ("car", "drive", "rms m/s2", "stop 50", "stop 100", "emergency 100", "off"):
        table.add_column(head, justify="left" if head in ("car", "drive") else "right")
    for row in report["cars"]:
        table.add_row(
            row["car"], row["powertrain"], f"{row['rms_mps2']:.3f}", f"{row['stop_50_m']:.1f} m",
            f"{row['stop_100_m']:.1f} m", f"{row['emergency_100_m'][0]:.1f} m",
            f"{100 * row['emergency_off']:.2f} %",
        )  # fmt: skip
    console.print(table)
    spread = report["stop_spread"]
    console.print(
        f"{len(report['cars'])} cars, over {', '.join(report['traces'])}: worst rms "
        f"{report['rms_worst_mps2']:.3f} m/s2; stops differ by {100 * spread['50']:.1f} % from 50 "
        f"and {100 * spread['100']:.1f} % from 100 km/h; emergency stops are within "
        f"{100 * report['emergency_worst']:.2f} % of what is declared",
        soft_wrap=True, markup=False,
    )  # fmt: skip
