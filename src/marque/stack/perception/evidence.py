"""What one detection says about one track: how well they fit, and what is learnt from it."""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.stack.perception.assign import NEVER
from marque.stack.perception.liveliness import note
from marque.stack.perception.motion import (
    SIZE,
    VX,
    VY,
    H,
    V,
    X,
    Y,
    correct,
    keep_sane,
    to_vehicle,
    to_walker,
    turn_round,
)
from marque.stack.perception.noise import (
    ACROSS,
    ACROSS_PM,
    ALONG,
    ALONG_PM,
    HEADING,
    HEADING_PM,
    RATE,
    TRUST,
    VELOCITY,
)
from marque.stack.perception.noise import (
    SIZE as SIZE_NOISE,
)
from marque.stack.perception.noise import TURNING as KIND_TURNS
from marque.stack.perception.sight import FAR, reach
from marque.stack.perception.store import (
    BODY,
    D_HAS_BOX,
    D_HAS_INDICATOR,
    D_HAS_KIND,
    D_HAS_RATE,
    D_HAS_VELOCITY,
    D_HEADING,
    D_INDICATOR,
    D_KIND,
    D_LENGTH,
    D_RANGE,
    D_RATE,
    D_RAY_X,
    D_RAY_Y,
    D_VX,
    D_VY,
    D_WIDTH,
    D_X,
    D_Y,
    FACING,
    KIND,
    LEN,
    LEN_VAR,
    SURGE,
    SWAY,
    TURNING,
    WID,
    WID_VAR,
    Store,
)

GATE = 18.4  # squared distance of positions, 1 in 10,000 of a true pair lies beyond
CAP_SPEED = 12.0  # the most that a speed that does not fit can cost
CAP_SIZE = 6.0
CAP_KIND = 6.0
CAP_SPREAD = 10.0
OUTLIER = 16.0  # squared innovation from which a single number is not believed
FACING_MOST = 5.0
ALONG_CH, ACROSS_CH, HEADING_CH, SPEED_CH = range(4)  # channels of the gains


@jit
def reflection(mean: FloatArray, slow: FloatArray, heading: float, det: FloatArray) -> float:
    """How far behind the point that reflects the middle of the box lies, along the ray, m."""
    c = math.cos(heading)
    s = math.sin(heading)
    ux = det[D_RAY_X]
    uy = det[D_RAY_Y]
    away = 100.0
    entry = reach(
        -away * (ux * c + uy * s), -away * (-ux * s + uy * c),
        ux * c + uy * s, -ux * s + uy * c, 0.5 * slow[LEN], 0.5 * slow[WID],
    )  # fmt: skip
    return away - entry if entry < FAR else 0.0


@jit
def heading_of(mean: FloatArray, slow: FloatArray, turning: int) -> float:
    """Where a track points."""
    return float(mean[H] if turning == 1 else slow[BODY])


@jit
def position_terms(
    mean: FloatArray, slow: FloatArray, turning: int, det: FloatArray, sensor: FloatArray,
    gain: FloatArray,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Measured middle of the box (x, y), and the variances along and across the ray."""
    r = det[D_RANGE]
    along = gain[ALONG_CH] * (sensor[ALONG] + sensor[ALONG_PM] * r) ** 2
    across = gain[ACROSS_CH] * (sensor[ACROSS] + sensor[ACROSS_PM] * r) ** 2
    x = det[D_X]
    y = det[D_Y]
    if det[D_HAS_BOX] == 0.0:
        depth = reflection(mean, slow, heading_of(mean, slow, turning), det)
        x += depth * det[D_RAY_X]
        y += depth * det[D_RAY_Y]
        # which part of the side reflects, and how long the box is, are guesses
        along += (0.15 * depth) ** 2 + 0.25 * slow[LEN_VAR]
        across += (0.25 * slow[WID]) ** 2
    return x, y, along, across


@jit
def distance(
    mean: FloatArray, cov: FloatArray, slow: FloatArray, turning: int, det: FloatArray,
    sensor: FloatArray, gain: FloatArray,
) -> tuple[float, float, float]:  # fmt: skip
    """Squared Mahalanobis distance of the positions, the determinant of its covariance, and by
    how much that exceeds the sensor's own (ratio)."""
    x, y, r_along, r_across = position_terms(mean, slow, turning, det, sensor, gain)
    dx = x - mean[X]
    dy = y - mean[Y]
    ux = det[D_RAY_X]
    uy = det[D_RAY_Y]
    xx = cov[X, X]
    yy = cov[Y, Y]
    xy = cov[X, Y]
    a = ux * ux * xx + uy * uy * yy + 2.0 * ux * uy * xy + r_along
    c = uy * uy * xx + ux * ux * yy - 2.0 * ux * uy * xy + r_across
    b = ux * uy * (yy - xx) + (ux * ux - uy * uy) * xy
    along = dx * ux + dy * uy
    across = -dx * uy + dy * ux
    det_s = a * c - b * b
    d2 = (c * along * along - 2.0 * b * along * across + a * across * across) / det_s
    return d2, det_s, det_s / (r_along * r_across)


@jit
def _speed_cost(
    mean: FloatArray, cov: FloatArray, turning: int, det: FloatArray, sensor: FloatArray,
    gain: FloatArray,
) -> float:  # fmt: skip
    """Squared distance of the velocities, or of the speeds along the ray; capped."""
    if turning == 1:
        c = math.cos(mean[H])
        s = math.sin(mean[H])
        v = mean[V]
        along = cov[V, V]
        aside = v * v * cov[H, H]
    else:
        c, s = 1.0, 0.0
        v = 0.0
        along = cov[VX, VX]
        aside = cov[VY, VY]
    vx = v * c if turning == 1 else mean[VX]
    vy = v * s if turning == 1 else mean[VY]
    if det[D_HAS_VELOCITY] == 1.0:
        r = gain[SPEED_CH] * sensor[VELOCITY] ** 2
        dx = det[D_VX] - vx
        dy = det[D_VY] - vy
        cost = (dx * c + dy * s) ** 2 / (along + r) + (-dx * s + dy * c) ** 2 / (aside + r)
        return float(min(CAP_SPEED, cost))
    if det[D_HAS_RATE] == 1.0:
        ux = det[D_RAY_X] * c + det[D_RAY_Y] * s
        uy = -det[D_RAY_X] * s + det[D_RAY_Y] * c
        var = ux * ux * along + uy * uy * aside + gain[SPEED_CH] * sensor[RATE] ** 2
        off = det[D_RATE] - vx * det[D_RAY_X] - vy * det[D_RAY_Y]
        return float(min(CAP_SPEED, off * off / var))
    return 0.0


@jit
def _looks_cost(
    slow: FloatArray, kind: int, det: FloatArray, sensor: FloatArray, evidence: FloatArray
) -> float:
    """What kind and size that do not fit cost; capped."""
    cost = 0.0
    if det[D_HAS_KIND] == 1.0:
        told = int(det[D_KIND])
        unlike = evidence[told, told] - evidence[kind, told]
        cost += min(CAP_KIND, sensor[TRUST] * unlike)
    if det[D_HAS_BOX] == 1.0:
        size = sensor[SIZE_NOISE] + 0.02
        var_l = slow[LEN_VAR] + (size * det[D_LENGTH]) ** 2
        var_w = slow[WID_VAR] + (size * det[D_WIDTH]) ** 2
        cost += min(
            CAP_SIZE,
            (det[D_LENGTH] - slow[LEN]) ** 2 / var_l + (det[D_WIDTH] - slow[WID]) ** 2 / var_w,
        )
    return cost


@jit
def box_distance(mean: FloatArray, slow: FloatArray, heading: float, det: FloatArray) -> float:
    """Distance of the middles in units of the mean half sizes, the larger of both axes of the
    track's box: below 1 boxes that point the same way overlap."""
    dx = det[D_X] - mean[X]
    dy = det[D_Y] - mean[Y]
    c = math.cos(heading)
    s = math.sin(heading)
    length = slow[LEN]
    width = slow[WID]
    if det[D_HAS_BOX] == 1.0:
        length = 0.5 * (length + det[D_LENGTH])
        width = 0.5 * (width + det[D_WIDTH])
    return float(max(abs(dx * c + dy * s) / length, abs(-dx * s + dy * c) / width))


@jit
def reaches(
    store: Store, n: int, rows: FloatArray, sensor: FloatArray, gain: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """[n] and [m]: a track and a detection farther apart, squared, than the sum of theirs are
    surely beyond gate and box. A bound that costs next to nothing, as most pairs are so."""
    of_track = np.empty(n)
    for i in range(n):
        body = store.slow[i, LEN] + store.slow[i, WID]
        spread = store.cov[i, X, X] + store.cov[i, Y, Y] + store.slow[i, LEN_VAR]
        of_track[i] = 2.0 * (body * body + GATE * (spread + 0.1 * body * body))
    of_row = np.empty(len(rows))
    for d in range(len(rows)):
        r = rows[d, D_RANGE]
        spread = gain[ALONG_CH] * (sensor[ALONG] + sensor[ALONG_PM] * r) ** 2
        spread += gain[ACROSS_CH] * (sensor[ACROSS] + sensor[ACROSS_PM] * r) ** 2
        of_row[d] = 2.0 * GATE * spread
    return of_track, of_row


@jit
def pair_cost(
    store: Store, i: int, det: FloatArray, sensor: FloatArray, gain: FloatArray,
    evidence: FloatArray, gate: float,
) -> float:  # fmt: skip
    """What it costs to take a detection for track i: minus twice the log-likelihood, but for a
    constant; NEVER beyond the gate."""
    mean = store.mean[i]
    slow = store.slow[i]
    turning = store.facts[i, TURNING]
    d2, _, wider = distance(mean, store.cov[i], slow, turning, det, sensor, gain)
    if d2 > gate:
        heading = heading_of(mean, slow, turning)
        boxed = det[D_HAS_BOX] == 1.0 and turning == 1
        if not boxed or box_distance(mean, slow, heading, det) > 0.5:
            return NEVER
        d2 = gate  # a sudden swerve: boxes that lie over each other are one body
    cost = d2 + min(CAP_SPREAD, math.log(wider))
    cost += _speed_cost(mean, store.cov[i], turning, det, sensor, gain)
    return cost + _looks_cost(slow, store.facts[i, KIND], det, sensor, evidence)


@jit
def learn_motion(
    store: Store, i: int, det: FloatArray, sensor: FloatArray, gain: FloatArray,
    learnt: FloatArray,
) -> None:  # fmt: skip
    """Correct the motion of track i by all that the detection measures, in place.

    learnt [4, 2]: per channel, sums of the part of the squared innovation that the sensor's
    noise has to explain, in units of its assumed variance (gain left out), and of how often.
    """
    m = store.mean[i]
    p = store.cov[i]
    slow = store.slow[i]
    turning = store.facts[i, TURNING]
    row = np.zeros(SIZE)
    ux = det[D_RAY_X]
    uy = det[D_RAY_Y]
    x, y, r_along, r_across = position_terms(m, slow, turning, det, sensor, gain)
    row[X], row[Y] = ux, uy
    off = (x - m[X]) * ux + (y - m[Y]) * uy
    fit = _number(m, p, row, off, r_along, gain, learnt, ALONG_CH, np.inf)
    _note_both(slow, turning, m, fit, ux, uy)
    row[X], row[Y] = -uy, ux
    off = -(x - m[X]) * uy + (y - m[Y]) * ux
    fit = _number(m, p, row, off, r_across, gain, learnt, ACROSS_CH, np.inf)
    _note_both(slow, turning, m, fit, -uy, ux)
    row[X], row[Y] = 0.0, 0.0
    if turning == 1 and det[D_HAS_BOX] == 1.0:
        _learn_heading(m, p, slow, det, sensor, gain, learnt)
    if det[D_HAS_VELOCITY] == 1.0:
        _learn_velocity(m, p, slow, turning, det, sensor, gain, learnt)
    if det[D_HAS_RATE] == 1.0:
        var = gain[SPEED_CH] * sensor[RATE] ** 2
        if turning == 1:
            c = math.cos(m[H]) * ux + math.sin(m[H]) * uy
            row[V] = c
            row[H] = m[V] * (-math.sin(m[H]) * ux + math.cos(m[H]) * uy)
            off = det[D_RATE] - m[V] * c
        else:
            row[VX], row[VY] = ux, uy
            off = det[D_RATE] - m[VX] * ux - m[VY] * uy
        fit = _number(m, p, row, off, var, gain, learnt, SPEED_CH, OUTLIER)
        _note_both(slow, turning, m, fit, ux, uy)


@jit
def _note_both(
    slow: FloatArray, turning: int, m: FloatArray, fit: float, x: float, y: float
) -> None:
    """An innovation along the unit vector (x, y), told to both senses of a vehicle's motion."""
    if turning == 1:
        c = math.cos(m[H])
        s = math.sin(m[H])
        note(slow, SURGE, fit, x * c + y * s)
        note(slow, SWAY, fit, -x * s + y * c)


@jit
def _number(
    m: FloatArray, p: FloatArray, row: FloatArray, off: float, var: float, gain: FloatArray,
    learnt: FloatArray, channel: int, outlier: float,
) -> float:  # fmt: skip
    """One number: the update, unless it is an outlier, and what it says about the sensor.

    Returns the innovation in standard deviations; 0 for an outlier.
    """
    known = 0.0
    for a in range(SIZE):
        for b in range(SIZE):
            known += row[a] * p[a, b] * row[b]
    if off * off > outlier * (known + var):
        return 0.0
    if known < var:  # coarser beliefs say nothing about a sensor
        learnt[channel, 0] += (off * off - known) / var * gain[channel]
        learnt[channel, 1] += 1.0
    correct(m, p, row, off, var)
    return off / math.sqrt(known + var)


@jit
def _learn_heading(
    m: FloatArray, p: FloatArray, slow: FloatArray, det: FloatArray, sensor: FloatArray,
    gain: FloatArray, learnt: FloatArray,
) -> None:  # fmt: skip
    """The box's heading; front and rear may be mixed up, and are settled by the majority."""
    off = wrap_angle(det[D_HEADING] - m[H])
    opposite = abs(off) > 0.5 * math.pi
    slow[FACING] = min(FACING_MOST, slow[FACING] + 1.0) if not opposite else slow[FACING] - 1.0
    if opposite:
        off = wrap_angle(off + math.pi)
    if slow[FACING] < 0.0:
        turn_round(m, p)
        slow[FACING] = 0.0
    row = np.zeros(SIZE)
    row[H] = 1.0
    var = gain[HEADING_CH] * (sensor[HEADING] + sensor[HEADING_PM] * det[D_RANGE]) ** 2
    fit = _number(m, p, row, off, var, gain, learnt, HEADING_CH, OUTLIER)
    note(slow, SWAY, fit, 1.0)


@jit
def _learn_velocity(
    m: FloatArray, p: FloatArray, slow: FloatArray, turning: int, det: FloatArray,
    sensor: FloatArray, gain: FloatArray, learnt: FloatArray,
) -> None:  # fmt: skip
    """Both components; for a vehicle along and across where it points."""
    var = gain[SPEED_CH] * sensor[VELOCITY] ** 2
    row = np.zeros(SIZE)
    if turning == 0:
        row[VX] = 1.0
        _number(m, p, row, det[D_VX] - m[VX], var, gain, learnt, SPEED_CH, OUTLIER)
        row[VX], row[VY] = 0.0, 1.0
        _number(m, p, row, det[D_VY] - m[VY], var, gain, learnt, SPEED_CH, OUTLIER)
        return
    c = math.cos(m[H])
    s = math.sin(m[H])
    row[V] = 1.0
    off = det[D_VX] * c + det[D_VY] * s - m[V]
    fit = _number(m, p, row, off, var, gain, learnt, SPEED_CH, OUTLIER)
    note(slow, SURGE, fit, 1.0)
    if abs(m[V]) < 1.0:  # who stands has no direction of motion
        return
    turned = wrap_angle(m[H] - math.atan2(s, c))
    row[H], row[V] = m[V], 0.0
    off = -det[D_VX] * s + det[D_VY] * c - m[V] * math.sin(turned)
    fit = _number(m, p, row, off, var, gain, learnt, SPEED_CH, OUTLIER)
    note(slow, SWAY, fit, 1.0)


@jit
def learn_looks(
    store: Store, i: int, det: FloatArray, sensor: FloatArray, evidence: FloatArray,
    kinds: FloatArray,
) -> None:  # fmt: skip
    """Kind, size, heading of the body and indicator of track i, in place."""
    slow = store.slow[i]
    if det[D_HAS_KIND] == 1.0:
        _learn_kind(store.kinds[i], evidence[:, int(det[D_KIND])], sensor[TRUST])
    if det[D_HAS_BOX] == 1.0:
        size = sensor[SIZE_NOISE]
        _learn_size(slow, LEN, LEN_VAR, det[D_LENGTH], (size * det[D_LENGTH] + 0.02) ** 2)
        _learn_size(slow, WID, WID_VAR, det[D_WIDTH], (size * det[D_WIDTH] + 0.02) ** 2)
        if store.facts[i, TURNING] == 0:
            slow[BODY] = wrap_angle(slow[BODY] + 0.3 * wrap_angle(det[D_HEADING] - slow[BODY]))
    if det[D_HAS_INDICATOR] == 1.0:
        _learn_light(store.lights[i], int(det[D_INDICATOR]))
    settle_kind(store, i, kinds)


@jit
def _learn_kind(log_p: FloatArray, told: FloatArray, trust: float) -> None:
    for k in range(len(log_p)):
        log_p[k] += trust * told[k]
    top = log_p.max()
    total = 0.0
    for k in range(len(log_p)):
        total += math.exp(log_p[k] - top)
    for k in range(len(log_p)):  # never so sure that it could not be unlearnt in a second
        log_p[k] = max(-12.0, log_p[k] - top - math.log(total))


@jit
def _learn_size(slow: FloatArray, at: int, var_at: int, told: float, var: float) -> None:
    share = slow[var_at] / (slow[var_at] + var)
    slow[at] += share * (told - slow[at])
    slow[var_at] = max(1e-4, slow[var_at] * (1.0 - share))


@jit
def _learn_light(log_p: FloatArray, told: int) -> None:
    """Mixed up once in ten times; half forgotten at each look, as lights change."""
    top = -np.inf
    for k in range(len(log_p)):
        log_p[k] = 0.5 * log_p[k] + (math.log(0.9) if k == told else math.log(0.1 / 3.0))
        top = max(top, log_p[k])
    for k in range(len(log_p)):
        log_p[k] -= top


@jit
def _drives(store: Store, i: int) -> bool:
    """Whether a walker surely goes faster than people do."""
    m = store.mean[i]
    p = store.cov[i]
    v2 = m[VX] * m[VX] + m[VY] * m[VY]
    return bool(v2 > 16.0 and v2 > 9.0 * (p[VX, VX] + p[VY, VY]))


@jit
def settle_kind(store: Store, i: int, kinds: FloatArray) -> None:
    """Take the likeliest kind, and the motion that belongs to it once that is sure."""
    log_p = store.kinds[i]
    best = int(np.argmax(log_p))
    store.facts[i, KIND] = best
    turns = 0.0
    for k in range(len(log_p)):
        turns += math.exp(log_p[k]) * kinds[k, KIND_TURNS]
    is_turning = store.facts[i, TURNING]
    if is_turning == 0 and (turns > 0.9 or (turns > 0.75 and _drives(store, i))):
        to_vehicle(store.mean[i], store.cov[i], store.slow[i, BODY], kinds[best])
        store.slow[i, FACING] = 0.0
        store.facts[i, TURNING] = 1
    elif is_turning == 1 and turns < 0.2:
        store.slow[i, BODY] = store.mean[i, H]
        to_walker(store.mean[i], store.cov[i])
        store.facts[i, TURNING] = 0
    if store.facts[i, TURNING] == 1:
        keep_sane(store.mean[i], store.cov[i], kinds[best])
