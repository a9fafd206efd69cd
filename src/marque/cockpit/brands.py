"""How a brand looks and sounds in the cockpit: tokens, checked so that everything stays readable.

The table `[cockpit]` of a brand's file overrides tokens of the default; what it leaves out is the
default's. Colours that nobody can read are refused by name (WCAG 2.2,
1.4.3: text at 4.5:1 or more; 1.4.11: what must be told apart at 3:1).
"""

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core.errors import MarqueError
from marque.vehicle import brand

DEFAULT = "marque"
TEXT_RATIO, SHAPE_RATIO = 4.5, 3.0
_Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Colours(_Part):
    """One set, for day or night."""

    ground: _Colour  # behind everything
    panel: _Colour  # behind text
    ink: _Colour  # text
    soft: _Colour  # text of less weight
    accent: _Colour  # what may be pressed
    active: _Colour  # the system drives
    ready: _Colour  # the person drives
    warn: _Colour
    alarm: _Colour
    on_alarm: _Colour  # text on `alarm`
    path: _Colour  # the ribbon


class Sounds(_Part):
    """Of tones: Hz and seconds. A warning is always heard over a brand's wish to be quiet."""

    chime_hz: float = Field(ge=200.0, le=2000.0)
    warn_hz: float = Field(ge=400.0, le=2500.0)
    alarm_hz: float = Field(ge=500.0, le=3000.0)
    loudness: float = Field(ge=0.3, le=1.0)


class Tokens(_Part):
    """Everything that a brand may choose in the cockpit."""

    name: str = Field(min_length=1, max_length=40)
    title: str = Field(min_length=1, max_length=60)
    tone: Literal["plain", "warm", "terse"]
    font: Literal["sans", "grotesk", "serif"]
    corner_px: int = Field(ge=0, le=24)
    day: Colours
    night: Colours
    sounds: Sounds


PLAIN: dict[str, Any] = {
    "name": DEFAULT,
    "title": "marque",
    "tone": "plain",
    "font": "sans",
    "corner_px": 10,
    "day": {
        "ground": "#dfe4ea", "panel": "#ffffff", "ink": "#14181d", "soft": "#48515c",
        "accent": "#0b57c4", "active": "#0a7a5c", "ready": "#0b57c4", "warn": "#8a5200",
        "alarm": "#b3161f", "on_alarm": "#ffffff", "path": "#0a7a5c",
    },
    "night": {
        "ground": "#0c1116", "panel": "#151c24", "ink": "#f2f5f8", "soft": "#a9b6c4",
        "accent": "#7db4ff", "active": "#35d6a4", "ready": "#7db4ff", "warn": "#ffc45c",
        "alarm": "#ff7a70", "on_alarm": "#1a0505", "path": "#35d6a4",
    },
    "sounds": {"chime_hz": 660.0, "warn_hz": 880.0, "alarm_hz": 1320.0, "loudness": 0.6},
}  # fmt: skip


def brand_names() -> list[str]:
    """The default, and every brand that exists."""
    return [DEFAULT, *(name for name in brand.brand_names() if name != DEFAULT)]


@lru_cache(maxsize=32)
def load_brand(name: str) -> dict[str, Any]:
    """Tokens by name. MarqueError: unknown, a field that is wrong, colours nobody can read."""
    if name == DEFAULT and name not in brand.brand_names():
        return checked(PLAIN, name)
    found = brand.load_brand(name)
    own = {"name": found.name, "title": found.title}
    return checked(_over(PLAIN | own, found.cockpit), name)


def checked(tokens: dict[str, Any], where: str) -> dict[str, Any]:
    """The tokens. MarqueError names the first field, or pair of colours, that is wrong."""
    try:
        found = Tokens.model_validate(tokens)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise MarqueError(f"brand {where}: {field}: {first['msg']}") from None
    for time, colours in (("day", found.day), ("night", found.night)):
        _need_readable(colours, f"brand {where}: {time}")
    return found.model_dump()


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two colours `#rrggbb`, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _need_readable(colours: Colours, where: str) -> None:
    texts = [(name, "panel") for name in ("ink", "soft", "accent", "active", "ready", "warn")]
    texts += [("alarm", "panel"), ("on_alarm", "alarm"), ("ink", "ground")]
    for pairs, least in ((texts, TEXT_RATIO), ((("path", "ground"),), SHAPE_RATIO)):
        for one, other in pairs:
            ratio = contrast(getattr(colours, one), getattr(colours, other))
            if ratio < least:
                raise MarqueError(
                    f"{where}: {one} on {other} has a contrast of {ratio:.1f}:1; "
                    f"{least:g}:1 is the least that can be read"
                )


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    lit = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * lit[0] + 0.7152 * lit[1] + 0.0722 * lit[2]


def _over(base: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The base with what is told; tables go together."""
    merged = dict(base)
    for name, value in told.items():
        both = isinstance(value, dict) and isinstance(base.get(name), dict)
        merged[name] = _over(base[name], value) if both else value
    return merged
