"""Changing lanes: who would be ahead and behind there, whether it is safe and worth it."""

from marque.core.jit import jit_inside
from marque.kernels.gaps import brake_way
from marque.kernels.lane_change import gain, is_safe, route_need, worth_it
from marque.sim.engine.entry import passes
from marque.sim.engine.look import DEAD_END_M, LINE_GAP_M, Rules, free_accel, led, led_by
from marque.sim.engine.network import CONNECTOR, LEFT, LENGTH, LINE, PRED_OFF, RIGHT, WIDTH, Network
from marque.sim.engine.people import Kinds
from marque.sim.engine.rows import cast_shadow, put_in, take_out, who
from marque.sim.engine.state import (
    ACC,
    AHEAD,
    AT,
    BEHIND,
    CHANGED,
    CHANGES,
    FIRST,
    GOAL,
    LANE,
    LAST,
    LAT,
    SHADOW,
    SIZE,
    SPEED,
    STEP,
    USERS,
    VIA,
    Scratch,
    World,
)
from marque.sim.engine.ways import COST, GOAL_LANE, ONWARD, ROOM, SIDE, Ways

EVERY = 5  # steps between two thoughts of changing
REST_STEPS = 40  # after a change
LEAST_GAP_M = 1.0
SWING_M = 6.0  # the way ahead that it takes to come over, if one stands
SAFE_MPS2, POLITENESS, THRESHOLD_MPS2, KEEP_MPS2 = 2.0, 0.2, 0.3, 0.2
BACK_M = 200.0  # a lane that has to be left again within so many metres is not worth it
DETOUR_S = 15.0  # nor one that costs so much more
CLEAR_M = 0.6  # so near the new middle a body has left the old lane
SIDEWAYS_MPS, SLANT = 1.1, 0.6  # lateral speed, and as a share of the speed ahead


@jit_inside
def behind_on(net: Network, w: World, scr: Scratch, lane: int, s: float, i: int) -> int:
    """Slot of who is next behind a place on a lane, or comes to it; -1 for nobody."""
    found = -1
    p = w.row[FIRST, lane]
    while p >= 0 and w.real[AT, p] < s:
        if p != i:
            found = p
        p = w.whole[AHEAD, p]
    if found >= 0:
        return int(found)
    best = 1e9
    for e in range(net.whole[PRED_OFF, lane], net.whole[PRED_OFF, lane + 1]):
        o = net.pred[e]
        j = w.row[LAST, o]
        if j >= 0 and net.real[LENGTH, o] - w.real[AT, j] < best:
            best = net.real[LENGTH, o] - w.real[AT, j]
            found = j
        n = scr.near[o]
        if n >= 0 and n != i and scr.near_m[o] + net.real[LENGTH, o] < best and passes(w, n, o):
            best = scr.near_m[o] + net.real[LENGTH, o]
            found = n
    return int(found)


@jit_inside
def gap_behind(net: Network, w: World, scr: Scratch, lane: int, s: float, f: int) -> float:
    """Metres from the front of f, which may be on the way to the lane, to a place on it."""
    there = w.whole[LANE, f]
    if there == lane:
        return float(s - w.real[AT, f])
    if net.whole[CONNECTOR, there]:
        return float(s + net.real[LENGTH, there] - w.real[AT, f])
    best = 1e9
    for e in range(net.whole[PRED_OFF, lane], net.whole[PRED_OFF, lane + 1]):
        o = net.pred[e]
        if scr.near[o] == f:
            best = min(best, s + scr.near_m[o] + net.real[LENGTH, o])
    return best


@jit_inside
def ahead_on(w: World, lane: int, s: float) -> int:
    """Slot of who is next ahead of a place on a lane, -1 for nobody there."""
    p = w.row[FIRST, lane]
    while p >= 0 and w.real[AT, p] < s:
        p = w.whole[AHEAD, p]
    return int(p)


@jit_inside
def consider(
    net: Network, ways: Ways, kinds: Kinds, rules: Rules, w: World, scr: Scratch, i: int, now: float
) -> None:
    """Change lanes if it is time to think of it, safe, and worth it. now: acceleration here."""
    lane = w.whole[LANE, i]
    if net.whole[CONNECTOR, lane] or w.whole[SHADOW, i] >= 0:
        return
    step = w.clock[STEP]
    if (step + i) % EVERY != 0 or step - w.whole[CHANGED, i] < REST_STEPS:
        return
    left, right = net.whole[LEFT, lane], net.whole[RIGHT, lane]
    if (left < 0 and right < 0) or w.real[AT, i] - w.real[SIZE, i] < 1.0:
        return
    c = w.whole[VIA, i]
    if c >= 0 and passes(w, i, c):
        return
    goal = w.whole[GOAL, i]
    side = int(ways.table[SIDE, goal, lane])
    remaining = net.real[LENGTH, lane] - w.real[AT, i]
    if side == 0 and remaining < 20.0 + 3.0 * w.real[SPEED, i]:
        return
    need = (
        route_need(ways.values[ROOM, goal, lane] - w.real[AT, i], w.real[SPEED, i], 1)
        if side != 0
        else 0.0
    )
    if side != 0 and c < 0:
        need = max(need, route_need(remaining, w.real[SPEED, i], 1))
    for way in (side if side != 0 else 1, -side if side != 0 else -1):
        other = left if way > 0 else right
        if other < 0 or (side != 0 and side != way):
            continue
        if _may(net, ways, kinds, rules, w, scr, i, other, way, side, need, now):
            _go(net, ways, w, i, other, way)
            return


@jit_inside
def _may(
    net: Network, ways: Ways, kinds: Kinds, rules: Rules, w: World, scr: Scratch, i: int,
    other: int, way: int, side: int, need: float, now: float,
) -> bool:  # fmt: skip
    """Whether to change to lane `other`, which lies on the side `way`."""
    lane, goal = w.whole[LANE, i], w.whole[GOAL, i]
    s = w.real[AT, i] * net.real[LENGTH, other] / net.real[LENGTH, lane]
    if s - w.real[SIZE, i] < 1.0:
        return False
    ends = ways.table[ONWARD, goal, other] < 0 and ways.goals[GOAL_LANE, goal] != other
    spare = SWING_M + (DEAD_END_M if ends else LINE_GAP_M + net.real[LINE, other])
    if net.real[LENGTH, other] - s < spare:
        return False
    away = side == 0 and _leads_off(ways, goal, lane, other, s)
    if away:
        return False
    p = ahead_on(w, other, s)
    free = free_accel(net, kinds, w, i, other)
    ours = free
    if p >= 0:
        gap = w.real[AT, p] - w.real[SIZE, p] - s
        if gap + brake_way(w.real[SPEED, p], 4.0) < SWING_M:
            return False
        ours = led(rules, kinds, w, i, w.real[SPEED, p], gap, free)
    elif side == 0:
        c = ways.table[ONWARD, goal, other]
        if c >= 0 and w.row[FIRST, c] >= 0:
            j = w.row[FIRST, c]
            gap = net.real[LENGTH, other] - s + w.real[AT, j] - w.real[SIZE, j]
            ours = led(rules, kinds, w, i, w.real[SPEED, j], gap, free)
    f = behind_on(net, w, scr, other, s, i)
    after, before = 0.0, 0.0
    if f >= 0:
        k = who(w, f)
        gap = gap_behind(net, w, scr, other, s - w.real[SIZE, i], f)
        if gap < LEAST_GAP_M:
            return False
        room = free_accel(net, kinds, w, k, other)
        after = led(rules, kinds, w, k, w.real[SPEED, i], gap, room)
        before = w.real[ACC, k]
    if not is_safe(after, ours, SAFE_MPS2, need):
        return False
    old_after, old_before = _old_follower(net, kinds, rules, w, i, lane)
    keep = KEEP_MPS2 if (way > 0) != (rules.left_hand == 1) else -KEEP_MPS2
    incentive = gain(ours, now, after, before, old_after, old_before, POLITENESS) - keep
    return worth_it(incentive, THRESHOLD_MPS2, need, side == way, False)


@jit_inside
def _leads_off(ways: Ways, goal: int, lane: int, other: int, s: float) -> bool:
    """Whether a lane soon has to be left again, or leads nowhere."""
    if ways.goals[GOAL_LANE, goal] == other:
        return False
    if ways.table[ONWARD, goal, other] < 0 or ways.goals[GOAL_LANE, goal] == lane:
        return True
    if ways.values[COST, goal, other] > ways.values[COST, goal, lane] + DETOUR_S:
        return True
    return bool(ways.table[SIDE, goal, other] != 0 and ways.values[ROOM, goal, other] - s < BACK_M)


@jit_inside
def _old_follower(
    net: Network, kinds: Kinds, rules: Rules, w: World, i: int, lane: int
) -> tuple[float, float]:
    """(after, before) of who is behind us on our lane."""
    f = w.whole[BEHIND, i]
    if f < 0 or f >= w.clock[USERS]:
        return 0.0, 0.0
    room = free_accel(net, kinds, w, f, lane)
    p = w.whole[AHEAD, i]
    if p < 0:
        return min(room, w.real[ACC, f] + 0.5), float(w.real[ACC, f])
    return led_by(rules, kinds, w, f, p, f, room), float(w.real[ACC, f])


@jit_inside
def _go(net: Network, ways: Ways, w: World, i: int, other: int, way: int) -> None:
    """Into the other lane's list, with a shadow on the one that is left."""
    lane = w.whole[LANE, i]
    s_old = w.real[AT, i]
    s = s_old * net.real[LENGTH, other] / net.real[LENGTH, lane]
    take_out(w, i)
    if not cast_shadow(w, i, lane, s_old):
        put_in(w, i, lane, s_old)
        return
    put_in(w, i, other, s)
    w.real[LAT, i] = -way * 0.5 * (net.real[WIDTH, lane] + net.real[WIDTH, other])
    goal = w.whole[GOAL, i]
    w.whole[VIA, i] = (
        -1 if ways.goals[GOAL_LANE, goal] == other else ways.table[ONWARD, goal, other]
    )
    w.whole[CHANGED, i] = w.clock[STEP]
    w.counts[CHANGES] += 1.0


@jit_inside
def slide(w: World, i: int, step_s: float) -> float:
    """Beside the middle after a step: back towards it, no faster sideways than one turns in."""
    most = min(SIDEWAYS_MPS, SLANT * w.real[SPEED, i]) * step_s
    lat = w.real[LAT, i]
    if abs(lat) <= most:
        return 0.0
    return float(lat - most) if lat > 0.0 else float(lat + most)
