"""A car platform that opendbc controls: its parameters, its interface, its family's file.

`alpha_long=True` throughout: cars whose longitudinal control opendbc calls alpha are controlled
too. Needs the extra `cars`.
"""

import logging
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from marque.core.errors import MarqueError
from marque.types.platform import Actuator, Platform
from marque.vehicle.can.family import Family, family_names, load_family
from marque.vehicle.catalog import OPENDBC, load_platform

PREFIX = OPENDBC
TORQUE_SHARE = 0.5  # of full torque that a plan may need; the rest corrects


@dataclass(frozen=True, slots=True, eq=False)
class RealCar:
    """One of opendbc's platforms. `params`: its CarParams; `interface`: fresh, with memory."""

    name: str
    family_name: str
    family: Family
    params: Any
    interface: Any
    platform: Platform
    lateral_factor_mps2: float  # lateral acceleration at full torque

    @property
    def steer_ratio(self) -> float:
        """Steering wheel per road wheel."""
        return float(self.params.steerRatio)

    @property
    def by_torque(self) -> bool:
        """Whether it is steered by a torque, not by an angle or a curvature."""
        return str(self.params.steerControlType) == "torque"


@cache
def _interfaces() -> dict[str, Any]:
    try:
        from opendbc.car.car_helpers import interfaces
        from opendbc.car.values import PLATFORMS
    except ImportError as error:
        raise MarqueError(
            "real cars need opendbc (Python 3.11 or 3.12): pip install 'marque[cars]'"
        ) from error
    logging.getLogger("carlog").setLevel(logging.CRITICAL)
    return {name: interfaces[name] for name in sorted(PLATFORMS)}


def real_names() -> list[str]:
    """Every platform that opendbc knows, sorted."""
    return list(_interfaces())


def brand_of(name: str) -> str:
    """opendbc's family of a platform. MarqueError: no such platform; the nearest is named."""
    bare = name.removeprefix(PREFIX)
    if bare not in _interfaces():
        near = get_close_matches(bare.upper(), real_names(), 3, 0.3)
        raise MarqueError(
            f"opendbc has no car '{bare}'; nearest of its {len(real_names())}: [{', '.join(near)}]"
        )
    return str(_interfaces()[bare].__module__.split(".")[2])


def why_not(name: str) -> str:
    """Why a platform cannot be driven here; empty: it can."""
    family = brand_of(name)
    params = _params(name)
    if params.dashcamOnly:
        return "opendbc only watches it (dashcam)"
    if params.notCar:
        return "it is no car"
    if not params.openpilotLongitudinalControl:
        return "opendbc does not control its speed"
    if family not in family_names():
        return f"its family '{family}' has no file"
    if str(params.safetyConfigs[-1].safetyModel) == "volkswagenMlb":
        return "opendbc's MLB code sends no acceleration (its frames are empty)"
    return ""


def load_real(name: str) -> RealCar:
    """A platform by name, with or without `opendbc:`.

    MarqueError: unknown (the nearest is named), or it cannot be driven (the reason is named).
    """
    bare = name.removeprefix(PREFIX)
    family_name = brand_of(bare)
    if reason := why_not(bare):
        raise MarqueError(f"opendbc:{bare} cannot be driven: {reason}")
    params = _params(bare)
    return RealCar(
        bare, family_name, load_family(family_name), params, _interfaces()[bare](params),
        platform_of(bare, params), _lateral_factor(bare, params),
    )  # fmt: skip


def _params(bare: str) -> Any:
    """CarParams, with the family's fingerprint."""
    bare = bare.removeprefix(PREFIX)
    seen: Any = defaultdict(dict)
    family = brand_of(bare)
    if family in family_names():
        for bus, addresses in load_family(family).fingerprint.items():
            seen[int(bus)].update(dict.fromkeys(addresses, 8))
    return _interfaces()[bare].get_params(
        bare, seen, [], alpha_long=True, is_release=False, docs=False
    )


def _lateral_factor(bare: str, params: Any) -> float:
    """Of opendbc's own fit: acceleration at full torque, or the most that was measured."""
    if params.lateralTuning.which() == "torque":
        return float(params.lateralTuning.torque.latAccelFactor)
    from opendbc.car.interfaces import get_torque_params

    found = get_torque_params().get(bare)
    return float(found["LAT_ACCEL_FACTOR"]) if found else 2.0


def platform_of(bare: str, params: Any) -> Platform:
    """A platform of opendbc's numbers (mass, wheelbase, steering ratio, delays); the rest is of the
    generic saloon, scaled to its wheelbase: estimated."""
    base = load_platform("saloon_ev")
    wheelbase = float(params.wheelbase)
    scale = wheelbase / base.wheelbase_m
    late = max(0.02, min(0.4, float(params.longitudinalActuatorDelay)))
    by_torque = str(params.steerControlType) == "torque"
    return replace(
        base,
        name=bare.lower()[:40],
        title=bare.replace("_", " ").title()[:80],
        powertrain="fuel",
        length_m=base.length_m * scale,
        wheelbase_m=wheelbase,
        rear_overhang_m=base.rear_overhang_m * scale,
        mass_kg=float(params.mass),
        yaw_inertia_kgm2=float(params.rotationalInertia),
        cog_to_rear_axle_m=wheelbase - float(params.centerToFront),
        max_steer_rad=min(0.64, math.radians(500.0) / float(params.steerRatio)),
        # opendbc lets a torque rise to its most in about a second, an angle much faster
        steer=Actuator(0.08, 0.12, 0.20) if by_torque else Actuator(0.06, 0.12, 0.30),
        max_lateral_mps2=TORQUE_SHARE * _lateral_factor(bare, params) if by_torque else 9.0,
        max_lateral_jerk_mps3=0.9 * _lateral_factor(bare, params) if by_torque else 3.0,
        drive=Actuator(late, 0.15, 8.0),
        brake=Actuator(late, 0.12, 20.0),
        max_accel_mps2=2.0,  # what opendbc may ask for; the car's own emergency brake stays its own
        max_brake_mps2=3.5,
        drivetrain=None,
    )
