"""Speed limits where no sign is mapped: the region's defaults, urban ones inside towns.

The country comes from a coarse table of boxes (`maps/defaults.toml`); whether a road lies in a town
from its own tags, from the streets around it, and from the limits signed around it.
"""

import math
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from marque.maps.formats.osm import Osm, OsmWay

CELL_M = 200.0
TOWN_STREETS_M = 500.0  # of residential street in 3 x 3 cells
EARTH_M_PER_DEG = 111_320.0
RESIDENTIAL = {"residential", "living_street"}
MOTORWAY = {"motorway"}
LINKS = {"motorway_link": 60}  # km/h, a draft value: no law names it
SERVICE_KPH = 20  # parking aisles and yards, a draft value
FOOT = {
    "footway", "path", "steps", "pedestrian", "cycleway", "bridleway", "corridor", "platform",
    "construction", "proposed", "track", "elevator", "raceway",
}  # fmt: skip
SUFFIXES = ("_tunnel", "_bridge")
KNOWN = {
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential",
    "living_street", "service", "motorway_link", "trunk_link", "primary_link", "secondary_link",
    "tertiary_link", "road",
} | FOOT  # fmt: skip


@dataclass(frozen=True, slots=True)
class Region:
    """One country's rules; limits in km/h."""

    code: str
    title: str
    left_hand: bool
    urban: int
    rural: int
    motorway: int
    living_street: int
    source: str


def region_of(osm: Osm) -> Region:
    """The region that holds the middle of the map."""
    lon = sorted(xy[0] for xy in osm.place.values())
    lat = sorted(xy[1] for xy in osm.place.values())
    return region_at(lon[len(lon) // 2], lat[len(lat) // 2])


def region_at(lon_deg: float, lat_deg: float) -> Region:
    """The region with the smallest box around a place."""
    best: tuple[float, str] | None = None
    table = _table()
    for code, row in table["countries"].items():
        for west, south, east, north in row["boxes"]:
            if west <= lon_deg <= east and south <= lat_deg <= north:
                size = (east - west) * (north - south)
                best = min(best or (size, code), (size, code))
    if best is None:
        return fallback_region()
    return _region(best[1], table["countries"][best[1]])


def region_named(country: str) -> Region | None:
    """The region of a country, by its code of two letters or its English name; None if unknown."""
    for code, row in _table()["countries"].items():
        if country.strip().lower() in (code.lower(), row["title"].lower()):
            return _region(code, row)
    return None


def fallback_region() -> Region:
    """What holds where no country is known."""
    return _region("", _table()["fallback"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("marque.maps").joinpath("defaults.toml").read_text("utf-8"))


def _region(code: str, row: dict[str, Any]) -> Region:
    return Region(
        code=code,
        title=row["title"],
        left_hand=row["left_hand"],
        urban=row["urban"],
        rural=row["rural"],
        motorway=row["motorway"],
        living_street=row["living_street"],
        source=row["source"],
    )


def normalise(osm: Osm) -> None:
    """Road kinds that some exports write as `residential_tunnel` become kind and tunnel tag."""
    for way in osm.ways:
        kind = way.tags.get("highway", "")
        for suffix in SUFFIXES:
            base = kind.removesuffix(suffix)
            if kind.endswith(suffix) and base in KNOWN:
                way.tags["highway"] = base
                way.tags.setdefault(suffix[1:], "yes")


def fill_limits(osm: Osm, region: Region) -> frozenset[str]:
    """Give every road without a limit its region's default; the ids of these ways.

    A limit given as a word becomes its number; a sign that says "none" becomes the advisory speed;
    variable signs count as unknown.
    """
    town = _Towns(osm)
    filled = set()
    for way in osm.ways:
        kind = way.tags.get("highway", "")
        if not kind or kind in FOOT or _signed_kph(way) is not None:
            continue
        told = _word_kph(way.tags.get("maxspeed", ""), region)
        if told is None:
            told = _default_kph(way, kind, region, town)
            filled.add(str(way.name))
        way.tags["maxspeed"] = str(told)
    return frozenset(filled)


def _word_kph(text: str, region: Region) -> int | None:
    """A limit that is mapped as a word, e.g. `DE:urban`; None where it says nothing."""
    words = {
        "none": region.motorway,
        "walk": 7,
        "urban": region.urban,
        "rural": region.rural,
        "motorway": region.motorway,
        "living_street": region.living_street,
    }
    return words.get(text.strip().lower().rsplit(":", 1)[-1])


def _default_kph(way: OsmWay, kind: str, region: Region, town: "_Towns") -> int:
    if kind in MOTORWAY:
        return region.motorway
    if kind in LINKS:
        return LINKS[kind]
    if kind == "living_street":
        return region.living_street
    if kind == "service":
        return min(SERVICE_KPH, region.urban)
    return region.urban if town.holds(way) else region.rural


def _signed_kph(way: OsmWay) -> float | None:
    """The mapped limit, None if there is none that is a number."""
    for key in ("maxspeed", "maxspeed:forward", "maxspeed:backward"):
        text = way.tags.get(key, "").strip().lower()
        factor = 1.609344 if text.endswith("mph") else 1.0
        number = text.removesuffix("mph").removesuffix("km/h").strip()
        try:
            return float(number) * factor
        except ValueError:
            continue
    return None


class _Towns:
    """Which roads lie in a town."""

    def __init__(self, osm: Osm) -> None:
        self._osm = osm
        self._streets: dict[tuple[int, int], float] = defaultdict(float)
        self._slow: dict[tuple[int, int], float] = defaultdict(float)
        self._fast: dict[tuple[int, int], float] = defaultdict(float)
        for way in osm.ways:
            kind = way.tags.get("highway", "")
            signed = _signed_kph(way)
            for cell, length in self._pieces(way):
                if kind in RESIDENTIAL:
                    self._streets[cell] += length
                if signed is not None and kind not in MOTORWAY and kind not in LINKS:
                    (self._slow if signed <= 50.0 else self._fast)[cell] += length

    def holds(self, way: OsmWay) -> bool:
        """Own tags first; then streets around; then signs around; else not a town."""
        tags = way.tags
        for key in ("maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic"):
            word = tags.get(key, "").lower()
            if word.endswith(("urban", "rural")):
                return word.endswith("urban")
        if tags.get("highway") in RESIDENTIAL or tags.get("lit") in ("yes", "24/7"):
            return True
        if tags.get("sidewalk", "no") not in ("no", "none"):
            return True
        cells = [cell for cell, _ in self._pieces(way)]
        if self._around(self._streets, cells) >= TOWN_STREETS_M:
            return True
        slow, fast = self._around(self._slow, cells), self._around(self._fast, cells)
        return slow > fast

    def _around(self, table: dict[tuple[int, int], float], cells: list[tuple[int, int]]) -> float:
        """Mean over the way's cells of the sum in the 3 x 3 cells around each."""
        total = 0.0
        for x, y in cells:
            for i in (-1, 0, 1):
                for j in (-1, 0, 1):
                    total += table.get((x + i, y + j), 0.0)
        return total / max(len(cells), 1)

    def _pieces(self, way: OsmWay) -> list[tuple[tuple[int, int], float]]:
        """(cell, length) of each segment, long ones cut to half a cell."""
        out = []
        place = self._osm.place
        for a, b in zip(way.nodes[:-1], way.nodes[1:], strict=True):
            (lon1, lat1), (lon2, lat2) = place[a], place[b]
            east = EARTH_M_PER_DEG * math.cos(math.radians(lat1))
            length = math.hypot((lon2 - lon1) * east, (lat2 - lat1) * EARTH_M_PER_DEG)
            parts = max(1, math.ceil(length / (0.5 * CELL_M)))
            for k in range(parts):
                t = (k + 0.5) / parts
                x = (lon1 + t * (lon2 - lon1)) * east / CELL_M
                y = (lat1 + t * (lat2 - lat1)) * EARTH_M_PER_DEG / CELL_M
                out.append(((math.floor(x), math.floor(y)), length / parts))
        return out
