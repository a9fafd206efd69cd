"""Sensor profiles: TOML files that say with what senses a car drives.

Two sorts. Exact senses know what is in range and in line of sight, without error or delay; what
they say needs no fusing. Equipment is a set of sensors, each with its own errors (`equipment.py`);
a file with `[[sensor]]` tables describes such.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core.errors import MarqueError
from marque.core.named_toml import read_named_toml, toml_names
from marque.sensing.equipment import Equipment

FOLDER = Path(__file__).parent / "profiles"


class ExactSenses(BaseModel):
    """Limits of exact senses. Lengths in metres; the mount is measured from the rear axle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    title: str
    range_m: float = Field(gt=0.0, le=500.0)
    visible_share_min: float = Field(ge=0.0, le=1.0)
    row_range_m: float = Field(ge=0.0, le=200.0)
    mount_forward_m: float = Field(ge=-2.0, le=6.0)
    signal_range_m: float = Field(ge=0.0, le=500.0)
    signal_half_angle_rad: float = Field(gt=0.0, le=3.2)
    signal_past_m: float = Field(ge=0.0, le=50.0)
    rays: int = Field(ge=4, le=256)
    marks_range_m: float = Field(default=60.0, ge=0.0, le=200.0)


SensorProfile = ExactSenses | Equipment


def profile_names() -> list[str]:
    """The profiles that come with the program."""
    return toml_names(FOLDER)


def load_profile(name_or_path: str) -> SensorProfile:
    """A profile by name, or from a TOML file.

    MarqueError: no such profile, unreadable file, or a field that is missing, unknown or out of
    bounds.
    """
    path, fields = read_named_toml("sensor profile", name_or_path, FOLDER)
    try:
        sort = Equipment if "sensor" in fields else ExactSenses
        return sort.model_validate(fields)
    except ValidationError as error:
        raise MarqueError(f"sensor profile {path}: {_first(error)}") from error


def load_equipment(name_or_path: str) -> Equipment:
    """A profile of equipment. MarqueError: as `load_profile`, or it is one of exact senses."""
    profile = load_profile(name_or_path)
    if not isinstance(profile, Equipment):
        raise MarqueError(f"sensor profile '{name_or_path}' is exact; it has no equipment")
    return profile


def load_exact(name_or_path: str = "ideal") -> ExactSenses:
    """A profile of exact senses. MarqueError: as `load_profile`, or it is one of equipment."""
    profile = load_profile(name_or_path)
    if not isinstance(profile, ExactSenses):
        raise MarqueError(f"sensor profile '{name_or_path}' is equipment; it is not exact")
    return profile


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{field}: {said}" if field else said
