"""A VISS client's connection: requests are answered in order, subscriptions are fed each frame."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from marque.cockpit import access
from marque.cockpit.signals.protocol import SUBPROTOCOL, Session, answer, pushed
from marque.cockpit.signals.tree import Tree

BUSY_S = 2.0  # who does not take a message for so long is cut off


class Signals:
    """The values of now, for every client: made once for each frame, if anybody looks."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.ts = ""
        self.news = asyncio.Condition()

    async def show(self, values: dict[str, str], ts: str) -> None:
        """A new frame's."""
        self.values, self.ts = values, ts
        async with self.news:
            self.news.notify_all()


async def serve_viss(
    websocket: WebSocket,
    tree: Tree,
    signals: Signals,
    fits: Callable[[str], bool],
    write: Callable[[str, str], None],
) -> None:
    """One client, until it goes. It has to speak the sub-protocol `VISSv3`."""
    if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.close(1002)
        return
    await websocket.accept(subprotocol=SUBPROTOCOL)
    session = Session(tree, fits, write, signals.values, signals.ts)

    async def feeding() -> None:
        while True:
            async with signals.news:
                await signals.news.wait()
            for message in pushed(session, signals.values, signals.ts, time.monotonic()):
                await asyncio.wait_for(websocket.send_text(message), BUSY_S)

    feeder = asyncio.create_task(feeding())
    try:
        await _answering(websocket, session, signals)
    finally:
        feeder.cancel()
        with contextlib.suppress(
            asyncio.CancelledError, WebSocketDisconnect, RuntimeError, TimeoutError
        ):
            await feeder


async def _answering(websocket: WebSocket, session: Session, signals: Signals) -> None:
    allowance = access.Allowance(access.SIGNAL_BURST, time.monotonic())
    rate = (access.SIGNAL_RATE_PER_S, access.SIGNAL_BURST)
    while True:
        try:
            message = await websocket.receive()
        except (WebSocketDisconnect, RuntimeError):
            return
        if message["type"] == "websocket.disconnect":
            return
        allowance, heard = access.spend(allowance, time.monotonic(), *rate)
        if not heard:
            if access.is_cut_off(allowance):
                await websocket.close(1008)
                return
            continue
        data = message.get("text") or message.get("bytes") or ""
        session.values, session.ts = signals.values, signals.ts
        await websocket.send_text(answer(session, data))
