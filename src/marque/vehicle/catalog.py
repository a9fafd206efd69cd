"""The cars that exist: one TOML file each, checked field by field.

A car is named by a file in `platforms/`, by an entry point `marque.car` (which gives the path of
a TOML file), or by the path of a TOML file itself.
"""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core import registry
from marque.core.errors import MarqueError, unknown
from marque.core.units import G_MPS2
from marque.types.platform import Actuator, Platform

FOLDER = Path(__file__).parent / "platforms"
MAX_DEAD_S = 0.6  # the longest dead time that `dynamics` keeps commands for


def _within(low: float, high: float) -> Any:
    """A required float field with an inclusive range."""
    return Field(ge=low, le=high, allow_inf_nan=False)


class _ActuatorFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    dead_s: float = _within(0.0, MAX_DEAD_S)
    lag_s: float = _within(0.0, 1.0)
    rate: float = _within(0.05, 100.0)


class _SteerFile(_ActuatorFile):
    rate: float = _within(0.05, 3.0)


class _PedalFile(_ActuatorFile):
    rate: float = _within(1.0, 100.0)


class _PlatformFile(BaseModel):
    """The file, field for field; ranges are those of road cars, light vans and large SUVs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    powertrain: Literal["electric", "range_extender", "hybrid", "fuel"]
    length_m: float = _within(2.0, 8.0)
    width_m: float = _within(1.0, 2.6)
    height_m: float = _within(1.0, 3.5)
    wheelbase_m: float = _within(1.2, 5.0)
    rear_overhang_m: float = _within(0.1, 2.5)
    mass_kg: float = _within(400.0, 5000.0)
    yaw_inertia_kgm2: float = _within(200.0, 20000.0)
    cog_to_rear_axle_m: float = _within(0.3, 4.0)
    cog_height_m: float = _within(0.2, 1.5)
    cornering_stiffness_1prad: float = _within(5.0, 40.0)
    friction: float = _within(0.1, 1.4)
    understeer_rads2pm: float = _within(0.0, 0.01)
    max_steer_rad: float = _within(0.2, 1.2)
    max_accel_mps2: float = _within(0.5, 12.0)
    max_power_w: float = _within(10e3, 1500e3)
    max_brake_mps2: float = _within(2.0, 12.0)
    max_speed_mps: float = _within(3.0, 120.0)
    steer: _SteerFile
    drive: _PedalFile
    brake: _PedalFile


def platform_names() -> list[str]:
    """Every car that `load_platform` knows by name, sorted."""
    return sorted({*_in_tree(), *registry.names("car")})


def load_platform(name_or_path: str | Path) -> Platform:
    """The car of that name, or in that TOML file.

    MarqueError: no such car or file; not TOML; a field missing, unknown or out of its range
    (the message names file, field and range).
    """
    name = str(name_or_path)
    if isinstance(name_or_path, Path) or name.endswith(".toml") or "/" in name:
        return read_platform(Path(name_or_path))
    if name in _in_tree():
        return read_platform(FOLDER / f"{name}.toml")
    if name in registry.names("car"):
        return read_platform(Path(registry.load("car", name)))
    raise unknown("car", name, platform_names())


def read_platform(path: Path) -> Platform:
    """One platform file. MarqueError as in `load_platform`."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MarqueError(f"no car file {path}; have [{', '.join(platform_names())}]") from error
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MarqueError(f"{path} is not TOML: {error}") from error
    try:
        file = _PlatformFile.model_validate(raw)
    except ValidationError as error:
        raise MarqueError(f"{path}: {_first_fault(error)}") from error
    _check_together(path, file)
    return _platform(file)


def _in_tree() -> list[str]:
    return [path.stem for path in FOLDER.glob("*.toml")]


def _platform(file: _PlatformFile) -> Platform:
    values: dict[str, Any] = {f.name: getattr(file, f.name) for f in fields(Platform)}
    for part in ("steer", "drive", "brake"):
        one: _ActuatorFile = values[part]
        values[part] = Actuator(dead_s=one.dead_s, lag_s=one.lag_s, rate=one.rate)
    return Platform(**values)


def _first_fault(error: ValidationError) -> str:
    """The first of pydantic's faults in one sentence: field, value, and what is allowed."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the file"
    if fault["type"] == "missing":
        return f"{where} is missing{_allowed(fault['loc'])}"
    if fault["type"] == "extra_forbidden":
        return f"{where} is no field of a car; have [{', '.join(_PlatformFile.model_fields)}]"
    return f"{where} = {fault['input']!r} is not allowed{_allowed(fault['loc'])}"


def _allowed(loc: tuple[int | str, ...]) -> str:
    """The range or the choices of a field, as the end of a sentence."""
    model: type[BaseModel] = _PlatformFile
    for part in loc[:-1]:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        model = annotation
    info = model.model_fields[str(loc[-1])]
    low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None)
    if low is not None and high is not None:
        return f"; it is a number from {low:g} to {high:g}"
    if loc[-1] == "powertrain":
        return "; have [electric, fuel, hybrid, range_extender]"
    if loc[-1] == "name":
        return "; it is small letters, digits and _, at most 40"
    if loc[-1] in ("steer", "drive", "brake"):
        return "; it is a table with dead_s, lag_s and rate"
    return "; it is a text of 1 to 80 characters"


def _check_together(path: Path, car: _PlatformFile) -> None:
    """Faults that only two fields together show."""
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
