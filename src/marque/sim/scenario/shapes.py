"""How a value goes from one to another: the shapes of the standard and the times that they take."""

import math

LINEAR, CUBIC, SINUSOIDAL, STEP = "linear", "cubic", "sinusoidal", "step"
# largest slope and largest curvature of a shape that goes from 0 to 1 within a time of 1
STEEPEST = {LINEAR: 1.0, CUBIC: 1.5, SINUSOIDAL: 0.5 * math.pi}
MOST_CURVED = {LINEAR: 0.0, CUBIC: 6.0, SINUSOIDAL: 0.5 * math.pi**2}


def share(shape: str, part: float) -> float:
    """How much of the change is done when `part` of the time is gone, both 0 to 1."""
    x = min(max(part, 0.0), 1.0)
    if shape == STEP:
        return 1.0
    if shape == CUBIC:
        return x * x * (3.0 - 2.0 * x)
    if shape == SINUSOIDAL:
        return 0.5 * (1.0 - math.cos(math.pi * x))
    return x


def slope(shape: str, part: float) -> float:
    """Derivative of `share`; 0 outside 0 to 1."""
    if shape == STEP or not 0.0 <= part <= 1.0:
        return 0.0
    if shape == CUBIC:
        return 6.0 * part * (1.0 - part)
    if shape == SINUSOIDAL:
        return 0.5 * math.pi * math.sin(math.pi * part)
    return 1.0


def time_by_rate(shape: str, change: float, rate: float) -> float:
    """Time in which the change is made if it may be `rate` at its steepest. rate 0: at once."""
    return STEEPEST[shape] * abs(change) / rate if shape != STEP and rate > 0.0 else 0.0


def time_by_bend(shape: str, change: float, accel: float | None) -> float:
    """Time in which the change is made if its second derivative may be `accel` at most.

    A linear change has no second derivative inside: it takes the time of a sinusoidal one.
    """
    if accel is None or shape == STEP:
        return 0.0
    curved = MOST_CURVED[shape] or MOST_CURVED[SINUSOIDAL]
    return math.sqrt(curved * abs(change) / accel)
