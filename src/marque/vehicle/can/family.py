"""A brand family as data: how its cars say what they do, and what they do of what they are told.

One TOML file in `families/` for each; names of messages and signals are those of opendbc's DBC.
`publish`: a number, or a quantity of `QUANTITIES`, or a table `{of, gain, add}`, or for a button
`{of = "button", none, set, cancel}`. `*` stands for any message or any signal; a name that ends in
`?` may be missing in some of the family's DBC files. `counter`, `checksum`: where the DBC does not
say it. `steer`, `accel`: what the car's actuators read of which frame.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marque.core.errors import MarqueError, unknown
from marque.vehicle.can.checksums import KINDS

FOLDER = Path(__file__).with_name("families")
QUANTITIES = (
    "speed_kph", "wheel_kph", "accel_mps2", "steer_deg", "steer_abs_deg", "steer_right",
    "steer_coarse_deg",
    "steer_fine_deg", "steer_rate_degps", "steer_rate_abs_degps", "steer_rate_right",
    "yaw_rate_radps", "standstill", "engaged", "gas", "brake", "driver_torque",
    "driver_torque_abs", "driver_torque_right", "eps_torque",
)  # fmt: skip
WAYS = (
    "torque",
    "angle_deg",
    "curvature_1pm",
    "accel_mps2",
    "nidec_brake",
    "nidec_gas",
    "nidec_speed",
)


class Linear(BaseModel):
    """A quantity, scaled."""

    model_config = ConfigDict(extra="forbid")

    of: Literal[QUANTITIES]  # type: ignore[valid-type]
    gain: float = 1.0
    add: float = 0.0


class Button(BaseModel):
    """The value of a signal while a button is pressed."""

    model_config = ConfigDict(extra="forbid")

    of: Literal["button"]
    none: int
    set: int
    cancel: int


class Counter(BaseModel):
    """Counts the frames of a message, modulo `size`; `shift`: by how many bits it is cut below."""

    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=2, le=65536)]
    shift: Annotated[int, Field(ge=0, le=8)] = 0


class Checksum(BaseModel):
    """A rule of `checksums`, over the signals it is put into, the lowest bits first."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[tuple(KINDS)]  # type: ignore[valid-type]
    signals: Annotated[list[str], Field(min_length=1, max_length=2)]


class Actuation(BaseModel):
    """What an actuator reads. `when`: only with these values in the same frame. `scale`: the name
    of what stands for full torque in opendbc's parameters of the car; `from`, `to`: of a table that
    the raw value goes through; `add`: adds to the other frames instead of being one of them;
    `none`: the value that asks for nothing; `only`, `others`: for these cars, for all but these."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    message: str
    signal: str
    as_: Literal[WAYS] = Field(default="accel_mps2", alias="as")  # type: ignore[valid-type]
    sign: float = 1.0
    signed_by: str = ""
    none: float | None = None
    scale: str = ""
    from_: str = Field(default="", alias="from")
    to: str = ""
    add: bool = False
    only: list[str] = []
    others: list[str] = []
    when: dict[str, float] = {}


class Family(BaseModel):
    """The file, field for field."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: dict[str, list[int]] = {}
    publish: dict[str, float | str | Linear | Button]
    counter: dict[str, Counter] = {}
    checksum: dict[str, Checksum] = {}
    steer: Annotated[list[Actuation], Field(min_length=1)]
    accel: Annotated[list[Actuation], Field(min_length=1)]


def family_names() -> list[str]:
    """The families that there are files for."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load_family(name: str) -> Family:
    """MarqueError: no such family."""
    if name not in family_names():
        raise unknown("brand family", name, family_names())
    return read_family(FOLDER / f"{name}.toml")


def read_family(path: Path) -> Family:
    """A file. MarqueError: it is not one; the message names what is wrong."""
    try:
        raw: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        made = Family.model_validate(raw)
    except OSError as error:
        raise MarqueError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MarqueError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise MarqueError(f"{path}: {where}: {fault['msg']}") from error
    for name, value in made.publish.items():
        if isinstance(value, str) and value not in (*QUANTITIES, "gear"):
            raise MarqueError(
                f"{path}: publish.{name} = '{value}' is no quantity; have "
                f"[{', '.join((*QUANTITIES, 'gear'))}]"
            )
    return made
