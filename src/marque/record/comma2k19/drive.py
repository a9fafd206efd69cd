"""A segment as an Episode: what the sensors delivered, and where the car truly was.

The truth of our car is the dataset's reference pose. Nobody surveyed the others, so the world of
such an Episode holds none; what the radar saw of them stands in the readings. There is no map: the
ground is open. Nobody of ours drove: a tick has no plan, its command is what the human's car did.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from marque.core.errors import MarqueError
from marque.core.files import write_whole
from marque.core.time import PLAN_STEP_S, nanoseconds
from marque.maps.open_ground import open_ground
from marque.record.comma2k19.files import Segment, read_pose, read_segment
from marque.record.comma2k19.reference import Reference, reference_of
from marque.record.comma2k19.sensors import Calibration, begin_s, deliveries, origin_of
from marque.record.writer import Recorded, Recorder
from marque.types.codes import Indicator, Reason
from marque.types.command import Command
from marque.types.episode import Episode, Tick
from marque.types.road_map import NONE, RoadMap
from marque.types.world import EgoTruth, RoadUsers, World
from marque.vehicle.can import toyota

MAP_NAME = "open ground"
ATTRIBUTION = "comma2k19, MIT, (c) 2018 comma.ai"
DRIVER = "human"
HALF_S = (
    0.25  # acceleration is a mean over twice that: the reference tells speed, 20 times a second
)
END = "end of the recording"


def read_drive(folder: Path) -> tuple[Episode, Calibration]:
    """The whole segment. MarqueError as in `read_segment`; another car's CAN; no reference."""
    segment = read_segment(folder)
    readings, found = deliveries(segment)
    reference = reference_of(read_pose(folder), origin_of(segment), begin_s(segment))
    episode = Episode(
        road_map=ground_of(segment),
        platform=toyota.platform(),
        driver=DRIVER,
        seed=0,
        traffic="recorded: comma2k19",
        start_xy_m=(0.0, 0.0),
        goal_xy_m=(0.0, 0.0),
        goal_lane=NONE,
        goal_s_m=0.0,
        route_xy_m=np.zeros((0, 2)),
        route_length_m=0.0,
    )
    episode.ticks.extend(ticks(reference, readings[-1].t_ns))
    if not episode.ticks:
        raise MarqueError(f"{folder}: the reference pose does not overlap with the sensors")
    first, last = episode.ticks[0].world.ego, episode.ticks[-1].world.ego
    episode.start_xy_m = (first.x_m, first.y_m)
    episode.goal_xy_m = (last.x_m, last.y_m)
    episode.readings.extend(readings)
    episode.end = END
    return episode, found


def write_drive(path: Path, episode: Episode) -> Recorded:
    """The drive as a log, whole or not there. MarqueError when it cannot be written."""
    done: list[Recorded] = []
    write_whole(path, lambda aside: done.append(_write(aside, episode)))
    return replace(done[0], path=path)


def _write(path: Path, episode: Episode) -> Recorded:
    with Recorder(path, episode, waits=True) as recorder:
        coming = iter(episode.readings)
        delivery = next(coming, None)
        for tick in episode.ticks:
            while delivery is not None and delivery.t_ns <= tick.world.t_ns:
                recorder.deliver(delivery)
                delivery = next(coming, None)
            recorder.append(tick)
        while delivery is not None:
            recorder.deliver(delivery)
            delivery = next(coming, None)
        return recorder.close(episode.end)


def ground_of(segment: Segment) -> RoadMap:
    """The map of a segment: open ground about its first fix."""
    return open_ground(MAP_NAME, "comma2k19", origin_of(segment).projection, ATTRIBUTION)


def ticks(reference: Reference, last_ns: int) -> list[Tick]:
    """A tick each 100 ms from the reference pose, without anybody's plan."""
    t = reference.t_s
    first = max(0.0, float(np.ceil(t[0] / PLAN_STEP_S)) * PLAN_STEP_S)
    at = np.arange(first, min(float(t[-1]), last_ns * 1e-9), PLAN_STEP_S)
    ahead, behind = (np.interp(at + side, t, reference.speed_mps) for side in (HALF_S, -HALF_S))
    accel = (ahead - behind) / (np.minimum(at + HALF_S, t[-1]) - np.maximum(at - HALF_S, t[0]))
    x, y, heading, speed, spin = (
        np.interp(at, t, column)
        for column in (
            reference.x_m, reference.y_m, reference.heading_rad, reference.speed_mps,
            reference.yaw_rate_radps,
        )
    )  # fmt: skip
    car = toyota.platform()
    curvature = spin / np.maximum(speed, 1.0)
    steer = np.arctan(curvature * (car.wheelbase_m + car.understeer_rads2pm * speed**2))
    jerk = np.gradient(accel, at) if len(at) > 1 else np.zeros(len(at))
    nobody = _nobody()
    out = []
    for i, t_s in enumerate(at):
        ego = EgoTruth(
            float(x[i]), float(y[i]), float(np.remainder(heading[i] + np.pi, 2 * np.pi) - np.pi),
            float(speed[i]), float(accel[i]), float(speed[i] * spin[i]), float(spin[i]),
            float(steer[i]),
        )  # fmt: skip
        t_ns = nanoseconds(float(t_s))
        done = Command(t_ns, float(accel[i]), float(curvature[i]), Indicator.OFF)
        world = World(t_ns, ego, nobody, np.zeros(0, dtype=np.int8))
        out.append(Tick(world, None, done, (), Reason.NONE, float(jerk[i])))
    return out


def _nobody() -> RoadUsers:
    none, code = np.zeros(0), np.zeros(0, dtype=np.int8)
    uid, lane = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    return RoadUsers(uid, code, none, none, none, none, none, none, none, code, lane)
