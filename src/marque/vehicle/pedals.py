"""From an asked acceleration to the pedals: one controller for every car.

It knows a car by what its platform declares (dead time, lag and rate of `drive` and `brake`, as
measured) and by what every car tells on its bus: speed, acceleration of the wheels, the body's
accelerometer, and how much acceleration the drive could give now. It knows no powertrain.

1. What the car should do is expected by the declared actuators.
2. The grade is what the accelerometer feels beyond the wheels' acceleration, smoothed.
3. What is left between expected and measured (load, wind, creep, wear) is made up for by an
   integrator that is as slow as the car is late, bounded, and at rest while the car stands or
   while more is asked than the drive can give.
"""

import math

from marque.core.jit import jit
from marque.core.units import G_MPS2

SLOPE_S = 0.3  # smoothing of the accelerometer
TRIM_GAIN = 0.45  # integral gain times how late the car is
TRIM_GAIN_MOST_1PS = 2.5
TRIM_MOST_MPS2 = 1.5
STANDS_MPS = 0.3


@jit
def slope_felt(slope: float, grade: float, dt_s: float) -> float:
    """Rule 2: the grade's acceleration as the interface believes it. grade: sine of the true."""
    return slope + (1.0 - math.exp(-dt_s / SLOPE_S)) * (G_MPS2 * grade - slope)


@jit
def trimmed(
    trim: float, expected: float, measured: float, available: float, speed: float, late_s: float,
    dt_s: float,
) -> float:  # fmt: skip
    """Rule 3: the integrator after `dt_s`."""
    if speed < STANDS_MPS:
        return trim
    error = min(expected, available) - measured
    if error > 0.0 and expected >= available:
        return trim
    gain = min(TRIM_GAIN_MOST_1PS, TRIM_GAIN / max(late_s, 0.05))
    return min(TRIM_MOST_MPS2, max(-TRIM_MOST_MPS2, trim + gain * error * dt_s))
