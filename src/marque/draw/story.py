"""A drive as a story: its curves, and every stop and slowdown with the reason the car gave.

Read from the Episode alone, so that a report of a recorded drive tells the same.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marque.core.arrays import FloatArray, IntArray
from marque.core.time import PLAN_STEP_S
from marque.maps.lookup import LaneIndex
from marque.types.codes import Reason
from marque.types.episode import Episode
from marque.types.road_map import RoadMap

STANDS_MPS = 0.1
SHORT_S = 0.6  # a reason that flickers for less belongs to its neighbour
LISTED_S = 1.0  # shorter slowdowns that do not end in a stop are not listed
HELD_S = 3.0  # nor are shorter times of being held at a speed
FREE = (Reason.NONE, Reason.SPEED_UP)

WORDS: dict[Reason, str] = {
    Reason.NONE: "free driving",
    Reason.SPEED_UP: "accelerating to the limit",
    Reason.CURVE: "curve ahead",
    Reason.LEAD: "following a slower road user",
    Reason.RED_LIGHT: "red light",
    Reason.AMBER_LIGHT: "amber light",
    Reason.STOP_SIGN: "stop sign",
    Reason.YIELD: "giving way",
    Reason.RIGHT_BEFORE_LEFT: "giving way to the right",
    Reason.ONCOMING: "turning across oncoming traffic",
    Reason.ROUNDABOUT: "giving way at a roundabout",
    Reason.CROSSWALK: "crosswalk",
    Reason.PEDESTRIAN: "pedestrian",
    Reason.CYCLIST: "cyclist",
    Reason.LANE_CHANGE: "finding a gap to change lane",
    Reason.MERGE: "merging",
    Reason.BLOCKED_LANE: "lane is blocked",
    Reason.EXIT_BLOCKED: "no room beyond the junction",
    Reason.BUS_STOP: "bus at its stop",
    Reason.OCCLUSION: "view is blocked",
    Reason.GOAL: "arriving at the goal",
    Reason.GUARD: "the guard intervened",
    Reason.FALLBACK: "following the fall-back",
    Reason.SIGNAL_UNKNOWN: "signal not seen",
    Reason.NO_ROUTE: "no way to the goal",
    Reason.SPEED_LIMIT_AHEAD: "lower limit ahead",
    Reason.RAIL_CROSSING: "rail crossing",
    Reason.SENSES: "senses impaired",
    Reason.TAKEOVER: "nobody took over",
}
STANDING: dict[Reason, str] = {Reason.LEAD: "waiting behind others"}


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """One number per tick [n]. `s_m` is the distance driven."""

    t_s: FloatArray
    s_m: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    accel_mps2: FloatArray
    lat_accel_mps2: FloatArray
    jerk_mps3: FloatArray
    reason: IntArray  # Reason


@dataclass(frozen=True, slots=True)
class Pause:
    """One stop or slowdown. `reasons` with their seconds, the longest first."""

    number: int  # 1.. for stops, 0 for a slowdown
    first: int  # tick
    last: int
    t_s: float
    duration_s: float
    stand_s: float
    at_m: float  # distance driven where it was slowest
    x_m: float
    y_m: float
    from_mps: float
    low_mps: float
    reasons: tuple[tuple[Reason, float], ...]

    @property
    def words(self) -> str:
        """The main reason in plain words; a stop that nothing explains says so."""
        main = self.reasons[0][0]
        if main in FREE:
            return "no reason given"
        rest = ((r, s) for r, s in self.reasons[1:] if r not in FREE)
        also = [WORDS[r] for r, seconds in rest if seconds >= LISTED_S]
        said = STANDING.get(main, WORDS[main]) if self.number else WORDS[main]
        return said + (f", then {', '.join(also)}" if also else "")


def curves(episode: Episode) -> Curves:
    """The drive as arrays, in map metres and SI."""
    ego = np.array(
        [
            (
                e.x_m,
                e.y_m,
                e.heading_rad,
                e.speed_mps,
                e.accel_mps2,
                e.lat_accel_mps2,
            )
            for e in (tick.world.ego for tick in episode.ticks)
        ]
    ).reshape(-1, 6)
    t_s = np.array([tick.world.t_ns for tick in episode.ticks], dtype=np.float64) / 1e9
    step = np.hypot(np.diff(ego[:, 0]), np.diff(ego[:, 1]))
    s_m = np.concatenate(([0.0], np.cumsum(step)))[: len(t_s)]
    x, y, heading, speed, accel, lateral = ego.T
    return Curves(
        t_s=t_s,
        s_m=s_m,
        x_m=x,
        y_m=y,
        heading_rad=heading,
        speed_mps=speed,
        accel_mps2=accel,
        lat_accel_mps2=lateral,
        jerk_mps3=np.array([tick.ego_jerk_mps3 for tick in episode.ticks], dtype=np.float64),
        reason=np.array([int(tick.reason) for tick in episode.ticks], dtype=np.int64),
    )


def limits(road_map: RoadMap, line: Curves) -> FloatArray:
    """Speed limit [n] of the lane under the car, not-a-number where there is none."""
    index = LaneIndex(road_map)
    found = np.full(len(line.t_s), np.nan)
    poses = zip(line.x_m.tolist(), line.y_m.tolist(), line.heading_rad.tolist(), strict=True)
    for k, (x, y, heading) in enumerate(poses):
        place = index.nearest(x, y, heading, max_m=5.0)
        if place is not None:
            found[k] = road_map.lane_limit_mps[place[0]]
    return found


def segments(reason: IntArray) -> list[tuple[int, int, Reason]]:
    """(first tick, tick after the last, reason): runs, after flickers went to their neighbour."""
    runs = [[a, b, int(reason[a])] for a, b in _runs(reason)]
    short = round(SHORT_S / PLAN_STEP_S)
    merged: list[list[int]] = []
    for run in runs:
        flicker = run[1] - run[0] < short and len(runs) > 1
        if merged and (flicker or merged[-1][2] == run[2]):
            merged[-1][1] = run[1]
        else:
            merged.append(run)
    return [(a, b, Reason(r)) for a, b, r in merged]


def pauses(line: Curves) -> list[Pause]:
    """Every stop, and every slowdown of a second and more, in order of time."""
    if not len(line.t_s):
        return []
    spans = [
        (a, b)
        for a, b, reason in segments(line.reason)
        if reason not in FREE or _stands_long(line, a, b)
    ]
    spans = _join_over_stops(spans, line)
    found: list[Pause] = []
    stops = 0
    for a, b in spans:
        pause = _pause(line, a, b, stops + 1)
        if pause.number:
            stops += 1
        elif not _listed(pause):
            continue
        found.append(pause)
    return found


def seconds_per_reason(line: Curves) -> dict[Reason, float]:
    """Seconds under each reason, most first."""
    counts = np.bincount(line.reason, minlength=len(Reason))
    order = sorted(Reason, key=lambda reason: -counts[reason])
    return {reason: counts[reason] * PLAN_STEP_S for reason in order if counts[reason]}


def _stands_long(line: Curves, a: int, b: int) -> bool:
    """Standing still without a reason, other than before setting off."""
    still = int((line.speed_mps[a:b] < STANDS_MPS).sum()) * PLAN_STEP_S
    return still > 3.0


def _join_over_stops(spans: list[tuple[int, int]], line: Curves) -> list[tuple[int, int]]:
    """A stop during which the reason changes is one stop; it ends when the car moves again."""
    still = line.speed_mps < STANDS_MPS
    joined: list[tuple[int, int]] = []
    for a, b in spans:
        if not (joined and joined[-1][1] == a and still[a - 1] and still[a]):
            joined.append((a, b))
            continue
        moving = np.flatnonzero(~still[a:b])
        end = a + int(moving[0]) if len(moving) else b
        joined[-1] = (joined[-1][0], end)
        if end < b:
            joined.append((end, b))
    return joined


def _listed(pause: Pause) -> bool:
    """A slowdown worth a line: the car slowed, or was held for a while."""
    slowed = pause.from_mps - pause.low_mps >= 0.5 and pause.duration_s >= LISTED_S
    return slowed or pause.duration_s >= HELD_S


def _pause(line: Curves, a: int, b: int, number: int) -> Pause:
    speed = line.speed_mps[a:b]
    still = speed < STANDS_MPS
    stand_s = float(still.sum()) * PLAN_STEP_S
    stopped = stand_s >= 0.5
    weigh = line.reason[a:b][still] if stopped else line.reason[a:b]
    counts = np.bincount(weigh, minlength=len(Reason))
    ranked = sorted((r for r in Reason if counts[r]), key=lambda r: -counts[r])
    lowest = a + int(np.argmin(speed))
    return Pause(
        number=number if stopped else 0,
        first=a,
        last=b - 1,
        t_s=float(line.t_s[a]),
        duration_s=(b - a) * PLAN_STEP_S,
        stand_s=stand_s if stopped else 0.0,
        at_m=float(line.s_m[lowest]),
        x_m=float(line.x_m[lowest]),
        y_m=float(line.y_m[lowest]),
        from_mps=float(speed[0]),
        low_mps=float(speed.min()),
        reasons=tuple((r, float(counts[r]) * PLAN_STEP_S) for r in ranked),
    )


def _runs(values: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    if not len(values):
        return []
    edges = np.flatnonzero(np.diff(values)) + 1
    starts = [0, *edges.tolist()]
    return list(zip(starts, [*edges.tolist(), len(values)], strict=True))
