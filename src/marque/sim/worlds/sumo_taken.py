"""Taking somebody's place: our car is put into traffic in motion where a driver of SUMO's was.

Runs in SUMO's process.
"""

import struct
from math import cos, hypot, radians, sin
from typing import Any

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo_read import CAR, CLASSES, EGO
from marque.sim.worlds.sumo_run import Sumo

PLACE = struct.Struct("<4d")  # front x, y, angle (deg), speed
STEP_S = 0.1
IN_LANE_M = 0.3  # whoever is farther from the middle of its lane is just changing lanes


def cars(sumo: Sumo) -> list[tuple[Any, ...]]:
    """Whose place may be taken, by name: (name, lane of the map, its place in m from the lane's
    end, speed, edges to come); cars in the middle of a lane that the map knows, on a road."""
    vehicle = sumo.lib.vehicle
    found = []
    for name in sorted(vehicle.getIDList()):
        lane = vehicle.getLaneID(name)
        if name == EGO or lane[:1] == ":" or lane not in sumo.lanes:
            continue
        if CLASSES.get(vehicle.getVehicleClass(name), CAR) != CAR:
            continue
        if abs(vehicle.getLateralLanePosition(name)) <= IN_LANE_M:
            left_m = sumo.lib.lane.getLength(lane) - vehicle.getLanePosition(name)
            route = tuple(vehicle.getRoute(name)[max(0, vehicle.getRouteIndex(name)) :])
            found.append((name, sumo.lanes[lane], left_m, vehicle.getSpeed(name), route))
    return found


def take_place(sumo: Sumo, name: str, far_m: float) -> tuple[float, float, float, float]:
    """Remove somebody and put our car there, one step later, at the same speed. Whoever is more
    than `far_m` away is taken out of the traffic, and nobody enters any more: what is near costs
    a tenth of a whole city. Front, angle and speed of our car. MarqueError: SUMO refuses."""
    lib, vehicle = sumo.lib, sumo.lib.vehicle
    x, y = vehicle.getPosition(name)
    angle, speed = vehicle.getAngle(name), vehicle.getSpeed(name)
    route = vehicle.getRoute(name)[max(0, vehicle.getRouteIndex(name)) :]
    index = vehicle.getLaneIndex(name)
    _clear(sumo, name, (x, y), far_m)
    sumo.demand = None
    h = radians(90.0 - angle)
    x, y = x + STEP_S * speed * cos(h), y + STEP_S * speed * sin(h)
    sumo._ego_type(sumo.setup["ego"])
    sumo.route = tuple(route)
    sumo.front = (x, y, angle)
    try:
        lib.route.add("marque_route", route)
        vehicle.add(EGO, "marque_route", "marque_ego")
        vehicle.setLaneChangeMode(EGO, 0)
        vehicle.moveToXY(EGO, route[0], index, x, y, angle, 3)
        lib.simulationStep()
    except lib.TraCIException as error:
        raise MarqueError(
            f"SUMO cannot take our car in in the place of '{name}': {error}"
        ) from error
    if EGO not in vehicle.getIDList():
        raise MarqueError(f"SUMO did not take our car in in the place of '{name}'")
    sumo.has_ego = True
    sumo.speed, sumo.accel = speed, 0.0
    vehicle.setActionStepLength(EGO, STEP_S)
    if sumo.setup["far_s"] > 0.0:
        sumo.wake_near(sumo.others())
    return x, y, angle, speed


def _clear(sumo: Sumo, name: str, at: tuple[float, float], far_m: float) -> None:
    """Take out who is far away, and the one whose place is taken."""
    for domain in (sumo.lib.vehicle, sumo.lib.person):
        for other in domain.getIDList():
            x, y = domain.getPosition(other)
            if hypot(x - at[0], y - at[1]) > far_m:
                if domain is sumo.lib.vehicle:
                    domain.remove(other)
                else:
                    domain.removeStages(other)
    sumo.lib.vehicle.remove(name)
