"""What one camera, radar or lidar finds of the road users around: range, field of view, line of
sight, and the errors of its kind.

Errors grow with range and are drawn anew for each scan from the stream they are given; the same
stream gives the same list.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, IntArray
from marque.core.geometry import wrap_angles
from marque.sensing.equipment import ObjectSensor
from marque.sensing.occlusion import HIDES, TALL, boxes, next_in_row, ray_to_box, visible_shares
from marque.types.codes import Indicator, SensorKind, UserKind
from marque.types.platform import Platform
from marque.types.reading import ObjectList
from marque.types.world import EgoTruth, RoadUsers

RAYS = 16  # per road user, to measure the share of it that is seen
BENEATH_SHARE = 0.65  # of the range: how far a radar looks beneath a vehicle
# what a kind is taken for when it is mistaken
ALIKE = np.array(
    [
        UserKind.TRUCK,
        UserKind.BUS,
        UserKind.TRUCK,
        UserKind.BICYCLE,
        UserKind.MOTORCYCLE,
        UserKind.BICYCLE,
        UserKind.BUS,
        UserKind.CAR,
    ],
    dtype=np.int8,
)
LEAST_SIZE_M = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Mounted:
    """A sensor on a car. Place and direction in the car's frame (rear axle)."""

    number: int
    sensor: ObjectSensor
    x_m: float
    y_m: float
    heading_rad: float

    def pose(self, ego: EgoTruth) -> tuple[float, float, float]:
        """(x, y, heading) on the map."""
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        return (
            ego.x_m + c * self.x_m - s * self.y_m,
            ego.y_m + s * self.x_m + c * self.y_m,
            ego.heading_rad + self.heading_rad,
        )


def mounted(number: int, sensor: ObjectSensor, platform: Platform) -> Mounted:
    """Where a sensor stands on this car."""
    return Mounted(
        number,
        sensor,
        sensor.along * platform.length_m - platform.rear_overhang_m,
        0.5 * sensor.across * platform.width_m,
        math.radians(sensor.heading_deg),
    )


def find(
    mount: Mounted, ego: EgoTruth, users: RoadUsers, t_ns: int, draw: np.random.Generator
) -> ObjectList:
    """One scan at the instant of the truth that it is given."""
    sensor = mount.sensor
    box = boxes(users)
    seen = np.flatnonzero(in_sight(mount, ego, users, box))
    eye = mount.pose(ego)
    away = np.hypot(users.x_m[seen] - eye[0], users.y_m[seen] - eye[1])
    missed = sensor.missed * (1.0 + (away / sensor.range_m) ** 2)
    kept = draw.random(len(seen)) >= missed
    rows = _true_rows(mount, ego, users, box, seen[kept], draw)
    rows = _and_false(mount, rows, draw)
    order = draw.permutation(len(rows["x_m"]))  # the order tells nothing
    return ObjectList(
        sensor=mount.number, t_ns=t_ns, **{name: column[order] for name, column in rows.items()}
    )


def in_sight(mount: Mounted, ego: EgoTruth, users: RoadUsers, box: FloatArray) -> BoolArray:
    """[n] whether each road user is in range, in the field of view and visible enough."""
    sensor = mount.sensor
    ex, ey, heading = mount.pose(ego)
    dx, dy = users.x_m - ex, users.y_m - ey
    bearing = wrap_angles(np.arctan2(dy, dx) - heading)
    wanted = np.hypot(dx, dy) <= sensor.range_m
    wanted &= np.abs(bearing) <= math.radians(sensor.half_angle_deg)
    hides, tall = HIDES[users.kind], TALL[users.kind]
    share, span = visible_shares(ex, ey, box, hides, tall, wanted, RAYS)
    seen: BoolArray = wanted & (share > 0.0) & (share >= sensor.visible_share_min)
    if sensor.beneath:
        reach = BENEATH_SHARE * sensor.range_m
        seen |= wanted & next_in_row(ex, ey, heading, box, span, hides, reach)
    return seen


Rows = dict[str, np.ndarray[Any, Any]]


def _true_rows(
    mount: Mounted,
    ego: EgoTruth,
    users: RoadUsers,
    box: FloatArray,
    seen: IntArray,
    draw: np.random.Generator,
) -> Rows:
    """Columns of the objects that are there, with this sensor's errors, in the car's frame."""
    sensor, n = mount.sensor, len(seen)
    radar = sensor.code == SensorKind.RADAR
    at = _reflections(mount, ego, box, seen) if radar else box[seen, :2]
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    dx, dy = at[:, 0] - ego.x_m, at[:, 1] - ego.y_m
    x, y = c * dx + s * dy, -s * dx + c * dy
    away = np.hypot(x - mount.x_m, y - mount.y_m)
    ray = np.arctan2(y - mount.y_m, x - mount.x_m)
    along = (sensor.along_sigma_m + sensor.along_growth * away) * draw.standard_normal(n)
    across = (sensor.across_sigma_m + sensor.across_growth * away) * draw.standard_normal(n)
    heading = users.heading_rad[seen] - ego.heading_rad
    speed = users.speed_mps[seen]
    vx, vy = speed * np.cos(heading), speed * np.sin(heading)
    sigma = sensor.speed_sigma_mps + sensor.speed_growth_1ps * away
    noise = draw.standard_normal((2, n)) * sigma
    rate = vx * np.cos(ray) + vy * np.sin(ray) + noise[0]
    kind, indicator = _read(sensor, users, seen, draw)
    turned = math.radians(sensor.heading_sigma_deg) * draw.standard_normal(n)
    sizes = [
        np.maximum(LEAST_SIZE_M, size[seen] + sensor.size_sigma_m * draw.standard_normal(n))
        for size in (users.length_m, users.width_m)
    ]
    rows: Rows = {
        "x_m": x + along * np.cos(ray) - across * np.sin(ray),
        "y_m": y + along * np.sin(ray) + across * np.cos(ray),
        "score": np.clip(0.85 + 0.08 * draw.standard_normal(n), 0.4, 1.0),
        "kind": kind,
        "heading_rad": wrap_angles(heading + turned),
        "length_m": sizes[0],
        "width_m": sizes[1],
        "vx_mps": vx + noise[0],
        "vy_mps": vy + noise[1],
        "rate_mps": rate,
        "indicator": indicator,
    }
    return _masked(sensor.code, rows)


def _reflections(mount: Mounted, ego: EgoTruth, box: FloatArray, seen: IntArray) -> FloatArray:
    """[n, 2] where the ray to the middle of each box enters it: a radar sees that side."""
    ex, ey, _ = mount.pose(ego)
    out = box[seen, :2].copy()
    for row, i in enumerate(seen):
        dx, dy = box[i, 0] - ex, box[i, 1] - ey
        away = math.hypot(dx, dy)
        if away < 1e-6:
            continue
        met = ray_to_box(ex, ey, dx / away, dy / away, *box[i])
        if met < away:
            out[row] = ex + met * dx / away, ey + met * dy / away
    return out


def _read(
    sensor: ObjectSensor, users: RoadUsers, seen: IntArray, draw: np.random.Generator
) -> tuple[Int8Array, Int8Array]:
    """(kind, indicator) as this sensor takes them."""
    n = len(seen)
    kind = users.kind[seen]
    kind = np.where(draw.random(n) < sensor.kind_error, ALIKE[kind], kind).astype(np.int8)
    indicator = users.indicator[seen]
    other = draw.integers(0, len(Indicator), n)
    wrong = draw.random(n) < sensor.indicator_error
    return kind, np.where(wrong, other, indicator).astype(np.int8)


def _and_false(mount: Mounted, rows: Rows, draw: np.random.Generator) -> Rows:
    """The columns, and those of objects that are not there."""
    sensor = mount.sensor
    n = int(draw.poisson(sensor.false_per_scan))
    half = math.radians(sensor.half_angle_deg)
    ray = mount.heading_rad + draw.uniform(-half, half, n)
    away = sensor.range_m * np.sqrt(draw.random(n))
    ghosts: Rows = {
        "x_m": mount.x_m + away * np.cos(ray),
        "y_m": mount.y_m + away * np.sin(ray),
        "score": np.clip(0.35 + 0.15 * draw.standard_normal(n), 0.05, 1.0),
        "kind": draw.choice([int(UserKind.CAR), int(UserKind.PEDESTRIAN)], n).astype(np.int8),
        "heading_rad": draw.uniform(-math.pi, math.pi, n),
        "length_m": draw.uniform(0.5, 5.0, n),
        "width_m": draw.uniform(0.4, 2.0, n),
        "vx_mps": 3.0 * draw.standard_normal(n),
        "vy_mps": 3.0 * draw.standard_normal(n),
        "rate_mps": 3.0 * draw.standard_normal(n),
        "indicator": np.zeros(n, dtype=np.int8),
    }
    ghosts = _masked(sensor.code, ghosts)
    return {name: np.concatenate((column, ghosts[name])) for name, column in rows.items()}


# what each kind of sensor tells; the rest is masked out
_TELLS = {
    SensorKind.CAMERA: ("kind", "box", "indicator"),
    SensorKind.RADAR: ("rate",),
    SensorKind.LIDAR: ("kind", "box", "velocity"),
}
_HOLDS = {
    "kind": ("kind",),
    "box": ("heading_rad", "length_m", "width_m"),
    "velocity": ("vx_mps", "vy_mps"),
    "rate": ("rate_mps",),
    "indicator": ("indicator",),
}


def _masked(code: SensorKind, rows: Rows) -> Rows:
    """The columns with their masks; what the sensor does not tell is 0."""
    n = len(rows["x_m"])
    out = dict(rows)
    for part, names in _HOLDS.items():
        told = part in _TELLS[code]
        out[f"has_{part}"] = np.full(n, told)
        if not told:
            out.update({name: np.zeros_like(rows[name]) for name in names})
    return out
