"""`marque prove perception`: tracks, lights and own place against the truth."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import CarOption, MapOption, ResultOption
from marque.cli.show import Bar, Waiting, close_report, standard_output
from marque.core.files import need_writable_file

FAILED = 1
ROWS = (
    ("mota", "tracking within 60 m: MOTA", ""),
    ("hota", "HOTA", ""),
    ("switches_per_km", "changes of identity per km driven", ""),
    ("lead_lateral_rms_mps", "speed across the lane of a car 20 to 40 m ahead, rms error", "m/s"),
    ("perception_ms_p50", "time per cycle, median", "ms"),
    ("perception_ms_p99", "time per cycle, p99", "ms"),
    ("own_along_rms_m", "own place along the lane, rms error", "m"),
    ("own_across_rms_m", "own place across the lane, rms error", "m"),
    ("own_heading_rms_rad", "own heading, rms error", "rad"),
    ("own_speed_rms_mps", "own speed, rms error", "m/s"),
    ("own_unknown_share", "share of the time in which it did not know where it was", ""),
    ("within_95_share", "middles within the believed 95 % ellipse", ""),
    ("lights_right_share", "believed signals that are the true ones", ""),
)


def perception(
    map_name: MapOption = "",
    traffic: Annotated[
        str, typer.Option(metavar="T", help="sumo | a .sumocfg with its own demand.")
    ] = "sumo",
    sensors: Annotated[
        str, typer.Option(metavar="PROFILE", help="standard | rain_night | ... or a TOML file.")
    ] = "standard",
    routes: Annotated[int, typer.Option(min=1, metavar="N", help="Trips.")] = 5,
    time_min: Annotated[
        float, typer.Option("--minutes", min=0.05, metavar="X", help="At most, of each trip.")
    ] = 5.0,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of demand and trips.")] = 1,
    car: CarOption = "saloon_ev",
    json_file: ResultOption = None,
) -> int:
    """Drive seeded trips and judge what the car believes of others, of signals and of its place.

    Exit 0: every bar held; 1: one was missed; 2: wrong use or bad input.
    """
    from marque.prove.perception import Suite, run
    from marque.sim.order import Order, open_ground
    from marque.sim.told import command_line

    if json_file is not None:
        need_writable_file(json_file)
    order = Order(
        map_name=map_name, traffic=traffic, car=car, sensors=sensors, seed=seed,
        min_length_m=1500.0,
    )  # fmt: skip
    waiting = Waiting()
    waiting("opening the map; a new one is converted first")
    ground = open_ground(order)
    waiting.clear()
    with Bar(routes, "driving") as bar:
        report = run(Suite(order, routes, time_min), ground, bar.show)
    options = [
        ("--map", map_name), ("--traffic", traffic), ("--sensors", sensors), ("--routes", routes),
        ("--minutes", time_min), ("--seed", seed), ("--car", car), ("--json", json_file),
    ]  # fmt: skip
    report["command"] = command_line(("prove", "perception"), options)
    console = standard_output()
    _show(console, report)
    close_report(console, report, json_file)
    return 0 if report["passed"] else FAILED


def _show(console: Console, report: dict[str, Any]) -> None:
    from marque.prove.perception import AT_LEAST

    table = Table(box=None, padding=(0, 2))
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("must", justify="right")
    for key, words, unit in ROWS:
        if report[key] is None:
            table.add_row(words, "nothing to measure", "")
            continue
        bar = report["bars"].get(key)
        sign = "≥" if key in AT_LEAST else "≤"
        must = "" if bar is None else f"{sign} {bar:g}"
        table.add_row(words, f"{report[key]:.3g} {unit}".strip(), must)
    console.print(table)
