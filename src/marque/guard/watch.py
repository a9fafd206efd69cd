"""Looking along the path: the road users of a reading, moved on to now, against both rules."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.core.geometry import wrap_angle, wrap_angles
from marque.core.jit import jit
from marque.core.time import NS_PER_S
from marque.guard import aeb, cut_in, envelope, rss
from marque.guard import path as paths
from marque.types.platform import Platform
from marque.types.reading import Detections, Reading, RoadAhead

FAR = 10.0  # the margin when nobody is in the way, and the greatest that is told
ON_PATH_M = 0.6  # further off, or turned more, and the arc driven now is looked along
ON_PATH_RAD = 0.25
STALE_S = 0.3  # headings older than this say nothing about turning
TURNS_MPS = 1.0
BRAKES_MPS2 = 0.8  # weaker is no sign that somebody lets us go first
# nobody turns on a smaller radius, or with more lateral acceleration; who seems to turns as hard as
# that, and a heading that changes so many times as fast has jumped
TIGHTEST_M, HARDEST_MPS2, JUMP = 3.5, 10.0, 2.0


RULES = ("", "rss", "cut_in", "aeb_partial", "aeb_full")
RSS, CUT_IN, AEB_PARTIAL, AEB_FULL = range(1, 5)
CLEAR_MARGIN = 1.2
CLEAR_NS = 500_000_000
HELD_MPS2 = (0.5, 2.0)  # braking while the latch holds: as before, within these
NOBODY = np.zeros((0, paths.OBJECT))
ASKED = 32  # rows of what was asked last: time in s, acceleration


def look(
    path: FloatArray | None,
    reading: Reading,
    asked: FloatArray,
    accel: float,
    curvature: float,
    platform: Platform,
    eyes: "Eyes | None" = None,
    sure: bool = True,
) -> tuple[float, int, float, bool]:
    """(braking asked, its rule in RULES, margin, warning) for the road users in sight.

    asked [ASKED, 2]: see `nothing_asked`. eyes: without them everybody goes straight on, and
    nobody comes into our lane. sure: whether who springs up is braked for at once (see `unsure`).
    """
    found = reading.detections
    if len(found.uid) == 0:
        return 0.0, 0, FAR, False
    eyes = eyes or Eyes()
    n = len(found.uid)
    yaw_rate = eyes.yaw_rate_radps if len(eyes.uid) == n else np.zeros(n)
    notes = eyes.notes if len(eyes.uid) == n else np.zeros((n, cut_in.NOTE))
    waits = np.zeros(n, np.bool_) if sure else unsure(found, eyes)
    ego = reading.ego
    return judge(
        ego_path(path, ego.x_m, ego.y_m, ego.heading_rad, curvature),
        (ego.x_m, ego.y_m, ego.speed_mps, ego.accel_mps2, accel),
        now_at(found, reading.t_ns, yaw_rate),
        notes,
        waits,
        asked,
        reading.t_ns / NS_PER_S,
        numbers(platform),
        (platform.centre_m, platform.length_m, platform.width_m),
    )


def numbers(platform: Platform) -> tuple[float, float, float, float, float]:
    """Of a car: rho of `rss`, delay of `aeb`, delay before the ramp, the ramp, most braking."""
    brake = platform.brake
    return (
        rss.response_s(platform),
        aeb.delay_s(platform),
        brake.dead_s + brake.lag_s,
        brake.rate,
        platform.max_brake_mps2,
    )


@jit
def judge(
    path: FloatArray,
    ego: tuple[float, float, float, float, float],
    objects: FloatArray,
    notes: FloatArray,
    waits: BoolArray,
    asked: FloatArray,
    now_s: float,
    car: tuple[float, float, float, float, float],
    shape: tuple[float, float, float],
) -> tuple[float, int, float, bool]:
    """(braking, rule, margin, warning): the strongest of the three rules about others.

    ego: x, y, speed, acceleration now, asked now; waits [n]: who is warned of, but not yet braked
    for hard; car: `numbers`; shape: axle to middle, length, width. The rule is one of RULES.
    """
    place, offset, _ = paths.place_on(path, ego[0], ego[1])
    speed, accel, wanted = ego[2], ego[3], ego[4]
    most = np.empty(len(objects))
    for i in range(len(objects)):
        most[i] = cut_in.restoring(notes[i])
    pushing = max(accel, asked[-1, 1])
    keep, margin = rss.keep_distance(
        path, place, offset, speed, pushing, objects, car[0], car[4], shape, most
    )
    margin = min(FAR, margin)
    here, motion = (place, offset), (speed, accel, wanted)
    coming = on_its_way(asked, now_s, car[2])
    enters = cut_in.assess(path, here, motion, objects, notes, coming, (car[4], car[3]), shape)
    need, stage, warn = emergency(
        path, here, motion, objects, notes, waits, (car[1], car[4]), shape
    )
    if need > 0.0:
        margin = min(margin, (aeb.CALM_MPS2 + 1.0) / need)
    urgent = 0.0
    if stage >= aeb.PARTIAL:
        urgent = car[4] if stage == aeb.FULL else aeb.PARTIAL_MPS2
    if enters > max(keep, urgent):
        return enters, CUT_IN, min(margin, cut_in.CALM_MPS2 / enters), True
    if urgent >= max(keep, 1e-9):
        return urgent, AEB_FULL if stage == aeb.FULL else AEB_PARTIAL, margin, True
    return keep, RSS if keep > 0.0 else 0, margin, warn


@jit
def emergency(
    path: FloatArray,
    here: tuple[float, float],
    motion: tuple[float, float, float],
    objects: FloatArray,
    notes: FloatArray,
    waits: BoolArray,
    car: tuple[float, float],
    shape: tuple[float, float, float],
) -> tuple[float, int, bool]:
    """(least braking that avoids contact, stage of `aeb`, warning) for all who do not cut in.

    here: place along the path and beside it; motion: speed, acceleration now, asked now; car:
    delay of `aeb`, most braking. Who waits is warned of, and does not count for the first two.
    """
    left = others(objects, notes, waits, True)
    need, _ = aeb.assess(path, here[0], here[1], motion, left, car[0], car[1], shape)
    stage = aeb.stage(need)
    warn = stage >= aeb.WARN
    if stage >= aeb.PARTIAL and waits.any():
        left = others(objects, notes, waits, False)
        need, _ = aeb.assess(path, here[0], here[1], motion, left, car[0], car[1], shape)
        stage = aeb.stage(need)
    return need, stage, warn


@jit
def others(objects: FloatArray, notes: FloatArray, waits: BoolArray, all_: bool) -> FloatArray:
    """Those who do not come into our lane from beside; without those who wait unless `all_`."""
    out = np.empty_like(objects)
    n = 0
    for i in range(len(objects)):
        if notes[i, cut_in.ENTERS] == 0.0 and (all_ or not waits[i]):
            out[n] = objects[i]
            n += 1
    return out[:n]


@jit
def on_its_way(asked: FloatArray, now_s: float, late_s: float) -> FloatArray:
    """What was asked within the brake's delay, one entry each `cut_in.STEP_S` until it ends."""
    count = math.ceil(late_s / cut_in.STEP_S - 1e-6)
    out = np.zeros(count)
    for k in range(count):
        when = now_s + k * cut_in.STEP_S - late_s + 1e-6
        for row in range(len(asked)):
            if asked[row, 0] <= when:
                out[k] = asked[row, 1]
    return out


def nothing_asked() -> FloatArray:
    """[ASKED, 2] before the first verdict."""
    out = np.zeros((ASKED, 2))
    out[:, 0] = -1e9
    return out


@jit
def settle(
    braking: float,
    rule: int,
    margin: float,
    held: int,
    clear_ns: int,
    now_ns: int,
    last_accel: float,
    speed: float,
    late_s: float,
) -> tuple[float, int, int, int]:
    """(braking, rule, rule held, clear since) after the latch, eased before rest.

    A new rule latches; a margin above CLEAR_MARGIN for CLEAR_NS lets go. Braking for who cuts in
    is not held: it could put us where it goes.
    """
    if rule != 0 and rule != CUT_IN:
        held, clear_ns = rule, -1
    elif held != 0:
        if margin <= CLEAR_MARGIN:
            clear_ns = -1
        else:
            clear_ns = clear_ns if clear_ns >= 0 else now_ns
            if now_ns - clear_ns >= CLEAR_NS:
                held, clear_ns = 0, -1
        if held != 0 and rule == 0:
            braking, rule = min(HELD_MPS2[1], max(HELD_MPS2[0], -last_accel)), held
    return envelope.eased(braking, speed, last_accel, late_s), rule, held, clear_ns


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """The last delivery of detections: for how fast everybody turns, and who enters our lane."""

    t_ns: int = -1
    uid: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    heading_rad: FloatArray = field(default_factory=lambda: np.empty(0))
    yaw_rate_radps: FloatArray = field(default_factory=lambda: np.empty(0))
    known: BoolArray = field(default_factory=lambda: np.empty(0, np.bool_))  # seen before, too
    notes: FloatArray = field(default_factory=lambda: np.empty((0, cut_in.NOTE)))
    gone_s: float = 0.0  # since the delivery before
    road_rad: FloatArray = field(default_factory=lambda: np.empty(0))  # how the lane under each
    # runs, nan unknown, and how much that has turned since the delivery before
    turned_rad: FloatArray = field(default_factory=lambda: np.empty(0))


def look_again(eyes: Eyes, found: Detections, road: RoadAhead | None = None) -> Eyes:
    """Yaw rates [n] of a new delivery from the headings of the one before, 0 for newcomers; notes
    are taken over as they were. road: tells how the lane under each runs, if it is of this
    delivery."""
    if found.t_ns == eyes.t_ns and len(found.uid) == len(eyes.uid):
        return eyes
    rate = np.zeros(len(found.uid))
    known = np.zeros(len(found.uid), np.bool_)
    notes = np.zeros((len(found.uid), cut_in.NOTE))
    gone_s = (found.t_ns - eyes.t_ns) / NS_PER_S
    under = turned = np.full(len(found.uid), np.nan)
    if road is not None and np.array_equal(road.user_uid, found.uid):
        under = road.user_road_rad
    if len(eyes.uid) > 0 and 0.0 < gone_s <= STALE_S:
        order = np.argsort(eyes.uid)
        place = np.searchsorted(eyes.uid, found.uid, sorter=order)
        place = order[np.minimum(place, len(order) - 1)]
        known = eyes.uid[place] == found.uid
        notes[known] = eyes.notes[place[known]]
        if len(eyes.road_rad) == len(eyes.uid):
            turned = np.where(known, wrap_angles(under - eyes.road_rad[place]), np.nan)
        before = eyes.heading_rad[place]
        rate = turn_rates(found.heading_rad, before, found.speed_mps, known, gone_s)
    return Eyes(found.t_ns, found.uid, found.heading_rad, rate, known, notes, gone_s, under, turned)


@jit
def turn_rates(
    heading: FloatArray, before: FloatArray, speed: FloatArray, known: BoolArray, gone_s: float
) -> FloatArray:
    """[n] `turn_rate` of each that was known; 0 for newcomers."""
    out = np.zeros(len(heading))
    for i in range(len(heading)):
        if known[i]:
            out[i] = turn_rate(heading[i], before[i], speed[i], gone_s)
    return out


@jit
def turn_rate(heading: float, before: float, speed: float, gone_s: float) -> float:
    """How fast a road user turns, from two headings; 0 if it hardly moves or the heading jumped."""
    if speed <= TURNS_MPS:
        return 0.0
    rate = wrap_angle(heading - before) / gone_s
    most = min(speed / TIGHTEST_M, HARDEST_MPS2 / speed)
    return min(most, max(-most, rate)) if abs(rate) <= JUMP * most else 0.0


def take_notes(
    eyes: Eyes, path: FloatArray | None, reading: Reading, curvature: float, platform: Platform
) -> Eyes:
    """The eyes with the notes of this delivery, for who comes into our lane."""
    ego = reading.ego
    way = ego_path(path, ego.x_m, ego.y_m, ego.heading_rad, curvature)
    place, offset, _ = paths.place_on(way, ego.x_m, ego.y_m)
    notes = cut_in.note(
        eyes.notes,
        eyes.known,
        now_at(reading.detections, reading.t_ns),
        way,
        (place, offset, ego.speed_mps, ego.accel_mps2),
        (platform.centre_m, platform.length_m, platform.width_m),
        (rss.response_s(platform), platform.max_brake_mps2),
        eyes.gone_s,
        eyes.turned_rad,
    )
    return replace(eyes, notes=notes)


def unsure(found: Detections, eyes: Eyes) -> BoolArray:
    """[n] whose threat, if it comes out of the blue, is looked at a second time: vehicles that we
    knew and that were none before. Their danger grows step by step; one that springs up from one
    delivery to the next is mostly a forecast in a bend that is gone with the next. Newcomers, and
    people on foot and bicycles, who do start at once, are not waited for."""
    waits: BoolArray = eyes.known & (found.speed_mps >= aeb.SLOW_MPS)
    return waits


def now_at(found: Detections, t_ns: int, yaw_rate: FloatArray | None = None) -> FloatArray:
    """[n, paths.OBJECT] the road users, moved straight on to `t_ns`.

    x, y, heading, cosine, sine, speed, half length, half width, half diagonal, yaw rate (0 where
    none is given), braking (positive; 0 below BRAKES_MPS2, or where it is no number).
    """
    return _moved(
        found.x_m,
        found.y_m,
        found.heading_rad,
        found.speed_mps,
        np.where(found.accel_mps2 < -BRAKES_MPS2, -found.accel_mps2, 0.0),
        found.length_m,
        found.width_m,
        np.zeros(len(found.uid)) if yaw_rate is None else yaw_rate,
        (t_ns - found.t_ns) / NS_PER_S,
    )


@jit
def _moved(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    speed: FloatArray,
    braking: FloatArray,
    length: FloatArray,
    width: FloatArray,
    yaw_rate: FloatArray,
    age_s: float,
) -> FloatArray:
    out = np.empty((len(x), paths.OBJECT))
    for i in range(len(x)):
        o = out[i]
        o[paths.COS] = math.cos(heading[i])
        o[paths.SIN] = math.sin(heading[i])
        o[paths.X] = x[i] + speed[i] * age_s * o[paths.COS]
        o[paths.Y] = y[i] + speed[i] * age_s * o[paths.SIN]
        o[paths.HEADING] = heading[i]
        o[paths.VELOCITY] = speed[i]
        o[paths.HALF_LENGTH] = 0.5 * length[i]
        o[paths.HALF_WIDTH] = 0.5 * width[i]
        o[paths.RADIUS] = math.hypot(0.5 * length[i], 0.5 * width[i])
        o[paths.YAW_RATE] = yaw_rate[i]
        o[paths.BRAKING] = braking[i]
    return out


def ego_path(
    path: FloatArray | None, x: float, y: float, heading: float, curvature: float
) -> FloatArray:
    """The corridor while the car is on it, else the arc that it drives now."""
    if path is not None:
        _, d, along = paths.place_on(path, x, y)
        if abs(d) <= ON_PATH_M and abs(wrap_angle(heading - along)) <= ON_PATH_RAD:
            return path
    return paths.arc(x, y, heading, curvature)
