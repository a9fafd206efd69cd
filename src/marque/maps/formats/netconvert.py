"""OpenStreetMap to a SUMO network, through the `netconvert` of the installed eclipse-sumo.

Before the conversion every road without a mapped limit gets its region's default, so that the
network, its right of way and its traffic know the same limits as the RoadMap.
"""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from marque.core.errors import MarqueError
from marque.maps.formats.osm import Osm, read_osm, write_xml
from marque.maps.formats.region import Region, fill_limits, normalise, region_of

ELEVATION_SHARE = 0.9  # of nodes that must carry a height before heights are used
TIME_LIMIT_S = 900.0
OPTIONS = {
    "geometry.remove": "true",
    "junctions.join": "true",
    "junctions.corner-detail": "5",
    "junctions.internal-link-detail": "8",
    "junctions.limit-turn-speed": "5.5",
    "default.junctions.radius": "5",
    "roundabouts.guess": "true",
    "ramps.guess": "true",
    "no-turnarounds": "true",
    "tls.guess-signals": "true",
    "tls.discard-simple": "true",
    "tls.join": "true",
    "tls.default-type": "actuated",
    "osm.turn-lanes": "true",
    "osm.lane-access": "true",
    "osm.bike-access": "true",
    "osm.sidewalks": "true",
    "osm.crossings": "true",
    "sidewalks.guess": "true",
    "crossings.guess": "true",
    "walkingareas": "true",
    "remove-edges.isolated": "true",
    "output.original-names": "true",
    "proj.utm": "true",
    "no-warnings": "true",
    "precision": "3",
}


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """net: content of a .net.xml; defaulted_ways: OSM ways whose limit was filled in."""

    net: bytes
    defaulted_ways: frozenset[str]
    region: Region


def net_from_osm(data: bytes, source: Path) -> Converted:
    """Convert the content of an OSM file. MarqueError: damaged, no roads, SUMO missing, failed."""
    osm = read_osm(data, str(source))
    normalise(osm)
    region = region_of(osm)
    filled = fill_limits(osm, region)
    return Converted(_run(osm, region, source), filled, region)


def sumo_folder() -> Path:
    """Folder of the eclipse-sumo package. MarqueError when it is not installed."""
    spec = find_spec("sumo")
    if spec is None or spec.origin is None:
        raise MarqueError(
            "this needs SUMO, which is not installed; install it with: pip install 'marque[sumo]'"
        )
    return Path(spec.origin).parent


def _run(osm: Osm, region: Region, source: Path) -> bytes:
    home = sumo_folder()
    binary = home / "bin" / ("netconvert.exe" if os.name == "nt" else "netconvert")
    if not binary.exists():
        raise MarqueError(f"no netconvert in {home}; reinstall with: pip install 'marque[sumo]'")
    with tempfile.TemporaryDirectory(prefix="marque-") as folder:
        given, made = Path(folder) / "in.osm.xml", Path(folder) / "out.net.xml"
        given.write_bytes(write_xml(osm))
        command = [str(binary), "--osm-files", str(given), "--output-file", str(made)]
        for name, value in _options(osm, region, home).items():
            command += [f"--{name}", value]
        _call(command, home, source)
        if not made.exists():
            raise MarqueError(f"netconvert made no network from {source}")
        return _without_header(made.read_bytes())


def _options(osm: Osm, region: Region, home: Path) -> dict[str, str]:
    types = home / "data" / "typemap"
    chosen = dict(OPTIONS)
    chosen["type-files"] = ",".join(
        str(types / name) for name in ("osmNetconvert.typ.xml", "osmNetconvertPedestrians.typ.xml")
    )
    if region.left_hand:
        chosen["lefthand"] = "true"
    heights = sum(1 for node in osm.place if "ele" in osm.node_tags.get(node, {}))
    if heights >= ELEVATION_SHARE * len(osm.place):
        chosen["osm.elevation"] = "true"
    return chosen


def _call(command: list[str], home: Path, source: Path) -> None:
    surroundings = {**os.environ, "SUMO_HOME": str(home)}
    try:
        done = subprocess.run(
            command, env=surroundings, capture_output=True, timeout=TIME_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MarqueError(
            f"netconvert took longer than {TIME_LIMIT_S:.0f} s on {source}"
        ) from error
    except OSError as error:
        raise MarqueError(f"cannot run netconvert: {error.strerror or error}") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        wrong = [line for line in lines if line.startswith("Error")] or lines[-1:] or ["no message"]
        raise MarqueError(f"netconvert cannot convert {source}: {wrong[0]}")


def _without_header(net: bytes) -> bytes:
    """Without the comment that names date and folders, so that equal input gives equal bytes."""
    return re.sub(rb"<!--.*?-->\s*", b"", net, count=1, flags=re.S)
