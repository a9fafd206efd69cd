"""Who comes into our lane from beside: both outcomes, braking and holding, before the choice.

1. Who counts: a road user that goes our way, not wholly behind us, whose side comes nearer to our
   path, by its own doing: OWN_SHARE of that speed must be its turning away from the course that it
   kept before. If our path bends or changes lanes towards somebody who goes on as before, nobody
   cuts in. The course (heading, and how that turns) is learnt while it does not come; that of a
   newcomer is its heading. Where it is known how the lane under it runs, the course turns as that
   does, and what is learnt is the rest: a bend is nothing of its own doing. Sideways motion is
   believed when two deliveries in a row show more than VISIBLE_MPS, and more than SURE times the
   sway of its own lateral speed. The sway is measured: noise goes to and fro from one delivery to
   the next, a true motion does not, so minus the product of two changes that follow each other is
   its variance. Newcomers are taken to sway a lot.
2. It keeps its speed along the road (or brakes as it does), and comes sideways until it is in the
   middle of our path. Its lateral speed is what it is now; while that still grows, what it will
   become is open: FUTURES of equal weight, from now up to FAST_MPS, and each shows itself at
   the moment when it is reached.
3. What has been asked within the brake's delay is on its way and cannot be called back. After that
   we may go on as commanded or brake. A future is lost by a choice if, after it has shown itself,
   neither going on nor braking fully avoids contact.
4. All futures that are not lost want braking: the least constant braking that avoids contact in
   each, as soon as that is CALM_MPS2 or more; once begun, for as long as it is needed at all.
5. They do not agree (in some we pass ahead, and braking would put us in front of it): we wait,
   unless waiting until it has shown itself, or one period longer, loses more futures than braking
   now does; then full braking.
6. Lost either way: full braking if it is ahead of us; none if it is beside us.
7. Who has come in and is nearer than RSS asks for is given room with at most RESTORE_MPS2 (what
   `rss` asks is cut to that): the distance was taken, not given up. That ends once the distance is
   there and we are no faster, once it brakes, turns away or is gone.
8. From the first delivery in which it comes on, `rss` and `aeb` leave it to this rule.

The rule keeps no latch: held braking could put us where it goes. Contact is looked for with boxes
along the path, for a car that changes lanes turns little; FRONT_M is kept free ahead.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.guard import path as paths
from marque.guard import rss

STEP_S = 0.1
STEPS = 80
PERIOD_S = 0.1  # deliveries of road users are that far apart
VISIBLE_MPS, SURE = 0.05, 1.0
SWAY_AT_FIRST, SWAY_SHARE = 0.04, 0.3  # variance of a newcomer; how much a delivery changes it
STARTS_MPS2 = 0.5  # how suddenly lateral speed begins to change, for telling it from sway
GROWS_MPS2 = 0.3  # lateral acceleration below this says nothing about what is to come,
GROWS_SURE = 1.0  # nor below so many times its own sway
OWN_SHARE = 0.5  # of its speed towards our path must be its own doing
COURSE_GAIN, BENDS_GAIN = 0.1, 0.005  # how fast its course is learnt, per delivery
BEND_RAD = 0.3  # a lane that turns more between two deliveries is another lane
FAST_MPS = 2.0  # hardly anybody changes lanes faster
FUTURES = 4
CALM_MPS2 = 2.5
BEGUN_MPS2 = 0.4  # so much harder than the driver asks for: this rule, or another, has begun
FRONT_M = 0.3
RESTORE_MPS2 = 3.5
OUR_WAY = 0.8  # cosine
NEAR_M = 6.0  # further aside nobody is looked at
LEVELS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0)

# what is noted of each road user from delivery to delivery: its own speed sideways (steadied, its
# change, raw, change of that, sway), then
OWN, PACE, RAW, CHANGE, SWAY, SEEN, ENTERS, BESIDE, DRIFT, GROWS, COURSE, BENDS = range(12)
NOTE = 12
SEEN_MOST = 4.0  # one delivery without is no end of a motion that was seen so often
BELIEVED = 2.0  # ENTERS: deliveries in which it was seen to come; so many, and we act


@jit
def note(
    notes: FloatArray,
    known: BoolArray,
    objects: FloatArray,
    path: FloatArray,
    ego: tuple[float, float, float, float],
    shape: tuple[float, float, float],
    car: tuple[float, float],
    gone_s: float,
    turned: FloatArray,
) -> FloatArray:
    """The notes [n, NOTE] after a delivery of road users [n, paths.OBJECT].

    notes: those of the delivery before, in the order of this one; known [n]: where there are
    such; ego: our place along the path and beside it, speed, acceleration; car: rho of `rss`, most
    braking; gone_s: time between the two; turned [n]: how much the lane under each turned in it,
    nan where that is not known.
    """
    out = np.zeros((len(objects), NOTE))
    for i in range(len(objects)):
        now, was, o = out[i], notes[i], objects[i]
        gap, side, left, turn, along = beside(path, ego[0], ego[1], o, shape)
        now[BESIDE] = 1.0 if side > 0.0 else 0.0
        v = o[paths.VELOCITY]
        if not known[i] or gone_s <= 0.0:
            now[COURSE], now[DRIFT] = o[paths.HEADING], v * math.sin(turn)
            now[SWAY] = SWAY_AT_FIRST
            continue
        bend = turned[i] if abs(turned[i]) < BEND_RAD else 0.0  # nan is no bend either
        course = was[COURSE] + bend + was[BENDS] * gone_s
        off = wrap_angle(o[paths.HEADING] - course)
        trust = _steady(now, was, v * math.sin(off), gone_s)
        drift = now[DRIFT] = now[OWN] + v * math.sin(turn - off)
        behind = gap <= -shape[1] - 2.0 * o[paths.HALF_LENGTH]
        ours = along > OUR_WAY * v and side < NEAR_M and not behind
        sign = -1.0 if left else 1.0
        least = max(VISIBLE_MPS, SURE * math.sqrt(now[SWAY] * trust))
        comes = sign * drift > least and sign * now[OWN] > OWN_SHARE * sign * drift
        away = not ours or sign * drift < -least
        now[SEEN] = min(SEEN_MOST, was[SEEN] + 1.0) if comes else max(0.0, was[SEEN] - 1.0)
        now[SEEN] = 0.0 if away else now[SEEN]
        learnt = off if now[SEEN] == 0.0 else 0.0
        now[COURSE] = course + COURSE_GAIN * learnt
        now[BENDS] = was[BENDS] + BENDS_GAIN * learnt / gone_s
        now[OWN] -= COURSE_GAIN * learnt * v
        now[RAW] -= COURSE_GAIN * learnt * v
        enters = min(BELIEVED, now[SEEN]) if side > 0.0 else 0.0
        stays = ours and side <= 0.0 and was[ENTERS] > 0.0 and o[paths.BRAKING] == 0.0
        soft = rss.safe_distance(ego[2], along, ego[3], car[0], rss.SOFT_SHARE * car[1])
        near = gap < soft or along < ego[2]
        now[ENTERS] = BELIEVED if stays and near else enters
    return out


@jit
def _steady(now: FloatArray, was: FloatArray, raw: float, gone_s: float) -> float:
    """Note its own speed sideways, `raw` in this delivery; how far a new value is trusted."""
    now[RAW], now[CHANGE] = raw, raw - was[RAW]
    to_and_fro = max(0.0, -now[CHANGE] * was[CHANGE])
    now[SWAY] = was[SWAY] + SWAY_SHARE * (to_and_fro - was[SWAY])
    sigma = math.sqrt(now[SWAY])
    trust, trust_change = gains(STARTS_MPS2 * gone_s / max(1e-6, sigma))
    soon = was[OWN] + was[PACE] * gone_s
    now[OWN] = soon + trust * (raw - soon)
    now[PACE] = was[PACE] + trust_change * (raw - soon) / gone_s
    sure = abs(now[PACE]) * gone_s > GROWS_SURE * sigma * math.sqrt(2.0) * trust_change
    now[GROWS] = now[PACE] if sure else 0.0
    return trust


@jit
def gains(index: float) -> tuple[float, float]:
    """(gain of speed, gain of its change) of the steady filter of a speed whose change may jump;
    index: such a jump within one delivery over the sway. 1, 1 for senses that do not err.

    Source: Kalata 1984, tracking index of alpha-beta filters; the second gain ends at 1 here, where
    the change is that of the raw speed.
    """
    r = 0.25 * (4.0 + index - math.sqrt(8.0 * index + index * index))
    speed = 1.0 - r * r
    return speed, min(1.0, 2.0 * (2.0 - speed) - 4.0 * math.sqrt(1.0 - speed))


@jit
def restoring(noted: FloatArray) -> float:
    """Braking that `rss` may ask for one road user: rule 7; none while it is still beside us."""
    if noted[ENTERS] == 0.0:
        return math.inf
    return 0.0 if noted[BESIDE] > 0.0 else RESTORE_MPS2


@jit
def beside(
    path: FloatArray, place: float, offset: float, o: FloatArray, shape: tuple[float, float, float]
) -> tuple[float, float, bool, float, float]:
    """(gap from our front to its rear, room between the sides, whether it is to our left, its
    heading against the path's, its speed along the path); gap and room are negative where they
    overlap."""
    s, d, heading = paths.place_on(path, o[paths.X], o[paths.Y])
    turn = wrap_angle(o[paths.HEADING] - heading)
    d -= offset
    gap = s - o[paths.HALF_LENGTH] - place - shape[0] - 0.5 * shape[1]
    side = abs(d) - o[paths.HALF_WIDTH] - 0.5 * shape[2]
    v = o[paths.VELOCITY]
    return gap, side, d > 0.0, turn, v * math.cos(turn)


@jit
def assess(
    path: FloatArray,
    ego: tuple[float, float],
    motion: tuple[float, float, float],
    objects: FloatArray,
    notes: FloatArray,
    coming: FloatArray,
    car: tuple[float, float],
    shape: tuple[float, float, float],
) -> float:
    """Braking (positive) that the rule asks for all who enter our lane; 0: none.

    ego: our place along the path and beside it; motion: speed, acceleration now, asked now;
    coming [c]: what is on its way, one entry each STEP_S; car: most braking and its ramp.
    """
    worst = 0.0
    ways = np.empty((4, STEPS + 1, 2))
    ready = False
    for i in range(len(objects)):
        if notes[i, ENTERS] < BELIEVED:
            continue
        if not ready:
            _drive(ways[0], motion, coming, (0.0, 0.0, math.inf), car)
            _drive(ways[1], motion, coming, (car[0], 0.0, math.inf), car)
            _drive(ways[2], motion, coming, (car[0], PERIOD_S, math.inf), car)
            ready = True
        gap, side, left, _, along = beside(path, ego[0], ego[1], objects[i], shape)
        drift = notes[i, DRIFT]
        sign = -1.0 if left else 1.0
        lengths = shape[1] + 2.0 * objects[i, paths.HALF_LENGTH]
        width = 0.5 * shape[2] + objects[i, paths.HALF_WIDTH]
        it = (gap, along, objects[i, paths.BRAKING], side, sign * drift, lengths, width)
        asked = _choose(ways, motion, coming, it, sign * notes[i, GROWS], car)
        worst = max(worst, asked)
    return worst


@jit
def _choose(
    ways: FloatArray,
    motion: tuple[float, float, float],
    coming: FloatArray,
    it: tuple[float, float, float, float, float, float, float],
    grows: float,
    car: tuple[float, float],
) -> float:
    """Rules 2 to 6 for one road user.

    ways [4, STEPS + 1, 2]: as commanded, full braking from now, the same one period later; the
    last is for use here. it: gap, speed, braking, side, speed towards us, both lengths, half
    widths; grows: its lateral acceleration towards us.
    """
    gap, towards = it[0], it[4]
    futures = FUTURES if grows > GROWS_MPS2 and VISIBLE_MPS < towards < FAST_MPS else 1
    aside = np.empty(STEPS + 1)
    by_waiting = by_braking = by_longer = 0
    alive = want = 0
    need = 0.0
    for h in range(futures):
        ends = towards
        shows_s = PERIOD_S
        if futures > 1:
            ends = towards + (FAST_MPS - towards) * (h + 0.5) / futures
            shows_s = PERIOD_S * (int((ends - towards) / (grows * PERIOD_S)) + 1)
        _sideways(aside, it[3], towards, grows, ends, it[6])
        holds = _clear(ways[0], aside, it)
        brakes = _clear(ways[1], aside, it)
        longer = _clear(ways[2], aside, it)
        waits = holds
        if not waits:
            _drive(ways[3], motion, coming, (car[0], shows_s, math.inf), car)
            waits = _clear(ways[3], aside, it)
        lets = brakes
        if not lets:
            _drive(ways[3], motion, coming, (car[0], 0.0, shows_s), car)
            lets = _clear(ways[3], aside, it)
        if not longer:
            _drive(ways[3], motion, coming, (car[0], PERIOD_S, shows_s), car)
            longer = _clear(ways[3], aside, it)
        by_waiting += 0 if waits else 1
        by_braking += 0 if lets else 1
        by_longer += 0 if longer else 1
        alive += 1 if waits or lets or longer else 0
        if holds:
            continue
        want += 1
        if brakes:
            need = max(need, _least(ways[3], motion, coming, aside, it, car))
        elif not (waits or lets):
            need = car[0]
    if want == 0:
        return 0.0
    if by_braking < by_waiting and by_braking < by_longer:
        return car[0]
    if want < futures:
        return 0.0
    if alive == 0:
        return car[0] if gap > 0.0 else 0.0
    begun = len(coming) > 0 and coming[-1] < min(0.0, motion[2]) - BEGUN_MPS2
    return need if (begun or need >= CALM_MPS2) and by_braking <= by_waiting else 0.0


@jit
def _least(
    way: FloatArray,
    motion: tuple[float, float, float],
    coming: FloatArray,
    aside: FloatArray,
    it: tuple[float, float, float, float, float, float, float],
    car: tuple[float, float],
) -> float:
    """The least of LEVELS that avoids contact, or all there is."""
    for level in LEVELS:
        if level >= car[0]:
            break
        _drive(way, motion, coming, (level, 0.0, math.inf), car)
        if _clear(way, aside, it):
            return level
    return car[0]


@jit
def _drive(
    way: FloatArray,
    motion: tuple[float, float, float],
    coming: FloatArray,
    brake: tuple[float, float, float],
    car: tuple[float, float],
) -> None:
    """Fill way [STEPS + 1, 2] with our distance and speed: what is on its way, then as commanded,
    but braking between two times. brake: level, from and until, after what is on its way."""
    speed, accel, asked = motion
    s = 0.0
    ramp = car[1] * STEP_S
    late = len(coming)
    for k in range(STEPS + 1):
        way[k, 0], way[k, 1] = s, speed
        t = (k - late) * STEP_S + 1e-9
        wanted = asked
        if k < late:
            wanted = coming[k]
        elif brake[1] <= t < brake[2]:
            wanted = min(asked, -brake[0])
        wanted = max(-car[0], wanted)
        accel = max(wanted, accel - ramp) if wanted < accel else min(wanted, accel + ramp)
        after = max(0.0, speed + accel * STEP_S)
        s += 0.5 * (speed + after) * STEP_S
        speed = after


@jit
def _sideways(
    aside: FloatArray, side: float, towards: float, grows: float, ends: float, width: float
) -> None:
    """Fill aside [STEPS + 1] with the room between the sides; its lateral speed grows to `ends`."""
    for k in range(STEPS + 1):
        aside[k] = side
        after = min(ends, towards + grows * STEP_S) if towards < ends else towards
        side = max(-width, side - 0.5 * (towards + after) * STEP_S)
        towards = after


@jit
def _clear(
    way: FloatArray,
    aside: FloatArray,
    it: tuple[float, float, float, float, float, float, float],
) -> bool:
    """Whether there is no contact on a way of ours while the other's side is in our path."""
    gap, speed, braking, lengths = it[0], it[1], it[2], it[5]
    for k in range(STEPS + 1):
        ahead = gap - way[k, 0]
        if aside[k] <= 0.0:
            if -lengths < ahead < FRONT_M:
                return False
            least, most = min(way[k, 1], way[STEPS, 1]), max(way[k, 1], way[STEPS, 1])
            if ahead >= FRONT_M and most <= speed and braking == 0.0:
                return True
            if ahead <= -lengths and least >= speed:
                return True
        gap += speed * STEP_S
        speed = max(0.0, speed - braking * STEP_S)
    return True
