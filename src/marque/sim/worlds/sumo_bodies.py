"""Bodies of SUMO's vehicles as oriented boxes.

Runs in SUMO's process.
"""

from math import cos, radians, sin
from typing import Any

Box = tuple[float, float, float, float, float]  # middle x, y, heading, length, width


def box_of(vehicle: Any, name: str) -> Box:
    """Of a vehicle, whose point is the middle of its front bumper."""
    x, y = vehicle.getPosition(name)
    heading = radians(90.0 - vehicle.getAngle(name))
    return behind((x, y), heading, vehicle.getLength(name), vehicle.getWidth(name))


def behind(front: tuple[float, float], heading: float, length: float, width: float) -> Box:
    """The box behind the middle of a front bumper."""
    x, y = front[0] - 0.5 * length * cos(heading), front[1] - 0.5 * length * sin(heading)
    return x, y, heading, length, width


def overlap(a: Box, b: Box) -> bool:
    """Two oriented boxes: separating axes."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    c, s = abs(cos(a[2] - b[2])), abs(sin(a[2] - b[2]))
    for p, q in ((a, b), (b, a)):
        along = abs(dx * cos(p[2]) + dy * sin(p[2]))
        across = abs(-dx * sin(p[2]) + dy * cos(p[2]))
        if along > 0.5 * (p[3] + q[3] * c + q[4] * s):
            return False
        if across > 0.5 * (p[4] + q[3] * s + q[4] * c):
            return False
    return True
