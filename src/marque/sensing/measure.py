"""From the truth to what the car may know: range, line of sight, signals in view.

The profile `ideal` adds neither noise nor delay. What is behind other road users is not
delivered, but for the second of a row of vehicles ahead of us, which radar sees beneath the first;
whether it had been tracked before is perception's business, not ours.
"""

from dataclasses import dataclass
from math import cos, sin

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, freeze_arrays
from marque.kernels.furniture import Placed, furniture_of
from marque.kernels.paint import lane_paint
from marque.sensing.furniture import exact_eye, exact_sightings
from marque.sensing.marks import Strewn, exact_marks, strewn
from marque.sensing.occlusion import (
    HIDES,
    TALL,
    boxes,
    head_headings,
    heads_in_view,
    next_in_row,
    visible_shares,
)
from marque.sensing.profile import ExactSenses
from marque.types.codes import SignalState
from marque.types.reading import Detections, EgoReading, LaneMarks, Reading, SignalReading
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, RoadUsers, World


@dataclass(frozen=True, slots=True, eq=False)
class SensorMemory:
    """What the senses keep of what stands where."""

    head_heading_rad: FloatArray  # [H] of the traffic that a head faces, nan where there is none
    placed: Placed
    paint: Strewn | None = None  # None: nobody asks for lane marks

    def __post_init__(self) -> None:
        freeze_arrays(self)


def start(road_map: RoadMap, marks_range_m: float | None = None) -> SensorMemory:
    """Memory before the first reading. With a range, lane marks are delivered, too."""
    paint = None if marks_range_m is None else strewn(lane_paint(road_map), marks_range_m)
    return SensorMemory(head_headings(road_map), furniture_of(road_map), paint)


def measure_ego(ego: EgoTruth, t_ns: int) -> EgoReading:
    """Own motion, at 50 Hz."""
    return EgoReading(
        t_ns=t_ns,
        x_m=ego.x_m,
        y_m=ego.y_m,
        heading_rad=ego.heading_rad,
        speed_mps=ego.speed_mps,
        accel_mps2=ego.accel_mps2,
        yaw_rate_radps=ego.yaw_rate_radps,
        steer_rad=ego.steer_rad,
    )


def measure(
    memory: SensorMemory, world: World, profile: ExactSenses, road_map: RoadMap
) -> tuple[SensorMemory, Reading]:
    """One whole reading, at 10 Hz."""
    ego, users = world.ego, world.users
    ex = ego.x_m + profile.mount_forward_m * cos(ego.heading_rad)
    ey = ego.y_m + profile.mount_forward_m * sin(ego.heading_rad)
    box = boxes(users)
    hides, tall = HIDES[users.kind], TALL[users.kind]
    wanted = (users.x_m - ex) ** 2 + (users.y_m - ey) ** 2 <= profile.range_m**2
    share, span = visible_shares(ex, ey, box, hides, tall, wanted, profile.rays)
    seen = wanted & (share > 0.0) & (share >= profile.visible_share_min)
    seen |= next_in_row(ex, ey, ego.heading_rad, box, span, hides, profile.row_range_m)
    heads = heads_in_view(
        ex,
        ey,
        ego.heading_rad,
        profile.mount_forward_m,
        road_map.head_xy_m,
        memory.head_heading_rad,
        box,
        span,
        tall,
        profile.signal_range_m,
        profile.signal_half_angle_rad,
        profile.signal_past_m,
    )
    reading = Reading(
        t_ns=world.t_ns,
        ego=measure_ego(ego, world.t_ns),
        detections=_detections(users, seen, world.t_ns),
        signals=SignalReading(world.t_ns, _signals(world.heads, heads)),
        sightings=exact_sightings(memory.placed, exact_eye(profile, ego), world),
        marks=_marks(memory, profile, (ex, ey, ego.heading_rad), world),
    )
    return memory, reading


def _marks(
    memory: SensorMemory, profile: ExactSenses, eye: tuple[float, float, float], world: World
) -> LaneMarks | None:
    if memory.paint is None:
        return None
    half = profile.signal_half_angle_rad
    return exact_marks(memory.paint, eye, profile.marks_range_m, half, world.ego, world.t_ns)


def _detections(users: RoadUsers, seen: BoolArray, t_ns: int) -> Detections:
    return Detections(
        t_ns=t_ns,
        uid=users.uid[seen],
        kind=users.kind[seen],
        x_m=users.x_m[seen],
        y_m=users.y_m[seen],
        heading_rad=users.heading_rad[seen],
        speed_mps=users.speed_mps[seen],
        accel_mps2=users.accel_mps2[seen],
        length_m=users.length_m[seen],
        width_m=users.width_m[seen],
        indicator=users.indicator[seen],
    )


def _signals(heads: Int8Array, seen: BoolArray) -> Int8Array:
    state = np.full(len(seen), np.int8(SignalState.UNKNOWN), dtype=np.int8)
    state[seen] = heads[seen]
    return state
