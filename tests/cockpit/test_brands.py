"""Brands: what one may choose, and that nobody gets colours that cannot be read."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marque.cockpit import brands
from marque.core.errors import MarqueError


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


def test_a_brand_overrides_what_it_says_and_keeps_the_rest(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "azure"
    folder.mkdir()
    (folder / brands.FILE).write_text('title = "Azure"\ntone = "warm"\n[day]\naccent = "#003a8c"\n')
    monkeypatch.setattr(brands, "FOLDER", tmp_path)
    brands.load_brand.cache_clear()
    try:
        found = brands.load_brand("azure")
        assert brands.brand_names() == ["marque", "azure"]
        assert (found["title"], found["tone"]) == ("Azure", "warm")
        assert found["day"]["accent"] == "#003a8c"
        assert found["day"]["ink"] == brands.PLAIN["day"]["ink"]
        with pytest.raises(MarqueError, match="no brand 'azur'"):
            brands.load_brand("azur")
        (folder / brands.FILE).write_text("title = ")
        brands.load_brand.cache_clear()
        with pytest.raises(MarqueError, match="cannot be read"):
            brands.load_brand("azure")
    finally:
        brands.load_brand.cache_clear()
