"""Where traffic all but stands on a fast road: hazard lights before its tail, and a lane kept free
for rescue vehicles. Hazard lights also where we come to rest in lane for our own sake.
"""

import math
from dataclasses import replace

import numpy as np

from marque.core.units import KPH
from marque.kernels.rollout import E_FRONT
from marque.stack.planning.corridor import Corridor
from marque.stack.planning.overtake import fast
from marque.stack.planning.state import Memory, Start, lane_at
from marque.types.codes import Indicator, UserKind
from marque.types.plan import Plan
from marque.types.scene import Scene

LOOK_M = 200.0
JAM_MPS, FASTER_MPS = 40.0 * KPH, 20.0 * KPH  # the jam's tail, and how much faster we come to it
MOST = 3  # of its tail are looked at; one slow car alone is no jam
# walking pace, from which on room is made; the traffic that flows again; whom we stand behind; and
# the end of our lane
CRAWL_MPS, FLOWS_MPS, LEADER_M, ENDS_M = 3.0, 8.0, 40.0, 150.0
HELD_NS = 4_000_000_000  # and so long afterwards


def jam_tail(memory: Memory, scene: Scene, corridor: Corridor, start: Start) -> bool:
    """Whether we come up to the tail of a jam: two or more on our lane who are slow, and we are
    much faster."""
    if not fast(corridor, start.s_m):
        return False
    front = start.s_m + float(memory.context.ego[E_FRONT])
    speeds = _ahead(scene, corridor, start.s_m, front)[:MOST]
    if len(speeds) < 2:
        return False
    return max(speeds) < JAM_MPS and start.speed_mps > max(speeds) + FASTER_MPS


def for_rescue(memory: Memory, scene: Scene) -> Memory:
    """Begin to keep beside the middle where we crawl behind somebody who does, on a road of several
    lanes; and go on until traffic flows again. Where our lane ends we have to get out of it."""
    corridor = memory.corridor
    if corridor is None or corridor.manoeuvre != "keep":
        return memory
    s_m, v = memory.plan_s_m, scene.ego.speed_mps
    wants = fast(corridor, s_m) and v < (FLOWS_MPS if memory.rescue else CRAWL_MPS)
    ends = corridor.end_kind == "lane_change" and corridor.end_m - s_m < ENDS_M
    if wants and not memory.rescue:
        front = s_m + float(memory.context.ego[E_FRONT])
        speeds = _ahead(scene, corridor, s_m, front, LEADER_M)
        wants = bool(speeds) and speeds[0] < CRAWL_MPS
    wants = wants and not ends
    return memory if wants == memory.rescue else replace(memory, rescue=wants)


def _ahead(
    scene: Scene, corridor: Corridor, s_m: float, front_m: float, look_m: float = LOOK_M
) -> list[float]:
    """Speeds of the vehicles ahead on our lanes within sight, the nearest first."""
    tracks, path = scene.tracks, corridor.path
    here = path.lanes.index(lane_at(corridor, s_m)[0])
    found: list[tuple[float, float]] = []
    for at in range(here, len(path.lanes)):
        on = (tracks.lane == path.lanes[at]) & (tracks.kind != UserKind.PEDESTRIAN)
        for i in np.flatnonzero(on).tolist():
            away = path.place_m(at, float(tracks.s_m[i])) - front_m
            if 0.0 < away < look_m and math.isfinite(tracks.speed_mps[i]):
                found.append((away, float(tracks.speed_mps[i])))
    return [speed for _, speed in sorted(found)]


def warned(memory: Memory, t_ns: int, plan: Plan) -> Plan:
    """The plan with hazard lights, if there is something to warn of; who indicates a turn or a
    change of lanes goes on doing so."""
    jam = t_ns - memory.jam_ns < HELD_NS
    if plan.indicator != Indicator.OFF or not (jam or memory.halt is not None):
        return plan
    return replace(plan, indicator=Indicator.HAZARD)
