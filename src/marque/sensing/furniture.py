"""Signals, stop lines and signs as a camera finds them: what faces us, in range, not hidden."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, IntArray, read_only
from marque.core.geometry import wrap_angles
from marque.kernels.furniture import Placed
from marque.sensing.equipment import Equipment
from marque.sensing.objects import Mounted
from marque.sensing.occlusion import heads_in_view, hiding
from marque.sensing.profile import ExactSenses
from marque.types.codes import Furniture
from marque.types.reading import Sightings
from marque.types.world import EgoTruth, RoadUsers, World

LINE_M, SIGN_M = 35.0, 70.0  # how far paint on the ground, and a sign, is read


@dataclass(frozen=True, slots=True)
class Eye:
    """Where a camera is: map frame, its own direction, its place ahead of the rear axle; how far it
    reads signals, how wide it looks, and how far behind it what it reads may stand."""

    x_m: float
    y_m: float
    heading_rad: float
    forward_m: float
    range_m: float
    half_angle_rad: float
    past_m: float


def exact_eye(profile: ExactSenses, ego: EgoTruth) -> Eye:
    """The eye of exact senses."""
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    return Eye(
        ego.x_m + profile.mount_forward_m * c,
        ego.y_m + profile.mount_forward_m * s,
        ego.heading_rad,
        profile.mount_forward_m,
        profile.signal_range_m,
        profile.signal_half_angle_rad,
        profile.signal_past_m,
    )


def mounted_eye(mount: Mounted, equipment: Equipment, ego: EgoTruth) -> Eye:
    """The eye of a camera that reads signals."""
    x, y, heading = mount.pose(ego)
    half = math.radians(mount.sensor.half_angle_deg)
    rules = equipment.signals
    return Eye(x, y, heading, mount.x_m, rules.range_m, half, rules.past_m)


def exact_sightings(placed: Placed, eye: Eye, world: World) -> Sightings:
    """All that is in sight, as it is."""
    return _told(placed, _in_sight(placed, eye, world.users), world)


def find_sightings(
    placed: Placed, eye: Eye, equipment: Equipment, world: World, draw: np.random.Generator
) -> Sightings:
    """One scan of a camera that errs: misses, and places that are off by more the farther away."""
    rows = _in_sight(placed, eye, world.users)
    rows = rows[draw.random(len(rows)) >= equipment.signals.missed]
    found = _told(placed, rows, world)
    away = np.hypot(found.x_m - eye.forward_m, found.y_m)
    marks = equipment.marks
    sigma = marks.across_sigma_m + marks.across_growth * away
    return Sightings(
        found.t_ns,
        found.kind,
        found.x_m + sigma * draw.standard_normal(len(rows)),
        found.y_m + sigma * draw.standard_normal(len(rows)),
        found.heading_rad + math.radians(marks.heading_sigma_deg) * draw.standard_normal(len(rows)),
        found.value,
    )


def _in_sight(placed: Placed, eye: Eye, users: RoadUsers) -> IntArray:
    """Rows of what is read."""
    dx, dy = placed.x_m - eye.x_m, placed.y_m - eye.y_m
    near = np.flatnonzero(np.maximum(np.abs(dx), np.abs(dy)) < eye.range_m)
    reach = np.full(len(near), eye.range_m)
    reach[placed.kind[near] == Furniture.STOP_LINE] = LINE_M
    reach[np.isin(placed.kind[near], (Furniture.LIMIT, Furniture.NO_ENTRY))] = SIGN_M
    close = np.hypot(dx[near], dy[near]) <= np.minimum(reach, eye.range_m)
    rows: IntArray = near[close]
    if len(rows) == 0:
        return rows
    box, span, tall = hiding(eye.x_m, eye.y_m, users)
    at: FloatArray = np.column_stack((placed.x_m[rows], placed.y_m[rows]))
    facing = placed.heading_rad[rows]
    seen = heads_in_view(
        eye.x_m, eye.y_m, eye.heading_rad, eye.forward_m, read_only(at), read_only(facing),
        box, span, tall, eye.range_m, eye.half_angle_rad, eye.past_m,
    )  # fmt: skip
    out: IntArray = rows[seen]
    return out


def _told(placed: Placed, rows: IntArray, world: World) -> Sightings:
    """In the car's frame; a signal with its state."""
    ego = world.ego
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    dx, dy = placed.x_m[rows] - ego.x_m, placed.y_m[rows] - ego.y_m
    value = placed.value[rows].copy()
    signal = placed.kind[rows] == Furniture.SIGNAL
    value[signal] = world.heads[value[signal].astype(np.int64)]
    turn = wrap_angles(placed.heading_rad[rows] - ego.heading_rad)
    return Sightings(world.t_ns, placed.kind[rows], c * dx + s * dy, -s * dx + c * dy, turn, value)
