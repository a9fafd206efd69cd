"""Slow twins of the tracker's parts: motion by small steps, Kalman by matrices, pairs by trial."""

import itertools
import math

import numpy as np

from oracle.occlusion import corners, inside, ray_to_sides


def drive(state, dt, steps=2000):
    """x, y, heading, speed, acceleration, curvature: along the path, ending at rest."""
    x, y, h, v, a, k = state
    step = dt / steps
    for _ in range(steps):
        after = v + a * step
        if v * after < 0.0:
            a = after = 0.0
        way = 0.5 * (v + after) * step
        h += 0.5 * k * way
        x, y = x + way * math.cos(h), y + way * math.sin(h)
        h += 0.5 * k * way
        v = after
    return x, y, h, v


def jacobian(move, state, eps=1e-6):
    """How the moved state depends on the state, by differences."""
    columns = []
    for i in range(len(state)):
        up, down = np.array(state, float), np.array(state, float)
        up[i] += eps
        down[i] -= eps
        columns.append((move(up) - move(down)) / (2.0 * eps))
    return np.array(columns).T


def kalman(m, p, h, off, var):
    """The update by one number, as in the books, in Joseph's form."""
    s = h @ p @ h + var
    gain = p @ h / s
    left = np.eye(len(m)) - np.outer(gain, h)
    return m + gain * off, left @ p @ left.T + var * np.outer(gain, gain), off * off / s


def best_pairs(cost, alone):
    """Least total cost over every possible pairing."""
    n, m = cost.shape
    best = math.inf
    for columns in itertools.product(range(-1, m), repeat=n):
        used = [c for c in columns if c >= 0]
        if len(set(used)) < len(used):
            continue
        pairs = [(r, c) for r, c in enumerate(columns) if c >= 0]
        if any(cost[r, c] >= alone for r, c in pairs):
            continue
        best = min(best, sum(cost[r, c] for r, c in pairs) + alone * (n - len(pairs)))
    return best


def share(ex, ey, i, boxes, hides, tall, rays, before):
    """Share of the rays over box i that meet no other side `before` metres ahead of it."""
    x, y = boxes[i][0] - ex, boxes[i][1] - ey
    if inside(ex, ey, boxes[i]):
        return 1.0
    middle = math.atan2(y, x)
    turns = [math.remainder(math.atan2(b - ey, a - ex) - middle, 2 * math.pi)
             for a, b in corners(*boxes[i])]  # fmt: skip
    free = 0
    for k in range(rays):
        angle = middle + min(turns) + (k + 0.5) / rays * (max(turns) - min(turns))
        until = ray_to_sides(ex, ey, angle, boxes[i]) - before
        free += not any(
            ray_to_sides(ex, ey, angle, box) < until
            for j, box in enumerate(boxes)
            if j != i and hides[j] and (tall[j] or not tall[i]) and not inside(ex, ey, box)
        )
    return free / rays
