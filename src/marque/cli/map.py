"""`marque map`: import a road network, check it, draw it, describe it."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from marque.cli.options import FactsOption
from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.types.road_map import RoadMap

app = typer.Typer(no_args_is_help=True, help="Road maps: import, check, draw, describe.")

MapArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A map name (berlin, autobahn, braunschweig), map or source file."
    ),
]
SHOWN = 40


@app.command("import")
def import_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SRC",
            help="A .osm, .osm.gz, .osm.pbf, .net.xml, .net.xml.gz or .xodr file.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="The map file to write.")
    ],
    json_file: FactsOption = None,
) -> None:
    """Read a foreign road network into one map file."""
    from marque.maps import store
    from marque.maps.facts import map_facts
    from marque.maps.formats import import_noted

    if out.is_dir():
        raise MarqueError(f"{out} is a folder; name the map file to write")
    road_map, net, notes = import_noted(source)
    store.save(road_map, out, net)
    facts = {**map_facts(road_map, out), "schema": "marque.map.import/1", "notes": list(notes)}
    Console().print(_facts_table(facts))
    for note in notes:
        print(f"note: {note}")
    print(f"wrote {out}")
    _write_json(json_file, facts)
    print(f"see it with: marque map draw {out} -o map.png")


@app.command("make")
def make_command(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="town | motorway | grid.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same map.")] = 1,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="[KIND-SEED.marque]")
    ] = None,
    json_file: FactsOption = None,
) -> None:
    """Make a map of our own (docs/engine.md). The names town, motorway and grid are seed 1."""
    from marque.maps import store
    from marque.maps.facts import map_facts
    from marque.maps.made.draw import make_map

    out = out or Path(f"{kind}-{seed}{store.SUFFIX}")
    if out.is_dir():
        raise MarqueError(f"{out} is a folder; name the map file to write")
    road_map = make_map(kind, seed)
    store.save(road_map, out, b"")
    facts = {**map_facts(road_map, out), "schema": "marque.map.make/1", "seed": seed}
    Console().print(_facts_table(facts))
    print(f"wrote {out}")
    _write_json(json_file, facts)
    print(f"drive on it with: marque drive --map {out} --traffic engine")


@app.command("check")
def check_command(file: MapArgument, json_file: FactsOption = None) -> None:
    """Name every defect of a map; exit 1 when one is serious."""
    from marque.maps.check import SERIOUS, check_map, faulty_junctions
    from marque.maps.library import open_map

    road_map, path = open_map(file)
    found = check_map(road_map)
    counts = Counter((defect.severity, defect.kind) for defect in found)
    serious = sum(1 for defect in found if defect.severity == SERIOUS)
    table = Table(title=f"{road_map.name}: {len(found)} defects", title_justify="left")
    for column in ("weight", "kind", "count"):
        table.add_column(column)
    for (severity, kind), count in sorted(counts.items(), key=lambda row: _weight(row[0])):
        table.add_row(severity, kind, str(count))
    Console().print(table)
    for defect in found[:SHOWN]:
        place = f"({defect.x_m:.1f}, {defect.y_m:.1f})"
        print(f"{defect.severity}: {defect.kind}: {defect.where} {place}: {defect.text}")
    if len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN} more; --json FILE names them all")
    _write_json(
        json_file,
        {
            "schema": "marque.map.check/1",
            "map": road_map.name,
            "file": str(path),
            "passed": serious == 0,
            "serious": serious,
            "minor": sum(1 for defect in found if defect.severity == "minor"),
            "notes": sum(1 for defect in found if defect.severity == "note"),
            "faulty_junctions": faulty_junctions(found),
            "defects": [asdict(defect) for defect in found],
        },
    )
    print(f"{'failed' if serious else 'passed'}: {serious} serious defects in {path}")
    if serious:
        raise typer.Exit(1)


@app.command("draw")
def draw_command(
    file: MapArgument,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="A .png or .svg file to write.")
    ],
    around: Annotated[
        str | None,
        typer.Option(
            "--around", metavar="P", help="Middle of the picture: lat,lon or xy:X,Y or lane:ID."
        ),
    ] = None,
    radius_m: Annotated[
        float, typer.Option("--radius-m", min=5.0, max=100_000.0, help="With --around.")
    ] = 100.0,
    conflicts: Annotated[bool, typer.Option(help="Draw who yields where.")] = True,
) -> None:
    """Draw lanes, marks, crosswalks, signals and conflicts."""
    from marque.draw.map import save_map_picture
    from marque.maps.library import open_map

    road_map, _ = open_map(file)
    extent = None
    if around is not None:
        x, y = _middle(road_map, around)
        extent = (x - radius_m, x + radius_m, y - radius_m, y + radius_m)
    save_map_picture(road_map, out, extent, conflicts)
    print(f"wrote {out}")


@app.command("info")
def info_command(file: MapArgument, json_file: FactsOption = None) -> None:
    """Counts, lengths, limits (and how many are defaults), signals, geo-reference."""
    from marque.maps.facts import map_facts
    from marque.maps.library import open_map

    facts = map_facts(*open_map(file))
    Console().print(_facts_table(facts))
    _write_json(json_file, facts)


def _middle(road_map: RoadMap, place: str) -> tuple[float, float]:
    """The point meant, wherever it lies: a picture needs no lane beneath its middle."""
    from marque.maps.places import FARTHEST, to_xy

    head, _, rest = place.strip().partition(":")
    if head == "lane":
        if rest not in road_map.lane_name:
            raise MarqueError(f"no lane '{rest}' in map '{road_map.name}'")
        points = road_map.points(road_map.lane_name.index(rest))
        return float(points[len(points) // 2, 0]), float(points[len(points) // 2, 1])
    try:
        first, second = (float(word) for word in (rest if head == "xy" else place).split(","))
        if not (abs(first) < FARTHEST and abs(second) < FARTHEST):
            raise ValueError
    except ValueError as error:
        raise MarqueError(f"no place '{place}'; write lat,lon or xy:X,Y or lane:ID") from error
    return (first, second) if head == "xy" else to_xy(road_map, first, second)


def _weight(row: tuple[str, str]) -> tuple[int, str]:
    return ("serious", "minor", "note").index(row[0]), row[1]


def _facts_table(facts: dict[str, Any]) -> Table:
    table = Table(title=f"map {facts['map']}", show_header=False, title_justify="left")
    for name, value in _rows(facts):
        table.add_row(name, value)
    return table


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    by_kind = ", ".join(f"{kind} {km:.1f}" for kind, km in facts["lane_km"].items() if km)
    limits = ", ".join(f"{kph}: {km:.1f}" for kph, km in facts["limits_kph_km"].items())
    entries = ", ".join(f"{n} {name}" for name, n in facts["entries"].items() if n)
    before, after = facts["kink_at_joins_deg"]["before"], facts["kink_at_joins_deg"]["after"]
    off = facts["off_source_m"]
    held = off["away_from_joins_and_kinks"]
    return [
        ("file", f"{facts['file']} ({facts['bytes'] / 1e6:.1f} MB)"),
        ("source", facts["source"]),
        ("attribution", facts["attribution"] or "-"),
        ("traffic keeps", facts["traffic_side"]),
        ("geo-reference", facts["geo_reference"] or "none"),
        ("centre (lat, lon)", _pair(facts["centre_lat_lon"])),
        ("size", f"{facts['size_m'][0]:.0f} m x {facts['size_m'][1]:.0f} m"),
        (
            "lanes",
            f"{facts['lanes']} on {facts['edges']} edges, {facts['car_lanes']} of them for cars; "
            f"{facts['connectors']} connectors in {facts['junctions']} junctions",
        ),
        ("lane-km by kind", by_kind),
        ("entries", entries),
        ("limits from", facts["limits_from"]),
        ("limits defaulted", f"{100.0 * facts['limit_defaulted_share']:.1f} % of car lane-km"),
        ("limits, km/h: km", limits),
        ("signals", f"{facts['signal_heads']} heads in {facts['signal_groups']} groups"),
        ("roundabouts", str(facts["roundabouts"])),
        ("crosswalks", f"{facts['crosswalks']}, {facts['crosswalks_on_roads']} across roads"),
        (
            "conflicts",
            f"{facts['conflicts']}, priority guessed for {facts['priorities_guessed']}",
        ),
        (
            "kink at joins p50/p95/max",
            f"{before['p50']}/{before['p95']}/{before['max']} degrees in the source, "
            f"{after['p50']}/{after['p95']}/{after['max']} after smoothing",
        ),
        ("off the source", _off_source(off["all"])),
        (
            "the same away from joins, kinks",
            f"{_off_source(held)}; {100.0 * held['length_share']:.0f} % of car lane-km",
        ),
        ("curves below 4.5 m radius", f"{facts['lanes_below_4_5_m_radius']} lanes and connectors"),
    ]


def _off_source(part: dict[str, float]) -> str:
    if "max" not in part:
        return "nothing to measure"
    share = 100.0 * part["within_5_cm_share"]
    return f"p50/p95/max {part['p50']}/{part['p95']}/{part['max']} m, {share:.1f} % within 5 cm"


def _pair(values: list[float] | None) -> str:
    return "-" if values is None else f"{values[0]}, {values[1]}"


def _write_json(path: Path | None, facts: dict[str, Any]) -> None:
    if path is None:
        return
    write_text(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    print(f"wrote {path}")
