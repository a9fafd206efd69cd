"""The car's senses in a closed loop: exact ones, or equipment that errs and is late."""

from dataclasses import dataclass
from typing import Protocol

from marque.core.errors import unknown
from marque.maps.lookup import LaneIndex
from marque.maps.paint import paint_of
from marque.sensing import measure, receive
from marque.sensing.equipment import Equipment, equipment_names, load_equipment
from marque.sensing.objects import Mounted, mounted
from marque.sensing.profile import SensorProfile, load_profile, profile_names
from marque.stack.perception.fuse import FuseMemory
from marque.stack.perception.lights import no_lights
from marque.stack.perception.localise import LocaliseMemory, parked
from marque.stack.perception.noise import SensorModel, camera, lidar, radar
from marque.stack.perception.tracking import start
from marque.types.codes import SensorKind
from marque.types.platform import Platform
from marque.types.reading import Delivery, Reading
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, World

MODELS = {SensorKind.CAMERA: camera, SensorKind.RADAR: radar, SensorKind.LIDAR: lidar}


class Senses(Protocol):
    """Between world and stack: looks around each 100 ms, hands over each 20 ms."""

    def observe(self, world: World) -> None:
        """See the world as it is now."""

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading | Delivery:
        """What has arrived by `t_ns`."""


def load_senses(name_or_path: str) -> SensorProfile | Equipment:
    """A profile of senses by name or file. MarqueError: unknown, unreadable, absurd."""
    if name_or_path in profile_names():
        return load_profile(name_or_path)
    if not name_or_path.endswith(".toml") and name_or_path not in equipment_names():
        known = sorted({*profile_names(), *equipment_names()})
        raise unknown("sensor profile", name_or_path, known)
    return load_equipment(name_or_path)


def begin_senses(
    profile: SensorProfile | Equipment, platform: Platform, road_map: RoadMap, seed: int
) -> Senses:
    """Senses before their first look."""
    if isinstance(profile, SensorProfile):
        return _Exact(profile, road_map)
    return _Equipped(profile, platform, road_map, seed)


def begin_fusing(
    equipment: Equipment, platform: Platform, road_map: RoadMap, index: LaneIndex, ego: EgoTruth
) -> FuseMemory:
    """Perception of a car that knows where it was parked, and where its sensors are mounted."""
    place = LocaliseMemory(platform, paint=paint_of(road_map))
    mounts = [mounted(i, sensor, platform) for i, sensor in enumerate(equipment.sensor)]
    return FuseMemory(
        place=parked(place, 0, ego.x_m, ego.y_m, ego.heading_rad),
        objects=start(tuple(_model(mount) for mount in mounts), index),
        lights=no_lights(len(road_map.head_group)),
    )


def _model(mount: Mounted) -> SensorModel:
    """What the workshop tells the tracker of a sensor: its kind, its place and how far it looks.
    How it errs is the tracker's own opinion."""
    sensor = mount.sensor
    half = min(3.1415926, sensor.half_angle_deg * 0.017453292519943295)
    return MODELS[sensor.code](
        mount_x_m=mount.x_m,
        mount_y_m=mount.y_m,
        yaw_rad=mount.heading_rad,
        half_angle_rad=half,
        range_m=sensor.range_m,
    )


class _Exact:
    """Neither noise nor delay: whatever is in range and in line of sight."""

    def __init__(self, profile: SensorProfile, road_map: RoadMap) -> None:
        self.profile = profile
        self.road_map = road_map
        self.memory = measure.start(road_map)
        self.seen: Reading | None = None

    def observe(self, world: World) -> None:
        self.memory, self.seen = measure.measure(self.memory, world, self.profile, self.road_map)

    def receive(self, ego: EgoTruth, t_ns: int) -> Reading:
        assert self.seen is not None
        own = measure.measure_ego(ego, t_ns)
        return Reading(t_ns, own, self.seen.detections, self.seen.signals)


@dataclass(slots=True, eq=False)
class _Equipped:
    """Sensors with errors and delay."""

    senses: receive.Senses

    def __init__(
        self, equipment: Equipment, platform: Platform, road_map: RoadMap, seed: int
    ) -> None:
        self.senses = receive.begin(equipment, platform, road_map, seed)

    def observe(self, world: World) -> None:
        self.senses = receive.observe(self.senses, world)

    def receive(self, ego: EgoTruth, t_ns: int) -> Delivery:
        self.senses, delivery = receive.receive(self.senses, ego, t_ns)
        return delivery
