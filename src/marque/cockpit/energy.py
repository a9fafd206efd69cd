"""What the wheels take or give back, as an estimate for the display: no powertrain is modelled.

P = (m a + c_rr m g + 1/2 rho c_d A v^2) v, on a level road, before every loss in the car.
"""

from marque.core.units import G_MPS2
from marque.types.platform import Platform

ROLLING = 0.010  # c_rr of a passenger car's tyre: textbook value
AIR_KGPM3 = 1.2
DRAG_SHARE = 0.81 * 0.26  # c_d times the share of width x height that is frontal area: estimate


def wheel_power_w(car: Platform, speed_mps: float, accel_mps2: float) -> float:
    """Watts at the wheels; negative: what braking could give back."""
    drag = 0.5 * AIR_KGPM3 * DRAG_SHARE * car.width_m * car.height_m * speed_mps * speed_mps
    rolling = ROLLING * car.mass_kg * G_MPS2 if speed_mps > 0.0 else 0.0
    return (car.mass_kg * accel_mps2 + rolling + drag) * speed_mps
