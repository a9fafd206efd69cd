"""Map pictures: whole files, of the place asked for, with the attribution on them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from builders import street_grid
from marque.core.errors import MarqueError
from marque.draw.map import draw_road_map, lanes_within, save_map_picture, whole_extent


def test_png_and_svg_are_written(tmp_path: Path) -> None:
    town = street_grid()
    for name in ("town.png", "town.svg"):
        save_map_picture(town, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5000
    picture = imread(tmp_path / "town.png")
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 5


def test_the_attribution_stands_on_every_picture(tmp_path: Path) -> None:
    town = replace(street_grid(), attribution="© OpenStreetMap contributors")
    for extent in (None, (0.0, 100.0, 0.0, 100.0)):
        figure = Figure()
        draw_road_map(figure.add_subplot(), town, extent, detail=extent is not None)
        texts = [text.get_text() for text in figure.axes[0].texts]
        assert "© OpenStreetMap contributors" in texts


def test_the_extent_is_what_is_seen() -> None:
    town = street_grid()
    box = (100.0, 160.0, 90.0, 150.0)
    figure = Figure()
    ax = figure.add_subplot()
    draw_road_map(ax, town, box)
    assert ax.get_xlim() == box[:2]
    assert ax.get_ylim() == box[2:]
    inside = set(lanes_within(town, box).tolist())
    assert 0 < len(inside) < town.lane_count
    low_x, high_x, low_y, high_y = whole_extent(town)
    assert low_x < town.pt_xy_m[:, 0].min()
    assert high_y > town.pt_xy_m[:, 1].max()
    assert high_x > low_x
    assert low_y < high_y


def test_svg_is_the_same_every_time(tmp_path: Path) -> None:
    town = street_grid()
    for name in ("a.svg", "b.svg"):
        save_map_picture(town, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_other_endings_and_unwritable_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match=r"\.png, \.svg"):
        save_map_picture(street_grid(), tmp_path / "town.gif")
    wall = tmp_path / "wall"
    wall.write_text("a file")
    with pytest.raises(MarqueError, match="cannot write"):
        save_map_picture(street_grid(), wall / "town.png")
    assert [p.name for p in tmp_path.iterdir()] == ["wall"]
