"""A drive log back as an Episode.

Kept without loss: every tick whole (truth, signal heads, plan with fall-back and margins, command,
verdicts, reason, jerk), every event, order and reading, the header and the end. Read back,
`episode_hash` gives what the log says. Works on cut-off logs too; then `end` is "cut off".
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mcap.records import Channel, Message, Metadata

from marque.core.errors import MarqueError
from marque.maps.library import open_map
from marque.record.codec import decode_tick
from marque.record.deliveries import decode_delivery
from marque.record.hashing import episode_from_header, road_map_hash
from marque.record.orders import decode_order, with_orders
from marque.record.scan import Scan
from marque.types.episode import Episode, Event, Tick
from marque.types.road_map import RoadMap

CUT_OFF = "cut off"


@dataclass(slots=True)
class DriveRecords:
    """What stands in a drive log, before it becomes an Episode."""

    scan: Scan
    header: bytes = b""
    ticks: list[bytes] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    deliveries: list[bytes] = field(default_factory=list)
    orders: list[bytes] = field(default_factory=list)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)  # by topic
    last_ns: int = 0


def read_records(path: Path, keep_ticks: bool = True) -> DriveRecords:
    """Walk the log once. Raises MarqueError when it is no MCAP file."""
    found = DriveRecords(Scan(path))
    topics: dict[int, str] = {}
    for record in found.scan.records():
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Metadata):
            found.metadata[record.name] = record.metadata
        elif isinstance(record, Message) and record.channel_id in topics:
            topic = topics[record.channel_id]
            found.messages[topic] = found.messages.get(topic, 0) + 1
            found.last_ns = max(found.last_ns, record.log_time)
            if topic == "/marque/header":
                found.header = record.data
            elif topic == "/marque/tick" and keep_ticks:
                found.ticks.append(record.data)
            elif topic == "/marque/delivery" and keep_ticks:
                found.deliveries.append(record.data)
            elif topic == "/marque/order":
                found.orders.append(record.data)
            elif topic == "/marque/event":
                found.events.append(record.data)
    return found


def read_episode(path: Path, road_map: RoadMap) -> Episode:
    """The drive in the log, on the map that it was driven on.

    Raises MarqueError: no drive log, or the map is another one.
    """
    return episode_of(path, read_records(path), road_map)


def open_drive(path: Path, map_name: str = "") -> Episode:
    """The drive in the log, on the map that the log names, or on `map_name`.

    Raises MarqueError: no drive log, or its map is not at hand.
    """
    found = read_records(path)
    named = _map_of(path, found)
    try:
        road_map, _ = open_map(map_name or named)
    except MarqueError as error:
        if map_name:
            raise
        raise MarqueError(
            f"{path} was driven on map '{named}', which is not at hand under that name; "
            f"say where it is with --map FILE ({error})"
        ) from error
    return episode_of(path, found, road_map)


def _map_of(path: Path, found: DriveRecords) -> str:
    _need_drive(path, found)
    try:
        return str(json.loads(found.header)["map"])
    except (ValueError, KeyError, TypeError) as error:
        raise MarqueError(f"{path} holds a drive of another version of marque: {error}") from error


def _need_drive(path: Path, found: DriveRecords) -> None:
    if not found.header:
        raise MarqueError(f"{path} holds no drive of marque (topic /marque/header is missing)")


def episode_of(path: Path, found: DriveRecords, road_map: RoadMap) -> Episode:
    """Records as an Episode. Raises as `read_episode`."""
    _need_drive(path, found)
    try:
        header = json.loads(found.header)
        driven = header["map_hash"]
        if driven != road_map_hash(road_map):
            raise MarqueError(
                f"{path} was driven on map '{header['map']}' (hash {driven[:12]}), "
                f"not on this '{road_map.name}' (hash {road_map_hash(road_map)[:12]})"
            )
        episode = episode_from_header(header, road_map)
        ticks: list[Tick] = [decode_tick(tick) for tick in found.ticks]
        ticks = with_orders(ticks, [decode_order(order) for order in found.orders])
        readings = [decode_delivery(delivery) for delivery in found.deliveries]
        events = [Event(**json.loads(event)) for event in found.events]
    except (ValueError, KeyError, TypeError) as error:
        raise MarqueError(f"{path} holds a drive of another version of marque: {error}") from error
    episode.ticks.extend(ticks)
    episode.events.extend(events)
    episode.readings.extend(readings)
    episode.end = found.metadata.get("marque.end", {}).get("end", CUT_OFF)
    return episode
