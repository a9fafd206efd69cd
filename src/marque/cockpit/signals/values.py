"""Signals from a frame: path -> value as VISS writes it, a string. The unknown is not there."""

import math
from typing import Any

KPH = 3.6
WHEEL_RATIO = 15.0  # steering wheel to road wheel: assumed
ZONE_M = 60.0  # road users farther than this are in no zone
CENTRE_M = 1.6  # half the width of the zone ahead and behind
BRAKES_MPS2 = -0.6
LEVELS = {
    "OFF": "SAE_0", "READY": "SAE_0", "OVERRIDE": "SAE_0", "ACTIVE": "SAE_2", "EMERGENCY": "SAE_2",
    "DEMAND": "SAE_2_DISENGAGING", "MANOEUVRE": "SAE_2_DISENGAGING", "STANDSTILL": "SAE_0",
}  # fmt: skip
POWERTRAINS = {"electric": "ELECTRIC", "fuel": "COMBUSTION"}


def values_of(frame: dict[str, Any], road: dict[str, Any]) -> dict[str, str]:
    """All that the frame tells."""
    told: dict[str, Any] = {}
    for part in (_motion, _place, _car, _assistance, _zones, _takeover, _reason, _plan, _trip):
        told |= part(frame, road)
    return {path: _text(value) for path, value in told.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e4 else f"{value:.7f}".rstrip("0").rstrip(".")
    return str(value)


def _motion(frame: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    ego, speed, trip = frame["ego"], frame["speed"], frame["trip"]
    return {
        "Vehicle.Speed": KPH * speed["mps"],
        "Vehicle.IsMoving": abs(speed["mps"]) > 0.1,
        "Vehicle.AverageSpeed": KPH * trip["way_m"] / max(frame["t"], 0.1),
        "Vehicle.TraveledDistanceSinceStart": trip["way_m"],
        "Vehicle.TripDuration": frame["t"],
        "Vehicle.Acceleration.Longitudinal": ego["accel"],
        "Vehicle.Acceleration.Lateral": ego["lat"],
        "Vehicle.AngularVelocity.Yaw": math.degrees(ego["yaw"]),
        "Vehicle.Chassis.SteeringWheel.Angle": round(WHEEL_RATIO * math.degrees(ego["steer"])),
    }


def _place(frame: dict[str, Any], road: dict[str, Any]) -> dict[str, Any]:
    ego = frame["ego"]
    told: dict[str, Any] = {
        "Vehicle.CurrentLocation.Heading": (90.0 - math.degrees(ego["h"])) % 360.0
    }
    if road["globe"] is not None:  # a plane about the origin: centimetres off within a town
        latitude, longitude = road["globe"]
        told |= _on_globe("Vehicle.CurrentLocation.", latitude, longitude, ego["x"], ego["y"])
        goal = "Vehicle.Cabin.Infotainment.Navigation.DestinationSet."
        told |= _on_globe(goal, latitude, longitude, *road["goal"])
    return told


def _on_globe(
    prefix: str, latitude: float, longitude: float, x_m: float, y_m: float
) -> dict[str, str]:
    at = latitude + y_m / 111_320.0
    beside = longitude + x_m / (111_320.0 * math.cos(math.radians(latitude)))
    return {f"{prefix}Latitude": f"{at:.7f}", f"{prefix}Longitude": f"{beside:.7f}"}


def _car(frame: dict[str, Any], road: dict[str, Any]) -> dict[str, Any]:
    car, indicator = road["car"], frame["ego"]["indicator"]
    hazard = frame["mode"]["hazard"] or indicator == 3
    gear = 0 if frame["mode"]["name"] in ("OFF", "STANDSTILL") else 1
    return {
        "Vehicle.VehicleIdentification.Model": car["title"],
        "Vehicle.Length": round(1000.0 * car["length_m"]),
        "Vehicle.Width": round(1000.0 * car["width_m"]),
        "Vehicle.Height": round(1000.0 * car["height_m"]),
        "Vehicle.Chassis.Wheelbase": round(1000.0 * car["wheelbase_m"]),
        "Vehicle.Powertrain.Type": POWERTRAINS.get(car["powertrain"], "HYBRID"),
        "Vehicle.Powertrain.Transmission.CurrentGear": gear,
        "Vehicle.Powertrain.ElectricMotor.Power": frame["speed"]["power_kw"],
        "Vehicle.Powertrain.AccumulatedBrakingEnergy": frame["trip"]["energy_kwh"],
        "Vehicle.Body.Lights.DirectionIndicator.Left.IsSignaling": hazard or indicator == 1,
        "Vehicle.Body.Lights.DirectionIndicator.Right.IsSignaling": hazard or indicator == 2,
        "Vehicle.Body.Lights.Hazard.IsSignaling": hazard,
        "Vehicle.Body.Lights.Brake.IsActive": (
            "ACTIVE" if frame["ego"]["accel"] < BRAKES_MPS2 else "INACTIVE"
        ),
    }


def _assistance(frame: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    mode, guard = frame["mode"], frame["guard"]
    acts = guard is not None and guard["now"]
    return {
        "Vehicle.ADAS.ActiveAutonomyLevel": LEVELS[mode["name"]],
        "Vehicle.ADAS.SupportedAutonomyLevel": "SAE_2",
        "Vehicle.ADAS.CruiseControl.IsEnabled": mode["drives"] or mode["may_activate"],
        "Vehicle.ADAS.CruiseControl.IsActive": mode["drives"],
        "Vehicle.ADAS.CruiseControl.IsError": bool(frame["senses"]),
        "Vehicle.ADAS.CruiseControl.SpeedSet": _kph(frame["speed"].get("set_mps")),
        "Vehicle.ADAS.EBA.IsEnabled": True,
        "Vehicle.ADAS.EBA.IsEngaged": acts and guard["action"] in ("BRAKE", "FALLBACK"),
        "Vehicle.ADAS.DMS.IsEnabled": mode["supervised"],
        "Vehicle.ADAS.DMS.IsWarning": mode["asks"] != "",
        "Vehicle.ADAS.ObstacleDetection.Front.Center.IsWarning": acts and guard["warning"],
        "Vehicle.ADAS.Marque.Guard.Action": guard["action"] if acts else "PASS",
        "Vehicle.ADAS.Marque.Guard.Rule": guard["rule"] if acts else "",
        "Vehicle.ADAS.Marque.Guard.Margin": guard["margin"] if acts else None,
        "Vehicle.ADAS.Marque.Guard.Interventions": frame["trip"]["interventions"],
    }


def _zones(frame: dict[str, Any], road: dict[str, Any]) -> dict[str, Any]:
    """The nearest body in each of six zones about ours."""
    ego, car = frame["ego"], road["car"]
    c, s = math.cos(ego["h"]), math.sin(ego["h"])
    nearest: dict[str, float] = {}
    for _, _, x, y, _, _, _, length, width, *_ in frame["users"]:
        along = (x - ego["x"]) * c + (y - ego["y"]) * s - car["centre_m"]
        across = (y - ego["y"]) * c - (x - ego["x"]) * s
        if math.hypot(along, across) > ZONE_M:
            continue
        end = "Front" if along > 0.0 else "Rear"
        side = "Center" if abs(across) < CENTRE_M else "Left" if across > 0.0 else "Right"
        gap_x = max(0.0, abs(along) - 0.5 * (car["length_m"] + length))
        gap_y = max(0.0, abs(across) - 0.5 * (car["width_m"] + width))
        zone = f"Vehicle.ADAS.ObstacleDetection.{end}.{side}.Distance"
        nearest[zone] = min(nearest.get(zone, math.inf), math.hypot(gap_x, gap_y))
    ahead = nearest.get("Vehicle.ADAS.ObstacleDetection.Front.Center.Distance")
    speed = frame["speed"]["mps"]
    gap = None if ahead is None or speed < 0.5 else round(1000.0 * ahead / speed)
    return {**nearest, "Vehicle.ADAS.ObstacleDetection.Front.Center.TimeGap": gap}


def _takeover(frame: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    mode, prefix = frame["mode"], "Vehicle.ADAS.Marque."
    exits = mode["cause"] in ("PLANNED_EXIT", "UNPLANNED_EXIT")
    told: dict[str, Any] = {
        f"{prefix}Mode": mode["name"],
        f"{prefix}Cause": mode["cause"],
        f"{prefix}CauseDetail": mode["detail"],
        f"{prefix}IsSupervised": mode["supervised"],
        f"{prefix}MayActivate": mode["may_activate"],
        f"{prefix}Takeover.Asks": mode["asks"] or "none",
        f"{prefix}Takeover.Countdown": mode["countdown_s"],
        f"{prefix}Takeover.IsVisual": mode["visual"],
        f"{prefix}Takeover.IsAcoustic": mode["acoustic"],
        f"{prefix}Takeover.IsHaptic": mode["haptic"],
        f"{prefix}Domain.SpeedLimit": _kph(frame["speed"]["limit_mps"]),
        f"{prefix}Domain.Senses": frame["senses"],
        f"{prefix}Domain.Exit": mode["detail"] if exits else "",
    }
    person = frame.get("person")
    if person is not None:
        told |= {
            "Vehicle.Driver.IsEyesOnRoad": person["eyes"],
            "Vehicle.Driver.IsHandsOnWheel": person["hands"],
            "Vehicle.Cabin.Seat.Row1.DriverSide.IsBelted": person["belted"],
            "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied": person["seated"],
        }
    return told


def _reason(frame: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    why, prefix = frame["why"], "Vehicle.ADAS.Marque.Reason."
    return {
        f"{prefix}Code": why["code"],
        f"{prefix}ObjectId": why.get("uid"),
        f"{prefix}ObjectDistance": why.get("gap_m"),
        f"{prefix}ObjectSpeed": _kph(why.get("speed_mps")),
        f"{prefix}Since": why["since_s"],
    }


def _plan(frame: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    plan, stop = frame["plan"], frame["why"].get("stop")
    if plan is None:
        return {}
    speeds = plan["v"]
    return {
        "Vehicle.ADAS.Marque.Plan.Manoeuvre": plan["manoeuvre"],
        "Vehicle.ADAS.Marque.Plan.StopDistance": stop[3] if stop else None,
        "Vehicle.ADAS.Marque.Plan.SpeedAhead": _kph(speeds[min(10, len(speeds) - 1)]),
    }


def _trip(frame: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    trip = frame["trip"]
    return {
        "Vehicle.ADAS.Marque.Trip.DistanceLeft": trip["left_m"],
        "Vehicle.ADAS.Marque.Trip.TimeLeft": trip["left_s"],
        "Vehicle.ADAS.Marque.Trip.Stops": trip["stops"],
    }


def _kph(speed_mps: float | None) -> float | None:
    return None if speed_mps is None else KPH * speed_mps
