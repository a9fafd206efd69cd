"""Looking along the path: the road users of a reading, moved on to now, against both rules."""

import math
from dataclasses import dataclass, field

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.core.time import NS_PER_S
from marque.guard import aeb, rss
from marque.guard import path as paths
from marque.types.platform import Platform
from marque.types.reading import Detections, Reading

FAR = 10.0  # the margin when nobody is in the way, and the greatest that is told
ON_PATH_M = 0.6  # further off, or turned more, and the arc driven now is looked along
ON_PATH_RAD = 0.25
STALE_S = 0.3  # headings older than this say nothing about turning
TURNS_MPS = 1.0
BRAKES_MPS2 = 0.8  # weaker is no sign that somebody lets us go first
# nobody turns on a smaller radius, or with more lateral acceleration; who seems to turns as hard as
# that, and a heading that changes so many times as fast has jumped
TIGHTEST_M, HARDEST_MPS2, JUMP = 3.5, 10.0, 2.0


def look(
    path: FloatArray | None,
    reading: Reading,
    last_accel: float,
    accel: float,
    curvature: float,
    platform: Platform,
    yaw_rate: FloatArray | None = None,
    wait: BoolArray | None = None,
) -> tuple[float, str, float, bool]:
    """(braking asked, its rule, margin, warning) for the road users in sight.

    yaw_rate [n]: of the detections, from `Eyes`; without it everybody goes straight on. wait [n]:
    those who are warned of, but not yet braked for hard (see `unsure`).
    """
    found = reading.detections
    if len(found.uid) == 0:
        return 0.0, "", FAR, False
    ego = reading.ego
    brake = platform.max_brake_mps2
    objects = now_at(found, reading.t_ns, yaw_rate)
    us = (
        ego_path(path, ego.x_m, ego.y_m, ego.heading_rad, curvature),
        (ego.x_m, ego.y_m, ego.speed_mps, ego.accel_mps2, last_accel, accel),
    )
    car = (
        (rss.response_s(platform), aeb.delay_s(platform), brake),
        (platform.centre_m, platform.length_m, platform.width_m),
    )
    keep, margin, need = _watch(*us, objects, *car)
    stage = aeb.stage(need)
    warn = stage >= aeb.WARN
    if stage >= aeb.PARTIAL and wait is not None and wait.any():
        _, _, need = _watch(*us, objects[~wait], *car)
        stage = aeb.stage(need)
    urgent = (0.0, 0.0, aeb.PARTIAL_MPS2, brake)[stage]
    if need > 0.0:
        margin = min(margin, (aeb.CALM_MPS2 + 1.0) / need)
    if urgent >= max(keep, 1e-9):
        return urgent, "aeb_full" if stage == aeb.FULL else "aeb_partial", margin, True
    return keep, "rss" if keep > 0.0 else "", margin, warn


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """The last delivery of detections, for how fast everybody turns."""

    t_ns: int = -1
    uid: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    heading_rad: FloatArray = field(default_factory=lambda: np.empty(0))
    yaw_rate_radps: FloatArray = field(default_factory=lambda: np.empty(0))
    known: BoolArray = field(default_factory=lambda: np.empty(0, np.bool_))  # seen before, too


def look_again(eyes: Eyes, found: Detections) -> Eyes:
    """Yaw rates [n] of a new delivery from the headings of the one before; 0 for newcomers."""
    if found.t_ns == eyes.t_ns and len(found.uid) == len(eyes.uid):
        return eyes
    rate = np.zeros(len(found.uid))
    known = np.zeros(len(found.uid), np.bool_)
    gone_s = (found.t_ns - eyes.t_ns) / NS_PER_S
    if len(eyes.uid) > 0 and 0.0 < gone_s <= STALE_S:
        order = np.argsort(eyes.uid)
        place = np.searchsorted(eyes.uid, found.uid, sorter=order)
        place = order[np.minimum(place, len(order) - 1)]
        turn = found.heading_rad - eyes.heading_rad[place]
        turn = np.remainder(turn + np.pi, 2.0 * np.pi) - np.pi
        known = eyes.uid[place] == found.uid
        rate = np.where(known & (found.speed_mps > TURNS_MPS), turn / gone_s, 0.0)
        speed = np.maximum(found.speed_mps, TURNS_MPS)
        most = np.minimum(speed / TIGHTEST_M, HARDEST_MPS2 / speed)
        rate = np.where(np.abs(rate) <= JUMP * most, np.clip(rate, -most, most), 0.0)
    return Eyes(found.t_ns, found.uid, found.heading_rad, rate, known)


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


@jit
def _watch(
    path: FloatArray,
    ego: tuple[float, float, float, float, float, float],
    objects: FloatArray,
    car: tuple[float, float, float],
    shape: tuple[float, float, float],
) -> tuple[float, float, float]:
    """(braking that distance asks, its margin, least braking that avoids contact).

    ego: x, y, speed, acceleration now, asked last, asked now; car: rho, brake delay, most braking.
    """
    place, offset, _ = paths.place_on(path, ego[0], ego[1])
    pushing = max(ego[3], ego[4])
    keep, margin = rss.keep_distance(
        path, place, offset, ego[2], pushing, objects, car[0], car[2], shape
    )
    need, _ = aeb.assess(
        path, place, offset, (ego[2], ego[3], ego[5]), objects, car[1], car[2], shape
    )
    return keep, min(FAR, margin), need
