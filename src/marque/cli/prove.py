"""`marque prove`: suites that judge a driver."""

import json
from pathlib import Path
from typing import Annotated

import typer

from marque.cli.adversary import adversary
from marque.cli.aeb import ncap, r152
from marque.cli.alks import alks
from marque.cli.cut_in import cut_in
from marque.cli.engine import engine
from marque.cli.faults import faults
from marque.cli.motorway import motorway
from marque.cli.options import (
    BrandOption,
    CarOption,
    DriverOption,
    MapOption,
    ResultOption,
    SensorsOption,
)
from marque.cli.perception import perception
from marque.cli.prove_car import car
from marque.cli.replay import replay
from marque.cli.scenarios import scenarios
from marque.cli.show import Bar, Waiting, facts_table, standard_output
from marque.cli.situations import situations
from marque.cli.string import string
from marque.cli.wrong_map import wrongmap
from marque.core.errors import MarqueError
from marque.core.files import need_writable_file, need_writable_folder, write_text

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Judge a driver on seeded trips, situations, faults or wrong maps, or the senses alone."""


app.command()(situations)
app.command()(car)
app.command()(faults)
app.command()(wrongmap)
app.command()(string)
app.command()(motorway)
app.command()(replay)
app.command()(perception)
app.command()(scenarios)
app.command()(cut_in)
app.command()(ncap)
app.command()(r152)
app.command()(alks)
app.command()(adversary)
app.command()(engine)


@app.command()
def city(
    map_name: MapOption = "",
    traffic: Annotated[
        str, typer.Option(metavar="T", help="sumo | engine (our own) | a .sumocfg.")
    ] = "sumo",
    routes: Annotated[int, typer.Option(min=1, metavar="N", help="Trips per seed.")] = 10,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of demand and trips.")] = 1,
    seeds: Annotated[
        str, typer.Option(metavar="S,S,...", help="Several seeds, N trips for each.")
    ] = "",
    driver: DriverOption = "marque",
    car: CarOption = "saloon_ev",
    brand: BrandOption = "",
    sensors: SensorsOption = "standard",
    density: Annotated[
        int | None, typer.Option(min=0, metavar="X", help="Vehicles present. Default: by the map.")
    ] = None,
    begin: Annotated[
        float | None, typer.Option(metavar="S", help="Start, in seconds of a .sumocfg's time.")
    ] = None,
    sumo_args: Annotated[
        str, typer.Option("--sumo-args", metavar='"..."', help="Passed through to SUMO.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, metavar="K", help="Trips at a time.")] = 1,
    min_length_m: Annotated[
        float, typer.Option("--min-length-m", min=1.0, metavar="L", help="Of a trip.")
    ] = 1500.0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="One file per finished trip goes here.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Drive every trip anew, whatever DIR holds.")
    ] = False,
    json_file: ResultOption = None,
) -> int:
    """Seeded trips through a city, each against SUMO's own driver on the same way and hour.

    A run that was stopped goes on where it stopped. Exit 0: nothing at fault and at least 95 %
    arrived; 1: otherwise; 2: wrong use or bad input; 130: stopped.
    """
    from marque.cli.city import Teller, default_folder, print_result, suite_options
    from marque.prove.city import PLAN_FILE, Suite, run_city
    from marque.sim.order import Order, open_ground
    from marque.sim.told import command_line

    order = Order(
        map_name=map_name, traffic=traffic, density=density, begin_s=begin, sumo_args=sumo_args,
        driver=driver, car=car, brand=brand, sensors=sensors, min_length_m=min_length_m,
    )  # fmt: skip
    if json_file is not None:
        need_writable_file(json_file)
    if out is not None:
        need_writable_folder(out)
    chosen = _seeds(seeds) if seeds else (seed,)
    waiting = Waiting()
    waiting("opening the map; a new one is converted first")
    ground = open_ground(order)
    waiting.clear()
    folder = out or default_folder(ground.road_map.name, order, chosen, routes)
    suite = Suite(order, chosen, routes, workers, folder, again)
    console = standard_output()
    console.print(
        f"map {ground.road_map.name}, traffic {traffic}; driver {driver}, car {car}, "
        f"senses {sensors}; {routes} trips for each of {len(chosen)} seeds, "
        f"at least {min_length_m:g} m; trips in {folder}",
        soft_wrap=True,
        markup=False,
    )
    with Bar(len(chosen) * routes, "driving") as bar:
        result = run_city(suite, ground, Teller(console, bar))
    result["command"] = command_line(("prove", "city"), suite_options(suite))
    files = [("trips", str(folder / "s*-t*.json")), ("plan", str(folder / PLAN_FILE))]
    for path in (folder / "city.json", json_file):
        if path is not None:
            write_text(path, json.dumps(result, indent=2) + "\n")
            files.append(("result", str(path)))
    print_result(console, result)
    console.print(facts_table("Files", files))
    console.print(f"again: {result['command']}", soft_wrap=True, markup=False)
    return 0 if result["passed"] else 1


def _seeds(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise MarqueError(f"--seeds is a list of whole numbers like 1,2,3, not '{text}'") from None
    if min(found) < 0 or len(set(found)) != len(found):
        raise MarqueError(f"--seeds needs different numbers from 0 up, not '{text}'")
    return found
