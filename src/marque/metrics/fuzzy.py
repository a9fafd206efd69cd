"""The fuzzy-model reference driver: what a competent, attentive driver could have avoided.

Mattas et al., adopted in the 01 series of UN R157 as performance model 2. The regulation's text
was not at hand: the values below are draft values, taken from the published model. They are
checked against 29,970 published cut-in cases in the tests.
"""

import math

from marque.core.arrays import BoolArray, FloatArray
from marque.core.geometry import boxes_overlap, project, wrap_angle
from marque.core.jit import jit
from marque.core.units import G_MPS2

REACTION_S = 0.75
COMFORT_BRAKE_MPS2 = 4.0
MAX_BRAKE_MPS2 = 6.0
LEAD_BRAKE_MPS2 = 7.0
MARGIN_M = 2.0
SIDE_MARGIN_S = 0.1
JERK_MPS3 = 12.65
BRAKE_CAP_MPS2 = 0.774 * G_MPS2
STEP_S = 0.05


@jit
def proactive(gap_m: float, speed_mps: float, lead_mps: float) -> float:
    """Share 0..1 to which the distance is unsafe if the lead brakes hard (PFS)."""
    gap = gap_m - MARGIN_M
    lead = max(0.0, lead_mps)
    after = lead * lead / (2.0 * LEAD_BRAKE_MPS2)
    before = speed_mps * REACTION_S
    safe = before + speed_mps * speed_mps / (2.0 * COMFORT_BRAKE_MPS2) - after + MARGIN_M
    unsafe = before + speed_mps * speed_mps / (2.0 * MAX_BRAKE_MPS2) - after
    return falling(gap, unsafe, safe)


@jit
def critical(gap_m: float, speed_mps: float, accel_mps2: float, lead_mps: float) -> float:
    """Share 0..1 to which contact threatens if the lead keeps its speed (CFS)."""
    if speed_mps <= lead_mps:
        return 0.0
    accel = max(accel_mps2, -COMFORT_BRAKE_MPS2)
    later = speed_mps + REACTION_S * accel
    closing = speed_mps - lead_mps
    if later < lead_mps:  # already braking enough to fall behind within the reaction time
        return 1.0 if gap_m < closing * closing / abs(2.0 * accel) else 0.0
    before = (closing + 0.5 * accel * REACTION_S) * REACTION_S
    excess = later - lead_mps
    safe = before + excess * excess / (2.0 * COMFORT_BRAKE_MPS2)
    unsafe = before + excess * excess / (2.0 * MAX_BRAKE_MPS2)
    return falling(gap_m, unsafe, safe)


@jit
def falling(value: float, low: float, high: float) -> float:
    """1 below `low`, 0 above `high`, straight in between."""
    if value > high:
        return 0.0
    if value < low:
        return 1.0
    return (value - high) / (low - high) if low < high else 1.0


@jit
def demand(gap_m: float, speed_mps: float, accel_mps2: float, lead_mps: float) -> float:
    """Braking (positive, m/s^2) that the driver wants for a lead at `gap_m` ahead."""
    threat = critical(gap_m, speed_mps, accel_mps2, lead_mps)
    if threat > 0.0:
        return COMFORT_BRAKE_MPS2 + threat * (MAX_BRAKE_MPS2 - COMFORT_BRAKE_MPS2)
    return COMFORT_BRAKE_MPS2 * proactive(gap_m, speed_mps, lead_mps)


@jit
def concerns(
    side_gap_m: float,
    side_speed_mps: float,
    gap_m: float,
    lengths_m: float,
    speed_mps: float,
    lead_mps: float,
) -> bool:
    """Whether a road user beside the path will be in it before we are past (lateral check).

    `side_speed_mps` is positive towards the path; `lengths_m` is the sum of both lengths.
    """
    if side_gap_m <= 0.0:
        return True
    if side_speed_mps <= 0.0 or speed_mps <= lead_mps:
        return False
    past_s = (gap_m + lengths_m) / (speed_mps - lead_mps) + SIDE_MARGIN_S
    return side_gap_m / side_speed_mps <= past_s


@jit
def place(
    path_xy: FloatArray,
    path_s: FloatArray,
    path_heading: FloatArray,
    x_m: float,
    y_m: float,
    heading_rad: float,
    speed_mps: float,
    length_m: float,
    width_m: float,
) -> tuple[float, float, float, float, float, float]:
    """(metres along a path, metres beside it (left), half extent along, half extent across, speed
    along, speed to the left) of a road user's box."""
    s, d, at = project(path_xy, path_s, x_m, y_m, 0, len(path_s) - 1)
    turn = wrap_angle(heading_rad - path_heading[at])
    c = abs(math.cos(turn))
    n = abs(math.sin(turn))
    along = 0.5 * (c * length_m + n * width_m)
    aside = 0.5 * (n * length_m + c * width_m)
    return s, d, along, aside, speed_mps * math.cos(turn), speed_mps * math.sin(turn)


@jit
def next_accel(accel_mps2: float, demand_mps2: float, step_s: float) -> float:
    """Acceleration after one step: braking builds up at the jerk limit and is released at once."""
    wanted = -min(demand_mps2, BRAKE_CAP_MPS2)
    return max(wanted, accel_mps2 - JERK_MPS3 * step_s) if wanted < accel_mps2 else wanted


@jit
def avoids(
    path_xy: FloatArray,
    path_s: FloatArray,
    path_heading: FloatArray,
    own_s: FloatArray,
    own_speed: FloatArray,
    front_m: float,
    length_m: float,
    width_m: float,
    other: FloatArray,
    other_there: BoolArray,
    other_length_m: float,
    other_width_m: float,
) -> bool:
    """Whether the reference driver, on our path, stays clear of one road user.

    It drives as we did (`own_s`, `own_speed` [k], one sample each `STEP_S`) until it reacts, and
    from then on only brakes as it wants to, or rolls. path_*: our rear axle's way [p]. other
    [k, 4]: x, y, heading and speed of the road user at the same instants, where it is there.
    """
    centre = 0.5 * length_m - (length_m - front_m)
    s = own_s[0]
    speed = own_speed[0]
    accel = 0.0
    reacts_at = -1
    wait = round(REACTION_S / STEP_S)
    seg = 0
    for k in range(len(own_s)):
        while seg < len(path_s) - 2 and path_s[seg + 1] < s:
            seg += 1
        span = path_s[seg + 1] - path_s[seg]
        t = (s - path_s[seg]) / span if span > 0.0 else 0.0
        heading = path_heading[seg] + t * wrap_angle(path_heading[seg + 1] - path_heading[seg])
        x = path_xy[seg, 0] + t * (path_xy[seg + 1, 0] - path_xy[seg, 0])
        y = path_xy[seg, 1] + t * (path_xy[seg + 1, 1] - path_xy[seg, 1])
        wanted = 0.0
        if other_there[k]:
            if boxes_overlap(
                x + centre * math.cos(heading), y + centre * math.sin(heading), heading,
                length_m, width_m,
                other[k, 0], other[k, 1], other[k, 2], other_length_m, other_width_m,
            ):  # fmt: skip
                return False
            so, do, along, aside, lead, drift = place(
                path_xy, path_s, path_heading,
                other[k, 0], other[k, 1], other[k, 2], other[k, 3], other_length_m, other_width_m,
            )  # fmt: skip
            gap = so - along - s - front_m
            towards = -drift if do > 0.0 else drift
            side = abs(do) - aside - 0.5 * width_m
            if gap > 0.0 and concerns(side, towards, gap, length_m + 2.0 * along, speed, lead):
                wanted = demand(gap, speed, accel, lead)
        if wanted > 0.0 and reacts_at < 0:
            reacts_at = k + wait
        if reacts_at < 0 or k < reacts_at:
            if k + 1 < len(own_s):
                accel = (own_speed[k + 1] - own_speed[k]) / STEP_S
                s = own_s[k + 1]
                speed = own_speed[k + 1]
            continue
        if k == reacts_at:
            accel = min(accel, 0.0)
        accel = next_accel(accel, wanted, STEP_S)
        speed = max(0.0, speed + accel * STEP_S)
        s += speed * STEP_S
    return True
