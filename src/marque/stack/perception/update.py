"""One list of one sensor into all tracks: move on, look, pair, learn, forget."""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.core.jit import jit
from marque.stack.perception.assign import NEVER, NOBODY, pair
from marque.stack.perception.evidence import GATE, learn_looks, learn_motion, pair_cost, reaches
from marque.stack.perception.life import (
    bear,
    boxes_of,
    chances,
    hit,
    is_gone,
    is_known,
    merge,
    miss,
    reclaim,
    wait,
)
from marque.stack.perception.liveliness import QUIET_ACROSS, QUIET_ALONG, fade, lively
from marque.stack.perception.motion import VX, VY, V, X, Y, predict_vehicle, predict_walker
from marque.stack.perception.noise import FOUND
from marque.stack.perception.sight import in_sight
from marque.stack.perception.store import (
    D_SCORE,
    D_X,
    D_Y,
    KIND,
    STILL_S,
    SURE,
    SURGE,
    SWAY,
    TURNING,
    Store,
)

ALONE = 26.0  # worse than this no pair is made: the gate, and some doubt in speed and looks
STILL_MPS = 0.3
HIGH_SCORE = 0.5
LOW_GATE = 9.2  # weak detections only keep alive what is where it was expected
CHANNELS = 4


@jit
def move_on(store: Store, n: int, dt: float, t_ns: int, kinds: FloatArray) -> None:
    """The first n tracks dt seconds later, at t_ns. In place."""
    if dt <= 0.0:
        return
    for i in range(n):
        m = store.mean[i]
        kind = kinds[store.facts[i, KIND]]
        if store.facts[i, TURNING] == 1:
            slow = store.slow[i]
            surge = lively(slow, SURGE, QUIET_ALONG)
            sway = lively(slow, SWAY, QUIET_ACROSS)
            predict_vehicle(m, store.cov[i], dt, kind, surge, sway)
            fade(slow, SURGE, dt)
            fade(slow, SWAY, dt)
            speed = abs(m[V])
        else:
            predict_walker(m, store.cov[i], dt, kind)
            speed = math.hypot(m[VX], m[VY])
        store.slow[i, STILL_S] = store.slow[i, STILL_S] + dt if speed < STILL_MPS else 0.0
        wait(store, i, dt, t_ns)


@jit
def partners(
    store: Store, n: int, rows: FloatArray, sensor: FloatArray, gain: FloatArray,
    evidence: FloatArray,
) -> IntArray:  # fmt: skip
    """[n] the detection of each track, or NOBODY: strong detections first, then, for tracks
    that are left over, weak ones (Zhang et al., "ByteTrack", ECCV 2022)."""
    everybody = np.full(n, NOBODY, dtype=np.int64)
    cost = _costs(store, n, rows, sensor, gain, evidence, everybody, True)
    first = pair(cost, ALONE)
    weak = False
    for d in range(len(rows)):
        weak = weak or rows[d, D_SCORE] < HIGH_SCORE
    if weak:
        cost = _costs(store, n, rows, sensor, gain, evidence, first, False)
        second = pair(cost, ALONE)
        for i in range(n):
            if first[i] == NOBODY:
                first[i] = second[i]
    return first


@jit
def _costs(
    store: Store, n: int, rows: FloatArray, sensor: FloatArray, gain: FloatArray,
    evidence: FloatArray, has: IntArray, strong: bool,
) -> FloatArray:  # fmt: skip
    """[n, m] cost of each pair of a track that has nobody yet with a strong or weak detection."""
    of_track, of_row = reaches(store, n, rows, sensor, gain)
    cost = np.full((n, len(rows)), NEVER)
    gate = GATE if strong else LOW_GATE
    for i in range(n):
        if has[i] != NOBODY:
            continue
        x = store.mean[i, X]
        y = store.mean[i, Y]
        for d in range(len(rows)):
            away = (rows[d, D_X] - x) ** 2 + (rows[d, D_Y] - y) ** 2
            if away < of_track[i] + of_row[d] and (rows[d, D_SCORE] >= HIGH_SCORE) == strong:
                cost[i, d] = pair_cost(store, i, rows[d], sensor, gain, evidence, gate)
    return cost


@jit
def take_list(
    store: Store, n: int, rows: FloatArray, eye: FloatArray, sensor: FloatArray,
    gain: FloatArray, shares: FloatArray, kinds: FloatArray, evidence: FloatArray,
    prior: FloatArray, t_ns: int, learnt: FloatArray,
) -> tuple[int, BoolArray]:  # fmt: skip
    """Teach n tracks, already moved on to t_ns, what a list says; store has room for its rows.

    rows [m, 19] detections; eye [3] of the sensor; shares [n] of each track in line of sight.
    In place; returns how many tracks there are now, and which of them are to be kept. learnt
    [4, 2]: see `evidence.learn_motion`, sums over tracks that have settled.
    """
    chance = chances(store, n, shares, eye, sensor)
    partner = partners(store, n, rows, sensor, gain, evidence)
    taken = np.zeros(len(rows), dtype=np.bool_)
    unsettled = np.zeros((CHANNELS, 2))
    fresh = np.zeros(n + len(rows), dtype=np.bool_)
    for i in range(n):
        d = partner[i]
        if d == NOBODY:
            miss(store, i, min(chance[i], sensor[FOUND]), t_ns)
            continue
        taken[d] = True
        was_sure = store.facts[i, SURE]
        hit(store, i, rows[d], sensor, gain, t_ns)
        fresh[i] = store.facts[i, SURE] > was_sure
        into = learnt if store.facts[i, SURE] == 1 else unsettled
        learn_motion(store, i, rows[d], sensor, gain, into)
        learn_looks(store, i, rows[d], sensor, evidence, kinds)
    count = n
    for d in range(len(rows)):
        if not taken[d] and rows[d, D_SCORE] >= HIGH_SCORE and not is_known(store, count, rows[d]):
            bear(store, count, rows[d], sensor, gain, kinds, evidence, prior, t_ns)
            count += 1
    keep = np.ones(count, dtype=np.bool_)
    for i in range(count):
        keep[i] = not is_gone(store, i, t_ns)
    merge(store, count, keep)
    reclaim(store, count, keep, fresh, t_ns)
    return count, keep


@jit
def shares_in_sight(store: Store, n: int, eye: FloatArray, kinds: FloatArray) -> FloatArray:
    """[n] share of each track that no other track hides from the eye [3]."""
    box, hides, tall = boxes_of(store, n, kinds)
    return in_sight(eye[0], eye[1], box, hides, tall)
