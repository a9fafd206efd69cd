"""The server: the built page, the stage, and one connection for each viewer. Loopback alone.

`cockpit.access` says who may do what. A connection is read and written by tasks of its own, so that
who is slow, silent or hostile holds up nobody else.
"""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from marque.cockpit import access
from marque.cockpit.brands import brand_names, load_brand
from marque.cockpit.commands import need_heard, read_command
from marque.cockpit.hub import Hub
from marque.cockpit.signals.protocol import stamp
from marque.cockpit.signals.session import Signals, serve_viss
from marque.cockpit.signals.tree import Tree, load_tree
from marque.cockpit.signals.values import values_of
from marque.cockpit.source import Source, packed
from marque.core.errors import MarqueError

PAGE = Path(__file__).parent / "web" / "dist"
HOST = "127.0.0.1"
PROTOCOL = "marque.cockpit.1"
PORTS_TRIED = 20
SIGNALS_LOOK_S = 0.02


@dataclass(slots=True, eq=False)
class Cockpit:
    """What the routes share."""

    source: Source
    port: int
    token: str
    brand: str = "marque"
    hub: Hub = field(default_factory=Hub)
    tree: Tree = field(default_factory=load_tree)
    signals: Signals = field(default_factory=Signals)
    written: dict[str, str] = field(default_factory=dict)  # by apps, over what the car says
    viss: int = 0  # clients


def need_page() -> None:
    """MarqueError: the page was not built into this installation."""
    if not (PAGE / "index.html").is_file():
        raise MarqueError(
            "the cockpit's page is not built in this checkout; run `make page` (needs Node 20 or "
            "newer), or install a wheel, which holds it"
        )


def open_port(port: int | None) -> socket.socket:
    """A listening socket on loopback; with no port asked for, the first free one from 8420 on.
    MarqueError: it is in use."""
    wanted = [port] if port is not None else range(8420, 8420 + PORTS_TRIED)
    for each in wanted:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, each))
            sock.listen(128)
            return sock
        except OSError as error:
            sock.close()
            if port is not None:
                raise MarqueError(
                    f"port {port} cannot be opened: {error.strerror or error}; "
                    "have another with --port"
                ) from error
    raise MarqueError(f"no free port from 8420 to {8419 + PORTS_TRIED}; name one with --port")


def address(port: int, token: str = "") -> str:
    """Of the page; with the token it may command."""
    return f"http://{HOST}:{port}/" + (f"#token={token}" if token else "")


def make_app(cockpit: Cockpit) -> ASGIApp:
    """The application."""

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(cockpit.source.run(cockpit.hub)),
            asyncio.create_task(_feed_signals(cockpit)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def road(_: Request) -> Response:
        return _json(cockpit.source.road)

    async def series(_: Request) -> Response:
        return _json(cockpit.source.series.plain())

    async def brand(request: Request) -> Response:
        try:
            return _json(load_brand(request.path_params["name"]))
        except MarqueError as error:
            return JSONResponse({"error": str(error)}, status_code=404)

    async def health(_: Request) -> Response:
        return _json({"viewers": len(cockpit.hub.viewers), "live": cockpit.source.live})

    async def viewer(websocket: WebSocket) -> None:
        await _serve_viewer(cockpit, websocket)

    async def viss(websocket: WebSocket) -> None:
        if _refused(cockpit, websocket) or cockpit.viss >= access.MOST_VIEWERS:
            await websocket.close(1008)
            return
        cockpit.viss += 1
        if cockpit.viss == 1 and cockpit.source.frame is not None:
            await _show_signals(cockpit, cockpit.source.frame)
        try:
            await serve_viss(
                websocket, cockpit.tree, cockpit.signals,
                lambda token: access.token_fits(cockpit.token, token),
                lambda path, value: _write(cockpit, path, value),
            )  # fmt: skip
        finally:
            cockpit.viss -= 1

    routes: list[BaseRoute] = [
        Route("/road", road),
        Route("/series", series),
        Route("/brands/{name}", brand),
        Route("/health", health),
        WebSocketRoute("/ws", viewer),
        WebSocketRoute("/viss", viss),
    ]
    if (PAGE / "index.html").is_file():
        routes.append(Mount("/", StaticFiles(directory=PAGE, html=True)))
    app: ASGIApp = Starlette(routes=routes, lifespan=running)
    return _Guarded(GZipMiddleware(app, minimum_size=2000), cockpit.port)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """As `asyncio.run`, on the faster loop where it is installed (it comes with the extra)."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        asyncio.run(coroutine)
        return
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(coroutine)


async def serve(cockpit: Cockpit, sock: socket.socket) -> None:
    """Until cancelled or told to stop by a signal."""
    await uvicorn_server(make_app(cockpit)).serve(sockets=[sock])


def uvicorn_server(app: ASGIApp) -> uvicorn.Server:
    """With the bounds that hold for everybody."""
    config = uvicorn.Config(
        app,
        log_level="error",
        ws_max_size=access.LARGEST_MESSAGE,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        limit_concurrency=3 * access.MOST_VIEWERS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        server_header=False,
        ws="websockets-sansio",
    )
    return uvicorn.Server(config)


class _Guarded:
    """Refuses foreign hosts, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app, self._port = app, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if not access.host_is_ours(host, self._port):
            await PlainTextResponse("unknown host", status_code=421)(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.encode(), v.encode()) for k, v in access.HEADERS.items()]
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        await self._app(scope, receive, sending)


async def _feed_signals(cockpit: Cockpit) -> None:
    """Each frame's values to whoever speaks VISS; nothing is computed while nobody does."""
    seen: Any = None
    while True:
        frame = cockpit.source.frame
        if frame is not seen and frame is not None and cockpit.viss:
            seen = frame
            await _show_signals(cockpit, frame)
        await asyncio.sleep(SIGNALS_LOOK_S)


async def _show_signals(cockpit: Cockpit, frame: dict[str, Any]) -> None:
    values = values_of(frame, cockpit.source.road) | cockpit.written
    await cockpit.signals.show(values, stamp())


def _write(cockpit: Cockpit, path: str, value: str) -> None:
    """An app wrote a signal that it may; the pages are told."""
    cockpit.written[path] = value
    cockpit.signals.values = cockpit.signals.values | {path: value}
    cockpit.hub.tell(packed("written", {"path": path, "value": value}))


def _json(content: Any) -> Response:
    return Response(
        json.dumps(content, separators=(",", ":"), allow_nan=False), media_type="application/json"
    )


def _refused(cockpit: Cockpit, websocket: WebSocket) -> bool:
    headers = websocket.headers
    full = len(cockpit.hub.viewers) >= access.MOST_VIEWERS
    return full or not (
        access.host_is_ours(headers.get("host"), cockpit.port)
        and access.origin_is_ours(headers.get("origin"), cockpit.port)
    )


async def _serve_viewer(cockpit: Cockpit, websocket: WebSocket) -> None:
    """One page: it is sent what happens, and what it asks for is answered."""
    if _refused(cockpit, websocket) or PROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.close(1008)
        return
    await websocket.accept(subprotocol=PROTOCOL)
    viewer = cockpit.hub.join()
    viewer.tell(packed("welcome", _welcome(cockpit)))
    viewer.tell(packed("state", cockpit.source.state()))

    async def sending() -> None:
        while True:
            await websocket.send_text(await viewer.next())

    sender = asyncio.create_task(sending())
    try:
        await _listen(cockpit, websocket, viewer.tell)
    finally:
        cockpit.hub.leave(viewer)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


def _welcome(cockpit: Cockpit) -> dict[str, Any]:
    return {
        "live": cockpit.source.live,
        "hears": list(cockpit.source.known),
        "brand": cockpit.brand,
        "brands": brand_names(),
    }


async def _listen(cockpit: Cockpit, websocket: WebSocket, tell: Any) -> None:
    allowance = access.Allowance(at_s=time.monotonic())
    commands = False
    while True:
        try:
            message = await websocket.receive()
        except (WebSocketDisconnect, RuntimeError):
            return
        if message["type"] == "websocket.disconnect":
            return
        data = message.get("text") or message.get("bytes") or ""
        allowance, heard = access.spend(allowance, time.monotonic())
        if access.is_cut_off(allowance):
            await websocket.close(1008)
            return
        if not heard:
            tell(_answer(0, 429, "too many messages; the last ones were not heard"))
            continue
        try:
            command = read_command(data)
        except MarqueError as error:
            tell(_answer(0, 400, str(error)))
            continue
        if command.do == "hello":
            commands = access.token_fits(cockpit.token, command.token)
            tell(packed("you", {"command": commands}))
        elif not commands:
            tell(_answer(command.id, 401, "this page may look only: it has no token"))
        else:
            tell(_carry_out(cockpit, command))


def _carry_out(cockpit: Cockpit, command: Any) -> str:
    source = cockpit.source
    speed = source.frame["speed"]["mps"] if source.frame is not None and source.live else 0.0
    try:
        need_heard(command, source.known, speed)
        if command.do == "brand":
            load_brand(command.name)
            cockpit.brand = command.name
            cockpit.hub.tell(packed("brand", command.name))
            done: dict[str, Any] = {}
        else:
            done = source.command(command)
    except MarqueError as error:
        return _answer(command.id, 409, str(error))
    return packed("done", {"id": command.id, "do": command.do, "is": done})


def _answer(number: int, code: int, text: str) -> str:
    return packed("refused", {"id": number, "code": code, "text": text})
