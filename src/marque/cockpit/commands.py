"""What a page may ask for: each command with its fields and bounds, and when it is heard.

Commands of a replay move its clock. Commands of a live drive are the person's: what they do at the
wheel, how attentive they are made out to be, where to go. Whatever takes a glance of more than two
seconds (typing a place, choosing a brand) is heard at standstill alone.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from marque.core.errors import MarqueError

STANDS_MPS = 0.1


class _Asked(BaseModel):
    """`id`: repeated in the answer."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: int = Field(default=0, ge=0, le=2**31)


class Hello(_Asked):
    """Who has the token may command from here on."""

    do: Literal["hello"]
    token: str = Field(default="", max_length=200)


class Play(_Asked):
    do: Literal["play"]


class Pause(_Asked):
    do: Literal["pause"]


class Seek(_Asked):
    do: Literal["seek"]
    t_s: float = Field(ge=0.0, le=1e7)


class Speed(_Asked):
    """Of the replay; of a live drive: how fast simulated time runs, 0: as fast as it can."""

    do: Literal["speed"]
    factor: float = Field(ge=0.0, le=50.0)


class Jump(_Asked):
    """To the next event, or the one before."""

    do: Literal["jump"]
    way: Literal["next", "previous"]


class Person(_Asked):
    """How attentive the simulated person is from now on."""

    do: Literal["person"]
    state: Literal[
        "attentive", "eyes-off", "hands-off", "asleep", "out-of-seat", "unbelted", "door-open"
    ]


class Act(_Asked):
    """What the person does now: the button engages, disengages or takes over."""

    do: Literal["act"]
    what: Literal["button", "brake", "accelerator", "wheel"]


class Wheel(_Asked):
    """The person's hands and feet, held until told otherwise: steering left positive, -1 to 1,
    pedals 0 to 1."""

    do: Literal["drive"]
    steer: float = Field(ge=-1.0, le=1.0)
    accelerator: float = Field(ge=0.0, le=1.0)
    brake: float = Field(ge=0.0, le=1.0)


class SetSpeed(_Asked):
    """None: as the road allows."""

    do: Literal["set_speed"]
    mps: float | None = Field(ge=1.0, le=70.0)


class SetGap(_Asked):
    """Headway to who drives ahead, in seconds; never less than the law's."""

    do: Literal["set_gap"]
    headway_s: float = Field(ge=0.5, le=4.0)


class Destination(_Asked):
    """As `marque drive --to`: `lat,lon`, `xy:X,Y`, `lane:ID`."""

    do: Literal["destination"]
    place: str = Field(min_length=1, max_length=120)


class Driver(_Asked):
    """Another driver, on to the same goal."""

    do: Literal["driver"]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")


class Brand(_Asked):
    do: Literal["brand"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")


Command = Annotated[
    Hello
    | Play
    | Pause
    | Seek
    | Speed
    | Jump
    | Person
    | Act
    | Wheel
    | SetSpeed
    | SetGap
    | Destination
    | Driver
    | Brand,
    Field(discriminator="do"),
]  # fmt: skip
_COMMAND: TypeAdapter[Any] = TypeAdapter(Command)
REPLAY = ("play", "pause", "seek", "speed", "jump", "brand")
LIVE = (
    "play", "pause", "speed", "person", "act", "drive", "set_speed", "set_gap", "destination",
    "driver", "brand",
)  # fmt: skip
AT_STANDSTILL = ("destination", "driver", "brand")


def read_command(data: str | bytes) -> Any:
    """One message as a command. MarqueError: no JSON, unknown, or a field out of bounds."""
    try:
        return _COMMAND.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise MarqueError(f"{where}: {first['msg']}") from None
    except (ValueError, RecursionError, UnicodeError) as error:
        raise MarqueError(f"message: {error}") from None


def need_heard(command: Any, known: tuple[str, ...], speed_mps: float) -> None:
    """MarqueError: not here, or not while driving."""
    if command.do not in known:
        raise MarqueError(f"'{command.do}' has no meaning here; have [{', '.join(known)}]")
    if command.do in AT_STANDSTILL and abs(speed_mps) > STANDS_MPS:
        raise MarqueError(f"'{command.do}' takes more than a glance; it is heard at standstill")
