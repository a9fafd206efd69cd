"""Who exists: birth, belief, memory of the hidden, and two tracks that are one.

Belief is the log-odds of existence: each detection adds its likelihood against that of a false
one, each list that should have held the track and does not takes away (Musicki, Evans, Stankovic,
"Integrated probabilistic data association", IEEE TAC 39, 1994). Misses of a track that has been
sure count less: what several sensors miss at once they miss for one common reason.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.jit import jit
from marque.core.time import NS_PER_S
from marque.stack.perception.evidence import box_distance, distance, heading_of, reflection
from marque.stack.perception.motion import (
    VX,
    VY,
    A,
    H,
    K,
    V,
    X,
    Y,
    curvature_spread,
)
from marque.stack.perception.noise import (
    ACCEL,
    ACROSS,
    ACROSS_PM,
    ALONG,
    ALONG_PM,
    BIRTH,
    FALSE,
    FOUND,
    HALF_ANGLE,
    HEADING,
    HEADING_PM,
    HIDES,
    LENGTH,
    RANGE,
    RATE,
    SIZE_SHARE,
    TALL,
    TRUST,
    VELOCITY,
    WIDTH,
)
from marque.stack.perception.noise import SIZE as SIZE_NOISE
from marque.stack.perception.noise import TURNING as KIND_TURNS
from marque.stack.perception.store import (
    BODY,
    BORN_NS,
    D_HAS_BOX,
    D_HAS_KIND,
    D_HAS_RATE,
    D_HAS_VELOCITY,
    D_HEADING,
    D_KIND,
    D_LENGTH,
    D_RANGE,
    D_RATE,
    D_RAY_X,
    D_RAY_Y,
    D_SCORE,
    D_VX,
    D_VY,
    D_WIDTH,
    D_X,
    D_Y,
    HITS,
    KIND,
    LEN,
    LEN_VAR,
    LOGIT,
    OPEN_NS,
    SEEN_NS,
    SURE,
    TURNING,
    UID,
    UNNAMED,
    WID,
    WID_VAR,
    Store,
)

HIT_MOST = 2.5
LOGIT_MOST = 5.0
SURE_LOGIT = 2.2  # 0.9
SURE_HITS = 2
MISS_SURE = 0.15  # weight of a miss of one that has been sure
MISS_NEW = 0.5
GONE_SURE = -1.0
GONE_NEW = -3.5
KEEP_HIDDEN_S = 5.0
KEEP_NEW_S = 0.4
HIDDEN_PER_S = 0.8  # by how much belief in the hidden sinks
LOST_M = 6.0  # who may be anywhere within this is nowhere
PLAIN = 0.3  # likelier than this to be found: in plain sight
SPEED_UNKNOWN_MPS = 7.0
IN_BOX = 0.6  # a detection this deep in a track's box is no second road user
IN_BOX_ECHO = 1.3
ASTRAY_FROM_S = 0.08  # before, a track is only missed
ASTRAY_MPS = 1.5  # how fast an unseen one gets away from where it is believed: at least,
ASTRAY_SHARE = 0.3  # by its speed,
ASTRAY_MPS2 = 0.7  # and by how a vehicle may have set off or braked meanwhile
KEEP_LOST_S = 4.0  # who is believed gone is still known by name
LOST_LOGIT = -3.0
SAME = 0.7  # two tracks with middles this near, in mean half sizes, are one


@jit
def chances(
    store: Store, n: int, share: FloatArray, eye: FloatArray, sensor: FloatArray
) -> FloatArray:
    """[n] how likely one list of a sensor holds each track: field of view, range, line of sight.

    eye [3]: x, y, and where the middle of the sensor looks. Fades out over the last metres and
    degrees, as the belief where a track is and where the sensor ends are both rough.
    """
    out = np.zeros(n)
    for i in range(n):
        dx = store.mean[i, X] - eye[0]
        dy = store.mean[i, Y] - eye[1]
        r = math.hypot(dx, dy)
        part = min(1.0, max(0.0, (sensor[RANGE] - r) / (0.1 * sensor[RANGE])))
        if sensor[HALF_ANGLE] < math.pi:
            aside = abs((math.atan2(dy, dx) - eye[2] + math.pi) % (2.0 * math.pi) - math.pi)
            part *= min(1.0, max(0.0, (sensor[HALF_ANGLE] - aside) / 0.1))
        part *= min(1.0, max(0.0, (share[i] - 0.3) / 0.5))
        out[i] = sensor[FOUND] * part
    return out


@jit
def boxes_of(store: Store, n: int, kinds: FloatArray) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Boxes [n, 6] for `sight.in_sight`, who hides [n], who is tall [n]. The unsure hide nobody."""
    box = np.empty((n, 6))
    hides = np.zeros(n, dtype=np.bool_)
    tall = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        h = heading_of(store.mean[i], store.slow[i], store.facts[i, TURNING])
        box[i, 0] = store.mean[i, X]
        box[i, 1] = store.mean[i, Y]
        box[i, 2] = math.cos(h)
        box[i, 3] = math.sin(h)
        box[i, 4] = 0.5 * store.slow[i, LEN]
        box[i, 5] = 0.5 * store.slow[i, WID]
        row = kinds[store.facts[i, KIND]]
        sure = store.facts[i, SURE] == 1 and not is_lost(store, i)
        hides[i] = sure and row[HIDES] == 1.0
        tall[i] = row[TALL] == 1.0
    return box, hides, tall


@jit
def hit(
    store: Store, i: int, det: FloatArray, sensor: FloatArray, gain: FloatArray, t_ns: int
) -> None:
    """Belief in track i after a detection, from before its motion is corrected. In place."""
    d2, det_s, _ = distance(
        store.mean[i], store.cov[i], store.slow[i], store.facts[i, TURNING], det, sensor, gain
    )
    likely = math.log(sensor[FOUND] / (2.0 * math.pi * math.sqrt(det_s) * sensor[FALSE]))
    more = min(HIT_MOST, max(0.1, likely - 0.5 * d2)) * det[D_SCORE]
    store.slow[i, LOGIT] = min(LOGIT_MOST, store.slow[i, LOGIT] + more)
    store.facts[i, HITS] += 1
    store.facts[i, SEEN_NS] = t_ns
    store.facts[i, OPEN_NS] = t_ns
    if store.slow[i, LOGIT] > SURE_LOGIT and store.facts[i, HITS] >= SURE_HITS:
        store.facts[i, SURE] = 1


@jit
def miss(store: Store, i: int, chance: float, t_ns: int) -> None:
    """Belief in track i after a list that does not hold it. In place."""
    weight = MISS_SURE if store.facts[i, SURE] == 1 else MISS_NEW
    store.slow[i, LOGIT] += weight * math.log(1.0 - chance)
    if store.facts[i, SURE] == 1:
        store.slow[i, LOGIT] = max(LOST_LOGIT, store.slow[i, LOGIT])
    if chance > PLAIN:
        store.facts[i, OPEN_NS] = t_ns


@jit
def wait(store: Store, i: int, dt: float, t_ns: int) -> None:
    """Belief in a track that nobody could see for a moment sinks slowly, to even odds."""
    if (t_ns - store.facts[i, OPEN_NS]) > NS_PER_S // 5 and store.slow[i, LOGIT] > 0.0:
        store.slow[i, LOGIT] = max(0.0, store.slow[i, LOGIT] - HIDDEN_PER_S * dt)


@jit
def is_lost(store: Store, i: int) -> bool:
    """Whether track i is no longer believed in: not shown, hides nobody, but known by name."""
    return bool(store.slow[i, LOGIT] < GONE_SURE)


@jit
def speed_of(store: Store, i: int) -> float:
    """Speed of track i, m/s."""
    if store.facts[i, TURNING] == 1:
        return float(abs(store.mean[i, V]))
    return float(math.hypot(store.mean[i, VX], store.mean[i, VY]))


@jit
def is_gone(store: Store, i: int, t_ns: int) -> bool:
    """Whether track i is to be forgotten."""
    unseen = (t_ns - store.facts[i, SEEN_NS]) / NS_PER_S
    spread = store.cov[i, X, X] + store.cov[i, Y, Y]
    if not math.isfinite(spread) or not math.isfinite(store.mean[i].sum()):
        return True
    if store.facts[i, SURE] == 1:
        anywhere = unseen > 1.0 and spread > LOST_M * LOST_M
        gone = unseen > KEEP_LOST_S and is_lost(store, i)
        return bool(gone or unseen > KEEP_HIDDEN_S or anywhere)
    return bool(store.slow[i, LOGIT] < GONE_NEW or unseen > KEEP_NEW_S)


@jit
def is_known(store: Store, n: int, det: FloatArray) -> bool:
    """Whether a detection without partner is a second one of a track that is there already."""
    within = IN_BOX if det[D_HAS_BOX] == 1.0 else IN_BOX_ECHO
    for i in range(n):
        if store.facts[i, SURE] == 1 and is_lost(store, i):
            continue
        h = heading_of(store.mean[i], store.slow[i], store.facts[i, TURNING])
        if box_distance(store.mean[i], store.slow[i], h, det) < within:
            return True
    return False


@jit
def bear(
    store: Store, i: int, det: FloatArray, sensor: FloatArray, gain: FloatArray,
    kinds: FloatArray, evidence: FloatArray, prior: FloatArray, t_ns: int,
) -> None:  # fmt: skip
    """Fill row i with a new track from one detection."""
    store.kinds[i] = prior
    if det[D_HAS_KIND] == 1.0:
        store.kinds[i] += sensor[TRUST] * evidence[:, int(det[D_KIND])]
    store.kinds[i] -= math.log(np.exp(store.kinds[i]).sum())
    best = int(np.argmax(store.kinds[i]))
    turns = float((np.exp(store.kinds[i]) * kinds[:, KIND_TURNS]).sum())
    boxed = det[D_HAS_BOX] == 1.0
    turning = 1 if boxed and turns > 0.5 else 0
    slow = store.slow[i]
    slow[:] = 0.0
    _bear_box(slow, det, sensor, kinds[best], boxed)
    store.lights[i, :] = 0.0
    store.facts[i, UID] = UNNAMED
    store.facts[i, KIND] = best
    store.facts[i, TURNING] = turning
    store.facts[i, HITS] = 1
    store.facts[i, SURE] = 0
    store.facts[i, OPEN_NS] = t_ns
    store.facts[i, SEEN_NS] = t_ns
    store.facts[i, BORN_NS] = t_ns
    odds = math.log(det[D_SCORE] / max(1e-6, 1.0 - det[D_SCORE]))
    slow[LOGIT] = sensor[BIRTH] + min(1.5, max(-1.5, odds))
    _bear_place(store.mean[i], store.cov[i], slow, det, sensor, gain, boxed)
    if turning == 1:
        _bear_vehicle(store.mean[i], store.cov[i], det, sensor, gain, kinds[best])
    else:
        _bear_walker(store.mean[i], store.cov[i], det, sensor, gain)


@jit
def _bear_box(
    slow: FloatArray, det: FloatArray, sensor: FloatArray, kind: FloatArray, boxed: bool
) -> None:
    if boxed:
        slow[LEN], slow[WID] = det[D_LENGTH], det[D_WIDTH]
        share = sensor[SIZE_NOISE]
        slow[BODY] = det[D_HEADING]
    else:
        slow[LEN], slow[WID] = kind[LENGTH], kind[WIDTH]
        share = kind[SIZE_SHARE]
        slow[BODY] = math.atan2(det[D_RAY_Y], det[D_RAY_X])
    slow[LEN_VAR] = (share * slow[LEN] + 0.02) ** 2
    slow[WID_VAR] = (share * slow[WID] + 0.02) ** 2


@jit
def _bear_place(
    mean: FloatArray, cov: FloatArray, slow: FloatArray, det: FloatArray, sensor: FloatArray,
    gain: FloatArray, boxed: bool,
) -> None:  # fmt: skip
    r = det[D_RANGE]
    along = gain[0] * (sensor[ALONG] + sensor[ALONG_PM] * r) ** 2
    across = gain[1] * (sensor[ACROSS] + sensor[ACROSS_PM] * r) ** 2
    depth = 0.0
    if not boxed:
        depth = reflection(mean, slow, slow[BODY], det)
        along += (0.5 * depth) ** 2  # it may also stand across
        across += (0.5 * slow[WID]) ** 2
    ux = det[D_RAY_X]
    uy = det[D_RAY_Y]
    mean[:] = 0.0
    cov[:, :] = 0.0
    mean[X] = det[D_X] + depth * ux
    mean[Y] = det[D_Y] + depth * uy
    cov[X, X] = ux * ux * along + uy * uy * across
    cov[Y, Y] = uy * uy * along + ux * ux * across
    cov[X, Y] = ux * uy * (along - across)
    cov[Y, X] = cov[X, Y]


@jit
def _bear_vehicle(
    mean: FloatArray, cov: FloatArray, det: FloatArray, sensor: FloatArray, gain: FloatArray,
    kind: FloatArray,
) -> None:  # fmt: skip
    mean[H] = det[D_HEADING]
    cov[H, H] = gain[2] * (sensor[HEADING] + sensor[HEADING_PM] * det[D_RANGE]) ** 2
    cov[V, V] = SPEED_UNKNOWN_MPS**2
    if det[D_HAS_VELOCITY] == 1.0:
        mean[V] = det[D_VX] * math.cos(mean[H]) + det[D_VY] * math.sin(mean[H])
        cov[V, V] = gain[3] * sensor[VELOCITY] ** 2
        if mean[V] < -1.0:  # front and rear mixed up
            mean[H] += math.pi
            mean[V] = -mean[V]
    cov[A, A] = kind[ACCEL] ** 2
    cov[K, K] = curvature_spread(mean[V], kind) ** 2


@jit
def _bear_walker(
    mean: FloatArray, cov: FloatArray, det: FloatArray, sensor: FloatArray, gain: FloatArray
) -> None:
    if det[D_HAS_VELOCITY] == 1.0:
        mean[VX], mean[VY] = det[D_VX], det[D_VY]
        cov[VX, VX] = gain[3] * sensor[VELOCITY] ** 2
        cov[VY, VY] = cov[VX, VX]
        return
    wide = 2.0 if det[D_HAS_KIND] == 1.0 else SPEED_UNKNOWN_MPS
    ux = det[D_RAY_X]
    uy = det[D_RAY_Y]
    along = wide * wide
    if det[D_HAS_RATE] == 1.0:
        mean[VX], mean[VY] = det[D_RATE] * ux, det[D_RATE] * uy
        along = gain[3] * sensor[RATE] ** 2
    across = wide * wide
    cov[VX, VX] = ux * ux * along + uy * uy * across
    cov[VY, VY] = uy * uy * along + ux * ux * across
    cov[VX, VY] = ux * uy * (along - across)
    cov[VY, VX] = cov[VX, VY]


@jit
def same_body(store: Store, i: int, j: int) -> bool:
    """Whether two tracks are one: each other's middle lies deep in their box."""
    h = heading_of(store.mean[i], store.slow[i], store.facts[i, TURNING])
    dx = store.mean[j, X] - store.mean[i, X]
    dy = store.mean[j, Y] - store.mean[i, Y]
    length = 0.5 * (store.slow[i, LEN] + store.slow[j, LEN])
    width = 0.5 * (store.slow[i, WID] + store.slow[j, WID])
    c = math.cos(h)
    s = math.sin(h)
    along = abs(dx * c + dy * s) / length
    return bool(max(along, abs(-dx * s + dy * c) / width) < SAME)


@jit
def reclaim(store: Store, n: int, keep: BoolArray, fresh: BoolArray, t_ns: int) -> None:
    """Who comes out of hiding where it was not expected keeps its name.

    Each newly sure track (`fresh` [n]) is taken for the nearest unseen one of its kind and size
    that can have come there: that one takes over its state. Clears `keep` [n] of the new.
    """
    for new in range(n):
        if not fresh[new] or not keep[new]:
            continue
        best = -1
        nearest = 1.0
        for old in range(n):
            if old != new and keep[old] and not fresh[old] and store.facts[old, SURE] == 1:
                off = _astray(store, old, new, t_ns)
                if off < nearest:
                    nearest = off
                    best = old
        if best >= 0:
            keep[new] = False
            uid, born = store.facts[best, UID], store.facts[best, BORN_NS]
            store.mean[best] = store.mean[new]
            store.cov[best] = store.cov[new]
            store.slow[best] = store.slow[new]
            store.kinds[best] = store.kinds[new]
            store.lights[best] = store.lights[new]
            store.facts[best] = store.facts[new]
            store.facts[best, UID] = uid
            store.facts[best, BORN_NS] = born


@jit
def _astray(store: Store, old: int, new: int, t_ns: int) -> float:
    """How far a new track is from where an unseen one is believed, in units of what it can have
    strayed by since; 1 or more: it is another."""
    unseen = (t_ns - store.facts[old, SEEN_NS]) / NS_PER_S
    if unseen < ASTRAY_FROM_S or store.facts[old, KIND] != store.facts[new, KIND]:
        return 1.0
    size = abs(store.slow[old, LEN] - store.slow[new, LEN]) / store.slow[old, LEN]
    if size > 0.2:
        return 1.0
    dx = store.mean[new, X] - store.mean[old, X]
    dy = store.mean[new, Y] - store.mean[old, Y]
    spread = math.sqrt(store.cov[old, X, X] + store.cov[old, Y, Y])
    speed = speed_of(store, old)
    reach = 1.0 + (ASTRAY_MPS + ASTRAY_SHARE * speed) * unseen + 2.0 * spread
    if store.facts[old, TURNING] == 1:
        reach += 0.5 * ASTRAY_MPS2 * unseen * unseen
    return float(min(1.0, math.hypot(dx, dy) / reach))


@jit
def merge(store: Store, n: int, keep: BoolArray) -> None:
    """Of two tracks of one body the surer, then the older, stays. Clears `keep` [n] of the other.

    One that has not been seen for a while is left to `reclaim`."""
    for i in range(n):
        for j in range(i + 1, n):
            if not keep[i] or not keep[j]:
                continue
            near = abs(store.mean[i, X] - store.mean[j, X]) < 12.0
            if not near or _are_two(store, i, j) or not same_body(store, i, j):
                continue
            a, b = (i, j) if _outranks(store, i, j) else (j, i)
            keep[b] = False
            store.facts[a, SEEN_NS] = max(store.facts[a, SEEN_NS], store.facts[b, SEEN_NS])


@jit
def _are_two(store: Store, i: int, j: int) -> bool:
    """Whether one of both is only guessed to be here now."""
    return bool(abs(store.facts[i, SEEN_NS] - store.facts[j, SEEN_NS]) > NS_PER_S // 4)


@jit
def _outranks(store: Store, i: int, j: int) -> bool:
    if store.facts[i, SURE] != store.facts[j, SURE]:
        return bool(store.facts[i, SURE] > store.facts[j, SURE])
    if store.facts[i, BORN_NS] != store.facts[j, BORN_NS]:
        return bool(store.facts[i, BORN_NS] < store.facts[j, BORN_NS])
    if store.facts[i, HITS] != store.facts[j, HITS]:
        return bool(store.facts[i, HITS] > store.facts[j, HITS])
    return bool(store.mean[i, X] <= store.mean[j, X])
