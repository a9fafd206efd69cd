"""The car's senses in a closed loop: exact ones, or equipment that errs and is late."""

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from marque.core.errors import MarqueError
from marque.maps.lookup import LaneIndex
from marque.maps.paint import paint_of
from marque.sensing import measure, receive
from marque.sensing.equipment import Equipment
from marque.sensing.faults import Fault, Faulty, has_parts
from marque.sensing.objects import Mounted, mounted
from marque.sensing.profile import ExactSenses, SensorProfile
from marque.stack.perception.fuse import FuseMemory
from marque.stack.perception.health import begin_health
from marque.stack.perception.lights import no_lights
from marque.stack.perception.localise import ODOMETRY, LocaliseMemory, Tuning, parked
from marque.stack.perception.noise import SensorModel, camera, lidar, radar
from marque.stack.perception.tracking import start
from marque.stack.perception.unseen import begin_unseen
from marque.stack.perception.view import eyes_of
from marque.types.codes import SensorKind
from marque.types.platform import Platform
from marque.types.reading import Delivery, Reading
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, World

PARKED_OFF_M, PARKED_OFF_RAD = 0.3, 0.01  # how far off a car remembers its place, sigma
PARKED_STREAM = 7
BEFORE_NS = -1  # it was parked before the first delivery
MODELS = {SensorKind.CAMERA: camera, SensorKind.RADAR: radar, SensorKind.LIDAR: lidar}


class Senses(Protocol):
    """Between world and stack: looks around each 100 ms, hands over each 20 ms."""

    def observe(self, world: World) -> None:
        """See the world as it is now."""

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading | Delivery:
        """What has arrived by `t_ns`."""


def begin_senses(
    profile: SensorProfile,
    platform: Platform,
    road_map: RoadMap,
    seed: int,
    fault: Fault | None = None,
    marks: bool = False,
) -> Senses:
    """Senses before their first look. A fault is laid over what equipment delivers. `marks`:
    exact senses are to deliver lane marks as well, as equipment always does.

    MarqueError: exact senses, or equipment without the part that is to fail.
    """
    if isinstance(profile, ExactSenses):
        if fault is not None:
            raise MarqueError(f"exact senses have no faults; '{fault.name}' needs equipment")
        return _Exact(profile, road_map, marks)
    if fault is not None and not has_parts(fault, profile):
        raise MarqueError(f"'{profile.name}' has no part that '{fault.name}' could break")
    return _Equipped(profile, platform, road_map, seed, fault)


def begin_fusing(
    setup_of: tuple[Equipment, Platform, RoadMap, LaneIndex], ego: EgoTruth, seed: int
) -> FuseMemory:
    """Perception of a car that knows about where it was parked, and where its sensors are. On a
    map without lanes there are no lines to be held by, and places are those of odometry."""
    equipment, platform, road_map, index = setup_of
    off = np.random.default_rng([seed, PARKED_STREAM]).standard_normal(3)
    paint = paint_of(road_map) if road_map.lane_count else None
    tuning = Tuning() if paint is not None else ODOMETRY
    place = LocaliseMemory(platform, tuning=tuning, paint=paint)
    mounts = [mounted(i, sensor, platform) for i, sensor in enumerate(equipment.sensor)]
    models = tuple(_model(mount) for mount in mounts)
    return FuseMemory(
        place=parked(
            place,
            BEFORE_NS,
            ego.x_m + PARKED_OFF_M * float(off[0]),
            ego.y_m + PARKED_OFF_M * float(off[1]),
            ego.heading_rad + PARKED_OFF_RAD * float(off[2]),
        ),
        objects=start(models, index),
        lights=no_lights(len(road_map.head_group)),
        watching=begin_health(platform, models, paint, place.tuning.fixes),
        hidden=begin_unseen(road_map, eyes_of(models)),
    )


def _model(mount: Mounted) -> SensorModel:
    """What the workshop tells the tracker of a sensor: its kind, its place and how far it looks.
    How it errs is the tracker's own opinion."""
    sensor = mount.sensor
    return MODELS[sensor.code](
        mount_x_m=mount.x_m,
        mount_y_m=mount.y_m,
        yaw_rad=mount.heading_rad,
        half_angle_rad=math.radians(sensor.half_angle_deg),
        range_m=sensor.range_m,
    )


class _Exact:
    """Neither noise nor delay: whatever is in range and in line of sight."""

    def __init__(self, profile: ExactSenses, road_map: RoadMap, marks: bool) -> None:
        self.profile = profile
        self.road_map = road_map
        self.memory = measure.start(road_map, profile.marks_range_m if marks else None)
        self.seen: Reading | None = None

    def observe(self, world: World) -> None:
        self.memory, self.seen = measure.measure(self.memory, world, self.profile, self.road_map)

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading:
        assert self.seen is not None
        own = measure.measure_ego(ego, t_ns)
        return replace(self.seen, t_ns=t_ns, ego=own)


class _Equipped:
    """Sensors with errors and delay."""

    def __init__(
        self,
        equipment: Equipment,
        platform: Platform,
        road_map: RoadMap,
        seed: int,
        fault: Fault | None,
    ) -> None:
        self.senses = receive.begin(equipment, platform, road_map, seed)
        self.faulty = Faulty(fault, equipment, platform, seed) if fault is not None else None

    def observe(self, world: World) -> None:
        self.senses = receive.observe(self.senses, world)

    def receive(self, ego: EgoTruth, t_ns: int) -> Delivery:
        self.senses, delivery = receive.receive(self.senses, ego, t_ns)
        return delivery if self.faulty is None else self.faulty.lay(delivery)
