"""Line of sight among oriented boxes, from one point.

A fan of rays is cast over the angular extent of each box; its visible share is the share of rays
that meet no occluder before it. What stands higher than a car (tall) is hidden by tall boxes
alone. A box around the eye is seen whole and hides nothing. Radar looks beneath one vehicle.
"""

import math

import numpy as np

from marque.core.arrays import BoolArray, FloatArray, IntArray, read_only
from marque.core.jit import jit
from marque.types.codes import UserKind
from marque.types.road_map import RoadMap
from marque.types.world import RoadUsers

NEVER = 1e300
ROW_RAD = 0.35  # who stands in a row points our way, and lies ahead, within this
BEFORE_M = 1e-3  # an occluder stands at least this much nearer than what it hides
# who hides what is behind: people on foot and two-wheelers do not
HIDES = np.zeros(len(UserKind), dtype=np.bool_)
HIDES[[UserKind.CAR, UserKind.TRUCK, UserKind.BUS, UserKind.RAIL, UserKind.OBSTACLE]] = True
# who stands higher than a car: seen above cars, and alone hides signals
TALL = np.zeros(len(UserKind), dtype=np.bool_)
TALL[[UserKind.TRUCK, UserKind.BUS, UserKind.RAIL]] = True


def boxes(users: RoadUsers) -> FloatArray:
    """[n, 6] x, y, cos, sin of the heading, half length, half width."""
    box = np.empty((len(users.uid), 6))
    box[:, 0] = users.x_m
    box[:, 1] = users.y_m
    box[:, 2] = np.cos(users.heading_rad)
    box[:, 3] = np.sin(users.heading_rad)
    box[:, 4] = 0.5 * users.length_m
    box[:, 5] = 0.5 * users.width_m
    return box


def head_headings(road_map: RoadMap) -> FloatArray:
    """[H] direction of the traffic that each signal head faces, nan where no lane is governed."""
    heading = np.full(len(road_map.head_group), np.nan)
    governed = np.flatnonzero(road_map.lane_head >= 0)
    heading[road_map.lane_head[governed]] = road_map.pt_heading_rad[road_map.pt_off[governed]]
    return read_only(heading)


@jit
def ray_to_box(
    ex: float,
    ey: float,
    ux: float,
    uy: float,
    x: float,
    y: float,
    cos_h: float,
    sin_h: float,
    half_l: float,
    half_w: float,
) -> float:
    """Distance along the unit ray u from e to where it enters a box; NEVER if it misses.

    A ray that starts inside a box misses it.
    """
    px = (ex - x) * cos_h + (ey - y) * sin_h
    py = -(ex - x) * sin_h + (ey - y) * cos_h
    vx = ux * cos_h + uy * sin_h
    vy = -ux * sin_h + uy * cos_h
    near = -NEVER
    far = NEVER
    for axis in range(2):
        p = px if axis == 0 else py
        v = vx if axis == 0 else vy
        half = half_l if axis == 0 else half_w
        if abs(v) < 1e-12:
            if abs(p) > half:
                return NEVER
            continue
        a = (-half - p) / v
        b = (half - p) / v
        near = max(near, min(a, b))
        far = min(far, max(a, b))
    if near > far or near < 0.0:
        return NEVER
    return near


@jit
def angular_extent(
    ex: float,
    ey: float,
    x: float,
    y: float,
    cos_h: float,
    sin_h: float,
    half_l: float,
    half_w: float,
) -> tuple[float, float, float]:
    """Bearing of the middle of a box from e, and its extent to the right and to the left of it.

    Extents are in [0, pi]; a box around e has (bearing, pi, pi).
    """
    dx = x - ex
    dy = y - ey
    px = dx * cos_h + dy * sin_h
    py = -dx * sin_h + dy * cos_h
    if abs(px) <= half_l and abs(py) <= half_w:
        return 0.0, math.pi, math.pi
    bearing = math.atan2(dy, dx)
    right = 0.0
    left = 0.0
    for corner in range(4):
        lx = half_l if corner < 2 else -half_l
        ly = half_w if corner % 2 == 0 else -half_w
        cx = dx + lx * cos_h - ly * sin_h
        cy = dy + lx * sin_h + ly * cos_h
        aside = math.atan2(dx * cy - dy * cx, dx * cx + dy * cy)
        left = max(left, aside)
        right = max(right, -aside)
    return bearing, right, left


@jit
def blocked(
    ex: float,
    ey: float,
    angle: float,
    reach: float,
    box: FloatArray,
    span: FloatArray,
    hides: BoolArray,
) -> bool:
    """Whether the ray at `angle` from e meets an occluder before `reach` metres.

    box [n, 6] x, y, cos, sin, half length, half width; span [n, 3] of `angular_extent`.
    """
    ux = math.cos(angle)
    uy = math.sin(angle)
    for j in range(len(hides)):
        if not hides[j] or span[j, 1] >= math.pi:
            continue
        off = (angle - span[j, 0] + math.pi) % (2.0 * math.pi) - math.pi
        if off > span[j, 2] + 1e-9 or off < -span[j, 1] - 1e-9:
            continue
        met = ray_to_box(
            ex, ey, ux, uy, box[j, 0], box[j, 1], box[j, 2], box[j, 3], box[j, 4], box[j, 5]
        )
        if met < reach:
            return True
    return False


@jit
def overlapping(i: int, span: FloatArray, hides: BoolArray, found: IntArray) -> int:
    """Fill `found` with the occluders whose bearing overlaps that of box i; how many there are."""
    count = 0
    for j in range(len(hides)):
        if j == i or not hides[j] or span[j, 1] >= math.pi:
            continue
        off = span[j, 0] - span[i, 0]
        for turn in range(-1, 2):  # both directions round the circle
            at = off + turn * 2.0 * math.pi
            if at - span[j, 1] <= span[i, 2] and at + span[j, 2] >= -span[i, 1]:
                found[count] = j
                count += 1
                break
    return count


@jit
def ray_is_free(
    ex: float, ey: float, angle: float, i: int, box: FloatArray, near: IntArray, count: int
) -> bool:
    """Whether a ray reaches box i before any of the first `count` boxes in `near`."""
    ux = math.cos(angle)
    uy = math.sin(angle)
    reach = ray_to_box(
        ex, ey, ux, uy, box[i, 0], box[i, 1], box[i, 2], box[i, 3], box[i, 4], box[i, 5]
    )
    for k in range(count):
        j = near[k]
        met = ray_to_box(
            ex, ey, ux, uy, box[j, 0], box[j, 1], box[j, 2], box[j, 3], box[j, 4], box[j, 5]
        )
        if met < reach - BEFORE_M:
            return False
    return True


@jit
def visible_shares(
    ex: float,
    ey: float,
    box: FloatArray,
    hides: BoolArray,
    tall: BoolArray,
    wanted: BoolArray,
    rays: int,
) -> tuple[FloatArray, FloatArray]:
    """Visible share [n] of each wanted box from e (0 for the others), and the spans [n, 3].

    box [n, 6] as in `blocked`; hides [n] occludes; tall [n] is hidden by tall ones alone.
    """
    n = len(hides)
    span = np.empty((n, 3))
    for i in range(n):
        bearing, right, left = angular_extent(
            ex, ey, box[i, 0], box[i, 1], box[i, 2], box[i, 3], box[i, 4], box[i, 5]
        )
        span[i, 0] = bearing
        span[i, 1] = right
        span[i, 2] = left
    hides_tall = hides & tall
    near = np.empty(n, dtype=np.int64)
    share = np.zeros(n)
    for i in range(n):
        if not wanted[i]:
            continue
        if span[i, 1] >= math.pi:
            share[i] = 1.0
            continue
        by = hides_tall if tall[i] else hides
        count = overlapping(i, span, by, near)
        seen = 0
        for k in range(rays):
            part = (k + 0.5) / rays
            angle = span[i, 0] - span[i, 1] + part * (span[i, 1] + span[i, 2])
            if ray_is_free(ex, ey, angle, i, box, near, count):
                seen += 1
        share[i] = seen / rays
    return share, span


@jit
def next_in_row(
    ex: float,
    ey: float,
    heading: float,
    box: FloatArray,
    span: FloatArray,
    vehicle: BoolArray,
    range_m: float,
) -> BoolArray:
    """[n] whether radar sees a vehicle beneath the one behind it.

    It stands ahead of e and points our way, and exactly one box lies between, which does too:
    the second of a row, and nobody who crosses. Angles within `ROW_RAD`.
    """
    n = len(vehicle)
    row = np.zeros(n, dtype=np.bool_)
    along = math.cos(ROW_RAD)
    ch = math.cos(heading)
    sh = math.sin(heading)
    for i in range(n):
        dx = box[i, 0] - ex
        dy = box[i, 1] - ey
        away = math.hypot(dx, dy)
        if not vehicle[i] or away > range_m or away < 1e-6:
            continue
        if dx * ch + dy * sh < along * away or box[i, 2] * ch + box[i, 3] * sh < along:
            continue
        between = 0
        for j in range(n):
            if j == i or not vehicle[j] or span[j, 1] >= math.pi:
                continue
            ux, uy = dx / away, dy / away
            met = ray_to_box(
                ex, ey, ux, uy, box[j, 0], box[j, 1], box[j, 2], box[j, 3], box[j, 4], box[j, 5]
            )
            if met < away:
                between += 1 if box[j, 2] * ch + box[j, 3] * sh >= along else n
        row[i] = between == 1
    return row


def hiding(ex: float, ey: float, users: RoadUsers) -> tuple[FloatArray, FloatArray, BoolArray]:
    """What may stand before a signal seen from e: boxes [n, 6], their spans [n, 3], who is tall."""
    box, tall = boxes(users), TALL[users.kind]
    nobody = np.zeros(len(users.uid), dtype=np.bool_)
    _, span = visible_shares(ex, ey, box, HIDES[users.kind], tall, nobody, 1)
    return box, span, tall


@jit
def heads_in_view(
    ex: float,
    ey: float,
    heading: float,
    forward: float,
    head_xy: FloatArray,
    head_heading: FloatArray,
    box: FloatArray,
    span: FloatArray,
    hides: BoolArray,
    range_m: float,
    half_angle: float,
    past: float,
) -> BoolArray:
    """[H] whether each signal head is seen from e.

    A head is seen when it faces us (its traffic goes our way within 80 degrees), lies in range
    and within the half angle or so close beside the car that its stop line is at our bumper, and
    no occluder stands between. Heads without traffic have heading nan and are never seen.
    `forward` is the eye's distance ahead of the car's own point, to measure how far it is past.
    """
    count = len(head_heading)
    seen = np.zeros(count, dtype=np.bool_)
    ch = math.cos(heading)
    sh = math.sin(heading)
    for h in range(count):
        dx = head_xy[h, 0] - ex
        dy = head_xy[h, 1] - ey
        away = math.hypot(dx, dy)
        if away > range_m or math.isnan(head_heading[h]):
            continue
        if math.cos(head_heading[h] - heading) < 0.17:
            continue
        ahead = dx * ch + dy * sh
        if ahead + forward < -past:
            continue
        angle = math.atan2(dy, dx)
        close = away < past + forward
        if not close and math.cos(angle - heading) < math.cos(half_angle):
            continue
        seen[h] = not blocked(ex, ey, angle, away, box, span, hides)
    return seen
