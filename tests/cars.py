"""Random but plausible cars, seeded."""

from dataclasses import replace

import numpy as np

from marque.types.platform import Actuator, Platform
from marque.vehicle.catalog import load_platform


def random_car(seed: int) -> Platform:
    """Any road car between a small hatchback and a heavy van; its actuators are all there is."""
    r = np.random.default_rng(seed)
    u = r.uniform
    wheelbase = u(2.4, 3.4)
    length = wheelbase + u(1.3, 2.0)
    return replace(
        load_platform("saloon_ev"),
        name=f"car_{seed}",
        drivetrain=None,
        length_m=length,
        width_m=u(1.7, 2.1),
        wheelbase_m=wheelbase,
        rear_overhang_m=u(0.4, 0.55) * (length - wheelbase),
        mass_kg=u(1000, 3000),
        yaw_inertia_kgm2=u(1500, 6000),
        cog_to_rear_axle_m=wheelbase * u(0.42, 0.58),
        cog_height_m=u(0.45, 0.75),
        cornering_stiffness_1prad=u(12, 22),
        friction=u(0.9, 1.05),
        understeer_rads2pm=u(0, 0.004),
        steer=Actuator(u(0.02, 0.08), u(0.04, 0.12), u(0.35, 0.8)),
        drive=Actuator(u(0.02, 0.15), u(0.05, 0.3), u(6, 20)),
        brake=Actuator(u(0.04, 0.12), u(0.08, 0.16), u(12, 30)),
        max_accel_mps2=u(2.5, 5),
        max_brake_mps2=u(7.5, 8.8),
    )
