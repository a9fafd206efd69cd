"""RoadMap: lanes, their joins and their rules, as flat arrays.

Frame: map metres, ENU, x east, y north; headings counter-clockwise from east.
A lane is directed. A *connector* is a lane across a junction. Left and right are seen in driving
direction. Ragged lists are CSR: items of lane i are `x[x_off[i]:x_off[i + 1]]`.
Lane indices are int32; `NONE` (-1) in a link field says that there is no such lane.
"""

from dataclasses import dataclass, field

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, Int8Array, Int32Array, freeze_arrays

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class RoadMap:
    """One road network. L lanes, N points, H signal heads, G signal groups, W crosswalks.

    Source geometry (`shape_*`) is the importer's own polyline, unchanged; `pt_*` is the drivable
    centre line: smoothed so that heading is continuous along lane and across joins, resampled by
    arc length. `maps.closeness` says where the two lie within 5 cm.
    """

    name: str
    source: str
    projection: str  # PROJ string of the map frame before `offset_m`; "" when not geo-referenced
    offset_m: FloatArray  # [2], map xy = projected xy + offset
    left_hand: bool
    attribution: str  # e.g. "© OpenStreetMap contributors"; drawn on every picture

    lane_name: tuple[str, ...]  # [L] the source's id, e.g. "123#1_0"
    lane_edge: Int32Array  # [L] index of the edge (road, one direction) or of the junction's inside
    edge_name: tuple[str, ...]
    lane_kind: Int8Array  # [L] LaneKind
    lane_allow: Int8Array  # [L] bits of Allow
    lane_connector: BoolArray  # [L]
    lane_width_m: FloatArray  # [L]
    lane_length_m: FloatArray  # [L] of the drivable centre line
    lane_limit_mps: FloatArray  # [L]
    lane_limit_defaulted: BoolArray  # [L]
    lane_turn: Int8Array  # [L] Turn
    lane_control: Int8Array  # [L] Control, on connectors
    lane_roundabout: BoolArray  # [L]
    lane_junction: Int32Array  # [L] junction index of a connector, NONE otherwise
    lane_left: Int32Array  # [L] neighbour in the same direction, NONE if none
    lane_right: Int32Array  # [L]
    lane_left_ok: BoolArray  # [L] crossing to it is legal
    lane_right_ok: BoolArray  # [L]
    lane_opposite: Int32Array  # [L] adjacent lane of the opposite direction, NONE if none
    lane_opposite_ok: BoolArray  # [L] using it to pass an obstacle is legal
    lane_stop_m: FloatArray  # [L] s of the stop line on the lane *before* a connector;
    #   on every lane that ends at a junction: at most its length. nan: no stop line
    lane_head: Int32Array  # [L] signal head that governs a connector, NONE if none
    lane_elevation_m: FloatArray  # [L] mean, for overpasses: lanes apart in height never conflict

    pt_off: Int32Array  # [L+1]
    pt_xy_m: FloatArray  # [N, 2]
    pt_s_m: FloatArray  # [N] from the start of its lane
    pt_heading_rad: FloatArray  # [N]
    pt_curvature_1pm: FloatArray  # [N]

    shape_off: Int32Array  # [L+1]
    shape_xy_m: FloatArray  # [M, 2] the importer's own polyline

    succ_off: Int32Array  # [L+1] lanes that follow; between a lane and the next stands a connector
    succ: Int32Array
    pred_off: Int32Array
    pred: Int32Array

    conf_off: Int32Array  # [L+1] conflicts of a connector with other connectors of its junction
    conf_lane: Int32Array  # [C] the other connector
    conf_kind: Int8Array  # [C] ConflictKind
    conf_priority: Int8Array  # [C] +1 this lane goes first, -1 it yields, 0 equal (by arrival)
    conf_s_in_m: FloatArray  # [C] where the shared area begins and ends, along this lane
    conf_s_out_m: FloatArray
    conf_other_in_m: FloatArray  # [C] the same along the other lane
    conf_other_out_m: FloatArray

    walk_name: tuple[str, ...]  # [W] crosswalks
    walk_off: Int32Array  # [W+1] polygon of each crosswalk
    walk_xy_m: FloatArray  # [K, 2]
    walk_priority: BoolArray  # [W] pedestrians have priority (zebra, or turning traffic yields)
    walk_head: Int32Array  # [W] signal head for the pedestrians, NONE if none
    walk_axis_m: FloatArray  # [W, 4] x1, y1, x2, y2: centre line from kerb to kerb
    walk_width_m: FloatArray  # [W]
    cross_off: Int32Array  # [L+1] crosswalks that a lane passes
    cross_walk: Int32Array  # [X] crosswalk index
    cross_s_in_m: FloatArray  # [X]
    cross_s_out_m: FloatArray  # [X]

    head_group: Int32Array  # [H] signal group (controller) of a head
    head_link: Int32Array  # [H] its link index in the program's state string
    head_xy_m: FloatArray  # [H, 2] where it is seen: at the stop line
    group_name: tuple[str, ...]  # [G]
    phase_off: Int32Array  # [G+1]
    phase_duration_s: FloatArray  # [F]
    phase_state: tuple[str, ...]  # [F] one letter per link: r y g G u o O s
    group_offset_s: FloatArray  # [G]

    junction_name: tuple[str, ...]  # [J]
    junction_kind: tuple[str, ...]  # [J] the source's type, e.g. "traffic_light"
    junction_off: Int32Array  # [J+1] outline
    junction_xy_m: FloatArray  # [Q, 2]

    stop_name: tuple[str, ...]  # bus stops
    stop_lane: Int32Array
    stop_s_in_m: FloatArray
    stop_s_out_m: FloatArray

    # the source's other ids of a connector: what SUMO calls a chain of internal lanes is one lane
    # here, named after its first part. alias_name[k] is part of lane alias_lane[k]
    alias_name: tuple[str, ...] = ()
    alias_lane: Int32Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    # [C] the source was silent or contradicted itself, so `conf_priority` is by general rule
    conf_guessed: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    # [L, 2] over how many metres a lane that opens or ends is eased sideways from its start and to
    # its end, where the source jumps; 0: not at all
    taper_m: FloatArray = field(default_factory=lambda: np.zeros((0, 2)))
    # [L] where along a connector the source lets those wait inside the junction who have to yield
    # there; nan: nowhere
    wait_m: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def lane_count(self) -> int:
        """L."""
        return len(self.lane_name)

    @property
    def waiting_m(self) -> FloatArray:
        """`wait_m` [L]; of a map that knows of no such place, nan everywhere."""
        if len(self.wait_m):
            return self.wait_m
        nowhere = np.full(self.lane_count, np.nan)
        nowhere.flags.writeable = False  # as the map's own: machine code tells one from the other
        return nowhere

    def points(self, lane: int) -> FloatArray:
        """Drivable centre line [n, 2] of one lane, map metres (a view)."""
        return self.pt_xy_m[self.pt_off[lane] : self.pt_off[lane + 1]]

    def arc(self, lane: int) -> FloatArray:
        """Arc length [n] at each point of `points(lane)` (a view)."""
        return self.pt_s_m[self.pt_off[lane] : self.pt_off[lane + 1]]

    def place(self, lane: int, s_m: float) -> tuple[float, float, float]:
        """(x, y, heading) of a place on a lane's centre line."""
        arc, xy = self.arc(lane), self.points(lane)
        heading = self.pt_heading_rad[self.pt_off[lane] : self.pt_off[lane + 1]]
        return (
            float(np.interp(s_m, arc, xy[:, 0])),
            float(np.interp(s_m, arc, xy[:, 1])),
            float(np.interp(s_m, arc, np.unwrap(heading))),
        )

    def successors(self, lane: int) -> Int32Array:
        """Lanes that follow (a view)."""
        return self.succ[self.succ_off[lane] : self.succ_off[lane + 1]]

    def predecessors(self, lane: int) -> Int32Array:
        """Lanes that lead here (a view)."""
        return self.pred[self.pred_off[lane] : self.pred_off[lane + 1]]

    def crosswalk(self, walk: int) -> FloatArray:
        """Polygon [k, 2] of one crosswalk, map metres (a view)."""
        return self.walk_xy_m[self.walk_off[walk] : self.walk_off[walk + 1]]
