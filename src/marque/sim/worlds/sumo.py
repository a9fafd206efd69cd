"""A world of foreign traffic: SUMO moves everybody but our car."""

import json
import pickle
import struct
from math import cos, degrees, sin
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.core.time import PLAN_STEP_NS
from marque.sim.worlds.port import TrafficCounts
from marque.sim.worlds.sumo_link import ASK, STEP, SumoLink
from marque.sim.worlds.sumo_spec import SumoSpec, launch, setup_of, sumo_version
from marque.types.codes import Indicator
from marque.types.episode import Event
from marque.types.world import EgoTruth, RoadUsers, World

__all__ = ["SumoSpec", "SumoWorld"]

EGO_STEP = struct.Struct("<6d")
HEAD = struct.Struct("<10q")


class SumoWorld:
    """SUMO's traffic with our car in it. A `WorldPort`.

    The ego sent with a step is where it stands at the end of that step; the others decide from
    what they saw at its beginning. So `begin_step` may be called as soon as the ego's motion is
    known, and the planner may think while SUMO computes: nothing it does can reach back.
    """

    def __init__(self, spec: SumoSpec) -> None:
        self._spec = spec
        self._plan = launch(spec)
        self._setup = setup_of(spec, self._plan)
        self._link = SumoLink(spec.progress)
        self._counts = TrafficCounts(0, 0, 0, 0)
        self._ego: EgoTruth | None = None
        self._fresh = True
        self._t_ns = 0
        self._closed = False
        self.names: dict[int, str] = {}  # uid -> SUMO's own name; people on foot as theirs
        self.events: list[Event] = []  # collisions with the ego as SUMO sees them, teleports near
        self.unmapped_steps = 0  # steps in which the ego fitted no lane at all
        self.ego_collisions = 0  # as SUMO counts them, for cross-checking
        try:
            self._opened: dict[str, Any] = self._link.ask("open", self._setup)
        except BaseException:
            self.close()
            raise
        own = "its own demand" if spec.sumocfg else "demand drawn here"
        self.label = f"SUMO {sumo_version()} ({own}, {self._opened['vehicles']} vehicles at start)"

    def reset(self, ego: EgoTruth) -> World:
        """Bring the traffic to the start of the drive, with the ego in it; the truth at t = 0."""
        if not self._fresh:
            self._opened = self._link.ask("open", self._setup)
        self._fresh = False
        self._t_ns = 0
        self.names.clear()
        self.events.clear()
        x, y, angle = self._front(ego)
        self._link.send(ASK, pickled("reset", x, y, angle, ego.speed_mps, ego.accel_mps2))
        return self._world(ego, self._link.receive())

    def step(self, ego: EgoTruth, indicator: Indicator = Indicator.OFF) -> World:
        """Put the ego where it is at the end of the step, advance 100 ms, return the truth."""
        self.begin_step(ego, indicator)
        return self.finish_step()

    def begin_step(self, ego: EgoTruth, indicator: Indicator = Indicator.OFF) -> None:
        """The first half of `step`: SUMO computes from here on."""
        x, y, angle = self._front(ego)
        motion = (x, y, angle, ego.speed_mps, ego.accel_mps2)
        self._link.send(STEP, EGO_STEP.pack(*motion, float(indicator)))
        self._ego = ego

    def finish_step(self) -> World:
        """The second half of `step`: wait for the truth."""
        if self._ego is None:
            raise MarqueError("no step of the traffic has begun")
        ego, self._ego = self._ego, None
        self._t_ns += PLAN_STEP_NS
        return self._world(ego, self._link.receive())

    def set_route(self, edges: tuple[str, ...]) -> None:
        """Tell the others where we are going from here on (our edge now must be among them)."""
        self._link.ask("set_route", tuple(edges))

    def routes(self) -> dict[str, tuple[str, ...]]:
        """Edges of the route of everybody on wheels, by SUMO's name; ours is `ego`."""
        found: dict[str, tuple[str, ...]] = self._link.ask("routes")
        return found

    def counts(self) -> TrafficCounts:
        """Totals since `reset`."""
        return self._counts

    def facts(self) -> dict[str, str]:
        """How the traffic was set up and what it did, for printing."""
        opened = self._opened
        now = self._link.ask("facts") if not self._closed else {}
        facts = dict(self._plan.facts)
        facts["warmed state"] = "made now" if opened["made"] else "from the cache"
        facts["present at start"] = (
            f"{opened['vehicles']} vehicles and cyclists, {opened['walkers']} people on foot, "
            f"at {opened['time_s']:g} s of its time"
        )
        if now:
            facts["removed to make room for our car"] = str(now["removed_for_ego"])
            facts["teleports"] = f"{now['teleports']}, near our car {now['teleports_near_ego']}"
            facts["went first in a deadlock"] = str(now["went_first"])
            facts["waited beside us with a change of lanes"] = str(now["waited_beside"])
            facts["braked for our body, which SUMO did not show them"] = str(now["braked_for_body"])
            facts["steered past our standing body"] = str(now["steered_past"])
            facts["collisions among others"] = str(now["collisions_among_others"])
        return facts

    def close(self) -> None:
        """End it; may be called twice."""
        self._closed = True
        self._link.close()

    def _front(self, ego: EgoTruth) -> tuple[float, float, float]:
        """SUMO's point and angle: front bumper, degrees clockwise from north."""
        front = self._spec.ego_front_m
        x = ego.x_m + front * cos(ego.heading_rad)
        y = ego.y_m + front * sin(ego.heading_rad)
        return x, y, (90.0 - degrees(ego.heading_rad)) % 360.0

    def _world(self, ego: EgoTruth, data: bytearray) -> World:
        (tick, n, heads, inserted, moved, moved_near, crashes, ours, lost, more) = HEAD.unpack_from(
            data
        )
        del tick
        self._counts = TrafficCounts(inserted, moved, moved_near, crashes)
        self.ego_collisions, self.unmapped_steps = ours, lost
        reals = np.frombuffer(data, np.float64, 7 * n, HEAD.size).reshape(7, n)
        at = HEAD.size + 56 * n
        uid = np.frombuffer(data, np.int64, n, at)
        lane = np.frombuffer(data, np.int32, n, at + 8 * n)
        kind = np.frombuffer(data, np.int8, n, at + 12 * n)
        hand = np.frombuffer(data, np.int8, n, at + 13 * n)
        seen = np.frombuffer(data, np.int8, heads, at + 14 * n)
        if more:
            self._take_news(bytes(data[-more:]))
        x, y, heading, speed, accel, length, width = reals
        users = RoadUsers(
            uid=uid,
            kind=kind,
            x_m=x,
            y_m=y,
            heading_rad=heading,
            speed_mps=speed,
            accel_mps2=accel,
            length_m=length,
            width_m=width,
            indicator=hand,
            lane=lane,
        )
        return World(t_ns=self._t_ns, ego=ego, users=users, heads=seen)

    def _take_news(self, data: bytes) -> None:
        news = json.loads(data)
        self.names.update((uid, name) for uid, name in news["new"])
        for kind, name, x, y in news["events"]:
            text = {
                "collision": f"SUMO reports a collision of our car with '{name}'",
                "teleport": f"'{name}' was removed from a deadlock within sensor range",
            }[kind]
            self.events.append(Event(self._t_ns, f"traffic_{kind}", text, x, y))


def pickled(verb: str, *args: Any) -> bytes:
    return pickle.dumps((verb, args), protocol=5)
