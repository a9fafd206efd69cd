"""The drivers in the page on plug-ins drive, from a file, as the page says."""

import importlib.metadata
import tomllib

import pytest
from pages import ROOT, blocks

from builders import Lane, tiny_map
from marque.core.errors import MarqueError
from marque.core.registry import load, names
from marque.maps import store
from marque.sim.drive import begin_episode, run_drive
from marque.sim.order import Order, open_ground, open_world, prepare

PAGE = ROOT / "docs" / "plugins.md"


@pytest.fixture
def street(tmp_path):
    """A bend and a straight, 160 m."""
    lanes = [
        Lane([(0, 0), (60, 0)], name="west", succ=[1]),
        Lane([(60, 0), (110, 8), (160, 30)], name="east", succ=[]),
    ]
    path = tmp_path / "street.marque"
    store.save(tiny_map(lanes, name="street"), path, b"")
    return path


@pytest.mark.parametrize(("block", "name"), [(0, "Calm"), (1, "Slow"), (2, "Plain")])
def test_a_driver_of_the_page_arrives(block, name, tmp_path, street):
    file = tmp_path / f"{name.lower()}.py"
    file.write_text(blocks(PAGE, "python")[block], encoding="utf-8")
    order = Order(
        map_name=str(street), traffic="none", driver=f"{file}:{name}",
        start="lane:west@5", goal="lane:east@80",
    )  # fmt: skip
    ready = prepare(order, open_ground(order))
    world = open_world(ready)
    episode = begin_episode(ready.setup, ready.route, world)
    run_drive(ready.setup, world, episode)
    world.close()
    assert episode.end == "arrived"
    assert all(not tick.verdicts for tick in episode.ticks[10:])
    if name != "Calm":
        assert max(tick.world.ego.speed_mps for tick in episode.ticks) < 30 / 3.6 + 0.3


def test_a_driver_that_the_file_lacks_is_named_before_anything_starts(tmp_path, street):
    file = tmp_path / "calm.py"
    file.write_text(blocks(PAGE, "python")[0], encoding="utf-8")
    order = Order(map_name=str(street), traffic="none", driver=f"{file}:Wild")
    with pytest.raises(MarqueError, match="Wild"):
        prepare(order, open_ground(order))
    assert load("driver", f"{file}:Calm").__name__ == "Calm"


def test_a_name_of_its_own(tmp_path, monkeypatch):
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "calm.py").write_text(blocks(PAGE, "python")[0], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    table = tomllib.loads(blocks(PAGE, "toml")[0])["project"]["entry-points"]
    points = [
        importlib.metadata.EntryPoint(name, value, group)
        for group, rows in table.items()
        for name, value in rows.items()
    ]
    monkeypatch.setattr(
        "marque.core.registry.entry_points", lambda group: [p for p in points if p.group == group]
    )
    assert "calm" in names("driver")
    assert load("driver", "calm").__name__ == "Calm"
