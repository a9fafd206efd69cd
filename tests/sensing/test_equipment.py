"""Profiles of equipment: those that come along, and what is refused."""

from pathlib import Path

import pytest

from marque.core.errors import MarqueError
from marque.sensing.profile import FOLDER, load_equipment, load_exact, load_profile, profile_names


def text(tmp_path: Path, change: tuple[str, str], name: str = "standard") -> str:
    before = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    assert change[0] in before
    path = tmp_path / "mine.toml"
    path.write_text(before.replace(*change), encoding="utf-8")
    return str(path)


def test_the_profiles_that_come_along_are_good_and_named_after_their_files() -> None:
    names = profile_names()
    assert {"ideal", "standard", "rain_night"} <= set(names)
    for name in names:
        assert load_profile(name).name == name
    lidars = [
        sum(each.kind == "lidar" for each in load_equipment(name).sensor)
        for name in ("no_lidar", "one_lidar", "two_lidars", "four_lidars")
    ]
    assert lidars == [0, 1, 2, 4]


def test_standard_is_as_promised() -> None:
    standard = load_equipment("standard")
    lidar = next(each for each in standard.sensor if each.kind == "lidar")
    assert (lidar.along_sigma_m, lidar.across_sigma_m) == (0.15, 0.15)
    assert lidar.speed_sigma_mps == 0.2
    assert {each.latency_s for each in standard.sensor} == {0.08}
    assert lidar.missed == 0.02


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("along_sigma_m = 0.3", "along_sigma_m = -0.3"), "sensor.0.along_sigma_m"),
        (("along = 0.6", "along = 1.2"), "sensor.0.along: Input should be less than or equal to 1"),
        (("across = 0.9", "across = 1.9"), "sensor.1.across"),
        (("range_m = 150\n", "range_m = 150\nrange_km = 1\n"), "sensor.0.range_km: Extra"),
        (("latency_s = 0.08", "latency_s = 0.01"), "jitter_s above latency_s"),
        (('name = "left camera"', 'name = "front camera"'), "two sensors are named 'front camera'"),
        (("signals = true", "signals = false"), "no camera reads signals"),
        (('kind = "camera"', 'kind = "sonar"'), "sensor.0.kind"),
        (("missed = 0.02", "missed = 2.0"), "missed"),
        (("[bus]", "[bus"), "is no TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(MarqueError) as error:
        load_equipment(text(tmp_path, change))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_radar_reads_no_signals(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="a radar reads no signals"):
        load_equipment(text(tmp_path, ("beneath = true", "signals = true")))


def test_unknown_profiles_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no sensor profile 'standrad'; have"):
        load_equipment("standrad")
    with pytest.raises(MarqueError, match=r"cannot read sensor profile .*none\.toml"):
        load_equipment(str(tmp_path / "none.toml"))


def test_exact_senses_are_no_equipment() -> None:
    with pytest.raises(MarqueError, match="sensor profile 'ideal' is exact; it has no equipment"):
        load_equipment("ideal")
    with pytest.raises(MarqueError, match="sensor profile 'standard' is equipment"):
        load_exact("standard")
