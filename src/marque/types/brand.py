"""Brand: the character of a marque, as data. It holds for the driver and the cockpit, never for the
guard."""

from dataclasses import dataclass, field
from typing import Any

from marque.types.style import Style


@dataclass(frozen=True, slots=True, eq=False)
class Brand:
    """A brand pack. `who`: for whom it is, in one sentence; `market`: whose law its cars follow
    where nobody names another; `cockpit`: tokens of its display, as its file gives them."""

    name: str
    title: str
    who: str
    style: Style
    market: str
    cockpit: dict[str, Any] = field(default_factory=dict)
