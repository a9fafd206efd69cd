"""Roll the whole scene forward under one policy of ours, with others that react.

One-dimensional by construction: each user moves along its path, ours along its own, and the
overlap tables say when a box of one lies in the corridor of the other. Step 0.2 s, 8 s long.

Policy row: path, speed scale (modes 1 and 3: its braking, m/s2), stop (path metres of the front
bumper, inf none), virtual leader (path of another, -1 none), mode (0 normal, 1 comfortable stop, 2
emergency stop, 3 stop that begins at once).
"""

import math

import numpy as np

from marque.core.arrays import FloatArray, Int8Array, Int32Array
from marque.core.jit import jit
from marque.kernels.following import (
    FIRM_JERK_MPS3,
    acc,
    idm_free,
    idm_interaction,
    stop_accel,
)
from marque.kernels.overlap import EGO_STEP_M, FREE

DT_S = 0.2
STEPS = 40

# columns of the ego parameter vector
(
    E_FRONT,
    E_REAR,
    E_ACCEL,
    E_BRAKE,
    E_JERK,
    E_HEADWAY,
    E_GAP,
    E_MAX_BRAKE,
    E_HALF_WIDTH,
    E_STEER,  # how fast the wheel is turned, as a change of curvature, 1/m per second
    E_TURN,  # curvature of the tightest turn, 1/m
    E_LAUNCH,  # jerk with which we set off
    E_EASE,  # jerk with which the brake is let go before rest
    E_BIAS,  # beside the middle of the lane, left positive
    E_WALKERS,  # more room beside people on foot
) = range(15)
E_LEN = 15
LAUNCH_MPS = 4.0  # up to here we set off

# columns of the result
(
    R_COLLISION_S,  # time of first contact, inf if none
    R_MARGIN_S,  # time at which a time margin is first violated, inf if none
    R_FORCED,  # strongest braking that we force on another, m/s2 (positive)
    R_PROGRESS,  # metres gained
    R_ACCEL2,  # mean of a^2
    R_JERK2,  # mean of j^2
    R_BRAKE,  # strongest own braking, positive
    R_END_SPEED,
    R_BOX,  # 1 if standing at the end where we are in the way of others
    R_GAP_MIN,  # least time headway to a leader, s
    R_CAUSE,  # path index of the user behind the strongest restraint, -1 none
    R_CONFLICT,  # path index of the user hit or too close, -1 none
    R_DOUBT_S,  # time of first contact with a path that its user hardly takes, inf if none
    R_ENTERS,  # 1 if we come over a line before somebody who is not in the junction yet
) = range(14)
R_LEN = 14

REACTION_S = 0.5
VIRTUAL_SHARE = 0.7  # of our headway, behind who is let in
ONCOMING_M, CROSSES_S = 40.0, 1.0
STOP_JERK_MPS3 = 10.0  # of the emergency stop
FALLBACK_JERK_MPS3 = 2.0  # of the comfortable stop, which is for need
BRISK_JERK_MPS3 = 8.0  # of one that brakes no harder, but sooner
STOP_NEAR_S, STOP_NEAR_M = 8.0, 5.0  # beyond this way a stop target does not matter yet
STILL_MPS, STILL_M, STILL_MPS2 = 0.1, 1.0, -0.3  # so near to its place, a standing car stays
GAIN_1PS = 0.9
SLOWER_SHARE = 0.8  # of comfortable braking, where nothing but a choice asks for less speed
CLOSE_1PS = 1.5
CLOSE_SHARE = 0.9  # of the jerk limit, for the end of an acceleration
RELEASE_1PS = 1.5
RELEASE_JERK_MPS3 = 4.0  # at most, where braking would else be let go only after it stopped us
FAST_MPS2 = -3.0  # harder braking is built up faster
# behind a leader the brake is moved by this share of what is missing in a second, where that is
# faster; braking that lags behind theirs has to be harder than theirs, and lasts too long
LED_1PS, LED_JERK_MPS3 = 2.0, 4.0
EASE_SHARE = 0.8  # of the jerk limit: what begins in time can be kept to
HARD_EASE_MPS3 = 6.0  # at which a firm stop is let go
HARD_MPS2 = -3.5  # braking beyond this is for safety, not for comfort
HOLD_M = 1.5  # whoever waits before our path stays so far from touching it
HOLD_LEAST_M = 0.05  # places to wait are no finer
AT_STOP_M, STANDS_MPS = 0.5, 0.4  # whoever stands at their stop stays there
SHOWN_MPS2, SHOWN_SHARE = 0.8, 1.3  # braking that shows that somebody waits, and its spare
# to stop with our side in somebody's way, or with our nose where it is in that of who comes
# towards us already, does not save us
STOPPED_MPS, STOPPED_S, COMES_MPS = 1.0, 3.0, 4.0
BESIDE_FRONT_M = 0.5  # our side begins so far behind the bumper
INSIDE_M = 1.0  # so far in, we are an obstacle that nobody drives into if they can stop
ASSERTIVE_BRAKE = 2.0  # what an assertive user spends on not hitting us there
YIELD_BRAKE = 4.5  # a user that would need more than this to yield is expected to go
WILLING_BRAKE = (
    3.5  # what others spend: an assertive user to yield, anybody for who is in their way
)
# whoever goes first and sees us come over our line reacts after so long, and keeps so far from us
SEES_S, SEES_M = 1.2, 1.0
GONE_S, GONE_MPS = 1.0, 1.0  # unless we are gone so long before they come, at our speed or this


@jit
def profile_accel(
    v_ref: FloatArray,
    n: int,
    scale: float,
    mode: int,
    s: float,
    v: float,
    a: float,
    ego: FloatArray,
) -> float:
    """Acceleration wanted by the speed profile, before any leader or stop target.

    `v_ref` already brakes at E_BRAKE and eases off with E_JERK; looking ahead by the time that
    the brake takes to build up makes the onset as smooth.
    """
    if mode == 2:
        return -float(ego[E_MAX_BRAKE])
    if mode == 1 or mode == 3:
        return -scale
    brake = ego[E_BRAKE]
    jerk = ego[E_JERK]
    onset = min(1.5, max(0.15, 0.5 * (a + brake) / jerk))
    wanted = float(ego[E_ACCEL])
    for look in (0.15, onset):
        i = min(n - 2, max(0, int((s + look * v) / EGO_STEP_M)))
        target = scale * v_ref[i]
        slope = target * (scale * v_ref[i + 1] - target) / EGO_STEP_M
        if slope > 0.0 or v < target - 1.0:
            slope = 0.0
        pulls = max(slope, -1.2 * brake) + closing(target - v, jerk)
        if scale < 1.0:  # to go slower than we may is a choice, and made gently
            pulls = max(pulls, -SLOWER_SHARE * brake)
            full = closing(v_ref[i] - v, jerk)
            wanted = min(wanted, max(slope / max(scale, 0.1), -1.2 * brake) + full)
        wanted = min(wanted, pulls)
    return max(wanted, -float(ego[E_MAX_BRAKE]))


@jit
def closing(gap: float, jerk: float) -> float:
    """Acceleration that takes up a gap in speed: firm, then let go so that its end is smooth."""
    if gap <= 0.0:
        return GAIN_1PS * gap
    rate = CLOSE_SHARE * jerk
    if gap <= rate / (CLOSE_1PS * CLOSE_1PS):
        return CLOSE_1PS * gap
    return math.sqrt(2.0 * rate * gap - (rate / CLOSE_1PS) ** 2)


@jit
def slew(a: float, wanted: float, v: float, jerk: float, down: float, dt: float) -> float:
    """Move acceleration towards what is wanted; the harder the need, the faster. Hard braking is
    let go faster too, and so is any near rest: what is held too long ends in a needless stop."""
    if wanted < FAST_MPS2:
        down = down + 3.0 * (FAST_MPS2 - wanted)
    up = jerk
    if a < -2.5:
        up = jerk + RELEASE_1PS * (-2.5 - a)
    if a < 0.0:
        up = max(up, min(RELEASE_JERK_MPS3, a * a / (2.0 * max(v, 0.01))))
    return min(a + up * dt, max(a - down * dt, wanted))


@jit
def eased(wanted: float, v: float, mode: int, jerk: float) -> float:
    """The brake let go towards rest, so that a stop ends without a jerk: hard braking faster,
    which costs 0.2 m, and that of an emergency not at all.
    """
    if mode == 2 or (mode == 0 and wanted < HARD_MPS2):
        return wanted
    if wanted < HARD_MPS2:
        jerk = max(jerk, HARD_EASE_MPS3)
    return max(wanted, -math.sqrt(EASE_SHARE * 2.0 * jerk * max(v, 0.0)) - 0.05)


@jit
def led_slew(a: float, wanted: float, v: float, jerk: float, down: float, dt: float) -> float:
    """`slew` behind a leader: the brake is built up and let go in step with what is missing."""
    built = min(LED_JERK_MPS3, LED_1PS * (a - wanted))
    after = slew(a, wanted, v, jerk, max(down, built), dt)
    if a < 0.0:
        eases = min(LED_JERK_MPS3, LED_1PS * (min(wanted, 0.0) - a))
        after = max(after, min(wanted, a + eases * dt))
    return after


@jit
def next_accel(
    wanted: float,
    room: float,
    v: float,
    a: float,
    mode: int,
    led: bool,
    ego: FloatArray,
    dt: float,
) -> float:
    """Acceleration after `dt`: moved towards what profile and leaders allow (`wanted`), at limited
    jerk, and held by the stop target `room` ahead of the bumper. `led`: a leader allows least."""
    jerk = float(ego[E_LAUNCH] if v < LAUNCH_MPS and a >= 0.0 else ego[E_JERK])
    wanted = eased(max(wanted, -float(ego[E_MAX_BRAKE])), v, mode, float(ego[E_EASE]))
    if mode == 2:
        return slew(a, wanted, v, jerk, STOP_JERK_MPS3, dt)
    if mode == 1:
        return slew(a, wanted, v, jerk, max(jerk, FALLBACK_JERK_MPS3), dt)
    if mode == 3:
        return slew(a, wanted, v, jerk, BRISK_JERK_MPS3, dt)
    down = jerk
    if room < STOP_NEAR_S * v + STOP_NEAR_M:
        free = wanted
        if v < STILL_MPS and room < STILL_M:
            free = min(free, STILL_MPS2)
        wanted = stop_accel(v, a, room, free, float(ego[E_BRAKE]), jerk, dt)
        if wanted < a - jerk * dt and wanted < free:
            down = max(jerk, FIRM_JERK_MPS3)
    wanted = max(wanted, -float(ego[E_MAX_BRAKE]))
    if led:
        return led_slew(a, wanted, v, jerk, down, dt)
    return slew(a, wanted, v, jerk, down, dt)


@jit
def leader_accel(
    lo: float, cosr: float, v_other: float, a_other: float, s: float, v: float, ego: FloatArray
) -> float:
    """What following the box that begins at `lo` allows."""
    gap = lo - (s + ego[E_FRONT])
    along = v_other * cosr
    return acc(v, along, a_other, gap, ego[E_ACCEL], ego[E_BRAKE], ego[E_HEADWAY], ego[E_GAP])


@jit
def stays_ahead(
    pos: float, v_other: float, last: int, lo: float, cosr: float, front: float, v: float
) -> bool:
    """Whether an oncoming user is near and stays in our corridor until well after we meet.

    One that only crosses it is no leader; contacts with it are judged as such.
    """
    gap = lo - front
    if gap > ONCOMING_M:
        return False
    meets_s = gap / max(v - v_other * cosr, 0.1)
    leaves_s = (last + 1.0 - pos) / max(v_other, 0.1)
    return leaves_s > meets_s + CROSSES_S


@jit
def far_edge(hi: FloatArray, first: int, last: int) -> float:
    """Where on our path we are out of somebody's way: who comes towards us slantwise begins there,
    who goes on slantwise with us ends there."""
    return max(float(hi[first]), float(hi[last]))


@jit
def surprise(
    way: float,
    v_other: float,
    half: float,
    meets: int,
    beyond: float,
    k_off: float,
    s: float,
    v: float,
    ego: FloatArray,
) -> float:
    """Braking, m/s2 and positive, that somebody who goes first needs when they see us come over
    our line: as behind one who leads them where both ways run together, else as before one who
    may come to rest in their way. `way`: metres of their middle; `meets`: where ours begins.
    """
    slower = 0.0
    if k_off > -1e8:
        gap = s - ego[E_REAR] + k_off - way - half
        slower = v
    else:
        gap = meets - way
        gone_s = (beyond + ego[E_REAR] - s) / max(v, GONE_MPS)
        if (gone_s + GONE_S) * v_other < gap:
            return 0.0
    if v_other <= slower:
        return 0.0
    room = gap - SEES_M - SEES_S * v_other
    return float((v_other * v_other - slower * slower) / (2.0 * max(room, 0.2)))


@jit
def roll(
    n: int,
    v_ref: FloatArray,
    policy: FloatArray,
    ego: FloatArray,
    s0: float,
    v0: float,
    a0: float,
    active: Int32Array,
    n_active: int,
    samples: Int32Array,
    lo: FloatArray,
    hi: FloatArray,
    cosr: FloatArray,
    first: Int32Array,
    last: Int32Array,
    relation: Int8Array,
    behind: Int8Array,
    k_off: FloatArray,
    entry: FloatArray,
    enters: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
    length: FloatArray,
    limit: FloatArray,
    stop: FloatArray,
    lead: Int32Array,
    lead_gap: FloatArray,
    walker: Int8Array,
    doubt: Int8Array,
    rear_margin: FloatArray,
    front_margin: FloatArray,
    keep_clear: FloatArray,
    hypothesis: int,
    pos: FloatArray,
    vel: FloatArray,
    out: FloatArray,
) -> None:
    """One policy under one hypothesis (0 nominal, 1 others assert themselves). Fills `out`.

    Per path k of another user: tables lo/hi/cosr [K, J] and first/last from `fill_overlap`;
    relation (+1 it yields to us, -1 we yield, 0 equal or none); behind (1: it follows us now);
    k_off: path coordinate of the other = ego s + k_off where both run along each other;
    entry: our line, path metres, beyond which they see that we mean to go before them; enters:
    where on their own path they are in the junction themselves, and go on whatever we do;
    lead (another path, -1) with its bumper gap; walker 1 for pedestrians; doubt 1 for a path that
    its user hardly takes; keep_clear [Z, 3]: begin, end, 1 where others may come who go first.
    """
    scale = policy[1]
    stop_m = policy[2]
    virtual = int(policy[3])
    mode = int(policy[4])
    s = s0
    v = v0
    a = a0
    for r in range(R_LEN):
        out[r] = 0.0
    out[R_COLLISION_S] = math.inf
    out[R_DOUBT_S] = math.inf
    out[R_MARGIN_S] = math.inf
    out[R_GAP_MIN] = math.inf
    out[R_CAUSE] = -1.0
    out[R_CONFLICT] = -1.0
    for q in range(n_active):
        k = active[q]
        pos[k] = 0.0
        vel[k] = speed[k]
    # who is beside us already, nearer than we like: no contact lies ahead until we have parted
    beside = np.zeros(speed.shape[0], np.int8)
    for q in range(n_active):
        k = active[q]
        if first[k] == 0 and lo[k, 0] < s + ego[E_FRONT] and hi[k, 0] > s - ego[E_REAR]:
            beside[k] = 1
    holds = np.full(speed.shape[0], -1.0)  # metres of their middle where they wait for us
    hardest = 0.0
    for t in range(STEPS):
        now = t * DT_S
        front = s + ego[E_FRONT]
        rear = s - ego[E_REAR]
        wanted = profile_accel(v_ref, n, scale, mode, s, v, a, ego)
        cause = -1
        led = False
        # ---- whom do we follow
        if mode == 0:
            for q in range(n_active):
                k = active[q]
                if first[k] < 0:
                    continue
                j = int(pos[k] + 0.5)
                if j >= samples[k]:
                    continue
                b_lo = lo[k, j]
                if b_lo < FREE and hi[k, j] > front and b_lo > rear + 0.5 * (front - rear):
                    c = cosr[k, j]
                    if (
                        c > 0.5
                        or (vel[k] < 0.3 and (doubt[k] == 0 or j > 0))
                        or (c < -0.5 and stays_ahead(pos[k], vel[k], last[k], b_lo, c, front, v))
                    ):
                        limit_a = leader_accel(b_lo, c, vel[k], 0.0, s, v, ego)
                        if doubt[k] == 1 or (c < -0.5 and vel[k] >= 0.3):
                            limit_a = max(limit_a, -ego[E_BRAKE])  # no contact yet: that is judged
                        if limit_a < wanted:
                            wanted = limit_a
                            cause = k
                            led = True
                        if v > 0.5 and c > 0.5:
                            out[R_GAP_MIN] = min(out[R_GAP_MIN], (b_lo - front) / v)
            if virtual >= 0:
                ahead = pos[virtual] - k_off[virtual] - 0.5 * length[virtual]
                if ahead > rear:
                    limit_a = idm_interaction(
                        v,
                        vel[virtual],
                        max(ahead - front, 0.5),
                        ego[E_ACCEL],
                        ego[E_BRAKE],
                        VIRTUAL_SHARE * ego[E_HEADWAY],
                        ego[E_GAP],
                    )
                    limit_a = max(limit_a, -2.0)
                    if limit_a < wanted:
                        wanted = limit_a
                        cause = virtual
                        led = False
        a_new = next_accel(wanted, stop_m - front, v, a, mode, led, ego, DT_S)
        v_new = v + a_new * DT_S
        if v_new <= 0.0:
            v_new = 0.0
            a_new = max(a_new, -v / DT_S)
        step_j = (a_new - a) / DT_S
        s_new = s + 0.5 * (v + v_new) * DT_S
        out[R_ACCEL2] += a_new * a_new
        out[R_JERK2] += step_j * step_j
        out[R_BRAKE] = max(out[R_BRAKE], -a_new)
        if cause >= 0 and wanted < hardest:
            hardest = wanted
            out[R_CAUSE] = float(cause)
        # ---- how the others move
        for q in range(n_active):
            k = active[q]
            v_k = vel[k]
            if walker[k] == 1:
                pos[k] += v_k * DT_S
                continue
            # nobody speeds up towards who is in the junction already
            fast = 1.15 if hypothesis == 1 and s0 + ego[E_FRONT] <= entry[k] else 1.0
            a_k = idm_free(v_k, max(limit[k] * fast, 0.1), 1.6)
            if lead[k] >= 0:
                m = lead[k]
                gap = lead_gap[k] + pos[m] - pos[k]
                a_k = min(a_k, idm_interaction(v_k, vel[m], gap, 1.6, 2.5, 1.0, 1.5))
            if accel[k] < -SHOWN_MPS2 and now < (1.0 if hypothesis == 0 else 0.4):
                a_k = min(a_k, accel[k])  # whoever brakes goes on braking for a while
            if mode > 0 and first[k] == 0 and behind[k] == 0 and cosr[k, 0] > 0.5:
                # a stop has to do even if who leads us goes on braking, or stays where they stand
                a_k = min(a_k, accel[k] if accel[k] < -SHOWN_MPS2 else 0.0)
            if stop[k] < 1e8:
                room = stop[k] - pos[k]
                if room > -1.0:
                    a_k = min(
                        a_k, idm_interaction(v_k, 0.0, max(room, 0.1) + 1.0, 1.6, 2.5, 0.5, 1.0)
                    )
                if room < AT_STOP_M and v_k < STANDS_MPS:
                    a_k = min(a_k, -v_k / DT_S)
            if first[k] >= 0:
                if front <= entry[k] < s_new + ego[E_FRONT] and pos[k] < enters[k]:
                    out[R_ENTERS] = 1.0
                    if relation[k] == -1 and doubt[k] == 0:
                        need = surprise(
                            pos[k],
                            v_k,
                            0.5 * length[k],
                            first[k],
                            far_edge(hi[k], first[k], last[k]),
                            k_off[k],
                            s,
                            v,
                            ego,
                        )
                        out[R_FORCED] = max(out[R_FORCED], need)
                at_ego = s + k_off[k]
                aligned = k_off[k] > -1e8
                if aligned:
                    jj = int(at_ego + 0.5)
                    if 0 <= jj < samples[k] and lo[k, jj] < FREE:
                        gap = at_ego - ego[E_REAR] - (pos[k] + 0.5 * length[k])
                        if at_ego > pos[k] and (
                            behind[k] == 1
                            or (now >= REACTION_S and (hypothesis == 0 or relation[k] >= 0))
                            or gap < 0.0
                        ):
                            a_e = idm_interaction(v_k, v, max(gap, 0.3), 1.6, 2.5, 0.7, 1.0)
                            if behind[k] == 0 and pos[k] < at_ego:
                                need = 0.0
                                if v_k > v and gap > 0.0:
                                    need = (v_k - v) * (v_k - v) / (2.0 * max(gap - 1.0, 0.2))
                                out[R_FORCED] = max(out[R_FORCED], need)
                            a_k = min(a_k, a_e)
                if behind[k] == 0:
                    # one that must yield waits before our path; anybody waits while we are in it
                    ahead_k = first[k] - pos[k]
                    if holds[k] < 0.0:
                        # less is kept where little is left
                        room = max(ahead_k - HOLD_M, 0.5 * ahead_k)
                    else:  # whoever has begun to wait keeps to their place
                        room = max(holds[k] - pos[k], HOLD_LEAST_M)
                    edge = lo[k, first[k]]
                    beyond = far_edge(hi[k], first[k], last[k])
                    yields = relation[k] == 1 and edge - front < max(v, 2.0) * 5.0
                    inside = edge + INSIDE_M < front and k_off[k] < -1e8
                    if yields:
                        spends = YIELD_BRAKE if hypothesis == 0 else WILLING_BRAKE
                    else:
                        spends = WILLING_BRAKE if hypothesis == 0 else ASSERTIVE_BRAKE
                    if hypothesis == 0 and accel[k] < -SHOWN_MPS2:
                        spends = max(spends, -SHOWN_SHARE * accel[k])
                    waits = ahead_k > 0.0 and rear < beyond and (yields or inside)
                    if waits and v_k * v_k <= 2.0 * spends * room:
                        if holds[k] < 0.0:
                            holds[k] = pos[k] + room
                        a_k = min(
                            a_k,
                            idm_interaction(v_k, 0.0, room + 1.0, 1.6, 2.5, 0.3, 1.0),
                            -v_k * v_k / (2.0 * room),
                        )
            a_k = max(a_k, -7.0)
            v_next = max(0.0, v_k + a_k * DT_S)
            pos[k] += 0.5 * (v_k + v_next) * DT_S
            vel[k] = v_next
        s = s_new
        v = v_new
        a = a_new
        front = s + ego[E_FRONT]
        rear = s - ego[E_REAR]
        now += DT_S
        # ---- contacts and time margins
        moves = v > 0.1 or t == 0
        stopped = v0 > STOPPED_MPS and now < STOPPED_S  # by this policy, maybe in somebody's way
        clear = 1  # of where ways cross
        if not moves:
            for z in range(keep_clear.shape[0]):
                if keep_clear[z, 0] < front and keep_clear[z, 1] > rear:
                    clear = 0
        if moves or v0 > STOPPED_MPS:
            for q in range(n_active):
                k = active[q]
                if first[k] < 0 or behind[k] == 1:
                    continue
                if not moves:
                    meets = first[k]
                    comes = speed[k] > COMES_MPS and cosr[k, meets] < -0.7
                    nose = comes and lo[k, meets] < s0 + ego[E_FRONT]
                    side = stopped and walker[k] == 0 and hi[k, meets] <= front - BESIDE_FRONT_M
                    # who asserts themselves does so towards who comes to rest in their way, too,
                    # if they need not yield there; and who has only set off by then as well
                    asserts = hypothesis == 1 and walker[k] == 0
                    asserts = asserts and max(speed[k], vel[k]) > COMES_MPS
                    crosses = relation[k] == 0 and k_off[k] < -1e8 and clear == 0
                    if not (nose or side or (asserts and (relation[k] == -1 or crosses))):
                        continue
                j = int(pos[k] + 0.5)
                if j >= samples[k]:
                    continue
                if j > last[k] + 1:
                    continue
                b_lo = lo[k, j]
                b_hi = hi[k, j]
                if beside[k] == 1:
                    if b_lo < front and b_hi > rear:
                        continue
                    beside[k] = 0
                if b_lo < FREE:
                    if b_lo < front and b_hi > rear:
                        if doubt[k] == 1:
                            out[R_DOUBT_S] = min(out[R_DOUBT_S], now)
                        elif out[R_COLLISION_S] > now:
                            out[R_COLLISION_S] = now
                            out[R_CONFLICT] = float(k)
                    elif b_lo >= front and cosr[k, j] < 0.5 and v > 1.0:
                        wide = front_margin[k]
                        if b_lo < front + v * wide and out[R_MARGIN_S] > now:
                            out[R_MARGIN_S] = now
                            if out[R_CONFLICT] < 0.0:
                                out[R_CONFLICT] = float(k)
                if relation[k] != 1 and v > 0.3:
                    ahead = pos[k] + vel[k] * rear_margin[k]
                    j2 = min(int(ahead + 0.5), samples[k] - 1)
                    jm = min(int(0.5 * (pos[k] + ahead) + 0.5), samples[k] - 1)
                    for jx in (jm, j2):
                        c_lo = lo[k, jx]
                        if c_lo < FREE and c_lo < front and hi[k, jx] > rear:
                            if b_lo < FREE and b_lo > front:
                                continue  # it is ahead of us: a leader, judged by its gap
                            if out[R_MARGIN_S] > now:
                                out[R_MARGIN_S] = now
                                if out[R_CONFLICT] < 0.0:
                                    out[R_CONFLICT] = float(k)
    out[R_PROGRESS] = s - s0
    out[R_ACCEL2] /= STEPS
    out[R_JERK2] /= STEPS
    out[R_END_SPEED] = v
    if v < 0.5:
        # a place to wait at may lie where nobody should come to rest unawares, but not in the way
        # of those who go first
        chosen = stop_m <= s + ego[E_FRONT] + AT_STOP_M
        for z in range(keep_clear.shape[0]):
            inside = keep_clear[z, 0] < s + ego[E_FRONT] and keep_clear[z, 1] > s - ego[E_REAR]
            if chosen:
                counts = keep_clear[z, 2] > 0.0
            else:
                counts = mode > 0 or s0 + ego[E_FRONT] < keep_clear[z, 0]
            if inside and counts:
                out[R_BOX] = 1.0


@jit
def trace(
    n: int,
    v_ref: FloatArray,
    policy: FloatArray,
    ego: FloatArray,
    s0: float,
    v0: float,
    a0: float,
    active: Int32Array,
    n_active: int,
    samples: Int32Array,
    lo: FloatArray,
    hi: FloatArray,
    cosr: FloatArray,
    first: Int32Array,
    last: Int32Array,
    k_off: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
    length: FloatArray,
    doubt: Int8Array,
    out_s: FloatArray,
    out_v: FloatArray,
    out_a: FloatArray,
    dt: float,
) -> None:
    """The winner's own motion at a fine step: the same speed law against others that keep their
    present acceleration for a second and their speed after it. Fills out_* [T]; sample 0 is now."""
    scale = policy[1]
    stop_m = policy[2]
    virtual = int(policy[3])
    mode = int(policy[4])
    s = s0
    v = v0
    a = a0
    steps = out_s.shape[0]
    out_s[0] = s
    out_v[0] = v
    out_a[0] = a
    pos = np.zeros(speed.shape[0])
    vel = speed.copy()
    for t in range(1, steps):
        front = s + ego[E_FRONT]
        rear = s - ego[E_REAR]
        wanted = profile_accel(v_ref, n, scale, mode, s, v, a, ego)
        led = False
        if mode == 0:
            for q in range(n_active):
                k = active[q]
                if first[k] < 0:
                    continue
                j = int(pos[k] + 0.5)
                if j >= samples[k]:
                    continue
                b_lo = lo[k, j]
                if b_lo < FREE and hi[k, j] > front and b_lo > rear + 0.5 * (front - rear):
                    # the tables stand on whole metres: the box has moved on by the remainder
                    c = cosr[k, j]
                    b_lo += (pos[k] - j) * c
                    if (
                        c > 0.5
                        or vel[k] < 0.3
                        or (c < -0.5 and stays_ahead(pos[k], vel[k], last[k], b_lo, c, front, v))
                    ):
                        a_l = accel[k] if t * dt < 1.0 else 0.0
                        limit_a = leader_accel(b_lo, c, vel[k], a_l, s, v, ego)
                        if doubt[k] == 1 or (c < -0.5 and vel[k] >= 0.3):
                            limit_a = max(limit_a, -ego[E_BRAKE])
                        if limit_a < wanted:
                            wanted = limit_a
                            led = True
            if virtual >= 0:
                ahead = pos[virtual] - k_off[virtual] - 0.5 * length[virtual]
                if ahead > rear:
                    limit_a = idm_interaction(
                        v,
                        vel[virtual],
                        max(ahead - front, 0.5),
                        ego[E_ACCEL],
                        ego[E_BRAKE],
                        VIRTUAL_SHARE * ego[E_HEADWAY],
                        ego[E_GAP],
                    )
                    limit_a = max(limit_a, -2.0)
                    if limit_a < wanted:
                        wanted = limit_a
                        led = False
        a = next_accel(wanted, stop_m - front, v, a, mode, led, ego, dt)
        v_new = v + a * dt
        if v_new <= 0.0:
            v_new = 0.0
            a = max(a, -v / dt)
        s += 0.5 * (v + v_new) * dt
        v = v_new
        out_s[t] = s
        out_v[t] = v
        out_a[t] = a
        for q in range(n_active):
            k = active[q]
            a_k = accel[k] if t * dt < 1.0 else 0.0
            v_next = max(0.0, vel[k] + a_k * dt)
            pos[k] += 0.5 * (vel[k] + v_next) * dt
            vel[k] = v_next


@jit
def roll_all(
    n: Int32Array,
    v_ref: FloatArray,
    policies: FloatArray,
    ego: FloatArray,
    s0: FloatArray,
    v0: float,
    a0: float,
    active: Int32Array,
    n_active: Int32Array,
    samples: Int32Array,
    lo: FloatArray,
    hi: FloatArray,
    cosr: FloatArray,
    first: Int32Array,
    last: Int32Array,
    relation: Int8Array,
    behind: Int8Array,
    k_off: FloatArray,
    entry: FloatArray,
    enters: FloatArray,
    speed: FloatArray,
    accel: FloatArray,
    length: FloatArray,
    limit: FloatArray,
    stop: FloatArray,
    lead: Int32Array,
    lead_gap: FloatArray,
    walker: Int8Array,
    doubt: Int8Array,
    rear_margin: FloatArray,
    front_margin: FloatArray,
    keep_clear: FloatArray,
    out: FloatArray,
) -> None:
    """Every policy [P] under both hypotheses; arrays that depend on the path carry it first.

    out [P, 2, R_LEN].
    """
    k_count = speed.shape[0]
    pos = np.zeros(k_count)
    vel = np.zeros(k_count)
    for p in range(policies.shape[0]):
        path = int(policies[p, 0])
        for h in range(2):
            roll(
                n[path],
                v_ref[path],
                policies[p],
                ego,
                s0[path],
                v0,
                a0,
                active[path],
                n_active[path],
                samples,
                lo[path],
                hi[path],
                cosr[path],
                first[path],
                last[path],
                relation[path],
                behind[path],
                k_off[path],
                entry[path],
                enters[path],
                speed,
                accel,
                length,
                limit,
                stop,
                lead,
                lead_gap,
                walker,
                doubt,
                rear_margin,
                front_margin,
                keep_clear[path],
                h,
                pos,
                vel,
                out[p, h],
            )
