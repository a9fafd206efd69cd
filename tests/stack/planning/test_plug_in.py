"""The driver in docs/plug-in.md is a driver: by its file, and by an entry point."""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

from builders import straight_road
from marque.core import registry
from stage import Stage

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "plug-in.md").read_text(encoding="utf-8")


def block(kind):
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.S).group(1)


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "calm.py"
    path.write_text(block("python"))
    monkeypatch.syspath_prepend(tmp_path)
    yield path
    sys.modules.pop("calm", None)


def drives_calmly(driver):
    frames = Stage(straight_road(300.0, 1), driver, (0, 290.0), (0, 5.0), 5.0).play(15)
    assert 7.5 < max(f.speed_mps for f in frames) < 30 / 3.6 + 0.3


def test_it_is_about_fifteen_lines():
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 15


def test_it_drives_from_its_file(file):
    drives_calmly(registry.load("driver", f"{file}:Calm")())


def test_it_drives_under_the_name_of_its_entry_point(file, monkeypatch):
    points = tomllib.loads(block("toml"))["project"]["entry-points"]
    made = [
        importlib.metadata.EntryPoint(name, value, group)
        for group, rows in points.items()
        for name, value in rows.items()
    ]
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [p for p in made if p.group == group]
    )
    assert "calm" in registry.names("driver")
    drives_calmly(registry.load("driver", "calm")())
