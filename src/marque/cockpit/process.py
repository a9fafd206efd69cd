"""The process of a live cockpit: `python -m marque.cockpit.process LISTEN_FD LINK_FD`.

It is started by a drive (`cockpit.link`), serves the page on the socket that it is given, and ends
when the drive closes the link.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import sys

from marque.cockpit import server, wire
from marque.cockpit.live import Live, read_link
from marque.cockpit.server import Cockpit, make_app, uvicorn_server

NICE = 5  # the drive goes first


async def run(listen: socket.socket, link: socket.socket) -> None:
    """Serve until the link is closed."""
    link.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=link, limit=1 << 20)
    kind, size = wire.HEAD.unpack(await reader.readexactly(wire.HEAD.size))
    if kind != wire.OPEN:
        return
    opening = pickle.loads(await reader.readexactly(size))
    live = Live(opening["episode"], writer.write)
    cockpit = Cockpit(live, opening["port"], opening["token"], opening["brand"])
    serves = uvicorn_server(make_app(cockpit))
    serving = asyncio.create_task(serves.serve(sockets=[listen]))
    await read_link(reader, live)
    await asyncio.sleep(0.3)  # the last picture is on its way
    serves.should_exit = True
    await serving


def main() -> int:
    """Entry point."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    listen = socket.socket(fileno=int(sys.argv[1]))
    link = socket.socket(fileno=int(sys.argv[2]))
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        server.run(run(listen, link))
    return 0


if __name__ == "__main__":
    sys.exit(main())
