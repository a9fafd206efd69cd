"""A log, replayed to all viewers at once: one clock, one frame at a time.

Frames are made in a thread, from the first on; until one is ready the clock waits at it.
"""

import asyncio
import threading
import time
from typing import Any

import numpy as np

from marque.cockpit import clock as clocks
from marque.cockpit.commands import REPLAY
from marque.cockpit.frames import Shown, begin_stage, frame
from marque.cockpit.hub import Hub
from marque.cockpit.road import other_ways, road_scene, ways_json
from marque.cockpit.series import Series
from marque.cockpit.source import frame_message, packed
from marque.core.errors import MarqueError
from marque.core.time import seconds
from marque.types.episode import Episode

LOOKS_S = 0.02  # between two looks at the clock
TOLD_S = 0.5  # between two messages about the clock


class Replay:
    """A source (`cockpit.source`). MarqueError: the log holds no tick."""

    live = False
    known: tuple[str, ...] = REPLAY

    def __init__(self, episode: Episode, name: str) -> None:
        if not episode.ticks:
            raise MarqueError(f"{name} holds no tick; there is nothing to replay")
        self.name = name
        self.episode = episode
        self.road = road_scene(episode)
        self.series = Series()
        self.frame: dict[str, Any] | None = None
        self._stage = begin_stage(episode, np.array(self.road["origin_m"]))
        self.road["ways"] = self._ways()
        self.road["events"] = self._events()
        self._frames: list[dict[str, Any]] = []
        self._times = np.array([seconds(tick.world.t_ns) for tick in episode.ticks])
        self._begin_s, self._end_s = float(self._times[0]), float(self._times[-1])
        self._clock = clocks.Clock(self._end_s - self._begin_s, wall_s=time.monotonic(), runs=True)
        self._changed = True
        self._shown = -1
        self._stopped = threading.Event()
        self._worker = threading.Thread(target=self._make, daemon=True)

    def state(self) -> dict[str, Any]:
        """Of the clock."""
        now = clocks.at(self._clock, time.monotonic())
        return {
            "live": False,
            "name": self.name,
            "begin_s": round(self._begin_s, 2),
            "end_s": round(self._end_s, 2),
            "t_s": round(min(self._begin_s + now, self._ready_s()), 2),
            "ready_s": round(self._ready_s(), 2),
            "plays": self._clock.runs and now < self._clock.end_s,
            "speed": self._clock.speed,
            "end": self.episode.end,
            "over": now >= self._clock.end_s,
        }

    def _ready_s(self) -> float:
        """Up to when frames are made."""
        return float(self._times[max(0, len(self._frames) - 1)])

    def command(self, command: Any) -> dict[str, Any]:
        """Of the clock."""
        now = time.monotonic()
        if command.do == "play":
            self._clock = clocks.played(self._clock, now)
        elif command.do == "pause":
            self._clock = clocks.paused(self._clock, now)
        elif command.do == "seek":
            self._clock = clocks.sought(self._clock, now, command.t_s - self._begin_s)
        elif command.do == "speed":
            self._clock = clocks.hastened(self._clock, now, command.factor)
        elif command.do == "jump":
            self._jump(command.way, now)
        self._changed = True
        return self.state()

    def _jump(self, way: str, now: float) -> None:
        here = self._begin_s + clocks.at(self._clock, now)
        times = sorted({each["t"] for each in self.road["events"]})
        after = [t for t in times if t > here + 0.25]
        before = [t for t in times if t < here - 1.0]
        if way == "next" and not after:
            raise MarqueError("there is no event after this")
        if way == "previous" and not before:
            raise MarqueError("there is no event before this")
        to_s = after[0] if way == "next" else before[-1]
        self._clock = clocks.sought(self._clock, now, to_s - self._begin_s)

    async def run(self, hub: Hub) -> None:
        """Show what the clock says."""
        self._worker.start()
        told = 0.0
        try:
            while True:
                self._show(hub)
                now = time.monotonic()
                if self._changed or now - told > TOLD_S:
                    self._changed, told = False, now
                    hub.tell(packed("state", self.state()))
                await asyncio.sleep(LOOKS_S)
        finally:
            self._stopped.set()

    def _show(self, hub: Hub) -> None:
        now = time.monotonic()
        t_s = clocks.at(self._clock, now)
        k = int(np.searchsorted(self._times, self._begin_s + t_s + 1e-6, side="right")) - 1
        if k >= len(self._frames):  # not made yet: the clock waits
            k = len(self._frames) - 1
            if k < 0:
                return
            self._clock = clocks.sought(self._clock, now, self._ready_s() - self._begin_s)
        if k != self._shown or self._changed:
            self._shown, self.frame = k, self._frames[k]
            hub.show(frame_message(self.frame))

    def _make(self) -> None:
        """All frames, in order."""
        shown = Shown()
        events = sorted(self.episode.events, key=lambda each: each.t_ns)
        told = 0
        for k, tick in enumerate(self.episode.ticks):
            if self._stopped.is_set():
                return
            last = k + 1 == len(self.episode.ticks)
            new = told
            while new < len(events) and (last or events[new].t_ns <= tick.world.t_ns):
                new += 1
            shown, made = frame(self._stage, shown, tick, events[told:new])
            told = new
            self.series.add(made)
            self._frames.append(made)

    def _ways(self) -> list[dict[str, Any]]:
        stage, episode = self._stage, self.episode
        place = stage.index.nearest(*episode.start_xy_m, max_m=5.0)
        if stage.route is None or place is None:
            return []
        try:
            found = other_ways(episode.road_map, stage.route, place[0], place[1])
        except MarqueError:
            return []
        return ways_json(found, stage.origin)

    def _events(self) -> list[dict[str, Any]]:
        return [
            {"t": round(seconds(each.t_ns), 2), "kind": each.kind, "text": each.text}
            for each in sorted(self.episode.events, key=lambda each: each.t_ns)
        ]
