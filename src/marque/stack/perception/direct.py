"""Perceive, first version: detections become tracks as they are, placed on lanes.

A road user that is lost from sight is carried on at constant velocity for a moment; what it has
indicated is remembered for longer, and so are standing time and the age of signal states. Where
senses err, tracks come from `fuse.py` instead.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from marque.core.time import NS_PER_S, seconds
from marque.maps.lookup import LaneIndex
from marque.stack.perception.chart import ChartMemory, watch_chart
from marque.stack.perception.own_lane import LaneMemory, watch_lane
from marque.types.codes import Indicator, SignalState
from marque.types.reading import Detections, Reading
from marque.types.road_map import NONE, RoadMap
from marque.types.scene import EgoBelief, Scene, Tracks

KEEP_S = 1.5  # a lost road user is believed to go on for this long
TOLD_S = 15.0  # and to be about what it indicated for this long: others pass before who waits
STILL_MPS = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class PerceptionMemory:
    """What perception knows from before."""

    road_map: RoadMap
    index: LaneIndex
    scene: Scene | None = None
    charting: ChartMemory | None = None  # None: the map is taken as it is
    own: LaneMemory | None = None  # None: lanes are those of the map
    ego_lane: int = NONE
    # uid -> what it last indicated before a junction, and when it was last seen, ns
    told: dict[int, tuple[int, int]] = field(default_factory=dict)


def perceive(
    memory: PerceptionMemory, reading: Reading, tracks: Tracks | None = None
) -> tuple[PerceptionMemory, Scene]:
    """Belief from one reading, and from what has been tracked where senses err."""
    before = memory.scene
    if tracks is None:
        tracks = _as_they_are(memory, reading)
    shown = _told(memory, tracks.uid, tracks.indicator, tracks.lane)
    told = _remembered(memory, tracks.uid, shown, tracks.age_s, reading.t_ns)
    tracks = replace(tracks, indicator=shown)
    state = reading.signals.state
    since = np.zeros(len(state))
    if before is not None:
        gone = seconds(reading.t_ns - before.t_ns)
        since = np.where(state == before.signal_state, before.signal_since_s + gone, 0.0)
    scene = Scene(
        t_ns=reading.t_ns,
        ego=_ego(memory, reading),
        tracks=tracks,
        signal_state=_carried(state, before, since),
        signal_since_s=since,
    )
    charting = memory.charting
    if charting is not None:
        charting = watch_chart(charting, scene.ego, tracks, reading.sightings, reading.t_ns)
        scene = replace(scene, chart=charting.chart)
    own = memory.own
    if own is not None:
        own = watch_lane(own, reading, tracks)
        scene = replace(scene, own_lane=own.lane, health=own.judging.health)
    memory = replace(memory, charting=charting, own=own, told=told)
    return replace(memory, scene=scene, ego_lane=scene.ego.lane), scene


def _as_they_are(memory: PerceptionMemory, reading: Reading) -> Tracks:
    """Tracks of exact detections."""
    found = _with_lost(memory, reading.detections, reading.t_ns)
    age = found.pop("age_s")
    lane, s, d = memory.index.match_many(
        found["x_m"], found["y_m"], found["heading_rad"], found["kind"]
    )
    return Tracks(
        **found,
        lane=lane,
        s_m=s,
        d_m=d,
        age_s=age,
        still_s=_still(memory.scene, found["uid"], found["speed_mps"], reading.t_ns),
    )


def _ego(memory: PerceptionMemory, reading: Reading) -> EgoBelief:
    ego = reading.ego
    place = memory.index.nearest(ego.x_m, ego.y_m, ego.heading_rad)
    lane, s, d = place if place is not None else (NONE, 0.0, 0.0)
    return EgoBelief(
        ego.x_m,
        ego.y_m,
        ego.heading_rad,
        ego.speed_mps,
        ego.accel_mps2,
        ego.yaw_rate_radps,
        ego.steer_rad,
        lane,
        s,
        d,
    )


_FIELDS = (
    "uid",
    "kind",
    "x_m",
    "y_m",
    "heading_rad",
    "speed_mps",
    "accel_mps2",
    "length_m",
    "width_m",
    "indicator",
)


def _with_lost(memory: PerceptionMemory, seen: Detections, t_ns: int) -> dict[str, np.ndarray]:
    """Detections as columns, plus those lost a moment ago, moved on at constant velocity."""
    columns = {name: getattr(seen, name) for name in _FIELDS}
    columns["age_s"] = np.zeros(seen.count)
    before = memory.scene
    if before is None:
        return columns
    old = before.tracks
    gone = seconds(t_ns - before.t_ns)
    lost = ~np.isin(old.uid, seen.uid) & (old.age_s + gone < KEEP_S)
    if not lost.any():
        return columns
    step = old.speed_mps[lost] * gone
    more = {name: getattr(old, name)[lost] for name in _FIELDS}
    more["x_m"] = more["x_m"] + step * np.cos(more["heading_rad"])
    more["y_m"] = more["y_m"] + step * np.sin(more["heading_rad"])
    more["age_s"] = old.age_s[lost] + gone
    return {name: np.concatenate((columns[name], more[name])) for name in columns}


def _told(
    memory: PerceptionMemory, uid: np.ndarray, shown: np.ndarray, lane: np.ndarray
) -> np.ndarray:
    """The indicators [n], those inside junctions as they were shown before: whoever has begun to
    turn, or waits for it in the middle, may show nothing any more, and be out of sight meanwhile.
    """
    out = shown.copy()
    if memory.road_map.lane_count == 0:
        return out
    inside = (lane != NONE) & memory.road_map.lane_connector[lane] & (shown == Indicator.OFF)
    for i in np.flatnonzero(inside).tolist():
        out[i] = memory.told.get(int(uid[i]), (int(Indicator.OFF), 0))[0]
    return out


def _remembered(
    memory: PerceptionMemory, uid: np.ndarray, told: np.ndarray, age_s: np.ndarray, t_ns: int
) -> dict[int, tuple[int, int]]:
    """What is known of indicators from now on: of those in sight, and of those lost lately."""
    since = t_ns - round(TOLD_S * NS_PER_S)
    kept = {who: what for who, what in memory.told.items() if what[1] >= since}
    seen = zip(uid.tolist(), told.tolist(), age_s.tolist(), strict=True)
    kept.update({who: (what, t_ns) for who, what, age in seen if age == 0.0})
    return kept


def _rows(before: Scene, uid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row of each uid in a scene that is not empty, whether it is there)."""
    order = np.argsort(before.tracks.uid)
    place = np.searchsorted(before.tracks.uid, uid, sorter=order)
    row = order[np.minimum(place, len(order) - 1)]
    return row, before.tracks.uid[row] == uid


def _still(before: Scene | None, uid: np.ndarray, speed: np.ndarray, t_ns: int) -> np.ndarray:
    out = np.zeros(len(uid))
    if before is None or len(before.tracks.uid) == 0:
        return out
    gone = seconds(t_ns - before.t_ns)
    row, known = _rows(before, uid)
    still = known & (speed < STILL_MPS)
    out[still] = before.tracks.still_s[row[still]] + gone
    return out


def _carried(state: np.ndarray, before: Scene | None, since: np.ndarray) -> np.ndarray:
    """A signal hidden for a moment keeps its last state only if that was a stop."""
    if before is None:
        return state
    stop = (before.signal_state == SignalState.RED) & (state == SignalState.UNKNOWN)
    return np.where(stop & (since < 2.0), before.signal_state, state)
