"""Pictures show what is there."""

import dataclasses
import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from episodes import drive, empty_episode, town
from marque.core.errors import MarqueError
from marque.draw.picture import SPEED_COLOURS, drive_picture, telling_moment
from marque.draw.route_map import SPEED_CLASSES_KPH
from marque.draw.scene import EGO, LAMPS, USERS, car_outline, draw_scene
from marque.draw.story import curves
from marque.types.codes import SignalState, UserKind


def axes(wide: float = 6.0, tall: float = 4.0):
    figure = Figure(figsize=(wide, tall))
    FigureCanvasAgg(figure)
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def pixels(ax) -> np.ndarray:
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[..., :3]


def has_colour(image: np.ndarray, colour: str, least: int = 20) -> bool:
    want = np.round(np.array(to_rgba(colour)[:3]) * 255)
    return bool((np.abs(image - want).max(axis=2) <= 2).sum() >= least)


def test_view_holds_the_radius_and_fills_the_axes() -> None:
    episode = drive(8.0)
    for wide, tall in ((6.0, 4.0), (3.0, 7.0), (5.0, 5.0)):
        ax = axes(wide, tall)
        draw_scene(ax, episode, 60, episode.road_map, 25.0)
        (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
        ego = episode.ticks[60].world.ego
        assert min(x1 - x0, y1 - y0) == pytest.approx(50.0)
        assert (x1 - x0) / (y1 - y0) == pytest.approx(wide / tall)
        assert (0.5 * (x0 + x1), 0.5 * (y0 + y1)) == pytest.approx((ego.x_m, ego.y_m))


def test_others_and_the_ego_are_painted_in_their_colours() -> None:
    episode = drive(8.0, users=120)
    tick = episode.ticks[60]
    ax = axes()
    draw_scene(ax, episode, 60, episode.road_map, 40.0)
    boxes = [c for c in ax.collections if isinstance(c, PolyCollection) and c.get_zorder() == 11.0]
    users = tick.world.users
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    inside = (users.x_m > x0) & (users.x_m < x1) & (users.y_m > y0) & (users.y_m < y1)
    middles = np.array([p.vertices[:-1].mean(axis=0) for p in boxes[0].get_paths()])
    for x, y in zip(users.x_m[inside], users.y_m[inside], strict=True):
        assert np.hypot(middles[:, 0] - x, middles[:, 1] - y).min() < 0.5
    image = pixels(ax)
    assert has_colour(image, EGO)
    assert has_colour(image, USERS[UserKind.CAR])


@pytest.mark.parametrize("state", [SignalState.RED, SignalState.GREEN, SignalState.AMBER])
def test_signals_show_their_state(state: SignalState) -> None:
    episode = drive(20.0, users=0)
    k = 150
    tick = episode.ticks[k]
    heads = np.full(4, state, dtype=np.int8)
    episode.ticks[k] = dataclasses.replace(
        tick, plan=None, world=dataclasses.replace(tick.world, heads=heads)
    )
    ax = axes()
    draw_scene(ax, episode, k, episode.road_map, 30.0, ahead_m=200.0 - tick.world.ego.x_m)
    image = pixels(ax)
    assert has_colour(image, LAMPS[state])
    others = {LAMPS[s] for s in (SignalState.RED, SignalState.GREEN, SignalState.AMBER)}
    assert not any(has_colour(image, other, 1) for other in others - {LAMPS[state]})


def test_every_signal_state_has_a_colour() -> None:
    assert set(LAMPS) == set(SignalState)
    assert set(USERS) == set(UserKind)
    assert len(SPEED_COLOURS) == len(SPEED_CLASSES_KPH) + 1


def test_outline_is_the_box_pointing_forward() -> None:
    shape = car_outline(10.0, 5.0, np.pi / 2, 4.0, 2.0)
    assert shape[:, 1].max() == pytest.approx(7.0)
    assert shape[:, 1].min() == pytest.approx(3.0)
    assert np.ptp(shape[:, 0]) == pytest.approx(2.0)
    front = shape[np.isclose(shape[:, 1], 7.0)]
    rear = shape[np.isclose(shape[:, 1], 3.0)]
    assert np.ptp(front[:, 0]) < np.ptp(rear[:, 0])


def test_drive_picture_is_a_png_of_the_promised_size(tmp_path: Path) -> None:
    path = tmp_path / "drive.png"
    credit = "© OpenStreetMap contributors"
    road = dataclasses.replace(town(), attribution=credit)
    drive_picture(drive(40.0, users=60, road_map=road), path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1800, 960)
    assert [p.name for p in tmp_path.iterdir()] == ["drive.png"]


def test_scene_carries_the_attribution() -> None:
    credit = "© OpenStreetMap contributors"
    road = dataclasses.replace(town(), attribution=credit)
    episode = drive(3.0, road_map=road)
    ax = axes()
    draw_scene(ax, episode, 20, road, 30.0)
    assert credit in [text.get_text() for text in ax.texts if text.get_visible()]


def test_telling_moment_prefers_company() -> None:
    episode = drive(60.0, users=150)
    line = curves(episode)
    chosen = episode.ticks[telling_moment(episode, line)].world
    users = chosen.users
    near = np.hypot(users.x_m - chosen.ego.x_m, users.y_m - chosen.ego.y_m) < 33.0
    assert near.sum() >= 3
    assert chosen.ego.speed_mps > 2.0


@pytest.mark.parametrize("count", [1, 2])
def test_very_short_drives_have_a_picture(tmp_path: Path, count: int) -> None:
    episode = drive(3.0)
    del episode.ticks[count:]
    drive_picture(episode, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="before its first tick"):
        drive_picture(empty_episode(), tmp_path / "x.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(MarqueError, match="cannot write"):
        drive_picture(drive(2.0), tmp_path / "file" / "x.png")
