"""A live drive with a cockpit: its pace, and wishes of the page, carried out between ticks."""

import time
from collections.abc import Callable
from typing import Any

from marque.cockpit.link import Link
from marque.core.errors import MarqueError
from marque.core.registry import names
from marque.core.time import PLAN_STEP_S
from marque.sim.at_wheel import AtWheel, Held, another_trip
from marque.sim.drive import Setup, load_driver
from marque.stack.planning.contract import AskedDriver
from marque.types.episode import Episode, Tick

POLLS_S = 0.02  # while paused


class Conductor:
    """A watcher of `run_drive`: called after each tick."""

    def __init__(
        self,
        link: Link,
        wheel: AtWheel,
        setup: Setup,
        episode: Episode,
        pace: float,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stopped = stopped
        self._link, self._wheel, self._setup, self._episode = link, wheel, setup, episode
        self._pace = pace  # times real time, 0: as fast as it can
        self._paused = False
        self._due_s = time.monotonic()
        self._told = 0  # events
        self._asked = isinstance(load_driver(setup.driver), AskedDriver)

    def __call__(self, tick: Tick) -> None:
        """Show the tick, hear the wishes, wait until the next is due."""
        events = tuple(self._episode.events[self._told :])
        self._told = len(self._episode.events)
        self._link.tick(tick, events, self._facts())
        self._hear()
        while self._paused and not (self._episode.end or self._stopped()):
            time.sleep(POLLS_S)
            self._hear()
            self._due_s = time.monotonic()
        if self._pace > 0.0:
            self._wait()

    def _wait(self) -> None:
        self._due_s += PLAN_STEP_S / self._pace
        late = time.monotonic() - self._due_s
        if late > 0.5:  # it cannot be made up for
            self._due_s = time.monotonic()
        elif late < 0.0:
            time.sleep(-late)

    def _facts(self) -> dict[str, Any]:
        wheel = self._wheel
        return {
            "person": wheel.facts(),
            "set_mps": wheel.set_mps,
            "gap_s": wheel.headway_s,
            "paused": self._paused,
            "pace": self._pace,
            "wall_ms": round(1000.0 * time.time(), 1),
        }

    def _hear(self) -> None:
        for wish in self._link.wishes():
            try:
                self._carry_out(wish)
            except MarqueError as error:
                self._link.refuse(int(wish.get("id", 0)), str(error))

    def _carry_out(self, wish: dict[str, Any]) -> None:
        wheel, do = self._wheel, wish["do"]
        if do in ("play", "pause"):
            self._paused = do == "pause"
            self._link.facts(self._facts())
        elif do == "speed":
            self._pace = float(wish["factor"])
        elif do == "person":
            wheel.is_now(wish["state"])
        elif do == "act":
            wheel.does(wish["what"])
        elif do == "drive":
            wheel.held = Held(wish["steer"], wish["accelerator"], wish["brake"])
        elif do in ("set_speed", "set_gap"):
            self._set(wish)
        elif do == "destination":
            self._go(wish["place"])
        elif do == "driver":
            self._change_driver(wish["name"])

    def _set(self, wish: dict[str, Any]) -> None:
        if not self._asked:
            raise MarqueError(f"driver '{self._setup.driver}' takes no set speed and no gap")
        if wish["do"] == "set_speed":
            self._wheel.wants(set_mps=wish["mps"])
        else:
            self._wheel.wants(self._wheel.set_mps, wish["headway_s"])

    def _go(self, place: str) -> None:
        setup = self._setup
        if setup.blind is not None or setup.believed is not None:
            raise MarqueError("our car has no true map on this drive; it takes no destination")
        self._wheel.goes = another_trip(self._episode, setup.index, place)
        self._link.stage()

    def _change_driver(self, name: str) -> None:
        if name not in names("driver"):
            raise MarqueError(f"no driver '{name}'; have [{', '.join(names('driver'))}]")
        self._asked = isinstance(load_driver(name), AskedDriver)
        x, y = self._episode.goal_xy_m
        self._wheel.goes = another_trip(self._episode, self._setup.index, f"xy:{x!r},{y!r}")
        self._wheel.driver = name
