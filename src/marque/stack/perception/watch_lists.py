"""Whether cameras, radars and lidars can be believed, from what they deliver and from one another.

Each list is held against its own past (when it comes, whether it changes) and against the tracks
that all sensors feed: what others have just seen in plain view, this one has to see too.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.core.jit import jit
from marque.core.time import seconds
from marque.stack.perception.ego import Past, pose_at
from marque.stack.perception.noise import SensorModel
from marque.types.codes import Reaction, SensorKind
from marque.types.reading import ObjectList
from marque.types.scene import Doubt, Tracks

MS = 1_000_000
LOG, DEGRADE, TAKEOVER = Reaction.LOG, Reaction.DEGRADE, Reaction.TAKEOVER

# Lists come each 100 ms, give or take 20: one that is missing is noticed at the first instant that
# cannot be jitter, and acted upon when three are. On a link that loses messages everywhere, one
# more pair has to be missing before the sensor itself is blamed.
MISSING_NS, SILENT_NS, SILENT_LOSSY_NS = 160 * MS, 360 * MS, 560 * MS
LATE_NS, VERY_LATE_NS = 180 * MS, 300 * MS  # the tracker takes no list of more than 160 ms
STALE_NS = 1000 * MS  # its stamp belongs to another clock
LIVELY = 0.8  # of the lists so far held something new: one that does not is no chance
FROZEN = 2  # times the same
USED_TO = 20  # lists that make the usual lateness
# a clock that goes wrong: jitter of +-20 ms leaves the mean of the last few within 20 ms
DRIFTS_S, DRIFTS_FAR_S = 0.022, 0.050
QUICK, SLOW = 0.25, 0.01
OFTEN, TWICE = 0.05, 0.015  # share of lists that come twice, and what one of them adds

SECTORS = 4  # of each view
# log odds: a sensor that sees finds nine of ten in plain view. Four misses make it blind there,
# if they are not all the same object, which may be hidden from it alone
MISSED, FOUND, BLIND, MOST = 2.5, -5.0, 10.0, 35.0
LONE = 30.0  # or it is one alone, and in plain view of the others for more than a second
SURE_SHARE, NEAR_M, FAR_M, EDGE_RAD, SEEN_S = 0.6, 4.0, 80.0, 0.15, 0.25
NOTHING_NS = 1000 * MS  # blind somewhere, and for so long nothing was found anywhere: all blind
MIDDLE = (SECTORS // 2 - 1, SECTORS // 2)  # both blind: nothing is seen straight ahead
WENT_MARKS = 8  # marks found before, and none now: no road ends like that

TURN_RAD, TURN_WEIGHT, TURN_KEEP = 0.015, 12.0, 0.96  # 0.9 degrees, where tracks go half way
SAME = 0.4  # of the room that a match has: nearer is no neighbour
TURN_EYES = 3  # fewer cannot tell who of them is turned
MOVES_MPS = 3.0  # in a queue, who looks at the same few from the same side errs the same way again
ELSEWHERE_RAD = 0.25  # beyond the edge of its view nothing can be found
GHOST_TIMES, GHOST_M = 4, 5.0  # lists in a row with the same object that no track explains
GHOST_X_M, GHOST_Y_M = (5.0, 70.0), 2.5  # in our way
JUMP_TIMES, JUMP_NS, JUMP_M = 2, 1000 * MS, 25.0

Note = tuple[str, str, Reaction]


class ListWatch(NamedTuple):
    """What is remembered of one sensor. Stamps in ns, -1: nothing has come."""

    name: str
    ahead: bool  # it sees where we drive
    came_ns: int = -1  # when its newest list came,
    stamp_ns: int = -1  # and from when that was
    last: FloatArray | None = None  # the first column of the newest
    lively: float = 0.0  # share of lists that held something new
    same: int = 0  # times in a row that nothing was new
    broken: int = 0  # lists in a row with numbers that are none
    lists: int = 0
    usual_s: float = 0.0  # lateness,
    late_s: float = 0.0  # and of the last few
    twice: float = 0.0  # share of lists that came twice
    elsewhere: int = 0  # lists in a row from outside its view
    scores: FloatArray | None = None  # [SECTORS] evidence that it is blind there
    misses: IntArray | None = None  # [SECTORS] the object missed first, -1 none, -2 several
    turn: tuple[float, float] = (0.0, 0.0)  # sum and weight of how far it sees everything turned
    ghost: tuple[int, float, float] = (0, 0.0, 0.0)  # times, where
    jumps: tuple[int, int] = (0, 0)  # times, when last
    found_ns: int = -1  # when it last found what it had to

    @property
    def blind(self) -> tuple[int, ...]:
        """Parts of its view where it seems to find nothing, from right to left."""
        if self.scores is None or self.misses is None or self.scores.max() < BLIND:
            return ()
        bad = self.scores >= BLIND
        missed = self.misses[bad]
        several = bool((missed == -2).any()) or len(set(missed.tolist())) > 1
        several = several or bool((self.scores >= LONE).any())
        return tuple(np.flatnonzero(bad).tolist()) if several else ()


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """What the tracker held before this delivery."""

    tracks: Tracks | None
    doubt: Doubt | None
    looked_ns: int  # of when the tracks are
    past: Past


def begun(sensor: SensorModel) -> ListWatch:
    """Before its first list."""
    wide = sensor.half_angle_rad > 3.0
    ahead = wide or abs(sensor.yaw_rad) < 0.5
    return ListWatch(f"{sensor.kind.name.lower()} {_where(sensor)}", ahead)


def _where(sensor: SensorModel) -> str:
    if sensor.half_angle_rad > 3.0:
        return "around"
    if abs(sensor.yaw_rad) < 0.5:
        return "ahead"
    side = "left" if sensor.yaw_rad > 0.0 else "right"
    if abs(sensor.yaw_rad) > 2.6:
        return "behind"
    return side if abs(sensor.yaw_rad) < 1.8 else f"behind {side}"


def graded(watch: ListWatch, sensor: SensorModel) -> Reaction:
    """What the loss of a whole sensor calls for: without the camera ahead nobody reads signals,
    any other leaves a second pair of eyes."""
    main = watch.ahead and sensor.kind == SensorKind.CAMERA
    return TAKEOVER if main else DEGRADE


def silent(watch: ListWatch, sensor: SensorModel, now_ns: int, lossy: bool) -> list[Note]:
    """Whether a list should have come by now."""
    gone = now_ns - watch.came_ns
    if watch.came_ns < 0 or gone <= MISSING_NS:
        return []
    if gone > (SILENT_LOSSY_NS if lossy else SILENT_NS):
        return [(watch.name, "silent", graded(watch, sensor))]
    return [] if lossy else [(watch.name, "silent", LOG)]


def take(
    watch: ListWatch, one: ObjectList, sensor: SensorModel, around: Around, now_ns: int
) -> tuple[ListWatch, list[Note]]:
    """One list. Returns what is remembered and what was noticed."""
    loss = graded(watch, sensor)
    if one.t_ns == watch.stamp_ns:
        twice = watch.twice + TWICE
        level = DEGRADE if twice > OFTEN else LOG
        return watch._replace(twice=twice), [(watch.name, "repeated", level)]
    if one.t_ns < watch.stamp_ns:
        return watch, [(watch.name, "out of order", LOG)]
    watch, notes = _timed(watch, one, loss, now_ns)
    watch, more = _content(watch, one, loss)
    notes += more
    if watch.same or watch.broken or one.t_ns > now_ns:
        return watch, notes
    watch, more = _against_others(watch, one, sensor, around)
    return watch, notes + more


def _timed(
    watch: ListWatch, one: ObjectList, loss: Reaction, now_ns: int
) -> tuple[ListWatch, list[Note]]:
    """When it comes, and how old it is by then."""
    age_ns = now_ns - one.t_ns
    age, lists = seconds(age_ns), watch.lists + 1
    watch = watch._replace(
        came_ns=now_ns,
        stamp_ns=one.t_ns,
        lists=lists,
        twice=(1.0 - TWICE) * watch.twice,
    )
    if not 0 <= age_ns <= STALE_NS:
        return watch, [(watch.name, "misdated", DEGRADE)]
    if age_ns > LATE_NS:
        return watch, [(watch.name, "late", loss if age_ns > VERY_LATE_NS else DEGRADE)]
    first = lists <= USED_TO
    usual = watch.usual_s + (age - watch.usual_s) * (1.0 / lists if first else SLOW)
    late = usual if first else watch.late_s + QUICK * (age - watch.late_s)
    watch = watch._replace(usual_s=usual, late_s=late)
    if abs(late - usual) > DRIFTS_S:
        level = loss if abs(late - usual) > DRIFTS_FAR_S else DEGRADE
        return watch, [(watch.name, "clock drifts", level)]
    return watch, []


def _content(watch: ListWatch, one: ObjectList, loss: Reaction) -> tuple[ListWatch, list[Note]]:
    """Whether it holds numbers, and new ones."""
    total = float(one.x_m.sum() + one.y_m.sum())
    if not math.isfinite(total):
        watch = watch._replace(broken=watch.broken + 1)
        level = LOG if watch.broken < 2 else TAKEOVER
        return watch, [(watch.name, "not a number", level)]
    watch = watch._replace(broken=0)
    if one.count == 0:
        return watch._replace(last=None, same=0), []
    again = watch.last is not None and np.array_equal(watch.last, one.x_m)
    same = watch.same + 1 if again else 0
    if not again:
        lively = watch.lively + 0.1 * (1.0 - watch.lively)
        return watch._replace(last=one.x_m, same=0, lively=lively), []
    if watch.lively < LIVELY:  # this one always repeats itself, or nothing has moved yet
        return watch._replace(lively=0.9 * watch.lively), []
    notes = [(watch.name, "frozen", loss if same >= FROZEN else LOG)]
    return watch._replace(same=same), notes


def _against_others(
    watch: ListWatch, one: ObjectList, sensor: SensorModel, around: Around
) -> tuple[ListWatch, list[Note]]:
    """What it finds against what all have found."""
    pose = pose_at(around.past, one.t_ns)
    tracks, doubt = around.tracks, around.doubt
    if pose is None or tracks is None or doubt is None:
        return watch, []
    moves = around.past[-1].speed_mps > MOVES_MPS
    scores = np.zeros(SECTORS) if watch.scores is None else watch.scores.copy()
    misses = np.full(SECTORS, -1) if watch.misses is None else watch.misses.copy()
    out = _held_against(
        one.x_m, one.y_m, one.has_box, one.length_m, one.score,
        tracks.uid, tracks.x_m, tracks.y_m, tracks.heading_rad, tracks.speed_mps, tracks.length_m,
        tracks.width_m, tracks.age_s, doubt.existence,
        (pose.x_m, pose.y_m, pose.heading_rad), seconds(one.t_ns - around.looked_ns),
        (sensor.mount_x_m, sensor.mount_y_m, sensor.yaw_rad, sensor.half_angle_rad, sensor.range_m),
        moves, scores, misses,
    )  # fmt: skip
    turned, weight, outside, ghost_x, ghost_y, jumped, found = out
    turn = watch.turn
    if moves:
        turn = (TURN_KEEP * turn[0] + turned, TURN_KEEP * turn[1] + weight)
    watch = watch._replace(scores=scores, misses=misses, turn=turn,
        elsewhere=watch.elsewhere + 1 if outside * 2 > one.count else 0,
        ghost=_same_ghost(watch.ghost, ghost_x, ghost_y) if watch.ahead else watch.ghost,
        found_ns=one.t_ns if found or watch.found_ns < 0 else watch.found_ns,
        jumps=_jumps(watch.jumps, bool(jumped), one.t_ns),
    )  # fmt: skip
    return watch, _told(watch, sensor)


def _told(watch: ListWatch, sensor: SensorModel) -> list[Note]:
    """What the evidence so far amounts to."""
    loss, notes = graded(watch, sensor), []
    if watch.blind:
        nothing = watch.stamp_ns - watch.found_ns > NOTHING_NS or set(MIDDLE) <= set(watch.blind)
        notes.append((watch.name, "blind", loss if nothing else DEGRADE))
    if watch.elsewhere >= 2:
        notes.append((watch.name, "looks elsewhere", TAKEOVER))
    if watch.ghost[0] >= GHOST_TIMES:
        notes.append((watch.name, "sees what nobody else sees", LOG))
    if watch.jumps[0] >= JUMP_TIMES:
        notes.append((watch.name, "has an object that jumps", LOG))
    return notes


def turned(lists: tuple[ListWatch, ...], sensors: tuple[SensorModel, ...]) -> list[Note]:
    """Who of those that look ahead sees everything turned. Tracks follow all of them, the turned
    one too, so the witness is what most of them say."""
    said = [
        (k, each.turn[0] / each.turn[1])
        for k, each in enumerate(lists)
        if each.ahead and each.turn[1] > TURN_WEIGHT
    ]
    if len(said) < TURN_EYES:
        return []
    usual = float(np.median([angle for _, angle in said]))
    return [
        (lists[k].name, "turned", graded(lists[k], sensors[k]))
        for k, angle in said
        if abs(angle - usual) > TURN_RAD
    ]


def went_black(before: int, marks: int, watch: ListWatch) -> bool:
    """A camera that found many marks, and now not one, and no object either."""
    return before >= WENT_MARKS and marks == 0 and watch.last is None


def _same_ghost(
    ghost: tuple[int, float, float], x_m: float, y_m: float
) -> tuple[int, float, float]:
    times, x, y = ghost
    if not math.isfinite(x_m):
        return max(0, times - 2), x, y
    return (times + 1 if math.hypot(x_m - x, y_m - y) < GHOST_M else 1), x_m, y_m


def _jumps(jumps: tuple[int, int], jumped: bool, t_ns: int) -> tuple[int, int]:
    times, last_ns = jumps
    if jumped:
        return (times + 1 if t_ns - last_ns < JUMP_NS else 1), t_ns
    return (times if t_ns - last_ns < JUMP_NS else 0), last_ns


@jit
def _held_against(
    x: FloatArray,
    y: FloatArray,
    has_box: np.ndarray,
    row_length: FloatArray,
    row_score: FloatArray,
    uid: IntArray,
    tx: FloatArray,
    ty: FloatArray,
    heading: FloatArray,
    speed: FloatArray,
    length: FloatArray,
    width: FloatArray,
    age: FloatArray,
    existence: FloatArray,
    pose: tuple[float, float, float],
    dt: float,
    sensor: tuple[float, float, float, float, float],
    moves: bool,
    scores: FloatArray,
    misses: IntArray,
) -> tuple[float, float, int, float, float, int, int]:
    """(sum and weight of turns, rows outside the view, x and y of the nearest row in our way that
    nothing explains (nan: none), 1 if an object jumped, how many were found that had to be).
    `scores` and `misses` are changed.

    Rows in the car's frame; tracks on the map, to be moved by dt; sensor: x, y, yaw, half angle,
    range.
    """
    m, n = len(x), len(uid)
    c, s = math.cos(pose[2]), math.sin(pose[2])
    px, py = np.empty(n), np.empty(n)  # of tracks, in the car's frame
    away, angle = np.empty(n), np.empty(n)  # from the sensor, against its middle
    for j in range(n):
        dx = tx[j] + speed[j] * dt * math.cos(heading[j]) - pose[0]
        dy = ty[j] + speed[j] * dt * math.sin(heading[j]) - pose[1]
        px[j], py[j] = c * dx + s * dy, c * dy - s * dx
        away[j] = math.hypot(px[j] - sensor[0], py[j] - sensor[1])
        angle[j] = _wrapped(math.atan2(py[j] - sensor[1], px[j] - sensor[0]) - sensor[2])
    explained = np.zeros(m, dtype=np.bool_)
    found = np.zeros(n, dtype=np.bool_)
    turned, weight, outside = 0.0, 0.0, 0
    for i in range(m):
        mine = _wrapped(math.atan2(y[i] - sensor[1], x[i] - sensor[0]) - sensor[2])
        if abs(mine) > sensor[3] + ELSEWHERE_RAD:
            outside += 1
        best, at = 1e9, -1
        for j in range(n):
            gap = math.hypot(px[j] - x[i], py[j] - y[i])
            room = 2.0 + 0.5 * length[j] + 0.06 * away[j]
            if gap < room:
                explained[i], found[j] = True, True
                if gap / room < best:
                    best, at = gap / room, j
        if at >= 0 and best < SAME and 10.0 < away[at] < FAR_M and row_score[i] > 0.5:
            turned += _wrapped(mine - angle[at])
            weight += 1.0
    jumped, had_to = 0, 0
    for j in range(n):
        sure = existence[j] > 0.9 and age[j] < SEEN_S and abs(angle[j]) < sensor[3] - EDGE_RAD
        sure = sure and NEAR_M < away[j] < min(FAR_M, SURE_SHARE * sensor[4])
        if not sure or _hidden(j, away, angle, length, width):
            continue
        part = min(SECTORS - 1, int((angle[j] + sensor[3]) / (2.0 * sensor[3]) * SECTORS))
        if found[j]:
            had_to += 1
            scores[part] = max(0.0, scores[part] + FOUND)
            if scores[part] == 0.0:
                misses[part] = -1
            continue
        if moves or misses[part] != uid[j]:
            scores[part] = min(MOST, scores[part] + MISSED)
        if misses[part] == -1:
            misses[part] = uid[j]
        elif misses[part] != uid[j]:
            misses[part] = -2
        for i in range(m):
            near = math.hypot(y[i] - py[j], x[i] - px[j]) < JUMP_M
            alike = has_box[i] and row_score[i] > 0.6 and abs(row_length[i] - length[j]) < 1.5
            if near and alike and not explained[i]:
                jumped = 1
    ghost_x, ghost_y, nearest = math.nan, math.nan, 1e9
    for i in range(m):
        ours = GHOST_X_M[0] < x[i] < GHOST_X_M[1] and abs(y[i]) < GHOST_Y_M and x[i] < nearest
        if (
            ours
            and not explained[i]
            and row_score[i] > 0.5
            and not _behind(x[i], y[i], sensor, away, angle, width)
        ):
            ghost_x, ghost_y, nearest = x[i], y[i], x[i]
    return turned, weight, outside, ghost_x, ghost_y, jumped, had_to


@jit
def _hidden(
    j: int, away: FloatArray, angle: FloatArray, length: FloatArray, width: FloatArray
) -> bool:
    """Whether another track stands before the middle of track j."""
    for k in range(len(away)):
        if k != j and away[k] < away[j] - 0.5:
            half = 0.5 * math.hypot(length[k], width[k]) + 0.5 * width[j]
            if abs(_wrapped(angle[k] - angle[j])) * max(1.0, away[k]) < half:
                return True
    return False


@jit
def _behind(
    x: float,
    y: float,
    sensor: tuple[float, float, float, float, float],
    away: FloatArray,
    angle: FloatArray,
    width: FloatArray,
) -> bool:
    """Whether a track stands before a place: a radar looks beneath it."""
    mine = _wrapped(math.atan2(y - sensor[1], x - sensor[0]) - sensor[2])
    far = math.hypot(x - sensor[0], y - sensor[1])
    for k in range(len(away)):
        half = 0.5 * width[k] + 0.5
        if away[k] < far and abs(_wrapped(angle[k] - mine)) * max(1.0, away[k]) < half:
            return True
    return False


@jit
def _wrapped(angle: float) -> float:
    return (angle + math.pi) % (2.0 * math.pi) - math.pi
