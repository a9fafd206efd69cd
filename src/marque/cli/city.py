"""How a city suite is told on the terminal, trip by trip and in the end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from marque.cli.show import Bar, facts_table, minutes
from marque.core.units import to_kph
from marque.prove.city import Suite
from marque.sim.drive import LENGTH_DRIVEN
from marque.sim.judged import fault_words
from marque.sim.order import Order


class Teller:
    """One line per finished trip."""

    def __init__(self, console: Console, bar: Bar) -> None:
        self._console = console
        self._bar = bar

    def __call__(self, record: Mapping[str, Any], done: int, total: int) -> None:
        with self._bar.aside():
            self._console.print(trip_line(record), soft_wrap=True, markup=False)
        self._bar.show(done, f"{done} of {total} trips")


def trip_line(record: Mapping[str, Any]) -> str:
    """A finished trip in one line."""
    theirs = (record.get("reference") or {}).get("duration_s")
    wrong = "; ".join(fault_words(record))
    ended = record["end"] in ("arrived", LENGTH_DRIVEN)
    end = record["end"] if record["arrived"] == ended else "not arrived"
    return (
        f"{record['trip']:>8}  {end:<10} {record['distance_m'] / 1000:5.2f} km  "
        f"{minutes(record['duration_s']):>9}  SUMO {minutes(theirs) if theirs else '-':>9}  "
        f"{wrong}{'; ' if wrong and record.get('failed') else ''}{record.get('failed', '')}"
    ).rstrip()


def default_folder(map_name: str, order: Order, seeds: tuple[int, ...], routes: int) -> Path:
    """Where the trips of a suite go unless told otherwise."""
    named = "-".join(str(seed) for seed in seeds)
    who = f"{Path(order.driver).stem}-{Path(order.sensors).stem}"
    if order.brand:
        who += f"-{Path(order.brand).stem}"
    return Path("out") / f"city-{map_name}-{who}-s{named}-n{routes}"


def suite_options(suite: Suite) -> list[tuple[str, object]]:
    """The options that repeat a suite."""
    order = suite.order
    return [
        ("--map", order.map_name),
        ("--traffic", order.traffic),
        ("--routes", suite.routes),
        ("--seeds", ",".join(str(seed) for seed in suite.seeds)),
        ("--driver", order.driver),
        ("--car", order.car),
        ("--brand", order.brand),
        ("--sensors", order.sensors),
        ("--density", order.density),
        ("--begin", order.begin_s),
        ("--sumo-args", order.sumo_args),
        ("--workers", suite.workers),
        ("--min-length-m", order.min_length_m),
        ("--out", suite.out),
    ]


def print_result(console: Console, result: Mapping[str, Any]) -> None:
    """The totals, and whatever has to be named beside them."""
    console.print(facts_table("", _rows(result)))
    at_fault = [hit for hit in result["collisions"] if hit["at_fault"]]
    for title, hits in (("At fault", at_fault), ("Other contacts", result["collisions_other"])):
        if hits:
            console.print(_contacts(title, hits))
    if faults := [each for each in result["moments"] if each["kind"] != "needless_hard_braking"]:
        console.print(_moments(faults))
    named = [
        ("not arrived", "; ".join(f"{k}: {v}" for k, v in result["failed"].items())),
        ("SUMO's own driver failed", ", ".join(result["reference_failed"])),
        (
            "it collides at the same place",
            ", ".join(result["reference_collides_at_the_same_place"]),
        ),
        ("faulty junctions of the map", ", ".join(result["faulty_junctions"])),
        ("contacts at those", ", ".join(result["contacts_at_faulty_junctions"])),
    ]
    console.print(facts_table("Beside the result", [(k, v or "none") for k, v in named]))


def _contacts(title: str, hits: list[Mapping[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    for name in ("trip", "at", "place", "who", "why", "replay"):
        table.add_column(name, overflow="fold")
    for hit in hits:
        table.add_row(
            hit["trip"],
            f"{hit['t_s']:.1f} s",
            f"xy:{hit['x_m']:.0f},{hit['y_m']:.0f}",
            f"{hit['kind']} {hit['who']}",
            hit["reason"],
            hit.get("replay", ""),
        )
    return table


def _moments(found: list[Mapping[str, Any]]) -> Table:
    table = Table(title="At fault, other than contacts", title_justify="left", box=None)
    for name in ("trip", "at", "place", "what"):
        table.add_column(name, overflow="fold")
    for each in found:
        place = f"xy:{each['x_m']:.0f},{each['y_m']:.0f}"
        what = f"{each['kind'].replace('_', ' ')}: {each['text']}"
        table.add_row(each["trip"], f"{each['t_s']:.1f} s", place, what)
    return table


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    comfort, rates = result["comfort"], result["rates"]
    wrong = fault_words(result)
    low, high = result["arrived_interval_95"]
    rows = [
        ("judged", "passed" if result["passed"] else "FAILED"),
        (
            "arrived",
            f"{result['arrived']} of {result['routes']} "
            f"({100 * result['arrived_share']:.1f} %, 95 % interval {100 * low:.0f} to "
            f"{100 * high:.0f} %)",
        ),
        ("at fault", "; ".join(wrong) or "nothing"),
        ("driven", f"{result['distance_km']:.1f} km in {minutes(result['duration_s'])}"),
        ("speed", _speed(result)),
    ]
    if comfort is not None:
        rows.append(
            (
                "comfort",
                f"accel p95 {comfort['accel_p95_mps2']:.2f}, "
                f"decel p99 {comfort['decel_p99_mps2']:.2f}, "
                f"sideways p99 {comfort['lat_accel_p99_mps2']:.2f} m/s², "
                f"jerk rms {comfort['jerk_rms_mps3']:.2f} m/s³",
            )
        )
    for name, key in (
        ("planner, CPU", "planner_ms"),
        ("same, 40 and more around", "planner_busy_ms"),
    ):
        times = result[key]
        if times is not None:
            rows.append(
                (
                    name,
                    f"median {times['p50']:.1f}, p99 {times['p99']:.1f}, max {times['max']:.1f} ms "
                    f"over {times['frames']} frames",
                )
            )
    rows += [
        (
            "road users in 100 m",
            f"{result['road_users_100m_mean']:.1f} moving, of them "
            f"{result['foot_or_bicycle_100m_mean']:.1f} on foot or bicycle",
        ),
        ("computed", f"{result['realtime_factor'] or 0.0:.1f} x real time"),
        ("memory", f"{result['memory_mb'] or 0.0:.0f} MB at most"),
    ]
    for key, value in rates.items():
        if isinstance(value, dict):
            low, high = value["interval_95"]
            rows.append(
                (
                    key.replace("_", " "),
                    f"{value['count']}: {value['per_100km']:.1f} per 100 km "
                    f"({low:.1f} to {high:.1f})",
                )
            )
    return rows


def _speed(result: Mapping[str, Any]) -> str:
    if not result["trips_compared"]:
        return "no trip that both drivers finished"
    return (
        f"{to_kph(result['mean_speed_mps']):.1f} km/h, SUMO's own driver "
        f"{to_kph(result['reference_mean_speed_mps']):.1f}: {100 * result['speed_ratio']:.1f} % "
        f"({100 * result['speed_ratio_to_goal']:.1f} % to 10 m before the goal); "
        f"of the time-optimal profile and its waiting {100 * result['optimal_ratio']:.1f} %"
    )
