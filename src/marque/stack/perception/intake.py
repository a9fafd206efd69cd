"""What sensors deliver is not believed unseen: each list is checked, and turned into the map.

Whatever cannot be true is left out and counted by name; nothing raises, as a car drives on.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.core.jit import jit
from marque.stack.perception.ego import Past, Pose, pose_at
from marque.stack.perception.noise import SensorModel
from marque.stack.perception.store import (
    D_HAS_BOX,
    D_HAS_INDICATOR,
    D_HAS_KIND,
    D_HAS_RATE,
    D_HAS_VELOCITY,
    D_HEADING,
    D_INDICATOR,
    D_KIND,
    D_LENGTH,
    D_RANGE,
    D_RATE,
    D_RAY_X,
    D_RAY_Y,
    D_SCORE,
    D_VX,
    D_VY,
    D_WIDTH,
    D_X,
    D_Y,
)
from marque.types.codes import Indicator, UserKind
from marque.types.reading import ObjectList

OLDEST_NS = 400_000_000  # a list that took longer is worth nothing
LARGEST_M = 40.0
FASTEST_MPS = 120.0
KINDS = len(UserKind)
LIGHTS = len(Indicator)
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
        cells = _fit(_cells(one), sensors[one.sensor], dropped)
        out.append(_sighting(one, cells, sensors[one.sensor], pose))
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


def _cells(one: ObjectList) -> FloatArray:
    """[n, 16] the columns side by side, as they stand in the list."""
    columns = (
        one.x_m, one.y_m, one.score, one.has_kind, one.kind, one.has_box, one.heading_rad,
        one.length_m, one.width_m, one.has_velocity, one.vx_mps, one.vy_mps, one.has_rate,
        one.rate_mps, one.has_indicator, one.indicator,
    )  # fmt: skip
    cells = np.empty((one.count, len(columns)))
    for number, column in enumerate(columns):
        cells[:, number] = column
    return cells


def _fit(cells: FloatArray, sensor: SensorModel, dropped: Dropped) -> FloatArray:
    """The rows that can be true, each once, of too many the surest; sorted by place."""
    fault = _faults(cells, sensor.mount_x_m, sensor.mount_y_m, 1.2 * sensor.range_m + 5.0)
    _count(dropped, NOT_FINITE, int((fault == _NOT_FINITE).sum()))
    _count(dropped, OUT_OF_RANGE, int((fault == _OUT_OF_RANGE).sum()))
    cells = cells[fault == 0]
    cells = cells[np.lexsort((cells[:, D_SCORE], cells[:, D_Y], cells[:, D_X]))]
    again = np.zeros(len(cells), dtype=np.bool_)
    again[1:] = (cells[1:] == cells[:-1]).all(axis=1)
    _count(dropped, DUPLICATE, int(again.sum()))
    cells = cells[~again]
    if len(cells) > MOST:
        _count(dropped, TOO_MANY, len(cells) - MOST)
        surest = np.argsort(-cells[:, D_SCORE], kind="stable")[:MOST]
        cells = cells[np.sort(surest)]
    return cells


_NOT_FINITE = 1
_OUT_OF_RANGE = 2


@jit
def _faults(cells: FloatArray, mount_x: float, mount_y: float, far: float) -> IntArray:
    """[n] 0 for a row that can be true, else what is wrong with it."""
    out = np.zeros(len(cells), dtype=np.int64)
    for i in range(len(cells)):
        row = cells[i]
        total = 0.0
        for cell in row:
            total += abs(cell)
        if not math.isfinite(total):
            out[i] = _NOT_FINITE
            continue
        can = math.hypot(row[D_X] - mount_x, row[D_Y] - mount_y) <= far
        can = can and 0.0 <= row[D_SCORE] <= 1.0
        if row[D_HAS_BOX] == 1.0:
            can = can and 0.0 < row[D_LENGTH] <= LARGEST_M and 0.0 < row[D_WIDTH] <= LARGEST_M
        if row[D_HAS_VELOCITY] == 1.0:
            can = can and math.hypot(row[D_VX], row[D_VY]) <= FASTEST_MPS
        if row[D_HAS_RATE] == 1.0:
            can = can and abs(row[D_RATE]) <= FASTEST_MPS
        if row[D_HAS_KIND] == 1.0:
            can = can and 0.0 <= row[D_KIND] < KINDS
        if row[D_HAS_INDICATOR] == 1.0:
            can = can and 0.0 <= row[D_INDICATOR] < LIGHTS
        out[i] = 0 if can else _OUT_OF_RANGE
    return out


def _sighting(one: ObjectList, cells: FloatArray, sensor: SensorModel, pose: Pose) -> Sighting:
    c, s = math.cos(pose.heading_rad), math.sin(pose.heading_rad)
    eye = np.array([
        pose.x_m + c * sensor.mount_x_m - s * sensor.mount_y_m,
        pose.y_m + s * sensor.mount_x_m + c * sensor.mount_y_m,
        pose.heading_rad + sensor.yaw_rad,
    ])  # fmt: skip
    rows = _in_map(cells, pose.x_m, pose.y_m, pose.heading_rad, eye)
    return Sighting(one.t_ns, one.sensor, eye, rows)


@jit
def _in_map(cells: FloatArray, x: float, y: float, heading: float, eye: FloatArray) -> FloatArray:
    """[m, 19] rows of a list as in store.py: turned into the map, with range and ray."""
    c = math.cos(heading)
    s = math.sin(heading)
    m, wide = cells.shape
    rows = np.empty((m, wide + 3))
    for i in range(m):
        for column in range(wide):
            rows[i, column] = cells[i, column]
        rows[i, D_X] = x + c * cells[i, D_X] - s * cells[i, D_Y]
        rows[i, D_Y] = y + s * cells[i, D_X] + c * cells[i, D_Y]
        rows[i, D_VX] = c * cells[i, D_VX] - s * cells[i, D_VY]
        rows[i, D_VY] = s * cells[i, D_VX] + c * cells[i, D_VY]
        rows[i, D_HEADING] = cells[i, D_HEADING] + heading
        dx = rows[i, D_X] - eye[0]
        dy = rows[i, D_Y] - eye[1]
        away = max(1e-3, math.hypot(dx, dy))
        rows[i, D_RANGE] = away
        rows[i, D_RAY_X] = dx / away
        rows[i, D_RAY_Y] = dy / away
    return rows
