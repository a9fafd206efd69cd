"""What stands in a car's TOML file: fields, ranges, and what is said when one does not fit."""

from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_DEAD_S = 0.6  # the longest dead time that `dynamics` keeps commands for


def _within(low: float, high: float) -> Any:
    """A required float field with an inclusive range."""
    return Field(ge=low, le=high, allow_inf_nan=False)


class _Part(BaseModel):
    """A table of the file: no unknown field, no number written as text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _ActuatorFile(_Part):
    dead_s: float = _within(0.0, MAX_DEAD_S)
    lag_s: float = _within(0.0, 1.0)
    rate: float = _within(0.05, 100.0)


class _SteerFile(_ActuatorFile):
    rate: float = _within(0.05, 3.0)


class _PedalFile(_ActuatorFile):
    rate: float = _within(1.0, 100.0)


class _RoadFile(_Part):
    drag_area_m2: float = _within(0.2, 3.0)
    rolling: float = _within(0.003, 0.05)
    rotating: float = _within(1.0, 1.3)
    auxiliary_w: float = _within(0.0, 10e3)


class _BrakesFile(_PedalFile):
    most_mps2: float = _within(2.0, 13.0)
    handover_s: float = _within(0.0, 1.0)


class _MotorFile(_Part):
    force_n: float = _within(500.0, 60e3)
    power_w: float = _within(5e3, 1500e3)
    regen_mps2: float = _within(0.0, 6.0)
    regen_power_w: float = _within(0.0, 800e3)
    efficiency: float = _within(0.5, 0.99)


class _BatteryFile(_Part):
    energy_j: float = _within(1e6, 2e9)
    power_w: float = _within(5e3, 1500e3)
    low_power_w: float = _within(0.0, 1500e3)


class _GeneratorFile(_Part):
    power_w: float = _within(5e3, 300e3)
    start_s: float = _within(0.0, 10.0)
    ramp_wps: float = _within(1e3, 1e6)
    on_below: float = _within(0.0, 1.0)


class _EngineFile(_Part):
    power_w: float = _within(10e3, 1500e3)
    torque_nm: float = _within(30.0, 2000.0)
    idle_rpm: float = _within(400.0, 1500.0)
    full_rpm: float = _within(800.0, 8000.0)
    max_rpm: float = _within(3000.0, 12000.0)
    idle_share: float = _within(0.1, 1.0)
    boost_share: float = _within(0.0, 0.8)
    boost_s: float = _within(0.0, 3.0)
    start_s: float = _within(0.0, 3.0)
    drag_nm: float = _within(0.0, 200.0)
    efficiency: float = _within(0.1, 0.6)


class _GearboxFile(_Part):
    ratios: Annotated[list[Annotated[float, _within(0.5, 40.0)]], Field(max_length=12)]
    force_n: float = _within(500.0, 60e3)
    wheel_radius_m: float = _within(0.2, 0.6)
    shift_delay_s: float = _within(0.0, 1.0)
    shift_s: float = _within(0.0, 1.5)
    gap: float = _within(0.0, 1.0)
    creep_mps2: float = _within(0.0, 1.5)


NEEDS = {
    "electric": ("road", "traction", "brakes", "rack", "motor", "battery"),
    "range_extender": ("road", "traction", "brakes", "rack", "motor", "battery", "generator"),
    "hybrid": ("road", "traction", "brakes", "rack", "motor", "battery", "engine", "gearbox"),
    "fuel": ("road", "traction", "brakes", "rack", "engine", "gearbox"),
}


class SourceFile(_Part):
    """Where numbers come from. `fields`: names as in the file, a table's for all that it holds."""

    title: Annotated[str, Field(min_length=1, max_length=300)]
    confidence: Literal["published", "estimated", "measured"]
    fields: Annotated[list[str], Field(min_length=1)]


class PlatformFile(_Part):
    """The file, field for field; ranges are those of road cars, light vans and large SUVs."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    powertrain: Literal["electric", "range_extender", "hybrid", "fuel"]
    length_m: float = _within(2.0, 8.0)
    width_m: float = _within(1.0, 2.6)
    height_m: float = _within(1.0, 3.5)
    wheelbase_m: float = _within(1.2, 5.0)
    rear_overhang_m: float = _within(0.1, 2.5)
    mass_kg: float = _within(400.0, 5000.0)
    yaw_inertia_kgm2: float = _within(200.0, 20000.0)
    cog_to_rear_axle_m: float = _within(0.3, 4.0)
    cog_height_m: float = _within(0.2, 1.5)
    cornering_stiffness_1prad: float = _within(5.0, 40.0)
    friction: float = _within(0.1, 1.4)
    understeer_rads2pm: float = _within(0.0, 0.01)
    max_steer_rad: float = _within(0.2, 1.2)
    max_accel_mps2: float = _within(0.5, 12.0)
    max_power_w: float = _within(10e3, 1500e3)
    max_brake_mps2: float = _within(2.0, 12.0)
    max_speed_mps: float = _within(3.0, 120.0)
    steer: _SteerFile
    drive: _PedalFile
    brake: _PedalFile
    maker: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    brand: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    price_cny: float | None = Field(default=None, ge=10e3, le=20e6, allow_inf_nan=False)
    road: _RoadFile | None = None
    traction: _PedalFile | None = None
    brakes: _BrakesFile | None = None
    rack: _SteerFile | None = None
    motor: _MotorFile | None = None
    battery: _BatteryFile | None = None
    generator: _GeneratorFile | None = None
    engine: _EngineFile | None = None
    gearbox: _GearboxFile | None = None
    source: list[SourceFile] = []


def first_fault(error: ValidationError) -> str:
    """The first of pydantic's faults in one sentence: field, value, and what is allowed."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the file"
    if fault["type"] == "missing":
        return f"{where} is missing{_allowed(fault['loc'])}"
    if fault["type"] == "extra_forbidden":
        return f"{where} is no field of a car; have [{', '.join(PlatformFile.model_fields)}]"
    return f"{where} = {fault['input']!r} is not allowed{_allowed(fault['loc'])}"


def _allowed(loc: tuple[int | str, ...]) -> str:
    """The range or the choices of a field, as the end of a sentence."""
    model: type[BaseModel] = PlatformFile
    info = None
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            info = model.model_fields[part]
            model = _table_in(info.annotation) or model
    if info is None:
        return ""
    if _table_in(info.annotation) is model and loc[-1] in PlatformFile.model_fields:
        return f"; it is a table with {_listed(tuple(model.model_fields))}"
    low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None)
    if low is not None and high is not None:
        return f"; it is a number from {low:g} to {high:g}"
    if loc[-1] == "powertrain":
        return "; have [electric, fuel, hybrid, range_extender]"
    if loc[-1] == "name":
        return "; it is small letters, digits and _, at most 40"
    if loc[-1] == "confidence":
        return "; have [estimated, measured, published]"
    if "ratios" in loc:
        return "; it is a list of at most 12 numbers from 0.5 to 40, falling"
    if loc[-1] == "fields":
        return "; it is a list of names of fields"
    return "; it is a text of 1 to 80 characters"


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field is, or may be, or is a list of."""
    if get_origin(annotation) is not None:
        return next((t for a in get_args(annotation) if (t := _table_in(a))), None)
    fits = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if fits else None


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
