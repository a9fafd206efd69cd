"""Slow twin of `sensing.occlusion`: rays against the four sides of each box, one by one."""

import math


def corners(x, y, heading, length, width):
    """The four corners, in order."""
    c, s = math.cos(heading), math.sin(heading)
    out = []
    for along, aside in ((0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5)):
        lx, ly = along * length, aside * width
        out.append((x + lx * c - ly * s, y + lx * s + ly * c))
    return out


def inside(px, py, box):
    """Whether a point lies in a box (x, y, heading, length, width)."""
    x, y, heading, length, width = box
    c, s = math.cos(heading), math.sin(heading)
    along = (px - x) * c + (py - y) * s
    aside = -(px - x) * s + (py - y) * c
    return abs(along) <= 0.5 * length and abs(aside) <= 0.5 * width


def ray_to_sides(ex, ey, angle, box):
    """Distance to the first side that a ray meets; inf if none."""
    ux, uy = math.cos(angle), math.sin(angle)
    points = corners(*box)
    best = math.inf
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        sx, sy = bx - ax, by - ay
        cross = ux * sy - uy * sx
        if abs(cross) < 1e-15:
            continue
        t = ((ax - ex) * sy - (ay - ey) * sx) / cross
        k = ((ax - ex) * uy - (ay - ey) * ux) / cross
        if t >= 0.0 and -1e-12 <= k <= 1.0 + 1e-12:
            best = min(best, t)
    return best


def visible_share(ex, ey, i, boxes, hides, tall, rays):
    """Share of the rays over the extent of box i that meet no occluder before it."""
    x, y = boxes[i][0] - ex, boxes[i][1] - ey
    if inside(ex, ey, boxes[i]):
        return 1.0
    middle = math.atan2(y, x)
    asides = []
    for cx, cy in corners(*boxes[i]):
        turn = math.atan2(cy - ey, cx - ex) - middle
        asides.append((turn + math.pi) % (2.0 * math.pi) - math.pi)
    right, left = min(asides), max(asides)
    seen = 0
    for k in range(rays):
        angle = middle + right + (k + 0.5) / rays * (left - right)
        reach = ray_to_sides(ex, ey, angle, boxes[i])
        free = True
        for j, box in enumerate(boxes):
            if j == i or not hides[j] or (tall[i] and not tall[j]) or inside(ex, ey, box):
                continue
            if ray_to_sides(ex, ey, angle, box) < reach - 1e-3:
                free = False
        seen += free
    return seen / rays
