"""The report: one file, whole, true to the drive, safe with any text, loud when it cannot be."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from episodes import drive, empty_episode
from marque.core.errors import MarqueError
from marque.draw.report import write_report
from marque.draw.story import curves, pauses
from marque.types.episode import Episode, Event

SUMMARY = {
    "arrived": True,
    "distance_m": 812.5,
    "duration_s": 150.0,
    "reference_duration_s": 140.0,
    "collisions_at_fault": 0,
    "collisions_other": [],
    "red_light": 0,
    "off_road_s": 0.0,
    "wrong_way_s": 0.0,
    "guard_interventions": 2,
    "comfort": {"accel_p95_mps2": 1.5, "jerk_rms_mps3": 0.6},
    "road_users_100m_mean": 6.1,
    "command": "marque drive --map 'a b' --seed 1 && true",
}
VOID = {"meta", "input", "br"}


class Outline(HTMLParser):
    """Checks that tags close, and collects what is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(path: Path, episode: Episode, summary: dict | None = None, **timing: object) -> Outline:
    write_report(path, episode, SUMMARY if summary is None else summary, timing)
    outline = Outline()
    outline.feed(path.read_text(encoding="utf-8"))
    outline.close()
    assert outline.open == []
    return outline


def test_one_file_that_needs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    outline = page(path, drive(100.0), planner_ms=[4.0] * 500 + [9.0] * 500, realtime_factor=13.0)
    content = path.read_text()
    assert not re.search(r"""(src|href)\s*=|url\(|@import|https?://""", content)
    assert path.stat().st_size < 3_000_000
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    for svg in re.findall(r"<svg.*?</svg>", content, flags=re.DOTALL):
        ElementTree.fromstring(svg)
    text = " ".join(outline.text)
    for words in ("arrived", "0.81", "13.0", "p99 9.0 ms", "marque drive --map 'a b' --seed 1"):
        assert words in text


def test_every_stop_is_in_table_and_map(tmp_path: Path) -> None:
    episode = drive(150.0)
    found = pauses(curves(episode))
    outline = page(tmp_path / "r.html", episode)
    rows = [a for tag, a in outline.seen if tag == "tr" and "data-t" in a]
    assert len(rows) == len(found) + len(episode.events)
    stops = sum(1 for pause in found if pause.number)
    marks = [a for tag, a in outline.seen if tag == "circle" and a.get("class") == "stop"]
    assert len(marks) == stops == 4


def test_numbers_it_does_not_get_are_not_invented(tmp_path: Path) -> None:
    text = " ".join(page(tmp_path / "r.html", drive(10.0), {}).text)
    assert "at-fault" not in text
    assert "Planner" not in text
    assert "reference" not in text
    assert "Drive it again" in text


def test_failures_are_shown(tmp_path: Path) -> None:
    episode = drive(10.0)
    episode.end = "collision"
    episode.events.append(Event(0, "collision", "hit a truck", 20.0, 0.0))
    bad = {**SUMMARY, "arrived": False, "collisions_at_fault": 1, "red_light": 2}
    outline = page(tmp_path / "r.html", episode, bad)
    tiles = [a.get("class") for tag, a in outline.seen if tag == "div"]
    assert tiles.count("tile bad") == 2
    assert any(a.get("class") == "alarm" for _, a in outline.seen)
    assert ("span", {"class": "chip bad"}) in outline.seen


def test_text_cannot_break_out(tmp_path: Path) -> None:
    episode = drive(5.0)
    evil = "</script><script>alert(1)</script><img src=x>"
    episode.events.append(Event(0, evil, evil, 0.0, 0.0))
    episode = dataclasses.replace(episode, driver=evil, traffic=evil, end=evil)
    outline = page(tmp_path / "r.html", episode, {**SUMMARY, "arrived": False, "command": evil})
    assert not any(tag == "img" for tag, _ in outline.seen)
    assert sum(1 for tag, _ in outline.seen if tag == "script") == 2


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_short_drives(tmp_path: Path, count: int) -> None:
    episode = drive(5.0)
    del episode.ticks[count:]
    text = " ".join(page(tmp_path / "r.html", episode, {}, planner_ms=[1.0] * count).text)
    assert "None: it drove freely" in text
    assert "nan" not in text


def test_map_with_attribution_shows_it(tmp_path: Path) -> None:
    episode = drive(5.0)
    credit = "© OpenStreetMap contributors"
    road = dataclasses.replace(episode.road_map, attribution=credit)
    text = " ".join(page(tmp_path / "r.html", dataclasses.replace(episode, road_map=road)).text)
    assert text.count(credit) == 2


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="before its first tick"):
        write_report(tmp_path / "r.html", empty_episode(), {}, {})
    (tmp_path / "file").write_text("")
    with pytest.raises(MarqueError, match="cannot write"):
        write_report(tmp_path / "file" / "r.html", drive(2.0), {}, {})
    assert not (tmp_path / "r.html").exists()


def test_long_drive_stays_small(tmp_path: Path) -> None:
    page(tmp_path / "r.html", drive(600.0, users=2), planner_ms=np.full(6000, 5.0))
    assert (tmp_path / "r.html").stat().st_size < 3_000_000
