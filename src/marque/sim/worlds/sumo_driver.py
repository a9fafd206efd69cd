"""SUMO's own driver on the ego's route, in SUMO's process: the yardstick for our car.

It starts from the same warmed state, at the same place, at rest, with the same room made for it,
in a car of the same size, and is held to the same lateral acceleration: before each step its top
speed is set to what the curve ahead allows.
"""

from math import hypot
from typing import Any

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo_read import EGO
from marque.sim.worlds.sumo_run import Sumo

STEP_S = 0.1
ARRIVED_M = 10.0
WAITING_MPS = 0.5
CREEP_MPS = 1.0  # a cap never asks for less; no curve of a road does


def drive(sumo: Sumo, task: dict[str, Any]) -> dict[str, Any]:
    """One trip. Returns plain data: see `marque.sim.reference.Reference`."""
    x, y, angle = task["start"]
    sumo.insert_ego(x, y, angle)
    _release(sumo)
    steps = round(task["max_s"] / STEP_S)
    waited = 0
    distance = 0.0
    for step in range(1, steps + 1):
        here = _cap_speed(sumo, task)
        sumo.advance()
        if EGO in sumo.lib.simulation.getArrivedIDList():
            return _result(sumo, step, waited, distance, arrived=True)
        if EGO not in sumo.lib.vehicle.getIDList():
            raise MarqueError("SUMO lost the reference car on its way")
        before = sumo.front
        px, py = sumo.lib.vehicle.getPosition(EGO)
        sumo.front = (px, py, sumo.lib.vehicle.getAngle(EGO))
        sumo.speed = sumo.lib.vehicle.getSpeed(EGO)
        distance += hypot(px - before[0], py - before[1])
        waited += sumo.speed < WAITING_MPS
        if here is not None and _at_goal(sumo, task, here):
            return _result(sumo, step, waited, distance, arrived=True)
    return _result(sumo, steps, waited, distance, arrived=False)


def _release(sumo: Sumo) -> None:
    vehicle = sumo.lib.vehicle
    vehicle.setPreviousSpeed(EGO, 0.0, 0.0)
    vehicle.setLaneChangeMode(EGO, 1621)  # SUMO's own lane changes, as anybody's
    sumo.courtesy.spared.discard(EGO)  # and goes first as anybody does
    sumo.driven = False


def _cap_speed(sumo: Sumo, task: dict[str, Any]) -> tuple[int, float] | None:
    """Set the top speed for the next step. Returns (lane, s of the front bumper) if on the map."""
    vehicle = sumo.lib.vehicle
    lane = sumo.lanes.get(vehicle.getLaneID(EGO), -1)
    line = task["lines"].get(lane)
    if line is None:
        vehicle.setMaxSpeed(EGO, task["top_mps"])
        return None
    xs, ys, ss, caps = line
    x, y, _ = sumo.front
    s = _along(xs, ys, ss, x, y)
    ahead = s + vehicle.getSpeed(EGO) * STEP_S
    vehicle.setMaxSpeed(EGO, max(CREEP_MPS, min(task["top_mps"], _at(ss, caps, ahead))))
    return lane, s


def _along(xs: list[float], ys: list[float], ss: list[float], x: float, y: float) -> float:
    """Arc length of the nearest point of a line."""
    best, at = 1e300, 0.0
    for i in range(len(xs) - 1):
        ux, uy = xs[i + 1] - xs[i], ys[i + 1] - ys[i]
        length2 = ux * ux + uy * uy
        if length2 < 1e-12:
            continue
        t = min(1.0, max(0.0, ((x - xs[i]) * ux + (y - ys[i]) * uy) / length2))
        away = (xs[i] + t * ux - x) ** 2 + (ys[i] + t * uy - y) ** 2
        if away < best:
            best, at = away, ss[i] + t * (ss[i + 1] - ss[i])
    return at


def _at(ss: list[float], values: list[float], s: float) -> float:
    """The smaller value of the two around s."""
    for i in range(len(ss) - 1):
        if s <= ss[i + 1]:
            return min(values[i], values[i + 1])
    return values[-1]


def _at_goal(sumo: Sumo, task: dict[str, Any], here: tuple[int, float]) -> bool:
    lane, s = here
    if lane not in task["goal_lanes"]:
        return False
    vehicle = sumo.lib.vehicle
    if vehicle.getRouteIndex(EGO) < len(vehicle.getRoute(EGO)) - 1:
        return False
    return bool(s - task["front_m"] >= task["goal_s_m"] - ARRIVED_M)


def _result(
    sumo: Sumo, steps: int, waited: int, distance: float, *, arrived: bool
) -> dict[str, Any]:
    return {
        "duration_s": steps * STEP_S,
        "waiting_s": waited * STEP_S,
        "distance_m": distance,
        "arrived": arrived,
        "collisions": [(other, *at) for other, at in sumo.ego_pairs.items()],
        "teleports": sumo.counts["teleports"],
        "removed": sumo.counts["removed_for_ego"],
    }
