"""Foreign map formats. `import_map` reads any of them by its name and content."""

from pathlib import Path

from marque.core.errors import MarqueError
from marque.maps.formats.netconvert import net_from_osm
from marque.maps.formats.opendrive.read import roads_of
from marque.maps.formats.opendrive.road_map import road_map as map_of
from marque.maps.formats.sumo_build import build
from marque.maps.formats.sumo_net import GZIP_MAGIC, packed, read_bytes, read_net
from marque.types.road_map import RoadMap

KNOWN = ".osm, .osm.gz, .osm.pbf, .net.xml, .net.xml.gz, .xodr"
OPENDRIVE = ".xodr"


def import_map(source: Path) -> tuple[RoadMap, bytes]:
    """A RoadMap and the gzipped SUMO network behind it; none (b"") behind an OpenDRIVE file.

    MarqueError: missing, empty or damaged file, unknown format, no lane for cars, netconvert
    missing or failing.
    """
    road_map, net, _ = import_noted(source)
    return road_map, net


def import_noted(source: Path) -> tuple[RoadMap, bytes, tuple[str, ...]]:
    """`import_map`, and what the source says that the map leaves out, for people."""
    data = read_bytes(source)
    name = source.name
    if name.endswith((".net.xml", ".net.xml.gz")):
        _refuse_binary(data, source)
        net = read_net(data, str(source))
        return build(net, _stem(name), name, frozenset()), packed(data), ()
    if name.endswith(OPENDRIVE):
        roads = roads_of(data, str(source))
        return map_of(roads, _stem(name), name), b"", roads.notes
    if name.endswith((".osm", ".osm.gz", ".osm.pbf", ".pbf", ".osm.xml", ".osm.xml.gz")):
        made = net_from_osm(data, source)
        net = read_net(made.net, f"the network made from {source}")
        return build(net, _stem(name), name, made.defaulted_ways), packed(made.net), ()
    raise MarqueError(f"cannot tell the map format of {source}; have [{KNOWN}]")


def _refuse_binary(data: bytes, source: Path) -> None:
    if data[:2] != GZIP_MAGIC and b"<" not in data[:512]:
        raise MarqueError(f"{source} is no SUMO network: it does not start as XML")


def _stem(name: str) -> str:
    return name.split(".", 1)[0] or name
