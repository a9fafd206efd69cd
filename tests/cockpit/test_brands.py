"""Brands: what one may choose, and that nobody gets colours that cannot be read."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.cockpit import brands
from marque.core.errors import MarqueError
from marque.vehicle import brand


def tokens(**day: str) -> dict:
    told = copy.deepcopy(brands.PLAIN)
    told["day"] |= day
    return told


def test_the_default_is_readable_by_day_and_night() -> None:
    found = brands.load_brand("marque")
    for time in ("day", "night"):
        colours = found[time]
        for name in ("ink", "soft", "accent", "active", "ready", "warn", "alarm"):
            assert brands.contrast(colours[name], colours["panel"]) >= 4.5
        assert brands.contrast(colours["on_alarm"], colours["alarm"]) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert brands.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert brands.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert brands.contrast("#123456", "#123456") == 1.0


def test_colours_that_nobody_can_read_are_refused_by_name() -> None:
    with pytest.raises(MarqueError, match=r"day: soft on panel has a contrast of 1\.\d:1"):
        brands.checked(tokens(soft="#eeeeee"), "mine")


def test_a_field_that_is_wrong_is_named() -> None:
    with pytest.raises(MarqueError, match=r"day\.ink"):
        brands.checked(tokens(ink="black"), "mine")
    with pytest.raises(MarqueError, match="sounds"):
        brands.checked(tokens() | {"sounds": {"chime_hz": 5.0}}, "mine")
    with pytest.raises(MarqueError, match="extra"):
        brands.checked(tokens() | {"extra": 1}, "mine")


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_whatever_passes_can_be_read(ink: int, panel: int) -> None:
    told = tokens(ink=f"#{ink:06x}", panel=f"#{panel:06x}")
    try:
        found = brands.checked(told, "drawn")
    except MarqueError:
        return
    assert brands.contrast(found["day"]["ink"], found["day"]["panel"]) >= 4.5


@pytest.fixture
def fresh():
    brands.load_brand.cache_clear()
    yield
    brands.load_brand.cache_clear()


@pytest.mark.parametrize("name", [each for each in brands.brand_names() if each != "marque"])
def test_every_brand_of_the_house_can_be_read_and_keeps_what_it_does_not_say(name, fresh) -> None:
    found, own = brands.load_brand(name), brand.load_brand(name)
    assert found["title"] == own.title and found["tone"] == own.cockpit["tone"]
    assert found["day"]["accent"] == own.cockpit["day"]["accent"]
    assert found["day"]["ink"] == brands.PLAIN["day"]["ink"]


def test_a_brand_that_is_none_or_cannot_be_read_is_refused(tmp_path, monkeypatch, fresh) -> None:
    with pytest.raises(MarqueError, match="no brand 'azur'"):
        brands.load_brand("azur")
    text = (
        (brand.FOLDER / "kestrel.toml")
        .read_text()
        .replace("[cockpit.day]", '[cockpit.day]\nink = "#ffffff"')
    )
    (tmp_path / "kestrel.toml").write_text(text)
    monkeypatch.setattr(brand, "FOLDER", tmp_path)
    with pytest.raises(MarqueError, match=r"kestrel: day: ink on panel has a contrast of 1\.0:1"):
        brands.load_brand("kestrel")
