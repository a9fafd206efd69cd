"""One drive in one JSON object: every number is computed from the truth, none from belief."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray
from marque.maps.lookup import LaneIndex
from marque.metrics.arrival import arrived
from marque.metrics.comfort import Comfort, comfort, comfort_samples
from marque.metrics.fault import Collision, collisions
from marque.metrics.rules import (
    FRAME_S,
    needless_hard_braking,
    off_road,
    red_light_crossings,
    wrong_way,
)
from marque.metrics.stuck import stuck
from marque.metrics.trace import Trace, make_trace, with_lanes
from marque.metrics.traffic import traffic
from marque.metrics.way import driven_way
from marque.types.codes import Reason
from marque.types.episode import Episode
from marque.types.verdict import Action


@dataclass(frozen=True, slots=True)
class Moment:
    """When something that counts began; `kind` is the key of the numbers, without its unit."""

    frame: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a drive was worth: the JSON object, and what stands behind it."""

    numbers: dict[str, Any]
    samples: Comfort  # for pooling over trips
    contacts: list[Collision]
    moments: list[Moment]  # in the order of time; contacts are not among them


def summarise(
    episode: Episode,
    index: LaneIndex | None = None,
    reference_duration_s: float | None = None,
) -> dict[str, Any]:
    """The JSON object of `judge`."""
    return judge(episode, index, reference_duration_s).numbers


def judge(
    episode: Episode,
    index: LaneIndex | None = None,
    reference_duration_s: float | None = None,
) -> Judgement:
    """Judges a drive. `index` is that of the episode's map, made anew when it is not given."""
    index = LaneIndex(episode.road_map) if index is None else index
    trace = with_lanes(make_trace(episode), index)
    way = driven_way(trace, index)
    hits = collisions(trace, way, index)
    samples = comfort_samples(trace)
    off, wrong = off_road(trace, index), wrong_way(trace, index)
    off_road_s = _seconds(off)
    met = traffic(trace)
    red = red_light_crossings(trace, way)
    waits = stuck(trace, way)
    brakes = needless_hard_braking(trace)
    numbers: dict[str, Any] = {
        "arrived": arrived(
            trace, episode.goal_lane, episode.goal_s_m, off_road_s, reference_duration_s
        ),
        "end": episode.end,
        "distance_m": _round(float(trace.travelled_m[-1]) if trace.count else 0.0),
        "duration_s": _round(float(trace.t_s[-1] - trace.t_s[0]) if trace.count else 0.0),
        "reference_duration_s": reference_duration_s,
        "collisions_at_fault": sum(hit.at_fault for hit in hits),
        "collisions_other": sum(not hit.at_fault for hit in hits),
        "collisions": [_record(hit) for hit in hits],
        "red_light": len(red),
        "off_road_s": off_road_s,
        "wrong_way_s": _seconds(wrong),
        "stuck": len(waits),
        "needless_hard_braking": len(brakes),
        "guard_interventions": guard_interventions(episode),
        "comfort": {name: _round(value) for name, value in comfort(samples).items()},
        "reasons": reasons_s(trace),
        "road_users_100m_mean": _round(met["all"]),
        "motor_100m_mean": _round(met["motor"]),
        "foot_or_bicycle_100m_mean": _round(met["foot_or_bicycle"]),
    }
    names = episode.road_map.lane_name
    moments = [
        *(Moment(each.frame, "red_light", f"red at the end of {names[each.lane]}") for each in red),
        *(Moment(frame, "off_road", "off the drivable area") for frame in _begins(off)),
        *(Moment(frame, "wrong_way", "against the direction") for frame in _begins(wrong)),
        *(Moment(_frame_at(trace, t_s), "stuck", "stands without a cause") for t_s in waits),
        *(Moment(frame, "needless_hard_braking", "brakes hard for nothing") for frame in brakes),
    ]
    moments.sort(key=lambda moment: (moment.frame, moment.kind))
    return Judgement(numbers, samples, hits, moments)


def _begins(frames: BoolArray) -> list[int]:
    edges = np.diff(frames.astype(np.int8), prepend=0)
    return [int(frame) for frame in np.flatnonzero(edges == 1)]


def _frame_at(trace: Trace, t_s: float) -> int:
    return min(int(np.searchsorted(trace.t_s, t_s)), trace.count - 1)


def guard_interventions(episode: Episode) -> int:
    """Times that the guard began to do something other than pass the command on."""
    acted = [
        any(verdict.action != Action.PASS for verdict in tick.verdicts) for tick in episode.ticks
    ]
    return sum(now and not before for before, now in zip([False, *acted], acted, strict=False))


def reasons_s(trace: Trace) -> dict[str, float]:
    """Seconds per reason, the longest first."""
    code, frames = np.unique(trace.reason, return_counts=True)
    rows = [(Reason(int(c)).name.lower(), int(n)) for c, n in zip(code, frames, strict=True)]
    return {name: _round(FRAME_S * n) for name, n in sorted(rows, key=lambda row: -row[1])}


def _record(hit: Collision) -> dict[str, Any]:
    return {
        name: _round(value) if isinstance(value, float) else value
        for name, value in asdict(hit).items()
    }


def _seconds(frames: np.ndarray) -> float:
    return _round(FRAME_S * int(np.count_nonzero(frames)))


def _round(value: float) -> float:
    return round(float(value), 4)
