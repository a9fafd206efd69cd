"""Who may drive on to a connector: signals, signs, right of way, and room beyond it."""

from marque.core.jit import jit_inside
from marque.kernels.following import idm_interaction
from marque.kernels.gaps import (
    brake_way,
    goes_before,
    latest_out,
    merges_before,
    speed_for,
    time_to,
    waits_longer,
)
from marque.kernels.signals import AT_LINE_M, STOOD_MPS, lets_pass, must_stand, standing_priority
from marque.sim.engine.network import (
    CONF_OFF,
    CONTROL,
    CROSSES,
    END,
    HEAD,
    HOW,
    IN,
    LENGTH,
    LIMIT,
    OTHER,
    OTHER_IN,
    OTHER_OUT,
    OUT,
    PRED_OFF,
    PRIORITY,
    Network,
)
from marque.sim.engine.people import K_BRAKE, K_STAND, K_TOP, Kinds
from marque.sim.engine.state import (
    ACCEL,
    AHEAD,
    AT,
    CAME,
    FAC,
    FIRST,
    HEADWAY,
    KIND,
    PASS1,
    PASS2,
    SIZE,
    SPEED,
    USERS,
    WAIT,
    Scratch,
    World,
)
from marque.types.codes import ConflictKind, SignalState

DARK = int(SignalState.OFF)
AMBER_BRAKE_MPS2 = 3.0
OTHERS_ACCEL_MPS2 = 2.0
SIDE_M = 0.6  # more shared ground than the map's, which is measured for a car's width
MARGIN_S, SURE_S = 1.0, 0.5  # between bodies; behind somebody who is about to be gone
STOOD_S, PATIENCE_S, LONG_S = 0.5, 3.0, 10.0
STOPS_MPS2 = 4.0  # how hard who is in front may be taken to brake


@jit_inside
def passes(w: World, i: int, connector: int) -> bool:
    """Whether somebody has decided to enter, or can no longer stop before it."""
    return bool(w.whole[PASS1, i] == connector or w.whole[PASS2, i] == connector)


@jit_inside
def decide_pass(w: World, i: int, connector: int) -> bool:
    """Note the decision; False where two are noted already."""
    if w.whole[PASS1, i] < 0:
        w.whole[PASS1, i] = connector
    elif w.whole[PASS2, i] < 0:
        w.whole[PASS2, i] = connector
    else:
        return False
    return True


@jit_inside
def state_of(net: Network, scr: Scratch, connector: int) -> int:
    """State of the signal before a connector; OFF where there is none."""
    head = net.whole[HEAD, connector]
    return int(scr.heads[head]) if head >= 0 else DARK


@jit_inside
def tail_on(net: Network, w: World, connector: int) -> int:
    """Who is on the lane after a connector with the end of their body still on it, or -1."""
    t = w.row[FIRST, net.whole[END, connector]]
    if (
        t >= 0
        and t < w.clock[USERS]
        and w.whole[CAME, t] == connector
        and w.real[AT, t] < w.real[SIZE, t]
    ):
        return int(t)
    return -1


@jit_inside
def has_room(net: Network, kinds: Kinds, w: World, i: int, connector: int) -> bool:
    """Whether all of a body finds room beyond a connector, when those ahead brake to a stand."""
    after = net.whole[END, connector]
    j = w.row[FIRST, after]
    if j < 0:
        return True
    room = w.real[AT, j] - w.real[SIZE, j] + brake_way(w.real[SPEED, j], STOPS_MPS2)
    need = w.real[SIZE, i] + kinds[K_STAND, w.whole[KIND, i]]
    if room >= need + 40.0:
        return True
    for e in range(net.whole[PRED_OFF, after], net.whole[PRED_OFF, after + 1]):
        k = w.row[FIRST, net.pred[e]]
        while k >= 0:
            need += w.real[SIZE, k] + 2.0
            k = w.whole[AHEAD, k]
    return bool(room >= need)


@jit_inside
def may_enter(
    net: Network, kinds: Kinds, w: World, scr: Scratch, i: int, c: int, d: float, line: float
) -> bool:
    """Whether road user i may drive on to connector c, which begins `d` metres ahead, behind a
    stop line in `line` metres."""
    v = w.real[SPEED, i]
    state = state_of(net, scr, c)
    if net.whole[HEAD, c] >= 0 and not lets_pass(state, brake_way(v, AMBER_BRAKE_MPS2) <= line):
        return False
    stood = w.real[WAIT, i] > STOOD_S and line < AT_LINE_M
    if must_stand(net.whole[CONTROL, c], state) and not stood:
        return False
    if net.whole[CROSSES, c] and not has_room(net, kinds, w, i, c):
        return False
    top = min(net.real[LIMIT, c] * w.real[FAC, i], kinds[K_TOP, w.whole[KIND, i]])
    for q in range(net.whole[CONF_OFF, c], net.whole[CONF_OFF, c + 1]):
        kind = net.conf_whole[HOW, q]
        if kind == ConflictKind.DIVERGE:
            continue
        o = net.conf_whole[OTHER, q]
        near = scr.near[o]
        if near == i:
            near = -1
        if kind == ConflictKind.MERGE:
            if near < 0 and w.row[FIRST, o] < 0:
                continue
            if not _merges(net, kinds, w, scr, i, c, q, d, top, state, near):
                return False
            continue
        tail = tail_on(net, w, o)
        if near < 0 and w.row[FIRST, o] < 0 and tail < 0:
            continue
        if not _crosses(net, w, scr, i, q, d, top, state, near, tail):
            return False
    return True


@jit_inside
def _crosses(
    net: Network, w: World, scr: Scratch, i: int, q: int, d: float, top: float, state: int,
    near: int, tail: int,
) -> bool:  # fmt: skip
    """Whether the ground of conflict q, which both ways cross, is ours for as long as we need."""
    o = net.conf_whole[OTHER, q]
    v = w.real[SPEED, i]
    other_in = net.conf_real[OTHER_IN, q] - SIDE_M
    other_out = net.conf_real[OTHER_OUT, q] + SIDE_M
    in_s = time_to(d + net.conf_real[IN, q] - SIDE_M, v, w.real[ACCEL, i], top)
    out_s = time_to(d + net.conf_real[OUT, q] + SIDE_M + w.real[SIZE, i], v, w.real[ACCEL, i], top)
    if tail >= 0:
        left = other_out - (w.real[AT, tail] - w.real[SIZE, tail] + net.real[LENGTH, o])
        if left > 0.0 and latest_out(left, w.real[SPEED, tail]) + SURE_S > in_s:
            return False
    j = w.row[FIRST, o]
    while j >= 0:
        left = other_out - (w.real[AT, j] - w.real[SIZE, j])
        if left > 0.0 and latest_out(left, w.real[SPEED, j]) + SURE_S > in_s:
            arrives = time_to(
                other_in - w.real[AT, j], w.real[SPEED, j], OTHERS_ACCEL_MPS2, net.real[LIMIT, o]
            )
            if not goes_before(out_s, arrives, MARGIN_S):
                return False
        j = w.whole[AHEAD, j]
    if near < 0:
        return True
    if not passes(w, near, o) and _goes_first(net, w, scr, i, q, d, state, near):
        return True
    arrives = time_to(
        scr.near_m[o] + other_in, w.real[SPEED, near], OTHERS_ACCEL_MPS2, net.real[LIMIT, o]
    )
    return goes_before(out_s, arrives, MARGIN_S)


@jit_inside
def _merges(
    net: Network, kinds: Kinds, w: World, scr: Scratch, i: int, c: int, q: int, d: float,
    top: float, state: int, near: int,
) -> bool:  # fmt: skip
    """Whether we fall in where both ways become one: behind who is ahead, before who is not."""
    o = net.conf_whole[OTHER, q]
    v = w.real[SPEED, i]
    kind = w.whole[KIND, i]
    way = d + net.real[LENGTH, c]
    inside = d + net.conf_real[IN, q] + w.real[SIZE, i]
    out_s = time_to(inside, v, w.real[ACCEL, i], top)
    then = min(top, speed_for(v, inside, w.real[ACCEL, i]))
    j = w.row[FIRST, o]
    while j >= 0:
        ahead = way - (net.real[LENGTH, o] - w.real[AT, j])
        if ahead > 0.0:
            gap = ahead - w.real[SIZE, j]
            if gap < kinds[K_STAND, kind]:
                return False
            asked = idm_interaction(
                v,
                w.real[SPEED, j],
                gap,
                w.real[ACCEL, i],
                kinds[K_BRAKE, kind],
                w.real[HEADWAY, i],
                kinds[K_STAND, kind],
            )
            if asked < -kinds[K_BRAKE, kind]:
                return False
        else:
            arrives = time_to(
                net.conf_real[OTHER_IN, q] - w.real[AT, j],
                w.real[SPEED, j],
                OTHERS_ACCEL_MPS2,
                net.real[LIMIT, o],
            )
            if not merges_before(
                out_s, then, arrives, w.real[SPEED, j], MARGIN_S, kinds[K_BRAKE, kind]
            ):
                return False
        j = w.whole[AHEAD, j]
    if near < 0:
        return True
    if not passes(w, near, o) and _goes_first(net, w, scr, i, q, d, state, near):
        return True
    arrives = time_to(
        scr.near_m[o] + net.conf_real[OTHER_IN, q],
        w.real[SPEED, near],
        OTHERS_ACCEL_MPS2,
        net.real[LIMIT, o],
    )
    return merges_before(out_s, then, arrives, w.real[SPEED, near], MARGIN_S, kinds[K_BRAKE, kind])


@jit_inside
def _goes_first(
    net: Network, w: World, scr: Scratch, i: int, q: int, d: float, state: int, near: int
) -> bool:
    """Whether who is near the other way, and could still stop, has to let us go, or cannot go."""
    o = net.conf_whole[OTHER, q]
    theirs = state_of(net, scr, o)
    if net.whole[HEAD, o] >= 0 and not lets_pass(theirs, True):
        return True
    stands = w.real[SPEED, near] < STOOD_MPS and w.real[WAIT, near] > STOOD_S
    order = standing_priority(net.conf_whole[PRIORITY, q], state, theirs)
    if order > 0:
        return True
    # who stands so long, with nobody on the shared ground, waits for something else than us; of
    # those who have equal rights the longest waits first, but not for ever
    patience = PATIENCE_S if order < 0 else LONG_S
    if stands and w.real[WAIT, near] >= PATIENCE_S and w.real[WAIT, i] >= patience:
        return True
    if order < 0:
        return False
    if stands and w.real[SPEED, i] < STOOD_MPS:
        return waits_longer(w.real[WAIT, i], i, w.real[WAIT, near], near)
    ours = d / max(w.real[SPEED, i], 1.0)
    other = scr.near_m[o] / max(w.real[SPEED, near], 1.0)
    return ours < other or (ours == other and i < near)
