"""Maps of next to nothing: one without lanes, which stands under a drive that was recorded where no
map is at hand, and one of a single lane."""

from dataclasses import MISSING, fields, replace
from typing import Any, get_origin

import numpy as np

from marque.core.arrays import BoolArray, Int8Array, Int32Array
from marque.types.codes import Allow, LaneKind
from marque.types.road_map import NONE, RoadMap

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


def straight_lane(length_m: float, width_m: float = 3.5, limit_mps: float = 13.89) -> RoadMap:
    """A RoadMap of one lane for cars, from the origin towards east."""
    x = np.linspace(0.0, length_m, max(2, round(length_m) + 1))
    line = np.column_stack((x, np.zeros_like(x)))
    nothing = open_ground("lane", "", "")
    alike: dict[str, Any] = {}
    for field in fields(RoadMap):
        value = getattr(nothing, field.name)
        if field.name.startswith("lane_") and isinstance(value, np.ndarray):
            alike[field.name] = np.zeros(1, dtype=value.dtype)
        elif field.name in ("succ_off", "pred_off", "conf_off", "cross_off"):
            alike[field.name] = np.zeros(2, dtype=np.int32)
    for name in ("junction", "left", "right", "opposite", "head"):
        alike[f"lane_{name}"] = np.full(1, NONE, dtype=np.int32)
    return replace(nothing, **alike | {
        "lane_name": ("lane",),
        "edge_name": ("edge",),
        "lane_kind": np.array([LaneKind.DRIVE], dtype=np.int8),
        "lane_allow": np.array([Allow.CAR], dtype=np.int8),
        "lane_width_m": np.array([width_m]),
        "lane_length_m": np.array([length_m]),
        "lane_limit_mps": np.array([limit_mps]),
        "lane_stop_m": np.array([np.nan]),
        "pt_off": np.array([0, len(x)], dtype=np.int32),
        "pt_xy_m": line,
        "pt_s_m": x,
        "pt_heading_rad": np.zeros_like(x),
        "pt_curvature_1pm": np.zeros_like(x),
        "shape_off": np.array([0, 2], dtype=np.int32),
        "shape_xy_m": line[[0, -1]],
    })  # fmt: skip


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
