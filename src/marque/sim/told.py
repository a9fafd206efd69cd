"""A drive as plain data: the line that repeats it, and what the reference did."""

import shlex
from collections.abc import Sequence
from typing import Any

from marque.sim.order import EMPTY, ENGINE, SUMO, Ready, place_text
from marque.sim.reference import Reference


def command_line(words: Sequence[str], options: Sequence[tuple[str, object]]) -> str:
    """A command line; options that are None or empty are left out."""
    parts = ["marque", *words]
    for name, value in options:
        if value is None or value == "":
            continue
        if value is True:
            parts.append(name)
            continue
        parts += [name, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(parts)


def drive_options(ready: Ready) -> list[tuple[str, object]]:
    """The options of `marque drive` that fix a drive."""
    order, road_map, trip = ready.order, ready.setup.road_map, ready.setup.trip
    if order.scenario:
        return [
            ("--scenario", order.scenario),
            *(("--set", f"{name}={value}") for name, value in order.given),
            ("--seed", order.seed),
            ("--driver", order.driver),
            ("--car", order.car),
            ("--brand", order.brand),
            ("--sensors", order.sensors),
        ]
    named = order.map_name or (road_map.name if order.traffic in (SUMO, EMPTY, ENGINE) else "")
    return [
        ("--no-map", order.no_map or None),
        ("--map", named),
        ("--from", place_text(road_map, trip.start_lane, trip.start_s_m)),
        ("--to", "" if order.no_map else place_text(road_map, trip.goal_lane, trip.goal_s_m)),
        ("--km", ready.setup.blind and ready.setup.blind.length_m / 1000.0),
        ("--set-speed", order.set_kph),
        ("--seed", order.seed),
        ("--traffic", order.traffic),
        ("--density", order.density),
        ("--begin", order.begin_s),
        ("--sumo-args", order.sumo_args),
        ("--driver", order.driver),
        ("--car", order.car),
        ("--brand", order.brand),
        ("--sensors", order.sensors),
        ("--market", order.market),
        ("--domain", order.domain),
        ("--driver-attention", order.attention),
        ("--weather", order.weather),
    ]


def repeat_line(ready: Ready) -> str:
    """The command that drives the same again."""
    return command_line(("drive",), drive_options(ready))


def reference_facts(reference: Reference | None) -> dict[str, Any] | None:
    """What SUMO's own driver did."""
    if reference is None:
        return None
    return {
        "arrived": reference.arrived,
        "duration_s": round(reference.duration_s, 3),
        "waiting_s": round(reference.waiting_s, 3),
        "distance_m": round(reference.distance_m, 3),
        "collisions": [
            {"t_s": hit.t_s, "x_m": hit.x_m, "y_m": hit.y_m, "other": hit.other}
            for hit in reference.collisions
        ],
    }
