"""Cars as data: what is read, and what is refused by name."""

import tomllib
from pathlib import Path

import pytest

from marque.core.errors import MarqueError
from marque.vehicle.catalog import FOLDER, load_platform, platform_names

SALOON = (FOLDER / "saloon_ev.toml").read_text(encoding="utf-8")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def with_field(field: str, value: str) -> str:
    """The saloon's file with one line replaced."""
    lines = SALOON.splitlines()
    hits = [i for i, line in enumerate(lines) if line.split(" = ")[0] == field]
    assert hits, field
    lines[hits[0]] = f"{field} = {value}"
    return "\n".join(lines)


@pytest.mark.parametrize("name", platform_names())
def test_every_car_loads_and_is_itself(name: str) -> None:
    car = load_platform(name)
    assert car.name == name
    assert car.front_m + car.rear_overhang_m == pytest.approx(car.length_m)
    # kerb-to-kerb turning circles of 10.5 to 13 m put the rear axle at 3.5 to 5 m
    assert 3.5 < car.min_turn_radius_m < 5.0


def test_the_two_cars_differ() -> None:
    saloon, suv = load_platform("saloon_ev"), load_platform("suv_erev")
    assert (saloon.powertrain, suv.powertrain) == ("electric", "range_extender")
    assert suv.mass_kg > saloon.mass_kg and suv.length_m > saloon.length_m


def test_a_path_works_as_a_name_does(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.toml", SALOON.replace('"saloon_ev"', '"mine"'))
    assert load_platform(path).name == "mine"
    assert load_platform(str(path)).length_m == load_platform("saloon_ev").length_m


def test_unknown_name_tells_what_exists() -> None:
    with pytest.raises(MarqueError, match=r"no car 'saloon_eb'; have \[.*suv_erev.*saloon_ev"):
        load_platform("saloon_eb")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("length_m", "45.0", r"length_m = 45.0 is not allowed; .* from 2 to 8"),
        ("mass_kg", "-2100.0", r"mass_kg = -2100.0 is not allowed; .* from 400 to 5000"),
        ("mass_kg", "nan", r"mass_kg = nan is not allowed"),
        ("width_m", '"wide"', r"width_m = 'wide' is not allowed; .* from 1 to 2.6"),
        ("friction", "true", r"friction = True is not allowed"),
        ("wheelbase_m", "4.95", r"wheelbase_m = 4.95 is not allowed.*95 % of length_m"),
        ("rear_overhang_m", "2.4", r"rear_overhang_m = 2.4 is not allowed; it is at most 1.85"),
        ("cog_to_rear_axle_m", "2.8", r"cog_to_rear_axle_m = 2.8 .*80 %"),
        ("cog_height_m", "1.2", r"cog_height_m = 1.2 .*70 % of height_m"),
        ("max_brake_mps2", "11.0", r"max_brake_mps2 = 11 .*friction"),
        ("understeer_rads2pm", "0.0099", r"understeer_rads2pm = 0.0099 .* tyres"),
        ("powertrain", '"steam"', r"powertrain = 'steam' .* \[electric, fuel, hybrid"),
        ("title", '""', r"title = '' .* 1 to 80 characters"),
        ("name", '"My Car"', r"name = 'My Car' .* small letters"),
        ("dead_s", "9.0", r"steer.dead_s = 9.0 is not allowed; .* from 0 to 0.6"),
        ("rate", "0.0", r"steer.rate = 0.0 is not allowed; .* from 0.05 to 3"),
    ],
)
def test_absurd_values_are_named(tmp_path: Path, field: str, value: str, message: str) -> None:
    path = write(tmp_path / "bad.toml", with_field(field, value))
    with pytest.raises(MarqueError, match=message) as caught:
        load_platform(path)
    assert str(path) in str(caught.value)


def test_a_car_that_would_tip_when_braking_is_refused(tmp_path: Path) -> None:
    text = with_field("height_m", "3.4").replace("friction = 1.00", "friction = 1.40")
    text = text.replace("cog_height_m = 0.52", "cog_height_m = 1.45")
    with pytest.raises(MarqueError, match="what would tip it"):
        load_platform(write(tmp_path / "tall.toml", text))


@pytest.mark.parametrize("field", [*tomllib.loads(SALOON)])
def test_every_missing_field_is_named(tmp_path: Path, field: str) -> None:
    keep = tomllib.loads(SALOON)
    del keep[field]
    lines = [f"{k} = {_toml(v)}" for k, v in keep.items() if not isinstance(v, dict)]
    for table, values in keep.items():
        if isinstance(values, dict):
            lines += [f"[{table}]", *(f"{k} = {_toml(v)}" for k, v in values.items())]
    with pytest.raises(MarqueError, match=f"{field} is missing"):
        load_platform(write(tmp_path / "short.toml", "\n".join(lines)))


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_unknown_fields_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "more.toml", "wings = 2\n" + SALOON)
    with pytest.raises(MarqueError, match=r"wings is no field of a car; have \[name, title"):
        load_platform(path)


@pytest.mark.parametrize("content", [b"length_m = = 3", b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_car_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(MarqueError, match=r"broken.toml"):
        load_platform(path)


def test_no_such_file_and_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match=r"no car file .*absent.toml; have \[saloon_ev"):
        load_platform(tmp_path / "absent.toml")
    with pytest.raises(MarqueError, match="cannot read"):
        load_platform(tmp_path)


def test_a_car_from_outside_is_found_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "van.toml", SALOON.replace('"saloon_ev"', '"van"'))
    monkeypatch.setattr("marque.core.registry.names", lambda kind: ["van"])
    monkeypatch.setattr("marque.core.registry.load", lambda kind, name: path)
    assert "van" in platform_names()
    assert load_platform("van").name == "van"


FUEL = (FOLDER / "bmw_530li.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[engine]", "[generator]", r"generator|engine is missing"),
        ("ratios = [", "ratios = [1.0, ", r"gearbox.ratios do not fall"),
        ("full_rpm = 1600.0", "full_rpm = 7500.0", r"idle_rpm, full_rpm and max_rpm do not rise"),
        ("wheel_radius_m = 0.335", "wheel_radius_m = 3.35", r"wheel_radius_m = 3.35 .* 0.2 to 0.6"),
        ("boost_share = 0.35", "boost_share = true", r"engine.boost_share = True"),
        ('confidence = "estimated"', 'confidence = "sure"', r"have \[estimated, measured"),
        ('"mass_kg", ', "", r"mass_kg has no source"),
        ('"mass_kg", ', '"mass_kg", "mass_kg", ', r"mass_kg has 2 sources"),
        ('"mass_kg", ', '"mass_kg", "wings", ', r"a source names 'wings'"),
        ("price_cny = 525900.0", "price_cny = 5.0", r"price_cny = 5.0 is not allowed"),
        ("wheelbase_m = 3.105", "wheelbase_m = 4.99", r"wheelbase_m = 4.99 .* is at most 4.92"),
    ],
)
def test_what_moves_a_car_is_checked_too(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert before in FUEL
    with pytest.raises(MarqueError, match=message):
        load_platform(write(tmp_path / "bad.toml", FUEL.replace(before, after, 1)))


@pytest.mark.parametrize("table", ["engine", "gearbox", "road", "brakes"])
def test_a_drivetrain_is_whole(tmp_path: Path, table: str) -> None:
    keep = tomllib.loads(FUEL)
    del keep[table], keep["source"]
    lines = [f"{k} = {_toml(v)}" for k, v in keep.items() if not isinstance(v, dict)]
    for name, values in keep.items():
        if isinstance(values, dict):
            lines += [f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in values.items())]
    text = "\n".join(lines)
    with pytest.raises(MarqueError, match=rf"{table} is missing; a drivetrain of kind 'fuel'"):
        load_platform(write(tmp_path / "short.toml", text))
    with pytest.raises(MarqueError, match=r"is no part of a drivetrain of kind 'electric'|missing"):
        load_platform(write(tmp_path / "odd.toml", text.replace('"fuel"', '"electric"')))
