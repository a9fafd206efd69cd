"""Whether inertia, wheels, steering and satellites can be believed: each against its own past, and
against one another. Of three that tell how fast we turn (gyro, rear wheels, steering), the one
that differs from both others is wrong.
"""

import math
from typing import NamedTuple

from marque.core.time import NS_PER_S, seconds
from marque.stack.perception.localise import Located
from marque.types.codes import Integrity, Reaction
from marque.types.platform import Platform
from marque.types.reading import Bus, Delivery, Gnss, Imu

MS = 1_000_000
LOG, DEGRADE, TAKEOVER, HARD = Reaction.LOG, Reaction.DEGRADE, Reaction.TAKEOVER, Reaction.HARD

# Inertia and bus come each 20 ms. Without inertia wheels and steering go on for a while, without
# the bus nobody knows how fast we are: that is the end. On a lossy link a gap is not their fault.
INERTIA_NS, BUS_NS, LOSSY_NS = 100 * MS, 90 * MS, 300 * MS
FIX_NS = 600 * MS  # fixes come each 100 ms, and some drop out
WINDOW = 25  # deliveries, half a second
LOST_STREAMS, LOST_LEAST, LOST_HALF = 2, 2, 0.3  # streams that lose, messages, share of all

# No car turns faster within 20 ms than 5 rad/s^2, nor brakes with more than 75 m/s^3
GYRO_JUMP_RADPS, ACCEL_JUMP_MPS2 = 0.1, 1.5
RESTS_MPS = 1.0
PERSISTS_NS = 100 * MS
SMOOTH = 0.2  # of the differences of three turn rates: 0.1 s
SLOPE_MPS2 = 2.0  # gravity along a road of 20 %
WITNESS_MPS = 3.0  # below, wheels and steering tell little of the yaw rate
TRACK_SHARE = 0.86  # of the width, wheel to wheel
ANGLE_RAD, SHARE = 0.02, 0.15  # of the road wheel; of the yaw rate, for tyres and lag
WHEEL_SCALE, YAW_RADPS = 0.006, 0.04
WHEEL_MPS, WHEEL_SHARE, WHEEL_TIMES = 0.4, 0.04, 2
STUCK_TIMES, LIVELY = 5, 0.9  # the same number to the last digit where it always changed before

# a fix this far from where the last good ones and the wheels put it has jumped; whatever goes on
# saying so for long is believed, and the filter has to settle it
JUMP_M, JUMP_SHARE, JUMP_LASTS_NS = 6.0, 0.05, 5 * NS_PER_S
MISDATED_NS = (1000 * MS, 50 * MS)  # so old, so far ahead
REFUSED_S = 1.0, 2.5
DRIFT_M, DRIFT_SHARE, DRIFT_FIXES, DRIFT_NS = 3.0, 0.012, 20, NS_PER_S

Note = tuple[str, str, Reaction]
Mark = tuple[int, float, float, float]  # when, fix minus dead reckoning x and y, way so far


class MotionWatch(NamedTuple):
    """What is remembered of own motion. Stamps in ns, -1: nothing has come. (A tuple, as several
    are made for each delivery.)"""

    t_ns: int = -1
    hears: bool = True  # satellites
    imu_ns: int = -1  # the newest that are numbers
    bus_ns: int = -1
    fix_ns: int = -1  # when the newest came
    fix_stamp_ns: int = -1
    imu_lost: int = 0  # one bit for each of the last deliveries, the newest last
    bus_lost: int = 0
    imu: Imu | None = None
    bus: Bus | None = None
    differ: tuple[float, float, float] = (0.0, 0.0, 0.0)  # gyro-steer, gyro-wheels, steer-wheels
    speeds: tuple[tuple[float, float, float], ...] = ()  # speed, acceleration, when: the last six
    wrong_ns: int = -1  # since when inertia contradicts
    wheel: tuple[int, int] = (-1, 0)  # which differs, times
    steer_same: int = 0
    steer_lively: float = 0.0
    reckoned: tuple[float, float, float] = (0.0, 0.0, 0.0)  # x, y and way by wheels and heading
    marks: tuple[Mark, ...] = ()
    jumped_ns: int = -1  # since when fixes jump
    sound_ns: int = -1  # since when fixes have come one after another, and nothing was wrong

    @property
    def lossy(self) -> bool:
        """Whether messages of several streams were lost in the last half second."""
        lost = self.imu_lost.bit_count(), self.bus_lost.bit_count()
        return min(lost) >= 1 and sum(lost) >= LOST_LEAST

    @property
    def lost_share(self) -> float:
        """Of the messages of the last half second."""
        return (self.imu_lost.bit_count() + self.bus_lost.bit_count()) / (2.0 * WINDOW)


def watch_motion(
    watch: MotionWatch, came: Delivery, car: Platform, located: Located | None
) -> tuple[MotionWatch, list[Note]]:
    """One delivery; `located` is the pose before it."""
    notes: list[Note] = []
    dt_ns = came.t_ns - watch.t_ns
    if watch.t_ns >= 0 and not 0 < dt_ns <= NS_PER_S:
        notes.append(("clock", "jumps", HARD))
        watch = MotionWatch(hears=watch.hears)
    first = watch.t_ns < 0
    watch = watch._replace(t_ns=came.t_ns, imu_ns=came.t_ns if first else watch.imu_ns,
        bus_ns=came.t_ns if first else watch.bus_ns, fix_ns=came.t_ns if first else watch.fix_ns,
    )  # fmt: skip
    watch = _counted(watch, came, first)
    for part in (_inertia, _bus, _gaps):
        watch, more = part(watch, came, car)
        notes += more
    watch, more = _turning(watch, came, car)
    notes += more
    watch, more = _fixes(watch, came, located, 0.0 if first else seconds(dt_ns))
    return watch, notes + more


def _counted(watch: MotionWatch, came: Delivery, first: bool) -> MotionWatch:
    """Which of the messages that should be here are not."""
    if first:
        return watch
    mask = (1 << WINDOW) - 1
    return watch._replace(imu_lost=(watch.imu_lost << 1 | (not came.imu)) & mask,
        bus_lost=(watch.bus_lost << 1 | (not came.bus)) & mask,
    )  # fmt: skip


def _gaps(watch: MotionWatch, came: Delivery, car: Platform) -> tuple[MotionWatch, list[Note]]:
    """Who should have said something by now."""
    notes: list[Note] = []
    lossy, now = watch.lossy, came.t_ns
    if lossy:
        level = TAKEOVER if watch.lost_share > LOST_HALF else LOG
        notes.append(("link", "messages lost", level))
    if now - watch.imu_ns > (LOSSY_NS if lossy else INERTIA_NS):
        notes.append(("inertia", "silent", TAKEOVER))
    if now - watch.bus_ns > (LOSSY_NS if lossy else BUS_NS):
        notes.append(("bus", "silent", HARD))
    if watch.hears and now - watch.fix_ns > FIX_NS:
        notes.append(("satellites", "silent", LOG))
    return watch, notes


def _in_order(name: str, stamps: list[int], newest_ns: int) -> list[Note]:
    """What is wrong with stamps in the order of their coming."""
    notes: list[Note] = []
    for t_ns in stamps:
        if t_ns == newest_ns:
            notes.append((name, "repeated", LOG))
        elif t_ns < newest_ns:
            notes.append((name, "out of order", LOG))
        newest_ns = max(newest_ns, t_ns)
    return notes


def _inertia(watch: MotionWatch, came: Delivery, car: Platform) -> tuple[MotionWatch, list[Note]]:
    notes = _in_order("inertia", [one.t_ns for one in came.imu], _stamp(watch.imu))
    for one in came.imu:
        if not math.isfinite(sum(one.accel_mps2) + sum(one.gyro_radps)):
            lasts = came.t_ns - watch.imu_ns > PERSISTS_NS
            notes.append(("inertia", "not a number", TAKEOVER if lasts else LOG))
            continue
        before = watch.imu
        if before is not None and _jumps(before, one, watch):
            notes.append(("inertia", "jumps", LOG))
        if one.t_ns > _stamp(before):
            watch = watch._replace(imu=one, imu_ns=came.t_ns)
    return watch, notes


def _jumps(before: Imu, one: Imu, watch: MotionWatch) -> bool:
    """A car that comes to rest lets its braking go all at once; else nothing does."""
    if not 0 < one.t_ns - before.t_ns <= 45 * MS:
        return False
    if not watch.speeds or watch.speeds[-1][0] < RESTS_MPS:
        return False
    spin = abs(one.gyro_radps[2] - before.gyro_radps[2])
    push = abs(one.accel_mps2[0] - before.accel_mps2[0])
    return spin > GYRO_JUMP_RADPS or push > ACCEL_JUMP_MPS2


def _stamp(one: Imu | Bus | None) -> int:
    return -1 if one is None else one.t_ns


def _bus(watch: MotionWatch, came: Delivery, car: Platform) -> tuple[MotionWatch, list[Note]]:
    """Whether the steering angle lives, and numbers are numbers."""
    notes = _in_order("bus", [one.t_ns for one in came.bus], _stamp(watch.bus))
    for one in came.bus:
        if not math.isfinite(sum(one.wheel_mps) + one.steer_rad):
            notes.append(("bus", "not a number", LOG))
            continue
        before = watch.bus
        if one.t_ns <= _stamp(before):
            continue
        watch = watch._replace(bus=one, bus_ns=came.t_ns)
        if before is not None:
            watch = _steer_lives(watch, one.steer_rad == before.steer_rad)
    if watch.steer_same >= STUCK_TIMES and watch.steer_lively > LIVELY:
        notes.append(("steering angle", "stuck", HARD))
    return watch, notes


def _steer_lives(watch: MotionWatch, same: bool) -> MotionWatch:
    """A stuck number counts only where the last digits used to change; that is learnt slowly, and
    not from the stuck ones before they are told."""
    if not same:
        lively = watch.steer_lively + 0.02 * (1.0 - watch.steer_lively)
        return watch._replace(steer_same=0, steer_lively=lively)
    if watch.steer_lively > LIVELY:
        return watch._replace(steer_same=watch.steer_same + 1)
    return watch._replace(steer_same=0, steer_lively=0.98 * watch.steer_lively)


def _turning(watch: MotionWatch, came: Delivery, car: Platform) -> tuple[MotionWatch, list[Note]]:
    """Wheels against one another, and three witnesses of how we turn and speed up."""
    imu, bus = watch.imu, watch.bus
    fresh = came.bus and came.imu and imu is not None and bus is not None
    if not fresh or imu is None or bus is None:
        return watch, []
    v, at, off = _wheels(bus, imu.gyro_radps[2], car)
    notes: list[Note] = []
    times = watch.wheel[1] + 1 if off > WHEEL_MPS + WHEEL_SHARE * v else 0
    watch = watch._replace(wheel=(at if times else -1, times))
    if times >= WHEEL_TIMES:
        notes.append((WHEELS[at], "wheel differs", DEGRADE))
    watch = watch._replace(speeds=(*watch.speeds[-5:], (v, imu.accel_mps2[0], seconds(bus.t_ns))))
    wrong = ""
    if v > WITNESS_MPS and times == 0:
        watch = watch._replace(differ=_differ(watch.differ, bus, imu.gyro_radps[2], v, car))
        wrong = _outvoted(watch.differ, v, imu.gyro_radps[2], car)
    if wrong == "steering angle":
        notes.append(("steering angle", "contradicts", TAKEOVER))
    if wrong == "inertia" or _push_differs(watch):
        since = watch.wrong_ns if watch.wrong_ns >= 0 else came.t_ns
        lasts = came.t_ns - since >= PERSISTS_NS
        notes.append(("inertia", "contradicts", TAKEOVER if lasts else LOG))
        return watch._replace(wrong_ns=since), notes
    return watch._replace(wrong_ns=-1), notes


WHEELS = ("front left", "front right", "rear left", "rear right")


def _wheels(bus: Bus, spin: float, car: Platform) -> tuple[float, int, float]:
    """(speed, the wheel that differs most from what the others say, by how much). The speed is the
    middle of what the four say, each moved to the rear axle's centre by the turn."""
    half = 0.5 * TRACK_SHARE * car.width_m * spin
    ahead = car.wheelbase_m * spin
    said = []
    for i, w in enumerate(bus.wheel_mps):
        along = math.sqrt(max(0.0, w * w - ahead * ahead)) if i < 2 else w
        said.append(along + (half if i % 2 == 0 else -half))
    low, one, two, high = sorted(said)
    v = 0.5 * (one + two)
    off = max(high - v, v - low)
    return v, said.index(high if high - v > v - low else low), off


def _differ(
    before: tuple[float, float, float], bus: Bus, gyro: float, v: float, car: Platform
) -> tuple[float, float, float]:
    """Smoothed differences of the three yaw rates."""
    flexed = car.wheelbase_m + car.understeer_rads2pm * v * v
    steer = v * math.tan(bus.steer_rad) / flexed
    wheels = (bus.wheel_mps[3] - bus.wheel_mps[2]) / (TRACK_SHARE * car.width_m)
    now = gyro - steer, gyro - wheels, steer - wheels
    a, b, c = (old + SMOOTH * (new - old) for old, new in zip(before, now, strict=True))
    return a, b, c


def _outvoted(differ: tuple[float, float, float], v: float, gyro: float, car: Platform) -> str:
    """Who contradicts both others, "" if nobody does."""
    swing = SHARE * min(abs(gyro), abs(gyro - differ[0]))
    steer = YAW_RADPS + ANGLE_RAD * v / car.wheelbase_m + swing
    wheel = YAW_RADPS + 2.0 * WHEEL_SCALE * v / (TRACK_SHARE * car.width_m)
    gs, gw, sw = (abs(each) for each in differ)
    if gs > steer and gw > wheel and sw <= steer:
        return "inertia"
    return "steering angle" if gs > steer and sw > steer and gw <= wheel else ""


def _push_differs(watch: MotionWatch) -> bool:
    """Whether inertia speeds up otherwise than the wheels did in the last tenth of a second."""
    if len(watch.speeds) < 6:
        return False
    took_s = watch.speeds[-1][2] - watch.speeds[0][2]
    if not 0.05 < took_s < 0.13:  # messages are missing in between
        return False
    by_wheels = (watch.speeds[-1][0] - watch.speeds[0][0]) / took_s
    by_inertia = sum(each[1] for each in watch.speeds[1:]) / 5.0
    return abs(by_inertia - by_wheels) > SLOPE_MPS2


def _fixes(
    watch: MotionWatch, came: Delivery, located: Located | None, dt_s: float
) -> tuple[MotionWatch, list[Note]]:
    """Satellites against the filter, the clock, and the way that we have gone by wheels."""
    notes: list[Note] = []
    if located is not None and watch.speeds and located.integrity != Integrity.UNKNOWN:
        way = watch.speeds[-1][0] * dt_s
        x, y, total = watch.reckoned
        watch = watch._replace(reckoned=(
            x + way * math.cos(located.heading_rad), y + way * math.sin(located.heading_rad),
            total + way,
        ))  # fmt: skip
    if came.gnss and located is not None and _refused(watch, located, came.t_ns):
        notes.append(("satellites", "drift", DEGRADE))
    notes += _in_order("satellites", [one.t_ns for one in came.gnss], watch.fix_stamp_ns)
    for fix in came.gnss:
        age = came.t_ns - fix.t_ns
        if not -MISDATED_NS[1] <= age <= MISDATED_NS[0]:
            notes.append(("satellites", "misdated", LOG))
            watch = watch._replace(sound_ns=-1)
            continue
        steady = watch.sound_ns >= 0 and came.t_ns - watch.fix_ns <= FIX_NS
        watch = watch._replace(sound_ns=watch.sound_ns if steady else came.t_ns)
        stamp = max(watch.fix_stamp_ns, fix.t_ns)
        watch = watch._replace(fix_ns=came.t_ns, fix_stamp_ns=stamp)
        watch, wrong = _off(watch, fix, came.t_ns)
        notes += wrong
    return watch, notes


def _refused(watch: MotionWatch, located: Located, now_ns: int) -> bool:
    """Whether sound fixes come, and the filter has not believed one for a while, though so shortly
    after the last one it knows well where we are. (After a longer time without any, it may be
    wrong.)"""
    low, high = REFUSED_S
    steady = watch.sound_ns >= 0 and seconds(now_ns - watch.sound_ns) > high
    return steady and low < located.fix_age_s < high


def _off(watch: MotionWatch, fix: Gnss, now_ns: int) -> tuple[MotionWatch, list[Note]]:
    """Whether the fixes have gone another way than the wheels: all at once, or little by little
    within the last twenty seconds."""
    if not math.isfinite(fix.x_m + fix.y_m):
        return watch, [("satellites", "not a number", LOG)]
    x, y, way = watch.reckoned
    here: Mark = (now_ns, fix.x_m - x, fix.y_m - y, way)
    if watch.marks and _apart(here, watch.marks[-1]) > JUMP_M + JUMP_SHARE * (
        way - watch.marks[-1][3]
    ):
        since = watch.jumped_ns if watch.jumped_ns >= 0 else now_ns
        if now_ns - since < JUMP_LASTS_NS:
            return watch._replace(jumped_ns=since, sound_ns=-1), [("satellites", "jump", LOG)]
        watch = watch._replace(marks=())
    drifts = any(
        _apart(here, each) > DRIFT_M + DRIFT_SHARE * (way - each[3]) for each in watch.marks
    )
    if not watch.marks or now_ns - watch.marks[-1][0] >= DRIFT_NS:
        watch = watch._replace(marks=(*watch.marks[1 - DRIFT_FIXES :], here))
    notes = [("satellites", "drift", DEGRADE)] if drifts else []
    return watch._replace(jumped_ns=-1), notes


def _apart(one: Mark, other: Mark) -> float:
    return math.hypot(one[1] - other[1], one[2] - other[2])
