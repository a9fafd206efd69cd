"""The globe (WGS 84) and a plane that touches it: exact formulas, no map projection.

ECEF: metres from the middle of the Earth, x through 0° N 0° E, z through the north pole. ENU: east,
north and up of a plane that touches the ellipsoid's normal at an origin.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray

SEMI_MAJOR_M = 6378137.0
FLATTENING = 1.0 / 298.257223563
ECCENTRICITY2 = FLATTENING * (2.0 - FLATTENING)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the plane touches: geodetic latitude and longitude, height over the ellipsoid."""

    latitude_deg: float
    longitude_deg: float
    height_m: float

    @property
    def projection(self) -> str:
        """PROJ string whose east and north equal ours on the ellipsoid."""
        where = f"+lat_0={self.latitude_deg!r} +lon_0={self.longitude_deg!r}"
        return f"+proj=ortho {where} +ellps=WGS84"


def ecef(latitude_deg: FloatArray, longitude_deg: FloatArray, height_m: FloatArray) -> FloatArray:
    """Geodetic [n], [n], [n] to ECEF [n, 3]."""
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    normal = SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY2 * np.sin(lat) ** 2)
    out = normal + height_m
    return np.column_stack(
        (
            out * np.cos(lat) * np.cos(lon),
            out * np.cos(lat) * np.sin(lon),
            (normal * (1.0 - ECCENTRICITY2) + height_m) * np.sin(lat),
        )
    )


def turn_to_enu(origin: Origin) -> FloatArray:
    """Rotation [3, 3] that takes an ECEF direction to east, north, up."""
    lat, lon = math.radians(origin.latitude_deg), math.radians(origin.longitude_deg)
    sin_lat, cos_lat, sin_lon, cos_lon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    return np.array(
        [
            [-sin_lon, cos_lon, 0.0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )


def ecef_to_enu(points_m: FloatArray, origin: Origin) -> FloatArray:
    """ECEF [n, 3] to east, north, up [n, 3] of the plane at `origin`."""
    start = ecef(
        np.array([origin.latitude_deg]),
        np.array([origin.longitude_deg]),
        np.array([origin.height_m]),
    )
    found: FloatArray = (points_m - start) @ turn_to_enu(origin).T
    return found
