"""What can be wrong with a drive without a map, each in one sentence before it begins."""

import pytest

from builders import Lane, tiny_map
from marque.cli.main import main
from marque.maps import store

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def fast_road(tmp_path):
    """A kilometre of motorway, as a map file."""
    file = tmp_path / "fast.marque"
    lane = Lane([(0.0, 0.0), (1000.0, 0.0)], name="fast_0", width=3.75, limit=36.11)
    store.save(tiny_map([lane], name="fast"), file, b"")
    return file


def refused(capsys, *words: object, verb: tuple[str, ...] = ("drive",)) -> str:
    """These words must be refused in one sentence."""
    assert main([*verb, *(str(word) for word in words)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("marque: ")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def test_in_a_town(streets, tmp_path, capsys):
    words = ("--no-map", "--map", streets, "--traffic", "none", "--out", tmp_path / "out")
    assert "--no-map is for motorways" in refused(capsys, *words)
    said = refused(capsys, *words, "--from", "lane:" + first_lane(streets) + "@5", "--km", 0.06)
    assert "--no-map is for motorways; lane" in said
    assert "km/h" in said or "beside it" in said
    assert not list((tmp_path / "out").glob("*"))


def first_lane(file) -> str:
    road_map = store.load(file)
    return next(
        name
        for name, inside, limit in zip(
            road_map.lane_name, road_map.lane_connector, road_map.lane_limit_mps, strict=True
        )
        if not inside and limit < 20.0
    )


@pytest.mark.parametrize("driver", ["marque", "lane"])
def test_a_driver_that_needs_a_map(driver, fast_road, capsys):
    said = refused(capsys, "--no-map", "--map", fast_road, "--traffic", "none", "--driver", driver)
    assert f"driver '{driver}' needs a map; without one, have [marks]" in said


def test_the_driver_of_marks_with_a_map(fast_road, tmp_path, capsys):
    said = refused(
        capsys, "--map", fast_road, "--traffic", "none", "--driver", "marks", "--from",
        "lane:fast_0@10", "--to", "lane:fast_0@500", "--out", tmp_path / "out",
    )  # fmt: skip
    assert "give --no-map as well" in said


@pytest.mark.parametrize("km", ["0", "-3", "nan", "5000"])
def test_a_length_that_is_none(km, fast_road, capsys):
    said = refused(capsys, "--no-map", "--map", fast_road, "--traffic", "none", f"--km={km}")
    assert "--km is" in said


@pytest.mark.parametrize("kph", ["0", "131", "nan"])
def test_a_speed_that_nobody_may_set(kph, fast_road, capsys):
    words = ("--no-map", "--map", fast_road, "--traffic", "none", f"--set-speed={kph}")
    assert "--set-speed is" in refused(capsys, *words)


def test_a_lane_that_is_shorter(fast_road, capsys):
    words = ("--no-map", "--map", fast_road, "--traffic", "none", "--km", 3)
    assert "has none of 3 km" in refused(capsys, *words)


def test_words_of_drives_with_a_map(fast_road, capsys):
    base = ("--map", fast_road, "--traffic", "none")
    assert "--to is a place" in refused(
        capsys, "--no-map", *base, "--from", "lane:fast_0@10", "--to", "lane:fast_0@500"
    )
    assert "belongs to --no-map" in refused(capsys, *base, "--km", 3)
    assert "belongs to --no-map" in refused(capsys, *base, "--set-speed", 90)
    assert "--reference" in refused(
        capsys, "--no-map", "--map", fast_road, "--km", 0.5, "--reference"
    )


def test_the_suite_with_a_driver_that_needs_a_map(tmp_path, capsys):
    said = refused(
        capsys, "--no-map", "--km", 3, "--driver", "lane", "--out", tmp_path / "out",
        verb=("prove", "motorway"),
    )  # fmt: skip
    assert "driver 'lane' needs a map" in said


def test_a_whole_drive_writes_its_files_and_repeats(fast_road, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--no-map", "--map", str(fast_road), "--traffic", "none", "--km", "0.06"]
    assert main(["drive", *words, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "length driven" in shown
    again = next(line for line in shown.splitlines() if line.startswith("again: "))
    assert "--no-map" in again
    assert "--km 0.06" in again
    assert "--to" not in again
    assert {"drive.mcap", "summary.json", "report.html", "picture.png"} <= {
        file.name for file in out.iterdir()
    }
