"""What one driver does in the next tenth of a second: the least of what the free road, whoever is
ahead, lines, crosswalks and slower lanes allow."""

from typing import NamedTuple

from marque.core.jit import jit_inside
from marque.kernels.crossing import must_wait, strip_along
from marque.kernels.following import idm_free, idm_interaction, krauss
from marque.kernels.gaps import brake_way, latest_out, speed_for, time_to
from marque.sim.engine.entry import SIDE_M, SURE_S, decide_pass, may_enter, passes, tail_on
from marque.sim.engine.network import (
    CONF_OFF,
    CONNECTOR,
    END,
    HOW,
    IN,
    LENGTH,
    LIMIT,
    LINE,
    OTHER,
    OTHER_IN,
    OTHER_OUT,
    OVER_HI,
    OVER_IN,
    OVER_LO,
    OVER_OFF,
    OVER_OUT,
    START,
    WALK_HEAD,
    WALK_PRIORITY,
    Network,
)
from marque.sim.engine.people import K_BRAKE, K_STAND, K_TOP, Kinds
from marque.sim.engine.state import (
    ACCEL,
    AHEAD,
    AT,
    CAME,
    CLAIMED,
    DUE,
    FAC,
    FIRST,
    GOAL,
    HEADWAY,
    KIND,
    LANE,
    SHADOW,
    SIZE,
    SPEED,
    VIA,
    WAIT,
    Scratch,
    World,
)
from marque.sim.engine.ways import GOAL_LANE, ONWARD, Ways
from marque.types.codes import ConflictKind, SignalState

HARDEST_MPS2 = 8.0
LINE_GAP_M = 1.0  # from the bumper to a line when standing
DEAD_END_M = 9.0  # so far before the end of a lane that leads nowhere one waits to come over
ASKED_MPS2 = 1.5  # braking that one who has to come over is let in for
WALK_BRAKE_MPS2 = 2.5
HOPS = 8
AT_M = 1.0  # so near the place to stand counts as there
TAU_S = 1.0  # in which a lower speed ahead is met


class Rules(NamedTuple):
    """What holds for all of a run."""

    krauss: int  # 1: Krauss' model, 0: IDM
    change: int  # 1: lanes are changed
    left_hand: int
    hold: int  # 1: who arrives begins another trip at once
    blind_share: float
    seed: int
    step_s: float


@jit_inside
def led(
    rules: Rules, kinds: Kinds, w: World, i: int, v_lead: float, gap: float, free: float
) -> float:
    """Acceleration behind somebody `gap` metres ahead; `free`: what a free road allows."""
    kind = w.whole[KIND, i]
    if rules.krauss:
        room = gap - kinds[K_STAND, kind]
        return krauss(
            w.real[SPEED, i],
            v_lead,
            room,
            1e3,
            w.real[ACCEL, i],
            kinds[K_BRAKE, kind],
            w.real[HEADWAY, i],
        )
    interaction = idm_interaction(
        w.real[SPEED, i],
        v_lead,
        gap,
        w.real[ACCEL, i],
        kinds[K_BRAKE, kind],
        w.real[HEADWAY, i],
        kinds[K_STAND, kind],
    )
    return float(min(free, free + interaction - w.real[ACCEL, i]))


@jit_inside
def led_by(rules: Rules, kinds: Kinds, w: World, i: int, a: int, own: int, free: float) -> float:
    """Behind road user `a`, on whose lane row `own` stands for where i is."""
    gap = w.real[AT, a] - w.real[SIZE, a] - w.real[AT, own]
    return led(rules, kinds, w, i, w.real[SPEED, a], gap, free)


@jit_inside
def stop_at(rules: Rules, kinds: Kinds, w: World, i: int, way: float, free: float) -> float:
    """Acceleration towards a stand `LINE_GAP_M` before a line in `way` metres."""
    gap = way - LINE_GAP_M + kinds[K_STAND, w.whole[KIND, i]]
    if gap < 0.5 * kinds[K_STAND, w.whole[KIND, i]]:
        return -HARDEST_MPS2
    return led(rules, kinds, w, i, 0.0, gap, free)


@jit_inside
def free_accel(net: Network, kinds: Kinds, w: World, i: int, lane: int) -> float:
    """What the limit of a lane allows on a free road."""
    top = min(net.real[LIMIT, lane] * w.real[FAC, i], kinds[K_TOP, w.whole[KIND, i]])
    return idm_free(w.real[SPEED, i], top, w.real[ACCEL, i])


@jit_inside
def onward(ways: Ways, goal: int, lane: int) -> int:
    """The connector to take at a lane's end; -1: the goal is here, or nothing leads there."""
    if ways.goals[GOAL_LANE, goal] == lane:
        return -1
    return int(ways.table[ONWARD, goal, lane])


@jit_inside
def drive(
    net: Network, ways: Ways, kinds: Kinds, rules: Rules, w: World, scr: Scratch, i: int
) -> float:
    """Acceleration of road user i for the next step; notes what it decides to enter."""
    v = w.real[SPEED, i]
    kind = w.whole[KIND, i]
    brake = kinds[K_BRAKE, kind]
    cur = w.whole[LANE, i]
    goal = w.whole[GOAL, i]
    free = free_accel(net, kinds, w, i, cur)
    best = free
    if net.whole[OVER_OFF, cur] < net.whole[OVER_OFF, cur + 1]:
        best = min(best, _walks(net, kinds, rules, w, scr, i, cur, float(w.real[AT, i]), free))
    if w.real[AT, i] < w.real[SIZE, i]:
        before = net.whole[START, cur] if net.whole[CONNECTOR, cur] else w.whole[CAME, i]
        if before >= 0 and net.whole[OVER_OFF, before] < net.whole[OVER_OFF, before + 1]:
            s = float(w.real[AT, i] + net.real[LENGTH, before])
            _walks(net, kinds, rules, w, scr, i, before, s, free)
    g = w.whole[SHADOW, i]
    if g >= 0 and w.whole[AHEAD, g] >= 0:
        a = w.whole[AHEAD, g]
        best = min(best, led_by(rules, kinds, w, i, a, g, free))
    if net.whole[CONNECTOR, cur]:
        best = min(best, _beside(net, kinds, rules, w, i, cur, float(w.real[AT, i]), free, True))
    j = w.whole[AHEAD, i]
    k = scr.asks[cur]
    if k >= 0 and k != i and not net.whole[CONNECTOR, cur]:
        best = min(best, _let_in(net, kinds, rules, w, i, k, free))
    if j >= 0:
        return min(best, led_by(rules, kinds, w, i, j, i, free))
    reach = 25.0 + 2.5 * v + 1.3 * brake_way(v, brake)
    d = float(net.real[LENGTH, cur] - w.real[AT, i])
    c = int(w.whole[VIA, i])
    for _ in range(HOPS):
        if d > reach:
            break
        if net.whole[CONNECTOR, cur]:
            after = int(net.whole[END, cur])
        else:
            if ways.goals[GOAL_LANE, goal] == cur:
                break
            if c < 0:
                best = min(best, stop_at(rules, kinds, w, i, max(d - DEAD_END_M, LINE_GAP_M), free))
                break
            line = d - net.real[LINE, cur]
            if not passes(w, i, c):
                if not may_enter(net, kinds, w, scr, i, c, d, line):
                    best = min(best, stop_at(rules, kinds, w, i, line, free))
                    break
                due = brake_way(v, brake) + 2.0 * rules.step_s * v + AT_M >= line - LINE_GAP_M
                if due and not decide_pass(w, i, c):
                    best = min(best, stop_at(rules, kinds, w, i, line, free))
                    break
            after = c
            best = min(best, _beside(net, kinds, rules, w, i, c, -d, free, passes(w, i, c)))
        allowed = net.real[LIMIT, after] * w.real[FAC, i]
        if v > allowed:
            best = min(best, max(-brake, (speed_for(allowed, d, 0.7 * brake) - v) / TAU_S))
        if net.whole[OVER_OFF, after] < net.whole[OVER_OFF, after + 1]:
            best = min(best, _walks(net, kinds, rules, w, scr, i, after, -d, free))
        j = w.row[FIRST, after]
        if j >= 0:
            best = min(
                best,
                led(
                    rules, kinds, w, i, w.real[SPEED, j], d + w.real[AT, j] - w.real[SIZE, j], free
                ),
            )
            break
        d += net.real[LENGTH, after]
        cur = after
        if not net.whole[CONNECTOR, cur]:
            c = onward(ways, goal, cur)
    return best


@jit_inside
def _let_in(
    net: Network, kinds: Kinds, rules: Rules, w: World, i: int, k: int, free: float
) -> float:
    """Open a gap for k, on the lane beside, if that takes no more than gentle braking."""
    lane, theirs = w.whole[LANE, i], w.whole[LANE, k]
    at = w.real[AT, k] * net.real[LENGTH, lane] / net.real[LENGTH, theirs]
    gap = at - w.real[SIZE, k] - w.real[AT, i]
    j = w.whole[AHEAD, i]
    if gap < 0.5 or (j >= 0 and w.real[AT, j] < at):
        return free
    a = led(rules, kinds, w, i, w.real[SPEED, k], gap, free)
    return a if a >= -ASKED_MPS2 or w.real[SPEED, i] < 1.0 else free


@jit_inside
def _beside(
    net: Network, kinds: Kinds, rules: Rules, w: World, i: int, c: int, s: float, free: float,
    decided: bool,
) -> float:  # fmt: skip
    """What those on connectors that share ground with c allow; `s`: our place along c, below 0
    before it."""
    best = free
    for q in range(net.whole[CONF_OFF, c], net.whole[CONF_OFF, c + 1]):
        o = net.conf_whole[OTHER, q]
        kind = net.conf_whole[HOW, q]
        if kind == ConflictKind.MERGE:
            if w.row[FIRST, o] >= 0:
                best = min(best, _into_one(net, kinds, rules, w, i, c, o, s, free))
            continue
        tail = tail_on(net, w, o)
        j = w.row[FIRST, o]
        if j < 0 and tail < 0:
            continue
        if kind == ConflictKind.DIVERGE:
            best = min(best, _parting(net, kinds, rules, w, i, q, j, tail, s, free))
        elif decided and s < net.conf_real[IN, q]:
            best = min(best, _occupied(net, kinds, rules, w, i, q, j, tail, s, free))
    return best


@jit_inside
def _into_one(
    net: Network, kinds: Kinds, rules: Rules, w: World, i: int, c: int, o: int, s: float,
    free: float,
) -> float:  # fmt: skip
    """Behind the last of those who reach the common end before us."""
    way = net.real[LENGTH, c] - s
    j = w.row[FIRST, o]
    while j >= 0:
        theirs = net.real[LENGTH, o] - w.real[AT, j]
        if theirs < way or (theirs == way and j < i):
            return led(rules, kinds, w, i, w.real[SPEED, j], way - theirs - w.real[SIZE, j], free)
        j = w.whole[AHEAD, j]
    return free


@jit_inside
def _parting(
    net: Network, kinds: Kinds, rules: Rules, w: World, i: int, q: int, j: int, tail: int, s: float,
    free: float,
) -> float:  # fmt: skip
    """Behind somebody who goes another way from the same lane and is not out of ours yet."""
    out = net.conf_real[OTHER_OUT, q]
    while j >= 0:
        rear = w.real[AT, j] - w.real[SIZE, j]
        if w.real[AT, j] > s or (w.real[AT, j] == s and j < i):
            if rear < out:
                return led(rules, kinds, w, i, w.real[SPEED, j], rear - s, free)
            return free
        j = w.whole[AHEAD, j]
    if tail >= 0:
        rear = w.real[AT, tail] - w.real[SIZE, tail] + net.real[LENGTH, net.conf_whole[OTHER, q]]
        if rear < out:
            return led(rules, kinds, w, i, w.real[SPEED, tail], rear - s, free)
    return free


@jit_inside
def _occupied(
    net: Network, kinds: Kinds, rules: Rules, w: World, i: int, q: int, j: int, tail: int, s: float,
    free: float,
) -> float:  # fmt: skip
    """Before ground on which somebody is, unless they are gone when we come."""
    way = net.conf_real[IN, q] - SIDE_M - s
    in_s = way / max(w.real[SPEED, i], 0.5)
    other_in = net.conf_real[OTHER_IN, q] - SIDE_M
    other_out = net.conf_real[OTHER_OUT, q] + SIDE_M
    if tail >= 0:
        left = other_out - (
            w.real[AT, tail] - w.real[SIZE, tail] + net.real[LENGTH, net.conf_whole[OTHER, q]]
        )
        if left > 0.0 and latest_out(left, w.real[SPEED, tail]) + 0.5 * SURE_S > in_s:
            return stop_at(rules, kinds, w, i, way, free)
    while j >= 0:
        left = other_out - (w.real[AT, j] - w.real[SIZE, j])
        on_it = w.real[AT, j] > other_in and left > 0.0
        if on_it and latest_out(left, w.real[SPEED, j]) + 0.5 * SURE_S > in_s:
            return stop_at(rules, kinds, w, i, way, free)
        j = w.whole[AHEAD, j]
    return free


@jit_inside
def _walks(
    net: Network, kinds: Kinds, rules: Rules, w: World, scr: Scratch, i: int, lane: int, s: float,
    free: float,
) -> float:  # fmt: skip
    """Before crosswalks on which, or beside which, somebody is. `s`: our place along the lane."""
    best = free
    v = w.real[SPEED, i]
    top = min(net.real[LIMIT, lane] * w.real[FAC, i], kinds[K_TOP, w.whole[KIND, i]])
    lanes = net.lanes
    for q in range(net.whole[OVER_OFF, lane], net.whole[OVER_OFF, lane + 1]):
        walk = net.over_walk[q]
        p = w.row[FIRST, lanes + walk]
        if p < 0:
            continue
        way = net.over_real[OVER_IN, q] - s
        if way < 0.0:
            if net.over_real[OVER_OUT, q] > s - w.real[SIZE, i]:
                scr.walks[CLAIMED, walk] = 1.0
            continue
        if way > 25.0 + 3.0 * v + brake_way(v, WALK_BRAKE_MPS2):
            continue
        in_s = time_to(way, v, w.real[ACCEL, i], top)
        out_s = time_to(net.over_real[OVER_OUT, q] - s + w.real[SIZE, i], v, w.real[ACCEL, i], top)
        can_stop = brake_way(v, WALK_BRAKE_MPS2) + 2.0 * rules.step_s * v <= way - LINE_GAP_M
        waits = False
        while p >= 0 and not waits:
            waits = _yields(net, w, scr, walk, p, q, in_s, out_s, can_stop)
            p = w.whole[AHEAD, p]
        if waits:
            best = min(best, stop_at(rules, kinds, w, i, way, free))
        else:
            scr.walks[DUE, walk] = min(scr.walks[DUE, walk], in_s)
        if not can_stop and not (waits and v < 0.1):
            scr.walks[CLAIMED, walk] = 1
    return best


@jit_inside
def _yields(
    net: Network, w: World, scr: Scratch, walk: int, p: int, q: int, in_s: float, out_s: float,
    can_stop: bool,
) -> bool:  # fmt: skip
    """Whether a driver waits for walker p."""
    length = net.real[LENGTH, net.lanes + walk]
    lo, hi = strip_along(
        net.over_real[OVER_LO, q], net.over_real[OVER_HI, q], length, w.whole[GOAL, p] == 1
    )
    if w.real[AT, p] >= 0.0:
        return must_wait(w.real[AT, p], w.real[SPEED, p], lo, hi, in_s, out_s)
    if not can_stop:
        return False
    head = net.walks[WALK_HEAD, walk]
    if head >= 0:
        return scr.heads[head] == SignalState.GREEN and in_s < 6.0
    return bool(net.walks[WALK_PRIORITY, walk]) or w.real[WAIT, p] > 30.0
