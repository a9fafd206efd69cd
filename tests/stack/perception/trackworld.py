"""A small world of its own for the tracker: truth in closed form, sensors with plain noise.

Independent of the sensor models of the program: it shares no code with them and no parameters
with the tracker.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from marque.core.time import NS_PER_S
from marque.stack.perception.noise import SensorModel, camera, lidar, radar
from marque.types.codes import Indicator, SensorKind, UserKind
from marque.types.reading import EgoReading, ObjectList

SENSORS = (
    camera(),
    radar(),
    lidar(),
)


@dataclass(frozen=True)
class Body:
    """One road user: where it is at any time, by a function t -> x, y, heading, speed."""

    uid: int
    kind: UserKind
    length: float
    width: float
    at: object
    indicator: Indicator = Indicator.OFF


@dataclass(frozen=True)
class Senses:
    """How the sensors of this world err."""

    position_m: float = 0.15
    per_m: float = 0.002
    speed_mps: float = 0.2
    heading_rad: float = 0.03
    latency_s: float = 0.08
    jitter_s: float = 0.015
    drop: float = 0.02
    false: float = 0.3  # false objects per list
    range_m: float = 100.0
    on: tuple[int, ...] = (0, 1, 2)
    period_s: float = 0.1


EXACT = Senses(
    position_m=0.0, per_m=0.0, speed_mps=0.0, heading_rad=0.0, jitter_s=0.0, drop=0.0, false=0.0
)


def lane(y, v, x0=0.0, heading=0.0):
    """Straight on at constant speed, along a line through (x0, y) or turned about the origin."""
    c, s = math.cos(heading), math.sin(heading)

    def at(t):
        x = x0 + v * t
        return c * x - s * y, s * x + c * y, heading, v

    return at


def circle(radius, v, start=0.0, cx=0.0, cy=0.0):
    """Round a circle, counter-clockwise for v > 0."""

    def at(t):
        a = start + v * t / radius
        return cx + radius * math.cos(a), cy + radius * math.sin(a), a + math.pi / 2, v

    return at


def cut_in(y0, y1, v, x0, t0, lasts=4.0):
    """From one lane into another between t0 and t0 + lasts, along a cosine."""

    def at(t):
        u = min(1.0, max(0.0, (t - t0) / lasts))
        y = y0 + (y1 - y0) * 0.5 * (1.0 - math.cos(math.pi * u))
        vy = (y1 - y0) * 0.5 * math.pi / lasts * math.sin(math.pi * u) if 0.0 < u < 1.0 else 0.0
        heading = math.atan2(vy, v)
        return x0 + v * t, y, heading, math.hypot(v, vy)

    return at


def ego_at(path, t):
    """EgoReading from a path by differences."""
    x, y, h, v = path(t)
    _, _, h1, v1 = path(t + 1e-4)
    turn = (h1 - h + math.pi) % (2 * math.pi) - math.pi
    return EgoReading(round(t * NS_PER_S), x, y, h, v, (v1 - v) / 1e-4, turn / 1e-4, 0.0)


def hidden(eye, body, others, t):
    """Whether another vehicle stands on the line from the eye to the middle and both ends."""
    x, y, h, _ = body.at(t)
    marks = [
        (x + k * body.length * math.cos(h), y + k * body.length * math.sin(h))
        for k in (-0.45, 0, 0.45)
    ]
    blocked = 0
    for mx, my in marks:
        for other in others:
            if other.uid == body.uid or other.kind in (UserKind.PEDESTRIAN, UserKind.BICYCLE):
                continue
            if _between(eye, (mx, my), other, t):
                blocked += 1
                break
    return blocked >= 2


def _between(a, b, other, t):
    x, y, h, _ = other.at(t)
    c, s = math.cos(h), math.sin(h)
    for k in np.linspace(0.02, 0.97, 40):
        px, py = a[0] + k * (b[0] - a[0]) - x, a[1] + k * (b[1] - a[1]) - y
        if abs(px * c + py * s) < other.length / 2 and abs(-px * s + py * c) < other.width / 2:
            return True
    return False


@dataclass
class Generator:
    """Noisy lists of one drive: `deliver(t)` gives those that arrive by t."""

    path: object
    bodies: list
    senses: Senses
    seed: int = 0
    models: tuple[SensorModel, ...] = SENSORS
    under_way: list = field(default_factory=list)  # (arrives, list)
    made_until: float = -1.0

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)

    def deliver(self, t):
        """Lists that have come by t and were not delivered before."""
        for number in self.senses.on:
            stamp = t - 0.02 * number  # sensors do not look at one instant
            if stamp >= 0.0:
                late = self.senses.latency_s + abs(self.rng.normal(0.0, self.senses.jitter_s))
                self.under_way.append((stamp + min(late, 0.15), self.look(number, stamp)))
        come = [one for when, one in self.under_way if when <= t + 1e-9]
        self.under_way = [(w, one) for w, one in self.under_way if w > t + 1e-9]
        return tuple(come)

    def look(self, number, t):
        """One list of one sensor at its stamp."""
        model, sense, rng = self.models[number], self.senses, self.rng
        ex, ey, eh, _ = self.path(t)
        c, s = math.cos(eh), math.sin(eh)
        mx = ex + c * model.mount_x_m - s * model.mount_y_m
        my = ey + s * model.mount_x_m + c * model.mount_y_m
        rows = []
        for body in self.bodies:
            x, y, h, v = body.at(t)
            r = math.hypot(x - mx, y - my)
            bearing = math.atan2(y - my, x - mx)
            aside = (bearing - eh - model.yaw_rad + math.pi) % (2 * math.pi) - math.pi
            if r > sense.range_m or abs(aside) > model.half_angle_rad:
                continue
            if rng.random() < sense.drop or hidden((mx, my), body, self.bodies, t):
                continue
            rows.append(self._row(model, body, (x, y, h, v), r, bearing, (ex, ey, eh)))
        for _ in range(rng.poisson(sense.false)):
            r, a = rng.uniform(5, 60), rng.uniform(-1, 1) * min(model.half_angle_rad, 3.1)
            ghost = Body(-1, UserKind.CAR, 4.5, 1.8, None)
            pose = (mx + r * math.cos(a + eh), my + r * math.sin(a + eh), rng.uniform(-3, 3), 0.0)
            row = self._row(model, ghost, pose, r, a + eh, (ex, ey, eh))
            row["score"] = rng.uniform(0.2, 0.8)
            rows.append(row)
        return pack(number, round(t * NS_PER_S), rows)

    def _row(self, model, body, pose, r, bearing, ego):
        sense, rng = self.senses, self.rng
        x, y, h, v = pose
        ex, ey, eh = ego
        sigma = sense.position_m + sense.per_m * r
        along = sigma
        if model.kind == SensorKind.CAMERA:
            along = 0.04 * r if sense.position_m > 0 else 0.0
        is_radar = model.kind == SensorKind.RADAR
        a, b = rng.normal(0, 1, 2) * (along, sigma)
        ux, uy = math.cos(bearing), math.sin(bearing)
        depth = 0.0
        if is_radar:
            k, q = ux * math.cos(h) + uy * math.sin(h), -ux * math.sin(h) + uy * math.cos(h)
            depth = min(0.5 * body.length / max(abs(k), 1e-9), 0.5 * body.width / max(abs(q), 1e-9))
        px = x - depth * ux + a * ux - b * uy
        py = y - depth * uy + a * uy + b * ux
        c, s = math.cos(eh), math.sin(eh)
        vx, vy = v * math.cos(h), v * math.sin(h)
        is_lidar = model.kind == SensorKind.LIDAR
        nx, ny, nr = rng.normal(0, 1, 3) * sense.speed_mps
        near = rng.normal(0, 1, 3)
        turned = h - eh + near[0] * sense.heading_rad
        size = 0.05 if sense.position_m > 0 else 0.0
        row = {
            "x_m": c * (px - ex) + s * (py - ey),
            "y_m": -s * (px - ex) + c * (py - ey),
            "score": 0.9,
            "has_kind": not is_radar,
            "kind": 0 if is_radar else int(body.kind),
            "has_box": not is_radar,
            "heading_rad": 0.0 if is_radar else (turned + math.pi) % (2 * math.pi) - math.pi,
            "length_m": 0.0 if is_radar else body.length * (1 + size * near[1]),
            "width_m": 0.0 if is_radar else body.width * (1 + size * near[2]),
            "has_velocity": is_lidar,
            "vx_mps": (c * vx + s * vy + nx) if is_lidar else 0.0,
            "vy_mps": (-s * vx + c * vy + ny) if is_lidar else 0.0,
            "has_rate": is_radar,
            "rate_mps": (vx * ux + vy * uy + nr) if is_radar else 0.0,
            "has_indicator": model.kind == SensorKind.CAMERA,
            "indicator": int(body.indicator) if model.kind == SensorKind.CAMERA else 0,
        }
        return row


TYPES = {
    "has_kind": np.bool_, "has_box": np.bool_, "has_velocity": np.bool_, "has_rate": np.bool_,
    "has_indicator": np.bool_, "kind": np.int8, "indicator": np.int8,
}  # fmt: skip
COLUMNS = (
    "x_m", "y_m", "score", "has_kind", "kind", "has_box", "heading_rad", "length_m", "width_m",
    "has_velocity", "vx_mps", "vy_mps", "has_rate", "rate_mps", "has_indicator", "indicator",
)  # fmt: skip


def pack(sensor, t_ns, rows):
    """ObjectList from rows as dictionaries."""
    columns = {
        name: np.array([row[name] for row in rows], dtype=TYPES.get(name, np.float64))
        for name in COLUMNS
    }
    return ObjectList(sensor=sensor, t_ns=t_ns, **columns)
