"""Moments of a drive as pictures, without a browser."""

import pytest

from episodes import drive, empty_episode
from marque.core.errors import MarqueError
from marque.draw.moments import draw_events, draw_times, tick_at

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_of_each_event_and_time(tmp_path) -> None:
    episode = drive(4.0, users=5)
    told = []
    files = draw_events(episode, tmp_path, lambda done, of: told.append((done, of)))
    assert [each.name for each in files] == ["t00001.9-guard.png", "t00003.9-arrived.png"]
    assert told == [(1, 2), (2, 2)]
    assert all(each.read_bytes().startswith(PNG) for each in files)
    assert draw_times(episode, [2.04], tmp_path)[0].name == "t00002.0.png"


def test_times_outside_of_the_drive_are_named() -> None:
    episode = drive(2.0, users=2)
    assert tick_at(episode, 1.94) == 19
    for at_s in (-1.0, 2.1, float("nan"), float("inf")):
        with pytest.raises(MarqueError, match=r"from 0\.0 to 1\.9 s"):
            tick_at(episode, at_s)
    with pytest.raises(MarqueError, match="before its first tick"):
        tick_at(empty_episode(), 0.0)


def test_a_drive_without_events_says_so(tmp_path) -> None:
    episode = drive(1.0, users=2)
    episode.events.clear()
    with pytest.raises(MarqueError, match="--at"):
        draw_events(episode, tmp_path)
