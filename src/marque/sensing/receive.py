"""From the truth to readings: every sensor scans, and what it found comes when it comes.

Two steps. `observe`, at 10 Hz, looks at the world through every camera, radar and lidar; `receive`,
at 50 Hz, measures our own motion and hands over what has come since, each part with the stamp of
when it was true. Random numbers come from streams named by seed, instant and source:
one sensor's draws never depend on another's.
"""

from dataclasses import dataclass, replace

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.time import nanoseconds
from marque.kernels.furniture import Placed, furniture_of
from marque.kernels.paint import lane_paint
from marque.sensing.equipment import Equipment
from marque.sensing.furniture import find_sightings, mounted_eye
from marque.sensing.marks import Strewn, find_marks, strewn
from marque.sensing.motion import Errors, drawn, measure_bus, measure_inertia, measure_satellites
from marque.sensing.objects import Mounted, find, mounted
from marque.sensing.occlusion import head_headings
from marque.sensing.signals import read_signals
from marque.types.platform import Platform
from marque.types.reading import Delivery, Gnss, LaneMarks, ObjectList, Sightings, SignalReading
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth, World

# sources of random numbers; sensors come after these
_ERRORS, _MOTION, _SKY, _LIGHTS, _PAINT, _SENSORS = range(6)
_SIGNS = 1000  # after all sensors, whose streams stay as they were

Found = ObjectList | SignalReading | LaneMarks | Sightings | Gnss


@dataclass(frozen=True, slots=True, eq=False)
class Senses:
    """The senses of one car: where they stand, how they err, and what is still under way."""

    equipment: Equipment
    platform: Platform
    road_map: RoadMap
    seed: int
    mounts: tuple[Mounted, ...]
    head_heading_rad: FloatArray  # [H]
    paint: Strewn
    placed: Placed
    errors: Errors
    dice: "_Dice"
    coming: tuple[tuple[int, Found], ...] = ()  # (when it comes, what)


def begin(equipment: Equipment, platform: Platform, road_map: RoadMap, seed: int) -> Senses:
    """Senses before their first scan."""
    dice = _Dice(seed)
    return Senses(
        equipment,
        platform,
        road_map,
        seed,
        tuple(mounted(i, sensor, platform) for i, sensor in enumerate(equipment.sensor)),
        head_headings(road_map),
        strewn(lane_paint(road_map), equipment.marks.range_m),
        furniture_of(road_map),
        drawn(equipment, dice.at(0, _ERRORS)),
        dice,
    )


def observe(senses: Senses, world: World) -> Senses:
    """Every sensor scans the world; what it finds is under way."""
    coming = list(senses.coming)
    for mount in senses.mounts:
        draw = senses.dice.at(world.t_ns, _SENSORS + mount.number)
        found = find(mount, world.ego, world.users, world.t_ns, draw)
        sensor = mount.sensor
        late = nanoseconds(sensor.latency_s + sensor.jitter_s * draw.uniform(-1.0, 1.0))
        coming.append((world.t_ns + late, found))
        if sensor.signals:
            lights = senses.dice.at(world.t_ns, _LIGHTS)
            state = read_signals(
                mount,
                senses.equipment.signals,
                senses.road_map,
                senses.head_heading_rad,
                world,
                lights,
            )
            coming.append((world.t_ns + late, state))
            paint = senses.dice.at(world.t_ns, _PAINT)
            marks = find_marks(
                mount, senses.equipment.marks, senses.paint, world.ego, world.t_ns, paint
            )
            coming.append((world.t_ns + late, marks))
            eye = mounted_eye(mount, senses.equipment, world.ego)
            signs = senses.dice.at(world.t_ns, _SIGNS + mount.number)
            seen = find_sightings(senses.placed, eye, senses.equipment, world, signs)
            coming.append((world.t_ns + late, seen))
    return replace(senses, coming=tuple(coming))


def receive(senses: Senses, ego: EgoTruth, t_ns: int) -> tuple[Senses, Delivery]:
    """Own motion now, and what has come since the delivery before, in the order of its coming."""
    equipment = senses.equipment
    errors, fix = measure_satellites(
        equipment.satellites, senses.errors, ego, t_ns, senses.dice.at(t_ns, _SKY)
    )
    motion = senses.dice.at(t_ns, _MOTION)
    coming = senses.coming
    if fix is not None:
        coming = (*coming, (t_ns + nanoseconds(equipment.satellites.latency_s), fix))
    here = sorted((each for each in coming if each[0] <= t_ns), key=lambda each: each[0])
    found = [each for _, each in here]
    senses = replace(senses, errors=errors, coming=tuple(each for each in coming if each[0] > t_ns))
    return senses, Delivery(
        t_ns,
        imu=(measure_inertia(equipment.inertia, errors, ego, t_ns, motion),),
        gnss=tuple(each for each in found if isinstance(each, Gnss)),
        bus=(measure_bus(equipment.bus, errors, ego, senses.platform, t_ns, motion),),
        objects=tuple(each for each in found if isinstance(each, ObjectList)),
        signals=tuple(each for each in found if isinstance(each, SignalReading)),
        marks=tuple(each for each in found if isinstance(each, LaneMarks)),
        sightings=tuple(each for each in found if isinstance(each, Sightings)),
    )


class _Dice:
    """Streams of random numbers by instant and source. One generator is set to the beginning of
    whichever stream is asked for, so draw all you need of one before you ask for the next."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.Philox(key=seed)
        self._fresh = self._bits.state
        self._draw = np.random.Generator(self._bits)

    def at(self, t_ns: int, source: int) -> np.random.Generator:
        """The stream of this source at this instant, from its beginning."""
        counter = self._fresh["state"]["counter"]
        counter[2], counter[3] = source, t_ns
        self._bits.state = self._fresh
        return self._draw
