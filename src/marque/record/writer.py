"""The driving side of a log: hand over each tick, never wait.

`drive.mcap` grows under its own name: a log is the one file that is useful half-written, and
`marque log recover` finishes it after a kill. Everything else about the file happens in another
process (`record.process`), which also closes it when this one dies.
"""

import contextlib
import json
import os
import pickle
import select
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from marque.core.errors import MarqueError
from marque.record import process
from marque.record.codec import encode_tick
from marque.record.deliveries import encode_delivery
from marque.record.hashing import Chain, canonical, episode_header, event_fields
from marque.record.orders import encode_order
from marque.record.recover import recover
from marque.record.viewer import sketch
from marque.types.episode import Episode, Event, Tick
from marque.types.reading import Delivery

QUEUE_BYTES = (
    64 << 20
)  # about five minutes of a busy city; beyond it, ticks are dropped and counted
PIPE_BYTES = 1 << 20
STALL_S = 60.0  # a writer that takes nothing for so long is given up
_F_SETPIPE_SZ = 1031  # linux/fcntl.h


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a closed log holds."""

    path: Path
    episode_hash: str  # of every tick given, the dropped ones too
    ticks: int
    dropped: int


class Recorder:
    """Writes one drive. Opening takes half a second, for the writer's process to start; `append`
    costs about a quarter of a millisecond and never blocks. With `waits`, for a drive that is over
    already, it waits for the writer instead of dropping ticks.

    Raises MarqueError when the file cannot be written (folder, disk full, writer killed); the log
    is then closed and holds what came before.
    """

    def __init__(self, path: Path, episode: Episode, waits: bool = False) -> None:
        self._path = path
        self._waits = waits
        self._queue: deque[memoryview] = deque()
        self._queued_bytes = 0
        self._dropped = 0
        self._recorded: Recorded | None = None
        _need_writable(path)
        header = episode_header(episode)
        self._chain = Chain(header)
        self._child = _start(path)
        assert self._child.stdin is not None
        self._pipe = self._child.stdin.fileno()
        os.set_blocking(self._pipe, False)
        self._await_ready()
        self._send(process.OPEN, pickle.dumps(_opening(episode, header), protocol=5))

    def append(self, tick: Tick) -> None:
        """Hand over one tick."""
        self._need_open()
        payload = encode_tick(tick)
        self._chain.add_tick(payload)
        for t_ns, order in tick.orders:  # few, and never dropped
            line = encode_order(t_ns, order)
            self._chain.add_order(line)
            self._send(process.ORDER, line)
        if self._queued_bytes > QUEUE_BYTES and self._waits:
            self._drain()
        if self._queued_bytes > QUEUE_BYTES:
            self._dropped += 1
            self._push()
            return
        self._send(process.TICK, payload)

    def deliver(self, delivery: Delivery) -> None:
        """Hand over what sensors delivered; for recorded drives, whose log waits."""
        self._need_open()
        payload = encode_delivery(delivery)
        self._chain.add_delivery(payload)
        if self._queued_bytes > QUEUE_BYTES:
            self._drain()
        self._send(process.DELIVERY, payload)

    def event(self, event: Event) -> None:
        """Hand over one event; events are never dropped."""
        self._need_open()
        self._chain.add_event(event)
        self._send(process.EVENT, canonical(event_fields(event)))

    def close(self, end: str) -> Recorded:
        """Finish the log; `end` as in `Episode.end`. Waits for the writer. May be called twice."""
        if self._recorded is not None:
            return self._recorded
        recorded = Recorded(self._path, self._chain.end(end), self._chain.ticks, self._dropped)
        self._recorded = recorded
        last = {
            "end": end,
            "episode_hash": recorded.episode_hash,
            "ticks": str(recorded.ticks),
            "ticks_dropped": str(recorded.dropped),
        }
        self._send(process.END, canonical(last))
        self._drain()
        self._reap()
        return recorded

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._recorded is not None:
            return
        if error is None:
            self.close("")
            return
        with contextlib.suppress(MarqueError):  # the first trouble is the one to report
            self.close("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")

    def _await_ready(self) -> None:
        """The writer takes a moment to start; from then on it keeps up, and a kill costs little."""
        assert self._child.stdout is not None
        if select.select([self._child.stdout], [], [], STALL_S)[0]:
            first = self._child.stdout.readline()
            if first.strip() == process.READY.encode():
                return
            self._reap(first)
        self._child.kill()
        self._reap()

    def _need_open(self) -> None:
        if self._recorded is not None:
            raise MarqueError(f"cannot write {self._path}: the log is closed")

    def _send(self, kind: int, payload: bytes) -> None:
        frame = process.FRAME.pack(kind, len(payload)) + payload
        self._queue.append(memoryview(frame))
        self._queued_bytes += len(frame)
        self._push()

    def _push(self) -> None:
        """Give the pipe what it takes now."""
        try:
            while self._queue:
                sent = os.write(self._pipe, self._queue[0])
                self._queued_bytes -= sent
                if sent < len(self._queue[0]):
                    self._queue[0] = self._queue[0][sent:]
                else:
                    self._queue.popleft()
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._reap()
            raise MarqueError(f"cannot write {self._path}: the log writer ended") from None

    def _drain(self) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLOUT)
        while self._queue:
            before = self._queued_bytes
            poll.poll(1000.0 * STALL_S)
            self._push()
            if self._queued_bytes == before:
                self._child.kill()

    def _reap(self, heard: bytes = b"") -> None:
        """Close the pipe, wait for the writer, and say what it said; heal what a kill left."""
        self._queue.clear()
        self._queued_bytes = 0
        try:
            said, _ = self._child.communicate(timeout=STALL_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            said, _ = self._child.communicate()
        said = heard + said
        if self._recorded is None:
            self._recorded = Recorded(
                self._path, self._chain.end("cut off"), self._chain.ticks, self._dropped
            )
        problem = _problem(said, self._child.returncode)
        if not problem:
            return
        if not said:  # killed: it had no chance to finish the file itself
            with contextlib.suppress(MarqueError):
                recover(self._path, self._path)
        raise MarqueError(f"cannot write {self._path}: {problem}")


def _need_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("wb").close()
    except OSError as error:
        raise MarqueError(f"cannot write {path}: {error.strerror or error}") from error


def _start(path: Path) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-m", "marque.record.process", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is for the drive; the log closes when the drive says so
    )
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        assert child.stdin is not None
        fcntl.fcntl(child.stdin.fileno(), _F_SETPIPE_SZ, PIPE_BYTES)
    return child


def _opening(episode: Episode, header: dict[str, Any]) -> dict[str, Any]:
    platform = episode.platform
    return {
        "header": canonical(header),
        "metadata": {
            "map": header["map"],
            "map_hash": header["map_hash"],
            "attribution": episode.road_map.attribution,
            "platform": platform.name,
            "driver": episode.driver,
            "seed": str(episode.seed),
            "traffic": episode.traffic,
            "route_length_m": repr(header["route_length_m"]),
            "marque": version("marque"),
            "python": sys.version.split()[0],
        },
        "sketch": sketch(episode.road_map, episode.route_xy_m),
        "ego_box": (
            platform.length_m,
            platform.width_m,
            platform.height_m,
            platform.centre_m,
        ),
    }


def _problem(said: bytes, code: int) -> str:
    """Why the writer ended, "" when all is well."""
    if code == 0:
        return ""
    try:
        return str(json.loads(said)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the log writer was killed (exit {code}); what it had written is kept"
