"""A drive that goes on, as a source: frames come through the link, wishes go back."""

import asyncio
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from marque.cockpit import wire
from marque.cockpit.commands import LIVE
from marque.cockpit.frames import Shown, begin_stage, frame
from marque.cockpit.hub import Hub
from marque.cockpit.road import other_ways, road_scene, ways_json
from marque.cockpit.series import Series
from marque.cockpit.source import frame_message, packed
from marque.core.errors import MarqueError
from marque.types.episode import Episode

TOLD_S = 0.5


class Live:
    """A source (`cockpit.source`)."""

    live = True
    known: tuple[str, ...] = LIVE

    def __init__(self, episode: Episode, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._episode = episode
        self.series = Series()
        self.frame: dict[str, Any] | None = None
        self._shown = Shown()
        self._facts: dict[str, Any] = {}
        self._end = ""
        self._events: list[dict[str, Any]] = []
        self._begin_s = 0.0
        self._incoming: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
        self._set_stage()

    def _set_stage(self) -> None:
        self.road = road_scene(self._episode)
        self._stage = begin_stage(self._episode, np.array(self.road["origin_m"]))
        self.road["ways"] = self._ways()
        self.road["events"] = self._events

    def _ways(self) -> list[dict[str, Any]]:
        stage = self._stage
        begin = self._episode.route_xy_m[0] if len(self._episode.route_xy_m) else None
        place = None
        if begin is not None:
            place = stage.index.nearest(float(begin[0]), float(begin[1]), max_m=5.0)
        if stage.route is None or place is None:
            return []
        try:
            found = other_ways(self._episode.road_map, stage.route, place[0], place[1])
        except MarqueError:
            return []
        return ways_json(found, stage.origin)

    def state(self) -> dict[str, Any]:
        """Of the drive."""
        t_s = self.frame["t"] if self.frame is not None else 0.0
        return {
            "live": True,
            "name": self.road["map"],
            "begin_s": 0.0,
            "end_s": t_s,
            "t_s": t_s,
            "ready_s": t_s,
            "plays": not self._facts.get("paused", False) and not self._end,
            "speed": self._facts.get("pace", 1.0),
            "end": self._end,
            "over": bool(self._end),
        }

    def command(self, command: Any) -> dict[str, Any]:
        """Handed on to the drive. MarqueError: it is over."""
        if self._end:
            raise MarqueError("the drive is over")
        self._send(json.dumps(command.model_dump()).encode() + b"\n")
        return {}

    def feed(self, kind: int, content: Any) -> None:
        """A frame came through the link."""
        self._incoming.put_nowait((kind, content))

    async def run(self, hub: Hub) -> None:
        """Show what comes."""
        told = 0.0
        loop = asyncio.get_running_loop()
        while True:
            kind, content = await self._incoming.get()
            newest = self._incoming.empty()
            self._take(kind, content, hub, newest)
            if kind != wire.TICK or loop.time() - told > TOLD_S:
                told = loop.time()
                hub.tell(packed("state", self.state()))

    def _take(self, kind: int, content: Any, hub: Hub, newest: bool) -> None:
        if kind == wire.TICK:
            self._tick(wire.unpack_tick(content), hub, newest)
        elif kind == wire.FACTS:
            self._facts = content
        elif kind == wire.END:
            self._end = content or "over"
        elif kind == wire.REFUSED:
            number, why = content
            hub.tell(packed("refused", {"id": number, "code": 409, "text": why}))
        elif kind == wire.STAGE:
            for name, value in content.items():
                setattr(self._episode, name, value)
            self._set_stage()
            self._shown = replace(self._shown)
            hub.tell(packed("stage", {}))

    def _tick(self, told: wire.Told, hub: Hub, newest: bool) -> None:
        self._facts = told.facts
        self._shown, made = frame(self._stage, self._shown, told.tick, list(told.events))
        made["speed"]["set_mps"] = told.facts.get("set_mps")
        made["speed"]["gap_s"] = told.facts.get("gap_s")
        made["person"] = told.facts.get("person")
        self._events += made["events"]
        self.series.add(made)
        self.frame = made
        if newest:  # who lags catches up
            message = frame_message(made)
            sent_ms = told.facts.get("wall_ms")
            hub.show(message if sent_ms is None else _left_at(made, sent_ms))


def _left_at(made: dict[str, Any], wall_ms: float) -> str:
    """With the wall clock at which the drive handed it over."""
    return packed("frame", made | {"wall_ms": wall_ms})


async def read_link(reader: asyncio.StreamReader, live: "Live") -> None:
    """Until the drive closes the link."""
    try:
        while True:
            kind, size = wire.HEAD.unpack(await reader.readexactly(wire.HEAD.size))
            live.feed(kind, pickle.loads(await reader.readexactly(size)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return
