"""The drive's end of a live cockpit: hand over each tick, take wishes, never wait.

The server lives in a process of its own (`cockpit.process`). When it dies the drive goes on, and
another one is started at the same address, a few times. What it does not take is lost, not waited
for.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from marque.cockpit import wire
from marque.cockpit.access import new_token
from marque.cockpit.server import address, open_port
from marque.types.episode import Episode, Event, Tick

QUEUE_BYTES = 4 << 20  # beyond it, ticks are lost
STARTS = 4  # of the server, at most
AGAIN_S = 1.0  # between two of them
LINGERS_S = 2.0  # after the drive, for the last picture to arrive


class Link:
    """One live cockpit. MarqueError: the port is in use."""

    def __init__(self, episode: Episode, port: int | None, brand: str) -> None:
        self._episode = episode
        self._brand = brand
        self._listen = open_port(port)
        self.port = int(self._listen.getsockname()[1])
        self.token = new_token()
        self.lost = 0  # ticks that the server did not take
        self.starts = 0
        self._begun_s = 0.0
        self._queue: deque[memoryview] = deque()
        self._bytes = 0
        self._heard = b""
        self._child: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._start()

    @property
    def address(self) -> str:
        """Of the page, with the token."""
        return address(self.port, self.token)

    def tick(self, tick: Tick, events: tuple[Event, ...], facts: dict[str, Any]) -> None:
        """Hand over one tick."""
        if not self._alive():
            self.lost += 1
            return
        if self._bytes > QUEUE_BYTES:
            self.lost += 1
            self._push()
            return
        self._send(wire.pack_tick(tick, events, facts))

    def facts(self, facts: dict[str, Any]) -> None:
        """What changed while no tick comes."""
        if self._alive():
            self._send(wire.message(wire.FACTS, facts))

    def stage(self) -> None:
        """The episode's way has changed."""
        if self._alive():
            self._send(wire.message(wire.STAGE, _way(self._episode)))

    def refuse(self, number: int, why: str) -> None:
        """A wish that cannot be carried out."""
        if self._alive():
            self._send(wire.message(wire.REFUSED, (number, why)))

    def wishes(self) -> list[dict[str, Any]]:
        """What the pages asked for since the last call."""
        if not self._alive() or self._socket is None:
            return []
        self._push()
        with contextlib.suppress(BlockingIOError, OSError):
            while part := self._socket.recv(65536):
                self._heard += part
        *lines, self._heard = self._heard.split(b"\n")
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def end(self, end: str) -> None:
        """The drive is over."""
        if self._alive():
            self._send(wire.message(wire.END, end))
            until = time.monotonic() + LINGERS_S
            while self._queue and time.monotonic() < until and self._alive():
                self._push()
                time.sleep(0.01)

    def close(self) -> None:
        """End the server; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(LINGERS_S + 3.0)
            if self._child.poll() is None:
                self._child.kill()
                self._child.wait()
            self._child = None
        self._listen.close()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._queue.clear()
        self._bytes, self._heard = 0, b""
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        listen, link = self._listen.fileno(), theirs.fileno()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "marque.cockpit.process", str(listen), str(link)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(listen, link),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the drive
        )
        theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self.starts += 1
        self._begun_s = time.monotonic()
        opening = {
            "episode": _bare(self._episode),
            "port": self.port,
            "token": self.token,
            "brand": self._brand,
        }
        self._send(wire.message(wire.OPEN, opening))

    def _alive(self) -> bool:
        """Whether the server runs; one that died is started again after a while."""
        if self._child is not None and self._child.poll() is None and self._socket is not None:
            return True
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self.starts < STARTS and time.monotonic() - self._begun_s > AGAIN_S:
            self._start()
            return True
        return False

    def _send(self, frame: bytes) -> None:
        self._queue.append(memoryview(frame))
        self._bytes += len(frame)
        self._push()

    def _push(self) -> None:
        """Give the socket what it takes now."""
        if self._socket is None:
            return
        try:
            while self._queue:
                sent = self._socket.send(self._queue[0])
                self._bytes -= sent
                if sent < len(self._queue[0]):
                    self._queue[0] = self._queue[0][sent:]
                else:
                    self._queue.popleft()
        except BlockingIOError:
            return
        except OSError:  # it is gone; the next tick starts another
            self._queue.clear()
            self._bytes = 0


def _bare(episode: Episode) -> Episode:
    """Its header alone."""
    names = (
        "road_map", "platform", "driver", "seed", "traffic", "start_xy_m", "goal_xy_m",
        "goal_lane", "goal_s_m", "route_xy_m", "route_length_m",
    )  # fmt: skip
    return Episode(**{name: getattr(episode, name) for name in names})


def _way(episode: Episode) -> dict[str, Any]:
    names = ("goal_xy_m", "goal_lane", "goal_s_m", "route_xy_m", "route_length_m")
    return {name: getattr(episode, name) for name in names}
