"""What makes two drives the same: one hash over everything but the wall clock.

A chain: the header first, then each tick over the hash so far, then events, readings, orders of
supervision, and the end.
Two runs with the same inputs and seed give the same hash on one machine type; changing, adding or
leaving out a tick changes it.
"""

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np

from marque.record.codec import encode_tick
from marque.record.deliveries import encode_delivery
from marque.record.orders import encode_order
from marque.types.episode import Episode, Event
from marque.types.platform import Actuator, Platform, drivetrain_of
from marque.types.road_map import RoadMap


class Chain:
    """The running hash of a drive that is being written."""

    __slots__ = ("_digest", "_events", "_orders", "_readings", "ticks")

    def __init__(self, header: dict[str, Any]) -> None:
        self._digest = hashlib.sha256(canonical(header)).digest()
        self._events = hashlib.sha256()
        self._readings: Any = None  # a drive without readings has the hash that it always had
        self._orders: Any = None  # nor does one that nobody supervised change
        self.ticks = 0

    def add_tick(self, payload: bytes) -> None:
        """Over `encode_tick(tick)`."""
        link = hashlib.sha256(self._digest)
        link.update(payload)
        self._digest = link.digest()
        self.ticks += 1

    def add_delivery(self, payload: bytes) -> None:
        """Over `encode_delivery(delivery)`, in the order in which they came."""
        self._readings = self._readings or hashlib.sha256()
        self._readings.update(payload)

    def add_order(self, payload: bytes) -> None:
        """Over `encode_order(t_ns, order)`, in the order in which they came."""
        self._orders = self._orders or hashlib.sha256()
        self._orders.update(payload)

    def add_event(self, event: Event) -> None:
        """In the order in which they happened."""
        self._events.update(canonical(event_fields(event)))

    def end(self, end: str) -> str:
        """Hex digest of the whole drive, if it ended here."""
        last = hashlib.sha256(self._digest)
        last.update(self._events.digest())
        if self._readings is not None:
            last.update(self._readings.digest())
        if self._orders is not None:
            last.update(self._orders.digest())
        last.update(end.encode())
        return last.hexdigest()


def episode_hash(episode: Episode) -> str:
    """Hex digest of a whole drive (64 characters), the same that its log carries."""
    chain = Chain(episode_header(episode))
    for tick in episode.ticks:
        chain.add_tick(encode_tick(tick))
        for t_ns, order in tick.orders:
            chain.add_order(encode_order(t_ns, order))
    for delivery in episode.readings:
        chain.add_delivery(encode_delivery(delivery))
    for event in episode.events:
        chain.add_event(event)
    return chain.end(episode.end)


def road_map_hash(road_map: RoadMap) -> str:
    """Hex digest over every field of the map."""
    digest = hashlib.sha256()
    for field in dataclasses.fields(road_map):
        value = getattr(road_map, field.name)
        digest.update(field.name.encode())
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype.str}{value.shape}".encode())
            digest.update(value.tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def episode_header(episode: Episode) -> dict[str, Any]:
    """Everything that a drive starts with, as plain values that JSON keeps exactly."""
    return {
        "map": episode.road_map.name,
        "map_hash": road_map_hash(episode.road_map),
        "platform": dataclasses.asdict(episode.platform),
        "driver": episode.driver,
        "seed": episode.seed,
        "traffic": episode.traffic,
        "start_xy_m": [float(v) for v in episode.start_xy_m],
        "goal_xy_m": [float(v) for v in episode.goal_xy_m],
        "goal_lane": int(episode.goal_lane),
        "goal_s_m": float(episode.goal_s_m),
        "route_length_m": float(episode.route_length_m),
        "route_xy_m": np.asarray(episode.route_xy_m, dtype=np.float64).tolist(),
    }


def episode_from_header(header: dict[str, Any], road_map: RoadMap) -> Episode:
    """An episode without ticks. Raises KeyError or TypeError when the header is not one."""
    platform = dict(header["platform"])
    for name in ("steer", "drive", "brake"):
        platform[name] = Actuator(**platform[name])
    if platform.get("drivetrain") is not None:
        platform["drivetrain"] = drivetrain_of(platform["drivetrain"])
    start_x, start_y = header["start_xy_m"]
    goal_x, goal_y = header["goal_xy_m"]
    return Episode(
        road_map=road_map,
        platform=Platform(**platform),
        driver=header["driver"],
        seed=header["seed"],
        traffic=header["traffic"],
        start_xy_m=(start_x, start_y),
        goal_xy_m=(goal_x, goal_y),
        goal_lane=header["goal_lane"],
        goal_s_m=header["goal_s_m"],
        route_xy_m=np.array(header["route_xy_m"], dtype=np.float64).reshape(-1, 2),
        route_length_m=header["route_length_m"],
    )


def event_fields(event: Event) -> dict[str, Any]:
    """An event as plain values."""
    return {
        "t_ns": int(event.t_ns),
        "kind": event.kind,
        "text": event.text,
        "x_m": float(event.x_m),
        "y_m": float(event.y_m),
    }


def canonical(value: dict[str, Any]) -> bytes:
    """JSON with sorted keys and exact floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
