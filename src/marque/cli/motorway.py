"""`marque prove motorway`: kilometres on drawn motorways, at three densities."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from marque.cli.options import AnyDriverOption, CarOption, ResultOption, SensorsOption
from marque.cli.show import Bar, Waiting, facts_table, standard_output
from marque.core.files import need_writable_file, need_writable_folder, write_text
from marque.core.units import to_kph


def motorway(
    km: Annotated[str, typer.Option("--km", metavar="K", help="Kilometres to drive.")],
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Of roads, demand, trips.")] = 1,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Trips at a time.")] = 1,
    driver: AnyDriverOption = "",
    car: CarOption = "saloon_ev",
    sensors: SensorsOption = "standard",
    no_map: Annotated[
        bool,
        typer.Option("--no-map", help="Our car has no map and keeps its lane (docs/no_map.md)."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="One file per finished trip goes here.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Drive every trip anew, whatever DIR holds.")
    ] = False,
    json_file: ResultOption = None,
) -> int:
    """Trips on drawn motorways from a ramp to an exit, a third of K km at each of three densities,
    each against SUMO's own driver on the same way and hour (docs/motorway.md). With --no-map: in
    one lane straight on, and how well that is kept (docs/no_map.md).

    A run that was stopped goes on where it stopped. Exit 0: passed; 1: otherwise; 2: wrong use or
    bad input; 130: stopped.
    """
    from marque.cli.city import Teller, print_result
    from marque.prove.city import PLAN_FILE
    from marque.prove.motorway.blind import run_blind
    from marque.prove.motorway.suite import Suite, finite_km, run_motorway
    from marque.sim.no_map import usual_driver
    from marque.sim.order import Order
    from marque.sim.told import command_line

    length_km = finite_km(km)
    if json_file is not None:
        need_writable_file(json_file)
    driver = driver or usual_driver(no_map)
    who = f"{Path(driver).stem}-{Path(sensors).stem}{'-no-map' if no_map else ''}"
    folder = out or Path("out") / f"motorway-{who}-s{seed}"
    need_writable_folder(folder)
    suite = Suite(
        Order(driver=driver, car=car, sensors=sensors), length_km, seed, workers, folder, again
    )
    console = standard_output()
    nothing = ", no map" if no_map else ""
    console.print(
        f"drawn motorways, {length_km:g} km at three densities of SUMO's traffic; driver {driver}, "
        f"car {car}{nothing}, senses {sensors}, seed {seed}; trips in {folder}",
        soft_wrap=True,
        markup=False,
    )
    waiting = Waiting()
    with Bar(length_km, "drawing the roads") as bar:
        result = (run_blind if no_map else run_motorway)(suite, Teller(console, bar), waiting)
    options: list[tuple[str, object]] = [
        ("--no-map", no_map or None),
        ("--km", length_km), ("--seed", seed), ("--workers", workers), ("--driver", driver),
        ("--car", car), ("--sensors", sensors), ("--out", folder),
    ]  # fmt: skip
    result["command"] = command_line(("prove", "motorway"), options)
    files = [("trips", str(folder / "s*-t*.json")), ("plan", str(folder / PLAN_FILE))]
    for path in (folder / "motorway.json", json_file):
        if path is not None:
            write_text(path, json.dumps(result, indent=2) + "\n")
            files.append(("result", str(path)))
    if no_map:
        console.print(facts_table("Without a map", _blind_rows(result)))
    else:
        print_result(console, result)
        console.print(facts_table("Motorway", _rows(result)))
    console.print(facts_table("Files", files))
    console.print(f"again: {result['command']}", soft_wrap=True, markup=False)
    return 0 if result["passed"] else 1


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("merges passed", _part(result, "merges_passed", "merges")),
        ("exits missed", _part(result, "exits_missed", "exits")),
        (
            "followers that had to brake above 3 m/s²",
            f"{result['followers_braked']} in {result['lane_changes']} lane changes",
        ),
    ]
    for name, sums in result["densities"].items():
        rows.append((name, _density(sums)))
    return rows


def _blind_rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    from marque.sim.drive import LENGTH_DRIVEN

    rows = [("all", _kept(result))]
    rows += [(name, _kept(sums)) for name, sums in result["densities"].items()]
    stopped = [
        f"{row['trip']}: {row['end']}" for row in result["trips"] if row["end"] != LENGTH_DRIVEN
    ]
    return [*rows, ("ended early", "; ".join(stopped) or "none")]


def _kept(sums: Mapping[str, Any]) -> str:
    if sums["lateral_rms_m"] is None:
        return "nothing driven"
    return (
        f"{sums['driven_to_the_end']} of {sums['routes']} driven to the end, "
        f"{sums['distance_km']:.1f} km, mean {sums['mean_kph']:.0f} km/h; beside the middle rms "
        f"{sums['lateral_rms_m']:.2f}, max {sums['lateral_max_m']:.2f} m; off the lane "
        f"{100 * sums['off_lane_share']:.2f} % of the time, left it {sums['lanes_left']} times; "
        f"asked to be taken over {sums['takeovers']} times, {sums['collisions_at_fault']} at fault"
    )


def _part(sums: Mapping[str, Any], part: str, whole: str) -> str:
    return f"{sums[part]} of {sums[whole]}"


def _density(sums: Mapping[str, Any]) -> str:
    speed = "no trip that both drivers finished"
    if sums["trips_compared"]:
        speed = (
            f"{to_kph(sums['mean_speed_mps']):.0f} km/h, SUMO's own driver "
            f"{to_kph(sums['reference_mean_speed_mps']):.0f}: {100 * sums['speed_ratio']:.1f} %"
        )
    return (
        f"{sums['arrived']} of {sums['routes']} arrived, {sums['distance_km']:.1f} km, {speed}; "
        f"merges {_part(sums, 'merges_passed', 'merges')}, "
        f"exits missed {_part(sums, 'exits_missed', 'exits')}, "
        f"followers braked {_part(sums, 'followers_braked', 'lane_changes')}, "
        f"{sums['collisions_at_fault']} at fault"
    )
