"""Networks made on the spot, for the tests of the importer."""

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from marque.maps.formats.netconvert import sumo_folder

KINDS = {
    "grid": (
        "--grid --grid.number 3 --grid.length 120 --default-junction-type traffic_light "
        "--sidewalks.guess --crossings.guess --default.lanenumber 2"
    ),
    "allway": "--grid --grid.number 3 --grid.length 100 --default-junction-type allway_stop",
    "priority": "--grid --grid.number 3 --grid.length 100 --default-junction-type priority",
    "rbl": "--grid --grid.number 3 --grid.length 90 --default-junction-type right_before_left",
    "spider": "--spider --spider.arm-number 5 --spider.circle-number 3",
    "random": "--rand --rand.iterations 40 --seed 7",
    "lefthand": "--grid --grid.number 3 --grid.length 100 --lefthand --default.lanenumber 2",
    "bare": "--grid --grid.number 3 --grid.length 100 --no-internal-links",
}


@lru_cache(maxsize=16)
def generated(kind: str) -> bytes:
    """Content of a .net.xml."""
    home = sumo_folder()
    with TemporaryDirectory() as folder:
        made = Path(folder) / "made.net.xml"
        subprocess.run(
            [str(home / "bin" / "netgenerate"), *KINDS[kind].split(), "-o", str(made)],
            check=True,
            capture_output=True,
            env={**os.environ, "SUMO_HOME": str(home)},
        )
        return made.read_bytes()


def crossroads(lat: float = 52.0, lon: float = 10.0, extra: str = "") -> bytes:
    """A road of 400 m, two side streets that cross it, no speed limit."""
    step = 0.0018
    places = [
        (lat, lon),
        (lat + step, lon),
        (lat - step, lon),
        (lat, lon + step),
        (lat, lon - step),
    ]
    nodes = "".join(
        f'<node id="{i}" lat="{y}" lon="{x}"/>' for i, (y, x) in enumerate(places, start=1)
    )
    side = '<tag k="highway" v="residential"/></way>'
    return (
        f'<osm version="0.6">{nodes}<way id="10"><nd ref="2"/><nd ref="1"/><nd ref="3"/>'
        f'<tag k="highway" v="secondary"/>{extra}</way>'
        f'<way id="11"><nd ref="4"/><nd ref="1"/><nd ref="5"/>{side}'
        f'<way id="12"><nd ref="4"/><nd ref="2"/><nd ref="5"/>{side}</osm>'
    ).encode()
