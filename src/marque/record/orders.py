"""An order of supervision as one JSON object, and back: who drives, and what is asked of them.

Orders stand in a log by their changes alone. What is without bound is null there.
"""

import dataclasses
import json
import math
from typing import Any

from marque.types.episode import Tick
from marque.types.takeover import Cause, Mode, Order

_OPEN = ("countdown_s", "brake_cap_mps2", "most_mps")  # inf: without bound


def encode_order(t_ns: int, order: Order) -> bytes:
    """One `marque.Order` message."""
    fields: dict[str, Any] = dataclasses.asdict(order)
    for name in _OPEN:
        fields[name] = fields[name] if math.isfinite(fields[name]) else None
    fields |= {"t_ns": int(t_ns), "mode": int(order.mode), "cause": int(order.cause)}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def decode_order(data: bytes) -> tuple[int, Order]:
    """(t_ns, order). Raises ValueError, KeyError or TypeError when the bytes are none."""
    fields = json.loads(data)
    t_ns = int(fields.pop("t_ns"))
    fields["mode"], fields["cause"] = Mode(fields["mode"]), Cause(fields["cause"])
    for name in _OPEN:
        fields[name] = math.inf if fields[name] is None else fields[name]
    return t_ns, Order(**fields)


def with_orders(ticks: list[Tick], orders: list[tuple[int, Order]]) -> list[Tick]:
    """The ticks, each with the orders that came during its frame: those of its own time and until
    the next tick."""
    if not orders:
        return ticks
    orders = sorted(orders, key=lambda each: each[0])
    found: list[Tick] = []
    at = 0
    for k, tick in enumerate(ticks):
        end = ticks[k + 1].world.t_ns if k + 1 < len(ticks) else None
        begin = at
        while at < len(orders) and (end is None or orders[at][0] < end):
            at += 1
        mine = tuple(orders[begin:at])
        found.append(dataclasses.replace(tick, orders=mine) if mine else tick)
    return found
