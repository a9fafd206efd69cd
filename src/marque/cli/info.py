"""`marque info`: what is installed, where caches lie, and what exists by name."""

import json
import platform as machine
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from marque import __version__
from marque.cli.show import facts_table, standard_output
from marque.core.files import user_cache, write_text
from marque.core.registry import names

app = typer.Typer(add_completion=False, rich_markup_mode=None)

PACKAGES = ("numpy", "numba", "eclipse-sumo", "libsumo", "mcap", "matplotlib", "pyproj", "opendbc")


@app.command()
def info(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="The same as one object.")
    ] = None,
) -> int:
    """Versions, caches, and what exists: maps, cars, brands, drivers, worlds."""
    facts = gather()
    sumo = "installed" if facts["sumo"] else "not installed (pip install 'marque[sumo]')"
    rows = [
        ("marque", facts["version"]),
        ("python", facts["python"]),
        *((name, found or "not installed") for name, found in facts["packages"].items()),
        ("foreign traffic (SUMO)", sumo),
        ("cache", f"{facts['cache']}, {facts['cache_bytes'] / 1e6:.1f} MB"),
        ("maps by name", ", ".join(facts["maps"])),
        ("cars", ", ".join(facts["cars"])),
        ("brands", ", ".join(facts["brands"])),
        ("drivers", ", ".join(facts["drivers"])),
        ("traffic", ", ".join(facts["traffic"])),
        ("sensor profiles", ", ".join(facts["sensors"])),
        ("markets", ", ".join(facts["markets"])),
        ("domains", ", ".join(facts["domains"])),
    ]
    console = standard_output()
    console.print(facts_table("", rows))
    if json_file is not None:
        write_text(json_file, json.dumps(facts, indent=2) + "\n")
        console.print(f"wrote {json_file}", markup=False)
    return 0


def gather() -> dict[str, Any]:
    """The facts, for machines."""
    from marque.maps.library import NAMED
    from marque.sensing.profile import profile_names
    from marque.vehicle.brand import brand_names
    from marque.vehicle.catalog import platform_names
    from marque.vehicle.domain import domain_names
    from marque.vehicle.market import market_names

    packages = {name: _version(name) for name in PACKAGES}
    cache = user_cache()
    return {
        "schema": "marque.info/1",
        "version": __version__,
        "python": f"{sys.version.split()[0]} on {machine.system()} {machine.machine()}",
        "packages": packages,
        "sumo": bool(packages["eclipse-sumo"] and packages["libsumo"]),
        "cache": str(cache),
        "cache_bytes": sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()),
        "maps": sorted(NAMED),
        "cars": platform_names(),
        "brands": brand_names(),
        "drivers": names("driver"),
        "traffic": ["none", "sumo", "path of a .sumocfg"],
        "sensors": profile_names(),
        "markets": market_names(),
        "domains": domain_names(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
