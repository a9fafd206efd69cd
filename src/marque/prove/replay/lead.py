"""The car ahead, from one radar's object lists: a small filter for each target.

Positions along and across by alpha-beta, the speed over ground from the measured rate, its change
by beta. A radar gives no identities: the nearest target within a gate goes on with a track. The
lead is the nearest confirmed track that moves and lies in the strip that our own arc sweeps; who
leads stays it within a wider strip, so that a swerve of ours changes nothing.
"""

import math
from dataclasses import dataclass, replace

from marque.core.time import seconds
from marque.types.reading import ObjectList

ALONG, ACROSS, SPEED, ACCEL = 0.5, 0.3, 0.35, 0.06  # shares of an innovation
GATE_ALONG_M, GATE_ACROSS_M, GATE_SPEED_MPS = 4.0, 1.5, 3.0
CONFIRMED = 5  # targets in a row
LOST_S = 0.6
STRIP_M, KEPT_M = 1.3, 2.2  # half; a lane has 3.7 m there, a car 1.8
ARC_S = 1.0  # our arc is a mean over about so long
MOVING_MPS = 2.0
ACCEL_TIME_S = 1.5  # what is not renewed fades


@dataclass(frozen=True, slots=True)
class Track:
    """One target. x, y: side that reflects, rear axle frame of our car; speed over ground."""

    number: int
    seen_ns: int
    x_m: float
    y_m: float
    speed_mps: float
    accel_mps2: float
    hits: int


@dataclass(frozen=True, slots=True)
class LeadMemory:
    """All tracks at `t_ns`."""

    t_ns: int | None = None
    tracks: tuple[Track, ...] = ()
    next_number: int = 1
    curvature_1pm: float = 0.0  # of our own arc
    lead: int = 0  # number of the track that leads, 0: nobody


def follow(
    memory: LeadMemory, found: ObjectList, speed_mps: float, yaw_rate_radps: float
) -> LeadMemory:
    """One cycle of the radar; speed and yaw rate are our own. A cycle that is not newer than the
    last is left out."""
    if memory.t_ns is not None and found.t_ns <= memory.t_ns:
        return memory
    dt = 0.0 if memory.t_ns is None else seconds(found.t_ns - memory.t_ns)
    tracks = [_moved(track, dt, speed_mps, yaw_rate_radps) for track in memory.tracks]
    pairs = sorted(
        (distance, i, k)
        for i, track in enumerate(tracks)
        for k in range(found.count)
        if (distance := _distance(track, found, k)) < 1.0
    )
    taken_tracks: set[int] = set()
    taken_targets: set[int] = set()
    for _, i, k in pairs:
        if i not in taken_tracks and k not in taken_targets:
            taken_tracks.add(i)
            taken_targets.add(k)
            tracks[i] = _corrected(tracks[i], found, k, dt)
    number = memory.next_number
    for k in range(found.count):
        if k not in taken_targets and found.has_rate[k]:
            tracks.append(_born(number, found, k))
            number += 1
    alive = tuple(t for t in tracks if seconds(found.t_ns - t.seen_ns) <= LOST_S)
    arc = yaw_rate_radps / max(speed_mps, 3.0)
    curvature = memory.curvature_1pm + (arc - memory.curvature_1pm) * min(1.0, dt / ARC_S)
    return LeadMemory(found.t_ns, alive, number, curvature, _leading(alive, curvature, memory.lead))


def lead_of(memory: LeadMemory) -> Track | None:
    """Whom we follow, if anybody."""
    return next((track for track in memory.tracks if track.number == memory.lead), None)


def _leading(tracks: tuple[Track, ...], curvature_1pm: float, before: int) -> int:
    ahead = [
        track
        for track in tracks
        if track.hits >= CONFIRMED
        and (track.speed_mps > MOVING_MPS or track.number == before)
        and abs(track.y_m - 0.5 * curvature_1pm * track.x_m**2)
        < (KEPT_M if track.number == before else STRIP_M)
    ]
    nearest = min(ahead, key=lambda track: track.x_m, default=None)
    return 0 if nearest is None else nearest.number


def _moved(track: Track, dt: float, speed_mps: float, yaw_rate_radps: float) -> Track:
    turn = yaw_rate_radps * dt
    return replace(
        track,
        x_m=track.x_m + (track.speed_mps - speed_mps) * dt + turn * track.y_m,
        y_m=track.y_m - turn * track.x_m,
        speed_mps=track.speed_mps + track.accel_mps2 * dt,
        accel_mps2=track.accel_mps2 * math.exp(-dt / ACCEL_TIME_S),
    )


def _distance(track: Track, found: ObjectList, k: int) -> float:
    """1 at the gate."""
    return math.hypot(
        (found.x_m[k] - track.x_m) / GATE_ALONG_M,
        (found.y_m[k] - track.y_m) / GATE_ACROSS_M,
        (found.rate_mps[k] - track.speed_mps) / GATE_SPEED_MPS,
    )


def _corrected(track: Track, found: ObjectList, k: int, dt: float) -> Track:
    faster = float(found.rate_mps[k]) - track.speed_mps
    return replace(
        track,
        seen_ns=found.t_ns,
        x_m=track.x_m + ALONG * (float(found.x_m[k]) - track.x_m),
        y_m=track.y_m + ACROSS * (float(found.y_m[k]) - track.y_m),
        speed_mps=track.speed_mps + SPEED * faster,
        accel_mps2=track.accel_mps2 + (ACCEL * faster / dt if dt > 0.0 else 0.0),
        hits=track.hits + 1,
    )


def _born(number: int, found: ObjectList, k: int) -> Track:
    return Track(
        number, found.t_ns, float(found.x_m[k]), float(found.y_m[k]), float(found.rate_mps[k]),
        0.0, 1,
    )  # fmt: skip
