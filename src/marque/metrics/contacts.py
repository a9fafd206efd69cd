"""Every contact of the car with a road user, from the truth, between frames too."""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray, Int32Array, IntArray
from marque.core.geometry import boxes_overlap, wrap_angle
from marque.core.jit import jit
from marque.metrics.trace import Trace

SUBSTEPS = 5  # 20 ms
_JUMP_M = 10.0  # a road user that moves farther in 100 ms was put elsewhere, not driven there


@dataclass(frozen=True, slots=True)
class Contact:
    """The first touch of one road user: in frame `frame`, `share` of the step to the next."""

    frame: int
    share: float
    row: int  # in the trace, of that frame
    uid: int


def contacts(trace: Trace) -> list[Contact]:
    """First contacts in the order of time, one for each road user."""
    share = _touches(
        trace.middle_x_m, trace.middle_y_m, trace.heading_rad,
        trace.platform.length_m, trace.platform.width_m,
        trace.off, trace.uid, trace.user_x_m, trace.user_y_m, trace.user_heading_rad,
        trace.user_length_m, trace.user_width_m,
    )  # fmt: skip
    frame_of = np.repeat(np.arange(trace.count), np.diff(trace.off))
    found: dict[int, Contact] = {}
    for row in np.flatnonzero(share >= 0.0).tolist():
        uid = int(trace.uid[row])
        hit = Contact(int(frame_of[row]), float(share[row]), row, uid)
        found.setdefault(uid, hit)
    return sorted(found.values(), key=lambda hit: (hit.frame, hit.share, hit.uid))


@jit
def _touches(
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    length: float,
    width: float,
    off: Int32Array,
    uid: IntArray,
    ux: FloatArray,
    uy: FloatArray,
    uh: FloatArray,
    ulen: FloatArray,
    uwid: FloatArray,
) -> FloatArray:
    """[U] share of the step at which the row's user touches us first, -1 if it does not."""
    share = np.full(len(uid), -1.0)
    own = 0.5 * math.hypot(length, width)
    for k in range(len(x)):
        for r in range(off[k], off[k + 1]):
            reach = own + 0.5 * math.hypot(ulen[r], uwid[r]) + 2.0 * _JUMP_M
            if math.hypot(ux[r] - x[k], uy[r] - y[k]) > reach:
                continue
            r2 = -1
            if k + 1 < len(x):
                for q in range(off[k + 1], off[k + 2]):
                    if uid[q] == uid[r]:
                        r2 = q
                        break
            if r2 >= 0 and math.hypot(ux[r2] - ux[r], uy[r2] - uy[r]) > _JUMP_M:
                r2 = -1
            steps = SUBSTEPS if r2 >= 0 else 1
            for i in range(steps):
                f = i / SUBSTEPS
                mx = x[k]
                my = y[k]
                mh = heading[k]
                ox = ux[r]
                oy = uy[r]
                oh = uh[r]
                if f > 0.0:
                    mx += f * (x[k + 1] - x[k])
                    my += f * (y[k + 1] - y[k])
                    mh += f * wrap_angle(heading[k + 1] - heading[k])
                    ox += f * (ux[r2] - ux[r])
                    oy += f * (uy[r2] - uy[r])
                    oh += f * wrap_angle(uh[r2] - uh[r])
                if boxes_overlap(mx, my, mh, length, width, ox, oy, oh, ulen[r], uwid[r]):
                    share[r] = f
                    break
    return share
