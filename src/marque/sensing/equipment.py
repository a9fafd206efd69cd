"""Equipment: which senses a car has, and how far they can be trusted; the fields of its profiles.

A profile fits every car: sensors are placed by shares of its body. Sigmas are standard deviations.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from marque.types.codes import SensorKind

Share = Field(ge=0.0, le=1.0)
Sigma = Field(ge=0.0, le=10.0)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ObjectSensor(_Section):
    """A camera, radar or lidar with the object detection that comes with it.

    Place: `along` 0 at the rear bumper, 1 at the front one; `across` -1 at the right side, 1 at the
    left one. The position error along and across the ray is `sigma + growth * range`.
    """

    name: str = Field(min_length=1)
    kind: Literal["camera", "radar", "lidar"]
    along: float = Share
    across: float = Field(ge=-1.0, le=1.0)
    heading_deg: float = Field(ge=-180.0, le=180.0)
    half_angle_deg: float = Field(gt=0.0, le=180.0)
    range_m: float = Field(gt=0.0, le=500.0)
    latency_s: float = Field(ge=0.0, le=1.0)
    jitter_s: float = Field(ge=0.0, le=0.5)  # latency varies by up to this, both ways
    along_sigma_m: float = Sigma
    along_growth: float = Share  # metres per metre of range
    across_sigma_m: float = Sigma
    across_growth: float = Share
    speed_sigma_mps: float = Sigma  # each axis; a radar: along the ray
    speed_growth_1ps: float = Share  # per metre of range
    heading_sigma_deg: float = Field(ge=0.0, le=90.0)
    size_sigma_m: float = Sigma
    missed: float = Share  # of the objects in full view at no range; grows to twice as much with it
    false_per_scan: float = Field(ge=0.0, le=20.0)  # mean number of objects that are not there
    kind_error: float = Share
    indicator_error: float = Share
    visible_share_min: float = Share  # of an object's angular extent; below this it is not found
    beneath: bool = False  # finds the next vehicle of a row beneath the one ahead of it
    signals: bool = False  # a camera that reads signals and lane marks

    @property
    def code(self) -> SensorKind:
        """The kind as readings name it."""
        return SensorKind[self.kind.upper()]

    @model_validator(mode="after")
    def _reads_what_it_can(self) -> "ObjectSensor":
        if self.signals and self.kind != "camera":
            raise ValueError(f"a {self.kind} reads no signals; only a camera does")
        if self.jitter_s > self.latency_s:
            raise ValueError("jitter_s above latency_s: a reading would come before it was true")
        return self


class Signals(_Section):
    """Recognition of signal states."""

    range_m: float = Field(ge=0.0, le=500.0)
    past_m: float = Field(ge=0.0, le=50.0)  # read when its stop line lies this far behind
    missed: float = Share  # of the heads in view, per scan
    wrong: float = Share  # of the heads read, per scan


class Marks(_Section):
    """Recognition of lane marks: each piece errs by itself, and all of a scan turn together."""

    range_m: float = Field(ge=0.0, le=200.0)
    across_sigma_m: float = Sigma
    across_growth: float = Share
    turn_sigma_deg: float = Field(ge=0.0, le=10.0)
    heading_sigma_deg: float = Field(ge=0.0, le=45.0)
    missed: float = Share  # of the pieces in view, per scan


class Satellites(_Section):
    """A satellite receiver: white noise on top of a drift that changes over minutes."""

    period_s: float = Field(ge=0.02, le=10.0)
    latency_s: float = Field(ge=0.0, le=2.0)
    white_sigma_m: float = Sigma
    drift_sigma_m: float = Sigma
    drift_time_s: float = Field(gt=0.0, le=3600.0)
    speed_sigma_mps: float = Sigma
    dropout: float = Share  # of the fixes


class Inertia(_Section):
    """Accelerometers and gyros: white noise per base step, and a bias drawn once per drive."""

    accel_sigma_mps2: float = Sigma
    accel_bias_sigma_mps2: float = Sigma
    gyro_sigma_radps: float = Sigma
    gyro_bias_sigma_radps: float = Sigma


class CarBus(_Section):
    """Wheel speeds and steering: noise per message, scale and offset drawn once per drive."""

    wheel_sigma_mps: float = Sigma
    wheel_scale_sigma: float = Field(ge=0.0, le=0.1)
    wheel_step_mps: float = Field(ge=0.0, le=1.0)  # resolution
    steer_sigma_rad: float = Field(ge=0.0, le=0.1)
    steer_offset_sigma_rad: float = Field(ge=0.0, le=0.1)


class Equipment(_Section):
    """All senses of a car."""

    name: str = Field(min_length=1)
    title: str
    sensor: tuple[ObjectSensor, ...] = Field(min_length=1)
    signals: Signals
    marks: Marks
    satellites: Satellites
    inertia: Inertia
    bus: CarBus

    @model_validator(mode="after")
    def _names_differ(self) -> "Equipment":
        names = [each.name for each in self.sensor]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sensors are named '{twice[0]}'")
        if not any(each.signals for each in self.sensor):
            raise ValueError("no camera reads signals (signals = true)")
        return self
