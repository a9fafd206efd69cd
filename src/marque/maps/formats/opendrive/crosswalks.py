"""Crosswalk objects: where pedestrians cross, as an axis from kerb to kerb and a width."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.maps.formats.opendrive.records import RoadObject
from marque.maps.formats.opendrive.roads import Roads

CROSSWALK = "crosswalk"
USUAL_M = 4.0  # along the road, where the file gives no width


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """A crosswalk at s of a road. axis_m [2, 2]: from kerb to kerb."""

    road_id: str
    s_m: float
    axis_m: FloatArray
    width_m: float


def crossings_of(roads: Roads) -> list[Crossing]:
    """All crosswalks of a file, in its order."""
    return [
        _crossing(roads, road.road_id, one)
        for road in roads.document.roads.values()
        for one in road.objects
        if one.kind.lower() == CROSSWALK
    ]


def _crossing(roads: Roads, road_id: str, one: RoadObject) -> Crossing:
    """The object's box: the longer side of it across the road."""
    s = min(max(one.s_m, 0.0), roads.length(road_id))
    x, y, heading = roads.pose(road_id, s, one.t_m)
    turned = heading + one.heading_rad
    corners = np.array(one.outline) if len(one.outline) > 2 else _box(one)
    c, d = math.cos(turned), math.sin(turned)
    points = corners @ np.array([[c, d], [-d, c]]) + (x, y)
    # along and across the road
    along, across = np.array([math.cos(heading), math.sin(heading)]), np.zeros(2)
    across[:] = -along[1], along[0]
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    u, v = (points - middle) @ along, (points - middle) @ across
    centre = middle + along * 0.5 * (u.min() + u.max())
    axis = np.vstack((centre + across * v.min(), centre + across * v.max()))
    return Crossing(road_id, s, axis, float(np.ptp(u)))


def _box(one: RoadObject) -> FloatArray:
    """Corners of an object without an outline, in its own frame."""
    a, b = 0.5 * (one.length_m or USUAL_M), 0.5 * (one.width_m or USUAL_M)
    return np.array([[a, b], [-a, b], [-a, -b], [a, -b]])
