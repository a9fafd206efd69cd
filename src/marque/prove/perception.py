"""How well a car perceives on seeded trips: tracks, lights and own place against the truth.

Judged are road users within 60 m of the rear axle that at least one sensor of the car has in its
field of view and not hidden; nobody is blamed for a track of one of the others. The scores of
tracking are TrackEval's (`metrics/tracking.py`).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.core.geometry import wrap_angle
from marque.core.time import PLAN_STEP_S, seconds
from marque.maps.trips import draw_trips
from marque.metrics.tracking import TrackFrame, TrackScore, need_judges, track_score
from marque.sensing.equipment import Equipment
from marque.sensing.objects import Mounted, in_sight, mounted
from marque.sensing.occlusion import boxes
from marque.sim.drive import begin_episode, run_drive
from marque.sim.order import Ground, Order, open_world, prepare, with_limit
from marque.stack.perception.direct import perceive
from marque.stack.perception.fuse import sensed
from marque.stack.tick import StackMemory
from marque.types.codes import Integrity, SignalState, UserKind
from marque.types.reading import Delivery, Reading
from marque.types.road_map import NONE
from marque.types.world import World

NEAR_M = 60.0
LEAD_M = (20.0, 40.0)  # how far ahead the car is whose speed across our lane is judged,
LEAD_BESIDE_M = 1.5  # how far beside our axis at most,
LEAD_TURNED_RAD = 0.1  # and how far turned against us; both of us between junctions,
# and so far from the last that it has settled: SUMO's cars turn on the spot where its lines join
LEAD_SETTLED_M = 25.0
MOTOR = (UserKind.CAR, UserKind.TRUCK, UserKind.BUS)
SPREAD_95 = 5.991  # chi-squared, two degrees of freedom
BARS = {"mota": 0.90, "hota": 0.75, "switches_per_km": 1.0, "lead_lateral_rms_mps": 0.12,
        "perception_ms_p99": 8.0}  # fmt: skip
AT_LEAST = ("mota", "hota")

Progress = Callable[[float, str], None]


@dataclass(slots=True, eq=False)
class Seen:
    """What one drive shows, frame by frame."""

    mounts: tuple[Mounted, ...]
    frames: list[TrackFrame] = field(default_factory=list)
    place: list[tuple[float, float, float, float]] = field(default_factory=list)
    unknown: int = 0  # frames in which it did not know where it was
    lateral: list[float] = field(default_factory=list)  # error across our lane, m/s
    within: list[bool] = field(default_factory=list)  # middles within what is believed of them
    lights: list[bool] = field(default_factory=list)  # believed states that are the true ones
    way_m: float = 0.0
    times_ms: list[float] = field(default_factory=list)  # CPU time of one cycle

    def look(
        self, world: World, before: StackMemory, came: Reading | Delivery, stack: StackMemory
    ) -> None:
        """One frame of 100 ms. What was perceived is perceived once more, for its time."""
        cpu = time.thread_time_ns()
        _, reading, found = sensed(before.fusing, came)
        perceive(before.perception, reading, found)
        self.times_ms.append((time.thread_time_ns() - cpu) / 1e6)
        fusing = stack.fusing
        assert fusing is not None
        assert fusing.tracks is not None
        assert fusing.located is not None
        ego, users, tracks = world.ego, world.users, fusing.tracks
        away = np.hypot(users.x_m - ego.x_m, users.y_m - ego.y_m)
        box = boxes(users)
        judged = np.zeros(len(away), dtype=np.bool_)
        for mount in self.mounts:
            judged |= in_sight(mount, ego, users, box)
        judged &= away <= NEAR_M
        near = np.hypot(tracks.x_m - ego.x_m, tracks.y_m - ego.y_m) <= NEAR_M
        self.frames.append(
            TrackFrame(
                world.t_ns, users.uid, users.x_m, users.y_m, judged,
                tracks.uid[near], tracks.x_m[near], tracks.y_m[near],
            )
        )  # fmt: skip
        self.way_m += ego.speed_mps * PLAN_STEP_S
        self._own(world, stack)
        self._others(world, stack, judged)
        told = fusing.lights.state != SignalState.UNKNOWN
        self.lights.extend((fusing.lights.state == world.heads)[told].tolist())

    def _own(self, world: World, stack: StackMemory) -> None:
        assert stack.fusing is not None
        assert stack.fusing.located is not None
        ego, located = world.ego, stack.fusing.located
        if located.integrity == Integrity.UNKNOWN:
            self.unknown += 1
            return
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        dx, dy = located.x_m - ego.x_m, located.y_m - ego.y_m
        turn = wrap_angle(located.heading_rad - ego.heading_rad)
        self.place.append(
            (c * dx + s * dy, -s * dx + c * dy, turn, located.speed_mps - ego.speed_mps)
        )

    def _others(self, world: World, stack: StackMemory, judged: np.ndarray) -> None:
        """Errors of those tracks that belong to somebody judged: the nearest within 2 m."""
        assert stack.fusing is not None
        tracks, doubt = stack.fusing.tracks, stack.fusing.doubt
        ego, users = world.ego, world.users
        if tracks is None or doubt is None or tracks.count == 0:
            return
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        for i in np.flatnonzero(judged):
            gap = np.hypot(tracks.x_m - users.x_m[i], tracks.y_m - users.y_m[i])
            k = int(gap.argmin())
            if gap[k] > 2.0:
                continue
            hc, hs = math.cos(tracks.heading_rad[k]), math.sin(tracks.heading_rad[k])
            dx, dy = tracks.x_m[k] - users.x_m[i], tracks.y_m[k] - users.y_m[i]
            along = (hc * dx + hs * dy) / doubt.along_sigma_m[k]
            across = (-hs * dx + hc * dy) / doubt.across_sigma_m[k]
            self.within.append(bool(along * along + across * across <= SPREAD_95))
            ahead = c * (users.x_m[i] - ego.x_m) + s * (users.y_m[i] - ego.y_m)
            beside = -s * (users.x_m[i] - ego.x_m) + c * (users.y_m[i] - ego.y_m)
            turned = users.heading_rad[i] - ego.heading_rad
            lead = LEAD_M[0] <= ahead <= LEAD_M[1] and abs(beside) <= LEAD_BESIDE_M
            lead = lead and math.cos(turned) > math.cos(LEAD_TURNED_RAD)
            if lead and users.kind[i] in MOTOR and self._settled(stack, world, int(i)):
                theirs = users.speed_mps[i] * math.sin(users.heading_rad[i] - ego.heading_rad)
                believed = tracks.speed_mps[k] * math.sin(tracks.heading_rad[k] - ego.heading_rad)
                self.lateral.append(float(believed - theirs))

    def _settled(self, stack: StackMemory, world: World, i: int) -> bool:
        """Whether road user i and we are between junctions, and they well beyond the last one."""
        users, known = world.users, stack.perception
        ours, inside = known.ego_lane, known.road_map.lane_connector
        x, y, heading = (float(each[i]) for each in (users.x_m, users.y_m, users.heading_rad))
        place = known.index.nearest(x, y, heading)
        if place is None or ours == NONE or inside[place[0]] or inside[ours]:
            return False
        return place[1] > LEAD_SETTLED_M


@dataclass(frozen=True, slots=True)
class Suite:
    """Seeded trips, each driven for a while."""

    order: Order
    routes: int
    minutes: float


def run(suite: Suite, ground: Ground, progress: Progress | None = None) -> dict[str, Any]:
    """The result as one object. MarqueError: exact senses, TrackEval missing, SUMO's troubles."""
    need_judges()
    order = suite.order
    trips = draw_trips(ground.road_map, order.seed, suite.routes, order.min_length_m)
    rows, every = [], []
    times: list[float] = []
    for number, trip in enumerate(trips):
        ready = prepare(order, ground, trip)
        equipment = ready.setup.profile
        if not isinstance(equipment, Equipment):
            raise MarqueError(
                f"sensor profile '{order.sensors}' is exact: there is nothing to judge; "
                "have standard, rain_night or another set of equipment"
            )
        ready = with_limit(ready, min(ready.setup.limit_s, 60.0 * suite.minutes))
        mounts = [mounted(i, one, ready.setup.platform) for i, one in enumerate(equipment.sensor)]
        seen = Seen(tuple(mounts))
        world = open_world(ready)
        try:
            episode = begin_episode(ready.setup, ready.route, world)
            run_drive(ready.setup, world, episode, peek=seen.look)
        finally:
            world.close()
        times += seen.times_ms
        score = track_score(seen.frames, seen.way_m / 1000.0)
        lasted_s = seconds(episode.ticks[-1].world.t_ns)
        name = f"s{order.seed}-t{number:02d}"
        rows.append({"trip": name, "duration_s": lasted_s, **_row(score, seen)})
        every.append((score, seen))
        if progress is not None:
            progress(number + 1, f"{number + 1} of {len(trips)} trips")
    return _report(suite, ground, rows, every, times)


def _row(score: TrackScore, seen: Seen) -> dict[str, Any]:
    return {
        "distance_km": round(seen.way_m / 1000.0, 3),
        "mota": round(score.mota, 4),
        "hota": round(score.hota, 4),
        "switches": score.switches,
        "missed": score.missed,
        "false": score.false,
        "judged": score.judged,
    }


def _report(
    suite: Suite,
    ground: Ground,
    rows: list[dict[str, Any]],
    every: list[tuple[TrackScore, Seen]],
    times: list[float],
) -> dict[str, Any]:
    """Pooled: counts are summed, HOTA is weighted by those judged."""
    judged = sum(score.judged for score, _ in every)
    km = sum(seen.way_m for _, seen in every) / 1000.0
    switches = sum(score.switches for score, _ in every)
    wrong = switches + sum(score.missed + score.false for score, _ in every)
    place = np.array([row for _, seen in every for row in seen.place]).reshape(-1, 4)
    lateral = np.array([one for _, seen in every for one in seen.lateral])
    within = [one for _, seen in every for one in seen.within]
    lights = [one for _, seen in every for one in seen.lights]
    frames = sum(len(seen.frames) for _, seen in every)
    measured: dict[str, Any] = {
        "mota": _number(1.0 - wrong / judged if judged else None),
        "hota": _number(sum(s.hota * s.judged for s, _ in every) / judged if judged else None),
        "switches_per_km": _number(switches / km if km > 0.0 else None),
        "lead_lateral_rms_mps": _rms(lateral),
        "perception_ms_p50": _number(float(np.percentile(times, 50)) if times else None),
        "perception_ms_p99": _number(float(np.percentile(times, 99)) if times else None),
        "own_along_rms_m": _rms(place[:, 0]),
        "own_across_rms_m": _rms(place[:, 1]),
        "own_heading_rms_rad": _rms(place[:, 2]),
        "own_speed_rms_mps": _rms(place[:, 3]),
        "own_unknown_share": _number(sum(s.unknown for _, s in every) / max(1, frames)),
        "within_95_share": _number(float(np.mean(within)) if within else None),
        "lights_right_share": _number(float(np.mean(lights)) if lights else None),
        "distance_km": _number(km),
        "judged": judged,
    }
    return {
        "schema": "marque.prove.perception/1",
        "passed": all(held(name, measured[name]) for name in BARS),
        "map": ground.road_map.name,
        "traffic": suite.order.traffic,
        "sensors": suite.order.sensors,
        "seed": suite.order.seed,
        **measured,
        "bars": BARS,
        "trips": rows,
    }


def held(name: str, value: float | None) -> bool:
    """Whether a bar is held; what could not be measured holds none."""
    if value is None:
        return False
    return value >= BARS[name] if name in AT_LEAST else value <= BARS[name]


def _rms(errors: np.ndarray) -> float | None:
    return _number(float(np.sqrt(np.mean(errors**2))) if len(errors) else None)


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
