"""Everybody who looks: each gets the newest frame as fast as they take frames, and every message
that is not a frame. Who is slow loses frames; nobody waits for them."""

import asyncio
from collections import deque

MESSAGES = 64  # unsent ones of one viewer; beyond it the oldest are lost as well


class Viewer:
    """What one connection is still to be sent."""

    def __init__(self) -> None:
        self._frame: str | None = None
        self._messages: deque[str] = deque(maxlen=MESSAGES)
        self._news = asyncio.Event()
        self.lost = 0  # frames

    def show(self, frame: str) -> None:
        """A new frame; one that was not sent yet is lost."""
        self.lost += self._frame is not None
        self._frame = frame
        self._news.set()

    def tell(self, message: str) -> None:
        """Something that is not replaced by the next frame."""
        self._messages.append(message)
        self._news.set()

    async def next(self) -> str:
        """What to send now: messages first."""
        while not self._messages and self._frame is None:
            self._news.clear()
            await self._news.wait()
        if self._messages:
            return self._messages.popleft()
        frame, self._frame = self._frame, None
        assert frame is not None
        return frame


class Hub:
    """The viewers."""

    def __init__(self) -> None:
        self.viewers: set[Viewer] = set()
        self.frame = ""  # the newest, for who comes later

    def join(self) -> Viewer:
        """One more."""
        viewer = Viewer()
        if self.frame:
            viewer.show(self.frame)
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """One less."""
        self.viewers.discard(viewer)

    def show(self, frame: str) -> None:
        """To all."""
        self.frame = frame
        for viewer in self.viewers:
            viewer.show(frame)

    def tell(self, message: str) -> None:
        """To all."""
        for viewer in self.viewers:
            viewer.tell(message)
