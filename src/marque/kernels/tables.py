"""The part of a RoadMap that compiled loops read, as one tuple of arrays."""

from typing import NamedTuple

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array
from marque.types.codes import Allow, LaneKind
from marque.types.road_map import RoadMap


class MapTables(NamedTuple):
    """Arrays of `types.road_map.RoadMap`, same names and meaning."""

    pt_off: Int32Array
    pt_xy_m: FloatArray
    pt_s_m: FloatArray
    pt_heading_rad: FloatArray
    succ_off: Int32Array
    succ: Int32Array
    pred_off: Int32Array
    pred: Int32Array
    lane_length_m: FloatArray
    lane_width_m: FloatArray
    lane_limit_mps: FloatArray
    lane_connector: BoolArray
    lane_turn: Int8Array
    lane_head: Int32Array
    lane_stop_m: FloatArray
    lane_wait_m: FloatArray  # [L] of a connector: where they wait inside the junction; nan: nowhere
    lane_left: Int32Array
    lane_right: Int32Array
    lane_drive: BoolArray  # [L] open for motor traffic of some kind
    lane_ride: BoolArray  # [L] open for bicycles
    conf_off: Int32Array
    conf_lane: Int32Array
    conf_kind: Int8Array
    conf_priority: Int8Array
    walk_axis_m: FloatArray
    walk_width_m: FloatArray
    walk_priority: BoolArray
    walk_head: Int32Array


def map_tables(road_map: RoadMap) -> MapTables:
    """The tables of a map (views where possible)."""
    motor = int(Allow.CAR | Allow.TRUCK | Allow.BUS)
    road = road_map.lane_kind != LaneKind.WALK
    drive = ((road_map.lane_allow & motor) != 0) & road
    ride = ((road_map.lane_allow & int(Allow.BICYCLE)) != 0) & road
    stop = np.where(np.isfinite(road_map.lane_stop_m), road_map.lane_stop_m, -1.0)
    return MapTables(
        pt_off=road_map.pt_off,
        pt_xy_m=road_map.pt_xy_m,
        pt_s_m=road_map.pt_s_m,
        pt_heading_rad=road_map.pt_heading_rad,
        succ_off=road_map.succ_off,
        succ=road_map.succ,
        pred_off=road_map.pred_off,
        pred=road_map.pred,
        lane_length_m=road_map.lane_length_m,
        lane_width_m=road_map.lane_width_m,
        lane_limit_mps=road_map.lane_limit_mps,
        lane_connector=road_map.lane_connector,
        lane_turn=road_map.lane_turn,
        lane_head=road_map.lane_head,
        lane_stop_m=stop,
        lane_wait_m=road_map.waiting_m,
        lane_left=road_map.lane_left,
        lane_right=road_map.lane_right,
        lane_drive=drive,
        lane_ride=ride,
        conf_off=road_map.conf_off,
        conf_lane=road_map.conf_lane,
        conf_kind=road_map.conf_kind,
        conf_priority=road_map.conf_priority,
        walk_axis_m=road_map.walk_axis_m,
        walk_width_m=road_map.walk_width_m,
        walk_priority=road_map.walk_priority,
        walk_head=road_map.walk_head,
    )
