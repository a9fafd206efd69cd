"""Who had to brake because of us."""

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray
from marque.metrics.trace import Trace
from marque.vehicle.market import load_market

HARD_MPS2 = load_market("un_r171").others_brake_mps2  # that nobody else may be forced to
FRAME_S = 0.1
OVER_FRAMES = 3  # speeds are told over so many frames: single ones jump
BODY_POINTS = 5
CONE_M, CONE_SLOPE = 3.0, 0.6  # half width ahead of who brakes, and how it widens
BLOCKS_M = 1.8  # who is so near to its line is before it as well


def braking(speed_mps: FloatArray, frames: IntArray) -> FloatArray:
    """[n] deceleration over the next 0.3 s of consecutive frames, 0 at the end."""
    out = np.zeros(len(speed_mps))
    if len(speed_mps) > OVER_FRAMES:
        whole = frames[OVER_FRAMES:] - frames[:-OVER_FRAMES] == OVER_FRAMES
        fall = speed_mps[:-OVER_FRAMES] - speed_mps[OVER_FRAMES:]
        out[:-OVER_FRAMES] = np.where(whole, fall / (OVER_FRAMES * FRAME_S), 0.0)
    return out


def because_of_us(trace: Trace, frame: int, row: int) -> bool:
    """Whether we are what a braking road user has before it: within its stopping distance, in a
    cone ahead of it, and nobody else who could be the reason is nearer."""
    v = float(trace.user_speed_mps[row])
    reach = v * v / (2.0 * HARD_MPS2) + 1.5 * v + 6.0
    c, s = np.cos(trace.user_heading_rad[row]), np.sin(trace.user_heading_rad[row])
    x, y = float(trace.user_x_m[row]), float(trace.user_y_m[row])
    nose = 0.5 * float(trace.user_length_m[row])

    def ahead(px: FloatArray, py: FloatArray) -> tuple[FloatArray, FloatArray]:
        dx, dy = px - x, py - y
        return dx * c + dy * s - nose, dy * c - dx * s

    car = trace.platform
    body = np.linspace(car.front_m, car.front_m - car.length_m, BODY_POINTS)
    h = float(trace.heading_rad[frame])
    gap, left = ahead(
        float(trace.x_m[frame]) + body * np.cos(h), float(trace.y_m[frame]) + body * np.sin(h)
    )
    cone = np.abs(left) < CONE_M + CONE_SLOPE * np.maximum(gap, 0.0)
    ours = gap[(gap > -2.0) & (gap < reach) & cone]
    if len(ours) == 0:
        return False
    rows = trace.users(frame)
    other_gap, other_left = ahead(trace.user_x_m[rows], trace.user_y_m[rows])
    half = 0.5 * trace.user_length_m[rows]
    same = np.arange(rows.start, rows.stop) == row
    slower = trace.user_speed_mps[rows] < v + 0.5
    blocks: BoolArray = (
        ~same & slower & (other_gap > 0.0) & (np.abs(other_left) < BLOCKS_M)
        & (other_gap - half < float(ours.min()))
    )  # fmt: skip
    return not bool(blocks.any())
