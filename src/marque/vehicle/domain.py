"""The operational domains that are declared: one TOML file each, checked field by field."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core.errors import MarqueError
from marque.core.named_toml import read_named_toml, toml_names
from marque.core.units import KPH
from marque.types.codes import Reaction
from marque.types.domain import OperationalDomain, Trait

FOLDER = Path(__file__).parent / "domains"
USUAL = "anywhere"
SENSES = {"R0": Reaction.LOG, "R1": Reaction.DEGRADE, "R2": Reaction.TAKEOVER}

_Trait = Literal[
    "separated", "motor_only", "signals", "crosswalks", "crossings", "roundabout", "mapped"
]
_Bound = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class _DomainFile(BaseModel):
    """The file, field for field; the meaning of each stands in `types/domain.py`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    needs: list[_Trait]
    bars: list[_Trait]
    least_limit_kph: _Bound
    most_speed_kph: _Bound
    least_visibility_m: _Bound
    most_rain_mmph: _Bound
    least_friction: Annotated[float, Field(ge=0.0, le=1.5, allow_inf_nan=False)]
    worst_senses: Literal["R0", "R1", "R2"]


def domain_names() -> list[str]:
    """The domains that come with the program, sorted."""
    return toml_names(FOLDER)


def load_domain(name_or_path: str = USUAL) -> OperationalDomain:
    """The domain of that name, or in that TOML file.

    MarqueError: no such domain or file; not TOML; a field missing, unknown or out of its range.
    """
    path, raw = read_named_toml("domain", name_or_path, FOLDER)
    try:
        file = _DomainFile.model_validate(raw)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise MarqueError(f"domain {path}: {where}: {fault['msg'].lower()}") from error
    needs, bars = _traits(file.needs), _traits(file.bars)
    if needs & bars:
        raise MarqueError(f"domain {path}: it both needs and bars {(needs & bars).name}")
    return OperationalDomain(
        name=file.name,
        title=file.title,
        needs=needs,
        bars=bars,
        least_limit_mps=KPH * file.least_limit_kph,
        most_speed_mps=KPH * file.most_speed_kph,
        least_visibility_m=file.least_visibility_m,
        most_rain_mmph=file.most_rain_mmph,
        least_friction=file.least_friction,
        worst_senses=SENSES[file.worst_senses],
    )


def _traits(names: list[_Trait]) -> Trait:
    found = Trait.NONE
    for name in names:
        found |= Trait[name.upper()]
    return found
