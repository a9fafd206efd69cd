"""The process that writes a drive log: `python -m marque.record.process FILE`.

It reads frames (kind, length, payload) from standard input and ends when they end: after an END
frame, or because the driving process is gone. Either way the log is finished and indexed. On
standard output it says that it is ready, and at its end, in one line of JSON, what went wrong.

Chunks are closed at 64 KiB, or earlier when one would hold more than 1 % of the drive so far, so
that killing this very process costs at most that much. Data reach the operating system at once; a
power cut is another matter, for which nothing here syncs the disk.
"""

import json
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from marque.record import viewer
from marque.record.codec import decode_tick
from marque.record.deliveries import stamp_of
from marque.record.log_file import LogFile
from marque.record.orders import decode_order
from marque.record.schemas import (
    EVENT_SCHEMA,
    FOXGLOVE_SET,
    HEADER_SCHEMA,
    MARQUE_SET,
    ORDER_SCHEMA,
    READINGS_SET,
)
from marque.types.episode import Event, Tick

FRAME = struct.Struct("<BI")
OPEN, TICK, EVENT, END, DELIVERY, ORDER = 1, 2, 3, 4, 5, 6
READY = "ready"  # the first line on standard output
PROFILE = ""
FIX_EVERY = 10  # ticks between two positions on the globe
SIGNALS_EVERY = 10  # ticks between two pictures of unchanged signals
TOPICS = (
    # topic, encoding, schema name, schema encoding, schema
    ("/marque/header", "json", "marque.Header", "jsonschema", HEADER_SCHEMA),
    ("/marque/tick", "protobuf", "marque.Tick", "protobuf", MARQUE_SET),
    ("/marque/event", "json", "marque.Event", "jsonschema", EVENT_SCHEMA),
    ("/tf", "protobuf", "foxglove.FrameTransform", "protobuf", FOXGLOVE_SET),
    ("/map", "protobuf", "foxglove.SceneUpdate", "protobuf", FOXGLOVE_SET),
    ("/scene", "protobuf", "foxglove.SceneUpdate", "protobuf", FOXGLOVE_SET),
    ("/signals", "protobuf", "foxglove.SceneUpdate", "protobuf", FOXGLOVE_SET),
    ("/state", "protobuf", "marque.State", "protobuf", MARQUE_SET),
    ("/log", "protobuf", "foxglove.Log", "protobuf", FOXGLOVE_SET),
    ("/position", "protobuf", "foxglove.LocationFix", "protobuf", FOXGLOVE_SET),
)


class DriveLog:
    """Turns frames into messages of one MCAP file."""

    def __init__(self, file: LogFile, opening: dict[str, Any]) -> None:
        self._file = file
        schemas: dict[str, int] = {}
        self._topic: dict[str, int] = {}
        for topic, encoding, name, schema_encoding, schema in TOPICS:
            if name not in schemas:
                schemas[name] = file.schema(name, schema_encoding, schema)
            self._topic[topic] = file.channel(topic, encoding, schemas[name])
        self._road: viewer.Sketch = opening["sketch"]
        self._bars = viewer.signal_bars(self._road)
        self._ego_box = viewer.ego_box(*opening["ego_box"])
        self._globe = _globe(self._road.projection)
        self._heads: Any = None
        self._heads_at = 0
        self._ticks = 0
        self._in_chunk = 0
        self._last_ns = 0
        self._send("/marque/header", 0, opening["header"])
        file.metadata("marque.episode", opening["metadata"])
        self._send("/map", 0, viewer.map_scene(self._road))
        file.end_chunk()

    def tick(self, payload: bytes) -> None:
        """The tick as it came, and what viewers show of it."""
        tick = decode_tick(payload)
        t_ns = self._last_ns = tick.world.t_ns
        self._send("/marque/tick", t_ns, payload)
        self._send("/tf", t_ns, viewer.transform(t_ns, tick))
        self._send("/scene", t_ns, viewer.scene(tick, self._ego_box))
        self._send("/state", t_ns, viewer.state(tick))
        self._signals(tick)
        if self._globe is not None and self._ticks % FIX_EVERY == 0:
            self._position(tick)
        self._ticks += 1
        self._in_chunk += 1
        if self._in_chunk >= max(1, self._ticks // 100):
            self._file.end_chunk()
            self._in_chunk = 0

    def delivery(self, payload: bytes) -> None:
        """What sensors handed over, as it came; `payload` begins with its stamp."""
        topic = "/marque/delivery"
        if topic not in self._topic:  # most drives have none, and need not carry its schema
            schema = self._file.schema("marque.Delivery", "protobuf", READINGS_SET)
            self._topic[topic] = self._file.channel(topic, "protobuf", schema)
        self._send(topic, stamp_of(payload), payload)

    def order(self, payload: bytes) -> None:
        """What supervision orders from now on, as it came; drives without it have no such topic."""
        topic = "/marque/order"
        if topic not in self._topic:
            schema = self._file.schema("marque.Order", "jsonschema", ORDER_SCHEMA)
            self._topic[topic] = self._file.channel(topic, "json", schema)
        self._send(topic, decode_order(payload)[0], payload)

    def event(self, payload: bytes) -> None:
        """An event, for machines and for the viewer's log panel."""
        event = Event(**json.loads(payload))
        self._send("/marque/event", event.t_ns, payload)
        self._send("/log", event.t_ns, viewer.log_line(event))

    def finish(self, end: dict[str, str]) -> None:
        """Index and close."""
        self._file.finish(end)

    def _signals(self, tick: Tick) -> None:
        heads = tick.world.heads
        changed = self._heads is None or not np.array_equal(heads, self._heads)
        if not changed and self._ticks - self._heads_at < SIGNALS_EVERY:
            return
        self._heads, self._heads_at = heads, self._ticks
        ego = tick.world.ego
        t_ns = tick.world.t_ns
        self._send("/signals", t_ns, viewer.signals(t_ns, heads, self._bars, ego.x_m, ego.y_m))

    def _position(self, tick: Tick) -> None:
        east, north = self._road.offset_m
        ego = tick.world.ego
        longitude, latitude = self._globe(ego.x_m - east, ego.y_m - north, inverse=True)
        t_ns = tick.world.t_ns
        self._send("/position", t_ns, viewer.location(t_ns, latitude, longitude))

    def _send(self, topic: str, t_ns: int, data: bytes) -> None:
        self._file.message(self._topic[topic], t_ns, data)


def run(path: Path, source: IO[bytes], ready: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Write the log until the frames end. Returns what to tell the driving process.

    `ready` is called when the file is open and frames will be taken.
    """
    try:
        file = LogFile(path, profile=PROFILE)
    except OSError as error:
        return {"error": error.strerror or str(error)}
    ready()
    log: DriveLog | None = None
    end = {"end": "cut off"}
    problem = ""
    try:
        for kind, payload in _frames(source):
            if kind == OPEN:
                log = DriveLog(file, pickle.loads(payload))
            elif kind == TICK and log is not None:
                log.tick(payload)
            elif kind == DELIVERY and log is not None:
                log.delivery(payload)
            elif kind == ORDER and log is not None:
                log.order(payload)
            elif kind == EVENT and log is not None:
                log.event(payload)
            elif kind == END:
                end = json.loads(payload)
                break
    except OSError as error:
        problem = error.strerror or str(error)
        end = {"end": "cut off", "error": problem}
    try:
        if log is not None:
            log.finish(end)
        else:
            file.finish(end)
    except OSError as error:
        problem = problem or error.strerror or str(error)
    return {"error": problem}


def _frames(source: IO[bytes]) -> Any:
    while len(head := source.read(FRAME.size)) == FRAME.size:
        kind, size = FRAME.unpack(head)
        payload = source.read(size)
        if len(payload) < size:
            return  # the driving process was killed inside a frame
        yield kind, payload


def _globe(projection: str) -> Any:
    """The map's projection, None when the map is not geo-referenced or it is not understood."""
    if not projection:
        return None
    from pyproj import Proj
    from pyproj.exceptions import CRSError

    try:
        return Proj(projection)
    except CRSError:
        return None


def main() -> int:
    """Entry point of the process; it outlives an interrupt, because the log must be closed."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    try:
        report = run(Path(sys.argv[1]), sys.stdin.buffer, lambda: print(READY, flush=True))
    except Exception as error:  # said in words: the driving process has no other way to learn it
        report = {"error": f"the log writer failed ({type(error).__name__}: {error})"}
    print(json.dumps(report), flush=True)
    return 1 if report["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
