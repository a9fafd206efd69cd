"""Policies: which corridor, how fast, where to wait, whom to let in."""

import math
from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.kernels.following import stop_distance
from marque.kernels.rollout import FALLBACK_JERK_MPS3
from marque.maps.path import STEP_M
from marque.stack.planning.box import exit_stops
from marque.stack.planning.corridor import AT_LINE, Corridor
from marque.stack.planning.interactions import Interactions
from marque.stack.planning.rules import ZONE_MARGIN_M, Rules, Stop
from marque.types.codes import Reason, UserKind
from marque.types.forecast import Forecast
from marque.types.scene import Tracks

SCALES: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25)
SCALES_ASIDE: tuple[float, ...] = (1.0, 0.7)
MAX_STOPS = 4
DECIDES_MPS, DECIDES_M = 4.0, 12.0  # slow and near a place to wait: go or wait, never dawdle on
OUT_SPARE_M = 0.3  # before we would be in the way of oncoming traffic
SOFT_MPS2 = 2.5  # of the comfortable stop, or what it takes to stand within the plan:
STANDS_WITHIN_S = 6.0
BRISK_MPS2 = 2.9  # no hard braking, but there at once: instead of a firm stop where that will do
# of the firm stop: most that asks for more than comfort needs no more than this; from high speeds
FIRM_MPS2 = 5.0  # it takes more to stand within the plan
MAX_VIRTUAL = 3
ASIDE = ("nudge", "peek")  # manoeuvres beside the middle of our lane, inside junctions too
HAIRPIN_1PM, HAIRPIN_M = 0.12, 10.0  # how tight; and how far before it a bus needs our lane
_ON_FOOT = (Reason.CROSSWALK, Reason.PEDESTRIAN)
NORMAL, COMFORT_STOP, EMERGENCY_STOP, BRISK_STOP = 0.0, 1.0, 2.0, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One row of the table, with what a person would want to know about it."""

    corridor: int
    scale: float
    stop: Stop | None
    virtual: int  # path of another that is let in, -1 none
    mode: float
    binding: bool  # the stop is one that rules impose

    def row(self) -> tuple[float, float, float, float, float]:
        """As `kernels.rollout` reads it."""
        at = self.stop.at_m if self.stop is not None else 1e9
        return (float(self.corridor), self.scale, at, float(self.virtual), self.mode)


def table(policies: list[Policy]) -> FloatArray:
    """Policies as rows [P, 5]."""
    return np.array([p.row() for p in policies])


def propose(
    corridors: list[Corridor],
    rules: list[Rules],
    it: Interactions,
    front_m: list[float],
    speed_mps: float,
    accel_mps2: float,
    tracks: Tracks,
    forecast: Forecast,
    length_m: float,
) -> list[Policy]:
    """All policies; each corridor carries its comfortable, its brisk, its firm and its
    emergency stop."""
    soft_mps2 = soft_stop_mps2(speed_mps, accel_mps2)
    soonest_m = stop_distance(speed_mps, accel_mps2, SOFT_MPS2, FALLBACK_JERK_MPS3)
    out: list[Policy] = []
    for c in range(len(corridors)):
        binding = rules[c].binding + exit_stops(
            corridors[c], c, it, front_m[c], speed_mps, length_m, tracks, forecast
        )
        must = min(binding, key=lambda stop: stop.at_m, default=None)
        limit = must.at_m if must is not None else math.inf
        optional = [s for s in rules[c].optional if front_m[c] - 0.5 < s.at_m < limit - 0.5]
        others = _before_others(c, it, corridors[c], front_m[c], limit, optional, tracks, forecast)
        optional += [_out_of_the_way(s, rules[c], front_m[c], length_m, soonest_m) for s in others]
        optional = [s for s in optional if not _past_line(corridors[c], s, front_m[c])]
        ours = corridors[c].out_m - OUT_SPARE_M
        optional = [s if s.at_m <= ours else replace(s, at_m=ours) for s in optional]
        optional.sort(key=lambda stop: stop.at_m)
        scales: tuple[float, ...] = SCALES if c == 0 else SCALES_ASIDE
        if corridors[c].committed(front_m[c]):  # neither slower nor waiting there is any safer
            scales, optional = scales[:1], []
        if speed_mps < DECIDES_MPS and any(s.at_m < front_m[c] + DECIDES_M for s in optional):
            scales = scales[:1]
        led = _leads_there(c, it) if corridors[c].manoeuvre.startswith("change") else -1
        out += [Policy(c, scale, must, led, NORMAL, True) for scale in scales]
        out += [Policy(c, 1.0, stop, -1, NORMAL, False) for stop in optional[:MAX_STOPS]]
        if led < 0:
            out += [Policy(c, 1.0, must, k, NORMAL, True) for k in _let_in(c, it)]
        out.append(Policy(c, soft_mps2, None, -1, COMFORT_STOP, False))
        if soft_mps2 < BRISK_MPS2:
            out.append(Policy(c, BRISK_MPS2, None, -1, BRISK_STOP, False))
        out.append(Policy(c, max(FIRM_MPS2, soft_mps2), None, -1, COMFORT_STOP, False))
        out.append(Policy(c, 1.0, None, -1, EMERGENCY_STOP, False))
    return out


def soft_stop_mps2(speed_mps: float, accel_mps2: float) -> float:
    """Braking of the comfortable stop. It has to stand within the plan, or the guard takes it for
    none; while we speed up it begins later, and from a higher speed."""
    late_s = max(0.0, accel_mps2) / FALLBACK_JERK_MPS3
    fastest = speed_mps + 0.5 * max(0.0, accel_mps2) * late_s
    return max(SOFT_MPS2, fastest / (STANDS_WITHIN_S - late_s))


def _past_line(corridor: Corridor, stop: Stop, front_m: float) -> bool:
    """Whether a place to wait for traffic lies beyond the yield or stop line of a junction that
    we have not entered: whoever waits there stands in the way and makes others stop."""
    if stop.reason in _ON_FOOT:
        return False
    beside = corridor.manoeuvre in ASIDE
    return any(
        j.yields
        and (
            (j.control in AT_LINE and front_m < j.stop_m < stop.at_m < j.s_out_m)
            or (beside and front_m < j.entry_m < stop.at_m < j.s_out_m)
        )
        for j in corridor.junctions
    )


def _out_of_the_way(
    stop: Stop, rules: Rules, front_m: float, length_m: float, soonest_m: float
) -> Stop:
    """A place to wait before somebody, moved back until we stand on nobody's way who may go first,
    wherever they turn. Who is near that place, or a little beyond it and yet on nobody's way,
    stays there. If we are too far on for that: as it is, or where we come to rest soonest if our
    nose would be in the way of who may well come: deeper in is no better. `soonest_m`: the way of
    a soft stop that goes on from how we brake now, so that the place stays where it is from tick
    to tick, and we stand."""
    at = stop.at_m
    for way in sorted(rules.ways, key=lambda each: -each.begin_m):
        if way.begin_m - ZONE_MARGIN_M < at < way.end_m + length_m:
            at = way.begin_m - ZONE_MARGIN_M
    if at > front_m:
        return replace(stop, at_m=at)
    here = front_m + soonest_m
    before = at < stop.at_m and here < at + ZONE_MARGIN_M
    if not before and not any(way.begin_m < stop.at_m < way.end_m for way in rules.crossed):
        return stop
    return replace(stop, at_m=min(stop.at_m, here))


def _before_hairpin(corridor: Corridor, at_m: float, front_m: float) -> float:
    """A place to wait right before a hairpin, or in it, moved back so far that a bus gets round
    from the other side; as it is where we are too far on for that."""
    first = max(0, int(front_m / STEP_M))
    ahead = np.abs(corridor.path.curvature_1pm[first : int((at_m + HAIRPIN_M) / STEP_M)])
    tight = np.flatnonzero(ahead > HAIRPIN_1PM)
    if len(tight) == 0:
        return at_m
    back = front_m + float(tight[0]) * STEP_M - HAIRPIN_M
    return min(at_m, back) if back > front_m else at_m


def _before_others(
    c: int,
    it: Interactions,
    corridor: Corridor,
    front_m: float,
    limit: float,
    known: list[Stop],
    tracks: Tracks,
    forecast: Forecast,
) -> list[Stop]:
    """Waiting places before users who cross where the map shows no line."""
    if forecast.count == 0:
        return []
    crossing = (it.first[c] >= 0) & (it.behind[c] == 0) & (it.k_off[c] < -1e8)
    crossing &= (it.first[c] == 0) | (it.stop >= it.first[c])  # who waits before it does not come
    rows = np.flatnonzero(crossing[: forecast.count])
    if len(rows) == 0:
        return []
    nearest = it.lo[c, rows].min(axis=1) - ZONE_MARGIN_M
    found: list[Stop] = []
    taken = [s.at_m for s in known]
    for q in np.argsort(nearest):
        at = _before_hairpin(corridor, float(nearest[q]), front_m)
        if at < front_m - 0.3 or at > limit - 0.5 or any(abs(at - t) < 2.0 for t in taken):
            continue
        track = int(forecast.track[rows[q]])
        kind = int(tracks.kind[track])
        reason = Reason.YIELD
        if kind == UserKind.PEDESTRIAN:
            reason = Reason.PEDESTRIAN
        elif kind == UserKind.BICYCLE:
            reason = Reason.CYCLIST
        found.append(Stop(at, reason, int(tracks.uid[track])))
        taken.append(at)
        if len(found) == 2:
            break
    return found


def _leads_there(c: int, it: Interactions) -> int:
    """Who drives next ahead of us on the lane that we change to, -1 nobody: followed from the
    beginning, though our way meets theirs only farther on."""
    ahead = -it.k_off[c] - it.s0[c]
    there = (it.first[c] > 0) & (it.behind[c] == 0) & (it.k_off[c] > -1e8) & (ahead > 0.0)
    rows = np.flatnonzero(there & (it.limit > 0.0))
    return int(rows[np.argmin(ahead[rows])]) if len(rows) else -1


def _let_in(c: int, it: Interactions) -> list[int]:
    """Users about to merge ahead of us, the soonest first."""
    merging = (it.first[c] > 0) & (it.behind[c] == 0) & (it.k_off[c] > -1e8) & (it.relation[c] < 1)
    rows = np.flatnonzero(merging & (it.limit > 0.0))  # who is parked does not come
    if len(rows) == 0:
        return []
    time = it.first[c][rows] / np.maximum(it.speed[rows], 0.5)
    order = rows[np.argsort(time)]
    return [int(k) for k in order[:MAX_VIRTUAL] if it.first[c][k] / max(it.speed[k], 0.5) < 6.0]
