"""Sensor profiles: TOML files that say how far and how well the car sees."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core.errors import MarqueError, unknown

FOLDER = Path(__file__).parent / "old_profiles"


class SensorProfile(BaseModel):
    """Limits of the senses. Lengths in metres; the mount is measured from the rear axle."""

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


def profile_names() -> list[str]:
    """The profiles that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_profile(name_or_path: str = "ideal") -> SensorProfile:
    """A profile by name, or from a TOML file.

    MarqueError: no such profile, unreadable file, or a field that is missing or out of bounds.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in profile_names():
            raise unknown("sensor profile", name_or_path, profile_names())
        path = FOLDER / f"{name_or_path}.toml"
    try:
        return SensorProfile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason = error.strerror or error
        raise MarqueError(f"cannot read sensor profile {path}: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MarqueError(f"sensor profile {path} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise MarqueError(f"sensor profile {path}: {field}: {first['msg']}") from error
