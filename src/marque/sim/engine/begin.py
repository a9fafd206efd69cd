"""Beginning a trip: who, from where, to where, by a key of seed, world, slot and number alone."""

from marque.core.jit import jit_borrowed, jit_inside
from marque.kernels.gaps import brake_way
from marque.sim.engine.beside import ahead_on, behind_on, gap_behind
from marque.sim.engine.look import Rules, led, onward
from marque.sim.engine.network import LENGTH, LIMIT, LINE, Network
from marque.sim.engine.people import (
    BICYCLE,
    K_ACCEL,
    K_BRAKE,
    K_HEADWAY,
    K_LENGTH,
    K_STAND,
    K_TOP,
    WALKER,
    Kinds,
)
from marque.sim.engine.rows import chance, put_in, spread
from marque.sim.engine.state import (
    ACC,
    ACCEL,
    AT,
    BEGAN,
    BEGUN,
    BLIND,
    CAME,
    CHANGED,
    FAC,
    GOAL,
    HEADWAY,
    KIND,
    LAT,
    NOBODY,
    PASS1,
    PASS2,
    SIZE,
    SPEED,
    STEP,
    USERS,
    VIA,
    WAIT,
    Scratch,
    World,
)
from marque.sim.engine.ways import COST, GOAL_LANE, Starts, Ways

TRIES = 4
EARLY_MPS2 = 1.5  # what a beginning may ask of who comes behind
KERB_M = 1.0  # so far from the road one waits
FIRST_SHARE = 0.6  # of the limit, at the beginning


# names of the numbers that are drawn for one road user
(
    BY_KIND, BY_GOAL, BY_PLACE, BY_LANE, BY_SPEED_A, BY_SPEED_B, BY_HEADWAY_A, BY_HEADWAY_B,
    BY_EYES, BY_WALK,
) = range(10)  # fmt: skip


@jit_inside
def index_of(until: object, first: int, last: int, at: float) -> int:
    """First index in first..last-1 whose cumulative metres exceed `at`."""
    low, high = first, last - 1
    while low < high:
        middle = (low + high) // 2
        if until[middle] > at:  # type: ignore[index]
            high = middle
        else:
            low = middle + 1
    return low


@jit_inside
def make_person(
    kinds: Kinds, rules: Rules, mix_until: object, w: World, number: int, i: int, spreads: object
) -> None:
    """Kind and habits of slot i for all of a run. mix_until: cumulative shares of the kinds."""
    key = rules.seed * 1009 + number
    u = chance(key, i, BY_KIND, 0)
    kind = 0
    while u >= mix_until[kind]:  # type: ignore[index]
        kind += 1
    w.whole[KIND, i] = kind
    w.real[SIZE, i] = kinds[K_LENGTH, kind]
    fast = spread(chance(key, i, BY_SPEED_A, 0), chance(key, i, BY_SPEED_B, 0))
    late = spread(chance(key, i, BY_HEADWAY_A, 0), chance(key, i, BY_HEADWAY_B, 0))
    w.real[FAC, i] = 1.0 + spreads[0] * fast  # type: ignore[index]
    w.real[HEADWAY, i] = kinds[K_HEADWAY, kind] * (1.0 + spreads[1] * late)  # type: ignore[index]
    w.real[ACCEL, i] = kinds[K_ACCEL, kind]
    w.whole[BLIND, i] = 1 if chance(key, i, BY_EYES, 0) < rules.blind_share else 0


@jit_borrowed
def begin(
    net: Network, ways: Ways, starts: Starts, kinds: Kinds, rules: Rules, w: World, scr: Scratch,
    number: int, i: int, attempt: int,
) -> bool:  # fmt: skip
    """Try to put a waiting road user on the road. attempt: part of the key."""
    if w.whole[KIND, i] == WALKER:
        return _begin_walk(net, rules, w, number, i, attempt)
    key = rules.seed * 1009 + number
    salt = attempt * 64
    cycle = w.whole[KIND, i] == BICYCLE
    first = ways.first_cycle if cycle else 0
    last = len(ways.goal_s) if cycle else ways.first_cycle
    start = starts.first_cycle if cycle else 0
    stop = len(starts.lane) if cycle else starts.first_cycle
    if last <= first or stop <= start:
        return False
    for t in range(TRIES):
        goal = first + int(chance(key, i, salt + BY_GOAL, t) * (last - first))
        at = chance(key, i, salt + BY_LANE, t) * starts.until[stop - 1]
        lane = starts.lane[index_of(starts.until, start, stop, at)]
        if lane == ways.goals[GOAL_LANE, goal] or not ways.values[COST, goal, lane] < 1e8:
            continue
        low = w.real[SIZE, i] + 1.0
        high = net.real[LENGTH, lane] - 3.0
        if high <= low:
            continue
        s = low + chance(key, i, salt + BY_PLACE, t) * (high - low)
        if place(net, ways, kinds, rules, w, scr, i, int(lane), s, goal):
            return True
    return False


@jit_inside
def place(
    net: Network, ways: Ways, kinds: Kinds, rules: Rules, w: World, scr: Scratch, i: int,
    lane: int, s: float, goal: int,
) -> bool:  # fmt: skip
    """Put road user i at a place if nobody there has to brake for it."""
    kind = w.whole[KIND, i]
    top = min(net.real[LIMIT, lane] * w.real[FAC, i], kinds[K_TOP, kind])
    v = FIRST_SHARE * top
    p = ahead_on(w, lane, s)
    room = net.real[LENGTH, lane] - net.real[LINE, lane] - s - 2.0
    if p >= 0:
        gap = w.real[AT, p] - w.real[SIZE, p] - s
        if gap < kinds[K_STAND, kind] + 1.0:
            return False
        v = min(v, 0.5 * (gap - kinds[K_STAND, kind]) / w.real[HEADWAY, i] + 0.5 * w.real[SPEED, p])
        room = min(room, gap - kinds[K_STAND, kind] + brake_way(w.real[SPEED, p], 4.0))
    if room < 0.0:
        return False
    while v > 0.1 and brake_way(v, 0.7 * kinds[K_BRAKE, kind]) + 0.5 * v > room:
        v *= 0.7
    rear = s - w.real[SIZE, i]
    w.real[SPEED, i] = v
    f = behind_on(net, w, scr, lane, s, i)
    if f >= w.clock[USERS]:
        return False
    if f >= 0:
        gap = gap_behind(net, w, scr, lane, rear, f)
        if gap < kinds[K_STAND, w.whole[KIND, f]] + 1.0:
            return False
        if led(rules, kinds, w, f, v, gap, w.real[ACCEL, f]) < -EARLY_MPS2:
            return False
    put_in(w, i, lane, s)
    w.whole[GOAL, i] = goal
    w.whole[VIA, i] = onward(ways, goal, lane)
    w.whole[CAME, i] = NOBODY
    w.whole[PASS1, i] = NOBODY
    w.whole[PASS2, i] = NOBODY
    w.real[ACC, i] = 0.0
    w.real[WAIT, i] = 0.0
    w.real[LAT, i] = 0.0
    w.whole[CHANGED, i] = w.clock[STEP]
    w.whole[BEGAN, i] = w.clock[STEP]
    w.counts[BEGUN] += 1.0
    return True


@jit_inside
def _begin_walk(net: Network, rules: Rules, w: World, number: int, i: int, attempt: int) -> bool:
    """To the kerb of a crosswalk that lanes lead over."""
    lanes = net.lanes
    walks = len(net.over_walk)
    if walks == 0:
        return False
    key = rules.seed * 1009 + number
    walk = net.over_walk[int(chance(key, i, attempt * 64 + BY_WALK, 0) * walks)]
    w.whole[GOAL, i] = 1 if chance(key, i, attempt * 64 + BY_PLACE, 0) < 0.5 else 0
    w.real[SPEED, i] = 0.0
    w.real[WAIT, i] = 0.0
    put_in(w, i, lanes + walk, -KERB_M)
    w.whole[BEGAN, i] = w.clock[STEP]
    w.counts[BEGUN] += 1.0
    return True
