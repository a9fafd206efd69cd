"""One trip of a suite, driven and judged in a process of its own.

`python -m marque.prove.trip` reads a job (JSON, one line) from standard input and writes the trip's
file whole. It ends when its standard input does, so that no trip outlives the suite.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.core.time import seconds
from marque.draw.picture import drive_picture
from marque.maps.trips import Trip
from marque.metrics.arrival import goal_reached_s
from marque.metrics.comfort import to_json
from marque.metrics.lane_keeping import lane_keeping
from marque.metrics.motorway import Triple, motorway_numbers
from marque.metrics.summary import Judgement
from marque.metrics.trace import make_trace
from marque.record.writer import Recorder
from marque.sim.drive import Timing, begin_episode, run_drive
from marque.sim.judged import fault_words, judged
from marque.sim.order import (
    Order,
    Ready,
    drive_reference,
    limit_by_reference,
    open_ground,
    open_world,
    prepare,
)
from marque.sim.reference import Reference
from marque.sim.told import reference_facts, repeat_line
from marque.types.episode import Episode
from marque.types.road_map import RoadMap

SCHEMA = "marque.prove.trip/1"
SAME_PLACE_M = 30.0
USERS_M = 100.0
NO_NUMBERS: dict[str, Any] = {  # of a trip that could not be driven at all
    "arrived": False,
    "distance_m": 0.0,
    "duration_s": 0.0,
    "reference_duration_s": None,
    "collisions_at_fault": 0,
    "collisions_other": [],
    "collisions": [],
    "moments": [],
    "red_light": 0,
    "off_road_s": 0.0,
    "wrong_way_s": 0.0,
    "stuck": 0,
    "needless_hard_braking": 0,
    "guard_interventions": 0,
    "comfort": None,
    "reasons": {},
    "road_users_100m_mean": 0.0,
    "motor_100m_mean": 0.0,
    "foot_or_bicycle_100m_mean": 0.0,
    "planner_ms": None,
    "realtime_factor": None,
}


@dataclass(frozen=True, slots=True)
class Job:
    """One trip to be driven; `file` is what it leaves."""

    name: str
    number: int  # of the trips of its seed
    order: Order
    trip: Trip
    file: str
    merges: tuple[Triple, ...] = ()  # on the way, as `metrics.motorway` wants them named
    exits: tuple[Triple, ...] = ()


def job_to_json(job: Job) -> str:
    """One line."""
    return json.dumps(asdict(job))


def job_from_json(line: str) -> Job:
    """The inverse. Raises KeyError, TypeError or ValueError on anything else."""
    data = json.loads(line)
    given = tuple((name, value) for name, value in data["order"]["given"])
    data["order"] = Order(**{**data["order"], "given": given})
    data["trip"] = Trip(**data["trip"])
    for key in ("merges", "exits"):
        data[key] = tuple((a, b, c) for a, b, c in data[key])
    return Job(**data)


def drive_trip(job: Job) -> dict[str, Any]:
    """Reference first, then our drive; the trip's record. Never raises MarqueError."""
    try:
        ready = prepare(job.order, open_ground(job.order), job.trip)
    except MarqueError as error:
        return failed_record(job, str(error))
    # who drives without a map has no goal, and changes no lanes as the reference does
    reference, trouble = (None, "") if job.order.no_map else _reference(ready)
    if reference is not None:
        ready = limit_by_reference(ready, reference)
    try:
        return _driven(job, ready, reference, trouble)
    except MarqueError as error:
        return failed_record(job, str(error)) | {
            "command": repeat_line(ready),
            "optimal_s": round(ready.optimal_s, 3),
            "reference": reference_facts(reference),
            "reference_failed": trouble,
        }


def failed_record(job: Job, why: str) -> dict[str, Any]:
    """The record of a trip that could not be driven; it counts as not arrived."""
    return _head(job) | NO_NUMBERS | {"end": "failed", "failed": why}


def _head(job: Job) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "trip": job.name,
        "seed": job.order.seed,
        "number": job.number,
        "driver": job.order.driver,
    }


def _reference(ready: Ready) -> tuple[Reference | None, str]:
    try:
        return drive_reference(ready), ""
    except MarqueError as error:
        return None, str(error)


def _driven(job: Job, ready: Ready, reference: Reference | None, trouble: str) -> dict[str, Any]:
    failed = ""
    timing = Timing()
    world = open_world(ready)
    try:
        episode = begin_episode(ready.setup, ready.route, world)
        try:
            timing = run_drive(ready.setup, world, episode)
        except MarqueError as error:
            failed, episode.end = str(error), "failed"
            if not episode.ticks:
                raise
        facts = {} if failed else world.facts()
        names = dict(world.names)
    finally:
        world.close()
    duration = reference.duration_s if reference is not None and reference.arrived else None
    verdict = judged(episode, ready.setup.index, duration, names)
    numbers = verdict.numbers | timing.summary(seconds(episode.ticks[-1].world.t_ns))
    for hit in numbers["collisions"]:
        hit["junction"] = junction_near(ready.setup.road_map, hit["x_m"], hit["y_m"])
        hit["reference_collides_there"] = _reference_hits(reference, hit)
    record = (
        _head(job)
        | {
            "command": repeat_line(ready),
            "map": ready.setup.road_map.name,
            "traffic": episode.traffic,
            "car": ready.setup.platform.name,
            "brand": job.order.brand,
            "route_length_m": round(episode.route_length_m, 3),
        }
        | numbers
        | {
            "failed": failed,
            "optimal_s": round(ready.optimal_s, 3),
            "to_goal": _to_goal(episode),
            "reference": reference_facts(reference),
            "reference_failed": trouble,
            "traffic_facts": facts,
            "memory_mb": _memory_mb(),
        }
    )
    if job.merges or job.exits:
        record |= motorway_numbers(episode, ready.setup.index, job.merges, job.exits, names)
    if job.order.no_map:
        record |= lane_keeping(episode, ready.setup.index)
    record["files"] = _keep(job, episode, record)
    record["samples"] = _samples(verdict, timing, episode)
    return record


def junction_near(road_map: RoadMap, x_m: float, y_m: float) -> str:
    """Name of the junction whose outline's middle is nearest, "" beyond 30 m of its outline."""
    best, name = SAME_PLACE_M, ""
    for j, (a, b) in enumerate(zip(road_map.junction_off, road_map.junction_off[1:], strict=False)):
        if a == b:
            continue
        corner = road_map.junction_xy_m[a:b]
        gap = float(np.hypot(corner[:, 0] - x_m, corner[:, 1] - y_m).min())
        if gap < best:
            best, name = gap, road_map.junction_name[j]
    return name


def _reference_hits(reference: Reference | None, hit: Mapping[str, Any]) -> bool:
    return reference is not None and any(
        hypot(each.x_m - hit["x_m"], each.y_m - hit["y_m"]) <= SAME_PLACE_M
        for each in reference.collisions
    )


def _to_goal(episode: Episode) -> dict[str, float] | None:
    """Time and way until the car first was within 10 m of the goal, as the reference is timed."""
    trace = make_trace(episode)
    t_s = goal_reached_s(trace, episode.goal_lane, episode.goal_s_m)
    if t_s is None:
        return None
    way_m = float(np.interp(t_s, trace.t_s - trace.t_s[0], trace.travelled_m))
    return {"duration_s": round(t_s, 3), "distance_m": round(way_m, 3)}


def _memory_mb() -> dict[str, float]:
    """Greatest resident size of this process, and of the largest of its children (SUMO)."""
    return {
        name: round(resource.getrusage(who).ru_maxrss / 1024.0, 1)
        for name, who in (
            ("own", resource.RUSAGE_SELF),
            ("largest_child", resource.RUSAGE_CHILDREN),
        )
    }


def _keep(job: Job, episode: Episode, record: Mapping[str, Any]) -> list[str]:
    """Replay of a drive that was not clean, and a picture of each contact."""
    if record["arrived"] and not fault_words(record) and not record["collisions"]:
        return []
    base = Path(job.file)
    log = base.with_suffix(".mcap")
    with Recorder(log, episode, waits=True) as recorder:
        for tick in episode.ticks:
            recorder.append(tick)
        for event in episode.events:
            recorder.event(event)
        recorder.close(episode.end)
    files = [log.name]
    for k, hit in enumerate(record["collisions"]):
        picture = base.with_name(f"{base.stem}-contact-{k}.png")
        drive_picture(episode, picture, int(hit["frame"]))
        hit["replay"], hit["picture"] = log.name, picture.name
        files.append(picture.name)
    return files


def _samples(verdict: Judgement, timing: Timing, episode: Episode) -> dict[str, Any]:
    """What the totals pool: comfort samples, planner times and how many were about."""
    about = [
        int(np.count_nonzero(np.hypot(u.x_m - ego.x_m, u.y_m - ego.y_m) <= USERS_M))
        for u, ego in ((tick.world.users, tick.world.ego) for tick in episode.ticks)
    ]
    return {
        "comfort": to_json(verdict.samples),
        "planner_ms": [round(value, 3) for value in timing.planner_ms],
        "users_100m": about,
        "wall_s": round(timing.wall_s, 3),
    }


def main() -> int:
    """Entry point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the suite decides when a trip ends
    job = job_from_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        record = drive_trip(job)
        write_text(Path(job.file), json.dumps(record) + "\n")
    except MarqueError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _end_with_parent() -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the reading thread would hold the interpreter up
