"""OpenStreetMap to a SUMO network, through the `netconvert` of the installed eclipse-sumo."""

from dataclasses import dataclass
from pathlib import Path

from marque.core.errors import MarqueError


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """net: content of a .net.xml; defaulted_ways: OSM ways whose limit was filled in."""

    net: bytes
    defaulted_ways: frozenset[str]


def net_from_osm(data: bytes, source: Path) -> Converted:
    """Convert."""
    raise MarqueError(f"cannot import {source}: OpenStreetMap import is not built yet")
