"""A cockpit's server in a thread, on a port of its own, for tests that speak to it."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marque.cockpit.replay import Replay
from marque.cockpit.server import PROTOCOL, Cockpit, make_app, open_port, run, uvicorn_server
from marque.types.episode import Episode

TOKEN = "a token for tests"


@dataclass
class Served:
    """Where it listens, and what it serves."""

    port: int
    cockpit: Cockpit

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}/{path}"


@contextlib.contextmanager
def served(episode: Episode, token: str = TOKEN) -> Iterator[Served]:
    """While the block runs."""
    replay = Replay(episode, "test.mcap")
    sock = open_port(None)
    port = sock.getsockname()[1]
    cockpit = Cockpit(replay, port, token)
    server = uvicorn_server(make_app(cockpit))
    thread = threading.Thread(target=lambda: run(server.serve(sockets=[sock])))
    thread.start()
    try:
        wait(lambda: server.started)
        yield Served(port, cockpit)
    finally:
        server.should_exit = True
        thread.join(20.0)
        sock.close()


def wait(ready: Any, seconds: float = 20.0) -> Any:
    """Until something is so; AssertionError when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ready():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def page(served: Served) -> Any:
    """A connection as the page opens it, to be used as a context."""
    from websockets.sync.client import connect

    return connect(served.url("ws"), subprotocols=[PROTOCOL], max_size=None)


def heard(socket: Any, kind: str, seconds: float = 20.0) -> Any:
    """The next message of a kind."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = json.loads(socket.recv(timeout=seconds))
        if message["kind"] == kind:
            return message["is"]
    raise AssertionError(f"no {kind} came")
