"""The corridor: no command takes the car off the path that was adopted, farther than it can be
brought back.

1. The corridor is the path of the plan last adopted, WIDE_M to each side of the rear axle's line.
2. A command is held to be followed from when the steering answers until HELD_S later; from then on
   the guard's own tracker turns back, with BACK_MPS2 beside what the path needs and at TRACK_MPS3,
   or as the steering can.
3. A command that would take the car beyond the corridor like that is not passed: the last verified
   fall-back is tracked. Nor is it passed again before commands have stayed inside for CALM_S: who
   steers at others rides along the border otherwise.
4. A car that is outside already may drive back, or on as it is.
"""

import math

from marque.core.arrays import FloatArray
from marque.core.geometry import wrap_angle
from marque.core.jit import jit
from marque.guard import path as paths

WIDE_M = 0.7
HELD_S = 0.06
BACK_MPS2, TRACK_MPS3 = 1.0, 15.0
MORE_M = 0.1  # farther than it is already
CALM_S = 1.0
STEP_S = 0.04
STEPS = 50
LEAST_MPS = 0.5


@jit
def aside(
    path: FloatArray,
    ego: tuple[float, float, float, float],
    held: float,
    curvature: float,
    late_s: float,
    rate: float,
) -> tuple[float, float]:
    """(metres beside the path now, and at most if the command is followed a while), unsigned.

    ego: x, y, heading, speed; held: the curvature asked before, which the car follows meanwhile;
    rate: how fast its curvature may change, 1/(m s).
    """
    v = ego[3]
    slew = min(TRACK_MPS3, v * v * rate) * STEP_S
    s, d, heading = paths.place_on(path, ego[0], ego[1])
    now = abs(d)
    if v < LEAST_MPS:
        return now, now
    sideways = v * math.sin(wrap_angle(ego[2] - heading))
    worst = now
    turn = 0.0
    outward = 0.0
    for k in range(STEPS):
        t = k * STEP_S
        if t < late_s + HELD_S:
            bend = held if t < late_s else curvature
            turn = v * v * (bend - paths.column(path, s + v * t, paths.CURVATURE))
            outward = 1.0 if d + 0.2 * sideways > 0.0 else -1.0
        else:
            turn = turn - outward * min(slew, turn * outward + BACK_MPS2)
            if sideways * outward <= 0.0:
                break
        d += sideways * STEP_S + 0.5 * turn * STEP_S * STEP_S
        sideways += turn * STEP_S
        worst = max(worst, abs(d))
    return now, worst


@jit
def leaves(now: float, worst: float) -> bool:
    """Rules 3 and 4, of what `aside` gives."""
    return worst > max(WIDE_M, now + MORE_M)
