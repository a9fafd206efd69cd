"""Markets and domains: complete, each number with its source, faults named."""

import re

import pytest

from marque.core.errors import MarqueError
from marque.types.codes import Reaction
from marque.types.domain import Trait
from marque.vehicle.domain import FOLDER as DOMAINS
from marque.vehicle.domain import domain_names, load_domain
from marque.vehicle.market import FOLDER, load_market, market_names


def test_the_markets_that_the_law_knows_are_there():
    assert market_names() == ["cn_gb47955", "un_r157", "un_r171"]
    assert load_market("un_r157").eyes_off and not load_market("un_r171").eyes_off


@pytest.mark.parametrize("name", market_names())
def test_every_number_has_its_source(name):
    market = load_market(name)
    fields = {one.field for one in market.sources}
    assert fields == set(market.__dataclass_fields__) - {"name", "title", "sources"}
    assert set(market.drafts) == {one.field for one in market.sources if not one.read}


def broken(tmp_path, old: str, new: str, name: str = "un_r171") -> str:
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    found = re.sub(old, new, text, count=1, flags=re.MULTILINE)
    assert found != text
    path = tmp_path / "market.toml"
    path.write_text(found, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (r"^away_s = \{ value = 1.0", "away_s = { value = -1.0", "away_s.value = -1.0: .*greater"),
        (r"^away_s = \{ value = 1.0", "away_s = { value = nan", "away_s.value"),
        (r"^away_s = \{ value = 1.0", 'away_s = { value = "soon"', "away_s.value = 'soon'"),
        (r"^away_s = .*$", "", "away_s is missing; each number has value, source and read"),
        (r"^(away_s = \{ value = 1.0), source = \"[^\"]*\",", r"\1,", "away_s.source is missing"),
        (r"^(away_s = .*), read = false", r"\1", "away_s.read is missing"),
        (r"^away_s", "gone_s = 1.0\naway_s", "gone_s is no field of a market; have"),
        (r"^escalates_s = \{ value = 5.0", "escalates_s = { value = 10.0", "is not before"),
        (r"^planned_s = \{ value = 15.0", "planned_s = { value = 9.0", "planned_s is shorter"),
        (r"^wheel_light_n = \{ value = 20.0", "wheel_light_n = { value = 60.0", "is above"),
        (r"^eyes_off = \{ value = false", "eyes_off = { value = true", "exclude each other"),
        (r"^headway_s = \{ value = \[1.4\]", "headway_s = { value = [1.4, 2.0]", "differ in"),
        (r"^name", "name name", "is no TOML"),
    ],
)
def test_a_fault_in_a_market_is_named(tmp_path, old, new, words):
    with pytest.raises(MarqueError, match=words):
        load_market(broken(tmp_path, old, new))


def test_unknown_names_say_what_there_is(tmp_path):
    with pytest.raises(MarqueError, match=r"no market 'un_r15'; have \[cn_gb47955, .*did you mean"):
        load_market("un_r15")
    with pytest.raises(MarqueError, match=r"cannot read market .*none\.toml"):
        load_market(str(tmp_path / "none.toml"))
    with pytest.raises(MarqueError, match=r"no domain 'moon'; have \[anywhere, "):
        load_domain("moon")
    with pytest.raises(MarqueError, match=r"cannot read domain .*none\.toml"):
        load_domain(str(tmp_path / "none.toml"))


def test_domains_are_read_as_declared():
    assert domain_names() == ["anywhere", "fast_road", "motorway"]
    odd = load_domain("motorway")
    assert odd.needs == Trait.MAPPED | Trait.SEPARATED | Trait.MOTOR_ONLY
    assert Trait.CROSSWALKS in odd.bars and odd.worst_senses == Reaction.LOG
    assert odd.least_limit_mps == pytest.approx(60.0 / 3.6)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"signals"', '"lions"', "bars.0"),
        ('"signals"', '"mapped"', "both needs and bars MAPPED"),
        ("least_friction = 0.6", "least_friction = -0.6", "least_friction"),
        ("least_friction = 0.6", "", "least_friction: field required"),
        ('"R0"', '"R9"', "worst_senses"),
    ],
)
def test_a_fault_in_a_domain_is_named(tmp_path, old, new, words):
    text = (DOMAINS / "motorway.toml").read_text(encoding="utf-8")
    path = tmp_path / "domain.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MarqueError, match=words):
        load_domain(str(path))
