"""What sensors deliver is not believed unseen: each list is checked, and turned into the map.

Whatever cannot be true is left out and counted by name; nothing raises, as a car drives on.
"""

from dataclasses import dataclass

import numpy as np

from marque.core.arrays import BoolArray, FloatArray
from marque.stack.perception.ego import Past, pose_at
from marque.stack.perception.noise import SensorModel
from marque.types.codes import Indicator, UserKind
from marque.types.reading import ObjectList

OLDEST_NS = 400_000_000  # a list that took longer is worth nothing
LARGEST_M = 40.0
FASTEST_MPS = 120.0
MOST = 200  # objects that one list may hold; the surest are kept

# why something was left out
UNKNOWN_SENSOR = "unknown sensor"
FUTURE = "from the future"
STALE = "too old"
REPEATED = "stamp twice"
NO_POSE = "own motion unknown"
NOT_FINITE = "not a number"
OUT_OF_RANGE = "out of range"
DUPLICATE = "row twice"
TOO_MANY = "too many rows"

Dropped = dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One list, checked, in the map frame at its own stamp."""

    t_ns: int
    sensor: int
    eye: FloatArray  # [3] x, y, heading of the sensor
    rows: FloatArray  # [m, 19] see store.py, in an order that does not depend on the delivery


def admit(
    lists: tuple[ObjectList, ...],
    sensors: tuple[SensorModel, ...],
    past: Past,
    now_ns: int,
    done_ns: int,
    known: set[tuple[int, int]],
) -> tuple[list[Sighting], Dropped]:
    """Those lists that can be used at `now_ns`, and how many lists or rows were left out, why.

    Lists up to `done_ns` come too late; `known` are (stamp, sensor) taken before.
    """
    out: list[Sighting] = []
    dropped: Dropped = {}
    known = set(known)
    for one in lists:
        reason = _whole(one, len(sensors), now_ns, done_ns, known)
        pose = pose_at(past, one.t_ns) if not reason else None
        if pose is None:
            _count(dropped, reason or NO_POSE, 1)
            continue
        known.add((one.t_ns, one.sensor))
        rows = _checked(one, sensors[one.sensor], dropped)
        out.append(_in_map(one, rows, sensors[one.sensor], pose))
    return out, dropped


def add_up(before: Dropped, more: Dropped) -> Dropped:
    """Both counts together."""
    return {name: before.get(name, 0) + more.get(name, 0) for name in {**before, **more}}


def _count(dropped: Dropped, name: str, number: int) -> None:
    if number:
        dropped[name] = dropped.get(name, 0) + number


def _whole(
    one: ObjectList, sensors: int, now_ns: int, done_ns: int, known: set[tuple[int, int]]
) -> str:
    """Why the list cannot be taken at all; empty if it can."""
    if not 0 <= one.sensor < sensors:
        return UNKNOWN_SENSOR
    if one.t_ns > now_ns:
        return FUTURE
    if now_ns - one.t_ns > OLDEST_NS or one.t_ns <= done_ns:
        return STALE
    return REPEATED if (one.t_ns, one.sensor) in known else ""


def _checked(one: ObjectList, sensor: SensorModel, dropped: Dropped) -> BoolArray:
    """Which rows [n] can be true."""
    numbers = np.column_stack((
        one.x_m, one.y_m, one.score, one.heading_rad, one.length_m, one.width_m, one.vx_mps,
        one.vy_mps, one.rate_mps,
    ))  # fmt: skip
    fine = np.isfinite(numbers).all(axis=1)
    _count(dropped, NOT_FINITE, int((~fine).sum()))
    with np.errstate(invalid="ignore"):
        far = np.hypot(one.x_m - sensor.mount_x_m, one.y_m - sensor.mount_y_m)
        size = (one.length_m > 0.0) & (one.width_m > 0.0)
        size &= (one.length_m <= LARGEST_M) & (one.width_m <= LARGEST_M)
        can = (far <= 1.2 * sensor.range_m + 5.0) & (one.score >= 0.0) & (one.score <= 1.0)
        can &= ~one.has_box | size
        can &= ~one.has_velocity | (np.hypot(one.vx_mps, one.vy_mps) <= FASTEST_MPS)
        can &= ~one.has_rate | (np.abs(one.rate_mps) <= FASTEST_MPS)
    can &= ~one.has_kind | ((one.kind >= 0) & (one.kind < len(UserKind)))
    can &= ~one.has_indicator | ((one.indicator >= 0) & (one.indicator < len(Indicator)))
    _count(dropped, OUT_OF_RANGE, int((fine & ~can).sum()))
    fine &= can
    return _once(numbers, fine, dropped)


def _once(numbers: FloatArray, fine: BoolArray, dropped: Dropped) -> BoolArray:
    """Of rows that are alike in every number one; of too many the surest."""
    rows = np.flatnonzero(fine)
    _, first = np.unique(numbers[rows], axis=0, return_index=True)
    _count(dropped, DUPLICATE, len(rows) - len(first))
    rows = rows[first]
    if len(rows) > MOST:
        _count(dropped, TOO_MANY, len(rows) - MOST)
        rows = rows[np.argsort(-numbers[rows, 2], kind="stable")[:MOST]]
    out = np.zeros(len(fine), dtype=np.bool_)
    out[rows] = True
    return out


def _in_map(
    one: ObjectList, use: BoolArray, sensor: SensorModel, pose: tuple[float, float, float]
) -> Sighting:
    x, y, heading = pose
    c, s = np.cos(heading), np.sin(heading)
    eye_x = x + c * sensor.mount_x_m - s * sensor.mount_y_m
    eye_y = y + s * sensor.mount_x_m + c * sensor.mount_y_m
    order = np.lexsort((one.y_m[use], one.x_m[use]))
    ox, oy, vx, vy = (
        column[use][order] for column in (one.x_m, one.y_m, one.vx_mps, one.vy_mps)
    )  # fmt: skip
    at_x = x + c * ox - s * oy
    at_y = y + s * ox + c * oy
    range_m = np.maximum(np.hypot(at_x - eye_x, at_y - eye_y), 1e-3)
    rest = (
        one.score, one.has_kind, one.kind, one.has_box, one.heading_rad + heading, one.length_m,
        one.width_m, one.has_velocity,
    )  # fmt: skip
    last = (one.has_rate, one.rate_mps, one.has_indicator, one.indicator)
    rows = np.column_stack((
        at_x, at_y, *(column[use][order] for column in rest), c * vx - s * vy, s * vx + c * vy,
        *(column[use][order] for column in last), range_m, (at_x - eye_x) / range_m,
        (at_y - eye_y) / range_m,
    )).astype(np.float64)  # fmt: skip
    eye = np.array([eye_x, eye_y, heading + sensor.yaw_rad])
    return Sighting(one.t_ns, one.sensor, eye, np.ascontiguousarray(rows))
