"""Long bodies in bends: a bus or a lorry cuts the inside of its lane.

A path is that of the middle of a box whose front and rear both follow the lane. In a bend of radius
R a body of length L then lies L^2 / (8 R) inside of its lane's middle, and points along its chord:
0.9 m for 12 m in a bend of 20 m, which is over the line. A road user of a car's length needs none
of this.
"""

import math

from marque.core.arrays import FloatArray, Int32Array
from marque.core.jit import jit

LONG_M = 6.5  # shorter ones lie less than 0.3 m inside of the tightest lanes


@jit
def lay_long_bodies(
    count: int,
    track: Int32Array,
    off: Int32Array,
    x: FloatArray,
    y: FloatArray,
    heading: FloatArray,
    now_x: FloatArray,
    now_y: FloatArray,
    now_heading: FloatArray,
    length: FloatArray,
) -> None:
    """Move each path k of a long road user from its lane's middle to where its body's will be.

    Paths as in `types.forecast`, one sample each metre, in place; sample 0, where it is now, stays.
    now_* and length [n]: of the tracks, middle of the box.
    """
    for k in range(count):
        i = track[k]
        n = off[k + 1] - off[k]
        if length[i] < LONG_M or n < 2:
            continue
        steps = int(0.5 * length[i] + 0.5)
        px = x[off[k] : off[k + 1]].copy()
        py = y[off[k] : off[k + 1]].copy()
        c, s = math.cos(heading[off[k + 1] - 1]), math.sin(heading[off[k + 1] - 1])
        rear_x = now_x[i] - steps * math.cos(now_heading[i])
        rear_y = now_y[i] - steps * math.sin(now_heading[i])
        for j in range(1, n):
            at = min(n - 1, j + steps)
            beyond = j + steps - at
            fx = px[at] + beyond * c
            fy = py[at] + beyond * s
            if j >= steps:
                bx, by = px[j - steps], py[j - steps]
            else:  # its rear comes to where its middle is now
                part = j / steps
                bx = rear_x + part * (px[0] - rear_x)
                by = rear_y + part * (py[0] - rear_y)
            if math.hypot(fx - bx, fy - by) > 1.0:
                x[off[k] + j] = 0.5 * (fx + bx)
                y[off[k] + j] = 0.5 * (fy + by)
                heading[off[k] + j] = math.atan2(fy - by, fx - bx)
