"""The markets that a car is sold in: one TOML file each, checked field by field.

A market is named by a file in `markets/`, or by the path of a TOML file. Each number is a table:
`value`, `source` (regulation and clause), and `read`, true only if somebody read it there; else it
is a draft value.
"""

from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core.errors import MarqueError
from marque.core.named_toml import read_named_toml, toml_names
from marque.types.market import Market, Source

FOLDER = Path(__file__).parent / "markets"
USUAL = "un_r171"


class _Told(BaseModel):
    """Where a value comes from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[str, Field(min_length=3, max_length=200)]
    read: bool


class _Yes(_Told):
    value: bool


class _Count(_Told):
    value: int = Field(ge=0, le=100)


class _Time(_Told):
    value: float = Field(ge=0.0, le=60.0, allow_inf_nan=False)


class _Span(_Told):
    """A long time; `inf` means: until the next start of the car."""

    value: float = Field(ge=0.0, allow_inf_nan=True)


class _Speed(_Told):
    value: float = Field(ge=0.0, le=60.0, allow_inf_nan=False)


class _Accel(_Told):
    value: float = Field(ge=0.5, le=10.0, allow_inf_nan=False)


class _Force(_Told):
    value: float = Field(ge=1.0, le=200.0, allow_inf_nan=False)


class _Row(_Told):
    value: Annotated[list[float], Field(min_length=1, max_length=20)]


class _MarketFile(BaseModel):
    """The file, field for field; the meaning of each stands in `types/market.py`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    eyes_off: _Yes
    hands_on: _Yes
    escalates_s: _Time
    manoeuvre_s: _Time
    planned_s: _Time
    away_s: _Time
    unavailable_s: _Time
    watched_from_mps: _Speed
    eyes_request_s: _Time
    eyes_demand_s: _Time
    eyes_back_s: _Time
    hands_request_s: _Time
    hands_demand_s: _Time
    wheel_light_n: _Force
    wheel_firm_n: _Force
    resumes: _Yes
    top_speed_mps: _Speed
    manoeuvre_brake_mps2: _Accel
    emergency_brake_mps2: _Accel
    lockout_manoeuvres: _Count
    lockout_demands: _Count
    lockout_window_s: _Span
    lockout_s: _Span
    announced_s: _Time
    others_brake_mps2: _Accel
    headway_mps: _Row
    headway_s: _Row


def market_names() -> list[str]:
    """The markets that come with the program, sorted."""
    return toml_names(FOLDER)


@lru_cache(maxsize=16)
def load_market(name_or_path: str = USUAL) -> Market:
    """The market of that name, or in that TOML file.

    MarqueError: no such market or file; not TOML; a field missing, unknown, without its source, or
    out of its range (the message names file and field).
    """
    path, raw = read_named_toml("market", name_or_path, FOLDER)
    try:
        file = _MarketFile.model_validate(raw)
    except ValidationError as error:
        raise MarqueError(f"market {path}: {_first(error)}") from error
    market = _market(file)
    _check_together(path, market)
    return market


def _market(file: _MarketFile) -> Market:
    values: dict[str, Any] = {"name": file.name, "title": file.title}
    sources = []
    for field in _MarketFile.model_fields:
        told = getattr(file, field)
        if isinstance(told, _Told):
            value = getattr(told, "value")  # noqa: B009 (each kind has its own type of it)
            values[field] = tuple(value) if isinstance(value, list) else value
            sources.append(Source(field, told.source, told.read))
    return Market(**values, sources=tuple(sources))


def _first(error: ValidationError) -> str:
    """The first fault in one sentence."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{where} is no field of a market; have [{', '.join(_MarketFile.model_fields)}]"
    if fault["type"] == "missing":
        return f"{where} is missing; each number has value, source and read"
    return f"{where} = {fault['input']!r}: {fault['msg'].lower()}"


def _check_together(path: Path, market: Market) -> None:
    """Faults that only several fields together show."""
    speeds = market.headway_mps
    faults = (
        (market.eyes_off and market.hands_on, "eyes_off and hands_on exclude each other"),
        (market.escalates_s >= market.manoeuvre_s, "escalates_s is not before manoeuvre_s"),
        (market.planned_s < market.manoeuvre_s, "planned_s is shorter than manoeuvre_s"),
        (market.wheel_light_n > market.wheel_firm_n, "wheel_light_n is above wheel_firm_n"),
        (
            market.manoeuvre_brake_mps2 > market.emergency_brake_mps2,
            "manoeuvre_brake_mps2 is above emergency_brake_mps2",
        ),
        (len(speeds) != len(market.headway_s), "headway_mps and headway_s differ in length"),
        (list(speeds) != sorted(set(speeds)), "headway_mps does not grow"),
        (min(market.headway_s) <= 0.0 or max(market.headway_s) == inf, "headway_s is not positive"),
    )
    for wrong, words in faults:
        if wrong:
            raise MarqueError(f"market {path}: {words}")
