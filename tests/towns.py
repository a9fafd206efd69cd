"""A small town on disk for tests that drive: nine signalled crossings, sidewalks, own cache."""

import os
from pathlib import Path

import pytest

from builders import street_grid
from maps_networks import generated
from marque.core.files import user_cache
from marque.maps import store
from marque.maps.formats import import_map

CFG = """<configuration><input><net-file value="town.net.xml"/>
<route-files value="town.rou.xml"/></input><time><begin value="0"/></time></configuration>"""
TRIPS = "".join(
    f'<trip id="car{i}" depart="{4 * i}" from="{a}" to="{b}"/>'
    for i, (a, b) in enumerate([("A0A1", "C1C2"), ("A0B0", "B2C2"), ("C2C1", "A1A0")] * 30)
)


def own_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own in which compiled code is that of the user: it takes minutes to make."""
    code = user_cache() / "code"
    code.mkdir(parents=True, exist_ok=True)
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "code").exists():
        os.symlink(code, cache / "code", target_is_directory=True)
    monkeypatch.setenv("MARQUE_CACHE", str(cache))
    return cache


def save_streets(folder: Path) -> Path:
    """A marque map without a SUMO network: streets in a grid."""
    path = folder / "streets.marque"
    store.save(street_grid(5, 5), path, b"")
    return path


def save_town(folder: Path) -> Path:
    """A marque map with its network, and beside it town.net.xml and town.sumocfg."""
    source = folder / "town.net.xml"
    source.write_bytes(generated("grid"))
    road_map, net = import_map(source)
    store.save(road_map, folder / "town.marque", net)
    (folder / "town.sumocfg").write_text(CFG)
    (folder / "town.rou.xml").write_text(f"<routes>{TRIPS}</routes>")
    return folder / "town.marque"
