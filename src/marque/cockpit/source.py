"""Where frames come from: a log that is replayed, or a drive that goes on. What the server asks."""

import json
import time
from typing import Any, Protocol

from marque.cockpit.hub import Hub
from marque.cockpit.series import Series

_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Source(Protocol):
    """One drive."""

    live: bool
    road: dict[str, Any]
    series: Series
    frame: dict[str, Any] | None  # the newest that was shown
    known: tuple[str, ...]  # commands that it hears

    def state(self) -> dict[str, Any]:
        """What the page's controls show."""
        ...

    def command(self, command: Any) -> dict[str, Any]:
        """Carry out one; what to answer. MarqueError: it cannot be."""
        ...

    async def run(self, hub: Hub) -> None:
        """Show frames until cancelled."""
        ...


def frame_message(frame: dict[str, Any]) -> str:
    """A frame for the pages, with the wall clock at which it left: lateness is measured by it."""
    return packed("frame", frame | {"wall_ms": round(1000.0 * time.time(), 1)})


def packed(kind: str, content: Any) -> str:
    """One message to a page."""
    return _ENCODE({"kind": kind, "is": content})
