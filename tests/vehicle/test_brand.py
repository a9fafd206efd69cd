"""Brand packs: what is in the house is sound, and what is wrong is named."""

from dataclasses import fields

import pytest

from marque.core.errors import MarqueError
from marque.types.style import Style
from marque.vehicle.brand import FOLDER, MOST_LINES, brand_names, load_brand, unlike

GOOD = """name = "mine"
title = "Mine"
who = "For who writes tests of an evening."
[character]
headway_s = 1.8
"""


def written(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def test_five_brands_come_with_the_program_and_none_is_like_another():
    brands = [load_brand(name) for name in brand_names()]
    assert len(brands) >= 5
    styles = {tuple(getattr(each.style, f.name) for f in fields(Style)) for each in brands}
    assert len(styles) == len(brands)
    assert all(unlike(each) for each in brands)
    assert all(len((FOLDER / f"{each.name}.toml").read_text().splitlines()) <= MOST_LINES
               for each in brands)  # fmt: skip


def test_packs_stand_near_to_each_other_in_the_lane():
    bias = [load_brand(name).style.lane_bias_m for name in brand_names()]
    assert max(bias) - min(bias) <= 0.15


def test_what_a_pack_leaves_out_is_the_drivers_own(tmp_path):
    brand = load_brand(written(tmp_path, GOOD))
    assert unlike(brand) == {"headway_s": 1.8}


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        (
            "headway_s = 1.8",
            "headway_s = 0.4",
            "headway_s = 0.4 is not allowed; 1 to 2.4",
        ),
        ("headway_s = 1.8", "headway_s = nan", "character.headway_s"),
        ("headway_s = 1.8", 'headway_s = "long"', "character.headway_s = 'long' is not allowed"),
        ("headway_s = 1.8", "guard_off = true", "character.guard_off is no field of a brand; have"),
        ('title = "Mine"', "", "title is missing"),
        ('title = "Mine"', 'title = "Mine"\nmarket = "mars"', "no market 'mars'"),
        ("[character]", "[character", "is no TOML"),
        ("[character]", "# more\n" * 100 + "[character]", "has 105 lines; at most 100"),
    ],
)
def test_a_wrong_pack_is_refused_by_name(tmp_path, was, becomes, words):
    with pytest.raises(MarqueError) as error:
        load_brand(written(tmp_path, GOOD.replace(was, becomes)))
    assert words in str(error.value)


def test_an_unknown_brand_is_answered_with_those_that_exist():
    with pytest.raises(MarqueError, match=r"no brand 'kestral'.*kestrel"):
        load_brand("kestral")
