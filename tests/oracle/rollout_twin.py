"""Slow twin of `kernels.rollout.roll`: one policy, objects instead of arrays, one rule at a time.

Following, stopping and the profile come from `oracle.following_twin`; nothing here is compiled.
"""

import math
from dataclasses import dataclass

from marque.kernels.following import stop_distance
from oracle.following_twin import acc, firm, idm_interaction, stops

DT, STEPS = 0.2, 40
MIDDLE = 0.5  # metres of a path belong to the nearest sample


@dataclass
class Ego:
    front: float
    rear: float
    accel: float
    brake: float
    jerk: float
    headway: float
    gap: float
    max_brake: float
    launch: float
    ease: float


@dataclass
class Other:
    """A path of another user; box[j] = (lo, hi, cos) or None where the corridor is free."""

    box: list
    relation: int
    behind: bool
    k_off: float | None  # None: never along each other
    speed: float
    length: float
    limit: float
    stop: float
    lead: int
    lead_gap: float
    walker: bool
    rear_margin: float
    front_margin: float
    way: float = 0.0
    v: float = 0.0
    accel: float = 0.0  # as seen now
    doubt: bool = False  # it hardly goes this way
    beside: bool = False  # nearer than we like since the beginning
    entry: float = math.inf  # our line, beyond which it sees us come
    enters: float = math.inf  # where it is in the junction itself
    holds: float | None = None  # where it waits for us, once it has begun to

    def sample(self, way):
        return int(way + MIDDLE)

    def blocking(self):
        return [j for j, b in enumerate(self.box) if b is not None]


def profile(v_ref, ego, scale, mode, s, v, a):
    """What the speed profile asks for."""
    if mode == 2:
        return -ego.max_brake
    if mode in (1, 3):
        return -scale
    wanted = ego.accel
    onset = min(1.5, max(0.15, 0.5 * (a + ego.brake) / ego.jerk))
    for look in (0.15, onset):
        i = min(len(v_ref) - 2, max(0, int((s + look * v) / 0.5)))
        target = scale * v_ref[i]
        slope = min(0.0, target * (scale * v_ref[i + 1] - target) / 0.5)
        if v < target - 1.0:
            slope = 0.0
        pulls = max(slope, -1.2 * ego.brake) + closing(target - v, ego.jerk)
        if scale < 1.0:
            pulls = max(pulls, -0.8 * ego.brake)
            limit = max(slope / max(scale, 0.1), -1.2 * ego.brake)
            wanted = min(wanted, limit + closing(v_ref[i] - v, ego.jerk))
        wanted = min(wanted, pulls)
    return max(wanted, -ego.max_brake)


def closing(gap, jerk):
    """Linear near the target, then as the square root: its end keeps nine tenths of the jerk."""
    rate = 0.9 * jerk
    if gap <= 0.0:
        return 0.9 * gap
    if gap <= rate / 1.5**2:
        return 1.5 * gap
    return math.sqrt(2.0 * rate * gap - (rate / 1.5) ** 2)


def slewed(a, wanted, v, jerk, down):
    down += 3.0 * max(0.0, -3.0 - wanted)
    up = jerk + 1.5 * max(0.0, -2.5 - a)
    if a < 0.0:
        up = max(up, min(4.0, a * a / (2.0 * max(v, 0.01))))
    return min(a + up * DT, max(a - down * DT, wanted))


def led(a, wanted, v, jerk, down):
    """Behind a leader: at least twice what is missing, a second, up to 4 m/s3, while we brake."""
    moved = slewed(a, wanted, v, jerk, max(down, min(4.0, 2.0 * (a - wanted))))
    eased = a + min(4.0, 2.0 * (min(wanted, 0.0) - a)) * DT
    return max(moved, min(wanted, eased)) if a < 0.0 else moved


def held(v, a, room, free, brake, jerk):
    """`stop_accel` by the same seven halvings, so that both take the same step."""
    low = a - jerk * DT
    high = max(low, min(free, a + jerk * DT))
    if stops(v, high, room, brake, jerk, DT, stop_distance):
        return free
    if not stops(v, low, room, brake, jerk, DT, stop_distance):
        return firm(v, room, free, low)
    for _ in range(7):
        middle = 0.5 * (low + high)
        fits = stops(v, middle, room, brake, jerk, DT, stop_distance)
        low, high = (middle, high) if fits else (low, middle)
    return low


def next_accel(wanted, room, v, a, mode, follows, ego):
    """One step of acceleration under profile, leaders and stop target."""
    jerk = ego.launch if v < 4.0 and a >= 0.0 else ego.jerk
    wanted = max(wanted, -ego.max_brake)
    if mode in (1, 3) or (mode == 0 and wanted >= -3.5):
        lets_go = ego.ease if wanted >= -3.5 else max(ego.ease, 6.0)
        wanted = max(wanted, -math.sqrt(1.6 * lets_go * max(v, 0.0)) - 0.05)
    if mode == 2:
        return slewed(a, wanted, v, jerk, 10.0)
    if mode == 1:
        return slewed(a, wanted, v, jerk, max(jerk, 2.0))
    if mode == 3:
        return slewed(a, wanted, v, jerk, 8.0)
    down = jerk
    if room < 8.0 * v + 5.0:
        free = min(wanted, -0.3) if v < 0.1 and room < 1.0 else wanted
        wanted = held(v, a, room, free, ego.brake, jerk)
        if wanted < a - jerk * DT and wanted < free:
            down = max(jerk, 4.0)
    move = led if follows else slewed
    return move(a, max(wanted, -ego.max_brake), v, jerk, down)


def followed(others, ego, s, v):
    """[(allowed acceleration, index, time headway or None)] of all we drive behind now."""
    front, rear = s + ego.front, s - ego.rear
    out = []
    for k, o in enumerate(others):
        j = o.sample(o.way)
        if j >= len(o.box) or o.box[j] is None:
            continue
        lo, hi, c = o.box[j]
        if hi <= front or lo <= 0.5 * (front + rear):
            continue
        meets = (lo - front) / max(v - o.v * c, 0.1)
        leaves = (o.blocking()[-1] + 1.0 - o.way) / max(o.v, 0.1)
        stays = lo - front <= 40.0 and leaves > meets + 1.0
        stands = o.v < 0.3 and (not o.doubt or j > 0)
        if c > 0.5 or stands or (c < -0.5 and stays):
            allowed = acc(v, o.v * c, 0.0, lo - front, ego.accel, ego.brake, ego.headway, ego.gap)
            if o.doubt or (c < -0.5 and o.v >= 0.3):
                allowed = max(allowed, -ego.brake)
            out.append((allowed, k, (lo - front) / v if v > 0.5 and c > 0.5 else None))
    return out


def surprised(o, ego, s, v):
    """Braking of one with priority who sees us come over our line."""
    if o.k_off is not None:
        gap, lead_v = s - ego.rear + o.k_off - (o.way + 0.5 * o.length), v
    else:
        hits = o.blocking()
        gap, lead_v = hits[0] - o.way, 0.0
        left = max(o.box[hits[0]][1], o.box[hits[-1]][1]) - (s - ego.rear)
        if o.v * (1.0 + left / max(v, 1.0)) < gap:
            return 0.0
    if lead_v >= o.v:
        return 0.0
    return (o.v**2 - lead_v**2) / 2.0 / max(0.2, gap - 1.0 - 1.2 * o.v)


def sees_us_enter(o, ego, s, s_new, v, result):
    """We come over the line, and it has not entered yet."""
    comes = s + ego.front <= o.entry < s_new + ego.front
    if not comes or o.way >= o.enters:
        return
    result["enters"] = 1.0
    if o.relation == -1 and not o.doubt:
        result["forced"] = max(result["forced"], surprised(o, ego, s, v))


def other_accel(others, o, ego, s, v, now, hypothesis, result, front0, stops):
    """What another does: free road, its own leader, its own stop, us ahead of it, our path."""
    fast = 1.15 if hypothesis == 1 and front0 <= o.entry else 1.0
    free = max(o.limit * fast, 0.1)
    a = 1.6 * (1.0 - (o.v / free) ** 4) if o.v <= free else max(-1.5, 0.8 * (free - o.v))
    if o.lead >= 0:
        leader = others[o.lead]
        gap = o.lead_gap + leader.way - o.way
        a = min(a, idm_interaction(o.v, leader.v, gap, 1.6, 2.5, 1.0, 1.5))
    shows = -o.accel if o.accel < -0.8 else 0.0
    if shows and now < (1.0 if hypothesis == 0 else 0.4):
        a = min(a, -shows)
    if stops and not o.behind and o.box[0] is not None and o.box[0][2] > 0.5:
        a = min(a, -shows)  # it leads us, and our stop has to do even if it brakes on
    if math.isfinite(o.stop) and o.stop - o.way > -1.0:
        room = max(o.stop - o.way, 0.1) + 1.0
        a = min(a, idm_interaction(o.v, 0.0, room, 1.6, 2.5, 0.5, 1.0))
    if math.isfinite(o.stop) and o.stop - o.way < 0.5 and o.v < 0.4:
        a = min(a, -o.v / DT)
    hits = o.blocking()
    if not hits:
        return max(a, -7.0)
    if o.k_off is not None:
        ours = s + o.k_off
        at = o.sample(ours) if ours + MIDDLE >= 0.0 else -1
        if 0 <= at < len(o.box) and o.box[at] is not None and ours > o.way:
            gap = ours - ego.rear - (o.way + 0.5 * o.length)
            reacts = now >= 0.5 and (hypothesis == 0 or o.relation >= 0)
            if o.behind or reacts or gap < 0.0:
                if not o.behind:
                    need = 0.0
                    if o.v > v and gap > 0.0:
                        need = (o.v - v) ** 2 / (2.0 * max(gap - 1.0, 0.2))
                    result["forced"] = max(result["forced"], need)
                a = min(a, idm_interaction(o.v, v, max(gap, 0.3), 1.6, 2.5, 0.7, 1.0))
    if not o.behind:
        front, rear = s + ego.front, s - ego.rear
        if o.holds is None:
            room = max(hits[0] - o.way - 1.5, 0.5 * (hits[0] - o.way))
        else:
            room = max(o.holds - o.way, 0.05)
        edge, beyond = o.box[hits[0]][0], max(o.box[hits[0]][1], o.box[hits[-1]][1])
        yields = o.relation == 1 and edge - front < max(v, 2.0) * 5.0
        inside = edge + 1.0 < front and o.k_off is None
        patient, hurried = (4.5, 3.5) if yields else (3.5, 2.0)
        spends = patient if hypothesis == 0 else hurried
        if hypothesis == 0:
            spends = max(spends, 1.3 * shows)
        waits = hits[0] > o.way and rear < beyond and (yields or inside)
        if waits and o.v**2 <= 2.0 * spends * room:
            o.holds = o.way + room if o.holds is None else o.holds
            a = min(a, idm_interaction(o.v, 0.0, room + 1.0, 1.6, 2.5, 0.3, 1.0))
            a = min(a, -(o.v**2) / (2.0 * room))
    return max(a, -7.0)


def contacts(others, ego, s, v, now, result, moves, stopped, start, hypothesis, zones):
    """First contact and first violated time margin; while we stand, with our side alone, with
    who comes towards us where our nose is in their way from the `start`, and who asserts themselves
    though they see us stop there: who goes first, or where ways cross, nobody."""
    front, rear = s + ego.front, s - ego.rear
    inside = any(begin < front and end > rear for begin, end, _ in zones)
    for k, o in enumerate(others):
        hits = o.blocking()
        if not hits or o.behind:
            continue
        if not moves:
            comes = o.speed > 4.0 and o.box[hits[0]][2] < -0.7 and o.box[hits[0]][0] < start
            side = stopped and not o.walker and o.box[hits[0]][1] <= front - 0.5
            asserts = hypothesis == 1 and not o.walker and max(o.speed, o.v) > 4.0
            crosses = o.relation == 0 and o.k_off is None and inside
            if not (comes or side or (asserts and (o.relation == -1 or crosses))):
                continue
        j = o.sample(o.way)
        if j >= len(o.box) or j > hits[-1] + 1:
            continue
        here = o.box[j]
        overlaps = here is not None and here[0] < front and here[1] > rear
        o.beside = o.beside and overlaps
        if o.beside:
            continue
        touches = here is not None and here[0] < front and here[1] > rear
        if touches and o.doubt:
            result["doubt"] = min(result["doubt"], now)
        elif touches and result["collision"] > now:
            result["collision"], result["conflict"] = now, k
        near = here is not None and front <= here[0] < front + v * o.front_margin
        if near and here[2] < 0.5 and v > 1.0:
            _margin(result, now, k)
        if o.relation == 1 or v <= 0.3 or (here is not None and here[0] > front):
            continue
        reach = o.way + o.v * o.rear_margin
        for there in (0.5 * (o.way + reach), reach):
            box = o.box[min(o.sample(there), len(o.box) - 1)]
            if box is not None and box[0] < front and box[1] > rear:
                _margin(result, now, k)


def _margin(result, now, k):
    if result["margin"] > now:
        result["margin"] = now
        if result["conflict"] < 0:
            result["conflict"] = k


def roll(v_ref, scale, stop_m, virtual, mode, ego, s0, v0, a0, others, zones, hypothesis):
    """The numbers of one rollout, by name."""
    r = dict.fromkeys(("collision", "margin", "gap_min", "doubt"), math.inf)
    r.update(dict.fromkeys(("forced", "accel2", "jerk2", "brake", "box", "enters"), 0.0))
    r.update(cause=-1, conflict=-1)
    s, v, a, hardest = s0, v0, a0, 0.0
    for o in others:
        o.way, o.v, o.holds = 0.0, o.speed, None
        box = o.box[0]
        o.beside = box is not None and box[0] < s0 + ego.front and box[1] > s0 - ego.rear
    for t in range(STEPS):
        wanted, cause, follows = profile(v_ref, ego, scale, mode, s, v, a), -1, False
        if mode == 0:
            for allowed, k, headway in followed(others, ego, s, v):
                if allowed < wanted:
                    wanted, cause, follows = allowed, k, True
                if headway is not None:
                    r["gap_min"] = min(r["gap_min"], headway)
            if virtual >= 0:
                o = others[virtual]
                ahead = o.way - (o.k_off if o.k_off is not None else -1e9) - 0.5 * o.length
                if ahead > s - ego.rear:
                    gap = max(ahead - s - ego.front, 0.5)
                    allowed = idm_interaction(
                        v, o.v, gap, ego.accel, ego.brake, 0.7 * ego.headway, ego.gap
                    )
                    if max(allowed, -2.0) < wanted:
                        wanted, cause, follows = max(allowed, -2.0), virtual, False
        before, s_before, v_before = a, s, v
        a = next_accel(wanted, stop_m - (s + ego.front), v, a, mode, follows, ego)
        v = v_before + a * DT
        if v <= 0.0:
            v, a = 0.0, max(a, -v_before / DT)
        s = s_before + 0.5 * (v_before + v) * DT
        r["accel2"] += a * a / STEPS
        r["jerk2"] += ((a - before) / DT) ** 2 / STEPS
        r["brake"] = max(r["brake"], -a)
        if cause >= 0 and wanted < hardest:
            hardest, r["cause"] = wanted, cause
        for o in others:  # in turn: each sees those before it where they have got to
            if o.walker:
                o.way += o.v * DT
                continue
            if o.blocking():
                sees_us_enter(o, ego, s_before, s, v_before, r)
            a_o = other_accel(
                others, o, ego, s_before, v_before, t * DT, hypothesis, r, s0 + ego.front, mode > 0
            )
            v_o = max(0.0, o.v + a_o * DT)
            o.way, o.v = o.way + 0.5 * (o.v + v_o) * DT, v_o
        moves = v > 0.1 or t == 0
        if moves or v0 > 1.0:
            early = t * DT + DT < 3.0
            nose = s0 + ego.front
            contacts(others, ego, s, v, t * DT + DT, r, moves, early, nose, hypothesis, zones)
    r["progress"], r["end_speed"] = s - s0, v
    chosen = stop_m <= s + ego.front + 0.5
    for begin, end, others_first in zones if v < 0.5 else []:
        standing_in = begin < s + ego.front and end > s - ego.rear
        unawares = not chosen and (mode > 0 or s0 + ego.front < begin)
        if standing_in and (unawares or (chosen and others_first)):
            r["box"] = 1.0
    return r
