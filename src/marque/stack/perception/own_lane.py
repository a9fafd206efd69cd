"""The own lane from its painted marks alone, where no map is at hand.

`watch_lane(memory, reading, tracks) -> memory`, each 100 ms; the result is `memory.lane`, and what
it calls for `memory.health`. A Kalman filter over offset, slope, bend, twist and width of the lane
under us, carried along by our own motion; each scan of marks corrects it (`_corrected`). Laws:

1. A mark counts for the line of our lane that the belief puts nearest, if it is near enough and
   runs that way. So the lane goes on where it was going: at a fork, the branch that does not turn.
2. A lane is found once `FOUND_SCANS` scans in a row agree about it; it is never exchanged for
   another.
3. Unseen for `COAST_NS` it is a guess (COASTING): slower. After `ASK_NS` somebody is asked to take
   over. After `LOST_NS`, or where the middle may be off by more than `LOST_M`, it is UNKNOWN: stop.
4. Where a line is seen to end ahead and the other goes on for `END_MARKS`, the lane is taken to
   end: somebody is asked to take over, and we stop before it as far as that can be done.
5. Signals, stop lines, low limits, people on foot, bicycles and traffic across or against us say
   that this is no motorway: somebody is asked to take over.

One line is enough to keep to; both are needed to know the width, which is remembered.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import wrap_angles
from marque.core.time import NS_PER_S, seconds
from marque.kernels.strip import Strip, beside, strip
from marque.stack.perception.health import HealthMemory, begin_health, judged
from marque.stack.perception.watch_lists import Note
from marque.types.codes import Furniture, Integrity, Reaction, UserKind
from marque.types.own_lane import BEND, OFFSET, SLOPE, TWIST, WIDTH, LimitSign, Mark, OwnLane
from marque.types.platform import Platform
from marque.types.reading import EgoReading, LaneMarks, Reading, Sightings
from marque.types.scene import Tracks

N = 5
NEVER = Mark()
BEHIND_M, FAR_M, STEP_M = -10.0, 120.0, 1.0  # where marks are looked for
AHEAD_NS, STALE_NS = 5_000_000, 400_000_000  # a scan from the future, or too old, says nothing
# what we think of marks: of one across its line, per metre of range, of a whole scan turned; who is
# farther off counts less
SIGMA_M, GROWTH, TURN_RAD, HUBER_M = 0.08, 0.004, 0.004, 0.25
# how far a road is off any such curve, how that grows (with the square of the way), and over what
# length it stays: scans from nearly the same place tell nothing new of it
SHAPE_M, SHAPE_1PM, ALIKE_M, AGAIN_MOST = 0.04, 1e-4, 15.0, 20.0
NEAR_M, SURE = 0.25, 4.0  # a mark so far from its line, or so many sigmas, belongs to another
NEAR_MOST_M, TURNED = 1.2, math.sin(math.radians(12.0))
LEAST = 4  # marks of a scan that say anything
LOOKS_M = (20.0, 40.0, FAR_M)
# where marks show it no farther than this, the lane may bend more sharply than was thought
SHORT_M, SHARP_LOOKS_M = 40.0, (10.0, 14.0, 18.0, 23.0, 28.0, 34.0, 42.0)
SHARPER = np.array([0.05, 0.02, 0.02, 5e-4, 0.0])
# how the road and our odometry surprise: standard deviation after one metre
WALK = np.array([0.005, 3e-4, 1.5e-5, 2e-6, 0.003])
TWIST_M = 200.0  # over which a change of bend is forgotten
START = np.array([0.5, 0.05, 2e-3, 2e-5, 0.4])  # spread before the first scan
WIDTHS_M = (2.6, 4.6)
SIDE_M, FIRST_M = (0.7, 3.4), 25.0  # where the lines of a new lane are looked for
FOUND_SCANS = 5
AGAIN_NS, AGAIN_SHARE, AGAIN_RAD = NS_PER_S // 4, 0.35, 0.15
COAST_NS, ASK_NS, LOST_NS = NS_PER_S // 2, 3 * NS_PER_S // 2, 4 * NS_PER_S
LOST_M, LOST_AHEAD_S = 0.7, 1.0
TRUSTED_M = 0.6  # beyond where the middle may be off by so much, marks do not show the lane
GAP_M = 30.0  # in a line, as where roads join
# a line ends where so many marks of the other are seen beyond, in so many scans in a row
END_SEEN_M, END_APART_M, END_MARKS, END_SCANS = 10.0, 2.0, 5, 3
ONE_SIDE_NS = 10 * NS_PER_S
SIGN_SCANS, SIGN_SAME_M = 2, 10.0
SLOW_LIMIT_MPS = 16.0  # no motorway has a lower limit than 60 km/h for all of its lanes
STRANGE_AHEAD_M, BESIDE_M, WIDE_M = 100.0, 8.0, 15.0
MOVES_MPS = 3.0
ACROSS, AGAINST = 0.7, -0.7  # sine and cosine of headings
WORDS = {
    Furniture.SIGNAL: "has signals",
    Furniture.STOP_LINE: "has stop lines",
}
ON_FOOT, BICYCLES = "has people on foot", "has bicycles"
CROSSES, ONCOMING = "has traffic across it", "has oncoming traffic"
SLOW, NOBODY = "has a town's speed limit", -1
SURE_FRAMES, FORGETS_NS = 10, 60 * NS_PER_S
# (frames, in how many different ones): in queues a ghost may drive against us for a second
SURE_OF = {ON_FOOT: (20, 1), BICYCLES: (20, 1), CROSSES: (6, 3), ONCOMING: (6, 3)}


@dataclass(frozen=True, slots=True)
class _Sign:
    s_m: float
    limit_mps: float
    scans: int


@dataclass(frozen=True, slots=True)
class _Met:
    """What is no motorway's, in whom it was seen, for how many frames, and when last."""

    what: str
    uid: int
    frames: int
    seen_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class LaneMemory:
    """What is remembered of the own lane."""

    judging: HealthMemory
    lane: OwnLane | None = None
    state: FloatArray = field(default_factory=lambda: np.zeros(N))
    cov: FloatArray = field(default_factory=lambda: np.diag(START**2))
    t_ns: int = -1
    moved: tuple[float, float] = (0.0, 0.0)  # speed and yaw rate at `t_ns`
    scan_ns: int = -1  # stamp of the newest scan
    scans: int = 0  # that agree, in a row, until the lane is found
    seen_ns: int = -1  # when a scan last corrected the belief
    way_m: float = 0.0  # driven since then
    reach_m: float = 0.0  # how far ahead marks have shown it
    left: Mark = NEVER
    right: Mark = NEVER
    ends: tuple[float, int] = (math.inf, 0)  # where a line ends, and how many scans say so
    sighted_ns: int = -1
    signs: tuple[_Sign, ...] = ()
    limit_mps: float = math.inf
    strange: tuple[_Met, ...] = ()  # what is no motorway's


def begin_lane(platform: Platform) -> LaneMemory:
    """Before the first scan."""
    return LaneMemory(begin_health(platform, (), None))


def watch_lane(memory: LaneMemory, reading: Reading, tracks: Tracks) -> LaneMemory:
    """One look."""
    ego = reading.ego
    memory = _carried(memory, ego, reading.t_ns)
    marks = reading.marks
    if marks is not None and _fresh(memory, marks, reading.t_ns):
        memory = _looked(memory, _now(marks, ego, reading.t_ns), reading.t_ns)
        memory = replace(memory, scan_ns=marks.t_ns)
    found = memory.scans >= FOUND_SCANS
    line = _line(memory.state)
    if found:
        memory = _signs(memory, reading.sightings, line, ego, reading.t_ns)
    memory = replace(memory, strange=_strange(memory, reading, tracks, line) if found else ())
    memory = replace(memory, lane=_believed(memory, reading.t_ns, ego.speed_mps))
    notes = _notes(memory, reading.t_ns)
    moves = ego.speed_mps > 0.5
    return replace(memory, judging=judged(memory.judging, notes, reading.t_ns, moves))


# Our own motion --------------------------------------------------------------------------------


def _carried(memory: LaneMemory, ego: EgoReading, t_ns: int) -> LaneMemory:
    """The belief as it looks from where we are now."""
    motion = (ego.speed_mps, ego.yaw_rate_radps)
    if not (math.isfinite(motion[0]) and math.isfinite(motion[1])):
        motion = memory.moved
    dt = seconds(t_ns - memory.t_ns)
    if memory.t_ns < 0 or not 0.0 < dt < 1.0:  # the first look, or the clock has jumped
        begun = memory if memory.t_ns < 0 else replace(memory, scans=0, seen_ns=-1, scan_ns=-1)
        return replace(begun, t_ns=t_ns, moved=motion)
    way = 0.5 * (memory.moved[0] + motion[0]) * dt
    turn = 0.5 * (memory.moved[1] + motion[1]) * dt
    y, psi, c, twist, _ = memory.state.tolist()
    psi_mid = psi + 0.5 * (c * way - turn)
    along = way * math.cos(psi_mid) / max(0.5, 1.0 + y * c)
    state = memory.state.copy()
    state[OFFSET] = y + way * math.sin(psi_mid)
    state[SLOPE] = psi + c * along + 0.5 * twist * along * along - turn
    state[BEND] = c + twist * along
    fades = math.exp(-along / TWIST_M)
    state[TWIST] = twist * fades
    f = np.eye(N)
    f[OFFSET, SLOPE], f[OFFSET, BEND] = way, 0.5 * way * way
    f[SLOPE, BEND], f[SLOPE, TWIST] = along, 0.5 * along * along
    f[BEND, TWIST], f[TWIST, TWIST] = along, fades
    cov = f @ memory.cov @ f.T + np.diag(WALK**2) * max(0.0, way)
    signs = tuple(replace(one, s_m=one.s_m - along) for one in memory.signs)
    return replace(
        memory,
        state=state,
        cov=cov,
        t_ns=t_ns,
        moved=motion,
        way_m=memory.way_m + way,
        reach_m=max(0.0, memory.reach_m - along),
        ends=(memory.ends[0] - along, memory.ends[1]),
        signs=signs,
    )


def _fresh(memory: LaneMemory, marks: LaneMarks, t_ns: int) -> bool:
    return memory.scan_ns < marks.t_ns <= t_ns + AHEAD_NS and marks.t_ns >= t_ns - STALE_NS


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """Marks in the frame of our car now."""

    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    solid: BoolArray
    away_m: FloatArray


def _now(marks: LaneMarks, ego: EgoReading, t_ns: int) -> _Scan:
    """What was seen a tenth of a second ago, as it lies now; what is no number is left out."""
    keep = np.isfinite(marks.x_m) & np.isfinite(marks.y_m) & np.isfinite(marks.heading_rad)
    x, y = marks.x_m[keep], marks.y_m[keep]
    gone, turn = _gone(ego, t_ns - marks.t_ns)
    c, s = math.cos(turn), math.sin(turn)
    x, y = x - gone * math.cos(0.5 * turn), y - gone * math.sin(0.5 * turn)
    x, y = c * x + s * y, -s * x + c * y
    heading = marks.heading_rad[keep] - turn
    return _Scan(x, y, heading, marks.solid[keep], np.hypot(x, y))


def _gone(ego: EgoReading, late_ns: int) -> tuple[float, float]:
    """Way and turn since then."""
    late_s = seconds(late_ns)
    return ego.speed_mps * late_s, ego.yaw_rate_radps * late_s


# Marks ------------------------------------------------------------------------------------------


def _looked(memory: LaneMemory, scan: _Scan, t_ns: int) -> LaneMemory:
    """The belief after a scan: corrected, begun anew, or as it was."""
    if memory.scans == 0:
        first = _first(scan)
        if first is None:
            return memory
        memory = replace(memory, state=first, cov=np.diag(START**2))
    elif t_ns - memory.seen_ns > AGAIN_NS:
        memory = _found_again(memory, scan)
    after = _corrected(memory, scan, t_ns)
    if memory.scans < FOUND_SCANS:
        if after.seen_ns != t_ns or not _sound(after):
            return replace(memory, scans=0)
        return replace(after, scans=memory.scans + 1)
    return after


def _found_again(memory: LaneMemory, scan: _Scan) -> LaneMemory:
    """The lines that our lane has lost, begun anew where they plainly are: right beside where they
    are believed. Else the belief as it is."""
    first = _first(scan)
    if first is None or abs(first[OFFSET] - memory.state[OFFSET]) > AGAIN_SHARE * first[WIDTH]:
        return memory
    if abs(first[SLOPE] - memory.state[SLOPE]) > AGAIN_RAD:
        return memory
    return replace(memory, state=first, cov=np.diag(START**2))


def _sound(memory: LaneMemory) -> bool:
    """Whether that is a lane that somebody could drive on, and we on it."""
    y, psi, c, _, width = memory.state.tolist()
    return bool(
        WIDTHS_M[0] <= width <= WIDTHS_M[1]
        and abs(y) < 0.6 * width
        and abs(psi) < 0.3
        and abs(c) < 0.05
    )


def _first(scan: _Scan) -> FloatArray | None:
    """State of a lane whose lines lie on both sides of us; None where they do not."""
    near = (scan.x_m > 0.0) & (scan.x_m < FIRST_M) & (np.abs(scan.heading_rad) < 0.3)
    across = scan.y_m - scan.x_m * np.tan(scan.heading_rad)  # beside us, if the line were straight
    sides = []
    for side in (1.0, -1.0):
        some = near & (side * across > SIDE_M[0]) & (side * across < SIDE_M[1])
        if not some.any():
            return None
        nearest = float(np.min(side * across[some]))
        line = some & (side * across < nearest + 0.8)
        sides.append((float(np.median(across[line])), float(np.median(scan.heading_rad[line]))))
    (left, a), (right, b) = sides
    state = np.zeros(N)
    state[OFFSET], state[SLOPE] = 0.5 * (left + right), 0.5 * (a + b)
    state[WIDTH] = left - right
    return state if WIDTHS_M[0] <= state[WIDTH] <= WIDTHS_M[1] else None


def _line(state: FloatArray) -> Strip:
    """The middle of the lane of a state."""
    y, psi, c, twist, _ = state.tolist()
    return strip(y, psi, c, twist, (BEHIND_M, FAR_M), STEP_M)


@dataclass(frozen=True, slots=True, eq=False)
class _Matched:
    """Marks that belong to the lines of our lane."""

    s_m: FloatArray  # [n]
    off_m: FloatArray  # [n] how far left of where its line is guessed
    side: FloatArray  # [n] 1 left, -1 right
    sigma_m: FloatArray  # [n]
    solid: BoolArray  # [n]


def _matched(state: FloatArray, cov: FloatArray, scan: _Scan, reach_m: float) -> _Matched:
    """Marks up to `reach_m` ahead that lie near the lines of a state, within its doubt."""
    line = _line(state)
    s, d, at = beside(line, scan.x_m, scan.y_m)
    side = np.where(d > 0.0, 1.0, -1.0)
    off = d - 0.5 * side * float(state[WIDTH])
    sigma = SIGMA_M + GROWTH * scan.away_m
    rows = _rows(s, side)
    spread = np.sqrt(np.einsum("ni,ij,nj->n", rows, cov, rows) + sigma**2)
    gate = np.minimum(NEAR_MOST_M, NEAR_M + SURE * spread)
    turned = np.abs(np.sin(wrap_angles(scan.heading_rad - line.heading_rad[at])))
    keep = (np.abs(off) < gate) & (turned < TURNED) & (s > BEHIND_M) & (s < reach_m)
    return _Matched(s[keep], off[keep], side[keep], sigma[keep], scan.solid[keep])


def _rows(s: FloatArray, side: FloatArray) -> FloatArray:
    """[n, 5] how the state moves the line at s."""
    return np.column_stack((np.ones_like(s), s, s * s / 2.0, s**3 / 6.0, 0.5 * side))


def _corrected(memory: LaneMemory, scan: _Scan, t_ns: int) -> LaneMemory:
    """The belief corrected by a scan; uncorrected where the scan says nothing about our lane."""
    state, cov, found = _fitted(memory.state, memory.cov, memory.way_m, scan, LOOKS_M)
    reach_m = 0.0 if found is None else _reach(found.s_m, GAP_M)
    if reach_m < SHORT_M and memory.scans >= FOUND_SCANS:
        wide = memory.cov + np.diag(SHARPER**2)
        sharp = _fitted(memory.state, wide, memory.way_m, scan, SHARP_LOOKS_M)
        more = 0 if sharp[2] is None else len(sharp[2].s_m)
        if more >= LEAST + (0 if found is None else len(found.s_m)):
            state, cov, found = sharp
    if found is None:
        return memory if memory.ends[1] >= END_SCANS else replace(memory, ends=(math.inf, 0))
    left, right = found.side > 0.0, found.side < 0.0
    return replace(
        memory,
        state=state,
        cov=cov,
        seen_ns=t_ns,
        way_m=0.0,
        reach_m=max(memory.reach_m, _reach(found.s_m, GAP_M)),
        left=_seen(memory.left, found, left, t_ns),
        right=_seen(memory.right, found, right, t_ns),
        ends=_ends(memory, found, left, right),
    )


def _fitted(
    state: FloatArray, cov: FloatArray, way_m: float, scan: _Scan, looks_m: tuple[float, ...]
) -> tuple[FloatArray, FloatArray, _Matched | None]:
    """State and covariance corrected by a scan, from near to far: marks nearby say where to look
    for those farther on. The marks are None, and nothing is corrected, where too few fit."""
    prior, before = state, cov
    found = None
    for reach_m in looks_m:
        some = _matched(state, cov, scan, reach_m)
        if len(some.s_m) >= LEAST:
            state, cov = _update((prior, before), state, some, way_m)
            found = some
    return state, cov, found


def _update(
    before: tuple[FloatArray, FloatArray], guess: FloatArray, found: _Matched, way_m: float
) -> tuple[FloatArray, FloatArray]:
    """State and covariance of the belief before the scan, corrected by marks that were held against
    a guess of it. `way_m`: driven since the scan before.

    Errors of one scan hang together: all of it may be turned, and no road has quite the shape that
    is looked for, so that neighbours are off alike.
    """
    rows = _rows(found.s_m, found.side)
    far = np.abs(found.off_m - float(np.median(found.off_m))) / HUBER_M
    sigma = found.sigma_m * np.sqrt(np.maximum(1.0, far))
    apart = np.abs(found.s_m[:, None] - found.s_m[None, :])
    shape = SHAPE_M + SHAPE_1PM * found.s_m**2
    again = min(AGAIN_MOST, max(1.0, ALIKE_M / max(way_m, 0.1)))
    noise = np.diag(sigma**2) + again * np.outer(shape, shape) * np.exp(-apart / ALIKE_M)
    noise += TURN_RAD**2 * np.outer(found.s_m, found.s_m)
    prior, spread = before
    gain = np.linalg.solve(rows @ spread @ rows.T + noise, rows @ spread).T
    state = prior + gain @ (found.off_m + rows @ (guess - prior))
    keep = np.eye(N) - gain @ rows
    cov = keep @ spread @ keep.T + gain @ noise @ gain.T
    return state, 0.5 * (cov + cov.T)


def _reach(s: FloatArray, gap_m: float) -> float:
    """How far a line goes on without a wider gap, from where we are."""
    ahead = np.sort(s[s > -gap_m])
    if len(ahead) == 0:
        return 0.0
    steps = np.diff(np.concatenate(([0.0], ahead)))
    wide = np.flatnonzero(steps > gap_m)
    last = float(ahead[-1]) if len(wide) == 0 else float(ahead[wide[0] - 1]) if wide[0] else 0.0
    return max(0.0, last)


def _seen(mark: Mark, found: _Matched, some: BoolArray, t_ns: int) -> Mark:
    """A line after a scan."""
    near = some & (found.s_m < 40.0)
    if int(near.sum()) < 2:
        return mark
    return Mark(t_ns, bool(found.solid[near].mean() > 0.5))


def _ends(
    memory: LaneMemory, found: _Matched, left: BoolArray, right: BoolArray
) -> tuple[float, int]:
    """Where one line ends though the other goes on, with how many scans in a row say so. A place
    that is sure stays, until we are past it or both lines go on beyond it."""
    sides = [found.s_m[some] for some in (left, right)]
    reach = [_reach(s, GAP_M) for s in sides]
    at, count = memory.ends
    short = min(reach)
    other = sides[1 if reach[0] == short else 0]
    beyond = int((other > short + END_APART_M).sum())
    if beyond >= END_MARKS and (short > END_SEEN_M or count > 0):
        return (short, min(count + 1, END_SCANS))
    if count >= END_SCANS and short < at + GAP_M:
        return (at, count)
    return (math.inf, 0)


# What else is seen ------------------------------------------------------------------------------


def _signs(
    memory: LaneMemory, seen: Sightings | None, line: Strip, ego: EgoReading, t_ns: int
) -> LaneMemory:
    """Speed limits that hold for our lane: ahead, and the last one passed."""
    signs = list(memory.signs)
    if seen is not None and seen.t_ns > memory.sighted_ns:
        for s_m, _, limit in _on_lane(memory, seen, line, ego, t_ns, Furniture.LIMIT):
            same = [k for k, one in enumerate(signs) if abs(one.s_m - s_m) < SIGN_SAME_M]
            if same:
                signs[same[0]] = _Sign(s_m, limit, signs[same[0]].scans + 1)
            else:
                signs.append(_Sign(s_m, limit, 1))
        memory = replace(memory, sighted_ns=seen.t_ns)
    limit_mps = memory.limit_mps
    for one in sorted(signs, key=lambda each: each.s_m):
        if one.s_m <= 0.0 and one.scans >= SIGN_SCANS:
            limit_mps = one.limit_mps
    ahead = tuple(one for one in signs if one.s_m > 0.0)
    return replace(memory, signs=ahead, limit_mps=limit_mps)


def _on_lane(
    memory: LaneMemory,
    seen: Sightings,
    line: Strip,
    ego: EgoReading,
    t_ns: int,
    kind: Furniture,
) -> list[tuple[float, float, float]]:
    """(s, d, value) of the things of a kind that are for our lane and our direction."""
    some = (seen.kind == kind) & np.isfinite(seen.x_m + seen.y_m + seen.value)
    if not some.any():
        return []
    gone, turn = _gone(ego, t_ns - seen.t_ns)
    x, y = seen.x_m[some] - gone * math.cos(turn), seen.y_m[some] - gone * math.sin(turn)
    c, s = math.cos(turn), math.sin(turn)
    at, d, k = beside(line, c * x + s * y, -s * x + c * y)
    ours = (np.abs(d) < 0.5 * float(memory.state[WIDTH])) & (at > 0.0)
    ours &= np.cos(seen.heading_rad[some] - turn - line.heading_rad[k]) > ACROSS
    rows = np.flatnonzero(ours)
    value = seen.value[some]
    return [(float(at[i]), float(d[i]), float(value[i])) for i in rows.tolist()]


def _strange(memory: LaneMemory, reading: Reading, tracks: Tracks, line: Strip) -> tuple[_Met, ...]:
    """What motorways do not have, each with whom it was seen in and for how many frames. What has
    not been seen for long is forgotten."""
    now = set(_strange_users(memory, reading.ego, tracks, line))
    seen = reading.sightings
    if seen is not None and reading.t_ns - seen.t_ns <= STALE_NS:
        for kind, words in WORDS.items():
            if _on_lane(memory, seen, line, reading.ego, reading.t_ns, kind):
                now.add((words, NOBODY))
    if memory.limit_mps < SLOW_LIMIT_MPS:
        now.add((SLOW, NOBODY))
    frames = {(one.what, one.uid): one.frames for one in memory.strange}
    fresh = [_Met(*each, frames.get(each, 0) + 1, reading.t_ns) for each in sorted(now)]
    since = reading.t_ns - FORGETS_NS
    return (
        *fresh,
        *(one for one in memory.strange if (one.what, one.uid) not in now and one.seen_ns > since),
    )


def _no_motorway(memory: LaneMemory) -> list[str]:
    """What is sure of that: seen for long enough, and in so many that they are no ghosts."""
    out = []
    for what in sorted({one.what for one in memory.strange}):
        frames, many = SURE_OF.get(what, (SURE_FRAMES, 1))
        if sum(one.what == what and one.frames >= frames for one in memory.strange) >= many:
            out.append(what)
    return out


def _strange_users(
    memory: LaneMemory, ego: EgoReading, tracks: Tracks, line: Strip
) -> list[tuple[str, int]]:
    if tracks.count == 0:
        return []
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    dx, dy = tracks.x_m - ego.x_m, tracks.y_m - ego.y_m
    along, across, at = beside(line, c * dx + s * dy, -s * dx + c * dy)
    turn = tracks.heading_rad - ego.heading_rad - line.heading_rad[at]
    ahead = (along > 0.0) & (along < STRANGE_AHEAD_M) & (tracks.age_s < 0.3)
    moves = tracks.speed_mps > MOVES_MPS
    motor = ~np.isin(tracks.kind, (UserKind.PEDESTRIAN, UserKind.BICYCLE, UserKind.OBSTACLE))
    beside_us = np.abs(across) < BESIDE_M
    found = {
        ON_FOOT: (tracks.kind == UserKind.PEDESTRIAN) & beside_us,
        BICYCLES: (tracks.kind == UserKind.BICYCLE) & beside_us,
        CROSSES: motor & moves & (np.abs(np.sin(turn)) > ACROSS) & (np.abs(across) < WIDE_M),
        ONCOMING: motor
        & moves
        & (np.cos(turn) < AGAINST)
        & (np.abs(across) < 1.6 * float(memory.state[WIDTH])),
    }
    return [
        (name, int(uid))
        for name, some in found.items()
        for uid in tracks.uid[some & ahead].tolist()
    ]


# What comes of it -------------------------------------------------------------------------------


def _believed(memory: LaneMemory, t_ns: int, speed_mps: float) -> OwnLane | None:
    """The noun; None until a lane has been found."""
    if memory.scans < FOUND_SCANS:
        return memory.lane if memory.lane is None else replace(
            memory.lane, t_ns=t_ns, integrity=Integrity.UNKNOWN, ahead_m=0.0
        )  # fmt: skip
    y, psi, c, twist, width = memory.state.tolist()
    cov = memory.cov.copy()
    lane = OwnLane(
        t_ns, y, psi, c, twist, width, cov, Integrity.KNOWN, 0.0, memory.left, memory.right,
        ends_m=memory.ends[0] if memory.ends[1] >= END_SCANS else math.inf,
        limit_mps=memory.limit_mps,
        signs=tuple(
            LimitSign(one.s_m, one.limit_mps) for one in memory.signs if one.scans >= SIGN_SCANS
        ),
    )  # fmt: skip
    unseen_ns = t_ns - memory.seen_ns
    trusted = memory.reach_m
    while trusted > 0.0 and lane.spread_m(trusted) > TRUSTED_M:
        trusted = max(0.0, trusted - 5.0)
    integrity = Integrity.KNOWN if unseen_ns <= COAST_NS else Integrity.COASTING
    soon = lane.spread_m(max(5.0, LOST_AHEAD_S * speed_mps))
    if unseen_ns > LOST_NS or soon > LOST_M:
        integrity = Integrity.UNKNOWN
    return replace(lane, integrity=integrity, ahead_m=trusted)


def _notes(memory: LaneMemory, t_ns: int) -> list[Note]:
    """What the lane calls for."""
    lane = memory.lane
    if lane is None:
        return [("lane marks", "show no lane yet", Reaction.TAKEOVER)]
    notes: list[Note] = []
    unseen_ns = t_ns - memory.seen_ns
    if lane.integrity == Integrity.UNKNOWN:
        notes.append(("lane marks", "lost", Reaction.STOP))
    elif lane.integrity == Integrity.COASTING:
        asks = Reaction.TAKEOVER if unseen_ns > ASK_NS else Reaction.DEGRADE
        notes.append(("lane marks", "not seen", asks))
    if math.isfinite(lane.ends_m):
        notes.append(("own lane", "ends ahead", Reaction.TAKEOVER))
    for name, mark in (("left", lane.left), ("right", lane.right)):
        if t_ns - mark.seen_ns > ONE_SIDE_NS:
            notes.append((f"{name} line", "not seen", Reaction.DEGRADE))
    notes += [
        ("road", f"{what}, so it is no motorway", Reaction.TAKEOVER)
        for what in _no_motorway(memory)
    ]
    return notes
