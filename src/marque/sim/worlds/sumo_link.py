"""The wire to the process in which SUMO lives.

libsumo is a single instance per process and may take its process down with it; so it runs in a
child of its own, and one frame goes there and one comes back per step. A frame is one letter, the
length of the payload (u32, little-endian) and the payload. The child ignores Ctrl-C, ends when
this process ends, and its last words are kept for the error message.
"""

import contextlib
import importlib.util
import os
import pickle
import socket
import struct
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable
from typing import IO, Any

from marque.core.errors import MarqueError

HEAD = struct.Struct("<cI")

ASK = b"Q"  # a pickled (verb, arguments) for everything but steps
STEP = b"S"  # a packed ego state
FRAME = b"F"  # a packed frame of truth
ANSWER = b"A"  # a pickled answer
PROGRESS = b"P"  # text, any number of times before the answer
ERROR = b"E"  # text; the child stays alive


def send(wire: socket.socket, kind: bytes, payload: bytes) -> None:
    """Write one frame."""
    wire.sendall(HEAD.pack(kind, len(payload)) + payload)


def receive(wire: socket.socket) -> tuple[bytes, bytearray]:
    """Read one frame; EOFError when the other side is gone."""
    kind, size = HEAD.unpack(_exactly(wire, HEAD.size))
    return kind, _exactly(wire, size)


def _exactly(wire: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    got = 0
    while got < size:
        count = wire.recv_into(view[got:])
        if count == 0:
            raise EOFError
        got += count
    return data


def need_sumo() -> None:
    """MarqueError when libsumo is not installed."""
    if importlib.util.find_spec("libsumo") is None:
        raise MarqueError(
            "foreign traffic needs SUMO, which is not installed; "
            "install it with: pip install 'marque[sumo]'"
        )


class SumoLink:
    """One child process with one SUMO in it."""

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        need_sumo()
        self._progress = progress
        self._waiting = False
        self._broken = False
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives with the child)
        self._wire, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "marque.sim.worlds.sumo_child", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                start_new_session=True,  # Ctrl-C is for us; we end the child in order
            )
        self._end = weakref.finalize(self, _end, self.process, self._wire, self._words)

    def ask(self, verb: str, *args: Any) -> Any:
        """Call a verb of the child and wait for its answer."""
        self.send(ASK, pickle.dumps((verb, args), protocol=5))
        return pickle.loads(self.receive())

    def send(self, kind: bytes, payload: bytes) -> None:
        """Hand one frame to the child; the answer is fetched by `receive`."""
        if self._broken:
            raise self._dead()
        try:
            send(self._wire, kind, payload)
        except OSError as error:
            raise self._dead() from error
        self._waiting = True

    def receive(self) -> bytearray:
        """Payload of the answer. MarqueError: SUMO refused, or died."""
        while True:
            try:
                kind, payload = receive(self._wire)
            except (EOFError, OSError) as error:
                raise self._dead() from error
            if kind == PROGRESS:
                if self._progress is not None:
                    self._progress(payload.decode())
                continue
            self._waiting = False
            if kind == ERROR:
                raise MarqueError(self._with_words(payload.decode()))
            return payload

    def close(self, patience_s: float = 10.0) -> None:
        """Let SUMO finish its files and end; kill it when it does not. May be called twice."""
        if not self._end.alive:
            return
        if not self._broken:
            with contextlib.suppress(MarqueError, OSError, subprocess.TimeoutExpired):
                self._wire.settimeout(patience_s)
                if self._waiting:
                    self.receive()
                self.ask("close")
                self.process.wait(patience_s)
        self._end()

    def _dead(self) -> MarqueError:
        self._broken = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2.0)
        code = self.process.returncode
        how = "" if code is None else f" (signal {-code})" if code < 0 else f" (exit {code})"
        return MarqueError(self._with_words(f"SUMO died{how} during the drive"))

    def _with_words(self, text: str) -> str:
        words = self.last_words()
        return f"{text}; its last words: {words}" if words else text

    def last_words(self) -> str:
        """The last lines that SUMO wrote, in one line."""
        with contextlib.suppress(OSError, ValueError):
            fd = self._words.fileno()
            size = os.fstat(fd).st_size
            tail = os.pread(fd, 4096, max(0, size - 4096)).decode(errors="replace")
            lines = [line.strip() for line in tail.splitlines() if line.strip()]
            errors = [line for line in lines if line.startswith("Error")]
            return " ".join((errors or lines)[-3:])[:600]
        return ""


def _end(process: "subprocess.Popen[bytes]", wire: socket.socket, words: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        wire.close()
    if process.poll() is None:
        try:
            process.wait(1.0)  # the closed wire tells the child to end
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    words.close()
