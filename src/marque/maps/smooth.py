"""Drivable centre lines: heading runs on within a lane and across lane, connector and lane.

Importers deliver polylines that kink where lanes join. Five steps mend that:

0. Where a lane opens or ends, importers jump by a lane's width within a few metres. The lane that
   has no other way on or off starts beside its source instead and eases back: a taper.
1. Where a turn would be too tight to drive, its connector takes over up to CUT_M of the lanes it
   joins (for all connectors of that lane end alike), as drivers begin to turn before the line.
2. Every join (the end of a lane with its connectors, the start of a lane with its connectors) gets
   one shared point, tangent and curvature, read off the path that runs straightest through it. The
   point moves sideways only, by at most `JOIN_SHIFT_M`.
3. Every lane becomes the curve that trades distance from the source polyline against change of
   curvature (a smoothing spline: sum of squared third differences), with both ends pinned to
   their joins. The smoothing length is the largest that keeps the lane within its allowance.
   Away from joins, tapers and sharp kinks the allowance is CLOSE_M (`closeness` says where): the
   source pulls harder on points that stray further, which leaves curvature continuous.
4. Bends that are then still tighter than a car are swung out (`hairpins`).

Frame: map metres. All functions are pure.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int32Array
from marque.core.jit import jit
from marque.maps.closeness import CLOSE_M, furthest, held, offsets, reach_m
from marque.maps.curves import (
    band_smooth,
    even,
    hermite,
    max_curvature,
    sampled,
    transition_curve,
)
from marque.maps.hairpins import RADIUS_M, widened
from marque.maps.joins import (
    arc_all,
    cuts,
    find_joins,
    grouped,
    jumps,
    link_straightest,
    move_joins,
    pinned_ends,
    taper_lengths,
    tapered,
    without_repeats,
)

STEP_M = 1.0  # between points of a lane
PLAIN_STEP_M = 2.0  # at most, of a footway
FINE_STEP_M = 0.5  # of a connector, and of a lane with a curve below FINE_RADIUS_M
FINE_RADIUS_M = 25.0
CONNECTOR_STEP_M = 0.25  # between points while a connector is being fitted
STRAIGHT_1PM = 0.06  # an end with less curvature counts as straight
ARC_SHARES = np.array([0.92, 0.85, 0.75, 0.6])
MIN_RADIUS_M = 5.0
LANE_MOVE_M = 0.35  # usual allowance
CONNECTOR_MOVE_M = 0.6
TIGHT_MOVE_M = 1.5  # allowance where the curve would be too tight to drive
TIGHT_CONNECTOR_MOVE_M = 1.6
HOLD_M = 0.8 * CLOSE_M  # what is asked of points that are held
HOLD_TRIES = 12
LENGTHS_M = np.array([0.5, 0.8, 1.2, 1.8, 2.6, 3.6, 5.0, 7.0])  # smoothing lengths tried


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Smoothed centre lines of L lanes; fields as in RoadMap."""

    pt_off: Int32Array
    pt_xy_m: FloatArray
    pt_s_m: FloatArray
    pt_heading_rad: FloatArray
    pt_curvature_1pm: FloatArray
    taper_m: (
        FloatArray  # [L, 2] over which a lane's start and end are eased sideways, 0: they are not
    )


def smooth_lanes(
    shape_off: Int32Array,
    shape_xy_m: FloatArray,
    connector_from: Int32Array,
    connector_to: Int32Array,
    plain: BoolArray,
    u_turn: BoolArray,
    limit_mps: FloatArray,
) -> Lines:
    """Centre lines of all lanes.

    shape_off [L+1], shape_xy_m [M, 2]: source polylines, at least two points each.
    connector_from, connector_to [L]: joined lanes of a connector, -1 for a lane.
    plain [L]: resampled only (footways). u_turn [L]: connectors that turn back.
    limit_mps [L]: how gently a lane that opens is tapered.
    """
    is_connector = connector_from >= 0
    lanes = len(shape_off) - 1
    out_off, out = grouped(connector_from, lanes)
    in_off, into = grouped(connector_to, lanes)
    branching = np.column_stack(
        [
            np.bincount(key[is_connector & ~u_turn], minlength=lanes) > 1
            for key in (connector_to, connector_from)
        ]
    )
    off, xy = without_repeats(shape_off, shape_xy_m)
    shift = jumps(off, xy, arc_all(off, xy), connector_from, connector_to, limit_mps)
    taper = taper_lengths(off, arc_all(off, xy), shift, limit_mps)
    taper[is_connector] = 0.0
    off, xy = tapered(off, xy, connector_from, connector_to, shift, taper)
    cut = cuts(off, xy, arc_all(off, xy), connector_from, connector_to, branching)
    off, xy = without_repeats(*move_joins(off, xy, connector_from, connector_to, cut))
    s = arc_all(off, xy)
    ahead = connector_to.astype(np.int32)  # lane -> straightest connector, connector -> lane
    behind = connector_from.astype(np.int32)
    link_straightest(off, xy, s, out_off, out, connector_to, is_connector, True, ahead)
    link_straightest(off, xy, s, in_off, into, connector_from, is_connector, False, behind)
    joins = find_joins(off, xy, s, ahead, behind, is_connector, branching)
    ends = pinned_ends(off, xy, joins, connector_from, connector_to, plain)
    pt_off, pt_xy, heading, curvature = _smooth_all(
        off, xy, s, ends, is_connector, plain, limit_mps, taper
    )
    return Lines(pt_off, pt_xy, arc_all(pt_off, pt_xy), heading, curvature, taper)


def _smooth_all(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ends: FloatArray,
    is_connector: BoolArray,
    plain: BoolArray,
    limit_mps: FloatArray,
    taper: FloatArray,
) -> tuple[Int32Array, FloatArray, FloatArray, FloatArray]:
    length = s[off[1:] - 1]
    room = np.ceil(length * 1.6 / FINE_STEP_M).astype(np.int64) + 24
    out = np.zeros((int(room.sum()), 4))
    away = np.maximum(taper, reach_m(limit_mps)[:, None])
    counts = _smooth_each(off, xy, s, ends, is_connector, plain, limit_mps, away, LENGTHS_M, out)
    pt_off = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    flat = out[: pt_off[-1]]
    columns = (flat[:, :2], flat[:, 2], flat[:, 3])
    point, heading, curvature = (np.ascontiguousarray(column) for column in columns)
    return pt_off, point, heading, curvature


@jit
def _smooth_each(
    off: Int32Array,
    xy: FloatArray,
    s: FloatArray,
    ends: FloatArray,
    is_connector: BoolArray,
    plain: BoolArray,
    limit_mps: FloatArray,
    away: FloatArray,
    lengths: FloatArray,
    out: FloatArray,
) -> Int32Array:
    """Fill `out` rows (x, y, heading, curvature) lane after lane; points per lane [L]."""
    lanes = len(off) - 1
    counts = np.zeros(lanes, dtype=np.int32)
    k = 0
    for lane in range(lanes):
        lo = off[lane]
        hi = off[lane + 1]
        raw = xy[lo:hi]
        arc = s[lo:hi]
        if plain[lane]:
            count = max(2, math.ceil(arc[-1] / PLAIN_STEP_M) + 1)
            line = sampled(raw, arc, count)
            step = PLAIN_STEP_M
        else:
            hold = np.zeros(0, dtype=np.bool_)
            if not is_connector[lane]:
                at = np.linspace(0.0, arc[-1], _count(arc[-1], False))
                end = arc[-1] - away[lane, 1]
                hold = held(at, raw, arc, away[lane, 0], end, limit_mps[lane])
            line = _smooth_one(raw, arc, ends[lane], is_connector[lane], hold, lengths)
            if not is_connector[lane] and max_curvature(line) > 1.0 / RADIUS_M:
                line = widened(line)
                arc = arc_all(np.array([0, len(line)], dtype=np.int32), line)
                line = sampled(line, arc, len(line))
            tight = is_connector[lane] or max_curvature(line) > 1.0 / FINE_RADIUS_M
            step = FINE_STEP_M if tight else STEP_M
        rows = even(line, ends[lane], step)
        counts[lane] = len(rows)
        for i in range(len(rows)):
            for j in range(4):
                out[k, j] = rows[i, j]
            k += 1
    return counts


@jit
def _count(length_m: float, is_connector: bool) -> int:
    """How many points a lane is fitted with."""
    return math.ceil(length_m / (CONNECTOR_STEP_M if is_connector else FINE_STEP_M)) + 1


@jit
def _smooth_one(
    xy: FloatArray,
    s: FloatArray,
    ends: FloatArray,
    is_connector: bool,
    hold: BoolArray,
    lengths: FloatArray,
) -> FloatArray:
    """The curve of one lane. hold: points held to the polyline, as in `_held_smooth`, or [0]."""
    step = CONNECTOR_STEP_M if is_connector else FINE_STEP_M
    count = _count(s[-1], is_connector)
    if count < 8:
        return hermite(ends, 8)
    usual = CONNECTOR_MOVE_M if is_connector else LANE_MOVE_M
    most = TIGHT_CONNECTOR_MOVE_M if is_connector else TIGHT_MOVE_M
    raw = sampled(xy, s, count)
    evenly = np.ones(count)
    best = raw
    best_length = lengths[0]
    best_cost = 1e18
    for length in lengths:
        line = band_smooth(raw, ends, (length / step) ** 6, evenly)
        cost = _cost(line, xy, s, usual, most) - 0.01 * length
        if cost < best_cost:
            best_cost = cost
            best = line
            best_length = length
    if hold.any():
        best = _held_smooth(raw, ends, (best_length / step) ** 6, hold, xy, s)
    straight_ends = max(abs(ends[0, 3]), abs(ends[1, 3])) < STRAIGHT_1PM
    if is_connector and straight_ends:
        for share in ARC_SHARES:
            line = transition_curve(ends, share)
            if len(line) == 0:
                break
            cost = _cost(line, xy, s, usual, most) - 0.2
            if cost < best_cost:
                best_cost = cost
                best = line
    return best


@jit
def _held_smooth(
    raw: FloatArray,
    ends: FloatArray,
    stiffness: float,
    hold: BoolArray,
    xy: FloatArray,
    s: FloatArray,
) -> FloatArray:
    """The smoothing spline whose points at `hold` [n] lie within HOLD_M of the polyline: those that
    stray are pulled the harder, the further they stray."""
    pull = np.ones(len(raw))
    line = band_smooth(raw, ends, stiffness, pull)
    for _ in range(HOLD_TRIES):
        away = offsets(line, xy, s)
        stray = False
        for i in range(len(raw)):
            if hold[i] and away[i, 0] > HOLD_M:
                stray = True
                pull[i] *= min((away[i, 0] / HOLD_M) ** 2, 100.0)
        if not stray:
            break
        line = band_smooth(raw, ends, stiffness, pull)
    return line


@jit
def _cost(line: FloatArray, xy: FloatArray, s: FloatArray, usual: float, most: float) -> float:
    """Too tight costs most; then leaving the usual allowance; beyond `most` never pays."""
    moved = furthest(line, xy, s)
    bend = max(0.0, max_curvature(line) - 1.0 / MIN_RADIUS_M)
    return 100.0 * bend + 10.0 * max(0.0, moved - usual) + 1000.0 * max(0.0, moved - most)
