"""The lines and kerbs that bound the lanes of a map, as short pieces.

One formula for who makes readings from the true map and for who looks for them in the believed
one; what each of them thinks of their errors is its own.
"""

import numpy as np

from marque.core.arrays import FloatArray
from marque.types.codes import LaneKind
from marque.types.road_map import NONE, RoadMap

APART_M = 3.0  # from piece to piece
_PAINTED = (LaneKind.DRIVE, LaneKind.BUS, LaneKind.BIKE, LaneKind.SHOULDER)


def lane_paint(road_map: RoadMap) -> FloatArray:
    """[P, 4] x, y, direction and whether solid, of both sides of every lane between junctions.

    A line between two lanes stands once, on the left side of the right one; it is solid where
    neither side may cross it. What bounds the road is solid.
    """
    m = road_map
    rows = [np.empty((0, 4))]
    for lane in range(m.lane_count):
        if m.lane_connector[lane] or int(m.lane_kind[lane]) not in _PAINTED:
            continue
        at = np.arange(m.pt_off[lane], m.pt_off[lane + 1])
        keep = np.r_[True, np.diff(m.pt_s_m[at] // APART_M) > 0.0]
        at = at[keep]
        sides = [(1.0, int(m.lane_left[lane]), bool(m.lane_left_ok[lane]))]
        if m.lane_right[lane] == NONE:
            sides.append((-1.0, NONE, False))
        for side, beside, legal in sides:
            heading = m.pt_heading_rad[at]
            half = 0.5 * side * float(m.lane_width_m[lane])
            row = np.empty((len(at), 4))
            row[:, 0] = m.pt_xy_m[at, 0] - half * np.sin(heading)
            row[:, 1] = m.pt_xy_m[at, 1] + half * np.cos(heading)
            row[:, 2] = heading
            row[:, 3] = not (legal or (beside != NONE and bool(m.lane_right_ok[beside])))
            rows.append(row)
    return np.concatenate(rows)
