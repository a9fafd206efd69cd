"""Whether the fall-back of a plan is one: the guard's own look at whether it runs into anybody.

1. The car drives the fall-back as it is planned, WIDER_M wider on each side, until it stands.
2. Others move as the emergency brake expects them to (`aeb`, rules 2 and 3), along the path that
   was adopted last, not along a new one that may lead anywhere. Who drives our way keeps to it: who
   comes into our lane is `cut_in`'s affair. Who drives beside us goes on like that, or as it turns
   now, for SOON_S. Who would touch us from behind is no reason, nor is who follows us by more than
   NEAR_M.
3. A plan whose fall-back runs into somebody is not adopted while the last adopted one, braked as
   it was planned, runs into nobody. Where both do, the newer one is as good as any, and the
   emergency brake has its say.
"""

import math

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.guard import aeb
from marque.guard import path as paths
from marque.types.plan import Trajectory

WIDER_M = 0.1
STANDS_MPS = 0.1
BESIDE_M = 1.0  # whose nose is not so far past our rear when we touch comes from behind
NEAR_M, SAME_WAY, SOON_S = 12.0, 0.8, 2.0  # beside us: so near along the way, cosine of headings
TURNS_RADPS = 0.02
LEAST_MPS2 = 1.0  # braking of an old fall-back, where its own is at its end


def hits(
    fallback: Trajectory, road: FloatArray, objects: FloatArray, shape: tuple[float, float, float]
) -> bool:
    """Whether a fall-back that begins now runs into a road user [n, paths.OBJECT].

    road: the corridor that others follow; shape: axle to middle, length, width of the car.
    """
    f = fallback
    return len(objects) > 0 and bool(
        _hits(f.x_m, f.y_m, f.heading_rad, f.speed_mps, road, objects, shape)
    )


@jit
def _hits(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    speed: FloatArray,
    road: FloatArray,
    objects: FloatArray,
    shape: tuple[float, float, float],
) -> bool:
    bodies = np.empty((aeb.STEPS + 1, 4))
    count = 0
    for k in range(min(len(x), aeb.STEPS + 1)):
        c = math.cos(heading[k])
        n = math.sin(heading[k])
        bodies[k, 0], bodies[k, 1] = x[k] + shape[0] * c, y[k] + shape[0] * n
        bodies[k, 2], bodies[k, 3] = c, n
        count = k + 1
        if speed[k] < STANDS_MPS:
            break
    return _meets(bodies, count, road, objects, shape)


@jit
def still_clear(
    escape: FloatArray,
    ego: tuple[float, float, float],
    late_s: float,
    road: FloatArray,
    objects: FloatArray,
    shape: tuple[float, float, float],
) -> bool:
    """Whether the corridor of the last fall-back, braked on from here, meets nobody.

    ego: x, y, speed.
    """
    s, d, _ = paths.place_on(escape, ego[0], ego[1])
    braking = max(LEAST_MPS2, -paths.column(escape, s + ego[2] * late_s, paths.ACCEL))
    bodies = np.empty((aeb.STEPS + 1, 4))
    horizon = late_s + ego[2] / braking + aeb.STEP_S
    count = aeb.drive_on(bodies, escape, (s, d, shape[0]), ego[2], 0.0, -braking, late_s, horizon)
    return not _meets(bodies, count, road, objects, shape)


@jit
def _meets(
    bodies: FloatArray,
    count: int,
    road: FloatArray,
    objects: FloatArray,
    shape: tuple[float, float, float],
) -> bool:
    """Whether one of the road users is touched, not from behind."""
    wider = (shape[0], shape[1], shape[2] + 2.0 * WIDER_M)
    first = bodies[0]
    rear_x = first[0] - shape[0] * first[2]
    place, _, _ = paths.place_on(road, rear_x, first[1] - shape[0] * first[3])
    soon = min(count, int(SOON_S / aeb.STEP_S) + 1)
    for i in range(len(objects)):
        o = objects[i]
        along = (o[paths.X] - first[0]) * first[2] + (o[paths.Y] - first[1]) * first[3]
        same = o[paths.COS] * first[2] + o[paths.SIN] * first[3]
        if along < -NEAR_M and same > 0.0:
            continue
        if same > SAME_WAY:
            _, _, ahead_rad = paths.place_on(road, o[paths.X], o[paths.Y])
            o = o.copy()
            o[paths.COS], o[paths.SIN] = math.cos(ahead_rad), math.sin(ahead_rad)
        if abs(along) < NEAR_M and same > SAME_WAY:
            hit = aeb.straight_on(bodies, soon, o, wider, 0.0)
            if hit >= 0 and abs(o[paths.YAW_RATE]) > TURNS_RADPS:
                hit = aeb.arc_on(bodies, soon, o, wider, o[paths.YAW_RATE], math.inf)
        else:
            hit = aeb.contact(bodies, count, road, place, o, wider)
        if hit < 0:
            continue
        went = o[paths.VELOCITY] * hit * aeb.STEP_S
        dx = o[paths.X] + went * o[paths.COS] - bodies[hit, 0]
        dy = o[paths.Y] + went * o[paths.SIN] - bodies[hit, 1]
        ahead = dx * bodies[hit, 2] + dy * bodies[hit, 3]
        if ahead > BESIDE_M - 0.5 * shape[1] - o[paths.HALF_LENGTH]:
            return True
    return False
