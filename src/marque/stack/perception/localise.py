"""Localisation: where our car is, from satellites, inertia, wheels and steering, and how well.

`localise(memory, delivery) -> (memory, located)`. Parts arrive late and out of order: a fix may be
0.2 s old. The filter therefore stands `HORIZON_NS` in the past, where nothing older is to be
expected, and everything newer is kept and filtered again, in the order of its stamps, whenever
something late comes in. What came is never taken on trust: not finite, stale, from the future or
double parts are dropped and counted under that name, and a measurement that the filter finds less
likely than 1 % (normalised innovation squared against chi-squared) is counted as a contradiction.

The constraint that a rear axle does not slide sideways is a measurement like any other and may be
contradicted like any other. Standing wheels say that speed and yaw rate are zero.

Integrity is KNOWN while fixes come and agree, COASTING on inertia and wheels while the position's
spread stays below a limit, and UNKNOWN otherwise: before the first heading, with nothing to dead
reckon from, when fixes contradict for seconds, after a jump of the clock.
"""

import bisect
import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from marque.core.arrays import FloatArray, freeze_arrays
from marque.core.geometry import wrap_angle
from marque.core.time import NS_PER_S, seconds
from marque.maps.paint import Paint
from marque.stack.perception import eskf
from marque.stack.perception.eskf import BA, BG, OX, OY, PSI, K, N, U, V, X, Y
from marque.stack.perception.lines import shift_from_marks
from marque.types.codes import Basis, Integrity
from marque.types.platform import Platform
from marque.types.reading import Bus, Delivery, Gnss, Imu, LaneMarks

HORIZON_NS = 400_000_000
AHEAD_NS = 5_000_000  # clocks of two devices may differ by so much
JUMP_NS = NS_PER_S  # between two deliveries; beyond it, the clock is believed to have jumped
FRESH_NS = 60_000_000  # inertia and wheels are held for so long
LOST_NS = 500_000_000  # without them for longer, dead reckoning has nothing to stand on
FIX_FRESH_NS = NS_PER_S
CONTRADICTED_NS = 3 * NS_PER_S
STEP_NS = 50_000_000  # longest step of the prediction
CHI2_1, CHI2_2 = 6.6349, 9.2103  # 99 % points, 1 and 2 degrees of freedom
HEADING_FROM_MPS = 2.0  # below, the course of a fix says nothing
STANDING_MPS = 0.02
LEAST_FIX_M, LEAST_FIX_MPS = 0.02, 0.02  # no receiver is better, whatever it says
STANDING_NS = 500_000_000
PARKED_M, PARKED_RAD, PARKED_FIX_M = 0.5, 0.03, 1.0

Item = Imu | Gnss | Bus | LaneMarks
_RANK: dict[type, int] = {Imu: 0, Bus: 1, LaneMarks: 2, Gnss: 3}


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the filter believes of its sensors. Densities are per square root of a second."""

    accel_mps2: float = 0.12  # white noise of inertia
    gyro_radps: float = 0.0012
    accel_walk_mps2: float = 0.06  # bias; the slope of the road changes with it
    gyro_walk_radps: float = 3e-5
    wheel_mps: float = 0.08  # one telegram
    wheel_scale: float = 0.02  # at the start
    wheel_scale_walk: float = 2e-4
    slip_mps: float = 0.08  # a rear axle's sideways speed, one telegram
    slip_walk_mps: float = 0.10
    white_share: float = 0.2  # of a fix's variance; the rest wanders slowly
    wander_s: float = 120.0
    blind_accel_mps2: float = 2.0  # instead of inertia, when there is none
    blind_yaw_radps: float = 0.03
    gyro_bias_radps: float = 0.005  # at the start
    accel_bias_mps2: float = 0.4
    known_m: float = 6.0  # largest spread of a position that counts as known
    coasting_m: float = 12.0
    heading_rad: float = 0.09
    fixes: bool = True  # whether satellites are heard at all


# Without a map, nobody asks where on earth we are: the frame is that of our own wheels and gyro. It
# drifts, and nothing in it ever jumps, whatever satellites say.
ODOMETRY = Tuning(known_m=math.inf, coasting_m=math.inf, heading_rad=math.inf, fixes=False)


@dataclass(frozen=True, slots=True)
class Mounting:
    """Where the antenna is, from the rear axle centre: forward and left, metres."""

    forward_m: float = 0.0
    left_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One measurement against the filter: `what` it was, its normalised innovation squared."""

    t_ns: int
    what: str  # position, speed, course, wheels, slip, standing, turning
    nis: float
    freedom: int
    taken: bool


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where we believe to be at `t_ns`: rear axle centre, map frame. The covariance is that of
    (x, y, heading, speed). When integrity is UNKNOWN, no number here may be used."""

    t_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    yaw_rate_radps: float
    covariance: FloatArray  # [4, 4]
    integrity: Integrity
    basis: Basis
    fix_age_s: float  # since the last fix that agreed; inf before the first
    checks: tuple[Check, ...]  # of what was new in this delivery

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def spread_m(self) -> float:
        """One sigma of the position along its worst direction."""
        a, b, d = self.covariance[0, 0], self.covariance[0, 1], self.covariance[1, 1]
        worst = 0.5 * (a + d) + math.hypot(0.5 * (a - d), b)
        return math.sqrt(worst)


class Filter(NamedTuple):
    """The filter at one instant, with what it needs of the past. (A tuple, as one is made per
    measurement, several hundred a second.)"""

    t_ns: int
    state: FloatArray  # [N]
    cov: FloatArray  # [N, N]
    offset_var: float  # m2 per axis, of the slow error of fixes
    imu: Imu | None = None  # the newest of each
    bus: Bus | None = None
    fix_ns: int | None = None  # the newest that agreed
    doubt_ns: int | None = None  # since when fixes contradict
    moved_ns: int = 0  # when the wheels last turned


@dataclass(frozen=True, slots=True, eq=False)
class LocaliseMemory:
    """`base` is the filter at the horizon; `items` are newer, `trail` is the filter after each."""

    platform: Platform
    mounting: Mounting = field(default_factory=Mounting)
    tuning: Tuning = field(default_factory=Tuning)
    paint: Paint | None = None  # lines of the map; None: there is no map
    t_ns: int | None = None
    base: Filter | None = None
    items: tuple[Item, ...] = ()
    trail: tuple[Filter, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()  # of what was dropped or contradicted, by name

    @property
    def head(self) -> Filter | None:
        """The filter at the newest stamp."""
        return self.trail[-1] if self.trail else self.base


def localise(memory: LocaliseMemory, delivery: Delivery) -> tuple[LocaliseMemory, Located]:
    """One delivery in, the pose at its stamp out."""
    memory = _keep_time(memory, delivery.t_ns)
    memory, fresh = _sorted_out(memory, delivery)
    memory, checks = _filtered(memory, fresh)
    memory = _counted(memory, [f"{c.what} contradicts" for c in checks if not c.taken])
    memory = _restarted(memory)
    return _advanced(memory, delivery.t_ns), _located(memory, delivery.t_ns, checks)


def parked(
    memory: LocaliseMemory, t_ns: int, x_m: float, y_m: float, heading_rad: float
) -> LocaliseMemory:
    """Memory of a car that knows where it was parked, as cars do: within half a metre and a
    degree or two. Without this the first heading comes from the first fix in motion."""
    tuning = memory.tuning
    state = np.zeros(N)
    state[[X, Y, PSI]] = x_m, y_m, heading_rad
    slow = PARKED_FIX_M**2
    cov = np.diag(
        [
            PARKED_M**2, PARKED_M**2, PARKED_RAD**2, 1e-4, 1e-4, tuning.gyro_bias_radps**2,
            tuning.accel_bias_mps2**2, tuning.wheel_scale**2, slow, slow,
        ]
    )  # fmt: skip
    return replace(memory, base=Filter(t_ns, state, cov, slow, fix_ns=t_ns, moved_ns=t_ns))


def undoubted(memory: LocaliseMemory) -> LocaliseMemory:
    """Memory after it has become known from elsewhere that the fixes are wrong which contradicted:
    the pose is not in doubt because of them."""
    head = memory.head
    if head is None or head.doubt_ns is None:
        return memory
    base = None if memory.base is None else memory.base._replace(doubt_ns=None)
    trail = tuple(each._replace(doubt_ns=None) for each in memory.trail)
    return replace(memory, base=base, trail=trail)


def counts(memory: LocaliseMemory) -> dict[str, int]:
    """What was dropped or contradicted so far, by name."""
    return dict(memory.counts)


def _counted(memory: LocaliseMemory, names: list[str]) -> LocaliseMemory:
    if not names:
        return memory
    found = dict(memory.counts)
    for name in names:
        found[name] = found.get(name, 0) + 1
    return replace(memory, counts=tuple(found.items()))


# What comes in ---------------------------------------------------------------------------------


def _keep_time(memory: LocaliseMemory, t_ns: int) -> LocaliseMemory:
    """After a jump of the clock, no stamp of before means anything."""
    if memory.t_ns is None or 0 <= t_ns - memory.t_ns <= JUMP_NS:
        return replace(memory, t_ns=t_ns)
    name = "time jumped back" if t_ns < memory.t_ns else "time jumped ahead"
    memory = replace(memory, t_ns=t_ns, base=None, items=(), trail=())
    return _counted(memory, [name])


def _sorted_out(
    memory: LocaliseMemory, delivery: Delivery
) -> tuple[LocaliseMemory, tuple[Item, ...]]:
    """The usable parts in the order of their stamps, and the names of those dropped."""
    fresh: list[Item] = []
    names = []
    seen: set[tuple[type, int]] = {(type(item), item.t_ns) for item in memory.items}
    came: tuple[Item, ...] = (*delivery.imu, *delivery.bus, *delivery.gnss, *delivery.marks)
    for item in came:
        kind = type(item).__name__.lower()
        key = (type(item), item.t_ns)
        if not _finite(item):
            names.append(f"{kind} not finite")
        elif item.t_ns > delivery.t_ns + AHEAD_NS:
            names.append(f"{kind} from the future")
        elif item.t_ns <= _oldest(memory, delivery.t_ns):
            names.append(f"{kind} stale")
        elif key in seen:
            names.append(f"{kind} twice")
        else:
            seen.add(key)
            fresh.append(_sober(item) if isinstance(item, Gnss) else item)
    fresh.sort(key=_stamp)
    return _counted(memory, names), tuple(fresh)


def _sober(fix: Gnss) -> Gnss:
    """A fix whose opinion of itself is not better than any receiver's."""
    if fix.position_sigma_m >= LEAST_FIX_M and fix.speed_sigma_mps >= LEAST_FIX_MPS:
        return fix
    return replace(
        fix,
        position_sigma_m=max(fix.position_sigma_m, LEAST_FIX_M),
        speed_sigma_mps=max(fix.speed_sigma_mps, LEAST_FIX_MPS),
    )


def _oldest(memory: LocaliseMemory, now_ns: int) -> int:
    return memory.base.t_ns if memory.base is not None else now_ns - HORIZON_NS


def _finite(item: Item) -> bool:
    if isinstance(item, Imu):
        total = sum(item.accel_mps2) + sum(item.gyro_radps)
    elif isinstance(item, Bus):
        total = sum(item.wheel_mps) + item.steer_rad
    elif isinstance(item, LaneMarks):
        total = float(item.x_m.sum() + item.y_m.sum() + item.heading_rad.sum())
    else:
        total = item.x_m + item.y_m + item.speed_mps + item.course_rad
        total += item.position_sigma_m + item.speed_sigma_mps
        if item.position_sigma_m < 0.0 or item.speed_sigma_mps < 0.0:
            return False
    return math.isfinite(total)


# Filtering -------------------------------------------------------------------------------------


def _filtered(
    memory: LocaliseMemory, fresh: tuple[Item, ...]
) -> tuple[LocaliseMemory, tuple[Check, ...]]:
    """Take the fresh items in; begin with the first fix that tells a heading."""
    if not fresh:
        return memory, ()
    if memory.base is None:
        items = tuple(sorted((*memory.items, *fresh), key=_stamp))
        return _begun(replace(memory, items=items)), ()
    first = bisect.bisect_right(memory.items, _stamp(fresh[0]), key=_stamp)
    again = tuple(sorted((*memory.items[first:], *fresh), key=_stamp))
    start = memory.trail[first - 1] if first else memory.base
    trail, checks = _run(memory, start, again)
    known = {id(item) for item in fresh}
    memory = replace(memory, items=memory.items[:first] + again, trail=memory.trail[:first] + trail)
    return memory, tuple(check for item, check in checks if item in known)


def _stamp(item: Item) -> tuple[int, int]:
    """Sorts by time; of parts with one stamp, inertia goes first and fixes go last."""
    return item.t_ns, _RANK[type(item)]


def _begun(memory: LocaliseMemory) -> LocaliseMemory:
    for i, item in enumerate(memory.items):
        if isinstance(item, Gnss) and item.speed_mps > HEADING_FROM_MPS:
            base = _first(memory, item)
            later = memory.items[i + 1 :]
            trail, _ = _run(memory, base, later)
            return replace(memory, base=base, items=later, trail=trail)
    return memory


def _first(memory: LocaliseMemory, fix: Gnss) -> Filter:
    """The filter as the first fix in motion tells it."""
    tuning, arm = memory.tuning, memory.mounting
    imu = next((i for i in reversed(memory.items) if isinstance(i, Imu)), None)
    spin = imu.gyro_radps[2] if imu is not None else 0.0
    state = np.zeros(N)
    state[PSI] = wrap_angle(fix.course_rad - math.atan2(spin * arm.forward_m, fix.speed_mps))
    state[V] = fix.speed_mps
    c, s = math.cos(state[PSI]), math.sin(state[PSI])
    state[X] = fix.x_m - arm.forward_m * c + arm.left_m * s
    state[Y] = fix.y_m - arm.forward_m * s - arm.left_m * c
    white = tuning.white_share * fix.position_sigma_m**2
    slow = fix.position_sigma_m**2 - white
    course = (fix.speed_sigma_mps**2 + tuning.slip_mps**2) / fix.speed_mps**2
    cov = np.diag(
        [
            white + slow, white + slow, course, fix.speed_sigma_mps**2, tuning.slip_mps**2,
            tuning.gyro_bias_radps**2, tuning.accel_bias_mps2**2, tuning.wheel_scale**2,
            slow, slow,
        ]
    )  # fmt: skip
    cov[X, OX] = cov[OX, X] = cov[Y, OY] = cov[OY, Y] = -slow
    return Filter(fix.t_ns, state, cov, slow, imu, None, fix.t_ns, None, fix.t_ns)


def _run(
    memory: LocaliseMemory, start: Filter, items: tuple[Item, ...]
) -> tuple[tuple[Filter, ...], list[tuple[int, Check]]]:
    """The filter after each of `items`, and every check with the identity of its item."""
    checks: list[tuple[int, Check]] = []
    trail: list[Filter] = []
    following: list[Imu | None] = []
    coming: Imu | None = None
    for item in reversed(items):  # inertia is a mean over the step that ends at its stamp
        coming = item if isinstance(item, Imu) else coming
        following.append(coming)
    now = start
    for item, imu in zip(items, reversed(following), strict=True):
        now = _carried(memory, now, item.t_ns, imu)
        now, found = _taken(memory, now, item)
        checks += [(id(item), check) for check in found]
        trail.append(now)
    return tuple(trail), checks


def _carried(memory: LocaliseMemory, now: Filter, to_ns: int, coming: Imu | None) -> Filter:
    """Predict to `to_ns`, with the inertia of that very interval where it is at hand."""
    if to_ns <= now.t_ns:
        return now
    tuning = memory.tuning
    imu = coming if coming is not None and coming.t_ns - to_ns < FRESH_NS else now.imu
    if imu is not None and abs(to_ns - imu.t_ns) > FRESH_NS:
        imu = None
    if imu is None:
        accel, spin = now.state[BA], _steered(memory, now) + now.state[BG]
        push, turn = tuning.blind_accel_mps2, tuning.blind_yaw_radps
    else:
        accel, spin = imu.accel_mps2[0], imu.gyro_radps[2]
        push, turn = tuning.accel_mps2, tuning.gyro_radps
    wander = 2.0 * now.offset_var / tuning.wander_s
    noise = np.array(
        [
            0.0, 0.0, turn**2, push**2, tuning.slip_walk_mps**2, tuning.gyro_walk_radps**2,
            tuning.accel_walk_mps2**2, tuning.wheel_scale_walk**2, wander, wander,
        ]
    )  # fmt: skip
    steps = -(-(to_ns - now.t_ns) // STEP_NS)
    dt = seconds(to_ns - now.t_ns) / steps
    state, cov = now.state, now.cov
    for _ in range(steps):
        state, cov = eskf.predict(state, cov, accel, spin, dt, noise, 1.0 / tuning.wander_s)
    return now._replace(t_ns=to_ns, state=state, cov=cov)


def _steered(memory: LocaliseMemory, now: Filter) -> float:
    """Yaw rate of a steady turn with the last steering angle, 0 without one."""
    if now.bus is None:
        return 0.0
    v, car = now.state[V], memory.platform
    room = car.wheelbase_m + car.understeer_rads2pm * v * v
    return float(v * math.tan(now.bus.steer_rad) / room)


def _taken(memory: LocaliseMemory, now: Filter, item: Item) -> tuple[Filter, list[Check]]:
    if isinstance(item, Imu):
        return now._replace(imu=item), []
    if isinstance(item, Bus):
        return _take_bus(memory, now, item)
    if isinstance(item, LaneMarks):
        return _take_marks(memory, now, item)
    return _take_fix(memory, now, item)


def _take_bus(memory: LocaliseMemory, now: Filter, bus: Bus) -> tuple[Filter, list[Check]]:
    tuning = memory.tuning
    front_left, front_right, left, right = bus.wheel_mps
    # a front wheel rolls along its own plane: the axle behind is slower by the cosine
    rolled = 0.25 * ((front_left + front_right) * math.cos(bus.steer_rad) + left + right)
    standing = max(bus.wheel_mps) < STANDING_MPS
    now = now._replace(bus=bus, moved_ns=now.moved_ns if standing else bus.t_ns)
    checks: list[Check] = []
    if standing and bus.t_ns - now.moved_ns >= STANDING_NS:
        now = _scalar(now, "standing", _row((V, 1.0)), -now.state[V], 0.01**2, checks)
        if now.imu is not None and abs(bus.t_ns - now.imu.t_ns) <= FRESH_NS:
            spin = now.imu.gyro_radps[2] - now.state[BG]
            variance = tuning.gyro_radps**2 / seconds(20_000_000)
            now = _scalar(now, "turning", _row((BG, 1.0)), spin, variance, checks)
    else:
        v, k = now.state[V], now.state[K]
        row = _row((V, 1.0 + k), (K, v))
        now = _scalar(now, "wheels", row, rolled - (1.0 + k) * v, tuning.wheel_mps**2, checks)
    now = _scalar(now, "slip", _row((U, 1.0)), -now.state[U], tuning.slip_mps**2, checks)
    return now, checks


def _take_marks(
    memory: LocaliseMemory, now: Filter, marks: LaneMarks
) -> tuple[Filter, list[Check]]:
    """Marks against the lines of the map, without which they say nothing."""
    checks: list[Check] = []
    if memory.paint is None:
        return now, checks
    x, y, heading = (float(now.state[k]) for k in (X, Y, PSI))
    for row, residual, variance in shift_from_marks(memory.paint, marks, x, y, heading):
        full = _row((X, row[0]), (Y, row[1]), (PSI, row[2]))
        moved = now.state[[X, Y, PSI]] - (x, y, heading)  # by the corrections before this one
        rest = residual - float(row @ moved)
        now = _scalar(now, "marks", full, rest, variance, checks)
    return now, checks


def _take_fix(memory: LocaliseMemory, now: Filter, fix: Gnss) -> tuple[Filter, list[Check]]:
    tuning, arm, state = memory.tuning, memory.mounting, now.state
    white = tuning.white_share * fix.position_sigma_m**2
    now = now._replace(offset_var=fix.position_sigma_m**2 - white)
    c, s = math.cos(state[PSI]), math.sin(state[PSI])
    east = arm.forward_m * c - arm.left_m * s
    north = arm.forward_m * s + arm.left_m * c
    rx = fix.x_m - (state[X] + east + state[OX])
    ry = fix.y_m - (state[Y] + north + state[OY])
    hx, hy = _row((X, 1.0), (PSI, -north), (OX, 1.0)), _row((Y, 1.0), (PSI, east), (OY, 1.0))
    nis = eskf.surprise_2(now.cov, hx, hy, rx, ry, white)
    agrees = nis <= CHI2_2
    checks = [Check(fix.t_ns, "position", nis, 2, agrees)]
    if agrees:
        state, cov = eskf.correct_2(now.state, now.cov, hx, hy, rx, ry, white)
        now = now._replace(state=state, cov=cov, fix_ns=fix.t_ns, doubt_ns=None)
    elif now.doubt_ns is None:
        now = now._replace(doubt_ns=fix.t_ns)
    return _take_motion(now, fix, arm, checks), checks


def _take_motion(now: Filter, fix: Gnss, arm: Mounting, checks: list[Check]) -> Filter:
    """Speed and course of a fix: those of the antenna, which a turn moves sideways."""
    spin = 0.0 if now.imu is None else now.imu.gyro_radps[2] - now.state[BG]
    along = now.state[V] - spin * arm.left_m
    row = _row((V, 1.0))
    variance = fix.speed_sigma_mps**2
    if fix.speed_mps <= HEADING_FROM_MPS or along <= HEADING_FROM_MPS:
        return _scalar(now, "speed", row, fix.speed_mps - abs(along), variance, checks)
    now = _scalar(now, "speed", row, fix.speed_mps - along, variance, checks)
    along = now.state[V] - spin * arm.left_m
    aside = now.state[U] + spin * arm.forward_m
    residual = wrap_angle(fix.course_rad - now.state[PSI] - math.atan2(aside, along))
    row = _row((PSI, 1.0), (U, 1.0 / along))
    return _scalar(now, "course", row, residual, variance / along**2, checks)


def _row(*entries: tuple[int, float]) -> FloatArray:
    row = np.zeros(N)
    for index, value in entries:
        row[index] = value
    return row


def _scalar(
    now: Filter, what: str, row: FloatArray, residual: float, variance: float, checks: list[Check]
) -> Filter:
    """Correct by one number if it is likely enough."""
    nis = eskf.surprise(now.cov, row, residual, variance)
    taken = nis <= CHI2_1
    checks.append(Check(now.t_ns, what, nis, 1, taken))
    if not taken:
        return now
    state, cov = eskf.correct(now.state, now.cov, row, residual, variance)
    return now._replace(state=state, cov=cov)


# What goes out ---------------------------------------------------------------------------------


def _restarted(memory: LocaliseMemory) -> LocaliseMemory:
    """Fixes that contradict for seconds and go on coming: begin again with them."""
    head = memory.head
    if head is None or head.doubt_ns is None or head.t_ns - head.doubt_ns < CONTRADICTED_NS:
        return memory
    newest = tuple(item for item in memory.items if item.t_ns > head.t_ns - HORIZON_NS // 2)
    memory = replace(memory, base=None, items=newest, trail=())
    return _counted(_begun(memory), ["begun again"])


def _advanced(memory: LocaliseMemory, now_ns: int) -> LocaliseMemory:
    """Move the base up to the horizon; what is older can no longer be put in order."""
    old = bisect.bisect_right(memory.items, now_ns - HORIZON_NS, key=lambda item: item.t_ns)
    if not old:
        return memory
    memory = replace(memory, items=memory.items[old:])
    if memory.base is None:
        return memory
    return replace(memory, base=memory.trail[old - 1], trail=memory.trail[old:])


def _located(memory: LocaliseMemory, t_ns: int, checks: tuple[Check, ...]) -> Located:
    if memory.head is None:
        nothing = np.full((4, 4), np.inf)
        zero = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        return Located(t_ns, *zero, nothing, Integrity.UNKNOWN, Basis.NONE, math.inf, checks)
    now = _carried(memory, memory.head, t_ns, None)
    state = now.state
    accel, spin, basis = _motion(memory, now)
    fix_age_s = math.inf if now.fix_ns is None else seconds(t_ns - now.fix_ns)
    if fix_age_s <= seconds(FIX_FRESH_NS):
        basis |= Basis.GNSS
    found = Located(
        t_ns, float(state[X]), float(state[Y]), float(state[PSI]), float(state[V]), accel, spin,
        now.cov[np.ix_([X, Y, PSI, V], [X, Y, PSI, V])], Integrity.UNKNOWN, basis, fix_age_s,
        checks,
    )  # fmt: skip
    return replace(found, integrity=_integrity(memory.tuning, now, found))


def _motion(memory: LocaliseMemory, now: Filter) -> tuple[float, float, Basis]:
    """Acceleration, yaw rate, and what both and the speed rest on."""
    basis = Basis.NONE
    accel, spin = 0.0, 0.0
    if now.bus is not None and now.t_ns - now.bus.t_ns <= LOST_NS:
        basis |= Basis.WHEELS
        if now.t_ns - now.moved_ns >= STANDING_NS:
            basis |= Basis.STANDSTILL
    if now.imu is not None and now.t_ns - now.imu.t_ns <= FRESH_NS:
        basis |= Basis.IMU
        accel = now.imu.accel_mps2[0] - float(now.state[BA])
        spin = now.imu.gyro_radps[2] - float(now.state[BG])
    elif Basis.WHEELS in basis:
        basis |= Basis.STEER
        spin = _steered(memory, now)
    return accel, spin, basis


def _integrity(tuning: Tuning, now: Filter, found: Located) -> Integrity:
    turned = math.sqrt(found.covariance[2, 2])
    doubted = now.doubt_ns is not None and now.t_ns - now.doubt_ns >= CONTRADICTED_NS // 2
    if doubted or turned > tuning.heading_rad or not found.basis & (Basis.IMU | Basis.WHEELS):
        return Integrity.UNKNOWN
    if Basis.GNSS in found.basis and found.spread_m <= tuning.known_m:
        return Integrity.KNOWN
    return Integrity.COASTING if found.spread_m <= tuning.coasting_m else Integrity.UNKNOWN
