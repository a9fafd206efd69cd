"""`marque car conform`: all of it for one car or every car, as one report."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from marque.prove.can.conform import conform, every_name
from marque.prove.can.fuzz import fuzz
from marque.vehicle.can.real_car import PREFIX, brand_of

SCHEMA = "marque.car.conform/1"
NOTE = (
    "opendbc with alpha_long=True; its safety model compiled with -DALLOW_DEBUG; "
    "illegal is what prove/can/limits.toml says"
)


def run(
    names: list[str],
    commands: int,
    seed: int,
    done: Callable[[dict[str, Any]], None] = lambda _result: None,
) -> dict[str, Any]:
    """The report. `names` empty: every car. `commands`: fuzzed, per family; 0: none.

    MarqueError: an unknown name, no opendbc, no C compiler.
    """
    chosen = [name.removeprefix(PREFIX) for name in names] or every_name()
    families = sorted({brand_of(name) for name in chosen})
    cars = []
    for name in chosen:
        cars.append(conform(name))
        done(cars[-1])
    driven = [f for f in families if any(_drives(car, f) for car in cars)]
    fuzzed = [fuzz(family, commands, seed) for family in driven] if commands else []
    count = Counter(car["verdict"] for car in cars)
    passed = sum(one["illegal_passed"] for one in fuzzed)
    return {
        "schema": SCHEMA,
        "note": NOTE,
        "conform": count["conform"],
        "not_conform": count["not_conform"],
        "unsupported": count["unsupported"],
        "illegal_frames_passed": passed,
        "fuzzed_commands_per_family": commands,
        "families": {f: Counter(c["verdict"] for c in cars if c["family"] == f) for f in families},
        "fuzzed": fuzzed,
        "cars": cars,
        "passed": count["not_conform"] == 0 and passed == 0,
    }


def _drives(car: dict[str, Any], family: str) -> bool:
    return bool(car["family"] == family and car["verdict"] != "unsupported")
