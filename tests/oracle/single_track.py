"""Slow twin of `vehicle.dynamics`: the same equations as explicit Euler with tiny steps.

Plain Python, a dict for a state, a list for the past. Agreement is expected to the order of the
fast one's 5 ms substep.
"""

import math

from marque.types.platform import Platform

G = 9.80665
H = 0.0002


def simulate(
    platform: Platform, speed: float, commands: list[tuple[float, float]], dt: float
) -> list[dict[str, float]]:
    """States after each command; commands are (acceleration, curvature), held for `dt`."""
    p = platform
    split = 0.5 * p.understeer_rads2pm * p.friction * G
    soft = 1.0 / p.cornering_stiffness_1prad
    stiff = (1.0 / (soft + split), 1.0 / (soft - split))
    z = dict.fromkeys(("x", "y", "heading", "vy", "r", "steer", "drive", "brake"), 0.0) | {
        "v": speed
    }
    out = []
    per = round(dt / H)

    def past(step: int, dead: float, which: int) -> float:
        at = step * H - dead
        index = math.floor(at / dt + 1e-9)
        return 0.0 if index < 0 else commands[index][which]

    for step in range(per * len(commands)):
        target = {
            "drive": min(max(0.0, past(step, p.drive.dead_s, 0)), p.max_accel_mps2),
            "brake": min(max(0.0, -past(step, p.brake.dead_s, 0)), p.max_brake_mps2),
        }
        bend = past(step, p.steer.dead_s, 1)
        wheel = math.atan(bend * (p.wheelbase_m + p.understeer_rads2pm * z["v"] ** 2))
        target["steer"] = min(p.max_steer_rad, max(-p.max_steer_rad, wheel))
        for name in ("drive", "brake", "steer"):
            actuator = getattr(p, name)
            rate = (target[name] - z[name]) / actuator.lag_s
            z[name] += H * min(actuator.rate, max(-actuator.rate, rate))
        power = p.max_power_w / (p.mass_kg * max(z["v"], 0.1))
        drive = 0.0 if z["v"] >= p.max_speed_mps else min(z["drive"], power)
        grip = 0.98 * p.friction * G
        a = min(grip, max(-grip, drive - z["brake"]))
        z["v"] = min(p.max_speed_mps, max(0.0, z["v"] + H * a))
        _body(p, z, a, stiff)
        if (step + 1) % per == 0:
            out.append(dict(z))
    return out


def _body(p: Platform, z: dict[str, float], a: float, stiff: tuple[float, float]) -> None:
    lr = p.cog_to_rear_axle_m
    lf = p.wheelbase_m - lr
    v, bend = z["v"], math.tan(z["steer"])
    r_low = v * bend / (p.wheelbase_m + p.understeer_rads2pm * v * v)
    vy_low = r_low * (lr - v * v / (p.friction * G * stiff[1]))
    mix = min(1.0, max(0.0, (v - 3.0) / 3.0))
    mix = mix * mix * (3.0 - 2.0 * mix)
    vy, r = vy_low, r_low
    if mix > 0.0:
        nf = (G * lr - a * p.cog_height_m) / p.wheelbase_m
        nr = (G * lf + a * p.cog_height_m) / p.wheelbase_m
        side = p.friction * math.sqrt(max(0.01, 1.0 - (a / (p.friction * G)) ** 2))
        ff = p.friction * stiff[0] * nf * (bend - (z["vy"] + lf * z["r"]) / v)
        fr = p.friction * stiff[1] * nr * (-(z["vy"] - lr * z["r"]) / v)
        ff = min(side * nf, max(-side * nf, ff))
        fr = min(side * nr, max(-side * nr, fr))
        vy = z["vy"] + H * (ff + fr - v * z["r"])
        r = z["r"] + H * p.mass_kg / p.yaw_inertia_kgm2 * (lf * ff - lr * fr)
        # the fast one mixes once per 5 ms substep; per tiny step the pull is as strong per second
        share = 1.0 - mix if mix == 1.0 else 1.0 - mix ** (H / 0.005)
        vy += share * (vy_low - vy)
        r += share * (r_low - r)
    slide = vy - lr * r
    z["x"] += H * (v * math.cos(z["heading"]) - slide * math.sin(z["heading"]))
    z["y"] += H * (v * math.sin(z["heading"]) + slide * math.cos(z["heading"]))
    z["heading"] += H * r
    z["vy"], z["r"] = vy, r
