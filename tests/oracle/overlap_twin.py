"""Slow twin of `kernels.overlap`: every box against every sample of our path, nothing skipped."""

import math

REACH_M = 7.0
STEP_M = 0.5


def nearest(ego, x, y):
    """Index of the nearest ego sample [(x, y, heading)], None beyond reach."""
    away = [math.hypot(x - ex, y - ey) for ex, ey, _ in ego]
    at = min(range(len(away)), key=away.__getitem__)
    return at if away[at] < REACH_M else None


def blocked(ego, swing, half, x, y, heading, length, width):
    """(lo, hi, cos) in path metres, or None where the box leaves the corridor free."""
    at = nearest(ego, x, y)
    if at is None:
        return None
    ex, ey, eh = ego[at]
    # corners of the box in the frame of that sample
    corners = []
    for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        px = x + a * length / 2 * math.cos(heading) - b * width / 2 * math.sin(heading) - ex
        py = y + a * length / 2 * math.sin(heading) + b * width / 2 * math.cos(heading) - ey
        along = px * math.cos(eh) + py * math.sin(eh)
        across = -px * math.sin(eh) + py * math.cos(eh)
        corners.append((along, across))
    along = [c[0] for c in corners]
    across = [c[1] for c in corners]
    if at == 0 and max(along) < -1.0:
        return None
    if at == len(ego) - 1 and min(along) > 1.0:
        return None
    if min(across) >= half + swing[0][at] or max(across) <= -(half + swing[1][at]):
        return None
    here = at * STEP_M
    return here + min(along), here + max(along), math.cos(heading - eh)
