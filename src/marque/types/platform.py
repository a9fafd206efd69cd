"""Platform: what a car is, as far as driving and guarding need to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import tan
from typing import Any


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
class Road:
    """What the road and the air take from a car."""

    drag_area_m2: float  # c_d times frontal area
    rolling: float  # share of the weight
    rotating: float  # mass with turning parts per mass, 1 or more
    auxiliary_w: float  # light, heating, computers


@dataclass(frozen=True, slots=True, eq=False)
class Brakes:
    """Friction brakes: how the pressure builds, the most they give, and how late they follow
    when the motor's share changes."""

    dead_s: float
    lag_s: float
    rate: float  # m/s^3
    most_mps2: float
    handover_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Motor:
    """Electric traction, at the wheels."""

    force_n: float
    power_w: float
    regen_mps2: float  # most deceleration by regeneration
    regen_power_w: float
    efficiency: float


@dataclass(frozen=True, slots=True, eq=False)
class Battery:
    """Traction battery. `low_power_w`: what it gives at low charge."""

    energy_j: float
    power_w: float
    low_power_w: float


@dataclass(frozen=True, slots=True, eq=False)
class Generator:
    """Range extender: runs steadily while the charge is below `on_below` (0 to 1)."""

    power_w: float
    start_s: float
    ramp_wps: float
    on_below: float


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """Combustion engine: torque rises from idle to `full_rpm`, then power bounds it.

    `boost_share` of the torque comes with the turbo's lag; `start_s`: from rest (hybrid).
    """

    power_w: float
    torque_nm: float
    idle_rpm: float
    full_rpm: float
    max_rpm: float
    idle_share: float  # of the torque, at idle
    boost_share: float
    boost_s: float
    start_s: float
    drag_nm: float  # when coasting
    efficiency: float


@dataclass(frozen=True, slots=True, eq=False)
class Gearbox:
    """Automatic gearbox; ratios with the axle's, the lowest gear first. A hybrid's has none: its
    power split has no steps. `gap`: share of the force that is lost while it shifts (hybrid: while
    the engine starts)."""

    ratios: tuple[float, ...]
    force_n: float  # most at the wheels: what the driven axle grips
    wheel_radius_m: float
    shift_delay_s: float
    shift_s: float
    gap: float
    creep_mps2: float


@dataclass(frozen=True, slots=True, eq=False)
class Drivetrain:
    """What moves and stops a car, as physics. The stack and the guard never look at it: they know
    `Platform.steer`, `drive` and `brake`, which are measured on it."""

    road: Road
    traction: Actuator  # of motor or engine
    brakes: Brakes
    rack: Actuator  # of the steering
    motor: Motor | None = None
    battery: Battery | None = None
    generator: Generator | None = None
    engine: Engine | None = None
    gearbox: Gearbox | None = None


PARTS = {
    "road": Road, "traction": Actuator, "brakes": Brakes, "rack": Actuator, "motor": Motor,
    "battery": Battery, "generator": Generator, "engine": Engine, "gearbox": Gearbox,
}  # fmt: skip


def drivetrain_of(parts: Mapping[str, Mapping[str, Any] | None]) -> Drivetrain:
    """A drivetrain from plain tables, as `dataclasses.asdict` writes them."""
    made = {}
    for name, kind in PARTS.items():
        table = parts.get(name)
        if table is not None:
            plain = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
            made[name] = kind(**plain)
    return Drivetrain(**made)


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
    drivetrain: Drivetrain | None = None  # None: the actuators above are all there is
    max_lateral_mps2: float = 9.0  # that its steering can bring on; less where a torque steers it
    max_lateral_jerk_mps3: float = 99.0  # the same, of how fast

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
