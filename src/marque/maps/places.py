"""Places as people write them: `52.44,13.5`, `xy:1200,300`, `lane:ID`, `lane:ID@25`."""

import math
import re
from functools import lru_cache
from typing import Any

from pyproj import Proj
from pyproj.exceptions import CRSError

from marque.core.errors import MarqueError, unknown
from marque.maps.lookup import LaneIndex
from marque.types.codes import Allow
from marque.types.road_map import RoadMap

SNAP_M = 50.0  # a place farther from every lane is off the map
FARTHEST = 1e8  # numbers beyond are slips of the pen
_PAIR = re.compile(r"\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*")
_FORMS = "write lat,lon (52.44,13.5), xy:x,y (map metres), lane:ID or lane:ID@metres"


def parse_place(
    road_map: RoadMap, index: LaneIndex, text: str, allow: int = Allow.CAR
) -> tuple[int, float]:
    """(lane, s_m) of a place. `lane:ID` alone is the middle of the lane.

    Raises MarqueError: not a place, no such lane, a lane closed to `allow`, no geo-reference,
    or farther than 50 m from every lane open to `allow`.
    """
    head, _, rest = text.strip().partition(":")
    if head == "lane":
        return _lane_place(road_map, rest, allow)
    if head == "xy":
        x, y = _pair(text, rest)
    else:
        lat, lon = _pair(text, text)
        x, y = to_xy(road_map, lat, lon)
    return _snap(road_map, index, text, x, y, allow)


def to_latlon(road_map: RoadMap, x_m: float, y_m: float) -> tuple[float, float]:
    """Latitude and longitude in degrees of a point of the map. MarqueError: no geo-reference."""
    project = _projection(road_map)
    lon, lat = project(
        x_m - float(road_map.offset_m[0]), y_m - float(road_map.offset_m[1]), inverse=True
    )
    return float(lat), float(lon)


def to_xy(road_map: RoadMap, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Map metres of latitude and longitude. MarqueError: out of range, or no geo-reference."""
    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
        raise MarqueError(
            f"{lat_deg:g},{lon_deg:g} is no latitude,longitude; for map metres write xy:x,y"
        )
    x, y = _projection(road_map)(lon_deg, lat_deg)
    return float(x) + float(road_map.offset_m[0]), float(y) + float(road_map.offset_m[1])


def bounds_text(road_map: RoadMap) -> str:
    """The map's extent, for messages."""
    low, high = road_map.pt_xy_m.min(axis=0), road_map.pt_xy_m.max(axis=0)
    text = f"xy:{low[0]:.0f},{low[1]:.0f} to xy:{high[0]:.0f},{high[1]:.0f}"
    if not road_map.projection:
        return text
    south, west = to_latlon(road_map, float(low[0]), float(low[1]))
    north, east = to_latlon(road_map, float(high[0]), float(high[1]))
    return f"{south:.4f},{west:.4f} to {north:.4f},{east:.4f} ({text})"


def _lane_place(road_map: RoadMap, text: str, allow: int) -> tuple[int, float]:
    name, at, where = text.partition("@")
    if name not in road_map.lane_name and text in road_map.lane_name:
        name, at, where = text, "", ""
    lane = _lane_named(road_map, name)
    if not int(road_map.lane_allow[lane]) & int(allow):
        raise MarqueError(f"lane '{name}' is closed to {Allow(allow).name}")
    length = float(road_map.lane_length_m[lane])
    if not at:
        return lane, 0.5 * length
    try:
        s_m = float(where)
    except ValueError:
        s_m = math.nan
    if not 0.0 <= s_m <= length:
        raise MarqueError(f"lane '{name}' runs from 0 to {length:.1f} m; '{where}' is not on it")
    return lane, s_m


def _lane_named(road_map: RoadMap, name: str) -> int:
    if name in road_map.lane_name:
        return road_map.lane_name.index(name)
    if name in road_map.alias_name:
        return int(road_map.alias_lane[road_map.alias_name.index(name)])
    if len(road_map.lane_name) <= 20:
        raise unknown("lane", name, road_map.lane_name)
    raise MarqueError(
        f"no lane '{name}' on map '{road_map.name}'; it has {road_map.lane_count} lanes, "
        f"e.g. '{road_map.lane_name[0]}'"
    )


def _pair(text: str, pair: str) -> tuple[float, float]:
    found = _PAIR.fullmatch(pair)
    try:
        a, b = (float(each) for each in found.groups()) if found else (math.nan, math.nan)
    except ValueError:
        a = b = math.nan
    if not (abs(a) < FARTHEST and abs(b) < FARTHEST):
        raise MarqueError(f"'{text}' is no place; {_FORMS}")
    return a, b


def _snap(
    road_map: RoadMap, index: LaneIndex, text: str, x: float, y: float, allow: int
) -> tuple[int, float]:
    found = index.nearest(x, y, allow=allow, max_m=SNAP_M, connectors=False)
    if found is not None:
        return found[0], found[1]
    usable = ((road_map.lane_allow & int(allow)) != 0) & ~road_map.lane_connector
    gap = math.inf
    for lane in usable.nonzero()[0]:
        step = road_map.points(int(lane)) - (x, y)
        gap = min(gap, float((step * step).sum(axis=1).min()) ** 0.5)
    if not math.isfinite(gap):
        raise MarqueError(f"map '{road_map.name}' has no lane open to {Allow(allow).name}")
    raise MarqueError(
        f"'{text}' is off map '{road_map.name}': {gap:.0f} m from the nearest lane for "
        f"{Allow(allow).name}; the map spans {bounds_text(road_map)}"
    )


def _projection(road_map: RoadMap) -> Any:
    if not road_map.projection:
        raise MarqueError(
            f"map '{road_map.name}' has no geo-reference; write xy:x,y (map metres) or lane:ID"
        )
    try:
        return _make_projection(road_map.projection)
    except CRSError as error:
        raise MarqueError(
            f"map '{road_map.name}' has a projection that cannot be read: '{road_map.projection}'"
        ) from error


@lru_cache(maxsize=16)
def _make_projection(text: str) -> Any:
    return Proj(text)
