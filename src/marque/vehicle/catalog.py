"""The cars that exist: one TOML file each, checked field by field.

A car is named by a file in `platforms/`, by an entry point `marque.car` (which gives the path of
a TOML file), or by the path of a TOML file itself.
"""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from marque.core import registry
from marque.core.errors import MarqueError, unknown
from marque.core.units import G_MPS2
from marque.types.platform import PARTS, Actuator, Platform, drivetrain_of
from marque.vehicle.car_file import NEEDS, PlatformFile, first_fault

FOLDER = Path(__file__).parent / "platforms"
UNDECLARED = ("drivetrain", "max_lateral_mps2", "max_lateral_jerk_mps3")  # in a file's head
OPENDBC = "opendbc:"  # names one of opendbc's cars


def platform_names() -> list[str]:
    """Every car that `load_platform` knows by name, sorted."""
    return sorted({*_in_tree(), *registry.names("car")})


def load_platform(name_or_path: str | Path) -> Platform:
    """The car of that name, or in that TOML file, or `opendbc:NAME`.

    MarqueError: no such car or file; not TOML; a field missing, unknown or out of its range
    (the message names file, field and range).
    """
    if str(name_or_path).startswith(OPENDBC):
        from marque.vehicle.can.real_car import load_real

        return load_real(str(name_or_path)).platform
    return read_platform(platform_path(name_or_path))


def platform_path(name_or_path: str | Path) -> Path:
    """The file of a car. MarqueError: no such car."""
    name = str(name_or_path)
    if isinstance(name_or_path, Path) or name.endswith(".toml") or "/" in name:
        return Path(name_or_path)
    if name in _in_tree():
        return FOLDER / f"{name}.toml"
    if name in registry.names("car"):
        return Path(registry.load("car", name))
    raise unknown("car", name, platform_names())


def read_platform(path: Path) -> Platform:
    """One platform file. MarqueError as in `load_platform`."""
    return _platform(read_car_file(path))


def read_car_file(path: Path) -> PlatformFile:
    """All that stands in a car's file, checked. MarqueError as in `load_platform`."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MarqueError(f"no car file {path}; have [{_some_names()}]") from error
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MarqueError(f"{path} is not TOML: {error}") from error
    try:
        file = PlatformFile.model_validate(raw)
    except ValidationError as error:
        raise MarqueError(f"{path}: {first_fault(error)}") from error
    _check_together(path, file)
    return file


def _in_tree() -> list[str]:
    return [path.stem for path in FOLDER.glob("*.toml")]


def _some_names() -> str:
    """The cars without a maker, and how many more there are."""
    generic = [name for name in ("saloon_ev", "suv_erev") if name in _in_tree()]
    more = len(platform_names()) - len(generic)
    return ", ".join(generic) + (f", and {more} more: marque car list" if more else "")


def _platform(file: PlatformFile) -> Platform:
    values: dict[str, Any] = {
        f.name: getattr(file, f.name) for f in fields(Platform) if f.name not in UNDECLARED
    }
    for part in ("steer", "drive", "brake"):
        one = values[part]
        values[part] = Actuator(dead_s=one.dead_s, lag_s=one.lag_s, rate=one.rate)
    parts = {name: getattr(file, name) for name in PARTS}
    if any(parts.values()):
        plain = {name: part.model_dump() for name, part in parts.items() if part is not None}
        values["drivetrain"] = drivetrain_of(plain)
    return Platform(**values)


def _check_parts(path: Path, car: PlatformFile) -> None:
    """A drivetrain is whole, and nothing in it that its kind of car does not have."""
    have = [name for name in PARTS if getattr(car, name) is not None]
    needs = NEEDS[car.powertrain]
    for name in needs if have else ():
        if name not in have:
            raise MarqueError(
                f"{path}: {name} is missing; a drivetrain of kind '{car.powertrain}' has "
                f"[{', '.join(needs)}]"
            )
    for name in have:
        if name not in needs:
            raise MarqueError(
                f"{path}: {name} is no part of a drivetrain of kind '{car.powertrain}'; it has "
                f"[{', '.join(needs)}]"
            )
    box, train = car.gearbox, car.engine
    if box is not None and any(a <= b for a, b in zip(box.ratios, box.ratios[1:], strict=False)):
        raise MarqueError(f"{path}: gearbox.ratios do not fall from gear to gear")
    if box is not None and (not box.ratios) == (car.powertrain == "fuel"):
        what = "has no gears" if car.powertrain == "fuel" else "has gears; a power split does not"
        raise MarqueError(f"{path}: gearbox.ratios: a {car.powertrain} car's gearbox {what}")
    if train is not None and not train.idle_rpm < train.full_rpm < train.max_rpm:
        raise MarqueError(f"{path}: engine: idle_rpm, full_rpm and max_rpm do not rise")


def _check_sources(path: Path, car: PlatformFile) -> None:
    """Where sources are given, every number has exactly one."""
    free = ("name", "title", "powertrain", "maker", "brand", "source")
    given = [name for name in PlatformFile.model_fields if getattr(car, name) is not None]
    numbers = [name for name in given if name not in free]
    told = [name for one in car.source for name in one.fields]
    for name in told:
        if name not in numbers:
            raise MarqueError(f"{path}: a source names '{name}', which this file does not have")
        if told.count(name) > 1:
            raise MarqueError(f"{path}: {name} has {told.count(name)} sources; it has one")
    for name in numbers if told else ():
        if name not in told:
            raise MarqueError(f"{path}: {name} has no source; each number has one")


def _check_together(path: Path, car: PlatformFile) -> None:
    """Faults that only two fields together show."""
    _check_parts(path, car)
    _check_sources(path, car)
    grip_mps2 = car.friction * G_MPS2
    overhangs_m = car.length_m - car.wheelbase_m - car.rear_overhang_m
    rest_m = min(car.cog_to_rear_axle_m, car.wheelbase_m - car.cog_to_rear_axle_m)
    slip_1prad = 2.0 / (car.cornering_stiffness_1prad * grip_mps2)
    limits = (
        ("wheelbase_m", car.wheelbase_m, 0.95 * car.length_m, "95 % of length_m"),
        ("rear_overhang_m", -overhangs_m, -0.1, "what leaves 0.1 m before the front axle"),
        ("cog_to_rear_axle_m", car.cog_to_rear_axle_m, 0.8 * car.wheelbase_m, "80 % wheelbase_m"),
        ("cog_height_m", car.cog_height_m, 0.7 * car.height_m, "70 % of height_m"),
        ("cog_height_m", car.cog_height_m, 0.9 * rest_m / car.friction, "what would tip it"),
        ("max_brake_mps2", car.max_brake_mps2, grip_mps2, "friction * g"),
        ("understeer_rads2pm", car.understeer_rads2pm, 0.8 * slip_1prad, "what its tyres can give"),
    )
    for field, value, most, why in limits:
        if value > most:
            shown = getattr(car, field)
            bound = most if most > 0.0 else car.length_m - car.wheelbase_m - 0.1
            raise MarqueError(
                f"{path}: {field} = {shown:g} is not allowed; it is at most {bound:.3g} ({why})"
            )
