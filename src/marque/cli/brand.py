"""`marque brand`: characters of brands, and how they differ on the road."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from marque.cli.options import FactsOption, ResultOption, SensorsOption
from marque.cli.show import Bar, facts_table, standard_output
from marque.core.files import need_writable_file, need_writable_folder, write_text

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(json_file: FactsOption = None) -> int:
    """Every brand, and for whom it is."""
    from marque.vehicle.brand import brand_names, load_brand

    brands = [load_brand(name) for name in brand_names()]
    console = standard_output()
    console.print(facts_table("", [(each.name, each.who) for each in brands]))
    if json_file is not None:
        told = {"schema": "marque.brand.list/1", "brands": {b.name: b.who for b in brands}}
        write_text(json_file, json.dumps(told, indent=2) + "\n")
    return 0


@app.command()
def show(
    brand: Annotated[str, typer.Argument(metavar="B", help="A name or a TOML file.")],
    json_file: FactsOption = None,
) -> int:
    """One brand: for whom it is, and what it wants otherwise than the plain driver."""
    from dataclasses import asdict

    from marque.types.style import Style
    from marque.vehicle.brand import load_brand, unlike

    found, plain = load_brand(brand), Style()
    rows = [("for whom", found.who), ("market", found.market)]
    rows += [
        (name, f"{value:g} (plain: {getattr(plain, name):g})")
        for name, value in unlike(found).items()
    ]
    console = standard_output()
    console.print(facts_table(found.title, rows))
    if json_file is not None:
        told = {"schema": "marque.brand.show/1", **asdict(found)}
        write_text(json_file, json.dumps(told, indent=2) + "\n")
    return 0


@app.command()
def compare(
    brands: Annotated[list[str], typer.Argument(metavar="A B ...", help="Two or more brands.")],
    maps: Annotated[
        str, typer.Option("--map", metavar="M,M,...", help="Where the trips are.")
    ] = "berlin",
    cars: Annotated[str, typer.Option("--car", metavar="C,C,...")] = "saloon_ev",
    routes: Annotated[int, typer.Option(min=2, metavar="N", help="Trips on each map.")] = 4,
    seed: Annotated[int, typer.Option(min=0, metavar="S")] = 1,
    sensors: SensorsOption = "standard",
    traffic: Annotated[str, typer.Option(metavar="T", help="sumo | none.")] = "sumo",
    min_length_m: Annotated[float, typer.Option("--min-length-m", min=300.0)] = 1500.0,
    workers: Annotated[int, typer.Option(min=1, metavar="K", help="Trips at a time.")] = 1,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Journal and plots.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Drive every trip anew.")] = False,
    json_file: ResultOption = None,
) -> int:
    """The same trips, driven by each brand: fingerprints side by side, and how well a blind
    classifier tells the brands apart from a minute of motion (docs/brands.md).

    A run that was stopped goes on where it stopped. Exit 0: no trip failed; 1: some did; 2: wrong
    use or bad input; 130: stopped.
    """
    from marque.draw.fingerprints import fingerprints_picture
    from marque.prove.brands.compare import Comparison, check, run
    from marque.sim.order import Order
    from marque.sim.told import command_line

    order = Order(traffic=traffic, sensors=sensors, seed=seed, min_length_m=min_length_m)
    folder = out or Path("out") / f"brands-{'-'.join(Path(b).stem for b in brands)}-s{seed}"
    asked = Comparison(
        order, tuple(brands), tuple(maps.split(",")), tuple(cars.split(",")), routes, folder,
        workers, again,
    )  # fmt: skip
    check(asked)
    if json_file is not None:
        need_writable_file(json_file)
    need_writable_folder(folder)
    count = len(asked.brands) * len(asked.maps) * len(asked.cars) * routes
    console = standard_output()
    with Bar(count, "driving") as bar:
        done = 0

        def tell(row: Mapping[str, Any]) -> None:
            nonlocal done
            done += 1
            bar.show(done, row["case"])

        result = run(asked, tell)
    result["command"] = command_line(
        ("brand", "compare", *brands),
        [
            ("--map", maps), ("--car", cars), ("--routes", routes), ("--seed", seed),
            ("--sensors", sensors), ("--traffic", traffic), ("--min-length-m", min_length_m),
            ("--out", folder),
        ],
    )  # fmt: skip
    picture = folder / "fingerprints.png"
    fingerprints_picture(result["fingerprints"], picture)
    files = [folder / "compare.json", *([json_file] if json_file is not None else [])]
    for path in files:
        write_text(path, json.dumps(result, indent=2) + "\n")
    _print(console, result)
    for path in (*files, picture):
        console.print(f"wrote {path}", soft_wrap=True, markup=False)
    console.print(f"again: {result['command']}", soft_wrap=True, markup=False)
    return 1 if any(trip["failed"] for trip in result["trips"]) else 0


def _print(console: Any, result: Mapping[str, Any]) -> None:
    """The fingerprints, one column each, and how far they are told apart."""
    prints = result["fingerprints"]
    names = list(prints)
    width = max(len(name) for name in names)
    keys = list(prints[names[0]])
    console.print(f"{'':<24}" + "".join(f"{name:>{width + 2}}" for name in names), markup=False)
    for key in keys:
        told = ("-" if prints[n][key] is None else f"{prints[n][key]:.2f}" for n in names)
        console.print(f"{key:<24}" + "".join(f"{one:>{width + 2}}" for one in told), markup=False)
    rows = [
        ("told apart, trips left out", _share(result["classifier_accuracy"], result["chance"])),
        *(
            (f"without {group}", _share(value, result["chance"]))
            for group, value in result["classifier_without"].items()
        ),
        ("lane positions apart", f"{result['lane_bias_apart_m'] or 0.0:.2f} m"),
        ("guard identical", "yes" if result["guard_identical"] else "NO"),
        ("minutes of motion", str(result["windows"])),
    ]
    failed = [trip["case"] for trip in result["trips"] if trip["failed"]]
    rows += [("failed", name) for name in failed]
    console.print(facts_table("", rows))


def _share(value: float | None, chance: float) -> str:
    return "not to be had" if value is None else f"{value:.0%} (chance {chance:.0%})"
