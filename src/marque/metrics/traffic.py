"""How much traffic was met: moving road users within 100 m."""

import numpy as np

from marque.metrics.trace import Trace
from marque.types.codes import UserKind

RANGE_M = 100.0
MOVES_MPS = 0.5
_ON_FOOT_OR_BICYCLE = (UserKind.PEDESTRIAN, UserKind.BICYCLE)


def traffic(trace: Trace) -> dict[str, float]:
    """Mean number, over frames, of road users within 100 m that move faster than 0.5 m/s.

    Distance is from the middle of one body to that of the other; obstacles do not count.
    """
    if not trace.count:
        return {"all": 0.0, "motor": 0.0, "foot_or_bicycle": 0.0}
    per_frame = np.diff(trace.off)
    dx = trace.user_x_m - np.repeat(trace.middle_x_m, per_frame)
    dy = trace.user_y_m - np.repeat(trace.middle_y_m, per_frame)
    met = (np.hypot(dx, dy) <= RANGE_M) & (trace.user_speed_mps > MOVES_MPS)
    met &= trace.kind != UserKind.OBSTACLE
    light = np.isin(trace.kind, _ON_FOOT_OR_BICYCLE)
    every = np.count_nonzero(met) / trace.count
    soft = np.count_nonzero(met & light) / trace.count
    return {"all": every, "motor": every - soft, "foot_or_bicycle": soft}
