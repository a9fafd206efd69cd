"""`marque car`: the cars that exist, what is known of one, and what its model measures."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from marque.cli.car_can import conform, record, replay
from marque.cli.options import ResultOption
from marque.cli.show import standard_output
from marque.core.errors import MarqueError
from marque.core.files import write_text

app = typer.Typer(no_args_is_help=True, help="List, show and measure cars; real cars over CAN.")
for verb in (conform, record, replay):
    app.command()(verb)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A car by name, or its TOML file.")]


def _save(path: Path, facts: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def _card(name: str) -> dict[str, Any]:
    from marque.vehicle.catalog import platform_path, read_car_file

    file = read_car_file(platform_path(name))
    counts = dict.fromkeys(("published", "measured", "estimated"), 0)
    for one in file.source:
        counts[one.confidence] += len(one.fields)
    return {
        "name": file.name, "title": file.title, "maker": file.maker, "brand": file.brand,
        "powertrain": file.powertrain, "price_cny": file.price_cny,
        "numbers": counts if file.source else None,
    }  # fmt: skip


@app.command("list")
def list_cars(json_file: ResultOption = None) -> None:
    """Every car that can be named: maker, powertrain, price, and how well it is known."""
    from marque.vehicle.catalog import platform_names

    cards = [_card(name) for name in platform_names()]
    console = standard_output()
    table = Table(box=None, padding=(0, 1))
    for head in ("name", "title", "maker", "powertrain", "yuan", "published", "estimated"):
        table.add_column(head, justify="right" if head in ("yuan",) else "left")
    for card in cards:
        price = card["price_cny"]
        counts = card["numbers"] or {"published": "-", "estimated": "all"}
        table.add_row(
            card["name"], card["title"], card["maker"] or "-", card["powertrain"],
            f"{price:,.0f}" if price else "-", str(counts["published"]), str(counts["estimated"]),
        )  # fmt: skip
    console.print(table)
    makers = {card["maker"] for card in cards if card["maker"]}
    console.print(f"{len(cards)} cars, {len(makers)} makers", markup=False)
    if json_file is not None:
        _save(json_file, {"schema": "marque.car.list/1", "cars": cards})


@app.command()
def show(name: Name, json_file: ResultOption = None) -> None:
    """All numbers of a car, each with its source and how sure it is."""
    from marque.vehicle.catalog import platform_path, read_car_file

    path = platform_path(name)
    file = read_car_file(path)
    source = {field: one for one in file.source for field in one.fields}
    console = standard_output()
    console.print(f"{file.title} ({file.name}), {file.maker or 'no maker'}, {path}", markup=False,
                  soft_wrap=True)  # fmt: skip
    table = Table(box=None, padding=(0, 1))
    for head in ("number", "value", "confidence", "source"):
        table.add_column(head)
    plain = file.model_dump(exclude={"source"}, exclude_none=True)
    for field, value in plain.items():
        known = source.get(field)
        words = (known.confidence, known.title) if known else ("", "")
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for part, one in rows:
            table.add_row(f"{field}.{part}" if part else field, str(one), *words)
    console.print(table)
    if json_file is not None:
        sources = {field: one.model_dump(exclude={"fields"}) for field, one in source.items()}
        _save(json_file, {"schema": "marque.car.show/1", "car": plain, "sources": sources})


@app.command()
def measure(
    name: Name,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Write there, not into the car's file."),
    ] = None,
    json_file: ResultOption = None,
) -> None:
    """Step responses on the model; delays, ramps and limits go into the platform file that the
    stack and the guard read."""
    from dataclasses import asdict

    from marque.vehicle.catalog import load_platform, platform_path
    from marque.vehicle.measuring import measure as measured_on
    from marque.vehicle.measuring import write_measured

    path = platform_path(name)
    platform = load_platform(name)
    found = measured_on(platform)
    console = standard_output()
    table = Table(box=None, padding=(0, 1))
    for head in ("", "dead s", "lag s", "rate", "most", "declared before"):
        table.add_column(head)
    limits = {"drive": found.max_accel_mps2, "brake": found.max_brake_mps2, "steer": None}
    for part, most in limits.items():
        now, before = getattr(found, part), getattr(platform, part)
        table.add_row(
            part, f"{now.dead_s:.3f}", f"{now.lag_s:.3f}", f"{now.rate:.3g}",
            "-" if most is None else f"{most:.2f}",
            f"{before.dead_s:g} {before.lag_s:g} {before.rate:g}",
        )  # fmt: skip
    console.print(table)
    try:
        write_measured(path, out or path, found)
    except MarqueError as error:
        raise MarqueError(f"{path}: {error}; give another file with -o") from error
    console.print(f"written: {out or path}", markup=False, soft_wrap=True)
    if json_file is not None:
        _save(json_file, {"schema": "marque.car.measure/1", "car": platform.name}
                  | asdict(found))  # fmt: skip
