"""One step of one world, and many steps of many worlds."""

from marque.core.jit import jit_borrowed, jit_inside
from marque.kernels.crossing import may_step_out
from marque.kernels.signals import phase_at
from marque.sim.engine.begin import begin, make_person
from marque.sim.engine.beside import CLEAR_M, consider, slide
from marque.sim.engine.entry import passes
from marque.sim.engine.look import DEAD_END_M, HARDEST_MPS2, Rules, drive, onward
from marque.sim.engine.network import (
    CONNECTOR,
    CROSSES,
    END,
    LEFT,
    LENGTH,
    RIGHT,
    WALK_HEAD,
    WALK_PRIORITY,
    Lights,
    Network,
)
from marque.sim.engine.people import K_TOP, WALKER, Kinds
from marque.sim.engine.rows import chance, drop_shadow, put_in, take_out, who
from marque.sim.engine.state import (
    ACC,
    AHEAD,
    ARRIVED,
    AT,
    BEGAN,
    BLIND,
    CAME,
    CLAIMED,
    CROSSINGS,
    DISTANCE,
    DUE,
    FAC,
    FIRST,
    GOAL,
    HARD,
    LANE,
    LAT,
    NOBODY,
    PASS1,
    PASS2,
    REROUTED,
    ROAD_USER_STEPS,
    SHADOW,
    SPEED,
    SPEED_SUM,
    STANDING,
    STEP,
    STUCK,
    TRIP,
    TRIP_SECONDS,
    UNLAWFUL,
    USERS,
    VIA,
    WAIT,
    WAITING_STEPS,
    WALKED,
    Scratch,
    World,
)
from marque.sim.engine.ways import GOAL_CYCLE, GOAL_LANE, ONWARD, ROOM, SIDE, Starts, Ways
from marque.types.codes import SignalState

OUTSIDE = 2  # value of BLIND for who is moved from outside
FAR_S = 1e3
HORIZON_M, HORIZON_S = 30.0, 6.0
STANDS_MPS = 0.1
UNDECIDED_S = 3.0  # standing before a line so long, one decides anew
OTHER_GOAL_S = 20.0  # standing where the lane leads nowhere so long, one goes elsewhere
STUCK_S = 300.0  # SUMO's time to teleport: counts as gridlock
BRAKES_HARD_MPS2 = 4.0
ASK_M = 100.0  # before the last chance
EVERY = 5  # steps between two tries to begin a trip
AWAY_WINDOW, AWAY_STEPS, AWAY_SHARE = 60, 15, 0.25  # looking away: 1.5 s in every 6, now and then


@jit_inside
def set_heads(net: Lights, scr: Scratch, t_s: float) -> None:
    """State of every head at a time. A head without a program is dark."""
    for h in range(net.head_count):
        scr.heads[h] = SignalState.OFF
    for g in range(len(net.group_offset)):
        first, last = net.group_first[g], net.group_first[g + 1]
        if last <= first or net.phase_end[last - 1] <= 0.0:
            continue
        phase = phase_at(net.phase_end, first, last, net.group_offset[g], t_s)
        at = net.phase_head_off[phase]
        for k in range(net.group_heads_off[g], net.group_heads_off[g + 1]):
            scr.heads[net.group_heads[k]] = net.phase_head_state[at]
            at += 1


@jit_inside
def note_near(net: Network, ways: Ways, w: World, scr: Scratch, users: int) -> None:
    """For each connector, who comes to it next."""
    used = len(scr.used) - 1
    for k in range(scr.used[used]):
        scr.near[scr.used[k]] = NOBODY
    scr.used[used] = 0
    scr.asks[:] = NOBODY
    lanes = net.lanes
    for i in range(users):
        lane = w.whole[LANE, i]
        if lane < 0 or lane >= lanes:
            continue
        j = w.whole[AHEAD, i]
        d = float(net.real[LENGTH, lane] - w.real[AT, i])
        if net.whole[CONNECTOR, lane]:
            after = net.whole[END, lane]
            if j >= 0 or w.row[FIRST, after] >= 0:
                continue
            c = onward(ways, w.whole[GOAL, i], after)
            d += net.real[LENGTH, after]
        else:
            c = w.whole[VIA, i]
            _ask(net, ways, w, scr, i, lane, d)
            if j >= 0:
                k = who(w, j)
                if j != k or w.whole[VIA, k] < 0 or not passes(w, k, w.whole[VIA, k]):
                    continue
        _note(net, ways, w, scr, i, c, d, j < 0)


@jit_inside
def _ask(net: Network, ways: Ways, w: World, scr: Scratch, i: int, lane: int, d: float) -> None:
    """Who has to leave a lane soon shows it to those on the lane beside."""
    goal = w.whole[GOAL, i]
    side = ways.table[SIDE, goal, lane]
    if side == 0 or w.whole[SHADOW, i] >= 0:
        return
    left_m = ways.values[ROOM, goal, lane] - w.real[AT, i]
    if w.whole[VIA, i] < 0:
        left_m = min(left_m, d)
    if left_m > ASK_M or left_m < -DEAD_END_M:
        return
    other = net.whole[LEFT, lane] if side > 0 else net.whole[RIGHT, lane]
    if other >= 0 and (scr.asks[other] < 0 or w.real[AT, scr.asks[other]] < w.real[AT, i]):
        scr.asks[other] = i


@jit_inside
def _note(
    net: Network, ways: Ways, w: World, scr: Scratch, i: int, c: int, d: float, first: bool
) -> None:
    reach = HORIZON_M + HORIZON_S * w.real[SPEED, i]
    used = len(scr.used) - 1
    goal = w.whole[GOAL, i]
    for _ in range(3):
        if c < 0 or d > reach:
            return
        if scr.near[c] < 0:
            scr.near[c] = i
            scr.near_m[c] = d
            if scr.used[used] < used:
                scr.used[scr.used[used]] = c
                scr.used[used] += 1
        elif d < scr.near_m[c]:
            scr.near[c] = i
            scr.near_m[c] = d
        after = net.whole[END, c]
        if not first or w.row[FIRST, c] >= 0 or w.row[FIRST, after] >= 0:
            return
        d += net.real[LENGTH, c] + net.real[LENGTH, after]
        c = onward(ways, goal, after)


@jit_borrowed
def step_world(
    net: Network,
    lights: Lights,
    ways: Ways,
    starts: Starts,
    kinds: Kinds,
    rules: Rules,
    w: World,
    scr: Scratch,
    number: int,
) -> None:
    """0.1 s of one world."""
    users = w.clock[USERS]
    lanes = net.lanes
    set_heads(lights, scr, w.clock[STEP] * rules.step_s)
    for k in range(net.walks.shape[1]):
        scr.walks[CLAIMED, k] = 0
        scr.walks[DUE, k] = FAR_S
    note_near(net, ways, w, scr, users)
    for i in range(users):
        lane = w.whole[LANE, i]
        if lane < 0 or lane >= lanes:
            continue
        if w.whole[BLIND, i] == OUTSIDE or (
            w.whole[BLIND, i] == 1 and _looks_away(rules, w, number, i)
        ):
            continue
        a = drive(net, ways, kinds, rules, w, scr, i)
        if a < -HARDEST_MPS2:
            a = -HARDEST_MPS2
        w.real[ACC, i] = a
        if rules.change:
            consider(net, ways, kinds, rules, w, scr, i, a)
    for i in range(users):
        lane = w.whole[LANE, i]
        if w.whole[BLIND, i] == OUTSIDE:
            continue
        if lane < 0:
            w.counts[WAITING_STEPS] += 1.0
            if rules.hold and (w.clock[STEP] + i) % EVERY == 0:
                attempt = (
                    w.whole[TRIP, i] * 4096 + (w.clock[STEP] - w.whole[BEGAN, i]) // EVERY % 4096
                )
                begin(net, ways, starts, kinds, rules, w, scr, number, i, attempt)
        elif lane >= lanes:
            _walk(net, kinds, rules, w, scr, i, lane - lanes)
        else:
            _move(net, ways, rules, w, i)
    w.clock[STEP] += 1


@jit_inside
def _looks_away(rules: Rules, w: World, number: int, i: int) -> bool:
    window = w.clock[STEP] // AWAY_WINDOW
    if w.clock[STEP] % AWAY_WINDOW >= AWAY_STEPS:
        return False
    return chance(rules.seed * 1009 + number, i, 77, window) < AWAY_SHARE


@jit_inside
def _walk(
    net: Network, kinds: Kinds, rules: Rules, w: World, scr: Scratch, i: int, walk: int
) -> None:
    """Somebody on foot: waits at the kerb, crosses, is gone."""
    length = net.real[LENGTH, net.lanes + walk]
    pace = kinds[K_TOP, WALKER] * w.real[FAC, i]
    if w.real[AT, i] < 0.0:
        head = net.walks[WALK_HEAD, walk]
        first = net.walks[WALK_PRIORITY, walk] == 1
        green = True
        if head >= 0:
            green = scr.heads[head] == SignalState.GREEN
            first = True
        blocked = scr.walks[CLAIMED, walk] == 1 or not green
        if may_step_out(first, blocked, scr.walks[DUE, walk], length, pace, w.real[WAIT, i]):
            w.real[AT, i] = 0.0
            w.real[SPEED, i] = pace
        else:
            w.real[WAIT, i] += rules.step_s
        w.counts[WALKED] += 1.0
        return
    w.real[AT, i] += pace * rules.step_s
    w.counts[WALKED] += 1.0
    if w.real[AT, i] >= length:
        take_out(w, i)
        w.counts[ARRIVED] += 1.0
        w.whole[TRIP, i] += 1
        w.whole[BEGAN, i] = w.clock[STEP]


@jit_inside
def _move(net: Network, ways: Ways, rules: Rules, w: World, i: int) -> None:
    """Forward by a step; over the end of lanes; to the goal."""
    v = w.real[SPEED, i]
    v_new = max(0.0, v + w.real[ACC, i] * rules.step_s)
    way = 0.5 * (v + v_new) * rules.step_s
    w.real[SPEED, i] = v_new
    s = w.real[AT, i] + way
    w.counts[ROAD_USER_STEPS] += 1.0
    w.counts[DISTANCE] += way
    w.counts[SPEED_SUM] += v_new
    if w.real[ACC, i] < -BRAKES_HARD_MPS2 and v > 0.5:
        w.counts[HARD] += 1.0
    if v_new < STANDS_MPS:
        _stand(net, ways, rules, w, i)
        if w.whole[LANE, i] < 0:
            return
    else:
        w.real[WAIT, i] = 0.0
    lane = w.whole[LANE, i]
    if w.real[LAT, i] != 0.0:
        w.real[LAT, i] = slide(w, i, rules.step_s)
        if abs(w.real[LAT, i]) < CLEAR_M:
            drop_shadow(w, i)
    g = w.whole[SHADOW, i]
    if g >= 0:
        old = w.whole[LANE, g]
        at = s * net.real[LENGTH, old] / net.real[LENGTH, lane]
        if at >= net.real[LENGTH, old] or s >= net.real[LENGTH, lane]:
            drop_shadow(w, i)
        else:
            w.real[AT, g] = at
            w.real[SPEED, g] = v_new
    goal = w.whole[GOAL, i]
    if lane == ways.goals[GOAL_LANE, goal] and s >= ways.goal_s[goal]:
        _arrive(rules, w, i)
        return
    if s < net.real[LENGTH, lane]:
        w.real[AT, i] = s
        return
    _onward(net, ways, w, i, s)


@jit_inside
def _stand(net: Network, ways: Ways, rules: Rules, w: World, i: int) -> None:
    """What happens to who stands: the time is counted, decisions lapse, goals are given up."""
    w.real[WAIT, i] += rules.step_s
    w.counts[STANDING] += 1.0
    lane = w.whole[LANE, i]
    if net.whole[CONNECTOR, lane]:
        pass
    elif w.real[WAIT, i] > UNDECIDED_S and w.whole[VIA, i] >= 0:
        w.whole[PASS1, i] = NOBODY
        w.whole[PASS2, i] = NOBODY
    if w.real[WAIT, i] >= STUCK_S and w.real[WAIT, i] - rules.step_s < STUCK_S:
        w.counts[STUCK] += 1.0
        if rules.hold:  # as SUMO teleports: one more gridlock on the count, and another trip
            _leave(w, i)
            return
    lost = (
        w.whole[VIA, i] < 0
        and net.whole[CONNECTOR, lane] == 0
        and lane != ways.goals[GOAL_LANE, w.whole[GOAL, i]]
    )
    if lost and w.real[WAIT, i] > OTHER_GOAL_S and w.whole[AHEAD, i] < 0:
        first = ways.first_cycle if ways.goals[GOAL_CYCLE, w.whole[GOAL, i]] else 0
        last = len(ways.goal_s) if ways.goals[GOAL_CYCLE, w.whole[GOAL, i]] else ways.first_cycle
        for k in range(first, last):
            goal = first + (k - first + i) % (last - first)
            if ways.table[ONWARD, goal, lane] >= 0 and ways.goals[GOAL_LANE, goal] != lane:
                w.whole[GOAL, i] = goal
                w.whole[VIA, i] = ways.table[ONWARD, goal, lane]
                w.real[WAIT, i] = 0.0
                w.counts[REROUTED] += 1.0
                return


@jit_inside
def _leave(w: World, i: int) -> None:
    """Off the road; the next trip begins when there is room."""
    drop_shadow(w, i)
    take_out(w, i)
    w.whole[TRIP, i] += 1
    w.whole[BEGAN, i] = w.clock[STEP]
    w.real[LAT, i] = 0.0
    w.real[SPEED, i] = 0.0


@jit_inside
def _arrive(rules: Rules, w: World, i: int) -> None:
    w.counts[ARRIVED] += 1.0
    w.counts[TRIP_SECONDS] += (w.clock[STEP] - w.whole[BEGAN, i]) * rules.step_s
    _leave(w, i)


@jit_inside
def _onward(net: Network, ways: Ways, w: World, i: int, s: float) -> None:
    """Over the end of a lane, and of further ones if they are short."""
    lane = w.whole[LANE, i]
    take_out(w, i)
    for _ in range(8):
        if s < net.real[LENGTH, lane]:
            break
        if net.whole[CONNECTOR, lane]:
            after = net.whole[END, lane]
            w.whole[CAME, i] = lane
            w.whole[VIA, i] = onward(ways, w.whole[GOAL, i], after)
        else:
            after = w.whole[VIA, i]
            if after < 0:
                s = net.real[LENGTH, lane]
                w.real[SPEED, i] = 0.0
                break
            if w.whole[PASS1, i] == after:
                w.whole[PASS1, i] = w.whole[PASS2, i]
                w.whole[PASS2, i] = NOBODY
            elif w.whole[PASS2, i] == after:
                w.whole[PASS2, i] = NOBODY
            else:
                w.counts[UNLAWFUL] += 1.0
            w.counts[CROSSINGS] += net.whole[CROSSES, after]
        s -= net.real[LENGTH, lane]
        lane = after
    put_in(w, i, lane, s)


@jit_inside
def row_of(rows: World, k: int) -> World:
    """One of several worlds: views."""
    return World(rows.real[k], rows.whole[k], rows.row[k], rows.counts[k], rows.clock[k])


@jit_inside
def scratch_of(rows: Scratch, k: int) -> Scratch:
    """One thread's scratch: views."""
    return Scratch(
        rows.near[k], rows.near_m[k], rows.used[k], rows.heads[k], rows.asks[k], rows.walks[k]
    )  # fmt: skip


@jit_borrowed
def run_worlds(
    net: Network, lights: Lights, ways: Ways, starts: Starts, kinds: Kinds, rules: Rules,
    rows: World, scratch: Scratch, thread: int, low: int, high: int, steps: int,
) -> None:  # fmt: skip
    """Many steps of the worlds low..high-1: all of one world, then all of the next, so that a
    world stays in the processor's own memory."""
    scr = scratch_of(scratch, thread)
    for k in range(low, high):
        w = row_of(rows, k)
        for _ in range(steps):
            step_world(net, lights, ways, starts, kinds, rules, w, scr, k)


@jit_borrowed
def fill(
    net: Network, ways: Ways, starts: Starts, kinds: Kinds, rules: Rules, rows: World,
    scratch: Scratch, mix_until: object, spreads: object, k: int, rounds: int,
) -> int:  # fmt: skip
    """Everybody of world k on the road, if `rounds` tries will do. Returns how many are."""
    scr = scratch_of(scratch, 0)
    w = row_of(rows, k)
    users = w.clock[USERS]
    note_near(net, ways, w, scr, users)
    there = 0
    for i in range(users):
        make_person(kinds, rules, mix_until, w, k, i, spreads)
        if not rules.hold:
            continue
        for attempt in range(rounds):
            if begin(net, ways, starts, kinds, rules, w, scr, k, i, 1048576 + attempt):
                there += 1
                break
    return there
