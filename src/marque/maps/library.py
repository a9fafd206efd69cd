"""Maps by name or path; conversions are kept in the user's cache.

The cache key is the source's content, the map format's version, this program's version and the
importer's own code, so that an old conversion is never taken for a new one.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import marque
from marque.core.errors import MarqueError, unknown
from marque.core.files import user_cache
from marque.maps import store
from marque.maps.formats import KNOWN, import_map
from marque.maps.formats.netconvert import sumo_folder
from marque.maps.formats.sumo_net import read_bytes
from marque.maps.made.draw import KINDS, make_map
from marque.types.road_map import RoadMap

_IMPORTERS = (
    "closeness.py",
    "conflicts.py",
    "curves.py",
    "defaults.toml",
    "hairpins.py",
    "joins.py",
    "smooth.py",
)

# networks inside the eclipse-sumo wheel, below its package folder
NAMED = {
    "berlin": "tools/game/DRT/osm.net.xml",
    "autobahn": "tools/game/A10KW/osm.net.xml",
    "braunschweig": "tools/game/bs3d/bs.net.xml",
}


MADE, MADE_SEED = tuple(KINDS), 1  # of our own making: `marque map make`


def open_map(name_or_path: str) -> tuple[RoadMap, Path]:
    """A map and the marque map file it stands in.

    A known name, a marque map file, or a source file, which is converted into the cache on first
    use. MarqueError: unknown name, unreadable or damaged file, SUMO missing for a name.
    """
    path = Path(name_or_path).expanduser()
    if name_or_path in MADE:
        return _made(name_or_path)
    if name_or_path in NAMED:
        return _converted(sumo_folder() / NAMED[name_or_path], name_or_path)
    if not path.exists():
        looks_like_path = path.suffix != "" or len(path.parts) > 1
        if looks_like_path:
            raise MarqueError(
                f"no map file {name_or_path}; known names are {sorted((*NAMED, *MADE))}"
            )
        raise unknown("map", name_or_path, (*NAMED, *MADE))
    if path.is_dir():
        raise MarqueError(f"{path} is a folder; a map file is needed ({KNOWN} or a marque map)")
    if path.name.endswith((".osm", ".gz", ".pbf", ".xml", ".xodr")):
        return _converted(path, "")
    return store.load(path), path


def _made(name: str) -> tuple[RoadMap, Path]:
    """A map of our own making, by the default seed; made on first use."""
    return _kept(name, f"{name} {MADE_SEED}", b"", lambda: (make_map(name, MADE_SEED), b""))


def _converted(source: Path, name: str) -> tuple[RoadMap, Path]:
    data = read_bytes(source)
    label = name or source.name.split(".", 1)[0]

    def convert() -> tuple[RoadMap, bytes]:
        road_map, net = import_map(source)
        return replace(road_map, name=label), net

    return _kept(label, label, data, convert)


def _kept(
    label: str, words: str, data: bytes, make: Callable[[], tuple[RoadMap, bytes]]
) -> tuple[RoadMap, Path]:
    """The map in the cache that was made of these words and data by this program; made anew where
    there is none. `make` gives it with the network that it came from."""
    key = hashlib.sha256(f"{store.VERSION} {marque.__version__} {words} ".encode())
    for part in _importer_files():
        key.update(part.read_bytes())
    key.update(data)
    kept = user_cache() / "maps" / f"{label}-{key.hexdigest()[:16]}{store.SUFFIX}"
    if kept.exists():
        try:
            return store.load(kept), kept
        except MarqueError:
            pass  # an old or damaged cache entry is made again
    road_map, net = make()
    store.save(road_map, kept, net)
    return store.load(kept), kept


def _importer_files() -> list[Path]:
    here = Path(__file__).parent
    return sorted(
        path
        for path in (
            *here.glob("formats/*"),
            *here.glob("formats/opendrive/*"),
            *here.glob("made/*"),
            *(here / name for name in _IMPORTERS),
        )
        if path.is_file()
    )
