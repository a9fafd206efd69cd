"""Whether a contact was preventable: the fuzzy-model driver, on the same path, from the last state
without an RSS violation towards that road user, avoids it.

Both look at the truth. The safe distance is that of a driver who reacts as late and brakes as the
fuzzy model does, not that of our car, which needs less: from its last state nobody else would
manage, and hardly any contact would count. Where every state since the beginning violates the
distance, the fuzzy model drives from the beginning.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.guard import path as paths
from marque.guard import rss, watch
from marque.metrics import fuzzy
from marque.metrics.contacts import Contact, contacts
from marque.metrics.fault import reference_avoids
from marque.metrics.trace import Trace, make_trace
from marque.types.codes import UserKind
from marque.types.episode import Episode

# reaction, and half of the time in which full braking builds up
RESPONSE_S = fuzzy.REACTION_S + 0.5 * fuzzy.MAX_BRAKE_MPS2 / fuzzy.JERK_MPS3
BEYOND_M = 150.0  # our way goes straight on behind its end


@dataclass(frozen=True, slots=True)
class Hit:
    """One contact; `from_frame`: the last state without a violation; `margin`: gap over the safe
    distance there."""

    frame: int
    t_s: float
    uid: int
    kind: str
    speed_mps: float
    other_mps: float
    angle_deg: float
    from_frame: int
    margin: float
    preventable: bool


def hits(episode: Episode) -> list[Hit]:
    """All contacts of a drive, judged."""
    if not episode.ticks:
        return []
    trace = make_trace(episode)
    found = contacts(trace)
    return [_judged(trace, hit) for hit in found]


def _judged(trace: Trace, hit: Contact) -> Hit:
    begin, margin = last_safe(trace, hit)
    k = hit.frame
    turn = float(trace.user_heading_rad[hit.row] - trace.heading_rad[k])
    return Hit(
        frame=k,
        t_s=round(float(trace.t_s[k]) + 0.1 * hit.share, 2),
        uid=hit.uid,
        kind=UserKind(int(trace.kind[hit.row])).name.lower(),
        speed_mps=round(float(trace.speed_mps[k]), 2),
        other_mps=round(float(trace.user_speed_mps[hit.row]), 2),
        angle_deg=round(math.degrees(math.atan2(math.sin(turn), math.cos(turn))), 1),
        from_frame=begin,
        margin=round(margin, 3),
        preventable=reference_avoids(trace, hit, begin),
    )


def last_safe(trace: Trace, hit: Contact) -> tuple[int, float]:
    """(frame, margin) of the last state before a contact in which the distance along the way that
    was driven is safe; the first one in which the other is there if none is."""
    way = _way(trace)
    margin = math.inf
    for frame in range(hit.frame, -1, -1):
        row = trace.row_of(frame, hit.uid)
        if row < 0:
            return frame + 1, margin
        margin = _margin(trace, way, frame, row)
        if margin >= 1.0:
            return frame, min(margin, watch.FAR)
    return 0, margin


def _way(trace: Trace) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """(s, x, y, heading) of the rear axle, straight on at its end."""
    s = trace.travelled_m
    keep = np.concatenate(([True], np.diff(s) > 1e-6))
    angle = float(trace.heading_rad[-1])
    return (
        np.append(s[keep], s[-1] + BEYOND_M),
        np.append(trace.x_m[keep], trace.x_m[-1] + BEYOND_M * math.cos(angle)),
        np.append(trace.y_m[keep], trace.y_m[-1] + BEYOND_M * math.sin(angle)),
        np.append(np.unwrap(trace.heading_rad)[keep], np.unwrap(trace.heading_rad)[-1]),
    )


def _margin(
    trace: Trace, way: tuple[FloatArray, FloatArray, FloatArray, FloatArray], frame: int, row: int
) -> float:
    """Gap over safe distance; inf where the other is not in the way."""
    p = trace.platform
    at = trace.travelled_m[frame] + paths.STATION_M * np.arange(paths.STATIONS)
    path = np.zeros((paths.STATIONS, 6))
    path[:, paths.X] = np.interp(at, way[0], way[1])
    path[:, paths.Y] = np.interp(at, way[0], way[2])
    path[:, paths.HEADING] = np.interp(at, way[0], way[3])
    _, margin = rss.keep_distance(
        path, 0.0, 0.0, float(trace.speed_mps[frame]), float(trace.accel_mps2[frame]),
        _object(trace, row), RESPONSE_S, fuzzy.MAX_BRAKE_MPS2,
        (p.centre_m, p.length_m, p.width_m), np.full(1, p.max_brake_mps2),
    )  # fmt: skip
    return float(margin)


def _object(trace: Trace, row: int) -> FloatArray:
    """[1, paths.OBJECT] one road user of the truth."""
    o = np.zeros((1, paths.OBJECT))
    heading = float(trace.user_heading_rad[row])
    half_l, half_w = 0.5 * trace.user_length_m[row], 0.5 * trace.user_width_m[row]
    o[0] = (
        trace.user_x_m[row], trace.user_y_m[row], heading, math.cos(heading), math.sin(heading),
        trace.user_speed_mps[row], half_l, half_w, math.hypot(half_l, half_w), 0.0, 0.0,
    )  # fmt: skip
    return o
