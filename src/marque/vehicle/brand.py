"""The brands that exist: one TOML file each, of at most 100 lines, checked field by field.

A brand is named by a file in `brands/`, by an entry point `marque.brand` (which gives the path of
a TOML file), or by the path of a TOML file itself. A field that a pack leaves out is the driver's
own.
"""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import marque
from marque.core import registry
from marque.core.errors import MarqueError, unknown
from marque.core.named_toml import read_named_toml, toml_names
from marque.types.brand import Brand
from marque.types.style import Style
from marque.vehicle import market

FOLDER = Path(marque.__file__).parent / "brands"
MOST_LINES = 100
_PLAIN = Style()


def _within(low: float, high: float, name: str) -> Any:
    """A field with an inclusive range, as the driver has it where a pack says nothing."""
    usual = getattr(_PLAIN, name)
    return Field(default=usual, ge=low, le=high, allow_inf_nan=False)


class _Character(BaseModel):
    """What a pack may choose, and within which range; the meaning stands in `types/style.py`. The
    ranges end where comfort, or what others expect, would suffer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    accel_mps2: float = _within(1.0, 1.8, "accel_mps2")
    brake_mps2: float = _within(1.5, 2.5, "brake_mps2")
    jerk_mps3: float = _within(0.6, 1.4, "jerk_mps3")
    launch_jerk_mps3: float = _within(0.5, 1.8, "launch_jerk_mps3")
    stop_jerk_mps3: float = _within(0.5, 1.5, "stop_jerk_mps3")
    lateral_mps2: float = _within(1.6, 2.4, "lateral_mps2")
    lane_bias_m: float = _within(-0.075, 0.075, "lane_bias_m")
    headway_s: float = _within(1.0, 2.4, "headway_s")
    standstill_gap_m: float = _within(1.5, 4.0, "standstill_gap_m")
    lane_change_s: float = _within(3.5, 6.0, "lane_change_s")
    lane_change_cost: float = _within(0.2, 2.0, "lane_change_cost")
    gap_s: float = _within(0.0, 1.0, "gap_s")
    courtesy: float = _within(0.5, 3.0, "courtesy")
    walkers_m: float = _within(0.0, 0.5, "walkers_m")
    limit_share: float = _within(0.9, 1.0, "limit_share")


class _BrandFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=60)]
    who: Annotated[str, Field(min_length=10, max_length=200)]
    market: str = market.USUAL
    character: _Character
    cockpit: dict[str, Any] = {}


def brand_names() -> list[str]:
    """Every brand that `load_brand` knows by name, sorted."""
    return sorted({*toml_names(FOLDER), *registry.names("brand")})


def load_brand(name_or_path: str) -> Brand:
    """The brand of that name, or in that TOML file.

    MarqueError: no such brand or file; not TOML; more than MOST_LINES lines; a field missing,
    unknown or out of its range (the message names file, field and range); a market that is none.
    """
    path, raw = _read(name_or_path)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > MOST_LINES:
        raise MarqueError(f"brand {path} has {lines} lines; at most {MOST_LINES} are allowed")
    try:
        file = _BrandFile.model_validate(raw)
    except ValidationError as error:
        raise MarqueError(f"brand {path}: {_first(error)}") from error
    if file.market not in market.market_names():
        raise unknown("market", file.market, market.market_names())
    style = Style(**file.character.model_dump())
    return Brand(file.name, file.title, file.who, style, file.market, file.cockpit)


def _read(name_or_path: str) -> tuple[Path, dict[str, Any]]:
    outside = registry.names("brand")
    if name_or_path in outside and name_or_path not in toml_names(FOLDER):
        return read_named_toml("brand", str(registry.load("brand", name_or_path)), FOLDER)
    if not name_or_path.endswith(".toml") and name_or_path not in toml_names(FOLDER):
        raise unknown("brand", name_or_path, brand_names())
    return read_named_toml("brand", name_or_path, FOLDER)


def _first(error: ValidationError) -> str:
    """The first fault in one sentence: field, value, and what is allowed."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    inside = fault["loc"][0] == "character"
    model: type[BaseModel] = _Character if inside else _BrandFile
    if fault["type"] == "extra_forbidden":
        return f"{where} is no field of a brand; have [{', '.join(model.model_fields)}]"
    if fault["type"] == "missing":
        return f"{where} is missing"
    return f"{where} = {fault['input']!r} is not allowed{_range(str(fault['loc'][-1]))}"


def _range(name: str) -> str:
    """The range of a field of character as the end of a sentence, "" for others."""
    field = _Character.model_fields.get(name)
    if field is None:
        return ""
    low, high = (next(getattr(m, k) for m in field.metadata if hasattr(m, k)) for k in ("ge", "le"))
    return f"; {low:g} to {high:g}"


def unlike(brand: Brand) -> dict[str, float]:
    """What a brand has chosen otherwise than the driver's own style."""
    return {
        f.name: getattr(brand.style, f.name)
        for f in fields(Style)
        if getattr(brand.style, f.name) != getattr(_PLAIN, f.name)
    }
