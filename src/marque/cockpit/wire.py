"""What passes between a drive and its cockpit's process: frames (kind, length, payload) one way,
lines of JSON the other way. Pure; both ends belong to the same user on the same machine."""

import pickle
import struct
from dataclasses import dataclass, replace
from typing import Any

from marque.record.codec import decode_tick, encode_tick
from marque.record.orders import decode_order, encode_order
from marque.types.episode import Event, Tick

HEAD = struct.Struct("<BI")
OPEN, TICK, FACTS, END, STAGE, REFUSED = 1, 2, 3, 4, 5, 6
LARGEST = 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One tick with what is new: events, and facts that stand in no tick."""

    tick: Tick
    events: tuple[Event, ...]
    facts: dict[str, Any]


def message(kind: int, content: Any) -> bytes:
    """One frame."""
    payload = pickle.dumps(content, protocol=5)
    return HEAD.pack(kind, len(payload)) + payload


def pack_tick(tick: Tick, events: tuple[Event, ...], facts: dict[str, Any]) -> bytes:
    """A tick as a frame."""
    orders = [encode_order(t_ns, order) for t_ns, order in tick.orders]
    return message(TICK, (encode_tick(tick), orders, events, facts))


def unpack_tick(content: Any) -> Told:
    """The tick of a frame's content."""
    data, orders, events, facts = content
    tick = decode_tick(data)
    if orders:
        tick = replace(tick, orders=tuple(decode_order(each) for each in orders))
    return Told(tick, tuple(events), facts)
