"""The reference trip: SUMO's own driver on our route, at our hour, in a car of our size.

It does not depend on our driver, so what came of it is kept in the user's cache: a suite that is
driven again drives only our car again.
"""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from math import cos, degrees, sin
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.sim import worlds
from marque.sim.worlds.sumo_link import SumoLink
from marque.sim.worlds.sumo_spec import SumoSpec, launch, setup_of, writes_files
from marque.types.road_map import RoadMap
from marque.types.world import EgoTruth

BRAKING_MPS2 = 2.5  # along the speed profile before a curve
TOP_MPS = 69.4
# 130 km/h, where more is allowed: our driver's own cap, so that both may do the same
CAP_MPS = 36.11


@dataclass(frozen=True, slots=True)
class ReferenceCollision:
    """A contact of the reference car as SUMO reports it."""

    t_s: float
    x_m: float  # of the reference car's front bumper
    y_m: float
    other: str  # SUMO's name of the other


@dataclass(frozen=True, slots=True)
class Reference:
    """What SUMO's own driver needed. Arrival as for our car: within 10 m of the goal."""

    duration_s: float
    waiting_s: float  # slower than 0.5 m/s
    distance_m: float
    arrived: bool
    collisions: tuple[ReferenceCollision, ...]
    teleports: int  # deadlocks lifted anywhere while it drove
    removed_at_start: int  # road users that gave way to its insertion

    @property
    def mean_speed_mps(self) -> float:
        """Over the whole trip, waiting included."""
        return self.distance_m / self.duration_s if self.duration_s > 0.0 else 0.0


def reference_run(
    spec: SumoSpec,
    start: EgoTruth,
    goal_lane: int,
    goal_s_m: float,
    *,
    lateral_limit_mps2: float = 2.5,
    max_s: float = 3600.0,
) -> Reference:
    """Let SUMO's own driver drive `spec.route_edges` from `start` (at rest) to the goal.

    MarqueError: the goal is not on the last edge of the route, or SUMO fails.
    """
    task = reference_task(spec, start, goal_lane, goal_s_m, lateral_limit_mps2, max_s)
    plan = launch(spec)
    setup = setup_of(spec, plan)
    kept = plan.state.parent / f"reference-{_digest(setup, task)}.json"
    found = None if writes_files(spec) else _recall(kept)
    if found is None:
        found = _drive(spec, setup, task)
        with contextlib.suppress(MarqueError):  # a cache that cannot be written costs time alone
            write_text(kept, json.dumps(found))
    crashes = tuple(ReferenceCollision(t, x, y, other) for other, t, x, y in found["collisions"])
    return Reference(
        duration_s=found["duration_s"],
        waiting_s=found["waiting_s"],
        distance_m=found["distance_m"],
        arrived=found["arrived"],
        collisions=crashes,
        teleports=found["teleports"],
        removed_at_start=found["removed"],
    )


def _drive(spec: SumoSpec, setup: dict[str, object], task: dict[str, Any]) -> dict[str, Any]:
    link = SumoLink(spec.progress)
    try:
        link.ask("open", setup)
        found: dict[str, Any] = link.ask("reference", task)
    finally:
        link.close()
    return found


def _digest(setup: dict[str, object], task: dict[str, Any]) -> str:
    """Of everything that decides the trip: traffic, network, task, and the program's part in it."""
    digest = hashlib.sha256(json.dumps([setup, task], sort_keys=True, default=str).encode())
    for path in sorted(Path(worlds.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _recall(kept: Path) -> dict[str, Any] | None:
    """A trip driven before; None when there is none or it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    return None


def reference_task(
    spec: SumoSpec,
    start: EgoTruth,
    goal_lane: int,
    goal_s_m: float,
    lateral_limit_mps2: float,
    max_s: float,
) -> dict[str, Any]:
    """The trip as plain data for SUMO's process."""
    road_map = spec.road_map
    goal_edge = int(road_map.lane_edge[goal_lane])
    if road_map.edge_name[goal_edge] != spec.route_edges[-1]:
        raise MarqueError(
            f"the goal lane '{road_map.lane_name[goal_lane]}' is not on the last edge of the "
            f"route, '{spec.route_edges[-1]}'"
        )
    h = start.heading_rad
    x = start.x_m + spec.ego_front_m * cos(h)
    y = start.y_m + spec.ego_front_m * sin(h)
    return {
        "start": (x, y, (90.0 - degrees(h)) % 360.0),
        "lines": {
            lane: (
                road_map.points(lane)[:, 0].tolist(),
                road_map.points(lane)[:, 1].tolist(),
                road_map.arc(lane).tolist(),
                caps.tolist(),
            )
            for lane, caps in speed_caps(road_map, spec.route_edges, lateral_limit_mps2).items()
        },
        "goal_lanes": np.flatnonzero(
            (road_map.lane_edge == goal_edge) & ~road_map.lane_connector
        ).tolist(),
        "goal_s_m": goal_s_m,
        "front_m": spec.ego_front_m,
        "top_mps": _top_mps(road_map, spec.route_edges),
        "max_s": max_s,
    }


def _top_mps(road_map: RoadMap, edges: tuple[str, ...]) -> float:
    on = np.isin([road_map.edge_name[e] for e in road_map.lane_edge], edges)
    return CAP_MPS if (road_map.lane_limit_mps[on] > CAP_MPS + 0.01).any() else TOP_MPS


def speed_caps(
    road_map: RoadMap, edges: tuple[str, ...], lateral_limit_mps2: float
) -> dict[int, FloatArray]:
    """Per lane of the route (connectors too): the speed at each point of its centre line that
    keeps the lateral limit there and, braking at 2.5 m/s^2, in every curve that follows.
    """
    names = {name: edge for edge, name in enumerate(road_map.edge_name)}
    caps: dict[int, FloatArray] = {}
    entry: dict[int, float] = {}  # cap at the start of the lanes of the edge after this one
    for name in reversed(edges):
        if name not in names:
            raise MarqueError(f"the route uses edge '{name}' that the map lacks")
        on = (road_map.lane_edge == names[name]) & ~road_map.lane_connector
        here: dict[int, float] = {}
        for lane in np.flatnonzero(on).tolist():
            end = _end_cap(road_map, lane, entry, caps, lateral_limit_mps2)
            profile = _profile(road_map, lane, end, lateral_limit_mps2)
            caps[lane] = np.minimum(profile, caps[lane]) if lane in caps else profile
            here[lane] = float(profile[0])
        entry = here
    return caps


def _end_cap(
    road_map: RoadMap,
    lane: int,
    entry: dict[int, float],
    caps: dict[int, FloatArray],
    limit_mps2: float,
) -> float:
    """Cap at the end of a lane: the slowest connector that stays on the route."""
    end = TOP_MPS
    for inside in road_map.successors(lane).tolist():
        onward = [entry[after] for after in road_map.successors(inside).tolist() if after in entry]
        if inside in entry:  # lanes joined without a connector
            end = min(end, entry[inside])
        if not onward or not road_map.lane_connector[inside]:
            continue
        profile = _profile(road_map, inside, min(onward), limit_mps2)
        caps[inside] = np.minimum(profile, caps[inside]) if inside in caps else profile
        end = min(end, float(profile[0]))
    return end


def _profile(road_map: RoadMap, lane: int, end_mps: float, limit_mps2: float) -> FloatArray:
    """Speed along one lane: curve speed, then the backward braking pass."""
    first, last = int(road_map.pt_off[lane]), int(road_map.pt_off[lane + 1])
    bend = np.maximum(np.abs(road_map.pt_curvature_1pm[first:last]), 1e-9)
    speed = np.minimum(np.sqrt(limit_mps2 / bend), TOP_MPS)
    arc = road_map.arc(lane)
    speed[-1] = min(float(speed[-1]), end_mps)
    for i in range(len(speed) - 2, -1, -1):
        reach = speed[i + 1] ** 2 + 2.0 * BRAKING_MPS2 * (arc[i + 1] - arc[i])
        speed[i] = min(speed[i], reach**0.5)
    return speed
