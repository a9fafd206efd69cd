"""Platform: what a car is, as far as driving and guarding need to know."""

from dataclasses import dataclass
from math import tan


@dataclass(frozen=True, slots=True, eq=False)
class Actuator:
    """Dead time, then first-order lag, then a rate limit.

    `rate` is in units of the actuated quantity per second: m/s^3 for drive and brake (jerk),
    rad/s of the road wheel for steering.
    """

    dead_s: float
    lag_s: float
    rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Platform:
    """One car model. Lengths in metres; the ego point is the rear axle centre on the ground."""

    name: str
    title: str
    powertrain: str  # electric | range_extender | hybrid | fuel
    length_m: float
    width_m: float  # without mirrors
    height_m: float
    wheelbase_m: float
    rear_overhang_m: float  # rear axle to rear bumper
    mass_kg: float
    yaw_inertia_kgm2: float
    cog_to_rear_axle_m: float
    cog_height_m: float
    cornering_stiffness_1prad: float  # normalised tyre stiffness, front and rear
    friction: float
    understeer_rads2pm: float  # K_us: road-wheel angle per lateral acceleration
    max_steer_rad: float  # of the road wheel
    steer: Actuator
    drive: Actuator
    brake: Actuator
    max_accel_mps2: float  # at low speed
    max_power_w: float
    max_brake_mps2: float  # positive
    max_speed_mps: float

    @property
    def front_m(self) -> float:
        """Rear axle to front bumper."""
        return self.length_m - self.rear_overhang_m

    @property
    def centre_m(self) -> float:
        """Rear axle to the middle of the body, forward positive."""
        return 0.5 * self.length_m - self.rear_overhang_m

    @property
    def min_turn_radius_m(self) -> float:
        """Of the rear axle centre, at crawling speed."""
        return self.wheelbase_m / tan(self.max_steer_rad)
