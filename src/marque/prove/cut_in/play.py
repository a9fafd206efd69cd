"""One cut-in, played: the other car as the grid says, our car at constant speed unless the guard
brakes.

Geometry and recurrence are those of the published grid: straight road, cars at constant speed, the
other ramps its lateral speed and keeps it until it is centred before us; our speed of the next
step is decided from the present state, then the position follows. Both have driven straight on for
BEFORE_S when it begins. The guard is the product's own: the compiled functions that the tick calls.
It sees the states of objects, each `look_s`, and its own motion; nothing of the case.
"""

import math
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.guard import aeb, cut_in, watch
from marque.guard import path as paths

CAR_LENGTH_M, CAR_WIDTH_M = 4.3, 1.9
ASIDE_M = 1.6  # between the sides when the lateral speed is reached
RAMP_MPS2 = 1.5
STEP_S = 0.1
AFTER_S, BEFORE_S = 35.0, 2.0
TOUCH_M = 1e-9  # sides that touch count
NS = 1_000_000_000
NO_BEND = np.full(1, np.nan)  # the guard is not told how roads run
NO_CONTACT, FRONT, SIDE, REAR = range(4)
KINDS = ("", "front", "side", "rear")


class Platform(NamedTuple):
    """What decides a cut-in of a car: times in s, m/s^3, m/s^2; brake_late_s: measurement to onset
    of braking."""

    brake_late_s: float
    ramp_mps3: float
    brake_mps2: float

    def numbers(self) -> tuple[float, float, float]:
        """The same as a plain tuple."""
        return self.brake_late_s, self.ramp_mps3, self.brake_mps2


REFERENCE = Platform(0.3, 20.0, 8.3)


@jit
def other_at(t: float, lateral: float) -> tuple[float, float]:
    """(distance between the centre lines, speed towards us) at `t`; the ramp ends at t = 0."""
    ramp_s = lateral / RAMP_MPS2
    start = ASIDE_M + CAR_WIDTH_M
    if t < -ramp_s:
        return start + 0.5 * lateral * ramp_s, 0.0
    if t < 0.0:
        done = t + ramp_s
        return start + 0.5 * lateral * ramp_s - 0.5 * RAMP_MPS2 * done * done, RAMP_MPS2 * done
    at = start - lateral * t
    return (at, lateral) if at > 0.0 else (0.0, 0.0)


@jit
def first_step(lateral: float, step_s: float) -> int:
    """The step in which the ramp begins; step 0 is where it has ended."""
    return -math.ceil(lateral / RAMP_MPS2 / step_s - 1e-9)


def meets(case: tuple[float, float, float, float], touch_m: float = TOUCH_M) -> bool:
    """Whether the cars meet if nobody brakes. touch_m: sides that far apart count as contact;
    below 0 they overlap by more than so much."""
    v, f, gap, lateral = case
    for k in range(first_step(lateral, STEP_S), round(AFTER_S / STEP_S)):
        aside, _ = other_at(k * STEP_S, lateral)
        ahead = gap + CAR_LENGTH_M + (f - v) * k * STEP_S
        if abs(ahead) < CAR_LENGTH_M and aside < CAR_WIDTH_M + touch_m:
            return True
    return False


@jit
def overlaps(ahead: float, aside: float) -> bool:
    """Whether the two cars touch; distances between their middles."""
    return abs(ahead) < CAR_LENGTH_M and aside < CAR_WIDTH_M + TOUCH_M


@jit
def kind_of(ahead: float, aside_before: float, ahead_before: float) -> int:
    """FRONT: we drove into it; SIDE: it came into us, or we into it, from beside; REAR: it drove
    into us."""
    if aside_before < CAR_WIDTH_M + TOUCH_M:
        return FRONT if ahead_before > 0.0 else REAR
    return SIDE


@jit
def see(found: FloatArray, x: float, aside: float, speed: float, drift: float) -> None:
    """Fill x, y, heading, speed of the one object."""
    found[0] = x
    found[1] = aside
    found[2] = math.atan2(-drift, speed)
    found[3] = math.hypot(speed, drift)


@jit
def blur(found: FloatArray, noise: tuple[float, float, float, float]) -> None:
    """Add noise to what was seen; sigmas of 0 draw nothing."""
    if noise[0] + noise[1] + noise[2] + noise[3] == 0.0:
        return
    along = found[3] * math.cos(found[2]) + noise[2] * np.random.standard_normal()
    across = found[3] * math.sin(found[2]) + noise[3] * np.random.standard_normal()
    found[0] += noise[0] * np.random.standard_normal()
    found[1] += noise[1] * np.random.standard_normal()
    found[2] = math.atan2(across, max(0.0, along))
    found[3] = math.hypot(max(0.0, along), across)


@jit
def play(
    case: tuple[float, float, float, float],
    car: tuple[float, float, float],
    timing: tuple[float, int],
    noise: tuple[float, float, float, float],
    path: FloatArray,
    trace: FloatArray,
) -> tuple[int, float, float, float, int]:
    """(kind of contact, peak deceleration, time of first braking, least gap ahead in one lane,
    rule that asked for the hardest braking).

    case: our speed, its speed, gap, lateral speed; car: `Platform`; timing: step, steps between
    deliveries; noise: sigmas of place along and across, of speed along and across, of each
    delivery (drawn from Numba's generator); path: straight on from the origin; trace [T, 2]: what
    the guard asked for and what the car did, as far as it reaches.
    The time counts from the beginning of the sideways motion; nan: none. Gap inf: never so.
    """
    v, f, gap, lateral = case
    step_s, every = timing
    late = round(car[0] / step_s)
    began = first_step(lateral, step_s)
    start = began - round(BEFORE_S / step_s)
    ahead = gap + CAR_LENGTH_M + (v - f) * -start * step_s
    shape = (0.0, CAR_LENGTH_M, CAR_WIDTH_M)
    numbers = (
        rho_s(car, step_s), car[0] + car[2] / (2.0 * car[1]), car[0], car[1], car[2],
    )  # fmt: skip
    asked = np.zeros((watch.ASKED, 2))
    asked[:, 0] = -1e9
    objects = np.zeros((1, paths.OBJECT))
    notes = np.zeros((1, cut_in.NOTE))
    waits = np.zeros(1, np.bool_)
    seen = np.zeros(4)
    heading, known = 0.0, np.zeros(1, np.bool_)
    yaw_rate = 0.0
    hardest, most = 0, 0.0
    held, clear_ns, warned, delivered = 0, -1, -1, -1
    x, a, peak, first, least = 0.0, 0.0, 0.0, math.nan, math.inf
    aside_before, ahead_before = math.inf, ahead
    for k in range(start, round(AFTER_S / step_s)):
        n = k - start
        aside, drift = other_at(k * step_s, lateral)
        if overlaps(ahead, aside):
            return kind_of(ahead, aside_before, ahead_before), peak, first, least, hardest
        if aside < CAR_WIDTH_M + TOUCH_M and ahead > 0.0:
            least = min(least, ahead - CAR_LENGTH_M)
        if k > began and (over(aside, v, f) or (ahead <= -CAR_LENGTH_M and v >= f)):
            break
        now_ns = round(n * step_s * 1000.0) * 1_000_000
        fresh = n % every == 0
        if fresh:
            see(seen, x + ahead, aside, f, drift)
            blur(seen, noise)
            since = every * step_s
            yaw_rate = watch.turn_rate(seen[2], heading, seen[3], since) if known[0] else 0.0
            heading = seen[2]
            delivered = now_ns
        _object(objects, seen, yaw_rate, (n % every) * step_s, x)
        if fresh:
            notes = cut_in.note(
                notes, known, objects, path, (0.0, 0.0, v, a), shape, (numbers[0], car[2]),
                every * step_s, NO_BEND,
            )  # fmt: skip
            known[0] = True
        sure = held != 0 or 0 <= warned < delivered
        waits[0] = not sure and n >= every and seen[3] >= aeb.SLOW_MPS
        braking, rule, margin, warn = watch.judge(
            path, (0.0, 0.0, v, a, 0.0), objects, notes, waits, asked, now_ns / NS, numbers, shape
        )
        warned = (warned if warned >= 0 else delivered) if warn else -1
        braking, rule, held, clear_ns = watch.settle(
            braking, rule, margin, held, clear_ns, now_ns, asked[-1, 1], v, car[0]
        )
        wanted = -braking if rule != 0 else 0.0
        if -wanted > most:
            hardest, most = rule, -wanted
        asked[:-1] = asked[1:].copy()
        asked[-1, 0], asked[-1, 1] = now_ns / NS, wanted
        if wanted < 0.0 and math.isnan(first):
            first = (k - began) * step_s
        a = towards(a, asked[-1 - late, 1] if n >= late else 0.0, car[1] * step_s, car[2])
        if n < len(trace):
            trace[n, 0], trace[n, 1] = wanted, a
        aside_before, ahead_before = aside, ahead
        peak = max(peak, -a)
        v = max(0.0, v + a * step_s)
        x += v * step_s
        ahead += (f - v) * step_s
    return NO_CONTACT, peak, first, least, hardest


@jit
def over(aside: float, v: float, f: float) -> bool:
    """Whether nothing can happen any more: it is centred and we are no faster."""
    return aside <= 0.0 and v <= f


@jit
def rho_s(car: tuple[float, float, float], step_s: float) -> float:
    """`rss.response_s` of the car."""
    return car[0] + 0.7 * car[2] / (2.0 * car[1]) + 0.02


@jit
def towards(accel: float, wanted: float, change: float, brake: float) -> float:
    """Acceleration after one step: towards what is wanted, by no more than `change`."""
    wanted = max(-brake, wanted)
    return max(wanted, accel - change) if wanted < accel else min(wanted, accel + change)


@jit
def _object(
    objects: FloatArray,
    seen: FloatArray,
    yaw_rate: float,
    age_s: float,
    x: float,
) -> None:
    """Fill the guard's row of the other car, moved straight on since it was delivered."""
    o = objects[0]
    o[paths.HEADING] = seen[2]
    o[paths.COS], o[paths.SIN] = math.cos(seen[2]), math.sin(seen[2])
    o[paths.X] = seen[0] - x + age_s * seen[3] * o[paths.COS]
    o[paths.Y] = seen[1] + age_s * seen[3] * o[paths.SIN]
    o[paths.VELOCITY] = seen[3]
    o[paths.HALF_LENGTH], o[paths.HALF_WIDTH] = 0.5 * CAR_LENGTH_M, 0.5 * CAR_WIDTH_M
    o[paths.RADIUS] = math.hypot(0.5 * CAR_LENGTH_M, 0.5 * CAR_WIDTH_M)
    o[paths.YAW_RATE], o[paths.BRAKING] = yaw_rate, 0.0


@jit
def play_all(
    cases: FloatArray,
    car: tuple[float, float, float],
    timing: tuple[float, int],
    noise: tuple[float, float, float, float],
    seed: int,
    path: FloatArray,
) -> FloatArray:
    """[n, 5] of `play` for cases [n, 5]: those of `play` and a number of its own for the noise."""
    out = np.empty((len(cases), 5))
    trace = np.empty((0, 2))
    for i in range(len(cases)):
        c = cases[i]
        np.random.seed((seed * 1_000_003 + int(c[4])) % 4_294_967_291)
        got = play((c[0], c[1], c[2], c[3]), car, timing, noise, path, trace)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4] = got
    return out
