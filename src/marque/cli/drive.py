"""`marque drive`: one drive, told on the terminal and kept as log, summary, report and picture."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marque.cli.options import AnyDriverOption, BrandOption, CarOption, MapOption, SensorsOption
from marque.cli.show import Waiting
from marque.core.errors import MarqueError
from marque.core.files import need_writable_file, need_writable_folder

if TYPE_CHECKING:
    from marque.sim.order import Order

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def drive(
    map_name: MapOption = "",
    start: Annotated[
        str, typer.Option("--from", metavar="P", help="52.44,13.5 | xy:1200,300 | lane:ID[@m].")
    ] = "",
    goal: Annotated[str, typer.Option("--to", metavar="P", help="As --from.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the demand and of the trip.")] = 1,
    min_length_m: Annotated[
        float, typer.Option("--min-length-m", min=1.0, metavar="L", help="Of a seeded trip.")
    ] = 2000.0,
    traffic: Annotated[
        str, typer.Option(metavar="T", help="sumo | engine (our own) | none | a .sumocfg.")
    ] = "",
    density: Annotated[
        int | None, typer.Option(min=0, metavar="X", help="Vehicles present. Default: by the map.")
    ] = None,
    begin: Annotated[
        float | None, typer.Option(metavar="S", help="Start, in seconds of a .sumocfg's time.")
    ] = None,
    sumo_args: Annotated[
        str, typer.Option("--sumo-args", metavar='"..."', help="Passed through to SUMO.")
    ] = "",
    driver: AnyDriverOption = "",
    car: CarOption = "saloon_ev",
    brand: BrandOption = "",
    sensors: SensorsOption = "ideal",
    time_min: Annotated[
        float | None, typer.Option("--minutes", min=0.01, metavar="X", help="End after this.")
    ] = None,
    no_map: Annotated[
        bool, typer.Option("--no-map", help="Our car has no map; motorways only (docs/no_map.md).")
    ] = False,
    km: Annotated[
        float | None, typer.Option("--km", metavar="K", help="Of a drive without a map. [2]")
    ] = None,
    set_speed: Annotated[
        float | None,
        typer.Option(
            "--set-speed", metavar="KMH", help="Without a map: never faster. [100 till a sign]"
        ),
    ] = None,
    scenario: Annotated[
        str,
        typer.Option(metavar="FILE", help="An OpenSCENARIO file (docs/scenarios.md)."),
    ] = "",
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the scenario."),
    ] = None,
    market: Annotated[
        str,
        typer.Option(metavar="M", help="Rules of takeover: un_r157 | un_r171 | cn_gb47955 | FILE."),
    ] = "",
    domain: Annotated[
        str, typer.Option(metavar="D", help="anywhere | fast_road | motorway | a TOML file.")
    ] = "",
    attention: Annotated[
        str,
        typer.Option(
            "--driver-attention", metavar="WORD@S,...", help="e.g. eyes-off@60 (docs/takeover.md)."
        ),
    ] = "",
    weather: Annotated[
        str, typer.Option(metavar="WORD@S,...", help="clear | rain | heavy-rain | fog | ice.")
    ] = "",
    cockpit: Annotated[
        bool, typer.Option("--cockpit", help="Show it live in the browser (docs/cockpit.md).")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="P", help="Of the cockpit.")
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(min=0.0, max=50.0, metavar="X", help="Of the cockpit: times real time. [1]"),
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Let SUMO's own driver drive the same first.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the files go.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="The summary, once more.")
    ] = None,
) -> int:
    """Drive from A to B. Without places: a seeded trip of at least 2 km through Berlin in
    SUMO's traffic or, where SUMO is not installed, through our own town in our own traffic.

    Exit 0: arrived (or the minutes are up) and nothing at fault; 1: judged failed; 2: wrong use
    or bad input; 130: stopped.
    """
    from marque.cli.driving import Wanted, Watched, carry_out
    from marque.sim.ahead import CodeAhead
    from marque.sim.no_map import usual_driver
    from marque.sim.order import EMPTY, ENGINE, SUMO, Order, open_ground, prepare, usual_traffic

    traffic = traffic or (SUMO if scenario else usual_traffic())
    order = Order(
        map_name=map_name, traffic=traffic, density=density, begin_s=begin, sumo_args=sumo_args,
        driver=driver or usual_driver(no_map), car=car, brand=brand,
        sensors=sensors, seed=seed,
        start=start, goal=goal, min_length_m=min_length_m, no_map=no_map, km=km, set_kph=set_speed,
        scenario=scenario, given=tuple(_pair(each) for each in given or ()),
        market=market, domain=domain, attention=attention, weather=weather,
    )  # fmt: skip
    order = with_cockpit(order) if cockpit else order
    if not cockpit and (port is not None or pace is not None):
        raise MarqueError("--port and --pace belong to --cockpit")
    if reference and no_map:
        raise MarqueError("--reference drives to a goal; with --no-map there is none")
    if reference and scenario:
        raise MarqueError("--reference is SUMO's own driver; in a scenario there is none")
    if reference and traffic in (EMPTY, ENGINE):
        raise MarqueError("--reference is SUMO's own driver; without SUMO's traffic there is none")
    if json_file is not None:
        need_writable_file(json_file)
    if out is not None:
        need_writable_folder(out)
    with CodeAhead(order.driver, car, sensors) as ahead:
        waiting = Waiting()
        waiting("opening the map; a new one is converted first")
        ground = open_ground(order)
        out = out or Path("out") / f"drive-{ground.road_map.name}-{seed}"
        need_writable_folder(out)
        ready = prepare(order, ground)
        waiting.clear()
        watched = Watched(port, 1.0 if pace is None else pace) if cockpit else None
        wanted = Wanted(order, time_min, reference, out, json_file, watched)
        return carry_out(ready, wanted, ahead)


def with_cockpit(order: "Order") -> "Order":
    """Somebody sits at the wheel of a drive that is watched. MarqueError: the extra is missing, or
    the page."""
    from marque.cli.cockpit import need_cockpit

    need_cockpit()
    from marque.cockpit.server import need_page
    from marque.vehicle import market

    need_page()
    supervised = order.market or order.domain or order.attention or order.weather
    return order if supervised else replace(order, market=market.USUAL)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise MarqueError(f"--set takes NAME=VALUE; this is '{text}'")
    return name, value
