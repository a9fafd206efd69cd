"""A map without lanes: what stands under a drive that was recorded where no map is at hand."""

from dataclasses import MISSING, fields
from typing import Any, get_origin

import numpy as np

from marque.core.arrays import BoolArray, Int8Array, Int32Array
from marque.types.road_map import RoadMap

_TYPES: tuple[tuple[Any, Any], ...] = (
    (BoolArray, np.bool_),
    (Int8Array, np.int8),
    (Int32Array, np.int32),
)


def open_ground(name: str, source: str, projection: str, attribution: str = "") -> RoadMap:
    """A RoadMap with no lane, sign, signal or crosswalk; `projection` as in RoadMap, offset 0."""
    content: dict[str, Any] = {
        "name": name,
        "source": source,
        "projection": projection,
        "offset_m": np.zeros(2),
        "left_hand": False,
        "attribution": attribution,
    }
    for field in fields(RoadMap):
        if field.name not in content and field.default_factory is MISSING:
            content[field.name] = _nothing(field.name, field.type)
    return RoadMap(**content)


def _nothing(name: str, kind: Any) -> Any:
    """The value of a field of a map with 0 of everything."""
    if name.endswith("_off"):
        return np.zeros(1, dtype=np.int32)
    if name == "walk_axis_m":
        return np.zeros((0, 4))
    if name.endswith("_xy_m"):
        return np.zeros((0, 2))
    dtype = next((dtype for alias, dtype in _TYPES if kind == alias), None)
    if dtype is not None:
        return np.zeros(0, dtype=dtype)
    return () if get_origin(kind) is tuple else np.zeros(0)
